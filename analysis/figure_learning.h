/* The table of the figure "learning": how the loss fell while models were fitted. */
#ifndef RETC_FIGURE_LEARNING_H
#define RETC_FIGURE_LEARNING_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (number of models, epochs of the longest fit, whether there are learning rates, lowest and highest loss
 * shown, whether any lies above, lowest and highest r), "models" (number, name, best epoch counted from 1, its validation loss
 * and r), and for model m = 1 ... n "curve m" (epoch, loss of the train part, of the validation part, validation r, learning
 * rate).
 *
 * The best epoch is the first of least validation loss, the one that a fit keeps.  The n files are models with the datasets
 * train_loss, validation_loss, validation_r and perhaps learning_rate (epochs) of /training. */
int retc_figure_learning(retc_h5 *const *files, size_t n, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

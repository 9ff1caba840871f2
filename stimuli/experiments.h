/* What is known of the published ganglion-cell recordings beside what their files say (FORMATS 1): in how many equal blocks
 * the train part was recorded, which cells have good receptive fields, and where these lie in the 50x50 movie.
 *
 * Source: deepretina/experiments.py of github.com/baccuslab/deep-retina (NUM_BLOCKS, CELLS) and torchdeepretina/datas.py of
 * github.com/baccuslab/torch-deep-retina (CENTERS). */
#ifndef RETC_EXPERIMENTS_H
#define RETC_EXPERIMENTS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *name;
    size_t blocks; /* 0: not known */
    size_t n;
    const unsigned char *cell;        /* (n) rows of the response, from 0 */
    const unsigned char (*center)[2]; /* (n) row and column, NULL: not known */
} retc_experiment;

/* An experiment by its name, "15-10-07" say; NULL when it is none of these. */
const retc_experiment *retc_experiment_find(const char *name);

/* Centre of the receptive field of a row of the response: 1 when it is known, else 0. */
int retc_experiment_center(const retc_experiment *experiment, size_t cell, size_t *row, size_t *column);

#ifdef __cplusplus
}
#endif

#endif

/* Model files: the checkpoint layout of FORMATS 4.3, which PyTorch users can load, with what it lacks (lag, cell names,
 * knots of LN nonlinearities) under names of our own. */
#ifndef RETC_MODEL_FILE_H
#define RETC_MODEL_FILE_H

#include "h5.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Write the network into a file being made. */
int retc_network_write(const retc_network *network, retc_h5 *file) RETC_USED;

/* Write only its tensors, into a group such as /ensemble/0/state_dict. */
int retc_network_write_tensors(const retc_network *network, const char *group, retc_h5 *file) RETC_USED;

/* Read a network: layers from `layers_json`, or from the names of the tensors where a checkpoint has none (FORMATS 4.1);
 * tensors from /state_dict.  Stacked convolutions stay a chain that is trained and written as such, unless there are batch
 * norms or several biases in it: then they become the one that equals them.  |shift| is taken where a batch norm asks for it,
 * and OneHot with a single weight per cell becomes a list of positions.  NULL with a recorded reason that names the layer or
 * tensor: missing, of another shape, not finite, of an unknown class. */
retc_network *retc_network_read(retc_h5 *file);

/* Open `path` and read. */
retc_network *retc_network_open(const char *path);

/* Where the readout positions of the cells came from. */
typedef enum {
    RETC_POSITIONS_NONE,      /* the readout needs none */
    RETC_POSITIONS_STORED,    /* from the file */
    RETC_POSITIONS_PUBLISHED, /* centre - h - 1: as published models run, one pixel off */
    RETC_POSITIONS_EXACT      /* centre - h, h half the sum of (kernel - 1): the unit in the middle of its receptive field */
} retc_positions;

/* What was found when a checkpoint was read. */
typedef struct {
    int inferred; /* layers from names: the file does not list them */
    int stacks;   /* convolutions that were stacked */
    retc_positions positions;
    char *layers;   /* JSON of the layers, as in attribute layers_json */
    char **ignored; /* (n_ignored) tensors that no layer takes; one block with its text */
    size_t n_ignored;
    size_t windows;        /* of /check, 0 when there is none */
    double error, largest; /* largest |output - /check/output| and |/check/output|, in the units of the latter */
} retc_checkpoint_notes;

/* Read with `notes`, which retc_checkpoint_notes_clear frees.  `exact_centres` chooses what becomes of /centers where readout
 * positions are not stored; retc_network_read takes the published ones.  With `collapse` all stacks become the convolutions
 * that equal them.  NULL with a reason, as above. */
retc_network *retc_checkpoint_read(retc_h5 *file, int exact_centres, int collapse, retc_checkpoint_notes *notes);
void retc_checkpoint_notes_clear(retc_checkpoint_notes *notes);

/* Run the network on the windows of /check/input (b,L,H,W), normalised stimuli, and compare with /check/output (b,n): fills
 * windows, error and largest of `notes`.  Nothing happens where the file has none. */
int retc_checkpoint_check(retc_network *network, retc_h5 *file, retc_checkpoint_notes *notes) RETC_USED;

/* Write `network`, read from `from`, with the other settings of that file: layers as they were read.
 * retc_checkpoint_write_exact instead keeps every tensor bit by bit as it is stored, with its layers, settings and check; what
 * `notes` lists as ignored is left out. */
int retc_checkpoint_write(const retc_network *network, retc_h5 *from, retc_h5 *file) RETC_USED;
int retc_checkpoint_write_exact(const retc_network *network, retc_h5 *from, const retc_checkpoint_notes *notes,
                                retc_h5 *file) RETC_USED;

/* Add what torch modules keep beside what they compute with, so that load_state_dict finds every name: counts of batches and
 * strengths of noise.  Those that are there stay. */
int retc_checkpoint_add_torch(const retc_network *network, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

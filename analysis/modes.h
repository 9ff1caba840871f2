/* Contributions of every layer factorised into sparse modes (FORMATS 5.2).
 *
 * Each layer's contributions (T,F) are divided by their standard deviation (one number per layer, the mean stays in) and
 * given to a sparse autoencoder (sae.h).  A row of its dictionary, an atom, is a mode; its code is the mode's loading. */
#ifndef RETC_MODES_H
#define RETC_MODES_H

#include <stddef.h>

#include "error.h"
#include "h5.h"
#include "progress.h"
#include "sae.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t multiplier;    /* atoms per feature */
    size_t hidden;        /* hidden units M at least; M is the number of features when that is larger */
    double threshold;     /* of the codes, in (0,1) */
    int nonnegative;      /* dictionary without negative entries */
    int published_offset; /* reconstructed_denormalized = reconstruction * std + mean, as the peers write it */
    size_t restarts;      /* fits from other start values, at most, while a layer ends with no atom alive */
    size_t threads;       /* 0: all processors; no effect on the result */
    retc_sae_options sae; /* sae.stream is set per layer and start */
} retc_modes_options;

/* multiplier 10, 16 hidden units at least, threshold 0.9, one restart, retc_sae_options_default.  The published M is the number
 * of features, which is too few for a small layer: two layer norms take two degrees of freedom each. */
retc_modes_options retc_modes_options_default(void);

typedef struct {
    const char *name;      /* borrowed from the list */
    size_t T, F, A;        /* samples, features, all atoms */
    float *original;       /* (T,F) contributions as read */
    float *normalized;     /* (T,F) original / std */
    double mean, std;      /* of all entries of `original`, population; std 1 where all entries are equal */
    retc_sae *sae;         /* the fitted autoencoder */
    size_t alive;          /* atoms that fire on any sample */
    size_t *atom;          /* (alive) their numbers, increasing */
    float *codes;          /* (T,alive) */
    float *dictionary;     /* (alive,F) */
    float *reconstruction; /* (T,F) of `normalized` */
    double *activity;      /* (A) fraction of samples on which each atom fires */
    size_t active;         /* atoms that fire on more than 1 % of the samples */
    double mean_l0;        /* mean number of atoms that fire on a sample */
    double r2;             /* 1 - MSE / (variance about the mean of all entries + 1e-6), of `normalized` */
    size_t starts;         /* fits that were made; 0: all contributions are zero, there is nothing to find */
} retc_modes_layer;

typedef struct {
    char *target; /* "surprisal", "sum", "cell", ...: the file's group <target>_contributions */
    char **names; /* of the layers; one block */
    size_t n_layers;
    retc_modes_layer *layer; /* (n_layers) */
} retc_modes;

/* Read the contributions of all layers of a file (FORMATS 5.1: <target>_contributions/<layer> (T,F)).  Fails when there is
 * no such group or more than one, when the layers differ in T, or when a value is not finite. */
int retc_modes_read(retc_h5 *contributions, retc_modes *modes) RETC_USED;

/* Fit all layers, side by side; `progress` may be called from several threads at once.  A layer that ends with no atom
 * alive has alive = 0 and is no failure of this function: see retc_modes_converged. */
int retc_modes_fit(retc_modes *modes, const retc_modes_options *options, const retc_progress *progress) RETC_USED;

/* 1 when every layer has an atom alive, or nothing but zeros to explain. */
int retc_modes_converged(const retc_modes *modes);

/* Write all layers, and what of the contributions file belongs with them: metadata and target series. */
int retc_modes_write(const retc_modes *modes, const retc_modes_options *options, retc_h5 *contributions,
                     retc_h5 *file) RETC_USED;

/* Free what read and fit made. */
void retc_modes_clear(retc_modes *modes);

#ifdef __cplusplus
}
#endif

#endif

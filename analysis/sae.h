/* A thresholded sparse autoencoder: the decomposition of contributions into modes that CODEC uses.
 *
 * Melander, Alaoui, Liu, Ganguli & Baccus, "Causal interpretation of neural network computations with contribution
 * decomposition", ICLR 2026.  For a sample x (F):
 *
 *     h = LN1(relu(drop(W1 x + b1)))          LN: over the M hidden units, biased variance, eps 1e-5, weight and bias
 *     h = LN2(relu(drop(W2 h + b2)))
 *     c = sigmoid(W3 h)                        z = c where c >= threshold, else 0; no gradient through the comparison
 *     reconstruction = z D                     D the dictionary (A,F), its rows the atoms
 *     loss = mean (reconstruction - x)^2 + penalty mean |D|
 *
 * The non-negative variant takes |x| into the encoder and relu(atoms) for D.  All derivatives of kinks are 0 at 0. */
#ifndef RETC_SAE_H
#define RETC_SAE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "progress.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    RETC_SAE_WEIGHT1, /* encoder.layers.layer1.weight (M,F) */
    RETC_SAE_BIAS1,   /* encoder.layers.layer1.bias (M) */
    RETC_SAE_SCALE1,  /* encoder.layers.layernorm1.weight (M) */
    RETC_SAE_SHIFT1,  /* encoder.layers.layernorm1.bias (M) */
    RETC_SAE_WEIGHT2, /* encoder.layers.layer2.weight (M,M) */
    RETC_SAE_BIAS2,   /* encoder.layers.layer2.bias (M) */
    RETC_SAE_SCALE2,  /* encoder.layers.layernorm2.weight (M) */
    RETC_SAE_SHIFT2,  /* encoder.layers.layernorm2.bias (M) */
    RETC_SAE_WEIGHT3, /* encoder.layers.layer3.weight (A,M) */
    RETC_SAE_ATOMS,   /* dictionary.atoms (A,F) */
    RETC_SAE_TENSORS
};

typedef struct {
    const char *name; /* as PyTorch names it */
    int rank;
    size_t shape[2], offset, size; /* offset and size in floats within the block of parameters */
} retc_sae_tensor;

typedef struct {
    size_t F, M, A;
    double threshold; /* in (0,1) */
    int nonnegative;
    size_t size;       /* floats in `parameters` */
    float *parameters; /* one block, laid out by `tensors` */
    retc_sae_tensor tensors[RETC_SAE_TENSORS];
} retc_sae;

/* An autoencoder with all parameters 0 (retc_sae_free).  NULL with a recorded reason: a size of 0, threshold not in (0,1). */
retc_sae *retc_sae_alloc(size_t F, size_t M, size_t A, double threshold, int nonnegative);
void retc_sae_free(retc_sae *sae);

/* Scratch memory for batches of up to `batch` samples. */
typedef struct retc_sae_workspace retc_sae_workspace;
retc_sae_workspace *retc_sae_workspace_alloc(const retc_sae *sae, size_t batch);
void retc_sae_workspace_free(retc_sae_workspace *workspace);

/* Which hidden units a training step drops: mask (2,M,n) holds 0 or 1/(1-p) for both layers; NULL drops none.  `rows` (n)
 * picks samples of x (T,F), NULL the first n.  n must not exceed the workspace's batch.  `gradient` (sae->size) is set to
 * the loss's gradient.  Returns the loss. */
double retc_sae_gradient(const retc_sae *sae, retc_sae_workspace *workspace, const float *x, const size_t *rows, size_t n,
                         double penalty, const float *mask, float *gradient);

/* The same in double with plain loops, without dropout: the definition.  parameters, gradient (sae->size), x (n,F). */
int retc_sae_gradient_reference(const retc_sae *sae, const double *parameters, const float *x, size_t n, double penalty,
                                double *loss, double *gradient) RETC_USED;

/* Codes c (T,A), thresholded codes z (T,A) and reconstruction (T,F) of x (T,F); each may be NULL. */
int retc_sae_encode(const retc_sae *sae, const float *x, size_t T, float *c, float *z, float *reconstruction) RETC_USED;

/* The dictionary D (A,F): the atoms, rectified in the non-negative variant. */
void retc_sae_dictionary(const retc_sae *sae, float *dictionary);

/* ---- fitting --------------------------------------------------------------------------------------------------------- */

/* Steps of a fit whose number of epochs is left open. */
enum { RETC_SAE_STEPS = 12000 };

typedef struct {
    size_t epochs;        /* passes over the samples; 0: as many as make RETC_SAE_STEPS steps */
    size_t batch;         /* samples per step; the incomplete last batch of an epoch is dropped */
    double learning_rate; /* of Adam (beta 0.9, 0.999, eps 1e-8) at the start */
    int anneal;           /* 1: the learning rate falls linearly to 0 at the last step; 0: as published, in steps: */
    double decay;         /* learning rate times this ... */
    size_t decay_epochs;  /* ... every so many epochs */
    double dropout;       /* probability that a hidden unit is dropped in a step */
    double penalty;       /* weight of mean |D| */
    double firing;        /* fraction of samples on which every atom fires at the start; 0: as published, by chance */
    uint64_t seed;        /* of all random numbers ... */
    uint64_t stream;      /* ... and a number that tells the fits of one run apart */
} retc_sae_options;

/* The dependable recipe: 12000 steps of 128 samples, learning rate from 1e-3 to 0, dropout 0.05, penalty 1e-4, firing 0.03.
 * An atom that has fallen silent never comes back, and every step silences some: what counts is the sum of the learning
 * rates, so the length of a fit is set in steps, whatever the number of samples. */
retc_sae_options retc_sae_options_default(void);

/* The published recipe: 800 epochs, learning rate 1e-5 times 0.98 every 25 epochs, start values by chance. */
retc_sae_options retc_sae_options_published(void);

/* Start values: weights and biases of linear layers uniform in +-1/sqrt(fan_in), layer norm 1 and 0, atoms uniform in
 * +-sqrt(6/(A+F)).  With options->firing > 0 each row of W3 is then scaled (and turned over where needed) so that its atom
 * reaches the threshold on that fraction of the samples x (T,F): an atom that never fires gets no gradient, and by chance
 * most never do. */
int retc_sae_init(retc_sae *sae, const float *x, size_t T, const retc_sae_options *options) RETC_USED;

/* Fit to x (T,F) from the parameters `sae` holds.  With fewer samples than a batch every step takes them all. */
int retc_sae_fit(retc_sae *sae, const float *x, size_t T, const retc_sae_options *options,
                 const retc_progress *progress) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

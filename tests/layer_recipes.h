/* Small networks of every kind of layer, for the tests of layers. */
#ifndef RETC_LAYER_RECIPES_H
#define RETC_LAYER_RECIPES_H

#include "rng.h"
#include "tape.h"

enum { STACKED = 100, FACTORISED, SEPARABLE, DENSE, UNIT_NORM, ABS_NORM, ONE_HOT };

/* A layer: its kind, or one of the above; channels, kernel or window; a residual addition takes layer K - 1. */
typedef struct {
    int kind;
    size_t K, kh, kw;
} retc_piece;

typedef struct {
    const char *name;
    size_t L, H, W;
    retc_piece layer[12]; /* up to the first without channels */
} retc_recipe;

#define CONV(K, kh, kw)                                                                                                        \
    { RETC_LAYER_CONV, K, kh, kw }
#define POOL(kind, kh, kw)                                                                                                     \
    { RETC_LAYER_##kind##POOL, 1, kh, kw }
#define PLAIN(kind)                                                                                                            \
    { RETC_LAYER_##kind, 1, 0, 0 }
#define ADD(skip)                                                                                                              \
    { RETC_LAYER_ADD, 1 + (skip), 0, 0 }
#define DENSE_CONV(K)                                                                                                          \
    { DENSE, K, 0, 0 }

extern const retc_recipe retc_recipes[];
enum { RETC_RECIPES = 31 };

/* 2^-24: unit roundoff of float */
extern const double retc_float_roundoff;

/* Append a piece to a network; the network of a recipe, with random parameters. */
int retc_piece_add(retc_network *network, const retc_piece *piece);
retc_network *retc_recipe_build(const retc_recipe *recipe, uint64_t seed);

/* n random values. */
void retc_recipe_randomise(float *x, size_t n, gsl_rng *rng);

/* (n+L-1,H,W) raw frames to (H,W,n+L-1), normalised, in double; n floats as doubles. */
double *retc_recipe_normalised(const retc_network *network, const float *frames, size_t n);
double *retc_recipe_in_double(const float *x, size_t n);

/* Rates (N,n) by the reference at inference. */
void retc_recipe_reference(const retc_network *network, const double *value, const double *movie, size_t n, double *rate);

/* Terms of the longest sum that ends in one output, all layers together. */
size_t retc_recipe_terms(const retc_network *network);

/* A network on a block of n frames, once in float, run forward, and once in double; the gradient of the last layer is that of a
 * weighted sum of rates. */
typedef struct {
    retc_network *network;
    retc_tape *tape;
    size_t n, pixels, count;               /* count: frames that the block sees */
    double *value, *movie, *rate, *weight; /* rate and weight (N,n) */
} retc_trial;

retc_trial retc_trial_make(const retc_recipe *recipe, uint64_t seed, size_t n);
void retc_trial_clear(retc_trial *trial);

#endif

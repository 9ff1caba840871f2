/* What a network is made of, before it meets a recording: a table of layers that people write in a file.
 *
 *   [network]
 *   name = mine
 *   [layer:conv0]             a section per layer, in order; names are for residual additions and for reading
 *   kind = conv
 *   channels = 8              or "cells": one per cell
 *   kernel = 15               or 15x11 (rows x columns), or "map": all that the layer before gives
 *   [layer]
 *   kind = relu
 *
 * Presets are such tables too (architecture_preset.c).  What depends on the recording, numbers of cells and pixels, mean rates
 * and places of receptive fields, comes in when a network is built. */
#ifndef RETC_ARCHITECTURE_H
#define RETC_ARCHITECTURE_H

#include <stdio.h>

#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_PLAN_CONV,       /* convolution */
    RETC_PLAN_STACKED,    /* the same, trained as a chain of linear 3 x 3 convolutions */
    RETC_PLAN_SEPARABLE,  /* convolution, every kernel a course over channels times a map */
    RETC_PLAN_DENSE,      /* every unit sees all of the map */
    RETC_PLAN_FACTORISED, /* dense, with a weight per channel and one per position */
    RETC_PLAN_BATCHNORM,
    RETC_PLAN_NOISE,
    RETC_PLAN_RELU,
    RETC_PLAN_SOFTPLUS,
    RETC_PLAN_EXP,
    RETC_PLAN_TANH,
    RETC_PLAN_SIGMOID,
    RETC_PLAN_MAXPOOL,
    RETC_PLAN_AVGPOOL,
    RETC_PLAN_RESIDUAL, /* adds the output of an earlier layer */
    RETC_PLAN_GRAB,     /* one position per cell, in the middle of its receptive field */
    RETC_PLAN_AVERAGE,  /* a trained weight per position and channel: OneHot of torch-deep-retina */
    RETC_PLAN_SCALE,    /* to Hz */
    RETC_PLAN_KINDS
} retc_plan_kind;

enum { RETC_MOST_PLANNED = 64, RETC_PLAN_NAME_SIZE = 32 };

typedef struct {
    size_t kind;                    /* retc_plan_kind */
    char name[RETC_PLAN_NAME_SIZE]; /* "" for none */
    size_t channels;                /* 0: one per cell */
    size_t kernel[2];               /* rows, columns of a kernel or of a pool's window; 0: the whole map */
    size_t bias;                    /* convolutions; 0 or 1, as are the next three */
    size_t per_unit, absolute;      /* batch norm: statistics of each unit, not channel; |weight| is used */
    size_t one_hot;                 /* grab: the model file holds a map of weights per cell, not positions */
    double eps, sigma;              /* batch norm; noise, in units of its input */
    double hz, offset;              /* scale: rate = hz * x + offset, Hz; 0: the mean rate of all cells */
    char from[RETC_PLAN_NAME_SIZE]; /* residual: the layer whose output is added */
    size_t line;                    /* in its file */
} retc_layer_plan;

typedef struct {
    char name[RETC_PLAN_NAME_SIZE]; /* becomes the model's type */
    char *path;                     /* NULL: a preset, whose kernels are cut to the map where that is smaller */
    size_t layers;
    retc_layer_plan layer[RETC_MOST_PLANNED];
} retc_architecture;

/* Names of the presets, parted by "|": for options; and what one is, in a few words (NULL when there is none of that name). */
#define RETC_ARCHITECTURE_PRESETS "cnn|ln|lnln|mcintosh2016|bncnn|stacked-bncnn|vary|retinotopic"
const char *retc_architecture_about(const char *preset);

/* A preset, or the table in a file; free with retc_architecture_clear.  Reasons name file, line, layer and key: unknown (with
 * the nearest name), missing, given twice, out of range.  A name that is neither preset nor file is refused with both. */
int retc_architecture_open(const char *name_or_path, retc_architecture *architecture) RETC_USED;
int retc_architecture_read_stream(FILE *in, const char *path, retc_architecture *architecture) RETC_USED;
void retc_architecture_clear(retc_architecture *architecture);

/* Write the table as a file, every key with its value and meaning; reads as the same network. */
void retc_architecture_print(FILE *out, const retc_architecture *architecture);

/* Give convolution i of a preset, from 0 and without readouts, other numbers; 0 keeps what is there.  And all noise layers
 * another sigma.  Fails when there is no such layer. */
int retc_architecture_set_conv(retc_architecture *architecture, size_t i, size_t channels, size_t kernel) RETC_USED;
int retc_architecture_set_noise(retc_architecture *architecture, double sigma) RETC_USED;

/* Does a network of it need to know where receptive fields are? */
int retc_architecture_needs_centres(const retc_architecture *architecture);

/* Append the layers to a fresh network, with zero parameters.  mean_hz: what "hz = mean" stands for.  A grab layer takes the
 * unit whose receptive field has its middle nearest to the cell's centre; network->centre must be there when
 * retc_architecture_needs_centres says so.  Reasons name the layer, and the line of a file. */
int retc_architecture_build(const retc_architecture *architecture, double mean_hz, retc_network *network) RETC_USED;

/* Let a network with random weights begin at the rates (N), Hz: walks back from its end over scale, positions and output
 * nonlinearity to the last batch norm or bias, and sets that; the spread of its input becomes about half a unit.  Networks that
 * end otherwise are left as they are. */
void retc_network_start_at_rates(retc_network *network, const double *rate);

#ifdef __cplusplus
}
#endif

#endif

/* Instantaneous receptive fields: the gradient of a cell's rate with respect to its stimulus window, at every moment
 * (Maheswaranathan et al. 2023; CODEC).  Value: d rate (Hz) / d normalised stimulus.
 *
 * It is computed on the pixels that the cell sees (models/window.h), 0 elsewhere; separated into space and time (separate.h);
 * and described by a few numbers (irf_shape.h).
 *
 * The integrated IRF, as published, is that of integrated gradients from the mean grey: the mean gradient along the straight
 * path from there to the window, times the window: what each pixel of the window adds to the rate, Hz.  By secants its sum is
 * rate - rate at mean grey to rounding.  The mean gradient by itself is a receptive field, Hz / normalised stimulus, and like
 * the IRF it has few terms, which its product with the stimulus has not: these are kept.  Of a linear network it is the
 * weights; of r = f(w . x + b) it is w (f(w . x + b) - f(b)) / (w . x), by any number of secants. */
#ifndef RETC_IRF_H
#define RETC_IRF_H

#include "field.h"
#include "h5.h"
#include "irf_shape.h"
#include "network.h"
#include "path.h"
#include "progress.h"
#include "recording.h"
#include "separate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The terms kept of n fields that were separated into space and time (separate.h). */
typedef struct {
    const float *u, *s, *v; /* (n,rank,L), (n,rank), (n,rank,h w) */
    const double *mean;     /* (n) that was subtracted, else 0 */
    const double *error;    /* (n) relative to what was separated */
} retc_irf_terms;

/* IRFs of one chosen cell in one block of n samples; borrowed until the receiver returns. */
typedef struct {
    retc_patch patch;                 /* h x w pixels that the cell sees */
    size_t rank;                      /* terms kept */
    const float *irf;                 /* (n,L,h,w), oldest frame first */
    const float *ig;                  /* the same of the integrated IRF, NULL when it is not asked for */
    const float *rate;                /* (n) Hz */
    retc_irf_terms terms;             /* of the IRFs */
    retc_irf_terms ig_terms;          /* of the mean gradients along the paths of integrated IRFs, with these */
    const double *gain;               /* (n) |IRF| over all values */
    const retc_irf_shape *shape;      /* (n) */
    const float *sum, *ig_sum;        /* (L,h,w) over the block */
    float low, high, ig_low, ig_high; /* over the block and the patch */
} retc_irf_cell;

typedef struct {
    size_t n, sample;          /* samples sample ... sample+n-1 of those asked for */
    const size_t *frame;       /* (n) response frames */
    int continues;             /* the first one follows the last one of the block before without a gap */
    const retc_irf_cell *cell; /* (cells) */
} retc_irf_block;

typedef int retc_irf_receiver(void *context, const retc_irf_block *block);

typedef struct {
    const size_t *cell; /* (cells) */
    size_t cells;
    size_t first, samples;  /* samples first ... first+samples-1 of the part; samples 0: all that follow */
    size_t every;           /* of these, each every-th; 0: 1 */
    size_t rank;            /* terms of a separation; 0: 2, or 1 where a cell sees one pixel or frame */
    int subtract_mean;      /* separate what is left without the mean over all pixels and frames, as published */
    size_t ig_steps;        /* of the integrated IRF; 0: none */
    retc_path_rule ig_rule; /* trapezia as published, or secants */
    size_t threads;
} retc_irf_options;

/* Number of samples that the options choose, and the rank for chosen cell i; they fail where retc_irf would. */
int retc_irf_samples(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
                     size_t *samples) RETC_USED;

/* IRFs of chosen cells, block by block in order; memory is bounded by the block. */
int retc_irf(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
             retc_irf_receiver *receive, void *context, const retc_progress *progress) RETC_USED;

/* ---- files ----------------------------------------------------------------------------------------------------------- */

enum { RETC_IRF_FULL = 1, RETC_IRF_COMPACT = 2 };

typedef struct {
    int layout;          /* RETC_IRF_FULL, RETC_IRF_COMPACT, or both */
    double precision;    /* rounding of compact maps, relative to |IRF| */
    size_t lags;         /* samples over which the autocorrelation is measured */
    double pixel_size;   /* um; 0: not known */
    const char *dataset; /* name of the recording for the metadata */
} retc_irf_file;

/* Both layouts, precision 0.02, 50 lags, pixel size not known. */
retc_irf_file retc_irf_file_default(void);

/* Stream IRFs into a file (`cell_index` counts within all cells).  Per cell, with T samples:
 *
 *   full      regular_irf_all (T,L,H,W) of FORMATS 5.3, and ig_irf_all where asked for
 *   compact   compact, see irf_compact.h, and ig_compact with the mean gradients of integrated IRFs
 *   always    regular_irf_mean (ig_irf_mean), attributes regular_irf_min and _max; rate (T) Hz;
 *             shape/{center (T,2) row and column in pixels, size (T,2) standard deviations along the longest and the shortest
 *             axis in pixels, orientation (T) degrees, polarity (T), latency (T) s, direction_index (T), direction (T) degrees,
 *             speed (T) pixels/s, separability (T), gain (T) Hz per stimulus standard deviation}, each with an attribute
 *             `unit`; with a pixel size center_um and size_um and speed_um beside them;
 *             separation_error (T);
 *             change/{lag (lags+1) s, autocorrelation (lags+1)} and its attribute correlation_time (irf_change.h)
 *
 * Root attributes kind = "irf", lag, frame_interval; /metadata as published and time (T) s, cell_names. */
int retc_irf_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
                   const retc_irf_file *layout, retc_h5 *file, const retc_progress *progress) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

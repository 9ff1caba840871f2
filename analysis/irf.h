/* Instantaneous receptive fields: the gradient of a cell's rate with respect to its stimulus window, at every moment
 * (Maheswaranathan et al. 2023; CODEC).  Value: d rate (Hz) / d normalised stimulus. */
#ifndef RETC_IRF_H
#define RETC_IRF_H

#include "h5.h"
#include "network.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One block of IRFs of all chosen cells; borrowed until the receiver returns. */
typedef struct {
    size_t t0, n, sample;     /* response frames t0 ... t0+n-1, samples sample ... */
    const float *const *irf;  /* per chosen cell (n,L,H,W), oldest frame first */
    const float *const *rate; /* per chosen cell (n) Hz */
} retc_irf_block;

typedef int retc_irf_receiver(void *context, const retc_irf_block *block);

typedef struct {
    const size_t *cell; /* (cells) */
    size_t cells;
    size_t first, samples; /* samples first ... first+samples-1 of the part; samples 0: all that follow */
    size_t threads;
} retc_irf_options;

/* IRFs of chosen cells, block by block in order; memory is bounded by the block. */
int retc_irf(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
             retc_irf_receiver *receive, void *context, const retc_progress *progress) RETC_USED;

/* The same, streamed into a file in the layout of FORMATS 5.3 (`cell_index` counts within all cells), with /metadata/time,
 * /metadata/cell_names and cell_<id>/rate beside it.  Root attributes kind = "irf", lag, frame_interval. */
int retc_irf_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
                   const char *dataset, retc_h5 *file, const retc_progress *progress) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

/* The compact layout of a sequence of receptive fields, and reading of both layouts.
 *
 * In the groups compact and ig_compact of a cell, with T samples and k terms, of fields separated into space and time
 * (separate.h):
 *
 *   u (T,k,L)      f4  time courses, oldest frame first
 *   s (T,k)        f4  strengths, Hz per stimulus standard deviation
 *   v (T,k,h,w)    u1  maps on the patch that the cell sees: v_j = step_j (number - 128)
 *   step (T,k)     f4
 *   mean (T)       f4  what was subtracted before the separation; 0 unless asked for
 *   error (T)      f4  |f - what is stored| / |f|, f what was separated, rounding of the maps included
 *   attributes row, column of the patch's first pixel in the frame, rank
 *
 * so that IRF[t,l,y,x] = mean[t] + sum_j s[t,j] u[t,j,l] step[t,j] (v[t,j,y-row,x-column] - 128), and 0 outside the patch; in
 * ig_compact that is the mean gradient, of which the integrated IRF is the product with the normalised stimulus, frame l of
 * sample t's window.
 * step is that for which rounding to it changes the field by `precision` of its length at most, in root mean square of even
 * rounding errors, s_j step_j the same for all terms; it is larger where the largest value would not fit.  Small numbers of few
 * levels are also what the file's compression makes small. */
#ifndef RETC_IRF_COMPACT_H
#define RETC_IRF_COMPACT_H

#include "h5.h"
#include "irf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Round maps v (rank,P) of strengths s to `code`, with steps; returns the error: `truncation` and rounding together, relative
 * to `norm`, the length of what was separated. */
double retc_irf_round(size_t rank, size_t P, const float *s, const float *v, double norm, double truncation, double precision,
                      unsigned char *code, float *step);

/* Make the datasets of group `group`, "/cell_0/compact", for T samples; write terms of n samples from `sample` on. */
int retc_irf_compact_make(retc_h5 *file, const char *group, size_t T, size_t L, const retc_irf_cell *cell) RETC_USED;
int retc_irf_compact_write(retc_h5 *file, const char *group, size_t sample, size_t n, size_t L, const retc_irf_cell *cell,
                           const retc_irf_terms *terms, double precision) RETC_USED;

/* IRFs of a cell in a file of either layout; the full one where there are both. */
typedef struct {
    retc_h5 *file; /* kept */
    char *group, *compact_group;
    int compact;
    size_t T, L, H, W;
    retc_patch patch; /* compact only */
    size_t rank;
    float *u, *s, *v, *step;
} retc_irf_reader;

/* `group` "/cell_0".  Close it whatever happens. */
int retc_irf_reader_open(retc_h5 *file, const char *group, retc_irf_reader *reader) RETC_USED;
/* The same for mean gradients of integrated IRFs, which only the compact layout has. */
int retc_irf_reader_open_integrated(retc_h5 *file, const char *group, retc_irf_reader *reader) RETC_USED;
void retc_irf_reader_close(retc_irf_reader *reader);

/* The IRF of sample t, (L,H,W). */
int retc_irf_read(retc_irf_reader *reader, size_t t, float *irf) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

/* The golden files: models, stimuli, and what PyTorch and the published library make of them. */
#ifndef RETC_PUBLISHED_H
#define RETC_PUBLISHED_H

#include "h5.h"
#include "network.h"
#include "recording.h"

typedef struct {
    const char *file;
    int flat; /* BNCNN: batch norm per unit, dense readout */
} published_case;

enum { PUBLISHED_CASES = 4 };
extern const published_case published_cases[PUBLISHED_CASES];

typedef struct {
    retc_h5 *file;
    retc_network *network;
    retc_recording *recording;
    size_t T, windows;
    double *margin; /* (windows) smallest |ReLU input| along the path */
} published;

/* 0 when the golden is not there. */
int published_open(const published_case *c, published *g);
void published_close(published *g);

/* As the goldens ask: |x - g| <= tol max|g|; where a ReLU gate of a window is undecided in float (margin < 1e-5), that window
 * by its norm instead: ||x - g|| <= 5e-3 ||g|| + tol max|g| sqrt(n).  x has `n` values per window; `window`, where not all are
 * compared, numbers those that are. */
void published_compare(const published *g, const char *name, const float *x, size_t n, size_t windows, const int64_t *window);

#endif

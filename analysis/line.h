/* The lines that samples run along (path.h), from what a baseline and a movie show.
 *
 * In conv0's output a line leads from base = W * x0 + b by delta = W * (x - x0).  Where all samples start from the same window
 * x0 there is one base; where they start from frames of their own, each has its own. */
#ifndef RETC_LINE_H
#define RETC_LINE_H

#include "baseline.h"
#include "path.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Storage of one thread. */
typedef struct {
    float *delta;           /* (units of conv0,ld) */
    float *base;            /* (units of conv0,ld) of baselines that move with the sample, else NULL */
    float *movie, *scratch; /* (H,W,in_ld) what such a baseline shows in place of the tape's movie; room for blurring */
} retc_line;

/* For blocks of a tape like this one; clear it whatever happens. */
int retc_line_init(retc_line *line, const retc_baseline *baseline, const retc_tape *like) RETC_USED;
void retc_line_clear(retc_line *line);

/* Where samples at[0] < at[1] < ... (n of them; NULL: the first n) of a block run from baseline b.  `starts` are
 * retc_baseline_starts'.  The tape holds the block's movie.  From mean grey delta is W * x alone, without a difference that
 * rounds. */
retc_path_line retc_line_make(retc_line *line, const retc_baseline *baseline, const float *starts, size_t b, retc_tape *tape,
                              const retc_block *block, const size_t *at, size_t n);

#ifdef __cplusplus
}
#endif

#endif

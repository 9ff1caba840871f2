/* Running a network over a recording in blocks of time: memory is bounded by the block, whatever the recording's length.
 *
 * Blocks are read in order on the calling thread, worked on in parallel (one tape per thread), and consumed in order. */
#ifndef RETC_STREAM_H
#define RETC_STREAM_H

#include "progress.h"
#include "recording.h"
#include "tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A block of consecutive response frames t0 ... t0+n-1; `sample` counts response frames over all spans. */
typedef struct {
    size_t t0, n, sample;
    const float *beside; /* (n+L-1,H,W) the same frames of a movie beside the recording's, NULL: there is none */
} retc_block;

/* Raw frames t0 ... t0+n-1 (n,H,W) of a movie; `read` NULL: there is none. */
typedef struct {
    int (*read)(void *context, size_t t0, size_t n, float *frames);
    void *context;
} retc_stream_source;

typedef struct {
    /* Parallel: the tape holds the block's movie.  `slot` < threads names the thread's own storage. */
    int (*work)(void *context, size_t slot, retc_tape *tape, const retc_block *block);
    /* In order, on the calling thread; NULL when there is nothing to do. */
    int (*consume)(void *context, size_t slot, const retc_tape *tape, const retc_block *block);
    void *context;
} retc_stream_task;

typedef struct {
    size_t block;   /* frames per block */
    size_t threads; /* 0: all processors; also the number of slots, see retc_stream_slots */
    int gradients;  /* tapes with gradients */
    int window_gradients;
    retc_stream_source beside; /* a movie that is read beside the recording's */
} retc_stream_options;

size_t retc_stream_slots(const retc_stream_options *options);

/* Check that a network fits a recording: pixels and number of cells.  `cells` 0: the number of cells is of no interest. */
int retc_stream_check(const retc_network *network, const retc_recording *recording, int cells) RETC_USED;

/* The raw frames that response frames t0 ... t0+n-1 see, (n+L-1,H,W). */
int retc_stream_read(const retc_network *network, retc_recording *recording, retc_part part, size_t t0, size_t n,
                     float *frames) RETC_USED;

/* For a consumer: rates that are not finite would pass silently through sums and largest values. */
int retc_stream_check_rates(const retc_tape *tape, const retc_block *block) RETC_USED;

/* Run `task` over the spans of a part. */
int retc_stream_run(const retc_network *network, retc_recording *recording, retc_part part, const retc_span *spans,
                    size_t n_spans, const retc_stream_options *options, const retc_stream_task *task,
                    const retc_progress *progress) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

/* How the learning rate of a fit changes as it goes on. */
#ifndef RETC_SCHEDULE_H
#define RETC_SCHEDULE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_SCHEDULE_PLATEAU,  /* times `decay` whenever half the patience has passed without a better validation loss */
    RETC_SCHEDULE_CONSTANT, /* stays */
    RETC_SCHEDULE_COSINE,   /* (1 + cos(pi epoch/epochs)) / 2: half a wave down to nearly 0 (Loshchilov & Hutter 2017, eq. 5) */
    RETC_SCHEDULE_STEP,     /* decay^floor(epoch / every) */
    RETC_SCHEDULE_EXPONENTIAL /* decay^(epoch / every) */
} retc_schedule_kind;

typedef struct {
    retc_schedule_kind kind;
    double decay;  /* plateau, step, exponential */
    size_t every;  /* epochs; step, exponential */
    size_t warmup; /* step s = 0, 1, ... of the first `warmup` steps takes (s + 1)/(warmup + 1) of the rate; 0: none */
} retc_schedule;

/* The factor on the learning rate for epoch number `epoch` from 0 of `epochs`.  `decays`: how often a plateau was met. */
double retc_schedule_factor(const retc_schedule *schedule, size_t epoch, size_t epochs, size_t decays);

/* The factor for step number `step` from 0, on top of it. */
double retc_schedule_warmup(const retc_schedule *schedule, size_t step);

#ifdef __cplusplus
}
#endif

#endif

/* What the files of the trainer share.  Internal: not installed. */
#ifndef RETC_TRAINER_INTERNAL_H
#define RETC_TRAINER_INTERNAL_H

#include <pthread.h>

#include "tape.h"
#include "trainer.h"
#include "trainer_layout.h"

/* What a thread needs to work on a block, whichever it is. */
typedef struct {
    retc_tape *tape;   /* its rows are those of the block at work, and `memory` */
    float *memory;     /* (layout.worker) */
    size_t block;      /* at work */
    size_t base, last; /* layers whose outputs were computed again; base > last: none */
} retc_trainer_worker;

/* What is kept of a block while others are at work. */
typedef struct {
    retc_block block;
    retc_recording *recording; /* borrowed */
    retc_part part;
    float *memory;   /* (layout.block) */
    float *count;    /* (N,n) spikes per frame */
    float *gradient; /* (values) */
    double *sums;    /* (2,widest batch norm) of one block */
    double loss;
} retc_trainer_block;

struct retc_trainer {
    retc_network *network;
    retc_trainer_options options;
    retc_trainer_layout layout;
    size_t movie;                /* floats of a block's memory that hold its movie, or the spectra of that */
    retc_trainer_block *block;   /* (options.blocks) */
    retc_trainer_worker *worker; /* (options.threads) */
    retc_trainer_worker **idle;  /* (options.threads) */
    size_t n_idle;
    pthread_mutex_t idle_lock, reading;
    double *sums;          /* (2,widest batch norm) of the batch */
    double **statistic;    /* per layer: batch norm's (2,F): mean and 1/std of the batch */
    float *total_gradient; /* (values) */
    size_t n_blocks, frames_in_batch, from, to;
    uint64_t step;
};

/* Features of a batch norm; each owns so many rows of its input, one after the other. */
size_t retc_trainer_features(const retc_layer *layer);

/* A worker that no thread uses, set to block b; every take has its give. */
retc_trainer_worker *retc_trainer_take(retc_trainer *trainer, size_t b);
void retc_trainer_give(retc_trainer *trainer, retc_trainer_worker *worker);

/* The movie of the worker's block into its tape. */
int retc_trainer_read(retc_trainer *trainer, retc_trainer_worker *worker) RETC_USED;

#endif

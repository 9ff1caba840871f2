/* What the parts of the NWB import share: import_nwb.c reads units, import_nwb_movie.c series, import_nwb_parts.c intervals. */
#ifndef RETC_IMPORT_NWB_DATA_H
#define RETC_IMPORT_NWB_DATA_H

#include "import_nwb.h"
#include "nwb.h"

/* A time from start to stop, s. */
typedef struct {
    double start, stop;
} retc_nwb_interval;

typedef struct {
    const retc_import_nwb_options *options;
    retc_nwb *nwb;
    retc_import_report *report;

    retc_nwb_series *series; /* (n_series) in the order of their times */
    size_t n_series;
    size_t *first;       /* (n_series + 1) first frame of each among all */
    size_t frames;       /* of all series */
    double *onset, *end; /* (frames) s */
    double interval;     /* median, s */
    size_t pauses;       /* within series */
    double scale, shift; /* grey level = value * scale + shift */
    retc_h5_type type;   /* of the movie in the recording */

    retc_nwb_interval *invalid; /* (invalids), ascending */
    size_t invalids;
    char *left_out;     /* (frames) 1: in invalid_times */
    retc_span *stretch; /* of continuous time, without frames that are left out */
    size_t stretches;
    retc_import_parts parts;

    retc_nwb_table units;
    size_t *row; /* (cells) of the table */
    size_t cells;
    double **spike; /* (cells) */
    retc_import_unit *unit;
    char **name;
} retc_nwb_import;

/* Find and read the series, settle clock, grey levels and stretches. */
int retc_nwb_import_movie(retc_nwb_import *in) RETC_USED;

/* Frames of all series as grey levels: a retc_stimulus_source whose context is a retc_nwb_import. */
int retc_nwb_import_frames(void *context, size_t t0, size_t n, float *out) RETC_USED;

/* Read invalid_times; needs the clock. */
int retc_nwb_import_invalid(retc_nwb_import *in) RETC_USED;

/* Settle train and test part; needs the stretches. */
int retc_nwb_import_parts(retc_nwb_import *in) RETC_USED;

/* The next word of a list parted by commas, in a copy that is changed: NULL at its end. */
char *retc_nwb_next_word(char **rest);

#endif

/* What an NWB 2 file holds, as far as a recording needs it (FORMATS 3): the objects, their tables, and series of pictures.
 *
 * Objects are recognised by their attributes neurodata_type and namespace wherever they stand, also behind links.  A type that
 * an extension defines is used as the type of the core whose datasets it has. */
#ifndef RETC_NWB_H
#define RETC_NWB_H

#include "h5_object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- objects (nwb.c) */

typedef enum {
    RETC_NWB_OTHER,
    RETC_NWB_UNITS,     /* table of spike times */
    RETC_NWB_INTERVALS, /* table of start_time and stop_time */
    RETC_NWB_MOVIE,     /* ImageSeries, OpticalSeries: a picture for each time */
    RETC_NWB_INDEX      /* IndexSeries: the number of a picture for each time */
} retc_nwb_kind;

typedef struct {
    char *path, *type; /* "units", "Units" */
    const char *name;  /* the last step of the path */
    retc_nwb_kind kind;
    int is_extension; /* its type is not known, but it has the datasets of this kind */
    int presented;    /* stands in /stimulus/presentation, there or behind a link */
    int is_template;  /* stands in /stimulus/templates, or an IndexSeries takes its pictures from it */
    retc_h5_identity identity;
} retc_nwb_object;

typedef struct {
    retc_h5 *h5;
    char *version;
    retc_nwb_object *object; /* (objects), those of kind OTHER left out */
    size_t objects;
    char *linked; /* names of other files that links lead into, parted by ", "; NULL: none */
    char *broken; /* links that lead nowhere, likewise */
} retc_nwb;

/* Open a file and look for its objects.  NULL with a recorded reason: no HDF5, no NWB, or NWB 1. */
retc_nwb *retc_nwb_open(const char *path);
void retc_nwb_close(retc_nwb *nwb);

/* "object/member", in static storage of the buffer. */
typedef struct {
    char text[1024];
} retc_nwb_path;
const char *retc_nwb_in(retc_nwb_path *path, const char *object, const char *member);

/* ---- tables (nwb_table.c) */

enum { RETC_NWB_LEVELS = 2 };

/* A column: one value (or array of values) per row, or with one or two levels of index as many as there are. */
typedef struct {
    char *name, *path;            /* path of the values */
    int levels;                   /* of index */
    char *index[RETC_NWB_LEVELS]; /* their paths, that of the rows last */
} retc_nwb_column;

typedef struct {
    retc_h5 *h5; /* borrowed */
    char *path;
    size_t rows;
    int64_t *id;             /* (rows) */
    retc_nwb_column *column; /* (columns) in their order */
    size_t columns;
} retc_nwb_table;

int retc_nwb_table_read(retc_h5 *h5, const char *path, retc_nwb_table *table) RETC_USED;
void retc_nwb_table_clear(retc_nwb_table *table);

/* NULL when there is no such column. */
const retc_nwb_column *retc_nwb_table_column(const retc_nwb_table *table, const char *name);

/* Row i has the values offset[i] ... offset[i+1]-1 of a column: (rows+1) numbers, retc_free. */
int retc_nwb_offsets(const retc_nwb_table *table, const retc_nwb_column *column, size_t **offset) RETC_USED;

/* Values of a column of one number per row, (rows), retc_free. */
int retc_nwb_numbers(const retc_nwb_table *table, const retc_nwb_column *column, double **value) RETC_USED;

/* Whether a row of a column of text, references, or numbers has a value that reads as `text`; of ragged columns any of the
 * row's values counts.  `match` (rows). */
int retc_nwb_match(const retc_nwb_table *table, const retc_nwb_column *column, const char *text, int *match) RETC_USED;

/* Copy the chosen rows of a column as dataset `name` of another file; ragged ones take their index along, rebuilt, as
 * name_index. 1: done, 0: the column has values of a kind that is not kept. */
int retc_nwb_copy(const retc_nwb_table *table, const retc_nwb_column *column, const size_t *row, size_t rows, retc_h5 *to,
                  const char *name) RETC_USED;

/* ---- series of pictures (nwb_series.c) */

typedef struct {
    const char *name; /* of the object, borrowed */
    size_t frames;
    double *onset;       /* (frames) s */
    double interval;     /* median, s */
    int from_rate;       /* onsets follow from starting_time and rate */
    size_t stored_times; /* more times than pictures were stored: frames are the fewer */
    int64_t *index;      /* (frames) picture of each frame, NULL: picture k is frame k */
    size_t pictures;
    size_t height, width, channels; /* channels are averaged */
    size_t stored[3];               /* shape of a picture as stored; stored[2] 0 without channels */
    int rows_first;                 /* pictures are stored row by row */
    int dimension_disagrees;        /* the stored dimension says that the axes are the other ones */
    int is_bytes;                   /* stored as 8-bit unsigned integers */
    double conversion, offset;      /* value = stored * conversion + offset */
    struct retc_nwb_pictures *source;
} retc_nwb_series;

/* `rows_first`: pictures are stored row by row (axes tyx); else column by column, as the schema says (txy). */
int retc_nwb_series_read(const retc_nwb *nwb, const retc_nwb_object *object, int rows_first, retc_nwb_series *series) RETC_USED;
void retc_nwb_series_clear(retc_nwb_series *series);

/* Values of frames t0 ... t0+n-1, (n,H,W). */
int retc_nwb_series_frames(retc_nwb_series *series, size_t t0, size_t n, float *out) RETC_USED;

/* Smallest and largest value, and whether all that were looked at are whole numbers.  Bytes count as using all of 0 ... 255
 * unless they are only 0 and 1; everything else is read to its end. */
int retc_nwb_series_range(retc_nwb_series *series, double *low, double *high, int *whole) RETC_USED;

/* Fails when attribute `unit` of a dataset of times is there and names no seconds. */
int retc_nwb_check_seconds(retc_h5 *h5, const char *path) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

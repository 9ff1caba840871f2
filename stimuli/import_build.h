/* From what an importer found in a file to a recording: the half of importing that all formats share.
 *
 * A format gives the clock of all frames that were shown, a source of the movie, spike times (or counts, or rates) of the
 * cells, and which frames belong to which part.  Spike k belongs to the frame with onset <= time < end.  Movie and counts are
 * streamed in slabs; held are the clock and the spike times, 16 bytes per frame and 8 per spike.
 *
 * The clock of the recording's parts runs from 0 with the gaps between stretches removed; that of the test part is the clock of
 * its first repeat.  Beside the datasets of every recording the file holds, on the raw clock: train/onset (T), test/onset (R,T)
 * and, when spike times are known, spikes/cellNN (n), in s. */
#ifndef RETC_IMPORT_BUILD_H
#define RETC_IMPORT_BUILD_H

#include "progress.h"
#include "recording_write.h"
#include "stimulus_file.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Frames of the two parts, counted over all frames that were shown. */
typedef struct {
    retc_span *train; /* (stretches) of continuous time */
    size_t stretches;
    retc_span *test; /* (repeats,test_stretches); stretch b is as long in every repeat */
    size_t repeats, test_stretches;
} retc_import_parts;

/* Parts without trials: the last `fraction` (0 ... 0.9) of the frames of `stretches` is the test part with one repeat.  Release
 * with retc_import_parts_clear. */
int retc_import_parts_split(retc_import_parts *parts, const retc_span *stretch, size_t stretches, double fraction) RETC_USED;
void retc_import_parts_clear(retc_import_parts *parts);

/* Length of a part in frames. */
size_t retc_import_part_frames(const retc_import_parts *parts, retc_part part);

/* Where frame t of a part (in repeat r of it) is among all frames, and how many frames follow each other from there on. */
retc_span retc_import_part_span(const retc_import_parts *parts, retc_part part, size_t r, size_t t);

typedef struct {
    const char *name;    /* of the cell */
    const char *origin;  /* where it comes from, for messages: "cell1.txt"; NULL: the name says it */
    const double *spike; /* (n) s, ascending; NULL where counts are given */
    size_t n;
} retc_import_unit;

typedef struct {
    const char *file;    /* that reasons of failures name when they name none; NULL: they all do */
    size_t frames;       /* T, all that were shown */
    const double *onset; /* (frames) s, ascending */
    const double
        *end; /* (frames) s, not after the next onset; NULL: frames last to the next onset, the last a median interval */
    size_t height, width;
    retc_h5_type stimulus_type; /* RETC_H5_UINT8 or RETC_H5_FLOAT */
    retc_stimulus_source movie; /* frames t0 ... t0+n-1, (n,H,W) */
    void *movie_context;
    const retc_import_unit *unit; /* (cells) */
    size_t cells;
    int keep_empty;              /* keep cells without a spike in the stimulus */
    retc_stimulus_source counts; /* responses in frames t0 ... t0+n-1, (N,n); NULL: from the spike times */
    void *counts_context;
    int rates; /* what `counts` gives is in spikes/s */
    retc_import_parts parts;
} retc_import_source;

typedef struct {
    char *name;
    size_t spikes;        /* in the file */
    size_t before, after; /* before the first frame; after the last one */
    size_t unused;        /* while no frame of either part was shown */
    double used;          /* in the train or the test part */
    size_t equal, brief;  /* pairs of equal times; intervals below 1 ms, those included */
    size_t negative;      /* times below 0 */
    double rate;          /* used spikes over used time, spikes/s */
    int maybe_ms;         /* the spikes reach so far beyond the stimulus that they may be in milliseconds */
    size_t twin;          /* number, from 1, of the first cell with the same spike times; 0: none */
} retc_import_cell;

enum { RETC_IMPORT_NAMED = 8 }; /* irregular frames that a report names */

/* What was found, and what is odd. */
typedef struct {
    char *lines; /* what the format has to say: "note: ...\n" */
    size_t frames, height, width;
    double interval, start, end;            /* median frame interval; first onset; end of the last frame; s */
    size_t irregular;                       /* frames whose interval is off the median by more than 20 % */
    size_t irregular_at[RETC_IMPORT_NAMED]; /* the first of them */
    size_t dropped;                         /* frames whose interval is longer than 1.5 times the median */
    size_t part_frames[2], stretches, repeats;
    size_t used_frames, left_out_from; /* in either part; frame behind the last one of them */
    int frames_maybe_ms;               /* all spikes come so early that frame times may be in milliseconds */
    int from_counts, rates;            /* responses were given as counts, or as rates */
    size_t fractional;                 /* of those, values that are no whole numbers */
    size_t cells;
    retc_import_cell *cell; /* (cells) */
} retc_import_report;

/* Write `source` into the file `output`.  `*writer` receives the writer, finished but not committed.  `*report` begins as all
 * zeros, or with the lines of the format, and receives what was found, also after some failures.  Refused are: times out of
 * order, cells of the same name, counts that are negative or not finite, and cells without a spike within the stimulus. */
int retc_import_build(const retc_import_source *source, const char *output, int force, const retc_progress *progress,
                      retc_recording_writer **writer, retc_import_report *report) RETC_USED;

/* Add a line to a report. */
int retc_import_say(retc_import_report *report, const char *format, ...) RETC_PRINTF(2, 3) RETC_USED;

/* The report as lines of text (retc_free), NULL when out of memory. */
char *retc_import_report_text(const retc_import_report *report);

void retc_import_report_free(retc_import_report *report);

#ifdef __cplusplus
}
#endif

#endif

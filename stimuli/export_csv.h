/* Write a recording as a folder of text tables: values parted by commas, a line of column names first.
 *
 *   recording.csv          property,value: frame_interval_s, rows, columns, train_frames, test_frames, test_repeats, cells
 *   cells.csv              number,name: in the order of all other tables
 *   train.csv, test.csv    frame,time_s,stretch and the counts of every cell; test: means over repeats
 *   test_repeats.csv       cell,repeat and the counts of every frame: a line per repeat of a cell
 *   spikes.csv             cell,time_s: spike times, where the recording holds them
 *   train_onsets.csv, test_onsets.csv   repeat,frame,onset_s on the clock of the spike times, where the recording holds them
 *   train_stimulus.csv, test_stimulus.csv   frame and the grey levels of its pixels, row by row
 *
 * Numbers have a decimal point whatever the locale, and as many digits as it takes to read back the very same number; names
 * with commas or quotes stand in quotes (RFC 4180). */
#ifndef RETC_EXPORT_CSV_H
#define RETC_EXPORT_CSV_H

#include <stdio.h>

#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_CSV_WHEN_SMALL, RETC_CSV_ALWAYS, RETC_CSV_NEVER } retc_csv_stimulus;

/* Movies of up to so many values in both parts are small. */
#define RETC_CSV_SMALL ((size_t)2000000)

typedef struct {
    retc_csv_stimulus stimulus;
    int (*head)(void *context, FILE *out); /* writes lines at the head of recording.csv, each with # in front; NULL: none */
    void *context;
} retc_export_csv_options;

/* All names that files of such a folder have; ends with NULL. */
extern const char *const retc_export_csv_files[];

/* Write the files into a folder that is there; others in it stay.  `*report` (retc_free) receives what is to be known. */
int retc_export_csv(retc_recording *recording, const retc_export_csv_options *options, const retc_progress *progress,
                    const char *folder, char **report) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

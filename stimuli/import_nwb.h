/* Make a recording from an NWB 2 file (FORMATS 3): a table of units, series of pictures, and tables of intervals.
 *
 * All series that were presented are one movie, in the order of their times.  A frame lasts to the next one of its series;
 * where that takes longer than `pause` median intervals, and at the end of a series, it lasts one median interval, and a new
 * stretch of continuous time begins.  Frames that touch a row of invalid_times are left out.
 *
 * `test` chooses rows of the tables of intervals (epochs, trials, ...): those of the table of that name, those that hold that
 * text in any column, those whose COLUMN holds VALUE (COLUMN=VALUE), or, as "repeated", all trials that show what another one
 * shows. Rows that show the same frames become repeats of one stretch of the test part, rows that show others other stretches
 * of it; rows that are up to two frames too long are cut.  What a row is not asked for is the train part.
 *
 * Grey levels of the recording are 255 (value - black) / (white - black).  Beside what import_build.h says the file holds
 * cells/id (N) and, under cells/, every other column of the table of units, ragged ones with their index of ends as NAME_index.
 */
#ifndef RETC_IMPORT_NWB_H
#define RETC_IMPORT_NWB_H

#include "import_build.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *file;
    const char *units;    /* name or path of the table of units; NULL: the only one, or /units */
    const char *cells;    /* ids parted by commas, with ranges "0,3,7-9"; NULL or "all": all */
    const char *where;    /* conditions COLUMN=VALUE parted by commas, of which all must hold; NULL: none */
    const char *names;    /* column that names the cells; NULL: "unit" and the id */
    const char *stimulus; /* names or paths of series parted by commas; NULL: all that were presented */
    const char *axes;     /* of stored pictures: "txy", as the schema says, or "tyx" */
    const char *grey;     /* values of black and white "BLACK:WHITE"; NULL or "auto": guessed from the range of values */
    const char *test;     /* NULL: the last test_fraction of the frames */
    double test_fraction; /* 0 ... 0.9 */
    double pause;         /* median intervals that a frame lasts at most; 0: any time */
    int keep_invalid;     /* keep frames in invalid_times */
} retc_import_nwb_options;

/* Import into the file `output`, as retc_import_build. */
int retc_import_nwb(const retc_import_nwb_options *options, const char *output, int force, const retc_progress *progress,
                    retc_recording_writer **writer, retc_import_report *report) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

/* Write a recording as an NWB 2 file (FORMATS 3): units with spike times, the movie, trials.
 *
 *   /units                              a row per cell: spike_times, cell_name
 *   /stimulus/presentation/stimulus     ImageSeries of all frames; with repeats an IndexSeries, whose pictures are those of
 *   /stimulus/templates/frames          an ImageSeries: the frames of the train part, then those of the test part, once each
 *   /intervals/trials                   a row per stretch of the train part and of every repeat: part ("train" or "test"),
 * repeat (from 1; 0: train), stretch (from 0)
 *
 * Times are those of the recording's clock where it has one for all its frames, else parts follow each other with pauses (see
 * export_timeline.h).  Where the recording holds counts and no spike times, spikes are spread evenly inside their frames, and
 * the file says so (/general/notes, the description of spike_times). */
#ifndef RETC_EXPORT_NWB_H
#define RETC_EXPORT_NWB_H

#include "h5.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *session_start; /* ISO 8601 with time zone: "2015-10-07T14:00:00+02:00" */
    const char *identifier;    /* of the file, which should be unique; NULL: the name of the recording */
    const char *description;   /* of the session; NULL: "retina recording" */
    const char *created;       /* when the file is made, likewise; NULL: as session_start */
    int rows_first; /* pictures as (rows, columns), as many programs write them, not (columns, rows) as the schema says */
} retc_export_nwb_options;

/* Write into a file made by retc_h5_create.  `*report` (retc_free) receives what is to be known, lines of text. */
int retc_export_nwb(retc_recording *recording, const retc_export_nwb_options *options, const retc_progress *progress,
                    retc_h5 *file, char **report) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

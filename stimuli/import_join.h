/* Join recordings of the same cells into one.
 *
 * Cells are those that all recordings name; what each recording showed stays stretches of continuous time of its own, one
 * recording after the other.  When the test movies are all the same, to the last bit, their repeats are put together; else,
 * with as many repeats everywhere, the test parts follow each other too.  Clocks run on from recording to recording; spike
 * times, whose raw clocks have nothing to do with each other, and interneurons are left out. */
#ifndef RETC_IMPORT_JOIN_H
#define RETC_IMPORT_JOIN_H

#include "import_build.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Join the n >= 2 recordings `paths` into the file `output`.  `*writer` receives the writer, finished but not committed;
 * `*lines` (retc_free) what was found.  Refused are movies of different sizes, frame intervals more than 1 % apart, recordings
 * without a common cell, and test parts that fit neither way. */
int retc_import_join(const char *const *paths, size_t n, const char *output, int force, const retc_progress *progress,
                     retc_recording_writer **writer, char **lines) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

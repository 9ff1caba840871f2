/* A recording and a fit that take a moment, for tests of fits as a whole. */
#ifndef RETC_SMALL_FIT_H
#define RETC_SMALL_FIT_H

#include "fit.h"
#include "recording.h"

enum { RETC_SMALL_HISTORY = 8, RETC_SMALL_SIDE = 4 };

/* Written to `path` and opened, in two stretches: cells that follow one pixel each, three frames later; one beyond the second
 * is silent. */
retc_recording *retc_small_recording(const char *path, size_t frames, size_t cells);

/* Of a network of some hundred parameters; patience for 100 epochs, one thread. */
retc_fit_options retc_small_fit(size_t epochs);

#endif

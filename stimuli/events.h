/* What an event camera sees of a movie (Lichtsteiner, Posch & Delbruck 2008): ON and OFF events where the logarithm of the
 * intensity changes.
 *
 * The intensity of a pixel is v = log(max(S, 0) + dark), S its grey level, linear in time from frame to frame.  Whenever v is a
 * threshold above (below) its value at the pixel's last event, or in the first frame of a stretch of continuous time, there is
 * an ON (OFF) event.  Frame t of the resulting movie is 127.5 (1 + c), 127.5 or 127.5 (1 - c) where pixels had ON events, none,
 * or OFF events since frame t - 1; as v moves one way, no pixel has both.
 *
 * Beside the frames the file lists all events in the order of their times, then of pixels:
 *   /events/time (n)      f8, s, on the clock of the movie
 *   /events/row, column (n), polarity (n)   i8; 1 is ON, -1 is OFF
 * The list is made by a second pass over the input, so that it never has to fit into memory. */
#ifndef RETC_EVENTS_H
#define RETC_EVENTS_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *movie; /* stimulus file */
    double threshold;  /* change of log intensity per event, 0.001 ... 10 */
    double dark;       /* grey levels added to every level, above 0: noise at low levels makes no events */
    double contrast;   /* c, 0 ... 1 */
} retc_events_options;

/* The movie of these options.  NULL with a recorded reason. */
retc_movie *retc_events_movie(const retc_events_options *options);

extern const retc_movie_kind retc_events_kind;

#ifdef __cplusplus
}
#endif

#endif

/* What cells answer to a protocol: mean responses to each condition, aligned to the trials' onsets.
 *
 * Trials come from the recording, <part>/trials and <part>/conditions (trials.h), or from a text table whose onsets are on the
 * clock of the spike times.  Means are over trials, and in the test part over repeats as well. */
#ifndef RETC_PROTOCOL_RESPONSE_H
#define RETC_PROTOCOL_RESPONSE_H

#include "progress.h"
#include "recording.h"
#include "trials.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *trials;   /* text table; NULL: those of the recording */
    const char *part;     /* "train", "test", or "auto": the first of test and train that has trials */
    const char *protocol; /* name of the protocol where the recording has none, NULL: none */
    double bin;           /* s; with the recording's trials rounded to whole frames; 0: one frame */
    double before, after; /* s, shown around each trial, as far as there is a gap to the next trial */
    int truth;            /* the true rates of a simulated retina in place of its spikes */
} retc_protocol_response_options;

/* 0.2 s before and 0.5 s after. */
void retc_protocol_response_default(retc_protocol_response_options *options);

/* Letters: N cells, C conditions, B bins.  Bin b lasts from b * bin - before to (b + 1) * bin - before, from the onset. */
typedef struct {
    retc_trials trials;
    retc_part part;
    int of_frames; /* trials are given in frames of the part */
    size_t cells, bins, bins_before;
    double bin;          /* s */
    char **name, **type; /* (N) of cells; type NULL: unknown */
    size_t *shown;       /* (C) trials */
    double *psth;        /* (N,C,B) spikes/s; NaN beyond what is shown after a trial */
    double *rate;        /* (N,C) spikes/s, in the trial from onset to end */
    double *baseline;    /* (N) spikes/s before the trials; NaN when none is shown */
    size_t places;       /* of the stimulus below: pixels of its middle row or column; 0: no stimulus */
    int upright;         /* it is the middle column, which has more structure */
    float *stimulus;     /* (C,B,places) grey level in the first trial of each condition, NaN outside of the movie */
} retc_protocol_response;

/* Compute; release with retc_protocol_response_free, after a failure as well. */
int retc_protocol_response_compute(retc_recording *recording, const retc_protocol_response_options *options,
                                   const retc_progress *progress, retc_protocol_response *response) RETC_USED;
void retc_protocol_response_free(retc_protocol_response *response);

/* Duration of a condition: the longest of its trials, s. */
double retc_protocol_response_duration(const retc_protocol_response *response, size_t condition);

#ifdef __cplusplus
}
#endif

#endif

/* What the parts of the quality report share. */
#ifndef RETC_QUALITY_INTERNAL_H
#define RETC_QUALITY_INTERNAL_H

#include "quality.h"

/* Add a sentence to the notes or the warnings. */
int retc_quality_note(retc_quality *quality, const char *format, ...) RETC_PRINTF(2, 3) RETC_USED;
int retc_quality_warn(retc_quality *quality, const char *format, ...) RETC_PRINTF(2, 3) RETC_USED;

/* The steps of an examination, in their order: each fills its part of `quality`. */
int retc_quality_look_at_clock(retc_recording *recording, const retc_quality_options *options, retc_quality *quality) RETC_USED;
int retc_quality_look_at_stimulus(retc_recording *recording, const retc_quality_options *options, const retc_progress *progress,
                                  retc_quality *quality) RETC_USED;
int retc_quality_look_at_rates(retc_recording *recording, retc_quality *quality) RETC_USED;
int retc_quality_look_at_spikes(retc_recording *recording, retc_quality *quality) RETC_USED;
int retc_quality_look_at_repeats(retc_recording *recording, const retc_quality_options *options, const retc_progress *progress,
                                 retc_quality *quality) RETC_USED;
int retc_quality_look_at_latencies(retc_recording *recording, const retc_quality_options *options,
                                   retc_quality *quality) RETC_USED;

/* Judge what was found: the sentences of the report. */
int retc_quality_judge(const retc_quality_options *options, retc_quality *quality) RETC_USED;

#endif

/* The protocols of the retinal literature, each a kind of movie; where each comes from stands with it. */
#ifndef RETC_PROTOCOL_KINDS_H
#define RETC_PROTOCOL_KINDS_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

/* protocol_flashes.c: light that changes in time only, on the whole screen or in a disc */
extern const retc_movie_kind retc_flashes_kind, retc_paired_flashes_kind, retc_luminance_steps_kind, retc_omitted_kind,
    retc_chirp_kind;

/* protocol_noise_steps.c */
extern const retc_movie_kind retc_contrast_steps_kind;

/* protocol_gratings.c */
extern const retc_movie_kind retc_reversing_grating_kind, retc_drifting_grating_kind;

/* protocol_motion.c: bars and discs that move */
extern const retc_movie_kind retc_moving_bar_kind, retc_moving_spot_kind, retc_motion_reversal_kind,
    retc_motion_anticipation_kind;

/* protocol_object.c: things that move before a background, or come near */
extern const retc_movie_kind retc_object_motion_kind, retc_looming_kind;

#ifdef __cplusplus
}
#endif

#endif

#include "movie_kinds.h"

#include <string.h>

#include "crop.h"
#include "events.h"
#include "frozen.h"
#include "log_polar.h"
#include "natural_movie.h"
#include "protocol_kinds.h"
#include "resize.h"
#include "spectral_noise.h"
#include "video.h"
#include "white_noise.h"

const retc_movie_kind *const retc_movie_kinds[] = {
    &retc_white_noise_kind,
    &retc_spectral_noise_kind,
    &retc_natural_movie_kind,
    &retc_jittered_images_kind,
    &retc_video_kind,
    &retc_flashes_kind,
    &retc_paired_flashes_kind,
    &retc_luminance_steps_kind,
    &retc_contrast_steps_kind,
    &retc_reversing_grating_kind,
    &retc_drifting_grating_kind,
    &retc_moving_bar_kind,
    &retc_moving_spot_kind,
    &retc_motion_reversal_kind,
    &retc_motion_anticipation_kind,
    &retc_object_motion_kind,
    &retc_omitted_kind,
    &retc_looming_kind,
    &retc_chirp_kind,
    &retc_frozen_kind,
    &retc_crop_kind,
    &retc_resize_kind,
    &retc_log_polar_kind,
    &retc_events_kind,
    NULL,
};

const retc_movie_kind *
retc_movie_kind_find(const char *name) {
    const char *names[sizeof retc_movie_kinds / sizeof *retc_movie_kinds];
    size_t n = 0;
    for (; retc_movie_kinds[n]; ++n) {
        if (strcmp(retc_movie_kinds[n]->name, name) == 0)
            return retc_movie_kinds[n];
        names[n] = retc_movie_kinds[n]->name;
    }
    const char *nearest = retc_nearest_name(name, names, n);
    if (nearest)
        RETC_FAIL(RETC_EUSAGE, "there is no stimulus \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        RETC_FAIL(RETC_EUSAGE, "there is no stimulus \"%s\" (retcodec stimulus --help lists them)", name);
    return NULL;
}

int
retc_movie_request_init(retc_movie_request *request, const retc_movie_kind *kind) {
    int status = RETC_OK;
    *request = (retc_movie_request){.kind = kind};
    retc_screen *s = &request->screen;
    retc_screen_default(s);
    RETC_TRY((request->options = retc_calloc(1, kind->size)) ? RETC_OK : RETC_ENOMEM);
    kind->defaults(request->options, s);
    const retc_option first = {
        "kind", 0,          RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &request->name, 0,
        0,      kind->name, "kind of stimulus"};
    const retc_option screen[] = {
        {"frames", 0, RETC_OPTION_SIZE, 0, &s->frames, 0, 1e9, "frames", "length of the movie; 0: --duration at --frame-rate"},
        {"duration", 0, RETC_OPTION_DOUBLE, 0, &s->duration, 0, 1e7, "s",
         "length of the movie when --frames is 0; 0: a protocol runs once from its start to its end"},
        {"frame-rate", 0, RETC_OPTION_DOUBLE, 0, &s->frame_rate, 1e-3, 1e5, "Hz", "frames per second"},
        {"height", 0, RETC_OPTION_SIZE, 0, &s->height, 1, 8192, "pixels", "rows of a frame"},
        {"width", 0, RETC_OPTION_SIZE, 0, &s->width, 1, 8192, "pixels", "columns of a frame"},
        {"pixel-size", 0, RETC_OPTION_DOUBLE, 0, &s->pixel_size, 1e-3, 1e5, "um", "side of a pixel on the retina"},
    };
    request->table[0] = first;
    request->entries = 1 + kind->table(request->options, request->table + 1);
    if (!kind->from_files) {
        memcpy(request->table + request->entries, screen, sizeof screen);
        request->entries += sizeof screen / sizeof *screen;
    }

done:
    return status;
}

void
retc_movie_request_clear(retc_movie_request *request) {
    request->table[request->entries] = (retc_option)RETC_OPTIONS_END;
    retc_options_free(request->table);
    retc_free(request->options);
    *request = (retc_movie_request){0};
}

retc_movie *
retc_movie_request_make(const retc_movie_request *request) {
    return request->kind->make(request->options, &request->screen);
}

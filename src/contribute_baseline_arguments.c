#include "contribute_baseline_arguments.h"

#include <string.h>

static int
make_frame(size_t number, const retc_network *network, retc_recording *recording, retc_baseline *baseline) {
    int status = RETC_OK;
    size_t frames = retc_recording_frames(recording, RETC_TRAIN);
    float *frame = NULL;
    RETC_TRY(retc_stream_check(network, recording, 0));
    if (number >= frames)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "--baseline-frame %zu: the train part has frames 0 to %zu", number, frames - 1));
    RETC_TRY(RETC_ALLOC(frame, network->H * network->W));
    RETC_TRY(retc_recording_stimulus(recording, RETC_TRAIN, number, 1, frame));
    RETC_TRY(retc_baseline_init_frame(baseline, network, frame));
done:
    retc_free(frame);
    return status;
}

int
retc_baseline_arguments_make(const retc_baseline_arguments *arguments, const retc_recording_arguments *open,
                             const retc_network *network, retc_recording *recording, retc_part part, uint64_t seed,
                             retc_baseline *baseline) {
    const char *name = arguments->name;
    int is_movie = strcmp(name, "movie") == 0;
    if (is_movie && !arguments->movie)
        return RETC_FAIL(RETC_EUSAGE, "--baseline movie needs a file, --baseline-movie");
    if (!is_movie && arguments->movie)
        return RETC_FAIL(RETC_EUSAGE, "--baseline-movie goes with --baseline movie, not with %s", name);
    if (is_movie) {
        retc_recording_options options = retc_recording_arguments_options(open);
        options.cells = NULL;
        return retc_baseline_init_movie(baseline, network, recording, part, arguments->movie, &options);
    }
    if (strcmp(name, "mean") == 0)
        return retc_baseline_init_mean(baseline, network, recording);
    if (strcmp(name, "frame") == 0)
        return make_frame(arguments->frame, network, recording, baseline);
    if (strcmp(name, "blur") == 0)
        return retc_baseline_init_blur(baseline, network, arguments->blur);
    if (strcmp(name, "windows") == 0)
        return retc_baseline_init_windows(baseline, network, recording, arguments->windows, seed);
    *baseline = retc_baseline_grey();
    return RETC_OK;
}

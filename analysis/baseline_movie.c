/* Baselines that are movies: every sample starts from the window of the same frames of another movie. */
#include "baseline.h"
#include "stimulus_file.h"

struct retc_baseline_movie {
    retc_stimulus *stimulus;   /* one of the two, the other NULL */
    retc_recording *recording; /* its part that is explained in the other one */
    retc_part part;
};

void
retc_baseline_movie_close(retc_baseline_movie *movie) {
    if (!movie)
        return;
    retc_stimulus_close(movie->stimulus);
    retc_recording_close(movie->recording);
    retc_free(movie);
}

static int
read_frames(void *context, size_t t0, size_t n, float *frames) {
    retc_baseline_movie *movie = context;
    return movie->stimulus ? retc_stimulus_read(movie->stimulus, t0, n, frames)
                           : retc_recording_stimulus(movie->recording, movie->part, t0, n, frames);
}

retc_stream_source
retc_baseline_source(const retc_baseline *baseline) {
    return baseline->movie ? (retc_stream_source){read_frames, baseline->movie} : (retc_stream_source){NULL, NULL};
}

/* A recording has parts; all else is taken for a stimulus file, which says what it lacks. */
static int
open_movie(const char *path, retc_part part, const retc_recording_options *options, retc_baseline_movie *movie) {
    int status = RETC_OK;
    static const retc_recording_options as_it_is = {0};
    retc_h5 *file = retc_h5_open(path);
    RETC_TRY(RETC_GOT(file));
    movie->part = part;
    if (retc_h5_has(file, "/train") || retc_h5_has(file, "/test"))
        RETC_TRY(RETC_GOT(movie->recording = retc_recording_open_with(path, options ? options : &as_it_is)));
    else
        RETC_TRY(RETC_GOT(movie->stimulus = retc_stimulus_open(path)));
done:
    retc_h5_close(file);
    return status;
}

static retc_stimulus_layout
layout_of(const retc_baseline_movie *movie) {
    if (movie->stimulus)
        return *retc_stimulus_layout_of(movie->stimulus);
    return (retc_stimulus_layout){.frames = retc_recording_frames(movie->recording, movie->part),
                                  .height = retc_recording_height(movie->recording),
                                  .width = retc_recording_width(movie->recording)};
}

/* Does it fit, frame by frame?  What a recording drops of a stimulus that is a frame or two too long may be there. */
static int
check_movie(const char *path, const retc_stimulus_layout *layout, const retc_network *network, const retc_recording *recording,
            retc_part part) {
    const char *part_name = part == RETC_TEST ? "test" : "train";
    size_t frames = retc_recording_frames(recording, part);
    if (layout->height != network->H || layout->width != network->W)
        return RETC_FAIL(RETC_EINVAL, "%s: the baseline movie has %zux%zu pixels, the model was fitted to %zux%zu", path,
                         layout->height, layout->width, network->H, network->W);
    if (layout->frames != 1 && (layout->frames < frames || layout->frames > frames + retc_recording_dropped(recording, part)))
        return RETC_FAIL(RETC_EINVAL,
                         "%s: the baseline movie has %zu frames, the %s part of %s has %zu; samples start from the same "
                         "frames, or all from a movie of one frame",
                         path, layout->frames, part_name, retc_recording_path(recording), frames);
    return RETC_OK;
}

int
retc_baseline_init_movie(retc_baseline *baseline, const retc_network *network, const retc_recording *recording, retc_part part,
                         const char *path, const retc_recording_options *options) {
    int status = RETC_OK;
    float *frame = NULL;
    retc_baseline_movie *movie = retc_calloc(1, sizeof *movie);
    *baseline = (retc_baseline){0};
    RETC_TRY(RETC_GOT(movie));
    RETC_TRY(open_movie(path, part, options, movie));
    const retc_stimulus_layout layout = layout_of(movie);
    RETC_TRY(check_movie(path, &layout, network, recording, part));
    if (layout.frames == 1) {
        RETC_TRY(RETC_ALLOC(frame, network->H * network->W));
        RETC_TRY(read_frames(movie, 0, 1, frame));
        RETC_TRY(retc_baseline_init_frame(baseline, network, frame));
    } else {
        *baseline = (retc_baseline){.n = 1, .movie = movie};
        movie = NULL;
    }
done:
    retc_free(frame);
    retc_baseline_movie_close(movie);
    return status;
}

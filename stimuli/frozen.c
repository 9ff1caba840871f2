#include "frozen.h"

#include <math.h>
#include <string.h>

#include "movie_input.h"
#include "trials.h"

/* Two frame intervals are the same when they agree this well. */
#define SAME_INTERVAL 1e-6

typedef struct {
    retc_frozen_options options;
    retc_stimulus *running, *frozen;
} frozen_movie;

static int
check_pair(const frozen_movie *pair) {
    const retc_stimulus_layout *running = retc_stimulus_layout_of(pair->running),
                               *frozen = retc_stimulus_layout_of(pair->frozen);
    if (frozen->height != running->height || frozen->width != running->width)
        return RETC_FAIL(RETC_EFORMAT, "%s: frames have %zu x %zu pixels, expected %zu x %zu as in %s",
                         retc_stimulus_path(pair->frozen), frozen->height, frozen->width, running->height, running->width,
                         retc_stimulus_path(pair->running));
    if (fabs(frozen->frame_interval - running->frame_interval) > SAME_INTERVAL * running->frame_interval)
        return RETC_FAIL(RETC_EFORMAT, "%s: the frame interval is %g ms, expected %g ms as in %s",
                         retc_stimulus_path(pair->frozen), 1000 * frozen->frame_interval, 1000 * running->frame_interval,
                         retc_stimulus_path(pair->running));
    return RETC_OK;
}

/* `frames` frames from the first on must be there, in one stretch of continuous time. */
static int
check_length(const retc_stimulus *stimulus, size_t frames, const char *what) {
    size_t there = retc_stimulus_layout_of(stimulus)->frames, blocks;
    const size_t *start = retc_stimulus_blocks(stimulus, &blocks);
    if (frames > there)
        return RETC_FAIL(RETC_EINVAL, "%s: has %zu frames, %s needs %zu", retc_stimulus_path(stimulus), there, what, frames);
    if (blocks > 1 && start[1] < frames)
        return RETC_FAIL(RETC_EFORMAT, "%s: continuous time ends at frame %zu, %s needs %zu frames of it",
                         retc_stimulus_path(stimulus), start[1], what, frames);
    return RETC_OK;
}

static int
frozen_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    const frozen_movie *pair = context;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(pair->running);
    size_t R = pair->options.running, trial = R + pair->options.frozen, pixels = layout->height * layout->width;
    for (size_t t = t0, run; t < t0 + n; t += run) {
        size_t inside = t % trial, left = inside < R ? R - inside : trial - inside;
        run = left < t0 + n - t ? left : t0 + n - t;
        if (inside < R)
            RETC_TRY(retc_stimulus_read(pair->running, t / trial * R + inside, run, out + (t - t0) * pixels));
        else
            RETC_TRY(retc_stimulus_read(pair->frozen, inside - R, run, out + (t - t0) * pixels));
    }

done:
    return status;
}

static int
frozen_annotate(void *context, retc_h5 *file) {
    int status = RETC_OK;
    const frozen_movie *pair = context;
    size_t R = pair->options.running, F = pair->options.frozen;
    double interval = retc_stimulus_layout_of(pair->running)->frame_interval;
    retc_trials trials = {0};
    RETC_TRY(retc_trials_alloc(&trials, 2, 1, 2 * pair->options.trials));
    strcpy(trials.parameter[0].name, "frozen");
    trials.parameter[0].value[1] = 1;
    for (size_t k = 0; k < trials.trials; ++k) {
        size_t start = k / 2 * (R + F) + k % 2 * R, frames = k % 2 ? F : R;
        trials.trial[k] = (retc_trial){.condition = k % 2,
                                       .start = start,
                                       .frames = frames,
                                       .onset = (double)start * interval,
                                       .duration = (double)frames * interval};
    }
    RETC_TRY(retc_trials_write(file, "", &trials));
    RETC_TRY(retc_h5_set_int(file, "/", "running_frames", (int64_t)R));
    RETC_TRY(retc_h5_set_int(file, "/", "frozen_frames", (int64_t)F));

done:
    retc_trials_free(&trials);
    return status;
}

static void
frozen_free(void *context) {
    frozen_movie *pair = context;
    if (!pair)
        return;
    retc_stimulus_close(pair->running);
    retc_stimulus_close(pair->frozen);
    retc_free(pair);
}

/* Open both files, and settle on the number of trials. */
static int
open_pair(frozen_movie *pair) {
    int status = RETC_OK;
    retc_frozen_options *o = &pair->options;
    if (o->running == 0 || o->frozen == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "trials of %zu running and %zu frozen frames have no meaning", o->running, o->frozen));
    RETC_TRY(RETC_GOT(pair->running = retc_stimulus_open(o->running_movie)));
    RETC_TRY(RETC_GOT(pair->frozen = retc_stimulus_open(o->frozen_movie)));
    RETC_TRY(check_pair(pair));
    if (o->trials == 0)
        o->trials = retc_stimulus_layout_of(pair->running)->frames / o->running;
    if (o->trials > SIZE_MAX / 16 / (o->running + o->frozen))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%zu trials of %zu frames are too many", o->trials, o->running + o->frozen));
    RETC_TRY(check_length(pair->running, (o->trials ? o->trials : 1) * o->running, "the running part"));
    RETC_TRY(check_length(pair->frozen, o->frozen, "the frozen part"));

done:
    return status;
}

retc_movie *
retc_frozen_movie(const retc_frozen_options *options) {
    int status = RETC_OK;
    frozen_movie *pair = NULL;
    retc_movie *movie = NULL;
    RETC_TRY(RETC_ALLOC(pair, 1));
    pair->options = *options;
    RETC_TRY(open_pair(pair));
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(pair->running);
    RETC_TRY(RETC_GOT(movie = retc_movie_alloc_from("frozen", pair->running, layout->height, layout->width)));
    movie->layout.frames = pair->options.trials * (options->running + options->frozen);
    if (retc_stimulus_layout_of(pair->frozen)->type == RETC_H5_FLOAT)
        movie->layout.type = RETC_H5_FLOAT;
    movie->any_order = 1;
    movie->frames = frozen_frames;
    movie->annotate = frozen_annotate;
    movie->free = frozen_free;
    movie->context = pair;
    return movie;

done:
    frozen_free(pair);
    return NULL;
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

static void
frozen_defaults(void *options, retc_screen *screen) {
    retc_frozen_options *o = options;
    (void)screen;
    *o = (retc_frozen_options){.running = 1800, .frozen = 600};
}

static size_t
frozen_table(void *options, retc_option *entries) {
    retc_frozen_options *o = options;
    const retc_option table[] = {
        {"running-movie", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o->running_movie, 0, 0, NULL,
         "stimulus file whose frames are shown one after the other, some in every trial"},
        {"frozen-movie", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o->frozen_movie, 0, 0, NULL,
         "stimulus file whose first frames end every trial"},
        {"running", 0, RETC_OPTION_SIZE, 0, &o->running, 1, 1e9, "frames", "fresh frames of a trial"},
        {"frozen", 0, RETC_OPTION_SIZE, 0, &o->frozen, 1, 1e9, "frames", "repeated frames of a trial"},
        {"trials", 0, RETC_OPTION_SIZE, 0, &o->trials, 0, 1e9, NULL,
         "number of trials; 0: as many as the running movie has frames for"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static retc_movie *
frozen_make(const void *options, const retc_screen *screen) {
    (void)screen;
    return retc_frozen_movie(options);
}

const retc_movie_kind retc_frozen_kind = {
    .name = "frozen",
    .usage =
        {"stimulus", "trials of a running movie, each ending with the same frozen one",
         "Joins two stimulus files: every trial shows the next frames of the running movie, to fit a model to, and then the "
         "first frames of the frozen movie, the same in every trial, to see what repeats.  The file tells where trials "
         "begin; \"retcodec import text --running R --frozen F\" takes what was recorded with it apart.",
         "retcodec stimulus frozen running.h5 frozen.h5 --running 1800 --frozen 600 -o trials.h5"},
    .from_files = 1,
    .size = sizeof(retc_frozen_options),
    .defaults = frozen_defaults,
    .table = frozen_table,
    .make = frozen_make,
};

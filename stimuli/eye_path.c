#include "eye_path.h"

#include <math.h>
#include <string.h>

#include "rng.h"

enum { STREAM_DRIFT = 1, STREAM_SACCADES, STREAM_MICROSACCADES, STREAM_IMAGES, STREAMS };

/* A movement from a place to another one. */
typedef struct {
    double start, duration; /* s */
    double from_anchor[2], from_offset[2], to_anchor[2], to_offset[2];
} movement;

typedef struct {
    const retc_eye_options *options;
    gsl_rng *rng[STREAMS];
    double interval; /* of frames, s */
    double drift[2]; /* pixels from the point of fixation */
    movement move;
    double next_saccade, next_microsaccade; /* s */
    size_t images_shown, images, *order;    /* order: of this round */
    retc_eye_path *path;
} walker;

static int
check_options(const retc_eye_options *o, double frame_interval) {
    double shortest = fmax(o->saccade_minimum, frame_interval);
    if (!(o->drift >= 0) || !isfinite(o->drift))
        return RETC_FAIL(RETC_EINVAL, "a drift of %g pixels per square root of a second has no meaning", o->drift);
    if (!(o->drift_time >= 0) || !isfinite(o->drift_time))
        return RETC_FAIL(RETC_EINVAL, "a drift that relaxes in %g s has no meaning", o->drift_time);
    if (!(o->saccade_interval >= 0 && o->saccade_minimum >= 0) || !isfinite(o->saccade_interval))
        return RETC_FAIL(RETC_EINVAL, "saccades every %g s, %g s apart at least, have no meaning", o->saccade_interval,
                         o->saccade_minimum);
    if (o->saccade_interval > 0 && o->saccade_interval < shortest)
        return RETC_FAIL(RETC_EINVAL, "saccades every %g s in the mean cannot be %g s apart at least", o->saccade_interval,
                         shortest);
    if (!(o->saccade_spread > 0.01 && o->saccade_spread < 100))
        return RETC_FAIL(RETC_EINVAL, "a spread of %g of the times between saccades has no meaning", o->saccade_spread);
    if (!(o->saccade_amplitude >= 0 && o->saccade_duration >= 0 && o->microsaccade_amplitude >= 0 &&
          o->microsaccade_duration >= 0 && o->image_interval >= 0))
        return RETC_FAIL(RETC_EINVAL, "sizes and durations of eye movements cannot be negative");
    if (!(o->microsaccade_rate >= 0 && o->microsaccade_rate * frame_interval <= 1))
        return RETC_FAIL(RETC_EINVAL, "%g micro-saccades per second are not between none and one per frame",
                         o->microsaccade_rate);
    if (o->image_interval > 0 && o->image_interval < frame_interval)
        return RETC_FAIL(RETC_EINVAL, "an image cannot be shown for %g s, less than a frame", o->image_interval);
    return RETC_OK;
}

/* Mean M - m, standard deviation `saccade_spread` times that, above the minimum m. */
static double
time_to_saccade(const walker *w) {
    const retc_eye_options *o = w->options;
    double mean = o->saccade_interval - o->saccade_minimum, spread = o->saccade_spread;
    if (!(mean > 0))
        return o->saccade_minimum;
    if (o->log_normal) {
        double sigma2 = log(1 + spread * spread);
        return o->saccade_minimum + gsl_ran_lognormal(w->rng[STREAM_SACCADES], log(mean) - sigma2 / 2, sqrt(sigma2));
    }
    return o->saccade_minimum + gsl_ran_gamma(w->rng[STREAM_SACCADES], 1 / (spread * spread), mean * spread * spread);
}

static double
time_to_microsaccade(const walker *w) {
    double rate = w->options->microsaccade_rate;
    return rate > 0 ? gsl_ran_exponential(w->rng[STREAM_MICROSACCADES], 1 / rate) : (double)INFINITY;
}

/* The point of fixation at `time`, drift apart. */
static void
fixation(const movement *move, double time, double anchor[2], double offset[2]) {
    double u = move->duration > 0 ? fmin((time - move->start) / move->duration, 1) : 1;
    double done = u < 1 ? u * u * u * (10 - 15 * u + 6 * u * u) : 1;
    for (int d = 0; d < 2; ++d) {
        anchor[d] = move->from_anchor[d] + done * (move->to_anchor[d] - move->from_anchor[d]);
        offset[d] = move->from_offset[d] + done * (move->to_offset[d] - move->from_offset[d]);
    }
}

/* Start to move from here; the caller sets where to.  What the drift has gathered is part of where it starts. */
static void
start_move(walker *w, double time, double duration, int keep_drift) {
    movement from = w->move;
    fixation(&from, time, w->move.from_anchor, w->move.from_offset);
    for (int d = 0; d < 2; ++d) {
        if (!keep_drift) {
            w->move.from_offset[d] += w->drift[d];
            w->drift[d] = 0;
        }
        w->move.to_anchor[d] = w->move.from_anchor[d];
        w->move.to_offset[d] = w->move.from_offset[d];
    }
    w->move.start = time;
    w->move.duration = duration;
}

/* To anywhere in the scene. */
static void
aim_anywhere(walker *w, gsl_rng *rng) {
    for (int d = 0; d < 2; ++d) {
        w->move.to_anchor[d] = gsl_rng_uniform(rng);
        w->move.to_offset[d] = 0;
    }
}

static void
next_image(walker *w) {
    gsl_rng *rng = w->rng[STREAM_IMAGES];
    if (w->images_shown % w->images == 0)
        retc_rng_shuffle(rng, w->order, w->images);
    w->images_shown += 1;
}

static void
show_image(walker *w, double time) {
    next_image(w);
    start_move(w, time, 0, 0);
    aim_anywhere(w, w->rng[STREAM_IMAGES]);
}

static int
note_time(double **times, size_t *n, double time) {
    int status = RETC_OK;
    double *larger = NULL;
    if ((*n & (*n - 1)) == 0) { /* full: room grows by doubling */
        RETC_TRY(RETC_ALLOC(larger, 2 * *n + 1));
        if (*n > 0)
            memcpy(larger, *times, *n * sizeof *larger);
        retc_free(*times);
        *times = larger;
    }
    (*times)[(*n)++] = time;

done:
    return status;
}

static int
saccade(walker *w, double time) {
    const retc_eye_options *o = w->options;
    gsl_rng *rng = w->rng[STREAM_SACCADES];
    int to_image = w->images > 1 && !(o->image_interval > 0);
    start_move(w, time, to_image ? 0 : o->saccade_duration, 0);
    if (to_image)
        next_image(w);
    if (o->saccade_amplitude > 0 && !to_image) {
        double y, x, length = gsl_ran_exponential(rng, o->saccade_amplitude);
        gsl_ran_dir_2d(rng, &y, &x);
        w->move.to_offset[0] += length * y;
        w->move.to_offset[1] += length * x;
    } else {
        aim_anywhere(w, rng);
    }
    w->next_saccade += time_to_saccade(w);
    return note_time(&w->path->saccade_time, &w->path->saccades, time);
}

/* A Rayleigh distribution of mean M has components of standard deviation M sqrt(2 / pi).  None starts while the eye moves. */
static int
microsaccade(walker *w, double time) {
    double component = w->options->microsaccade_amplitude * sqrt(2 / M_PI);
    w->next_microsaccade += time_to_microsaccade(w);
    if (time < w->move.start + w->move.duration)
        return RETC_OK;
    start_move(w, time, w->options->microsaccade_duration, 1);
    for (int d = 0; d < 2; ++d)
        w->move.to_offset[d] += gsl_ran_gaussian_ziggurat(w->rng[STREAM_MICROSACCADES], component);
    return note_time(&w->path->microsaccade_time, &w->path->microsaccades, time);
}

/* All that happens up to `time`, in order. */
static int
pass_events(walker *w, double time) {
    int status = RETC_OK;
    for (;;) {
        double image = w->options->image_interval > 0 ? (double)w->images_shown * w->options->image_interval : (double)INFINITY;
        double first = fmin(image, fmin(w->next_saccade, w->next_microsaccade));
        if (first > time)
            return RETC_OK;
        if (first >= image)
            show_image(w, first);
        else if (first >= w->next_saccade)
            RETC_TRY(saccade(w, first));
        else
            RETC_TRY(microsaccade(w, first));
    }

done:
    return status;
}

/* One frame of drift, exact for any frame interval. */
static void
drift(walker *w) {
    double T = w->options->drift_time, s = w->options->drift, keep = T > 0 ? exp(-w->interval / T) : 1;
    double step = T > 0 ? s * sqrt(T / 2 * (1 - keep * keep)) : s * sqrt(w->interval);
    for (int d = 0; d < 2; ++d)
        w->drift[d] = w->drift[d] * keep + gsl_ran_gaussian_ziggurat(w->rng[STREAM_DRIFT], step);
}

static int
start_walker(walker *w, uint64_t seed) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(w->order, w->images));
    for (size_t i = 0; i < w->images; ++i)
        w->order[i] = i;
    for (uint64_t stream = 1; stream < STREAMS; ++stream)
        RETC_TRY(RETC_GOT(w->rng[stream] = retc_rng_alloc(seed, RETC_STREAM_STIMULUS, stream)));
    show_image(w, 0);
    w->next_saccade = w->options->saccade_interval > 0 ? time_to_saccade(w) : (double)INFINITY;
    w->next_microsaccade = time_to_microsaccade(w);

done:
    return status;
}

int
retc_eye_path_make(const retc_eye_options *options, size_t images, size_t frames, double frame_interval, uint64_t seed,
                   retc_eye_path *path) {
    int status = RETC_OK;
    walker w = {.options = options, .interval = frame_interval, .images = images, .path = path};
    *path = (retc_eye_path){0};
    RETC_TRY(check_options(options, frame_interval));
    RETC_TRY(RETC_ALLOC(path->place, frames));
    RETC_TRY(start_walker(&w, seed));
    for (size_t t = 0; t < frames; ++t) {
        retc_eye_place *place = &path->place[t];
        double time = (double)t * frame_interval;
        /* What is due after a whole number of frames must not be missed by the rounding of its time. */
        RETC_TRY(pass_events(&w, time + 1e-6 * frame_interval));
        fixation(&w.move, time, place->anchor, place->offset);
        for (int d = 0; d < 2; ++d)
            place->offset[d] += w.drift[d];
        place->image = w.order[(w.images_shown - 1) % images];
        drift(&w);
    }

done:
    for (size_t stream = 1; stream < STREAMS; ++stream)
        gsl_rng_free(w.rng[stream]);
    retc_free(w.order);
    if (status < 0)
        retc_eye_path_clear(path);
    return status;
}

void
retc_eye_path_clear(retc_eye_path *path) {
    retc_free(path->place);
    retc_free(path->saccade_time);
    retc_free(path->microsaccade_time);
    *path = (retc_eye_path){0};
}

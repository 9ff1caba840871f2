#include "protocol.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "rng.h"

#define MOST_CONDITIONS ((size_t)4096)
#define MOST_FRAMES 1e9

typedef struct {
    retc_protocol_plan plan; /* its options are the copy below */
    void *options;
    retc_screen screen;
    retc_trials trials;
    size_t shown;     /* conditions that are not left out */
    double *value;    /* (C,P): parameters of each condition */
    double *duration; /* (C) s */
} protocol;

/* ---- options --------------------------------------------------------------------------------------------------------- */

void
retc_protocol_default(retc_protocol_options *options, retc_screen *screen) {
    *options = (retc_protocol_options){.repeats = 5, .order = "sequential", .interval = 1, .before = 1, .levels = "exact"};
    screen->duration = 0;
}

size_t
retc_protocol_table(retc_protocol_options *options, retc_option *entries, size_t n) {
    const retc_option table[] = {
        {"repeats", 0, RETC_OPTION_SIZE, 0, &options->repeats, 1, 1e6, NULL,
         "trials of every condition; a movie of a given length holds as many as fit"},
        {"order", 0, RETC_OPTION_CHOICE, 0, &options->order, 0, 0, "sequential|shuffled",
         "of conditions; shuffled anew in every round"},
        {"interval", 0, RETC_OPTION_DOUBLE, 0, &options->interval, 0, 1e5, "s", "mean grey after every trial"},
        {"before", 0, RETC_OPTION_DOUBLE, 0, &options->before, 0, 1e5, "s", "mean grey before the first trial"},
        {"levels", 0, RETC_OPTION_CHOICE, 0, &options->levels, 0, 0, "exact|byte",
         "stored as 4-byte floating point numbers, or rounded to bytes, where mean grey is 128"},
    };
    memcpy(entries + n, table, sizeof table);
    return n + sizeof table / sizeof *table;
}

/* ---- pictures -------------------------------------------------------------------------------------------------------- */

retc_direction
retc_direction_make(const retc_screen *screen, double degrees) {
    double turns = degrees / 90 - 4 * floor(degrees / 360), radians = degrees * M_PI / 180;
    retc_direction d = {.cosine = cos(radians), .sine = sin(radians)};
    if (turns == floor(turns)) {
        static const double exact[5] = {1, 0, -1, 0, 1};
        d.cosine = exact[(int)turns % 4];
        d.sine = -exact[((int)turns + 1) % 4];
    }
    d.side[0] = fabs(d.cosine) * screen->pixel_size;
    d.side[1] = fabs(d.sine) * screen->pixel_size;
    d.extent = d.side[0] * (double)screen->width + d.side[1] * (double)screen->height;
    return d;
}

double
retc_time_share(double start, double end, double from, double to) {
    return fmax(0, fmin(end, to) - fmax(start, from)) / (end - start);
}

void
retc_fill_contrast(const retc_screen *screen, double value, float *contrast) {
    for (size_t i = 0; i < screen->height * screen->width; ++i)
        contrast[i] = (float)value;
}

/* Pixels of one side of the screen that a disc around `middle` may reach: first and one behind the last. */
static void
within(double side, double pixels, double middle, double diameter, size_t *range) {
    double at = middle / side + pixels / 2, reach = diameter / side / 2 + 1;
    range[0] = (size_t)fmin(fmax(floor(at - reach), 0), pixels);
    range[1] = (size_t)fmin(fmax(ceil(at + reach), 0), pixels);
}

void
retc_add_disc(const retc_screen *screen, double x, double y, double diameter, double value, float *contrast) {
    double side = screen->pixel_size;
    size_t rows[2] = {0, screen->height}, columns[2] = {0, screen->width};
    if (diameter > 0) {
        within(side, (double)screen->height, -y, diameter, rows);
        within(side, (double)screen->width, x, diameter, columns);
    }
    for (size_t row = rows[0]; row < rows[1]; ++row)
        for (size_t column = columns[0]; column < columns[1]; ++column) {
            double dy = (retc_pixel_y(screen, row) - y) / side, dx = (retc_pixel_x(screen, column) - x) / side;
            double share = diameter > 0 ? retc_disc_coverage(diameter / side / 2, dy, dx) : 1;
            contrast[row * screen->width + column] += (float)(value * share);
        }
}

/* ---- conditions and trials ------------------------------------------------------------------------------------------- */

static size_t
count_parameters(const retc_protocol_plan *plan) {
    size_t n = 0;
    while (n < RETC_PROTOCOL_PARAMETERS && plan->parameter[n].name)
        ++n;
    return n;
}

/* All crossings of the lists, less those that are left out. */
static int
make_conditions(protocol *p, size_t P) {
    int status = RETC_OK;
    const retc_protocol_plan *plan = &p->plan;
    size_t all = 1;
    for (size_t i = 0; i < P; ++i) {
        all *= plan->parameter[i].values ? plan->parameter[i].values->n : 1;
        if (all == 0 || all > MOST_CONDITIONS)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: there must be 1 to %zu conditions", plan->kind, MOST_CONDITIONS));
    }
    RETC_TRY(RETC_ALLOC(p->value, all * P));
    RETC_TRY(RETC_ALLOC(p->duration, all));
    for (size_t c = 0; c < all; ++c) {
        double *value = p->value + p->shown * P;
        for (size_t i = P, rest = c; i-- > 0;) {
            const retc_numbers *list = plan->parameter[i].values;
            value[i] = list ? list->value[rest % list->n] : 0;
            rest /= list ? list->n : 1;
        }
        RETC_TRY(plan->complete(p->options, &p->screen, value, &p->duration[p->shown]));
        if (status == RETC_OK && !(p->duration[p->shown] > 0 && p->duration[p->shown] * p->screen.frame_rate < MOST_FRAMES))
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: a trial of %g s has no meaning", plan->kind, p->duration[p->shown]));
        p->shown += status == RETC_OK;
    }
    status = RETC_OK;
    if (p->shown == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: there is no condition to show", plan->kind));

done:
    return status;
}

static size_t
whole_frames(const retc_screen *screen, double seconds) {
    return (size_t)round(seconds * screen->frame_rate);
}

/* Frames of a condition: a frame that it fills only in part counts, unless that is rounding. */
static size_t
condition_frames(const protocol *p, size_t condition) {
    return (size_t)fmax(1, ceil(p->duration[condition] * p->screen.frame_rate - 1e-6));
}

/* Lay out the trials in `frames` frames (0: as long as it takes); `trial` NULL counts only.  Number of trials, and the frames
 * that they take with the grey between them. */
static int
lay_out(const protocol *p, size_t frames, retc_trial *trial, size_t *count, size_t *length) {
    int status = RETC_OK;
    const retc_protocol_options *o = p->options;
    size_t order[MOST_CONDITIONS], n = 0, at = whole_frames(&p->screen, o->before);
    size_t interval = whole_frames(&p->screen, o->interval);
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(p->screen.seed, RETC_STREAM_SHUFFLE, 0)));
    for (size_t round = 0, full = 0; !full && (frames > 0 || round < o->repeats); ++round) {
        for (size_t i = 0; i < p->shown; ++i)
            order[i] = i;
        retc_rng_seed(rng, p->screen.seed, RETC_STREAM_SHUFFLE, round);
        if (strcmp(o->order, "shuffled") == 0)
            retc_rng_shuffle(rng, order, p->shown);
        for (size_t i = 0; i < p->shown && !full; ++i) {
            size_t takes = condition_frames(p, order[i]);
            full = frames > 0 && (at > frames || takes > frames - at);
            if (full)
                break;
            if (trial)
                trial[n] = (retc_trial){order[i], at, takes, (double)at / p->screen.frame_rate, p->duration[order[i]]};
            n += 1;
            at += takes + interval;
            if ((double)at > MOST_FRAMES)
                RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: more than %g frames; ask for fewer repeats or conditions", p->plan.kind,
                                   MOST_FRAMES));
        }
    }
    *count = n;
    *length = at;

done:
    gsl_rng_free(rng);
    return status;
}

static int
make_trials(protocol *p, size_t P, size_t *frames) {
    int status = RETC_OK;
    size_t count = 0, length = 0;
    *frames = p->screen.frames || p->screen.duration > 0 ? retc_screen_frames(&p->screen, 0) : 0;
    RETC_TRY(lay_out(p, *frames, NULL, &count, &length));
    if (count == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: %zu frames hold no trial, the first ends at frame %zu", p->plan.kind, *frames,
                           length + condition_frames(p, 0)));
    RETC_TRY(retc_trials_alloc(&p->trials, p->shown, P, count));
    RETC_TRY(lay_out(p, *frames, p->trials.trial, &count, &length));
    snprintf(p->trials.protocol, sizeof p->trials.protocol, "%s", p->plan.kind);
    *frames = *frames ? *frames : length;
    for (size_t i = 0; i < P; ++i) {
        retc_parameter *parameter = &p->trials.parameter[i];
        const char *unit = p->plan.parameter[i].unit;
        snprintf(parameter->name, sizeof parameter->name, "%s", p->plan.parameter[i].name);
        snprintf(parameter->unit, sizeof parameter->unit, "%s", unit ? unit : "");
        for (size_t c = 0; c < p->shown; ++c)
            parameter->value[c] = p->value[c * P + i];
    }

done:
    return status;
}

/* ---- frames ---------------------------------------------------------------------------------------------------------- */

/* The last trial that starts at or before a frame; the number of trials when none does. */
static size_t
trial_at(const retc_trials *trials, size_t frame) {
    size_t low = 0, high = trials->trials;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (trials->trial[middle].start <= frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : trials->trials;
}

typedef struct {
    const protocol *p;
    size_t t0;
    float *out;
} slab_of_frames;

static int
fill_frame(void *context, size_t i) {
    int status = RETC_OK;
    const slab_of_frames *slab = context;
    const protocol *p = slab->p;
    size_t pixels = p->screen.height * p->screen.width, frame = slab->t0 + i, k = trial_at(&p->trials, frame);
    float *out = slab->out + i * pixels;
    memset(out, 0, pixels * sizeof *out);
    if (k < p->trials.trials && frame - p->trials.trial[k].start < p->trials.trial[k].frames) {
        const retc_trial *trial = &p->trials.trial[k];
        size_t within = frame - trial->start;
        retc_moment moment = {.value = p->value + trial->condition * p->trials.parameters, .trial = k, .screen = &p->screen};
        moment.round = k / p->shown;
        moment.start = (double)within / p->screen.frame_rate;
        moment.end = (double)(within + 1) / p->screen.frame_rate;
        moment.duration = trial->duration;
        RETC_TRY(p->plan.picture(p->options, &moment, out));
    }
    for (size_t pixel = 0; pixel < pixels; ++pixel)
        out[pixel] = (float)(RETC_MEAN_GREY * (1 + (double)out[pixel]));

done:
    return status;
}

static int
protocol_frames(void *context, size_t t0, size_t n, float *out) {
    const protocol *p = context;
    slab_of_frames slab = {.p = p, .t0 = t0, .out = out};
    return retc_parallel_for(n, p->screen.threads, fill_frame, &slab);
}

static int
protocol_annotate(void *context, retc_h5 *file) {
    const protocol *p = context;
    return retc_trials_write(file, "", &p->trials);
}

static void
protocol_free(void *context) {
    protocol *p = context;
    if (!p)
        return;
    retc_trials_free(&p->trials);
    retc_free(p->value);
    retc_free(p->duration);
    retc_free(p->options);
    retc_free(p);
}

retc_movie *
retc_protocol_movie(const retc_protocol_plan *plan, const retc_screen *screen) {
    int status = RETC_OK;
    protocol *p = NULL;
    retc_movie *movie = NULL;
    size_t P = count_parameters(plan), frames = 0;
    const retc_protocol_options *o = plan->options;
    RETC_TRY(RETC_ALLOC(p, 1));
    p->plan = *plan;
    p->screen = *screen;
    RETC_TRY(RETC_GOT(p->options = retc_calloc(1, plan->size)));
    memcpy(p->options, plan->options, plan->size);
    RETC_TRY(make_conditions(p, P));
    RETC_TRY(make_trials(p, P, &frames));
    movie = retc_movie_alloc(plan->kind, screen, frames, strcmp(o->levels, "byte") == 0 ? RETC_H5_UINT8 : RETC_H5_FLOAT);
    RETC_TRY(RETC_GOT(movie));
    movie->any_order = 1;
    movie->frames = protocol_frames;
    movie->annotate = protocol_annotate;
    movie->free = protocol_free;
    movie->context = p;

done:
    if (status < 0)
        protocol_free(p);
    return status < 0 ? NULL : movie;
}

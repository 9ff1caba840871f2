#include "events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "movie_input.h"

/* Events in a chunk of the file, and in a slab that is written at once. */
#define CHUNK_EVENTS ((size_t)1 << 15)

typedef struct {
    double time; /* s */
    uint32_t pixel;
    int polarity;
} event;

typedef struct {
    retc_events_options options;
    retc_stimulus *input;
    size_t next, block; /* the frame that comes next, and its stretch of continuous time */
    double *before;     /* (H,W) v in the frame before */
    double *last;       /* (H,W) v at the last event */
    size_t count;       /* events so far */
    size_t n, room;     /* events of a frame that are kept for the list */
    event *kept;        /* (room), NULL: none are kept */
} event_camera;

/* ---- one frame after the other --------------------------------------------------------------------------------------- */

static void
rewind_camera(event_camera *camera) {
    camera->next = camera->block = camera->count = camera->n = 0;
}

/* Room for `more` events. */
static int
make_room(event_camera *camera, size_t more) {
    int status = RETC_OK;
    event *longer = NULL;
    if (camera->n + more <= camera->room)
        return RETC_OK;
    size_t room = 2 * (camera->n + more);
    RETC_TRY(RETC_ALLOC(longer, room));
    memcpy(longer, camera->kept, camera->n * sizeof *longer);
    retc_free(camera->kept);
    camera->kept = longer;
    camera->room = room;

done:
    return status;
}

/* Events of a pixel whose v goes from `before` to `v` in frame t. */
static int
cross(event_camera *camera, uint32_t pixel, double v, int *polarity) {
    int status = RETC_OK;
    double before = camera->before[pixel], *last = &camera->last[pixel], threshold = camera->options.threshold;
    const double *time = retc_stimulus_time(camera->input) + camera->next;
    size_t n = (size_t)floor(fabs(v - *last) / threshold);
    *polarity = n == 0 ? 0 : v > *last ? 1 : -1;
    if (n == 0)
        return RETC_OK;
    if (camera->kept)
        RETC_TRY(make_room(camera, n));
    for (size_t k = 1; camera->kept && k <= n; ++k) {
        /* The last event left v within a threshold, so that it is crossed between the two frames; rounding must not say else.
         */
        double part = (*last + *polarity * threshold * (double)k - before) / (v - before);
        camera->kept[camera->n++] = (event){time[-1] + fmin(fmax(part, 0), 1) * (time[0] - time[-1]), pixel, *polarity};
    }
    *last += *polarity * threshold * (double)n;
    camera->count += n;

done:
    return status;
}

/* The next frame, levels (H,W), becomes -1, 0 or 1 in place. */
static int
see_frame(event_camera *camera, float *frame) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(camera->input);
    size_t blocks;
    const size_t *start = retc_stimulus_blocks(camera->input, &blocks);
    int is_first = camera->block < blocks && start[camera->block] == camera->next;
    camera->block += is_first ? 1 : 0;
    for (size_t i = 0; i < layout->height * layout->width; ++i) {
        double v = log(fmax((double)frame[i], 0) + camera->options.dark);
        int polarity = 0;
        if (is_first)
            camera->last[i] = v;
        else
            RETC_TRY(cross(camera, (uint32_t)i, v, &polarity));
        camera->before[i] = v;
        frame[i] = (float)polarity;
    }
    camera->next += 1;

done:
    return status;
}

static int
camera_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    event_camera *camera = context;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(camera->input);
    size_t pixels = layout->height * layout->width;
    if (t0 == 0)
        rewind_camera(camera);
    if (t0 != camera->next)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "events of frame %zu are asked for, frame %zu comes next", t0, camera->next));
    RETC_TRY(retc_stimulus_read(camera->input, t0, n, out));
    for (size_t t = 0; t < n; ++t)
        RETC_TRY(see_frame(camera, out + t * pixels));
    for (size_t i = 0; i < n * pixels; ++i)
        out[i] = (float)(RETC_MEAN_GREY * (1 + camera->options.contrast * (double)out[i]));

done:
    return status;
}

/* ---- the list of events ---------------------------------------------------------------------------------------------- */

static int
compare_events(const void *a, const void *b) {
    const event *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->pixel > y->pixel) - (x->pixel < y->pixel);
}

static const char *const columns[] = {"events/time", "events/row", "events/column", "events/polarity"};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int
make_list(retc_h5 *file, size_t n) {
    int status = RETC_OK;
    size_t chunk = n < CHUNK_EVENTS ? n : CHUNK_EVENTS;
    for (size_t c = 0; c < COLUMNS; ++c)
        RETC_TRY(retc_h5_make(file, columns[c], c == 0 ? RETC_H5_DOUBLE : RETC_H5_INT64, 1, &n, n > 0 ? &chunk : NULL));

done:
    return status;
}

/* Write the kept events from number `at` on, and forget them. */
static int
write_kept(event_camera *camera, retc_h5 *file, size_t at) {
    int status = RETC_OK;
    size_t n = camera->n, width = retc_stimulus_layout_of(camera->input)->width;
    double *time = NULL;
    int64_t *number = NULL; /* rows, columns, polarities */
    RETC_TRY(RETC_ALLOC(time, n + 1));
    RETC_TRY(RETC_ALLOC(number, 3 * n + 1));
    for (size_t k = 0; k < n; ++k) {
        const event *e = &camera->kept[k];
        time[k] = e->time;
        number[k] = (int64_t)(e->pixel / width);
        number[n + k] = (int64_t)(e->pixel % width);
        number[2 * n + k] = e->polarity;
    }
    for (size_t c = 0; n > 0 && c < COLUMNS; ++c)
        RETC_TRY(retc_h5_write(file, columns[c], c == 0 ? RETC_H5_DOUBLE : RETC_H5_INT64, &at, &n,
                               c == 0 ? (const void *)time : (const void *)(number + (c - 1) * n)));
    camera->n = 0;

done:
    retc_free(time);
    retc_free(number);
    return status;
}

/* A pass over the movie; with `file`, the events are written, of which there are as many as the pass before counted. */
static int
pass(event_camera *camera, retc_h5 *file) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(camera->input);
    size_t pixels = layout->height * layout->width, slab = retc_stimulus_slab(layout->height, layout->width), written = 0;
    float *frames = NULL;
    RETC_TRY(RETC_ALLOC(frames, slab * pixels));
    rewind_camera(camera);
    for (size_t t0 = 0; t0 < layout->frames; t0 += slab) {
        size_t n = layout->frames - t0 < slab ? layout->frames - t0 : slab;
        RETC_TRY(retc_stimulus_read(camera->input, t0, n, frames));
        for (size_t t = 0; t < n; ++t) {
            size_t first = camera->n;
            RETC_TRY(see_frame(camera, frames + t * pixels));
            if (camera->kept)
                qsort(camera->kept + first, camera->n - first, sizeof *camera->kept, compare_events);
            if (camera->n < CHUNK_EVENTS && t0 + t + 1 < layout->frames)
                continue;
            if (file)
                RETC_TRY(write_kept(camera, file, written));
            written = camera->count;
        }
    }

done:
    retc_free(frames);
    return status;
}

static int
camera_annotate(void *context, retc_h5 *file) {
    int status = RETC_OK;
    event_camera *camera = context;
    if (camera->next != retc_stimulus_layout_of(camera->input)->frames)
        RETC_TRY(pass(camera, NULL));
    RETC_TRY(make_list(file, camera->count));
    RETC_TRY(RETC_ALLOC(camera->kept, CHUNK_EVENTS));
    camera->room = CHUNK_EVENTS;
    RETC_TRY(pass(camera, file));
    RETC_TRY(retc_movie_copy_clock(camera->input, file));

done:
    retc_free(camera->kept);
    camera->kept = NULL;
    camera->room = 0;
    return status;
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

static void
camera_free(void *context) {
    event_camera *camera = context;
    if (!camera)
        return;
    retc_stimulus_close(camera->input);
    retc_free(camera->before);
    retc_free(camera->last);
    retc_free(camera->kept);
    retc_free(camera);
}

retc_movie *
retc_events_movie(const retc_events_options *options) {
    int status = RETC_OK;
    event_camera *camera = NULL;
    retc_movie *movie = NULL;
    if (!(options->threshold >= 1e-3 && options->threshold <= 10))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a threshold of %g is not between 0.001 and 10", options->threshold));
    if (!(options->dark > 0) || !isfinite(options->dark) || !(options->contrast >= 0 && options->contrast <= 1))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a dark level of %g and a contrast of %g have no meaning", options->dark,
                           options->contrast));
    RETC_TRY(RETC_ALLOC(camera, 1));
    camera->options = *options;
    RETC_TRY(RETC_GOT(camera->input = retc_stimulus_open(options->movie)));
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(camera->input);
    RETC_TRY(RETC_ALLOC(camera->before, layout->height * layout->width));
    RETC_TRY(RETC_ALLOC(camera->last, layout->height * layout->width));
    RETC_TRY(RETC_GOT(movie = retc_movie_alloc_from("events", camera->input, layout->height, layout->width)));
    movie->layout.type = RETC_H5_FLOAT; /* no byte is mean grey */
    movie->frames = camera_frames;
    movie->annotate = camera_annotate;
    movie->free = camera_free;
    movie->context = camera;
    return movie;

done:
    camera_free(camera);
    return NULL;
}

static void
events_defaults(void *options, retc_screen *screen) {
    (void)screen;
    *(retc_events_options *)options = (retc_events_options){.threshold = 0.2, .dark = 1, .contrast = 1};
}

static size_t
events_table(void *options, retc_option *entries) {
    retc_events_options *o = options;
    const retc_option table[] = {
        {"movie", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o->movie, 0, 0, NULL, "stimulus file"},
        {"threshold", 0, RETC_OPTION_DOUBLE, 0, &o->threshold, 1e-3, 10, NULL,
         "change of the natural logarithm of the intensity that makes an event; 0.2 is a change by 22 %"},
        {"dark", 0, RETC_OPTION_DOUBLE, 0, &o->dark, 1e-6, 1e6, "grey levels",
         "added to every level, so that black has an intensity too"},
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o->contrast, 0, 1, NULL,
         "of ON and OFF events in the movie: 1 is white and black"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static retc_movie *
events_make(const void *options, const retc_screen *screen) {
    (void)screen;
    return retc_events_movie(options);
}

const retc_movie_kind retc_events_kind = {
    .name = "events",
    .usage =
        {"stimulus", "another movie as an event camera sees it: ON and OFF events",
         "Every pixel of a stimulus file makes an ON or OFF event whenever the logarithm of its intensity has changed by a "
         "threshold since the last.  The movie is white, grey or black where a pixel had ON events, none or OFF events since "
         "the frame before; the file also lists all events with their times.",
         "retcodec stimulus events movie.h5 --threshold 0.2 -o events.h5"},
    .from_files = 1,
    .size = sizeof(retc_events_options),
    .defaults = events_defaults,
    .table = events_table,
    .make = events_make,
};

#include "interneurons.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = RETC_INTERNEURON_SIDE, PIXELS = SIDE * SIDE, FLASH_SIDE = 38, SLAB = 256 };

/* Stimulus and potentials may differ by so many frames; the shortest counts (FORMATS 1). */
enum { LENGTH_TOLERANCE = 2 };

typedef enum { BOXES, FLASHES, LINES, KINDS } stimulus_kind;
static const char *const kind_names[KINDS] = {"boxes", "flashes", "lines"};
static const int kind_rank[KINDS] = {3, 1, 2};
static const char *const kind_axes[KINDS] = {"(frames,rows,columns)", "(frames)", "(frames,2 columns)"};

typedef struct {
    const retc_interneuron_options *options;
    retc_h5 *in, *out;
    char *notes;
    size_t cells;            /* 0: not known yet */
    size_t shape[3], values; /* of the stored stimulus; values of a frame */
    size_t frames;
} interneurons;

/* ---- published centres ----------------------------------------------------------------------------------------------- */

static const unsigned char bipolars_late[][2] = {{19, 22}, {18, 20}, {20, 21}, {18, 19}};
static const unsigned char bipolars_early[][2] = {{17, 23}, {17, 23}, {18, 23}};
static const unsigned char amacrines_early[][2] = {{18, 23}, {19, 24}, {19, 23}, {19, 23}, {18, 23}};
static const unsigned char amacrines_late[][2] = {
    {20, 20}, {22, 19}, {20, 20}, {19, 22}, {22, 25}, {19, 21}, {19, 17}, {20, 19}, {17, 20}, {19, 23}, {17, 20},
    {17, 20}, {20, 19}, {18, 18}, {19, 17}, {17, 17}, {18, 20}, {20, 19}, {17, 19}, {19, 18}, {17, 17}, {25, 15}};

int
retc_interneuron_center(const char *name, size_t cells, size_t cell, size_t *row, size_t *column) {
    static const struct {
        const char *name;
        size_t n;
        const unsigned char (*center)[2];
    } known[] = {{"bipolars_late_2012", sizeof bipolars_late / 2, bipolars_late},
                 {"bipolars_early_2012", sizeof bipolars_early / 2, bipolars_early},
                 {"amacrines_early_2012", sizeof amacrines_early / 2, amacrines_early},
                 {"amacrines_late_2012", sizeof amacrines_late / 2, amacrines_late}};
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
        if (strcmp(known[i].name, name) == 0 && known[i].n == cells && cell < cells) {
            *row = known[i].center[cell][0];
            *column = known[i].center[cell][1];
            return 1;
        }
    return 0;
}

/* ---- movies ---------------------------------------------------------------------------------------------------------- */

static int
find_stimulus(interneurons *n, stimulus_kind kind) {
    int status = RETC_OK, rank = 0;
    char name[64];
    size_t shape[RETC_H5_MAX_RANK] = {0};
    snprintf(name, sizeof name, "%s/stimuli", kind_names[kind]);
    RETC_TRY(retc_h5_shape(n->in, name, &rank, shape));
    if (rank != kind_rank[kind])
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %d axes, expected %s", retc_h5_path(n->in), name, rank,
                           kind_axes[kind]));
    for (int d = 0; d < 3; ++d)
        n->shape[d] = d < rank ? shape[d] : 1;
    size_t height = kind == BOXES ? n->shape[1] : kind == LINES ? n->shape[1] / 2 : FLASH_SIDE;
    size_t width = kind == BOXES ? n->shape[2] : height;
    if (height == 0 || width == 0 || height > SIDE || width > SIDE || (kind == LINES && n->shape[1] % 2))
        RETC_TRY(RETC_FAIL(
            RETC_EFORMAT, "%s: dataset \"%s\" has %zux%zu values a frame, expected a movie of up to %dx%d pixels%s",
            retc_h5_path(n->in), name, n->shape[1], n->shape[2], SIDE, SIDE, kind == LINES ? " from pairs of values" : ""));
    n->values = n->shape[1] * n->shape[2];

done:
    return status;
}

/* One frame, in the middle of zeros. */
static void
draw(const interneurons *n, stimulus_kind kind, const float *stored, float *out) {
    size_t height = kind == BOXES ? n->shape[1] : kind == LINES ? n->shape[1] / 2 : FLASH_SIDE;
    size_t width = kind == BOXES ? n->shape[2] : height, top = (SIDE - height) / 2, left = (SIDE - width) / 2;
    memset(out, 0, PIXELS * sizeof *out);
    for (size_t y = 0; y < height; ++y)
        for (size_t x = 0; x < width; ++x) {
            double value = (double)stored[kind == BOXES ? y * width + x : kind == LINES ? 2 * x : 0];
            if (kind == BOXES)
                value = n->options->std > 0 ? (128 * value - n->options->mean) / n->options->std : 2 * value - 1;
            else if (kind == LINES)
                value = 0.5 * (value + (x > 0 ? (double)stored[2 * x - 1] : 0));
            out[(top + y) * SIDE + left + x] = (float)value;
        }
}

static int
copy_stimulus(interneurons *n, stimulus_kind kind) {
    int status = RETC_OK;
    char from[64], to[64];
    float *stored = NULL, *movie = NULL;
    const size_t shape[3] = {n->frames, SIDE, SIDE}, chunk[3] = {16, SIDE, SIDE};
    snprintf(from, sizeof from, "%s/stimuli", kind_names[kind]);
    snprintf(to, sizeof to, "%s/stimulus", kind_names[kind]);
    RETC_TRY(RETC_ALLOC(stored, SLAB * n->values));
    RETC_TRY(RETC_ALLOC(movie, SLAB * PIXELS));
    RETC_TRY(retc_h5_make(n->out, to, RETC_H5_FLOAT, 3, shape, chunk));
    for (size_t t0 = 0; t0 < n->frames; t0 += SLAB) {
        size_t m = n->frames - t0 < SLAB ? n->frames - t0 : SLAB;
        const size_t start[3] = {t0, 0, 0}, count[3] = {m, n->shape[1], n->shape[2]}, number[3] = {m, SIDE, SIDE};
        RETC_TRY(retc_h5_read(n->in, from, RETC_H5_FLOAT, start, count, stored));
        for (size_t i = 0; i < m * n->values; ++i)
            if (!isfinite(stored[i]))
                RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is not finite in frame %zu", retc_h5_path(n->in), from,
                                   t0 + i / n->values));
        for (size_t t = 0; t < m; ++t)
            draw(n, kind, stored + t * n->values, movie + t * PIXELS);
        RETC_TRY(retc_h5_write(n->out, to, RETC_H5_FLOAT, start, number, movie));
    }

done:
    retc_free(stored);
    retc_free(movie);
    return status;
}

/* ---- potentials ------------------------------------------------------------------------------------------------------ */

static int
say(interneurons *n, char *line) {
    char *notes = line ? retc_strf("%s%s\n", n->notes ? n->notes : "", line) : NULL;
    retc_free(line);
    if (!notes)
        return RETC_ENOMEM;
    retc_free(n->notes);
    n->notes = notes;
    return RETC_OK;
}

/* Cells, and the frames that stimulus and potentials have in common. */
static int
find_potential(interneurons *n, stimulus_kind kind, const char *name) {
    int status = RETC_OK;
    size_t shape[2] = {0}, T = n->shape[0];
    const size_t expected[2] = {n->cells, 0};
    RETC_TRY(retc_h5_expect(n->in, name, 2, expected, shape));
    n->cells = shape[0];
    if (shape[0] == 0 || T == 0 || shape[1] == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is empty", retc_h5_path(n->in), kind_names[kind]));
    if (shape[1] > T + LENGTH_TOLERANCE || T > shape[1] + LENGTH_TOLERANCE)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: %s/stimuli has %zu frames, detrended_membrane_potential is (%zu,%zu): expected "
                           "(cells,frames) with the same number (within %d)%s",
                           retc_h5_path(n->in), kind_names[kind], T, shape[0], shape[1], LENGTH_TOLERANCE,
                           shape[0] == T ? "; it seems transposed" : ""));
    n->frames = shape[1] < T ? shape[1] : T;
    if (shape[1] != T)
        RETC_TRY(say(n, retc_strf("note: %s: %zu frames and %zu potentials: the first %zu are used", kind_names[kind], T,
                                  shape[1], n->frames)));

done:
    return status;
}

static int
copy_potential(interneurons *n, stimulus_kind kind, const char *from) {
    int status = RETC_OK;
    char to[64];
    float *potential = NULL;
    const size_t shape[2] = {n->cells, n->frames};
    snprintf(to, sizeof to, "%s/potential", kind_names[kind]);
    RETC_TRY(RETC_ALLOC(potential, n->cells * SLAB));
    RETC_TRY(retc_h5_make(n->out, to, RETC_H5_FLOAT, 2, shape, (const size_t[]){n->cells, SLAB}));
    for (size_t t0 = 0; t0 < n->frames; t0 += SLAB) {
        size_t m = n->frames - t0 < SLAB ? n->frames - t0 : SLAB;
        const size_t start[2] = {0, t0}, count[2] = {n->cells, m};
        RETC_TRY(retc_h5_read(n->in, from, RETC_H5_FLOAT, start, count, potential));
        for (size_t i = 0; i < n->cells * m; ++i)
            if (!isfinite(potential[i]))
                RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is not finite in row %zu, frame %zu", retc_h5_path(n->in),
                                   from, i / m, t0 + i % m));
        RETC_TRY(retc_h5_write(n->out, to, RETC_H5_FLOAT, start, count, potential));
    }

done:
    retc_free(potential);
    return status;
}

static int
write_time(interneurons *n, stimulus_kind kind) {
    int status = RETC_OK;
    char name[64];
    double *time = NULL;
    snprintf(name, sizeof name, "%s/time", kind_names[kind]);
    RETC_TRY(RETC_ALLOC(time, n->frames));
    for (size_t t = 0; t < n->frames; ++t)
        time[t] = (double)t * n->options->frame_interval;
    RETC_TRY(retc_h5_put(n->out, name, RETC_H5_DOUBLE, 1, &n->frames, time));

done:
    retc_free(time);
    return status;
}

static int
import_stimulus(interneurons *n, stimulus_kind kind) {
    int status = RETC_OK;
    char potential[64];
    snprintf(potential, sizeof potential, "%s/detrended_membrane_potential", kind_names[kind]);
    RETC_TRY(find_stimulus(n, kind));
    RETC_TRY(find_potential(n, kind, potential));
    RETC_TRY(copy_stimulus(n, kind));
    RETC_TRY(copy_potential(n, kind, potential));
    RETC_TRY(write_time(n, kind));
    RETC_TRY(say(n, retc_strf("%s: %zu frames, %zu cell%s", kind_names[kind], n->frames, n->cells, n->cells == 1 ? "" : "s")));

done:
    return status;
}

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

/* The members of boxes/rfs, when there are as many as cells; else cell01, cell02, ... */
static int
write_names(interneurons *n) {
    enum { ROOM = 32 };
    int status = RETC_OK;
    char **names = NULL;
    size_t found = 0;
    if (retc_h5_has(n->in, "boxes/rfs"))
        RETC_TRY(retc_h5_members(n->in, "boxes/rfs", &names, &found));
    if (found != n->cells) {
        RETC_TRY(
            say(n, retc_strf("note: boxes/rfs names %zu cells of %zu: they are called cell01, cell02, ...", found, n->cells)));
        retc_free(names);
        RETC_TRY(RETC_GOT(names = retc_calloc(n->cells, sizeof *names + ROOM)));
        for (size_t i = 0; i < n->cells; ++i) {
            names[i] = (char *)(names + n->cells) + i * ROOM;
            snprintf(names[i], ROOM, "cell%02zu", i + 1);
        }
    }
    RETC_TRY(retc_h5_put_texts(n->out, "cell_names", n->cells, (const char *const *)names));

done:
    retc_free(names);
    return status;
}

static int
write_centers(interneurons *n) {
    int status = RETC_OK;
    const char *path = retc_h5_path(n->in), *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char *name = retc_strf("%.*s", (int)strcspn(base, "."), base);
    int64_t *center = NULL;
    size_t row, column, known = 0;
    RETC_TRY(RETC_GOT(name));
    RETC_TRY(RETC_ALLOC(center, 2 * n->cells));
    for (; known < n->cells && retc_interneuron_center(name, n->cells, known, &row, &column); ++known) {
        center[2 * known] = (int64_t)row;
        center[2 * known + 1] = (int64_t)column;
    }
    if (known > 0)
        RETC_TRY(retc_h5_put(n->out, "center", RETC_H5_INT64, 2, (const size_t[]){n->cells, 2}, center));
    RETC_TRY(say(n, retc_strf("centres of receptive fields: %s", known ? "as published" : "not known of this file")));

done:
    retc_free(name);
    retc_free(center);
    return status;
}

int
retc_interneurons_import(const char *path, const retc_interneuron_options *options, retc_h5 *output, char **notes) {
    int status = RETC_OK;
    interneurons n = {.options = options, .out = output};
    if (!(options->frame_interval > 0) || !isfinite(options->frame_interval))
        return RETC_FAIL(RETC_EINVAL, "a frame interval of %g s has no meaning", options->frame_interval);
    RETC_TRY(RETC_GOT(n.in = retc_h5_open(path)));
    for (int kind = 0; kind < KINDS; ++kind)
        if (retc_h5_has(n.in, kind_names[kind]))
            RETC_TRY(import_stimulus(&n, (stimulus_kind)kind));
    if (n.cells == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: has none of the groups boxes, flashes and lines: is it a recording of interneurons?", path));
    if (retc_h5_has(n.in, "movingbar"))
        RETC_TRY(say(&n, retc_strdup("note: movingbar is left out: how its movie is made is not known")));
    RETC_TRY(write_names(&n));
    RETC_TRY(write_centers(&n));
    RETC_TRY(retc_h5_set_text(output, "/", "kind", "interneurons"));
    RETC_TRY(retc_h5_set_number(output, "/", "frame_interval", options->frame_interval));
    *notes = n.notes;
    n.notes = NULL;

done:
    retc_free(n.notes);
    retc_h5_close(n.in);
    return status;
}

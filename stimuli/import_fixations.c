/* Images moved over a screen by fixations, with running blocks and frozen trials (Karamanlis et al. 2024, doi
 * 10.1038/s41586-024-08212-3).
 *
 * At fixation (image, x, y), screen pixel (r,c), counted from 0, shows image pixel (y - Ny/2 + r, x - Nx/2 + c), and 0 where
 * the image does not reach.  A pixel of the movie is the mean of reduce x reduce pixels of the screen; it is taken from sums
 * over rectangles of the image, so that its cost does not grow with `reduce`. */
#include <math.h>
#include <string.h>

#include "import_matlab_internal.h"

/* One of the two movies. */
typedef struct {
    retc_matlab_variable counts, images, fixations;
    size_t frames, blocks;   /* of each block; blocks or trials */
    size_t height, width, n; /* of the images, and how many there are */
    double *sum;             /* (height+1,width+1): of all pixels above and to the left */
    size_t summed;           /* image that it is of, from 1; 0: none */
} fixation_movie;

typedef struct {
    const retc_matlab *in;
    size_t cells, height, width;
    fixation_movie movie[2]; /* by retc_part */
} fixation_import;

static const char *const prefix[2] = {"running", "frozen"};

/* ---- finding --------------------------------------------------------------------------------------------------------- */

static int
find_variable(const retc_matlab *in, retc_part part, const char *rest, int rank, retc_matlab_variable *variable) {
    static const char *const names[2][3] = {{"runningbin", "runningImages", "runningfixations"},
                                            {"frozenbin", "frozenImages", "frozenfixations"}};
    const char *name = names[part][rest[0] == 'b' ? 0 : rest[0] == 'I' ? 1 : 2];
    if (!retc_matlab_has(in, name))
        return RETC_FAIL(RETC_EFORMAT, "%s: has no variable \"%s\": the movie of this stimulus is not in the file",
                         in->options->files[0], name);
    return retc_matlab_find(in, name, rank, variable);
}

static int
find_movie(fixation_import *f, retc_part part) {
    int status = RETC_OK;
    fixation_movie *m = &f->movie[part];
    RETC_TRY(find_variable(f->in, part, "bin", 3, &m->counts));
    RETC_TRY(find_variable(f->in, part, "Images", 3, &m->images));
    RETC_TRY(find_variable(f->in, part, "fixations", 3, &m->fixations));
    const retc_mat_array *counts = m->counts.found.array, *images = m->images.found.array,
                         *fixations = m->fixations.found.array;
    const char *path = retc_mat_path(m->counts.mat);
    m->frames = counts->shape[1];
    m->blocks = counts->rank > 2 ? counts->shape[2] : 1;
    m->height = images->shape[0];
    m->width = images->shape[1];
    m->n = images->rank > 2 ? images->shape[2] : 1;
    if (f->cells && counts->shape[0] != f->cells)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: frozenbin has %zu cells and runningbin %zu: expected (cells,time,trials) of the same", path,
                           counts->shape[0], f->cells));
    f->cells = counts->shape[0];
    size_t moved = fixations->rank > 2 ? fixations->shape[2] : 1;
    if (fixations->shape[0] != 3 || fixations->shape[1] != m->frames || (part == RETC_TRAIN && moved != m->blocks))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: %sfixations is (%zu,%zu,%zu), expected (3,%zu,%zu) as %sbin has (cells,time,blocks)", path,
                           prefix[part], fixations->shape[0], fixations->shape[1], moved, m->frames,
                           part == RETC_TRAIN ? m->blocks : 1, prefix[part]));
    RETC_TRY(RETC_ALLOC(m->sum, (m->height + 1) * (m->width + 1)));

done:
    return status;
}

/* ---- movie ----------------------------------------------------------------------------------------------------------- */

static int
sum_image(fixation_movie *m, size_t number) {
    int status = RETC_OK;
    const size_t start[3] = {0, 0, number - 1}, count[3] = {m->height, m->width, 1};
    size_t ld = m->width + 1;
    double *image = NULL;
    if (m->summed == number)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(image, m->height * m->width));
    RETC_TRY(retc_mat_read(m->images.mat, m->images.found.array, start, count, image));
    for (size_t y = 0; y < m->height; ++y) {
        double row = 0;
        for (size_t x = 0; x < m->width; ++x) {
            row += image[x * m->height + y];
            m->sum[(y + 1) * ld + x + 1] = m->sum[y * ld + x + 1] + row;
        }
    }
    m->summed = number;

done:
    retc_free(image);
    return status;
}

/* x within 0 ... most */
static size_t
within(ptrdiff_t x, size_t most) {
    return x < 0 ? 0 : (size_t)x > most ? most : (size_t)x;
}

static void
draw(const fixation_import *f, const fixation_movie *m, ptrdiff_t x0, ptrdiff_t y0, float *out) {
    size_t reduce = f->in->options->reduce, ld = m->width + 1;
    for (size_t r = 0; r < f->height; ++r) {
        ptrdiff_t y = y0 + (ptrdiff_t)(r * reduce);
        const double *top = m->sum + within(y, m->height) * ld;
        const double *bottom = m->sum + within(y + (ptrdiff_t)reduce, m->height) * ld;
        for (size_t c = 0; c < f->width; ++c) {
            ptrdiff_t x = x0 + (ptrdiff_t)(c * reduce);
            size_t left = within(x, m->width), right = within(x + (ptrdiff_t)reduce, m->width);
            *out++ = (float)((bottom[right] - bottom[left] - top[right] + top[left]) / (double)(reduce * reduce));
        }
    }
}

/* Frame i of the running blocks, or of the one frozen movie. */
static int
draw_frame(fixation_import *f, retc_part part, size_t i, float *out) {
    int status = RETC_OK;
    fixation_movie *m = &f->movie[part];
    const size_t start[3] = {0, i % m->frames, i / m->frames}, count[3] = {3, 1, 1};
    double at[3];
    RETC_TRY(retc_mat_read(m->fixations.mat, m->fixations.found.array, start, count, at));
    if (!(at[0] >= 1 && at[0] <= (double)m->n) || !(fabs(at[1]) < 1e6) || !(fabs(at[2]) < 1e6))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %sfixations: frame %zu shows image %g at (%g,%g), there are images 1 to %zu",
                           retc_mat_path(m->images.mat), prefix[part], i, at[0], at[1], at[2], m->n));
    RETC_TRY(sum_image(m, (size_t)at[0]));
    draw(f, m, (ptrdiff_t)at[1] - (ptrdiff_t)(f->in->options->screen_width / 2),
         (ptrdiff_t)at[2] - (ptrdiff_t)(f->in->options->screen_height / 2), out);

done:
    return status;
}

/* All running blocks one after the other, then the frozen trials. */
static retc_part
part_of(const fixation_import *f, size_t t, size_t *i, size_t *block) {
    const fixation_movie *train = &f->movie[RETC_TRAIN], *test = &f->movie[RETC_TEST];
    if (t < train->frames * train->blocks) {
        *block = t / train->frames;
        *i = t;
        return RETC_TRAIN;
    }
    *block = (t - train->frames * train->blocks) / test->frames;
    *i = (t - train->frames * train->blocks) % test->frames;
    return RETC_TEST;
}

static int
fixation_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    fixation_import *f = context;
    for (size_t t = 0; t < n; ++t) {
        size_t i, block;
        retc_part part = part_of(f, t0 + t, &i, &block);
        RETC_TRY(draw_frame(f, part, i, out + t * f->height * f->width));
    }

done:
    return status;
}

/* As far as frames are of one block, counts are read at once. */
static int
fixation_counts(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    fixation_import *f = context;
    size_t N = f->cells;
    double *values = NULL;
    RETC_TRY(RETC_ALLOC(values, N * n));
    for (size_t t = 0, run; t < n; t += run) {
        size_t i, block;
        const fixation_movie *m = &f->movie[part_of(f, t0 + t, &i, &block)];
        size_t first = i % m->frames;
        run = m->frames - first < n - t ? m->frames - first : n - t;
        const size_t start[3] = {0, first, block}, count[3] = {N, run, 1};
        RETC_TRY(retc_mat_read(m->counts.mat, m->counts.found.array, start, count, values));
        for (size_t k = 0; k < N * run; ++k)
            out[k % N * n + t + k / N] = (float)values[k];
    }

done:
    retc_free(values);
    return status;
}

/* ---- all together ---------------------------------------------------------------------------------------------------- */

static int
make_parts(const fixation_import *f, retc_import_parts *parts) {
    int status = RETC_OK;
    const fixation_movie *train = &f->movie[RETC_TRAIN], *test = &f->movie[RETC_TEST];
    RETC_TRY(RETC_ALLOC(parts->train, train->blocks));
    RETC_TRY(RETC_ALLOC(parts->test, test->blocks));
    parts->stretches = train->blocks;
    parts->repeats = test->blocks;
    parts->test_stretches = 1;
    for (size_t b = 0; b < train->blocks; ++b)
        parts->train[b] = (retc_span){b * train->frames, train->frames};
    for (size_t r = 0; r < test->blocks; ++r)
        parts->test[r] = (retc_span){train->blocks * train->frames + r * test->frames, test->frames};

done:
    return status;
}

static int
make_units(size_t cells, retc_import_unit **unit, char **names) {
    enum { ROOM = 32 };
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(*unit, cells));
    RETC_TRY(RETC_GOT(*names = retc_calloc(cells, ROOM)));
    for (size_t i = 0; i < cells; ++i) {
        snprintf(*names + i * ROOM, ROOM, "cell%02zu", i + 1);
        (*unit)[i].name = *names + i * ROOM;
    }

done:
    return status;
}

static int
check_options(const retc_import_matlab_options *o) {
    if (!o->interval)
        return RETC_FAIL(RETC_EINVAL, "%s: does not say how long a frame lasts: give --interval in s (0.013333 for 75 Hz)",
                         o->files[0]);
    if (o->reduce == 0 || o->screen_height % o->reduce || o->screen_width % o->reduce || o->screen_height == 0 ||
        o->screen_width == 0)
        return RETC_FAIL(RETC_EINVAL, "a screen of %zux%zu pixels cannot be cut into squares of %zux%zu", o->screen_height,
                         o->screen_width, o->reduce, o->reduce);
    return RETC_OK;
}

int
retc_matlab_fixations(retc_matlab *in, const char *output, int force, retc_recording_writer **writer) {
    int status = RETC_OK;
    const retc_import_matlab_options *o = in->options;
    fixation_import f = {.in = in};
    retc_import_unit *unit = NULL;
    retc_import_parts parts = {0};
    char *names = NULL;
    double *onset = NULL, interval;
    RETC_TRY(check_options(o));
    RETC_TRY(retc_matlab_number(in, o->interval, &interval));
    if (!(interval > 0))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a frame interval of %g s has no meaning", interval));
    RETC_TRY(find_movie(&f, RETC_TRAIN));
    RETC_TRY(find_movie(&f, RETC_TEST));
    f.height = o->screen_height / o->reduce;
    f.width = o->screen_width / o->reduce;
    size_t frames = f.movie[0].frames * f.movie[0].blocks + f.movie[1].frames * f.movie[1].blocks;
    RETC_TRY(RETC_ALLOC(onset, frames));
    for (size_t t = 0; t < frames; ++t)
        onset[t] = (double)t * interval;
    RETC_TRY(make_parts(&f, &parts));
    RETC_TRY(make_units(f.cells, &unit, &names));
    RETC_TRY(retc_import_say(in->report,
                             "frames of %g s; screen of %zux%zu pixels, 0 beside the images, means of %zux%zu pixels; running "
                             "blocks are the train part, frozen trials the test part; times are made up",
                             interval, o->screen_height, o->screen_width, o->reduce, o->reduce));
    const retc_import_source source = {.file = in->options->files[0],
                                       .frames = frames,
                                       .onset = onset,
                                       .height = f.height,
                                       .width = f.width,
                                       .stimulus_type = RETC_H5_FLOAT,
                                       .movie = fixation_frames,
                                       .movie_context = &f,
                                       .unit = unit,
                                       .cells = f.cells,
                                       .keep_empty = o->keep_empty,
                                       .counts = fixation_counts,
                                       .counts_context = &f,
                                       .parts = parts};
    RETC_TRY(retc_import_build(&source, output, force, in->progress, writer, in->report));

done:
    for (int part = 0; part < 2; ++part) {
        retc_matlab_clear(&f.movie[part].counts);
        retc_matlab_clear(&f.movie[part].images);
        retc_matlab_clear(&f.movie[part].fixations);
        retc_free(f.movie[part].sum);
    }
    retc_import_parts_clear(&parts);
    retc_free(unit);
    retc_free(names);
    retc_free(onset);
    return status;
}

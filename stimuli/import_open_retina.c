#include "import_open_retina.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "frame_clock.h"
#include "npy.h"
#include "options.h"

#define RESPONSES "responses_"

typedef struct {
    retc_h5 *h5;
    char *name;          /* of the file, without folder and ending */
    size_t cells, first; /* N, and how many cells come before in the recording */
} session_file;

typedef struct {
    char *name;
    int is_test;
    size_t frames;
    retc_h5 *h5;     /* that holds the movie (borrowed), or NULL */
    retc_npy *npy;   /* or that */
    size_t shape[4]; /* C, T, H, W */
    int64_t *block;  /* (blocks) first frames of stretches of continuous time */
    size_t blocks;
} shown_stimulus;

/* A run of frames of all that were shown: a stimulus, and its responses as they are or in one repeat. */
typedef struct {
    size_t stimulus, first;
    int repeat; /* -1: the responses themselves */
} segment;

typedef struct {
    const retc_import_open_retina_options *options;
    retc_import_report *report;
    session_file *session;
    size_t sessions;
    shown_stimulus *stimulus;
    size_t stimuli;
    segment *segment;
    size_t segments, frames, repeats;
    double interval, *onset;
    retc_import_parts parts;
    retc_import_unit *unit;
    char **name;
    size_t cells;
    int channel, rates; /* channel -1: the mean */
} open_retina;

/* ---- session files --------------------------------------------------------------------------------------------------- */

static int
is_session(const char *name) {
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot && (strcmp(dot, ".h5") == 0 || strcmp(dot, ".hdf5") == 0);
}

static int
compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths of `n` names (of a folder, or as they are) as one block. */
static char **
block_of(const char *folder, struct dirent *const *entry, size_t n) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; ++i)
        bytes += strlen(folder) + strlen(entry[i]->d_name) + 2;
    char **block = retc_calloc(1, n * sizeof *block + bytes + 1), *end = block ? (char *)(block + n) : NULL;
    for (size_t i = 0; block && i < n; ++i) {
        block[i] = end;
        end += snprintf(end, strlen(folder) + strlen(entry[i]->d_name) + 2, "%s/%s", folder, entry[i]->d_name) + 1;
    }
    if (block)
        qsort(block, n, sizeof *block, compare_names);
    return block;
}

static int
keep_session(const struct dirent *entry) {
    return is_session(entry->d_name);
}

int
retc_open_retina_sessions(const char *path, char ***files, size_t *n) {
    struct stat info;
    struct dirent **entry = NULL;
    if (stat(path, &info) != 0)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode)) {
        char **block = retc_calloc(1, sizeof *block + strlen(path) + 1);
        if (block)
            block[0] = strcpy((char *)(block + 1), path);
        *files = block;
        *n = 1;
        return RETC_GOT(block);
    }
    int found = scandir(path, &entry, keep_session, NULL);
    if (found < 0)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    *n = (size_t)found;
    *files = block_of(path, entry, *n);
    for (int i = 0; i < found; ++i)
        free(entry[i]);
    free(entry);
    if (found == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: no session file (.h5, .hdf5) is in this folder", path);
    return RETC_GOT(*files);
}

static int
open_sessions(open_retina *in) {
    int status = RETC_OK;
    char **files = NULL;
    size_t n = 0;
    RETC_TRY(retc_open_retina_sessions(in->options->path, &files, &n));
    RETC_TRY(RETC_ALLOC(in->session, n));
    for (size_t i = 0; i < n; ++i) {
        session_file *s = &in->session[in->sessions++];
        const char *slash = strrchr(files[i], '/'), *name = slash ? slash + 1 : files[i], *dot = strrchr(name, '.');
        RETC_TRY(RETC_GOT(s->name = retc_strf("%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name)));
        RETC_TRY(RETC_GOT(s->h5 = retc_h5_open(files[i])));
    }

done:
    retc_free(files);
    return status;
}

/* ---- stimuli and responses ------------------------------------------------------------------------------------------- */

typedef struct {
    char text[512];
} dataset_name;

static const char *
name_in(dataset_name *name, const char *before, const char *stimulus, const char *after) {
    snprintf(name->text, sizeof name->text, "%s%s%s", before, stimulus, after);
    return name->text;
}

/* The stimuli of the first session, in sorted order. */
static int
list_stimuli(open_retina *in) {
    int status = RETC_OK;
    retc_h5 *h5 = in->session[0].h5;
    char **members = NULL;
    size_t n = 0, length = strlen(RESPONSES);
    RETC_TRY(retc_h5_members(h5, "/", &members, &n));
    RETC_TRY(RETC_ALLOC(in->stimulus, n));
    for (size_t i = 0; i < n; ++i)
        if (strncmp(members[i], RESPONSES, length) == 0 && members[i][length])
            RETC_TRY(RETC_GOT(in->stimulus[in->stimuli++].name = retc_strdup(members[i] + length)));
    if (in->stimuli == 0)
        status =
            RETC_FAIL(RETC_EFORMAT, "%s: has no dataset responses_<stimulus>: is it an open-retina session?", retc_h5_path(h5));

done:
    retc_free(members);
    return status;
}

/* All sessions must hold responses to the same frames of the same stimuli. */
static int
check_responses(open_retina *in) {
    int status = RETC_OK;
    dataset_name name;
    for (size_t s = 0; s < in->sessions; ++s) {
        session_file *session = &in->session[s];
        for (size_t i = 0; i < in->stimuli; ++i) {
            size_t shape[2], expected[2] = {session->cells, in->stimulus[i].frames};
            name_in(&name, RESPONSES, in->stimulus[i].name, "");
            if (!retc_h5_has(session->h5, name.text))
                RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: lacks \"%s\", which %s has: import these sessions one by one",
                                   retc_h5_path(session->h5), name.text, retc_h5_path(in->session[0].h5)));
            RETC_TRY(retc_h5_expect(session->h5, name.text, 2, expected, shape));
            if (shape[0] == 0 || shape[1] == 0)
                RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is empty", retc_h5_path(session->h5), name.text));
            session->cells = shape[0];
            in->stimulus[i].frames = shape[1];
        }
        session->first = in->cells;
        in->cells += session->cells;
    }

done:
    return status;
}

/* The movie of a stimulus: of the first session that holds it, else of the folder of stimuli. */
static int
open_movie(open_retina *in, shown_stimulus *stimulus, const char *folder) {
    int status = RETC_OK;
    dataset_name name;
    const char *where;
    char *path = NULL;
    name_in(&name, "stimulus_", stimulus->name, "");
    for (size_t s = 0; s < in->sessions && !stimulus->h5; ++s)
        if (retc_h5_has(in->session[s].h5, name.text))
            stimulus->h5 = in->session[s].h5;
    RETC_TRY(RETC_GOT(path = retc_strf("%s/%s.npy", folder, stimulus->name)));
    if (stimulus->h5) {
        where = retc_h5_path(stimulus->h5);
        RETC_TRY(retc_h5_expect(stimulus->h5, name.text, 4, NULL, stimulus->shape));
    } else {
        struct stat info;
        where = path;
        if (stat(path, &info) != 0)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the movie of \"%s\" is neither here (%s) nor in %s",
                               retc_h5_path(in->session[0].h5), stimulus->name, name.text, path));
        RETC_TRY(RETC_GOT(stimulus->npy = retc_npy_open(path)));
        if (retc_npy_rank(stimulus->npy) != 4)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has %d axes, expected 4: channels, frames, rows, columns", path,
                               retc_npy_rank(stimulus->npy)));
        memcpy(stimulus->shape, retc_npy_shape(stimulus->npy), sizeof stimulus->shape);
    }
    const size_t *shape = stimulus->shape, *first = in->stimulus[0].shape;
    if (shape[1] != stimulus->frames)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the movie of \"%s\" has %zu frames, its responses have %zu: expected as many",
                           where, stimulus->name, shape[1], stimulus->frames));
    if (shape[0] == 0 || shape[2] == 0 || shape[3] == 0 || memcmp(shape + 2, first + 2, 2 * sizeof *shape) != 0 ||
        shape[0] != first[0])
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: the movie of \"%s\" is (%zu,%zu,%zu,%zu), that of \"%s\" (%zu,%zu,%zu,%zu): expected "
                           "the same channels, rows and columns",
                           where, stimulus->name, shape[0], shape[1], shape[2], shape[3], in->stimulus[0].name, first[0],
                           first[1], first[2], first[3]));
    RETC_TRY(retc_import_say(in->report, "stimulus: %s: %zu frames, %zu channel%s of %zu x %zu, from %s", stimulus->name,
                             shape[1], shape[0], shape[0] == 1 ? "" : "s", shape[2], shape[3], where));

done:
    retc_free(path);
    return status;
}

static int
open_movies(open_retina *in) {
    int status = RETC_OK;
    const char *first = retc_h5_path(in->session[0].h5), *slash = strrchr(first, '/');
    char *folder = in->options->stimuli ? retc_strdup(in->options->stimuli)
                                        : retc_strf("%.*s/stimuli", slash ? (int)(slash - first) : 1, slash ? first : ".");
    RETC_TRY(RETC_GOT(folder));
    for (size_t i = 0; i < in->stimuli; ++i)
        RETC_TRY(open_movie(in, &in->stimulus[i], folder));
    size_t channels = in->stimulus[0].shape[0], channel = 0;
    in->channel = -1;
    if (strcmp(in->options->channel, "mean") != 0) {
        if (retc_parse_size(in->options->channel, &channel) < 0 || channel >= channels)
            RETC_TRY(RETC_FAIL(RETC_EUSAGE, "--channel: \"%s\" is neither \"mean\" nor a channel from 0 to %zu",
                               in->options->channel, channels - 1));
        in->channel = (int)channel;
    }
    if (channels > 1 && in->channel < 0)
        RETC_TRY(retc_import_say(in->report, "channels: the mean of %zu", channels));
    else if (channels > 1)
        RETC_TRY(retc_import_say(in->report, "channels: number %d of %zu", in->channel, channels));
    RETC_TRY(retc_import_say(in->report, "grey levels: kept as stored"));

done:
    retc_free(folder);
    return status;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

static int
mark_tests(open_retina *in) {
    int status = RETC_OK;
    char *copy = NULL, *rest;
    if (!in->options->test)
        return RETC_OK;
    RETC_TRY(RETC_GOT(copy = rest = retc_strdup(in->options->test)));
    for (char *word; (word = strsep(&rest, ","));) {
        size_t i = 0;
        while (i < in->stimuli && strcmp(in->stimulus[i].name, word) != 0)
            ++i;
        if (i == in->stimuli)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: --test: there is no responses_%s", retc_h5_path(in->session[0].h5), word));
        in->stimulus[i].is_test = 1;
    }

done:
    retc_free(copy);
    return status;
}

/* Repeats that all sessions have of all test stimuli; 0: none. */
static int
find_repeats(open_retina *in) {
    int status = RETC_OK;
    dataset_name name;
    size_t repeats = 0;
    for (size_t i = 0; i < in->stimuli; ++i)
        for (size_t s = 0; s < in->sessions && in->stimulus[i].is_test; ++s) {
            size_t shape[3];
            const size_t expected[3] = {in->session[s].cells, repeats, in->stimulus[i].frames};
            name_in(&name, "session_info/", in->stimulus[i].name, "_by_trial");
            if (!retc_h5_has(in->session[s].h5, name.text))
                return RETC_OK;
            RETC_TRY(retc_h5_expect(in->session[s].h5, name.text, 3, expected, shape));
            repeats = shape[1];
        }
    in->repeats = repeats;

done:
    return status;
}

/* Stretches of continuous time, where the first session says so; else each stimulus is one. */
static int
read_blocks(open_retina *in, shown_stimulus *stimulus) {
    int status = RETC_OK;
    retc_h5 *h5 = in->session[0].h5;
    dataset_name name;
    void *start = NULL;
    stimulus->blocks = 1;
    if (!retc_h5_has(h5, name_in(&name, "session_info/", stimulus->name, "_block_start")))
        return RETC_ALLOC(stimulus->block, 1);
    RETC_TRY(retc_h5_read_new(h5, name.text, RETC_H5_INT64, 1, &stimulus->blocks, &start));
    stimulus->block = start;
    size_t wrong = retc_clock_block_disorder(stimulus->block, stimulus->blocks, stimulus->frames);
    if (wrong < stimulus->blocks || stimulus->blocks == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is out of order at entry %zu: expected 0, then ascending frames below %zu",
                           retc_h5_path(h5), name.text, wrong, stimulus->frames));

done:
    return status;
}

/* Append a stimulus to what was shown, and its stretches to `span`; their number is returned. */
static size_t
add_segment(open_retina *in, size_t i, int repeat, retc_span *span) {
    const shown_stimulus *stimulus = &in->stimulus[i];
    in->segment[in->segments++] = (segment){i, in->frames, repeat};
    for (size_t b = 0; b < stimulus->blocks; ++b) {
        size_t start = (size_t)stimulus->block[b];
        size_t stop = b + 1 < stimulus->blocks ? (size_t)stimulus->block[b + 1] : stimulus->frames;
        span[b] = (retc_span){in->frames + start, stop - start};
    }
    in->frames += stimulus->frames;
    return stimulus->blocks;
}

/* Train stimuli in their order, then the test stimuli as often as they were repeated. */
static int
lay_out(open_retina *in) {
    int status = RETC_OK;
    retc_import_parts *parts = &in->parts;
    size_t tests = 0, blocks = 0, rounds = in->repeats ? in->repeats : 1;
    for (size_t i = 0; i < in->stimuli; ++i) {
        RETC_TRY(read_blocks(in, &in->stimulus[i]));
        blocks += in->stimulus[i].blocks;
        tests += (size_t)in->stimulus[i].is_test;
    }
    RETC_TRY(RETC_ALLOC(in->segment, in->stimuli + rounds * tests));
    RETC_TRY(RETC_ALLOC(parts->train, blocks));
    RETC_TRY(RETC_ALLOC(parts->test, rounds * blocks));
    for (size_t i = 0; i < in->stimuli; ++i)
        if (!in->stimulus[i].is_test)
            parts->stretches += add_segment(in, i, -1, parts->train + parts->stretches);
    size_t stretches = 0;
    for (size_t r = 0; r < rounds && tests > 0; ++r)
        for (size_t i = 0; i < in->stimuli; ++i)
            if (in->stimulus[i].is_test)
                stretches += add_segment(in, i, in->repeats ? (int)r : -1, parts->test + stretches);
    parts->test_stretches = stretches / rounds;
    parts->repeats = tests ? rounds : 0;
    if (tests == 0) {
        retc_import_parts split = {0};
        RETC_TRY(retc_import_parts_split(&split, parts->train, parts->stretches, in->options->test_fraction));
        retc_import_parts_clear(parts);
        *parts = split;
        RETC_TRY(retc_import_say(in->report, "test: the last %g of the frames; --test names stimuli instead",
                                 in->options->test_fraction));
    } else if (parts->stretches == 0) {
        RETC_TRY(retc_import_say(in->report, "warning: all stimuli are test stimuli, none is left to fit to"));
    }

done:
    return status;
}

static int
settle_clock(open_retina *in) {
    int status = RETC_OK;
    retc_h5 *h5 = in->session[0].h5;
    double interval = in->options->frame_rate > 0 ? 1 / in->options->frame_rate : 0;
    int stored = interval <= 0 && retc_h5_has(h5, "session_info/frame_interval");
    if (stored) {
        RETC_TRY(retc_h5_expect(h5, "session_info/frame_interval", 0, NULL, NULL));
        RETC_TRY(retc_h5_read(h5, "session_info/frame_interval", RETC_H5_DOUBLE, NULL, NULL, &interval));
    }
    if (!(interval > 0) || !isfinite(interval))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: does not say how many frames a second were shown: give --frame-rate",
                           retc_h5_path(h5)));
    in->interval = interval;
    RETC_TRY(RETC_ALLOC(in->onset, in->frames));
    for (size_t t = 0; t < in->frames; ++t)
        in->onset[t] = (double)t * interval;
    RETC_TRY(
        retc_import_say(in->report, "times: %.6g frames a second, %s", 1 / interval, stored ? "as the file says" : "as asked"));

done:
    return status;
}

/* ---- frames and responses -------------------------------------------------------------------------------------------- */

static const segment *
segment_at(const open_retina *in, size_t t) {
    size_t low = 0, high = in->segments;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (in->segment[middle].first <= t)
            low = middle;
        else
            high = middle;
    }
    return &in->segment[low];
}

/* Frames t0 ... of one channel. */
static int
read_channel(const shown_stimulus *stimulus, size_t channel, size_t t0, size_t n, float *out) {
    const size_t *shape = stimulus->shape, start[4] = {channel, t0, 0, 0}, count[4] = {1, n, shape[2], shape[3]};
    dataset_name name;
    if (stimulus->h5)
        return retc_h5_read(stimulus->h5, name_in(&name, "stimulus_", stimulus->name, ""), RETC_H5_FLOAT, start, count, out);
    return retc_npy_read(stimulus->npy, (channel * shape[1] + t0) * shape[2] * shape[3], n * shape[2] * shape[3], out);
}

static int
read_frames(const open_retina *in, const shown_stimulus *stimulus, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    size_t values = n * stimulus->shape[2] * stimulus->shape[3], channels = stimulus->shape[0];
    float *more = NULL;
    RETC_TRY(read_channel(stimulus, in->channel > 0 ? (size_t)in->channel : 0, t0, n, out));
    if (in->channel >= 0 || channels == 1)
        goto done;
    RETC_TRY(RETC_ALLOC(more, values));
    for (size_t c = 1; c < channels; ++c) {
        RETC_TRY(read_channel(stimulus, c, t0, n, more));
        for (size_t i = 0; i < values; ++i)
            out[i] += more[i];
    }
    for (size_t i = 0; i < values; ++i)
        out[i] /= (float)channels;

done:
    retc_free(more);
    return status;
}

static int
movie_frames(void *context, size_t t0, size_t n, float *out) {
    const open_retina *in = context;
    int status = RETC_OK;
    while (n > 0) {
        const segment *at = segment_at(in, t0);
        const shown_stimulus *stimulus = &in->stimulus[at->stimulus];
        size_t from = t0 - at->first, m = stimulus->frames - from < n ? stimulus->frames - from : n;
        RETC_TRY(read_frames(in, stimulus, from, m, out));
        t0 += m;
        n -= m;
        out += m * stimulus->shape[2] * stimulus->shape[3];
    }

done:
    return status;
}

/* Responses of frames from ... of one segment into rows of `stride`. */
static int
read_responses(const open_retina *in, const segment *at, size_t from, size_t m, float *out, size_t stride) {
    int status = RETC_OK;
    const char *stimulus = in->stimulus[at->stimulus].name;
    dataset_name name;
    float *rows = NULL;
    RETC_TRY(RETC_ALLOC(rows, in->cells * m));
    for (size_t s = 0; s < in->sessions; ++s) {
        const session_file *session = &in->session[s];
        float *into = rows + session->first * m;
        if (at->repeat >= 0) {
            const size_t start[3] = {0, (size_t)at->repeat, from}, count[3] = {session->cells, 1, m};
            RETC_TRY(retc_h5_read(session->h5, name_in(&name, "session_info/", stimulus, "_by_trial"), RETC_H5_FLOAT, start,
                                  count, into));
        } else {
            const size_t start[2] = {0, from}, count[2] = {session->cells, m};
            RETC_TRY(retc_h5_read(session->h5, name_in(&name, RESPONSES, stimulus, ""), RETC_H5_FLOAT, start, count, into));
        }
    }
    for (size_t i = 0; i < in->cells; ++i)
        memcpy(out + i * stride, rows + i * m, m * sizeof *out);

done:
    retc_free(rows);
    return status;
}

static int
responses_of_frames(void *context, size_t t0, size_t n, float *out) {
    const open_retina *in = context;
    int status = RETC_OK;
    for (size_t done = 0, m; done < n; done += m) {
        const segment *at = segment_at(in, t0 + done);
        size_t from = t0 + done - at->first, left = in->stimulus[at->stimulus].frames - from;
        m = left < n - done ? left : n - done;
        RETC_TRY(read_responses(in, at, from, m, out + done, n));
    }

done:
    return status;
}

/* Whether responses are counts or rates, and whether they look like it. */
static int
settle_responses(open_retina *in) {
    enum { SLAB = 1024 };
    int status = RETC_OK, whole = 1, given = strcmp(in->options->responses, "auto") != 0;
    float *values = NULL;
    RETC_TRY(RETC_ALLOC(values, in->cells * SLAB));
    for (size_t t = 0; t < in->frames && whole; t += SLAB) {
        size_t n = in->frames - t < SLAB ? in->frames - t : SLAB;
        RETC_TRY(responses_of_frames(in, t, n, values));
        for (size_t i = 0; i < in->cells * n; ++i)
            whole &= values[i] == floorf(values[i]);
    }
    in->rates = given ? strcmp(in->options->responses, "rates") == 0 : !whole;
    RETC_TRY(retc_import_say(in->report, "responses: taken as %s, %s", in->rates ? "rates in spikes/s" : "counts per frame",
                             given   ? "as asked"
                             : whole ? "as all are whole numbers"
                                     : "as some are no whole numbers"));
    if (given && in->rates && whole)
        RETC_TRY(retc_import_say(in->report, "warning: all rates are whole numbers: are they counts?"));

done:
    retc_free(values);
    return status;
}

/* ---- cells and all together ------------------------------------------------------------------------------------------ */

static int
name_cells(open_retina *in) {
    int status = RETC_OK;
    char **names = NULL;
    RETC_TRY(RETC_ALLOC(in->name, in->cells));
    RETC_TRY(RETC_ALLOC(in->unit, in->cells));
    for (size_t s = 0; s < in->sessions; ++s) {
        const session_file *session = &in->session[s];
        const char *before = in->sessions > 1 ? session->name : "", *between = in->sessions > 1 ? "_" : "";
        size_t n = 0;
        if (retc_h5_has(session->h5, "session_info/cell_names"))
            RETC_TRY(retc_h5_read_texts(session->h5, "session_info/cell_names", &names, &n));
        for (size_t i = 0; i < session->cells; ++i) {
            size_t k = session->first + i;
            in->name[k] = n == session->cells ? retc_strf("%s%s%s", before, between, names[i])
                                              : retc_strf("%s%scell%02zu", before, between, i + 1);
            RETC_TRY(RETC_GOT(in->name[k]));
            in->unit[k].name = in->name[k];
        }
        retc_free(names);
        names = NULL;
        RETC_TRY(retc_import_say(in->report, "session: %s: %zu cells", session->name, session->cells));
    }

done:
    retc_free(names);
    return status;
}

static void
forget(open_retina *in) {
    for (size_t s = 0; s < in->sessions; ++s) {
        retc_h5_close(in->session[s].h5);
        retc_free(in->session[s].name);
    }
    for (size_t i = 0; i < in->stimuli; ++i) {
        retc_npy_close(in->stimulus[i].npy);
        retc_free(in->stimulus[i].block);
        retc_free(in->stimulus[i].name);
    }
    for (size_t i = 0; in->name && i < in->cells; ++i)
        retc_free(in->name[i]);
    retc_free(in->session);
    retc_free(in->stimulus);
    retc_free(in->segment);
    retc_free(in->onset);
    retc_free(in->unit);
    retc_free(in->name);
    retc_import_parts_clear(&in->parts);
}

/* Bytes as long as every movie is stored so and no mean is taken. */
static retc_h5_type
movie_type(const open_retina *in) {
    dataset_name name;
    int bytes = in->channel >= 0 || in->stimulus[0].shape[0] == 1;
    for (size_t i = 0; i < in->stimuli; ++i) {
        const shown_stimulus *s = &in->stimulus[i];
        bytes &= s->npy ? retc_npy_is_bytes(s->npy) : retc_h5_is_uint8(s->h5, name_in(&name, "stimulus_", s->name, ""));
    }
    return bytes ? RETC_H5_UINT8 : RETC_H5_FLOAT;
}

int
retc_import_open_retina(const retc_import_open_retina_options *options, const char *output, int force,
                        const retc_progress *progress, retc_recording_writer **writer, retc_import_report *report) {
    int status = RETC_OK;
    open_retina in = {.options = options, .report = report};
    *report = (retc_import_report){0};
    RETC_TRY(open_sessions(&in));
    RETC_TRY(list_stimuli(&in));
    RETC_TRY(check_responses(&in));
    RETC_TRY(name_cells(&in));
    RETC_TRY(open_movies(&in));
    RETC_TRY(mark_tests(&in));
    RETC_TRY(find_repeats(&in));
    RETC_TRY(lay_out(&in));
    RETC_TRY(settle_clock(&in));
    RETC_TRY(settle_responses(&in));
    const retc_import_source source = {.file = options->path,
                                       .frames = in.frames,
                                       .onset = in.onset,
                                       .height = in.stimulus[0].shape[2],
                                       .width = in.stimulus[0].shape[3],
                                       .stimulus_type = movie_type(&in),
                                       .movie = movie_frames,
                                       .movie_context = &in,
                                       .unit = in.unit,
                                       .cells = in.cells,
                                       .keep_empty = 1,
                                       .counts = responses_of_frames,
                                       .counts_context = &in,
                                       .rates = in.rates,
                                       .parts = in.parts};
    RETC_TRY(retc_import_build(&source, output, force, progress, writer, report));

done:
    if (status < 0 && !strstr(retc_error_message(), options->path) && !strstr(retc_error_message(), output))
        retc_error_prefix(status, "%s", options->path);
    forget(&in);
    return status;
}

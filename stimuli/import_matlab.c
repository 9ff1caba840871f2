#include "import_matlab.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import_matlab_internal.h"
#include "spikes.h"

/* Lengths of movie and counts may differ by so many frames; the shortest counts (FORMATS 1). */
enum { LENGTH_TOLERANCE = 2 };

/* A movie, a clock, and spikes or counts. */
typedef struct {
    retc_matlab *in;
    retc_import_matlab_options names; /* those of the caller, completed */
    retc_matlab_variable stimulus, counts, spikes;
    char axes[4];     /* what the axes of the movie are, "yxt" */
    size_t length[3]; /* T, H, W */
    double *scratch;  /* values of a slab, as they are stored */
    size_t room;
    int time_axis; /* of the counts */
    size_t frames; /* that have an onset, a picture and a response */
    double *onset; /* (frames or more), s */
    size_t cells;
    retc_import_unit *unit;
    double **spike; /* (cells) s */
    char **name;
    retc_import_parts parts;
} movie_import;

retc_import_matlab_options
retc_import_matlab_default(void) {
    return (retc_import_matlab_options){
        .preset = "auto", .test_fraction = 0.1, .screen_height = 600, .screen_width = 800, .reduce = 10};
}

/* ---- presets --------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    const char *marks[3]; /* variables by which it is known */
    const char *stimulus, *spikes, *counts, *times, *interval;
    double tick;
    int (*import)(retc_matlab *in, const char *output, int force, retc_recording_writer **writer); /* instead of a movie */
} preset;

static const preset presets[] = {
    {.name = "karamanlis", .marks = {"frozenbin", "runningbin"}, .import = retc_matlab_fixations},
    {.name = "stnmf", .marks = {"STE", "Nx", "Ny"}, .import = retc_matlab_ensemble},
    {.name = "retina-invariance",
     .marks = {"SpTimes", "stimtimes"},
     .stimulus = "Stim",
     .spikes = "SpTimes.sp",
     .times = "stimtimes",
     .tick = 10000},
    {.name = "neu560", .marks = {"SpCounts", "Stim"}, .stimulus = "Stim", .counts = "SpCounts", .interval = "dtStim"},
    {.name = "free"},
};

static int
fits(const retc_matlab *in, const preset *p) {
    for (size_t i = 0; i < 3 && p->marks[i]; ++i)
        if (!retc_matlab_has(in, p->marks[i]))
            return 0;
    return 1;
}

static const preset *
choose_preset(const retc_matlab *in) {
    const retc_import_matlab_options *o = in->options;
    /* Whoever names the responses does not mean a preset. */
    int is_auto = strcmp(o->preset, "auto") == 0, named = o->spikes || o->counts;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; ++i)
        if (is_auto ? (named ? i + 1 == sizeof presets / sizeof *presets : fits(in, &presets[i]))
                    : strcmp(o->preset, presets[i].name) == 0)
            return &presets[i];
    RETC_FAIL(RETC_EINVAL, "there is no preset \"%s\" for MATLAB files", o->preset);
    return NULL;
}

static int
complete_names(movie_import *m, const preset *p) {
    retc_import_matlab_options *o = &m->names;
    *o = *m->in->options;
    o->stimulus = o->stimulus ? o->stimulus : p->stimulus;
    if (!o->spikes && !o->counts) {
        o->spikes = p->spikes;
        o->counts = p->counts;
    }
    if (!o->times && !o->interval) {
        o->times = p->times;
        o->interval = p->interval;
    }
    if (!(o->tick > 0))
        o->tick = p->tick > 0 ? p->tick : 1;
    const char *missing = !o->stimulus                ? "the movie (--stimulus)"
                          : !o->spikes && !o->counts  ? "the responses (--spikes or --counts)"
                          : !o->times && !o->interval ? "when frames were shown (--times or --interval)"
                                                      : NULL;
    if (missing)
        return RETC_FAIL(RETC_EINVAL, "%s: no known convention fits it, or not all of one: name the variable that holds %s",
                         o->files[0], missing);
    if (o->spikes && o->counts)
        return RETC_FAIL(RETC_EINVAL, "spike times (%s) and counts (%s) are both given: one is enough", o->spikes, o->counts);
    if (o->times && o->interval)
        return RETC_FAIL(RETC_EINVAL, "frame times (%s) and a frame interval (%s) are both given: one is enough", o->times,
                         o->interval);
    return RETC_OK;
}

/* ---- movie ----------------------------------------------------------------------------------------------------------- */

/* "4x5x1000" */
static const char *
shape_text(const retc_mat_array *array, char text[96]) {
    size_t used = 0;
    for (int d = 0; d < array->rank; ++d)
        used += (size_t)snprintf(text + used, 96 - used, "%s%zu", d ? "x" : "", array->shape[d]);
    return text;
}

static int
is_vector(const retc_mat_array *array) {
    return array->rank == 2 && (array->shape[0] == 1 || array->shape[1] == 1);
}

static int
find_axes(movie_import *m) {
    const retc_mat_array *array = m->stimulus.found.array;
    const char *path = retc_mat_path(m->stimulus.mat), *axes = m->names.axes;
    char shape[96];
    if (!axes)
        axes = is_vector(array) ? "t" : array->rank == 2 ? "tx" : "yxt";
    size_t n = strlen(axes);
    if (n < 1 || n > 3 || !strchr(axes, 't') || strspn(axes, "tyx") != n || (n > 1 && axes[0] == axes[1]) ||
        (n > 2 && (axes[2] == axes[0] || axes[2] == axes[1])))
        return RETC_FAIL(RETC_EINVAL, "axes \"%s\" have no meaning: expected t for time, y for rows, x for columns, each once",
                         axes);
    if (n == 1 && !is_vector(array))
        return RETC_FAIL(RETC_EFORMAT, "%s: %s is %s, but axes \"%s\" are for a vector", path, array->name,
                         shape_text(array, shape), axes);
    if (n > 1 && (int)n != array->rank)
        return RETC_FAIL(RETC_EFORMAT, "%s: %s is %s, but axes \"%s\" are %zu", path, array->name, shape_text(array, shape),
                         axes, n);
    snprintf(m->axes, sizeof m->axes, "%s", n == 1 && array->shape[0] == 1 ? "xt" : axes);
    for (int a = 0; a < 3; ++a) {
        const char *at = strchr(m->axes, "tyx"[a]);
        m->length[a] = at ? array->shape[at - m->axes] : 1;
    }
    return retc_import_say(m->in->report, "movie: %s (%s), axes %s as MATLAB shows them: %zu frames of %zu x %zu pixels",
                           array->name, shape_text(array, shape), n == 1 ? "t" : m->axes, m->length[0], m->length[1],
                           m->length[2]);
}

/* Frames t0 ... t0+n-1 as (n,H,W). */
static int
movie_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    movie_import *m = context;
    const retc_mat_array *array = m->stimulus.found.array;
    size_t start[RETC_MAT_MAX_RANK] = {0}, count[RETC_MAT_MAX_RANK], stride[3] = {0}, step = 1;
    for (int d = 0; d < array->rank; ++d) {
        char axis = d < (int)strlen(m->axes) ? m->axes[d] : 'x';
        start[d] = axis == 't' ? t0 : 0;
        count[d] = axis == 't' ? n : array->shape[d];
        if (d < (int)strlen(m->axes))
            stride[strchr("tyx", axis) - "tyx"] = step;
        step *= count[d];
    }
    if (m->room < step) {
        retc_free(m->scratch);
        RETC_TRY(RETC_ALLOC(m->scratch, step));
        m->room = step;
    }
    RETC_TRY(retc_mat_read(m->stimulus.mat, array, start, count, m->scratch));
    for (size_t t = 0; t < n; ++t)
        for (size_t y = 0; y < m->length[1]; ++y)
            for (size_t x = 0; x < m->length[2]; ++x)
                *out++ = (float)m->scratch[t * stride[0] + y * stride[1] + x * stride[2]];

done:
    return status;
}

/* ---- clock ----------------------------------------------------------------------------------------------------------- */

/* Does another axis of the movie fit `frames` better? */
static const char *
axes_hint(const movie_import *m, size_t frames) {
    const retc_mat_array *array = m->stimulus.found.array;
    for (int d = 0; d < array->rank; ++d)
        if (array->shape[d] == frames && m->axes[d] != 't')
            return ": another axis of it has just as many, give --axes as MATLAB shows them";
    return "";
}

static int
read_times(movie_import *m) {
    int status = RETC_OK;
    retc_matlab_variable times = {0};
    size_t shown = m->length[0];
    RETC_TRY(retc_matlab_find(m->in, m->names.times, 2, &times));
    RETC_TRY(retc_matlab_values(&times, times.found.array, &m->onset, &m->frames));
    for (size_t t = 0; t < m->frames; ++t)
        m->onset[t] /= m->names.tick;
    const char *hint = axes_hint(m, m->frames);
    if (shown < m->frames || (shown != m->frames && hint[0]))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s has %zu frames for %zu frame times in %s: expected one for each%s",
                           retc_mat_path(m->stimulus.mat), m->names.stimulus, shown, m->frames, m->names.times, hint));
    if (shown > m->frames)
        RETC_TRY(retc_import_say(m->in->report, "note: %zu of %zu frames of the movie have no frame time", shown - m->frames,
                                 shown));
    RETC_TRY(retc_import_say(m->in->report, "frame times: %s, in units of 1/%g s", m->names.times, m->names.tick));

done:
    retc_matlab_clear(&times);
    return status;
}

static int
make_times(movie_import *m) {
    int status = RETC_OK;
    double interval = 0;
    RETC_TRY(retc_matlab_number(m->in, m->names.interval, &interval));
    if (!(interval > 0) || !isfinite(interval))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a frame interval of %g s (%s) has no meaning", interval, m->names.interval));
    m->frames = m->length[0];
    RETC_TRY(RETC_ALLOC(m->onset, m->frames));
    for (size_t t = 0; t < m->frames; ++t)
        m->onset[t] = (double)t * interval;
    RETC_TRY(
        retc_import_say(m->in->report, "frame times: regular, from 0 s, interval %s = %.6g s", m->names.interval, interval));

done:
    return status;
}

/* Stimuli last longer than milliseconds taken as seconds would have them. */
static int
look_at_unit(const movie_import *m) {
    const double slow = 5;
    if (m->frames < 2 || !((m->onset[m->frames - 1] - m->onset[0]) / (double)(m->frames - 1) > slow))
        return RETC_OK;
    return retc_import_say(m->in->report, "warning: a frame lasts %.4g s: are times in ms (--tick 1000)?",
                           (m->onset[m->frames - 1] - m->onset[0]) / (double)(m->frames - 1));
}

/* ---- responses ------------------------------------------------------------------------------------------------------- */

static int
name_units(movie_import *m) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(m->unit, m->cells));
    RETC_TRY(RETC_ALLOC(m->name, m->cells));
    for (size_t i = 0; i < m->cells; ++i) {
        RETC_TRY(RETC_GOT(m->name[i] = retc_strf("cell%02zu", i + 1)));
        m->unit[i].name = m->name[i];
    }

done:
    return status;
}

static int
read_spikes(movie_import *m) {
    int status = RETC_OK;
    RETC_TRY(retc_matlab_find(m->in, m->names.spikes, 0, &m->spikes));
    m->cells = m->spikes.found.n;
    if (m->cells == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s holds no cell", retc_mat_path(m->spikes.mat), m->names.spikes));
    RETC_TRY(name_units(m));
    RETC_TRY(RETC_ALLOC(m->spike, m->cells));
    for (size_t i = 0; i < m->cells; ++i) {
        const retc_mat_array *array = &m->spikes.found.array[i];
        RETC_TRY(retc_matlab_values(&m->spikes, array, &m->spike[i], &m->unit[i].n));
        for (size_t k = 0; k < m->unit[i].n; ++k)
            m->spike[i][k] /= m->names.tick;
        m->unit[i].spike = m->spike[i];
        m->unit[i].origin = array->name;
    }
    RETC_TRY(retc_import_say(m->in->report, "spike times: %s, %zu cell%s, in units of 1/%g s", m->names.spikes, m->cells,
                             m->cells == 1 ? "" : "s", m->names.tick));

done:
    return status;
}

static int
is_near(size_t a, size_t b) {
    return a <= b + LENGTH_TOLERANCE && b <= a + LENGTH_TOLERANCE;
}

/* Which of two axes is time. */
static int
find_time_axis(movie_import *m) {
    const retc_mat_array *array = m->counts.found.array;
    const char *path = retc_mat_path(m->counts.mat), *axes = m->names.count_axes;
    int near[2] = {is_near(array->shape[0], m->frames), is_near(array->shape[1], m->frames)};
    if (axes && strcmp(axes, "tn") != 0 && strcmp(axes, "nt") != 0)
        return RETC_FAIL(RETC_EINVAL, "count axes \"%s\" have no meaning: expected tn or nt", axes);
    m->time_axis = axes ? axes[1] == 't' : !near[0] && near[1];
    if (!near[m->time_axis])
        return RETC_FAIL(RETC_EFORMAT, "%s: %s is %zux%zu, but there are %zu frames: expected as many along %s", path,
                         array->name, array->shape[0], array->shape[1], m->frames, axes ? "its axis t" : "one of its axes");
    m->cells = array->shape[!m->time_axis];
    if (!axes && near[0] && near[1])
        return retc_import_say(m->in->report,
                               "warning: both axes of %s could be time; it is taken as (time,cells), --count-axes nt "
                               "turns it",
                               array->name);
    return RETC_OK;
}

static int
find_counts(movie_import *m) {
    int status = RETC_OK;
    RETC_TRY(retc_matlab_find(m->in, m->names.counts, 2, &m->counts));
    RETC_TRY(find_time_axis(m));
    const retc_mat_array *array = m->counts.found.array;
    size_t counted = array->shape[m->time_axis];
    RETC_TRY(name_units(m));
    RETC_TRY(retc_import_say(m->in->report, "spike %s: %s (%zux%zu), axes %s",
                             m->names.rates ? "rates in Hz" : "counts per frame", array->name, array->shape[0], array->shape[1],
                             m->time_axis ? "nt" : "tn"));
    if (counted != m->frames)
        RETC_TRY(retc_import_say(m->in->report, "note: %zu frames and %zu responses: the first %zu are used", m->frames,
                                 counted, counted < m->frames ? counted : m->frames));
    m->frames = counted < m->frames ? counted : m->frames;

done:
    return status;
}

/* Counts of frames t0 ... t0+n-1 as (N,n). */
static int
count_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    movie_import *m = context;
    size_t start[RETC_MAT_MAX_RANK] = {0}, count[RETC_MAT_MAX_RANK] = {0}, N = m->cells;
    double *values = NULL;
    start[m->time_axis] = t0;
    count[m->time_axis] = n;
    count[!m->time_axis] = N;
    RETC_TRY(RETC_ALLOC(values, N * n));
    RETC_TRY(retc_mat_read(m->counts.mat, m->counts.found.array, start, count, values));
    for (size_t i = 0; i < N; ++i)
        for (size_t t = 0; t < n; ++t)
            out[i * n + t] = (float)values[m->time_axis ? t * N + i : i * n + t];

done:
    retc_free(values);
    return status;
}

/* ---- all together ---------------------------------------------------------------------------------------------------- */

static void
forget(movie_import *m) {
    for (size_t i = 0; i < m->cells; ++i) {
        if (m->spike)
            retc_free(m->spike[i]);
        if (m->name)
            retc_free(m->name[i]);
    }
    retc_free(m->spike);
    retc_free(m->name);
    retc_free(m->unit);
    retc_free(m->onset);
    retc_free(m->scratch);
    retc_import_parts_clear(&m->parts);
    retc_matlab_clear(&m->stimulus);
    retc_matlab_clear(&m->counts);
    retc_matlab_clear(&m->spikes);
}

static int
import_movie(retc_matlab *in, const preset *p, const char *output, int force, retc_recording_writer **writer) {
    int status = RETC_OK;
    movie_import m = {.in = in};
    RETC_TRY(complete_names(&m, p));
    RETC_TRY(retc_matlab_find(in, m.names.stimulus, 3, &m.stimulus));
    RETC_TRY(find_axes(&m));
    RETC_TRY(m.names.times ? read_times(&m) : make_times(&m));
    RETC_TRY(look_at_unit(&m));
    RETC_TRY(m.names.spikes ? read_spikes(&m) : find_counts(&m));
    const retc_span all = {0, m.frames};
    RETC_TRY(retc_import_parts_split(&m.parts, &all, 1, in->options->test_fraction));
    const retc_import_source source = {.file = in->options->files[0],
                                       .frames = m.frames,
                                       .onset = m.onset,
                                       .height = m.length[1],
                                       .width = m.length[2],
                                       .stimulus_type = RETC_H5_FLOAT,
                                       .movie = movie_frames,
                                       .movie_context = &m,
                                       .unit = m.unit,
                                       .cells = m.cells,
                                       .keep_empty = in->options->keep_empty,
                                       .counts = m.names.counts ? count_frames : NULL,
                                       .counts_context = &m,
                                       .rates = in->options->rates,
                                       .parts = m.parts};
    RETC_TRY(retc_import_build(&source, output, force, in->progress, writer, in->report));

done:
    forget(&m);
    return status;
}

int
retc_import_matlab(const retc_import_matlab_options *options, const char *output, int force, const retc_progress *progress,
                   retc_recording_writer **writer, retc_import_report *report) {
    int status = RETC_OK;
    retc_matlab in = {.options = options, .report = report, .progress = progress};
    const preset *p = NULL;
    *report = (retc_import_report){0};
    if (options->n_files == 0)
        return RETC_FAIL(RETC_EINVAL, "no MATLAB file is given");
    RETC_TRY(RETC_ALLOC(in.file, options->n_files));
    for (size_t i = 0; i < options->n_files; ++i)
        RETC_TRY(RETC_GOT(in.file[i] = retc_mat_open(options->files[i])));
    p = choose_preset(&in);
    if (!p)
        RETC_TRY(RETC_EINVAL);
    RETC_TRY(retc_import_say(report, "MATLAB %s file%s, convention: %s", retc_mat_version(in.file[0]),
                             options->n_files > 1 ? "s" : "", p->name));
    RETC_TRY(p->import ? p->import(&in, output, force, writer) : import_movie(&in, p, output, force, writer));

done:
    for (size_t i = 0; in.file && i < options->n_files; ++i)
        retc_mat_close(in.file[i]);
    retc_free(in.file);
    return status;
}

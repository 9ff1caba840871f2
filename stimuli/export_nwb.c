#include "export_nwb.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "export_timeline.h"
#include "h5_make.h"
#include "stimulus_file.h"

/* Spikes that are copied in one go; a chunk of the dataset. */
enum { SPIKES = 1 << 15 };

#define NWB_VERSION "2.6.0"
#define PRESENTED "/stimulus/presentation/stimulus"
#define TEMPLATE "/stimulus/templates/frames"
#define TRIALS "/intervals/trials"
#define PLACED "the recording holds counts of spikes, not their times: the spikes of a frame are spread evenly inside it"

typedef struct {
    retc_recording *recording;
    const retc_export_nwb_options *options;
    const char *identifier;
    retc_h5 *file;
    retc_timeline timeline;
    retc_timeline_spikes spikes;
} exporter;

/* ---- objects --------------------------------------------------------------------------------------------------------- */

/* The id of an object follows from the identifier of the file and its path: the same export has the same ids.  The form is that
 * of a UUID of version 8 (RFC 9562). */
static int
label(const exporter *e, const char *path, const char *space, const char *type) {
    int status = RETC_OK;
    struct sha256_ctx sha;
    uint8_t d[SHA256_DIGEST_SIZE];
    char id[40];
    sha256_init(&sha);
    sha256_update(&sha, strlen(e->identifier) + 1, (const uint8_t *)e->identifier);
    sha256_update(&sha, strlen(path), (const uint8_t *)path);
    sha256_digest(&sha, sizeof d, d);
    d[6] = (uint8_t)(0x80 | (d[6] & 0x0f));
    d[8] = (uint8_t)(0x80 | (d[8] & 0x3f));
    snprintf(id, sizeof id, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2], d[3],
             d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
    RETC_TRY(retc_h5_set_text(e->file, path, "namespace", space));
    RETC_TRY(retc_h5_set_text(e->file, path, "neurodata_type", type));
    RETC_TRY(retc_h5_set_text(e->file, path, "object_id", id));

done:
    return status;
}

static int
make_object(const exporter *e, const char *path, const char *type, const char *description) {
    int status = RETC_OK;
    RETC_TRY(retc_h5_make_group(e->file, path));
    RETC_TRY(label(e, path, "core", type));
    RETC_TRY(retc_h5_set_text(e->file, path, "description", description));

done:
    return status;
}

typedef struct {
    char text[128];
} object_path;

static const char *
inside(object_path *path, const char *object, const char *member) {
    snprintf(path->text, sizeof path->text, "%s/%s", object, member);
    return path->text;
}

/* The attributes of a column that has been written. */
static int
label_column(const exporter *e, const char *path, const char *type, const char *description) {
    int status = RETC_OK;
    RETC_TRY(label(e, path, "hdmf-common", type));
    RETC_TRY(retc_h5_set_text(e->file, path, "description", description));

done:
    return status;
}

/* Rows of a table are numbered from 0. */
static int
put_ids(const exporter *e, const char *table, size_t n) {
    int status = RETC_OK;
    int64_t *id = NULL;
    object_path path;
    RETC_TRY(RETC_ALLOC(id, n));
    for (size_t i = 0; i < n; ++i)
        id[i] = (int64_t)i;
    RETC_TRY(retc_h5_put(e->file, inside(&path, table, "id"), RETC_H5_INT64, 1, &n, id));
    RETC_TRY(label(e, path.text, "hdmf-common", "ElementIdentifiers"));

done:
    retc_free(id);
    return status;
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

static int
write_root(const exporter *e) {
    int status = RETC_OK;
    static const char *const groups[] = {"/acquisition",           "/analysis",           "/general",  "/processing",
                                         "/stimulus/presentation", "/stimulus/templates", "/intervals"};
    const retc_export_nwb_options *o = e->options;
    RETC_TRY(retc_h5_set_text(e->file, "/", "nwb_version", NWB_VERSION));
    RETC_TRY(label(e, "/", "core", "NWBFile"));
    RETC_TRY(retc_h5_put_text(e->file, "/identifier", e->identifier));
    RETC_TRY(retc_h5_put_text(e->file, "/session_description", o->description ? o->description : "retina recording"));
    RETC_TRY(retc_h5_put_text(e->file, "/session_start_time", o->session_start));
    RETC_TRY(retc_h5_put_text(e->file, "/timestamps_reference_time", o->session_start));
    RETC_TRY(retc_h5_put_texts(e->file, "/file_create_date", 1, o->created ? &o->created : &o->session_start));
    for (size_t i = 0; i < sizeof groups / sizeof *groups; ++i)
        RETC_TRY(retc_h5_make_group(e->file, groups[i]));
    if (e->spikes.are_placed)
        RETC_TRY(retc_h5_put_text(e->file, "/general/notes", PLACED));

done:
    return status;
}

/* ---- units ----------------------------------------------------------------------------------------------------------- */

static int
write_spikes(const exporter *e, size_t total) {
    int status = RETC_OK;
    const size_t chunk = SPIKES;
    double *time = NULL;
    size_t at = 0;
    RETC_TRY(retc_h5_make(e->file, "/units/spike_times", RETC_H5_DOUBLE, 1, &total, total > chunk ? &chunk : NULL));
    RETC_TRY(RETC_ALLOC(time, SPIKES));
    for (size_t cell = 0; cell < e->spikes.cells; ++cell)
        for (size_t first = 0; first < e->spikes.n[cell];) {
            size_t left = e->spikes.n[cell] - first, n = left < SPIKES ? left : SPIKES;
            RETC_TRY(retc_timeline_spikes_read(e->recording, &e->spikes, cell, first, n, time));
            RETC_TRY(retc_h5_write(e->file, "/units/spike_times", RETC_H5_DOUBLE, &at, &n, time));
            first += n;
            at += n;
        }
    RETC_TRY(label_column(e, "/units/spike_times", "VectorData", e->spikes.are_placed ? PLACED : "spike times, s"));

done:
    retc_free(time);
    return status;
}

static int
write_units(const exporter *e) {
    int status = RETC_OK;
    static const char *const columns[] = {"spike_times", "cell_name"};
    size_t N = e->spikes.cells, total = 0;
    uint32_t *ends = NULL;
    const char **names = NULL;
    RETC_TRY(RETC_ALLOC(ends, N));
    RETC_TRY(RETC_ALLOC(names, N));
    for (size_t n = 0; n < N; ++n) {
        total += e->spikes.n[n];
        if (total > UINT32_MAX)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: more spikes than an index of 4 bytes can count: choose fewer --cells",
                               retc_recording_path(e->recording)));
        ends[n] = (uint32_t)total;
        names[n] = retc_recording_cell_name(e->recording, n);
    }
    RETC_TRY(make_object(e, "/units", "Units", "ganglion cells"));
    RETC_TRY(retc_h5_set_texts(e->file, "/units", "colnames", 2, columns));
    RETC_TRY(put_ids(e, "/units", N));
    RETC_TRY(write_spikes(e, total));
    RETC_TRY(retc_h5_put_unsigned(e->file, "/units/spike_times_index", N, ends));
    RETC_TRY(label_column(e, "/units/spike_times_index", "VectorIndex", "where the spike times of each unit end"));
    RETC_TRY(retc_h5_set_reference(e->file, "/units/spike_times_index", "target", "/units/spike_times"));
    RETC_TRY(retc_h5_put_texts(e->file, "/units/cell_name", N, names));
    RETC_TRY(label_column(e, "/units/cell_name", "VectorData", "name of the cell"));

done:
    retc_free(ends);
    retc_free(names);
    return status;
}

/* ---- the movie ------------------------------------------------------------------------------------------------------- */

/* (n,H,W) to (n,W,H). */
static void
swap_axes(const float *in, size_t n, size_t height, size_t width, float *out) {
    for (size_t t = 0; t < n; ++t, in += height * width, out += height * width)
        for (size_t y = 0; y < height; ++y)
            for (size_t x = 0; x < width; ++x)
                out[x * height + y] = in[y * width + x];
}

/* Frames of a part as pictures `at` ... of a dataset. */
static int
write_frames(const exporter *e, retc_part part, const char *data, size_t at, const retc_progress *progress) {
    int status = RETC_OK;
    size_t height = retc_recording_height(e->recording), width = retc_recording_width(e->recording);
    size_t frames = retc_recording_frames(e->recording, part), slab = retc_stimulus_slab(height, width);
    float *movie = NULL, *swapped = NULL;
    RETC_TRY(RETC_ALLOC(movie, slab * height * width));
    RETC_TRY(RETC_ALLOC(swapped, slab * height * width));
    for (size_t t0 = 0; t0 < frames; t0 += slab) {
        size_t n = frames - t0 < slab ? frames - t0 : slab;
        const size_t start[3] = {at + t0, 0, 0};
        const size_t count[3] = {n, e->options->rows_first ? height : width, e->options->rows_first ? width : height};
        RETC_TRY(retc_recording_stimulus(e->recording, part, t0, n, movie));
        if (!e->options->rows_first)
            swap_axes(movie, n, height, width, swapped);
        RETC_TRY(retc_h5_write(e->file, data, RETC_H5_FLOAT, start, count, e->options->rows_first ? movie : swapped));
        retc_progress_report(progress, t0 + n, frames, "stimulus");
    }

done:
    retc_free(movie);
    retc_free(swapped);
    return status;
}

/* The pictures of an ImageSeries: frames of the train part, then of the test part. */
static int
write_pictures(const exporter *e, const char *series, const retc_progress *progress) {
    int status = RETC_OK;
    object_path path;
    size_t height = retc_recording_height(e->recording), width = retc_recording_width(e->recording);
    size_t train = retc_recording_frames(e->recording, RETC_TRAIN);
    size_t test = e->timeline.repeats > 0 ? retc_recording_frames(e->recording, RETC_TEST) : 0;
    const size_t slab = retc_stimulus_slab(height, width);
    const size_t shape[3] = {train + test, e->options->rows_first ? height : width, e->options->rows_first ? width : height};
    const size_t chunk[3] = {slab < 16 ? 1 : slab / 16, shape[1], shape[2]}, two = 2;
    const int64_t dimension[2] = {(int64_t)width, (int64_t)height};
    retc_h5_type type = retc_recording_stimulus_type(e->recording);
    RETC_TRY(retc_h5_make(e->file, inside(&path, series, "data"), type, 3, shape, chunk));
    if (train > 0)
        RETC_TRY(write_frames(e, RETC_TRAIN, path.text, 0, progress));
    if (test > 0)
        RETC_TRY(write_frames(e, RETC_TEST, path.text, train, progress));
    RETC_TRY(retc_h5_set_float(e->file, path.text, "conversion", 1));
    RETC_TRY(retc_h5_set_float(e->file, path.text, "resolution", -1));
    RETC_TRY(retc_h5_set_text(e->file, path.text, "unit", "grey level"));
    RETC_TRY(retc_h5_put_text(e->file, inside(&path, series, "format"), "raw"));
    RETC_TRY(retc_h5_put(e->file, inside(&path, series, "dimension"), RETC_H5_INT64, 1, &two, dimension));

done:
    return status;
}

static int
write_timestamps(const exporter *e) {
    int status = RETC_OK;
    object_path path;
    RETC_TRY(retc_h5_put(e->file, inside(&path, PRESENTED, "timestamps"), RETC_H5_DOUBLE, 1, &e->timeline.frames,
                         e->timeline.onset));
    RETC_TRY(retc_h5_set_int32(e->file, path.text, "interval", 1));
    RETC_TRY(retc_h5_set_text(e->file, path.text, "unit", "seconds"));

done:
    return status;
}

/* The numbers of the pictures that were shown, and where the pictures are. */
static int
write_index(const exporter *e) {
    int status = RETC_OK;
    size_t train = retc_recording_frames(e->recording, RETC_TRAIN);
    uint32_t *index = NULL;
    object_path path;
    RETC_TRY(RETC_ALLOC(index, e->timeline.frames));
    for (size_t i = 0; i < e->timeline.runs; ++i) {
        const retc_timeline_run *run = &e->timeline.run[i];
        for (size_t t = 0; t < run->count; ++t)
            index[run->at + t] = (uint32_t)((run->part == RETC_TEST ? train : 0) + run->first + t);
    }
    RETC_TRY(make_object(e, PRESENTED, "IndexSeries", "numbers of the frames that were shown, from 0"));
    RETC_TRY(retc_h5_set_text(e->file, PRESENTED, "comments", "repeats show the same frames again"));
    RETC_TRY(retc_h5_put_unsigned(e->file, inside(&path, PRESENTED, "data"), e->timeline.frames, index));
    RETC_TRY(retc_h5_set_float(e->file, path.text, "conversion", 1));
    RETC_TRY(retc_h5_set_float(e->file, path.text, "resolution", -1));
    RETC_TRY(retc_h5_set_text(e->file, path.text, "unit", "N/A"));
    RETC_TRY(retc_h5_make_link(e->file, inside(&path, PRESENTED, "indexed_timeseries"), TEMPLATE));

done:
    retc_free(index);
    return status;
}

static int
write_movie(const exporter *e, const retc_progress *progress) {
    int status = RETC_OK;
    object_path path;
    const double zero = 0;
    int repeats = e->timeline.repeats > 1;
    const char *pictures = repeats ? TEMPLATE : PRESENTED;
    RETC_TRY(make_object(e, pictures, "ImageSeries", "frames of the stimulus, grey levels"));
    RETC_TRY(retc_h5_set_text(e->file, pictures, "comments",
                              e->options->rows_first ? "axes: frame, row, column" : "axes: frame, column, row"));
    RETC_TRY(write_pictures(e, pictures, progress));
    if (repeats) {
        RETC_TRY(write_index(e));
        RETC_TRY(retc_h5_put(e->file, inside(&path, TEMPLATE, "starting_time"), RETC_H5_DOUBLE, 0, NULL, &zero));
        RETC_TRY(retc_h5_set_float(e->file, path.text, "rate", (float)(1 / retc_recording_frame_interval(e->recording))));
        RETC_TRY(retc_h5_set_text(e->file, path.text, "unit", "seconds"));
    }
    RETC_TRY(write_timestamps(e));

done:
    return status;
}

/* ---- trials ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    double *start, *stop;
    int64_t *repeat, *stretch;
    const char **part;
} trial_columns;

static int
fill_trials(const retc_timeline *timeline, trial_columns *c) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(c->start, timeline->runs));
    RETC_TRY(RETC_ALLOC(c->stop, timeline->runs));
    RETC_TRY(RETC_ALLOC(c->repeat, timeline->runs));
    RETC_TRY(RETC_ALLOC(c->stretch, timeline->runs));
    RETC_TRY(RETC_ALLOC(c->part, timeline->runs));
    for (size_t i = 0; i < timeline->runs; ++i) {
        const retc_timeline_run *run = &timeline->run[i];
        c->start[i] = timeline->onset[run->at];
        c->stop[i] = timeline->end[run->at + run->count - 1];
        c->repeat[i] = run->part == RETC_TEST ? (int64_t)run->repeat + 1 : 0;
        c->stretch[i] = (int64_t)run->stretch;
        c->part[i] = run->part == RETC_TEST ? "test" : "train";
    }

done:
    return status;
}

static int
write_trials(const exporter *e) {
    int status = RETC_OK;
    static const char *const columns[] = {"start_time", "stop_time", "part", "repeat", "stretch"};
    const size_t n = e->timeline.runs;
    trial_columns c = {0};
    RETC_TRY(fill_trials(&e->timeline, &c));
    RETC_TRY(make_object(e, TRIALS, "TimeIntervals", "stretches of the train part, and of every repeat of the test part"));
    RETC_TRY(retc_h5_set_texts(e->file, TRIALS, "colnames", sizeof columns / sizeof *columns, columns));
    RETC_TRY(put_ids(e, TRIALS, n));
    RETC_TRY(retc_h5_put(e->file, TRIALS "/start_time", RETC_H5_DOUBLE, 1, &n, c.start));
    RETC_TRY(label_column(e, TRIALS "/start_time", "VectorData", "onset of the first frame, s"));
    RETC_TRY(retc_h5_put(e->file, TRIALS "/stop_time", RETC_H5_DOUBLE, 1, &n, c.stop));
    RETC_TRY(label_column(e, TRIALS "/stop_time", "VectorData", "end of the last frame, s"));
    RETC_TRY(retc_h5_put_texts(e->file, TRIALS "/part", n, c.part));
    RETC_TRY(label_column(e, TRIALS "/part", "VectorData", "train or test"));
    RETC_TRY(retc_h5_put(e->file, TRIALS "/repeat", RETC_H5_INT64, 1, &n, c.repeat));
    RETC_TRY(label_column(e, TRIALS "/repeat", "VectorData", "number of the repeat of the test part, from 1; 0: train part"));
    RETC_TRY(retc_h5_put(e->file, TRIALS "/stretch", RETC_H5_INT64, 1, &n, c.stretch));
    RETC_TRY(label_column(e, TRIALS "/stretch", "VectorData", "number of the stretch of continuous time in its part, from 0"));

done:
    retc_free(c.start);
    retc_free(c.stop);
    retc_free(c.repeat);
    retc_free(c.stretch);
    retc_free(c.part);
    return status;
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

static char *
say(const exporter *e) {
    size_t spikes = 0;
    for (size_t cell = 0; cell < e->spikes.cells; ++cell)
        spikes += e->spikes.n[cell];
    return retc_strf(
        "%zu units with %zu spikes, %zu frames in %zu trials\naxes of pictures: %s (import with --axes %s)\n"
        "times: %s\n%s%s%s",
        e->spikes.cells, spikes, e->timeline.frames, e->timeline.runs,
        e->options->rows_first ? "frame, row, column" : "frame, column, row", e->options->rows_first ? "tyx" : "txy",
        e->timeline.is_raw ? "those of the recording"
                           : "the recording has none for all repeats: parts follow each other with pauses",
        e->spikes.are_placed ? "note: " PLACED "\n" : "",
        e->timeline.means_left_out ? "note: the test part holds means over repeats only and is left out\n" : "",
        e->timeline.repeats > 1 ? "note: import with --test part=test makes repeats of the test trials again\n" : "");
}

/* "YYYY-MM-DDThh:mm:ss", a fraction, and "Z" or "+hh:mm". */
static int
check_session_start(const char *text) {
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    size_t i = 0;
    for (; form[i]; ++i)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            break;
    const char *rest = text + i;
    if (!form[i] && *rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    int zone = strcmp(rest, "Z") == 0 || ((*rest == '+' || *rest == '-') && strlen(rest) == 6 && rest[3] == ':' &&
                                          strspn(rest + 1, "0123456789") == 2 && strspn(rest + 4, "0123456789") == 2);
    if (form[i] || !zone)
        return RETC_FAIL(RETC_EINVAL, "\"%s\" is no date and time such as 2015-10-07T14:00:00+02:00, as NWB wants them", text);
    return RETC_OK;
}

int
retc_export_nwb(retc_recording *recording, const retc_export_nwb_options *options, const retc_progress *progress, retc_h5 *file,
                char **report) {
    int status = RETC_OK;
    const char *path = retc_recording_path(recording), *slash = strrchr(path, '/');
    exporter e = {.recording = recording, .options = options, .file = file};
    e.identifier = options->identifier ? options->identifier : slash ? slash + 1 : path;
    *report = NULL;
    RETC_TRY(check_session_start(options->session_start));
    RETC_TRY(retc_timeline_make(recording, &e.timeline));
    RETC_TRY(retc_timeline_spikes_find(recording, &e.timeline, &e.spikes));
    RETC_TRY(write_root(&e));
    RETC_TRY(write_units(&e));
    RETC_TRY(write_movie(&e, progress));
    RETC_TRY(write_trials(&e));
    RETC_TRY(RETC_GOT(*report = say(&e)));

done:
    retc_timeline_clear(&e.timeline);
    retc_timeline_spikes_clear(&e.spikes);
    return status;
}

#include "export_csv.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stimulus_file.h"

/* Frames of counts, and spike times, that are handled in one go. */
enum { SLAB = 4096, SPIKES = 65536 };

const char *const retc_export_csv_files[] = {"recording.csv",
                                             "cells.csv",
                                             "train.csv",
                                             "test.csv",
                                             "test_repeats.csv",
                                             "spikes.csv",
                                             "train_onsets.csv",
                                             "test_onsets.csv",
                                             "train_stimulus.csv",
                                             "test_stimulus.csv",
                                             NULL};

static const char *const part_names[2] = {"train", "test"};

typedef struct {
    retc_recording *recording;
    const retc_export_csv_options *options;
    const char *folder;
    int stimulus; /* whether the movies are written */
    size_t files;
} exporter;

/* ---- files and numbers ----------------------------------------------------------------------------------------------- */

typedef struct {
    FILE *out;
    char *path;
} table;

static int
table_open(exporter *e, const char *before, const char *after, table *t) {
    int status = RETC_OK;
    *t = (table){0};
    RETC_TRY(RETC_GOT(t->path = retc_strf("%s/%s%s.csv", e->folder, before, after)));
    t->out = fopen(t->path, "w");
    if (!t->out)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", t->path, strerror(errno));
    else
        ++e->files;

done:
    return status;
}

/* A failure to write shows here at the latest. */
static int
table_close(table *t, int status) {
    if (t->out && (ferror(t->out) | fclose(t->out)) != 0 && status >= 0)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", t->path, strerror(errno));
    retc_free(t->path);
    *t = (table){0};
    return status;
}

/* The fewest digits that give the number back. */
static void
put_float(FILE *out, float value) {
    char text[32];
    if (value == floorf(value) && fabsf(value) < 1e6f) {
        fprintf(out, ",%.0f", (double)value);
        return;
    }
    for (int digits = 6; digits <= 9; ++digits) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    fprintf(out, ",%s", text);
}

static void
put_double(FILE *out, double value) {
    char text[32];
    for (int digits = 15; digits <= 17; ++digits) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fprintf(out, ",%s", text);
}

static void
put_name(FILE *out, const char *name) {
    if (name[strcspn(name, ",\"\r\n")] == '\0') {
        fputs(name, out);
        return;
    }
    fputc('"', out);
    for (; *name; ++name) {
        if (*name == '"')
            fputc('"', out);
        fputc(*name, out);
    }
    fputc('"', out);
}

/* ---- tables ---------------------------------------------------------------------------------------------------------- */

static int
write_recording(exporter *e) {
    int status = RETC_OK;
    const retc_recording *recording = e->recording;
    const struct {
        const char *name;
        size_t value;
    } sizes[] = {{"rows", retc_recording_height(recording)},
                 {"columns", retc_recording_width(recording)},
                 {"train_frames", retc_recording_frames(recording, RETC_TRAIN)},
                 {"test_frames", retc_recording_frames(recording, RETC_TEST)},
                 {"test_repeats", retc_recording_repeats(recording)},
                 {"cells", retc_recording_cells(recording)}};
    table t = {0};
    RETC_TRY(table_open(e, "recording", "", &t));
    if (e->options->head)
        RETC_TRY(e->options->head(e->options->context, t.out));
    fputs("property,value\nframe_interval_s", t.out);
    put_double(t.out, retc_recording_frame_interval(recording));
    fputc('\n', t.out);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
        fprintf(t.out, "%s,%zu\n", sizes[i].name, sizes[i].value);

done:
    return table_close(&t, status);
}

static int
write_cells(exporter *e) {
    int status = RETC_OK;
    table t = {0};
    RETC_TRY(table_open(e, "cells", "", &t));
    fputs("number,name\n", t.out);
    for (size_t n = 0; n < retc_recording_cells(e->recording); ++n) {
        fprintf(t.out, "%zu,", n);
        put_name(t.out, retc_recording_cell_name(e->recording, n));
        fputc('\n', t.out);
    }

done:
    return table_close(&t, status);
}

static int
write_counts(exporter *e, retc_part part, const retc_progress *progress) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(e->recording), T = retc_recording_frames(e->recording, part), stretches, b = 0;
    const int64_t *start = retc_recording_stretches(e->recording, part, &stretches);
    double *time = NULL;
    float *counts = NULL;
    table t = {0};
    RETC_TRY(table_open(e, part_names[part], "", &t));
    RETC_TRY(RETC_ALLOC(time, T));
    RETC_TRY(RETC_ALLOC(counts, N * SLAB));
    RETC_TRY(retc_recording_time(e->recording, part, time));
    fputs("frame,time_s,stretch", t.out);
    for (size_t n = 0; n < N; ++n) {
        fputc(',', t.out);
        put_name(t.out, retc_recording_cell_name(e->recording, n));
    }
    fputc('\n', t.out);
    for (size_t t0 = 0; t0 < T; t0 += SLAB) {
        size_t n = T - t0 < SLAB ? T - t0 : SLAB;
        RETC_TRY(retc_recording_counts(e->recording, part, t0, n, counts));
        for (size_t i = 0; i < n; ++i) {
            while (b + 1 < stretches && (size_t)start[b + 1] <= t0 + i)
                ++b;
            fprintf(t.out, "%zu", t0 + i);
            put_double(t.out, time[t0 + i]);
            fprintf(t.out, ",%zu", b);
            for (size_t cell = 0; cell < N; ++cell)
                put_float(t.out, counts[cell * n + i]);
            fputc('\n', t.out);
        }
        retc_progress_report(progress, t0 + n, T, "counts");
    }

done:
    retc_free(time);
    retc_free(counts);
    return table_close(&t, status);
}

static int
write_repeats(exporter *e) {
    int status = RETC_OK;
    size_t R = retc_recording_repeats(e->recording), T = retc_recording_frames(e->recording, RETC_TEST);
    float *counts = NULL;
    table t = {0};
    RETC_TRY(table_open(e, "test_repeats", "", &t));
    RETC_TRY(RETC_ALLOC(counts, R * T));
    fputs("cell,repeat", t.out);
    for (size_t i = 0; i < T; ++i)
        fprintf(t.out, ",%zu", i);
    fputc('\n', t.out);
    for (size_t n = 0; n < retc_recording_cells(e->recording); ++n) {
        RETC_TRY(retc_recording_repeat_counts(e->recording, n, counts));
        for (size_t r = 0; r < R; ++r) {
            put_name(t.out, retc_recording_cell_name(e->recording, n));
            fprintf(t.out, ",%zu", r);
            for (size_t i = 0; i < T; ++i)
                put_float(t.out, counts[r * T + i]);
            fputc('\n', t.out);
        }
    }

done:
    retc_free(counts);
    return table_close(&t, status);
}

static int
write_spikes(exporter *e) {
    int status = RETC_OK;
    double *time = NULL;
    size_t spikes;
    table t = {0};
    RETC_TRY(table_open(e, "spikes", "", &t));
    RETC_TRY(RETC_ALLOC(time, SPIKES));
    fputs("cell,time_s\n", t.out);
    for (size_t cell = 0; cell < retc_recording_cells(e->recording); ++cell) {
        RETC_TRY(retc_recording_spikes(e->recording, cell, &spikes));
        for (size_t first = 0, n; first < spikes; first += n) {
            n = spikes - first < SPIKES ? spikes - first : SPIKES;
            RETC_TRY(retc_recording_spike_times(e->recording, cell, first, n, time));
            for (size_t i = 0; i < n; ++i) {
                put_name(t.out, retc_recording_cell_name(e->recording, cell));
                put_double(t.out, time[i]);
                fputc('\n', t.out);
            }
        }
    }

done:
    retc_free(time);
    return table_close(&t, status < 0 ? status : RETC_OK);
}

static int
write_onsets(exporter *e, retc_part part) {
    int status = RETC_OK, found = 0;
    size_t T = retc_recording_frames(e->recording, part);
    size_t R = part == RETC_TEST ? retc_recording_repeats(e->recording) : 1;
    double *onset = NULL;
    table t = {0};
    RETC_TRY(RETC_ALLOC(onset, T));
    for (size_t r = 0; r < R; ++r) {
        RETC_TRY(retc_recording_onsets(e->recording, part, r, onset, &found));
        if (!found)
            break;
        if (r == 0) {
            RETC_TRY(table_open(e, part_names[part], "_onsets", &t));
            fputs("repeat,frame,onset_s\n", t.out);
        }
        for (size_t i = 0; i < T; ++i) {
            fprintf(t.out, "%zu,%zu", r, i);
            put_double(t.out, onset[i]);
            fputc('\n', t.out);
        }
    }

done:
    retc_free(onset);
    return table_close(&t, status);
}

static int
write_stimulus(exporter *e, retc_part part, const retc_progress *progress) {
    int status = RETC_OK;
    size_t height = retc_recording_height(e->recording), width = retc_recording_width(e->recording), pixels = height * width;
    size_t T = retc_recording_frames(e->recording, part), slab = retc_stimulus_slab(height, width);
    float *movie = NULL;
    table t = {0};
    RETC_TRY(table_open(e, part_names[part], "_stimulus", &t));
    RETC_TRY(RETC_ALLOC(movie, slab * pixels));
    fputs("frame", t.out);
    for (size_t i = 0; i < pixels; ++i)
        fprintf(t.out, ",r%zuc%zu", i / width, i % width);
    fputc('\n', t.out);
    for (size_t t0 = 0; t0 < T; t0 += slab) {
        size_t n = T - t0 < slab ? T - t0 : slab;
        RETC_TRY(retc_recording_stimulus(e->recording, part, t0, n, movie));
        for (size_t i = 0; i < n; ++i) {
            fprintf(t.out, "%zu", t0 + i);
            for (size_t k = 0; k < pixels; ++k)
                put_float(t.out, movie[i * pixels + k]);
            fputc('\n', t.out);
        }
        retc_progress_report(progress, t0 + n, T, "stimulus");
    }

done:
    retc_free(movie);
    return table_close(&t, status);
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

/* Whether the recording holds spike times of any cell. */
static int
has_spikes(retc_recording *recording) {
    size_t n;
    int found = 0;
    for (size_t cell = 0; !found && cell < retc_recording_cells(recording); ++cell)
        found = retc_recording_spikes(recording, cell, &n);
    return found;
}

static int
write_part(exporter *e, retc_part part, const retc_progress *progress) {
    int status = RETC_OK;
    if (retc_recording_frames(e->recording, part) == 0)
        return RETC_OK;
    RETC_TRY(write_counts(e, part, progress));
    if (part == RETC_TEST && retc_recording_repeats(e->recording) > 0)
        RETC_TRY(write_repeats(e));
    RETC_TRY(write_onsets(e, part));
    if (e->stimulus)
        RETC_TRY(write_stimulus(e, part, progress));

done:
    return status;
}

static int
write_all(exporter *e, const retc_progress *progress) {
    int status = RETC_OK;
    RETC_TRY(write_recording(e));
    RETC_TRY(write_cells(e));
    for (int part = 0; part < 2; ++part)
        RETC_TRY(write_part(e, (retc_part)part, progress));
    RETC_TRY(has_spikes(e->recording));
    if (status > 0)
        RETC_TRY(write_spikes(e));
    status = RETC_OK;

done:
    return status;
}

int
retc_export_csv(retc_recording *recording, const retc_export_csv_options *options, const retc_progress *progress,
                const char *folder, char **report) {
    int status = RETC_OK;
    size_t pixels = retc_recording_height(recording) * retc_recording_width(recording);
    size_t frames = retc_recording_frames(recording, RETC_TRAIN) + retc_recording_frames(recording, RETC_TEST);
    int small = frames <= RETC_CSV_SMALL / pixels;
    exporter e = {.recording = recording, .options = options, .folder = folder};
    e.stimulus = options->stimulus == RETC_CSV_ALWAYS || (options->stimulus == RETC_CSV_WHEN_SMALL && small);
    *report = NULL;
    /* A decimal comma would part columns. */
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return RETC_FAIL(RETC_ENOMEM, "out of memory for a locale");
    locale_t before = uselocale(plain);
    RETC_TRY(write_all(&e, progress));
    RETC_TRY(RETC_GOT(*report = retc_strf("%zu files\n%s", e.files,
                                          e.stimulus || options->stimulus == RETC_CSV_NEVER
                                              ? ""
                                              : "note: the stimulus is left out, as it is large; --stimulus yes writes it\n")));

done:
    uselocale(before);
    freelocale(plain);
    return status;
}

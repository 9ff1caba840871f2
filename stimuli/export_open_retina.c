#include "export_open_retina.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "stimulus_file.h"

/* Frames of responses that are written in one go; a chunk holds as many. */
enum { SLAB = 4096 };

typedef struct {
    char text[256];
} dataset;

/* "responses_", "train", "" */
static const char *
name_of(dataset *name, const char *before, const char *stimulus, const char *after) {
    snprintf(name->text, sizeof name->text, "%s%s%s", before, stimulus, after);
    return name->text;
}

/* Names become names of datasets and of files. */
static int
check_names(const retc_export_open_retina_options *options) {
    for (int part = 0; part < 2; ++part) {
        const char *name = options->name[part];
        if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') || strlen(name) > 100)
            return RETC_FAIL(RETC_EINVAL, "\"%s\" cannot be the name of a stimulus: it becomes part of names of files", name);
    }
    if (strcmp(options->name[0], options->name[1]) == 0)
        return RETC_FAIL(RETC_EINVAL, "both stimuli are called \"%s\": give the test part another name", options->name[0]);
    return RETC_OK;
}

/* ---- the session file ------------------------------------------------------------------------------------------------ */

static int
write_responses(retc_recording *recording, retc_part part, const char *name, double scale, retc_h5 *file) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording), T = retc_recording_frames(recording, part);
    const size_t shape[2] = {N, T}, chunk[2] = {1, SLAB};
    float *counts = NULL;
    RETC_TRY(retc_h5_make(file, name, RETC_H5_FLOAT, 2, shape, chunk));
    RETC_TRY(RETC_ALLOC(counts, N * SLAB));
    for (size_t t0 = 0; t0 < T; t0 += SLAB) {
        size_t n = T - t0 < SLAB ? T - t0 : SLAB;
        const size_t start[2] = {0, t0}, count[2] = {N, n};
        RETC_TRY(retc_recording_counts(recording, part, t0, n, counts));
        for (size_t i = 0; i < N * n; ++i)
            counts[i] = (float)((double)counts[i] * scale);
        RETC_TRY(retc_h5_write(file, name, RETC_H5_FLOAT, start, count, counts));
    }

done:
    retc_free(counts);
    return status;
}

static int
write_repeats(retc_recording *recording, const char *name, double scale, retc_h5 *file) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording), R = retc_recording_repeats(recording);
    size_t T = retc_recording_frames(recording, RETC_TEST);
    const size_t shape[3] = {N, R, T}, chunk[3] = {1, R, SLAB / R + 1};
    float *counts = NULL;
    RETC_TRY(retc_h5_make(file, name, RETC_H5_FLOAT, 3, shape, chunk));
    RETC_TRY(RETC_ALLOC(counts, R * T));
    for (size_t cell = 0; cell < N; ++cell) {
        const size_t start[3] = {cell, 0, 0}, count[3] = {1, R, T};
        RETC_TRY(retc_recording_repeat_counts(recording, cell, counts));
        for (size_t i = 0; i < R * T; ++i)
            counts[i] = (float)((double)counts[i] * scale);
        RETC_TRY(retc_h5_write(file, name, RETC_H5_FLOAT, start, count, counts));
    }

done:
    retc_free(counts);
    return status;
}

static int
write_movie(retc_recording *recording, retc_part part, const char *name, const retc_progress *progress, retc_h5 *file) {
    int status = RETC_OK;
    size_t height = retc_recording_height(recording), width = retc_recording_width(recording);
    size_t T = retc_recording_frames(recording, part), slab = retc_stimulus_slab(height, width);
    const size_t shape[4] = {1, T, height, width}, chunk[4] = {1, slab < 16 ? 1 : slab / 16, height, width};
    float *movie = NULL;
    RETC_TRY(retc_h5_make(file, name, retc_recording_stimulus_type(recording), 4, shape, chunk));
    RETC_TRY(RETC_ALLOC(movie, slab * height * width));
    for (size_t t0 = 0; t0 < T; t0 += slab) {
        size_t n = T - t0 < slab ? T - t0 : slab;
        const size_t start[4] = {0, t0, 0, 0}, count[4] = {1, n, height, width};
        RETC_TRY(retc_recording_stimulus(recording, part, t0, n, movie));
        RETC_TRY(retc_h5_write(file, name, RETC_H5_FLOAT, start, count, movie));
        retc_progress_report(progress, t0 + n, T, "session");
    }

done:
    retc_free(movie);
    return status;
}

static int
write_clock(retc_recording *recording, retc_part part, const char *stimulus, retc_h5 *file) {
    int status = RETC_OK;
    size_t T = retc_recording_frames(recording, part), stretches;
    const int64_t *start = retc_recording_stretches(recording, part, &stretches);
    double *time = NULL;
    dataset name;
    RETC_TRY(RETC_ALLOC(time, T));
    RETC_TRY(retc_recording_time(recording, part, time));
    RETC_TRY(retc_h5_put(file, name_of(&name, "session_info/", stimulus, "_time"), RETC_H5_DOUBLE, 1, &T, time));
    RETC_TRY(retc_h5_put(file, name_of(&name, "session_info/", stimulus, "_block_start"), RETC_H5_INT64, 1, &stretches, start));

done:
    retc_free(time);
    return status;
}

static int
write_part(retc_recording *recording, retc_part part, const retc_export_open_retina_options *options,
           const retc_progress *progress, retc_h5 *file) {
    int status = RETC_OK;
    const char *stimulus = options->name[part];
    double scale = options->rates ? 1 / retc_recording_frame_interval(recording) : 1;
    dataset name;
    RETC_TRY(write_responses(recording, part, name_of(&name, "responses_", stimulus, ""), scale, file));
    RETC_TRY(retc_h5_set_text(file, name.text, "unit", options->rates ? "spikes/s" : "spikes per frame"));
    RETC_TRY(write_movie(recording, part, name_of(&name, "stimulus_", stimulus, ""), progress, file));
    RETC_TRY(write_clock(recording, part, stimulus, file));
    if (part == RETC_TEST && retc_recording_repeats(recording) > 0)
        RETC_TRY(write_repeats(recording, name_of(&name, "session_info/", stimulus, "_by_trial"), scale, file));

done:
    return status;
}

int
retc_export_open_retina(retc_recording *recording, const retc_export_open_retina_options *options,
                        const retc_progress *progress, retc_h5 *file) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording);
    const double interval = retc_recording_frame_interval(recording);
    const char **names = NULL;
    RETC_TRY(check_names(options));
    for (int part = 0; part < 2; ++part)
        if (retc_recording_frames(recording, (retc_part)part) > 0)
            RETC_TRY(write_part(recording, (retc_part)part, options, progress, file));
    RETC_TRY(RETC_ALLOC(names, N));
    for (size_t n = 0; n < N; ++n)
        names[n] = retc_recording_cell_name(recording, n);
    RETC_TRY(retc_h5_put_texts(file, "session_info/cell_names", N, names));
    RETC_TRY(retc_h5_put(file, "session_info/frame_interval", RETC_H5_DOUBLE, 0, NULL, &interval));

done:
    retc_free(names);
    return status;
}

/* ---- NumPy arrays ---------------------------------------------------------------------------------------------------- */

/* Version 1.0 of the format (NumPy enhancement proposal 1): a magic word, the length of the header, and as the header a Python
 * dictionary, filled up with blanks to a multiple of 64 bytes and ended by a line break. */
static int
write_header(const char *type, size_t T, size_t height, size_t width, FILE *out) {
    unsigned char head[128] = "\x93NUMPY\x01";
    char text[128];
    int used = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (1, %zu, %zu, %zu), }", type, T,
                        height, width);
    size_t length = sizeof head - 10;
    if (used < 0 || (size_t)used >= length)
        return RETC_FAIL(RETC_EINVAL, "a movie of %zu frames of %zu x %zu pixels has no NumPy header", T, height, width);
    head[8] = (unsigned char)(length & 255);
    head[9] = (unsigned char)(length >> 8);
    memset(head + 10, ' ', length);
    memcpy(head + 10, text, (size_t)used);
    head[sizeof head - 1] = '\n';
    return fwrite(head, 1, sizeof head, out) == sizeof head ? RETC_OK : RETC_EIO;
}

/* Values as little-endian numbers, or as bytes. */
static int
write_values(const float *x, size_t n, int bytes, unsigned char *packed, FILE *out) {
    size_t size = bytes ? 1 : 4;
    for (size_t i = 0; i < n; ++i) {
        uint32_t word;
        memcpy(&word, &x[i], sizeof word);
        if (bytes)
            packed[i] = (unsigned char)x[i];
        for (size_t k = 0; !bytes && k < 4; ++k)
            packed[4 * i + k] = (unsigned char)(word >> 8 * k);
    }
    return fwrite(packed, size, n, out) == n ? RETC_OK : RETC_EIO;
}

int
retc_export_npy(retc_recording *recording, retc_part part, const retc_progress *progress, const char *path) {
    int status = RETC_OK, bytes = retc_recording_stimulus_type(recording) == RETC_H5_UINT8;
    size_t height = retc_recording_height(recording), width = retc_recording_width(recording);
    size_t T = retc_recording_frames(recording, part), slab = retc_stimulus_slab(height, width);
    float *movie = NULL;
    unsigned char *packed = NULL;
    errno = 0;
    FILE *out = fopen(path, "wb");
    if (!out)
        return RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", path, strerror(errno));
    RETC_TRY(RETC_ALLOC(movie, slab * height * width));
    RETC_TRY(RETC_ALLOC(packed, slab * height * width * (bytes ? 1 : 4)));
    RETC_TRY(write_header(bytes ? "|u1" : "<f4", T, height, width, out));
    for (size_t t0 = 0; t0 < T; t0 += slab) {
        size_t n = T - t0 < slab ? T - t0 : slab;
        RETC_TRY(retc_recording_stimulus(recording, part, t0, n, movie));
        RETC_TRY(write_values(movie, n * height * width, bytes, packed, out));
        retc_progress_report(progress, t0 + n, T, "array");
    }

done:
    if ((ferror(out) | fclose(out)) != 0)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", path, strerror(errno));
    retc_free(movie);
    retc_free(packed);
    return status;
}

/* Targets: text, images and the files of other programs. */
#include <stdio.h>

#include "fuzz.h"
#include "image.h"
#include "import_matlab.h"
#include "import_text.h"
#include "mat.h"
#include "run_config.h"
#include "text.h"

int
fuzz_image(const uint8_t *data, size_t size) {
    const char *path = fuzz_input(data, size, "");
    size_t n = 0;
    int status = retc_image_count(path, "images", &n);
    fuzz_told(status);
    for (size_t page = 0; status == RETC_OK && page < n && page < 4; ++page) {
        retc_image *image = retc_image_read(path, "images", page, 0);
        if (!image)
            fuzz_told(RETC_EFORMAT);
        retc_image_free(image);
    }
    return 0;
}

static void
read_variable(retc_mat *mat, const char *name) {
    retc_mat_arrays found = {0};
    int status = retc_mat_find(mat, name, &found);
    fuzz_told(status);
    for (size_t i = 0; status == RETC_OK && i < found.n && i < 64; ++i) {
        double *values = found.array[i].n > 0 ? retc_calloc(found.array[i].n, sizeof *values) : NULL;
        if (values)
            fuzz_told(retc_mat_read(mat, &found.array[i], NULL, NULL, values));
        retc_free(values);
    }
    if (status == RETC_OK)
        retc_mat_arrays_clear(&found);
}

int
fuzz_matlab(const uint8_t *data, size_t size) {
    size_t n = 0;
    retc_mat *mat = retc_mat_open(fuzz_input(data, size, ".mat"));
    if (!mat) {
        fuzz_told(RETC_EFORMAT);
        return 0;
    }
    char *const *names = retc_mat_names(mat, &n);
    for (size_t i = 0; i < n && i < 16; ++i)
        read_variable(mat, names[i]);
    read_variable(mat, "cell.times");
    retc_mat_close(mat);
    return 0;
}

int
fuzz_numbers(const uint8_t *data, size_t size) {
    retc_text_column column = {0};
    fuzz_told(retc_text_read_column(fuzz_input(data, size, ".txt"), &column));
    retc_text_column_free(&column);
    return 0;
}

int
fuzz_parameters(const uint8_t *data, size_t size) {
    size_t value;
    fuzz_told(retc_text_read_size(fuzz_input(data, size, ".txt"), "RunningFrames", &value));
    return 0;
}

int
fuzz_run_config(const uint8_t *data, size_t size) {
    retc_run_config *config = NULL;
    fuzz_told(retc_run_config_read(fuzz_input(data, size, ".conf"), &config));
    retc_run_config_free(config);
    return 0;
}

/* ---- imports --------------------------------------------------------------------------------------------------------- */

/* A good text file: n numbers from `first` on, `step` apart. */
static const char *
numbers_file(const char *name, size_t n, double first, double step) {
    const char *path = fuzz_path(name);
    FILE *out = fopen(path, "w");
    for (size_t i = 0; out && i < n; ++i)
        fprintf(out, "%g\n", first + step * (double)i);
    if (out)
        fclose(out);
    return path;
}

/* The input takes each of the three places in turn. */
int
fuzz_import_text(const uint8_t *data, size_t size) {
    const char *input = fuzz_input(data, size, ".txt");
    for (int place = 0; place < 3; ++place) {
        const char *file[3] = {numbers_file("frames.txt", 40, 0, 0.05), numbers_file("movie.txt", 40, -0.5, 0.02),
                               numbers_file("spikes.txt", 70, 0.01, 0.03)};
        retc_recording_writer *writer = NULL;
        retc_import_text_report report = {0};
        file[place] = input;
        const retc_import_options options = {
            .frames = file[0], .stimulus = file[1], .spikes = &file[2], .cells = 1, .test_fraction = 0.25};
        fuzz_told(retc_import_text(&options, fuzz_path("imported.h5"), 1, &writer, &report));
        retc_import_text_report_free(&report);
        retc_recording_writer_free(writer);
    }
    return 0;
}

int
fuzz_import_matlab(const uint8_t *data, size_t size) {
    const char *input = fuzz_input(data, size, ".mat");
    retc_import_matlab_options options = retc_import_matlab_default();
    retc_recording_writer *writer = NULL;
    retc_import_report report = {0};
    options.files = &input, options.n_files = 1, options.preset = "free";
    options.stimulus = "stimulus", options.spikes = "cell.times", options.interval = "0.05", options.axes = "tx";
    fuzz_told(retc_import_matlab(&options, fuzz_path("imported.h5"), 1, NULL, &writer, &report));
    retc_import_report_free(&report);
    retc_recording_writer_free(writer);
    return 0;
}

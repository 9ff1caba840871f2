/* Import of NWB files: made by h5py (tests/h5py/make_nwb.py, where python3-h5py is there), and made here by HDF5's own
 * functions, then spoilt.  What is expected was worked out by hand from those scripts. */
#include <hdf5.h>
#include <math.h>
#include <string.h>

#include "import_nwb.h"
#include "recording.h"
#include "testing.h"

static retc_import_nwb_options
defaults(const char *path) {
    static char kept[512]; /* paths of the scratch folder are not kept for long */
    snprintf(kept, sizeof kept, "%s", path);
    return (retc_import_nwb_options){.file = kept, .axes = "txy", .grey = "auto", .test_fraction = 0.1, .pause = 5};
}

typedef struct {
    retc_recording *recording;
    retc_h5 *h5; /* the same file */
    char *text;  /* what the report says */
} imported;

static imported
import(const retc_import_nwb_options *options) {
    imported result = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", retc_test_path("imported.h5"));
    retc_recording_writer *writer = NULL;
    retc_import_report report = {0};
    ck_ok(retc_import_nwb(options, path, 1, NULL, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    result.text = retc_import_report_text(&report);
    retc_import_report_free(&report);
    result.recording = retc_recording_open(path, 0);
    result.h5 = retc_h5_open(path);
    ck_assert_msg(result.recording && result.h5, "%s", retc_error_message());
    return result;
}

static void
forget(imported *result) {
    retc_recording_close(result->recording);
    retc_h5_close(result->h5);
    retc_free(result->text);
}

static void
refuses(const retc_import_nwb_options *options, const char *says) {
    retc_recording_writer *writer = NULL;
    retc_import_report report = {0};
    ck_fails(retc_import_nwb(options, retc_test_path("refused.h5"), 1, NULL, &writer, &report), says);
    ck_assert_ptr_null(writer);
    retc_import_report_free(&report);
}

#define says(result, what)                                                                                                     \
    ck_assert_msg(strstr((result)->text, (what)) != NULL, "\"%s\" is not in the report:\n%s", (what), (result)->text)
#define says_not(result, what)                                                                                                 \
    ck_assert_msg(strstr((result)->text, (what)) == NULL, "\"%s\" is in the report:\n%s", (what), (result)->text)

/* ---- files of h5py --------------------------------------------------------------------------------------------------- */

/* Frame t of the film of make_nwb.py and here, height x width, seen as it should be. */
static void
film_frame(size_t t, size_t height, size_t width, float *out) {
    for (size_t y = 0; y < height; ++y)
        for (size_t x = 0; x < width; ++x)
            out[y * width + x] = (float)((7 * t + 5 * x + 3 * y) % 256);
}

static void
check_film(retc_recording *recording, retc_part part, size_t t, size_t shown) {
    float found[12], expected[12];
    ck_ok(retc_recording_stimulus(recording, part, t, 1, found));
    film_frame(shown, 3, 4, expected);
    ck_close_float("film", found, expected, 12, 0, 0);
}

START_TEST(test_plain) {
    if (!retc_test_h5py("make_nwb.py"))
        retc_skip("python3-h5py is not installed");
    retc_import_nwb_options options = defaults(retc_test_path("plain.nwb"));
    imported result = import(&options);
    retc_recording *r = result.recording;
    float x[4 * 18] = {0};
    double onset[18];
    ck_assert_uint_eq(retc_recording_height(r), 3);
    ck_assert_uint_eq(retc_recording_width(r), 4);
    ck_assert_uint_eq(retc_recording_cells(r), 4);
    ck_assert_str_eq(retc_recording_cell_name(r, 3), "unit3");
    ck_assert_uint_eq(retc_recording_frames(r, RETC_TRAIN), 18);
    ck_assert_uint_eq(retc_recording_frames(r, RETC_TEST), 2);
    ck_assert_double_eq_tol(retc_recording_frame_interval(r), 0.1, 1e-12);
    ck_assert_int_eq(retc_h5_is_uint8(result.h5, "train/stimulus"), 1);
    for (size_t t = 0; t < 14; ++t)
        check_film(r, RETC_TRAIN, t, t);
    check_film(r, RETC_TEST, 1, 19);
    ck_ok(retc_recording_counts(r, RETC_TRAIN, 0, 18, x));
    ck_close_float("unit 0", x, ((const float[18]){3, 1}), 18, 0, 0);
    ck_close_float("unit 1", x + 18, ((const float[18]){0}), 18, 0, 0);
    ck_close_float("unit 2", x + 36, ((const float[18]){[2] = 1, [9] = 1, [10] = 1}), 18, 0, 0);
    ck_close_float("unit 3", x + 54, ((const float[18]){[0] = 2, [7] = 1}), 18, 0, 0);
    ck_ok(retc_recording_repeat_counts(r, 0, x));
    ck_close_float("test of unit 0", x, ((const float[2]){0, 1}), 2, 0, 0);
    ck_ok(retc_h5_read(result.h5, "train/onset", RETC_H5_DOUBLE, NULL, NULL, onset));
    ck_assert_double_eq_tol(onset[17], 2.7, 1e-12);
    says(&result, "NWB 2.6.0");
    says(&result, "units: 4 of 4 of units, Units, times in steps of 0.0001 s\n");
    says(&result, "axes txy: pictures stored as (4,3) are 3 rows of 4 columns\n");
    says(&result, "black 0 and white 255 taken for granted");
    says(&result, "spikes outside the obs_intervals of their unit: unit2 (1)\n");
    says(&result, "where its counts mean nothing: unit2 (9)\n");
    says(&result, "the table of intervals intervals/trials is not used");
    says(&result, "column waveforms is left out");
    says_not(&result, "says otherwise");
    forget(&result);
}
END_TEST

/* Everything the table of units says of the cells, of those that are chosen. */
START_TEST(test_cell_attributes) {
    if (!retc_test_h5py("make_nwb.py"))
        retc_skip("python3-h5py is not installed");
    retc_import_nwb_options options = defaults(retc_test_path("plain.nwb"));
    options.where = "quality=good";
    options.cells = "1-9";
    options.names = "notes";
    imported result = import(&options);
    char **texts = NULL;
    size_t n = 0;
    double x[8];
    ck_assert_uint_eq(retc_recording_cells(result.recording), 2);
    ck_assert_str_eq(retc_recording_cell_name(result.recording, 0), "b");
    ck_assert_str_eq(retc_recording_cell_name(result.recording, 1), "d");
    ck_ok(retc_h5_read(result.h5, "cells/id", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("id", x, ((const double[2]){1, 3}), 2, 0, 0);
    ck_ok(retc_h5_read_texts(result.h5, "cells/quality", &texts, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(texts[1], "good");
    retc_free(texts);
    ck_ok(retc_h5_read(result.h5, "cells/depth", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("depth", x, ((const double[2]){20.5, 40.5}), 2, 0, 0);
    ck_ok(retc_h5_read(result.h5, "cells/stable", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("stable", x, ((const double[2]){0, 1}), 2, 0, 0);
    ck_ok(retc_h5_expect(result.h5, "cells/waveform_mean", 2, (const size_t[2]){2, 2}, NULL));
    ck_ok(retc_h5_read(result.h5, "cells/waveform_mean", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("waveform", x, ((const double[4]){2, 3, 6, 7}), 4, 0, 0);
    ck_ok(retc_h5_read_texts(result.h5, "cells/electrode_group", &texts, &n));
    ck_assert_str_eq(texts[0], "general/shank1");
    ck_assert_str_eq(texts[1], "general/shank0");
    retc_free(texts);
    /* Unit 1 has no electrode, unit 3 has number 2. */
    ck_ok(retc_h5_expect(result.h5, "cells/electrodes", 1, (const size_t[1]){1}, NULL));
    ck_ok(retc_h5_read(result.h5, "cells/electrodes", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_assert_double_eq(x[0], 2);
    ck_ok(retc_h5_read(result.h5, "cells/electrodes_index", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("electrodes", x, ((const double[2]){0, 1}), 2, 0, 0);
    ck_assert_int_eq(retc_h5_has(result.h5, "cells/waveforms"), 0);
    char *identifier = NULL;
    ck_ok(retc_h5_get_text(result.h5, "/", "identifier", &identifier));
    ck_assert_str_eq(identifier, "session 7");
    retc_free(identifier);
    forget(&result);

    options.where = "stable=true,depth=30.5";
    options.cells = "all";
    options.names = NULL;
    result = import(&options);
    ck_assert_uint_eq(retc_recording_cells(result.recording), 1);
    ck_assert_str_eq(retc_recording_cell_name(result.recording, 0), "unit2");
    forget(&result);
    options.where = "electrodes=2,tint=red";
    refuses(&options, "--where: \"units\" has no column \"tint\"");
    options.where = "quality=awful";
    refuses(&options, "none of the 4 units of \"units\" is chosen");
    options.where = NULL;
    options.cells = "4-8";
    refuses(&options, "--cells: no unit has an id of 4 to 8");
    options.cells = "x";
    refuses(&options, "--cells: \"x\" is no list of ids such as 0,3,7-9");
}
END_TEST

START_TEST(test_other_axes) {
    if (!retc_test_h5py("make_nwb.py"))
        retc_skip("python3-h5py is not installed");
    retc_import_nwb_options options = defaults(retc_test_path("plain.nwb"));
    options.axes = "tyx";
    imported result = import(&options);
    float x[12];
    ck_assert_uint_eq(retc_recording_height(result.recording), 4);
    ck_assert_uint_eq(retc_recording_width(result.recording), 3);
    ck_ok(retc_recording_stimulus(result.recording, RETC_TRAIN, 1, 1, x));
    for (size_t i = 0; i < 12; ++i) /* row i / 3 is column x of the film */
        ck_assert_double_eq((double)x[i], (double)(7 + 5 * (i / 3) + 3 * (i % 3)));
    says(&result,
         "warning: the dimension of stimulus/presentation/film says otherwise (width, height): is --axes txy right?\n");
    forget(&result);
}
END_TEST

/* Trials a b a b: two repeats of two stretches; asked for by what they show, by the table, by the epoch around them. */
START_TEST(test_repeats) {
    static const char *const asked[] = {"repeated", "trials", "film", "intervals=", "stimulus=a"};
    if (!retc_test_h5py("make_nwb.py"))
        retc_skip("python3-h5py is not installed");
    retc_import_nwb_options options = defaults(retc_test_path("plain.nwb"));
    options.test = asked[_i];
    if (_i == 3) {
        refuses(&options, "plain.nwb: --test intervals=: no table of intervals is called so, and no row holds it");
        return;
    }
    imported result = import(&options);
    retc_recording *r = result.recording;
    size_t frames = _i == 4 ? 2 : 4, train = _i == 4 ? 16 : 12;
    float x[4 * 16] = {0};
    retc_span *spans = NULL;
    size_t n = 0;
    ck_assert_uint_eq(retc_recording_frames(r, RETC_TEST), frames);
    ck_assert_uint_eq(retc_recording_repeats(r), 2);
    for (size_t t = 0; t < frames; ++t)
        check_film(r, RETC_TEST, t, 10 + t);
    ck_ok(retc_recording_repeat_counts(r, 2, x));
    ck_close_float("repeats of unit 2", x, ((const float[8]){1}), 2 * frames, 0, 0);
    ck_assert_uint_eq(retc_recording_frames(r, RETC_TRAIN), train);
    ck_ok(retc_recording_counts(r, RETC_TRAIN, 0, train, x));
    ck_close_float("unit 0", x, ((const float[16]){[0] = 3, [1] = 1, [11] = _i == 4 ? 0 : 1, [15] = 1}), train, 0, 0);
    ck_ok(retc_recording_spans(r, RETC_TRAIN, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, _i == 4 ? 3 : 2);
    ck_assert_uint_eq(spans[0].count, 10);
    retc_free(spans);
    ck_ok(retc_recording_spans(r, RETC_TEST, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, frames / 2);
    retc_free(spans);
    forget(&result);
}
END_TEST

/* Units and pictures in another file; pictures by number: ant, mole, zebra are 1, 2, 0 of what was written, grey 40, 80, 0. */
START_TEST(test_links) {
    if (!retc_test_h5py("make_nwb.py"))
        retc_skip("python3-h5py is not installed");
    retc_import_nwb_options options = defaults(retc_test_path("links.nwb"));
    imported result = import(&options);
    retc_recording *r = result.recording;
    float x[7 * 6], grey[7];
    retc_span *spans = NULL;
    size_t n = 0;
    ck_assert_uint_eq(retc_recording_frames(r, RETC_TRAIN), 7);
    ck_assert_uint_eq(retc_recording_height(r), 3);
    ck_assert_uint_eq(retc_recording_width(r), 2);
    ck_ok(retc_recording_stimulus(r, RETC_TRAIN, 0, 7, x));
    for (size_t t = 0; t < 7; ++t)
        grey[t] = x[6 * t];
    ck_close_float("pictures", grey, ((const float[7]){40, 40, 80, 0, 80, 40, 0}), 7, 0, 0);
    /* Onsets 1.0 1.2 1.3 1.4 2.0 2.1 2.2; frame 3 ends at 1.5, before a pause of 0.6 s. */
    ck_ok(retc_recording_counts(r, RETC_TRAIN, 0, 7, x));
    ck_close_float("unit 0", x, ((const float[7]){4}), 7, 0, 0);
    ck_close_float("unit 2", x + 14, ((const float[7]){[1] = 1, [4] = 1}), 7, 0, 0);
    ck_close_float("unit 3", x + 21, ((const float[7]){2}), 7, 0, 0);
    ck_ok(retc_recording_spans(r, RETC_TRAIN, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(spans[1].first, 4);
    retc_free(spans);
    says(&result, "parts of it stand in other files: gone.nwb, pictures.nwb\n");
    says(&result, "links that lead nowhere: acquisition/gone\n");
    says(&result, "stimulus: acquisition/shown, IndexSeries: 7 frames, timestamps\n");
    says(&result, "1 pauses longer than 5 median intervals");
    forget(&result);
}
END_TEST

/* Indexed time series of colours; frames of 0.2 s from a start and a rate; types of an extension. */
START_TEST(test_old_writer) {
    if (!retc_test_h5py("make_nwb.py"))
        retc_skip("python3-h5py is not installed");
    retc_import_nwb_options options = defaults(retc_test_path("old.nwb"));
    imported result = import(&options);
    float x[9 * 6], counts[4 * 9];
    ck_assert_int_eq(retc_h5_is_uint8(result.h5, "train/stimulus"), 0);
    ck_ok(retc_recording_stimulus(result.recording, RETC_TRAIN, 0, 9, x));
    /* Pictures (2,3,3): stored rows are columns.  Number 2 is 0.5 in its first column; 0 is 0.3 / 3; 1 is 1. */
    ck_close_float("picture 2", x, ((const float[6]){127.5f, 0, 127.5f, 0, 127.5f, 0}), 6, 1e-4, 0);
    ck_close_float("picture 0", x + 6, ((const float[6]){25.5f, 25.5f, 25.5f, 25.5f, 25.5f, 25.5f}), 6, 1e-4, 0);
    ck_close_float("picture 1", x + 12, ((const float[6]){255, 255, 255, 255, 255, 255}), 6, 1e-4, 0);
    ck_ok(retc_recording_counts(result.recording, RETC_TRAIN, 0, 9, counts));
    ck_close_float("unit 0", counts, ((const float[9]){4}), 9, 0, 0);
    ck_close_float("unit 2", counts + 18, ((const float[9]){[1] = 1, [4] = 1, [5] = 1}), 9, 0, 0);
    says(&result, "units: 4 of 4 of sorted, SortedCells (unknown, used as what its datasets are)");
    says(&result, "PictureNumbers (unknown, used as what its datasets are): 10 frames, times from start and rate\n");
    says(&result, "RGB is averaged to grey\n");
    says(&result, "black 0 and white 1 taken for granted");
    forget(&result);
}
END_TEST

/* ---- a file made here ------------------------------------------------------------------------------------------------ */

static hid_t
make_group(hid_t file, const char *path) {
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t id = H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s", path);
    H5Pclose(links);
    return id;
}

/* An attribute, or with `dataset` a dataset, of n strings (0: a scalar). */
static void
put_words(hid_t owner, const char *name, int dataset, hsize_t n, const char *const *words) {
    hid_t space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    if (dataset) {
        hid_t id = H5Dcreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        ck_assert(id >= 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, words) >= 0);
        H5Dclose(id);
    } else {
        if (H5Aexists(owner, name) > 0)
            H5Adelete(owner, name);
        hid_t id = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        ck_assert(id >= 0 && H5Awrite(id, type, words) >= 0);
        H5Aclose(id);
    }
    H5Tclose(type);
    H5Sclose(space);
}

static void
put_numbers(hid_t file, const char *path, hid_t type, int rank, const hsize_t *shape, const double *values) {
    hid_t links = H5Pcreate(H5P_LINK_CREATE), space = rank ? H5Screate_simple(rank, shape, NULL) : H5Screate(H5S_SCALAR);
    H5Pset_create_intermediate_group(links, 1);
    hid_t id = H5Dcreate2(file, path, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s", path);
    ck_assert(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(links);
}

static void
put_list(hid_t file, const char *path, hid_t type, hsize_t n, const double *values) {
    put_numbers(file, path, type, 1, &n, values);
}

static void
label(hid_t file, const char *path, const char *type, const char *space) {
    hid_t id = H5Oopen(file, path, H5P_DEFAULT);
    put_words(id, "neurodata_type", 0, 0, &type);
    put_words(id, "namespace", 0, 0, &space);
    H5Oclose(id);
}

static void
put_attribute(hid_t file, const char *path, const char *name, double value) {
    hid_t id = H5Oopen(file, path, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    if (H5Aexists(id, name) > 0)
        H5Adelete(id, name);
    hid_t attribute = H5Acreate2(id, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Oclose(id);
}

#define UNITS "units"
#define FILM "stimulus/presentation/film"
#define TRIALS "intervals/trials"

enum { FRAMES = 10 };

/* Ten frames of 2 x 3 pixels (txy: 3 columns of 2), 0.5 s each from 10 s on; two units; trials of frames 0 1, 4 5, 8 9. */
static const char *
make_file(const char *name) {
    static const char *const columns[] = {"spike_times"};
    static char path[512];
    const char *version = "2.7.0";
    snprintf(path, sizeof path, "%s", retc_test_path(name));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), root = H5Gopen2(file, "/", H5P_DEFAULT);
    const hsize_t film[3] = {FRAMES, 3, 2};
    double stored[FRAMES * 6], clock[FRAMES];
    put_words(root, "nwb_version", 0, 0, &version);
    label(file, "/", "NWBFile", "core");
    H5Gclose(root);
    hid_t units = make_group(file, UNITS);
    put_words(units, "colnames", 0, 1, columns);
    H5Gclose(units);
    label(file, UNITS, "Units", "core");
    put_list(file, UNITS "/id", H5T_STD_I64LE, 2, (const double[2]){5, 7});
    put_list(file, UNITS "/spike_times", H5T_IEEE_F64LE, 5, (const double[5]){10, 10.25, 14.5, 11, 12.75});
    put_list(file, UNITS "/spike_times_index", H5T_STD_U64LE, 2, (const double[2]){3, 5});
    for (size_t t = 0; t < FRAMES; ++t) {
        clock[t] = 10 + 0.5 * (double)t;
        for (size_t i = 0; i < 6; ++i) /* column i / 2, row i % 2 */
            stored[6 * t + i] = (double)(7 * (t % 4) + 5 * (i / 2) + 3 * (i % 2));
    }
    H5Gclose(make_group(file, FILM));
    label(file, FILM, "ImageSeries", "core");
    put_numbers(file, FILM "/data", H5T_STD_U8LE, 3, film, stored);
    put_list(file, FILM "/timestamps", H5T_IEEE_F64LE, FRAMES, clock);
    H5Gclose(make_group(file, TRIALS));
    label(file, TRIALS, "TimeIntervals", "core");
    put_list(file, TRIALS "/start_time", H5T_IEEE_F32LE, 3, (const double[3]){10, 12, 14});
    put_list(file, TRIALS "/stop_time", H5T_IEEE_F32LE, 3, (const double[3]){11, 13, 15});
    H5Fclose(file);
    return path;
}

/* One thing in the file is changed. */
typedef struct {
    char what; /* - remove; 8 numbers as f8, 1 as u1, i as i4; s a single number; t text dataset; @ text attribute, # number
                * attribute
                */
    const char *path;
    const char *text; /* or name of an attribute */
    size_t n;
    double value[FRAMES];
} edit;

static void
apply(const char *path, const edit *e) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    char *colon = NULL, name[64];
    ck_assert(file >= 0);
    if (e->what == '@' || e->what == '#') {
        snprintf(name, sizeof name, "%s", e->text);
        if ((colon = strchr(name, '=')))
            *colon++ = '\0';
        hid_t owner = H5Oopen(file, e->path, H5P_DEFAULT);
        const char *word = colon;
        if (e->what == '#')
            put_attribute(file, e->path, name, e->value[0]);
        else
            put_words(owner, name, 0, 0, &word);
        H5Oclose(owner);
    } else {
        if (H5Lexists(file, e->path, H5P_DEFAULT) > 0)
            ck_assert(H5Ldelete(file, e->path, H5P_DEFAULT) >= 0);
        if (e->what == 't')
            put_words(file, e->path, 1, strncmp(e->path, "intervals", 9) == 0 || strstr(e->path, "external") ? 1 : 0, &e->text);
        else if (e->what == 's')
            put_numbers(file, e->path, H5T_IEEE_F64LE, 0, NULL, e->value);
        else if (e->what != '-')
            put_list(file, e->path,
                     e->what == '8'   ? H5T_IEEE_F64LE
                     : e->what == '1' ? H5T_STD_U8LE
                                      : H5T_STD_I32LE,
                     e->n, e->value);
    }
    H5Fclose(file);
}

START_TEST(test_own_file) {
    retc_import_nwb_options options = defaults(make_file("own.nwb"));
    options.test_fraction = 0.2;
    imported result = import(&options);
    float x[2 * 8];
    ck_assert_str_eq(retc_recording_cell_name(result.recording, 0), "unit5");
    ck_assert_str_eq(retc_recording_cell_name(result.recording, 1), "unit7");
    ck_ok(retc_recording_counts(result.recording, RETC_TRAIN, 0, 8, x));
    ck_close_float("unit 5", x, ((const float[8]){2}), 8, 0, 0);
    ck_close_float("unit 7", x + 8, ((const float[8]){[2] = 1, [5] = 1}), 8, 0, 0);
    ck_ok(retc_recording_repeat_counts(result.recording, 0, x));
    ck_close_float("test of unit 5", x, ((const float[2]){0, 1}), 2, 0, 0);
    ck_ok(retc_recording_stimulus(result.recording, RETC_TRAIN, 1, 1, x));
    ck_close_float("frame 1", x, ((const float[6]){7, 12, 17, 10, 15, 20}), 6, 0, 0);
    forget(&result);
}
END_TEST

/* Invalid times: frame 3 (11.5 ... 12) is touched, and so is 4 (12 ... 12.5), in which a trial begins. */
START_TEST(test_invalid_times) {
    const char *path = make_file("own.nwb");
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Gclose(make_group(file, "intervals/invalid_times"));
    label(file, "intervals/invalid_times", "TimeIntervals", "core");
    put_list(file, "intervals/invalid_times/start_time", H5T_IEEE_F64LE, 1, (const double[1]){11.75});
    put_list(file, "intervals/invalid_times/stop_time", H5T_IEEE_F64LE, 1, (const double[1]){12.8});
    H5Fclose(file);
    retc_import_nwb_options options = defaults(path);
    options.test = "repeated";
    imported result = import(&options);
    /* Trials of frames 0 1 and 4 5 and 8 9 show the same; the second of them is not valid.  Train: 2, 6 7. */
    ck_assert_uint_eq(retc_recording_repeats(result.recording), 2);
    ck_assert_uint_eq(retc_recording_frames(result.recording, RETC_TEST), 2);
    ck_assert_uint_eq(retc_recording_frames(result.recording, RETC_TRAIN), 3);
    says(&result, "invalid_times: 1 rows touch 3 frames, which are left out\n");
    says(&result, "1 test rows touch invalid_times and are left out\n");
    says(&result, "spikes inside invalid_times: unit7 (1)\n");
    forget(&result);
    options.keep_invalid = 1;
    result = import(&options);
    ck_assert_uint_eq(retc_recording_repeats(result.recording), 3);
    ck_assert_uint_eq(retc_recording_frames(result.recording, RETC_TRAIN), 4);
    forget(&result);
}
END_TEST

/* What black and white are taken to be, and what becomes of the byte 10: column 2, row 0 of frame 0. */
static const struct {
    double conversion, offset;
    const char *grey, *says;
    double expected;
    int bytes;
} greys[] = {
    {1, 0, "auto", "stored values 0 ... 255, black 0 and white 255 taken for granted", 10, 1},
    {1 / 255.0, 0, "auto", "stored values 0 ... 1, black 0 and white 1 taken for granted", 10, 1},
    {2 / 255.0, -1, "auto", "stored values -1 ... 1, black -1 and white 1 taken for granted", 10, 1},
    {2, 0, "auto", "warning: these values are neither 0 ... 1, -1 ... 1 nor 0 ... 255", 10, 1},
    {-1, 0, "auto", "stored values -255 ... 0, black -255 and white 0 taken for granted", 245, 1},
    {1, 0, "0:51", "black 0 and white 51 as asked for", 50, 0},
    {1, 0, "20:10", "black 20 and white 10 as asked for", 255, 0},
};

START_TEST(test_grey_levels) {
    const char *path = make_file("own.nwb");
    apply(path, &(edit){'#', FILM "/data", "conversion", 0, {greys[_i].conversion}});
    apply(path, &(edit){'#', FILM "/data", "offset", 0, {greys[_i].offset}});
    retc_import_nwb_options options = defaults(path);
    options.grey = greys[_i].grey;
    imported result = import(&options);
    float x[6];
    ck_ok(retc_recording_stimulus(result.recording, RETC_TRAIN, 0, 1, x));
    /* Four-byte numbers on the way: half a unit in the last place of 510. */
    ck_assert_double_eq_tol((double)x[2], greys[_i].expected, 2e-5);
    says(&result, greys[_i].says);
    ck_assert_int_eq(retc_h5_is_uint8(result.h5, "train/stimulus"), greys[_i].bytes);
    forget(&result);
}
END_TEST

/* Bits stored as bytes are black and white; other numbers are looked at to the last one. */
START_TEST(test_measured_levels) {
    const char *path = make_file("own.nwb");
    const hsize_t shape[3] = {FRAMES, 1, 1};
    double bits[FRAMES] = {0, 1, 0, 1, 1, 0, 1, 0, 0, 1};
    apply(path, &(edit){.what = '-', .path = FILM "/data"});
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    put_numbers(file, FILM "/data", _i == 0 ? H5T_STD_U8LE : H5T_STD_I16LE, 3, shape, bits);
    H5Fclose(file);
    retc_import_nwb_options options = defaults(path);
    imported result = import(&options);
    float x[FRAMES];
    ck_ok(retc_recording_stimulus(result.recording, RETC_TRAIN, 0, 9, x));
    ck_close_float("bits", x, ((const float[9]){0, 255, 0, 255, 255, 0, 255, 0, 0}), 9, 0, 0);
    ck_assert_int_eq(retc_h5_is_uint8(result.h5, "train/stimulus"), 1);
    forget(&result);

    bits[FRAMES - 1] = 1000;
    apply(path, &(edit){.what = '-', .path = FILM "/data"});
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    put_numbers(file, FILM "/data", H5T_STD_I16LE, 3, shape, bits);
    H5Fclose(file);
    result = import(&options);
    says(&result, "stored values 0 ... 1000, black 0 and white 1000 taken for granted");
    forget(&result);
}
END_TEST

/* One thing that is odd, but no reason to give up. */
static const struct {
    edit edit;
    const char *says;
} odd[] = {
    {{'8', UNITS "/id", NULL, 2, {5, 5}}, "warning: ids of units occur twice: cells are named by row\n"},
    {{'-', UNITS "/id", NULL, 0, {0}}, "unit1 "},
    {{'8', UNITS "/spike_times", NULL, 5, {-1, 10.25, 14.5, 11, 12.75}}, "unit5 has 1 spikes at negative times\n"},
    {{'8', UNITS "/spike_times", NULL, 5, {10, 10.25, 14500, 11, 12.75}},
     "unit5 has spikes long after the stimulus: are they in ms?"},
    {{'8', FILM "/timestamps", NULL, 9, {10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14}},
     "has 9 times; the first 9 frames are used\n"},
    {{'8', FILM "/timestamps", NULL, 10, {10, 10.5, 11, 11.5, 12, 13, 13.5, 14, 14.5, 15}},
     "warning: 1 frames last longer than 1.5 median intervals"},
    {{'8', FILM "/timestamps", NULL, 10, {10, 10.5, 11, 11.5, 12, 22, 22.5, 23, 23.5, 24}}, "note: 1 pauses longer than 5"},
    {{'8', FILM "/timestamps", NULL, 10, {10, 510, 1010, 1510, 2010, 2510, 3010, 3510, 4010, 4510}},
     "warning: all spikes come in the first part of the stimulus: are the frame times in ms?\n"},
    {{'i', FILM "/dimension", NULL, 2, {2, 3}}, "is --axes tyx right?"},
    {{'8', UNITS "/depth", NULL, 3, {1, 2, 3}}, "column depth is left out"},
};

START_TEST(test_odd) {
    const char *path = make_file("own.nwb");
    apply(path, &odd[_i].edit);
    retc_import_nwb_options options = defaults(path);
    imported result = import(&options);
    says(&result, odd[_i].says);
    forget(&result);
}
END_TEST

static const struct {
    edit edit;
    const char *says;
} wrong[] = {
    {{'-', UNITS, NULL, 0, {0}}, "own.nwb: there is no table of units"},
    {{'-', UNITS "/spike_times", NULL, 0, {0}}, "own.nwb: \"units\" lacks spike_times"},
    {{'-', UNITS "/spike_times_index", NULL, 0, {0}}, "\"units\" lacks spike_times_index: which spikes are whose?"},
    {{'1', UNITS "/spike_times_index", NULL, 2, {3, 9}}, "has 9 in row 1: expected ascending ends up to 5"},
    {{'1', UNITS "/spike_times_index", NULL, 2, {3, 2}}, "has 2 in row 1: expected ascending ends up to 5"},
    {{'1', UNITS "/spike_times_index", NULL, 1, {5}}, "\"units/spike_times_index\" has 1 rows, the table has 2"},
    {{'8', UNITS "/spike_times", NULL, 5, {10.25, 10, 14.5, 11, 12.75}},
     "own.nwb: unit5: spike 1, at 10 s, comes after one at 10.25 s: sort the times"},
    {{'8', UNITS "/spike_times", NULL, 5, {10, 10.25, 14.5, 11, (double)NAN}}, "unit7: spike 1 is at nan s"},
    {{'8', UNITS "/spike_times", NULL, 5, {10000, 10250, 14500, 11000, 12750}},
     "no spike of any cell falls into the frames that are used (10 ... 15 s): are the spikes in ms?"},
    {{'-', FILM, NULL, 0, {0}}, "no series of pictures (ImageSeries, OpticalSeries, IndexSeries) is there"},
    {{'-', FILM "/data", NULL, 0, {0}}, "dataset \"stimulus/presentation/film/data\" is missing"},
    {{'-', FILM "/timestamps", NULL, 0, {0}}, "\"stimulus/presentation/film\" has neither timestamps nor starting_time"},
    {{'8', FILM "/timestamps", NULL, 10, {10, 11, 10.5, 11.5, 12, 12.5, 13, 13.5, 14, 14.5}},
     "film/timestamps\": time 2, 10.5 s, does not come after the one before"},
    {{'8', FILM "/timestamps", NULL, 7, {10, 11, 12, 13, 14, 15, 16}},
     "has 10 frames and 7 timestamps: expected the same number (within 2)"},
    {{'@', FILM "/timestamps", "unit=ms", 0, {0}}, "is in ms, expected seconds"},
    {{'t', FILM "/external_file", "film.avi", 0, {0}},
     "the pictures of \"stimulus/presentation/film\" are in another file, film.avi"},
    {{'t', FILM "/format", "tiff", 0, {0}}, "are of format \"tiff\", expected \"raw\""},
    {{'#', FILM "/data", "conversion", 0, {0}}, "has conversion 0 and offset 0"},
    {{'8', FILM "/data", NULL, 10, {0}}, "holds no pictures: a picture has 2 axes, or 3 with colours"},
    {{'@', "/", "nwb_version=1.0.6", 0, {0}}, "own.nwb: is NWB 1.0.6; convert it to NWB 2 first"},
    {{'8', TRIALS "/stop_time", NULL, 3, {9, 13, 15}}, "row 0 of \"intervals/trials\" goes from 10 to 9 s"},
    {{'8', TRIALS "/start_time", NULL, 3, {10, 10.5, 14}}, "rows of a table of intervals overlap at 10.5 s"},
    {{'8', TRIALS "/stop_time", NULL, 2, {11, 13}}, "\"intervals/trials/stop_time\" has 2 rows, the table has 3"},
    {{'@', TRIALS "/start_time", "unit=minutes", 0, {0}}, "is in minutes, expected seconds"},
};

START_TEST(test_refuses) {
    const char *path = make_file("own.nwb");
    apply(path, &wrong[_i].edit);
    retc_import_nwb_options options = defaults(path);
    options.test = "trials";
    refuses(&options, wrong[_i].says);
}
END_TEST

START_TEST(test_refuses_options) {
    const char *path = make_file("own.nwb");
    retc_import_nwb_options options = defaults(path);
    options.stimulus = "movie";
    refuses(&options, "no series is called \"movie\": choose with --stimulus from stimulus/presentation/film");
    options.stimulus = "film";
    options.units = "cells";
    refuses(&options, "no table of units is called \"cells\"");
    options.units = "/units";
    options.grey = "1";
    refuses(&options, "--grey: \"1\" is not \"auto\" or two different values BLACK:WHITE");
    options.grey = "3:3";
    refuses(&options, "--grey: \"3:3\" is not");
    options.grey = "auto";
    options.names = "tint";
    refuses(&options, "--names: \"units\" has no column \"tint\"");
    options.names = NULL;
    options.where = "id";
    refuses(&options, "--where: \"id\" is no condition COLUMN=VALUE");
    options.where = NULL;
    options.test_fraction = 0.95;
    refuses(&options, "a test fraction of 0.95");
    options = defaults(make_file("own.nwb"));
    options.file = retc_test_path("nothing.nwb");
    refuses(&options, "nothing.nwb: No such file or directory");
    hid_t file = H5Fcreate(retc_test_path("empty.nwb"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    options.file = retc_test_path("empty.nwb");
    refuses(&options, "its root has neither nwb_version nor neurodata_type \"NWBFile\": is it NWB?");
}
END_TEST

/* Numbers of pictures that are not there; two series at one time; two of different size. */
START_TEST(test_several_series) {
    const char *path = make_file("own.nwb");
    const hsize_t shape[3] = {3, 3, 2}, larger[3] = {3, 4, 2};
    const double pictures[24] = {0};
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Gclose(make_group(file, "stimulus/presentation/numbers"));
    label(file, "stimulus/presentation/numbers", "IndexSeries", "core");
    put_list(file, "stimulus/presentation/numbers/data", H5T_STD_I32LE, 3, (const double[3]){0, 3, 10});
    H5Lcreate_soft("/" FILM, file, "stimulus/presentation/numbers/indexed_timeseries", H5P_DEFAULT, H5P_DEFAULT);
    put_numbers(file, "stimulus/presentation/numbers/starting_time", H5T_IEEE_F64LE, 0, NULL, (const double[1]){10});
    H5Fclose(file);
    retc_import_nwb_options options = defaults(path);
    refuses(&options, "frame 2 of \"stimulus/presentation/numbers\" shows picture 10, there are 10 (from 0)");
    apply(path, &(edit){'i', "stimulus/presentation/numbers/data", NULL, 3, {0, 3, 9}});
    refuses(&options, "\"stimulus/presentation/numbers/starting_time\" is 10 s with a rate of 0 Hz: expected a positive rate");
    apply(path, &(edit){'#', "stimulus/presentation/numbers/starting_time", "rate", 0, {2}});
    imported result = import(&options); /* the film lends its pictures, and is not shown itself */
    float x[6];
    ck_assert_uint_eq(retc_recording_frames(result.recording, RETC_TRAIN), 3);
    ck_ok(retc_recording_stimulus(result.recording, RETC_TRAIN, 1, 1, x));
    ck_assert_double_eq((double)x[0], 21);
    forget(&result);
    options.stimulus = "film,numbers";
    refuses(&options, "were shown at the same time (10 s): choose one with --stimulus");

    options.stimulus = NULL;
    apply(path, &(edit){.what = '-', .path = "stimulus/presentation/numbers"});
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Gclose(make_group(file, "stimulus/presentation/before"));
    label(file, "stimulus/presentation/before", "OpticalSeries", "core");
    put_numbers(file, "stimulus/presentation/before/data", H5T_STD_U8LE, 3, shape, pictures);
    put_list(file, "stimulus/presentation/before/timestamps", H5T_IEEE_F64LE, 3, (const double[3]){1, 1.5, 2});
    H5Fclose(file);
    result = import(&options);
    ck_assert_uint_eq(retc_recording_frames(result.recording, RETC_TRAIN), 12);
    retc_span *spans = NULL;
    size_t n = 0;
    ck_ok(retc_recording_spans(result.recording, RETC_TRAIN, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(spans[1].first, 3);
    retc_free(spans);
    forget(&result);
    apply(path, &(edit){.what = '-', .path = "stimulus/presentation/before/data"});
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    put_numbers(file, "stimulus/presentation/before/data", H5T_STD_U8LE, 3, larger, pictures);
    H5Fclose(file);
    refuses(&options, "before has 2 x 4 pixels and film 2 x 3: import them apart, with --stimulus");
}
END_TEST

static Suite *
nwb_suite(void) {
    Suite *suite = suite_create("nwb");
    TCase *others = tcase_create("files of h5py"), *own = tcase_create("own files");
    tcase_add_test(others, test_plain);
    tcase_add_test(others, test_cell_attributes);
    tcase_add_test(others, test_other_axes);
    tcase_add_loop_test(others, test_repeats, 0, 5);
    tcase_add_test(others, test_links);
    tcase_add_test(others, test_old_writer);
    tcase_set_timeout(others, 60);
    tcase_add_test(own, test_own_file);
    tcase_add_test(own, test_invalid_times);
    tcase_add_loop_test(own, test_grey_levels, 0, sizeof greys / sizeof *greys);
    tcase_add_loop_test(own, test_measured_levels, 0, 2);
    tcase_add_loop_test(own, test_odd, 0, sizeof odd / sizeof *odd);
    tcase_add_loop_test(own, test_refuses, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(own, test_refuses_options);
    tcase_add_test(own, test_several_series);
    suite_add_tcase(suite, others);
    suite_add_tcase(suite, own);
    return suite;
}

int
main(void) {
    return retc_test_main(nwb_suite(), NULL);
}

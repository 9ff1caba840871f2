/* Text files, frame clocks, spike counts, and the import of text recordings. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "frame_clock.h"
#include "import_text.h"
#include "recording.h"
#include "spikes.h"
#include "testing.h"
#include "text.h"

/* Write `text` to a file in the scratch folder. */
static const char *
text_file_of(const char *name, const char *text, size_t length) {
    const char *path = retc_test_path(name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static const char *
text_file(const char *name, const char *text) {
    return text_file_of(name, text, strlen(text));
}

/* ---- columns of numbers ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *header;
    size_t n;
    double value[3];
    size_t line[3];
} readable[] = {
    {"1\n2.5\n-3e2\n", NULL, 3, {1, 2.5, -300}, {1, 2, 3}},
    {"1\r\n2\r\n3", NULL, 3, {1, 2, 3}, {1, 2, 3}},
    {"1\r2\r3\r", NULL, 3, {1, 2, 3}, {1, 2, 3}},
    {"# spikes\n\n 1 \n\t\n2\t\n#3\n4\n", NULL, 3, {1, 2, 4}, {3, 5, 7}},
    {"time (s)\n0.25\n", "time (s)", 1, {0.25}, {2}},
    {"\n# x\nvalue\n7\n", "value", 1, {7}, {4}},
    {"\xEF\xBB\xBF"
     "5\n6\n",
     NULL,
     2,
     {5, 6},
     {1, 2}},
    {"", NULL, 0, {0}, {0}},
    {"only a header\n", "only a header", 0, {0}, {0}},
    {".5\n+1\n", NULL, 2, {0.5, 1}, {1, 2}},
};

START_TEST(test_readable_columns) {
    retc_text_column column;
    ck_ok(retc_text_read_column(text_file("column.txt", readable[_i].text), &column));
    ck_assert_uint_eq(column.n, readable[_i].n);
    for (size_t i = 0; i < column.n; ++i) {
        ck_assert_double_eq(column.value[i], readable[_i].value[i]);
        ck_assert_uint_eq(column.line[i], readable[_i].line[i]);
    }
    ck_assert_int_eq(column.header != NULL, readable[_i].header != NULL);
    if (column.header)
        ck_assert_str_eq(column.header, readable[_i].header);
    retc_text_column_free(&column);
}
END_TEST

static const struct {
    const char *text, *says;
} unreadable[] = {
    {"1\n2\nabc\n", "column.txt: line 3: \"abc\" is not a number"},
    {"header\nsecond header\n1\n", "line 2: \"second header\" is not a number"},
    {"0.0.41\n2\n", "line 1: \"0.0.41\" is not a number"}, /* a mangled number is no header */
    {"-x\n", "line 1: \"-x\" is not a number"},
    {"1\n2 3\n", "line 2: \"2 3\" is not a number"},
    {"1\n2,\n", "line 2: \"2,\" is not a number"},
    {"1\r\n\r\nx\r\n", "line 3: \"x\""},
    {"1\rx\r", "line 2: \"x\""},
    {"nan\n1\n", "line 1: \"nan\" is not a finite number"},
    {"1\nNaN\n", "line 2: \"NaN\" is not a finite number"},
    {"1\n-inf\n", "line 2: \"-inf\" is not a finite number"},
    {"1\n1e999\n", "line 2: \"1e999\" is not a finite number"},
    {"1\n0x10\n", "line 2: \"0x10\" is not a number"},
};

START_TEST(test_unreadable_columns) {
    retc_text_column column;
    ck_fails(retc_text_read_column(text_file("column.txt", unreadable[_i].text), &column), unreadable[_i].says);
    retc_text_column_free(&column);
}
END_TEST

START_TEST(test_no_text_file) {
    retc_text_column column;
    size_t value;
    ck_fails(retc_text_read_column(text_file_of("binary.dat", "1\n\0\n", 4), &column), "binary.dat: is not a text file");
    retc_text_column_free(&column);
    ck_fails(retc_text_read_column(retc_test_path("absent.txt"), &column), "absent.txt: No such file");
    retc_text_column_free(&column);
    ck_fails(retc_text_read_column(retc_test_path(""), &column), "is not a plain file");
    retc_text_column_free(&column);
    ck_fails(retc_text_read_size(retc_test_path("absent.txt"), "key", &value), "absent.txt: No such file");
}
END_TEST

START_TEST(test_parameters) {
    const char *path =
        text_file("parameters.txt", "FrozenNoise\nNblinks = 1\nblackwhite = false\r\nRunningFrames=1800\n# Frozen = 3\n"
                                    "Running=7\nFrames2 =  12  \nwrong = 1.5\nempty =\ntwice=1\ntwice=1\n");
    size_t value = 99;
    ck_assert_int_eq(retc_text_read_size(path, "RunningFrames", &value), 1);
    ck_assert_uint_eq(value, 1800);
    ck_assert_int_eq(retc_text_read_size(path, "Frames2", &value), 1);
    ck_assert_uint_eq(value, 12);
    ck_assert_int_eq(retc_text_read_size(path, "Frozen", &value), 0);
    ck_assert_int_eq(retc_text_read_size(path, "FrozenNoise", &value), 0);
    ck_assert_uint_eq(value, 12);
    ck_fails(retc_text_read_size(path, "blackwhite", &value), "line 3: blackwhite is \"false\", expected a whole number");
    ck_fails(retc_text_read_size(path, "wrong", &value), "wrong is \"1.5\"");
    ck_fails(retc_text_read_size(path, "empty", &value), "empty is \"\"");
    ck_fails(retc_text_read_size(path, "twice", &value), "line 11: a second \"twice\"");
}
END_TEST

/* ---- clocks and spikes ----------------------------------------------------------------------------------------------- */

START_TEST(test_clock) {
    const double onset[6] = {0, 1, 2, 2.5, 4, 5}, equal[3] = {0, 1, 1}, bad[2] = {(double)NAN, 1},
                 end[2] = {0, (double)INFINITY};
    double median;
    size_t where[2] = {0};
    ck_assert_uint_eq(retc_clock_disorder(onset, 6), 6);
    ck_assert_uint_eq(retc_clock_disorder(equal, 3), 2);
    ck_assert_uint_eq(retc_clock_disorder(bad, 2), 0);
    ck_assert_uint_eq(retc_clock_disorder(end, 2), 1);
    ck_ok(retc_clock_median_interval(onset, 6, &median));
    ck_assert_double_eq(median, 1);
    ck_ok(retc_clock_median_interval(onset + 2, 3, &median)); /* 0.5 and 1.5 */
    ck_assert_double_eq(median, 1);
    ck_fails(retc_clock_median_interval(onset, 1, &median), "1 frame times give no frame interval");
    ck_assert_uint_eq(retc_clock_irregular(onset, 6, 1, 0.2, where, 2), 2);
    ck_assert_uint_eq(where[0], 2);
    ck_assert_uint_eq(where[1], 3);
    ck_assert_uint_eq(retc_clock_irregular(onset, 6, 1, 0.5, where, 2), 0);
    ck_assert_uint_eq(retc_clock_irregular(onset, 6, 1, 0.2, where, 0), 2);
}
END_TEST

/* A spike at an onset belongs to the frame that begins there; one at the end comes after. */
START_TEST(test_spike_counts) {
    const double onset[3] = {1, 2, 4}, spike[10] = {0.5, 1, 1, 1.999, 2, 3.5, 4.25, 4.5, 5, 9};
    const double end[3] = {2, 4, 5}, gone[3] = {1.5, 3, 4.5};
    float counts[3];
    retc_spikes_count(spike, 10, onset, end, 3, counts);
    ck_close_float("counts", counts, ((const float[3]){3, 2, 2}), 3, 0, 0);
    retc_spikes_count(spike, 10, onset, gone, 3, counts); /* none while nothing is shown */
    ck_close_float("counts beside gaps", counts, ((const float[3]){2, 1, 1}), 3, 0, 0);
    retc_spikes_count(spike, 0, onset, end, 3, counts);
    ck_close_float("no counts", counts, ((const float[3]){0, 0, 0}), 3, 0, 0);
    ck_assert_uint_eq(retc_spikes_before(spike, 10, 1), 1);
    ck_assert_uint_eq(retc_spikes_before(spike, 10, 5), 8);
    ck_assert_uint_eq(retc_spikes_before(spike, 10, 10), 10);
    ck_assert_uint_eq(retc_spikes_before(spike, 0, 1), 0);
    ck_assert_uint_eq(retc_spikes_disorder(spike, 10), 10);
    ck_assert_uint_eq(retc_spikes_disorder((const double[3]){1, 2, 1.5}, 3), 2);
    ck_assert_uint_eq(retc_spikes_brief(spike, 10, 0), 1);
    ck_assert_uint_eq(retc_spikes_brief(spike, 10, 0.25), 2); /* 0 and 0.001; intervals of 0.25 are not below it */
}
END_TEST

/* ---- a made-up recording: 3 trials of 3 running and 2 frozen frames, then an unfinished one -------------------------- */

#define FRAMES_TEXT "10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\n22\n23.5\n24\n25\n26\n"
#define STIMULUS_TEXT "1\n2\n3\n.5\n.25\n4\n5\n6\n.5\n.25\n7\n8\n9\n.5\n.25\n10\n11\n12\n"

static const char *const a_spikes = "9\n10\n10.5\n13.5\n15.25\n18.5\n18.75\n18.75\n23.75\n25.5\n26.5\n30\n";
static const char *const b_spikes = "14.0002\n14.001\n24.5\n";

typedef struct {
    retc_import_options options;
    const char *spikes[2];
} made_up;

static void
make_up(made_up *m) {
    *m = (made_up){0};
    m->spikes[0] = text_file("a.txt", a_spikes);
    m->spikes[1] = text_file("b.c.txt", b_spikes);
    m->options = (retc_import_options){.frames = text_file("frames.txt", FRAMES_TEXT),
                                       .stimulus = text_file("stimulus.txt", STIMULUS_TEXT),
                                       .running = 3,
                                       .frozen = 2,
                                       .test_fraction = 0.1,
                                       .cells = 2};
}

/* Import, commit, and open what was written. */
static retc_recording *
import_made_up(made_up *m, retc_import_text_report *report) {
    const char *path = retc_test_path("imported.h5");
    retc_recording_writer *writer = NULL;
    m->options.spikes = m->spikes;
    ck_ok(retc_import_text(&m->options, path, 1, &writer, report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

/* Levels repeat: 17 frames of a cycle of 5, of which three complete cycles are trials of 3 and 2. */
START_TEST(test_import_levels) {
    static const double level[5] = {0.5, 1, 0.5, 0, -1};
    made_up m;
    retc_import_text_report report;
    make_up(&m);
    m.options.stimulus = NULL;
    m.options.level = level, m.options.levels = 5;
    retc_recording *recording = import_made_up(&m, &report);
    float x[9];
    static const float train[9] = {0.5f, 1, 0.5f, 0.5f, 1, 0.5f, 0.5f, 1, 0.5f}, test[2] = {0, -1};
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, 9, x));
    ck_assert_mem_eq(x, train, sizeof train);
    ck_ok(retc_recording_stimulus(recording, RETC_TEST, 0, 2, x));
    ck_assert_mem_eq(x, test, sizeof test);
    ck_assert_uint_eq(retc_recording_repeats(recording), 3);
    retc_recording_close(recording);
    retc_import_text_report_free(&report);
    m.options.levels = 0;
    retc_recording_writer *writer = NULL;
    ck_fails(retc_import_text(&m.options, retc_test_path("imported.h5"), 1, &writer, &report),
             "neither --stimulus nor --levels");
    retc_import_text_report_free(&report);
}
END_TEST

START_TEST(test_import_trials) {
    made_up m;
    retc_import_text_report report;
    make_up(&m);
    retc_recording *recording = import_made_up(&m, &report);
    float x[18];
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), 9);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), 2);
    ck_assert_uint_eq(retc_recording_repeats(recording), 3);
    ck_assert_str_eq(retc_recording_cell_name(recording, 0), "a");
    ck_assert_str_eq(retc_recording_cell_name(recording, 1), "b.c");
    ck_assert_double_eq(retc_recording_frame_interval(recording), 1);
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, 9, x));
    ck_close_float("running", x, ((const float[9]){1, 2, 3, 4, 5, 6, 7, 8, 9}), 9, 0, 0);
    ck_ok(retc_recording_stimulus(recording, RETC_TEST, 0, 2, x));
    ck_close_float("frozen", x, ((const float[2]){0.5f, 0.25f}), 2, 0, 0);
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, 9, x));
    ck_close_float("train counts", x, ((const float[18]){2, 0, 0, 1, 0, 0, 0, 0, 0}), 18, 0, 0);
    ck_ok(retc_recording_repeat_counts(recording, 0, x)); /* frames 13 14, 18 19, 23.5 24 */
    ck_close_float("repeats of a", x, ((const float[6]){1, 0, 3, 0, 1, 0}), 6, 0, 0);
    ck_ok(retc_recording_repeat_counts(recording, 1, x));
    ck_close_float("repeats of b", x, ((const float[6]){0, 2, 0, 0, 0, 1}), 6, 0, 0);
    retc_span *spans;
    size_t n;
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, 2, 1, &spans, &n));
    ck_assert_uint_eq(n, 3);
    ck_assert_uint_eq(spans[2].first, 8);
    retc_free(spans);
    retc_recording_close(recording);
    retc_import_text_report_free(&report);
}
END_TEST

START_TEST(test_import_clocks) {
    made_up m;
    retc_import_text_report report;
    double x[16];
    make_up(&m);
    retc_recording *recording = import_made_up(&m, &report);
    retc_h5 *file = retc_h5_open(retc_recording_path(recording));
    const size_t train = 9, test[2] = {3, 2}, spikes = 12;
    ck_ok(retc_h5_expect(file, "train/onset", 1, &train, NULL));
    ck_ok(retc_h5_read(file, "train/onset", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("train onset", x, ((const double[9]){10, 11, 12, 15, 16, 17, 20, 21, 22}), 9, 0, 0);
    ck_ok(retc_h5_read(file, "train/time", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("train time", x, ((const double[9]){0, 1, 2, 3, 4, 5, 6, 7, 8}), 9, 0, 0);
    ck_ok(retc_h5_expect(file, "test/onset", 2, test, NULL));
    ck_ok(retc_h5_read(file, "test/onset", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_close_double("test onset", x, ((const double[6]){13, 14, 18, 19, 23.5, 24}), 6, 0, 0);
    ck_ok(retc_h5_expect(file, "spikes/cell01", 1, &spikes, NULL));
    ck_ok(retc_h5_read(file, "spikes/cell01", RETC_H5_DOUBLE, NULL, NULL, x));
    ck_assert_double_eq(x[4], 15.25);
    retc_h5_close(file);
    retc_recording_close(recording);
    retc_import_text_report_free(&report);
}
END_TEST

START_TEST(test_import_report) {
    made_up m;
    retc_import_text_report report;
    make_up(&m);
    retc_recording_close(import_made_up(&m, &report));
    ck_assert_uint_eq(report.found.frames, 17);
    ck_assert_uint_eq(report.stimulus_lines, 18);
    ck_assert_double_eq(report.found.start, 10);
    ck_assert_double_eq(report.found.end, 27);
    ck_assert_uint_eq(report.found.irregular, 2); /* 22 to 23.5, 23.5 to 24 */
    ck_assert_uint_eq(report.found.irregular_at[0], 12);
    ck_assert_uint_eq(report.found.irregular_at[1], 13);
    ck_assert_uint_eq(report.trials, 3);
    ck_assert_uint_eq(report.complete, 3);
    ck_assert_uint_eq(report.found.used_frames, 15);
    ck_assert_uint_eq(report.different_at, 0);
    const retc_import_cell *a = &report.found.cell[0], *b = &report.found.cell[1];
    ck_assert_uint_eq(a->spikes, 12);
    ck_assert_uint_eq(a->before, 1);
    ck_assert_uint_eq(a->after, 1);
    ck_assert_uint_eq(a->unused, 2);
    ck_assert_uint_eq(a->used, 8);
    ck_assert_uint_eq(a->equal, 1);
    ck_assert_uint_eq(a->brief, 1);
    ck_assert_double_eq_tol(a->rate, 8 / 15.0, 1e-15);
    ck_assert_uint_eq(b->used, 3);
    ck_assert_uint_eq(b->equal, 0);
    ck_assert_uint_eq(b->brief, 1);
    char *text = retc_import_report_text(&report.found);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "frames: 17 at 1 Hz (median interval 1000 ms), 10 ... 27 s\n"));
    ck_assert_ptr_nonnull(strstr(text, "note: 1 of 18 stimulus values have no frame time\n"));
    ck_assert_ptr_nonnull(strstr(text, "warning: 2 frames are irregular"));
    ck_assert_ptr_nonnull(strstr(text, "frames 12, 13\n"));
    ck_assert_ptr_nonnull(strstr(text, "trials: 3 of 3 running and 2 frozen frames\n"));
    ck_assert_ptr_nonnull(strstr(text, "test: 2 frames, 3 repeats\n"));
    ck_assert_ptr_nonnull(strstr(text, "note: frames from 15 on are left out, 2 of 17\n"));
    ck_assert_ptr_nonnull(strstr(text, "lag 1"));
    ck_assert_ptr_nonnull(strstr(text, "a          12        8        1        1        2        1        1     0.53\n"));
    ck_assert_ptr_null(strstr(text, "are they in ms?"));
    retc_free(text);
    retc_import_text_report_free(&report);
}
END_TEST

START_TEST(test_import_from_parameters) {
    made_up m;
    retc_import_text_report report;
    make_up(&m);
    m.options.running = m.options.frozen = 0;
    m.options.parameters = text_file("parameters.txt", "RunningFrames=3\nFrozenFrames = 2\n");
    retc_recording_close(import_made_up(&m, &report));
    ck_assert_uint_eq(report.trials, 3);
    ck_assert_uint_eq(report.frozen, 2);
    retc_import_text_report_free(&report);
}
END_TEST

START_TEST(test_import_without_trials) {
    made_up m;
    retc_import_text_report report;
    float x[17];
    make_up(&m);
    m.options.running = m.options.frozen = 0;
    m.options.test_fraction = 0.3; /* 5.1 of 17 frames */
    retc_recording *recording = import_made_up(&m, &report);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), 12);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), 5);
    ck_assert_uint_eq(retc_recording_repeats(recording), 1);
    ck_ok(retc_recording_stimulus(recording, RETC_TEST, 0, 5, x));
    ck_close_float("test stimulus", x, ((const float[5]){9, 0.5f, 0.25f, 10, 11}), 5, 0, 0);
    ck_ok(retc_recording_counts(recording, RETC_TEST, 0, 5, x)); /* frames 22, 23.5, 24, 25, 26 (until 27) */
    ck_close_float("counts of a", x, ((const float[5]){0, 1, 0, 1, 1}), 5, 0, 0);
    retc_recording_close(recording);
    char *text = retc_import_report_text(&report.found);
    ck_assert_ptr_nonnull(strstr(text, "train: 12 frames in 1 stretch\n"));
    ck_assert_ptr_nonnull(strstr(text, "test: 5 frames, 1 repeat\n"));
    ck_assert_ptr_nonnull(strstr(text, "fewer than 2 repeats"));
    retc_free(text);
    retc_import_text_report_free(&report);

    m.options.test_fraction = 0;
    recording = import_made_up(&m, &report);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), 17);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), 0);
    retc_recording_close(recording);
    retc_import_text_report_free(&report);
}
END_TEST

/* The third trial differs in the last digit of a frozen value: it is complete, but left out. */
START_TEST(test_import_stops_at_difference) {
    made_up m;
    retc_import_text_report report;
    make_up(&m);
    m.options.stimulus = text_file("other.txt", "1\n2\n3\n.5\n.25\n4\n5\n6\n.5\n.25\n7\n8\n9\n.5\n.2500000000000001\n10\n11\n");
    retc_recording_close(import_made_up(&m, &report));
    ck_assert_uint_eq(report.trials, 2);
    ck_assert_uint_eq(report.complete, 3);
    ck_assert_uint_eq(report.different_at, 14);
    char *text = retc_import_report_text(&report.found);
    ck_assert_ptr_nonnull(strstr(text, "warning: trial 3 is complete, but at frame 14 its frozen values differ"));
    retc_free(text);
    retc_import_text_report_free(&report);
}
END_TEST

START_TEST(test_import_headers_and_empty_cells) {
    made_up m;
    retc_import_text_report report;
    make_up(&m);
    m.options.frames = text_file("frames.txt", "onset (s)\n" FRAMES_TEXT);
    m.spikes[1] = text_file("silent.txt", _i ? "1\n2\n5000\n" : "# none\n");
    m.options.keep_empty = 1;
    retc_recording *recording = import_made_up(&m, &report);
    float x[9] = {1};
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, 9, (float[18]){0}));
    ck_ok(retc_recording_repeat_counts(recording, 1, x));
    ck_close_float("silent", x, ((const float[6]){0}), 6, 0, 0);
    retc_recording_close(recording);
    char *text = retc_import_report_text(&report.found);
    ck_assert_ptr_nonnull(strstr(text, "frames.txt: \"onset (s)\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "warning: silent has no spike in the frames that are used\n"));
    ck_assert_int_eq(strstr(text, "warning: silent has spikes long after the stimulus: are they in ms?") != NULL, _i);
    retc_free(text);
    retc_import_text_report_free(&report);
}
END_TEST

/* Cases with one thing wrong: which option gets which file content, and what the message must say. */
static const struct {
    char which; /* f frames, s stimulus, a b spikes, p parameters */
    const char *text, *says;
} wrong[] = {
    {'f', "10\n11\nx\n", "wrong.txt: line 3: \"x\" is not a number"},
    {'f', "10\n11\n11\n12\n", "wrong.txt: line 3: frame time 11 s does not come after 11 s"},
    {'f', "10\n", "has 1 frame times, expected at least 2"},
    {'f', "10\n11\n12\n13\n", "4 frames hold no complete trial of 3 running and 2 frozen frames"},
    {'s', "1\n2\nNaN\n", "wrong.txt: line 3: \"NaN\" is not a finite number"},
    {'s', "1\n2\n3\n", "wrong.txt: has 3 values for 17 frame times in"},
    {'s', "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n",
     "wrong.txt: line 9: the frozen stretch of trial 2 differs from that of trial 1"},
    {'a', "10\n12\n11\n", "wrong.txt: line 3: spike at 11 s comes after one at 12 s"},
    {'a', "", "wrong.txt: has no spikes; leave it out, or keep it with --keep-empty"},
    {'b', "10000\n12000\n", "no spike falls into the stimulus (10 ... 27 s), they lie at 10000 ... 12000: are they in ms?"},
    {'b', "10\n1.2.3\n", "wrong.txt: line 2: \"1.2.3\" is not a number"},
    {'p', "RunningFrames=no\n", "RunningFrames is \"no\""},
    {'p', "FrozenFrames=2\n", "2 frozen frames without running ones"},
    {'p', "RunningFrames=18446744073709551615\nFrozenFrames=3\n", "hold no complete trial"},
};

START_TEST(test_import_refuses) {
    made_up m;
    retc_import_text_report report;
    retc_recording_writer *writer = NULL;
    make_up(&m);
    const char *path = text_file("wrong.txt", wrong[_i].text);
    switch (wrong[_i].which) {
    case 'f':
        m.options.frames = path;
        break;
    case 's':
        m.options.stimulus = path;
        break;
    case 'a':
        m.spikes[0] = path;
        break;
    case 'b':
        m.spikes[1] = path;
        break;
    default:
        m.options.parameters = path;
        m.options.running = m.options.frozen = 0;
    }
    m.options.spikes = m.spikes;
    ck_fails(retc_import_text(&m.options, retc_test_path("imported.h5"), 1, &writer, &report), wrong[_i].says);
    ck_assert_ptr_null(writer);
    retc_import_text_report_free(&report);
}
END_TEST

START_TEST(test_import_refuses_cells) {
    made_up m;
    retc_import_text_report report;
    retc_recording_writer *writer = NULL;
    const char *output = retc_test_path("x.h5");
    make_up(&m);
    ck_assert_int_eq(mkdir(retc_test_path("more"), 0777), 0);
    m.spikes[1] = text_file("more/a.dat", b_spikes);
    m.options.spikes = m.spikes;
    ck_fails(retc_import_text(&m.options, output, 1, &writer, &report), "are both cell \"a\"");
    retc_import_text_report_free(&report);
    m.options.cells = 0;
    ck_fails(retc_import_text(&m.options, output, 1, &writer, &report), "no file of spike times");
    retc_import_text_report_free(&report);
    m.options.cells = 1;
    m.options.keep_empty = 1;
    m.spikes[0] = text_file("late.txt", "25.5\n");
    ck_fails(retc_import_text(&m.options, output, 1, &writer, &report), "no spike of any cell falls into the frames");
    retc_import_text_report_free(&report);
    m.options.running = m.options.frozen = 0;
    m.options.test_fraction = 0.95;
    ck_fails(retc_import_text(&m.options, output, 1, &writer, &report), "a test fraction of 0.95");
    retc_import_text_report_free(&report);
}
END_TEST

/* ---- a real recording ------------------------------------------------------------------------------------------------ */

enum { CELLS = 8, TRIALS = 41, RUNNING = 1800, FROZEN = 600, TRIAL = RUNNING + FROZEN };

/* Its spikes were counted apart from this program: reference.h5, /counts (8,98400). */
START_TEST(test_real_recording) {
    if (!retc_test_shared("recordings/fullfield_noise/reference.h5"))
        retc_skip("no recordings/fullfield_noise/reference.h5 in the shared material");
    char files[CELLS][512], frames[512], stimulus[512], parameters[512];
    const char *spikes[CELLS];
    for (int i = 0; i < CELLS; ++i) {
        char name[64];
        snprintf(name, sizeof name, "recordings/fullfield_noise/fullfieldnoise_C%d.txt", i + 1);
        snprintf(files[i], sizeof files[i], "%s", retc_test_shared(name));
        spikes[i] = files[i];
    }
    snprintf(frames, sizeof frames, "%s", retc_test_shared("recordings/fullfield_noise/frametimes_fullfieldnoise.txt"));
    snprintf(stimulus, sizeof stimulus, "%s", retc_test_shared("recordings/fullfield_noise/stimulus_fullfieldnoise.txt"));
    snprintf(parameters, sizeof parameters, "%s",
             retc_test_shared("recordings/fullfield_noise/01_fullfieldfrozennoise_gauss_1blink_1800run_600freeze.txt"));
    retc_import_options options = {
        .frames = frames, .stimulus = stimulus, .parameters = parameters, .spikes = spikes, .cells = CELLS};
    retc_import_text_report report;
    retc_recording_writer *writer = NULL;
    const char *path = retc_test_path("real.h5");
    ck_ok(retc_import_text(&options, path, 1, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);

    /* What the recording's description says. */
    ck_assert_uint_eq(report.trials, TRIALS);
    ck_assert_uint_eq(report.found.frames, 100554);
    ck_assert_uint_eq(report.stimulus_lines, 101401);
    ck_assert_int_eq(report.rest_repeats, 1);
    ck_assert_uint_eq(report.rest_repeats_from, RUNNING + 199);
    ck_assert_uint_eq(report.found.irregular_at[0], 13410);
    static const size_t in_file[CELLS] = {23173, 20577, 14631, 26632, 13105, 7747, 76111, 6740};
    static const size_t used[CELLS] = {22568, 20087, 14297, 25971, 12783, 7610, 74329, 6632};
    static const double rate[CELLS] = {17.20, 15.31, 10.90, 19.79, 9.74, 5.80, 56.65, 5.05};
    for (size_t i = 0; i < CELLS; ++i) {
        ck_assert_uint_eq(report.found.cell[i].spikes, in_file[i]);
        ck_assert_uint_eq(report.found.cell[i].used, used[i]);
        ck_assert_double_eq_tol(report.found.cell[i].rate, rate[i], 0.005);
        ck_assert_uint_eq(report.found.cell[i].equal, i == 2 || i == 6);
    }
    ck_assert_uint_eq(report.found.cell[6].brief, 92);
    retc_import_text_report_free(&report);

    retc_recording *recording = retc_recording_open(path, 0);
    retc_h5 *reference = retc_h5_open(retc_test_shared("recordings/fullfield_noise/reference.h5"));
    ck_assert_msg(recording && reference, "%s", retc_error_message());
    size_t shape[2];
    void *read = NULL;
    ck_ok(retc_h5_read_new(reference, "counts", RETC_H5_FLOAT, 2, shape, &read));
    const float *expected = read;
    ck_assert_uint_eq(shape[0], CELLS);
    ck_assert_uint_eq(shape[1], TRIALS * TRIAL);
    float *train = retc_calloc(CELLS * TRIALS * RUNNING, sizeof *train), *test = retc_calloc(TRIALS * FROZEN, sizeof *test);
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, TRIALS * RUNNING, train));
    for (size_t cell = 0; cell < CELLS; ++cell) {
        ck_ok(retc_recording_repeat_counts(recording, cell, test));
        for (size_t trial = 0; trial < TRIALS; ++trial) {
            const float *counts = expected + cell * TRIALS * TRIAL + trial * TRIAL;
            ck_close_float("running", train + (cell * TRIALS + trial) * RUNNING, counts, RUNNING, 0, 0);
            ck_close_float("frozen", test + trial * FROZEN, counts + RUNNING, FROZEN, 0, 0);
        }
    }
    retc_free(read);
    retc_free(train);
    retc_free(test);
    retc_h5_close(reference);
    retc_recording_close(recording);
}
END_TEST

static Suite *
import_suite(void) {
    Suite *suite = suite_create("import");
    TCase *text = tcase_create("text"), *made = tcase_create("made up"), *real = tcase_create("real");
    tcase_add_loop_test(text, test_readable_columns, 0, sizeof readable / sizeof *readable);
    tcase_add_loop_test(text, test_unreadable_columns, 0, sizeof unreadable / sizeof *unreadable);
    tcase_add_test(text, test_no_text_file);
    tcase_add_test(text, test_parameters);
    tcase_add_test(text, test_clock);
    tcase_add_test(text, test_spike_counts);
    tcase_add_test(made, test_import_trials);
    tcase_add_test(made, test_import_levels);
    tcase_add_test(made, test_import_clocks);
    tcase_add_test(made, test_import_report);
    tcase_add_test(made, test_import_from_parameters);
    tcase_add_test(made, test_import_without_trials);
    tcase_add_test(made, test_import_stops_at_difference);
    tcase_add_loop_test(made, test_import_headers_and_empty_cells, 0, 2);
    tcase_add_loop_test(made, test_import_refuses, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(made, test_import_refuses_cells);
    tcase_set_timeout(real, 60);
    tcase_add_test(real, test_real_recording);
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, made);
    suite_add_tcase(suite, real);
    return suite;
}

int
main(void) {
    return retc_test_main(import_suite(), NULL);
}

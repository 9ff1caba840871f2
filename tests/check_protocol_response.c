/* Responses to protocols: means over trials, and the indices of made-up cells whose answers are known. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixtures.h"
#include "import_text.h"
#include "protocol_index.h"
#include "rng.h"
#include "testing.h"
#include "text.h"

/* ---- means over trials ----------------------------------------------------------------------------------------------- */

enum { FRAMES = 60, CELLS = 2 };

/* Two conditions of 4 and 6 frames, 5 frames apart, three trials each, from frame 5 on. */
static void
make_trials(retc_trials *trials) {
    size_t at = 5;
    ck_ok(retc_trials_alloc(trials, 2, 1, 5));
    snprintf(trials->parameter[0].name, sizeof trials->parameter[0].name, "contrast");
    snprintf(trials->protocol, sizeof trials->protocol, "flashes");
    trials->parameter[0].value[0] = 0.5;
    trials->parameter[0].value[1] = -0.5;
    for (size_t k = 0; k < 5; ++k) {
        size_t condition = k % 2, frames = condition ? 6 : 4;
        trials->trial[k] = (retc_trial){condition, at, frames, (double)at * 0.1, (double)frames * 0.1};
        at += frames + 5;
    }
}

/* Counts of a cell: what happens in frame `t` after a trial's onset, negative before, with an error that alternates. */
static double
answer(size_t cell, size_t condition, long t) {
    return t < 0 ? 1 : (double)(cell + 1) * (condition ? 2 + (double)(t * t) : fmax(2, 10 - (double)t));
}

/* Counts (N,T) that show it, around the trials of one part. */
static void
make_counts(const retc_trials *trials, float *counts) {
    for (size_t j = 0; j < CELLS; ++j)
        for (size_t t = 0; t < FRAMES; ++t) {
            size_t k = 0;
            while (k + 1 < trials->trials && trials->trial[k + 1].start <= t + 2) /* two frames before belong to a trial */
                ++k;
            const retc_trial *trial = &trials->trial[k];
            /* An odd number of trials of condition 0, whose errors are 1, 0, -1; and 1, -1 in condition 1. */
            double error = trial->condition ? (k == 1 ? 1 : -1) : k == 0 ? 1 : k == 2 ? 0 : -1;
            long at = (long)t - (long)trial->start;
            counts[j * FRAMES + t] = (float)(answer(j, trial->condition, at) + (at >= 0 ? error : 0));
        }
}

/* Add trials to the train part of a fixture. */
static void
write_recording(const char *path) {
    static float counts[CELLS * FRAMES];
    float *movie = retc_fixture_movie(1, FRAMES, 2, 3);
    retc_trials trials;
    make_trials(&trials);
    make_counts(&trials, counts);
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    const size_t T = FRAMES, shape[2] = {CELLS, T}, frames[3] = {T, 2, 3};
    double time[FRAMES];
    for (size_t t = 0; t < T; ++t)
        time[t] = (double)t * 0.1;
    ck_ok(retc_h5_put(file, "train/stimulus", RETC_H5_FLOAT, 3, frames, movie));
    ck_ok(retc_h5_put(file, "train/time", RETC_H5_DOUBLE, 1, &T, time));
    ck_ok(retc_h5_put(file, "train/response/binned", RETC_H5_FLOAT, 2, shape, counts));
    ck_ok(retc_trials_write(file, "train", &trials));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_trials_free(&trials);
    retc_free(movie);
}

static retc_protocol_response
respond(const char *path, const retc_protocol_response_options *options) {
    retc_protocol_response response;
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    ck_ok(retc_protocol_response_compute(recording, options, NULL, &response));
    retc_recording_close(recording);
    return response;
}

START_TEST(test_means) {
    char path[512];
    snprintf(path, sizeof path, "%s", retc_test_path("means.h5"));
    write_recording(path);
    retc_protocol_response_options options;
    retc_protocol_response_default(&options);
    options.bin = _i ? 0.2 : 0;
    size_t q = _i ? 2 : 1, before = _i ? 1 : 2;
    retc_protocol_response r = respond(path, &options);
    ck_assert_int_eq(r.part, RETC_TRAIN);
    ck_assert_double_eq_tol(r.bin, 0.1 * (double)q, 1e-12);
    ck_assert_uint_eq(r.bins_before, before);                 /* 0.2 s are asked for */
    ck_assert_uint_eq(r.bins, before + (_i ? 3 + 2 : 6 + 5)); /* the longer condition, and 0.5 s after it */
    ck_assert(r.shown[0] == 3 && r.shown[1] == 2);
    ck_assert_str_eq(r.trials.protocol, "flashes");
    ck_assert_str_eq(r.name[1], "cell02");
    for (size_t j = 0; j < CELLS; ++j) {
        ck_assert_double_eq_tol(r.baseline[j], 10, 1e-6); /* a count per frame of 0.1 s */
        for (size_t i = 0; i < 2; ++i) {
            size_t frames = i ? 6 : 4;
            double sum = 0;
            for (size_t b = 0; b < before + frames / q; ++b) {
                double expected = 0;
                for (size_t t = 0; t < q; ++t)
                    expected += answer(j, i, (long)(b * q + t) - (long)(before * q)) / (0.1 * (double)q);
                ck_assert_double_eq_tol(r.psth[(j * 2 + i) * r.bins + b], expected, 1e-4);
            }
            for (size_t t = 0; t < frames; ++t)
                sum += answer(j, i, (long)t) / (0.1 * (double)frames);
            ck_assert_double_eq_tol(r.rate[j * 2 + i], sum, 1e-4);
        }
    }
    ck_assert_uint_eq(r.places, r.upright ? 2 : 3);
    retc_protocol_response_free(&r);
}
END_TEST

/* The same trials from a table, and spike times in place of counts. */
START_TEST(test_trials_from_a_table) {
    char path[512], table[512];
    snprintf(path, sizeof path, "%s", retc_test_path("spikes.h5"));
    snprintf(table, sizeof table, "%s", retc_test_path("trials.txt"));
    write_recording(path);
    FILE *out = fopen(table, "w");
    fputs("# from the stimulus program\ncontrast onset duration\n0.5 100 0.25\n\n-0.5 101 0.25\n0.5 102 0.25\n", out);
    fclose(out);
    /* Cell 1 answers to bright trials after 0.05 and 0.15 s, to dark ones at once; cell 2 once in all. */
    static const double spikes[2][7] = {{99.95, 100.05, 100.15, 101, 102.05, 102.15, 102.26}, {101.1}};
    retc_h5 *file = retc_h5_open(path);
    retc_h5_close(file);
    retc_recording *recording = NULL;
    retc_protocol_response r;
    retc_protocol_response_options options;
    retc_protocol_response_default(&options);
    options.trials = table;
    options.bin = 0.1;
    ck_assert_ptr_nonnull(recording = retc_recording_open(path, 0));
    ck_fails(retc_protocol_response_compute(recording, &options, NULL, &r), "there are no spike times of cell01");
    retc_protocol_response_free(&r);
    retc_recording_close(recording);
    ck_assert_ptr_nonnull(file = retc_h5_create(path, 1));
    const size_t T = FRAMES, shape[2] = {CELLS, T}, frames[3] = {T, 2, 3}, n[2] = {7, 1};
    static float zero[FRAMES * 6];
    double time[FRAMES];
    for (size_t t = 0; t < T; ++t)
        time[t] = (double)t * 0.1;
    ck_ok(retc_h5_put(file, "train/stimulus", RETC_H5_FLOAT, 3, frames, zero));
    ck_ok(retc_h5_put(file, "train/time", RETC_H5_DOUBLE, 1, &T, time));
    ck_ok(retc_h5_put(file, "train/response/binned", RETC_H5_FLOAT, 2, shape, zero));
    ck_ok(retc_h5_put(file, "spikes/cell01", RETC_H5_DOUBLE, 1, &n[0], spikes[0]));
    ck_ok(retc_h5_put(file, "spikes/cell02", RETC_H5_DOUBLE, 1, &n[1], spikes[1]));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    r = respond(path, &options);
    ck_assert_uint_eq(r.trials.conditions, 2);
    ck_assert_uint_eq(r.bins_before, 2);
    ck_assert_uint_eq(r.bins, 2 + 3 + 5);
    static const double bright[10] = {0, 5, 10, 10, 5, 0, 0, 0, 0, 0}, dark[10] = {0, 0, 10, 0, 0, 0, 0, 0, 0, 0};
    ck_close_double("bright", r.psth, bright, 10, 1e-9, 0);
    ck_close_double("dark", r.psth + 10, dark, 10, 1e-9, 0);
    static const double rates[4] = {8, 4, 0, 4};
    ck_close_double("rates", r.rate, rates, 4, 1e-9, 0);
    ck_assert_double_eq_tol(r.baseline[0], 1 / 0.6, 1e-9);
    ck_assert_uint_eq(r.places, 0);
    retc_protocol_response_free(&r);
}
END_TEST

static const struct {
    const char *text, *reason;
} tables[] = {
    {"", "there are no trials"},
    {"onset duration contrast\n", "there are no trials"},
    {"onset contrast\n1 2\n", "columns \"onset\", \"duration\" and a parameter at least are expected"},
    {"onset duration\n1 2\n", "a parameter at least"},
    {"onset duration onset\n1 2 3\n", "column \"onset\" is there twice"},
    {"onset duration contrast\n1 2\n", "line 2 has 2 values, expected 3 as there are columns"},
    {"onset duration contrast\n1 2 3 4\n", "line 2 has 4 values, expected 3"},
    {"onset duration contrast\n\n1 2 x\n", "line 3: \"x\" is not a number"},
    {"onset duration contrast\n1 0 1\n", "trial 0 has no duration, or starts before the one before it"},
    {"onset duration contrast\n2 1 1\n1 1 1\n", "trial 1 has no duration, or starts before"},
    {"onset duration a/b\n1 1 1\n", "\"a/b\" is no name of a column"},
};

START_TEST(test_wrong_tables) {
    char path[512];
    retc_trials trials;
    snprintf(path, sizeof path, "%s", retc_test_path("wrong.txt"));
    FILE *out = fopen(path, "w");
    fputs(tables[_i].text, out);
    fclose(out);
    ck_fails(retc_trials_read_text(path, &trials), tables[_i].reason);
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "wrong.txt"));
}
END_TEST

START_TEST(test_no_trials) {
    char path[512];
    float *movie = retc_fixture_movie(1, 40, 2, 2), counts[40] = {0};
    snprintf(path, sizeof path, "%s", retc_test_path("plain.h5"));
    ck_ok(retc_fixture_recording(path, 40, 2, 2, movie, 1, counts, 0, NULL, 1, 0.1));
    retc_recording *recording = retc_recording_open(path, 0);
    retc_protocol_response r;
    retc_protocol_response_options options;
    retc_protocol_response_default(&options);
    ck_fails(retc_protocol_response_compute(recording, &options, NULL, &r), "plain.h5: there are no trials; make its stimulus");
    options.part = "train";
    ck_fails(retc_protocol_response_compute(recording, &options, NULL, &r), "there are no trials in part train");
    retc_protocol_response_free(&r);
    retc_recording_close(recording);
    retc_free(movie);
}
END_TEST

/* ---- indices of made-up cells ------------------------------------------------------------------------------------------ */

enum { BINS = 300 };
#define BIN 0.01

/* One cell's response to C conditions of parameters that are named here, 3 s from the onset on. */
static retc_protocol_response
made_up(size_t C, size_t P, const char *const *names, const double *values) {
    retc_protocol_response r = {.of_frames = 1, .cells = 1, .bins = BINS, .bin = BIN};
    ck_ok(retc_trials_alloc(&r.trials, C, P, C));
    for (size_t p = 0; p < P; ++p) {
        snprintf(r.trials.parameter[p].name, sizeof r.trials.parameter[p].name, "%s", names[p]);
        for (size_t i = 0; i < C; ++i)
            r.trials.parameter[p].value[i] = values[i * P + p];
    }
    for (size_t i = 0; i < C; ++i)
        r.trials.trial[i] = (retc_trial){i, i * 400, BINS, (double)(i * 4), 3};
    r.psth = retc_calloc(C * BINS, sizeof *r.psth);
    r.rate = retc_calloc(C, sizeof *r.rate);
    r.baseline = retc_calloc(1, sizeof *r.baseline);
    ck_assert(r.psth && r.rate && r.baseline);
    return r;
}

/* The value of an index of the only cell. */
static double
index_of(const retc_protocol_response *r, const char *name) {
    retc_protocol_index *indices = NULL;
    size_t n = 0;
    double value = (double)NAN;
    int found = 0;
    ck_ok(retc_protocol_indices(r, &indices, &n));
    for (size_t i = 0; i < n; ++i)
        if (strcmp(indices[i].name, name) == 0) {
            value = indices[i].value[0];
            found = 1;
        }
    ck_assert_msg(found, "there is no index %s", name);
    retc_protocol_indices_free(indices, n);
    return value;
}

/* Rates 20 + a cos(phase) sin(2 pi f t) + b sin(4 pi f t), with four phases of the grating. */
START_TEST(test_harmonics) {
    static const char *const names[] = {"phase", "temporal_frequency"};
    const double f = _i ? 2.3 : 2, values[8] = {0, f, 45, f, 90, f, 135, f}, a = 6, b = 4;
    retc_protocol_response r = made_up(4, 2, names, values);
    for (size_t i = 0; i < 4; ++i)
        for (size_t k = 0; k < BINS; ++k) {
            double t = ((double)k + 0.5) * BIN;
            r.psth[i * BINS + k] = 20 + a * cos(values[2 * i] * M_PI / 180) * sin(2 * M_PI * f * t) + b * sin(4 * M_PI * f * t);
        }
    /* Where a cycle is no whole number of bins, the window misses up to a bin in 2 s of what cycles have. */
    double tolerance = _i ? 20 * BIN / 2 * 2 : 1e-9;
    ck_assert_double_eq_tol(retc_protocol_harmonic(&r, 0, 0, 0), 20, tolerance);
    ck_assert_double_eq_tol(retc_protocol_harmonic(&r, 0, 0, 1), a, tolerance);
    ck_assert_double_eq_tol(retc_protocol_harmonic(&r, 0, 1, 1), a * M_SQRT1_2, tolerance);
    ck_assert_double_eq_tol(retc_protocol_harmonic(&r, 0, 2, 1), 0, tolerance);
    ck_assert_double_eq_tol(retc_protocol_harmonic(&r, 0, 2, 2), b, tolerance);
    ck_assert_double_eq_tol(index_of(&r, "f2_f1"), b / a, tolerance);
    ck_assert_double_eq_tol(index_of(&r, "f1_f0"), a / 20, tolerance);
    retc_protocol_response_free(&r);
}
END_TEST

/* Rates r0 (1 + 2 m cos(d - p)) have direction index m; the second speed, with larger rates, counts. */
START_TEST(test_direction) {
    static const char *const names[] = {"direction", "period", "centre_time"};
    double values[16 * 3];
    for (size_t i = 0; i < 16; ++i) {
        values[3 * i] = 45 * (double)(i % 8);
        values[3 * i + 1] = i < 8 ? 100 : 200;
        values[3 * i + 2] = (double)i; /* follows from the direction, and makes no groups */
    }
    retc_protocol_response r = made_up(16, 3, names, values);
    for (size_t i = 0; i < 16; ++i) {
        double d = values[3 * i] * M_PI / 180, rest = 0.1 * cos(2 * (d - 1));
        r.rate[i] = i < 8 ? 10 : 20 * (1 + 2 * 0.3 * cos(d - 200 * M_PI / 180) + 2 * rest);
    }
    ck_assert_double_eq_tol(index_of(&r, "direction_index"), 0.3, 1e-12);
    ck_assert_double_eq_tol(index_of(&r, "preferred_direction"), 200, 1e-9);
    ck_assert_double_eq_tol(index_of(&r, "orientation_index"), 0.1, 1e-12);
    retc_protocol_response_free(&r);
}
END_TEST

/* Gaussian bumps of 30 ms: the flash is answered after 72 ms, and the bar, wherever the cell is, 24 ms after it passed. */
START_TEST(test_anticipation) {
    static const char *const names[] = {"direction", "speed", "centre_time"};
    static const double values[9] = {0, 500, 1.4, 180, 500, 1.4, 0, 0, 0};
    const double place = _i ? 130 : -70, peaks[3] = {1.4 + place / 500 + 0.024, 1.4 - place / 500 + 0.024, 0.072};
    retc_protocol_response r = made_up(3, 3, names, values);
    for (size_t i = 0; i < 3; ++i)
        for (size_t k = 0; k < BINS; ++k) {
            double t = ((double)k + 0.5) * BIN - peaks[i];
            r.psth[i * BINS + k] = 50 * exp(-t * t / (2 * 0.03 * 0.03));
        }
    /* The flash comes early enough that smoothing is cut off at the onset: 2 ms. */
    ck_assert_double_eq_tol(index_of(&r, "motion_lag"), 24, 0.2);
    ck_assert_double_eq_tol(index_of(&r, "flash_latency"), 72, 2);
    ck_assert_double_eq_tol(index_of(&r, "anticipation"), 48, 2);
    r.baseline[0] = 100; /* then nothing stands out */
    ck_assert(isnan(index_of(&r, "anticipation")));
    retc_protocol_response_free(&r);
}
END_TEST

START_TEST(test_pairs_of_conditions) {
    static const char *const object[] = {"object", "background"}, *const contrast[] = {"contrast"};
    static const double motions[10] = {1, -1, 1, 1, 1, 0, 0, -1, 0, 0}, signs[3] = {1, 0, -1};
    retc_protocol_response r = made_up(5, 2, object, motions);
    r.rate[0] = 12, r.rate[1] = 4, r.rate[2] = 9;
    ck_assert_double_eq_tol(index_of(&r, "object_motion_index"), 0.5, 1e-12);
    retc_protocol_response_free(&r);
    r = made_up(3, 1, contrast, signs);
    r.rate[0] = 3, r.rate[1] = 100, r.rate[2] = 7;
    ck_assert_double_eq_tol(index_of(&r, "on_off_index"), -0.4, 1e-12);
    retc_protocol_response_free(&r);
}
END_TEST

/* A burst of 40 Hz that lasts from one time to another, in one condition. */
static void
burst(retc_protocol_response *r, size_t condition, double from, double to, double rate) {
    for (size_t k = 0; k < BINS; ++k) {
        double t = ((double)k + 0.5) * BIN;
        if (t > from && t < to)
            r->psth[condition * BINS + k] = rate;
    }
}

START_TEST(test_events) {
    static const char *const turning[] = {"turns", "reversal_time"}, *const omitting[] = {"omission_time"},
                             *const looming[] = {"approach"}, *const sizes[] = {"diameter"};
    static const double turns[4] = {1, 1.2, 0, 1.2}, omission[1] = {1.5}, approaches[3] = {1, -1, 0},
                        diameters[3] = {100, 300, 0};
    retc_protocol_response r = made_up(2, 2, turning, turns);
    burst(&r, 0, 0.2, 0.6, 90); /* long before the turn */
    burst(&r, 0, 1.25, 1.55, 40);
    burst(&r, 1, 1.25, 1.55, 10);
    ck_assert_double_eq_tol(index_of(&r, "reversal_index"), 0.6, 1e-3);
    retc_protocol_response_free(&r);
    r = made_up(1, 1, omitting, omission);
    burst(&r, 0, 0, 1.4, 70);
    burst(&r, 0, 1.55, 1.85, 30);
    r.baseline[0] = 10;
    ck_assert_double_eq_tol(index_of(&r, "omission_index"), 0.5, 1e-3);
    retc_protocol_response_free(&r);
    r = made_up(3, 1, looming, approaches);
    burst(&r, 0, 1, 1.5, 30);
    burst(&r, 1, 1, 1.5, 10);
    burst(&r, 2, 1, 1.5, 5);
    ck_assert_double_eq_tol(index_of(&r, "approach_index"), 0.5, 1e-3);
    retc_protocol_response_free(&r);
    r = made_up(3, 1, sizes, diameters);
    r.rate[0] = 8, r.rate[1] = 20, r.rate[2] = 5;
    ck_assert_double_eq_tol(index_of(&r, "surround_suppression"), 0.75, 1e-12);
    retc_protocol_response_free(&r);
}
END_TEST

/* ---- contrast adaptation ----------------------------------------------------------------------------------------------- */

enum { TRIAL = 3000, STEPS = 8, STEP_FRAMES = TRIAL * STEPS, L = 12 };
#define FRAME 0.02

/* A filter that peaks `peak` frames back. */
static double
filter(double peak, size_t k) {
    double at = ((double)k - peak) / 1.5;
    return exp(-at * at / 2);
}

/* Two cells see a Gaussian flicker of contrasts 0.1 and 0.3, in turn.  The first is fixed; in high contrast the second has 0.4
 * of its gain and a filter that peaks 1.4 frames earlier.  Counts are the expected ones. */
static void
write_switching(const char *path) {
    static float movie[STEP_FRAMES], counts[2 * STEP_FRAMES];
    gsl_rng *rng = retc_rng_alloc(3, RETC_STREAM_NOISE, 0);
    retc_trials trials;
    ck_ok(retc_trials_alloc(&trials, 2, 1, STEPS));
    snprintf(trials.parameter[0].name, sizeof trials.parameter[0].name, "contrast");
    snprintf(trials.protocol, sizeof trials.protocol, "contrast-steps");
    trials.parameter[0].value[0] = 0.1;
    trials.parameter[0].value[1] = 0.3;
    for (size_t t = 0; t < STEP_FRAMES; ++t) {
        size_t k = t / TRIAL, high = k % 2;
        trials.trial[k] = (retc_trial){high, k * TRIAL, TRIAL, (double)(k * TRIAL) * FRAME, TRIAL * FRAME};
        movie[t] = (float)(127.5 * (1 + (high ? 0.3 : 0.1) * gsl_ran_gaussian_ziggurat(rng, 1)));
        for (size_t j = 0; j < 2; ++j) {
            double drive = 0, gain = j && high ? 0.4 : 1, peak = j && high ? 3.6 : 5;
            for (size_t lag = 0; lag < L && lag < t; ++lag)
                drive += filter(peak, lag) * ((double)movie[t - 1 - lag] / 127.5 - 1);
            counts[j * STEP_FRAMES + t] = (float)log1p(exp(4 * gain * drive));
        }
    }
    gsl_rng_free(rng);
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    const size_t T = STEP_FRAMES, shape[2] = {2, T}, frames[3] = {T, 1, 1};
    double *time = retc_calloc(T, sizeof *time);
    for (size_t t = 0; t < T; ++t)
        time[t] = (double)t * FRAME;
    ck_ok(retc_h5_put(file, "train/stimulus", RETC_H5_FLOAT, 3, frames, movie));
    ck_ok(retc_h5_put(file, "train/time", RETC_H5_DOUBLE, 1, &T, time));
    ck_ok(retc_h5_put(file, "train/response/binned", RETC_H5_FLOAT, 2, shape, counts));
    ck_ok(retc_trials_write(file, "train", &trials));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_free(time);
    retc_trials_free(&trials);
}

START_TEST(test_adaptation) {
    char path[512];
    snprintf(path, sizeof path, "%s", retc_test_path("switching.h5"));
    write_switching(path);
    retc_protocol_response_options options;
    retc_protocol_response_default(&options);
    retc_recording *recording = retc_recording_open(path, 0);
    retc_protocol_response r;
    retc_protocol_index *indices = NULL;
    size_t n = 0;
    ck_ok(retc_protocol_response_compute(recording, &options, NULL, &r));
    ck_ok(retc_protocol_indices(&r, &indices, &n));
    size_t others = n;
    ck_ok(retc_protocol_adaptation(recording, &options, 0.28, &r, &indices, &n));
    ck_assert_uint_eq(n, others + 5);
    ck_assert_str_eq(retc_protocol_main_index(indices, n)->name, "gain_ratio");
    /* Filters come from 12000 Gaussian frames: noise of about 1 / sqrt(12000) of the filter's norm per lag, which puts slopes
     * off by a few hundredths; the parabola through three points of a Gaussian of 1.5 frames is off by less than 0.05 frames.
     */
    const double *ratio = indices[others].value, *speedup = indices[others + 3].value;
    ck_assert_double_eq_tol(ratio[0], 1, 0.05);
    ck_assert_double_eq_tol(ratio[1], 0.4, 0.05);
    ck_assert_double_eq_tol(speedup[0], 0, 0.1 * 1000 * FRAME);
    ck_assert_double_eq_tol(speedup[1], 1.4 * 1000 * FRAME, 0.15 * 1000 * FRAME);
    ck_assert_double_eq_tol(indices[others + 1].value[0], 6 * 1000 * FRAME, 0.1 * 1000 * FRAME); /* 5 frames and the lag */
    retc_protocol_indices_free(indices, n);
    retc_protocol_response_free(&r);
    retc_recording_close(recording);
}
END_TEST

/* ---- real recordings ----------------------------------------------------------------------------------------------------- */

enum { MOST_CELLS = 20, MOST_MARKS = 500 };

/* A recording of the shared material, imported: its marks are the frames. */
typedef struct {
    char folder[512], path[512], table[512];
    double mark[MOST_MARKS];
    size_t marks, cells;
} real_recording;

/* Import the cells that the reference names; 0 when the material is not here. */
static int
import_real(const char *name, const char *prefix, real_recording *real) {
    static const double levels[4] = {0.5, 1, 0.5, 0}; /* of a cycle of steps; of gratings the file does not say */
    char path[MOST_CELLS][600], marks[600], reference[64], **cell = NULL;
    const char *spikes[MOST_CELLS];
    retc_text_column column;
    snprintf(reference, sizeof reference, "recordings/%s/reference.h5", name);
    const char *found = retc_test_shared(reference);
    if (!found)
        return 0;
    snprintf(real->folder, sizeof real->folder, "%.*s", (int)(strrchr(found, '/') - found), found);
    retc_h5 *file = retc_h5_open(found);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_read_texts(file, "cell", &cell, &real->cells));
    ck_assert_uint_le(real->cells, MOST_CELLS);
    retc_h5_close(file);
    snprintf(real->path, sizeof real->path, "%s", retc_test_path("real.h5"));
    snprintf(real->table, sizeof real->table, "%s", retc_test_path("real.txt"));
    snprintf(marks, sizeof marks, "%s/stimulus.txt", real->folder);
    ck_ok(retc_text_read_column(marks, &column));
    ck_assert_uint_le(column.n, MOST_MARKS);
    real->marks = column.n;
    memcpy(real->mark, column.value, column.n * sizeof *column.value);
    for (size_t j = 0; j < real->cells; ++j) {
        snprintf(path[j], sizeof path[j], "%s/%s%s.txt", real->folder, prefix, cell[j]);
        spikes[j] = path[j];
    }
    retc_import_options options = {
        .frames = marks, .level = levels, .levels = 4, .spikes = spikes, .cells = real->cells, .test_fraction = 0.1};
    retc_recording_writer *writer = NULL;
    retc_import_text_report report;
    ck_ok(retc_import_text(&options, real->path, 1, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_import_text_report_free(&report);
    retc_recording_writer_free(writer);
    retc_text_column_free(&column);
    retc_free(cell);
    return 1;
}

static double *
reference(const real_recording *real, const char *name, size_t n) {
    char path[600];
    void *values = NULL;
    size_t shape[RETC_H5_MAX_RANK], all = 1;
    int rank;
    snprintf(path, sizeof path, "%s/reference.h5", real->folder);
    retc_h5 *file = retc_h5_open(path);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_shape(file, name, &rank, shape));
    for (int d = 0; d < rank; ++d)
        all *= shape[d];
    ck_assert_uint_eq(all, n);
    ck_ok(retc_h5_read_new(file, name, RETC_H5_DOUBLE, rank, shape, &values));
    retc_h5_close(file);
    return values;
}

static retc_protocol_response
respond_to_table(const real_recording *real, double bin) {
    retc_protocol_response_options options;
    retc_protocol_response_default(&options);
    options.trials = real->table;
    options.bin = bin;
    return respond(real->path, &options);
}

/* The index of every cell against the reference. */
static void
compare_index(const retc_protocol_response *r, const char *name, const double *expected, double tolerance) {
    retc_protocol_index *indices = NULL;
    size_t n = 0;
    ck_ok(retc_protocol_indices(r, &indices, &n));
    for (size_t i = 0; i < n; ++i)
        if (strcmp(indices[i].name, name) == 0)
            for (size_t j = 0; j < r->cells; ++j)
                ck_assert_msg(fabs(indices[i].value[j] - expected[j]) <= tolerance, "%s of %s: %.6g, expected %.6g", name,
                              r->name[j], indices[i].value[j], expected[j]);
    retc_protocol_indices_free(indices, n);
}

/* Cycles of grey, white, grey and black.  Their mean response, and the index of white and black steps. */
START_TEST(test_real_steps) {
    real_recording real;
    if (!import_real("on_off_steps", "8_SP_", &real))
        retc_skip("the shared recordings are not here");
    double *psth = reference(&real, "psth_hz", real.cells * 600), *index = reference(&real, "on_off_index", real.cells);
    FILE *out = fopen(real.table, "w");
    fputs("onset duration kind\n", out);
    for (size_t i = 0; i < real.marks; i += 4)
        fprintf(out, "%.6f 5.95 0\n", real.mark[i]);
    fclose(out);
    retc_protocol_response r = respond_to_table(&real, 0.01);
    ck_assert_uint_eq(r.shown[0], 68);
    for (size_t j = 0; j < real.cells; ++j) {
        double off = 0, sum = 0;
        for (size_t b = 0; b < 595; ++b) {
            off += fabs(r.psth[j * r.bins + r.bins_before + b] - psth[j * 600 + b]);
            sum += psth[j * 600 + b];
        }
        /* Spikes at the border of two bins, whose times have 4 decimals, may fall to either side: one in a hundred bins of
         * theirs, each of which counts twice. */
        ck_assert_msg(off <= 0.02 * sum, "%s: bins are off by %g of %g", r.name[j], off, sum);
    }
    retc_protocol_response_free(&r);
    out = fopen(real.table, "w");
    fputs("onset duration contrast\n", out);
    for (size_t i = 1; i < real.marks; i += 2)
        fprintf(out, "%.6f 0.9929 %d\n", real.mark[i], i % 4 == 1 ? 1 : -1);
    fclose(out);
    r = respond_to_table(&real, 0.01);
    /* The reference sums 10 ms bins, whose borders are up to 10 ms from those of the steps: 1 % of a step. */
    compare_index(&r, "on_off_index", index, 0.01);
    retc_protocol_response_free(&r);
    retc_free(psth);
    retc_free(index);
}
END_TEST

/* 4 cycles of 8 directions, first of slow gratings with 3 marks each, then of fast ones with 11: one per period but the first.
 */
START_TEST(test_real_gratings) {
    real_recording real;
    if (!import_real("drifting_gratings", "5_SP_", &real))
        retc_skip("the shared recordings are not here");
    const char *set = _i ? "fast" : "slow";
    size_t first = _i ? 96 : 0, marks = _i ? 11 : 3;
    char name[32];
    double mean = 0;
    for (size_t p = 0; p < 32; ++p)
        mean += (real.mark[first + p * marks + marks - 1] - real.mark[first + p * marks]) / (double)(marks - 1) / 32;
    FILE *out = fopen(real.table, "w");
    fputs("onset duration direction\n", out);
    for (size_t p = 0; p < 32; ++p) {
        const double *mark = real.mark + first + p * marks;
        fprintf(out, "%.6f %.6f %zu\n", mark[0], mark[marks - 1] - mark[0] + mean, p % 8 * 45);
    }
    fclose(out);
    retc_protocol_response r = respond_to_table(&real, 0.05);
    ck_assert_uint_eq(r.trials.conditions, 8);
    snprintf(name, sizeof name, "%s/counts", set);
    double *counts = reference(&real, name, real.cells * 32);
    for (size_t j = 0; j < real.cells; ++j)
        for (size_t i = 0; i < 8; ++i) {
            double expected = 0;
            for (size_t cycle = 0; cycle < 4; ++cycle)
                expected += counts[(j * 4 + cycle) * 8 + i] / 4;
            /* Rates divide by the duration of each trial, which varies by less than a thousandth; and one spike of four trials
             * may lie at a border. */
            double duration = retc_protocol_response_duration(&r, i);
            ck_assert_double_eq_tol(r.rate[j * 8 + i] * duration, expected, 0.25 + 2e-3 * expected);
        }
    snprintf(name, sizeof name, "%s/dsi", set);
    double *dsi = reference(&real, name, real.cells);
    snprintf(name, sizeof name, "%s/osi", set);
    double *osi = reference(&real, name, real.cells);
    compare_index(&r, "direction_index", dsi, 1e-2);
    compare_index(&r, "orientation_index", osi, 1e-2);
    retc_protocol_response_free(&r);
    retc_free(counts);
    retc_free(dsi);
    retc_free(osi);
}
END_TEST

static Suite *
responses_suite(void) {
    Suite *suite = suite_create("responses to protocols");
    TCase *means = tcase_create("means"), *indices = tcase_create("indices"), *steps = tcase_create("contrast steps");
    tcase_add_loop_test(means, test_means, 0, 2);
    tcase_add_test(means, test_trials_from_a_table);
    tcase_add_loop_test(means, test_wrong_tables, 0, sizeof tables / sizeof *tables);
    tcase_add_test(means, test_no_trials);
    tcase_add_loop_test(indices, test_harmonics, 0, 2);
    tcase_add_test(indices, test_direction);
    tcase_add_loop_test(indices, test_anticipation, 0, 2);
    tcase_add_test(indices, test_pairs_of_conditions);
    tcase_add_test(indices, test_events);
    tcase_set_timeout(steps, 60);
    tcase_add_test(steps, test_adaptation);
    TCase *real = tcase_create("real recordings");
    tcase_set_timeout(real, 60);
    tcase_add_test(real, test_real_steps);
    tcase_add_loop_test(real, test_real_gratings, 0, 2);
    suite_add_tcase(suite, real);
    suite_add_tcase(suite, means);
    suite_add_tcase(suite, indices);
    suite_add_tcase(suite, steps);
    return suite;
}

int
main(void) {
    return retc_test_main(responses_suite(), NULL);
}

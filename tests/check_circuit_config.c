/* The simulated retina: its spikes, and its parameters and their files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "circuit.h"
#include "rng.h"
#include "spike_train.h"
#include "testing.h"

/* ---- spikes ---------------------------------------------------------------------------------------------------------- */

/* Mean and variance of the counts of one frame over many frames of a constant rate. */
static void
count_spikes(const retc_spike_options *options, double rate, double interval, size_t n, double *mean, double *variance) {
    gsl_rng *rng = retc_rng_alloc(7, RETC_STREAM_SPIKES, 0);
    retc_spike_train train;
    double sum = 0, squares = 0;
    retc_spike_train_start(&train, options, rng);
    for (size_t t = 0; t < n; ++t) {
        double count = (double)retc_spike_train_frame(&train, options, rate, interval, rng, NULL, 0);
        sum += count, squares += count * count;
    }
    *mean = sum / (double)n;
    *variance = squares / (double)n - *mean * *mean;
    gsl_rng_free(rng);
}

/* 40000 frames of mean 1: means within 5 standard errors of a Poisson variable, 5 / 200, variances of sqrt(2) times that. */
START_TEST(poisson_counts) {
    retc_spike_options options = {.process = RETC_SPIKES_POISSON};
    double mean, variance;
    count_spikes(&options, 50, 0.02, 40000, &mean, &variance);
    ck_assert_double_eq_tol(mean, 1, 0.025);
    ck_assert_double_eq_tol(variance, 1, 0.044);
}
END_TEST

/* Intervals: none shorter than the dead time, mean 1 / rate, variance (1/q)^2 + relative^2 as of a sum of exponential
 * variables; 1e5 of them are known to 5 / 316 of their spread. */
START_TEST(refractory_intervals) {
    retc_spike_options options = {.process = RETC_SPIKES_REFRACTORY, .absolute = 0.003, .relative = 0.002};
    gsl_rng *rng = retc_rng_alloc(7, RETC_STREAM_SPIKES, 0);
    retc_spike_train train;
    double last = -1, sum = 0, squares = 0, time[64], q = 80 / (1 - 80 * 0.005);
    size_t intervals = 0;
    retc_spike_train_start(&train, &options, rng);
    for (size_t t = 0; intervals < 100000; ++t) {
        size_t n = retc_spike_train_frame(&train, &options, 80, 0.01, rng, time, 64);
        for (size_t i = 0; i < n; ++i) {
            double now = 0.01 * (double)t + time[i];
            if (last >= 0) {
                ck_assert_double_ge(now - last, 0.003 - 1e-9);
                sum += now - last, squares += (now - last) * (now - last), ++intervals;
            }
            last = now;
        }
    }
    double mean = sum / (double)intervals, variance = squares / (double)intervals - mean * mean;
    double expected = 1 / (q * q) + 0.002 * 0.002;
    ck_assert_double_eq_tol(mean, 1 / 80.0, 0.016 * sqrt(expected));
    ck_assert_double_eq_tol(variance, expected, 0.05 * expected); /* fourth moments of an exponential: sqrt(8) 5 / 316 */
    gsl_rng_free(rng);
}
END_TEST

/* Where the dead time would take all of it, spikes go on, fewer than asked. */
START_TEST(refractory_limit) {
    retc_spike_options options = {.process = RETC_SPIKES_REFRACTORY, .absolute = 0.01, .relative = 0};
    double mean, variance;
    count_spikes(&options, 500, 0.1, 2000, &mean, &variance);
    ck_assert_double_gt(mean, 9.5); /* q = 5000: intervals of 10.2 ms */
    ck_assert_double_lt(mean, 10);
}
END_TEST

/* Mean m and variance m / order + E[f (1 - f)] as derived in spike_train.h. */
START_TEST(gamma_counts) {
    static const double means[3] = {0.3, 1, 3};
    retc_spike_options options = {.process = RETC_SPIKES_GAMMA, .order = 4};
    double mean, variance, expected = means[_i] / 4, p = exp(-4 * means[_i]);
    for (size_t events = 0; events < 200; ++events) {
        double f = (double)(events % 4) / 4;
        expected += p * f * (1 - f);
        p *= 4 * means[_i] / (double)(events + 1);
    }
    count_spikes(&options, means[_i] * 50, 0.02, 40000, &mean, &variance);
    ck_assert_double_eq_tol(mean, means[_i], 0.025 * sqrt(means[_i]));
    ck_assert_double_eq_tol(variance, expected, 0.05 * expected);
    ck_assert_double_lt(variance, mean); /* sub-Poisson */
}
END_TEST

/* ---- configurations -------------------------------------------------------------------------------------------------- */

static const char *
write_config(const char *text) {
    const char *path = retc_test_path("retina.ini");
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    ck_assert_int_eq(fclose(out), 0);
    return path;
}

/* What is printed reads as the same parameters, whatever is read over. */
START_TEST(configurations_make_the_round) {
    retc_circuit_options o, other;
    const char *path = retc_test_path("printed.ini");
    ck_ok(retc_circuit_preset(_i ? "salamander-like" : "tiny", &o));
    o.rate = 0.1 + 0.2, o.bipolar[1].amacrine = RETC_AMACRINE_WIDE, o.order = 7, o.photoreceptor.adaptation = 1;
    FILE *out = fopen(path, "w");
    retc_circuit_config_print(out, &o);
    ck_assert_int_eq(fclose(out), 0);
    ck_ok(retc_circuit_preset(_i ? "tiny" : "salamander-like", &other));
    ck_ok(retc_circuit_config_read(path, &other));
    other.seed = o.seed;
    char *text[2] = {retc_calloc(1 << 16, 1), retc_calloc(1 << 16, 1)};
    for (int i = 0; i < 2; ++i) {
        FILE *memory = fmemopen(text[i], 1 << 16, "w");
        retc_circuit_config_print(memory, i ? &other : &o);
        fclose(memory);
    }
    ck_assert_str_eq(text[0], text[1]);
    ck_assert_double_eq(other.rate, o.rate);
    retc_free(text[0]), retc_free(text[1]);
}
END_TEST

START_TEST(a_file_changes_what_it_names) {
    retc_circuit_options o, before;
    retc_circuit_default(&o);
    before = o;
    ck_ok(retc_circuit_config_read(
        write_config("# mine\n[amacrine_off]\ntau = 12.5 ms # slower\ndelay=3\n\n[spikes]\nprocess = gamma\n"), &o));
    ck_assert_double_eq(o.amacrine[RETC_AMACRINE_OFF].tau, 12.5);
    ck_assert_double_eq(o.amacrine[RETC_AMACRINE_OFF].delay, 3);
    ck_assert_uint_eq(o.spikes, RETC_SPIKES_GAMMA);
    o.amacrine[RETC_AMACRINE_OFF] = before.amacrine[RETC_AMACRINE_OFF];
    o.spikes = before.spikes;
    ck_assert_mem_eq(&o, &before, sizeof o);
}
END_TEST

static const struct {
    const char *text, *says;
} mistakes[] = {
    {"tau = 3\n", ":1: \"tau\" stands before the first [section]"},
    {"[amacrine_oof]\ntau = 3\n", ":1: there is no section [amacrine_oof]; did you mean [amacrine_off]?"},
    {"[amacrine_off]\n\ntua = 3\n", ":3: [amacrine_off] tua: there is no such key; did you mean tau?"},
    {"[amacrine_off]\ntau = 0.03 s\n", ":2: [amacrine_off] tau: \"0.03 s\" is in s, expected ms"},
    {"[brisk_on]\ncells = 3 um\n", ":2: [brisk_on] cells: \"3 um\" is in um, expected a plain number"},
    {"[brisk_on]\ncells = 2.5\n", ":2: [brisk_on] cells: 2.5 is no whole number"},
    {"[retina]\npixel = -5\n", ":2: [retina] pixel: -5 um is out of range: expected 0.1 ... 10000"},
    {"[retina]\npixel = wide\n", ":2: [retina] pixel: \"wide\" is no number in um"},
    {"[retina]\npixel = nan\n", ":2: [retina] pixel: \"nan\" is no number in um"},
    {"[spikes]\nprocess = regular\n", ":2: [spikes] process: \"regular\" is none of poisson, refractory, gamma"},
    {"[spikes]\norder = 3\norder = 4\n", ":3: [spikes] order: is given twice"},
    {"[spikes]\nwhat is this\n", ":2: neither [section] nor key = value"},
    {"\x01\x02\n", ":1: this is not a text file"},
    {"[on_bipolar]\ncenter = 100\n", "[on_bipolar] surround: 70 um should be more than the 100 um of the centre"},
    {"[brisk_on]\ncells = 0\n[brisk_off]\ncells = 0\n", "0 ganglion cells in all: expected 1 ... 999"},
    {"[on_bipolar]\ninhibition = 1\n", "[on_bipolar] inhibition: 1, but amacrine is none"},
    {"[output]\nmaximum = -1\n", ":2: [output] maximum: -1 Hz is out of range: expected 0 ... 10000"},
    {"[output]\nrate = 20\nrate_spread = 0.5\nmaximum = 30 Hz\n",
     "[output] maximum: 30 Hz, but the mean rates of cells go up to 30 Hz; expected more, or 0"},
    {"[spikes]\nprocess = refractory\nabsolute = 0\nrelative = 0\n", "refractory needs absolute or relative"},
};

START_TEST(wrong_configurations) {
    retc_circuit_options o, before;
    retc_circuit_default(&o);
    before = o;
    ck_fails(retc_circuit_config_read(write_config(mistakes[_i].text), &o), mistakes[_i].says);
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "retina.ini"));
    ck_assert_mem_eq(&o, &before, sizeof o);
}
END_TEST

START_TEST(wrong_circuits) {
    retc_circuit_options o;
    retc_circuit_default(&o);
    ck_fails(retc_circuit_preset("rabbit", &o), "there is no preset \"rabbit\"");
    ck_fails(retc_circuit_config_read(retc_test_path("absent.ini"), &o), "absent.ini: No such file");
    ck_assert_ptr_null(retc_circuit_alloc(&o, 0, 5, 0.01));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "sees 0 x 5 pixels"));
    ck_assert_ptr_null(retc_circuit_alloc(&o, 5, 5, 0.06));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "at most 50 ms, not 60 ms"));
    ck_assert_ptr_null(retc_circuit_alloc(&o, 5, 5, (double)NAN));
    o.ganglion[0].cells = 500;
    ck_assert_ptr_null(retc_circuit_alloc(&o, 12, 12, 0.01));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "brisk_on cells"));
    o.pixel = -1;
    ck_assert_ptr_null(retc_circuit_alloc(&o, 12, 12, 0.01));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "[retina] pixel: -1 um is out of range"));
}
END_TEST

/* Cells are dealt out in turn. */
START_TEST(cells_are_dealt_out) {
    retc_circuit_options o;
    ck_ok(retc_circuit_preset("salamander-like", &o));
    retc_circuit_set_cells(&o, 7);
    ck_assert_uint_eq(o.ganglion[0].cells, 2);
    ck_assert_uint_eq(o.ganglion[1].cells, 2);
    ck_assert_uint_eq(o.ganglion[4].cells, 1);
}
END_TEST

/* A single pixel stands for the whole screen. */
START_TEST(a_full_field_movie) {
    retc_circuit_options o;
    retc_circuit_default(&o);
    retc_circuit_set_cells(&o, 2);
    retc_circuit *circuit = retc_circuit_alloc(&o, 1, 1, 0.01);
    ck_assert_msg(circuit != NULL, "%s", retc_error_message());
    ck_ok(retc_circuit_calibrate_noise(circuit, 500, 1));
    ck_assert_uint_eq(retc_circuit_cells(circuit), 2);
    retc_circuit_free(circuit);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("circuit_config");
    TCase *small = tcase_create("small");
    tcase_set_timeout(small, 60);
    tcase_add_test(small, poisson_counts);
    tcase_add_test(small, refractory_intervals);
    tcase_add_test(small, refractory_limit);
    tcase_add_loop_test(small, gamma_counts, 0, 3);
    tcase_add_loop_test(small, configurations_make_the_round, 0, 2);
    tcase_add_test(small, a_file_changes_what_it_names);
    tcase_add_loop_test(small, wrong_configurations, 0, (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(small, wrong_circuits);
    tcase_add_test(small, cells_are_dealt_out);
    tcase_add_test(small, a_full_field_movie);
    suite_add_tcase(suite, small);
    return retc_test_main(suite, NULL);
}

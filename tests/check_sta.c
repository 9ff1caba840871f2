/* Reverse correlation against its definition, against independent programs, and against what chance allows. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fft.h"
#include "h5.h"
#include "recording_write.h"
#include "rng.h"
#include "sta.h"
#include "stats.h"
#include "testing.h"

/* The full-field recording: 41 trials of 1800 fresh and 600 frozen frames. */
enum { CELLS = 8, TRIALS = 41, RUNNING = 1800, TRIAL = 2400, HISTORY = 40 };

/* ---- small recordings ------------------------------------------------------------------------------------------------ */

typedef struct {
    size_t T, H, W, N, blocks;
    size_t start[TRIALS]; /* of the stretches */
    float *movie;         /* (T,H,W) */
    float *counts;        /* (N,T) */
    const char *path;
    retc_recording *recording;
} example;

static const double INTERVAL = 0.0125;

static void
write_example(example *e) {
    double *time = retc_calloc(e->T, sizeof *time);
    const char *names[512];
    char text[512][24];
    for (size_t n = 0; n < e->N; ++n) {
        snprintf(text[n], sizeof text[n], "c%zu", n);
        names[n] = text[n];
    }
    for (size_t t = 0; t < e->T; ++t)
        time[t] = (double)t * INTERVAL;
    const retc_recording_layout layout = {.height = e->H,
                                          .width = e->W,
                                          .cells = e->N,
                                          .frames = {e->T, 0},
                                          .frame_interval = INTERVAL,
                                          .stimulus_type = RETC_H5_FLOAT,
                                          .cell_names = names,
                                          .block_start = {e->start, NULL},
                                          .blocks = {e->blocks, 0}};
    e->path = retc_test_path("recording.h5");
    retc_recording_writer *writer = retc_recording_writer_create(e->path, 1, &layout);
    ck_assert_msg(writer != NULL, "%s", retc_error_message());
    ck_ok(retc_recording_write_stimulus(writer, RETC_TRAIN, 0, e->T, e->movie));
    ck_ok(retc_recording_write_time(writer, RETC_TRAIN, time));
    ck_ok(retc_recording_write_counts(writer, RETC_TRAIN, 0, e->T, e->counts));
    ck_ok(retc_recording_writer_finish(writer));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    e->recording = retc_recording_open(e->path, 0);
    ck_assert_msg(e->recording != NULL, "%s", retc_error_message());
    retc_free(time);
}

/* White noise, and cells that fire by chance; cell 0, when `driven`, fires more when pixel 1 was bright 2 frames before. */
static example
make_example(size_t T, size_t H, size_t W, size_t N, int driven, uint64_t index) {
    example e = {.T = T, .H = H, .W = W, .N = N, .blocks = 1};
    gsl_rng *rng = retc_rng_alloc(23, RETC_STREAM_NOISE, index);
    e.movie = retc_calloc(T * H * W, sizeof *e.movie);
    e.counts = retc_calloc(N * T, sizeof *e.counts);
    for (size_t i = 0; i < T * H * W; ++i)
        e.movie[i] = (float)(3.4 + 1.7 * gsl_ran_gaussian(rng, 1));
    for (size_t n = 0; n < N; ++n)
        for (size_t t = 0; t < T; ++t) {
            double rate = 0.4;
            if (driven && n == 0 && t >= 2)
                rate = (double)e.movie[(t - 2) * H * W + 1] > 3.4 ? 0.8 : 0.1;
            e.counts[n * T + t] = (float)gsl_ran_poisson(rng, rate);
        }
    gsl_rng_free(rng);
    return e;
}

static void
free_example(example *e) {
    retc_recording_close(e->recording);
    retc_free(e->movie);
    retc_free(e->counts);
}

/* Last frame + 1 of the stretch that frame t is in, and its first. */
static void
stretch(const example *e, size_t t, size_t *first, size_t *last) {
    *first = 0;
    *last = e->T;
    for (size_t b = 0; b < e->blocks; ++b)
        if (e->start[b] <= t) {
            *first = e->start[b];
            *last = b + 1 < e->blocks ? e->start[b + 1] : e->T;
        }
}

static int
window_is_whole(const example *e, size_t t, size_t L, size_t lag) {
    size_t first, last;
    stretch(e, t, &first, &last);
    return t >= first + lag + L - 1;
}

/* The definition, plain. */
static void
plain_sta(const example *e, size_t L, size_t lag, double mean, double std, double *sta, double *spikes) {
    size_t area = e->H * e->W;
    for (size_t n = 0; n < e->N; ++n) {
        const float *counts = e->counts + n * e->T;
        spikes[n] = 0;
        for (size_t t = 0; t < e->T; ++t)
            spikes[n] += window_is_whole(e, t, L, lag) ? (double)counts[t] : 0;
        for (size_t k = 0; k < L; ++k)
            for (size_t p = 0; p < area; ++p) {
                double sum = 0;
                for (size_t t = 0; t < e->T; ++t)
                    if (window_is_whole(e, t, L, lag))
                        sum += (double)counts[t] * ((double)e->movie[(t - lag - L + 1 + k) * area + p] - mean) / std;
                sta[(n * L + k) * area + p] = spikes[n] > 0 ? sum / spikes[n] : 0;
            }
    }
}

/* ---- definition ------------------------------------------------------------------------------------------------------ */

static const size_t windows[][2] = {{1, 0}, {1, 2}, {7, 0}, {7, 1}, {40, 3}}; /* L, lag */

/* Four stretches, one of 5 frames that is shorter than most windows.  The result is a float, good to u; the FFT in double
 * adds some 1e-15. */
START_TEST(test_definition) {
    size_t L = windows[_i][0], lag = windows[_i][1];
    example e = make_example(420, 3, 4, 3, 1, 1);
    e.blocks = 4;
    memcpy(e.start, (const size_t[]){0, 150, 155, 290}, 4 * sizeof *e.start);
    memset(e.counts + e.T, 0, e.T * sizeof *e.counts); /* cell 1 is silent */
    write_example(&e);
    retc_revcorr_options options = {.part = RETC_TRAIN, .history = L, .lag = lag, .shifts = 5, .seed = 3, .threads = 1};
    retc_revcorr one, three;
    ck_ok(retc_revcorr_estimate(e.recording, &options, NULL, &one));
    options.threads = 3;
    ck_ok(retc_revcorr_estimate(e.recording, &options, NULL, &three));

    size_t size = e.N * L * e.H * e.W, whole = 0;
    double *expected = retc_calloc(size, sizeof *expected), *found = retc_calloc(size, sizeof *found), spikes[3];
    plain_sta(&e, L, lag, one.mean, one.std, expected, spikes);
    for (size_t i = 0; i < size; ++i)
        found[i] = (double)one.sta[i];
    ck_close_double("sta", found, expected, size, 1e-13, (double)FLT_EPSILON / 2);
    ck_close_double("spikes", one.spikes, spikes, e.N, 0, 0);
    for (size_t t = 0; t < e.T; ++t)
        whole += (size_t)window_is_whole(&e, t, L, lag);
    ck_assert_uint_eq(one.windows, whole);
    ck_assert(one.spikes[1] == 0 && one.spikes[0] > 0);

    ck_assert_mem_eq(one.sta, three.sta, size * sizeof *one.sta);
    ck_assert_mem_eq(one.shift_max, three.shift_max, e.N * 5 * sizeof *one.shift_max);
    retc_revcorr_clear(&one);
    retc_revcorr_clear(&three);
    ck_assert_ptr_null(one.sta);
    retc_free(expected);
    retc_free(found);
    free_example(&e);
}
END_TEST

/* Each shift's maximum is that of some circular shift s in L ... P-lag-L of the padded series, the same s for all cells. */
START_TEST(test_shifts) {
    enum { T = 180, L = 6, LAG = 1, AREA = 2, N = 2, SHIFTS = 8 };
    example e = make_example(T, 1, 2, N, 0, 2);
    write_example(&e);
    const retc_revcorr_options options = {
        .part = RETC_TRAIN, .history = L, .lag = LAG, .shifts = SHIFTS, .seed = 5, .threads = 1};
    retc_revcorr r;
    ck_ok(retc_revcorr_estimate(e.recording, &options, NULL, &r));
    size_t P = retc_fft_size(T + LAG + L - 1);
    size_t different = 0;
    for (size_t i = 0; i < SHIFTS; ++i) {
        int explained = 0;
        for (size_t s = L; s + LAG + L <= P && !explained; ++s) {
            explained = 1;
            for (size_t n = 0; n < N; ++n) {
                double max = 0;
                for (size_t k = 0; k < L; ++k)
                    for (size_t p = 0; p < AREA; ++p) {
                        double sum = 0;
                        for (size_t t = LAG + L - 1; t < T; ++t) {
                            size_t frame = (t + 2 * P - LAG - k - s) % P;
                            if (frame < T)
                                sum += (double)e.counts[n * T + t] * ((double)e.movie[frame * AREA + p] - r.mean) / r.std;
                        }
                        max = fmax(max, fabs(sum) / r.spikes[n]);
                    }
                explained &= fabs(max - r.shift_max[n * SHIFTS + i]) < 1e-12;
            }
        }
        ck_assert_msg(explained, "maximum %zu belongs to no shift", i);
        different += i > 0 && r.shift_max[i] != r.shift_max[0];
    }
    ck_assert_uint_gt(different, 0);
    retc_revcorr_clear(&r);
    free_example(&e);
}
END_TEST

/* Two filters on windows of two stretches, in strips and across the border of a block of the reader. */
START_TEST(test_generator) {
    enum { T = 1500, L = 5, LAG = 2, AREA = 6, FILTERS = 2 };
    example e = make_example(T, 2, 3, 1, 0, 3);
    e.blocks = 2;
    e.start[1] = 700;
    write_example(&e);
    const retc_revcorr_options options = {.part = RETC_TRAIN, .history = L, .lag = LAG, .threads = 2};
    float filters[FILTERS * L * AREA];
    for (size_t i = 0; i < FILTERS * L * AREA; ++i)
        filters[i] = cosf(0.7f * (float)i + 0.2f);
    size_t n = 0, at = 0;
    ck_ok(retc_revcorr_windows(e.recording, &options, &n));
    ck_assert_uint_eq(n, T - 2 * (LAG + L - 1));
    float *g = retc_calloc(FILTERS * n, sizeof *g), *c = retc_calloc(n, sizeof *c);
    double *expected = retc_calloc(FILTERS * n, sizeof *expected), *found = retc_calloc(FILTERS * n, sizeof *found);
    ck_ok(retc_revcorr_generator(e.recording, &options, 3.1, 1.6, FILTERS, filters, NULL, g));
    ck_ok(retc_revcorr_counts(e.recording, &options, c));
    double largest = 0; /* sum |w x| over a window */
    for (size_t t = 0; t < T; ++t) {
        if (!window_is_whole(&e, t, L, LAG))
            continue;
        ck_assert(c[at] == e.counts[t]);
        for (size_t f = 0; f < FILTERS; ++f) {
            double size = 0;
            for (size_t k = 0; k < L; ++k)
                for (size_t p = 0; p < AREA; ++p) {
                    double x = ((double)e.movie[(t - LAG - L + 1 + k) * AREA + p] - 3.1) / 1.6;
                    expected[f * n + at] += (double)filters[(f * L + k) * AREA + p] * x;
                    size += fabs((double)filters[(f * L + k) * AREA + p] * x);
                }
            found[f * n + at] = (double)g[f * n + at];
            largest = fmax(largest, size);
        }
        ++at;
    }
    /* a sum of J products of floats is good to 2 J u sum|w x| (Higham 3.1); J u covers the rounding of x and its sums */
    ck_close_double("generator", found, expected, FILTERS * n, 2 * L * AREA * (double)FLT_EPSILON / 2 * largest, 0);
    retc_free(g);
    retc_free(c);
    retc_free(expected);
    retc_free(found);
    free_example(&e);
}
END_TEST

/* ---- level ----------------------------------------------------------------------------------------------------------- */

/* 300 cells without receptive field, alpha 0.05: the number above their level is binomial with mean at most 15.  More than 36
 * has probability 1e-6, fewer than 3 has 3e-5.  A cell that is driven stands out. */
START_TEST(test_level) {
    example e = make_example(4000, 3, 3, 301, 1, 4);
    write_example(&e);
    retc_sta_options options = retc_sta_options_default();
    options.history = 10;
    options.lag = 0;
    options.alpha = 0.05;
    options.shuffles = 99;
    options.seed = 7;
    retc_sta sta;
    ck_ok(retc_sta_estimate(e.recording, &options, NULL, &sta));
    size_t above = 0;
    for (size_t n = 1; n < e.N; ++n)
        above += (size_t)retc_sta_significant(&sta, n);
    printf("%zu of 300 cells without receptive field above the level\n", above);
    ck_assert_uint_le(above, 36);
    ck_assert_uint_ge(above, 3);

    ck_assert(retc_sta_significant(&sta, 0));
    ck_assert_double_gt(retc_sta_peak_value(&sta, 0), 3 * sta.level[0]);
    ck_assert_uint_eq(sta.peak[0], 7); /* two frames before the newest of ten */
    ck_assert_uint_eq(sta.peak[1], 0);
    ck_assert_uint_eq(sta.peak[2], 1);
    ck_assert_double_eq_tol(retc_sta_latency(&sta, 0), 2 * INTERVAL, 1e-9);
    ck_assert(sta.temporal[7] == sta.spatial[1] && (double)sta.temporal[7] == retc_sta_peak_value(&sta, 0));

    /* Bins share the windows out evenly, so that the mean rate over them is that of the cell. */
    size_t sizes = sta.revcorr.windows / 30, extra = sta.revcorr.windows % 30;
    double spikes = 0;
    ck_assert_uint_eq(sta.used[0], 30);
    for (size_t b = 0; b < 30; ++b) {
        spikes += sta.y[b] * INTERVAL * (double)(sizes + (b < extra));
        ck_assert(b == 0 || sta.x[b] > sta.x[b - 1]);
    }
    ck_assert_double_eq_tol(spikes, sta.revcorr.spikes[0], 1e-6 * spikes);
    ck_assert_double_gt(sta.y[29], 3 * sta.y[0]); /* the planted rates are 0.8 and 0.1 per frame */
    retc_sta_clear(&sta);
    free_example(&e);
}
END_TEST

/* The level is the k-th smallest of m maxima, k = ceil((1 - alpha)(m + 1)). */
START_TEST(test_level_rank) {
    static const struct {
        double alpha;
        size_t shuffles, rank;
    } cases[] = {{0.01, 200, 199}, {0.05, 19, 19}, {0.05, 39, 38}, {0.5, 1, 1}, {0.2, 4, 4}};
    example e = make_example(400, 1, 1, 1, 0, 5);
    write_example(&e);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        retc_sta_options options = {
            .history = 4, .shuffles = cases[i].shuffles, .alpha = cases[i].alpha, .bins = 3, .threads = 1};
        retc_sta sta;
        ck_ok(retc_sta_estimate(e.recording, &options, NULL, &sta));
        size_t below = 0, equal = 0;
        for (size_t m = 0; m < cases[i].shuffles; ++m) {
            below += sta.revcorr.shift_max[m] < sta.level[0];
            equal += sta.revcorr.shift_max[m] == sta.level[0];
        }
        ck_assert_uint_lt(below, cases[i].rank); /* the rank lies among those equal to the level */
        ck_assert_uint_ge(below + equal, cases[i].rank);
        retc_sta_clear(&sta);
        if (cases[i].shuffles < 2)
            continue;
        options.shuffles = (size_t)ceil(1 / cases[i].alpha - 1e-9) - 2; /* one fewer than could show this alpha */
        if (options.shuffles > 0)
            ck_fails(retc_sta_estimate(e.recording, &options, NULL, &sta), "are needed");
    }
    free_example(&e);
}
END_TEST

/* ---- files and refusals ---------------------------------------------------------------------------------------------- */

START_TEST(test_file) {
    example e = make_example(300, 2, 3, 2, 1, 6);
    memset(e.counts + e.T, 0, e.T * sizeof *e.counts);
    write_example(&e);
    retc_sta_options options = retc_sta_options_default();
    options.history = 8;
    options.shuffles = 0;
    options.bins = 5;
    retc_sta sta;
    ck_ok(retc_sta_estimate(e.recording, &options, NULL, &sta));
    ck_assert(isnan(sta.level[0]) && !retc_sta_significant(&sta, 0) && !retc_sta_significant(&sta, 1));
    ck_assert(sta.used[1] == 0 && isnan(sta.x[5]) && isnan(sta.y[9]) && retc_sta_peak_value(&sta, 1) == 0);
    const char *path = retc_test_path("rf.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_sta_write(&sta, e.recording, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);

    file = retc_h5_open(path);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_expect(file, "/sta", 4, (const size_t[]){2, 8, 2, 3}, NULL));
    ck_ok(retc_h5_expect(file, "/temporal", 2, (const size_t[]){2, 8}, NULL));
    ck_ok(retc_h5_expect(file, "/spatial", 3, (const size_t[]){2, 2, 3}, NULL));
    ck_ok(retc_h5_expect(file, "/peak", 2, (const size_t[]){2, 3}, NULL));
    ck_ok(retc_h5_expect(file, "/level", 1, (const size_t[]){2}, NULL));
    ck_ok(retc_h5_expect(file, "/nonlinearity/x", 2, (const size_t[]){2, 5}, NULL));
    ck_ok(retc_h5_expect(file, "/nonlinearity/y", 2, (const size_t[]){2, 5}, NULL));
    float values[8];
    double spikes[2], number = 0;
    int64_t peak[6];
    ck_ok(retc_h5_read(file, "/temporal", RETC_H5_FLOAT, NULL, (const size_t[]){1, 8}, values));
    ck_assert_mem_eq(values, sta.temporal, sizeof values);
    ck_ok(retc_h5_read(file, "/spikes", RETC_H5_DOUBLE, NULL, NULL, spikes));
    ck_assert_mem_eq(spikes, sta.revcorr.spikes, sizeof spikes);
    ck_ok(retc_h5_read(file, "/peak", RETC_H5_INT64, NULL, NULL, peak));
    for (size_t i = 0; i < 6; ++i)
        ck_assert_int_eq(peak[i], (int64_t)sta.peak[i]);
    static const struct {
        const char *name;
        double value;
    } attributes[] = {{"frame_interval", 0.0125}, {"history", 8}, {"lag", 1}, {"alpha", 0.01}, {"shuffles", 0}};
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; ++i) {
        ck_assert_int_eq(retc_h5_get_number(file, "/", attributes[i].name, &number), 1);
        ck_assert_double_eq_tol(number, attributes[i].value, 1e-9);
    }
    char *kind = NULL, **names = NULL;
    size_t n = 0;
    ck_ok(retc_h5_get_text(file, "/", "kind", &kind));
    ck_assert_str_eq(kind, "sta");
    ck_ok(retc_h5_read_texts(file, "/cell_names", &names, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(names[1], "c1");
    retc_free(kind);
    retc_free(names);
    retc_h5_close(file);
    retc_sta_clear(&sta);
    free_example(&e);
}
END_TEST

START_TEST(test_refusals) {
    example e = make_example(60, 1, 2, 1, 0, 7);
    write_example(&e);
    retc_sta_options options = retc_sta_options_default();
    retc_sta sta;
    ck_fails(retc_sta_estimate(e.recording, &options, NULL, &sta), "too few to shift");
    ck_assert_ptr_null(sta.revcorr.sta);
    options.shuffles = 0;
    options.history = 61;
    ck_assert_int_lt(retc_sta_estimate(e.recording, &options, NULL, &sta), 0); /* no window is whole */
    options.history = 0;
    ck_fails(retc_sta_estimate(e.recording, &options, NULL, &sta), "history of 0");
    options.history = 4;
    options.bins = 0;
    ck_fails(retc_sta_estimate(e.recording, &options, NULL, &sta), "at least 1 bin");
    options.bins = 5;
    options.shuffles = 98;
    ck_fails(retc_sta_estimate(e.recording, &options, NULL, &sta), "at least 99");
    options.alpha = 0;
    ck_fails(retc_sta_estimate(e.recording, &options, NULL, &sta), "alpha is 0");
    retc_sta_clear(&(retc_sta){0});
    free_example(&e);
}
END_TEST

/* ---- independent programs -------------------------------------------------------------------------------------------- */

static void *
read_shared(retc_h5 *file, const char *name, retc_h5_type type, int rank, size_t *shape) {
    void *data = NULL;
    ck_ok(retc_h5_read_new(file, name, type, rank, shape, &data));
    return data;
}

/* pyret's sta with 8 samples before and none after: element k of bin i is frame i-8+k, which is lag 1 here.  pyret leaves
 * out bin 8, whose window is whole; here its count is set to 0.  "sta_intended" divides by the spikes used.  Frames are +-1,
 * stored exactly; the STA is a float of size below 1, scaled by std = 1 and shifted by the mean. */
START_TEST(test_pyret) {
    const char *path = retc_test_shared("goldens/pyret.h5");
    if (!path)
        retc_skip("the shared golden pyret.h5 is not there");
    size_t shape[3], n_spikes, n_bins;
    retc_h5 *file = retc_h5_open(path);
    float *movie = read_shared(file, "/in/stimulus", RETC_H5_FLOAT, 3, shape);
    double *spikes = read_shared(file, "/in/spikes", RETC_H5_DOUBLE, 1, &n_spikes);
    double *time = read_shared(file, "/in/time", RETC_H5_DOUBLE, 1, &n_bins);
    size_t sta_shape[3], linear = 0;
    double *expected = read_shared(file, "/sta/sta_intended", RETC_H5_DOUBLE, 3, sta_shape);
    double *used = read_shared(file, "/sta/n_spikes_used", RETC_H5_DOUBLE, 0, NULL);
    int64_t *index = read_shared(file, "/filterpeak/linear_index", RETC_H5_INT64, 0, NULL);
    example e = {.T = shape[0], .H = shape[1], .W = shape[2], .N = 1, .blocks = 1, .movie = movie};
    e.counts = retc_calloc(e.T, sizeof *e.counts);
    for (size_t i = 0, t = 0; i < n_spikes; ++i) { /* both ascend; the last bin, i = T-2, is closed */
        while (t + 2 < e.T && spikes[i] >= time[t + 1])
            ++t;
        e.counts[t] += spikes[i] >= time[0] && spikes[i] <= time[e.T - 1];
    }
    e.counts[8] = 0;
    write_example(&e);
    const retc_revcorr_options options = {.part = RETC_TRAIN, .history = 8, .lag = 1, .threads = 1};
    retc_revcorr r;
    ck_ok(retc_revcorr_estimate(e.recording, &options, NULL, &r));
    size_t size = 8 * e.H * e.W;
    double *found = retc_calloc(size, sizeof *found);
    for (size_t i = 0; i < size; ++i) {
        found[i] = r.mean + r.std * (double)r.sta[i];
        linear = fabs(found[i]) > fabs(found[linear]) ? i : linear;
    }
    ck_assert_uint_eq(sta_shape[0] * sta_shape[1] * sta_shape[2], size);
    ck_close_double("sta", found, expected, size, (double)FLT_EPSILON / 2 + 1e-7, 0); /* 1e-7: added to std */
    ck_close_double("spikes", r.spikes, used, 1, 0, 0);
    ck_assert_int_eq((int64_t)linear, *index);
    retc_revcorr_clear(&r);
    retc_h5_close(file);
    retc_free(spikes);
    retc_free(time);
    retc_free(expected);
    retc_free(used);
    retc_free(index);
    retc_free(found);
    free_example(&e);
}
END_TEST

/* The running noise of 41 trials, as stretches. */
static void
load_full_field(retc_h5 *file, const char *stimulus, example *e) {
    size_t shape[2];
    float *all = read_shared(file, "/counts", RETC_H5_FLOAT, 2, shape), value;
    FILE *text = fopen(stimulus, "r");
    ck_assert_ptr_nonnull(text);
    *e = (example){.T = TRIALS * RUNNING, .H = 1, .W = 1, .N = CELLS, .blocks = TRIALS};
    e->movie = retc_calloc(e->T, sizeof *e->movie);
    e->counts = retc_calloc(CELLS * e->T, sizeof *e->counts);
    for (size_t i = 0; i < TRIALS * TRIAL; ++i) {
        ck_assert_int_eq(fscanf(text, "%f", &value), 1);
        size_t frame = i / TRIAL * RUNNING + i % TRIAL;
        if (i % TRIAL >= RUNNING)
            continue;
        e->movie[frame] = value;
        for (size_t n = 0; n < CELLS; ++n)
            e->counts[n * e->T + frame] = all[n * TRIALS * TRIAL + i];
    }
    for (size_t b = 0; b < TRIALS; ++b)
        e->start[b] = b * RUNNING;
    fclose(text);
    retc_free(all);
}

/* Reference STAs are of the raw stimulus: mean + std * ours, as every window has weight 1.  Stimulus values below 5 are
 * rounded to float (2^-24 of each), and so is the result. */
static void
compare_sta(const retc_sta *sta, retc_h5 *reference) {
    double *expected = NULL, *spikes = NULL, found[CELLS * HISTORY];
    size_t shape[2];
    expected = read_shared(reference, "/sta_running", RETC_H5_DOUBLE, 2, shape);
    ck_assert_uint_eq(shape[1], HISTORY);
    for (size_t i = 0; i < CELLS * HISTORY; ++i)
        found[i] = sta->revcorr.mean + sta->revcorr.std * (double)sta->revcorr.sta[i];
    ck_close_double("sta", found, expected, CELLS * HISTORY, 6 * (double)FLT_EPSILON / 2, 0);
    spikes = read_shared(reference, "/sta_spikes", RETC_H5_DOUBLE, 1, shape);
    ck_close_double("spikes", sta->revcorr.spikes, spikes, CELLS, 0, 0);
    ck_assert_uint_eq(sta->revcorr.windows, 72201);
    static const struct {
        size_t lag;
        int sign;
    } peaks[CELLS] = {{4, -1}, {6, 1}, {6, -1}, {5, -1}, {6, -1}, {6, 1}, {5, -1}, {5, 1}};
    for (size_t n = 0; n < CELLS; ++n) {
        ck_assert_uint_eq(HISTORY - 1 - sta->peak[3 * n], peaks[n].lag);
        ck_assert_double_gt(retc_sta_peak_value(sta, n) * peaks[n].sign, 0);
        ck_assert(retc_sta_significant(sta, n));
    }
    retc_free(expected);
    retc_free(spikes);
}

/* The reference bins g = window . STA/|STA| of the raw stimulus.  g is good to about J u |w| |x| = 40 * 6e-8 * 7 = 2e-5, below
 * the spacing of windows near the middle (8 / 72201 = 1e-4): at an edge of a bin a few windows may fall on either side.
 * One that changes sides moves its bin's mean count by at most the largest count (9) / 2406, mean g by 1e-4 / 2406. */
static void
compare_bins(example *e, const retc_sta *sta, retc_h5 *reference) {
    enum { BINS = 30 };
    size_t shape[2], n_windows = sta->revcorr.windows, used;
    float filters[CELLS * HISTORY];
    double *bin_x = read_shared(reference, "/ln/bin_x", RETC_H5_DOUBLE, 2, shape), x[BINS], y[BINS];
    double *bin_y = read_shared(reference, "/ln/bin_y", RETC_H5_DOUBLE, 2, shape);
    double *raw = read_shared(reference, "/sta_running", RETC_H5_DOUBLE, 2, shape);
    for (size_t n = 0; n < CELLS; ++n) {
        double square = 0;
        for (size_t k = 0; k < HISTORY; ++k)
            square += raw[n * HISTORY + k] * raw[n * HISTORY + k];
        for (size_t k = 0; k < HISTORY; ++k)
            filters[n * HISTORY + k] = (float)(raw[n * HISTORY + k] / sqrt(square));
    }
    float *g = retc_calloc(CELLS * n_windows, sizeof *g), *c = retc_calloc(CELLS * n_windows, sizeof *c);
    const retc_revcorr_options options = {.part = RETC_TRAIN, .history = HISTORY, .lag = 0};
    ck_ok(retc_revcorr_generator(e->recording, &options, 0, 1, CELLS, filters, NULL, g));
    ck_ok(retc_revcorr_counts(e->recording, &options, c));
    for (size_t n = 0; n < CELLS; ++n) {
        ck_ok(retc_equal_bins(g + n * n_windows, c + n * n_windows, n_windows, BINS, x, y, &used));
        ck_assert_uint_eq(used, BINS);
        ck_close_double("bin_x", x, bin_x + n * BINS, BINS, 2e-5, 0);
        ck_close_double("bin_y", y, bin_y + n * BINS, BINS, 9.0 / 2406, 0);
    }
    retc_free(bin_x);
    retc_free(bin_y);
    retc_free(raw);
    retc_free(g);
    retc_free(c);
}

START_TEST(test_full_field) {
    const char *reference_path = retc_test_shared("recordings/fullfield_noise/reference.h5");
    const char *stimulus = retc_test_shared("recordings/fullfield_noise/stimulus_fullfieldnoise.txt");
    if (!reference_path || !stimulus)
        retc_skip("the shared full-field recording is not there");
    retc_h5 *reference = retc_h5_open(reference_path);
    example e;
    load_full_field(reference, stimulus, &e);
    write_example(&e);
    retc_sta_options options = retc_sta_options_default();
    options.lag = 0;
    retc_sta sta;
    ck_ok(retc_sta_estimate(e.recording, &options, NULL, &sta));
    compare_sta(&sta, reference);
    compare_bins(&e, &sta, reference);
    retc_sta_clear(&sta);
    retc_h5_close(reference);
    free_example(&e);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("sta");
    TCase *tcase = tcase_create("definition");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_definition, 0, (int)(sizeof windows / sizeof *windows));
    tcase_add_test(tcase, test_shifts);
    tcase_add_test(tcase, test_generator);
    tcase_add_test(tcase, test_level);
    tcase_add_test(tcase, test_level_rank);
    tcase_add_test(tcase, test_file);
    tcase_add_test(tcase, test_refusals);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("independent programs");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_pyret);
    tcase_add_test(tcase, test_full_field);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}

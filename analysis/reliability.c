#include "reliability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parallel.h"
#include "rng.h"

enum { SPLITS = 20 };

const char *const retc_measure_names[RETC_MEASURES] = {
    "split_half", "reliability",   "odd_even",         "first_second", "same_response", "signal_power", "noise_power",
    "snr",        "noise_ceiling", "unbiased_ceiling", "unbiased_snr", "fano_frame",    "fano_repeat",
};
const char *const retc_measure_units[RETC_MEASURES] = {"", "", "", "", "", "counts^2", "counts^2", "", "", "", "", "", ""};

/* Everything that is measured follows from products of repeats, so that resampling repeats costs no pass over time. */
typedef struct {
    size_t R, T;
    double *mean;            /* (R) over time */
    double *root_mean;       /* (R) of the square roots */
    double *covariance;      /* (R,R) over time */
    double *root_covariance; /* (R,R) of the square roots */
    unsigned char *half;     /* (SPLITS + 2, R) 1 in the first half: random splits, then odd and even, then first and second */
} products;

static void
products_clear(products *p) {
    retc_free(p->mean);
    retc_free(p->root_mean);
    retc_free(p->covariance);
    retc_free(p->root_covariance);
    retc_free(p->half);
}

/* Covariances over time of the rows of y (R,T), which is centred. */
static void
set_covariance(double *y, size_t R, size_t T, double *mean, double *covariance) {
    for (size_t r = 0; r < R; ++r) {
        double sum = 0, *row = y + r * T;
        for (size_t t = 0; t < T; ++t)
            sum += row[t];
        mean[r] = sum / (double)T;
        for (size_t t = 0; t < T; ++t)
            row[t] -= mean[r];
    }
    for (size_t r = 0; r < R; ++r)
        for (size_t s = 0; s <= r; ++s) {
            double sum = 0;
            for (size_t t = 0; t < T; ++t)
                sum += y[r * T + t] * y[s * T + t];
            covariance[r * R + s] = covariance[s * R + r] = sum / (double)T;
        }
}

static int
draw_halves(uint64_t seed, size_t index, products *p) {
    int status = RETC_OK;
    size_t R = p->R, *order = NULL;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_ALLOC(order, R));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(seed, RETC_STREAM_SPLIT, index)));
    for (size_t k = 0; k < SPLITS; ++k) {
        for (size_t r = 0; r < R; ++r)
            order[r] = r;
        retc_rng_shuffle(rng, order, R);
        for (size_t i = 0; i < R / 2; ++i)
            p->half[k * R + order[i]] = 1;
    }
    for (size_t r = 0; r < R; ++r) {
        p->half[SPLITS * R + r] = r % 2 == 0;
        p->half[(SPLITS + 1) * R + r] = r < R / 2;
    }
done:
    if (rng)
        gsl_rng_free(rng);
    retc_free(order);
    return status;
}

static int
products_set(const float *x, size_t R, size_t T, uint64_t seed, size_t index, products *p) {
    int status = RETC_OK;
    double *y = NULL;
    *p = (products){.R = R, .T = T};
    RETC_TRY(RETC_ALLOC(y, R * T));
    RETC_TRY(RETC_ALLOC(p->mean, R));
    RETC_TRY(RETC_ALLOC(p->root_mean, R));
    RETC_TRY(RETC_ALLOC(p->covariance, R * R));
    RETC_TRY(RETC_ALLOC(p->root_covariance, R * R));
    RETC_TRY(RETC_ALLOC(p->half, (SPLITS + 2) * R));
    for (size_t i = 0; i < R * T; ++i)
        y[i] = (double)x[i];
    set_covariance(y, R, T, p->mean, p->covariance);
    for (size_t i = 0; i < R * T; ++i)
        y[i] = sqrt((double)x[i]);
    set_covariance(y, R, T, p->root_mean, p->root_covariance);
    RETC_TRY(draw_halves(seed, index, p));
done:
    retc_free(y);
    return status;
}

/* ---- weighted means over pairs of repeats ---------------------------------------------------------------------------- */

typedef struct {
    double own, cross; /* means over a repeat with itself, and over pairs of different ones */
} pairs;

/* Of the matrix C[r][s] + mean[r] mean[s]; mean NULL: of C alone.  `w` (R) counts how often a repeat was drawn.  NaN without
 * a pair. */
static pairs
pairs_within(const double *C, const double *mean, const double *w, size_t R) {
    double own = 0, cross = 0, sum = 0, squares = 0;
    for (size_t r = 0; r < R; ++r) {
        if (w[r] == 0)
            continue;
        double row = 0;
        for (size_t s = 0; s < R; ++s)
            if (s != r)
                row += w[s] * (C[r * R + s] + (mean ? mean[r] * mean[s] : 0));
        cross += w[r] * row;
        own += w[r] * (C[r * R + r] + (mean ? mean[r] * mean[r] : 0));
        sum += w[r];
        squares += w[r] * w[r];
    }
    double n = sum * sum - squares;
    return (pairs){sum > 0 ? own / sum : (double)NAN, n > 0 ? cross / n : (double)NAN};
}

/* Variance over time of the mean of n repeats. */
static double
variance_of_mean(pairs p, size_t n) {
    return n > 1 ? p.own / (double)n + (1 - 1 / (double)n) * p.cross : p.own;
}

typedef struct {
    double r, without_noise;
} correlation;

/* Correlation of the means over the two halves that `half` (R) marks. */
static correlation
between_halves(const products *p, const double *w, const unsigned char *half, double *scratch) {
    size_t R = p->R, n[2] = {0, 0};
    double *weight[2] = {scratch, scratch + R}, sum[2] = {0, 0}, across = 0;
    for (size_t r = 0; r < R; ++r) {
        int second = !half[r];
        weight[second][r] = w[r];
        weight[!second][r] = 0;
        sum[second] += w[r];
        ++n[second];
    }
    for (size_t r = 0; r < R; ++r) {
        if (weight[0][r] == 0)
            continue;
        double row = 0;
        for (size_t s = 0; s < R; ++s)
            row += weight[1][s] * p->covariance[r * R + s];
        across += weight[0][r] * row;
    }
    if (!(sum[0] > 0 && sum[1] > 0))
        return (correlation){(double)NAN, (double)NAN};
    across /= sum[0] * sum[1];
    pairs a = pairs_within(p->covariance, NULL, weight[0], R), b = pairs_within(p->covariance, NULL, weight[1], R);
    double variance = variance_of_mean(a, n[0]) * variance_of_mean(b, n[1]), signal = a.cross * b.cross;
    return (correlation){variance > 0 ? across / sqrt(variance) : (double)NAN,
                         a.cross > 0 && b.cross > 0 ? across / sqrt(signal) : (double)NAN};
}

/* ---- measures -------------------------------------------------------------------------------------------------------- */

static void
measure_powers(const products *p, const double *w, double *value) {
    double R = (double)p->R, T = (double)p->T;
    pairs all = pairs_within(p->covariance, NULL, w, p->R);
    double noise = all.own - all.cross, variance = variance_of_mean(all, p->R);
    value[RETC_SIGNAL_POWER] = all.cross;
    value[RETC_NOISE_POWER] = noise;
    value[RETC_SNR] = noise > 0 ? all.cross / noise : (double)NAN;
    value[RETC_CEILING] = all.cross > 0 ? sqrt(all.cross / variance) : (double)NAN;

    /* The variance over repeats at each time is what products about 0 differ by, own and cross. */
    pairs root = pairs_within(p->root_covariance, NULL, w, p->R);
    pairs about_zero = pairs_within(p->root_covariance, p->root_mean, w, p->R);
    double s2 = about_zero.own - about_zero.cross, v = variance_of_mean(root, p->R), d2 = v - (T - 1) / T * s2 / R;
    value[RETC_UNBIASED_SNR] = s2 > 0 ? d2 / s2 : (double)NAN;
    value[RETC_UNBIASED_CEILING] = d2 > 0 ? sqrt(d2 / v) : (double)NAN;
}

static void
measure_fano(const products *p, const double *w, double *scratch, double *value) {
    double mean = 0, sum = 0;
    pairs frame = pairs_within(p->covariance, p->mean, w, p->R);
    for (size_t r = 0; r < p->R; ++r) {
        mean += w[r] * p->mean[r];
        sum += w[r];
    }
    mean /= sum;
    memset(scratch, 0, p->R * p->R * sizeof *scratch);
    pairs repeat = pairs_within(scratch, p->mean, w, p->R);
    value[RETC_FANO_FRAME] = mean > 0 ? (frame.own - frame.cross) / mean : (double)NAN;
    value[RETC_FANO_REPEAT] = mean > 0 ? (double)p->T * (repeat.own - repeat.cross) / mean : (double)NAN;
}

/* scratch (R*R + 2R) */
static void
measure(const products *p, const double *w, double *scratch, double *value) {
    double sum = 0, splits = 0;
    for (size_t k = 0; k < SPLITS; ++k) {
        double r = between_halves(p, w, p->half + k * p->R, scratch).r;
        sum += isfinite(r) ? r : 0;
        splits += isfinite(r) != 0;
    }
    double r = splits > 0 ? sum / splits : (double)NAN;
    value[RETC_SPLIT_HALF] = r;
    value[RETC_RELIABILITY] = r > -1 ? 2 * r / (1 + r) : (double)NAN;
    value[RETC_ODD_EVEN] = between_halves(p, w, p->half + SPLITS * p->R, scratch).r;
    correlation ends = between_halves(p, w, p->half + (SPLITS + 1) * p->R, scratch);
    value[RETC_FIRST_SECOND] = ends.r;
    value[RETC_SAME_RESPONSE] = ends.without_noise;
    measure_powers(p, w, value);
    measure_fano(p, w, scratch, value);
}

/* ---- intervals ------------------------------------------------------------------------------------------------------- */

typedef struct {
    const products *p;
    uint64_t seed;
    size_t index, n;
    double *value; /* (n,RETC_MEASURES) */
} resampling;

static int
resample(void *context, size_t i) {
    int status = RETC_OK;
    resampling *all = context;
    size_t R = all->p->R;
    double *w = NULL;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_ALLOC(w, R + R * R + 2 * R));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(all->seed, RETC_STREAM_BOOTSTRAP, all->index * all->n + i)));
    for (size_t r = 0; r < R; ++r)
        w[gsl_rng_uniform_int(rng, R)] += 1;
    measure(all->p, w, w + R, all->value + i * RETC_MEASURES);
done:
    if (rng)
        gsl_rng_free(rng);
    retc_free(w);
    return status;
}

static int
compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* 2.5 and 97.5 % of the resamples in which the measure is defined. */
static int
set_intervals(const resampling *all, double *low, double *high) {
    int status = RETC_OK;
    double *sorted = NULL;
    RETC_TRY(RETC_ALLOC(sorted, all->n));
    for (size_t m = 0; m < RETC_MEASURES; ++m) {
        size_t n = 0;
        for (size_t i = 0; i < all->n; ++i)
            if (isfinite(all->value[i * RETC_MEASURES + m]))
                sorted[n++] = all->value[i * RETC_MEASURES + m];
        qsort(sorted, n, sizeof *sorted, compare_doubles);
        /* A measure that most resamples leave undefined has no interval. */
        int enough = n > 0 && 2 * n > all->n;
        low[m] = enough ? sorted[(size_t)(0.025 * (double)(n - 1) + 0.5)] : (double)NAN;
        high[m] = enough ? sorted[(size_t)(0.975 * (double)(n - 1) + 0.5)] : (double)NAN;
    }
done:
    retc_free(sorted);
    return status;
}

int
retc_reliability(const float *x, size_t R, size_t T, size_t resamples, uint64_t seed, size_t index, size_t threads,
                 double value[RETC_MEASURES], double low[RETC_MEASURES], double high[RETC_MEASURES]) {
    int status = RETC_OK;
    products p = {0};
    resampling all = {.p = &p, .seed = seed, .index = index, .n = resamples};
    double *scratch = NULL;
    for (size_t m = 0; m < RETC_MEASURES; ++m) {
        value[m] = (double)NAN;
        if (low && high)
            low[m] = high[m] = (double)NAN;
    }
    if (R < 2 || T < 2)
        return RETC_OK;
    RETC_TRY(products_set(x, R, T, seed, index, &p));
    RETC_TRY(RETC_ALLOC(scratch, R + R * R + 2 * R));
    for (size_t r = 0; r < R; ++r)
        scratch[r] = 1;
    measure(&p, scratch, scratch + R, value);
    if (resamples == 0 || R < RETC_LEAST_REPEATS || !low || !high)
        goto done;
    RETC_TRY(RETC_ALLOC(all.value, resamples * RETC_MEASURES));
    RETC_TRY(retc_parallel_for(resamples, threads, resample, &all));
    RETC_TRY(set_intervals(&all, low, high));
done:
    products_clear(&p);
    retc_free(all.value);
    retc_free(scratch);
    return status;
}

/* ---- a prediction against what is expected --------------------------------------------------------------------------- */

double
retc_unbiased_r2(const float *prediction, const float *x, size_t R, size_t T) {
    double mean_p = 0, mean_y = 0, pp = 0, py = 0, yy = 0, pp_noise = 0, noise = 0, n = (double)R, length = (double)T;
    if (R < 2 || T < 2)
        return (double)NAN;
    for (size_t t = 0; t < T; ++t)
        mean_p += (double)prediction[t] / length;
    for (size_t i = 0; i < R * T; ++i)
        mean_y += (double)x[i] / (n * length);
    for (size_t t = 0; t < T; ++t) {
        double y = 0, squares = 0, p = (double)prediction[t] - mean_p;
        for (size_t r = 0; r < R; ++r)
            y += (double)x[r * T + t] / n;
        for (size_t r = 0; r < R; ++r)
            squares += ((double)x[r * T + t] - y) * ((double)x[r * T + t] - y);
        double s2 = squares / (n - 1) / n; /* of the mean over repeats */
        pp += p * p;
        py += p * (y - mean_y);
        yy += (y - mean_y) * (y - mean_y);
        pp_noise += p * p * s2;
        noise += s2;
    }
    double signal = yy - (length - 1) / length * noise;
    return pp > 0 && signal > 0 ? (py * py - pp_noise) / (pp * signal) : (double)NAN;
}

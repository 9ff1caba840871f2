#include "layer_statistics.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_sort_vector.h>
#include <math.h>
#include <stdio.h>

/* Share of the variance that the components which are counted hold. */
static const double SHARE = 0.9;

/* Means over samples of what a sample has by itself. */
typedef struct {
    double samples, hoyer, hoyer_square, participation;
} spread_sums;

/* Columns: 2C contributions, then 2C activations, less those of the first sample, so that products do not cancel. */
struct retc_layer_sums {
    size_t C, samples;
    double *first, *row;   /* (4C) */
    double *sum, *product; /* (4C), (4C,4C) lower triangle */
    spread_sums spread[2];
};

double
retc_hoyer_sparsity(const float *x, size_t d) {
    double sizes = 0, squares = 0;
    for (size_t i = 0; i < d; ++i) {
        sizes += fabs((double)x[i]);
        squares += (double)x[i] * (double)x[i];
    }
    return (sqrt((double)d) - sizes / (sqrt(squares) + 1e-6)) / (sqrt((double)d) - 1);
}

double
retc_participation_ratio(const float *x, size_t d) {
    double squares = 0, fourths = 0;
    for (size_t i = 0; i < d; ++i) {
        double square = (double)x[i] * (double)x[i];
        squares += square;
        fourths += square * square;
    }
    return fourths > 0 ? squares * squares / fourths : 0;
}

/* ---- sums ------------------------------------------------------------------------------------------------------------ */

retc_layer_sums *
retc_layer_sums_alloc(size_t C) {
    int status = RETC_OK;
    retc_layer_sums *s = NULL;
    RETC_TRY(RETC_ALLOC(s, 1));
    s->C = C;
    RETC_TRY(RETC_ALLOC(s->first, 4 * C));
    RETC_TRY(RETC_ALLOC(s->row, 4 * C));
    RETC_TRY(RETC_ALLOC(s->sum, 4 * C));
    RETC_TRY(RETC_ALLOC(s->product, 16 * C * C));
done:
    if (status < 0) {
        retc_layer_sums_free(s);
        return NULL;
    }
    return s;
}

void
retc_layer_sums_free(retc_layer_sums *s) {
    if (!s)
        return;
    retc_free(s->first), retc_free(s->row), retc_free(s->sum), retc_free(s->product);
    retc_free(s);
}

static void
add_spread(spread_sums *s, const float *x, size_t d) {
    double participation = retc_participation_ratio(x, d);
    if (!(participation > 0))
        return;
    double hoyer = retc_hoyer_sparsity(x, d);
    s->samples += 1;
    s->hoyer += hoyer;
    s->hoyer_square += hoyer * hoyer;
    s->participation += participation;
}

void
retc_layer_sums_add(retc_layer_sums *s, const float *contribution, const float *activation, size_t n) {
    size_t d = 2 * s->C, all = 2 * d;
    for (size_t t = 0; t < n; ++t) {
        add_spread(&s->spread[0], contribution + t * d, d);
        add_spread(&s->spread[1], activation + t * d, d);
        for (size_t i = 0; i < all; ++i) {
            double x = (double)(i < d ? contribution[t * d + i] : activation[t * d + i - d]);
            if (s->samples == 0)
                s->first[i] = x;
            s->row[i] = x - s->first[i];
            s->sum[i] += s->row[i];
            for (size_t j = 0; j <= i; ++j)
                s->product[i * all + j] += s->row[i] * s->row[j];
        }
        ++s->samples;
    }
}

static double
covariance(const retc_layer_sums *s, size_t i, size_t j) {
    double n = (double)s->samples;
    size_t all = 4 * s->C, high = i > j ? i : j, low = i > j ? j : i;
    return (s->product[high * all + low] - s->sum[i] * s->sum[j] / n) / n;
}

/* ---- what follows from them ------------------------------------------------------------------------------------------ */

static int
find_components(const retc_layer_sums *s, size_t from, retc_layer_spread *out) {
    size_t d = 2 * s->C;
    int status = RETC_OK;
    double total = 0, held = 0;
    gsl_matrix *matrix = gsl_matrix_alloc(d, d);
    gsl_vector *values = gsl_vector_alloc(d);
    gsl_eigen_symm_workspace *work = gsl_eigen_symm_alloc(d);
    if (!matrix || !values || !work)
        RETC_TRY(RETC_FAIL(RETC_ENOMEM, "out of memory for the covariance of %zu columns", d));
    for (size_t i = 0; i < d; ++i)
        for (size_t j = 0; j < d; ++j)
            gsl_matrix_set(matrix, i, j, covariance(s, from + i, from + j));
    if (gsl_eigen_symm(matrix, values, work) != 0)
        RETC_TRY(RETC_FAIL(RETC_ENUMBER, "the principal components of %zu columns cannot be computed", d));
    gsl_sort_vector(values);
    for (size_t i = 0; i < d; ++i) {
        out->variance[i] = fmax(gsl_vector_get(values, d - 1 - i), 0);
        total += out->variance[i];
    }
    while (held < SHARE * total)
        held += out->variance[out->dimension++];
done:
    gsl_matrix_free(matrix);
    gsl_vector_free(values);
    gsl_eigen_symm_free(work);
    return status;
}

static int
finish_spread(const retc_layer_sums *s, int which, retc_layer_spread *out) {
    const spread_sums *sums = &s->spread[which];
    int status = RETC_OK;
    double n = sums->samples > 0 ? sums->samples : (double)NAN;
    RETC_TRY(RETC_ALLOC(out->variance, 2 * s->C));
    out->hoyer = sums->hoyer / n;
    out->hoyer_deviation = sqrt(fmax(sums->hoyer_square / n - out->hoyer * out->hoyer, 0));
    out->participation_ratio = sums->participation / n;
    if (s->samples > 0)
        RETC_TRY(find_components(s, which ? 2 * s->C : 0, out));
done:
    return status;
}

static double
correlation(double xy, double xx, double yy) {
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

/* Of -negative and positive sums; of both sums of contributions and both of activations. */
static void
correlate(const retc_layer_sums *s, size_t c, double *opposition, double *agreement) {
    size_t C = s->C, minus = c, plus = C + c, a_minus = 2 * C + c, a_plus = 3 * C + c;
    *opposition = correlation(-covariance(s, minus, plus), covariance(s, minus, minus), covariance(s, plus, plus));
    double xx = covariance(s, minus, minus) + 2 * covariance(s, minus, plus) + covariance(s, plus, plus);
    double yy = covariance(s, a_minus, a_minus) + 2 * covariance(s, a_minus, a_plus) + covariance(s, a_plus, a_plus);
    double xy = covariance(s, minus, a_minus) + covariance(s, minus, a_plus) + covariance(s, plus, a_minus) +
                covariance(s, plus, a_plus);
    *agreement = correlation(xy, xx, yy);
}

static double
mean_of_numbers(const double *x, size_t n) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < n; ++i)
        if (isfinite(x[i]))
            sum += x[i], count += 1;
    return count > 0 ? sum / count : (double)NAN;
}

int
retc_layer_sums_finish(const retc_layer_sums *s, retc_layer_statistics *result) {
    int status = RETC_OK;
    *result = (retc_layer_statistics){.C = s->C, .samples = s->samples};
    RETC_TRY(finish_spread(s, 0, &result->contribution));
    RETC_TRY(finish_spread(s, 1, &result->activation));
    RETC_TRY(RETC_ALLOC(result->opposition, s->C));
    RETC_TRY(RETC_ALLOC(result->agreement, s->C));
    for (size_t c = 0; c < s->C; ++c)
        correlate(s, c, &result->opposition[c], &result->agreement[c]);
    result->mean_opposition = mean_of_numbers(result->opposition, s->C);
    result->mean_agreement = mean_of_numbers(result->agreement, s->C);
done:
    return status;
}

void
retc_layer_statistics_clear(retc_layer_statistics *s) {
    retc_free(s->contribution.variance);
    retc_free(s->activation.variance);
    retc_free(s->opposition);
    retc_free(s->agreement);
    *s = (retc_layer_statistics){0};
}

/* ---- in files -------------------------------------------------------------------------------------------------------- */

enum { NAME = 96 };

static int
write_spread(const retc_layer_spread *spread, const char *which, const char *layer, size_t d, retc_h5 *file) {
    const double dimension = (double)spread->dimension;
    const struct {
        const char *name;
        const double *value;
        int rank;
    } all[] = {{"hoyer", &spread->hoyer, 0},
               {"hoyer_deviation", &spread->hoyer_deviation, 0},
               {"participation_ratio", &spread->participation_ratio, 0},
               {"dimension", &dimension, 0},
               {"variance", spread->variance, 1}};
    char name[NAME];
    int status = RETC_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        snprintf(name, sizeof name, "/statistics/%s/%s/%s", layer, which, all[i].name);
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, all[i].rank, &d, all[i].value));
    }
done:
    return status;
}

int
retc_layer_statistics_write(const retc_layer_statistics *s, const char *layer, retc_h5 *file) {
    char name[NAME];
    int status = RETC_OK;
    RETC_TRY(write_spread(&s->contribution, "contribution", layer, 2 * s->C, file));
    RETC_TRY(write_spread(&s->activation, "activation", layer, 2 * s->C, file));
    snprintf(name, sizeof name, "/statistics/%s/opposition", layer);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &s->C, s->opposition));
    snprintf(name, sizeof name, "/statistics/%s/agreement", layer);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &s->C, s->agreement));
done:
    return status;
}

static int
read_spread(retc_h5 *file, const char *which, const char *layer, size_t d, retc_layer_spread *spread) {
    double dimension = 0;
    const struct {
        const char *name;
        double *value;
    } all[] = {{"hoyer", &spread->hoyer},
               {"hoyer_deviation", &spread->hoyer_deviation},
               {"participation_ratio", &spread->participation_ratio},
               {"dimension", &dimension}};
    char name[NAME];
    int status = RETC_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        snprintf(name, sizeof name, "/statistics/%s/%s/%s", layer, which, all[i].name);
        RETC_TRY(retc_h5_expect(file, name, 0, NULL, NULL));
        RETC_TRY(retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, all[i].value));
    }
    spread->dimension = dimension >= 0 && dimension <= (double)d ? (size_t)dimension : 0;
    snprintf(name, sizeof name, "/statistics/%s/%s/variance", layer, which);
    RETC_TRY(RETC_ALLOC(spread->variance, d));
    RETC_TRY(retc_h5_expect(file, name, 1, &d, NULL));
    RETC_TRY(retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, spread->variance));
done:
    return status;
}

static int
read_channels(retc_h5 *file, const char *what, const char *layer, size_t C, double **out, double *mean) {
    char name[NAME];
    int status = RETC_OK;
    snprintf(name, sizeof name, "/statistics/%s/%s", layer, what);
    RETC_TRY(retc_h5_expect(file, name, 1, &C, NULL));
    RETC_TRY(RETC_ALLOC(*out, C));
    RETC_TRY(retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, *out));
    *mean = mean_of_numbers(*out, C);
done:
    return status;
}

int
retc_layer_statistics_read(retc_h5 *file, const char *layer, retc_layer_statistics *s) {
    char name[NAME];
    size_t C = 0;
    int status = RETC_OK;
    *s = (retc_layer_statistics){0};
    snprintf(name, sizeof name, "/statistics/%s/opposition", layer);
    RETC_TRY(retc_h5_expect(file, name, 1, NULL, &C));
    s->C = C;
    RETC_TRY(read_channels(file, "opposition", layer, C, &s->opposition, &s->mean_opposition));
    RETC_TRY(read_channels(file, "agreement", layer, C, &s->agreement, &s->mean_agreement));
    RETC_TRY(read_spread(file, "contribution", layer, 2 * C, &s->contribution));
    RETC_TRY(read_spread(file, "activation", layer, 2 * C, &s->activation));
done:
    return status;
}

#include "truth_match.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 256, NAME = 96, CUTS = 2 };

static const char *const cut_groups[CUTS] = {"bipolar", "synapse"};

/* True series: interneurons, then types. */
typedef struct {
    retc_h5 *contributions, *recording;
    retc_truth_match *m;
    char *target; /* "cell": of the group's name */
    char *part;
    int64_t *frame; /* (samples) */
    size_t rows;    /* interneurons + types */
    float *truth;   /* (rows,samples) */
    size_t *number; /* (interneurons) in the recording */
    /* One layer at a time: sums for Pearson's r, of the series of a layer (S) and all rows as they are and turned round. */
    size_t S;
    double *x, *xx, *y, *yy, *xy; /* (2 rows) (2 rows) (S) (S) (2 rows,S) */
} matcher;

const char *
retc_truth_cut_name(int cut) {
    return cut == 0 ? "drive" : "synapse";
}

/* ---- the truth ------------------------------------------------------------------------------------------------------- */

static int
find_cell(matcher *m) {
    char **ours = NULL, **theirs = NULL;
    size_t n = 0, N = 0, j = 0;
    double cell = -1;
    int status = RETC_OK;
    RETC_TRY(retc_h5_get_number(m->contributions, "/", "target_cell", &cell));
    RETC_TRY(retc_h5_read_texts(m->contributions, "/metadata/cell_names", &ours, &n));
    if (!(cell >= 0 && cell < (double)n))
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "%s: is not of one cell; the truth is known for cells: retcodec contribute --target cell",
                           retc_h5_path(m->contributions)));
    if (!retc_h5_has(m->recording, "/truth/pairs"))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: holds no true contributions; retcodec simulate --truth writes them",
                           retc_h5_path(m->recording)));
    RETC_TRY(retc_h5_read_texts(m->recording, "/cell_names", &theirs, &N));
    RETC_TRY(RETC_GOT(m->m->cell_name = retc_strdup(ours[(size_t)cell])));
    while (j < N && strcmp(theirs[j], m->m->cell_name) != 0)
        ++j;
    if (j == N)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: has no cell \"%s\"", retc_h5_path(m->recording), m->m->cell_name));
    m->m->cell = j;
done:
    retc_free(ours);
    retc_free(theirs);
    return status;
}

/* Number of the pair's rows, or with `take` their series and names; those of a cell stand together. */
static int
take_cut(matcher *m, int cut, int take, size_t *at) {
    retc_truth_match *r = m->m;
    void *unit = NULL, *cell = NULL;
    float *series = NULL;
    size_t P = 0, shape[2] = {0};
    char name[NAME];
    int status = RETC_OK;
    snprintf(name, sizeof name, "/truth/pairs/%s/cell", cut_groups[cut]);
    RETC_TRY(retc_h5_read_new(m->recording, name, RETC_H5_INT64, 1, &P, &cell));
    snprintf(name, sizeof name, "/truth/pairs/%s/unit", cut_groups[cut]);
    RETC_TRY(retc_h5_expect(m->recording, name, 1, &P, NULL));
    RETC_TRY(retc_h5_read_new(m->recording, name, RETC_H5_INT64, 1, &P, &unit));
    snprintf(name, sizeof name, "/truth/%s/contribution/%s", m->part, cut_groups[cut]);
    if (!retc_h5_has(m->recording, name))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: holds no true contributions of the %s part", retc_h5_path(m->recording), m->part));
    RETC_TRY(retc_h5_expect(m->recording, name, 2, (size_t[]){P, 0}, shape));
    RETC_TRY(RETC_ALLOC(series, shape[1]));
    for (size_t p = 0; p < P; ++p) {
        if (((int64_t *)cell)[p] != (int64_t)r->cell)
            continue;
        if (take) {
            RETC_TRY(retc_h5_read(m->recording, name, RETC_H5_FLOAT, (size_t[]){p, 0}, (size_t[]){1, shape[1]}, series));
            for (size_t t = 0; t < r->samples; ++t) {
                if (m->frame[t] < 0 || (size_t)m->frame[t] >= shape[1])
                    RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: has %zu frames in the %s part, contributions are of frame %lld",
                                       retc_h5_path(m->recording), shape[1], m->part, (long long)m->frame[t]));
                m->truth[*at * r->samples + t] = series[m->frame[t]];
            }
            m->number[*at] = (size_t)((int64_t *)unit)[p];
            r->interneuron[*at].cut = cut;
        }
        ++*at;
    }
done:
    retc_free(unit);
    retc_free(cell);
    retc_free(series);
    return status;
}

/* Name the interneurons, and add up those of one type at one cut. */
static int
group_types(matcher *m) {
    retc_truth_match *r = m->m;
    size_t I = 0, I2 = 0, T = r->samples;
    int status = RETC_OK;
    RETC_TRY(retc_h5_read_texts(m->recording, "/interneurons/names", &r->names[0], &I));
    RETC_TRY(retc_h5_read_texts(m->recording, "/interneurons/type", &r->names[1], &I2));
    for (size_t i = 0; i < r->interneurons; ++i) {
        retc_truth_best *b = &r->interneuron[i];
        size_t at = 0;
        if (m->number[i] >= I || m->number[i] >= I2)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has %zu interneurons, its pairs name number %zu", retc_h5_path(m->recording),
                               I, m->number[i]));
        b->name = r->names[0][m->number[i]];
        const char *type = r->names[1][m->number[i]];
        while (at < r->types && (r->type[at].cut != b->cut || strcmp(r->type[at].name, type) != 0))
            ++at;
        if (at == r->types)
            r->type[r->types++] = (retc_truth_best){.cut = b->cut, .name = type};
        for (size_t t = 0; t < T; ++t)
            m->truth[(r->interneurons + at) * T + t] += m->truth[i * T + t];
    }
    m->rows = r->interneurons + r->types;
done:
    return status;
}

static int
read_truth(matcher *m) {
    retc_truth_match *r = m->m;
    size_t at = 0, rows;
    int status = RETC_OK;
    RETC_TRY(find_cell(m));
    for (int cut = 0; cut < CUTS; ++cut)
        RETC_TRY(take_cut(m, cut, 0, &r->interneurons));
    rows = r->interneurons > 0 ? r->interneurons : 1;
    RETC_TRY(RETC_ALLOC(m->number, rows));
    RETC_TRY(RETC_ALLOC(r->interneuron, rows));
    RETC_TRY(RETC_ALLOC(r->type, rows));
    RETC_TRY(RETC_ALLOC(m->truth, 2 * rows * r->samples));
    for (int cut = 0; cut < CUTS; ++cut)
        RETC_TRY(take_cut(m, cut, 1, &at));
    RETC_TRY(group_types(m));
done:
    return status;
}

/* ---- the model ------------------------------------------------------------------------------------------------------- */

static int
read_model(matcher *m) {
    retc_truth_match *r = m->m;
    void *frame = NULL;
    size_t shape[2];
    char name[NAME];
    int status = RETC_OK;
    RETC_TRY(retc_h5_get_text(m->contributions, "/", "target", &m->target));
    RETC_TRY(retc_h5_read_text(m->contributions, "/metadata/stim_type", &m->part));
    RETC_TRY(retc_h5_read_texts(m->contributions, "/metadata/layer_names", &r->layer_name, &r->layers));
    RETC_TRY(retc_h5_read_new(m->contributions, "/metadata/frame", RETC_H5_INT64, 1, &r->samples, &frame));
    m->frame = frame;
    r->units = retc_h5_has(m->contributions, "/maps");
    if (r->layers < 2)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: is of a model without interneurons: its only layer is the cells themselves",
                           retc_h5_path(m->contributions)));
    --r->layers;
    RETC_TRY(RETC_ALLOC(r->first, r->layers + 1));
    for (size_t k = 0; k < r->layers; ++k) {
        snprintf(name, sizeof name, "/%s_contributions/%s", m->target, r->layer_name[k]);
        RETC_TRY(retc_h5_expect(m->contributions, name, 2, (size_t[]){r->samples, 0}, shape));
        r->first[k + 1] = r->first[k] + shape[1] / 2;
    }
    r->channels = r->first[r->layers];
    if (r->samples < 3)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: has %zu samples, too few for correlations", retc_h5_path(m->contributions),
                           r->samples));
done:
    return status;
}

/* Contributions of channels, (n,C), negative and positive sums together. */
static int
read_channels(matcher *m, size_t layer, size_t t0, size_t n, float *out) {
    size_t C = m->m->first[layer + 1] - m->m->first[layer];
    char name[NAME];
    float *split = NULL;
    int status = RETC_OK;
    snprintf(name, sizeof name, "/%s_contributions/%s", m->target, m->m->layer_name[layer]);
    RETC_TRY(RETC_ALLOC(split, n * 2 * C));
    RETC_TRY(retc_h5_read(m->contributions, name, RETC_H5_FLOAT, (size_t[]){t0, 0}, (size_t[]){n, 2 * C}, split));
    for (size_t t = 0; t < n; ++t)
        for (size_t c = 0; c < C; ++c)
            out[t * C + c] = split[t * 2 * C + c] + split[t * 2 * C + C + c];
done:
    retc_free(split);
    return status;
}

/* ---- correlation ----------------------------------------------------------------------------------------------------- */

/* True row i, as it is or turned round by half. */
static double
true_at(const matcher *m, size_t i, size_t t) {
    size_t T = m->m->samples, turned = i >= m->rows;
    return (double)m->truth[(i % m->rows) * T + (t + turned * (T / 2)) % T];
}

static void
accumulate(matcher *m, size_t t0, size_t n, const float *series) {
    for (size_t s = 0; s < m->S; ++s)
        for (size_t t = 0; t < n; ++t) {
            double y = (double)series[t * m->S + s];
            m->y[s] += y, m->yy[s] += y * y;
        }
    for (size_t i = 0; i < 2 * m->rows; ++i)
        for (size_t t = 0; t < n; ++t) {
            double x = true_at(m, i, t0 + t), *xy = m->xy + i * m->S;
            m->x[i] += x, m->xx[i] += x * x;
            for (size_t s = 0; s < m->S; ++s)
                xy[s] += x * (double)series[t * m->S + s];
        }
}

static double
correlation(const matcher *m, size_t i, size_t s) {
    double n = (double)m->m->samples, xx = m->xx[i] - m->x[i] * m->x[i] / n, yy = m->yy[s] - m->y[s] * m->y[s] / n;
    /* What is left of a constant series is rounding. */
    int varies = xx > 1e-9 * m->xx[i] && yy > 1e-9 * m->yy[s];
    return varies ? (m->xy[i * m->S + s] - m->x[i] * m->y[s] / n) / sqrt(xx * yy) : (double)NAN;
}

/* Sums over all samples of one layer's series: its units' (map not NULL: their (C,h,w)), or its channels'. */
static int
run_layer(matcher *m, size_t layer, const size_t *map) {
    char name[NAME];
    float *series = NULL;
    int status = RETC_OK;
    m->S = map ? map[1] * map[2] * map[3] : m->m->first[layer + 1] - m->m->first[layer];
    retc_free(m->x), retc_free(m->xx), retc_free(m->y), retc_free(m->yy), retc_free(m->xy);
    RETC_TRY(RETC_ALLOC(m->x, 2 * m->rows));
    RETC_TRY(RETC_ALLOC(m->xx, 2 * m->rows));
    RETC_TRY(RETC_ALLOC(m->y, m->S));
    RETC_TRY(RETC_ALLOC(m->yy, m->S));
    RETC_TRY(RETC_ALLOC(m->xy, 2 * m->rows * m->S));
    RETC_TRY(RETC_ALLOC(series, BLOCK * m->S));
    snprintf(name, sizeof name, "/maps/%s", m->m->layer_name[layer]);
    for (size_t t0 = 0, n; t0 < m->m->samples; t0 += n) {
        n = m->m->samples - t0 < BLOCK ? m->m->samples - t0 : BLOCK;
        if (map)
            RETC_TRY(retc_h5_read(m->contributions, name, RETC_H5_FLOAT, (size_t[]){t0, 0, 0, 0},
                                  (size_t[]){n, map[1], map[2], map[3]}, series));
        else
            RETC_TRY(read_channels(m, layer, t0, n, series));
        accumulate(m, t0, n, series);
    }
done:
    retc_free(series);
    return status;
}

/* Is a series of this layer a better match of row i? */
static void
improve(const matcher *m, size_t layer, const size_t *map, size_t i, retc_truth_best *b) {
    size_t area = map ? map[2] * map[3] : 1, w = map ? map[3] : 1;
    for (size_t s = 0; s < m->S; ++s) {
        double r = correlation(m, i, s), chance = correlation(m, m->rows + i, s);
        if (r > b->r || (isnan(b->r) && !isnan(r))) {
            b->r = r;
            b->layer = layer, b->channel = s / area;
            b->row = s % area / w, b->column = s % w;
        }
        b->chance = fmax(b->chance, chance); /* a number, if either is one */
    }
}

static int
compare(matcher *m) {
    retc_truth_match *r = m->m;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(r->correlation, (r->types > 0 ? r->types : 1) * r->channels));
    for (size_t i = 0; i < m->rows; ++i) {
        retc_truth_best *b = i < r->interneurons ? &r->interneuron[i] : &r->type[i - r->interneurons];
        b->r = b->chance = (double)NAN;
    }
    for (size_t k = 0; k < r->layers; ++k) {
        size_t shape[4], C = r->first[k + 1] - r->first[k];
        char name[NAME];
        RETC_TRY(run_layer(m, k, NULL));
        for (size_t i = 0; i < r->types; ++i) {
            improve(m, k, NULL, r->interneurons + i, &r->type[i]);
            for (size_t c = 0; c < C; ++c)
                r->correlation[i * r->channels + r->first[k] + c] = correlation(m, r->interneurons + i, c);
        }
        if (r->units) {
            snprintf(name, sizeof name, "/maps/%s", r->layer_name[k]);
            RETC_TRY(retc_h5_expect(m->contributions, name, 4, (size_t[]){r->samples, C, 0, 0}, shape));
            RETC_TRY(run_layer(m, k, shape));
        }
        for (size_t i = 0; i < r->interneurons; ++i)
            improve(m, k, r->units ? shape : NULL, i, &r->interneuron[i]);
    }
done:
    return status;
}

static void
average(retc_truth_match *r) {
    double n = 0;
    for (size_t i = 0; i < r->interneurons; ++i)
        if (isfinite(r->interneuron[i].r) && isfinite(r->interneuron[i].chance)) {
            n += 1;
            r->mean_r += r->interneuron[i].r;
            r->mean_chance += r->interneuron[i].chance;
        }
    r->mean_r = n > 0 ? r->mean_r / n : (double)NAN;
    r->mean_chance = n > 0 ? r->mean_chance / n : (double)NAN;
}

static void
matcher_clear(matcher *m) {
    retc_free(m->x), retc_free(m->xx), retc_free(m->y), retc_free(m->yy), retc_free(m->xy);
    retc_free(m->target), retc_free(m->part), retc_free(m->frame), retc_free(m->truth), retc_free(m->number);
}

int
retc_truth_match_compute(retc_h5 *contributions, retc_h5 *recording, retc_truth_match *result) {
    int status = RETC_OK;
    *result = (retc_truth_match){0};
    matcher m = {.contributions = contributions, .recording = recording, .m = result};
    RETC_TRY(read_model(&m));
    RETC_TRY(read_truth(&m));
    RETC_TRY(compare(&m));
    average(result);
done:
    matcher_clear(&m);
    return status;
}

void
retc_truth_match_clear(retc_truth_match *r) {
    retc_free(r->cell_name), retc_free(r->layer_name), retc_free(r->first), retc_free(r->interneuron), retc_free(r->type);
    retc_free(r->correlation), retc_free(r->names[0]), retc_free(r->names[1]);
    *r = (retc_truth_match){0};
}

int
retc_truth_match_series(retc_h5 *contributions, retc_h5 *recording, const retc_truth_match *match, size_t i, float *truth,
                        float *model, double *time) {
    const retc_truth_best *b = &match->interneuron[i];
    retc_truth_match again = {0};
    matcher m = {.contributions = contributions, .recording = recording, .m = &again};
    float *channels = NULL;
    char name[NAME];
    int status = RETC_OK;
    RETC_TRY(read_model(&m));
    RETC_TRY(read_truth(&m));
    memcpy(truth, m.truth + i * again.samples, again.samples * sizeof *truth);
    if (match->units) {
        snprintf(name, sizeof name, "/maps/%s", match->layer_name[b->layer]);
        RETC_TRY(retc_h5_read(contributions, name, RETC_H5_FLOAT, (size_t[]){0, b->channel, b->row, b->column},
                              (size_t[]){again.samples, 1, 1, 1}, model));
    } else {
        size_t C = match->first[b->layer + 1] - match->first[b->layer];
        RETC_TRY(RETC_ALLOC(channels, again.samples * C));
        RETC_TRY(read_channels(&m, b->layer, 0, again.samples, channels));
        for (size_t t = 0; t < again.samples; ++t)
            model[t] = channels[t * C + b->channel];
    }
    RETC_TRY(retc_h5_expect(contributions, "/metadata/time", 1, &again.samples, NULL));
    RETC_TRY(retc_h5_read(contributions, "/metadata/time", RETC_H5_DOUBLE, NULL, NULL, time));
done:
    retc_free(channels);
    retc_truth_match_clear(&again);
    matcher_clear(&m);
    return status;
}

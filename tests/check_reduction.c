/* Reductions of contributions: each recomputed from the whole maps that stand beside it in the file. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "contribute_file.h"
#include "fixtures.h"
#include "testing.h"

enum { FRAMES = 60, DEPTH = 6, SIDE = 9, N = 4, CUTS = 3 };

typedef struct {
    retc_network *network;
    retc_recording *recording;
    retc_target target;
    retc_h5 *file;
} setup;

static setup
begin(const char *name) {
    setup s;
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE), *counts = retc_calloc(N * FRAMES, sizeof *counts);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    s.recording = retc_recording_open(path, 0);
    ck_assert_msg(s.recording != NULL, "%s", retc_error_message());
    s.network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    ck_ok(retc_target_init(&s.target, RETC_TARGET_SUM, N, 0));
    s.file = retc_h5_create(retc_test_path("reduced.h5"), 1);
    ck_assert_ptr_nonnull(s.file);
    retc_free(movie), retc_free(counts);
    return s;
}

static void
end(setup *s) {
    retc_target_clear(&s->target);
    retc_network_free(s->network);
    retc_recording_close(s->recording);
    retc_h5_close(s->file);
}

static int
contribute(setup *s, const retc_reduction_options *reductions) {
    retc_contribute_options options = {.steps = 2, .block = 17, .threads = 2};
    retc_completeness completeness;
    return retc_contribute_write(s->network, s->recording, RETC_TEST, &s->target, &options, reductions, "x", s->file, NULL,
                                 &completeness);
}

static float *
read(const setup *s, const char *group, size_t cut, int rank, size_t *shape) {
    char name[80];
    void *data = NULL;
    snprintf(name, sizeof name, "/%s/conv%zu", group, cut);
    ck_ok(retc_h5_read_new(s->file, name, RETC_H5_FLOAT, rank, shape, &data));
    return data;
}

/* A sum of up to 40 floats, in another order, of numbers up to 1. */
static const double rounding = 40 * 6e-8;

static void
check_patches(const setup *s, size_t cut, const float *map, const size_t *shape, size_t p) {
    size_t found[4], C = shape[1], h = shape[2], w = shape[3];
    float *patch = read(s, "patches", cut, 4, found);
    ck_assert_uint_eq(found[1], 2 * C);
    ck_assert_uint_eq(found[2], (h + p - 1) / p);
    ck_assert_uint_eq(found[3], (w + p - 1) / p);
    size_t n = shape[0] * 2 * C * found[2] * found[3];
    float *sum = retc_calloc(n, sizeof *sum);
    for (size_t i = 0; i < shape[0] * C * h * w; ++i) {
        size_t x = i % w, y = i / w % h, c = i / (w * h) % C, t = i / (w * h * C);
        size_t column = map[i] < 0 ? c : C + c;
        sum[((t * 2 * C + column) * found[2] + y / p) * found[3] + x / p] += map[i];
    }
    ck_close_float("patches", patch, sum, n, 0, rounding);
    retc_free(sum), retc_free(patch);
}

START_TEST(reductions_are_sums_of_maps) {
    setup s = begin("sums.h5");
    static const double centre[2 * N] = {0, 0, 4, 4, 8, 2, 3, 7};
    const retc_reduction_options all = {RETC_REDUCE_MAPS | RETC_REDUCE_SUM | RETC_REDUCE_PATCH | RETC_REDUCE_NEIGHBOURHOOD, 2,
                                        100, centre};
    ck_ok(contribute(&s, &all));
    for (size_t k = 0; k < CUTS; ++k) {
        size_t shape[4], found[4];
        float *map = read(&s, "maps", k, 4, shape), *sum = read(&s, "sums", k, 2, found);
        float *split = read(&s, "sum_contributions", k, 2, NULL), *near = read(&s, "neighbourhoods", k, 3, found);
        size_t C = shape[1], units = shape[2] * shape[3];
        ck_assert_uint_eq(found[1], N);
        for (size_t t = 0; t < shape[0]; ++t)
            for (size_t c = 0; c < C; ++c) {
                double minus = 0, plus = 0;
                for (size_t u = 0; u < units; ++u) {
                    double x = (double)map[(t * C + c) * units + u];
                    *(x < 0 ? &minus : &plus) += x;
                }
                double tolerance = rounding * (plus - minus);
                ck_assert_double_le(fabs((double)sum[t * C + c] - minus - plus), tolerance);
                ck_assert_double_le(fabs((double)split[t * 2 * C + c] - minus), tolerance);
                ck_assert_double_le(fabs((double)split[t * 2 * C + C + c] - plus), tolerance);
                /* A radius of 100 pixels takes all units, for every cell. */
                for (size_t j = 0; j < N; ++j) {
                    ck_assert_double_le(fabs((double)near[(t * N + j) * 2 * C + c] - minus), tolerance);
                    ck_assert_double_le(fabs((double)near[(t * N + j) * 2 * C + C + c] - plus), tolerance);
                }
            }
        check_patches(&s, k, map, shape, 2);
        retc_free(map), retc_free(sum), retc_free(split), retc_free(near);
    }
    end(&s);
}
END_TEST

/* With radius 0 a neighbourhood is one unit: the one whose receptive field has its middle nearest to the cell.  Kernels of
 * conv0 see k pixels, so that the middle of unit (y,x) is at y + (k-1)/2. */
START_TEST(neighbourhoods_lie_around_cells) {
    setup s = begin("near.h5");
    static const double centre[2 * N] = {0, 0, 4, 4, 8, 2, 3, 7};
    const retc_reduction_options some = {RETC_REDUCE_MAPS | RETC_REDUCE_NEIGHBOURHOOD, 1, 0, centre};
    ck_ok(contribute(&s, &some));
    size_t shape[4];
    const retc_layer *conv0 = &s.network->layer[0];
    float *map = read(&s, "maps", 0, 4, shape), *near = read(&s, "neighbourhoods", 0, 3, NULL);
    size_t C = shape[1], h = shape[2], w = shape[3];
    for (size_t j = 0; j < N; ++j) {
        double y = fmin(fmax(floor(centre[2 * j] - (double)(conv0->kh - 1) / 2 + 0.5), 0), (double)(h - 1));
        double x = fmin(fmax(floor(centre[2 * j + 1] - (double)(conv0->kw - 1) / 2 + 0.5), 0), (double)(w - 1));
        for (size_t t = 0; t < shape[0]; ++t)
            for (size_t c = 0; c < C; ++c) {
                float value = map[((t * C + c) * h + (size_t)y) * w + (size_t)x];
                ck_assert(near[(t * N + j) * 2 * C + (value < 0 ? 0 : C) + c] == value);
                ck_assert(near[(t * N + j) * 2 * C + (value < 0 ? C : 0) + c] == 0);
            }
    }
    retc_free(map), retc_free(near);
    end(&s);
}
END_TEST

START_TEST(units_have_names_and_places) {
    setup s = begin("units.h5");
    ck_ok(contribute(&s, NULL));
    ck_assert(!retc_h5_has(s.file, "/maps"));
    const retc_layer *conv0 = &s.network->layer[0];
    void *column[5];
    size_t units = 0;
    static const char *const names[5] = {"channel", "row", "column", "y", "x"};
    for (int i = 0; i < 5; ++i) {
        char name[80];
        snprintf(name, sizeof name, "/metadata/units/conv0/%s", names[i]);
        ck_ok(retc_h5_read_new(s.file, name, i < 3 ? RETC_H5_INT64 : RETC_H5_DOUBLE, 1, &units, &column[i]));
        ck_assert_uint_eq(units, conv0->C * conv0->h * conv0->w);
    }
    for (size_t u = 0; u < units; ++u) {
        const int64_t *c = column[0], *y = column[1], *x = column[2];
        ck_assert_uint_eq((size_t)((c[u] * (int64_t)conv0->h + y[u]) * (int64_t)conv0->w + x[u]), u);
        ck_assert_double_eq(((double *)column[3])[u], (double)y[u] + (double)(conv0->kh - 1) / 2);
        ck_assert_double_eq(((double *)column[4])[u], (double)x[u] + (double)(conv0->kw - 1) / 2);
    }
    for (int i = 0; i < 5; ++i)
        retc_free(column[i]);
    end(&s);
}
END_TEST

START_TEST(requests_are_read_and_refused) {
    int kinds = -1;
    ck_ok(retc_reduction_parse("split", &kinds));
    ck_assert_int_eq(kinds, 0);
    ck_ok(retc_reduction_parse("neighbourhood,split,maps", &kinds));
    ck_assert_int_eq(kinds, RETC_REDUCE_MAPS | RETC_REDUCE_NEIGHBOURHOOD);
    ck_fails(retc_reduction_parse("maps,", &kinds), "\"\" is none of");
    ck_fails(retc_reduction_parse("maps,mean", &kinds), "\"mean\" is none of");
    setup s = begin("refused.h5");
    ck_fails(contribute(&s, &(retc_reduction_options){.kinds = RETC_REDUCE_PATCH, .patch = SIDE + 1}), "do not fit the maps");
    end(&s);
}
END_TEST

static Suite *
reduction_suite(void) {
    Suite *suite = suite_create("reduction");
    TCase *tcase = tcase_create("sums");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, reductions_are_sums_of_maps);
    tcase_add_test(tcase, neighbourhoods_lie_around_cells);
    tcase_add_test(tcase, units_have_names_and_places);
    tcase_add_test(tcase, requests_are_read_and_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(reduction_suite(), NULL);
}

#include "mapconv.h"

#include <math.h>

#include "gather_versions.h"
#include "mapconv_internal.h"

/* Sustained rates of the direct form and of transforms with their products, in flop/s: only their ratio matters. */
static const double direct_rate = 100e9, transform_rate = 40e9;

/* ---- sizes ----------------------------------------------------------------------------------------------------------- */

static size_t
without(size_t n, size_t factor) {
    while (n % factor == 0)
        n /= factor;
    return n;
}

/* The smallest size that passes can do, at least 2. */
static size_t
good_size(size_t n) {
    n = n < 2 ? 2 : n;
    while (without(without(without(n, 2), 3), 5) != 1)
        ++n;
    return n;
}

/* Flops for one time step: transforms of all maps, 2.5 N log2 N of N points each, and a product per pair and frequency. */
static double
transform_flops(const retc_conv_shape *s) {
    double M = (double)good_size(s->w), N = (double)good_size(s->h), points = M * N;
    return (double)(s->C + s->K) * 2.5 * points * log2(points) + (double)(s->C * s->K) * 8 * N * (floor(M / 2) + 1);
}

int
retc_mapconv_pays(const retc_conv_shape *s) {
    double direct = 2 * (double)(s->K * s->C * s->kh * s->kw) * (double)((s->h - s->kh + 1) * (s->w - s->kw + 1));
    return !s->window && transform_flops(s) / transform_rate < direct / direct_rate;
}

size_t
retc_mapconv_points(const retc_mapconv *plan) {
    return plan->along_x.N * plan->along_y.N;
}

/* ---- plans ----------------------------------------------------------------------------------------------------------- */

/* Few passes: sixes first, and fours before twos. */
static void
choose_radices(retc_dft *dft) {
    static const size_t radices[] = {6, 5, 4, 3, 2};
    size_t n = dft->N;
    for (size_t i = 0; i < sizeof radices / sizeof *radices; ++i)
        for (; n % radices[i] == 0; n /= radices[i])
            dft->radix[dft->passes++] = radices[i];
}

/* Of each pass and of p = 1 ... m-1, m being its length over its radix: the angles 2 pi p j / length for j = 1 ... radix-1. */
static int
dft_init(retc_dft *dft, size_t N) {
    int status = RETC_OK;
    *dft = (retc_dft){.N = N};
    choose_radices(dft);
    RETC_TRY(RETC_ALLOC(dft->twiddle, 4 * N));
    float *to = dft->twiddle;
    size_t n = N;
    for (size_t i = 0; i < dft->passes; ++i) {
        size_t m = n / dft->radix[i];
        for (size_t p = 1; p < m; ++p)
            for (size_t j = 1; j < dft->radix[i]; ++j) {
                double angle = 2 * M_PI * (double)(p * j) / (double)n;
                *to++ = (float)cos(angle);
                *to++ = (float)sin(angle);
            }
        n = m;
    }
done:
    return status;
}

retc_mapconv *
retc_mapconv_alloc(const retc_conv_shape *shape, size_t in_ld, size_t out_ld) {
    int status = RETC_OK;
    retc_mapconv *plan = retc_calloc(1, sizeof *plan);
    RETC_TRY(RETC_GOT(plan));
    plan->shape = *shape;
    plan->oh = shape->h - shape->kh + 1, plan->ow = shape->w - shape->kw + 1;
    plan->in_ld = in_ld, plan->out_ld = out_ld;
    RETC_TRY(dft_init(&plan->along_x, good_size(shape->w)));
    RETC_TRY(dft_init(&plan->along_y, good_size(shape->h)));
    plan->F = plan->along_x.N / 2 + 1;
    /* Room for a pair of rows of which the second is beyond the map, and odd: powers of two fall onto few sets of a cache. */
    plan->ld = (plan->along_y.N + 1) | 1;
    plan->pairs = retc_round_up(shape->K * shape->C, RETC_MAPCONV_LANES);
    RETC_TRY(RETC_ALLOC(plan->weight, plan->F * plan->along_y.N * 2 * plan->pairs));

done:
    if (status < 0) {
        retc_mapconv_free(plan);
        return NULL;
    }
    return plan;
}

void
retc_mapconv_free(retc_mapconv *plan) {
    if (!plan)
        return;
    retc_free(plan->along_x.twiddle);
    retc_free(plan->along_y.twiddle);
    retc_free(plan->weight);
    retc_free(plan);
}

retc_mapconv_work *
retc_mapconv_work_alloc(const retc_mapconv *plan, int gradients) {
    const retc_conv_shape *s = &plan->shape;
    size_t number = 2 * RETC_MAPCONV_LANES, width = retc_round_up(2 * s->K, RETC_MAPCONV_LANES), M = plan->along_x.N,
           N = plan->along_y.N;
    size_t maps = gradients ? s->C + s->K : s->C > s->K ? s->C : s->K;
    int status = RETC_OK;
    retc_mapconv_work *work = retc_calloc(1, sizeof *work);
    RETC_TRY(RETC_GOT(work));
    RETC_TRY(RETC_ALLOC(work->lines, maps * plan->F * plan->ld * number));
    RETC_TRY(RETC_ALLOC(work->columns, (s->C + s->K) * plan->ld * number));
    RETC_TRY(RETC_ALLOC(work->scratch, 3 * (M > N ? M : N) * number));
    RETC_TRY(RETC_ALLOC(work->taps, s->kh * s->kw * RETC_MAPCONV_LANES));
    if (gradients) {
        RETC_TRY(RETC_ALLOC(work->transposed, RETC_MAPCONV_LANES * width));
        RETC_TRY(RETC_ALLOC(work->sums, plan->F * N * 2 * s->C * width));
    }

done:
    if (status < 0) {
        retc_mapconv_work_free(work);
        return NULL;
    }
    return work;
}

void
retc_mapconv_work_free(retc_mapconv_work *work) {
    if (!work)
        return;
    retc_free(work->lines);
    retc_free(work->columns);
    retc_free(work->scratch);
    retc_free(work->taps);
    retc_free(work->transposed);
    retc_free(work->sums);
    retc_free(work);
}

/* ---- convolution ----------------------------------------------------------------------------------------------------- */

void
retc_mapconv_set_weights(retc_mapconv *plan, retc_mapconv_work *work, const float *w) {
    retc_kernel_mapconv()->set_weights(plan, work, w);
}

void
retc_mapconv_forward(const retc_mapconv *plan, retc_mapconv_work *work, const float *bias, const float *in, size_t n,
                     float *out) {
    retc_kernel_mapconv()->forward(plan, work, bias, in, n, out);
}

void
retc_mapconv_backward_input(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, size_t n, float *din,
                            size_t din_ld) {
    retc_kernel_mapconv()->backward_input(plan, work, g, n, din, din_ld);
}

void
retc_mapconv_backward_weights(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, const float *in, size_t n,
                              float *dw) {
    retc_kernel_mapconv()->backward_weights(plan, work, g, in, n, dw);
}

/* Linear receptive fields on mean grey. */
#include <string.h>

#include "circuit_local.h"

/* Slope of max(0, x) where x is on grey: the mean of both sides where it bends there. */
static double
slope_at(double x) {
    return x > 0 ? 1 : x < 0 ? 0 : 0.5;
}

static double
terminal_slope(const retc_circuit *c, const retc_local *l, size_t k) {
    double x = -c->options.bipolar[c->bipolar[l->terminal[k]].type].threshold;
    for (size_t i = 0; i < l->amacrines; ++i)
        x -= l->presynaptic[k * l->amacrines + i] *
             retc_rectify(-c->options.amacrine[c->amacrine[l->amacrine[i]].type].threshold);
    return slope_at(x);
}

/* The drive of an amacrine cell is 0 on grey and never less: at a threshold of 0 it lets both sides through. */
static double
amacrine_slope(const retc_circuit *c, size_t type) {
    return c->options.amacrine[type].threshold > 0 ? 0 : 1;
}

/* h (L) through an amacrine type's integrator and delay, times `scale`, is added to `sum`. */
static void
add_delayed(const retc_circuit *c, size_t type, size_t L, const double *h, double scale, double *series, double *sum) {
    double state = 0;
    retc_delay delay = c->delay[type];
    memcpy(series, h, L * sizeof *series);
    retc_leak_series(retc_leak(c->options.amacrine[type].tau, c->dt), &state, series, L);
    for (size_t k = 0; k < L; ++k) {
        if (k >= delay.frames)
            sum[k] += scale * (1 - delay.fraction) * series[k - delay.frames];
        if (k > delay.frames)
            sum[k] += scale * delay.fraction * series[k - delay.frames - 1];
    }
}

/* Course (L), lag 1 first, of the effect of the local bipolar cell b on x. */
static void
effect_of(const retc_circuit *c, const retc_local *l, size_t b, size_t L, double *h, double *series, double *sum) {
    size_t type = c->bipolar[l->bipolar[b]].type;
    memset(sum, 0, L * sizeof *sum);
    retc_circuit_bipolar_filter(c, type, L, h);
    for (size_t k = 0; k < l->terminals; ++k) {
        double weight = l->own[k] == b ? l->w[k] * terminal_slope(c, l, k) : 0;
        for (size_t t = 0; weight != 0 && t < L; ++t)
            sum[t] += weight * h[t];
    }
    for (size_t i = 0; i < l->amacrines; ++i) {
        size_t amacrine = c->amacrine[l->amacrine[i]].type;
        double inhibition = l->m[i];
        for (size_t k = 0; k < l->terminals; ++k)
            inhibition += l->w[k] * terminal_slope(c, l, k) * l->presynaptic[k * l->amacrines + i];
        double gain = inhibition * amacrine_slope(c, amacrine) * l->feed[i * l->bipolars + b] * slope_at(0);
        if (gain != 0)
            add_delayed(c, amacrine, L, h, -gain, series, sum);
    }
    for (size_t t = 0; t < L; ++t)
        sum[t] *= c->bipolar_gain[type];
}

int
retc_circuit_receptive_field(const retc_circuit *c, size_t cell, size_t L, double *rf) {
    int status = RETC_OK;
    size_t pixels = c->height * c->width;
    double slope = retc_output_slope(&c->output[cell], 0), *block = NULL;
    retc_local l = {0};
    memset(rf, 0, L * pixels * sizeof *rf);
    RETC_TRY(retc_local_init(&l, c, cell));
    RETC_TRY(RETC_ALLOC(block, 3 * L));
    for (size_t b = 0; b < l.bipolars; ++b) {
        double *sum = block + 2 * L;
        effect_of(c, &l, b, L, block, block + L, sum);
        for (size_t i = c->pixels.first[l.bipolar[b]]; i < c->pixels.first[l.bipolar[b] + 1]; ++i)
            for (size_t k = 0; k < L; ++k)
                rf[(L - 1 - k) * pixels + c->pixels.source[i]] += slope * sum[k] * c->pixels.weight[i];
    }

done:
    retc_local_clear(&l);
    retc_free(block);
    return status;
}

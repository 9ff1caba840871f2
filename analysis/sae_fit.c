/* Start values and steps of a fit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adam.h"
#include "rng.h"
#include "sae.h"

retc_sae_options
retc_sae_options_default(void) {
    return (retc_sae_options){.batch = 128,
                              .learning_rate = 1e-3,
                              .anneal = 1,
                              .decay = 0.98,
                              .decay_epochs = 25,
                              .dropout = 0.05,
                              .penalty = 1e-4,
                              .firing = 0.03};
}

retc_sae_options
retc_sae_options_published(void) {
    retc_sae_options options = retc_sae_options_default();
    options.epochs = 800;
    options.learning_rate = 1e-5;
    options.anneal = 0;
    options.firing = 0;
    return options;
}

/* Number `i` of the random streams of one purpose in this fit. */
static uint64_t
stream_index(const retc_sae_options *options, size_t i) {
    return options->stream << 32 | (uint64_t)i;
}

/* ---- start values ---------------------------------------------------------------------------------------------------- */

static void
draw_uniform(gsl_rng *rng, retc_sae *sae, size_t tensor, double limit) {
    float *values = sae->parameters + sae->tensors[tensor].offset;
    for (size_t i = 0; i < sae->tensors[tensor].size; ++i)
        values[i] = (float)gsl_ran_flat(rng, -limit, limit);
}

static void
fill(retc_sae *sae, size_t tensor, float value) {
    float *values = sae->parameters + sae->tensors[tensor].offset;
    for (size_t i = 0; i < sae->tensors[tensor].size; ++i)
        values[i] = value;
}

static int
compare_floats(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static double
logit(double c) {
    return log(c / (1 - c));
}

enum { CALIBRATION_SAMPLES = 8192 }; /* at most; taken evenly over the samples */

/* W3 has no bias: a row whose upper quantile is below the negative of its lower one is turned over, so that the quantile
 * that is brought to the threshold is positive. */
static void
calibrate_row(double threshold, double firing, size_t n, float *code, size_t M, float *row) {
    size_t rank = (size_t)(firing * (double)n); /* this many samples lie above the quantile */
    rank = rank < n ? rank : n - 1;
    qsort(code, n, sizeof *code, compare_floats);
    double high = logit((double)code[n - 1 - rank]), low = logit((double)code[rank]);
    double quantile = high >= -low ? high : low;
    for (size_t m = 0; quantile != 0 && m < M; ++m)
        row[m] *= (float)(logit(threshold) / quantile);
}

static int
calibrate(retc_sae *sae, const float *x, size_t T, double firing) {
    int status = RETC_OK;
    float *some = NULL, *codes = NULL, *column = NULL;
    size_t F = sae->F, A = sae->A, stride = (T - 1) / CALIBRATION_SAMPLES + 1, n = (T - 1) / stride + 1;
    RETC_TRY(RETC_ALLOC(some, n * F));
    RETC_TRY(RETC_ALLOC(codes, n * A));
    RETC_TRY(RETC_ALLOC(column, n));
    for (size_t i = 0; i < n; ++i)
        memcpy(some + i * F, x + i * stride * F, F * sizeof *some);
    RETC_TRY(retc_sae_encode(sae, some, n, codes, NULL, NULL));
    for (size_t a = 0; a < A; ++a) {
        for (size_t i = 0; i < n; ++i)
            column[i] = codes[i * A + a];
        calibrate_row(sae->threshold, firing, n, column, sae->M,
                      sae->parameters + sae->tensors[RETC_SAE_WEIGHT3].offset + a * sae->M);
    }
done:
    retc_free(some);
    retc_free(codes);
    retc_free(column);
    return status;
}

int
retc_sae_init(retc_sae *sae, const float *x, size_t T, const retc_sae_options *options) {
    if (T == 0)
        return RETC_FAIL(RETC_EINVAL, "no samples to start an autoencoder from");
    gsl_rng *rng = retc_rng_alloc(options->seed, RETC_STREAM_WEIGHTS, stream_index(options, 0));
    if (!rng)
        return RETC_ENOMEM;
    double by_features = 1 / sqrt((double)sae->F), by_hidden = 1 / sqrt((double)sae->M);
    draw_uniform(rng, sae, RETC_SAE_WEIGHT1, by_features);
    draw_uniform(rng, sae, RETC_SAE_BIAS1, by_features);
    draw_uniform(rng, sae, RETC_SAE_WEIGHT2, by_hidden);
    draw_uniform(rng, sae, RETC_SAE_BIAS2, by_hidden);
    draw_uniform(rng, sae, RETC_SAE_WEIGHT3, by_hidden);
    draw_uniform(rng, sae, RETC_SAE_ATOMS, sqrt(6 / (double)(sae->A + sae->F)));
    fill(sae, RETC_SAE_SCALE1, 1);
    fill(sae, RETC_SAE_SHIFT1, 0);
    fill(sae, RETC_SAE_SCALE2, 1);
    fill(sae, RETC_SAE_SHIFT2, 0);
    gsl_rng_free(rng);
    return options->firing > 0 ? calibrate(sae, x, T, options->firing) : RETC_OK;
}

/* ---- steps ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t n, T; /* samples per step, samples */
    size_t steps_per_epoch, epochs;
    retc_sae_workspace *workspace;
    float *gradient, *m, *v, *mask;
    size_t *order;
    gsl_rng *shuffle, *drop;
} fit;

static int
alloc_fit(const retc_sae *sae, size_t T, const retc_sae_options *options, fit *f) {
    int status = RETC_OK;
    f->T = T;
    f->n = options->batch < T ? options->batch : T;
    f->steps_per_epoch = T / f->n;
    f->epochs = options->epochs ? options->epochs : (RETC_SAE_STEPS - 1) / f->steps_per_epoch + 1;
    RETC_TRY(RETC_GOT(f->workspace = retc_sae_workspace_alloc(sae, f->n)));
    RETC_TRY(RETC_ALLOC(f->gradient, sae->size));
    RETC_TRY(RETC_ALLOC(f->m, sae->size));
    RETC_TRY(RETC_ALLOC(f->v, sae->size));
    RETC_TRY(RETC_ALLOC(f->order, T));
    if (options->dropout > 0)
        RETC_TRY(RETC_ALLOC(f->mask, 2 * sae->M * f->n));
    RETC_TRY(RETC_GOT(f->shuffle = retc_rng_alloc(options->seed, RETC_STREAM_BATCHES, stream_index(options, 0))));
    RETC_TRY(RETC_GOT(f->drop = retc_rng_alloc(options->seed, RETC_STREAM_DROPOUT, stream_index(options, 0))));
done:
    return status;
}

static void
free_fit(fit *f) {
    retc_sae_workspace_free(f->workspace);
    retc_free(f->gradient);
    retc_free(f->m);
    retc_free(f->v);
    retc_free(f->mask);
    retc_free(f->order);
    if (f->shuffle)
        gsl_rng_free(f->shuffle);
    if (f->drop)
        gsl_rng_free(f->drop);
}

/* Independent drops with probability p, found by their geometric gaps: one random number per drop instead of per unit. */
static void
draw_mask(gsl_rng *rng, double p, float *mask, size_t n) {
    float kept = (float)(1 / (1 - p));
    for (size_t i = 0; i < n; ++i)
        mask[i] = kept;
    double rate = log1p(-p), next = floor(log(gsl_rng_uniform_pos(rng)) / rate);
    while (next < (double)n) {
        mask[(size_t)next] = 0;
        next += 1 + floor(log(gsl_rng_uniform_pos(rng)) / rate);
    }
}

/* Learning rate of step 0, 1, ... */
static double
learning_rate(const retc_sae_options *options, const fit *f, size_t step) {
    if (options->anneal)
        return options->learning_rate * (1 - (double)step / (double)(f->epochs * f->steps_per_epoch));
    return options->learning_rate * pow(options->decay, (double)(step / f->steps_per_epoch / options->decay_epochs));
}

/* The loss would hide it: a code that is not a number stays below the threshold. */
static int
check_finite(const retc_sae *sae, size_t epoch, double rate) {
    for (size_t i = 0; i < sae->size; ++i)
        if (!isfinite(sae->parameters[i]))
            return RETC_FAIL(RETC_ENUMBER, "the fit diverged at learning rate %g (epoch %zu); try a smaller one", rate,
                             epoch + 1);
    return RETC_OK;
}

/* One pass over all samples in random order. */
static int
run_epoch(retc_sae *sae, const float *x, const retc_sae_options *options, size_t epoch, fit *f) {
    retc_adam_options adam = retc_adam_default();
    for (size_t t = 0; t < f->T; ++t)
        f->order[t] = t;
    retc_rng_seed(f->shuffle, options->seed, RETC_STREAM_BATCHES, stream_index(options, epoch));
    retc_rng_shuffle(f->shuffle, f->order, f->T);
    for (size_t i = 0; i < f->steps_per_epoch; ++i) {
        size_t step = epoch * f->steps_per_epoch + i;
        if (f->mask)
            draw_mask(f->drop, options->dropout, f->mask, 2 * sae->M * f->n);
        retc_sae_gradient(sae, f->workspace, x, f->order + i * f->n, f->n, options->penalty, f->mask, f->gradient);
        adam.rate = learning_rate(options, f, step);
        retc_adam_step(&adam, step + 1, f->gradient, sae->size, f->m, f->v, sae->parameters);
    }
    return check_finite(sae, epoch, adam.rate);
}

int
retc_sae_fit(retc_sae *sae, const float *x, size_t T, const retc_sae_options *options, const retc_progress *progress) {
    int status = RETC_OK;
    fit f = {0};
    if (T == 0 || options->batch == 0 || options->decay_epochs == 0 || !(options->dropout >= 0 && options->dropout < 1))
        return RETC_FAIL(RETC_EINVAL, "no fit to %zu samples in batches of %zu, with dropout %g and decay every %zu epochs", T,
                         options->batch, options->dropout, options->decay_epochs);
    RETC_TRY(alloc_fit(sae, T, options, &f));
    for (size_t epoch = 0; epoch < f.epochs; ++epoch) {
        RETC_TRY(run_epoch(sae, x, options, epoch, &f));
        retc_progress_report(progress, epoch + 1, f.epochs, "epochs");
    }
done:
    free_fit(&f);
    return status;
}

/* What training computes: losses, penalties, schedules, the gradients of a step, and the statistics of batch norm. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adam.h"
#include "fixtures.h"
#include "loss.h"
#include "penalty.h"
#include "reference.h"
#include "rng.h"
#include "schedule.h"
#include "testing.h"
#include "trainer.h"

enum { T = 300, N = 3, B = 3, LOSSES = 3 };

static void
ck_near(const char *what, double x, double expected, double absolute, double relative) {
    ck_close_double(what, &x, &expected, 1, absolute, relative);
}

/* ---- losses ---------------------------------------------------------------------------------------------------------- */

START_TEST(losses_have_their_closed_forms) {
    ck_near("Poisson", retc_loss_of(RETC_LOSS_POISSON, 0.7, 2), 0.7 - 2 * log(0.7 + 1e-8), 0, 1e-15);
    ck_near("Poisson, silent", retc_loss_of(RETC_LOSS_POISSON, 0.7, 0), 0.7, 0, 0);
    ck_near("Gaussian", retc_loss_of(RETC_LOSS_GAUSSIAN, -0.25, 2), 5.0625, 0, 0);
    /* e = ln 2: a spike is as likely as none; 1e-8 more moves -log p by 1e-8. */
    ck_near("Bernoulli", retc_loss_of(RETC_LOSS_BERNOULLI, log(2), 3), log(2), 2e-8, 0);
    ck_near("Bernoulli, silent", retc_loss_of(RETC_LOSS_BERNOULLI, 0.7, 0), 0.7, 0, 0);
    ck_assert_str_eq(retc_loss_name(RETC_LOSS_BERNOULLI), "bernoulli");
    ck_assert_ptr_null(retc_loss_name((retc_loss)LOSSES));
}
END_TEST

/* Where p = 1 - exp(-e) itself would be 0 or 1 in double: series of -log(1 - exp(-x)) at both ends. */
START_TEST(bernoulli_is_sound_at_both_ends) {
    for (double e = 1e-300; e < 1e-3; e *= 1e3) {
        double x = e + 1e-8;
        ck_near("small", retc_loss_of(RETC_LOSS_BERNOULLI, e, 1), -log(x) + x / 2 - x * x / 24, 0, 1e-14);
        /* 1/(exp(x) - 1) = 1/x - 1/2 + x/12 - x^3/720 */
        ck_near("slope", retc_loss_slope(RETC_LOSS_BERNOULLI, e, 1), -1 / x + 0.5 - x / 12 + x * x * x / 720, 0, 1e-14);
    }
    for (double e = 30; e < 700; e += 67) {
        double tail = exp(-(e + 1e-8));
        ck_near("large", retc_loss_of(RETC_LOSS_BERNOULLI, e, 1), tail + tail * tail / 2, 0, 1e-14);
        ck_near("slope", retc_loss_slope(RETC_LOSS_BERNOULLI, e, 1), -tail, 0, 1e-12);
    }
    ck_near("infinite", retc_loss_of(RETC_LOSS_BERNOULLI, 1e300, 1), 0, 0, 0);
    ck_near("slope", retc_loss_slope(RETC_LOSS_BERNOULLI, 1e300, 1), 0, 0, 0);
    ck_assert(isfinite(retc_loss_of(RETC_LOSS_BERNOULLI, 0, 5)) && isfinite(retc_loss_slope(RETC_LOSS_BERNOULLI, 0, 5)));
}
END_TEST

/* Central differences with h = 1e-5 e: relative error h^2 from the third derivative, some 1e-10, and rounding u/1e-5. */
START_TEST(slopes_equal_finite_differences) {
    for (double count = 0; count < 4; ++count)
        for (double e = 1e-3; e < 20; e *= 2.385) {
            double h = 1e-5 * e, above = retc_loss_of((retc_loss)_i, e + h, count),
                   below = retc_loss_of((retc_loss)_i, e - h, count);
            ck_near(retc_loss_name((retc_loss)_i), retc_loss_slope((retc_loss)_i, e, count), (above - below) / (2 * h),
                    1e-10 * (fabs(above) + 1) / e, 1e-8);
        }
}
END_TEST

START_TEST(rows_are_sums_over_frames) {
    const float rate[4] = {12.5f, 0.75f, 230, 3}, count[4] = {0, 1, 4, 2};
    const double dt = 0.013, weight = 0.3;
    float gradient[4];
    double sum = 0;
    retc_loss_gradient((retc_loss)_i, rate, count, 4, dt, weight, gradient);
    for (size_t t = 0; t < 4; ++t) {
        sum += retc_loss_of((retc_loss)_i, (double)rate[t] * dt, (double)count[t]);
        ck_near("gradient", (double)gradient[t],
                weight * dt * retc_loss_slope((retc_loss)_i, (double)rate[t] * dt, (double)count[t]), 0, 1e-7);
    }
    ck_near("sum", retc_loss_sum((retc_loss)_i, rate, count, 4, dt), sum, 0, 1e-15);
}
END_TEST

/* ---- penalties of parameters ----------------------------------------------------------------------------------------- */

static const retc_penalty penalties[] = {
    {.l1 = 0.75}, {.l2 = 1.5}, {.smooth_time = 2.5}, {.smooth_space = 0.375}, {0.5, 0.25, 1.25, 2, 0}};
enum { PENALTIES = sizeof penalties / sizeof *penalties };

/* All parameters multiples of 1/64 and none 0; steps of 1/128 then are exact, and so is the central difference of a quadratic.
 */
static retc_network *
dyadic_network(size_t L, size_t H, size_t W) {
    retc_network *network = retc_fixture_network(3, L, H, W, N, 0);
    gsl_rng *rng = retc_rng_alloc(4, RETC_STREAM_WEIGHTS, 0);
    for (size_t i = 0; i < network->values; ++i) {
        double x = (double)gsl_rng_uniform_int(rng, 64) - 32;
        network->value[i] = (float)((x >= 0 ? x + 1 : x) / 64);
    }
    gsl_rng_free(rng);
    return network;
}

START_TEST(penalty_gradient_equals_finite_differences) {
    static const size_t shapes[3][3] = {{5, 6, 5}, {7, 1, 1}, {1, 5, 4}};
    const retc_penalty *penalty = &penalties[_i / 3];
    const size_t *shape = shapes[_i % 3];
    const float h = 1.0f / 128;
    retc_network *network = dyadic_network(shape[0], shape[1], shape[2]);
    float *gradient = retc_calloc(network->values, sizeof *gradient);
    retc_penalty_add_gradient(penalty, network, gradient);
    for (size_t i = 0; i < network->values; ++i) {
        float centre = network->value[i];
        network->value[i] = centre + h;
        double above = retc_penalty_of(penalty, network, network->value);
        network->value[i] = centre - h;
        double below = retc_penalty_of(penalty, network, network->value);
        network->value[i] = centre;
        ck_near("gradient", (double)gradient[i], (above - below) / (2 * (double)h), 0, 0);
    }
    for (size_t p = 0; p < network->params; ++p)
        for (size_t k = 0; network->param[p].rank < 2 && k < network->param[p].size; ++k)
            ck_assert_msg(gradient[network->param[p].offset + k] == 0, "%s is penalised", network->param[p].name);
    retc_free(gradient);
    retc_network_free(network);
}
END_TEST

/* A chain of small kernels and a readout in factors: what is trained is penalised by size, what comes of it by smoothness. */
static retc_network *
derived_network(void) {
    retc_network *network = retc_network_alloc("cnn", 4, 6, 5, N);
    ck_ok(retc_network_add_stacked(network, 3, 5, 4, 1));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    ck_ok(retc_network_add_factorised(network, N, 1));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 9));
    return network;
}

static double
derived_penalty(const retc_penalty *penalty, retc_network *network) {
    retc_network_derive(network);
    return retc_penalty_of(penalty, network, network->value);
}

/* Every trained weight comes into derived ones once: the penalty is quadratic in it, and central differences are exact for any
 * step.  What is left is the rounding of derived weights to float, u = 6e-8 of each. */
START_TEST(penalties_reach_what_derived_weights_come_from) {
    const retc_penalty penalty = {.l2 = 0.5, .smooth_time = 1.25, .smooth_space = 2};
    const float h = 0.25f;
    retc_network *network = derived_network();
    float *gradient = retc_calloc(network->values, sizeof *gradient);
    retc_penalty_add_gradient(&penalty, network, gradient);
    retc_network_derive_gradient(network, gradient);
    size_t compared = 0;
    for (size_t p = 0; p < network->params; ++p) {
        const retc_param *param = &network->param[p];
        double *slope = retc_calloc(param->size, sizeof *slope), *fast = retc_calloc(param->size, sizeof *fast);
        for (size_t i = 0; i < param->size; ++i) {
            float *x = &network->value[param->offset + i], centre = *x;
            fast[i] = (double)gradient[param->offset + i];
            if (!param->trainable)
                continue;
            *x = centre + h;
            double above = derived_penalty(&penalty, network);
            *x = centre - h;
            slope[i] = (above - derived_penalty(&penalty, network)) / (2 * (double)h);
            *x = centre;
            compared += slope[i] > 0 || slope[i] < 0;
        }
        ck_close_double(param->name, fast, slope, param->size, 1e-6, 1e-5);
        retc_free(slope), retc_free(fast);
    }
    ck_assert_uint_gt(compared, 150);
    retc_free(gradient);
    retc_network_free(network);
}
END_TEST

/* Kernels that are planes, w = 3 c + 2 y + x: each of the neighbours differs by the slope. */
START_TEST(smoothness_of_planes_is_known) {
    enum { L = 5, K = 4, SIDE = 3, BREADTH = 2 };
    retc_network *network = retc_fixture_network(3, L, 6, 5, N, 0);
    ck_assert(network->layer[0].C == K && network->layer[0].kh == SIDE && network->layer[0].kw == BREADTH);
    for (size_t i = 0; i < network->param[0].size; ++i) {
        size_t x = i % BREADTH, y = i / BREADTH % SIDE, c = i / (BREADTH * SIDE) % L;
        network->value[network->param[0].offset + i] = (float)(3 * c + 2 * y + x);
    }
    const retc_penalty time = {.smooth_time = 2}, space = {.smooth_space = 2};
    ck_near("time", retc_penalty_of(&time, network, network->value), 9.0 * K * (L - 1) * SIDE * BREADTH, 0, 0);
    ck_near("space", retc_penalty_of(&space, network, network->value),
            4.0 * K * L * (SIDE - 1) * BREADTH + 1.0 * K * L * SIDE * (BREADTH - 1), 0, 0);
    retc_network_free(network);
}
END_TEST

/* ---- one step -------------------------------------------------------------------------------------------------------- */

/* A network with a batch in place, in float and in double. */
typedef struct {
    retc_network *network;
    retc_trainer *trainer;
    retc_recording *recording;
    size_t n[B];
    double *value, *movie[B], *rate[B];
    float *count[B];
} step;

static void
step_init(step *s, const retc_trainer_options *options, size_t L, size_t H, size_t W, int bounded) {
    float *frames = retc_fixture_movie(5, T, H, W), *counts = retc_calloc(N * T, sizeof *counts);
    static const size_t first[B] = {20, 60, 130}, length[B] = {24, 17, 5};
    gsl_rng *rng = retc_rng_alloc(6, RETC_STREAM_SPIKES, 0);
    for (size_t i = 0; i < N * T; ++i)
        counts[i] = (float)gsl_ran_poisson(rng, 0.4);
    gsl_rng_free(rng);
    ck_ok(retc_fixture_recording(retc_test_path("step.h5"), T, H, W, frames, N, counts, 0, NULL, 3, 0.02));
    *s = (step){.recording = retc_recording_open(retc_test_path("step.h5"), 0)};
    ck_assert_msg(s->recording != NULL, "%s", retc_error_message());
    retc_network *network = s->network = retc_fixture_network(7, L, H, W, N, 0);
    for (size_t l = 0; bounded && l < network->layers; ++l) /* tanh, then sigmoid */
        if (network->layer[l].kind == RETC_LAYER_RELU)
            network->layer[l].kind = bounded++ % 2 ? RETC_LAYER_TANH : RETC_LAYER_SIGMOID;
    s->trainer = retc_trainer_alloc(network, options);
    s->value = retc_calloc(network->values, sizeof *s->value);
    for (size_t i = 0; i < network->values; ++i)
        s->value[i] = (double)network->value[i];
    for (size_t b = 0; b < B; ++b) {
        size_t n = s->n[b] = length[b], span = n + L - 1, start = first[b] + 1 - network->lag - L;
        ck_ok(retc_trainer_load(s->trainer, s->recording, RETC_TRAIN, b, &(retc_block){.t0 = first[b], .n = n}));
        s->count[b] = retc_calloc(N * n, sizeof(float));
        ck_ok(retc_recording_counts(s->recording, RETC_TRAIN, first[b], n, s->count[b]));
        s->movie[b] = retc_calloc(H * W * span, sizeof(double));
        s->rate[b] = retc_calloc(1000 * n, sizeof(double)); /* of any layer */
        for (size_t p = 0; p < H * W; ++p)
            for (size_t t = 0; t < span; ++t)
                s->movie[b][p * span + t] =
                    ((double)frames[(start + t) * H * W + p] - network->stimulus_mean) / network->stimulus_std;
    }
    retc_free(frames), retc_free(counts);
}

static void
step_clear(step *s) {
    for (size_t b = 0; b < B; ++b)
        retc_free(s->movie[b]), retc_free(s->rate[b]), retc_free(s->count[b]);
    retc_free(s->value);
    retc_trainer_free(s->trainer);
    retc_network_free(s->network);
    retc_recording_close(s->recording);
}

/* Outputs of layer l over the batch, (units,n) in s->rate: the first layers are a network too, of as many cells as units. */
static size_t
outputs(const step *s, size_t l) {
    const double *const movies[B] = {s->movie[0], s->movie[1], s->movie[2]};
    double *const rates[B] = {s->rate[0], s->rate[1], s->rate[2]};
    retc_network part = *s->network;
    part.layers = l + 1;
    part.N = retc_layer_units(&part.layer[l]);
    ck_assert_uint_le(part.N, 1000);
    ck_ok(retc_reference_forward(&part, s->value, 1, B, s->n, movies, rates));
    return part.N;
}

static double
objective(const step *s, const retc_trainer_options *options) {
    double loss = 0, activity = 0, frames = 0;
    for (size_t b = 0; b < B; ++b)
        frames += (double)s->n[b];
    for (size_t l = 0; options->penalty.activity_l1 > 0 && l < s->network->layers; ++l) {
        retc_layer_kind kind = s->network->layer[l].kind;
        if (kind != RETC_LAYER_RELU && kind != RETC_LAYER_SOFTPLUS && kind != RETC_LAYER_TANH && kind != RETC_LAYER_SIGMOID)
            continue;
        size_t units = outputs(s, l);
        for (size_t b = 0; b < B; ++b)
            for (size_t i = 0; i < units * s->n[b]; ++i)
                activity += fabs(s->rate[b][i]) / (frames * (double)units);
    }
    (void)outputs(s, s->network->layers - 1);
    for (size_t b = 0; b < B; ++b)
        for (size_t i = 0; i < N * s->n[b]; ++i)
            loss += retc_loss_of(options->loss, s->rate[b][i] * options->frame_interval, (double)s->count[b][i]);
    return loss / (frames * N) + options->penalty.activity_l1 * activity;
}

/* The gradient of loss and activity by every trained parameter, against central differences in double. */
START_TEST(step_gradient_equals_finite_differences) {
    static const size_t shapes[3][3] = {{5, 5, 3}, {7, 1, 1}, {2, 5, 3}};
    const size_t *shape = shapes[_i % 3];
    retc_trainer_options options = {.blocks = B, .block = 24, .threads = 2, .seed = 1, .frame_interval = 0.02};
    options.loss = (retc_loss)(_i / 3 % LOSSES);
    options.penalty.activity_l1 = _i / 3 / LOSSES ? 0.7 : 0;
    step s;
    step_init(&s, &options, shape[0], shape[1], shape[2], _i % 3 == 2);
    double loss;
    const float *gradient;
    ck_ok(retc_trainer_step(s.trainer, B, 0, &loss, &gradient));
    if (options.penalty.activity_l1 <= 0)
        ck_near("loss", loss, objective(&s, &options), 0, 1e-5);
    for (size_t p = 0; p < s.network->params; ++p) {
        const retc_param *param = &s.network->param[p];
        double *slope = retc_calloc(param->size, sizeof *slope), *fast = retc_calloc(param->size, sizeof *fast);
        for (size_t i = 0; param->trainable && i < param->size; ++i) {
            double *x = &s.value[param->offset + i], centre = *x, h = 1e-6, side[2];
            for (int k = 0; k < 2; ++k) {
                *x = centre + (k ? h : -h);
                side[k] = objective(&s, &options);
            }
            *x = centre;
            slope[i] = (side[1] - side[0]) / (2 * h);
            fast[i] = (double)gradient[param->offset + i];
        }
        /* As in check_models: a bias before batch norm has no effect, and float leaves the rounding of terms that cancel. */
        ck_close_double(param->name, fast, slope, param->size, 5e-6, 2e-4);
        retc_free(slope), retc_free(fast);
    }
    step_clear(&s);
}
END_TEST

/* running = 0.9 running + 0.1 of the batch, the variance unbiased, as torch keeps them. */
START_TEST(running_statistics_have_their_closed_form) {
    retc_trainer_options options = {.blocks = B, .block = 24, .threads = 1, .seed = 1, .frame_interval = 0.02};
    step s;
    step_init(&s, &options, 5, 5, 3, 0);
    double loss;
    const float *gradient;
    ck_ok(retc_trainer_step(s.trainer, B, 0, &loss, &gradient));
    for (size_t l = 0; l < s.network->layers; ++l) {
        const retc_layer *layer = &s.network->layer[l];
        if (layer->kind != RETC_LAYER_BATCHNORM)
            continue;
        (void)outputs(&s, l - 1);
        size_t places = layer->h * layer->w;
        for (size_t c = 0; c < layer->C; ++c) {
            double count = 0, mean = 0, squares = 0;
            for (int pass = 0; pass < 2; ++pass)
                for (size_t b = 0; b < B; ++b)
                    for (size_t i = c * places * s.n[b]; i < (c + 1) * places * s.n[b]; ++i) {
                        double x = s.rate[b][i];
                        if (pass == 0)
                            count += 1, mean += (x - mean) / count;
                        else
                            squares += (x - mean) * (x - mean);
                    }
            double old_mean = s.value[s.network->param[layer->mean].offset + c];
            double old_var = s.value[s.network->param[layer->var].offset + c], var = squares / (count - 1);
            ck_near("mean", (double)retc_network_values(s.network, layer->mean)[c], 0.9 * old_mean + 0.1 * mean, 1e-6, 0);
            ck_near("var", (double)retc_network_values(s.network, layer->var)[c], 0.9 * old_var + 0.1 * var, 0, 2e-6);
        }
    }
    step_clear(&s);
}
END_TEST

/* ---- schedules ------------------------------------------------------------------------------------------------------- */

START_TEST(schedules_have_their_closed_forms) {
    retc_schedule schedule = {RETC_SCHEDULE_CONSTANT, .decay = 0.3, .every = 4};
    for (size_t epoch = 0; epoch < 12; ++epoch) {
        schedule.kind = RETC_SCHEDULE_CONSTANT;
        ck_near("constant", retc_schedule_factor(&schedule, epoch, 12, 5), 1, 0, 0);
        schedule.kind = RETC_SCHEDULE_PLATEAU;
        ck_near("plateau", retc_schedule_factor(&schedule, epoch, 12, epoch / 5), pow(0.3, (double)(epoch / 5)), 0, 1e-15);
        schedule.kind = RETC_SCHEDULE_STEP;
        ck_near("step", retc_schedule_factor(&schedule, epoch, 12, 0), pow(0.3, (double)(epoch / 4)), 0, 1e-15);
        schedule.kind = RETC_SCHEDULE_EXPONENTIAL;
        ck_near("exponential", retc_schedule_factor(&schedule, epoch, 12, 0), exp((double)epoch / 4 * log(0.3)), 0, 1e-14);
        schedule.kind = RETC_SCHEDULE_COSINE;
        double half = cos(M_PI / 2 * (double)epoch / 12); /* (1 + cos 2a)/2 = cos^2 a */
        ck_near("cosine", retc_schedule_factor(&schedule, epoch, 12, 0), half * half, 1e-15, 1e-14);
    }
    ck_near("no warm-up", retc_schedule_warmup(&schedule, 0), 1, 0, 0);
    schedule.warmup = 4;
    static const double rising[6] = {0.2, 0.4, 0.6, 0.8, 1, 1};
    for (size_t i = 0; i < 6; ++i)
        ck_near("warm-up", retc_schedule_warmup(&schedule, i), rising[i], 0, 1e-15);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("training");
    TCase *losses = tcase_create("losses");
    tcase_add_test(losses, losses_have_their_closed_forms);
    tcase_add_test(losses, bernoulli_is_sound_at_both_ends);
    tcase_add_loop_test(losses, slopes_equal_finite_differences, 0, LOSSES);
    tcase_add_loop_test(losses, rows_are_sums_over_frames, 0, LOSSES);
    suite_add_tcase(suite, losses);
    TCase *parameters = tcase_create("penalties");
    tcase_add_loop_test(parameters, penalty_gradient_equals_finite_differences, 0, 3 * PENALTIES);
    tcase_add_test(parameters, penalties_reach_what_derived_weights_come_from);
    tcase_add_test(parameters, smoothness_of_planes_is_known);
    suite_add_tcase(suite, parameters);
    TCase *steps = tcase_create("steps");
    tcase_set_timeout(steps, 120);
    tcase_add_loop_test(steps, step_gradient_equals_finite_differences, 0, 2 * 3 * LOSSES);
    tcase_add_test(steps, running_statistics_have_their_closed_form);
    tcase_add_test(steps, schedules_have_their_closed_forms);
    suite_add_tcase(suite, steps);
    return retc_test_main(suite, NULL);
}

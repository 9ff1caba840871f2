/* Fits as a whole: schedules, what goes wrong on the way, and what is left when they are killed. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fit.h"
#include "fit_internal.h"
#include "fixtures.h"
#include "small_fit.h"
#include "testing.h"

enum { T = 3000, L = RETC_SMALL_HISTORY, SIDE = RETC_SMALL_SIDE };

/* Everything at once that has a state or a place of its own. */
static retc_fit_options
full_options(size_t epochs, retc_schedule_kind kind) {
    retc_fit_options options = retc_small_fit(epochs);
    options.schedule = (retc_schedule){kind, .decay = 0.5, .every = 3, .warmup = 30};
    options.patience = kind == RETC_SCHEDULE_PLATEAU ? 2 * epochs : 4 * epochs;
    options.penalty = (retc_penalty){1e-4, 1e-3, 1e-3, 1e-3, 1e-2};
    options.adam.weight_decay = 0.02;
    options.clip = 0.05;
    options.average = 20;
    options.loss = RETC_LOSS_BERNOULLI;
    return options;
}

static retc_network *
fitted(retc_recording *recording, const retc_fit_options *options, const retc_fit_checkpoint *checkpoint,
       retc_fit_report *report) {
    retc_fit_report own;
    retc_network *network = retc_fit_network(recording, options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_ok(retc_fit_run(network, recording, options, checkpoint, NULL, report ? report : &own));
    if (!report)
        retc_fit_report_clear(&own);
    return network;
}

static int
same(const retc_network *a, const retc_network *b) {
    return memcmp(a->value, b->value, a->values * sizeof(float)) == 0;
}

/* ---- learning rates -------------------------------------------------------------------------------------------------- */

START_TEST(the_learning_rate_of_every_epoch_is_logged) {
    retc_recording *recording = retc_small_recording(retc_test_path("rates.h5"), T, 2);
    retc_fit_options options = retc_small_fit(7);
    options.schedule = (retc_schedule){RETC_SCHEDULE_STEP, .decay = 0.3, .every = 2, .warmup = 15};
    retc_fit_report report;
    retc_network *network = fitted(recording, &options, NULL, &report);
    /* 3000 frames less two histories, a tenth held out and gaps: ten full batches or so; 15 steps are over in the second
     * epoch. */
    ck_assert_uint_eq(report.epochs, 7);
    ck_assert_msg(report.epoch[0].learning_rate < 0.01 && report.epoch[0].learning_rate > 0.001, "%g in the first epoch",
                  report.epoch[0].learning_rate);
    for (size_t e = 1; e < 7; ++e)
        ck_close_double("rate", &report.epoch[e].learning_rate, (double[]){0.01 * pow(0.3, (double)(e / 2))}, 1, 0, 1e-14);
    const char *path = retc_test_path("rates.log");
    retc_h5 *file = retc_h5_create(path, 1);
    double rates[7];
    ck_ok(retc_fit_report_write(&report, file));
    ck_ok(retc_h5_read(file, "/training/learning_rate", RETC_H5_DOUBLE, NULL, NULL, rates));
    for (size_t e = 0; e < 7; ++e)
        ck_assert_double_eq(rates[e], report.epoch[e].learning_rate);
    retc_h5_close(file);
    retc_fit_report_clear(&report);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* A plateau is half the patience without a better epoch: the rate is cut then, and no sooner. */
START_TEST(plateaus_cut_the_rate) {
    retc_recording *recording = retc_small_recording(retc_test_path("plateau.h5"), T, 2);
    retc_fit_options options = retc_small_fit(25);
    options.patience = 6;
    options.adam.rate = 0.3; /* soon no epoch is better than the last */
    retc_fit_report report;
    retc_network *network = fitted(recording, &options, NULL, &report);
    double best = (double)INFINITY, rate = 0.3;
    size_t waited = 0, cuts = 0;
    for (size_t e = 0; e < report.epochs; ++e) {
        ck_close_double("rate", &report.epoch[e].learning_rate, &rate, 1, 0, 1e-14);
        if (report.epoch[e].validation_loss < best)
            best = report.epoch[e].validation_loss, waited = 0;
        else if (++waited % 3 == 0)
            rate *= 0.3, ++cuts;
    }
    ck_assert_uint_ge(cuts, 1);
    retc_fit_report_clear(&report);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- clipping -------------------------------------------------------------------------------------------------------- */

START_TEST(only_long_gradients_are_cut) {
    retc_recording *recording = retc_small_recording(retc_test_path("clip.h5"), T, 2);
    retc_fit_options options = retc_small_fit(2);
    retc_network *free = fitted(recording, &options, NULL, NULL);
    options.clip = 1e30;
    retc_network *wide = fitted(recording, &options, NULL, NULL);
    options.clip = 0.01;
    retc_network *narrow = fitted(recording, &options, NULL, NULL);
    ck_assert(same(free, wide));
    ck_assert(!same(free, narrow));
    retc_network_free(free), retc_network_free(wide), retc_network_free(narrow);
    retc_recording_close(recording);
}
END_TEST

/* Running statistics have no gradient that counts. */
START_TEST(the_length_is_that_of_trained_parameters) {
    retc_network *network = retc_fixture_network(3, 5, 6, 5, 2, 0);
    float *gradient = retc_calloc(network->values, sizeof *gradient);
    double squares = 0;
    for (size_t p = 0; p < network->params; ++p)
        for (size_t k = 0; k < network->param[p].size; ++k) {
            gradient[network->param[p].offset + k] = (float)(k % 7) - 2.5f;
            squares += network->param[p].trainable ? pow((double)(k % 7) - 2.5, 2) : 0;
        }
    double length = retc_fit_gradient_length(network, gradient), expected = sqrt(squares);
    ck_close_double("length", &length, &expected, 1, 0, 1e-14);
    retc_free(gradient);
    retc_network_free(network);
}
END_TEST

/* ---- when it goes wrong ---------------------------------------------------------------------------------------------- */

/* Puts a value into a parameter after a number of steps. */
typedef struct {
    retc_network *network;
    const char *parameter;
    float value;
    size_t from, to, steps;
} injection;

static void
inject(void *context, size_t done, size_t total, const char *note) {
    (void)done, (void)total, (void)note;
    injection *i = context;
    if (i->steps >= i->from && i->steps < i->to) {
        const retc_param *param = retc_network_param(i->network, i->parameter);
        i->network->value[param->offset + param->size / 2] = i->value;
    }
    ++i->steps;
}

static int
run_injected(retc_recording *recording, const retc_fit_options *options, injection *i, retc_fit_report *report) {
    ck_assert_msg((i->network = retc_fit_network(recording, options)) != NULL, "%s", retc_error_message());
    const retc_progress progress = {inject, i};
    return retc_fit_run(i->network, recording, options, NULL, &progress, report);
}

/* Step and parameter are named, and what is left is the best epoch, that of a fit which ended there. */
START_TEST(a_value_that_is_no_number_ends_the_fit) {
    static const char *const parameters[4] = {"sequential.0.weight", "sequential.1.weight", "sequential.5.running_mean",
                                              "sequential.9.weight"};
    retc_recording *recording = retc_small_recording(retc_test_path("nan.h5"), T, 2);
    retc_fit_options options = retc_small_fit(3);
    retc_fit_report report, whole;
    retc_network *good = fitted(recording, &options, NULL, &whole);
    size_t steps = 0;
    injection count = {.parameter = parameters[0], .from = 1, .to = 1};
    ck_ok(run_injected(recording, &options, &count, &report));
    steps = count.steps;
    retc_fit_report_clear(&report), retc_network_free(count.network);

    options.epochs = 10;
    injection bad = {
        .parameter = parameters[_i], .value = _i % 2 ? (float)NAN : (float)INFINITY, .from = steps, .to = steps + 1};
    ck_ok(run_injected(recording, &options, &bad, &report));
    ck_assert_int_eq(report.diverged, 1);
    ck_assert_uint_eq(report.epochs, 3);
    /* What is put in after step number `steps` (from 0) shows in the next one. */
    ck_assert_uint_eq(report.diverged_at, steps + 1);
    ck_assert_str_eq(report.diverged_in, parameters[_i]);
    ck_assert_msg(strstr(report.diverged_how, parameters[_i]) && strstr(report.diverged_how, "--learning-rate"), "%s",
                  report.diverged_how);
    ck_assert_uint_eq(report.best, whole.best);
    ck_assert(same(bad.network, good));
    retc_fit_report_clear(&report), retc_fit_report_clear(&whole);
    retc_network_free(bad.network), retc_network_free(good);
    retc_recording_close(recording);
}
END_TEST

START_TEST(without_a_good_epoch_the_fit_fails) {
    retc_recording *recording = retc_small_recording(retc_test_path("nan0.h5"), T, 2);
    retc_fit_options options = retc_small_fit(3);
    retc_fit_report report;
    injection bad = {.parameter = "sequential.4.weight", .value = (float)NAN, .from = 2, .to = 3};
    ck_fails(run_injected(recording, &options, &bad, &report),
             "the fit diverged at step 3 (epoch 1): sequential.4.weight is not finite; try a smaller --learning-rate");
    retc_fit_report_clear(&report), retc_network_free(bad.network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(a_gradient_that_is_no_number_is_named) {
    retc_network *network = retc_fixture_network(3, 5, 6, 5, 2, 0);
    float *gradient = retc_calloc(network->values, sizeof *gradient);
    retc_fit_report report = {0};
    retc_fit fit = {.network = network, .report = &report, .state = {.step = 8, .epoch = 1}};
    ck_ok(retc_fit_check_finite(&fit, gradient));
    gradient[retc_network_param(network, "sequential.1.bias")->offset] = -(float)INFINITY;
    ck_fails(retc_fit_check_finite(&fit, gradient), "step 7 (epoch 2): the gradient of sequential.1.bias is not finite");
    ck_assert_str_eq(report.diverged_in, "sequential.1.bias");
    retc_free(gradient);
    retc_network_free(network);
}
END_TEST

/* A bias that is pushed up again and again: all numbers stay finite, the loss does not come down. */
START_TEST(a_loss_far_above_its_best_ends_the_fit) {
    retc_recording *recording = retc_small_recording(retc_test_path("far.h5"), T, 2);
    retc_fit_options options = retc_small_fit(20);
    retc_fit_report report;
    injection bad = {.parameter = "sequential.10.bias", .value = 1e6f, .from = 40, .to = 1000};
    ck_ok(run_injected(recording, &options, &bad, &report));
    ck_assert_int_eq(report.diverged, 1);
    ck_assert_str_eq(report.diverged_in, "sequential.10.bias");
    ck_assert_msg(strstr(report.diverged_how, "far above its best"), "%s", report.diverged_how);
    ck_assert_uint_lt(report.epochs, 20);
    ck_assert_uint_lt(report.best, report.epochs - 3 + 1);
    ck_assert_msg(report.epoch[report.best].validation_loss < 2, "best loss %g", report.epoch[report.best].validation_loss);
    retc_fit_report_clear(&report), retc_network_free(bad.network);
    retc_recording_close(recording);
}
END_TEST

/* A cell that never fires is no divergence: its rate goes towards 0, and the others are fitted. */
START_TEST(a_silent_cell_is_fitted_as_silent) {
    retc_recording *recording = retc_small_recording(retc_test_path("silent.h5"), T, 3);
    for (int loss = 0; retc_loss_name((retc_loss)loss); ++loss) {
        retc_fit_options options = retc_small_fit(6);
        options.loss = (retc_loss)loss;
        retc_fit_report report;
        retc_network *network = fitted(recording, &options, NULL, &report);
        ck_assert_int_eq(report.diverged, 0);
        ck_assert_msg(report.epoch[report.best].validation_r > 0.1, "%s: r %g", retc_loss_name((retc_loss)loss),
                      report.epoch[report.best].validation_r);
        retc_fit_report_clear(&report), retc_network_free(network);
    }
    retc_recording_close(recording);
}
END_TEST

/* ---- recordings that are short of something -------------------------------------------------------------------------- */

START_TEST(short_recordings_are_fitted_or_refused) {
    retc_recording *one = retc_small_recording(retc_test_path("one.h5"), 400, 1);
    retc_fit_options options = retc_small_fit(2);
    options.validation = 0;
    retc_fit_report report;
    retc_network *network = fitted(one, &options, NULL, &report);
    ck_assert_uint_eq(report.validation_frames, 0);
    ck_assert(isfinite(report.epoch[report.best].train_loss));
    ck_assert_double_eq(report.epoch[report.best].validation_loss, 0);
    retc_fit_report_clear(&report), retc_network_free(network);

    options.validation = 0.9, options.validation_pieces = 20;
    network = retc_fit_network(one, &options);
    ck_fails(retc_fit_run(network, one, &options, NULL, NULL, &report), "no frame is left to train on");
    retc_network_free(network);
    retc_recording_close(one);

    retc_recording *brief = retc_small_recording(retc_test_path("brief.h5"), 14, 1);
    network = retc_fit_network(brief, &options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert_int_lt(retc_fit_run(network, brief, &options, NULL, NULL, &report), 0);
    retc_network_free(network);
    retc_recording_close(brief);
}
END_TEST

/* ---- averages -------------------------------------------------------------------------------------------------------- */

/* Exponential means of steps far from the first: share 1/4 gives 1/4, then 1/4 + (2 - 1/4)/4, and near the first step the reach
 * is 1 + step/10.  Two exchanges are none. */
START_TEST(averages_have_their_closed_form) {
    retc_recording *recording = retc_small_recording(retc_test_path("average.h5"), T, 2);
    retc_fit_options options = retc_small_fit(1);
    options.average = 4;
    retc_network *network = retc_fit_network(recording, &options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    retc_fit f = {.network = network, .options = &options};
    ck_assert_ptr_nonnull(f.state.average = retc_calloc(network->values, sizeof(float)));
    const double step[] = {1000, 1001, 10}, value[] = {1, 2, 3}, expected[] = {0.25, 0.6875, 0.6875 + (3 - 0.6875) / 2};
    for (int k = 0; k < 3; ++k) {
        f.state.step = (size_t)step[k];
        for (size_t i = 0; i < network->values; ++i)
            network->value[i] = (float)value[k];
        retc_fit_average_step(&f);
        for (size_t i = 0; i < network->values; ++i)
            ck_assert_double_eq_tol((double)f.state.average[i], expected[k], 1e-6);
    }
    retc_fit_average_swap(&f);
    ck_assert_double_eq_tol((double)network->value[0], expected[2], 1e-6);
    retc_fit_average_swap(&f);
    ck_assert(network->value[0] == 3);
    retc_free(f.state.average);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- the same model, whatever happens -------------------------------------------------------------------------------- */

START_TEST(threads_do_not_matter) {
    retc_recording *recording = retc_small_recording(retc_test_path("threads.h5"), T, 2);
    retc_fit_options options = full_options(2, RETC_SCHEDULE_COSINE);
    options.batch_blocks = 12;
    options.architecture = retc_fixture_architecture(64, 64, 3, 2, 0.3); /* enough work for the threads to be used */
    retc_network *one = fitted(recording, &options, NULL, NULL);
    options.threads = 3;
    retc_network *three = fitted(recording, &options, NULL, NULL);
    ck_assert(same(one, three));
    retc_network_free(one), retc_network_free(three);
    retc_recording_close(recording);
}
END_TEST

/* Killed (SIGKILL) at several moments, within the warm-up too, and taken up again, the fit ends in the same bits. */
START_TEST(killed_fits_resume_to_the_same_model) {
    const char *path = retc_test_path("resume.h5"), *checkpoint_path = retc_test_path("resume.checkpoint");
    retc_recording *recording = retc_small_recording(path, T, 2);
    retc_fit_options options = full_options(40, (retc_schedule_kind)_i);
    retc_fit_report first, second;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    retc_network *whole = fitted(recording, &options, NULL, &first);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double took = 1e6 * (double)(end.tv_sec - begin.tv_sec) + 1e-3 * (double)(end.tv_nsec - begin.tv_nsec); /* microseconds */
    retc_fit_checkpoint checkpoint = {.path = checkpoint_path, .resume = 1};
    int killed = 0;
    unlink(checkpoint_path); /* of the loop before */
    for (int attempt = 0; attempt < 8; ++attempt) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            retc_recording *own = retc_recording_open(path, 0);
            retc_network_free(fitted(own, &options, &checkpoint, NULL));
            _exit(0);
        }
        usleep((useconds_t)(took * 0.06 * (1 + attempt))); /* what is left of the fit is less every time */
        int ended;
        kill(child, SIGKILL);
        waitpid(child, &ended, 0);
        killed += WIFSIGNALED(ended);
    }
    ck_assert_msg(killed >= 2, "only %d fits were killed; the case proves nothing", killed);
    retc_network *resumed = fitted(recording, &options, &checkpoint, &second);
    ck_assert_uint_gt(second.resumed_at, 0);
    ck_assert(same(whole, resumed));
    ck_assert_uint_eq(first.epochs, second.epochs);
    ck_assert_mem_eq(first.epoch, second.epoch, first.epochs * sizeof *first.epoch);
    retc_fit_report_clear(&first), retc_fit_report_clear(&second);
    retc_network_free(whole), retc_network_free(resumed);
    retc_recording_close(recording);
}
END_TEST

/* (A value that changed on the disk: tests/cli/fit.sh.) */
START_TEST(a_checkpoint_cut_short_is_refused) {
    const char *checkpoint_path = retc_test_path("damaged.checkpoint");
    retc_recording *recording = retc_small_recording(retc_test_path("damaged.h5"), T, 2);
    retc_fit_options options = retc_small_fit(2);
    retc_fit_checkpoint checkpoint = {.path = checkpoint_path, .resume = 1};
    retc_fit_report report;
    retc_network *network = fitted(recording, &options, &checkpoint, NULL);
    ck_assert_int_eq(truncate(checkpoint_path, 4000), 0);
    ck_fails(retc_fit_run(network, recording, &options, &checkpoint, NULL, &report), "damaged.checkpoint: ");
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("fit");
    TCase *rates = tcase_create("rates");
    tcase_set_timeout(rates, 120);
    tcase_add_test(rates, the_learning_rate_of_every_epoch_is_logged);
    tcase_add_test(rates, plateaus_cut_the_rate);
    tcase_add_test(rates, only_long_gradients_are_cut);
    tcase_add_test(rates, the_length_is_that_of_trained_parameters);
    tcase_add_test(rates, averages_have_their_closed_form);
    suite_add_tcase(suite, rates);
    TCase *trouble = tcase_create("trouble");
    tcase_set_timeout(trouble, 120);
    tcase_add_loop_test(trouble, a_value_that_is_no_number_ends_the_fit, 0, 4);
    tcase_add_test(trouble, without_a_good_epoch_the_fit_fails);
    tcase_add_test(trouble, a_gradient_that_is_no_number_is_named);
    tcase_add_test(trouble, a_loss_far_above_its_best_ends_the_fit);
    tcase_add_test(trouble, a_silent_cell_is_fitted_as_silent);
    tcase_add_test(trouble, short_recordings_are_fitted_or_refused);
    suite_add_tcase(suite, trouble);
    TCase *repeats = tcase_create("repeats");
    tcase_set_timeout(repeats, 300);
    tcase_add_test(repeats, threads_do_not_matter);
    tcase_add_loop_test(repeats, killed_fits_resume_to_the_same_model, RETC_SCHEDULE_PLATEAU, RETC_SCHEDULE_EXPONENTIAL + 1);
    tcase_add_test(repeats, a_checkpoint_cut_short_is_refused);
    suite_add_tcase(suite, repeats);
    return retc_test_main(suite, NULL);
}

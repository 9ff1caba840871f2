/* Several networks of one fit: folds, ensembles, what is left when they are killed, and their files. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ensemble.h"
#include "fixtures.h"
#include "model_file.h"
#include "predict_ensemble.h"
#include "small_fit.h"
#include "testing.h"

enum { T = 2400, L = RETC_SMALL_HISTORY, SIDE = RETC_SMALL_SIDE, N = 2 };

static retc_fit_options
small_options(size_t epochs) {
    retc_fit_options options = retc_small_fit(epochs);
    options.validation_pieces = 5;
    return options;
}

static retc_network *
ensemble_of(retc_recording *recording, const retc_fit_options *fit, const retc_ensemble_options *options,
            const retc_fit_checkpoint *checkpoint, retc_ensemble *ensemble) {
    retc_network *network;
    ck_ok(retc_ensemble_fit(recording, fit, options, checkpoint, NULL, &network, ensemble));
    return network;
}

static int
same_members(const retc_ensemble *a, const retc_ensemble *b) {
    int same = a->members == b->members && a->values == b->values && a->best == b->best;
    for (size_t m = 0; same && m < a->members; ++m) {
        const retc_ensemble_member *x = &a->member[m], *y = &b->member[m];
        same = !memcmp(x->value, y->value, a->values * sizeof *x->value) && x->report.epochs == y->report.epochs &&
               x->report.best == y->report.best && x->seed == y->seed &&
               !memcmp(x->report.epoch, y->report.epoch, x->report.epochs * sizeof *x->report.epoch) &&
               !memcmp(x->loss, y->loss, a->N * sizeof *x->loss) && !memcmp(x->sums, y->sums, a->N * sizeof *x->sums);
    }
    return same;
}

/* ---- folds ----------------------------------------------------------------------------------------------------------- */

/* Where every frame goes in fold `fold`: 'v', 't' or 0. */
static void
mark(const retc_span *spans, size_t folds, size_t fold, size_t gap, char *used, size_t size) {
    retc_split split;
    size_t train = 0, validation = 0;
    ck_ok(retc_split_fold(spans, 3, folds, fold, 4, gap, 7, &split));
    memset(used, 0, size);
    for (size_t i = 0; i < split.n_validation; ++i)
        for (size_t t = 0; t < split.validation[i].count; ++t, ++validation) {
            ck_assert_int_eq(used[split.validation[i].first + t], 0);
            used[split.validation[i].first + t] = 'v';
        }
    for (size_t i = 0; i < split.n_train; ++i)
        for (size_t t = 0; t < split.train[i].count; ++t, ++train) {
            ck_assert_int_eq(used[split.train[i].first + t], 0);
            used[split.train[i].first + t] = 't';
        }
    ck_assert_uint_eq(train, split.train_frames);
    ck_assert_uint_eq(validation, split.validation_frames);
    retc_split_clear(&split);
}

/* Stretches of lengths that no number of folds divides. */
START_TEST(folds_hold_each_frame_out_once) {
    const retc_span spans[3] = {{39, 500}, {700, 33}, {900, 1201}};
    const size_t folds = (size_t)_i, gap = 20;
    char used[2200];
    int times[2200] = {0};
    for (size_t k = 0; k < folds; ++k) {
        size_t held = 0;
        mark(spans, folds, k, gap, used, sizeof used);
        for (size_t s = 0; s < 3; ++s)
            for (size_t t = spans[s].first, end = t + spans[s].count; t < end; ++t) {
                times[t] += used[t] == 'v', held += used[t] == 'v';
                int near = 0; /* a held-out frame of the stretch */
                for (size_t u = t > spans[s].first + gap ? t - gap : spans[s].first; u < end && u <= t + gap; ++u)
                    near |= used[u] == 'v';
                ck_assert_msg(near ? used[t] != 't' : used[t] == 't', "frame %zu of fold %zu", t, k);
            }
        ck_assert_msg(held >= 1734 / folds - 4 && held <= 1734 / folds + 4, "fold %zu holds %zu frames out", k, held);
    }
    for (size_t t = 0; t < sizeof used; ++t)
        ck_assert_int_eq(times[t], (t >= 39 && t < 539) || (t >= 700 && t < 733) || (t >= 900 && t < 2101));
}
END_TEST

START_TEST(folds_that_leave_nothing_are_refused) {
    const retc_span spans[1] = {{5, 100}};
    retc_split split;
    ck_fails(retc_split_fold(spans, 1, 20, 0, 6, 1, 1, &split), "cannot be cut into 20 folds of 6 pieces");
    ck_fails(retc_split_fold(spans, 1, 2, 0, 5, 40, 1, &split), "no frame is left to train on");
}
END_TEST

/* Held-out r of every cell against the rates of the whole train part, by the definition. */
START_TEST(folds_are_scored_where_they_did_not_train) {
    retc_recording *recording = retc_small_recording(retc_test_path("scores.h5"), T, N);
    retc_fit_options fit = small_options(3);
    retc_ensemble_options options = {.seeds = 1, .folds = 3};
    retc_ensemble ensemble;
    retc_network *network = ensemble_of(recording, &fit, &options, NULL, &ensemble);
    retc_span *spans;
    size_t n, covered = 0;
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, L, 1, &spans, &n));
    for (size_t m = 0; m < 3; ++m) {
        retc_split split;
        retc_prediction p;
        ck_ok(retc_split_fold(spans, n, 3, m, 5, L, fit.seed, &split));
        memcpy(network->value, ensemble.member[m].value, network->values * sizeof(float));
        ck_ok(retc_predict(network, recording, RETC_TRAIN, 1, NULL, &p));
        for (size_t j = 0; j < N; ++j) {
            double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0, count = 0;
            for (size_t i = 0; i < split.n_validation; ++i)
                for (size_t t = 0; t < p.T; ++t)
                    if (p.frame[t] >= split.validation[i].first &&
                        p.frame[t] < split.validation[i].first + split.validation[i].count) {
                        double x = (double)p.rate[j * p.T + t], y = (double)p.measured[j * p.T + t];
                        sx += x, sy += y, sxx += x * x, syy += y * y, sxy += x * y, count += 1;
                    }
            double r = (sxy - sx * sy / count) / sqrt((sxx - sx * sx / count) * (syy - sy * sy / count));
            double found = retc_ensemble_pearson(&ensemble, m, j);
            /* Rates measured in Hz are floats: each is off by 6e-8 of itself at most. */
            ck_close_double("r", &found, &r, 1, 1e-6, 0);
            covered += j == 0 ? (size_t)count : 0;
        }
        retc_prediction_clear(&p);
        retc_split_clear(&split);
    }
    size_t frames = 0;
    for (size_t s = 0; s < n; ++s)
        frames += spans[s].count;
    ck_assert_uint_eq(covered, frames);
    retc_free(spans);
    retc_ensemble_clear(&ensemble);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- seeds ----------------------------------------------------------------------------------------------------------- */

/* A member is the network that a fit of its own would give. */
START_TEST(members_are_fits_of_their_seeds) {
    retc_recording *recording = retc_small_recording(retc_test_path("seeds.h5"), T, N);
    retc_fit_options fit = small_options(3);
    retc_ensemble_options options = {.seeds = 2, .folds = 1, .own_splits = _i};
    retc_ensemble ensemble;
    retc_network *best = ensemble_of(recording, &fit, &options, NULL, &ensemble);
    for (size_t m = 0; m < 2; ++m) {
        retc_fit_options own = fit;
        retc_fit_report report;
        own.seed = fit.seed + m;
        retc_network *network = retc_fit_network(recording, &own);
        ck_ok(retc_fit_run(network, recording, &own, NULL, NULL, &report));
        /* With the same split for all, a fit of its own chooses another one for the second seed. */
        int same = !memcmp(network->value, ensemble.member[m].value, network->values * sizeof(float));
        ck_assert_int_eq(same, _i || m == 0);
        retc_fit_report_clear(&report);
        retc_network_free(network);
    }
    ck_assert_mem_eq(best->value, ensemble.member[ensemble.best].value, best->values * sizeof(float));
    double loss[2];
    for (size_t m = 0; m < 2; ++m)
        loss[m] = ensemble.member[m].report.epoch[ensemble.member[m].report.best].validation_loss;
    ck_assert_uint_eq(ensemble.best, loss[1] < loss[0]);
    retc_ensemble_clear(&ensemble);
    retc_network_free(best);
    retc_recording_close(recording);
}
END_TEST

START_TEST(seeds_and_folds_exclude_each_other) {
    retc_recording *recording = retc_small_recording(retc_test_path("both.h5"), T, N);
    retc_fit_options fit = small_options(1);
    retc_ensemble_options options = {.seeds = 2, .folds = 2};
    retc_ensemble ensemble;
    retc_network *network;
    ck_fails(retc_ensemble_fit(recording, &fit, &options, NULL, NULL, &network, &ensemble), "not by both");
    retc_recording_close(recording);
}
END_TEST

START_TEST(threads_do_not_matter) {
    retc_recording *recording = retc_small_recording(retc_test_path("threads.h5"), T, N);
    retc_fit_options fit = small_options(2);
    retc_ensemble_options options = {.seeds = 1, .folds = 2};
    retc_ensemble one, three;
    fit.batch_blocks = 12,
    fit.architecture = retc_fixture_architecture(64, 64, 3, 2, 0.3); /* enough work for the threads to be used */
    retc_network *a = ensemble_of(recording, &fit, &options, NULL, &one);
    fit.threads = 3;
    retc_network *b = ensemble_of(recording, &fit, &options, NULL, &three);
    ck_assert(same_members(&one, &three));
    ck_assert_mem_eq(a->value, b->value, a->values * sizeof(float));
    retc_ensemble_clear(&one), retc_ensemble_clear(&three);
    retc_network_free(a), retc_network_free(b);
    retc_recording_close(recording);
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static void
write_model(const char *path, retc_network *network, const retc_ensemble *ensemble) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    ck_ok(retc_network_write(network, file));
    ck_ok(retc_h5_set_text(file, "/", "kind", "model"));
    ck_ok(retc_ensemble_write(ensemble, network, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

/* The file is a model as any other, the best network; each of the others reads as it was; their mean is the mean. */
START_TEST(the_mean_is_that_of_the_members) {
    enum { MEMBERS = 3 };
    const char *path = retc_test_path("mean.model");
    retc_recording *recording = retc_small_recording(retc_test_path("mean.h5"), T, N);
    retc_fit_options fit = small_options(2);
    retc_ensemble_options options = {.seeds = MEMBERS, .folds = 1};
    retc_ensemble ensemble;
    retc_network *best = ensemble_of(recording, &fit, &options, NULL, &ensemble);
    write_model(path, best, &ensemble);
    ck_assert_mem_eq(best->value, ensemble.member[ensemble.best].value, best->values * sizeof(float));

    retc_h5 *file = retc_h5_open(path);
    ck_assert_uint_eq(retc_ensemble_members(file), MEMBERS);
    retc_prediction mean, single;
    retc_prediction_members members;
    ck_ok(retc_predict_ensemble(file, recording, RETC_TRAIN, 2, NULL, &mean, &members));
    double *sum = retc_calloc(N * mean.T, sizeof *sum);
    for (size_t m = 0; m < MEMBERS; ++m) {
        retc_network *network = retc_ensemble_read(file, m);
        ck_assert_msg(network != NULL, "%s", retc_error_message());
        ck_assert_mem_eq(network->value, ensemble.member[m].value, network->values * sizeof(float));
        ck_ok(retc_predict(network, recording, RETC_TRAIN, 1, NULL, &single));
        for (size_t i = 0; i < N * mean.T; ++i)
            sum[i] += (double)single.rate[i] / MEMBERS;
        for (size_t j = 0; j < N; ++j)
            ck_assert_double_eq(members.pearson[m * N + j], single.pearson[j]);
        retc_prediction_clear(&single);
        retc_network_free(network);
    }
    /* Two additions and a division of floats, each rounded to within 2^-24 of its result: rates are not negative. */
    for (size_t i = 0; i < N * mean.T; ++i)
        ck_assert_msg(fabs((double)mean.rate[i] - sum[i]) <= 3 * 0x1p-24 * sum[i] * 1.000001, "rate %zu: %.9g, expected %.9g",
                      i, (double)mean.rate[i], sum[i]);

    retc_network *whole = retc_network_read(file);
    ck_assert_mem_eq(whole->value, best->value, best->values * sizeof(float));
    ck_assert_ptr_null(retc_ensemble_read(file, MEMBERS));
    ck_assert_msg(strstr(retc_error_message(), "network 3 is missing, the file holds an ensemble of 3"), "%s",
                  retc_error_message());
    size_t shape[2] = {MEMBERS, N};
    ck_ok(retc_h5_expect(file, "/ensemble/validation_r", 2, shape, NULL));
    ck_ok(retc_h5_expect(file, "/ensemble/2/training/validation_loss", 1, (const size_t[]){2}, NULL));
    retc_h5_close(file);
    retc_free(sum);
    retc_prediction_clear(&mean), retc_prediction_members_clear(&members);
    retc_ensemble_clear(&ensemble);
    retc_network_free(best), retc_network_free(whole);
    retc_recording_close(recording);
}
END_TEST

START_TEST(a_single_network_is_no_ensemble) {
    const char *path = retc_test_path("single.model");
    retc_recording *recording = retc_small_recording(retc_test_path("single.h5"), T, N);
    retc_fit_options fit = small_options(1);
    retc_network *network = retc_fit_network(recording, &fit);
    retc_prediction mean;
    retc_prediction_members members;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_network_write(network, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    ck_assert_uint_eq(retc_ensemble_members(file), 0);
    ck_fails(retc_predict_ensemble(file, recording, RETC_TRAIN, 1, NULL, &mean, &members), "holds a single network");
    retc_h5_close(file);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- kills ----------------------------------------------------------------------------------------------------------- */

/* Killed (SIGKILL) at several moments, in any of the networks, and taken up again, it ends in the same bits; finished networks
 * are not fitted again. */
START_TEST(killed_ensembles_resume_to_the_same_networks) {
    const char *path = retc_test_path("resume.h5"), *checkpoint_path = retc_test_path("resume.checkpoint");
    retc_recording *recording = retc_small_recording(path, T, N);
    retc_fit_options fit = small_options(6);
    retc_ensemble_options options = {.seeds = _i ? 1 : 4, .folds = _i ? 4 : 1};
    retc_fit_checkpoint checkpoint = {.path = checkpoint_path, .resume = 1};
    retc_ensemble whole, resumed, again;
    retc_network *a = ensemble_of(recording, &fit, &options, NULL, &whole);
    int killed = 0;
    unlink(checkpoint_path); /* of the loop before */
    for (int attempt = 0; attempt < 8; ++attempt) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            retc_recording *own = retc_recording_open(path, 0);
            retc_network_free(ensemble_of(own, &fit, &options, &checkpoint, &resumed));
            _exit(0);
        }
        usleep(12000 + 12000 * (useconds_t)attempt);
        int ended;
        kill(child, SIGKILL);
        waitpid(child, &ended, 0);
        killed += WIFSIGNALED(ended);
    }
    ck_assert_msg(killed >= 2, "only %d fits were killed; the case proves nothing", killed);
    retc_network *b = ensemble_of(recording, &fit, &options, &checkpoint, &resumed);
    ck_assert(same_members(&whole, &resumed));
    ck_assert_mem_eq(a->value, b->value, a->values * sizeof(float));
    retc_network *c = ensemble_of(recording, &fit, &options, &checkpoint, &again);
    ck_assert_uint_eq(again.resumed_at, 4);
    ck_assert(same_members(&whole, &again));
    retc_ensemble_forget(checkpoint_path, 4);
    ck_assert_int_ne(access(checkpoint_path, F_OK), 0);
    retc_ensemble_clear(&whole), retc_ensemble_clear(&resumed), retc_ensemble_clear(&again);
    retc_network_free(a), retc_network_free(b), retc_network_free(c);
    retc_recording_close(recording);
}
END_TEST

START_TEST(a_checkpoint_cut_short_is_refused) {
    const char *checkpoint_path = retc_test_path("damaged.checkpoint");
    retc_recording *recording = retc_small_recording(retc_test_path("damaged.h5"), T, N);
    retc_fit_options fit = small_options(1);
    retc_ensemble_options options = {.seeds = 2, .folds = 1};
    retc_fit_checkpoint checkpoint = {.path = checkpoint_path, .resume = 1};
    retc_ensemble ensemble;
    retc_network *network = ensemble_of(recording, &fit, &options, &checkpoint, &ensemble);
    retc_ensemble_clear(&ensemble);
    retc_network_free(network);
    options.seeds = 1; /* fewer than it holds */
    ck_fails(retc_ensemble_fit(recording, &fit, &options, &checkpoint, NULL, &network, &ensemble), "holds 2 of 1 networks");
    ck_assert_int_eq(truncate(checkpoint_path, 4000), 0);
    options.seeds = 2;
    ck_fails(retc_ensemble_fit(recording, &fit, &options, &checkpoint, NULL, &network, &ensemble), "damaged.checkpoint: ");
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("ensemble");
    TCase *folds = tcase_create("folds");
    tcase_set_timeout(folds, 120);
    tcase_add_loop_test(folds, folds_hold_each_frame_out_once, 2, 8);
    tcase_add_test(folds, folds_that_leave_nothing_are_refused);
    tcase_add_test(folds, folds_are_scored_where_they_did_not_train);
    suite_add_tcase(suite, folds);
    TCase *seeds = tcase_create("seeds");
    tcase_set_timeout(seeds, 120);
    tcase_add_loop_test(seeds, members_are_fits_of_their_seeds, 0, 2);
    tcase_add_test(seeds, seeds_and_folds_exclude_each_other);
    tcase_add_test(seeds, threads_do_not_matter);
    suite_add_tcase(suite, seeds);
    TCase *files = tcase_create("files");
    tcase_set_timeout(files, 120);
    tcase_add_test(files, the_mean_is_that_of_the_members);
    tcase_add_test(files, a_single_network_is_no_ensemble);
    suite_add_tcase(suite, files);
    TCase *kills = tcase_create("kills");
    tcase_set_timeout(kills, 300);
    tcase_add_loop_test(kills, killed_ensembles_resume_to_the_same_networks, 0, 2);
    tcase_add_test(kills, a_checkpoint_cut_short_is_refused);
    suite_add_tcase(suite, kills);
    return retc_test_main(suite, NULL);
}

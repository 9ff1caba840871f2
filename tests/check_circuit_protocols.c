/* The simulated retina shows what the protocols of the literature are known for.
 *
 * The preset salamander-like is played each protocol as a user would, through files; what is judged are its true rates, so that
 * no chance is left.  Bounds are those of the effect, not of the numbers that come out: more than half, less than a third. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "movie_kinds.h"
#include "protocol_index.h"
#include "simulate.h"
#include "testing.h"

/* A protocol, what the retina answered, and the indices. */
typedef struct {
    char stimulus[512], recording[512];
    retc_protocol_response response;
    retc_protocol_index *indices;
    size_t n;
} experiment;

static void
write_stimulus(const char *line, const char *path) {
    static retc_movie_request request;
    static char words[512], *argument[64];
    int n = 1;
    argument[0] = (char[]){"stimulus"};
    snprintf(words, sizeof words, "%s --frame-rate 100", line);
    for (char *word = strtok(words, " "); word && n < 63; word = strtok(NULL, " "))
        argument[n++] = word;
    argument[n] = NULL;
    const retc_movie_kind *kind = retc_movie_kind_find(argument[1]);
    ck_ok(retc_movie_request_init(&request, kind));
    request.table[request.entries] = (retc_option)RETC_OPTIONS_END;
    ck_ok(retc_options_parse(&kind->usage, request.table, n, argument));
    retc_movie *movie = retc_movie_request_make(&request);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_movie_write(movie, file, NULL));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_movie_free(movie);
    retc_movie_request_clear(&request);
}

/* The circuit that sees pixels of this size. */
static retc_circuit_options
retina(double pixel) {
    retc_circuit_options options;
    ck_ok(retc_circuit_preset("salamander-like", &options));
    options.pixel = pixel;
    options.seed = 1;
    return options;
}

static void
run(experiment *e, const char *line, const retc_circuit_options *circuit) {
    retc_simulate_options options = {.repeats = 1, .train = e->stimulus, .explain = RETC_EXPLAIN_NONE, .circuit = *circuit};
    retc_simulate_summary summary;
    retc_recording_writer *writer = NULL;
    retc_protocol_response_options asked;
    snprintf(e->stimulus, sizeof e->stimulus, "%s", retc_test_path("stimulus.h5"));
    snprintf(e->recording, sizeof e->recording, "%s", retc_test_path("recording.h5"));
    write_stimulus(line, e->stimulus);
    ck_ok(retc_simulate(&options, e->recording, 1, NULL, &writer, &summary));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_simulate_summary_free(&summary);
    retc_protocol_response_default(&asked);
    asked.truth = 1;
    retc_recording *recording = retc_recording_open(e->recording, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    ck_ok(retc_protocol_response_compute(recording, &asked, NULL, &e->response));
    ck_ok(retc_protocol_indices(&e->response, &e->indices, &e->n));
    ck_ok(retc_protocol_adaptation(recording, &asked, 0.4, &e->response, &e->indices, &e->n));
    retc_recording_close(recording);
    ck_assert_ptr_nonnull(e->response.type);
}

static void
clear(experiment *e) {
    retc_protocol_indices_free(e->indices, e->n);
    retc_protocol_response_free(&e->response);
}

static const double *
values(const experiment *e, const char *name) {
    for (size_t i = 0; i < e->n; ++i)
        if (strcmp(e->indices[i].name, name) == 0)
            return e->indices[i].value;
    ck_abort_msg("there is no index %s", name);
}

/* All cells of a type (of which there must be some) have an index in between two bounds. */
static void
all_between(const experiment *e, const char *type, const char *index, double from, double to) {
    const double *value = values(e, index);
    size_t n = 0;
    for (size_t j = 0; j < e->response.cells; ++j) {
        if (strcmp(e->response.type[j], type) != 0)
            continue;
        n += 1;
        ck_assert_msg(value[j] > from && value[j] < to, "%s, %s: %s is %.3g, expected %.3g to %.3g", e->response.name[j], type,
                      index, value[j], from, to);
    }
    ck_assert_msg(n > 0, "there are no cells of type %s", type);
}

/* Hochstein & Shapley 1976: sums over rectifying subunits answer to both reversals of a fine grating, wherever it stands. */
START_TEST(test_frequency_doubling) {
    experiment e;
    const retc_circuit_options circuit = retina(25);
    run(&e,
        "reversing-grating --periods 280 --temporal-frequencies 4 --contrasts 0.3 --trial 2 --repeats 1 --height 40 --width 40 "
        "--pixel-size 25",
        &circuit);
    all_between(&e, "y_like", "f2_f1", 1, 1e9);
    all_between(&e, "brisk_on", "f2_f1", 0, 0.8);
    all_between(&e, "brisk_off", "f2_f1", 0, 0.8);
    for (size_t j = 0; j < e.response.cells; ++j)
        for (size_t i = 0; i < e.response.trials.conditions; ++i)
            if (strcmp(e.response.type[j], "y_like") == 0)
                ck_assert_msg(retc_protocol_harmonic(&e.response, j, i, 2) > retc_protocol_harmonic(&e.response, j, i, 1),
                              "%s, phase %zu: F2 %.3g, F1 %.3g", e.response.name[j], i,
                              retc_protocol_harmonic(&e.response, j, i, 2), retc_protocol_harmonic(&e.response, j, i, 1));
    clear(&e);
}
END_TEST

/* Barlow & Levick 1965: inhibition that comes late from the null side. */
START_TEST(test_direction_selectivity) {
    experiment e;
    const retc_circuit_options circuit = retina(50);
    run(&e, "moving-bar --speeds 600 --widths 200 --contrasts -0.3 --repeats 1 --height 32 --width 32", &circuit);
    all_between(&e, "direction_selective", "direction_index", 0.5, 1);
    all_between(&e, "brisk_on", "direction_index", 0, 0.3);
    all_between(&e, "brisk_off", "direction_index", 0, 0.3);
    all_between(&e, "y_like", "direction_index", 0, 0.3);
    all_between(&e, "object_motion", "direction_index", 0, 0.3);
    clear(&e);
}
END_TEST

/* Olveczky, Baccus & Meister 2003: the background silences cells when it moves with the object. */
START_TEST(test_object_motion) {
    experiment e;
    const retc_circuit_options circuit = retina(40);
    run(&e,
        "object-motion --period 240 --diameter 700 --contrast 0.8 --trial 20 --repeats 1 --height 40 --width 40 --pixel-size "
        "40",
        &circuit);
    all_between(&e, "object_motion", "object_motion_index", 0.5, 1);
    all_between(&e, "y_like", "object_motion_index", -0.35, 0.35);
    all_between(&e, "direction_selective", "object_motion_index", -0.35, 0.35);
    clear(&e);
}
END_TEST

/* Berry, Brivanlou, Jordan & Meister 1999: the answer to a bar is ahead of what its answer to a flash would tell, and more so
 * with contrast gain control, to which they trace it. */
START_TEST(test_anticipation) {
    static const char line[] = "motion-anticipation --speeds 600 --widths 100 --contrasts -0.5 --repeats 1 --places "
                               "-300,-200,-100,0,100,200,300 --height 30 --width 30 --pixel-size 40";
    experiment off, on;
    retc_circuit_options circuit = retina(40);
    run(&off, line, &circuit);
    all_between(&off, "y_like", "flash_latency", 20, 100);
    all_between(&off, "y_like", "anticipation", 10, 1000);
    circuit.gain_strength = 1;
    run(&on, line, &circuit);
    all_between(&on, "y_like", "flash_latency", 20, 100);
    for (size_t j = 0; j < on.response.cells; ++j)
        if (strcmp(on.response.type[j], "y_like") == 0)
            ck_assert_double_gt(values(&on, "anticipation")[j], values(&off, "anticipation")[j] + 20);
    clear(&off);
    clear(&on);
}
END_TEST

/* Baccus & Meister 2002: with gain control, cells become less sensitive and faster in high contrast; without, neither.
 * Inhibition is off, as rectified amacrine cells also make gains depend on contrast. */
START_TEST(test_contrast_adaptation) {
    static const char line[] = "contrast-steps --contrasts 0.1,0.4 --hold 30 --frozen --repeats 2 --height 16 --width 16";
    experiment off, on;
    retc_circuit_options circuit = retina(50);
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i)
        circuit.bipolar[i].inhibition = 0;
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i)
        circuit.ganglion[i].inhibition = 0;
    run(&off, line, &circuit);
    circuit.gain_strength = 4;
    run(&on, line, &circuit);
    for (size_t j = 0; j < on.response.cells; ++j) {
        const char *name = on.response.name[j];
        double gain[2] = {values(&off, "gain_ratio")[j], values(&on, "gain_ratio")[j]};
        double speedup[2] = {values(&off, "filter_speedup")[j], values(&on, "filter_speedup")[j]};
        ck_assert_msg(gain[0] > 0.9, "%s: gain falls to %.3g without gain control", name, gain[0]);
        ck_assert_msg(gain[1] < 0.6, "%s: gain is %.3g with gain control", name, gain[1]);
        ck_assert_msg(speedup[0] < 0.1, "%s: faster by %.3g ms without gain control", name, speedup[0]);
        ck_assert_msg(speedup[1] > 0.25, "%s: faster by %.3g ms with gain control", name, speedup[1]);
    }
    clear(&off);
    clear(&on);
}
END_TEST

/* Kuffler 1953: ON and OFF cells. */
START_TEST(test_on_and_off) {
    experiment e;
    const retc_circuit_options circuit = retina(50);
    run(&e, "flashes --durations 300 --contrasts 0.5,-0.5 --repeats 1 --height 32 --width 32", &circuit);
    all_between(&e, "brisk_on", "on_off_index", 0.5, 1);
    all_between(&e, "brisk_off", "on_off_index", -1, -0.5);
    clear(&e);
}
END_TEST

static Suite *
protocols_suite(void) {
    Suite *suite = suite_create("protocols and the simulated retina");
    TCase *tcase = tcase_create("qualitative results");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_frequency_doubling);
    tcase_add_test(tcase, test_direction_selectivity);
    tcase_add_test(tcase, test_object_motion);
    tcase_add_test(tcase, test_anticipation);
    tcase_add_test(tcase, test_contrast_adaptation);
    tcase_add_test(tcase, test_on_and_off);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(protocols_suite(), NULL);
}

/* Good files of this program, as small as they can be: what the mutations start from. */
#include <stdio.h>
#include <string.h>

#include "contribute_file.h"
#include "fixtures.h"
#include "fuzz.h"
#include "irf.h"
#include "model_file.h"
#include "modes.h"
#include "predict_file.h"
#include "recording_write.h"
#include "rng.h"
#include "sta.h"
#include "stimulus_file.h"
#include "white_noise.h"

enum { T = 40, H = 6, W = 5, N = 2, R = 2, L = 4, I = 3 };

static void
spikes(float *counts, size_t n) {
    for (size_t i = 0; i < n; ++i)
        counts[i] = (float)(i * i % 7 % 3);
}

/* What simulate and import write. */
static void
write_native(const char *path) {
    static const char *const cells[N] = {"ON", "OFF"}, *const units[I] = {"bipolar1", "bipolar2", "amacrine"};
    const size_t starts[2] = {0, 20};
    const retc_recording_layout layout = {.height = H,
                                          .width = W,
                                          .cells = N,
                                          .frames = {T, T},
                                          .repeats = R,
                                          .frame_interval = 0.01,
                                          .stimulus_type = RETC_H5_UINT8,
                                          .cell_names = cells,
                                          .block_start = {starts, NULL},
                                          .blocks = {2, 1},
                                          .interneurons = I,
                                          .interneuron_names = units};
    float movie[T * H * W], counts[N * R * T], signals[I * T];
    double time[T];
    for (size_t i = 0; i < T * H * W; ++i)
        movie[i] = (float)(i * i % 251);
    for (size_t t = 0; t < T; ++t)
        time[t] = 0.01 * (double)t;
    spikes(counts, N * R * T);
    spikes(signals, I * T);
    retc_recording_writer *writer = retc_recording_writer_create(path, 1, &layout);
    fuzz_made(RETC_GOT(writer));
    for (int part = 0; part < 2; ++part) {
        fuzz_made(retc_recording_write_stimulus(writer, (retc_part)part, 0, T, movie));
        fuzz_made(retc_recording_write_time(writer, (retc_part)part, time));
        fuzz_made(retc_recording_write_counts(writer, (retc_part)part, 0, T, counts));
        fuzz_made(retc_recording_write_interneurons(writer, (retc_part)part, 0, T, signals));
    }
    fuzz_made(retc_recording_writer_finish(writer));
    fuzz_made(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
}

/* As the Stanford retina data: rates beside counts, no attributes. */
static void
write_published(const char *path) {
    static const char *const rates[3] = {"firing_rate_5ms", "firing_rate_10ms", "firing_rate_20ms"};
    float *movie = retc_fixture_movie(3, T, H, W), series[N * T];
    const size_t shape[3] = {T, H, W}, rows[2] = {N, T};
    double time[T];
    char name[64];
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(file && movie ? file : NULL));
    spikes(series, N * T);
    for (size_t t = 0; t < T; ++t)
        time[t] = 3 + 0.01 * (double)t;
    for (int part = 0; part < 2; ++part) {
        const char *const parts[2] = {"train", "test"};
        snprintf(name, sizeof name, "%s/stimulus", parts[part]);
        fuzz_made(retc_h5_put(file, name, RETC_H5_FLOAT, 3, shape, movie));
        snprintf(name, sizeof name, "%s/time", parts[part]);
        fuzz_made(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, shape, time));
        snprintf(name, sizeof name, "%s/response/binned", parts[part]);
        fuzz_made(retc_h5_put(file, name, RETC_H5_FLOAT, 2, rows, series));
        for (int i = 0; i < 3; ++i) {
            snprintf(name, sizeof name, "%s/response/%s", parts[part], rates[i]);
            fuzz_made(retc_h5_put(file, name, RETC_H5_FLOAT, 2, rows, series));
        }
    }
    fuzz_made(retc_h5_put(file, "spikes/cell01", RETC_H5_DOUBLE, 1, shape, time));
    fuzz_made(retc_h5_put(file, "spikes/cell02", RETC_H5_DOUBLE, 1, shape, time));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    retc_free(movie);
}

int
fuzz_seed_recording(const char *path, unsigned variant) {
    if (variant == 0)
        write_native(path);
    if (variant == 1)
        write_published(path);
    return variant < 2;
}

/* The movie itself, and the recipe of one. */
int
fuzz_seed_stimulus(const char *path, unsigned variant) {
    retc_movie_request request;
    if (variant > 1)
        return 0;
    fuzz_made(retc_movie_request_init(&request, &retc_white_noise_kind));
    request.name = "white-noise";
    request.screen.frames = T, request.screen.height = H, request.screen.width = W, request.screen.threads = 1;
    retc_movie *movie = retc_movie_request_make(&request);
    retc_recipe *recipe = retc_recipe_of(&request);
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(movie && recipe && file ? file : NULL));
    fuzz_made(variant == 0 ? retc_movie_write(movie, file, NULL) : retc_recipe_write_stimulus(recipe, file));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    retc_recipe_free(recipe);
    retc_movie_free(movie);
    retc_movie_request_clear(&request);
    return 1;
}

int
fuzz_seed_model(const char *path, unsigned variant) {
    if (variant > 0)
        return 0;
    retc_network *network = retc_fixture_network(3, L, H, W, N, 0);
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(network && file ? file : NULL));
    fuzz_made(retc_network_write(network, file));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    retc_network_free(network);
    return 1;
}

/* ---- results --------------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_network *network;
    retc_recording *recording;
    retc_h5 *file;
} chain;

static chain
begin_chain(const char *path) {
    chain c = {.network = retc_fixture_network(3, L, H, W, N, 0)};
    write_native(fuzz_path("chain.h5"));
    c.recording = retc_recording_open(fuzz_path("chain.h5"), 0);
    c.file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(c.network && c.recording && c.file ? c.file : NULL));
    return c;
}

static int
end_chain(chain *c) {
    fuzz_made(retc_h5_commit(c->file));
    retc_h5_close(c->file);
    retc_recording_close(c->recording);
    retc_network_free(c->network);
    return 1;
}

int
fuzz_seed_contributions(const char *path, unsigned variant) {
    static const retc_contribute_options options = {.rule = RETC_SECANT, .steps = 2, .block = 64, .threads = 1};
    retc_target target = {0};
    retc_completeness completeness;
    if (variant > 0)
        return 0;
    chain c = begin_chain(path);
    fuzz_made(retc_target_init(&target, RETC_TARGET_SUM, N, 0));
    fuzz_made(
        retc_contribute_write(c.network, c.recording, RETC_TRAIN, &target, &options, NULL, "x", c.file, NULL, &completeness));
    retc_target_clear(&target);
    return end_chain(&c);
}

int
fuzz_seed_modes(const char *path, unsigned variant) {
    retc_modes_options options = retc_modes_options_default();
    retc_modes modes;
    if (variant > 0)
        return 0;
    fuzz_seed_contributions(fuzz_path("contributions.h5"), 0);
    retc_h5 *contributions = retc_h5_open(fuzz_path("contributions.h5")), *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(contributions && file ? file : NULL));
    options.multiplier = 1, options.hidden = 4, options.threads = 1, options.sae.epochs = 2;
    fuzz_made(retc_modes_read(contributions, &modes));
    fuzz_made(retc_modes_fit(&modes, &options, NULL));
    fuzz_made(retc_modes_write(&modes, &options, contributions, file));
    fuzz_made(retc_h5_commit(file));
    retc_modes_clear(&modes);
    retc_h5_close(file);
    retc_h5_close(contributions);
    return 1;
}

int
fuzz_seed_irf(const char *path, unsigned variant) {
    static const size_t cells[1] = {0};
    const retc_irf_options options = {.cell = cells, .cells = 1, .samples = 12, .threads = 1};
    if (variant > 0)
        return 0;
    chain c = begin_chain(path);
    const retc_irf_file layout = retc_irf_file_default();
    fuzz_made(retc_irf_write(c.network, c.recording, RETC_TRAIN, &options, &layout, c.file, NULL));
    return end_chain(&c);
}

int
fuzz_seed_predictions(const char *path, unsigned variant) {
    retc_prediction prediction = {0};
    retc_prediction_scores scores = {0};
    const retc_score_options options = {.draws = 10, .seed = 1, .threads = 1};
    if (variant > 0)
        return 0;
    chain c = begin_chain(path);
    fuzz_made(retc_predict(c.network, c.recording, RETC_TEST, 1, NULL, &prediction));
    fuzz_made(retc_prediction_write(&prediction, c.network, c.recording, RETC_TEST, c.file));
    fuzz_made(retc_prediction_score(&prediction, c.recording, RETC_TEST, &options, NULL, &scores));
    fuzz_made(retc_prediction_scores_write(&scores, c.file));
    retc_prediction_scores_clear(&scores);
    retc_prediction_clear(&prediction);
    return end_chain(&c);
}

int
fuzz_seed_sta(const char *path, unsigned variant) {
    retc_sta_options options = retc_sta_options_default();
    retc_sta sta = {0};
    if (variant > 0)
        return 0;
    chain c = begin_chain(path);
    options.history = L, options.shuffles = 0, options.bins = 3, options.threads = 1;
    fuzz_made(retc_sta_estimate(c.recording, &options, NULL, &sta));
    fuzz_made(retc_sta_write(&sta, c.recording, c.file));
    retc_sta_clear(&sta);
    return end_chain(&c);
}

/* Targets and seeds: trials, as text and beside a movie, and responses to a protocol. */
#include <stdio.h>
#include <string.h>

#include "figure_protocol.h"
#include "fuzz.h"
#include "info.h"
#include "movie_kinds.h"
#include "protocol_index.h"
#include "protocol_kinds.h"

int
fuzz_trials(const uint8_t *data, size_t size) {
    retc_trials trials;
    int status = retc_trials_read_text(fuzz_input(data, size, ".txt"), &trials);
    fuzz_told(status);
    if (status == RETC_OK)
        retc_trials_free(&trials);
    return 0;
}

int
fuzz_seed_trials(const char *path, unsigned variant) {
    static const char *const texts[] = {"onset duration direction\n1 0.5 0\n2 0.5 90\n3.5 0.5 0\n",
                                        "# by hand\ncontrast\tonset duration diameter\r\n-1 0 1e-1 250\r\n\r\n+0.5 2 3 0\r\n"};
    FILE *out = variant < 2 ? fopen(path, "w") : NULL;
    if (!out)
        return 0;
    fputs(texts[variant], out);
    return fclose(out) == 0;
}

int
fuzz_stimulus_trials(const uint8_t *data, size_t size) {
    retc_trials trials;
    FILE *nowhere = fopen("/dev/null", "w");
    retc_h5 *file = retc_h5_open(fuzz_input(data, size, ".h5"));
    if (!file)
        fuzz_told(RETC_EFORMAT);
    if (file && nowhere && retc_trials_has(file, "")) {
        int status = retc_trials_read(file, "", 100, &trials);
        fuzz_told(status);
        if (status == RETC_OK)
            retc_free(retc_trials_condition_text(&trials, 0));
        if (status == RETC_OK)
            retc_trials_free(&trials);
        retc_info_facts(nowhere, file, retc_info_kind(file));
    }
    retc_h5_close(file);
    if (nowhere)
        fclose(nowhere);
    return 0;
}

int
fuzz_seed_stimulus_trials(const char *path, unsigned variant) {
    static const retc_numbers durations = {2, {50, 100}};
    retc_trials trials;
    if (variant > 0)
        return 0;
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(file));
    fuzz_made(retc_trials_alloc(&trials, 2, 2, 3));
    snprintf(trials.protocol, sizeof trials.protocol, "flashes");
    for (size_t p = 0; p < 2; ++p) {
        snprintf(trials.parameter[p].name, sizeof trials.parameter[p].name, "%s", p ? "duration" : "contrast");
        snprintf(trials.parameter[p].unit, sizeof trials.parameter[p].unit, "%s", p ? "ms" : "");
        memcpy(trials.parameter[p].value, durations.value, 2 * sizeof *durations.value);
    }
    for (size_t k = 0; k < 3; ++k)
        trials.trial[k] = (retc_trial){k % 2, 10 + 20 * k, 5 + k, 0.1 + 0.2 * (double)k, 0.05};
    fuzz_made(retc_trials_write(file, "", &trials));
    fuzz_made(retc_h5_set_text(file, "/", "kind", "stimulus"));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    retc_trials_free(&trials);
    return 1;
}

int
fuzz_protocol(const uint8_t *data, size_t size) {
    FILE *nowhere = fopen("/dev/null", "w");
    retc_h5 *file = retc_h5_open(fuzz_input(data, size, ".h5"));
    retc_figure_cells cells = {0};
    size_t shape[3];
    if (!file)
        fuzz_told(RETC_EFORMAT);
    if (file && nowhere) {
        retc_info_facts(nowhere, file, retc_info_kind(file));
        int status = retc_h5_expect(file, "/psth", 3, NULL, shape);
        if (status == RETC_OK)
            status = retc_figure_cells_choose(file, "/cell_names", shape[0], NULL, 4, &cells);
        if (status == RETC_OK)
            status = retc_figure_protocol(file, &cells, nowhere);
        fuzz_told(status);
    }
    retc_figure_cells_free(&cells);
    retc_h5_close(file);
    if (nowhere)
        fclose(nowhere);
    return 0;
}

int
fuzz_seed_protocol(const char *path, unsigned variant) {
    enum { N = 2, C = 2, B = 3, W = 4 };
    static char first[] = "cell01", second[] = "cell02", kind[] = "brisk";
    char *names[N] = {first, second}, *types[N] = {kind, kind};
    size_t shown[C] = {1, 1};
    double psth[N * C * B] = {1, 2, 3, 4}, rate[N * C] = {1, 2}, baseline[N] = {1, 1}, index[N] = {0.5, -0.5};
    float stimulus[C * B * W] = {127.5F, 3};
    retc_protocol_index indices[1] = {{"on_off_index", "", "bright or dark", index}};
    retc_protocol_response response = {.cells = N,
                                       .bins = B,
                                       .bin = 0.01,
                                       .name = names,
                                       .shown = shown,
                                       .psth = psth,
                                       .rate = rate,
                                       .baseline = baseline,
                                       .places = W,
                                       .stimulus = stimulus};
    if (variant > 1)
        return 0;
    response.type = variant ? types : NULL;
    fuzz_made(retc_trials_alloc(&response.trials, C, 1, C));
    snprintf(response.trials.parameter[0].name, sizeof response.trials.parameter[0].name, "temporal_frequency");
    snprintf(response.trials.parameter[0].unit, sizeof response.trials.parameter[0].unit, "Hz");
    for (size_t i = 0; i < C; ++i) {
        response.trials.parameter[0].value[i] = 50 + 50 * (double)i;
        response.trials.trial[i] = (retc_trial){i, 3 * i, 2, 0.03 * (double)i, 0.02};
    }
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(file));
    fuzz_made(retc_protocol_write(&response, indices, 1, file));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    retc_trials_free(&response.trials);
    return 1;
}

#include "small_fit.h"

#include <math.h>

#include "fixtures.h"
#include "rng.h"
#include "testing.h"

enum { PIXELS = RETC_SMALL_SIDE * RETC_SMALL_SIDE };

retc_recording *
retc_small_recording(const char *path, size_t frames, size_t cells) {
    float *movie = retc_fixture_movie(31, frames, RETC_SMALL_SIDE, RETC_SMALL_SIDE);
    float *counts = retc_calloc(cells * frames, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(32, RETC_STREAM_SPIKES, 0);
    for (size_t j = 0; j < cells && j < 2; ++j)
        for (size_t t = 3; t < frames; ++t)
            counts[j * frames + t] = (float)gsl_ran_poisson(rng, 0.1 + fmax(0, (double)movie[(t - 3) * PIXELS + 5 * j]));
    gsl_rng_free(rng);
    ck_ok(retc_fixture_recording(path, frames, RETC_SMALL_SIDE, RETC_SMALL_SIDE, movie, cells, counts, 0, NULL, 2, 0.01));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

retc_fit_options
retc_small_fit(size_t epochs) {
    retc_fit_options options = retc_fit_default();
    options.history = RETC_SMALL_HISTORY, options.epochs = epochs, options.patience = 100, options.threads = 1;
    options.architecture = retc_fixture_architecture(3, 3, 3, 2, 0.3);
    options.batch_blocks = 4, options.block = 64;
    return options;
}

#include "modes.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "parallel.h"

retc_modes_options
retc_modes_options_default(void) {
    return (retc_modes_options){
        .multiplier = 10, .hidden = 16, .threshold = 0.9, .restarts = 1, .sae = retc_sae_options_default()};
}

/* ---- one layer ------------------------------------------------------------------------------------------------------- */

/* mean, std, normalized; returns 1 when all contributions are zero. */
static int
normalise(retc_modes_layer *layer) {
    size_t n = layer->T * layer->F;
    double sum = 0, squares = 0, largest = 0;
    for (size_t i = 0; i < n; ++i) {
        sum += (double)layer->original[i];
        largest = fmax(largest, fabs((double)layer->original[i]));
    }
    layer->mean = sum / (double)n;
    for (size_t i = 0; i < n; ++i) {
        double d = (double)layer->original[i] - layer->mean;
        squares += d * d;
    }
    /* Equal entries have no standard deviation but what rounding of their mean leaves. */
    double std = sqrt(squares / (double)n);
    layer->std = std > 1e-12 * largest ? std : 1;
    for (size_t i = 0; i < n; ++i)
        layer->normalized[i] = (float)((double)layer->original[i] / layer->std);
    return largest == 0;
}

enum { BLOCK = 4096 }; /* samples encoded at a time: all codes of a long recording would not fit in memory */

/* Which atoms fire how often. */
static int
count_firing(retc_modes_layer *layer) {
    int status = RETC_OK;
    size_t T = layer->T, A = layer->A, n;
    float *z = NULL;
    RETC_TRY(RETC_ALLOC(z, BLOCK * A));
    memset(layer->activity, 0, A * sizeof *layer->activity);
    for (size_t first = 0; first < T; first += n) {
        n = T - first < BLOCK ? T - first : BLOCK;
        RETC_TRY(retc_sae_encode(layer->sae, layer->normalized + first * layer->F, n, NULL, z, NULL));
        for (size_t i = 0; i < n * A; ++i)
            layer->activity[i % A] += z[i] > 0;
    }
    layer->alive = layer->active = 0;
    layer->mean_l0 = 0;
    for (size_t a = 0; a < A; ++a) {
        layer->activity[a] /= (double)T;
        layer->alive += layer->activity[a] > 0;
        layer->active += layer->activity[a] > 0.01;
        layer->mean_l0 += layer->activity[a];
    }
done:
    retc_free(z);
    return status;
}

/* Codes and dictionary of the atoms alive, and the reconstruction. */
static int
keep_alive(retc_modes_layer *layer) {
    int status = RETC_OK;
    size_t T = layer->T, F = layer->F, A = layer->A, M = layer->alive, n;
    float *z = NULL, *dictionary = NULL;
    RETC_TRY(RETC_ALLOC(layer->atom, M));
    RETC_TRY(RETC_ALLOC(layer->codes, T * M));
    RETC_TRY(RETC_ALLOC(layer->dictionary, M * F));
    RETC_TRY(RETC_ALLOC(z, BLOCK * A));
    RETC_TRY(RETC_ALLOC(dictionary, A * F));
    retc_sae_dictionary(layer->sae, dictionary);
    for (size_t a = 0, m = 0; a < A; ++a)
        if (layer->activity[a] > 0) {
            memcpy(layer->dictionary + m * F, dictionary + a * F, F * sizeof *dictionary);
            layer->atom[m++] = a;
        }
    for (size_t first = 0; first < T; first += n) {
        n = T - first < BLOCK ? T - first : BLOCK;
        RETC_TRY(retc_sae_encode(layer->sae, layer->normalized + first * F, n, NULL, z, layer->reconstruction + first * F));
        for (size_t t = 0; t < n; ++t)
            for (size_t m = 0; m < M; ++m)
                layer->codes[(first + t) * M + m] = z[t * A + layer->atom[m]];
    }
done:
    retc_free(z);
    retc_free(dictionary);
    return status;
}

static double
r2_score(const retc_modes_layer *layer) {
    size_t n = layer->T * layer->F;
    double mean = layer->mean / layer->std, errors = 0, squares = 0;
    for (size_t i = 0; i < n; ++i) {
        double x = (double)layer->normalized[i], error = (double)layer->reconstruction[i] - x;
        errors += error * error;
        squares += (x - mean) * (x - mean);
    }
    return 1 - errors / (double)n / (squares / (double)n + 1e-6);
}

static int
alloc_layer(const retc_modes_options *options, retc_modes_layer *layer) {
    int status = RETC_OK;
    size_t M = layer->F > options->hidden ? layer->F : options->hidden;
    layer->A = options->multiplier * layer->F;
    RETC_TRY(RETC_GOT(layer->sae = retc_sae_alloc(layer->F, M, layer->A, options->threshold, options->nonnegative)));
    RETC_TRY(RETC_ALLOC(layer->normalized, layer->T * layer->F));
    RETC_TRY(RETC_ALLOC(layer->reconstruction, layer->T * layer->F));
    RETC_TRY(RETC_ALLOC(layer->activity, layer->A));
done:
    return status;
}

/* ---- all layers ------------------------------------------------------------------------------------------------------ */

enum { SHARE = 1000 }; /* units of progress per layer */

typedef struct {
    retc_modes *modes;
    const retc_modes_options *options;
    const retc_progress *progress;
    atomic_size_t *done; /* (n_layers) */
} fit;

typedef struct {
    fit *fit;
    size_t layer;
} layer_progress;

static void
report_layer(void *context, size_t done, size_t total, const char *note) {
    const layer_progress *mine = context;
    fit *f = mine->fit;
    size_t sum = 0;
    (void)note;
    atomic_store(&f->done[mine->layer], SHARE * done / total);
    for (size_t i = 0; i < f->modes->n_layers; ++i)
        sum += atomic_load(&f->done[i]);
    retc_progress_report(f->progress, sum, SHARE * f->modes->n_layers, NULL);
}

enum { MOST_STARTS = 1024 };

static int
fit_layer(void *context, size_t i) {
    int status = RETC_OK;
    fit *f = context;
    retc_modes_layer *layer = &f->modes->layer[i];
    layer_progress mine = {f, i};
    const retc_progress progress = {report_layer, &mine};
    RETC_TRY(alloc_layer(f->options, layer));
    layer->starts = 0;
    int nothing = normalise(layer);
    while (!nothing && layer->alive == 0 && layer->starts <= f->options->restarts) {
        retc_sae_options options = f->options->sae;
        options.stream = i * MOST_STARTS + layer->starts++;
        RETC_TRY(retc_sae_init(layer->sae, layer->normalized, layer->T, &options));
        RETC_TRY(retc_sae_fit(layer->sae, layer->normalized, layer->T, &options, &progress));
        RETC_TRY(count_firing(layer));
    }
    if (layer->alive > 0)
        RETC_TRY(keep_alive(layer));
    layer->r2 = r2_score(layer);
done:
    return status < 0 ? retc_error_prefix(status, "layer %s", layer->name) : status;
}

int
retc_modes_fit(retc_modes *modes, const retc_modes_options *options, const retc_progress *progress) {
    int status = RETC_OK;
    fit f = {modes, options, progress, NULL};
    if (options->multiplier == 0 || options->restarts >= MOST_STARTS)
        return RETC_FAIL(RETC_EINVAL,
                         "%zu atoms per feature and %zu restarts: at least 1 atom and fewer than %d restarts are needed",
                         options->multiplier, options->restarts, MOST_STARTS);
    RETC_TRY(RETC_ALLOC(f.done, modes->n_layers));
    RETC_TRY(retc_parallel_for(modes->n_layers, options->threads, fit_layer, &f));
done:
    retc_free(f.done);
    return status;
}

int
retc_modes_converged(const retc_modes *modes) {
    for (size_t i = 0; i < modes->n_layers; ++i)
        if (modes->layer[i].alive == 0 && modes->layer[i].starts > 0)
            return 0;
    return 1;
}

void
retc_modes_clear(retc_modes *modes) {
    for (size_t i = 0; i < modes->n_layers; ++i) {
        retc_modes_layer *layer = &modes->layer[i];
        retc_free(layer->original);
        retc_free(layer->normalized);
        retc_sae_free(layer->sae);
        retc_free(layer->atom);
        retc_free(layer->codes);
        retc_free(layer->dictionary);
        retc_free(layer->reconstruction);
        retc_free(layer->activity);
    }
    retc_free(modes->layer);
    retc_free(modes->names);
    retc_free(modes->target);
    memset(modes, 0, sizeof *modes);
}

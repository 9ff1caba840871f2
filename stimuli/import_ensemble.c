/* A spike-triggered ensemble: the stimulus before each spike of one cell, and nothing of the rest of the time. */
#include "import_matlab_internal.h"

typedef struct {
    retc_matlab_variable ensemble;
    size_t spikes, Nx, Ny;
} ensemble;

/* Row k, y fastest, as frame (Ny,Nx). */
static int
ensemble_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    const ensemble *e = context;
    size_t pixels = e->Nx * e->Ny;
    const size_t start[2] = {t0, 0}, count[2] = {n, pixels};
    double *values = NULL;
    RETC_TRY(RETC_ALLOC(values, n * pixels));
    RETC_TRY(retc_mat_read(e->ensemble.mat, e->ensemble.found.array, start, count, values));
    for (size_t t = 0; t < n; ++t)
        for (size_t y = 0; y < e->Ny; ++y)
            for (size_t x = 0; x < e->Nx; ++x)
                *out++ = (float)values[(x * e->Ny + y) * n + t];

done:
    retc_free(values);
    return status;
}

static int
one_each(void *context, size_t t0, size_t n, float *out) {
    (void)context;
    (void)t0;
    for (size_t t = 0; t < n; ++t)
        out[t] = 1;
    return RETC_OK;
}

static int
find_ensemble(const retc_matlab *in, ensemble *e) {
    int status = RETC_OK;
    RETC_TRY(retc_matlab_size(in, "Nx", &e->Nx));
    RETC_TRY(retc_matlab_size(in, "Ny", &e->Ny));
    RETC_TRY(retc_matlab_find(in, "STE", 2, &e->ensemble));
    const retc_mat_array *array = e->ensemble.found.array;
    e->spikes = array->shape[0];
    if (array->shape[1] / e->Nx != e->Ny || array->shape[1] % e->Nx != 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: STE is %zux%zu, expected (spikes, Nx times Ny) with Nx = %zu and Ny = %zu%s",
                           retc_mat_path(e->ensemble.mat), array->shape[0], array->shape[1], e->Nx, e->Ny,
                           array->shape[0] == e->Nx * e->Ny ? ": it seems transposed" : ""));

done:
    return status;
}

int
retc_matlab_ensemble(retc_matlab *in, const char *output, int force, retc_recording_writer **writer) {
    int status = RETC_OK;
    ensemble e = {0};
    double *onset = NULL, interval = 0.01;
    retc_span *stretch = NULL;
    const retc_import_unit unit = {.name = "cell01", .origin = "STE"};
    RETC_TRY(find_ensemble(in, &e));
    if (in->options->interval)
        RETC_TRY(retc_matlab_number(in, in->options->interval, &interval));
    if (!(interval > 0))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a frame interval of %g s has no meaning", interval));
    RETC_TRY(RETC_ALLOC(onset, e.spikes));
    RETC_TRY(RETC_ALLOC(stretch, e.spikes));
    for (size_t k = 0; k < e.spikes; ++k) {
        onset[k] = (double)k * interval;
        stretch[k] = (retc_span){k, 1};
    }
    RETC_TRY(retc_import_say(in->report,
                             "spike-triggered ensemble of %zu spikes: frame k is what preceded spike k and holds it; times "
                             "are made up, %g s each (--interval); analyse it with --history 1 --lag 0",
                             e.spikes, interval));
    const retc_import_source source = {.file = in->options->files[0],
                                       .frames = e.spikes,
                                       .onset = onset,
                                       .height = e.Ny,
                                       .width = e.Nx,
                                       .stimulus_type = RETC_H5_FLOAT,
                                       .movie = ensemble_frames,
                                       .movie_context = &e,
                                       .unit = &unit,
                                       .cells = 1,
                                       .counts = one_each,
                                       .parts = {.train = stretch, .stretches = e.spikes}};
    RETC_TRY(retc_import_build(&source, output, force, in->progress, writer, in->report));

done:
    retc_free(onset);
    retc_free(stretch);
    retc_matlab_clear(&e.ensemble);
    return status;
}

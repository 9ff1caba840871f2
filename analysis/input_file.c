#include <math.h>
#include <string.h>

#include "field.h"
#include "input.h"

enum { CHUNK_ROWS = 64, CHUNK_BYTES = 1 << 18 };

typedef struct {
    const retc_network *network;
    retc_h5 *file;
    retc_input_box box;
    int full;
    size_t written;
    float *map, *course, *attribution; /* (block,h,w), (block,L), (block,L,h,w) */
    int64_t *sample, *steps;           /* (block) */
    int refines;
    double tolerance;
    size_t unconverged;
} writer;

int
retc_input_find_box(const retc_network *network, const retc_target *target, retc_input_box *box) {
    size_t grab = 0;
    retc_field *field = NULL;
    int status = RETC_OK;
    *box = (retc_input_box){0, network->H, 0, network->W};
    while (grab < network->layers && network->layer[grab].kind != RETC_LAYER_GRAB)
        ++grab;
    if (grab == network->layers || target->kind != RETC_TARGET_CELL || target->softmax)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(field, network->layers));
    retc_network_fields(network, field);
    const retc_field *f = &field[grab];
    double low[2], high[2], side[2] = {(double)network->H, (double)network->W};
    for (int d = 0; d < 2; ++d) {
        double shift = (double)network->layer[grab].position[2 * target->cell + (size_t)d] * f->step[d];
        low[d] = fmax(f->lo[d] + shift, 0);
        high[d] = fmin(f->hi[d] + shift, side[d] - 1);
    }
    *box = (retc_input_box){(size_t)low[0], (size_t)(high[0] - low[0]) + 1, (size_t)low[1], (size_t)(high[1] - low[1]) + 1};
done:
    retc_free(field);
    return status;
}

/* ---- datasets -------------------------------------------------------------------------------------------------------- */

static int
make_dataset(const writer *w, const char *name, retc_h5_type type, int rank, const size_t *shape) {
    size_t chunk[4] = {CHUNK_ROWS, 0}, bytes = sizeof(float);
    for (int d = 1; d < rank; ++d) {
        chunk[d] = shape[d];
        bytes *= shape[d];
    }
    while (chunk[0] > 1 && chunk[0] * bytes > CHUNK_BYTES)
        chunk[0] /= 2;
    return retc_h5_make(w->file, name, type, rank, shape, chunk);
}

static int
make_all(writer *w, size_t S, const retc_input_options *options) {
    const retc_input_box *box = &w->box;
    size_t L = w->network->L, pixels = box->rows * box->columns;
    int status = RETC_OK;
    RETC_TRY(make_dataset(w, "/input/map", RETC_H5_FLOAT, 3, (size_t[]){S, box->rows, box->columns}));
    RETC_TRY(make_dataset(w, "/input/course", RETC_H5_FLOAT, 2, (size_t[]){S, L}));
    RETC_TRY(make_dataset(w, "/input/sample", RETC_H5_INT64, 1, &S));
    RETC_TRY(make_dataset(w, "/input/residual", RETC_H5_DOUBLE, 1, &S));
    if (w->refines) {
        RETC_TRY(make_dataset(w, "/input/error", RETC_H5_DOUBLE, 1, &S));
        RETC_TRY(make_dataset(w, "/input/steps", RETC_H5_INT64, 1, &S));
    }
    if (w->full)
        RETC_TRY(make_dataset(w, "/input/attribution", RETC_H5_FLOAT, 4, (size_t[]){S, L, box->rows, box->columns}));
    RETC_TRY(retc_h5_set_int(w->file, "/input/map", "row", (int64_t)box->row));
    RETC_TRY(retc_h5_set_int(w->file, "/input/map", "column", (int64_t)box->column));
    RETC_TRY(retc_h5_set_int(w->file, "/input/map", "every", (int64_t)options->every));
    RETC_TRY(RETC_ALLOC(w->map, options->block * pixels));
    RETC_TRY(RETC_ALLOC(w->course, options->block * L));
    RETC_TRY(RETC_ALLOC(w->attribution, options->block * L * pixels));
    RETC_TRY(RETC_ALLOC(w->sample, options->block));
    RETC_TRY(RETC_ALLOC(w->steps, options->block));
done:
    return status;
}

/* ---- block by block -------------------------------------------------------------------------------------------------- */

/* Cut to the box, one sample after the other, and sum. */
static void
reduce(writer *w, const retc_input_block *b) {
    const retc_network *network = w->network;
    const retc_input_box *box = &w->box;
    size_t L = network->L, pixels = box->rows * box->columns;
    memset(w->map, 0, b->n * pixels * sizeof(float));
    memset(w->course, 0, b->n * L * sizeof(float));
    for (size_t k = 0; k < L; ++k)
        for (size_t p = 0; p < pixels; ++p) {
            size_t y = box->row + p / box->columns, x = box->column + p % box->columns;
            const float *in = b->attribution + ((k * network->H + y) * network->W + x) * b->ld;
            for (size_t t = 0; t < b->n; ++t) {
                w->attribution[(t * L + k) * pixels + p] = in[t];
                w->map[t * pixels + p] += in[t];
                w->course[t * L + k] += in[t];
            }
        }
}

static int
receive(void *context, const retc_input_block *b) {
    writer *w = context;
    size_t start[4] = {w->written, 0}, rows = w->box.rows, columns = w->box.columns, L = w->network->L;
    int status = RETC_OK;
    reduce(w, b);
    for (size_t t = 0; t < b->n; ++t) {
        w->sample[t] = (int64_t)b->sample[t], w->steps[t] = (int64_t)b->steps[t];
        w->unconverged += b->error[t] > w->tolerance;
    }
    RETC_TRY(retc_h5_write(w->file, "/input/map", RETC_H5_FLOAT, start, (size_t[]){b->n, rows, columns}, w->map));
    RETC_TRY(retc_h5_write(w->file, "/input/course", RETC_H5_FLOAT, start, (size_t[]){b->n, L}, w->course));
    RETC_TRY(retc_h5_write(w->file, "/input/sample", RETC_H5_INT64, start, &b->n, w->sample));
    RETC_TRY(retc_h5_write(w->file, "/input/residual", RETC_H5_DOUBLE, start, &b->n, b->residual));
    if (w->refines) {
        RETC_TRY(retc_h5_write(w->file, "/input/error", RETC_H5_DOUBLE, start, &b->n, b->error));
        RETC_TRY(retc_h5_write(w->file, "/input/steps", RETC_H5_INT64, start, &b->n, w->steps));
    }
    if (w->full)
        RETC_TRY(retc_h5_write(w->file, "/input/attribution", RETC_H5_FLOAT, start, (size_t[]){b->n, L, rows, columns},
                               w->attribution));
    w->written += b->n;
done:
    return status;
}

int
retc_input_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                 const retc_input_options *options, int full, retc_h5 *file, const retc_progress *progress,
                 size_t *unconverged) {
    writer w = {.network = network,
                .file = file,
                .full = full,
                .refines = options->refine.steps == 0,
                .tolerance = options->refine.tolerance};
    retc_span *spans = NULL;
    size_t n_spans = 0, T = 0, S = 0;
    int status = RETC_OK;
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    for (size_t s = 0; s < n_spans; ++s)
        T += spans[s].count;
    for (size_t t = 0; t < T; ++t)
        S += (size_t)retc_path_takes(t, options->every);
    RETC_TRY(retc_input_find_box(network, target, &w.box));
    RETC_TRY(make_all(&w, S, options));
    RETC_TRY(retc_input(network, recording, part, target, options, receive, &w, progress));
    RETC_TRY(retc_refine_write(&options->refine, w.unconverged, file, "/input/map"));
    *unconverged += w.unconverged;
done:
    retc_free(spans);
    retc_free(w.map), retc_free(w.course), retc_free(w.attribution), retc_free(w.sample), retc_free(w.steps);
    return status;
}

/* Samples are innermost: every matrix product is a gather or dots over rows of samples. */
#include "sae.h"

#include <math.h>
#include <string.h>

#include "gather.h"

static const double LAYER_NORM_EPS = 1e-5;

/* ---- parameters ------------------------------------------------------------------------------------------------------ */

static void
lay_out(retc_sae *sae) {
    size_t F = sae->F, M = sae->M, A = sae->A;
    const retc_sae_tensor tensors[RETC_SAE_TENSORS] = {
        [RETC_SAE_WEIGHT1] = {"encoder.layers.layer1.weight", 2, {M, F}, 0, 0},
        [RETC_SAE_BIAS1] = {"encoder.layers.layer1.bias", 1, {M, 1}, 0, 0},
        [RETC_SAE_SCALE1] = {"encoder.layers.layernorm1.weight", 1, {M, 1}, 0, 0},
        [RETC_SAE_SHIFT1] = {"encoder.layers.layernorm1.bias", 1, {M, 1}, 0, 0},
        [RETC_SAE_WEIGHT2] = {"encoder.layers.layer2.weight", 2, {M, M}, 0, 0},
        [RETC_SAE_BIAS2] = {"encoder.layers.layer2.bias", 1, {M, 1}, 0, 0},
        [RETC_SAE_SCALE2] = {"encoder.layers.layernorm2.weight", 1, {M, 1}, 0, 0},
        [RETC_SAE_SHIFT2] = {"encoder.layers.layernorm2.bias", 1, {M, 1}, 0, 0},
        [RETC_SAE_WEIGHT3] = {"encoder.layers.layer3.weight", 2, {A, M}, 0, 0},
        [RETC_SAE_ATOMS] = {"dictionary.atoms", 2, {A, F}, 0, 0},
    };
    sae->size = 0;
    for (size_t i = 0; i < RETC_SAE_TENSORS; ++i) {
        retc_sae_tensor *tensor = &sae->tensors[i];
        *tensor = tensors[i];
        tensor->offset = sae->size;
        tensor->size = tensor->shape[0] * tensor->shape[1];
        sae->size += tensor->size;
    }
}

retc_sae *
retc_sae_alloc(size_t F, size_t M, size_t A, double threshold, int nonnegative) {
    if (F == 0 || M == 0 || A == 0 || !(threshold > 0 && threshold < 1)) {
        RETC_FAIL(RETC_EINVAL,
                  "no autoencoder of %zu features, %zu hidden units, %zu atoms and threshold %g: sizes must be at least 1, the "
                  "threshold between 0 and 1",
                  F, M, A, threshold);
        return NULL;
    }
    retc_sae *sae = retc_calloc(1, sizeof *sae);
    if (!sae)
        return NULL;
    sae->F = F;
    sae->M = M;
    sae->A = A;
    sae->threshold = threshold;
    sae->nonnegative = nonnegative;
    lay_out(sae);
    if (RETC_ALLOC(sae->parameters, sae->size) < 0) {
        retc_sae_free(sae);
        return NULL;
    }
    return sae;
}

void
retc_sae_free(retc_sae *sae) {
    if (!sae)
        return;
    retc_free(sae->parameters);
    retc_free(sae);
}

static const float *
parameter(const retc_sae *sae, size_t tensor) {
    return sae->parameters + sae->tensors[tensor].offset;
}

void
retc_sae_dictionary(const retc_sae *sae, float *dictionary) {
    const float *atoms = parameter(sae, RETC_SAE_ATOMS);
    for (size_t i = 0; i < sae->A * sae->F; ++i)
        dictionary[i] = sae->nonnegative && atoms[i] < 0 ? 0 : atoms[i];
}

/* ---- workspace ------------------------------------------------------------------------------------------------------- */

/* One hidden layer of a batch: units by samples. */
typedef struct {
    float *active;  /* (M,ld) 1 where ReLU lets through, times the dropout mask: the derivative by W h + b */
    float *unit;    /* (M,ld) normalised to mean 0, variance 1 over the units */
    float *out;     /* (M,ld) unit * scale + shift */
    float *inverse; /* (ld) 1 / standard deviation */
} hidden;

struct retc_sae_workspace {
    size_t batch, ld, widest;
    float *block;             /* all of what follows */
    float *x, *input, *error; /* (F,ld) samples, what the encoder sees, reconstruction - x and later its gradient */
    hidden layer[2];
    float *code, *gradient_code; /* (A,ld) */
    float *gradient_hidden;      /* (M,ld) */
    float *scratch;              /* (2,ld) sums over units */
    float *dictionary;           /* (A,F) */
    float *transposed;           /* largest weight */
    size_t *offset;              /* (widest) row j of any batch array: j * ld */
};

static size_t
largest(size_t a, size_t b, size_t c) {
    size_t most = a > b ? a : b;
    return most > c ? most : c;
}

/* Hand out the pieces of the workspace's block; with a NULL block only count. */
static size_t
carve(retc_sae_workspace *w, size_t F, size_t M, size_t A) {
    size_t ld = w->ld;
    const struct {
        float **piece;
        size_t size;
    } pieces[] = {{&w->x, F * ld},
                  {&w->input, F * ld},
                  {&w->error, F * ld},
                  {&w->layer[0].active, M * ld},
                  {&w->layer[0].unit, M * ld},
                  {&w->layer[0].out, M * ld},
                  {&w->layer[0].inverse, ld},
                  {&w->layer[1].active, M * ld},
                  {&w->layer[1].unit, M * ld},
                  {&w->layer[1].out, M * ld},
                  {&w->layer[1].inverse, ld},
                  {&w->code, A * ld},
                  {&w->gradient_code, A * ld},
                  {&w->gradient_hidden, M * ld},
                  {&w->scratch, 2 * ld},
                  {&w->dictionary, A * F},
                  {&w->transposed, largest(A * F, A * M, M * M)}};
    size_t used = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; ++i) {
        if (w->block)
            *pieces[i].piece = w->block + used;
        used += (pieces[i].size + 15) / 16 * 16; /* every piece starts on a cache line */
    }
    return used;
}

retc_sae_workspace *
retc_sae_workspace_alloc(const retc_sae *sae, size_t batch) {
    int status = RETC_OK;
    retc_sae_workspace *w = NULL;
    RETC_TRY(RETC_ALLOC(w, 1));
    w->batch = batch;
    w->ld = (batch + 15) / 16 * 16;
    w->widest = largest(sae->F, sae->M, sae->A);
    RETC_TRY(RETC_ALLOC(w->block, carve(w, sae->F, sae->M, sae->A)));
    carve(w, sae->F, sae->M, sae->A);
    RETC_TRY(RETC_ALLOC(w->offset, w->widest));
    for (size_t j = 0; j < w->widest; ++j)
        w->offset[j] = j * w->ld;
done:
    if (status < 0) {
        retc_sae_workspace_free(w);
        return NULL;
    }
    return w;
}

void
retc_sae_workspace_free(retc_sae_workspace *workspace) {
    if (!workspace)
        return;
    retc_free(workspace->block);
    retc_free(workspace->offset);
    retc_free(workspace);
}

/* ---- matrix products over a batch ------------------------------------------------------------------------------------ */

/* out (O,ld) = weight (O,J) in (J,ld) + bias */
static void
product(const retc_sae_workspace *w, size_t O, size_t J, size_t n, const float *weight, const float *bias, const float *in,
        float *out) {
    retc_gather(O, J, n, weight, J, bias, in, w->offset, out, w->ld, 0);
}

/* out (J,ld) = weight (O,J)^T in (O,ld) */
static void
product_transposed(const retc_sae_workspace *w, size_t O, size_t J, size_t n, const float *weight, const float *in,
                   float *out) {
    for (size_t o = 0; o < O; ++o)
        for (size_t j = 0; j < J; ++j)
            w->transposed[j * O + o] = weight[o * J + j];
    retc_gather(J, O, n, w->transposed, O, NULL, in, w->offset, out, w->ld, 0);
}

/* gradient (O,J) of a weight whose output has gradient g (O,ld) and whose input is in (J,ld) */
static void
weight_gradient(const retc_sae_workspace *w, size_t O, size_t J, size_t n, const float *g, const float *in, float *gradient) {
    retc_dots(O, J, n, 1, g, w->ld, 0, in, 0, w->offset, gradient, J);
}

/* ---- forward --------------------------------------------------------------------------------------------------------- */

/* layer->unit holds W h + b on entry; `mask` (M,n) may be NULL. */
static void
hidden_forward(const retc_sae_workspace *w, size_t M, size_t n, const float *mask, const float *scale, const float *shift,
               hidden *layer) {
    size_t ld = w->ld;
    float *mean = w->scratch, *square = w->scratch + ld;
    memset(w->scratch, 0, 2 * ld * sizeof *w->scratch);
    for (size_t m = 0; m < M; ++m)
        for (size_t t = 0; t < n; ++t) {
            float kept = mask ? mask[m * n + t] : 1, value = layer->unit[m * ld + t] * kept;
            layer->active[m * ld + t] = value > 0 ? kept : 0;
            layer->unit[m * ld + t] = value > 0 ? value : 0;
            mean[t] += layer->unit[m * ld + t];
        }
    for (size_t t = 0; t < n; ++t)
        mean[t] /= (float)M;
    for (size_t m = 0; m < M; ++m)
        for (size_t t = 0; t < n; ++t) {
            float d = layer->unit[m * ld + t] - mean[t];
            square[t] += d * d;
        }
    for (size_t t = 0; t < n; ++t)
        layer->inverse[t] = (float)(1 / sqrt((double)square[t] / (double)M + LAYER_NORM_EPS));
    for (size_t m = 0; m < M; ++m)
        for (size_t t = 0; t < n; ++t) {
            float unit = (layer->unit[m * ld + t] - mean[t]) * layer->inverse[t];
            layer->unit[m * ld + t] = unit;
            layer->out[m * ld + t] = unit * scale[m] + shift[m];
        }
}

static void
load_batch(const retc_sae *sae, retc_sae_workspace *w, const float *x, const size_t *rows, size_t n) {
    for (size_t t = 0; t < n; ++t) {
        const float *row = x + (rows ? rows[t] : t) * sae->F;
        for (size_t f = 0; f < sae->F; ++f) {
            w->x[f * w->ld + t] = row[f];
            w->input[f * w->ld + t] = sae->nonnegative ? fabsf(row[f]) : row[f];
        }
    }
}

/* From the loaded batch to W3 h in w->code. */
static void
encode_batch(const retc_sae *sae, retc_sae_workspace *w, size_t n, const float *mask) {
    size_t M = sae->M;
    product(w, M, sae->F, n, parameter(sae, RETC_SAE_WEIGHT1), parameter(sae, RETC_SAE_BIAS1), w->input, w->layer[0].unit);
    hidden_forward(w, M, n, mask, parameter(sae, RETC_SAE_SCALE1), parameter(sae, RETC_SAE_SHIFT1), &w->layer[0]);
    product(w, M, M, n, parameter(sae, RETC_SAE_WEIGHT2), parameter(sae, RETC_SAE_BIAS2), w->layer[0].out, w->layer[1].unit);
    hidden_forward(w, M, n, mask ? mask + M * n : NULL, parameter(sae, RETC_SAE_SCALE2), parameter(sae, RETC_SAE_SHIFT2),
                   &w->layer[1]);
    product(w, sae->A, M, n, parameter(sae, RETC_SAE_WEIGHT3), NULL, w->layer[1].out, w->code);
}

static float
sigmoid(float p) {
    return 1 / (1 + expf(-p));
}

/* w->code from W3 h to z.  Few codes reach the threshold: the exponential is taken only where they may. */
static void
threshold_codes(const retc_sae *sae, retc_sae_workspace *w, size_t n) {
    float threshold = (float)sae->threshold, near = (float)(log(sae->threshold / (1 - sae->threshold)) - 1e-3);
    for (size_t a = 0; a < sae->A; ++a)
        for (size_t t = 0; t < n; ++t) {
            float *code = &w->code[a * w->ld + t], c = *code < near ? 0 : sigmoid(*code);
            *code = c >= threshold ? c : 0;
        }
}

/* w->error = z D - x */
static void
decode_batch(const retc_sae *sae, retc_sae_workspace *w, size_t n) {
    retc_sae_dictionary(sae, w->dictionary);
    product_transposed(w, sae->A, sae->F, n, w->dictionary, w->code, w->error);
    for (size_t f = 0; f < sae->F; ++f)
        for (size_t t = 0; t < n; ++t)
            w->error[f * w->ld + t] -= w->x[f * w->ld + t];
}

int
retc_sae_encode(const retc_sae *sae, const float *x, size_t T, float *c, float *z, float *reconstruction) {
    enum { BATCH = 256 };
    retc_sae_workspace *w = retc_sae_workspace_alloc(sae, BATCH);
    if (!w)
        return RETC_ENOMEM;
    for (size_t first = 0; first < T; first += BATCH) {
        size_t n = first + BATCH <= T ? BATCH : T - first, A = sae->A, F = sae->F;
        load_batch(sae, w, x + first * F, NULL, n);
        encode_batch(sae, w, n, NULL);
        for (size_t i = 0; c && i < n * A; ++i)
            c[first * A + i] = sigmoid(w->code[i % A * w->ld + i / A]);
        threshold_codes(sae, w, n);
        for (size_t i = 0; z && i < n * A; ++i)
            z[first * A + i] = w->code[i % A * w->ld + i / A];
        if (!reconstruction)
            continue;
        decode_batch(sae, w, n);
        for (size_t i = 0; i < n * F; ++i)
            reconstruction[first * F + i] = w->error[i % F * w->ld + i / F] + w->x[i % F * w->ld + i / F];
    }
    retc_sae_workspace_free(w);
    return RETC_OK;
}

/* ---- backward -------------------------------------------------------------------------------------------------------- */

/* g (M,ld): from the gradient by layer->out to the gradient by W h + b; gradients of scale and shift are set. */
static void
hidden_backward(const retc_sae_workspace *w, size_t M, size_t n, const float *scale, const hidden *layer, float *g,
                float *scale_gradient, float *shift_gradient) {
    size_t ld = w->ld;
    float *mean = w->scratch, *mean_unit = w->scratch + ld;
    memset(w->scratch, 0, 2 * ld * sizeof *w->scratch);
    for (size_t m = 0; m < M; ++m) {
        double by_scale = 0, by_shift = 0;
        for (size_t t = 0; t < n; ++t) {
            float unit = layer->unit[m * ld + t];
            by_scale += (double)(g[m * ld + t] * unit);
            by_shift += (double)g[m * ld + t];
            g[m * ld + t] *= scale[m];
            mean[t] += g[m * ld + t];
            mean_unit[t] += g[m * ld + t] * unit;
        }
        scale_gradient[m] = (float)by_scale;
        shift_gradient[m] = (float)by_shift;
    }
    for (size_t t = 0; t < 2 * ld; ++t)
        w->scratch[t] /= (float)M;
    for (size_t m = 0; m < M; ++m)
        for (size_t t = 0; t < n; ++t) {
            size_t i = m * ld + t;
            g[i] = (g[i] - mean[t] - layer->unit[i] * mean_unit[t]) * layer->inverse[t] * layer->active[i];
        }
}

static void
bias_gradient(const retc_sae_workspace *w, size_t M, size_t n, const float *g, float *gradient) {
    for (size_t m = 0; m < M; ++m) {
        double sum = 0;
        for (size_t t = 0; t < n; ++t)
            sum += (double)g[m * w->ld + t];
        gradient[m] = (float)sum;
    }
}

/* Mean squared error in w->error turned into its gradient by the reconstruction; returns the mean squared error. */
static double
error_gradient(const retc_sae *sae, retc_sae_workspace *w, size_t n) {
    double sum = 0, entries = (double)(n * sae->F);
    float scale = (float)(2 / entries);
    for (size_t f = 0; f < sae->F; ++f)
        for (size_t t = 0; t < n; ++t) {
            float *error = &w->error[f * w->ld + t];
            sum += (double)*error * (double)*error;
            *error *= scale;
        }
    return sum / entries;
}

/* Add penalty mean |D| and pass the gradient on from D to the atoms; returns the penalty. */
static double
penalise(const retc_sae *sae, const retc_sae_workspace *w, double penalty, float *gradient) {
    size_t entries = sae->A * sae->F;
    const float *atoms = parameter(sae, RETC_SAE_ATOMS);
    float slope = (float)(penalty / (double)entries);
    double sum = 0;
    for (size_t i = 0; i < entries; ++i) {
        float d = w->dictionary[i];
        sum += (double)fabsf(d);
        gradient[i] += d > 0 ? slope : d < 0 ? -slope : 0;
        if (sae->nonnegative && !(atoms[i] > 0))
            gradient[i] = 0;
    }
    return penalty * sum / (double)entries;
}

double
retc_sae_gradient(const retc_sae *sae, retc_sae_workspace *w, const float *x, const size_t *rows, size_t n, double penalty,
                  const float *mask, float *gradient) {
    size_t F = sae->F, M = sae->M, A = sae->A;
    float *by[RETC_SAE_TENSORS];
    for (size_t i = 0; i < RETC_SAE_TENSORS; ++i)
        by[i] = gradient + sae->tensors[i].offset;
    memset(gradient, 0, sae->size * sizeof *gradient);

    load_batch(sae, w, x, rows, n);
    encode_batch(sae, w, n, mask);
    threshold_codes(sae, w, n);
    decode_batch(sae, w, n);
    double loss = error_gradient(sae, w, n);

    weight_gradient(w, A, F, n, w->code, w->error, by[RETC_SAE_ATOMS]);
    loss += penalise(sae, w, penalty, by[RETC_SAE_ATOMS]);
    product(w, A, F, n, w->dictionary, NULL, w->error, w->gradient_code);
    for (size_t a = 0; a < A; ++a)
        for (size_t t = 0; t < n; ++t) {
            float c = w->code[a * w->ld + t];
            w->gradient_code[a * w->ld + t] *= c * (1 - c);
        }
    weight_gradient(w, A, M, n, w->gradient_code, w->layer[1].out, by[RETC_SAE_WEIGHT3]);
    float *g = w->gradient_hidden;
    product_transposed(w, A, M, n, parameter(sae, RETC_SAE_WEIGHT3), w->gradient_code, g);
    hidden_backward(w, M, n, parameter(sae, RETC_SAE_SCALE2), &w->layer[1], g, by[RETC_SAE_SCALE2], by[RETC_SAE_SHIFT2]);
    weight_gradient(w, M, M, n, g, w->layer[0].out, by[RETC_SAE_WEIGHT2]);
    bias_gradient(w, M, n, g, by[RETC_SAE_BIAS2]);

    float *below = w->layer[1].out; /* no longer needed, and gather must not write where it reads */
    product_transposed(w, M, M, n, parameter(sae, RETC_SAE_WEIGHT2), g, below);
    hidden_backward(w, M, n, parameter(sae, RETC_SAE_SCALE1), &w->layer[0], below, by[RETC_SAE_SCALE1], by[RETC_SAE_SHIFT1]);
    weight_gradient(w, M, F, n, below, w->input, by[RETC_SAE_WEIGHT1]);
    bias_gradient(w, M, n, below, by[RETC_SAE_BIAS1]);
    return loss;
}

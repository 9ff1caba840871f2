/* The autoencoder's loss and gradient, sample by sample, in double: the definition that the fast version is held to. */
#include <math.h>

#include "sae.h"

typedef struct {
    double *in, *active, *unit, *out, *gradient; /* (M) each; `in` is the layer's input */
    double inverse;
} layer;

static const double *
tensor(const retc_sae *sae, const double *parameters, size_t i) {
    return parameters + sae->tensors[i].offset;
}

static void
forward(size_t J, size_t M, const double *weight, const double *bias, const double *scale, const double *shift, layer *l) {
    double mean = 0, square = 0;
    for (size_t m = 0; m < M; ++m) {
        double sum = bias[m];
        for (size_t j = 0; j < J; ++j)
            sum += weight[m * J + j] * l->in[j];
        l->active[m] = sum > 0;
        l->unit[m] = sum > 0 ? sum : 0;
        mean += l->unit[m] / (double)M;
    }
    for (size_t m = 0; m < M; ++m)
        square += (l->unit[m] - mean) * (l->unit[m] - mean);
    l->inverse = 1 / sqrt(square / (double)M + 1e-5);
    for (size_t m = 0; m < M; ++m) {
        l->unit[m] = (l->unit[m] - mean) * l->inverse;
        l->out[m] = l->unit[m] * scale[m] + shift[m];
    }
}

/* l->gradient holds the gradient by l->out; adds to the gradients of the layer's parameters and, unless NULL, sets the
 * gradient by its input. */
static void
backward(size_t J, size_t M, const double *weight, const double *scale, layer *l, double *by_weight, double *by_bias,
         double *by_scale, double *by_shift, double *by_input) {
    double mean = 0, mean_unit = 0;
    for (size_t m = 0; m < M; ++m) {
        by_scale[m] += l->gradient[m] * l->unit[m];
        by_shift[m] += l->gradient[m];
        mean += l->gradient[m] * scale[m] / (double)M;
        mean_unit += l->gradient[m] * scale[m] * l->unit[m] / (double)M;
    }
    for (size_t j = 0; by_input && j < J; ++j)
        by_input[j] = 0;
    for (size_t m = 0; m < M; ++m) {
        double g = (l->gradient[m] * scale[m] - mean - l->unit[m] * mean_unit) * l->inverse * l->active[m];
        by_bias[m] += g;
        for (size_t j = 0; j < J; ++j) {
            by_weight[m * J + j] += g * l->in[j];
            if (by_input)
                by_input[j] += g * weight[m * J + j];
        }
    }
}

/* One sample: adds its share of the loss, and of the gradient. */
static void
sample(const retc_sae *sae, const double *p, const float *x, double entries, layer l[2], double *z, double *error, double *loss,
       double *by) {
    size_t F = sae->F, M = sae->M, A = sae->A;
    const double *weight3 = tensor(sae, p, RETC_SAE_WEIGHT3), *atoms = tensor(sae, p, RETC_SAE_ATOMS);
    for (size_t f = 0; f < F; ++f) {
        l[0].in[f] = sae->nonnegative ? fabs((double)x[f]) : (double)x[f];
        error[f] = -(double)x[f];
    }
    forward(F, M, tensor(sae, p, RETC_SAE_WEIGHT1), tensor(sae, p, RETC_SAE_BIAS1), tensor(sae, p, RETC_SAE_SCALE1),
            tensor(sae, p, RETC_SAE_SHIFT1), &l[0]);
    forward(M, M, tensor(sae, p, RETC_SAE_WEIGHT2), tensor(sae, p, RETC_SAE_BIAS2), tensor(sae, p, RETC_SAE_SCALE2),
            tensor(sae, p, RETC_SAE_SHIFT2), &l[1]);
    for (size_t a = 0; a < A; ++a) {
        double sum = 0;
        for (size_t m = 0; m < M; ++m)
            sum += weight3[a * M + m] * l[1].out[m];
        double c = 1 / (1 + exp(-sum));
        z[a] = c >= sae->threshold ? c : 0;
        for (size_t f = 0; f < F; ++f)
            error[f] += z[a] * (sae->nonnegative ? fmax(atoms[a * F + f], 0) : atoms[a * F + f]);
    }
    for (size_t f = 0; f < F; ++f)
        *loss += error[f] * error[f] / entries;

    for (size_t m = 0; m < M; ++m)
        l[1].gradient[m] = 0;
    for (size_t a = 0; a < A; ++a) {
        double by_code = 0;
        for (size_t f = 0; f < F; ++f) {
            double d = atoms[a * F + f], g = 2 * error[f] / entries;
            int counts = !sae->nonnegative || d > 0;
            by_code += counts ? g * d : 0;
            by[sae->tensors[RETC_SAE_ATOMS].offset + a * F + f] += counts ? g * z[a] : 0;
        }
        by_code *= z[a] * (1 - z[a]);
        for (size_t m = 0; m < M; ++m) {
            by[sae->tensors[RETC_SAE_WEIGHT3].offset + a * M + m] += by_code * l[1].out[m];
            l[1].gradient[m] += by_code * weight3[a * M + m];
        }
    }
    backward(M, M, tensor(sae, p, RETC_SAE_WEIGHT2), tensor(sae, p, RETC_SAE_SCALE2), &l[1],
             by + sae->tensors[RETC_SAE_WEIGHT2].offset, by + sae->tensors[RETC_SAE_BIAS2].offset,
             by + sae->tensors[RETC_SAE_SCALE2].offset, by + sae->tensors[RETC_SAE_SHIFT2].offset, l[0].gradient);
    backward(F, M, tensor(sae, p, RETC_SAE_WEIGHT1), tensor(sae, p, RETC_SAE_SCALE1), &l[0],
             by + sae->tensors[RETC_SAE_WEIGHT1].offset, by + sae->tensors[RETC_SAE_BIAS1].offset,
             by + sae->tensors[RETC_SAE_SCALE1].offset, by + sae->tensors[RETC_SAE_SHIFT1].offset, NULL);
}

int
retc_sae_gradient_reference(const retc_sae *sae, const double *parameters, const float *x, size_t n, double penalty,
                            double *loss, double *gradient) {
    int status = RETC_OK;
    double *block = NULL;
    size_t F = sae->F, M = sae->M, A = sae->A;
    RETC_TRY(RETC_ALLOC(block, 2 * F + A + 8 * M));
    double *error = block + F, *z = block + 2 * F, *hidden = z + A;
    layer l[2];
    for (size_t i = 0; i < 2; ++i)
        l[i] = (layer){.active = hidden + 4 * i * M,
                       .unit = hidden + (4 * i + 1) * M,
                       .out = hidden + (4 * i + 2) * M,
                       .gradient = hidden + (4 * i + 3) * M};
    l[0].in = block;
    l[1].in = l[0].out;

    *loss = 0;
    for (size_t i = 0; i < sae->size; ++i)
        gradient[i] = 0;
    for (size_t t = 0; t < n; ++t)
        sample(sae, parameters, x + t * F, (double)(n * F), l, z, error, loss, gradient);

    const retc_sae_tensor *atoms = &sae->tensors[RETC_SAE_ATOMS];
    for (size_t i = 0; i < atoms->size; ++i) {
        double d = parameters[atoms->offset + i];
        if (sae->nonnegative && d < 0)
            d = 0;
        *loss += penalty * fabs(d) / (double)atoms->size;
        gradient[atoms->offset + i] += penalty * (double)((d > 0) - (d < 0)) / (double)atoms->size;
    }
done:
    retc_free(block);
    return status;
}

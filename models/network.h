/* A network: a table of layers, and one block of parameters with a table of their names and shapes.
 *
 * Every model here is one: LN is convolution with the whole image, then a piecewise linear nonlinearity; the convolutional
 * model (McIntosh et al. 2016) is [convolution, batch norm, noise, ReLU] twice, then a dense readout, batch norm, softplus.
 * Activations are (C,h,w,ld) with time innermost.  The fields may be read; change them through the functions. */
#ifndef RETC_NETWORK_H
#define RETC_NETWORK_H

#include <stdint.h>

#include "conv.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_LAYER_CONV,      /* w, b; a dense layer is a convolution with the whole map */
    RETC_LAYER_BATCHNORM, /* (x - mean)/sqrt(var + eps) * weight + bias, per channel or per unit */
    RETC_LAYER_NOISE,     /* adds N(0, sigma^2) in training, nothing else */
    RETC_LAYER_RELU,      /* max(x, 0) */
    RETC_LAYER_GRAB,      /* one position per channel: out[c] = x[c, row_c, column_c] */
    RETC_LAYER_AVERAGE,   /* weighted average of each channel: out[c] = sum_l p[c,l] x[c,l], p from its parameter w */
    RETC_LAYER_SOFTPLUS,  /* log(1 + exp x), and x for x > 20 */
    RETC_LAYER_EXP,       /* exp x */
    RETC_LAYER_PIECEWISE, /* straight lines through the knots of each channel, flat outside */
    RETC_LAYER_SCALE,     /* value * x + offset: from the network's units to Hz */
    RETC_LAYER_TANH,      /* tanh x */
    RETC_LAYER_SIGMOID,   /* 1 / (1 + exp -x) */
    RETC_LAYER_MAXPOOL,   /* largest value of windows of kh x kw that do not overlap; what is left at the border is not seen */
    RETC_LAYER_AVGPOOL,   /* their mean */
    RETC_LAYER_ADD        /* residual addition: x + the middle of the output of layer `skip`, cut to the map of x */
} retc_layer_kind;

/* How a convolution's weight comes about. */
typedef enum {
    RETC_WEIGHT_PLAIN,     /* it is a parameter that is trained */
    RETC_WEIGHT_STACKED,   /* derived from a chain of linear convolutions with small kernels */
    RETC_WEIGHT_FACTORISED /* derived, w[k,c,y,x] = channel[k,c] space[k,y,x]; as the first layer, where channels are frames,
                            * kernels that are separable in space and time */
} retc_weight_form;

enum { RETC_NO_PARAM = -1, RETC_NAME_SIZE = 64, RETC_CUT_SIZE = 16 };

typedef struct {
    retc_layer_kind kind;
    size_t C, h, w;              /* output: channels, rows, columns */
    char module[RETC_NAME_SIZE]; /* "sequential.4": prefix of its parameters' names */
    char cut[RETC_CUT_SIZE];     /* convolutions: the name under which contributions are written, "conv1"; else "" */
    size_t kh, kw;               /* convolution, pools */
    retc_weight_form form;       /* convolution */
    int source, sources;         /* derived weights: the first of the parameters that they come from, and how many */
    size_t skip;                 /* residual addition: the layer whose output is added */
    int dense;                   /* convolution stored as torch Linear (K, C h w) */
    int per_unit, absolute;      /* batch norm: statistics per unit, not channel; |weight| is used */
    double eps, sigma;           /* batch norm; noise */
    double value, offset;        /* scale */
    size_t knots;                /* piecewise */
    size_t *position;            /* grab: (C,2) row, column */
    int one_hot;                 /* grab: stored as torch OneHot, a 1 at each position, not as a list of positions */
    int weight, bias, mean, var; /* indices into the table of parameters, or RETC_NO_PARAM; piecewise: weight = x, bias = y;
                                  * average: weight = w */
} retc_layer;

typedef struct {
    char name[RETC_NAME_SIZE]; /* torch name, "sequential.0.weight" */
    int rank;
    size_t shape[4], offset, size; /* in floats, into the block */
    int trainable;
    int relative; /* only ratios of its values matter: penalties leave it alone */
    int derived;  /* computed by retc_network_derive from other parameters; neither trained nor written */
} retc_param;

typedef struct {
    char *model_type;                   /* "ln", "cnn" or a peer's class name */
    size_t L, H, W, N;                  /* history, pixels, cells */
    size_t lag;                         /* the window of response frame t ends with frame t - lag */
    double stimulus_mean, stimulus_std; /* x = (S - mean) / std */
    double frame_interval;              /* s, 0 when unknown */
    char **cell_name;                   /* (N) */
    int64_t *cell_row;                  /* (N) row of each cell in the responses of the recording that was fitted */
    int64_t *centre;                    /* (N,2) row, column of the cells' receptive fields, pixels; NULL: not known */
    size_t layers, params, values;
    size_t modules; /* number of the next torch module */
    retc_layer *layer;
    retc_param *param;
    float *value;    /* (values) all parameters */
    double *scratch; /* (scratch_size) of retc_network_derive and its gradient */
    size_t scratch_size;
} retc_network;

/* An empty network for windows of L frames of H x W pixels and N cells.  NULL when out of memory. */
retc_network *retc_network_alloc(const char *model_type, size_t L, size_t H, size_t W, size_t N);
void retc_network_free(retc_network *network);
retc_network *retc_network_copy(const retc_network *network);

/* Append a layer.  Convolution: K channels, kernel kh x kw (0: the whole map), stored as Linear when `dense`. */
int retc_network_add_conv(retc_network *network, size_t K, size_t kh, size_t kw, int with_bias, int dense) RETC_USED;
int retc_network_add_batchnorm(retc_network *network, int per_unit, int absolute, double eps) RETC_USED;
int retc_network_add_noise(retc_network *network, double sigma) RETC_USED;
int retc_network_add_grab(retc_network *network, const size_t *position) RETC_USED;
int retc_network_add_average(retc_network *network) RETC_USED; /* w (C, h w), to be set: equal weights give no average */
int retc_network_add_piecewise(retc_network *network, size_t knots) RETC_USED;
int retc_network_add_scale(retc_network *network, double value, double offset) RETC_USED;
int retc_network_add_simple(retc_network *network, retc_layer_kind kind) RETC_USED; /* ReLU, softplus, exp, tanh,
                                                                                     * sigmoid */

/* Append a pool with windows of kh x kw, as far apart: RETC_LAYER_MAXPOOL or RETC_LAYER_AVGPOOL. */
int retc_network_add_pool(retc_network *network, retc_layer_kind kind, size_t kh, size_t kw) RETC_USED;

/* Append the addition of layer `skip`'s output, whose channels must be as many and whose map must not be smaller. */
int retc_network_add_residual(retc_network *network, size_t skip) RETC_USED;

/* Append a convolution of K channels with a kernel kh x kw that is trained as a chain of linear convolutions without bias
 * (LinearStackedConv2d of torch-deep-retina): kernels of 3 x 3 with K channels between them, the last ones smaller where that
 * is what is left; a bias (K) belongs to the last.  The chain's parameters are convs.<j>.weight. */
int retc_network_add_stacked(retc_network *network, size_t K, size_t kh, size_t kw, int with_bias) RETC_USED;

/* The same of `links` kernels shape[j] (channels, channels before, rows, columns), which follow each other; link j is the
 * module convs.<number[j]>, numbers ascending.  Fails where shapes do not fit. */
int retc_network_add_chain(retc_network *network, size_t links, const size_t *shape, const size_t *number,
                           int with_bias) RETC_USED;

/* Append a dense readout of K cells, each with one weight per channel and one per position: parameters channel (K,C) and
 * space (K,h w). */
int retc_network_add_factorised(retc_network *network, size_t K, int with_bias) RETC_USED;

/* Append a convolution of K channels whose kernels, kh x kw (0: the whole map), are separable: parameters space (K,kh,kw) and
 * channel (K,C).  As the first layer each has one course over the history and one map, as bipolar cells have. */
int retc_network_add_separable(retc_network *network, size_t K, size_t kh, size_t kw, int with_bias) RETC_USED;

/* Skip a module number, as torch does for layers that compute nothing here (Flatten, Reshape). */
void retc_network_skip_module(retc_network *network);

/* Check that the last layer gives one value per cell.  Call when all layers are there. */
int retc_network_finish(const retc_network *network) RETC_USED;

/* Set the name of cell j (copied). */
int retc_network_set_cell_name(retc_network *network, size_t j, const char *name) RETC_USED;

/* Parameter by name, NULL when there is none (borrowed); its values. */
const retc_param *retc_network_param(const retc_network *network, const char *name);
float *retc_network_values(retc_network *network, int param);
const float *retc_network_values_const(const retc_network *network, int param);

/* Compute derived weights from the parameters that they come from.  Call after these have changed. */
void retc_network_derive(retc_network *network);

/* Carry the gradient (values) of derived weights to what they come from, where it is added; that of derived weights becomes 0.
 * The parameters must be those that the gradient was taken at.  Not for two threads at a time. */
void retc_network_derive_gradient(const retc_network *network, float *gradient);

/* He-uniform convolutions, from (seed, stream weights); chains and factors such that the variance passes through them alike;
 * weights of averages uniform in 0 ... 1, as torch-deep-retina begins. */
int retc_network_init(retc_network *network, uint64_t seed) RETC_USED;

/* Number of values that training changes: all but running statistics, knots and what is derived. */
size_t retc_network_trainable(const retc_network *network);

/* Number of floats of one frame of layer l's output: C h w. */
size_t retc_layer_units(const retc_layer *layer);

/* The unit of the output of layer `skip` that the residual addition `layer` adds to unit `unit` of its own: both maps have the
 * same middle, or the larger one has the odd row or column at its end. */
size_t retc_layer_middle(const retc_network *network, const retc_layer *layer, size_t unit);

/* Positions of the convolutions (the cuts at which contributions are taken): `cut` has room for network->layers. */
size_t retc_network_cuts(const retc_network *network, size_t *cut);

/* Positions (C,2) of the only values of layer l that are used, when that is a convolution behind the first layer, followed by a
 * grab layer, which no residual addition takes; else NULL (borrowed). */
const size_t *retc_network_grabbed(const retc_network *network, size_t l);

/* Residual additions that carry something past layer l: layers behind l that add the output of one before it.  Their number;
 * `at` (room for network->layers, or NULL) is set to the layers. */
size_t retc_network_bypasses(const retc_network *network, size_t l, size_t *at);

/* Is the output of layer l added again by a later layer? */
int retc_network_is_added_again(const retc_network *network, size_t l);

/* Weights of channel c of an average: p[c,l] = (w[c,l] - least) / total with least = min_l w[c,l], total = sum_l (w[c,l] -
 * least) (OneHot of torch-deep-retina).  A total of 0, equal weights, gives no average. */
void retc_average_weights(const retc_network *network, const retc_layer *layer, size_t c, double *least, double *total);

/* Scale and shift of a batch norm at inference for feature f: y = x * scale + shift. */
void retc_batchnorm_affine(const retc_network *network, const retc_layer *layer, size_t f, float *scale, float *shift);

#ifdef __cplusplus
}
#endif

#endif

#include "stacked.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 160, MOST_NUMBER = 9999 };

/* The number j of a member "<module>.convs.<j>.<tensor>" with this tensor, or -1. */
static long
number_of(const char *member, const char *module, const char *tensor) {
    size_t length = strlen(module);
    char *end = NULL;
    if (strncmp(member, module, length) != 0 || strncmp(member + length, ".convs.", 7) != 0)
        return -1;
    long j = strtol(member + length + 7, &end, 10);
    return end != member + length + 7 && *end == '.' && !strcmp(end + 1, tensor) && j >= 0 && j <= MOST_NUMBER ? j : -1;
}

static int
ascending(const void *a, const void *b) {
    long left = *(const long *)a, right = *(const long *)b;
    return (left > right) - (left < right);
}

/* Numbers of the chain's elements in order: those with a weight, and those with running statistics (retc_free). */
static int
find_chain(retc_h5 *file, const char *module, long **chain, size_t *n) {
    int status = RETC_OK;
    char **members = NULL;
    size_t count = 0;
    *n = 0;
    RETC_TRY(retc_h5_members(file, "/state_dict", &members, &count));
    RETC_TRY(RETC_ALLOC(*chain, 2 * count + 1));
    for (size_t i = 0; i < count; ++i) {
        long weight = number_of(members[i], module, "weight"), norm = number_of(members[i], module, "running_mean");
        /* A batch norm of torch has a weight as well: its statistics are what tells. */
        char statistics[NAME];
        snprintf(statistics, sizeof statistics, "/state_dict/%s.convs.%ld.running_mean", module, weight);
        if (norm >= 0 || (weight >= 0 && !retc_h5_has(file, statistics)))
            (*chain)[(*n)++] = norm >= 0 ? norm : weight;
    }
    qsort(*chain, *n, sizeof **chain, ascending);

done:
    retc_free(members);
    return status;
}

int
retc_stacked_is_there(retc_h5 *file, const char *module) {
    long *chain = NULL;
    size_t n = 0;
    int found = find_chain(file, module, &chain, &n) == RETC_OK && n > 0;
    retc_free(chain);
    return found;
}

/* Is there more to element j than its weight? */
static int
has_more(retc_h5 *file, const char *module, long j, int last) {
    static const char *const tensors[] = {"running_mean", "bias"};
    char name[NAME];
    for (int i = 0; i < (last ? 1 : 2); ++i) {
        snprintf(name, sizeof name, "/state_dict/%s.convs.%ld.%s", module, j, tensors[i]);
        if (retc_h5_has(file, name))
            return 1;
    }
    return 0;
}

int
retc_stacked_links(retc_h5 *file, const char *module, size_t *links, size_t **shape, size_t **number, int *with_bias) {
    int status = RETC_OK;
    long *chain = NULL;
    size_t n = 0;
    char name[NAME];
    *links = 0, *shape = NULL, *number = NULL;
    RETC_TRY(find_chain(file, module, &chain, &n));
    for (size_t i = 0; i < n; ++i)
        if (has_more(file, module, chain[i], i + 1 == n))
            goto done;
    RETC_TRY(RETC_ALLOC(*shape, 4 * n + 1));
    RETC_TRY(RETC_ALLOC(*number, n + 1));
    for (size_t i = 0; i < n; ++i) {
        snprintf(name, sizeof name, "/state_dict/%s.convs.%ld.weight", module, chain[i]);
        RETC_TRY(retc_h5_expect(file, name, 4, NULL, *shape + 4 * i));
        (*number)[i] = (size_t)chain[i];
    }
    if (n > 0)
        snprintf(name, sizeof name, "/state_dict/%s.convs.%ld.bias", module, chain[n - 1]);
    *with_bias = n > 0 && retc_h5_has(file, name);
    *links = n;
done:
    retc_free(chain);
    return status;
}

void
retc_kernel_clear(retc_kernel *kernel) {
    retc_free(kernel->weight);
    retc_free(kernel->bias);
    *kernel = (retc_kernel){0};
}

/* The tensor of an element, of rank `rank`; 1 when read, 0 when it is not there. */
static int
read_tensor(retc_h5 *file, const char *module, long j, const char *tensor, int rank, size_t *shape, double **values) {
    int status = RETC_OK;
    char name[NAME];
    void *read = NULL;
    size_t n = 1;
    snprintf(name, sizeof name, "/state_dict/%s.convs.%ld.%s", module, j, tensor);
    if (!retc_h5_has(file, name))
        return 0;
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, rank, shape, &read));
    *values = read;
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    for (size_t i = 0; i < n; ++i)
        if (!isfinite((*values)[i]))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds a value that is not finite, at element %zu", retc_h5_path(file),
                               name, i));
    status = 1;

done:
    return status;
}

/* The chain so far followed by the convolution `next`. */
static int
follow(const retc_kernel *first, const retc_kernel *next, retc_kernel *both) {
    int status = RETC_OK;
    *both = (retc_kernel){.K = next->K, .C = first->C, .h = first->h + next->h - 1, .w = first->w + next->w - 1};
    RETC_TRY(RETC_ALLOC(both->weight, both->K * both->C * both->h * both->w));
    RETC_TRY(RETC_ALLOC(both->bias, both->K));
    for (size_t o = 0; o < next->K; ++o) {
        both->bias[o] = next->bias[o];
        for (size_t k = 0; k < first->K; ++k)
            for (size_t tap = 0; tap < next->h * next->w; ++tap) {
                double s = next->weight[(o * next->C + k) * next->h * next->w + tap];
                size_t m = tap / next->w, n = tap % next->w;
                both->bias[o] += s * first->bias[k];
                for (size_t c = 0; c < first->C; ++c)
                    for (size_t i = 0; i < first->h; ++i)
                        for (size_t j = 0; j < first->w; ++j)
                            both->weight[((o * both->C + c) * both->h + i + m) * both->w + j + n] +=
                                s * first->weight[((k * first->C + c) * first->h + i) * first->w + j];
            }
    }

done:
    return status;
}

static int
add_convolution(retc_h5 *file, const char *module, long j, retc_kernel *kernel) {
    int status = RETC_OK;
    retc_kernel next = {0}, both = {0};
    size_t shape[4], biases = 0;
    status = read_tensor(file, module, j, "weight", 4, shape, &next.weight);
    RETC_TRY(status);
    next.K = shape[0], next.C = shape[1], next.h = shape[2], next.w = shape[3];
    if (kernel->K && next.C != kernel->K)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"/state_dict/%s.convs.%ld.weight\" takes %zu channels, the one before gives %zu",
                           retc_h5_path(file), module, j, next.C, kernel->K));
    status = read_tensor(file, module, j, "bias", 1, &biases, &next.bias);
    RETC_TRY(status);
    if (status == 0)
        RETC_TRY(RETC_ALLOC(next.bias, next.K));
    else if (biases != next.K)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"/state_dict/%s.convs.%ld.bias\" has %zu values, expected %zu",
                           retc_h5_path(file), module, j, biases, next.K));
    if (kernel->K) {
        RETC_TRY(follow(kernel, &next, &both));
        retc_kernel_clear(kernel);
        *kernel = both;
    } else {
        *kernel = next;
        next = (retc_kernel){0};
    }
    status = RETC_OK;

done:
    retc_kernel_clear(&next);
    return status;
}

/* y = (x - mean) / sqrt(var + eps) * |scale| + shift; torch's own batch norm calls them weight, which is signed, and bias. */
static int
add_batchnorm(retc_h5 *file, const char *module, long j, double eps, retc_kernel *kernel) {
    int status = RETC_OK, is_absolute;
    double *tensor[4] = {0};
    static const char *const names[4] = {"running_mean", "running_var", "scale", "shift"};
    static const char *const signed_names[4] = {"running_mean", "running_var", "weight", "bias"};
    char name[NAME];
    snprintf(name, sizeof name, "/state_dict/%s.convs.%ld.scale", module, j);
    is_absolute = retc_h5_has(file, name);
    for (int i = 0; i < 4; ++i) {
        size_t n = 0;
        const char *wanted = is_absolute ? names[i] : signed_names[i];
        status = read_tensor(file, module, j, wanted, 1, &n, &tensor[i]);
        RETC_TRY(status);
        if (status == 0 || n != kernel->K)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"/state_dict/%s.convs.%ld.%s\" has %zu values, expected %zu",
                               retc_h5_path(file), module, j, wanted, n, kernel->K));
    }
    for (size_t k = 0; k < kernel->K; ++k) {
        double gain = (is_absolute ? fabs(tensor[2][k]) : tensor[2][k]) / sqrt(tensor[1][k] + eps);
        if (!isfinite(gain))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                               "%s: \"/state_dict/%s.convs.%ld.running_var\" is %g at element %zu, expected a variance",
                               retc_h5_path(file), module, j, tensor[1][k], k));
        kernel->bias[k] = (kernel->bias[k] - tensor[0][k]) * gain + tensor[3][k];
        for (size_t i = 0, n = kernel->C * kernel->h * kernel->w; i < n; ++i)
            kernel->weight[k * n + i] *= gain;
    }
    status = RETC_OK;

done:
    for (int i = 0; i < 4; ++i)
        retc_free(tensor[i]);
    return status;
}

int
retc_stacked_collapse(retc_h5 *file, const char *module, double eps, retc_kernel *kernel) {
    int status = RETC_OK;
    long *chain = NULL;
    size_t n = 0;
    *kernel = (retc_kernel){0};
    RETC_TRY(find_chain(file, module, &chain, &n));
    for (size_t i = 0; i < n; ++i) {
        char name[NAME];
        snprintf(name, sizeof name, "/state_dict/%s.convs.%ld.running_mean", module, chain[i]);
        if (!retc_h5_has(file, name))
            RETC_TRY(add_convolution(file, module, chain[i], kernel));
        else if (kernel->K)
            RETC_TRY(add_batchnorm(file, module, chain[i], eps, kernel));
        else
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the stack %s begins with a batch norm, expected a convolution",
                               retc_h5_path(file), module));
    }
    if (!kernel->K)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has no convolutions \"/state_dict/%s.convs.<number>.weight\"", retc_h5_path(file),
                           module));

done:
    retc_free(chain);
    if (status < 0)
        retc_kernel_clear(kernel);
    return status;
}

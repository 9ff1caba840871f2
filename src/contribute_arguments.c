#include "contribute_arguments.h"

#include <math.h>
#include <string.h>

retc_target_arguments
retc_target_arguments_default(void) {
    return (retc_target_arguments){.name = "surprisal", .statistics = "train", .cells = {.n = 1}, .top = 2};
}

static int
make_cells(const retc_target_arguments *arguments, size_t N, retc_target *target) {
    size_t cell[RETC_MOST_NUMBERS];
    for (size_t i = 0; i < arguments->cells.n; ++i) {
        double number = arguments->cells.value[i];
        if (number != floor(number))
            return RETC_FAIL(RETC_EINVAL, "%.15g is not the number of a cell; these are whole and begin with 0", number);
        cell[i] = (size_t)number;
    }
    if (arguments->cells.n == 1)
        return retc_target_init(target, RETC_TARGET_CELL, N, cell[0]);
    return retc_target_init_cells(target, N, arguments->cells.n, cell);
}

/* All but surprisal; `option` becomes the one to blame. */
static int
make(const retc_target_arguments *arguments, size_t N, retc_target *target, const char **option) {
    *option = "--cell";
    if (strcmp(arguments->name, "cell") == 0)
        return make_cells(arguments, N, target);
    *option = "--top";
    if (strcmp(arguments->name, "topk") == 0)
        return retc_target_init(target, RETC_TARGET_TOP, N, arguments->top);
    *option = "--weights";
    if (strcmp(arguments->name, "linear") == 0)
        return retc_target_init_linear(target, N, arguments->weights.n, arguments->weights.value);
    *option = "--target";
    retc_target_kind kind = strcmp(arguments->name, "entropy") == 0       ? RETC_TARGET_ENTROPY
                            : strcmp(arguments->name, "contrastive") == 0 ? RETC_TARGET_CONTRASTIVE
                                                                          : RETC_TARGET_SUM;
    return retc_target_init(target, kind, N, 0);
}

int
retc_target_arguments_make(const retc_target_arguments *arguments, const retc_network *network, retc_recording *recording,
                           size_t threads, const retc_progress *progress, retc_target *target) {
    const char *option;
    if (strcmp(arguments->name, "surprisal") == 0) {
        retc_part part = strcmp(arguments->statistics, "train") == 0 ? RETC_TRAIN : RETC_TEST;
        return retc_target_init_surprisal(target, network, recording, part, arguments->softmax, threads, progress);
    }
    int status = make(arguments, network->N, target, &option);
    if (status >= 0 && arguments->softmax) {
        option = "--softmax";
        status = retc_target_through_softmax(target);
    }
    return status < 0 ? retc_error_prefix(status, "%s", option) : status;
}

void
retc_method_arguments_set(const retc_method_arguments *arguments, uint64_t seed, retc_contribute_options *contribute) {
    contribute->attribution.seed = seed;
    contribute->attribution.signed_cam = strcmp(arguments->cam, "signed") == 0;
    contribute->attribution.method = RETC_METHOD_PATH;
    for (int method = RETC_METHOD_ACT_GRAD; method <= RETC_METHOD_SHAPLEY; ++method)
        if (strcmp(arguments->name, retc_attribution_name((retc_attribution_method)method)) == 0)
            contribute->attribution.method = (retc_attribution_method)method;
    contribute->rule = strcmp(arguments->name, "trapezium") == 0 ? RETC_TRAPEZIUM : RETC_SECANT;
    if (contribute->rule == RETC_TRAPEZIUM && contribute->steps == 0)
        contribute->steps = 20;
}

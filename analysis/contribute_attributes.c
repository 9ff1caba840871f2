/* What a file of contributions says of itself: target, method, place, in attributes of its root. */
#include "contribute_internal.h"

static int
write_target(retc_h5 *file, const retc_target *target) {
    int status = RETC_OK;
    RETC_TRY(retc_h5_set_text(file, "/", "target", retc_target_name(target)));
    if (target->kind == RETC_TARGET_CELL)
        RETC_TRY(retc_h5_set_int(file, "/", "target_cell", (int64_t)target->cell));
    if (target->kind == RETC_TARGET_TOP)
        RETC_TRY(retc_h5_set_int(file, "/", "target_k", (int64_t)target->k));
    if (target->weight)
        RETC_TRY(retc_h5_put(file, "/metadata/target_weights", RETC_H5_DOUBLE, 1, &target->N, target->weight));
    RETC_TRY(retc_h5_set_int(file, "/", "softmax", target->softmax));
    if (target->still > 0)
        RETC_TRY(retc_h5_set_int(file, "/", "directions_without_variance", (int64_t)target->still));
done:
    return status;
}

static int
write_path(retc_h5 *file, const retc_contribute_options *options) {
    int status = RETC_OK;
    RETC_TRY(retc_h5_set_text(file, "/", "method", options->rule == RETC_SECANT ? "secant" : "trapezium"));
    if (options->steps) {
        RETC_TRY(retc_h5_set_int(file, "/", "steps", (int64_t)options->steps));
    } else {
        RETC_TRY(retc_h5_set_number(file, "/", "tolerance", options->tolerance));
        RETC_TRY(retc_h5_set_number(file, "/", "floor", options->floor));
        RETC_TRY(retc_h5_set_int(file, "/", "most_steps", (int64_t)options->most_steps));
    }
done:
    return status;
}

static int
write_method(retc_h5 *file, const retc_attribution_options *options) {
    int status = RETC_OK;
    retc_attribution_method method = options->method;
    RETC_TRY(retc_h5_set_text(file, "/", "method", retc_attribution_name(method)));
    if (method == RETC_METHOD_SMOOTH_GRAD || method == RETC_METHOD_SMOOTH_GRAD_CAM) {
        RETC_TRY(retc_h5_set_number(file, "/", "noise", options->noise));
        RETC_TRY(retc_h5_set_int(file, "/", "noise_samples", (int64_t)options->samples));
    }
    if (method == RETC_METHOD_SMOOTH_GRAD_CAM)
        RETC_TRY(retc_h5_set_text(file, "/", "cam_sums", options->signed_cam ? "signed" : "positive"));
    if (method == RETC_METHOD_KNOCK_OUT)
        RETC_TRY(retc_h5_set_text(file, "/", "knocked_out", options->per_unit ? "units" : "channels"));
    if (method == RETC_METHOD_SHAPLEY)
        RETC_TRY(retc_h5_set_int(file, "/", "orders", (int64_t)options->orders));
done:
    return status;
}

int
retc_contribute_write_attributes(retc_h5 *file, const retc_network *network, const retc_recording *recording,
                                 const retc_target *target, const retc_contribute_options *options) {
    int status = RETC_OK;
    static const char *const places[] = {"convolution", "norm", "nonlinearity"};
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "contributions"));
    RETC_TRY(write_target(file, target));
    if (options->attribution.method == RETC_METHOD_PATH)
        RETC_TRY(write_path(file, options));
    else
        RETC_TRY(write_method(file, &options->attribution));
    RETC_TRY(retc_h5_set_text(file, "/", "place", places[options->place]));
    RETC_TRY(retc_h5_set_int(file, "/", "lag", (int64_t)network->lag));
    RETC_TRY(retc_h5_set_number(file, "/", "frame_interval", retc_recording_frame_interval(recording)));
done:
    return status;
}

/* When a fit goes wrong: found at the step where it happens, and named. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit_internal.h"

static const double far_factor = 4; /* above the best by this many times the loss's size ... */
enum { FAR_EPOCHS = 3 };            /* ... for so many epochs in a row */

/* In double no square of a float overflows: the sum is finite if and only if all values are. */
static double
sum_of_squares(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

double
retc_fit_gradient_length(const retc_network *network, const float *gradient) {
    double sum = 0;
    for (size_t i = 0; i < network->params; ++i)
        if (network->param[i].trainable)
            sum += sum_of_squares(gradient + network->param[i].offset, network->param[i].size);
    return sqrt(sum);
}

/* `step` is the number of the step that it happened in. */
static int
end(retc_fit *f, const char *parameter, const char *what) {
    retc_fit_report *report = f->report;
    report->diverged = 1;
    report->diverged_at = f->state.step ? f->state.step - 1 : 0;
    snprintf(report->diverged_in, sizeof report->diverged_in, "%s", parameter);
    snprintf(report->diverged_how, sizeof report->diverged_how,
             "the fit diverged at step %zu (epoch %zu): %s; try a smaller --learning-rate, --clip 1 or a --warmup",
             report->diverged_at, f->state.epoch + 1, what);
    return RETC_FAIL(RETC_ENUMBER, "%s", report->diverged_how);
}

/* The first parameter with a value that is not finite, trained ones before statistics; NULL when there is none. */
static const retc_param *
not_finite(const retc_network *network, const float *value) {
    for (int trainable = 1; trainable >= 0; --trainable)
        for (size_t i = 0; i < network->params; ++i) {
            const retc_param *param = &network->param[i];
            if (!param->trainable == !trainable && !isfinite(sum_of_squares(value + param->offset, param->size)))
                return param;
        }
    return NULL;
}

/* Parameters come first: where one is no number, so is much of the gradient. */
int
retc_fit_check_finite(retc_fit *f, const float *gradient) {
    char what[RETC_NAME_SIZE + 60];
    const retc_param *value = not_finite(f->network, f->network->value);
    const retc_param *slope = !value && gradient ? not_finite(f->network, gradient) : NULL;
    if (!value && !slope)
        return RETC_OK;
    const char *name = value ? value->name : slope->name;
    snprintf(what, sizeof what, value ? "%s is not finite" : "the gradient of %s is not finite", name);
    return end(f, name, what);
}

/* The trained parameter with the largest value. */
static const retc_param *
largest(const retc_network *network, double *size) {
    const retc_param *result = &network->param[0];
    *size = 0;
    for (size_t i = 0; i < network->params; ++i)
        for (size_t k = 0; network->param[i].trainable && k < network->param[i].size; ++k) {
            double x = fabs((double)network->value[network->param[i].offset + k]);
            if (x > *size) {
                *size = x;
                result = &network->param[i];
            }
        }
    return result;
}

int
retc_fit_diverge(retc_fit *f, const char *what) {
    double size;
    char text[RETC_NAME_SIZE + 120];
    int status = retc_fit_check_finite(f, NULL);
    if (status < 0)
        return status;
    const retc_param *param = largest(f->network, &size);
    snprintf(text, sizeof text, "%s, and the largest parameters, up to %.3g, are in %s", what, size, param->name);
    return end(f, param->name, text);
}

int
retc_fit_check_far(retc_fit *f, double train_loss) {
    retc_fit_state *s = &f->state;
    double size = fmax(fabs(s->least_loss), fabs(s->first_loss));
    s->far = train_loss - s->least_loss > far_factor * size ? s->far + 1 : 0;
    s->least_loss = fmin(s->least_loss, train_loss);
    return s->far < FAR_EPOCHS ? RETC_OK : retc_fit_diverge(f, "the loss has been far above its best for three epochs");
}

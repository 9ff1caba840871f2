#include "loss.h"

#include <math.h>

static const double floor_count = 1e-8; /* keeps the logarithm of an expected count finite */

const char *
retc_loss_name(retc_loss loss) {
    static const char *const names[] = {"poisson", "gaussian", "bernoulli"};
    return (size_t)loss < sizeof names / sizeof *names ? names[loss] : NULL;
}

/* log(1 - exp(-x)) for x > 0, by whichever form loses no digits (Maechler 2012, "Accurately computing log(1 - exp(-|a|))"). */
static double
log_one_minus_exp(double x) {
    return x < 0.6931471805599453 ? log(-expm1(-x)) : log1p(-exp(-x));
}

double
retc_loss_of(retc_loss loss, double expected, double count) {
    switch (loss) {
    case RETC_LOSS_GAUSSIAN:
        return (expected - count) * (expected - count);
    case RETC_LOSS_BERNOULLI:
        return count > 0 ? -log_one_minus_exp(expected + floor_count) : expected;
    case RETC_LOSS_POISSON:
    default:
        return expected - count * log(expected + floor_count);
    }
}

/* d/de -log(1 - exp(-e)) = -exp(-e) / (1 - exp(-e)) = -1 / (exp(e) - 1). */
double
retc_loss_slope(retc_loss loss, double expected, double count) {
    switch (loss) {
    case RETC_LOSS_GAUSSIAN:
        return 2 * (expected - count);
    case RETC_LOSS_BERNOULLI:
        return count > 0 ? -1 / expm1(expected + floor_count) : 1;
    case RETC_LOSS_POISSON:
    default:
        return 1 - count / (expected + floor_count);
    }
}

double
retc_loss_sum(retc_loss loss, const float *rate, const float *count, size_t n, double frame_interval) {
    double sum = 0;
    for (size_t t = 0; t < n; ++t)
        sum += retc_loss_of(loss, (double)rate[t] * frame_interval, (double)count[t]);
    return sum;
}

void
retc_loss_gradient(retc_loss loss, const float *rate, const float *count, size_t n, double frame_interval, double weight,
                   float *gradient) {
    double share = weight * frame_interval;
    for (size_t t = 0; t < n; ++t)
        gradient[t] = (float)(share * retc_loss_slope(loss, (double)rate[t] * frame_interval, (double)count[t]));
}

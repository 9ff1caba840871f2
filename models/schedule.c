#include "schedule.h"

#include <math.h>

/* By multiplication: the same on every machine. */
static double
power(double base, size_t exponent) {
    double product = 1;
    for (size_t i = 0; i < exponent; ++i)
        product *= base;
    return product;
}

double
retc_schedule_factor(const retc_schedule *schedule, size_t epoch, size_t epochs, size_t decays) {
    switch (schedule->kind) {
    case RETC_SCHEDULE_PLATEAU:
        return power(schedule->decay, decays);
    case RETC_SCHEDULE_COSINE:
        return (1 + cos(M_PI * (double)epoch / (double)epochs)) / 2;
    case RETC_SCHEDULE_STEP:
        return power(schedule->decay, epoch / schedule->every);
    case RETC_SCHEDULE_EXPONENTIAL:
        return pow(schedule->decay, (double)epoch / (double)schedule->every);
    case RETC_SCHEDULE_CONSTANT:
    default:
        return 1;
    }
}

double
retc_schedule_warmup(const retc_schedule *schedule, size_t step) {
    return step < schedule->warmup ? (double)(step + 1) / (double)(schedule->warmup + 1) : 1;
}

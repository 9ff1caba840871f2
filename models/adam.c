#include "adam.h"

#include <math.h>

retc_adam_options
retc_adam_default(void) {
    return (retc_adam_options){.rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
}

void
retc_adam_step(const retc_adam_options *options, size_t step, const float *gradient, size_t n, float *m, float *v,
               float *value) {
    float b1 = (float)options->beta1, b2 = (float)options->beta2;
    double first = 1 - pow(options->beta1, (double)step), second = 1 - pow(options->beta2, (double)step);
    float rate = (float)(options->rate / first), root = (float)(1 / sqrt(second)), epsilon = (float)options->epsilon;
    float keep = (float)(1 - options->rate * options->weight_decay);
    for (size_t i = 0; i < n; ++i) {
        float g = gradient[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        value[i] = keep * value[i] - rate * m[i] / (sqrtf(v[i]) * root + epsilon);
    }
}

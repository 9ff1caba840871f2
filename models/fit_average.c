/* Averaging of parameters over the latest steps (Polyak & Juditsky 1992, SIAM J Control Optim 30:838; as an exponential mean,
 * Tarvainen & Valpola 2017): it takes out the jitter that a large learning rate leaves in them.  The running statistics of
 * batch norm are averaged with the weights that they belong to. */
#include "fit_internal.h"

/* The mean reaches back over a tenth of all steps until that is as long as asked: the start is soon forgotten. */
void
retc_fit_average_step(retc_fit *f) {
    if (f->options->average == 0)
        return;
    double reach = 1 + (double)f->state.step / 10, most = (double)f->options->average;
    float share = (float)(1 / (reach < most ? reach : most)), *average = f->state.average;
    for (size_t i = 0; i < f->network->values; ++i)
        average[i] += share * (f->network->value[i] - average[i]);
}

void
retc_fit_average_swap(retc_fit *f) {
    if (f->options->average == 0)
        return;
    for (size_t i = 0; i < f->network->values; ++i) {
        float value = f->network->value[i];
        f->network->value[i] = f->state.average[i];
        f->state.average[i] = value;
    }
    retc_network_derive(f->network);
}

/* Contributions of a whole part, collected from the blocks that they come in. */
#ifndef RETC_COLLECTED_H
#define RETC_COLLECTED_H

#include "contribute.h"

enum { COLLECTED_CUTS = 8 };

/* Everything that a part gives, over T samples. */
typedef struct {
    const retc_network *network;
    size_t T, cuts, cut[COLLECTED_CUTS];
    float *map[COLLECTED_CUTS], *reduced[COLLECTED_CUTS], *error[COLLECTED_CUTS]; /* (T,units), (T,2C), (T,C) */
    double *residual[COLLECTED_CUTS], *target, *target_zero;
} collected;

/* Contributions to every sample of the test part; a failure fails the test. */
collected collect(const retc_network *network, retc_recording *recording, const retc_target *target,
                  const retc_contribute_options *options);
void collected_clear(collected *a);

/* Defaults with another method, two threads, blocks of 24 frames. */
retc_contribute_options collect_by(retc_attribution_method method);

/* Sum over the map of channel c. */
double collected_channel(const collected *a, size_t k, size_t t, size_t c);

#endif

#include "predict_ensemble.h"

#include <string.h>

#include "ensemble.h"
#include "stats.h"

/* Add the prediction of one network to the sum, which the first one begins. */
static void
add(retc_prediction *sum, retc_prediction *one, double *pearson, double *explained_variance) {
    memcpy(pearson, one->pearson, one->N * sizeof *pearson);
    memcpy(explained_variance, one->explained_variance, one->N * sizeof *explained_variance);
    if (!sum->rate) {
        *sum = *one;
        *one = (retc_prediction){0};
        return;
    }
    for (size_t i = 0; i < sum->N * sum->T; ++i)
        sum->rate[i] += one->rate[i];
}

static void
take_mean(retc_prediction *sum, size_t members) {
    for (size_t i = 0; i < sum->N * sum->T; ++i)
        sum->rate[i] /= (float)members;
    for (size_t j = 0; j < sum->N; ++j) {
        const float *rate = sum->rate + j * sum->T, *measured = sum->measured + j * sum->T;
        sum->pearson[j] = retc_pearson(rate, measured, sum->T);
        sum->explained_variance[j] = retc_explained_variance(rate, measured, sum->T);
    }
}

int
retc_predict_ensemble(retc_h5 *file, retc_recording *recording, retc_part part, size_t threads, const retc_progress *progress,
                      retc_prediction *result, retc_prediction_members *members) {
    int status = RETC_OK;
    retc_network *network = NULL;
    retc_prediction one = {0};
    *result = (retc_prediction){0};
    *members = (retc_prediction_members){.members = retc_ensemble_members(file)};
    if (members->members == 0)
        return RETC_FAIL(RETC_EINVAL, "%s holds a single network, not an ensemble of fit --seeds or --folds",
                         retc_h5_path(file));
    for (size_t m = 0; m < members->members; ++m) {
        if (!(network = retc_ensemble_read(file, m)))
            RETC_TRY(RETC_EFORMAT);
        RETC_TRY(retc_predict(network, recording, part, threads, progress, &one));
        if (m == 0) {
            members->N = one.N;
            RETC_TRY(RETC_ALLOC(members->pearson, members->members * one.N));
            RETC_TRY(RETC_ALLOC(members->explained_variance, members->members * one.N));
        }
        add(result, &one, members->pearson + m * members->N, members->explained_variance + m * members->N);
        retc_prediction_clear(&one);
        retc_network_free(network);
        network = NULL;
    }
    take_mean(result, members->members);
done:
    retc_prediction_clear(&one);
    retc_network_free(network);
    if (status < 0) {
        retc_prediction_clear(result);
        retc_prediction_members_clear(members);
    }
    return status;
}

void
retc_prediction_members_clear(retc_prediction_members *members) {
    retc_free(members->pearson);
    retc_free(members->explained_variance);
    *members = (retc_prediction_members){0};
}

int
retc_prediction_members_write(const retc_prediction_members *members, retc_h5 *file) {
    int status = RETC_OK;
    const size_t shape[2] = {members->members, members->N};
    RETC_TRY(retc_h5_put(file, "/ensemble/pearson", RETC_H5_DOUBLE, 2, shape, members->pearson));
    RETC_TRY(retc_h5_put(file, "/ensemble/explained_variance", RETC_H5_DOUBLE, 2, shape, members->explained_variance));
done:
    return status;
}

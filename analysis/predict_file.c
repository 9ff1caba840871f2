#include "predict_file.h"

#include <stdio.h>

static int
write_axis(const retc_prediction *p, double dt, const char *part, retc_h5 *file) {
    int status = RETC_OK;
    int64_t *frame = NULL;
    double *time = NULL;
    char name[32];
    RETC_TRY(RETC_ALLOC(frame, p->T));
    RETC_TRY(RETC_ALLOC(time, p->T));
    for (size_t t = 0; t < p->T; ++t) {
        frame[t] = (int64_t)p->frame[t];
        time[t] = (double)p->frame[t] * dt;
    }
    snprintf(name, sizeof name, "/%s/frame", part);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_INT64, 1, &p->T, frame));
    snprintf(name, sizeof name, "/%s/time", part);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &p->T, time));
done:
    retc_free(frame);
    retc_free(time);
    return status;
}

int
retc_prediction_write(const retc_prediction *p, const retc_network *network, const retc_recording *recording, retc_part part,
                      retc_h5 *file) {
    int status = RETC_OK;
    const char *part_name = part == RETC_TEST ? "test" : "train";
    size_t shape[2] = {p->N, p->T};
    char name[32];
    double dt = retc_recording_frame_interval(recording);
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "predictions"));
    RETC_TRY(retc_h5_set_text(file, "/", "model_type", network->model_type));
    RETC_TRY(retc_h5_set_text(file, "/", "part", part_name));
    RETC_TRY(retc_h5_set_number(file, "/", "frame_interval", dt));
    snprintf(name, sizeof name, "/%s/rate", part_name);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, 2, shape, p->rate));
    snprintf(name, sizeof name, "/%s/measured", part_name);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, 2, shape, p->measured));
    RETC_TRY(write_axis(p, dt, part_name, file));
    RETC_TRY(retc_h5_put_texts(file, "/cell_names", p->N, (const char *const *)network->cell_name));
done:
    return status;
}

/* One score of n cells, which are RETC_SCORES apart, and its intervals. */
static int
write_score(const retc_score *score, size_t n, const char *group, size_t k, int with_intervals, retc_h5 *file) {
    static const char *const suffix[2] = {"68", "95"};
    int status = RETC_OK;
    double *column = NULL;
    char name[96];
    RETC_TRY(RETC_ALLOC(column, 2 * n));
    for (size_t i = 0; i < n; ++i)
        column[i] = score[i * RETC_SCORES + k].value;
    snprintf(name, sizeof name, "%s/%s", group, retc_score_names[k]);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &n, column));
    RETC_TRY(retc_h5_set_text(file, name, "unit", retc_score_units[k]));
    for (size_t level = 0; with_intervals && level < 2; ++level) {
        for (size_t i = 0; i < n; ++i) {
            column[2 * i] = score[i * RETC_SCORES + k].low[level];
            column[2 * i + 1] = score[i * RETC_SCORES + k].high[level];
        }
        snprintf(name, sizeof name, "%s/%s_%s", group, retc_score_names[k], suffix[level]);
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 2, (size_t[]){n, 2}, column));
        RETC_TRY(retc_h5_set_text(file, name, "unit", retc_score_units[k]));
    }
done:
    retc_free(column);
    return status;
}

int
retc_prediction_scores_write(const retc_prediction_scores *scores, retc_h5 *file) {
    int status = RETC_OK;
    for (size_t k = 0; k < RETC_SCORES; ++k) {
        RETC_TRY(write_score(scores->cell, scores->N, "/score", k, scores->draws > 0, file));
        RETC_TRY(write_score(scores->mean, 1, "/score/mean", k, scores->draws > 0, file));
    }
    RETC_TRY(retc_h5_set_int(file, "/score", "repeats", (int64_t)scores->repeats));
    RETC_TRY(retc_h5_set_int(file, "/score", "draws", (int64_t)scores->draws));
    RETC_TRY(retc_h5_set_text(file, "/score", "interval_columns", "low, high"));
done:
    return status;
}

static int
write_indices(retc_h5 *file, const char *name, const size_t *value, size_t n) {
    int64_t *copy = NULL;
    int status = RETC_ALLOC(copy, n);
    for (size_t i = 0; status == RETC_OK && i < n; ++i)
        copy[i] = (int64_t)value[i];
    if (status == RETC_OK)
        status = retc_h5_put(file, name, RETC_H5_INT64, 1, &n, copy);
    retc_free(copy);
    return status;
}

int
retc_match_write(const retc_match *match, const retc_recording *recording, retc_h5 *file) {
    int status = RETC_OK;
    const char **names = NULL;
    RETC_TRY(RETC_ALLOC(names, match->I));
    for (size_t i = 0; i < match->I; ++i)
        names[i] = retc_recording_interneuron_name(recording, i);
    RETC_TRY(retc_h5_put_texts(file, "/interneurons/names", match->I, names));
    RETC_TRY(retc_h5_put(file, "/interneurons/correlation", RETC_H5_DOUBLE, 1, &match->I, match->correlation));
    RETC_TRY(write_indices(file, "/interneurons/layer", match->layer, match->I));
    RETC_TRY(write_indices(file, "/interneurons/channel", match->channel, match->I));
    RETC_TRY(write_indices(file, "/interneurons/row", match->row, match->I));
    RETC_TRY(write_indices(file, "/interneurons/column", match->column, match->I));
done:
    retc_free(names);
    return status;
}

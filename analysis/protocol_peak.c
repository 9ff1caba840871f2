/* Peaks of responses, and motion anticipation, which is read off them. */
#include <math.h>
#include <string.h>

#include "protocol_internal.h"

/* ---- peaks ----------------------------------------------------------------------------------------------------------- */

/* Smoothed rate in bin b; bins that no trial reaches count as if they were not there. */
static double
smoothed(const retc_protocol_response *r, const double *psth, double smoothing, size_t b) {
    double sum = 0, weights = 0, sigma = smoothing / r->bin;
    long reach = (long)ceil(4 * sigma);
    for (long k = -reach; k <= reach; ++k) {
        long at = (long)b + k;
        if (at < 0 || at >= (long)r->bins || !isfinite(psth[at]))
            continue;
        double weight = exp(-(double)(k * k) / (2 * sigma * sigma));
        sum += weight * psth[at];
        weights += weight;
    }
    return weights > 0 ? sum / weights : (double)NAN;
}

double
retc_protocol_peak(const retc_protocol_response *r, const double *psth, double smoothing, double from, double to,
                   double *time) {
    double highest = -1;
    size_t best = r->bins;
    for (size_t b = 0; b < r->bins; ++b) {
        double t = ((double)b - (double)r->bins_before + 0.5) * r->bin, rate = smoothed(r, psth, smoothing, b);
        if (isfinite(psth[b]) && t >= from && t < to && rate > highest) {
            highest = rate;
            best = b;
        }
    }
    if (time)
        *time = (double)NAN;
    if (time && best > 0 && best + 1 < r->bins) {
        double before = smoothed(r, psth, smoothing, best - 1), after = smoothed(r, psth, smoothing, best + 1),
               bend = before - 2 * highest + after;
        double shift = bend < 0 ? (before - after) / (2 * bend) : 0;
        *time = fabs(shift) <= 1 ? ((double)best - (double)r->bins_before + 0.5 + shift) * r->bin : (double)NAN;
    }
    return best < r->bins ? highest : (double)NAN;
}

/* A peak that stands out: at least twice the mean rate before the trials, where that is known. */
static int
stands_out(const retc_protocol_response *r, size_t cell, double rate) {
    return rate > 0 && !(rate < 2 * r->baseline[cell]);
}

/* ---- motion anticipation --------------------------------------------------------------------------------------------- */

/* Does a condition agree with `like` in all but what tells motions and flashes apart? */
static int
same_bar(const retc_protocol_response *r, size_t condition, size_t like) {
    static const char *const others[] = {"direction", "speed", "centre_time", "place"};
    for (size_t p = 0; p < r->trials.parameters; ++p) {
        const retc_parameter *parameter = &r->trials.parameter[p];
        int compared = 1;
        for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
            compared &= strcmp(parameter->name, others[i]) != 0;
        if (compared && parameter->value[condition] != parameter->value[like])
            return 0;
    }
    return 1;
}

/* The same bar on its way back, C when there is none. */
static size_t
way_back(const retc_protocol_response *r, size_t there) {
    const double *directions = retc_protocol_values(r, "direction"), *speeds = retc_protocol_values(r, "speed");
    for (size_t i = 0; i < r->trials.conditions; ++i)
        if (same_bar(r, i, there) && speeds[i] == speeds[there] && fmod(fabs(directions[i] - directions[there]), 360) == 180)
            return i;
    return r->trials.conditions;
}

/* The flash of the same bar, along the same line, that the cell answers most; C when there is none. */
static size_t
best_flash(const retc_protocol_response *r, size_t cell, size_t there) {
    const double *directions = retc_protocol_values(r, "direction"), *speeds = retc_protocol_values(r, "speed");
    size_t C = r->trials.conditions, best = C;
    double highest = -1;
    for (size_t i = 0; i < C; ++i) {
        if (speeds[i] != 0 || !same_bar(r, i, there) || fmod(fabs(directions[i] - directions[there]), 180) != 0)
            continue;
        double rate = retc_protocol_peak(r, retc_protocol_psth(r, cell, i), RETC_SMOOTHING, 0, (double)INFINITY, NULL);
        if (rate > highest) {
            highest = rate;
            best = i;
        }
    }
    return best;
}

/* Lag behind the moving bar, and latency after the flash, of one pair of opposite directions; 1 when both are there. */
static int
pair_of_motions(const retc_protocol_response *r, size_t cell, size_t there, double *lag, double *latency) {
    const double *centres = retc_protocol_values(r, "centre_time");
    double end = (double)INFINITY, t_there = 0, t_back = 0;
    size_t C = r->trials.conditions, back = way_back(r, there), flash = best_flash(r, cell, there);
    if (back == C || flash == C)
        return 0;
    int found =
        stands_out(r, cell, retc_protocol_peak(r, retc_protocol_psth(r, cell, there), RETC_SMOOTHING, 0, end, &t_there)) &&
        stands_out(r, cell, retc_protocol_peak(r, retc_protocol_psth(r, cell, back), RETC_SMOOTHING, 0, end, &t_back)) &&
        stands_out(r, cell, retc_protocol_peak(r, retc_protocol_psth(r, cell, flash), RETC_SMOOTHING, 0, end, latency));
    /* A cell at place x along the direction is passed x / speed after the centre time, and on the way back x / speed before it:
     * the mean of both is the lag, wherever the cell is. */
    *lag = (t_there - centres[there] + t_back - centres[back]) / 2;
    return found && isfinite(*lag) && isfinite(*latency);
}

int
retc_index_add_anticipation(retc_index_list *list) {
    int status = RETC_OK;
    const retc_protocol_response *r = list->r;
    const double *direction = retc_protocol_values(r, "direction"), *speed = retc_protocol_values(r, "speed");
    double *flash = NULL, *motion = NULL, *ahead = NULL, lag, latency;
    size_t C = r->trials.conditions, still = 0;
    for (size_t i = 0; speed && i < C; ++i)
        still += speed[i] == 0;
    if (!speed || !direction || !retc_protocol_values(r, "centre_time") || still == 0 || still == C)
        return RETC_OK;
    RETC_TRY(retc_index_add(list, "flash_latency", "ms", "peak of the response after the onset of the flashed bar", &flash));
    RETC_TRY(retc_index_add(list, "motion_lag", "ms", "peak of the response after the moving bar's middle passed the cell",
                            &motion));
    RETC_TRY(retc_index_add(list, "anticipation", "ms", "latency of the flash less lag of the moving bar", &ahead));
    for (size_t j = 0; j < r->cells; ++j) {
        double sums[2] = {0, 0}, n = 0;
        for (size_t i = 0; i < C; ++i)
            if (speed[i] > 0 && fmod(direction[i] + 360, 360) < 180 && pair_of_motions(r, j, i, &lag, &latency)) {
                sums[0] += 1000 * latency;
                sums[1] += 1000 * lag;
                n += 1;
            }
        flash[j] = n > 0 ? sums[0] / n : (double)NAN;
        motion[j] = n > 0 ? sums[1] / n : (double)NAN;
        ahead[j] = flash[j] - motion[j];
    }

done:
    return status;
}

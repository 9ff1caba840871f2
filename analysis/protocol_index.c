#include "protocol_internal.h"

#include <math.h>
#include <string.h>

#define RESPONSE_WINDOW 0.4 /* s, after an event */
#define MOST_INDICES 16

int
retc_index_add(retc_index_list *list, const char *name, const char *unit, const char *meaning, double **value) {
    int status = RETC_OK;
    retc_protocol_index *index = &list->index[list->n];
    *index = (retc_protocol_index){.name = name, .unit = unit, .meaning = meaning};
    RETC_TRY(RETC_ALLOC(index->value, list->r->cells));
    for (size_t j = 0; j < list->r->cells; ++j)
        index->value[j] = (double)NAN;
    *value = index->value;
    list->n += 1;

done:
    return status;
}

const double *
retc_protocol_values(const retc_protocol_response *r, const char *parameter) {
    const retc_parameter *found = retc_trials_parameter(&r->trials, parameter);
    return found ? found->value : NULL;
}

static double
rate_of(const retc_protocol_response *r, size_t cell, size_t condition) {
    return r->rate[cell * r->trials.conditions + condition];
}

const double *
retc_protocol_psth(const retc_protocol_response *r, size_t cell, size_t condition) {
    return r->psth + (cell * r->trials.conditions + condition) * r->bins;
}

static size_t
count_values(const double *value, size_t n) {
    size_t different = 0;
    for (size_t i = 0; value && i < n; ++i) {
        size_t before = 0;
        while (before < i && value[before] != value[i])
            ++before;
        different += before == i;
    }
    return different;
}

/* Do two conditions agree in all parameters but one (and but times, which follow from the others)? */
static int
same_group(const retc_protocol_response *r, size_t a, size_t b, const char *but) {
    for (size_t p = 0; p < r->trials.parameters; ++p) {
        const retc_parameter *parameter = &r->trials.parameter[p];
        size_t length = strlen(parameter->name);
        int is_time = length > 5 && strcmp(parameter->name + length - 5, "_time") == 0;
        if (!is_time && strcmp(parameter->name, but) != 0 && parameter->value[a] != parameter->value[b])
            return 0;
    }
    return 1;
}

/* Is this condition the first of its group? */
static int
leads_group(const retc_protocol_response *r, size_t condition, const char *but) {
    for (size_t i = 0; i < condition; ++i)
        if (same_group(r, i, condition, but))
            return 0;
    return 1;
}

static double
contrast_of(double a, double b) {
    return a + b > 0 ? (a - b) / (a + b) : (double)NAN;
}

/* ---- harmonics ------------------------------------------------------------------------------------------------------- */

double
retc_protocol_harmonic(const retc_protocol_response *r, size_t cell, size_t condition, unsigned harmonic) {
    const double *frequencies = retc_protocol_values(r, "temporal_frequency"), *psth = retc_protocol_psth(r, cell, condition);
    if (!frequencies)
        return (double)NAN;
    double f = frequencies[condition], cycles = floor(retc_protocol_response_duration(r, condition) * f + 1e-6);
    double from = cycles > 1 ? 1 / f : 0, to = cycles / f, mean = 0, re = 0, im = 0;
    size_t n = 0;
    if (!(cycles >= 1))
        return (double)NAN;
    for (int pass = 0; pass < 2; ++pass) /* the mean first: bins need not divide a cycle */
        for (size_t b = r->bins_before; b < r->bins; ++b) {
            double t = ((double)(b - r->bins_before) + 0.5) * r->bin;
            if (t < from || t >= to || !isfinite(psth[b]))
                continue;
            if (pass == 0) {
                mean += psth[b];
                n += 1;
            } else {
                re += (psth[b] - mean / (double)n) * cos(2 * M_PI * harmonic * f * t);
                im += (psth[b] - mean / (double)n) * sin(2 * M_PI * harmonic * f * t);
            }
        }
    if (n == 0)
        return (double)NAN;
    return harmonic == 0 ? mean / (double)n : 2 * hypot(re, im) / (double)n;
}

static int
add_harmonics(retc_index_list *list) {
    int status = RETC_OK;
    const retc_protocol_response *r = list->r;
    size_t C = r->trials.conditions;
    double *linear = NULL, *doubling = NULL;
    if (!retc_protocol_values(r, "temporal_frequency"))
        return RETC_OK;
    RETC_TRY(retc_index_add(list, "f1_f0", "",
                            "first harmonic over mean rate, in the condition with the largest first harmonic", &linear));
    if (count_values(retc_protocol_values(r, "phase"), C) > 1)
        RETC_TRY(retc_index_add(list, "f2_f1", "", "mean second harmonic over phases / largest first harmonic", &doubling));
    for (size_t j = 0; j < r->cells; ++j) {
        double largest = -1, strongest = -1;
        for (size_t i = 0; i < C; ++i) {
            double f1 = retc_protocol_harmonic(r, j, i, 1);
            if (f1 > largest) {
                largest = f1;
                linear[j] = f1 / retc_protocol_harmonic(r, j, i, 0);
            }
            if (!doubling || !leads_group(r, i, "phase"))
                continue;
            double sum = 0, first = 0, members = 0;
            for (size_t k = i; k < C; ++k)
                if (same_group(r, i, k, "phase")) {
                    sum += retc_protocol_harmonic(r, j, k, 2);
                    first = fmax(first, retc_protocol_harmonic(r, j, k, 1));
                    members += 1;
                }
            if (sum / members + first > strongest) {
                strongest = sum / members + first;
                doubling[j] = first > 0 ? sum / members / first : (double)NAN;
            }
        }
    }

done:
    return status;
}

/* ---- directions ------------------------------------------------------------------------------------------------------ */

/* What counts as the response to a direction: of gratings the mean rate over whole cycles without the first, as where it begins
 * differs between directions; of what passes once the peak above the rate before; else the mean rate. */
static double
directed_response(const retc_protocol_response *r, size_t cell, size_t condition) {
    double mean = retc_protocol_harmonic(r, cell, condition, 0), before = r->baseline[cell];
    if (isfinite(mean))
        return mean;
    if (!retc_protocol_values(r, "speed"))
        return rate_of(r, cell, condition);
    return fmax(0,
                retc_protocol_peak(r, retc_protocol_psth(r, cell, condition), RETC_SMOOTHING_SLOW, 0, (double)INFINITY, NULL) -
                    (isfinite(before) ? before : 0));
}

/* Length of a sum of vectors over the sum of their lengths; 0 where nothing but rounding is left of it. */
static double
resultant(double re, double im, double sum) {
    double length = hypot(re, im) / sum;
    return length > 1e-9 ? length : 0;
}

static int
add_directions(retc_index_list *list) {
    int status = RETC_OK;
    const retc_protocol_response *r = list->r;
    const double *direction = retc_protocol_values(r, "direction");
    size_t C = r->trials.conditions;
    double *index = NULL, *orientation = NULL, *preferred = NULL;
    if (count_values(direction, C) < 3)
        return RETC_OK;
    RETC_TRY(retc_index_add(list, "direction_index", "", "|sum of r exp(i direction)| / sum of r of mean rates r", &index));
    RETC_TRY(retc_index_add(list, "orientation_index", "", "|sum of r exp(2 i direction)| / sum of r", &orientation));
    RETC_TRY(retc_index_add(list, "preferred_direction", "degrees", "angle of the sum of r exp(i direction)", &preferred));
    for (size_t j = 0; j < r->cells; ++j) {
        double strongest = 0;
        for (size_t i = 0; i < C; ++i) {
            double sum = 0, re = 0, im = 0, re2 = 0, im2 = 0;
            for (size_t k = i; leads_group(r, i, "direction") && k < C; ++k) {
                double rate = directed_response(r, j, k), angle = direction[k] * M_PI / 180;
                if (!same_group(r, i, k, "direction"))
                    continue;
                sum += rate;
                re += rate * cos(angle), im += rate * sin(angle);
                re2 += rate * cos(2 * angle), im2 += rate * sin(2 * angle);
            }
            if (!(sum > strongest))
                continue;
            strongest = sum;
            index[j] = resultant(re, im, sum);
            orientation[j] = resultant(re2, im2, sum);
            preferred[j] = index[j] > 0 ? fmod(atan2(im, re) * 180 / M_PI + 360, 360) : (double)NAN;
        }
    }

done:
    return status;
}

/* ---- single conditions against each other ------------------------------------------------------------------------------ */

static int
add_object_motion(retc_index_list *list) {
    int status = RETC_OK;
    const retc_protocol_response *r = list->r;
    const double *object = retc_protocol_values(r, "object"), *background = retc_protocol_values(r, "background");
    double *index = NULL;
    size_t C = r->trials.conditions, apart = C, together = C;
    for (size_t i = 0; object && background && i < C; ++i)
        if (object[i] > 0 && background[i] != 0)
            *(background[i] < 0 ? &apart : &together) = i;
    if (apart == C || together == C)
        return RETC_OK;
    RETC_TRY(retc_index_add(list, "object_motion_index", "",
                            "(d - g) / (d + g) of mean rates in differential and in global motion", &index));
    for (size_t j = 0; j < r->cells; ++j)
        index[j] = contrast_of(rate_of(r, j, apart), rate_of(r, j, together));

done:
    return status;
}

static int
add_on_off(retc_index_list *list) {
    int status = RETC_OK;
    const retc_protocol_response *r = list->r;
    const double *contrast = retc_protocol_values(r, "contrast");
    double *index = NULL;
    size_t C = r->trials.conditions, signs[2] = {0, 0};
    for (size_t i = 0; contrast && i < C; ++i)
        signs[contrast[i] > 0] += contrast[i] != 0;
    if (!signs[0] || !signs[1] || retc_protocol_values(r, "direction"))
        return RETC_OK;
    RETC_TRY(
        retc_index_add(list, "on_off_index", "", "(on - off) / (on + off) of mean rates in bright and in dark trials", &index));
    for (size_t j = 0; j < r->cells; ++j) {
        double sums[2] = {0, 0};
        for (size_t i = 0; i < C; ++i)
            if (contrast[i] != 0)
                sums[contrast[i] > 0] += rate_of(r, j, i) / (double)signs[contrast[i] > 0];
        index[j] = contrast_of(sums[1], sums[0]);
    }

done:
    return status;
}

/* Strongest peak over the conditions whose `parameter` has this value, between two times that `when` (NULL: 0) shifts. */
static double
strongest_peak(const retc_protocol_response *r, size_t cell, const double *parameter, double value, const double *when,
               double to) {
    double highest = (double)NAN;
    for (size_t i = 0; i < r->trials.conditions; ++i)
        if (!parameter || parameter[i] == value)
            highest = fmax(highest, retc_protocol_peak(r, retc_protocol_psth(r, cell, i), RETC_SMOOTHING, when ? when[i] : 0,
                                                       (when ? when[i] : 0) + to, NULL));
    return highest;
}

static int
add_events(retc_index_list *list) {
    int status = RETC_OK;
    const retc_protocol_response *r = list->r;
    const double *turns = retc_protocol_values(r, "turns"), *turn = retc_protocol_values(r, "reversal_time"),
                 *omitted = retc_protocol_values(r, "omission_time");
    const double *approach = retc_protocol_values(r, "approach");
    double *index = NULL, whole = (double)r->bins * r->bin;
    if (turns && turn) {
        RETC_TRY(retc_index_add(list, "reversal_index", "", "(p - c) / (p + c) of peak rates after the turn and in the control",
                                &index));
        for (size_t j = 0; j < r->cells; ++j)
            index[j] = contrast_of(strongest_peak(r, j, turns, 1, turn, RESPONSE_WINDOW),
                                   strongest_peak(r, j, turns, 0, turn, RESPONSE_WINDOW));
    }
    if (omitted) {
        RETC_TRY(retc_index_add(list, "omission_index", "",
                                "(p - b) / (p + b) of the peak rate after the omission and the mean before", &index));
        for (size_t j = 0; j < r->cells; ++j)
            index[j] = contrast_of(strongest_peak(r, j, NULL, 0, omitted, RESPONSE_WINDOW), r->baseline[j]);
    }
    if (count_values(approach, r->trials.conditions) > 1) {
        RETC_TRY(retc_index_add(list, "approach_index", "",
                                "(a - m) / (a + m) of peak rates in approach and in what is no approach", &index));
        for (size_t j = 0; j < r->cells; ++j)
            index[j] = contrast_of(
                strongest_peak(r, j, approach, 1, NULL, whole),
                fmax(strongest_peak(r, j, approach, 0, NULL, whole), strongest_peak(r, j, approach, -1, NULL, whole)));
    }

done:
    return status;
}

/* A diameter of 0 is the whole screen, the largest of all. */
static int
add_suppression(retc_index_list *list) {
    int status = RETC_OK;
    const retc_protocol_response *r = list->r;
    const double *diameter = retc_protocol_values(r, "diameter");
    size_t C = r->trials.conditions;
    double *index = NULL;
    if (count_values(diameter, C) < 3 || retc_protocol_values(r, "speed"))
        return RETC_OK;
    RETC_TRY(retc_index_add(list, "surround_suppression", "", "1 - rate with the largest disc / largest rate", &index));
    for (size_t j = 0; j < r->cells; ++j) {
        double strongest = 0;
        for (size_t i = 0; i < C; ++i) {
            double most = 0, at_largest = 0, largest = -1;
            for (size_t k = i; leads_group(r, i, "diameter") && k < C; ++k) {
                double size = diameter[k] > 0 ? diameter[k] : (double)INFINITY;
                if (!same_group(r, i, k, "diameter"))
                    continue;
                most = fmax(most, rate_of(r, j, k));
                at_largest = size > largest ? rate_of(r, j, k) : at_largest;
                largest = fmax(largest, size);
            }
            if (most > strongest) {
                strongest = most;
                index[j] = 1 - at_largest / most;
            }
        }
    }

done:
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

int
retc_protocol_indices(const retc_protocol_response *response, retc_protocol_index **indices, size_t *n) {
    int status = RETC_OK;
    retc_index_list list = {.r = response};
    RETC_TRY(RETC_ALLOC(list.index, MOST_INDICES));
    RETC_TRY(retc_index_add_anticipation(&list));
    if (list.n == 0)
        RETC_TRY(add_directions(&list));
    RETC_TRY(add_harmonics(&list));
    RETC_TRY(add_object_motion(&list));
    RETC_TRY(add_on_off(&list));
    RETC_TRY(add_events(&list));
    RETC_TRY(add_suppression(&list));

done:
    *indices = list.index;
    *n = list.n;
    return status;
}

void
retc_protocol_indices_free(retc_protocol_index *indices, size_t n) {
    for (size_t i = 0; i < n; ++i)
        retc_free(indices[i].value);
    retc_free(indices);
}

const retc_protocol_index *
retc_protocol_main_index(const retc_protocol_index *indices, size_t n) {
    static const char *const order[] = {
        "anticipation",   "direction_index", "object_motion_index",  "f2_f1",        "gain_ratio", "reversal_index",
        "omission_index", "approach_index",  "surround_suppression", "on_off_index", "f1_f0"};
    for (size_t k = 0; k < sizeof order / sizeof *order; ++k)
        for (size_t i = 0; i < n; ++i)
            if (strcmp(indices[i].name, order[k]) == 0)
                return &indices[i];
    return NULL;
}

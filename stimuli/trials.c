#include "trials.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int
retc_trials_alloc(retc_trials *trials, size_t conditions, size_t parameters, size_t count) {
    int status = RETC_OK;
    *trials = (retc_trials){.conditions = conditions, .trials = count};
    RETC_TRY(RETC_ALLOC(trials->trial, count));
    RETC_TRY(RETC_ALLOC(trials->parameter, parameters));
    trials->parameters = parameters;
    for (size_t p = 0; p < parameters; ++p)
        RETC_TRY(RETC_ALLOC(trials->parameter[p].value, conditions));

done:
    return status;
}

void
retc_trials_free(retc_trials *trials) {
    for (size_t p = 0; p < trials->parameters; ++p)
        retc_free(trials->parameter[p].value);
    retc_free(trials->parameter);
    retc_free(trials->trial);
    *trials = (retc_trials){0};
}

const retc_parameter *
retc_trials_parameter(const retc_trials *trials, const char *name) {
    for (size_t p = 0; p < trials->parameters; ++p)
        if (strcmp(trials->parameter[p].name, name) == 0)
            return &trials->parameter[p];
    return NULL;
}

static int
differs(const retc_parameter *parameter, size_t conditions) {
    for (size_t c = 1; c < conditions; ++c)
        if (parameter->value[c] != parameter->value[0])
            return 1;
    return 0;
}

char *
retc_trials_condition_text(const retc_trials *trials, size_t condition) {
    char text[512] = "";
    size_t used = 0;
    for (size_t p = 0; p < trials->parameters && used < sizeof text; ++p) {
        const retc_parameter *parameter = &trials->parameter[p];
        if (differs(parameter, trials->conditions))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %.6g%s%s", used ? ", " : "", parameter->name,
                                     parameter->value[condition], parameter->unit[0] ? " " : "", parameter->unit);
    }
    return retc_strdup(used ? text : "all");
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

/* "conditions/<name>" below `group`, in a static length that every name here fits. */
typedef struct {
    char text[160];
} object_name;

static object_name
name_below(const char *group, const char *table, const char *name) {
    object_name object;
    snprintf(object.text, sizeof object.text, "%s%s%s%s%s", group, group[0] ? "/" : "", table, name[0] ? "/" : "", name);
    return object;
}

int
retc_trials_has(retc_h5 *file, const char *group) {
    return (!group[0] || retc_h5_has(file, group)) && retc_h5_has(file, name_below(group, "trials", "").text) &&
           retc_h5_has(file, name_below(group, "trials", "condition").text);
}

typedef enum { CONDITION, START_FRAME, FRAMES, ONSET, DURATION, COLUMNS } trial_column;

static const char *const column_names[COLUMNS] = {"condition", "start_frame", "frames", "onset", "duration"};

static int
write_column(retc_h5 *file, const char *group, const retc_trials *trials, trial_column column) {
    int status = RETC_OK;
    int64_t *whole = NULL;
    double *seconds = NULL;
    object_name name = name_below(group, "trials", column_names[column]);
    RETC_TRY(RETC_ALLOC(whole, trials->trials));
    RETC_TRY(RETC_ALLOC(seconds, trials->trials));
    for (size_t k = 0; k < trials->trials; ++k) {
        const retc_trial *trial = &trials->trial[k];
        whole[k] = (int64_t)(column == CONDITION ? trial->condition : column == START_FRAME ? trial->start : trial->frames);
        seconds[k] = column == ONSET ? trial->onset : trial->duration;
    }
    if (column >= ONSET)
        RETC_TRY(retc_h5_put(file, name.text, RETC_H5_DOUBLE, 1, &trials->trials, seconds));
    else
        RETC_TRY(retc_h5_put(file, name.text, RETC_H5_INT64, 1, &trials->trials, whole));
    if (column >= ONSET)
        RETC_TRY(retc_h5_set_text(file, name.text, "unit", "s"));

done:
    retc_free(whole);
    retc_free(seconds);
    return status;
}

int
retc_trials_write(retc_h5 *file, const char *group, const retc_trials *trials) {
    int status = RETC_OK;
    for (size_t p = 0; p < trials->parameters; ++p) {
        const retc_parameter *parameter = &trials->parameter[p];
        object_name name = name_below(group, "conditions", parameter->name);
        RETC_TRY(retc_h5_put(file, name.text, RETC_H5_DOUBLE, 1, &trials->conditions, parameter->value));
        if (parameter->unit[0])
            RETC_TRY(retc_h5_set_text(file, name.text, "unit", parameter->unit));
    }
    for (trial_column column = 0; column < COLUMNS; ++column)
        RETC_TRY(write_column(file, group, trials, column));
    if (trials->protocol[0])
        RETC_TRY(retc_h5_set_text(file, name_below(group, "trials", "").text, "protocol", trials->protocol));

done:
    return status;
}

static int
read_parameters(retc_h5 *file, const char *group, char **names, retc_trials *trials) {
    int status = RETC_OK;
    char *unit = NULL;
    for (size_t p = 0; p < trials->parameters; ++p) {
        retc_parameter *parameter = &trials->parameter[p];
        object_name name = name_below(group, "conditions", names[p]);
        RETC_TRY(retc_h5_expect(file, name.text, 1, &trials->conditions, NULL));
        RETC_TRY(retc_h5_read(file, name.text, RETC_H5_DOUBLE, NULL, NULL, parameter->value));
        snprintf(parameter->name, sizeof parameter->name, "%s", names[p]);
        if (retc_h5_get_text(file, name.text, "unit", &unit) == RETC_OK)
            snprintf(parameter->unit, sizeof parameter->unit, "%s", unit);
        retc_free(unit);
        unit = NULL;
    }

done:
    return status;
}

static int
read_column(retc_h5 *file, const char *group, trial_column column, retc_trials *trials) {
    int status = RETC_OK;
    double *values = NULL;
    object_name name = name_below(group, "trials", column_names[column]);
    RETC_TRY(retc_h5_expect(file, name.text, 1, &trials->trials, NULL));
    RETC_TRY(RETC_ALLOC(values, trials->trials));
    RETC_TRY(retc_h5_read(file, name.text, RETC_H5_DOUBLE, NULL, NULL, values));
    for (size_t k = 0; k < trials->trials; ++k) {
        retc_trial *trial = &trials->trial[k];
        /* Below 2^53 every whole number is a double. */
        if (!isfinite(values[k]) || (column < ONSET && !(values[k] >= 0 && values[k] < 0x1p53)))
            RETC_TRY(
                RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is %g at trial %zu", retc_h5_path(file), name.text, values[k], k));
        if (column >= ONSET)
            *(column == ONSET ? &trial->onset : &trial->duration) = values[k];
        else
            *(column == CONDITION     ? &trial->condition
              : column == START_FRAME ? &trial->start
                                      : &trial->frames) = (size_t)values[k];
    }

done:
    retc_free(values);
    return status;
}

static int
check_trials(retc_h5 *file, const retc_trials *trials, size_t frames) {
    for (size_t k = 0; k < trials->trials; ++k) {
        const retc_trial *trial = &trials->trial[k];
        if (trial->condition >= trials->conditions)
            return RETC_FAIL(RETC_EFORMAT, "%s: trial %zu is of condition %zu, there are %zu", retc_h5_path(file), k,
                             trial->condition, trials->conditions);
        if (trial->frames == 0 || (k > 0 && trial->start < trial[-1].start + trial[-1].frames))
            return RETC_FAIL(RETC_EFORMAT, "%s: trial %zu is empty, or begins before the one before it has ended",
                             retc_h5_path(file), k);
        if (frames && (trial->start >= frames || trial->frames > frames - trial->start))
            return RETC_FAIL(RETC_EFORMAT, "%s: trial %zu lasts to frame %zu, the movie has %zu", retc_h5_path(file), k,
                             trial->start + trial->frames, frames);
    }
    return RETC_OK;
}

int
retc_trials_read(retc_h5 *file, const char *group, size_t frames, retc_trials *trials) {
    int status = RETC_OK;
    char **names = NULL, *protocol = NULL;
    size_t parameters = 0, conditions = 0, count = 0;
    object_name table = name_below(group, "conditions", "");
    *trials = (retc_trials){0};
    if (!retc_h5_has(file, table.text))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: there are trials, but no \"%s\"", retc_h5_path(file), table.text));
    RETC_TRY(retc_h5_members(file, table.text, &names, &parameters));
    if (parameters == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is empty", retc_h5_path(file), table.text));
    RETC_TRY(retc_h5_expect(file, name_below(group, "conditions", names[0]).text, 1, NULL, &conditions));
    RETC_TRY(retc_h5_expect(file, name_below(group, "trials", "condition").text, 1, NULL, &count));
    if (conditions == 0 || count == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %zu trials of %zu conditions are nothing to work on", retc_h5_path(file), count,
                           conditions));
    RETC_TRY(retc_trials_alloc(trials, conditions, parameters, count));
    RETC_TRY(read_parameters(file, group, names, trials));
    for (trial_column column = 0; column < COLUMNS; ++column)
        RETC_TRY(read_column(file, group, column, trials));
    RETC_TRY(check_trials(file, trials, frames));
    if (retc_h5_get_text(file, name_below(group, "trials", "").text, "protocol", &protocol) == RETC_OK)
        snprintf(trials->protocol, sizeof trials->protocol, "%s", protocol);

done:
    if (status < 0)
        retc_trials_free(trials);
    retc_free(names);
    retc_free(protocol);
    return status;
}

int
retc_trials_copy(const char *from, retc_h5 *to, const char *to_group) {
    int status = RETC_OK, has = 0;
    retc_trials trials = {0};
    retc_h5 *file = retc_h5_open(from);
    RETC_TRY(RETC_GOT(file));
    has = retc_trials_has(file, "");
    if (has) {
        RETC_TRY(retc_trials_read(file, "", 0, &trials));
        RETC_TRY(retc_trials_write(to, to_group, &trials));
    }

done:
    retc_h5_close(file);
    retc_trials_free(&trials);
    return status < 0 ? status : has;
}

#include "sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "rng.h"

enum { MOST_POINTS = 10000, LONGEST_FOLDER = 200 };

static int
varies(const retc_run_setting *setting) {
    return !strcmp(setting->word[0], "vary");
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

static int
read_range(retc_sweep_key *key) {
    if (key->words != 3)
        return RETC_FAIL(RETC_EUSAGE, "a range has two ends, as in vary %s 1 10", key->word[0]);
    if (retc_parse_double(key->word[1], &key->low) < 0 || retc_parse_double(key->word[2], &key->high) < 0 ||
        !(key->low < key->high))
        return RETC_FAIL(RETC_EUSAGE, "\"%s %s\" is not a range: the lower end, then the upper end", key->word[1],
                         key->word[2]);
    if (key->kind == RETC_SWEEP_LOG_UNIFORM && !(key->low > 0))
        return RETC_FAIL(RETC_EUSAGE, "log-uniform needs ends above 0, %s is none", key->word[1]);
    if (key->kind == RETC_SWEEP_INTEGER &&
        (floor(key->low) < key->low || floor(key->high) < key->high || !(key->high - key->low < 4294967295.0)))
        return RETC_FAIL(RETC_EUSAGE, "\"%s %s\" are not two whole numbers", key->word[1], key->word[2]);
    return RETC_OK;
}

/* Take the words behind "vary" over from the setting, which is left with one that is to be replaced. */
static int
read_key(retc_run_setting *setting, size_t draws, retc_sweep_key *key) {
    static const char *const ranges[] = {
        [RETC_SWEEP_UNIFORM] = "uniform", [RETC_SWEEP_LOG_UNIFORM] = "log-uniform", [RETC_SWEEP_INTEGER] = "integer"};
    if (setting->n < 2)
        return RETC_FAIL(RETC_EUSAGE, "vary needs values, as in vary 4 8 16, or a range, as in vary log-uniform 0.001 0.1");
    key->setting = setting;
    key->words = setting->n - 1;
    int status = RETC_ALLOC(key->word, key->words);
    for (size_t w = 0; w < key->words && status == RETC_OK; ++w)
        key->word[w] = setting->word[w + 1];
    if (status < 0) {
        key->words = 0;
        return status;
    }
    setting->n = 1;
    for (int kind = RETC_SWEEP_UNIFORM; kind <= RETC_SWEEP_INTEGER; ++kind)
        if (!strcmp(key->word[0], ranges[kind]))
            key->kind = kind;
    if (key->kind != RETC_SWEEP_VALUES && draws == 0)
        return RETC_FAIL(RETC_EUSAGE, "a range is drawn from: say how often by draws = 20, say, in [sweep], or list values");
    if (key->kind != RETC_SWEEP_VALUES)
        return read_range(key);
    for (size_t w = 0; w < key->words; ++w)
        for (size_t v = 0; v < w; ++v)
            if (!strcmp(key->word[w], key->word[v]))
                return RETC_FAIL(RETC_EUSAGE, "names the value %s twice", key->word[w]);
    return RETC_OK;
}

static int
read_keys(retc_sweep *sweep) {
    int status = RETC_OK;
    retc_run_config *config = sweep->config;
    size_t n = 0;
    for (size_t s = 0; s < config->n; ++s)
        for (size_t i = 0; i < config->stage[s].n; ++i)
            n += varies(&config->stage[s].setting[i]);
    if (n == 0)
        return RETC_FAIL(RETC_EUSAGE, "%s: no key varies; write, for example, channels0 = vary 4 8 16", config->path);
    RETC_TRY(RETC_ALLOC(sweep->key, n));
    for (size_t s = 0; s < config->n; ++s)
        for (size_t i = 0; i < config->stage[s].n; ++i) {
            retc_run_setting *setting = &config->stage[s].setting[i];
            if (!varies(setting))
                continue;
            sweep->at_points[s] = 1;
            sweep->key[sweep->keys].stage = s;
            status = read_key(setting, sweep->draws, &sweep->key[sweep->keys++]);
            if (status < 0)
                return retc_error_prefix(status, "%s:%zu: [%s] %s", config->path, setting->line, config->stage[s].name,
                                         setting->key);
        }
done:
    return status;
}

/* A key that two stages vary is told apart by its stage. */
static int
name_keys(retc_sweep *sweep) {
    const retc_run_config *config = sweep->config;
    for (size_t k = 0; k < sweep->keys; ++k) {
        size_t same = 0;
        const retc_run_setting *setting = sweep->key[k].setting;
        for (size_t other = 0; other < sweep->keys; ++other)
            same += !strcmp(sweep->key[other].setting->key, setting->key);
        sweep->key[k].name =
            same == 1 ? retc_strdup(setting->key) : retc_strf("%s.%s", config->stage[sweep->key[k].stage].name, setting->key);
        if (!sweep->key[k].name)
            return RETC_ENOMEM;
    }
    return RETC_OK;
}

/* ---- the section [sweep], and which stages run at every point -------------------------------------------------------- */

static int
read_sweep_section(retc_sweep *sweep) {
    const retc_run_config *config = sweep->config;
    for (size_t i = 0; i < config->sweep.n; ++i) {
        const retc_run_setting *setting = &config->sweep.setting[i];
        int is_draws = !strcmp(setting->key, "draws"), is_score = !strcmp(setting->key, "score");
        if (!is_draws && !is_score)
            return RETC_FAIL(RETC_EUSAGE, "%s:%zu: [sweep] has no key \"%s\"; it has draws and score", config->path,
                             setting->line, setting->key);
        if (setting->n != 1)
            return RETC_FAIL(RETC_EUSAGE, "%s:%zu: [sweep] %s has %zu words, expected one", config->path, setting->line,
                             setting->key, setting->n);
        if (is_draws &&
            (retc_parse_size(setting->word[0], &sweep->draws) < 0 || sweep->draws < 1 || sweep->draws > MOST_POINTS))
            return RETC_FAIL(RETC_EUSAGE, "%s:%zu: [sweep] draws: \"%s\" is not a number of draws, 1 to %d", config->path,
                             setting->line, setting->word[0], MOST_POINTS);
        if (is_score) {
            sweep->score = setting->word[0];
            sweep->score_line = setting->line;
        }
    }
    return RETC_OK;
}

static int
uses_point(const retc_sweep *sweep, size_t at) {
    const retc_run_stage *stage = &sweep->config->stage[at];
    for (size_t i = 0; i < stage->n; ++i)
        for (size_t w = 0; w < stage->setting[i].n; ++w)
            for (size_t s = 0; s < at && stage->setting[i].word[w][0] == '@'; ++s)
                if (sweep->at_points[s] && !strcmp(stage->setting[i].word[w] + 1, sweep->config->stage[s].name))
                    return 1;
    return 0;
}

static int
find_stages(retc_sweep *sweep) {
    for (size_t s = 0; s < sweep->config->n; ++s) {
        const retc_run_stage *stage = &sweep->config->stage[s];
        sweep->at_points[s] |= (char)uses_point(sweep, s);
        const retc_run_setting *output = retc_run_setting_find(stage, "output");
        if (sweep->at_points[s] && output)
            return RETC_FAIL(RETC_EUSAGE,
                             "%s:%zu: [%s] output: the stage runs at every point and cannot write one file for all",
                             sweep->config->path, output->line, stage->name);
    }
    return RETC_OK;
}

/* ---- points ---------------------------------------------------------------------------------------------------------- */

/* A drawn number as a user would type it: four digits, which libraries of all machines agree on. */
static char *
draw(const retc_sweep_key *key, gsl_rng *rng) {
    double u = gsl_rng_uniform(rng), value, rounded = 0;
    char text[32];
    switch (key->kind) {
    case RETC_SWEEP_VALUES:
        return retc_strdup(key->word[(size_t)(u * (double)key->words)]);
    case RETC_SWEEP_INTEGER:
        return retc_strf("%.0f", key->low + floor(u * (key->high - key->low + 1)));
    case RETC_SWEEP_LOG_UNIFORM:
        value = exp(log(key->low) + u * (log(key->high) - log(key->low)));
        break;
    default:
        value = key->low + u * (key->high - key->low);
    }
    snprintf(text, sizeof text, "%.4g", value);
    if (retc_parse_double(text, &rounded) < 0 || rounded < key->low || rounded > key->high)
        snprintf(text, sizeof text, "%.17g", value);
    return retc_strdup(text);
}

static int
make_draws(retc_sweep *sweep, uint64_t seed) {
    int status = RETC_OK;
    sweep->points = sweep->draws;
    RETC_TRY(RETC_ALLOC(sweep->value, sweep->points * sweep->keys));
    for (size_t p = 0; p < sweep->points; ++p) {
        gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_SWEEP, p);
        RETC_TRY(RETC_GOT(rng));
        for (size_t k = 0; k < sweep->keys; ++k)
            sweep->value[p * sweep->keys + k] = draw(&sweep->key[k], rng);
        gsl_rng_free(rng);
        for (size_t k = 0; k < sweep->keys; ++k)
            RETC_TRY(RETC_GOT(sweep->value[p * sweep->keys + k]));
    }
done:
    return status;
}

/* All combinations; the last key changes fastest. */
static int
make_grid(retc_sweep *sweep) {
    int status = RETC_OK;
    double points = 1;
    for (size_t k = 0; k < sweep->keys; ++k)
        points *= (double)sweep->key[k].words;
    if (points > MOST_POINTS)
        return RETC_FAIL(RETC_EUSAGE, "%s: the grid has %.0f points, %d are the most; draw some of them by draws in [sweep]",
                         sweep->config->path, points, MOST_POINTS);
    RETC_TRY(RETC_ALLOC(sweep->value, (size_t)points * sweep->keys));
    sweep->points = (size_t)points;
    for (size_t p = 0; p < sweep->points; ++p)
        for (size_t k = sweep->keys, rest = p; k-- > 0; rest /= sweep->key[k].words) {
            sweep->value[p * sweep->keys + k] = retc_strdup(sweep->key[k].word[rest % sweep->key[k].words]);
            RETC_TRY(RETC_GOT(sweep->value[p * sweep->keys + k]));
        }
done:
    return status;
}

static int
add_text(char **text, const char *more) {
    char *longer = retc_strf("%s%s", *text, more);
    retc_free(*text);
    *text = longer;
    return RETC_GOT(longer);
}

/* The folder is named by the values, not by the number of the point: when a grid grows, points keep theirs. */
static int
name_folder(retc_sweep *sweep, size_t p) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-,";
    int status = RETC_OK;
    char *name = retc_strdup("");
    RETC_TRY(RETC_GOT(name));
    for (size_t k = 0; k < sweep->keys; ++k) {
        RETC_TRY(add_text(&name, k ? "," : ""));
        RETC_TRY(add_text(&name, sweep->key[k].name));
        RETC_TRY(add_text(&name, "-"));
        RETC_TRY(add_text(&name, sweep->value[p * sweep->keys + k]));
    }
    for (char *at = name; *at; ++at)
        if (!strchr(plain, *at))
            *at = '_';
    int clashes = strlen(name) > LONGEST_FOLDER;
    for (size_t other = 0; other < p && !clashes; ++other)
        clashes = !strcmp(sweep->folder[other], name);
    sweep->folder[p] = clashes ? retc_strf("point-%zu", p + 1) : retc_strdup(name);
    RETC_TRY(RETC_GOT(sweep->folder[p]));
done:
    retc_free(name);
    return status;
}

int
retc_sweep_plan(retc_run_config *config, uint64_t seed, retc_sweep *sweep) {
    int status = RETC_OK;
    *sweep = (retc_sweep){.config = config};
    RETC_TRY(RETC_ALLOC(sweep->at_points, config->n));
    RETC_TRY(read_sweep_section(sweep));
    RETC_TRY(read_keys(sweep));
    RETC_TRY(name_keys(sweep));
    RETC_TRY(find_stages(sweep));
    RETC_TRY(sweep->draws ? make_draws(sweep, seed) : make_grid(sweep));
    RETC_TRY(RETC_ALLOC(sweep->folder, sweep->points));
    for (size_t p = 0; p < sweep->points; ++p)
        RETC_TRY(name_folder(sweep, p));
done:
    return status;
}

void
retc_sweep_free(retc_sweep *sweep) {
    for (size_t i = 0; sweep->value && i < sweep->points * sweep->keys; ++i)
        retc_free(sweep->value[i]);
    for (size_t p = 0; sweep->folder && p < sweep->points; ++p)
        retc_free(sweep->folder[p]);
    for (size_t k = 0; k < sweep->keys; ++k) {
        for (size_t w = 0; w < sweep->key[k].words; ++w)
            retc_free(sweep->key[k].word[w]);
        retc_free(sweep->key[k].word);
        retc_free(sweep->key[k].name);
    }
    retc_free(sweep->value);
    retc_free(sweep->folder);
    retc_free(sweep->key);
    retc_free(sweep->at_points);
    *sweep = (retc_sweep){0};
}

int
retc_sweep_set(retc_sweep *sweep, size_t point) {
    for (size_t k = 0; k < sweep->keys; ++k) {
        retc_run_setting *setting = sweep->key[k].setting;
        retc_free(setting->word[0]);
        setting->word[0] = retc_strdup(sweep->value[point * sweep->keys + k]);
        if (!setting->word[0])
            return RETC_ENOMEM;
    }
    return RETC_OK;
}

char *
retc_sweep_point_text(const retc_sweep *sweep, size_t point) {
    int status = RETC_OK;
    char *text = retc_strdup("");
    RETC_TRY(RETC_GOT(text));
    for (size_t k = 0; k < sweep->keys; ++k) {
        RETC_TRY(add_text(&text, k ? ", " : ""));
        RETC_TRY(add_text(&text, sweep->key[k].name));
        RETC_TRY(add_text(&text, " "));
        RETC_TRY(add_text(&text, sweep->value[point * sweep->keys + k]));
    }
done:
    if (status < 0) {
        retc_free(text);
        text = NULL;
    }
    return text;
}

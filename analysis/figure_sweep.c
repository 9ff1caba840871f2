#include "figure_sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_table.h"

enum { MOST_LEVELS = 12, MOST_TICKS = 8, MOST_KEYS = 12 };

/* One key that varies. */
typedef struct {
    const char *name, *scale; /* "linear", "log" or "text" */
    double *x;                /* (points) a text's number in the order in which texts occur sorted */
    char **text;              /* (points) of a key with texts */
    double *level;            /* (levels) different values, ascending */
    size_t levels;
} key;

typedef struct {
    retc_h5 *file;
    size_t keys, points;
    char **names, **scales, *score, *best;
    key *key;
    double *value; /* (points) the score; NaN where a point has none */
    int less_is_better;
    double least, most; /* of the scores */
    double draws;       /* 0: a grid */
} sweep;

static int
ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int
find_levels(key *k, size_t points) {
    int status = RETC_ALLOC(k->level, points);
    if (status < 0)
        return status;
    memcpy(k->level, k->x, points * sizeof *k->level);
    qsort(k->level, points, sizeof *k->level, ascending);
    for (size_t p = 0; p < points; ++p)
        if (k->levels == 0 || k->level[p] > k->level[k->levels - 1])
            k->level[k->levels++] = k->level[p];
    return RETC_OK;
}

/* Texts stand on an axis by number: how many different ones come before them in the alphabet. */
static int
number_texts(key *k, size_t points) {
    int status = RETC_ALLOC(k->x, points);
    for (size_t p = 0; p < points && status == RETC_OK; ++p)
        for (size_t other = 0; other < points; ++other) {
            int first = strcmp(k->text[other], k->text[p]) < 0;
            for (size_t before = 0; before < other && first; ++before)
                first = strcmp(k->text[before], k->text[other]) != 0;
            k->x[p] += first;
        }
    return status;
}

static int
read_key(sweep *s, size_t i) {
    key *k = &s->key[i];
    int status = RETC_OK;
    size_t n = s->points;
    void *data = NULL;
    char *name = retc_strf("/parameters/%s", s->names[i]);
    RETC_TRY(RETC_GOT(name));
    *k = (key){.name = s->names[i], .scale = s->scales[i]};
    RETC_TRY(retc_h5_expect(s->file, name, 1, &n, NULL));
    if (!strcmp(k->scale, "text")) {
        RETC_TRY(retc_h5_read_texts(s->file, name, &k->text, &n));
        RETC_TRY(number_texts(k, n));
    } else {
        RETC_TRY(retc_h5_read_new(s->file, name, RETC_H5_DOUBLE, 1, NULL, &data));
        k->x = data;
    }
    for (size_t p = 0; p < s->points; ++p)
        if (!isfinite(k->x[p]) || (!strcmp(k->scale, "log") && !(k->x[p] > 0)))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" holds %g", retc_h5_path(s->file), name, k->x[p]));
    RETC_TRY(find_levels(k, s->points));
done:
    retc_free(name);
    return status;
}

static int
read_sweep(retc_h5 *file, sweep *s) {
    int status = RETC_OK;
    char *name = NULL;
    void *data = NULL;
    size_t scales;
    *s = (sweep){.file = file, .least = (double)INFINITY, .most = -(double)INFINITY};
    RETC_TRY(retc_h5_get_number(file, "/", "draws", &s->draws));
    RETC_TRY(retc_h5_get_text(file, "/", "score", &s->score));
    RETC_TRY(retc_h5_get_text(file, "/", "best", &s->best));
    RETC_TRY(retc_h5_read_texts(file, "/parameter_names", &s->names, &s->keys));
    RETC_TRY(retc_h5_read_texts(file, "/parameter_scales", &s->scales, &scales));
    RETC_TRY(RETC_GOT(name = retc_strf("/scores/%s", s->score)));
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, &s->points, &data));
    s->value = data;
    if (s->keys == 0 || scales != s->keys || s->points == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: names %zu keys, %zu scales and %zu points", retc_h5_path(file), s->keys, scales,
                           s->points));
    if (s->keys > MOST_KEYS)
        s->keys = MOST_KEYS;
    s->less_is_better = !strcmp(s->best, "least");
    RETC_TRY(RETC_ALLOC(s->key, s->keys));
    for (size_t i = 0; i < s->keys; ++i)
        RETC_TRY(read_key(s, i));
    for (size_t p = 0; p < s->points; ++p)
        if (isfinite(s->value[p])) {
            s->least = fmin(s->least, s->value[p]);
            s->most = fmax(s->most, s->value[p]);
        }
    if (!(s->least <= s->most))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: no point has a score yet", retc_h5_path(file)));
done:
    retc_free(name);
    return status;
}

static void
sweep_clear(sweep *s) {
    for (size_t i = 0; s->key && i < s->keys; ++i) {
        retc_free(s->key[i].x);
        retc_free(s->key[i].text);
        retc_free(s->key[i].level);
    }
    retc_free(s->key);
    retc_free(s->names);
    retc_free(s->scales);
    retc_free(s->score);
    retc_free(s->best);
    retc_free(s->value);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

static size_t
level_of(const key *k, size_t p) {
    size_t level = 0;
    while (k->level[level] < k->x[p])
        ++level;
    return level;
}

/* Rows of the file are best first, failed ones last: the first is the best. */
static int
is_best(const sweep *s, size_t p) {
    return p == 0 && isfinite(s->value[p]);
}

/* Every pair of values of two keys is a point. */
static int
is_map(const sweep *s) {
    if (s->keys != 2 || s->key[0].levels < 2 || s->key[1].levels < 2 || s->key[0].levels > MOST_LEVELS ||
        s->key[1].levels > MOST_LEVELS || s->points != s->key[0].levels * s->key[1].levels)
        return 0;
    for (size_t p = 0; p < s->points; ++p)
        for (size_t other = 0; other < p; ++other)
            if (level_of(&s->key[0], p) == level_of(&s->key[0], other) &&
                level_of(&s->key[1], p) == level_of(&s->key[1], other))
                return 0;
    return 1;
}

/* What stands at the tick of a level. */
static void
write_level(const key *k, size_t level, size_t points, FILE *table) {
    char text[32];
    for (size_t p = 0; p < points && k->text; ++p)
        if (level_of(k, p) == level) {
            retc_table_text(table, k->text[p]);
            return;
        }
    snprintf(text, sizeof text, "%.4g", k->level[level]);
    retc_table_text(table, text);
}

static void
write_ticks(const sweep *s, size_t i, FILE *table) {
    const key *k = &s->key[i];
    char name[32];
    snprintf(name, sizeof name, "ticks %zu", i + 1);
    retc_table_block(table, name, "position text");
    for (size_t level = 0; level < k->levels && level < MOST_LEVELS; ++level) {
        retc_table_number(table, is_map(s) ? (double)level + 1 : k->level[level]);
        write_level(k, level, s->points, table);
        retc_table_end_row(table);
    }
}

static void
write_keys(const sweep *s, FILE *table) {
    retc_table_block(table, "keys", "number name scale least most levels_named");
    for (size_t i = 0; i < s->keys; ++i) {
        const key *k = &s->key[i];
        int chosen = s->draws == 0 || k->levels < s->points; /* by the user, not drawn from a range */
        int named = k->text || (chosen && k->levels <= MOST_TICKS) || is_map(s);
        retc_table_number(table, (double)i + 1);
        retc_table_text(table, k->name);
        retc_table_text(table, k->scale);
        retc_table_number(table, k->level[0]);
        retc_table_number(table, k->level[k->levels - 1]);
        retc_table_number(table, named ? (double)k->levels : 0);
        retc_table_end_row(table);
    }
    for (size_t i = 0; i < s->keys; ++i)
        write_ticks(s, i, table);
}

/* A panel's points, those without a score apart, and the best of each value where there are few. */
static void
write_panel(const sweep *s, size_t i, FILE *table) {
    const key *k = &s->key[i];
    char name[32];
    snprintf(name, sizeof name, "points %zu", i + 1);
    retc_table_block(table, name, "value score best");
    for (size_t p = 0; p < s->points; ++p) {
        retc_table_number(table, k->x[p]);
        retc_table_number(table, s->value[p]);
        retc_table_number(table, is_best(s, p));
        retc_table_end_row(table);
    }
    snprintf(name, sizeof name, "profile %zu", i + 1);
    retc_table_block(table, name, "value best_score");
    for (size_t level = 0; level < k->levels; ++level) {
        size_t p = 0;
        while (p < s->points && (level_of(k, p) != level || !isfinite(s->value[p])))
            ++p;
        if (p == s->points || k->levels > MOST_LEVELS || k->levels == s->points)
            continue;
        retc_table_number(table, k->level[level]);
        retc_table_number(table, s->value[p]);
        retc_table_end_row(table);
    }
    fputs("NaN NaN\n", table); /* gnuplot wants a row in every block */
}

static void
write_map(const sweep *s, FILE *table) {
    char text[32];
    retc_table_block(table, "map", "column row score text best");
    for (size_t p = 0; p < s->points; ++p) {
        snprintf(text, sizeof text, "%.3g", s->value[p]);
        retc_table_number(table, (double)level_of(&s->key[0], p) + 1);
        retc_table_number(table, (double)level_of(&s->key[1], p) + 1);
        retc_table_number(table, s->value[p]);
        retc_table_text(table, isfinite(s->value[p]) ? text : "failed");
        retc_table_number(table, is_best(s, p));
        retc_table_end_row(table);
    }
}

int
retc_figure_sweep(retc_h5 *file, FILE *table) {
    sweep s;
    int status = RETC_OK;
    RETC_TRY(read_sweep(file, &s));
    size_t unscored = 0;
    for (size_t p = 0; p < s.points; ++p)
        unscored += !isfinite(s.value[p]);
    retc_table_block(table, "figure", "keys is_map score least most less_is_better points unscored");
    retc_table_number(table, (double)s.keys);
    retc_table_number(table, is_map(&s));
    retc_table_text(table, s.score);
    retc_table_number(table, s.least);
    retc_table_number(table, s.most);
    retc_table_number(table, s.less_is_better);
    retc_table_number(table, (double)s.points);
    retc_table_number(table, (double)unscored);
    retc_table_end_row(table);
    write_keys(&s, table);
    if (is_map(&s))
        write_map(&s, table);
    else
        for (size_t i = 0; i < s.keys; ++i)
            write_panel(&s, i, table);
done:
    sweep_clear(&s);
    return status;
}

#include "figure_learning.h"

#include <math.h>

/* The first epochs of a fit may lie far above all others: losses up to this many times the spread of the validation loss after
 * the first tenth of the epochs are shown. */
#define SPREADS 4

typedef struct {
    size_t epochs, best;                   /* best: epochs where no validation loss is a number */
    double *train, *validation, *r, *rate; /* (epochs); rate NULL when the file has none */
} curve;

static int
read_curve(retc_h5 *file, const char *name, size_t epochs, double **out) {
    void *data = NULL;
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(file, name, 1, (size_t[]){epochs}, NULL));
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, NULL, &data));
    *out = data;
done:
    return status;
}

static int
open_curve(retc_h5 *file, curve *c) {
    int status = RETC_OK;
    size_t shape[1] = {0};
    *c = (curve){0};
    if (!retc_h5_has(file, "/training/train_loss"))
        return RETC_FAIL(RETC_EFORMAT, "%s: has no learning curves; models of \"retcodec fit\" that train over epochs have",
                         retc_h5_path(file));
    RETC_TRY(retc_h5_expect(file, "/training/train_loss", 1, NULL, shape));
    c->epochs = c->best = shape[0];
    RETC_TRY(read_curve(file, "/training/train_loss", c->epochs, &c->train));
    RETC_TRY(read_curve(file, "/training/validation_loss", c->epochs, &c->validation));
    RETC_TRY(read_curve(file, "/training/validation_r", c->epochs, &c->r));
    if (retc_h5_has(file, "/training/learning_rate"))
        RETC_TRY(read_curve(file, "/training/learning_rate", c->epochs, &c->rate));
    for (size_t e = c->epochs; e-- > 0;)
        if (isfinite(c->validation[e]) && (c->best == c->epochs || c->validation[e] <= c->validation[c->best]))
            c->best = e;
done:
    return status;
}

static void
close_curve(curve *c) {
    retc_free(c->train);
    retc_free(c->validation);
    retc_free(c->r);
    retc_free(c->rate);
}

static void
widen(double x, double *lowest, double *highest) {
    if (!isfinite(x))
        return;
    *lowest = fmin(*lowest, x);
    *highest = fmax(*highest, x);
}

/* What of the losses is shown; 1 when some lies above. */
static int
loss_range(const curve *all, size_t n, double *lowest, double *highest) {
    double late[2] = {HUGE_VAL, -HUGE_VAL}, top = -HUGE_VAL;
    *lowest = HUGE_VAL;
    for (size_t m = 0; m < n; ++m)
        for (size_t e = 0; e < all[m].epochs; ++e) {
            widen(all[m].train[e], lowest, &top);
            widen(all[m].validation[e], lowest, &top);
            if (10 * e >= all[m].epochs) {
                widen(all[m].validation[e], &late[0], &late[1]);
                widen(all[m].train[e], &late[0], &late[1]);
            }
        }
    double limit = late[1] > late[0] ? late[0] + SPREADS * (late[1] - late[0]) : top;
    *highest = fmin(top, limit);
    if (!(*highest > *lowest)) { /* one epoch, or none that is a number */
        *lowest = isfinite(*lowest) ? *lowest - 0.5 : 0;
        *highest = *lowest + 1;
    }
    return top > *highest;
}

static void
r_range(const curve *all, size_t n, double *lowest, double *highest) {
    *lowest = HUGE_VAL;
    *highest = -HUGE_VAL;
    for (size_t m = 0; m < n; ++m)
        for (size_t e = 0; e < all[m].epochs; ++e)
            widen(all[m].r[e], lowest, highest);
    if (!(*highest > *lowest)) { /* one epoch, or none that is a number */
        *lowest = isfinite(*lowest) ? *lowest - 0.05 : 0;
        *highest = *lowest + 0.1;
    }
}

static void
print_head(const curve *all, size_t n, char *const *names, FILE *table) {
    size_t epochs = 0;
    int rates = 0;
    double lowest, highest, r_lowest, r_highest;
    r_range(all, n, &r_lowest, &r_highest);
    int above = loss_range(all, n, &lowest, &highest);
    for (size_t m = 0; m < n; ++m) {
        epochs = all[m].epochs > epochs ? all[m].epochs : epochs;
        rates |= all[m].rate != NULL;
    }
    retc_table_block(table, "figure", "models epochs learning_rates loss_lowest loss_highest losses_above r_lowest r_highest");
    retc_table_number(table, (double)n);
    retc_table_number(table, (double)epochs);
    retc_table_number(table, rates);
    retc_table_number(table, lowest);
    retc_table_number(table, highest);
    retc_table_number(table, above);
    retc_table_number(table, r_lowest);
    retc_table_number(table, r_highest);
    retc_table_end_row(table);
    retc_table_block(table, "models", "number name best_epoch validation_loss validation_r");
    for (size_t m = 0; m < n; ++m) {
        const curve *c = &all[m];
        int has = c->best < c->epochs;
        retc_table_number(table, (double)(m + 1));
        retc_table_text(table, names[m]);
        retc_table_number(table, has ? (double)(c->best + 1) : (double)NAN);
        retc_table_number(table, has ? c->validation[c->best] : (double)NAN);
        retc_table_number(table, has ? c->r[c->best] : (double)NAN);
        retc_table_end_row(table);
    }
}

static void
print_curve(const curve *c, size_t number, FILE *table) {
    char name[40];
    snprintf(name, sizeof name, "curve %zu", number);
    retc_table_block(table, name, "epoch train_loss validation_loss validation_r learning_rate");
    for (size_t e = 0; e < c->epochs; ++e) {
        retc_table_number(table, (double)(e + 1));
        retc_table_number(table, c->train[e]);
        retc_table_number(table, c->validation[e]);
        retc_table_number(table, c->r[e]);
        retc_table_number(table, c->rate ? c->rate[e] : (double)NAN);
        retc_table_end_row(table);
    }
}

int
retc_figure_learning(retc_h5 *const *files, size_t n, FILE *table) {
    int status = RETC_OK;
    curve *all = NULL;
    char **names = NULL;
    RETC_TRY(RETC_ALLOC(all, n));
    for (size_t m = 0; m < n; ++m)
        RETC_TRY(open_curve(files[m], &all[m]));
    RETC_TRY(retc_figure_model_names(files, n, &names));
    print_head(all, n, names, table);
    for (size_t m = 0; m < n; ++m)
        print_curve(&all[m], m + 1, table);
done:
    for (size_t m = 0; all && m < n; ++m)
        close_curve(&all[m]);
    retc_free(all);
    retc_figure_model_names_free(names, n);
    return status;
}

#include "figure_strip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    retc_h5 *file, *modes;
    char *group;  /* "/surprisal_contributions", or another target's */
    char **layer; /* (layers) names, one block */
    size_t layers, T, N;
    double *time;        /* (T) s */
    size_t first, count; /* the window */
} source;

static int
find_group(retc_h5 *file, char **group) {
    static const char tail[] = "_contributions";
    char **names = NULL;
    size_t n = 0;
    int status = RETC_OK;
    RETC_TRY(retc_h5_members(file, "/", &names, &n));
    for (size_t i = 0; i < n && !*group; ++i)
        if (strlen(names[i]) > strlen(tail) && !strcmp(names[i] + strlen(names[i]) - strlen(tail), tail)) {
            *group = retc_strf("/%s", names[i]);
            RETC_TRY(RETC_GOT(*group));
        }
    if (!*group)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has no group of contributions", retc_h5_path(file)));
done:
    retc_free(names);
    return status;
}

static int
open_source(retc_h5 *file, retc_h5 *modes, const retc_figure_strip_options *options, source *from) {
    size_t shape[2] = {0};
    void *time = NULL;
    int status = RETC_OK;
    *from = (source){.file = file, .modes = modes};
    RETC_TRY(find_group(file, &from->group));
    RETC_TRY(retc_h5_read_texts(file, "/metadata/layer_names", &from->layer, &from->layers));
    RETC_TRY(retc_h5_expect(file, "/metadata/model_responses_all_cells", 2, NULL, shape));
    from->T = shape[0];
    from->N = shape[1];
    RETC_TRY(retc_h5_expect(file, "/metadata/actual_responses_all_cells", 2, shape, NULL));
    RETC_TRY(retc_h5_expect(file, "/metadata/time", 1, &from->T, NULL));
    RETC_TRY(retc_h5_read_new(file, "/metadata/time", RETC_H5_DOUBLE, 1, NULL, &time));
    from->time = time;
    status = retc_figure_window(from->time, from->T, options->start, options->duration, &from->first, &from->count);
    if (status < 0)
        status = retc_error_prefix(status, "%s", retc_h5_path(file));
done:
    return status;
}

static void
close_source(source *from) {
    retc_free(from->group);
    retc_free(from->layer);
    retc_free(from->time);
}

/* The window of a (T,F) dataset; `*F` is what it has. */
static int
read_window(const source *from, retc_h5 *file, const char *name, size_t *F, float **out) {
    size_t shape[2] = {0};
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(file, name, 2, (size_t[]){from->T, 0}, shape));
    *F = shape[1];
    RETC_TRY(RETC_ALLOC(*out, from->count * *F));
    RETC_TRY(retc_h5_read(file, name, RETC_H5_FLOAT, (size_t[]){from->first, 0}, (size_t[]){from->count, *F}, *out));
    for (size_t i = 0; i < from->count * *F; ++i)
        if (!isfinite((*out)[i]))
            RETC_TRY(RETC_FAIL(RETC_ENUMBER, "%s: dataset \"%s\" is not finite at sample %zu", retc_h5_path(file), name,
                               from->first + i / *F));
done:
    return status;
}

static double
sum_of_cells(const float *row, const retc_figure_cells *cells) {
    double sum = 0;
    for (size_t i = 0; i < cells->n; ++i)
        sum += (double)row[cells->index[i]];
    return sum;
}

/* What the contributions add up to: the target and its unit.  The group is "/<target>_contributions". */
static char *
target_title(const source *from) {
    int length = (int)(strlen(from->group) - strlen("/_contributions"));
    int dimensionless = strncmp(from->group, "/surprisal_", strlen("/surprisal_")) == 0;
    return retc_strf("%.*s%s", length, from->group + 1, dimensionless ? "" : " (Hz)");
}

static int
print_rates(const source *from, const retc_figure_cells *cells, FILE *table) {
    float *model = NULL, *measured = NULL;
    size_t N = 0;
    double largest = 0;
    char *title = NULL, *target = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(target = target_title(from)));
    RETC_TRY(read_window(from, from->file, "/metadata/model_responses_all_cells", &N, &model));
    RETC_TRY(read_window(from, from->file, "/metadata/actual_responses_all_cells", &N, &measured));
    for (size_t t = 0; t < from->count; ++t)
        largest = fmax(largest, fmax(sum_of_cells(model + t * N, cells), sum_of_cells(measured + t * N, cells)));
    title = cells->n == 1 ? retc_strdup(cells->name[0]) : retc_strf("sum of %zu cells", cells->n);
    RETC_TRY(RETC_GOT(title));
    retc_table_block(table, "figure", "layers from_s to_s rate_max_Hz title target");
    retc_table_number(table, (double)from->layers);
    retc_table_number(table, from->time[from->first]);
    retc_table_number(table, from->time[from->first + from->count - 1]);
    retc_table_number(table, largest);
    retc_table_text(table, title);
    retc_table_text(table, target);
    retc_table_end_row(table);
    retc_table_block(table, "rate", "time_s measured_Hz model_Hz");
    for (size_t t = 0; t < from->count; ++t) {
        retc_table_number(table, from->time[from->first + t]);
        retc_table_number(table, sum_of_cells(measured + t * N, cells));
        retc_table_number(table, sum_of_cells(model + t * N, cells));
        retc_table_end_row(table);
    }
done:
    retc_free(model);
    retc_free(measured);
    retc_free(target);
    retc_free(title);
    return status;
}

static int
compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* 99th percentile of |x| (n), or the largest when most are zero; never 0, as a colour range must not be. */
static int
colour_range(const float *x, size_t n, double *range) {
    float *size = NULL;
    if (RETC_ALLOC(size, n) < 0)
        return RETC_ENOMEM;
    for (size_t i = 0; i < n; ++i)
        size[i] = fabsf(x[i]);
    qsort(size, n, sizeof *size, compare);
    *range = (double)size[n - 1 - n / 100];
    if (!(*range > 0))
        *range = (double)size[n - 1];
    if (!(*range > 0))
        *range = 1;
    retc_free(size);
    return RETC_OK;
}

static int
read_layer(const source *from, size_t layer, size_t *F, float **c) {
    char *name = retc_strf("%s/%s", from->group, from->layer[layer]);
    int status = RETC_GOT(name);
    if (status == RETC_OK)
        status = read_window(from, from->file, name, F, c);
    retc_free(name);
    return status;
}

static int
print_layer_list(const source *from, FILE *table) {
    int status = RETC_OK;
    retc_table_block(table, "layers", "number name columns colour_range");
    for (size_t i = 0; status == RETC_OK && i < from->layers; ++i) {
        float *c = NULL;
        size_t F = 0;
        double range = 1;
        status = read_layer(from, i, &F, &c);
        if (status == RETC_OK && F == 0)
            status = RETC_FAIL(RETC_EFORMAT, "%s: layer %s has no contributions", retc_h5_path(from->file), from->layer[i]);
        if (status == RETC_OK)
            status = colour_range(c, from->count * F, &range);
        retc_table_number(table, (double)(i + 1));
        retc_table_text(table, from->layer[i]);
        retc_table_number(table, (double)F);
        retc_table_number(table, range);
        retc_table_end_row(table);
        retc_free(c);
    }
    return status;
}

static int
print_layers(const source *from, FILE *table) {
    int status = RETC_OK;
    for (size_t i = 0; i < from->layers; ++i) {
        char name[40];
        float *c = NULL;
        size_t F = 0;
        RETC_TRY(read_layer(from, i, &F, &c));
        snprintf(name, sizeof name, "contributions %zu", i + 1);
        retc_table_block(table, name, "time_s column contribution");
        for (size_t t = 0; t < from->count; ++t)
            for (size_t k = 0; k < F; ++k) {
                retc_table_number(table, from->time[from->first + t]);
                retc_table_number(table, (double)k);
                retc_table_number(table, (double)c[t * F + k]);
                retc_table_end_row(table);
            }
        retc_free(c);
    }
done:
    return status;
}

/* The asked layer, or the first that has codes; retc_free. */
static int
choose_layer(const source *from, const char *asked, char **codes, char **dictionary, const char **layer) {
    int status = RETC_OK;
    for (size_t i = 0; i < from->layers && !*codes; ++i) {
        char *name = retc_strf("/%s/codes", from->layer[i]);
        RETC_TRY(RETC_GOT(name));
        if ((!asked || !strcmp(asked, from->layer[i])) && retc_h5_has(from->modes, name)) {
            *codes = name;
            *layer = from->layer[i];
            *dictionary = retc_strf("/%s/dictionary", from->layer[i]);
            RETC_TRY(RETC_GOT(*dictionary));
        } else {
            retc_free(name);
        }
    }
    if (!*codes)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has no modes of %s%s", retc_h5_path(from->modes), asked ? "layer " : "any layer",
                           asked ? asked : ""));
done:
    return status;
}

/* Covariance of loadings i and m in z (count,A). */
static double
loading_covariance(const float *z, size_t count, size_t A, size_t i, size_t m) {
    double mean_i = 0, mean_m = 0, product = 0;
    for (size_t t = 0; t < count; ++t) {
        mean_i += (double)z[t * A + i] / (double)count;
        mean_m += (double)z[t * A + m] / (double)count;
    }
    for (size_t t = 0; t < count; ++t)
        product += ((double)z[t * A + i] - mean_i) * ((double)z[t * A + m] - mean_m) / (double)count;
    return product;
}

/* The mode, row of the dictionary (A,F), with the largest standard deviation of its loading times length of its row; with
 * `beside`, of the part of its loading that does not follow that of mode `beside`: two modes that act together tell less
 * than two that take turns. */
static size_t
find_strongest(const float *z, size_t count, size_t A, const float *dictionary, size_t F, const size_t *beside) {
    size_t best = beside && *beside == 0 ? 1 : 0;
    double largest = -1, variance = beside ? loading_covariance(z, count, A, *beside, *beside) : 0;
    for (size_t m = 0; m < A; ++m) {
        double strength = loading_covariance(z, count, A, m, m), length = 0;
        if (beside && m == *beside)
            continue;
        if (variance > 0)
            strength -= pow(loading_covariance(z, count, A, m, *beside), 2) / variance;
        for (size_t k = 0; k < F; ++k)
            length += (double)dictionary[m * F + k] * (double)dictionary[m * F + k];
        if (strength * length > largest) {
            largest = strength * length;
            best = m;
        }
    }
    return best;
}

static int
print_modes(const source *from, const retc_figure_strip_options *options, FILE *table) {
    char *codes = NULL, *dictionary_name = NULL;
    const char *layer = NULL;
    float *z = NULL;
    void *dictionary = NULL;
    size_t A = 0, shape[2] = {0}, mode[2] = {0};
    int status = RETC_OK;
    RETC_TRY(choose_layer(from, options->layer, &codes, &dictionary_name, &layer));
    RETC_TRY(read_window(from, from->modes, codes, &A, &z));
    RETC_TRY(retc_h5_expect(from->modes, dictionary_name, 2, (size_t[]){A, 0}, shape));
    RETC_TRY(retc_h5_read_new(from->modes, dictionary_name, RETC_H5_FLOAT, 2, NULL, &dictionary));
    if (A < 2)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: layer %s has %zu modes, two are drawn", retc_h5_path(from->modes), layer, A));
    mode[0] = find_strongest(z, from->count, A, dictionary, shape[1], NULL);
    mode[1] = find_strongest(z, from->count, A, dictionary, shape[1], &mode[0]);
    for (size_t i = 0; options->modes && i < 2; ++i) {
        mode[i] = options->modes[i];
        if (mode[i] >= A)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: layer %s has modes 0 to %zu, not %zu", retc_h5_path(from->modes), layer, A - 1,
                               mode[i]));
    }
    retc_table_block(table, "modes", "layer first second");
    retc_table_text(table, layer);
    retc_table_number(table, (double)mode[0]);
    retc_table_number(table, (double)mode[1]);
    retc_table_end_row(table);
    retc_table_block(table, "loadings", "time_s first second");
    for (size_t t = 0; t < from->count; ++t) {
        retc_table_number(table, from->time[from->first + t]);
        retc_table_number(table, (double)z[t * A + mode[0]]);
        retc_table_number(table, (double)z[t * A + mode[1]]);
        retc_table_end_row(table);
    }
done:
    retc_free(codes);
    retc_free(dictionary_name);
    retc_free(dictionary);
    retc_free(z);
    return status;
}

int
retc_figure_strip(retc_h5 *contributions, retc_h5 *modes, const retc_figure_cells *cells,
                  const retc_figure_strip_options *options, FILE *table) {
    source from = {0};
    int status = RETC_OK;
    RETC_TRY(open_source(contributions, modes, options, &from));
    RETC_TRY(print_rates(&from, cells, table));
    RETC_TRY(print_layer_list(&from, table));
    RETC_TRY(print_layers(&from, table));
    RETC_TRY(print_modes(&from, options, table));
done:
    close_source(&from);
    return status;
}

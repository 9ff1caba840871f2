#include "reduction.h"

#include <stdio.h>
#include <string.h>

#include "centres.h"
#include "field.h"

enum { CHUNK_BYTES = 1 << 18, MOST_CHUNK_ROWS = 64, NAME = 96, KINDS = 4 };

/* Places of a map (y w + x) in groups: those of region i are place[first[i]] ... place[first[i+1] - 1]. */
typedef struct {
    size_t n, *first, *place;
} regions;

/* One kind of sums at one cut. */
typedef struct {
    char name[NAME];
    int rank;
    size_t shape[4]; /* of one sample, from shape[1] on */
    int split;       /* by sign */
    int inside;      /* regions are innermost: (columns, regions), else (regions, columns) */
    regions regions;
} sums;

struct retc_reduction {
    const retc_network *network;
    size_t *cut, cuts, T;
    const char *const *name;
    retc_reduction_options options;
    retc_h5 *file;
    sums *sums; /* (cuts,KINDS), rank 0 where it was not asked for */
    float *buffer;
};

int
retc_reduction_parse(const char *names, int *kinds) {
    static const char *const known[] = {"split", "maps", "sum", "patch", "neighbourhood"};
    static const int bits[] = {0, RETC_REDUCE_MAPS, RETC_REDUCE_SUM, RETC_REDUCE_PATCH, RETC_REDUCE_NEIGHBOURHOOD};
    *kinds = 0;
    for (const char *at = names;; ++at) {
        size_t length = strcspn(at, ","), i = 0;
        while (i < 5 && (strlen(known[i]) != length || strncmp(known[i], at, length) != 0))
            ++i;
        if (i == 5)
            return RETC_FAIL(RETC_EUSAGE, "--reduce: \"%.*s\" is none of split, maps, sum, patch, neighbourhood", (int)length,
                             at);
        *kinds |= bits[i];
        at += length;
        if (*at == 0)
            return RETC_OK;
    }
}

/* ---- where cells and units are --------------------------------------------------------------------------------------- */

static double
middle_of(const retc_field *field, int d, size_t at) {
    return (field->lo[d] + field->hi[d]) / 2 + (double)at * field->step[d];
}

int
retc_reduction_centres(const retc_network *network, retc_recording *recording, size_t threads, const retc_progress *progress,
                       double *centre) {
    int status = RETC_OK;
    retc_field *field = NULL;
    int64_t *peak = NULL;
    const int64_t *known = network->centre;
    size_t grab = 0;
    while (grab < network->layers && network->layer[grab].kind != RETC_LAYER_GRAB)
        ++grab;
    RETC_TRY(RETC_ALLOC(field, network->layers));
    RETC_TRY(RETC_ALLOC(peak, 2 * network->N));
    retc_network_fields(network, field);
    if (grab == network->layers && !known) {
        RETC_TRY(retc_centres_estimate(recording, network->L, network->lag, threads, progress, peak));
        known = peak;
    }
    for (size_t i = 0; i < 2 * network->N; ++i)
        centre[i] =
            grab < network->layers ? middle_of(&field[grab], (int)(i % 2), network->layer[grab].position[i]) : (double)known[i];
done:
    retc_free(field);
    retc_free(peak);
    return status;
}

static int
write_units(const retc_reduction *r, size_t k, const retc_field *field) {
    static const char *const names[] = {"channel", "row", "column"};
    const retc_layer *layer = &r->network->layer[r->cut[k]];
    size_t units = retc_layer_units(layer);
    int64_t *number = NULL;
    double *middle = NULL;
    char name[NAME];
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(number, units));
    RETC_TRY(RETC_ALLOC(middle, units));
    for (int i = 0; i < 3; ++i) {
        for (size_t u = 0; u < units; ++u)
            number[u] = (int64_t)(i == 0 ? u / (layer->h * layer->w) : i == 1 ? u / layer->w % layer->h : u % layer->w);
        snprintf(name, sizeof name, "/metadata/units/%s/%s", r->name[k], names[i]);
        RETC_TRY(retc_h5_put(r->file, name, RETC_H5_INT64, 1, &units, number));
    }
    for (int d = 0; d < 2; ++d) {
        for (size_t u = 0; u < units; ++u)
            middle[u] = middle_of(field, d, d == 0 ? u / layer->w % layer->h : u % layer->w);
        snprintf(name, sizeof name, "/metadata/units/%s/%s", r->name[k], d == 0 ? "y" : "x");
        RETC_TRY(retc_h5_put(r->file, name, RETC_H5_DOUBLE, 1, &units, middle));
        RETC_TRY(retc_h5_set_text(r->file, name, "unit", "pixels"));
    }
done:
    retc_free(number);
    retc_free(middle);
    return status;
}

/* ---- regions --------------------------------------------------------------------------------------------------------- */

/* Does region i of a kind hold the place (y,x) of the map? */
static int
holds(const retc_reduction *r, int kind, const retc_layer *layer, const retc_field *field, size_t i, size_t y, size_t x) {
    if (kind == RETC_REDUCE_SUM)
        return 1;
    if (kind == RETC_REDUCE_PATCH) {
        size_t across = (layer->w + r->options.patch - 1) / r->options.patch;
        return y / r->options.patch == i / across && x / r->options.patch == i % across;
    }
    const double *centre = &r->options.centre[2 * i];
    double dy = (double)y - (double)retc_field_nearest(field, 0, centre[0], layer->h);
    double dx = (double)x - (double)retc_field_nearest(field, 1, centre[1], layer->w);
    dy *= field->step[0], dx *= field->step[1];
    return dy * dy + dx * dx <= r->options.radius * r->options.radius;
}

static int
find_regions(const retc_reduction *r, int kind, const retc_layer *layer, const retc_field *field, size_t n, regions *out) {
    int status = RETC_OK;
    size_t count = 0, room = 0;
    for (int pass = 0; pass < 2; ++pass) {
        if (pass == 1) {
            room = count > 0 ? count : 1;
            RETC_TRY(RETC_ALLOC(out->first, n + 1));
            RETC_TRY(RETC_ALLOC(out->place, room));
        }
        count = 0;
        for (size_t i = 0; i < n; ++i) {
            for (size_t y = 0; y < layer->h; ++y)
                for (size_t x = 0; x < layer->w; ++x)
                    if (holds(r, kind, layer, field, i, y, x)) {
                        if (pass == 1)
                            out->place[count] = y * layer->w + x;
                        ++count;
                    }
            if (pass == 1)
                out->first[i + 1] = count;
        }
    }
    out->n = n;
done:
    return status;
}

/* ---- datasets -------------------------------------------------------------------------------------------------------- */

static int
make_dataset(const retc_reduction *r, const char *name, int rank, const size_t *sample_shape, const char *axes) {
    size_t shape[4] = {r->T, 0}, chunk[4] = {MOST_CHUNK_ROWS, 0}, bytes = sizeof(float);
    int status = RETC_OK;
    for (int d = 1; d < rank; ++d) {
        shape[d] = chunk[d] = sample_shape[d];
        bytes *= shape[d];
    }
    while (chunk[0] > 1 && chunk[0] * bytes > CHUNK_BYTES)
        chunk[0] /= 2;
    RETC_TRY(retc_h5_make(r->file, name, RETC_H5_FLOAT, rank, shape, chunk));
    RETC_TRY(retc_h5_set_text(r->file, name, "axes", axes));
done:
    return status;
}

static int
make_sums(const retc_reduction *r, size_t k, int kind, const retc_field *field, sums *s) {
    const retc_layer *layer = &r->network->layer[r->cut[k]];
    size_t p = r->options.patch, C = layer->C;
    int status = RETC_OK;
    if (kind == RETC_REDUCE_SUM) {
        *s = (sums){.rank = 2, .shape = {0, C}};
        snprintf(s->name, sizeof s->name, "/sums/%s", r->name[k]);
        RETC_TRY(make_dataset(r, s->name, s->rank, s->shape, "sample, channel"));
        return find_regions(r, kind, layer, field, 1, &s->regions);
    }
    if (kind == RETC_REDUCE_PATCH) {
        *s = (sums){.rank = 4, .shape = {0, 2 * C, (layer->h + p - 1) / p, (layer->w + p - 1) / p}, .split = 1, .inside = 1};
        snprintf(s->name, sizeof s->name, "/patches/%s", r->name[k]);
        RETC_TRY(make_dataset(r, s->name, s->rank, s->shape, "sample, negative then positive sums of channels, row, column"));
        RETC_TRY(retc_h5_set_int(r->file, s->name, "patch", (int64_t)p));
        return find_regions(r, kind, layer, field, s->shape[2] * s->shape[3], &s->regions);
    }
    *s = (sums){.rank = 3, .shape = {0, r->network->N, 2 * C}, .split = 1};
    snprintf(s->name, sizeof s->name, "/neighbourhoods/%s", r->name[k]);
    RETC_TRY(make_dataset(r, s->name, s->rank, s->shape, "sample, cell, negative then positive sums of channels"));
    RETC_TRY(retc_h5_set_number(r->file, s->name, "radius", r->options.radius));
    return find_regions(r, kind, layer, field, r->network->N, &s->regions);
done:
    return status;
}

/* A patch may be larger than the maps of deep layers, which it then takes whole, but not than all. */
static int
check_patch(const retc_reduction *r) {
    const retc_layer *layer = &r->network->layer[r->cut[0]];
    size_t p = r->options.patch;
    if ((r->options.kinds & RETC_REDUCE_PATCH) && (p == 0 || p > layer->h || p > layer->w))
        return RETC_FAIL(RETC_EINVAL, "patches of %zux%zu units do not fit the maps of %s, %zux%zu; --patch sets their size", p,
                         p, r->name[0], layer->h, layer->w);
    return RETC_OK;
}

static size_t
sample_size(const sums *s) {
    size_t size = 1;
    for (int d = 1; d < s->rank; ++d)
        size *= s->shape[d];
    return size;
}

static int
make_all(retc_reduction *r, size_t block) {
    static const int kinds[KINDS] = {RETC_REDUCE_MAPS, RETC_REDUCE_SUM, RETC_REDUCE_PATCH, RETC_REDUCE_NEIGHBOURHOOD};
    size_t largest = 1, N = r->network->N;
    retc_field *field = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(field, r->network->layers));
    retc_network_fields(r->network, field);
    for (size_t k = 0; k < r->cuts; ++k) {
        const retc_layer *layer = &r->network->layer[r->cut[k]];
        RETC_TRY(write_units(r, k, &field[r->cut[k]]));
        for (int i = 0; i < KINDS; ++i) {
            sums *s = &r->sums[k * KINDS + (size_t)i];
            if (!(r->options.kinds & kinds[i]))
                continue;
            if (kinds[i] == RETC_REDUCE_MAPS) {
                *s = (sums){.rank = 4, .shape = {0, layer->C, layer->h, layer->w}};
                snprintf(s->name, sizeof s->name, "/maps/%s", r->name[k]);
                RETC_TRY(make_dataset(r, s->name, s->rank, s->shape, "sample, channel, row, column"));
            } else {
                RETC_TRY(make_sums(r, k, kinds[i], &field[r->cut[k]], s));
            }
            largest = sample_size(s) > largest ? sample_size(s) : largest;
        }
    }
    RETC_TRY(RETC_ALLOC(r->buffer, largest * block));
    if (r->options.kinds & RETC_REDUCE_NEIGHBOURHOOD) {
        RETC_TRY(retc_h5_put(r->file, "/metadata/cell_centres", RETC_H5_DOUBLE, 2, (size_t[]){N, 2}, r->options.centre));
        RETC_TRY(retc_h5_set_text(r->file, "/metadata/cell_centres", "axes", "cell; row, column in pixels"));
    }
done:
    retc_free(field);
    return status;
}

retc_reduction *
retc_reduction_alloc(const retc_network *network, const size_t *cut, const char *const *name, size_t cuts, size_t T,
                     size_t block, const retc_reduction_options *options, retc_h5 *file) {
    int status = RETC_OK;
    retc_reduction *r = NULL;
    RETC_TRY(RETC_ALLOC(r, 1));
    r->network = network, r->name = name, r->cuts = cuts, r->T = T, r->file = file;
    if (options)
        r->options = *options;
    RETC_TRY(RETC_ALLOC(r->cut, cuts));
    memcpy(r->cut, cut, cuts * sizeof *cut);
    RETC_TRY(check_patch(r));
    RETC_TRY(RETC_ALLOC(r->sums, cuts * KINDS));
    RETC_TRY(make_all(r, block));
done:
    if (status < 0) {
        retc_reduction_free(r);
        return NULL;
    }
    return r;
}

void
retc_reduction_free(retc_reduction *r) {
    if (!r)
        return;
    for (size_t i = 0; r->sums && i < r->cuts * KINDS; ++i)
        retc_free(r->sums[i].regions.first), retc_free(r->sums[i].regions.place);
    retc_free(r->sums);
    retc_free(r->cut);
    retc_free(r->buffer);
    retc_free(r);
}

/* ---- block by block -------------------------------------------------------------------------------------------------- */

/* From units of time to samples of units. */
static void
turn(const float *map, size_t ld, size_t units, size_t n, float *out) {
    for (size_t u = 0; u < units; ++u)
        for (size_t t = 0; t < n; ++t)
            out[t * units + u] = map[u * ld + t];
}

static void
sum_regions(const sums *s, const retc_layer *layer, const float *map, size_t ld, size_t n, float *out) {
    size_t size = sample_size(s), C = layer->C, columns = s->split ? 2 * C : C, step = s->inside ? s->regions.n : 1;
    memset(out, 0, n * size * sizeof *out);
    for (size_t i = 0; i < s->regions.n; ++i)
        for (size_t c = 0; c < C; ++c) {
            float *at = out + (s->inside ? i : i * columns) + c * step;
            for (size_t j = s->regions.first[i]; j < s->regions.first[i + 1]; ++j) {
                const float *x = map + (c * layer->h * layer->w + s->regions.place[j]) * ld;
                for (size_t t = 0; t < n; ++t)
                    at[t * size + (s->split && x[t] >= 0 ? C * step : 0)] += x[t];
            }
        }
}

int
retc_reduction_write(retc_reduction *r, const retc_contribution *b) {
    int status = RETC_OK;
    for (size_t k = 0; k < r->cuts; ++k)
        for (int i = 0; i < KINDS; ++i) {
            const sums *s = &r->sums[k * KINDS + (size_t)i];
            const retc_layer *layer = &r->network->layer[r->cut[k]];
            size_t start[4] = {b->sample, 0}, count[4] = {b->n, s->shape[1], s->shape[2], s->shape[3]};
            if (s->rank == 0)
                continue;
            if (s->regions.n == 0)
                turn(b->map[k], b->map_ld, retc_layer_units(layer), b->n, r->buffer);
            else
                sum_regions(s, layer, b->map[k], b->map_ld, b->n, r->buffer);
            RETC_TRY(retc_h5_write(r->file, s->name, RETC_H5_FLOAT, start, count, r->buffer));
        }
done:
    return status;
}

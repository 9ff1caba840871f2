/* Series of pictures in an NWB file: when each frame came on, and what it showed. */
#include <math.h>
#include <string.h>

#include "frame_clock.h"
#include "nwb.h"
#include "parallel.h"

/* Times and pictures may differ in number by this many (FORMATS 1); the fewer count. */
enum { LENGTH_TOLERANCE = 2 };

/* More frames, or pixels along one side, than any recording has: a damaged file. */
#define MOST_FRAMES ((size_t)1 << 28)
#define MOST_PIXELS ((size_t)1 << 15)

/* Bytes of pictures that are read at once, and that an IndexSeries keeps in memory. */
#define SLAB_BYTES ((size_t)4 << 20)
#define CACHE_BYTES ((size_t)128 << 20)

/* Where pictures are: in one dataset (pictures,...), or in one dataset each. */
struct retc_nwb_pictures {
    retc_h5 *h5; /* borrowed */
    char *stack;
    char **single; /* (pictures), the pointers and the texts are one block */
    float *slab;   /* stored values */
    size_t room;   /* pictures in it */
    float *cache;  /* (pictures,H,W) of an IndexSeries, NULL: read again */
};

/* ---- small datasets beside the pictures ------------------------------------------------------------------------------ */

/* A member that holds one number, as a scalar or a list of one.  1: read, 0: there is none. */
static int
read_scalar(retc_h5 *h5, const char *object, const char *member, double *value) {
    retc_nwb_path path;
    int rank = 0, status;
    size_t shape[RETC_H5_MAX_RANK], n = 1;
    if (!retc_h5_has(h5, retc_nwb_in(&path, object, member)))
        return 0;
    if ((status = retc_h5_shape(h5, path.text, &rank, shape)) < 0)
        return status;
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    if (n != 1)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is not one number", retc_h5_path(h5), path.text);
    status = retc_h5_read(h5, path.text, RETC_H5_DOUBLE, NULL, NULL, value);
    return status < 0 ? status : 1;
}

/* Pictures must be in the file itself, as numbers. */
static int
check_format(retc_h5 *h5, const char *object) {
    int status = RETC_OK;
    retc_nwb_path path;
    char *format = NULL, **files = NULL;
    size_t n = 0;
    if (retc_h5_has(h5, retc_nwb_in(&path, object, "external_file"))) {
        RETC_TRY(retc_h5_read_texts(h5, path.text, &files, &n));
        if (n > 0)
            RETC_TRY(RETC_FAIL(
                RETC_EFORMAT,
                "%s: the pictures of \"%s\" are in another file, %s%s: write them into the NWB file, or import them as "
                "a movie of their own",
                retc_h5_path(h5), object, files[0], n > 1 ? ", ..." : ""));
    }
    if (retc_h5_has(h5, retc_nwb_in(&path, object, "format"))) {
        RETC_TRY(retc_h5_read_text(h5, path.text, &format));
        if (format[0] && strcmp(format, "raw") != 0)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the pictures of \"%s\" are of format \"%s\", expected \"raw\"",
                               retc_h5_path(h5), object, format));
    }

done:
    retc_free(format);
    retc_free(files);
    return status;
}

/* ---- shapes of pictures ---------------------------------------------------------------------------------------------- */

/* From the stored axes of a picture, `rank` of them, to rows, columns and channels. */
static int
take_shape(retc_nwb_series *series, retc_h5 *h5, const char *path, int rank, const size_t *shape, int rows_first) {
    size_t channels = rank == 3 ? shape[2] : 1;
    if (rank < 2 || rank > 3 || shape[0] == 0 || shape[1] == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds no pictures: a picture has 2 axes, or 3 with colours",
                         retc_h5_path(h5), path);
    if (shape[0] > MOST_PIXELS || shape[1] > MOST_PIXELS)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has pictures of %zu x %zu pixels: are frames its first axis?",
                         retc_h5_path(h5), path, shape[0], shape[1]);
    if (channels != 1 && channels != 3 && channels != 4)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %zu values per pixel: expected 1 (grey), 3 (RGB) or 4 (RGBA)",
                         retc_h5_path(h5), path, channels);
    series->rows_first = rows_first;
    series->stored[0] = shape[0];
    series->stored[1] = shape[1];
    series->stored[2] = rank == 3 ? channels : 0;
    series->height = shape[rows_first ? 0 : 1];
    series->width = shape[rows_first ? 1 : 0];
    series->channels = channels == 4 ? 3 : channels;
    return RETC_OK;
}

/* `dimension` says width and height. */
static int
check_dimension(retc_nwb_series *series, retc_h5 *h5, const char *object) {
    retc_nwb_path path;
    size_t n = 0;
    void *read = NULL;
    if (!retc_h5_has(h5, retc_nwb_in(&path, object, "dimension")))
        return RETC_OK;
    int status = retc_h5_read_new(h5, path.text, RETC_H5_INT64, 1, &n, &read);
    if (status == RETC_OK && n >= 2) {
        const int64_t *dimension = read;
        series->dimension_disagrees = dimension[0] != (int64_t)series->width || dimension[1] != (int64_t)series->height;
    }
    retc_free(read);
    return status;
}

/* The pictures of an ImageSeries. */
static int
open_stack(retc_nwb_series *series, retc_h5 *h5, const char *object, int rows_first) {
    int status = RETC_OK, rank = 0;
    size_t shape[RETC_H5_MAX_RANK] = {0};
    retc_nwb_path path;
    RETC_TRY(check_format(h5, object));
    RETC_TRY(retc_h5_shape(h5, retc_nwb_in(&path, object, "data"), &rank, shape));
    RETC_TRY(take_shape(series, h5, path.text, rank - 1, shape + 1, rows_first));
    if (shape[0] == 0 || shape[0] > MOST_FRAMES)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %zu pictures", retc_h5_path(h5), path.text, shape[0]));
    series->pictures = shape[0];
    series->is_bytes = retc_h5_is_uint8(h5, path.text);
    RETC_TRY(RETC_GOT(series->source->stack = retc_strdup(path.text)));
    RETC_TRY(retc_h5_get_number(h5, path.text, "conversion", &series->conversion));
    RETC_TRY(retc_h5_get_number(h5, path.text, "offset", &series->offset));
    RETC_TRY(check_dimension(series, h5, object));

done:
    return status;
}

/* The pictures of an Images group, in the order that order_of_images gives. */
static int
open_singles(retc_nwb_series *series, retc_h5 *h5, const char *group, int rows_first) {
    int status = RETC_OK;
    retc_nwb_path order, path;
    char **reference = NULL, **found = NULL;
    size_t bytes = 0;
    if (!retc_h5_has(h5, retc_nwb_in(&order, group, "order_of_images")))
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has no order_of_images: which picture is number 0?", retc_h5_path(h5), group));
    RETC_TRY(retc_h5_read_references(h5, order.text, &reference, &series->pictures));
    if (series->pictures == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is empty", retc_h5_path(h5), order.text));
    for (size_t i = 0; i < series->pictures; ++i)
        bytes += strlen(group) + strlen(reference[i]) + 2;
    RETC_TRY(RETC_GOT(found = retc_calloc(1, series->pictures * sizeof *found + bytes)));
    char *end = (char *)(found + series->pictures);
    for (size_t i = 0; i < series->pictures; ++i) {
        /* The reference counts in the file that holds it, which may be another one: its last step counts in the group. */
        const char *slash = strrchr(reference[i], '/'), *name = slash ? slash + 1 : reference[i];
        const char *at = retc_nwb_in(&path, group, name);
        int rank = 0;
        size_t shape[RETC_H5_MAX_RANK] = {0}, stored[3] = {series->stored[0], series->stored[1], series->stored[2]};
        if (retc_h5_look(h5, at, NULL) != RETC_H5_DATASET)
            at = reference[i];
        if (at[0] == '\0' || retc_h5_look(h5, at, NULL) != RETC_H5_DATASET)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: entry %zu of \"%s\" leads to no picture", retc_h5_path(h5), i, order.text));
        RETC_TRY(retc_h5_shape(h5, at, &rank, shape));
        RETC_TRY(take_shape(series, h5, at, rank, shape, rows_first));
        if (i > 0 && memcmp(stored, series->stored, sizeof stored) != 0)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has another shape than the pictures before it", retc_h5_path(h5), at));
        series->is_bytes = (i == 0 || series->is_bytes) && retc_h5_is_uint8(h5, at);
        found[i] = strcpy(end, at);
        end += strlen(at) + 1;
    }
    series->source->single = found;
    found = NULL;

done:
    retc_free(reference);
    retc_free(found);
    return status;
}

/* ---- clock ----------------------------------------------------------------------------------------------------------- */

int
retc_nwb_check_seconds(retc_h5 *h5, const char *path) {
    char *unit = NULL;
    int status = RETC_OK;
    if (!retc_h5_has_attribute(h5, path, "unit"))
        return RETC_OK;
    RETC_TRY(retc_h5_get_text(h5, path, "unit", &unit));
    if (unit[0] && unit[0] != 's' && unit[0] != 'S')
        status = RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is in %s, expected seconds", retc_h5_path(h5), path, unit);

done:
    retc_free(unit);
    return status;
}

/* Onsets of `n` frames from a start and a rate. */
static int
clock_from_rate(retc_nwb_series *series, retc_h5 *h5, const char *object, size_t n) {
    int status = RETC_OK, found;
    double start = 0, rate = 0;
    retc_nwb_path path;
    if ((found = status = read_scalar(h5, object, "starting_time", &start)) < 0)
        return status;
    if (!found)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has neither timestamps nor starting_time", retc_h5_path(h5), object);
    RETC_TRY(retc_nwb_check_seconds(h5, retc_nwb_in(&path, object, "starting_time")));
    RETC_TRY(retc_h5_get_number(h5, path.text, "rate", &rate));
    if (!(rate > 0) || !isfinite(rate) || !isfinite(start))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is %g s with a rate of %g Hz: expected a positive rate", retc_h5_path(h5),
                           path.text, start, rate));
    RETC_TRY(RETC_ALLOC(series->onset, n));
    for (size_t k = 0; k < n; ++k)
        series->onset[k] = start + (double)k / rate;
    series->frames = series->stored_times = n;
    series->interval = 1 / rate;
    series->from_rate = 1;
    status = RETC_OK;

done:
    return status;
}

static int
read_clock(retc_nwb_series *series, retc_h5 *h5, const char *object, size_t n) {
    int status = RETC_OK;
    retc_nwb_path path;
    void *read = NULL;
    if (!retc_h5_has(h5, retc_nwb_in(&path, object, "timestamps")))
        return clock_from_rate(series, h5, object, n);
    RETC_TRY(retc_nwb_check_seconds(h5, path.text));
    RETC_TRY(retc_h5_read_new(h5, path.text, RETC_H5_DOUBLE, 1, &series->stored_times, &read));
    series->onset = read;
    size_t times = series->stored_times, more = times > n ? times - n : n - times;
    series->frames = times < n ? times : n;
    if (more > LENGTH_TOLERANCE || series->frames == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %zu frames and %zu timestamps: expected the same number (within %d)",
                           retc_h5_path(h5), object, n, times, LENGTH_TOLERANCE));
    size_t wrong = retc_clock_disorder(series->onset, series->frames);
    if (wrong < series->frames)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\": time %zu, %.9g s, does not come after the one before", retc_h5_path(h5),
                           path.text, wrong, series->onset[wrong]));
    if (series->frames > 1)
        RETC_TRY(retc_clock_median_interval(series->onset, series->frames, &series->interval));

done:
    return status;
}

/* ---- opening --------------------------------------------------------------------------------------------------------- */

/* The group that a link of an IndexSeries leads to, NULL when there is none. */
static const char *
linked_group(retc_h5 *h5, const char *object, const char *member, retc_nwb_path *path) {
    return retc_h5_look(h5, retc_nwb_in(path, object, member), NULL) == RETC_H5_GROUP ? path->text : NULL;
}

static int
read_index(retc_nwb_series *series, retc_h5 *h5, const char *object, int rows_first, size_t *n) {
    int status = RETC_OK;
    retc_nwb_path path, data;
    void *read = NULL;
    const char *group;
    if ((group = linked_group(h5, object, "indexed_images", &path)))
        RETC_TRY(open_singles(series, h5, group, rows_first));
    else if ((group = linked_group(h5, object, "indexed_timeseries", &path)))
        RETC_TRY(open_stack(series, h5, group, rows_first));
    else
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: \"%s\" has no link to pictures, or one that leads nowhere: expected indexed_images or "
                           "indexed_timeseries",
                           retc_h5_path(h5), object));
    RETC_TRY(retc_h5_read_new(h5, retc_nwb_in(&data, object, "data"), RETC_H5_INT64, 1, n, &read));
    series->index = read;
    for (size_t k = 0; k < *n; ++k)
        if (series->index[k] < 0 || (uint64_t)series->index[k] >= series->pictures)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: frame %zu of \"%s\" shows picture %lld, there are %zu (from 0)",
                               retc_h5_path(h5), k, object, (long long)series->index[k], series->pictures));

done:
    return status;
}

int
retc_nwb_series_read(const retc_nwb *nwb, const retc_nwb_object *object, int rows_first, retc_nwb_series *series) {
    int status = RETC_OK;
    size_t n = 0;
    *series = (retc_nwb_series){.name = object->name, .conversion = 1};
    RETC_TRY(RETC_ALLOC(series->source, 1));
    series->source->h5 = nwb->h5;
    if (object->kind == RETC_NWB_INDEX) {
        RETC_TRY(read_index(series, nwb->h5, object->path, rows_first, &n));
    } else {
        RETC_TRY(open_stack(series, nwb->h5, object->path, rows_first));
        n = series->pictures;
    }
    RETC_TRY(read_clock(series, nwb->h5, object->path, n));
    if (!(series->conversion != 0) || !isfinite(series->conversion) || !isfinite(series->offset))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has conversion %g and offset %g", retc_h5_path(nwb->h5), object->path,
                           series->conversion, series->offset));
    status = RETC_OK;

done:
    return status;
}

void
retc_nwb_series_clear(retc_nwb_series *series) {
    retc_free(series->onset);
    retc_free(series->index);
    if (series->source) {
        retc_free(series->source->stack);
        retc_free(series->source->single);
        retc_free(series->source->slab);
        retc_free(series->source->cache);
        retc_free(series->source);
    }
    *series = (retc_nwb_series){0};
}

/* ---- pictures -------------------------------------------------------------------------------------------------------- */

/* One stored picture as values (H,W): channels averaged, rows made the first axis. */
static void
picture_values(const retc_nwb_series *series, const float *stored, float *out) {
    size_t step = series->stored[2] ? series->stored[2] : 1, height = series->height, width = series->width;
    if (step == 1 && series->conversion == 1 && series->offset == 0) {
        size_t row = series->rows_first ? width : 1, column = series->rows_first ? 1 : height;
        for (size_t y = 0; y < height; ++y)
            for (size_t x = 0; x < width; ++x)
                out[y * width + x] = stored[y * row + x * column];
        return;
    }
    for (size_t y = 0; y < height; ++y)
        for (size_t x = 0; x < width; ++x) {
            const float *pixel = stored + step * (series->rows_first ? y * width + x : x * height + y);
            double sum = 0;
            for (size_t c = 0; c < series->channels; ++c)
                sum += (double)pixel[c];
            out[y * width + x] = (float)(sum / (double)series->channels * series->conversion + series->offset);
        }
}

typedef struct {
    const retc_nwb_series *series;
    const float *stored; /* (n,values) */
    size_t values, n;
    float *out; /* (n,H,W) */
} picture_share;

/* Pictures are worked on in shares: a single one is less than what waking a thread costs. */
enum { PICTURES_PER_SHARE = 32 };

static int
share_values(void *context, size_t i) {
    const picture_share *share = context;
    size_t pixels = share->series->height * share->series->width;
    for (size_t k = i * PICTURES_PER_SHARE; k < (i + 1) * PICTURES_PER_SHARE && k < share->n; ++k)
        picture_values(share->series, share->stored + k * share->values, share->out + k * pixels);
    return RETC_OK;
}

/* Pictures k ... k+n-1 of a stack, or picture k alone, as values. */
static int
read_pictures(const retc_nwb_series *series, size_t k, size_t n, float *out) {
    int status = RETC_OK;
    struct retc_nwb_pictures *source = series->source;
    size_t pixels = series->height * series->width, values = pixels * (series->stored[2] ? series->stored[2] : 1);
    if (!source->slab) {
        source->room = values * sizeof(float) < SLAB_BYTES ? SLAB_BYTES / (values * sizeof(float)) : 1;
        RETC_TRY(RETC_ALLOC(source->slab, source->room * values));
    }
    for (size_t done = 0, m; done < n; done += m) {
        m = source->single ? 1 : n - done < source->room ? n - done : source->room;
        const size_t start[4] = {k + done, 0, 0, 0}, count[4] = {m, series->stored[0], series->stored[1], series->stored[2]};
        if (source->single)
            RETC_TRY(retc_h5_read(source->h5, source->single[k + done], RETC_H5_FLOAT, NULL, NULL, source->slab));
        else
            RETC_TRY(retc_h5_read(source->h5, source->stack, RETC_H5_FLOAT, start, count, source->slab));
        picture_share share = {series, source->slab, values, m, out + done * pixels};
        RETC_TRY(retc_parallel_for((m + PICTURES_PER_SHARE - 1) / PICTURES_PER_SHARE, 0, share_values, &share));
    }

done:
    return status;
}

/* The pictures of an IndexSeries are asked for in any order: keep them, if there is room. */
static int
fill_cache(const retc_nwb_series *series) {
    int status = RETC_OK;
    struct retc_nwb_pictures *source = series->source;
    size_t pixels = series->height * series->width;
    if (source->cache || series->pictures > CACHE_BYTES / sizeof(float) / pixels)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(source->cache, series->pictures * pixels));
    RETC_TRY(read_pictures(series, 0, series->pictures, source->cache));

done:
    return status;
}

int
retc_nwb_series_frames(retc_nwb_series *series, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    size_t pixels = series->height * series->width;
    if (!series->index)
        return read_pictures(series, t0, n, out);
    RETC_TRY(fill_cache(series));
    for (size_t t = 0; t < n; ++t, out += pixels) {
        size_t k = (size_t)series->index[t0 + t];
        if (series->source->cache)
            memcpy(out, series->source->cache + k * pixels, pixels * sizeof *out);
        else if (t > 0 && series->index[t0 + t] == series->index[t0 + t - 1])
            memcpy(out, out - pixels, pixels * sizeof *out);
        else
            RETC_TRY(read_pictures(series, k, 1, out));
    }

done:
    return status;
}

/* ---- range of values ------------------------------------------------------------------------------------------------- */

/* What `stored` levels 0 ... `most` stand for. */
static void
range_of_levels(const retc_nwb_series *series, double most, double *low, double *high) {
    double last = most * series->conversion + series->offset;
    *low = fmin(series->offset, last);
    *high = fmax(series->offset, last);
}

int
retc_nwb_series_range(retc_nwb_series *series, double *low, double *high, int *whole) {
    int status = RETC_OK;
    size_t pixels = series->height * series->width, slab = SLAB_BYTES / sizeof(float) / pixels + 1;
    float *values = NULL;
    double low_bit, high_bit;
    range_of_levels(series, 1, &low_bit, &high_bit);
    *low = HUGE_VAL;
    *high = -HUGE_VAL;
    *whole = 1;
    RETC_TRY(RETC_ALLOC(values, slab * pixels));
    for (size_t k = 0; k < series->pictures; k += slab) {
        size_t n = series->pictures - k < slab ? series->pictures - k : slab;
        RETC_TRY(read_pictures(series, k, n, values));
        for (size_t i = 0; i < n * pixels; ++i) {
            double x = (double)values[i];
            if (!isfinite(x))
                RETC_TRY(RETC_FAIL(RETC_ENUMBER, "%s: picture %zu of \"%s\" holds %g: expected finite grey levels",
                                   retc_h5_path(series->source->h5), k + i / pixels, series->name, x));
            *low = x < *low ? x : *low;
            *high = x > *high ? x : *high;
            *whole &= x == floor(x);
        }
        /* Bytes that are no bits may have any level: no need to look at them all. */
        if (series->is_bytes && (*low < low_bit || *high > high_bit)) {
            range_of_levels(series, 255, low, high);
            break;
        }
    }

done:
    retc_free(values);
    return status;
}

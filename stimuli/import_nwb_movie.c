/* The movie of an NWB import: which series, in which order, when, and in which grey levels. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_clock.h"
#include "import_nwb_data.h"
#include "options.h"

/* Grey levels count as whole when they are as near as this to one. */
#define NEARLY_WHOLE 1e-9

char *
retc_nwb_next_word(char **rest) {
    char *word;
    while ((word = strsep(rest, ",")) && *word == '\0')
        continue;
    return word;
}

/* ---- which series ---------------------------------------------------------------------------------------------------- */

static int
is_series(const retc_nwb_object *object) {
    return object->kind == RETC_NWB_MOVIE || object->kind == RETC_NWB_INDEX;
}

/* "a, b, c" of the series of a file; retc_free. */
static char *
list_series(const retc_nwb *nwb) {
    char *list = retc_strdup("");
    for (size_t i = 0; i < nwb->objects && list; ++i) {
        if (!is_series(&nwb->object[i]))
            continue;
        char *longer = retc_strf("%s%s%s", list, list[0] ? ", " : "", nwb->object[i].path);
        retc_free(list);
        list = longer;
    }
    return list;
}

static int
no_series(const retc_nwb_import *in, const char *what) {
    const retc_nwb *nwb = in->nwb;
    char *list = list_series(nwb);
    int status = !list     ? RETC_ENOMEM
                 : list[0] ? RETC_FAIL(RETC_EFORMAT, "%s: %s: choose with --stimulus from %s", in->options->file, what, list)
                 : nwb->broken
                     ? RETC_FAIL(RETC_EFORMAT, "%s: no series of pictures is there; these links lead nowhere: %s",
                                 in->options->file, nwb->broken)
                     : RETC_FAIL(RETC_EFORMAT, "%s: no series of pictures (ImageSeries, OpticalSeries, IndexSeries) is there",
                                 in->options->file);
    retc_free(list);
    return status;
}

/* Mark the series that --stimulus names. */
static int
choose_named(const retc_nwb_import *in, char *chosen) {
    int status = RETC_OK;
    char *copy = retc_strdup(in->options->stimulus), *rest = copy, reason[256];
    RETC_TRY(RETC_GOT(copy));
    for (char *word; (word = retc_nwb_next_word(&rest));) {
        int found = 0;
        for (size_t i = 0; i < in->nwb->objects; ++i) {
            const retc_nwb_object *object = &in->nwb->object[i];
            if (!is_series(object) || (strcmp(object->name, word) != 0 && strcmp(object->path, word + (*word == '/')) != 0))
                continue;
            chosen[i] = 1;
            found = 1;
        }
        snprintf(reason, sizeof reason, "no series is called \"%s\"", word);
        if (!found)
            RETC_TRY(no_series(in, reason));
    }

done:
    retc_free(copy);
    return status;
}

/* Without names: all that were presented; where none is, the only one that lends no pictures to another. */
static int
choose_presented(const retc_nwb_import *in, char *chosen) {
    size_t presented = 0, others = 0;
    for (size_t i = 0; i < in->nwb->objects; ++i) {
        const retc_nwb_object *object = &in->nwb->object[i];
        int shown = is_series(object) && !object->is_template;
        presented += shown && object->presented;
        others += shown && !object->presented;
    }
    for (size_t i = 0; i < in->nwb->objects; ++i) {
        const retc_nwb_object *object = &in->nwb->object[i];
        chosen[i] = is_series(object) && !object->is_template && (object->presented || presented == 0);
    }
    if (presented == 0 && others != 1)
        return no_series(in, "no series stands in /stimulus/presentation");
    return RETC_OK;
}

static int
by_onset(const void *a, const void *b) {
    const retc_nwb_series *x = a, *y = b;
    return x->onset[0] < y->onset[0] ? -1 : x->onset[0] > y->onset[0];
}

static int
say_series(retc_nwb_import *in, const retc_nwb_object *object, const retc_nwb_series *series) {
    int status = RETC_OK;
    retc_import_report *report = in->report;
    RETC_TRY(retc_import_say(report, "stimulus: %s, %s%s: %zu frames, %s", object->path, object->type,
                             object->is_extension ? " (unknown, used as what its datasets are)" : "", series->frames,
                             series->from_rate ? "times from start and rate" : "timestamps"));
    if (series->index)
        RETC_TRY(retc_import_say(report, "  frames are numbers of %zu pictures", series->pictures));
    RETC_TRY(retc_import_say(report, "  axes %s: pictures stored as (%zu,%zu) are %zu rows of %zu columns",
                             series->rows_first ? "tyx" : "txy", series->stored[0], series->stored[1], series->height,
                             series->width));
    if (series->dimension_disagrees && series->height != series->width)
        RETC_TRY(retc_import_say(report, "warning: the dimension of %s says otherwise (width, height): is --axes %s right?",
                                 object->path, series->rows_first ? "txy" : "tyx"));
    if (series->channels > 1)
        RETC_TRY(retc_import_say(report, "  %s is averaged to grey", series->stored[2] == 4 ? "RGB of RGBA" : "RGB"));
    if (series->stored_times != (series->index ? series->frames : series->pictures))
        RETC_TRY(retc_import_say(report, "note: %s has %zu times; the first %zu frames are used", object->path,
                                 series->stored_times, series->frames));

done:
    return status;
}

static int
read_series(retc_nwb_import *in) {
    int status = RETC_OK;
    const retc_nwb *nwb = in->nwb;
    char *chosen = NULL;
    RETC_TRY(RETC_ALLOC(chosen, nwb->objects));
    RETC_TRY(in->options->stimulus ? choose_named(in, chosen) : choose_presented(in, chosen));
    RETC_TRY(RETC_ALLOC(in->series, nwb->objects));
    for (size_t i = 0; i < nwb->objects; ++i) {
        if (!chosen[i])
            continue;
        retc_nwb_series *series = &in->series[in->n_series++];
        RETC_TRY(retc_nwb_series_read(nwb, &nwb->object[i], strcmp(in->options->axes, "tyx") == 0, series));
        RETC_TRY(say_series(in, &nwb->object[i], series));
    }
    qsort(in->series, in->n_series, sizeof *in->series, by_onset);

done:
    retc_free(chosen);
    return status;
}

/* ---- one movie of all series ----------------------------------------------------------------------------------------- */

static int
check_neighbours(const retc_nwb_import *in, const retc_nwb_series *a, const retc_nwb_series *b) {
    if (a->height != b->height || a->width != b->width)
        return RETC_FAIL(RETC_EFORMAT, "%s: %s has %zu x %zu pixels and %s %zu x %zu: import them apart, with --stimulus",
                         in->options->file, a->name, a->height, a->width, b->name, b->height, b->width);
    if (a->onset[a->frames - 1] >= b->onset[0])
        return RETC_FAIL(RETC_EFORMAT, "%s: %s and %s were shown at the same time (%.9g s): choose one with --stimulus",
                         in->options->file, a->name, b->name, b->onset[0]);
    return RETC_OK;
}

static int
join_series(retc_nwb_import *in) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(in->first, in->n_series + 1));
    for (size_t i = 0; i < in->n_series; ++i) {
        if (i > 0)
            RETC_TRY(check_neighbours(in, &in->series[i - 1], &in->series[i]));
        in->first[i + 1] = in->first[i] + in->series[i].frames;
    }
    in->frames = in->first[in->n_series];
    RETC_TRY(RETC_ALLOC(in->onset, in->frames));
    RETC_TRY(RETC_ALLOC(in->end, in->frames));
    for (size_t i = 0; i < in->n_series; ++i)
        memcpy(in->onset + in->first[i], in->series[i].onset, in->series[i].frames * sizeof *in->onset);
    RETC_TRY(retc_clock_median_interval(in->onset, in->frames, &in->interval));

done:
    return status;
}

/* When each frame goes. */
static void
end_frames(retc_nwb_import *in) {
    size_t pauses = 0;
    for (size_t i = 0; i < in->n_series; ++i) {
        double interval = in->series[i].frames > 1 ? in->series[i].interval : in->interval;
        for (size_t t = in->first[i]; t < in->first[i + 1]; ++t) {
            double next = t + 1 < in->frames ? in->onset[t + 1] : HUGE_VAL, usual = in->onset[t] + interval;
            int is_last = t + 1 == in->first[i + 1];
            int pause = is_last || (in->options->pause > 0 && next - in->onset[t] > in->options->pause * interval);
            in->end[t] = pause && usual < next ? usual : next;
            pauses += pause && !is_last;
        }
    }
    in->pauses = pauses;
}

static size_t
series_of(const retc_nwb_import *in, size_t t) {
    size_t low = 0, high = in->n_series;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (in->first[middle] <= t)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Values to grey levels.  Levels of bytes lie within 0 ... 255, so that to cut is to round. */
static void
to_grey(const retc_nwb_import *in, float *level, size_t n) {
    int bytes = in->type == RETC_H5_UINT8;
    for (size_t i = 0; i < n; ++i) {
        double x = (double)level[i] * in->scale + in->shift;
        level[i] = bytes ? (float)(int)(x + 0.5) : (float)x;
    }
}

int
retc_nwb_import_frames(void *context, size_t t0, size_t n, float *out) {
    const retc_nwb_import *in = context;
    int status = RETC_OK;
    size_t pixels = in->series[0].height * in->series[0].width;
    for (size_t i = series_of(in, t0), m; n > 0; ++i, t0 += m, n -= m, out += m * pixels) {
        m = in->first[i + 1] - t0 < n ? in->first[i + 1] - t0 : n;
        RETC_TRY(retc_nwb_series_frames(&in->series[i], t0 - in->first[i], m, out));
        if (in->scale != 1 || in->shift != 0)
            to_grey(in, out, m * pixels);
    }

done:
    return status;
}

/* ---- grey levels ----------------------------------------------------------------------------------------------------- */

/* "BLACK:WHITE" */
static int
parse_grey(const char *text, double *black, double *white) {
    int status = RETC_OK;
    char *copy = retc_strdup(text), *colon = copy ? strchr(copy, ':') : NULL;
    RETC_TRY(RETC_GOT(copy));
    if (colon)
        *colon = '\0';
    if (!colon || retc_parse_double(copy, black) < 0 || retc_parse_double(colon + 1, white) < 0 || !(*black != *white))
        status = RETC_FAIL(RETC_EUSAGE, "--grey: \"%s\" is not \"auto\" or two different values BLACK:WHITE, as -1:1", text);

done:
    retc_free(copy);
    return status;
}

static int
is_whole(double x) {
    return fabs(x - round(x)) < NEARLY_WHOLE;
}

/* Whether all levels become whole numbers 0 ... 255. */
static int
fits_bytes(const retc_nwb_import *in, double low, double high, int whole) {
    double a = low * in->scale + in->shift, b = high * in->scale + in->shift;
    if (fmin(a, b) < -NEARLY_WHOLE || fmax(a, b) > 255 + NEARLY_WHOLE)
        return 0;
    if (whole && is_whole(in->scale) && is_whole(in->shift))
        return 1;
    for (size_t i = 0; i < in->n_series; ++i) {
        const retc_nwb_series *series = &in->series[i];
        if (!series->is_bytes || series->channels > 1 || !is_whole(series->conversion * in->scale) ||
            !is_whole(series->offset * in->scale + in->shift))
            return 0;
    }
    return 1;
}

/* What black and white probably are; 0 when the range of values is none of the usual ones. */
static int
guess_grey(double low, double high, double *black, double *white) {
    int positive = low >= 0, usual = high <= 1 ? low >= -1 : positive && high <= 255;
    *black = positive ? 0 : usual ? -1 : low;
    *white = !usual ? high : high <= 1 ? 1 : 255;
    return usual;
}

static int
settle_grey(retc_nwb_import *in) {
    int status = RETC_OK, whole = 1;
    double low = HUGE_VAL, high = -HUGE_VAL, black, white;
    const char *grey = in->options->grey;
    int given = grey && strcmp(grey, "auto") != 0;
    for (size_t i = 0; i < in->n_series; ++i) {
        double a, b;
        int w;
        RETC_TRY(retc_nwb_series_range(&in->series[i], &a, &b, &w));
        low = fmin(low, a);
        high = fmax(high, b);
        whole &= w;
    }
    int usual = guess_grey(low, high, &black, &white);
    if (given)
        RETC_TRY(parse_grey(grey, &black, &white));
    in->scale = 255 / (white - black);
    in->shift = -black * in->scale;
    in->type = fits_bytes(in, low, high, whole) ? RETC_H5_UINT8 : RETC_H5_FLOAT;
    RETC_TRY(retc_import_say(in->report, "grey levels: stored values %g ... %g, black %g and white %g %s, become 0 ... 255",
                             low, high, black, white, given ? "as asked for" : "taken for granted"));
    if (!usual && !given)
        RETC_TRY(retc_import_say(in->report,
                                 "warning: these values are neither 0 ... 1, -1 ... 1 nor 0 ... 255: say what black "
                                 "and white are with --grey"));

done:
    return status;
}

int
retc_nwb_import_movie(retc_nwb_import *in) {
    int status = RETC_OK;
    RETC_TRY(read_series(in));
    RETC_TRY(join_series(in));
    end_frames(in);
    RETC_TRY(settle_grey(in));

done:
    return status;
}

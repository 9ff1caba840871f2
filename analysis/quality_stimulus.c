/* The movie: its mean, spread and range, and whether the test part shows what the train part shows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quality_internal.h"
#include "stats.h"

enum { SLAB_BYTES = 16 << 20, PIECE = 4096 };

/* An odd number whose bits look random: the base of the sums that stand for windows of frames. */
#define BASE 0x9E3779B97F4A7C15u

/* A window of frames is told from others by a 64-bit number; among 1e9 pairs two different ones are taken for the same with
 * a chance of 1e-10. */
typedef struct {
    uint64_t sum;
    size_t first; /* frame */
} window;

typedef struct {
    retc_quality_stimulus *found;
    retc_moments moments;
    window *test; /* (n_test) sorted by sum */
    size_t n_test;
    unsigned char *seen; /* (n_test) */
    uint64_t power;      /* BASE to the number of frames in a window */
} comparison;

/* Of one frame; 0 and -0 are the same. */
static uint64_t
frame_number(const float *frame, size_t pixels) {
    uint64_t h = pixels;
    for (size_t i = 0; i < pixels; ++i) {
        float value = frame[i] + 0.0f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        h = (h ^ bits) * 0xBF58476D1CE4E5B9u;
        h ^= h >> 31;
    }
    return h;
}

/* The windows of a run of frames, one frame at a time. */
typedef struct {
    uint64_t *ring; /* (size) numbers of the last frames */
    size_t size, frames;
    uint64_t sum, power;
    size_t same; /* frames at the end that are all alike */
} rolling;

/* Add a frame; 1 when a whole window ends with it that is not one still image. */
static int
roll(rolling *r, uint64_t number) {
    size_t slot = r->frames % r->size, before = (r->frames + r->size - 1) % r->size;
    r->same = r->frames > 0 && r->ring[before] == number ? r->same + 1 : 1;
    r->sum = r->sum * BASE + number - (r->frames >= r->size ? r->ring[slot] * r->power : 0);
    r->ring[slot] = number;
    ++r->frames;
    return r->frames >= r->size && (r->same < r->size || r->size == 1);
}

static int
compare_windows(const void *left, const void *right) {
    const window *a = left, *b = right;
    if (a->sum != b->sum)
        return a->sum < b->sum ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

/* All test windows of this number occur; `first` is where the train part shows them. */
static void
look_up(comparison *c, uint64_t sum, size_t first) {
    size_t low = 0, high = c->n_test;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->test[middle].sum < sum)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < c->n_test && c->test[low].sum == sum && !c->seen[low]; ++low) {
        if (c->found->shared++ == 0) {
            c->found->first_test = c->test[low].first;
            c->found->first_in_train = first;
        }
        c->seen[low] = 1;
    }
}

static void
take_values(comparison *c, const float *x, size_t n) {
    for (size_t i = 0; i < n; i += PIECE)
        retc_moments_add(&c->moments, x + i, n - i < PIECE ? n - i : PIECE);
    for (size_t i = 0; i < n; ++i) {
        c->found->min = fmin(c->found->min, (double)x[i]);
        c->found->max = fmax(c->found->max, (double)x[i]);
    }
}

/* Stream a part: list its windows when it is the test part, look them up when it is the train part. */
static int
stream_part(retc_recording *recording, retc_part part, int take, const retc_progress *progress, comparison *c) {
    int status = RETC_OK;
    size_t frames = retc_recording_frames(recording, part);
    size_t pixels = retc_recording_height(recording) * retc_recording_width(recording);
    size_t slab = SLAB_BYTES / (pixels * sizeof(float)) + 1;
    rolling r = {.size = c->found->window, .power = c->power};
    float *movie = NULL;
    slab = slab < frames ? slab : frames;
    RETC_TRY(RETC_ALLOC(movie, slab * pixels));
    RETC_TRY(RETC_ALLOC(r.ring, r.size + 1));
    for (size_t t0 = 0; t0 < frames; t0 += slab) {
        size_t n = frames - t0 < slab ? frames - t0 : slab;
        RETC_TRY(retc_recording_stimulus(recording, part, t0, n, movie));
        if (take)
            take_values(c, movie, n * pixels);
        for (size_t i = 0; r.size > 0 && i < n; ++i) {
            if (!roll(&r, frame_number(movie + i * pixels, pixels)))
                continue;
            if (part == RETC_TEST)
                c->test[c->n_test++] = (window){r.sum, t0 + i + 1 - r.size};
            else
                look_up(c, r.sum, t0 + i + 1 - r.size);
        }
        retc_progress_report(progress, t0 + n, frames, "stimulus");
    }
done:
    retc_free(movie);
    retc_free(r.ring);
    return status;
}

int
retc_quality_look_at_stimulus(retc_recording *recording, const retc_quality_options *options, const retc_progress *progress,
                              retc_quality *quality) {
    int status = RETC_OK;
    retc_quality_stimulus *found = &quality->stimulus;
    size_t train = quality->part[RETC_TRAIN].frames, test = quality->part[RETC_TEST].frames;
    comparison c = {.found = found, .power = 1};
    found->min = HUGE_VAL;
    found->max = -HUGE_VAL;
    if (train > 0 && test > 0)
        found->window = options->history < test ? options->history : test;
    for (size_t i = 0; i < found->window; ++i)
        c.power *= BASE;
    if (test > 0) {
        RETC_TRY(RETC_ALLOC(c.test, test));
        RETC_TRY(stream_part(recording, RETC_TEST, train == 0, progress, &c));
        qsort(c.test, c.n_test, sizeof *c.test, compare_windows);
        RETC_TRY(RETC_ALLOC(c.seen, c.n_test + 1));
        found->compared = c.n_test;
    }
    if (train > 0)
        RETC_TRY(stream_part(recording, RETC_TRAIN, 1, progress, &c));
    found->mean = c.moments.mean;
    found->std = sqrt(c.moments.squares / c.moments.n);
done:
    retc_free(c.test);
    retc_free(c.seen);
    return status;
}

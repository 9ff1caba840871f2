#include "split.h"

#include <math.h>

#include "rng.h"

/* Frames first ... first+length-1 on one line of all response frames; where they run over the end of a stretch they become two
 * spans. */
static void
hold_out(const retc_span *spans, size_t n_spans, size_t first, size_t length, retc_split *split) {
    for (size_t s = 0, line = 0; s < n_spans; line += spans[s++].count) {
        size_t low = first > line ? first : line;
        size_t high = first + length < line + spans[s].count ? first + length : line + spans[s].count;
        if (low < high) {
            split->validation[split->n_validation++] = (retc_span){spans[s].first + (low - line), high - low};
            split->validation_frames += high - low;
        }
    }
}

static int
validation_spans(const retc_span *spans, size_t n_spans, size_t total, double fraction, size_t pieces, uint64_t seed,
                 retc_split *split) {
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_SPLIT, 0);
    if (!rng)
        return RETC_ENOMEM;
    for (size_t i = 0; i < pieces; ++i) {
        size_t share = total / pieces, length = (size_t)lround(fraction * (double)share);
        if (length > 0)
            hold_out(spans, n_spans, i * share + (size_t)gsl_rng_uniform_int(rng, share - length + 1), length, split);
    }
    gsl_rng_free(rng);
    return RETC_OK;
}

static void
add_train(retc_split *split, size_t first, size_t end) {
    if (first >= end)
        return;
    split->train[split->n_train++] = (retc_span){first, end - first};
    split->train_frames += end - first;
}

/* What is not within `gap` frames of a held-out one trains. */
static void
train_rest(const retc_span *spans, size_t n_spans, size_t gap, retc_split *split) {
    for (size_t s = 0, v = 0; s < n_spans; ++s) {
        size_t at = spans[s].first, end = spans[s].first + spans[s].count;
        for (; v < split->n_validation && split->validation[v].first >= spans[s].first && split->validation[v].first < end;
             ++v) {
            const retc_span *piece = &split->validation[v];
            add_train(split, at, piece->first > gap ? piece->first - gap : 0);
            at = piece->first + piece->count + gap;
        }
        add_train(split, at, end);
    }
}

/* Room for `pieces` of the line of all frames, whose number is returned in `total`. */
static int
split_init(const retc_span *spans, size_t n_spans, size_t pieces, size_t *total, retc_split *split) {
    int status = RETC_OK;
    *split = (retc_split){0};
    *total = 0;
    for (size_t s = 0; s < n_spans; ++s)
        *total += spans[s].count;
    RETC_TRY(RETC_ALLOC(split->validation, pieces * 2 + n_spans));
    RETC_TRY(RETC_ALLOC(split->train, pieces * 2 + 2 * n_spans));
done:
    return status;
}

int
retc_split_make(const retc_span *spans, size_t n_spans, double fraction, size_t pieces, size_t gap, uint64_t seed,
                retc_split *split) {
    int status = RETC_OK;
    size_t total;
    RETC_TRY(split_init(spans, n_spans, pieces, &total, split));
    pieces = pieces < total ? pieces : total;
    if (fraction > 0)
        RETC_TRY(validation_spans(spans, n_spans, total, fraction, pieces, seed, split));
    train_rest(spans, n_spans, gap, split);
    if (split->train_frames == 0)
        status = RETC_FAIL(RETC_EINVAL, "no frame is left to train on: %zu response frames, %.0f %% of them for validation",
                           total, fraction * 100);
done:
    if (status < 0)
        retc_split_clear(split);
    return status;
}

/* Which piece of share `share` each fold holds out: a permutation, the same for every fold that asks. */
static int
deal_pieces(size_t folds, size_t share, uint64_t seed, size_t *piece) {
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_SPLIT, 1 + share);
    if (!rng)
        return RETC_ENOMEM;
    for (size_t k = 0; k < folds; ++k)
        piece[k] = k;
    retc_rng_shuffle(rng, piece, folds);
    gsl_rng_free(rng);
    return RETC_OK;
}

int
retc_split_fold(const retc_span *spans, size_t n_spans, size_t folds, size_t fold, size_t pieces, size_t gap, uint64_t seed,
                retc_split *split) {
    int status = RETC_OK;
    size_t total, *piece = NULL;
    RETC_TRY(split_init(spans, n_spans, pieces, &total, split));
    RETC_TRY(RETC_ALLOC(piece, folds));
    if (total / folds < pieces)
        RETC_TRY(
            RETC_FAIL(RETC_EINVAL, "%zu response frames cannot be cut into %zu folds of %zu pieces", total, folds, pieces));
    for (size_t share = 0; share < pieces; ++share) {
        RETC_TRY(deal_pieces(folds, share, seed, piece));
        /* Lengths differ by one frame at most. */
        size_t number = share * folds + piece[fold], parts = pieces * folds;
        size_t first = number * (total / parts) + (number < total % parts ? number : total % parts);
        hold_out(spans, n_spans, first, total / parts + (number < total % parts), split);
    }
    train_rest(spans, n_spans, gap, split);
    if (split->train_frames == 0)
        status = RETC_FAIL(RETC_EINVAL,
                           "no frame is left to train on: %zu response frames, in %zu folds of %zu pieces with gaps of %zu "
                           "frames; fewer --folds or --validation-pieces leave more",
                           total, folds, pieces, gap);
done:
    retc_free(piece);
    if (status < 0)
        retc_split_clear(split);
    return status;
}

void
retc_split_clear(retc_split *split) {
    retc_free(split->train);
    retc_free(split->validation);
    *split = (retc_split){0};
}

int
retc_split_blocks(const retc_span *spans, size_t n_spans, size_t block, size_t phase, retc_block **blocks, size_t *n) {
    size_t most = 0, sample = 0;
    for (size_t s = 0; s < n_spans; ++s)
        most += spans[s].count / block + 2;
    *n = 0;
    int status = RETC_ALLOC(*blocks, most);
    for (size_t s = 0; s < n_spans && status == RETC_OK; ++s)
        for (size_t at = 0, length; at < spans[s].count; at += length) {
            size_t whole = at == 0 && phase ? phase : block;
            length = spans[s].count - at < whole ? spans[s].count - at : whole;
            (*blocks)[(*n)++] = (retc_block){.t0 = spans[s].first + at, .n = length, .sample = sample};
            sample += length;
        }
    return status;
}

#include "simulate_explain.h"

#include <stdio.h>
#include <string.h>

#include "circuit_truth.h"
#include "recording_data.h"
#include "simulate.h"

/* Levels to begin with, most of them, and the frames that they are chosen on. */
enum { FIRST_LEVELS = 16, MOST_LEVELS = 256, PILOT = 512 };

/* Numbers in a chunk of a dataset. */
#define CHUNK_NUMBERS ((size_t)1 << 16)

static const char *const cut_names[RETC_CUTS] = {"contribution/bipolar", "contribution/synapse", "knockout"};
static const char *const pair_names[RETC_CUTS] = {"bipolar", "synapse", "knockout"};

typedef struct {
    const retc_explanation *asked;
    retc_truth *truth;
    float *movie;          /* (block,H,W) */
    float *out[RETC_CUTS]; /* (P,block) */
} explaining;

static int
read_frames(const retc_explanation *asked, size_t t0, size_t n, float *movie) {
    return retc_stimulus_read(asked->stimulus, t0, n, movie);
}

/* Levels that the beginning of the part needs. */
static int
choose_levels(const retc_explanation *asked, float *movie, size_t *levels) {
    int status = RETC_OK;
    size_t blocks, frames = retc_stimulus_layout_of(asked->stimulus)->frames;
    const size_t *start = retc_stimulus_blocks(asked->stimulus, &blocks);
    retc_truth *truth = NULL;
    frames = blocks > 1 ? start[1] : frames;
    frames = frames < PILOT ? frames : PILOT;
    *levels = 0;
    if (retc_truth_is_exact(asked->circuit))
        return RETC_OK;
    for (*levels = FIRST_LEVELS; *levels < MOST_LEVELS; *levels *= 2) {
        double difference, scale;
        RETC_TRY(RETC_GOT(truth = retc_truth_alloc(asked->circuit, *levels)));
        for (size_t t0 = 0, n; t0 < frames; t0 += n) {
            n = frames - t0 < RETC_CIRCUIT_CHUNK ? frames - t0 : RETC_CIRCUIT_CHUNK;
            n = n < asked->block ? n : asked->block;
            RETC_TRY(read_frames(asked, t0, n, movie));
            RETC_TRY(retc_truth_step(truth, movie, n, asked->threads));
        }
        retc_truth_convergence(truth, &difference, &scale);
        retc_truth_free(truth);
        truth = NULL;
        if (difference <= RETC_EXPLAIN_TOLERANCE * scale)
            break;
    }

done:
    retc_truth_free(truth);
    return status;
}

static int
write_pairs(const explaining *e) {
    int status = RETC_OK;
    int64_t *index = NULL;
    char name[64];
    for (int cut = 0; cut < RETC_CUTS; ++cut) {
        const retc_truth_pairs *pairs = retc_truth_pairs_of(e->truth, (retc_truth_cut)cut);
        snprintf(name, sizeof name, "truth/pairs/%s/unit", pair_names[cut]);
        if (retc_h5_has(e->asked->file, name))
            continue; /* another part has the same */
        RETC_TRY(RETC_ALLOC(index, 2 * pairs->n));
        for (size_t i = 0; i < pairs->n; ++i) {
            index[i] = (int64_t)pairs->unit[i];
            index[pairs->n + i] = (int64_t)pairs->cell[i];
        }
        RETC_TRY(retc_h5_put(e->asked->file, name, RETC_H5_INT64, 1, &pairs->n, index));
        snprintf(name, sizeof name, "truth/pairs/%s/cell", pair_names[cut]);
        RETC_TRY(retc_h5_put(e->asked->file, name, RETC_H5_INT64, 1, &pairs->n, index + pairs->n));
        retc_free(index);
        index = NULL;
    }

done:
    retc_free(index);
    return status;
}

static int
make_datasets(explaining *e) {
    int status = RETC_OK;
    const retc_explanation *asked = e->asked;
    char name[64];
    for (int cut = 0; cut < RETC_CUTS; ++cut) {
        size_t pairs = retc_truth_pairs_of(e->truth, (retc_truth_cut)cut)->n, frames = asked->block, rows;
        const size_t shape[2] = {pairs, retc_stimulus_layout_of(asked->stimulus)->frames};
        frames = frames < shape[1] ? frames : shape[1];
        rows = CHUNK_NUMBERS / frames;
        const size_t chunk[2] = {rows < 1 ? 1 : rows < pairs ? rows : pairs, frames};
        snprintf(name, sizeof name, "truth/%s/%s", retc_part_names[asked->part], cut_names[cut]);
        RETC_TRY(retc_h5_make(asked->file, name, RETC_H5_FLOAT, 2, shape, chunk));
        RETC_TRY(RETC_ALLOC(e->out[cut], pairs * asked->block));
    }

done:
    return status;
}

/* Frames t0 ... t0+n-1, which lie in one stretch of continuous time and one block. */
static int
explain_block(explaining *e, size_t t0, size_t n) {
    int status = RETC_OK;
    const retc_explanation *asked = e->asked;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(asked->stimulus);
    char name[64];
    RETC_TRY(read_frames(asked, t0, n, e->movie));
    for (size_t t = 0, m; t < n; t += m) {
        m = n - t < RETC_CIRCUIT_CHUNK ? n - t : RETC_CIRCUIT_CHUNK;
        RETC_TRY(retc_truth_step(e->truth, e->movie + t * layout->height * layout->width, m, asked->threads));
        for (int cut = 0; cut < RETC_CUTS; ++cut) {
            const double *value = retc_truth_of(e->truth, (retc_truth_cut)cut);
            size_t pairs = retc_truth_pairs_of(e->truth, (retc_truth_cut)cut)->n;
            for (size_t i = 0; i < pairs; ++i)
                for (size_t k = 0; k < m; ++k)
                    e->out[cut][i * n + t + k] = (float)value[i * RETC_CIRCUIT_CHUNK + k];
        }
    }
    for (int cut = 0; cut < RETC_CUTS; ++cut) {
        const size_t start[2] = {0, t0}, count[2] = {retc_truth_pairs_of(e->truth, (retc_truth_cut)cut)->n, n};
        snprintf(name, sizeof name, "truth/%s/%s", retc_part_names[asked->part], cut_names[cut]);
        RETC_TRY(retc_h5_write(asked->file, name, RETC_H5_FLOAT, start, count, e->out[cut]));
    }
    *asked->played += n;
    retc_progress_report(asked->progress, *asked->played, asked->total, "contributions");

done:
    return status;
}

static int
say_how(const explaining *e, size_t levels, double difference) {
    int status = RETC_OK;
    char group[32];
    snprintf(group, sizeof group, "/truth/%s", retc_part_names[e->asked->part]);
    RETC_TRY(retc_h5_set_text(e->asked->file, group, "method", levels ? "secants" : "closed form"));
    RETC_TRY(retc_h5_set_int(e->asked->file, group, "levels", (int64_t)levels));
    RETC_TRY(retc_h5_set_number(e->asked->file, group, "difference", difference));

done:
    return status;
}

int
retc_explain_part(const retc_explanation *asked, size_t *levels, double *difference) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(asked->stimulus);
    explaining e = {.asked = asked};
    size_t blocks;
    const size_t *start = retc_stimulus_blocks(asked->stimulus, &blocks);
    double scale;
    RETC_TRY(RETC_ALLOC(e.movie, asked->block * layout->height * layout->width));
    RETC_TRY(choose_levels(asked, e.movie, levels));
    RETC_TRY(RETC_GOT(e.truth = retc_truth_alloc(asked->circuit, *levels)));
    RETC_TRY(write_pairs(&e));
    RETC_TRY(make_datasets(&e));
    for (size_t b = 0; b < blocks; ++b) {
        size_t stop = b + 1 < blocks ? start[b + 1] : layout->frames;
        retc_truth_reset(e.truth);
        for (size_t t0 = start[b]; t0 < stop; t0 += asked->block)
            RETC_TRY(explain_block(&e, t0, stop - t0 < asked->block ? stop - t0 : asked->block));
    }
    retc_truth_convergence(e.truth, difference, &scale);
    RETC_TRY(say_how(&e, *levels, *difference));
    *difference = scale > 0 ? *difference / scale : 0;

done:
    for (int cut = 0; cut < RETC_CUTS; ++cut)
        retc_free(e.out[cut]);
    retc_free(e.movie);
    retc_truth_free(e.truth);
    return status;
}

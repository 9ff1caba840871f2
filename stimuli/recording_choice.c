/* Which cells, blocks and frames of a recording are used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_clock.h"
#include "options.h"
#include "recording_data.h"

/* ---- experiment ------------------------------------------------------------------------------------------------------ */

/* The name of the folder that a file lies in (retc_free), "" for the working folder. */
static char *
folder_name(const char *path) {
    const char *stop = strrchr(path, '/');
    if (!stop)
        return retc_strdup("");
    const char *start = stop;
    while (start > path && start[-1] != '/')
        --start;
    return retc_strf("%.*s", (int)(stop - start), start);
}

int
retc_recording_choose_experiment(retc_recording *recording, const char *name) {
    if (name) {
        recording->experiment = retc_experiment_find(name);
        if (!recording->experiment)
            return RETC_FAIL(RETC_EINVAL,
                             "there is no published experiment \"%s\" that is known here; give --cells and --blocks", name);
        return RETC_OK;
    }
    char *folder = folder_name(retc_recording_path(recording));
    if (folder)
        recording->experiment = retc_experiment_find(folder);
    retc_free(folder);
    return RETC_GOT(folder);
}

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

static int
take_row(retc_recording *recording, size_t row, const char *word) {
    if (row >= recording->rows)
        return RETC_FAIL(RETC_EINVAL, "%s: \"%s\" is not one of its cells: they are 0 to %zu, or their names",
                         retc_recording_path(recording), word, recording->rows - 1);
    for (size_t i = 0; i < recording->cells; ++i)
        if (recording->row[i] == row)
            return RETC_FAIL(RETC_EINVAL, "%s: cell %zu (%s) is chosen twice", retc_recording_path(recording), row,
                             recording->cell_names[row]);
    recording->row[recording->cells++] = row;
    return RETC_OK;
}

/* The row of a name; `rows` when there is none. */
static size_t
row_of(const retc_recording *recording, const char *name) {
    size_t row = 0;
    while (row < recording->rows && strcmp(recording->cell_names[row], name) != 0)
        ++row;
    return row;
}

/* "cell07", "6" or "6-9". */
static int
take_word(retc_recording *recording, const char *word) {
    int status = RETC_OK;
    size_t row = row_of(recording, word), first, last;
    char *copy = retc_strdup(word), *dash = copy ? strchr(copy, '-') : NULL;
    RETC_TRY(RETC_GOT(copy));
    if (row < recording->rows) {
        RETC_TRY(take_row(recording, row, word));
    } else if (retc_parse_size(copy, &first) == RETC_OK) {
        RETC_TRY(take_row(recording, first, word));
    } else {
        if (dash)
            *dash = '\0';
        if (!dash || retc_parse_size(copy, &first) < 0 || retc_parse_size(dash + 1, &last) < 0 || last < first)
            RETC_TRY(take_row(recording, recording->rows, word));
        for (row = first; row <= last; ++row)
            RETC_TRY(take_row(recording, row, word));
    }

done:
    retc_free(copy);
    return status;
}

static int
take_words(retc_recording *recording, const char *cells) {
    int status = RETC_OK;
    char *copy = retc_strdup(cells), *rest = copy;
    RETC_TRY(RETC_GOT(copy));
    for (char *word; (word = strsep(&rest, ","));)
        RETC_TRY(take_word(recording, word));

done:
    retc_free(copy);
    return status;
}

static int
take_good(retc_recording *recording) {
    int status = RETC_OK;
    const retc_experiment *known = recording->experiment;
    if (!known)
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "%s: no list of good cells is known: its folder has not the name of a published experiment; "
                           "give --experiment, or name the cells",
                           retc_recording_path(recording)));
    for (size_t i = 0; i < known->n; ++i)
        RETC_TRY(take_row(recording, known->cell[i], known->name));

done:
    return status;
}

int
retc_recording_choose_cells(retc_recording *recording, const char *cells) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(recording->row, recording->rows));
    if (cells && strcmp(cells, "good") == 0) {
        RETC_TRY(take_good(recording));
    } else if (cells && strcmp(cells, "all") != 0) {
        RETC_TRY(take_words(recording, cells));
    } else {
        for (; recording->cells < recording->rows; ++recording->cells)
            recording->row[recording->cells] = recording->cells;
    }

done:
    return status;
}

/* ---- blocks and frames ----------------------------------------------------------------------------------------------- */

static int
read_blocks(retc_recording *recording, retc_part part, const char *name) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[part];
    void *start = NULL;
    RETC_TRY(retc_h5_read_new(recording->file, name, RETC_H5_INT64, 1, &data->blocks, &start));
    data->block_start = start;
    size_t wrong = retc_clock_block_disorder(data->block_start, data->blocks, data->stored);
    if (wrong < data->blocks || data->blocks == 0)
        status = RETC_FAIL(RETC_EFORMAT,
                           "%s: dataset \"%s\" is out of order at entry %zu: expected 0, then ascending frames below %zu",
                           retc_recording_path(recording), name, wrong, data->stored);

done:
    return status;
}

/* Equal blocks of the clock, as the peers cut it, even where stimulus or responses end a frame earlier. */
static int
equal_blocks(retc_recording *recording, retc_part part, size_t blocks) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[part];
    if (data->clock % blocks != 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "%s: the %zu frames of %s/time are not %zu equal blocks; --blocks says how many there are",
                           retc_recording_path(recording), data->clock, retc_part_names[part], blocks));
    if (data->clock / blocks * (blocks - 1) >= data->stored)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: %zu frames are too few for %zu blocks", retc_recording_path(recording),
                           data->stored, blocks));
    RETC_TRY(RETC_ALLOC(data->block_start, blocks));
    data->blocks = blocks;
    for (size_t b = 0; b < blocks; ++b)
        data->block_start[b] = (int64_t)(b * (data->clock / blocks));

done:
    return status;
}

static int
find_blocks(retc_recording *recording, retc_part part, const retc_recording_options *options) {
    int status = RETC_OK;
    retc_dataset_name name;
    const retc_experiment *known = recording->experiment;
    if (part == RETC_TRAIN && options->blocks > 0) {
        RETC_TRY(equal_blocks(recording, part, options->blocks));
    } else if (retc_h5_has(recording->file, retc_name_in(&name, part, "block_start"))) {
        RETC_TRY(read_blocks(recording, part, name.text));
    } else {
        RETC_TRY(equal_blocks(recording, part, part == RETC_TRAIN && known && known->blocks ? known->blocks : 1));
        if (part == RETC_TRAIN && known && known->blocks)
            RETC_TRY(retc_recording_note(recording,
                                         "note: experiment %s: the train part is taken as %zu blocks of %zu frames\n",
                                         known->name, known->blocks, recording->part[part].clock / known->blocks));
    }
    status = RETC_OK;

done:
    return status;
}

/* What `skip` leaves of each block becomes a piece; block starts are counted in what is left from here on. */
int
retc_recording_choose_frames(retc_recording *recording, retc_part part, const retc_recording_options *options) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[part];
    size_t skip = part == RETC_TRAIN ? options->skip : 0;
    RETC_TRY(find_blocks(recording, part, options));
    RETC_TRY(RETC_ALLOC(data->piece, data->blocks));
    for (size_t b = 0; b < data->blocks; ++b) {
        size_t first = (size_t)data->block_start[b];
        size_t stop = b + 1 < data->blocks ? (size_t)data->block_start[b + 1] : data->stored;
        if (stop - first <= skip)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: block %zu of the %s part has %zu frames, %zu are to be skipped in each",
                               retc_recording_path(recording), b, retc_part_names[part], stop - first, skip));
        data->piece[b] = (retc_piece){.at = data->frames, .first = first + skip, .count = stop - first - skip};
        data->block_start[b] = (int64_t)data->frames;
        data->frames += data->piece[b].count;
    }
    data->pieces = data->blocks;
    if (part == RETC_TRAIN && options->joined)
        data->blocks = 1;

done:
    return status;
}

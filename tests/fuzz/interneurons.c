/* Target and seed: recordings of interneurons. */
#include "interneurons.h"
#include "fuzz.h"

int
fuzz_interneurons(const uint8_t *data, size_t size) {
    const retc_interneuron_options options = {.frame_interval = 0.01};
    char *notes = NULL;
    retc_h5 *file = retc_h5_create(fuzz_path("imported.h5"), 1);
    fuzz_made(RETC_GOT(file));
    fuzz_told(retc_interneurons_import(fuzz_input(data, size, ".h5"), &options, file, &notes));
    retc_free(notes);
    retc_h5_close(file);
    return 0;
}

int
fuzz_seed_interneurons(const char *path, unsigned variant) {
    enum { T = 20, SIDE = 4, CELLS = 2 };
    const size_t boxes[3] = {T, SIDE, SIDE}, flashes[1] = {T}, lines[2] = {T, 2 * SIDE}, potential[2] = {CELLS, T}, one = 1;
    float x[T * SIDE * SIDE];
    if (variant > 0)
        return 0;
    for (int i = 0; i < T * SIDE * SIDE; ++i)
        x[i] = (float)(i % 7) / 8;
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(file));
    fuzz_made(retc_h5_put(file, "boxes/stimuli", RETC_H5_FLOAT, 3, boxes, x));
    fuzz_made(retc_h5_put(file, "boxes/detrended_membrane_potential", RETC_H5_FLOAT, 2, potential, x));
    fuzz_made(retc_h5_put(file, "boxes/rfs/040412_c1", RETC_H5_FLOAT, 1, &one, x));
    fuzz_made(retc_h5_put(file, "boxes/rfs/040412_c2", RETC_H5_FLOAT, 1, &one, x));
    fuzz_made(retc_h5_put(file, "flashes/stimuli", RETC_H5_FLOAT, 1, flashes, x));
    fuzz_made(retc_h5_put(file, "flashes/detrended_membrane_potential", RETC_H5_FLOAT, 2, potential, x));
    fuzz_made(retc_h5_put(file, "lines/stimuli", RETC_H5_FLOAT, 2, lines, x));
    fuzz_made(retc_h5_put(file, "lines/detrended_membrane_potential", RETC_H5_FLOAT, 2, potential, x));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    return 1;
}

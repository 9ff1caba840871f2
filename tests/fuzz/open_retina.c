/* Targets and seeds: sessions of open-retina, arrays of NumPy. */
#include <stdio.h>

#include "export_open_retina.h"
#include "fuzz.h"
#include "import_open_retina.h"
#include "npy.h"

int
fuzz_open_retina(const uint8_t *data, size_t size) {
    const retc_import_open_retina_options options = {
        .path = fuzz_input(data, size, ".h5"), .test = "test", .responses = "auto", .channel = "mean", .frame_rate = 10};
    retc_recording_writer *writer = NULL;
    retc_import_report report = {0};
    fuzz_told(retc_import_open_retina(&options, fuzz_path("imported.h5"), 1, NULL, &writer, &report));
    retc_import_report_free(&report);
    retc_recording_writer_free(writer);
    return 0;
}

int
fuzz_npy(const uint8_t *data, size_t size) {
    float x[4];
    retc_npy *npy = retc_npy_open(fuzz_input(data, size, ".npy"));
    if (!npy) {
        fuzz_told(RETC_EFORMAT);
        return 0;
    }
    fuzz_told(retc_npy_read(npy, 0, 4, x));
    retc_npy_close(npy);
    return 0;
}

/* ---- seeds ----------------------------------------------------------------------------------------------------------- */

/* A good recording; NULL when there is no such variant. */
static retc_recording *
open_recording(unsigned variant) {
    char path[512];
    snprintf(path, sizeof path, "%s", fuzz_path("good.h5"));
    if (variant > 0 || !fuzz_seed_recording(path, 0))
        return NULL;
    retc_recording *recording = retc_recording_open(path, 0);
    fuzz_made(RETC_GOT(recording));
    return recording;
}

int
fuzz_seed_open_retina(const char *path, unsigned variant) {
    const retc_export_open_retina_options options = {.name = {"train", "test"}};
    retc_recording *recording = open_recording(variant);
    if (!recording)
        return 0;
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(file));
    fuzz_made(retc_export_open_retina(recording, &options, NULL, file));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    retc_recording_close(recording);
    return 1;
}

int
fuzz_seed_npy(const char *path, unsigned variant) {
    retc_recording *recording = open_recording(variant);
    if (!recording)
        return 0;
    fuzz_made(retc_export_npy(recording, RETC_TEST, NULL, path));
    retc_recording_close(recording);
    return 1;
}

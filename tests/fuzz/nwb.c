/* Target and seeds: NWB files. */
#include "export_nwb.h"
#include "fuzz.h"
#include "import_nwb.h"

int
fuzz_nwb(const uint8_t *data, size_t size) {
    static const char *const tests[] = {NULL, "repeated"};
    for (int i = 0; i < 2; ++i) {
        const retc_import_nwb_options options = {.file = fuzz_input(data, size, ".nwb"),
                                                 .axes = i ? "tyx" : "txy",
                                                 .grey = "auto",
                                                 .test = tests[i],
                                                 .test_fraction = 0.1,
                                                 .pause = 5};
        retc_recording_writer *writer = NULL;
        retc_import_report report = {0};
        fuzz_told(retc_import_nwb(&options, fuzz_path("imported.h5"), 1, NULL, &writer, &report));
        retc_import_report_free(&report);
        retc_recording_writer_free(writer);
    }
    return 0;
}

/* What export writes of the two recordings, which is checked against the schema elsewhere. */
int
fuzz_seed_nwb(const char *path, unsigned variant) {
    const retc_export_nwb_options options = {.session_start = "2015-10-07T14:00:00+02:00", .rows_first = (int)variant};
    char *report = NULL;
    if (!fuzz_seed_recording(fuzz_path("exported.h5"), variant))
        return 0;
    retc_recording *recording = retc_recording_open(fuzz_path("exported.h5"), 0);
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(recording && file ? file : NULL));
    fuzz_made(retc_export_nwb(recording, &options, NULL, file, &report));
    fuzz_made(retc_h5_commit(file));
    retc_free(report);
    retc_h5_close(file);
    retc_recording_close(recording);
    return 1;
}

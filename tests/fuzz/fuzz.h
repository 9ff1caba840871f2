/* Readers under damaged input.  A target reads one file to its end; it must come back, in bounded time and memory, and what it
 * refuses it must refuse in one line.
 *
 * Two drivers run the targets: run.c, built by default, whose short run belongs to the tests, and libfuzzer.c. */
#ifndef RETC_FUZZ_H
#define RETC_FUZZ_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name, *suffix;                       /* suffix of its files */
    int (*run)(const uint8_t *data, size_t size);    /* as LLVMFuzzerTestOneInput */
    int (*seed)(const char *path, unsigned variant); /* write a good file; 0: there is no such variant */
} fuzz_target;

extern const fuzz_target fuzz_targets[]; /* ends with a name NULL */

/* Put the input into a file of the scratch folder (made at first use): its path. */
const char *fuzz_input(const uint8_t *data, size_t size, const char *suffix);

/* A path in the scratch folder; static buffers, sixteen in rotation. */
const char *fuzz_path(const char *name);

/* Remove the scratch folder, if this process made it. */
void fuzz_clean(void);

/* Abort when a call has failed without one line of reason.  With the environment variable FUZZ_TELL set, print all reasons. */
void fuzz_told(int status);

/* Abort when a good file cannot be made: the fault is then in the test. */
void fuzz_made(int status);

/* Targets and seeds, by what they read. */
int fuzz_recording(const uint8_t *data, size_t size);
int fuzz_stimulus(const uint8_t *data, size_t size);
int fuzz_model(const uint8_t *data, size_t size);
int fuzz_contributions(const uint8_t *data, size_t size);
int fuzz_modes(const uint8_t *data, size_t size);
int fuzz_irf(const uint8_t *data, size_t size);
int fuzz_predictions(const uint8_t *data, size_t size);
int fuzz_sta(const uint8_t *data, size_t size);
int fuzz_image(const uint8_t *data, size_t size);
int fuzz_matlab(const uint8_t *data, size_t size);
int fuzz_numbers(const uint8_t *data, size_t size);
int fuzz_parameters(const uint8_t *data, size_t size);
int fuzz_nwb(const uint8_t *data, size_t size);
int fuzz_import_text(const uint8_t *data, size_t size);
int fuzz_import_matlab(const uint8_t *data, size_t size);
int fuzz_open_retina(const uint8_t *data, size_t size);
int fuzz_npy(const uint8_t *data, size_t size);
int fuzz_interneurons(const uint8_t *data, size_t size);
int fuzz_run_config(const uint8_t *data, size_t size);
int fuzz_trials(const uint8_t *data, size_t size);
int fuzz_stimulus_trials(const uint8_t *data, size_t size);
int fuzz_protocol(const uint8_t *data, size_t size);

int fuzz_seed_recording(const char *path, unsigned variant);
int fuzz_seed_stimulus(const char *path, unsigned variant);
int fuzz_seed_model(const char *path, unsigned variant);
int fuzz_seed_contributions(const char *path, unsigned variant);
int fuzz_seed_modes(const char *path, unsigned variant);
int fuzz_seed_irf(const char *path, unsigned variant);
int fuzz_seed_predictions(const char *path, unsigned variant);
int fuzz_seed_sta(const char *path, unsigned variant);
int fuzz_seed_image(const char *path, unsigned variant);
int fuzz_seed_matlab(const char *path, unsigned variant);
int fuzz_seed_numbers(const char *path, unsigned variant);
int fuzz_seed_parameters(const char *path, unsigned variant);
int fuzz_seed_import_text(const char *path, unsigned variant);
int fuzz_seed_nwb(const char *path, unsigned variant);
int fuzz_seed_open_retina(const char *path, unsigned variant);
int fuzz_seed_npy(const char *path, unsigned variant);
int fuzz_seed_interneurons(const char *path, unsigned variant);
int fuzz_seed_run_config(const char *path, unsigned variant);
int fuzz_seed_trials(const char *path, unsigned variant);
int fuzz_seed_stimulus_trials(const char *path, unsigned variant);
int fuzz_seed_protocol(const char *path, unsigned variant);

#endif

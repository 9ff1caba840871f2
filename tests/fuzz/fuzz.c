#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

const fuzz_target fuzz_targets[] = {
    {"recording", ".h5", fuzz_recording, fuzz_seed_recording},
    {"stimulus", ".h5", fuzz_stimulus, fuzz_seed_stimulus},
    {"model", ".h5", fuzz_model, fuzz_seed_model},
    {"contributions", ".h5", fuzz_contributions, fuzz_seed_contributions},
    {"modes", ".h5", fuzz_modes, fuzz_seed_modes},
    {"irf", ".h5", fuzz_irf, fuzz_seed_irf},
    {"predictions", ".h5", fuzz_predictions, fuzz_seed_predictions},
    {"sta", ".h5", fuzz_sta, fuzz_seed_sta},
    {"image", "", fuzz_image, fuzz_seed_image},
    {"matlab", ".mat", fuzz_matlab, fuzz_seed_matlab},
    {"numbers", ".txt", fuzz_numbers, fuzz_seed_numbers},
    {"parameters", ".txt", fuzz_parameters, fuzz_seed_parameters},
    {"import_text", ".txt", fuzz_import_text, fuzz_seed_import_text},
    {"import_matlab", ".mat", fuzz_import_matlab, fuzz_seed_matlab},
    {"nwb", ".nwb", fuzz_nwb, fuzz_seed_nwb},
    {"open_retina", ".h5", fuzz_open_retina, fuzz_seed_open_retina},
    {"npy", ".npy", fuzz_npy, fuzz_seed_npy},
    {"interneurons", ".h5", fuzz_interneurons, fuzz_seed_interneurons},
    {"trials", ".txt", fuzz_trials, fuzz_seed_trials},
    {"stimulus_trials", ".h5", fuzz_stimulus_trials, fuzz_seed_stimulus_trials},
    {"protocol", ".h5", fuzz_protocol, fuzz_seed_protocol},
    {"run_config", ".conf", fuzz_run_config, fuzz_seed_run_config},
    {NULL, NULL, NULL, NULL},
};

static char folder[64];
static pid_t owner;

const char *
fuzz_path(const char *name) {
    static char path[16][512];
    static int turn;
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/tmp/retcodec-fuzz-XXXXXX");
        if (!mkdtemp(folder)) {
            perror(folder);
            exit(EXIT_FAILURE);
        }
        owner = getpid();
    }
    turn = (turn + 1) % 16;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

void
fuzz_clean(void) {
    DIR *list = folder[0] && getpid() == owner ? opendir(folder) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            unlink(fuzz_path(entry->d_name));
    if (list) {
        closedir(list);
        rmdir(folder);
    }
}

const char *
fuzz_input(const uint8_t *data, size_t size, const char *suffix) {
    char name[32];
    snprintf(name, sizeof name, "input%s", suffix);
    const char *path = fuzz_path(name);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return path;
}

void
fuzz_told(int status) {
    const char *reason = retc_error_message();
    if (status >= 0)
        return;
    if (getenv("FUZZ_TELL"))
        fprintf(stderr, "%s\n", reason);
    if (!reason[0] || strchr(reason, '\n') || (status != RETC_ENOMEM && !strstr(reason, "input"))) {
        fprintf(stderr, "failed with %d, and the reason is \"%s\"\n", status, reason);
        abort();
    }
}

void
fuzz_made(int status) {
    if (status < 0) {
        fprintf(stderr, "a seed cannot be made: %s\n", retc_error_message());
        abort();
    }
}

/* The driver of libFuzzer (configure --enable-fuzzer, CC=clang): the environment variable FUZZ_TARGET names the target. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const fuzz_target *target = fuzz_targets;

int
LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *name = getenv("FUZZ_TARGET");
    (void)argc;
    (void)argv;
    while (target->name && (!name || strcmp(target->name, name) != 0))
        ++target;
    if (!target->name) {
        fprintf(stderr, "set FUZZ_TARGET to one of:");
        for (target = fuzz_targets; target->name; ++target)
            fprintf(stderr, " %s", target->name);
        fprintf(stderr, "\n");
        exit(EXIT_FAILURE);
    }
    retc_library_init();
    atexit(fuzz_clean);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return target->run(data, size);
}

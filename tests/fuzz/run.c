/* The driver that needs no special compiler: it damages good files in a fixed order, and runs every target on every damaged
 * file in a child process with limits on time and memory.
 *
 *     run                         a short run of all targets, part of the tests
 *     run TARGET [CASES [FIRST]]  so many cases of one target, beginning with case FIRST
 *     run TARGET FILE             the target on one file, in this process
 *     run --seeds FOLDER          write the good files, as seeds for other fuzzers
 *
 * Inputs that fail are kept in the current folder. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "h5.h"
#include "mutate.h"
#include "parallel.h"
#include "rng.h"

/* Of the short run: cases of a target, and seconds of all targets together.  Of a case: seconds of processor time and of
 * waiting, bytes beside what the driver has already, and megabytes in memory. */
enum {
    CASES = 100,
    SECONDS = 16,
    CASE_SECONDS = 20,
    CASE_WAIT = 120,
    MOST_BYTES = 1 << 30,
    MOST_MEGABYTES = 600,
    MOST_SEEDS = 16
};

/* Sanitizers reserve terabytes for themselves. */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

typedef struct {
    unsigned char *data;
    size_t size;
} seed_file;

/* Of the short run: targets, and checks of the driver. */
static struct { size_t passed, failed; } tally;

typedef struct {
    const fuzz_target *target;
    seed_file seed[MOST_SEEDS];
    unsigned seeds;
    size_t cases, failed;
    int is_test; /* of the driver: failures are wanted */
} campaign;

static unsigned char *
read_file(const char *path, size_t *size) {
    FILE *in = fopen(path, "rb");
    if (!in || fseek(in, 0, SEEK_END) != 0)
        return NULL;
    *size = (size_t)ftell(in);
    unsigned char *data = malloc(2 * *size + 65536);
    rewind(in);
    if (data && fread(data, 1, *size, in) != *size) {
        free(data);
        data = NULL;
    }
    fclose(in);
    return data;
}

/* Seeds are made in a child: what HDF5 and the library's threads keep would otherwise be in every case. */
static void
make_seeds(campaign *c) {
    char name[64];
    for (c->seeds = 0; c->seeds < MOST_SEEDS; ++c->seeds) {
        snprintf(name, sizeof name, "%s-%u%s", c->target->name, c->seeds, c->target->suffix);
        const char *path = fuzz_path(name);
        fflush(NULL);
        pid_t child = fork();
        int status = 1;
        if (child == 0)
            _exit(!c->target->seed(path, c->seeds));
        if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
            printf("%s: seed %u cannot be made\n", c->target->name, c->seeds);
            exit(EXIT_FAILURE);
        }
        if (WEXITSTATUS(status) != 0 || !(c->seed[c->seeds].data = read_file(path, &c->seed[c->seeds].size)))
            break;
    }
    if (c->seeds == 0) {
        printf("%s: no seeds\n", c->target->name);
        exit(EXIT_FAILURE);
    }
}

/* ---- one case -------------------------------------------------------------------------------------------------------- */

static int
is_hdf5(const seed_file *seed) {
    return seed->size > 8 && memcmp(seed->data, "\x89HDF\r\n\x1a\n", 8) == 0;
}

/* The damaged file of a case.  The first cases take the cuts, from all over the file, the others what chance gives. */
static mutant
damage(const campaign *c, size_t number) {
    gsl_rng *rng = retc_rng_alloc(number, 17, 0);
    const seed_file *seed = &c->seed[number % c->seeds];
    size_t turn = number / c->seeds, cuts = mutate_cuts(seed->size);
    mutant file = {malloc(2 * seed->size + 65536), seed->size};
    memcpy(file.data, seed->data, seed->size);
    if (turn > 0 && turn % 3 == 0 && turn / 3 <= cuts) {
        /* A stride that has no factor in common with most numbers visits every cut once. */
        mutate_cut(&file, turn / 3 * 7919 % (cuts + 1));
    } else if (turn % 2 == 1 && is_hdf5(seed)) {
        const char *path = fuzz_input(seed->data, seed->size, c->target->suffix);
        free(file.data);
        mutate_objects(path, rng);
        file.data = read_file(path, &file.size);
    } else if (turn > 0) {
        mutate_bytes(&file, rng);
    }
    gsl_rng_free(rng);
    return file;
}

static void
limit(int resource, rlim_t most) {
    struct rlimit r = {most, most};
    setrlimit(resource, &r);
}

static void
limit_child(void) {
    unsigned long long pages = 0;
    FILE *status = fopen("/proc/self/statm", "r");
    if (!SANITIZED && status && fscanf(status, "%llu", &pages) == 1)
        limit(RLIMIT_AS, (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MOST_BYTES);
    if (status)
        fclose(status);
    limit(RLIMIT_CPU, CASE_SECONDS);
    limit(RLIMIT_CORE, 0);
    alarm(CASE_WAIT);
}

static _Noreturn void
run_in_child(const campaign *c, size_t number) {
    retc_parallel_choose(1);
    mutant file = damage(c, number);
    /* What is kept if this case fails. */
    fuzz_input(file.data, file.size, c->target->suffix);
    limit_child();
    if (c->is_test)
        (void)!freopen("/dev/null", "w", stderr);
    c->target->run(file.data, file.size);
    free(file.data);
    _exit(0);
}

static void
keep(campaign *c, size_t number, const char *why) {
    char name[64], kept[128];
    size_t size = 0;
    ++c->failed;
    if (c->is_test)
        return;
    snprintf(name, sizeof name, "input%s", c->target->suffix);
    unsigned char *data = read_file(fuzz_path(name), &size);
    snprintf(kept, sizeof kept, "fuzz-%s-%zu%s", c->target->name, number, c->target->suffix);
    FILE *out = fopen(kept, "wb");
    if (data && out)
        fwrite(data, 1, size, out);
    if (out)
        fclose(out);
    free(data);
    printf("%s, case %zu: %s; the input is kept as %s\n", c->target->name, number, why, kept);
}

static void
run_case(campaign *c, size_t number) {
    struct rusage usage;
    int status;
    char why[96];
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        run_in_child(c, number);
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    ++c->cases;
    double megabytes = 1024e-6 * (double)usage.ru_maxrss;
    if (WIFSIGNALED(status)) {
        snprintf(why, sizeof why, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
        keep(c, number, why);
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(why, sizeof why, "ended with status %d", WEXITSTATUS(status));
        keep(c, number, why);
    } else if (!SANITIZED && megabytes > MOST_MEGABYTES) {
        snprintf(why, sizeof why, "took %.0f MB", megabytes);
        keep(c, number, why);
    }
}

/* ---- does the driver see what goes wrong? ------------------------------------------------------------------------------ */

static int
crash(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return raise(SIGSEGV);
}

static int
fail_silently(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    retc_error_set(0, "", 0, "%s", "");
    fuzz_told(RETC_EIO);
    return 0;
}

/* The signal of a process that has used up its time. */
static int
run_on(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return raise(SIGXCPU);
}

static int
take_memory(const uint8_t *data, size_t size) {
    (void)data;
    volatile char *block = malloc((size_t)700 << 20);
    for (size_t i = 0; block && i < (size_t)700 << 20; i += 4096)
        block[i] = (char)size;
    return 0;
}

static int
seed_anything(const char *path, unsigned variant) {
    return variant == 0 && fuzz_seed_numbers(path, 0);
}

/* Targets that must fail. */
static void
test_driver(void) {
    static const fuzz_target bad[] = {{"crash", ".txt", crash, seed_anything},
                                      {"silent", ".txt", fail_silently, seed_anything},
                                      {"endless", ".txt", run_on, seed_anything},
                                      {SANITIZED ? NULL : "memory", ".txt", take_memory, seed_anything},
                                      {NULL, NULL, NULL, NULL}};
    for (const fuzz_target *target = bad; target->name; ++target) {
        campaign c = {.target = target, .is_test = 1};
        make_seeds(&c);
        run_case(&c, 0);
        if (c.failed != 1)
            printf("the driver does not see that target \"%s\" fails\n", target->name);
        *(c.failed == 1 ? &tally.passed : &tally.failed) += 1;
        free(c.seed[0].data);
    }
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

static double
now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t
run_target(const fuzz_target *target, size_t first, size_t cases, double seconds) {
    campaign c = {.target = target};
    double start = now();
    make_seeds(&c);
    for (size_t number = first; number < first + cases && now() - start < seconds; ++number)
        run_case(&c, number);
    printf("%-14s %6zu cases of %u seeds, %zu failed, %.1f s\n", target->name, c.cases, c.seeds, c.failed, now() - start);
    for (unsigned i = 0; i < c.seeds; ++i)
        free(c.seed[i].data);
    *(c.failed ? &tally.failed : &tally.passed) += 1;
    return c.failed;
}

/* Time that one target leaves is there for the others. */
static void
run_all(void) {
    size_t targets = 0;
    double end = now() + SECONDS;
    while (fuzz_targets[targets].name)
        ++targets;
    for (size_t i = 0; i < targets; ++i)
        run_target(&fuzz_targets[i], 0, CASES, fmax(0.3, (end - now()) / (double)(targets - i)));
}

static void
write_seeds(const char *folder) {
    char path[512];
    for (const fuzz_target *target = fuzz_targets; target->name; ++target) {
        snprintf(path, sizeof path, "%s/%s", folder, target->name);
        mkdir(path, 0777);
        for (unsigned variant = 0; variant < MOST_SEEDS; ++variant) {
            snprintf(path, sizeof path, "%s/%s/%u%s", folder, target->name, variant, target->suffix);
            if (!target->seed(path, variant))
                break;
        }
    }
}

static const fuzz_target *
find_target(const char *name) {
    const fuzz_target *target = fuzz_targets;
    while (target->name && strcmp(target->name, name) != 0)
        ++target;
    if (!target->name) {
        fprintf(stderr, "there is no target \"%s\"\n", name);
        exit(EXIT_FAILURE);
    }
    return target;
}

int
main(int argc, char **argv) {
    size_t failed = 0, size = 0;
    retc_library_init();
    if (argc == 3 && !strcmp(argv[1], "--seeds")) {
        write_seeds(argv[2]);
    } else if (argc > 1) {
        const fuzz_target *target = find_target(argv[1]);
        unsigned char *data = argc > 2 ? read_file(argv[2], &size) : NULL;
        size_t cases = argc > 2 ? strtoul(argv[2], NULL, 10) : CASES, first = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
        if (data)
            target->run(data, size);
        else
            failed = run_target(target, first, cases, HUGE_VAL);
        free(data);
    } else {
        test_driver();
        run_all();
        printf("%zu passed, %zu failed, 0 skipped\n", tally.passed, tally.failed);
        failed = tally.failed;
    }
    fuzz_clean();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

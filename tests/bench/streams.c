/* How fast long recordings go through the program, as one table; `make bench` runs it after the other benchmark.
 *
 *     streams PROGRAM [SECONDS [MEGABYTES]]
 *
 * Noise of SECONDS (100 Hz, 50 x 50 pixels; default 300) is made and thrown away.  A movie of as much is generated and played
 * to a simulated retina of 20 ganglion cells and 1000 interneurons, by PROGRAM as a user runs it.  Then recordings of
 * MEGABYTES (default 200) in the storages that labs use are read frame by frame, as a fit that streams reads them, beside
 * read() of the same file: "cold" after the kernel was asked to drop the file from its page cache, "warm" right after.  At last
 * the default model is fitted for an epoch to short and long recordings, which are streamed.  Each row is a process of its own,
 * so that its peak memory is its own.  Nothing is asserted. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "parallel.h"
#include "recipe.h"
#include "recording.h"
#include "rng.h"
#include "stimulus_file.h"

enum { SIDE = 50, PIXELS = SIDE * SIDE, RATE = 100, PIECE = 1 << 20 };

static char folder[] = "/tmp/retcodec-streams-XXXXXX";

static void
check(int status) {
    if (status >= 0)
        return;
    fprintf(stderr, "streams: %s\n", retc_error_message());
    exit(EXIT_FAILURE);
}

static const char *
path_of(const char *name) {
    static char path[2][256];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static double
now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one row: what a process took ------------------------------------------------------------------------------------ */

typedef struct {
    double seconds, processor, peak; /* s, s of all threads, MB */
} cost;

/* Run `work` in a child. */
static cost
cost_of(void (*work)(void *context), void *context) {
    struct rusage usage;
    int status;
    double start = now();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(context);
        _exit(0);
    }
    int ended = child > 0 && wait4(child, &status, 0, &usage) == child && WIFEXITED(status);
    /* A fit of one epoch did not converge. */
    if (!ended || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != RETC_NOT_CONVERGED)) {
        fprintf(stderr, "streams: a step failed\n");
        exit(EXIT_FAILURE);
    }
    double processor = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return (cost){now() - start, processor, 1024e-6 * (double)usage.ru_maxrss};
}

static void
print_row(const char *what, cost c, double megabytes, double frames, const char *beside) {
    printf("%-46s %8.2f %8.2f %9.0f %10.0f %8.0fx %8.0f  %s\n", what, c.seconds, c.processor, megabytes / c.seconds,
           frames / c.seconds, frames / RATE / c.seconds, c.peak, beside);
    fflush(stdout);
}

/* ---- movies and the simulated retina --------------------------------------------------------------------------------- */

typedef struct {
    const char *argument[24];
} command_line;

static void
run_program(void *context) {
    const command_line *line = context;
    /* execv takes pointers to what it does not change. */
    union {
        const char *const *in;
        char *const *out;
    } argument = {.in = line->argument};
    execv(line->argument[0], argument.out);
    perror(line->argument[0]);
    _exit(127);
}

/* Frames made from a recipe, slab by slab, and thrown away. */
typedef struct {
    const char *options;
    size_t frames;
} made_movie;

static void
make_frames(void *context) {
    const made_movie *made = context;
    char text[256];
    snprintf(text, sizeof text, "command=stimulus %s frames=%zu frame-rate=100 height=50 width=50", made->options,
             made->frames);
    retc_recipe *recipe = retc_recipe_parse(text);
    size_t slab = retc_stimulus_slab(SIDE, SIDE);
    float *frames = retc_calloc(slab * PIXELS, sizeof *frames);
    check(RETC_GOT(recipe && frames ? frames : NULL));
    for (size_t t = 0; t < made->frames; t += slab)
        check(retc_recipe_frames(recipe, t, made->frames - t < slab ? made->frames - t : slab, frames));
}

static void
bench_movies(double seconds) {
    static const char *const rows[][2] = {
        {"noise in memory: binary", "kind=white-noise"},
        {"noise in memory: ternary", "kind=white-noise distribution=ternary"},
        {"noise in memory: gaussian", "kind=white-noise distribution=gaussian"},
        {"noise in memory: 1/f in space and time", "kind=spectral-noise"},
        {"protocols in memory: drifting sine grating", "kind=drifting-grating"},
        {"protocols in memory: drifting square grating", "kind=drifting-grating profile=square"},
        {"protocols in memory: moving bar", "kind=moving-bar"},
        {"protocols in memory: object motion", "kind=object-motion"},
        {"protocols in memory: looming", "kind=looming"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        made_movie made = {rows[i][1], (size_t)round(seconds * RATE)};
        print_row(rows[i][0], cost_of(make_frames, &made), 1e-6 * (double)made.frames * PIXELS, (double)made.frames, "");
    }
}

/* To the format of other programs and back again. */
static void
bench_exchange(const char *program, const char *recording, double megabytes, double frames) {
    char session[256], back[256];
    snprintf(session, sizeof session, "%s", path_of("session.nwb"));
    snprintf(back, sizeof back, "%s", path_of("back.h5"));
    command_line export = {
        {program, "export", "nwb", recording, "--session-start", "2015-10-07T14:00:00+02:00", "-q", "-o", session, NULL}};
    command_line import = {{program, "import", "nwb", session, "-q", "-o", back, NULL}};
    print_row("exported as NWB", cost_of(run_program, &export), megabytes, frames, "");
    print_row("imported from NWB", cost_of(run_program, &import), megabytes, frames, "");
    unlink(session);
    unlink(back);
}

static void
bench_streams(const char *program, double seconds) {
    char duration[32], movie[256], recording[256];
    snprintf(duration, sizeof duration, "%.17g", seconds);
    snprintf(movie, sizeof movie, "%s", path_of("movie.h5"));
    snprintf(recording, sizeof recording, "%s", path_of("recording.h5"));
    command_line generate = {{program, "stimulus", "white-noise", "--height", "50", "--width", "50", "--frame-rate", "100",
                              "--duration", duration, "-q", "-o", movie, NULL}};
    command_line simulate = {
        {program, "simulate", "--train", movie, "--preset", "salamander-like", "--cells", "20", "-q", "-o", recording, NULL}};
    double frames = round(seconds * RATE), megabytes = 1e-6 * frames * PIXELS;
    cost first = cost_of(run_program, &generate), second = cost_of(run_program, &simulate);
    print_row("white noise, made and written", first, megabytes, frames, "");
    print_row("simulated: 20 cells, 1000 interneurons", second, megabytes, frames, "");
    cost both = {first.seconds + second.seconds, first.processor + second.processor,
                 first.peak > second.peak ? first.peak : second.peak};
    print_row("both", both, megabytes, frames, "wanted: 100x, below 500 MB");
    bench_exchange(program, recording, megabytes, frames);
    unlink(movie);
    unlink(recording);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *what, *path;
    retc_h5_type type;
    int chunked;
    size_t frames;
} storage_case;

/* Black and white pixels, which a file holds as they are or packed. */
static void
write_movie(retc_h5 *file, const storage_case *s) {
    size_t slab = retc_stimulus_slab(SIDE, SIDE), chunk[3] = {64, SIDE, SIDE}, shape[3] = {s->frames, SIDE, SIDE};
    float *movie = retc_calloc(slab * PIXELS, sizeof *movie);
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_STIMULUS, 0);
    check(RETC_GOT(movie && rng ? file : NULL));
    check(retc_h5_make(file, "train/stimulus", s->type, 3, shape, s->chunked ? chunk : NULL));
    for (size_t t0 = 0; t0 < s->frames; t0 += slab) {
        size_t n = s->frames - t0 < slab ? s->frames - t0 : slab, start[3] = {t0, 0, 0}, count[3] = {n, SIDE, SIDE};
        for (size_t i = 0; i < n * PIXELS; ++i)
            movie[i] = gsl_rng_get(rng) >> 31 ? 255 : 0;
        check(retc_h5_write(file, "train/stimulus", RETC_H5_FLOAT, start, count, movie));
    }
    gsl_rng_free(rng);
    retc_free(movie);
}

static void
write_recording(void *context) {
    const storage_case *s = context;
    const size_t shape[2] = {1, s->frames};
    double *time = retc_calloc(s->frames, sizeof *time);
    float *counts = retc_calloc(s->frames, sizeof *counts);
    retc_h5 *file = retc_h5_create(s->path, 1);
    check(RETC_GOT(file && time && counts ? file : NULL));
    for (size_t t = 0; t < s->frames; ++t)
        time[t] = (double)t / RATE;
    write_movie(file, s);
    check(retc_h5_put(file, "train/time", RETC_H5_DOUBLE, 1, &s->frames, time));
    check(retc_h5_put(file, "train/response/binned", RETC_H5_FLOAT, 2, shape, counts));
    check(retc_h5_commit(file));
    retc_h5_close(file);
    retc_free(counts);
    retc_free(time);
}

static void
read_raw(void *context) {
    const storage_case *s = context;
    int descriptor = open(s->path, O_RDONLY);
    char *piece = retc_calloc(PIECE, 1);
    check(RETC_GOT(piece));
    while (read(descriptor, piece, PIECE) > 0)
        continue;
    close(descriptor);
    retc_free(piece);
}

/* All frames as floats, slab by slab, with no movie kept in memory. */
static void
read_frames(void *context) {
    const storage_case *s = context;
    size_t slab = retc_stimulus_slab(SIDE, SIDE);
    float *frames = retc_calloc(slab * PIXELS, sizeof *frames);
    retc_recording *recording = retc_recording_open(s->path, 1);
    check(RETC_GOT(frames && recording ? frames : NULL));
    for (size_t t0 = 0; t0 < s->frames; t0 += slab)
        check(retc_recording_stimulus(recording, RETC_TRAIN, t0, s->frames - t0 < slab ? s->frames - t0 : slab, frames));
    retc_recording_close(recording);
    retc_free(frames);
}

/* Ask the kernel to drop a file from its page cache; the part of the file that it kept all the same. */
static double
drop_cache(const char *path) {
    struct stat info;
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0 || fstat(descriptor, &info) != 0)
        return -1;
    size_t size = (size_t)info.st_size, page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page, kept = 0;
    fsync(descriptor);
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    unsigned char *resident = retc_calloc(pages, 1);
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (resident && map != MAP_FAILED && mincore(map, size, resident) == 0)
        for (size_t i = 0; i < pages; ++i)
            kept += resident[i] & 1;
    if (map != MAP_FAILED)
        munmap(map, size);
    retc_free(resident);
    close(descriptor);
    return (double)kept / (double)pages;
}

static void
bench_reading(storage_case *s, double megabytes) {
    struct stat info;
    char what[96], beside[96];
    size_t frame_bytes = PIXELS * (s->type == RETC_H5_UINT8 ? 1 : sizeof(float));
    s->frames = (size_t)(1e6 * megabytes / (double)frame_bytes);
    s->path = path_of("read.h5");
    cost_of(write_recording, s);
    if (stat(s->path, &info) != 0)
        return;
    double size = 1e-6 * (double)info.st_size, frames = (double)s->frames;
    for (int warm = 0; warm < 2; ++warm) {
        double kept[2] = {0};
        kept[0] = warm ? 1 : drop_cache(s->path);
        cost raw = cost_of(read_raw, s);
        kept[1] = warm ? 1 : drop_cache(s->path);
        cost frame = cost_of(read_frames, s);
        snprintf(what, sizeof what, "%s, %s: read()", s->what, warm ? "warm" : "cold");
        beside[0] = '\0';
        if (!warm)
            snprintf(beside, sizeof beside, "%.0f %% was still cached", 100 * kept[0]);
        print_row(what, raw, size, frames, beside);
        snprintf(what, sizeof what, "%s, %s: frames", s->what, warm ? "warm" : "cold");
        snprintf(beside, sizeof beside, warm ? "%.2f of read()" : "%.2f of read(), %.0f %% was still cached",
                 raw.seconds / frame.seconds, 100 * kept[1]);
        print_row(what, frame, size, frames, beside);
    }
    unlink(s->path);
}

/* ---- fitting --------------------------------------------------------------------------------------------------------- */

/* The default model, 40 x 50 x 50 to 17 cells, with none of the movie kept: what it takes does not depend on the length. */
static void
bench_fits(const char *program) {
    static const char *const durations[] = {"20", "80"};
    char movie[256], recording[256], model[256], what[96];
    snprintf(movie, sizeof movie, "%s", path_of("movie.h5"));
    snprintf(recording, sizeof recording, "%s", path_of("recording.h5"));
    snprintf(model, sizeof model, "%s", path_of("model.h5"));
    for (size_t i = 0; i < sizeof durations / sizeof *durations; ++i) {
        command_line generate = {{program, "stimulus", "white-noise", "--height", "50", "--width", "50", "--frame-rate", "100",
                                  "--duration", durations[i], "-q", "-o", movie, NULL}};
        command_line simulate = {{program, "simulate", "--train", movie, "--preset", "salamander-like", "--cells", "17",
                                  "--truth", "none", "-q", "-o", recording, NULL}};
        command_line fit = {
            {program, "fit", recording, "--epochs", "1", "--memory", "0", "--threads", "2", "-q", "-o", model, NULL}};
        double frames = RATE * strtod(durations[i], NULL);
        cost_of(run_program, &generate);
        cost_of(run_program, &simulate);
        snprintf(what, sizeof what, "an epoch of a fit to %s s, streamed", durations[i]);
        print_row(what, cost_of(run_program, &fit), 1e-6 * frames * PIXELS, frames, "wanted: below 200 MB");
        unlink(movie);
        unlink(recording);
        unlink(model);
    }
}

int
main(int argc, char **argv) {
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 300, megabytes = argc > 3 ? strtod(argv[3], NULL) : 200;
    storage_case cases[] = {{.what = "bytes, contiguous", .type = RETC_H5_UINT8},
                            {.what = "floats, contiguous", .type = RETC_H5_FLOAT},
                            {.what = "bytes, gzip", .type = RETC_H5_UINT8, .chunked = 1}};
    if (argc < 2 || !(seconds > 0) || !(megabytes >= 1)) {
        fprintf(stderr, "usage: streams PROGRAM [SECONDS [MEGABYTES]]\n");
        return EXIT_FAILURE;
    }
    if (!mkdtemp(folder)) {
        perror(folder);
        return EXIT_FAILURE;
    }
    retc_library_init();
    printf("\n%zu processors; %g s of 100 Hz, 50 x 50 pixels; recordings of %g MB (MB: bytes of the movie when written, of the "
           "file when read)\n",
           retc_parallel_processors(), seconds, megabytes);
    printf("%-46s %8s %8s %9s %10s %9s %8s\n", "", "s", "cpu s", "MB/s", "frames/s", "realtime", "peak MB");
    bench_movies(seconds);
    bench_streams(argv[1], seconds);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        bench_reading(&cases[i], megabytes);
    bench_fits(argv[1]);
    rmdir(folder);
    return EXIT_SUCCESS;
}

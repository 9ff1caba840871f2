/* Contributions of the model of the size that the method's authors published, beside PyTorch, as tables; `make bench` runs it.
 *
 *     contributions PYTHON SCRIPT [MODEL]
 *
 * Contributions to surprisal at all three convolutions, with all their reductions, by a fixed number of steps and by as many
 * as every sample needs; what they take, and how far they are from those of very many steps.  PYTHON runs SCRIPT
 * (contributions_torch.py) on the same numbers right before.  MODEL is a model file to use instead of random weights, of any
 * size that fits movies of 50 x 50 pixels; PyTorch is left out then.  Ratios are of processor times, as other programs may run
 * beside.  Nothing is asserted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "contribute.h"
#include "measure.h"
#include "model.h"
#include "model_file.h"
#include "stream.h"

enum { SAMPLES = 128, MANY = 2048, FEW = 32, STEPS = 20, VERY_MANY = 1024, CUTS = 16 };

static char folder[] = "/tmp/retcodec-contributions-XXXXXX";

static const char *
path_of(const char *name) {
    static char path[2][256];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* ---- contributions --------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_network *network;
    retc_recording *recording;
    retc_target target;
    retc_contribute_options options;
    size_t samples, cuts, cut[CUTS];
    float *sums[CUTS], *maps[CUTS]; /* (samples,2C), (samples,units); NULL: not kept */
    size_t *steps, *passes;         /* (samples) */
} contribution_case;

static int
keep(void *context, const retc_contribution *b) {
    contribution_case *c = context;
    memcpy(c->steps + b->sample, b->steps, b->n * sizeof *b->steps);
    memcpy(c->passes + b->sample, b->passes, b->n * sizeof *b->passes);
    for (size_t k = 0; k < c->cuts; ++k) {
        const retc_layer *layer = &c->network->layer[c->cut[k]];
        size_t units = retc_layer_units(layer), width = 2 * layer->C;
        if (c->sums[k])
            memcpy(c->sums[k] + b->sample * width, b->contribution[k], b->n * width * sizeof(float));
        for (size_t t = 0; c->maps[k] && t < b->n; ++t)
            for (size_t u = 0; u < units; ++u)
                c->maps[k][(b->sample + t) * units + u] = b->map[k][u * b->map_ld + t];
    }
    return RETC_OK;
}

static void
run_contributions(void *context) {
    contribution_case *c = context;
    retc_bench_check(retc_contribute(c->network, c->recording, RETC_TEST, &c->target, &c->options, keep, c, NULL));
}

static retc_network *
open_network(const char *model) {
    retc_network *network = model ? retc_network_open(model) : retc_bench_network(0);
    retc_bench_check(RETC_GOT(network));
    return network;
}

static contribution_case
make_case(const char *model, size_t samples) {
    contribution_case c = {.network = open_network(model), .samples = samples, .options = retc_contribute_default()};
    c.cuts = retc_contribute_cuts(c.network, RETC_AT_CONVOLUTION, c.cut);
    c.steps = retc_bench_room(samples, sizeof *c.steps), c.passes = retc_bench_room(samples, sizeof *c.passes);
    c.options.threads = 1;
    return c;
}

static void
clear_case(contribution_case *c) {
    for (size_t k = 0; k < c->cuts; ++k)
        retc_free(c->sums[k]), retc_free(c->maps[k]);
    retc_free(c->steps), retc_free(c->passes);
    retc_network_free(c->network);
}

/* Surprisal under rates that vary as much as those of 512 other frames. */
static retc_target
make_target(const retc_network *network) {
    retc_target target;
    retc_recording *recording = retc_bench_recording(path_of("other"), 512);
    retc_bench_check(retc_target_init_surprisal(&target, network, recording, RETC_TRAIN, 0, 1, NULL));
    retc_recording_close(recording);
    return target;
}

/* ---- beside PyTorch -------------------------------------------------------------------------------------------------- */

static void
put(FILE *file, const float *x, size_t n) {
    if (fwrite(x, sizeof *x, n, file) != n)
        retc_bench_check(RETC_FAIL(RETC_EIO, "%s: cannot be written", folder));
}

static void
put_number(FILE *file, double x) {
    float number = (float)x;
    put(file, &number, 1);
}

/* Weights, biases, scales and shifts in the order of layers, then the target and the movie. */
static void
write_for_peer(const contribution_case *c) {
    const retc_network *network = c->network;
    size_t frames = c->samples + HISTORY - 1;
    float *movie = retc_bench_room(frames * SIDE * SIDE, sizeof *movie);
    FILE *file = fopen(path_of("model"), "wb");
    retc_bench_check(RETC_GOT(file));
    put_number(file, (double)c->samples);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        float scale[CELLS], shift[CELLS];
        if (layer->kind == RETC_LAYER_CONV) {
            put(file, retc_network_values_const(network, layer->weight), network->param[layer->weight].size);
            if (layer->bias != RETC_NO_PARAM)
                put(file, retc_network_values_const(network, layer->bias), layer->C);
        } else if (layer->kind == RETC_LAYER_BATCHNORM) {
            for (size_t f = 0; f < layer->C; ++f)
                retc_batchnorm_affine(network, layer, f, &scale[f], &shift[f]);
            put(file, scale, layer->C), put(file, shift, layer->C);
        } else if (layer->kind == RETC_LAYER_SCALE) {
            put_number(file, layer->value);
        }
    }
    const size_t *position = retc_network_grabbed(network, c->cut[c->cuts - 1]);
    for (size_t i = 0; i < 2 * CELLS; ++i)
        put_number(file, (double)position[i]);
    for (size_t i = 0; i < CELLS; ++i)
        put_number(file, c->target.mean[i]);
    for (size_t i = 0; i < CELLS * CELLS; ++i)
        put_number(file, c->target.precision[i]);
    retc_bench_check(retc_stream_read(network, c->recording, RETC_TEST, HISTORY + LAG - 1, c->samples, movie));
    put(file, movie, frames * SIDE * SIDE);
    fclose(file);
    retc_free(movie);
}

typedef struct {
    int installed;
    char version[64];
    retc_bench_time took; /* ms a sample */
    float *sums[CUTS];
} peer;

static peer
run_peer(const char *python, const char *script, const contribution_case *c) {
    char command[1024];
    peer p = {0};
    write_for_peer(c);
    snprintf(command, sizeof command, "'%s' '%s' '%s' 2>/dev/null", python, script, folder);
    FILE *pipe = popen(command, "r");
    p.installed = pipe && fscanf(pipe, "%63s %lf %lf", p.version, &p.took.processor, &p.took.wall) == 3;
    if (pipe)
        pclose(pipe);
    FILE *file = p.installed ? fopen(path_of("contributions"), "rb") : NULL;
    for (size_t k = 0; k < c->cuts && file; ++k) {
        size_t n = c->samples * 2 * c->network->layer[c->cut[k]].C;
        p.sums[k] = retc_bench_room(n, sizeof(float));
        p.installed &= fread(p.sums[k], sizeof(float), n, file) == n;
    }
    if (file)
        fclose(file);
    return p;
}

/* ---- distances ------------------------------------------------------------------------------------------------------- */

/* |x - y| / |y|. */
static double
distance(const float *x, const float *y, size_t n) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < n; ++i) {
        difference += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        norm += (double)y[i] * (double)y[i];
    }
    return norm > 0 ? sqrt(difference / norm) : sqrt(difference);
}

static void
print_agreement(const contribution_case *c, const peer *p) {
    printf("%-44s", "trapezium 20 against PyTorch, relative");
    for (size_t k = 0; k < c->cuts; ++k)
        printf("  %s %.1e", c->network->layer[c->cut[k]].cut,
               distance(c->sums[k], p->sums[k], c->samples * 2 * c->network->layer[c->cut[k]].C));
    printf("\n");
}

/* ---- times ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *what;
    retc_path_rule rule;
    size_t steps;
} method;

static const method methods[] = {{"trapezium, 20 steps", RETC_TRAPEZIUM, STEPS},
                                 {"secants, 20 steps", RETC_SECANT, STEPS},
                                 {"secants as needed (default)", RETC_SECANT, 0}};
enum { METHODS = sizeof methods / sizeof *methods };

static double
mean(const size_t *number, size_t samples) {
    double sum = 0;
    for (size_t t = 0; t < samples; ++t)
        sum += (double)number[t] / (double)samples;
    return sum;
}

static retc_bench_time
time_method(contribution_case *c, const method *m, size_t threads) {
    c->options.rule = m->rule, c->options.steps = m->steps, c->options.threads = threads;
    retc_bench_time took = retc_bench_least(run_contributions, c);
    double scale = 1e3 / (double)c->samples;
    return (retc_bench_time){scale * took.processor, scale * took.wall};
}

static void
bench_times(contribution_case *c, const peer *p) {
    printf("\n%-44s %9s %9s %7s %7s %12s %12s\n", "surprisal, three layers, ms a sample", "processor", "wall", "steps",
           "passes", "published", "PyTorch");
    for (size_t i = 0; i < METHODS; ++i) {
        retc_bench_time took = time_method(c, &methods[i], 1);
        printf("%-44s %9.3f %9.3f %7.1f %7.1f", methods[i].what, took.processor, took.wall, mean(c->steps, c->samples),
               mean(c->passes, c->samples));
        printf(" %10.0f x", 1266 / took.processor);
        if (p->installed)
            printf(" %10.1f x", p->took.processor / took.processor);
        printf("\n");
        if (i == 0 && p->installed)
            print_agreement(c, p);
        fflush(stdout);
    }
    printf("(published library: 1266 ms, as measured on another day; wanted 150 x; PyTorch: ");
    if (p->installed)
        printf("%s, %.1f ms processor, %.1f ms wall; wanted 4 x)\n", p->version, p->took.processor, p->took.wall);
    else
        printf("not installed, or another model)\n");
}

/* What a run takes before its first block: that of one sample and one step, less what a sample takes. */
static void
print_set_up(const char *model, const retc_target *target) {
    retc_recording *recording = retc_bench_recording(path_of("one"), 1);
    contribution_case c = make_case(model, 1);
    c.target = *target, c.recording = recording;
    retc_bench_time took = time_method(&c, &(method){"", RETC_SECANT, 1}, 1);
    printf("a run of one sample and one step: %.1f ms processor, %.1f ms wall\n", took.processor, took.wall);
    clear_case(&c);
    retc_recording_close(recording);
}

static double
read_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Processor time of the busier of two threads, the calling one (which also does what is not parallel) and the other: about what
 * both would take with nothing else running, whatever else is. */
static double
time_busier_thread(contribution_case *c, const method *m) {
    double least = 1e9;
    c->options.rule = m->rule, c->options.steps = m->steps, c->options.threads = 2;
    for (int i = 0; i < 3; ++i) {
        double all = read_clock(CLOCK_PROCESS_CPUTIME_ID), calling = read_clock(CLOCK_THREAD_CPUTIME_ID);
        run_contributions(c);
        all = read_clock(CLOCK_PROCESS_CPUTIME_ID) - all, calling = read_clock(CLOCK_THREAD_CPUTIME_ID) - calling;
        least = fmin(least, fmax(calling, all - calling));
    }
    return 1e3 * least / (double)c->samples;
}

static void
bench_threads(const char *model, const retc_target *target) {
    retc_recording *recording = retc_bench_recording(path_of("many"), MANY);
    contribution_case c = make_case(model, MANY);
    c.target = *target, c.recording = recording;
    size_t width = 2 * c.network->layer[c.cut[0]].C * MANY;
    float *alone = retc_bench_room(width, sizeof *alone);
    c.sums[0] = retc_bench_room(width, sizeof(float));
    printf("\n%-44s %9s %9s %9s %9s %9s\n", "two threads, 2048 samples, ms a sample", "processor", "wall", "speed-up", "busier",
           "speed-up");
    for (size_t i = 1; i < METHODS; ++i) {
        retc_bench_time one = time_method(&c, &methods[i], 1);
        memcpy(alone, c.sums[0], width * sizeof *alone);
        retc_bench_time two = time_method(&c, &methods[i], 2);
        double busier = time_busier_thread(&c, &methods[i]);
        printf("%-44s %9.3f %9.3f %7.2f x %9.3f %7.2f x%s\n", methods[i].what, two.processor, two.wall, one.wall / two.wall,
               busier, one.processor / busier, memcmp(alone, c.sums[0], width * sizeof *alone) ? "  NOT THE SAME" : "");
        fflush(stdout);
    }
    printf("(speed-ups over one thread: of wall time; of the busier thread's processor time, which other programs hardly add "
           "to)\n");
    retc_free(alone);
    clear_case(&c);
    retc_recording_close(recording);
}

/* How the steps that samples needed are distributed; `c` holds those of the default. */
static void
print_steps(const contribution_case *c) {
    size_t low = 0;
    printf("samples by steps as needed:");
    for (size_t high = RETC_REFINE_LEAST; high <= 2 * VERY_MANY; low = high, high *= 2) {
        size_t count = 0;
        for (size_t t = 0; t < c->samples; ++t)
            count += c->steps[t] > low && c->steps[t] <= high;
        if (count)
            printf("  up to %zu: %zu", high, count);
    }
    printf("\n");
}

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

/* Print how far the maps of `x` are from those of `y`, per layer: mean over samples, and largest. */
static void
print_distances(const char *what, const contribution_case *x, const contribution_case *y) {
    printf("%-44s", what);
    for (size_t k = 0; k < x->cuts; ++k) {
        size_t units = retc_layer_units(&x->network->layer[x->cut[k]]);
        double mean = 0, largest = 0;
        for (size_t t = 0; t < FEW; ++t) {
            double d = distance(x->maps[k] + t * units, y->maps[k] + t * units, units);
            mean += d / FEW, largest = d > largest ? d : largest;
        }
        printf("  %s %.1e (%.1e)", x->network->layer[x->cut[k]].cut, mean, largest);
    }
    printf("\n");
}

static contribution_case
make_few(const char *model, const retc_target *target, retc_recording *recording) {
    contribution_case c = make_case(model, FEW);
    c.target = *target, c.recording = recording;
    for (size_t k = 0; k < c.cuts; ++k)
        c.maps[k] = retc_bench_room(FEW * retc_layer_units(&c.network->layer[c.cut[k]]), sizeof(float));
    return c;
}

static void
run_with(contribution_case *c, retc_path_rule rule, size_t steps) {
    c->options.rule = rule, c->options.steps = steps;
    run_contributions(c);
}

/* Errors, and what equal steps would have to be to reach the tolerance without looking. */
static void
bench_errors(const char *model, const retc_target *target) {
    retc_recording *recording = retc_bench_recording(path_of("few"), FEW);
    contribution_case truth = make_few(model, target, recording), c = make_few(model, target, recording);
    run_with(&truth, RETC_SECANT, VERY_MANY);
    printf("\nerrors of maps against %d secants, %d samples: mean (largest)\n", VERY_MANY, FEW);
    for (size_t i = 0; i < METHODS; ++i) {
        run_with(&c, methods[i].rule, methods[i].steps);
        print_distances(methods[i].what, &c, &truth);
    }
    for (size_t steps = 8; steps <= 16; steps += 4) {
        char what[64];
        snprintf(what, sizeof what, "secants, %zu steps, %zu passes", steps, 2 * steps + 1);
        run_with(&c, RETC_SECANT, steps);
        print_distances(what, &c, &truth);
    }
    clear_case(&c), clear_case(&truth);
    retc_recording_close(recording);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *model;
    size_t samples;
} memory_case;

static void
write_recording(const memory_case *m) {
    retc_recording_close(retc_bench_recording(path_of("long"), m->samples));
}

/* Open it with no movie kept in memory, and explain all of it. */
static void
explain_recording(const memory_case *m) {
    contribution_case c = make_case(m->model, m->samples);
    retc_bench_check(RETC_GOT(c.recording = retc_recording_open(path_of("long"), 1)));
    retc_bench_check(retc_target_init(&c.target, RETC_TARGET_SUM, c.network->N, 0));
    c.options.steps = 1;
    run_contributions(&c);
}

/* Peak memory of a process of its own, MB. */
static double
peak_of(void (*work)(const memory_case *m), const memory_case *m) {
    struct rusage usage;
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(m);
        _exit(0);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        retc_bench_check(RETC_FAIL(RETC_EIO, "a step failed"));
    return 1024e-6 * (double)usage.ru_maxrss;
}

/* Before anything else: a child begins with what its parent holds. */
static void
bench_memory(const char *model) {
    printf("\n%-44s", "peak memory, one thread, recordings of");
    for (size_t samples = 1000; samples <= 4000; samples *= 4) {
        memory_case m = {model, samples};
        peak_of(write_recording, &m);
        printf("  %zu frames: %.0f MB", samples, peak_of(explain_recording, &m));
    }
    printf("\n");
    unlink(path_of("long"));
}

static void
clear_folder(void) {
    static const char *const names[] = {"model", "contributions", "recording", "other", "few", "one", "many"};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        unlink(path_of(names[i]));
    rmdir(folder);
}

int
main(int argc, char **argv) {
    const char *model = argc > 3 ? argv[3] : NULL;
    if (argc < 3 || argc > 4 || !mkdtemp(folder)) {
        fprintf(stderr, "usage: contributions PYTHON SCRIPT [MODEL]\n");
        return EXIT_FAILURE;
    }
    retc_library_init();
    bench_memory(model);
    contribution_case c = make_case(model, SAMPLES);
    c.target = make_target(c.network);
    c.recording = retc_bench_recording(path_of("recording"), SAMPLES);
    for (size_t k = 0; k < c.cuts; ++k)
        c.sums[k] = retc_bench_room(SAMPLES * 2 * c.network->layer[c.cut[k]].C, sizeof(float));
    peer p = model ? (peer){0} : run_peer(argv[1], argv[2], &c);
    bench_times(&c, &p);
    print_steps(&c);
    print_set_up(model, &c.target);
    bench_threads(model, &c.target);
    bench_errors(model, &c.target);
    retc_target_clear(&c.target);
    clear_case(&c);
    retc_recording_close(c.recording);
    clear_folder();
    return EXIT_SUCCESS;
}

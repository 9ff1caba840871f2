/* How fast the library is on this machine, as one table; `make bench` builds and runs it, in less than a minute.
 *
 * Every time is the least of several runs: what other programs take only adds.  The network is the size that the method's
 * authors use: 50 x 50 pixels, history 40, kernels 15 x 15 and 11 x 11, eight channels each, dense readout.  The last column
 * says what PyTorch 1.13 takes for the same on a machine with AVX-512, where that was measured; on another machine it is no
 * comparison.  Nothing is asserted: tests judge results, not times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "contribute.h"
#include "conv.h"
#include "fftconv.h"
#include "fit.h"
#include "fixtures.h"
#include "gather.h"
#include "irf.h"
#include "parallel.h"
#include "reverse_correlation.h"
#include "trainer.h"

enum { PIXELS = 50, HISTORY = 40, KERNEL0 = 15, KERNEL1 = 11, CHANNELS = 8, CELLS = 8 };
enum { FRAMES = 128, BLOCKS = 2, SAMPLES = FRAMES * BLOCKS }; /* per run of everything but the STA */

static void
check(int status) {
    if (status >= 0)
        return;
    fprintf(stderr, "bench: %s\n", retc_error_message());
    exit(EXIT_FAILURE);
}

static void *
room(size_t count, size_t size) {
    void *block = retc_calloc(count, size);
    check(RETC_GOT(block));
    return block;
}

/* ---- timing and printing --------------------------------------------------------------------------------------------- */

static double
now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Least time of a run, in seconds: at least two runs, and more while they take less than 0.3 s together. */
static double
least_time(void (*run)(void *context), void *context) {
    double least = 1e9, together = 0;
    for (int i = 0; i < 2 || (together < 0.3 && i < 1000); ++i) {
        double start = now();
        run(context);
        double took = now() - start;
        least = took < least ? took : least;
        together += took;
    }
    return least;
}

static void
print_row(const char *what, size_t threads, double value, const char *unit, double gflops, const char *beside) {
    char rate[32] = "";
    if (gflops > 0)
        snprintf(rate, sizeof rate, "%.1f", gflops);
    printf("%-44s  %7zu  %9.3g %-20s  %8s  %s\n", what, threads, value, unit, rate, beside);
    fflush(stdout);
}

static void
print_head(void) {
    char line[256], model[256] = "unknown processor";
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && fgets(line, sizeof line, info))
        if (sscanf(line, "model name : %255[^\n]", model) == 1)
            break;
    if (info)
        fclose(info);
    printf("retcodec %s, %s, %zu processors, kernels: %s\n", PACKAGE_VERSION, model, retc_parallel_processors(),
           retc_kernel_name());
    printf("%-44s  %7s  %9s %-20s  %8s  %s\n", "", "threads", "time", "", "GFLOP/s", "beside");
}

/* ---- kernels --------------------------------------------------------------------------------------------------------- */

enum { J = CHANNELS * KERNEL1 * KERNEL1, N = 128 };

typedef struct {
    float *w, *in, *out;
    size_t offset[J];
} kernel_case;

static void
run_gather(void *context) {
    kernel_case *k = context;
    retc_gather(CHANNELS, J, N, k->w, J, NULL, k->in, k->offset, k->out, N, 0);
}

static void
run_dots(void *context) {
    kernel_case *k = context;
    retc_dots(CHANNELS, J, N, 1, k->out, N, 0, k->in, 0, k->offset, k->w, J);
}

static void
bench_kernels(void) {
    static const char *const versions[] = {"reference", "generic", "avx2", "avx512"};
    static const struct {
        const char *name;
        void (*run)(void *context);
    } kernels[2] = {{"gather", run_gather}, {"dots", run_dots}};
    const char *chosen = retc_kernel_name();
    kernel_case k = {.w = room(CHANNELS * J, sizeof(float)), .in = retc_fixture_movie(1, J, N, 1)};
    k.out = room(CHANNELS * N, sizeof(float));
    for (size_t j = 0; j < J; ++j)
        k.offset[j] = j * N;
    for (int i = 0; i < 2; ++i) {
        double reference = 0;
        for (int v = 0; v < 4; ++v) {
            char what[64], ratio[64];
            if (retc_kernel_choose(versions[v]) < 0)
                continue;
            memset(k.w, 0, CHANNELS * J * sizeof *k.w);
            double took = least_time(kernels[i].run, &k);
            reference = v == 0 ? took : reference;
            snprintf(what, sizeof what, "%s 8 x %d x %d, %s", kernels[i].name, J, N, versions[v]);
            snprintf(ratio, sizeof ratio, "%.1f x the reference", reference / took);
            print_row(what, 1, 1e3 * took, "ms", 2e-9 * CHANNELS * J * N / took, ratio);
        }
    }
    (void)retc_kernel_choose(chosen);
    retc_free(k.w), retc_free(k.in), retc_free(k.out);
}

/* ---- convolutions ---------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_conv conv;
    size_t threads, in_size, out_size, weights;
    float *w, *in, *out, *din; /* blocks side by side; weights too, so that threads do not share them */
    float *packed[BLOCKS];
    size_t *packed_offset[BLOCKS];
    int (*task)(void *context, size_t block);
} conv_case;

static int
forward(void *context, size_t b) {
    conv_case *c = context;
    retc_conv_forward(&c->conv, c->w, NULL, c->in + b * c->in_size, FRAMES, c->out + b * c->out_size);
    return RETC_OK;
}

static int
backward_weights(void *context, size_t b) {
    conv_case *c = context;
    retc_conv_backward_weights(&c->conv, c->out + b * c->out_size, c->in + b * c->in_size, FRAMES, c->w + (1 + b) * c->weights,
                               NULL);
    return RETC_OK;
}

static int
backward_input(void *context, size_t b) {
    conv_case *c = context;
    retc_conv_backward_input(&c->conv, c->w, c->out + b * c->out_size, FRAMES, c->din + b * c->in_size, c->conv.in_ld,
                             c->packed[b], c->packed_offset[b]);
    return RETC_OK;
}

static void
run_blocks(void *context) {
    conv_case *c = context;
    check(retc_parallel_for(BLOCKS, c->threads, c->task, c));
}

static void
bench_convolution(const char *name, const retc_conv_shape *shape, const char *beside) {
    static const struct {
        const char *name;
        int (*task)(void *context, size_t block);
    } passes[3] = {{"forward", forward}, {"backward, weights", backward_weights}, {"backward, input", backward_input}};
    size_t ld = shape->window ? FRAMES + shape->C : FRAMES, taps = shape->K * shape->kh * shape->kw;
    conv_case c = {.in_size = (shape->window ? 1 : shape->C) * shape->h * shape->w * ld};
    check(retc_conv_init(&c.conv, shape, ld, FRAMES));
    c.out_size = shape->K * c.conv.oh * c.conv.ow * FRAMES, c.weights = shape->K * c.conv.J;
    c.in = retc_fixture_movie(2, BLOCKS * c.in_size, 1, 1);
    c.w = retc_fixture_movie(3, (1 + BLOCKS) * c.weights, 1, 1);
    c.out = room(BLOCKS * c.out_size, sizeof(float)), c.din = room(BLOCKS * c.in_size, sizeof(float));
    for (size_t b = 0; b < BLOCKS; ++b)
        c.packed[b] = room(c.weights, sizeof(float)), c.packed_offset[b] = room(taps, sizeof(size_t));
    double flops = 2.0 * (double)(c.conv.oh * c.conv.ow * c.weights) * SAMPLES;
    for (int p = 0; p < (shape->window ? 2 : 3); ++p)
        for (c.threads = 1; c.threads <= 2; ++c.threads) {
            char what[64];
            c.task = passes[p].task;
            double took = least_time(run_blocks, &c);
            snprintf(what, sizeof what, "%s, %s", name, passes[p].name);
            print_row(what, c.threads, 1e3 * took / SAMPLES, "ms a frame", 1e-9 * flops / took,
                      p == 0 && c.threads == 2 ? beside : "");
        }
    for (size_t b = 0; b < BLOCKS; ++b)
        retc_free(c.packed[b]), retc_free(c.packed_offset[b]);
    retc_free(c.w), retc_free(c.in), retc_free(c.out), retc_free(c.din);
    retc_conv_free(&c.conv);
}

typedef struct {
    retc_fftconv *plan;
    retc_fftconv_work *work;
    float *in, *w, *out;
} transform_case;

static void
transform_weights(void *context) {
    transform_case *c = context;
    retc_fftconv_set_weights(c->plan, c->work, c->w);
}

static void
transform_forward(void *context) {
    transform_case *c = context;
    retc_fftconv_forward(c->plan, c->work, NULL, c->in, FRAMES, c->out);
}

static void
transform_backward(void *context) {
    transform_case *c = context;
    retc_fftconv_backward_weights(c->plan, c->work, c->out, FRAMES, c->w);
}

/* The same by transforms, of all blocks one after the other; its rate is that of the direct form's flops. */
static void
bench_transforms(const char *name, const retc_conv_shape *shape) {
    size_t ld = FRAMES + shape->C, map = (shape->h - shape->kh + 1) * (shape->w - shape->kw + 1);
    size_t weights = shape->K * shape->C * shape->kh * shape->kw;
    transform_case c = {.in = retc_fixture_movie(2, shape->h * shape->w * ld, 1, 1),
                        .w = retc_fixture_movie(3, weights, 1, 1),
                        .out = room(shape->K * map * FRAMES, sizeof(float))};
    check(RETC_GOT(c.plan = retc_fftconv_alloc(shape, ld, FRAMES, FRAMES)));
    check(RETC_GOT(c.work = retc_fftconv_work_alloc(c.plan)));
    static void (*const passes[3])(void *context) = {transform_weights, transform_forward, transform_backward};
    static const char *const names[3] = {"transform of the weights", "forward", "backward, weights"};
    for (int p = 0; p < 3; ++p) {
        char what[64];
        double took = least_time(passes[p], &c), flops = p ? 2.0 * (double)(map * weights) * FRAMES : 0;
        snprintf(what, sizeof what, "%s, FFT, %s", name, names[p]);
        print_row(what, 1, 1e3 * took / (p ? FRAMES : 1), p ? "ms a frame" : "ms", 1e-9 * flops / took, "");
    }
    retc_fftconv_work_free(c.work);
    retc_fftconv_free(c.plan);
    retc_free(c.in), retc_free(c.w), retc_free(c.out);
}

/* ---- the model ------------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_network *network;
    retc_recording *recording;
    retc_trainer *trainer;
    retc_target target;
    retc_contribute_options contribute;
    retc_irf_options irf;
    uint64_t step;
} model_case;

/* A recording of noise, T frames of H x W pixels, in both parts. */
static retc_recording *
noise_recording(const char *path, size_t T, size_t H, size_t W) {
    float *movie = retc_fixture_movie(4, T, H, W), *counts = room(CELLS * T, sizeof *counts);
    for (size_t i = 0; i < CELLS * T; ++i)
        counts[i] = (float)(i * 7919 % 11 == 0);
    check(RETC_GOT(movie));
    check(retc_fixture_recording(path, T, H, W, movie, CELLS, counts, 0, NULL, 1, 0.01));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    check(RETC_GOT(recording));
    return recording;
}

static void
run_step(void *context) {
    model_case *m = context;
    double loss;
    const float *gradient;
    for (size_t b = 0; b < BLOCKS; ++b) {
        const retc_block block = {.t0 = HISTORY + b * FRAMES, .n = FRAMES};
        check(retc_trainer_load(m->trainer, m->recording, RETC_TRAIN, b, &block));
    }
    check(retc_trainer_step(m->trainer, BLOCKS, m->step++, &loss, &gradient));
}

static int
ignore_contribution(void *context, const retc_contribution *block) {
    (void)context, (void)block;
    return RETC_OK;
}

static void
run_contribute(void *context) {
    model_case *m = context;
    check(retc_contribute(m->network, m->recording, RETC_TEST, &m->target, &m->contribute, ignore_contribution, NULL, NULL));
}

static int
ignore_irf(void *context, const retc_irf_block *block) {
    (void)context, (void)block;
    return RETC_OK;
}

static void
run_irf(void *context) {
    model_case *m = context;
    check(retc_irf(m->network, m->recording, RETC_TEST, &m->irf, ignore_irf, NULL, NULL));
}

static void
bench_training(model_case *m) {
    for (size_t threads = 1; threads <= 2; ++threads) {
        retc_trainer_options options = {.blocks = BLOCKS, .block = FRAMES, .threads = threads, .frame_interval = 0.01};
        check(RETC_GOT(m->trainer = retc_trainer_alloc(m->network, &options)));
        print_row("training step", threads, 1e3 * least_time(run_step, m) / SAMPLES, "ms a sample", 0, "");
        retc_trainer_free(m->trainer);
    }
}

static void
bench_contributions(model_case *m) {
    static const char *const names[2] = {"contributions, 3 layers, 20 secants", "contributions, 3 layers, trapezium 20"};
    check(retc_target_init(&m->target, RETC_TARGET_SUM, m->network->N, 0));
    for (int method = RETC_SECANT; method <= RETC_TRAPEZIUM; ++method)
        for (size_t threads = 1; threads <= 2; ++threads) {
            m->contribute = retc_contribute_default();
            m->contribute.rule = (retc_path_rule)method;
            m->contribute.steps = 20;
            m->contribute.threads = threads;
            print_row(names[method], threads, 1e3 * least_time(run_contribute, m) / SAMPLES, "ms a sample", 0,
                      method == RETC_TRAPEZIUM && threads == 1 ? "593 ms (PyTorch 1.13, one thread)" : "");
        }
    retc_target_clear(&m->target);
}

static void
bench_irf(model_case *m) {
    static const size_t cells[2] = {0, 5};
    for (size_t threads = 1; threads <= 2; ++threads) {
        m->irf = (retc_irf_options){.cell = cells, .cells = 2, .threads = threads};
        print_row("instantaneous receptive field", threads, 1e3 * least_time(run_irf, m) / (2 * SAMPLES),
                  "ms a cell and sample", 0, "");
    }
}

static void
bench_model(const char *path) {
    model_case m = {.recording = noise_recording(path, HISTORY + SAMPLES, PIXELS, PIXELS)};
    retc_fit_options options = retc_fit_default();
    check(RETC_GOT(m.network = retc_fit_network(m.recording, &options)));
    bench_training(&m);
    bench_contributions(&m);
    bench_irf(&m);
    retc_network_free(m.network);
    retc_recording_close(m.recording);
}

/* ---- spike-triggered averages ---------------------------------------------------------------------------------------- */

enum { STA_FRAMES = 36000, STA_SIDE = 10 };

typedef struct {
    retc_recording *recording;
    retc_revcorr_options options;
} sta_case;

static void
run_sta(void *context) {
    sta_case *s = context;
    retc_revcorr result;
    check(retc_revcorr_estimate(s->recording, &s->options, NULL, &result));
    retc_revcorr_clear(&result);
}

static void
bench_sta(const char *path) {
    sta_case s = {.recording = noise_recording(path, STA_FRAMES, STA_SIDE, STA_SIDE),
                  .options = {RETC_TRAIN, HISTORY, 1, 0, 1, 0}};
    for (s.options.threads = 1; s.options.threads <= 2; ++s.options.threads)
        print_row("STA, 8 cells, 36000 frames", s.options.threads, 1e3 * least_time(run_sta, &s) / (STA_SIDE * STA_SIDE),
                  "ms a pixel", 0, "");
    retc_recording_close(s.recording);
}

int
main(void) {
    static const retc_conv_shape conv0 = {HISTORY, PIXELS, PIXELS, CHANNELS, KERNEL0, KERNEL0, 1};
    static const retc_conv_shape conv1 = {CHANNELS, PIXELS - KERNEL0 + 1, PIXELS - KERNEL0 + 1, CHANNELS, KERNEL1, KERNEL1, 0};
    char path[] = "/tmp/retcodec-bench-XXXXXX";
    int descriptor = mkstemp(path);
    if (descriptor < 0) {
        perror("bench: /tmp");
        return EXIT_FAILURE;
    }
    close(descriptor);
    retc_library_init();
    print_head();
    bench_kernels();
    bench_convolution("conv 50x50x40, 8 of 15x15", &conv0, "4.4 ms (PyTorch 1.13 on windows, two threads)");
    bench_transforms("conv 50x50x40, 8 of 15x15", &conv0);
    bench_convolution("conv 36x36x8, 8 of 11x11", &conv1, "");
    bench_model(path);
    bench_sta(path);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak memory: %.0f MB\n", 1024e-6 * (double)usage.ru_maxrss);
    unlink(path);
    return EXIT_SUCCESS;
}

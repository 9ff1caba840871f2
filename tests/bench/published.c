/* The model of the size that the method's authors published, beside PyTorch, as tables; `make bench` runs it.
 *
 *     published PYTHON SCRIPT
 *
 * Movies of 50 x 50 pixels, history 40; 8 channels of 15 x 15, 8 of 11 x 11, a readout of 11 x 11 with one position for each of
 * 17 cells; batch norm and noise.  One thread.  PYTHON runs SCRIPT (published_torch.py) on the same machine right before; where
 * it has no PyTorch, the table says so.  Ratios are of processor times, as other programs may run beside.  Nothing is
 * asserted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adam.h"
#include "fftconv.h"
#include "fixtures.h"
#include "gather.h"
#include "mapconv.h"
#include "measure.h"
#include "model.h"
#include "rows.h"
#include "trainer.h"

enum { SIDE0 = SIDE - KERNEL0 + 1, SIDE1 = SIDE0 - KERNEL1 + 1 }; /* 36, 26 */
enum { FRAMES = 128, BLOCKS = 8, SAMPLES = FRAMES * BLOCKS };     /* as fit's defaults */

/* ---- the model ------------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_network *network;
    retc_recording *recording;
    retc_tape *tape;
    retc_trainer *trainer;
    float *frames, *m, *v;
    size_t step;
} model_case;

/* What prediction does with a block: read it, put time innermost, run it. */
static void
run_forward(void *context) {
    model_case *c = context;
    for (size_t b = 0; b < BLOCKS; ++b) {
        retc_bench_check(retc_stream_read(c->network, c->recording, RETC_TRAIN, HISTORY + b * FRAMES, FRAMES, c->frames));
        retc_tape_load(c->tape, c->frames, FRAMES);
        retc_tape_forward(c->tape, 0, c->network->layers, FRAMES);
    }
}

/* What a fit does with a batch. */
static void
run_step(void *context) {
    model_case *c = context;
    const retc_adam_options adam = retc_adam_default();
    const float *gradient;
    double loss;
    for (size_t b = 0; b < BLOCKS; ++b) {
        const retc_block block = {.t0 = HISTORY + b * FRAMES, .n = FRAMES};
        retc_bench_check(retc_trainer_load(c->trainer, c->recording, RETC_TRAIN, b, &block));
    }
    retc_bench_check(retc_trainer_step(c->trainer, BLOCKS, c->step++, &loss, &gradient));
    retc_adam_step(&adam, c->step, gradient, c->network->values, c->m, c->v, c->network->value);
}

static retc_bench_time
time_training(const char *path, double noise, size_t threads) {
    const retc_trainer_options options = {.blocks = BLOCKS, .block = FRAMES, .threads = threads, .frame_interval = 0.01};
    model_case c = {.network = retc_bench_network(noise), .recording = retc_bench_recording(path, SAMPLES)};
    retc_bench_check(RETC_GOT(c.trainer = retc_trainer_alloc(c.network, &options)));
    c.m = retc_bench_room(c.network->values, sizeof *c.m), c.v = retc_bench_room(c.network->values, sizeof *c.v);
    retc_bench_time took = retc_bench_least(run_step, &c);
    retc_trainer_free(c.trainer);
    retc_network_free(c.network);
    retc_recording_close(c.recording);
    retc_free(c.m), retc_free(c.v);
    return (retc_bench_time){1e3 * took.processor / SAMPLES, 1e3 * took.wall / SAMPLES};
}

static retc_bench_time
time_forward(const char *path) {
    model_case c = {.network = retc_bench_network(0), .recording = retc_bench_recording(path, SAMPLES)};
    retc_bench_check(RETC_GOT(c.tape = retc_tape_alloc(c.network, FRAMES, 0, NULL)));
    c.frames = retc_bench_room((FRAMES + HISTORY - 1) * SIDE * SIDE, sizeof *c.frames);
    retc_bench_time took = retc_bench_least(run_forward, &c);
    retc_tape_free(c.tape);
    retc_network_free(c.network);
    retc_recording_close(c.recording);
    retc_free(c.frames);
    return (retc_bench_time){1e3 * took.processor / SAMPLES, 1e3 * took.wall / SAMPLES};
}

/* ---- beside PyTorch -------------------------------------------------------------------------------------------------- */

typedef struct {
    char version[64];
    retc_bench_time forward, training;
} peer;

/* 0 when there is no PyTorch. */
static int
run_peer(const char *python, const char *script, peer *p) {
    char command[1024];
    snprintf(command, sizeof command, "'%s' '%s' 2>/dev/null", python, script);
    FILE *pipe = popen(command, "r");
    int fields = pipe ? fscanf(pipe, "%63s %lf %lf %lf %lf", p->version, &p->forward.processor, &p->forward.wall,
                               &p->training.processor, &p->training.wall)
                      : 0;
    if (pipe)
        pclose(pipe);
    return fields == 5;
}

static void
print_pair(const char *what, retc_bench_time ours, retc_bench_time theirs, int installed, double wanted) {
    printf("%-40s %9.4f %9.4f", what, ours.processor, ours.wall);
    if (installed)
        printf(" %9.2f %9.2f %7.1f x, wanted %.0f x\n", theirs.processor, theirs.wall, theirs.processor / ours.processor,
               wanted);
    else
        printf("   PyTorch is not installed\n");
    fflush(stdout);
}

static void
bench_peer(const char *python, const char *script, const char *path) {
    peer p = {0};
    int installed = run_peer(python, script, &p);
    printf("\n%-40s %9s %9s %9s %9s\n", "one thread, ms a sample", "processor", "wall", "PyTorch", "wall");
    if (installed)
        printf("(PyTorch %s, batches of windows, torch.set_num_threads(1))\n", p.version);
    print_pair("forward", time_forward(path), p.forward, installed, 30);
    print_pair("training step", time_training(path, 0.05, 1), p.training, installed, 40);
    print_pair("training step without noise", time_training(path, 0, 1), p.training, installed, 40);
}

/* ---- each kernel, and how far it is from what the machine can do ----------------------------------------------------- */

typedef struct {
    double peak, copy;
} machine;

/* The shortest time is that of its arithmetic at the peak, or of bringing its data in and out once. */
static void
print_kernel(const machine *m, const char *what, double flops, double bytes, double seconds) {
    double arithmetic = flops / m->peak, memory = bytes / m->copy, least = arithmetic > memory ? arithmetic : memory;
    printf("%-40s %9.3f %9.1f %9.2f %9.1f %7.0f %% %8.0f %%  %s\n", what, 1e-6 * flops, 1e-3 * bytes, 1e6 * seconds,
           1e-9 * flops / seconds, 100 * arithmetic / seconds, 100 * least / seconds,
           arithmetic > memory ? "arithmetic" : "memory");
    fflush(stdout);
}

typedef struct {
    retc_conv conv;
    size_t n;
    retc_fftconv *plan;
    retc_fftconv_work *work;
    retc_mapconv *maps;
    retc_mapconv_work *maps_work;
    float *w, *in, *out, *din, *dw, *packed;
    size_t *offset;
} conv_case;

static void
transform_weights(void *context) {
    conv_case *c = context;
    retc_fftconv_set_weights(c->plan, c->work, c->w);
}

static void
transform_forward(void *context) {
    conv_case *c = context;
    retc_fftconv_forward(c->plan, c->work, NULL, c->in, c->n, c->out);
}

static void
transform_backward(void *context) {
    conv_case *c = context;
    retc_fftconv_backward_weights(c->plan, c->work, c->out, c->n, c->dw);
}

static void
maps_weights(void *context) {
    conv_case *c = context;
    retc_mapconv_set_weights(c->maps, c->maps_work, c->w);
}

static void
maps_forward(void *context) {
    conv_case *c = context;
    retc_mapconv_forward(c->maps, c->maps_work, NULL, c->in, c->n, c->out);
}

static void
maps_backward_weights(void *context) {
    conv_case *c = context;
    retc_mapconv_backward_weights(c->maps, c->maps_work, c->out, c->in, c->n, c->dw);
}

static void
maps_backward_input(void *context) {
    conv_case *c = context;
    retc_mapconv_backward_input(c->maps, c->maps_work, c->out, c->n, c->din, c->conv.in_ld);
}

static void
direct_forward(void *context) {
    conv_case *c = context;
    retc_conv_forward(&c->conv, c->w, NULL, c->in, c->n, c->out);
}

static void
direct_backward_weights(void *context) {
    conv_case *c = context;
    retc_conv_backward_weights(&c->conv, c->out, c->in, c->n, c->dw, NULL);
}

static void
direct_backward_input(void *context) {
    conv_case *c = context;
    retc_conv_backward_input(&c->conv, c->w, c->out, c->n, c->din, c->conv.in_ld, c->packed, c->offset);
}

static conv_case
make_case(const retc_conv_shape *shape, size_t n) {
    size_t ld = shape->window ? (n + shape->C + 15) / 16 * 16 : n;
    size_t in = (shape->window ? 1 : shape->C) * shape->h * shape->w * ld;
    conv_case c = {.n = n, .in = retc_fixture_movie(2, in, 1, 1), .din = retc_bench_room(in, sizeof(float))};
    retc_bench_check(retc_conv_init(&c.conv, shape, ld, n));
    size_t weights = shape->K * c.conv.J;
    c.w = retc_fixture_movie(3, weights, 1, 1), c.dw = retc_bench_room(weights, sizeof(float));
    c.packed = retc_bench_room(weights, sizeof(float)), c.offset = retc_bench_room(weights, sizeof *c.offset);
    c.out = retc_bench_room(shape->K * c.conv.oh * c.conv.ow * n, sizeof(float));
    if (shape->window) {
        retc_bench_check(RETC_GOT(c.plan = retc_fftconv_alloc(shape, ld, n, n)));
        retc_bench_check(RETC_GOT(c.work = retc_fftconv_work_alloc(c.plan)));
        transform_weights(&c);
    } else {
        retc_bench_check(RETC_GOT(c.maps = retc_mapconv_alloc(shape, ld, n)));
        retc_bench_check(RETC_GOT(c.maps_work = retc_mapconv_work_alloc(c.maps, 1)));
        maps_weights(&c);
    }
    return c;
}

static void
clear_case(conv_case *c) {
    retc_fftconv_work_free(c->work);
    retc_fftconv_free(c->plan);
    retc_mapconv_work_free(c->maps_work);
    retc_mapconv_free(c->maps);
    retc_conv_free(&c->conv);
    retc_free(c->w), retc_free(c->in), retc_free(c->out), retc_free(c->din), retc_free(c->dw), retc_free(c->packed);
    retc_free(c->offset);
}

static double
seconds_a_frame(void (*run)(void *context), void *context, size_t n) {
    return retc_bench_least(run, context).processor / (double)n;
}

/* Flops of real transforms of N points, 2.5 N log2 N each; those that leave out three quarters of one dimension count as 0.75.
 */
static void
bench_conv0(const machine *m) {
    static const retc_conv_shape shape = {HISTORY, SIDE, SIDE, CHANNELS, KERNEL0, KERNEL0, 1};
    conv_case c = make_case(&shape, FRAMES);
    double out = 4.0 * CHANNELS * SIDE0 * SIDE0, in = 4.0 * SIDE * SIDE, points = (double)retc_fftconv_points(c.plan);
    double transform = 2.5 * points * log2(points), product = 4 * points;
    print_kernel(m, "conv0 by transforms: forward", (transform + CHANNELS * (0.75 * transform + product)) / FRAMES, in + out,
                 seconds_a_frame(transform_forward, &c, FRAMES));
    print_kernel(m, "conv0 by transforms: gradient of weights", CHANNELS * (1.25 * transform + product) / FRAMES, in + out,
                 seconds_a_frame(transform_backward, &c, FRAMES));
    print_kernel(m, "conv0 by transforms: weights, of a batch", CHANNELS * 0.5 * transform / SAMPLES,
                 4.0 * CHANNELS * HISTORY * KERNEL0 * KERNEL0 / SAMPLES,
                 seconds_a_frame(transform_weights, &c, FRAMES) / BLOCKS);
    clear_case(&c);
}

/* Transforms of all maps of both sides, 2.5 N log2 N of N points each, and a complex product for each of the frequencies, about
 * N/2, of each pair of maps.  The direct form stands beside. */
static void
bench_conv1(const machine *m) {
    static const retc_conv_shape shape = {CHANNELS, SIDE0, SIDE0, CHANNELS, KERNEL1, KERNEL1, 0};
    conv_case c = make_case(&shape, FRAMES);
    double points = (double)retc_mapconv_points(c.maps), transform = 2.5 * points * log2(points);
    double flops = 2 * CHANNELS * transform + 4.0 * CHANNELS * CHANNELS * points;
    double direct = 2.0 * CHANNELS * CHANNELS * KERNEL1 * KERNEL1 * SIDE1 * SIDE1;
    double bytes = 4.0 * CHANNELS * (SIDE0 * SIDE0 + SIDE1 * SIDE1);
    print_kernel(m, "conv1 by transforms: forward", flops, bytes, seconds_a_frame(maps_forward, &c, FRAMES));
    print_kernel(m, "conv1 by transforms: gradient of weights", flops, bytes,
                 seconds_a_frame(maps_backward_weights, &c, FRAMES));
    print_kernel(m, "conv1 by transforms: gradient of input", flops, bytes, seconds_a_frame(maps_backward_input, &c, FRAMES));
    print_kernel(m, "conv1 by transforms: weights, of a batch", CHANNELS * CHANNELS * transform / SAMPLES,
                 4.0 * CHANNELS * CHANNELS * KERNEL1 * KERNEL1 / SAMPLES, seconds_a_frame(maps_weights, &c, FRAMES) / BLOCKS);
    print_kernel(m, "conv1 directly: forward", direct, bytes, seconds_a_frame(direct_forward, &c, FRAMES));
    print_kernel(m, "conv1 directly: gradient of weights", direct, bytes, seconds_a_frame(direct_backward_weights, &c, FRAMES));
    print_kernel(m, "conv1 directly: gradient of input", direct, bytes, seconds_a_frame(direct_backward_input, &c, FRAMES));
    clear_case(&c);
}

/* What is done to every row of the two maps in turn: (8, 36 x 36) and (8, 26 x 26). */
enum { ROWS = CHANNELS * (SIDE0 * SIDE0 + SIDE1 * SIDE1) };

typedef struct {
    float *x, *g, *out;
    double sum, product;
} row_case;

static void
normalise_rows(void *context) {
    row_case *c = context;
    for (size_t r = 0; r < ROWS; ++r)
        retc_row_affine(c->x + r * FRAMES, 1.1f, 0.1f, FRAMES, c->out + r * FRAMES);
}

static void
rectify_rows(void *context) {
    row_case *c = context;
    for (size_t r = 0; r < ROWS; ++r)
        retc_row_relu(c->x + r * FRAMES, FRAMES, c->out + r * FRAMES);
}

static void
sum_rows(void *context) {
    row_case *c = context;
    for (size_t r = 0; r < ROWS; ++r)
        retc_row_sums(c->x + r * FRAMES, c->g + r * FRAMES, 0.1, FRAMES, &c->sum, &c->product);
}

static void
normalise_backward(void *context) {
    row_case *c = context;
    for (size_t r = 0; r < ROWS; ++r)
        retc_row_normed_backward(c->x + r * FRAMES, 0.9f, 0.1f, 0.2f, 0.3f, FRAMES, c->g + r * FRAMES);
}

static void
bench_rows(const machine *m) {
    row_case c = {.x = retc_fixture_movie(5, ROWS * FRAMES, 1, 1),
                  .g = retc_fixture_movie(6, ROWS * FRAMES, 1, 1),
                  .out = retc_bench_room(ROWS * FRAMES, sizeof(float))};
    print_kernel(m, "batch norm: sums of both maps", 4.0 * ROWS, 8.0 * ROWS, seconds_a_frame(sum_rows, &c, FRAMES));
    print_kernel(m, "batch norm: both maps", 2.0 * ROWS, 8.0 * ROWS, seconds_a_frame(normalise_rows, &c, FRAMES));
    print_kernel(m, "batch norm: gradient of both maps", 5.0 * ROWS, 12.0 * ROWS,
                 seconds_a_frame(normalise_backward, &c, FRAMES));
    print_kernel(m, "ReLU: both maps", 1.0 * ROWS, 8.0 * ROWS, seconds_a_frame(rectify_rows, &c, FRAMES));
    retc_free(c.x), retc_free(c.g), retc_free(c.out);
}

static void
bench_limits(void) {
    enum { CACHED = 4 << 20, LARGE = 256 << 20 };
    machine m = {retc_bench_peak_flops(), retc_bench_copy_rate(CACHED)};
    printf("\nOne thread at most: %.0f GFLOP/s (%s); copies of %d MB %.1f GB/s, of %d MB %.1f GB/s (read and written)\n",
           1e-9 * m.peak, retc_kernel_name(), CACHED >> 20, 1e-9 * m.copy, LARGE >> 20, 1e-9 * retc_bench_copy_rate(LARGE));
    if (!(m.peak > 0))
        return;
    printf("%-40s %9s %9s %9s %9s %9s %10s  %s\n", "a frame, in blocks of 128", "MFLOP", "kB", "us", "GFLOP/s", "of peak",
           "of limit", "limit");
    bench_conv0(&m);
    bench_conv1(&m);
    bench_rows(&m);
}

/* ---- history and threads --------------------------------------------------------------------------------------------- */

/* conv0 with blocks of 3 L + 1 frames: of the 4 L frames of a transform the same part, three quarters, are outputs. */
static void
bench_history(void) {
    double first[2] = {0};
    printf("\n%-40s %9s %9s %9s %9s\n", "conv0 by transforms, blocks of 3 L + 1", "forward", "/ L = 20", "gradient",
           "/ L = 20");
    for (size_t L = 20; L <= 80; L *= 2) {
        const retc_conv_shape shape = {L, SIDE, SIDE, CHANNELS, KERNEL0, KERNEL0, 1};
        conv_case c = make_case(&shape, 3 * L + 1);
        double forward = seconds_a_frame(transform_forward, &c, c.n), backward = seconds_a_frame(transform_backward, &c, c.n);
        first[0] = L == 20 ? forward : first[0], first[1] = L == 20 ? backward : first[1];
        printf("L = %-36zu %6.1f us %9.2f %6.1f us %9.2f\n", L, 1e6 * forward, forward / first[0], 1e6 * backward,
               backward / first[1]);
        clear_case(&c);
    }
}

/* Two threads at most halve the wall time; what other programs take of the processors is seen where the processor time of two
 * threads is less than twice the wall time. */
static void
bench_threads(const char *path) {
    printf("\n%-40s %9s %9s %9s\n", "training step, ms a sample", "processor", "wall", "speed-up");
    retc_bench_time took[2];
    for (size_t threads = 1; threads <= 2; ++threads) {
        took[threads - 1] = time_training(path, 0.05, threads);
        printf("%zu thread%-32s %9.4f %9.4f %9.2f\n", threads, threads > 1 ? "s" : "", took[threads - 1].processor,
               took[threads - 1].wall, took[0].wall / took[threads - 1].wall);
    }
}

/* ---- main ------------------------------------------------------------------------------------------------------------ */

int
main(int argc, char **argv) {
    char path[] = "/tmp/retcodec-bench-XXXXXX";
    int descriptor = argc == 3 ? mkstemp(path) : -1;
    if (descriptor < 0) {
        fprintf(stderr, "usage: published PYTHON SCRIPT\n");
        return EXIT_FAILURE;
    }
    close(descriptor);
    retc_library_init();
    bench_peer(argv[1], argv[2], path);
    bench_limits();
    bench_history();
    bench_threads(path);
    unlink(path);
    return EXIT_SUCCESS;
}

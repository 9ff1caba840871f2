#include "circuit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rng.h"
#include "stimulus_file.h"

/* Seconds that a filter reaches back, and the longest frame that still shows its shape. */
#define MEMORY 0.250
#define LONGEST_FRAME 0.050

#define THRESHOLD 0.1

/* An input whose standard deviation is smaller than this share of its mean is constant but for rounding. */
#define CONSTANT 1e-9

typedef struct {
    double *space; /* (2 ry + 1, 2 rx + 1) */
    double *time;  /* (K) */
    double gain;
} unit_filter;

struct retc_circuit {
    retc_circuit_options options;
    size_t height, width, ry, rx, K, units;
    unit_filter filter[RETC_UNIT_TYPES];
    retc_unit *unit;     /* (I) */
    double *target_rate; /* (N) */
    retc_output *output; /* (N) */
    double *past;        /* (I,K) what space filters gave in the K frames before the next, oldest first */
};

static int
is_amacrine(retc_unit_type type) {
    return type == RETC_ON_AMACRINE || type == RETC_OFF_AMACRINE;
}

static double
polarity(retc_unit_type type) {
    return type == RETC_ON_BIPOLAR || type == RETC_ON_AMACRINE ? 1 : -1;
}

const char *
retc_circuit_type_name(retc_unit_type type) {
    static const char *const names[RETC_UNIT_TYPES] = {"on_bipolar", "off_bipolar", "on_amacrine", "off_amacrine"};
    return names[type];
}

void
retc_circuit_default(retc_circuit_options *options) {
    *options = (retc_circuit_options){.cells = 4,
                                      .bipolars = 3,
                                      .spacing = 2,
                                      .center_sigma = 0.7,
                                      .surround_sigma = 1.4,
                                      .surround_weight = 0.8,
                                      .amacrine_sigma = 1.5,
                                      .inhibition = 0.5,
                                      .rate = 15};
}

/* ---- filters --------------------------------------------------------------------------------------------------------- */

static double
gaussian(double p, double q, double sigma) {
    return exp(-(p * p + q * q) / (2 * sigma * sigma)) / (2 * M_PI * sigma * sigma);
}

/* Raised cosine, all in ms. */
static double
bump(double tau, double peak, double width) {
    return fabs(tau - peak) < width ? 0.5 * (1 + cos(M_PI * (tau - peak) / width)) : 0;
}

static double
time_course(retc_unit_type type, double tau) {
    static const struct {
        double peak1, width1, peak2, width2, ratio;
    } shape[RETC_UNIT_TYPES] = {
        {55, 45, 115, 65, 0.5}, {45, 40, 100, 60, 0.6}, {105, 75, 185, 65, 0.3}, {95, 70, 175, 65, 0.3}};
    return bump(tau, shape[type].peak1, shape[type].width1) -
           shape[type].ratio * bump(tau, shape[type].peak2, shape[type].width2);
}

static void
scale_to_unit_norm(double *x, size_t n) {
    double squares = 0;
    for (size_t i = 0; i < n; ++i)
        squares += x[i] * x[i];
    for (size_t i = 0; i < n; ++i)
        x[i] /= sqrt(squares);
}

static int
make_filter(retc_circuit *circuit, retc_unit_type type, double frame_interval) {
    int status = RETC_OK;
    const retc_circuit_options *options = &circuit->options;
    unit_filter *filter = &circuit->filter[type];
    size_t height = 2 * circuit->ry + 1, width = 2 * circuit->rx + 1;
    RETC_TRY(RETC_ALLOC(filter->space, height * width));
    RETC_TRY(RETC_ALLOC(filter->time, circuit->K));
    for (size_t i = 0; i < height * width; ++i) {
        double p = (double)(i / width) - (double)circuit->ry, q = (double)(i % width) - (double)circuit->rx;
        double value = is_amacrine(type) ? gaussian(p, q, options->amacrine_sigma)
                                         : gaussian(p, q, options->center_sigma) -
                                               options->surround_weight * gaussian(p, q, options->surround_sigma);
        filter->space[i] = polarity(type) * value;
    }
    for (size_t k = 1; k <= circuit->K; ++k)
        filter->time[k - 1] = time_course(type, 1000 * (double)k * frame_interval);
    scale_to_unit_norm(filter->space, height * width);
    scale_to_unit_norm(filter->time, circuit->K);

done:
    return status;
}

/* ---- wiring ---------------------------------------------------------------------------------------------------------- */

/* The nearest place where a whole filter of radius r fits into `size` pixels. */
static size_t
nearest_place(double position, size_t r, size_t size) {
    double place = fmin(fmax(round(position), (double)r), (double)(size - 1 - r));
    return (size_t)place;
}

/* Centres of cells lie on a square grid of `side` by `side` fields, moved by up to half a pixel. */
static double
cell_place(size_t field, size_t side, size_t r, size_t size, gsl_rng *rng) {
    return (double)r + ((double)field + 0.5) / (double)side * (double)(size - 1 - 2 * r) + gsl_rng_uniform(rng) - 0.5;
}

/* Bipolar units stand in rings of up to six around the cell, neighbours `spacing` apart: a patch of a hexagonal mosaic. */
static void
place_bipolars(retc_circuit *circuit, size_t cell, double y, double x, gsl_rng *rng) {
    size_t B = circuit->options.bipolars, in_ring = B < 6 ? B : 6;
    double first_radius = B > 1 ? 0.5 * circuit->options.spacing / sin(M_PI / (double)in_ring) : 0;
    double turn = 2 * M_PI * gsl_rng_uniform(rng);
    for (size_t b = 0; b < B; ++b) {
        retc_unit *unit = &circuit->unit[cell * (B + 1) + b];
        double radius = first_radius * (double)(1 + b / 6), angle = turn + 2 * M_PI * (double)b / (double)in_ring;
        unit->row = nearest_place(y + radius * sin(angle), circuit->ry, circuit->height);
        unit->column = nearest_place(x + radius * cos(angle), circuit->rx, circuit->width);
    }
}

static void
wire_cell(retc_circuit *circuit, size_t cell, size_t side, gsl_rng *rng) {
    const retc_circuit_options *options = &circuit->options;
    size_t B = options->bipolars, row = cell / side, column = cell % side;
    int is_on = (row + column) % 2 == 0;
    double y = cell_place(row, side, circuit->ry, circuit->height, rng), excitation = 0;
    double x = cell_place(column, side, circuit->rx, circuit->width, rng);
    retc_unit *unit = &circuit->unit[cell * (B + 1)], *amacrine = &unit[B];
    place_bipolars(circuit, cell, y, x, rng);
    for (size_t b = 0; b < B; ++b) {
        unit[b].type = is_on ? RETC_ON_BIPOLAR : RETC_OFF_BIPOLAR;
        unit[b].cell = cell;
        unit[b].weight = 0.75 + 0.5 * gsl_rng_uniform(rng);
        excitation += unit[b].weight;
        snprintf(unit[b].name, sizeof unit[b].name, "cell%02zu/%s%zu", cell + 1, retc_circuit_type_name(unit[b].type), b + 1);
    }
    amacrine->type = is_on ? RETC_ON_AMACRINE : RETC_OFF_AMACRINE;
    amacrine->cell = cell;
    amacrine->row = nearest_place(y, circuit->ry, circuit->height);
    amacrine->column = nearest_place(x, circuit->rx, circuit->width);
    amacrine->weight = -options->inhibition * excitation;
    snprintf(amacrine->name, sizeof amacrine->name, "cell%02zu/amacrine", cell + 1);
    circuit->target_rate[cell] = options->rate * (2 + 2 * gsl_rng_uniform(rng)) / 3;
}

static int
wire(retc_circuit *circuit) {
    int status = RETC_OK;
    size_t N = circuit->options.cells, side = 1;
    gsl_rng *rng = NULL;
    while (side * side < N)
        ++side;
    circuit->units = N * (circuit->options.bipolars + 1);
    RETC_TRY(RETC_ALLOC(circuit->unit, circuit->units));
    RETC_TRY(RETC_ALLOC(circuit->target_rate, N));
    RETC_TRY(RETC_ALLOC(circuit->output, N));
    RETC_TRY(RETC_ALLOC(circuit->past, circuit->units * circuit->K));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(circuit->options.seed, RETC_STREAM_CIRCUIT, 0)));
    for (size_t cell = 0; cell < N; ++cell)
        wire_cell(circuit, cell, side, rng);

done:
    gsl_rng_free(rng);
    return status;
}

static int
check_options(const retc_circuit_options *o, size_t H, size_t W, double frame_interval) {
    if (H == 0 || W == 0)
        return RETC_FAIL(RETC_EINVAL, "a retina that sees %zu x %zu pixels sees nothing", H, W);
    if (!(frame_interval > 0 && frame_interval <= LONGEST_FRAME))
        return RETC_FAIL(RETC_EINVAL, "the simulated retina needs frames of at most %g ms, not %g ms", 1000 * LONGEST_FRAME,
                         1000 * frame_interval);
    if (o->cells < 1 || o->cells > 999 || o->bipolars < 1 || o->bipolars > 99)
        return RETC_FAIL(RETC_EINVAL, "%zu cells with %zu bipolar units each: expected 1 ... 999 with 1 ... 99", o->cells,
                         o->bipolars);
    if (!(o->center_sigma >= 0.1 && o->surround_sigma > o->center_sigma && o->amacrine_sigma >= 0.1) ||
        !isfinite(o->surround_sigma) || !isfinite(o->amacrine_sigma))
        return RETC_FAIL(RETC_EINVAL,
                         "filters of %g (centre), %g (surround) and %g (amacrine) pixels: expected at least 0.1, and "
                         "the surround larger than the centre",
                         o->center_sigma, o->surround_sigma, o->amacrine_sigma);
    if (!(o->surround_weight >= 0 && o->surround_weight <= 1 && o->inhibition >= 0) || !isfinite(o->inhibition))
        return RETC_FAIL(RETC_EINVAL,
                         "a surround weight of %g and an inhibition of %g: expected 0 ... 1 and no negative number",
                         o->surround_weight, o->inhibition);
    if (!(o->spacing >= 0 && o->rate > 0) || !isfinite(o->spacing) || !isfinite(o->rate))
        return RETC_FAIL(RETC_EINVAL, "a spacing of %g pixels and a rate of %g spikes/s: expected positive numbers", o->spacing,
                         o->rate);
    return RETC_OK;
}

/* The radius of all filters along an axis of `size` pixels. */
static size_t
filter_radius(const retc_circuit_options *options, size_t size) {
    double wanted = ceil(2 * fmax(options->surround_sigma, options->amacrine_sigma));
    return wanted < (double)((size - 1) / 2) ? (size_t)wanted : (size - 1) / 2;
}

retc_circuit *
retc_circuit_alloc(const retc_circuit_options *options, size_t H, size_t W, double frame_interval) {
    int status = RETC_OK;
    retc_circuit *circuit = NULL;
    RETC_TRY(check_options(options, H, W, frame_interval));
    RETC_TRY(RETC_ALLOC(circuit, 1));
    circuit->options = *options;
    circuit->height = H;
    circuit->width = W;
    circuit->ry = filter_radius(options, H);
    circuit->rx = filter_radius(options, W);
    /* A hair more than the memory, so that frames of exactly 10 ms give 25 of them and not 24. */
    circuit->K = (size_t)(MEMORY / frame_interval * (1 + 1e-9));
    for (int type = 0; type < RETC_UNIT_TYPES; ++type)
        RETC_TRY(make_filter(circuit, (retc_unit_type)type, frame_interval));
    RETC_TRY(wire(circuit));

done:
    if (status < 0) {
        retc_circuit_free(circuit);
        return NULL;
    }
    return circuit;
}

void
retc_circuit_free(retc_circuit *circuit) {
    if (!circuit)
        return;
    for (int type = 0; type < RETC_UNIT_TYPES; ++type) {
        retc_free(circuit->filter[type].space);
        retc_free(circuit->filter[type].time);
    }
    retc_free(circuit->unit);
    retc_free(circuit->target_rate);
    retc_free(circuit->output);
    retc_free(circuit->past);
    retc_free(circuit);
}

/* ---- getters --------------------------------------------------------------------------------------------------------- */

size_t
retc_circuit_cells(const retc_circuit *circuit) {
    return circuit->options.cells;
}

size_t
retc_circuit_units(const retc_circuit *circuit) {
    return circuit->units;
}

const retc_unit *
retc_circuit_unit(const retc_circuit *circuit, size_t i) {
    return &circuit->unit[i];
}

const retc_output *
retc_circuit_output(const retc_circuit *circuit, size_t cell) {
    return &circuit->output[cell];
}

const double *
retc_circuit_time_filter(const retc_circuit *circuit, retc_unit_type type, size_t *K) {
    *K = circuit->K;
    return circuit->filter[type].time;
}

const double *
retc_circuit_space_filter(const retc_circuit *circuit, retc_unit_type type, size_t *height, size_t *width) {
    *height = 2 * circuit->ry + 1;
    *width = 2 * circuit->rx + 1;
    return circuit->filter[type].space;
}

double
retc_circuit_gain(const retc_circuit *circuit, retc_unit_type type) {
    return circuit->filter[type].gain;
}

/* ---- playing --------------------------------------------------------------------------------------------------------- */

void
retc_circuit_reset(retc_circuit *circuit) {
    memset(circuit->past, 0, circuit->units * circuit->K * sizeof *circuit->past);
}

/* What a unit's space filter gives on one frame (H,W). */
static double
look(const retc_circuit *circuit, const retc_unit *unit, const float *frame) {
    size_t height = 2 * circuit->ry + 1, width = 2 * circuit->rx + 1;
    const double *filter = circuit->filter[unit->type].space;
    double sum = 0;
    for (size_t p = 0; p < height; ++p) {
        const float *row = frame + (unit->row - circuit->ry + p) * circuit->width + unit->column - circuit->rx;
        for (size_t q = 0; q < width; ++q)
            sum += filter[p * width + q] * (((double)row[q] - RETC_MEAN_GREY) / RETC_MEAN_GREY);
    }
    return sum;
}

int
retc_circuit_drive(retc_circuit *circuit, const float *frames, size_t n, double *drive) {
    int status = RETC_OK;
    size_t K = circuit->K, pixels = circuit->height * circuit->width;
    double *seen = NULL; /* (K + n): what the unit saw, the past first */
    RETC_TRY(RETC_ALLOC(seen, K + n));
    for (size_t u = 0; u < circuit->units; ++u) {
        const retc_unit *unit = &circuit->unit[u];
        const double *h = circuit->filter[unit->type].time;
        memcpy(seen, circuit->past + u * K, K * sizeof *seen);
        for (size_t t = 0; t < n; ++t)
            seen[K + t] = look(circuit, unit, frames + t * pixels);
        for (size_t t = 0; t < n; ++t) {
            double sum = 0;
            for (size_t k = 1; k <= K; ++k)
                sum += h[k - 1] * seen[K + t - k];
            drive[u * n + t] = sum;
        }
        memcpy(circuit->past + u * K, seen + n, K * sizeof *seen);
    }

done:
    retc_free(seen);
    return status;
}

static double
unit_signal(const retc_circuit *circuit, const retc_unit *unit, double drive) {
    return fmax(0, circuit->filter[unit->type].gain * drive - THRESHOLD);
}

static double
cell_input(const retc_circuit *circuit, size_t cell, const double *drive, size_t n, size_t t) {
    size_t first = cell * (circuit->options.bipolars + 1);
    double sum = 0;
    for (size_t u = first; u <= first + circuit->options.bipolars; ++u)
        sum += circuit->unit[u].weight * unit_signal(circuit, &circuit->unit[u], drive[u * n + t]);
    return sum;
}

/* log(1 + exp x), without overflow. */
static double
softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static int
calibrate_type(retc_circuit *circuit, retc_unit_type type, const double *drive, size_t n) {
    double squares = 0;
    size_t units = 0;
    for (size_t u = 0; u < circuit->units; ++u) {
        if (circuit->unit[u].type != type)
            continue;
        ++units;
        for (size_t t = 0; t < n; ++t)
            squares += drive[u * n + t] * drive[u * n + t];
    }
    if (units > 0 && !(squares > 0))
        return RETC_FAIL(RETC_ENUMBER, "the stimulus does not drive any unit of type %s: is it constant?",
                         retc_circuit_type_name(type));
    circuit->filter[type].gain = units > 0 ? sqrt((double)(units * n) / squares) : 0;
    return RETC_OK;
}

static int
calibrate_cell(retc_circuit *circuit, size_t cell, const double *drive, size_t n) {
    double mean = 0, squares = 0, response = 0;
    for (size_t t = 0; t < n; ++t)
        mean += cell_input(circuit, cell, drive, n, t) / (double)n;
    for (size_t t = 0; t < n; ++t) {
        double d = cell_input(circuit, cell, drive, n, t) - mean;
        squares += d * d;
    }
    double deviation = sqrt(squares / (double)n);
    if (!(deviation > CONSTANT * fabs(mean)))
        return RETC_FAIL(RETC_ENUMBER, "the stimulus does not change the input of cell %zu: is it constant?", cell + 1);
    double slope = 2 / deviation, offset = -slope * mean - 1;
    for (size_t t = 0; t < n; ++t)
        response += softplus(slope * cell_input(circuit, cell, drive, n, t) + offset) / (double)n;
    circuit->output[cell] = (retc_output){circuit->target_rate[cell] / response, slope, offset};
    return RETC_OK;
}

int
retc_circuit_calibrate(retc_circuit *circuit, const double *drive, size_t n) {
    int status = RETC_OK;
    for (int type = 0; type < RETC_UNIT_TYPES; ++type)
        RETC_TRY(calibrate_type(circuit, (retc_unit_type)type, drive, n));
    for (size_t cell = 0; cell < circuit->options.cells; ++cell)
        RETC_TRY(calibrate_cell(circuit, cell, drive, n));

done:
    return status;
}

void
retc_circuit_respond(const retc_circuit *circuit, const double *drive, size_t n, float *signal, double *rate) {
    for (size_t u = 0; u < circuit->units; ++u) {
        for (size_t t = 0; t < n; ++t)
            signal[u * n + t] = (float)unit_signal(circuit, &circuit->unit[u], drive[u * n + t]);
    }
    for (size_t cell = 0; cell < circuit->options.cells; ++cell) {
        const retc_output *output = &circuit->output[cell];
        for (size_t t = 0; t < n; ++t)
            rate[cell * n + t] =
                output->gain * softplus(output->slope * cell_input(circuit, cell, drive, n, t) + output->offset);
    }
}

/* The simulated retina, against closed forms, finite differences and brute force. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "circuit.h"
#include "circuit_truth.h"
#include "rng.h"
#include "testing.h"
#include "white_noise.h"

enum { SIDE = 12, PIXELS = SIDE * SIDE, FRAMES = 300 };
#define INTERVAL (1 / 60.0)

static float *
noise_movie(size_t side, size_t frames, double contrast, uint64_t seed) {
    retc_white_noise noise = {
        .height = side, .width = side, .stixel = 1, .hold = 1, .contrast = contrast, .seed = seed, .threads = 1};
    float *movie = retc_calloc(frames * side * side, sizeof *movie);
    ck_ok(retc_white_noise_frames(&noise, 0, frames, movie));
    return movie;
}

static retc_circuit *
make_circuit(const retc_circuit_options *options, size_t side, double interval) {
    retc_circuit *circuit = retc_circuit_alloc(options, side, side, interval);
    ck_assert_msg(circuit != NULL, "%s", retc_error_message());
    return circuit;
}

/* A small circuit that has every kind of connection: narrow and wide amacrine cells on cells and on terminals, delays of whole
 * and of broken frames, tonic and rectifying terminals. */
static retc_circuit_options
rich(void) {
    retc_circuit_options o;
    retc_circuit_default(&o);
    o.seed = 3, o.margin = 50, o.on_pixels = 0, o.calibration = RETC_CALIBRATE_NOISE;
    o.bipolar[RETC_BIPOLAR_ON].threshold = -0.5;
    o.bipolar[RETC_BIPOLAR_OFF].threshold = 0.2;
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i) {
        o.bipolar[i].amacrine = i % 2 ? RETC_AMACRINE_OFF : RETC_AMACRINE_ON;
        o.bipolar[i].inhibition = 0.6;
        o.bipolar[i].transience = 0.5;
    }
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i)
        o.amacrine[i].delay = i % 2 ? 25 : 1000 * INTERVAL * 2, o.amacrine[i].radius = 60, o.amacrine[i].reach = 80;
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i)
        o.ganglion[i].cells = 1;
    o.ganglion[RETC_GANGLION_DIRECTION].amacrine = RETC_AMACRINE_DELAYED, o.ganglion[RETC_GANGLION_DIRECTION].offset = 60;
    o.ganglion[RETC_GANGLION_OBJECT_MOTION].amacrine = RETC_AMACRINE_WIDE, o.ganglion[RETC_GANGLION_OBJECT_MOTION].inner = 100;
    o.amacrine[RETC_AMACRINE_WIDE].reach = 300;
    o.maximum = 40; /* of mean rates of 10 to 20: all of them bend */
    return o;
}

static retc_circuit *
calibrated(const retc_circuit_options *options) {
    retc_circuit *circuit = make_circuit(options, SIDE, INTERVAL);
    ck_ok(retc_circuit_calibrate_noise(circuit, 1000, 1));
    return circuit;
}

/* ---- mosaics --------------------------------------------------------------------------------------------------------- */

/* Distances and coverage as mosaic.h promises, and as many cells as the area of a hexagon of this lattice says: within the
 * border cells, of which there are about perimeter / spacing. */
START_TEST(mosaics_are_even) {
    const double spacing = 100, jitter = 0.1 * _i, width = 2000, height = 1500;
    gsl_rng *rng = retc_rng_alloc(5, RETC_STREAM_CIRCUIT, (uint64_t)_i);
    retc_place *place;
    size_t n;
    ck_ok(retc_mosaic(spacing, jitter, width, height, rng, &place, &n));
    double expected = width * height / (spacing * spacing * sqrt(3) / 2), border = 2 * (width + height) / spacing;
    ck_assert_msg(fabs((double)n - expected) <= border, "%zu cells, expected %.0f", n, expected);
    for (size_t i = 0; i < n; ++i) {
        ck_assert(fabs(place[i].x) <= width / 2 && fabs(place[i].y) <= height / 2);
        for (size_t k = 0; k < i; ++k)
            ck_assert_double_ge(retc_distance(place[i], place[k]), (1 - 2 * jitter) * spacing - 1e-9);
    }
    for (double x = -800; x <= 800; x += 50) { /* away from the border, where the lattice ends */
        for (double y = -550; y <= 550; y += 50) {
            double nearest = (double)INFINITY;
            for (size_t i = 0; i < n; ++i)
                nearest = fmin(nearest, retc_distance(place[i], (retc_place){x, y}));
            ck_assert_double_le(nearest, (1 / sqrt(3) + jitter) * spacing + 1e-9);
        }
    }
    for (size_t i = 1; i < n; ++i)
        ck_assert_double_ge(hypot(place[i].x, place[i].y), hypot(place[i - 1].x, place[i - 1].y));
    retc_free(place);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(a_small_field_has_its_middle) {
    gsl_rng *rng = retc_rng_alloc(5, RETC_STREAM_CIRCUIT, 0);
    retc_place *place;
    size_t n;
    ck_ok(retc_mosaic(1000, 0, 1, 1, rng, &place, &n));
    ck_assert_uint_eq(n, 1);
    ck_assert(place[0].x == 0 && place[0].y == 0);
    retc_free(place);
    ck_fails(retc_mosaic(0.01, 0, 1000, 1000, rng, &place, &n), "more than a million places");
    gsl_rng_free(rng);
}
END_TEST

/* ---- filters --------------------------------------------------------------------------------------------------------- */

static double
binomial(size_t n, size_t k) {
    double value = 1;
    for (size_t i = 1; i <= k; ++i)
        value *= (double)(n - k + i) / (double)i;
    return value;
}

/* A cascade of n integrators with k = 1 - q gives k^n C(m + n - 1, m) q^m, m steps after the flash. */
static double
cascade(double tau, size_t n, double dt, size_t m) {
    double q = exp(-dt / tau);
    return pow(1 - q, (double)n) * binomial(m + n - 1, m) * pow(q, (double)m);
}

/* The filter of a bipolar cell without integrators of its own is that of the photoreceptors. */
START_TEST(photoreceptors_are_cascades) {
    retc_circuit_options o;
    retc_circuit_default(&o);
    o.photoreceptor = (retc_photoreceptor_options){.tau_y = 12, .n_y = 3, .tau_z = 30, .n_z = 2, .gamma = 0.25, .beta = 1.5};
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i)
        o.bipolar[i].tau = 0, o.bipolar[i].transience = 0;
    retc_circuit *circuit = make_circuit(&o, SIDE, 0.01);
    double h[60], expected[60];
    retc_circuit_bipolar_filter(circuit, RETC_BIPOLAR_ON, 60, h);
    for (size_t m = 0; m < 60; ++m) {
        double y = cascade(12, 3, 10, m), z = 0.25 * y + 0.75 * cascade(30, 2, 10, m);
        expected[m] = y - 1.5 / 2.5 * z;
    }
    ck_close_double("filter", h, expected, 60, 1e-15, 1e-13);
    retc_circuit_free(circuit);
}
END_TEST

/* Behind an integrator with factor q, and less a share of a slower one: convolutions with k q^m. */
START_TEST(bipolar_filters_are_convolutions) {
    retc_circuit_options o;
    retc_circuit_default(&o);
    o.bipolar[RETC_BIPOLAR_OFF].tau = 15, o.bipolar[RETC_BIPOLAR_OFF].transience = 0.7,
    o.bipolar[RETC_BIPOLAR_OFF].tau_adapt = 90;
    retc_circuit_options plain = o;
    plain.bipolar[RETC_BIPOLAR_OFF].tau = 0, plain.bipolar[RETC_BIPOLAR_OFF].transience = 0;
    retc_circuit *circuit = make_circuit(&o, SIDE, 0.01), *without = make_circuit(&plain, SIDE, 0.01);
    enum { L = 80 };
    double p[L], h[L], b[L] = {0}, expected[L] = {0};
    retc_circuit_bipolar_filter(without, RETC_BIPOLAR_OFF, L, p);
    retc_circuit_bipolar_filter(circuit, RETC_BIPOLAR_OFF, L, h);
    for (size_t t = 0; t < L; ++t)
        for (size_t s = 0; s <= t; ++s)
            b[t] += cascade(15, 1, 10, t - s) * p[s];
    for (size_t t = 0; t < L; ++t) {
        expected[t] = b[t];
        for (size_t s = 0; s <= t; ++s)
            expected[t] -= 0.7 * cascade(90, 1, 10, t - s) * b[s];
    }
    ck_close_double("filter", h, expected, L, 1e-15, 1e-12);
    retc_circuit_free(circuit), retc_circuit_free(without);
}
END_TEST

/* All of the energy but 1e-4 is within the history, and not within one frame less. */
START_TEST(history_holds_the_filters) {
    retc_circuit_options o;
    retc_circuit_default(&o);
    retc_circuit *circuit = make_circuit(&o, SIDE, 0.01);
    size_t L = retc_circuit_history(circuit);
    double h[1000], beyond = 0;
    for (int shorter = 0; shorter < 2; ++shorter) {
        double worst = 0;
        for (size_t type = 0; type < 2; ++type) {
            double energy = 0, tail = 0;
            retc_circuit_bipolar_filter(circuit, type, 1000, h);
            for (size_t k = 0; k < 1000; ++k)
                energy += h[k] * h[k], tail += k + (size_t)shorter >= L ? h[k] * h[k] : 0;
            worst = fmax(worst, tail / energy);
        }
        beyond = worst;
        ck_assert_int_eq(worst <= 1e-4, !shorter);
    }
    ck_assert_double_gt(beyond, 0);
    retc_circuit_free(circuit);
}
END_TEST

/* ---- signals --------------------------------------------------------------------------------------------------------- */

/* One pixel flashes in frame 5: the drive of bipolar cell u is its weight there times the course of its filter, from frame 6
 * on. */
START_TEST(a_flash_is_answered_by_the_filters) {
    retc_circuit_options o = rich();
    retc_circuit *circuit = make_circuit(&o, SIDE, INTERVAL);
    retc_circuit_state *state = retc_circuit_state_alloc(circuit);
    enum { T = 60, FLASH = 5, PIXEL = 5 * SIDE + 7 };
    float frames[T * PIXELS];
    double h[T], expected[T], largest = 0;
    for (size_t i = 0; i < T * PIXELS; ++i)
        frames[i] = 127.5f;
    frames[FLASH * PIXELS + PIXEL] = 127.5f * 1.5f;
    retc_circuit_step(state, frames, T, 1, 1);
    retc_circuit_signals s = retc_circuit_signals_of(state);
    const retc_wires *pixels = retc_circuit_pixels_to_bipolar(circuit);
    for (size_t u = 0; u < retc_circuit_bipolars(circuit); ++u) {
        double weight = 0;
        for (size_t i = pixels->first[u]; i < pixels->first[u + 1]; ++i)
            weight += pixels->source[i] == PIXEL ? pixels->weight[i] : 0;
        retc_circuit_bipolar_filter(circuit, retc_circuit_bipolar(circuit, u)->type, T, h);
        for (size_t t = 0; t < T; ++t)
            expected[t] = t > FLASH ? 0.5 * weight * h[t - FLASH - 1] : 0;
        ck_close_double(retc_circuit_bipolar(circuit, u)->name, s.drive + u * s.stride, expected, T, 1e-15, 1e-12);
        largest = fmax(largest, fabs(weight));
    }
    ck_assert_double_gt(largest, 0.05); /* somebody saw it */
    retc_circuit_state_free(state);
    retc_circuit_free(circuit);
}
END_TEST

/* Weights on pixels are Gaussians as circuit.h says. */
START_TEST(centres_and_surrounds) {
    retc_circuit_options o = rich();
    retc_circuit *circuit = make_circuit(&o, SIDE, INTERVAL);
    const retc_wires *pixels = retc_circuit_pixels_to_bipolar(circuit);
    for (size_t u = 0; u < retc_circuit_bipolars(circuit); ++u) {
        const retc_neuron *cell = retc_circuit_bipolar(circuit, u);
        const retc_bipolar_options *b = &o.bipolar[cell->type];
        double sign = cell->type == RETC_BIPOLAR_ON || cell->type == RETC_BIPOLAR_ON_TRANSIENT ? 1 : -1;
        size_t seen = 0;
        for (size_t i = 0; i < PIXELS; ++i) {
            double x = 50 * ((double)(i % SIDE) - 5.5) - cell->place.x, y = 50 * ((double)(i / SIDE) - 5.5) - cell->place.y;
            double r2 = x * x + y * y, found = 0, c2 = b->center * b->center, s2 = b->surround * b->surround;
            if (r2 > 6.25 * s2)
                continue;
            double expected =
                sign * 2500 / (2 * M_PI) * (exp(-r2 / (2 * c2)) / c2 - b->surround_weight * exp(-r2 / (2 * s2)) / s2);
            for (size_t k = pixels->first[u]; k < pixels->first[u + 1]; ++k)
                found += pixels->source[k] == i ? pixels->weight[k] : 0;
            ck_assert_double_eq_tol(found, expected, 1e-12);
            ++seen;
        }
        ck_assert_uint_eq(seen, pixels->first[u + 1] - pixels->first[u]);
    }
    retc_circuit_free(circuit);
}
END_TEST

static double
delayed(const retc_circuit *circuit, const retc_circuit_signals *s, size_t v, size_t t) {
    double frames =
        retc_circuit_options_of(circuit)->amacrine[retc_circuit_amacrine(circuit, v)->type].delay / (1000 * INTERVAL);
    double whole = floor(frames + 1e-9), f = frames - whole;
    const double *a = s->amacrine + v * s->stride + t - (size_t)whole;
    return f > 1e-9 ? (1 - f) * a[0] + f * a[-1] : a[0];
}

/* Everything behind the drives, by the formulas of circuit.h; the second step of two, so that the past of the first counts. */
START_TEST(signals_follow_the_formulas) {
    retc_circuit_options o = rich();
    if (_i)
        o.gain_strength = 0.7;
    retc_circuit *circuit = calibrated(&o);
    retc_circuit_state *state = retc_circuit_state_alloc(circuit);
    float *movie = noise_movie(SIDE, 200, 0.5, 4);
    const retc_wires *wires = retc_circuit_bipolar_to_amacrine(circuit);
    double q[200] = {0}, v_of_cell = 0, grey[RETC_GANGLION_TYPES] = {0};
    size_t N = retc_circuit_cells(circuit);
    ck_assert_uint_eq(N, RETC_GANGLION_TYPES);
    ck_assert_uint_gt(retc_circuit_amacrines(circuit), 4);
    for (int pass = 0; pass < 2; ++pass) {
        retc_circuit_step(state, movie + pass * 100 * PIXELS, 100, 1, 1);
        retc_circuit_signals s = retc_circuit_signals_of(state);
        for (size_t v = 0; v < retc_circuit_amacrines(circuit); ++v) {
            const retc_amacrine_options *a = &o.amacrine[retc_circuit_amacrine(circuit, v)->type];
            double k = 1 - exp(-1000 * INTERVAL / a->tau), level = pass ? q[v] : 0;
            for (size_t t = 0; t < 100; ++t) {
                double in = 0;
                for (size_t i = wires->first[v]; i < wires->first[v + 1]; ++i)
                    in += wires->weight[i] * fmax(0, s.drive[wires->source[i] * s.stride + t]);
                in *= retc_circuit_amacrine_gain(circuit, retc_circuit_amacrine(circuit, v)->type);
                level += k * (in - level);
                ck_assert_double_eq_tol(s.amacrine_drive[v * s.stride + t], level, 1e-12);
                ck_assert_double_eq_tol(s.amacrine[v * s.stride + t], fmax(0, level - a->threshold), 1e-12);
            }
            q[v] = level;
        }
        for (size_t u = 0; u < retc_circuit_bipolars(circuit); ++u) {
            const retc_wires *in = retc_circuit_amacrine_to_bipolar(circuit);
            for (size_t t = 0; t < 100; ++t) {
                double release = s.drive[u * s.stride + t] - o.bipolar[retc_circuit_bipolar(circuit, u)->type].threshold;
                for (size_t i = in->first[u]; i < in->first[u + 1]; ++i)
                    release -= in->weight[i] * delayed(circuit, &s, in->source[i], t);
                ck_assert_double_eq_tol(s.terminal[u * s.stride + t], fmax(0, release), 1e-12);
            }
        }
        const retc_wires *on = retc_circuit_bipolar_to_cell(circuit), *off = retc_circuit_amacrine_to_cell(circuit);
        for (size_t j = 0; j < N; ++j) {
            const retc_output *out = retc_circuit_output(circuit, j);
            grey[j] = 0;
            for (size_t i = on->first[j]; i < on->first[j + 1]; ++i)
                grey[j] += on->weight[i] * fmax(0, -o.bipolar[retc_circuit_bipolar(circuit, on->source[i])->type].threshold);
            double k = 1 - exp(-1000 * INTERVAL / o.gain_tau), v = j == 0 && pass ? v_of_cell : 0;
            for (size_t t = 0; t < 100; ++t) {
                double x = -grey[j];
                for (size_t i = on->first[j]; i < on->first[j + 1]; ++i)
                    x += on->weight[i] * s.terminal[on->source[i] * s.stride + t];
                for (size_t i = off->first[j]; i < off->first[j + 1]; ++i)
                    x -= off->weight[i] * delayed(circuit, &s, off->source[i], t);
                ck_assert_double_eq_tol(s.input[j * s.stride + t], x, 1e-12);
                v += k * (fabs(x) - v);
                double u = x / (1 + out->control * v), f = out->gain * log(1 + exp(out->slope * u + out->offset));
                double rate = f / (1 + f / 40);
                if (j == 0 || !pass)
                    ck_assert_double_eq_tol(s.rate[j * s.stride + t], rate, 1e-11 * out->gain);
            }
            v_of_cell = j == 0 ? v : v_of_cell;
        }
    }
    ck_assert_int_eq(retc_circuit_output(circuit, 0)->control > 0, _i);
    retc_free(movie);
    retc_circuit_state_free(state);
    retc_circuit_free(circuit);
}
END_TEST

/* Sums of weights, numbers, and who is not there. */
START_TEST(wiring_adds_up) {
    retc_circuit_options o = rich();
    retc_circuit *circuit = make_circuit(&o, SIDE, INTERVAL);
    const retc_wires *wires[3] = {retc_circuit_bipolar_to_cell(circuit), retc_circuit_bipolar_to_amacrine(circuit),
                                  retc_circuit_amacrine_to_cell(circuit)};
    for (int w = 0; w < 3; ++w) {
        for (size_t i = 0; i < wires[w]->targets; ++i) {
            double sum = 0, expected = w < 2 ? 1 : o.ganglion[retc_circuit_cell(circuit, i)->type].inhibition;
            if (w == 2 && o.ganglion[retc_circuit_cell(circuit, i)->type].amacrine == RETC_AMACRINE_NONE)
                expected = 0;
            for (size_t k = wires[w]->first[i]; k < wires[w]->first[i + 1]; ++k)
                sum += wires[w]->weight[k];
            ck_assert_double_eq_tol(sum, expected, 1e-12);
        }
    }
    /* An object motion cell hears no amacrine cell that is near. */
    for (size_t j = 0; j < retc_circuit_cells(circuit); ++j)
        for (size_t k = wires[2]->first[j]; k < wires[2]->first[j + 1]; ++k)
            ck_assert_double_ge(
                retc_distance(retc_circuit_cell(circuit, j)->place, retc_circuit_amacrine(circuit, wires[2]->source[k])->place),
                o.ganglion[retc_circuit_cell(circuit, j)->type].inner);
    ck_assert_str_eq(retc_circuit_bipolar(circuit, 0)->name, "on_bipolar1");
    ck_assert_str_eq(retc_circuit_cell(circuit, 1)->name, "cell02");
    retc_circuit_free(circuit);
}
END_TEST

/* Pieces of any length, on any number of threads. */
START_TEST(pieces_and_threads_do_not_matter) {
    static const size_t pieces[3] = {1, 7, 128}, threads[3] = {1, 2, 3};
    retc_circuit_options o = rich();
    o.gain_strength = 0.5, o.photoreceptor.adaptation = 1;
    retc_circuit *circuit = calibrated(&o);
    retc_circuit_state *whole = retc_circuit_state_alloc(circuit), *cut = retc_circuit_state_alloc(circuit);
    float *movie = noise_movie(SIDE, FRAMES, 0.5, 1);
    retc_circuit_step(cut, movie, 50, 1, 1); /* what was seen before a reset does not count */
    retc_circuit_reset(cut);
    for (size_t t0 = 0, at = 0; t0 < FRAMES; t0 += 100) {
        retc_circuit_step(whole, movie + t0 * PIXELS, 100, 1, 1);
        retc_circuit_signals a = retc_circuit_signals_of(whole);
        while (at < t0 + 100) {
            size_t n = t0 + 100 - at < pieces[_i] ? t0 + 100 - at : pieces[_i];
            retc_circuit_step(cut, movie + at * PIXELS, n, 1, threads[_i]);
            retc_circuit_signals b = retc_circuit_signals_of(cut);
            for (size_t j = 0; j < retc_circuit_cells(circuit); ++j)
                ck_assert_mem_eq(a.rate + j * a.stride + at - t0, b.rate + j * b.stride, n * sizeof *a.rate);
            at += n;
        }
    }
    retc_free(movie);
    retc_circuit_state_free(whole), retc_circuit_state_free(cut);
    retc_circuit_free(circuit);
}
END_TEST

/* What calibration promises, under the stimulus that it was made on. */
typedef struct {
    const float *movie;
} kept_movie;

static int
kept_frames(void *context, size_t t0, size_t n, float *frames) {
    const kept_movie *kept = context;
    memcpy(frames, kept->movie + t0 * PIXELS, n * PIXELS * sizeof *frames);
    return RETC_OK;
}

START_TEST(calibration_keeps_its_promises) {
    enum { T = 2000 };
    retc_circuit_options o = rich();
    retc_circuit *circuit = make_circuit(&o, SIDE, INTERVAL);
    retc_circuit_state *state = retc_circuit_state_alloc(circuit);
    float *movie = noise_movie(SIDE, T, 0.35, 8);
    kept_movie kept = {movie};
    double squares[2] = {0}, count[2] = {0}, rate[RETC_GANGLION_TYPES] = {0};
    double sum[RETC_GANGLION_TYPES] = {0}, sum_of_squares[RETC_GANGLION_TYPES] = {0};
    ck_ok(retc_circuit_calibrate(circuit, kept_frames, &kept, T, 2));
    for (size_t t0 = 0; t0 < T; t0 += 100) {
        retc_circuit_step(state, movie + t0 * PIXELS, 100, 1, 1);
        retc_circuit_signals s = retc_circuit_signals_of(state);
        for (size_t t = 0; t < 100; ++t) {
            for (size_t u = 0; u < retc_circuit_bipolars(circuit); ++u)
                if (retc_circuit_bipolar(circuit, u)->type == RETC_BIPOLAR_OFF)
                    squares[0] += s.drive[u * s.stride + t] * s.drive[u * s.stride + t], count[0] += 1;
            for (size_t v = 0; v < retc_circuit_amacrines(circuit); ++v)
                if (retc_circuit_amacrine(circuit, v)->type == RETC_AMACRINE_ON)
                    squares[1] += s.amacrine_drive[v * s.stride + t] * s.amacrine_drive[v * s.stride + t], count[1] += 1;
            for (size_t j = 0; j < retc_circuit_cells(circuit); ++j) {
                double x = s.input[j * s.stride + t];
                rate[j] += s.rate[j * s.stride + t] / T, sum[j] += x, sum_of_squares[j] += x * x;
            }
        }
    }
    ck_assert_double_eq_tol(squares[0] / count[0], 1, 1e-10);
    ck_assert_double_eq_tol(squares[1] / count[1], 1, 1e-10);
    for (size_t j = 0; j < retc_circuit_cells(circuit); ++j)
        ck_assert_msg(rate[j] >= 15 * 0.67 - 1e-9 && rate[j] <= 15 * 1.33 + 1e-9, "cell %zu: %g spikes/s", j, rate[j]);
    for (size_t j = 0; j < retc_circuit_cells(circuit); ++j) {
        const retc_output *out = retc_circuit_output(circuit, j);
        double mean = sum[j] / T, deviation = sqrt(sum_of_squares[j] / T - mean * mean);
        ck_assert_double_eq_tol(out->slope * deviation, o.slope, 1e-9);
        ck_assert_double_eq_tol(out->offset, -out->slope * fmax(mean, 0) - o.threshold, 1e-9);
    }
    for (size_t i = 0; i < T * PIXELS; ++i)
        movie[i] = 40;
    ck_fails(retc_circuit_calibrate(circuit, kept_frames, &kept, T, 1), "does not change in its first 2000 frames");
    retc_free(movie);
    retc_circuit_state_free(state);
    retc_circuit_free(circuit);
}
END_TEST

/* Mean and largest rate of every cell over a movie of T frames, a multiple of 100, at a contrast. */
static void
summarise_rates(const retc_circuit *circuit, const float *movie, size_t T, double contrast, double *mean, double *largest) {
    retc_circuit_state *state = retc_circuit_state_alloc(circuit);
    for (size_t j = 0; j < retc_circuit_cells(circuit); ++j)
        mean[j] = largest[j] = 0;
    for (size_t t0 = 0; t0 < T; t0 += 100) {
        retc_circuit_step(state, movie + t0 * PIXELS, 100, contrast, 1);
        retc_circuit_signals s = retc_circuit_signals_of(state);
        for (size_t j = 0; j < retc_circuit_cells(circuit); ++j)
            for (size_t t = 0; t < 100; ++t) {
                mean[j] += s.rate[j * s.stride + t] / (double)T;
                largest[j] = fmax(largest[j], s.rate[j * s.stride + t]);
            }
    }
    retc_circuit_state_free(state);
}

/* Whatever the maximum, mean rates are those without; under the strongest contrast rates are all but the maximum, and never
 * more.  21 Hz is little above the largest mean rate, 15 * 1.33 Hz: there cells fire at the maximum nearly all of the time. */
START_TEST(rates_approach_the_maximum) {
    enum { T = 1000 };
    static const double maxima[3] = {200, 40, 21};
    retc_circuit_options o = rich();
    float *movie = noise_movie(SIDE, T, 0.35, 8);
    kept_movie kept = {movie};
    double mean[2][RETC_GANGLION_TYPES], largest[RETC_GANGLION_TYPES], strong[RETC_GANGLION_TYPES];
    for (int bounded = 0; bounded < 2; ++bounded) {
        o.maximum = bounded ? maxima[_i] : 0;
        retc_circuit *circuit = make_circuit(&o, SIDE, INTERVAL);
        ck_ok(retc_circuit_calibrate(circuit, kept_frames, &kept, T, 1));
        summarise_rates(circuit, movie, T, 1000, strong, largest);
        summarise_rates(circuit, movie, T, 1, mean[bounded], strong);
        for (size_t j = 0; bounded && j < retc_circuit_cells(circuit); ++j) {
            ck_assert_double_lt(strong[j], o.maximum);
            ck_assert_double_le(largest[j], o.maximum);
            ck_assert_double_gt(largest[j], 0.99 * o.maximum);
        }
        retc_circuit_free(circuit);
    }
    ck_close_double("mean rates", mean[1], mean[0], RETC_GANGLION_TYPES, 0, 1e-12);
    retc_free(movie);
}
END_TEST

/* A brighter background makes the adapting photoreceptor less sensitive, and leaves the linear one as it is: a flash of +10 %
 * of grey, on grey and on 1.8 times grey. */
START_TEST(adaptation_lowers_the_gain) {
    double answer[2][2];
    for (int adapts = 0; adapts < 2; ++adapts) {
        retc_circuit_options o;
        retc_circuit_default(&o);
        o.bipolar[RETC_BIPOLAR_ON].surround_weight = 0;
        o.photoreceptor.adaptation = (size_t)adapts;
        for (int bright = 0; bright < 2; ++bright) {
            retc_circuit *circuit = make_circuit(&o, SIDE, INTERVAL);
            retc_circuit_state *state = retc_circuit_state_alloc(circuit);
            float frames[100 * PIXELS];
            double before, after = -(double)INFINITY;
            for (size_t i = 0; i < 100 * PIXELS; ++i)
                frames[i] = (float)(127.5 * ((bright ? 1.8 : 1) + (i / PIXELS == 80 ? 0.1 : 0)));
            retc_circuit_step(state, frames, 100, 1, 1);
            retc_circuit_signals s = retc_circuit_signals_of(state);
            before = s.drive[80];
            for (size_t t = 81; t < 100; ++t)
                after = fmax(after, s.drive[t]);
            answer[adapts][bright] = after - before;
            retc_circuit_state_free(state);
            retc_circuit_free(circuit);
        }
    }
    ck_assert_double_eq_tol(answer[0][0], answer[0][1], 1e-9 * answer[0][0]);
    ck_assert_double_gt(answer[0][0], 0);
    ck_assert_double_lt(answer[1][1], 0.8 * answer[1][0]);
    ck_assert_double_eq_tol(answer[1][0], answer[0][0], 0.15 * answer[0][0]); /* nearly linear on grey */
}
END_TEST

/* ---- receptive fields ------------------------------------------------------------------------------------------------ */

/* Rate of cell j, T frames after a small change `e` of pixel `pixel` in frame `frame`. */
static double
rate_after(const retc_circuit *circuit, size_t j, size_t T, size_t frame, size_t pixel, double e) {
    retc_circuit_state *state = retc_circuit_state_alloc(circuit);
    float *frames = retc_calloc(T * PIXELS, sizeof *frames);
    for (size_t i = 0; i < T * PIXELS; ++i)
        frames[i] = 127.5f;
    /* A quarter of the range is exact in float; the contrast makes it small. */
    frames[frame * PIXELS + pixel] = 127.5f * 1.25f;
    retc_circuit_step(state, frames, T, 4 * e, 1);
    retc_circuit_signals s = retc_circuit_signals_of(state);
    double rate = s.rate[j * s.stride + T - 1];
    retc_free(frames);
    retc_circuit_state_free(state);
    return rate;
}

/* (r(e) - r(-e)) / (2 e). */
static double
difference_of(const retc_circuit *circuit, size_t j, size_t T, size_t frame, size_t pixel, double e) {
    return (rate_after(circuit, j, T, frame, pixel, e) - rate_after(circuit, j, T, frame, pixel, -e)) / (2 * e);
}

/* Central differences have an error of O(e^2) where the output is smooth; contrast gain control adds one of O(e), as x |x| is
 * odd, which the differences at e and e/2 together take away.  With e = 1e-4 that leaves 1e-8, and rounding 1e-16 / 1e-4: 1e-6
 * of the largest is allowed. */
START_TEST(receptive_fields_are_derivatives) {
    enum { L = 40 };
    retc_circuit_options o = rich();
    o.bipolar[RETC_BIPOLAR_OFF].threshold = 0, o.bipolar[RETC_BIPOLAR_OFF_TRANSIENT].threshold = -0.3;
    o.amacrine[RETC_AMACRINE_ON].threshold = 0, o.amacrine[RETC_AMACRINE_DELAYED].threshold = -0.2;
    o.gain_strength = _i ? 0.5 : 0, o.photoreceptor.adaptation = (size_t)_i;
    retc_circuit *circuit = calibrated(&o);
    double *rf = retc_calloc(L * PIXELS, sizeof *rf);
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_NOISE, 0);
    for (size_t j = 0; j < retc_circuit_cells(circuit); ++j) {
        double largest = 0, found = 0;
        ck_ok(retc_circuit_receptive_field(circuit, j, L, rf));
        for (size_t i = 0; i < L * PIXELS; ++i)
            largest = fmax(largest, fabs(rf[i]));
        ck_assert_double_gt(largest, 0.1);
        for (int sample = 0; sample < 40; ++sample) {
            size_t frame = L - 1 - gsl_rng_uniform_int(rng, 12), pixel = gsl_rng_uniform_int(rng, PIXELS);
            double e = 1e-4;
            double slope =
                2 * difference_of(circuit, j, L + 1, frame, pixel, e / 2) - difference_of(circuit, j, L + 1, frame, pixel, e);
            ck_assert_double_eq_tol(rf[frame * PIXELS + pixel], slope, 1e-6 * largest);
            found = fmax(found, fabs(rf[frame * PIXELS + pixel]));
        }
        ck_assert_double_gt(found, 0.02 * largest); /* some samples were in the field */
    }
    gsl_rng_free(rng);
    retc_free(rf);
    retc_circuit_free(circuit);
}
END_TEST

/* ---- contributions --------------------------------------------------------------------------------------------------- */

/* Contributions of all pairs of a cut over T frames, (P,T). */
static double *
explain(const retc_circuit *circuit, size_t levels, const float *movie, size_t T, retc_truth_cut cut, size_t chunk,
        size_t threads) {
    retc_truth *truth = retc_truth_alloc(circuit, levels);
    ck_assert_msg(truth != NULL, "%s", retc_error_message());
    size_t P = retc_truth_pairs_of(truth, cut)->n;
    double *all = retc_calloc(P * T, sizeof *all);
    for (size_t t0 = 0, n; t0 < T; t0 += n) {
        n = T - t0 < chunk ? T - t0 : chunk;
        ck_ok(retc_truth_step(truth, movie + t0 * PIXELS, n, threads));
        for (size_t i = 0; i < P; ++i)
            memcpy(all + i * T + t0, retc_truth_of(truth, cut) + i * RETC_CIRCUIT_CHUNK, n * sizeof *all);
    }
    retc_truth_free(truth);
    return all;
}

static double *
rates(const retc_circuit *circuit, const float *movie, size_t T) {
    retc_circuit_state *state = retc_circuit_state_alloc(circuit);
    size_t N = retc_circuit_cells(circuit);
    double *rate = retc_calloc(N * T, sizeof *rate);
    for (size_t t0 = 0, n; t0 < T; t0 += n) {
        n = T - t0 < 100 ? T - t0 : 100;
        retc_circuit_step(state, movie + t0 * PIXELS, n, 1, 1);
        retc_circuit_signals s = retc_circuit_signals_of(state);
        for (size_t j = 0; j < N; ++j)
            memcpy(rate + j * T + t0, s.rate + j * s.stride, n * sizeof *rate);
    }
    retc_circuit_state_free(state);
    return rate;
}

/* They add up to the rate less that on grey: to the rounding of some hundred sums of numbers of the size of the rate. */
START_TEST(contributions_add_up) {
    retc_circuit_options o = rich();
    size_t levels = 0;
    if (_i >= 2)
        o.gain_strength = 0.5, o.photoreceptor.adaptation = 1, levels = 4;
    retc_circuit *circuit = calibrated(&o);
    float *movie = noise_movie(SIDE, FRAMES, 0.6, 5);
    retc_truth_cut cut = _i % 2 ? RETC_CUT_SYNAPSE : RETC_CUT_BIPOLAR;
    retc_truth *truth = retc_truth_alloc(circuit, levels);
    const retc_truth_pairs *pairs = retc_truth_pairs_of(truth, cut);
    double *c = explain(circuit, levels, movie, FRAMES, cut, 100, 2), *rate = rates(circuit, movie, FRAMES);
    for (size_t j = 0; j < retc_circuit_cells(circuit); ++j) {
        double grey = retc_circuit_rate_on_grey(circuit, j), largest = 0;
        for (size_t t = 0; t < FRAMES; ++t) {
            double sum = 0, size = 0;
            for (size_t i = pairs->first[j]; i < pairs->first[j + 1]; ++i)
                sum += c[i * FRAMES + t], size += fabs(c[i * FRAMES + t]);
            ck_assert_double_eq_tol(sum, rate[j * FRAMES + t] - grey, 1e-13 * (size + rate[j * FRAMES + t] + grey) * 100);
            largest = fmax(largest, size);
        }
        ck_assert_double_gt(largest, 1);
    }
    retc_free(c), retc_free(rate), retc_free(movie);
    retc_truth_free(truth);
    retc_circuit_free(circuit);
}
END_TEST

/* The closed form against steps: the secants of 256 steps are off where a bend falls into a step, by a share of the step, so
 * that the error falls with the number of steps; and halving the steps says how large it is. */
START_TEST(closed_form_is_the_limit_of_steps) {
    enum { T = 60 };
    retc_circuit_options o = rich();
    retc_circuit *circuit = calibrated(&o);
    float *movie = noise_movie(SIDE, T, 0.6, 6);
    retc_truth_cut cut = _i ? RETC_CUT_SYNAPSE : RETC_CUT_BIPOLAR;
    retc_truth *truth = retc_truth_alloc(circuit, 0);
    size_t P = retc_truth_pairs_of(truth, cut)->n;
    double *exact = explain(circuit, 0, movie, T, cut, 60, 1), error[3], largest = 0;
    static const size_t levels[3] = {16, 64, 256};
    for (size_t i = 0; i < P * T; ++i)
        largest = fmax(largest, fabs(exact[i]));
    for (int k = 0; k < 3; ++k) {
        double *steps = explain(circuit, levels[k], movie, T, cut, 60, 2);
        error[k] = 0;
        for (size_t i = 0; i < P * T; ++i)
            error[k] = fmax(error[k], fabs(steps[i] - exact[i]));
        retc_free(steps);
    }
    ck_assert_msg(error[0] < 0.05 * largest && error[1] < error[0] / 3 && error[2] < error[1] / 3, "errors %g %g %g of %g",
                  error[0], error[1], error[2], largest);
    retc_free(exact), retc_free(movie);
    retc_truth_free(truth);
    retc_circuit_free(circuit);
}
END_TEST

/* Against an integral of 4096 steps by the definition: the movie at contrast alpha is played through the circuit, and the
 * derivative of the rate is taken apart by hand, here for the direct inputs of a cell. */
START_TEST(contributions_are_the_integral) {
    enum { T = 50, STEPS = 4096 };
    retc_circuit_options o = rich();
    if (_i)
        o.photoreceptor.adaptation = 1;
    retc_circuit *circuit = calibrated(&o);
    float *movie = noise_movie(SIDE, T, 0.6, 7);
    retc_truth *truth = retc_truth_alloc(circuit, _i ? 256 : 0);
    const retc_truth_pairs *pairs = retc_truth_pairs_of(truth, RETC_CUT_SYNAPSE);
    const retc_wires *terminals = retc_circuit_bipolar_to_cell(circuit);
    size_t j = 2, t = T - 1, n = terminals->first[j + 1] - terminals->first[j];
    double *sum = retc_calloc(n, sizeof *sum), *before = retc_calloc(n, sizeof *before), largest = 0;
    double *c = explain(circuit, _i ? 256 : 0, movie, T, RETC_CUT_SYNAPSE, 128, 1);
    for (size_t k = 0; k <= STEPS; ++k) {
        retc_circuit_state *state = retc_circuit_state_alloc(circuit);
        retc_circuit_step(state, movie, T, (double)k / STEPS, 1);
        retc_circuit_signals s = retc_circuit_signals_of(state);
        const retc_output *out = retc_circuit_output(circuit, j);
        double x = s.input[j * s.stride + t], f = out->gain * log(1 + exp(out->slope * x + out->offset));
        double slope = out->gain * out->slope / (1 + exp(-out->slope * x - out->offset)) / pow(1 + f / o.maximum, 2);
        static double last_slope;
        for (size_t i = 0; i < n; ++i) {
            double now = terminals->weight[terminals->first[j] + i] *
                         s.terminal[terminals->source[terminals->first[j] + i] * s.stride + t];
            sum[i] += k > 0 ? (slope + last_slope) / 2 * (now - before[i]) : 0;
            before[i] = now;
        }
        last_slope = slope;
        retc_circuit_state_free(state);
    }
    for (size_t i = 0; i < n; ++i)
        largest = fmax(largest, fabs(sum[i]));
    ck_assert_double_gt(largest, 0.1);
    /* The pairs of a cell begin with its terminals, in the order of the interneurons, as the wires have them.  Both sums err
     * with the square of their steps, 1/4096 and 1/256, and with the bends that fall into steps, one for each unit at most. */
    for (size_t i = 0; i < n; ++i) {
        ck_assert_uint_eq(pairs->unit[pairs->first[j] + i], terminals->source[terminals->first[j] + i]);
        ck_assert_double_eq_tol(c[(pairs->first[j] + i) * T + t], sum[i], (_i ? 1e-3 : 1e-5) * largest);
    }
    retc_free(c), retc_free(sum), retc_free(before), retc_free(movie);
    retc_truth_free(truth);
    retc_circuit_free(circuit);
}
END_TEST

/* In a linear circuit a contribution is what the knock-out takes away: terminals that never close, no inhibition, an output far
 * above its bend, where the softplus is linear but for exp(-30), and no maximum. */
START_TEST(linear_contributions_are_knock_outs) {
    retc_circuit_options o = rich();
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i)
        o.bipolar[i].threshold = -10, o.bipolar[i].inhibition = 0;
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i)
        o.ganglion[i].inhibition = 0;
    o.threshold = -60, o.maximum = 0;
    retc_circuit *circuit = calibrated(&o);
    float *movie = noise_movie(SIDE, 100, 0.2, 5);
    retc_truth *truth = retc_truth_alloc(circuit, 0);
    size_t P = retc_truth_pairs_of(truth, RETC_CUT_BIPOLAR)->n;
    ck_assert_uint_eq(P, retc_truth_pairs_of(truth, RETC_CUT_KNOCKOUT)->n);
    double *c[3];
    for (int cut = 0; cut < 3; ++cut)
        c[cut] = explain(circuit, 0, movie, 100, (retc_truth_cut)cut, 100, 1);
    double largest = 0;
    for (size_t i = 0; i < P * 100; ++i)
        largest = fmax(largest, fabs(c[0][i]));
    ck_close_double("knock-outs", c[2], c[0], P * 100, 0, 1e-10);
    ck_close_double("synapses", c[1], c[0], P * 100, 0, 1e-10);
    ck_assert_double_gt(largest, 0.01);
    for (int cut = 0; cut < 3; ++cut)
        retc_free(c[cut]);
    retc_free(movie);
    retc_truth_free(truth);
    retc_circuit_free(circuit);
}
END_TEST

/* Without gain control, silencing all amacrine cells' target... a knock-out by brute force: the circuit in which the weights of
 * one unit are gone.  Amacrine cells can be silenced as a whole by their threshold. */
START_TEST(knock_outs_are_what_they_say) {
    retc_circuit_options o = rich();
    /* One wide amacrine cell on the object motion cell, and nothing else of its type. */
    o.amacrine[RETC_AMACRINE_WIDE].spacing = 2000;
    o.ganglion[RETC_GANGLION_OBJECT_MOTION].inner = 0;
    o.gain_strength = _i ? 0.5 : 0;
    retc_circuit *circuit = calibrated(&o);
    size_t levels = _i ? 4 : 0, j = 4;
    float *movie = noise_movie(SIDE, 100, 0.6, 5);
    retc_truth *truth = retc_truth_alloc(circuit, levels);
    const retc_truth_pairs *pairs = retc_truth_pairs_of(truth, RETC_CUT_KNOCKOUT);
    double *c = explain(circuit, levels, movie, 100, RETC_CUT_KNOCKOUT, 30, 1), *rate = rates(circuit, movie, 100);
    size_t pair = pairs->first[j + 1], B = retc_circuit_bipolars(circuit);
    for (size_t i = pairs->first[j]; i < pairs->first[j + 1]; ++i)
        if (pairs->unit[i] >= B && retc_circuit_amacrine(circuit, pairs->unit[i] - B)->type == RETC_AMACRINE_WIDE)
            pair = i;
    ck_assert_uint_lt(pair, pairs->first[j + 1]);
    /* The same circuit, but its wide cell never releases. */
    const retc_wires *direct = retc_circuit_amacrine_to_cell(circuit);
    double changed = 0;
    for (size_t k = direct->first[j]; k < direct->first[j + 1]; ++k)
        direct->weight[k] = 0;
    double *without = rates(circuit, movie, 100);
    for (size_t t = 0; t < 100; ++t) {
        ck_assert_double_eq_tol(c[pair * 100 + t], rate[j * 100 + t] - without[j * 100 + t], 1e-10);
        changed = fmax(changed, fabs(c[pair * 100 + t]));
    }
    ck_assert_double_gt(changed, 0.5);
    retc_free(c), retc_free(rate), retc_free(without), retc_free(movie);
    retc_truth_free(truth);
    retc_circuit_free(circuit);
}
END_TEST

START_TEST(truth_does_not_depend_on_chunks_and_threads) {
    retc_circuit_options o = rich();
    size_t levels = _i / 3 ? 4 : 0;
    retc_truth_cut cut = (retc_truth_cut)(_i % 3);
    o.gain_strength = levels ? 0.5 : 0;
    retc_circuit *circuit = calibrated(&o);
    float *movie = noise_movie(SIDE, 200, 0.6, 5);
    retc_truth *truth = retc_truth_alloc(circuit, levels);
    double *a = explain(circuit, levels, movie, 200, cut, 128, 1), *b = explain(circuit, levels, movie, 200, cut, 17, 3);
    ck_assert_mem_eq(a, b, retc_truth_pairs_of(truth, cut)->n * 200 * sizeof *a);
    retc_free(a), retc_free(b), retc_free(movie);
    retc_truth_free(truth);
    retc_circuit_free(circuit);
}
END_TEST

START_TEST(truth_refuses) {
    retc_circuit_options o = rich();
    o.gain_strength = 1;
    retc_circuit *circuit = make_circuit(&o, SIDE, INTERVAL);
    ck_assert_ptr_null(retc_truth_alloc(circuit, 0));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "no closed form"));
    ck_assert_ptr_null(retc_truth_alloc(circuit, 3));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "expected an even number up to 256"));
    retc_circuit_free(circuit);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("circuit");
    TCase *small = tcase_create("small"), *truth = tcase_create("truth");
    tcase_set_timeout(small, 60);
    tcase_add_loop_test(small, mosaics_are_even, 0, 4);
    tcase_add_test(small, a_small_field_has_its_middle);
    tcase_add_test(small, photoreceptors_are_cascades);
    tcase_add_test(small, bipolar_filters_are_convolutions);
    tcase_add_test(small, history_holds_the_filters);
    tcase_add_test(small, a_flash_is_answered_by_the_filters);
    tcase_add_test(small, centres_and_surrounds);
    tcase_add_loop_test(small, signals_follow_the_formulas, 0, 2);
    tcase_add_test(small, wiring_adds_up);
    tcase_add_loop_test(small, pieces_and_threads_do_not_matter, 0, 3);
    tcase_add_test(small, calibration_keeps_its_promises);
    tcase_add_loop_test(small, rates_approach_the_maximum, 0, 3);
    tcase_add_test(small, adaptation_lowers_the_gain);
    tcase_add_loop_test(small, receptive_fields_are_derivatives, 0, 2);
    tcase_set_timeout(truth, 300);
    tcase_add_loop_test(truth, contributions_add_up, 0, 4);
    tcase_add_loop_test(truth, closed_form_is_the_limit_of_steps, 0, 2);
    tcase_add_loop_test(truth, contributions_are_the_integral, 0, 2);
    tcase_add_test(truth, linear_contributions_are_knock_outs);
    tcase_add_loop_test(truth, knock_outs_are_what_they_say, 0, 2);
    tcase_add_loop_test(truth, truth_does_not_depend_on_chunks_and_threads, 0, 6);
    tcase_add_test(truth, truth_refuses);
    suite_add_tcase(suite, small);
    suite_add_tcase(suite, truth);
    return retc_test_main(suite, NULL);
}

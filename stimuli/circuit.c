/* Wiring of the simulated retina. */
#include "circuit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "circuit_data.h"
#include "rng.h"

/* The longest frame that still shows the shape of the filters, in ms. */
#define LONGEST_FRAME 50.0

/* Where Gaussians are cut, in sigmas. */
#define PIXEL_CUT 2.5
#define POOL_CUT 1.5
#define REACH_CUT 2.5

/* ---- wires ----------------------------------------------------------------------------------------------------------- */

static void
wires_free(retc_wires *wires) {
    retc_free(wires->first);
    retc_free(wires->source);
    retc_free(wires->weight);
    *wires = (retc_wires){0};
}

/* Room for `targets` targets and `most` sources in all. */
static int
wires_init(retc_wires *wires, size_t targets, size_t most) {
    int status = RETC_OK;
    *wires = (retc_wires){.targets = targets};
    RETC_TRY(RETC_ALLOC(wires->first, targets + 1));
    RETC_TRY(RETC_ALLOC(wires->source, most + 1));
    RETC_TRY(RETC_ALLOC(wires->weight, most + 1));

done:
    return status;
}

/* Add a source to the target that is being wired. */
static void
wires_add(retc_wires *wires, size_t target, size_t source, double weight) {
    size_t at = wires->first[target + 1];
    wires->source[at] = source;
    wires->weight[at] = weight;
    wires->first[target + 1] = at + 1;
}

/* Scale the weights of a target to a sum. */
static void
wires_scale(retc_wires *wires, size_t target, double sum) {
    double total = 0;
    for (size_t i = wires->first[target]; i < wires->first[target + 1]; ++i)
        total += wires->weight[i];
    for (size_t i = wires->first[target]; i < wires->first[target + 1]; ++i)
        wires->weight[i] *= sum / total;
}

/* Which neurons may be the sources of a target, and how its weights fall with distance. */
typedef struct {
    const retc_neuron *neuron;
    size_t n, type;
    double sigma, cut, inner; /* um, sigmas, um */
    double sum;               /* of the weights */
} pool;

static void
wires_pool(retc_wires *wires, size_t target, retc_place at, const pool *p) {
    double nearest = (double)INFINITY;
    size_t candidate = p->n;
    wires->first[target + 1] = wires->first[target];
    if (!(p->sum > 0))
        return;
    for (size_t i = 0; i < p->n; ++i) {
        double d = retc_distance(p->neuron[i].place, at);
        if (p->neuron[i].type != p->type || d < p->inner)
            continue;
        if (d < nearest)
            nearest = d, candidate = i;
        if (d <= p->cut * p->sigma)
            wires_add(wires, target, i, exp(-d * d / (2 * p->sigma * p->sigma)));
    }
    if (wires->first[target + 1] == wires->first[target] && candidate < p->n)
        wires_add(wires, target, candidate, 1);
    wires_scale(wires, target, p->sum);
}

/* ---- places ---------------------------------------------------------------------------------------------------------- */

/* All neurons of one kind, as they are placed. */
typedef struct {
    retc_neuron *neuron;
    size_t n;
} population;

static int
add_neurons(population *all, size_t type, const char *name, const retc_place *place, size_t n) {
    retc_neuron *longer = retc_calloc(all->n + n + 1, sizeof *longer);
    if (!longer)
        return RETC_ENOMEM;
    if (all->n > 0)
        memcpy(longer, all->neuron, all->n * sizeof *longer);
    for (size_t i = 0; i < n; ++i) {
        longer[all->n + i] = (retc_neuron){.type = type, .place = place[i]};
        snprintf(longer[all->n + i].name, sizeof longer->name, "%s%zu", name, i + 1);
    }
    retc_free(all->neuron);
    all->neuron = longer;
    all->n += n;
    return RETC_OK;
}

/* The field that cells stand on, a side of `pixels`. */
static double
field_side(const retc_circuit_options *o, size_t pixels) {
    double side = o->pixel * (double)pixels;
    return side - 2 * fmin(o->margin, side / 4);
}

enum { MOST_TRIES = 100 };

/* At least `wanted` places when there is room, if need be by laying the lattice anew.  A generator per type, so that a change
 * to one leaves the places of the others. */
static int
mosaic_of(const retc_circuit *circuit, size_t stream, double spacing, double jitter, size_t wanted, retc_place **place,
          size_t *n) {
    int status = RETC_OK;
    const retc_circuit_options *o = &circuit->options;
    double width = field_side(o, circuit->width), height = field_side(o, circuit->height);
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(o->seed, RETC_STREAM_CIRCUIT, stream)));
    RETC_TRY(retc_mosaic(spacing, jitter, width, height, rng, place, n));
    for (int i = 0; *n < wanted && i < MOST_TRIES; ++i) {
        retc_free(*place);
        RETC_TRY(retc_mosaic(spacing, jitter, width, height, rng, place, n));
    }

done:
    gsl_rng_free(rng);
    return status;
}

static double
snapped(double at, double pixel, size_t pixels) {
    double half = (double)pixels / 2;
    return pixel * (floor(at / pixel + half) + 0.5 - half);
}

/* Move places to the middles of pixels; of two on one pixel the second goes. */
static size_t
snap(const retc_circuit *circuit, retc_place *place, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; ++i) {
        retc_place at = {snapped(place[i].x, circuit->options.pixel, circuit->width),
                         snapped(place[i].y, circuit->options.pixel, circuit->height)};
        size_t same = 0;
        while (same < kept && (place[same].x != at.x || place[same].y != at.y))
            ++same;
        if (same == kept)
            place[kept++] = at;
    }
    return kept;
}

static int
is_bipolar_used(const retc_circuit_options *o, size_t type) {
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i) {
        const retc_ganglion_options *g = &o->ganglion[i];
        if (g->cells > 0 &&
            (g->bipolar == type || (g->amacrine < RETC_AMACRINE_NONE && o->amacrine[g->amacrine].bipolar == type)))
            return 1;
        if (g->cells > 0 && o->bipolar[g->bipolar].amacrine < RETC_AMACRINE_NONE &&
            o->amacrine[o->bipolar[g->bipolar].amacrine].bipolar == type)
            return 1;
    }
    return 0;
}

static int
place_interneurons(const retc_circuit *circuit, population *bipolar, population *amacrine) {
    int status = RETC_OK;
    const retc_circuit_options *o = &circuit->options;
    retc_place *place = NULL;
    size_t n;
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i) {
        if (!is_bipolar_used(o, i))
            continue;
        RETC_TRY(mosaic_of(circuit, i, o->bipolar[i].spacing, o->bipolar[i].jitter, 1, &place, &n));
        n = o->on_pixels ? snap(circuit, place, n) : n;
        RETC_TRY(add_neurons(bipolar, i, retc_bipolar_type_name(i), place, n));
        retc_free(place);
        place = NULL;
    }
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i) {
        RETC_TRY(mosaic_of(circuit, 100 + i, o->amacrine[i].spacing, o->amacrine[i].jitter, 1, &place, &n));
        RETC_TRY(add_neurons(amacrine, i, retc_amacrine_type_name(i), place, n));
        retc_free(place);
        place = NULL;
    }

done:
    retc_free(place);
    return status;
}

static int
place_cells(retc_circuit *circuit) {
    int status = RETC_OK;
    const retc_circuit_options *o = &circuit->options;
    population cells = {0};
    retc_place *place = NULL;
    gsl_rng *rng = NULL;
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i) {
        size_t n, wanted = o->ganglion[i].cells, first = cells.n;
        if (wanted == 0)
            continue;
        RETC_TRY(mosaic_of(circuit, 200 + i, o->ganglion[i].spacing, o->ganglion[i].jitter, wanted, &place, &n));
        if (n < wanted)
            RETC_TRY(
                RETC_FAIL(RETC_EINVAL,
                          "a movie of %g x %g um has room for %zu %s cells %g um apart, not for %zu; ask for fewer cells or a "
                          "smaller spacing, or make the movie or its pixels larger",
                          o->pixel * (double)circuit->width, o->pixel * (double)circuit->height, n, retc_ganglion_type_name(i),
                          o->ganglion[i].spacing, wanted));
        RETC_TRY(add_neurons(&cells, i, "", place, wanted));
        for (size_t k = 0; i == RETC_GANGLION_DIRECTION && k < wanted; ++k)
            cells.neuron[first + k].angle = fmod(o->ganglion[i].direction + 90 * (double)k, 360);
        retc_free(place);
        place = NULL;
    }
    RETC_TRY(RETC_ALLOC(circuit->target_rate, cells.n));
    RETC_TRY(RETC_ALLOC(circuit->grey, cells.n));
    RETC_TRY(RETC_ALLOC(circuit->output, cells.n));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(o->seed, RETC_STREAM_CIRCUIT, 300)));
    for (size_t j = 0; j < cells.n; ++j) {
        snprintf(cells.neuron[j].name, sizeof cells.neuron[j].name, "cell%02zu", j + 1);
        circuit->target_rate[j] = o->rate * (1 + o->rate_spread * (2 * gsl_rng_uniform(rng) - 1));
    }
    circuit->cell = cells.neuron;
    circuit->N = cells.n;
    cells.neuron = NULL;

done:
    gsl_rng_free(rng);
    retc_free(cells.neuron);
    retc_free(place);
    return status;
}

/* ---- who is needed --------------------------------------------------------------------------------------------------- */

static void
mark_sources(const retc_wires *wires, size_t target, char *needed) {
    for (size_t i = wires->first[target]; i < wires->first[target + 1]; ++i)
        needed[wires->source[i]] = 1;
}

/* Leave out the neurons that are not needed; number[i] receives the new number of neuron i. */
static size_t
keep_needed(population *all, const char *needed, size_t *number) {
    size_t n = 0;
    for (size_t i = 0; i < all->n; ++i) {
        number[i] = n;
        if (needed[i])
            all->neuron[n++] = all->neuron[i];
    }
    return n;
}

static void
count_within_types(retc_neuron *neuron, size_t n, const char *(*name)(size_t type)) {
    size_t count = 0;
    for (size_t i = 0; i < n; ++i) {
        count = i > 0 && neuron[i - 1].type == neuron[i].type ? count + 1 : 1;
        snprintf(neuron[i].name, sizeof neuron->name, "%s%zu", name(neuron[i].type), count);
    }
}

/* Renumber sources, and drop targets that are left out (needed NULL: none is). */
static void
renumber(retc_wires *wires, const char *needed, const size_t *number) {
    size_t targets = 0, at = 0, start = 0;
    for (size_t i = 0; i < wires->targets; ++i) {
        size_t stop = wires->first[i + 1];
        if (!needed || needed[i]) {
            for (size_t s = start; s < stop; ++s, ++at) {
                wires->source[at] = number[wires->source[s]];
                wires->weight[at] = wires->weight[s];
            }
            wires->first[++targets] = at;
        }
        start = stop;
    }
    wires->targets = targets;
}

/* ---- wiring ---------------------------------------------------------------------------------------------------------- */

static int
wire_cells(retc_circuit *circuit, const population *bipolar, const population *amacrine) {
    int status = RETC_OK;
    const retc_circuit_options *o = &circuit->options;
    gsl_rng *rng = NULL;
    RETC_TRY(wires_init(&circuit->bipolar_to_cell, circuit->N, circuit->N * bipolar->n));
    RETC_TRY(wires_init(&circuit->amacrine_to_cell, circuit->N, circuit->N * amacrine->n));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(o->seed, RETC_STREAM_CIRCUIT, 301)));
    for (size_t j = 0; j < circuit->N; ++j) {
        const retc_neuron *cell = &circuit->cell[j];
        const retc_ganglion_options *g = &o->ganglion[cell->type];
        retc_wires *excitation = &circuit->bipolar_to_cell;
        pool bipolars = {bipolar->neuron, bipolar->n, g->bipolar, g->radius, POOL_CUT, 0, 1};
        wires_pool(excitation, j, cell->place, &bipolars);
        for (size_t i = excitation->first[j]; i < excitation->first[j + 1]; ++i)
            excitation->weight[i] *= 0.75 + 0.5 * gsl_rng_uniform(rng);
        wires_scale(excitation, j, 1);
        /* Inhibition reaches a cell before the light does that moves in the null direction: it comes from the side that this
         * light passes first, which is the side that the preferred direction points to. */
        double turn = cell->angle * M_PI / 180;
        retc_place from = {cell->place.x + g->offset * cos(turn), cell->place.y + g->offset * sin(turn)};
        double reach = g->amacrine < RETC_AMACRINE_NONE ? o->amacrine[g->amacrine].reach : 0;
        pool amacrines = {amacrine->neuron,
                          amacrine->n,
                          g->amacrine,
                          reach,
                          REACH_CUT,
                          g->inner,
                          g->amacrine < RETC_AMACRINE_NONE ? g->inhibition : 0};
        wires_pool(&circuit->amacrine_to_cell, j, from, &amacrines);
    }

done:
    gsl_rng_free(rng);
    return status;
}

static int
wire_interneurons(retc_circuit *circuit, const population *bipolar, const population *amacrine) {
    int status = RETC_OK;
    const retc_circuit_options *o = &circuit->options;
    RETC_TRY(wires_init(&circuit->bipolar_to_amacrine, amacrine->n, amacrine->n * bipolar->n));
    RETC_TRY(wires_init(&circuit->amacrine_to_bipolar, bipolar->n, amacrine->n * bipolar->n));
    for (size_t v = 0; v < amacrine->n; ++v) {
        const retc_amacrine_options *a = &o->amacrine[amacrine->neuron[v].type];
        pool bipolars = {bipolar->neuron, bipolar->n, a->bipolar, a->radius, POOL_CUT, 0, 1};
        wires_pool(&circuit->bipolar_to_amacrine, v, amacrine->neuron[v].place, &bipolars);
    }
    for (size_t u = 0; u < bipolar->n; ++u) {
        const retc_bipolar_options *b = &o->bipolar[bipolar->neuron[u].type];
        double reach = b->amacrine < RETC_AMACRINE_NONE ? o->amacrine[b->amacrine].reach : 0;
        pool amacrines = {amacrine->neuron,
                          amacrine->n,
                          b->amacrine,
                          reach,
                          REACH_CUT,
                          0,
                          b->amacrine < RETC_AMACRINE_NONE ? b->inhibition : 0};
        wires_pool(&circuit->amacrine_to_bipolar, u, bipolar->neuron[u].place, &amacrines);
    }

done:
    return status;
}

/* Keep the interneurons that reach a cell: on it, through terminals on it, or through amacrine cells on either. */
static int
leave_out(retc_circuit *circuit, population *bipolar, population *amacrine) {
    int status = RETC_OK;
    char *wanted_bipolar = NULL, *wanted_amacrine = NULL, *terminal = NULL;
    size_t *bipolar_number = NULL, *amacrine_number = NULL;
    RETC_TRY(RETC_ALLOC(wanted_bipolar, bipolar->n + 1));
    RETC_TRY(RETC_ALLOC(terminal, bipolar->n + 1));
    RETC_TRY(RETC_ALLOC(wanted_amacrine, amacrine->n + 1));
    RETC_TRY(RETC_ALLOC(bipolar_number, bipolar->n + 1));
    RETC_TRY(RETC_ALLOC(amacrine_number, amacrine->n + 1));
    for (size_t j = 0; j < circuit->N; ++j) {
        mark_sources(&circuit->bipolar_to_cell, j, terminal);
        mark_sources(&circuit->amacrine_to_cell, j, wanted_amacrine);
    }
    memcpy(wanted_bipolar, terminal, bipolar->n);
    for (size_t u = 0; u < bipolar->n; ++u) {
        if (terminal[u])
            mark_sources(&circuit->amacrine_to_bipolar, u, wanted_amacrine);
        else /* nobody hears its terminal */
            for (size_t i = circuit->amacrine_to_bipolar.first[u]; i < circuit->amacrine_to_bipolar.first[u + 1]; ++i)
                circuit->amacrine_to_bipolar.weight[i] = 0;
    }
    for (size_t v = 0; v < amacrine->n; ++v) {
        if (wanted_amacrine[v])
            mark_sources(&circuit->bipolar_to_amacrine, v, wanted_bipolar);
    }
    size_t B = keep_needed(bipolar, wanted_bipolar, bipolar_number);
    size_t V = keep_needed(amacrine, wanted_amacrine, amacrine_number);
    renumber(&circuit->bipolar_to_cell, NULL, bipolar_number);
    renumber(&circuit->amacrine_to_cell, NULL, amacrine_number);
    renumber(&circuit->bipolar_to_amacrine, wanted_amacrine, bipolar_number);
    renumber(&circuit->amacrine_to_bipolar, terminal, amacrine_number);
    /* Targets of amacrine_to_bipolar are all bipolar cells that are kept, those without a terminal of use having no source. */
    retc_wires kept = circuit->amacrine_to_bipolar;
    circuit->amacrine_to_bipolar = (retc_wires){0};
    status = wires_init(&circuit->amacrine_to_bipolar, B, kept.first[kept.targets]);
    for (size_t u = 0, k = 0; status == RETC_OK && u < bipolar->n; ++u) {
        if (!wanted_bipolar[u])
            continue;
        size_t target = bipolar_number[u];
        circuit->amacrine_to_bipolar.first[target + 1] = circuit->amacrine_to_bipolar.first[target];
        for (size_t i = terminal[u] ? kept.first[k] : 0; terminal[u] && i < kept.first[k + 1]; ++i)
            wires_add(&circuit->amacrine_to_bipolar, target, kept.source[i], kept.weight[i]);
        k += terminal[u] != 0;
    }
    wires_free(&kept);
    bipolar->n = B, amacrine->n = V;

done:
    retc_free(wanted_bipolar), retc_free(wanted_amacrine), retc_free(terminal);
    retc_free(bipolar_number), retc_free(amacrine_number);
    return status;
}

static double
gaussian(double d, double sigma, double pixel) {
    return exp(-d * d / (2 * sigma * sigma)) / (2 * M_PI * sigma * sigma) * pixel * pixel;
}

/* Centre and surround of every bipolar cell on the pixels of the movie. */
static int
wire_pixels(retc_circuit *circuit) {
    int status = RETC_OK;
    const retc_circuit_options *o = &circuit->options;
    size_t H = circuit->height, W = circuit->width, most = 0;
    for (int fill = 0; fill < 2; ++fill) {
        if (fill)
            RETC_TRY(wires_init(&circuit->pixels, circuit->B, most));
        for (size_t u = 0; u < circuit->B; ++u) {
            const retc_neuron *neuron = &circuit->bipolar[u];
            const retc_bipolar_options *b = &o->bipolar[neuron->type];
            double sign = neuron->type == RETC_BIPOLAR_ON || neuron->type == RETC_BIPOLAR_ON_TRANSIENT ? 1 : -1,
                   nearest = (double)INFINITY;
            size_t middle = 0, start = most;
            if (fill)
                circuit->pixels.first[u + 1] = circuit->pixels.first[u];
            for (size_t i = 0; i < H * W; ++i) {
                retc_place at = {o->pixel * ((double)(i % W) + 0.5 - (double)W / 2),
                                 o->pixel * ((double)(i / W) + 0.5 - (double)H / 2)};
                double d = retc_distance(at, neuron->place);
                if (d < nearest)
                    nearest = d, middle = i;
                if (d > PIXEL_CUT * b->surround)
                    continue;
                most += !fill;
                if (fill)
                    wires_add(&circuit->pixels, u, i,
                              sign *
                                  (gaussian(d, b->center, o->pixel) - b->surround_weight * gaussian(d, b->surround, o->pixel)));
            }
            if (!fill && most == start)
                most += 1;
            if (fill && circuit->pixels.first[u + 1] == circuit->pixels.first[u])
                wires_add(&circuit->pixels, u, middle, sign);
        }
    }

done:
    return status;
}

static void
set_delays(retc_circuit *circuit) {
    circuit->past = 1;
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i) {
        double frames = circuit->options.amacrine[i].delay / circuit->dt, whole = floor(frames + 1e-9);
        double fraction = frames - whole > 1e-9 ? frames - whole : 0;
        circuit->delay[i] = (retc_delay){(size_t)whole, fraction};
        size_t reach = (size_t)whole + (fraction > 0);
        circuit->past = circuit->past > reach ? circuit->past : reach;
    }
}

static void
set_grey(retc_circuit *circuit) {
    const retc_circuit_options *o = &circuit->options;
    const retc_wires *direct = &circuit->amacrine_to_cell, *terminals = &circuit->bipolar_to_cell;
    for (size_t j = 0; j < circuit->N; ++j) {
        double sum = 0;
        for (size_t i = terminals->first[j]; i < terminals->first[j + 1]; ++i) {
            size_t u = terminals->source[i];
            double release = -o->bipolar[circuit->bipolar[u].type].threshold;
            for (size_t k = circuit->amacrine_to_bipolar.first[u]; k < circuit->amacrine_to_bipolar.first[u + 1]; ++k) {
                size_t v = circuit->amacrine_to_bipolar.source[k];
                double a = retc_rectify(-o->amacrine[circuit->amacrine[v].type].threshold);
                release -= circuit->amacrine_to_bipolar.weight[k] * a;
            }
            sum += terminals->weight[i] * retc_rectify(release);
        }
        for (size_t i = direct->first[j]; i < direct->first[j + 1]; ++i)
            sum -= direct->weight[i] * retc_rectify(-o->amacrine[circuit->amacrine[direct->source[i]].type].threshold);
        circuit->grey[j] = sum;
    }
}

static int
build(retc_circuit *circuit) {
    int status = RETC_OK;
    population bipolar = {0}, amacrine = {0};
    RETC_TRY(place_cells(circuit));
    RETC_TRY(place_interneurons(circuit, &bipolar, &amacrine));
    RETC_TRY(wire_cells(circuit, &bipolar, &amacrine));
    RETC_TRY(wire_interneurons(circuit, &bipolar, &amacrine));
    RETC_TRY(leave_out(circuit, &bipolar, &amacrine));
    circuit->bipolar = bipolar.neuron, circuit->B = bipolar.n;
    circuit->amacrine = amacrine.neuron, circuit->V = amacrine.n;
    bipolar.neuron = amacrine.neuron = NULL;
    count_within_types(circuit->bipolar, circuit->B, retc_bipolar_type_name);
    count_within_types(circuit->amacrine, circuit->V, retc_amacrine_type_name);
    RETC_TRY(wire_pixels(circuit));
    set_delays(circuit);
    set_grey(circuit);
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i)
        circuit->bipolar_gain[i] = 1;
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i)
        circuit->amacrine_gain[i] = 1;
    for (size_t j = 0; j < circuit->N; ++j)
        circuit->output[j] = (retc_output){1, 1, 0, 0, circuit->options.maximum};

done:
    retc_free(bipolar.neuron);
    retc_free(amacrine.neuron);
    return status;
}

retc_circuit *
retc_circuit_alloc(const retc_circuit_options *options, size_t H, size_t W, double frame_interval) {
    int status = RETC_OK;
    retc_circuit *circuit = NULL;
    RETC_TRY(retc_circuit_config_check(options));
    if (H == 0 || W == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a retina that sees %zu x %zu pixels sees nothing", H, W));
    if (!(frame_interval > 0 && 1000 * frame_interval <= LONGEST_FRAME))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the simulated retina needs frames of at most %g ms, not %g ms", LONGEST_FRAME,
                           1000 * frame_interval));
    RETC_TRY(RETC_ALLOC(circuit, 1));
    circuit->options = *options;
    circuit->height = H;
    circuit->width = W;
    circuit->dt = 1000 * frame_interval;
    RETC_TRY(build(circuit));

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
    retc_free(circuit->bipolar), retc_free(circuit->amacrine), retc_free(circuit->cell);
    wires_free(&circuit->pixels);
    wires_free(&circuit->bipolar_to_amacrine), wires_free(&circuit->bipolar_to_cell);
    wires_free(&circuit->amacrine_to_cell), wires_free(&circuit->amacrine_to_bipolar);
    retc_free(circuit->target_rate), retc_free(circuit->grey), retc_free(circuit->output);
    retc_free(circuit);
}

/* ---- getters --------------------------------------------------------------------------------------------------------- */

const retc_circuit_options *
retc_circuit_options_of(const retc_circuit *circuit) {
    return &circuit->options;
}

size_t
retc_circuit_bipolars(const retc_circuit *circuit) {
    return circuit->B;
}

size_t
retc_circuit_amacrines(const retc_circuit *circuit) {
    return circuit->V;
}

size_t
retc_circuit_cells(const retc_circuit *circuit) {
    return circuit->N;
}

const retc_neuron *
retc_circuit_bipolar(const retc_circuit *circuit, size_t u) {
    return &circuit->bipolar[u];
}

const retc_neuron *
retc_circuit_amacrine(const retc_circuit *circuit, size_t v) {
    return &circuit->amacrine[v];
}

const retc_neuron *
retc_circuit_cell(const retc_circuit *circuit, size_t j) {
    return &circuit->cell[j];
}

const retc_wires *
retc_circuit_pixels_to_bipolar(const retc_circuit *circuit) {
    return &circuit->pixels;
}

const retc_wires *
retc_circuit_bipolar_to_amacrine(const retc_circuit *circuit) {
    return &circuit->bipolar_to_amacrine;
}

const retc_wires *
retc_circuit_bipolar_to_cell(const retc_circuit *circuit) {
    return &circuit->bipolar_to_cell;
}

const retc_wires *
retc_circuit_amacrine_to_cell(const retc_circuit *circuit) {
    return &circuit->amacrine_to_cell;
}

const retc_wires *
retc_circuit_amacrine_to_bipolar(const retc_circuit *circuit) {
    return &circuit->amacrine_to_bipolar;
}

double
retc_circuit_bipolar_gain(const retc_circuit *circuit, size_t type) {
    return circuit->bipolar_gain[type];
}

double
retc_circuit_amacrine_gain(const retc_circuit *circuit, size_t type) {
    return circuit->amacrine_gain[type];
}

const retc_output *
retc_circuit_output(const retc_circuit *circuit, size_t cell) {
    return &circuit->output[cell];
}

double
retc_circuit_rate_on_grey(const retc_circuit *circuit, size_t cell) {
    return retc_output_rate(&circuit->output[cell], 0);
}

#include "path.h"

#include <string.h>

#include "rows.h"

/* ---- making ---------------------------------------------------------------------------------------------------------- */

/* Does a layer take every unit by itself, and give as many? */
static int
is_unitwise(retc_layer_kind kind) {
    switch (kind) {
    case RETC_LAYER_BATCHNORM:
    case RETC_LAYER_SCALE:
    case RETC_LAYER_NOISE:
    case RETC_LAYER_RELU:
    case RETC_LAYER_SOFTPLUS:
    case RETC_LAYER_EXP:
    case RETC_LAYER_TANH:
    case RETC_LAYER_SIGMOID:
    case RETC_LAYER_PIECEWISE:
        return 1;
    default:
        return 0;
    }
}

/* Up from a cut as long as all that its units do goes through the next layer. */
static size_t
find_home(const retc_network *network, size_t l) {
    while (l + 1 < network->layers && is_unitwise(network->layer[l + 1].kind) && !retc_network_is_added_again(network, l))
        ++l;
    return l;
}

int
retc_path_init(retc_path *path, const retc_network *network, const retc_target *target, const size_t *cut, size_t cuts,
               size_t block) {
    int status = RETC_OK;
    *path = (retc_path){.network = network, .target = target, .cut = cut, .cuts = cuts};
    for (int i = 1; i < 3; ++i)
        RETC_TRY(RETC_GOT(path->tape[i] = retc_tape_alloc(network, block, RETC_TAPE_GRADIENTS | RETC_TAPE_NO_MOVIE,
                                                          i > 1 ? path->tape[1] : NULL)));
    RETC_TRY(RETC_ALLOC(path->home, cuts));
    for (size_t k = 0; k < cuts; ++k)
        path->home[k] = find_home(network, cut[k]);
    RETC_TRY(RETC_ALLOC(path->start, path->tape[1]->ld));
    RETC_TRY(RETC_ALLOC(path->width, path->tape[1]->ld));
    RETC_TRY(RETC_ALLOC(path->y, network->N));
    RETC_TRY(RETC_ALLOC(path->y0, network->N));
    RETC_TRY(RETC_ALLOC(path->g, network->N));
done:
    return status;
}

void
retc_path_clear(retc_path *path) {
    for (int i = 3; i-- > 1;) /* the first one last: the other shares its transforms */
        retc_tape_free(path->tape[i]);
    retc_free(path->home), retc_free(path->start), retc_free(path->width);
    retc_free(path->y), retc_free(path->y0), retc_free(path->g);
    *path = (retc_path){0};
}

/* ---- places on the path ---------------------------------------------------------------------------------------------- */

static void
rates_at(const retc_tape *tape, size_t t, double *y) {
    for (size_t j = 0; j < tape->network->N; ++j)
        y[j] = (double)retc_tape_rate(tape, j)[t];
}

double
retc_path_target(retc_path *path, const retc_tape *tape, size_t t) {
    rates_at(tape, t, path->y);
    return retc_target_value(path->target, path->y);
}

int
retc_path_takes(size_t sample, size_t every) {
    return sample / RETC_PATH_RUN % every == 0;
}

void
retc_path_move(const retc_path *path, const retc_path_line *line, float alpha, retc_tape *tape) {
    size_t ld = tape->ld;
    for (size_t row = 0; row < retc_layer_units(&path->network->layer[0]); ++row) {
        const float *delta = line->delta + row * ld;
        float *out = tape->out[0] + row * ld;
        if (line->common_base)
            retc_row_affine(delta, alpha, line->base[row], line->n, out);
        else
            for (size_t t = 0; t < line->n; ++t)
                out[t] = line->base[row * ld + t] + alpha * delta[t];
    }
    retc_tape_forward(tape, 1, path->network->layers, line->n);
}

void
retc_path_move_each(const retc_path *path, const retc_path_line *line, const float *alpha, retc_tape *tape) {
    size_t ld = tape->ld;
    for (size_t row = 0; row < retc_layer_units(&path->network->layer[0]); ++row) {
        const float *delta = line->delta + row * ld, *base = line->common_base ? NULL : line->base + row * ld;
        float *out = tape->out[0] + row * ld, common = base ? 0 : line->base[row];
        for (size_t t = 0; t < line->n; ++t)
            out[t] = (base ? base[t] : common) + alpha[t] * delta[t];
    }
    retc_tape_forward(tape, 1, path->network->layers, line->n);
}

void
retc_path_start(retc_path *path, const retc_path_line *line, retc_tape *tape) {
    retc_path_move(path, line, 0, tape);
    for (size_t t = 0; t < line->n; ++t)
        path->start[t] = retc_path_target(path, tape, t);
}

void
retc_path_take_ends(retc_path *path, const retc_path_line *line) {
    retc_path_start(path, line, path->tape[1]);
    retc_path_move(path, line, 1, path->tape[0]);
    path->end = path->tape[0];
}

/* ---- gradients ------------------------------------------------------------------------------------------------------- */

/* Gradient of the target at the rates of `tape`, or its discrete gradient between `from` and `tape`, into the last layer. */
static void
target_gradient(retc_path *path, const retc_tape *from, retc_tape *tape, size_t n) {
    float *grad = tape->grad[path->network->layers - 1];
    for (size_t t = 0; t < n; ++t) {
        rates_at(tape, t, path->y);
        rates_at(from, t, path->y0);
        retc_target_gradient(path->target, path->y, path->y0, path->g);
        for (size_t j = 0; j < path->network->N; ++j)
            grad[j * tape->ld + t] = (float)path->g[j];
    }
}

static void
differentiate(retc_path *path, const retc_tape *from, retc_tape *tape, size_t lowest, size_t n) {
    target_gradient(path, from, tape, n);
    if (from == tape)
        retc_tape_backward(tape, path->network->layers - 1, lowest, n);
    else
        retc_tape_backward_secant(tape, from, path->network->layers - 1, lowest, n);
}

void
retc_path_differentiate(retc_path *path, const retc_tape *from, retc_tape *tape, size_t n) {
    differentiate(path, from, tape, path->cut[0], n);
}

void
retc_path_differentiate_end(retc_path *path, size_t n) {
    retc_path_differentiate(path, path->end, path->end, n);
}

/* ---- one step -------------------------------------------------------------------------------------------------------- */

size_t
retc_path_rows(const retc_network *network, size_t l) {
    return retc_layer_units(&network->layer[l]) + retc_network_bypasses(network, l, NULL);
}

int
retc_path_sees(const retc_network *network, size_t l, size_t row) {
    const size_t *position = retc_network_grabbed(network, l);
    const retc_layer *layer = &network->layer[l];
    size_t c = row / (layer->h * layer->w);
    return !position || row % (layer->h * layer->w) == position[2 * c] * layer->w + position[2 * c + 1];
}

/* Gradient at row `at` of layer `upper` times the change of row `row` of layer `lower`. */
static void
add_product(retc_path_rule rule, const retc_tape *from, const retc_tape *tape, size_t upper, size_t at, size_t lower,
            size_t row, size_t n, float *sum) {
    size_t ld = tape->ld;
    const float *a = tape->out[lower] + row * ld, *a0 = from->out[lower] + row * ld, *g = tape->grad[upper] + at * ld;
    if (rule == RETC_SECANT)
        retc_row_step(g, a, a0, n, sum);
    else
        retc_row_step_trapezium(g, from->grad[upper] + at * ld, a, a0, n, sum);
}

/* What residual additions carry past layer l, into a row for each. */
static void
add_bypasses(const retc_path *path, retc_path_rule rule, const retc_tape *from, const retc_tape *tape, size_t l, size_t n,
             float *sums) {
    for (size_t i = l + 1; i < path->network->layers; ++i) {
        const retc_layer *layer = &path->network->layer[i];
        if (layer->kind != RETC_LAYER_ADD || layer->skip >= l)
            continue;
        for (size_t u = 0; u < retc_layer_units(layer); ++u)
            add_product(rule, from, tape, i, u, layer->skip, retc_layer_middle(path->network, layer, u), n, sums);
        sums += tape->ld;
    }
}

/* One step's share, gradient times the change of activation, at layers `layer` (cuts). */
static void
add_shares(const retc_path *path, retc_path_rule rule, const retc_tape *from, const retc_tape *tape, const size_t *layer,
           size_t n, float *const *sums) {
    for (size_t k = 0; k < path->cuts; ++k) {
        size_t l = layer[k], units = retc_layer_units(&path->network->layer[l]);
        int all = !retc_network_grabbed(path->network, l);
        for (size_t row = 0; row < units; ++row)
            if (all || retc_path_sees(path->network, l, row))
                add_product(rule, from, tape, l, row, l, row, n, sums[k] + row * tape->ld);
        add_bypasses(path, rule, from, tape, l, n, sums[k] + units * tape->ld);
    }
}

void
retc_path_secant(void *context, const retc_tape *from, retc_tape *to, const float *width, size_t n, float *const *sums) {
    retc_path *path = context;
    (void)width;
    differentiate(path, from, to, path->home[0], n);
    add_shares(path, RETC_SECANT, from, to, path->home, n, sums);
}

/* ---- many steps ------------------------------------------------------------------------------------------------------ */

static void
swap(retc_tape **a, retc_tape **b) {
    retc_tape *other = *a;
    *a = *b, *b = other;
}

void
retc_path_walk(retc_path *path, const retc_path_line *line, size_t steps, retc_path_step *step, void *context,
               float *const *sums) {
    retc_tape *from = path->tape[0], *to = path->tape[1];
    for (size_t t = 0; t < line->n; ++t)
        path->width[t] = 1 / (float)steps;
    retc_path_start(path, line, from);
    for (size_t i = 1; i <= steps; ++i) {
        retc_path_move(path, line, (float)((double)i / (double)steps), to);
        step(context, from, to, path->width, line->n, sums);
        swap(&from, &to);
    }
    path->end = from;
}

void
retc_path_walk_trapezia(retc_path *path, const retc_path_line *line, size_t steps, float *const *sums) {
    retc_tape *from = path->tape[0], *to = path->tape[1];
    retc_path_start(path, line, from);
    retc_path_differentiate(path, from, from, line->n);
    for (size_t i = 1; i <= steps; ++i) {
        retc_path_move(path, line, (float)((double)i / (double)steps), to);
        retc_path_differentiate(path, to, to, line->n);
        add_shares(path, RETC_TRAPEZIUM, from, to, path->cut, line->n, sums);
        swap(&from, &to);
    }
    path->end = from;
}

/* ---- mean gradient --------------------------------------------------------------------------------------------------- */

static void
add_gradient(const retc_path *path, const retc_tape *tape, float share, size_t n, float *mean) {
    for (size_t row = 0; row < retc_layer_units(&path->network->layer[0]); ++row)
        for (size_t t = 0; t < n; ++t)
            mean[row * tape->ld + t] += share * tape->grad[0][row * tape->ld + t];
}

void
retc_path_mean_gradient(retc_path *path, const retc_path_line *line, retc_path_rule rule, size_t steps, float *mean) {
    retc_tape *from = path->tape[0], *to = path->tape[1];
    const float share = 1.0f / (float)steps;
    memset(mean, 0, retc_layer_units(&path->network->layer[0]) * from->ld * sizeof *mean);
    retc_path_move(path, line, 0, from);
    if (rule == RETC_TRAPEZIUM) {
        retc_path_differentiate(path, from, from, line->n);
        add_gradient(path, from, 0.5f * share, line->n, mean);
    }
    for (size_t i = 1; i <= steps; ++i) {
        retc_path_move(path, line, (float)((double)i / (double)steps), to);
        retc_path_differentiate(path, rule == RETC_SECANT ? from : to, to, line->n);
        add_gradient(path, to, rule == RETC_TRAPEZIUM && i == steps ? 0.5f * share : share, line->n, mean);
        swap(&from, &to);
    }
}

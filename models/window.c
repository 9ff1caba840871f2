#include "window.h"

#include <string.h>

#include "fftadjoint.h"
#include "gather.h"

/* What cells with patches of one size share. */
typedef struct {
    size_t h, w;
    retc_fftadjoint *fft;         /* NULL: the direct form */
    retc_fftadjoint_work **work;  /* (threads) */
    retc_conv conv;               /* direct: the first convolution on a patch */
    float **map, **din, **packed; /* (threads) direct: (K,oh,ow,ld), (L,h,w,ld), scratch */
    size_t **packed_offset;
} form;

struct retc_window {
    const retc_network *network;
    size_t cells, threads, forms, ld;
    retc_patch *map, *pixels; /* (cells) */
    size_t *form_of;          /* (cells) */
    form *form;               /* (cells) of which `forms` are in use */
};

static int
alloc_direct(const retc_window *window, form *f, const retc_conv_shape *shape) {
    int status = RETC_OK;
    size_t map = shape->K * (shape->h - shape->kh + 1) * (shape->w - shape->kw + 1);
    RETC_TRY(retc_conv_init(&f->conv, shape, window->ld, window->ld));
    RETC_TRY(RETC_ALLOC(f->map, window->threads));
    RETC_TRY(RETC_ALLOC(f->din, window->threads));
    RETC_TRY(RETC_ALLOC(f->packed, window->threads));
    RETC_TRY(RETC_ALLOC(f->packed_offset, window->threads));
    for (size_t s = 0; s < window->threads; ++s) {
        RETC_TRY(RETC_ALLOC(f->map[s], map * window->ld));
        RETC_TRY(RETC_ALLOC(f->din[s], shape->C * shape->h * shape->w * window->ld));
        RETC_TRY(RETC_ALLOC(f->packed[s], shape->K * shape->C * shape->kh * shape->kw));
        RETC_TRY(RETC_ALLOC(f->packed_offset[s], shape->K * shape->kh * shape->kw));
    }
done:
    return status;
}

static int
alloc_transforms(const retc_window *window, form *f, const retc_conv_shape *shape) {
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(f->fft = retc_fftadjoint_alloc(shape)));
    RETC_TRY(RETC_ALLOC(f->work, window->threads));
    for (size_t s = 0; s < window->threads; ++s)
        RETC_TRY(RETC_GOT(f->work[s] = retc_fftadjoint_work_alloc(f->fft)));
    retc_fftadjoint_set_weights(f->fft, f->work[0],
                                retc_network_values_const(window->network, window->network->layer[0].weight));
done:
    return status;
}

/* The form for patches of the size of cell i's: one that is there already, or a new one. */
static int
find_form(retc_window *window, size_t i) {
    const retc_layer *layer = &window->network->layer[0];
    const retc_patch *pixels = &window->pixels[i];
    size_t k = 0;
    while (k < window->forms && (window->form[k].h != pixels->h || window->form[k].w != pixels->w))
        ++k;
    window->form_of[i] = k;
    if (k < window->forms)
        return RETC_OK;
    form *f = &window->form[window->forms++];
    f->h = pixels->h, f->w = pixels->w;
    retc_conv_shape shape = {window->network->L, f->h, f->w, layer->C, layer->kh, layer->kw, 1};
    int transforms = retc_fftadjoint_pays(&shape) && strcmp(retc_kernel_name(), "reference") != 0;
    return transforms ? alloc_transforms(window, f, &shape) : alloc_direct(window, f, &shape);
}

retc_window *
retc_window_alloc(const retc_network *network, const size_t *cell, size_t cells, size_t max_n, size_t threads) {
    enum { LANES = 16 }; /* as in a tape */
    int status = RETC_OK;
    retc_window *window = retc_calloc(1, sizeof *window);
    RETC_TRY(RETC_GOT(window));
    window->network = network;
    window->cells = cells;
    window->threads = threads;
    window->ld = (max_n + LANES - 1) / LANES * LANES;
    RETC_TRY(RETC_ALLOC(window->map, cells));
    RETC_TRY(RETC_ALLOC(window->pixels, cells));
    RETC_TRY(RETC_ALLOC(window->form_of, cells));
    RETC_TRY(RETC_ALLOC(window->form, cells));
    for (size_t i = 0; i < cells; ++i) {
        RETC_TRY(retc_network_cell_patch(network, cell[i], &window->map[i], &window->pixels[i]));
        RETC_TRY(find_form(window, i));
    }
done:
    if (status < 0) {
        retc_window_free(window);
        return NULL;
    }
    return window;
}

static void
free_form(form *f, size_t threads) {
    for (size_t s = 0; s < threads; ++s) {
        if (f->work)
            retc_fftadjoint_work_free(f->work[s]);
        if (f->map)
            retc_free(f->map[s]);
        if (f->din)
            retc_free(f->din[s]);
        if (f->packed)
            retc_free(f->packed[s]);
        if (f->packed_offset)
            retc_free(f->packed_offset[s]);
    }
    retc_fftadjoint_free(f->fft);
    retc_conv_free(&f->conv);
    retc_free(f->work), retc_free(f->map), retc_free(f->din), retc_free(f->packed), retc_free(f->packed_offset);
}

void
retc_window_free(retc_window *window) {
    if (!window)
        return;
    for (size_t k = 0; k < window->forms; ++k)
        free_form(&window->form[k], window->threads);
    retc_free(window->form);
    retc_free(window->form_of);
    retc_free(window->map);
    retc_free(window->pixels);
    retc_free(window);
}

const retc_patch *
retc_window_patch(const retc_window *window, size_t i) {
    return &window->pixels[i];
}

/* The direct form gives one row of time per frame and pixel; then one window after the other. */
static void
run_direct(const retc_window *window, form *f, size_t slot, const retc_patch *map, const float *gradient, size_t n,
           float *out) {
    const retc_layer *layer = &window->network->layer[0];
    size_t ld = window->ld, size = window->network->L * f->h * f->w;
    for (size_t k = 0; k < layer->C; ++k)
        for (size_t y = 0; y < map->h; ++y)
            for (size_t x = 0; x < map->w; ++x) /* n values: `gradient` may begin inside a row of time */
                memcpy(f->map[slot] + ((k * map->h + y) * map->w + x) * ld,
                       gradient + ((k * layer->h + map->row + y) * layer->w + map->column + x) * ld, n * sizeof(float));
    retc_conv_backward_input(&f->conv, retc_network_values_const(window->network, layer->weight), f->map[slot], n, f->din[slot],
                             ld, f->packed[slot], f->packed_offset[slot]);
    for (size_t i = 0; i < size; ++i)
        for (size_t t = 0; t < n; ++t)
            out[t * size + i] = f->din[slot][i * ld + t];
}

void
retc_window_gradient(const retc_window *window, size_t slot, size_t i, const float *gradient, size_t n, float *out) {
    const retc_layer *layer = &window->network->layer[0];
    const retc_patch *map = &window->map[i];
    form *f = &window->form[window->form_of[i]];
    size_t row = layer->w * window->ld;
    if (f->fft)
        retc_fftadjoint_run(f->fft, f->work[slot], gradient + map->row * row + map->column * window->ld, layer->h * row, row,
                            window->ld, n, out);
    else
        run_direct(window, f, slot, map, gradient, n, out);
}

#include "movie_input.h"

#include "parallel.h"

retc_movie *
retc_movie_alloc_from(const char *kind, const retc_stimulus *input, size_t H, size_t W) {
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(input);
    retc_screen screen;
    retc_screen_default(&screen);
    screen.height = H;
    screen.width = W;
    retc_movie *movie = retc_movie_alloc(kind, &screen, layout->frames, layout->type);
    if (!movie)
        return NULL;
    movie->layout.frame_interval = layout->frame_interval;
    movie->pixel_size = retc_stimulus_pixel_size(input);
    return movie;
}

int
retc_movie_copy_clock(const retc_stimulus *input, retc_h5 *file) {
    int status = RETC_OK;
    const size_t from = 0, frames = retc_stimulus_layout_of(input)->frames;
    size_t blocks;
    const size_t *start = retc_stimulus_blocks(input, &blocks);
    int64_t *stored = NULL;
    RETC_TRY(retc_h5_write(file, "time", RETC_H5_DOUBLE, &from, &frames, retc_stimulus_time(input)));
    if (blocks == 1)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(stored, blocks));
    for (size_t b = 0; b < blocks; ++b)
        stored[b] = (int64_t)start[b];
    RETC_TRY(retc_h5_put(file, "block_start", RETC_H5_INT64, 1, &blocks, stored));

done:
    retc_free(stored);
    return status;
}

typedef struct {
    retc_frame_change change;
    const void *context;
    const float *in;
    float *out;
    size_t in_pixels, out_pixels;
} changed_slab;

static int
change_frame(void *context, size_t i) {
    const changed_slab *slab = context;
    slab->change(slab->context, slab->in + i * slab->in_pixels, slab->out + i * slab->out_pixels);
    return RETC_OK;
}

int
retc_movie_change_frames(retc_stimulus *input, size_t threads, retc_frame_change change, const void *context, size_t t0,
                         size_t n, size_t pixels, float *out) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(input);
    size_t in_pixels = layout->height * layout->width, step = retc_stimulus_slab(layout->height, layout->width);
    float *in = NULL;
    step = step < n ? step : n;
    RETC_TRY(RETC_ALLOC(in, step * in_pixels));
    for (size_t t = 0; t < n; t += step) {
        size_t m = n - t < step ? n - t : step;
        changed_slab slab = {change, context, in, out + t * pixels, in_pixels, pixels};
        RETC_TRY(retc_stimulus_read(input, t0 + t, m, in));
        RETC_TRY(retc_parallel_for(m, threads, change_frame, &slab));
    }

done:
    retc_free(in);
    return status;
}

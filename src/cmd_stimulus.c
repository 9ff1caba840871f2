#include <string.h>

#include "command.h"
#include "natural_movie.h"
#include "stimulus_file.h"
#include "white_noise.h"

typedef struct {
    const char *kind, *distribution;
    size_t frames;
    double duration, frame_rate;
    retc_white_noise noise;
    retc_natural_options natural;
    retc_common common;
} options;

static const retc_usage usage = {
    "stimulus", "make a stimulus movie",
    "white-noise: every stixel takes an independent grey level, black or white (binary) or normally distributed "
    "(gaussian, clipped to 0 ... 255).\n\n"
    "natural-movie: a still random scene with the amplitude spectrum of natural images, 1/f, seen through eye movements: "
    "a random walk broken by saccades.\n\n"
    "Grey levels run from 0 to 255, and 127.5 is their mean. Another --seed makes another movie; a longer movie of the "
    "same seed begins with the shorter one.",
    "retcodec stimulus white-noise --duration 60 --height 16 --width 16 --seed 2 -o noise.h5"};

static int
write_white_noise(options *o, retc_stimulus_layout *layout, retc_h5 *file, const retc_progress *progress) {
    o->noise.gaussian = strcmp(o->distribution, "gaussian") == 0;
    o->noise.height = layout->height;
    o->noise.width = layout->width;
    o->noise.contrast = o->natural.contrast;
    o->noise.seed = o->common.seed;
    o->noise.threads = o->common.threads;
    layout->type = o->noise.gaussian ? RETC_H5_FLOAT : RETC_H5_UINT8;
    return retc_stimulus_write(file, o->kind, layout, retc_white_noise_frames, &o->noise, progress);
}

static int
write_natural_movie(options *o, const retc_stimulus_layout *layout, retc_h5 *file, const retc_progress *progress) {
    int status = RETC_OK;
    const size_t shape[2] = {layout->frames, 2};
    retc_natural_movie *movie = NULL;
    o->natural.frames = layout->frames;
    o->natural.frame_interval = layout->frame_interval;
    o->natural.seed = o->common.seed;
    o->natural.threads = o->common.threads;
    RETC_TRY(RETC_GOT(movie = retc_natural_movie_alloc(&o->natural)));
    RETC_TRY(retc_stimulus_write(file, o->kind, layout, retc_natural_movie_frames, movie, progress));
    RETC_TRY(retc_h5_put(file, "eye_position", RETC_H5_DOUBLE, 2, shape, retc_natural_movie_path(movie)));

done:
    retc_natural_movie_free(movie);
    return status;
}

int
retc_cmd_stimulus(int argc, char **argv) {
    options o = {.kind = "white-noise",
                 .distribution = "binary",
                 .duration = 300,
                 .frame_rate = 60,
                 .noise = {.stixel = 1, .hold = 1},
                 .natural = {.height = 16,
                             .width = 16,
                             .contrast = 0.35,
                             .exponent = 1,
                             .drift = 3,
                             .saccade_interval = 0.5,
                             .saccade_minimum = 0.15},
                 .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0,
         "white-noise|natural-movie",
         "kind of movie"},
        {"frames", 0, RETC_OPTION_SIZE, 0, &o.frames, 0, 1e9, "frames", "length of the movie; 0: --duration at --frame-rate"},
        {"duration", 0, RETC_OPTION_DOUBLE, 0, &o.duration, 1e-3, 1e7, "s", "length of the movie when --frames is 0"},
        {"frame-rate", 0, RETC_OPTION_DOUBLE, 0, &o.frame_rate, 1e-3, 1e5, "Hz", "frames per second"},
        {"height", 0, RETC_OPTION_SIZE, 0, &o.natural.height, 1, 8192, "pixels", "rows of a frame"},
        {"width", 0, RETC_OPTION_SIZE, 0, &o.natural.width, 1, 8192, "pixels", "columns of a frame"},
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o.natural.contrast, 0, 1, NULL, "standard deviation over mean"},
        {"distribution", 0, RETC_OPTION_CHOICE, 0, &o.distribution, 0, 0, "binary|gaussian", "white-noise: of grey levels"},
        {"stixel", 0, RETC_OPTION_SIZE, 0, &o.noise.stixel, 1, 8192, "pixels", "white-noise: side of a stixel"},
        {"hold", 0, RETC_OPTION_SIZE, 0, &o.noise.hold, 1, 1e6, "frames", "white-noise: frames that each pattern is shown"},
        {"exponent", 0, RETC_OPTION_DOUBLE, 0, &o.natural.exponent, 0, 4, NULL,
         "natural-movie: the amplitude falls with this power of the spatial frequency"},
        {"drift", 0, RETC_OPTION_DOUBLE, 0, &o.natural.drift, 0, 1e4, "pixels per square root of a second",
         "natural-movie: how far the eye drifts between saccades"},
        {"saccade-interval", 0, RETC_OPTION_DOUBLE, 0, &o.natural.saccade_interval, 0, 1e6, "s",
         "natural-movie: mean time between saccades; 0: no saccades"},
        {"saccade-minimum", 0, RETC_OPTION_DOUBLE, 0, &o.natural.saccade_minimum, 0, 1e6, "s",
         "natural-movie: shortest time between saccades"},
        RETC_COMMON_OUTPUT(o.common, "stimulus file to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_h5 *file = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    retc_stimulus_layout layout = {retc_stimulus_frames(o.frames, o.duration, o.frame_rate), o.natural.height, o.natural.width,
                                   1 / o.frame_rate, RETC_H5_UINT8};
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    const retc_progress *progress = retc_meter_start(o.kind, o.common.quiet);
    if (strcmp(o.kind, "white-noise") == 0)
        RETC_TRY(write_white_noise(&o, &layout, file, progress));
    else
        RETC_TRY(write_natural_movie(&o, &layout, file, progress));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    retc_say(&o.common, "%s: %s, %zu frames of %zu x %zu pixels at %g Hz\n", o.common.output, o.kind, layout.frames,
             layout.height, layout.width, o.frame_rate);

done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_command_end(table, provenance);
    return status < 0 ? status : RETC_OK;
}

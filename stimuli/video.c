#include "video.h"

#include <errno.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "image.h"

struct retc_video {
    retc_video_options options;
    retc_child *child; /* NULL: raw */
    FILE *in;          /* of a child, or of its own */
    double frame_rate;
    size_t frames; /* read */
    int over;      /* the last one was read */
    size_t bytes;  /* of a frame */
    unsigned char *frame;
    float *curve; /* grey level 0 ... 255 of every level */
    struct sha256_ctx digest;
};

/* ---- video files ----------------------------------------------------------------------------------------------------- */

static int
start_ffmpeg(retc_video *video) {
    int status = RETC_OK;
    const retc_video_options *o = &video->options;
    char fps[48] = "", filter[256], most[32], time[48];
    char *input = retc_strf("file:%s", o->path); /* so that no name is taken for an option or an address */
    RETC_TRY(RETC_GOT(input));
    if (!o->keep_rate)
        snprintf(fps, sizeof fps, "fps=%.17g,", o->frame_rate);
    snprintf(filter, sizeof filter,
             "%sscale=%zu:%zu:force_original_aspect_ratio=increase:flags=area,crop=%zu:%zu,setsar=1,format=gray", fps, o->width,
             o->height, o->width, o->height);
    snprintf(most, sizeof most, "%zu", o->frames ? o->frames : (size_t)1 << 40);
    snprintf(time, sizeof time, "%.6f", o->duration > 0 ? o->duration : 1e9);
    /* -xerror: what is damaged must not be made up.  The output says its size and frame rate. */
    const char *const argv[] = {"ffmpeg",    "-nostdin", "-v",  "error",     "-xerror",      "-protocol_whitelist",
                                "file,pipe", "-i",       input, "-map",      "0:v:0",        "-vf",
                                filter,      "-t",       time,  "-frames:v", most,           "-pix_fmt",
                                "gray",      "-strict",  "-1",  "-f",        "yuv4mpegpipe", "pipe:1",
                                NULL};
    RETC_TRY(RETC_GOT(video->child = retc_child_start(argv)));
    video->in = retc_child_output(video->child);

done:
    retc_free(input);
    return status;
}

/* Whatever ended the stream, ffmpeg knows more of it. */
static int
fail_ffmpeg(retc_video *video, const char *otherwise) {
    int status = retc_child_finish(video->child);
    if (status < 0)
        return retc_error_prefix(status, "%s", video->options.path);
    return RETC_FAIL(RETC_EFORMAT, "%s: %s", video->options.path, otherwise);
}

/* "YUV4MPEG2 W50 H40 F30:1 ... Cmono ..." */
static int
read_head(retc_video *video) {
    char line[512], *rest = NULL;
    unsigned long width = 0, height = 0, rate = 0, per = 0;
    int grey = 0;
    if (!fgets(line, sizeof line, video->in) || strncmp(line, "YUV4MPEG2 ", 10) != 0)
        return fail_ffmpeg(video, "the file holds no frame");
    for (char *word = strtok_r(line + 10, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
        if (sscanf(word, "W%lu", &width) != 1 && sscanf(word, "H%lu", &height) != 1 &&
            sscanf(word, "F%lu:%lu", &rate, &per) != 2)
            grey |= strcmp(word, "Cmono") == 0;
    if (width != video->options.width || height != video->options.height || !grey || rate == 0 || per == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: ffmpeg gives other frames than grey ones of %zu x %zu pixels", video->options.path,
                         video->options.height, video->options.width);
    video->frame_rate = video->options.keep_rate ? (double)rate / (double)per : video->options.frame_rate;
    return RETC_OK;
}

/* 1: a frame was read, 0: there was none. */
static int
read_decoded(retc_video *video) {
    char line[256];
    if (!fgets(line, sizeof line, video->in)) {
        int status = retc_child_finish(video->child);
        return status < 0 ? retc_error_prefix(status, "%s: after %zu frames", video->options.path, video->frames) : 0;
    }
    if (strncmp(line, "FRAME", 5) != 0 || fread(video->frame, 1, video->bytes, video->in) != video->bytes)
        return fail_ffmpeg(video, "ffmpeg stopped within a frame");
    return 1;
}

char *
retc_video_report(void *context) {
    const retc_video *video = context;
    char *complaint = video->child && video->over ? retc_child_complaint(video->child) : NULL;
    char *report = complaint ? retc_strf("look at the last frames: ffmpeg says \"%s\"", complaint) : NULL;
    retc_free(complaint);
    return report;
}

/* ---- bare frames ----------------------------------------------------------------------------------------------------- */

static const char *
raw_name(const retc_video *video) {
    return strcmp(video->options.raw, "-") == 0 ? "standard input" : video->options.raw;
}

static int
open_raw(retc_video *video) {
    const char *name = video->options.raw;
    int standard = strcmp(name, "-") == 0;
    if (standard && isatty(STDIN_FILENO))
        return RETC_FAIL(RETC_EINVAL,
                         "standard input is a terminal; send the frames through a pipe, as in: program | retcodec");
    video->in = standard ? fdopen(dup(STDIN_FILENO), "rb") : fopen(name, "rb");
    if (!video->in)
        return RETC_FAIL(RETC_EIO, "%s: %s", raw_name(video), strerror(errno));
    return RETC_OK;
}

static int
read_raw(retc_video *video) {
    const retc_video_options *o = &video->options;
    size_t n = fread(video->frame, 1, video->bytes, video->in);
    sha256_update(&video->digest, n, video->frame);
    if (ferror(video->in))
        return RETC_FAIL(RETC_EIO, "%s: %s", raw_name(video), strerror(errno));
    if (n == 0 || n == video->bytes)
        return n > 0;
    return RETC_FAIL(RETC_EFORMAT,
                     "%s ends within a frame, after %zu whole ones of %zu x %zu pixels of %zu bits; is the size right, or is "
                     "something missing?",
                     raw_name(video), video->frames, o->height, o->width, o->depth);
}

void
retc_video_digest(const retc_video *video, char digest[65]) {
    uint8_t bytes[SHA256_DIGEST_SIZE];
    struct sha256_ctx state = video->digest;
    sha256_digest(&state, sizeof bytes, bytes);
    for (size_t i = 0; i < sizeof bytes; ++i)
        snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
}

/* ---- either ---------------------------------------------------------------------------------------------------------- */

static int
check_options(const retc_video_options *o) {
    if (!o->path == !o->raw)
        return RETC_FAIL(RETC_EUSAGE, "give a video file, or bare frames with --raw (and not both)");
    if (o->height == 0 || o->width == 0 || o->height > 8192 || o->width > 8192)
        return RETC_FAIL(RETC_EINVAL, "frames of %zu x %zu pixels have no meaning", o->height, o->width);
    if (o->depth != 8 && o->depth != 16)
        return RETC_FAIL(RETC_EINVAL, "pixels of %zu bits cannot be read; 8 and 16 can", o->depth);
    if (!(o->frame_rate > 0) || !isfinite(o->frame_rate))
        return RETC_FAIL(RETC_EINVAL, "a frame rate of %g Hz has no meaning", o->frame_rate);
    if (!(o->duration >= 0) || o->duration > 1e9)
        return RETC_FAIL(RETC_EINVAL, "a duration of %g s has no meaning", o->duration);
    if (!(o->gamma >= 0) || !isfinite(o->gamma))
        return RETC_FAIL(RETC_EINVAL, "an exponent (gamma) of %g has no meaning", o->gamma);
    return RETC_OK;
}

static int
draw_curve(retc_video *video) {
    int status = RETC_OK;
    size_t levels = video->options.depth == 16 && video->options.raw ? 65536 : 256;
    double gamma = video->options.gamma;
    RETC_TRY(RETC_ALLOC(video->curve, levels));
    for (size_t i = 0; i < levels; ++i) {
        double v = (double)i / (double)(levels - 1);
        video->curve[i] = (float)(2 * RETC_MEAN_GREY * (gamma > 0 ? pow(v, gamma) : retc_srgb_light(v)));
    }

done:
    return status;
}

retc_video *
retc_video_open(const retc_video_options *options) {
    int status = RETC_OK;
    retc_video *video = NULL;
    RETC_TRY(check_options(options));
    RETC_TRY(RETC_ALLOC(video, 1));
    video->options = *options;
    video->frame_rate = options->frame_rate;
    video->bytes = options->height * options->width * (options->raw ? options->depth / 8 : 1);
    sha256_init(&video->digest);
    RETC_TRY(RETC_ALLOC(video->frame, video->bytes));
    RETC_TRY(draw_curve(video));
    if (options->raw) {
        RETC_TRY(open_raw(video));
    } else {
        RETC_TRY(start_ffmpeg(video));
        RETC_TRY(read_head(video));
    }

done:
    if (status < 0) {
        retc_video_close(video);
        return NULL;
    }
    return video;
}

void
retc_video_close(retc_video *video) {
    if (!video)
        return;
    if (video->in && !video->child)
        fclose(video->in);
    retc_child_free(video->child);
    retc_free(video->frame);
    retc_free(video->curve);
    retc_free(video);
}

double
retc_video_frame_rate(const retc_video *video) {
    return video->frame_rate;
}

static void
take_levels(const retc_video *video, float *out) {
    size_t pixels = video->options.height * video->options.width;
    const unsigned char *byte = video->frame;
    int wide = video->bytes > pixels;
    for (size_t i = 0; i < pixels; ++i)
        out[i] = video->curve[wide ? byte[2 * i] + 256u * byte[2 * i + 1] : byte[i]];
}

int
retc_video_frames(void *context, size_t n, float *out, size_t *got) {
    int status = RETC_OK;
    retc_video *video = context;
    size_t pixels = video->options.height * video->options.width, most = video->options.frames;
    for (*got = 0; *got < n && !video->over && !(most > 0 && video->frames == most);) {
        RETC_TRY(video->child ? read_decoded(video) : read_raw(video));
        video->over = status == 0;
        if (video->over)
            break;
        take_levels(video, out + *got * pixels);
        video->frames += 1;
        *got += 1;
    }
    if (video->frames == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s holds no frame", video->child ? video->options.path : raw_name(video)));

done:
    return status;
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *video, *raw, *rate;
    size_t depth;
    double gamma;
} video_options;

static void
video_defaults(void *options, retc_screen *screen) {
    video_options *o = options;
    *o = (video_options){.rate = "convert", .depth = 8, .gamma = 1};
    screen->duration = 0;
}

static size_t
video_table(void *options, retc_option *entries) {
    video_options *o = options;
    const retc_option table[] = {
        {"video", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL, &o->video, 0, 0, NULL,
         "a video file, of any kind that the program ffmpeg decodes"},
        {"rate", 0, RETC_OPTION_CHOICE, 0, &o->rate, 0, 0, "convert|keep",
         "repeat or leave out frames to give --frame-rate, or keep the video's own"},
        {"raw", 0, RETC_OPTION_TEXT, RETC_OPTION_STREAM, &o->raw, 0, 0, NULL,
         "bare frames of --height rows of --width pixels at --frame-rate: a file, a FIFO, or - for standard input"},
        {"depth", 0, RETC_OPTION_SIZE, 0, &o->depth, 8, 16, "bits", "of a raw pixel: 8, or 16 with the lower byte first"},
        {"gamma", 0, RETC_OPTION_DOUBLE, 0, &o->gamma, 0, 10, NULL,
         "light is level^gamma: 1 takes levels as they are; 0: as coded for a usual screen (sRGB)"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static void
video_free(void *context) {
    retc_video_close(context);
}

/* A pipe has no name that would tell later what came through it. */
static int
video_annotate(void *context, retc_h5 *file) {
    const retc_video *video = context;
    char digest[65];
    if (video->child)
        return RETC_OK;
    retc_video_digest(video, digest);
    return retc_h5_set_text(file, "/", "raw_sha256", digest);
}

static retc_movie *
video_make(const void *options, const retc_screen *screen) {
    int status = RETC_OK;
    const video_options *o = options;
    int keep = o->video && strcmp(o->rate, "keep") == 0;
    const retc_video_options wanted = {
        .path = o->video,
        .raw = o->raw,
        .depth = o->depth,
        .height = screen->height,
        .width = screen->width,
        .frames = screen->frames || (screen->duration > 0 && !keep) ? retc_screen_frames(screen, 0) : 0,
        .duration = keep && !screen->frames ? screen->duration : 0,
        .frame_rate = screen->frame_rate,
        .keep_rate = keep,
        .gamma = o->gamma,
    };
    retc_movie *movie = retc_movie_alloc("video", screen, 1, RETC_H5_UINT8);
    RETC_TRY(RETC_GOT(movie));
    movie->stream = retc_video_frames;
    movie->annotate = video_annotate;
    movie->report = retc_video_report;
    movie->free = video_free;
    RETC_TRY(RETC_GOT(movie->context = retc_video_open(&wanted)));
    movie->layout.frames = 0;
    movie->layout.frame_interval = 1 / retc_video_frame_rate(movie->context);

done:
    if (status < 0) {
        retc_movie_free(movie);
        return NULL;
    }
    return movie;
}

const retc_movie_kind retc_video_kind = {
    .name = "video",
    .usage = {"stimulus", "a video file, or frames from a pipe",
              "A video file, decoded by the program ffmpeg, which must be installed: grey, scaled by averaging until it fills "
              "the frame, and cut at the sides that are too long.  Or bare frames that another program writes, as bytes, row "
              "after row: program | retcodec stimulus video --raw - --height 50 --width 50 -o movie.h5.  Without --frames "
              "and --duration all frames are taken.",
              "retcodec stimulus video forest.mp4 --height 50 --width 50 --frame-rate 100 -o movie.h5"},
    .size = sizeof(video_options),
    .defaults = video_defaults,
    .table = video_table,
    .make = video_make,
};

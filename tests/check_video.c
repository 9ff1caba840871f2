/* Movies that others made: bare frames, and video files through ffmpeg. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "image.h"
#include "provenance.h"
#include "stimulus_file.h"
#include "testing.h"
#include "video.h"

static const char *
write_bytes(const char *name, const void *bytes, size_t n) {
    const char *path = retc_test_path(name);
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(bytes, 1, n, out), n);
    fclose(out);
    return path;
}

static retc_video *
open_video(const retc_video_options *options) {
    retc_video *video = retc_video_open(options);
    ck_assert_msg(video != NULL, "%s", retc_error_message());
    return video;
}

/* ---- bare frames ----------------------------------------------------------------------------------------------------- */

static const retc_video_options bare = {.depth = 8, .height = 2, .width = 3, .frame_rate = 50, .gamma = 1};

START_TEST(test_bare_frames) {
    static const unsigned char bytes[18] = {0, 1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 60, 250, 251, 252, 253, 254, 255};
    retc_video_options options = bare;
    options.raw = write_bytes("frames.raw", bytes, sizeof bytes);
    options.gamma = _i;
    retc_video *video = open_video(&options);
    float x[4 * 6];
    size_t got;
    ck_ok(retc_video_frames(video, 2, x, &got));
    ck_assert_uint_eq(got, 2);
    ck_ok(retc_video_frames(video, 2, x + 12, &got));
    ck_assert_uint_eq(got, 1);
    for (size_t i = 0; i < 18; ++i) {
        double v = bytes[i] / 255.0, light = _i == 0 ? retc_srgb_light(v) : pow(v, _i);
        ck_assert_double_eq_tol((double)x[i], 255 * light, 255 * 6e-8);
    }
    ck_ok(retc_video_frames(video, 2, x, &got));
    ck_assert_uint_eq(got, 0);
    char digest[65], expected[65];
    retc_video_digest(video, digest);
    ck_ok(retc_digest_file(options.raw, expected));
    ck_assert_str_eq(digest, expected);
    retc_video_close(video);
}
END_TEST

START_TEST(test_wide_frames) {
    static const unsigned char bytes[12] = {0, 0, 1, 0, 0, 1, 0xff, 0xff, 0xfe, 0xff, 0x34, 0x12};
    static const unsigned levels[6] = {0, 1, 256, 65535, 65534, 0x1234};
    retc_video_options options = bare;
    options.raw = write_bytes("wide.raw", bytes, sizeof bytes);
    options.depth = 16;
    retc_video *video = open_video(&options);
    float x[2 * 6];
    size_t got;
    ck_ok(retc_video_frames(video, 2, x, &got));
    ck_assert_uint_eq(got, 1);
    for (size_t i = 0; i < 6; ++i)
        ck_assert_double_eq_tol((double)x[i], levels[i] / 257.0, 255 * 6e-8);
    retc_video_close(video);
}
END_TEST

START_TEST(test_some_frames) {
    static const unsigned char bytes[6 * 5 + 1] = {0};
    retc_video_options options = bare;
    float x[6 * 6];
    size_t got;
    options.raw = write_bytes("some.raw", bytes, sizeof bytes);
    options.frames = 4;
    retc_video *video = open_video(&options);
    ck_ok(retc_video_frames(video, 6, x, &got));
    ck_assert_uint_eq(got, 4);
    retc_video_close(video);
    options.frames = 0; /* and then comes what is no frame */
    video = open_video(&options);
    ck_fails(retc_video_frames(video, 6, x, &got),
             "some.raw ends within a frame, after 5 whole ones of 2 x 3 pixels of 8 bits");
    retc_video_close(video);
    options.raw = write_bytes("none.raw", bytes, 0);
    video = open_video(&options);
    ck_fails(retc_video_frames(video, 6, x, &got), "none.raw holds no frame");
    retc_video_close(video);
}
END_TEST

START_TEST(test_wrong_options) {
    static const struct {
        retc_video_options options;
        const char *says;
    } bad[] = {
        {{.depth = 8, .height = 2, .width = 3, .frame_rate = 50}, "give a video file, or bare frames"},
        {{.path = "a", .raw = "b", .depth = 8, .height = 2, .width = 3, .frame_rate = 50}, "and not both"},
        {{.raw = "b", .depth = 8, .width = 3, .frame_rate = 50}, "frames of 0 x 3 pixels"},
        {{.raw = "b", .depth = 12, .height = 2, .width = 3, .frame_rate = 50}, "pixels of 12 bits"},
        {{.raw = "b", .depth = 8, .height = 2, .width = 3}, "a frame rate of 0 Hz"},
        {{.raw = "b", .depth = 8, .height = 2, .width = 3, .frame_rate = 50, .gamma = -1}, "(gamma) of -1"},
        {{.raw = "/no/such/file", .depth = 8, .height = 2, .width = 3, .frame_rate = 50}, "/no/such/file: No such file"},
    };
    ck_assert_ptr_null(retc_video_open(&bad[_i].options));
    ck_assert_msg(strstr(retc_error_message(), bad[_i].says) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(),
                  bad[_i].says);
}
END_TEST

/* ---- movies whose length shows at their end ---------------------------------------------------------------------------- */

typedef struct {
    size_t given, frames, pixels;
} counter;

/* Frame t has the level t % 251 everywhere. */
static int
count(void *context, size_t n, float *out, size_t *got) {
    counter *c = context;
    size_t left = c->frames - c->given;
    *got = n < left ? n : left;
    for (size_t i = 0; i < *got * c->pixels; ++i)
        out[i] = (float)((c->given + i / c->pixels) % 251);
    c->given += *got;
    return RETC_OK;
}

/* Less than a chunk, whole slabs, and a slab and a bit. */
START_TEST(test_stream) {
    static const size_t lengths[] = {1, 7, 4096, 8192, 4097, 10000};
    enum { PIXELS = 4 * 5 };
    size_t frames = lengths[_i % 6];
    retc_stimulus_layout layout = {
        .height = 4, .width = 5, .frame_interval = 0.02, .type = _i < 6 ? RETC_H5_UINT8 : RETC_H5_FLOAT};
    counter c = {.frames = frames, .pixels = PIXELS};
    const char *path = retc_test_path("stream.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_stimulus_write_stream(file, "counted", &layout, count, &c, NULL));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_assert_uint_eq(layout.frames, frames);
    retc_stimulus *stimulus = retc_stimulus_open(path);
    ck_assert_msg(stimulus != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(retc_stimulus_layout_of(stimulus)->frames, frames);
    ck_assert_double_eq_tol(retc_stimulus_time(stimulus)[frames - 1], 0.02 * (double)(frames - 1), 1e-9);
    float *x = retc_calloc(frames * PIXELS, sizeof *x);
    ck_ok(retc_stimulus_read(stimulus, 0, frames, x));
    for (size_t i = 0; i < frames * PIXELS; ++i)
        ck_assert(x[i] == (float)(i / PIXELS % 251));
    retc_free(x);
    retc_stimulus_close(stimulus);
}
END_TEST

START_TEST(test_empty_stream) {
    retc_stimulus_layout layout = {.height = 4, .width = 5, .frame_interval = 0.02, .type = RETC_H5_UINT8};
    counter c = {.frames = 0, .pixels = 20};
    retc_h5 *file = retc_h5_create(retc_test_path("empty.h5"), 1);
    ck_fails(retc_stimulus_write_stream(file, "counted", &layout, count, &c, NULL), "a movie of 0 frames");
    retc_h5_close(file);
}
END_TEST

/* ---- video files ----------------------------------------------------------------------------------------------------- */

static int
has_ffmpeg(void) {
    return system("ffmpeg -version >/dev/null 2>&1") == 0;
}

/* A file of grey frames that ffmpeg reads, without loss: YUV4MPEG2.  Frame t, row y, column x: level t * 40 + y * 10 + x. */
static const char *
write_y4m(const char *name, size_t frames, size_t height, size_t width, size_t cut) {
    static char bytes[1 << 16];
    size_t n = (size_t)snprintf(bytes, sizeof bytes, "YUV4MPEG2 W%zu H%zu F10:1 Ip A1:1 Cmono\n", width, height);
    for (size_t t = 0; t < frames; ++t) {
        n += (size_t)snprintf(bytes + n, sizeof bytes - n, "FRAME\n");
        for (size_t i = 0; i < height * width; ++i)
            bytes[n++] = (char)(t * 40 + i / width * 10 + i % width);
    }
    return write_bytes(name, bytes, n - cut);
}

static size_t
read_all(const retc_video_options *options, float *x, size_t room) {
    retc_video *video = open_video(options);
    size_t got = 0;
    ck_ok(retc_video_frames(video, room, x, &got));
    retc_video_close(video);
    return got;
}

static const retc_video_options film = {.depth = 8, .height = 4, .width = 6, .frame_rate = 10, .gamma = 1};

START_TEST(test_video_as_it_is) {
    if (!has_ffmpeg())
        retc_skip("ffmpeg is not installed");
    float x[8 * 24];
    retc_video_options options = film;
    /* A name that a shell, or ffmpeg, might take for something else. */
    options.path = write_y4m("-i it's \"a\" $(name);%d.y4m", 5, 4, 6, 0);
    ck_assert_uint_eq(read_all(&options, x, 8), 5);
    for (size_t i = 0; i < 5 * 24; ++i)
        ck_assert_double_eq((double)x[i], (double)(i / 24 * 40 + i % 24 / 6 * 10 + i % 6));
    options.frames = 3;
    ck_assert_uint_eq(read_all(&options, x, 8), 3);
}
END_TEST

/* Twice the rows and columns: the mean of four.  ffmpeg may be off by one level. */
START_TEST(test_scaled_video) {
    if (!has_ffmpeg())
        retc_skip("ffmpeg is not installed");
    float x[2 * 24];
    retc_video_options options = film;
    options.path = write_y4m("large.y4m", 2, 8, 12, 0);
    ck_assert_uint_eq(read_all(&options, x, 2), 2);
    for (size_t i = 0; i < 2 * 24; ++i) {
        double y = (double)(i % 24 / 6), column = (double)(i % 6), t = (double)(i / 24);
        ck_assert_double_eq_tol((double)x[i], 40 * t + 10 * (2 * y + 0.5) + 2 * column + 0.5, 1.01);
    }
    /* Too wide: the sides are cut, two columns of ten on each. */
    options.path = write_y4m("wide.y4m", 2, 4, 10, 0);
    ck_assert_uint_eq(read_all(&options, x, 2), 2);
    for (size_t i = 0; i < 2 * 24; ++i)
        ck_assert_double_eq((double)x[i], (double)(i / 24 * 40 + i % 24 / 6 * 10 + i % 6 + 2));
}
END_TEST

START_TEST(test_frame_rates) {
    if (!has_ffmpeg())
        retc_skip("ffmpeg is not installed");
    float x[20 * 24];
    retc_video_options options = film;
    options.path = write_y4m("slow.y4m", 5, 4, 6, 0);
    options.frame_rate = 20;
    ck_assert_uint_eq(read_all(&options, x, 20), 10);
    for (size_t t = 0; t < 10; ++t)
        ck_assert_double_eq((double)x[t * 24], (double)(t / 2 * 40));
    options.keep_rate = 1;
    retc_video *video = open_video(&options);
    ck_assert_double_eq(retc_video_frame_rate(video), 10);
    retc_video_close(video);
    ck_assert_uint_eq(read_all(&options, x, 20), 5);
}
END_TEST

START_TEST(test_damaged_video) {
    if (!has_ffmpeg())
        retc_skip("ffmpeg is not installed");
    retc_video_options options = film;
    options.path = write_bytes("text.mp4", "this is no video", 16);
    ck_assert_ptr_null(retc_video_open(&options));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "text.mp4: ffmpeg failed: "));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "Invalid data"));
    ck_assert_ptr_null(strchr(retc_error_message(), '\n'));
    options.path = write_bytes("empty.mp4", "", 0);
    ck_assert_ptr_null(retc_video_open(&options));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "empty.mp4: ffmpeg failed: "));
}
END_TEST

/* Where ffmpeg goes on after damage, it is asked what it says. */
START_TEST(test_cut_video) {
    if (!has_ffmpeg())
        retc_skip("ffmpeg is not installed");
    float x[8 * 24];
    size_t got = 0;
    char command[1200];
    retc_video_options options = film;
    const char *whole = write_y4m("whole.y4m", 5, 4, 6, 0), *path = retc_test_path("cut.mkv");
    snprintf(command, sizeof command, "ffmpeg -v error -y -i %s -c:v ffv1 %s && truncate -s -100 %s", whole, path, path);
    if (system(command) != 0)
        retc_skip("ffmpeg makes no Matroska file here");
    options.path = path;
    retc_video *video = retc_video_open(&options);
    int status = video ? retc_video_frames(video, 8, x, &got) : RETC_EFORMAT;
    char *report = status < 0 ? retc_strdup(retc_error_message()) : retc_video_report(video);
    ck_assert_ptr_nonnull(report);
    ck_assert_ptr_nonnull(strstr(report, "ffmpeg"));
    ck_assert_uint_lt(got, 5 + (status >= 0));
    retc_free(report);
    retc_video_close(video);
    options.path = whole;
    video = open_video(&options);
    ck_ok(retc_video_frames(video, 8, x, &got));
    ck_assert_ptr_null(retc_video_report(video));
    retc_video_close(video);
}
END_TEST

/* A video that is given up in the middle leaves no process that waits. */
START_TEST(test_given_up) {
    if (!has_ffmpeg())
        retc_skip("ffmpeg is not installed");
    retc_video_options options = film;
    options.frame_rate = 1e5;
    options.path = write_y4m("given_up.y4m", 5, 4, 6, 0);
    retc_video_close(open_video(&options));
}
END_TEST

/* ---- children -------------------------------------------------------------------------------------------------------- */

START_TEST(test_child) {
    const char *const echo[] = {"printf", "%s|", "a b", "$HOME", "'", NULL};
    retc_child *child = retc_child_start(echo);
    char line[64] = "";
    ck_assert_msg(child != NULL, "%s", retc_error_message());
    ck_assert_ptr_nonnull(fgets(line, sizeof line, retc_child_output(child)));
    ck_assert_str_eq(line, "a b|$HOME|'|");
    ck_ok(retc_child_finish(child));
    retc_child_free(child);
    const char *const fail[] = {"sh", "-c", "echo first >&2; echo >&2; printf 'last\\033 one\\n\\n' >&2; exit 3", NULL};
    child = retc_child_start(fail);
    ck_fails(retc_child_finish(child), "sh failed: last  one");
    retc_child_free(child);
    const char *const silent[] = {"false", NULL};
    child = retc_child_start(silent);
    ck_fails(retc_child_finish(child), "false failed: it gives no reason");
    retc_child_free(child);
    const char *const missing[] = {"no-such-program", NULL};
    ck_assert_ptr_null(retc_child_start(missing));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "no-such-program is not installed"));
    /* More complaints than a pipe holds, and more output than anyone reads. */
    const char *const loud[] = {"sh", "-c", "yes complaint | head -c 1000000 >&2; yes", NULL};
    child = retc_child_start(loud);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, retc_child_output(child)));
    ck_assert_str_eq(line, "y\n");
    retc_child_free(child);
}
END_TEST

static Suite *
video_suite(void) {
    Suite *suite = suite_create("video");
    TCase *raw = tcase_create("bare frames"), *stream = tcase_create("streams"), *files = tcase_create("files");
    tcase_add_loop_test(raw, test_bare_frames, 0, 3);
    tcase_add_test(raw, test_wide_frames);
    tcase_add_test(raw, test_some_frames);
    tcase_add_loop_test(raw, test_wrong_options, 0, 7);
    tcase_add_loop_test(stream, test_stream, 0, 12);
    tcase_add_test(stream, test_empty_stream);
    tcase_set_timeout(files, 60);
    tcase_add_test(files, test_video_as_it_is);
    tcase_add_test(files, test_scaled_video);
    tcase_add_test(files, test_frame_rates);
    tcase_add_test(files, test_damaged_video);
    tcase_add_test(files, test_cut_video);
    tcase_add_test(files, test_given_up);
    tcase_add_test(files, test_child);
    suite_add_tcase(suite, raw);
    suite_add_tcase(suite, stream);
    suite_add_tcase(suite, files);
    return suite;
}

int
main(void) {
    return retc_test_main(video_suite(), NULL);
}

/* Recipes: movies that are made again from their options, in stimulus files and in recordings. */
#include <math.h>
#include <string.h>

#include "recipe.h"
#include "recording.h"
#include "recording_write.h"
#include "rng.h"
#include "testing.h"

enum { T = 700, H = 5, W = 7, PIXELS = H * W, MOST_WORDS = 12 };

/* A request of "white-noise --stixel=2 ..." in 5 x 7 pixels. */
static void
ask(retc_movie_request *request, char *words) {
    char *argv[MOST_WORDS + 1] = {0};
    int argc = 0;
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[++argc] = word;
    argv[0] = argv[1];
    const retc_movie_kind *kind = retc_movie_kind_find(argv[1]);
    ck_assert_msg(kind != NULL, "%s", retc_error_message());
    ck_ok(retc_movie_request_init(request, kind));
    request->screen.frames = T;
    request->screen.height = H;
    request->screen.width = W;
    request->screen.seed = 12;
    request->table[request->entries] = (retc_option)RETC_OPTIONS_END;
    ck_ok(retc_options_parse(&kind->usage, request->table, argc + 1, argv));
}

/* The movie of a request in a file, whole or as its recipe. */
static const char *
write_file(const retc_movie_request *request, const char *name, int whole) {
    const char *path = retc_test_path(name);
    retc_h5 *file = retc_h5_create(path, 1);
    retc_movie *movie = retc_movie_request_make(request);
    retc_recipe *recipe = retc_recipe_of(request);
    ck_assert_msg(file && movie && recipe, "%s", retc_error_message());
    ck_ok(whole ? retc_movie_write(movie, file, NULL) : retc_recipe_write_stimulus(recipe, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_movie_free(movie);
    retc_recipe_free(recipe);
    return path;
}

static retc_stimulus *
open_stimulus(const char *path) {
    retc_stimulus *stimulus = retc_stimulus_open(path);
    ck_assert_msg(stimulus != NULL, "%s", retc_error_message());
    return stimulus;
}

static const char *const requests[] = {
    "white-noise",
    "white-noise --distribution=ternary --stixel=3 --jitter=2",
    "white-noise --distribution=gaussian --hold=3 --layout=vertical-bars --contrast=0.123456789012345",
    "spectral-noise --time-corner=1",
    "natural-movie --drift=7.3",
};
enum { REQUESTS = sizeof requests / sizeof *requests };

START_TEST(test_same_movie) {
    char words[200];
    retc_movie_request request;
    ask(&request, strcpy(words, requests[_i]));
    retc_stimulus *whole = open_stimulus(write_file(&request, "whole.h5", 1));
    retc_stimulus *recipe = open_stimulus(write_file(&request, "recipe.h5", 0));
    retc_movie_request_clear(&request);
    const retc_stimulus_layout *a = retc_stimulus_layout_of(whole), *b = retc_stimulus_layout_of(recipe);
    ck_assert_uint_eq(b->frames, a->frames);
    ck_assert_uint_eq(b->height, a->height);
    ck_assert_uint_eq(b->width, a->width);
    ck_assert_int_eq(b->type, a->type);
    ck_assert(b->frame_interval == a->frame_interval);
    ck_assert_mem_eq(retc_stimulus_time(whole), retc_stimulus_time(recipe), T * sizeof(double));
    ck_assert(retc_stimulus_recipe(recipe) && !retc_stimulus_recipe(whole));
    static float x[T * PIXELS], y[T * PIXELS];
    ck_ok(retc_stimulus_read(whole, 0, T, x));
    static const size_t pieces[][2] = {{650, 50}, {0, T}, {63, 2}, {64, 500}};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; ++k) {
        ck_ok(retc_stimulus_read(recipe, pieces[k][0], pieces[k][1], y));
        ck_assert_mem_eq(y, x + pieces[k][0] * PIXELS, pieces[k][1] * PIXELS * sizeof *y);
    }
    ck_fails(retc_stimulus_read(recipe, T - 1, 2, y), "2 frames from frame 699 on are asked for, there are 700");
    retc_stimulus_close(whole);
    retc_stimulus_close(recipe);
}
END_TEST

static int
may_read_files(const retc_movie_request *request) {
    for (size_t i = 0; i < request->entries; ++i)
        if (request->table[i].type == RETC_OPTION_INPUT)
            return 1;
    return 0;
}

/* Every kind that needs no files, with its defaults: its recipe makes the same frames, or there is none. */
START_TEST(test_every_kind) {
    size_t with = 0;
    for (size_t k = 0; retc_movie_kinds[k]; ++k) {
        const retc_movie_kind *kind = retc_movie_kinds[k];
        retc_movie_request request;
        if (kind->from_files)
            continue;
        ck_ok(retc_movie_request_init(&request, kind));
        request.name = kind->name;
        request.screen.frames = request.screen.duration > 0 ? 150 : 0; /* protocols end by themselves */
        retc_movie *movie = retc_movie_request_make(&request);
        ck_assert_msg(movie != NULL || may_read_files(&request), "%s: %s", kind->name, retc_error_message());
        if (!movie) {
            retc_movie_request_clear(&request);
            continue;
        }
        retc_recipe *recipe = retc_recipe_of(&request);
        ck_assert_msg(!recipe == !movie->any_order, "%s: %s", kind->name, retc_error_message());
        size_t pixels = movie->layout.height * movie->layout.width, frames = movie->layout.frames, half = frames / 2;
        size_t values = frames * pixels;
        float *x = retc_calloc(values, sizeof *x), *y = retc_calloc(values, sizeof *y);
        ck_ok(movie->frames(movie->context, 0, frames, x));
        for (size_t i = 0; movie->layout.type == RETC_H5_UINT8 && i < values; ++i)
            x[i] = fminf(fmaxf(floorf(x[i] + 0.5f), 0), 255);
        if (recipe) {
            ck_ok(retc_recipe_frames(recipe, half, frames - half, y + half * pixels));
            ck_ok(retc_recipe_frames(recipe, 0, half, y));
            ck_assert_msg(memcmp(x, y, values * sizeof *x) == 0, "%s", kind->name);
            ++with;
        }
        retc_free(x);
        retc_free(y);
        retc_recipe_free(recipe);
        retc_movie_free(movie);
        retc_movie_request_clear(&request);
    }
    ck_assert_uint_ge(with, 3);
}
END_TEST

/* ---- damaged --------------------------------------------------------------------------------------------------------- */

static const char good[] = "command=stimulus kind=white-noise contrast=0.5 frames=20 frame-rate=50 height=5 width=7 seed=3";

typedef struct {
    const char *says, *text; /* NULL: no attribute */
    size_t times, kept_width;
} bad_recipe;

static const bad_recipe bad_recipes[] = {
    {"attribute \"recipe\" of \"/\" is missing", NULL, 20, W},
    {"\"recipe_frames\" is (3,5,6), expected (3,5,7)", good, 20, W - 1},
    {"\"time\" is (19), expected (20)", good, 19, W},
    {"\"time\" is (20), expected (1000000000)", "command=stimulus kind=natural-movie frames=1000000000 height=5 width=7", 20,
     W},
    {"recipe: it begins with \"command=fit", "command=fit kind=white-noise", 20, W},
    {"recipe: it begins with \"\"", "", 20, W},
    {"recipe: there is no stimulus \"white-nose\"; did you mean \"white-noise\"?", "command=stimulus kind=white-nose", 20, W},
    {"recipe: there is no stimulus \"\"", "command=stimulus", 20, W},
    {"recipe: this version knows no option \"warmth\"", "command=stimulus kind=white-noise warmth=3", 20, W},
    {"recipe: this version knows no option \"contrast\"", "command=stimulus kind=white-noise contrast", 20, W},
    {"recipe: this version knows no option \"help\"", "command=stimulus kind=white-noise help=man", 20, W},
    {"recipe: --contrast: 2 is out of range (0 to 1)", "command=stimulus kind=white-noise contrast=2", 20, W},
    {"recipe: --seed is given twice", "command=stimulus kind=white-noise seed=2 seed=3", 20, W},
    {"recipe: \"layout=%2\" is damaged", "command=stimulus kind=white-noise layout=%2", 20, W},
    {"recipe: \"movie=1\" needs files", "command=stimulus kind=crop movie=1", 20, W},
    {"recipe: \"raw=/dev/zero\" needs files", "command=stimulus kind=video raw=/dev/zero height=5 width=7", 20, W},
    {"recipe: \"images=2\" needs files", "command=stimulus kind=natural-movie images=2", 20, W},
    {"recipe: a jitter of 4 pixels", "command=stimulus kind=white-noise jitter=4 frames=20 height=5 width=7", 20, W},
    {"the recipe makes another movie than it did",
     "command=stimulus kind=white-noise contrast=0.5 frames=20 frame-rate=50 "
     "height=5 width=7 seed=4",
     20, W},
};

START_TEST(test_damaged) {
    const bad_recipe *bad = &bad_recipes[_i];
    const char *path = retc_test_path("bad.h5");
    const size_t shape[3] = {3, H, bad->kept_width};
    double time[20];
    float kept[3 * PIXELS];
    retc_recipe *recipe = retc_recipe_parse(good);
    ck_assert_msg(recipe != NULL, "%s", retc_error_message());
    static const size_t place[3] = {0, 10, 19};
    for (size_t k = 0; k < 3; ++k)
        ck_ok(retc_recipe_frames(recipe, place[k], 1, kept + k * PIXELS));
    retc_recipe_free(recipe);
    for (size_t t = 0; t < 20; ++t)
        time[t] = (double)t / 50;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_h5_put(file, "recipe_frames", RETC_H5_FLOAT, 3, shape, kept));
    ck_ok(retc_h5_put(file, "time", RETC_H5_DOUBLE, 1, &bad->times, time));
    if (bad->text)
        ck_ok(retc_h5_set_text(file, "/", "recipe", bad->text));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_assert_ptr_null(retc_stimulus_open(path));
    ck_assert_msg(strstr(retc_error_message(), bad->says), "\"%s\" does not say \"%s\"", retc_error_message(), bad->says);
    ck_assert_ptr_nonnull(strstr(retc_error_message(), path));
}
END_TEST

/* Texts with some letters changed, lost or doubled are recipes or are refused with a reason, and nothing else happens. */
START_TEST(test_mutations) {
    gsl_rng *rng = retc_rng_alloc(5, RETC_STREAM_NOISE, 0);
    size_t taken = 0;
    for (size_t i = 0; i < 20000; ++i) {
        char text[2 * sizeof good];
        strcpy(text, good);
        for (size_t changes = 1 + gsl_rng_uniform_int(rng, 3); changes > 0; --changes) {
            size_t length = strlen(text), at = gsl_rng_uniform_int(rng, length);
            switch (gsl_rng_uniform_int(rng, 3)) {
            case 0:
                text[at] = (char)(1 + gsl_rng_uniform_int(rng, 255));
                break;
            case 1:
                memmove(text + at, text + at + 1, length - at);
                break;
            default:
                memmove(text + at + 1, text + at, length - at + 1);
            }
        }
        retc_recipe *recipe = retc_recipe_parse(text);
        ck_assert_msg(recipe || !strncmp(retc_error_message(), "recipe: ", 8), "\"%s\": %s", text, retc_error_message());
        taken += recipe != NULL;
        retc_recipe_free(recipe);
    }
    ck_assert(taken > 0 && taken < 20000);
    gsl_rng_free(rng);
}
END_TEST

/* ---- recordings ------------------------------------------------------------------------------------------------------ */

/* A recording of one cell whose parts have these recipes. */
static int
write_recording(const char *path, retc_recipe *train, retc_recipe *test, size_t frames) {
    int status = RETC_OK;
    static const char *const names[1] = {"cell01"};
    static float counts[T], movie[T * PIXELS];
    double time[T];
    retc_recording_layout layout = {.height = H,
                                    .width = W,
                                    .cells = 1,
                                    .frames = {frames, frames},
                                    .repeats = 1,
                                    .frame_interval = 1 / 60.0,
                                    .stimulus_type = RETC_H5_FLOAT,
                                    .recipe = {train, test},
                                    .cell_names = names};
    retc_recording_writer *writer = NULL;
    for (size_t t = 0; t < T; ++t)
        time[t] = (double)t / 60;
    RETC_TRY(RETC_GOT(writer = retc_recording_writer_create(path, 1, &layout)));
    for (int part = 0; part < 2; ++part) {
        RETC_TRY(retc_recording_write_stimulus(writer, (retc_part)part, 0, T, movie));
        RETC_TRY(retc_recording_write_time(writer, (retc_part)part, time));
        RETC_TRY(retc_recording_write_counts(writer, (retc_part)part, 0, T, counts));
    }
    RETC_TRY(retc_recording_writer_finish(writer));
    RETC_TRY(retc_h5_commit(retc_recording_writer_file(writer)));

done:
    retc_recording_writer_free(writer);
    return status;
}

/* A byte movie in the train part and a floating point one in the test part, kept in memory or made piece by piece. */
START_TEST(test_recording) {
    retc_movie_request request;
    retc_recipe *recipe[2];
    static float x[T * PIXELS], y[T * PIXELS];
    const char *path = retc_test_path("recording.h5");
    for (size_t part = 0; part < 2; ++part) {
        char words[200];
        ask(&request, strcpy(words, requests[part]));
        recipe[part] = retc_recipe_of(&request);
        ck_assert_msg(recipe[part] != NULL, "%s", retc_error_message());
        retc_movie_request_clear(&request);
    }
    ck_ok(write_recording(path, recipe[0], recipe[1], T));
    retc_recording *recording = retc_recording_open(path, _i ? 1000 : 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(retc_recording_height(recording), H);
    ck_assert_uint_eq(retc_recording_width(recording), W);
    for (int part = 0; part < 2; ++part) {
        ck_assert_uint_eq(retc_recording_frames(recording, (retc_part)part), T);
        ck_ok(retc_recipe_frames(recipe[part], 0, T, x));
        ck_ok(retc_recording_stimulus(recording, (retc_part)part, 100, 600, y));
        ck_assert_mem_eq(y, x + 100 * PIXELS, 600 * PIXELS * sizeof *y);
        ck_ok(retc_recording_stimulus(recording, (retc_part)part, 0, T, y));
        ck_assert_mem_eq(y, x, T * PIXELS * sizeof *y);
    }
    retc_recording_close(recording);
    ck_fails(write_recording(path, recipe[0], recipe[1], T - 1),
             "the recipe of the train part makes 700 frames of 5 x 7 pixels, expected 699 of 5 x 7");
    retc_recipe_free(recipe[0]);
    retc_recipe_free(recipe[1]);
}
END_TEST

static Suite *
recipe_suite(void) {
    Suite *suite = suite_create("recipes");
    TCase *stimulus = tcase_create("stimulus"), *recording = tcase_create("recording");
    tcase_set_timeout(stimulus, 60);
    tcase_add_loop_test(stimulus, test_same_movie, 0, REQUESTS);
    tcase_add_test(stimulus, test_every_kind);
    tcase_add_loop_test(stimulus, test_damaged, 0, sizeof bad_recipes / sizeof *bad_recipes);
    tcase_add_test(stimulus, test_mutations);
    tcase_add_loop_test(recording, test_recording, 0, 2);
    suite_add_tcase(suite, stimulus);
    suite_add_tcase(suite, recording);
    return suite;
}

int
main(void) {
    return retc_test_main(recipe_suite(), NULL);
}

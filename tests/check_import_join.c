/* Recordings joined: what is in the result is put together here by hand from recordings made up with known content. */
#include <string.h>

#include "import_join.h"
#include "recording.h"
#include "recording_write.h"
#include "testing.h"

enum { H = 3, W = 2, PIXELS = H * W };

/* A made-up recording.  Grey level, counts and repeats are functions of the place, of the cell's name and of `seed`. */
typedef struct {
    const char *path;
    size_t T, test, R, N, seed, test_seed, stretches;
    double interval;
    const char *name[3];
} made_up;

static float
level(size_t seed, size_t t, size_t p) {
    return (float)((seed * 31 + t * 7 + p * 3) % 256);
}

static float
count(size_t seed, const char *name, size_t repeat, size_t t) {
    return (float)((seed + (size_t)name[0] + 5 * repeat + 3 * t) % 4);
}

static void
make(const made_up *m) {
    size_t start[2] = {0, m->T / 2}, largest = m->T > m->test ? m->T : m->test;
    const retc_recording_layout layout = {.height = H,
                                          .width = W,
                                          .cells = m->N,
                                          .frames = {m->T, m->test},
                                          .repeats = m->R,
                                          .frame_interval = m->interval,
                                          .stimulus_type = RETC_H5_UINT8,
                                          .cell_names = m->name,
                                          .block_start = {start, NULL},
                                          .blocks = {m->stretches, 0}};
    retc_recording_writer *writer = retc_recording_writer_create(m->path, 1, &layout);
    ck_assert_msg(writer != NULL, "%s", retc_error_message());
    for (int part = 0; part < 2; ++part) {
        size_t T = part ? m->test : m->T, R = part ? m->R : 1, seed = part ? m->test_seed : m->seed;
        float *movie = retc_calloc(largest * PIXELS, sizeof *movie), *counts = retc_calloc(m->N * R * T + 1, sizeof *counts);
        double *time = retc_calloc(largest, sizeof *time);
        for (size_t i = 0; i < T * PIXELS; ++i)
            movie[i] = level(seed, i / PIXELS, i % PIXELS);
        for (size_t i = 0; i < m->N * R * T; ++i)
            counts[i] = count(m->seed, m->name[i / (R * T)], part ? 1 + i / T % R : 0, i % T);
        for (size_t t = 0; t < T; ++t)
            time[t] = (double)t * m->interval;
        if (T > 0) {
            ck_ok(retc_recording_write_stimulus(writer, (retc_part)part, 0, T, movie));
            ck_ok(retc_recording_write_time(writer, (retc_part)part, time));
            ck_ok(retc_recording_write_counts(writer, (retc_part)part, 0, T, counts));
        }
        retc_free(movie), retc_free(counts), retc_free(time);
    }
    ck_ok(retc_recording_writer_finish(writer));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
}

static const made_up first = {"a.h5", 20, 6, 2, 3, 1, 50, 2, 0.01, {"a", "b", "c"}},
                     second = {"b.h5", 14, 6, 3, 3, 2, 50, 1, 0.01, {"c", "x", "a"}};

static made_up
placed(made_up m, const char *name) {
    m.path = retc_test_path(name);
    make(&m);
    return m;
}

/* Join two and open the result; `lines` is freed by the caller. */
static retc_recording *
join_two(const made_up *a, const made_up *b, char **lines) {
    const char *paths[2] = {a->path, b->path}, *path = retc_test_path("joined.h5");
    retc_recording_writer *writer = NULL;
    ck_ok(retc_import_join(paths, 2, path, 1, NULL, &writer, lines));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static void
check_train(retc_recording *joined, const made_up *a, const made_up *b) {
    size_t T = a->T + b->T, stretches = 0;
    float movie[64 * PIXELS], counts[2 * 64];
    double time[64];
    const int64_t *start = retc_recording_stretches(joined, RETC_TRAIN, &stretches);
    ck_assert_uint_eq(retc_recording_frames(joined, RETC_TRAIN), T);
    ck_assert_uint_eq(retc_recording_cells(joined), 2);
    ck_assert_str_eq(retc_recording_cell_name(joined, 0), "a");
    ck_assert_str_eq(retc_recording_cell_name(joined, 1), "c");
    ck_assert_uint_eq(stretches, 3);
    ck_assert(start[0] == 0 && start[1] == 10 && start[2] == 20);
    ck_ok(retc_recording_stimulus(joined, RETC_TRAIN, 0, T, movie));
    ck_ok(retc_recording_counts(joined, RETC_TRAIN, 0, T, counts));
    ck_ok(retc_recording_time(joined, RETC_TRAIN, time));
    for (size_t t = 0; t < T; ++t) {
        const made_up *m = t < a->T ? a : b;
        size_t own = t < a->T ? t : t - a->T;
        for (size_t p = 0; p < PIXELS; ++p)
            ck_assert(movie[t * PIXELS + p] == level(m->seed, own, p));
        ck_assert(counts[t] == count(m->seed, "a", 0, own));
        ck_assert(counts[T + t] == count(m->seed, "c", 0, own));
        ck_assert_double_eq_tol(time[t], (double)t * 0.01, 1e-12);
    }
}

START_TEST(the_same_test_movie_pools_repeats) {
    made_up a = placed(first, "a.h5"), b = placed(second, "b.h5");
    char *lines = NULL;
    float repeats[5 * 6];
    retc_recording *joined = join_two(&a, &b, &lines);
    check_train(joined, &a, &b);
    ck_assert_uint_eq(retc_recording_frames(joined, RETC_TEST), 6);
    ck_assert_uint_eq(retc_recording_repeats(joined), 5);
    ck_ok(retc_recording_repeat_counts(joined, 1, repeats));
    for (size_t r = 0; r < 5; ++r)
        for (size_t t = 0; t < 6; ++t)
            ck_assert(repeats[r * 6 + t] == (r < 2 ? count(1, "c", 1 + r, t) : count(2, "c", r - 1, t)));
    ck_assert_ptr_nonnull(strstr(lines, "the test movies are the same: 5 repeats are put together"));
    ck_assert_ptr_nonnull(strstr(lines, "a.h5: 1 of its 3 cells are not in all recordings"));
    retc_free(lines);
    retc_recording_close(joined);
}
END_TEST

START_TEST(other_test_movies_follow_each_other) {
    made_up b = second;
    b.R = 2, b.test_seed = 51, b.test = 9;
    made_up a = placed(first, "a.h5");
    b = placed(b, "b.h5");
    char *lines = NULL;
    float repeats[2 * 15], movie[15 * PIXELS];
    size_t stretches = 0;
    retc_recording *joined = join_two(&a, &b, &lines);
    check_train(joined, &a, &b);
    ck_assert_uint_eq(retc_recording_frames(joined, RETC_TEST), 15);
    ck_assert_uint_eq(retc_recording_repeats(joined), 2);
    const int64_t *start = retc_recording_stretches(joined, RETC_TEST, &stretches);
    ck_assert(stretches == 2 && start[1] == 6);
    ck_ok(retc_recording_repeat_counts(joined, 0, repeats));
    ck_ok(retc_recording_stimulus(joined, RETC_TEST, 0, 15, movie));
    for (size_t t = 0; t < 15; ++t) {
        size_t own = t < 6 ? t : t - 6;
        for (size_t r = 0; r < 2; ++r)
            ck_assert(repeats[r * 15 + t] == count(t < 6 ? 1 : 2, "a", 1 + r, own));
        ck_assert(movie[t * PIXELS] == level(t < 6 ? 50 : 51, own, 0));
    }
    retc_free(lines);
    retc_recording_close(joined);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
    made_up a = placed(first, "a.h5"), b = second;
    const char *output = retc_test_path("joined.h5");
    retc_recording_writer *writer = NULL;
    char *lines = NULL;
    static const struct {
        size_t R, test_seed;
        double interval;
        const char *name, *says;
    } wrong[] = {{3, 51, 0.01, "a", "its test movie has 2 repeats, and not all others have as many, nor the same movie"},
                 {2, 50, 0.02, "a", "b.h5: frames last 20 ms, those of"},
                 {2, 50, 0.01, "z", "none of its cells is in all the other recordings"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        b = second;
        b.R = wrong[i].R, b.test_seed = wrong[i].test_seed, b.interval = wrong[i].interval;
        b.name[2] = wrong[i].name, b.name[0] = wrong[i].name[0] == 'z' ? "y" : "c";
        b = placed(b, "b.h5");
        const char *paths[2] = {a.path, b.path};
        ck_fails(retc_import_join(paths, 2, output, 1, NULL, &writer, &lines), wrong[i].says);
        ck_assert_ptr_null(writer);
    }
    const char *one[1] = {a.path};
    ck_fails(retc_import_join(one, 1, output, 1, NULL, &writer, &lines), "1 recording: two or more can be joined");
    const char *absent[2] = {a.path, retc_test_path("absent.h5")};
    ck_fails(retc_import_join(absent, 2, output, 1, NULL, &writer, &lines), "absent.h5: No such file");
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("join");
    TCase *all = tcase_create("all");
    tcase_add_test(all, the_same_test_movie_pools_repeats);
    tcase_add_test(all, other_test_movies_follow_each_other);
    tcase_add_test(all, what_does_not_fit_is_refused);
    suite_add_tcase(suite, all);
    return retc_test_main(suite, NULL);
}

/* Files of the layer over HDF5 as files: they appear whole or not at all, and what is wrong with one is told in one line. */
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5.h"
#include "rng.h"
#include "testing.h"

static retc_h5 *
create(const char *path) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    return file;
}

/* Number of entries of the scratch folder whose name begins with `name`. */
static int
entries(const char *name) {
    char folder[512];
    int n = 0;
    snprintf(folder, sizeof folder, "%s", retc_test_path(""));
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry; (entry = readdir(list));)
        n += strncmp(entry->d_name, name, strlen(name)) == 0;
    closedir(list);
    return n;
}

/* ---- a file appears at once, or not at all --------------------------------------------------------------------------- */

static void
put_number(retc_h5 *file, double value) {
    ck_ok(retc_h5_put(file, "value", RETC_H5_DOUBLE, 0, NULL, &value));
}

static double
value_of(const char *path) {
    double value = (double)NAN;
    retc_h5 *file = retc_h5_open(path);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    ck_ok(retc_h5_read(file, "value", RETC_H5_DOUBLE, NULL, NULL, &value));
    retc_h5_close(file);
    return value;
}

START_TEST(target_is_untouched_until_commit) {
    const char *path = retc_test_path("atomic.h5");
    retc_h5 *file = retc_h5_create(path, 0);
    put_number(file, 1.5);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(entries("atomic.h5."), 1);
    ck_ok(retc_h5_commit(file));
    ck_assert_int_eq(entries("atomic.h5"), 1);
    ck_assert_double_eq(value_of(path), 1.5);
    retc_h5_close(file);
    ck_assert_double_eq(value_of(path), 1.5);

    ck_assert_ptr_null(retc_h5_create(path, 0));
    ck_assert_msg(strstr(retc_error_message(), "atomic.h5: exists already"), "%s", retc_error_message());
    file = retc_h5_create(path, 1);
    put_number(file, 2.5);
    ck_assert_double_eq(value_of(path), 1.5); /* readers still see the old one */
    retc_h5_close(file);                      /* given up */
    ck_assert_int_eq(entries("atomic.h5"), 1);
    ck_assert_double_eq(value_of(path), 1.5);
    file = retc_h5_create(path, 1);
    put_number(file, 2.5);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_assert_double_eq(value_of(path), 2.5);
    ck_assert_int_eq(entries("atomic.h5"), 1);
    retc_h5_close(NULL);
}
END_TEST

START_TEST(what_cannot_be_written_is_told) {
    const char *folder = retc_test_path("folder.h5");
    retc_h5 *file = retc_h5_create(retc_test_path("nowhere/x.h5"), 0);
    ck_assert_ptr_null(file);
    ck_assert_msg(strstr(retc_error_message(), "nowhere/x.h5: cannot be written: No such file or directory"), "%s",
                  retc_error_message());
    /* A folder in the place of the target shows when the file is to take its name. */
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    file = create(folder);
    put_number(file, 1);
    ck_fails(retc_h5_commit(file), "folder.h5: cannot be renamed from");
    retc_h5_close(file);
    ck_assert_int_eq(entries("folder.h5"), 1);
    /* Someone removed the temporary file: as a signal handler does. */
    file = create(retc_test_path("gone.h5"));
    put_number(file, 1);
    retc_h5_remove_temporaries();
    ck_assert_int_eq(entries("gone.h5"), 0);
    ck_fails(retc_h5_commit(file), "gone.h5: cannot be written to disk");
    retc_h5_close(file);
    ck_assert_int_eq(entries("gone.h5"), 0);
}
END_TEST

/* More files at a time than the layer remembers for a signal handler. */
START_TEST(many_files_at_a_time) {
    enum { FILES = 20 };
    retc_h5 *files[FILES];
    char path[FILES][512], name[32];
    for (int i = 0; i < FILES; ++i) {
        snprintf(name, sizeof name, "many%02d.h5", i);
        snprintf(path[i], sizeof path[i], "%s", retc_test_path(name));
        files[i] = create(path[i]);
        put_number(files[i], i);
    }
    for (int i = 0; i < FILES; ++i) {
        if (i % 3)
            ck_ok(retc_h5_commit(files[i]));
        retc_h5_close(files[i]);
    }
    ck_assert_int_eq(entries("many"), 13);
    for (int i = 0; i < FILES; ++i)
        if (i % 3)
            ck_assert_double_eq(value_of(path[i]), i);
}
END_TEST

/* ---- full disk ------------------------------------------------------------------------------------------------------- */

enum { BIG = 400000 };

/* Write BIG doubles of noise, which take more than 1.5 MB however they are compressed, at most `limit` bytes of which fit the
 * "disk"; then, with room again, another file.  0 when everything was as it should be. */
static int
fill_disk(const char *path, rlim_t limit, int chunked) {
    struct rlimit room;
    const size_t shape = BIG, chunk = 10000;
    double *noise = retc_calloc(BIG, sizeof *noise);
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_NOISE, 0);
    for (size_t i = 0; i < BIG; ++i)
        noise[i] = gsl_rng_uniform(rng);
    gsl_rng_free(rng);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &room);
    rlim_t before = room.rlim_cur;
    room.rlim_cur = limit;
    setrlimit(RLIMIT_FSIZE, &room);
    retc_h5 *file = retc_h5_create(path, 1);
    int status = file ? RETC_OK : RETC_EIO;
    if (status == RETC_OK)
        status = retc_h5_make(file, "x", RETC_H5_DOUBLE, 1, &shape, chunked ? &chunk : NULL);
    if (status == RETC_OK)
        status = retc_h5_write(file, "x", RETC_H5_DOUBLE, NULL, NULL, noise);
    if (status == RETC_OK)
        status = retc_h5_commit(file);
    const char *message = retc_error_message(), *reason = strstr(message, ": File too large");
    int told =
        status == RETC_EIO && strncmp(message, path, strlen(path)) == 0 && reason && strcmp(reason, ": File too large") == 0;
    if (!told)
        printf("status %d: %s\n", status, retc_error_message());
    int again = file ? retc_h5_commit(file) : RETC_EIO; /* must fail too, and do no harm */
    retc_h5_close(file);
    retc_free(noise);
    room.rlim_cur = before;
    setrlimit(RLIMIT_FSIZE, &room);
    char other[512];
    snprintf(other, sizeof other, "%s.other", path);
    file = retc_h5_create(other, 1);
    double value = 3.5;
    int later = file ? retc_h5_put(file, "value", RETC_H5_DOUBLE, 0, NULL, &value) : RETC_EIO;
    if (later == RETC_OK)
        later = retc_h5_commit(file);
    retc_h5_close(file);
    return !told || again == RETC_OK || later < 0;
}

/* The child ends through exit(), so that what HDF5 does at exit is part of the test; not so under a sanitiser, which would
 * there complain about the memory that HDF5 itself loses with a file that it could not flush. */
static void
leave(int status) {
#ifdef __SANITIZE_ADDRESS__
    _exit(status);
#else
    exit(status);
#endif
}

START_TEST(full_disk_is_an_error_and_nothing_else) {
    static const rlim_t limits[] = {0, 100, 1000, 2000, 5000, 100000, 1000000, 1500000};
    const char *path = retc_test_path("full.h5");
    retc_h5 *file = create(path);
    put_number(file, 4.25);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        leave(fill_disk(path, limits[_i / 2], _i % 2));
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFSIGNALED(status), "killed by signal %d", WTERMSIG(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_double_eq(value_of(path), 4.25);
    char other[512];
    snprintf(other, sizeof other, "%s.other", path);
    ck_assert_double_eq(value_of(other), 3.5);
    ck_assert_int_eq(entries("full.h5"), 2);
}
END_TEST

/* ---- damaged files --------------------------------------------------------------------------------------------------- */

static void
write_bytes(const char *path, const char *data, size_t n) {
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(data, 1, n, out), n);
    ck_assert_int_eq(fclose(out), 0);
}

static void
refuses(const char *path, const char *says) {
    RETC_FAIL(RETC_EINVAL, "nothing");
    ck_assert_ptr_null(retc_h5_open(path));
    const char *message = retc_error_message();
    ck_assert_msg(strstr(message, says) && strncmp(message, path, strlen(path)) == 0 && !strchr(message, '\n'),
                  "\"%s\" does not say \"%s\"", message, says);
}

START_TEST(what_is_no_file_of_ours_is_told) {
    const char *path = retc_test_path("other");
    char nothing[4096] = {0};
    refuses(path, "No such file or directory");
    write_bytes(path, "", 0);
    refuses(path, "the file is empty");
    write_bytes(path, "0.1\n0.2\n", 8);
    refuses(path, "not an HDF5 file");
    write_bytes(path, nothing, sizeof nothing);
    refuses(path, "not an HDF5 file");
    refuses(retc_test_path(""), "is a folder");
    ck_assert_int_eq(mkfifo(retc_test_path("pipe"), 0600), 0);
    refuses(retc_test_path("pipe"), "is a device or a pipe");
}
END_TEST

/* Neither a file that may not be read nor a folder that may not be written to; 0 when both are told. */
static int
meet_locked_doors(const char *file, const char *inside) {
    int bad = retc_h5_open(file) != NULL || !strstr(retc_error_message(), "locked.h5: Permission denied");
    printf("%s\n", retc_error_message());
    bad |= retc_h5_create(inside, 0) != NULL || !strstr(retc_error_message(), "x.h5: cannot be written: Permission denied");
    printf("%s\n", retc_error_message());
    fflush(stdout);
    return bad;
}

/* Root may do everything, so a child process becomes someone else. */
START_TEST(missing_permission_is_told) {
    enum { NOBODY = 65534, CANNOT = 77 };
    const char *scratch = retc_test_path(""), *path = retc_test_path("locked.h5"), *folder = retc_test_path("locked");
    const char *inside = retc_test_path("locked/x.h5");
    retc_h5 *file = create(path);
    put_number(file, 1);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_assert(chmod(path, 0) == 0 && mkdir(folder, 0700) == 0 && chmod(folder, 0555) == 0 && chmod(scratch, 0755) == 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(geteuid() == 0 && setuid(NOBODY) != 0 ? CANNOT : meet_locked_doors(path, inside));
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(chmod(scratch, 0700) == 0 && chmod(folder, 0700) == 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT)
        retc_skip("root may do everything, and cannot become someone else here");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* A file with a chunked and a contiguous array, texts and attributes. */
static size_t
whole_file(const char *path, char *data, size_t room) {
    enum { N = 20000 };
    static float x[N];
    const size_t n = N, four = 4;
    for (size_t i = 0; i < N; ++i)
        x[i] = (float)(i % 97);
    retc_h5 *file = create(path);
    ck_ok(retc_h5_put(file, "train/x", RETC_H5_FLOAT, 1, &n, x));
    ck_ok(retc_h5_put(file, "train/few", RETC_H5_FLOAT, 1, &four, x));
    ck_ok(retc_h5_put_texts(file, "names", 2, (const char *const[]){"ON", "OFF"}));
    ck_ok(retc_h5_set_text(file, "/", "kind", "recording"));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    FILE *in = fopen(path, "rb");
    size_t length = fread(data, 1, room, in);
    fclose(in);
    ck_assert(length > 1000 && length < room);
    return length;
}

/* Cut anywhere, a file is refused: HDF5 stores how long it must be. */
START_TEST(truncated_files_are_refused) {
    static char data[200000];
    const char *path = retc_test_path("whole.h5"), *cut = retc_test_path("cut.h5");
    size_t length = whole_file(path, data, sizeof data);
    for (size_t n = 1; n < length; n += n < 600 ? 7 : 331) {
        write_bytes(cut, data, n);
        refuses(cut, n < 8 ? "not an HDF5 file" : "HDF5 file");
        ck_assert_msg(n < 8 || strstr(retc_error_message(), "truncated") || strstr(retc_error_message(), "damaged"),
                      "%zu bytes: %s", n, retc_error_message());
    }
    write_bytes(cut, data, length - 1);
    refuses(cut, "the HDF5 file is truncated");
    write_bytes(cut, data, length);
    retc_h5 *file = retc_h5_open(cut);
    ck_assert_ptr_nonnull(file);
    retc_h5_close(file);
}
END_TEST

/* A stretch of zeros, as a broken copy leaves it: what can still be read is right or refused, and every refusal names file. */
START_TEST(holes_are_refused_or_harmless) {
    static char data[200000], holed[200000];
    const char *path = retc_test_path("whole.h5"), *bad = retc_test_path("hole.h5");
    size_t length = whole_file(path, data, sizeof data), refused = 0;
    for (size_t at = 0; at + 64 < length; at += 512) {
        float few[4];
        memcpy(holed, data, length);
        memset(holed + at, 0, 64);
        write_bytes(bad, holed, length);
        retc_h5 *file = retc_h5_open(bad);
        int status = file ? retc_h5_read(file, "train/few", RETC_H5_FLOAT, NULL, NULL, few) : RETC_EFORMAT;
        if (status < 0) {
            ++refused;
            ck_assert_msg(strstr(retc_error_message(), "hole.h5: "), "%s", retc_error_message());
        }
        retc_h5_close(file);
    }
    ck_assert_uint_gt(refused, 0);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("h5 files");
    TCase *atomic = tcase_create("atomic"), *damaged = tcase_create("damaged");
    tcase_set_timeout(atomic, 60);
    tcase_add_test(atomic, target_is_untouched_until_commit);
    tcase_add_test(atomic, what_cannot_be_written_is_told);
    tcase_add_test(atomic, many_files_at_a_time);
    tcase_add_loop_test(atomic, full_disk_is_an_error_and_nothing_else, 0, 16);
    tcase_set_timeout(damaged, 60);
    tcase_add_test(damaged, what_is_no_file_of_ours_is_told);
    tcase_add_test(damaged, missing_permission_is_told);
    tcase_add_test(damaged, truncated_files_are_refused);
    tcase_add_test(damaged, holes_are_refused_or_harmless);
    suite_add_tcase(suite, atomic);
    suite_add_tcase(suite, damaged);
    return retc_test_main(suite, NULL);
}

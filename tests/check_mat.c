/* Reading MATLAB files: v5 written by matio and byte by byte, v7.3 written by matio and by HDF5 itself, and what is broken. */
#include <hdf5.h>
#include <matio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "mat.h"
#include "testing.h"

/* ---- files that matio writes ----------------------------------------------------------------------------------------- */

static matvar_t *
numbers(const char *name, enum matio_classes class, enum matio_types type, size_t rows, size_t columns, void *data) {
    size_t shape[2] = {rows, columns};
    matvar_t *var = Mat_VarCreate(name, class, type, 2, shape, data, 0);
    ck_assert_ptr_nonnull(var);
    return var;
}

static void
put(mat_t *file, matvar_t *var, int packed) {
    ck_assert_int_eq(Mat_VarWrite(file, var, packed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(var);
}

static double ramp[24] = {2.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
static int32_t ticks[4] = {-7, 100, 70000, 2000000};
static uint8_t bytes[3] = {0, 128, 255};
static float singles[2] = {0.125F, -3.5F};

/* A cell array of vectors: 3, none and 1 values, one a column and one a row. */
static matvar_t *
cell_array(void) {
    matvar_t *cells[3] = {numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 3, 1, ramp),
                          numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 0, 0, NULL),
                          numbers(NULL, MAT_C_INT32, MAT_T_INT32, 1, 1, ticks + 1)};
    return numbers("spikes", MAT_C_CELL, MAT_T_CELL, 1, 3, cells);
}

/* A structure array of two with fields sp and id, and one structure with a matrix and a cell array in it. */
static matvar_t *
struct_array(void) {
    const char *fields[2] = {"id", "sp"};
    size_t shape[2] = {1, 2};
    matvar_t *var = Mat_VarCreateStruct("SpTimes", 2, shape, fields, 2);
    for (size_t i = 0; i < 2; ++i) {
        Mat_VarSetStructFieldByName(var, "id", i, numbers(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 1, ramp + i));
        Mat_VarSetStructFieldByName(var, "sp", i, numbers(NULL, MAT_C_INT32, MAT_T_INT32, 2, 1, ticks + 2 * i));
    }
    return var;
}

static matvar_t *
nested(void) {
    const char *fields[2] = {"movie", "all"};
    size_t shape[2] = {1, 1};
    matvar_t *var = Mat_VarCreateStruct("data", 2, shape, fields, 2);
    Mat_VarSetStructFieldByName(var, "movie", 0, numbers(NULL, MAT_C_UINT8, MAT_T_UINT8, 1, 3, bytes));
    Mat_VarSetStructFieldByName(var, "all", 0, cell_array());
    return var;
}

/* In the order of their numbers: v5 plain, v5 packed, v7.3. */
static const char *
written_by_matio(int kind) {
    static const char *const names[3] = {"plain.mat", "packed.mat", "hdf5.mat"};
    static char text[] = "salamander";
    const char *path = retc_test_path(names[kind]);
    size_t cube[3] = {2, 3, 4}, letters[2] = {1, 10};
    unlink(path);
    mat_t *file = Mat_CreateVer(path, NULL, kind == 2 ? MAT_FT_MAT73 : MAT_FT_MAT5);
    ck_assert_ptr_nonnull(file);
    put(file, Mat_VarCreate("cube", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, cube, ramp, 0), kind);
    put(file, numbers("ticks", MAT_C_INT32, MAT_T_INT32, 1, 4, ticks), kind);
    put(file, numbers("levels", MAT_C_UINT8, MAT_T_UINT8, 3, 1, bytes), kind);
    put(file, numbers("singles", MAT_C_SINGLE, MAT_T_SINGLE, 2, 1, singles), kind);
    put(file, numbers("empty", MAT_C_DOUBLE, MAT_T_DOUBLE, 0, 3, NULL), kind);
    put(file, Mat_VarCreate("species", MAT_C_CHAR, MAT_T_UTF8, 2, letters, text, 0), kind);
    put(file, cell_array(), kind);
    put(file, struct_array(), kind);
    put(file, nested(), kind);
    Mat_Close(file);
    return path;
}

static retc_mat *
open_mat(const char *path) {
    retc_mat *mat = retc_mat_open(path);
    ck_assert_msg(mat != NULL, "%s", retc_error_message());
    return mat;
}

/* Array i of a name has these values. */
static void
check_values(retc_mat *mat, const char *name, size_t i, size_t n, const double *expected) {
    retc_mat_arrays found;
    double x[64];
    ck_ok(retc_mat_find(mat, name, &found));
    ck_assert_uint_lt(i, found.n);
    ck_assert_uint_eq(found.array[i].n, n);
    ck_ok(retc_mat_read(mat, &found.array[i], NULL, NULL, x));
    if (n > 0)
        ck_close_double(name, x, expected, n, 0, 0);
    retc_mat_arrays_clear(&found);
}

START_TEST(test_written_by_matio) {
    static const double third[2] = {70000, 2000000}, expected_ticks[4] = {-7, 100, 70000, 2000000}, levels[3] = {0, 128, 255},
                        expected_singles[2] = {0.125, -3.5};
    retc_mat *mat = open_mat(written_by_matio(_i));
    retc_mat_arrays found;
    size_t n;
    ck_assert_str_eq(retc_mat_version(mat), _i == 2 ? "v7.3" : "v5");
    retc_mat_names(mat, &n);
    ck_assert_uint_eq(n, 9);
    ck_assert_int_eq(retc_mat_has(mat, "ticks"), 1);
    ck_assert_int_eq(retc_mat_has(mat, "tick"), 0);
    ck_assert_int_eq(retc_mat_has(mat, "data.movie"), 1);
    check_values(mat, "cube", 0, 24, ramp);
    check_values(mat, "ticks", 0, 4, expected_ticks);
    check_values(mat, "levels", 0, 3, levels);
    check_values(mat, "singles", 0, 2, expected_singles);
    check_values(mat, "empty", 0, 0, NULL);
    check_values(mat, "spikes", 0, 3, ramp);
    check_values(mat, "spikes", 1, 0, NULL);
    check_values(mat, "spikes", 2, 1, expected_ticks + 1);
    check_values(mat, "SpTimes.sp", 1, 2, third);
    check_values(mat, "SpTimes.id", 0, 1, ramp);
    check_values(mat, "data.movie", 0, 3, levels);
    check_values(mat, "data.all", 2, 1, expected_ticks + 1);
    ck_ok(retc_mat_find(mat, "cube", &found));
    ck_assert_int_eq(found.is_list, 0);
    ck_assert_int_eq(found.array[0].rank, 3);
    for (size_t d = 0; d < 3; ++d)
        ck_assert_uint_eq(found.array[0].shape[d], d + 2);
    retc_mat_arrays_clear(&found);
    ck_ok(retc_mat_find(mat, "SpTimes.sp", &found));
    ck_assert_int_eq(found.is_list, 1);
    ck_assert_uint_eq(found.n, 2);
    retc_mat_arrays_clear(&found);
    retc_mat_close(mat);
}
END_TEST

/* A box of an array: element (i,j,k) of the 2x3x4 cube is number i + 2 j + 6 k. */
START_TEST(test_box) {
    const size_t start[3] = {1, 0, 2}, count[3] = {1, 2, 2}, far[3] = {1, 2, 2};
    const double expected[4] = {13, 15, 19, 21};
    double x[4];
    retc_mat *mat = open_mat(written_by_matio(_i));
    retc_mat_arrays found;
    ck_ok(retc_mat_find(mat, "cube", &found));
    ck_ok(retc_mat_read(mat, &found.array[0], start, count, x));
    ck_close_double("box", x, expected, 4, 0, 0);
    ck_fails(retc_mat_read(mat, &found.array[0], far, count, x),
             "2 values from 2 on are asked for along axis 2 of cube, which has 3");
    retc_mat_arrays_clear(&found);
    retc_mat_close(mat);
}
END_TEST

START_TEST(test_refused) {
    retc_mat *mat = open_mat(written_by_matio(_i));
    retc_mat_arrays found;
    ck_fails(retc_mat_find(mat, "Stim", &found), "has no variable \"Stim\"; it has: ");
    ck_fails(retc_mat_find(mat, "Stim", &found), "singles");
    ck_fails(retc_mat_find(mat, "species", &found), "species is text, expected numbers");
    ck_fails(retc_mat_find(mat, "data", &found), "data is a structure");
    ck_fails(retc_mat_find(mat, "data.music", &found), "data has no field \"music\"");
    ck_fails(retc_mat_find(mat, "cube.x", &found), "cube is no structure with a field \"x\"");
    retc_mat_close(mat);
}
END_TEST

/* ---- a v5 file byte by byte ------------------------------------------------------------------------------------------ */

typedef struct {
    unsigned char byte[4096];
    size_t n;
    int big; /* byte order */
} buffer;

static void
put_bytes(buffer *b, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; ++i)
        b->byte[b->n++] = (unsigned char)(value >> 8 * (b->big ? n - 1 - i : i));
}

static void
put_tag(buffer *b, uint32_t type, uint32_t n) {
    put_bytes(b, type, 4);
    put_bytes(b, n, 4);
}

static void
pad(buffer *b) {
    while (b->n % 8)
        b->byte[b->n++] = 0;
}

/* Flags, axes and name of an array, from the manual of the format: the name in a small element when it has up to 4 letters. */
static void
put_header(buffer *b, uint32_t class, uint32_t rows, uint32_t columns, const char *name) {
    size_t length = strlen(name);
    put_tag(b, 6, 8);
    put_bytes(b, class, 4);
    put_bytes(b, 0, 4);
    put_tag(b, 5, 8);
    put_bytes(b, rows, 4);
    put_bytes(b, columns, 4);
    if (length <= 4) {
        put_bytes(b, (uint64_t)length << 16 | 1, 4);
        memcpy(b->byte + b->n, name, length);
        b->n += 4;
    } else {
        put_tag(b, 1, (uint32_t)length);
        memcpy(b->byte + b->n, name, length);
        b->n += length;
        pad(b);
    }
}

/* Where an array began, to fill in its length. */
static size_t
begin_array(buffer *b) {
    put_tag(b, 14, 0);
    return b->n;
}

static void
end_array(buffer *b, size_t begin) {
    size_t end = b->n;
    b->n = begin - 4;
    put_bytes(b, end - begin, 4);
    b->n = end;
}

/* dt = 0.0125 (1x1 double); Stim = [3 250 7] (1x3, double stored as bytes, as MATLAB does); sp = {int16 [-2; 300]}. */
static void
by_hand(buffer *b, int big) {
    double dt = 0.0125;
    uint64_t bits;
    memset(b, 0, sizeof *b);
    b->big = big;
    memset(b->byte, ' ', 116);
    memcpy(b->byte, "MATLAB 5.0 MAT-file, by hand", 28);
    b->n = 124;
    put_bytes(b, 0x0100, 2);
    put_bytes(b, 0x4d49, 2);
    size_t array = begin_array(b);
    put_header(b, 6, 1, 1, "dt");
    put_tag(b, 9, 8);
    memcpy(&bits, &dt, 8);
    put_bytes(b, bits, 8);
    end_array(b, array);
    array = begin_array(b);
    put_header(b, 6, 1, 3, "Stimulus");
    put_bytes(b, 3 << 16 | 2, 4);
    memcpy(b->byte + b->n, "\x03\xfa\x07", 4);
    b->n += 4;
    end_array(b, array);
    array = begin_array(b);
    put_header(b, 1, 1, 1, "sp");
    size_t member = begin_array(b);
    put_header(b, 10, 2, 1, "");
    put_bytes(b, 4 << 16 | 3, 4);
    put_bytes(b, (uint16_t)-2, 2);
    put_bytes(b, 300, 2);
    end_array(b, member);
    end_array(b, array);
}

static const char *
write_bytes(const char *path, const unsigned char *content, size_t n) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, n, file), n);
    fclose(file);
    return path;
}

START_TEST(test_by_hand) {
    static const double dt = 0.0125, stimulus[3] = {3, 250, 7}, spikes[2] = {-2, 300};
    buffer b;
    by_hand(&b, _i);
    retc_mat *mat = open_mat(write_bytes(retc_test_path("hand.mat"), b.byte, b.n));
    size_t n;
    char *const *names = retc_mat_names(mat, &n);
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(names[1], "Stimulus");
    check_values(mat, "dt", 0, 1, &dt);
    check_values(mat, "Stimulus", 0, 3, stimulus);
    check_values(mat, "sp", 0, 2, spikes);
    retc_mat_close(mat);
}
END_TEST

/* ---- a v7.3 file by HDF5 itself -------------------------------------------------------------------------------------- */

static hid_t
make_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *shape, const void *data, const char *class) {
    hid_t space = H5Screate_simple(rank, shape, NULL), links = H5Pcreate(H5P_LINK_CREATE), text = H5Tcopy(H5T_C_S1);
    H5Pset_create_intermediate_group(links, 1);
    hid_t id = H5Dcreate2(file, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Tset_size(text, strlen(class));
    hid_t scalar = H5Screate(H5S_SCALAR), attribute = H5Acreate2(id, "MATLAB_class", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, text, class);
    H5Aclose(attribute);
    H5Sclose(scalar);
    H5Tclose(text);
    H5Pclose(links);
    H5Sclose(space);
    return id;
}

static void
mark_empty(hid_t id) {
    int one = 1;
    hid_t scalar = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(id, "MATLAB_empty", H5T_STD_U8LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT, &one);
    H5Aclose(attribute);
    H5Sclose(scalar);
}

/* Two cells, one of them empty; the second file has a cell array that holds itself. */
static const char *
written_by_hdf5(int loop) {
    const char *path = retc_test_path(loop ? "loop.mat" : "reference.mat");
    char header[512] = "MATLAB 7.3 MAT-file, by HDF5";
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(creation, 512);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, H5P_DEFAULT);
    const double spikes[3] = {0.5, 0.75, 4};
    const uint64_t size[2] = {0, 0};
    hobj_ref_t to[2] = {0, 0};
    H5Dclose(make_dataset(file, "Stim", H5T_NATIVE_DOUBLE, 3, (const hsize_t[]){4, 3, 2}, ramp, "double"));
    H5Dclose(make_dataset(file, "#refs#/a", H5T_NATIVE_DOUBLE, 2, (const hsize_t[]){1, 3}, spikes, "double"));
    hid_t empty = make_dataset(file, "#refs#/b", H5T_NATIVE_UINT64, 1, (const hsize_t[]){2}, size, "double");
    mark_empty(empty);
    H5Dclose(empty);
    hid_t cells = make_dataset(file, "cells", H5T_STD_REF_OBJ, 2, (const hsize_t[]){2, 1}, to, "cell");
    H5Rcreate(&to[0], file, "#refs#/a", H5R_OBJECT, -1);
    H5Rcreate(&to[1], file, loop ? "cells" : "#refs#/b", H5R_OBJECT, -1);
    if (loop)
        to[0] = to[1];
    H5Dwrite(cells, H5T_STD_REF_OBJ, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
    H5Dclose(cells);
    H5Fclose(file);
    H5Pclose(creation);
    FILE *raw = fopen(path, "r+b");
    ck_assert_ptr_nonnull(raw);
    fwrite(header, 1, sizeof header, raw);
    fclose(raw);
    return path;
}

START_TEST(test_written_by_hdf5) {
    const double spikes[3] = {0.5, 0.75, 4};
    retc_mat *mat = open_mat(written_by_hdf5(0));
    retc_mat_arrays found;
    ck_ok(retc_mat_find(mat, "Stim", &found));
    ck_assert_int_eq(found.array[0].rank, 3);
    for (size_t d = 0; d < 3; ++d)
        ck_assert_uint_eq(found.array[0].shape[d], d + 2);
    retc_mat_arrays_clear(&found);
    check_values(mat, "Stim", 0, 24, ramp);
    check_values(mat, "cells", 0, 3, spikes);
    check_values(mat, "cells", 1, 0, NULL);
    retc_mat_close(mat);
    mat = open_mat(written_by_hdf5(1));
    ck_fails(retc_mat_find(mat, "cells", &found), "cells are nested too deeply");
    retc_mat_close(mat);
}
END_TEST

/* ---- what is broken -------------------------------------------------------------------------------------------------- */

/* Whatever comes of it: no crash, and a reason when it fails. */
static void
try_everything(const char *path) {
    retc_mat *mat = retc_mat_open(path);
    size_t n = 0;
    char *const *names = mat ? retc_mat_names(mat, &n) : NULL;
    for (size_t i = 0; i < n; ++i) {
        static const char *const fields[] = {"", ".sp", ".all"};
        for (size_t f = 0; f < 3; ++f) {
            retc_mat_arrays found = {0};
            char *name = retc_strf("%s%s", names[i], fields[f]);
            int status = retc_mat_find(mat, name, &found);
            for (size_t k = 0; status == RETC_OK && k < found.n && found.array[k].n < 100000; ++k) {
                double *x = retc_calloc(found.array[k].n + 1, sizeof *x);
                status = retc_mat_read(mat, &found.array[k], NULL, NULL, x);
                retc_free(x);
            }
            ck_assert_msg(status == RETC_OK || retc_error_message()[0], "no reason");
            retc_mat_arrays_clear(&found);
            retc_free(name);
        }
    }
    retc_mat_close(mat);
}

static unsigned char *
read_bytes(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    unsigned char *content = malloc(*n);
    ck_assert_uint_eq(fread(content, 1, *n, file), *n);
    fclose(file);
    return content;
}

static void
patch(const char *path, size_t at, unsigned char value) {
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, (long)at, SEEK_SET);
    fputc(value, file);
    fclose(file);
}

/* Every byte after the text of the header replaced by what hurts most; then the file cut shorter and shorter. */
START_TEST(test_mutations) {
    static const unsigned char values[] = {0, 0x7f, 0xff, 14};
    buffer hand;
    size_t n;
    const char *path = retc_test_path("hand.mat");
    by_hand(&hand, _i == 3);
    path = _i < 2 ? written_by_matio(_i) : write_bytes(path, hand.byte, hand.n);
    unsigned char *content = read_bytes(path, &n);
    for (size_t at = 116; at < n; ++at) {
        for (size_t v = 0; v < sizeof values; ++v) {
            patch(path, at, values[v] == content[at] ? (unsigned char)(content[at] + 1) : values[v]);
            try_everything(path);
        }
        patch(path, at, content[at]);
    }
    for (size_t left = n; left >= 3; left -= 3) {
        ck_assert_int_eq(truncate(path, (off_t)left - 3), 0);
        try_everything(path);
    }
    free(content);
}
END_TEST

START_TEST(test_no_mat_file) {
    static const struct { const char *content, *says; } cases[] = {{"", "not a MATLAB file"}, {"hello", "not a MATLAB file"}};
    const char *path = retc_test_path("no.mat");
    for (size_t i = 0; i < 2; ++i) {
        write_bytes(path, (const unsigned char *)cases[i].content, strlen(cases[i].content));
        ck_assert_ptr_null(retc_mat_open(path));
        ck_assert_ptr_nonnull(strstr(retc_error_message(), cases[i].says));
    }
    ck_assert_ptr_null(retc_mat_open(retc_test_path("absent.mat")));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "No such file"));
    buffer hand;
    by_hand(&hand, 0);
    ck_assert_ptr_null(retc_mat_open(write_bytes(path, hand.byte, hand.n - 8)));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "damaged MATLAB file: "));
}
END_TEST

static Suite *
mat_suite(void) {
    Suite *suite = suite_create("mat");
    TCase *good = tcase_create("good"), *broken = tcase_create("broken");
    tcase_add_loop_test(good, test_written_by_matio, 0, 3);
    tcase_add_loop_test(good, test_box, 0, 3);
    tcase_add_loop_test(good, test_refused, 0, 3);
    tcase_add_loop_test(good, test_by_hand, 0, 2);
    tcase_add_test(good, test_written_by_hdf5);
    tcase_add_test(broken, test_no_mat_file);
    tcase_add_loop_test(broken, test_mutations, 0, 4);
    tcase_set_timeout(broken, 120);
    suite_add_tcase(suite, good);
    suite_add_tcase(suite, broken);
    return suite;
}

int
main(void) {
    return retc_test_main(mat_suite(), NULL);
}

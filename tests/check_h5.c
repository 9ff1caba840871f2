/* What the layer over HDF5 writes and reads.  Where a mistake that reading and writing share could hide, the file is made or
 * looked at by HDF5's own functions. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5.h"
#include "testing.h"

static retc_h5 *
create(const char *path) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    return file;
}

static retc_h5 *
reopen(retc_h5 *file) {
    char path[512];
    snprintf(path, sizeof path, "%s", retc_h5_path(file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    ck_assert_str_eq(retc_h5_path(file), path);
    return file;
}

/* A file of HDF5's own functions, and its root. */
static hid_t
raw_create(const char *path) {
    hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(id >= 0);
    return id;
}

static hid_t
raw_open(const char *path) {
    hid_t id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(id >= 0);
    return id;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

static const retc_h5_type types[] = {RETC_H5_FLOAT, RETC_H5_DOUBLE, RETC_H5_INT64, RETC_H5_UINT8};
static const char *const stored[] = {"f4", "f8", "i8", "u1"};
enum { TYPES = 4, MOST = 2 * 3 * 4 * 2 * 3 * 2 };

static void
set_value(void *data, int type, size_t i, double value) {
    if (type == 0)
        ((float *)data)[i] = (float)value;
    else if (type == 1)
        ((double *)data)[i] = value;
    else if (type == 2)
        ((int64_t *)data)[i] = (int64_t)value;
    else
        ((uint8_t *)data)[i] = (uint8_t)value;
}

static double
get_value(const void *data, int type, size_t i) {
    return type == 0   ? (double)((const float *)data)[i]
           : type == 1 ? ((const double *)data)[i]
           : type == 2 ? (double)((const int64_t *)data)[i]
                       : (double)((const uint8_t *)data)[i];
}

/* Every type as every other, in every rank; the values fit all of them. */
START_TEST(every_type_and_rank_comes_back) {
    static const size_t shape[RETC_H5_MAX_RANK] = {2, 3, 4, 2, 3, 2};
    int rank = _i;
    size_t n = 1, found[RETC_H5_MAX_RANK];
    char name[32];
    double data[MOST];
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    retc_h5 *file = create(retc_test_path("types.h5"));
    for (int w = 0; w < TYPES; ++w) {
        for (size_t i = 0; i < n; ++i)
            set_value(data, w, i, (double)((i * 37 + 11) % 256));
        snprintf(name, sizeof name, "a/group/%s", stored[w]);
        ck_ok(retc_h5_put(file, name, types[w], rank, shape, data));
    }
    file = reopen(file);
    for (int w = 0; w < TYPES; ++w) {
        int found_rank = -1;
        snprintf(name, sizeof name, "/a/group/%s", stored[w]);
        ck_assert_str_eq(retc_h5_stored_type(file, name), stored[w]);
        ck_assert_int_eq(retc_h5_is_uint8(file, name), w == 3);
        ck_ok(retc_h5_shape(file, name, &found_rank, found));
        ck_assert_int_eq(found_rank, rank);
        ck_assert_int_eq(memcmp(found, shape, (size_t)rank * sizeof *shape), 0);
        for (int r = 0; r < TYPES; ++r) {
            void *read = NULL;
            ck_ok(retc_h5_read_new(file, name, types[r], rank, found, &read));
            for (size_t i = 0; i < n; ++i)
                ck_assert_double_eq(get_value(read, r, i), (double)((i * 37 + 11) % 256));
            retc_free(read);
        }
    }
    retc_h5_close(file);
}
END_TEST

/* Each type at its limits, bit for bit; what has no place in the narrower type becomes its nearest. */
START_TEST(extreme_values_come_back) {
    const double doubles[] = {(double)NAN, HUGE_VAL, -HUGE_VAL, -0.0, 5e-324, 1.7976931348623157e308, 2.385};
    const float floats[] = {NAN, INFINITY, -INFINITY, -0.0f, 1e-45f, 3.4028235e38f, 2.385f};
    const int64_t whole[] = {INT64_MIN, INT64_MAX, -1, ((int64_t)1 << 53) + 1};
    double d[7];
    float f[7];
    int64_t w[4];
    uint8_t b[4];
    size_t seven = 7, four = 4;
    retc_h5 *file = create(retc_test_path("extreme.h5"));
    ck_ok(retc_h5_put(file, "d", RETC_H5_DOUBLE, 1, &seven, doubles));
    ck_ok(retc_h5_put(file, "f", RETC_H5_FLOAT, 1, &seven, floats));
    ck_ok(retc_h5_put(file, "w", RETC_H5_INT64, 1, &four, whole));
    file = reopen(file);
    ck_ok(retc_h5_read(file, "d", RETC_H5_DOUBLE, NULL, NULL, d));
    ck_ok(retc_h5_read(file, "f", RETC_H5_FLOAT, NULL, NULL, f));
    ck_ok(retc_h5_read(file, "w", RETC_H5_INT64, NULL, NULL, w));
    ck_assert_int_eq(memcmp(d, doubles, sizeof d), 0);
    ck_assert_int_eq(memcmp(f, floats, sizeof f), 0);
    ck_assert_int_eq(memcmp(w, whole, sizeof w), 0);
    ck_ok(retc_h5_read(file, "w", RETC_H5_UINT8, NULL, NULL, b));
    ck_assert(b[0] == 0 && b[1] == 255 && b[2] == 0 && b[3] == 255);
    ck_ok(retc_h5_read(file, "d", RETC_H5_FLOAT, NULL, NULL, f));
    ck_assert(isnan(f[0]) && isinf(f[5]) && f[6] == 2.385f);
    retc_h5_close(file);
}
END_TEST

/* Large arrays are chunked, shuffled and compressed, as HDF5 itself tells; small and empty ones are not, and come back too. */
START_TEST(large_arrays_are_compressed) {
    static const size_t shapes[][3] = {{1, 1, 16384}, {1, 1, 16385}, {300, 70, 3}, {3, 300, 300}, {0, 5, 7}};
    const size_t *shape = shapes[_i], n = shape[0] * shape[1] * shape[2];
    const char *path = retc_test_path("large.h5");
    float *data = retc_calloc(n, sizeof *data);
    void *read = NULL;
    for (size_t i = 0; i < n; ++i)
        data[i] = (float)(i % 1009) * 0.37f;
    retc_h5 *file = create(path);
    ck_ok(retc_h5_put(file, "x", RETC_H5_FLOAT, 3, shape, data));
    file = reopen(file);
    ck_ok(retc_h5_read_new(file, "x", RETC_H5_FLOAT, 3, NULL, &read));
    ck_assert_int_eq(memcmp(read, data, n * sizeof *data), 0);
    retc_free(read), retc_free(data);
    retc_h5_close(file);

    hid_t id = raw_open(path), dataset = H5Dopen2(id, "x", H5P_DEFAULT), list = H5Dget_create_plist(dataset);
    int large = n * sizeof *data > 65536;
    ck_assert_int_eq(H5Pget_layout(list), large ? H5D_CHUNKED : H5D_CONTIGUOUS);
    if (large) {
        unsigned flags, config, level[1] = {0};
        size_t values = 1;
        hsize_t chunk[3];
        ck_assert_int_eq(H5Pget_nfilters(list), 2);
        ck_assert_int_eq(H5Pget_filter2(list, 0, &flags, &values, level, 0, NULL, &config), H5Z_FILTER_SHUFFLE);
        values = 1;
        ck_assert_int_eq(H5Pget_filter2(list, 1, &flags, &values, level, 0, NULL, &config), H5Z_FILTER_DEFLATE);
        ck_assert_uint_eq(level[0], 1);
        ck_assert_int_eq(H5Pget_chunk(list, 3, chunk), 3);
        for (int d = 0; d < 3; ++d)
            ck_assert(chunk[d] >= 1 && chunk[d] <= shape[d]);
        ck_assert_uint_le(chunk[0] * chunk[1] * chunk[2] * sizeof *data, 1 << 18);
        ck_assert_uint_lt(H5Dget_storage_size(dataset), n * sizeof *data / 2);
    }
    H5Pclose(list), H5Dclose(dataset), H5Fclose(id);
}
END_TEST

/* More datasets than the layer keeps open, written row by row in turns, with chunks that do not divide the shape. */
START_TEST(slabs_go_where_they_belong) {
    enum { DATASETS = 20, ROWS = 7, COLUMNS = 5 };
    const size_t shape[2] = {ROWS, COLUMNS}, chunk[2] = {3, 100};
    retc_h5 *file = create(retc_test_path("slabs.h5"));
    char name[32];
    for (size_t k = 0; k < DATASETS; ++k) {
        snprintf(name, sizeof name, "/set%zu/x", k);
        ck_ok(retc_h5_make(file, name, RETC_H5_INT64, 2, shape, k % 2 ? chunk : NULL));
    }
    for (size_t row = 0; row < ROWS; ++row)
        for (size_t k = 0; k < DATASETS; ++k) {
            const size_t start[2] = {row, 0}, count[2] = {1, COLUMNS};
            double line[COLUMNS];
            for (size_t i = 0; i < COLUMNS; ++i)
                line[i] = (double)(k * 1000 + row * 10 + i);
            snprintf(name, sizeof name, "/set%zu/x", k);
            ck_ok(retc_h5_write(file, name, RETC_H5_DOUBLE, start, count, line));
        }
    file = reopen(file);
    for (size_t k = 0; k < DATASETS; ++k) {
        const size_t start[2] = {2, 1}, count[2] = {4, 3}, none[2] = {0, 3};
        int64_t slab[12], rest[5 * 4];
        snprintf(name, sizeof name, "/set%zu/x", k);
        ck_ok(retc_h5_read(file, name, RETC_H5_INT64, start, count, slab));
        for (size_t i = 0; i < 12; ++i)
            ck_assert_int_eq(slab[i], (int64_t)(k * 1000 + (2 + i / 3) * 10 + 1 + i % 3));
        ck_ok(retc_h5_read(file, name, RETC_H5_INT64, start, NULL, rest)); /* from the start to the end */
        for (size_t i = 0; i < 20; ++i)
            ck_assert_int_eq(rest[i], (int64_t)(k * 1000 + (2 + i / 4) * 10 + 1 + i % 4));
        ck_ok(retc_h5_read(file, name, RETC_H5_INT64, NULL, count, slab)); /* from 0 */
        ck_assert_int_eq(slab[11], (int64_t)(k * 1000 + 32));
        slab[0] = -1;
        ck_ok(retc_h5_read(file, name, RETC_H5_INT64, start, none, slab)); /* nothing */
        ck_assert_int_eq(slab[0], -1);
    }
    retc_h5_close(file);
}
END_TEST

/* ---- what is asked for wrongly --------------------------------------------------------------------------------------- */

START_TEST(wrong_shapes_and_names_are_told) {
    const size_t shape[2] = {3, 4}, other[2] = {0, 5}, same[2] = {3, 0};
    size_t found[RETC_H5_MAX_RANK];
    float data[12] = {0}, out[64];
    int rank;
    void *read = out;
    const char *path = retc_test_path("wrong.h5");
    retc_h5 *file = create(path);
    ck_ok(retc_h5_put(file, "group/x", RETC_H5_FLOAT, 2, shape, data));
    ck_ok(retc_h5_put_text(file, "note", "text"));
    file = reopen(file);
    ck_ok(retc_h5_expect(file, "group/x", 2, same, found));
    ck_assert(found[0] == 3 && found[1] == 4);
    ck_ok(retc_h5_expect(file, "group/x", 2, NULL, NULL));
    ck_fails(retc_h5_expect(file, "group/x", 2, other, found), "wrong.h5: dataset \"group/x\" is (3,4), expected (any,5)");
    ck_fails(retc_h5_expect(file, "group/x", 3, NULL, found), "is (3,4), expected (any,any,any)");
    ck_fails(retc_h5_read_new(file, "group/x", RETC_H5_FLOAT, 1, found, &read), "is (3,4), expected (any)");
    ck_assert_ptr_eq(read, out);
    ck_fails(retc_h5_shape(file, "group/y", &rank, found), "wrong.h5: dataset \"group/y\" is missing");
    ck_fails(retc_h5_shape(file, "group/x/y", &rank, found), "\"group/x/y\" is missing");
    ck_fails(retc_h5_shape(file, "group", &rank, found), "\"group\" is not a dataset");
    ck_fails(retc_h5_read(file, "note", RETC_H5_FLOAT, NULL, NULL, out), "wrong.h5: cannot read \"note\"");
    ck_assert_str_eq(retc_h5_stored_type(file, "note"), "text");
    ck_assert_str_eq(retc_h5_stored_type(file, "nowhere"), "other");
    ck_assert_int_eq(retc_h5_is_uint8(file, "nowhere"), 0);
    ck_assert(retc_h5_has(file, "/") && retc_h5_has(file, "group") && retc_h5_has(file, "/group/x"));
    ck_assert(!retc_h5_has(file, "x") && !retc_h5_has(file, "group/x/y") && !retc_h5_has(file, "nowhere/x"));
    retc_h5_close(file);
}
END_TEST

/* Also where start and count together are more than a size_t holds. */
START_TEST(slabs_beyond_the_end_are_refused) {
    static const size_t bad[][4] = {{0, 0, 4, 4}, {3, 0, 1, 4},        {1, 2, 2, 3},
                                    {0, 4, 1, 1}, {0, SIZE_MAX, 1, 2}, {SIZE_MAX - 1, 0, 4, 1}};
    const size_t shape[2] = {3, 4}, beyond[2] = {4, 0};
    float data[12] = {0}, out[64];
    retc_h5 *file = create(retc_test_path("beyond.h5"));
    ck_ok(retc_h5_put(file, "x", RETC_H5_FLOAT, 2, shape, data));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        const char *says = i < 4 ? "beyond.h5: \"x\": elements up to" : "beyond.h5: ";
        ck_fails(retc_h5_read(file, "x", RETC_H5_FLOAT, bad[i], bad[i] + 2, out), says);
        ck_fails(retc_h5_write(file, "x", RETC_H5_FLOAT, bad[i], bad[i] + 2, out), says);
    }
    ck_fails(retc_h5_read(file, "x", RETC_H5_FLOAT, bad[0], bad[0] + 2, out), "up to 4 of axis 0 are asked for, it has 3");
    ck_fails(retc_h5_read(file, "x", RETC_H5_FLOAT, beyond, NULL, out), "beyond.h5: ");
    retc_h5_close(file);
}
END_TEST

/* Element types of other programs, and how they are named. */
START_TEST(stored_types_are_named) {
    const char *path = retc_test_path("stored.h5");
    const hid_t made[] = {H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_STD_I8LE,  H5T_STD_U8BE,  H5T_STD_I16LE, H5T_STD_U16LE,
                          H5T_STD_I32BE,  H5T_STD_U32LE,  H5T_STD_I64LE, H5T_STD_U64LE, H5T_C_S1,      H5T_STD_B8LE};
    static const char *const names[] = {"f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "text", "other"};
    hid_t id = raw_create(path), space = H5Screate(H5S_SCALAR);
    char name[16];
    for (size_t i = 0; i < sizeof made / sizeof *made; ++i) {
        snprintf(name, sizeof name, "x%zu", i);
        H5Dclose(H5Dcreate2(id, name, made[i], space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
    H5Sclose(space), H5Fclose(id);
    retc_h5 *file = retc_h5_open(path);
    for (size_t i = 0; i < sizeof made / sizeof *made; ++i) {
        snprintf(name, sizeof name, "x%zu", i);
        ck_assert_str_eq(retc_h5_stored_type(file, name), names[i]);
        ck_assert_int_eq(retc_h5_is_uint8(file, name), strcmp(names[i], "u1") == 0);
    }
    retc_h5_close(file);
}
END_TEST

/* Seven dimensions, which no file here has; an element type that is neither number nor text; a name that is taken. */
START_TEST(strange_datasets_are_refused) {
    const char *path = retc_test_path("strange.h5");
    hsize_t dims[7] = {1, 1, 1, 1, 1, 1, 2};
    hid_t id = raw_create(path), space = H5Screate_simple(7, dims, NULL), pair = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(pair, "a", 0, H5T_NATIVE_INT), H5Tinsert(pair, "b", 4, H5T_NATIVE_FLOAT);
    H5Dclose(H5Dcreate2(id, "seven", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space), space = H5Screate(H5S_SCALAR);
    H5Dclose(H5Dcreate2(id, "pair", pair, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space), H5Tclose(pair), H5Fclose(id);
    retc_h5 *file = retc_h5_open(path);
    size_t shape[RETC_H5_MAX_RANK], n;
    int rank;
    float x[2];
    char **texts;
    ck_fails(retc_h5_shape(file, "seven", &rank, shape), "\"seven\" has 7 dimensions");
    ck_fails(retc_h5_read(file, "seven", RETC_H5_FLOAT, NULL, NULL, x), "\"seven\" has 7 dimensions");
    ck_assert_str_eq(retc_h5_stored_type(file, "pair"), "other");
    ck_fails(retc_h5_read(file, "pair", RETC_H5_FLOAT, NULL, NULL, x), "cannot read \"pair\"");
    ck_fails(retc_h5_read_texts(file, "pair", &texts, &n), "\"pair\" holds no text");
    retc_h5_close(file);
    file = create(retc_test_path("taken.h5"));
    ck_ok(retc_h5_put(file, "x", RETC_H5_FLOAT, 0, NULL, x));
    ck_fails(retc_h5_put(file, "x", RETC_H5_FLOAT, 0, NULL, x), "taken.h5: cannot write \"x\"");
    ck_fails(retc_h5_put(file, "x/y", RETC_H5_FLOAT, 0, NULL, x), "cannot write \"x/y\"");
    ck_fails(retc_h5_put_text(file, "x", "again"), "cannot write \"x\"");
    retc_h5_close(file);
}
END_TEST

/* ---- text ------------------------------------------------------------------------------------------------------------ */

static const char *const words[] = {"ON", "", "g\303\244nglion cell", "four", "a much longer one, with spaces  "};
enum { WORDS = 5 };

START_TEST(texts_come_back) {
    const char *path = retc_test_path("text.h5");
    char **texts = NULL, *text = NULL;
    size_t n = 9;
    retc_h5 *file = create(path);
    ck_ok(retc_h5_put_texts(file, "list/words", WORDS, words));
    ck_ok(retc_h5_put_texts(file, "list/none", 0, NULL));
    ck_ok(retc_h5_put_fixed_texts(file, "list/fixed", WORDS, 4, words));
    for (int i = 0; i < WORDS; ++i) {
        char name[16];
        snprintf(name, sizeof name, "word%d", i);
        ck_ok(retc_h5_put_text(file, name, words[i]));
        ck_ok(retc_h5_set_text(file, "list", name, words[i]));
    }
    file = reopen(file);
    ck_ok(retc_h5_read_texts(file, "list/words", &texts, &n));
    ck_assert_uint_eq(n, WORDS);
    for (int i = 0; i < WORDS; ++i) {
        char name[16];
        ck_assert_str_eq(texts[i], words[i]);
        snprintf(name, sizeof name, "word%d", i);
        ck_ok(retc_h5_read_text(file, name, &text));
        ck_assert_str_eq(text, words[i]);
        retc_free(text);
        ck_ok(retc_h5_get_text(file, "list", name, &text));
        ck_assert_str_eq(text, words[i]);
        retc_free(text);
    }
    retc_free(texts);
    ck_ok(retc_h5_read_texts(file, "list/none", &texts, &n));
    ck_assert_uint_eq(n, 0);
    retc_free(texts);
    ck_ok(retc_h5_read_texts(file, "list/fixed", &texts, &n)); /* cut after four bytes */
    static const char *const cut[WORDS] = {"ON", "", "g\303\244n", "four", "a mu"};
    ck_assert_uint_eq(n, WORDS);
    for (int i = 0; i < WORDS; ++i)
        ck_assert_str_eq(texts[i], cut[i]);
    retc_free(texts);
    retc_h5_close(file);

    /* What others will see: the fixed ones null-padded and four bytes long, a scalar marked ASCII when it is. */
    hid_t id = raw_open(path), fixed = H5Dopen2(id, "list/fixed", H5P_DEFAULT), type = H5Dget_type(fixed);
    ck_assert(H5Tget_size(type) == 4 && H5Tget_strpad(type) == H5T_STR_NULLPAD && !H5Tis_variable_str(type));
    H5Tclose(type), H5Dclose(fixed);
    for (int i = 0; i < WORDS; ++i) {
        char name[16];
        snprintf(name, sizeof name, "word%d", i);
        hid_t word = H5Dopen2(id, name, H5P_DEFAULT);
        type = H5Dget_type(word);
        ck_assert_int_eq(H5Tget_cset(type), i == 2 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
        ck_assert(H5Tis_variable_str(type));
        H5Tclose(type), H5Dclose(word);
    }
    H5Fclose(id);
}
END_TEST

/* Strings of six bytes as other programs store them: what follows the text is padding. */
static const struct {
    H5T_str_t padding;
    char stored[3][7];
    const char *expected[3];
} paddings[] = {{H5T_STR_NULLTERM, {"ON\0xyz", "a b\0\0", "\0junk"}, {"ON", "a b", ""}},
                {H5T_STR_NULLPAD, {"ON\0\0\0", "sixsix", "a b \0"}, {"ON", "sixsix", "a b "}},
                {H5T_STR_SPACEPAD, {"ON    ", "sixsix", "      "}, {"ON", "sixsix", ""}}};
enum { PADDINGS = 3 };

START_TEST(padded_strings_of_others_are_read) {
    const char *path = retc_test_path("padded.h5");
    hsize_t three = 3;
    hid_t id = raw_create(path), type = H5Tcopy(H5T_C_S1), list = H5Screate_simple(1, &three, NULL),
          one = H5Screate(H5S_SCALAR);
    char block[18];
    for (int i = 0; i < 3; ++i)
        memcpy(block + 6 * i, paddings[_i].stored[i], 6);
    H5Tset_size(type, 6), H5Tset_strpad(type, paddings[_i].padding);
    hid_t dataset = H5Dcreate2(id, "list", type, list, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) >= 0);
    for (int i = 0; i < 3; ++i) {
        const char name[2] = {(char)('a' + i), '\0'};
        hid_t attribute = H5Acreate2(dataset, name, type, one, H5P_DEFAULT, H5P_DEFAULT);
        ck_assert(H5Awrite(attribute, type, block + 6 * i) >= 0);
        H5Aclose(attribute);
    }
    H5Dclose(dataset), H5Sclose(list), H5Sclose(one), H5Tclose(type), H5Fclose(id);
    retc_h5 *file = retc_h5_open(path);
    char **texts = NULL, *text = NULL;
    size_t n = 0;
    ck_ok(retc_h5_read_texts(file, "list", &texts, &n));
    ck_assert_uint_eq(n, 3);
    for (int i = 0; i < 3; ++i) {
        const char name[2] = {(char)('a' + i), '\0'};
        ck_assert_str_eq(texts[i], paddings[_i].expected[i]);
        ck_ok(retc_h5_get_text(file, "list", name, &text));
        ck_assert_str_eq(text, paddings[_i].expected[i]);
        retc_free(text);
    }
    retc_free(texts);
    retc_h5_close(file);
}
END_TEST

/* ---- attributes ------------------------------------------------------------------------------------------------------ */

START_TEST(attributes_come_back) {
    double value = 7;
    char *text = NULL, *name = NULL;
    size_t n = 0;
    const size_t three = 3;
    const float x[3] = {0};
    retc_h5 *file = create(retc_test_path("attributes.h5"));
    ck_ok(retc_h5_put(file, "g/x", RETC_H5_FLOAT, 1, &three, x));
    ck_ok(retc_h5_set_text(file, "/", "version", "0.1"));
    ck_ok(retc_h5_set_number(file, "g/x", "interval", 0.1)); /* 0.1 is no float: it must be kept as double */
    ck_ok(retc_h5_set_int(file, "g/x", "count", ((int64_t)1 << 53) - 1));
    ck_ok(retc_h5_set_text(file, "g", "kind", "first"));
    ck_ok(retc_h5_set_text(file, "g", "kind", "second")); /* replaced */
    ck_ok(retc_h5_set_number(file, "g", "kind2", -2.385));
    ck_fails(retc_h5_set_text(file, "h", "kind", "x"), "attributes.h5: \"h\" is missing, attribute \"kind\" has no owner");
    file = reopen(file);
    ck_assert_int_eq(retc_h5_get_number(file, "g/x", "interval", &value), 1);
    ck_assert(value == 0.1);
    ck_assert_int_eq(retc_h5_get_number(file, "g/x", "count", &value), 1);
    ck_assert(value == 9007199254740991.0);
    ck_assert_int_eq(retc_h5_get_number(file, "g/x", "nowhere", &value), 0);
    ck_assert_int_eq(retc_h5_get_number(file, "nowhere", "interval", &value), 0);
    ck_assert(value == 9007199254740991.0);
    ck_fails(retc_h5_get_number(file, "g", "kind", &value), "attribute \"kind\" of \"g\" is not one number");
    ck_fails(retc_h5_get_text(file, "g", "nowhere", &text), "attribute \"nowhere\" of \"g\" is missing");
    ck_fails(retc_h5_get_text(file, "g/x", "count", &text), "\"count\" holds no text");
    ck_ok(retc_h5_get_text(file, "/", "version", &text));
    ck_assert_str_eq(text, "0.1");
    retc_free(text);
    ck_ok(retc_h5_attribute_count(file, "g", &n));
    ck_assert_uint_eq(n, 2);
    static const char *const names[2] = {"kind", "kind2"}, *const values[2] = {"second", "-2.385"};
    for (size_t i = 0; i < n; ++i) {
        ck_ok(retc_h5_attribute_text(file, "g", i, &name, &text));
        ck_assert_str_eq(name, names[i]);
        ck_assert_str_eq(text, values[i]);
        retc_free(name), retc_free(text);
    }
    ck_fails(retc_h5_attribute_text(file, "g", 2, &name, &text), "cannot read \"g\"");
    ck_fails(retc_h5_attribute_count(file, "nowhere", &n), "cannot read \"nowhere\"");
    retc_h5_close(file);
}
END_TEST

START_TEST(attributes_of_several_values_are_counted) {
    const char *path = retc_test_path("several.h5");
    const double data[3] = {1, 2, 3};
    hsize_t three = 3;
    hid_t id = raw_create(path), space = H5Screate_simple(1, &three, NULL);
    hid_t attribute = H5Acreate2(id, "range", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Awrite(attribute, H5T_NATIVE_DOUBLE, data) >= 0);
    H5Aclose(attribute), H5Sclose(space), H5Fclose(id);
    retc_h5 *file = retc_h5_open(path);
    char *name, *text;
    double value;
    ck_ok(retc_h5_attribute_text(file, "/", 0, &name, &text));
    ck_assert_str_eq(name, "range");
    ck_assert_str_eq(text, "(3 values)");
    ck_fails(retc_h5_get_number(file, "/", "range", &value), "is not one number");
    retc_free(name), retc_free(text);
    retc_h5_close(file);
}
END_TEST

/* ---- walking --------------------------------------------------------------------------------------------------------- */

typedef struct {
    char seen[256];
    int stop_after;
} walk;

static int
note_object(void *context, const char *name, int is_dataset) {
    walk *w = context;
    size_t used = strlen(w->seen);
    snprintf(w->seen + used, sizeof w->seen - used, "%s%s ", name, is_dataset ? "" : "/");
    return --w->stop_after == 0 ? RETC_FAIL(RETC_ENUMBER, "enough") : RETC_OK;
}

START_TEST(members_and_visits_are_in_order) {
    char **names = NULL;
    size_t n = 0;
    walk all = {.stop_after = -1}, two = {.stop_after = 2};
    retc_h5 *file = create(retc_test_path("walk.h5"));
    static const char *const paths[] = {"b/z", "b/a", "a10", "a9", "b/c/deep"};
    for (int i = 0; i < 5; ++i)
        ck_ok(retc_h5_put(file, paths[i], RETC_H5_INT64, 0, NULL, &(int64_t){i}));
    file = reopen(file);
    ck_ok(retc_h5_members(file, "/", &names, &n));
    ck_assert_uint_eq(n, 3);
    ck_assert(strcmp(names[0], "a10") == 0 && strcmp(names[1], "a9") == 0 && strcmp(names[2], "b") == 0);
    retc_free(names);
    ck_ok(retc_h5_members(file, "b", &names, &n));
    ck_assert_uint_eq(n, 3);
    ck_assert(strcmp(names[0], "a") == 0 && strcmp(names[1], "c") == 0 && strcmp(names[2], "z") == 0);
    retc_free(names);
    ck_fails(retc_h5_members(file, "c", &names, &n), "walk.h5: group \"c\" is missing");
    ck_fails(retc_h5_members(file, "a9", &names, &n), "group \"a9\" is missing");
    ck_ok(retc_h5_visit(file, note_object, &all));
    ck_assert_str_eq(all.seen, "a10 a9 b/ b/a b/c/ b/c/deep b/z ");
    ck_assert_int_eq(retc_h5_visit(file, note_object, &two), RETC_ENUMBER);
    ck_assert_str_eq(two.seen, "a10 a9 ");
    ck_assert_str_eq(retc_error_message(), "enough");
    retc_h5_close(file);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("h5");
    TCase *numbers = tcase_create("numbers"), *texts = tcase_create("texts"), *objects = tcase_create("objects");
    tcase_add_loop_test(numbers, every_type_and_rank_comes_back, 0, RETC_H5_MAX_RANK + 1);
    tcase_add_test(numbers, extreme_values_come_back);
    tcase_add_loop_test(numbers, large_arrays_are_compressed, 0, 5);
    tcase_add_test(numbers, slabs_go_where_they_belong);
    tcase_add_test(numbers, wrong_shapes_and_names_are_told);
    tcase_add_test(numbers, slabs_beyond_the_end_are_refused);
    tcase_add_test(numbers, stored_types_are_named);
    tcase_add_test(numbers, strange_datasets_are_refused);
    tcase_add_test(texts, texts_come_back);
    tcase_add_loop_test(texts, padded_strings_of_others_are_read, 0, PADDINGS);
    tcase_add_test(objects, attributes_come_back);
    tcase_add_test(objects, attributes_of_several_values_are_counted);
    tcase_add_test(objects, members_and_visits_are_in_order);
    suite_add_tcase(suite, numbers);
    suite_add_tcase(suite, texts);
    suite_add_tcase(suite, objects);
    return retc_test_main(suite, NULL);
}

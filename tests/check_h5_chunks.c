/* Chunks that are packed and unpacked by the HDF5 layer itself.  HDF5's own functions are the truth: what the layer writes they
 * must read, and what they write, with any filters, the layer must read, slab by slab, as they would. */
#include <float.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "h5.h"
#include "parallel.h"
#include "rng.h"
#include "testing.h"

enum { TYPES = 4, CASES = 40, SLABS = 12 };
static const retc_h5_type types[TYPES] = {RETC_H5_FLOAT, RETC_H5_DOUBLE, RETC_H5_INT64, RETC_H5_UINT8};
static const size_t sizes[TYPES] = {4, 8, 8, 1};

static hid_t
native(int type) {
    return type == 0 ? H5T_NATIVE_FLOAT : type == 1 ? H5T_NATIVE_DOUBLE : type == 2 ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT8;
}

static size_t
pick(gsl_rng *rng, size_t least, size_t most) {
    return least + gsl_rng_uniform_int(rng, most - least + 1);
}

/* A dataset: shape and chunk, and a slab of it. */
typedef struct {
    int rank;
    size_t shape[RETC_H5_MAX_RANK], chunk[RETC_H5_MAX_RANK], elements;
} layout;

static layout
pick_layout(gsl_rng *rng) {
    layout l = {.rank = (int)pick(rng, 1, 4), .elements = 1};
    for (int d = 0; d < l.rank; ++d) {
        l.shape[d] = pick(rng, 1, l.rank == 1 ? 900 : 13);
        l.chunk[d] = pick(rng, 1, l.shape[d] < 7 ? l.shape[d] : l.rank == 1 ? l.shape[d] : 7);
        l.elements *= l.shape[d];
    }
    return l;
}

/* Ends that fall on chunks are as likely as ends that do not. */
static size_t
pick_slab(gsl_rng *rng, const layout *l, size_t *start, size_t *count) {
    size_t n = 1;
    for (int d = 0; d < l->rank; ++d) {
        start[d] = pick(rng, 0, l->shape[d] - 1);
        if (pick(rng, 0, 2))
            start[d] -= start[d] % l->chunk[d];
        size_t end = pick(rng, start[d] + 1, l->shape[d]);
        if (pick(rng, 0, 2))
            end = pick(rng, 0, 1) || end + l->chunk[d] > l->shape[d]
                      ? l->shape[d]
                      : start[d] + (end - start[d] + l->chunk[d] - 1) / l->chunk[d] * l->chunk[d];
        end = end < l->shape[d] ? end : l->shape[d];
        count[d] = end - start[d];
        n *= count[d];
    }
    return n;
}

/* Bytes with runs, as movies have them, or noise that no filter makes smaller; every fourth of the floats has a fraction. */
static void
fill(gsl_rng *rng, int type, size_t n, void *data) {
    size_t noisy = pick(rng, 0, 2), level = 0;
    for (size_t i = 0; i < n; ++i) {
        level = noisy || i % 5 == 0 ? pick(rng, 0, 255) : level;
        double fraction = i % 4 == 0 ? gsl_rng_uniform(rng) / 2 : 0;
        if (type == 0)
            ((float *)data)[i] = (float)((double)level + fraction);
        else if (type == 1)
            ((double *)data)[i] = (double)level + fraction;
        else if (type == 2)
            ((int64_t *)data)[i] = (int64_t)level;
        else
            ((uint8_t *)data)[i] = (uint8_t)level;
    }
}

static void *
room(size_t bytes) {
    void *block = calloc(bytes + 1, 1);
    ck_assert(block != NULL);
    return block;
}

/* One slab by HDF5's own functions; `write` NULL: read. */
static void
plain(hid_t dataset, const layout *l, int type, const size_t *start, const size_t *count, void *read, const void *write) {
    hsize_t from[RETC_H5_MAX_RANK], n[RETC_H5_MAX_RANK];
    for (int d = 0; d < l->rank; ++d) {
        from[d] = start ? start[d] : 0;
        n[d] = count ? count[d] : l->shape[d];
    }
    hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(l->rank, n, NULL);
    ck_assert(H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, n, NULL) >= 0);
    if (write)
        ck_assert(H5Dwrite(dataset, native(type), memory, space, H5P_DEFAULT, write) >= 0);
    else
        ck_assert(H5Dread(dataset, native(type), memory, space, H5P_DEFAULT, read) >= 0);
    H5Sclose(memory);
    H5Sclose(space);
}

static hid_t
plain_open(const char *path, hid_t *dataset) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert(file >= 0);
    *dataset = H5Dopen2(file, "x", H5P_DEFAULT);
    ck_assert(*dataset >= 0);
    return file;
}

static void
plain_close(hid_t file, hid_t dataset) {
    H5Dclose(dataset);
    ck_assert(H5Fclose(file) >= 0);
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* Slabs over slabs, in every type that the file's elements can be given as; the layer and HDF5 write the same ones. */
START_TEST(written_slabs_are_read_by_hdf5) {
    gsl_rng *rng = retc_rng_alloc(2100 + (uint64_t)_i, 0, 0);
    layout l = pick_layout(rng);
    int stored = _i % TYPES;
    const char *fast = retc_test_path("fast.h5"), *slow = retc_test_path("slow.h5");
    retc_h5 *file[2] = {retc_h5_create(fast, 1), retc_h5_create(slow, 1)};
    hid_t id[2], dataset[2];
    for (int k = 0; k < 2; ++k) {
        ck_assert(file[k] != NULL);
        ck_ok(retc_h5_make(file[k], "x", types[stored], l.rank, l.shape, l.chunk));
        if (k == 1)
            ck_ok(retc_h5_commit(file[k]));
    }
    id[1] = plain_open(slow, &dataset[1]);
    void *data = room(8 * l.elements), *back[2] = {room(8 * l.elements), room(8 * l.elements)};
    for (int s = 0; s < SLABS; ++s) {
        size_t start[RETC_H5_MAX_RANK], count[RETC_H5_MAX_RANK], n = pick_slab(rng, &l, start, count);
        int type = (int)pick(rng, 0, TYPES - 1);
        retc_parallel_choose(1 + (size_t)s % 3);
        fill(rng, type, n, data);
        ck_ok(retc_h5_write(file[0], "x", types[type], start, count, data));
        plain(dataset[1], &l, type, start, count, NULL, data);
    }
    ck_ok(retc_h5_commit(file[0]));
    id[0] = plain_open(fast, &dataset[0]);
    for (int k = 0; k < 2; ++k) {
        plain(dataset[k], &l, stored, NULL, NULL, back[k], NULL);
        plain_close(id[k], dataset[k]);
        retc_h5_close(file[k]);
    }
    ck_assert_msg(memcmp(back[0], back[1], l.elements * sizes[stored]) == 0, "case %d: the files differ", _i);
    free(data);
    free(back[0]);
    free(back[1]);
    gsl_rng_free(rng);
}
END_TEST

static size_t
file_bytes(const char *path, char **bytes) {
    FILE *in = fopen(path, "rb");
    ck_assert(in != NULL);
    *bytes = room(1 << 22);
    size_t n = fread(*bytes, 1, 1 << 22, in);
    fclose(in);
    return n;
}

START_TEST(files_do_not_depend_on_threads) {
    static const size_t shape[3] = {203, 31, 17}, chunk[3] = {16, 31, 17};
    static const char *const names[3] = {"threads1.h5", "threads2.h5", "threads7.h5"};
    static const size_t threads[3] = {1, 2, 7};
    int type = _i == 0 ? 3 : 0;
    char *bytes[3];
    size_t n[3];
    for (int k = 0; k < 3; ++k) {
        gsl_rng *rng = retc_rng_alloc(77, 0, 0);
        const char *path = retc_test_path(names[k]);
        void *data = room(4 * 203 * 31 * 17);
        fill(rng, type, (size_t)203 * 31 * 17, data);
        retc_parallel_choose(threads[k]);
        retc_h5 *file = retc_h5_create(path, 1);
        ck_assert(file != NULL);
        ck_ok(retc_h5_make(file, "x", types[type], 3, shape, chunk));
        ck_ok(retc_h5_write(file, "x", types[type], NULL, NULL, data));
        ck_ok(retc_h5_commit(file));
        retc_h5_close(file);
        n[k] = file_bytes(path, &bytes[k]);
        ck_assert_uint_eq(n[k], n[0]);
        ck_assert(memcmp(bytes[k], bytes[0], n[0]) == 0);
        free(data);
        gsl_rng_free(rng);
    }
    for (int k = 0; k < 3; ++k)
        free(bytes[k]);
}
END_TEST

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* How other programs store: their filters, byte orders and layouts; some of these the layer leaves to HDF5. */
enum { CONTIGUOUS, CHUNKED, DEFLATE, SHUFFLE, SHUFFLE_DEFLATE, DEFLATE_SHUFFLE, FLETCHER, OTHER_ORDER, SHORTS, STORAGES };

static hid_t
foreign_type(int storage, int type) {
    static hid_t swapped[TYPES];
    swapped[0] = H5T_IEEE_F32BE;
    swapped[1] = H5T_IEEE_F64BE;
    swapped[2] = H5T_STD_I64BE;
    swapped[3] = H5T_STD_U16BE;
    return storage == OTHER_ORDER ? swapped[type] : storage == SHORTS ? H5T_STD_I16LE : native(type);
}

static void
foreign_write(const char *path, const layout *l, int storage, int type, size_t rows, const void *data) {
    hsize_t dims[RETC_H5_MAX_RANK], chunk[RETC_H5_MAX_RANK];
    size_t start[RETC_H5_MAX_RANK] = {0}, count[RETC_H5_MAX_RANK];
    const double fill_value = 3;
    for (int d = 0; d < l->rank; ++d) {
        dims[d] = l->shape[d];
        chunk[d] = l->chunk[d];
        count[d] = d ? l->shape[d] : rows;
    }
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), creation = H5Pcreate(H5P_DATASET_CREATE);
    if (storage != CONTIGUOUS)
        H5Pset_chunk(creation, l->rank, chunk);
    if (storage == DEFLATE_SHUFFLE)
        H5Pset_deflate(creation, 6);
    if (storage == SHUFFLE || storage == SHUFFLE_DEFLATE || storage == DEFLATE_SHUFFLE || storage == OTHER_ORDER)
        H5Pset_shuffle(creation);
    if (storage == DEFLATE || storage == SHUFFLE_DEFLATE || storage == FLETCHER || storage == OTHER_ORDER || storage == SHORTS)
        H5Pset_deflate(creation, 6);
    if (storage == FLETCHER)
        H5Pset_fletcher32(creation);
    H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &fill_value);
    hid_t space = H5Screate_simple(l->rank, dims, NULL);
    hid_t dataset = H5Dcreate2(file, "x", foreign_type(storage, type), space, H5P_DEFAULT, creation, H5P_DEFAULT);
    ck_assert(dataset >= 0);
    /* Fewer rows than there are: the chunks behind them are not in the file. */
    plain(dataset, l, type, start, count, NULL, data);
    H5Sclose(space);
    H5Pclose(creation);
    plain_close(file, dataset);
}

START_TEST(slabs_are_read_as_hdf5_reads_them) {
    gsl_rng *rng = retc_rng_alloc(3100 + (uint64_t)_i, 0, 0);
    layout l = pick_layout(rng);
    int storage = _i % STORAGES, stored = (int)pick(rng, 0, TYPES - 1);
    const char *path = retc_test_path("foreign.h5");
    void *data = room(8 * l.elements), *expected = room(8 * l.elements), *found = room(8 * l.elements);
    fill(rng, stored, l.elements, data);
    foreign_write(path, &l, storage, stored, pick(rng, 1, l.shape[0]), data);
    retc_h5 *file = retc_h5_open(path);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    hid_t dataset, id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    dataset = H5Dopen2(id, "x", H5P_DEFAULT);
    for (int s = 0; s < SLABS; ++s) {
        size_t start[RETC_H5_MAX_RANK], count[RETC_H5_MAX_RANK], n = pick_slab(rng, &l, start, count);
        int type = (int)pick(rng, 0, TYPES - 1);
        retc_parallel_choose(1 + (size_t)s % 3);
        plain(dataset, &l, type, start, count, expected, NULL);
        ck_ok(retc_h5_read(file, "x", types[type], start, count, found));
        ck_assert_msg(memcmp(found, expected, n * sizes[type]) == 0, "case %d, slab %d: another content", _i, s);
    }
    plain_close(id, dataset);
    retc_h5_close(file);
    free(data);
    free(expected);
    free(found);
    gsl_rng_free(rng);
}
END_TEST

/* Values that do not fit the other type: stored as type _i / 2, read or written (_i % 2) as every other. */
START_TEST(values_at_the_limits_convert_as_in_hdf5) {
    static const double values[] = {0,
                                    -0.0,
                                    0.99,
                                    -1,
                                    -0.5,
                                    254.5,
                                    255,
                                    255.5,
                                    256,
                                    1e9,
                                    1e300,
                                    -1e300,
                                    1e-320,
                                    (double)FLT_MAX,
                                    -(double)FLT_MAX,
                                    3.5e38,
                                    HUGE_VAL,
                                    -HUGE_VAL,
                                    16777217,
                                    0.1};
    enum { N = sizeof values / sizeof *values };
    layout l = {1, {N}, {7}, N};
    float floats[N];
    double back[2][N];
    int stored = _i / 2;
    for (int type = 0; type < TYPES - 2; ++type) {
        for (size_t i = 0; i < N; ++i)
            floats[i] = (float)values[i];
        const void *data = type == 0 ? (const void *)floats : values;
        for (int k = 0; k < 2; ++k) {
            const char *path = retc_test_path("limits.h5");
            if (_i % 2) {
                retc_h5 *file = retc_h5_create(path, 1);
                ck_assert(file != NULL);
                ck_ok(retc_h5_make(file, "x", types[stored], 1, l.shape, l.chunk));
                if (k == 0)
                    ck_ok(retc_h5_write(file, "x", types[type], NULL, NULL, data));
                ck_ok(retc_h5_commit(file));
                retc_h5_close(file);
            }
            hid_t dataset, id;
            if (_i % 2 == 0)
                foreign_write(path, &l, SHUFFLE_DEFLATE, stored, N, stored == 0 ? (const void *)floats : values);
            id = plain_open(path, &dataset);
            if (_i % 2 && k == 1)
                plain(dataset, &l, type, NULL, NULL, NULL, data);
            memset(back[k], 0, sizeof back[k]);
            if (_i % 2 || k == 1)
                plain(dataset, &l, _i % 2 ? stored : type, NULL, NULL, back[k], NULL);
            plain_close(id, dataset);
            if (_i % 2 == 0 && k == 0) {
                retc_h5 *file = retc_h5_open(path);
                ck_assert(file != NULL);
                ck_ok(retc_h5_read(file, "x", types[type], NULL, NULL, back[k]));
                retc_h5_close(file);
            }
        }
        ck_assert_msg(memcmp(back[0], back[1], sizeof back[0]) == 0, "stored %d, in memory %d", stored, type);
    }
}
END_TEST

/* ---- damage ---------------------------------------------------------------------------------------------------------- */

/* Overwrite bytes in the midst of what the third chunk takes in the file. */
static void
damage(const char *path, size_t offset) {
    FILE *out = fopen(path, "r+b");
    ck_assert(out != NULL && fseek(out, (long)offset, SEEK_SET) == 0);
    for (int i = 0; i < 64; ++i)
        fputc(0xff, out);
    ck_assert(fclose(out) == 0);
}

START_TEST(damaged_chunks_are_named) {
    static const size_t shape[2] = {64, 512}, chunk[2] = {16, 512};
    const char *path = retc_test_path("damaged.h5");
    gsl_rng *rng = retc_rng_alloc(5, 0, 0);
    float *data = room(64 * 512 * sizeof *data);
    fill(rng, 0, (size_t)64 * 512, data);
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert(file != NULL);
    ck_ok(retc_h5_make(file, "x", RETC_H5_FLOAT, 2, shape, chunk));
    ck_ok(retc_h5_write(file, "x", RETC_H5_FLOAT, NULL, NULL, data));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    hid_t dataset, id = plain_open(path, &dataset);
    const hsize_t third[2] = {32, 0};
    hsize_t bytes;
    haddr_t address;
    unsigned mask;
    ck_assert(H5Dget_chunk_info_by_coord(dataset, third, &mask, &address, &bytes) >= 0);
    plain_close(id, dataset);
    damage(path, (size_t)(address + bytes / 2));
    for (size_t threads = 1; threads <= 2; ++threads) {
        retc_parallel_choose(threads);
        file = retc_h5_open(path);
        ck_assert(file != NULL);
        ck_fails(retc_h5_read(file, "x", RETC_H5_FLOAT, NULL, NULL, data), "\"x\" is damaged in the chunk at (32,0)");
        const size_t start[2] = {0, 0}, count[2] = {32, 512};
        ck_ok(retc_h5_read(file, "x", RETC_H5_FLOAT, start, count, data));
        retc_h5_close(file);
    }
    free(data);
    gsl_rng_free(rng);
}
END_TEST

/* A chunk that unpacks well, to less than its shape says: HDF5 would read on behind it, also in types that this layer leaves to
 * HDF5. */
START_TEST(short_chunks_are_refused) {
    const hsize_t dims[2] = {64, 512}, chunk[2] = {16, 512}, first[2] = {0, 0};
    const char *path = retc_test_path("short.h5");
    unsigned char content[1000] = {1}, packed[1100];
    float value;
    uLongf bytes = sizeof packed;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, chunk);
    H5Pset_deflate(creation, 6);
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t dataset = H5Dcreate2(file, "x", _i ? H5T_STD_I32LE : H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    ck_assert_int_eq(compress2(packed, &bytes, content, sizeof content, 6), Z_OK);
    ck_assert(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, first, bytes, packed) >= 0);
    H5Sclose(space);
    H5Pclose(creation);
    plain_close(file, dataset);
    retc_h5 *damaged = retc_h5_open(path);
    ck_assert(damaged != NULL);
    const size_t one[2] = {1, 1};
    ck_fails(retc_h5_read(damaged, "x", RETC_H5_FLOAT, NULL, one, &value), "short.h5: \"x\" is damaged in its first chunk");
    retc_h5_close(damaged);
}
END_TEST

/* A small file that claims a large array, packed or not, is refused; one that holds it is read. */
START_TEST(claims_are_doubted) {
    static const size_t shape[2] = {20000, 1000}, large[3] = {1UL << 40, 50, 50}, chunk[3] = {64, 50, 50}, row[2] = {100, 1000};
    const char *path = retc_test_path("claims.h5");
    float value;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert(file != NULL);
    ck_ok(retc_h5_make(file, "huge", RETC_H5_UINT8, 3, large, chunk));
    ck_ok(retc_h5_make(file, "rows", RETC_H5_FLOAT, 2, shape, NULL));
    ck_ok(retc_h5_make(file, "zeros", RETC_H5_FLOAT, 2, shape, row));
    float *zeros = room(sizeof *zeros * shape[0] * shape[1]);
    ck_ok(retc_h5_write(file, "zeros", RETC_H5_FLOAT, NULL, NULL, zeros));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    const size_t one[3] = {1, 1, 1};
    ck_fails(retc_h5_read(file, "huge", RETC_H5_FLOAT, NULL, one, &value), "claims.h5: \"huge\" claims 2.75e+09 MB");
    ck_fails(retc_h5_read(file, "rows", RETC_H5_FLOAT, NULL, one, &value), "\"rows\" claims 80 MB, and the file holds 0 MB");
    ck_ok(retc_h5_read(file, "zeros", RETC_H5_FLOAT, NULL, one, &value));
    retc_h5_close(file);
    free(zeros);
}
END_TEST

static Suite *
chunks_suite(void) {
    Suite *suite = suite_create("h5 chunks");
    TCase *tests = tcase_create("chunks");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, written_slabs_are_read_by_hdf5, 0, 4 * CASES);
    tcase_add_loop_test(tests, files_do_not_depend_on_threads, 0, 2);
    tcase_add_loop_test(tests, slabs_are_read_as_hdf5_reads_them, 0, STORAGES * CASES);
    tcase_add_loop_test(tests, values_at_the_limits_convert_as_in_hdf5, 0, 2 * TYPES);
    tcase_add_test(tests, damaged_chunks_are_named);
    tcase_add_loop_test(tests, short_chunks_are_refused, 0, 2);
    tcase_add_test(tests, claims_are_doubted);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void) {
    retc_library_init();
    return retc_test_main(chunks_suite(), NULL);
}

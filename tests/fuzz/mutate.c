#include "mutate.h"

#include <hdf5.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CUT = 64, MOST_INSERTED = 4096, MOST_NAMES = 256 };

static size_t
pick(gsl_rng *rng, size_t n) {
    return n > 1 ? gsl_rng_uniform_int(rng, n) : 0;
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------- */

size_t
mutate_cuts(size_t size) {
    return size / CUT;
}

void
mutate_cut(mutant *file, size_t cut) {
    file->size = cut * CUT;
}

/* Numbers at the edges of what lengths, offsets and counts can be, little endian, in 1 to 8 bytes. */
static void
set_number(mutant *file, gsl_rng *rng) {
    static const uint64_t telling[] = {0,          1,          2,          0x7f,       0x80,           0xff,
                                       0x7fff,     0xffff,     0x7fffffff, 0x80000000, 0xffffffff,     0x7fffffffffffffff,
                                       UINT64_MAX, 0xfffffff0, 64,         4096,       0x100000000000, 0x1000000};
    uint64_t value = telling[pick(rng, sizeof telling / sizeof *telling)];
    size_t bytes = (size_t)1 << pick(rng, 4), at = pick(rng, file->size);
    if (pick(rng, 4) == 0)
        value = file->size + pick(rng, 16) - 8;
    for (size_t i = 0; i < bytes && at + i < file->size; ++i)
        file->data[at + i] = (unsigned char)(value >> 8 * i);
}

static void
move_tail(mutant *file, size_t from, size_t to) {
    memmove(file->data + to, file->data + from, file->size - from);
    file->size = file->size - from + to;
}

static void
change_once(mutant *file, gsl_rng *rng) {
    size_t at = pick(rng, file->size), n = 1 + pick(rng, 32), from = pick(rng, file->size);
    n = n < file->size - at ? n : file->size - at;
    switch (pick(rng, 8)) {
    case 0:
        file->data[at] ^= (unsigned char)(1U << pick(rng, 8));
        break;
    case 1:
        file->data[at] = (unsigned char)pick(rng, 256);
        break;
    case 2:
    case 3:
        set_number(file, rng);
        break;
    case 4:
        move_tail(file, at + n, at);
        break;
    case 5:
        n = pick(rng, 8) ? n : pick(rng, MOST_INSERTED);
        move_tail(file, at, at + n);
        memset(file->data + at, (int)pick(rng, 256), n);
        break;
    case 6:
        memset(file->data + at, pick(rng, 2) ? 0xff : 0, n);
        break;
    default:
        n = n < file->size - from ? n : file->size - from;
        memmove(file->data + at, file->data + from, n);
    }
}

void
mutate_bytes(mutant *file, gsl_rng *rng) {
    size_t changes = pick(rng, 2) ? 1 : 1 + pick(rng, 8);
    for (size_t i = 0; i < changes && file->size > 0; ++i)
        change_once(file, rng);
}

/* ---- objects of HDF5 files ------------------------------------------------------------------------------------------- */

typedef struct {
    char *name[MOST_NAMES];
    size_t n;
} name_list;

static herr_t
add_name(hid_t root, const char *name, const H5L_info_t *info, void *data) {
    name_list *list = data;
    (void)root;
    (void)info;
    if (list->n < MOST_NAMES)
        list->name[list->n++] = strdup(name);
    return 0;
}

static hid_t
some_type(gsl_rng *rng, hid_t old) {
    const hid_t numbers[] = {H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_STD_I8LE, H5T_STD_U8LE,    H5T_STD_I16BE,
                             H5T_STD_I64LE,  H5T_STD_U64LE,  H5T_STD_B8LE, H5T_STD_REF_OBJ, H5T_STD_I32LE};
    size_t choice = pick(rng, 20);
    hid_t type;
    if (choice < 6)
        return H5Tcopy(old);
    if (choice < 16)
        return H5Tcopy(numbers[choice - 6]);
    switch (choice) {
    case 16:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, pick(rng, 2) ? H5T_VARIABLE : 7);
        return type;
    case 17:
        type = H5Tcreate(H5T_COMPOUND, 12);
        H5Tinsert(type, "a", 0, H5T_IEEE_F32LE);
        H5Tinsert(type, "b", 4, H5T_IEEE_F64LE);
        return type;
    case 18:
        return H5Tvlen_create(H5T_IEEE_F64LE);
    default:
        return H5Tenum_create(H5T_STD_I8LE);
    }
}

static void
some_shape(gsl_rng *rng, int *rank, hsize_t *dims) {
    static const hsize_t sizes[] = {0, 1, 2, 3, 41, 1000, (hsize_t)1 << 31, (hsize_t)1 << 40, ((hsize_t)1 << 62) + 1};
    int old = *rank;
    if (pick(rng, 3) == 0)
        *rank = (int)pick(rng, 8);
    for (int d = 0; d < *rank; ++d)
        if (d >= old || pick(rng, 2) == 0)
            dims[d] = d < old && pick(rng, 2) ? dims[d] + 1 - 2 * pick(rng, 2) * (dims[d] > 0) : sizes[pick(rng, 9)];
}

/* Another dataset of that name, like the old one or not; large ones are chunked, so that they take no room. */
static void
replace(hid_t file, const char *name, gsl_rng *rng) {
    hsize_t dims[H5S_MAX_RANK] = {3}, chunk[H5S_MAX_RANK];
    int rank = 1;
    hid_t old = H5Oopen(file, name, H5P_DEFAULT), type = H5I_INVALID_HID;
    if (H5Iget_type(old) == H5I_DATASET) {
        hid_t space = H5Dget_space(old), stored = H5Dget_type(old);
        rank = H5Sget_simple_extent_dims(space, dims, NULL);
        type = some_type(rng, stored);
        H5Tclose(stored);
        H5Sclose(space);
    } else {
        type = some_type(rng, H5T_IEEE_F32LE);
    }
    H5Oclose(old);
    some_shape(rng, &rank, dims);
    H5Ldelete(file, name, H5P_DEFAULT);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    double n = 1;
    for (int d = 0; d < rank; ++d) {
        n *= (double)dims[d];
        chunk[d] = dims[d] < 1 ? 1 : dims[d] < 8 ? dims[d] : 8;
    }
    if (rank > 0 && (n > 1e5 || pick(rng, 2))) {
        H5Pset_chunk(creation, rank, chunk);
        if (pick(rng, 2))
            H5Pset_deflate(creation, 4);
    }
    hid_t id = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(creation);
    H5Tclose(type);
}

static void
fill_with_nonsense(hid_t file, const char *name, gsl_rng *rng) {
    static const double nonsense[] = {(double)NAN, HUGE_VAL, -1, -1e300, 1e300, 0, 1e18, 0.5};
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(id);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    double *values = id >= 0 && n > 0 && n < 100000 ? calloc((size_t)n, sizeof *values) : NULL;
    if (values && H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) {
        double value = nonsense[pick(rng, 8)];
        size_t only = pick(rng, (size_t)n), all = pick(rng, 2);
        for (size_t i = 0; i < (size_t)n; ++i)
            values[i] = all || i == only ? value : values[i];
        H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    }
    free(values);
    H5Sclose(space);
    H5Dclose(id);
}

/* Gone, or of another type or shape. */
static void
change_attribute(hid_t object, gsl_rng *rng) {
    H5O_info_t info = {0};
    char name[256] = "kind";
    hsize_t dims[H5S_MAX_RANK] = {2};
    int rank = 1;
    H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS);
    if (info.num_attrs > 0)
        H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, pick(rng, (size_t)info.num_attrs), name, sizeof name,
                           H5P_DEFAULT);
    H5Adelete(object, name);
    if (pick(rng, 3) == 0)
        return;
    for (some_shape(rng, &rank, dims); rank > 0 && dims[rank - 1] > 1000;)
        --rank;
    hid_t type = some_type(rng, H5T_IEEE_F64LE), space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

void
mutate_objects(const char *path, gsl_rng *rng) {
    name_list list = {.n = 0};
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, add_name, &list);
    const char *name = list.n > 0 ? list.name[pick(rng, list.n)] : "x",
               *other = list.n > 0 ? list.name[pick(rng, list.n)] : "y";
    size_t choice = pick(rng, 12);
    if (choice < 5) {
        replace(file, name, rng);
    } else if (choice < 7) {
        fill_with_nonsense(file, name, rng);
    } else if (choice < 9) {
        hid_t object = H5Oopen(file, pick(rng, 2) ? "/" : name, H5P_DEFAULT);
        change_attribute(object, rng);
        H5Oclose(object);
    } else {
        H5Ldelete(file, name, H5P_DEFAULT);
        if (choice == 9)
            H5Lcreate_soft(pick(rng, 2) ? name : other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        if (choice == 10)
            H5Lcreate_hard(file, pick(rng, 2) ? "/" : other, file, name, H5P_DEFAULT, H5P_DEFAULT);
        if (choice == 11 && pick(rng, 2))
            H5Lcreate_external(pick(rng, 2) ? path : "nowhere.h5", other, file, name, H5P_DEFAULT, H5P_DEFAULT);
    }
    H5Fclose(file);
    H5Eclear2(H5E_DEFAULT);
    for (size_t i = 0; i < list.n; ++i)
        free(list.name[i]);
}

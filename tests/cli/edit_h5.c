/* Makes one thing wrong in an HDF5 file, for the shell tests.  The library never edits a file in place, so this speaks to HDF5
 * itself.
 *
 *   edit_h5 FILE set DATASET ELEMENT VALUE   one element, counted in C order
 *   edit_h5 FILE fill DATASET VALUE          all elements
 *   edit_h5 FILE shape DATASET N,N,...       another shape; the elements are taken in C order, again and again
 *   edit_h5 FILE transpose DATASET           a matrix
 *   edit_h5 FILE remove NAME                 a group or dataset
 *   edit_h5 FILE unlabel ATTRIBUTE           an attribute of the file */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_AXES = 8 };

typedef struct {
    int rank;
    hsize_t shape[MOST_AXES];
    double *value;
} array;

static void
fail(const char *what) {
    fprintf(stderr, "edit_h5: %s\n", what);
    exit(99);
}

static size_t
elements(const array *a) {
    size_t n = 1;
    for (int d = 0; d < a->rank; ++d)
        n *= (size_t)a->shape[d];
    return n;
}

static void *
allocate(size_t n) {
    void *block = malloc(n + 1);
    if (!block)
        fail("out of memory");
    return block;
}

static array
read_array(hid_t file, const char *name) {
    array a = {0};
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(id);
    a.rank = H5Sget_simple_extent_ndims(space);
    if (a.rank < 0 || a.rank > MOST_AXES || H5Sget_simple_extent_dims(space, a.shape, NULL) < 0)
        fail("there is no such dataset");
    a.value = allocate(elements(&a) * sizeof *a.value);
    if (H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a.value) < 0)
        fail("the dataset cannot be read");
    H5Sclose(space);
    H5Dclose(id);
    return a;
}

/* Whole numbers, as which stimuli are often stored, cannot hold what is no number. */
static int
needs_float(const array *a, hid_t type) {
    if (H5Tget_class(type) != H5T_INTEGER)
        return 0;
    for (size_t i = 0; i < elements(a); ++i)
        if (!isfinite(a->value[i]))
            return 1;
    return 0;
}

/* Over the dataset of that name, which keeps its type where it can. */
static void
replace_array(hid_t file, const char *name, const array *a) {
    hid_t old = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(old), space = H5Screate_simple(a->rank, a->shape, NULL);
    H5Dclose(old);
    H5Ldelete(file, name, H5P_DEFAULT);
    hid_t id =
        H5Dcreate2(file, name, needs_float(a, type) ? H5T_IEEE_F32LE : type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a->value) < 0)
        fail("the dataset cannot be written");
    H5Dclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

static array
reshaped(const array *old, char *shape) {
    array a = {0};
    for (char *word = strtok(shape, ","); word && a.rank < MOST_AXES; word = strtok(NULL, ","))
        a.shape[a.rank++] = strtoull(word, NULL, 10);
    a.value = allocate(elements(&a) * sizeof *a.value);
    for (size_t i = 0; i < elements(&a); ++i)
        a.value[i] = old->value[i % elements(old)];
    return a;
}

static array
transposed(const array *old) {
    array a = {2, {old->shape[1], old->shape[0]}, allocate(elements(old) * sizeof *a.value)};
    if (old->rank != 2)
        fail("the dataset is no matrix");
    for (size_t i = 0; i < elements(&a); ++i)
        a.value[i] = old->value[i % a.shape[1] * a.shape[0] + i / a.shape[1]];
    return a;
}

static void
edit(hid_t file, int words, char **word) {
    const char *verb = word[0], *name = word[1];
    if (words == 2 && !strcmp(verb, "remove")) {
        if (H5Ldelete(file, name, H5P_DEFAULT) < 0)
            fail("there is no such object");
        return;
    }
    if (words == 2 && !strcmp(verb, "unlabel")) {
        if (H5Adelete(file, name) < 0)
            fail("there is no such attribute");
        return;
    }
    array old = read_array(file, name), new = old;
    if (words == 4 && !strcmp(verb, "set") && strtoull(word[2], NULL, 10) < elements(&old))
        old.value[strtoull(word[2], NULL, 10)] = strtod(word[3], NULL);
    else if (words == 3 && !strcmp(verb, "fill"))
        for (size_t i = 0; i < elements(&old); ++i)
            old.value[i] = strtod(word[2], NULL);
    else if (words == 3 && !strcmp(verb, "shape"))
        new = reshaped(&old, word[2]);
    else if (words == 2 && !strcmp(verb, "transpose"))
        new = transposed(&old);
    else
        fail("wrong arguments");
    replace_array(file, name, &new);
    if (new.value != old.value)
        free(new.value);
    free(old.value);
}

int
main(int argc, char **argv) {
    if (argc < 4)
        fail("wrong arguments");
    hid_t file = H5Fopen(argv[1], H5F_ACC_RDWR, H5P_DEFAULT);
    if (file < 0)
        fail("the file cannot be opened");
    edit(file, argc - 2, argv + 2);
    return H5Fclose(file) < 0;
}

/* Does HDF5 survive a file?  Its library (1.10) crashes on some damaged metadata.  This looks at whatever the layer may look at
 * later: links, objects, types, shapes, filters, the index of chunks, attributes, texts, and few numbers.  Packed chunks are
 * left out: what is wrong in them is told when they are unpacked. */
#include <stdlib.h>

#include "guard.h"
#include "h5_internal.h"

/* Bytes of an attribute or of texts that are read, of numbers that are read as a whole, and levels of links into other files.
 */
enum { MOST_BYTES = 1 << 20, FEW_BYTES = 1 << 16, MOST_LINKS = 4 };

/* Read all elements in the type of the file and let go of them. */
static void
read_values(hid_t id, hid_t type, hid_t space, int is_attribute) {
    hssize_t n = H5Sget_simple_extent_npoints(space);
    size_t size = H5Tget_size(type);
    if (n <= 0 || size == 0 || (size_t)n > MOST_BYTES / size)
        return;
    void *values = calloc((size_t)n, size);
    herr_t read = !values        ? -1
                  : is_attribute ? H5Aread(id, type, values)
                                 : H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (read >= 0 && H5Tdetect_class(type, H5T_VLEN) + H5Tis_variable_str(type) > 0)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
    free(values);
}

static void
look_at_attributes(hid_t object) {
    H5O_info_t info;
    if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0)
        return;
    for (hsize_t i = 0; i < info.num_attrs; ++i) {
        char name[256];
        hid_t id = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
        if (id < 0)
            return;
        hid_t type = H5Aget_type(id), space = H5Aget_space(id);
        H5Aget_name(id, sizeof name, name);
        if (type >= 0 && space >= 0)
            read_values(id, type, space, 1);
        H5Sclose(space);
        H5Tclose(type);
        H5Aclose(id);
    }
}

/* The last element of a dataset that is too large to be read for a look. */
static void
read_last(hid_t id, hid_t type, hid_t space) {
    hsize_t dims[H5S_MAX_RANK], from[H5S_MAX_RANK], one[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    size_t size = H5Tget_size(type);
    for (int d = 0; d < rank; ++d) {
        from[d] = dims[d] > 0 ? dims[d] - 1 : 0;
        one[d] = 1;
    }
    if (rank < 1 || size > MOST_BYTES || H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, one, NULL) < 0)
        return;
    hid_t memory = H5Screate_simple(rank, one, NULL);
    void *value = calloc(1, size + 1);
    if (value)
        H5Dread(id, type, memory, space, H5P_DEFAULT, value);
    free(value);
    H5Sclose(memory);
}

static void
look_at_numbers(hid_t id, hid_t type, hid_t space) {
    hssize_t n = H5Sget_simple_extent_npoints(space);
    if (n > 0 && (size_t)n <= FEW_BYTES / H5Tget_size(type))
        read_values(id, type, space, 0);
    else if (n > 0)
        read_last(id, type, space);
}

static void
look_at_dataset(hid_t id) {
    hsize_t chunks;
    hid_t type = H5Dget_type(id), space = H5Dget_space(id), creation = H5Dget_create_plist(id);
    if (type >= 0 && space >= 0 && creation >= 0) {
        H5T_class_t class = H5Tget_class(type);
        for (int i = 0; i < H5Pget_nfilters(creation); ++i)
            H5Pget_filter2(creation, (unsigned)i, NULL, NULL, NULL, 0, NULL, NULL);
        H5Dget_storage_size(id);
        if (H5Pget_layout(creation) == H5D_CHUNKED)
            H5Dget_num_chunks(id, space, &chunks);
        if (class == H5T_STRING || class == H5T_REFERENCE || class == H5T_VLEN)
            read_values(id, type, space, 0);
        else if (class != H5T_NO_CLASS && H5Pget_nfilters(creation) == 0)
            look_at_numbers(id, type, space);
    }
    H5Pclose(creation);
    H5Sclose(space);
    H5Tclose(type);
}

static herr_t look_at_link(hid_t group, const char *name, const H5L_info_t *info, void *data);

static void
look_at_object(hid_t parent, const char *name, const int *level, int is_foreign) {
    hid_t id = H5Oopen(parent, name, H5P_DEFAULT);
    if (id < 0)
        return;
    int next = *level + 1;
    look_at_attributes(id);
    if (H5Iget_type(id) == H5I_DATASET)
        look_at_dataset(id);
    /* The visit of this file does not go into groups of another one. */
    else if (H5Iget_type(id) == H5I_GROUP && is_foreign && *level < MOST_LINKS)
        H5Lvisit(id, H5_INDEX_NAME, H5_ITER_INC, look_at_link, &next);
    H5Oclose(id);
}

static herr_t
look_at_link(hid_t group, const char *name, const H5L_info_t *info, void *data) {
    look_at_object(group, name, data, info->type == H5L_TYPE_EXTERNAL);
    return 0;
}

static herr_t
find_refusal(unsigned n, const H5E_error2_t *entry, void *data) {
    (void)n;
    if (entry->min_num == H5E_NOSPACE || entry->min_num == H5E_CANTALLOC)
        *(int *)data = 1;
    return 0;
}

/* Of all failures of HDF5, those count for which memory was refused. */
static herr_t
note_failure(hid_t stack, void *refused) {
    return H5Ewalk2(stack, H5E_WALK_UPWARD, find_refusal, refused);
}

static int
look(const char *path) {
    int level = 0, refused = 0;
    H5Eset_auto2(H5E_DEFAULT, note_failure, &refused);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return refused;
    look_at_object(file, "/", &level, 0);
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, look_at_link, &level);
    H5Fclose(file);
    return refused;
}

int
retc_h5_survives(const char *path) {
    return retc_guard(path, "the HDF5 library", "copy or make it again, or try h5repack", look);
}

#include "h5_make.h"

#include <errno.h>

#include "h5_internal.h"

enum { CHUNK = 1 << 15, GZIP_LEVEL = 1 };

int
retc_h5_make_group(retc_h5 *file, const char *name) {
    if (retc_h5_has(file, name))
        return RETC_OK;
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, 0);
    errno = 0;
    hid_t id = H5Gcreate2(file->id, name, links, creation, H5P_DEFAULT);
    H5Pclose(creation);
    H5Pclose(links);
    if (id < 0 || H5Gclose(id) < 0)
        return retc_h5_fail_write(file, name);
    return RETC_OK;
}

int
retc_h5_make_link(retc_h5 *file, const char *name, const char *target) {
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    errno = 0;
    herr_t made = H5Lcreate_soft(target, file->id, name, links, H5P_DEFAULT);
    H5Pclose(links);
    return made < 0 ? retc_h5_fail_write(file, name) : RETC_OK;
}

/* Write an attribute of a space (closed) and types. */
static int
set_attribute(retc_h5 *file, const char *object, const char *attribute, hid_t space, hid_t stored, hid_t memory,
              const void *value) {
    errno = 0;
    hid_t owner = H5Oopen(file->id, object, H5P_DEFAULT), id = H5I_INVALID_HID;
    if (owner >= 0)
        id = H5Acreate2(owner, attribute, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    int bad = id < 0 || H5Awrite(id, memory, value) < 0;
    if (id >= 0)
        H5Aclose(id);
    if (owner >= 0)
        H5Oclose(owner);
    H5Sclose(space);
    return bad ? retc_h5_fail_write(file, attribute) : RETC_OK;
}

int
retc_h5_set_texts(retc_h5 *file, const char *object, const char *attribute, size_t n, const char *const *texts) {
    hsize_t dims[1] = {n};
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    int status = set_attribute(file, object, attribute, H5Screate_simple(1, dims, NULL), type, type, texts);
    H5Tclose(type);
    return status;
}

int
retc_h5_set_reference(retc_h5 *file, const char *object, const char *attribute, const char *target) {
    hobj_ref_t reference;
    errno = 0;
    if (H5Rcreate(&reference, file->id, target, H5R_OBJECT, -1) < 0)
        return retc_h5_fail_write(file, attribute);
    return set_attribute(file, object, attribute, H5Screate(H5S_SCALAR), H5T_STD_REF_OBJ, H5T_STD_REF_OBJ, &reference);
}

int
retc_h5_set_float(retc_h5 *file, const char *object, const char *attribute, float value) {
    return set_attribute(file, object, attribute, H5Screate(H5S_SCALAR), H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, &value);
}

int
retc_h5_set_int32(retc_h5 *file, const char *object, const char *attribute, int32_t value) {
    return set_attribute(file, object, attribute, H5Screate(H5S_SCALAR), H5T_STD_I32LE, H5T_NATIVE_INT32, &value);
}

int
retc_h5_put_unsigned(retc_h5 *file, const char *name, size_t n, const uint32_t *values) {
    hsize_t dims[1] = {n}, chunk[1] = {CHUNK};
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, 0);
    if (n > CHUNK) {
        H5Pset_chunk(creation, 1, chunk);
        H5Pset_shuffle(creation);
        H5Pset_deflate(creation, GZIP_LEVEL);
    }
    hid_t space = H5Screate_simple(1, dims, NULL);
    errno = 0;
    hid_t id = H5Dcreate2(file->id, name, H5T_STD_U32LE, space, links, creation, H5P_DEFAULT);
    int bad = id < 0 || (n > 0 && H5Dwrite(id, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0);
    if (id >= 0)
        bad |= H5Dclose(id) < 0;
    H5Sclose(space);
    H5Pclose(creation);
    H5Pclose(links);
    return bad ? retc_h5_fail_write(file, name) : RETC_OK;
}

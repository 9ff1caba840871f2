/* Text, attributes, and walking through a file. */
#include "h5_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- text ------------------------------------------------------------------------------------------------------------ */

static hid_t
text_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

char **
retc_h5_text_block(size_t n, char *const *texts, const size_t *lengths) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; ++i)
        bytes += lengths[i] + 1;
    char **block = retc_calloc(1, n * sizeof *block + bytes + 1);
    char *end = block ? (char *)(block + n) : NULL;
    for (size_t i = 0; block && i < n; ++i) {
        block[i] = memcpy(end, texts[i], lengths[i]);
        end += lengths[i] + 1;
    }
    return block;
}

typedef retc_h5_text_source text_source;

static herr_t
text_read(text_source source, hid_t type, void *buffer) {
    return source.is_attribute ? H5Aread(source.id, type, buffer)
                               : H5Dread(source.id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
}

/* Fixed-length strings (null- or space-padded) of `size` bytes each. */
static char **
read_fixed(text_source source, hid_t type, size_t n) {
    size_t size = H5Tget_size(type);
    char *buffer = retc_calloc(n, size + 1);
    char **texts = retc_calloc(n + 1, sizeof *texts), **block = NULL;
    size_t *lengths = retc_calloc(n + 1, sizeof *lengths);
    if (buffer && texts && lengths && text_read(source, type, buffer) >= 0) {
        for (size_t i = 0; i < n; ++i) {
            texts[i] = buffer + i * size;
            lengths[i] = strnlen(texts[i], size);
            while (H5Tget_strpad(type) == H5T_STR_SPACEPAD && lengths[i] > 0 && texts[i][lengths[i] - 1] == ' ')
                --lengths[i];
        }
        block = retc_h5_text_block(n, texts, lengths);
    }
    retc_free(buffer);
    retc_free(texts);
    retc_free(lengths);
    return block;
}

static char **
read_variable(text_source source, hid_t type, hid_t space, size_t n) {
    char **texts = retc_calloc(n + 1, sizeof *texts), **block = NULL;
    size_t *lengths = retc_calloc(n + 1, sizeof *lengths);
    static char none[] = "";
    if (texts && lengths && text_read(source, type, texts) >= 0) {
        char **raw = retc_calloc(n + 1, sizeof *raw);
        for (size_t i = 0; raw && i < n; ++i) {
            raw[i] = texts[i] ? texts[i] : none;
            lengths[i] = strlen(raw[i]);
        }
        block = raw ? retc_h5_text_block(n, raw, lengths) : NULL;
        retc_free(raw);
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
    }
    retc_free(texts);
    retc_free(lengths);
    return block;
}

int
retc_h5_read_strings(const retc_h5 *file, const char *name, text_source source, char ***texts, size_t *n) {
    hid_t type = source.is_attribute ? H5Aget_type(source.id) : H5Dget_type(source.id);
    hid_t space = source.is_attribute ? H5Aget_space(source.id) : H5Dget_space(source.id);
    int status = RETC_OK;
    *texts = NULL;
    if (type < 0 || space < 0 || H5Tget_class(type) != H5T_STRING) {
        H5Eclear2(H5E_DEFAULT);
        status = RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds no text", file->path, name);
    } else {
        hssize_t points = H5Sget_simple_extent_npoints(space);
        *n = points > 0 ? (size_t)points : 0;
        *texts = H5Tis_variable_str(type) > 0 ? read_variable(source, type, space, *n) : read_fixed(source, type, *n);
        if (!*texts)
            status = retc_h5_fail_read(file, name);
    }
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    return status;
}

static int
first_text(char **texts, size_t n, char **text) {
    *text = retc_strdup(n ? texts[0] : "");
    retc_free(texts);
    return RETC_GOT(*text);
}

int
retc_h5_read_texts(retc_h5 *file, const char *name, char ***texts, size_t *n) {
    hid_t id;
    int status = retc_h5_dataset(file, name, &id);
    return status < 0 ? status : retc_h5_read_strings(file, name, (text_source){id, 0}, texts, n);
}

int
retc_h5_read_text(retc_h5 *file, const char *name, char **text) {
    char **texts = NULL;
    size_t n = 0;
    int status = retc_h5_read_texts(file, name, &texts, &n);
    return status < 0 ? status : first_text(texts, n, text);
}

/* The object is opened first: strings of an attribute that is opened by path through a link into another file are looked for in
 * the wrong one (HDF5 1.10.8). */
hid_t
retc_h5_open_attribute(const retc_h5 *file, const char *object, const char *attribute) {
    hid_t owner = H5Oopen(file->id, object, H5P_DEFAULT);
    hid_t id = owner >= 0 ? H5Aopen(owner, attribute, H5P_DEFAULT) : H5I_INVALID_HID;
    if (owner >= 0)
        H5Oclose(owner);
    if (id < 0)
        H5Eclear2(H5E_DEFAULT);
    return id;
}

int
retc_h5_get_text(retc_h5 *file, const char *object, const char *attribute, char **text) {
    hid_t id = retc_h5_open_attribute(file, object, attribute);
    if (id < 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: attribute \"%s\" of \"%s\" is missing", file->path, attribute, object);
    char **texts = NULL;
    size_t n = 0;
    int status = retc_h5_read_strings(file, attribute, (text_source){id, 1}, &texts, &n);
    H5Aclose(id);
    return status < 0 ? status : first_text(texts, n, text);
}

int
retc_h5_expect_kind(retc_h5 *file, const char *kind) {
    char *found = NULL;
    int status = RETC_OK;
    if (retc_h5_get_text(file, "/", "kind", &found) == RETC_OK && strcmp(found, kind) != 0)
        status = RETC_FAIL(RETC_EFORMAT, "%s: is a file of kind \"%s\", expected \"%s\"", file->path, found, kind);
    retc_free(found);
    return status;
}

/* Make and write a dataset of strings: rank 0 or 1. */
static int
put_strings(retc_h5 *file, const char *name, hid_t type, hid_t space, size_t n, const void *data) {
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, 0);
    errno = 0;
    hid_t id = H5Dcreate2(file->id, name, type, space, links, creation, H5P_DEFAULT);
    int bad = id < 0 || (n > 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0);
    if (id >= 0)
        bad |= H5Dclose(id) < 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(creation);
    H5Pclose(links);
    return bad ? retc_h5_fail_write(file, name) : RETC_OK;
}

static hid_t
list_space(size_t n) {
    hsize_t dims[1] = {n};
    return H5Screate_simple(1, dims, NULL);
}

int
retc_h5_put_texts(retc_h5 *file, const char *name, size_t n, const char *const *texts) {
    return put_strings(file, name, text_type(), list_space(n), n, texts);
}

int
retc_h5_put_fixed_texts(retc_h5 *file, const char *name, size_t n, size_t length, const char *const *texts) {
    char *block = retc_calloc(n + 1, length);
    if (!block)
        return RETC_ENOMEM;
    for (size_t i = 0; i < n; ++i)
        memcpy(block + i * length, texts[i], strnlen(texts[i], length));
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, length);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    int status = put_strings(file, name, type, list_space(n), n, block);
    retc_free(block);
    return status;
}

int
retc_h5_put_text(retc_h5 *file, const char *name, const char *text) {
    hid_t type = text_type();
    int ascii = 1;
    for (const char *c = text; *c; ++c)
        ascii &= (unsigned char)*c < 128;
    if (ascii)
        H5Tset_cset(type, H5T_CSET_ASCII);
    return put_strings(file, name, type, H5Screate(H5S_SCALAR), 1, &text);
}

/* ---- attributes ------------------------------------------------------------------------------------------------------ */

static int
set_attribute(retc_h5 *file, const char *object, const char *attribute, hid_t stored, hid_t memory, const void *value) {
    hid_t owner = H5Oopen(file->id, object, H5P_DEFAULT);
    if (owner < 0) {
        H5Eclear2(H5E_DEFAULT);
        return RETC_FAIL(RETC_EINVAL, "%s: \"%s\" is missing, attribute \"%s\" has no owner", file->path, object, attribute);
    }
    if (H5Aexists(owner, attribute) > 0)
        H5Adelete(owner, attribute);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate2(owner, attribute, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    int bad = id < 0 || H5Awrite(id, memory, value) < 0;
    if (id >= 0)
        H5Aclose(id);
    H5Sclose(space);
    H5Oclose(owner);
    return bad ? retc_h5_fail_write(file, attribute) : RETC_OK;
}

int
retc_h5_set_text(retc_h5 *file, const char *object, const char *attribute, const char *text) {
    hid_t type = text_type();
    int status = set_attribute(file, object, attribute, type, type, &text);
    H5Tclose(type);
    return status;
}

int
retc_h5_set_number(retc_h5 *file, const char *object, const char *attribute, double value) {
    return set_attribute(file, object, attribute, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

int
retc_h5_set_int(retc_h5 *file, const char *object, const char *attribute, int64_t value) {
    return set_attribute(file, object, attribute, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

int
retc_h5_get_number(retc_h5 *file, const char *object, const char *attribute, double *value) {
    hid_t id = retc_h5_open_attribute(file, object, attribute);
    if (id < 0)
        return 0;
    hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    H5T_class_t class = H5Tget_class(type);
    int status = 1;
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || H5Sget_simple_extent_npoints(space) != 1)
        status = RETC_FAIL(RETC_EFORMAT, "%s: attribute \"%s\" of \"%s\" is not one number", file->path, attribute, object);
    else if (H5Aread(id, H5T_NATIVE_DOUBLE, value) < 0)
        status = retc_h5_fail_read(file, attribute);
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(id);
    return status;
}

int
retc_h5_attribute_count(retc_h5 *file, const char *object, size_t *n) {
    H5O_info_t info;
    if (H5Oget_info_by_name2(file->id, object, &info, H5O_INFO_NUM_ATTRS, H5P_DEFAULT) < 0)
        return retc_h5_fail_read(file, object);
    *n = (size_t)info.num_attrs;
    return RETC_OK;
}

static int
attribute_value_text(retc_h5 *file, const char *object, const char *name, hid_t id, char **value) {
    hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    H5T_class_t class = H5Tget_class(type);
    hssize_t points = H5Sget_simple_extent_npoints(space);
    double number = 0;
    int status = RETC_OK;
    *value = NULL;
    if (class == H5T_STRING && points == 1)
        status = retc_h5_get_text(file, object, name, value);
    else if ((class == H5T_INTEGER || class == H5T_FLOAT) && points == 1 && H5Aread(id, H5T_NATIVE_DOUBLE, &number) >= 0)
        status = RETC_GOT(*value = retc_strf("%.10g", number));
    else
        status = RETC_GOT(*value = retc_strf("(%ld values)", (long)points));
    H5Tclose(type);
    H5Sclose(space);
    return status;
}

int
retc_h5_attribute_text(retc_h5 *file, const char *object, size_t i, char **name, char **value) {
    hid_t id = H5Aopen_by_idx(file->id, object, H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0)
        return retc_h5_fail_read(file, object);
    char buffer[256] = "";
    int status = H5Aget_name(id, sizeof buffer, buffer) < 0 ? retc_h5_fail_read(file, object) : RETC_OK;
    *name = status == RETC_OK ? retc_strdup(buffer) : NULL;
    if (status == RETC_OK && !*name)
        status = RETC_ENOMEM;
    if (status == RETC_OK)
        status = attribute_value_text(file, object, buffer, id, value);
    if (status < 0) {
        retc_free(*name);
        *name = NULL;
    }
    H5Aclose(id);
    return status;
}

/* ---- walking --------------------------------------------------------------------------------------------------------- */

int
retc_h5_members(retc_h5 *file, const char *group, char ***names, size_t *n) {
    int status = RETC_OK;
    char **texts = NULL;
    size_t *lengths = NULL, count = 0;
    char room[RETC_H5_NAME];
    hid_t id =
        retc_h5_has(file, group) ? H5Gopen2(file->id, retc_h5_real_name(file, group, room), H5P_DEFAULT) : H5I_INVALID_HID;
    H5G_info_t info = {0};
    if (id < 0 || H5Gget_info(id, &info) < 0) {
        H5Eclear2(H5E_DEFAULT);
        status = RETC_FAIL(RETC_EFORMAT, "%s: group \"%s\" is missing", file->path, group);
        goto done;
    }
    RETC_TRY(RETC_ALLOC(texts, (size_t)info.nlinks + 1));
    RETC_TRY(RETC_ALLOC(lengths, (size_t)info.nlinks + 1));
    for (; count < (size_t)info.nlinks; ++count) {
        ssize_t length = H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)count, NULL, 0, H5P_DEFAULT);
        if (length < 0) {
            status = retc_h5_fail_read(file, group);
            goto done;
        }
        lengths[count] = (size_t)length;
        RETC_TRY(RETC_GOT(texts[count] = retc_calloc((size_t)length + 1, 1)));
        H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)count, texts[count], (size_t)length + 1, H5P_DEFAULT);
    }
    *names = retc_h5_text_block(count, texts, lengths);
    *n = count;
    status = RETC_GOT(*names);
done:
    for (size_t i = 0; texts && i < count; ++i)
        retc_free(texts[i]);
    retc_free(texts);
    retc_free(lengths);
    if (id >= 0)
        H5Gclose(id);
    return status;
}

typedef struct {
    int (*visit)(void *context, const char *name, int is_dataset);
    void *context;
    int status;
} visitor;

static herr_t
visit_object(hid_t id, const char *name, const H5O_info_t *info, void *data) {
    (void)id;
    visitor *v = data;
    if (strcmp(name, ".") == 0)
        return 0;
    v->status = v->visit(v->context, name, info->type == H5O_TYPE_DATASET);
    return v->status < 0 ? -1 : 0;
}

int
retc_h5_visit(retc_h5 *file, int (*visit)(void *context, const char *name, int is_dataset), void *context) {
    visitor v = {visit, context, RETC_OK};
    herr_t result = H5Ovisit2(file->id, H5_INDEX_NAME, H5_ITER_INC, visit_object, &v, H5O_INFO_BASIC);
    if (v.status < 0)
        return v.status;
    return result < 0 ? retc_h5_fail_read(file, "/") : RETC_OK;
}

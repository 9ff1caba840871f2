#include "h5_object.h"

#include <stdlib.h>
#include <string.h>

#include "h5_internal.h"

/* ---- objects and links ----------------------------------------------------------------------------------------------- */

retc_h5_object
retc_h5_look(retc_h5 *file, const char *name, retc_h5_identity *identity) {
    H5O_info_t info;
    if (!retc_h5_has(file, name) || H5Oget_info_by_name2(file->id, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
        H5Eclear2(H5E_DEFAULT);
        return RETC_H5_NOTHING;
    }
    if (identity)
        *identity = (retc_h5_identity){info.fileno, info.addr};
    return info.type == H5O_TYPE_GROUP ? RETC_H5_GROUP : info.type == H5O_TYPE_DATASET ? RETC_H5_DATASET : RETC_H5_NOTHING;
}

char *
retc_h5_link_file(retc_h5 *file, const char *name) {
    H5L_info_t info;
    const char *other = NULL, *object;
    char *value = NULL, *copy = NULL;
    unsigned flags;
    if (H5Lget_info(file->id, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_EXTERNAL &&
        (value = retc_calloc(info.u.val_size + 1, 1)) && H5Lget_val(file->id, name, value, info.u.val_size, H5P_DEFAULT) >= 0 &&
        H5Lunpack_elink_val(value, info.u.val_size, &flags, &other, &object) >= 0)
        copy = retc_strdup(other);
    H5Eclear2(H5E_DEFAULT);
    retc_free(value);
    return copy;
}

/* ---- attributes ------------------------------------------------------------------------------------------------------ */

int
retc_h5_has_attribute(retc_h5 *file, const char *object, const char *attribute) {
    int found = H5Aexists_by_name(file->id, object, attribute, H5P_DEFAULT) > 0;
    H5Eclear2(H5E_DEFAULT);
    return found;
}

static int
open_attribute(retc_h5 *file, const char *object, const char *attribute, hid_t *id) {
    *id = retc_h5_open_attribute(file, object, attribute);
    if (*id >= 0)
        return RETC_OK;
    return RETC_FAIL(RETC_EFORMAT, "%s: attribute \"%s\" of \"%s\" is missing", file->path, attribute, object);
}

int
retc_h5_get_texts(retc_h5 *file, const char *object, const char *attribute, char ***texts, size_t *n) {
    hid_t id;
    int status = open_attribute(file, object, attribute, &id);
    if (status < 0)
        return status;
    status = retc_h5_read_strings(file, attribute, (retc_h5_text_source){id, 1}, texts, n);
    H5Aclose(id);
    return status;
}

int
retc_h5_is_enumeration(retc_h5 *file, const char *name) {
    hid_t id;
    if (retc_h5_dataset(file, name, &id) < 0)
        return 0;
    hid_t type = H5Dget_type(id);
    int is = type >= 0 && H5Tget_class(type) == H5T_ENUM;
    if (type >= 0)
        H5Tclose(type);
    return is;
}

/* ---- references ------------------------------------------------------------------------------------------------------ */

/* Which kind of reference a type is, -1 when it is none; and the bytes of one. */
static int
reference_kind(hid_t type, size_t *size) {
    if (H5Tequal(type, H5T_STD_REF_OBJ) > 0) {
        *size = sizeof(hobj_ref_t);
        return H5R_OBJECT;
    }
    if (H5Tequal(type, H5T_STD_REF_DSETREG) > 0) {
        *size = sizeof(hdset_reg_ref_t);
        return H5R_DATASET_REGION;
    }
    H5Eclear2(H5E_DEFAULT);
    return -1;
}

/* The objects of a file by address. */
typedef struct {
    haddr_t address;
    char *path;
} place;

typedef struct {
    place *place;
    size_t n, room;
} places;

static herr_t
note_place(hid_t id, const char *name, const H5O_info_t *info, void *data) {
    places *all = data;
    (void)id;
    if (all->n == all->room) {
        place *more = retc_calloc(2 * all->room + 64, sizeof *more);
        if (!more)
            return -1;
        if (all->n > 0)
            memcpy(more, all->place, all->n * sizeof *more);
        retc_free(all->place);
        all->place = more;
        all->room = 2 * all->room + 64;
    }
    all->place[all->n].address = info->addr;
    all->place[all->n].path = retc_strdup(strcmp(name, ".") == 0 ? "/" : name);
    return all->place[all->n++].path ? 0 : -1;
}

static int
by_address(const void *a, const void *b) {
    const place *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}

static void
forget_places(places *all) {
    for (size_t i = 0; i < all->n; ++i)
        retc_free(all->place[i].path);
    retc_free(all->place);
}

/* All objects of the file that holds an object.  (H5Rget_name walks through the whole file for every single reference.) */
static int
find_places(const retc_h5 *file, hid_t holder, const char *name, places *all) {
    hid_t root = H5Iget_file_id(holder);
    int status = RETC_OK;
    if (root < 0 || H5Ovisit2(root, H5_INDEX_NAME, H5_ITER_INC, note_place, all, H5O_INFO_BASIC) < 0)
        status = retc_h5_fail_read(file, name);
    else
        qsort(all->place, all->n, sizeof *all->place, by_address);
    if (root >= 0)
        H5Fclose(root);
    return status;
}

/* Where one reference leads, "" when nowhere. */
static char *
reference_path(const places *all, hid_t holder, H5R_type_t kind, const void *reference) {
    static char nowhere[] = "";
    H5O_info_t info;
    const place *found = NULL;
    hid_t object = H5Rdereference2(holder, H5P_DEFAULT, kind, reference);
    if (object >= 0 && H5Oget_info2(object, &info, H5O_INFO_BASIC) >= 0) {
        const place wanted = {info.addr, NULL};
        found = bsearch(&wanted, all->place, all->n, sizeof *all->place, by_address);
    }
    if (object >= 0)
        H5Oclose(object);
    H5Eclear2(H5E_DEFAULT);
    return found ? found->path : nowhere;
}

/* Where n references lead, `size` bytes each, that stand in an object or attribute. */
static int
follow(const retc_h5 *file, const char *name, hid_t holder, int kind, const char *reference, size_t size, size_t n,
       char ***paths) {
    int status = RETC_OK;
    places all = {0};
    char **path = NULL;
    size_t *length = NULL;
    RETC_TRY(find_places(file, holder, name, &all));
    RETC_TRY(RETC_ALLOC(path, n));
    RETC_TRY(RETC_ALLOC(length, n));
    for (size_t i = 0; i < n; ++i) {
        path[i] = reference_path(&all, holder, (H5R_type_t)kind, reference + i * size);
        length[i] = strlen(path[i]);
    }
    RETC_TRY(RETC_GOT(*paths = retc_h5_text_block(n, path, length)));

done:
    forget_places(&all);
    retc_free(path);
    retc_free(length);
    return status;
}

int
retc_h5_is_reference(retc_h5 *file, const char *name) {
    hid_t id;
    size_t size;
    if (retc_h5_dataset(file, name, &id) < 0)
        return 0;
    hid_t type = H5Dget_type(id);
    int is = type >= 0 && reference_kind(type, &size) >= 0;
    if (type >= 0)
        H5Tclose(type);
    return is;
}

int
retc_h5_read_references(retc_h5 *file, const char *name, char ***paths, size_t *n) {
    int status = RETC_OK, kind = -1;
    hid_t id, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    size_t size = 0;
    char *reference = NULL;
    RETC_TRY(retc_h5_dataset(file, name, &id));
    type = H5Dget_type(id);
    space = H5Dget_space(id);
    if (type < 0 || space < 0 || (kind = reference_kind(type, &size)) < 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds no references", file->path, name));
    hssize_t points = H5Sget_simple_extent_npoints(space);
    *n = points > 0 ? (size_t)points : 0;
    RETC_TRY(RETC_GOT(reference = retc_calloc(*n, size)));
    if (*n > 0 && H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, reference) < 0)
        RETC_TRY(retc_h5_fail_read(file, name));
    RETC_TRY(follow(file, name, id, kind, reference, size, *n, paths));

done:
    retc_free(reference);
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    return status;
}

int
retc_h5_get_reference(retc_h5 *file, const char *object, const char *attribute, char **path) {
    union {
        hobj_ref_t object;
        hdset_reg_ref_t region;
    } reference = {0};
    hid_t id, type, space;
    size_t size;
    char **paths = NULL;
    int status = open_attribute(file, object, attribute, &id);
    if (status < 0)
        return status;
    type = H5Aget_type(id);
    space = H5Aget_space(id);
    int kind = type >= 0 ? reference_kind(type, &size) : -1;
    if (kind < 0 || space < 0 || H5Sget_simple_extent_npoints(space) != 1)
        status = RETC_FAIL(RETC_EFORMAT, "%s: attribute \"%s\" of \"%s\" is not one reference", file->path, attribute, object);
    else if (H5Aread(id, type, &reference) < 0)
        status = retc_h5_fail_read(file, attribute);
    else if ((status = follow(file, attribute, id, kind, (const char *)&reference, size, 1, &paths)) == RETC_OK)
        status = RETC_GOT(*path = retc_strdup(paths[0]));
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    H5Aclose(id);
    retc_free(paths);
    return status;
}

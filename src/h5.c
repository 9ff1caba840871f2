#include "h5.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_DATASETS = 16, OPEN_FILES = 16, CHUNK_BYTES = 1 << 18, SMALL = 1 << 16, GZIP_LEVEL = 4 };

/* A dataset stays open while its file is, so that its chunk cache serves neighbouring slabs. */
typedef struct {
    char *name;
    hid_t id;
} open_dataset;

struct retc_h5 {
    hid_t id;
    char *path, *temporary; /* temporary: NULL when read, or after commit */
    open_dataset dataset[OPEN_DATASETS];
    size_t next; /* slot that is given up when all are taken */
};

static char temporaries[OPEN_FILES][4096]; /* for the signal handler: fixed storage, "" when free */

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

static herr_t
take_first(unsigned n, const H5E_error2_t *entry, void *data) {
    (void)n;
    char *text = data;
    if (text[0] == '\0' && entry->desc)
        snprintf(text, 256, "%s", entry->desc);
    return 0;
}

/* HDF5's innermost message, which names the cause. */
static const char *
hdf5_reason(void) {
    static char text[256];
    text[0] = '\0';
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, text);
    H5Eclear2(H5E_DEFAULT);
    return text[0] ? text : "HDF5 gives no reason";
}

static int
fail_read(const retc_h5 *file, const char *name) {
    return RETC_FAIL(RETC_EFORMAT, "%s: cannot read \"%s\": %s", file->path, name, hdf5_reason());
}

static int
fail_write(const retc_h5 *file, const char *name) {
    int code = errno;
    const char *reason = hdf5_reason();
    if (code == ENOSPC || code == EFBIG || code == EDQUOT)
        reason = strerror(code);
    return RETC_FAIL(RETC_EIO, "%s: cannot write \"%s\": %s", file->path, name, reason);
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static retc_h5 *
handle_alloc(const char *path) {
    retc_h5 *file = retc_calloc(1, sizeof *file);
    if (file && !(file->path = retc_strdup(path))) {
        retc_free(file);
        file = NULL;
    }
    if (file)
        file->id = H5I_INVALID_HID;
    return file;
}

retc_h5 *
retc_h5_open(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) {
        RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (S_ISDIR(info.st_mode)) {
        RETC_FAIL(RETC_EIO, "%s: is a folder, an HDF5 file was expected", path);
        return NULL;
    }
    if (access(path, R_OK) != 0) {
        RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    retc_h5 *file = handle_alloc(path);
    if (!file)
        return NULL;
    file->id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file->id < 0) {
        const char *reason = hdf5_reason();
        if (info.st_size == 0)
            RETC_FAIL(RETC_EFORMAT, "%s: the file is empty, an HDF5 file was expected", path);
        else if (strstr(reason, "signature"))
            RETC_FAIL(RETC_EFORMAT, "%s: not an HDF5 file", path);
        else if (strstr(reason, "truncated"))
            RETC_FAIL(RETC_EFORMAT, "%s: the HDF5 file is truncated, copy or make it again (%s)", path, reason);
        else
            RETC_FAIL(RETC_EFORMAT, "%s: damaged HDF5 file (%s)", path, reason);
        retc_h5_close(file);
        return NULL;
    }
    return file;
}

static void
remember_temporary(const char *name) {
    for (size_t i = 0; i < OPEN_FILES; ++i)
        if (temporaries[i][0] == '\0') {
            snprintf(temporaries[i], sizeof temporaries[i], "%s", name);
            return;
        }
}

static void
forget_temporary(const char *name) {
    for (size_t i = 0; i < OPEN_FILES; ++i)
        if (strcmp(temporaries[i], name) == 0)
            temporaries[i][0] = '\0';
}

void
retc_h5_remove_temporaries(void) {
    for (size_t i = 0; i < OPEN_FILES; ++i)
        if (temporaries[i][0])
            unlink(temporaries[i]);
}

retc_h5 *
retc_h5_create(const char *path, int force) {
    if (!force && access(path, F_OK) == 0) {
        RETC_FAIL(RETC_EIO, "%s: exists already; give another name, or --force to replace it", path);
        return NULL;
    }
    retc_h5 *file = handle_alloc(path);
    if (!file)
        return NULL;
    file->temporary = retc_strf("%s.%ld.part", path, (long)getpid());
    hid_t access_list = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    /* HDF5 1.8 files: what every h5py and MATLAB in use can open.  No link or object times: equal results, equal bytes. */
    H5Pset_libver_bounds(access_list, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18);
    errno = 0;
    if (file->temporary) {
        remember_temporary(file->temporary);
        file->id = H5Fcreate(file->temporary, H5F_ACC_TRUNC, creation, access_list);
    }
    int code = errno;
    H5Pclose(access_list);
    H5Pclose(creation);
    if (file->id < 0) {
        const char *reason = hdf5_reason();
        RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", path, code ? strerror(code) : reason);
        retc_h5_close(file);
        return NULL;
    }
    return file;
}

static int
close_datasets(retc_h5 *file) {
    int status = RETC_OK;
    for (size_t i = 0; i < OPEN_DATASETS; ++i) {
        if (file->dataset[i].name && H5Dclose(file->dataset[i].id) < 0)
            status = RETC_EIO;
        retc_free(file->dataset[i].name);
        file->dataset[i].name = NULL;
    }
    return status;
}

/* Data must be on the disk before the name points to it; the folder is synced so that the name survives too. */
static int
sync_and_rename(retc_h5 *file) {
    int status = RETC_OK;
    int descriptor = open(file->temporary, O_RDONLY);
    if (descriptor < 0 || fsync(descriptor) != 0)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be written to disk: %s", file->path, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    if (status == RETC_OK && rename(file->temporary, file->path) != 0)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be renamed from %s: %s", file->path, file->temporary, strerror(errno));
    if (status == RETC_OK) {
        forget_temporary(file->temporary);
        retc_free(file->temporary);
        file->temporary = NULL;
    }
    return status;
}

int
retc_h5_commit(retc_h5 *file) {
    errno = 0;
    int bad = close_datasets(file) < 0 || H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0;
    if (!bad) {
        bad = H5Fclose(file->id) < 0;
        if (!bad)
            file->id = H5I_INVALID_HID;
    }
    if (bad)
        return fail_write(file, "the file's end");
    return sync_and_rename(file);
}

/* After a failed write HDF5 cannot flush what it still holds, and would keep the file open for ever: the descriptor is
 * given up with the process.  The target was never touched. */
void
retc_h5_close(retc_h5 *file) {
    if (!file)
        return;
    close_datasets(file);
    if (file->id >= 0)
        H5Fclose(file->id);
    H5Eclear2(H5E_DEFAULT);
    if (file->temporary) {
        unlink(file->temporary);
        forget_temporary(file->temporary);
    }
    retc_free(file->temporary);
    retc_free(file->path);
    retc_free(file);
}

const char *
retc_h5_path(const retc_h5 *file) {
    return file->path;
}

/* ---- looking --------------------------------------------------------------------------------------------------------- */

static hid_t
memory_type(retc_h5_type type) {
    switch (type) {
    case RETC_H5_FLOAT: return H5T_NATIVE_FLOAT;
    case RETC_H5_DOUBLE: return H5T_NATIVE_DOUBLE;
    case RETC_H5_INT64: return H5T_NATIVE_INT64;
    case RETC_H5_UINT8: return H5T_NATIVE_UINT8;
    }
    return H5T_NATIVE_DOUBLE;
}

static hid_t
file_type(retc_h5_type type) {
    switch (type) {
    case RETC_H5_FLOAT: return H5T_IEEE_F32LE;
    case RETC_H5_DOUBLE: return H5T_IEEE_F64LE;
    case RETC_H5_INT64: return H5T_STD_I64LE;
    case RETC_H5_UINT8: return H5T_STD_U8LE;
    }
    return H5T_IEEE_F64LE;
}

static size_t
type_size(retc_h5_type type) {
    return H5Tget_size(memory_type(type));
}

/* H5Lexists wants every group above the name to exist: walk down. */
int
retc_h5_has(retc_h5 *file, const char *name) {
    if (strcmp(name, "/") == 0)
        return 1;
    char *part = retc_strdup(name);
    int found = part != NULL;
    for (char *slash = part; found && slash; ) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (part[0] && strcmp(part, "/") != 0)
            found = H5Lexists(file->id, part, H5P_DEFAULT) > 0 && H5Oexists_by_name(file->id, part, H5P_DEFAULT) > 0;
        if (slash)
            *slash = '/';
    }
    H5Eclear2(H5E_DEFAULT);
    retc_free(part);
    return found;
}

static int
keep_dataset(retc_h5 *file, const char *name, hid_t id) {
    open_dataset *slot = &file->dataset[file->next++ % OPEN_DATASETS];
    if (slot->name) {
        H5Dclose(slot->id);
        retc_free(slot->name);
    }
    slot->id = id;
    slot->name = retc_strdup(name);
    if (!slot->name) {
        H5Dclose(id);
        return RETC_ENOMEM;
    }
    return RETC_OK;
}

/* The identifier of a dataset (borrowed), opened when it is not yet; negative code on failure. */
static int
dataset_id(retc_h5 *file, const char *name, hid_t *id) {
    for (size_t i = 0; i < OPEN_DATASETS; ++i)
        if (file->dataset[i].name && strcmp(file->dataset[i].name, name) == 0) {
            *id = file->dataset[i].id;
            return RETC_OK;
        }
    if (!retc_h5_has(file, name))
        return RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is missing", file->path, name);
    *id = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (*id < 0) {
        H5Eclear2(H5E_DEFAULT);
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is not a dataset", file->path, name);
    }
    return keep_dataset(file, name, *id);
}

static int
space_shape(const retc_h5 *file, const char *name, hid_t space, int *rank, size_t *shape) {
    hsize_t dims[H5S_MAX_RANK];
    *rank = H5Sget_simple_extent_dims(space, dims, NULL);
    if (*rank < 0)
        return fail_read(file, name);
    if (*rank > RETC_H5_MAX_RANK)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %d dimensions, more than any file of this kind", file->path, name, *rank);
    for (int d = 0; d < *rank; ++d)
        shape[d] = (size_t)dims[d];
    return RETC_OK;
}

int
retc_h5_shape(retc_h5 *file, const char *name, int *rank, size_t *shape) {
    hid_t id;
    int status = dataset_id(file, name, &id);
    if (status < 0)
        return status;
    hid_t space = H5Dget_space(id);
    if (space < 0)
        return fail_read(file, name);
    status = space_shape(file, name, space, rank, shape);
    H5Sclose(space);
    return status;
}

static void
print_shape(char *text, size_t size, int rank, const size_t *shape) {
    size_t used = 0;
    text[0] = '\0';
    for (int d = 0; d < rank && used < size; ++d)
        used += (size_t)(shape[d] ? snprintf(text + used, size - used, "%s%zu", d ? "," : "", shape[d])
                                  : snprintf(text + used, size - used, "%sany", d ? "," : ""));
}

int
retc_h5_expect(retc_h5 *file, const char *name, int rank, const size_t *expect, size_t *shape) {
    size_t found[RETC_H5_MAX_RANK] = {0};
    int found_rank = 0, status = retc_h5_shape(file, name, &found_rank, found);
    if (status < 0)
        return status;
    int same = found_rank == rank;
    for (int d = 0; same && expect && d < rank; ++d)
        same = expect[d] == 0 || expect[d] == found[d];
    if (!same) {
        size_t any[RETC_H5_MAX_RANK] = {0};
        char is[128], should[128];
        print_shape(is, sizeof is, found_rank, found);
        print_shape(should, sizeof should, rank, expect ? expect : any);
        return RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is (%s), expected (%s)", file->path, name, is, should);
    }
    if (shape)
        memcpy(shape, found, (size_t)rank * sizeof *shape);
    return RETC_OK;
}

int
retc_h5_is_uint8(retc_h5 *file, const char *name) {
    hid_t id;
    if (dataset_id(file, name, &id) < 0)
        return 0;
    hid_t type = H5Dget_type(id);
    int is = type >= 0 && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
    H5Tclose(type);
    return is;
}

const char *
retc_h5_stored_type(retc_h5 *file, const char *name) {
    static const char *const names[3][4] = {{"f2", "f4", "f8", NULL}, {"i1", "i2", "i4", "i8"}, {"u1", "u2", "u4", "u8"}};
    hid_t id, type = H5I_INVALID_HID;
    const char *found = NULL;
    if (dataset_id(file, name, &id) == RETC_OK)
        type = H5Dget_type(id);
    H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    size_t size = type >= 0 ? H5Tget_size(type) : 0;
    int kind = class == H5T_FLOAT ? 0 : class == H5T_INTEGER ? (H5Tget_sign(type) == H5T_SGN_NONE ? 2 : 1) : -1;
    for (size_t i = 0; kind >= 0 && i < 4; ++i)
        if (size == (size_t)(kind == 0 ? 2 : 1) << i)
            found = names[kind][i];
    if (type >= 0)
        H5Tclose(type);
    return class == H5T_STRING ? "text" : found ? found : "other";
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

/* Transfer a slab in either direction; the memory side is packed. */
static int
transfer(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count, void *data, int writing) {
    hid_t id, space = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    int status = RETC_OK, rank = 0;
    size_t shape[RETC_H5_MAX_RANK] = {0};
    hsize_t from[RETC_H5_MAX_RANK] = {0}, n[RETC_H5_MAX_RANK] = {0};
    RETC_TRY(dataset_id(file, name, &id));
    RETC_TRY(retc_h5_shape(file, name, &rank, shape));
    for (int d = 0; d < rank; ++d) {
        from[d] = start ? start[d] : 0;
        n[d] = count ? count[d] : shape[d] - (size_t)from[d];
        if (n[d] == 0)
            goto done;
        if (from[d] + n[d] > shape[d]) {
            status = RETC_FAIL(RETC_EINVAL, "%s: \"%s\": elements up to %zu of axis %d are asked for, it has %zu", file->path, name,
                               (size_t)(from[d] + n[d]), d, shape[d]);
            goto done;
        }
    }
    space = H5Dget_space(id);
    memory = rank ? H5Screate_simple(rank, n, NULL) : H5Screate(H5S_SCALAR);
    if (space < 0 || memory < 0 || (rank && H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, n, NULL) < 0)) {
        status = fail_read(file, name);
        goto done;
    }
    errno = 0;
    if (writing && H5Dwrite(id, memory_type(type), memory, space, H5P_DEFAULT, data) < 0)
        status = fail_write(file, name);
    else if (!writing && H5Dread(id, memory_type(type), memory, space, H5P_DEFAULT, data) < 0)
        status = fail_read(file, name);
done:
    if (space >= 0)
        H5Sclose(space);
    if (memory >= 0)
        H5Sclose(memory);
    return status;
}

int
retc_h5_read(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count, void *out) {
    return transfer(file, name, type, start, count, out, 0);
}

int
retc_h5_write(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count, const void *data) {
    /* HDF5 takes one pointer for both directions; a write does not change what it points to. */
    union {
        const void *in;
        void *out;
    } pointer = {.in = data};
    return transfer(file, name, type, start, count, pointer.out, 1);
}

int
retc_h5_read_new(retc_h5 *file, const char *name, retc_h5_type type, int rank, size_t *shape, void **out) {
    int status = RETC_OK;
    size_t n = 1, found[RETC_H5_MAX_RANK] = {0};
    void *data = NULL;
    RETC_TRY(retc_h5_expect(file, name, rank, NULL, found));
    for (int d = 0; d < rank; ++d)
        if (__builtin_mul_overflow(n, found[d], &n)) {
            status = RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is larger than memory can address", file->path, name);
            goto done;
        }
    RETC_TRY(RETC_GOT(data = retc_calloc(n, type_size(type))));
    RETC_TRY(retc_h5_read(file, name, type, NULL, NULL, data));
    if (shape)
        memcpy(shape, found, (size_t)rank * sizeof *shape);
    *out = data;
    data = NULL;
done:
    retc_free(data);
    return status;
}

/* Chunks of about CHUNK_BYTES: whole along the inner axes, a piece of the outermost that does not fit. */
static void
default_chunk(retc_h5_type type, int rank, const size_t *shape, size_t *chunk) {
    size_t room = CHUNK_BYTES / type_size(type);
    for (int d = rank - 1; d >= 0; --d) {
        chunk[d] = shape[d] < room ? shape[d] : room;
        if (chunk[d] == 0)
            chunk[d] = 1;
        room = room / chunk[d] ? room / chunk[d] : 1;
    }
}

int
retc_h5_make(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *shape, const size_t *chunk) {
    hsize_t dims[RETC_H5_MAX_RANK] = {0}, pieces[RETC_H5_MAX_RANK] = {0};
    int empty = 0;
    for (int d = 0; d < rank; ++d) {
        dims[d] = shape[d];
        pieces[d] = chunk ? (chunk[d] < shape[d] ? chunk[d] : shape[d]) : 0;
        empty |= shape[d] == 0;
    }
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, 0);
    if (chunk && rank > 0 && !empty) {
        H5Pset_chunk(creation, rank, pieces);
        H5Pset_shuffle(creation);
        H5Pset_deflate(creation, GZIP_LEVEL);
    }
    hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    errno = 0;
    hid_t id = H5Dcreate2(file->id, name, file_type(type), space, links, creation, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(creation);
    H5Pclose(links);
    return id < 0 ? fail_write(file, name) : keep_dataset(file, name, id);
}

int
retc_h5_put(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *shape, const void *data) {
    size_t n = 1, chunk[RETC_H5_MAX_RANK] = {0};
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    default_chunk(type, rank, shape, chunk);
    int status = retc_h5_make(file, name, type, rank, shape, n * type_size(type) > SMALL ? chunk : NULL);
    return status < 0 ? status : retc_h5_write(file, name, type, NULL, NULL, data);
}

/* ---- text ------------------------------------------------------------------------------------------------------------ */

static hid_t
text_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* One block: n pointers, then the texts they point to. */
static char **
text_block(size_t n, char *const *texts, const size_t *lengths) {
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

typedef struct {
    hid_t id; /* dataset or attribute */
    int is_attribute;
} text_source;

static herr_t
text_read(text_source source, hid_t type, void *buffer) {
    return source.is_attribute ? H5Aread(source.id, type, buffer) : H5Dread(source.id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
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
        block = text_block(n, texts, lengths);
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
        block = raw ? text_block(n, raw, lengths) : NULL;
        retc_free(raw);
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
    }
    retc_free(texts);
    retc_free(lengths);
    return block;
}

/* All strings of a dataset or attribute as one block. */
static int
read_texts(const retc_h5 *file, const char *name, text_source source, char ***texts, size_t *n) {
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
            status = fail_read(file, name);
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
    int status = dataset_id(file, name, &id);
    return status < 0 ? status : read_texts(file, name, (text_source){id, 0}, texts, n);
}

int
retc_h5_read_text(retc_h5 *file, const char *name, char **text) {
    char **texts = NULL;
    size_t n = 0;
    int status = retc_h5_read_texts(file, name, &texts, &n);
    return status < 0 ? status : first_text(texts, n, text);
}

int
retc_h5_get_text(retc_h5 *file, const char *object, const char *attribute, char **text) {
    hid_t id = H5Aopen_by_name(file->id, object, attribute, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) {
        H5Eclear2(H5E_DEFAULT);
        return RETC_FAIL(RETC_EFORMAT, "%s: attribute \"%s\" of \"%s\" is missing", file->path, attribute, object);
    }
    char **texts = NULL;
    size_t n = 0;
    int status = read_texts(file, attribute, (text_source){id, 1}, &texts, &n);
    H5Aclose(id);
    return status < 0 ? status : first_text(texts, n, text);
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
    return bad ? fail_write(file, name) : RETC_OK;
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
    return bad ? fail_write(file, attribute) : RETC_OK;
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
    hid_t id = H5Aopen_by_name(file->id, object, attribute, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) {
        H5Eclear2(H5E_DEFAULT);
        return 0;
    }
    hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    H5T_class_t class = H5Tget_class(type);
    int status = 1;
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || H5Sget_simple_extent_npoints(space) != 1)
        status = RETC_FAIL(RETC_EFORMAT, "%s: attribute \"%s\" of \"%s\" is not one number", file->path, attribute, object);
    else if (H5Aread(id, H5T_NATIVE_DOUBLE, value) < 0)
        status = fail_read(file, attribute);
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(id);
    return status;
}

int
retc_h5_attribute_count(retc_h5 *file, const char *object, size_t *n) {
    H5O_info_t info;
    if (H5Oget_info_by_name2(file->id, object, &info, H5O_INFO_NUM_ATTRS, H5P_DEFAULT) < 0)
        return fail_read(file, object);
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
        return fail_read(file, object);
    char buffer[256] = "";
    int status = H5Aget_name(id, sizeof buffer, buffer) < 0 ? fail_read(file, object) : RETC_OK;
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
    hid_t id = retc_h5_has(file, group) ? H5Gopen2(file->id, group, H5P_DEFAULT) : H5I_INVALID_HID;
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
            status = fail_read(file, group);
            goto done;
        }
        lengths[count] = (size_t)length;
        RETC_TRY(RETC_GOT(texts[count] = retc_calloc((size_t)length + 1, 1)));
        H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)count, texts[count], (size_t)length + 1, H5P_DEFAULT);
    }
    *names = text_block(count, texts, lengths);
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
    return result < 0 ? fail_read(file, "/") : RETC_OK;
}

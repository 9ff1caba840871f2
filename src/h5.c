/* Files, and looking at what they hold; numbers stand in h5_numbers.c, text, attributes and walking in h5_text.c. */
#include "h5_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FILES = 16, LINKED_FILES = 16, CACHE_LEAST = 1 << 20, CACHE_MOST = 1 << 25 };

static char temporaries[OPEN_FILES][4096]; /* for the signal handler: fixed storage, "" when free */
static char latest[4096];                  /* likewise */

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

int
retc_h5_fail_read(const retc_h5 *file, const char *name) {
    return RETC_FAIL(RETC_EFORMAT, "%s: cannot read \"%s\": %s", file->path, name, hdf5_reason());
}

int
retc_h5_fail_write(const retc_h5 *file, const char *name) {
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
    if (!S_ISREG(info.st_mode)) { /* reading a pipe would wait for ever */
        RETC_FAIL(RETC_EIO, "%s: is a device or a pipe, an HDF5 file was expected", path);
        return NULL;
    }
    if (access(path, R_OK) != 0) {
        RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (retc_h5_survives(path) < 0)
        return NULL;
    snprintf(latest, sizeof latest, "%s", path);
    retc_h5 *file = handle_alloc(path);
    if (!file)
        return NULL;
    /* Files that links lead into stay open: else each look into one opens it anew, and its objects are never the same. */
    hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_elink_file_cache_size(access_list, LINKED_FILES);
    file->id = H5Fopen(path, H5F_ACC_RDONLY, access_list);
    const char *reason = file->id < 0 ? hdf5_reason() : ""; /* the next call of HDF5 forgets it */
    H5Pclose(access_list);
    if (file->id < 0) {
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

const char *
retc_h5_latest(void) {
    return latest;
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
    file->force = force;
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

/* A rename replaces what another program wrote there meanwhile, a link does not.  Some file systems have no links. */
static int
take_name(const retc_h5 *file) {
    if (!file->force && link(file->temporary, file->path) == 0) {
        unlink(file->temporary);
        return RETC_OK;
    }
    if (!file->force && errno == EEXIST)
        return RETC_FAIL(RETC_EIO, "%s: another program wrote it meanwhile; give another name, or --force to replace it",
                         file->path);
    if (rename(file->temporary, file->path) != 0)
        return RETC_FAIL(RETC_EIO, "%s: cannot be renamed from %s: %s", file->path, file->temporary, strerror(errno));
    return RETC_OK;
}

/* Data must be on the disk before the name points to it. */
static int
sync_and_rename(retc_h5 *file) {
    int status = RETC_OK;
    int descriptor = open(file->temporary, O_RDONLY);
    if (descriptor < 0 || fsync(descriptor) != 0)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be written to disk: %s", file->path, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    if (status == RETC_OK)
        status = take_name(file);
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
        return retc_h5_fail_write(file, "the file's end");
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
    retc_h5_bench_free(file->bench);
    retc_free(file->piece);
    retc_free(file->stand_in[0]);
    retc_free(file->stand_in[1]);
    retc_free(file->temporary);
    retc_free(file->path);
    retc_free(file);
}

const char *
retc_h5_path(const retc_h5 *file) {
    return file->path;
}

/* ---- looking --------------------------------------------------------------------------------------------------------- */

int
retc_h5_stand_in(retc_h5 *file, const char *from, const char *to) {
    retc_free(file->stand_in[0]);
    retc_free(file->stand_in[1]);
    file->stand_in[0] = retc_strdup(from);
    file->stand_in[1] = retc_strdup(to);
    return (from && !file->stand_in[0]) || (to && !file->stand_in[1]) ? RETC_ENOMEM : RETC_OK;
}

const char *
retc_h5_real_name(const retc_h5 *file, const char *name, char room[RETC_H5_NAME]) {
    size_t length = file->stand_in[0] ? strlen(file->stand_in[0]) : 0;
    if (length == 0 || strncmp(name, file->stand_in[0], length) != 0 || (name[length] != '/' && name[length] != '\0'))
        return name;
    snprintf(room, RETC_H5_NAME, "%s%s", file->stand_in[1], name + length);
    return room;
}

/* H5Lexists wants every group above the name to exist: walk down. */
int
retc_h5_has(retc_h5 *file, const char *name) {
    char room[RETC_H5_NAME];
    if (strcmp(name, "/") == 0)
        return 1;
    char *part = retc_strdup(retc_h5_real_name(file, name, room));
    int found = part != NULL;
    for (char *slash = part; found && slash;) {
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

int
retc_h5_keep_dataset(retc_h5 *file, const char *name, hid_t id) {
    retc_h5_open_dataset *slot = &file->dataset[file->next++ % OPEN_DATASETS];
    if (slot->name) {
        H5Dclose(slot->id);
        retc_free(slot->name);
    }
    slot->name = NULL;
    int status = retc_h5_storage_of(file, name, id, &slot->storage);
    if (status == RETC_OK)
        status = RETC_GOT(slot->name = retc_strdup(name));
    if (status < 0)
        H5Dclose(id);
    slot->id = id;
    return status;
}

/* Open a dataset with a chunk cache that holds a row of its chunks: slabs that end within a row would unpack it twice. */
static hid_t
open_cached(hid_t file, const char *name) {
    hsize_t chunk[H5S_MAX_RANK], dims[H5S_MAX_RANK];
    hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t creation = id < 0 ? id : H5Dget_create_plist(id);
    if (creation >= 0 && H5Pget_layout(creation) == H5D_CHUNKED) {
        hid_t type = H5Dget_type(id), space = H5Dget_space(id), access_list = H5Pcreate(H5P_DATASET_ACCESS);
        int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk);
        double row = (double)H5Tget_size(type);
        if (H5Sget_simple_extent_dims(space, dims, NULL) == rank)
            for (int d = 0; d < rank && chunk[d] > 0; ++d)
                row *= d == 0 ? (double)chunk[d] : (double)((dims[d] + chunk[d] - 1) / chunk[d] * chunk[d]);
        if (row > CACHE_LEAST) {
            H5Pset_chunk_cache(access_list, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, row < CACHE_MOST ? (size_t)row : CACHE_MOST,
                               H5D_CHUNK_CACHE_W0_DEFAULT);
            H5Dclose(id);
            id = H5Dopen2(file, name, access_list);
        }
        H5Pclose(access_list);
        H5Sclose(space);
        H5Tclose(type);
    }
    if (creation >= 0)
        H5Pclose(creation);
    return id;
}

int
retc_h5_open_slot(retc_h5 *file, const char *name, const retc_h5_open_dataset **dataset) {
    char room[RETC_H5_NAME];
    name = retc_h5_real_name(file, name, room);
    for (size_t round = 0; round < 2; ++round) {
        for (size_t i = 0; i < OPEN_DATASETS; ++i)
            if (file->dataset[i].name && strcmp(file->dataset[i].name, name) == 0) {
                *dataset = &file->dataset[i];
                return RETC_OK;
            }
        if (!retc_h5_has(file, name))
            return RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is missing", file->path, name);
        hid_t id = open_cached(file->id, name);
        if (id < 0) {
            H5Eclear2(H5E_DEFAULT);
            return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is not a dataset", file->path, name);
        }
        int status = retc_h5_keep_dataset(file, name, id);
        if (status < 0)
            return status;
    }
    return RETC_FAIL(RETC_EINVAL, "%s: \"%s\" cannot be kept open", file->path, name);
}

int
retc_h5_dataset(retc_h5 *file, const char *name, hid_t *id) {
    const retc_h5_open_dataset *dataset = NULL;
    int status = retc_h5_open_slot(file, name, &dataset);
    if (status == RETC_OK)
        *id = dataset->id;
    return status;
}

int
retc_h5_shape(retc_h5 *file, const char *name, int *rank, size_t *shape) {
    const retc_h5_open_dataset *dataset = NULL;
    int status = retc_h5_open_slot(file, name, &dataset);
    if (status < 0)
        return status;
    *rank = dataset->storage.rank;
    memcpy(shape, dataset->storage.shape, (size_t)*rank * sizeof *shape);
    return RETC_OK;
}

/* `zero`: what stands for an axis of 0. */
static void
print_shape(char *text, size_t size, int rank, const size_t *shape, const char *zero) {
    size_t used = 0;
    text[0] = '\0';
    for (int d = 0; d < rank && used < size; ++d)
        used += (size_t)(shape[d] ? snprintf(text + used, size - used, "%s%zu", d ? "," : "", shape[d])
                                  : snprintf(text + used, size - used, "%s%s", d ? "," : "", zero));
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
        print_shape(is, sizeof is, found_rank, found, "0");
        print_shape(should, sizeof should, rank, expect ? expect : any, "any");
        return RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is (%s), expected (%s)", file->path, name, is, should);
    }
    if (shape)
        memcpy(shape, found, (size_t)rank * sizeof *shape);
    return RETC_OK;
}

int
retc_h5_is_uint8(retc_h5 *file, const char *name) {
    hid_t id;
    if (retc_h5_dataset(file, name, &id) < 0)
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
    if (retc_h5_dataset(file, name, &id) == RETC_OK)
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

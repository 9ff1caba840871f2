/* Slabs of numbers between files and memory.  What a slab covers of whole chunks takes the fast way of h5_chunks.c; the rest,
 * and datasets that are stored in another way, are left to HDF5. */
#include <errno.h>
#include <string.h>

#include "h5_internal.h"
#include "parallel.h"

/* Bytes of a chunk; of the largest dataset that is not chunked; read at a time where elements are converted afterwards.
 * Elements that a thread then converts at a time. */
enum { CHUNK_BYTES = 1 << 18, SMALL = 1 << 16, SHARE = 1 << 16 };

hid_t
retc_h5_memory_type(retc_h5_type type) {
    switch (type) {
    case RETC_H5_FLOAT:
        return H5T_NATIVE_FLOAT;
    case RETC_H5_DOUBLE:
        return H5T_NATIVE_DOUBLE;
    case RETC_H5_INT64:
        return H5T_NATIVE_INT64;
    case RETC_H5_UINT8:
        return H5T_NATIVE_UINT8;
    }
    return H5T_NATIVE_DOUBLE;
}

static hid_t
file_type(retc_h5_type type) {
    switch (type) {
    case RETC_H5_FLOAT:
        return H5T_IEEE_F32LE;
    case RETC_H5_DOUBLE:
        return H5T_IEEE_F64LE;
    case RETC_H5_INT64:
        return H5T_STD_I64LE;
    case RETC_H5_UINT8:
        return H5T_STD_U8LE;
    }
    return H5T_IEEE_F64LE;
}

size_t
retc_h5_type_size(retc_h5_type type) {
    return H5Tget_size(retc_h5_memory_type(type));
}

/* ---- slabs ----------------------------------------------------------------------------------------------------------- */

static hid_t
select_box(int rank, const hsize_t *shape, const hsize_t *from, const hsize_t *n) {
    hid_t space = rank ? H5Screate_simple(rank, shape, NULL) : H5Screate(H5S_SCALAR);
    if (space >= 0 && rank && H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, n, NULL) < 0) {
        H5Sclose(space);
        return H5I_INVALID_HID;
    }
    return space;
}

int
retc_h5_move_plain(const retc_h5_transfer *transfer, const retc_h5_box *part) {
    const retc_h5_open_dataset *dataset = transfer->dataset;
    hsize_t shape[RETC_H5_MAX_RANK] = {0}, from[RETC_H5_MAX_RANK] = {0}, n[RETC_H5_MAX_RANK] = {0};
    hsize_t memory_shape[RETC_H5_MAX_RANK] = {0}, memory_from[RETC_H5_MAX_RANK] = {0};
    int rank = dataset->storage.rank, status = RETC_OK;
    for (int d = 0; d < rank; ++d) {
        shape[d] = dataset->storage.shape[d];
        from[d] = part->from[d];
        n[d] = part->n[d];
        memory_shape[d] = transfer->slab.n[d];
        memory_from[d] = part->from[d] - transfer->slab.from[d];
    }
    hid_t space = select_box(rank, shape, from, n), memory = select_box(rank, memory_shape, memory_from, n);
    hid_t type = retc_h5_memory_type(transfer->type);
    errno = 0;
    if (space < 0 || memory < 0)
        status = retc_h5_fail_read(transfer->file, dataset->name);
    else if (transfer->writing && H5Dwrite(dataset->id, type, memory, space, H5P_DEFAULT, transfer->data) < 0)
        status = retc_h5_fail_write(transfer->file, dataset->name);
    else if (!transfer->writing && H5Dread(dataset->id, type, memory, space, H5P_DEFAULT, transfer->data) < 0)
        status = retc_h5_fail_read(transfer->file, dataset->name);
    if (space >= 0)
        H5Sclose(space);
    if (memory >= 0)
        H5Sclose(memory);
    return status;
}

typedef struct {
    retc_h5_converter convert;
    const unsigned char *in;
    unsigned char *out;
    size_t n, in_size, out_size;
} conversion;

static int
convert_share(void *context, size_t i) {
    const conversion *c = context;
    size_t from = i * SHARE, n = c->n - from < SHARE ? c->n - from : SHARE;
    c->convert(c->in + from * c->in_size, c->out + from * c->out_size, n);
    return RETC_OK;
}

/* Read a slab in the type of the file and convert it, which HDF5 does several times slower.  Positive when there is no such
 * conversion here, or one step along the outermost axis is larger than a piece. */
static int
read_converted(const retc_h5_transfer *transfer) {
    const retc_h5_storage *storage = &transfer->dataset->storage;
    const retc_h5_box *slab = &transfer->slab;
    retc_h5_converter convert = storage->known ? retc_h5_find_converter(storage->type, transfer->type) : NULL;
    size_t row = 1, size = retc_h5_type_size(storage->type), memory_size = retc_h5_type_size(transfer->type);
    for (int d = 1; d < storage->rank; ++d)
        row *= slab->n[d];
    if (transfer->writing || !convert || storage->rank == 0 || storage->type == transfer->type ||
        row * size > RETC_H5_PIECE_BYTES)
        return 1;
    int status = RETC_OK;
    size_t rows = RETC_H5_PIECE_BYTES / (row * size);
    if (!transfer->file->piece)
        RETC_TRY(RETC_ALLOC(transfer->file->piece, RETC_H5_PIECE_BYTES));
    unsigned char *piece = transfer->file->piece;
    for (size_t done_rows = 0; done_rows < slab->n[0]; done_rows += rows) {
        retc_h5_transfer part = *transfer;
        part.type = storage->type;
        part.data = piece;
        part.slab.from[0] += done_rows;
        part.slab.n[0] = slab->n[0] - done_rows < rows ? slab->n[0] - done_rows : rows;
        RETC_TRY(retc_h5_move_plain(&part, &part.slab));
        conversion c = {
            convert, piece,      (unsigned char *)transfer->data + done_rows * row * memory_size, part.slab.n[0] * row,
            size,    memory_size};
        RETC_TRY(retc_parallel_for((c.n + SHARE - 1) / SHARE, 0, convert_share, &c));
    }

done:
    return status;
}

/* The slab without the box `whole` in its midst: along every axis in turn what lies before and behind it. */
static int
move_around(const retc_h5_transfer *transfer, const retc_h5_box *whole) {
    int status = RETC_OK;
    retc_h5_box rest = transfer->slab;
    for (int d = 0; d < transfer->dataset->storage.rank; ++d) {
        size_t end = rest.from[d] + rest.n[d], whole_end = whole->from[d] + whole->n[d];
        retc_h5_box before = rest, behind = rest;
        before.n[d] = whole->from[d] - rest.from[d];
        behind.from[d] = whole_end;
        behind.n[d] = end - whole_end;
        if (before.n[d] > 0)
            RETC_TRY(retc_h5_move_plain(transfer, &before));
        if (behind.n[d] > 0)
            RETC_TRY(retc_h5_move_plain(transfer, &behind));
        rest.from[d] = whole->from[d];
        rest.n[d] = whole->n[d];
    }

done:
    return status;
}

/* Move a slab in either direction; the memory side is packed. */
static int
move_slab(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count, void *data,
          int writing) {
    int status = RETC_OK;
    retc_h5_transfer transfer = {.file = file, .type = type, .data = data, .writing = writing};
    retc_h5_box whole = {{0}, {0}};
    RETC_TRY(retc_h5_open_slot(file, name, &transfer.dataset));
    const size_t *shape = transfer.dataset->storage.shape;
    for (int d = 0; d < transfer.dataset->storage.rank; ++d) {
        size_t from = transfer.slab.from[d] = start ? start[d] : 0;
        size_t n = transfer.slab.n[d] = count ? count[d] : shape[d] - from;
        if (n == 0)
            goto done;
        if (from > shape[d] || n > shape[d] - from)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: \"%s\": elements up to %zu of axis %d are asked for, it has %zu", file->path,
                               name, from + n, d, shape[d]));
    }
    if (retc_h5_whole_chunks(&transfer, &whole)) {
        RETC_TRY(retc_h5_move_chunks(&transfer, &whole));
        RETC_TRY(move_around(&transfer, &whole));
    } else {
        RETC_TRY(read_converted(&transfer));
        if (status > 0)
            RETC_TRY(retc_h5_move_plain(&transfer, &transfer.slab));
    }
    status = RETC_OK;

done:
    return status;
}

int
retc_h5_read(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count, void *out) {
    return move_slab(file, name, type, start, count, out, 0);
}

int
retc_h5_write(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count, const void *data) {
    /* HDF5 takes one pointer for both directions; a write does not change what it points to. */
    union {
        const void *in;
        void *out;
    } pointer = {.in = data};
    return move_slab(file, name, type, start, count, pointer.out, 1);
}

/* ---- whole datasets -------------------------------------------------------------------------------------------------- */

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
    RETC_TRY(RETC_GOT(data = retc_calloc(n, retc_h5_type_size(type))));
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
    size_t room = CHUNK_BYTES / retc_h5_type_size(type);
    for (int d = rank - 1; d >= 0; --d) {
        chunk[d] = shape[d] < room ? shape[d] : room;
        if (chunk[d] == 0)
            chunk[d] = 1;
        room = room / chunk[d] ? room / chunk[d] : 1;
    }
}

/* `most` NULL: the shape is final. */
static int
make_dataset(retc_h5 *file, const char *name, retc_h5_type type, int rank, const hsize_t *dims, const hsize_t *most,
             const hsize_t *pieces) {
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(creation, 0);
    if (pieces) {
        H5Pset_chunk(creation, rank, pieces);
        if (retc_h5_type_size(type) > 1)
            H5Pset_shuffle(creation);
        H5Pset_deflate(creation, RETC_H5_GZIP_LEVEL);
    }
    hid_t space = rank ? H5Screate_simple(rank, dims, most) : H5Screate(H5S_SCALAR);
    errno = 0;
    hid_t id = H5Dcreate2(file->id, name, file_type(type), space, links, creation, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(creation);
    H5Pclose(links);
    return id < 0 ? retc_h5_fail_write(file, name) : retc_h5_keep_dataset(file, name, id);
}

int
retc_h5_make(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *shape, const size_t *chunk) {
    hsize_t dims[RETC_H5_MAX_RANK] = {0}, pieces[RETC_H5_MAX_RANK] = {0};
    int empty = rank == 0;
    for (int d = 0; d < rank; ++d) {
        dims[d] = shape[d];
        pieces[d] = chunk ? (chunk[d] < shape[d] ? chunk[d] : shape[d]) : 0;
        empty |= shape[d] == 0;
    }
    return make_dataset(file, name, type, rank, dims, NULL, chunk && !empty ? pieces : NULL);
}

int
retc_h5_make_growing(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *chunk) {
    hsize_t dims[RETC_H5_MAX_RANK] = {0}, most[RETC_H5_MAX_RANK] = {0}, pieces[RETC_H5_MAX_RANK] = {0};
    for (int d = 0; d < rank; ++d) {
        dims[d] = d == 0 ? 0 : chunk[d];
        most[d] = d == 0 ? H5S_UNLIMITED : chunk[d];
        pieces[d] = chunk[d];
    }
    return make_dataset(file, name, type, rank, dims, most, pieces);
}

int
retc_h5_grow(retc_h5 *file, const char *name, size_t n) {
    int status = RETC_OK;
    const retc_h5_open_dataset *dataset = NULL;
    hsize_t dims[RETC_H5_MAX_RANK] = {0};
    RETC_TRY(retc_h5_open_slot(file, name, &dataset));
    for (int d = 0; d < dataset->storage.rank; ++d)
        dims[d] = d == 0 ? n : dataset->storage.shape[d];
    errno = 0;
    if (H5Dset_extent(dataset->id, dims) < 0)
        RETC_TRY(retc_h5_fail_write(file, name));
    file->dataset[dataset - file->dataset].storage.shape[0] = n;

done:
    return status;
}

int
retc_h5_put(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *shape, const void *data) {
    size_t n = 1, chunk[RETC_H5_MAX_RANK] = {0};
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    default_chunk(type, rank, shape, chunk);
    int status = retc_h5_make(file, name, type, rank, shape, n * retc_h5_type_size(type) > SMALL ? chunk : NULL);
    return status < 0 ? status : retc_h5_write(file, name, type, NULL, NULL, data);
}

/* How a dataset is stored, and whether that can be true: HDF5 1.10 trusts a file in this, and reads beyond its own memory when
 * the chunks of a damaged one hold less than their shape says. */
#include <libdeflate.h>

#include "h5_internal.h"

/* Arrays of less than CLAIM_BYTES are not doubted.  Deflate makes nothing smaller than one part in 1032. */
#define CLAIM_BYTES 64e6
#define DEFLATE_MOST 1032

/* Filters that are known here: none, shuffle, deflate, or shuffle and then deflate. */
static int
known_filters(hid_t creation, retc_h5_storage *storage) {
    int n = H5Pget_nfilters(creation);
    storage->deflate = -1;
    for (int i = 0; i < n; ++i) {
        unsigned flags = 0, values[8] = {0};
        size_t used = 8;
        H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)i, &flags, &used, values, 0, NULL, NULL);
        if (filter == H5Z_FILTER_SHUFFLE && i == 0 && used > 0 && values[0] == storage->size)
            storage->shuffled = 1;
        else if (filter == H5Z_FILTER_DEFLATE && i == n - 1)
            storage->deflate = i;
        else
            return 0;
    }
    return n >= 0 && n <= 2;
}

static void
look_at_chunks(hid_t creation, retc_h5_storage *storage) {
    hsize_t chunk[H5S_MAX_RANK];
    unsigned options = 1;
    size_t bytes = storage->size;
    if (storage->rank < 1 || H5Pget_layout(creation) != H5D_CHUNKED ||
        H5Pget_chunk(creation, H5S_MAX_RANK, chunk) != storage->rank)
        return;
    for (int d = 0; d < storage->rank; ++d) {
        storage->chunk[d] = (size_t)chunk[d];
        if (chunk[d] == 0 || __builtin_mul_overflow(bytes, storage->chunk[d], &bytes))
            return;
    }
    /* Chunks at the edge may have been exempted from the filters. */
    if (H5Pget_chunk_opts(creation, &options) < 0 || options != 0 || !known_filters(creation, storage))
        return;
    storage->chunk_bytes = bytes;
    storage->direct = storage->known && bytes <= RETC_H5_BENCH_BYTES;
}

/* ---- can that be true? ----------------------------------------------------------------------------------------------- */

/* A damaged or made-up file of some kilobytes may claim an array of terabytes. */
static int
check_claim(const retc_h5 *file, const char *name, hid_t id, hid_t creation, const retc_h5_storage *storage) {
    H5D_layout_t layout = H5Pget_layout(creation);
    double bytes = (double)storage->size;
    for (int d = 0; d < storage->rank; ++d)
        bytes *= (double)storage->shape[d];
    if (bytes < CLAIM_BYTES || H5Pget_external_count(creation) > 0 ||
        !(layout == H5D_CONTIGUOUS || (layout == H5D_CHUNKED && storage->chunk_bytes > 0)))
        return RETC_OK;
    double stored = (double)H5Dget_storage_size(id);
    if (bytes > DEFLATE_MOST * stored + CLAIM_BYTES)
        return RETC_FAIL(RETC_EFORMAT,
                         "%s: \"%s\" claims %.3g MB, and the file holds %.3g MB of it; copy or make the file again", file->path,
                         name, 1e-6 * bytes, 1e-6 * stored);
    return RETC_OK;
}

/* 1 when the first chunk holds as much as its shape says, or is not in the file. */
static int
first_chunk_is_whole(hid_t id, const retc_h5_storage *storage) {
    const hsize_t offset[RETC_H5_MAX_RANK] = {0};
    hsize_t packed = 0;
    uint32_t skipped = 0;
    if (H5Dget_chunk_storage_size(id, offset, &packed) < 0 || packed == 0)
        return 1;
    if (storage->chunk_bytes > DEFLATE_MOST * (packed + 1))
        return 0;
    unsigned char *in = retc_calloc(packed, 1), *out = retc_calloc(storage->chunk_bytes, 1);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    int whole = in && out && inflater && H5Dread_chunk(id, H5P_DEFAULT, offset, &skipped, in) >= 0;
    if (whole && (skipped >> storage->deflate & 1))
        whole = packed == storage->chunk_bytes;
    else if (whole)
        whole = libdeflate_zlib_decompress(inflater, in, packed, out, storage->chunk_bytes, NULL) == LIBDEFLATE_SUCCESS;
    libdeflate_free_decompressor(inflater);
    retc_free(out);
    retc_free(in);
    return whole;
}

static int
check_storage(const retc_h5 *file, const char *name, hid_t id, hid_t creation, const retc_h5_storage *storage) {
    int status = RETC_OK;
    if (file->temporary) /* being written: by this program, and not whole yet */
        return RETC_OK;
    RETC_TRY(check_claim(file, name, id, creation, storage));
    if (storage->chunk_bytes > 0 && storage->deflate >= 0 && !first_chunk_is_whole(id, storage))
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is damaged in its first chunk; copy or make the file again", file->path, name));

done:
    return status;
}

int
retc_h5_storage_of(const retc_h5 *file, const char *name, hid_t id, retc_h5_storage *storage) {
    int status = RETC_OK;
    hsize_t dims[H5S_MAX_RANK];
    hid_t space = H5Dget_space(id), type = H5Dget_type(id), creation = H5Dget_create_plist(id);
    *storage = (retc_h5_storage){.rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, dims, NULL)};
    if (storage->rank < 0 || type < 0 || creation < 0)
        RETC_TRY(retc_h5_fail_read(file, name));
    if (storage->rank > RETC_H5_MAX_RANK)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %d dimensions, more than any file of this kind", file->path, name,
                           storage->rank));
    for (int d = 0; d < storage->rank; ++d)
        storage->shape[d] = (size_t)dims[d];
    storage->size = H5Tget_size(type);
    for (int t = RETC_H5_FLOAT; t <= RETC_H5_UINT8; ++t)
        if (H5Tequal(type, retc_h5_memory_type((retc_h5_type)t)) > 0) {
            storage->known = 1;
            storage->type = (retc_h5_type)t;
        }
    look_at_chunks(creation, storage);
    RETC_TRY(check_storage(file, name, id, creation, storage));

done:
    H5Pclose(creation);
    H5Tclose(type);
    H5Sclose(space);
    H5Eclear2(H5E_DEFAULT);
    return status;
}

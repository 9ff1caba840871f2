/* Chunks packed and unpacked here instead of in HDF5, which does it on one thread, several times slower.
 *
 * The bytes in the file are those of HDF5's own filters (shuffle, then deflate with zlib's header), so that every program with
 * HDF5 reads them.  HDF5 itself is called by one thread only: it fetches or stores whole chunks as they are in the file, and
 * what happens to their content runs in parallel.  A chunk's bytes depend on its content alone, never on the threads. */
#include <errno.h>
#include <libdeflate.h>
#include <stdio.h>
#include <string.h>

#include "h5_internal.h"
#include "parallel.h"

enum { MOST_JOBS = 32 }; /* chunks at work at a time */

typedef struct {
    size_t at[RETC_H5_MAX_RANK];            /* first element of the chunk */
    unsigned char *packed, *raw, *shuffled; /* as in the file; the elements; the elements shuffled */
    size_t packed_room, raw_room, shuffled_room;
    size_t bytes;     /* used of `packed`; 0: the chunk is not in the file */
    uint32_t skipped; /* bit i: filter i was not applied to the chunk that was read */
    struct libdeflate_compressor *compressor;
    struct libdeflate_decompressor *decompressor;
} chunk_job;

struct retc_h5_bench {
    chunk_job job[MOST_JOBS];
};

typedef struct {
    const retc_h5_transfer *transfer;
    const retc_h5_storage *storage;
    chunk_job *job;
} chunk_batch;

void
retc_h5_bench_free(retc_h5_bench *bench) {
    for (size_t i = 0; bench && i < MOST_JOBS; ++i) {
        chunk_job *job = &bench->job[i];
        retc_free(job->packed);
        retc_free(job->raw);
        retc_free(job->shuffled);
        libdeflate_free_compressor(job->compressor);
        libdeflate_free_decompressor(job->decompressor);
    }
    retc_free(bench);
}

static int
reserve(unsigned char **block, size_t *room, size_t wanted) {
    if (*room >= wanted)
        return RETC_OK;
    retc_free(*block);
    *room = 0;
    int status = RETC_ALLOC(*block, wanted);
    if (status == RETC_OK)
        *room = wanted;
    return status;
}

/* ---- which chunks ------------------------------------------------------------------------------------------------------- */

int
retc_h5_whole_chunks(const retc_h5_transfer *transfer, retc_h5_box *whole) {
    const retc_h5_storage *storage = &transfer->dataset->storage;
    if (!storage->direct || !(transfer->writing ? retc_h5_find_converter(transfer->type, storage->type)
                                                : retc_h5_find_converter(storage->type, transfer->type)))
        return 0;
    for (int d = 0; d < storage->rank; ++d) {
        size_t from = transfer->slab.from[d], end = from + transfer->slab.n[d], chunk = storage->chunk[d];
        size_t first = from / chunk + (from % chunk != 0), last = end / chunk;
        /* The last chunk of an axis reaches beyond its end. */
        last += end == storage->shape[d] && end % chunk != 0;
        if (first >= last)
            return 0;
        whole->from[d] = first * chunk;
        whole->n[d] = (last * chunk < end ? last * chunk : end) - first * chunk;
    }
    return 1;
}

/* ---- between chunk and memory ---------------------------------------------------------------------------------------- */

/* Elements of the chunk that lie within the dataset, along axis d. */
static size_t
extent(const retc_h5_storage *storage, const chunk_job *job, int d) {
    size_t left = storage->shape[d] - job->at[d];
    return left < storage->chunk[d] ? left : storage->chunk[d];
}

/* Copy the elements between job->raw (the chunk's shape) and the slab in memory, run by run of what is contiguous in both. */
static void
move_elements(const chunk_batch *batch, const chunk_job *job) {
    const retc_h5_transfer *transfer = batch->transfer;
    const retc_h5_storage *storage = batch->storage;
    const retc_h5_box *slab = &transfer->slab;
    size_t n[RETC_H5_MAX_RANK], run, rows = 1;
    size_t size = retc_h5_type_size(storage->type), memory_size = retc_h5_type_size(transfer->type);
    int inner = storage->rank - 1;
    for (int d = 0; d < storage->rank; ++d)
        n[d] = extent(storage, job, d);
    run = n[inner];
    while (inner > 0 && n[inner] == storage->chunk[inner] && n[inner] == slab->n[inner])
        run *= n[--inner];
    for (int d = 0; d < inner; ++d)
        rows *= n[d];
    retc_h5_converter convert = transfer->writing ? retc_h5_find_converter(transfer->type, storage->type)
                                                  : retc_h5_find_converter(storage->type, transfer->type);
    for (size_t row = 0; row < rows; ++row) {
        size_t rest = row, in_chunk = 0, in_memory = 0, chunk_stride = 1, memory_stride = 1;
        for (int d = storage->rank - 1; d >= 0; --d) {
            size_t k = d < inner ? rest % n[d] : 0;
            rest = d < inner ? rest / n[d] : rest;
            in_chunk += k * chunk_stride;
            in_memory += (job->at[d] - slab->from[d] + k) * memory_stride;
            chunk_stride *= storage->chunk[d];
            memory_stride *= slab->n[d];
        }
        unsigned char *chunk = job->raw + in_chunk * size, *memory = (unsigned char *)transfer->data + in_memory * memory_size;
        if (transfer->writing)
            convert(memory, chunk, run);
        else
            convert(chunk, memory, run);
    }
}

static int
fail_chunk(const chunk_batch *batch, const chunk_job *job) {
    char at[128] = "";
    size_t used = 0;
    for (int d = 0; d < batch->storage->rank; ++d)
        used += (size_t)snprintf(at + used, sizeof at - used, "%s%zu", d ? "," : "", job->at[d]);
    return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is damaged in the chunk at (%s); copy or make the file again",
                     batch->transfer->file->path, batch->transfer->dataset->name, at);
}

/* From memory to the bytes of the file. */
static int
pack(void *context, size_t i) {
    int status = RETC_OK;
    const chunk_batch *batch = context;
    const retc_h5_storage *storage = batch->storage;
    chunk_job *job = &batch->job[i];
    size_t bytes = storage->chunk_bytes, size = retc_h5_type_size(storage->type);
    RETC_TRY(reserve(&job->raw, &job->raw_room, bytes));
    for (int d = 0; d < storage->rank; ++d)
        if (extent(storage, job, d) < storage->chunk[d])
            memset(job->raw, 0, bytes);
    move_elements(batch, job);
    unsigned char *content = job->raw;
    if (storage->shuffled && size > 1) {
        RETC_TRY(reserve(&job->shuffled, &job->shuffled_room, bytes));
        retc_h5_shuffle(job->raw, content = job->shuffled, bytes / size, size);
    }
    if (storage->deflate >= 0) {
        if (!job->compressor && !(job->compressor = libdeflate_alloc_compressor(RETC_H5_GZIP_LEVEL)))
            return RETC_FAIL(RETC_ENOMEM, "out of memory");
        /* Also what does not become smaller is packed: HDF5 1.10 does not note a change of the filters alone. */
        size_t bound = libdeflate_zlib_compress_bound(job->compressor, bytes);
        RETC_TRY(reserve(&job->packed, &job->packed_room, bound));
        job->bytes = libdeflate_zlib_compress(job->compressor, content, bytes, job->packed, bound);
    } else {
        RETC_TRY(reserve(&job->packed, &job->packed_room, bytes));
        memcpy(job->packed, content, bytes);
        job->bytes = bytes;
    }

done:
    return status;
}

/* From the bytes of the file to memory. */
static int
unpack(void *context, size_t i) {
    int status = RETC_OK;
    const chunk_batch *batch = context;
    const retc_h5_storage *storage = batch->storage;
    chunk_job *job = &batch->job[i];
    size_t bytes = storage->chunk_bytes, size = retc_h5_type_size(storage->type);
    int shuffled = storage->shuffled && size > 1 && !(job->skipped & 1);
    unsigned char *content = job->packed;
    if (job->bytes == 0)
        return RETC_OK;
    RETC_TRY(reserve(&job->raw, &job->raw_room, bytes));
    if (storage->deflate >= 0 && !(job->skipped >> storage->deflate & 1)) {
        content = job->raw;
        if (shuffled) {
            RETC_TRY(reserve(&job->shuffled, &job->shuffled_room, bytes));
            content = job->shuffled;
        }
        if (!job->decompressor && !(job->decompressor = libdeflate_alloc_decompressor()))
            return RETC_FAIL(RETC_ENOMEM, "out of memory");
        if (libdeflate_zlib_decompress(job->decompressor, job->packed, job->bytes, content, bytes, NULL) != LIBDEFLATE_SUCCESS)
            return fail_chunk(batch, job);
    } else if (job->bytes != bytes) {
        return fail_chunk(batch, job);
    }
    if (shuffled)
        retc_h5_unshuffle(content, job->raw, bytes / size, size);
    else if (content != job->raw)
        memcpy(job->raw, content, bytes);
    move_elements(batch, job);

done:
    return status;
}

/* ---- between chunk and file ------------------------------------------------------------------------------------------ */

static void
chunk_offset(const retc_h5_storage *storage, const chunk_job *job, hsize_t *offset) {
    for (int d = 0; d < storage->rank; ++d)
        offset[d] = job->at[d];
}

/* Have HDF5 move the chunk: it was never written and holds the fill value, or HDF5 must say what is wrong with it. */
static int
fetch_plain(const chunk_batch *batch, chunk_job *job) {
    retc_h5_box part = {{0}, {0}};
    for (int d = 0; d < batch->storage->rank; ++d) {
        part.from[d] = job->at[d];
        part.n[d] = extent(batch->storage, job, d);
    }
    job->bytes = 0;
    H5Eclear2(H5E_DEFAULT);
    return retc_h5_move_plain(batch->transfer, &part);
}

static int
fetch(const chunk_batch *batch, chunk_job *job) {
    int status = RETC_OK;
    hid_t dataset = batch->transfer->dataset->id;
    hsize_t offset[RETC_H5_MAX_RANK], bytes = 0;
    chunk_offset(batch->storage, job, offset);
    if (H5Dget_chunk_storage_size(dataset, offset, &bytes) < 0 || bytes == 0)
        return fetch_plain(batch, job);
    if (bytes > 2 * batch->storage->chunk_bytes + 4096)
        return fail_chunk(batch, job); /* no filter makes it that much larger */
    RETC_TRY(reserve(&job->packed, &job->packed_room, (size_t)bytes));
    job->bytes = (size_t)bytes;
    /* Of chunks without filters HDF5 knows a size also when they were never written. */
    if (H5Dread_chunk(dataset, H5P_DEFAULT, offset, &job->skipped, job->packed) < 0)
        RETC_TRY(fetch_plain(batch, job));

done:
    return status;
}

static int
store(const chunk_batch *batch, const chunk_job *job) {
    const retc_h5_open_dataset *dataset = batch->transfer->dataset;
    hsize_t offset[RETC_H5_MAX_RANK];
    chunk_offset(batch->storage, job, offset);
    errno = 0;
    if (H5Dwrite_chunk(dataset->id, H5P_DEFAULT, 0, offset, job->bytes, job->packed) < 0)
        return retc_h5_fail_write(batch->transfer->file, dataset->name);
    return RETC_OK;
}

/* Two for every thread, so that an unequal pair does not leave one waiting, as far as there is room. */
static size_t
jobs_at_a_time(const retc_h5_storage *storage) {
    size_t threads = retc_parallel_chosen(), fit = RETC_H5_BENCH_BYTES / 3 / storage->chunk_bytes;
    size_t jobs = threads < MOST_JOBS / 2 ? 2 * threads : MOST_JOBS;
    return fit < 1 ? 1 : fit < jobs ? fit : jobs;
}

int
retc_h5_move_chunks(const retc_h5_transfer *transfer, const retc_h5_box *whole) {
    int status = RETC_OK;
    retc_h5 *file = transfer->file;
    const retc_h5_storage *storage = &transfer->dataset->storage;
    size_t chunks = 1, jobs = jobs_at_a_time(storage);
    for (int d = 0; d < storage->rank; ++d)
        chunks *= (whole->n[d] + storage->chunk[d] - 1) / storage->chunk[d];
    if (!file->bench)
        RETC_TRY(RETC_ALLOC(file->bench, 1));
    chunk_batch batch = {.transfer = transfer, .storage = storage, .job = file->bench->job};
    for (size_t first = 0; first < chunks; first += jobs) {
        size_t n = chunks - first < jobs ? chunks - first : jobs;
        for (size_t i = 0; i < n; ++i) {
            size_t rest = first + i;
            for (int d = storage->rank - 1; d >= 0; --d) {
                size_t along = (whole->n[d] + storage->chunk[d] - 1) / storage->chunk[d];
                batch.job[i].at[d] = whole->from[d] + rest % along * storage->chunk[d];
                rest /= along;
            }
            if (!transfer->writing)
                RETC_TRY(fetch(&batch, &batch.job[i]));
        }
        RETC_TRY(retc_parallel_for(n, 0, transfer->writing ? pack : unpack, &batch));
        for (size_t i = 0; transfer->writing && i < n; ++i)
            RETC_TRY(store(&batch, &batch.job[i]));
    }

done:
    return status;
}

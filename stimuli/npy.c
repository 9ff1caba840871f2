#include "npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_HEADER = 1 << 16, SLAB = 1 << 16 };

struct retc_npy {
    char *path;
    FILE *file;
    int rank;
    size_t shape[RETC_H5_MAX_RANK], elements;
    char kind;   /* f, i, u or b */
    size_t size; /* bytes of an element */
    long start;  /* of the data in the file */
    unsigned char *slab;
};

/* ---- header ---------------------------------------------------------------------------------------------------------- */

static int
bad_header(const retc_npy *npy, const char *what) {
    return RETC_FAIL(RETC_EFORMAT, "%s: damaged header of a NumPy array: %s", npy->path, what);
}

/* The text behind 'key': of a header, NULL when it lacks it. */
static const char *
value_of(const char *header, const char *key) {
    const char *at = strstr(header, key);
    return at ? at + strlen(key) + strspn(at + strlen(key), ": ") : NULL;
}

static int
parse_type(retc_npy *npy, const char *header) {
    static const char *const known[] = {"<f4", "<f8", "|i1", "<i2", "<i4", "|u1", "<u2", "<u4", "|b1"};
    const char *descr = value_of(header, "'descr'");
    if (!descr || descr[0] != '\'')
        return RETC_FAIL(RETC_EFORMAT, "%s: the elements of the array are no plain numbers", npy->path);
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
        if (strncmp(descr + 1, known[i], 3) == 0 && descr[4] == '\'') {
            npy->kind = known[i][1];
            npy->size = (size_t)(known[i][2] - '0');
            return RETC_OK;
        }
    return RETC_FAIL(RETC_EFORMAT, "%s: elements of type %.*s are not read; save the array as uint8 or float32", npy->path,
                     (int)strcspn(descr + 1, "'"), descr + 1);
}

static int
parse_shape(retc_npy *npy, const char *header) {
    const char *at = value_of(header, "'shape'"), *order = value_of(header, "'fortran_order'");
    if (!at || *at++ != '(' || !order)
        return bad_header(npy, "no shape or order");
    if (strncmp(order, "False", 5) != 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: the array is in Fortran order; save numpy.ascontiguousarray of it", npy->path);
    npy->elements = 1;
    for (at += strspn(at, " "); *at != ')'; at += strspn(at, ", ")) {
        char *end;
        unsigned long long n = *at >= '0' && *at <= '9' ? strtoull(at, &end, 10) : 0;
        if (*at < '0' || *at > '9' || npy->rank == RETC_H5_MAX_RANK ||
            __builtin_mul_overflow(npy->elements, (size_t)n, &npy->elements))
            return bad_header(npy, "its shape");
        npy->shape[npy->rank++] = (size_t)n;
        at = end;
    }
    return RETC_OK;
}

static int
read_header(retc_npy *npy) {
    int status = RETC_OK;
    unsigned char head[12];
    char *header = NULL;
    size_t length;
    if (fread(head, 1, 10, npy->file) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: is no NumPy array (.npy)", npy->path);
    length = head[8] + 256u * head[9];
    if (head[6] > 1) {
        if (head[6] > 3 || fread(head + 10, 1, 2, npy->file) != 2)
            return bad_header(npy, "its version");
        length += ((size_t)head[10] << 16) + ((size_t)head[11] << 24);
    }
    if (length > MOST_HEADER)
        return bad_header(npy, "its length");
    RETC_TRY(RETC_ALLOC(header, length + 1));
    if (fread(header, 1, length, npy->file) != length)
        RETC_TRY(bad_header(npy, "it is cut off"));
    npy->start = ftell(npy->file);
    RETC_TRY(parse_type(npy, header));
    RETC_TRY(parse_shape(npy, header));

done:
    retc_free(header);
    return status;
}

static int
check_length(const retc_npy *npy) {
    struct stat info;
    size_t bytes;
    if (fstat(fileno(npy->file), &info) != 0)
        return RETC_FAIL(RETC_EIO, "%s: %s", npy->path, strerror(errno));
    if (__builtin_mul_overflow(npy->elements, npy->size, &bytes) || (size_t)info.st_size - (size_t)npy->start != bytes)
        return RETC_FAIL(RETC_EFORMAT, "%s: holds %zu bytes of data, %zu elements of %zu bytes were expected: copy it again",
                         npy->path, (size_t)info.st_size - (size_t)npy->start, npy->elements, npy->size);
    return RETC_OK;
}

retc_npy *
retc_npy_open(const char *path) {
    int status = RETC_OK;
    retc_npy *npy = NULL;
    RETC_TRY(RETC_ALLOC(npy, 1));
    RETC_TRY(RETC_GOT(npy->path = retc_strdup(path)));
    npy->file = fopen(path, "rb");
    if (!npy->file)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno)));
    RETC_TRY(read_header(npy));
    RETC_TRY(check_length(npy));
    RETC_TRY(RETC_ALLOC(npy->slab, SLAB * npy->size));

done:
    if (status < 0) {
        retc_npy_close(npy);
        return NULL;
    }
    return npy;
}

void
retc_npy_close(retc_npy *npy) {
    if (!npy)
        return;
    if (npy->file)
        fclose(npy->file);
    retc_free(npy->slab);
    retc_free(npy->path);
    retc_free(npy);
}

int
retc_npy_rank(const retc_npy *npy) {
    return npy->rank;
}

const size_t *
retc_npy_shape(const retc_npy *npy) {
    return npy->shape;
}

int
retc_npy_is_bytes(const retc_npy *npy) {
    return npy->kind == 'u' && npy->size == 1;
}

/* ---- elements -------------------------------------------------------------------------------------------------------- */

static float
element(const retc_npy *npy, const unsigned char *stored) {
    uint64_t bits = 0;
    for (size_t i = 0; i < npy->size; ++i)
        bits |= (uint64_t)stored[i] << (8 * i);
    if (npy->kind == 'f' && npy->size == 4) {
        uint32_t half = (uint32_t)bits;
        float value;
        memcpy(&value, &half, sizeof value);
        return value;
    }
    if (npy->kind == 'f') {
        double value;
        memcpy(&value, &bits, sizeof value);
        return (float)value;
    }
    /* Two's complement of the element's own width. */
    uint64_t sign = (uint64_t)1 << (8 * npy->size - 1);
    return npy->kind == 'i' ? (float)((int64_t)(bits ^ sign) - (int64_t)sign) : (float)bits;
}

int
retc_npy_read(retc_npy *npy, size_t first, size_t n, float *out) {
    if (first > npy->elements || n > npy->elements - first)
        return RETC_FAIL(RETC_EINVAL, "%s: elements up to %zu are asked for, it has %zu", npy->path, first + n, npy->elements);
    if (fseeko(npy->file, (off_t)npy->start + (off_t)(first * npy->size), SEEK_SET) != 0)
        return RETC_FAIL(RETC_EIO, "%s: %s", npy->path, strerror(errno));
    while (n > 0) {
        size_t m = n < SLAB ? n : SLAB;
        if (fread(npy->slab, npy->size, m, npy->file) != m)
            return RETC_FAIL(RETC_EIO, "%s: cannot be read to its end", npy->path);
        for (size_t i = 0; i < m; ++i)
            *out++ = element(npy, npy->slab + i * npy->size);
        n -= m;
    }
    return RETC_OK;
}

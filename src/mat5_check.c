/* Is a MATLAB v5 file whole?  Every tag is followed through compressed parts, structures and cells, and no length may reach out
 * of what holds it.  The format: "MAT-File Format", The MathWorks, chapter 1. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mat_internal.h"

/* Data types and array classes that matter here. */
enum { INT8 = 1, UINT8 = 2, INT32 = 5, UINT32 = 6, MATRIX = 14, COMPRESSED = 15 };
enum {
    CELL = 1,
    STRUCT = 2,
    OBJECT = 3,
    CHAR = 4,
    SPARSE = 5,
    FIRST_NUMERIC = 6,
    LAST_NUMERIC = 15,
    FUNCTION = 16,
    OPAQUE = 17
};

enum { MAX_RANK = 32, MAX_NAME = 4096, COMPLEX = 0x08, BUFFER = 1 << 16 };

typedef struct {
    const char *path;
    FILE *file;
    uint64_t left;                /* bytes of the file that follow */
    int swap;                     /* the other byte order */
    z_stream *inflater;           /* NULL outside compressed elements */
    uint64_t packed;              /* compressed bytes of this element that are still in the file */
    unsigned char *buffer, *sink; /* (BUFFER) bytes each */
    char **name;                  /* (n) of variables */
    size_t n;
    const char *variable; /* in which something is wrong; "" before its name is known */
} checker;

static int
damaged(const checker *c, const char *what) {
    return RETC_FAIL(RETC_EFORMAT, "%s: damaged MATLAB file: %s%s%s", c->path, c->variable[0] ? c->variable : "",
                     c->variable[0] ? ": " : "", what);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------- */

static int
take_plain(checker *c, unsigned char *out, size_t n) {
    if (n > c->left || fread(out, 1, n, c->file) != n)
        return damaged(c, "it ends too early");
    c->left -= n;
    return RETC_OK;
}

static int
take_inflated(checker *c, unsigned char *out, size_t n) {
    int status = RETC_OK;
    z_stream *z = c->inflater;
    z->next_out = out;
    z->avail_out = (uInt)n;
    while (z->avail_out > 0) {
        if (z->avail_in == 0) {
            size_t more = c->packed < BUFFER ? (size_t)c->packed : BUFFER;
            if (more == 0)
                RETC_TRY(damaged(c, "a compressed part ends too early"));
            RETC_TRY(take_plain(c, c->buffer, more));
            c->packed -= more;
            z->next_in = c->buffer;
            z->avail_in = (uInt)more;
        }
        int code = inflate(z, Z_NO_FLUSH);
        if (code != Z_OK && !(code == Z_STREAM_END && z->avail_out == 0))
            RETC_TRY(damaged(c, "a compressed part cannot be unpacked"));
    }

done:
    return status;
}

static int
take(checker *c, unsigned char *out, size_t n) {
    return c->inflater ? take_inflated(c, out, n) : take_plain(c, out, n);
}

/* Go over n bytes. */
static int
skip(checker *c, uint64_t n) {
    int status = RETC_OK;
    if (!c->inflater) {
        if (n > c->left || fseeko(c->file, (off_t)n, SEEK_CUR) != 0)
            return damaged(c, "it ends too early");
        c->left -= n;
        return RETC_OK;
    }
    for (size_t piece; n > 0; n -= piece) {
        piece = n < BUFFER ? (size_t)n : BUFFER;
        RETC_TRY(take(c, c->sink, piece));
    }

done:
    return status;
}

static uint32_t
word(const checker *c, const unsigned char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return c->swap ? __builtin_bswap32(value) : value;
}

/* ---- elements -------------------------------------------------------------------------------------------------------- */

/* What follows a tag. */
typedef struct {
    uint32_t type;
    uint64_t bytes, padded; /* of data; of data still to be taken from the file, with padding */
    unsigned char small[4]; /* the data when they stand in the tag itself */
    int is_small;
} element;

/* The next element inside `*room` bytes, which its tag and data are taken off. */
static int
next_element(checker *c, uint64_t *room, element *e) {
    int status = RETC_OK;
    unsigned char tag[8];
    if (*room < 8)
        RETC_TRY(damaged(c, "an element has no room"));
    RETC_TRY(take(c, tag, 8));
    *room -= 8;
    *e = (element){.type = word(c, tag), .bytes = word(c, tag + 4)};
    if (e->type >> 16) {
        e->is_small = 1;
        e->bytes = e->type >> 16;
        e->type &= 0xffff;
        memcpy(e->small, tag + 4, 4);
        if (e->bytes > 4)
            RETC_TRY(damaged(c, "a small element is too long"));
    } else {
        e->padded = e->type == COMPRESSED ? e->bytes : (e->bytes + 7) / 8 * 8;
    }
    if (e->padded > *room)
        RETC_TRY(damaged(c, "an element reaches out of what holds it"));
    *room -= e->padded;

done:
    return status;
}

/* The data of an element of at most `most` bytes. */
static int
take_data(checker *c, const element *e, size_t most, unsigned char *out) {
    int status = RETC_OK;
    if (e->bytes > most)
        RETC_TRY(damaged(c, "an element is too long"));
    if (e->is_small) {
        memcpy(out, e->small, e->bytes);
    } else {
        RETC_TRY(take(c, out, e->bytes));
        RETC_TRY(skip(c, e->padded - e->bytes));
    }

done:
    return status;
}

/* Bytes of a value of a numeric data type, 0 for what is none. */
static size_t
value_size(uint32_t type) {
    static const unsigned char size[] = {[1] = 1, [2] = 1,  [3] = 2,  [4] = 2,  [5] = 4,  [6] = 4, [7] = 4,
                                         [9] = 8, [12] = 8, [13] = 8, [16] = 1, [17] = 2, [18] = 4};
    return type < sizeof size ? size[type] : 0;
}

/* An element of `values` numbers, no more and no fewer. */
static int
check_values(checker *c, uint64_t *room, uint64_t values, int is_text) {
    int status = RETC_OK;
    element e;
    RETC_TRY(next_element(c, room, &e));
    size_t size = value_size(e.type);
    if (size == 0 || (e.type > 13 && !is_text))
        RETC_TRY(damaged(c, "its values have no numeric type"));
    /* Text in UTF-8 may take more bytes than characters. */
    if (is_text ? e.bytes > (uint64_t)INT_MAX : e.bytes != values * size)
        RETC_TRY(damaged(c, "the number of its values does not agree with its size"));
    if (!e.is_small)
        RETC_TRY(skip(c, e.padded));

done:
    return status;
}

/* ---- arrays ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    unsigned class, flags;
    uint64_t values; /* product of the axes */
    char name[MAX_NAME + 1];
} header;

/* Flags, axes and name, which every array begins with. */
static int
take_header(checker *c, uint64_t *room, header *h) {
    int status = RETC_OK;
    element e;
    unsigned char flags[8], axes[4 * MAX_RANK];
    RETC_TRY(next_element(c, room, &e));
    if (e.type != UINT32 || e.bytes != 8 || e.is_small)
        RETC_TRY(damaged(c, "an array does not begin with its flags"));
    RETC_TRY(take_data(c, &e, sizeof flags, flags));
    h->class = word(c, flags) & 0xff;
    h->flags = word(c, flags) >> 8 & 0xff;
    if (h->class == OPAQUE)
        return RETC_OK;
    RETC_TRY(next_element(c, room, &e));
    if (e.type != INT32 || e.bytes % 4 != 0 || e.bytes < 8)
        RETC_TRY(damaged(c, "an array has no axes"));
    RETC_TRY(take_data(c, &e, sizeof axes, axes));
    h->values = 1;
    for (size_t d = 0; d < e.bytes / 4; ++d) {
        uint32_t length = word(c, axes + 4 * d);
        /* matio counts in int. */
        if (length > INT_MAX || (length > 0 && h->values > INT_MAX / length))
            RETC_TRY(damaged(c, "an array is too large"));
        h->values *= length;
    }
    RETC_TRY(next_element(c, room, &e));
    if (e.type != INT8 && e.type != UINT8 && e.type != 16)
        RETC_TRY(damaged(c, "an array has no name"));
    RETC_TRY(take_data(c, &e, MAX_NAME, (unsigned char *)h->name));
    h->name[e.bytes] = '\0';

done:
    return status;
}

static int check_array(checker *c, uint64_t room, int depth, int is_variable);

/* `number` arrays one after the other; an empty one may have no content at all. */
static int
check_members(checker *c, uint64_t *room, uint64_t number, int depth) {
    int status = RETC_OK;
    element e;
    for (uint64_t i = 0; i < number; ++i) {
        RETC_TRY(next_element(c, room, &e));
        if (e.type != MATRIX || e.is_small)
            RETC_TRY(damaged(c, "a member of a structure or cell array is no array"));
        if (e.bytes > 0)
            RETC_TRY(check_array(c, e.padded, depth + 1, 0));
    }

done:
    return status;
}

static int
check_struct(checker *c, uint64_t *room, const header *h, int depth) {
    int status = RETC_OK;
    element e;
    unsigned char length[4];
    if (h->class == OBJECT) {
        RETC_TRY(next_element(c, room, &e));
        if (!e.is_small)
            RETC_TRY(skip(c, e.padded));
    }
    RETC_TRY(next_element(c, room, &e));
    if (e.type != INT32 || e.bytes != 4)
        RETC_TRY(damaged(c, "a structure has no fields"));
    RETC_TRY(take_data(c, &e, 4, length));
    uint32_t name_length = word(c, length);
    RETC_TRY(next_element(c, room, &e));
    if (e.type != INT8 || name_length == 0 || name_length > MAX_NAME || e.bytes % name_length != 0)
        RETC_TRY(damaged(c, "the fields of a structure have no names"));
    uint64_t fields = e.bytes / name_length;
    if (!e.is_small)
        RETC_TRY(skip(c, e.padded));
    if (fields > 0 && h->values > INT_MAX / fields)
        RETC_TRY(damaged(c, "a structure array is too large"));
    RETC_TRY(check_members(c, room, h->values * fields, depth));

done:
    return status;
}

static int
check_sparse(checker *c, uint64_t *room) {
    int status = RETC_OK;
    element e;
    for (int part = 0; part < 3; ++part) {
        RETC_TRY(next_element(c, room, &e));
        if (!e.is_small)
            RETC_TRY(skip(c, e.padded));
    }

done:
    return status;
}

static int
remember(checker *c, const char *name) {
    int status = RETC_OK;
    char **grown = NULL;
    if ((c->n & (c->n - 1)) == 0) {
        RETC_TRY(RETC_ALLOC(grown, c->n ? 2 * c->n : 1));
        if (c->n)
            memcpy(grown, c->name, c->n * sizeof *grown);
        retc_free(c->name);
        c->name = grown;
    }
    RETC_TRY(RETC_GOT(c->name[c->n] = retc_strdup(name)));
    c->variable = c->name[c->n++];

done:
    return status;
}

/* The content of an array of `room` bytes, to its end. */
static int
check_array(checker *c, uint64_t room, int depth, int is_variable) {
    int status = RETC_OK;
    header *h = NULL;
    RETC_TRY(RETC_ALLOC(h, 1));
    if (depth > RETC_MAT_DEPTH)
        RETC_TRY(damaged(c, "structures are nested too deeply"));
    RETC_TRY(take_header(c, &room, h));
    if (is_variable && h->class != OPAQUE)
        RETC_TRY(remember(c, h->name));
    if (h->class == CELL) {
        RETC_TRY(check_members(c, &room, h->values, depth));
    } else if (h->class == STRUCT || h->class == OBJECT) {
        RETC_TRY(check_struct(c, &room, h, depth));
    } else if (h->class == SPARSE) {
        RETC_TRY(check_sparse(c, &room));
    } else if (h->class == CHAR || (h->class >= FIRST_NUMERIC && h->class <= LAST_NUMERIC)) {
        RETC_TRY(check_values(c, &room, h->values, h->class == CHAR));
        if (h->flags & COMPLEX)
            RETC_TRY(check_values(c, &room, h->values, h->class == CHAR));
    } else if (h->class != FUNCTION && h->class != OPAQUE) {
        RETC_TRY(damaged(c, "an array has a class that is not known"));
    }
    RETC_TRY(skip(c, room));

done:
    retc_free(h);
    return status;
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

static int
check_compressed(checker *c, const element *e) {
    int status = RETC_OK;
    z_stream z = {0};
    element inner;
    uint64_t room = UINT64_MAX;
    if (inflateInit(&z) != Z_OK)
        return RETC_FAIL(RETC_ENOMEM, "%s: out of memory", c->path);
    c->inflater = &z;
    c->packed = e->bytes;
    RETC_TRY(next_element(c, &room, &inner));
    if (inner.type != MATRIX || inner.is_small)
        RETC_TRY(damaged(c, "a compressed part holds no array"));
    RETC_TRY(check_array(c, inner.padded, 0, 1));
    c->inflater = NULL;
    RETC_TRY(skip(c, c->packed));

done:
    c->inflater = NULL;
    inflateEnd(&z);
    return status;
}

static int
check_elements(checker *c) {
    int status = RETC_OK;
    element e;
    while (c->left > 0) {
        uint64_t room = c->left;
        c->variable = "";
        RETC_TRY(next_element(c, &room, &e));
        if (e.type == COMPRESSED && !e.is_small)
            RETC_TRY(check_compressed(c, &e));
        else if (e.type == MATRIX && !e.is_small && e.bytes > 0)
            RETC_TRY(check_array(c, e.padded, 0, 1));
        else
            RETC_TRY(damaged(c, "something in it is no array"));
    }

done:
    return status;
}

/* One block: the pointers, then the texts they point to. */
static int
names_block(const checker *c, char ***names) {
    size_t bytes = 0;
    for (size_t i = 0; i < c->n; ++i)
        bytes += strlen(c->name[i]) + 1;
    *names = retc_calloc(1, c->n * sizeof **names + bytes + 1);
    char *end = *names ? (char *)(*names + c->n) : NULL;
    for (size_t i = 0; *names && i < c->n; ++i) {
        (*names)[i] = strcpy(end, c->name[i]);
        end += strlen(end) + 1;
    }
    return RETC_GOT(*names);
}

int
retc_mat5_check(const char *path, char ***names, size_t *n) {
    int status = RETC_OK;
    unsigned char head[128];
    checker c = {.path = path, .variable = "", .left = sizeof head};
    if (!(c.file = fopen(path, "rb")))
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    RETC_TRY(RETC_GOT(c.buffer = retc_calloc(BUFFER, 2)));
    c.sink = c.buffer + BUFFER;
    RETC_TRY(take_plain(&c, head, sizeof head));
    uint16_t order;
    memcpy(&order, head + 126, sizeof order);
    c.swap = order != 0x4d49; /* "MI" as a number of the machine that wrote it */
    if (fseeko(c.file, 0, SEEK_END) != 0 || ftello(c.file) < (off_t)sizeof head)
        RETC_TRY(damaged(&c, "it ends too early"));
    c.left = (uint64_t)ftello(c.file) - sizeof head;
    rewind(c.file);
    if (fseeko(c.file, sizeof head, SEEK_SET) != 0)
        RETC_TRY(damaged(&c, "it ends too early"));
    RETC_TRY(check_elements(&c));
    RETC_TRY(names_block(&c, names));
    *n = c.n;

done:
    for (size_t i = 0; i < c.n; ++i)
        retc_free(c.name[i]);
    retc_free(c.name);
    retc_free(c.buffer);
    fclose(c.file);
    return status;
}

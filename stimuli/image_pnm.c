/* PGM and PPM, plain (P2, P3) and raw (P5, P6), 1 ... 65535 grey levels (Netpbm's file formats). */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "image_rows.h"

/* The next byte; a comment, from '#' to the end of its line, reads as that end. */
static int
next_byte(FILE *in) {
    int c = getc(in);
    while (c == '#')
        while ((c = getc(in)) != '\n' && c != EOF)
            ;
    return c;
}

/* The next whole number, with the one white space after it, which ends the head of a raw file.  -1: there is none, or it is
 * larger than any that has a meaning here. */
static long
next_number(FILE *in) {
    long number = -1;
    int c = next_byte(in);
    while (isspace(c))
        c = next_byte(in);
    for (; c >= '0' && c <= '9'; c = next_byte(in)) {
        number = 10 * (number < 0 ? 0 : number) + c - '0';
        if (number > 0x7fffffff)
            return -1;
    }
    return c == EOF || isspace(c) ? number : -1;
}

static int
fail_end(const retc_image_rows *rows, FILE *in, size_t y) {
    if (ferror(in))
        return RETC_FAIL(RETC_EIO, "%s: %s", rows->path, strerror(errno));
    return RETC_FAIL(RETC_EFORMAT, "%s: the file ends, or has no number, in row %zu of %zu", rows->path, y,
                     rows->image->height);
}

static int
read_row(const retc_image_rows *rows, FILE *in, int raw, size_t y, uint16_t *levels) {
    size_t n = rows->image->width * rows->samples, bytes = rows->maximum > 255 ? 2 : 1;
    for (size_t i = 0; i < n; ++i) {
        long level = -1;
        if (raw) {
            int high = bytes == 2 ? getc(in) : 0, low = getc(in);
            level = high == EOF || low == EOF ? -1 : high * 256 + low;
        } else {
            level = next_number(in);
        }
        if (level < 0)
            return fail_end(rows, in, y);
        if ((size_t)level > rows->maximum)
            return RETC_FAIL(RETC_EFORMAT, "%s: level %ld in row %zu is above the largest, %zu", rows->path, level, y,
                             rows->maximum);
        levels[i] = (uint16_t)level;
    }
    return RETC_OK;
}

int
retc_image_read_pnm(retc_image_rows *rows) {
    int status = RETC_OK;
    uint16_t *levels = NULL;
    FILE *in = NULL;
    RETC_TRY(RETC_GOT(in = retc_image_open(rows->path)));
    getc(in);
    int kind = getc(in) - '0';
    if (kind != 2 && kind != 3 && kind != 5 && kind != 6)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: a netpbm file of kind P%d; PGM (P2, P5) and PPM (P3, P6) can be read", rows->path,
                           kind));
    long width = next_number(in), height = next_number(in), maximum = next_number(in);
    if (width < 0 || height < 0 || maximum < 1 || maximum > 65535)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: the head of the file is damaged: width, height and largest level (up to 65535) "
                           "were expected",
                           rows->path));
    RETC_TRY(retc_image_rows_begin(rows, (size_t)height, (size_t)width, kind % 3 == 0 ? 3 : 1, (size_t)maximum, 0));
    RETC_TRY(RETC_ALLOC(levels, rows->image->width * rows->samples));
    for (size_t y = 0; y < rows->image->height; ++y) {
        RETC_TRY(read_row(rows, in, kind >= 5, y, levels));
        retc_image_row16(rows, y, levels);
    }

done:
    retc_free(levels);
    if (in)
        fclose(in);
    return status;
}

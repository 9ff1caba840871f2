/* PNG of every kind through libpng: 1 to 16 bits, grey, palette, colours, transparency, interlaced. */
#include <png.h>
#include <string.h>

#include "image_rows.h"

/* libpng leaves by longjmp: whatever must be freed stands here, outside the function that calls it. */
typedef struct {
    retc_image_rows *rows;
    FILE *in;
    png_structp png;
    png_infop info;
    unsigned char *bytes; /* rows as libpng gives them: all of an interlaced image, else one */
} png_reader;

static void
take_error(png_structp png, png_const_charp message) {
    const png_reader *reader = png_get_error_ptr(png);
    RETC_FAIL(RETC_EFORMAT, "%s: damaged PNG file (%s)", reader->rows->path, message);
    png_longjmp(png, 1);
}

static void
ignore_warning(png_structp png, png_const_charp message) {
    (void)png, (void)message;
}

/* 8 or 16 bits a sample, in the byte order of this machine, palettes and single transparent colours resolved. */
static void
simplify(png_reader *reader) {
    const uint16_t one = 1;
    unsigned char low;
    png_set_expand(reader->png);
    memcpy(&low, &one, 1);
    if (png_get_bit_depth(reader->png, reader->info) == 16 && low == 1)
        png_set_swap(reader->png);
}

/* The exponent that the file states; 0 when it names sRGB or nothing. */
static double
stated_gamma(const png_reader *reader) {
    double gamma = 0;
    if (png_get_valid(reader->png, reader->info, PNG_INFO_sRGB) || !png_get_gAMA(reader->png, reader->info, &gamma))
        return 0;
    /* 1 / 2.2 is how older writers say sRGB. */
    return gamma > 0.01 && (gamma < 0.45 || gamma > 0.46) ? 1 / gamma : 0;
}

static int
read_rows(png_reader *reader) {
    int status = RETC_OK;
    retc_image_rows *rows = reader->rows;
    if (setjmp(png_jmpbuf(reader->png)))
        return RETC_EFORMAT; /* take_error has said why */
    png_init_io(reader->png, reader->in);
    png_read_info(reader->png, reader->info);
    simplify(reader);
    int passes = png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    size_t height = png_get_image_height(reader->png, reader->info), width = png_get_image_width(reader->png, reader->info);
    size_t depth = png_get_bit_depth(reader->png, reader->info), row_bytes = png_get_rowbytes(reader->png, reader->info);
    RETC_TRY(retc_image_rows_begin(rows, height, width, png_get_channels(reader->png, reader->info), ((size_t)1 << depth) - 1,
                                   stated_gamma(reader)));
    RETC_TRY(RETC_ALLOC(reader->bytes, (passes > 1 ? height : 1) * row_bytes));
    for (int pass = 0; pass < passes; ++pass) {
        for (size_t y = 0; y < height; ++y) {
            unsigned char *row = reader->bytes + (passes > 1 ? y : 0) * row_bytes;
            png_read_row(reader->png, row, NULL);
            if (pass + 1 < passes)
                continue;
            if (depth == 16)
                retc_image_row16(rows, y, (const uint16_t *)(const void *)row);
            else
                retc_image_row8(rows, y, row);
        }
    }
    png_read_end(reader->png, NULL);

done:
    return status;
}

int
retc_image_read_png(retc_image_rows *rows) {
    int status = RETC_OK;
    png_reader reader = {.rows = rows};
    RETC_TRY(RETC_GOT(reader.in = retc_image_open(rows->path)));
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, take_error, ignore_warning);
    reader.info = reader.png ? png_create_info_struct(reader.png) : NULL;
    if (!reader.info)
        RETC_TRY(RETC_FAIL(RETC_ENOMEM, "%s: out of memory", rows->path));
    png_set_user_limits(reader.png, (png_uint_32)RETC_IMAGE_PIXELS, (png_uint_32)RETC_IMAGE_PIXELS);
    png_set_chunk_malloc_max(reader.png, (png_alloc_size_t)8 << 20); /* profiles and texts unfold too */
    RETC_TRY(read_rows(&reader));

done:
    if (reader.png)
        png_destroy_read_struct(&reader.png, &reader.info, NULL);
    retc_free(reader.bytes);
    if (reader.in)
        fclose(reader.in);
    return status;
}

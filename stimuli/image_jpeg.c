/* JPEG through libjpeg: baseline and progressive, grey and colours. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image_rows.h"

enum { MOST_SCANS = 500 }; /* each scan of a progressive file costs a pass over the image, however short it is */

/* libjpeg leaves by longjmp: whatever must be freed stands here, outside the function that calls it. */
typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    retc_image_rows *rows;
    jmp_buf leave;
    FILE *in;
    unsigned char *row;
    int damaged; /* a warning that means a loss of pixels */
} jpeg_reader;

static void
record(const jpeg_reader *reader, j_common_ptr jpeg) {
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    RETC_FAIL(RETC_EFORMAT, "%s: damaged JPEG file (%s)", reader->rows->path, text);
}

static void
take_error(j_common_ptr jpeg) {
    jpeg_reader *reader = jpeg->client_data;
    record(reader, jpeg);
    longjmp(reader->leave, 1);
}

/* libjpeg only warns of a file that ends early, and shows grey there. */
static void
take_warning(j_common_ptr jpeg, int level) {
    jpeg_reader *reader = jpeg->client_data;
    int code = jpeg->err->msg_code;
    if (level >= 0 || code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
        code == JWRN_TOO_MUCH_DATA)
        return;
    if (!reader->damaged)
        record(reader, jpeg);
    reader->damaged = 1;
}

static void
print_nothing(j_common_ptr jpeg) {
    (void)jpeg;
}

static void
limit_scans(j_common_ptr jpeg) {
    jpeg_reader *reader = jpeg->client_data;
    if (reader->jpeg.input_scan_number <= MOST_SCANS)
        return;
    RETC_FAIL(RETC_EFORMAT, "%s: the JPEG file has more than %d scans", reader->rows->path, MOST_SCANS);
    longjmp(reader->leave, 1);
}

static int
read_rows(jpeg_reader *reader) {
    int status = RETC_OK;
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (setjmp(reader->leave))
        return RETC_EFORMAT; /* who jumped has said why */
    jpeg_create_decompress(jpeg);
    jpeg->progress = &reader->progress;
    jpeg_stdio_src(jpeg, reader->in);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: a JPEG file of printing colours (CMYK); save it as RGB or grey", reader->rows->path));
    jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    size_t samples = jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    RETC_TRY(retc_image_rows_begin(reader->rows, jpeg->image_height, jpeg->image_width, samples, 255, 0));
    RETC_TRY(RETC_ALLOC(reader->row, jpeg->image_width * samples));
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        size_t y = jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, &reader->row, 1);
        retc_image_row8(reader->rows, y, reader->row);
    }
    jpeg_finish_decompress(jpeg);

done:
    return status < 0 ? status : reader->damaged ? RETC_EFORMAT : RETC_OK;
}

int
retc_image_read_jpeg(retc_image_rows *rows) {
    int status = RETC_OK;
    jpeg_reader *reader = NULL;
    RETC_TRY(RETC_ALLOC(reader, 1));
    reader->rows = rows;
    RETC_TRY(RETC_GOT(reader->in = retc_image_open(rows->path)));
    reader->jpeg.err = jpeg_std_error(&reader->errors);
    reader->jpeg.client_data = reader;
    reader->errors.error_exit = take_error;
    reader->errors.emit_message = take_warning;
    reader->errors.output_message = print_nothing;
    reader->progress.progress_monitor = limit_scans;
    RETC_TRY(read_rows(reader));

done:
    if (reader && reader->in) {
        jpeg_destroy_decompress(&reader->jpeg);
        fclose(reader->in);
    }
    if (reader)
        retc_free(reader->row);
    retc_free(reader);
    return status;
}

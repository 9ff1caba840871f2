/* Good text, images and MATLAB files, the latter two written by other people's libraries. */
#include <matio.h>
#include <png.h>
#include <stdio.h>
/* Needs stdio.h before it. */
#include <jpeglib.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "fuzz.h"
#include "h5.h"

enum { H = 6, W = 5 };

static int
write_text(const char *path, unsigned variant, const char *const *texts, unsigned n) {
    FILE *out = variant < n ? fopen(path, "w") : NULL;
    if (!out)
        return 0;
    fputs(texts[variant], out);
    return fclose(out) == 0;
}

int
fuzz_seed_numbers(const char *path, unsigned variant) {
    static const char *const texts[] = {"time (s)\n0.001\n0.0125\n1e-3\n# a comment\n\n2.5\n", "0.1\r\n0.2\r\n0.3\r\n",
                                        "-1\r2\r"};
    return write_text(path, variant, texts, 3);
}

/* Numbers that may be frame times, values of a movie, and spike times. */
int
fuzz_seed_import_text(const char *path, unsigned variant) {
    FILE *out = variant == 0 ? fopen(path, "w") : NULL;
    if (!out)
        return 0;
    for (int i = 0; i < 40; ++i)
        fprintf(out, "%g\n", 0.0125 + 0.05 * i);
    return fclose(out) == 0;
}

int
fuzz_seed_parameters(const char *path, unsigned variant) {
    static const char *const texts[] = {"RunningFrames = 1500\nFrozenFrames = 300\n",
                                        "x\n\nRunningFrames=7\r\n# RunningFrames\n"};
    return write_text(path, variant, texts, 2);
}

int
fuzz_seed_run_config(const char *path, unsigned variant) {
    static const char *const texts[] = {
        "[run]\noutput = here\nseed = 3\nthreads = 1\n\n[stimulus]\nkind = white-noise\n"
        "duration = 30 ; s\n\n[simulate]\ntrain = @stimulus\ncells = 4\n\n[fit:ln]\n"
        "recording = @simulate\nmodel = ln\n",
        "[run]\noutput = 'a b' ~/x $HOME/y \\\n  more\n[fit:cnn]\nrecording = *.nothing\nepochs = 2\n"};
    return write_text(path, variant, texts, 2);
}

/* ---- images ---------------------------------------------------------------------------------------------------------- */

static int
write_png(const char *path, const unsigned char *levels) {
    png_image image = {.version = PNG_IMAGE_VERSION, .width = W, .height = H, .format = PNG_FORMAT_GRAY};
    return png_image_write_to_file(&image, path, 0, levels, 0, NULL);
}

static int
write_tiff(const char *path, unsigned char *levels) {
    TIFF *out = TIFFOpen(path, "w");
    for (int page = 0; out && page < 2; ++page) {
        TIFFSetField(out, TIFFTAG_IMAGEWIDTH, W);
        TIFFSetField(out, TIFFTAG_IMAGELENGTH, H);
        TIFFSetField(out, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(out, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(out, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
        TIFFSetField(out, TIFFTAG_COMPRESSION, page ? COMPRESSION_LZW : COMPRESSION_NONE);
        for (uint32_t row = 0; row < H; ++row)
            TIFFWriteScanline(out, levels + row * W, row, 0);
        TIFFWriteDirectory(out);
    }
    if (out)
        TIFFClose(out);
    return out != NULL;
}

static int
write_jpeg(const char *path, unsigned char *levels) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *out = fopen(path, "wb");
    if (!out)
        return 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, out);
    jpeg.image_width = W, jpeg.image_height = H, jpeg.input_components = 1, jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (JSAMPROW row = levels; jpeg.next_scanline < H; row += W)
        jpeg_write_scanlines(&jpeg, &row, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return fclose(out) == 0;
}

static int
write_stack(const char *path) {
    const size_t shape[3] = {2, H, W};
    float light[2 * H * W];
    for (size_t i = 0; i < 2 * H * W; ++i)
        light[i] = (float)(i % 11) / 10;
    retc_h5 *file = retc_h5_create(path, 1);
    fuzz_made(RETC_GOT(file));
    fuzz_made(retc_h5_put(file, "images", RETC_H5_FLOAT, 3, shape, light));
    fuzz_made(retc_h5_commit(file));
    retc_h5_close(file);
    return 1;
}

int
fuzz_seed_image(const char *path, unsigned variant) {
    static const char *const texts[] = {"P2\n# a comment\n3 2\n255\n0 1 2\n30 40 250\n", "P5 3 2 255\nabcdef",
                                        "P6 1 2 65535 abcdefabcdef"};
    unsigned char levels[H * W];
    for (size_t i = 0; i < H * W; ++i)
        levels[i] = (unsigned char)(i * i % 251);
    switch (variant) {
    case 0:
        return write_png(path, levels);
    case 1:
        return write_tiff(path, levels);
    case 2:
        return write_jpeg(path, levels);
    case 3:
        return write_stack(path);
    default:
        return write_text(path, variant - 4, texts, 3);
    }
}

/* ---- MATLAB ---------------------------------------------------------------------------------------------------------- */

/* A movie of 30 frames, and a structure with a cell array of the spike times of two cells. */
static int
write_matlab(const char *path, enum mat_ft version, enum matio_compression packed) {
    static const char *fields[1] = {"times"};
    size_t matrix[2] = {30, 2}, vector[2] = {12, 1}, one[2] = {1, 1}, two[2] = {1, 2};
    double values[60];
    for (size_t i = 0; i < 60; ++i)
        values[i] = 0.1 * (double)i;
    mat_t *out = Mat_CreateVer(path, NULL, version);
    if (!out)
        return 0;
    matvar_t *x = Mat_VarCreate("stimulus", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, matrix, values, 0);
    matvar_t *cell = Mat_VarCreateStruct("cell", 2, one, fields, 1);
    matvar_t *times = Mat_VarCreate(NULL, MAT_C_CELL, MAT_T_CELL, 2, two, NULL, 0);
    for (int i = 0; i < 2; ++i)
        Mat_VarSetCell(times, i, Mat_VarCreate(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, vector, values, 0));
    Mat_VarSetStructFieldByName(cell, "times", 0, times);
    int bad = Mat_VarWrite(out, x, packed) | Mat_VarWrite(out, cell, packed);
    Mat_VarFree(x);
    Mat_VarFree(cell);
    Mat_Close(out);
    return !bad;
}

int
fuzz_seed_matlab(const char *path, unsigned variant) {
    remove(path);
    switch (variant) {
    case 0:
        return write_matlab(path, MAT_FT_MAT5, MAT_COMPRESSION_NONE);
    case 1:
        return write_matlab(path, MAT_FT_MAT5, MAT_COMPRESSION_ZLIB);
    case 2:
        return write_matlab(path, MAT_FT_MAT73, MAT_COMPRESSION_NONE);
    default:
        return 0;
    }
}

#include "centres.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "reverse_correlation.h"

enum { REACH = 4 }; /* pixels, of the Gaussian of 1 pixel */

/* ---- from spikes ------------------------------------------------------------------------------------------------------- */

/* Index of a sample beyond the edge: mirrored with the edge repeated, as often as needed. */
static size_t
mirror(long i, long n) {
    while (i < 0 || i >= n)
        i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return (size_t)i;
}

/* out[i] = sum_j exp(-j^2 / 2) in[i + j], `n` samples `stride` apart. */
static void
smooth_line(const double *in, size_t n, size_t stride, double *out) {
    for (size_t i = 0; i < n; ++i) {
        double sum = 0;
        for (long j = -REACH; j <= REACH; ++j)
            sum += exp(-0.5 * (double)(j * j)) * in[mirror((long)i + j, (long)n) * stride];
        out[i * stride] = sum;
    }
}

int
retc_centre_of(const float *sta, size_t L, size_t H, size_t W, int64_t *centre) {
    int status = RETC_OK;
    double *energy = NULL, *smooth = NULL;
    size_t peak = 0;
    RETC_TRY(RETC_ALLOC(energy, H * W));
    RETC_TRY(RETC_ALLOC(smooth, H * W));
    for (size_t k = 0; k < L; ++k)
        for (size_t p = 0; p < H * W; ++p)
            energy[p] += (double)sta[k * H * W + p] * (double)sta[k * H * W + p];
    for (size_t y = 0; y < H; ++y)
        smooth_line(energy + y * W, W, 1, smooth + y * W);
    for (size_t x = 0; x < W; ++x)
        smooth_line(smooth + x, H, W, energy + x);
    for (size_t p = 1; p < H * W; ++p)
        peak = energy[p] > energy[peak] ? p : peak;
    centre[0] = (int64_t)(peak / W), centre[1] = (int64_t)(peak % W);
done:
    retc_free(energy);
    retc_free(smooth);
    return status;
}

int
retc_centres_estimate(retc_recording *recording, size_t history, size_t lag, size_t threads, const retc_progress *progress,
                      int64_t *centre) {
    int status = RETC_OK;
    retc_revcorr_options options = {.part = RETC_TRAIN, .history = history, .lag = lag, .threads = threads};
    retc_revcorr estimate = {0};
    RETC_TRY(retc_revcorr_estimate(recording, &options, progress, &estimate));
    size_t L = estimate.L, H = estimate.H, W = estimate.W;
    for (size_t j = 0; j < estimate.N; ++j) {
        centre[2 * j] = (int64_t)(H / 2), centre[2 * j + 1] = (int64_t)(W / 2);
        if (estimate.spikes[j] > 0)
            RETC_TRY(retc_centre_of(estimate.sta + j * L * H * W, L, H, W, centre + 2 * j));
    }
done:
    retc_revcorr_clear(&estimate);
    return status;
}

/* ---- from a file ------------------------------------------------------------------------------------------------------- */

/* "row column": two numbers inside the frame, nothing else. */
static int
parse_line(char *line, size_t H, size_t W, int64_t *centre) {
    static const char blanks[] = " \t\r\n,";
    const double most[2] = {(double)H - 1, (double)W - 1};
    char *rest = NULL, *word = strtok_r(line, blanks, &rest);
    for (int d = 0; d < 2; ++d, word = strtok_r(NULL, blanks, &rest)) {
        double value = 0;
        if (!word || retc_parse_double(word, &value) < 0)
            return RETC_FAIL(RETC_EFORMAT, "expected two numbers: the row and the column of a receptive field, in pixels");
        if (!(round(value) >= 0 && round(value) <= most[d]))
            return RETC_FAIL(RETC_EINVAL, "%s %g is outside the frame, 0 ... %g", d ? "column" : "row", value, most[d]);
        centre[d] = (int64_t)round(value);
    }
    return word ? RETC_FAIL(RETC_EFORMAT, "there is more behind row and column: \"%s\"", word) : RETC_OK;
}

int
retc_centres_read(const char *path, size_t N, size_t H, size_t W, int64_t *centre) {
    int status = RETC_OK;
    char *line = NULL;
    size_t size = 0, number = 0, n = 0;
    int64_t read[2];
    FILE *in = fopen(path, "r");
    if (!in)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    while (getline(&line, &size, in) >= 0) {
        ++number;
        if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
            continue;
        status = parse_line(line, H, W, read);
        if (status < 0) {
            status = retc_error_prefix(status, "%s:%zu", path, number);
            goto done;
        }
        if (n < N)
            memcpy(centre + 2 * n, read, sizeof read);
        ++n;
    }
    if (ferror(in))
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno)));
    if (n != N)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has %zu receptive fields for %zu cells; one line \"row column\" for each", path,
                           n, N));
done:
    free(line);
    fclose(in);
    return status;
}

#include "config.h"

#include "provenance.h"

#include <errno.h>
#include <fftw3.h>
#include <gsl/gsl_version.h>
#include <hdf5.h>
#include <inttypes.h>
#include <jansson.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, DIGEST_LENGTH = 2 * SHA256_DIGEST_SIZE };

struct retc_provenance {
    char *command_line, *options;
    char *inputs; /* "digest  path" lines as sha256sum writes them, NULL without inputs */
    uint64_t seed;
};

const char *
retc_version(void) {
    return "retcodec " PACKAGE_VERSION;
}

const char *
retc_library_versions(void) {
    static char text[160];
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    /* fftw_version is "fftw-3.3.10-sse2-avx...": the instruction sets are no part of the version. */
    const char *fftw = strncmp(fftw_version, "fftw-", 5) ? fftw_version : fftw_version + 5;
    snprintf(text, sizeof text, "HDF5 %u.%u.%u, GSL %s, FFTW %.*s, Nettle %d.%d, Jansson %s", major, minor, release,
             gsl_version, (int)strcspn(fftw, "-"), fftw, nettle_version_major(), nettle_version_minor(), jansson_version_str());
    return text;
}

int
retc_digest_file(const char *path, char digest[65]) {
    struct sha256_ctx sha;
    uint8_t binary[SHA256_DIGEST_SIZE], *block = NULL;
    size_t n;
    int status = RETC_OK;
    FILE *in = fopen(path, "rb");
    if (!in)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    RETC_TRY(RETC_ALLOC(block, BLOCK));
    sha256_init(&sha);
    errno = 0;
    while ((n = fread(block, 1, BLOCK, in)) > 0)
        sha256_update(&sha, n, block);
    if (ferror(in))
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno)));
    sha256_digest(&sha, sizeof binary, binary);
    for (size_t i = 0; i < sizeof binary; ++i)
        snprintf(digest + 2 * i, 3, "%02x", binary[i]);
done:
    retc_free(block);
    fclose(in);
    return status;
}

retc_provenance *
retc_provenance_alloc(const char *command_line, const char *options, uint64_t seed) {
    retc_provenance *provenance = NULL;
    if (RETC_ALLOC(provenance, 1) < 0)
        return NULL;
    provenance->command_line = retc_strdup(command_line);
    provenance->options = retc_strdup(options);
    provenance->seed = seed;
    if (!provenance->command_line || !provenance->options) {
        retc_provenance_free(provenance);
        return NULL;
    }
    return provenance;
}

void
retc_provenance_free(retc_provenance *provenance) {
    if (!provenance)
        return;
    retc_free(provenance->command_line);
    retc_free(provenance->options);
    retc_free(provenance->inputs);
    retc_free(provenance);
}

int
retc_provenance_add_input(retc_provenance *provenance, const char *path) {
    char digest[DIGEST_LENGTH + 1];
    int status = RETC_OK;
    if (!provenance)
        return RETC_OK;
    RETC_TRY(retc_digest_file(path, digest));
    const char *before = provenance->inputs;
    char *inputs = retc_strf("%s%s%s  %s", before ? before : "", before ? "\n" : "", digest, path);
    RETC_TRY(RETC_GOT(inputs));
    retc_free(provenance->inputs);
    provenance->inputs = inputs;
done:
    return status;
}

const char *
retc_time_text(char text[32]) {
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;
    time_t now = time(NULL);
    struct tm utc;
    if (epoch && *epoch) {
        intmax_t asked = strtoimax(epoch, &end, 10);
        if (*end == '\0')
            now = (time_t)asked;
    }
    if (!gmtime_r(&now, &utc) || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(text, 32, "unknown");
    return text;
}

int
retc_provenance_write(const retc_provenance *provenance, retc_h5 *file) {
    char created[32];
    int status = RETC_OK;
    if (!provenance)
        return RETC_OK;
    retc_time_text(created);
    RETC_TRY(retc_h5_set_text(file, "/", "retcodec_version", PACKAGE_VERSION));
    RETC_TRY(retc_h5_set_text(file, "/", "library_versions", retc_library_versions()));
    RETC_TRY(retc_h5_set_text(file, "/", "command_line", provenance->command_line));
    RETC_TRY(retc_h5_set_text(file, "/", "options", provenance->options));
    RETC_TRY(retc_h5_set_int(file, "/", "seed", (int64_t)provenance->seed));
    RETC_TRY(retc_h5_set_text(file, "/", "inputs", provenance->inputs ? provenance->inputs : ""));
    RETC_TRY(retc_h5_set_text(file, "/", "created", created));
done:
    return status;
}

/* One "# key: value" line per line of the value. */
static void
print_lines(FILE *out, const char *key, const char *value) {
    while (*value) {
        size_t length = strcspn(value, "\n");
        fprintf(out, "# %s: %.*s\n", key, (int)length, value);
        value += length;
        value += *value == '\n';
    }
}

int
retc_provenance_print(const retc_provenance *provenance, FILE *out) {
    char created[32];
    if (!provenance)
        return RETC_OK;
    retc_time_text(created);
    print_lines(out, "retcodec_version", PACKAGE_VERSION);
    print_lines(out, "library_versions", retc_library_versions());
    print_lines(out, "command_line", provenance->command_line);
    print_lines(out, "options", provenance->options);
    fprintf(out, "# seed: %" PRIu64 "\n", provenance->seed);
    if (provenance->inputs)
        print_lines(out, "inputs", provenance->inputs);
    print_lines(out, "created", created);
    return ferror(out) ? RETC_FAIL(RETC_EIO, "cannot write: %s", strerror(errno)) : RETC_OK;
}

/* What a file says of how it was made; NULL for what it does not say. */
typedef struct {
    char *version, *options, *inputs;
} record;

static void
record_free(record *made) {
    retc_free(made->version);
    retc_free(made->options);
    retc_free(made->inputs);
}

static void
read_hdf5_record(retc_h5 *file, record *made) {
    if (retc_h5_get_text(file, "/", "retcodec_version", &made->version) < 0)
        made->version = NULL;
    if (retc_h5_get_text(file, "/", "options", &made->options) < 0)
        made->options = NULL;
    if (retc_h5_get_text(file, "/", "inputs", &made->inputs) < 0)
        made->inputs = NULL;
}

/* Add a line to what a key already holds. */
static int
join_line(char **value, const char *line) {
    char *joined = *value ? retc_strf("%s\n%s", *value, line) : retc_strdup(line);
    if (!joined)
        return RETC_ENOMEM;
    retc_free(*value);
    *value = joined;
    return RETC_OK;
}

static void
read_text_record(FILE *in, record *made) {
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, in)) > 2 && line[0] == '#' && line[1] == ' ') {
        char *colon = strstr(line, ": ");
        if (!colon)
            continue;
        *colon = '\0';
        line[length - 1] = '\0';
        char **value = !strcmp(line + 2, "retcodec_version") ? &made->version
                       : !strcmp(line + 2, "options")        ? &made->options
                       : !strcmp(line + 2, "inputs")         ? &made->inputs
                                                             : NULL;
        if (value && join_line(value, colon + 2) < 0)
            break;
    }
    free(line);
}

static void
read_record(const char *path, record *made) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char head[8] = {0};
    FILE *in = fopen(path, "rb");
    if (!in)
        return;
    if (fread(head, 1, sizeof head, in) == sizeof head && !memcmp(head, signature, sizeof head)) {
        retc_h5 *file = retc_h5_open(path);
        if (file)
            read_hdf5_record(file, made);
        retc_h5_close(file);
    } else {
        rewind(in);
        read_text_record(in, made);
    }
    fclose(in);
}

/* The record of a figure stands in the table beside it, under its name ending in .txt. */
static void
read_record_beside(const char *path, record *made) {
    const char *dot = strrchr(path, '.');
    char *table = dot && access(path, F_OK) == 0 ? retc_strf("%.*s.txt", (int)(dot - path), path) : NULL;
    if (table)
        read_record(table, made);
    retc_free(table);
}

/* Do two lists of "digest  path" lines name the same contents in the same order? */
static int
same_digests(const char *a, const char *b) {
    while (*a && *b) {
        if (strncmp(a, b, DIGEST_LENGTH) != 0)
            return 0;
        a += strcspn(a, "\n");
        b += strcspn(b, "\n");
        a += *a == '\n';
        b += *b == '\n';
    }
    return !*a && !*b;
}

int
retc_provenance_is_current(const retc_provenance *provenance, const char *output) {
    record made = {0};
    if (!provenance)
        return 0;
    read_record(output, &made);
    if (!made.version)
        read_record_beside(output, &made);
    int current = made.version && !strcmp(made.version, PACKAGE_VERSION) && made.options &&
                  !strcmp(made.options, provenance->options) &&
                  same_digests(made.inputs ? made.inputs : "", provenance->inputs ? provenance->inputs : "");
    record_free(&made);
    return current;
}

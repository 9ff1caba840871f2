/* How a file was made: version, libraries, command line, seed, options, inputs with digests, time.
 *
 * The same record is carried as attributes of the root of an HDF5 file, or as "# key: value" lines at the head of a text
 * table.  It also answers "is this output up to date?": same version, same options, same input digests. */
#ifndef RETC_PROVENANCE_H
#define RETC_PROVENANCE_H

#include <stdint.h>
#include <stdio.h>

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_provenance retc_provenance;

/* `command_line` as typed; `options` the canonical list of every option that can change the result; both copied. */
retc_provenance *retc_provenance_alloc(const char *command_line, const char *options, uint64_t seed);
void retc_provenance_free(retc_provenance *provenance);

/* Add an input file: its name and the SHA-256 of its content.  Fails when the file cannot be read. */
int retc_provenance_add_input(retc_provenance *provenance, const char *path) RETC_USED;

/* Write as root attributes retcodec_version, library_versions, command_line, options, seed, inputs, created (UTC). */
int retc_provenance_write(const retc_provenance *provenance, retc_h5 *file) RETC_USED;

/* Write as comment lines of a text table. */
int retc_provenance_print(const retc_provenance *provenance, FILE *out) RETC_USED;

/* The time now in UTC as "2026-01-02T03:04:05Z", or the time that reproducible builds ask for, in `text`, which is returned. */
const char *retc_time_text(char text[32]);

/* 1 when `output` (HDF5, a text table with such a head, or a figure beside such a table of the same name ending in .txt)
 * exists and was made by this version with these options from inputs of these digests; 0 otherwise. */
int retc_provenance_is_current(const retc_provenance *provenance, const char *output);

/* "retcodec 0.1.0", and "HDF5 1.10.8, GSL 2.7.1, ..." (borrowed). */
const char *retc_version(void);
const char *retc_library_versions(void);

/* SHA-256 of a file in hexadecimal (64 characters and 0). */
int retc_digest_file(const char *path, char digest[65]) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

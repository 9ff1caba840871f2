/* What a file is, and what it holds in a few lines: for `retcodec info`. */
#ifndef RETC_INFO_H
#define RETC_INFO_H

#include <stdio.h>

#include "h5.h"

/* What an HDF5 file is, by its content: "recording", "model", ..., "HDF5 file". */
const char *retc_info_kind(retc_h5 *file);

/* Print a few facts for a kind, one "  label  value" per line.  What a file lacks is left out. */
void retc_info_facts(FILE *out, retc_h5 *file, const char *kind);

/* One such line. */
void retc_info_fact(FILE *out, const char *label, const char *format, ...) RETC_PRINTF(3, 4);

#endif

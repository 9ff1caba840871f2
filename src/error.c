#include "error.h"

#include <gsl/gsl_errno.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 1024, ALIGNMENT = 64 };

static _Thread_local char message[MESSAGE_SIZE];
static _Thread_local char where[256];

/* One line it stays, also where a file's content is quoted. */
static void
replace_controls(void) {
    for (char *c = message; *c; ++c)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
}

int
retc_error_set(int code, const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    replace_controls();
    snprintf(where, sizeof where, "%s:%d", file, line);
    return code;
}

int
retc_error_prefix(int code, const char *format, ...) {
    char prefix[MESSAGE_SIZE / 2], reason[MESSAGE_SIZE / 2 - 2];
    strncpy(reason, message, sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    snprintf(message, sizeof message, "%s: %s", prefix, reason);
    replace_controls();
    return code;
}

const char *
retc_error_message(void) {
    return message;
}

const char *
retc_error_where(void) {
    return where;
}

void
retc_library_init(void) {
    gsl_set_error_handler_off();
    H5dont_atexit(); /* HDF5 1.10 crashes at exit on a file that it could not flush; we close all files ourselves */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* Aligned to a cache line, which is also the widest vector. */
void *
retc_calloc(size_t count, size_t size) {
    void *block = NULL;
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT) {
        RETC_FAIL(RETC_ENOMEM, "%zu elements of %zu bytes are more than memory can address", count, size);
        return NULL;
    }
    bytes = (bytes / ALIGNMENT + 1) * ALIGNMENT;
    block = aligned_alloc(ALIGNMENT, bytes);
    if (!block) {
        RETC_FAIL(RETC_ENOMEM, "out of memory: %.1f MB were asked for", (double)bytes / 1e6);
        return NULL;
    }
    return memset(block, 0, bytes);
}

void
retc_free(void *pointer) {
    free(pointer);
}

char *
retc_strdup(const char *text) {
    return text ? retc_strf("%s", text) : NULL;
}

char *
retc_strf(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = n < 0 ? NULL : retc_calloc((size_t)n + 1, 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

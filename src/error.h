/* One idiom for errors.
 *
 * Every function that can fail returns int: RETC_OK or a negative code.  The reason stands in thread-local storage as one
 * line: what, where, what to do.  The library never prints and never exits; main() prints that line.  Clean-up is one
 * `done:` label over zero-initialised pointers:
 *
 *     int status = RETC_OK;
 *     float *buffer = NULL;
 *     RETC_TRY(RETC_ALLOC(buffer, n));
 *     RETC_TRY(work(buffer));
 *   done:
 *     retc_free(buffer);
 *     return status;
 */
#ifndef RETC_ERROR_H
#define RETC_ERROR_H

#include <stddef.h>

#if defined __GNUC__
#define RETC_USED __attribute__((warn_unused_result))
#define RETC_PRINTF(text, rest) __attribute__((format(printf, text, rest)))
#else
#define RETC_USED
#define RETC_PRINTF(text, rest)
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
    RETC_OK = 0,
    RETC_EINVAL = -1,  /* an argument or option has no meaning */
    RETC_EIO = -2,     /* the system refused: missing file, permission, full disk */
    RETC_EFORMAT = -3, /* a file is there but its content is not what it should be */
    RETC_ENOMEM = -4,  /* out of memory */
    RETC_ENUMBER = -5, /* a number is not finite, or a computation has no answer */
    RETC_EUSAGE = -6   /* wrong command line (exit code 2) */
};

/* Record `format...` as the reason and return `code`.  Use through RETC_FAIL, which adds the source line.  Control characters
 * become "?": a reason may quote what a file holds. */
int retc_error_set(int code, const char *file, int line, const char *format, ...) RETC_PRINTF(4, 5);

/* Put "format...: " in front of the recorded reason (a file name, say).  Returns `code`, so that a caller can write
 * `return retc_error_prefix(code, "%s", path)`. */
int retc_error_prefix(int code, const char *format, ...) RETC_PRINTF(2, 3);

/* The reason of this thread's latest failure, "" when there was none.  Borrowed; valid until the next failure. */
const char *retc_error_message(void);

/* Source file and line of the latest failure, for bug reports. */
const char *retc_error_where(void);

/* Bring GSL and HDF5 under this idiom: no aborting handler, no printed stacks.  Call once, before anything else. */
void retc_library_init(void);

/* `count` zeroed elements of `size` bytes, aligned to 64 bytes; NULL with a recorded reason when there is no memory. */
void *retc_calloc(size_t count, size_t size);

/* Release what retc_calloc gave; NULL is fine. */
void retc_free(void *pointer);

/* A copy of `text` (retc_free), or NULL with a recorded reason.  NULL stays NULL. */
char *retc_strdup(const char *text);

/* printf into a fresh string (retc_free), or NULL with a recorded reason. */
char *retc_strf(const char *format, ...) RETC_PRINTF(1, 2);

#ifdef __cplusplus
}
#endif

#define RETC_FAIL(code, ...) retc_error_set((code), __FILE__, __LINE__, __VA_ARGS__)

/* Run `call`; on failure leave through `done:` with its code in `status`. */
#define RETC_TRY(call)                                                                                                         \
    do {                                                                                                                       \
        if ((status = (call)) < 0)                                                                                             \
            goto done;                                                                                                         \
    } while (0)

/* Set `pointer` to `count` zeroed elements of its own type: a status for RETC_TRY. */
#define RETC_ALLOC(pointer, count) (((pointer) = retc_calloc((count), sizeof *(pointer))) ? RETC_OK : RETC_ENOMEM)

/* Status of an expression that yields a pointer and has recorded its reason when NULL. */
#define RETC_GOT(pointer) ((pointer) ? RETC_OK : RETC_ENOMEM)

#endif

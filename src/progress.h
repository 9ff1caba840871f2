/* How long work reports how far it is.  The library calls back; what is shown, if anything, is the caller's affair. */
#ifndef RETC_PROGRESS_H
#define RETC_PROGRESS_H

#include <stddef.h>

typedef struct {
    void (*report)(void *context, size_t done, size_t total, const char *note); /* note may be NULL */
    void *context;
} retc_progress;

/* Report `done` of `total` units; a NULL progress is silent. */
static inline void
retc_progress_report(const retc_progress *progress, size_t done, size_t total, const char *note) {
    if (progress && progress->report)
        progress->report(progress->context, done, total, note);
}

#endif

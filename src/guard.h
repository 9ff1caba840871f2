/* Look at a file in a child process first: libraries that read files trust them, and a damaged one may crash them, or keep
 * them busy or allocating for ever.  In the child that costs the caller nothing but an error. */
#ifndef RETC_GUARD_H
#define RETC_GUARD_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Call look(path) in a child of limited processor time and memory.  Fails when the child does not live to its end, has touched
 * too much memory, or when look() returns 1: that memory was refused.  The message says that `library` fails on the file and
 * what to do about it ("try h5repack").  Of other failures look() is silent and returns 0: the caller meets them again, with
 * its own words.  A file that passed once is not looked at again until it changes.  When no child can be made the file passes.
 *
 * The child is forked: call from the one thread that uses the library in question. */
int retc_guard(const char *path, const char *library, const char *remedy, int (*look)(const char *path)) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

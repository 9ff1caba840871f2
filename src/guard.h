/* Look at a file in a child process first: libraries that read files trust them, and a damaged one may crash them, or keep
 * them busy or allocating for ever.  In the child that costs the caller nothing but an error. */
#ifndef RETC_GUARD_H
#define RETC_GUARD_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Call look(path) in a child of limited processor time and memory.  Fails when the child does not live to its end; the message
 * says that `library` fails on the file and what to do about it ("try h5repack").  What look() returns is not asked for: the
 * caller meets the same failure with its own words.  A file that passed once is not looked at again until it changes.  When no
 * child can be made the file passes.
 *
 * The child is forked: call from the one thread that uses the library in question. */
int retc_guard(const char *path, const char *library, const char *remedy, void (*look)(const char *path)) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

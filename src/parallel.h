/* One parallel loop.  Tasks are independent; whatever they sum is reduced by the caller in index order, so results do not
 * depend on the number of threads. */
#ifndef RETC_PARALLEL_H
#define RETC_PARALLEL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Number of processors this process may use. */
size_t retc_parallel_processors(void);

/* Let loops that are not told otherwise, those of HDF5 files among them, run on up to `threads` threads (0, as at the start:
 * all processors).  Call when no loop runs.  retc_parallel_chosen is that number, never 0. */
void retc_parallel_choose(size_t threads);
size_t retc_parallel_chosen(void);

/* Call task(context, i) for i = 0 ... n-1 on up to `threads` threads (0: the chosen number).  Returns the code of the
 * lowest-numbered task that failed, with its reason recorded in the calling thread, or RETC_OK. */
int retc_parallel_for(size_t n, size_t threads, int (*task)(void *context, size_t i), void *context);

#ifdef __cplusplus
}
#endif

#endif

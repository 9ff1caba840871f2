/* sched_getaffinity counts the processors that this process may use, which a container or a batch system may limit. */
#include "parallel.h"

#include <sched.h>
#include <stdint.h>
#include <string.h>

#include "error.h"

size_t
retc_parallel_processors(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (size_t)n : 1;
}

int
retc_parallel_for(size_t n, size_t threads, int (*task)(void *context, size_t i), void *context) {
    if (threads == 0)
        threads = retc_parallel_processors();
    if (threads > n)
        threads = n;
    if (threads <= 1) {
        for (size_t i = 0; i < n; ++i) {
            int code = task(context, i);
            if (code < 0)
                return code;
        }
        return RETC_OK;
    }

    /* The reason of a failure stands in the thread that failed: carry it over to the caller. */
    size_t failed = SIZE_MAX;
    int status = RETC_OK;
    char reason[512] = "";
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t i = 0; i < n; ++i) {
        int code = task(context, i);
        if (code < 0) {
#pragma omp critical(retc_parallel_failure)
            if (i < failed) {
                failed = i;
                status = code;
                strncpy(reason, retc_error_message(), sizeof reason - 1);
            }
        }
    }
    return status < 0 ? RETC_FAIL(status, "%s", reason) : RETC_OK;
}

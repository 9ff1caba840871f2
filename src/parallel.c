/* A pool of threads that outlives the loops.  Loops here are often shorter than waking a thread takes, so a thread that has run
 * out of work watches for the next loop a few microseconds before it sleeps; it never watches for long, so that a machine
 * shared with other programs loses nothing.  The calling thread works too. */
#include "parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "error.h"

enum { MOST_THREADS = 1024, WATCH = 2000 };

typedef struct {
    size_t n, helpers; /* tasks; threads of the pool that may take part */
    int (*task)(void *context, size_t i);
    void *context;
    atomic_size_t next; /* next task to take */
    size_t failed;      /* lowest task that failed, SIZE_MAX: none */
    int status;
    char reason[512];
} loop;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    size_t threads;            /* threads that exist */
    size_t born[MOST_THREADS]; /* number of the last loop before each thread was made */
    atomic_size_t number;      /* counts loops; a change says that there is one */
    loop *current;
    atomic_size_t busy; /* threads of the pool still in the current loop */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .begin = PTHREAD_COND_INITIALIZER, .end = PTHREAD_COND_INITIALIZER};

static pthread_mutex_t one_loop = PTHREAD_MUTEX_INITIALIZER; /* the pool serves one loop at a time */
static _Thread_local int inside;                             /* nonzero while this thread runs tasks */

size_t
retc_parallel_processors(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    /* What this process may use: a container or a batch system may have limited it. */
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (size_t)n : 1;
}

static size_t chosen;

void
retc_parallel_choose(size_t threads) {
    chosen = threads;
}

size_t
retc_parallel_chosen(void) {
    return chosen ? chosen : retc_parallel_processors();
}

static inline void
relax(void) {
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

/* Take tasks until none is left.  The reason of a failure stands in the thread that failed: carry it over. */
static void
take_tasks(loop *l) {
    inside = 1;
    for (size_t i; (i = atomic_fetch_add(&l->next, 1)) < l->n;) {
        int code = l->task(l->context, i);
        if (code < 0) {
            pthread_mutex_lock(&pool.lock);
            if (i < l->failed) {
                l->failed = i;
                l->status = code;
                strncpy(l->reason, retc_error_message(), sizeof l->reason - 1);
            }
            pthread_mutex_unlock(&pool.lock);
        }
    }
    inside = 0;
}

/* Wait for loop number `seen` + 1; returns its number. */
static size_t
wait_for_loop(size_t seen) {
    for (int i = 0; i < WATCH && atomic_load(&pool.number) == seen; ++i)
        relax();
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.number) == seen)
        pthread_cond_wait(&pool.begin, &pool.lock);
    seen = atomic_load(&pool.number);
    pthread_mutex_unlock(&pool.lock);
    return seen;
}

static void *
work(void *argument) {
    size_t index = (size_t)(uintptr_t)argument, seen = pool.born[index];
    for (;;) {
        seen = wait_for_loop(seen);
        if (index < pool.current->helpers)
            take_tasks(pool.current);
        if (atomic_fetch_sub(&pool.busy, 1) == 1) {
            pthread_mutex_lock(&pool.lock);
            pthread_cond_signal(&pool.end);
            pthread_mutex_unlock(&pool.lock);
        }
    }
    return NULL;
}

/* A forked child has the calling thread only: it begins with an empty pool. */
static void
begin_anew(void) {
    pool.threads = 0;
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.begin, NULL);
    pthread_cond_init(&pool.end, NULL);
    pthread_mutex_init(&one_loop, NULL);
}

static void
register_fork(void) {
    pthread_atfork(NULL, NULL, begin_anew);
}

/* Have `wanted` threads; fewer when the system refuses more. */
static void
grow_pool(size_t wanted) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork);
    while (pool.threads < wanted) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pool.born[pool.threads] = atomic_load(&pool.number);
        int code = pthread_create(&thread, &attributes, work, (void *)(uintptr_t)pool.threads);
        pthread_attr_destroy(&attributes);
        if (code != 0)
            return;
        ++pool.threads;
    }
}

static void
run_loop(loop *l) {
    pthread_mutex_lock(&one_loop);
    grow_pool(l->helpers);
    pthread_mutex_lock(&pool.lock);
    pool.current = l;
    atomic_store(&pool.busy, pool.threads);
    atomic_fetch_add(&pool.number, 1);
    pthread_cond_broadcast(&pool.begin);
    pthread_mutex_unlock(&pool.lock);

    take_tasks(l);
    for (int i = 0; i < WATCH && atomic_load(&pool.busy) > 0; ++i)
        relax();
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.busy) > 0)
        pthread_cond_wait(&pool.end, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
    pthread_mutex_unlock(&one_loop);
}

int
retc_parallel_for(size_t n, size_t threads, int (*task)(void *context, size_t i), void *context) {
    if (threads == 0)
        threads = retc_parallel_chosen();
    threads = threads < n ? threads : n;
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    loop l = {
        .n = n, .helpers = threads > 1 && !inside ? threads - 1 : 0, .task = task, .context = context, .failed = SIZE_MAX};
    if (l.helpers == 0)
        for (size_t i = 0; i < n; ++i) {
            int code = task(context, i);
            if (code < 0)
                return code;
        }
    else
        run_loop(&l);
    return l.status < 0 ? RETC_FAIL(l.status, "%s", l.reason) : RETC_OK;
}

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a look may take: milliseconds of processor time, one more for each so many bytes of the file, seconds in all, kilobytes
 * that it touches, and bytes that it asks for beside what the process has already.  An object of an HDF5 file has some hundred
 * bytes at least, and a look at it takes 30 microseconds. */
enum {
    MOST_MILLISECONDS = 500,
    BYTES_PER_MILLISECOND = 10000,
    MOST_WAIT = 300,
    MOST_KILOBYTES = 1 << 17,
    MOST_BYTES = 1 << 29,
    REMEMBERED = 32
};

/* What the child reports at its end. */
enum { FINE = 'f', TOO_LARGE = 'l', NOTHING = 0 };

/* Files that passed. */
static struct {
    dev_t device;
    ino_t number;
    off_t size;
    struct timespec changed;
} passed[REMEMBERED];
static size_t next_passed;

static int
has_passed(const struct stat *info) {
    for (size_t i = 0; i < REMEMBERED; ++i)
        if (passed[i].number == info->st_ino && passed[i].device == info->st_dev && passed[i].size == info->st_size &&
            passed[i].changed.tv_sec == info->st_mtim.tv_sec && passed[i].changed.tv_nsec == info->st_mtim.tv_nsec)
            return 1;
    return 0;
}

static void
remember_passed(const struct stat *info) {
    size_t i = next_passed++ % REMEMBERED;
    passed[i].device = info->st_dev;
    passed[i].number = info->st_ino;
    passed[i].size = info->st_size;
    passed[i].changed = info->st_mtim;
}

/* ---- the child ------------------------------------------------------------------------------------------------------- */

static void
limit(int resource, rlim_t most) {
    struct rlimit r;
    if (getrlimit(resource, &r) != 0)
        return;
    r.rlim_max = r.rlim_max != RLIM_INFINITY && r.rlim_max < most ? r.rlim_max : most;
    r.rlim_cur = r.rlim_max;
    setrlimit(resource, &r);
}

static void
limit_memory(void) {
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes for itself */
    unsigned long long pages = 0;
    FILE *status = fopen("/proc/self/statm", "r");
    if (status && fscanf(status, "%llu", &pages) == 1)
        limit(RLIMIT_AS, (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MOST_BYTES);
    if (status)
        fclose(status);
#endif
}

/* SIGPROF after so much processor time: whole seconds, as RLIMIT_CPU counts them, would be long for a small file. */
static void
limit_time(off_t bytes) {
    long milliseconds = MOST_MILLISECONDS + (long)(bytes / BYTES_PER_MILLISECOND);
    struct itimerval timer = {.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};
    setitimer(ITIMER_PROF, &timer, NULL);
    alarm(MOST_WAIT); /* a lock, or a file system, that never answers */
}

/* The most kilobytes that this process has had in memory; 0 under AddressSanitizer, which has its own habits. */
static long
touched(void) {
    struct rusage usage = {0};
#ifndef __SANITIZE_ADDRESS__
    getrusage(RUSAGE_SELF, &usage);
#endif
    return usage.ru_maxrss;
}

/* The child shares the caller's terminal and temporary files: it says nothing, and dies without its handlers. */
static _Noreturn void
look_and_exit(const char *path, int (*look)(const char *path), off_t bytes, int report) {
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF, SIGALRM};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; ++i)
        signal(deadly[i], SIG_DFL);
    int nowhere = open("/dev/null", O_RDWR);
    for (int descriptor = STDIN_FILENO; nowhere >= 0 && descriptor <= STDERR_FILENO; ++descriptor)
        dup2(nowhere, descriptor);
    limit(RLIMIT_CORE, 0);
    limit_time(bytes);
    limit_memory();
    long before = touched();
    int refused = look(path);
    const char verdict = refused || touched() - before > MOST_KILOBYTES ? TOO_LARGE : FINE;
    ssize_t written = write(report, &verdict, 1);
    _exit(written == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* ---- the parent ------------------------------------------------------------------------------------------------------ */

/* What the child reported.  (Its exit status is lost where the caller ignores SIGCHLD.) */
static char
wait_for_report(int report, pid_t child, int *status) {
    char verdict;
    ssize_t n;
    while ((n = read(report, &verdict, 1)) < 0 && errno == EINTR)
        continue;
    *status = 0;
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        continue;
    return n == 1 ? verdict : NOTHING;
}

int
retc_guard(const char *path, const char *library, const char *remedy, int (*look)(const char *path)) {
    struct stat info;
    int report[2], status;
    if (stat(path, &info) != 0 || has_passed(&info) || pipe(report) != 0)
        return RETC_OK;
    pid_t child = fork();
    if (child == 0) {
        close(report[0]);
        look_and_exit(path, look, info.st_size, report[1]);
    }
    close(report[1]);
    char verdict = child < 0 ? FINE : wait_for_report(report[0], child, &status);
    close(report[0]);
    if (verdict == FINE) {
        if (child > 0)
            remember_passed(&info);
        return RETC_OK;
    }
    if (verdict == TOO_LARGE)
        return RETC_FAIL(RETC_EFORMAT, "%s: damaged: %s takes too much memory for it; %s", path, library, remedy);
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGALRM))
        return RETC_FAIL(RETC_EFORMAT, "%s: damaged: %s comes to no end with it; %s", path, library, remedy);
    return RETC_FAIL(RETC_EFORMAT, "%s: damaged: %s crashes on it; %s", path, library, remedy);
}

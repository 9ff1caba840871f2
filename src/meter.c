/* The progress meter: one line on the terminal, rewritten in place. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

static struct {
    const char *label;
    double started, shown; /* s; shown is the time of the latest update */
    int running, visible;
} meter;

static atomic_flag busy = ATOMIC_FLAG_INIT;

static double
seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static size_t
terminal_width(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

/* "  0:12 left", "  1:02:03 left", or "" as long as there is nothing to go by. */
static void
format_left(char *text, size_t size, double elapsed, double fraction) {
    text[0] = '\0';
    if (!(fraction > 0) || elapsed < 0.5)
        return;
    double left = ceil(elapsed * (1 - fraction) / fraction);
    if (left > 100 * 3600)
        return;
    unsigned seconds = (unsigned)left;
    if (seconds >= 3600)
        snprintf(text, size, "  %u:%02u:%02u left", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        snprintf(text, size, "  %u:%02u left", seconds / 60, seconds % 60);
}

static void
show(size_t done, size_t total, const char *note) {
    char line[512], left[32];
    double fraction = total > 0 ? (double)done / (double)total : 0;
    size_t width = terminal_width() - 1; /* a full last column would move to the next line */
    format_left(left, sizeof left, seconds_now() - meter.started, fraction);
    char share[16] = ""; /* unknown, when it is not known how much there is to do */
    if (total > 0)
        snprintf(share, sizeof share, " %3.0f %%", floor(100 * fraction));
    snprintf(line, sizeof line, "%s%s%s%s%s", meter.label, share, note ? "  " : "", note ? note : "", left);
    if (strlen(line) > width && width < sizeof line)
        line[width] = '\0';
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    meter.visible = 1;
}

/* May be called from several threads: one that finds another at it leaves the line to that one. */
static void
report(void *context, size_t done, size_t total, const char *note) {
    (void)context;
    if (atomic_flag_test_and_set(&busy))
        return;
    double now = seconds_now();
    if (meter.running && now - meter.shown >= 0.1) {
        meter.shown = now;
        show(done, total, note);
    }
    atomic_flag_clear(&busy);
}

const retc_progress *
retc_meter_start(const char *label, int quiet) {
    static const retc_progress progress = {report, NULL};
    retc_meter_stop();
    if (quiet || !isatty(STDERR_FILENO))
        return NULL;
    meter.label = label;
    meter.started = seconds_now();
    meter.shown = 0;
    meter.running = 1;
    return &progress;
}

void
retc_meter_stop(void) {
    if (meter.visible) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    meter.running = meter.visible = 0;
}

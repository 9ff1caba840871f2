#include "config.h"

#include "plot.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What every complete file of a format ends with, line break aside; what gnuplot writes to a full disk does not. */
static const struct {
    const char *name, *end;
} formats[] = {{"png", "IEND\xae\x42\x60\x82"}, {"svg", "</svg>"}, {"pdf", "%%EOF"}, {"gif", ";"}};

enum { FORMATS = sizeof formats / sizeof *formats };

const char *
retc_plot_format(const char *figure) {
    const char *dot = strrchr(figure, '.');
    for (size_t i = 0; dot && i < FORMATS; ++i)
        if (!strcmp(dot + 1, formats[i].name))
            return formats[i].name;
    return NULL;
}

/* The folder of the running program, in `path`. */
static int
find_program_folder(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return slash != NULL;
}

/* The folder that holds the script (retc_free), or NULL. */
static char *
find_scripts(const char *kind) {
    char program[PATH_MAX], *places[5] = {0}, *found = NULL;
    size_t n = 0;
    const char *asked = getenv("RETC_SCRIPTS");
    if (asked && *asked) {
        places[n++] = retc_strdup(asked);
    } else {
        if (find_program_folder(program, sizeof program)) {
            places[n++] = retc_strf("%s/scripts", program);
            places[n++] = retc_strf("%s/../scripts", program);
            places[n++] = retc_strf("%s/../share/retcodec", program);
        }
        places[n++] = retc_strdup(RETC_PKGDATADIR);
    }
    for (size_t i = 0; i < n; ++i) {
        char *script = places[i] && !found ? retc_strf("%s/%s.gp", places[i], kind) : NULL;
        if (script && access(script, R_OK) == 0) {
            found = places[i];
            places[i] = NULL;
        }
        retc_free(script);
        retc_free(places[i]);
    }
    if (!found)
        RETC_FAIL(RETC_EIO, "the script %s.gp is not there; set RETC_SCRIPTS to the folder of the gnuplot scripts", kind);
    return found;
}

/* The environment with GNUPLOT_LIB naming the scripts, so that they find each other.  One block, retc_free; `setting` must
 * live as long. */
static char **
make_environment(char *setting) {
    size_t n = 0;
    while (environ[n])
        ++n;
    char **copy = retc_calloc(n + 2, sizeof *copy);
    if (!copy)
        return NULL;
    n = 0;
    for (char **entry = environ; *entry; ++entry)
        if (strncmp(*entry, "GNUPLOT_LIB=", 12) != 0)
            copy[n++] = *entry;
    copy[n] = setting;
    return copy;
}

/* Everything the process says on the pipe, cut to `size`; then its exit status. */
static int
listen(int descriptor, pid_t child, char *said, size_t size) {
    char chunk[512];
    size_t used = 0;
    ssize_t n;
    int state = 0;
    while ((n = read(descriptor, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        for (ssize_t i = 0; i < n; ++i)
            if (used + 1 < size)
                said[used++] = chunk[i];
    said[used] = '\0';
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    return state;
}

/* The last line that is not blank, where gnuplot states the error, without blanks around it. */
static const char *
last_line(char *said) {
    const char *last = "it gives no reason";
    for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) {
        size_t length = strlen(line);
        while (length > 0 && strchr(" \t\r", line[length - 1]))
            line[--length] = '\0';
        if (line[strspn(line, " \t^")] != '\0')
            last = line + strspn(line, " \t");
    }
    return last;
}

static int
start_process(const char *program, char *const *arguments, char *const *environment, int output, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    /* The program ignores these two; others expect to be ended by them. */
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int code = posix_spawnp(child, program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code;
}

static int
run_gnuplot(char *const *arguments, char *const *environment) {
    char said[4096];
    int ends[2];
    pid_t child = 0;
    if (pipe(ends) < 0)
        return RETC_FAIL(RETC_EIO, "no pipe for gnuplot: %s", strerror(errno));
    int code = start_process(arguments[0], arguments, environment, ends[1], &child);
    close(ends[1]);
    int state = code == 0 ? listen(ends[0], child, said, sizeof said) : 0;
    close(ends[0]);
    if (code == ENOENT || (WIFEXITED(state) && WEXITSTATUS(state) == 127))
        return RETC_FAIL(RETC_EIO, "figures need gnuplot, and %s is not there (Debian: gnuplot-nox)", arguments[0]);
    if (code != 0)
        return RETC_FAIL(RETC_EIO, "%s cannot be started: %s", arguments[0], strerror(code));
    if (WIFSIGNALED(state))
        return RETC_FAIL(RETC_EIO, "gnuplot was ended by signal %d (%s)", WTERMSIG(state), strsignal(WTERMSIG(state)));
    if (WEXITSTATUS(state) != 0)
        return RETC_FAIL(RETC_EIO, "gnuplot failed: %s", last_line(said));
    return RETC_OK;
}

/* gnuplot does not notice when its output meets a full disk. */
static int
check_complete(const char *figure, const char *format) {
    char tail[16] = "";
    size_t n = 0;
    const char *end = "";
    for (size_t i = 0; i < FORMATS; ++i)
        if (!strcmp(formats[i].name, format))
            end = formats[i].end;
    FILE *in = fopen(figure, "rb");
    if (in && fseek(in, -(long)(strlen(end) + 4), SEEK_END) == 0)
        n = fread(tail, 1, sizeof tail - 1, in);
    if (in)
        fclose(in);
    while (n > 0 && (tail[n - 1] == '\n' || tail[n - 1] == '\r'))
        --n;
    if (n < strlen(end) || memcmp(tail + n - strlen(end), end, strlen(end)) != 0)
        return RETC_FAIL(RETC_EIO, "gnuplot left an incomplete %s file; is the disk full?", format);
    return RETC_OK;
}

int
retc_plot_draw(const char *kind, const char *table, const char *figure, const char *format) {
    const char *asked = getenv("RETC_GNUPLOT");
    char option[] = "-c", *scripts = NULL, *setting = NULL, *words[5] = {0}, **environment = NULL;
    int status = RETC_OK;
    scripts = find_scripts(kind);
    RETC_TRY(scripts ? RETC_OK : RETC_EIO);
    setting = retc_strf("GNUPLOT_LIB=%s", scripts);
    RETC_TRY(RETC_GOT(setting));
    environment = make_environment(setting);
    RETC_TRY(RETC_GOT(environment));
    words[0] = retc_strdup(asked && *asked ? asked : GNUPLOT);
    words[1] = retc_strf("%s/%s.gp", scripts, kind);
    words[2] = retc_strdup(table);
    words[3] = retc_strdup(figure);
    words[4] = retc_strdup(format);
    for (size_t i = 0; i < 5; ++i)
        RETC_TRY(RETC_GOT(words[i]));
    char *const arguments[] = {words[0], option, words[1], words[2], words[3], words[4], NULL};
    RETC_TRY(run_gnuplot(arguments, environment));
    RETC_TRY(check_complete(figure, format));
done:
    for (size_t i = 0; i < 5; ++i)
        retc_free(words[i]);
    retc_free(environment);
    retc_free(setting);
    retc_free(scripts);
    return status;
}

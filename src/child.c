#include "child.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct retc_child {
    char *name;
    pid_t id; /* 0: it has ended */
    FILE *output;
    FILE *errors; /* a file without a name: the child can never wait for us to read it */
};

static int
spawn(retc_child *child, const char *const *argv, int out) {
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return RETC_FAIL(RETC_ENOMEM, "out of memory");
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(child->errors), STDERR_FILENO);
    /* The interface is older than const; it changes no argument. */
    union {
        const char *const *in;
        char *const *out;
    } arguments = {.in = argv};
    int code = posix_spawnp(&child->id, argv[0], &actions, NULL, arguments.out, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code == 0)
        return RETC_OK;
    child->id = 0;
    if (code == ENOENT)
        return RETC_FAIL(RETC_EIO, "%s is not installed, or not in PATH; install it first", argv[0]);
    return RETC_FAIL(RETC_EIO, "%s cannot be started: %s", argv[0], strerror(code));
}

retc_child *
retc_child_start(const char *const *argv) {
    int status = RETC_OK, ends[2] = {-1, -1};
    retc_child *child = NULL;
    RETC_TRY(RETC_ALLOC(child, 1));
    RETC_TRY(RETC_GOT(child->name = retc_strdup(argv[0])));
    child->errors = tmpfile();
    if (!child->errors || pipe2(ends, O_CLOEXEC) < 0)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s cannot be started: %s", argv[0], strerror(errno)));
    child->output = fdopen(ends[0], "rb");
    if (!child->output)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s cannot be started: %s", argv[0], strerror(errno)));
    ends[0] = -1;
    RETC_TRY(spawn(child, argv, ends[1]));

done:
    for (int i = 0; i < 2; ++i)
        if (ends[i] >= 0)
            close(ends[i]);
    if (status < 0) {
        retc_child_free(child);
        return NULL;
    }
    return child;
}

FILE *
retc_child_output(retc_child *child) {
    return child->output;
}

/* The last line that is not empty, without what a terminal would act on; "" when there is none. */
static void
last_line(FILE *in, char *line, size_t size) {
    char text[512];
    line[0] = '\0';
    rewind(in);
    while (fgets(text, sizeof text, in)) {
        size_t length = strlen(text);
        while (length > 0 && isspace((unsigned char)text[length - 1]))
            text[--length] = '\0';
        for (size_t i = 0; i < length; ++i)
            if (iscntrl((unsigned char)text[i]))
                text[i] = ' ';
        if (length > 0)
            snprintf(line, size, "%s", text);
    }
}

int
retc_child_finish(retc_child *child) {
    int how = 0;
    char line[512];
    pid_t id = child->id, waited;
    child->id = 0;
    fclose(child->output); /* one that still writes must not wait for a reader */
    child->output = NULL;
    while ((waited = waitpid(id, &how, 0)) < 0 && errno == EINTR)
        ;
    if (waited < 0)
        return RETC_FAIL(RETC_EIO, "%s cannot be waited for: %s", child->name, strerror(errno));
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return RETC_OK;
    last_line(child->errors, line, sizeof line);
    return RETC_FAIL(RETC_EIO, "%s failed: %s", child->name, line[0] ? line : "it gives no reason");
}

char *
retc_child_complaint(retc_child *child) {
    char line[512];
    last_line(child->errors, line, sizeof line);
    return line[0] ? retc_strdup(line) : NULL;
}

void
retc_child_free(retc_child *child) {
    if (!child)
        return;
    if (child->output)
        fclose(child->output);
    if (child->id > 0) {
        kill(child->id, SIGTERM);
        waitpid(child->id, NULL, 0);
    }
    if (child->errors)
        fclose(child->errors);
    retc_free(child->name);
    retc_free(child);
}

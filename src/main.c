/* The program: find the subcommand, run it, say what went wrong.  Nothing else here prints an error or exits. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

enum { EXIT_USAGE = 2, MAX_COMMANDS = 64 };

static void
complain(const char *command) {
    retc_meter_stop();
    fprintf(stderr, "retcodec%s%s: %s\n", command ? " " : "", command ? command : "", retc_error_message());
}

/* Remove what is half written, then die of the same signal, so that the caller sees why. */
static void
clean_up_and_die(int number) {
    retc_command_remove_temporaries();
    signal(number, SIG_DFL);
    raise(number);
}

static void
say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

/* A library, or this program, has failed on a file that no check refused.  Only what is safe in a signal handler is used. */
static void
clean_up_and_explain(int number) {
    (void)number;
    retc_command_remove_temporaries();
    const char *path = retc_h5_latest();
    if (isatty(STDERR_FILENO))
        say("\n");
    say("retcodec: crashed");
    if (path[0]) {
        say(" after it had opened ");
        say(path);
        say(": if that file is damaged, copy or make it again, or try h5repack");
    }
    say("; please report crashes on good files\n");
    _exit(EXIT_FAILURE);
}

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* On a stack of their own, since the program's may have run out.  A sanitizer's report says more. */
static void
install_crash_handlers(void) {
    if (SANITIZED)
        return;
    static char stack[1 << 16];
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = clean_up_and_explain, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; ++i)
        sigaction(crashes[i], &action, NULL);
}

static void
install_handlers(void) {
    struct sigaction action = {0};
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(&action.sa_mask);
    /* Not reset at its first call: a second signal, to another thread, must not end the program in the midst of it. */
    action.sa_handler = clean_up_and_die;
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; ++i) {
        struct sigaction before;
        /* What the caller ignores (nohup) stays ignored. */
        if (sigaction(deadly[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(deadly[i], &action, NULL);
    }
    /* A closed pipe or a limit on file sizes then shows as a failed write, which is reported. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* Buffered output may meet a full disk as late as here. */
static int
close_stdout(void) {
    int failed = ferror(stdout);
    errno = 0;
    if (fclose(stdout) != 0 || failed) {
        RETC_FAIL(RETC_EIO, "standard output: %s", errno ? strerror(errno) : "write error");
        return RETC_EIO;
    }
    return RETC_OK;
}

static int
unknown_command(const char *name) {
    const char *names[MAX_COMMANDS];
    size_t n = 0;
    while (retc_commands[n].name && n < MAX_COMMANDS) {
        names[n] = retc_commands[n].name;
        ++n;
    }
    const char *nearest = retc_nearest_name(name, names, n);
    if (nearest)
        return RETC_FAIL(RETC_EUSAGE, "there is no command \"%s\"; did you mean \"%s\"?", name, nearest);
    return RETC_FAIL(RETC_EUSAGE, "there is no command \"%s\" (retcodec help lists them)", name);
}

static void
print_version(void) {
    printf("%s\n%s\n", retc_version(), retc_library_versions());
    puts("License GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>");
}

static int
exit_code(int status) {
    if (status == RETC_EUSAGE)
        return EXIT_USAGE;
    if (status == RETC_NOT_CONVERGED)
        return RETC_NOT_CONVERGED;
    return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv) {
    int status = RETC_OK;
    const char *name = argc > 1 ? argv[1] : NULL;
    retc_library_init();
    install_handlers();
    install_crash_handlers();
    if (!name) {
        retc_commands_list(stderr);
        return EXIT_USAGE;
    }
    const retc_command *command = retc_command_find(name);
    if (command) {
        status = command->run(argc - 1, argv + 1);
        retc_meter_stop();
    } else if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        retc_commands_list(stdout);
    } else if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        print_version();
    } else {
        status = unknown_command(name);
    }
    if (status < 0)
        complain(command ? name : NULL);
    if (close_stdout() < 0 && status >= 0) {
        status = RETC_EIO;
        complain(command ? name : NULL);
    }
    return exit_code(status);
}

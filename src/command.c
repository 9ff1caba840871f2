#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "parallel.h"
#include "temporary.h"

/* In the order in which a user meets them; commands of one group stand together. */
const retc_command retc_commands[] = {
    {"import", "Recordings", "make a recording from raw files", retc_cmd_import},
    {"stimulus", "Recordings", "make a stimulus movie", retc_cmd_stimulus},
    {"simulate", "Recordings", "play stimuli to a simulated retina", retc_cmd_simulate},
    {"quality", "Recordings", "is a recording fit for models, and how good can they get?", retc_cmd_quality},
    {"export", "Recordings", "write a recording in the format of other programs", retc_cmd_export},
    {"fit", "Models", "fit a model of the retina to a recording", retc_cmd_fit},
    {"convert", "Models", "models to and from PyTorch and Keras", retc_cmd_convert},
    {"predict", "Models", "model responses, scored against the recording", retc_cmd_predict},
    {"contribute", "Analysis", "how much every model interneuron drove the cells", retc_cmd_contribute},
    {"modes", "Analysis", "factorise contributions into a few sparse modes", retc_cmd_modes},
    {"protocol", "Analysis", "what cells answer to a protocol, and the indices that classify them", retc_cmd_protocol},
    {"rf", "Analysis", "receptive fields: spike-triggered averages, and at every moment", retc_cmd_rf},
    {"figure", "Results", "draw result files with gnuplot", retc_cmd_figure},
    {"run", "Results", "run a whole analysis from a configuration file", retc_cmd_run},
    {"sweep", "Results", "run an analysis for many settings, and find the best", retc_cmd_sweep},
    {"info", "Results", "what a file holds, and how it was made", retc_cmd_info},
    {"help", "Help", "explain a command, or list them all", retc_cmd_help},
    {NULL, NULL, NULL, NULL},
};

const retc_command *
retc_command_find(const char *name) {
    for (const retc_command *command = retc_commands; command->name; ++command)
        if (!strcmp(command->name, name))
            return command;
    return NULL;
}

void
retc_commands_list(FILE *out) {
    const char *group = "";
    fputs("Usage: retcodec COMMAND [options]\n\n"
          "Which interneurons make a retinal ganglion cell respond, moment by moment?\n",
          out);
    for (const retc_command *command = retc_commands; command->name; ++command) {
        if (strcmp(group, command->group) != 0)
            fprintf(out, "\n%s:\n", command->group);
        group = command->group;
        fprintf(out, "  %-12s %s\n", command->name, command->summary);
    }
    fputs("\nretcodec help COMMAND explains one; retcodec --version names the version.\n", out);
}

/* An argument as a shell would read it back. */
static void
print_quoted(FILE *out, const char *argument) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    if (*argument && argument[strspn(argument, plain)] == '\0') {
        fputs(argument, out);
        return;
    }
    fputc('\'', out);
    for (; *argument; ++argument)
        if (*argument == '\'')
            fputs("'\\''", out);
        else
            fputc(*argument == '\n' ? ' ' : *argument, out);
    fputc('\'', out);
}

char *
retc_command_line(int argc, char **argv) {
    char *text = NULL, *copy = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) {
        RETC_FAIL(RETC_ENOMEM, "out of memory");
        return NULL;
    }
    fputs("retcodec", out);
    for (int i = 0; i < argc; ++i) {
        fputc(' ', out);
        print_quoted(out, argv[i]);
    }
    if (fclose(out) == 0)
        copy = retc_strdup(text);
    else
        RETC_FAIL(RETC_ENOMEM, "out of memory");
    free(text);
    return copy;
}

/* Call visit(context, path) for a file, or for every file of a folder. */
static int
visit_files(const char *path, int (*visit)(void *context, const char *path), void *context) {
    int status = RETC_OK;
    char **files = NULL;
    size_t n = 0;
    RETC_TRY(retc_folder_files(path, &files, &n));
    for (size_t i = 0; i < n; ++i)
        RETC_TRY(visit(context, files[i]));
done:
    retc_free(files);
    return status;
}

static int
visit_input(const retc_option *option, const char *path, int (*visit)(void *context, const char *path), void *context) {
    int folders = option->flags & RETC_OPTION_FOLDERS && retc_is_folder(path);
    return folders ? visit_files(path, visit, context) : visit(context, path);
}

/* Call visit(context, path) for every input file of the table, in its order. */
static int
for_each_input(const retc_option *table, int (*visit)(void *context, const char *path), void *context) {
    int status = RETC_OK;
    for (; table->type != RETC_OPTION_END; ++table)
        if (table->type == RETC_OPTION_INPUT) {
            const char *path = *(const char *const *)table->value;
            if (path && !retc_option_is_name(table, path))
                RETC_TRY(visit_input(table, path, visit, context));
        } else if (table->type == RETC_OPTION_INPUTS) {
            const retc_text_list *list = table->value;
            for (size_t i = 0; i < list->n; ++i)
                RETC_TRY(visit_input(table, list->text[i], visit, context));
        }
done:
    return status;
}

static int
check_input(void *context, const char *path) {
    const struct stat *output = context;
    struct stat info;
    if (stat(path, &info) < 0 || access(path, R_OK) < 0)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return RETC_FAIL(RETC_EIO, "%s: is a folder, expected a file", path);
    if (output->st_nlink > 0 && output->st_dev == info.st_dev && output->st_ino == info.st_ino)
        return RETC_FAIL(RETC_EINVAL, "%s is an input and cannot be the output as well; give another --output", path);
    return RETC_OK;
}

static int
add_input(void *context, const char *path) {
    return retc_provenance_add_input(context, path);
}

/* The output's folder must be there and writable, before hours are spent on what goes there; the output must not be, unless it
 * may be replaced.  `info` is left zero when there is no such file yet. */
static int
check_output(const retc_common *common, struct stat *info) {
    const char *path = common->output, *slash = strrchr(path, '/');
    struct stat folder_info;
    int status = RETC_OK;
    if (slash && slash[1] == '\0')
        return RETC_FAIL(RETC_EINVAL, "%s: ends with /; give a name without it", path);
    char *folder = slash ? retc_strf("%.*s", slash == path ? 1 : (int)(slash - path), path) : retc_strdup(".");
    RETC_TRY(RETC_GOT(folder));
    if (stat(folder, &folder_info) < 0 && errno == ENOENT)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: there is no folder %s; make it first", path, folder));
    if (access(folder, W_OK | X_OK) < 0)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", path, strerror(errno)));
    if (stat(path, info) < 0) {
        if (errno != ENOENT)
            RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno)));
        *info = (struct stat){0};
    } else if (S_ISDIR(info->st_mode) && !common->makes_folder) {
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: is a folder, expected the name of a file", path));
    } else if (!common->force && !common->if_changed) {
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s exists already; --force replaces it", path));
    }
done:
    retc_free(folder);
    return status;
}

/* Does the file say that its result did not converge? */
static int
is_unconverged(const char *path) {
    double converged = 1;
    retc_h5 *file = retc_h5_open(path);
    if (!file || retc_h5_get_number(file, "/", "converged", &converged) < 0)
        converged = 1;
    retc_h5_close(file);
    return converged == 0;
}

/* Positive (as retc_command_begin) when the output is up to date; else 0, or a failure when it may not be replaced. */
static int
look_at_output(const retc_common *common, const retc_provenance *provenance, int exists) {
    int status = RETC_OK;
    char *made = NULL;
    if (!exists || !common->if_changed)
        return 0;
    RETC_TRY(RETC_GOT(made = retc_strf("%s%s", common->output, common->makes_folder ? "/recording.csv" : "")));
    if (retc_provenance_is_current(provenance, made)) {
        retc_say(common, "%s is up to date\n", common->output);
        status = is_unconverged(made) ? RETC_NOT_CONVERGED : 1;
    } else if (!common->force) {
        status =
            RETC_FAIL(RETC_EIO, "%s exists and was made from other inputs or options; --force replaces it", common->output);
    }
done:
    retc_free(made);
    return status;
}

/* While retc_command_check is at work. */
static int checking;
static const char *const *planned; /* files that will be there, ends with NULL; NULL: no file is looked for */

int
retc_command_check(const retc_command *command, int argc, char **argv, const char *const *files) {
    checking = 1;
    planned = files;
    int status = command->run(argc, argv);
    checking = 0;
    return status < 0 ? status : RETC_OK;
}

static int
check_planned_input(void *context, const char *path) {
    const char *const *file = planned;
    while (*file && strcmp(*file, path) != 0)
        ++file;
    return *file ? RETC_OK : check_input(context, path);
}

/* What comes through a pipe may be the same as before, or not. */
static int
reads_stream(const retc_option *table) {
    for (; table->type != RETC_OPTION_END; ++table)
        if (table->flags & RETC_OPTION_STREAM && *(const char *const *)table->value)
            return 1;
    return 0;
}

/* What is given for a name or a file is one of the two. */
static int
check_name(const retc_option *option) {
    enum { MOST_NAMES = 64 };
    const char *given = *(const char *const *)option->value, *name[MOST_NAMES];
    size_t n = 0;
    if (!given || retc_option_is_name(option, given) || access(given, F_OK) == 0)
        return RETC_OK;
    char *names = retc_strdup(option->unit), *rest = NULL;
    if (!names)
        return RETC_ENOMEM;
    for (char *word = strtok_r(names, "|", &rest); word && n < MOST_NAMES; word = strtok_r(NULL, "|", &rest))
        name[n++] = word;
    const char *near = retc_nearest_name(given, name, n);
    int status = RETC_FAIL(RETC_EUSAGE, "--%s: there is no file \"%s\", and it is none of %s%s%s%s", option->name, given,
                           option->unit, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    retc_free(names);
    return status;
}

static int
check_names(const retc_option *table) {
    int status = RETC_OK;
    for (; status == RETC_OK && table->type != RETC_OPTION_END; ++table)
        if (table->type == RETC_OPTION_INPUT && table->flags & RETC_OPTION_NAMES)
            status = check_name(table);
    return status;
}

int
retc_command_begin(const retc_usage *usage, const retc_option *table, const retc_common *common, int argc, char **argv,
                   retc_provenance **provenance) {
    int status = RETC_OK;
    struct stat output = {0};
    char *line = retc_command_line(argc, argv), *options = NULL;
    *provenance = NULL;
    RETC_TRY(RETC_GOT(line));
    RETC_TRY(retc_options_parse(usage, table, argc, argv));
    if (status == RETC_OK)
        RETC_TRY(check_names(table));
    if (status == RETC_OK && checking && planned)
        RETC_TRY(for_each_input(table, check_planned_input, &output));
    if (status > 0 || checking) {
        status = 1;
        goto done;
    }
    retc_parallel_choose(common->threads);
    if (common->output)
        RETC_TRY(check_output(common, &output));
    RETC_TRY(for_each_input(table, check_input, &output));
    options = retc_options_canonical(usage, table);
    RETC_TRY(RETC_GOT(options));
    *provenance = retc_provenance_alloc(line, options, common->seed);
    RETC_TRY(RETC_GOT(*provenance));
    RETC_TRY(for_each_input(table, add_input, *provenance));
    if (common->output)
        RETC_TRY(
            look_at_output(common, common->no_provenance || reads_stream(table) ? NULL : *provenance, output.st_nlink > 0));
done:
    retc_free(options);
    retc_free(line);
    if (status != RETC_OK) {
        retc_command_end(table, *provenance);
        *provenance = NULL;
    }
    return status;
}

int
retc_command_finish(retc_h5 *file, const retc_common *common, const retc_provenance *provenance) {
    int status = RETC_OK;
    if (!common->no_provenance)
        RETC_TRY(retc_provenance_write(provenance, file));
    RETC_TRY(retc_h5_commit(file));
done:
    return status;
}

void
retc_command_end(const retc_option *table, retc_provenance *provenance) {
    retc_options_free(table);
    retc_provenance_free(provenance);
}

void
retc_say(const retc_common *common, const char *format, ...) {
    va_list arguments;
    if (common->quiet)
        return;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

void
retc_command_remove_temporaries(void) {
    retc_h5_remove_temporaries();
    retc_temporary_remove_all();
}

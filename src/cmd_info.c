#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "info.h"

enum { FEW_DATASETS = 24, FEW_IN_GROUP = 6, FEW_CHARACTERS = 100 };

static const retc_usage usage = {
    .command = "info",
    .summary = "what a file holds, and how it was made",
    .description = "Tells what kind of file each one is by its content, what is in it, and how it was made: version, command "
                   "line, seed, inputs with digests.  Any HDF5 file will do, and the tables that stand beside figures.\n\n"
                   "--diagram draws a model as well: it is short for retcodec figure network MODEL -o FIGURE.",
    .example = "retcodec info recording.h5 --datasets",
};

/* The datasets and groups of a file, by name. */
typedef struct {
    char **name;
    int *is_dataset;
    size_t n, room;
} listing;

static int
collect(void *context, const char *name, int is_dataset) {
    listing *list = context;
    int status = RETC_OK;
    if (list->n == list->room) {
        char **names = NULL;
        int *kinds = NULL;
        size_t room = 2 * list->room + 64;
        RETC_TRY(RETC_ALLOC(names, room));
        status = RETC_ALLOC(kinds, room);
        if (status < 0) {
            retc_free(names);
            return status;
        }
        if (list->n > 0) {
            memcpy(names, list->name, list->n * sizeof *names);
            memcpy(kinds, list->is_dataset, list->n * sizeof *kinds);
        }
        retc_free(list->name);
        retc_free(list->is_dataset);
        list->name = names;
        list->is_dataset = kinds;
        list->room = room;
    }
    list->name[list->n] = retc_strdup(name);
    RETC_TRY(RETC_GOT(list->name[list->n]));
    list->is_dataset[list->n++] = is_dataset;
done:
    return status;
}

static void
free_listing(listing *list) {
    for (size_t i = 0; i < list->n; ++i)
        retc_free(list->name[i]);
    retc_free(list->name);
    retc_free(list->is_dataset);
}

static const char *const made_by[] = {"retcodec_version", "created",         "command_line", "options", "seed",
                                      "inputs",           "library_versions"};

static int
is_provenance(const char *attribute) {
    for (size_t i = 0; i < sizeof made_by / sizeof *made_by; ++i)
        if (!strcmp(attribute, made_by[i]))
            return 1;
    return 0;
}

/* A value in one line, or its beginning. */
static void
print_value(const char *value, int whole) {
    size_t length = strlen(value), shown = whole || length <= FEW_CHARACTERS ? length : FEW_CHARACTERS;
    for (size_t i = 0; i < shown; ++i)
        putchar(value[i] == '\n' ? ' ' : value[i]);
    puts(shown < length ? " ..." : "");
}

static void
print_attributes(retc_h5 *file, const char *object, const char *indent, int whole) {
    size_t n = 0;
    if (retc_h5_attribute_count(file, object, &n) < 0)
        return;
    for (size_t i = 0; i < n; ++i) {
        char *name = NULL, *value = NULL;
        if (retc_h5_attribute_text(file, object, i, &name, &value) == RETC_OK &&
            (strcmp(object, "/") || !is_provenance(name))) {
            printf("%s%s = ", indent, name);
            print_value(value, whole);
        }
        retc_free(name);
        retc_free(value);
    }
}

static void
print_dataset(retc_h5 *file, const char *name) {
    size_t shape[RETC_H5_MAX_RANK] = {0};
    int rank = 0;
    printf("    %-44s ", name);
    if (retc_h5_shape(file, name, &rank, shape) < 0) {
        puts("of a shape that cannot be read");
        return;
    }
    putchar('(');
    for (int d = 0; d < rank; ++d)
        printf("%s%zu", d ? "," : "", shape[d]);
    printf(") %s\n", retc_h5_stored_type(file, name));
}

/* Are two names in one group? */
static int
same_group(const char *a, const char *b) {
    const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');
    size_t length_a = end_a ? (size_t)(end_a - a) : 0, length_b = end_b ? (size_t)(end_b - b) : 0;
    return length_a == length_b && !strncmp(a, b, length_a);
}

/* Without `whole` a few datasets of every group, and not too many in all. */
static void
print_tree(retc_h5 *file, const listing *list, int whole) {
    size_t shown = 0, in_group = 0, hidden = 0;
    const char *before = NULL;
    for (size_t i = 0; i < list->n; ++i) {
        const char *name = list->name[i];
        if (!list->is_dataset[i]) {
            if (whole)
                printf("    %s/\n", name);
        } else if (whole || shown < FEW_DATASETS) {
            in_group = before && same_group(before, name) ? in_group + 1 : 1;
            before = name;
            if (whole || in_group <= FEW_IN_GROUP) {
                print_dataset(file, name);
                ++shown;
            } else {
                ++hidden;
            }
        } else {
            ++hidden;
        }
        if (whole)
            print_attributes(file, name, "      @", 1);
    }
    if (hidden > 0)
        printf("    ... and %zu more; --datasets lists all\n", hidden);
}

/* A value that may have several lines, each after the first under it. */
static void
print_made_by(const char *key, const char *value) {
    static const char *const labels[] = {"version", "made", "command", "options", "seed", "input", "libraries"};
    for (size_t i = 0; i < sizeof made_by / sizeof *made_by; ++i) {
        if (strcmp(key, made_by[i]) != 0)
            continue;
        for (const char *line = value; *line;) {
            size_t length = strcspn(line, "\n");
            retc_info_fact(stdout, labels[i], "%.*s", (int)length, line);
            line += length;
            line += *line == '\n';
        }
    }
}

static void
print_how_made(retc_h5 *file) {
    for (size_t i = 0; i < sizeof made_by / sizeof *made_by; ++i) {
        char *text = NULL;
        double number = 0;
        if (retc_h5_get_text(file, "/", made_by[i], &text) == RETC_OK)
            print_made_by(made_by[i], text);
        else if (retc_h5_get_number(file, "/", made_by[i], &number) > 0)
            retc_info_fact(stdout, made_by[i], "%.0f", number);
        retc_free(text);
    }
}

static int
print_hdf5(const char *path, int whole) {
    listing list = {0};
    int status = RETC_OK;
    retc_h5 *file = retc_h5_open(path);
    RETC_TRY(file ? RETC_OK : RETC_EFORMAT);
    const char *kind = retc_info_kind(file);
    printf("%s: %s\n", path, kind);
    retc_info_facts(stdout, file, kind);
    puts("  datasets");
    if (retc_h5_visit(file, collect, &list) < 0)
        printf("    (what follows cannot be read: %s)\n", retc_error_message());
    print_tree(file, &list, whole);
    puts("  attributes");
    print_attributes(file, "/", "    ", whole);
    print_how_made(file);
done:
    free_listing(&list);
    retc_h5_close(file);
    return status;
}

/* The head of a table, the names of its blocks, and its number of rows. */
static int
print_table(const char *path, FILE *in) {
    char *line = NULL, *blocks = retc_strdup("");
    size_t size = 0, rows = 0;
    ssize_t length;
    int after_gap = 0;
    printf("%s: table\n", path);
    while (blocks && (length = getline(&line, &size, in)) > 0) {
        if (line[length - 1] == '\n')
            line[--length] = '\0';
        char *colon = strstr(line, ": ");
        if (length > 2 && line[0] == '#' && colon && !after_gap) {
            *colon = '\0';
            print_made_by(line + 2, colon + 2);
        } else if (length > 2 && line[0] == '#' && !colon) {
            char *longer = retc_strf("%s%s%s", blocks, *blocks ? ", " : "", line + 2);
            retc_free(blocks);
            blocks = longer;
        }
        after_gap |= length == 0;
        rows += length > 0 && line[0] != '#';
    }
    free(line);
    if (!blocks)
        return RETC_ENOMEM;
    retc_info_fact(stdout, "rows", "%zu", rows);
    fputs("  blocks         ", stdout);
    print_value(blocks, 1);
    retc_free(blocks);
    return RETC_OK;
}

static int
print_file(const char *path, int whole) {
    static const char head[] = "# retcodec_version: ";
    char start[sizeof head] = "";
    struct stat info;
    FILE *in = stat(path, &info) == 0 && S_ISREG(info.st_mode) ? fopen(path, "r") : NULL;
    int status;
    if (in && fread(start, 1, strlen(head), in) == strlen(head) && !strcmp(start, head)) {
        rewind(in);
        status = print_table(path, in);
    } else {
        status = print_hdf5(path, whole);
    }
    if (in)
        fclose(in);
    return status;
}

/* The figure is made by the command that makes figures.  Arguments are copied, as parsing puts them in order. */
static int
draw_diagram(const char *model, const char *figure, int force) {
    char *argument[] = {retc_strdup("figure"),
                        retc_strdup("network"),
                        retc_strf("--results=%s", model),
                        retc_strf("--output=%s", figure),
                        retc_strdup(force ? "--force" : "--force=no"),
                        NULL};
    enum { ARGUMENTS = sizeof argument / sizeof *argument - 1 };
    char *reordered[ARGUMENTS + 1];
    int status = RETC_OK;
    memcpy(reordered, argument, sizeof reordered);
    for (size_t i = 0; i < ARGUMENTS; ++i)
        RETC_TRY(RETC_GOT(argument[i]));
    RETC_TRY(retc_cmd_figure(ARGUMENTS, reordered));
done:
    for (size_t i = 0; i < ARGUMENTS; ++i)
        retc_free(argument[i]);
    return status;
}

int
retc_cmd_info(int argc, char **argv) {
    retc_text_list files = {0};
    const char *diagram = NULL;
    int whole = 0, force = 0, status = RETC_OK;
    const retc_option table[] = {
        {"files", 0, RETC_OPTION_INPUTS, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &files, 0, 0, NULL, "files to look at"},
        {"datasets", 'd', RETC_OPTION_FLAG, 0, &whole, 0, 0, NULL, "list every group and dataset with all attributes"},
        {"diagram", 0, RETC_OPTION_OUTPUT, 0, &diagram, 0, 0, NULL,
         "draw the network of the one model that is given into this file, ending in .png, .svg or .pdf"},
        {"force", 'f', RETC_OPTION_FLAG, RETC_OPTION_NO_EFFECT, &force, 0, 0, NULL, "replace a diagram that exists"},
        RETC_OPTIONS_END,
    };
    RETC_TRY(retc_options_parse(&usage, table, argc, argv));
    if (diagram && files.n != 1)
        RETC_TRY(RETC_FAIL(RETC_EUSAGE, "--diagram draws one model, %zu files are given", files.n));
    for (size_t i = 0; status == RETC_OK && i < files.n; ++i)
        RETC_TRY(print_file(files.text[i], whole));
    if (status == RETC_OK && diagram)
        RETC_TRY(draw_diagram(files.text[0], diagram, force));
done:
    retc_options_free(table);
    return status;
}

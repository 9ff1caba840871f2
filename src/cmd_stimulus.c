#include <stdio.h>
#include <string.h>

#include "command.h"
#include "recipe.h"

enum { COMMON_ENTRIES = 16 };

#define RECIPE_OPTION(value)                                                                                                   \
    {                                                                                                                          \
        "recipe", 0, RETC_OPTION_FLAG, 0, (value), 0, 0, NULL,                                                                 \
            "store no frames but these options, from which whatever reads the file makes them again"                           \
    }

/* Options of the kind and the screen, then those of every command. */
static void
complete_table(const retc_movie_request *request, retc_common *common, int *recipe, retc_option *table) {
    const retc_option rest[] = {
        RECIPE_OPTION(recipe),
        RETC_COMMON_OUTPUT(*common, "stimulus file to write"),
        RETC_COMMON_OPTIONS(*common),
        RETC_OPTIONS_END,
    };
    _Static_assert(sizeof rest <= COMMON_ENTRIES * sizeof *rest, "room for the common options");
    memcpy(table, request->table, request->entries * sizeof *table);
    /* What is made of files has no recipe. */
    size_t skip = request->kind->from_files ? 1 : 0;
    memcpy(table + request->entries, rest + skip, sizeof rest - skip * sizeof *rest);
}

static void
say_report(const retc_movie *movie, const retc_common *common) {
    char *report = movie->report ? movie->report(movie->context) : NULL;
    if (report)
        retc_say(common, "%s\n", report);
    retc_free(report);
}

static int
write_stimulus(const retc_movie_request *request, retc_movie *movie, int only_recipe, retc_h5 *file, int quiet) {
    int status = RETC_OK;
    retc_recipe *recipe = NULL;
    if (only_recipe) {
        RETC_TRY(RETC_GOT(recipe = retc_recipe_of(request)));
        RETC_TRY(retc_recipe_write_stimulus(recipe, file));
    } else {
        RETC_TRY(retc_movie_write(movie, file, retc_meter_start(request->kind->name, quiet)));
    }

done:
    retc_meter_stop();
    retc_recipe_free(recipe);
    return status;
}

static int
make_stimulus(const retc_movie_kind *kind, int argc, char **argv) {
    retc_common common = {.seed = 1};
    retc_movie_request request;
    retc_option table[sizeof request.table / sizeof *request.table + COMMON_ENTRIES] = {RETC_OPTIONS_END};
    retc_provenance *provenance = NULL;
    retc_movie *movie = NULL;
    retc_h5 *file = NULL;
    int recipe = 0;
    int status = retc_movie_request_init(&request, kind);
    RETC_TRY(status);
    complete_table(&request, &common, &recipe, table);
    status = retc_command_begin(&kind->usage, table, &common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    request.screen.seed = common.seed;
    request.screen.threads = common.threads;
    RETC_TRY(RETC_GOT(movie = retc_movie_request_make(&request)));
    RETC_TRY(RETC_GOT(file = retc_h5_create(common.output, common.force)));
    RETC_TRY(write_stimulus(&request, movie, recipe, file, common.quiet));
    RETC_TRY(retc_command_finish(file, &common, provenance));
    retc_say(&common, "%s: %s, %zu frames of %zu x %zu pixels at %g Hz\n", common.output, kind->name, movie->layout.frames,
             movie->layout.height, movie->layout.width, 1 / movie->layout.frame_interval);
    say_report(movie, &common);

done:
    retc_h5_close(file);
    retc_movie_free(movie);
    retc_command_end(table, provenance);
    retc_movie_request_clear(&request);
    return status < 0 ? status : RETC_OK;
}

/* What "retcodec stimulus --help" says: the kinds, and the options that all of them share. */
static int
explain(int argc, char **argv) {
    static const char before[] = "Grey levels run from 0 to 255, and 127.5 is their mean.  \"retcodec stimulus KIND --help\" "
                                 "explains a kind and its options.\n\n";
    char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", before);
    for (size_t k = 0; retc_movie_kinds[k] && used < sizeof text; ++k)
        used += (size_t)snprintf(text + used, sizeof text - used, "  %-22s %s\n", retc_movie_kinds[k]->name,
                                 retc_movie_kinds[k]->usage.summary);
    const char *kind = NULL;
    int recipe = 0;
    retc_common common = {.seed = 1};
    const retc_usage usage = {"stimulus", "make a stimulus movie", text, retc_movie_kinds[0]->usage.example};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_TEXT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &kind, 0, 0, NULL, "kind of stimulus"},
        RECIPE_OPTION(&recipe),
        RETC_COMMON_OUTPUT(common, "stimulus file to write"),
        RETC_COMMON_OPTIONS(common),
        RETC_OPTIONS_END,
    };
    return retc_options_parse(&usage, table, argc, argv);
}

/* The kind may be given bare, as --kind=KIND or as --kind KIND, before or after the options. */
static const char *
asked_kind(int argc, char **argv) {
    for (int i = 1; i < argc; ++i) {
        if (strncmp(argv[i], "--kind=", 7) == 0)
            return argv[i] + 7;
        if (strcmp(argv[i], "--kind") == 0)
            return i + 1 < argc ? argv[i + 1] : NULL;
    }
    return argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
}

int
retc_cmd_stimulus(int argc, char **argv) {
    const char *name = asked_kind(argc, argv);
    for (int i = 1; !name && i < argc; ++i)
        if (!strncmp(argv[i], "--help", 6) || !strcmp(argv[i], "-h"))
            return explain(argc, argv);
    if (!name)
        return RETC_FAIL(RETC_EUSAGE, "which kind of stimulus? It comes first: retcodec stimulus white-noise ... "
                                      "(retcodec stimulus --help lists them)");
    const retc_movie_kind *kind = retc_movie_kind_find(name);
    return kind ? make_stimulus(kind, argc, argv) : RETC_EUSAGE;
}

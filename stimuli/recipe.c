#include "recipe.h"

#include <math.h>
#include <string.h>

#include "levels.h"

/* Frames that are kept to compare with. */
enum { KEPT = 3 };

/* Levels that are rounded in one go. */
enum { PIECE = 4096 };

/* Frames made on another machine may differ in their last digits; another movie differs by grey levels. */
#define SAME_LEVEL 0.01f

struct retc_recipe {
    char *text;
    char *words;                /* the options as --name=value, which the movie may point into */
    retc_movie_request request; /* must not move */
    size_t seed;
    retc_movie *movie;
};

/* ---- options and text ------------------------------------------------------------------------------------------------ */

/* The options of a request, and its seed. */
static void
complete_table(const retc_movie_request *request, size_t *seed, retc_option *table) {
    const retc_option rest[] = {
        {"seed", 0, RETC_OPTION_SIZE, 0, seed, 0, 4294967295.0, NULL, "seed of all random numbers"},
        RETC_OPTIONS_END,
    };
    memcpy(table, request->table, request->entries * sizeof *table);
    memcpy(table + request->entries, rest, sizeof rest);
}

enum { TABLE_ENTRIES = sizeof((retc_movie_request *)0)->table / sizeof(retc_option) + 2 };

static int
names_files(const retc_option *option) {
    return option->type == RETC_OPTION_INPUT || option->type == RETC_OPTION_INPUTS || (option->flags & RETC_OPTION_STREAM);
}

static int
reads_files(const retc_movie_request *request) {
    for (size_t i = 0; i < request->entries; ++i) {
        const retc_option *option = &request->table[i];
        if (!names_files(option))
            continue;
        if (option->type == RETC_OPTION_INPUTS ? ((const retc_text_list *)option->value)->n > 0
                                               : *(const char *const *)option->value != NULL)
            return 1;
    }
    return 0;
}

retc_recipe *
retc_recipe_of(const retc_movie_request *request) {
    size_t seed = request->screen.seed;
    retc_option table[TABLE_ENTRIES];
    if (reads_files(request)) {
        RETC_FAIL(RETC_EINVAL, "a %s that reads files has no recipe; leave out --recipe to store its frames",
                  request->kind->name);
        return NULL;
    }
    complete_table(request, &seed, table);
    char *text = retc_options_canonical(&request->kind->usage, table);
    retc_recipe *recipe = text ? retc_recipe_parse(text) : NULL;
    retc_free(text);
    return recipe;
}

/* Undo the escapes of a word, "%20", in place. */
static int
unescape(char *word) {
    char *to = word;
    for (const char *from = word; *from; ++from, ++to) {
        *to = *from;
        if (*from != '%')
            continue;
        static const char digits[] = "0123456789abcdef";
        const char *high = from[1] ? strchr(digits, from[1]) : NULL, *low = high && from[2] ? strchr(digits, from[2]) : NULL;
        if (!low)
            return RETC_FAIL(RETC_EFORMAT, "\"%s\" is damaged", word);
        *to = (char)((high - digits) * 16 + (low - digits));
        from += 2;
    }
    *to = '\0';
    return RETC_OK;
}

/* The option that "name=value" sets, or NULL with a reason. */
static const retc_option *
option_of(const retc_option *table, const char *word) {
    size_t length = strcspn(word, "=");
    for (; word[length] && table->type != RETC_OPTION_END; ++table)
        if (strlen(table->name) == length && strncmp(table->name, word, length) == 0)
            return table;
    RETC_FAIL(RETC_EFORMAT, "this version knows no option \"%.*s\"", (int)length, word);
    return NULL;
}

/* Whether a word says that an option has no value, which no command line can. */
static int
says_nothing(const retc_option *option, const char *value) {
    switch (option->type) {
    case RETC_OPTION_INPUT:
    case RETC_OPTION_INPUTS:
        return strcmp(value, "0") == 0;
    case RETC_OPTION_TEXT:
    case RETC_OPTION_CHOICE:
        return value[0] == '\0' && *(const char *const *)option->value == NULL;
    case RETC_OPTION_NUMBERS:
        return value[0] == '\0';
    default:
        return 0;
    }
}

/* Read the words after "command=stimulus", which end with NULL, as a command line. */
static int
parse_words(retc_recipe *recipe, char *words, size_t n) {
    int status = RETC_OK;
    int argc = 1;
    retc_option table[TABLE_ENTRIES];
    char **argv = NULL, *option_words = NULL;
    complete_table(&recipe->request, &recipe->seed, table);
    RETC_TRY(RETC_ALLOC(argv, n + 2));
    RETC_TRY(RETC_GOT(option_words = recipe->words = retc_calloc(strlen(recipe->text) + 3 * n + 3, 1)));
    argv[0] = option_words;
    for (char *word = strtok_r(NULL, " ", &words); word; word = strtok_r(NULL, " ", &words)) {
        const retc_option *option = option_of(table, word);
        RETC_TRY(option ? RETC_OK : RETC_EFORMAT);
        RETC_TRY(unescape(word));
        const char *value = strchr(word, '=') + 1;
        if (says_nothing(option, value))
            continue;
        if (names_files(option))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "\"%s\" needs files", word));
        option_words += strlen(option_words) + 1;
        strcpy(option_words, "--");
        strcat(option_words, word);
        argv[argc++] = option_words;
    }
    RETC_TRY(retc_options_parse(&recipe->request.kind->usage, table, argc, argv));

done:
    retc_free(argv);
    return status;
}

static int
parse(retc_recipe *recipe) {
    int status = RETC_OK;
    char *copy = NULL, *rest = NULL, *kind = NULL;
    size_t n = 1;
    RETC_TRY(RETC_GOT(copy = retc_strdup(recipe->text)));
    for (const char *at = strchr(copy, ' '); at; at = strchr(at + 1, ' '))
        ++n;
    char *first = strtok_r(copy, " ", &rest);
    if (!first || strcmp(first, "command=stimulus") != 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "it begins with \"%.40s\", expected \"command=stimulus\"", recipe->text));
    kind = strstr(recipe->text, " kind=");
    RETC_TRY(RETC_GOT(kind = retc_strf("%.*s", kind ? (int)strcspn(kind + 6, " ") : 0, kind ? kind + 6 : "")));
    const retc_movie_kind *found = retc_movie_kind_find(kind);
    RETC_TRY(found ? RETC_OK : RETC_EFORMAT);
    RETC_TRY(retc_movie_request_init(&recipe->request, found));
    RETC_TRY(parse_words(recipe, rest, n));
    recipe->request.screen.seed = recipe->seed;

done:
    retc_free(kind);
    retc_free(copy);
    return status < 0 ? retc_error_prefix(status, "recipe") : RETC_OK;
}

static int
make_movie(retc_recipe *recipe) {
    recipe->movie = retc_movie_request_make(&recipe->request);
    if (!recipe->movie)
        return retc_error_prefix(RETC_EINVAL, "recipe");
    if (!recipe->movie->any_order)
        return RETC_FAIL(RETC_EINVAL, "recipe: the frames of a %s can be made in their order only, and are to be stored",
                         recipe->movie->kind);
    return RETC_OK;
}

/* A recipe whose movie is not made yet. */
static int
begin(const char *text, retc_recipe **recipe) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(*recipe, 1));
    RETC_TRY(RETC_GOT((*recipe)->text = retc_strdup(text)));
    RETC_TRY(parse(*recipe));

done:
    return status;
}

retc_recipe *
retc_recipe_parse(const char *text) {
    int status = RETC_OK;
    retc_recipe *recipe = NULL;
    RETC_TRY(begin(text, &recipe));
    RETC_TRY(make_movie(recipe));

done:
    if (status < 0) {
        retc_recipe_free(recipe);
        return NULL;
    }
    return recipe;
}

void
retc_recipe_free(retc_recipe *recipe) {
    if (!recipe)
        return;
    retc_movie_free(recipe->movie);
    retc_movie_request_clear(&recipe->request);
    retc_free(recipe->words);
    retc_free(recipe->text);
    retc_free(recipe);
}

const retc_stimulus_layout *
retc_recipe_layout(const retc_recipe *recipe) {
    return &recipe->movie->layout;
}

int
retc_recipe_frames(retc_recipe *recipe, size_t t0, size_t n, float *out) {
    const retc_stimulus_layout *layout = &recipe->movie->layout;
    int status = recipe->movie->frames(recipe->movie->context, t0, n, out);
    size_t values = n * layout->height * layout->width;
    uint8_t bytes[PIECE];
    for (size_t i = 0; status == RETC_OK && layout->type == RETC_H5_UINT8 && i < values; i += PIECE) {
        size_t m = values - i < PIECE ? values - i : PIECE;
        retc_levels_round(out + i, m, bytes);
        for (size_t j = 0; j < m; ++j)
            out[i + j] = bytes[j];
    }
    return status;
}

/* ---- in a file ------------------------------------------------------------------------------------------------------- */

/* Name of a dataset in a group (retc_free). */
static char *
name_in(const char *group, const char *dataset) {
    return strcmp(group, "/") == 0 ? retc_strdup(dataset) : retc_strf("%s/%s", group, dataset);
}

int
retc_recipe_is_in(retc_h5 *file, const char *group) {
    char *name = name_in(group, "recipe_frames"), *text = NULL;
    int found = name && (retc_h5_has(file, name) || retc_h5_get_text(file, group, "recipe", &text) == RETC_OK);
    retc_free(name);
    retc_free(text);
    return found;
}

/* The frames that are kept, (KEPT,H,W), as the movie makes them now. */
static int
make_kept(retc_recipe *recipe, float *frames) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = &recipe->movie->layout;
    const size_t place[KEPT] = {0, layout->frames / 2, layout->frames - 1};
    for (size_t k = 0; k < KEPT; ++k)
        RETC_TRY(recipe->movie->frames(recipe->movie->context, place[k], 1, frames + k * layout->height * layout->width));

done:
    return status;
}

int
retc_recipe_write(retc_recipe *recipe, retc_h5 *file, const char *group) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = &recipe->movie->layout;
    const size_t shape[3] = {KEPT, layout->height, layout->width};
    char *name = name_in(group, "recipe_frames");
    float *frames = NULL;
    RETC_TRY(RETC_GOT(name));
    RETC_TRY(RETC_ALLOC(frames, KEPT * layout->height * layout->width));
    RETC_TRY(make_kept(recipe, frames));
    RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, 3, shape, frames));
    RETC_TRY(retc_h5_set_text(file, group, "recipe", recipe->text));

done:
    retc_free(frames);
    retc_free(name);
    return status;
}

/* A damaged recipe may ask for more memory than there is: before its movie is made, it must fit the clock and the frames that
 * are kept.  (The length of a protocol that runs once is known afterwards.) */
static int
check_size(const retc_recipe *recipe, retc_h5 *file, const char *group, const char *kept) {
    int status = RETC_OK;
    const retc_screen *screen = &recipe->request.screen;
    const size_t shape[3] = {KEPT, screen->height, screen->width};
    const size_t frames = screen->frames || screen->duration > 0 ? retc_screen_frames(screen, 0) : 0;
    char *time = name_in(group, "time");
    RETC_TRY(RETC_GOT(time));
    RETC_TRY(retc_h5_expect(file, kept, 3, shape, NULL));
    RETC_TRY(retc_h5_expect(file, time, 1, &frames, NULL));

done:
    retc_free(time);
    return status;
}

static int
compare_kept(retc_recipe *recipe, retc_h5 *file, const char *name) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = &recipe->movie->layout;
    size_t values = KEPT * layout->height * layout->width;
    float *made = NULL, *kept = NULL;
    RETC_TRY(RETC_ALLOC(made, values));
    RETC_TRY(RETC_ALLOC(kept, values));
    RETC_TRY(retc_h5_read(file, name, RETC_H5_FLOAT, NULL, NULL, kept));
    RETC_TRY(make_kept(recipe, made));
    for (size_t i = 0; i < values; ++i)
        if (!(fabsf(made[i] - kept[i]) <= SAME_LEVEL))
            RETC_TRY(
                RETC_FAIL(RETC_EFORMAT,
                          "%s: the recipe makes another movie than it did when it was written (a level of %g, then %g): it "
                          "is damaged, or of another version",
                          retc_h5_path(file), (double)made[i], (double)kept[i]));

done:
    retc_free(made);
    retc_free(kept);
    return status;
}

retc_recipe *
retc_recipe_read(retc_h5 *file, const char *group) {
    int status = RETC_OK;
    char *text = NULL, *name = name_in(group, "recipe_frames");
    retc_recipe *recipe = NULL;
    RETC_TRY(RETC_GOT(name));
    RETC_TRY(retc_h5_get_text(file, group, "recipe", &text));
    if (begin(text, &recipe) < 0)
        RETC_TRY(retc_error_prefix(RETC_EFORMAT, "%s", retc_h5_path(file)));
    RETC_TRY(check_size(recipe, file, group, name));
    if (make_movie(recipe) < 0)
        RETC_TRY(retc_error_prefix(RETC_EFORMAT, "%s", retc_h5_path(file)));
    RETC_TRY(compare_kept(recipe, file, name));

done:
    retc_free(text);
    retc_free(name);
    if (status < 0) {
        retc_recipe_free(recipe);
        return NULL;
    }
    return recipe;
}

int
retc_recipe_write_stimulus(retc_recipe *recipe, retc_h5 *file) {
    int status = RETC_OK;
    RETC_TRY(retc_stimulus_write_head(file, recipe->movie->kind, &recipe->movie->layout));
    RETC_TRY(retc_movie_annotate(recipe->movie, file));
    RETC_TRY(retc_recipe_write(recipe, file, "/"));

done:
    return status;
}

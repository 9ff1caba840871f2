/* Parsing: a table of options becomes a getopt_long table; every value is read strictly. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LONG = 1000, HELP = 500, MAX_OPTIONS = 96, MAX_NAME = 63 };

int
retc_parse_double(const char *text, double *value) {
    char *end = NULL;
    /* strtod would also take white space, hexadecimal numbers, "inf" and "nan". */
    if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return RETC_FAIL(RETC_EFORMAT, "\"%s\" is not a number", text);
    double x = strtod(text, &end);
    if (end == text || *end != '\0')
        return RETC_FAIL(RETC_EFORMAT, "\"%s\" is not a number", text);
    if (!isfinite(x))
        return RETC_FAIL(RETC_ENUMBER, "\"%s\" is too large for a number", text);
    *value = x;
    return RETC_OK;
}

int
retc_parse_size(const char *text, size_t *value) {
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return RETC_FAIL(RETC_EFORMAT, "\"%s\" is not a whole number", text);
    errno = 0;
    uintmax_t x = strtoumax(text, NULL, 10);
    if (errno == ERANGE || x > SIZE_MAX)
        return RETC_FAIL(RETC_ENUMBER, "\"%s\" is too large for a whole number", text);
    *value = (size_t)x;
    return RETC_OK;
}

int
retc_parse_numbers(const char *text, retc_numbers *numbers) {
    retc_numbers read = {0};
    for (;;) {
        char number[64];
        size_t length = strcspn(text, ",");
        if (read.n == RETC_MOST_NUMBERS)
            return RETC_FAIL(RETC_ENUMBER, "more than %d numbers", RETC_MOST_NUMBERS);
        if (length >= sizeof number)
            return RETC_FAIL(RETC_EFORMAT, "\"%s\" is not a number", text);
        memcpy(number, text, length);
        number[length] = '\0';
        int status = retc_parse_double(number, &read.value[read.n++]);
        if (status < 0)
            return status;
        if (text[length] == '\0')
            break;
        text += length + 1;
    }
    *numbers = read;
    return RETC_OK;
}

/* Number of letters to insert, drop, change or swap with their neighbour (Damerau's distance of adjacent swaps). */
static size_t
edit_distance(const char *a, const char *b) {
    size_t rows[3][MAX_NAME + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    size_t n = strlen(a), m = strlen(b);
    if (n > MAX_NAME || m > MAX_NAME)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; ++j)
        row[j] = j;
    for (size_t i = 1; i <= n; ++i) {
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
        row[0] = i;
        for (size_t j = 1; j <= m; ++j) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
    }
    return row[m];
}

const char *
retc_nearest_name(const char *mistyped, const char *const *names, size_t n) {
    const char *nearest = NULL;
    size_t length = strlen(mistyped), smallest = length < 4 ? 2 : length / 3 + 2;
    for (size_t i = 0; i < n; ++i) {
        size_t distance = edit_distance(mistyped, names[i]);
        if (distance < smallest) {
            smallest = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

/* "(1 to 100000 Hz)", "(0 or more)" or "": the range of a number, with a blank before it. */
static const char *
range_text(const retc_option *option, char *buffer, size_t size) {
    const char *blank = option->unit ? " " : "", *unit = option->unit ? option->unit : "";
    if (option->min == 0 && option->max == 0)
        snprintf(buffer, size, "%s", "");
    else if (isinf(option->max))
        snprintf(buffer, size, " (%.15g%s%s or more)", option->min, blank, unit);
    else if (isinf(option->min))
        snprintf(buffer, size, " (%.15g%s%s or less)", option->max, blank, unit);
    else
        snprintf(buffer, size, " (%.15g to %.15g%s%s)", option->min, option->max, blank, unit);
    return buffer;
}

static int
set_number(const retc_option *option, const char *text) {
    char range[160];
    double x = 0;
    size_t whole = 0;
    int is_size = option->type == RETC_OPTION_SIZE;
    range_text(option, range, sizeof range);
    if ((is_size ? retc_parse_size(text, &whole) : retc_parse_double(text, &x)) < 0)
        return RETC_FAIL(RETC_EUSAGE, "--%s: \"%s\" is not a %s%s", option->name, text, is_size ? "whole number" : "number",
                         range);
    if (is_size)
        x = (double)whole;
    if (!(option->min == 0 && option->max == 0) && !(x >= option->min && x <= option->max))
        return RETC_FAIL(RETC_EUSAGE, "--%s: %s is out of range%s", option->name, text, range);
    if (is_size)
        *(size_t *)option->value = whole;
    else
        *(double *)option->value = x;
    return RETC_OK;
}

static int
set_numbers(const retc_option *option, const char *text) {
    char range[160];
    retc_numbers numbers;
    range_text(option, range, sizeof range);
    if (retc_parse_numbers(text, &numbers) < 0)
        return RETC_FAIL(RETC_EUSAGE, "--%s: \"%s\" is not a list of at most %d numbers, as 0,45,90%s", option->name, text,
                         RETC_MOST_NUMBERS, range);
    for (size_t i = 0; i < numbers.n && !(option->min == 0 && option->max == 0); ++i)
        if (!(numbers.value[i] >= option->min && numbers.value[i] <= option->max))
            return RETC_FAIL(RETC_EUSAGE, "--%s: %.15g is out of range%s", option->name, numbers.value[i], range);
    *(retc_numbers *)option->value = numbers;
    return RETC_OK;
}

static int
set_flag(const retc_option *option, const char *text) {
    if (!text || !strcmp(text, "yes") || !strcmp(text, "true") || !strcmp(text, "1"))
        *(int *)option->value = 1;
    else if (!strcmp(text, "no") || !strcmp(text, "false") || !strcmp(text, "0"))
        *(int *)option->value = 0;
    else
        return RETC_FAIL(RETC_EUSAGE, "--%s: \"%s\" is neither yes nor no", option->name, text);
    return RETC_OK;
}

/* `choices` is "a|b|c". */
static int
is_choice(const char *choices, const char *text) {
    size_t length = strcspn(text, "|");
    if (length == 0 || text[length] != '\0')
        return 0;
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (!strncmp(at, text, length) && (at[length] == '|' || at[length] == '\0'))
            return 1;
    return 0;
}

int
retc_option_is_name(const retc_option *option, const char *text) {
    int has_names = option->type == RETC_OPTION_CHOICE || option->flags & RETC_OPTION_NAMES;
    return has_names && is_choice(option->unit, text);
}

static int
append(retc_text_list *list, const char *text) {
    const char **longer = NULL;
    if (RETC_ALLOC(longer, list->n + 1) < 0)
        return RETC_ENOMEM;
    if (list->n > 0)
        memcpy(longer, list->text, list->n * sizeof *longer);
    longer[list->n] = text;
    retc_free(list->text);
    list->text = longer;
    list->n += 1;
    return RETC_OK;
}

static int
set_value(const retc_option *option, const char *text) {
    switch (option->type) {
    case RETC_OPTION_FLAG:
        return set_flag(option, text);
    case RETC_OPTION_SIZE:
    case RETC_OPTION_DOUBLE:
        return set_number(option, text);
    case RETC_OPTION_NUMBERS:
        return set_numbers(option, text);
    case RETC_OPTION_CHOICE:
        if (!is_choice(option->unit, text))
            return RETC_FAIL(RETC_EUSAGE, "--%s: \"%s\" is not one of %s", option->name, text, option->unit);
        break;
    case RETC_OPTION_INPUTS:
        return append(option->value, text);
    default:
        if (text[0] == '\0' && option->type != RETC_OPTION_TEXT)
            return RETC_FAIL(RETC_EUSAGE, "--%s: the name of a file is empty", option->name);
        break;
    }
    *(const char **)option->value = text;
    return RETC_OK;
}

static size_t
table_length(const retc_option *table) {
    size_t n = 0;
    while (table[n].type != RETC_OPTION_END)
        ++n;
    return n;
}

/* Say what was wrong with `argument`, which getopt_long did not take. */
static int
refuse_option(const retc_option *table, const char *argument, int letter) {
    const char *names[MAX_OPTIONS + 1] = {0};
    char given[MAX_NAME + 1];
    size_t n = table_length(table), matches = 0;
    if (strncmp(argument, "--", 2) != 0)
        return RETC_FAIL(RETC_EUSAGE, "there is no option -%c (--help lists them)", letter);
    snprintf(given, sizeof given, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    for (size_t i = 0; i < n; ++i) {
        names[i] = table[i].name;
        matches += !strncmp(table[i].name, given, strlen(given));
    }
    names[n] = "help";
    if (matches > 1)
        return RETC_FAIL(RETC_EUSAGE, "--%s is short for more than one option (--help lists them)", given);
    const char *nearest = retc_nearest_name(given, names, n + 1);
    if (nearest)
        return RETC_FAIL(RETC_EUSAGE, "there is no option --%s; did you mean --%s?", given, nearest);
    return RETC_FAIL(RETC_EUSAGE, "there is no option --%s (--help lists them)", given);
}

/* Tables in getopt_long's form; entry i of ours returns FIRST_LONG + i or its letter. */
static void
translate(const retc_option *table, struct option *longs, char *letters) {
    size_t n = table_length(table);
    *letters++ = ':'; /* report a missing value apart from an unknown option */
    *letters++ = 'h';
    for (size_t i = 0; i < n; ++i) {
        int has = table[i].type == RETC_OPTION_FLAG ? optional_argument : required_argument;
        longs[i] = (struct option){table[i].name, has, NULL, FIRST_LONG + (int)i};
        if (table[i].letter) {
            *letters++ = table[i].letter;
            if (has == required_argument)
                *letters++ = ':';
        }
    }
    longs[n] = (struct option){"help", optional_argument, NULL, HELP};
    longs[n + 1] = (struct option){0};
    *letters = '\0';
}

static size_t
index_of(const retc_option *table, int code) {
    if (code >= FIRST_LONG)
        return (size_t)(code - FIRST_LONG);
    size_t i = 0;
    while (table[i].letter != code)
        ++i;
    return i;
}

/* Help wins over everything else on the command line, and shows the defaults before anything is set. */
static int
print_help_if_asked(const retc_usage *usage, const retc_option *table, int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; ++i)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            retc_options_help(stdout, usage, table);
            return 1;
        } else if (!strcmp(argv[i], "--help=man")) {
            retc_options_man(stdout, usage, table);
            return 1;
        }
    return 0;
}

/* Give the bare arguments to the positional entries that were not set by name, in table order. */
static int
fill_positionals(const retc_option *table, char **given, size_t *times) {
    int status = RETC_OK;
    for (size_t i = 0; *given && table[i].type != RETC_OPTION_END; ++i) {
        if (!(table[i].flags & RETC_OPTION_POSITIONAL) || (times[i] > 0 && table[i].type != RETC_OPTION_INPUTS))
            continue;
        do {
            RETC_TRY(set_value(&table[i], *given++));
            times[i] += 1;
        } while (*given && table[i].type == RETC_OPTION_INPUTS);
    }
    if (*given)
        return RETC_FAIL(RETC_EUSAGE, "\"%s\" is one argument too many", *given);
done:
    return status;
}

int
retc_options_parse(const retc_usage *usage, const retc_option *table, int argc, char **argv) {
    struct option longs[MAX_OPTIONS + 2];
    char letters[2 * MAX_OPTIONS + 3];
    size_t times[MAX_OPTIONS] = {0};
    int status = RETC_OK, code;
    if (table_length(table) > MAX_OPTIONS)
        return RETC_FAIL(RETC_EINVAL, "%s has more than %d options", usage->command, MAX_OPTIONS);
    if (print_help_if_asked(usage, table, argc, argv))
        return 1;
    translate(table, longs, letters);
    opterr = 0;
    optind = 0; /* GNU: start afresh, as one program may parse many command lines */
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (code == ':')
            return RETC_FAIL(RETC_EUSAGE, "%s needs a value", argv[optind - 1]);
        if (code == '?' || code == HELP || code == 'h')
            return refuse_option(table, argv[optind - 1], optopt);
        size_t i = index_of(table, code);
        if (times[i]++ > 0 && table[i].type != RETC_OPTION_INPUTS && table[i].type != RETC_OPTION_FLAG)
            return RETC_FAIL(RETC_EUSAGE, "--%s is given twice", table[i].name);
        RETC_TRY(set_value(&table[i], optarg));
    }
    RETC_TRY(fill_positionals(table, argv + optind, times));
    for (size_t i = 0; table[i].type != RETC_OPTION_END; ++i)
        if ((table[i].flags & RETC_OPTION_REQUIRED) && times[i] == 0)
            return RETC_FAIL(RETC_EUSAGE, "--%s is missing: %s", table[i].name, table[i].help);
done:
    return status;
}

void
retc_options_free(const retc_option *table) {
    for (; table->type != RETC_OPTION_END; ++table)
        if (table->type == RETC_OPTION_INPUTS) {
            retc_text_list *list = table->value;
            retc_free(list->text);
            *list = (retc_text_list){0};
        }
}

/* The shortest decimal number that reads back as `x`. */
static void
print_double(FILE *out, double x) {
    char text[32];
    for (int digits = 15; digits <= 17; ++digits) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    fputs(text, out);
}

static void
print_numbers(FILE *out, const retc_numbers *numbers) {
    for (size_t i = 0; i < numbers->n; ++i) {
        if (i > 0)
            fputc(',', out);
        print_double(out, numbers->value[i]);
    }
}

static void
print_canonical(FILE *out, const retc_option *option) {
    const char *text = NULL;
    fprintf(out, " %s=", option->name);
    switch (option->type) {
    case RETC_OPTION_FLAG:
        fputs(*(const int *)option->value ? "yes" : "no", out);
        break;
    case RETC_OPTION_SIZE:
        fprintf(out, "%zu", *(const size_t *)option->value);
        break;
    case RETC_OPTION_DOUBLE:
        print_double(out, *(const double *)option->value);
        break;
    case RETC_OPTION_NUMBERS:
        print_numbers(out, option->value);
        break;
    case RETC_OPTION_INPUT:
        text = *(const char *const *)option->value;
        fputs(!text ? "0" : retc_option_is_name(option, text) ? text : "1", out);
        break;
    case RETC_OPTION_INPUTS:
        fprintf(out, "%zu", ((const retc_text_list *)option->value)->n);
        break;
    default:
        /* Blanks separate the options, so they are escaped within one. */
        for (text = *(const char *const *)option->value; text && *text; ++text)
            if (isspace((unsigned char)*text) || *text == '%')
                fprintf(out, "%%%02x", (unsigned char)*text);
            else
                fputc(*text, out);
        break;
    }
}

char *
retc_options_canonical(const retc_usage *usage, const retc_option *table) {
    char *text = NULL, *copy = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) {
        RETC_FAIL(RETC_ENOMEM, "out of memory");
        return NULL;
    }
    fprintf(out, "command=%s", usage->command);
    for (; table->type != RETC_OPTION_END; ++table)
        if (!(table->flags & RETC_OPTION_NO_EFFECT) && table->type != RETC_OPTION_OUTPUT)
            print_canonical(out, table);
    if (fclose(out) == 0)
        copy = retc_strdup(text);
    else
        RETC_FAIL(RETC_ENOMEM, "out of memory");
    free(text);
    return copy;
}

/* The table of options as help text and as a manual page. */
#include <ctype.h>
#include <string.h>

#include "options.h"
#include "provenance.h"

enum { WIDTH = 80, HELP_COLUMN = 26 };

typedef enum { PART_ARGUMENTS, PART_OPTIONS, PART_COMMON } option_part;

static option_part
part_of(const retc_option *option) {
    static const char *const common[] = {"force", "if-changed", "seed", "threads", "quiet", "no-provenance"};
    if (option->flags & RETC_OPTION_POSITIONAL)
        return PART_ARGUMENTS;
    for (size_t i = 0; i < sizeof common / sizeof *common; ++i)
        if (!strcmp(option->name, common[i]))
            return PART_COMMON;
    return PART_OPTIONS;
}

static int
has_part(const retc_option *table, option_part part) {
    for (; table->type != RETC_OPTION_END; ++table)
        if (part_of(table) == part)
            return 1;
    return 0;
}

/* Its names would not fit beside the option's. */
static int
is_long_choice(const retc_option *option) {
    return option->type == RETC_OPTION_CHOICE && strlen(option->unit) > WIDTH - 10;
}

/* What stands for a value: "N", "X", "FILE", "a|b"; "" for a flag. */
static const char *
value_name(const retc_option *option) {
    switch (option->type) {
    case RETC_OPTION_FLAG:
        return "";
    case RETC_OPTION_SIZE:
        return "N";
    case RETC_OPTION_DOUBLE:
        return "X";
    case RETC_OPTION_NUMBERS:
        return "X,X,...";
    case RETC_OPTION_TEXT:
        return "TEXT";
    case RETC_OPTION_CHOICE:
        return is_long_choice(option) ? "NAME" : option->unit;
    default:
        return option->flags & RETC_OPTION_NAMES ? "NAME|FILE" : "FILE";
    }
}

/* " [0,45,90 degrees]" */
static void
numbers_text(const retc_option *option, char *buffer, size_t size) {
    const retc_numbers *numbers = option->value;
    size_t used = 0;
    for (size_t i = 0; i < numbers->n && used < size; ++i)
        used += (size_t)snprintf(buffer + used, size - used, "%s%.10g", i ? "," : " [", numbers->value[i]);
    if (numbers->n > 0 && used < size)
        snprintf(buffer + used, size - used, "%s%s]", option->unit ? " " : "", option->unit ? option->unit : "");
}

/* " [20 ms]", " (required)" or "": what happens when the option is not given. */
static const char *
default_text(const retc_option *option, char *buffer, size_t size) {
    const char *blank = option->unit ? " " : "", *unit = option->unit ? option->unit : "", *text;
    buffer[0] = '\0';
    if (option->flags & RETC_OPTION_REQUIRED) {
        snprintf(buffer, size, " (required)");
        return buffer;
    }
    switch (option->type) {
    case RETC_OPTION_SIZE:
        snprintf(buffer, size, " [%zu%s%s]", *(const size_t *)option->value, blank, unit);
        break;
    case RETC_OPTION_DOUBLE:
        snprintf(buffer, size, " [%.10g%s%s]", *(const double *)option->value, blank, unit);
        break;
    case RETC_OPTION_NUMBERS:
        numbers_text(option, buffer, size);
        break;
    case RETC_OPTION_FLAG:
        if (*(const int *)option->value)
            snprintf(buffer, size, " [yes]");
        break;
    case RETC_OPTION_INPUTS:
        break;
    default:
        text = *(const char *const *)option->value;
        if (text)
            snprintf(buffer, size, " [%s]", text);
        break;
    }
    return buffer;
}

static void
print_upper(FILE *out, const char *name) {
    for (; *name; ++name)
        fputc(toupper((unsigned char)*name), out);
}

static void
print_synopsis(FILE *out, const retc_usage *usage, const retc_option *table) {
    fprintf(out, "retcodec %s [options]", usage->command);
    for (; table->type != RETC_OPTION_END; ++table) {
        int optional = !(table->flags & RETC_OPTION_REQUIRED);
        if (table->flags & RETC_OPTION_POSITIONAL) {
            fputs(optional ? " [" : " ", out);
            print_upper(out, table->name);
            fprintf(out, "%s%s", table->type == RETC_OPTION_INPUTS ? "..." : "", optional ? "]" : "");
        } else if (!optional) {
            fprintf(out, " --%s %s", table->name, value_name(table));
        }
    }
}

/* Break `text` at blanks so that lines end before WIDTH; the cursor stands at `column`, later lines start at `indent`. */
static void
print_wrapped(FILE *out, const char *text, size_t column, size_t indent) {
    int first = 1;
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (!first && column + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column += 1;
        }
        fwrite(text, 1, word, out);
        column += word;
        text += word;
        text += strspn(text, " \n");
        first = 0;
    }
    fputc('\n', out);
}

/* Paragraphs end at an empty line; lines that start with a blank (tables, examples) stay as they are. */
static void
print_description(FILE *out, const char *text) {
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        char *paragraph = retc_strf("%.*s", (int)length, text);
        fputc('\n', out);
        if (paragraph && paragraph[0] == ' ')
            fprintf(out, "%s\n", paragraph);
        else if (paragraph)
            print_wrapped(out, paragraph, 0, 0);
        retc_free(paragraph);
        text += length;
        text += strspn(text, "\n");
    }
}

/* Its names are too many to stand where values do. */
static int
is_bare_choice(const retc_option *option) {
    return option->flags & RETC_OPTION_POSITIONAL && option->type == RETC_OPTION_CHOICE;
}

/* ": a, b, c" of an option's names (retc_free), or NULL when they stand elsewhere or there are none. */
static char *
list_names(const retc_option *option) {
    int listed = is_bare_choice(option) || is_long_choice(option) || option->flags & RETC_OPTION_NAMES;
    char *text = listed ? retc_strdup(": ") : NULL;
    for (const char *at = option->unit; text && at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
        char *longer = retc_strf("%s%s%.*s", text, at > option->unit ? ", " : "", (int)strcspn(at, "|"), at);
        retc_free(text);
        text = longer;
    }
    return text;
}

static void
print_option(FILE *out, const retc_option *option) {
    char left[160], tail[160];
    int n;
    if (option->flags & RETC_OPTION_POSITIONAL)
        n = snprintf(left, sizeof left, "  %s%s", option->name, option->type == RETC_OPTION_INPUTS ? "..." : "");
    else
        n = snprintf(left, sizeof left, "  %c%c%c --%s%s%s", option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
                     option->letter ? ',' : ' ', option->name, option->type == RETC_OPTION_FLAG ? "" : " ", value_name(option));
    size_t column = (size_t)n < sizeof left ? (size_t)n : sizeof left - 1;
    if (option->flags & RETC_OPTION_POSITIONAL)
        for (size_t i = 0; i < column; ++i)
            left[i] = (char)toupper((unsigned char)left[i]);
    fputs(left, out);
    if (column + 2 > HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", HELP_COLUMN - (int)column, "");
    char *names = list_names(option);
    char *help = retc_strf("%s%s%s", option->help, names ? names : "", default_text(option, tail, sizeof tail));
    if (help)
        print_wrapped(out, help, HELP_COLUMN, HELP_COLUMN);
    retc_free(names);
    retc_free(help);
}

static const char *const part_title[] = {"Arguments (each also as --name=value)", "Options", "Options of every command"};

void
retc_options_help(FILE *out, const retc_usage *usage, const retc_option *table) {
    fputs("Usage: ", out);
    print_synopsis(out, usage, table);
    fprintf(out, "\n\n%s\n", usage->summary);
    print_description(out, usage->description);
    for (option_part part = PART_ARGUMENTS; part <= PART_COMMON; ++part) {
        if (!has_part(table, part))
            continue;
        fprintf(out, "\n%s:\n", part_title[part]);
        for (const retc_option *option = table; option->type != RETC_OPTION_END; ++option)
            if (part_of(option) == part)
                print_option(out, option);
    }
    fprintf(out, "\nExample:\n  %s\n", usage->example);
}

/* Text for roff: backslashes and hyphens escaped, no control character at the start of a line. */
static void
print_roff(FILE *out, const char *text) {
    int line_start = 1;
    for (; *text; ++text) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void
print_roff_description(FILE *out, const char *text) {
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t length = end ? (size_t)(end - text) : strlen(text);
        char *paragraph = retc_strf("%.*s", (int)length, text);
        int verbatim = text[0] == ' ';
        fputs(verbatim ? ".PP\n.nf\n" : ".PP\n", out);
        if (paragraph)
            print_roff(out, paragraph);
        fputs(verbatim ? "\n.fi\n" : "\n", out);
        retc_free(paragraph);
        text += length;
        text += strspn(text, "\n");
    }
}

static void
print_roff_option(FILE *out, const retc_option *option) {
    char tail[160];
    fputs(".TP\n", out);
    if (option->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", out);
    print_roff(out, option->name);
    fputs("\\fR", out);
    if (is_bare_choice(option)) {
        fputs("=\\fI", out);
        print_upper(out, option->name);
        fputs("\\fR", out);
    } else if (option->type != RETC_OPTION_FLAG) {
        fputs("=\\fI", out);
        print_roff(out, value_name(option));
        fputs("\\fR", out);
    }
    fputs("\n", out);
    char *names = list_names(option);
    print_roff(out, option->help);
    if (names)
        print_roff(out, names);
    retc_free(names);
    print_roff(out, default_text(option, tail, sizeof tail));
    fputs(".\n", out);
}

void
retc_options_man(FILE *out, const retc_usage *usage, const retc_option *table) {
    fputs(".TH RETCODEC\\-", out);
    print_upper(out, usage->command);
    fprintf(out, " 1 \"\" \"%s\" \"User commands\"\n.SH NAME\nretcodec\\-%s \\- ", retc_version(), usage->command);
    print_roff(out, usage->summary);
    fputs("\n.SH SYNOPSIS\n.B ", out);
    print_synopsis(out, usage, table);
    fputs("\n.SH DESCRIPTION\n", out);
    print_roff_description(out, usage->description);
    for (option_part part = PART_ARGUMENTS; part <= PART_COMMON; ++part) {
        static const char *const titles[] = {"ARGUMENTS", "OPTIONS", "OPTIONS OF EVERY COMMAND"};
        if (!has_part(table, part))
            continue;
        fprintf(out, ".SH \"%s\"\n", titles[part]);
        if (part == PART_ARGUMENTS)
            fputs("Each is given bare, in this order, or by its name.\n", out);
        for (const retc_option *option = table; option->type != RETC_OPTION_END; ++option)
            if (part_of(option) == part)
                print_roff_option(out, option);
    }
    fputs(".SH EXAMPLE\n.nf\n", out);
    print_roff(out, usage->example);
    fputs("\n.fi\n.SH \"EXIT STATUS\"\n0 done, 1 failed, 2 wrong usage, 3 ran to its end but did not converge.\n"
          ".SH \"SEE ALSO\"\n.BR retcodec (1)\n",
          out);
}

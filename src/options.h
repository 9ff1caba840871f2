/* One table of options per command drives parsing, help, the manual page, configuration files and provenance.
 *
 * Every entry can be given as --name=value or --name value; entries marked positional also take the bare arguments, in
 * table order.  Numbers are read strictly: the whole text, in range, finite. */
#ifndef RETC_OPTIONS_H
#define RETC_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_OPTION_FLAG,    /* int; --name, or --name=yes and --name=no */
    RETC_OPTION_SIZE,    /* size_t */
    RETC_OPTION_DOUBLE,  /* double */
    RETC_OPTION_NUMBERS, /* retc_numbers: one or more numbers with commas between them, 0,45,90 */
    RETC_OPTION_TEXT,    /* const char * (borrowed from argv) */
    RETC_OPTION_CHOICE,  /* const char *, one of `choices` */
    RETC_OPTION_INPUT,   /* const char *, a file that is read: its digest goes into provenance */
    RETC_OPTION_INPUTS,  /* retc_text_list, several such files; takes all bare arguments that are left */
    RETC_OPTION_OUTPUT,  /* const char *, the file that is written */
    RETC_OPTION_END
} retc_option_type;

enum { RETC_MOST_NUMBERS = 64 };

typedef struct {
    size_t n;
    double value[RETC_MOST_NUMBERS];
} retc_numbers;

typedef struct {
    size_t n;
    const char **text; /* borrowed pointers into argv; the array is freed by retc_options_free */
} retc_text_list;

enum {
    RETC_OPTION_REQUIRED = 1,
    RETC_OPTION_POSITIONAL = 2,
    RETC_OPTION_STREAM = 16,  /* text that names what can be read but once, a pipe: where it is given nothing is up to date */
    RETC_OPTION_NAMES = 32,   /* an input may be one of the names in `unit` ("a|b|c") in place of a file */
    RETC_OPTION_FOLDERS = 8,  /* an input may be a folder, which stands for the files in it */
    RETC_OPTION_NO_EFFECT = 4 /* cannot change the result (threads, quiet): left out of the canonical options */
};

typedef struct {
    const char *name; /* long name without dashes */
    char letter;      /* short form, 0 for none */
    retc_option_type type;
    int flags;
    void *value;      /* where the value goes; what it holds before parsing is the default */
    double min, max;  /* allowed range of numbers, both ends included; min == max == 0 means any */
    const char *unit; /* unit of a number, "a|b|c" for a choice or the names of an input, NULL for none */
    const char *help; /* one sentence */
} retc_option;

typedef struct {
    const char *command;     /* "fit" */
    const char *summary;     /* one line */
    const char *description; /* paragraphs, plain text */
    const char *example;     /* a command line that works */
} retc_usage;

/* Options every command has; their table entries come with RETC_COMMON_OPTIONS. */
typedef struct {
    const char *output;
    int force, if_changed, quiet, no_provenance;
    int makes_folder; /* the output is a folder of files; set by the command */
    size_t threads;   /* 0: all processors */
    size_t seed;
} retc_common;

#define RETC_COMMON_OUTPUT(common, what)                                                                                       \
    { "output", 'o', RETC_OPTION_OUTPUT, RETC_OPTION_REQUIRED, &(common).output, 0, 0, NULL, what }
#define RETC_COMMON_OPTIONS(common)                                                                                            \
    {"force", 'f', RETC_OPTION_FLAG, RETC_OPTION_NO_EFFECT, &(common).force, 0, 0, NULL, "replace an output that exists"},     \
        {"if-changed",                                                                                                         \
         0,                                                                                                                    \
         RETC_OPTION_FLAG,                                                                                                     \
         RETC_OPTION_NO_EFFECT,                                                                                                \
         &(common).if_changed,                                                                                                 \
         0,                                                                                                                    \
         0,                                                                                                                    \
         NULL,                                                                                                                 \
         "do nothing when the output was made by this version from the same inputs and options"},                              \
        {"seed", 0, RETC_OPTION_SIZE, 0, &(common).seed, 0, 4294967295.0, NULL, "seed of all random numbers"},                 \
        {"threads",                                                                                                            \
         0,                                                                                                                    \
         RETC_OPTION_SIZE,                                                                                                     \
         RETC_OPTION_NO_EFFECT,                                                                                                \
         &(common).threads,                                                                                                    \
         0,                                                                                                                    \
         1024,                                                                                                                 \
         NULL,                                                                                                                 \
         "threads; 0 takes every processor"},                                                                                  \
        {"quiet", 'q', RETC_OPTION_FLAG, RETC_OPTION_NO_EFFECT, &(common).quiet, 0, 0, NULL, "no progress and no summary"}, {  \
        "no-provenance", 0, RETC_OPTION_FLAG, 0, &(common).no_provenance, 0, 0, NULL, "leave out how the file was made"        \
    }

#define RETC_OPTIONS_END                                                                                                       \
    { NULL, 0, RETC_OPTION_END, 0, NULL, 0, 0, NULL, NULL }

/* Parse argv[1...] into the table's values.  RETC_OK, or 1 when help was asked for and printed to stdout (--help as text,
 * --help=man as a manual page), or RETC_EUSAGE with a reason. */
int retc_options_parse(const retc_usage *usage, const retc_option *table, int argc, char **argv) RETC_USED;

/* Is `text` one of the names that an option knows, a choice or with RETC_OPTION_NAMES, and no file? */
int retc_option_is_name(const retc_option *option, const char *text);

/* Free the lists that parsing made. */
void retc_options_free(const retc_option *table);

/* "command=fit name=value name=value ..." of every option that can change the result; of input files only how many were
 * given, as their names do not matter; retc_free. */
char *retc_options_canonical(const retc_usage *usage, const retc_option *table);

/* Help text, and the same as a manual page (roff). */
void retc_options_help(FILE *out, const retc_usage *usage, const retc_option *table);
void retc_options_man(FILE *out, const retc_usage *usage, const retc_option *table);

/* The name nearest to a mistyped one (borrowed), or NULL when none is near. */
const char *retc_nearest_name(const char *mistyped, const char *const *names, size_t n);

/* Strict numbers, also used by the text readers: the whole of `text` is one finite number, or up to RETC_MOST_NUMBERS of them
 * with commas between. */
int retc_parse_double(const char *text, double *value) RETC_USED;
int retc_parse_size(const char *text, size_t *value) RETC_USED;
int retc_parse_numbers(const char *text, retc_numbers *numbers) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

/* Parsing of command lines: what is taken, what is refused and in which words, help and manual page. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "provenance.h"
#include "testing.h"

/* A command with every kind of option. */
static struct {
    const char *recording, *model, *name, *weights, *output;
    retc_text_list extra;
    retc_numbers angles;
    size_t epochs, seed, any;
    double rate, decay;
    int fast, force;
} value;

static const retc_usage usage = {
    "fit",
    "Fit a model",
    "First paragraph that is long enough to be wrapped, as it has more than eighty characters in all.\n\n"
    "  kept = as it is\n"
    "  second line",
    "retcodec fit recording.h5 -o model.h5",
};

static const retc_option table[] = {
    {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &value.recording, 0, 0, NULL,
     "a recording"},
    {"model", 'm', RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL, &value.model, 0, 0, "ln|lnln|cnn", "kind of model"},
    {"extra", 0, RETC_OPTION_INPUTS, RETC_OPTION_POSITIONAL, &value.extra, 0, 0, NULL, "more recordings"},
    {"output", 'o', RETC_OPTION_OUTPUT, RETC_OPTION_REQUIRED, &value.output, 0, 0, NULL, "the model"},
    {"epochs", 'e', RETC_OPTION_SIZE, 0, &value.epochs, 1, 100000, NULL, "passes over the data"},
    {"any", 0, RETC_OPTION_SIZE, 0, &value.any, 0, 0, NULL, "any number"},
    {"rate", 0, RETC_OPTION_DOUBLE, 0, &value.rate, -1, 1000, "Hz", "a rate"},
    {"decay", 0, RETC_OPTION_DOUBLE, 0, &value.decay, 0, (double)INFINITY, "s", "a time"},
    {"angles", 0, RETC_OPTION_NUMBERS, 0, &value.angles, -360, 360, "degrees", "directions"},
    {"name", 0, RETC_OPTION_TEXT, 0, &value.name, 0, 0, NULL, "a name"},
    {"weights", 0, RETC_OPTION_INPUT, 0, &value.weights, 0, 0, NULL, "where to start"},
    {"fast", 0, RETC_OPTION_FLAG, 0, &value.fast, 0, 0, NULL, "be fast"},
    {"seed", 0, RETC_OPTION_SIZE, 0, &value.seed, 0, 4294967295.0, NULL, "seed"},
    {"force", 'f', RETC_OPTION_FLAG, RETC_OPTION_NO_EFFECT, &value.force, 0, 0, NULL, "replace"},
    RETC_OPTIONS_END,
};

static void
set_defaults(void) {
    retc_options_free(table);
    memset(&value, 0, sizeof value);
    value.model = "cnn";
    value.epochs = 20;
    value.rate = 2.5;
    value.angles = (retc_numbers){2, {0, 22.5}};
}

/* Parse "fit <line>", split at blanks. */
static int
parse(const char *line) {
    static char words[512];
    static char *argument[32];
    int n = 0;
    set_defaults();
    snprintf(words, sizeof words, "fit %s", line);
    for (char *word = strtok(words, " "); word && n < 31; word = strtok(NULL, " "))
        argument[n++] = word;
    argument[n] = NULL;
    return retc_options_parse(&usage, table, n, argument);
}

START_TEST(test_takes) {
    ck_assert_int_eq(parse("a.h5 -o m.h5"), RETC_OK);
    ck_assert_str_eq(value.recording, "a.h5");
    ck_assert_str_eq(value.output, "m.h5");
    ck_assert_str_eq(value.model, "cnn");
    ck_assert_uint_eq(value.epochs, 20);
    ck_assert_int_eq(parse("-o m.h5 --epochs=7 a.h5 ln --rate -0.5 b.h5 c.h5 --fast -f --name=x=y --decay 1e3"), RETC_OK);
    ck_assert_str_eq(value.model, "ln");
    ck_assert_uint_eq(value.extra.n, 2);
    ck_assert_str_eq(value.extra.text[0], "b.h5");
    ck_assert_str_eq(value.extra.text[1], "c.h5");
    ck_assert_uint_eq(value.epochs, 7);
    ck_assert(value.rate == -0.5 && value.decay == 1000);
    ck_assert(value.fast == 1 && value.force == 1);
    ck_assert_str_eq(value.name, "x=y");
}
END_TEST

START_TEST(test_positionals_by_name) {
    ck_assert_int_eq(parse("--recording=a.h5 --model=lnln --extra=b.h5 --extra=c.h5 --output=m.h5"), RETC_OK);
    ck_assert_str_eq(value.recording, "a.h5");
    ck_assert_str_eq(value.model, "lnln");
    ck_assert_uint_eq(value.extra.n, 2);
    /* What is named leaves its place to the next. */
    ck_assert_int_eq(parse("--recording=a.h5 ln b.h5 -o m.h5"), RETC_OK);
    ck_assert_str_eq(value.model, "ln");
    ck_assert_uint_eq(value.extra.n, 1);
    ck_assert_int_eq(parse("-o m.h5 -- --odd"), RETC_OK);
    ck_assert_str_eq(value.recording, "--odd");
}
END_TEST

START_TEST(test_flags_say_yes_or_no) {
    ck_assert_int_eq(parse("a -o m --fast=yes"), RETC_OK);
    ck_assert_int_eq(value.fast, 1);
    ck_assert_int_eq(parse("a -o m --fast --fast=no"), RETC_OK);
    ck_assert_int_eq(value.fast, 0);
}
END_TEST

START_TEST(test_lists_of_numbers) {
    ck_assert_int_eq(parse("a -o m"), RETC_OK);
    ck_assert_uint_eq(value.angles.n, 2);
    ck_assert_int_eq(parse("a -o m --angles -45,0.5,3e1"), RETC_OK);
    ck_assert_uint_eq(value.angles.n, 3);
    ck_assert(value.angles.value[0] == -45 && value.angles.value[1] == 0.5 && value.angles.value[2] == 30);
    char *canonical = retc_options_canonical(&usage, table);
    ck_assert_ptr_nonnull(strstr(canonical, " angles=-45,0.5,30 "));
    retc_free(canonical);
    char many[2 * RETC_MOST_NUMBERS + 2] = "";
    for (size_t i = 0; i < RETC_MOST_NUMBERS; ++i)
        strcat(many, i ? ",1" : "1");
    ck_ok(retc_parse_numbers(many, &value.angles));
    ck_assert_uint_eq(value.angles.n, RETC_MOST_NUMBERS);
    strcat(many, ",2");
    ck_fails(retc_parse_numbers(many, &value.angles), "more than 64 numbers");
    ck_assert(value.angles.value[RETC_MOST_NUMBERS - 1] == 1);
}
END_TEST

static const struct {
    const char *line, *reason;
} refused[] = {
    {"a -o m --epochs 12x", "--epochs: \"12x\" is not a whole number (1 to 100000)"},
    {"a -o m --epochs=-3", "--epochs: \"-3\" is not a whole number (1 to 100000)"},
    {"a -o m --epochs=1.5", "--epochs: \"1.5\" is not a whole number (1 to 100000)"},
    {"a -o m --epochs=", "--epochs: \"\" is not a whole number (1 to 100000)"},
    {"a -o m --epochs 0", "--epochs: 0 is out of range (1 to 100000)"},
    {"a -o m --epochs 100001", "--epochs: 100001 is out of range (1 to 100000)"},
    {"a -o m --any 99999999999999999999999", "--any: \"99999999999999999999999\" is not a whole number"},
    {"a -o m --rate 1000.5", "--rate: 1000.5 is out of range (-1 to 1000 Hz)"},
    {"a -o m --rate nan", "--rate: \"nan\" is not a number (-1 to 1000 Hz)"},
    {"a -o m --rate 1e999", "--rate: \"1e999\" is not a number (-1 to 1000 Hz)"},
    {"a -o m --rate 0x10", "--rate: \"0x10\" is not a number (-1 to 1000 Hz)"},
    {"a -o m --rate 1,5", "--rate: \"1,5\" is not a number (-1 to 1000 Hz)"},
    {"a -o m --angles=1,x", "--angles: \"1,x\" is not a list of at most 64 numbers, as 0,45,90 (-360 to 360 degrees)"},
    {"a -o m --angles=1,,2", "--angles: \"1,,2\" is not a list of at most 64 numbers, as 0,45,90 (-360 to 360 degrees)"},
    {"a -o m --angles=", "--angles: \"\" is not a list of at most 64 numbers, as 0,45,90 (-360 to 360 degrees)"},
    {"a -o m --angles=1,2,", "--angles: \"1,2,\" is not a list of at most 64 numbers, as 0,45,90 (-360 to 360 degrees)"},
    {"a -o m --angles=nan", "--angles: \"nan\" is not a list of at most 64 numbers, as 0,45,90 (-360 to 360 degrees)"},
    {"a -o m --angles 1,361", "--angles: 361 is out of range (-360 to 360 degrees)"},
    {"a -o m --decay -1", "--decay: -1 is out of range (0 s or more)"},
    {"a -o m --model cn", "--model: \"cn\" is not one of ln|lnln|cnn"},
    {"a ln|lnln -o m", "--model: \"ln|lnln\" is not one of ln|lnln|cnn"},
    {"a -o m --fast=maybe", "--fast: \"maybe\" is neither yes nor no"},
    {"a -o m --epoch 3 --epochs 4", "--epochs is given twice"},
    {"a -o m --recording=b --recording=c", "--recording is given twice"},
    {"a -o m --epcohs 4", "there is no option --epcohs; did you mean --epochs?"},
    {"a -o m --wieghts=4", "there is no option --wieghts; did you mean --weights?"},
    {"a -o m --hlep", "there is no option --hlep; did you mean --help?"},
    {"a -o m --zzzzzz", "there is no option --zzzzzz (--help lists them)"},
    {"a -o m --f", "--f is short for more than one option (--help lists them)"},
    {"a -o m -z", "there is no option -z (--help lists them)"},
    {"a -o", "-o needs a value"},
    {"a -o m --rate", "--rate needs a value"},
    {"a", "--output is missing: the model"},
    {"-o m", "--recording is missing: a recording"},
    {"a --output=", "--output: the name of a file is empty"},
};

START_TEST(test_refuses) {
    ck_assert_int_eq(parse(refused[_i].line), RETC_EUSAGE);
    ck_assert_str_eq(retc_error_message(), refused[_i].reason);
}
END_TEST

START_TEST(test_too_many_arguments) {
    const char *name = NULL;
    const retc_option one[] = {
        {"name", 0, RETC_OPTION_TEXT, RETC_OPTION_POSITIONAL, &name, 0, 0, NULL, "a name"},
        RETC_OPTIONS_END,
    };
    char words[] = "help\0a\0b", *arguments[] = {words, words + 5, words + 7, NULL};
    ck_assert_int_eq(retc_options_parse(&usage, one, 3, arguments), RETC_EUSAGE);
    ck_assert_str_eq(retc_error_message(), "\"b\" is one argument too many");
}
END_TEST

START_TEST(test_canonical) {
    char *text;
    ck_assert_int_eq(parse("a.h5 -o m.h5 --rate 0.1 --decay 0.30000000000000004 --name=x -f"), RETC_OK);
    text = retc_options_canonical(&usage, table);
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(
        text,
        "command=fit recording=1 model=cnn extra=0 epochs=20 any=0 rate=0.1 decay=0.30000000000000004 angles=0,22.5 name=x "
        "weights=0 fast=no seed=0");
    retc_free(text);
    value.name = "two words\n100%";
    text = retc_options_canonical(&usage, table);
    ck_assert_ptr_nonnull(strstr(text, " name=two%20words%0a100%25 "));
    retc_free(text);
}
END_TEST

/* What the help or the manual page of the table says (free). */
static char *
printed(void (*print)(FILE *, const retc_usage *, const retc_option *)) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    set_defaults();
    print(out, &usage, table);
    fclose(out);
    return text;
}

START_TEST(test_help) {
    char *text = printed(retc_options_help);
    static const char *const parts[] = {
        "Usage: retcodec fit [options] RECORDING [MODEL] [EXTRA...] --output FILE\n",
        "has more than eighty\ncharacters in all.\n",
        "\n  kept = as it is\n  second line\n",
        "  RECORDING               a recording (required)\n",
        "kind of model: ln, lnln, cnn [cnn]\n",
        "  -e, --epochs N          passes over the data [20]\n",
        "      --rate X            a rate [2.5 Hz]\n",
        "      --angles X,X,...    directions [0,22.5 degrees]\n",
        "      --fast              be fast\n",
        "\nOptions of every command:\n      --seed N",
        "\nExample:\n  retcodec fit recording.h5 -o model.h5\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
        ck_assert_msg(strstr(text, parts[i]), "\"%s\" is not in\n%s", parts[i], text);
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
        ck_assert_msg(end - line <= 80, "%.*s", (int)(end - line), line);
    free(text);
}
END_TEST

START_TEST(test_manual_page) {
    char *text = printed(retc_options_man);
    static const char *const parts[] = {
        ".TH RETCODEC\\-FIT 1 \"\" \"retcodec ",
        ".SH NAME\nretcodec\\-fit \\- Fit a model\n",
        ".PP\n.nf\n  kept = as it is\n  second line\n.fi\n",
        ".TP\n\\fB\\-e\\fR, \\fB\\-\\-epochs\\fR=\\fIN\\fR\npasses over the data [20].\n",
        ".SH EXAMPLE\n.nf\nretcodec fit recording.h5 \\-o model.h5\n.fi\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
        ck_assert_msg(strstr(text, parts[i]), "\"%s\" is not in\n%s", parts[i], text);
    free(text);
}
END_TEST

/* A line that roff would take for a request, and a backslash. */
START_TEST(test_manual_page_escapes) {
    const retc_usage odd = {"odd", ".PP", "'quote\n.br \\n", ".x"};
    const retc_option none[] = {RETC_OPTIONS_END};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    retc_options_man(out, &odd, none);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, ".PP\n\\&'quote\n\\&.br \\en\n"));
    ck_assert_ptr_nonnull(strstr(text, ".nf\n\\&.x\n.fi\n"));
    free(text);
}
END_TEST

/* Help is printed to stdout, also when the rest of the line is wrong; and nothing is set. */
START_TEST(test_help_wins) {
    const char *path = retc_test_path("help.txt");
    char line[128] = "";
    fflush(stdout);
    int before = dup(STDOUT_FILENO), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert(before >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
    int status = parse("--epochs 7 --nonsense --help");
    fflush(stdout);
    ck_assert(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
    close(file);
    ck_assert_int_eq(status, 1);
    ck_assert_uint_eq(value.epochs, 20);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, in));
    fclose(in);
    ck_assert(!strncmp(line, "Usage: retcodec fit", 19));
}
END_TEST

START_TEST(test_numbers) {
    double x = 7;
    size_t n = 7;
    ck_assert_int_eq(retc_parse_double("-1.25e-3", &x), RETC_OK);
    ck_assert(x == -1.25e-3);
    ck_assert_int_eq(retc_parse_double("1e-320", &x), RETC_OK); /* denormal, but a number */
    ck_assert_int_eq(retc_parse_size("18446744073709551615", &n), RETC_OK);
    ck_assert(n == SIZE_MAX);
    x = 7;
    n = 7;
    ck_fails(retc_parse_double("", &x), "\"\" is not a number");
    ck_fails(retc_parse_double(" 1", &x), "\" 1\" is not a number");
    ck_fails(retc_parse_double("1 ", &x), "\"1 \" is not a number");
    ck_fails(retc_parse_double("1.2.3", &x), "\"1.2.3\" is not a number");
    ck_fails(retc_parse_double("e5", &x), "\"e5\" is not a number");
    ck_fails(retc_parse_double("inf", &x), "\"inf\" is not a number");
    ck_fails(retc_parse_double("-1e400", &x), "\"-1e400\" is too large");
    ck_fails(retc_parse_size("", &n), "\"\" is not a whole number");
    ck_fails(retc_parse_size("+1", &n), "\"+1\" is not a whole number");
    ck_fails(retc_parse_size("18446744073709551616", &n), "is too large for a whole number");
    ck_assert(x == 7 && n == 7);
}
END_TEST

START_TEST(test_nearest_name) {
    static const char *const names[] = {"fit", "figure", "predict", "contribute"};
    ck_assert_str_eq(retc_nearest_name("fti", names, 4), "fit"); /* swapped */
    ck_assert_str_eq(retc_nearest_name("figur", names, 4), "figure");
    ck_assert_str_eq(retc_nearest_name("contribution", names, 4), "contribute");
    ck_assert_ptr_null(retc_nearest_name("banana", names, 4));
    ck_assert_ptr_null(retc_nearest_name("x", names, 4));
    ck_assert_ptr_null(retc_nearest_name("fit", names, 0));
}
END_TEST

/* As many options as the parser holds, and one more. */
START_TEST(test_table_too_long) {
    enum { MANY = 97 };
    static retc_option many[MANY + 1];
    static char names[MANY][8];
    int flag;
    char word[] = "fit", *arguments[] = {word, NULL};
    for (size_t i = 0; i < MANY; ++i) {
        snprintf(names[i], sizeof names[i], "o%zu", i);
        many[i] = (retc_option){names[i], 0, RETC_OPTION_FLAG, 0, &flag, 0, 0, NULL, ""};
    }
    many[MANY] = (retc_option)RETC_OPTIONS_END;
    ck_fails(retc_options_parse(&usage, many, 1, arguments), "fit has more than 96 options");
    many[MANY - 1] = (retc_option)RETC_OPTIONS_END;
    ck_ok(retc_options_parse(&usage, many, 1, arguments));
}
END_TEST

static Suite *
options_suite(void) {
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_takes);
    tcase_add_test(tcase, test_positionals_by_name);
    tcase_add_test(tcase, test_flags_say_yes_or_no);
    tcase_add_test(tcase, test_lists_of_numbers);
    tcase_add_loop_test(tcase, test_refuses, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tcase, test_too_many_arguments);
    tcase_add_test(tcase, test_canonical);
    tcase_add_test(tcase, test_help);
    tcase_add_test(tcase, test_manual_page);
    tcase_add_test(tcase, test_manual_page_escapes);
    tcase_add_test(tcase, test_help_wins);
    tcase_add_test(tcase, test_numbers);
    tcase_add_test(tcase, test_nearest_name);
    tcase_add_test(tcase, test_table_too_long);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(options_suite(), NULL);
}

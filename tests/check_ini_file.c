/* What the reader of INI files passes on: sections, settings, comments, quotes, values of several lines, and what it refuses.
 */
#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "testing.h"

/* What came, in one text: "[section]", "key=value", "+value" for a further line, each with its line and a bar. */
typedef struct {
    char text[2048];
} heard;

static int
section(void *context, const char *name, size_t line) {
    heard *h = context;
    snprintf(h->text + strlen(h->text), sizeof h->text - strlen(h->text), "%zu[%s]|", line, name);
    return strcmp(name, "no") ? RETC_OK : RETC_FAIL(RETC_EUSAGE, "there is no such section");
}

static int
setting(void *context, const char *key, const char *value, size_t line) {
    heard *h = context;
    snprintf(h->text + strlen(h->text), sizeof h->text - strlen(h->text), "%zu%s=%s|", line, key, value);
    return strcmp(value, "no") ? RETC_OK : RETC_FAIL(RETC_EUSAGE, "is wrong");
}

static int
more(void *context, const char *value, size_t line) {
    heard *h = context;
    snprintf(h->text + strlen(h->text), sizeof h->text - strlen(h->text), "%zu+%s|", line, value);
    return strcmp(value, "no") ? RETC_OK : RETC_FAIL(RETC_EUSAGE, "is wrong");
}

static int
read_text(const char *text, int takes_lines, heard *h) {
    const retc_ini_handler handler = {section, setting, takes_lines ? more : NULL};
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    ck_assert_ptr_nonnull(in);
    *h = (heard){""};
    int status = retc_ini_read_stream(in, "x.ini", &handler, h);
    fclose(in);
    return status;
}

static const struct {
    const char *text, *heard;
} fine[] = {
    {"[a]\nk = v\n", "1[a]|2k=v|"},
    {"\xEF\xBB\xBF[a]\r\nk: v \r\n", "1[a]|2k=v|"},                       /* a mark of UTF-8, DOS lines, a colon */
    {"; c\n# c\n\n[a]\n[b]\nk=\n[a]\nk=1\n", "4[a]|5[b]|6k=|7[a]|8k=1|"}, /* comments, sections without keys or twice */
    {"[a]\nk = v # c\nl = v#d\nm = # c\n", "1[a]|2k=v|3l=v#d|4m=|"},      /* only behind a blank */
    {"[a]\nk = v ; c\nl = v;d\n", "1[a]|2k=v|3l=v;d|"},                   /* as inih has it */
    {"[a]\nk = \"v # w\" # c\nl = 'it # s' x # c\n", "1[a]|2k=\"v # w\"|3l='it # s' x|"},
    {"[a]\nk = it's # c\nl = \"x 'y # z\" # c\n", "1[a]|2k=it's|3l=\"x 'y # z\"|"}, /* one quote is none; quotes in quotes */
    {"[a]\nk = 1 # c\n  2 # d\n\t3\nl = 4\n", "1[a]|2k=1|3+2|4+3|5l=4|"},           /* further lines */
    {"[a]\nk = 1\n\n  # c\n  2\n", "1[a]|2k=1|5+2|"},                               /* gaps and comments between them */
    {"[a]\nk = 1\n  l = 2\n", "1[a]|2k=1|3+l = 2|"},                                /* is no setting of its own */
    {"[a]\n  k = 1\n[b]\n  l = 2\n  3\n", "1[a]|2k=1|3[b]|4l=2|5+3|"},              /* but there is none above it */
    {"[a]\nk = 1", "1[a]|2k=1|"},                                                   /* no end of the last line */
};
enum { FINE = sizeof fine / sizeof *fine };

START_TEST(is_passed_on) {
    heard h;
    ck_ok(read_text(fine[_i].text, 1, &h));
    ck_assert_str_eq(h.text, fine[_i].heard);
}
END_TEST

static const struct {
    const char *text, *reason;
    int takes_lines;
} wrong[] = {
    {"k = 1\n", "x.ini:1: \"k\" stands before the first [section]", 1},
    {" [a]\nk = 1\n", "x.ini:2: the line of [a] should start with its bracket, not with a blank", 1},
    {"[a]\n [b]\nk = 1\n", "x.ini:3: the line of [b] should start with its bracket, not with a blank", 1},
    {"[a]\nword\n", "x.ini:2: neither [section] nor key = value", 1},
    {"[a]\nk = no\n", "x.ini:2: [a] k: is wrong", 1},
    {"[a]\nk = 1\n  no\n", "x.ini:3: [a] k: is wrong", 1},
    {"[a]\n[no]\n", "x.ini:2: there is no such section", 1},
    {"[a]\nk = 1\n  l = 2\n", "x.ini:3: [a] k: has one line only; what follows it should not start with a blank", 0},
    {"[a]\nk = \x01\n", "x.ini:2: this is not a text file", 1},
    {"[aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee]\n", "x.ini:1: the name of the section has more than 49 characters",
     1},
};
enum { WRONG = sizeof wrong / sizeof *wrong };

START_TEST(is_refused) {
    heard h;
    ck_fails(read_text(wrong[_i].text, wrong[_i].takes_lines, &h), wrong[_i].reason);
}
END_TEST

/* Lines that inih would break in two: refused, or cut where they are comments; the longest that fits is whole. */
START_TEST(long_lines) {
    char text[600];
    heard h;
    snprintf(text, sizeof text, "[a]\nk = %0194d\n", 7);
    ck_ok(read_text(text, 0, &h));
    ck_assert(strlen(h.text) == strlen("1[a]|2k=|") + 194);
    snprintf(text, sizeof text, "[a]\nk = %0195d\n", 7);
    ck_fails(read_text(text, 0, &h), "x.ini:2: the line is longer than 198 characters");
    ck_assert_ptr_null(strstr(retc_error_message(), "go on"));
    ck_fails(read_text(text, 1, &h),
             "x.ini:2: the line is longer than 198 characters; go on in a line that starts with a blank");
    snprintf(text, sizeof text, "[a]\n# %0400d\nk = 1\n", 7);
    ck_ok(read_text(text, 1, &h));
    ck_assert_str_eq(h.text, "1[a]|3k=1|");
}
END_TEST

START_TEST(no_file) {
    const retc_ini_handler handler = {section, setting, more};
    heard h;
    ck_fails(retc_ini_read(retc_test_path("nowhere.ini"), &handler, &h), "nowhere.ini: No such file or directory");
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("ini files");
    TCase *tcase = tcase_create("ini files");
    tcase_add_loop_test(tcase, is_passed_on, 0, FINE);
    tcase_add_loop_test(tcase, is_refused, 0, WRONG);
    tcase_add_test(tcase, long_lines);
    tcase_add_test(tcase, no_file);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}

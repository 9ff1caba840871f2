/* Tables of layers as text: reading and printing. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "architecture.h"
#include "ini_file.h"
#include "options.h"

#define ON(kind) (1u << RETC_PLAN_##kind)
enum {
    CONVOLUTIONS = ON(CONV) | ON(STACKED) | ON(SEPARABLE) | ON(DENSE) | ON(FACTORISED),
    WITH_KERNEL = ON(CONV) | ON(STACKED) | ON(SEPARABLE),
    POOLS = ON(MAXPOOL) | ON(AVGPOOL)
};

typedef enum { CHANNELS, EXTENT, YES_NO, NUMBER, RATE, NAME } value_type;

typedef struct {
    const char *key;
    unsigned kinds, required; /* bits of the kinds that have it, and that must say it */
    value_type type;
    size_t offset;
    double min, max;
    const char *meaning;
} parameter;

#define AT(field) offsetof(retc_layer_plan, field)
static const parameter parameters[] = {
    {"channels", CONVOLUTIONS, WITH_KERNEL, CHANNELS, AT(channels), 1, 4096, "number, or cells: one per cell"},
    {"kernel", WITH_KERNEL, WITH_KERNEL, EXTENT, AT(kernel), 1, 4096, "side, rows x columns, or map: the whole map"},
    {"window", POOLS, POOLS, EXTENT, AT(kernel), 1, 4096, "side, or rows x columns; windows do not overlap"},
    {"bias", CONVOLUTIONS, 0, YES_NO, AT(bias), 0, 1, "yes or no"},
    {"per-unit", ON(BATCHNORM), 0, YES_NO, AT(per_unit), 0, 1, "yes: statistics of each unit; no: of each channel"},
    {"absolute", ON(BATCHNORM), 0, YES_NO, AT(absolute), 0, 1, "yes: the absolute value of the scale is used"},
    {"eps", ON(BATCHNORM), 0, NUMBER, AT(eps), 0, 1, "added to the variance"},
    {"sigma", ON(NOISE), ON(NOISE), NUMBER, AT(sigma), 0, 100, "standard deviation while training, in units of the input"},
    {"from", ON(RESIDUAL), ON(RESIDUAL), NAME, AT(from), 0, 0, "name of the layer whose output is added, its middle"},
    {"one-hot", ON(GRAB), 0, YES_NO, AT(one_hot), 0, 1, "yes: stored as a map of weights per cell, as RetinotopicModel does"},
    {"hz", ON(SCALE), 0, RATE, AT(hz), 1e-6, 1e6, "Hz per unit, or mean: the mean rate of all cells"},
    {"offset", ON(SCALE), 0, NUMBER, AT(offset), -1e6, 1e6, "Hz, added"},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static const struct {
    const char *name, *meaning;
} kinds[RETC_PLAN_KINDS] = {
    [RETC_PLAN_CONV] = {"conv", "convolution, without padding"},
    [RETC_PLAN_STACKED] = {"stacked", "convolution, trained as a chain of linear 3 x 3 convolutions"},
    [RETC_PLAN_SEPARABLE] = {"separable", "convolution, every kernel one map times one weight per channel or frame"},
    [RETC_PLAN_DENSE] = {"dense", "every unit sees all of the map"},
    [RETC_PLAN_FACTORISED] = {"factorised", "dense, with one weight per channel and one per position"},
    [RETC_PLAN_BATCHNORM] = {"batchnorm", "(x - mean) / sqrt(variance + eps) * weight + bias"},
    [RETC_PLAN_NOISE] = {"noise", "Gaussian noise is added, in training only"},
    [RETC_PLAN_RELU] = {"relu", "max(x, 0)"},
    [RETC_PLAN_SOFTPLUS] = {"softplus", "log(1 + exp x)"},
    [RETC_PLAN_EXP] = {"exp", "exp x"},
    [RETC_PLAN_TANH] = {"tanh", "tanh x"},
    [RETC_PLAN_SIGMOID] = {"sigmoid", "1 / (1 + exp -x)"},
    [RETC_PLAN_MAXPOOL] = {"maxpool", "the largest value of every window"},
    [RETC_PLAN_AVGPOOL] = {"avgpool", "the mean of every window"},
    [RETC_PLAN_RESIDUAL] = {"residual", "adds the output of an earlier layer"},
    [RETC_PLAN_GRAB] = {"grab", "one position of its own channel per cell, found from the recording"},
    [RETC_PLAN_AVERAGE] = {"average",
                           "every channel averaged over its positions, with weights that are trained (torch: OneHot)"},
    [RETC_PLAN_SCALE] = {"scale", "rate = hz * x + offset"},
};

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_architecture *architecture;
    retc_layer_plan *plan; /* the section being read; NULL before the first layer */
    int in_network;        /* the section is [network] */
    int networks, has_kind, seen[PARAMETERS];
} reading;

/* "; did you mean conv?" or "". */
static void
suggest(char *text, size_t size, const char *given, const char *const *names, size_t n) {
    const char *near = retc_nearest_name(given, names, n);
    snprintf(text, size, near ? "; did you mean %s?" : "%s", near ? near : "");
}

static int
set_kind(reading *r, const char *value) {
    const char *names[RETC_PLAN_KINDS];
    char hint[64];
    for (size_t k = 0; k < RETC_PLAN_KINDS; ++k) {
        names[k] = kinds[k].name;
        if (!strcmp(value, kinds[k].name)) {
            *r->plan = (retc_layer_plan){.kind = k, .bias = 1, .eps = 1e-3, .line = r->plan->line};
            return RETC_OK;
        }
    }
    suggest(hint, sizeof hint, value, names, RETC_PLAN_KINDS);
    return RETC_FAIL(RETC_EINVAL, "there is no layer of kind \"%s\"%s%s", value, hint,
                     hint[0] ? "" : "; --print-network shows networks");
}

/* What the kind of the layer that ends here needs and has not been given. */
static int
end_layer(const reading *r) {
    if (!r->plan)
        return RETC_OK;
    if (!r->has_kind)
        return RETC_FAIL(RETC_EINVAL, "the layer of line %zu has no kind, such as kind = conv", r->plan->line);
    for (size_t p = 0; p < PARAMETERS; ++p)
        if (parameters[p].required & (1u << r->plan->kind) && !r->seen[p])
            return RETC_FAIL(RETC_EINVAL, "the %s layer of line %zu needs \"%s\" (%s)", kinds[r->plan->kind].name,
                             r->plan->line, parameters[p].key, parameters[p].meaning);
    return RETC_OK;
}

static int
check_name(const char *name) {
    size_t length = strlen(name);
    for (const char *c = name; *c; ++c)
        if (!isalnum((unsigned char)*c) && !strchr("_-.", *c))
            return RETC_FAIL(RETC_EINVAL, "the name \"%s\" should be of letters, digits, _, - and .", name);
    return length > 0 && length < RETC_PLAN_NAME_SIZE
               ? RETC_OK
               : RETC_FAIL(RETC_EINVAL, "a name has 1 to %d characters, this one %zu", RETC_PLAN_NAME_SIZE - 1, length);
}

static int
name_layer(retc_architecture *a, const char *name) {
    int status = check_name(name);
    for (size_t l = 0; status == RETC_OK && l + 1 < a->layers; ++l)
        if (!strcmp(a->layer[l].name, name))
            status = RETC_FAIL(RETC_EINVAL, "the layer of line %zu is called %s already", a->layer[l].line, name);
    if (status == RETC_OK)
        snprintf(a->layer[a->layers - 1].name, RETC_PLAN_NAME_SIZE, "%s", name);
    return status;
}

static int
begin_section(void *context, const char *name, size_t line) {
    static const char *const names[] = {"network", "layer"};
    reading *r = context;
    retc_architecture *a = r->architecture;
    char hint[64];
    int status = RETC_OK;
    RETC_TRY(end_layer(r));
    r->plan = NULL;
    r->in_network = !strcmp(name, "network");
    if (r->in_network) {
        if (r->networks++ || a->layers)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "[network] should stand once, before the layers"));
        return RETC_OK;
    }
    if (strncmp(name, "layer", 5) != 0 || (name[5] != '\0' && name[5] != ':')) {
        suggest(hint, sizeof hint, name, names, 2);
        RETC_TRY(
            RETC_FAIL(RETC_EINVAL, "there is no section [%s]%s; sections are [network], [layer] and [layer:NAME]", name, hint));
    }
    if (a->layers == RETC_MOST_PLANNED)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a network has %d layers at most", RETC_MOST_PLANNED));
    r->plan = &a->layer[a->layers++];
    *r->plan = (retc_layer_plan){.line = line};
    r->has_kind = 0;
    memset(r->seen, 0, sizeof r->seen);
    if (name[5])
        RETC_TRY(name_layer(a, name + 6));
done:
    return status;
}

/* "15", "15x11", "15 x 11" or "map". */
static int
set_extent(const parameter *p, const char *value, size_t *extent) {
    char rows[32], columns[32];
    size_t length = strcspn(value, "x"), last = length;
    int allows_map = !strcmp(p->key, "kernel");
    if (allows_map && !strcmp(value, "map")) {
        extent[0] = extent[1] = 0;
        return RETC_OK;
    }
    while (last > 0 && isspace((unsigned char)value[last - 1]))
        --last;
    snprintf(rows, sizeof rows, "%.*s", (int)last, value);
    const char *rest = value[length] ? value + length + 1 : rows;
    snprintf(columns, sizeof columns, "%s", rest + strspn(rest, " \t"));
    for (int d = 0; d < 2; ++d)
        if (retc_parse_size(d ? columns : rows, &extent[d]) < 0 || extent[d] < 1 || (double)extent[d] > p->max)
            return RETC_FAIL(RETC_EINVAL, "\"%s\" is no side such as 15 or 15x11, 1 ... %g%s", value, p->max,
                             allows_map ? ", nor map" : "");
    return RETC_OK;
}

static int
set_number(const parameter *p, const char *value, double *number) {
    if (retc_parse_double(value, number) < 0)
        return RETC_FAIL(RETC_EINVAL, "\"%s\" is no number%s", value, p->type == RATE ? " and not mean" : "");
    if (!(*number >= p->min && *number <= p->max))
        return RETC_FAIL(RETC_EINVAL, "%s is outside %g ... %g", value, p->min, p->max);
    return RETC_OK;
}

static int
set_channels(const parameter *p, const char *value, size_t *channels) {
    *channels = 0;
    if (!strcmp(value, "cells"))
        return RETC_OK;
    if (retc_parse_size(value, channels) < 0 || *channels < 1 || (double)*channels > p->max)
        return RETC_FAIL(RETC_EINVAL, "\"%s\" is no number of channels, 1 ... %g, and not cells", value, p->max);
    return RETC_OK;
}

static int
set_yes_no(const char *value, size_t *flag) {
    *flag = !strcmp(value, "yes");
    return *flag || !strcmp(value, "no") ? RETC_OK : RETC_FAIL(RETC_EINVAL, "\"%s\" is neither yes nor no", value);
}

/* Layers are named before they are used. */
static int
set_from(const reading *r, const char *value, char *from) {
    const char *names[RETC_MOST_PLANNED];
    char hint[64];
    size_t n = 0;
    for (size_t l = 0; l + 1 < r->architecture->layers; ++l)
        if (r->architecture->layer[l].name[0])
            names[n++] = r->architecture->layer[l].name;
    for (size_t i = 0; i < n; ++i)
        if (!strcmp(names[i], value)) {
            snprintf(from, RETC_PLAN_NAME_SIZE, "%s", value);
            return RETC_OK;
        }
    suggest(hint, sizeof hint, value, names, n);
    return RETC_FAIL(RETC_EINVAL, "there is no earlier layer [layer:%s]%s", value, hint);
}

static int
set_parameter(reading *r, const parameter *p, const char *value) {
    void *at = (char *)r->plan + p->offset;
    switch (p->type) {
    case CHANNELS:
        return set_channels(p, value, at);
    case EXTENT:
        return set_extent(p, value, at);
    case YES_NO:
        return set_yes_no(value, at);
    case RATE:
        if (!strcmp(value, "mean"))
            return RETC_OK;
        return set_number(p, value, at);
    case NAME:
        return set_from(r, value, at);
    case NUMBER:
        break;
    }
    return set_number(p, value, at);
}

static int
no_key(const reading *r, const char *key) {
    const char *names[PARAMETERS + 1] = {"kind"};
    char hint[64];
    size_t n = 1;
    for (size_t p = 0; p < PARAMETERS; ++p)
        if (parameters[p].kinds & (1u << r->plan->kind))
            names[n++] = parameters[p].key;
    suggest(hint, sizeof hint, key, names, n);
    char all[128] = "none";
    for (size_t i = 1, used = 0; i < n; ++i)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 1 ? ", " : "", names[i]);
    return RETC_FAIL(RETC_EINVAL, "a %s layer has no such key%s; beside kind it has: %s", kinds[r->plan->kind].name, hint, all);
}

static int
take_setting(void *context, const char *key, const char *value, size_t line) {
    reading *r = context;
    (void)line;
    if (r->in_network) {
        if (strcmp(key, "name") != 0)
            return RETC_FAIL(RETC_EINVAL, "there is no such key; [network] has: name");
        int status = check_name(value);
        if (status == RETC_OK)
            snprintf(r->architecture->name, RETC_PLAN_NAME_SIZE, "%s", value);
        return status;
    }
    if (!strcmp(key, "kind")) {
        char name[RETC_PLAN_NAME_SIZE];
        if (r->has_kind++)
            return RETC_FAIL(RETC_EINVAL, "is given twice");
        memcpy(name, r->plan->name, sizeof name);
        int status = set_kind(r, value);
        memcpy(r->plan->name, name, sizeof name);
        return status;
    }
    if (!r->has_kind)
        return RETC_FAIL(RETC_EINVAL, "stands before the kind of the layer; begin with kind = ...");
    for (size_t p = 0; p < PARAMETERS; ++p)
        if (!strcmp(key, parameters[p].key) && parameters[p].kinds & (1u << r->plan->kind))
            return r->seen[p]++ ? RETC_FAIL(RETC_EINVAL, "is given twice") : set_parameter(r, &parameters[p], value);
    return no_key(r, key);
}

/* Without a name of its own a network is called as its file is, without folder and ending. */
static void
name_by_file(retc_architecture *a, const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    snprintf(a->name, sizeof a->name, "%.*s", (int)length, base);
}

int
retc_architecture_read_stream(FILE *in, const char *path, retc_architecture *a) {
    static const retc_ini_handler handler = {.section = begin_section, .setting = take_setting};
    reading r = {.architecture = a};
    int status = RETC_OK;
    *a = (retc_architecture){0};
    RETC_TRY(RETC_GOT(a->path = retc_strdup(path)));
    name_by_file(a, path);
    RETC_TRY(retc_ini_read_stream(in, path, &handler, &r));
    if (a->layers == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: holds no [layer]; --print-network shows what networks look like", path));
    status = end_layer(&r);
    if (status < 0)
        status = retc_error_prefix(status, "%s", path);
done:
    if (status < 0)
        retc_architecture_clear(a);
    return status;
}

/* ---- printing ---------------------------------------------------------------------------------------------------------- */

/* The shortest text that reads as the same number. */
static void
format_number(char *text, size_t size, double value) {
    double back = (double)NAN;
    for (int digits = 6; digits <= 17 && back != value; ++digits) {
        snprintf(text, size, "%.*g", digits, value);
        if (retc_parse_double(text, &back) < 0)
            return;
    }
}

static void
format_value(char *text, size_t size, const parameter *p, const retc_layer_plan *plan) {
    const void *at = (const char *)plan + p->offset;
    const size_t *whole = at;
    switch (p->type) {
    case CHANNELS:
        snprintf(text, size, *whole ? "%zu" : "cells", *whole);
        break;
    case EXTENT:
        if (whole[0] == 0 || whole[0] == whole[1])
            snprintf(text, size, whole[0] ? "%zu" : "map", whole[0]);
        else
            snprintf(text, size, "%zux%zu", whole[0], whole[1]);
        break;
    case YES_NO:
        snprintf(text, size, "%s", *whole ? "yes" : "no");
        break;
    case NAME:
        snprintf(text, size, "%s", (const char *)at);
        break;
    case RATE:
        if (*(const double *)at <= 0) {
            snprintf(text, size, "mean");
            break;
        }
        format_number(text, size, *(const double *)at);
        break;
    case NUMBER:
        format_number(text, size, *(const double *)at);
        break;
    }
}

static void
print_layer(FILE *out, const retc_layer_plan *plan) {
    char value[64], line[128];
    fprintf(out, "\n[layer%s%s]\n", plan->name[0] ? ":" : "", plan->name);
    snprintf(line, sizeof line, "kind = %s", kinds[plan->kind].name);
    fprintf(out, "%-24s # %s\n", line, kinds[plan->kind].meaning);
    for (size_t p = 0; p < PARAMETERS; ++p)
        if (parameters[p].kinds & (1u << plan->kind)) {
            format_value(value, sizeof value, &parameters[p], plan);
            snprintf(line, sizeof line, "%s = %s", parameters[p].key, value);
            fprintf(out, "%-24s # %s\n", line, parameters[p].meaning);
        }
}

void
retc_architecture_print(FILE *out, const retc_architecture *a) {
    const char *about = retc_architecture_about(a->name);
    fprintf(out, "# A network: retcodec fit RECORDING --network FILE.  Layers in order, from the stimulus to the cells.\n");
    if (about && !a->path)
        fprintf(out, "# %s\n", about);
    fputs("# Kinds of layers:", out);
    for (size_t k = 0, column = 18; k < RETC_PLAN_KINDS; ++k) {
        size_t length = strlen(kinds[k].name) + 2;
        if (column + length > 100) {
            fputs("\n#  ", out);
            column = 3;
        }
        fprintf(out, " %s%s", kinds[k].name, k + 1 < RETC_PLAN_KINDS ? "," : "\n");
        column += length;
    }
    fprintf(out, "[network]\nname = %s\n", a->name);
    for (size_t l = 0; l < a->layers; ++l)
        print_layer(out, &a->layer[l]);
}

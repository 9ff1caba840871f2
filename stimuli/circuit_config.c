#include "circuit_config.h"

#include <math.h>
#include <string.h>

#include "ini_file.h"
#include "options.h"

typedef enum { NUMBER, WHOLE, CHOICE } kind;

typedef struct {
    const char *key;
    kind kind;
    size_t offset; /* in the struct of its section */
    double min, max;
    const char *unit;           /* NULL: a plain number */
    const char *const *choices; /* ends with NULL */
    const char *meaning;
} parameter;

typedef struct {
    const char *name, *meaning;
    size_t offset; /* in retc_circuit_options */
    const parameter *parameters;
} section;

static const char *const bipolar_names[] = {"on_bipolar", "off_bipolar", "on_transient_bipolar", "off_transient_bipolar", NULL};
static const char *const amacrine_names[] = {"amacrine_on", "amacrine_off", "amacrine_wide", "amacrine_delayed", "none", NULL};
static const char *const ganglion_names[] = {"brisk_on", "brisk_off", "y_like", "direction_selective", "object_motion", NULL};
static const char *const spike_names[] = {"poisson", "refractory", "gamma", NULL};
static const char *const calibration_names[] = {"stimulus", "noise", NULL};
static const char *const yes_names[] = {"no", "yes", NULL};

#define END                                                                                                                    \
    { NULL, NUMBER, 0, 0, 0, NULL, NULL, NULL }
#define AT(field) offsetof(retc_circuit_options, field)

static const parameter retina[] = {
    {"pixel", NUMBER, AT(pixel), 0.1, 1e4, "um", NULL, "side of a pixel of the movie on the retina (50 in the Stanford data)"},
    {"margin", NUMBER, AT(margin), 0, 1e5, "um", NULL,
     "cells stand at least this far from the border of the movie, or a quarter of its side where that is less"},
    {"on_pixels", CHOICE, AT(on_pixels), 0, 0, NULL, yes_names,
     "yes: bipolar cells stand at the middles of pixels, so that all of a type have the same filter on the screen"},
    {"calibration", CHOICE, AT(calibration), 0, 0, NULL, calibration_names,
     "what gains and rates are set on: the beginning of the train stimulus, or white noise, so that the same retina sees any "
     "stimulus"},
    {"contrast", NUMBER, AT(contrast), 0.01, 1, NULL, NULL,
     "of the noise that it is calibrated on: binary, one pixel, every frame"},
    END};

#define IN(field) offsetof(retc_photoreceptor_options, field)
static const parameter photoreceptor[] = {
    {"tau_y", NUMBER, IN(tau_y), 0, 1e3, "ms", NULL,
     "of each leaky integrator of the fast path y; sets the time to peak (BMS)"},
    {"n_y", WHOLE, IN(n_y), 1, 8, NULL, NULL, "integrators in the fast path (CBMS eq. 12)"},
    {"tau_z", NUMBER, IN(tau_z), 0, 1e4, "ms", NULL, "of each leaky integrator of the slow path z (CBMS)"},
    {"n_z", WHOLE, IN(n_z), 1, 8, NULL, NULL, "integrators in the slow path (CBMS eq. 13)"},
    {"gamma", NUMBER, IN(gamma), 0, 1, NULL, NULL, "share of y in z (CBMS eq. 13)"},
    {"beta", NUMBER, IN(beta), 0, 1e3, NULL, NULL,
     "strength of the slow path at mean grey: how biphasic the response is (CBMS eq. 2)"},
    {"adaptation", CHOICE, IN(adaptation), 0, 0, NULL, yes_names,
     "yes: r = y (1 + beta) / (1 + beta z) - 1, which adapts to luminance (CBMS); no: its linear part, y - beta / (1 + beta) "
     "z"},
    END};
#undef IN

#define IN(field) offsetof(retc_bipolar_options, field)
static const parameter bipolar[] = {
    {"spacing", NUMBER, IN(spacing), 1, 1e5, "um", NULL, "between neighbours of the hexagonal mosaic (GM)"},
    {"jitter", NUMBER, IN(jitter), 0, 0.45, NULL, NULL, "places are moved by up to this share of the spacing"},
    {"center", NUMBER, IN(center), 1, 1e5, "um", NULL, "sigma of the centre (BMS, GM)"},
    {"surround", NUMBER, IN(surround), 1, 1e5, "um", NULL, "sigma of the surround, larger than the centre (BMS)"},
    {"surround_weight", NUMBER, IN(surround_weight), 0, 1, NULL, NULL, "volume of the surround over that of the centre"},
    {"tau", NUMBER, IN(tau), 0, 1e3, "ms", NULL, "leaky integrator of the cell; 0: none"},
    {"transience", NUMBER, IN(transience), 0, 1, NULL, NULL, "share of the slow part of its signal that is taken off (AS)"},
    {"tau_adapt", NUMBER, IN(tau_adapt), 0, 1e4, "ms", NULL, "time constant of that slow part (AS)"},
    {"threshold", NUMBER, IN(threshold), -10, 10, "sd", NULL,
     "of release, in standard deviations of its drive under the calibrating stimulus; below 0: tonic release"},
    {"amacrine", CHOICE, IN(amacrine), 0, 0, NULL, amacrine_names, "type that inhibits its terminals (presynaptic inhibition)"},
    {"inhibition", NUMBER, IN(inhibition), 0, 100, NULL, NULL, "sum of the weights of that inhibition; 0: none"},
    END};
#undef IN

#define IN(field) offsetof(retc_amacrine_options, field)
static const parameter amacrine[] = {
    {"bipolar", CHOICE, IN(bipolar), 0, 0, NULL, bipolar_names, "type that drives it, through rectifying synapses"},
    {"spacing", NUMBER, IN(spacing), 1, 1e5, "um", NULL, "between neighbours of the hexagonal mosaic"},
    {"jitter", NUMBER, IN(jitter), 0, 0.45, NULL, NULL, "places are moved by up to this share of the spacing"},
    {"radius", NUMBER, IN(radius), 1, 1e5, "um", NULL, "sigma of the weights with which it pools bipolar cells (BOM)"},
    {"tau", NUMBER, IN(tau), 0, 1e3, "ms", NULL, "leaky integrator of the cell; 0: none"},
    {"delay", NUMBER, IN(delay), 0, 300, "ms", NULL, "from its release to the effect on its targets"},
    {"threshold", NUMBER, IN(threshold), -10, 10, "rms", NULL,
     "of release, in root mean squares of its drive under the calibrating stimulus"},
    {"reach", NUMBER, IN(reach), 1, 1e5, "um", NULL, "sigma of the weights of its synapses, by distance (OBM, BOM)"},
    END};
#undef IN

#define IN(field) offsetof(retc_ganglion_options, field)
static const parameter ganglion[] = {
    {"cells", WHOLE, IN(cells), 0, 999, NULL, NULL, "recorded cells of this type, those nearest to the middle; 0: none"},
    {"spacing", NUMBER, IN(spacing), 1, 1e5, "um", NULL, "between neighbours of the hexagonal mosaic"},
    {"jitter", NUMBER, IN(jitter), 0, 0.45, NULL, NULL, "places are moved by up to this share of the spacing"},
    {"bipolar", CHOICE, IN(bipolar), 0, 0, NULL, bipolar_names, "type that excites it"},
    {"radius", NUMBER, IN(radius), 1, 1e5, "um", NULL, "sigma of the weights of bipolar cells (BMS)"},
    {"amacrine", CHOICE, IN(amacrine), 0, 0, NULL, amacrine_names, "type that inhibits it directly (feedforward inhibition)"},
    {"inhibition", NUMBER, IN(inhibition), 0, 100, NULL, NULL,
     "sum of the weights of amacrine cells over that of bipolar cells; 0: none"},
    {"inner", NUMBER, IN(inner), 0, 1e5, "um", NULL, "amacrine cells nearer than this do not reach it (OBM)"},
    {"offset", NUMBER, IN(offset), 0, 1e5, "um", NULL,
     "its inhibition comes from around a place this far off, on the null side"},
    {"direction", NUMBER, IN(direction), -360, 360, "deg", NULL,
     "preferred direction of the first cell, 0: to the right, 90: down; each next cell is turned by 90 deg"},
    END};
#undef IN

static const parameter gain_control[] = {
    {"strength", NUMBER, AT(gain_strength), 0, 100, NULL, NULL,
     "k in u = x / (1 + k v): v is the low-passed |x|, in standard deviations of x (BBJM); 0: none"},
    {"tau", NUMBER, AT(gain_tau), 1, 1e5, "ms", NULL, "time constant of v (BBJM)"},
    END};

static const parameter output[] = {
    {"rate", NUMBER, AT(rate), 0.01, 1000, "Hz", NULL, "mean rate over cells under the calibrating stimulus"},
    {"rate_spread", NUMBER, AT(rate_spread), 0, 0.9, NULL, NULL, "single cells lie within this share of it"},
    {"slope", NUMBER, AT(slope), 0.01, 100, NULL, NULL, "of the softplus, per standard deviation of the input"},
    {"threshold", NUMBER, AT(threshold), -100, 100, NULL, NULL, "by which the mean input lies below the bend of the softplus"},
    {"maximum", NUMBER, AT(maximum), 0, 1e4, "Hz", NULL,
     "that rates approach, as if each spike were followed by a dead time of 1 / maximum (BM); 0: none"},
    END};

static const parameter spikes[] = {
    {"process", CHOICE, AT(spikes), 0, 0, NULL, spike_names,
     "poisson; refractory: dead times; gamma: every order-th event of a Poisson process"},
    {"absolute", NUMBER, AT(absolute), 0, 100, "ms", NULL, "refractory: no spike within this time of the one before (BM)"},
    {"relative", NUMBER, AT(relative), 0, 100, "ms", NULL,
     "refractory: mean of a random dead time that follows, exponential (BM)"},
    {"order", WHOLE, AT(order), 1, 1000, NULL, NULL, "gamma: 1 is Poisson, more is more regular"},
    END};

static const section sections[] = {
    {"retina", "All of it", 0, retina},
    {"photoreceptor", "Each pixel of the movie through a filter in time", AT(photoreceptor), photoreceptor},
    {"on_bipolar", "Sustained bipolar cells that like light", AT(bipolar[RETC_BIPOLAR_ON]), bipolar},
    {"off_bipolar", "Sustained bipolar cells that like dark", AT(bipolar[RETC_BIPOLAR_OFF]), bipolar},
    {"on_transient_bipolar", "Transient, rectifying ones that like light", AT(bipolar[RETC_BIPOLAR_ON_TRANSIENT]), bipolar},
    {"off_transient_bipolar", "Transient, rectifying ones that like dark", AT(bipolar[RETC_BIPOLAR_OFF_TRANSIENT]), bipolar},
    {"amacrine_on", "Narrow amacrine cells driven by ON bipolar cells", AT(amacrine[RETC_AMACRINE_ON]), amacrine},
    {"amacrine_off", "Narrow amacrine cells driven by OFF bipolar cells", AT(amacrine[RETC_AMACRINE_OFF]), amacrine},
    {"amacrine_wide", "Amacrine cells with far axons: they see a small place and inhibit a wide field",
     AT(amacrine[RETC_AMACRINE_WIDE]), amacrine},
    {"amacrine_delayed", "Narrow, slow amacrine cells, for direction selectivity", AT(amacrine[RETC_AMACRINE_DELAYED]),
     amacrine},
    {"brisk_on", "Ganglion cells: brisk ON", AT(ganglion[RETC_GANGLION_BRISK_ON]), ganglion},
    {"brisk_off", "Ganglion cells: brisk OFF", AT(ganglion[RETC_GANGLION_BRISK_OFF]), ganglion},
    {"y_like", "Ganglion cells that add many rectified subunits", AT(ganglion[RETC_GANGLION_Y_LIKE]), ganglion},
    {"direction_selective", "Ganglion cells with delayed inhibition from one side", AT(ganglion[RETC_GANGLION_DIRECTION]),
     ganglion},
    {"object_motion", "Ganglion cells that a moving background silences", AT(ganglion[RETC_GANGLION_OBJECT_MOTION]), ganglion},
    {"gain_control", "Contrast gain control of ganglion cells", 0, gain_control},
    {"output", "From a ganglion cell's input to its rate", 0, output},
    {"spikes", "From rates to spikes", 0, spikes},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

const char *
retc_bipolar_type_name(size_t type) {
    return bipolar_names[type];
}

const char *
retc_amacrine_type_name(size_t type) {
    return amacrine_names[type];
}

const char *
retc_ganglion_type_name(size_t type) {
    return ganglion_names[type];
}

/* ---- checks ---------------------------------------------------------------------------------------------------------- */

static double
value_of(const parameter *p, const char *base) {
    const char *at = base + p->offset;
    switch (p->kind) {
    case NUMBER:
        return *(const double *)(const void *)at;
    default:
        return (double)*(const size_t *)(const void *)at;
    }
}

static size_t
count_choices(const parameter *p) {
    size_t n = 0;
    while (p->choices[n])
        ++n;
    return n;
}

static int
check_value(const parameter *p, double value) {
    double min = p->min, max = p->kind == CHOICE ? (double)count_choices(p) - 1 : p->max;
    if (value >= min && value <= max)
        return RETC_OK;
    return RETC_FAIL(RETC_EINVAL, "%g%s%s is out of range: expected %g ... %g", value, p->unit ? " " : "",
                     p->unit ? p->unit : "", min, max);
}

static int
check_relations(const retc_circuit_options *o) {
    size_t cells = 0;
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i) {
        const retc_bipolar_options *b = &o->bipolar[i];
        if (!(b->surround > b->center))
            return RETC_FAIL(RETC_EINVAL, "[%s] surround: %g um should be more than the %g um of the centre", bipolar_names[i],
                             b->surround, b->center);
        if (b->inhibition > 0 && b->amacrine == RETC_AMACRINE_NONE)
            return RETC_FAIL(RETC_EINVAL, "[%s] inhibition: %g, but amacrine is none", bipolar_names[i], b->inhibition);
    }
    for (size_t i = 0; i < RETC_GANGLION_TYPES; ++i) {
        const retc_ganglion_options *g = &o->ganglion[i];
        cells += g->cells;
        if (g->cells > 0 && g->amacrine == RETC_AMACRINE_NONE && g->inhibition > 0 && g->offset > 0)
            return RETC_FAIL(RETC_EINVAL, "[%s] offset: %g um, but amacrine is none", ganglion_names[i], g->offset);
    }
    if (cells < 1 || cells > 999)
        return RETC_FAIL(RETC_EINVAL, "%zu ganglion cells in all: expected 1 ... 999", cells);
    double highest = o->rate * (1 + o->rate_spread);
    if (o->maximum > 0 && !(highest < o->maximum))
        return RETC_FAIL(RETC_EINVAL,
                         "[output] maximum: %g Hz, but the mean rates of cells go up to %g Hz; expected more, or 0", o->maximum,
                         highest);
    if (o->spikes == RETC_SPIKES_REFRACTORY && !(o->absolute + o->relative > 0))
        return RETC_FAIL(RETC_EINVAL, "[spikes] process: refractory needs absolute or relative to be more than 0 ms");
    return RETC_OK;
}

int
retc_circuit_config_check(const retc_circuit_options *options) {
    for (size_t s = 0; s < SECTIONS; ++s) {
        const char *base = (const char *)options + sections[s].offset;
        for (const parameter *p = sections[s].parameters; p->key; ++p) {
            int status = check_value(p, value_of(p, base));
            if (status < 0)
                return retc_error_prefix(status, "[%s] %s", sections[s].name, p->key);
        }
    }
    return check_relations(options);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

enum { MOST_KEYS = 16 };

typedef struct {
    retc_circuit_options *options;
    const section *section; /* the one being read */
    int seen[SECTIONS][MOST_KEYS];
} reading;

static const section *
find_section(const char *name) {
    for (size_t s = 0; s < SECTIONS; ++s)
        if (!strcmp(sections[s].name, name))
            return &sections[s];
    return NULL;
}

static int
no_section(const char *name) {
    const char *names[SECTIONS];
    for (size_t s = 0; s < SECTIONS; ++s)
        names[s] = sections[s].name;
    const char *near = retc_nearest_name(name, names, SECTIONS);
    return RETC_FAIL(RETC_EINVAL, "there is no section [%s]%s%s%s; --print-config shows all", name,
                     near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
}

static int
no_key(const section *s, const char *key) {
    const char *names[MOST_KEYS];
    size_t n = 0;
    for (const parameter *p = s->parameters; p->key; ++p)
        names[n++] = p->key;
    const char *near = retc_nearest_name(key, names, n);
    return RETC_FAIL(RETC_EINVAL, "there is no such key%s%s%s; --print-config shows all", near ? "; did you mean " : "",
                     near ? near : "", near ? "?" : "");
}

static int
set_choice(const parameter *p, const char *text, void *at) {
    char all[160] = "";
    for (size_t i = 0; p->choices[i]; ++i) {
        if (!strcmp(p->choices[i], text)) {
            *(size_t *)at = i;
            return RETC_OK;
        }
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
        strncat(all, p->choices[i], sizeof all - strlen(all) - 1);
    }
    return RETC_FAIL(RETC_EINVAL, "\"%s\" is none of %s", text, all);
}

/* "40 ms": the number, and the unit when one is given, which must be the key's. */
static int
set_number(const parameter *p, const char *text, void *at) {
    char number[64];
    size_t length = strcspn(text, " \t");
    const char *unit = text + length + strspn(text + length, " \t");
    double value;
    snprintf(number, sizeof number, "%.*s", (int)length, text);
    if (retc_parse_double(number, &value) < 0)
        return RETC_FAIL(RETC_EINVAL, "\"%s\" is no number%s%s", text, p->unit ? " in " : "", p->unit ? p->unit : "");
    if (*unit && (!p->unit || strcmp(unit, p->unit) != 0))
        return RETC_FAIL(RETC_EINVAL, "\"%s\" is in %s, expected %s", text, unit, p->unit ? p->unit : "a plain number");
    int status = check_value(p, value);
    if (status < 0)
        return status;
    if (p->kind != NUMBER && value != floor(value))
        return RETC_FAIL(RETC_EINVAL, "%g is no whole number", value);
    if (p->kind == NUMBER)
        *(double *)at = value;
    else
        *(size_t *)at = (size_t)value;
    return RETC_OK;
}

static int
begin_section(void *context, const char *name, size_t line) {
    reading *r = context;
    (void)line;
    r->section = find_section(name);
    return r->section ? RETC_OK : no_section(name);
}

static int
set_key(void *context, const char *key, const char *text, size_t line) {
    reading *r = context;
    const section *s = r->section;
    const parameter *p = s->parameters;
    (void)line;
    while (p->key && strcmp(p->key, key) != 0)
        ++p;
    if (!p->key)
        return no_key(s, key);
    if (r->seen[s - sections][p - s->parameters]++)
        return RETC_FAIL(RETC_EINVAL, "is given twice");
    void *at = (char *)r->options + s->offset + p->offset;
    return p->kind == CHOICE ? set_choice(p, text, at) : set_number(p, text, at);
}

int
retc_circuit_config_read(const char *path, retc_circuit_options *options) {
    static const retc_ini_handler handler = {.section = begin_section, .setting = set_key};
    int status = RETC_OK;
    retc_circuit_options result = *options;
    reading r = {.options = &result};
    RETC_TRY(retc_ini_read(path, &handler, &r));
    status = retc_circuit_config_check(&result);
    if (status < 0)
        RETC_TRY(retc_error_prefix(status, "%s", path));
    *options = result;

done:
    return status;
}

/* ---- printing -------------------------------------------------------------------------------------------------------- */

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
print_parameter(FILE *out, const parameter *p, const char *base) {
    char text[64], line[128];
    if (p->kind == CHOICE)
        snprintf(text, sizeof text, "%s", p->choices[(size_t)value_of(p, base)]);
    else
        format_number(text, sizeof text, value_of(p, base));
    snprintf(line, sizeof line, "%s = %s%s%s", p->key, text, p->unit ? " " : "", p->unit ? p->unit : "");
    fprintf(out, "# %s", p->meaning);
    if (p->kind == CHOICE) {
        fputs("; one of", out);
        for (size_t i = 0; p->choices[i]; ++i)
            fprintf(out, "%s %s", i ? "," : "", p->choices[i]);
    } else {
        fprintf(out, "; %g ... %g", p->min, p->max);
    }
    fprintf(out, "\n%s\n", line);
}

void
retc_circuit_config_print(FILE *out, const retc_circuit_options *options) {
    fputs("# A simulated retina: retcodec simulate --config FILE.  What a file leaves out is taken from the preset.\n"
          "# Sources: BMS Baccus & Meister 2002; OBM Olveczky, Baccus & Meister 2003; BOM Baccus, Olveczky, Manu & Meister "
          "2008;\n"
          "# AS Awatramani & Slaughter 2000; GM Gollisch & Meister 2008; CBMS Clark, Benichou, Meister & da Silveira 2013;\n"
          "# BBJM Berry, Brivanlou, Jordan & Meister 1999; BM Berry & Meister 1998.  Values are round numbers of the size that "
          "is\n"
          "# reported there, not fits.\n",
          out);
    for (size_t s = 0; s < SECTIONS; ++s) {
        const char *base = (const char *)options + sections[s].offset;
        fprintf(out, "\n# %s\n[%s]\n", sections[s].meaning, sections[s].name);
        for (const parameter *p = sections[s].parameters; p->key; ++p)
            print_parameter(out, p, base);
    }
}

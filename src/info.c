#include "info.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "describe.h"
#include "figure_table.h"
#include "model_file.h"
#include "trials.h"

enum { MOST_NAMES = 8, LABEL_WIDTH = 14 };

void
retc_info_fact(FILE *out, const char *label, const char *format, ...) {
    va_list arguments;
    fprintf(out, "  %-*s ", LABEL_WIDTH, label);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fputc('\n', out);
}

/* Length of an axis of a dataset; 0 when there is no such dataset or axis. */
static size_t
axis(retc_h5 *file, const char *name, int which) {
    size_t shape[RETC_H5_MAX_RANK] = {0};
    int rank = 0;
    if (!retc_h5_has(file, name) || retc_h5_shape(file, name, &rank, shape) < 0 || which >= rank)
        return 0;
    return shape[which];
}

/* Length of an axis of the movie in a group, "" or "train/"; of one with a recipe, its clock and sample frames tell. */
static size_t
movie_axis(retc_h5 *file, const char *group, int which) {
    char *stored = retc_strf("%sstimulus", group), *made = retc_strf("%s%s", group, which ? "recipe_frames" : "time");
    size_t length = 0;
    if (stored && made)
        length = axis(file, retc_h5_has(file, stored) ? stored : made, which);
    retc_free(stored);
    retc_free(made);
    return length;
}

static double
number(retc_h5 *file, const char *object, const char *attribute, double otherwise) {
    double value = otherwise;
    return retc_h5_get_number(file, object, attribute, &value) < 0 ? otherwise : value;
}

/* A root attribute as a line of its own. */
static void
text_fact(FILE *out, retc_h5 *file, const char *attribute, const char *label) {
    char *text = NULL;
    if (retc_h5_get_text(file, "/", attribute, &text) == RETC_OK)
        retc_info_fact(out, label, "%s", text);
    retc_free(text);
}

/* "4: cell01 cell02 cell03 cell04" */
static void
print_cells(FILE *out, retc_h5 *file, const char *names, size_t n) {
    char **name = NULL;
    size_t n_names = 0;
    fprintf(out, "  %-*s %zu", LABEL_WIDTH, "cells", n);
    if (retc_h5_has(file, names) && retc_h5_read_texts(file, names, &name, &n_names) == RETC_OK)
        for (size_t i = 0; i < n_names && i < MOST_NAMES; ++i)
            fprintf(out, "%s%s%s", i ? " " : ": ", name[i], i + 1 == MOST_NAMES && n_names > MOST_NAMES ? " ..." : "");
    fputc('\n', out);
    retc_free(name);
}

/* Seconds from one frame to the next: what the file says, else what its times show; 0 when unknown. */
static double
frame_interval(retc_h5 *file, const char *time) {
    double interval = number(file, "/", "frame_interval", 0);
    size_t n = 0;
    void *times = NULL;
    if (!(interval > 0) && axis(file, time, 0) > 1 && retc_h5_read_new(file, time, RETC_H5_DOUBLE, 1, &n, &times) == RETC_OK)
        interval = retc_figure_interval(times, n);
    retc_free(times);
    return interval;
}

/* "12000 frames, 200.0 s" */
static void
print_length(FILE *out, const char *label, size_t n, const char *what, double interval, size_t repeats) {
    char duration[48] = "", repeated[48] = "";
    if (interval > 0)
        snprintf(duration, sizeof duration, ", %.1f s", (double)n * interval);
    if (repeats > 0)
        snprintf(repeated, sizeof repeated, ", %zu repeats", repeats);
    retc_info_fact(out, label, "%zu %s%s%s", n, what, duration, repeated);
}

static void
print_interval(FILE *out, double interval) {
    if (interval > 0)
        retc_info_fact(out, "frame rate", "%.4g Hz (%.4g ms)", 1 / interval, 1e3 * interval);
}

/* The values that a parameter takes, each once, as "direction 0 45 90 degrees". */
static void
print_parameter(FILE *out, const retc_parameter *parameter, size_t conditions) {
    size_t printed = 0;
    fprintf(out, "  %-*s %s", LABEL_WIDTH, "", parameter->name);
    for (size_t c = 0; c < conditions && printed <= 2 * MOST_NAMES; ++c) {
        size_t before = 0;
        while (before < c && parameter->value[before] != parameter->value[c])
            ++before;
        if (before == c && printed++ < 2 * MOST_NAMES)
            fprintf(out, " %.6g", parameter->value[c]);
        else if (before == c)
            fputs(" ...", out);
    }
    fprintf(out, "%s%s\n", parameter->unit[0] ? " " : "", parameter->unit);
}

/* The conditions and trials of a protocol below `group`, where there are any. */
static void
protocol_facts(FILE *out, retc_h5 *file, const char *group) {
    retc_trials trials = {0};
    if (!retc_trials_has(file, group) || retc_trials_read(file, group, 0, &trials) < 0)
        return;
    retc_info_fact(out, group[0] ? group : "protocol", "%zu trials of %zu conditions", trials.trials, trials.conditions);
    for (size_t p = 0; p < trials.parameters; ++p)
        print_parameter(out, &trials.parameter[p], trials.conditions);
    retc_trials_free(&trials);
}

/* Number of times that the test stimulus was shown. */
static size_t
count_repeats(retc_h5 *file) {
    char **names = NULL, *path = NULL;
    size_t n = 0, repeats = axis(file, "test/repeats/firing_rate_10ms", 0);
    if (repeats == 0 && retc_h5_has(file, "test/repeats") && retc_h5_members(file, "test/repeats", &names, &n) == RETC_OK &&
        n > 0) {
        path = retc_strf("test/repeats/%s", names[0]);
        repeats = path ? axis(file, path, 0) : 0;
    }
    retc_free(path);
    retc_free(names);
    return repeats;
}

static void
recording_facts(FILE *out, retc_h5 *file) {
    const char *part = movie_axis(file, "train/", 0) ? "train/" : "test/";
    size_t cells = axis(file, "train/response/binned", 0), interneurons = axis(file, "interneurons/names", 0);
    double interval = frame_interval(file, "train/time");
    print_cells(out, file, "cell_names", cells ? cells : axis(file, "test/response/binned", 0));
    if (movie_axis(file, "train/", 0))
        print_length(out, "train", movie_axis(file, "train/", 0), "frames", interval, 0);
    if (movie_axis(file, "test/", 0))
        print_length(out, "test", movie_axis(file, "test/", 0), "frames", interval, count_repeats(file));
    retc_info_fact(out, "frame", "%zu x %zu pixels", movie_axis(file, part, 1), movie_axis(file, part, 2));
    print_interval(out, interval);
    protocol_facts(out, file, "train");
    protocol_facts(out, file, "test");
    if (interneurons)
        retc_info_fact(out, "interneurons", "%zu (simulated retina)", interneurons);
}

static void
stimulus_facts(FILE *out, retc_h5 *file) {
    double interval = frame_interval(file, "time");
    text_fact(out, file, "stimulus", "stimulus");
    print_length(out, "length", movie_axis(file, "", 0), "frames", interval, 0);
    if (!retc_h5_has(file, "stimulus") && retc_h5_has(file, "recipe_frames"))
        retc_info_fact(out, "frames", "made from a recipe whenever they are read");
    retc_info_fact(out, "frame", "%zu x %zu pixels", movie_axis(file, "", 1), movie_axis(file, "", 2));
    print_interval(out, interval);
    protocol_facts(out, file, "");
}

/* A text attribute as JSON (json_decref); NULL when there is none. */
static json_t *
json_attribute(retc_h5 *file, const char *attribute) {
    char *text = NULL;
    json_t *json = retc_h5_get_text(file, "/", attribute, &text) == RETC_OK ? json_loads(text, 0, NULL) : NULL;
    retc_free(text);
    return json;
}

/* The history and the frame that the model sees. */
static void
print_input(FILE *out, retc_h5 *file) {
    json_t *hyps = json_attribute(file, "hyps_json"), *shape = json_object_get(hyps, "img_shape");
    if (json_array_size(shape) == 3)
        retc_info_fact(
            out, "sees", "%lld frames of %lld x %lld pixels", (long long)json_integer_value(json_array_get(shape, 0)),
            (long long)json_integer_value(json_array_get(shape, 1)), (long long)json_integer_value(json_array_get(shape, 2)));
    json_decref(hyps);
}

/* The classes of the layers, of a model that cannot be read. */
static void
print_classes(FILE *out, retc_h5 *file) {
    json_t *layers = json_attribute(file, "layers_json");
    for (size_t i = 0; i < json_array_size(layers); ++i) {
        const char *class = json_string_value(json_object_get(json_array_get(layers, i), "class"));
        if (i == 0)
            fprintf(out, "  %-*s", LABEL_WIDTH, "layers");
        fprintf(out, "%s %s", i ? "," : "", class ? class : "?");
    }
    if (json_array_size(layers) > 0)
        fputc('\n', out);
    json_decref(layers);
}

/* One line per layer, as the diagram has them. */
static void
print_layers(FILE *out, retc_h5 *file) {
    retc_layer_description *description = NULL;
    retc_network *network = retc_network_read(file);
    if (!network || RETC_ALLOC(description, network->layers) < 0 ||
        retc_network_describe_file(network, file, description) < 0) {
        print_classes(out, file);
        goto done;
    }
    fprintf(out, "  %-*s %-32s %14s %12s %9s  %s\n", LABEL_WIDTH, "layers", "", "output", "parameters", "kept", "pixels seen");
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer_description *d = &description[l];
        const retc_layer *layer = &network->layer[l];
        char map[64];
        snprintf(map, sizeof map, "%zux%zux%zu", layer->C, layer->h, layer->w);
        fprintf(out, "  %*zu %-32s %14s %12zu %9zu  %zux%zu\n", LABEL_WIDTH, l, d->what, map, d->fitted, d->kept,
                retc_field_size(&d->field, 0), retc_field_size(&d->field, 1));
    }
done:
    retc_free(description);
    retc_network_free(network);
}

/* Values in /state_dict that are fitted: running statistics and counters are not. */
static size_t
count_parameters(retc_h5 *file) {
    char **names = NULL;
    size_t n = 0, sum = 0;
    if (!retc_h5_has(file, "state_dict") || retc_h5_members(file, "state_dict", &names, &n) < 0)
        return 0;
    for (size_t i = 0; i < n; ++i) {
        size_t shape[RETC_H5_MAX_RANK] = {0}, values = 1;
        int rank = 0;
        char *path = retc_strf("state_dict/%s", names[i]);
        if (path && !strstr(path, "running_") && !strstr(path, "num_batches") &&
            retc_h5_shape(file, path, &rank, shape) == RETC_OK) {
            for (int d = 0; d < rank; ++d)
                values *= shape[d];
            sum += values;
        }
        retc_free(path);
    }
    retc_free(names);
    return sum;
}

static void
model_facts(FILE *out, retc_h5 *file) {
    text_fact(out, file, "model_type", "type");
    print_cells(out, file, "cell_names", axis(file, "cells", 0));
    print_input(out, file);
    retc_info_fact(out, "lag", "%g frames", number(file, "/", "lag", 1));
    retc_info_fact(out, "parameters", "%zu", count_parameters(file));
    print_layers(out, file);
    print_interval(out, number(file, "/", "frame_interval", 0));
    if (retc_h5_has(file, "training/validation_loss"))
        retc_info_fact(out, "fitted in", "%zu epochs", axis(file, "training/validation_loss", 0));
}

/* "0.62 0.71 ..." */
static void
print_scores(FILE *out, retc_h5 *file, const char *name, const char *label) {
    void *values = NULL;
    size_t n = 0;
    if (!retc_h5_has(file, name) || retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, &n, &values) < 0)
        return;
    fprintf(out, "  %-*s", LABEL_WIDTH, label);
    for (size_t i = 0; i < n && i < MOST_NAMES; ++i)
        fprintf(out, " %.3f", ((const double *)values)[i]);
    fputs(n > MOST_NAMES ? " ...\n" : "\n", out);
    retc_free(values);
}

static void
predictions_facts(FILE *out, retc_h5 *file) {
    const char *part = retc_h5_has(file, "train/rate") ? "train/rate" : "test/rate";
    text_fact(out, file, "model_type", "model");
    text_fact(out, file, "part", "part");
    print_cells(out, file, "cell_names", axis(file, part, 0));
    print_length(out, "length", axis(file, part, 1), "frames", number(file, "/", "frame_interval", 0), 0);
    print_scores(out, file, "score/pearson", "correlation");
    print_scores(out, file, "score/noise_ceiling", "noise ceiling");
}

/* The first member of the root whose name ends so (retc_free), or NULL. */
static char *
find_member(retc_h5 *file, const char *tail) {
    char **names = NULL, *found = NULL;
    size_t n = 0;
    if (retc_h5_members(file, "/", &names, &n) < 0)
        return NULL;
    for (size_t i = 0; i < n && !found; ++i)
        if (strlen(names[i]) > strlen(tail) && !strcmp(names[i] + strlen(names[i]) - strlen(tail), tail))
            found = retc_strdup(names[i]);
    retc_free(names);
    return found;
}

static void
contributions_facts(FILE *out, retc_h5 *file) {
    char *group = find_member(file, "_contributions"), **layers = NULL;
    size_t n = 0;
    text_fact(out, file, "target", "target");
    text_fact(out, file, "method", "method");
    if (number(file, "/", "steps", 0) > 0)
        retc_info_fact(out, "steps", "%g", number(file, "/", "steps", 0));
    print_cells(out, file, "metadata/cell_names", axis(file, "metadata/model_responses_all_cells", 1));
    print_length(out, "samples", axis(file, "metadata/timepoints", 0), "frames", frame_interval(file, "metadata/time"), 0);
    if (group && retc_h5_members(file, group, &layers, &n) == RETC_OK)
        for (size_t i = 0; i < n; ++i) {
            char *path = retc_strf("%s/%s", group, layers[i]);
            retc_info_fact(out, layers[i], "%zu channels", path ? axis(file, path, 1) / 2 : 0);
            retc_free(path);
        }
    retc_free(layers);
    retc_free(group);
}

static void
modes_facts(FILE *out, retc_h5 *file) {
    char **names = NULL;
    size_t n = 0;
    print_length(out, "samples", axis(file, "metadata/time", 0), "frames", frame_interval(file, "metadata/time"), 0);
    if (retc_h5_members(file, "/", &names, &n) < 0)
        return;
    for (size_t i = 0; i < n; ++i) {
        char *path = retc_strf("%s/codes", names[i]);
        if (path && retc_h5_has(file, path))
            retc_info_fact(out, names[i], "%zu modes over %g columns, R2 %.3f, %.1f at once", axis(file, path, 1),
                           number(file, names[i], "n_features", (double)NAN), number(file, names[i], "r2_score", (double)NAN),
                           number(file, names[i], "mean_l0", (double)NAN));
        retc_free(path);
    }
    retc_free(names);
}

static void
sta_facts(FILE *out, retc_h5 *file) {
    print_cells(out, file, "cell_names", axis(file, "sta", 0));
    retc_info_fact(out, "average", "%zu frames of %zu x %zu pixels, lag %g", axis(file, "sta", 1), axis(file, "sta", 2),
                   axis(file, "sta", 3), number(file, "/", "lag", 1));
    print_interval(out, number(file, "/", "frame_interval", 0));
}

static void
protocol_result_facts(FILE *out, retc_h5 *file) {
    char **names = NULL;
    size_t n = 0;
    text_fact(out, file, "protocol", "protocol");
    text_fact(out, file, "part", "part");
    print_cells(out, file, "cell_names", axis(file, "psth", 0));
    retc_info_fact(out, "conditions", "%zu", axis(file, "psth", 1));
    retc_info_fact(out, "responses", "%zu bins of %.4g ms", axis(file, "psth", 2), 1e3 * number(file, "/", "bin", 0));
    if (retc_h5_has(file, "index") && retc_h5_members(file, "index", &names, &n) == RETC_OK)
        for (size_t i = 0; i < n; ++i) {
            char *path = retc_strf("index/%s", names[i]);
            if (path)
                print_scores(out, file, path, names[i]);
            retc_free(path);
        }
    retc_free(names);
}

static void
irf_facts(FILE *out, retc_h5 *file) {
    char **names = NULL;
    size_t n = 0;
    print_length(out, "samples", axis(file, "metadata/time", 0), "frames", frame_interval(file, "metadata/time"), 0);
    if (retc_h5_members(file, "/", &names, &n) < 0)
        return;
    for (size_t i = 0; i < n; ++i) {
        char *path = retc_strf("%s/regular_irf_mean", names[i]);
        if (path && retc_h5_has(file, path))
            retc_info_fact(out, names[i], "%zu frames of %zu x %zu pixels", axis(file, path, 0), axis(file, path, 1),
                           axis(file, path, 2));
        retc_free(path);
    }
    retc_free(names);
}

/* The report as it was printed. */
static void
quality_facts(FILE *out, retc_h5 *file) {
    char *text = NULL;
    if (retc_h5_read_text(file, "report", &text) == RETC_OK)
        for (const char *line = text; *line;) {
            size_t length = strcspn(line, "\n");
            fprintf(out, "%s%.*s\n", length > 0 ? "  " : "", (int)length, line);
            line += length + (line[length] == '\n');
        }
    retc_free(text);
}

static void
no_facts(FILE *out, retc_h5 *file) {
    (void)out, (void)file;
}

/* Kinds in the order in which they are looked for: by the root attribute `kind`, or by an object only they have ("*" stands
 * for any beginning of a name in the root). */
static const struct {
    const char *attribute, *object, *name;
    void (*facts)(FILE *out, retc_h5 *file);
} kinds[] = {
    {"fit checkpoint", NULL, "checkpoint of a fit", no_facts},
    {"recording", "train/stimulus", "recording", recording_facts},
    {"recording", "test/stimulus", "recording", recording_facts},
    {"contributions", "*_contributions", "contributions", contributions_facts},
    {"modes", "conv0/codes", "modes", modes_facts},
    {"predictions", "score/pearson", "predictions", predictions_facts},
    {"model", "state_dict", "model", model_facts},
    {"sta", "sta", "receptive fields (STA)", sta_facts},
    {"irf", "metadata/cells_processed", "receptive fields (IRF)", irf_facts},
    {"protocol", NULL, "responses to a protocol", protocol_result_facts},
    {"stimulus", NULL, "stimulus", stimulus_facts},
    {"quality", NULL, "quality report", quality_facts},
    {"sweep", NULL, "table of a sweep", no_facts},
    {NULL, NULL, "HDF5 file", no_facts},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static int
has_object(retc_h5 *file, const char *object) {
    char *found = NULL;
    if (!object)
        return 0;
    if (object[0] != '*')
        return retc_h5_has(file, object);
    found = find_member(file, object + 1);
    retc_free(found);
    return found != NULL;
}

const char *
retc_info_kind(retc_h5 *file) {
    char *attribute = NULL;
    size_t i = KINDS;
    if (retc_h5_get_text(file, "/", "kind", &attribute) == RETC_OK)
        for (i = 0; i + 1 < KINDS && strcmp(kinds[i].attribute, attribute) != 0;)
            ++i;
    if (i + 1 >= KINDS)
        for (i = 0; i + 1 < KINDS && !has_object(file, kinds[i].object);)
            ++i;
    retc_free(attribute);
    return kinds[i].name;
}

void
retc_info_facts(FILE *out, retc_h5 *file, const char *kind) {
    for (size_t i = 0; i < KINDS; ++i)
        if (!strcmp(kinds[i].name, kind)) {
            kinds[i].facts(out, file);
            return;
        }
}

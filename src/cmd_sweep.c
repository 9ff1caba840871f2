#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run_stages.h"
#include "sweep.h"
#include "sweep_table.h"

static const retc_usage usage = {
    .command = "sweep",
    .summary = "run an analysis for many settings, and find the best",
    .description =
        "The configuration is that of \"retcodec run\" (see its help), in which some keys vary:\n\n"
        "  [sweep]\n"
        "  [fit]\n"
        "  recording = recording.h5\n"
        "  channels0 = vary 4 8 16\n"
        "  l2 = vary 0.001 0.01 0.1\n"
        "  [predict]\n"
        "  model = @fit\n"
        "  recording = recording.h5\n\n"
        "Every combination of the values is a point: nine here.  With draws = 20 in [sweep] twenty points are drawn instead, "
        "and a key may vary over a range: vary uniform 0 0.5, vary log-uniform 0.0001 0.1, or vary integer 4 32; of values "
        "each is as likely.  The seed (of [run]) fixes the draws; more draws keep the first ones.\n\n"
        "Stages that vary, and those that use their output, run once for every point, in a folder named by its values; the "
        "others run once.  A point uses all threads; points follow one another.  A point that fails is noted in the table, "
        "and the sweep goes on; exit code 3 says that some failed or did not converge.  A sweep that was stopped goes on where "
        "it was, and so does one to which values were added: what is up to date does not run again.\n\n"
        "OUTPUT/sweep.h5 is the table: values, scores, seconds, best first.  It is written anew after every point.  "
        "OUTPUT/sweep.png draws it.  score = NAME in [sweep] says what orders it: validation_loss or validation_r of a fit, r "
        "or "
        "explained_variance of a predict, with \"fit:LABEL.\" in front where several stages have it.  Without it the first of "
        "these that there is: settings chosen by their score on the test part make that score too good.",
    .example = "retcodec sweep sweep.conf --dry-run",
};

typedef struct {
    retc_run_config *config;
    const retc_run_choices *choices;
    retc_common common;
    retc_sweep sweep;
    retc_sweep_table table;
    retc_run_ready *ready; /* the stages of the point at hand */
    const char **planned;
    char *path; /* of the table */
    retc_provenance *provenance;
    size_t shared_not_converged; /* stages that run once */
} sweeping;

/* Make the stages of a point ready. */
static int
prepare(sweeping *s, size_t point) {
    int status = RETC_OK;
    char *folder = retc_strf("%s/%s", s->choices->output, s->sweep.folder[point]);
    RETC_TRY(RETC_GOT(folder));
    retc_run_ready_free(s->ready, s->config->n);
    memset(s->planned, 0, (s->config->n + 1) * sizeof *s->planned);
    RETC_TRY(RETC_ALLOC(s->ready, s->config->n + 1));
    RETC_TRY(retc_sweep_set(&s->sweep, point));
    for (size_t i = 0; i < s->config->n; ++i)
        RETC_TRY(retc_run_prepare(s->config, s->choices, s->sweep.at_points[i] ? folder : s->choices->output, i, s->ready,
                                  s->planned));
done:
    retc_free(folder);
    return status;
}

static int
make_folder(const sweeping *s, size_t point) {
    char *folder = retc_strf("%s/%s", s->choices->output, s->sweep.folder[point]);
    int status = folder ? retc_run_make_folders(folder) : RETC_ENOMEM;
    retc_free(folder);
    return status;
}

/* A mistake in one point should not show only after hours of others. */
static int
check_points(sweeping *s) {
    int status = RETC_OK;
    for (size_t p = 0; p < s->sweep.points; ++p) {
        RETC_TRY(prepare(s, p));
        for (size_t i = 0; i < s->config->n && s->choices->dry_run; ++i)
            if (s->sweep.at_points[i] || p == 0)
                RETC_TRY(retc_run_print(&s->ready[i]));
    }
done:
    return status;
}

static int
run_shared(sweeping *s) {
    int status = prepare(s, 0);
    for (size_t i = 0; i < s->config->n && status >= 0; ++i) {
        double seconds;
        if (s->sweep.at_points[i])
            continue;
        retc_say(&s->common, "%s -> %s\n", s->config->stage[i].name, s->ready[i].output);
        fflush(stdout);
        status = retc_run_stage_run(&s->ready[i], &seconds);
        if (status < 0)
            return retc_error_prefix(status, "%s: [%s]", s->config->path, s->config->stage[i].name);
        s->shared_not_converged += status == RETC_NOT_CONVERGED;
    }
    return status < 0 ? status : RETC_OK;
}

/* Run the stages of a point: its state is noted in the table.  Fails only when the sweep cannot go on. */
static int
run_point(sweeping *s, size_t p) {
    int status = RETC_OK, not_converged = 0;
    double *seconds = s->table.seconds + p * s->config->n, took;
    RETC_TRY(prepare(s, p));
    RETC_TRY(make_folder(s, p));
    for (size_t i = 0; i < s->config->n; ++i) {
        if (!s->sweep.at_points[i])
            continue;
        int outcome = retc_run_stage_run(&s->ready[i], &took);
        if (outcome < 0) {
            s->table.state[p] = RETC_POINT_FAILED;
            RETC_TRY(RETC_GOT(s->table.reason[p] = retc_strf("[%s] %s", s->config->stage[i].name, retc_error_message())));
            goto done;
        }
        if (outcome != 1) /* it was not up to date, or it was and had not converged: the longer time is the true one */
            seconds[i] = outcome == RETC_NOT_CONVERGED && took < seconds[i] ? seconds[i] : took;
        not_converged |= outcome == RETC_NOT_CONVERGED;
    }
    s->table.state[p] = not_converged ? RETC_POINT_NOT_CONVERGED : RETC_POINT_DONE;
    if (retc_sweep_table_score(&s->table, p, s->ready) < 0) {
        s->table.state[p] = RETC_POINT_FAILED;
        RETC_TRY(RETC_GOT(s->table.reason[p] = retc_strdup(retc_error_message())));
    }
done:
    return status;
}

static int
say_point(const sweeping *s, size_t p) {
    const retc_sweep_table *table = &s->table;
    char *state = retc_sweep_table_state(table, p);
    if (!state)
        return RETC_ENOMEM;
    retc_say(&s->common, "      ");
    if (table->state[p] != RETC_POINT_FAILED)
        for (size_t i = 0; i < table->scores; ++i)
            if (isfinite(table->value[p * table->scores + i]))
                retc_say(&s->common, "%s %.4g, ", table->score[i].name, table->value[p * table->scores + i]);
    retc_say(&s->common, "%s\n", state);
    retc_free(state);
    return RETC_OK;
}

static int
run_points(sweeping *s) {
    int status = RETC_OK;
    for (size_t p = 0; p < s->sweep.points; ++p) {
        char *text = retc_sweep_point_text(&s->sweep, p);
        RETC_TRY(RETC_GOT(text));
        retc_say(&s->common, "[%zu/%zu] %s\n", p + 1, s->sweep.points, text);
        fflush(stdout);
        retc_free(text);
        RETC_TRY(run_point(s, p));
        RETC_TRY(say_point(s, p));
        RETC_TRY(retc_sweep_table_write(&s->table, s->path, s->provenance));
    }
done:
    return status;
}

/* Columns are as wide as what stands in them. */
static int
widest(const sweeping *s, size_t k) {
    size_t width = strlen(s->sweep.key[k].name);
    for (size_t p = 0; p < s->sweep.points; ++p) {
        size_t length = strlen(s->sweep.value[p * s->sweep.keys + k]);
        width = length > width ? length : width;
    }
    return (int)width;
}

/* A baseline has no epochs, and no loss of them: columns in which no point has a score are left out. */
static int
is_shown(const retc_sweep_table *table, size_t score) {
    for (size_t p = 0; p < table->sweep->points; ++p)
        if (isfinite(table->value[p * table->scores + score]))
            return 1;
    return 0;
}

static void
say_heads(const sweeping *s) {
    const retc_sweep_table *table = &s->table;
    retc_say(&s->common, "\n");
    for (size_t k = 0; k < s->sweep.keys; ++k)
        retc_say(&s->common, "%-*s  ", widest(s, k), s->sweep.key[k].name);
    for (size_t i = 0; i < table->scores; ++i)
        if (is_shown(table, i))
            retc_say(&s->common, "%8s  ", table->score[i].name);
    retc_say(&s->common, "%8s\n", "seconds");
}

static void
say_row(const sweeping *s, size_t p) {
    static const char *const ends[] = {
        [RETC_POINT_NOT_CONVERGED] = "  did not converge", [RETC_POINT_FAILED] = "  failed", [RETC_POINT_DONE] = ""};
    const retc_sweep_table *table = &s->table;
    double seconds = retc_sweep_table_seconds(table, p);
    for (size_t k = 0; k < s->sweep.keys; ++k)
        retc_say(&s->common, "%-*s  ", widest(s, k), s->sweep.value[p * s->sweep.keys + k]);
    for (size_t i = 0; i < table->scores; ++i) {
        double value = table->value[p * table->scores + i];
        int width = strlen(table->score[i].name) < 8 ? 8 : (int)strlen(table->score[i].name);
        if (is_shown(table, i) && isfinite(value))
            retc_say(&s->common, "%*.4f  ", width, value);
        else if (is_shown(table, i))
            retc_say(&s->common, "%*s  ", width, "-");
    }
    if (isfinite(seconds))
        retc_say(&s->common, "%8.1f", seconds);
    else
        retc_say(&s->common, "%8s", "-");
    retc_say(&s->common, "%s\n", ends[table->state[p]]);
}

static int
say_table(const sweeping *s) {
    enum { MOST_ROWS = 20 };
    int status = RETC_OK;
    size_t *order = NULL;
    RETC_TRY(RETC_ALLOC(order, s->sweep.points));
    retc_sweep_table_order(&s->table, order);
    say_heads(s);
    for (size_t row = 0; row < s->sweep.points && row < MOST_ROWS; ++row)
        say_row(s, order[row]);
    if (s->sweep.points > MOST_ROWS)
        retc_say(&s->common, "... and %zu more in the file\n", s->sweep.points - MOST_ROWS);
    retc_say(&s->common, "%s: best first, by %s\n", s->path, s->table.score[s->table.by].name);
done:
    retc_free(order);
    return status;
}

/* A sweep is worth having without its figure: on machines without gnuplot, say. */
static int
draw(const sweeping *s) {
    int status = RETC_OK;
    char *figure = retc_strf("--output=%s/sweep.png", s->choices->output);
    RETC_TRY(RETC_GOT(figure));
    char *argv[] = {(char[]){"figure"}, (char[]){"sweep"}, s->path, figure, (char[]){"--force"}, (char[]){"--quiet"}, NULL};
    if (retc_command_find("figure")->run(sizeof argv / sizeof *argv - 1, argv) < 0)
        retc_say(&s->common, "no figure: %s\n", retc_error_message());
    else
        retc_say(&s->common, "%s\n", figure + strlen("--output="));
done:
    retc_free(figure);
    return status;
}

/* Did all go well?  A sweep of which nothing is left has failed. */
static int
judge(const sweeping *s) {
    size_t failed = 0, not_converged = 0, first = 0, points = s->sweep.points;
    for (size_t p = points; p-- > 0;) {
        failed += s->table.state[p] == RETC_POINT_FAILED;
        not_converged += s->table.state[p] == RETC_POINT_NOT_CONVERGED;
        first = s->table.state[p] == RETC_POINT_FAILED ? p : first;
    }
    if (failed == points)
        return RETC_FAIL(RETC_EINVAL, "%s: every point failed, the first with: %s", s->config->path, s->table.reason[first]);
    if (failed)
        retc_say(&s->common, "%zu of %zu points failed, the first with: %s\n", failed, points, s->table.reason[first]);
    if (not_converged)
        retc_say(&s->common, "%zu of %zu points did not converge\n", not_converged, points);
    return failed || not_converged || s->shared_not_converged ? RETC_NOT_CONVERGED : RETC_OK;
}

static int
start_provenance(sweeping *s, uint64_t seed, int argc, char **argv) {
    int status = RETC_OK;
    char *line = retc_command_line(argc, argv);
    RETC_TRY(RETC_GOT(line));
    RETC_TRY(RETC_GOT(s->provenance = retc_provenance_alloc(line, "command=sweep", seed)));
    RETC_TRY(retc_provenance_add_input(s->provenance, s->config->path));
done:
    retc_free(line);
    return status;
}

static int
sweep_all(sweeping *s, uint64_t seed, int argc, char **argv) {
    int status = RETC_OK;
    RETC_TRY(retc_sweep_plan(s->config, seed, &s->sweep));
    RETC_TRY(retc_sweep_table_init(&s->sweep, &s->table));
    RETC_TRY(RETC_ALLOC(s->planned, s->config->n + 1));
    RETC_TRY(check_points(s));
    if (s->choices->dry_run)
        goto done;
    RETC_TRY(RETC_GOT(s->path = retc_strf("%s/sweep.h5", s->choices->output)));
    RETC_TRY(start_provenance(s, seed, argc, argv));
    RETC_TRY(retc_run_make_folders(s->choices->output));
    if (retc_sweep_table_recall(&s->table, s->path) < 0)
        retc_say(&s->common, "times of the earlier sweep are lost: %s\n", retc_error_message());
    RETC_TRY(run_shared(s));
    RETC_TRY(run_points(s));
    RETC_TRY(say_table(s));
    RETC_TRY(draw(s));
    RETC_TRY(judge(s));
done:
    return status;
}

static int
sweep(const char *path, const retc_run_choices *asked, int argc, char **argv) {
    retc_run_choices choices = *asked;
    sweeping s = {.choices = &choices, .common = {.quiet = asked->quiet}};
    char *folder = NULL;
    size_t seed = 1;
    int status = retc_run_config_read(path, &s.config);
    if (status < 0)
        return status;
    RETC_TRY(retc_run_read_choices(s.config, &choices));
    if (choices.seed && retc_parse_size(choices.seed, &seed) < 0)
        RETC_TRY(RETC_FAIL(RETC_EUSAGE, "the seed \"%s\" is not a whole number", choices.seed));
    if (!choices.output) {
        RETC_TRY(RETC_GOT(folder = retc_run_default_folder(path)));
        choices.output = folder;
    }
    choices.quiet = 1; /* a sweep says a line of a point, not a page */
    RETC_TRY(sweep_all(&s, seed, argc, argv));
done:
    retc_run_ready_free(s.ready, s.config->n);
    retc_sweep_table_free(&s.table);
    retc_sweep_free(&s.sweep);
    retc_provenance_free(s.provenance);
    retc_run_config_free(s.config);
    retc_free(s.planned);
    retc_free(s.path);
    retc_free(folder);
    return status;
}

int
retc_cmd_sweep(int argc, char **argv) {
    const char *config = NULL;
    retc_run_choices asked = {0};
    int status = RETC_OK;
    const retc_option table[] = {RETC_RUN_OPTIONS(config, asked, "commands of all points", "draws and stages"),
                                 RETC_OPTIONS_END};
    RETC_TRY(retc_options_parse(&usage, table, argc, argv));
    if (status > 0)
        return RETC_OK;
    RETC_TRY(sweep(config, &asked, argc, argv));
done:
    return status;
}

#include <stdio.h>

#include "run_stages.h"

static const retc_usage usage = {
    .command = "run",
    .summary = "run a whole analysis from a configuration file",
    .description =
        "Every section of the file is a stage, named by a command and, where a command occurs twice, a label; its keys are "
        "the command's options by their long names, those that are otherwise given bare included.  Stages run in the order "
        "of the file.\n\n"
        "A value @stage or @stage:label is the output of an earlier stage.  Any other value is expanded as a shell would: "
        "quotes, ~, $NAME, * and ?; several words make a list, which may go on in lines that start with a blank.  File names "
        "are relative to the current folder; $HERE is the folder of the configuration.  What follows # or ; after a blank is a "
        "comment.  The section [run] may set "
        "output (the folder of all results), seed and "
        "threads.\n\n"
        "  [run]\n"
        "  output = results/demo\n"
        "  [import]\n"
        "  kind = text\n"
        "  spikes = data/cell*.txt\n"
        "  [fit:ln]\n"
        "  recording = @import\n"
        "  model = ln\n\n"
        "A stage whose output was made by this version from the same inputs and options is not run again, so a run that "
        "was stopped goes on where it was.  After a stage that fails no other is run.",
    .example = "retcodec run demo.ini --dry-run",
};

static int
run_stages(const retc_run_config *config, const retc_common *common, const retc_run_ready *stages) {
    int not_converged = 0;
    for (size_t i = 0; i < config->n; ++i) {
        double seconds;
        retc_say(common, "[%zu/%zu] %s -> %s\n", i + 1, config->n, config->stage[i].name, stages[i].output);
        fflush(stdout);
        int status = retc_run_stage_run(&stages[i], &seconds);
        if (status < 0)
            return retc_error_prefix(status, "%s: [%s]", config->path, config->stage[i].name);
        not_converged |= status == RETC_NOT_CONVERGED;
        retc_say(common, "      %.1f s%s\n", seconds, status == RETC_NOT_CONVERGED ? ", did not converge" : "");
    }
    return not_converged ? RETC_NOT_CONVERGED : RETC_OK;
}

static int
print_stages(const retc_run_config *config, const retc_run_ready *stages) {
    int status = RETC_OK;
    for (size_t i = 0; i < config->n && status == RETC_OK; ++i)
        status = retc_run_print(&stages[i]);
    return status;
}

static int
run(const char *path, retc_run_choices *choices) {
    retc_common common = {.quiet = choices->quiet};
    retc_run_ready *stages = NULL;
    const char **planned = NULL; /* outputs of the stages so far, borrowed */
    char *folder = NULL;
    retc_run_config *config = NULL;
    int status = retc_run_config_read(path, &config);
    if (status < 0)
        return status;
    if (config->sweep.name)
        RETC_TRY(
            RETC_FAIL(RETC_EUSAGE, "%s:%zu: [sweep] is for retcodec sweep, not for retcodec run", path, config->sweep.line));
    RETC_TRY(retc_run_read_choices(config, choices));
    if (!choices->output) {
        RETC_TRY(RETC_GOT(folder = retc_run_default_folder(path)));
        choices->output = folder;
    }
    RETC_TRY(RETC_ALLOC(stages, config->n + 1));
    RETC_TRY(RETC_ALLOC(planned, config->n + 1));
    for (size_t i = 0; i < config->n; ++i)
        RETC_TRY(retc_run_prepare(config, choices, choices->output, i, stages, planned));
    if (choices->dry_run) {
        RETC_TRY(print_stages(config, stages));
    } else {
        RETC_TRY(retc_run_make_folders(choices->output));
        RETC_TRY(run_stages(config, &common, stages));
    }
done:
    retc_run_ready_free(stages, config->n);
    retc_free(planned);
    retc_run_config_free(config);
    retc_free(folder);
    return status;
}

int
retc_cmd_run(int argc, char **argv) {
    const char *config = NULL;
    retc_run_choices choices = {0};
    int status = RETC_OK;
    const retc_option table[] = {RETC_RUN_OPTIONS(config, choices, "commands", "all stages"), RETC_OPTIONS_END};
    RETC_TRY(retc_options_parse(&usage, table, argc, argv));
    if (status > 0)
        return RETC_OK;
    RETC_TRY(run(config, &choices));
done:
    return status;
}

#include "fit_training_arguments.h"

#include <string.h>

int
retc_fit_training_arguments_take(const retc_fit_training_arguments *arguments, retc_fit_options *fit) {
    static const char *const schedules[] = {"plateau", "constant", "cosine", "step", "exponential"}; /* as the kinds */
    for (int i = 0; retc_loss_name((retc_loss)i); ++i)
        if (strcmp(arguments->loss, retc_loss_name((retc_loss)i)) == 0)
            fit->loss = (retc_loss)i;
    for (int i = 0; i < (int)(sizeof schedules / sizeof *schedules); ++i)
        if (strcmp(arguments->schedule, schedules[i]) == 0)
            fit->schedule.kind = (retc_schedule_kind)i;
    int decoupled = strcmp(arguments->optimiser, "adamw") == 0;
    if (decoupled && !(fit->adam.weight_decay > 0))
        return RETC_FAIL(RETC_EUSAGE, "--optimiser adamw needs a --weight-decay, 0.01 say");
    if (!decoupled && fit->adam.weight_decay > 0)
        return RETC_FAIL(RETC_EUSAGE, "--weight-decay goes with --optimiser adamw; with adam give --l2");
    return RETC_OK;
}

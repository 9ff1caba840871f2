#include "contribute_output_arguments.h"

#include <string.h>

retc_output_arguments
retc_output_arguments_default(void) {
    return (retc_output_arguments){.reduce = "split",
                                   .input = "none",
                                   .reductions = {.patch = 4, .radius = 5},
                                   .pairs = retc_pairs_default(),
                                   .inputs = retc_input_default()};
}

int
retc_output_arguments_take(retc_output_arguments *a, const retc_contribute_options *contribute, const retc_network *network,
                           retc_recording *recording, const retc_progress *progress) {
    int status = RETC_OK;
    a->pairs.baseline = a->inputs.baseline = contribute->baseline;
    a->pairs.threads = a->inputs.threads = contribute->threads;
    a->pairs.refine = a->inputs.refine = retc_contribute_steps(contribute);
    RETC_TRY(retc_reduction_parse(a->reduce, &a->reductions.kinds));
    if (a->reductions.kinds & RETC_REDUCE_NEIGHBOURHOOD) {
        RETC_TRY(RETC_ALLOC(a->centre, 2 * network->N));
        RETC_TRY(retc_reduction_centres(network, recording, contribute->threads, progress, a->centre));
        a->reductions.centre = a->centre;
    }
done:
    return status;
}

void
retc_output_arguments_clear(retc_output_arguments *a) {
    retc_free(a->centre);
}

int
retc_output_arguments_write(const retc_output_arguments *a, const retc_network *network, retc_recording *recording,
                            retc_part part, const retc_target *target, retc_h5 *file, const retc_progress *progress,
                            size_t *unconverged) {
    int status = RETC_OK;
    if (a->paths)
        RETC_TRY(retc_pairs_write(network, recording, part, target, &a->pairs, file, progress, unconverged));
    if (strcmp(a->input, "none") != 0)
        RETC_TRY(retc_input_write(network, recording, part, target, &a->inputs, strcmp(a->input, "full") == 0, file, progress,
                                  unconverged));
done:
    return status;
}

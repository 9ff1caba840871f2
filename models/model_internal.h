/* What reading and writing model files share.  Internal: not installed. */
#ifndef RETC_MODEL_INTERNAL_H
#define RETC_MODEL_INTERNAL_H

#include <jansson.h>

#include "model_file.h"

extern const char retc_checkpoint_format[]; /* attribute "format" of model files */

/* The peers add it to y_stats/std: rate = output (std + 1e-5) + mean. */
static const double retc_y_stats_epsilon = 1e-5;

/* Class of a layer as PyTorch users know it; NULL for the closing scale, which is no module. */
const char *retc_layer_class(const retc_layer *layer);

/* Attributes "layers_json" and "hyps_json": of the network, the latter with what `hyps` (NULL allowed) holds beside. */
char *retc_layers_json(const retc_network *network);
char *retc_hyps_json(const retc_network *network, const json_t *hyps);

/* Everything of a model file but its layers, tensors, settings and y_stats; all of it, with such settings beside its own. */
int retc_network_write_frame(const retc_network *network, retc_h5 *file) RETC_USED;
int retc_network_write_settings(const retc_network *network, const json_t *settings, retc_h5 *file) RETC_USED;

/* /grab_units/coords from a grab layer. */
int retc_network_write_positions(const retc_layer *layer, retc_h5 *file) RETC_USED;

/* Batch norms inside stacks are of torch-deep-retina's own class, with its class's epsilon (FORMATS 4.1). */
extern const double retc_stack_epsilon;

/* A checkpoint being read. */
typedef struct {
    retc_h5 *file;
    const json_t *hyps; /* settings of the model */
    int exact_centres, collapse;
    retc_network *network;
    retc_checkpoint_notes *notes;
} retc_model_reader;

/* Append the layers of the list; names of classes are completed in it. */
int retc_model_add_layers(retc_model_reader *reader, json_t *list) RETC_USED;

/* An attribute of the file as JSON (json_decref); NULL with a reason. */
json_t *retc_model_read_json(retc_h5 *file, const char *attribute);

#endif

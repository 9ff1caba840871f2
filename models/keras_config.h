/* What Keras says of a model beside its weights: the list of layers in its JSON, of all versions.  Internal: not installed. */
#ifndef RETC_KERAS_CONFIG_H
#define RETC_KERAS_CONFIG_H

#include <jansson.h>

#include "h5.h"

typedef struct {
    json_t *json;         /* all of it */
    const json_t *layers; /* the list of layers in it */
    size_t L, H, W, N;    /* input; values the last layer gives */
} retc_keras_config;

/* From attribute model_config of the file, or from the file `architecture` (NULL: architecture.json beside the weights).  Clear
 * it with retc_keras_config_clear. */
int retc_keras_config_read(retc_h5 *file, const char *architecture, retc_keras_config *config) RETC_USED;
void retc_keras_config_clear(retc_keras_config *config);

/* Class of a layer, its name in the weights, and its settings (borrowed). */
const char *retc_keras_class(const json_t *layer);
const char *retc_keras_name(const json_t *layer);
const json_t *retc_keras_settings(const json_t *layer);

/* A setting by the first of two names (the later and the earlier one) that is there; NULL when none is. */
const json_t *retc_keras_setting(const json_t *layer, const char *name, const char *earlier);

#endif

/* Layers in words and numbers, for people: retcodec info and the diagram of a network. */
#ifndef RETC_DESCRIBE_H
#define RETC_DESCRIBE_H

#include "field.h"
#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RETC_DESCRIPTION_SIZE = 96 };

typedef enum {
    RETC_GROUP_LINEAR, /* convolutions and dense layers */
    RETC_GROUP_NORM,   /* batch norm */
    RETC_GROUP_NOISE,
    RETC_GROUP_NONLINEAR,
    RETC_GROUP_POOL, /* pools, positions, averages */
    RETC_GROUP_ADD,  /* residual additions */
    RETC_GROUP_SCALE,
    RETC_GROUPS
} retc_layer_group;

typedef struct {
    char what[RETC_DESCRIPTION_SIZE]; /* "convolution 8 @ 15x15" */
    retc_layer_group group;
    size_t fitted, kept; /* values that training changes; values that it does not, running statistics and the like */
    retc_field field;    /* in pixels, of the unit (0,0) */
} retc_layer_description;

/* Describe all layers: `description` (layers). */
int retc_network_describe(const retc_network *network, retc_layer_description *description) RETC_USED;

/* The same of a network that was read from `file`, where stacked convolutions, which reading collapses, are described as they
 * are stored. */
int retc_network_describe_file(const retc_network *network, retc_h5 *file, retc_layer_description *description) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

/* Groups, links, references and lists of a file being written: what layouts of other programs ask for beside plain datasets. */
#ifndef RETC_H5_MAKE_H
#define RETC_H5_MAKE_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make a group and those above it; one that is there already is fine. */
int retc_h5_make_group(retc_h5 *file, const char *name) RETC_USED;

/* Make a soft link `name` to the path `target`. */
int retc_h5_make_link(retc_h5 *file, const char *name, const char *target) RETC_USED;

/* A list of strings, an object reference to `target`, a 4-byte float or integer as an attribute. */
int retc_h5_set_texts(retc_h5 *file, const char *object, const char *attribute, size_t n, const char *const *texts) RETC_USED;
int retc_h5_set_reference(retc_h5 *file, const char *object, const char *attribute, const char *target) RETC_USED;
int retc_h5_set_float(retc_h5 *file, const char *object, const char *attribute, float value) RETC_USED;
int retc_h5_set_int32(retc_h5 *file, const char *object, const char *attribute, int32_t value) RETC_USED;

/* Make and write a one-dimensional dataset of u4; large ones are compressed. */
int retc_h5_put_unsigned(retc_h5 *file, const char *name, size_t n, const uint32_t *values) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

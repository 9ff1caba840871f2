/* Objects, links and references of an HDF5 file: what files of other programs hold beside plain datasets.
 *
 * Objects are called by path.  A path may lead through soft links and through links into other files. */
#ifndef RETC_H5_OBJECT_H
#define RETC_H5_OBJECT_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_H5_NOTHING, RETC_H5_GROUP, RETC_H5_DATASET } retc_h5_object;

/* Two paths lead to the same object when both numbers are equal. */
typedef struct {
    uint64_t file, address;
} retc_h5_identity;

/* What a path leads to; `identity` (NULL allowed) receives which one.  Links that lead nowhere are RETC_H5_NOTHING. */
retc_h5_object retc_h5_look(retc_h5 *file, const char *name, retc_h5_identity *identity);

/* Name of the other file when the last step of a path is a link into one (retc_free), else NULL. */
char *retc_h5_link_file(retc_h5 *file, const char *name);

/* An attribute that holds strings of any storage: one block (retc_free) as in retc_h5_members.  RETC_EFORMAT when missing. */
int retc_h5_get_texts(retc_h5 *file, const char *object, const char *attribute, char ***texts, size_t *n) RETC_USED;

/* 1 when an object has such an attribute, else 0. */
int retc_h5_has_attribute(retc_h5 *file, const char *object, const char *attribute);

/* 1 when the elements of a dataset are of an enumerated type, as truth values of h5py are; they are read as integers. */
int retc_h5_is_enumeration(retc_h5 *file, const char *name);

/* 1 when the elements of a dataset are references to objects or regions, else 0. */
int retc_h5_is_reference(retc_h5 *file, const char *name);

/* A dataset of references, of any rank, as paths (without / in front) in the file that holds them, "" for one that leads
 * nowhere: one block (retc_free) as in retc_h5_members. */
int retc_h5_read_references(retc_h5 *file, const char *name, char ***paths, size_t *n) RETC_USED;

/* The path to which a scalar attribute refers (retc_free), "" when it leads nowhere.  RETC_EFORMAT when it is no reference. */
int retc_h5_get_reference(retc_h5 *file, const char *object, const char *attribute, char **path) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

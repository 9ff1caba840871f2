#include "nwb.h"

#include <stdio.h>
#include <string.h>

/* Groups that stand deeper than this are not looked into. */
enum { MOST_DEPTH = 32 };

/* ---- kinds ----------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *type;
    retc_nwb_kind kind;
} known[] = {{"Units", RETC_NWB_UNITS},
             {"TimeIntervals", RETC_NWB_INTERVALS},
             {"ImageSeries", RETC_NWB_MOVIE},
             {"OpticalSeries", RETC_NWB_MOVIE},
             {"IndexSeries", RETC_NWB_INDEX}};

const char *
retc_nwb_in(retc_nwb_path *path, const char *object, const char *member) {
    snprintf(path->text, sizeof path->text, "%s%s%s", object, object[0] ? "/" : "", member);
    return path->text;
}

static int
has(retc_h5 *h5, const char *object, const char *member) {
    retc_nwb_path path;
    return retc_h5_has(h5, retc_nwb_in(&path, object, member));
}

/* What an object of an unknown type can be used as. */
static retc_nwb_kind
kind_by_datasets(retc_h5 *h5, const char *path) {
    retc_nwb_path data;
    int rank = 0;
    size_t shape[RETC_H5_MAX_RANK];
    if (has(h5, path, "spike_times"))
        return RETC_NWB_UNITS;
    if (has(h5, path, "start_time") && has(h5, path, "stop_time"))
        return RETC_NWB_INTERVALS;
    if (!has(h5, path, "data"))
        return RETC_NWB_OTHER;
    if (has(h5, path, "indexed_timeseries") || has(h5, path, "indexed_images"))
        return RETC_NWB_INDEX;
    if (has(h5, path, "external_file"))
        return RETC_NWB_MOVIE;
    if (!has(h5, path, "timestamps") && !has(h5, path, "starting_time"))
        return RETC_NWB_OTHER;
    if (retc_h5_shape(h5, retc_nwb_in(&data, path, "data"), &rank, shape) < 0)
        return RETC_NWB_OTHER;
    return rank == 3 || rank == 4 ? RETC_NWB_MOVIE : RETC_NWB_OTHER;
}

/* Attribute as text, or "" when it is missing or no text; retc_free. */
static char *
text_attribute(retc_h5 *h5, const char *path, const char *attribute) {
    char *text = NULL;
    if (!retc_h5_has_attribute(h5, path, attribute) || retc_h5_get_text(h5, path, attribute, &text) < 0)
        return retc_strdup("");
    return text;
}

static int
classify(retc_h5 *h5, retc_nwb_object *object) {
    int status = RETC_OK;
    char *space = NULL;
    RETC_TRY(RETC_GOT(object->type = text_attribute(h5, object->path, "neurodata_type")));
    RETC_TRY(RETC_GOT(space = text_attribute(h5, object->path, "namespace")));
    if (object->type[0] == '\0')
        goto done;
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
        if (strcmp(object->type, known[i].type) == 0) {
            object->kind = known[i].kind;
            goto done;
        }
    if (strcmp(space, "core") == 0 || strncmp(space, "hdmf-", 5) == 0)
        goto done;
    object->kind = kind_by_datasets(h5, object->path);
    object->is_extension = object->kind != RETC_NWB_OTHER;

done:
    retc_free(space);
    return status;
}

/* ---- walking through the file ---------------------------------------------------------------------------------------- */

/* Groups that were seen, as an open hash table. */
typedef struct {
    retc_h5_identity *slot;
    char *taken;
    size_t n, room; /* room: a power of two */
} seen_groups;

static size_t
slot_of(const seen_groups *seen, const retc_h5_identity *group) {
    size_t i = (size_t)((group->address ^ group->file * 31) * 0x9E3779B97F4A7C15u >> 20) & (seen->room - 1);
    while (seen->taken[i] && (seen->slot[i].address != group->address || seen->slot[i].file != group->file))
        i = (i + 1) & (seen->room - 1);
    return i;
}

static int
seen_grow(seen_groups *seen) {
    int status = RETC_OK;
    seen_groups larger = {.n = seen->n, .room = seen->room ? 2 * seen->room : 256};
    RETC_TRY(RETC_ALLOC(larger.slot, larger.room));
    RETC_TRY(RETC_ALLOC(larger.taken, larger.room));
    for (size_t i = 0; i < seen->room; ++i)
        if (seen->taken[i]) {
            size_t k = slot_of(&larger, &seen->slot[i]);
            larger.taken[k] = 1;
            larger.slot[k] = seen->slot[i];
        }
    retc_free(seen->slot);
    retc_free(seen->taken);
    *seen = larger;
    larger = (seen_groups){0};

done:
    retc_free(larger.slot);
    retc_free(larger.taken);
    return status;
}

/* 1 when the group is new, 0 when it was seen before. */
static int
seen_add(seen_groups *seen, const retc_h5_identity *group) {
    if (2 * seen->n >= seen->room && seen_grow(seen) < 0)
        return RETC_ENOMEM;
    size_t i = slot_of(seen, group);
    if (seen->taken[i])
        return 0;
    seen->taken[i] = 1;
    seen->slot[i] = *group;
    ++seen->n;
    return 1;
}

typedef struct {
    retc_nwb *nwb;
    seen_groups seen;
    size_t room; /* of nwb->object */
} walk;

static int
is_below(const char *path, const char *folder) {
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/';
}

static void
note_place(retc_nwb_object *object, const char *path) {
    object->presented |= is_below(path, "stimulus/presentation");
    object->is_template |= is_below(path, "stimulus/templates");
}

static retc_nwb_object *
find_identity(const retc_nwb *nwb, const retc_h5_identity *identity) {
    for (size_t i = 0; i < nwb->objects; ++i)
        if (nwb->object[i].identity.address == identity->address && nwb->object[i].identity.file == identity->file)
            return &nwb->object[i];
    return NULL;
}

static void
object_clear(retc_nwb_object *object) {
    retc_free(object->path);
    retc_free(object->type);
}

/* Keep the object at a path when it is of a kind that is asked for. */
static int
add_object(walk *w, const char *path, const retc_h5_identity *identity) {
    int status = RETC_OK;
    retc_nwb *nwb = w->nwb;
    retc_nwb_object object = {.identity = *identity}, *more = NULL;
    RETC_TRY(RETC_GOT(object.path = retc_strdup(path)));
    RETC_TRY(classify(nwb->h5, &object));
    if (object.kind == RETC_NWB_OTHER)
        goto done;
    if (nwb->objects == w->room) {
        RETC_TRY(RETC_ALLOC(more, 2 * w->room + 16));
        if (nwb->objects > 0)
            memcpy(more, nwb->object, nwb->objects * sizeof *more);
        retc_free(nwb->object);
        nwb->object = more;
        w->room = 2 * w->room + 16;
    }
    const char *slash = strrchr(object.path, '/');
    object.name = slash ? slash + 1 : object.path;
    note_place(&object, path);
    nwb->object[nwb->objects++] = object;
    return RETC_OK;

done:
    object_clear(&object);
    return status;
}

/* Add a name to a list that is parted by ", ", unless it is there. */
static int
list_add(char **list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = *list; at; at = strstr(at, ", ") ? strstr(at, ", ") + 2 : NULL)
        if (strncmp(at, name, n) == 0 && (at[n] == '\0' || strncmp(at + n, ", ", 2) == 0))
            return RETC_OK;
    char *longer = retc_strf("%s%s%s", *list ? *list : "", *list ? ", " : "", name);
    if (!longer)
        return RETC_ENOMEM;
    retc_free(*list);
    *list = longer;
    return RETC_OK;
}

static int
note_link(retc_nwb *nwb, const char *path, retc_h5_object leads_to) {
    char *other = retc_h5_link_file(nwb->h5, path);
    int status = other ? list_add(&nwb->linked, other) : RETC_OK;
    if (status == RETC_OK && leads_to == RETC_H5_NOTHING && !retc_h5_has(nwb->h5, path))
        status = list_add(&nwb->broken, path);
    retc_free(other);
    return status;
}

static int
walk_group(walk *w, const char *group, int depth) {
    int status = RETC_OK;
    char **names = NULL;
    size_t n = 0;
    retc_nwb_path path;
    retc_h5_identity identity;
    RETC_TRY(retc_h5_members(w->nwb->h5, group[0] ? group : "/", &names, &n));
    for (size_t i = 0; i < n; ++i) {
        if (strlen(group) + strlen(names[i]) + 2 > sizeof path.text)
            continue;
        /* What an IndexSeries takes its pictures from was not shown as it stands. */
        if (strncmp(names[i], "indexed_", 8) == 0)
            continue;
        retc_nwb_in(&path, group, names[i]);
        retc_h5_object leads_to = retc_h5_look(w->nwb->h5, path.text, &identity);
        RETC_TRY(note_link(w->nwb, path.text, leads_to));
        if (leads_to != RETC_H5_GROUP)
            continue;
        RETC_TRY(seen_add(&w->seen, &identity));
        retc_nwb_object *again = status ? NULL : find_identity(w->nwb, &identity);
        if (again)
            note_place(again, path.text);
        if (status == 0)
            continue;
        RETC_TRY(add_object(w, path.text, &identity));
        if (depth < MOST_DEPTH)
            RETC_TRY(walk_group(w, path.text, depth + 1));
    }
    status = RETC_OK;

done:
    retc_free(names);
    return status;
}

/* A series that lends its pictures to an IndexSeries was not shown as it stands. */
static void
mark_templates(retc_nwb *nwb) {
    for (size_t i = 0; i < nwb->objects; ++i) {
        retc_nwb_path path;
        retc_h5_identity identity;
        if (nwb->object[i].kind != RETC_NWB_INDEX)
            continue;
        retc_nwb_in(&path, nwb->object[i].path, "indexed_timeseries");
        retc_nwb_object *pictures =
            retc_h5_look(nwb->h5, path.text, &identity) == RETC_H5_GROUP ? find_identity(nwb, &identity) : NULL;
        if (pictures)
            pictures->is_template = 1;
    }
}

/* ---- opening --------------------------------------------------------------------------------------------------------- */

static int
check_version(retc_nwb *nwb) {
    int status = RETC_OK;
    char *type = NULL;
    RETC_TRY(RETC_GOT(nwb->version = text_attribute(nwb->h5, "/", "nwb_version")));
    RETC_TRY(RETC_GOT(type = text_attribute(nwb->h5, "/", "neurodata_type")));
    const char *path = retc_h5_path(nwb->h5);
    if (nwb->version[0] == '\0' && retc_h5_has(nwb->h5, "nwb_version"))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: is NWB 1; convert it to NWB 2 first", path));
    if (nwb->version[0] == '\0' && strcmp(type, "NWBFile") != 0)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: its root has neither nwb_version nor neurodata_type \"NWBFile\": is it NWB?", path));
    /* Some writers put a name in front: "NWB-2.0.0". */
    const char *number = strncmp(nwb->version, "NWB-", 4) == 0 ? nwb->version + 4 : nwb->version;
    if (number[0] == '0' || number[0] == '1')
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: is NWB %s; convert it to NWB 2 first", path, number));

done:
    retc_free(type);
    return status;
}

retc_nwb *
retc_nwb_open(const char *path) {
    int status = RETC_OK;
    walk w = {0};
    retc_nwb *nwb = NULL;
    retc_h5_identity root;
    RETC_TRY(RETC_ALLOC(nwb, 1));
    RETC_TRY(RETC_GOT(nwb->h5 = retc_h5_open(path)));
    RETC_TRY(check_version(nwb));
    w.nwb = nwb;
    retc_h5_look(nwb->h5, "/", &root);
    RETC_TRY(seen_add(&w.seen, &root));
    RETC_TRY(walk_group(&w, "", 0));
    mark_templates(nwb);

done:
    retc_free(w.seen.slot);
    retc_free(w.seen.taken);
    if (status < 0) {
        retc_nwb_close(nwb);
        return NULL;
    }
    return nwb;
}

void
retc_nwb_close(retc_nwb *nwb) {
    if (!nwb)
        return;
    for (size_t i = 0; i < nwb->objects; ++i)
        object_clear(&nwb->object[i]);
    retc_free(nwb->object);
    retc_free(nwb->version);
    retc_free(nwb->linked);
    retc_free(nwb->broken);
    retc_h5_close(nwb->h5);
    retc_free(nwb);
}

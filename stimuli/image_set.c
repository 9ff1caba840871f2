#include "image_set.h"

#include <string.h>

#include "folder.h"

typedef struct {
    size_t n;
    char **text; /* (n), each of its own */
} name_list;

typedef struct {
    char *path;
    size_t page;
} image_place;

struct retc_image_set {
    const char *dataset;
    double gamma;
    image_place *place;       /* of every image, (name.n) */
    name_list name, left_out; /* name: of every image */
};

/* Room for element n of an array.  It grows by doubling, as the number of images is known only at the end. */
static int
make_room(void **array, size_t n, size_t size) {
    int status = RETC_OK;
    void *larger = NULL;
    if (n & (n - 1))
        return RETC_OK;
    RETC_TRY(RETC_GOT(larger = retc_calloc(2 * n + 1, size)));
    if (n > 0)
        memcpy(larger, *array, n * size);
    retc_free(*array);
    *array = larger;

done:
    return status;
}

/* Keeps `text`, which is of its own. */
static int
add_name(name_list *list, char *text) {
    int status = RETC_OK;
    void *array = list->text;
    RETC_TRY(RETC_GOT(text));
    status = make_room(&array, list->n, sizeof *list->text);
    list->text = array;
    RETC_TRY(status);
    list->text[list->n++] = text;
    text = NULL;

done:
    retc_free(text);
    return status;
}

static void
free_names(name_list *list) {
    for (size_t i = 0; i < list->n; ++i)
        retc_free(list->text[i]);
    retc_free(list->text);
}

static int
add_file(retc_image_set *set, const char *path) {
    int status = RETC_OK;
    size_t pages = 0;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    RETC_TRY(retc_image_count(path, set->dataset, &pages));
    for (size_t page = 0; page < pages; ++page) {
        void *array = set->place;
        status = make_room(&array, set->name.n, sizeof *set->place);
        set->place = array;
        RETC_TRY(status);
        RETC_TRY(add_name(&set->name, pages > 1 ? retc_strf("%s[%zu]", base, page) : retc_strdup(base)));
        image_place *place = &set->place[set->name.n - 1];
        place->page = page;
        RETC_TRY(RETC_GOT(place->path = retc_strdup(path)));
    }

done:
    return status;
}

static int
add_folder(retc_image_set *set, const char *folder) {
    int status = RETC_OK;
    char **files = NULL;
    size_t n = 0, before = set->name.n;
    RETC_TRY(retc_folder_files(folder, &files, &n));
    for (size_t i = 0; i < n; ++i) {
        retc_image_format format;
        RETC_TRY(retc_image_look(files[i], &format));
        if (format == RETC_IMAGE_NONE)
            RETC_TRY(add_name(&set->left_out, retc_strdup(files[i])));
        else
            RETC_TRY(add_file(set, files[i]));
    }
    if (set->name.n == before)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: the folder holds no image; PGM, PPM, PNG, TIFF, JPEG or HDF5 can be read", folder));

done:
    retc_free(files);
    return status;
}

retc_image_set *
retc_image_set_open(const char *const *paths, size_t n, const char *dataset, double gamma) {
    int status = RETC_OK;
    retc_image_set *set = NULL;
    RETC_TRY(RETC_ALLOC(set, 1));
    set->dataset = dataset;
    set->gamma = gamma;
    for (size_t i = 0; i < n; ++i)
        RETC_TRY(retc_is_folder(paths[i]) ? add_folder(set, paths[i]) : add_file(set, paths[i]));
    if (set->name.n == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a set of no images is empty"));

done:
    if (status < 0) {
        retc_image_set_close(set);
        return NULL;
    }
    return set;
}

void
retc_image_set_close(retc_image_set *set) {
    if (!set)
        return;
    for (size_t i = 0; i < set->name.n; ++i)
        retc_free(set->place[i].path);
    retc_free(set->place);
    free_names(&set->name);
    free_names(&set->left_out);
    retc_free(set);
}

size_t
retc_image_set_size(const retc_image_set *set) {
    return set->name.n;
}

const char *const *
retc_image_set_names(const retc_image_set *set) {
    return (const char *const *)set->name.text;
}

const char *const *
retc_image_set_skipped(const retc_image_set *set, size_t *n) {
    *n = set->left_out.n;
    return (const char *const *)set->left_out.text;
}

retc_image *
retc_image_set_read(const retc_image_set *set, size_t i) {
    return retc_image_read(set->place[i].path, set->dataset, set->place[i].page, set->gamma);
}

#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int
retc_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int
is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Not alphasort, which follows the user's language. */
static int
by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

int
retc_folder_files(const char *path, char ***files, size_t *n) {
    int status = RETC_OK;
    struct dirent **entries = NULL;
    size_t length = strlen(path), bytes = 0;
    char **list = NULL;
    int found = scandir(path, &entries, is_visible, by_bytes);
    if (found < 0)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno)));
    for (int i = 0; i < found; ++i)
        bytes += length + strlen(entries[i]->d_name) + 2;
    RETC_TRY(RETC_GOT(list = retc_calloc((size_t)found * sizeof *list + bytes + 1, 1)));
    char *text = (char *)(list + found);
    const char *slash = length > 0 && path[length - 1] == '/' ? "" : "/";
    *n = 0;
    for (int i = 0; i < found; ++i) {
        list[*n] = text;
        text = stpcpy(stpcpy(stpcpy(text, path), slash), entries[i]->d_name) + 1;
        if (retc_is_folder(list[*n]))
            text = list[*n];
        else
            *n += 1;
    }
    *files = list;

done:
    for (int i = 0; i < found; ++i)
        free(entries[i]);
    free(entries);
    return status;
}

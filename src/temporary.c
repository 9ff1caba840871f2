#include "temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_ONCE = 8 };

static char remembered[AT_ONCE][4096]; /* fixed storage for the signal handler, "" when free */

static void
forget(const char *name) {
    for (size_t i = 0; i < AT_ONCE; ++i)
        if (!strcmp(remembered[i], name))
            remembered[i][0] = '\0';
}

char *
retc_temporary_name(const char *target) {
    char *name = retc_strf("%s.%ld.part", target, (long)getpid());
    for (size_t i = 0; name && i < AT_ONCE; ++i)
        if (remembered[i][0] == '\0') {
            snprintf(remembered[i], sizeof remembered[i], "%s", name);
            break;
        }
    return name;
}

int
retc_temporary_keep(const char *name, const char *target, int force) {
    if (!force && link(name, target) == 0) {
        retc_temporary_remove(name);
        return RETC_OK;
    }
    if (!force && errno == EEXIST)
        return RETC_FAIL(RETC_EIO, "%s: another program wrote it meanwhile; give another name, or --force to replace it",
                         target);
    if (rename(name, target) < 0)
        return RETC_FAIL(RETC_EIO, "%s: cannot be renamed from %s: %s", target, name, strerror(errno));
    forget(name);
    return RETC_OK;
}

void
retc_temporary_remove(const char *name) {
    if (!name)
        return;
    unlink(name);
    forget(name);
}

/* ---- folders --------------------------------------------------------------------------------------------------------- */

/* The folder that is being filled: "" when there is none.  Only calls that a signal handler may make remove it. */
static struct {
    char path[4096];
    int descriptor;
    const char *const *names;
} folder = {.descriptor = -1};

/* Remove the files of these names and the folder. */
static void
empty_folder(int descriptor, const char *const *names, const char *path) {
    for (size_t i = 0; names[i]; ++i)
        unlinkat(descriptor, names[i], 0);
    rmdir(path);
}

void
retc_temporary_remove_folder(void) {
    if (folder.path[0] == '\0')
        return;
    empty_folder(folder.descriptor, folder.names, folder.path);
    close(folder.descriptor);
    folder.path[0] = '\0';
}

/* A folder may be replaced that holds nothing but files of these names. */
static int
check_replaceable(const char *target, const char *const *names) {
    int status = RETC_OK;
    DIR *dir = opendir(target);
    if (!dir)
        return RETC_FAIL(RETC_EIO, "%s: %s; a folder is written there", target, strerror(errno));
    for (struct dirent *entry; status == RETC_OK && (entry = readdir(dir));) {
        size_t i = 0;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        while (names[i] && strcmp(names[i], entry->d_name) != 0)
            ++i;
        if (!names[i])
            status = RETC_FAIL(RETC_EIO, "%s: holds %s, which was not written by this command: give another name", target,
                               entry->d_name);
    }
    closedir(dir);
    return status;
}

char *
retc_temporary_folder(const char *target, const char *const *names, int force) {
    int there = access(target, F_OK) == 0;
    if (there && !force) {
        RETC_FAIL(RETC_EIO, "%s exists already; --force replaces it", target);
        return NULL;
    }
    if (there && check_replaceable(target, names) < 0)
        return NULL;
    char *path = retc_strf("%s.%ld.part", target, (long)getpid());
    if (!path)
        return NULL;
    if (mkdir(path, 0777) < 0 || (folder.descriptor = open(path, O_RDONLY | O_DIRECTORY)) < 0) {
        RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", target, strerror(errno));
        rmdir(path);
        retc_free(path);
        return NULL;
    }
    folder.names = names;
    snprintf(folder.path, sizeof folder.path, "%s", path);
    return path;
}

int
retc_temporary_keep_folder(const char *target, int force) {
    int status = RETC_OK;
    char *old = NULL;
    if (force && access(target, F_OK) == 0) {
        RETC_TRY(check_replaceable(target, folder.names));
        RETC_TRY(RETC_GOT(old = retc_strf("%s.%ld.old", target, (long)getpid())));
        if (rename(target, old) < 0)
            RETC_TRY(RETC_FAIL(RETC_EIO, "%s: cannot be replaced: %s", target, strerror(errno)));
    }
    if (rename(folder.path, target) < 0) {
        status = RETC_FAIL(RETC_EIO, "%s: cannot be renamed from %s: %s", target, folder.path, strerror(errno));
        if (old && rename(old, target) < 0)
            status = RETC_FAIL(RETC_EIO, "%s: is now called %s: %s", target, old, strerror(errno));
        goto done;
    }
    int descriptor = old ? open(old, O_RDONLY | O_DIRECTORY) : -1;
    if (descriptor >= 0) {
        empty_folder(descriptor, folder.names, old);
        close(descriptor);
    }
    close(folder.descriptor);
    folder.path[0] = '\0';
done:
    retc_free(old);
    return status;
}

void
retc_temporary_remove_all(void) {
    for (size_t i = 0; i < AT_ONCE; ++i)
        if (remembered[i][0])
            unlink(remembered[i]);
    retc_temporary_remove_folder();
}

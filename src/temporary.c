#include "temporary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

void
retc_temporary_remove_all(void) {
    for (size_t i = 0; i < AT_ONCE; ++i)
        if (remembered[i][0])
            unlink(remembered[i]);
}

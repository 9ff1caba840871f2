/* What the commands that import share. */
#ifndef RETC_CMD_IMPORT_H
#define RETC_CMD_IMPORT_H

#include "command.h"
#include "import_build.h"

/* Print what an import found, unless --quiet. */
int retc_say_import(const retc_common *common, const retc_import_report *report) RETC_USED;

#endif

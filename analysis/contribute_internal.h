/* Shared by the files that write contributions. */
#ifndef RETC_CONTRIBUTE_INTERNAL_H
#define RETC_CONTRIBUTE_INTERNAL_H

#include "contribute.h"
#include "h5.h"

int retc_contribute_write_attributes(retc_h5 *file, const retc_network *network, const retc_recording *recording,
                                     const retc_target *target, const retc_contribute_options *options) RETC_USED;

#endif

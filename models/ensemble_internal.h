/* What fitting and storing ensembles share. */
#ifndef RETC_ENSEMBLE_INTERNAL_H
#define RETC_ENSEMBLE_INTERNAL_H

#include "ensemble.h"

/* Room for a member of ensemble->N cells and ensemble->values parameters. */
int retc_ensemble_member_init(const retc_ensemble *ensemble, retc_ensemble_member *member) RETC_USED;

/* The members that are done, as the file of the checkpoint. */
int retc_ensemble_checkpoint_write(const retc_ensemble *ensemble, const retc_fit_checkpoint *checkpoint) RETC_USED;
int retc_ensemble_checkpoint_read(retc_ensemble *ensemble, const retc_fit_checkpoint *checkpoint) RETC_USED;

#endif

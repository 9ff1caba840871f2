/* The part of the simulated retina that one ganglion cell hears of: its terminals, the amacrine cells on it or on its
 * terminals, and the bipolar cells that drive any of them. */
#ifndef RETC_CIRCUIT_LOCAL_H
#define RETC_CIRCUIT_LOCAL_H

#include "circuit_data.h"

typedef struct {
    size_t terminals, amacrines, bipolars;
    size_t *terminal, *amacrine, *bipolar; /* numbers in the circuit */
    size_t *own;                           /* (terminals) place of the terminal's cell in `bipolar` */
    double *w, *m;                         /* (terminals) (amacrines) weights on the cell, 0 where there is none */
    double *presynaptic;                   /* (terminals,amacrines) */
    double *feed;                          /* (amacrines,bipolars) weights with the gain of the amacrine type */
} retc_local;

int retc_local_init(retc_local *local, const retc_circuit *circuit, size_t cell) RETC_USED;
void retc_local_clear(retc_local *local);

#endif

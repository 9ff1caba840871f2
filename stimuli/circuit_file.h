/* A simulated retina in a recording file: what it is made of.  Interneuron i < B is bipolar cell i, B + v amacrine cell v.
 *
 *   /interneurons/{type (I), x, y (I) f8}              beside /interneurons/names; um from the middle of the movie, y down
 *   /truth/config                                      text: all parameters, as retcodec simulate --config reads them
 *   /truth/cells/{type (N), x, y, direction (N) f8}    um; deg, preferred direction of direction selective cells
 *   /truth/wiring/<from>_to_<to>/{source, target (C) i8, weight (C) f8}
 *                                  bipolar_to_cell, bipolar_to_amacrine, amacrine_to_cell, amacrine_to_bipolar; interneurons as
 *                                  above, cells from 0; from amacrine cells also delay (C) f8, ms
 *   /truth/wiring/pixel_to_bipolar/{source, target, weight}
 *                                  source = row * W + column
 *   /truth/filters/<bipolar type>/{time (K), gain, threshold, center, surround, surround_weight} f8
 *                                  course of the drive after a flash of one frame, before g, lag 1 first; um
 *   /truth/filters/<amacrine type>/{time (K), gain, threshold, delay} f8
 *                                  course of its drive, lag 0 first; ms.  K: until less than 1e-9 of the largest value is left
 *   /truth/output/{gain, slope, offset, control, maximum, grey} (N) f8
 *                                  see circuit.h; grey: what is taken off the inputs
 *   /truth/rate_on_grey (N) f8     spikes/s
 *   /truth/receptive_field (N,L,H,W) f4
 *                                  spikes/s per unit of contrast, oldest frame first, lag 1 last */
#ifndef RETC_CIRCUIT_FILE_H
#define RETC_CIRCUIT_FILE_H

#include "circuit.h"
#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

int retc_circuit_write(const retc_circuit *circuit, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

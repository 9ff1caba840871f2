/* Indices by which cells are told apart in the retinal literature, from their mean responses to a protocol.
 *
 * Which of them a protocol gives follows from the parameters of its conditions, so that recordings of other stimulus programs
 * need only the same names.  A cell or protocol that an index has no meaning for gets NaN.  Conditions are compared within
 * groups that agree in all other parameters; of several groups the one with the strongest response counts. */
#ifndef RETC_PROTOCOL_INDEX_H
#define RETC_PROTOCOL_INDEX_H

#include "protocol_response.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *name, *unit, *meaning; /* unit "" for none */
    double *value;                     /* (N) */
} retc_protocol_index;

/* What a protocol gives, by the parameters of its conditions:
 *
 * temporal_frequency
 *   f1_f0                F1 / F0 of the condition with the largest F1.  F0 is the mean rate and Fk the amplitude at k
 *                        times the frequency, over whole cycles, the first left out
 *
 * temporal_frequency and several phases
 *   f2_f1                mean F2 over phases / largest F1: above 1 frequency doubling (Hochstein & Shapley 1976, their
 *                        nonlinearity index)
 *
 * direction, three or more
 *   direction_index      |sum of r exp(i d)| / sum of r, of responses r to directions d: mean rates; of gratings F0; with
 *                        a speed, of what passes once, peak rates, smoothed by 50 ms, less the rate before the trials
 *   orientation_index    |sum of r exp(2 i d)| / sum of r
 *   preferred_direction  angle of the former sum, degrees, 0 ... 360
 *
 * object and background
 *   object_motion_index  (d - g) / (d + g): mean rates d when the background moves on its own, g when it moves with the
 *                        object (Olveczky et al. 2003)
 *
 * speed 0 and others, directions in opposite pairs
 *   flash_latency        ms; peak of the response after the onset of the flash, smoothed by a Gaussian of 20 ms
 *   motion_lag           ms; the same after the middle of the moving bar passed the cell.  Peaks at times t and t' after
 *                        the bar passed the middle of the screen, in opposite directions, have the mean lag (t + t') / 2,
 *                        wherever the cell is
 *   anticipation         ms; the former less the latter (Berry et al. 1999)
 *
 * contrast of both signs, no direction
 *   on_off_index         (on - off) / (on + off) of mean rates in bright and in dark trials
 *
 * turns and reversal_time
 *   reversal_index       (p - c) / (p + c) of peak rates up to 0.4 s after the turn, and in the control
 *
 * omission_time
 *   omission_index       (p - b) / (p + b): peak rate p up to 0.4 s after the omission, mean rate b before the trials
 *
 * approach
 *   approach_index       (a - m) / (a + m): peak rates a when the thing comes near, m the larger one of the others
 *
 * diameter, three or more, no speed
 *   surround_suppression 1 - rate with the largest disc / largest rate
 *
 * contrast-steps needs more than mean responses: see retc_protocol_adaptation. */
int retc_protocol_indices(const retc_protocol_response *response, retc_protocol_index **indices, size_t *n) RETC_USED;

/* Add the indices of contrast adaptation to those that are there, when the protocol is contrast-steps with two contrasts at
 * least and trials are given in frames.  Of each cell and of the lowest and the highest contrast: the filter h of unit norm,
 * `history` s long, by correlation of counts with the mean contrast of the frames; and the rate as a function of the filtered
 * contrast.
 *
 *   gain_ratio            slope of that function in high over that in low contrast, where both have values: the inner two
 *                         standard deviations of the low contrast.  1 whenever the cell is a fixed filter and nonlinearity,
 *                         below 1 when it adapts (Baccus & Meister 2002)
 *   filter_peak_low, filter_peak_high, filter_speedup   time of the filter's peak, ms, and by how much it is earlier in high
 *                         contrast
 *   rate_decay            (e - l) / (e + l): mean rates in the first and in the last quarter of the trials of high contrast */
int retc_protocol_adaptation(retc_recording *recording, const retc_protocol_response_options *options, double history,
                             const retc_protocol_response *response, retc_protocol_index **indices, size_t *n) RETC_USED;

void retc_protocol_indices_free(retc_protocol_index *indices, size_t n);

/* The index that tells most, by which figures sort: NULL when there is none. */
const retc_protocol_index *retc_protocol_main_index(const retc_protocol_index *indices, size_t n);

/* Amplitude of the PSTH of a cell and condition at `harmonic` times its temporal_frequency, spikes/s (0: the mean). */
double retc_protocol_harmonic(const retc_protocol_response *response, size_t cell, size_t condition, unsigned harmonic);

/* Write what cells answered and the indices: root attributes kind = "protocol", protocol, part, bin; /cell_names, /cell_types,
 * /conditions/..., /condition_names, /shown (C), /duration (C), /time (B), /psth (N,C,B), /rate (N,C), /baseline (N),
 * /harmonics (N,C,3) with a temporal frequency, /stimulus (C,B,places) with the attribute axis, /index/<name> (N) with the
 * attributes unit and meaning, and the root attribute main_index. */
int retc_protocol_write(const retc_protocol_response *response, const retc_protocol_index *indices, size_t n,
                        retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif

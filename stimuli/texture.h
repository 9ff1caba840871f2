/* Scenes made by chance, for want of photographs. */
#ifndef RETC_TEXTURE_H
#define RETC_TEXTURE_H

#include <stdint.h>

#include "scene.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A Gaussian random texture with the amplitude spectrum of natural scenes, 1/f^a up to 0.5 cycles per pixel in every direction,
 * without edges: it repeats after `side` pixels, a power of two, 8 ... 8192.  `exponent` is a, 0 ... 4.  Mean 0 and standard
 * deviation 1 over all of it.  NULL with a recorded reason. */
retc_scene *retc_texture_alloc(size_t side, double exponent, uint64_t seed);

/* Dead leaves: discs fall on each other until they hide the ground; each has a grey of its own, uniform in 0 ... 1, and its
 * radius r the density r^-3 from `smallest` to `largest`, at which the picture looks alike at all scales between them (Lee,
 * Mumford & Huang 2001, Int J Comput Vision 41:35).  Two points at a distance d have the covariance
 *     1/12 g(d) / (2 g(0) - g(d)),   g(d) = mean area that a disc shares with itself moved by d.
 * `side` x `side` pixels, 8 ... 8192; radii in pixels.  It does not repeat.  NULL with a recorded reason. */
retc_scene *retc_dead_leaves_alloc(size_t side, double smallest, double largest, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif

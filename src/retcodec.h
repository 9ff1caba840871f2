/* retcodec: which interneurons make a retinal ganglion cell respond, moment by moment.  This header includes all others.
 *
 * Ownership, once for the whole library: the caller owns what `alloc`, `open`, `create` or `read` gave and passes it to the
 * matching `free` or `close`; plain memory goes to retc_free; a pointer from a getter is borrowed and const; nothing keeps
 * an argument unless its comment says "keeps"; freeing NULL is fine.
 *
 * Letters of dimensions: T frames, H W pixels, L history (frames a model sees), N cells, C channels, U units, K kernel
 * side, F features, A atoms, M modes, R repeats, B blocks.  Arrays are C order, the last index fastest.
 *
 * Argument order: object, inputs (const), sizes, outputs. */
#ifndef RETCODEC_H
#define RETCODEC_H

/* base */
#include "conv.h"
#include "error.h"
#include "fft.h"
#include "fftconv.h"
#include "gather.h"
#include "h5.h"
#include "h5_make.h"
#include "h5_object.h"
#include "mat.h"
#include "options.h"
#include "parallel.h"
#include "progress.h"
#include "provenance.h"
#include "rng.h"
#include "rows.h"
#include "stats.h"
#include "xcorr.h"

/* stimuli */
#include "circuit.h"
#include "circuit_config.h"
#include "circuit_file.h"
#include "circuit_truth.h"
#include "coverage.h"
#include "crop.h"
#include "events.h"
#include "experiments.h"
#include "export_csv.h"
#include "export_nwb.h"
#include "export_open_retina.h"
#include "export_timeline.h"
#include "eye_path.h"
#include "frozen.h"
#include "gallery.h"
#include "grating.h"
#include "image.h"
#include "image_set.h"
#include "import_build.h"
#include "import_join.h"
#include "import_matlab.h"
#include "interneurons.h"
#include "import_nwb.h"
#include "import_open_retina.h"
#include "import_text.h"
#include "log_polar.h"
#include "mosaic.h"
#include "movie.h"
#include "movie_input.h"
#include "movie_kinds.h"
#include "movie_spectrum.h"
#include "natural_movie.h"
#include "npy.h"
#include "nwb.h"
#include "protocol.h"
#include "protocol_kinds.h"
#include "recipe.h"
#include "recording.h"
#include "recording_write.h"
#include "resize.h"
#include "scene.h"
#include "simulate.h"
#include "spectral_noise.h"
#include "spike_train.h"
#include "stimulus_file.h"
#include "text.h"
#include "texture.h"
#include "trials.h"
#include "video.h"
#include "white_noise.h"

/* models */
#include "adam.h"
#include "fit.h"
#include "ln.h"
#include "model_file.h"
#include "network.h"
#include "reference.h"
#include "reverse_correlation.h"
#include "split.h"
#include "stacked.h"
#include "stream.h"
#include "tape.h"
#include "trainer.h"

/* analysis */
#include "contribute.h"
#include "contribute_file.h"
#include "irf.h"
#include "modes.h"
#include "predict.h"
#include "predict_file.h"
#include "protocol_index.h"
#include "protocol_response.h"
#include "quality.h"
#include "reliability.h"
#include "sae.h"
#include "sta.h"
#include "target.h"

#endif

#!/bin/sh
# Recordings of interneurons, written by h5py, and what is answered to files that are none.
. "$RETC_TESTS/cli/lib.sh"

# A recording of two cells under flashes and boxes.
written_by_h5py() {
    python=
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c 'import h5py' 2>/dev/null; then python=$candidate; fi
    done
    [ -n "$python" ] || skip "no h5py (Debian: python3-h5py)"
    "$python" - <<'END'
import h5py
import numpy as np

with h5py.File("amacrines_late_2012.h5", "w") as f:
    for stimulus, shape in (("flashes", (90,)), ("boxes", (90, 38, 38))):
        f[stimulus + "/stimuli"] = np.arange(np.prod(shape), dtype="f4").reshape(shape) % 2
        f[stimulus + "/detrended_membrane_potential"] = np.arange(180.0).reshape(2, 90)
    f["boxes/rfs/040412_c1"] = np.zeros((2, 2))
    f["boxes/rfs/040412_c3"] = np.zeros((2, 2))
END
}

imported() {
    written_by_h5py
    expect 0 "$RETCODEC" import interneurons amacrines_late_2012.h5 -o potentials.h5
    prints "boxes: 90 frames, 2 cells"
    prints "flashes: 90 frames, 2 cells"
    prints "centres of receptive fields: not known of this file"
    expect 0 "$RETCODEC" info potentials.h5
    prints "boxes/potential"
    expect 1 "$RETCODEC" import interneurons amacrines_late_2012.h5 -o potentials.h5
    complains "exists already"
    one_line
    expect 1 "$RETCODEC" fit potentials.h5 -m ln -o model.h5
    complains 'is a file of kind "interneurons", expected "recording"'
    one_line
    absent model.h5
}

refused() {
    says=$1
    shift
    expect 1 "$RETCODEC" import interneurons "$@" -o refused.h5
    complains "$says"
    one_line
    absent refused.h5
    no_leftovers
}

other_files() {
    "$RETCODEC" stimulus white-noise --frames 20 --height 5 --width 6 -o movie.h5 -q
    echo text >text.h5
    refused "movie.h5: has none of the groups boxes, flashes and lines" movie.h5
    refused "text.h5: not an HDF5 file" text.h5
    refused "absent.h5: No such file" absent.h5
    expect 2 "$RETCODEC" import interneurons movie.h5 --frame-interval 0 -o refused.h5
    complains "--frame-interval"
}

run_cases imported other_files

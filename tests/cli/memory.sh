#!/bin/sh
# Movies that --memory does not hold are read from the file where they are used: the same results, bit by bit.
. "$RETC_TESTS/cli/lib.sh"

# A movie of floats and one of bytes.
make_recording() {
    "$RETCODEC" stimulus white-noise --distribution gaussian --frames 3000 --height 8 --width 8 -q -o movie.h5
    "$RETCODEC" stimulus white-noise --frames 800 --height 8 --width 8 --seed 2 -q -o test.h5
    "$RETCODEC" simulate --train movie.h5 --test test.h5 --cells 2 -q -o recording.h5
}

# same NAME COMMAND...: with the default and with no memory at all.
same() {
    name=$1
    shift
    expect 0 "$RETCODEC" "$@" --no-provenance -q -o "$name.h5"
    expect 0 "$RETCODEC" "$@" --no-provenance -q --memory 0 -o "$name-streamed.h5"
    cmp "$name.h5" "$name-streamed.h5" || fail "$name: --memory 0 gives another result"
}

results_are_the_same() {
    make_recording
    same cnn fit recording.h5 --history 8 --kernel0 3 --kernel1 2 --epochs 40 --patience 2
    same ln fit recording.h5 --model ln --history 8
    same prediction predict cnn.h5 recording.h5
    same contributions contribute cnn.h5 recording.h5
    same sta rf sta recording.h5 --history 8
    same irf rf irf cnn.h5 recording.h5 --cells 0
}

run_cases results_are_the_same

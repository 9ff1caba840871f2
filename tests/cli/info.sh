#!/bin/sh
# What `retcodec info` says of files, those of other programs included.
. "$RETC_TESTS/cli/lib.sh"

recording() {
    "$RETCODEC" stimulus white-noise --frames 1200 --height 6 --width 7 -q -o train.h5
    "$RETCODEC" stimulus white-noise --frames 120 --height 6 --width 7 --seed 2 -q -o test.h5
    "$RETCODEC" simulate --train train.h5 --test test.h5 --cells 2 --repeats 5 -q -o recording.h5
    expect 0 "$RETCODEC" info recording.h5
    prints "recording.h5: recording"
    prints "  cells          2: cell01 cell02"
    prints "  train          1200 frames, 20.0 s"
    prints "  test           120 frames, 2.0 s, 5 repeats"
    prints "  frame          6 x 7 pixels"
    prints "  frame rate     60 Hz (16.67 ms)"
    prints "  train.h5"
    prints "more; --datasets lists all"
    input=$(sha256sum train.h5)
    prints "  input          $input"
    expect 0 "$RETCODEC" info recording.h5 --datasets
    prints "    train/stimulus                               (1200,6,7) u1"
    prints "    test/repeats/"
    not grep -q "lists all" out
    expect 0 "$RETCODEC" info train.h5 test.h5
    prints "train.h5: stimulus"
    prints "test.h5: stimulus"
    prints "  stimulus       white-noise"
}

receptive_fields() {
    "$RETCODEC" stimulus white-noise --frames 1200 --height 6 --width 7 -q -o train.h5
    "$RETCODEC" simulate --train train.h5 --cells 2 -q -o recording.h5
    "$RETCODEC" rf sta recording.h5 --history 12 --shuffles 0 -q -o rf.h5
    expect 0 "$RETCODEC" info rf.h5
    prints "rf.h5: receptive fields (STA)"
    prints "  average        12 frames of 6 x 7 pixels, lag 1"
    "$RETCODEC" fit recording.h5 -m ln --history 12 -q -o model.h5
    expect 0 "$RETCODEC" info model.h5
    prints "model.h5: model"
    prints "  type           ln"
    prints "  sees           12 frames of 6 x 7 pixels"
    prints "0 convolution 2 @ 6x7"
}

# Files of the peers' programs, and any other HDF5 file.
other_programs() {
    shared=${RETC_SHARED:-$RETC_TESTS/../../shared}
    [ -r "$shared/goldens/tiny.h5" ] || skip "no folder of shared files"
    for file in "$shared"/goldens/*.h5; do
        expect 0 "$RETCODEC" info "$file"
        prints "$file: "
        [ ! -s err ]
        expect 0 "$RETCODEC" info "$file" --datasets
    done
    expect 0 "$RETCODEC" info "$shared/goldens/vary_checkpoint.h5"
    prints "vary_checkpoint.h5: model"
}

failures() {
    expect 1 "$RETCODEC" info nothing.h5
    complains "retcodec info: nothing.h5: No such file or directory"
    echo text >some.txt
    expect 1 "$RETCODEC" info some.txt
    complains "retcodec info: some.txt: not an HDF5 file"
    expect 1 "$RETCODEC" info .
    complains "retcodec info: .: is a folder"
    expect 2 "$RETCODEC" info
    complains "retcodec info: --files is missing"
}

run_cases recording receptive_fields other_programs failures

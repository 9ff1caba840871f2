#!/bin/sh
# The options that every command shares which opens a recording.
. "$RETC_TESTS/cli/lib.sh"

make_recording() {
    [ ! -e ../15-10-07/naturalscene.h5 ] || return 0
    mkdir -p ../15-10-07
    "$RETCODEC" stimulus white-noise --frames 1200 --height 5 --width 6 -o ../train.h5 -q
    "$RETCODEC" stimulus white-noise --frames 120 --height 5 --width 6 --seed 2 -o ../test.h5 -q
    "$RETCODEC" simulate --train ../train.h5 --test ../test.h5 --cells 6 --repeats 4 -o ../15-10-07/naturalscene.h5 -q
}
recording=../15-10-07/naturalscene.h5

# A model of some cells wants these of the recording again.
cells() {
    make_recording
    expect 0 "$RETCODEC" fit $recording -m ln --history 8 --cells 4,1 -o model.h5
    prints "ln model of 2 cells"
    expect 0 "$RETCODEC" predict model.h5 $recording --cells 4,1 -o predictions.h5
    expect 1 "$RETCODEC" predict model.h5 $recording -o refused.h5
    complains "the recording has 6 cells, the model 2"
    one_line
    expect 0 "$RETCODEC" contribute model.h5 $recording --cells 4,1 --target sum -o contributions.h5
    expect 0 "$RETCODEC" rf irf model.h5 $recording --cells 1 --samples 2 -o irf.h5
    absent refused.h5
}

good_cells() {
    make_recording
    expect 0 "$RETCODEC" rf sta $recording --history 8 --shuffles 0 --cells good -o sta.h5
    [ "$(grep -c ' O[NF]' out)" -eq 5 ] || fail "$(cat out)"
    expect 1 "$RETCODEC" rf sta $recording --history 8 --shuffles 0 --cells good --experiment 16-01-08 -o refused.h5
    complains '"16-01-08" is not one of its cells: they are 0 to 5'
    one_line
    absent refused.h5
}

frames() {
    make_recording
    expect 0 "$RETCODEC" rf sta $recording --history 8 --shuffles 0 --blocks 6 --nskip 50 --borders joined -o joined.h5
    expect 0 "$RETCODEC" rf sta $recording --history 8 --shuffles 0 --blocks 6 --nskip 50 -o apart.h5
    not cmp -s joined.h5 apart.h5
    expect 1 "$RETCODEC" rf sta $recording --history 8 --shuffles 0 --blocks 7 -o refused.h5
    complains "the 1200 frames of train/time are not 7 equal blocks"
    one_line
    expect 1 "$RETCODEC" fit $recording -m ln --history 8 --nskip 1200 -o refused.h5
    complains "1200 are to be skipped"
    one_line
    absent refused.h5
}

run_cases cells good_cells frames

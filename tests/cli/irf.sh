#!/bin/sh
# Instantaneous receptive fields: both layouts, threads, what other programs read, bad input.
. "$RETC_TESTS/cli/lib.sh"

# A recording and a model of it, once for all cases.
model() {
    [ ! -e ../cnn.h5 ] || return 0
    "$RETCODEC" stimulus white-noise --frames 1500 --height 8 --width 9 -q -o train.h5
    "$RETCODEC" stimulus white-noise --frames 150 --height 8 --width 9 --seed 2 -q -o test.h5
    "$RETCODEC" simulate --train train.h5 --test test.h5 --cells 3 --repeats 2 -q -o ../recording.h5
    "$RETCODEC" fit ../recording.h5 --history 8 --kernel0 3 --kernel1 2 --epochs 1 -q -o ../cnn.h5 || [ $? -eq 3 ] # one epoch is no fit
}

irf() {
    "$RETCODEC" rf irf ../cnn.h5 ../recording.h5 -q "$@"
}

read_by_python() {
    model
    irf --cells 0,2 --rank 3 --ig-steps 4 --lags 10 -o irf.h5
    status=0
    /usr/bin/python3 "$RETC_TESTS/h5py/read_irf.py" irf.h5 ../recording.h5 >log 2>&1 || status=$?
    [ "$status" -ne 77 ] && [ "$status" -ne 127 ] || skip "no python3-h5py to read receptive fields: $(cat log)"
    [ "$status" -eq 0 ] || fail "$(tail -3 log)"
}

threads_do_not_matter() {
    model
    irf --ig-steps 2 --pixel-size 50 --threads 1 --no-provenance -o one.h5
    irf --ig-steps 2 --pixel-size 50 --threads 3 --no-provenance -o three.h5
    cmp one.h5 three.h5
}

layouts() {
    model
    irf --cells 1 --layout full -o full.h5
    irf --cells 1 --layout compact -o compact.h5
    expect 0 "$RETCODEC" info full.h5
    expect 0 "$RETCODEC" info compact.h5
    prints "receptive fields"
    grep -aq regular_irf_all full.h5
    not grep -aq regular_irf_all compact.h5
    irf --cells 1 --layout full --ig-steps 2 -o full-ig.h5
    irf --cells 1 --layout compact --ig-steps 2 -o compact-ig.h5
    grep -aq ig_irf_all full-ig.h5
    not grep -aq 'ig_irf_all\|regular_irf_all' compact-ig.h5
    grep -aq ig_compact compact-ig.h5
    [ "$(wc -c <compact.h5)" -lt "$(wc -c <full.h5)" ]
    expect 0 "$RETCODEC" rf sta ../recording.h5 --history 6 -q -o sta.h5
    for layout in full compact; do
        expect 0 "$RETCODEC" figure irf $layout.h5 -q -o $layout.png
        expect 0 "$RETCODEC" figure irf-sta $layout.h5 sta.h5 -q -o $layout-sta.png
    done
    expect 2 "$RETCODEC" figure irf-sta full.h5 -q -o no.png
    complains "irf-sta takes a file of IRFs and one of STAs, 1 are given"
}

refused() {
    says=$1
    shift
    expect 1 "$RETCODEC" rf irf "$@" -q -o refused.h5
    complains "$says"
    one_line
    absent refused.h5
    no_leftovers
}

bad_input() {
    model
    expect 2 irf --cells 3 -o no.h5
    complains '--cells: "3" is not a cell from 0 to 2'
    expect 2 irf --cells 1,1 -o no.h5
    complains '--cells: cell 1 is named twice'
    expect 2 irf --every 0 -o no.h5
    complains '--every'
    refused "sample 5000 is asked for, there are 142" ../cnn.h5 ../recording.h5 --first 5000
    refused "a rank of 9 is asked for; a receptive field of 8 frames by 72 pixels has ranks 1 to 8" ../cnn.h5 ../recording.h5 --rank 9
    absent no.h5
}

run_cases read_by_python threads_do_not_matter layouts bad_input

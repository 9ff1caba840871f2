#!/bin/sh
# Responses to a protocol at the command line: trials from a table, indices, the figure, and what is refused.
. "$RETC_TESTS/cli/lib.sh"

# Two cells and bars in four directions, five trials of each: one answers to the first direction only, one to all.
recording() {
    awk 'BEGIN { for (i = 0; i < 2200; ++i) print i / 100 }' >frames.txt
    awk 'BEGIN { for (i = 0; i < 2200; ++i) print i % 7 }' >levels.txt
    awk 'BEGIN { print "onset duration direction"
        for (k = 0; k < 20; ++k) print k + 1, 0.5, k % 4 * 90 }' >trials.txt
    awk 'BEGIN { for (k = 0; k < 20; k += 4) for (i = 0; i < 10; ++i) print k + 1.105 + i / 100 }' >selective.txt
    awk 'BEGIN { for (k = 0; k < 20; ++k) for (i = 0; i < 4; ++i) print k + 1.205 + i / 100 }' >broad.txt
    expect 0 "$RETCODEC" import text --frames frames.txt --stimulus levels.txt selective.txt broad.txt -o recording.h5 -q
}

indices() {
    recording
    expect 0 "$RETCODEC" protocol recording.h5 --trials trials.txt --protocol bars -o responses.h5
    prints "responses.h5: bars, 20 trials of 4 conditions, 2 cells"
    prints "direction_index 1 "
    prints "preferred_direction 0 degrees"
    prints "direction_index 0  orientation_index 0  preferred_direction -"
    expect 0 "$RETCODEC" info responses.h5
    prints "responses to a protocol"
    prints "protocol       bars"
    prints "direction_index"
    prints "psth"
}

figure() {
    recording
    expect 0 "$RETCODEC" protocol recording.h5 --trials trials.txt --bin 50 -o responses.h5 -q
    status=0
    "$RETCODEC" figure protocol responses.h5 -o figure.png >out 2>err || status=$?
    grep -q '^# psth 2 4$' figure.txt || fail "the table lacks a block"
    grep -q '"direction index"' figure.txt || fail "the table lacks the index"
    # 10 spikes in 0.1 s of 5 trials are 100 Hz.
    grep -q '^1 "selective" 100 $' figure.txt || fail "the table has other rates: $(grep -A3 '^# rows' figure.txt)"
    if [ "$status" -ne 0 ]; then
        complains "gnuplot"
        skip "no gnuplot"
    fi
    [ -s figure.png ]
    expect 0 "$RETCODEC" figure protocol responses.h5 --cells broad -o one.svg
    [ -s one.svg ]
}

refused() {
    says=$1
    shift
    expect 1 "$RETCODEC" "$@" -o no.h5
    complains "$says"
    one_line
    absent no.h5
    no_leftovers
}

wrong_input() {
    recording
    refused "recording.h5: there are no trials; make its stimulus with a protocol" protocol recording.h5
    refused "there are no trials in part test" protocol recording.h5 --part test
    printf 'onset direction\n1 0\n' >short.txt
    refused 'short.txt: columns "onset", "duration" and a parameter at least are expected' protocol recording.h5 --trials short.txt
    printf 'onset duration direction\n1 0.5 left\n' >words.txt
    refused 'words.txt: line 2: "left" is not a number' protocol recording.h5 --trials words.txt
    refused "absent.txt" protocol recording.h5 --trials absent.txt
    refused '"nobody" is not one of its cells' protocol recording.h5 --trials trials.txt --cells nobody
    expect 1 "$RETCODEC" figure protocol recording.h5 -o no.png
    complains "recording.h5"
    absent no.png no.txt
}

# A simulated recording carries the trials of its stimuli, each part its own.
simulated() {
    expect 0 "$RETCODEC" stimulus drifting-grating --directions 0,90,180 --trial 0.5 --repeats 2 --height 12 --width 12 -o train.h5 -q
    expect 0 "$RETCODEC" stimulus flashes --repeats 2 --height 12 --width 12 -o test.h5 -q
    expect 0 "$RETCODEC" simulate --train train.h5 --test test.h5 --repeats 5 --truth none -o recording.h5 -q
    expect 0 "$RETCODEC" info recording.h5
    prints "train          6 trials of 3 conditions"
    prints "test           4 trials of 2 conditions"
    expect 0 "$RETCODEC" protocol recording.h5 -o test-responses.h5
    prints "flashes, 4 trials of 2 conditions, 4 cells"
    prints "on_off_index"
    expect 0 "$RETCODEC" protocol recording.h5 --part train --truth -o train-responses.h5
    prints "drifting-grating, 6 trials of 3 conditions"
    prints "direction_index"
    expect 1 "$RETCODEC" protocol recording.h5 --trials absent.txt -o no.h5
    absent no.h5
}

run_cases indices figure wrong_input simulated

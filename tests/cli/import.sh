#!/bin/sh
# Recordings of other people's formats at the command line: NWB and open-retina, both ways, and what is answered to mistakes.
. "$RETC_TESTS/cli/lib.sh"

# A small simulated recording, and what export makes of it.
made() {
    "$RETCODEC" stimulus white-noise --frames 600 --height 4 --width 5 -q -o train.h5
    "$RETCODEC" stimulus white-noise --frames 60 --height 4 --width 5 --seed 2 -q -o test.h5
    "$RETCODEC" simulate --train train.h5 --test test.h5 --cells 2 --repeats 3 -q -o recording.h5
}

# refused STATUS TEXT COMMAND...: one line on stderr that holds TEXT, and no output.
refused() {
    wanted=$1 says=$2
    shift 2
    expect "$wanted" "$RETCODEC" import "$@" -o refused.h5
    complains "$says"
    one_line
    absent refused.h5
    no_leftovers
}

formats() {
    expect 2 "$RETCODEC" import
    complains "retcodec import: which format, text, "
    one_line
    refused 2 "which format, text, " excel file.xls
    for format in text nwb open-retina; do
        expect 0 "$RETCODEC" import $format --help
        prints "import $format: "
        [ "$(grep -c '^Usage:' out)" -eq 1 ]
    done
}

# same: recording.h5 and back.h5 have the same spike-triggered averages: the same spikes at the same frames of the same movie.
same() {
    for file in recording back; do
        expect 0 "$RETCODEC" rf sta $file.h5 --history 6 --shuffles 0 --no-provenance -o $file-sta.h5
        sed 's/^cell..*  *\([0-9]* *[OF-]\)/\1/; s/^[a-z0-9]* *//' out >$file.txt
    done
    cmp recording.txt back.txt
}

nwb_both_ways() {
    made
    expect 0 "$RETCODEC" export nwb recording.h5 --session-start 2026-01-02T03:04:05Z -o session.nwb
    expect 0 "$RETCODEC" import nwb session.nwb --names cell_name --test part=test -o back.h5
    prints "test: 60 frames, 3 repeats"
    prints "taken for granted"
    same
    refused 1 "session.nwb: --test part=tset: no table of intervals is called so, and no row holds it" nwb session.nwb --test part=tset
    refused 1 'session.nwb: --where: "units" has no column "kind"' nwb session.nwb --where kind=ON
    refused 1 "session.nwb: --cells: no unit has an id of 7" nwb session.nwb --cells 7
    refused 1 "session.nwb: no series is called \"film\": choose with --stimulus from " nwb session.nwb --stimulus film
    refused 2 '--axes: "xyt" is not one of txy|tyx' nwb session.nwb --axes xyt
    refused 2 '--grey: "black" is not "auto" or two different values BLACK:WHITE' nwb session.nwb --grey black
    refused 1 "its root has neither nwb_version nor neurodata_type" nwb recording.h5
    head -c 3000 session.nwb >short.nwb
    refused 1 "short.nwb: the HDF5 file is truncated" nwb short.nwb
    refused 1 "nothing.nwb: No such file or directory" nwb nothing.nwb
    expect 1 "$RETCODEC" import nwb session.nwb -o session.nwb --force
    complains "session.nwb is an input and cannot be the output as well"
}

open_retina_both_ways() {
    made
    mkdir sessions
    expect 0 "$RETCODEC" export open-retina recording.h5 -o sessions/a.h5
    expect 0 "$RETCODEC" import open-retina sessions --test test -o back.h5
    prints "test: 60 frames, 3 repeats"
    prints "responses: taken as "
    same
    refused 1 "sessions/a.h5: --test: there is no responses_tset" open-retina sessions/a.h5 --test tset
    refused 1 "no session file (.h5, .hdf5) is in this folder" open-retina "$(mkdir empty && echo empty)"
    refused 1 "recording.h5: has no dataset responses_<stimulus>: is it an open-retina session?" open-retina recording.h5
    refused 2 '--channel: "3" is neither "mean" nor a channel from 0 to 0' open-retina sessions --channel 3
    refused 1 "nothing: No such file or directory" open-retina nothing
}

run_cases formats nwb_both_ways open_retina_both_ways

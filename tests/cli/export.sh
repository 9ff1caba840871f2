#!/bin/sh
# Recordings in the formats of other programs, read back by one of them where it is installed.
. "$RETC_TESTS/cli/lib.sh"

# A simulated recording of bytes, without spike times; and an imported one of numbers with them, in trials.
recordings() {
    [ ! -e ../done ] || return 0
    "$RETCODEC" stimulus white-noise --frames 900 --height 4 --width 6 -q -o train.h5
    "$RETCODEC" stimulus white-noise --frames 120 --height 4 --width 6 --seed 2 -q -o test.h5
    "$RETCODEC" simulate --train train.h5 --test test.h5 --cells 3 --repeats 4 -q -o ../simulated.h5
    awk 'BEGIN { for (i = 0; i < 1000; ++i) print 5 + i / 75 + (i % 7) / 5000 }' >frames.txt
    awk 'BEGIN { for (i = 0; i < 1000; ++i) print (i % 100 >= 70 ? (i % 100) * 17 % 31 : i * i % 97) / 7 }' >stimulus.txt
    awk 'BEGIN { for (t = 4.9; t < 18.7; t += 0.0713) print t }' >'a,b.txt'
    awk 'BEGIN { for (t = 5.1; t < 18; t += 0.0291) printf "%.17g\n", t / 3 * 3 }' >c.txt
    "$RETCODEC" import text --frames frames.txt --stimulus stimulus.txt --running 70 --frozen 30 'a,b.txt' c.txt -q \
        -o ../imported.h5
    touch ../done
}

# read_back KIND RECORDING EXPORTED
read_back() {
    status=0
    /usr/bin/python3 "$RETC_TESTS/h5py/read_export.py" "$@" >log 2>&1 || status=$?
    [ "$status" -ne 77 ] && [ "$status" -ne 127 ] || skip "no python3-h5py to read exports: $(cat log)"
    [ "$status" -eq 0 ] || fail "$*: $(tail -3 log)"
}

start="--session-start 2015-10-07T14:00:00+02:00"

nwb_of_counts() {
    recordings
    expect 0 "$RETCODEC" export nwb ../simulated.h5 $start -o out.nwb
    prints "note: the recording holds counts of spikes, not their times: the spikes of a frame are spread evenly inside it"
    prints "parts follow each other with pauses"
    read_back nwb ../simulated.h5 out.nwb
}

nwb_of_times() {
    recordings
    expect 0 "$RETCODEC" export nwb ../imported.h5 $start -o out.nwb
    prints "times: those of the recording"
    not grep -q "spread evenly" out
    read_back nwb-raw ../imported.h5 out.nwb
}

nwb_is_reproducible() {
    recordings
    "$RETCODEC" export nwb ../imported.h5 $start --no-provenance -q -o a.nwb
    "$RETCODEC" export nwb ../imported.h5 $start --no-provenance -q --threads 1 -o b.nwb
    cmp a.nwb b.nwb
    "$RETCODEC" export nwb ../imported.h5 $start --no-provenance --identifier other -q -o c.nwb
    not cmp -s a.nwb c.nwb
}

# Counts, frames, stretches and names survive the way to NWB and back, to the last bit.
nwb_round_trip() {
    recordings
    "$RETCODEC" help import | grep -q "import nwb" || skip "this program does not import NWB"
    for recording in simulated imported; do
        for axes in txy tyx; do
            "$RETCODEC" export nwb ../$recording.h5 $start --axes $axes -q -o $recording-$axes.nwb
            "$RETCODEC" import nwb $recording-$axes.nwb --axes $axes --names cell_name --test part=test --grey 0:255 -q \
                -o $recording-$axes.h5
            "$RETCODEC" export csv ../$recording.h5 --no-provenance -q -o there-$recording-$axes
            "$RETCODEC" export csv $recording-$axes.h5 --no-provenance -q -o back-$recording-$axes
            for name in cells train_stimulus test_stimulus test_repeats; do
                cmp there-$recording-$axes/$name.csv back-$recording-$axes/$name.csv
            done
            # Not their times: sums of intervals differ in the last digit.
            for part in train test; do
                cut -d , -f 1,3- there-$recording-$axes/$part.csv >there
                cut -d , -f 1,3- back-$recording-$axes/$part.csv >back
                cmp there back
            done
        done
    done
    cmp there-imported-txy/spikes.csv back-imported-txy/spikes.csv
}

open_retina() {
    recordings
    for recording in simulated imported; do
        mkdir $recording
        expect 0 "$RETCODEC" export open-retina ../$recording.h5 -o $recording/session.h5
        prints "$recording/stimuli/test.npy"
        read_back open-retina ../$recording.h5 $recording/session.h5
        no_leftovers
    done
    expect 1 "$RETCODEC" export open-retina ../simulated.h5 -o imported/other.h5
    complains "imported/stimuli/train.npy exists already; --force replaces it, --train-name gives another name"
    one_line
    absent imported/other.h5
    expect 0 "$RETCODEC" export open-retina ../simulated.h5 --train-name noise --test-name frozen -o imported/other.h5
    [ -s imported/stimuli/noise.npy ] && [ -s imported/stimuli/frozen.npy ]
    expect 0 "$RETCODEC" export open-retina ../simulated.h5 -o imported/session.h5 --force
    read_back open-retina ../simulated.h5 imported/session.h5
}

csv() {
    recordings
    for recording in simulated imported; do
        expect 0 "$RETCODEC" export csv ../$recording.h5 -o $recording
        prints "$recording: "
        read_back csv ../$recording.h5 $recording
    done
    grep -q '^# command_line: retcodec export csv' imported/recording.csv
    grep -q '^frame,time_s,stretch,"a,b",c$' imported/train.csv
    expect 0 "$RETCODEC" export csv ../imported.h5 --stimulus no --no-provenance -o short
    absent short/train_stimulus.csv
    [ "$(head -n 1 short/recording.csv)" = property,value ]
}

csv_replaces_its_own() {
    recordings
    "$RETCODEC" export csv ../imported.h5 -q -o tables
    expect 1 "$RETCODEC" export csv ../simulated.h5 -o tables
    complains "retcodec export: tables exists already; --force replaces it"
    one_line
    expect 0 "$RETCODEC" export csv ../imported.h5 -o tables --if-changed
    prints "tables is up to date"
    expect 0 "$RETCODEC" export csv ../simulated.h5 -o tables --force
    absent tables/spikes.csv
    echo mine >tables/notes.txt
    expect 1 "$RETCODEC" export csv ../simulated.h5 -o tables --force
    complains "tables: holds notes.txt, which was not written by this command"
    one_line
    [ "$(cat tables/notes.txt)" = mine ] && [ -s tables/train.csv ]
    expect 1 "$RETCODEC" export csv ../simulated.h5 -o new/
    complains "new/: ends with /; give a name without it"
    echo precious >file
    expect 1 "$RETCODEC" export csv ../simulated.h5 -o file --force
    complains "file: Not a directory; a folder is written there"
    [ "$(cat file)" = precious ]
    [ "$(ls)" = "$(printf 'err\nfile\nout\ntables')" ] || fail "left $(ls)"
}

# A limit on the size of files stands in for a full disk.
csv_full_disk() {
    recordings
    status=0
    (ulimit -f 4 && exec "$RETCODEC" export csv ../imported.h5 -o tables) >out 2>err || status=$?
    [ "$status" -eq 1 ]
    complains "File too large"
    one_line
    [ "$(ls)" = "$(printf 'err\nout')" ] || fail "left $(ls)"
}

open_retina_full_disk() {
    recordings
    status=0
    (ulimit -f 8 && exec "$RETCODEC" export open-retina ../imported.h5 -o session.h5) >out 2>err || status=$?
    [ "$status" -eq 1 ]
    complains "File too large"
    one_line
    [ "$(ls)" = "$(printf 'err\nout')" ] || fail "left $(ls)"
}

refused() {
    recordings
    expect 2 "$RETCODEC" export ../imported.h5 -o out.nwb
    complains "which format, nwb, open-retina or csv?"
    expect 2 "$RETCODEC" export nwb ../imported.h5 -o out.nwb
    complains "--session-start is missing"
    for time in yesterday 2015-10-07 2015-10-07T14:00:00 2015-10-07T14:00:00+2; do
        expect 1 "$RETCODEC" export nwb ../imported.h5 --session-start $time -o out.nwb
        complains "\"$time\" is no date and time such as 2015-10-07T14:00:00+02:00"
        one_line
    done
    expect 2 "$RETCODEC" export open-retina ../imported.h5 -o session.nwb
    complains "session.nwb should end in .h5 or .hdf5"
    expect 1 "$RETCODEC" export open-retina ../imported.h5 --test-name train -o session.h5
    complains 'both stimuli are called "train"'
    expect 1 "$RETCODEC" export open-retina ../imported.h5 --test-name a/b -o session.h5
    complains '"a/b" cannot be the name of a stimulus'
    for kind in "nwb $start" open-retina csv; do
        expect 1 "$RETCODEC" export $kind nothing.h5 -o out.h5
        complains "nothing.h5: No such file"
        one_line
    done
    absent out.nwb out.h5 session.h5 session.nwb stimuli
    no_leftovers
}

run_cases nwb_of_counts nwb_of_times nwb_is_reproducible nwb_round_trip open_retina csv csv_replaces_its_own csv_full_disk open_retina_full_disk \
    refused

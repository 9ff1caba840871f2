#!/bin/sh
# The quality report: printed, stored, drawn, and refused.
. "$RETC_TESTS/cli/lib.sh"

recording() {
    [ ! -e ../made.h5 ] || return 0
    "$RETCODEC" stimulus white-noise --frames 3000 --height 6 --width 6 -q -o train.h5
    "$RETCODEC" stimulus white-noise --frames 200 --height 6 --width 6 --seed 2 -q -o test.h5
    "$RETCODEC" simulate --train train.h5 --test test.h5 --cells 3 --repeats 6 -q -o ../made.h5
    "$RETCODEC" simulate --train train.h5 --cells 3 -q -o ../untested.h5
}

need_gnuplot() {
    command -v gnuplot >/dev/null || skip "no gnuplot"
}

report() {
    recording
    expect 0 "$RETCODEC" quality ../made.h5 -o quality.h5
    prints "train        3000 frames, 50.0 s"
    prints "test         200 frames, 3.3 s, 6 repeats"
    prints "irregular    0"
    prints "noise ceiling r"
    prints "note: no spike times"
    [ ! -s err ]
    cp out printed
    expect 0 "$RETCODEC" info quality.h5
    prints "quality.h5: quality report"
    sed 's/^./  &/' printed >indented
    while IFS= read -r line; do
        prints "$line"
    done <indented
    expect 0 "$RETCODEC" quality ../made.h5 -o quality.h5 --if-changed
    prints "quality.h5 is up to date"
    expect 0 "$RETCODEC" quality ../made.h5 -o other.h5 --threads 1
    cmp out printed
    expect 0 "$RETCODEC" quality ../made.h5 -o quick.h5 --resamples 0 --latency=no
    not grep -q '\[' out
}

without_test_part() {
    recording
    expect 0 "$RETCODEC" quality ../untested.h5 -o quality.h5
    prints "test         none"
    prints "note: no test part: reliability, signal to noise and ceilings need a stimulus that was repeated"
    need_gnuplot
    expect 0 "$RETCODEC" figure quality quality.h5 -o quality.png
    [ ! -s err ]
}

# Nothing but means of the test part: no drift, no reliability; and a report whose numbers are damaged.
means_only() {
    recording
    [ -x "$edit_h5" ] || skip "tests/cli/edit_h5 is not built; make check builds it"
    cp ../made.h5 means.h5
    "$edit_h5" means.h5 remove train
    "$edit_h5" means.h5 remove test/repeats
    expect 0 "$RETCODEC" quality means.h5 -o quality.h5
    prints "train        none"
    prints "note: the test part holds means only: reliability, signal to noise and ceilings need the counts of every repeat"
    need_gnuplot
    expect 0 "$RETCODEC" figure quality quality.h5 -o quality.png
    [ ! -s err ]
    "$RETCODEC" quality ../made.h5 -q -o whole.h5
    "$edit_h5" whole.h5 fill clock/time nan
    "$edit_h5" whole.h5 fill drift/time nan
    "$edit_h5" whole.h5 fill cells/rate nan
    expect 0 "$RETCODEC" figure quality whole.h5 -o whole.png
    "$edit_h5" whole.h5 fill raster/cells 99
    expect 1 "$RETCODEC" figure quality whole.h5 -o cells.png
    complains 'whole.h5: "/raster/cells" names cell 99 of 3'
    absent cells.png cells.txt
}

figure() {
    recording
    need_gnuplot
    "$RETCODEC" quality ../made.h5 -q -o quality.h5
    for format in png svg pdf; do
        expect 0 "$RETCODEC" figure quality quality.h5 --start 0.5 --duration 2 -o page-$format.$format
        [ ! -s err ] || fail "$(cat err)"
        grep -q '"best cell: cell0' page-$format.txt
        no_leftovers
    done
    expect 0 "$RETCODEC" figure quality quality.h5 --cells cell02 -o one.svg
    grep -q 'cell02  [0-9.]* Hz' one.svg
    expect 1 "$RETCODEC" figure quality quality.h5 --start 100 -o late.png
    complains "retcodec figure: "
    expect 1 "$RETCODEC" figure quality ../made.h5 -o wrong.png
    complains 'is a file of kind "recording", expected "quality"'
    absent late.png late.txt wrong.png wrong.txt
}

refused() {
    recording
    "$RETCODEC" quality ../made.h5 -q -o quality.h5
    expect 1 "$RETCODEC" quality quality.h5 -o other.h5
    complains 'quality.h5: is a file of kind "quality", expected "recording"'
    one_line
    expect 1 "$RETCODEC" quality nothing.h5 -o other.h5
    complains "nothing.h5: No such file"
    expect 2 "$RETCODEC" quality ../made.h5 --history 0 -o other.h5
    complains "retcodec quality: --history"
    expect 2 "$RETCODEC" quality ../made.h5 --tolerance -1 -o other.h5
    complains "retcodec quality: --tolerance"
    absent other.h5
    no_leftovers
}

run_cases report without_test_part means_only figure refused

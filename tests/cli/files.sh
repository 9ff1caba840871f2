#!/bin/sh
# What the program does to files: it replaces none unasked, leaves none half written, and says what is wrong with its inputs.
. "$RETC_TESTS/cli/lib.sh"

# More than any limit below allows.
long_movie="stimulus white-noise --frames 20000 --height 20 --width 20"

movie() {
    "$RETCODEC" stimulus white-noise --frames "$1" --height 8 --width 8 --quiet -o "$2"
}

existing_output() {
    movie 100 movie.h5
    cp movie.h5 before
    expect 1 "$RETCODEC" stimulus white-noise --frames 50 --height 8 --width 8 -o movie.h5
    complains "retcodec stimulus: movie.h5 exists already; --force replaces it"
    one_line
    cmp movie.h5 before
    expect 0 "$RETCODEC" stimulus white-noise --frames 50 --height 8 --width 8 -o movie.h5 --force
    not cmp -s movie.h5 before
    no_leftovers
}

output_is_input() {
    movie 400 movie.h5
    cp movie.h5 before
    ln movie.h5 other-name.h5
    expect 1 "$RETCODEC" simulate --train movie.h5 -o other-name.h5 --force
    complains "movie.h5 is an input and cannot be the output as well"
    cmp movie.h5 before
}

output_in_missing_folder() {
    expect 1 "$RETCODEC" stimulus white-noise --frames 50 -o nowhere/movie.h5
    complains "nowhere/movie.h5: there is no folder nowhere; make it first"
    one_line
}

output_is_a_folder() {
    mkdir movie.h5
    expect 1 "$RETCODEC" stimulus white-noise --frames 50 -o movie.h5 --force
    complains "movie.h5: is a folder"
}

folder_is_read_only() {
    [ "$(id -u)" -ne 0 ] || skip "root may write anywhere"
    mkdir locked
    chmod a-w locked
    expect 1 "$RETCODEC" stimulus white-noise --frames 50 -o locked/movie.h5
    complains "locked/movie.h5: cannot be written: Permission denied"
}

missing_input() {
    expect 1 "$RETCODEC" simulate --train nothing.h5 -o recording.h5
    complains "retcodec simulate: nothing.h5: No such file or directory"
    one_line
    absent recording.h5
    expect 1 "$RETCODEC" simulate --train . -o recording.h5
    complains ".: is a folder, expected a file"
}

input_is_no_hdf5() {
    echo "these are no data" >movie.h5
    expect 1 "$RETCODEC" simulate --train movie.h5 -o recording.h5
    complains "movie.h5: not an HDF5 file"
    : >movie.h5
    expect 1 "$RETCODEC" simulate --train movie.h5 -o recording.h5
    complains "movie.h5: the file is empty"
    absent recording.h5
    no_leftovers
}

truncated_input() {
    movie 2000 whole.h5
    size=$(wc -c <whole.h5)
    for part in 16 100 $((size / 2)) $((size - 1)); do
        head -c "$part" whole.h5 >movie.h5
        expect 1 "$RETCODEC" simulate --train movie.h5 -o recording.h5
        complains "movie.h5: "
        one_line
        absent recording.h5
        no_leftovers
    done
}

# A limit on the size of files stands in for a full disk; the signal that comes with it must not end the program.
size_limit() {
    status=0
    (ulimit -f 32 && exec "$RETCODEC" $long_movie -o movie.h5) >out 2>err || status=$?
    [ "$status" -eq 1 ] || fail "status $status: $(cat err)"
    complains "retcodec stimulus: movie.h5: "
    complains "File too large"
    absent movie.h5
    no_leftovers
}

# The target of an earlier run survives a later one that meets the limit.
size_limit_keeps_target() {
    movie 100 movie.h5
    cp movie.h5 before
    status=0
    (ulimit -f 32 && exec "$RETCODEC" $long_movie --force -o movie.h5) >out 2>err || status=$?
    [ "$status" -eq 1 ]
    cmp movie.h5 before
    no_leftovers
}

full_disk() {
    mkdir disk
    mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null || skip "no right to mount a small disk"
    status=0
    "$RETCODEC" $long_movie -o disk/movie.h5 >out 2>err || status=$?
    left=$(ls disk)
    umount disk
    [ "$status" -eq 1 ] || fail "status $status: $(cat err)"
    complains "retcodec stimulus: disk/movie.h5: "
    complains "No space left on device"
    [ -z "$left" ] || fail "left on the disk: $left"
}

# Ended half-way, by signals it cleans up after and by one it cannot: never a file under the target's name.
killed() {
    long="stimulus white-noise --frames 4000000 --height 30 --width 30"
    for signal in INT TERM HUP; do
        status=0
        timeout --preserve-status -s "$signal" 0.4 "$RETCODEC" $long -o movie.h5 >out 2>err || status=$?
        [ "$status" -gt 128 ] || fail "SIG$signal: status $status"
        absent movie.h5
        no_leftovers
    done
    timeout -s KILL 0.4 "$RETCODEC" $long -o movie.h5 >out 2>err || true
    absent movie.h5
    ls movie.h5.*.part >leftover || fail "it had not begun to write; the case proves nothing"
    movie 100 movie.h5
}

up_to_date() {
    movie 400 movie.h5
    make_recording() {
        expect 0 "$RETCODEC" simulate --train movie.h5 --cells 2 -o recording.h5 --if-changed "$@"
    }
    make_recording
    cp recording.h5 before
    make_recording
    prints "recording.h5 is up to date"
    make_recording --threads 2
    prints "recording.h5 is up to date"
    cmp recording.h5 before
    expect 1 "$RETCODEC" simulate --train movie.h5 --cells 3 -o recording.h5 --if-changed
    complains "recording.h5 exists and was made from other inputs or options; --force replaces it"
    cmp recording.h5 before
    make_recording --seed 5 --force
    not cmp -s recording.h5 before
    movie 500 longer.h5
    mv longer.h5 movie.h5
    make_recording --seed 5 --force
    not grep -q "up to date" out
}

# Without provenance files do not tell when and how they were made: equal content, equal bytes, and never up to date.
no_provenance() {
    for name in a.h5 b.h5; do
        expect 0 "$RETCODEC" stimulus white-noise --frames 100 --no-provenance --seed 3 -o $name
    done
    cmp a.h5 b.h5
    expect 0 "$RETCODEC" stimulus white-noise --frames 100 --no-provenance --seed 3 -o a.h5 --if-changed --force
    not grep -q "up to date" out
    expect 0 "$RETCODEC" info a.h5
    not grep -q "command " out
}

reproducible_with_date() {
    for name in a b; do
        mkdir $name
        (cd $name && SOURCE_DATE_EPOCH=1000000000 "$RETCODEC" stimulus white-noise --frames 100 -q -o movie.h5)
    done
    cmp a/movie.h5 b/movie.h5
    expect 0 "$RETCODEC" info a/movie.h5
    prints "2001-09-09T01:46:40Z"
}

quiet() {
    expect 0 "$RETCODEC" stimulus white-noise --frames 100 --quiet -o movie.h5
    [ ! -s out ]
    [ ! -s err ]
}

progress_on_a_terminal() {
    script -qec true /dev/null >/dev/null 2>&1 || skip "no script to make a terminal"
    slow="'$RETCODEC' stimulus white-noise --frames 100000 --height 20 --width 20"
    script -qec "$slow -o movie.h5" typescript >/dev/null </dev/null
    grep -q "white-noise  *[0-9]* %" typescript || fail "no progress: $(head -c 300 typescript)"
    # The line is cleared before anything else is printed.
    sed '1d;$d' typescript | tr '\r' '\n' >lines
    not grep -q "%.*movie.h5" lines
    script -qec "$slow -q -o quiet.h5" typescript >/dev/null </dev/null
    not grep -q "[0-9] %" typescript
}

run_cases existing_output output_is_input output_in_missing_folder output_is_a_folder folder_is_read_only missing_input \
    input_is_no_hdf5 truncated_input size_limit size_limit_keeps_target full_disk killed up_to_date no_provenance \
    reproducible_with_date quiet progress_on_a_terminal

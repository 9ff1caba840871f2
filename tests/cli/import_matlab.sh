#!/bin/sh
# MATLAB files, written byte by byte: what is imported, and what is answered to those that are wrong.
. "$RETC_TESTS/cli/lib.sh"

# The bytes of whole numbers, four each, least first.
words() {
    for number; do
        [ "$number" -ge 0 ] || number=$((number + 4294967296))
        printf "\\$(printf %03o $((number & 255)))\\$(printf %03o $((number >> 8 & 255)))"
        printf "\\$(printf %03o $((number >> 16 & 255)))\\$(printf %03o $((number >> 24 & 255)))"
    done
}

begin() {
    printf '%-124s' 'MATLAB 5.0 MAT-file'
    printf '\000\001IM'
}

# array NAME ROWS COLUMNS VALUE...: an array of doubles, which may be stored as 4-byte whole numbers.
array() {
    name=$1 rows=$2 columns=$3
    shift 3
    length=${#name}
    padded=$(((length + 7) / 8 * 8)) data=$((($# * 4 + 7) / 8 * 8))
    words 14 $((16 + 16 + 8 + padded + 8 + data)) 6 8 6 0 5 8 "$rows" "$columns" 1 "$length"
    printf %s "$name"
    head -c $((padded - length)) /dev/zero
    words 5 $(($# * 4)) "$@"
    head -c $((data - $# * 4)) /dev/zero
}

# Ten frames of 100 ms, in ms; a cell with a spike in the middle of every other frame.
frames="1000 1100 1200 1300 1400 1500 1600 1700 1800 1900"
levels="3 1 4 1 5 9 2 6 5 3"
spikes="1050 1250 1450 1650 1850"

good_file() {
    # shellcheck disable=SC2086
    {
        begin
        array onsets 1 10 $frames
        array flicker 10 1 $levels
        array cell 1 5 $spikes
    } >good.mat
}

import() {
    "$RETCODEC" import matlab "$@"
}

refused() {
    says=$1
    shift
    expect 1 import "$@" -o refused.h5
    complains "$says"
    one_line
    absent refused.h5
    no_leftovers
}

ticks() {
    good_file
    expect 0 import good.mat --stimulus flicker --spikes cell --times onsets --tick 1000 -o recording.h5
    prints "MATLAB v5 file, convention: free"
    prints "frame times: onsets, in units of 1/1000 s"
    prints "frames: 10 at 10 Hz"
    prints "cell01        5        5        0        0        0"
    expect 0 "$RETCODEC" info recording.h5
    prints "recording"
    expect 1 import good.mat --stimulus flicker --spikes cell --times onsets -o recording.h5
    complains "exists already"
    one_line
}

# Milliseconds as seconds: all of them, or the spikes alone.
units() {
    good_file
    expect 0 import good.mat --stimulus flicker --spikes cell --times onsets -o slow.h5
    prints "a frame lasts 100 s: are times in ms (--tick 1000)?"
    refused "cell: no spike falls into the stimulus (0 ... 1 s), they lie at 1050 ... 1850: are they in ms?" \
        good.mat --stimulus flicker --spikes cell --interval 0.1
}

names() {
    good_file
    refused "name the variable that holds the movie (--stimulus)" good.mat
    refused 'has no variable "film"; it has: onsets, flicker, cell' good.mat --stimulus film --spikes cell --times onsets
    refused 'axes "q" have no meaning' good.mat --stimulus flicker --axes q --spikes cell --times onsets
    expect 2 import good.mat --preset other -o refused.h5
    complains "--preset"
    expect 2 import -o refused.h5
    complains "--files is missing"
}

lengths() {
    {
        begin
        array onsets 1 10 $frames
        array flicker 8 1 3 1 4 1 5 9 2 6
        array counts 2 3 0 1 2 0 1 2
    } >short.mat
    refused "flicker has 8 frames for 10 frame times in onsets" short.mat --stimulus flicker --counts counts --times onsets
    refused "counts is 2x3, but there are 8 frames" short.mat --stimulus flicker --counts counts --interval 0.1
}

broken() {
    good_file
    size=$(wc -c <good.mat)
    for left in 0 60 127 128 140 200 $((size - 9)) $((size - 1)); do
        head -c "$left" good.mat >cut.mat
        expect 1 import cut.mat --stimulus flicker --spikes cell --times onsets -o refused.h5
        complains "cut.mat: "
        one_line
    done
    echo 'not a MAT file' >text.mat
    refused "text.mat: not a MATLAB file of version 5 or 7.3" text.mat
    refused "absent.mat: No such file" absent.mat
    {
        begin
        words 14 2147483640 6 8 6 0 5 8 100000 100000
    } >huge.mat
    refused "huge.mat: damaged MATLAB file" huge.mat
}

run_cases ticks units names lengths broken

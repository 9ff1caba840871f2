#!/bin/sh
# Videos and bare frames at the command line.
. "$RETC_TESTS/cli/lib.sh"

# 300 bytes: 25 frames of 3 x 4 pixels
frames() {
    awk 'BEGIN { for (i = 0; i < 300; ++i) printf "%c", 33 + i % 90 }'
}

raw="stimulus video --height 3 --width 4 --frame-rate 50 --no-provenance"

# Through a pipe, from a FIFO and from a file: the same movie.
pipes() {
    frames >frames.raw
    [ "$(wc -c <frames.raw)" -eq 300 ]
    expect 0 "$RETCODEC" $raw --raw frames.raw -o file.h5
    prints "file.h5: video, 25 frames of 3 x 4 pixels at 50 Hz"
    frames | "$RETCODEC" $raw --raw - -q -o pipe.h5
    mkfifo fifo
    frames >fifo &
    expect 0 "$RETCODEC" $raw --raw fifo -q -o fifo.h5
    wait
    cmp file.h5 pipe.h5
    cmp file.h5 fifo.h5
    expect 0 "$RETCODEC" info file.h5
    prints "raw_sha256 = $(sha256sum <frames.raw | cut -d' ' -f1)"
    expect 0 "$RETCODEC" $raw --raw frames.raw --duration 0.2 -o part.h5
    prints "10 frames"
    # A movie of unknown length serves like any other.
    expect 0 "$RETCODEC" simulate --train file.h5 --cells 1 -o recording.h5
}

bad_pipes() {
    frames >frames.raw
    expect 1 "$RETCODEC" stimulus video --height 7 --width 4 --raw frames.raw -o movie.h5
    complains "retcodec stimulus: frames.raw ends within a frame, after 10 whole ones of 7 x 4 pixels of 8 bits"
    one_line
    expect 1 "$RETCODEC" $raw --raw /dev/null -o movie.h5
    complains "retcodec stimulus: /dev/null holds no frame"
    one_line
    expect 1 "$RETCODEC" $raw --raw missing.raw -o movie.h5
    complains "retcodec stimulus: missing.raw: No such file"
    one_line
    expect 1 "$RETCODEC" $raw -o movie.h5
    complains "give a video file, or bare frames with --raw"
    one_line
    absent movie.h5
    no_leftovers
}

# What came through a pipe may have changed: it is never up to date.
never_up_to_date() {
    frames >frames.raw
    words="stimulus video --height 3 --width 4 --raw frames.raw -o movie.h5"
    expect 0 "$RETCODEC" $words
    expect 1 "$RETCODEC" $words --if-changed
    expect 0 "$RETCODEC" $words --if-changed --force
    not grep -q "up to date" out
}

no_ffmpeg() {
    echo "no video" >film.mp4
    # What libtool leaves in the build tree is a script, which needs programs in PATH itself.
    libraries=$(dirname "$RETCODEC")/.libs
    program=$libraries/retcodec
    [ -x "$program" ] || program=$RETCODEC
    mkdir nothing
    expect 1 env PATH="$PWD/nothing" LD_LIBRARY_PATH="$libraries" "$program" stimulus video film.mp4 -o movie.h5
    complains "ffmpeg is not installed, or not in PATH"
    one_line
    absent movie.h5
}

video() {
    ffmpeg -version >/dev/null 2>&1 || skip "ffmpeg is not installed"
    name="a film's \"best\" \$(part); 50%d.y4m"
    { printf 'YUV4MPEG2 W4 H3 F25:1 Ip A1:1 Cmono\nFRAME\n' && printf 'abcdefghijkl' && printf 'FRAME\nABCDEFGHIJKL'; } >"$name"
    expect 0 "$RETCODEC" stimulus video "$name" --height 3 --width 4 --frame-rate 50 -o movie.h5
    prints "movie.h5: video, 4 frames of 3 x 4 pixels at 50 Hz"
    expect 0 "$RETCODEC" stimulus video "$name" --height 3 --width 4 --rate keep -o kept.h5
    prints "kept.h5: video, 2 frames of 3 x 4 pixels at 25 Hz"
    expect 0 "$RETCODEC" stimulus video "$name" --height 3 --width 4 --rate keep --duration 0.04 -o one.h5
    prints "one.h5: video, 1 frames of 3 x 4 pixels at 25 Hz"
    echo "no video" >text.mp4
    expect 1 "$RETCODEC" stimulus video text.mp4 -o text.h5
    complains "retcodec stimulus: text.mp4: ffmpeg failed: "
    one_line
    absent text.h5
    no_leftovers
}

run_cases pipes bad_pipes never_up_to_date no_ffmpeg video

#!/bin/sh
# A fit that is killed loses nothing that was there, leaves no half-written file, and --resume ends in the same model.
. "$RETC_TESTS/cli/lib.sh"

make_recording() {
    "$RETCODEC" stimulus white-noise --frames 4000 --height 1 --width 1 -o train.h5 -q
    "$RETCODEC" stimulus white-noise --frames 200 --height 1 --width 1 --seed 2 -o test.h5 -q
    "$RETCODEC" simulate --train train.h5 --test test.h5 --cells 2 --repeats 2 -o recording.h5 -q
}

# fit OUTPUT [OPTION...]: without provenance equal models are equal files.
fit() {
    output=$1
    shift
    status=0
    "$RETCODEC" fit recording.h5 --history 12 --epochs 30 --patience 30 --checkpoint-interval 0 --no-provenance -q -o "$output" "$@" \
        2>err || status=$?
}

ended() {
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "fit gave $status: $(cat err)"
}

# Kill a fit with signal $1 as soon as it has written its first checkpoint.
kill_fit() {
    "$RETCODEC" fit recording.h5 --history 12 --epochs 30 --patience 30 --checkpoint-interval 0 --no-provenance -q -o killed.h5 \
        --resume 2>/dev/null &
    for try in $(seq 400); do
        [ ! -e killed.h5.checkpoint ] || break
        sleep 0.01
    done
    kill -"$1" $! 2>/dev/null || true
    wait $! 2>/dev/null || true
}

resumes_to_the_same_model() {
    make_recording
    fit whole.h5 --threads 1
    ended
    for round in 1 2 3; do
        kill_fit KILL
        [ -e killed.h5 ] || [ -e killed.h5.checkpoint ] || fail "neither a model nor a checkpoint is left"
        [ ! -e killed.h5 ] || break
    done
    [ -e killed.h5 ] || fit killed.h5 --resume --threads 2
    ended
    cmp whole.h5 killed.h5
    absent killed.h5.checkpoint
}

terminated_leaves_no_temporary() {
    make_recording
    kill_fit TERM
    no_leftovers
    [ -e killed.h5 ] || [ -e killed.h5.checkpoint ] || fail "the checkpoint is gone"
}

killed_fit_keeps_the_old_model() {
    make_recording
    echo "an old model" >killed.h5
    "$RETCODEC" fit recording.h5 --history 12 --epochs 30 --checkpoint-interval 0 --force -q -o killed.h5 2>/dev/null &
    for try in $(seq 400); do
        [ ! -e killed.h5.checkpoint ] || break
        sleep 0.01
    done
    kill -KILL $!
    wait $! 2>/dev/null || true
    # Killed after its end, it has rightly replaced the file.
    [ ! -e killed.h5.checkpoint ] || [ "$(cat killed.h5)" = "an old model" ]
}

checkpoint_of_other_options() {
    make_recording
    "$RETCODEC" fit recording.h5 --history 12 --epochs 200 --patience 200 --checkpoint-interval 0 -q -o other.h5 2>/dev/null &
    for try in $(seq 400); do
        [ ! -e other.h5.checkpoint ] || break
        sleep 0.01
    done
    kill -KILL $! && wait $! 2>/dev/null || true
    [ -e other.h5.checkpoint ] || skip "the fit ended before it could be killed"
    expect 1 "$RETCODEC" fit recording.h5 --history 13 --epochs 200 --resume -q -o other.h5
    complains "this checkpoint belongs to another fit"
    one_line
    absent other.h5
}

run_cases resumes_to_the_same_model terminated_leaves_no_temporary killed_fit_keeps_the_old_model checkpoint_of_other_options

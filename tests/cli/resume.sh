#!/bin/sh
# What was begun is not lost: fits that are killed go on to the same model, and runs to the same results.
. "$RETC_TESTS/cli/lib.sh"

# A recording and the model that an undisturbed fit makes of it, once for all cases.  A batch is large enough to be shared by
# threads.  Without provenance equal models are equal bytes.
options="--history 12 --kernel0 5 --kernel1 2 --patience 1000 --batch-blocks 40 --no-provenance"
long_fit="fit recording.h5 $options --epochs 300"
results() {
    if [ ! -e ../results/done ]; then
        mkdir -p ../results
        (
            cd ../results
            "$RETCODEC" stimulus white-noise --frames 6000 --height 6 --width 6 -q -o movie.h5
            "$RETCODEC" simulate --train movie.h5 --cells 2 -q -o recording.h5
            expect 0 "$RETCODEC" $long_fit -o whole.h5
            absent whole.h5.checkpoint
            touch done
        )
    fi
    cp ../results/recording.h5 ../results/whole.h5 .
}

# start_fit OPTIONS...: in the background, until it has written a checkpoint of its own.
start_fit() {
    before=$(ls -i model.h5.checkpoint 2>/dev/null || true)
    "$RETCODEC" $long_fit --checkpoint-interval 0 -o model.h5 "$@" >out 2>err &
    while [ "$(ls -i model.h5.checkpoint 2>/dev/null || true)" = "$before" ]; do
        kill -0 $! 2>/dev/null || fail "the fit ended before it wrote a checkpoint: $(cat out err)"
        sleep 0.01
    done
}

# end_fit SIGNAL: while it runs.
end_fit() {
    kill -0 $! 2>/dev/null || fail "the fit had ended; the case proves nothing"
    kill -"$1" $!
    status=0
    wait $! || status=$?
    [ "$status" -gt 128 ] || fail "SIG$1: status $status: $(cat err)"
}

killed_fits_end_in_the_same_model() {
    results
    for moment in 0 0.03 0.07 0.15; do
        start_fit --resume --threads 1
        sleep $moment
        end_fit KILL
        absent model.h5
        expect 0 "$RETCODEC" info model.h5.checkpoint
        prints "model.h5.checkpoint: checkpoint of a fit"
    done
    expect 0 "$RETCODEC" $long_fit --resume --threads 3 -o model.h5
    prints "resumed after epoch "
    cmp model.h5 whole.h5
    absent model.h5.checkpoint
}

# The target of an earlier fit stays until a new one is complete.
killed_fit_keeps_the_target() {
    results
    echo precious >model.h5
    start_fit --force
    end_fit KILL
    [ "$(cat model.h5)" = precious ]
    expect 0 "$RETCODEC" $long_fit --resume --force -q -o model.h5
    cmp model.h5 whole.h5
}

signals_leave_the_checkpoint_only() {
    results
    signals="TERM HUP" # a shell's background job ignores SIGINT, and all that nohup starts SIGHUP
    [ $((0x0$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status) & 1)) = 0 ] || signals=TERM
    for signal in $signals; do
        start_fit --resume
        end_fit $signal
        absent model.h5
        no_leftovers
    done
    expect 0 "$RETCODEC" $long_fit --resume -q -o model.h5
    cmp model.h5 whole.h5
}

# A checkpoint goes with its fit: with other options or another recording there is nothing to go on from, and it is not lost
# unasked.
checkpoint_of_another_fit() {
    results
    start_fit
    end_fit KILL
    cp model.h5.checkpoint before
    says="model.h5.checkpoint: this checkpoint belongs to another fit (other options, recording or version); remove it to start"
    for other in "--epochs 300 --learning-rate 0.001" "--epochs 300 --seed 2" "--epochs 301"; do
        expect 1 "$RETCODEC" fit recording.h5 $options $other --resume -o model.h5
        complains "$says"
        one_line
    done
    expect 1 "$RETCODEC" fit recording.h5 --history 13 --epochs 300 --resume --no-provenance -o model.h5
    complains "$says"
    "$RETCODEC" simulate --train ../results/movie.h5 --cells 2 --seed 2 -q --force -o recording.h5
    expect 1 "$RETCODEC" $long_fit --resume -o model.h5
    complains "$says"
    one_line
    cp ../results/recording.h5 .
    expect 1 "$RETCODEC" $long_fit -o model.h5
    complains "model.h5.checkpoint is left of a fit that did not end; --resume goes on from it, --force starts anew"
    one_line
    cmp model.h5.checkpoint before
    absent model.h5
    expect 0 "$RETCODEC" $long_fit --force -o model.h5
    not grep -q resumed out
    cmp model.h5 whole.h5
}

damaged_checkpoint() {
    results
    start_fit
    end_fit KILL
    head -c 3000 model.h5.checkpoint >cut
    mv cut model.h5.checkpoint
    expect 1 "$RETCODEC" $long_fit --resume -o model.h5
    complains "model.h5.checkpoint: "
    one_line
    absent model.h5
}

# An analysis killed again and again, whatever it was at, ends with the files of one that was left alone.
killed_runs_end_in_the_same_results() {
    SOURCE_DATE_EPOCH=1000000000
    export SOURCE_DATE_EPOCH
    mkdir whole killed
    cat >whole/chain.ini <<END
[run]
output = results
[stimulus]
kind = white-noise
frames = 6000
height = 6
width = 6
[simulate]
train = @stimulus
cells = 2
[fit]
recording = @simulate
history = 12
kernel0 = 5
kernel1 = 2
epochs = 60
patience = 100
batch-blocks = 4
checkpoint-interval = 0
resume = yes
[contribute]
model = @fit
recording = @simulate
part = train
steps = 5
target = sum
[modes]
contributions = @contribute
epochs = 2
END
    cp whole/chain.ini killed
    (cd whole && "$RETCODEC" run chain.ini >../out 2>../err) || [ $? -eq 3 ] || fail "$(cat err)"
    cd killed
    kills=0
    # A slow machine needs the later ones, to have anything done before it is killed.
    for moment in 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.7 1.4 2.8 5.6; do
        [ "${moment#0.[0-3]}" != "$moment" ] || [ ! -e results/stimulus.h5 ] || continue
        "$RETCODEC" run chain.ini >out 2>err &
        sleep $moment
        ! kill -KILL $! 2>/dev/null || kills=$((kills + 1))
        wait $! 2>/dev/null || true
    done
    [ "$kills" -ge 3 ] || fail "only $kills runs were killed; the case proves nothing"
    "$RETCODEC" run chain.ini >out 2>err || [ $? -eq 3 ] || fail "$(cat err)"
    prints "results/stimulus.h5 is up to date"
    rm -f results/*.part
    for result in stimulus simulate fit contribute modes; do
        cmp "results/$result.h5" "../whole/results/$result.h5"
    done
    [ "$(ls results)" = "$(ls ../whole/results)" ]
}

run_cases killed_fits_end_in_the_same_model killed_fit_keeps_the_target signals_leave_the_checkpoint_only \
    checkpoint_of_another_fit damaged_checkpoint killed_runs_end_in_the_same_results

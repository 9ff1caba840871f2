#!/bin/sh
# Ensembles and cross-validation on the command line.
. "$RETC_TESTS/cli/lib.sh"

options="--history 8 --kernel0 4 --kernel1 2 --channels0 3 --channels1 3 --patience 1000 --no-provenance"
long_fit="fit recording.h5 $options --epochs 25 --seeds 3"
recording() {
    if [ ! -e ../recording/done ]; then
        mkdir -p ../recording
        (
            cd ../recording
            "$RETCODEC" stimulus white-noise --frames 4000 --height 5 --width 5 --contrast 0.8 -q -o train.h5
            "$RETCODEC" stimulus white-noise --frames 400 --height 5 --width 5 --contrast 0.8 --seed 2 -q -o test.h5
            "$RETCODEC" simulate --train train.h5 --test test.h5 --repeats 5 --cells 2 -q -o recording.h5
            touch done
        )
    fi
    cp ../recording/recording.h5 .
}

# fit STATUS...: a limit on epochs that ends it is as good here.
fit() {
    status=0
    "$RETCODEC" "$@" >out 2>err || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$* gave $status: $(cat err)"
}

ensemble() {
    recording
    fit fit recording.h5 $options --epochs 4 --seeds 3 -o ensemble.h5
    [ "$(grep -c 'best: what other commands use' out)" -eq 1 ]
    best=$(awk '/best: what/ { print $1 }' out)
    seed=$(awk '/best: what/ { print $2 }' out)
    [ "$best" -eq "$seed" ] # seeds start at 1
    absent ensemble.h5.checkpoint ensemble.h5.checkpoint.member0
    # Without --ensemble it predicts as the best network.
    expect 0 "$RETCODEC" predict ensemble.h5 recording.h5 --no-provenance -o single.h5
    r=$(awk '$1 == "mean" { print $2; exit }' out)
    expect 0 "$RETCODEC" predict ensemble.h5 recording.h5 --ensemble --no-provenance -o mean.h5
    [ "$(awk -v m="$best" '/^network/ { seen = 1; next } seen && $1 == m { print $2; exit }' out)" = "$r" ]
    prints "mean of rates"
    [ "$(awk '$1 == "mean" && $2 == "of" { print $4 }' out)" = "$(awk '$1 == "mean" { print $2; exit }' out)" ]
    expect 0 "$RETCODEC" info ensemble.h5
    fit fit recording.h5 $options --epochs 4 -o one.h5
    expect 1 "$RETCODEC" predict one.h5 recording.h5 --ensemble -o none.h5
    complains "one.h5 holds a single network, not an ensemble of fit --seeds or --folds"
    one_line
    absent none.h5
}

folds() {
    recording
    fit fit recording.h5 $options --epochs 4 --folds 3 -o folds.h5
    prints "held-out r        fold  1  fold  2  fold  3  all folds"
    [ "$(awk '/^held-out/ { seen = 1; next } seen && NF == 5' out | wc -l)" -eq 3 ] || fail "$(cat out)" # two cells and their mean
    expect 0 "$RETCODEC" predict folds.h5 recording.h5 --ensemble --no-provenance -o mean.h5
}

# Killed at any moment and resumed, it ends with the same bytes.
killed_ensembles_go_on() {
    recording
    fit $long_fit -o whole.h5
    kills=0
    for moment in 0.1 0.2 0.3 0.4 0.5 0.7 1.5 3; do
        "$RETCODEC" $long_fit --resume --checkpoint-interval 0 -o model.h5 >out 2>err &
        sleep $moment
        ! kill -KILL $! 2>/dev/null || kills=$((kills + 1))
        wait $! 2>/dev/null || true
        [ ! -e model.h5 ] || break
    done
    [ "$kills" -ge 2 ] || fail "only $kills fits were killed; the case proves nothing"
    [ -e model.h5 ] || fit $long_fit --resume --checkpoint-interval 0 -o model.h5
    cmp model.h5 whole.h5
    absent model.h5.checkpoint model.h5.checkpoint.member0 model.h5.checkpoint.member1 model.h5.checkpoint.member2
}

wrong_usage() {
    recording
    expect 2 "$RETCODEC" fit recording.h5 --seeds 2 --folds 2 -o model.h5
    complains "--seeds and --folds exclude each other"
    one_line
    expect 2 "$RETCODEC" fit recording.h5 --seeds-split own -o model.h5
    complains "--seeds-split=own is for --seeds 2 or more"
    one_line
    expect 2 "$RETCODEC" fit recording.h5 --model ln --folds 3 -o model.h5
    complains "--folds is for networks"
    one_line
    expect 1 "$RETCODEC" fit recording.h5 $options --folds 1000 -q -o model.h5
    complains "cannot be cut into 1000 folds"
    one_line
    absent model.h5 model.h5.checkpoint
}

run_cases ensemble folds killed_ensembles_go_on wrong_usage

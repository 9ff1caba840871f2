#!/bin/sh
# How networks are trained, as the program offers it.
. "$RETC_TESTS/cli/lib.sh"

small="--history 8 --kernel0 3 --kernel1 2 --channels0 3 --channels1 3 --batch-blocks 4 --threads 1"
recording() {
    if [ ! -e ../made/recording.h5 ]; then
        mkdir -p ../made
        "$RETCODEC" stimulus white-noise --frames 4000 --height 5 --width 5 -q -o ../made/movie.h5
        "$RETCODEC" simulate --train ../made/movie.h5 --cells 2 -q -o ../made/recording.h5
    fi
    cp ../made/recording.h5 .
}

# fits OPTIONS...: in few epochs, to model.h5; whether the loss still fell does not matter here.
fits() {
    "$RETCODEC" fit recording.h5 $small --epochs 3 --force -o model.h5 "$@" >out 2>err || [ $? -eq 3 ] || fail "$*: $(cat err)"
    [ ! -s err ] || fail "$*: $(cat err)"
}

every_choice_is_taken() {
    recording
    fits --no-provenance
    cp model.h5 plain.h5
    for choice in "--loss gaussian" "--loss bernoulli" "--l1 0.01" "--l2 0.01" "--activity-l1 1" "--smooth-time 1" "--smooth-space 1" \
        "--optimiser adamw --weight-decay 0.5" "--schedule cosine" "--schedule step --decay-every 1" \
        "--schedule exponential --decay-every 2" "--warmup 40" "--clip 0.01"; do
        fits --no-provenance $choice
        not cmp -s model.h5 plain.h5
    done
    fits --loss bernoulli
    prints "bernoulli loss"
    fits --loss gaussian --validation 0
    prints "gaussian loss of the train part"
    # What says the same gives the same.
    fits --no-provenance --loss poisson --schedule constant --clip 1e9 --optimiser adam
    cmp model.h5 plain.h5
}

combinations_without_meaning() {
    recording
    expect 2 "$RETCODEC" fit recording.h5 --optimiser adamw -o model.h5
    complains "--optimiser adamw needs a --weight-decay, 0.01 say"
    expect 2 "$RETCODEC" fit recording.h5 --weight-decay 0.1 -o model.h5
    complains "--weight-decay goes with --optimiser adamw; with adam give --l2"
    expect 2 "$RETCODEC" fit recording.h5 --loss hinge -o model.h5
    complains "poisson|gaussian|bernoulli"
    expect 2 "$RETCODEC" fit recording.h5 --l1 -1 -o model.h5
    absent model.h5 model.h5.checkpoint
}

# Steps that are too large: said in one line, and what is left is a model that was good or none.
divergence() {
    recording
    expect 1 "$RETCODEC" fit recording.h5 $small --l1 0 --l2 0.003 --learning-rate 1e9 --patience 50 -o model.h5
    complains "the fit diverged at step "
    complains ": the loss has been far above its best for three epochs, and the largest parameters, up to "
    complains "e+09, are in sequential."
    complains "; try a smaller --learning-rate, --clip 1 or a --warmup"
    one_line
    absent model.h5
    # The steps grow while a long warm-up lasts: good epochs come first.
    rm -f model.h5.checkpoint
    expect 3 "$RETCODEC" fit recording.h5 $small --learning-rate 1e9 --warmup 1000000000 --epochs 400 --patience 400 -o model.h5
    prints "the fit diverged at step "
    expect 0 "$RETCODEC" info model.h5
    expect 3 "$RETCODEC" fit recording.h5 $small --learning-rate 1e9 --warmup 1000000000 --epochs 400 --patience 400 \
        --if-changed -o model.h5
    expect 0 "$RETCODEC" predict model.h5 recording.h5 --part train -q -o prediction.h5
    absent model.h5.checkpoint
}

# A checkpoint whose numbers changed on the disk is not gone on from.
changed_checkpoint() {
    [ -x "$edit_h5" ] || skip "tests/cli/edit_h5 is not built; make check builds it"
    recording
    long="fit recording.h5 $small --epochs 2000 --patience 2000 --checkpoint-interval 0 -o model.h5"
    "$RETCODEC" $long >out 2>err &
    while [ ! -e model.h5.checkpoint ]; do
        kill -0 $! || fail "the fit ended: $(cat err)"
        sleep 0.01
    done
    kill -KILL $!
    wait $! || true
    cp model.h5.checkpoint whole
    for edit in "set /fit/adam_m 3 0.125" "set /fit/value 0 nan" "set /fit/state 4 1" "fill /fit/digest 0"; do
        cp whole model.h5.checkpoint
        "$edit_h5" model.h5.checkpoint $edit
        expect 1 "$RETCODEC" $long --resume
        complains "model.h5.checkpoint: this checkpoint is damaged; remove it to start anew"
        one_line
    done
    cp whole model.h5.checkpoint
    "$edit_h5" model.h5.checkpoint remove /fit/digest
    expect 1 "$RETCODEC" $long --resume
    complains 'model.h5.checkpoint: '
    one_line
    absent model.h5
}

# One cell, nothing held out, and train parts too short for anything.
recordings_that_are_short_of_something() {
    recording
    fits --cells 0
    prints "cnn model of 1 cell,"
    fits --cells 1 --validation 0
    prints " 0 held out"
    "$RETCODEC" stimulus white-noise --frames 40 --height 5 --width 5 -q -o brief.h5
    "$RETCODEC" simulate --train brief.h5 --cells 1 --seed 3 -q --force -o recording.h5
    for options in "--history 60" "--history 40 --validation 0.9" "--history 20 --validation 0.9 --validation-pieces 1"; do
        expect 1 "$RETCODEC" fit recording.h5 --kernel0 3 --kernel1 2 $options -o none.h5
        one_line
        absent none.h5 none.h5.checkpoint
    done
}

run_cases every_choice_is_taken combinations_without_meaning divergence changed_checkpoint recordings_that_are_short_of_something

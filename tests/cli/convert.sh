#!/bin/sh
# Converting models: from checkpoints and back, and what is answered to files that are no models or damaged ones.
. "$RETC_TESTS/cli/lib.sh"

EDIT=${RETCODEC%/*}/tests/cli/edit_h5

# A model of this program, small.
good_model() {
    expect 0 "$RETCODEC" stimulus white-noise --frames 3000 --height 6 --width 6 -q -o movie.h5
    expect 0 "$RETCODEC" simulate --train movie.h5 --cells 2 -q -o recording.h5
    expect 3 "$RETCODEC" fit recording.h5 --history 8 --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 --epochs 1 -q -o model.h5
}

# golden NAME: a checkpoint of the shared material.
golden() {
    file=${RETC_SHARED:-$RETC_TESTS/../../shared}/goldens/$1
    [ -e "$file" ] || skip "no $1"
    cp "$file" "$1"
    chmod u+w "$1"
}

refused() {
    says=$1
    shift
    expect 1 "$RETCODEC" convert "$@" -o refused.h5
    complains "$says"
    one_line
    absent refused.h5
    no_leftovers
}

own_models() {
    good_model
    expect 0 "$RETCODEC" convert model.h5 --to torch -o torch.h5
    expect 0 "$RETCODEC" convert torch.h5 -o again.h5
    for file in model.h5 again.h5; do
        expect 0 "$RETCODEC" predict "$file" recording.h5 --part train -q --no-provenance -o "prediction-$file"
    done
    cmp prediction-model.h5 prediction-again.h5
    expect 1 "$RETCODEC" convert model.h5 -o again.h5
    complains "exists already"
}

published() {
    golden vary_checkpoint.h5
    expect 0 "$RETCODEC" convert vary_checkpoint.h5 -o model.h5
    prints "stacks:    2, collapsed"
    prints "positions: stored"
    prints "check:     largest difference"
    expect 0 "$RETCODEC" convert vary_checkpoint.h5 --uncollapsed -o kept.h5
    prints "stacks:    2, kept"
    expect 0 "$RETCODEC" info kept.h5
    prints "LinearStackedConv2d"
    expect 0 "$RETCODEC" convert kept.h5 --to torch -o back.h5
    prints "check:     largest difference"
}

# Wrong positions give other outputs than the checkpoint says.
positions() {
    golden vary_checkpoint.h5
    "$EDIT" vary_checkpoint.h5 set grab_units/coords 0 9
    refused "outputs miss check/output by up to" vary_checkpoint.h5
    expect 0 "$RETCODEC" convert vary_checkpoint.h5 --no-check -o model.h5
    "$EDIT" vary_checkpoint.h5 set grab_units/coords 0 16
    refused "of channel 0 is outside its map of 16x16" vary_checkpoint.h5
    "$EDIT" vary_checkpoint.h5 remove grab_units
    refused '"/grab_units/coords" is missing, and so is "/centers"' vary_checkpoint.h5
}

damaged() {
    golden tiny.h5
    "$EDIT" tiny.h5 set state_dict/sequential.4.weight 7 nan
    refused 'tiny.h5: "/state_dict/sequential.4.weight" holds a value that is not finite, at element 7' tiny.h5
    "$EDIT" tiny.h5 shape state_dict/sequential.4.weight 4,2,3,3
    refused "/state_dict/sequential.4.weight" tiny.h5
    golden tiny.h5
    "$EDIT" tiny.h5 set state_dict/sequential.5.running_var 1 -1
    refused "running_var" tiny.h5
    golden tiny.h5
    "$EDIT" tiny.h5 fill state_dict/sequential.11.w 0.5
    refused "are all equal: the average is 0/0" tiny.h5
    golden tiny.h5
    "$EDIT" tiny.h5 remove state_dict/sequential.5.scale
    refused "sequential.5" tiny.h5
    golden tiny.h5
    "$EDIT" tiny.h5 remove state_dict
    refused "this is no model file" tiny.h5
}

others() {
    good_model
    refused "recording" recording.h5
    refused "movie" movie.h5
    refused "absent.h5: " absent.h5
    echo "no HDF5" >text.h5
    refused "text.h5: " text.h5
    size=$(wc -c <model.h5)
    for left in 0 100 $((size / 2)) $((size - 1)); do
        head -c "$left" model.h5 >cut.h5
        expect 1 "$RETCODEC" convert cut.h5 -o refused.h5
        complains "cut.h5: "
        one_line
        absent refused.h5
    done
    expect 2 "$RETCODEC" convert model.h5 --to onnx -o refused.h5
    complains "--to"
    expect 2 "$RETCODEC" convert model.h5 --norm 3 -o refused.h5
    complains "--norm takes two numbers, MEAN,STD"
    expect 2 "$RETCODEC" convert -o refused.h5
    complains "--input is missing"
    absent refused.h5
}

run_cases own_models published positions damaged others

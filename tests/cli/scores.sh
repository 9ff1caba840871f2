#!/bin/sh
# Scores of predictions as they are printed and drawn, learning curves and filters of models, and what cannot be compared.
. "$RETC_TESTS/cli/lib.sh"

# A recording with repeats, one with a single one, and two models, made once.
results() {
    [ ! -e ../results/done ] || return 0
    mkdir -p ../results
    cd ../results
    make_result stimulus white-noise --frames 2000 --height 6 --width 6 -o train.h5
    make_result stimulus white-noise --frames 200 --height 6 --width 6 --seed 2 -o test.h5
    make_result stimulus white-noise --frames 200 --height 6 --width 6 --seed 3 -o other_test.h5
    make_result simulate --train train.h5 --test test.h5 --cells 2 --repeats 6 -o recording.h5
    make_result simulate --train train.h5 --test other_test.h5 --cells 2 --repeats 6 -o other.h5
    make_result simulate --train train.h5 --test test.h5 --cells 2 --repeats 1 -o single.h5
    make_result fit recording.h5 -m ln --history 8 -o ln.h5
    make_result fit recording.h5 --history 8 --channels0 2 --channels1 3 --kernel0 3 --kernel1 2 --epochs 3 -o cnn.h5
    for model in ln cnn; do
        make_result predict $model.h5 recording.h5 --bootstrap 50 -o predict-$model.h5
    done
    touch done
    cd "$OLDPWD"
}

need_gnuplot() {
    command -v gnuplot >/dev/null || skip "no gnuplot"
}

# draw KIND INPUT...: in three formats, with a table beside each.
draw() {
    need_gnuplot
    for format in png svg pdf; do
        expect 0 "$RETCODEC" figure "$@" -o "figure-$format.$format"
        [ ! -s err ] || fail "$(cat err)"
        [ -s "figure-$format.$format" ]
        [ -s "figure-$format.txt" ]
        no_leftovers
    done
}

# refused CODE TEXT COMMAND...: one line on stderr, and no figure.
refused() {
    code=$1 says=$2
    shift 2
    expect "$code" "$RETCODEC" "$@" -o refused.png
    complains "$says"
    one_line
    absent refused.png refused.txt
    no_leftovers
}

printed_scores() {
    results
    expect 0 "$RETCODEC" predict ../results/cnn.h5 ../results/recording.h5 --bootstrap 50 -o p.h5
    prints "cell       r                       explained variance      Poisson deviance        bits per spike"
    grep -Eq '^cell01  +-?0\.[0-9]{3} ±0\.[0-9]{3} of 0\.[0-9]{3}' out || fail "$(cat out)"
    prints "of: noise ceiling, what the true rates would score on these 6 repeats; ±: half of the 95 % interval over 50 draws"
    prints "of what can be explained, mean over cells: r "
    expect 0 "$RETCODEC" info p.h5 --datasets
    prints "score/deviance_explained_95"
    prints "score/mean/pearson"
    # The same seed gives the same intervals on any number of threads.
    for threads in 1 3; do
        expect 0 "$RETCODEC" predict ../results/cnn.h5 ../results/recording.h5 --bootstrap 50 --threads $threads -q \
            --no-provenance -o threads$threads.h5
    done
    cmp threads1.h5 threads3.h5
}

without_intervals() {
    results
    expect 0 "$RETCODEC" predict ../results/cnn.h5 ../results/recording.h5 --bootstrap 0 -o p.h5
    prints "what the true rates would score on these 6 repeats"
    not grep -q ± out
    need_gnuplot
    expect 0 "$RETCODEC" figure scores p.h5 -o p.png
    grep -q '^2 1 3 1 0 6 $' p.txt || fail "$(sed -n '/^# figure/,/^$/p' p.txt)"
}

# One repeat, or the train part: no ceilings, no intervals, and that is said in a line.
without_repeats() {
    results
    expect 0 "$RETCODEC" predict ../results/cnn.h5 ../results/single.h5 -o single.h5
    prints "no noise ceilings and no intervals: the test part has one repeat"
    not grep -q " of 0" out
    expect 0 "$RETCODEC" predict ../results/cnn.h5 ../results/recording.h5 --part train -o train.h5
    prints "no noise ceilings and no intervals: the train part has no single repeats"
    not grep -qi nan out
    need_gnuplot
    expect 0 "$RETCODEC" figure scores single.h5 -o single.png
    expect 0 "$RETCODEC" figure scores train.h5 -o train.png
    grep -q '^2 1 3 0 0 6 $' train.txt
    refused 1 'train.h5: holds predictions of the train part, single.h5 those of the test part' figure scores single.h5 train.h5
}

scores() {
    results
    draw scores ../results/predict-ln.h5 ../results/predict-cnn.h5
    grep -q '^2 2 3 1 1 6 $' figure-png.txt
    grep -q '^1 "LN" $' figure-png.txt
    grep -q '^3 "mean" $' figure-png.txt
    expect 0 "$RETCODEC" figure scores ../results/predict-cnn.h5 --cells cell02 -o one.png
    not grep -q '"cell01"' one.txt
    # The same model twice, under one name in two folders.
    cp ../results/predict-cnn.h5 .
    expect 0 "$RETCODEC" figure scores ../results/predict-cnn.h5 predict-cnn.h5 -o twice.png
    grep -q '^1 "CNN (../results/predict-cnn.h5)" $' twice.txt
}

scores_that_cannot_be_compared() {
    results
    make_result predict ../results/cnn.h5 ../results/other.h5 --bootstrap 0 -o other.h5
    refused 1 'other.h5: what was measured of cell01 is not what ../results/predict-ln.h5 has' \
        figure scores ../results/predict-ln.h5 other.h5
    make_result fit ../results/recording.h5 -m ln --history 8 --cells 1 -o cell2.h5
    make_result predict cell2.h5 ../results/recording.h5 --cells 1 --bootstrap 0 -o cell2_predicted.h5
    refused 1 'cell2_predicted.h5: there is no cell "cell01" among its 1 cells' \
        figure scores ../results/predict-ln.h5 cell2_predicted.h5
    refused 1 '../results/ln.h5: is a file of kind "model", expected "predictions"' \
        figure scores ../results/predict-ln.h5 ../results/ln.h5
    many=
    for i in 1 2 3 4 5 6 7 8 9; do many="$many ../results/predict-ln.h5"; done
    refused 2 'scores takes one to 8 files of predictions, 9 are given' figure scores $many
}

learning() {
    results
    draw learning ../results/cnn.h5
    grep -q '^# curve 1' figure-png.txt
    make_result fit ../results/recording.h5 --history 8 --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 --epochs 1 -o one.h5
    expect 0 "$RETCODEC" figure learning ../results/cnn.h5 one.h5 -o two.png
    grep -q '^2 3 ' two.txt
    grep -q '^2 "CNN (one.h5)" 1 ' two.txt
    refused 1 '../results/ln.h5: has no learning curves' figure learning ../results/cnn.h5 ../results/ln.h5
    refused 1 'is a file of kind "predictions", expected "model"' figure learning ../results/predict-cnn.h5
}

# Filters of a model; those of a file of STAs stand in figure.sh.
filters() {
    results
    draw filters ../results/cnn.h5
    grep -q '^1 "conv0: 2 filters of 8 frames and 3x3 pixels" 1 1 2 3 3 ' figure-png.txt
    grep -q '^2 "conv1: 3 filters of 2x2 on 2 channels" 0 3 2 2 2 ' figure-png.txt
    grep -q '^3 "conv2: 2 cells of 3x3 on 3 channels" 0 2 3 3 3 ' figure-png.txt
    expect 0 "$RETCODEC" figure filters ../results/ln.h5 --cells cell02 -o ln.png
    grep -q '^1 "conv0: 2 filters of 8 frames and 6x6 pixels; 1 are drawn" 1 1 1 6 6 ' ln.txt
    grep -Eq '^0 0 "cell02: [0-9]+%" $' ln.txt
    refused 1 '../results/ln.h5: there is no cell "nobody" among its 2 cells' figure filters ../results/ln.h5 --cells nobody
    refused 1 'is a file of kind "predictions", expected "sta"' figure filters ../results/predict-ln.h5
    refused 2 'filters takes one file of STAs, or one model, 2 are given' figure filters ../results/ln.h5 ../results/cnn.h5
}

# Published checkpoints: readout positions, layers that nobody listed, and no frame interval.
filters_of_checkpoints() {
    shared=${RETC_SHARED:-$RETC_TESTS/../../shared}
    [ -e "$shared/goldens/vary_checkpoint.h5" ] || skip "no shared goldens"
    need_gnuplot
    expect 0 "$RETCODEC" figure filters "$shared/goldens/vary_checkpoint.h5" -o vary.png
    grep -q '^3 "conv2: 17 cells of 11x11 on 8 channels" 0 17 8 11 11 2 ' vary.txt
    [ "$(sed -n '/^# positions 3/,/^$/p' vary.txt | grep -vc '^#\|^$')" -eq 17 ]
    expect 0 "$RETCODEC" figure filters "$shared/goldens/tiny.h5" -o tiny.png
    grep -q '^3 "RetinotopicModel" "frames"' tiny.txt
}

run_cases printed_scores without_intervals without_repeats scores scores_that_cannot_be_compared learning filters filters_of_checkpoints

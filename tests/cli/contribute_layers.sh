#!/bin/sh
# Contributions of layers: what is written of them, what is printed and drawn of it, and what cannot be asked for.
. "$RETC_TESTS/cli/lib.sh"

# A recording with its truth and a model of it, made once.
results() {
    [ ! -e ../results/done ] || return 0
    mkdir -p ../results
    cd ../results
    make_result stimulus white-noise --frames 1500 --height 12 --width 12 -o train.h5
    make_result stimulus white-noise --frames 150 --height 12 --width 12 --seed 2 -o test.h5
    make_result simulate --train train.h5 --test test.h5 --truth test -o recording.h5
    make_result fit recording.h5 --history 10 --channels0 3 --channels1 4 --kernel0 5 --kernel1 3 --epochs 3 -o cnn.h5
    make_result fit recording.h5 -m ln --history 10 -o ln.h5
    touch done
    cd "$OLDPWD"
}

# refused CODE TEXT COMMAND...: one line on stderr, and no file.
refused() {
    code=$1 says=$2
    shift 2
    expect "$code" "$RETCODEC" "$@" -o refused.h5
    complains "$says"
    one_line
    absent refused.h5
    no_leftovers
}

contribute() {
    "$RETCODEC" contribute ../results/cnn.h5 ../results/recording.h5 --steps 4 "$@"
}

reductions() {
    results
    expect 0 contribute --reduce maps,sum,split,patch,neighbourhood --patch 3 --radius 2 -o all.h5
    prints "layer            sparsity   columns that share      dimensions (90 %)      r -/+     r act."
    status=0
    /usr/bin/python3 "$RETC_TESTS/h5py/read_contributions.py" all.h5 >log 2>&1 || status=$?
    [ "$status" -ne 77 ] || skip "no python3-h5py"
    [ "$status" -eq 0 ] || fail "$(cat log)"
}

# Nothing but the published series where nothing is asked for; the same bytes on any number of threads.
no_reductions() {
    results
    for threads in 1 2; do
        expect 0 contribute -q --no-provenance --threads $threads -o plain$threads.h5
    done
    cmp plain1.h5 plain2.h5
    expect 0 contribute --method grad-cam --target cell -o positive.h5
    grep -Eq '^conv2 .* - +[0-9.-]+$' out || fail "no negative contributions, and no dash: $(cat out)"
    not grep -q nan out
    expect 0 "$RETCODEC" info plain1.h5 --datasets
    not grep -q 'maps\|patches\|neighbourhoods\|sums/' out
    prints "statistics/conv1/contribution/hoyer"
}

bad_reductions() {
    results
    set -- contribute ../results/cnn.h5 ../results/recording.h5 --steps 4
    refused 2 '--reduce: "mean" is none of split, maps, sum, patch, neighbourhood' "$@" --reduce sum,mean
    refused 1 'patches of 9x9 units do not fit the maps of conv0, 8x8; --patch sets their size' "$@" --reduce patch --patch 9
    refused 2 '--patch' "$@" --reduce patch --patch 0
    refused 2 '--radius' "$@" --reduce neighbourhood --radius -1
}

# draw KIND INPUT...: in three formats, with a table beside each.
draw() {
    command -v gnuplot >/dev/null || skip "no gnuplot"
    for format in png svg pdf; do
        expect 0 "$RETCODEC" figure "$@" -o "figure-$format.$format"
        [ ! -s err ] || fail "$(cat err)"
        [ -s "figure-$format.$format" ]
        [ -s "figure-$format.txt" ]
        no_leftovers
    done
}

# rows BLOCK: the rows of a block of the table, without empty lines and comments.
rows() {
    sed -n "/^# $1\$/,/^\$/p" figure-png.txt | grep -v '^#\|^$'
}

layers() {
    results
    expect 0 contribute -q -o c.h5
    draw layers c.h5
    [ "$(rows layers | wc -l)" -eq 3 ]
    rows layers | grep -q '^2 "conv1" 8 '
    [ "$(rows channels | wc -l)" -eq 11 ]
    [ "$(rows 'variance 1' | wc -l)" -eq 6 ]
    rows 'variance 1' | grep -q '^1 1 1 $'
    refused_figure 1 'is a file of kind "model", expected "contributions"' layers ../results/cnn.h5
}

paths() {
    results
    expect 0 contribute -q --paths --paths-every 5 -o c.h5
    draw paths c.h5
    rows figure | grep -q '^"conv0" "conv1" "surprisal" "" 3 4 .* 32 '
    [ "$(rows matrix | wc -l)" -eq 12 ]
    draw_again=$(rows matrix)
    expect 0 "$RETCODEC" figure paths c.h5 --cells cell02 -f -o figure-png.png
    rows figure | grep -q '^"conv0" "conv1" "cell02" "Hz" 3 4 '
    [ "$draw_again" != "$(rows matrix)" ]
    refused_figure 1 'c.h5: there are no paths to a cell "nobody"' paths c.h5 --cells nobody
    expect 0 contribute -q -o none.h5
    refused_figure 1 'none.h5: holds no paths; retcodec contribute --paths writes them' paths none.h5
}

input() {
    results
    for threads in 1 2; do
        expect 0 contribute -q --no-provenance --input full --input-every 4 --threads $threads -o full$threads.h5
    done
    cmp full1.h5 full2.h5
    expect 0 "$RETCODEC" info full1.h5 --datasets
    prints "input/attribution                            (44,10,12,12) f4"
    prints "input/map                                    (44,12,12) f4"
    expect 0 contribute -q --input map -o map.h5
    expect 0 "$RETCODEC" info map.h5 --datasets
    not grep -q 'input/attribution' out
    refused 2 '--input' contribute ../results/cnn.h5 ../results/recording.h5 --input all
}

# Paths and input attributions take as many steps as they need, on any number of threads, and say where that was not enough.
steps_as_needed() {
    results
    set -- contribute ../results/cnn.h5 ../results/recording.h5 --target sum --paths --paths-every 5 --input map --input-every 4
    for threads in 1 2; do
        expect 0 "$RETCODEC" "$@" -q --no-provenance --threads $threads -o needed$threads.h5
    done
    cmp needed1.h5 needed2.h5
    expect 0 "$RETCODEC" info needed1.h5 --datasets
    prints "input/error                                  (44) f8"
    prints "input/steps                                  (44) i8"
    grep -q '^ *pairs/error  *([0-9]*) f8$' out
    expect 3 "$RETCODEC" "$@" --tolerance 1e-6 --most-steps 10 -o few.h5
    prints " samples of paths or input attributions did not reach the tolerance of 1e-06 in 10 steps"
    refused 2 '--most-steps' "$@" --most-steps 9
}

input_figure() {
    results
    expect 0 contribute -q --target cell --input map --input-every 2 -o c.h5
    draw input c.h5
    rows figure | grep -q '^"cell01" "Hz" .* 12 12 0 0 5 .* 1 $'
    [ "$(rows moments | wc -l)" -eq 5 ]
    [ "$(rows 'map 5' | wc -l)" -eq 144 ]
    draw input c.h5 --times 0.3,0.4 --force
    [ "$(rows moments | wc -l)" -eq 2 ]
    refused_figure 1 '--times: 99 s is not in the window' input c.h5 --times 99
    refused_figure 2 '--times is for the figure input, not for layers' layers c.h5 --times 1
    expect 0 contribute -q -o none.h5
    refused_figure 1 'none.h5: holds no input attributions; retcodec contribute --input map writes them' input none.h5
}

bad_paths() {
    results
    refused 1 'the model has one convolution; paths lead through two' contribute ../results/ln.h5 ../results/recording.h5 --paths
    refused 2 '--paths-every' contribute ../results/cnn.h5 ../results/recording.h5 --paths --paths-every 0
}

refused_figure() {
    code=$1 says=$2
    shift 2
    expect "$code" "$RETCODEC" figure "$@" -o refused.png
    complains "$says"
    one_line
    absent refused.png refused.txt
    no_leftovers
}

# A model that was fitted for a minute knows who drove the cells: its contributions follow the true ones of the simulated retina,
# and far better than they follow the same turned round in time.
truth() {
    results
    make_result stimulus white-noise --frames 12000 --height 12 --width 12 -o train.h5
    make_result simulate --train train.h5 --test ../results/test.h5 --truth test -o recording.h5
    make_result fit recording.h5 --history 8 --channels0 6 --channels1 6 --kernel0 7 --kernel1 3 --epochs 15 -o cnn.h5
    expect 0 "$RETCODEC" contribute cnn.h5 recording.h5 --target cell --cell 0 --reduce maps -q -o c.h5
    draw truth c.h5 recording.h5
    grep -q '^cell01: best units of 5 true contributions follow them with r ' out || fail "$(cat out)"
    sed -n 's/.* with r \([0-9.]*\) on average; by chance \([0-9.]*\)$/\1 \2/p' out | awk '!($1 > 0.4 && $1 > 2*$2) {exit 1}' ||
        fail "$(cat out)"
    rows interneurons | grep -q '^4 "amacrine_on1, synapse" '
    expect 0 contribute -q -o sum.h5 --target sum
    refused_figure 1 'sum.h5: is not of one cell; the truth is known for cells' truth sum.h5 ../results/recording.h5
    expect 0 "$RETCODEC" contribute ../results/ln.h5 recording.h5 --target cell --steps 2 -q -o ln.h5
    refused_figure 1 'is of a model without interneurons' truth ln.h5 recording.h5
    refused_figure 2 'truth takes a file of contributions and a recording, 1 are given' truth c.h5
}

run_cases reductions no_reductions bad_reductions layers paths bad_paths input steps_as_needed input_figure truth

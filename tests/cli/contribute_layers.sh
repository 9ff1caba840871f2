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

# Fits as short as these need not converge.
make_result() {
    status=0
    "$RETCODEC" "$@" -q >log 2>&1 || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$*: $(cat log)"
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

run_cases reductions no_reductions bad_reductions

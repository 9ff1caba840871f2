#!/bin/sh
# Contributions and receptive fields of what does not fit, is damaged, says nothing or cannot be reached: each is named.
. "$RETC_TESTS/cli/lib.sh"

# A recording, a model of it; recordings of other movies, of fewer cells and of few frames.
results() {
    [ -x "$edit_h5" ] || skip "tests/cli/edit_h5 is not built; make check builds it"
    [ ! -e ../results/done ] || return 0
    mkdir -p ../results
    cd ../results
    make_result stimulus white-noise --frames 1200 --height 6 --width 7 -o train.h5
    make_result stimulus white-noise --frames 60 --height 6 --width 7 --seed 2 -o test.h5
    make_result stimulus white-noise --frames 9 --height 6 --width 7 --seed 2 -o few.h5
    make_result stimulus white-noise --frames 60 --height 7 --width 6 --seed 2 -o turned.h5
    make_result simulate --train train.h5 --test test.h5 --cells 3 --repeats 4 -o recording.h5
    make_result simulate --train train.h5 --test few.h5 --cells 3 --repeats 4 -o few-recording.h5
    make_result simulate --train turned.h5 --test turned.h5 --cells 3 --repeats 4 -o turned-recording.h5
    make_result simulate --train train.h5 --test test.h5 --cells 2 --repeats 4 -o two-cells.h5
    make_result fit recording.h5 --history 6 --channels0 2 --channels1 3 --kernel0 3 --kernel1 2 --epochs 2 -o cnn.h5
    touch done
    cd "$OLDPWD"
}

# refused TEXT COMMAND...: one line, nothing written.
refused() {
    text=$1
    shift
    expect 1 "$RETCODEC" "$@" -o refused.h5
    complains "$text"
    one_line
    absent refused.h5
    no_leftovers
}

# edited FILE EDIT...: a copy of a result, as edited.h5, with one thing wrong (see edit_h5.c).
edited() {
    cp "../results/$1" edited.h5
    shift
    "$edit_h5" edited.h5 "$@" || fail "edit_h5 $*"
}

sizes() {
    results
    for command in "contribute" "rf irf"; do
        refused "turned-recording.h5: the movie has 7x6 pixels, the model was fitted to 6x7" \
            $command ../results/cnn.h5 ../results/turned-recording.h5
    done
    refused "two-cells.h5: the recording has 2 cells, the model 3" contribute ../results/cnn.h5 ../results/two-cells.h5
}

# A weight that is no number is named with its element; one that is finite and far too large by what comes of it.
weights() {
    results
    for value in nan inf; do
        edited cnn.h5 set state_dict/sequential.0.weight 7 $value
        for command in "contribute" "rf irf"; do
            refused 'edited.h5: "/state_dict/sequential.0.weight" holds a value that is not finite, at element 7' \
                $command edited.h5 ../results/recording.h5
        done
    done
    edited cnn.h5 fill state_dict/sequential.0.weight 3e38
    refused "its parameters are damaged or too large" contribute edited.h5 ../results/recording.h5
    refused "contributions of conv0 are not finite in frame 6: the model's parameters are damaged or too large" \
        contribute edited.h5 ../results/recording.h5 --target sum
    refused "a receptive field is not finite: the model's parameters are damaged or too large" \
        rf irf edited.h5 ../results/recording.h5
}

# Three samples of three cells' rates lie in a plane: that they do not vary across it is said, and in the file.  Rates that do not
# change at all have no surprise.
covariances() {
    results
    set -- contribute ../results/cnn.h5 ../results/few-recording.h5
    expect 0 "$RETCODEC" "$@" --statistics test -o singular.h5
    prints "the covariance of the rates cannot be inverted: 1 of 3 directions do not vary and got the mean variance"
    expect 0 "$RETCODEC" info singular.h5
    prints "directions_without_variance = 1"
    expect 0 "$RETCODEC" "$@" --statistics train -o regular.h5
    not grep -q inverted out
    expect 0 "$RETCODEC" info regular.h5
    not grep -q directions_without_variance out
    layer=$("$RETCODEC" info ../results/cnn.h5 --datasets | sed -n 's|^ *state_dict/\(sequential\.[0-9]*\)\.weight .*|\1|p' | tail -1)
    edited cnn.h5 fill "state_dict/$layer.weight" 0
    refused "recording.h5: train part: the covariance of the rates cannot be inverted: the model's rates do not vary" \
        contribute edited.h5 ../results/recording.h5
}

# A cell without responses is named, has no correlation with its model, and is explained like any other.
silent_cell() {
    results
    edited recording.h5 fill test/repeats/cell02 0
    expect 0 "$RETCODEC" contribute ../results/cnn.h5 edited.h5 --target cell --cell 1 -o silent.h5
    prints "cell02 has no responses in the test part: how good the model of it is cannot be said"
    [ "$(grep -c "has no responses" out)" -eq 1 ]
    /usr/bin/python3 -c "import h5py" 2>/dev/null || skip "no python3-h5py"
    /usr/bin/python3 - <<PYTHON
import h5py, numpy
f = h5py.File("silent.h5")
r, mean = f["metadata/correlations_per_cell"][:], f["metadata/mean_responses_per_cell"][:]
assert list(numpy.isnan(r)) == [False, True, False], r
assert mean[1] == 0 and mean[0] > 0
assert abs(mean - f["metadata/actual_responses_all_cells"][:].mean(0)).max() < 1e-5 * mean.max()
assert abs(f["cell_contributions/conv0"][:]).max() > 0
PYTHON
}

# What cannot be reached is kept as good as it is and marked, with exit code 3, which --if-changed repeats.
tolerances() {
    results
    set -- contribute ../results/cnn.h5 ../results/recording.h5 --target sum --tolerance 1e-6 --most-steps 16
    expect 3 "$RETCODEC" "$@" -o best.h5
    grep -Eq '^[0-9]+ of 54 samples did not reach the tolerance of 1e-06 in 16 steps; /completeness/error says which$' out ||
        fail "the samples are not counted: $(cat out)"
    missed=$(sed -n 's/ of 54 samples did not reach.*//p' out)
    expect 0 "$RETCODEC" info best.h5
    prints "converged = 0"
    expect 3 "$RETCODEC" "$@" --if-changed -o best.h5
    /usr/bin/python3 -c "import h5py" 2>/dev/null || skip "no python3-h5py"
    /usr/bin/python3 - "$missed" <<PYTHON
import sys, h5py, numpy
f = h5py.File("best.h5")
error = numpy.max([f["completeness/error"][layer][:] for layer in f["completeness/error"]], axis=0)
assert (error > 1e-6).sum() == int(sys.argv[1]) > 0, ((error > 1e-6).sum(), sys.argv[1])
assert (f["completeness/steps"][:][error > 1e-6] == 16).all()
change = f["completeness/target"][:] - f["completeness/target_zero"][:]
assert abs(f["sum_contributions/conv0"][:].sum(1) - change).max() < 1e-4 * (1 + abs(change).max())
PYTHON
}

run_cases sizes weights covariances silent_cell tolerances

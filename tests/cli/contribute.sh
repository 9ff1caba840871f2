#!/bin/sh
# What contributions explain and how: every target and method from the command line, and requests that cannot be met.
. "$RETC_TESTS/cli/lib.sh"

# A recording of three cells, a model of it, and a model of one cell.
results() {
    [ ! -e ../results/done ] || return 0
    mkdir -p ../results
    cd ../results
    make_result stimulus white-noise --frames 1200 --height 6 --width 6 -o train.h5
    make_result stimulus white-noise --frames 60 --height 6 --width 6 --seed 2 -o test.h5
    make_result simulate --train train.h5 --test test.h5 --cells 3 --repeats 4 -o recording.h5
    make_result fit recording.h5 --history 6 --channels0 2 --channels1 3 --kernel0 3 --kernel1 2 --epochs 2 -o cnn.h5
    make_result fit recording.h5 --cells 0 --history 6 --channels0 2 --channels1 2 --kernel0 3 --kernel1 2 --epochs 1 -o one.h5
    touch done
    cd "$OLDPWD"
}

contribute() {
    expect 0 "$RETCODEC" contribute ../results/cnn.h5 ../results/recording.h5 "$@" --force -o c.h5
}

# refused TEXT MODEL OPTION...: one line, nothing written.
refused() {
    text=$1
    model=$2
    shift 2
    expect "${wanted:-1}" "$RETCODEC" contribute "../results/$model.h5" ../results/recording.h5 "$@" -o refused.h5
    complains "$text"
    one_line
    absent refused.h5
    no_leftovers
}

# shows NAME VALUE: a line of retcodec info.
shows() {
    expect 0 "$RETCODEC" info c.h5
    grep -Eq "^ *$1:? +$2" out || fail "info lacks $1 $2: $(cat out)"
}

targets() {
    results
    for target in surprisal sum cell topk entropy contrastive; do
        contribute --target $target --steps 2
        shows target $target
    done
    contribute --target cell --cell 2,0 --steps 2
    shows target cells
    contribute --target linear --weights -1,0.5,0 --steps 2
    shows target linear
    for target in surprisal cell topk contrastive "linear --weights 1,0,0"; do
        contribute --target $target --softmax --steps 2
    done
}

methods() {
    results
    for method in act-grad act-normgrad normact-normgrad smooth-grad grad-cam smooth-grad-cam knock-out shapley; do
        contribute --target sum --method $method --noise-samples 2 --orders 2
        shows method $method
        prints "conv1"
    done
    contribute --target sum --method knock-out --units
    contribute --target sum --method smooth-grad-cam --cam-sums signed --noise-samples 2
    expect 0 "$RETCODEC" info c.h5
    prints "cam_sums = signed"
    contribute --target sum --method shapley --orders 2 --threads 1 --seed 4 --no-provenance
    cp c.h5 one-thread.h5
    contribute --target sum --method shapley --orders 2 --threads 3 --seed 4 --no-provenance
    cmp c.h5 one-thread.h5
}

# As the scripts of others read them, with standard errors beside: sums over channels add up.
files() {
    results
    /usr/bin/python3 -c "import h5py" 2>/dev/null || skip "no python3-h5py"
    contribute --target topk --top 2 --method shapley --orders 3
    /usr/bin/python3 - <<PYTHON
import h5py, numpy
f = h5py.File("c.h5")
target, zero = f["completeness/target"][:], f["completeness/target_zero"][:]
assert f.attrs["method"] == "shapley" and f.attrs["target"] == "topk" and f.attrs["target_k"] == 2 and f.attrs["orders"] == 3
assert "steps" not in f["completeness"]
assert f["metadata/topk_values"].shape == target.shape
for layer in f["metadata/layer_names"][:]:
    c, error = f["topk_contributions"][layer][:], f["standard_errors"][layer][:]
    assert c.shape == (len(target), 2 * error.shape[1]) and (error >= 0).all()
    assert abs(c.sum(1) - (target - zero)).max() < 1e-4 * (1 + abs(target).max())
assert f["topk_contributions/conv0"].attrs["attribution_method"] == "topk_single_target"
PYTHON
}

impossible() {
    results
    refused "--cell: cell 3 is asked for, the model has cells 0 to 2" cnn --target cell --cell 3
    refused "--cell: cell 7 is asked for" cnn --target cell --cell 0,7
    refused "--cell: cell 1 is asked for twice" cnn --target cell --cell 1,1
    refused "--cell: 0.5 is not the number of a cell" cnn --target cell --cell 0.5
    refused "--top: the 4 largest rates are asked for, the model has 3 cells: ask for 1 to 3" cnn --target topk --top 4
    refused "--top: the 0 largest rates" cnn --target topk --top 0
    refused "--weights: 2 weights are given, the model has 3 cells" cnn --target linear --weights 1,2
    refused "--weights: 0 weights are given" cnn --target linear
    refused "--weights: all weights are 0" cnn --target linear --weights 0,0,0
    refused "--softmax: the target sum cannot be taken through softmax" cnn --target sum --softmax
    for target in contrastive entropy; do
        refused "--target: the target $target compares cells, the model has one" one --target $target --cells 0
    done
    refused "--top: the 2 largest rates are asked for, the model has 1 cell" one --target topk --cells 0
    refused "--softmax: the target cell cannot be taken through softmax" one --target cell --softmax --cells 0
    refused "the covariance of the rates cannot be inverted: the model's rates do not vary" one --softmax --cells 0
    wanted=2
    refused "is not one of" cnn --target topk2
    refused "is not one of" cnn --method gradcam
    refused "--orders: 1 is out of range" cnn --method shapley --orders 1
    refused "--noise: " cnn --method smooth-grad --noise 0
    refused "not a list of" cnn --target linear --weights 1,x,2
}

# A residual addition that carries something past a layer is named and counted in; elsewhere nothing is said of it.
bypasses() {
    results
    cat >residual.ini <<'END'
[network]
name = residual
[layer:conv0]
kind = conv
channels = 2
kernel = 3
[layer:rectified]
kind = relu
[layer:conv1]
kind = conv
channels = 2
kernel = 2
[layer]
kind = residual
from = rectified
[layer]
kind = dense
channels = cells
[layer]
kind = softplus
END
    make_result fit ../results/recording.h5 --network residual.ini --history 6 --epochs 1 -o residual.h5
    expect 0 "$RETCODEC" contribute residual.h5 ../results/recording.h5 --target sum --steps 2 --force -o c.h5
    grep -Eq "residual additions carry [0-9.e-]+ of the change of the target \(rms\) past conv1" err out ||
        fail "no word of the residual addition: $(cat err out)"
    contribute --target sum --steps 2
    grep -q "residual additions" err out && fail "a residual addition where there is none"
    expect 0 "$RETCODEC" contribute residual.h5 ../results/recording.h5 --target sum --method trapezium --force -o c.h5
}

run_cases targets methods files bypasses impossible

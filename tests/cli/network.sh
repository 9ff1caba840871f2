#!/bin/sh
# Networks as tables: printed, edited, fitted, drawn; what is wrong with them; places of readouts.
. "$RETC_TESTS/cli/lib.sh"

presets="cnn ln lnln mcintosh2016 bncnn stacked-bncnn vary retinotopic"

# A recording of three cells on 9 x 8 pixels, once for all cases.
recording() {
    if [ ! -e ../results/recording.h5 ]; then
        mkdir -p ../results
        "$RETCODEC" stimulus white-noise --frames 1500 --height 9 --width 8 -q -o ../results/movie.h5
        "$RETCODEC" simulate --train ../results/movie.h5 --cells 3 -q -o ../results/recording.h5
    fi
    cp ../results/recording.h5 .
}

# Fits as short as these need not converge.
fit() {
    status=0
    "$RETCODEC" fit recording.h5 --history 6 --epochs 1 "$@" >out 2>err || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "fit $* gave $status: $(cat err)"
}

# A table of a residual network that pools.
write_table() {
    cat >mine.ini <<'END'
[layer:first]
kind = conv
channels = 3
kernel = 3x2
[layer]
kind = relu
[layer]
kind = conv
channels = 3
kernel = 3
[layer:sum]
kind = residual
from = first
[layer]
kind = avgpool
window = 2
[layer:readout]
kind = factorised
[layer]
kind = exp
[layer]
kind = scale
END
}

# Every preset fits small movies, draws its diagram, and is the same table after it was printed.
presets() {
    recording
    for name in $presets; do
        fit --network "$name" -q -o "$name.h5"
        expect 0 "$RETCODEC" info "$name.h5" --diagram "$name.png"
        prints "  type           $name"
        prints "pixels seen"
        [ -s "$name.png" ] && [ -s "$name.txt" ] || fail "no diagram of $name"
        expect 0 "$RETCODEC" fit --print-network "$name"
        mv out "$name.ini"
        expect 0 "$RETCODEC" fit --print-network "$name.ini"
        # Files do not say what presets are.
        grep -v '^# ' out >again
        grep -v '^# ' "$name.ini" | cmp - again || fail "$name changes when it is read"
    done
}

# An edited table is fitted, under its name; its name in the file wins over that of the file.
edited() {
    recording
    write_table
    fit -n mine.ini -o model.h5
    prints "model.h5: mine model of 3 cells"
    expect 0 "$RETCODEC" info model.h5 --diagram model.svg
    prints "0 convolution 3 @ 3x2"
    prints "+ layer 0, conv0"
    prints "mean of 2x2"
    prints "dense 3, channels x space"
    grep -q '"+ layer 0, conv0"' model.txt
    {
        printf '[network]\nname = better\n# %0300d\n' 0
        cat mine.ini
    } >named.ini
    fit -n named.ini -o named.h5
    prints "named.h5: better model of 3 cells"
    expect 0 "$RETCODEC" predict model.h5 recording.h5 --part train -o rates.h5
}

# Numbers of presets can be changed; --if-changed sees what a file says, not what it is called.
changes() {
    recording
    expect 0 "$RETCODEC" fit --print-network vary --channels0 3 --kernel1 5 --noise 0.5
    prints "channels = 3 "
    prints "kernel = 5 "
    prints "sigma = 0.5 "
    "$RETCODEC" fit --print-network cnn --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 >small.ini
    fit -n small.ini -o model.h5
    cp small.ini other.ini
    fit -n other.ini --if-changed -o model.h5
    prints "is up to date"
    sed 's/channels = 2/channels = 3/' small.ini >other.ini
    expect 1 "$RETCODEC" fit recording.h5 --history 6 --epochs 1 -n other.ini --if-changed -o model.h5
    complains "was made from other inputs"
    fit --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 -o preset.h5
}

# Readout positions lie where receptive fields are said to be, or are.
centres() {
    recording
    printf '# row column\n4 4\n0 7\n8 2\n' >centres.txt
    fit -n vary --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 --centres centres.txt -o model.h5
    expect 0 "$RETCODEC" info model.h5 --datasets
    prints "centers"
    fit -n vary --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 -o found.h5
    printf '4 4\n0 8\n8 2\n' >centres.txt
    expect 1 "$RETCODEC" fit recording.h5 -n vary --history 6 --centres centres.txt -o no.h5
    complains "centres.txt:2: column 8 is outside the frame"
    one_line
    absent no.h5
}

failures() {
    recording
    expect 2 "$RETCODEC" fit recording.h5 -n bncn -o no.h5
    complains "did you mean bncnn?"
    one_line
    write_table
    sed 's/kind = conv/kind = covn/' mine.ini >bad.ini
    expect 1 "$RETCODEC" fit recording.h5 -n bad.ini -o no.h5
    complains "bad.ini:2: [layer:first] kind"
    complains "did you mean conv?"
    one_line
    sed 's/kernel = 3x2/kernel = 10/' mine.ini >bad.ini
    expect 1 "$RETCODEC" fit recording.h5 -n bad.ini --history 6 -o no.h5
    complains "bad.ini:1: [layer:first]: "
    one_line
    expect 1 "$RETCODEC" fit recording.h5 -n recording.h5 -o no.h5
    complains "recording.h5:"
    one_line
    expect 2 "$RETCODEC" fit recording.h5 -n mine.ini --channels0 3 -o no.h5
    complains "changed in that file"
    expect 2 "$RETCODEC" fit recording.h5 -n ln --channels0 3 -o no.h5
    complains "network ln has no convolution 0"
    expect 2 "$RETCODEC" fit recording.h5 -m ln -n vary -o no.h5
    complains "--network vary is fitted by --model cnn"
    expect 2 "$RETCODEC" fit -n vary -o no.h5
    complains "recording"
    absent no.h5 no.h5.checkpoint
    expect 1 "$RETCODEC" info recording.h5 --diagram no.png
    complains "recording.h5"
    expect 2 "$RETCODEC" info recording.h5 recording.h5 --diagram no.png
    complains "--diagram draws one model"
    expect 2 "$RETCODEC" info recording.h5 --diagram no.jpeg
    complains ".png, .svg or .pdf"
    absent no.png no.txt
    no_leftovers
}

# A fit that begins from a model: its layers and history; a chain of convolutions stays one, through torch and back.
started() {
    recording
    fit --network vary -q -o vary.h5
    expect 0 "$RETCODEC" convert vary.h5 --uncollapsed -o kept.h5
    status=0
    "$RETCODEC" fit recording.h5 --start kept.h5 --epochs 1 -o on.h5 >out 2>err || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "fit --start gave $status: $(cat err)"
    prints "history 6 frames"
    expect 0 "$RETCODEC" info on.h5
    prints "LinearStackedConv2d"
    expect 2 "$RETCODEC" fit recording.h5 --start kept.h5 --network vary -o no.h5
    complains "--start takes the layers of kept.h5 as they are"
    one_line
    expect 2 "$RETCODEC" fit recording.h5 --start kept.h5 --model ln -o no.h5
    complains "--start is of --model cnn"
    one_line
    expect 1 "$RETCODEC" fit recording.h5 --start kept.h5 --cells 0 -o no.h5
    complains "the recording has 1 cells, the model 3"
    one_line
    expect 1 "$RETCODEC" fit recording.h5 --start recording.h5 -o no.h5
    complains "recording.h5:"
    one_line
    absent no.h5 no.h5.checkpoint
    no_leftovers
}

run_cases presets edited changes centres started failures

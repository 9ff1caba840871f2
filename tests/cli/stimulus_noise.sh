#!/bin/sh
# Noise at the command line, movies kept as recipes, and what is made of other stimulus files.
. "$RETC_TESTS/cli/lib.sh"

edit_h5=$(dirname "$RETCODEC")/tests/cli/edit_h5

white_noise() {
    expect 0 "$RETCODEC" stimulus white-noise --distribution ternary --layout vertical-bars --stixel 4 --jitter 3 --hold 2 \
        --frames 100 --height 6 --width 20 -o noise.h5
    prints "noise.h5: white-noise, 100 frames of 6 x 20 pixels at 60 Hz"
    expect 0 "$RETCODEC" info noise.h5 --datasets
    prints "    stimulus                                     (100,6,20) f4"
    expect 1 "$RETCODEC" stimulus white-noise --distribution ternary --contrast 0.9 -o other.h5
    complains "retcodec stimulus: a contrast of 0.9 is too much for ternary levels"
    one_line
    expect 1 "$RETCODEC" stimulus white-noise --jitter 1 -o other.h5
    complains "retcodec stimulus: a jitter of 1 pixels must be less than the stixel, which has 1"
    one_line
    absent other.h5
}

# What a retina sees of a recipe is what it sees of the frames.
recipe() {
    noise="stimulus white-noise --frames 2000 --height 9 --width 8 --seed 4 --no-provenance"
    "$RETCODEC" $noise -q -o frames.h5
    expect 0 "$RETCODEC" $noise --recipe -o recipe.h5
    [ "$(wc -c <recipe.h5)" -lt $(($(wc -c <frames.h5) / 2)) ] || fail "the recipe is large: $(wc -c recipe.h5)"
    expect 0 "$RETCODEC" info recipe.h5
    prints "  length         2000 frames, 33.3 s"
    prints "  frame          9 x 8 pixels"
    for file in frames recipe; do
        "$RETCODEC" simulate --train $file.h5 --cells 2 --no-provenance -q -o $file.out.h5
    done
    cmp frames.out.h5 recipe.out.h5
}

bad_recipe() {
    [ -x "$edit_h5" ] || skip "tests/cli/edit_h5 is not built; make check builds it"
    "$RETCODEC" stimulus white-noise --recipe --frames 600 -q -o recipe.h5
    "$edit_h5" recipe.h5 set recipe_frames 7 99
    expect 1 "$RETCODEC" simulate --train recipe.h5 -o recording.h5
    complains "retcodec simulate: recipe.h5: the recipe makes another movie than it did when it was written (a level of "
    one_line
    absent recording.h5
    no_leftovers
}

run_cases white_noise recipe bad_recipe

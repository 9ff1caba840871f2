#!/bin/sh
# Noise at the command line, movies kept as recipes, and what is made of other stimulus files.
. "$RETC_TESTS/cli/lib.sh"

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
    prints "  frames         made from a recipe whenever they are read"
    prints "  frame          9 x 8 pixels"
    for file in frames recipe; do
        "$RETCODEC" simulate --train $file.h5 --cells 2 --no-provenance -q -o $file.out.h5
    done
    cmp frames.out.h5 recipe.out.h5
}

bad_recipe() {
    head -c 1000 /dev/zero >raw
    expect 1 "$RETCODEC" stimulus video --raw raw --height 5 --width 5 --recipe -o movie.h5
    complains "retcodec stimulus: a video that reads files has no recipe; leave out --recipe to store its frames"
    one_line
    absent movie.h5
    [ -x "$edit_h5" ] || skip "tests/cli/edit_h5 is not built; make check builds it"
    "$RETCODEC" stimulus white-noise --recipe --frames 600 -q -o recipe.h5
    "$edit_h5" recipe.h5 set recipe_frames 7 99
    expect 1 "$RETCODEC" simulate --train recipe.h5 -o recording.h5
    complains "retcodec simulate: recipe.h5: the recipe makes another movie than it did when it was written (a level of "
    one_line
    absent recording.h5
    no_leftovers
}

noise_with_a_spectrum() {
    expect 0 "$RETCODEC" stimulus spectral-noise --frames 300 --time-exponent 1 --space-exponent 1.5 --time-corner 1 -o noise.h5
    prints "noise.h5: spectral-noise, 300 frames of 16 x 16 pixels at 60 Hz"
    expect 1 "$RETCODEC" stimulus spectral-noise --time-corner 40 -o other.h5
    complains "retcodec stimulus: a corner of 40 Hz lies not between 0 and half the frame rate, 30 Hz"
    one_line
    absent other.h5
}

# Every kind that is made of files, one command line each, without --output.
made_of_files() {
    cat <<LIST
frozen movie.h5 other.h5 --running 30 --frozen 20
crop movie.h5 --row 2 --width 5
resize movie.h5 --height 5 --width 3
log-polar movie.h5 --rings 5 --sectors 8
log-polar movie.h5 --rings 5 --sectors 8 --back
events movie.h5
LIST
}

transforms() {
    "$RETCODEC" stimulus white-noise --frames 100 --height 9 --width 8 --frame-rate 50 -q -o movie.h5
    "$RETCODEC" stimulus white-noise --frames 100 --height 9 --width 8 --frame-rate 50 --seed 2 --recipe -q -o other.h5
    made_of_files >list
    while read -r line <&4; do
        expect 0 "$RETCODEC" stimulus $line -o result.h5
        prints "pixels at 50 Hz"
        expect 0 "$RETCODEC" info result.h5
        prints "  stimulus       ${line%% *}"
        prints "  frame rate     50 Hz"
        rm result.h5
        expect 2 "$RETCODEC" stimulus $line --recipe -o result.h5
        complains "retcodec stimulus: there is no option --recipe"
        one_line
        expect 2 "$RETCODEC" stimulus $line --frame-rate 60 -o result.h5
        complains "retcodec stimulus: there is no option --frame-rate"
        one_line
        expect 1 "$RETCODEC" stimulus $line -o movie.h5 --force
        complains "movie.h5 is an input and cannot be the output as well"
        head -c 3000 movie.h5 >cut.h5
        expect 1 "$RETCODEC" stimulus $(echo "$line" | sed 's/movie.h5/cut.h5/') -o result.h5
        complains "retcodec stimulus: cut.h5: the HDF5 file is truncated"
        one_line
        absent result.h5
        no_leftovers
    done 4<list
    expect 2 "$RETCODEC" stimulus frozen movie.h5 -o result.h5
    complains "retcodec stimulus: --frozen-movie is missing"
    expect 1 "$RETCODEC" stimulus frozen movie.h5 other.h5 --running 101 --frozen 20 -o result.h5
    complains "movie.h5: has 100 frames, the running part needs 101"
    expect 1 "$RETCODEC" stimulus crop movie.h5 --row 9 -o result.h5
    complains "pixels from row 9, column 0 on are asked for, frames have 9 x 8"
    expect 1 "$RETCODEC" stimulus log-polar movie.h5 --inner 20 -o result.h5
    complains "retcodec stimulus: rings from 20 to 6.0208 pixels have no meaning: expected 0 < inner < outer"
    one_line
    absent result.h5
}

# A recording without its movie gives what one with it gives.
no_movie() {
    for part in train test; do
        noise="stimulus white-noise --frames 1500 --height 9 --width 8 --seed $(echo $part | wc -c) -q"
        "$RETCODEC" $noise -o $part.h5
        "$RETCODEC" $noise --recipe -o $part.recipe.h5
    done
    "$RETCODEC" simulate --train train.h5 --test test.h5 --cells 2 --repeats 3 -q -o with.h5
    expect 0 "$RETCODEC" simulate --train train.recipe.h5 --test test.recipe.h5 --cells 2 --repeats 3 --no-movie -o without.h5
    expect 0 "$RETCODEC" info without.h5 --datasets
    prints "  train          1500 frames, 25.0 s"
    prints "  test           1500 frames, 25.0 s, 3 repeats"
    prints "  frame          9 x 8 pixels"
    prints "    train/recipe_frames                          (3,9,8) f4"
    not grep -q "train/stimulus" out
    for file in with without; do
        "$RETCODEC" rf sta $file.h5 --history 8 --shuffles 0 --no-provenance -q -o $file.sta.h5
        "$RETCODEC" fit $file.h5 -m ln --history 8 --no-provenance -q -o $file.ln.h5
        "$RETCODEC" predict $file.ln.h5 $file.h5 --no-provenance -q -o $file.out.h5
    done
    cmp with.sta.h5 without.sta.h5
    cmp with.ln.h5 without.ln.h5
    cmp with.out.h5 without.out.h5
    expect 1 "$RETCODEC" simulate --train train.recipe.h5 --test test.h5 --no-movie -o bad.h5
    complains "retcodec simulate: test.h5: holds frames and no recipe: make it with --recipe, or leave out --no-movie"
    one_line
    absent bad.h5
    "$edit_h5" without.h5 set test/recipe_frames 5 99
    expect 1 "$RETCODEC" rf sta without.h5 -o bad.h5
    complains "retcodec rf: without.h5: the recipe makes another movie than it did when it was written"
    one_line
    absent bad.h5
}

run_cases white_noise recipe bad_recipe noise_with_a_spectrum transforms no_movie

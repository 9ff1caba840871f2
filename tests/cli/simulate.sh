#!/bin/sh
# The simulated retina at the command line: configurations, presets, what of the truth is written, and wrong parameters.
. "$RETC_TESTS/cli/lib.sh"

movies() {
    "$RETCODEC" stimulus white-noise --frames 600 --height 12 --width 12 -q -o train.h5
    "$RETCODEC" stimulus white-noise --frames 120 --height 12 --width 12 --seed 2 -q -o test.h5
}

# What is printed is what a file of it gives, and what the recording keeps.
configurations() {
    movies
    expect 0 "$RETCODEC" simulate --print-config --preset salamander-like
    prints '[object_motion]'
    prints 'maximum = 250 Hz'
    prints 'Clark'
    mv out printed.ini
    expect 0 "$RETCODEC" simulate --print-config --config printed.ini
    cmp out printed.ini
    expect 0 "$RETCODEC" simulate --print-config --rate 7 --pixel 40 --spikes gamma --cells 3
    prints 'rate = 7 Hz'
    prints 'pixel = 40 um'
    prints 'process = gamma'
    printf '[output]\nrate = 20 Hz\n' >mine.ini
    expect 0 "$RETCODEC" simulate --train train.h5 --config mine.ini --no-provenance -q -o file.h5
    expect 0 "$RETCODEC" simulate --train train.h5 --rate 20 --no-provenance -q -o option.h5
    cmp file.h5 option.h5
    # An option goes before the file.
    expect 0 "$RETCODEC" simulate --print-config --config mine.ini --rate 9
    prints 'rate = 9 Hz'
}

threads_do_not_matter() {
    movies
    for n in 1 3; do
        expect 0 "$RETCODEC" simulate --train train.h5 --test test.h5 --repeats 3 --gain-control 0.5 --threads $n \
            --no-provenance -q -o threads$n.h5
    done
    cmp threads1.h5 threads3.h5
}

truth() {
    movies
    for part in none test all; do
        expect 0 "$RETCODEC" simulate --train train.h5 --test test.h5 --repeats 3 --truth $part -q -o truth-$part.h5
        expect 0 "$RETCODEC" info truth-$part.h5
        prints 'interneurons'
    done
    # Contributions take room, and those of the train part take most.
    [ "$(wc -c <truth-none.h5)" -lt "$(wc -c <truth-test.h5)" ]
    [ "$(wc -c <truth-test.h5)" -lt "$(wc -c <truth-all.h5)" ]
    expect 0 "$RETCODEC" simulate --train train.h5 --test test.h5 --repeats 3 --gain-control 0.5 -o steps.h5
    prints 'contributions: '
    prints ' steps; with half of them they differ by up to '
}

# refused CODE TEXT OPTION...
refused() {
    code=$1 text=$2
    shift 2
    expect "$code" "$RETCODEC" simulate --train train.h5 "$@" -o refused.h5
    complains "$text"
    one_line
    absent refused.h5
    no_leftovers
}

wrong_parameters() {
    movies
    printf '[amacrine_offf]\ntau = 3 ms\n' >wrong.ini
    refused 1 'wrong.ini:1: there is no section [amacrine_offf]; did you mean [amacrine_off]?' --config wrong.ini
    printf '[amacrine_off]\n\ndelay = 0.02 s\n' >wrong.ini
    refused 1 'wrong.ini:3: [amacrine_off] delay: "0.02 s" is in s, expected ms' --config wrong.ini
    printf '[on_bipolar]\njitter = 2\n' >wrong.ini
    refused 1 'wrong.ini:2: [on_bipolar] jitter: 2 is out of range: expected 0 ... 0.45' --config wrong.ini
    refused 1 '[output] maximum: 250 Hz, but the mean rates of cells go up to 266 Hz; expected more, or 0' \
        --preset salamander-like --rate 200
    refused 1 'nothing.ini: No such file or directory' --config nothing.ini
    refused 1 ': this is not a text file, a configuration was expected' --config train.h5
    refused 1 'has room for' --cells 900
    refused 2 '--preset' --preset rabbit
    expect 2 "$RETCODEC" simulate --preset tiny -o refused.h5
    complains '--train is missing'
}

# A grey movie calibrates nothing, but a retina calibrated on noise can watch it.
constant_movies() {
    "$RETCODEC" stimulus white-noise --frames 300 --height 12 --width 12 --contrast 0 -q -o train.h5
    refused 1 'train.h5: the stimulus does not change in its first 300 frames'
    expect 0 "$RETCODEC" simulate --train train.h5 --calibrate noise -q -o quiet.h5
}

run_cases configurations threads_do_not_matter truth wrong_parameters constant_movies

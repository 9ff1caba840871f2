#!/bin/sh
# The protocols at the command line: every kind by its own example, what info says of them, wrong options.
. "$RETC_TESTS/cli/lib.sh"

protocols="flashes paired-flashes luminance-steps contrast-steps reversing-grating drifting-grating moving-bar moving-spot
    motion-reversal motion-anticipation object-motion omitted looming chirp"

# The example of the help makes a movie that info explains.
examples() {
    for kind in $protocols; do
        expect 0 "$RETCODEC" stimulus "$kind" --help
        prints "  retcodec stimulus $kind "
        example=$(sed -n 's/^  retcodec //p' out)
        # shellcheck disable=SC2086 # words of a command line
        expect 0 "$RETCODEC" $example
        prints ": $kind, "
        expect 0 "$RETCODEC" info "${example##* }"
        prints "stimulus       $kind"
        prints "protocol       "
        prints "trials/condition"
    done
}

listed() {
    expect 0 "$RETCODEC" stimulus --help
    for kind in $protocols; do
        prints "  $kind "
    done
}

info_of_conditions() {
    expect 0 "$RETCODEC" stimulus drifting-grating --directions 0,90,22.5 --repeats 2 --trial 0.5 -o d.h5
    prints "d.h5: drifting-grating, 600 frames of 16 x 16 pixels at 60 Hz"
    expect 0 "$RETCODEC" info d.h5
    prints "protocol       6 trials of 3 conditions"
    prints "direction 0 90 22.5 degrees"
    prints "temporal_frequency 2 Hz"
    prints "trials/start_frame                           (6) i8"
}

# Lists are options as all others: they are part of what --if-changed compares.
lists_count_as_changes() {
    make() {
        expect 0 "$RETCODEC" stimulus flashes --if-changed --durations "$1" --repeats 1 -o f.h5
    }
    make 50,100
    make 50,100
    prints "f.h5 is up to date"
    expect 1 "$RETCODEC" stimulus flashes --if-changed --durations 50,101 --repeats 1 -o f.h5
    complains "f.h5 exists and was made from other inputs or options"
}

refused() {
    expect 2 "$RETCODEC" stimulus "$@" -o no.h5
    one_line
    absent no.h5
    no_leftovers
}

impossible() {
    expect 1 "$RETCODEC" stimulus "$@" -o no.h5
    one_line
    absent no.h5
    no_leftovers
}

wrong_options() {
    refused moving-bar --directions 0,,90
    complains 'retcodec stimulus: --directions: "0,,90" is not a list of at most 64 numbers, as 0,45,90 (-360 to 360 degrees)'
    refused moving-bar --speeds 0
    complains "--speeds: 0 is out of range"
    refused moving-bars
    complains 'there is no stimulus "moving-bars"; did you mean "moving-bar"?'
    impossible drifting-grating --periods 200 --spatial-frequencies 5
    complains "drifting-grating: give --periods or --spatial-frequencies, not both"
    impossible drifting-grating --temporal-frequencies 40
    complains "cannot show a grating of 40 Hz"
    impossible looming --frames 20
    complains "looming: 20 frames hold no trial"
}

run_cases examples listed info_of_conditions lists_count_as_changes wrong_options

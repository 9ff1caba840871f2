#!/bin/sh
# LN and GLM from the command line: fit, predict, what is in the file, and what is refused.
. "$RETC_TESTS/cli/lib.sh"

recording() {
    "$RETCODEC" stimulus white-noise --frames 4000 --height 4 --width 4 -q -o movie.h5
    "$RETCODEC" stimulus white-noise --frames 200 --height 4 --width 4 --seed 2 -q -o test.h5
    "$RETCODEC" simulate --train movie.h5 --test test.h5 --repeats 4 --cells 2 -q -o recording.h5
}

glm_is_fitted_and_predicts() {
    recording
    expect 0 "$RETCODEC" fit recording.h5 --model glm --history 8 --coupling --spike-history 6 -o glm.h5
    prints "Newton step"
    prints "glm model of 2 cells, history 8 frames"
    expect 0 "$RETCODEC" info glm.h5
    prints "glm/coupling"
    prints "glm/history"
    expect 0 "$RETCODEC" predict glm.h5 recording.h5 --trials 20 -o simulated.h5
    prints "mean over 20 trials with simulated spikes"
    expect 0 "$RETCODEC" predict glm.h5 recording.h5 --spikes recorded -o recorded.h5
    prints "mean over 4 trials with recorded spikes"
    expect 0 "$RETCODEC" rf irf glm.h5 recording.h5 --cells 0 --samples 5 -q -o irf.h5
}

coupling_may_be_sparse_and_filters_of_low_rank() {
    recording
    expect 0 "$RETCODEC" fit recording.h5 --model glm --history 8 --sparse-coupling --spike-history 6 --rank 1 -o glm.h5
    grep -Eq "coupling: [0-2] of 2 pairs" out err || fail "nothing of pairs: $(cat out err)"
    prints "highest rates (Hz):"
    expect 0 "$RETCODEC" info glm.h5
    prints "glm/coupling"
    prints "glm/limit"
    expect 0 "$RETCODEC" predict glm.h5 recording.h5 --trials 20 -o simulated.h5
    prints "of the rates were at their cell's limit"
    expect 1 "$RETCODEC" fit recording.h5 --model glm --history 8 --sparse-coupling --ridge 0.1 --validation 0 -o no.h5
    one_line
    complains "no frames are held out to choose the coupled cells by"
    absent no.h5
}

threads_make_no_difference() {
    recording
    for threads in 1 3; do
        "$RETCODEC" fit recording.h5 --model glm --history 8 --coupling --no-provenance -q --threads $threads -o glm$threads.h5
        "$RETCODEC" predict glm1.h5 recording.h5 --trials 20 --no-provenance -q --threads $threads -o p$threads.h5
    done
    cmp glm1.h5 glm3.h5
    cmp p1.h5 p3.h5
}

ln_has_two_filters() {
    recording
    expect 0 "$RETCODEC" fit recording.h5 --model ln --history 8 -o ridge.h5
    prints "penalties of the cells"
    expect 0 "$RETCODEC" fit recording.h5 --model ln --filter sta --history 8 -o sta.h5
    expect 0 "$RETCODEC" fit recording.h5 --model ln --ridge 0.1 --smoothness 0 --history 8 -o given.h5
    prints "penalties of the cells: 0.1 0.1"
    not cmp -s ridge.h5 sta.h5
}

mistakes_are_one_line() {
    recording
    expect 1 "$RETCODEC" fit recording.h5 --model glm --history 8 --cells 0 --coupling -o no.h5
    one_line
    complains "one cell"
    expect 1 "$RETCODEC" fit recording.h5 --model glm --history 8 --coupling --spike-history 0 -o no.h5
    one_line
    complains "--spike-history"
    expect 1 "$RETCODEC" fit recording.h5 --model glm --history 300 --time-bases 0 --ridge 0 -o no.h5
    one_line
    complains "cannot determine"
    expect 1 "$RETCODEC" fit recording.h5 --model ln --history 8 --validation 0 -o no.h5
    one_line
    complains "held out"
    absent no.h5
    no_leftovers
}

# A solver that is not let finish says so, and the model is there.
unfinished_fits_exit_with_3() {
    recording
    expect 3 "$RETCODEC" fit recording.h5 --model glm --history 8 --ridge 0.01 --tolerance 1e-5 --newton-steps 1 -o glm.h5
    prints "before its tolerance"
    [ -s glm.h5 ]
}

run_cases glm_is_fitted_and_predicts coupling_may_be_sparse_and_filters_of_low_rank threads_make_no_difference \
    ln_has_two_filters mistakes_are_one_line unfinished_fits_exit_with_3

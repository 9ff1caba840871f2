#!/bin/sh
# What contributions are counted from: every kind of baseline from the command line, and those that cannot be.
. "$RETC_TESTS/cli/lib.sh"

# A recording, a model of it, and movies to start from: one in step with the test part, and some that are not.
results() {
    [ ! -e ../results/done ] || return 0
    mkdir -p ../results
    cd ../results
    make_result stimulus white-noise --frames 1200 --height 6 --width 7 -o train.h5
    make_result stimulus white-noise --frames 60 --height 6 --width 7 --seed 2 -o test.h5
    make_result stimulus white-noise --frames 60 --height 6 --width 7 --seed 3 -o other.h5
    make_result stimulus white-noise --frames 59 --height 6 --width 7 --seed 3 -o short.h5
    make_result stimulus white-noise --frames 60 --height 6 --width 6 --seed 3 -o narrow.h5
    make_result stimulus white-noise --frames 1 --height 6 --width 7 --seed 3 -o still.h5
    make_result simulate --train train.h5 --test test.h5 --cells 3 --repeats 4 -o recording.h5
    make_result simulate --train train.h5 --test other.h5 --cells 3 --repeats 4 -o elsewhere.h5
    make_result simulate --train narrow.h5 --test narrow.h5 --cells 3 --repeats 2 -o narrow-recording.h5
    make_result fit recording.h5 --history 6 --channels0 2 --channels1 3 --kernel0 3 --kernel1 2 --epochs 2 -o cnn.h5
    touch done
    cd "$OLDPWD"
}

# contribute FILE OPTION...
contribute() {
    name=$1
    shift
    expect 0 "$RETCODEC" contribute ../results/cnn.h5 ../results/recording.h5 --target sum --steps 2 --no-provenance "$@" \
        -o "$name.h5" --force
}

# refused STATUS TEXT OPTION...: one line, nothing written.
refused() {
    code=$1 text=$2
    shift 2
    expect "$code" "$RETCODEC" contribute ../results/cnn.h5 "${recording:-../results/recording.h5}" --target sum --steps 2 "$@" \
        -o refused.h5
    complains "$text"
    one_line
    absent refused.h5
    no_leftovers
}

differ() {
    if cmp -s "$1.h5" "$2.h5"; then fail "$1 is $2"; fi
}

# Each kind writes something else than mean grey, and says in the file what it is; with paths and pixels beside it.
kinds() {
    results
    contribute grey
    for kind in mean frame blur windows; do
        contribute $kind --baseline $kind --input map --paths
        expect 0 "$RETCODEC" info $kind.h5
        grep -Eq "^ *baseline = $kind" out || fail "info lacks the baseline $kind: $(cat out)"
        differ grey $kind
    done
    contribute frame-9 --baseline frame --baseline-frame 9 --input map --paths
    differ frame frame-9
    contribute blur-1 --baseline blur --blur 1 --input map --paths
    differ blur blur-1
    contribute windows-20 --baseline windows --baselines 20 --input map --paths
    differ windows windows-20
    contribute windows-seed --baseline windows --seed 2 --input map --paths
    differ windows windows-seed
    contribute windows-again --baseline windows --seed 1 --threads 1 --input map --paths
    cmp windows.h5 windows-again.h5
}

# Other movies: as a stimulus file or in a recording, which then give the same; of one frame; the recording's own, which leaves
# nothing to explain.
movies() {
    results
    contribute movie --baseline movie --baseline-movie ../results/other.h5 --input map --paths
    expect 0 "$RETCODEC" info movie.h5
    grep -Eq "^ *baseline = movie" out || fail "info lacks the baseline: $(cat out)"
    contribute recording --baseline movie --baseline-movie ../results/elsewhere.h5 --input map --paths --threads 1
    cmp movie.h5 recording.h5
    contribute train --part train --baseline movie --baseline-movie ../results/train.h5
    contribute still --baseline movie --baseline-movie ../results/still.h5
    contribute grey
    differ still grey
    /usr/bin/python3 -c "import h5py" 2>/dev/null || skip "no python3-h5py"
    contribute elsewhere
    expect 0 "$RETCODEC" contribute ../results/cnn.h5 ../results/elsewhere.h5 --target sum --steps 2 -o elsewhere.h5 -f
    /usr/bin/python3 - <<PYTHON
import h5py
movie, own, there = h5py.File("movie.h5"), h5py.File("train.h5"), h5py.File("elsewhere.h5")
start, target = movie["completeness/target_zero"][:], there["completeness/target"][:]
assert abs(start - target).max() < 1e-5 * abs(target).max() and start.std() > 0
assert abs(own["completeness/target"][:] - own["completeness/target_zero"][:]).max() < 1e-5 * abs(target).max()
assert abs(own["sum_contributions/conv0"][:]).max() < 1e-4 * abs(movie["sum_contributions/conv0"][:]).max()
PYTHON
}

impossible() {
    results
    refused 2 "--baseline movie needs a file, --baseline-movie" --baseline movie
    refused 2 "--baseline-movie goes with --baseline movie, not with grey" --baseline-movie ../results/other.h5
    refused 1 "short.h5: the baseline movie has 59 frames, the test part of ../results/recording.h5 has 60" \
        --baseline movie --baseline-movie ../results/short.h5
    refused 1 "train.h5: the baseline movie has 1200 frames, the test part" --baseline movie --baseline-movie ../results/train.h5
    refused 1 "other.h5: the baseline movie has 60 frames, the train part" \
        --baseline movie --baseline-movie ../results/other.h5 --part train
    refused 1 "narrow.h5: the baseline movie has 6x6 pixels, the model was fitted to 6x7" \
        --baseline movie --baseline-movie ../results/narrow.h5
    refused 1 "cnn.h5: " --baseline movie --baseline-movie ../results/cnn.h5
    refused 1 "nowhere.h5" --baseline movie --baseline-movie nowhere.h5
    refused 1 "--baseline-frame 1200: the train part has frames 0 to 1199" --baseline frame --baseline-frame 1200
    refused 2 "--baselines: 0 is out of range" --baseline windows --baselines 0
    refused 2 "--blur: 0 is out of range" --baseline blur --blur 0
    recording=../results/narrow-recording.h5
    for kind in grey mean frame blur windows "movie --baseline-movie ../results/narrow.h5"; do
        # shellcheck disable=SC2086
        refused 1 "6x6 pixels, the model was fitted to 6x7" --baseline $kind --reduce neighbourhood
    done
}

# A movie with a pixel that is no number.
not_a_number() {
    results
    [ -x "$edit_h5" ] || skip "tests/cli/edit_h5 is not built; make check builds it"
    cp ../results/other.h5 bad.h5
    "$edit_h5" bad.h5 set stimulus $((33 * 42 + 5)) nan || fail "edit_h5"
    refused 1 "bad.h5" --baseline movie --baseline-movie bad.h5
    grep -q "frame 33" err || fail "the frame is not named: $(cat err)"
}

run_cases kinds movies impossible not_a_number

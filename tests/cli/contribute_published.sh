#!/bin/sh
# Files of contributions as the published figure scripts read them: every name of that layout, for two targets.
. "$RETC_TESTS/cli/lib.sh"

every_name() {
    /usr/bin/python3 -c "import h5py, numpy" 2>/dev/null || skip "no python3-h5py"
    make_result stimulus white-noise --frames 1200 --height 6 --width 7 -o train.h5
    make_result stimulus white-noise --frames 60 --height 6 --width 7 --seed 2 -o test.h5
    make_result simulate --train train.h5 --test test.h5 --cells 3 --repeats 4 -o recording.h5
    make_result fit recording.h5 --history 6 --channels0 2 --channels1 3 --kernel0 3 --kernel1 2 --epochs 2 -o cnn.h5
    for target in surprisal sum; do
        for method in secant trapezium act-grad; do
            expect 0 "$RETCODEC" contribute cnn.h5 recording.h5 --target $target --statistics test --method $method -q -f -o c.h5
            /usr/bin/python3 "$RETC_TESTS/h5py/read_published.py" c.h5 recording.h5 $target >log 2>&1 || fail "$(tail -3 log)"
        done
    done
}

run_cases every_name

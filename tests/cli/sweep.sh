#!/bin/sh
# Sweeps over settings: points, tables, going on after a kill, points that fail, and what a wrong configuration is told.
. "$RETC_TESTS/cli/lib.sh"

# A recording, once for all cases.
recording() {
    if [ ! -e ../recording/done ]; then
        mkdir -p ../recording
        (
            cd ../recording
            "$RETCODEC" stimulus white-noise --frames 3000 --height 5 --width 5 --contrast 0.8 -q -o train.h5
            "$RETCODEC" stimulus white-noise --frames 400 --height 5 --width 5 --contrast 0.8 --seed 2 -q -o test.h5
            "$RETCODEC" simulate --train train.h5 --test test.h5 --repeats 5 --cells 2 -q -o recording.h5
            touch done
        )
    fi
    cp ../recording/*.h5 .
}

# write_grid EPOCHS: two keys, four points; an early end counts as converged only by chance, so that 0 and 3 are both fine.
write_grid() {
    cat >grid.conf <<END
[run]
output = results
seed = 3
[rf]
kind = sta
recording = recording.h5
history = 8
shuffles = 0
[fit]
recording = recording.h5
history = 8
kernel0 = 4
kernel1 = 2
epochs = $1
channels0 = vary 2 3
l2 = vary 0.001 0.1
resume = yes
checkpoint-interval = 0
[predict]
model = @fit
recording = recording.h5
END
}

# sweep STATUS...: run the command; stages that ran into their limit on epochs are as good here.
sweep() {
    status=0
    "$RETCODEC" sweep "$@" >out 2>err || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "retcodec sweep $* gave $status: $(cat err)"
}

# configuration TEXT: what TEXT makes of `retcodec sweep`, in the files out and err.
configuration() {
    printf '%b' "$1" >wrong.conf
    expect 2 "$RETCODEC" sweep wrong.conf
    one_line
    absent results
}

grid() {
    recording
    write_grid 3
    sweep grid.conf
    prints "rf -> results/rf.h5"
    prints "[1/4] channels0 2, l2 0.001"
    prints "[4/4] channels0 3, l2 0.1"
    prints "results/sweep.h5: best first, by validation_loss"
    for point in channels0-2,l2-0.001 channels0-2,l2-0.1 channels0-3,l2-0.001 channels0-3,l2-0.1; do
        [ -s "results/$point/fit.h5" ]
        [ -s "results/$point/predict.h5" ]
        absent "results/$point/rf.h5"
    done
    expect 0 "$RETCODEC" info results/channels0-3,l2-0.1/fit.h5
    prints "--channels0=3 --l2=0.1 "
    prints "seed           3"
    expect 0 "$RETCODEC" info results/sweep.h5
    prints "results/sweep.h5: table of a sweep"
    [ ! -e results/sweep.png ] || [ -s results/sweep.txt ]
}

# A point of a sweep is what the commands by themselves make.
points_are_fits() {
    recording
    write_grid 3
    sweep grid.conf -q
    status=0
    "$RETCODEC" fit recording.h5 --history 8 --kernel0 4 --kernel1 2 --epochs 3 --channels0 3 --l2 0.1 --seed 3 -q --no-provenance \
        -o alone.h5 || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
    expect 0 "$RETCODEC" predict alone.h5 recording.h5 --no-provenance -o alone-scores.h5
    r=$(awk '$1 == "mean" { print $2 }' out)
    expect 0 "$RETCODEC" predict results/channels0-3,l2-0.1/fit.h5 recording.h5 --no-provenance -o scores.h5
    cmp alone-scores.h5 scores.h5
    sweep grid.conf
    awk -v r="$r" '$1 == 3 && $2 == "0.1" && NF >= 7 { found = 1; if ($5 - r > 0.0006 || r - $5 > 0.0006) exit 1 }
        END { exit !found }' out || fail "r $r is not in the table: $(cat out)"
}

nothing_runs_twice() {
    recording
    write_grid 3
    sweep grid.conf
    tail -n 8 out | grep -v seconds >before
    ls -i results/*/*.h5 >files
    sweep grid.conf
    ls -i results/*/*.h5 >files_after
    cmp files files_after
    grep -q '\(nan\|-\)$' out && fail "times are lost: $(cat out)"
    tail -n 8 out | grep -v seconds >after
    cmp before after
    # One value more: the points that were there stay.
    sed 's/vary 2 3/vary 1 2 3/' grid.conf >more && mv more grid.conf
    sweep grid.conf
    prints "[6/6] channels0 3, l2 0.1"
    ls -i results/*/*.h5 >files_after
    [ "$(grep -cFx -f files files_after)" -eq 8 ]
    [ "$(wc -l <files_after)" -eq 12 ]
}

# Killed at any moment and run again, it ends with the models of a sweep that was left alone.
killed_sweep_goes_on() {
    recording
    write_grid 40
    mkdir whole
    sweep grid.conf -o whole/results
    kills=0
    for moment in 0.1 0.2 0.3 0.5 0.8 1.2 2 4; do
        "$RETCODEC" sweep grid.conf >out 2>err &
        sleep $moment
        ! kill -KILL $! 2>/dev/null || kills=$((kills + 1))
        wait $! 2>/dev/null || true
    done
    [ "$kills" -ge 2 ] || fail "only $kills sweeps were killed; the case proves nothing"
    sweep grid.conf
    for point in whole/results/*/; do
        point=$(basename "$point")
        for place in results whole/results; do
            "$RETCODEC" predict "$place/$point/fit.h5" recording.h5 --no-provenance --force -q -o "$(dirname $place)/p.h5"
        done
        cmp p.h5 whole/p.h5
    done
    [ "$(find results -type d | wc -l)" -eq 5 ]
}

# Draws lie in their ranges, the seed fixes them, and more of them keep the first.
draws() {
    recording
    cat >draws.conf <<'END'
[sweep]
draws = 5
score = r
[run]
output = results
seed = 4
[fit]
model = ln
recording = recording.h5
history = vary integer 4 9
bins = vary 10 20
[predict]
model = @fit
recording = recording.h5
END
    expect 0 "$RETCODEC" sweep draws.conf --dry-run
    cp out commands
    [ "$(grep -c '^retcodec fit ' commands)" -eq 5 ]
    sed -n 's/.*--history=\([0-9]*\).*/\1/p' commands | awk '$1 < 4 || $1 > 9 { exit 1 }'
    [ "$(sed -n 's/.*--history=\([0-9]*\).*/\1/p' commands | sort -u | wc -l)" -gt 1 ]
    [ "$(sed -n 's/.*--bins=\([0-9]*\).*/\1/p' commands | sort -u | tr '\n' ' ')" = "10 20 " ]
    sed 's/draws = 5/draws = 7/' draws.conf >more.conf
    expect 0 "$RETCODEC" sweep more.conf --dry-run
    head -n "$(wc -l <commands)" out | cmp - commands
    expect 0 "$RETCODEC" sweep draws.conf --dry-run --seed 5
    not cmp -s out commands
    absent results
    expect 0 "$RETCODEC" sweep draws.conf
    prints "results/sweep.h5: best first, by r"
    not grep -q validation out # an LN model has none
    sed -n '/^history /,/^results/p' out | awk '$1 ~ /^[0-9]/ { if (NR > 2 && $3 > last) exit 1; last = $3 }' ||
        fail "not best first: $(cat out)"
}

ranges() {
    cat >draws.conf <<'END'
[sweep]
draws = 40
[fit]
recording = recording.h5
noise = vary uniform 0.25 0.5
learning-rate = vary log-uniform 0.0001 0.1
END
    expect 0 "$RETCODEC" sweep draws.conf --dry-run
    sed -n 's/.*--noise=\([^ ]*\) .*/\1/p' out >noise
    sed -n 's/.*--learning-rate=\([^ ]*\) .*/\1/p' out >rate
    awk '$1 < 0.25 || $1 > 0.5 { exit 1 } { n += $1 > 0.375 } END { exit !(n > 8 && n < 32) }' noise
    # As many below 0.00316 as above, give or take: the chance of fewer than 9 of 40 on a side is 2e-4.
    awk '$1 < 0.0001 || $1 > 0.1 { exit 1 } { n += $1 > 0.00316228 } END { exit !(n > 8 && n < 32) }' rate
}

# A history longer than the recording fails in its points; the others are done, and the table says which.
failing_point() {
    recording
    cat >fails.conf <<'END'
[run]
output = results
[fit]
model = ln
recording = recording.h5
history = vary 5 100000 8
[predict]
model = @fit
recording = recording.h5
END
    expect 3 "$RETCODEC" sweep fails.conf
    prints "failed: [fit] "
    prints "1 of 3 points failed, the first with: [fit] "
    [ "$(grep -c 'failed$' out)" -eq 1 ]
    [ "$(sed -n '/^history /,/^results/p' out | sed -n 4p | awk '{ print $1, $NF }')" = "100000 failed" ]
    [ -s results/history-8/predict.h5 ]
    absent results/history-100000/fit.h5
    sed -i 's/vary 5 100000 8/vary 100000 200000/' fails.conf
    expect 1 "$RETCODEC" sweep fails.conf -q
    complains "retcodec sweep: fails.conf: every point failed, the first with: [fit] "
    one_line
}

wrong_configurations() {
    configuration '[fit]\nrecording = x.h5\nhistory = 5\n'
    complains 'wrong.conf: no key varies; write, for example, channels0 = vary 4 8 16'
    configuration '[fit]\nrecording = x.h5\nhistory = vary\n'
    complains 'wrong.conf:3: [fit] history: vary needs values'
    configuration '[fit]\nrecording = x.h5\nhistory = vary 5 6 5\n'
    complains 'wrong.conf:3: [fit] history: names the value 5 twice'
    configuration '[fit]\nrecording = x.h5\nl2 = vary uniform 0 1\n'
    complains 'wrong.conf:3: [fit] l2: a range is drawn from: say how often by draws = 20, say, in [sweep]'
    configuration '[sweep]\ndraws = 3\n[fit]\nrecording = x.h5\nl2 = vary uniform 1\n'
    complains 'wrong.conf:5: [fit] l2: a range has two ends'
    configuration '[sweep]\ndraws = 3\n[fit]\nrecording = x.h5\nl2 = vary uniform 1 0\n'
    complains 'wrong.conf:5: [fit] l2: "1 0" is not a range'
    configuration '[sweep]\ndraws = 3\n[fit]\nrecording = x.h5\nl2 = vary log-uniform 0 1\n'
    complains 'wrong.conf:5: [fit] l2: log-uniform needs ends above 0, 0 is none'
    configuration '[sweep]\ndraws = 3\n[fit]\nrecording = x.h5\nhistory = vary integer 1 2.5\n'
    complains 'wrong.conf:5: [fit] history: "1 2.5" are not two whole numbers'
    configuration '[sweep]\ndraws = none\n[fit]\nrecording = x.h5\nl2 = vary 0 1\n'
    complains 'wrong.conf:2: [sweep] draws: "none" is not a number of draws'
    configuration '[sweep]\nfolder = x\n[fit]\nrecording = x.h5\nl2 = vary 0 1\n'
    complains 'wrong.conf:2: [sweep] has no key "folder"; it has draws and score'
    configuration '[sweep]\nscore = validation_lose\n[fit]\nrecording = x.h5\nl2 = vary 0 1\n'
    complains 'wrong.conf:2: [sweep] score: no stage gives "validation_lose"; did you mean validation_loss'
    configuration '[fit]\nrecording = x.h5\nl2 = vary 0 1\noutput = y.h5\n'
    complains 'wrong.conf:4: [fit] output: the stage runs at every point'
    configuration '[stimulus]\nkind = white-noise\nframes = vary 5 6\n'
    complains 'wrong.conf: no stage that varies is a fit or a predict'
    touch x.h5
    configuration '[fit]\nrecording = x.h5\nl2 = vary 0 -1\n'
    complains 'wrong.conf:1: [fit]: --l2: '
    printf '[sweep]\n[rf]\nkind = sta\nrecording = x.h5\n' >wrong.conf
    expect 2 "$RETCODEC" run wrong.conf
    complains 'wrong.conf:1: [sweep] is for retcodec sweep, not for retcodec run'
}

# The configuration that comes with the program.
shipped_configuration() {
    expect 0 "$RETCODEC" sweep "$RETC_TESTS/../scripts/sweep.conf" --dry-run
    [ "$(grep -c '^retcodec fit ' out)" -eq 9 ]
    [ "$(grep -c '^retcodec simulate ' out)" -eq 1 ]
    absent results
}

run_cases grid points_are_fits nothing_runs_twice killed_sweep_goes_on draws ranges failing_point wrong_configurations \
    shipped_configuration

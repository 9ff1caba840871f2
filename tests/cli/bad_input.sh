#!/bin/sh
# Whatever is wrong with what a command is given, or with the disk it writes to: one line on stderr, an exit code that is not 0,
# nothing half written, and what was there before is still there.
. "$RETC_TESTS/cli/lib.sh"

# A small result of every kind, and text files to import, made once by the first case that asks, in the folder ../results.
results() {
    [ -x "$edit_h5" ] || skip "tests/cli/edit_h5 is not built; make check builds it"
    [ ! -e ../results/done ] || return 0
    mkdir -p ../results
    cd ../results
    make_result stimulus white-noise --frames 1200 --height 5 --width 6 -o train.h5
    make_result stimulus white-noise --frames 120 --height 5 --width 6 --seed 2 -o test.h5
    awk 'BEGIN { srand(1); for (i = 0; i < 60000; ++i) printf "%c", 1 + rand() * 120 }' >frames.raw
    make_result simulate --train train.h5 --test test.h5 --cells 2 --repeats 4 -o recording.h5
    make_result quality recording.h5 --resamples 20 -o quality.h5
    make_result rf sta recording.h5 --history 8 --shuffles 0 -o sta.h5
    make_result fit recording.h5 -m ln --history 8 -o ln.h5
    make_result fit recording.h5 --history 8 --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 --epochs 2 -o cnn.h5
    make_result predict cnn.h5 recording.h5 -o predictions.h5
    make_result contribute cnn.h5 recording.h5 --steps 2 -o contributions.h5
    make_result modes contributions.h5 --epochs 2 -o modes.h5
    make_result rf irf cnn.h5 recording.h5 --cells 0 --samples 20 -o irf.h5
    awk 'BEGIN { for (i = 0; i < 1000; ++i) print i / 100 }' >frames.txt
    awk 'BEGIN { for (i = 0; i < 1000; ++i) print (i * i) % 97 - 48.5 }' >stimulus.txt
    awk 'BEGIN { for (t = 0.1; t < 9.9; t += 0.05) print t }' >cell.txt
    make_result import text --frames frames.txt --stimulus stimulus.txt cell.txt -o text.h5
    printf 'onset duration direction\n1 1 0\n3 1 90\n5 1 180\n' >trials.txt
    make_result protocol text.h5 --trials trials.txt -o responses.h5
    touch done
    cd "$OLDPWD"
}

# Every way to write a file, one command line each, without --output.
writers() {
    cat <<LIST
$import_words
import join $recording $recording
stimulus white-noise --frames 2000 --height 5 --width 6
stimulus natural-movie --frames 2000 --height 5 --width 6
stimulus moving-bar --repeats 2 --height 5 --width 6
protocol ../results/text.h5 --trials ../results/trials.txt
stimulus video --raw ../results/frames.raw --height 5 --width 6
simulate --train ../results/train.h5 --test ../results/test.h5 --cells 2 --repeats 4
fit $recording -m ln --history 8
$fit_cnn
$fit_cnn --checkpoint-interval 0
predict $model $recording
contribute $model $recording --steps 2
modes ../results/contributions.h5 --epochs 2
quality $recording --resamples 20
export nwb $recording --session-start 2026-01-02T03:04:05Z
export open-retina $recording
rf sta $recording --history 8 --shuffles 0
rf irf $model $recording --cells 0 --samples 20
figure filters ../results/sta.h5
figure psth ../results/predictions.h5
figure strip ../results/contributions.h5 ../results/modes.h5
figure irf ../results/irf.h5
figure protocol ../results/responses.h5
figure quality ../results/quality.h5
figure circuit $recording
LIST
}

# each_writer FUNCTION: FUNCTION gets the name of an output, then the words of a command.
each_writer() {
    writers >../writers
    [ "$(wc -l <../writers)" -ge 16 ]
    while read -r line <&4; do
        case $line in
        figure*) "$1" output.png $line ;;
        *) "$1" output.h5 $line ;;
        esac
    done 4<../writers
}

# refused TEXT COMMAND...: exit code 1, one line on stderr that holds TEXT, and no output.  A figure must not leave its table.
refused() {
    says=$1
    shift
    case $1 in
    figure) output=refused.png ;;
    *) output=refused.h5 ;;
    esac
    expect 1 "$RETCODEC" "$@" -o $output
    complains "$says"
    one_line
    absent refused.h5 refused.h5.checkpoint refused.png refused.txt
    no_leftovers
}

# edited NAME EDIT...: a copy of a result, as edited.h5, with one thing wrong (see edit_h5.c).
edited() {
    cp "../results/$1" edited.h5
    shift
    "$edit_h5" edited.h5 "$@" || fail "edit_h5 $*"
}

recording=../results/recording.h5
model=../results/cnn.h5
import_words="import text --frames ../results/frames.txt --stimulus ../results/stimulus.txt ../results/cell.txt"
fit_cnn="fit $recording --history 8 --channels0 2 --channels1 2 --kernel0 3 --kernel1 3 --epochs 2"

existing_output() {
    results
    each_writer try_existing
}
try_existing() {
    output=$1
    shift
    echo precious >"$output"
    expect 1 "$RETCODEC" "$@" -o "$output"
    complains "retcodec $1: $output exists already; --force replaces it"
    one_line
    [ "$(cat "$output")" = precious ]
    [ "$(ls)" = "$(printf 'err\nout\n%s' "$output")" ] || fail "$1 left $(ls)"
    rm "$output"
}

# Neither root nor anyone else may write here.
unwritable_folder() {
    results
    mkdir locked
    if [ "$(id -u)" -eq 0 ]; then
        mount -t tmpfs -o ro tmpfs locked 2>/dev/null || skip "no right to mount a read-only disk"
        trap 'umount locked' EXIT
    else
        chmod a-w locked
    fi
    each_writer try_unwritable
}
try_unwritable() {
    output=locked/$1
    shift
    expect 1 "$RETCODEC" "$@" -o "$output"
    complains "retcodec $1: $output: cannot be written: "
    one_line
}

# A limit on the size of files stands in for a full disk.  An output that was there before survives; of a figure that is forced
# only a whole table may stay.
size_limit() {
    results
    each_writer try_size_limit
}
try_size_limit() {
    output=$1
    shift
    for force in "" --force; do
        [ -z "$force" ] || echo precious >"$output"
        status=0
        (ulimit -f 8 && exec "$RETCODEC" "$@" $force -o "$output") >out 2>err || status=$?
        [ "$status" -eq 1 ] || fail "$*: status $status: $(cat err)"
        [ "$1" = figure ] || complains "File too large"
        one_line
        case $1 in
        figure) rm -f "${output%.png}.txt" ;;
        *) [ -z "$force" ] || [ "$(cat "$output")" = precious ] || fail "$* --force lost the output" ;;
        esac
        rm -f "$output"
        [ "$(ls)" = "$(printf 'err\nout')" ] || fail "$* left $(ls)"
    done
}

full_disk() {
    results
    mkdir disk
    mount -t tmpfs -o size=8k tmpfs disk 2>/dev/null || skip "no right to mount a small disk"
    trap 'umount disk' EXIT
    each_writer try_full_disk
}
try_full_disk() {
    output=disk/$1
    shift
    expect 1 "$RETCODEC" "$@" -o "$output"
    complains "retcodec $1: "
    [ "$1" = figure ] || complains "No space left on device"
    one_line
    [ "$1" != figure ] || rm -f disk/output.txt
    [ -z "$(ls disk)" ] || fail "$* left $(ls disk)"
}

# A fit whose checkpoints no longer fit on the disk keeps the last one that did.
full_disk_keeps_checkpoint() {
    results
    mkdir disk
    mount -t tmpfs -o size=24k tmpfs disk 2>/dev/null || skip "no right to mount a small disk"
    trap 'umount disk' EXIT
    expect 1 "$RETCODEC" $fit_cnn --checkpoint-interval 0 -o disk/cnn.h5
    complains "disk/cnn.h5.checkpoint: "
    complains "No space left on device"
    one_line
    [ "$(ls disk)" = cnn.h5.checkpoint ] || fail "left: $(ls disk)"
    expect 0 "$RETCODEC" info disk/cnn.h5.checkpoint
    mount -o remount,size=1m disk
    expect 3 "$RETCODEC" $fit_cnn --checkpoint-interval 0 --resume -o disk/cnn.h5
    prints "resumed after epoch 1"
}

# Whoever is second to finish without --force is told; with it, the file is one or the other, and whole.
two_at_once() {
    slow="stimulus white-noise --frames 20000 --height 20 --width 20 --no-provenance"
    fast="stimulus white-noise --frames 100 --no-provenance"
    "$RETCODEC" $slow -q -o slow.h5
    "$RETCODEC" $fast -q -o fast.h5
    "$RETCODEC" $slow -o movie.h5 >out 2>err &
    pause_once_writing movie.h5
    "$RETCODEC" $fast -o movie.h5
    status=0
    kill -CONT $! && wait $! || status=$?
    [ "$status" -eq 1 ] || fail "status $status"
    complains "retcodec stimulus: movie.h5: another program wrote it meanwhile; give another name, or --force to replace it"
    one_line
    cmp movie.h5 fast.h5
    no_leftovers
    "$RETCODEC" $slow --force -o movie.h5 >out 2>err &
    pause_once_writing movie.h5
    "$RETCODEC" $fast --force -o movie.h5
    kill -CONT $! && wait $!
    cmp movie.h5 slow.h5
    no_leftovers
}
pause_once_writing() {
    trap 'kill -KILL $! 2>/dev/null || true' EXIT
    while [ ! -e "$1.$!.part" ] && kill -0 $! 2>/dev/null; do
        sleep 0.005
    done
    kill -STOP $! || fail "it had ended; the case proves nothing"
    [ -e "$1.$!.part" ] || fail "it was not writing; the case proves nothing"
}

missing_file() {
    results
    for command in "simulate --train" "simulate --train ../results/train.h5 --test" "rf sta" fit "fit -m ln" "predict $model" \
        "contribute $model" "rf irf $model" modes "figure filters" "figure strip ../results/contributions.h5"; do
        refused "retcodec ${command%% *}: nothing.h5: No such file or directory" $command nothing.h5
    done
    for command in predict contribute "rf irf"; do
        refused "nothing.h5: No such file or directory" $command nothing.h5 $recording
    done
    refused "nothing.txt: No such file or directory" \
        import text --frames nothing.txt --stimulus ../results/stimulus.txt ../results/cell.txt
    refused "nothing.txt: No such file or directory" \
        import text --frames ../results/frames.txt --stimulus nothing.txt ../results/cell.txt
    refused "nothing.txt: No such file or directory" $import_words nothing.txt
}

# What a copy or a download leaves when it is interrupted, to every command that reads it.
truncated() {
    results
    while read -r whole command <&4; do
        size=$(wc -c <"../results/$whole.h5")
        for part in 0 20 $((size / 3)) $((size - 1)); do
            head -c "$part" "../results/$whole.h5" >cut.h5
            case $part in
            0) refused "cut.h5: the file is empty" $command ;;
            20) refused "cut.h5: damaged HDF5 file" $command ;;
            *) refused "cut.h5: the HDF5 file is truncated, copy or make it again" $command ;;
            esac
        done
    done 4<<LIST
train simulate --train cut.h5
test simulate --train ../results/train.h5 --test cut.h5
recording rf sta cut.h5
recording fit cut.h5
recording fit cut.h5 -m ln
recording predict $model cut.h5
recording contribute $model cut.h5
recording rf irf $model cut.h5
cnn predict cut.h5 $recording
ln predict cut.h5 $recording
cnn contribute cut.h5 $recording
cnn rf irf cut.h5 $recording
contributions modes cut.h5
sta figure filters cut.h5
predictions figure psth cut.h5
contributions figure strip cut.h5 ../results/modes.h5
modes figure strip ../results/contributions.h5 cut.h5
irf figure irf cut.h5
recording figure circuit cut.h5
LIST
}

# import_of WHICH: the import of the results' text files, with wrong.txt in the place of one.
import_of() {
    frames=../results/frames.txt stimulus=../results/stimulus.txt spikes=../results/cell.txt
    case $1 in
    frames) frames=wrong.txt ;;
    stimulus) stimulus=wrong.txt ;;
    spikes) spikes=wrong.txt ;;
    esac
    refused "$2" import text --frames $frames --stimulus $stimulus $spikes
}

text_files() {
    results
    for which in frames stimulus spikes; do
        case $which in
        spikes) name=cell ;;
        *) name=$which ;;
        esac
        sed '7s/.*/seven/' "../results/$name.txt" >wrong.txt
        import_of $which 'wrong.txt: line 7: "seven" is not a number'
        sed '7s/.*/NaN/' "../results/$name.txt" >wrong.txt
        import_of $which 'wrong.txt: line 7: "NaN" is not a finite number'
        paste "../results/$name.txt" "../results/$name.txt" >wrong.txt
        import_of $which 'wrong.txt: line 1: "'
        : >wrong.txt
        import_of $which 'wrong.txt: has '
    done
    sort -rn ../results/cell.txt >wrong.txt
    import_of spikes "wrong.txt: line 2: spike at 9.8 s comes after one at 9.85 s: sort the file"
    sort -rn ../results/frames.txt >wrong.txt
    import_of frames "wrong.txt: line 2: frame time 9.98 s does not come after 9.99 s"
    awk '{ print 1000 * $1 }' ../results/cell.txt >wrong.txt
    import_of spikes "wrong.txt: no spike falls into the stimulus (0 ... 10 s), they lie at 100 ... 9850: are they in ms?"
    head -n 900 ../results/stimulus.txt >wrong.txt
    import_of stimulus "wrong.txt: has 900 values for 1000 frame times in ../results/frames.txt: expected one for each"
    : >empty.txt
    refused "empty.txt: has no spikes; leave it out, or keep it with --keep-empty" $import_words empty.txt
}

# Some spikes outside the stimulus are counted and told of; they belong to no frame.
spikes_around_the_stimulus() {
    results
    (printf '%s\n' -2 -1 && cat ../results/cell.txt && printf '%s\n' 10 11 12) >around.txt
    expect 0 "$RETCODEC" $import_words around.txt -o recording.h5
    awk '$1 == "around" { found = $2 == 201 && $3 == 196 && $4 == 2 && $5 == 3 } END { exit !found }' out || fail "$(cat out)"
}

import_options() {
    results
    refused "300 running frames without frozen ones are no trials: give --frozen as well" $import_words --running 300
    refused "200 frozen frames without running ones leave nothing to fit" $import_words --frozen 200
    refused "stimulus.txt: line 801: the frozen stretch of trial 2 differs" $import_words --running 300 --frozen 200
    refused "1000 frames hold no complete trial of 900 running and 200 frozen frames" $import_words --running 900 --frozen 200
    refused "cell.txt: has neither RunningFrames nor FrozenFrames" $import_words --parameters ../results/cell.txt
    refused 'are both cell "cell": rename one' $import_words ../results/cell.txt
    status=0
    "$RETCODEC" $import_words --levels 0,1 -o out.h5 >out 2>err || status=$?
    [ $status -eq 2 ] || fail "two stimuli gave $status"
    complains "give either --stimulus or --levels, not both"
    absent out.h5
    echo "FrozenFrames = none" >parameters.txt
    refused 'parameters.txt: line 1: FrozenFrames is "none", expected a whole number' $import_words --parameters parameters.txt
}

# Contributions and other results that cannot be right.
wrong_results() {
    results
    edited contributions.h5 set surprisal_contributions/conv0 7 nan
    refused 'edited.h5: "/surprisal_contributions/conv0" is nan at sample 1, column 3' modes edited.h5
    refused 'edited.h5: dataset "/surprisal_contributions/conv0" is not finite at sample 1' \
        figure strip edited.h5 ../results/modes.h5
    edited contributions.h5 shape surprisal_contributions/conv1 90,4
    refused 'edited.h5: dataset "/surprisal_contributions/conv1" is (90,4), expected (112,any)' modes edited.h5
    edited contributions.h5 remove surprisal_contributions
    refused 'edited.h5: has no group "<target>_contributions"' modes edited.h5
    refused "edited.h5: has no group of contributions" figure strip edited.h5 ../results/modes.h5
    edited modes.h5 shape conv0/codes 10,3
    refused 'edited.h5: dataset "/conv0/codes" is (10,3), expected (112,any)' \
        figure strip ../results/contributions.h5 edited.h5
    edited sta.h5 shape sta 2,8
    refused 'edited.h5: dataset "/sta" is (2,8), expected (any,any,any,any)' figure filters edited.h5
    edited predictions.h5 remove test/time
    refused 'edited.h5: dataset "/test/time" is missing' figure psth edited.h5
    edited irf.h5 shape cell_0/regular_irf_all 20,3
    refused 'edited.h5: dataset "/cell_0/regular_irf_all" is (20,3), expected (any,any,any,any)' figure irf edited.h5
    make_result predict $model $recording --part train -o train.h5
    refused "train.h5: holds predictions of the train part; psth draws those of the test part" figure psth train.h5
}

wrong_stimuli() {
    results
    edited train.h5 shape stimulus 1200,30
    refused 'edited.h5: dataset "stimulus" is (1200,30), expected (any,any,any)' simulate --train edited.h5
    edited train.h5 shape stimulus 1200,6,5
    refused "edited.h5: frames have 6 x 5 pixels, expected 5 x 6 as in ../results/train.h5" \
        simulate --train ../results/train.h5 --test edited.h5
    edited train.h5 set stimulus 3001 nan
    refused 'edited.h5: dataset "stimulus" is not finite in frame 100' simulate --train edited.h5
    edited train.h5 shape time 7
    refused 'edited.h5: dataset "time" is (7), expected (1200)' simulate --train edited.h5
    edited train.h5 fill stimulus 7
    refused "edited.h5: the stimulus does not change in its first 1200 frames" simulate --train edited.h5
}

# What a configuration may hold beside the mistakes that run.sh shows.
configuration() {
    printf '%b' "$2" >wrong.ini
    expect "$1" "$RETCODEC" run wrong.ini
    complains "retcodec run: wrong.ini$3"
    one_line
    absent results
}
configurations() {
    results
    start='[stimulus]\nkind = white-noise\nframes = 50\n'
    configuration 1 "$start"'[simulate]\ntrain = nothing.h5\n' ":4: [simulate]: nothing.h5: No such file or directory"
    configuration 1 "$start"'[import]\nkind = text\nframes = f.txt\nstimulus = s.txt\nspikes = c*.txt\n' \
        ":4: [import]: f.txt: No such file or directory"
    configuration 2 '  [stimulus]\nkind = white-noise\n' ":2: the line of [stimulus] should start with its bracket"
    configuration 2 '[stimulus]\nkind = pink-noise\n' \
        ':1: [stimulus]: there is no stimulus "pink-noise"; did you mean "white-noise"?'
    configuration 2 '[stimulus]\nkind = white-noise\nforce = maybe\n' ':1: [stimulus]: --force: "maybe" is neither yes nor no'
    configuration 2 '[stimulus]\nkind = white-noise\nframes = 5 6\n' ":1: [stimulus]: --frames is given twice"
    configuration 2 '[fit]\nrecording = x.h5\nhistory = 0\n' ":1: [fit]: --history: 0 is out of range (1 to "
    configuration 2 '[run]\nseed = many\n'"$start" ':3: [stimulus]: --seed: "many" is not a whole number'
    configuration 1 '[stimulus]\nkind white-noise\n' ":2: neither [section] nor key = value"
    for file in recording.h5 cnn.h5; do
        expect 1 "$RETCODEC" run "../results/$file"
        complains "$file:2: this is not a text file, a configuration was expected"
        one_line
    done
}

comments_in_configurations() {
    printf '[stimulus]   # a movie\nkind = white-noise # or natural-movie\n' >own.ini
    printf 'frames = 50 ; short\noutput = "a #1.h5" #there\n' >>own.ini
    expect 0 "$RETCODEC" run own.ini
    [ -s "a #1.h5" ]
}

# Files of this program say what they are; those of others show by what they hold.
wrong_kind() {
    results
    for kind in stimulus:train sta:sta predictions:predictions contributions:contributions modes:modes irf:irf model:cnn; do
        cp "../results/${kind#*:}.h5" edited.h5
        wrong_recording "edited.h5: is a file of kind \"${kind%:*}\", expected \"recording\""
    done
    for kind in recording stimulus:train sta contributions; do
        cp "../results/${kind#*:}.h5" edited.h5
        wrong_model "edited.h5: is a file of kind \"${kind%:*}\", expected \"model\""
    done
    refused '"model", expected "contributions"' modes $model
    refused '"modes", expected "contributions"' modes ../results/modes.h5
    refused '"recording", expected "stimulus"' simulate --train $recording
    refused '"sta", expected "stimulus"' simulate --train ../results/train.h5 --test ../results/sta.h5
    refused '"irf", expected "sta"' figure filters ../results/irf.h5
    refused '"sta", expected "irf"' figure irf ../results/sta.h5
    refused '"contributions", expected "predictions"' figure psth ../results/predictions.h5 ../results/contributions.h5
    refused '"modes", expected "contributions"' figure strip ../results/modes.h5 ../results/contributions.h5
    refused "../results/frames.txt: not an HDF5 file" predict ../results/frames.txt $recording
    refused "$model: is not a text file" import text --frames $model --stimulus $model $model
    expect 1 "$RETCODEC" info ../results/frames.txt
    complains "../results/frames.txt: not an HDF5 file"
    one_line
}

wrong_kind_of_another_program() {
    results
    edited train.h5 unlabel kind
    refused 'edited.h5: has neither a group "train" nor a group "test": is it a recording?' rf sta edited.h5
    refused "edited.h5: this is no model file" predict edited.h5 $recording
    refused 'edited.h5: has no group "<target>_contributions"; make one with retcodec contribute' modes edited.h5
    refused 'edited.h5: dataset "/sta" is missing' figure filters edited.h5
    refused 'edited.h5: dataset "/test/rate" is missing' figure psth edited.h5
    refused "edited.h5: has no group of a cell, such as /cell_0" figure irf edited.h5
    refused "edited.h5: dataset \"/metadata/model_responses_all_cells\" is missing" figure strip edited.h5 ../results/modes.h5
}

# A recording that cannot be what it says, to every command that reads one.
wrong_recording() {
    says=$1
    refused "$says" rf sta edited.h5 --history 8
    refused "$says" fit edited.h5 -m ln --history 8
    refused "$says" fit edited.h5 --history 8 --epochs 1
    refused "$says" predict $model edited.h5
    refused "$says" contribute $model edited.h5
    refused "$says" rf irf $model edited.h5
}

recording_shapes() {
    results
    edited recording.h5 transpose train/response/binned
    wrong_recording "edited.h5: train/stimulus has 1200 frames, time 1200, response/binned 2"
    wrong_recording "response/binned seems transposed, it should be (cells,frames)"
    edited recording.h5 shape train/stimulus 6,5,1200
    wrong_recording "stimulus seems transposed, it should be (frames,rows,columns)"
    edited recording.h5 transpose test/response/binned
    wrong_recording 'edited.h5: dataset "test/response/binned" is (120,2), expected (2,any): the axes are cells, frames'
    edited recording.h5 shape train/stimulus 1200,30
    wrong_recording \
        'edited.h5: dataset "train/stimulus" is (1200,30), expected (any,any,any): the axes are frames, rows, columns'
    edited recording.h5 shape test/stimulus 120,6,5
    wrong_recording 'edited.h5: dataset "test/stimulus" is (120,6,5), expected (any,5,6)'
    edited recording.h5 shape train/time 1000
    wrong_recording "edited.h5: train/stimulus has 1200 frames, time 1000"
    edited recording.h5 remove train/time
    wrong_recording 'edited.h5: dataset "train/time" is missing'
}

recording_values() {
    results
    edited recording.h5 set train/response/binned 1300 nan
    wrong_recording 'edited.h5: dataset "train/response/binned" has nan in row 1, frame 100: expected a spike count'
    edited recording.h5 set test/repeats/cell02 10 -1
    wrong_recording 'edited.h5: dataset "test/repeats/cell02" has -1 in row 0, frame 10: expected a spike count'
    edited recording.h5 set train/time 100 nan
    wrong_recording 'edited.h5: dataset "train/time" does not increase at frame 100'
    # Movies are looked at when they are used.
    edited recording.h5 set train/stimulus 3001 nan
    says='edited.h5: dataset "train/stimulus" is not finite in frame 100'
    refused "$says" rf sta edited.h5 --history 8
    refused "$says" fit edited.h5 -m ln --history 8
    refused "$says" fit edited.h5 --history 8 --epochs 1
    refused "$says" predict $model edited.h5 --part train
    refused "$says" contribute $model edited.h5 # surprisal has its statistics from the train part
    edited recording.h5 set test/stimulus 600 inf
    says='edited.h5: dataset "test/stimulus" is not finite in frame 20'
    refused "$says" predict $model edited.h5
    refused "$says" contribute $model edited.h5
    refused "$says" rf irf $model edited.h5
}

# Neither a stimulus that never changes nor cells that never fire can be fitted.
nothing_to_fit() {
    results
    edited recording.h5 fill train/stimulus 3
    says="edited.h5: the train stimulus is 3 in every pixel of every frame"
    refused "$says" rf sta edited.h5 --history 8
    refused "$says" fit edited.h5 -m ln --history 8
    refused "$says" fit edited.h5 --history 8 --epochs 1
    edited recording.h5 fill train/response/binned 0
    says="edited.h5: no cell fires in the train part, there is nothing to fit"
    refused "$says" fit edited.h5 -m ln --history 8
    refused "$says" fit edited.h5 --history 8 --epochs 1
    refused "no stretch of the train part is long enough for a history of 1300 frames" fit $recording --history 1300
    refused "no stretch of the train part is long enough for a history of 1300 frames" rf sta $recording --history 1300
    refused "no frame is left to train on: 200 response frames" fit $recording --history 1000 --epochs 1
}

# Rates that do not vary have no surprisal; a sum needs no covariance.
no_surprisal() {
    results
    edited recording.h5 fill test/stimulus 3
    refused "edited.h5: test part: the covariance of the rates cannot be inverted: the model's rates do not vary" \
        contribute $model edited.h5 --statistics test
    expect 0 "$RETCODEC" contribute $model edited.h5 --target sum -o contributions.h5
}

# What a fit could not do is said beside its exit code.
short_fits() {
    results
    expect 3 "$RETCODEC" $fit_cnn -o model.h5
    prints "the loss still fell in the last epoch; more --epochs would go on"
    expect 3 "$RETCODEC" ${fit_cnn% --epochs 2} --epochs 1 --validation 0 --force -o model.h5
    prints "1192 frames to train, 0 held out"
    prints "best of 1 epochs: 1, poisson loss of the train part "
    not grep -q "held-out r" out
}

# One cell in a thousand may be silent; the others are worth an analysis.
one_silent_cell() {
    results
    : >silent.txt
    expect 0 "$RETCODEC" $import_words --keep-empty silent.txt -o recording.h5
    prints "warning: silent has no spike in the frames that are used"
    expect 0 "$RETCODEC" rf sta recording.h5 --history 8 --shuffles 0 -o sta.h5
    expect 0 "$RETCODEC" fit recording.h5 -m ln --history 8 -o ln.h5
    expect 0 "$RETCODEC" predict ln.h5 recording.h5 -o predictions.h5
    grep -q '^silent  *nan  *nan' out
}

parts_missing() {
    results
    edited recording.h5 remove test
    for command in predict contribute "rf irf"; do
        refused "edited.h5: has no test part" $command $model edited.h5
        expect 0 "$RETCODEC" $command $model edited.h5 --part train -o "train-${command% *}.h5"
    done
    edited recording.h5 remove train
    refused "edited.h5: has no train part" rf sta edited.h5 --history 8
    refused "edited.h5: has no train part" fit edited.h5 -m ln --history 8
    refused "edited.h5: has no train part" fit edited.h5 --history 8 --epochs 1
    refused "edited.h5: has no train part" contribute $model edited.h5
    expect 0 "$RETCODEC" contribute $model edited.h5 --statistics test -o contributions.h5
    expect 0 "$RETCODEC" predict $model edited.h5 -o predictions.h5
}

# A model of the same size whose numbers cannot be right, to every command that runs one.
wrong_model() {
    says=$1
    refused "$says" predict edited.h5 $recording
    refused "$says" contribute edited.h5 $recording
    refused "$says" rf irf edited.h5 $recording
}

model_values() {
    results
    edited cnn.h5 set state_dict/sequential.0.weight 3 nan
    wrong_model 'edited.h5: "/state_dict/sequential.0.weight" holds a value that is not finite, at element 3'
    edited cnn.h5 set state_dict/sequential.1.running_var 1 -5
    wrong_model 'edited.h5: "/state_dict/sequential.1.running_var" is -5 at element 1, expected a variance'
    edited cnn.h5 fill y_stats/std nan
    wrong_model 'edited.h5: /y_stats says mean 0, std nan'
    edited cnn.h5 fill norm_stats/mean nan
    wrong_model 'edited.h5: /norm_stats says mean nan, std '
    edited ln.h5 set state_dict/sequential.1.knot_x 3 -1e9
    wrong_model 'edited.h5: "/state_dict/sequential.1.knot_x" is -1e+09 at element 3, expected ascending knots'
    # Every value is finite, and no sum is.
    edited cnn.h5 fill state_dict/sequential.0.weight 3e38
    wrong_model "parameters are damaged or too large"
    refused "contributions of conv0 are not finite in frame " contribute edited.h5 $recording --target sum
}

model_shapes() {
    results
    edited cnn.h5 shape norm_stats/mean 1000
    wrong_model 'edited.h5: dataset "/norm_stats/mean" has 1000 values, expected one'
    edited cnn.h5 shape y_stats/std 2,3
    wrong_model 'edited.h5: dataset "/y_stats/std" has 6 values, expected one'
    edited cnn.h5 shape cells 3
    wrong_model "edited.h5: the last layer gives (2,1,1) values, one for each of 3 cells was expected"
    edited cnn.h5 shape state_dict/sequential.0.weight 2,8,6,3
    wrong_model "edited.h5: layer sequential.0: "
    edited cnn.h5 remove state_dict/sequential.4.weight
    wrong_model 'edited.h5: dataset "/state_dict/sequential.4.weight" is missing'
}

# A model of other frames, of more cells, and one that looks back further than any stretch goes.
model_of_another_recording() {
    results
    make_result stimulus white-noise --frames 300 --height 30 --width 30 -o large.h5
    make_result simulate --train large.h5 --test large.h5 --cells 2 --repeats 2 -o large-recording.h5
    make_result simulate --train ../results/train.h5 --test ../results/test.h5 --cells 3 --repeats 2 -o three.h5
    make_result fit $recording -m ln --filter sta --history 121 -o long.h5
    for command in predict contribute "contribute --target sum" "rf irf"; do
        refused "large-recording.h5: the movie has 30x30 pixels, the model was fitted to 5x6" $command $model large-recording.h5
        refused "no stretch of the test part is long enough for a history of 121 frames" $command long.h5 $recording
    done
    for command in predict contribute; do
        refused "three.h5: the recording has 3 cells, the model 2" $command $model three.h5
    done
}

run_cases existing_output unwritable_folder size_limit full_disk full_disk_keeps_checkpoint two_at_once missing_file \
    truncated text_files spikes_around_the_stimulus import_options wrong_results wrong_stimuli configurations \
    comments_in_configurations wrong_kind wrong_kind_of_another_program recording_shapes recording_values nothing_to_fit \
    no_surprisal short_fits one_silent_cell parts_missing model_values model_shapes model_of_another_recording

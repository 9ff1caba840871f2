#!/bin/sh
# Whole analyses from a configuration file: order, references, resuming, and what a wrong configuration is told.
. "$RETC_TESTS/cli/lib.sh"

# A small chain of stages that takes a moment.
write_chain() {
    cat >chain.ini <<'END'
# white noise, and a retina that sees it
[run]
output = results
seed = 3

[stimulus:noise]
kind = white-noise
frames = 3000
height = 6
width = 6

[simulate]
train = @stimulus:noise
cells = 2

[rf]
kind = sta
recording = @simulate
history = 15
shuffles = 0
END
}

# configuration TEXT: what TEXT makes of `retcodec run`, in the files out and err.
configuration() {
    printf '%b' "$1" >wrong.ini
    expect 2 "$RETCODEC" run wrong.ini
    one_line
    absent results
}

whole_chain() {
    write_chain
    expect 0 "$RETCODEC" run chain.ini
    prints "[1/3] stimulus:noise -> results/stimulus-noise.h5"
    prints "[3/3] rf -> results/rf.h5"
    [ -s results/rf.h5 ]
    expect 0 "$RETCODEC" info results/rf.h5
    prints "command        retcodec rf --kind=sta --recording=results/simulate.h5 --history=15 --shuffles=0"
    prints "seed           3"
}

skips_what_is_up_to_date() {
    write_chain
    expect 0 "$RETCODEC" run chain.ini -q
    ls -i results >before
    expect 0 "$RETCODEC" run chain.ini
    [ "$(grep -c "is up to date" out)" -eq 3 ]
    ls -i results >after
    cmp before after
}

# A change runs its own stage and those behind it; a lost output runs again.
runs_what_changed() {
    write_chain
    expect 0 "$RETCODEC" run chain.ini -q
    sed 's/cells = 2/cells = 3/' chain.ini >changed && mv changed chain.ini
    expect 0 "$RETCODEC" run chain.ini
    [ "$(grep "is up to date" out)" = "results/stimulus-noise.h5 is up to date" ]
    rm results/simulate.h5
    expect 0 "$RETCODEC" run chain.ini
    prints "results/stimulus-noise.h5 is up to date"
    not grep -q "simulate.h5 is up to date" out
    head -c 1000 results/rf.h5 >cut && mv cut results/rf.h5
    expect 0 "$RETCODEC" run chain.ini
    not grep -q "rf.h5 is up to date" out
    expect 0 "$RETCODEC" info results/rf.h5
}

force_runs_all() {
    write_chain
    expect 0 "$RETCODEC" run chain.ini -q
    expect 0 "$RETCODEC" run chain.ini --force
    not grep -q "is up to date" out
}

# The first two stages are done when the third fails; once mended, only it is left.
failure_keeps_what_was_done() {
    write_chain
    sed 's/history = 15/history = 100000/' chain.ini >long.ini
    expect 1 "$RETCODEC" run long.ini
    complains "retcodec run: long.ini: [rf]: "
    [ "$(wc -l <err)" -eq 1 ]
    [ -s results/simulate.h5 ]
    absent results/rf.h5
    expect 0 "$RETCODEC" run chain.ini
    [ "$(grep -c "is up to date" out)" -eq 2 ]
    [ -s results/rf.h5 ]
}

killed_run_goes_on() {
    write_chain
    sed 's/frames = 3000/frames = 400000/; s/height = 6/height = 30/; s/width = 6/width = 30/' chain.ini >big.ini
    status=0
    timeout --preserve-status -s TERM 0.5 "$RETCODEC" run big.ini >out 2>err || status=$?
    [ "$status" -gt 128 ] || fail "status $status"
    absent results/stimulus-noise.h5 results/*.part
    expect 0 "$RETCODEC" run chain.ini -q
    [ -s results/rf.h5 ]
}

dry_run() {
    write_chain
    expect 0 "$RETCODEC" run chain.ini --dry-run --threads 2
    prints "retcodec simulate --train=results/stimulus-noise.h5 --cells=2 --output=results/simulate.h5 --seed=3 --threads=2"
    absent results
}

default_folder() {
    write_chain
    sed '/^output/d' chain.ini >plain.ini
    expect 0 "$RETCODEC" run plain.ini -n
    prints "--output=results/plain/simulate.h5"
    expect 0 "$RETCODEC" run plain.ini -n -o elsewhere/deep --seed 8
    prints "--output=elsewhere/deep/simulate.h5 --seed=8"
    expect 0 "$RETCODEC" run plain.ini -q -o elsewhere/deep
    [ -s elsewhere/deep/rf.h5 ]
}

# Words are expanded as in a shell, lists go on in lines that start with a blank, quotes protect.
words() {
    touch a1.txt a2.txt 'with blank.txt'
    FOLDER=$PWD
    export FOLDER
    cat >words.ini <<'END'
[import]
kind = text
frames = $FOLDER/a1.txt
stimulus = "with blank.txt"   ; a comment
spikes = a*.txt
    ~/b.txt
output = 'own name.h5'
END
    HOME=/home/nobody expect 0 "$RETCODEC" run words.ini -n
    prints "retcodec import --kind=text --frames=$PWD/a1.txt '--stimulus=with blank.txt' --spikes=a1.txt --spikes=a2.txt"
    prints "--spikes=/home/nobody/b.txt '--output=own name.h5'"
}

# $HERE is the folder of the configuration, wherever the run starts.
folder_of_the_configuration() {
    mkdir -p elsewhere
    printf '[stimulus]\nkind = resize\nmovie = $HERE/movie.h5\n' >elsewhere/here.ini
    touch elsewhere/movie.h5
    expect 0 "$RETCODEC" run elsewhere/here.ini --dry-run
    prints "--movie=elsewhere/movie.h5"
    (cd elsewhere && "$RETCODEC" run here.ini --dry-run) >out 2>err || fail "$(cat err)"
    prints "--movie=./movie.h5"
}

no_configuration() {
    expect 1 "$RETCODEC" run nothing.ini
    complains "retcodec run: nothing.ini: No such file or directory"
    expect 2 "$RETCODEC" run
    complains "retcodec run: --config is missing"
    : >empty.ini
    expect 1 "$RETCODEC" run empty.ini
    complains "empty.ini: has no stage, such as [fit]"
    echo 'neither nor' >odd.ini
    expect 1 "$RETCODEC" run odd.ini
    complains "odd.ini:1: neither [section] nor key = value"
    printf '[fit]\nmodel = %0300d\n' 7 >long.ini
    expect 1 "$RETCODEC" run long.ini
    complains "long.ini:2: the line is longer than "
}

wrong_sections() {
    configuration 'kind = text\n[import]\n'
    complains 'wrong.ini:1: "kind" stands before the first [section]'
    configuration '\n[imprt]\n'
    complains 'wrong.ini:2: [imprt]: there is no stage "imprt"; did you mean "import"?'
    configuration '[info]\nfiles = x\n'
    complains 'wrong.ini:1: [info]: there is no stage "info"'
    configuration '[rf]\nkind = sta\n[rf]\nkind = sta\n'
    complains 'wrong.ini:3: [rf] stands twice; tell them apart by labels, as in [rf:second]'
    configuration '[run]\n[run]\n[rf]\n'
    complains 'wrong.ini:2: [run] stands twice'
    configuration '[rf:]\n'
    complains 'wrong.ini:1: [rf:] should be [command] or [command:label]'
    configuration '[rf:a/b]\n'
    complains 'wrong.ini:1: [rf:a/b] should be [command] or [command:label]'
    configuration '[run]\nfolder = x\n[rf]\n'
    complains 'wrong.ini:2: [run] has no key "folder"; it has output, seed and threads'
    configuration '[run]\nseed = 1 2\n[rf]\n'
    complains 'wrong.ini:2: [run] seed has 2 words, expected one'
    configuration '[rf:aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffff]\nkind = sta\n'
    complains 'wrong.ini:1: the name of the section has more than 49 characters'
    configuration '  [rf]\nkind = sta\n'
    complains 'wrong.ini:2: the line of [rf] should start with its bracket, not with a blank'
}

wrong_keys() {
    start='[stimulus]\nkind = white-noise\n'
    configuration "$start"'fraems = 7\n'
    complains 'wrong.ini:1: [stimulus]: there is no option --fraems; did you mean --frames?'
    configuration "$start"'frames = 12x\n'
    complains 'wrong.ini:1: [stimulus]: --frames: "12x" is not a whole number'
    configuration "$start"'frames = 7\nframes = 8\n'
    complains 'wrong.ini:4: [stimulus] frames: is given twice'
    configuration "$start"'frames =\n'
    complains 'wrong.ini:3: [stimulus] frames: has no value'
    configuration "$start"'frames = $NOT_THERE\n'
    complains 'wrong.ini:3: [stimulus] frames: the environment has no variable $NOT_THERE'
    configuration "$start"'frames = ${NOT_THERE}\n'
    complains 'the environment has no variable $NOT_THERE'
    configuration "$start"'frames = $(echo 7)\n'
    complains 'asks to run a command'
    configuration "$start"'frames = "7\n'
    complains 'has a quote or a brace that is not closed'
    configuration "$start"'frames = a|b\n'
    complains 'holds one of | & ; < > ( ) { }; put the word in quotes'
    configuration '[rf]\nrecording = x.h5\n'
    complains 'wrong.ini:1: [rf]: which kind of receptive field, sta or irf?'
}

wrong_references() {
    start='[stimulus:one]\nkind = white-noise\n'
    configuration "$start"'[simulate]\ntrain = @stimulus:two\n'
    complains 'wrong.ini:4: [simulate] train: @stimulus:two: there is no such stage; did you mean @stimulus:one?'
    configuration '[simulate]\ntrain = @stimulus:one\n'"$start"
    complains 'wrong.ini:2: [simulate] train: @stimulus:one is no earlier stage'
    configuration '[simulate]\ntrain = @simulate\n'
    complains 'wrong.ini:2: [simulate] train: @simulate is no earlier stage'
    configuration "$start"'output = results/x.h5\n[stimulus:two]\nkind = white-noise\noutput = results/x.h5\n'
    complains 'wrong.ini:4: [stimulus:two] writes results/x.h5, which [stimulus:one] writes already'
}

# A mistake in the last section stops the run before its first stage.
checked_before_the_start() {
    write_chain
    echo 'alpha = much' >>chain.ini
    expect 2 "$RETCODEC" run chain.ini
    complains 'chain.ini:16: [rf]: --alpha: "much" is not a number'
    absent results
}

# The configurations that come with the program name commands and options that exist.
shipped_configurations() {
    RECORDING=$PWD
    export RECORDING
    touch frametimes_fullfieldnoise.txt stimulus_fullfieldnoise.txt fullfieldnoise_C1.txt
    for config in "$RETC_TESTS"/../scripts/*.conf; do
        [ "$(basename "$config")" != sweep.conf ] || continue # tests/cli/sweep.sh looks at it
        expect 0 "$RETCODEC" run "$config" --dry-run
        case $config in
        */protocols.conf) prints "figure --kind=protocol" ;;
        */salamander-*.conf) prints "figure --kind=scores" ;;
        *) prints "figure --kind=strip" ;;
        esac
    done
    absent results
}

run_cases whole_chain skips_what_is_up_to_date runs_what_changed force_runs_all failure_keeps_what_was_done killed_run_goes_on \
    dry_run default_folder words folder_of_the_configuration no_configuration wrong_sections wrong_keys wrong_references checked_before_the_start \
    shipped_configurations

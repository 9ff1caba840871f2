#!/bin/sh
# Help, wrong usage, exit codes.
. "$RETC_TESTS/cli/lib.sh"

commands() {
    "$RETCODEC" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

bare() {
    expect 2 "$RETCODEC"
    complains "Usage: retcodec COMMAND"
    [ ! -s out ]
}

listing() {
    expect 0 "$RETCODEC" help
    prints "Recordings:"
    prints "  fit  "
    [ ! -s err ]
    cp out first
    expect 0 "$RETCODEC" --help
    cmp out first
}

version() {
    expect 0 "$RETCODEC" --version
    prints "retcodec "
    prints "HDF5 "
    prints "GPLv3+"
}

unknown_command() {
    expect 2 "$RETCODEC" fti
    complains 'retcodec: there is no command "fti"; did you mean "fit"?'
    one_line
    expect 2 "$RETCODEC" bananas
    complains 'retcodec: there is no command "bananas" (retcodec help lists them)'
    expect 2 "$RETCODEC" help bananas
    complains 'retcodec help: there is no command "bananas"'
}

unknown_option() {
    expect 2 "$RETCODEC" fit recording.h5 --epcohs 3 -o model.h5
    complains "retcodec fit: there is no option --epcohs; did you mean --epochs?"
    one_line
}

bad_number() {
    expect 2 "$RETCODEC" fit recording.h5 --epochs 12x -o model.h5
    complains 'retcodec fit: --epochs: "12x" is not a whole number ('
    one_line
}

missing_option() {
    expect 2 "$RETCODEC" fit recording.h5
    complains "retcodec fit: --output is missing: "
    one_line
    expect 2 "$RETCODEC" fit -o model.h5
    complains "retcodec fit: --recording is missing: "
}

# Every command explains itself in the same form, and has a manual page that says the same of its options.
every_command() {
    [ "$(commands | wc -l)" -ge 4 ]
    for command in $(commands); do
        expect 0 "$RETCODEC" "$command" --help
        prints "Usage: retcodec $command [options]"
        prints "Example:"
        [ ! -s err ]
        [ "$(wc -L <out)" -le 150 ] || fail "$command: help has a line of $(wc -L <out) characters"
        cp out help
        expect 0 "$RETCODEC" help "$command"
        cmp out help
        expect 0 "$RETCODEC" help --man "$command"
        prints ".TH RETCODEC\\-"
        for option in $(sed -n 's/^  .. *--\([a-z0-9-]*\).*/\1/p' help); do
            prints "\\fB\\-\\-$(echo "$option" | sed 's/-/\\-/g')\\fR"
        done
    done
}

manual_pages_are_built() {
    folder=$(dirname "$RETCODEC")/man
    [ -d "$folder" ] || skip "no manual pages beside the program"
    for command in $(commands); do
        [ -s "$folder/retcodec-$command.1" ] || fail "retcodec-$command.1 is not built; add it to man_MANS in src/local.mk"
    done
    [ "$(ls "$folder" | wc -l)" -eq $(($(commands | wc -l) + 1)) ]
}

manual_pages_are_clean() {
    command -v man >/dev/null || skip "no man"
    for command in $(commands); do
        "$RETCODEC" help --man "$command" >page.1
        LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings=w -E UTF-8 -l ./page.1 2>warnings >/dev/null ||
            skip "man cannot format"
        [ ! -s warnings ] || fail "$command: $(cat warnings)"
    done
    "$RETCODEC" help --man >page.1
    grep -q '^.SH COMMANDS' page.1
}

full_stdout() {
    [ -e /dev/full ] || skip "no /dev/full"
    status=0
    "$RETCODEC" help >/dev/full 2>err || status=$?
    [ "$status" -eq 1 ]
    complains "retcodec help: standard output: No space left on device"
}

closed_pipe() {
    # More than a pipe holds, to a reader that is gone.
    (for round in 1 2 3 4 5 6 7 8 9; do
        status=0
        "$RETCODEC" help fit 2>err || status=$?
        echo "$status" >status
    done) | true
    sleep 0.2
    [ "$(cat status)" -eq 1 ]
    complains "retcodec help: standard output: Broken pipe"
}

run_cases bare listing version unknown_command unknown_option bad_number missing_option every_command manual_pages_are_built \
    manual_pages_are_clean full_stdout closed_pipe

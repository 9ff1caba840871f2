# Shell tests of the program: sourced by the scripts beside it.  RETCODEC names the program, RETC_TESTS the folder of tests.
#
# A script defines functions and ends with `run_cases name...`.  Each case runs in a shell and an empty folder of its own,
# and fails with its first failing command.
: "${RETCODEC:?the program to test}"
unset RETC_SCRIPTS RETC_GNUPLOT SOURCE_DATE_EPOCH GNUPLOT_LIB
# The shell reports a child that a signal ended; cases that kill want that in English.
LC_ALL=C
export LC_ALL

# Changes one thing in a file (edit_h5.c); make check builds it.
edit_h5=$(dirname "$RETCODEC")/tests/cli/edit_h5

skip() {
    echo "skipped: $*" >&3
    exit 77
}

fail() {
    echo "$*" >&3
    exit 1
}

# expect STATUS COMMAND...: run, keep what it prints in the files out and err, and compare its exit status.
expect() {
    wanted=$1
    shift
    status=0
    "$@" >out 2>err || status=$?
    [ "$status" -eq "$wanted" ] || fail "$* gave $status, expected $wanted: $(head -c 600 err)"
}

# make_result COMMAND...: what a case needs to begin with.  Fits as short as those of tests need not converge.
make_result() {
    status=0
    "$RETCODEC" "$@" -q >log 2>&1 || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$*: $(cat log)"
}

# What went to stderr, or to stdout, holds a text.
complains() {
    grep -qF -e "$1" err || fail "stderr lacks \"$1\": $(head -c 600 err)"
}

prints() {
    grep -qF -e "$1" out || fail "stdout lacks \"$1\": $(head -c 600 out)"
}

# One line on stderr, and nothing else anywhere.
one_line() {
    [ "$(wc -l <err)" -eq 1 ] || fail "stderr has not one line: $(cat err)"
    [ ! -s out ] || fail "stdout is not empty: $(head -c 600 out)"
}

# The command fails.  (A shell with -e does not stop at "! command".)
not() {
    if "$@"; then fail "$* succeeded"; fi
}

absent() {
    for file; do
        [ ! -e "$file" ] || fail "$file is there"
    done
}

# No half-written file is left here.
no_leftovers() {
    for file in *.part; do
        absent "$file"
    done
}

run_cases() {
    passed=0 failed=0 skipped=0
    scratch=$(mktemp -d) || exit 99
    trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
    for case; do
        mkdir "$scratch/$case"
        (
            cd "$scratch/$case" || exit 1
            set -eu
            "$case"
        ) 3>"$scratch/reason" >"$scratch/log" 2>&1
        case $? in
        0) passed=$((passed + 1)) ;;
        77)
            skipped=$((skipped + 1))
            echo "$case: $(cat "$scratch/reason")"
            ;;
        *)
            failed=$((failed + 1))
            echo "$case failed: $(cat "$scratch/reason" "$scratch/log")"
            ;;
        esac
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# Files on which libraries crash, and crashes themselves: one line, no half-written file, exit code 1.
. "${RETC_TESTS:?}/cli/lib.sh"

# A crash while a file is read and another one written.
crash() {
    "$RETCODEC" stimulus white-noise --frames 1000000 --height 50 --width 50 -q -o out.h5 >out 2>err &
    tries=0
    while [ ! -e "out.h5.$!.part" ]; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || fail "nothing is being written"
        sleep 0.02
    done
    kill -SEGV $!
    status=0
    wait $! || status=$?
    if grep -q Sanitizer err; then skip "the sanitizer reports crashes itself"; fi
    [ "$status" -eq 1 ] || fail "a crash gave $status, expected 1"
    one_line
    complains "retcodec: crashed"
    absent out.h5
    no_leftovers
}

run_cases crash

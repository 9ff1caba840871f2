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

# An object of length zero in the heap where HDF5 keeps texts: HDF5 1.10 goes round in circles on it, later ones refuse it.
endless() {
    expect 0 "$RETCODEC" stimulus white-noise --frames 50 --height 4 --width 4 -q -o movie.h5
    heap=$(LC_ALL=C grep -abo GCOL movie.h5 | head -n 1 | cut -d : -f 1)
    [ -n "$heap" ] || fail "the file has no heap"
    # The heap's head has 16 bytes.  Of its first object only the number stays, 1.
    dd if=/dev/zero of=movie.h5 bs=1 seek=$((heap + 16)) count=1024 conv=notrunc 2>dd || fail "$(cat dd)"
    printf '\001' | dd of=movie.h5 bs=1 seek=$((heap + 16)) conv=notrunc 2>dd || fail "$(cat dd)"
    expect 1 timeout 60 "$RETCODEC" simulate --train movie.h5 --cells 1 -o out.h5
    one_line
    complains "movie.h5: "
    absent out.h5
    no_leftovers
}

run_cases crash endless

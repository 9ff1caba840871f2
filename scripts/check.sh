#!/bin/sh
# Install what is missing, build, and run all tests.  The last line counts single test cases.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/scripts/setup.sh"
# Some tests read files that other people's libraries wrote.
packages="$packages python3-h5py"
install_missing
build_all

make -C "$build" -j"$(nproc)" check >"$build/check.log" 2>&1
status=$?
# Every test program closes its log with a line "N passed, N failed, N skipped"; one without it has crashed.
logs=$(sed -n 's/^\(PASS\|FAIL\|ERROR\): \([^ ]*\)$/\2/p' "$build/check.log" | sort -u)
passed=0 failed=0 skipped=0
for test in $logs; do
    log=$build/${test%.sh}.log
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" 2>/dev/null | tail -n 1)
    [ -n "$line" ] || line="0 passed, 1 failed, 0 skipped"
    echo "$test: $line"
    set -- $line
    passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
    grep -h "skipped: " "$log" 2>/dev/null | sort -u | sed "s/^/    /"
    [ "$3" = 0 ] || sed 's/^/    /' "$log"
done
if [ "$passed" = 0 ] || { [ $status != 0 ] && [ $failed = 0 ]; }; then
    tail -n 30 "$build/check.log"
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]

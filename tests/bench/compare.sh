#!/bin/sh
# What a change did to the benchmark: compare.sh OLD NEW, two saved tables of `make bench`, prints old and new times and how many
# times as fast the new one is.
test $# = 2 || { echo "usage: compare.sh OLD NEW" >&2; exit 2; }
awk -F '   *' '
    $2 !~ /^ *[0-9]+ *$/ || $3 + 0 == 0 { next }
    { key = $1 " / " $2 + 0; split($3, value, " ") }
    FNR == NR { old[key] = value[1]; next }
    key in old { printf "%-50s %9s %9s %7.2f\n", key, old[key], value[1], old[key] / value[1] }
' "$1" "$2"

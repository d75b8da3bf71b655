#!/bin/sh
# foo.c exports only foo_*.  usage: exports.sh BUILD_FOLDER
set -eu
cd "$1"
find common agent collector console -name '*.c.o' -exec nm -A -g --defined-only {} + | awk '
    { at = match($1, /:[0-9a-f]*$/); o = substr($1, 1, at - 1); stem = o; sub(/.*\//, "", stem); sub(/\.c\.o$/, "", stem) }
    $3 == "main" || $3 ~ /^(__asan|__odr_asan|__ubsan|__tsan|__sanitizer|__start___sancov|__stop___sancov)/ { next }
    NF == 3 && $3 != stem && index($3, stem "_") != 1 { print o ": exports " $3; bad = 1 }
    END { exit bad || NR == 0 }'

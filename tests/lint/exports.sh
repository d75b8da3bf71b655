#!/bin/sh
# foo.c exports only foo_*.  usage: exports.sh BUILD_FOLDER
set -eu
cd "$1"
found=0
for o in $(find common agent collector console -name '*.c.o' | sort); do
    stem=$(basename "$o" .c.o)
    nm -g --defined-only "$o" | awk -v s="$stem" -v o="$o" '
        $3 == "main" || $3 ~ /^(__asan|__odr_asan|__ubsan|__tsan|__sanitizer|__start___sancov|__stop___sancov)/ { next }
        NF == 3 && $3 != s && index($3, s "_") != 1 { print o ": exports " $3; bad = 1 }
        END { exit bad }' || found=1
done
exit $found

#!/bin/sh
# No source file over 600 lines: a file is one idea.  usage: sizes.sh [ROOT]
set -eu
cd "${1:-.}"
find agent collector common console certs deploy tests -name '*.[ch]' -o -name '*.sh' -o -name '*.bats' | sort | xargs wc -l |
    awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines, at most 600"; bad = 1 } END { exit bad }'

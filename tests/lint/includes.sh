#!/bin/sh
# Every #include of the product against layers.txt: who may include whom, and each foreign library's door.
# usage: includes.sh [ROOT]     (default: the current folder)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}"
find agent collector common console -name '*.[ch]' | sort | xargs grep -Hn '^#include' | awk '
FNR == NR {
    sub(/#.*/, "")
    if ($1 == "door") { doors[++n_doors] = $2; for (i = 3; i <= NF; i++) door[$2, $i] }
    else if (NF) { known[$1]; for (i = 2; i <= NF; i++) ok[$1, $i] }
    next
}
function no(why) { print at ": " why; bad = 1 }
{
    split($0, f, ":"); at = f[1] ":" f[2]
    from = f[1]; sub(/\/[^\/]*$/, "", from)
    match($0, /["<][^">]*/); inc = substr($0, RSTART + 1, RLENGTH - 1)
    longest = ""
    for (i = 1; i <= n_doors; i++) if (index(inc, doors[i]) == 1 && length(doors[i]) > length(longest)) longest = doors[i]
    if (longest != "") { if (!((longest, from) in door)) no(inc " has its door elsewhere"); next }
    if (substr($0, RSTART, 1) == "<") next
    to = inc; sub(/\/[^\/]*$/, "", to)
    if (!(from in known)) no(from " is not in layers.txt")
    else if (from != to && !((from, to) in ok)) no(from " may not include " to)
}
END { exit bad }' "$here/layers.txt" -

# shellcheck shell=bash
# What the load commands share: figures, promises, waiting, and what the fleet's logs say.  Sourced; $FLEET_DIR and $log are theirs.
# shellcheck disable=SC2034,SC2154  # took: read by who sources this; log: set by it
broken=0

say() { printf '%s\n' "$*"; }
figure() { printf '  %-52s %s\n' "$1" "$2"; }
promise() { # WORDS COMMAND…: broken when the command fails
    local words=$1
    shift
    if "$@"; then return 0; fi
    say "BROKEN: $words"
    broken=$((broken + 1))
}
give_up() {
    say "$(basename "$0"): $*" >&2
    tail -n 5 "$log"/* >&2
    exit 1
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# within MS COMMAND…: waits until it succeeds; $took is how many ms that was.
within() {
    local began until
    began=$(now_ms)
    until=$((began + $1))
    shift
    while ! "$@"; do
        took=$(($(now_ms) - began))
        [ "$(now_ms)" -lt "$until" ] || return 1
        sleep 0.01
    done
    took=$(($(now_ms) - began))
}

certs() { "$FLEET_CERTS" "$FLEET_DIR/certs" "$@" >>"$log/certs" 2>&1; }
count() { grep -c -- "$2" "$log/$1"; }
more_than() { [ "$(count "$2" "$3")" -gt "$1" ]; }
has() { grep -q -- "$2" "$log/$1"; }
# counter NAME: of the newest line of the sessions.
counter() { grep '^second=' "$log/sessions" | tail -n 1 | sed "s/.* $1=\([0-9]*\).*/\1/"; }
counter_is() { [ "$(counter "$1")" = "$2" ]; }
memory() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$(cat "$FLEET_DIR/pid/collector")/smaps_rollup"; }
sanitizers_spoke() { grep -hE -A 40 'ThreadSanitizer|AddressSanitizer|LeakSanitizer|runtime error|[Aa]ssertion' "$log"/*; }

#!/bin/bash
# In the guest: every tool and flavour through agent, collector and console against a known workload, as a table of tab-separated
# columns: tool, flavour, what preflight predicted (right, wrong, incapable), result, whether they agree, time, what was checked.  What
# cannot run by preflight is run by hand, to see that it fails.
#   table.sh [TOOL[/FLAVOUR]…]      exit code 1: something is not as predicted
# Beside it lie the programs, deploy/fleet.sh, trawl-certs, our bpftrace programs and tests/support's workload.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export FLEET_DIR=/var/lib/trawl-guest-$$ FLEET_BIN=$here FLEET_CERTS=$here/trawl-certs
# shellcheck source=deploy/fleet.sh
. "$here/fleet.sh"
attach_s=360 # what a compiler may take under emulation, and a capture besides
seconds=20   # of a capture
data=/data/file

# ---- the fleet ----

# What a service manager does for a unit with Delegate=yes: a group of its own, marked as handed over.
agent_begin() {
    local group=/sys/fs/cgroup/trawl-$$
    mkdir "$group" && python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.delegate", b"1")' "$group" &&
        (echo "$BASHPID" >"$group/cgroup.procs" && fleet_agent_start guest)
}

# A busy emulator is over any budget, and what is cheap elsewhere need not be here: tests/e2e/40-harm tests budget and brake.
fleet_begin() {
    mkdir -p "$FLEET_DIR" /usr/share/trawl/bpftrace /data
    mountpoint -q /data || mount /dev/vdb /data
    install -m 0755 "$here"/*.bt /usr/share/trawl/bpftrace/
    dd if=/dev/zero of="$data" bs=1M count=2 conv=fsync status=none
    coproc LOAD { exec "$here/workload"; }
    loader=$LOAD_PID
    fleet_certs && fleet_collector_conf 0 0 && fleet_collector_start || return 1
    fleet_agent_make guest kernel=ordinary "max_cost = 0%" "brake_cpu = 0%" "brake_pressure = 0%" "memory_bytes = 1GiB" &&
        agent_begin && fleet_wait "$attach_s" fleet_online 1
}

# shellcheck disable=SC2317  # the trap calls it
fleet_end() {
    fleet_down
    kill "${loader:-}" "${burn:-}" 2>/dev/null
    rm -rf "$FLEET_DIR"
}

# ---- what is to be seen ----

long='[.histograms[].buckets[] | select(.low >= 1000) | .count] | add >= 100'
reads='.COMM == "twl-load" and .BYTES == 4096'

# known TOOL: args of the capture, the workload in the workload program's words ("burn": tasks on one CPU, for all of the capture), what is
# to be seen of it in words and in jq, where $pid is the workload's and $said is what it said.
known() {
    args=()
    case $1 in
    runqlat) work=burn what="3 tasks on one CPU: 100 waits of 1 ms and more" check=$long ;;
    cpudist) work=burn what="3 tasks on one CPU: 100 runs of 1 ms and more" check=$long ;;
    runqlen) work=burn what="3 tasks on one CPU: 100 samples of 2 that wait" check='[.histograms[].buckets[] | select(.low >= 2) | .count] | add >= 100' ;;
    profile) work=burn what="3 tasks on one CPU: their samples at 49 Hz" check='[.stacks[] | select(.comm == "twl-load") | .count] | add >= 300' ;;
    offcputime) args=(--pid "$loader") work="nap 100 20" what="20 sleeps of 100 ms: 2 s" check='.total >= 2000000' ;;
    hardirqs) work="read $data 50 4096" what="50 reads: as many of the disk's interrupts" check='[.histograms[] | select(.section.hardirq | test("req|blk")) | .total] | add >= 50' ;;
    softirqs) work="echo 200" what="200 bytes there and back: as many of net_rx" check='[.histograms[] | select(.section.softirq == "net_rx") | .total] | add >= 200' ;;
    biolatency) args=(--disk vdb) work="read $data 50 4096" what="50 reads: 50 and more" check='[.histograms[].total] | add >= 50' ;;
    biosnoop) work="read $data 50 4096" what="50 reads of 4 KB: 50 rows" check="[.events[] | select($reads and (.T | startswith(\"R\")))] | length == 50" ;;
    bitesize) work="read $data 50 4096" what="50 reads of 4 KB: 50 in that slot" check='[.histograms[] | select(.section["Process Name"] == "twl-load") | .buckets[] | select(.low == 4) | .count] | add == 50' ;;
    ext4slower) args=(--min-ms 0 --pid "$loader") work="read $data 50 4096" what="50 reads of 4 KB: 50 rows" check="[.events[] | select($reads and .T == \"R\" and .FILENAME == \"file\")] | length == 50" ;;
    fileslower) args=(--min-ms 0 --pid "$loader") work="read $data 50 4096" what="50 reads of 4 KB: 50 rows" check="[.events[] | select($reads and .D == \"R\" and .FILENAME == \"file\")] | length == 50" ;;
    cachestat) work="cold $data" what="pages that were not in the cache: as many missed, or more" check='[.events[].MISSES] | add >= ($said | tonumber)' ;;
    tcpconnlat) args=(--pid "$loader") work="connect 4 23" what="23 connections: 23 rows" check='[.events[] | select(.DPORT == ($said | tonumber))] | length == 23' ;;
    tcpstates) work="connect 4 23" what="23 connections: 23 of them established" check='[.events[] | select(.RPORT == ($said | tonumber) and .OLDSTATE == "SYN_SENT" and .NEWSTATE == "ESTABLISHED")] | length == 23' ;;
    tcpretrans) work="resend 5" what="connections that nobody answers: a row for each segment sent again" check='($said | split(" ")) as [$port, $n] | [.events[] | select(.["RADDR:RPORT"] == "127.0.0.1:" + $port and .STATE == "SYN_SENT")] | length == ($n | tonumber)' ;;
    tcpdrop) work="refused 23" what="23 connections to a closed port: 23 rows with a stack" check='[.events[] | select(.["DADDR:DPORT"] == "127.0.0.1:" + $said and (.stack | length) > 0)] | length == 23' ;;
    tcprtt) work="echo 200" what="200 bytes there and back: as many segments" check='[.histograms[].total] | add >= 200' ;;
    gethostlatency) work="lookup 23 localhost" what="23 look-ups: 23 rows" check='[.events[] | select(.HOST == "localhost" and .PID == $pid)] | length == 23' ;;
    execsnoop) work="exec 23 twl-was-here" what="23 programs: 23 rows" check='[.events[] | select(.ARGS | endswith("true twl-was-here"))] | length == 23' ;;
    *) return 1 ;;
    esac
}

# load WORDS…: what it says goes to $said.
load() {
    [ "$1" != echo ] || load listen
    echo "$*" >&"${LOAD[1]}"
    read -r -t 120 said <&"${LOAD[0]}"
}

# ---- captures ----

is_running() { grep -q '1 running' "$FLEET_DIR/progress"; }
is_over() { ! kill -0 "$run_pid" 2>/dev/null; }
is_running_or_over() { is_running || is_over; }

# One of $1 in flavour $2, with the workload once its probes are there: $FLEET_DIR/answer.
capture() {
    said=''
    fleet_trawl run "$1" --flavour "$2" --for "${seconds}s" --expire 10m "${args[@]}" -n 0 -o json >"$FLEET_DIR/answer" 2>"$FLEET_DIR/progress" &
    run_pid=$!
    fleet_wait "$attach_s" is_running_or_over
    if [ "$work" = burn ]; then # not before, and not after: a compiler and a summary need the CPU
        "$here/workload" burn 0 3 &
        burn=$!
        fleet_wait "$seconds" is_over || true
        kill "$burn"
        wait "$burn" 2>/dev/null
        burn=''
    elif ! is_over; then
        # shellcheck disable=SC2086  # words
        load $work
    fi
    fleet_wait "$attach_s" is_over || kill "$run_pid"
    wait "$run_pid"
}

of_answer() { jq -r --arg said "$said" --argjson pid "$loader" "$1" "$FLEET_DIR/answer" 2>/dev/null; }

# How a tool that is said not to run here ends when it is run by hand: sets result, adds to checked.
by_hand() {
    local argv=() end
    case $2 in
    libbpf) argv=("/usr/sbin/$1") ;;
    bcc) argv=("/usr/sbin/$1-bpfcc") ;;
    bpftrace) argv=(bpftrace -f json "/usr/share/trawl/bpftrace/$1.bt" 1 1) ;;
    esac
    if [ -z "$(command -v "${argv[0]}")" ]; then
        result=absent checked="$why"
        return
    fi
    case $1/$2 in
    */bpftrace) ;;
    biosnoop/libbpf) argv+=(1) ;;
    tcprtt/*) argv+=(-i 1 -d 1) ;;
    biolatency/* | cachestat/* | runqlen/*) argv+=(1 1) ;;
    esac
    timeout -s INT -k 10 "$attach_s" "${argv[@]}" >"$FLEET_DIR/out" 2>"$FLEET_DIR/err" </dev/null
    end=$?
    if [ "$end" -ne 0 ] && [ "$end" -ne 124 ]; then result=fails; else result=runs; fi
    checked="$why; by hand: exit $end, $(grep -v '^ *$' "$FLEET_DIR/err" | tail -n 1 | cut -c 1-100)"
}

# Sets result and checked by the answer.
judge() {
    checked=$what
    if [ "$(of_answer "$check")" = true ]; then
        result=right
        [ "$(of_answer .coverage.ok)" = 1 ] || checked="$checked; $(of_answer '.targets[0].reason')"
    elif [ "$(of_answer '.coverage.ok + .coverage.partial')" = 1 ]; then
        result=wrong
    else
        result=failed checked="$checked; $(of_answer '.targets[0].reason')"
    fi
    [ -z "$why" ] || checked="$checked; $why"
}

row() { # TOOL FLAVOUR
    local args work what check said predicted=incapable why result checked began=$SECONDS agrees=yes foreseen
    known "$1" || return 1
    foreseen=$(fleet_trawl hosts -o json | jq -c --arg t "$1" --arg f "$2" '.hosts[0].tools[] | select(.tool == $t and .flavour == $f)')
    why=$(jq -r '.why // ""' <<<"$foreseen")
    [ "$(jq -r .runnable <<<"$foreseen")" != true ] || predicted=${why:+wrong} predicted=${predicted:-right}
    if [ "$predicted" = incapable ]; then
        by_hand "$1" "$2"
        [ "$result" != runs ] || agrees=NO
    else
        capture "$1" "$2"
        judge
        [ "$predicted" = "$result" ] || agrees=NO
    fi
    [ "$agrees" = yes ] || cp "$FLEET_DIR/answer" "/var/tmp/answer-$1-$2" 2>/dev/null
    printf '%s\t%s\t%s\t%s\t%s\t%s s\t%s\n' "$1" "$2" "$predicted" "$result" "$agrees" "$((SECONDS - began))" "$checked"
    [ "$agrees" = yes ]
}

trap fleet_end EXIT
fleet_begin || { tail -n 5 "$FLEET_DIR"/log/agent-guest "$FLEET_DIR"/log/collector >&2; exit 2; }
disagree=0
wanted=("$@")
[ $# -gt 0 ] || mapfile -t wanted < <(fleet_trawl tools -o json | jq -r '.tools[].tool')
printf 'TOOL\tFLAVOUR\tPREDICTED\tRESULT\tAGREES\tTOOK\tCHECKED\n'
for one in "${wanted[@]}"; do
    for flavour in $(fleet_trawl hosts -o json | jq -r --arg t "${one%/*}" '.hosts[0].tools[] | select(.tool == $t) | .flavour'); do
        case $one in */*) [ "${one#*/}" = "$flavour" ] || continue ;; esac
        row "${one%/*}" "$flavour" || disagree=$((disagree + 1))
    done
done
[ "$disagree" -eq 0 ]

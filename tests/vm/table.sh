#!/bin/bash
# In the guest: every tool and flavour through agent, collector and console against a known workload, as a table of tab-separated
# columns: tool, flavour, predicted, result, what was checked.  What preflight says cannot run, is run by hand to see that it fails.
#   table.sh [TOOL…]       exit code 1: something is not as predicted
# Beside it lie the programs, deploy/fleet.sh, trawl-certs and tests/support/known.*.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export FLEET_DIR=/var/lib/trawl-guest-$$ FLEET_BIN=$here FLEET_CERTS=$here/trawl-certs KNOWN_SECONDS=20
. "$here/fleet.sh"
. "$here/known.bash"
attach_s=240 # what a compiler may take under emulation

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
    known_prepare /data
    fleet_certs && fleet_collector_conf 0 0 && fleet_collector_start || return 1
    fleet_agent_make guest kernel=ordinary "max_cost = 0%" "brake_cpu = 0%" "brake_pressure = 0%" "memory_bytes = 1GiB" &&
        agent_begin && fleet_wait "$attach_s" fleet_online 1
}

# The row of tool $1 and flavour $2 in what the agent foresees: sets predicted (right, wrong, incapable) and why.
prediction() {
    local row
    row=$(fleet_trawl hosts -o json | jq -c --arg t "$1" --arg f "$2" '.hosts[0].tools[] | select(.tool == $t and .flavour == $f)')
    why=$(jq -r '.why // ""' <<<"$row")
    case $(jq -r '.runnable' <<<"$row") in
    true) if [ -n "$why" ]; then predicted=wrong; else predicted=right; fi ;;
    *) predicted=incapable ;;
    esac
}

is_running() { grep -q '1 running' "$FLEET_DIR/progress"; }
is_over() { ! kill -0 "$run_pid" 2>/dev/null; }
is_running_or_over() { is_running || is_over; }

# One capture of $1 in flavour $2, with the workload once its probes are there: $FLEET_DIR/answer.
capture() {
    fleet_trawl run "$1" --flavour "$2" --for "${KNOWN_SECONDS}s" --expire 10m "${known_args[@]}" -n 0 -o json \
        >"$FLEET_DIR/answer" 2>"$FLEET_DIR/progress" &
    run_pid=$!
    fleet_wait "$attach_s" is_running_or_over
    is_over || known_load "$1" >"$FLEET_DIR/load" 2>&1
    fleet_wait "$attach_s" is_over || kill "$run_pid"
    wait "$run_pid"
}

of_answer() { jq -r "$1" "$FLEET_DIR/answer" 2>/dev/null; }

# How a tool that is said not to run here ends when it is run by hand, its argv as in the catalogue: sets result and checked.
by_hand() {
    local argv=() end why_not
    case $2 in
    libbpf) argv=("/usr/sbin/$1") ;;
    bcc) argv=("/usr/sbin/$1-bpfcc") ;;
    bpftrace) argv=(bpftrace -f json "/usr/share/trawl/bpftrace/$1.bt" 1 1) ;;
    esac
    if [ ! -x "$(command -v "${argv[0]}")" ]; then
        result=absent checked="${argv[0]} is not installed"
        return
    fi
    case $1/$2 in
    */bpftrace) ;;
    biosnoop/libbpf) argv+=(1) ;;
    tcprtt/*) argv+=(-i 1 -d 1) ;;
    biolatency/* | cachestat/* | runqlen/*) argv+=(1 1) ;;
    esac
    timeout -s INT -k 10 120 "${argv[@]}" >"$FLEET_DIR/out" 2>"$FLEET_DIR/err" </dev/null
    end=$?
    why_not=$(grep -v '^ *$' "$FLEET_DIR/err" | tail -n 1)
    if [ "$end" -ne 0 ] && [ "$end" -ne 124 ]; then result=fails; else result=runs; fi
    checked="by hand: exit $end, ${why_not:0:100}"
}

row() {
    local tool=$1 flavour=$2 predicted why result checked began=$SECONDS agrees=yes
    known_tool "$tool" || return 1
    prediction "$tool" "$flavour"
    if [ "$predicted" = incapable ]; then
        by_hand "$tool" "$flavour"
        case $result in fails | absent) ;; *) agrees=NO ;; esac
        checked="$why; $checked"
    else
        capture "$tool" "$flavour"
        checked=$known_what
        if [ "$(of_answer "$known_check")" = true ]; then
            result=right
            [ "$(of_answer .coverage.ok)" = 1 ] || checked="$checked; partial: $(of_answer '.targets[0].reason')"
        elif [ "$(of_answer '.coverage.ok + .coverage.partial')" = 1 ]; then
            result=wrong
        else
            result=failed checked="$checked; $(of_answer '.targets[0].reason')"
        fi
        [ "$predicted" = "$result" ] || agrees=NO
        [ "$predicted" != wrong ] || checked="$checked; $why"
    fi
    [ "$agrees" = yes ] || cp "$FLEET_DIR/answer" "/var/tmp/answer-$tool-$flavour"
    printf '%s\t%s\t%s\t%s\t%s\t%s s\t%s\n' "$tool" "$flavour" "$predicted" "$result" "$agrees" "$((SECONDS - began))" "$checked"
    [ "$agrees" = yes ]
}

trap 'fleet_down; rm -rf "$FLEET_DIR"' EXIT
fleet_begin || { tail -n 5 "$FLEET_DIR"/log/agent-guest "$FLEET_DIR"/log/collector >&2; exit 2; }
disagree=0
tools=("$@")
[ $# -gt 0 ] || mapfile -t tools < <(fleet_trawl tools -o json | jq -r '.tools[].tool')
printf 'TOOL\tFLAVOUR\tPREDICTED\tRESULT\tAGREES\tTOOK\tCHECKED\n'
for tool in "${tools[@]}"; do
    for flavour in $(fleet_trawl hosts -o json | jq -r --arg t "${tool%/*}" '.hosts[0].tools[] | select(.tool == $t) | .flavour'); do
        case $tool in */*) [ "${tool#*/}" = "$flavour" ] || continue ;; esac
        row "${tool%/*}" "$flavour" || disagree=$((disagree + 1))
    done
done
[ "$disagree" -eq 0 ]

#!/usr/bin/env bats
# The real tools of this machine in the executor's sandbox, as the kernel shows them during a run; and pins.
load lib

# The pid that the runner gave the tool, from its log; it runs until its time is over.
tool_pid() { sed -n "s/.*run\.started .* tool=\"$1\".* pid=\([0-9]*\).*/\1/p" "$FLEET_DIR/log/agent-web-1" | tail -n 1; }
is_started() { [ -n "$(tool_pid "$1")" ]; }
of_status() { sed -n "s/^$2:[[:space:]]*//p" "$FLEET_DIR/$1.status"; }

# CAP_BPF and CAP_PERFMON: bits 39 and 38.
only_bpf_and_perfmon=000000c000000000

# is_contained TOOL: in /proc/PID/status of its run.
is_contained() {
    local set
    for set in CapInh CapPrm CapEff CapBnd CapAmb; do
        echo "$1 $set $(of_status "$1" "$set")"
        [ "$(of_status "$1" "$set")" = "$only_bpf_and_perfmon" ]
    done
    echo "$1: $(of_status "$1" Uid) $(of_status "$1" NoNewPrivs) $(of_status "$1" Seccomp)"
    [ "$(of_status "$1" Uid)" = "$nobody"$'\t'"$nobody"$'\t'"$nobody"$'\t'"$nobody" ]
    [ -z "$(of_status "$1" Groups | tr -d ' ')" ]
    [ "$(of_status "$1" NoNewPrivs)" = 1 ]
    [ "$(of_status "$1" Seccomp)" = 2 ]
}

@test "runqlat and biolatency run with CAP_BPF and CAP_PERFMON only, as a plain user, without a way to more" {
    need_bpf
    command -v biolatency >/dev/null || skip "biolatency is not installed"
    nobody=$(id -u nobody)
    fleet_up web-1:role=web
    local tool runs=()
    for tool in runqlat biolatency; do
        trawl run "$tool" --flavour libbpf --for 3s -o json >"$FLEET_DIR/$tool.json" 3>&- &
        runs+=($!)
    done
    for tool in runqlat biolatency; do
        fleet_wait 20 is_started "$tool"
        cp "/proc/$(tool_pid "$tool")/status" "$FLEET_DIR/$tool.status"
    done
    wait "${runs[@]}" || true # each says below how it ended
    for tool in runqlat biolatency; do
        jq -e '.coverage.ok == 1' "$FLEET_DIR/$tool.json"
        is_contained "$tool"
    done
}

@test "a tool that changed since it was pinned is refused, and says so" {
    need_root
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    fleet_up web-1:role=web
    local conf="$FLEET_DIR/agents/web-1/agent.conf"
    "$FLEET_BIN/trawl-runner" pin --config "$conf" >"$FLEET_DIR/pins"
    grep -q "  $FAKE_DIR/runqlat$" "$FLEET_DIR/pins"
    (cd / && sha256sum --check --quiet "$FLEET_DIR/pins")
    echo "pins_file = $FLEET_DIR/pins" >>"$conf"
    fleet_stop agent-web-1
    fleet_agent_start web-1
    fleet_wait 30 fleet_online 1
    run --separate-stderr trawl run runqlat --for 1s -o json
    json '.coverage.ok == 1'
    echo '# one byte more' >>"$FAKE_DIR/runqlat"
    run --separate-stderr trawl run runqlat --for 1s -o json
    json '.coverage.refused == 1'
    json '.targets[0].reason | contains("does not match its pin")'
}

runs() { trawl hosts -o json | jq -e ".hosts[0].tools | any(.tool == \"$1\" and .runnable)"; }

@test "a tool that is installed later is found without a restart, and one that is removed is known to be gone" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    fleet_up web-1:role=web
    runs runqlat
    ! runs biolatency
    mv "$FAKE_DIR/runqlat" "$FAKE_DIR/biolatency"
    fleet_wait 60 runs biolatency
    ! runs runqlat
    run --separate-stderr trawl plan runqlat -o json
    [ "$status" -eq 1 ]
    json '.hosts[0].state == "incapable" and (.hosts[0].why | contains("not installed"))'
}

@test "in a bare chroot, whose root is no mount, a tool gets its read-only view all the same" {
    mountpoint -q / || skip "this is a bare chroot: all the other tests are this one"
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    fleet_stop agent-web-1
    local bare=$FLEET_DIR/bare d
    mkdir -p "$bare/"{usr,etc,var,dev,sys,proc,tmp}
    for d in bin sbin lib lib64; do ln -s "usr/$d" "$bare/$d"; done
    # The mounts are those of a namespace that ends with the agent.
    fleet_spawn agent-web-1 unshare --mount sh -c 'bare=$1 && shift && for d in usr etc var dev sys proc; do mount --rbind /$d "$bare/$d"; done &&
        exec chroot "$bare" "$@"' sh "$bare" "$FLEET_BIN/trawl-runner" --config "$FLEET_DIR/agents/web-1/agent.conf"
    fleet_wait 20 fleet_online 1
    trawl run runqlat --for 1s -o json | jq -e '.coverage.ok == 1'
}

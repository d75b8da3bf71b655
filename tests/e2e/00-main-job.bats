#!/usr/bin/env bats
# The main job: real tools on this kernel, three agents, one answer.
load lib

@test "runqlat of three hosts is one histogram whose counts add up" {
    need_bpf
    fleet_of_three
    run --separate-stderr trawl run runqlat --for 3s -o json
    [ "$status" -eq 0 ]
    json '.coverage.ok == 3 and .coverage.targeted == 3'
    json '([.histograms[].buckets[].count] | add) == ([.histograms[].total] | add)'
    json '([.histograms[].total] | add) == ([.hosts[].total] | add)'
    json '([.histograms[].total] | add) > 0'
    json '.histograms[0] | .p99 >= .brackets.p99[0] and (.brackets.p99[1] == null or .p99 <= .brackets.p99[1])'
    json '.replayed == false and (.hosts | length) == 3'
    [[ "$stderr" == *"3/3 hosts"* ]]
}

# p99_under N: what runqlat says with N busy loops beside it.
p99_under() {
    local pids=() _
    for _ in $(seq "$1"); do
        (exec 3>&- 4>&-; while :; do :; done) &
        pids+=($!)
    done
    run --separate-stderr trawl run runqlat --for 3s -o json
    for pid in "${pids[@]}"; do
        kill "$pid"
        wait "$pid" 2>/dev/null || true
    done
    json '.histograms[0].p99'
}

@test "runqlat under CPU load is visibly worse than idle" {
    need_bpf
    fleet_up web-1:role=web
    local idle loaded
    idle=$(p99_under 0)
    loaded=$(p99_under 16)
    echo "p99 idle $idle, loaded $loaded usecs"
    jq -en "$loaded > $idle"
}

@test "a program executed 23 times is counted 23 times on each agent" {
    need_bpf
    fleet_of_three
    local name="tr$RANDOM" dir
    dir=$(mktemp -d /var/lib/trawl-exec.XXXXXX)
    cp /bin/true "$dir/$name"
    trawl run execsnoop --for 5s -o json >"$dir/answer" 2>"$dir/progress" 3>&- &
    local run_pid=$!
    fleet_wait 20 grep -q '3 running' "$dir/progress"
    for _ in $(seq 23); do "$dir/$name"; done
    wait "$run_pid"
    run --separate-stderr trawl top last --by PCOMM --per-host -n 0 -o json
    rm -rf "$dir"
    [ "$status" -eq 0 ]
    json "[.rows[] | select(.value == \"$name\") | .count] == [23, 23, 23]"
    run --separate-stderr trawl top last --by PCOMM -n 0 -o json
    json "[.rows[] | select(.value == \"$name\") | .count] == [69]"
}

@test "offcputime of three hosts is one set of stacks whose counts are the sum" {
    need_bpf
    fleet_of_three
    run --separate-stderr trawl run offcputime --for 3s -o json
    [ "$status" -eq 0 ]
    json '.coverage.ok == 3 and .kind == "stacks"'
    json '([.stacks[].count] | add) == .total and .total > 0'
    json 'all(.stacks[]; (.frames | type) == "array")'
    run --separate-stderr trawl stacks last -n 5
    [ "$status" -eq 0 ]
    [[ "$output" == *"5 of "* ]]
}

@test "biolatency has a section for each disk that was used" {
    need_bpf
    fleet_up web-1:role=web
    trawl run biolatency --for 3s -o json >"$FLEET_DIR/answer" 2>"$FLEET_DIR/progress" 3>&- &
    local run_pid=$!
    fleet_wait 20 grep -q '1 running' "$FLEET_DIR/progress"
    dd if=/dev/zero of="$FLEET_DIR/block" bs=64k count=32 oflag=direct conv=fsync 2>/dev/null || skip "no direct I/O below $FLEET_DIR"
    wait "$run_pid"
    output=$(cat "$FLEET_DIR/answer")
    json '.coverage.ok == 1'
    json 'any(.histograms[]; .section.disk != null and .total > 0)'
}

@test "hosts, campaigns and show tell what there is" {
    need_bpf
    fleet_of_three
    run --separate-stderr trawl hosts role=web -o json
    json '[.hosts[].host] == ["web-1", "web-2"] and all(.hosts[]; .online)'
    trawl run runqlat --for 1s --on role=web >/dev/null
    run --separate-stderr trawl show last -o json
    json '.coverage.targeted == 2 and .coverage.ok == 2'
    run --separate-stderr trawl campaigns -o json
    json '(.campaigns | length) == 1'
}

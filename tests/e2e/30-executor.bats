#!/usr/bin/env bats
# Tools that misbehave: each ends in time, nothing survives, memory stays bounded, and the result says what was cut.
load lib

# run_fake SECONDS: one capture of the fake runqlat; how long the tool lived goes to $lived_ms.
run_fake() {
    run --separate-stderr trawl run runqlat --for "$1s" -o json
    lived_ms=$(sed -n 's/.*run\.ended .* wall_ms=\([0-9]*\).*/\1/p' "$FLEET_DIR/log/agent-web-1" | tail -n 1)
    echo "status $status, the tool lived $lived_ms ms"
}
# Its deadline is what was asked and 2 s for starting; and 3 s more.
ended_in_time() { [ "$lived_ms" -lt $((($1 + 2 + 3) * 1000)) ]; }
no_fake() { ! pgrep -f "$FAKE_DIR/.fake_tool"; }
peak_kib() { awk '/VmHWM/ {print $2}' "/proc/$(pgrep -P "$(cat "$FLEET_DIR/pid/agent-web-1")" -f trawl-agentd)/status"; }

# The memory promise is about the product, not about a sanitizer's shadow of it.
sanitized() { grep -qa __asan_init "$FLEET_BIN/trawl-agentd" || grep -qa __tsan_init "$FLEET_BIN/trawl-agentd"; }
memory_is_bounded() { sanitized || [ "$(peak_kib)" -lt $(((50 + 64) * 1024)) ]; }

@test "600 MB on stdout: cut at the cap, said so, ended in time" {
    fleet_fake runqlat flood-stdout 600000000
    fleet_up web-1:role=web
    run_fake 20 # time enough for the cap on any machine; it is over when that is reached
    [ "$status" -eq 3 ]
    json '.coverage.partial == 1 and .ledger.cap > 0'
    json '.targets[0].reason | contains("50 MiB")'
    ended_in_time 20
    no_fake
    memory_is_bounded
}

@test "600 MB on stderr: cut at the cap and counted" {
    fleet_fake runqlat flood-stderr 600000000
    fleet_up web-1:role=web
    run_fake 2
    json '.ledger.cap > 500000000 or .coverage.timeout == 1 or .coverage.partial == 1'
    ended_in_time 2
    no_fake
    memory_is_bounded
}

@test "a tool that ignores SIGINT and SIGTERM is killed within its deadline and 3 s" {
    fleet_fake runqlat stubborn
    fleet_up web-1:role=web
    run_fake 2
    [ "$status" -eq 1 ]
    json '.coverage.timeout == 1'
    json '.targets[0].reason | contains("killed")'
    ended_in_time 2
    no_fake
}

@test "a tool whose grandchildren hold the output: they end with it" {
    fleet_fake runqlat orphan
    fleet_up web-1:role=web
    run_fake 2
    ended_in_time 2
    json '.coverage.targeted == 1 and .coverage.running == 0 and .coverage.pending == 0'
    no_fake
}

@test "a tool that exits 3, one that dies by a signal, one that prints garbage: each says so" {
    fleet_fake runqlat exit 3
    fleet_up web-1:role=web
    run_fake 1
    json '.coverage.failed == 1'
    json '.targets[0].reason | contains("exited with code 3")'
    "$TOP/tests/fake/fake.sh" "$FAKE_DIR" runqlat "$TRAWL_BIN/fake_tool" signal 11
    run_fake 1
    json '.coverage.failed == 1'
    json '.targets[0].reason | contains("signal 11")'
    "$TOP/tests/fake/fake.sh" "$FAKE_DIR" runqlat "$TRAWL_BIN/fake_tool" garbage 20000
    run_fake 1
    json '.ledger.parse > 0'
}

@test "a replayed recording is marked in the answer, for people and for machines" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    fleet_up web-1:role=web web-2:role=web
    run --separate-stderr trawl run runqlat --for 1s -o json
    [ "$status" -eq 0 ]
    json '.replayed == true and .coverage.ok == 2'
    run --separate-stderr trawl hist last
    [[ "$output" == *replayed* ]]
}

@test "a tool binary that others can write is refused with that reason" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    fleet_up web-1:role=web
    chmod 0777 "$FAKE_DIR/runqlat"
    run_fake 1
    [ "$status" -eq 1 ]
    json '.coverage.refused == 1'
    json '.targets[0].reason | contains("writable")'
}

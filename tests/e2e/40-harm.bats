#!/usr/bin/env bats
# Do no harm: what a host cannot afford is refused with the figure, and what takes too much of it while it runs is stopped.
load lib

@test "a tool over the host's budget is refused with the figure" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    FLEET_LINES+=("max_cost = 0.0001%")
    fleet_up web-1:role=web
    run --separate-stderr trawl run runqlat --for 1s -o json
    [ "$status" -eq 1 ]
    json '.coverage.refused == 1'
    json '.targets[0].reason | test("runqlat would cost about [0-9.]+ % of the CPU \\([0-9]+ context switches a second at 0.8 us\\), this host allows ")'
}

@test "a tool that burns more CPU than the host allows is stopped, and the result says so with the figure" {
    fleet_fake runqlat burn
    FLEET_LINES+=("brake_cpu = 1%")
    fleet_up web-1:role=web
    run --separate-stderr trawl run runqlat --for 30s -o json
    json '.targets[0].reason | test("runqlat was stopped by this host.s brake: it used [0-9.]+ % of a CPU over [0-9.]+ s, this host allows 1.0 %")'
    json '.coverage.failed + .coverage.partial == 1'
    ! pgrep -f "$FAKE_DIR/.fake_tool"
}

# says WHY WORDS…: plan and run end alike, and for this reason.
says() {
    local why=$1
    shift
    run --separate-stderr trawl plan runqlat "$@" -o json
    [ "$status" -eq 1 ]
    json ".hosts[0].state == \"refused\" and .hosts[0].why == \"$why\""
    run --separate-stderr trawl run runqlat "$@" -o json
    [ "$status" -eq 1 ]
    json ".coverage.refused == 1 and .targets[0].reason == \"$why\""
}

@test "what the host's longest run and quiet hours forbid is foretold in the words of the refusal" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    FLEET_LINES+=("max_duration = 5s" "quiet_hours = 00:00-24:00" "max_cost = 0%")
    fleet_up web-1:role=web
    says "6 seconds asked, this host allows 1 to 5" --for 6s
    says "quiet hours of this host: 00:00-24:00 local time" --for 5s
}

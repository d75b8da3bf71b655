#!/usr/bin/env bats
# A campaign in control: waves, pause, stop conditions, rounds, a common start.  Fake tools: nothing here depends on the kernel.
load lib

campaign_has() { trawl show "$1" -o json 2>/dev/null | jq -e "$2"; }

# agents SIGNAL: to every agentd.
agents() {
    local host
    for host in web-1 web-2 db-1; do pkill "-$1" -P "$(cat "$FLEET_DIR/pid/agent-$host")" -f trawl-agentd; done
}

fleet_of_three_fakes() {
    need_root
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    fleet_of_three
}

@test "waves, pause and resume across a restart of the collector, rounds, a common start, what was applied" {
    fleet_of_three_fakes
    local id

    agents STOP # nobody can be quicker than the pause
    id=$(trawl run runqlat --for 1s --waves 1,100% --detach)
    trawl pause "$id" | grep -q 'paused, 2 hosts held back'
    agents CONT
    fleet_wait 20 campaign_has "$id" '.coverage.ok == 1'
    campaign_has "$id" '.coverage.pending == 2 and .campaign.state == "paused" and .campaign.course.wave == 1'
    kill -KILL "$(cat "$FLEET_DIR/pid/collector")"
    fleet_collector_start
    fleet_wait 30 fleet_online 3
    campaign_has "$id" '.coverage.ok == 1 and .coverage.pending == 2 and .campaign.state == "paused" and .campaign.why == "paused by admin"'
    trawl resume "$id"
    run --separate-stderr trawl watch "$id" -o json
    [ "$status" -eq 0 ]
    json '.coverage.ok == 3 and .campaign.course.waves == [1, "100%"] and .campaign.course.wave == 2'

    run --separate-stderr trawl run runqlat --for 1s --rounds 2 --every 2s --at +1s --on role=web -o json
    [ "$status" -eq 0 ]
    json '.coverage.ok == 2 and .campaign.course.rounds == 2 and (.notes | any(startswith("the tools started within")))'
    json '.campaign.course.start_skew_seconds < 5'
    local both one
    both=$(jq '[.histograms[].total] | add' <<<"$output")
    one=$(trawl hist last --round 1 -o json | jq '[.histograms[].total] | add')
    [ "$both" -eq $((2 * one)) ]
    run --separate-stderr trawl show last -o json
    json '.targets | all(.outcome.applied | .seconds == 1 and .rounds == 2 and .round == 2 and .every_seconds == 2 and .stdout_bytes > 0)'
}

@test "a campaign stops itself and says why; retry is a new order for those that failed; limits choose the same hosts" {
    need_root
    fleet_fake runqlat exit 3
    fleet_of_three
    run -1 --separate-stderr trawl run runqlat --for 1s --concurrency 1 --stop-failures 1 -o json
    json '.coverage.failed == 1 and .coverage.cancelled == 2 and .campaign.state == "stopped"'
    json '.campaign.why == "the campaign stopped itself: 1 of 3 hosts failed"'
    json '[.targets[] | select(.state == "cancelled") | .reason] | all(startswith("the campaign stopped itself"))'
    local first
    first=$(jq -r .campaign.id <<<"$output")
    run -1 --separate-stderr trawl retry "$first" -o json
    json ".campaign.course.retry_of == \"$first\" and .coverage.targeted == 1 and .coverage.failed == 1"
    trawl run runqlat --for 1s --limit 1 --seed 42 --detach
    local a b
    a=$(trawl show last -o json | jq -r '.targets[].host')
    trawl run runqlat --for 1s --limit 10% --seed 42 --detach
    b=$(trawl show last -o json | jq -r '.targets[].host')
    [ -n "$a" ] && [ "$a" = "$b" ]

    run -2 trawl run runqlat --every 1m
    [[ "$output" == *"--every needs --rounds N"* ]]
    run trawl run --help
    [[ "$output" == *"--waves 1,5%,30%,100%"* ]]
}

@test "an operator has a quota, and is told the figure" {
    fleet_of_three_fakes
    fleet_stop collector
    echo "operator_captures = 2" >>"$FLEET_DIR/collector.conf"
    fleet_collector_start
    fleet_wait 30 fleet_online 3
    run -1 trawl run runqlat --for 1s
    [[ "$output" == *"operator_captures"*"--limit"* ]]
    trawl run runqlat --for 1s --limit 2 -o json | jq -e '.coverage.ok == 2'
}

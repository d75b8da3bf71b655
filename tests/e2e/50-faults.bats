#!/usr/bin/env bats
# What is lost when somebody pulls a plug: nothing, and the answer says what is missing.
load lib

@test "the collector killed in the middle of a run: the campaign ends complete and nothing counts twice" {
    need_bpf
    fleet_of_three
    local id
    id=$(trawl run runqlat --for 4s --expire 60s --detach)
    fleet_wait 10 campaign_has "$id" '.coverage.running == 3'
    kill -KILL "$(cat "$FLEET_DIR/pid/collector")"
    fleet_collector_start
    fleet_wait 60 campaign_has "$id" '.coverage.ok == 3'
    run --separate-stderr trawl hist "$id" -o json
    json '.coverage.ok == 3 and .coverage.targeted == 3'
    json '([.histograms[].total] | add) == ([.hosts[].total] | add) and (.hosts | length) == 3'
    [ "$(sqlite3 "$FLEET_DIR/store.sqlite" 'select count(*) = count(distinct host) from part')" = 1 ]
}

campaign_has() { trawl show "$1" -o json 2>/dev/null | jq -e "$2"; }

@test "agentd killed in the middle of a run: no tool survives and the host's state says what happened" {
    need_bpf
    fleet_of_three
    local id agentd tool others
    id=$(trawl run runqlat --for 30s --expire 60s --detach)
    fleet_wait 10 campaign_has "$id" '.coverage.running == 3'
    tool=$(tools_of db-1)
    [ -n "$tool" ]
    agentd=$(pgrep -P "$(cat "$FLEET_DIR/pid/agent-db-1")" -f trawl-agentd)
    kill -KILL "$agentd"
    fleet_wait 2 fleet_gone "$(cat "$FLEET_DIR/pid/agent-db-1")"
    fleet_wait 1 all_gone "$tool"
    fleet_agent_start db-1
    fleet_wait 20 campaign_has "$id" '.coverage.failed == 1'
    campaign_has "$id" '.targets[] | select(.host == "db-1") | .reason | contains("restarted in the middle")'
    others="$(tools_of web-1) $(tools_of web-2)"
    trawl stop "$id"
    fleet_wait 20 campaign_has "$id" '.coverage.cancelled == 2'
    all_gone $others
}
# The tool processes of an agent: its runner's children that are not agentd.
tools_of() { pgrep -P "$(cat "$FLEET_DIR/pid/agent-$1")" -x runqlat; }
all_gone() {
    local pid
    for pid; do fleet_gone "$pid" || return 1; done
}

@test "a restarted agent loses the round that was under way and goes on with the next" {
    need_bpf
    fleet_up web-1:role=web
    local id
    id=$(trawl run runqlat --for 3s --every 10s --rounds 2 --expire 60s --detach)
    fleet_wait 10 campaign_has "$id" '.coverage.running == 1'
    kill -KILL "$(pgrep -P "$(cat "$FLEET_DIR/pid/agent-web-1")" -f trawl-agentd)"
    fleet_wait 2 fleet_gone "$(cat "$FLEET_DIR/pid/agent-web-1")"
    fleet_agent_start web-1
    fleet_wait 40 campaign_has "$id" '.coverage.partial == 1'
    campaign_has "$id" '.targets[] | .reason == "round 1 of 2: the agent was restarted in the middle of the capture"'
    grep -q 'order.resumed.*round=1' "$FLEET_DIR/log/agent-web-1"
    run --separate-stderr trawl hist "$id" --round 2 -o json
    json '([.hosts[].total] | add) > 0'
}

@test "an agent that is gone for good ends offline with a reason, and the answer exits 3" {
    need_bpf
    fleet_of_three
    fleet_stop agent-db-1
    run -3 --separate-stderr trawl run runqlat --for 2s --expire 3s -o json
    json '.coverage.ok == 2 and .coverage.offline == 1 and .coverage.targeted == 3'
    json '.targets[] | select(.host == "db-1" and .state == "offline") | .reason | length > 0'
}

@test "the runner killed: agentd goes with it and no tool survives" {
    need_bpf
    fleet_up web-1:role=web
    local id runner tool
    id=$(trawl run runqlat --for 30s --detach)
    fleet_wait 10 campaign_has "$id" '.coverage.running == 1'
    runner=$(cat "$FLEET_DIR/pid/agent-web-1")
    tool=$(tools_of web-1)
    kill -KILL "$runner"
    fleet_wait 2 all_gone "$tool"
    fleet_wait 5 no_agentd
}
no_agentd() { ! pgrep -f "$FLEET_BIN/trawl-agentd"; }

@test "trawl run waits for a collector that comes back, and prints the whole answer" {
    need_bpf
    fleet_of_three
    trawl run runqlat --for 5s --expire 60s -o json >"$FLEET_DIR/answer" 2>"$FLEET_DIR/progress" 3>&- &
    local run_pid=$!
    fleet_wait 20 grep -q '3 running' "$FLEET_DIR/progress"
    kill -KILL "$(cat "$FLEET_DIR/pid/collector")"
    fleet_wait 10 grep -q 'waiting for it to come back' "$FLEET_DIR/progress"
    fleet_collector_start
    wait "$run_pid"
    output=$(cat "$FLEET_DIR/answer")
    json '.coverage.ok == 3 and (.hosts | length) == 3'
}

@test "stop of a campaign that has ended says so" {
    need_bpf
    fleet_up web-1:role=web
    trawl run runqlat --for 1s >/dev/null 3>&-
    run -0 trawl stop last
    [[ "$output" == "campaign "*" ended at "*": nothing to stop" ]]
}

#!/usr/bin/env bats
# Results that are older than they are kept go in the background; what is left says so.
load lib

@test "over keep_bytes the oldest results go, are audited, and whoever asks for them is told" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web db-1:role=db
    trawl run runqlat --for 1s >/dev/null
    local id
    id=$(trawl campaigns -o json | jq -r '.campaigns[0].campaign.id')
    trawl hist "$id" >/dev/null
    fleet_stop collector
    echo "keep_bytes = 1" >>"$FLEET_DIR/collector.conf"
    sed -i "s/^listen = .*/listen = 127.0.0.1:$fleet_agents_port/; s/^console_listen = .*/console_listen = 127.0.0.1:$fleet_consoles_port/" "$FLEET_DIR/collector.conf"
    fleet_collector_start
    fleet_wait 30 removed "$id"
    run trawl hist "$id"
    [ "$status" -eq 1 ]
    [[ "$output" == *"removed by retention"* ]]
    run --separate-stderr trawl campaigns -o json
    [ "$status" -eq 0 ]
    json ".campaigns[0] | .campaign.id == \"$id\" and .campaign.state == \"removed\" and .coverage.ok == 2"
    grep -q 'campaign\.removed.*keep_bytes = 1' "$FLEET_DIR/log/collector"
    run trawl audit -o json
    [[ "$output" == *campaign.removed* ]]
    run -0 "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/collector.conf" check
    run trawl run runqlat --for 1s # the collector goes on
    [ "$status" -ne 1 ]
}
removed() { [ "$(trawl campaigns -o json | jq -r --arg id "$1" '.campaigns[] | select(.campaign.id == $id) | .campaign.state')" = removed ] &&
    grep -q 'campaign\.removed' "$FLEET_DIR/log/collector"; }

#!/usr/bin/env bats
# How sure an answer is, with the real programs: hosts that are stopped in the middle, and a store that is old or hurt.
load lib

@test "a third of the hosts stopped in the middle: exit 3, and the first line of every answer says so" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 3
    fleet_up web-1:role=web web-2:role=web db-1:role=db
    trawl run runqlat --for 5s --expire 6s >"$FLEET_DIR/answer" 2>"$FLEET_DIR/progress" &
    local run=$! status=0
    fleet_wait 10 tracing 3
    fleet_stop agent-db-1 KILL
    wait "$run" || status=$?
    cat "$FLEET_DIR/progress" "$FLEET_DIR/answer"
    [ "$status" -eq 3 ]
    head -n 1 "$FLEET_DIR/answer" | grep -E '^runqlat · 2 of 3 hosts( ok)? · 1 (offline|failed|timeout)'
    run --separate-stderr trawl hist last -o json
    [ "$status" -eq 3 ]
    json '.coverage.targeted == 3 and .coverage.ok == 2 and ([.targets[] | select(.host == "db-1" and (.reason | length) > 0)] | length) == 1'
    run trawl diff last --on role=web --versus role=db
    [ "$status" -eq 1 ] # of the other side there is nothing at all
    trawl export last --format openmetrics >"$FLEET_DIR/out" || status=$?
    [ "$status" -eq 3 ]
    grep -q 'trawl_coverage_hosts{state="ok"} 2' "$FLEET_DIR/out"
}

@test "coverage and ledger are in every format of an answer that lacks a host" {
    fleet_fake offcputime replay "$TOP/tests/golden/offcputime/6.1-bcc-nasty_f.txt" 3
    fleet_up web-1:role=web web-2:role=web db-1:role=db
    trawl run offcputime --flavour bcc --for 5s --expire 6s >"$FLEET_DIR/answer" 2>"$FLEET_DIR/progress" &
    local run=$! status=0 format
    fleet_wait 10 tracing 3
    fleet_stop agent-db-1 KILL
    wait "$run" || status=$?
    [ "$status" -eq 3 ]
    for format in csv folded pprof speedscope; do
        echo "# $format"
        status=0
        trawl export last --format "$format" >"$FLEET_DIR/out" 2>"$FLEET_DIR/notes" || status=$?
        [ "$status" -eq 3 ]
        case $format in
        csv) cp "$FLEET_DIR/notes" "$FLEET_DIR/in" ;;
        pprof) gzip -dc "$FLEET_DIR/out" >"$FLEET_DIR/in" ;;
        *) cp "$FLEET_DIR/out" "$FLEET_DIR/in" ;;
        esac
        grep -a -q "2 of 3 hosts" "$FLEET_DIR/in"
        grep -a -q "lost: nothing" "$FLEET_DIR/in"
    done
    run -3 --separate-stderr trawl flame last
    [[ "$output" == *"2 of 3 hosts"*"lost: nothing"* ]]
    run -3 --separate-stderr trawl stacks last -o json
    json '.coverage.ok == 2 and .ledger.kernel == 0 and (.targets | length) == 1'
    trawl export last --format bundle -O "$FLEET_DIR/bundle" || [ $? -eq 3 ]
    run trawl merge "$FLEET_DIR/bundle"
    [[ "$output" == *"2 of 3 hosts"*"lost: nothing"* ]]
}
tracing() { [ "$(trawl campaigns -o json | jq '.campaigns[0].coverage.running')" -eq "$1" ]; }

# hurt NAME COMMAND…: a copy of the store to which something happens; collectord's check of it.
hurt() {
    local copy=$FLEET_DIR/$1.sqlite
    cp "$FLEET_DIR/copy.db" "$copy"
    "${@:2}" "$copy"
    sed "s|^store = .*|store = $copy|" "$FLEET_DIR/collector.conf" >"$FLEET_DIR/$1.conf"
    run timeout 20 "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/$1.conf" check
    echo "$output"
}
flip() {
    local at
    at=$(grep -abo 'usecs' "$1" | head -n 1 | cut -d: -f1)
    [ -n "$at" ]
    printf '\377' | dd of="$1" bs=1 seek=$((at - 40)) conv=notrunc status=none
    printf '\377\377\377\377' | dd of="$1" bs=1 seek=4100 conv=notrunc status=none
}
cut_off() { truncate -s "$(($(stat -c %s "$1") - 4096))" "$1"; }
newer() { sqlite3 "$1" 'PRAGMA user_version = 99'; }

@test "a store with a flipped byte, a truncated one and one of a newer version: a clear error each" {
    command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    trawl run runqlat --for 1s >/dev/null
    run -0 "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/collector.conf" backup "$FLEET_DIR/copy.db"
    hurt whole true
    [ "$status" -eq 0 ]
    hurt flipped flip
    [ "$status" -eq 1 ]
    [[ "$output" == *"the table host is hurt"* ]]
    hurt truncated cut_off
    [ "$status" -eq 1 ]
    [[ "$output" == *"it is cut short: "*" pages are there"*"the table "*" is hurt: "* ]]
    hurt newer newer
    [ "$status" -eq 1 ]
    [[ "$output" == *"newer trawl"*"upgrade this collector"* ]]
    run timeout 20 "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/newer.conf"
    [ "$status" -eq 1 ]
    [[ "$output" == *"newer trawl"* ]]
}

# altered: one count of the histogram in a part, which still decodes.
@test "a store of the version before opens and answers; a part that the disk altered is left out, and every answer says so" {
    command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web db-1:role=db
    trawl run runqlat --for 1s >/dev/null
    trawl hist last -o json | jq '.histograms' >"$FLEET_DIR/before"
    fleet_stop collector
    local store
    store=$(sed -n 's/^store = //p' "$FLEET_DIR/collector.conf")
    sqlite3 "$store" 'ALTER TABLE part DROP COLUMN sum; PRAGMA user_version = 5'
    fleet_collector_start
    trawl hist last -o json | jq '.histograms' | cmp - "$FLEET_DIR/before"

    fleet_wait 60 fleet_online 2
    trawl run runqlat --for 1s >/dev/null
    trawl audit last -o json | jq -e --arg id "$(trawl show last -o json | jq -r .campaign.id)" '[.records[].campaign] | unique == [$id]'
    fleet_stop collector
    sqlite3 "$store" "UPDATE part SET body = (SELECT body FROM part WHERE host = 'db-1' LIMIT 1) WHERE sum != 0 AND host = 'web-1'"
    run -1 "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/collector.conf" check
    [[ "$output" == *"hurt: part 0 of round 0 of host web-1 in campaign "*": stored data is damaged"* ]]
    fleet_collector_start
    run --separate-stderr trawl hist last
    [[ "$output" == *"note: web-1: 1 of its parts cannot be read and are left out"* ]]
    run -1 trawl export last --format bundle -O "$FLEET_DIR/evidence"
    [[ "$output" == *"a part in the store is not what was written there, so it is no evidence"* ]]
    [ ! -e "$FLEET_DIR/evidence" ]
}

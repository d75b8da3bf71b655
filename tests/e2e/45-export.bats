#!/usr/bin/env bats
# Answers for other programs, and the store's care, with the real programs.
load lib

@test "stacks of two hosts as a flame graph and in every form, the counts being the answer's" {
    fleet_fake offcputime replay "$TOP/tests/golden/offcputime/6.1-bcc-nasty_f.txt" 0
    fleet_up web-1:role=web web-2:role=web
    run --separate-stderr trawl run offcputime --for 1s --flavour bcc -o json
    [ "$status" -eq 0 ]
    local total
    total=$(jq .total <<<"$output")
    [ "$total" -gt 0 ]
    trawl flame last >"$FLEET_DIR/flame.svg"
    python3 -c 'import sys, xml.etree.ElementTree as E; E.parse(sys.argv[1])' "$FLEET_DIR/flame.svg"
    grep -q "offcputime · 2 of 2 hosts" "$FLEET_DIR/flame.svg"
    grep -q "all ($total usecs, 100.00%)" "$FLEET_DIR/flame.svg"
    [ "$(trawl export last --format folded | grep -v '^#' | awk '{ n += $NF } END { print n }')" -eq "$total" ]
    [ "$(trawl export last --format speedscope | jq '.profiles[0].weights | add')" -eq "$total" ]
    trawl export last --format pprof | gzip -t
    [ "$(trawl export last --format json | jq .total)" -eq "$total" ]
    run --separate-stderr trawl export last --format openmetrics
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"openmetrics is for histogram"* ]]
}

@test "histograms as metrics, and a backup of the running collector's store that is whole" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    run --separate-stderr trawl run runqlat --for 1s -o json
    [ "$status" -eq 0 ]
    local total
    total=$(jq '[.histograms[].total] | add' <<<"$output")
    trawl export last --format openmetrics >"$FLEET_DIR/out.prom"
    [ "$(grep 'le="+Inf"' "$FLEET_DIR/out.prom" | awk '{ n += $NF } END { print n }')" -eq "$total" ]
    grep -q 'trawl_coverage_hosts{state="ok"} 1' "$FLEET_DIR/out.prom"
    [ "$(tail -n 1 "$FLEET_DIR/out.prom")" = "# EOF" ]
    local conf
    conf=$(find "$FLEET_DIR" -name collector.conf)
    run -0 "$FLEET_BIN/trawl-collectord" --config "$conf" backup "$FLEET_DIR/copy.db"
    [[ "$output" == *"every page is whole; 1 campaigns"* ]]
    run -1 "$FLEET_BIN/trawl-collectord" --config "$conf" backup "$FLEET_DIR/copy.db"
    [[ "$output" == *"File exists"* ]]
    run -0 "$FLEET_BIN/trawl-collectord" --config "$conf" check
}

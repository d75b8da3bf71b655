#!/usr/bin/env bats
# Answers beside each other, with the real programs: two campaigns, two cohorts, rounds, campaigns of one tool.
load lib

# again RECORDING: what the fake prints from now on.
again() { cp "$TOP/tests/golden/$1" "$FAKE_DIR/.$2.recording"; }

@test "histograms of two campaigns and of two cohorts are compared, both with coverage and ledger" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.12-libbpf-host_idle.txt" 0
    fleet_up web-1:role=web web-2:role=web db-1:role=db
    local first second
    run --separate-stderr trawl run runqlat --for 1s -o json
    [ "$status" -eq 0 ]
    first=$(jq -r .campaign.id <<<"$output")
    again runqlat/6.1-libbpf-host_cpu8.txt runqlat
    run --separate-stderr trawl run runqlat --for 1s -o json
    [ "$status" -eq 0 ]
    second=$(jq -r .campaign.id <<<"$output")
    local p99
    p99=$(jq '.histograms[0].p99' <<<"$output")

    run --separate-stderr trawl diff "$second" "$first" -o json
    [ "$status" -eq 0 ]
    json '.kind == "diff" and .is.coverage.ok == 3 and .was.coverage.ok == 3 and .was.ledger.kernel == 0'
    json ".histograms[0].p99.is == $p99 and .histograms[0].p99.octaves != 0"
    json '.histograms[0] | .p99.bracket[0] <= .p99.octaves and .p99.octaves <= .p99.bracket[1]'
    json ".is.campaign.id == \"$second\" and .was.campaign.id == \"$first\""

    run --separate-stderr trawl diff last --on role=web --versus role=db -o json
    [ "$status" -eq 0 ]
    json '.is.coverage.targeted == 2 and .was.coverage.targeted == 1'
    json '.histograms[0] | .p50.octaves == 0 and .mean_octaves == 0 and .total == 2 * .total_was'

    run trawl diff "$second" "$first"
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" == "runqlat · 3 of 3 hosts"* ]]
    [[ "$output" == *"compared with"*"runqlat · 3 of 3 hosts"*"OCTAVES"* ]]
    run trawl diff last
    [ "$status" -eq 2 ]
    [[ "$output" == *"compared with what?"* ]]
}

@test "stacks of two campaigns are compared by share, as a table, by frame and as a flame graph" {
    fleet_fake offcputime replay "$TOP/tests/golden/offcputime/6.1-bcc-nasty_f.txt" 0
    fleet_up web-1:role=web db-1:role=db
    trawl run offcputime --for 1s --flavour bcc >/dev/null
    awk 'NR % 2' "$TOP/tests/golden/offcputime/6.1-bcc-nasty_f.txt" >"$FAKE_DIR/.offcputime.recording"
    local before
    before=$(trawl campaigns -o json | jq -r '.campaigns[0].campaign.id')
    trawl run offcputime --for 1s --flavour bcc >/dev/null
    run --separate-stderr trawl diff last "$before" -o json
    [ "$status" -eq 0 ]
    json '.of == "stacks" and .total < .total_was and (.changes | length) == .distinct'
    json '([.changes[].share] | add | . > 0.999 and . < 1.001) and ([.changes[].share_was] | add | . > 0.999 and . < 1.001)'
    json '[.changes[] | select(.count == 0 and .count_was > 0)] | length > 0'
    run --separate-stderr trawl diff last "$before" --by frame --rank total -o json
    [ "$status" -eq 0 ]
    json '.by == "frame" and (.changes[0] | has("name"))'
    run --separate-stderr trawl diff last --on role=web --versus role=db -o csv
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" == "change,share,share_was,count,count_was,comm,stack" ]]
    [ "$(grep -c "offcputime · 1 of 1 hosts" <<<"$stderr")" -eq 2 ] # of both sides
    [ "$(grep -c "lost: nothing" <<<"$stderr")" -eq 2 ]
    [ "$(awk -F, 'NR > 1 && $1 + 0 != 0' <<<"$output" | wc -l)" -eq 0 ]
    trawl flame last --on role=web --versus role=db >"$FLEET_DIR/flame.svg"
    grep -q "red grew, blue shrank, compared with: offcputime · 1 of 1 hosts" "$FLEET_DIR/flame.svg"
    trawl flame last "$before" >"$FLEET_DIR/flame.svg"
    python3 -c 'import sys, xml.etree.ElementTree as E; E.parse(sys.argv[1])' "$FLEET_DIR/flame.svg"
}

@test "stacks of several campaigns are added up in every form, each with its coverage; what does not add up is refused" {
    fleet_fake offcputime replay "$TOP/tests/golden/offcputime/6.1-bcc-nasty_f.txt" 0
    "$TOP/tests/fake/fake.sh" "$FAKE_DIR" profile "$TRAWL_BIN/fake_tool" replay "$TOP/tests/golden/profile/6.1-bcc-nasty_f.txt" 0
    "$TOP/tests/fake/fake.sh" "$FAKE_DIR" runqlat "$TRAWL_BIN/fake_tool" replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web db-1:role=db
    local other hists first second one two all
    trawl run runqlat --for 1s >/dev/null
    hists=$(newest)
    trawl run profile --for 1s --flavour bcc >/dev/null
    other=$(newest)
    trawl run offcputime --for 1s --flavour bcc >/dev/null
    first=$(newest)
    awk 'NR % 2' "$TOP/tests/golden/offcputime/6.1-bcc-nasty_f.txt" >"$FAKE_DIR/.offcputime.recording"
    trawl run offcputime --for 1s --flavour bcc >/dev/null
    second=$(newest)
    one=$(trawl stacks "$first" -o json | jq .total)
    two=$(trawl stacks "$second" -o json | jq .total)
    all=$((one + two))
    [ "$two" -gt 0 ] && [ "$two" -lt "$one" ]

    run --separate-stderr trawl stacks "$first" "$second" -o json
    [ "$status" -eq 0 ]
    json ".total == $all and ([.stacks[].count] | add) == $all and (.stacks | length) == .distinct"
    json "[.campaigns[].campaign.id] == [\"$first\", \"$second\"] and ([.campaigns[] | .coverage.ok == 2 and .ledger.kernel == 0] | all)"
    json 'has("coverage") | not'
    run --separate-stderr trawl stacks "$first" last --by host -o json
    [ "$status" -eq 0 ]
    json "(.parts | length) == 2 and ([.parts[].total] | add) == $all"
    run --separate-stderr trawl stacks "$first" "$second" --on role=web -n 1
    [ "$status" -eq 0 ]
    [ "$(grep -c "^offcputime · 1 of 1 hosts" <<<"$output")" -eq 2 ]
    [[ "$output" == *"$((all / 2)) usecs in all"* ]]
    [ "$(trawl export "$first" "$second" --format folded | grep -v '^#' | awk '{ n += $NF } END { print n }')" -eq "$all" ]
    [ "$(trawl export "$first" "$second" --format folded | grep -c '^# offcputime · 2 of 2 hosts')" -eq 2 ]
    [ "$(trawl export "$first" "$second" --format speedscope | jq '.profiles[0].weights | add')" -eq "$all" ]
    trawl export "$first" "$second" --format pprof | gzip -t
    trawl flame "$first" "$second" --sum >"$FLEET_DIR/flame.svg"
    grep -q "all ($all usecs, 100.00%)" "$FLEET_DIR/flame.svg"

    run -1 trawl stacks "$first" "$other"
    [[ "$output" == *"what they measure does not add up"* ]]
    run -1 trawl stacks "$first" "$hists"
    [[ "$output" == *"is of runqlat, which prints no stacks"* ]]
    run -1 trawl stacks last "$second"
    [[ "$output" == *"is named twice: its stacks would count twice"* ]]
    run -2 trawl export "$first" "$second" --format bundle -O "$FLEET_DIR/bundle"
    [[ "$output" == *"bundle is of one campaign"* ]]
    run -2 trawl flame "$first" "$second" "$other"
    [[ "$output" == *"to add up any number of them: --sum"* ]]
}
newest() { trawl campaigns -n 1 -o json | jq -r '.campaigns[0].campaign.id'; }

@test "over time: the rounds of one campaign, and the campaigns that asked the same" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.12-libbpf-host_idle.txt" 0
    fleet_up web-1:role=web db-1:role=db
    trawl run runqlat --for 1s --rounds 3 --every 1s >/dev/null
    local total
    total=$(trawl hist last -o json | jq '.histograms[0].total')
    run --separate-stderr trawl hist last --over time -o json
    [ "$status" -eq 0 ]
    json '.kind == "series" and (.points | length) == 3 and ([.points[].round] == [1, 2, 3])'
    json "([.points[].histograms[0].total] | add) == $total"
    json '[.points[] | .merged_hosts == 2 and .coverage.ok == 2 and .ledger.kernel == 0] | all'
    json '.points[0].start < .points[2].start'

    trawl run runqlat --for 1s >/dev/null
    again runqlat/6.1-libbpf-host_cpu8.txt runqlat
    trawl run runqlat --for 1s --on role=web >/dev/null # another question
    trawl run runqlat --for 1s >/dev/null
    run trawl hist last --over time -o csv
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ "${lines[0]}" == campaign,round,start,hosts,lost,section,total,p50,p99,unit,reading,shape ]]
    [[ "${lines[1]}" == *,2/2,0,* && "${lines[2]}" == *,2/2,0,* ]]
    run trawl hist last --over time -n 1
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" == "runqlat · 2 of 2 hosts"* ]]
    [ "$(grep -c '2/2' <<<"$output")" -eq 1 ]
    run trawl hist last --over space
    [ "$status" -eq 2 ]
}

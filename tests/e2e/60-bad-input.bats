#!/usr/bin/env bats
# Bad input gets a clear error and loses nothing: every row of bad-input.tsv is done, and must end with that exit code and print exactly
# that line.  The columns: group, name, exit code, command (bash; what it may use is below), expected line.  In what is printed, paths,
# ports, dates and the like are replaced by words: see clean.
# A group shares a fleet; after it a good campaign still runs, and everything stored before is still there.
load lib

TABLE=$BATS_TEST_DIRNAME/bad-input.tsv

setup() {
    BAD=$(mktemp -d /var/lib/trawl-bad.XXXXXX)
    chmod 755 "$BAD"
}
teardown() {
    local mount pid
    for pid in "${HELPERS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    if [ -n "${FLEET_DIR:-}" ]; then
        [ "${BATS_TEST_COMPLETED:-}" = 1 ] || tail -n 10 "$FLEET_DIR"/log/* >&2 || true
        fleet_down
    fi
    for mount in "${FLEET_DIR:-/none}/full" "${FLEET_DIR:-/none}/agents/web-1/spool"; do if mountpoint -q "$mount"; then umount -l "$mount"; fi; done
    rm -rf "$BAD" "${FLEET_DIR:-$BAD}" "${FAKE_DIR:-$BAD}"
}

# ---- the table ----

clean() {
    sed -E -e "s|${FLEET_DIR:-/no fleet}|DIR|g; s|$BAD|BAD|g; s|${FAKE_DIR:-/no fake}|FAKE|g" \
        -e 's/(127\.0\.0\.[0-9]+):[0-9]+/\1:PORT/g; s/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/20[0-9]{2}-[0-9]{2}-[0-9]{2}/DAY/g' \
        -e 's/[0-9a-f]{32}/CAMPAIGN/g; s/(campaign|hist) [0-9a-f]{8}/\1 CAMPAIGN/g; s/(agentd|pid)=[0-9]+/\1=PID/g; s/(written|waiting|bytes)=[0-9]+/\1=N/g; s/reads up to [0-9]+/reads up to N/; s/short: [0-9]+ of its [0-9]+/short: N of its N/; s/there are runqlat, .*/there are TOOLS/' -e 's/^<[0-9]>//' | tr -d '\000\r'
}

rows() { # GROUP
    local group name code command expected got status=0 failed=0 n=0
    while IFS=$'\t' read -r group name code command expected <&9; do
        [ "$group" = "$1" ] || continue
        n=$((n + 1))
        mark
        got=$(set +eET; eval "$command" 2>&1 9<&-; echo "exit $?") || true
        status=${got##*exit }
        got=$(printf '%s' "${got%exit *}" | clean)
        [ "$expected" != "?" ] || { printf '%s\t%s\t%s\n%s\n' "$group" "$name" "$status" "$got" >&3; continue; }
        if [ "$status" != "$code" ] || ! grep -qxF -- "$expected" <<<"$got"; then
            printf -- '-- %s, %s: exit %s, expected %s and\n  %s\ninstead of\n%s\n' "$group" "$name" "$status" "$code" "$expected" "$got"
            failed=$((failed + 1))
        fi
    done 9<"$TABLE"
    echo "$n rows, $failed failed"
    [ "$n" -gt 0 ] && [ "$failed" -eq 0 ]
}

# ---- what the commands use ----

# Only what is logged from now on counts.
mark() {
    mapfile -t MARK < <(stat -c %n:%s "${FLEET_DIR:-$BAD}"/log/* 2>/dev/null)
}
since() { # LOG
    local m at=0
    for m in "${MARK[@]}"; do [ "${m%:*}" != "$FLEET_DIR/log/$1" ] || at=${m##*:}; done
    tail -c "+$((at + 1))" "$FLEET_DIR/log/$1" 2>/dev/null
}
# The first new line of a log that has this text; waits for it.
logged() { # LOG TEXT
    local i line
    for i in $(seq 200); do
        line=$(since "$1" | grep -a -m 1 -- "$2") && { printf '%s\n' "$line"; return 0; }
        sleep 0.05
    done
    echo "nothing with \"$2\" in the log $1"
}

certs() { "${FLEET_CERTS:-$TOP/certs/trawl-certs}" "$@" >/dev/null 2>"$BAD/certs.said" || cat "$BAD/certs.said"; }
# A set of CAs and an operator without any fleet; and the console's configuration with some lines changed.
console_files() {
    local -A FLEET_OF=([elsewhere]=elsewhere)
    local sets=$BATS_FILE_TMPDIR/sets set
    if [ ! -e "$sets/made" ]; then
        for set in certs other elsewhere; do
            certs "$sets/$set" init "${FLEET_OF[$set]:-quickstart}"
            certs "$sets/$set" operator admin --role admin
            certs "$sets/$set" agent web-1
        done
        certs "$sets/other" collector centre
        touch "$sets/made"
    fi
    cp -a "$sets/." "$BAD"
    printf 'fleet = quickstart\ncollector = 127.0.0.1:1\ntls_ca = %s\ncert = %s\nkey = %s\n' "$BAD/certs/fleet-ca.pem" \
        "$BAD/certs/operators/admin.pem" "$BAD/certs/operators/admin.key" >"$BAD/console.conf"
}
conf() { # SED-SCRIPT: the console's configuration, so changed
    sed -E "$1" "${FLEET_DIR:-$BAD}/console.conf" >"$BAD/changed.conf"
    TRAWL_CONFIG=$BAD/changed.conf "$TRAWL_BIN/trawl" hosts
}
as() { # CERT-AND-KEY [FLEET]: the console with this identity
    conf "s|^cert.*|cert = $1.pem|; s|^key.*|key = $1.key|; s|^fleet.*|fleet = ${2:-quickstart}|"
}
# Whoever answers at the collector's place has this certificate.
posed() { # CERT-AND-KEY
    openssl s_server -accept 127.0.0.1:0 -tls1_3 -cert "$1.pem" -key "$1.key" -naccept 1 < <(exec sleep 5 2>/dev/null 9<&-) >"$BAD/posed" 2>&1 9<&- &
    fleet_wait 5 grep -q 'ACCEPT 127' "$BAD/posed"
    conf "s|^collector.*|collector = $(sed -n 's/^ACCEPT //p' "$BAD/posed")|"
    local code=$?
    kill %% 2>/dev/null
    return $code
}
# A runner with a changed agent.conf: what its programs say before they end.
agent() { # SED-SCRIPT [COMMAND…]
    local dir=$FLEET_DIR/agents/bad
    rm -rf "$dir"
    fleet_agent_make bad role=bad
    sed -E -i "$1" "$dir/agent.conf"
    shift
    (cd "$dir" && "$@")
    timeout -s KILL 10 "$FLEET_BIN/trawl-runner" --config "$dir/agent.conf" 2>&1
}
# An agent with this identity dials the collector: what its log says of the refusal.
dial() { # CERT-AND-KEY [FLEET]
    local dir=$FLEET_DIR/agents/bad
    rm -rf "$dir"
    fleet_agent_make bad role=bad
    sed -E -i "s|^fleet.*|fleet = ${2:-quickstart}|; s|^host.*|host = $(basename "$1")|; s|^labels.*|labels = role=bad|" "$dir/agent.conf"
    cp "$1.pem" "$dir/agent.pem"
    install -m 600 -o "$FLEET_USER" "$1.key" "$dir/agent.key"
    rm -f "$FLEET_DIR/log/agent-bad"
    mark
    fleet_spawn agent-bad "$FLEET_BIN/trawl-runner" --config "$dir/agent.conf"
    logged agent-bad "uplink.lost\|agentd.failed"
    fleet_stop agent-bad KILL
}

# Frames by hand: TYPE FLAGS STREAM SEQUENCE [LENGTH], then the payload on standard input.
hex() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }
frame() {
    cat >"$BAD/payload"
    hex "$(printf '%08x%02x%02x0000%08x%08x' "${5:-$(stat -c %s "$BAD/payload")}" "$1" "$2" "$3" "$4")"
    cat "$BAD/payload"
}
message() { protoc --proto_path="$TOP/proto" --encode="trawl.$1" "$TOP/proto/$2.proto"; }
hello() { message Hello rpc <<<"version_low: ${1:-1} version_high: ${1:-1} software: \"test\"" | frame 1 0 0 0; }
session() { hello; message Call rpc <<<'method: "trawl.Agents/Session"' | frame 7 0 1 1; }
facts() { message FromAgent agents <<<"facts { host: \"${1:-web-1}\" version: \"test\" }" | frame 8 "${2:-0}" 1 "${3:-2}"; }
part() { # PARTBODY in protobuf's text: a part of a session
    message PartBody model <<<"$1" >"$BAD/body"
    message FromAgent agents <<<"part { campaign: \"0123456789abcdef\" host: \"${2:-frames-1}\" tool: \"runqlat\" body: \"$(od -An -v -tx1 "$BAD/body" | tr -d '\n' | sed 's/ /\\x/g')\" }" |
        frame 8 0 1 "${3:-3}"
}
# Sends standard input to the agents' listener as an agent; prints what it answers.
say() {
    { cat; sleep 0.3; } | timeout 5 openssl s_client -connect "127.0.0.1:$fleet_agents_port" -tls1_3 -quiet -no_ign_eof -CAfile "$FLEET_DIR/certs/fleet-ca.pem" \
        -cert "$FLEET_DIR/certs/agents/frames-1.pem" -key "$FLEET_DIR/certs/agents/frames-1.key" 2>/dev/null
}
# … prints what the collector logs about it.
send() {
    say >/dev/null
    logged collector "${1:-refused\|malformed}"
}
# … prints the text that is in the answer.
heard() { say | grep -a -o -- "$1[ -~]*"; }

order() { TRAWL_CONFIG=$FLEET_DIR/console.conf "$TRAWL_BIN/order_tool" make "$BAD/order" "$@"; }
submit() { order "$@" && TRAWL_CONFIG=$FLEET_DIR/console.conf "$TRAWL_BIN/order_tool" submit "$BAD/order"; }
# The same at a host: the collector was stolen and passes everything on.
obey() {
    order "$@" && "$TRAWL_BIN/order_tool" serve "$BAD/order" "127.0.0.1:$STOLEN_PORT" quickstart "$FLEET_DIR/certs/fleet-ca.pem" \
        "$FLEET_DIR/certs/collectors/centre.pem" "$FLEET_DIR/certs/collectors/centre.key"
}

# What the answer says about a capture of a fake tool.
fake() { "$TOP/tests/fake/fake.sh" "$FAKE_DIR" runqlat "$TRAWL_BIN/fake_tool" "$@"; }
outcome() { # [OPTION…]
    local code=0
    trawl run runqlat --for "${FOR:-1s}" "$@" -o json >"$BAD/answer" 2>"$BAD/err" || code=$?
    if [ -s "$BAD/answer" ]; then jq -r '.targets[0] | "\(.state): \(.reason)"' "$BAD/answer"; else cat "$BAD/err"; fi
    return $code
}
parse() { "$TRAWL_BIN/trawl" parse "$@"; }

# A collector with a changed configuration: what it says before it ends.
collector() { # SED-SCRIPT
    sed -E "$1" "$FLEET_DIR/collector.conf" >"$BAD/collector.conf"
    timeout -s KILL 10 "$FLEET_BIN/trawl-collectord" --config "$BAD/collector.conf" 2>&1
}

# Disks of half a megabyte below the store and the spool.
disk_of() { if [ "$1" = store ]; then echo "$FLEET_DIR/full"; else echo "$FLEET_DIR/agents/web-1/spool"; fi; }
fill() { dd if=/dev/zero of="$(disk_of "$1")/filler" bs=4k 2>/dev/null; true; }
free() { rm -f "$(disk_of "$1")/filler"; }
slow() { fake replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 3; }
quick() { fake replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0; }
campaign_has() { trawl show "$1" -o json 2>/dev/null | jq -e "$2"; }

# Clocks that are off by so many seconds.
FAKETIME_LIB=$(echo /usr/lib/*/faketime/libfaketime.so.1)
at() { # SECONDS CONSOLE-WORDS…
    local by=$1
    shift
    LD_PRELOAD=$FAKETIME_LIB FAKETIME=$by ASAN_OPTIONS=verify_asan_link_order=0 TRAWL_CONFIG=$FLEET_DIR/console.conf "$FLEET_BIN/trawl" "$@"
}
jump() { echo "$1" >"$FLEET_DIR/clock"; }
agent_at() { # SECONDS: an agent named late
    printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME=%s FAKETIME_DONT_FAKE_MONOTONIC=1 ASAN_OPTIONS=verify_asan_link_order=0 exec %s/trawl-agentd "$@"\n' \
        "$FAKETIME_LIB" "$1" "$FLEET_BIN" >"$FLEET_BIN/late-agentd"
    chmod 755 "$FLEET_BIN/late-agentd"
    rm -rf "$FLEET_DIR/agents/late" "$FLEET_DIR/log/agent-late"
    mark
    fleet_agent_make late role=late "${FLEET_LINES[@]}"
    sed -i "s|^agentd.*|agentd = $FLEET_BIN/late-agentd|" "$FLEET_DIR/agents/late/agent.conf"
    fleet_agent_start late
}

# ---- the groups ----

good_campaign() {
    run --separate-stderr trawl run runqlat --for 1s --expire 5s --on role=web -o json
    [ "$status" -eq 0 ]
    json '.coverage.ok == .coverage.targeted and .coverage.ok > 0'
}
nothing_is_lost() { # CAMPAIGN that was good before
    good_campaign
    run --separate-stderr trawl hist "$1" -o json
    json '.coverage.ok == .coverage.targeted and .coverage.ok > 0 and (.histograms | length) > 0'
}

# bats test_tags=no-tsan
@test "the table has at least 60 rows, each with a name of its own" {
    [ "$(grep -vc '^group' "$TABLE")" -ge 60 ]
    [ "$(cut -f 1,2 "$TABLE" | sort | uniq -d)" = "" ]
    [ "$(awk -F '\t' 'NF != 5' "$TABLE")" = "" ]
    run ! grep -P '\t\?$' "$TABLE"
}

# bats test_tags=no-tsan
@test "words and options that make no sense" { rows words; }

# bats test_tags=no-tsan
@test "print-outs that are not what they should be" { rows parse; }

# bats test_tags=no-tsan
@test "the console's own files" {
    console_files
    rows files
}

@test "identities on the console's connection, and what it asks" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    console_files
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    rows console
    nothing_is_lost "$good"
}

# bats test_tags=no-tsan
@test "an agent's configuration, files and identity" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    console_files
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    rows agent
    fleet_wait 20 fleet_online 1
    nothing_is_lost "$good"
}

@test "frames and messages that are none" {
    command -v protoc >/dev/null || skip "protoc is not installed: frames cannot be made by hand"
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    certs "$FLEET_DIR/certs" agent frames-1
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    rows frames
    run --separate-stderr trawl run runqlat --for 1s --on web-1
    [ "$status" -eq 0 ]
    trawl hist "$good" >/dev/null
}

@test "orders that are not to be obeyed, at the collector and at the host" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    console_files
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    STOLEN_PORT=$((20000 + RANDOM % 9000))
    fleet_agent_make host-1 role=alone "${FLEET_LINES[@]}"
    sed -i "s|^collector.*|collector = 127.0.0.1:$STOLEN_PORT|" "$FLEET_DIR/agents/host-1/agent.conf"
    fleet_agent_start host-1
    rows order
    nothing_is_lost "$good"
}

# bats test_tags=no-tsan
@test "tools that fail in each of their ways" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    rows tool
    fake replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    nothing_is_lost "$good"
}

@test "stores that are damaged, cut, newer or somebody else's" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    fleet_stop collector
    cp "$FLEET_DIR/store.sqlite" "$BAD/good.sqlite"
    STOLEN_PORT=$((20000 + RANDOM % 9000))
    openssl s_server -accept "127.0.0.1:$STOLEN_PORT" -cert "$FLEET_DIR/certs/collectors/centre.pem" -key "$FLEET_DIR/certs/collectors/centre.key" >/dev/null 2>&1 < <(sleep 60) 3>&- &
    HELPERS+=($!)
    rows store
    fleet_collector_start
    fleet_wait 20 fleet_online 1
    nothing_is_lost "$good"
}

@test "disks that are full below the store and the spool" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up
    mount -t tmpfs -o size=512k tmpfs "$BAD" 2>/dev/null || skip "no tmpfs can be mounted here"
    umount "$BAD"
    fleet_stop collector
    mkdir "$FLEET_DIR/full"
    mount -t tmpfs -o size=512k tmpfs "$FLEET_DIR/full"
    small_store
    fleet_agent_make web-1 role=web "${FLEET_LINES[@]}"
    mount -t tmpfs -o "size=256k,mode=700,uid=$(id -u "$FLEET_USER")" tmpfs "$FLEET_DIR/agents/web-1/spool"
    fleet_agent_start web-1
    fleet_wait 20 fleet_online 1
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    rows disk
    free store
    fleet_wait 20 good_campaign
    nothing_is_lost "$good"
}
small_store() {
    sed -i "s|^store.*|store = $FLEET_DIR/full/store.sqlite|" "$FLEET_DIR/collector.conf"
    fleet_spawn collector "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/collector.conf"
    fleet_wait 20 fleet_collector_is_ready 1
}

@test "clocks that are off, and clocks that jump" {
    [ -e "$FAKETIME_LIB" ] || skip "faketime is not installed: clocks cannot be shifted"
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    # Certificates and lists that are two days old, so that it is the orders that have the wrong time.
    printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME=-172800 exec %s "$@"\n' "$FAKETIME_LIB" "$TOP/certs/trawl-certs" >"$BAD/old-certs"
    chmod 755 "$BAD/old-certs"
    FLEET_CERTS=$BAD/old-certs
    fleet_up web-1:role=web
    jump +0
    mv "$FLEET_BIN/trawl-collectord" "$FLEET_BIN/real-collectord"
    printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME_TIMESTAMP_FILE=%s FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 ASAN_OPTIONS=verify_asan_link_order=0 exec %s "$@"\n' \
        "$FAKETIME_LIB" "$FLEET_DIR/clock" "$FLEET_BIN/real-collectord" >"$FLEET_BIN/trawl-collectord"
    chmod 755 "$FLEET_BIN/trawl-collectord"
    fleet_stop collector
    fleet_collector_start
    fleet_wait 20 fleet_online 1
    local good
    good=$(trawl run runqlat --for 1s -o json | jq -r .campaign.id)
    rows clock
    fleet_wait 20 good_campaign
    nothing_is_lost "$good"
}

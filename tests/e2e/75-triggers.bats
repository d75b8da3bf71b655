#!/usr/bin/env bats
# Captures that start themselves: on a host, from a result, from outside; and that nothing starts more than was signed.
load lib

fake_runqlat() { fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0; }
need_psi() { [ -w /proc/pressure/cpu ] || skip "this kernel has no pressure stall information (PSI)"; }

# Twice as many busy loops as there are CPUs, until they are told to end.
pressure_begin() {
    BUSY=()
    local i
    for i in $(seq $((2 * $(nproc)))); do
        timeout 60 sh -c 'while :; do :; done' 3>&- &
        BUSY+=($!)
    done
}
pressure_end() { kill "${BUSY[@]}" 2>/dev/null || true; wait "${BUSY[@]}" 2>/dev/null || true; }

campaigns() { trawl campaigns -o json -n 0 | jq -e ".campaigns | length $1"; }
armed_on() { trawl trigger show "$1" -o json | jq -e ".triggers[0].hosts | map(select(.armed)) | length == $2"; }
fired() { trawl trigger show "$1" -o json | jq -e ".triggers[0].fired $2"; }
suppressed() { trawl trigger show "$1" -o json | jq -e ".triggers[0].suppressed $2"; }
audit_has() { trawl audit -n 0 -o json | jq -e "[.records[].event] | index(\"$1\")"; }
host_audit_has() { grep -q "\"event\":\"$2\"" "$FLEET_DIR/agents/$1/spool/audit.log"; }

@test "CPU pressure fires a trigger within five seconds, the result is in the answer, and its cool-down holds" {
    need_psi
    fake_runqlat
    fleet_up web-1:role=web db-1:role=db
    trawl trigger add stalls runqlat --when 'pressure.cpu > 5% in 2s' --on role=web --for 1s --cooldown 10m
    fleet_wait 10 armed_on stalls 1
    local began=$EPOCHREALTIME
    pressure_begin
    fleet_wait 10 host_audit_has web-1 trigger.fired
    local took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
    echo "fired after $took ms"
    [ "$took" -le 5000 ]
    fleet_wait 10 fired stalls '== 1'
    fleet_wait 20 campaigns '== 1'
    fleet_wait 20 suppressed stalls '>= 1'
    pressure_end
    run -0 trawl show last
    [[ "$output" == *"fired by trigger stalls: some tasks waited for cpu"* ]]
    [[ "$output" == *"1 ok"* && "$output" == *web-1* && "$output" != *db-1* ]]
    campaigns '== 1'
    host_audit_has web-1 trigger.suppressed
    trawl hist last -o json | jq -e '.histograms | length > 0'
}

@test "a trigger fires while the collector is stopped; when it is back the result is complete and says what fired it" {
    need_psi
    fake_runqlat
    fleet_up web-1:role=web
    trawl trigger add stalls runqlat --when 'pressure.cpu > 5% in 2s' --for 1s --cooldown 10m
    fleet_wait 10 armed_on stalls 1
    fleet_stop collector
    pressure_begin
    fleet_wait 10 host_audit_has web-1 capture.ended
    pressure_end
    ls "$FLEET_DIR"/agents/web-1/spool/*.part
    # The agent too: what fired is on the disk.
    fleet_stop agent-web-1
    fleet_agent_start web-1
    fleet_collector_start
    fleet_wait 70 fired stalls '== 1'
    fleet_wait 20 campaigns '== 1'
    fleet_wait 10 campaign_is done
    run -0 trawl show last
    [[ "$output" == *"fired by trigger stalls"* && "$output" == *"1 ok"* ]]
    trawl hist last -o json | jq -e '.coverage.ok == 1 and (.histograms | length > 0)'
    run ! ls "$FLEET_DIR"/agents/web-1/spool/*.part
    trawl audit verify
    trawl audit verify "$FLEET_DIR/agents/web-1/spool/audit.log"
}
campaign_is() { trawl show last -o json | jq -e ".campaign.state == \"$1\""; }

# ---- from outside ----
TOKEN=0123456789abcdef0123456789abcdef
# A fleet whose collector listens for calls.
outside_up() {
    FLEET_DIR=$(mktemp -d /var/lib/trawl-test.XXXXXX)
    rmdir "$FLEET_DIR"
    fleet_up "$@"
    (umask 077 && echo $TOKEN >"$FLEET_DIR/token")
    cat >>"$FLEET_DIR/collector.conf" <<EOF
http_listen = 127.0.0.1:0
http_token_file = $FLEET_DIR/token
EOF
    fleet_stop collector
    fleet_collector_restart
    HTTP_PORT=$(grep 'collector\.ready' "$FLEET_DIR/log/collector" | tail -n 1 | sed 's/.*http=\([0-9]*\).*/\1/')
    fleet_wait 70 fleet_online $#
}
# As fleet_collector_start, but with the lines that were added.
fleet_collector_restart() {
    local lines
    lines=$(grep -c 'collector\.ready' "$FLEET_DIR/log/collector")
    fleet_spawn collector "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/collector.conf"
    fleet_wait 20 fleet_collector_is_ready "$lines"
}
call() { # METHOD PATH [curl arguments…]
    local method=$1 path=$2
    shift 2
    curl -sS --path-as-is --max-time 30 --cacert "$FLEET_DIR/certs/fleet-ca.pem" -X "$method" -w '\n%{http_code}\n' "$@" \
        "https://localhost:$HTTP_PORT$path"
}
with_token() { call "$@" -H "Authorization: Bearer $TOKEN"; }
alert() { # STATUS INSTANCE [FINGERPRINT]: a notification as Alertmanager 0.25 sends it
    cat <<EOF
{"receiver":"trawl","status":"$1","alerts":[{"status":"$1","labels":{"alertname":"HighLatency","instance":"$2:9100","severity":"page"},
"annotations":{},"startsAt":"2026-11-26T12:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"${3:-f1}"}],
"groupLabels":{"alertname":"HighLatency"},"commonLabels":{"alertname":"HighLatency"},"commonAnnotations":{},"externalURL":"http://am",
"version":"4","groupKey":"{}:{alertname=\"HighLatency\"}","truncatedAlerts":0}
EOF
}

@test "a webhook's alert starts one capture where it points; repeated and resolved ones start none and are written down" {
    fake_runqlat
    outside_up web-1:role=web web-2:role=web
    trawl trigger add page runqlat --when 'call by instance' --for 1s --cooldown 1s --per-hour 10
    run -0 call GET /healthz
    [[ "$output" == *200 ]]
    run -0 call GET /readyz
    [[ "$output" == *200 ]]
    run -0 with_token POST /v1/alertmanager/page -d "$(alert firing web-2)"
    [[ "$output" == *'"campaign"'*202 ]]
    fleet_wait 20 campaign_is done
    run -0 trawl show last
    [[ "$output" == *"fired by trigger page: alert HighLatency"* && "$output" == *web-2* && "$output" != *web-1* ]]
    sleep 1.1
    run -0 with_token POST /v1/alertmanager/page -d "$(alert firing web-2)"
    [[ "$output" == *"nothing new"*200 ]]
    run -0 with_token POST /v1/alertmanager/page -d "$(alert resolved web-2)"
    [[ "$output" == *200 ]]
    campaigns '== 1'
    audit_has alert.repeated
    audit_has alert.resolved
    trawl trigger show page -o json | jq -e '.triggers[0].last == "1 alerts are resolved"'
    # A plain call, and its limits.
    run -0 with_token POST /v1/triggers/page -d '{"on": "web-1", "why": "\u001b[2Jby hand"}'
    [[ "$output" == *'"campaign"'*202 ]]
    run -0 with_token POST /v1/triggers/page
    [[ "$output" == *cool-down*429 ]]
    fleet_wait 10 campaigns '== 2'
    run -0 with_token GET /metrics
    [[ "$output" == *'trawl_trigger_firings_total{trigger="page"} 2'* ]]
    [[ "$output" == *'trawl_trigger_suppressed_total{trigger="page"} 1'* ]]
    trawl audit verify
}

# ---- at the collector ----
@test "a result starts a deeper campaign on the hosts that it points at; what a trigger started sets off no other" {
    fake_runqlat
    fleet_up web-1:role=web web-2:role=web
    trawl trigger add deeper runqlat --when 'runqlat.p50 > 1us on 2 of 2 hosts' --for 2s --cooldown 1s
    trawl trigger add never runqlat --when 'runqlat.p50 > 1h' --for 2s --cooldown 1s
    trawl trigger add elsewhere runqlat --when 'runqlat.p50 > 1us' --on role=db --for 1s --cooldown 1s
    trawl run runqlat --for 1s
    fleet_wait 20 campaigns '== 2'
    fleet_wait 20 campaign_is done
    run -0 trawl show last
    [[ "$output" == *"fired by trigger deeper: campaign "*"on 2 of 2 hosts"* && "$output" == *"2 ok"* ]]
    fired deeper '== 1'
    fired never '== 0'
    fired elsewhere '== 0'
    suppressed elsewhere '== 1' # no host of its targets
    audit_has trigger.suppressed
    campaigns '== 2'
}

@test "a host that is away for too long starts a capture on its peers, once" {
    fake_runqlat
    fleet_up web-1:role=web web-2:role=web
    trawl trigger add away runqlat --when 'missing > 10s' --for 1s --cooldown 1s
    fleet_stop agent-web-2
    fleet_wait 30 fired away '== 1'
    fleet_wait 20 campaigns '== 1'
    run -0 trawl trigger show away
    [[ "$output" == *"host web-2 is away for more than 10 s"* ]]
    trawl trigger remove away
    [ "$(trawl trigger list -o json | jq '.triggers | length')" -eq 0 ]
}

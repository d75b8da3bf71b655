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
    FLEET_LINES+=("lockdown_file = $FAKE_DIR/lockdown")
    fleet_up web-1:role=web
    touch "$FAKE_DIR/lockdown" # or it may fire too early: this machine may have pressure of its own
    fleet_wait 10 host_audit_has web-1 killswitch.on
    trawl trigger add stalls runqlat --when 'pressure.cpu > 5% in 2s' --for 1s --cooldown 10m
    fleet_wait 10 armed_on stalls 1
    fleet_stop collector
    rm "$FAKE_DIR/lockdown"
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
# A fleet whose collector listens for calls.
outside_up() {
    fleet_up "$@"
    fleet_outside
    fleet_wait 70 fleet_online $#
}
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
    trawl trigger add page runqlat --when 'call by instance' --for 1s --cooldown 1s --per-hour 2
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
    [[ "$output" == *'"suppressed"'*429 ]] # by its cool-down or by the hour, as fast as this machine is
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
    run -0 trawl trigger test deeper
    [[ "$output" == *"2 would run it (2 libbpf)"*web-1*ok*libbpf*"runqlat for 2 s on 2 hosts, 2 of which can: 4 seconds"* ]]
    trawl trigger test new runqlat --when call --for 1s --on role=web -o json | jq -e '.hosts | length == 2'
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

@test "a storm of alerts stays within the limits, every suppressed one is counted, and the console answers" {
    fake_runqlat
    outside_up web-1:role=web
    trawl trigger add storm runqlat --when call --for 1s --cooldown 1s --per-hour 3
    local i began
    for i in $(seq 100); do alert firing web-1 "f$i" >"$FLEET_DIR/alert.$i"; done
    # One curl, a hundred requests, ten at a time.
    for i in $(seq 100); do
        printf 'next\nurl = "https://localhost:%s/v1/alertmanager/storm"\ndata-binary = "@%s"\nheader = "Authorization: Bearer %s"\ncacert = "%s"\noutput = /dev/null\n' \
            "$HTTP_PORT" "$FLEET_DIR/alert.$i" $TOKEN "$FLEET_DIR/certs/fleet-ca.pem"
    done | tail -n +2 >"$FLEET_DIR/requests"
    curl -sS --max-time 60 --parallel --parallel-max 10 -K "$FLEET_DIR/requests"
    began=$EPOCHREALTIME
    trawl trigger show storm -o json >"$FLEET_DIR/storm"
    echo "the console took $(((${EPOCHREALTIME/./} - ${began/./}) / 1000)) ms"
    jq -e '.triggers[0] | .fired >= 1 and .fired <= 3 and .fired + .suppressed == 100' "$FLEET_DIR/storm"
    fleet_wait 20 campaigns "== $(jq '.triggers[0].fired' "$FLEET_DIR/storm")"
    audit_has trigger.suppressed
}

@test "a real Alertmanager: firing, repeated and resolved make one capture, and resolved is recorded" {
    command -v prometheus-alertmanager >/dev/null || skip "prometheus-alertmanager is not installed (deploy/packages optional)"
    fake_runqlat
    outside_up web-1:role=web web-2:role=web
    trawl trigger add page runqlat --when 'call by instance' --for 1s --cooldown 1s --per-hour 10
    local port=$((20000 + RANDOM % 20000))
    cat >"$FLEET_DIR/alertmanager.yml" <<EOF
route: {receiver: trawl, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 2s}
receivers:
- name: trawl
  webhook_configs:
  - url: https://localhost:$HTTP_PORT/v1/alertmanager/page
    http_config:
      authorization: {credentials_file: $FLEET_DIR/token}
      tls_config: {ca_file: $FLEET_DIR/certs/fleet-ca.pem}
EOF
    ln -s "$(command -v prometheus-alertmanager)" "$FLEET_BIN/alertmanager"
    fleet_spawn alertmanager "$FLEET_BIN/alertmanager" --config.file="$FLEET_DIR/alertmanager.yml" --storage.path="$FLEET_DIR/am" \
        --web.listen-address=127.0.0.1:$port --cluster.listen-address=
    fleet_wait 20 curl -sf "http://127.0.0.1:$port/-/ready"
    am_alert() { # EXTRA
        curl -sf -H 'Content-Type: application/json' "http://127.0.0.1:$port/api/v2/alerts" \
            -d "[{\"labels\":{\"alertname\":\"Slow\",\"instance\":\"web-2:9100\"}$1}]"
    }
    am_alert ''
    fleet_wait 30 campaigns '== 1'
    fleet_wait 30 audit_has alert.repeated
    am_alert ",\"startsAt\":\"$(date -u -d '-1 minute' +%FT%TZ)\",\"endsAt\":\"$(date -u -d '-1 second' +%FT%TZ)\""
    fleet_wait 30 audit_has alert.resolved
    campaigns '== 1'
    run -0 trawl show last
    [[ "$output" == *"fired by trigger page: alert Slow"* && "$output" == *web-2* && "$output" != *web-1* ]]
    fleet_stop alertmanager
}

# TSan has a thread of its own that wakes ten times a second.
# bats test_tags=no-tsan
@test "an armed agent at rest wakes for its heartbeat and for nothing else" {
    need_psi
    command -v strace >/dev/null || skip "strace is not installed (deploy/packages optional)"
    fake_runqlat
    fleet_up web-1:role=web
    trawl trigger add stalls runqlat --when 'pressure.memory.full > 90% in 10s' --for 1s
    trawl trigger add loaded runqlat --when 'load1 > 100000' --for 1s
    fleet_wait 10 armed_on stalls 1
    fleet_wait 10 armed_on loaded 1
    local runner agentd which tracers=()
    runner=$(cat "$FLEET_DIR/pid/agent-web-1")
    agentd=$(pgrep -P "$runner" -f trawl-agentd)
    sleep 2
    for which in runner agentd; do
        timeout -s INT 32 strace -f -tt -e trace=epoll_wait,epoll_pwait,poll,ppoll,nanosleep,clock_nanosleep,select,pselect6 -o "$FLEET_DIR/strace.$which" \
            -p "${!which}" 2>/dev/null 3>&- &
        tracers+=($!)
    done
    wait "${tracers[@]}" || true
    echo "in 30 s: the runner woke $(wakes runner) times, agentd and nng's threads $(wakes agentd) times"
    cat "$FLEET_DIR/strace.runner" "$FLEET_DIR/strace.agentd" | tail -n 40
    [ "$(wakes runner)" -eq 0 ]
    # Two heartbeats in half a minute: the timer, the answer, and nng's own threads for each of both.
    [ "$(wakes agentd)" -le 24 ]
}
wakes() { grep -cE '(epoll_p?wait|p?poll|nanosleep|select).*= [0-9]+( |$)' "$FLEET_DIR/strace.$1" || true; }

#!/usr/bin/env bats
# Attacks, each of which must end in a clear refusal and a line in an audit log: every row of red-team.tsv.  Columns: name, who refuses it
# (collector, or host: its collector was stolen), command, a part of what is said (a|b: either), the event in the audit log.
load lib

TABLE=$BATS_TEST_DIRNAME/red-team.tsv

setup() {
    RED=$(mktemp -d /var/lib/trawl-red.XXXXXX)
    chmod 755 "$RED"
}
red_teardown() { rm -rf "$RED"; }

tool() { TRAWL_CONFIG=${CONF:-$FLEET_DIR/console.conf} "$TRAWL_BIN/order_tool" "$@"; }
make() { tool make "$RED/order" "$@"; }
hand_in() { tool submit "$RED/order"; }
submit() { make "$@" && hand_in; }
conf_of() { # OPERATOR
    sed "s|operators/admin|operators/$1|" "$FLEET_DIR/console.conf" >"$RED/$1.conf"
    echo "$RED/$1.conf"
}
as() { local CONF; CONF=$(conf_of "$1"); shift; "$@"; }
console() { local conf; conf=$(conf_of "$1"); shift; TRAWL_CONFIG=$conf "$FLEET_BIN/trawl" "$@"; }
knock() { # CERT-AND-KEY PORT CA: TLS with this certificate, then Hello
    printf '\0\0\0\0' | timeout 3 openssl s_client -connect "127.0.0.1:$2" -tls1_3 -quiet -no_ign_eof -CAfile "$3" -cert "$1.pem" -key "$1.key" >/dev/null 2>&1 || true
}
logged() { fleet_wait 5 grep -aq -- "$2" "$FLEET_DIR/log/$1" && grep -a -- "$2" "$FLEET_DIR/log/$1" | tail -n 1; }
raw() { # what is said as it is, in TLS: a request that no client would make
    { printf "$1"; sleep "${2:-1}"; } | timeout 40 openssl s_client -connect "127.0.0.1:$HTTP_PORT" -quiet -no_ign_eof -CAfile "$FLEET_DIR/certs/fleet-ca.pem" 2>&1
}
post() { with_token POST "/v1/alertmanager/$1" -d "$2"; }
stolen() {
    make "$@" && tool serve "$RED/order" "127.0.0.1:$STOLEN_PORT" quickstart "$FLEET_DIR/certs/fleet-ca.pem" "$FLEET_DIR/certs/collectors/centre.pem" \
        "$FLEET_DIR/certs/collectors/centre.key"
}

audit_log() { if [ "$1" = host ]; then echo "$FLEET_DIR/agents/web-1/spool/audit.log"; else echo "$FLEET_DIR/audit.log"; fi; }
audited() { tail -n "+$(($2 + 1))" "$(audit_log "$1")" 2>/dev/null | grep -qE "\"event\":\"($3)\""; }
lines_of() { wc -l <"$(audit_log "$1")"; }

rows() { # WHERE
    local name where command refusal event got before n=0 failed=0
    while IFS=$'\t' read -r name where command refusal event <&9; do
        [ "$where" = "$1" ] || continue
        n=$((n + 1))
        before=$(lines_of "$where")
        got=$(set +e; eval "$command" 2>&1 9<&-) || true
        if ! grep -qaE -- "${refusal//(runner)/\\(runner\\)}" <<<"$got"; then
            printf -- '-- %s: expected\n  %s\ninstead of\n%s\n' "$name" "$refusal" "$got"
            failed=$((failed + 1))
        elif ! fleet_wait 5 audited "$where" "$before" "$event"; then
            printf -- '-- %s: no %s in the audit log\n' "$name" "$event"
            failed=$((failed + 1))
        fi
    done 9<"$TABLE"
    echo "$n attacks, $failed not refused as they should"
    [ "$n" -gt 0 ] && [ "$failed" -eq 0 ]
}

@test "attacks on a collector and on a host whose collector was stolen" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    FLEET_LINES+=("may_sign = admin role:admin" "lockdown_file = $FAKE_DIR/lockdown")
    fleet_up web-1:role=web
    "$FLEET_CERTS" "$FLEET_DIR/certs" operator vera --role viewer
    "$FLEET_CERTS" "$FLEET_DIR/certs" operator rudi --role runner
    "$FLEET_CERTS" "$RED/other" init quickstart
    "$FLEET_CERTS" "$RED/other" operator admin --role admin
    VERA="cert=$FLEET_DIR/certs/operators/vera.pem key=$FLEET_DIR/certs/operators/vera.key"
    RUDI="cert=$FLEET_DIR/certs/operators/rudi.pem key=$FLEET_DIR/certs/operators/rudi.key"
    echo "mask_viewer = ARGS, HOST" >>"$FLEET_DIR/collector.conf"
    fleet_outside
    fleet_wait 70 fleet_online 1
    trawl run runqlat --for 1s
    trawl trigger add page runqlat --when call --for 1s --cooldown 1h
    rows collector

    # Escape sequences and HTML in what an admin writes; lockdown is obeyed, refuses work, and outlives both.
    trawl lockdown $'\033[2J<script>'
    run -1 trawl run runqlat --for 1s
    [[ "$output" == *"locked down by admin"* ]]
    run ! grep -q $'\033\|<script>' "$FLEET_DIR/audit.log"
    fleet_wait 10 grep -q lockdown.on "$FLEET_DIR/agents/web-1/spool/audit.log"
    fleet_stop agent-web-1
    fleet_agent_start web-1
    fleet_wait 20 locked_hosts 1
    trawl lockdown lift
    fleet_wait 10 locked_hosts 0
    fleet_wait 10 fleet_online 1

    # The host's own kill switch.
    touch "$FAKE_DIR/lockdown"
    fleet_wait 10 locked_hosts 1
    rm "$FAKE_DIR/lockdown"
    fleet_wait 10 locked_hosts 0

    # The log is what was written, until somebody changes it.
    trawl audit -o json | jq -e '[.records[].event] | index("lockdown.on") and index("lockdown.lifted") and index("campaign.started")'
    trawl audit verify
    verify_says 0 "are what was written" ""
    verify_says 1 "was altered" 's/"event":"lockdown.on"/"event":"lockdown.no"/'
    verify_says 1 "were taken out" '3d'
    verify_says 1 "tail was cut off" '$d'

    # The collector is stolen: it has its own key, but no operator's.
    fleet_stop collector
    STOLEN_PORT=$fleet_agents_port
    rows host
    TRAWL_CONFIG=$FLEET_DIR/console.conf "$FLEET_BIN/trawl" audit verify "$FLEET_DIR/agents/web-1/spool/audit.log"
    red_teardown
}

locked_hosts() { trawl lockdown show | grep -q "$1 of them say that they are locked"; }
verify_says() { # EXIT TEXT SED-SCRIPT
    local code=0
    cp "$FLEET_DIR/audit.log" "$FLEET_DIR/audit.log.checkpoint" "$RED/"
    sed -i "$3" "$RED/audit.log"
    output=$(trawl audit verify "$RED/audit.log" 2>&1) || code=$?
    echo "$output"
    [ "$code" -eq "$1" ] && [[ "$output" == *"$2"* ]]
}

#!/usr/bin/env bats
# Certificates that come, change and go while the fleet works.
load lib

replayed_fleet() {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 1
    fleet_up web-1:role=web web-2:role=web db-1:role=db
}
certs() { "$FLEET_CERTS" "$FLEET_DIR/certs" "$@"; }
hup() { kill -HUP "$(cat "$FLEET_DIR/pid/$1")"; }
log_has() { grep -q -- "$2" "$FLEET_DIR/log/$1"; }
log_count() { grep -c -- "$2" "$FLEET_DIR/log/$1" || true; }
stamp() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }

# hand_out HOST: what the administrator copies to a host after a change, and the agent told of it.
hand_out() {
    local to=$FLEET_DIR/agents/$1 before
    before=$(log_count "agent-$1" 'reload.done what="operators"')
    cp "$FLEET_DIR"/certs/{fleet-ca.pem,fleet.crl,operators-ca.pem,operators.crl} "$to/"
    cp "$FLEET_DIR/certs/agents/$1.pem" "$to/agent.pem"
    install -m 0600 -o "$FLEET_USER" "$FLEET_DIR/certs/agents/$1.key" "$to/agent.key"
    hup "agent-$1"
    fleet_wait 5 more_than "$before" "agent-$1" 'reload.done what="operators"'
}
more_than() { [ "$(log_count "$2" "$3")" -gt "$1" ]; }
expiry_of() { trawl hosts -o json | jq -r ".hosts[] | select(.host == \"$1\") | .certificate_expires"; }
campaign_is_ok() {
    run --separate-stderr trawl run runqlat --for 1s -o json
    [ "$status" -eq 0 ]
    json '.coverage.ok == 3 and .coverage.targeted == 3'
}

@test "the fleet CA is changed under a live fleet of three and no campaign fails" {
    replayed_fleet
    local host i
    (
        for i in $(seq 12); do
            trawl run runqlat --for 1s -o json >"$FLEET_DIR/answer.$i" 2>"$FLEET_DIR/answer.$i.err" || echo "campaign $i exited $?" >>"$FLEET_DIR/failed"
        done
        touch "$FLEET_DIR/campaigns-done"
    ) 3>&- &
    local campaigns=$!
    certs rotate fleet
    hup collector
    for host in web-1 web-2 db-1; do hand_out $host; done
    fleet_wait 10 fleet_online 3
    cp "$FLEET_DIR/certs/agents/web-1.pem" "$FLEET_DIR/old.pem"
    cp "$FLEET_DIR/certs/agents/web-1.key" "$FLEET_DIR/old.key"
    for host in web-1 web-2 db-1; do certs agent $host --renew && hand_out $host; done
    certs collector centre DNS:localhost IP:127.0.0.1 --renew
    hup collector
    fleet_wait 10 fleet_online 3
    certs retire fleet
    hup collector
    for host in web-1 web-2 db-1; do hand_out $host; done
    wait "$campaigns"
    cat "$FLEET_DIR"/failed "$FLEET_DIR"/answer.*.err 2>/dev/null || true
    [ ! -e "$FLEET_DIR/failed" ]
    for i in $(seq 12); do
        output=$(cat "$FLEET_DIR/answer.$i")
        json '.coverage.ok == 3 and .coverage.targeted == 3'
        json '([.histograms[].total] | add) == ([.hosts[].total] | add)'
    done
    fleet_wait 10 fleet_online 3
    campaign_is_ok
    # What the old CA issued opens no door any more.
    run knock "$FLEET_DIR/old"
    [[ "$output" == *"alert unknown ca"* ]]
    fleet_wait 5 log_has collector 'agent.refused .*why="certificate is not from a CA that is trusted here: spiffe://quickstart/agent/web-1"'
}

# knock CERT-AND-KEY: a TLS handshake with the agents' listener.
knock() {
    sleep 1 | timeout 5 openssl s_client -connect "127.0.0.1:$fleet_agents_port" -tls1_3 -cert "$1.pem" -key "$1.key" \
        -CAfile "$FLEET_DIR/certs/fleet-ca.pem" -quiet 2>&1
}

@test "a revoked agent's open session is closed within 5 s of the SIGHUP and its log says why" {
    replayed_fleet
    certs revoke "$FLEET_DIR/certs/agents/web-2.pem"
    local began
    began=$(date +%s%N)
    hup collector
    fleet_wait 5 fleet_online 2
    [ $((($(date +%s%N) - began) / 1000000)) -lt 5000 ]
    fleet_wait 5 log_has agent-web-2 'uplink.lost .*why="the collector says: after a reload: certificate revoked"'
    fleet_wait 5 log_has collector 'agent.disconnected host="web-2" .*why="after a reload: certificate revoked"'
    # It dials again and is not let in, and hears why in words.
    fleet_wait 10 log_has agent-web-2 'uplink.lost .*why="the collector says: certificate revoked"'
    fleet_wait 5 log_has collector 'agent.refused .*why="certificate revoked: spiffe://quickstart/agent/web-2"'
    # The others never noticed.
    [ "$(log_count agent-web-1 uplink.lost)" -eq 0 ]
    [ "$(log_count agent-db-1 uplink.lost)" -eq 0 ]
    # With a new certificate it is welcome again.
    certs agent web-2 --renew
    hand_out web-2
    fleet_wait 20 fleet_online 3
    campaign_is_ok
}

@test "a new certificate is picked up without a restart" {
    replayed_fleet
    local before pid
    before=$(expiry_of web-1)
    pid=$(pgrep -P "$(cat "$FLEET_DIR/pid/agent-web-1")" -f trawl-agentd)
    certs agent web-1 --renew --days 77
    hand_out web-1
    new_expiry() { [ "$(expiry_of web-1)" != "$before" ] && fleet_online 3; }
    fleet_wait 10 new_expiry
    [ "$pid" = "$(pgrep -P "$(cat "$FLEET_DIR/pid/agent-web-1")" -f trawl-agentd)" ]
    run --separate-stderr trawl hosts web-1
    [[ "$output" == *"76 d"* ]]
    campaign_is_ok
}

@test "a certificate or list that cannot be read leaves the old one in force, and the log says what is wrong" {
    replayed_fleet
    echo rubbish >"$FLEET_DIR/agents/web-1/agent.pem"
    echo rubbish >"$FLEET_DIR/agents/web-1/operators.crl"
    hup agent-web-1
    fleet_wait 5 log_has agent-web-1 "reload.failed what=\"certificates\" why=\"$FLEET_DIR/agents/web-1/agent.pem: not a certificate"
    fleet_wait 5 log_has agent-web-1 "reload.failed what=\"operators\" why=\"$FLEET_DIR/agents/web-1/operators.crl has no revocation list\""
    mv "$FLEET_DIR/certs/fleet.crl" "$FLEET_DIR/certs/fleet.crl.away"
    hup collector
    fleet_wait 5 log_has collector "collector.reload_failed what=\"agents\" why=\"$FLEET_DIR/certs/fleet.crl: cannot be read"
    campaign_is_ok
}

@test "an operator who is revoked is refused by the collector and by the agents" {
    replayed_fleet
    certs operator eve
    sed "s|operators/admin|operators/eve|" "$FLEET_DIR/console.conf" >"$FLEET_DIR/eve.conf"
    TRAWL_CONFIG=$FLEET_DIR/eve.conf run -0 "$FLEET_BIN/trawl" hosts
    certs revoke "$FLEET_DIR/certs/operators/eve.pem"
    hup collector
    fleet_wait 5 log_has collector 'collector.reloaded what="consoles"'
    TRAWL_CONFIG=$FLEET_DIR/eve.conf run -1 "$FLEET_BIN/trawl" hosts
    [[ "$output" == *"the collector says: certificate revoked"* ]]
    campaign_is_ok
}

@test "what ends within 30 days is warned of at the start, after a reload, and in trawl hosts" {
    fleet_up web-1:role=web
    certs agent web-1 --renew --days 12
    hand_out web-1
    fleet_wait 5 log_has agent-web-1 "cert.expiring file=\"$FLEET_DIR/agents/web-1/agent.pem\" what=\"certificate\" days=11"
    fleet_wait 10 fleet_online 1
    soon() { trawl hosts -o table 2>&1 >/dev/null | grep -q "1 certificate ends within 30 days: web-1 (11 d)"; }
    fleet_wait 10 soon
    certs crl --days 20
    certs collector centre DNS:localhost IP:127.0.0.1 --renew --days 5
    hup collector
    fleet_wait 5 log_has collector "cert.expiring file=\"$FLEET_DIR/certs/collectors/centre.pem\" what=\"certificate\" days=4"
    fleet_wait 5 log_has collector "cert.expiring file=\"$FLEET_DIR/certs/fleet.crl\" what=\"revocation list\" days=19"
    fleet_stop collector
    fleet_collector_start
    [ "$(log_count collector 'cert.expiring .*centre.pem')" -eq 2 ]
}

#!/usr/bin/env bats
# trawl doctor: content with what is well, and clear about what is not, in the order in which a person would look.
load lib

doctor() { run --separate-stderr trawl doctor "$@"; }
agent_doctor() { run --separate-stderr trawl doctor --agent "$FLEET_DIR/agents/web-1/agent.conf" "$@"; }
line() { grep -qxF -- "$1" <<<"$output" || { echo "no line: $1"; echo "$output"; return 1; }; }
last() { [ "$(tail -n 1 <<<"$output")" = "$1" ] || { echo "the last line is not: $1"; echo "$output"; return 1; }; }
certs() { "$FLEET_CERTS" "$FLEET_DIR/certs" "$@" >/dev/null; }

@test "a fleet that is well has nothing to look at, on both sides" {
    need_bpf
    fleet_up web-1:role=web web-2:role=web
    doctor
    [ "$status" -eq 0 ]
    [ "$stderr" = "17 ok, 0 to look at, 0 wrong" ]
    line "ok   TLS: collector centre of fleet quickstart"
    line "ok   hosts: 2, all online"
    agent_doctor
    [ "$status" -eq 0 ]
    [[ "$stderr" == *" ok, 0 to look at, 0 wrong" ]]
    line "ok   identity: spiffe://quickstart/agent/web-1"
    line "ok   tool runqlat: /usr/sbin/runqlat (libbpf)"
    line "ok   spool: $FLEET_DIR/agents/web-1/spool"
    doctor -o json
    json '.fail == 0 and .warn == 0 and (.findings | length) == 17 and .findings[0].what == "configuration" and .findings[0].do == null'
    doctor -o csv
    [[ "$output" == "level,what,why,do"* ]]
}

# bats test_tags=no-tsan
@test "what is wrong with the console's files stops it with a reason and a remedy" {
    fleet_up
    local key=$FLEET_DIR/certs/operators/admin.key pem=$FLEET_DIR/certs/operators/admin.pem
    chmod 644 "$key"
    doctor
    [ "$status" -eq 1 ]
    last "FAIL key private: others can use $key (mode 644); it will be refused; chmod 600 $key, and if others could read it: revoke the certificate and issue another"
    chmod 600 "$key"
    certs operator old --not-before 2020-01-01 --not-after 2020-12-31
    sed -i "s|operators/admin|operators/old|" "$FLEET_DIR/console.conf"
    doctor
    line "FAIL certificate: it ended on 2020-12-31; ask for another: certs/trawl-certs DIR operator NAME --renew"
    sed -i "s|operators/old.key|operators/admin.key|" "$FLEET_DIR/console.conf"
    doctor
    line "FAIL key fits: $key is not the key of the certificate $FLEET_DIR/certs/operators/old.pem; use the two files that were issued together"
    certs agent web-1 --renew
    sed -i "s|operators/old.pem|agents/web-1.pem|; s|operators/admin.key|agents/web-1.key|" "$FLEET_DIR/console.conf"
    doctor
    last "FAIL identity: the certificate is of role agent, and operator is needed here (spiffe://quickstart/agent/web-1); ask for another: certs/trawl-certs DIR operator NAME --renew"
    rm "$FLEET_DIR/certs/agents/web-1.pem"
    doctor
    line "FAIL cert: $FLEET_DIR/certs/agents/web-1.pem: No such file or directory; put it there, or correct cert in the configuration"
    echo "colector = x" >>"$FLEET_DIR/console.conf"
    doctor
    last "FAIL configuration: $FLEET_DIR/console.conf:6: unknown key \"colector\"; did you mean \"collector\"?; trawl --print-config prints a commented one"
    TRAWL_CONFIG='' HOME=/nonexistent run -1 "$FLEET_BIN/trawl" doctor
    [[ "$output" == "FAIL configuration: no console.conf: looked at"* ]]
    [ -r "$pem" ]
}

@test "what is wrong on the way to the collector is told step by step" {
    fleet_up
    local port=$fleet_consoles_port
    dial() {
        sed -i "s|^collector.*|collector = $1|" "$FLEET_DIR/console.conf"
        doctor
        [ "$status" -eq 1 ]
    }
    dial "nowhere.invalid:$port"
    last "FAIL collector's name: nowhere.invalid is not found: Name or service not known; correct it in the configuration, or look at /etc/resolv.conf and /etc/hosts"
    dial "127.0.0.1:1"
    last "FAIL port: nobody answers at 127.0.0.1 port 1: Connection refused; is trawl-collectord running there, is 1 the port of its console_listen, does a firewall let it through?"
    dial "127.0.0.1:$fleet_agents_port"
    last "FAIL TLS: the collector 127.0.0.1:$fleet_agents_port: the collector says: unknown CA (the certificate is from a CA that is not trusted there); consoles dial console_listen with a certificate of the operators' CA, agents dial listen with one of the fleet CA"
    dial "127.0.0.2:$port"
    [[ "$output" == *"FAIL port: nobody answers at 127.0.0.2 port $port: Connection refused"* ]]
    dial "127.0.0.1"
    last 'FAIL collector: "127.0.0.1" is not an address; write HOST:PORT'
}

@test "a clock that is off is a warning first, then a failure" {
    command -v faketime >/dev/null || skip "faketime is not installed: clocks cannot be shifted"
    fleet_up
    shifted() { TRAWL_CONFIG=$FLEET_DIR/console.conf ASAN_OPTIONS=verify_asan_link_order=0 run --separate-stderr faketime -f "$1" "$FLEET_BIN/trawl" doctor; }
    shifted -30s
    [ "$status" -eq 0 ]
    [[ "$output" =~ warn\ clock:\ the\ collector\'s\ is\ (29|30)\ s\ ahead\ of\ ours\;\ set\ the\ clocks ]]
    shifted +200s
    [ "$status" -eq 1 ]
    [[ "$output" =~ FAIL\ clock:\ the\ collector\'s\ is\ (199|200)\ s\ behind\ ours:\ orders\ are\ refused ]]
}

@test "what is wrong with the fleet is named host by host" {
    fleet_fake execsnoop exit 1
    fleet_up web-1:role=web web-2:role=web
    fleet_stop agent-web-2
    certs agent web-1 --renew --days 10
    cp "$FLEET_DIR/certs/agents/web-1.pem" "$FLEET_DIR/agents/web-1/agent.pem"
    install -m 0600 -o "$FLEET_USER" "$FLEET_DIR/certs/agents/web-1.key" "$FLEET_DIR/agents/web-1/agent.key"
    kill -HUP "$(cat "$FLEET_DIR/pid/agent-web-1")"
    soon() { trawl doctor | grep -q "warn agents' certificates: 1 end within 30 days: web-1 (9 d)"; }
    fleet_wait 10 soon
    doctor
    [ "$status" -eq 0 ]
    [[ "$output" == *"warn hosts: 1 of 2 are offline: web-2 (last seen 20"* ]]
    line "warn replayed: 2 hosts replay recordings instead of tracing: web-1, web-2; take tool_dir out of agent.conf, unless this is a demonstration"
    line "ok   versions: every agent is of $("$FLEET_BIN/trawl" --version | cut -d' ' -f2)"
}

# bats test_tags=no-tsan
@test "a host where nothing fits together says so line by line" {
    fleet_up
    fleet_agent_make web-1 role=web
    local dir=$FLEET_DIR/agents/web-1
    sed -i "s|^tool_user.*|tool_user = nosuchuser|; s|^collector.*|collector = 127.0.0.1:1|; s|^tls_crl.*|tls_crl =|; s|^operators_ca.*|operators_ca = $dir/fleet-ca.pem|" "$dir/agent.conf"
    chown root "$dir/spool"
    certs agent db-1
    cp "$FLEET_DIR/certs/agents/db-1.pem" "$dir/agent.pem"
    agent_doctor
    [ "$status" -eq 1 ]
    line "FAIL tool_user: there is no user nosuchuser; useradd --system --no-create-home nosuchuser, or correct tool_user in the configuration"
    line "FAIL key fits: $dir/agent.key is not the key of the certificate $dir/agent.pem; use the two files that were issued together"
    line "FAIL identity: the certificate is for db-1, this host is web-1; correct host in the configuration, or use this host's certificate"
    line "warn fleet's revocation list: no revocation list: a stolen key stays good until its certificate ends; name the .crl in the configuration"
    line "FAIL operators' CA: $dir/fleet-ca.pem vouches for agents, too; name operators-ca.pem: whoever the fleet CA vouches for could order here otherwise"
    line "FAIL spool: $FLEET_USER cannot write to $dir/spool: Permission denied; install -d -m 700 -o $FLEET_USER $dir/spool"
    chown "$FLEET_USER" "$dir/agent.conf"
    chown root "$dir/agent.key"
    agent_doctor
    line "FAIL its owner: $dir/agent.conf must be owned by root and writable by nobody else; chown root, chmod 644: who writes it decides what root runs"
    line "FAIL tls_key: $dir/agent.key cannot be read by $FLEET_USER: Permission denied; let $FLEET_USER read it: look at its owner, its mode and the folders above"
}

# bats test_tags=no-tsan
@test "a host whose agent is revoked hears it from its own list" {
    fleet_up
    fleet_agent_make web-1 role=web
    certs revoke "$FLEET_DIR/certs/agents/web-1.pem"
    cp "$FLEET_DIR/certs/fleet.crl" "$FLEET_DIR/agents/web-1/"
    agent_doctor
    [ "$status" -eq 1 ]
    line "FAIL issuer: $FLEET_DIR/agents/web-1/agent.pem was revoked: $FLEET_DIR/agents/web-1/fleet.crl names it; issue another: certs/trawl-certs DIR agent web-1 --renew"
}

# shellcheck shell=sh
# A fleet on one machine: certificates, one collector, agents under several host names.  Sourced by deploy/quickstart and by
# the end-to-end tests.  Everything lives below $FLEET_DIR; every process that is started has a pid file there.
#
#   FLEET_DIR    where it lives; owned by root, writable by nobody else
#   FLEET_BIN    folder with trawl-collectord, trawl-runner, trawl-agentd, trawl
#   FLEET_CERTS  the trawl-certs script
#   FLEET_USER   the unprivileged user that agentd and the tools run as

: "${FLEET_USER:=nobody}"
fleet_name=quickstart

fleet_say() { printf '%s\n' "$*" >&2; }

# Two CAs and the certificates of a collector and an operator.
fleet_certs() {
    mkdir -p "$FLEET_DIR/certs" "$FLEET_DIR/log" "$FLEET_DIR/pid" "$FLEET_DIR/agents"
    if ! {
        "$FLEET_CERTS" "$FLEET_DIR/certs" init "$fleet_name" &&
            "$FLEET_CERTS" "$FLEET_DIR/certs" collector centre DNS:localhost IP:127.0.0.1 &&
            "$FLEET_CERTS" "$FLEET_DIR/certs" operator admin --role admin
    } >"$FLEET_DIR/log/certs" 2>&1; then
        cat "$FLEET_DIR/log/certs" >&2
        return 1
    fi
}

# fleet_collector_conf AGENTS_PORT CONSOLES_PORT    (0: any)
fleet_collector_conf() {
    cat >"$FLEET_DIR/collector.conf" <<EOF
fleet = $fleet_name
name = centre
listen = 127.0.0.1:$1
console_listen = 127.0.0.1:$2
tls_ca = $FLEET_DIR/certs/fleet-ca.pem
tls_cert = $FLEET_DIR/certs/collectors/centre.pem
tls_key = $FLEET_DIR/certs/collectors/centre.key
tls_crl = $FLEET_DIR/certs/fleet.crl
operators_ca = $FLEET_DIR/certs/operators-ca.pem
operators_crl = $FLEET_DIR/certs/operators.crl
store = $FLEET_DIR/store.sqlite
EOF
}

# fleet_wait SECONDS COMMAND…: until it succeeds, looked at up to ten times a second.
fleet_wait() {
    fleet_until=$(($(date +%s) + $1))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -le "$fleet_until" ] || return 1
        sleep 0.1
    done
}

# Ours, and not whoever has that number now: pid files outlive a reboot.
fleet_alive() { [ -s "$FLEET_DIR/pid/$1" ] && grep -qsF "$FLEET_BIN/" "/proc/$(cat "$FLEET_DIR/pid/$1")/cmdline"; }

# fleet_spawn NAME COMMAND…: in a session of its own, log and pid file by name.
fleet_spawn() {
    fleet_n=$1
    shift
    setsid "$@" >>"$FLEET_DIR/log/$fleet_n" 2>&1 </dev/null 3>&- 4>&- &
    echo $! >"$FLEET_DIR/pid/$fleet_n"
}


# Starts the collector and waits until it listens; the ports it got stay its ports.
fleet_collector_start() {
    fleet_lines=$(grep -c 'collector\.ready' "$FLEET_DIR/log/collector" 2>/dev/null) || fleet_lines=0
    fleet_spawn collector "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/collector.conf"
    fleet_wait 20 fleet_collector_is_ready "$fleet_lines" || {
        fleet_say "the collector did not start; its log ends:"
        tail -n 5 "$FLEET_DIR/log/collector" >&2
        return 1
    }
    fleet_ports=$(grep 'collector\.ready' "$FLEET_DIR/log/collector" | tail -n 1)
    fleet_agents_port=${fleet_ports##*agents=}
    fleet_agents_port=${fleet_agents_port%%[!0-9]*}
    fleet_consoles_port=${fleet_ports##*consoles=}
    fleet_consoles_port=${fleet_consoles_port%%[!0-9]*}
    fleet_collector_conf "$fleet_agents_port" "$fleet_consoles_port"
    cat >"$FLEET_DIR/console.conf" <<EOF
fleet = $fleet_name
collector = 127.0.0.1:$fleet_consoles_port
tls_ca = $FLEET_DIR/certs/fleet-ca.pem
cert = $FLEET_DIR/certs/operators/admin.pem
key = $FLEET_DIR/certs/operators/admin.key
EOF
}
fleet_collector_is_ready() { [ "$(grep -c 'collector\.ready' "$FLEET_DIR/log/collector")" -gt "$1" ]; }

# fleet_agent_make HOST LABELS [LINE…]: its certificate, folders and agent.conf; LINEs are added to the file.
fleet_agent_make() {
    fleet_h=$1 fleet_l=$2
    shift 2
    mkdir -p "$FLEET_DIR/agents/$fleet_h/spool"
    [ -e "$FLEET_DIR/certs/agents/$fleet_h.pem" ] ||
        "$FLEET_CERTS" "$FLEET_DIR/certs" agent "$fleet_h" >>"$FLEET_DIR/log/certs" 2>&1 || return 1
    for fleet_f in fleet-ca.pem operators-ca.pem operators.crl fleet.crl; do
        cp "$FLEET_DIR/certs/$fleet_f" "$FLEET_DIR/agents/$fleet_h/"
    done
    cp "$FLEET_DIR/certs/agents/$fleet_h.pem" "$FLEET_DIR/agents/$fleet_h/agent.pem"
    install -m 0600 -o "$FLEET_USER" "$FLEET_DIR/certs/agents/$fleet_h.key" "$FLEET_DIR/agents/$fleet_h/agent.key"
    chown "$FLEET_USER" "$FLEET_DIR/agents/$fleet_h/spool"
    chmod 0700 "$FLEET_DIR/agents/$fleet_h/spool"
    {
        cat <<EOF
fleet = $fleet_name
host = $fleet_h
labels = $fleet_l
collector = 127.0.0.1:$fleet_agents_port
tls_ca = $FLEET_DIR/agents/$fleet_h/fleet-ca.pem
tls_cert = $FLEET_DIR/agents/$fleet_h/agent.pem
tls_key = $FLEET_DIR/agents/$fleet_h/agent.key
tls_crl = $FLEET_DIR/agents/$fleet_h/fleet.crl
operators_ca = $FLEET_DIR/agents/$fleet_h/operators-ca.pem
operators_crl = $FLEET_DIR/agents/$fleet_h/operators.crl
spool_dir = $FLEET_DIR/agents/$fleet_h/spool
agentd = $FLEET_BIN/trawl-agentd
user = $FLEET_USER
tool_user = $FLEET_USER
EOF
        for fleet_line; do printf '%s\n' "$fleet_line"; done
    } >"$FLEET_DIR/agents/$fleet_h/agent.conf"
    chmod 0644 "$FLEET_DIR/agents/$fleet_h/agent.conf"
}

fleet_agent_start() { fleet_spawn "agent-$1" "$FLEET_BIN/trawl-runner" --config "$FLEET_DIR/agents/$1/agent.conf"; }

fleet_trawl() { TRAWL_CONFIG="$FLEET_DIR/console.conf" "$FLEET_BIN/trawl" "$@"; }

# fleet_online N: N hosts are connected.
fleet_online() { [ "$(fleet_trawl hosts -o csv 2>/dev/null | grep -c ',online,')" -eq "$1" ]; }

# fleet_stop NAME [SIGNAL]: ends what fleet_spawn started, waits, and insists with SIGKILL.
fleet_stop() {
    fleet_alive "$1" || { rm -f "$FLEET_DIR/pid/$1"; return 0; }
    fleet_pid=$(cat "$FLEET_DIR/pid/$1")
    kill "-${2:-TERM}" "$fleet_pid" 2>/dev/null || true
    fleet_wait 10 fleet_gone "$fleet_pid" || kill -KILL "$fleet_pid" 2>/dev/null || true
    rm -f "$FLEET_DIR/pid/$1"
}
fleet_gone() { ! kill -0 "$1" 2>/dev/null || [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" = Z ]; }

fleet_down() {
    for fleet_p in "$FLEET_DIR"/pid/*; do
        [ -e "$fleet_p" ] || continue
        fleet_stop "$(basename "$fleet_p")"
    done
}

# What the end-to-end tests share: a fleet of the real programs on loopback.  TRAWL_BIN is the build's bin folder (ctest sets it).
# The fleet lives below /var/lib, because every folder above a tool must be writable by root only.

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
: "${TRAWL_BIN:=$TOP/build/dev/bin}"
bats_require_minimum_version 1.5.0

# jq -e of nothing at all is no success; Debian's says it is one.
jq() {
    local out status=0
    out=$(command jq "$@") || status=$?
    [ -z "$out" ] || printf '%s\n' "$out"
    if [ "$1" = -e ] && [ -z "$out" ]; then return 4; fi
    return "$status"
}

need_root() { [ "$(id -u)" -eq 0 ] || skip "needs root: the executor makes namespaces and changes users"; }

# Can this kernel run the libbpf tools?  Not: say so in one line.
need_bpf() {
    need_root
    command -v runqlat >/dev/null || skip "libbpf-tools are not installed"
    timeout -s KILL 20 runqlat 1 1 >/dev/null 2>"$BATS_RUN_TMPDIR/bpf" || skip "this kernel does not run runqlat: $(tail -n 1 "$BATS_RUN_TMPDIR/bpf")"
}

# fleet_up [HOST:LABELS…]: certificates, collector, agents; FLEET_LINES are added to each agent.conf.
fleet_up() {
    need_root
    FLEET_DIR=$(mktemp -d /var/lib/trawl-test.XXXXXX)
    chmod 0755 "$FLEET_DIR"
    FLEET_BIN=$FLEET_DIR/root/bin
    : "${FLEET_CERTS:=$TOP/certs/trawl-certs}"
    export FLEET_DIR FLEET_BIN FLEET_CERTS
    . "$TOP/deploy/fleet.sh"
    mkdir -p "$FLEET_BIN"
    install -m 0755 "$TRAWL_BIN"/trawl "$TRAWL_BIN"/trawl-collectord "$TRAWL_BIN"/trawl-runner "$TRAWL_BIN"/trawl-agentd "$FLEET_BIN"
    certs_of_the_file "$@"
    fleet_collector_conf 0 0
    fleet_collector_start
    local host
    for host in "$@"; do
        fleet_agent_make "${host%%:*}" "${host#*:}" "${FLEET_LINES[@]}"
        fleet_agent_start "${host%%:*}"
    done
    fleet_wait 30 fleet_online $#
}

# Making keys takes its time: the fleets of one file begin with the same ones, unless a test has a script of its own.
certs_of_the_file() {
    local made=$BATS_FILE_TMPDIR/${FLEET_CERTS##*/} host
    [ -d "$made" ] || FLEET_DIR=$made fleet_certs
    for host in "${@%%:*}"; do
        [ -e "$made/certs/agents/$host.pem" ] || "$FLEET_CERTS" "$made/certs" agent "$host" >/dev/null
    done
    cp -a "$made/." "$FLEET_DIR"
}

# A fleet of three on this kernel.  A machine that builds or tests besides may be over any budget: 40-harm tests that.
fleet_of_three() {
    FLEET_LINES+=("max_cost = 0%")
    fleet_up web-1:role=web,zone=a web-2:role=web,zone=b db-1:role=db,zone=a
}

# fleet_fake TOOL MODE [ARG…]: makes FLEET_LINES let agents find only this fake; call it before fleet_up.
fleet_fake() {
    FAKE_DIR=$(mktemp -d /var/lib/trawl-fake.XXXXXX)
    chmod 0755 "$FAKE_DIR"
    "$TOP/tests/fake/fake.sh" "$FAKE_DIR" "$1" "$TRAWL_BIN/fake_tool" "${@:2}"
    FLEET_LINES+=("tool_dir = $FAKE_DIR")
}

teardown() {
    if [ -n "${FLEET_DIR:-}" ]; then
        if [ "${BATS_TEST_COMPLETED:-}" != 1 ] && [ -z "${BATS_TEST_SKIPPED:-}" ]; then
            tail -n 15 "$FLEET_DIR"/log/* >&2 || true
        fi
        fleet_down
        ! grep -hE 'ThreadSanitizer|AddressSanitizer|LeakSanitizer|runtime error|assertion|Assertion' "$FLEET_DIR"/log/* >&2 || sanitizer_spoke=1
        rm -rf "$FLEET_DIR"
    fi
    if [ -n "${FAKE_DIR:-}" ]; then rm -rf "$FAKE_DIR"; fi
    [ -z "${sanitizer_spoke:-}" ]
}

trawl() { fleet_trawl "$@"; }

# fleet_outside: the collector of this fleet listens for callers from outside, at HTTP_PORT; call and with_token talk to it.
TOKEN=0123456789abcdef0123456789abcdef
fleet_outside() {
    local lines
    (umask 077 && echo $TOKEN >"$FLEET_DIR/token")
    printf 'http_listen = 127.0.0.1:0\nhttp_token_file = %s\n' "$FLEET_DIR/token" >>"$FLEET_DIR/collector.conf"
    fleet_stop collector
    lines=$(grep -c 'collector\.ready' "$FLEET_DIR/log/collector")
    fleet_spawn collector "$FLEET_BIN/trawl-collectord" --config "$FLEET_DIR/collector.conf"
    fleet_wait 20 fleet_collector_is_ready "$lines"
    HTTP_PORT=$(grep 'collector\.ready' "$FLEET_DIR/log/collector" | tail -n 1 | sed 's/.*http=\([0-9]*\).*/\1/')
}
call() { # METHOD PATH [curl arguments…]: what comes back, then the status
    local method=$1 path=$2
    shift 2
    curl -sS --path-as-is --max-time 30 --cacert "$FLEET_DIR/certs/fleet-ca.pem" -X "$method" -w '\n%{http_code}\n' "$@" \
        "https://localhost:$HTTP_PORT$path"
}
with_token() { call "$@" -H "Authorization: Bearer $TOKEN"; }

# json EXPRESSION: of $output (or a file named JSON), with jq -e: fails when it is false or null.
json() { jq -e "$1" <<<"$output"; }

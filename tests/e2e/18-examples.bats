#!/usr/bin/env bats
# As a new user would: what each verb's --help gives as an example is typed as it stands there.
load lib

fake() { "$TOP/tests/fake/fake.sh" "$FAKE_DIR" "$1" "$TRAWL_BIN/fake_tool" replay "$TOP/tests/golden/$1/$2.txt" "${3:-0}"; }

# The lines below "example:".
examples_of() { "$TRAWL_BIN/trawl" "$1" --help | sed -n '/^example:/,$s/^  //p'; }

# typed LINE: by a shell in a folder of its own, where `trawl` is ours.
typed() {
    mkdir -p "$FLEET_DIR/home"
    (cd "$FLEET_DIR/home" && PATH=$FLEET_BIN:$PATH TRAWL_CONFIG=$FLEET_DIR/console.conf timeout 60 bash -c "$1")
}

# The newest campaign is one that the verb's example can be asked of.
ready_for() {
    case $1 in
    hist) trawl run biolatency --for 1s >/dev/null ;;
    top | events) trawl run execsnoop --for 1s >/dev/null ;;
    connections) trawl run tcpconnlat --for 1s >/dev/null ;;
    stacks | flame) trawl run offcputime --for 1s >/dev/null ;;
    export | diff | outliers | merge) trawl run runqlat --for 1s >/dev/null ;;
    pause | resume | stop) trawl run runqlat --for 1s --at +60s --detach >/dev/null ;;
    retry)
        "$TOP/tests/fake/fake.sh" "$FAKE_DIR" runqlat "$TRAWL_BIN/fake_tool" exit 1
        trawl run runqlat --for 1s >/dev/null || true
        fake runqlat 6.1-libbpf-host_cpu8
        ;;
    watch) trawl run runqlat --for 1s --detach >/dev/null ;;
    esac
    case $1 in
    resume) trawl pause last >/dev/null ;;
    parse) cp "$TOP/tests/golden/runqlat/6.1-bcc-w5.txt" "$FLEET_DIR/home/out.txt" ;;
    merge) trawl export last --format bundle -O "$FLEET_DIR/home/incident.bundle" ;;
    esac
}

after() {
    case $1 in
    lockdown) trawl lockdown lift >/dev/null ;;
    pause | resume) trawl stop last >/dev/null ;;
    esac
}

@test "the example of every verb's help works as printed" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fake biolatency 6.1-libbpf-D
    fake execsnoop 6.1-libbpf-INT
    fake tcpconnlat 6.1-libbpf-INT
    fake offcputime 6.1-libbpf-host_idle
    fleet_up web-1:role=web,zone=a db-1:role=db,zone=b
    mkdir -p "$FLEET_DIR/home"
    local verb line
    for verb in $("$TRAWL_BIN/trawl" --help | awk '/^  [a-z]/ && $1 != "trawl" { print $1 }'); do
        [ "$verb" != doctor ] || continue
        ready_for "$verb"
        line=$(examples_of "$verb" | head -n 1)
        echo "# $line"
        [[ "$line" == "trawl $verb"* ]]
        run typed "$line"
        echo "$output"
        [ "$status" -eq 0 ]
        after "$verb"
    done
}

@test "the other examples of run are orders that a fleet takes" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fake biolatency 6.1-libbpf-D
    fleet_up web-1:role=web,zone=a
    local line
    while read -r line; do
        run typed "$line --detach"
        echo "$output"
        [ "$status" -eq 0 ]
        trawl stop last >/dev/null
    done < <(examples_of run | tail -n +2)
}

# It looks at /etc/trawl: this host's is made in a view of its own.
@test "doctor's example looks at this host's agent.conf" {
    fleet_up web-1:role=web
    cp -a /etc "$FLEET_DIR/etc"
    mkdir -p "$FLEET_DIR/etc/trawl"
    cp -a "$FLEET_DIR/agents/web-1/." "$FLEET_DIR/etc/trawl"
    local line
    line=$(examples_of doctor | head -n 1)
    unshare -m true 2>/dev/null || skip "no mount namespaces here"
    run unshare -m sh -c "mount --bind $FLEET_DIR/etc /etc && PATH=$FLEET_BIN:\$PATH TRAWL_CONFIG=$FLEET_DIR/console.conf timeout 60 $line"
    echo "$output"
    [[ "$output" == *"agent.conf"* && "$output" != *"No such file"* ]]
    [ "$status" -le 1 ] # it may find something to complain of here
}

#!/usr/bin/env bats
# Every tool in every flavour, through the whole system on this machine's kernel: what preflight says can run gives a correct capture
# of a workload of our making, and what it says cannot run is incapable for that reason before anything is started.
# Global counters of the kernel are read before all and after all of a capture (outer) and around the workload (inner): what a tool
# counted lies between.
load lib

READS=40 READ_BYTES=4096 PROGRAMS=/usr/share/trawl/bpftrace

setup_file() {
    [ "$(id -u)" -eq 0 ] || return 0
    if ! grep -qs ' /sys/kernel/tracing tracefs ' /proc/mounts && mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; then
        touch "$BATS_FILE_TMPDIR/mounted"
    fi
    [ -d "$PROGRAMS" ] || install -D -m 0755 -t "$PROGRAMS" "$BATS_TEST_DIRNAME"/../../agent/bpftrace/*.bt && touch "$BATS_FILE_TMPDIR/installed"
}

teardown_file() {
    [ ! -e "$BATS_FILE_TMPDIR/mounted" ] || umount /sys/kernel/tracing
    if [ -e "$BATS_FILE_TMPDIR/installed" ]; then
        rm -rf "$PROGRAMS"
        rmdir "${PROGRAMS%/*}" 2>/dev/null || true # others have something there
    fi
}

setup() {
    need_bpf
    FLEET_LINES=("max_cost = 0%" "max_concurrent = 20")
    fleet_up h:role=test
    CAN=$FLEET_DIR/can
    trawl hosts -o json | jq -r '.hosts[0].tools[] | select(.runnable) | "\(.tool):\(.flavour)"' >"$CAN"
    coproc LOAD { exec "$TRAWL_BIN/workload" 3>&- 4>&-; }
    LOADER=$LOAD_PID
}

teardown_load() {
    local pid
    for pid in ${LOADER:-} ${BURN:-}; do kill -9 "$pid" 2>/dev/null || true; done
    [ -z "${DISK:-}" ] || losetup -d "/dev/$DISK"
}
eval "fleet_teardown() $(declare -f teardown | tail -n +2)"
teardown() {
    teardown_load
    fleet_teardown
}

# load WORDS…: what there is to find goes to $REPLY.
load_says() {
    echo "$*" >&"${LOAD[1]}"
    read -r -t 60 REPLY <&"${LOAD[0]}"
}

# ---- captures: several at a time, all under way before the workload begins ----

# begin TOOL PARAMETER…: one for $SECONDS_EACH with each of those of its FLAVOURS that can run here.
begin() {
    local tool=$1 one id
    shift
    for one in $(grep -E "^$tool:($FLAVOURS)$" "$CAN"); do
        id=$(trawl run "$tool" --flavour "${one#*:}" --for "${SECONDS_EACH}s" --detach "$@" 2>/dev/null | grep -oE '[0-9a-f]{32}')
        BEGUN[$one]=$id
        echo "$one $id"
    done
}
# all CONDITION: it is true of the coverage of every capture; they are the newest campaigns.
all() {
    trawl campaigns -n "${#BEGUN[@]}" -o json 2>/dev/null | jq -e "[.campaigns[].coverage | $1] | all"
}

# capture NAME: begin_NAME begins the captures, those first that compile first; work_NAME is the workload.  Again with more time, when
# one was over before the workload was: a machine may be as slow as it likes to be.
capture() {
    local name=$1
    for SECONDS_EACH in 20 60 180; do
        declare -gA BEGUN=()
        snapshot outer-1
        for FLAVOURS in 'bcc|bpftrace' libbpf; do
            "begin_$name"
            fleet_wait 120 all '.pending == 0'
        done
        [ "${#BEGUN[@]}" -gt 0 ]
        snapshot inner-1
        "work_$name"
        snapshot inner-2
        if all '.running == 1'; then
            fleet_wait $((SECONDS_EACH + 60)) all '.running == 0'
            snapshot outer-2
            return
        fi
        echo "not all of them were under way for the workload, within $SECONDS_EACH s"
        fleet_wait $((SECONDS_EACH + 60)) all '.running == 0'
    done
    return 1
}

# Counters of everything, a line each.
snapshot() {
    {
        awk '$1 ~ /^[0-9]+:$/ { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { printf "hardirqs %.0f\n", n }' /proc/interrupts
        awk 'NR > 1 { for (i = 2; i <= NF; i++) n += $i } END { printf "softirqs %.0f\n", n }' /proc/softirqs
        echo "ms $(($(date +%s%N) / 1000000))"
        if [ -n "${BURN:-}" ]; then
            awk '{ printf "cpu_ms %.0f\n", ($14 + $15) * 1000 / '"$(getconf CLK_TCK)"' }' "/proc/$BURN/stat"
            cat /proc/"$BURN"/task/*/schedstat | awk '{ n += $2 } END { printf "wait_ms %.0f\n", n / 1e6 }'
        fi
    } >"$FLEET_DIR/$1"
}
at() { sed -n "s/^$2 //p" "$FLEET_DIR/$1"; }
inner() { echo $(($(at inner-2 "$1") - $(at inner-1 "$1"))); }
outer() { echo $(($(at outer-2 "$1") - $(at outer-1 "$1"))); }

# between LOW VALUE HIGH WHAT
between() {
    echo "$4: $1 <= $2 <= $3"
    [ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}

# answer TOOL:FLAVOUR: the capture's into $ANSWER; it is ok, of that flavour, and says what it cost.
answer() {
    local tool=${1%%:*} verb=events
    case $(trawl tools "$tool" -o json | jq -r '.tools[0].kind') in histogram) verb=hist ;; stacks) verb=stacks ;; esac
    ANSWER=$(trawl "$verb" "${BEGUN[$1]}" -o json)
    echo "$1: $(jq -c '[.coverage.ok, .targets, .ledger]' <<<"$ANSWER")"
    jq -e --arg flavour "${1#*:}" '.coverage.ok == 1 and .measured[0].outcome.flavour == $flavour and
        .measured[0].outcome.flavour_why == "it was asked for" + (.measured[0].outcome.flavour_why | ltrimstr("it was asked for")) and
        .measured[0].outcome.cpu_seconds > 0 and .measured[0].outcome.peak_rss_bytes > 0' <<<"$ANSWER" >/dev/null
}
count() { jq -r "$1" <<<"$ANSWER"; }
# How many rows fulfil a condition.
rows() { count "[.events[] | select($1)] | length"; }

# each TOOL CHECK: of all its captures.
each() {
    local one
    for one in "${!BEGUN[@]}"; do
        [ "${one%%:*}" = "$1" ] || continue
        answer "$one"
        "$2" "${one#*:}"
        echo "$one: right"
    done
}

# ---- disks ----

begin_disk() {
    begin biolatency --disk "$DISK"
    begin biosnoop
    begin bitesize
    begin ext4slower --min-ms 0 --pid "$LOADER"
    begin fileslower --min-ms 0 --pid "$LOADER"
    begin cachestat
}
work_disk() {
    load_says read "/dev/$DISK" "$READS" "$READ_BYTES"
    load_says read "$FLEET_DIR/file" "$READS" "$READ_BYTES"
    load_says cold "$FLEET_DIR/file"
    PAGES=$REPLY
}

biolatency_is_right() { between "$READS" "$(count '[.histograms[] | select(.section.disk == "'"$DISK"'").total] | add')" "$READS" I/Os; }
biosnoop_is_right() {
    local mine='(.DISK == "'"$DISK"'" or .DISK == "'"$NUMBER"'") and .T[0:1] == "R"'
    between "$READS" "$(rows "$mine")" "$READS" reads
    between $((READS * READ_BYTES)) "$(count "[.events[] | select($mine).BYTES] | add")" $((READS * READ_BYTES)) bytes
    between "$READS" "$(rows "$mine and .COMM == \"twl-load\" and .PID == $LOADER")" "$READS" "reads of the workload's"
}
# Those of the loop device, and those of the file and the cold pages that go to its disk; the file system may read of its own for the
# workload besides, where the file's blocks are.
bitesize_is_right() {
    local four='[.histograms[] | select(.section["Process Name"] == "twl-load").buckets[] | select(.low == 4).count] | add'
    between $((2 * READS)) "$(count "$four")" $((2 * READS + PAGES + 16)) "I/Os of 4 KB"
}
slow_rows() { echo ".FILENAME == \"file\" and .$1 == \"R\" and .BYTES == $READ_BYTES"; }
ext4slower_is_right() { between $((READS + PAGES)) "$(rows "$(slow_rows T)")" $((READS + PAGES)) reads; }
fileslower_is_right() { between $((READS + PAGES)) "$(rows "$(slow_rows D)")" $((READS + PAGES)) reads; }
# Others read files too: there is no upper bound.
cachestat_is_right() { between "$PAGES" "$(count '[.events[].MISSES] | add')" 1000000000 misses; }

@test "disk tools see every read of a known size" {
    truncate -s 4M "$FLEET_DIR/image"
    dd if=/dev/zero of="$FLEET_DIR/file" bs=1M count=2 conv=fsync status=none
    DISK=$(losetup -f --show "$FLEET_DIR/image" 2>/dev/null) || skip "there are no loop devices"
    DISK=${DISK#/dev/}
    NUMBER=$(cat "/sys/class/block/$DISK/dev")
    capture disk
    each biolatency biolatency_is_right
    each biosnoop biosnoop_is_right
    each bitesize bitesize_is_right
    if [ "$(stat -f -c %T "$FLEET_DIR")" = ext2/ext3 ]; then each ext4slower ext4slower_is_right; fi
    each fileslower fileslower_is_right
    each cachestat cachestat_is_right
}

# ---- network and processes ----

begin_net() {
    begin tcpconnlat --pid "$LOADER"
    begin tcpstates
    begin tcpretrans
    begin tcpdrop
    begin tcprtt --local-port "$ECHO_PORT"
    begin gethostlatency
    begin execsnoop
}
work_net() {
    load_says connect 4 9 && PORT4=$REPLY
    load_says connect 6 5 && PORT6=$REPLY
    load_says refused 6 && CLOSED=$REPLY
    load_says echo 50
    load_says lookup 8 localhost
    load_says exec 7 twl-was-here
    load_says resend 8 && read -r AGAIN_PORT AGAIN <<<"$REPLY"
}

tcpconnlat_is_right() {
    between 9 "$(rows ".DADDR == \"127.0.0.1\" and .DPORT == $PORT4 and .PID == $LOADER and .IP == 4 and .[\"LAT(ms)\"] >= 0")" 9 "IPv4 connections"
    between 5 "$(rows ".DADDR == \"::1\" and .DPORT == $PORT6 and .COMM == \"twl-load\" and .IP == 6")" 5 "IPv6 connections"
    between 6 "$(rows ".DPORT == $CLOSED")" 6 "refused connections"
}
tcpstates_is_right() {
    between 9 "$(rows ".RPORT == $PORT4 and .OLDSTATE == \"CLOSE\" and .NEWSTATE == \"SYN_SENT\"")" 9 "begun"
    between 9 "$(rows ".RPORT == $PORT4 and .OLDSTATE == \"SYN_SENT\" and .NEWSTATE == \"ESTABLISHED\"")" 9 "established"
    between 5 "$(rows ".RPORT == $PORT6 and .OLDSTATE == \"SYN_SENT\" and .NEWSTATE == \"ESTABLISHED\"")" 5 "established, IPv6"
    between 9 "$(rows ".RPORT == $PORT4 and .OLDSTATE == \"ESTABLISHED\"")" 9 "closed"
}
tcpretrans_is_right() { between "$AGAIN" "$(rows ".[\"RADDR:RPORT\"] == \"127.0.0.1:$AGAIN_PORT\" and .STATE == \"SYN_SENT\"")" "$AGAIN" "sent again"; }
tcpdrop_is_right() {
    between 6 "$(rows ".[\"DADDR:DPORT\"] == \"127.0.0.1:$CLOSED\" and .FLAGS == \"SYN\" and (.stack | length) > 0")" 6 "SYNs to a closed port"
}
# Each byte there is a segment received; acknowledgements of their own may come besides.
tcprtt_is_right() { between 50 "$(count '[.histograms[].total] | add')" 200 "segments"; }
gethostlatency_is_right() { between 8 "$(rows ".HOST == \"localhost\" and .PID == $LOADER")" 8 look-ups; }
execsnoop_is_right() { between 7 "$(rows '(.ARGS | endswith("true twl-was-here")) and .RET == 0 and .PPID == '"$LOADER")" 7 programs; }

@test "network and process tools see every connection, segment, look-up and program" {
    load_says listen
    ECHO_PORT=$REPLY
    capture net
    each tcpconnlat tcpconnlat_is_right
    each tcpstates tcpstates_is_right
    each tcpretrans tcpretrans_is_right
    each tcpdrop tcpdrop_is_right
    each tcprtt tcprtt_is_right
    each gethostlatency gethostlatency_is_right
    each execsnoop execsnoop_is_right
}

# ---- CPU ----

begin_cpu() {
    begin runqlat --pid "$BURN"
    begin cpudist --pid "$BURN"
    begin profile --pid "$BURN"
    begin runqlen
    begin offcputime --pid "$LOADER"
    begin hardirqs
    begin softirqs
}
work_cpu() { load_says nap 50 $((SECONDS_EACH * 10)); }

# What the buckets of a histogram of microseconds add up to, at least and at most, in milliseconds.
least_ms() { count '[.histograms[].buckets[] | .low * .count] | (add // 0) / 1000 | floor'; }
most_ms() { count '[.histograms[].buckets[] | (.high // .low) * .count] | (add // 0) / 1000 | ceil'; }
# Between the kernel's own figures; what was under way when the capture began or ended is not in it.
has_time() {
    local least most
    least=$(least_ms) most=$(most_ms)
    echo "$1: $(inner "$1") inside, $(outer "$1") in all; $least to $most in the capture"
    [ "$least" -le "$(outer "$1")" ] && [ "$most" -ge $(($(inner "$1") * 8 / 10)) ]
}
runqlat_is_right() { has_time wait_ms; }
cpudist_is_right() { has_time cpu_ms; }
# Samples at 49 Hz of the CPU time that it got.
profile_is_right() { between $(($(inner cpu_ms) * 49 * 8 / 10000)) "$(count .total)" $(($(outer cpu_ms) * 49 * 11 / 10000 + 5)) samples; }
# Samples at 99 Hz on every CPU; while one of the three threads runs, two wait.
runqlen_is_right() {
    between $(($(inner ms) * 99 * CPUS * 8 / 10000)) "$(count '[.histograms[].total] | add')" $(($(outer ms) * 99 * CPUS * 11 / 10000 + 5)) samples
    between $(($(inner cpu_ms) * 99 * 7 / 10000)) "$(count '[.histograms[].buckets[] | select(.low >= 2).count] | add // 0')" 1000000000 "samples of two and more"
}
# The workload sleeps in naps and when it waits for its input.
offcputime_is_right() { between $(($(inner ms) * 8 / 10)) "$(count '.total / 1000 | floor')" "$(outer ms)" "ms asleep"; }
hardirqs_is_right() { between "$(inner hardirqs)" "$(count '[.histograms[].total] | add // 0')" "$(outer hardirqs)" interrupts; }
softirqs_is_right() { between "$(inner softirqs)" "$(count '[.histograms[].total] | add // 0')" "$(outer softirqs)" "soft interrupts"; }

@test "CPU tools find the time of a process as the kernel accounts it, and every interrupt" {
    CPUS=$(nproc)
    "$TRAWL_BIN/workload" burn 0 3 3>&- 4>&- &
    BURN=$!
    capture cpu
    each runqlat runqlat_is_right
    each cpudist cpudist_is_right
    each profile profile_is_right
    each runqlen runqlen_is_right
    each offcputime offcputime_is_right
    each hardirqs hardirqs_is_right
    each softirqs softirqs_is_right
}

@test "what cannot run here is incapable for the reason that was foretold, before anything is started" {
    local tool flavour why
    trawl hosts -o json | jq -r '.hosts[0].tools[] | select(.runnable | not) | [.tool, .flavour, .why] | @tsv' >"$FLEET_DIR/cannot"
    while IFS=$'\t' read -r tool flavour why; do
        run --separate-stderr trawl run "$tool" --flavour "$flavour" --for 1s -o json
        [ "$status" -eq 1 ]
        jq -e --arg why "$flavour: $why" '.coverage.incapable == 1 and .targets[0].reason == $why' <<<"$output"
    done <"$FLEET_DIR/cannot"
    ! grep -h 'run\.started' "$FLEET_DIR/log/agent-h"
}

@test "all twenty tools run here in some flavour, the one that plan names" {
    local tool
    for tool in $(trawl tools -o csv | sed '1d; s/,.*//'); do
        run --separate-stderr trawl plan "$tool" -o json
        echo "$output"
        if ! grep -q "^$tool:" "$CAN"; then
            grep -q "^$tool cannot run on this kernel: " "$TOP/docs/tools.md"
            continue
        fi
        json '.hosts[0].state == "ok" and .hosts[0].why != null and .hosts[0].cost != null'
        grep -qx "$tool:$(jq -r '.hosts[0].flavour' <<<"$output")" "$CAN"
    done
    run --separate-stderr trawl hosts -o wide
    [ "$(grep -c '^h ' <<<"$output")" -eq 20 ]
}

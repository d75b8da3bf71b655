# shellcheck shell=bash
# What each tool must say of a known workload: sourced by tests that run real tools.
#
#   known_prepare DIR      DIR is on ext4; makes the file that is read and the program that is executed
#   known_tool TOOL        sets known_args (parameters of the capture), known_what (the workload in words), known_check (jq, over the
#                          answer of trawl run TOOL -n 0 -o json: true when it has counted the workload)
#   known_load TOOL        the workload itself, once (known.py); KNOWN_SECONDS at most, when the tool is attached
#
# KNOWN_SECONDS  how long the capture lasts
# Counts are exact where the workload can be told from what else happens; else at least so many.

: "${KNOWN_SECONDS:=5}"
known_port=7311 known_name=127.0.0.9
known_py=$(dirname "${BASH_SOURCE[0]}")/known.py

known_prepare() {
    known_dir=$1 known_file=$1/known-data known_program=$1/known-prog
    dd if=/dev/urandom of="$known_file" bs=1M count=4 conv=fsync status=none
    install -m 0755 /bin/true "$known_program"
}

# shellcheck disable=SC2034,SC2016  # for those who source this; $ is jq's
known_tool() {
    known_args=()
    case $1 in
    runqlat) known_what="4 tasks compute on one CPU: 100 waits of 1 ms and more"
        known_check='[.histograms[].buckets[] | select(.low >= 1000) | .count] | add >= 100' ;;
    cpudist) known_what="4 tasks compute on one CPU: 100 runs of 1 ms and more"
        known_check='[.histograms[].buckets[] | select(.low >= 1000) | .count] | add >= 100' ;;
    runqlen) known_what="4 tasks compute on one CPU: 100 samples of 2 and more that wait"
        known_check='[.histograms[].buckets[] | select(.low >= 2) | .count] | add >= 100' ;;
    hardirqs) known_what="50 reads of a disk: as many of its interrupts"
        known_check='[.histograms[] | select(.section.hardirq | test("req|blk|nvme|ahci")) | .total] | add >= 50' ;;
    softirqs) known_what="200 datagrams over loopback: as many of net_rx"
        known_check='[.histograms[] | select(.section.softirq == "net_rx") | .total] | add >= 200' ;;
    profile) known_what="a task computes for 3 s: 147 samples at 49 Hz, give or take a third"
        known_check='[.stacks[] | select(.comm == "known-load") | .count] | add | . >= 98 and . <= 196' ;;
    offcputime) known_args=(--min-us 90000) known_what="20 sleeps of 100 ms: 2 s, and less than half as much again for waking up"
        known_check='[.stacks[] | select(.comm == "known-load") | .count] | add | . >= 2000000 and . < 3000000' ;;
    biolatency) known_what="50 reads of a disk: 50 and more of one disk"
        known_check='[.histograms[].total] | max >= 50' ;;
    bitesize) known_what="50 reads of 16 KB: 50 in that slot of that process"
        known_check='[.histograms[] | select(.section["Process Name"] == "known-load") | .buckets[] | select(.low == 16) | .count] | add == 50' ;;
    biosnoop) known_what="50 reads of 16 KB: 50 rows of that size, process and kind"
        known_check='[.events[] | select(.COMM == "known-load" and .BYTES == 16384 and (.T | startswith("R")))] | length == 50' ;;
    ext4slower) known_args=(--min-ms 0) known_what="50 reads of 16 KB of one file: 50 rows of it"
        known_check='[.events[] | select(.COMM == "known-load" and .FILENAME == "known-data" and .BYTES == 16384 and .T == "R")] | length == 50' ;;
    fileslower) known_args=(--min-ms 0) known_what="50 reads of 16 KB of one file: 50 rows of it"
        known_check='[.events[] | select(.COMM == "known-load" and .FILENAME == "known-data" and .BYTES == 16384 and .D == "R")] | length == 50' ;;
    cachestat) known_what="4 MiB read that are not in the cache: 1024 pages missed and more"
        known_check='[.events[].MISSES] | add >= 1024' ;;
    tcpconnlat) known_what="23 connections to one port: 23 rows"
        known_check='[.events[] | select(.COMM == "known-load" and .DPORT == 7311)] | length == 23' ;;
    tcpstates) known_what="23 connections to one port: 23 times SYN_SENT -> ESTABLISHED"
        known_check='[.events[] | select(.RPORT == 7311 and .OLDSTATE == "SYN_SENT" and .NEWSTATE == "ESTABLISHED")] | length == 23' ;;
    tcpretrans) known_what="5 connections that are not heard: each sends again from a port of its own"
        known_check='[.events[] | select((.["RADDR:RPORT"] | endswith(":7311")) and .STATE == "SYN_SENT") | .["LADDR:LPORT"]] | unique | length == 5' ;;
    tcpdrop) known_what="23 connections to a closed port: 23 rows of it, each with its stack"
        known_check='[.events[] | select((.["DADDR:DPORT"] | endswith(":7311")) and (.stack | length) > 0)] | length == 23' ;;
    tcprtt) known_what="200 bytes there and back: as many segments on both ends"
        known_check='[.histograms[].total] | add >= 400' ;;
    gethostlatency) known_what="23 look-ups of one name: 23 rows"
        known_check='[.events[] | select(.COMM == "known-load" and .HOST == "127.0.0.9")] | length == 23' ;;
    execsnoop) known_what="23 runs of one program: 23 rows"
        known_check='[.events[] | select((.PCOMM // .COMM) == "known-prog")] | length == 23' ;;
    *) return 1 ;;
    esac
}

known_load() {
    case $1 in
    runqlat | cpudist | runqlen) set -- spin 4 3 ;;
    profile) set -- spin 1 3 ;;
    offcputime) set -- nap 100 20 ;;
    hardirqs | biolatency | bitesize | biosnoop | ext4slower | fileslower) set -- read "$known_file" 16384 50 ;;
    cachestat) set -- cached "$known_file" 16384 256 ;;
    softirqs) set -- packets 200 ;;
    tcpconnlat | tcpstates) set -- connect $known_port 23 ;;
    tcpretrans) set -- unheard $known_port 5 3 ;;
    tcpdrop) set -- refused $known_port 23 ;;
    tcprtt) set -- pingpong $known_port 200 ;;
    gethostlatency) set -- lookup $known_name 23 ;;
    execsnoop) set -- exec "$known_program" 23 ;;
    esac
    timeout 60 python3 "$known_py" "$@"
}

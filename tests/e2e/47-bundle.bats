#!/usr/bin/env bats
# Evidence: a campaign in one file, merged again without a collector to the same bytes; a changed byte is found.
load lib

fake() { "$TOP/tests/fake/fake.sh" "$FAKE_DIR" "$1" "$TRAWL_BIN/fake_tool" replay "$TOP/tests/golden/$1/$2.txt" 0; }

# offline WORDS…: without a configuration, so without a collector.
offline() { (cd / && env -u TRAWL_CONFIG HOME=/nonexistent "$FLEET_BIN/trawl" "$@"); }

# same TOOL VERB [OPTION…]: the bundle's answer is the collector's.
same() {
    local bundle=$FLEET_DIR/$1.bundle
    trawl run "$1" --for 1s "${@:3}" >/dev/null
    trawl export last --format bundle -O "$bundle"
    [ "$(stat -c %a "$bundle")" = 600 ]
    offline merge "$bundle" -o json >"$FLEET_DIR/offline" 2>"$FLEET_DIR/said"
    grep -q 'parts of 2 hosts merged to the same [0-9]* bytes' "$FLEET_DIR/said"
    trawl "$2" last -o json >"$FLEET_DIR/online"
    diff <(jq -S 'del(.hosts)' "$FLEET_DIR/online") <(jq -S 'del(.hosts)' "$FLEET_DIR/offline")
}

@test "histograms, stacks and events come out of their bundle as the collector gave them" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fake offcputime 6.1-bcc-nasty_f
    fake execsnoop 6.1-libbpf-INT
    fleet_up web-1:role=web db-1:role=db
    same runqlat hist
    same offcputime stacks --flavour bcc
    same execsnoop events
    run offline merge "$FLEET_DIR/runqlat.bundle"
    [ "$status" -eq 0 ]
    [[ "$output" == *"runqlat · 2 of 2 hosts"* ]]
    run offline merge "$FLEET_DIR/runqlat.bundle" --trust "$FLEET_DIR/certs/operators-ca.pem"
    [ "$status" -eq 0 ]
    [[ "$output" == *"the order is signed by admin"* ]]
    run offline merge "$FLEET_DIR/runqlat.bundle" --trust "$FLEET_DIR/certs/fleet-ca.pem"
    [ "$status" -eq 1 ]
    run trawl export last --format bundle -O "$FLEET_DIR/runqlat.bundle"
    [ "$status" -eq 1 ]
    [[ "$output" == *"File exists"* ]]
    run trawl export last --format bundle
    [ "$status" -eq 2 ]
}

@test "a changed byte, a missing end and a part that was exchanged are found" {
    fleet_fake runqlat replay "$TOP/tests/golden/runqlat/6.1-libbpf-host_cpu8.txt" 0
    fleet_up web-1:role=web
    trawl run runqlat --for 1s >/dev/null
    local whole=$FLEET_DIR/whole.bundle hurt=$FLEET_DIR/hurt.bundle size at
    trawl export last --format bundle -O "$whole"
    size=$(stat -c %s "$whole")
    for at in 3 60 $((size / 3)) $((size / 2)) $((size - 100)) $((size - 3)); do
        python3 -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[3])] ^= 0x55; open(sys.argv[2], "wb").write(b)' \
            "$whole" "$hurt" "$at"
        run offline merge "$hurt"
        echo "$at: $output"
        [ "$status" -eq 1 ]
    done
    head -c $((size - 40)) "$whole" >"$hurt"
    run offline merge "$hurt"
    [ "$status" -eq 1 ]
    [[ "$output" == *"cut off"* ]]
    # Somebody who writes all digests anew does not get the parts past the answer.
    python3 - "$whole" "$hurt" <<'P'
import hashlib, sys
data = open(sys.argv[1], 'rb').read()
out, at = data[:data.index(b'\n') + 1], data.index(b'\n') + 1
while True:
    line = data[at:data.index(b'\n', at)]
    name, size, _ = line.split(b' ')
    at += len(line) + 1
    if name == b'end':
        break
    body = data[at:at + int(size)]
    at += int(size) + 1
    if name.startswith(b'part:'):
        body = body.replace(b'usecs', b'msecs', 1)
    out += name + b' %d ' % len(body) + hashlib.sha256(body).hexdigest().encode() + b'\n' + body + b'\n'
open(sys.argv[2], 'wb').write(out + b'end 0 ' + hashlib.sha256(out).hexdigest().encode() + b'\n')
P
    run offline merge "$hurt"
    [ "$status" -eq 1 ]
    [[ "$output" == *"its parts do not merge to its answer"* ]]
}

#!/usr/bin/env bats
# certs/trawl-certs as an administrator uses it.
bats_require_minimum_version 1.5.0

setup() {
    certs=$BATS_TEST_DIRNAME/../../certs/trawl-certs
    command -v openssl >/dev/null || skip "the openssl command is not installed"
    dir=$BATS_TEST_TMPDIR/fleet
    "$certs" "$dir" init prod
}

text() { openssl x509 -in "$dir/$1" -noout -text; }
verifies() { openssl verify -CAfile "$dir/$1-ca.pem" -crl_check -CRLfile "$dir/$1.crl" -purpose "$2" "$dir/$3"; }

@test "keys are for their owner only" {
    "$certs" "$dir" agent web-1
    "$certs" "$dir" collector c1
    "$certs" "$dir" operator ann
    [ "$(find "$dir" -name '*.key' ! -perm 600 ! -type l)" = "" ]
    [ "$(find "$dir" -name '*.key' ! -type l | wc -l)" -eq 5 ]
    [ "$(stat -c %a "$dir")" = 700 ]
}

@test "an agent is a client, a collector is both, an operator signs" {
    "$certs" "$dir" agent web-1
    "$certs" "$dir" collector c1
    "$certs" "$dir" operator ann
    text agents/web-1.pem | grep -q "URI:spiffe://prod/agent/web-1$"
    text agents/web-1.pem | grep -q "ASN1 OID: prime256v1"
    text collectors/c1.pem | grep -q "URI:spiffe://prod/collector/c1, DNS:localhost, IP Address:127.0.0.1$"
    text operators/ann.pem | grep -q "URI:spiffe://prod/operator/ann/runner$"
    text operators/ann.pem | grep -q "^ *Digital Signature$"
    verifies fleet sslclient agents/web-1.pem
    verifies fleet sslclient collectors/c1.pem
    verifies fleet sslserver collectors/c1.pem
    verifies operators sslclient operators/ann.pem
    run ! verifies fleet sslserver agents/web-1.pem
    run ! verifies operators sslserver operators/ann.pem
    run ! verifies fleet sslclient operators/ann.pem
    run ! verifies operators sslclient agents/web-1.pem
}

@test "a collector has the names and addresses it is dialled by" {
    "$certs" "$dir" collector c1 DNS:trawl.example 10.0.0.5 other.example ::1
    text collectors/c1.pem | grep -q "DNS:trawl.example, IP Address:10.0.0.5, DNS:other.example, IP Address:0:0:0:0:0:0:0:1$"
}

@test "a revoked certificate no longer verifies, by file and by serial" {
    "$certs" "$dir" agent web-1
    "$certs" "$dir" agent web-2
    "$certs" "$dir" revoke "$dir/agents/web-1.pem"
    serial=$(openssl x509 -in "$dir/agents/web-2.pem" -noout -serial | sed 's/.*=//')
    "$certs" "$dir" revoke "$(printf '%s' "$serial" | tr A-F a-f)"
    run ! verifies fleet sslclient agents/web-1.pem
    run ! verifies fleet sslclient agents/web-2.pem
    run -0 "$certs" "$dir" revoke "$serial"
    [[ "$output" == *"was revoked before"* ]]
    run -1 "$certs" "$dir" revoke 1234
    [[ "$output" == *"no certificate with serial 1234 was issued here"* ]]
    run -1 "$certs" "$dir" revoke "$dir/fleet-ca.pem"
    [[ "$output" == *"is a CA"* ]]
}

@test "list tells role, name, serial, expiry, days left and state" {
    "$certs" "$dir" agent web-1 --days 10
    "$certs" "$dir" agent web-2
    "$certs" "$dir" operator old --not-before 2020-01-01 --not-after 2020-12-31
    "$certs" "$dir" revoke "$dir/agents/web-2.pem"
    run -0 "$certs" "$dir" list
    serial=$(openssl x509 -in "$dir/agents/web-1.pem" -noout -serial | sed 's/.*=//')
    [[ "$output" =~ agent\ +web-1\ +$serial\ +20[0-9-]+\ [0-9:]+Z\ +(9|10)\ +expires\ soon ]]
    [[ "$output" =~ agent\ +web-2\ .*\ revoked ]]
    [[ "$output" =~ operator\ +old\ +[0-9A-F]+\ +2020-12-31\ 00:00Z\ +-[0-9]+\ +expired ]]
    [[ "$output" =~ crl\ +fleet.crl ]]
}

@test "a name that has a certificate gets another only with --renew" {
    "$certs" "$dir" agent web-1
    before=$(cat "$dir/agents/web-1.pem" "$dir/agents/web-1.key")
    run -1 "$certs" "$dir" agent web-1
    [ "$before" = "$(cat "$dir/agents/web-1.pem" "$dir/agents/web-1.key")" ]
    run -0 "$certs" "$dir" agent web-1 --renew
    [ "$before" != "$(cat "$dir/agents/web-1.pem" "$dir/agents/web-1.key")" ]
    verifies fleet sslclient agents/web-1.pem
}

@test "during a change of CA both are trusted, after it only the new one" {
    "$certs" "$dir" agent web-1
    "$certs" "$dir" rotate fleet
    "$certs" "$dir" agent web-2
    verifies fleet sslclient agents/web-1.pem
    verifies fleet sslclient agents/web-2.pem
    "$certs" "$dir" revoke "$dir/agents/web-1.pem"
    run ! verifies fleet sslclient agents/web-1.pem
    "$certs" "$dir" agent web-1 --renew
    "$certs" "$dir" retire fleet
    verifies fleet sslclient agents/web-1.pem
    [ "$(grep -c BEGIN "$dir/fleet-ca.pem")" -eq 1 ]
    run -1 "$certs" "$dir" retire fleet
}

@test "wrong use says what is wrong and changes nothing" {
    before=$(find "$dir" | sort)
    run -2 "$certs"
    run -2 "$certs" "$dir" frob
    [[ "$output" == *'unknown command "frob"'* ]]
    run -2 "$certs" "$dir" agent ../../etc/x
    [[ "$output" == *"only letters, digits"* ]]
    run -2 "$certs" "$dir" agent -- x
    run -2 "$certs" "$dir" agent a b
    run -2 "$certs" "$dir" agent "$(printf 'a%.0s' $(seq 64))"
    [[ "$output" == *"longer than 63"* ]]
    run -2 "$certs" "$dir" collector c 'DNS:x,URI:spiffe://prod/operator/root'
    [[ "$output" == *"neither a DNS name nor an address"* ]]
    run -2 "$certs" "$dir" agent a --days 0
    run -2 "$certs" "$dir" agent a --days
    run -2 "$certs" "$dir" agent a --not-after soon
    run -2 "$certs" "$dir" agent a --not-after 2020-01-01
    run -2 "$certs" "$dir" agent a --days 3 --not-after 2090-01-01
    run -1 "$certs" "$dir" agent a --not-after 20909999000000Z
    run -1 "$certs" "$dir" init prod
    [[ "$output" == *"already has the CAs of fleet"* ]]
    run -1 "$certs" "$dir/none" list
    [[ "$output" == *"init FLEET"* ]]
    [ "$before" = "$(find "$dir" | sort)" ]
}

@test "several at a time wait for each other" {
    for i in 1 2 3 4 5 6; do "$certs" "$dir" agent "web-$i" & done
    wait
    [ "$("$certs" "$dir" list | grep -c '^agent .* valid$')" -eq 6 ]
    [ ! -e "$dir/lock" ]
}

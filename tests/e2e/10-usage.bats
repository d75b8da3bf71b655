#!/usr/bin/env bats
# What a person gets who types something wrong, or asks about what is not there.
load lib

@test "the console without a collector says which one it could not reach" {
    dir=$(mktemp -d)
    "$TOP/certs/trawl-certs" "$dir" init quickstart >/dev/null 2>&1
    "$TOP/certs/trawl-certs" "$dir" operator admin >/dev/null 2>&1
    printf 'fleet = quickstart\ncollector = 127.0.0.1:1\ntls_ca = %s\ncert = %s\nkey = %s\n' \
        "$dir/fleet-ca.pem" "$dir/operators/admin.pem" "$dir/operators/admin.key" >"$dir/console.conf"
    TRAWL_CONFIG=$dir/console.conf run -1 "$TRAWL_BIN/trawl" hosts
    rm -rf "$dir"
    [[ "$output" == *"127.0.0.1:1"* ]]
}

@test "an unknown verb, tool, option or value is a usage error that says what there is" {
    run -2 "$TRAWL_BIN/trawl" rum
    [[ "$output" == *'no verb "rum"'* ]]
    run -2 "$TRAWL_BIN/trawl" run rumqlat
    [[ "$output" == *"runqlat"* ]]
    run -2 "$TRAWL_BIN/trawl" run runqlat --nonsense
    [[ "$output" == *"--nonsense is not an option"* ]]
    run -2 "$TRAWL_BIN/trawl" run runqlat --for soon
    [[ "$output" == *"duration"* ]]
    run -2 "$TRAWL_BIN/trawl" run runqlat --pid 0
    [[ "$output" == *"pid"* ]]
    run -2 "$TRAWL_BIN/trawl" run runqlat --cgroup ../ssh
    [[ "$output" == *"cgroup must be a name"* ]]
    run -2 "$TRAWL_BIN/trawl" run runqlat --on "$(printf 'web-%d,' {1..9000})web"
    [[ "$output" == *"web-1,"*"…: the selector is longer than"* ]]
}

@test "the help is as wide as it needs to be, and cuts nothing" {
    run -0 "$TRAWL_BIN/trawl" --help
    [[ "$output" == *$'  trigger add|test NAME TOOL | list | show|test|remove NAME\n'* ]]
    [[ "$output" == *$'  hosts [SELECTOR]     Agents'* ]]
}

@test "a missing configuration names the places that were looked at" {
    HOME=/nonexistent TRAWL_CONFIG='' run -1 "$TRAWL_BIN/trawl" hosts
    [[ "$output" == *"console.conf"* ]]
}

@test "every verb's help has an example" {
    for verb in run hosts tools campaigns show stop hist top events stacks parse; do
        run -0 "$TRAWL_BIN/trawl" "$verb" --help
        [[ "$output" == *"trawl $verb"* && "$output" == *example* ]]
    done
}

@test "a selector that matches nobody, and one that does not parse, say so" {
    fleet_up web-1:role=web
    run -1 trawl run runqlat --for 1s --on role=nobody
    [[ "$output" == *"role=nobody"* ]]
    run -2 trawl run runqlat --for 1s --on 'web[5-1]'
    [[ "$output" == *"backwards"* ]]
    run -1 trawl show beef
    [[ "$output" == *"beef"* ]]
}

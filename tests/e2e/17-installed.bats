#!/usr/bin/env bats
# What is installed beside the programs agrees with them: completion, examples, man pages, units, starting points in /etc.
load lib

verbs() { "$TRAWL_BIN/trawl" --help | awk '/^  [a-z]/ && $1 != "trawl" { print $1 }'; }

# complete WORD…: what the completion offers for the last word, a line each
complete_words() {
    PATH=$TRAWL_BIN:$PATH bash -c '
        . "$1/deploy/completion/trawl.bash"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _trawl trawl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        ((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"' completion "$TOP" trawl "$@"
}

@test "completion offers exactly the verbs of trawl --help" {
    diff <(complete_words '' | grep -v '^--' | sort) <(verbs | sort)
    [ "$(verbs | wc -l)" -ge 11 ]
}

@test "completion offers every option of every verb" {
    for verb in $(verbs); do
        diff <(complete_words "$verb" - | sort -u) \
            <("$TRAWL_BIN/trawl" "$verb" --help | awk '/^options:/, /^example:/' | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--?[a-z-]+' | sort -u)
    done
    complete_words run runqlat --exp | grep -qx -- --expire
}

@test "completion offers tools, values and last, and nothing where the value is free" {
    diff <(complete_words run '' | sort) <("$TRAWL_BIN/trawl" tools -o csv | sed '1d; s/,.*//' | sort)
    [ "$(complete_words run runq)" = "$(printf 'runqlat\nrunqlen\n')" ]
    [ "$(complete_words run runqlat -o '' | sort | paste -sd ' ')" = "csv json table" ]
    [ "$(complete_words run runqlat --flavour l)" = libbpf ]
    [ "$(complete_words show '')" = last ]
    [ -z "$(complete_words run runqlat --on '')" ]
    complete_words run runqlat --per-host -- - | grep -qx -- --on
}

@test "an example says only defaults and asks only for what is required" {
    dir=$(mktemp -d)
    for program in trawl-runner trawl-collectord trawl; do
        "$TRAWL_BIN/$program" --print-config >"$dir/$program"
        run grep -c '; required)$' "$dir/$program"
        [ "$output" -ge 1 ]
        run grep -v -e '^#' -e '^$' "$dir/$program"
        [ "$output" = "[trawl]" ]
    done
    run -1 "$TRAWL_BIN/trawl-collectord" --config "$dir/trawl-collectord" --check
    [[ "$output" == *'"fleet" is missing'* ]]
    TRAWL_CONFIG=$dir/trawl run -1 "$TRAWL_BIN/trawl" hosts
    [[ "$output" == *'"fleet" is missing'* ]]
    need_root
    run -1 "$TRAWL_BIN/trawl-runner" --config "$dir/trawl-runner"
    [[ "$output" == *'fleet'*'is missing'* ]]
    rm -rf "$dir"
}

@test "the starting points in /etc name keys that exist" {
    for pair in agent:trawl-runner collector:trawl-collectord; do
        for key in $(sed -n 's/^# \([a-z_]*\) = .*/\1/p' "$TOP/deploy/etc/${pair%:*}.conf"); do
            "$TRAWL_BIN/${pair#*:}" --print-config | grep -q "^# $key ="
        done
    done
}

@test "man pages have every key and every verb" {
    man=$TRAWL_BIN/../docs/man
    [ -d "$man/man1" ] || skip "no man pages: scdoc is not installed"
    for pair in agent.conf:trawl-runner collector.conf:trawl-collectord console.conf:trawl; do
        for key in $("$TRAWL_BIN/${pair#*:}" --print-config | sed -n 's/^# \([a-z_]*\) =.*/\1/p'); do
            zcat "$man/man5/${pair%:*}.5.gz" | grep -q "^.*fB$key.fR = " || { echo "$pair lacks $key"; false; }
        done
    done
    for verb in $(verbs); do zcat "$man/man1/trawl.1.gz" | grep -q "fBtrawl $verb" || { echo "trawl.1 lacks $verb"; false; }; done
    for word in $("$TOP/certs/trawl-certs" --help | grep -oE '^  (--)?[a-z0-9-]+' ); do
        zcat "$man/man1/trawl-certs.1.gz" | sed 's/\\-/-/g' | grep -q -- "fB$word" || { echo "trawl-certs.1 lacks $word"; false; }
    done
}

@test "units are free of mistakes" {
    command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
    dir=$(mktemp -d)
    for unit in trawl-agent trawl-collectord; do
        sed "s|^ExecStart=[^ ]*/|ExecStart=$(realpath "$TRAWL_BIN")/|" "$TRAWL_BIN/../deploy/$unit.service" >"$dir/$unit.service"
    done
    run systemd-analyze verify --man=no "$dir/trawl-agent.service" "$dir/trawl-collectord.service"
    rm -rf "$dir"
    echo "$output"
    ! grep -q 'trawl-.*\.service' <<<"$output"
}

#!/bin/sh
# Put a fake tool into a folder: fake.sh DIR TOOL FAKE_TOOL MODE [ARG…]
#   DIR        becomes an agent's tool_dir: it and every folder above it must be root's and writable by nobody else
#   TOOL       the name that the catalogue looks for: runqlat, execsnoop, …
#   FAKE_TOOL  the program built in tests/fake; copied into DIR, so that the tools' user can reach it
#   MODE       see fake_tool.c: replay FILE SECONDS, stream FILE, flood-stdout BYTES, flood-stderr BYTES, garbage BYTES, stubborn,
#              orphan, never, burn, exit N, signal N, show
# A file given to replay or stream is copied into DIR, too.
set -eu
dir=$1 tool=$2 program=$3 mode=$4
shift 4
mkdir -p "$dir"
cp "$program" "$dir/.fake_tool.new"
chmod 755 "$dir/.fake_tool.new"
mv "$dir/.fake_tool.new" "$dir/fake_tool"
if [ "$mode" = replay ] || [ "$mode" = stream ]; then
    cp "$1" "$dir/.$tool.recording"
    shift
    set -- "$dir/.$tool.recording" "$@"
fi
{
    echo '#!/bin/sh'
    printf 'exec %s/fake_tool %s' "$dir" "$mode"
    for arg; do printf " '%s'" "$arg"; done
    echo ' -- "$@"'
} >"$dir/$tool.new"
chmod 755 "$dir/$tool.new"
find "$dir" -name '*.recording' -exec chmod 644 {} +
mv "$dir/$tool.new" "$dir/$tool"

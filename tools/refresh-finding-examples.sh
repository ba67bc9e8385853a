#!/usr/bin/env bash
# Runs the command of the example in the README and in each finding's page, and writes what it prints
# there; first of all the answers that are kept beside the recordings in traces/.
# The tidy test checks that each page has one, of a scenario that the table expects that finding from, or of a recording. What
# docs/traces.md shows, and the trace in the README, is cut by hand: cargo test --test traces_docs says where it is not true any more.
#
# usage: tools/refresh-finding-examples.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/.."

release=${CARGO_TARGET_DIR:-target}/release
cargo build --release -p unwedge -p unwedge-layer -p unwedge-scenarios -p unwedge-fake-icd
PATH=$(cd "$release" && pwd):$PATH
for recording in traces/*.jsonl; do
    status=0
    NO_COLOR=1 unwedge explain "$recording" >"${recording%.jsonl}.expected.txt" </dev/null || status=$?
    echo "exit status $status" >>"${recording%.jsonl}.expected.txt"
done
temporary=$(mktemp -d)
Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp -noreset 3>"$temporary/display" 2>"$temporary/xvfb" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$temporary"' EXIT
for _ in $(seq 100); do
    [ -s "$temporary/display" ] && break
    sleep 0.1
done
DISPLAY=:$(cat "$temporary/display")
export DISPLAY
sed "s|@PATH@|$(cd "$release" && pwd)/libfake_icd.so|" crates/fake-icd/fake_icd.json.in >"$temporary/fake.json"

[ $# -gt 0 ] || set -- README.md docs/findings/*.md
for page in "$@"; do
    command=$(sed -n '/^```text$/{n;s/^\$ //p;q}' "$page")
    [ -n "$command" ] || continue
    echo "$page: $command"
    case "$command" in
    UNWEDGE_FAKE_ICD=*) driver=(VK_ICD_FILENAMES="$temporary/fake.json" VK_DRIVER_FILES="$temporary/fake.json") ;;
    *) driver=() ;;
    esac
    status=0
    env "${driver[@]}" timeout -s KILL 60 bash -c "$command" >"$temporary/output" 2>&1 </dev/null || status=$?
    case "$status $command" in
    "124 "* | "125 "* | "1 unwedge explain "* | "3 unwedge explain "*) ;;
    *) # its own limit gives 137
        cat "$temporary/output"
        echo "$page: the example ended with status $status" >&2
        exit 1
        ;;
    esac
    # The first block, between its command and its closing fence, becomes the output.
    awk -v output="$temporary/output" '
        !done && /^```text$/ { print; getline; print; while ((getline line < output) > 0) print line; skip = 1; next }
        skip && /^```$/ { skip = 0; done = 1 }
        !skip { print }
    ' "$page" >"$temporary/page"
    cp "$temporary/page" "$page"
done

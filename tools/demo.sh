#!/usr/bin/env bash
# Shows the main job on a real program: vkcube runs healthily under unwedge, then hangs because one
# signal of a fence is kept from it, and unwedge says so.
#
# usage: tools/demo.sh PATH-OF-UNWEDGE
set -euo pipefail

unwedge=$1
page=$PWD/unwedge-demo.html
frames=500
temporary=$(mktemp -d)
server=

clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$temporary"
}
trap clean_up EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() {
    printf '\ndemo: %s\n' "$1" >&2
    exit 1
}
# shows a command, then runs it, at most two minutes
show() {
    printf '\n$ unwedge %s\n\n' "$*"
    timeout 120 "$unwedge" "$@"
}

# The display there is, if vkcube can draw one frame on it; else one in memory.
if [ -n "${DISPLAY:-}" ] && timeout 20 vkcube --c 1 >"$temporary/vkcube" 2>&1; then
    echo "Using the display $DISPLAY."
else
    Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp -noreset 3>"$temporary/display" >"$temporary/xvfb" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        [ -s "$temporary/display" ] && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    if [ ! -s "$temporary/display" ]; then
        cat "$temporary/xvfb" >&2
        fail "Xvfb did not start"
    fi
    DISPLAY=:$(cat "$temporary/display")
    export DISPLAY
    echo "No display can be used: using one in memory (Xvfb)."
    timeout 60 vkcube --c 1 >"$temporary/vkcube" 2>&1 || {
        cat "$temporary/vkcube" >&2
        fail "vkcube does not work here, even without unwedge"
    }
fi

say "1. A healthy program: unwedge watches and has nothing to say but how fast it goes."
status=0
show run -- vkcube --c "$frames" || status=$?
[ "$status" -eq 0 ] || fail "the healthy vkcube under unwedge ended with status $status, not 0"

say "2. The same program, and the signal of the 60th fence is lost: now it hangs."
rm -f "$page"
status=0
show run --inject drop-signal:fence:n=60 --deadline 2s --on-wedge kill --html "$page" -- vkcube --c "$frames" ||
    status=$?
[ "$status" -eq 124 ] || fail "the wedged vkcube under unwedge ended with status $status, not 124"
[ -s "$page" ] || fail "no report in $page"

say "That is all there is to it."
cat <<END
The healthy run ended by itself with status 0. The wedged one was found, explained and ended with
status 124, as a script or a CI job sees it. The same finding as a page, with the wait graph and the
last seconds of each thread, is in

    $page

Your own program:   $unwedge run -- ./program
END

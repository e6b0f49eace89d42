#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A benchmark that is ended by a signal unmounts its disc and leaves nothing
# behind.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

mkdir "$work/tmp"

mounts() {
    awk -v at="$work/tmp/" 'index($2, at) == 1' /proc/self/mounts
}

for signal in TERM HUP; do
    TMPDIR=$work/tmp "$here/../bench/run" --build "$build" --small \
        --media cdrw drive >"$work/log" 2>&1 &
    bench=$!
    tries=0
    until [ "$(mounts)" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 1200 ] || fail "it mounts nothing: $(cat "$work/log")"
        kill -0 "$bench" 2>/dev/null || fail "it ended: $(cat "$work/log")"
        sleep 0.1
    done
    kill -"$signal" "$bench"
    code=0
    wait "$bench" || code=$?
    case $signal in
    TERM) wanted=143 ;;
    HUP) wanted=129 ;;
    esac
    [ "$code" -eq "$wanted" ] || fail "$signal: ended with $code"
    [ -z "$(mounts)" ] || fail "$signal: still mounted: $(cat "$work/log")"
    [ -z "$(ls -A "$work/tmp")" ] ||
        fail "$signal: left behind: $(find "$work/tmp")"
done

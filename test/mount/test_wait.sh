#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# udfpkt-mount in front of an empty drive: it says so, or waits for a disc
# with --wait; a signal ends the waiting.
#
# A virtual drive is never empty; one that answers "no medium" whenever it is
# asked looks like it. Each time it is opened it reads the file of faults anew.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

limited() {
    timeout -k 5 60 "$@"
}

cd=$work/cd
format "$cd"

empty() {
    echo 'sense sense=2/3A/01 op=0x00 times=0' >"$cd.udfpkt-faults"
}

# Starts to wait, in the background: $waiter.
start_waiting() {
    # Not through timeout(1): signals are for the command itself.
    : >"$work/waiting"
    "$build/udfpkt-mount" --wait "$cd" "$mnt" 2>"$work/waiting" &
    waiter=$!
    n=0
    until grep -q 'waiting for a disc' "$work/waiting"; do
        n=$((n + 1))
        if [ $n -ge 200 ] || ! kill -0 "$waiter"; then
            fail "does not wait: $(cat "$work/waiting")"
        fi
        sleep 0.05
    done
}

# $waiter ends with $1, within some seconds.
waited() {
    (sleep 20 && kill -KILL "$waiter") 2>/dev/null &
    watchdog=$!
    got=0
    wait "$waiter" || got=$?
    kill "$watchdog"
    [ "$got" -eq "$1" ] || fail "ended with $got: $(cat "$work/waiting")"
}

empty
expect 5 limited "$build/udfpkt-mount" "$cd" "$mnt"
says 'no disc in the drive'

# The disc comes. The drive is not held before: others may look at it.
start_waiting
expect 0 limited "$build/udfpkt-info" "$cd"
! mounted "$mnt" || fail "mounted without a disc"
rm "$cd.udfpkt-faults"
waited 0
mounted "$mnt" || fail "not mounted"
echo text >"$mnt/text"
unmount "$cd"

# With a disc there is nothing to wait for.
expect 0 limited "$build/udfpkt-mount" --wait "$cd" "$mnt"
[ "$(cat "$mnt/text")" = text ] || fail "the text is lost"
expect 0 "$build/udfpkt-umount" "$mnt"

# A disc that cannot be mounted ends the waiting too.
expect 0 limited "$build/udfpkt-format" --media image --size 10M "$work/image"
head -c 10000000 /dev/zero >"$work/image"
expect 9 limited "$build/udfpkt-mount" --wait "$work/image" "$mnt"
expect 3 limited "$build/udfpkt-mount" --wait "$work/nothing" "$mnt"

for signal in INT TERM; do
    empty
    start_waiting
    kill -s "$signal" "$waiter"
    waited 130
    ! mounted "$mnt" || fail "mounted after SIG$signal"
done

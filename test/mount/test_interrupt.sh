#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Ctrl-C while a disc is being formatted: udfpkt-format ends with 130 and says
# so, and the next one formats the disc as if nothing had been.
#
# A virtual drive formats in no time. So the trace goes to a pipe that nobody
# reads: udfpkt-format stands still until the signal has been sent.
set -eu

build=$1
work=$(mktemp -d)
formatter=
reader=

cleanup() {
    for process in $formatter $reader; do
        kill "$process" 2>/dev/null || :
    done
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

# interrupted SIGNAL OPTION...: formats the disc and sends the signal as soon
# as it is caught.
interrupted() {
    signal=$1
    shift
    rm -f pipe
    mkfifo pipe
    # A shell without job control starts what runs in the background with
    # SIGINT ignored, but a handler that is installed counts all the same.
    "$build/udfpkt-format" --trace pipe "$@" disc >out 2>&1 &
    formatter=$!
    # SIGTERM, bit 14, is the second of the two; and it is not the shell.
    until grep -q '^SigCgt:.*[4567cdef]...$' "/proc/$formatter/status" &&
        [ "$(cat "/proc/$formatter/comm")" = udfpkt-format ]; do
        kill -0 "$formatter"
    done
    kill -s "$signal" "$formatter"
    exec 3<>pipe
    cat <&3 >trace &
    reader=$!
    status=0
    wait "$formatter" || status=$?
    formatter=
    kill "$reader"
    wait "$reader" 2>/dev/null || :
    reader=
    exec 3>&-
    [ "$status" -eq 130 ] || fail "ended with $status after SIG$signal"
    grep -q interrupted out || fail "does not say that it was interrupted"
    grep -q '^  try: ' out || fail "gives no advice"
}

fail() {
    echo "$1" >&2
    cat out >&2
    exit 1
}

interrupted INT --media cdrw
[ -e disc ] || fail "the new disc is gone"
"$build/udfpkt-info" disc >out 2>&1 || fail "the disc cannot be looked at"
grep -q '^volume *none' out || fail "there is half a volume"
"$build/udfpkt-format" --media cdrw disc >out 2>&1 || fail "cannot format it"

interrupted TERM --full --force
"$build/udfpkt-format" disc >out 2>&1 || fail "cannot format it again"
"$build/udfpkt-info" --json disc >out
grep -q '"clean": true' out || fail "the volume is not there"
"$build/test/check_image" disc >out 2>&1 || fail "the volume has faults"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The disc is pulled, the drive goes away, or udfpkt-format is stopped by a
# signal, at several moments of every way of formatting every medium. The next
# udfpkt-format makes the disc good, and asks for --force only where a whole
# volume is still there, the old one or the new. What grows a volume keeps it,
# and is repeated without anything else (cut/test_grow_interrupted looks at its
# files, too).
#
# UDFPKT_FORMAT_MOMENTS is how many moments of each way are tried, spread over
# its commands; 0 = all of them.
set -eu
build=$1
work=$(mktemp -d)
process=
reader=
cleanup() {
    for id in $process $reader; do
        kill "$id" 2>/dev/null || :
    done
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"
moments=${UDFPKT_FORMAT_MOMENTS:-2}
states=0
ends=

fail() {
    echo "FAILED: $way, $at: $*"
    cat log
    exit 1
}

format() {
    got=0
    timeout -k 5 300 "$build/udfpkt-format" "$@" disc >log 2>&1 || got=$?
}

# A whole volume is on the disc.
is_whole() {
    "$build/udfpkt-info" --json disc >info 2>&1 || return 1
    grep -q '"clean": true' info && "$build/test/check_image" disc >>log 2>&1
}

# The command once more: OPTION... without --force.
mend() {
    states=$((states + 1))
    rm -f disc.udfpkt-faults
    format --label New "$@"
    if [ "$got" -eq 8 ]; then
        mv log refused
        is_whole || { mv refused log; fail "--force is asked for"; }
        return
    fi
    [ "$got" -eq 0 ] || fail "cannot be formatted again ($got)"
    is_whole || fail "what was formatted again has faults"
}

# start KIND: the disc before. OPTION... are for making it.
start() {
    rm -f disc disc.udfpkt disc.udfpkt-faults
    if [ "$1" = blank ]; then
        "$build/udfpkt-vdrive" create --media "$2" --size 30M disc >log 2>&1
    else
        format --media "$2" --size 30M --label Old
    fi
}

# plan_moments: at which of the commands in the trace something happens: at
# $number, and at each $step behind it.
plan_moments() {
    commands=$(wc -l <trace)
    rm trace
    step=1
    [ "$moments" -eq 0 ] || step=$(((commands + moments - 1) / moments))
    number=$((step / 2))
}

# at_moments KIND MEDIUM OPTION...
at_moments() {
    kind=$1
    medium=$2
    shift 2
    way="$medium, $kind: $*"
    at=whole
    force=--force
    [ "$kind" != blank ] || force=
    start "$kind" "$medium"
    format --label New --trace trace "$@" ${force:+"$force"}
    [ "$got" -eq 0 ] || fail "not formatted ($got)"
    plan_moments
    while [ "$number" -lt "$commands" ]; do
        case $((number % 2)) in
        0) fault="pull after=$number lose=some seed=$number" ;;
        1) fault="gone after=$number" ;;
        esac
        at=$fault
        start "$kind" "$medium"
        echo "$fault" >disc.udfpkt-faults
        format --label New "$@" ${force:+"$force"}
        [ "$got" -lt 124 ] || fail "hangs or crashes ($got)"
        mend "$@"
        number=$((number + step))
    done
}

# grow_moments OPTION...: a small volume on a large DVD-RW is made larger.
grow_moments() {
    way="dvd-rw --grow $*"
    at=whole
    rm -f disc disc.udfpkt disc.udfpkt-faults
    format --media dvd-rw --size 30M --quick
    format --force --quick --size 10M --label Old
    cp disc small
    cp disc.udfpkt small.udfpkt
    format --grow "$@" --trace trace
    [ "$got" -eq 0 ] || fail "not grown ($got)"
    plan_moments
    while [ "$number" -lt "$commands" ]; do
        cp small disc
        cp small.udfpkt disc.udfpkt
        case $((number % 3)) in
        0) fault="pull after=$number lose=some seed=$number" ;;
        1) fault="gone after=$number" ;;
        2) fault="cut after=$number lose=some seed=$number" ;;
        esac
        at=$fault
        echo "$fault" >disc.udfpkt-faults
        format --grow "$@"
        [ "$got" -lt 124 ] || fail "hangs or crashes ($got)"
        rm disc.udfpkt-faults
        states=$((states + 1))
        format --grow "$@"
        [ "$got" -eq 0 ] || fail "does not grow again ($got)"
        is_whole || fail "what was grown again has faults"
        grep -q '"label": "Old"' info || fail "it is another volume"
        number=$((number + step))
    done
}

for kind in blank full; do
    for medium in cdrw cdmrw dvd-rw dvd+rw dvd+rw-dl dvd-ram bd-re; do
        at_moments "$kind" "$medium"
        [ "$kind" = blank ] || at_moments "$kind" "$medium" --full
    done
    at_moments "$kind" dvd-rw --quick
    at_moments "$kind" dvd-rw --quick --size 10M
    at_moments "$kind" dvd+rw --wait --full
    at_moments "$kind" cdmrw --wait --full
    at_moments "$kind" dvd+rw --map type1
    at_moments "$kind" bd-re --spare none --full
    at_moments "$kind" bd-re --spare max --full
    at_moments "$kind" cdmrw --media cdrw
done
grow_moments
grow_moments --size 20M
echo "$(date +%T) $states states"

# A pipe that is nearly full holds udfpkt-format back until the signal is sent.
# signalled SIGNAL ROOM OPTION...: sent when ROOM bytes of the trace are
# written; about 80 are a command.
signalled() {
    at="SIG$1 behind $2 bytes of trace"
    signal=$1
    room=$2
    shift 2
    rm -f pipe
    mkfifo pipe
    exec 3<>pipe
    head -c $((65536 - room)) /dev/zero >&3
    "$build/udfpkt-format" --label New --trace pipe "$@" disc >log 2>&1 &
    process=$!
    # It sleeps at the pipe (nowhere else: the drive's clock is simulated), or
    # has ended, when there was room for everything.
    until grep -qs '^State:.[SZ]' "/proc/$process/status" ||
        [ ! -e "/proc/$process" ]; do
        sleep 0.02
    done
    kill -s "$signal" "$process" 2>/dev/null || :
    cat <&3 >/dev/null &
    reader=$!
    got=0
    wait "$process" || got=$?
    process=
    kill "$reader"
    wait "$reader" 2>/dev/null || :
    reader=
    exec 3>&-
    case $signal,$got in
    *,0 | INT,130 | TERM,130 | TERM,143 | KILL,137) ;;
    *) fail "ended with $got" ;;
    esac
}

# An interrupted process started in the background ignores SIGINT until it has
# a handler of its own, so the first moment is behind a few commands.
for medium in cdrw dvd-rw dvd+rw dvd-ram bd-re; do
    for signal in INT TERM KILL; do
        for room in 512 1500 4000; do
            way="$medium, signals"
            start blank "$medium"
            signalled "$signal" "$room"
            ends="$ends $signal:$got"
            mend
        done
    done
done
echo "$(date +%T) $states states in all; signals ended it with$ends"
case $ends in
*INT:130*TERM:130*KILL:137*) ;;
*) fail "no signal came in time:$ends" ;;
esac

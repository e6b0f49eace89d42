#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The drive goes off its bus, or the disc is taken out by the pin, in the
# middle of a copy and while nothing happens: programs get errors and do not
# hang, the mount can be detached, the daemon ends and names what is lost, and
# the record says how.
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
head -c 60000000 /dev/urandom >"$work/large"

# with_fault FAULT OPTION...: a new disc with a committed file on it, mounted
# with this fault of the drive.
with_fault() {
    rm -f "$cd" "$cd.udfpkt"
    fault=$1
    shift
    limited "$build/udfpkt-format" --media cdrw --size 120M "$cd" \
        >"$work/format" 2>&1 || fail "format: $(cat "$work/format")"
    expect 0 limited "$build/udfpkt-mount" "$cd" "$mnt"
    cp "$work/large" "$mnt/kept"
    unmount "$cd"
    echo "$fault" >"$cd.udfpkt-faults"
    "$build/udfpkt-mount" -f -o cache=4M "$@" "$cd" "$mnt" \
        2>"$work/daemon" &
    daemon=$!
    until mounted "$mnt"; do
        kill -0 "$daemon" || fail "udfpkt-mount: $(cat "$work/daemon")"
        sleep 0.05
    done
}

# fails COMMAND...: in time, and with EIO or ENXIO, or what the kernel makes of
# either at close. Without a disc reading says that there is none.
fails() {
    got=0
    LC_ALL=C limited "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -ne 0 ] || fail "$* went well"
    [ "$got" -lt 124 ] || fail "$* hung"
    grep -qE 'Input/output error|No such device or address|No medium' \
        "$work/err" || fail "$*: $(cat "$work/err")"
}

# No process of the mount is left after a few seconds.
daemon_ended() {
    n=0
    while [ -e "/proc/$daemon" ] && [ $n -lt 200 ]; do
        grep -q '^State:.*Z' "/proc/$daemon/status" 2>/dev/null && break
        n=$((n + 1))
        sleep 0.05
    done
    [ $n -lt 200 ] || fail "the daemon hangs"
}

# The disc mounts again, what was committed is there, and a change closes it.
still_good() {
    rm "$cd.udfpkt-faults"
    expect 0 limited "$build/udfpkt-mount" "$cd" "$mnt"
    cmp "$work/large" "$mnt/kept"
    expect 0 touch "$mnt/kept"
    unmount "$cd"
}

# pulled FAULT CODE WORDS: the whole story, in the middle of a copy.
pulled() {
    with_fault "$1 op=0x2A after=30"
    exec 5>"$mnt/held"
    fails cp "$work/large" "$mnt/copy"
    fails mkdir "$mnt/dir"
    echo more >&5 || :
    fails sync "$mnt/held"
    # What is not in memory cannot be read, but nobody waits for it.
    got=0
    limited ls -l "$mnt" >/dev/null 2>&1 || got=$?
    [ "$got" -lt 124 ] || fail "ls hung"
    exec 5>&-
    expect 0 limited fusermount3 -u "$mnt"
    ! mounted "$mnt" || fail "still mounted"
    expect "$2" limited "$build/udfpkt-umount" "$cd"
    says "$3"
    daemon_ended
    grep -q 'not written: copy$' "$work/daemon" ||
        fail "the lost copy is not named: $(cat "$work/daemon")"
    ! grep -q 'not written: kept$' "$work/daemon" ||
        fail "what was kept is named as lost"
    still_good
}

pulled gone 3 'the drive went away'
pulled pull 5 'the disc was taken out'

# With files open: detached, and the daemon ends nevertheless.
with_fault 'gone op=0x2A after=30'
exec 5>"$mnt/held"
fails cp "$work/large" "$mnt/copy"
expect 0 limited fusermount3 -u -z "$mnt"
exec 5>&-
expect 3 limited "$build/udfpkt-umount" "$cd"
daemon_ended
still_good

# SIGTERM does the same.
with_fault 'gone op=0x2A after=30'
exec 5>"$mnt/held"
fails cp "$work/large" "$mnt/copy"
kill -TERM "$daemon"
daemon_ended
exec 5>&-
! mounted "$mnt" || fail "still mounted"
expect 3 limited "$build/udfpkt-umount" "$cd"
still_good

# Readers do not hang either; the drive goes at the second question for events,
# with nothing else to do.
with_fault 'gone op=0x4A after=3' -r
sleep 3
fails cat "$mnt/kept"
expect 0 limited fusermount3 -u "$mnt"
expect 3 limited "$build/udfpkt-umount" "$cd"
daemon_ended
still_good

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The ends that a mount can come to: udfpkt-umount, fusermount -u, umount,
# signals with data in the page cache, and a killed daemon.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

mount_disc=$build/udfpkt-mount
umount_disc=$build/udfpkt-umount
cd=$work/cd
format "$cd"

# Serves in the foreground, so that the shell knows the process: $daemon.
serve() {
    "$mount_disc" -f "$cd" "$mnt" 2>"$work/daemon" &
    daemon=$!
    until mounted "$mnt"; do
        kill -0 "$daemon" || fail "udfpkt-mount: $(cat "$work/daemon")"
        sleep 0.05
    done
}

# The daemon ends with $1.
ended() {
    got=0
    wait "$daemon" || got=$?
    [ "$got" -eq "$1" ] ||
        fail "the daemon ended with $got: $(cat "$work/daemon")"
    ! mounted "$mnt" || fail "still mounted after the daemon's end"
}

is_clean() {
    "$build/udfpkt-info" --json "$cd" | grep -q '"clean": true' ||
        fail "the volume was not closed"
    prove "$cd"
}

# Each way of unmounting keeps what was written.
n=0
for way in mountpoint device fusermount umount; do
    n=$((n + 1))
    expect 0 "$mount_disc" "$cd" "$mnt"
    head -c 3000000 /dev/urandom >"$work/file$n"
    cp "$work/file$n" "$mnt/"
    case $way in
    mountpoint) expect 0 "$umount_disc" "$mnt" ;;
    device) expect 0 "$umount_disc" "$cd" ;;
    fusermount) expect 0 fusermount -u "$mnt" ;;
    umount) expect 0 umount "$mnt" ;;
    esac
    expect 0 "$umount_disc" "$mnt"
    ! mounted "$mnt" || fail "$way: still mounted"
    is_clean
done
# What follows right behind fusermount -u waits for the daemon by itself.
expect 0 "$mount_disc" "$cd" "$mnt"
for i in $(seq "$n"); do
    cmp "$work/file$i" "$mnt/file$i"
done
rm "$mnt/file1"
fusermount3 -u "$mnt"
expect 0 "$mount_disc" "$cd" "$mnt"
[ ! -e "$mnt/file1" ] || fail "file1 is back"
fusermount3 -u "$mnt"
expect 0 "$build/udfpkt-info" "$cd"

# In use: refused, and nothing is lost.
expect 0 "$mount_disc" "$cd" "$mnt"
exec 5>"$mnt/open"
expect 4 "$umount_disc" "$mnt"
says "in use"
echo text >&5
exec 5>&-
unmount "$cd"

# Signals: a clean end, idle or not.
for signal in TERM INT HUP; do
    serve
    echo "$signal" >"$mnt/signal"
    kill -"$signal" "$daemon"
    ended 0
    is_clean
done

# A signal while files are open, with more in the page cache than goes to the
# daemon at once. A large file first: it fills the kernel's request queue, and
# others must not be forgotten behind it.
head -c 20000000 /dev/urandom >"$work/large"
echo small >"$work/small"
serve
exec 5>"$mnt/large" 6>"$mnt/small"
cat "$work/large" >&5
cat "$work/small" >&6
kill -TERM "$daemon"
ended 0
exec 5>&- 6>&-
is_clean
expect 0 "$mount_disc" -o ro "$cd" "$mnt"
cmp "$work/large" "$mnt/large"
cmp "$work/small" "$mnt/small"
[ "$(cat "$mnt/signal")" = HUP ] || fail "the last signal's file is wrong"
expect 0 "$umount_disc" "$mnt"

# A working directory on the mount holds it, but not its end.
serve
mkdir -p "$mnt/dir"
(cd "$mnt/dir" && exec sleep 60) &
sleeper=$!
until [ "$(readlink "/proc/$sleeper/cwd")" = "$mnt/dir" ]; do
    sleep 0.05
done
kill -TERM "$daemon"
ended 0
kill "$sleeper"
wait "$sleeper" || :
is_clean

# A copy of the mount in another mount namespace does not hold the disc, and
# what somebody mounts at the same place meanwhile stays.
serve
echo copied >"$mnt/copied"
unshare --mount sleep 60 &
holder=$!
until [ "$(cat "/proc/$holder/comm")" = sleep ]; do
    sleep 0.05
done
expect 0 umount "$mnt"
mount -t tmpfs tmpfs "$mnt"
ended 0
kill "$holder"
wait "$holder" || :
expect 0 umount "$mnt"
is_clean

# A mount goes on under another name, whatever else is mounted meanwhile.
mkdir -p "$work/old/mnt" "$work/other"
expect 0 "$mount_disc" -o commit=3600 "$cd" "$work/old/mnt"
exec 5>"$work/old/mnt/renamed"
echo before >&5
mv "$work/old" "$work/new"
mount -t tmpfs tmpfs "$work/other"
expect 0 umount "$work/other"
sleep 7 # longer than a mount that has gone from here is waited for
echo after >&5
exec 5>&-
[ "$(tr '\n' ' ' <"$work/new/mnt/renamed")" = "before after " ] ||
    fail "a renamed mount has lost data"
expect 0 "$umount_disc" "$cd"
is_clean
expect 0 "$mount_disc" "$cd" "$work/new/mnt"
mv "$work/new" "$work/old"
expect 0 "$umount_disc" "$work/old/mnt"
is_clean

# A killed daemon: said by whoever meets it, and cleared away.
expect 0 "$mount_disc" "$cd" "$mnt"
echo kept >"$mnt/kept"
sync "$mnt/kept"
daemon=$(daemon_pid "$cd")
kill -KILL "$daemon"
until [ ! -e "/proc/$daemon" ]; do
    sleep 0.05
done
expect 11 "$mount_disc" "$cd" "$mnt"
says "daemon has died"
expect 1 "$umount_disc" "$mnt"
says "killed before it had closed"
! mounted "$mnt" || fail "the dead mount is still there"
expect 0 "$mount_disc" "$cd" "$mnt"
[ "$(cat "$mnt/kept")" = kept ] || fail "what was synced is lost"
expect 0 "$umount_disc" "$mnt"
is_clean

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Wrong uses of udfpkt-mount and udfpkt-umount: each says what is wrong and
# what to do, ends with the exit code of the man page, and mounts and changes
# nothing.
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
prove "$cd"
before=$(cksum "$cd")

# The command line.
expect 2 "$mount_disc"
expect 2 "$mount_disc" a b c
expect 2 "$mount_disc" --nonsense "$cd" "$mnt"
expect 2 "$mount_disc" -o nonsense "$cd" "$mnt"
says "-o nonsense: no such option"
expect 2 "$mount_disc" -o ro,commit=never "$cd" "$mnt"
says "commit=never"
expect 2 "$mount_disc" -o commit=0 "$cd" "$mnt"
expect 2 "$mount_disc" -o commit=-1 "$cd" "$mnt"
expect 2 "$mount_disc" -o cache=much "$cd" "$mnt"
expect 2 "$mount_disc" -o uid=no-such-user "$cd" "$mnt"
expect 2 "$mount_disc" -o gid= "$cd" "$mnt"
expect 2 "$mount_disc" -o ro=1 "$cd" "$mnt"
expect 2 "$mount_disc" -o strictatime "$cd" "$mnt"
says "relatime"
expect 0 "$mount_disc" --help
expect 0 "$mount_disc" --version
expect 2 "$umount_disc"
expect 2 "$umount_disc" a b
expect 2 "$umount_disc" --nonsense

# The mount point.
expect 11 "$mount_disc" "$cd" "$work/missing"
says "mkdir $work/missing"
expect 11 "$mount_disc" "$cd" "$cd"
says "not a directory"

# The device.
expect 3 "$mount_disc" "$work/missing" "$mnt"
expect 3 "$mount_disc" "$work" "$mnt"
expect 3 "$mount_disc" /dev/null "$mnt"
head -c 4000000 /dev/zero >"$work/zeros"
expect 9 "$mount_disc" "$work/zeros" "$mnt"
says "no UDF file system"
: >"$work/empty"
got=0
"$mount_disc" "$work/empty" "$mnt" 2>"$work/err" || got=$?
[ "$got" -ne 0 ] || fail "an empty file is mounted"
head -c 8000000 /dev/urandom >"$work/noise"
expect 9 "$mount_disc" "$work/noise" "$mnt"

# Nothing of ours is there.
expect 11 "$umount_disc" "$mnt"
expect 11 "$umount_disc" "$work/missing"
expect 11 "$umount_disc" /

# Mounted already, on the device's side and on the mount point's.
expect 0 "$mount_disc" "$cd" "$mnt"
mkdir "$work/other"
expect 4 "$mount_disc" "$cd" "$work/other"
says "mounted at $mnt"
format "$work/cd2"
expect 11 "$mount_disc" "$work/cd2" "$mnt"
says "mounted there already"
expect 4 "$build/udfpkt-format" --force "$cd"
says "mounted at $mnt"
expect 0 "$umount_disc" "$mnt"
# Once more is no error, but says that there was nothing to do.
expect 0 "$umount_disc" "$mnt"
says "not mounted any more"

# A process that is not ours holds the disc.
flock "$cd" flock "$cd.udfpkt" sleep 60 &
holder=$!
until ! flock -n "$cd.udfpkt" true; do
    sleep 0.05
done
expect 4 "$mount_disc" "$cd" "$mnt"
says "in use"
for child in $(pgrep -P "$holder") "$holder"; do
    pkill -P "$child" || : # the innermost first
    kill "$child" 2>/dev/null || :
done
wait "$holder" || :

# The sidecar counts commands; the disc itself is as it was.
[ "$before" = "$(cksum "$cd")" ] || fail "the disc was changed"
! grep -q " $work/" /proc/self/mounts || fail "something is still mounted"

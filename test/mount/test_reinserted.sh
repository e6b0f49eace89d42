#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The disc is pulled out in the middle of a copy, with what is in the drive's
# buffer lost, and pushed in again: what was in memory is written, programs can
# go on, and the disc is closed and whole.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

cd=$work/cd
seq 1 100000 >"$work/kept"
head -c 12000000 /dev/urandom >"$work/copy"
format "$cd"
expect 0 "$build/udfpkt-mount" "$cd" "$mnt"
cp "$work/kept" "$mnt/kept"
unmount "$cd"

echo 'pull op=0x2A after=8 lose=all back=6' >"$cd.udfpkt-faults"
"$build/udfpkt-mount" -f -v -o commit=600 "$cd" "$mnt" 2>"$work/daemon" &
daemon=$!
n=0
until mounted "$mnt"; do
    kill -0 "$daemon" || fail "udfpkt-mount: $(cat "$work/daemon")"
    sleep 0.05
done
mkdir "$mnt/dir"
# Taken by the kernel's memory and ours; the fsync meets the empty drive.
! dd if="$work/copy" of="$mnt/dir/copy" bs=1M conv=fsync 2>"$work/dd" ||
    fail "fsync went well without a disc"
until grep -q 'the disc is back' "$work/daemon"; do
    kill -0 "$daemon" || fail "udfpkt-mount: $(cat "$work/daemon")"
    n=$((n + 1))
    [ $n -lt 600 ] || fail "nobody notices: $(cat "$work/daemon")"
    sleep 0.1
done
grep -q 'the disc was taken out' "$work/daemon" ||
    fail "nobody noticed: $(cat "$work/daemon")"
cmp "$work/kept" "$mnt/kept"
cp "$work/copy" "$mnt/dir/again"
seq 1 1000 >"$mnt/new"
expect 0 "$build/udfpkt-umount" "$mnt"
rm "$cd.udfpkt-faults"
prove "$cd"
expect 0 "$build/udfpkt-mount" "$cd" "$mnt"
cmp "$work/kept" "$mnt/kept"
cmp "$work/copy" "$mnt/dir/again"
seq 1 1000 | cmp - "$mnt/new"
# All of it was with the file system before the fsync.
cmp "$work/copy" "$mnt/dir/copy"
expect 0 "$build/udfpkt-umount" "$mnt"

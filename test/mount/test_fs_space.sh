#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What programs see of space: blocks of a file, also while it is being written,
# and a full disc, also by a program that only writes.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

cd=$work/cd
expect 0 "$build/udfpkt-format" --media cdrw --size 40M "$cd"
expect 0 "$build/udfpkt-mount" "$cd" "$mnt"

# $1 blocks of 512 bytes at least, sooner or later.
blocks_come() {
    n=0
    until [ "$(stat -c %b "$mnt/$2")" -ge "$1" ]; do
        n=$((n + 1))
        [ "$n" -lt 300 ] || fail "$2 has $(stat -c %b "$mnt/$2") blocks"
        sleep 0.1
    done
}

# No file with content passes for a hole: neither one whose content is in its
# entry, nor one whose content the kernel has kept.
for size in 100 513 1000 1800 2049 300000; do
    head -c $size /dev/urandom >"$work/file"
    cp "$work/file" "$mnt/closed"
    exec 5>"$mnt/open"
    cat "$work/file" >&5
    tar -cSf "$work/tar" -C "$mnt" closed open
    tar -xf "$work/tar" -C "$work"
    cmp "$work/file" "$work/closed"
    cmp "$work/file" "$work/open"
    exec 5>&-
done

# Its blocks are shown while it is still open.
exec 5>"$mnt/growing"
head -c 1000000 /dev/zero >&5
sync "$mnt/growing"
blocks_come 1952 growing
head -c 1000000 /dev/zero >&5
sync "$mnt/growing"
blocks_come 3904 growing
exec 5>&-

# Who only writes hears that the disc is full. 20 GB are more than the page
# cache takes meanwhile.
got=0
timeout 300 dd if=/dev/zero of="$mnt/full" bs=1M count=20000 2>"$work/dd" ||
    got=$?
grep -q 'error writing .* No space left' "$work/dd" ||
    fail "dd ended with $got: $(cat "$work/dd")"
# ... once; and then there is room again.
rm "$mnt/full"
echo text >"$mnt/after"
sync "$mnt/after"
[ "$(cat "$mnt/after")" = text ] || fail "what was written later is not there"
expect 0 "$build/udfpkt-umount" "$mnt"
prove "$cd"

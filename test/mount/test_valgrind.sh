#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Formatting, and a mount - work - unmount cycle, under valgrind: no error, no
# leak.
set -eu

build=$1
command -v valgrind >/dev/null || exit 77
[ -c /dev/fuse ] || exit 77
# The sanitizers have allocators of their own.
! grep -q '^UDFPKT_SANITIZE:[A-Z]*=.' "$build/CMakeCache.txt" || exit 77

work=$(mktemp -d)
mnt=$work/mnt
daemon=

cleanup() {
    if mountpoint -q "$mnt"; then
        fusermount3 -u -z "$mnt" || :
    fi
    [ -z "$daemon" ] || wait "$daemon" || :
    rm -rf "$work"
}
trap cleanup EXIT
mkdir "$mnt"

# checked NAME COMMAND...: runs it; an error or a leak is a failure.
checked() {
    name=$1
    shift
    valgrind --quiet --error-exitcode=99 --leak-check=full \
        --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect,possible \
        --log-file="$work/$name.log" "$@"
}

fail() {
    echo "$1" >&2
    cat "$work"/*.log >&2
    exit 1
}

checked format "$build/udfpkt-format" --media cdrw --size 100M \
    "$work/disc" || fail "udfpkt-format"
checked mount "$build/udfpkt-mount" -f "$work/disc" "$mnt" &
daemon=$!
until mountpoint -q "$mnt"; do
    kill -0 "$daemon" 2>/dev/null || fail "udfpkt-mount ended"
    sleep 0.1
done

cp -r /usr/include/linux "$mnt/tree"
mkdir "$mnt/sub"
ln -s tree "$mnt/link"
ln "$mnt/tree/fs.h" "$mnt/sub/hard"
mv "$mnt/tree/fs.h" "$mnt/tree/renamed.h"
dd if=/dev/zero of="$mnt/big" bs=1M count=8 2>/dev/null
printf 'middle' | dd of="$mnt/big" bs=1 seek=3000000 conv=notrunc 2>/dev/null
truncate -s 5000000 "$mnt/big"
chmod 600 "$mnt/big"
sync "$mnt/big"
rm -r "$mnt/tree/can"
cmp /usr/include/linux/fs.h "$mnt/sub/hard"
ls -lR "$mnt" >/dev/null
! ls "$mnt/missing" 2>/dev/null || fail "ls finds what is not there"

"$build/udfpkt-umount" "$mnt" || fail "udfpkt-umount"
status=0
wait "$daemon" || status=$?
daemon=
[ "$status" -eq 0 ] || fail "the daemon ended with $status"

checked info "$build/udfpkt-info" --json "$work/disc" >"$work/info" ||
    fail "udfpkt-info"
grep -q '"clean": true' "$work/info" || fail "the volume is not closed"
"$build/test/check_image" "$work/disc" >"$work/check.log" ||
    fail "the volume has faults"

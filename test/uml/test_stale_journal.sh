#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon is killed with a commit in the journal, and the Linux kernel, which
# knows no journal, changes the volume. The next mount drops the journal, says
# so, and has what the kernel wrote. Before and after, a clean unmount leaves a
# volume that the kernel takes for closed, and a journal with nothing in it. On
# volumes formatted here and by others.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
# shellcheck source=/dev/null
. "$UML_HERE/../support/disc.sh"
uml_needed
disc_needed
if grep -q '^UDFPKT_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt"; then
    echo "skipped: done in the plain build"
    exit 77
fi
WORK=$(mktemp -d)
trap disc_cleanup EXIT
cd "$WORK"

# crash IMAGE: a commit of two files, and an end without unmounting.
crash() {
    mkdir -p mnt
    "$BUILD/udfpkt-mount" -f -o commit=600 "$1" mnt 2>daemon &
    daemon=$!
    until mountpoint -q mnt; do
        kill -0 "$daemon" || fail "udfpkt-mount: $(cat daemon)"
        sleep 0.05
    done
    echo mine >mnt/dir/mine
    seq 20001 40000 >mnt/dir/kept
    dd if=/dev/null of=mnt/dir/mine oflag=append conv=notrunc,fsync 2>dd.log
    kill -KILL "$daemon"
    wait "$daemon" 2>/dev/null || :
    fusermount3 -u mnt
    [ "$(disc_number "$1" journal_blocks)" -gt 0 ] ||
        fail "$1 has nothing in its journal"
}

# The kernel reads both, and changes them.
cat >change.sh <<'EOS'
for disc in a b; do
    guest_mount /dev/ubd$disc /mnt/$disc rw
    cmp "$WORK/kept" /mnt/$disc/dir/kept
    echo theirs >/mnt/$disc/dir/theirs
    seq 1 100 >/mnt/$disc/dir/kept
    umount /mnt/$disc
done
EOS
cat >read.sh <<'EOS'
for disc in a b; do
    guest_mount /dev/ubd$disc /mnt/$disc
    cat /mnt/$disc/dir/theirs
    seq 1 100 | cmp - /mnt/$disc/dir/kept
done
guest_complaints
EOS

seq 1 20000 >kept
disc_format ours.img --media image --size 60M
truncate -s 60M theirs.img
mkudffs -b 2048 -r 2.01 theirs.img >mkudffs.log
for disc in ours.img theirs.img; do
    disc_mount "$disc"
    mkdir mnt/dir
    cp kept mnt/dir/kept
    disc_umount
    [ "$(disc_number "$disc" journal_blocks)" = 0 ] ||
        fail "the journal of $disc is not empty"
    [ "$(udfinfo "$disc" 2>/dev/null | sed -n 's/^integrity=//p')" = closed ] ||
        fail "$disc is not closed"
    crash "$disc"
done
uml_run "$WORK" change.sh "$BUILD" ubda=ours.img ubdb=theirs.img >guest.log ||
    fail "the kernel cannot use the discs: $(cat guest.log)"

for disc in ours.img theirs.img; do
    disc_mount "$disc"
    grep -q 'the journal is dropped' log || fail "not reported: $(cat log)"
    [ "$(cat mnt/dir/theirs)" = theirs ] || fail "what the kernel wrote is lost"
    seq 1 100 | cmp - mnt/dir/kept || fail "kept is not what the kernel made it"
    [ ! -e mnt/dir/mine ] || fail "a stale journal was replayed"
    disc_umount
    [ "$(disc_number "$disc" journal_blocks)" = 0 ] ||
        fail "the journal of $disc is not empty"
done
uml_run "$WORK" read.sh "$BUILD" ubdar=ours.img ubdbr=theirs.img >guest.log ||
    fail "the kernel cannot read the discs: $(cat guest.log)"
[ "$(cat guest.log)" = "theirs
theirs" ] || fail "the kernel complains: $(cat guest.log)"
echo "stale journals dropped"

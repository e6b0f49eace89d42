#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Files with named streams, and the Linux kernel, which knows none: it reads
# their content, and what it changes keeps its streams.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
# shellcheck source=/dev/null
. "$UML_HERE/../support/disc.sh"
uml_needed
disc_needed
command -v setfattr >/dev/null || exit 77
# Other programs read the same bytes, whatever build wrote them.
if grep -q '^UDFPKT_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt"; then
    echo "skipped: done in the plain build"
    exit 77
fi
WORK=$(mktemp -d)
trap disc_cleanup EXIT
cd "$WORK"

value() {
    getfattr --only-values --absolute-names -n "$2" "$1" 2>/dev/null
}

# A plain volume: the kernel writes to no sparable one.
disc_format plain.img --media image --size 60M
disc_mount plain.img
mkdir mnt/dir
head -c 300000 /dev/urandom >large
cp large mnt/dir/large
echo text >mnt/dir/small
for name in mnt/dir mnt/dir/large mnt/dir/small; do
    setfattr -n user.one -v first "$name"
    head -c 40000 /dev/zero | tr '\0' x >long
    setfattr -n user.long -v "$(cat long)" "$name"
done
disc_umount

cat >change.sh <<'EOS'
guest_mount /dev/ubda /mnt/a rw
cmp "$WORK/large" /mnt/a/dir/large
cat /mnt/a/dir/small
echo changed >/mnt/a/dir/small
mv /mnt/a/dir/large /mnt/a/large
umount /mnt/a
guest_complaints
EOS
uml_run "$WORK" change.sh "$BUILD" ubda=plain.img >guest.log ||
    fail "the kernel cannot use the disc: $(cat guest.log)"
[ "$(cat guest.log)" = text ] || fail "the kernel reads: $(cat guest.log)"

disc_mount plain.img
cmp large mnt/large || fail "content of the large file"
[ "$(cat mnt/dir/small)" = changed ] || fail "content of the small file"
for name in mnt/dir mnt/large mnt/dir/small; do
    [ "$(value "$name" user.one)" = first ] || fail "user.one of $name"
    [ "$(value "$name" user.long)" = "$(cat long)" ] || fail "long of $name"
done
before=$(stat -f -c %f mnt)
rm -r mnt/large mnt/dir
sync mnt
[ "$(stat -f -c %f mnt)" -gt $((before + 200)) ] || fail "space is not free"
disc_umount

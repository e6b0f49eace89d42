#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The large tree of mount/test_tree.sh on a type 1 volume, read back equal by
# programs that nobody here wrote: grub, libudfread and 7z. The kernel reads
# the same in uml/test_tree_kernel.sh.
#
# What they cannot do, and how it is met:
# - none shows symbolic links or special files as such: left out;
# - 7z refuses a volume that holds any, and files with holes: they are deleted
#   before it comes;
# - grub takes a hole for data at block 0: the file with one is left out. It
#   reads names and contents, no more;
# - libudf knows no extended file entries, which is what is written on UDF
#   2.01: of such a volume it sees the name. It reads UDF 1.50 (formatted by
#   mkudffs, filled by us), but nothing embedded: so files of more than a
#   block, in one directory that is too large to be embedded.
set -eu
BUILD=$1
HERE=$(cd "$(dirname "$0")" && pwd)
TREE_HERE=$HERE/../support
# shellcheck source=/dev/null
. "$TREE_HERE/readers.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/tree.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/disc.sh"
disc_needed
# Other programs read the same bytes, whatever build wrote them.
if grep -q '^UDFPKT_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt"; then
    echo "skipped: done in the plain build"
    exit 77
fi
WORK=$(mktemp -d)
trap disc_cleanup EXIT
cd "$WORK"

# grub compares folders by itself, file by file of TREE; what else is on the
# disc is seen by the number of names.
grub_same() {
    grub-fstest "$WORK/plain.img" cmp / "$1" >log 2>&1 ||
        fail "grub: $(tail -n 5 log)"
}

# The first 1,000 files of TREE that are not small, in one directory.
make_flat() {
    mkdir "$2"
    find "$1" -type f -links 1 -size +4 -size -200 | sort | head -n 1000 |
        while IFS= read -r file; do
            number=$((${number-0} + 1))
            cp -p "$file" "$2/file number $number of very many"
        done
}

tree=$(tree_shared "$BUILD") || fail "cannot make the tree"
disc_format plain.img --media image --size 550M --label 'Plain tree'
disc_mount plain.img
cp -a "$tree/." mnt || fail "cp -a"
disc_umount
disc_check plain.img
echo "$(date +%T) made"

cp -a "$tree" only
find only ! -type f ! -type d -delete
rm only/sizes/hole
grub_same "$WORK/only"
for part in many sizes; do
    seen=$(grub-fstest plain.img ls "/$part/" | wc -w)
    expected=$(find "$tree/$part" -mindepth 1 -maxdepth 1 | wc -w)
    [ "$seen" = "$expected" ] || fail "grub sees $seen words in $part, not" \
        "$expected"
done
echo "$(date +%T) grub: $(find only | wc -l) objects equal"
reader_compare udfread plain.img "$tree" "$WORK" "$BUILD" || fail libudfread
label=$("$BUILD/test/read_libudf" --label plain.img) || fail libudf
[ "$label" = 'Plain tree' ] || fail "libudf: the label is $label"
disc_mount plain.img
find mnt ! -type f ! -type d -delete
rm mnt/sizes/hole
find mnt only -type d -print0 | xargs -0 touch -d "$TREE_DATE"
disc_umount
disc_check plain.img
reader_compare 7z plain.img only "$WORK" "$BUILD" || fail 7z

make_flat "$tree" flat
truncate -s 200M simple.img
mkudffs --media-type=hd -b 2048 --udfrev=1.50 -l Simple simple.img >log
disc_mount simple.img
cp -a flat/. mnt || fail "cp -a"
disc_umount
"$BUILD/test/check_image" simple.img || fail "simple.img has faults"
reader_compare libudf simple.img flat "$WORK" "$BUILD" || fail libudf
date +%T

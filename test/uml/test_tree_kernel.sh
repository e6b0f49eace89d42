#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The large tree of mount/test_tree.sh, read back by others: the Linux kernel
# reads a CD-RW with it, the same after much was changed, and a type 1 volume;
# udfclient reads the CD-RW; udfinfo and udfpkt-info name the same numbers as
# the tree has.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
TREE_HERE=$UML_HERE/../support
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/readers.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/tree.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/disc.sh"
uml_needed
disc_needed
# Other programs read the same bytes, whatever build wrote them.
if grep -q '^UDFPKT_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt"; then
    echo "skipped: done in the plain build"
    exit 77
fi
WORK=$(mktemp -d)
trap disc_cleanup EXIT
cd "$WORK"

# check_value WHO WHAT VALUE EXPECTED
check_value() {
    [ "$3" = "$4" ] || fail "$1: $2 is $3, not $4"
}

# check_info IMAGE TREE: what udfinfo and udfpkt-info say. Every name is a
# file, but those of directories; the root is a directory.
check_info() {
    files=$(find "$2" ! -type d | wc -l)
    directories=$(find "$2" -type d | wc -l)
    check_value udfinfo label "$(reader_info "$1" label)" 'A tree'
    check_value udfinfo revision "$(reader_info "$1" udfrev)" 2.01
    check_value udfinfo integrity "$(reader_info "$1" integrity)" closed
    check_value udfinfo files "$(reader_info "$1" numfiles)" "$files"
    check_value udfinfo directories "$(reader_info "$1" numdirs)" \
        "$directories"
    check_value udfpkt-info files "$(disc_number "$1" files)" "$files"
    check_value udfpkt-info directories "$(disc_number "$1" directories)" \
        "$directories"
    check_value udfpkt-info "free blocks" "$(disc_number "$1" free_blocks)" \
        "$(reader_info "$1" freeblocks)"
}

# check_guest IMAGE TREE NAME: what the guest found in the image.
check_guest() {
    "$BUILD/test/treesum" --without=root "$2" >expected
    diff expected "$3.lines" >difference ||
        fail "the kernel reads $1 otherwise: $(head -n 20 difference)"
    # by counting bits, not from the LVID
    check_value "the kernel" "free blocks" "$(cat "$3.free")" \
        "$(reader_info "$1" freeblocks)"
    echo "$(date +%T) kernel: $(wc -l <expected) objects of $1 equal"
}

tree=$(tree_shared "$BUILD") || fail "cannot make the tree"
disc_format changed.img --media cdrw --label 'A tree'
disc_mount changed.img
cp -a "$tree/." mnt || fail "cp -a"
disc_umount
cp changed.img copied.img
disc_mount changed.img
tree_change mnt "$WORK" || fail "cannot change the disc"
disc_umount
disc_format plain.img --media image --size 550M --label 'A tree'
disc_mount plain.img
cp -a "$tree/." mnt || fail "cp -a"
disc_umount
echo "$(date +%T) made"

check_info copied.img "$tree"
check_info changed.img "$tree-changed"
check_info plain.img "$tree"

cat >read.sh <<'EOS'
for pair in ubda=copied ubdb=changed ubdc=plain; do
    guest_mount "/dev/${pair%=*}" /mnt/a
    stat -f -c %f /mnt/a >"$WORK/${pair#*=}.free"
    guest_treesum --without=root /mnt/a >"$WORK/${pair#*=}.lines"
    umount /mnt/a
done
guest_complaints
EOS
uml_run "$WORK" read.sh "$BUILD" ubdar=copied.img ubdbr=changed.img \
    ubdcr=plain.img >guest.log ||
    fail "the kernel cannot read the discs: $(cat guest.log)"
[ ! -s guest.log ] || fail "the kernel complains: $(cat guest.log)"
check_guest copied.img "$tree" copied
check_guest changed.img "$tree-changed" changed
check_guest plain.img "$tree" plain

reader_compare udfclient copied.img "$tree" "$WORK" "$BUILD" ||
    fail "udfclient"
date +%T

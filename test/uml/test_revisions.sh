#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every revision on every map, between the kernel's driver and this one, in two
# boots of a guest:
#   - mkudffs makes a volume, the kernel fills it; it mounts here equal, is
#     changed here, and the kernel reads that;
#   - udfpkt-format makes a volume, it is filled here; the kernel reads it equal
#     and changes it; that mounts here equal, is changed here, and so on. What
#     the kernel can only read (2.50, 2.60) it reads twice;
#   - mkudffs makes a volume with a virtual partition; both read it equal. All
#     there is to see is the root: what can write such volumes is not here, and
#     uml/test_rare_kernel has some with files.
# Programs that nobody here wrote read what was written here last, as far as
# each can (test/support/readers.sh).
#
# UDFPKT_PAIRS=all takes every pair that mkudffs knows; without it, each medium
# and each revision comes once at least.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
# shellcheck source=/dev/null
. "$UML_HERE/../support/readers.sh"
# shellcheck source=/dev/null
. "$UML_HERE/../support/disc.sh"
uml_needed
disc_needed
if ! command -v mkudffs >/dev/null; then
    echo "skipped: mkudffs is not installed"
    exit 77
fi
WORK=$(mktemp -d)
mkdir "$WORK/mnt"
trap disc_cleanup EXIT
cd "$WORK"

if [ "${UDFPKT_PAIRS:-}" = all ]; then
    PAIRS="hd-0102 hd-0150 hd-0200 hd-0201 dvdram-0102 dvdram-0150
        dvdram-0200 dvdram-0201 table-0102 table-0201
        cdrw-0150 cdrw-0200 cdrw-0201 dvdrw-0150 dvdrw-0200 dvdrw-0201"
else
    PAIRS="hd-0102 hd-0201 dvdram-0150 dvdram-0200 cdrw-0150 cdrw-0201
        table-0201
        dvdrw-0200 dvdrw-0201"
fi
OWN="type1-0102 type1-0150 type1-0200 type1-0201 sparable-0150
    sparable-0200 sparable-0201"
NEW="type1-0250 type1-0260 sparable-0250 sparable-0260"
VIRTUAL="cdr-0150 cdr-0200 cdr-0201 dvdr-0150 dvdr-0200 dvdr-0201
    bdr-0250 bdr-0260"
for list in "PAIRS $PAIRS" "OWN $OWN" "NEW $NEW" "VIRTUAL $VIRTUAL"; do
    echo "${list#* }" | tr -s ' ' '\n' >"${list%% *}"
done

# dotted 0201: 2.01
dotted() {
    echo "$1" | sed 's/^0\(.\)\(..\)$/\1.\2/'
}

# see DIRECTORY: what the kernel shows of it, too: it hides what is hidden.
see() {
    "$BUILD/test/treesum" "$COLUMNS" "$1" |
        grep -v '^Non-Allocatable.x20Space' || :
}

# What both sides can fill a volume with, and change it. No directory moves:
# the kernel leaves the parent's UniqueID of those 0. Processes are few: each
# takes the guest long.
cat >tree.sh <<'END'
COLUMNS=--without=root,dirtime
see_root() {
    stat -c '%F %a %u:%g %h links %s bytes %y' "$1"
    ls -A "$1"
}
fill_tree() {
    mkdir -p "$1/a/b c" "$1/many"
    for bytes in 0 1 1800 1833 2047 2048 2049 70001; do
        head -c "$bytes" /dev/urandom >"$1/a/size-$bytes"
    done
    number=0
    while [ "$number" -lt 70 ]; do
        echo "$number" >"$1/many/a name that takes some room $number"
        number=$((number + 1))
    done
    echo x >"$1/a/b c/$(printf '\303\244\346\227\245')"
    ln "$1/a/size-2049" "$1/many/second name"
    ln -s "../a/size-1" "$1/many/link"
    chmod 0751 "$1/a"
    chmod 0604 "$1/a/size-1"
    chown 12:34 "$1/a/size-2048"
}
# change_tree DIRECTORY us|kernel
change_tree() {
    case $2 in
    us) moved=1800 gone=3 ;;
    kernel) moved=2047 gone=6 ;;
    esac
    rm -rf "$1"/many/*$gone "$1/a/b c"
    mkdir "$1/made by $2"
    head -c 300001 /dev/urandom >"$1/made by $2/large"
    head -c 5000 /dev/urandom >>"$1/a/size-2048"
    : >"$1/a/size-70001"
    mv "$1/a/size-$moved" "$1/made by $2/moved"
    echo "$2" >"$1/many/from $2"
}
END
# shellcheck source=/dev/null
. ./tree.sh

for pair in $PAIRS; do
    truncate -s 24M "kernel-$pair.img"
    set -- "--media-type=${pair%-*}"
    [ "${pair%-*}" != table ] ||
        set -- --media-type=hd --space=unalloctable
    mkudffs --utf8 "$@" --udfrev="0x${pair#*-}" \
        --blocksize=2048 --label="Kernel's" "kernel-$pair.img" >log 2>&1 ||
        fail "mkudffs $pair: $(cat log)"
done
for pair in $VIRTUAL; do
    image=virtual-$pair
    truncate -s 24M "$image"
    mkudffs --media-type="${pair%-*}" --udfrev="0x${pair#*-}" --uid=12 \
        --gid=34 --mode=0751 --blocksize=2048 "$image" >log 2>&1 ||
        fail "mkudffs $pair: $(cat log)"
    # the table is the last block that was written
    last=$(sed -n 's/^vatblock=//p' log)
    truncate -s $(((last + 1) * 2048)) "$image"
    disc_mount "$image" -r
    see_root mnt >"$image.lines"
    grep -q '^directory 751 12:34 ' "$image.lines" ||
        fail "$pair: $(cat "$image.lines")"
    disc_umount
done
for pair in $OWN $NEW; do
    disc_format "own-$pair.img" --media image --size 24M --map "${pair%-*}" \
        --udf "$(dotted "${pair#*-}")" --label Own
    disc_mount "own-$pair.img"
    fill_tree mnt
    see mnt >"own-$pair.lines"
    disc_umount
    disc_check "own-$pair.img"
done

# The guest: fills, changes, reads.
mkdir tree
fill_tree tree
tar -c --numeric-owner -f tree.tar -C tree .
cat >first.sh <<'END'
. "$WORK/tree.sh"
guest_modules drivers/block/loop
cd "$WORK"
for pair in $(cat PAIRS); do
    guest_loop "kernel-$pair.img" /mnt/a rw
    busybox tar -x -p -f tree.tar -C /mnt/a
    guest_treesum "$COLUMNS" /mnt/a >"kernel-$pair.lines"
    umount /mnt/a
done
for pair in $(cat OWN); do
    guest_loop "own-$pair.img" /mnt/a rw
    guest_treesum "$COLUMNS" /mnt/a >"own-$pair.guest"
    change_tree /mnt/a kernel
    guest_treesum "$COLUMNS" /mnt/a >"own-$pair.next"
    umount /mnt/a
done
for pair in $(cat NEW); do
    guest_loop "own-$pair.img" /mnt/a ro
    guest_treesum "$COLUMNS" /mnt/a >"own-$pair.guest"
    umount /mnt/a
done
for pair in $(cat VIRTUAL); do
    # not of UDF 1.50: see docs/TESTING.md
    if guest_loop "virtual-$pair" /mnt/a ro 2>"virtual-$pair.error"; then
        see_root /mnt/a >"virtual-$pair.guest"
        umount /mnt/a
    fi
done
guest_complaints | grep -v 'udf_read_tagged: read failed, block=131\|fileset' ||
    :
END
uml_run "$WORK" first.sh "$BUILD" >log || fail "in the guest: $(cat log)"
grep -i 'error\|fail' log && fail "the kernel complains: $(cat log)"
for pair in $VIRTUAL; do
    case $pair in
    *-0150) [ -e "virtual-$pair.guest" ] || continue ;;
    esac
    diff "virtual-$pair.lines" "virtual-$pair.guest" >log ||
        fail "the kernel reads virtual $pair otherwise: $(cat log)"
    echo "virtual-$pair: equal"
done
for pair in $OWN $NEW; do
    diff "own-$pair.lines" "own-$pair.guest" >log ||
        fail "the kernel reads $pair otherwise: $(head -n 20 log)"
    if [ -e "own-$pair.next" ]; then
        mv "own-$pair.next" "own-$pair.lines"
    fi
done

# What mkudffs and the kernel leave: spares that begin no packet of a small
# disc, a count that is one short, and implementation use on UDF 1.50.
DISC_KNOWN='^sparing table: entry [0-9]*: spare .* does not begin a packet'
DISC_KNOWN="$DISC_KNOWN|^sparable partition: .* are not whole packets"
DISC_KNOWN="$DISC_KNOWN|^LVID: .* files and .* directories, counted"
DISC_KNOWN="$DISC_KNOWN|^directory .* use of the ICB is not 0 \\(UDF 1.50"

# Here: the same, and changed.
for image in kernel-*.img own-*.img; do
    lines=${image%.img}.lines
    disc_mount "$image"
    see mnt >read.lines
    diff "$lines" read.lines >log ||
        fail "$image reads otherwise: $(head -n 20 log)"
    change_tree mnt us
    rm mnt/many/link # 7z reads no volume that has one
    see mnt >"$lines"
    disc_umount
done
for pair in $NEW; do
    (DISC_KNOWN='' && disc_check "own-$pair.img")
done

# The guest ends with its mounts.
cat >second.sh <<'END'
. "$WORK/tree.sh"
guest_modules drivers/block/loop
cd "$WORK"
printf '/mnt/%s\n' *.img | sed 's/\.img$//' | xargs mkdir
for image in *.img; do
    guest_loop "$image" "/mnt/${image%.img}" ro
done
guest_treesum "$COLUMNS" /mnt/kernel-* /mnt/own-*
guest_complaints
END
uml_run "$WORK" second.sh "$BUILD" >log || fail "in the guest: $(cat log)"
grep -i 'error\|fail' log && fail "the kernel complains: $(cat log)"
for image in kernel-*.img own-*.img; do
    diff "${image%.img}.lines" "${image%.img}.guest" >log ||
        fail "the kernel reads $image otherwise: $(head -n 20 log)"
    echo "$image: equal"
done

# readers IMAGE: who can read it, see test/support/readers.sh. The kernel's
# directories come in several extents, too many for libudfread; udfclient does
# not show the file of Non-Allocatable Space that UDF 1.50 has in the root.
readers() {
    case $1 in
    kernel-*rw-0150.img) ;;
    *-02[56]0.img) echo udfread 7z ;;
    *) echo udfclient 7z grub ;;
    esac | case $1 in
    own-sparable-02[56]0.img) : ;;
    *-sparable-* | *-cdrw-* | *-dvdrw-*) sed 's/ 7z grub//' ;;
    *) cat ;;
    esac
}
for image in kernel-*.img own-*.img; do
    names=$(readers "$image")
    disc_mount "$image" -r
    for reader in $names; do
        reader_compare "$reader" "$image" mnt "$WORK" "$BUILD" ||
            fail "$reader reads $image otherwise"
    done
    disc_umount
done

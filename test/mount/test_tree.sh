#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job with a large real tree on a virtual CD-RW: copy, unmount both
# ways, mount, compare; change much of it, and again. The drive says that it
# saw whole packets only, that fresh data caused no reading, and that reading
# wrote nothing.
set -eu
BUILD=$1
HERE=$(cd "$(dirname "$0")" && pwd)
TREE_HERE=$HERE/../support
# shellcheck source=/dev/null
. "$TREE_HERE/tree.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/disc.sh"
disc_needed
WORK=$(mktemp -d)
trap disc_cleanup EXIT
DISC=$WORK/disc.img

step() {
    echo "$(date +%T) $*"
}

# Blocks that the drive was asked to read, since it was first written to, and to
# write, from the trace. Every WRITE must be whole packets of 32 blocks on their
# borders.
count_blocks() {
    awk 'function hex(text, n, i) {
            n = 0
            for (i = 1; i <= length(text); i++)
                n = n * 16 + index("0123456789ABCDEF", substr(text, i, 1)) - 1
            return n
        }
        $2 ~ /^(28|2A)$/ { blocks = hex($9 $10) }
        $2 ~ /^(A8|AA)$/ { blocks = hex($8 $9 $10 $11) }
        $2 ~ /^(28|A8)$/ && written { read += blocks }
        $2 ~ /^(2A|AA)$/ {
            written += blocks
            if (hex($4 $5 $6 $7) % 32 || blocks % 32 || !blocks) {
                print "not whole packets: " $0; bad = 1
            }
        }
        END { print read + 0, written + 0; exit bad || !written }' "$1"
}

tree=$(tree_shared "$BUILD") || fail "cannot make the tree"
step "$(find "$tree" -type f | wc -l) files," \
    "$(du -sb "$tree" | cut -f 1) bytes"

disc_format "$DISC" --media cdrw --label 'A tree'
disc_mount "$DISC" -o "trace=$WORK/trace"
cp -a "$tree/." "$WORK/mnt" || fail "cp -a"
disc_fusermount "$DISC"
blocks=$(count_blocks "$WORK/trace") || fail "$blocks"
step "copied: ${blocks#* } blocks written, ${blocks% *} read"
[ $((${blocks% *} * 100)) -lt "${blocks#* }" ] ||
    fail "fresh data caused ${blocks% *} blocks of reading"
disc_check "$DISC"

# Reading writes nothing, not even that the disc was mounted.
written_before=$(disc_number "$DISC" packets_written)
cksum "$DISC" >"$WORK/before"
disc_mount "$DISC"
disc_same "$tree"
find "$WORK/mnt" -type f -print0 | xargs -0 cat >/dev/null || fail "cat"
disc_umount
[ "$(disc_number "$DISC" packets_written)" = "$written_before" ] ||
    fail "reading wrote packets"
cksum "$DISC" | cmp -s - "$WORK/before" || fail "reading changed the disc"
step "compared"

disc_mount "$DISC" -o "trace=$WORK/trace2"
tree_change "$WORK/mnt" "$WORK" || fail "cannot change the disc"
# Left to the file system's own clock, with names that no other file system
# here can hold: 254 characters of two bytes each, and 127 of three.
mkdir "$WORK/mnt/now"
echo one >"$WORK/mnt/now/$(tree_name 254 é)"
echo two >"$WORK/mnt/now/$(tree_name 127 語)"
"$BUILD/test/treesum" "$WORK/mnt/now" >"$WORK/now"
disc_umount
blocks=$(count_blocks "$WORK/trace2") || fail "$blocks"
step "changed: ${blocks#* } blocks written, ${blocks% *} read"
disc_check "$DISC"

disc_mount "$DISC"
"$BUILD/test/treesum" "$WORK/mnt/now" | diff "$WORK/now" - ||
    fail "what was written last is not what comes back"
rm -r "$WORK/mnt/now"
touch -d "$TREE_DATE" "$WORK/mnt"
disc_same "$tree-changed"
disc_fusermount "$DISC"
disc_check "$DISC"
step "compared"

# What everything takes is given back with the last name.
disc_mount "$DISC"
find "$WORK/mnt" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
disc_umount
disc_check "$DISC"
[ "$(disc_number "$DISC" files)" = 0 ] || fail "files are left"
[ "$(disc_number "$DISC" directories)" = 1 ] || fail "directories are left"
step "deleted: $(disc_number "$DISC" free_blocks) blocks free"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every rewritable medium: format, mount, change a small tree, unmount, check,
# mount again, compare. The drive refuses nothing, and every WRITE is whole,
# aligned packets of the medium, although most drives would take less.
set -eu
BUILD=$1
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$HERE/../support/disc.sh"
disc_needed
WORK=$(mktemp -d)
trap disc_cleanup EXIT

# whole_packets TRACE BLOCKS: fails for a WRITE that is anything else.
whole_packets() {
    awk -v packet="$2" 'function hex(text, n, i) {
            n = 0
            for (i = 1; i <= length(text); i++)
                n = n * 16 + index("0123456789ABCDEF", substr(text, i, 1)) - 1
            return n
        }
        $2 ~ /^(AA|2E)$/ { print "another way to write: " $0; bad = 1 }
        $2 == "2A" {
            blocks = hex($9 $10); writes++
            if (hex($4 $5 $6 $7) % packet || blocks % packet || !blocks) {
                print "not whole packets: " $0; bad = 1
            }
        }
        END { exit bad || !writes }' "$1" || fail "$3: WRITE commands"
}

make_tree() {
    mkdir -p "$1/sub/deeper"
    for i in 1 2 3 4 5 6 7 8 9; do
        head -c "$((i * i * 1777))" /dev/urandom >"$1/sub/file $i"
    done
    head -c 3000000 /dev/urandom >"$1/large"
    ln "$1/large" "$1/sub/deeper/link"
    ln -s ../large "$1/sub/symlink"
    echo small >"$1/sub/deeper/small"
}

change_tree() {
    rm "$1/sub/file 3" "$1/sub/file 8"
    mv "$1/sub/deeper" "$1/moved"
    head -c 100000 "$1/sub/file 9" >>"$1/sub/file 1"
    dd if="$1/large" of="$1/sub/file 2" bs=5000 seek=3 count=7 conv=notrunc \
        2>/dev/null
    truncate -s 12345 "$1/large"
    find "$1" -mindepth 1 -exec touch -h -d @1000000000 {} +
}

# cycle IMAGE PACKET: what a user does with a formatted disc.
cycle() {
    rm -rf "$WORK/tree"
    make_tree "$WORK/tree"
    rm -f "$WORK/trace"
    disc_mount "$1" -o "trace=$WORK/trace"
    cp -a "$WORK/tree/." "$WORK/mnt"
    disc_umount
    whole_packets "$WORK/trace" "$2" "$1"
    disc_check "$1"
    disc_mount "$1" -o "speed=2,trace=$WORK/trace"
    disc_same "$WORK/tree"
    change_tree "$WORK/tree"
    change_tree "$WORK/mnt"
    disc_umount
    whole_packets "$WORK/trace" "$2" "$1"
    disc_check "$1"
    rm "$WORK/trace"
    disc_mount "$1" -r -o "trace=$WORK/trace"
    disc_same "$WORK/tree"
    disc_umount
    if awk '$2 ~ /^(2A|04|5B|A1)$/ {found = 1} END {exit !found}' \
        "$WORK/trace"; then
        fail "$1: reading changed the disc"
    fi
}

# try WORD PACKET OPTION...
try() {
    word=$1
    packet=$2
    shift 2
    echo "$(date +%T) $word $*"
    rm -f "$WORK"/disc* "$WORK/trace"
    disc_format "$WORK/disc" --media "$word" --size 60M --trace "$WORK/trace" \
        "$@"
    whole_packets "$WORK/trace" "$packet" "udfpkt-format $word"
    cycle "$WORK/disc" "$packet"
}

for quirk in "" dvd+rw-aligned-only lying-capacity \
    format-capacities-plus-four late-2/04/07 sequence-error \
    not-erasable-after-format speed-refused; do
    if [ -n "$quirk" ]; then
        echo "$(date +%T) dvd+rw $quirk"
        rm -f "$WORK"/disc*
        echo "quirk $quirk" >"$WORK/disc.udfpkt-faults"
        disc_format "$WORK/disc" --media dvd+rw --size 60M
    else
        disc_format "$WORK/disc" --media dvd+rw --size 60M
    fi
    if [ "$quirk" = sequence-error ] || [ "$quirk" = speed-refused ]; then
        # Here the drive does refuse; what counts is that nobody notices.
        rm -rf "$WORK/tree"
        disc_mount "$WORK/disc" -o speed=2
        make_tree "$WORK/tree"
        cp -a "$WORK/tree/." "$WORK/mnt"
        disc_umount
        disc_mount "$WORK/disc"
        disc_same "$WORK/tree"
        disc_umount
    else
        cycle "$WORK/disc" 16
    fi
done
try cdrw 32
try dvd+rw 16 --map type1
try dvd+rw 16 --wait
try dvd+rw-dl 16
try dvd-rw 16
try dvd-rw 16 --quick
try dvd-ram 16
try cdmrw 32
try bd-re 32
try bd-re 32 --spare none

# A disc that was formatted quickly is made larger, its files stay.
echo "$(date +%T) dvd-rw --grow"
rm -f "$WORK"/disc*
disc_format "$WORK/disc" --media dvd-rw --size 60M --quick
disc_format "$WORK/disc" --force --quick --size 20M
small=$(disc_number "$WORK/disc" partition_blocks)
rm -rf "$WORK/tree"
make_tree "$WORK/tree"
disc_mount "$WORK/disc"
cp -a "$WORK/tree/." "$WORK/mnt"
disc_umount
for size in 40M 60M; do
    disc_format "$WORK/disc" --grow --size $size
    disc_check "$WORK/disc"
    disc_mount "$WORK/disc" -r
    disc_same "$WORK/tree"
    disc_umount
done
[ "$(disc_number "$WORK/disc" partition_blocks)" -gt $((small * 2)) ] ||
    fail "the volume did not grow"
cycle_again() {
    disc_mount "$WORK/disc"
    find "$WORK/mnt" -mindepth 1 -delete
    disc_umount
    cycle "$WORK/disc" 16
}
cycle_again

# A background format is finished on demand, and the volume then has all its
# anchors: at 256, N-256 and N.
echo "$(date +%T) dvd+rw --wait, later"
rm -f "$WORK"/disc*
disc_format "$WORK/disc" --media dvd+rw --size 60M
disc_mount "$WORK/disc"
cp -a "$WORK/tree/." "$WORK/mnt"
disc_umount
disc_format "$WORK/disc" --wait
disc_check "$WORK/disc"
disc_mount "$WORK/disc" -r
disc_same "$WORK/tree"
disc_umount
last=$(($(disc_number "$WORK/disc" blocks) - 1))
for lba in 256 $((last - 256)) $last; do
    id=$(od -An -tu2 -j $((lba * 2048)) -N 2 "$WORK/disc")
    [ "$id" -eq 2 ] || fail "no anchor at $lba"
done

# Media that can be written once are recognised, and left alone.
echo "$(date +%T) bd-r"
rm -f "$WORK"/disc*
if "$BUILD/udfpkt-format" --media bd-r --size 60M "$WORK/disc" \
    >"$WORK/log" 2>&1; then
    fail "a BD-R was formatted"
fi
grep -qi "once\|cannot be formatted\|cannot do that" "$WORK/log" ||
    fail "no reason is given: $(cat "$WORK/log")"
echo "all media pass"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Discs that are written once, and DVD-RW and DVD+R that somebody closed: those
# that hold UDF are mounted read-only, with a word about it, and everything on
# them is read. Writing and formatting are refused, and change nothing; blank
# ones are refused by both. The volumes are one of ours, as a burning program
# would have put it there, and one with a virtual partition by mkudffs.
set -eu
BUILD=$1
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$HERE/../support/disc.sh"
disc_needed
WORK=$(mktemp -d)
trap disc_cleanup EXIT
cd "$WORK"
DISC=$WORK/disc

# refused CODE TEXT COMMAND...: and the disc is as before.
refused() {
    code=$1
    text=$2
    shift 2
    cksum <"$DISC" >before
    got=0
    "$@" >log 2>&1 </dev/null || got=$?
    [ "$got" = "$code" ] || fail "$now: $*: $got, not $code: $(cat log)"
    grep -q "$text" log || fail "$now: $*: no \"$text\" in: $(cat log)"
    grep -q '^  try: ' log || fail "$now: $*: no advice in: $(cat log)"
    cksum <"$DISC" | cmp -s before - || fail "$now: $* changed the disc"
}

# read_only LABEL: the disc is mounted as it should be.
read_only() {
    disc_mount "$DISC"
    grep -q 'read-only' log || fail "$now: mounted without a word: $(cat log)"
    if (: >mnt/new) 2>error; then
        fail "$now: was written to"
    fi
    grep -q 'Read-only file system' error || fail "$now: $(cat error)"
    [ "$1" != Plain ] || disc_same tree
    disc_umount
    "$BUILD/udfpkt-info" --json "$DISC" >info ||
        fail "$now: udfpkt-info"
    grep -q "\"label\": \"$1\"" info || fail "$now: $(cat info)"
    grep -q '"refused": 0' info || fail "$now: commands were refused"
}

# try HOW MEDIUM VOLUME LABEL
try() {
    now="$*"
    rm -f disc disc.udfpkt
    case $1 in
    closed)
        cp "$3" disc
        "$BUILD/test/write_once" closed disc "$2"
        ;;
    *) "$BUILD/test/write_once" "$1" disc "$2" "$3" ;;
    esac
    read_only "$4"
    case $2 in
    dvd-rw) refused 6 sequentially "$BUILD/udfpkt-mount" -o rw "$DISC" mnt ;;
    *) refused 7 once "$BUILD/udfpkt-mount" -o rw "$DISC" mnt ;;
    esac
}

# blank MEDIUM
blank() {
    now="blank $1"
    rm -f disc disc.udfpkt
    "$BUILD/test/write_once" blank disc "$1"
    refused 6 once "$BUILD/udfpkt-mount" "$DISC" "$WORK/mnt"
    refused 6 once "$BUILD/udfpkt-format" --force "$DISC"
}

mkdir -p tree/sub mnt
head -c 3000001 /dev/urandom >tree/large
seq 1 100 >tree/sub/small
ln -s sub/small tree/link
disc_format plain.img --media image --size 6144blocks --label Plain
disc_mount plain.img
cp -a tree/. mnt
disc_umount

mkudffs --media-type=dvdr --blocksize=2048 --closed --label=Virtual \
    --new-file virtual.img 6144 >log 2>&1 || fail "mkudffs: $(cat log)"
truncate -s %64K virtual.img # whole packets

for medium in cd-r dvd-r dvd+r bd-r dvd-rw; do
    try closed $medium plain.img Plain
    try closed $medium virtual.img Virtual
    [ $medium = dvd-rw ] || refused 7 once \
        "$BUILD/udfpkt-format" --force "$DISC"
done
for how in open pow; do
    try $how bd-r plain.img Plain
    try $how bd-r virtual.img Virtual
    refused 7 once "$BUILD/udfpkt-format" --force "$DISC"
done
for medium in cd-r dvd-r dvd+r; do
    try open $medium plain.img Plain
    try open $medium virtual.img Virtual
    refused 7 once "$BUILD/udfpkt-format" --force "$DISC"
done
for medium in cd-r dvd-r dvd+r bd-r; do
    blank $medium
done

# DVD-RW is erased, when it is said so.
now="dvd-rw, to be formatted"
rm -f disc disc.udfpkt
cp plain.img disc
"$BUILD/test/write_once" closed disc dvd-rw
refused 8 "recordings in another format" "$BUILD/udfpkt-format" "$DISC"
disc_format "$DISC" --force
disc_mount "$DISC"
: >mnt/new
disc_umount
echo "all as it should be"

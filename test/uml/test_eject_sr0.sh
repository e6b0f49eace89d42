#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The eject button, the pin and an empty tray of a drive that the kernel has as
# /dev/sr0, in user-mode-linux: on a writable mount the drive itself is asked;
# on a read-only one the kernel asks too, and is made to be first; an idle
# mount notices that its drive was unplugged; --wait sees the disc come.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
uml_needed
if grep -qE '^UDFPKT_SANITIZE:[A-Z]+=.+' "$BUILD/CMakeCache.txt"; then
    echo "skipped: sanitizers find no place for themselves in the guest"
    exit 77
fi
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"

cat >script.sh <<'EOF2'
guest_drives
PATH=$BUILD:$PATH
cd "$WORK"
mkdir -p /mnt/disc

fail() {
    echo "FAILED: $*"
    cat daemon log 2>/dev/null
    dmesg | tail -n 20
    exit 1
}

# expect STATUS COMMAND...: runs it, output to the file log.
expect() {
    wanted=$1
    shift
    status=0
    timeout 60 "$@" >log 2>&1 || status=$?
    [ "$status" = "$wanted" ] || fail "$*: $status, not $wanted"
}

mounted() {
    grep -q ' /mnt/disc fuse.udfpkt ' /proc/self/mounts
}

# until_true COMMAND...: tries for ten seconds.
until_true() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}

# serve OPTION...: mounts in the foreground: $daemon.
serve() {
    udfpkt-mount -f -v "$@" /dev/sr0 /mnt/disc 2>daemon &
    daemon=$!
    until_true mounted || fail "not mounted"
}

not_mounted() {
    ! mounted
}

tray_is() {
    udfpkt-vdrive status disc.img | grep -q "tray *$1"
}

# The button was pressed: the daemon ends with 0 and the tray is open.
ejected() {
    until_true not_mounted || fail "still mounted"
    status=0
    wait "$daemon" || status=$?
    [ "$status" = 0 ] || fail "the daemon ended with $status"
    tray_is open || fail "the tray is not open"
}

reload() {
    expect 0 udfpkt-vdrive load disc.img
}

expect 0 udfpkt-vdrive create --media cdrw disc.img
expect 0 udfpkt-vdrive attach --pace 1000 disc.img
expect 0 udfpkt-format --media cdrw /dev/sr0
head -c 5000001 /dev/urandom >data

echo "the button while a file is open"
serve
cp data /mnt/disc/data
exec 5>/mnt/disc/open
cat data >&5
expect 0 udfpkt-vdrive press disc.img
ejected
exec 5>&-
reload

echo "the kernel is first"
serve -r
cmp data /mnt/disc/data
cmp data /mnt/disc/open
# the drive's own thread asks once a second, the kernel ten times
echo 100 >/sys/block/sr0/events_poll_msecs
sleep 0.3
expect 0 udfpkt-vdrive press disc.img
ejected
echo 0 >/sys/block/sr0/events_poll_msecs

echo "waiting for a disc"
expect 5 udfpkt-mount /dev/sr0 /mnt/disc
udfpkt-mount --wait -f /dev/sr0 /mnt/disc 2>daemon &
daemon=$!
until_true grep -q 'waiting for a disc' daemon || fail "does not wait"
not_mounted || fail "mounted without a disc"
reload
until_true mounted || fail "not mounted after the wait"
cmp data /mnt/disc/open

echo "the pin"
expect 0 udfpkt-vdrive pull disc.img
until_true grep -q 'the disc was taken out' daemon || fail "not noticed"
mounted || fail "the mount has gone by itself"
expect 1 mkdir /mnt/disc/dir
expect 0 umount /mnt/disc
status=0
wait "$daemon" || status=$?
[ "$status" = 5 ] || fail "the daemon ended with $status"
reload

echo "unplugged"
serve
expect 0 udfpkt-vdrive detach --force disc.img
until_true grep -q 'the drive has gone' daemon || fail "not noticed"
expect 1 cat /mnt/disc/data
expect 0 umount /mnt/disc
status=0
wait "$daemon" || status=$?
[ "$status" = 3 ] || fail "the daemon ended with $status"
EOF2

uml_run "$WORK" script.sh "$BUILD" || exit 1
"$BUILD/test/check_image" disc.img
"$BUILD/udfpkt-info" --json disc.img | grep -q '"clean": true' ||
    { echo "FAILED: the volume is not closed" && exit 1; }

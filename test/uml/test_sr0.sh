#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# udfpkt-vdrive makes /dev/sr0 and /dev/sg0 of a virtual CD-RW: other
# programs' commands get through with their answers, sense and lengths; the
# real commands format, mount, fill and unmount the disc through SG_IO; the
# kernel's own udf driver then reads the same tree from the same device; and
# a drive that is unplugged, killed, or gone leaves nothing that hangs.
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
for program in sg_inq sg_readcap sg_get_config sg_raw sg_turs; do
    if ! command -v "$program" >/dev/null; then
        echo "skipped: $program is not installed"
        exit 77
    fi
done
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"

fail() {
    echo "FAILED: $*"
    exit 1
}

# What every guest script begins with.
cp "$UML_HERE/drive.sh" begin.sh

cat >see.sh <<'EOF'
. "$WORK/begin.sh"
expect 0 udfpkt-vdrive create --media cdrw disc.img
expect 0 udfpkt-vdrive attach --trace "$WORK/trace" disc.img
says '^/dev/sr0$'
[ -b /dev/sr0 ] || fail "no /dev/sr0"
[ -c /dev/sg0 ] || fail "no /dev/sg0"
[ "$(cat /sys/block/sr0/device/queue_depth)" = 1 ] || fail "queue depth"
[ "$(cat /sys/block/sr0/queue/max_sectors_kb)" = 128 ] || fail "max sectors"
expect 0 udfpkt-vdrive status disc.img
says 'attached, /dev/sr0, /dev/sg0'
expect 0 udfpkt-info
says '^state +blank'

echo "as other programs see it"
expect 0 sg_inq /dev/sg0
says 'PDT=5 +RMB=1'
says 'Vendor identification: UDFPKT'
expect 0 sg_get_config --brief /dev/sr0
says 'Current profile: CD-RW'
says 'CD-RW media write support'
dmesg | grep -q 'sr0.*writer.*cd/rw' || fail "the kernel sees no burner"

echo "lengths and sense"
# 36 bytes come of 64: the rest is residue
expect 0 sg_raw -r 64 /dev/sg0 12 0 0 0 40 0
says 'Received 36 bytes'
# blank: 8/00/00
expect 3 sg_raw -r 2048 /dev/sr0 28 0 0 0 0 0 0 0 1 0
says 'Blank Check'
expect 9 sg_raw /dev/sg0 c8 0 0 0 0 0
says 'Invalid command operation code'
expect 9 sg_raw /dev/sg0 1d 0 0 0 0 0
# more than the transport takes, past what BLKSECTGET allows
expect 5 sg_raw -r 149504 /dev/sg0 28 0 0 0 0 0 0 0 49 0
says 'Invalid field in cdb'

echo "tray"
expect 0 udfpkt-vdrive press disc.img
expect 2 sg_turs /dev/sg0
expect 0 udfpkt-vdrive status disc.img
says 'tray +open'
expect 5 udfpkt-format --media cdrw /dev/sr0
says 'no disc'
expect 0 udfpkt-vdrive load disc.img
expect 0 udfpkt-vdrive status disc.img
says 'tray +closed'
EOF

cat >use.sh <<'EOF'
. "$WORK/begin.sh"
# 10000 times: formatting waits for less than a second
expect 0 udfpkt-vdrive attach --pace 10000 --trace "$WORK/trace" disc.img
expect 0 udfpkt-format --media cdrw --label Over /dev/sr0
expect 0 udfpkt-mount /dev/sr0 /mnt/disc
cp -a /usr/include/linux /mnt/disc
head -c 3000001 /dev/urandom >/mnt/disc/random
guest_treesum --without=root,dirtime /mnt/disc >written.lines
echo "in use"
expect 4 udfpkt-vdrive detach disc.img
says 'in use: process [0-9]+ \(udfpkt-mount\)'
expect 4 udfpkt-format --force /dev/sr0
expect 4 udfpkt-info disc.img
expect 0 udfpkt-umount /mnt/disc
expect 0 sg_readcap /dev/sg0
says 'Number of logical blocks=295264'
expect 0 udfpkt-mount -o ro /dev/sr0 /mnt/disc
guest_treesum --without=root,dirtime /mnt/disc >read.lines
expect 0 udfpkt-umount /mnt/disc
diff written.lines read.lines >log || fail "reads back otherwise: $(cat log)"

echo "the kernel's eyes"
# sr looks at the size again when the disc has been out
expect 0 udfpkt-vdrive pull disc.img
expect 2 sg_turs /dev/sg0
expect 0 udfpkt-vdrive load disc.img
sleep 0.2
mount -t udf -o ro /dev/sr0 /mnt/disc || fail "the kernel does not mount it"
guest_treesum --without=root,dirtime /mnt/disc >kernel.lines
diff written.lines kernel.lines >log || fail "the kernel reads: $(cat log)"
expect 4 udfpkt-vdrive detach disc.img
umount /mnt/disc
expect 0 udfpkt-vdrive detach "$WORK/disc.img"
all_gone
EOF

cat >lose.sh <<'EOF'
. "$WORK/begin.sh"
# slay NAME: its process may answer one more command until it is gone.
slay() {
    victim=$(pid_of "$1")
    kill -9 "$victim"
    until ! grep '^State:' "/proc/$victim/status" 2>/dev/null | grep -qv Z; do
        sleep 0.1
    done
}
echo "unplugged while mounted"
expect 0 udfpkt-vdrive attach --name one disc.img
expect 4 udfpkt-vdrive attach --name one disc.img
expect 0 udfpkt-mount /dev/sr0 /mnt/disc
head -c 3000001 /dev/urandom >/mnt/disc/more
expect 0 udfpkt-vdrive detach --force one
expect 3 udfpkt-umount /mnt/disc
all_gone

echo "gone by itself"
echo 'gone op=0x2A after=3' >disc.img.udfpkt-faults
expect 0 udfpkt-vdrive attach disc.img
rm disc.img.udfpkt-faults
expect 0 udfpkt-mount /dev/sr0 /mnt/disc
head -c 3000001 /dev/urandom >/mnt/disc/more
expect 1 sync /mnt/disc
expect 3 udfpkt-umount /mnt/disc
tries=0
while [ -e /run/udfpkt-vdrive ] && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
all_gone

echo "killed"
expect 0 udfpkt-vdrive attach --name two disc.img
expect 0 udfpkt-mount /dev/sr0 /mnt/disc
slay two
# A command that nobody will answer. Waiting behind another one it ends with
# the device, by an error of the bus and no status, which sg_turs calls good.
sg_raw /dev/sg0 0 0 0 0 0 0 >unanswered.log 2>&1 &
unanswered=$!
head -c 3000001 /dev/urandom >/mnt/disc/more
sleep 0.5
expect 1 udfpkt-vdrive press two
says 'was killed'
expect 0 udfpkt-vdrive status
says 'two: dead'
expect 0 udfpkt-vdrive detach --force two
wait "$unanswered" && fail "an unanswered command succeeded"
expect 3 udfpkt-umount /mnt/disc
all_gone

echo "attached again over a dead one"
expect 0 udfpkt-vdrive attach --name two disc.img
slay two
sleep 0.2
expect 0 udfpkt-vdrive attach --name two disc.img
says 'clearing away'
echo "two drives"
expect 0 udfpkt-vdrive create --media cdrw other.img
expect 0 udfpkt-vdrive attach other.img
says '^/dev/sr1$'
expect 2 udfpkt-info
says '2 optical drives'
kill "$(pid_of two)"
expect 0 udfpkt-vdrive detach other.img
tries=0
while [ -e /run/udfpkt-vdrive ] && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
all_gone
EOF

cat >without.sh <<'EOF'
PATH=$BUILD:$PATH
mount -t tmpfs tmpfs /run
status=0
udfpkt-vdrive attach "$WORK/disc.img" >"$WORK/log" 2>&1 || status=$?
[ "$status" = 1 ] || exit 1
grep -q 'its module target_core_user is missing' "$WORK/log"
grep -q 'try: modprobe -a target_core_user' "$WORK/log"
EOF

# prove [--allow-open]: the checker finds no fault.
prove() {
    "$BUILD/test/check_image" "$@" disc.img >faults 2>&1 ||
        fail "the volume has faults: $(tail -n 20 faults)"
}

uml_run "$WORK" see.sh "$BUILD" || fail see
uml_run "$WORK" use.sh "$BUILD" || fail use
prove
uml_run "$WORK" lose.sh "$BUILD" || fail lose
prove --allow-open # nobody could close it
uml_run "$WORK" without.sh "$BUILD" || fail without

"$BUILD/udfpkt-info" --json disc.img >info.json 2>/dev/null
grep -q '"refused": 0' info.json ||
    fail "the drive refused: $(grep refused info.json)"
grep -q ' 2A ' trace || fail "no WRITE in the trace"
echo "all as it should be"

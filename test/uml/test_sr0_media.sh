#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every rewritable medium as /dev/sr0 in user-mode-linux: the real commands
# format, mount, fill and unmount it through SG_IO, a second mount reads the
# same tree, and so does the kernel's own udf driver from the same device. The
# drive refuses nothing, and the checker finds nothing.
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
if ! command -v sg_turs >/dev/null; then
    echo "skipped: sg_turs is not installed"
    exit 77
fi
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
cp "$UML_HERE/drive.sh" begin.sh

cat >use.sh <<'EOF'
. "$WORK/begin.sh"
for medium in cdrw cdmrw dvd-rw dvd+rw dvd+rw-dl dvd-ram bd-re; do
    echo "$medium"
    expect 0 udfpkt-vdrive create --media "$medium" disc.img
    # 10000 times: formatting waits for seconds at most
    expect 0 udfpkt-vdrive attach --pace 10000 disc.img
    expect 0 udfpkt-format --media "$medium" --label Over /dev/sr0
    expect 0 udfpkt-mount /dev/sr0 /mnt/disc
    cp -a /usr/include/linux /mnt/disc
    head -c 3000001 /dev/urandom >/mnt/disc/random
    guest_treesum --without=root,dirtime /mnt/disc >written.lines
    expect 0 udfpkt-umount /mnt/disc
    expect 0 udfpkt-mount -o ro /dev/sr0 /mnt/disc
    guest_treesum --without=root,dirtime /mnt/disc >read.lines
    expect 0 udfpkt-umount /mnt/disc
    diff written.lines read.lines >log ||
        fail "$medium reads back otherwise: $(cat log)"
    # sr looks at the size again when the disc has been out
    expect 0 udfpkt-vdrive pull disc.img
    expect 2 sg_turs /dev/sg0
    expect 0 udfpkt-vdrive load disc.img
    sleep 0.2
    mount -t udf -o ro /dev/sr0 /mnt/disc ||
        fail "the kernel does not mount $medium"
    guest_treesum --without=root,dirtime /mnt/disc >kernel.lines
    umount /mnt/disc
    diff written.lines kernel.lines >log ||
        fail "the kernel reads $medium: $(cat log)"
    expect 0 udfpkt-vdrive detach "$WORK/disc.img"
    all_gone
    expect 0 udfpkt-info --json disc.img
    says '"refused": 0'
    expect 0 "$BUILD/test/check_image" disc.img
    rm -f disc.img disc.img.udfpkt
done
EOF

uml_run "$WORK" use.sh "$BUILD" || {
    echo "FAILED: in the guest"
    exit 1
}
echo "all as it should be"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every rewritable medium as /dev/sr0 in user-mode-linux: the real commands
# format, mount, fill, change and unmount it through SG_IO. A second mount reads
# the tree of mount/test_tree_media.sh, and so does the kernel's own udf driver
# from the same device, which can read all of them. The drive refuses nothing,
# and the checker finds nothing. The tree is changed on a CD-RW and a BD-RE,
# unless UDFPKT_TREE_MEDIA=full: it takes the guest long.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
TREE_HERE=$UML_HERE/../support
# shellcheck source=/dev/null
. "$TREE_HERE/tree.sh"
uml_needed
if grep -qE '^UDFPKT_SANITIZE:[A-Z]+=.+' "$BUILD/CMakeCache.txt"; then
    echo "skipped: sanitizers find no place for themselves in the guest"
    exit 77
fi
if [ "$(id -u)" != 0 ]; then
    echo "skipped: only root can give files to others"
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
cp "$TREE_HERE/tree.sh" tree.sh
tree_small tree
tar -c --format=posix -f tree.tar -C tree .
cp -a tree changed
tree_change changed "$WORK"
full=0
[ "${UDFPKT_TREE_MEDIA-}" != full ] || full=1
echo $full >full
"$BUILD/test/treesum" --without=root tree >tree.lines
"$BUILD/test/treesum" --without=root changed >changed.lines

cat >use.sh <<'EOF'
. "$WORK/begin.sh"
. "$WORK/tree.sh"
full=$(cat full)

# same LINES WHO: what is mounted is the tree that LINES tell of.
same() {
    guest_treesum --without=root /mnt/disc >found.lines
    diff "$1" found.lines >log ||
        fail "$2 reads otherwise: $(sort -t " " -k 2 log | head -n 20)"
}

# try MEDIUM OPTION...
try() {
    echo "$*"
    expect 0 udfpkt-vdrive create --media "$1" disc.img
    # 10000 times: formatting waits for seconds at most
    expect 0 udfpkt-vdrive attach --pace 10000 disc.img
    expect 0 udfpkt-format --label Over /dev/sr0 --media "$@"
    expect 0 udfpkt-mount /dev/sr0 /mnt/disc
    # cp would see times as the host's file system is shown here: in seconds
    tar -x -p --warning=no-timestamp --numeric-owner -f tree.tar \
        -C /mnt/disc || fail "$*: tar"
    expect 0 udfpkt-umount /mnt/disc
    expect 0 udfpkt-mount /dev/sr0 /mnt/disc
    same tree.lines "$*"
    now=tree.lines
    case $full,$* in
    1,* | 0,cdrw | 0,bd-re)
        tree_change /mnt/disc "$WORK" || fail "$*: the disc cannot be changed"
        expect 0 udfpkt-umount /mnt/disc
        expect 0 udfpkt-mount -o ro /dev/sr0 /mnt/disc
        now=changed.lines
        same $now "$*"
        ;;
    esac
    expect 0 udfpkt-umount /mnt/disc
    # sr looks at the size again when the disc has been out
    expect 0 udfpkt-vdrive pull disc.img
    expect 2 sg_turs /dev/sg0
    expect 0 udfpkt-vdrive load disc.img
    sleep 0.2
    mount -t udf -o ro /dev/sr0 /mnt/disc || fail "the kernel does not mount $*"
    same $now "$*: the kernel"
    umount /mnt/disc
    expect 0 udfpkt-vdrive detach "$WORK/disc.img"
    all_gone
    expect 0 udfpkt-info --json disc.img
    says '"refused": 0'
    expect 0 "$BUILD/test/check_image" disc.img
    rm -f disc.img disc.img.udfpkt
}

for medium in cdrw cdmrw dvd-rw dvd+rw dvd+rw-dl dvd-ram bd-re; do
    try $medium
done
try bd-re --spare none
EOF

uml_run "$WORK" use.sh "$BUILD" || {
    echo "FAILED: in the guest"
    exit 1
}
echo "all as it should be"

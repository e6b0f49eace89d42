#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The means of the other tests, tested on volumes of another maker (mkudffs,
# filled by the kernel): the guest kernel, treesum, and the foreign readers.
# A reader that would call everything equal is found out here.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
# shellcheck source=/dev/null
. "$UML_HERE/../support/readers.sh"
uml_needed
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"

fail() {
    echo "FAILED: $*"
    exit 1
}

# A small tree of everything; what some readers refuse is in $1/special.
make_tree() {
    mkdir -p "$1/plain/sub/deep" "$1/plain/with space" "$1/special"
    cp /usr/include/linux/u*.h "$1/plain/sub"
    printf x >"$1/plain/one"
    : >"$1/plain/empty"
    head -c 2048 /dev/urandom >"$1/plain/sub/block"
    head -c 700001 /dev/urandom >"$1/plain/sub/deep/big"
    echo a >"$1/plain/with space/a b"
    echo b >"$1/plain/$(printf '\303\244')"
    mkdir "$1/plain/$(printf '\346\227\245\346\234\254')"
    echo c >"$1/plain/$(printf '\346\227\245\346\234\254')/c"
    ln -s ../plain/one "$1/special/link"
    ln "$1/plain/one" "$1/special/hard"
    mkfifo "$1/special/fifo"
    mknod "$1/special/null" c 1 3
    chmod 4711 "$1/plain/one"
    chown 1234:567 "$1/plain/empty"
    touch -d '2001-02-03 04:05:06.789012' "$1/plain/empty"
}

make_tree "$WORK/tree"
truncate -s 64M sparable.img plain.img simple.img
mkudffs --media-type=cdrw --udfrev=2.01 -l Sparable sparable.img >/dev/null
mkudffs --media-type=hd -b 2048 --udfrev=2.01 -l Plain plain.img >/dev/null
mkudffs --media-type=hd -b 2048 --udfrev=1.02 --ad=long -l Simple simple.img \
    >/dev/null

# hostfs cuts times to seconds, an archive does not
tar --format=posix -cf tree.tar -C tree .
tar --format=posix -cf plain.tar -C tree plain
cat >fill.sh <<'EOF'
guest_mount /dev/ubda /mnt/a rw
guest_mount /dev/ubdb /mnt/b rw
guest_mount /dev/ubdc /mnt/c rw,noadinicb
tar -xpf "$WORK/tree.tar" -C /mnt/a
tar -xpf "$WORK/plain.tar" -C /mnt/b
tar -xpf "$WORK/plain.tar" -C /mnt/c
umount /mnt/a /mnt/b /mnt/c
EOF
uml_run "$WORK" fill.sh "$BUILD" ubda=sparable.img ubdb=plain.img \
    ubdc=simple.img || fail "the guest cannot fill the volumes"

cat >read.sh <<'EOF'
guest_mount /dev/ubda /mnt/a
guest_treesum --without=root,dirtime /mnt/a >"$WORK/guest.lines"
EOF
uml_run "$WORK" read.sh "$BUILD" ubdar=sparable.img ||
    fail "the guest cannot read the volume"
"$BUILD/test/treesum" --without=root,dirtime tree >host.lines
diff host.lines guest.lines || fail "the kernel reads another tree"

reader_compare udfclient sparable.img tree "$WORK" "$BUILD" ||
    fail "udfclient"
mkdir only
cp -a tree/plain only
for reader in udfclient 7z grub udfread; do
    reader_compare "$reader" plain.img only "$WORK" "$BUILD" ||
        fail "$reader"
done
reader_compare libudf simple.img only "$WORK" "$BUILD" || fail libudf
[ "$(reader_info sparable.img label)" = Sparable ] || fail udfinfo

# Every reader must see one changed byte, and a file that is not there.
echo d >"only/plain/with space/a b"
for reader in udfclient 7z grub udfread libudf; do
    image=plain.img
    [ "$reader" != libudf ] || image=simple.img
    if reader_compare "$reader" "$image" only "$WORK" "$BUILD" >log; then
        fail "$reader does not see a changed byte"
    fi
done
echo a >"only/plain/with space/a b"
: >only/plain/more
for reader in udfclient 7z grub udfread libudf; do
    image=plain.img
    [ "$reader" != libudf ] || image=simple.img
    if reader_compare "$reader" "$image" only "$WORK" "$BUILD" >log; then
        fail "$reader does not miss a file"
    fi
done

# A script that fails, a guest that dies and one that hangs are failures.
echo 'false' >false.sh
status=0
uml_run "$WORK" false.sh "$BUILD" >log || status=$?
[ "$status" = 1 ] || fail "a failing script gives $status"
echo 'echo c >/proc/sysrq-trigger' >die.sh
status=0
uml_run "$WORK" die.sh "$BUILD" >log || status=$?
[ "$status" = 125 ] || fail "a dying guest gives $status"
grep -q 'last words' log || fail "a dying guest says nothing"
echo 'sleep 1000' >hang.sh
status=0
export UML_TIMEOUT=10
uml_run "$WORK" hang.sh "$BUILD" >log || status=$?
[ "$status" = 125 ] || fail "a hanging guest gives $status"
echo "all as it should be"

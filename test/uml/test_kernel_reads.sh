#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is written through udfpkt-mount is read back equal by programs that
# nobody here wrote: the Linux kernel's udf driver and udfclient on a sparable
# CD-RW, and on type 1 volumes 7z, grub, libudfread and libudf as far as each
# can (test/support/readers.sh says what they cannot). udfinfo names the
# right counts.
set -eu
BUILD=$1
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
# shellcheck source=/dev/null
. "$UML_HERE/../support/readers.sh"
uml_needed
if [ ! -c /dev/fuse ]; then
    echo "skipped: no /dev/fuse"
    exit 77
fi
WORK=$(mktemp -d)
mkdir "$WORK/mnt"
trap '"$BUILD/udfpkt-umount" "$WORK/mnt" 2>/dev/null || true
      rm -rf "$WORK"' EXIT
cd "$WORK"

fail() {
    echo "FAILED: $*"
    exit 1
}

# Sizes on both sides of every border, names of every kind, times to the
# microsecond, owners, modes.
make_plain() {
    mkdir -p "$1/sub/deep/er" "$1/with space" "$1/many"
    for bytes in 0 1 1800 1832 1833 1900 2047 2048 2049 65535 65536 65537 \
        1000000 9000001; do
        head -c "$bytes" /dev/urandom >"$1/sub/size-$bytes"
    done
    cp -a /usr/include/linux "$1/sub/deep/er"
    echo a >"$1/with space/a b"
    echo b >"$1/$(printf '\303\244\303\266\303\274')"
    mkdir "$1/$(printf '\346\227\245\346\234\254\350\252\236')"
    echo c >"$1/$(printf '\346\227\245\346\234\254\350\252\236')/c"
    echo d >"$1/$(printf '\360\237\222\277')"
    echo e >"$1/$(printf '%0254d' 7)"
    number=0
    while [ "$number" -lt 1200 ]; do
        echo "$number" >"$1/many/a file with quite a long name, $number"
        number=$((number + 1))
    done
    chmod 0640 "$1/sub/size-2048"
    chmod 4711 "$1/sub/size-2049"
    chmod 1777 "$1/many"
    chown 1234:567 "$1/sub/size-1"
    touch -d '2001-02-03 04:05:06.789012' "$1/sub/size-0"
    touch -d '1999-12-31 23:59:59.999999' "$1/sub/deep"
}

make_special() {
    mkdir "$1"
    ln -s ../plain/sub/size-1 "$1/link"
    ln -s /absolute/./path/../x "$1/absolute"
    ln -s "$(printf '\346\227\245')/b" "$1/named"
    ln "$1/../plain/sub/size-2048" "$1/hard"
    ln "$1/../plain/sub/size-2048" "$1/harder"
    mkfifo "$1/fifo"
    mknod "$1/null" c 1 3
    mknod "$1/disk" b 8 300
}

# fill IMAGE TREE FORMAT-OPTION...: a new volume with TREE on it.
fill() {
    fill_image=$1
    fill_tree=$2
    shift 2
    "$BUILD/udfpkt-format" "$@" "$fill_image" >log 2>&1 ||
        fail "udfpkt-format $*: $(cat log)"
    "$BUILD/udfpkt-mount" "$fill_image" mnt >log 2>&1 ||
        fail "udfpkt-mount: $(cat log)"
    tar --format=posix -cf - -C "$fill_tree" . |
        tar -xpf - -C mnt || fail "cannot fill the volume"
    "$BUILD/udfpkt-umount" mnt >log 2>&1 ||
        fail "udfpkt-umount: $(cat log)"
    "$BUILD/test/check_image" "$fill_image" >log ||
        fail "check_image: $(cat log)"
}

# check_info IMAGE TREE LABEL REVISION: what udfinfo says of a volume. Every
# name but those of directories is a file; the root is a directory.
check_info() {
    files=$(find "$2" ! -type d | wc -l)
    directories=$(find "$2" -type d | wc -l)
    for pair in "label=$3" "udfrev=$4" "integrity=closed" \
        "numfiles=$files" "numdirs=$directories" \
        "accesstype=overwritable"; do
        value=$(reader_info "$1" "${pair%%=*}")
        [ "$value" = "${pair#*=}" ] ||
            fail "udfinfo $1: ${pair%%=*} is $value, not ${pair#*=}"
    done
}

# check_kernel IMAGE TREE: every column, and the free space of its bitmap
# against that of the LVID.
check_kernel() {
    cat >read.sh <<'EOF'
guest_mount /dev/ubda /mnt/a
guest_treesum --without=root /mnt/a >"$WORK/guest.lines"
stat -f -c %f /mnt/a >"$WORK/guest.free"
guest_complaints
EOF
    uml_run "$WORK" read.sh "$BUILD" "ubdar=$1" >log ||
        fail "the kernel cannot read $1: $(cat log)"
    [ ! -s log ] || fail "the kernel complains of $1: $(cat log)"
    "$BUILD/test/treesum" --without=root "$2" >host.lines
    diff host.lines guest.lines >difference ||
        fail "the kernel reads $1 otherwise: $(head -n 20 difference)"
    [ "$(cat guest.free)" = "$(reader_info "$1" freeblocks)" ] ||
        fail "free blocks: $(cat guest.free) for the kernel," \
            "$(reader_info "$1" freeblocks) for udfinfo"
    echo "kernel: $(wc -l <host.lines) objects of $1 equal"
}

# What libudf can read: plain file entries, and nothing embedded, so that
# every file and every directory is too large for its ICB.
make_simple() {
    for folder in . one one/two; do
        mkdir -p "$1/$folder"
        number=0
        while [ "$number" -lt 80 ]; do
            head -c $((2049 + number * 97)) /dev/urandom \
                >"$1/$folder/a file that fills the directory, $number"
            number=$((number + 1))
        done
    done
}

mkdir tree
make_plain tree/plain
make_special tree/special
mkdir only
cp -a tree/plain only
# grub reads a directory from its start for each file in it
rm only/plain/many/*[1-9]??

fill cdrw.img tree --media cdrw --label 'Kernel reads'
check_info cdrw.img tree 'Kernel reads' 2.01
check_kernel cdrw.img tree
reader_compare udfclient cdrw.img tree "$WORK" "$BUILD" || fail udfclient

fill plain.img only --media image --size 100M --label Plain
check_info plain.img only Plain 2.01
check_kernel plain.img only
for reader in udfclient 7z grub udfread; do
    reader_compare "$reader" plain.img only "$WORK" "$BUILD" ||
        fail "$reader"
done

mkdir simple
make_simple simple
fill simple.img simple --media image --size 20M --udf 1.50 --label Simple
check_info simple.img simple Simple 1.50
check_kernel simple.img simple
for reader in libudf udfclient 7z grub udfread; do
    reader_compare "$reader" simple.img simple "$WORK" "$BUILD" ||
        fail "$reader"
done
echo "all readers see the same"

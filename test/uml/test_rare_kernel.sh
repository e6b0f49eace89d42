#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Every image of test/rare/ is read by the kernel's driver as it is read here:
# names, modes, owners, sizes, times, links, content. Where it is not, the
# folder's `kernel` says why, and after a line "--" which lines are ours (<) and
# which the kernel's (>).
#
#   test_rare_kernel.sh BUILD [NAME...]     these images only
#   UDFPKT_PAIRS=all                        as --nightly: really every image
#   UDFPKT_RARE_UPDATE=1                    writes those lines anew, to be
#                                           looked at
set -eu
BUILD=$1
shift
UML_HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
uml_needed
RARE=$UML_HERE/../rare
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
COLUMNS=--only=mode,owner,size,mtime,nlink,target,crc
if [ $# -gt 0 ]; then
    printf '%s\n' "$@" >names
elif [ "${UDFPKT_PAIRS:-}" = all ]; then
    "$BUILD/test/rare_image" >names
else
    # a gibibyte takes the guest longer than all the others
    "$BUILD/test/rare_image" | grep -v '^gigabyte$' >names
fi

while read -r name; do
    "$BUILD/test/rare_image" "$name" "$name.img"
    "$BUILD/test/read_own" "$COLUMNS" "$name.img" >"$name.own" 2>/dev/null ||
        echo refused >"$name.own"
done <names

# All are read by one process: each takes the guest long. It ends with its
# mounts.
cat >guest.sh <<END
guest_modules drivers/block/loop
cd "\$WORK"
while read -r name; do
    echo "/mnt/\$name"
done <names | xargs mkdir
set --
while read -r name; do
    if guest_loop "\$name.img" "/mnt/\$name" ro 2>/dev/null; then
        set -- "\$@" "/mnt/\$name"
    else
        echo refused >"\$name.guest"
    fi
done <names
# and one more, so that they are several always
mkdir /mnt/none
guest_treesum $COLUMNS /mnt/none "\$@" 2>/dev/null || [ \$? = 1 ]
END
uml_run "$WORK" guest.sh "$BUILD" >log || {
    echo "FAILED: in the guest: $(cat log)"
    exit 1
}

failed=0
equal=0
while read -r name; do
    said=$RARE/$name/kernel
    : >expected
    if [ -e "$said" ]; then
        sed '1,/^--$/d' "$said" >expected
    fi
    grep -v '^\.	' "$name.guest" >"$name.kernel" || :
    diff "$name.own" "$name.kernel" | grep '^[<>]' >found || :
    if [ ! -s found ]; then
        equal=$((equal + 1))
    fi
    if cmp -s expected found; then
        continue
    fi
    if [ "${UDFPKT_RARE_UPDATE:-}" ]; then
        {
            [ ! -e "$said" ] || sed '/^--$/,$d' "$said"
            echo "--"
            cat found
        } >"$said.new"
        mv "$said.new" "$said"
        continue
    fi
    echo "FAILED: the kernel reads $name otherwise (ours <, the kernel's >):"
    head -n 20 found
    failed=1
done <names
echo "$(wc -l <names) images, $equal read equal by the kernel"
exit "$failed"

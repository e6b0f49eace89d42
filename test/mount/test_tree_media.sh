#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job on every rewritable medium: format, mount, copy a tree with all
# that is odd in it, unmount, check, compare; change much of it, and again; then
# let programs read it that nobody here wrote. The tree is small, unless
# UDFPKT_TREE_MEDIA=full: then it is that of mount/test_tree.sh.
#
# Who reads what, by the partition map (test/support/readers.sh says what each
# cannot; the kernel reads all media in uml/test_sr0_media.sh):
# - sparable (CD-RW, DVD-RW, DVD+RW by default): udfclient alone. grub,
#   libudfread and 7z know no sparing;
# - type 1 (CD-MRW, DVD-RAM, BD-RE without spares and UDF 2.01, and all others
#   with --map type1): udfclient, grub, libudfread and 7z;
# - with a metadata partition (BD-RE): libudfread, without sparing. udfclient
#   reads such volumes of its own making only, grub and 7z none. On a BD-RE
#   without spares, which has both, nobody reads but the kernel;
# - 7z refuses a volume with links, special files or holes: they are deleted
#   before it comes. It takes a volume for damaged that has no anchor near the
#   end, as where formatting goes on in the background; so it reads CD-MRW and
#   DVD+RW that were formatted with --wait;
# - udfclient is too slow for the large tree;
# - libudfread knows the first extent of a metadata partition, so a BD-RE has
#   6,000 files more when it comes: they must fit in there.
set -eu
BUILD=$1
HERE=$(cd "$(dirname "$0")" && pwd)
TREE_HERE=$HERE/../support
# shellcheck source=/dev/null
. "$TREE_HERE/tree.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/readers.sh"
# shellcheck source=/dev/null
. "$TREE_HERE/disc.sh"
disc_needed
# Other programs read the same bytes, whatever build wrote them.
sanitized=
if grep -q '^UDFPKT_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt"; then
    sanitized=1
fi
WORK=$(mktemp -d)
trap disc_cleanup EXIT
cd "$WORK"
DISC=$WORK/disc

if [ "${UDFPKT_TREE_MEDIA-}" = full ]; then
    tree=$(tree_shared "$BUILD") || fail "cannot make the tree"
    changed=$tree-changed
else
    tree=$WORK/tree
    changed=$WORK/changed
    tree_small "$tree" || fail "cannot make the tree"
    cp -a "$tree" "$changed"
    tree_change "$changed" "$WORK" || fail "cannot change the tree"
fi
# What all readers see as it is.
cp -a "$changed" plain
find plain ! -type f ! -type d -delete
rm -f plain/sizes/hole
find plain -type d -print0 | xargs -0 touch -d "$TREE_DATE"

# readers_of PARTITION MEDIUM OPTION...
readers_of() {
    case $* in
    "type 1 bd-re") echo udfread ;;
    "sparable bd-re --spare none") echo nobody ;;
    sparable*) echo udfclient ;;
    "type 1 cdmrw" | "type 1 dvd+rw --map type1")
        echo udfread grub udfclient
        ;;
    "type 1 "*) echo udfread grub udfclient 7z ;;
    *) fail "a partition of kind $1" ;;
    esac
}

# The disc holds what is in `plain`, for everybody who can read it.
# read_by_others MEDIUM OPTION...
read_by_others() {
    disc_mount "$DISC"
    find mnt ! -type f ! -type d -delete
    rm -f mnt/sizes/hole
    what=plain
    if [ "$1,$tree" = "bd-re,$WORK/tree" ]; then
        what=larger
        [ -d larger ] || cp -a plain larger
        for folder in larger mnt; do
            mkdir -p $folder/more
            seq 6000 | sed "s|^|$folder/more/|" | xargs touch -d "$TREE_DATE"
        done
    fi
    find mnt $what -type d -print0 | xargs -0 touch -d "$TREE_DATE"
    disc_umount
    disc_check "$DISC"
    partition=$("$BUILD/udfpkt-info" --json "$DISC" |
        sed -n 's/^ *"partition": "\(.*\)",\{0,1\}$/\1/p')
    for reader in $(readers_of "$partition" "$@"); do
        case $reader,$tree in
        nobody,* | udfclient,"$BUILD"/*) continue ;;
        esac
        reader_compare "$reader" "$DISC" $what "$WORK" "$BUILD" ||
            fail "$*: $reader"
    done
}

# try MEDIUM OPTION...
try() {
    echo "$(date +%T) $*"
    rm -f "$DISC" "$DISC.udfpkt"
    disc_format "$DISC" --label 'A tree' --media "$@"
    disc_mount "$DISC"
    cp -a "$tree/." mnt || fail "cp -a"
    disc_umount
    disc_check "$DISC"
    disc_mount "$DISC"
    disc_same "$tree"
    tree_change mnt "$WORK" || fail "cannot change the disc"
    disc_fusermount "$DISC"
    disc_check "$DISC"
    disc_mount "$DISC" -r
    disc_same "$changed"
    disc_umount
    [ -n "$sanitized" ] || read_by_others "$@"
}

for medium in cdrw cdmrw dvd-rw dvd+rw dvd+rw-dl dvd-ram bd-re; do
    try $medium
done
[ -z "$sanitized" ] || exit 0
try bd-re --spare none
try dvd+rw --map type1 --wait
[ "${UDFPKT_TREE_MEDIA-}" = full ] || exit 0
try cdrw --map type1
try cdmrw --wait
try dvd-rw --map type1
try dvd+rw --map type1
try bd-re --spare none --udf 2.01 --map type1

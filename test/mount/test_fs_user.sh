#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# As an ordinary user: mount points, rights, read-only media, and what root and
# users see of each other's mounts.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
[ "$(id -u)" -eq 0 ] || exit 77
# shellcheck disable=SC1091
. "$here/fs_lib.sh"
fuse_for_users "$0" "$@"
# The build folder must be reachable for others.
as_user test -x "$build/udfpkt-mount" || exit 77

cd=$work/home/cd
mnt=$work/home/mnt
mkdir -p "$mnt"
format "$cd"
chown -R 65534:65534 "$work/home"
user() {
    as_user env -u XDG_RUNTIME_DIR HOME="$work/home" "$@"
}

# Mount, use, unmount.
expect 0 user "$build/udfpkt-mount" "$cd" "$mnt"
awk -v mnt="$mnt" '$2 == mnt {print $4}' /proc/self/mounts >"$work/options"
grep -q nosuid "$work/options" || fail "a user's mount without nosuid"
grep -q nodev "$work/options" || fail "a user's mount without nodev"
expect 1 user touch "$mnt/file"
says "Permission denied" # a new disc's root directory is root's
expect 0 user "$build/udfpkt-umount" "$mnt"

# Root gives the directory away on the disc, then the user may write there.
expect 0 "$build/udfpkt-mount" "$cd" "$mnt"
chown 65534:65534 "$mnt"
unmount "$cd"
chown 65534:65534 "$cd" "$cd.udfpkt"
expect 0 user "$build/udfpkt-mount" "$cd" "$mnt"
expect 0 user sh -c "echo mine >$mnt/file"
[ "$(user stat -c %u "$mnt/file")" = 65534 ] || fail "wrong owner"
if ! grep -q '^[[:space:]]*user_allow_other' /etc/fuse.conf; then
    ! cat "$mnt/file" 2>/dev/null || fail "others may look into the mount"
fi
# Root finds the user's mount, waits for it, and gets its result.
unmount "$cd"
! mounted "$mnt" || fail "still mounted"

# A user does not unmount for others.
expect 0 "$build/udfpkt-mount" "$cd" "$mnt"
expect 12 user "$build/udfpkt-umount" "$mnt"
expect 0 "$build/udfpkt-umount" "$mnt"

# Mount points that are not the user's.
for point in /usr /tmp "$work"; do
    expect 11 user "$build/udfpkt-mount" "$cd" "$point"
    says "not yours"
done

# allow_other needs /etc/fuse.conf.
if ! grep -q '^[[:space:]]*user_allow_other' /etc/fuse.conf; then
    expect 12 user "$build/udfpkt-mount" -o allow_other "$cd" "$mnt"
    says "user_allow_other"
fi

# No right to the disc at all; no right to write to it.
chown 0:0 "$cd" "$cd.udfpkt"
chmod 600 "$cd"
expect 12 user "$build/udfpkt-mount" "$cd" "$mnt"
chmod 644 "$cd" "$cd.udfpkt"
expect 0 user "$build/udfpkt-mount" "$cd" "$mnt"
says "read-only"
[ "$(user cat "$mnt/file")" = mine ] || fail "the file cannot be read"
expect 1 user touch "$mnt/file"
expect 0 user "$build/udfpkt-umount" "$mnt"
got=0
user "$build/udfpkt-mount" -o rw "$cd" "$mnt" 2>/dev/null || got=$?
case $got in
7 | 12) ;;
*) fail "-o rw on a disc that is not the user's: $got" ;;
esac
! mounted "$mnt" || fail "-o rw mounted it"

# A file system that can only be read is not the disc's fault.
mkdir "$work/ro"
format "$work/ro/cd"
expect 0 "$build/udfpkt-format" --media image --size 20M "$work/ro/image"
# shellcheck disable=SC2016 # expanded by the shell inside
locked='mount --bind "$1/ro" "$1/ro" && mount -o remount,ro,bind "$1/ro" ||
    exit 77
exec "$2" -o rw "$1/ro/$3" "$1/mnt"'
for disc in cd image; do
    got=0
    unshare --mount sh -c "$locked" sh "$work" "$build/udfpkt-mount" "$disc" \
        2>"$work/err" || got=$?
    [ "$got" -ne 77 ] || exit 77
    [ "$got" -eq 7 ] || fail "-o rw on a locked $disc: $got"
    says "the file can only be read"
    ! grep -q "insert" "$work/err" || fail "another disc does not help"
done

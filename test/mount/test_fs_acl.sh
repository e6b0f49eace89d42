#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Access control lists as users meet them: setfacl and getfacl, what the kernel
# then allows, chmod, default lists and the umask, over mounts.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu
build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"
[ "$(id -u)" = 0 ] || exit 77
command -v setfacl >/dev/null || exit 77
disc=$work/disc.img

mount_disc() {
    expect 0 "$build/udfpkt-mount" "$disc" "$mnt"
}

umount_disc() {
    unmount "$disc"
}

# acl FILE: its entries on one line.
acl() {
    getfacl --absolute-names --omit-header --numeric --no-effective "$1" |
        sed '/^$/d' | tr '\n' ' ' | sed 's/ $//'
}

same() {
    [ "$2" = "$3" ] || fail "$1: \"$2\", not \"$3\""
}

format "$disc"
mount_disc
umask 022
echo secret >"$mnt/file"
same "mode by umask" "$(stat -c %a "$mnt/file")" 644
chmod 600 "$mnt/file"
! as_user cat "$mnt/file" 2>/dev/null || fail "read without a right to"
setfacl -m u:65534:r "$mnt/file"
same secret "$(as_user cat "$mnt/file")" secret
same "mode with a list" "$(stat -c %a "$mnt/file")" 640
chmod 600 "$mnt/file"
same "list after chmod" "$(acl "$mnt/file")" \
    'user::rw- user:65534:r-- group::--- mask::--- other::---'
! as_user cat "$mnt/file" 2>/dev/null || fail "read in spite of the mask"
chmod 650 "$mnt/file"

# default lists: no umask, and handed on
mkdir "$mnt/dir"
setfacl -d -m u::rwx,u:65534:rwx,g::rx,o::- "$mnt/dir"
umask 077
echo new >"$mnt/dir/file"
mkdir "$mnt/dir/sub"
ln -s target "$mnt/dir/link"
mknod "$mnt/dir/fifo" p
echo plain >"$mnt/plain"
umask 022
umount_disc
mount_disc
same "the file" "$(acl "$mnt/file")" \
    'user::rw- user:65534:r-- group::--- mask::r-x other::---'
same secret "$(as_user cat "$mnt/file")" secret
same "a new file" "$(acl "$mnt/dir/file")" \
    'user::rw- user:65534:rwx group::r-x mask::rw- other::---'
same "mode of a new file" "$(stat -c %a "$mnt/dir/file")" 660
same "a new directory" "$(acl "$mnt/dir/sub")" "user::rwx user:65534:rwx \
group::r-x mask::rwx other::--- default:user::rwx default:user:65534:rwx \
default:group::r-x default:mask::rwx default:other::---"
same "mode of a fifo" "$(stat -c %a "$mnt/dir/fifo")" 660
same "mode without a default" "$(stat -c %a "$mnt/plain")" 600
cp -a "$mnt/dir" "$mnt/copy"
same "a copy" "$(acl "$mnt/copy/file")" "$(acl "$mnt/dir/file")"

# away with them
setfacl -b "$mnt/file"
setfacl -k "$mnt/dir"
same "no list" "$(acl "$mnt/file")" 'user::rw- group::--- other::---'
! as_user cat "$mnt/file" 2>/dev/null || fail "read after setfacl -b"
umask 022
echo new >"$mnt/dir/later"
same "mode of a later file" "$(stat -c %a "$mnt/dir/later")" 644
rm -r "$mnt/copy"
umount_disc

# UDF 1.50 has nowhere to keep a list: it is refused, so that programs set the
# mode where that says the same.
disc=$work/old.img
"$build/udfpkt-format" --media cdrw --size 60M --udf 1.50 "$disc" \
    >"$work/format" 2>&1 || fail "udfpkt-format: $(cat "$work/format")"
mount_disc
echo old >"$mnt/file"
expect 1 setfacl -m u:65534:r "$mnt/file"
says "Operation not supported"
expect 1 setfacl -d -m u:65534:r "$mnt"
says "Operation not supported"
same "no list" "$(acl "$mnt/file")" 'user::rw- group::r-- other::r--'
expect 0 setfacl -m g::rw "$mnt/file"
same "mode by list" "$(stat -c %a "$mnt/file")" 664
expect 0 setfacl -b "$mnt/file"
expect 0 setfacl -k "$mnt"
touch "$work/plain"
expect 0 cp -a "$work/plain" "$mnt/copy"
umount_disc

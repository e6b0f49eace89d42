#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The POSIX suite (test/posix), as root and as an ordinary user: on a tmpfs,
# which proves the suite, and on mounted volumes.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu
build=$1
here=$(dirname "$0")
[ "$(id -u)" -eq 0 ] || exit 77
# shellcheck disable=SC1091
. "$here/fs_lib.sh"
fuse_for_users "$0" "$@"
as_user test -x "$build/test/posix_suite" || exit 77
failed=

# suite FILE-SYSTEM FOLDER: as root in FOLDER/root, as nobody in FOLDER/user.
suite() {
    mkdir "$2/root" "$2/user"
    chown 65534:65534 "$2/user"
    "$build/test/posix_suite" "$1" "$2/root" || failed="$failed $1:root"
    as_user "$build/test/posix_suite" "$1" "$2/user" ||
        failed="$failed $1:user"
    rmdir "$2/root" "$2/user" || failed="$failed $1:left"
}

mkdir "$work/tmpfs"
mount -t tmpfs -o mode=755 posix "$work/tmpfs" || exit 77
suite tmpfs "$work/tmpfs"
umount "$work/tmpfs"

disc=$work/disc
format "$disc"
expect 0 "$build/udfpkt-mount" -o allow_other "$disc" "$mnt"
suite udf "$mnt"
unmount "$disc"
[ -z "$failed" ] || fail "$failed"

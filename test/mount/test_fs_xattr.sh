#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Extended attributes and owners as users meet them: setfattr and getfattr, by
# root and by others, over mounts; cp -a between file systems; mount options for
# owners and modes; devices, set-ID bits and odd times.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu
build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"
[ "$(id -u)" = 0 ] || exit 77
command -v setfattr >/dev/null || exit 77
disc=$work/disc.img

mount_disc() {
    expect 0 "$build/udfpkt-mount" "$@" "$disc" "$mnt"
}

umount_disc() {
    unmount "$disc"
}

# value FILE NAME
value() {
    getfattr --only-values --absolute-names -n "$2" "$1" 2>/dev/null
}

same() {
    [ "$2" = "$3" ] || fail "$1: \"$2\", not \"$3\""
}

# ---- attributes
format "$disc"
mount_disc
echo text >"$mnt/file"
mkdir "$mnt/dir"
setfattr -n user.one -v 'first' "$mnt/file"
setfattr -n user.two -v 'second' "$mnt/dir"
setfattr -n trusted.three -v 'third' "$mnt/file"
setfattr -n security.four -v 'fourth' "$mnt/file"
head -c 49000 /dev/zero | tr '\0' x >"$work/long"
setfattr -n user.long -v "$(cat "$work/long")" "$mnt/file"
chmod 666 "$mnt/file"
as_user setfattr -n user.mine -v 'of a user' "$mnt/file" || fail "as a user"
! as_user setfattr -n trusted.no -v x "$mnt/file" 2>/dev/null ||
    fail "a user sets trusted.*"
expect 1 setfattr -n user.a/b -v x "$mnt/file"
umount_disc
mount_disc
same user.one "$(value "$mnt/file" user.one)" first
same user.two "$(value "$mnt/dir" user.two)" second
same trusted.three "$(value "$mnt/file" trusted.three)" third
same security.four "$(value "$mnt/file" security.four)" fourth
same user.mine "$(value "$mnt/file" user.mine)" 'of a user'
same user.long "$(value "$mnt/file" user.long)" "$(cat "$work/long")"
same "names for root" "$(getfattr -m - --absolute-names "$mnt/file" |
    grep -c '^[a-z]*\.')" 5
same "names for a user" "$(as_user getfattr -m - --absolute-names \
    "$mnt/file" | grep -c '^trusted\.' || :)" 0
cp -a "$mnt/file" "$mnt/copy"
same "user.one of a copy" "$(value "$mnt/copy" user.one)" first
setfattr -x user.long "$mnt/file"
same "content" "$(cat "$mnt/file")" text
rm "$mnt/copy"

# ---- creation time
born=$(value "$mnt/file" user.udf.btime)
touch -d 2031-01-01 "$mnt/file"
same "creation time" "$(value "$mnt/file" user.udf.btime)" "$born"
setfattr -n user.udf.btime -v -1.5 "$mnt/file"
same "creation time" "$(value "$mnt/file" user.udf.btime)" -1.500000

# ---- devices, set-ID bits, times
mknod "$mnt/null" c 1 3
mknod "$mnt/pipe" p
echo '#!/bin/sh' >"$mnt/suid"
chmod 6755 "$mnt/suid"
chmod 1777 "$mnt/dir"
touch -d '1931-05-06 07:08:09 UTC' "$mnt/early"
touch -d '2139-05-06 07:08:09 UTC' "$mnt/late"
umount_disc
mount_disc
same null "$(stat -c %t:%T:%F "$mnt/null")" '1:3:character special file'
same pipe "$(stat -c %F "$mnt/pipe")" fifo
same suid "$(stat -c %a "$mnt/suid")" 6755
same dir "$(stat -c %a "$mnt/dir")" 1777
same early "$(stat -c %Y "$mnt/early")" \
    "$(date -d '1931-05-06 07:08:09 UTC' +%s)"
same late "$(stat -c %Y "$mnt/late")" \
    "$(date -d '2139-05-06 07:08:09 UTC' +%s)"
chown 4242:4343 "$mnt/late"
umount_disc

# ---- owners and modes
mount_disc -o uid=1234,gid=2345,umask=027,dmode=775
same late "$(stat -c %u:%g "$mnt/late")" 1234:2345
same dir "$(stat -c %a "$mnt/dir")" 750
echo new >"$mnt/new"
same new "$(stat -c %u:%g "$mnt/new")" 1234:2345
expect 1 chown 7 "$mnt/new"
umount_disc
mount_disc -o uid=forget,gid=forget
same late "$(stat -c %u:%g "$mnt/late")" 4242:4343
same new "$(stat -c %u:%g "$mnt/new")" 1234:2345
expect 0 chown 7 "$mnt/new"
umount_disc
mount_disc -o fmode=640
same late "$(stat -c %u:%g:%a "$mnt/late")" 4242:4343:640
same new "$(stat -c %u:%g:%a "$mnt/new")" 0:2345:640
umount_disc
expect 2 "$build/udfpkt-mount" -o umask=9 "$disc" "$mnt"
says 'umask=9'

# ---- a volume that has no place for attributes
rm -f "$disc" "$disc".*
"$build/udfpkt-format" --media cdrw --size 60M --udf 1.50 "$disc" \
    >/dev/null 2>&1 || fail "format 1.50"
mount_disc
echo text >"$mnt/file"
expect 1 setfattr -n user.one -v x "$mnt/file"
says 'not supported'
setfattr -n user.udf.btime -v 86400 "$mnt/file"
umount_disc
mount_disc
same "creation time" "$(value "$mnt/file" user.udf.btime)" 86400.000000
umount_disc

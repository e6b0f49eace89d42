# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154
# test/mount/fs_lib.sh - what the mount scripts share. Source it with $build
# set; it makes $work with $mnt in it, and cleans up at the end.
#
#   format FILE          a small formatted virtual CD-RW
#   daemon_pid FILE      the process that serves FILE
#   expect CODE COMMAND...   runs it, fails unless it ends with CODE;
#                            its standard error is in $work/err
#   says TEXT            the last expect's standard error has TEXT in it
#   as_user COMMAND...   as nobody

[ -c /dev/fuse ] || exit 77
command -v fusermount3 >/dev/null || exit 77

work=$(mktemp -d)
mnt=$work/mnt
mkdir "$mnt"
chmod 755 "$work"

fs_cleanup() {
    awk -v work="$work/" \
        '$3 == "fuse.udfpkt" && index($2, work) == 1 {print $2}' \
        /proc/self/mounts | while read -r point; do
        "$build/udfpkt-umount" "$point" || fusermount3 -u -z "$point" || :
    done
    rm -rf "$work"
}
trap fs_cleanup EXIT

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

format() {
    "$build/udfpkt-format" --media cdrw --size 60M "$1" >"$work/format" 2>&1 ||
        fail "udfpkt-format: $(cat "$work/format")"
}

daemon_pid() {
    pgrep -f "^$build/udfpkt-mount .*$1 "
}

expect() {
    wanted=$1
    shift
    got=0
    "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$wanted" ] ||
        fail "$*: ended with $got, not $wanted: $(cat "$work/err")"
}

says() {
    grep -q -- "$1" "$work/err" || fail "\"$1\" is not said: $(cat "$work/err")"
}

as_user() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

mounted() {
    grep -q "^[^ ]* $1 fuse.udfpkt " /proc/self/mounts
}

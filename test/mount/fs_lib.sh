# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154
# test/mount/fs_lib.sh - what the mount scripts share. Source it with $build
# set; it makes $work with $mnt in it, and cleans up at the end.
#
#   format FILE          a small formatted virtual CD-RW
#   daemon_pid FILE      the process that serves FILE
#   prove FILE           the checker finds a closed volume without a fault
#   unmount FILE         with udfpkt-umount, and proves it
#   expect CODE COMMAND...   runs it, fails unless it ends with CODE;
#                            its standard error is in $work/err
#   says TEXT            the last expect's standard error has TEXT in it
#   as_user COMMAND...   as nobody
#   fuse_for_users SCRIPT ARGUMENT...   see there; before anything is mounted

[ -c /dev/fuse ] || exit 77
command -v fusermount3 >/dev/null || exit 77

as_user() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# Containers often keep /dev/fuse for root. The script then starts again in a
# mount namespace of its own, where a node that users may open lies over it.
fuse_for_users() {
    if as_user sh -c ': <>/dev/fuse' 2>/dev/null; then
        return 0
    fi
    [ -z "${FUSE_NODE-}" ] || exit 77 # tried, and it does not work here
    FUSE_NODE=$(mktemp -d)
    export FUSE_NODE
    mknod -m 666 "$FUSE_NODE/fuse" c 10 229 || exit 77
    rm -rf "$work"
    # shellcheck disable=SC2016 # expanded by the shell inside
    exec unshare --mount sh -c '
        mount --bind "$FUSE_NODE/fuse" /dev/fuse || exit 77
        exec sh "$@"' sh "$@"
}

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
    rm -rf "$work" ${FUSE_NODE:+"$FUSE_NODE"}
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

prove() {
    "$build/test/check_image" "$1" >"$work/check" 2>&1 ||
        fail "$1 has faults: $(tail -n 20 "$work/check")"
}

unmount() {
    expect 0 "$build/udfpkt-umount" "$mnt"
    prove "$1"
}

says() {
    grep -q -- "$1" "$work/err" || fail "\"$1\" is not said: $(cat "$work/err")"
}

mounted() {
    grep -q "^[^ ]* $1 fuse.udfpkt " /proc/self/mounts
}

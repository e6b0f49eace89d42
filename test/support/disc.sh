# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/support/disc.sh - what scripts do with a disc through the commands. The
# script sets BUILD, WORK (a folder that it removes) and defines nothing of the
# same names; the disc is mounted at $WORK/mnt.
#
#   disc_needed                     exit 77 where nothing can be mounted
#   disc_format IMAGE OPTION...     disc_mount IMAGE [OPTION...]
#   disc_umount                     with udfpkt-umount; prove what it leaves
#   disc_fusermount IMAGE           with fusermount, and wait for the daemon;
#                                   prove what it leaves
#   disc_number IMAGE KEY           a number of udfpkt-info --json
#   disc_prove IMAGE                the checker finds no fault, and it is
#                                   closed; faults that match DISC_KNOWN, an
#                                   extended regular expression, are others'
#   disc_check IMAGE                that, and no command was refused
#   disc_same TREE [LINES]          compare the mounted tree with TREE

fail() {
    echo "FAILED: $*"
    exit 1
}

disc_needed() {
    if [ ! -c /dev/fuse ] || ! (: <>/dev/fuse) 2>/dev/null; then
        echo "skipped: /dev/fuse cannot be used"
        exit 77
    fi
    if [ "$(id -u)" != 0 ]; then
        echo "skipped: only root can give files to others"
        exit 77
    fi
}

# The daemon has no terminal: what a sanitizer says of it goes to files, which
# disc_sanitized looks for. Called by disc_mount.
disc_sanitize() {
    disc_log=log_path=$WORK/sanitizer
    export ASAN_OPTIONS="${ASAN_OPTIONS-}${ASAN_OPTIONS:+:}$disc_log"
    export TSAN_OPTIONS="${TSAN_OPTIONS-}${TSAN_OPTIONS:+:}$disc_log"
    export UBSAN_OPTIONS="${UBSAN_OPTIONS-}${UBSAN_OPTIONS:+:}$disc_log"
}

# The end of the daemon is waited for before this, so that leaks are known.
disc_sanitized() {
    for disc_log in "$WORK"/sanitizer.*; do
        [ ! -s "$disc_log" ] || fail "$(head -n 60 "$disc_log")"
    done
}

# For the trap at the end of a script.
disc_cleanup() {
    if mountpoint -q "$WORK/mnt"; then
        "$BUILD/udfpkt-umount" "$WORK/mnt" ||
            fusermount3 -u -z "$WORK/mnt" || :
    fi
    rm -rf "$WORK"
}

disc_format() {
    disc_image=$1
    shift
    "$BUILD/udfpkt-format" "$@" "$disc_image" >"$WORK/log" 2>&1 ||
        fail "udfpkt-format $*: $(cat "$WORK/log")"
}

disc_mount() {
    disc_mounted=$1
    shift
    mkdir -p "$WORK/mnt"
    (
        disc_sanitize
        "$BUILD/udfpkt-mount" "$@" "$disc_mounted" "$WORK/mnt"
    ) >"$WORK/log" 2>&1 || fail "udfpkt-mount: $(cat "$WORK/log")"
}

disc_umount() {
    "$BUILD/udfpkt-umount" "$WORK/mnt" >"$WORK/log" 2>&1 ||
        fail "udfpkt-umount: $(cat "$WORK/log")"
    disc_sanitized
    disc_prove "$disc_mounted"
}

# fusermount returns while the daemon still writes; udfpkt-umount of the
# device then waits, and knows how it went.
disc_fusermount() {
    fusermount -u "$WORK/mnt" || fail "fusermount -u"
    "$BUILD/udfpkt-umount" "$1" >"$WORK/log" 2>&1 ||
        fail "closing $1: $(cat "$WORK/log")"
    disc_sanitized
    disc_prove "$1"
}

disc_number() {
    disc_value=$("$BUILD/udfpkt-info" --json "$1" |
        sed -n "s/^ *\"$2\": \([0-9]*\),\{0,1\}\$/\1/p")
    [ -n "$disc_value" ] || fail "udfpkt-info does not know $2 of $1"
    echo "$disc_value"
}

disc_prove() {
    "$BUILD/test/check_image" "$1" >"$WORK/faults" 2>&1 && return
    # its last line counts them
    if [ -z "${DISC_KNOWN-}" ] ||
        sed '$d' "$WORK/faults" | grep -qvE "$DISC_KNOWN"; then
        fail "$1 has faults: $(tail -n 20 "$WORK/faults")"
    fi
}

disc_check() {
    "$BUILD/udfpkt-info" --json "$1" | grep -q '"clean": true' ||
        fail "$1 is not closed"
    disc_prove "$1"
    if [ -f "$1.udfpkt" ]; then
        [ "$(disc_number "$1" refused)" = 0 ] ||
            fail "the drive refused $(disc_number "$1" refused) commands"
    fi
}

# disc_same TREE: every column of every object, but the root itself.
disc_same() {
    "$BUILD/test/treesum" --without=root "$1" >"$WORK/expected" ||
        fail "cannot read $1"
    "$BUILD/test/treesum" --without=root "$WORK/mnt" >"$WORK/found" ||
        fail "cannot read the disc"
    diff "$WORK/expected" "$WORK/found" >"$WORK/difference" ||
        fail "the disc differs (expected <, found >):" \
            "$(head -n 20 "$WORK/difference")"
    echo "$(wc -l <"$WORK/expected") objects equal"
}

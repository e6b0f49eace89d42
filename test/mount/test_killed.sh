#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The daemon is killed in the middle of its work. The next mount, with nothing
# repaired, has everything up to the last fsync; udfpkt-info says what waits in
# the journal before that, and after an unmount there is nothing in it. On
# discs formatted here and by others.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

# info DISC KEY
info() {
    "$build/udfpkt-info" --json "$1" | sed -n "s/^ *\"$2\": \(.*[^,]\),*\$/\1/p"
}

# start DISC: a daemon that commits only when it is asked to.
start() {
    "$build/udfpkt-mount" -f -o commit=600 "$1" "$mnt" 2>"$work/daemon" &
    daemon=$!
    until mounted "$mnt"; do
        kill -0 "$daemon" || fail "udfpkt-mount: $(cat "$work/daemon")"
        sleep 0.05
    done
}

# die: what a crash is like. The mount stays, without anybody behind it.
die() {
    kill -KILL "$daemon"
    wait "$daemon" 2>/dev/null || :
    fusermount3 -u "$mnt"
}

# killed DISC: work on it, crash, and look.
killed() {
    start "$1"
    mkdir "$mnt/old"
    cp "$work/kept" "$mnt/old/kept"
    unmount "$1"
    start "$1"
    cp "$work/kept" "$mnt/new"
    printf 'over' | dd of="$mnt/old/kept" bs=1 seek=70000 conv=notrunc \
        2>/dev/null
    mv "$mnt/new" "$mnt/old/new"
    dd if=/dev/null of="$mnt/old/new" oflag=append conv=notrunc,fsync \
        2>/dev/null
    seq 1 10000 >"$mnt/old/lost"
    die

    [ "$(info "$1" clean)" = false ] || fail "$1 is clean after a crash"
    [ "$(info "$1" journal_blocks)" -gt 0 ] || fail "$1 has nothing to replay"
    cp "$work/kept" "$work/expected"
    printf 'over' | dd of="$work/expected" bs=1 seek=70000 conv=notrunc \
        2>/dev/null
    expect 0 "$build/udfpkt-mount" -o ro "$1" "$mnt"
    cmp "$work/expected" "$mnt/old/kept"
    cmp "$work/kept" "$mnt/old/new"
    [ ! -e "$mnt/new" ] || fail "the old name is there, too"
    [ ! -e "$mnt/old/lost" ] || fail "what was not committed is there"
    expect 0 "$build/udfpkt-umount" "$mnt"
    [ "$(info "$1" clean)" = false ] || fail "mounting it read-only changed it"

    expect 0 "$build/udfpkt-mount" "$1" "$mnt"
    cmp "$work/expected" "$mnt/old/kept"
    cmp "$work/kept" "$mnt/old/new"
    expect 0 "$build/udfpkt-umount" "$mnt"
    [ "$(info "$1" clean)" = true ] || fail "$1 was not closed"
    [ "$(info "$1" journal_blocks)" = 0 ] || fail "its journal is not empty"
    prove "$1"
}

# A commit that is longer than the journal, when the journal is half full: all
# of it is there after a crash, and what lies there then is no file's.
long_commit() {
    start "$1"
    mkdir "$mnt/many"
    seq 1 1800 | sed "s|^|$mnt/many/|" | xargs touch
    for i in $(seq 1 36); do
        dd if=/dev/null of="$mnt/many/$i" oflag=append conv=notrunc,fsync \
            2>/dev/null
        chmod 640 "$mnt/many/$i"
    done
    chmod -R u=rwX,go= "$mnt/many"
    dd if=/dev/null of="$mnt/many/1" oflag=append conv=notrunc,fsync \
        2>/dev/null
    die
    start "$1"
    [ "$(find "$mnt/many" -type f -perm 600 | wc -l)" = 1800 ] ||
        fail "a long commit is not whole"
    head -c 20000000 /dev/urandom >"$work/large"
    dd if="$work/large" of="$mnt/large" bs=1M conv=fsync 2>/dev/null
    chmod -R u=rwX,go=rX "$mnt/many"
    dd if=/dev/null of="$mnt/large" oflag=append conv=notrunc,fsync \
        2>/dev/null
    die
    expect 0 "$build/udfpkt-mount" "$1" "$mnt"
    cmp "$work/large" "$mnt/large"
    [ "$(find "$mnt/many" -type f -perm 644 | wc -l)" = 1800 ] ||
        fail "the second long commit is not whole"
    unmount "$1"
}

seq 1 100000 >"$work/kept"
expect 0 "$build/udfpkt-format" --media cdrw --size 100M "$work/long"
long_commit "$work/long"
format "$work/ours"
killed "$work/ours"
truncate -s 64M "$work/theirs"
mkudffs -b 2048 -r 2.01 "$work/theirs" >/dev/null
killed "$work/theirs"

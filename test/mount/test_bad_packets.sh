#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A disc on which every twentieth packet of the partition is bad from the start
# is used like any other: no command fails, everything is there after the next
# mount, and udfpkt-info counts what was replaced and what is out of use. The
# same for a disc that forgets what it is given, with --verify and when it is
# formatted in full.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

cd=$work/cd
faults=$cd.udfpkt-faults

# info FIELD: a number of the volume, as udfpkt-info says it.
info() {
    "$build/udfpkt-info" --json "$cd" >"$work/info.json"
    sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$work/info.json"
}

# bad KIND FIRST STEP: a packet each STEP blocks behind the first packets of the
# partition, which the volume's own structures take, is bad for ever.
bad() {
    end=$(($2 + $(info partition_blocks) - 64))
    lba=$(($2 + 160))
    while [ "$lba" -lt "$end" ]; do
        echo "$1 lba=$lba times=0"
        lba=$((lba + $3))
    done >"$faults"
    count=$(wc -l <"$faults")
}

mount_disc() {
    expect 0 "$build/udfpkt-mount" "$@" "$cd" "$mnt"
}

unmount_disc() {
    unmount "$cd"
}

# Files of many sizes, and a directory that does not fit in its entry.
make_tree() {
    mkdir -p "$1/many" "$1/large"
    i=0
    while [ $i -lt 150 ]; do
        seq $i $((i * 40)) >"$1/many/a name that makes the directory grow $i"
        i=$((i + 1))
    done
    head -c 20000000 /dev/urandom >"$1/large/random"
}

make_tree "$work/tree"

format "$cd"
first=$(info partition_lba)
bad write-error "$first" 640
mount_disc
cp -r "$work/tree" "$mnt/one"
sync "$mnt"
cp -r "$work/tree" "$mnt/two"
rm -r "$mnt/one/many"
unmount_disc
mount_disc
diff -r "$work/tree" "$mnt/two"
cmp "$work/tree/large/random" "$mnt/one/large/random"
unmount_disc
replaced=$(info spares_used)
withdrawn=$(info withdrawn_packets)
[ "$withdrawn" -gt $((count / 2)) ] ||
    fail "$withdrawn packets withdrawn, $count are bad"
[ $((replaced + withdrawn)) -le "$count" ] ||
    fail "$replaced and $withdrawn packets, but only $count are bad"
"$build/udfpkt-info" "$cd" >"$work/text"
grep -q "defects *$withdrawn packets are bad" "$work/text" ||
    fail "info: $(cat "$work/text")"
grep -q "spares *$replaced of " "$work/text" || fail "info: $(cat "$work/text")"

# What is read wrong after it was written is written elsewhere.
rm -f "$cd" "$cd".*
format "$cd"
first=$(info partition_lba)
bad read-error "$first" 2560
mount_disc --verify
cp -r "$work/tree" "$mnt/one"
unmount_disc
mount_disc -o verify
diff -r "$work/tree" "$mnt/one"
unmount_disc
[ "$(info withdrawn_packets)" -gt 0 ] || fail "nothing was withdrawn"

# Certifying finds all of them.
expect 0 "$build/udfpkt-format" --full --force "$cd"
prove "$cd"
[ "$(info withdrawn_packets)" -eq "$count" ] ||
    fail "$(info withdrawn_packets) of $count bad packets found"

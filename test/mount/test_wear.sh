#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The wear ledger from outside: what udfpkt-info says of it is what the drive
# saw, and formatting the disc anew does not make it young.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

cd=$work/cd

# value NAME: a number that is there once.
value() {
    "$build/udfpkt-info" --json "$cd" | sed -n "s/^ *\"$1\": \([0-9]*\).*/\1/p"
}

# near WHEN: formatting writes a few packets behind the ledger.
near() {
    counted=$(value hottest)
    real=$(value hottest_overwrites)
    if [ "$counted" -gt "$real" ] || [ "$counted" -lt $((real - 3)) ]; then
        fail "$1: $counted counted, $real written"
    fi
}

# use_often MEDIUM TIMES: a new disc, changed in so many mounts.
use_often() {
    rm -f "$cd" "$cd.udfpkt"
    expect 0 "$build/udfpkt-format" --media "$1" --size 60M "$cd"
    for i in $(seq "$2"); do
        expect 0 "$build/udfpkt-mount" "$cd" "$mnt"
        echo "$i" >"$mnt/file$i"
        expect 0 "$build/udfpkt-umount" "$mnt"
    done
    prove "$cd"
    near "$1, $2 mounts"
    [ "$counted" -ge "$2" ] ||
        fail "$1: $2 mounts wrote each packet $counted times"
}

for medium in cdmrw dvd-ram bd-re; do
    use_often $medium 4
done
use_often cdrw 8
worn="^worn .* written $counted times of about 1000"
"$build/udfpkt-info" "$cd" | grep -q "$worn" ||
    fail "the text does not say so"

before=$(value hottest)
expect 0 "$build/udfpkt-format" --force "$cd"
[ "$(value hottest)" -ge "$before" ] || fail "a new volume forgets"
expect 0 "$build/udfpkt-format" --force --full "$cd"
[ "$(value hottest)" -gt "$before" ] || fail "a format of the medium forgets"
prove "$cd"

# A plain image does not wear.
rm "$cd" "$cd.udfpkt"
expect 0 "$build/udfpkt-format" --media image --size 60M "$cd"
"$build/udfpkt-info" --json "$cd" | grep -q '"ledger": null' ||
    fail "a plain image has a ledger"

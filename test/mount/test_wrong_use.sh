#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Wrong use of udfpkt-format and udfpkt-info: each says what is wrong and what
# to do, ends with the code that udfpkt(7) promises, and changes nothing.
set -eu

build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"

format=$build/udfpkt-format
info=$build/udfpkt-info
failed=0

complain() {
    echo "FAILED: $*" >&2
    sed 's/^/    /' out >&2
    failed=1
}

# expect CODE TEXT COMMAND...: the command ends with CODE, and says TEXT and
# some advice. (The program's name is not part of TEXT.)
expect() {
    code=$1
    text=$2
    shift 2
    got=0
    "$@" >out 2>&1 </dev/null || got=$?
    [ "$got" -eq "$code" ] || complain "code $got, not $code: $*"
    grep -q -e "$text" out || complain "does not say \"$text\": $*"
    grep -q '^  try: ' out || complain "gives no advice: $*"
}

# The content of a disc, and the state of its medium without the counters of
# what the drive did, which every command moves on.
content() {
    cksum <"$1"
    if [ -e "$1.udfpkt" ]; then
        "$info" --json "$1" | grep -E '"(state|blocks|medium|label)"'
    fi
}

# unchanged DISC CODE TEXT COMMAND...: expect, and the disc is as before.
unchanged() {
    disc=$1
    shift
    content "$disc" >before
    expect "$@"
    content "$disc" >after
    cmp -s before after || complain "changed $disc: $*"
}

# absent FILE CODE TEXT COMMAND...: expect, and no file was made.
absent() {
    name=$1
    shift
    expect "$@"
    [ ! -e "$name" ] || complain "made $name: $*"
    [ ! -e "$name.udfpkt" ] || complain "made $name.udfpkt: $*"
}

# ---- options and arguments
absent new 2 'no such medium' "$format" --media floppy new
absent new 2 'unknown option' "$format" --media cdrw --frobnicate new
absent new 2 '--size' "$format" --media cdrw --size 12parsecs new
absent new 2 '--size' "$format" --media cdrw --size 0 new
absent new 2 '--size' "$format" --media cdrw --size -5M new
absent new 2 '--udf' "$format" --media cdrw --udf 3.14 new
absent new 2 '--map' "$format" --media cdrw --map cake new
absent new 2 'exclude each other' "$format" --media cdrw --quick --full new
absent new 2 'more than one device' "$format" --media cdrw new other
absent new 2 'value is missing' "$format" new --media
absent new 2 'less than a block' "$format" --media cdrw --size 2047 new
absent new 2 'less than a block' "$format" --media image --size 1k new
absent new 2 'not come in this size' "$format" --media cdrw --size 3000 new
absent new 2 'not come in this size' "$format" --media bd-re --size 9999G new
expect 2 'unknown option' "$info" --frobnicate
expect 2 'more than one device' "$info" a b

# ---- no device
absent new 3 'no such device' "$format" new
absent no/new 3 'directory' "$format" --media cdrw no/new
absent /dev/sr77 3 'no such device' "$format" --media cdrw /dev/sr77
expect 3 'no such device' "$info" /dev/sr77
expect 3 'no such device' "$info" nothing
expect 3 'optical drive\|directory' "$info" .
expect 3 'no optical drive' "$format" --media cdrw /dev/null
if ! ls /sys/class/block/sr* >/dev/null 2>&1; then
    expect 3 'no optical drive' "$format" --media cdrw
    expect 3 'no optical drive' "$info"
fi

# ---- media that cannot be made here, or volumes that do not fit
absent new 6 'only once' "$format" --media bd-r new
absent new 13 'too small' "$format" --media image --size 100k new
absent new 13 'too small' "$format" --media image --size 3000 new
absent new 13 'too small' "$format" --media dvd-rw --size 1000001 new
absent new 2 'label is too long' "$format" --media cdrw \
    --label "$(yes x | head -n 127 | tr -d '\n')" new
absent new 2 'label is not UTF-8' "$format" --media cdrw \
    --label "$(printf '\377')" new
absent new 2 'not possible' "$format" --media cdrw --udf 1.02 new
absent new 2 'not possible' "$format" --media cdrw --metadata-copies 2 new
absent new 2 '1 or 2' "$format" --media bd-re --metadata-copies 3 new

# ---- a disc that is not the one asked for, or holds data
"$format" --media cdrw --size 60M disc >out 2>&1 ||
    complain "cannot format a CD-RW"
"$format" --media image --size 20M plain >out 2>&1 ||
    complain "cannot format an image"
unchanged disc 6 'not dvd-rw' "$format" --media dvdrw disc
unchanged disc 6 'not dvd-rw' "$format" --media DVD-RW --force disc
unchanged plain 6 'plain image' "$format" --media cdrw plain
unchanged disc 8 'holds a UDF volume' "$format" disc
unchanged disc 8 'holds a UDF volume' "$format" --full --media cdrw disc
unchanged plain 8 'holds a UDF volume' "$format" plain
# --wait keeps a volume, but not on a medium that had to be formatted for it
unchanged disc 8 'holds a UDF volume' "$format" --wait --size 30M disc
unchanged disc 8 'holds a UDF volume' "$format" --wait --full disc
unchanged disc 8 'for a new volume' "$format" --wait --label other disc
unchanged disc 8 'for a new volume' "$format" --wait --udf 1.50 disc
unchanged disc 2 'label is too long' "$format" --force --full \
    --label "$(yes x | head -n 127 | tr -d '\n')" disc
unchanged disc 2 'would have' "$format" --force --size 300M disc
unchanged disc 2 'not possible' "$format" --force --udf 1.02 disc

# ---- sizes that are no whole packets, of new discs and of those that are there
"$format" --media dvd-rw --size 20000001 odd >out 2>&1 ||
    complain "an odd size is refused"
unchanged odd 13 'too small' "$format" --force --quick --size 3000 odd
unchanged odd 2 'would have' "$format" --force --full --size 20000001 odd
"$format" --force --quick --size 10000001 odd >out 2>&1 ||
    complain "an odd size is refused"
unchanged odd 2 'has 4896 blocks already, not 16' \
    "$format" --grow --size 3000 odd
"$format" --grow --size 15000001 odd >out 2>&1 ||
    complain "an odd size is refused"
grep -q '5[0-9]* blocks' out || complain "it is not larger: $(cat out)"
unchanged odd 8 'holds a UDF volume' "$format" --wait --size 10000001 odd
unchanged odd 8 'for a new volume' "$format" --grow --label other odd
rm -f odd odd.udfpkt
"$format" --media bd-re --size 100M spare >out 2>&1 ||
    complain "cannot format a BD-RE"
unchanged spare 8 'holds a UDF volume' "$format" --wait --spare max spare
rm -f spare spare.udfpkt

# ---- it is the trace that cannot be written
unchanged disc 2 'no/trace: No such file' \
    "$format" --force --trace no/trace disc
unchanged disc 2 'Is a directory' "$format" --force --trace . disc

truncate -s 4M other
printf 'precious' | dd of=other bs=1 seek=700000 conv=notrunc 2>/dev/null
unchanged other 8 'holds data' "$format" --media image other
"$format" --force other >out 2>&1 || complain "--force is not enough"

# ---- in use by another process
exec 8<disc 9<disc.udfpkt
flock 8
flock 9
unchanged=$(cksum <disc)
expect 4 'in use by process' "$format" --force disc
expect 4 'in use by process' "$info" disc
exec 8<&- 9<&-
[ "$unchanged" = "$(cksum <disc)" ] || complain "changed a busy disc"

# ---- no medium, write protection, a damaged drive
echo pull >disc.udfpkt-faults
expect 5 'no disc' "$format" --force disc
"$info" disc >out 2>&1 || complain "an empty drive is no error to look at"
grep -q 'no disc' out || complain "info does not see the empty drive"
rm disc.udfpkt-faults

"$build/test/protect_disc" disc on
unchanged disc 7 'protected\|only be read' "$format" --force disc
"$build/test/protect_disc" disc off

cp disc torn
printf 'nonsense' >torn.udfpkt
before=$(cksum torn torn.udfpkt)
expect 10 'damaged' "$format" --force torn
expect 10 'damaged' "$info" torn
[ "$before" = "$(cksum torn torn.udfpkt)" ] || complain "changed torn"

# ---- rights
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 600 disc disc.udfpkt
    unchanged disc 12 'permission' setpriv --reuid 65534 --regid 65534 \
        --clear-groups "$format" --force disc
    expect 12 'permission' setpriv --reuid 65534 --regid 65534 \
        --clear-groups "$info" disc
fi

# ---- output that goes nowhere
got=0
"$info" disc >/dev/full 2>out || got=$?
[ "$got" -eq 1 ] || complain "code $got when the output is lost"

# ---- and after all that the disc is as good as ever
"$info" disc >out 2>&1 || complain "info fails"
grep -q 'LinuxUDF' out || complain "info shows no volume"
"$format" --force --label "Grüße 光盘" disc >out 2>&1 ||
    complain "cannot format again"
"$info" --json disc | grep -q '"label": "Grüße 光盘"' ||
    complain "the label is not what was asked for"
"$build/test/check_image" disc >out 2>&1 || complain "the volume has faults"

exit "$failed"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Somebody presses the eject button: while 100 MB are being copied, while
# programs write without a pause, while nothing happens, and on a read-only
# mount. Every time the disc is closed with all in it that programs had
# written, and the tray opens.
# shellcheck disable=SC2154 # work and mnt come from fs_lib.sh
set -eu

build=$1
here=$(dirname "$0")
# shellcheck disable=SC1091
. "$here/fs_lib.sh"

limited() {
    timeout -k 5 120 "$@"
}

cd=$work/cd

# press FAULT: formats the disc anew, mounts it in the foreground ($daemon) with
# this fault of the drive, the commands traced.
press() {
    rm -f "$cd" "$cd.udfpkt" "$work/trace"
    limited "$build/udfpkt-format" --media cdrw --size 150M "$cd" \
        >"$work/format" 2>&1 || fail "format: $(cat "$work/format")"
    mount_pressed "$1"
}

mount_pressed() {
    echo "$1" >"$cd.udfpkt-faults"
    shift
    limited "$build/udfpkt-mount" -f -o "cache=4M,trace=$work/trace" "$@" \
        "$cd" "$mnt" 2>"$work/daemon" &
    daemon=$!
    until mounted "$mnt"; do
        kill -0 "$daemon" || fail "udfpkt-mount: $(cat "$work/daemon")"
        sleep 0.05
    done
}

# The daemon ends by itself and well, the tray is open at the end, and the
# volume is closed.
ejected() {
    got=0
    wait "$daemon" || got=$?
    [ "$got" -eq 0 ] || fail "ended with $got: $(cat "$work/daemon")"
    grep -q 'eject button' "$work/daemon" || fail "the button is not named"
    ! mounted "$mnt" || fail "still mounted"
    rm "$cd.udfpkt-faults"
    # ALLOW, then START STOP UNIT with LoEj, is the last the drive heard.
    tail -n 2 "$work/trace" | grep -q ' 1E 00 00 00 00 00 .* good' ||
        fail "the door was not unlocked: $(tail -n 3 "$work/trace")"
    tail -n 1 "$work/trace" | grep -q ' 1B 00 00 00 02 00 .* good' ||
        fail "the tray is not open: $(tail -n 3 "$work/trace")"
    "$build/udfpkt-info" --json "$cd" | grep -q '"clean": true' ||
        fail "the volume was not closed"
    prove "$cd"
}

# holds NAME FILE BYTES: NAME on the disc begins with the first BYTES of FILE.
holds() {
    size=$(stat -c %s "$mnt/$1")
    [ "$size" -ge "$3" ] || fail "$1: $size of $3 bytes are on the disc"
    cmp -n "$3" "$mnt/$1" "$2" || fail "$1 differs"
}

read_back() {
    expect 0 limited "$build/udfpkt-mount" -r "$cd" "$mnt"
}

# The seconds of the drive's clock from the press, which came with the
# command of line number $1 in the trace, to the open tray, less those that it
# transferred data.
idle_seconds() {
    awk -v press="$1" '
        NR == press { start = $1 }
        NR > press && $2 ~ /^(28|2A)$/ { busy += $(NF - 1) / 1000 }
        { end = $1 }
        END { printf "%.1f\n", end - start - busy }' "$work/trace"
}

# --- a copy of 100 MB, held open, and files that were whole before ----------
head -c 100000000 /dev/urandom >"$work/large"
head -c 3000000 /dev/urandom >"$work/whole"
press 'button op=0x2A after=100'
cp "$work/whole" "$mnt/whole"
mkdir "$mnt/dir"
echo small >"$mnt/dir/small"
exec 5>"$mnt/large"
taken=0
for i in $(seq 0 99); do
    got=0
    LC_ALL=C dd if="$work/large" bs=10000 skip=$((i * 100)) count=100 >&5 \
        2>"$work/dd" || got=$?
    blocks=$(sed -n 's/^\([0-9]*\)+.* records out$/\1/p' "$work/dd")
    taken=$((taken + blocks * 10000))
    [ "$got" -eq 0 ] || break
    sleep 0.01
done
[ "$got" -ne 0 ] || fail "the copy was not stopped"
grep -qE 'Read-only file system|not connected|connection abort' "$work/dd" ||
    fail "the copy ended otherwise: $(cat "$work/dd")"
ejected
exec 5>&-
press_line=$(grep -n ' 2A ' "$work/trace" | sed -n '101s/:.*//p')
seconds=$(idle_seconds "$press_line")
echo "copy: $taken bytes, $seconds s beyond transfers"
[ "${seconds%.*}" -lt 5 ] || fail "$seconds s beyond what transfers took"
read_back
cmp "$work/whole" "$mnt/whole"
[ "$(cat "$mnt/dir/small")" = small ] || fail "dir/small is wrong"
holds large "$work/large" "$taken"
expect 0 "$build/udfpkt-umount" "$mnt"

# --- programs that write without a pause cannot hold it up ------------------
press 'button op=0x2A after=100'
writers=
for i in 1 2 3; do
    LC_ALL=C limited dd if="$work/large" of="$mnt/busy$i" bs=500 \
        2>"$work/busy$i" &
    writers="$writers $!"
done
ejected
for writer in $writers; do
    ! wait "$writer" || fail "a copy was not stopped"
done
read_back
for i in 1 2 3; do
    blocks=$(sed -n 's/^\([0-9]*\)+.* records out$/\1/p' "$work/busy$i")
    holds "busy$i" "$work/large" $((blocks * 500))
done
expect 0 "$build/udfpkt-umount" "$mnt"

# --- nothing to do: the drive is asked all the same -------------------------
# Two answers belong to mounting; the third and fourth come a second apart.
press 'button op=0x4A after=3'
echo text >"$mnt/text"
ejected
read_back
[ "$(cat "$mnt/text")" = text ] || fail "the text is lost"
expect 0 "$build/udfpkt-umount" "$mnt"
rm -f "$work/trace"
mount_pressed 'button op=0x4A after=3' -r
ejected

# --- a press that came before is not about this mount -----------------------
mount_pressed 'button op=0x4A after=0'
sleep 2.5
mounted "$mnt" || fail "ejected for an old press: $(cat "$work/daemon")"
kill -TERM "$(daemon_pid "$cd")"
wait "$daemon" || fail "ended badly: $(cat "$work/daemon")"
prove "$cd"

# --- a format that goes on in the background is stopped first ---------------
# With the provisional lead-out (CLOSE, function 2) unless it is not wanted.
closes() {
    sed -n 's/^[^ ]* 5B 0[01] \(0.\) .*/\1/p' "$work/trace" | tr '\n' ' '
}
for lead_out in "no_lead_out:00 " "lead_out:00 02 "; do
    rm -f "$cd" "$cd.udfpkt" "$work/trace"
    expect 0 limited "$build/udfpkt-format" --media dvd+rw --size 150M "$cd"
    case $lead_out in
    no*) mount_pressed 'button op=0x2A after=3' -o no_lead_out ;;
    *) mount_pressed 'button op=0x2A after=3' ;;
    esac
    cp "$work/whole" "$mnt/whole"
    ejected
    [ "$(closes)" = "${lead_out#*:}" ] ||
        fail "${lead_out%:*}: the format was stopped by: $(closes)"
    read_back
    cmp "$work/whole" "$mnt/whole"
    expect 0 "$build/udfpkt-umount" "$mnt"
done

# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/bench/steps.sh - the workloads, the same for udfpkt and for the kernel's
# driver. Whoever sources it defines
#
#   bench_mount [ro]    bench_unmount    the disc, at $MNT
#   bench_more          prints figures besides the drive's, "key=value ..."
#
# with $WORKER (the program work) and $METER, $IMAGE, $MEDIUM, $WHO, $OUT set.
# A measured step begins and ends with an unmounted disc, so that all that is
# read is cold and all that was written is on the medium.

BENCH_FILES=${BENCH_FILES:-10000} # of the tree
BENCH_LARGE=${BENCH_LARGE:-100}   # MiB, of each of three files
BENCH_RECORDS=${BENCH_RECORDS:-1000}

# measured NAME MOUNT-OPTION COMMAND...
measured() {
    bench_name=$1
    bench_option=$2
    shift 2
    "$METER" begin "$IMAGE" "$OUT.meter"
    bench_mount "$bench_option"
    "$@"
    bench_unmount
    echo "$MEDIUM $WHO $bench_name" \
        "$("$METER" end "$IMAGE" "$OUT.meter") $(bench_more)" >>"$OUT"
}

# unmeasured COMMAND...
unmeasured() {
    bench_mount rw
    "$@"
    bench_unmount
}

find_and_grep() {
    find "$MNT/tree" -ls >/dev/null
    grep -r "no file holds this" "$MNT/tree" >/dev/null || :
}

half_again() {
    "$WORKER" halve "$MNT/tree"
    "$WORKER" tree "$MNT/again" "$BENCH_FILES"
}

five_times() {
    for _ in 1 2 3 4 5; do
        "$WORKER" tree "$MNT/source" $((BENCH_FILES / 5))
        "$WORKER" remove "$MNT/source"
    done
}

bench_steps() {
    measured large rw "$WORKER" large "$MNT/large" 3 "$BENCH_LARGE"
    measured read ro "$WORKER" read "$MNT/large/large-1"
    unmeasured "$WORKER" remove "$MNT/large"
    measured tree rw "$WORKER" tree "$MNT/tree" "$BENCH_FILES"
    measured find ro find_and_grep
    measured again rw half_again
    unmeasured "$WORKER" large "$MNT/records" 1 64
    measured reread-before ro "$WORKER" read "$MNT/records/large-0"
    measured overwrite rw "$WORKER" overwrite "$MNT/records/large-0" \
        "$BENCH_RECORDS"
    measured reread ro "$WORKER" read "$MNT/records/large-0"
    measured append rw "$WORKER" append "$MNT/log" "$BENCH_RECORDS"
    measured unpack rw five_times
    measured remove rw "$WORKER" remove "$MNT/again"
    measured idle rw ls "$MNT"
}

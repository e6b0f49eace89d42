# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/bench/drive.sh - the workloads through udfpkt on every medium. BUILD,
# MEDIA, WORK and OUT come from test/bench/run.
# shellcheck disable=SC2034 # used by steps.sh
set -eu
here=$(dirname "$0")
WORKER=$BUILD/test/work METER=$BUILD/test/meter
MNT=$WORK/mnt IMAGE=$WORK/disc WHO=udfpkt
# shellcheck source=/dev/null
. "$here/steps.sh"
mkdir -p "$MNT"
trap '"$BUILD/udfpkt-umount" "$MNT" 2>/dev/null || :' EXIT

said() {
    cat "$WORK/log" >&2
    exit 1
}

# Read-only drives keep no record; a mount that could write writes nothing.
bench_mount() {
    rm -f "$WORK/trace"
    "$BUILD/udfpkt-mount" -o "rw,trace=$WORK/trace" "$IMAGE" "$MNT" \
        >"$WORK/log" 2>&1 || said
}

bench_unmount() {
    "$BUILD/udfpkt-umount" "$MNT" >"$WORK/log" 2>&1 || said
}

number() { # of the volume or disc on $IMAGE
    sed -n "s/^ *\"$1\": \([0-9]*\),*$/\1/p" "$WORK/info"
}

# The partition begins with the space bitmap.
bench_more() {
    "$BUILD/udfpkt-info" --json "$IMAGE" >"$WORK/info"
    first=$(number partition_lba)
    last=$((first + $(number partition_blocks) / 8 / 2048))
    awk -v "first=$first" -v "last=$last" -f "$here/checkpoints.awk" \
        "$WORK/trace"
}

# What UDF must store, from copies in a plain directory.
bounds() {
    mkdir "$WORK/plain"
    "$WORKER" large "$WORK/plain/large" 3 "$BENCH_LARGE"
    echo "- bound large blocks=$("$WORKER" bound "$WORK/plain/large")" >>"$OUT"
    rm -rf "$WORK/plain/large"
    "$WORKER" tree "$WORK/plain/tree" "$BENCH_FILES"
    blocks=$("$WORKER" bound "$WORK/plain/tree")
    echo "- bound tree blocks=$blocks" >>"$OUT"
    echo "- bound again blocks=$blocks" >>"$OUT"
    rm -rf "$WORK/plain"
}

bounds
for MEDIUM in $MEDIA; do
    echo "$MEDIUM" >&2
    "$BUILD/udfpkt-format" --media "$MEDIUM" "$IMAGE" >"$WORK/log" 2>&1
    # A background format's time is not the workload's.
    "$BUILD/udfpkt-format" --wait "$IMAGE" >"$WORK/log" 2>&1 || :
    bench_steps
    "$BUILD/test/check_image" "$IMAGE" >&2
    rm -f "$IMAGE" "$IMAGE.udfpkt"
done

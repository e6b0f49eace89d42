# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/bench/kernel.sh - the same workloads through the Linux kernel's udf
# driver, in user-mode-linux, on the same virtual drive at /dev/sr0: the media
# that it can write without pktcdvd, with UDF 2.01, the last that it writes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
UML_HERE=$here/../uml
# shellcheck disable=SC2034 # of lib.sh
UML_TIMEOUT=7200
# shellcheck source=/dev/null
. "$UML_HERE/lib.sh"
uml_needed

cp "$UML_HERE/drive.sh" "$WORK/begin.sh"
cp "$here/steps.sh" "$WORK/steps.sh"
cat >"$WORK/kernel.sh" <<'EOF_GUEST'
. "$WORK/begin.sh"
. "$WORK/settings.sh"
WORKER=$BUILD/test/work METER=$BUILD/test/meter
MNT=/mnt/disc IMAGE=$WORK/disc WHO=kernel
. "$WORK/steps.sh"

bench_mount() {
    expect 0 udfpkt-vdrive attach --pace 10000 "$IMAGE"
    mount -t udf -o "$1" /dev/sr0 "$MNT" || fail "the kernel does not mount"
}

bench_unmount() {
    umount "$MNT"
    expect 0 udfpkt-vdrive detach "$IMAGE"
}

bench_more() {
    :
}

bench_steps
EOF_GUEST

for medium in $MEDIA; do
    case $medium in
    cdrw | dvd-rw) continue ;;
    esac
    echo "$medium" >&2
    "$BUILD/udfpkt-format" --media "$medium" --udf 2.01 "$WORK/disc" \
        >"$WORK/log" 2>&1
    "$BUILD/udfpkt-format" --wait "$WORK/disc" >"$WORK/log" 2>&1 || :
    {
        echo "OUT=$OUT MEDIUM=$medium"
        env | grep '^BENCH_' || :
    } >"$WORK/settings.sh"
    uml_run "$WORK" "$WORK/kernel.sh" "$BUILD" >&2 || exit 1
    rm -f "$WORK/disc" "$WORK/disc.udfpkt"
done

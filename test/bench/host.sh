# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/bench/host.sh - what the host pays: udfpkt on a plain image with no
# drive model, beside FUSE file systems that a user could take instead, and
# beside a FUSE server that does nothing. Each works through the same steps on
# an image of its own, and is mounted for each again.
#
# large-ms  one file of 512 MiB, until it is unmounted
# read-ms   the same file; it takes so little time that what else the machine
#           does shows: the least of three readings, each by a mount of its own
# create-ms, stat-ms, delete-ms  10,000 files of 1 kB in one directory
# cpu-ms, peak-kib   of the server, over all steps
set -eu
here=$(dirname "$0")
# shellcheck disable=SC2034 # for guest scripts, not here
WORKER=$BUILD/test/work
MNT=$WORK/mnt IMAGE=$WORK/host.img
sh "$here/../install-packages" bench >&2
mkdir -p "$MNT"
MIB=512 FILES=10000
if [ "${BENCH_SMALL-}" ]; then
    MIB=64 FILES=1000
fi

now_ms() {
    echo $(($(date +%s%N) / 1000000))
}

# Called with the peer's name: makes the image; starts a server in the
# foreground of a background job, so that $! is its pid.
make_image() {
    rm -f "$IMAGE"
    case $1 in
    udfpkt)
        "$BUILD/udfpkt-format" --media image --size 1200M "$IMAGE"
        return
        ;;
    null) return ;;
    esac
    truncate -s 1200M "$IMAGE"
    case $1 in
    fuse2fs) mkfs.ext4 -q "$IMAGE" ;;
    ntfs-3g) mkfs.ntfs -q -F -f "$IMAGE" ;;
    exfat-fuse) # takes nothing but block devices
        mkfs.exfat "$IMAGE"
        loop=$(losetup -f --show "$IMAGE")
        ;;
    esac
}

serve() {
    case $1 in
    udfpkt) "$BUILD/udfpkt-mount" --foreground "$IMAGE" "$MNT" & ;;
    null) "$BUILD/test/null_fs" "$IMAGE" "$MNT" & ;;
    fuse2fs) fuse2fs "$IMAGE" "$MNT" -f & ;;
    ntfs-3g)
        ntfs-3g -o no_detach,big_writes "$IMAGE" "$MNT" >"$WORK/log" 2>&1 &
        ;;
    exfat-fuse) mount.exfat-fuse "$loop" "$MNT" >"$WORK/log" 2>&1 & ;;
    esac
    server=$!
    until mountpoint -q "$MNT"; do
        kill -0 "$server" # the script ends here when it could not mount
        sleep 0.02
    done
    if [ "$1" = exfat-fuse ]; then # goes to the background by itself
        wait "$server"
        server=$(pgrep -f "^mount.exfat-fuse $loop ")
    fi
}

leave() {
    peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status")
    [ "$peak" -le "$most" ] || most=$peak
    # user and system time, in ticks of 10 ms
    ticks=$(awk '{print $14 + $15}' "/proc/$server/stat")
    cpu=$((cpu + ticks * 10))
    fusermount3 -u "$MNT"
    wait "$server" 2>/dev/null ||
        while kill -0 "$server" 2>/dev/null; do
            sleep 0.02
        done
}

# timed KEY COMMAND...
timed() {
    key=$1
    shift
    from=$(now_ms)
    "$@"
    echo "$key=$(($(now_ms) - from))" >>"$WORK/line"
}

large_and_leave() {
    "$WORKER" large "$1" 1 "$MIB"
    leave
}

# Called with the peer's name.
read_thrice() {
    least=
    for _ in 1 2 3; do
        serve "$1"
        from=$(now_ms)
        "$WORKER" read "$MNT/large-0"
        took=$(($(now_ms) - from))
        leave
        [ "$least" ] && [ "$least" -le "$took" ] || least=$took
    done
    echo "read-ms=$least" >>"$WORK/line"
}

for peer in null udfpkt fuse2fs ntfs-3g exfat-fuse; do
    echo "$peer" >&2
    cpu=0 most=0 loop=
    : >"$WORK/line"
    make_image "$peer" >"$WORK/log" 2>&1
    serve "$peer"
    timed large-ms large_and_leave "$MNT"
    read_thrice "$peer"
    serve "$peer"
    timed create-ms "$WORKER" flat "$MNT" "$FILES"
    leave
    serve "$peer"
    timed stat-ms "$WORKER" flat-stat "$MNT" "$FILES"
    timed delete-ms "$WORKER" flat-remove "$MNT" "$FILES"
    leave
    echo "host $peer all $(tr '\n' ' ' <"$WORK/line") cpu-ms=$cpu peak-kib=$most" \
        >>"$OUT"
    [ -z "$loop" ] || losetup -d "$loop"
    rm -f "$IMAGE"
done

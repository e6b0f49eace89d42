# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/uml/guest.sh - what scripts in the guest can use; see lib.sh. $WORK and
# $BUILD are set.

# guest_start SEED: the kernel's file systems, randomness and the udf driver.
# /mnt is a tmpfs of the guest's own.
guest_start() {
    mount -t proc proc /proc &&
        mount -t sysfs sysfs /sys &&
        mount -t tmpfs tmpfs /mnt || return 1
    # without it getrandom() in the tools waits for minutes
    "$BUILD/test/seed_entropy" "$1" || return 1
    for module in lib/crc-itu-t drivers/cdrom/cdrom fs/udf/udf; do
        busybox insmod \
            "/usr/lib/uml/modules/$(uname -r)/kernel/$module.ko" || return 1
    done
}

# guest_mount DEVICE DIRECTORY [OPTIONS]: with the kernel's udf driver, "ro"
# unless OPTIONS say else.
guest_mount() {
    mkdir -p "$2"
    busybox mount -t udf -o "${3:-ro},bs=2048" "$1" "$2"
}

# guest_treesum [OPTIONS] DIRECTORY
guest_treesum() {
    "$BUILD/test/treesum" "$@"
}

# guest_complaints: what the udf driver said to the kernel log.
guest_complaints() {
    dmesg | grep -i 'udf' || true
}

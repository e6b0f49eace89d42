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
    guest_modules lib/crc-itu-t drivers/cdrom/cdrom fs/udf/udf
}

# guest_modules MODULE...: loads modules of the guest's kernel, and no others:
# whoever is needed first has to be named first.
guest_modules() {
    for module in "$@"; do
        busybox insmod \
            "/usr/lib/uml/modules/$(uname -r)/kernel/$module.ko" || return 1
    done
}

# guest_drives: what udfpkt-vdrive and the programs that use a drive need.
guest_drives() {
    mount -t tmpfs tmpfs /run &&
        guest_modules fs/configfs/configfs fs/fuse/fuse fs/isofs/isofs \
            drivers/scsi/scsi_common drivers/scsi/scsi_mod \
            drivers/scsi/sr_mod drivers/scsi/sg drivers/uio/uio \
            drivers/target/target_core_mod drivers/target/target_core_user \
            drivers/target/loopback/tcm_loop &&
        mount -t configfs configfs /sys/kernel/config
}

# guest_mount DEVICE DIRECTORY [OPTIONS]: with the kernel's udf driver, "ro"
# unless OPTIONS say else.
guest_mount() {
    mkdir -p "$2"
    busybox mount -t udf -o "${3:-ro},bs=2048" "$1" "$2"
}

# guest_loop IMAGE DIRECTORY OPTIONS: the same, of an image file; the loop
# driver must be there. A process takes the guest long, so the DIRECTORY of
# many calls is there already.
guest_loop() {
    [ -d "$2" ] || mkdir -p "$2"
    busybox mount -t udf -o "loop,$3,bs=2048" "$1" "$2"
}

# guest_treesum [OPTIONS] DIRECTORY...
guest_treesum() {
    "$BUILD/test/treesum" "$@"
}

# guest_complaints: what the udf driver said to the kernel log.
guest_complaints() {
    dmesg | grep -i 'udf' || true
}

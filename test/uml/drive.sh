# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# test/uml/drive.sh - what every guest script that has a virtual drive as
# /dev/sr0 begins with; the harness sets WORK and BUILD.
# shellcheck disable=SC2034,SC2154
guest_drives
PATH=$BUILD:$PATH
cd "$WORK"
mkdir -p /mnt/disc

fail() {
    echo "FAILED: $*"
    dmesg | tail -n 20
    exit 1
}

# expect STATUS COMMAND...: runs it, output to the file log.
expect() {
    wanted=$1
    shift
    status=0
    timeout 60 "$@" >log 2>&1 || status=$?
    [ "$status" = "$wanted" ] ||
        fail "$*: $status, not $wanted: $(cat log)"
}

# says PATTERN: what the last command must have said.
says() {
    grep -qE "$1" log || fail "no '$1' in: $(cat log)"
}

# pid_of NAME: of the process behind an attached drive.
pid_of() {
    udfpkt-vdrive status --json "$1" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p'
}

# Nothing of an unplugged drive is left, neither device nor configuration.
all_gone() {
    [ ! -e /dev/sr0 ] || fail "/dev/sr0 is still there"
    [ ! -e /sys/kernel/config/target/loopback ] || fail "loopback is left"
    [ ! -e /sys/kernel/config/target/core/user_0 ] || fail "user_0 is left"
    [ ! -e /run/udfpkt-vdrive ] || fail "the socket is left"
}

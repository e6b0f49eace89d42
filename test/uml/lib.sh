# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/uml/lib.sh - runs commands on a Linux kernel of our own choice: Debian's
# user-mode-linux, booted with this machine's files as its root. It has the
# kernel's udf driver, which the machine's own kernel may lack.
#
# The guest sees and writes this machine's files (hostfs) as the user who
# starts it; mounts in it are its own. Images come as /dev/ubda, /dev/ubdb...
#
#   UML_HERE=.../test/uml; . "$UML_HERE/lib.sh"
#   uml_needed                      # exit 77 where it cannot run
#   uml_run WORK SCRIPT BUILD ubdar=disc.img || exit 1

UML_TIMEOUT=${UML_TIMEOUT:-900}

# Ends the test as skipped when the guest kernel is not installed.
uml_needed() {
    for program in linux.uml busybox timeout; do
        if ! command -v "$program" >/dev/null; then
            echo "skipped: $program is not installed"
            exit 77
        fi
    done
    if [ "$(id -u)" != 0 ]; then
        echo "skipped: hostfs shows files with their owners to root only"
        exit 77
    fi
}

# The guest's first program, on stdout.
uml_init() {
    cat <<EOF
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8
WORK='$uml_work' BUILD='$uml_build'
. '$UML_HERE/guest.sh'
(
    guest_start '$uml_tmp/seed' || exit 124
    set -e
    . '$uml_script'
) >'$uml_tmp/output' 2>&1
echo \$? >'$uml_tmp/status'
sync
busybox poweroff -f
EOF
}

# uml_run WORK SCRIPT BUILD [KERNEL ARGUMENT...]
# Boots a guest that runs the shell script SCRIPT (with `set -e`, and with
# test/uml/guest.sh, $WORK and $BUILD at hand), and returns its status. What
# SCRIPT prints is printed here. Returns 124 when the guest could not set
# itself up, 125 when it died or was stopped after UML_TIMEOUT seconds, and
# shows its console then.
uml_run() {
    uml_work=$(cd "$1" && pwd) || return 125
    uml_script=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
    uml_build=$(cd "$3" && pwd) || return 125
    shift 3
    uml_tmp=$(mktemp -d "$uml_work/uml.XXXXXX") || return 125
    head -c 4096 /dev/urandom >"$uml_tmp/seed"
    uml_init >"$uml_tmp/init"
    chmod +x "$uml_tmp/init"
    # uml_dir keeps the management socket out of the user's home; most of the
    # time of a boot would go into terminals of the old kind
    timeout -k 10 "$UML_TIMEOUT" linux.uml mem="${UML_MEM:-512M}" \
        uml_dir="$uml_tmp/" root=/dev/root rootfstype=hostfs rootflags=/ rw \
        con=null con0=fd:0,fd:1 pty.legacy_count=0 panic=-1 "$@" \
        init="$uml_tmp/init" \
        </dev/null >"$uml_tmp/console" 2>&1
    uml_host=$?
    if [ -f "$uml_tmp/output" ]; then
        cat "$uml_tmp/output"
    fi
    if [ -s "$uml_tmp/status" ]; then
        uml_result=$(cat "$uml_tmp/status")
    else
        uml_result=125
        echo "the guest died (host status $uml_host), its last words:"
        tail -n 30 "$uml_tmp/console"
    fi
    rm -rf "$uml_tmp"
    return "$uml_result"
}

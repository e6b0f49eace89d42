# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/bench/pace.sh - whether the background writer keeps the drive streaming.
# BUILD, WORK and OUT come from test/bench/run. The factors make every medium
# write some 15 MB/s, so that the source is the faster one.
set -eu
while read -r medium factor; do
    "$BUILD/test/pace" "$WORK" "$medium" "$factor" 200 >>"$OUT"
    rm -f "$WORK/pace.img" "$WORK/pace.img.udfpkt"
done <<'TEXT'
cdrw 12
dvd-rw 3
dvd+rw 2
dvd-ram 4
bd-re 4
TEXT

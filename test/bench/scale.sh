# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/bench/scale.sh - large directories, many files, a large file. BUILD,
# WORK and OUT come from test/bench/run. BENCH_SCALE names parts of scale.c.
set -eu
# shellcheck disable=SC2086 # words
"$BUILD/test/scale" "$WORK" ${BENCH_SCALE-} >>"$OUT"

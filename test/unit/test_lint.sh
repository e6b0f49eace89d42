#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The project obeys its own rules, and test/lint sees it when it does not: a
# tree with one breach of each kind must be refused for each of them.
set -eu

# The same sources are linted once, not once for each sanitizer.
! grep -q '^UDFPKT_SANITIZE:[A-Z]*=.' "${1-.}/CMakeCache.txt" 2>/dev/null ||
    exit 77

here=$(cd "$(dirname "$0")/.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
head='/* SPDX-License-Identifier: GPL-3.0-or-later */'

# file NAME TEXT: a file of the bad tree, with its SPDX line.
file() {
    mkdir -p "$tree/$(dirname "$1")"
    printf '%s\n%b\n' "$head" "$2" >"$tree/$1"
}

# many COUNT TEXT: the line COUNT times.
many() {
    yes "$2" | head -n "$1"
}

left=TO
file mmc/up.c '#include "udf/udf.h"'
file mmc/opcode.c 'enum { MMC_OP_READ = 0x28 };'
file mmc/build.c 'void f(void) {\n    cdb[0] = 0x28;\n}'
file mmc/known.c 'enum { MMC_PROFILE_CD_RW = 0x000A };'
file mmc/cond.c '#ifdef __linux__\n#endif'
file mmc/reply.c '#include <pthread.h>'
file udf/deep.c '#include "mmc/cache.h"'
file udf/control.c 'void f(void) {\n    ioctl(0, 0);\n}'
file udf/leave.c 'void f(void) {\n    exit(1);\n}'
file udf/talk.c 'void f(void) {\n    printf("hello");\n}'
file udf/alias.c 'typedef struct x y;'
file udf/left.c "/* ${left}DO */"
file udf/space_end.c 'int x; '
file udf/wide.c "/* $(many 80 x | tr -d '\n') */"
file udf/long.c "$(many 700 'int x;')"
file udf/function.c "void f(void) {\n$(many 80 '    g();')\n}"
file udf/nested.c 'void f(void) {
    if (a) {
        if (b) {
            if (c) {
                if (d) {
                    if (e) {
                        g();
                    }
                }
            }
        }
    }
}'
file fs/other.c 'void f(void) {\n    fuse_reply_none(0);\n}'
file cli/below.c '#include "mmc/cache.h"'
printf 'int x;\n' >"$tree/cli/nospdx.c"

if sh "$here/lint" --root "$tree" >"$tree/out" 2>&1; then
    echo "lint accepts the bad tree" >&2
    exit 1
fi
failed=
while read -r name rule; do
    if ! grep -q "^$name:.*$rule" "$tree/out"; then
        echo "lint misses: $name: $rule" >&2
        failed=1
    fi
done <<'EXPECTED'
mmc/up.c mmc may not include this
mmc/opcode.c opcodes are named in mmc/cdb.h
mmc/build.c CDBs are built in mmc/cdb.c
mmc/known.c profiles are known to mmc/profile only
mmc/cond.c conditional code
mmc/reply.c a pure file does no I/O
udf/deep.c udf may not include this
udf/control.c ioctl is for
udf/leave.c ends the process
udf/talk.c libraries do not print
udf/alias.c structs have no typedef
udf/left.c a leftover
udf/space_end.c space at the end
udf/wide.c longer than 80 columns
udf/long.c longer than 700 lines
udf/function.c function of 82 lines
udf/nested.c nested deeper
fs/other.c replies are given in
cli/below.c cli may not include this
cli/nospdx.c no SPDX line
EXPECTED
[ -z "$failed" ] || exit 1

# A library with data that can change must be seen as well.
if command -v cc >/dev/null && command -v ar >/dev/null; then
    mkdir "$tree/build"
    : >"$tree/build/CMakeCache.txt"
    printf 'int counter;\nconst char *const fixed[] = {"a"};\n' \
        >"$tree/build/state.c"
    cc -fPIE -c "$tree/build/state.c" -o "$tree/build/state.c.o"
    ar rc "$tree/build/libudfpkt_udf.a" "$tree/build/state.c.o"
    sh "$here/lint" --root "$tree" "$tree/build" >"$tree/out" 2>&1 || :
    grep -q 'libudfpkt_udf.a.*counter (mutable data)' "$tree/out"
    if grep -q 'fixed (mutable data)' "$tree/out"; then
        echo "lint takes a constant table for mutable data" >&2
        exit 1
    fi
fi

exec sh "$here/lint" ${1+"$1"}

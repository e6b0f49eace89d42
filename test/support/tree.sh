# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/support/tree.sh - a tree like one that people put on a disc: at least
# 150 MB and 5,000 files of this machine and made ones, and everything in it
# that a file system can get wrong.
#
#   tree_shared BUILD       makes it once a build folder, prints where it is;
#                           with "-changed" behind it is what tree_change
#                           makes of it
#   tree_small DIR          makes one of a few megabytes with all that is odd
#   tree_change DIR WORK    deletes, overwrites, renames, adds; always the same
#
# What is made depends on nothing but this file and what is installed, and
# every block of it is different, so that no block can pass for another.

TREE_BYTES=150000000
TREE_FILES=5000
TREE_BIG=80000001 # more than the largest write-back budget, 64 MiB
TREE_MANY=2000    # files in one directory
export LC_ALL=C

# Numbers in sequence: tree_numbers START BYTES
tree_numbers() {
    seq "$1" 99999999 2>/dev/null | head -c "$2"
}

# Whole folders of this machine, in the order of their names, up to 100 MB.
tree_real() {
    mkdir -p "$1/include" "$1/doc"
    for place in include share/doc; do
        find "/usr/$place" -mindepth 1 -maxdepth 1 -print0 |
            du -sk --apparent-size --files0-from=- | sort -k 2 |
            awk -v left=50000 '
                $1 <= left { left -= $1; sub(/^[0-9]+\t/, ""); print }' |
            xargs -d '\n' -r cp -a -t "$1/${place#share/}"
    done
}

# A name of COUNT times TEXT: tree_name COUNT TEXT
tree_name() {
    printf "%0$1d" 0 | sed "s,0,$2,g"
}

tree_names() {
    mkdir -p "$1/names/ with blanks " "$1/names/日本語/語"
    echo 1 >"$1/names/$(tree_name 254 n)"
    echo 2 >"$1/names/$(tree_name 127 ж)"
    echo 3 >"$1/names/$(tree_name 127 é)"
    echo 4 >"$1/names/日本語/語/本"
    echo 5 >"$1/names/💿"
    echo 6 >"$1/names/mixed é ж 日 💾.txt"
    echo 7 >"$1/names/ with blanks / a  b "
    echo 8 >"$1/names/odd:*?<>|\"'\\;&\$(x)"
    echo 9 >"$1/names/README"
    echo 10 >"$1/names/readme"
    echo 11 >"$1/names/...dots..."
    echo 12 >"$1/names/-dash"
    mkdir "$1/names/$(tree_name 254 d)"
    echo 13 >"$1/names/$(tree_name 254 d)/$(tree_name 254 f)"
}

# Sizes on both sides of every border: embedded or not, block, packet.
tree_sizes() {
    mkdir "$1/sizes"
    for bytes in 0 1 2 1800 1832 1833 1872 1873 2047 2048 2049 4096 65535 \
        65536 65537 131072 1048576 3000001; do
        tree_numbers $((bytes + 1)) "$bytes" >"$1/sizes/$bytes"
    done
    tree_numbers 10000000 "$TREE_BIG" >"$1/sizes/big"
    truncate -s 1000000 "$1/sizes/hole"
    printf end >>"$1/sizes/hole"
}

tree_links() {
    mkdir -p "$1/links/other" "$1/links/empty"
    tree_numbers 500 5000 >"$1/links/one"
    ln "$1/links/one" "$1/links/two"
    ln "$1/links/one" "$1/links/other/three"
    ln "$1/sizes/0" "$1/links/nothing"
    ln -s one "$1/links/relative"
    ln -s ../sizes/./2048 "$1/links/up"
    ln -s /usr/include/stdio.h "$1/links/absolute"
    ln -s nowhere/at/all "$1/links/dangling"
    ln -s . "$1/links/here"
    ln -s / "$1/links/root"
    ln -s 日本語/é "$1/links/named"
    # without a "/" at its end, which path components cannot say
    ln -s "$(tree_name 200 long/)end" "$1/links/long"
    mkfifo "$1/links/fifo"
}

# Modes, times and owners that are not everyday.
tree_attributes() {
    mkdir "$1/odd"
    for mode in 0000 0001 0070 0444 0777 1644 2755 4755 6711 7777; do
        echo "$mode" >"$1/odd/mode-$mode"
        chmod "$mode" "$1/odd/mode-$mode"
        mkdir -m "$mode" "$1/odd/dir-$mode"
    done
    for date in '1935-05-10 12:00:00.000001' '1969-12-31 23:59:59.999999' \
        '1970-01-01 00:00:00' '2001-02-03 04:05:06.789012' \
        '2038-01-19 03:14:08.000001' '2150-12-31 23:59:59.123456'; do
        echo "$date" >"$1/odd/$date"
        mkdir "$1/odd/of $date"
        touch -d "$date UTC" "$1/odd/$date" "$1/odd/of $date"
    done
    for owner in 0:0 1:2 65534:65534 1234567:7654321; do
        echo "$owner" >"$1/odd/$owner"
        chown "$owner" "$1/odd/$owner"
    done
    # containers may forbid it
    mknod "$1/odd/null" c 1 3 2>/dev/null || :
    mknod "$1/odd/disk" b 8 300 2>/dev/null || :
}

tree_shapes() {
    mkdir "$1/many"
    awk -v dir="$1/many" -v count="$TREE_MANY" 'BEGIN {
        for (i = 0; i < count; i++) {
            file = dir "/one of a great many files, number " i
            print "file", i >file
            close(file)
        }
    }'
    deep=$1/deep
    mkdir "$deep"
    for level in $(seq 1 80); do
        deep=$deep/level$level
        mkdir "$deep"
        echo "$level" >"$deep/file"
    done
}

# Small files up to the number, then larger ones up to the size.
tree_top_up() {
    mkdir "$1/more"
    have=$(find "$1" -type f | wc -l)
    awk -v dir="$1/more" -v count=$((TREE_FILES - have)) 'BEGIN {
        for (i = 0; i < count; i++) {
            if (i % 100 == 0)
                system("mkdir " dir "/" int(i / 100))
            file = dir "/" int(i / 100) "/" i
            for (line = 0; line < i % 700; line++)
                print i, line >file
            printf "" >file
            close(file)
        }
    }'
    have=$(du -sb "$1" | cut -f 1)
    number=0
    while [ $((have + number * 1500000)) -lt "$TREE_BYTES" ]; do
        tree_numbers $((20000000 + number * 300000)) 1500000 \
            >"$1/more/large-$number"
        number=$((number + 1))
    done
}

# Gives everything that was changed today a time that does not depend on when:
# tree_still DIR DATE
tree_still() {
    find "$1" -newermt '-1 day' ! -newermt '+1 day' -print0 |
        xargs -0 -r touch -h -d "$2"
}

# tree_make DIR: DIR must not exist. Needs root, for the owners.
tree_make() {
    mkdir "$1"
    tree_real "$1"
    tree_names "$1"
    tree_sizes "$1"
    tree_links "$1"
    tree_attributes "$1"
    tree_shapes "$1"
    tree_top_up "$1"
    tree_still "$1" '2020-01-02 03:04:05.678901 UTC'
}

# tree_small DIR: DIR must not exist. Needs root, for the owners.
tree_small() {
    mkdir "$1"
    (
        TREE_BIG=2000001
        TREE_MANY=200
        tree_names "$1"
        tree_sizes "$1"
        tree_links "$1"
        tree_attributes "$1"
        tree_shapes "$1"
    )
    tree_still "$1" '2020-01-02 03:04:05.678901 UTC'
}

# tree_shared BUILD: the tree for all tests of a build folder, which must not
# change it, and which may come at the same time.
tree_shared() {
    (
        flock 9
        if [ -z "$(find "$1/test/tree.done" -newer "$TREE_HERE/tree.sh" \
            2>/dev/null)" ]; then
            rm -rf "$1/test/tree" "$1/test/tree-changed" \
                "$1/test/tree.done"
            tree_make "$1/test/tree" >&2 &&
                cp -a "$1/test/tree" "$1/test/tree-changed" &&
                tree_change "$1/test/tree-changed" "$1/test" &&
                : >"$1/test/tree.done"
        fi
    ) 9>"$1/test/tree.lock" || return 1
    echo "$1/test/tree"
}

# ---- Changes -------------------------------------------------------------

TREE_DATE='2024-02-29 12:34:56.654321 UTC'

# Of every three files one is deleted, one overwritten in the middle, and one
# in ten of the rest grows, shrinks or goes elsewhere. Where an offset comes
# with the file, they are two lines.
tree_plan() {
    find "$1" -type f ! -path '*/sizes/big' -printf '%s %p\n' |
        sort -k 2 | awk -v dir="$2" '{
            size = $1; sub(/^[0-9]+ /, "")
            if (NR % 3 == 0) print >(dir "/delete")
            else if (NR % 3 == 1) print int(size / 2) "\n" $0 >(dir "/overwrite")
            else if (NR % 30 == 2) print >(dir "/append")
            else if (NR % 30 == 5) print int(size / 3) "\n" $0 >(dir "/truncate")
            else if (NR % 30 == 8) print >(dir "/rename")
        }'
}

tree_change_files() {
    xargs -d '\n' rm <"$2/delete"
    # a process a file would take longer than the disc
    perl -e 'my $out; while (defined($at = <>) && defined($file = <>)) {
            chomp($at, $file);
            open($out, "+<", $file) && seek($out, $at, 0) &&
                print($out "overwritten at $at") && close($out) ||
                die("$file: $!\n");
        }' "$2/overwrite" || return 1
    while IFS= read -r file; do
        tree_numbers 40000000 3000 >>"$file"
    done <"$2/append"
    while read -r size && IFS= read -r file; do
        truncate -s "$size" "$file"
    done <"$2/truncate"
    mkdir "$1/moved"
    number=0
    while IFS= read -r file; do
        mv "$file" "$1/moved/$number"
        number=$((number + 1))
    done <"$2/rename"
    printf 'in the middle of much' |
        dd of="$1/sizes/big" conv=notrunc oflag=seek_bytes seek=1000007 \
            status=none
}

tree_change_names() {
    mkdir -p "$1/new/sub/sub" "$1/new/日本"
    for number in 1 2 3 4 5; do
        tree_numbers $((50000000 + number * 1000000)) 2000000 \
            >"$1/new/sub/file-$number"
    done
    echo new >"$1/new/日本/$(tree_name 254 n)"
    ln "$1/new/sub/file-1" "$1/new/日本/hard"
    ln -s ../sub/file-2 "$1/new/日本/soft"
    mv "$1/names" "$1/new/names moved"
    mv "$1/new/sub/file-3" "$1/new/sub/file-4"
    rm "$1/links/absolute"
    rmdir "$1/links/empty"
    mkdir "$1/links/empty" "$1/links/empty/again"
    chmod 0700 "$1/odd"
    rm -rf "$1/deep/level1/level2/level3"
}

# tree_change DIR WORK: works on DIR; WORK is a folder for lists.
tree_change() {
    rm -rf "$2/plan"
    mkdir "$2/plan"
    tree_plan "$1" "$2/plan"
    tree_change_files "$1" "$2/plan" && tree_change_names "$1" &&
        tree_still "$1" "$TREE_DATE" || return 1
    # which directories have changed is not asked
    find "$1" -type d -print0 | xargs -0 touch -d "$TREE_DATE"
}

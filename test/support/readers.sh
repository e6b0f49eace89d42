# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# test/support/readers.sh - reads volumes with programs that nobody here
# wrote, and compares what they see with a tree on this machine.
#
#   reader_lines READER IMAGE WORK BUILD     what READER sees, as treesum lines
#   reader_compare READER IMAGE TREE WORK BUILD    diff with TREE; 0 = equal
#   reader_info IMAGE KEY                    a value of udfinfo
#
# Readers, and what they cannot do. A column that a reader does not know is
# compared by none; symbolic links and special files are left out of all of
# them, because some show them as files and some not at all.
#
#   udfclient  all maps of UDF 2.01 and less; owner, size, content, times in
#              seconds. No set-user-id bits, links come as files with the raw
#              path components in them, special files as empty files. Names
#              beyond ASCII are mangled ("_#D905"): their directory, size and
#              content are compared, not the name. Times have 32 bits without a
#              sign: files of other times are left out. Slow on large trees.
#   7z         type 1 maps; refuses a whole volume that has a symbolic link or
#              a special file in it. Size, content, times in seconds.
#   grub       type 1 maps; size and content (compared by grub itself: asking
#              it for each file takes a program start a file); does not list
#              symbolic links.
#   udfread    type 1 and metadata maps; size and content; directories in one
#              extent only.
#   libudf     type 1 maps, plain file entries (UDF 1.50 and less), nothing
#              embedded; size, content, mode, link count. Names of 8-bit
#              characters beyond ASCII come as Latin-1: left out.

reader_columns() {
    case $1 in
    udfclient) echo size,crc,owner,mtime,seconds ;;
    7z) echo size,crc,mtime,dirtime,seconds ;;
    grub) echo size ;;
    udfread) echo size,crc ;;
    libudf) echo size,crc,mode,nlink ;;
    *) return 1 ;;
    esac
}

# udfclient has a prompt instead of arguments. Its top directory is the volume
# set, named by everything that the volume is called.
reader_udfclient() {
    reader_top=$(printf 'ls /\nquit\n' |
        udfclient -b 2048 "$1" 2>/dev/null |
        sed -n 's/^d[rwxstST-]\{9\} *[-0-9]* *[-0-9]* *[0-9]* *//p' |
        head -n 1)
    [ -n "$reader_top" ] || return 1
    printf 'lcd "%s"\nget "/%s" tree\nquit\n' "$2" "$reader_top" |
        udfclient -b 2048 "$1" >"$2/log" 2>&1 || return 1
    [ -d "$2/tree" ]
}

# Grub's own listing, directory by directory: size or "DIR", time, and behind
# one blank the name, which may begin with others.
reader_grub_walk() {
    grub-fstest "$1" ls -- -l -a "/$2" |
        sed -n 's,^\(DIR\|[0-9]*\) *[0-9]* \(.*\),\1/\2,p' |
        while IFS= read -r line; do
            size=${line%%/*}
            name=${line#*/}
            case $size,$name in
            *,./ | *,../) ;;
            DIR,*)
                name=${name%/}
                printf '%s\td\n' "$2$name"
                reader_grub_walk "$1" "$2$name/"
                ;;
            *)
                printf '%s\tf\tsize=%s\n' "$2$name" "$size"
                ;;
            esac
        done
}

# Paths as treesum prints them: blanks and backslashes as \xHH.
reader_escape() {
    awk -F '\t' 'BEGIN { OFS = "\t" } {
        gsub(/\\/, "\\x5C", $1); gsub(/ /, "\\x20", $1); print }'
}

reader_lines() {
    reader_out=$(mktemp -d "$3/reader.XXXXXX") || return 1
    reader_result=0
    case $1 in
    udfclient)
        reader_udfclient "$2" "$reader_out" &&
            "$4/test/treesum" --only="$(reader_columns "$1")" \
                "$reader_out/tree"
        ;;
    7z)
        7z x -y "-o$reader_out/tree" "$2" >"$reader_out/log" &&
            "$4/test/treesum" --only="$(reader_columns "$1")" \
                "$reader_out/tree"
        ;;
    grub)
        reader_grub_walk "$2" '' | reader_escape | LC_ALL=C sort
        ;;
    udfread)
        "$4/test/read_udfread" --only=size,crc "$2"
        ;;
    libudf)
        "$4/test/read_libudf" --only=size,crc,mode,nlink "$2"
        ;;
    *) false ;;
    esac || reader_result=1
    if [ "$reader_result" != 0 ] && [ -f "$reader_out/log" ]; then
        tail -n 5 "$reader_out/log" >&2
    fi
    rm -rf "$reader_out"
    return "$reader_result"
}

# What the reader's names cannot show: udfclient's mangled components become
# "?", in what it says and in what is expected.
reader_names() {
    case $1 in
    udfclient)
        LC_ALL=C awk -F '\t' 'BEGIN { OFS = "\t" } {
            count = split($1, part, "/"); $1 = ""
            for (i = 1; i <= count; i++) {
                if (part[i] ~ /[^ -~]/ ||
                    part[i] ~ /#[0-9A-F][0-9A-F][0-9A-F][0-9A-F]/)
                    part[i] = "?"
                $1 = $1 (i > 1 ? "/" : "") part[i]
            }
            print }'
        ;;
    libudf) LC_ALL=C awk -F '\t' '$1 !~ /[^ -~]/' ;;
    *) cat ;;
    esac
}

# Leaves out the lines of FILE whose path is in the list OTHERS.
# reader_reduce READER FILE OTHERS
reader_reduce() {
    awk -F '\t' 'NR == FNR { other[$1] = 1; next } !($1 in other)' \
        "$3" "$2" | reader_names "$1" | LC_ALL=C sort
}

reader_compare() {
    reader_columns "$1" >/dev/null || return 1
    reader_work=$(mktemp -d "$4/compare.XXXXXX") || return 1
    "$5/test/treesum" --only="$(reader_columns "$1")" "$3" \
        >"$reader_work/all" || return 1
    awk -F '\t' -v reader="$1" '
        $2 != "d" && $2 != "f" { print; next }
        reader == "udfclient" && match($0, /\tmtime=-?[0-9]+/) {
            time = substr($0, RSTART + 7, RLENGTH - 7) + 0
            if (time < 0 || time >= 4294967296) print
        }' "$reader_work/all" >"$reader_work/others"
    # never empty, or awk would take the next file for the list
    echo "/" >>"$reader_work/others"
    reader_lines "$1" "$2" "$4" "$5" >"$reader_work/seen"
    reader_read=$?
    if [ "$1" = grub ]; then
        grub-fstest "$2" cmp / "$(cd "$3" && pwd)" || reader_read=1
    fi
    reader_reduce "$1" "$reader_work/all" "$reader_work/others" \
        >"$reader_work/expected"
    reader_reduce "$1" "$reader_work/seen" "$reader_work/others" \
        >"$reader_work/found"
    if [ ! -s "$reader_work/expected" ]; then
        echo "nothing to compare in $3"
        return 1
    fi
    diff "$reader_work/expected" "$reader_work/found" \
        >"$reader_work/difference"
    reader_differs=$?
    if [ "$reader_differs" != 0 ] || [ "$reader_read" != 0 ]; then
        echo "$1 sees $2 otherwise (expected <, seen >):"
        head -n 20 "$reader_work/difference"
    else
        echo "$1: $(wc -l <"$reader_work/expected") objects equal"
    fi
    rm -rf "$reader_work"
    [ "$reader_differs" = 0 ] && [ "$reader_read" = 0 ]
}

# reader_info IMAGE KEY: the value after "KEY=" in udfinfo's report.
reader_info() {
    udfinfo "$1" 2>/dev/null | sed -n "s/^$2=//p"
}

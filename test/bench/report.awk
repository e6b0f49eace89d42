# SPDX-License-Identifier: GPL-3.0-or-later
#
# test/bench/report.awk - reads lines "MEDIUM WHO NAME key=value ..." of the
# parts of the benchmark; prints the figures, then every bound with what was
# measured and "ok" or "MISSED", and writes all to the file `json`. Ends with 1
# when a bound is missed. A part that was not run has no bounds.
#
# A line of the form "MEDIUM WHO NAME value=V atmost=B" is a bound by itself.

BEGIN {
    # Blocks of a packet and the time to write one, ms, as the drive's model
    # has them (docs/DESIGN.md).
    blocks["cdrw"] = 32; packet_ms["cdrw"] = 52
    blocks["dvd-rw"] = 16; packet_ms["dvd-rw"] = 32.768 / 5.54
    blocks["dvd+rw"] = 16; packet_ms["dvd+rw"] = 32.768 / 11.08
    blocks["dvd-ram"] = 16; packet_ms["dvd-ram"] = 32.768 / 3.5
    blocks["bd-re"] = 32; packet_ms["bd-re"] = 65.536 / 4.5
    records = ENVIRON["BENCH_RECORDS"] ? ENVIRON["BENCH_RECORDS"] : 1000
    json_file = json == "" ? "/dev/null" : json
    print "{" > json_file
}

{
    key = $1 SUBSEP $2 SUBSEP $3
    if (!(key in seen)) {
        order[++count] = key
    }
    seen[key] = 1
    fields = ""
    for (i = 4; i <= NF; i++) {
        split($i, part, "=")
        figure[key, part[1]] = part[2]
        fields = fields (i > 4 ? ", " : "") "\"" part[1] "\": " part[2]
    }
    printf "%s  \"%s %s %s\": {%s}", (NR > 1 ? ",\n" : ""), $1, $2, $3,
        fields > json_file
}

# The figure `what` of one line; "" when there is none.
function got(medium, who, name, what) {
    return figure[medium, who, name, what]
}

function has(medium, who, name) {
    return (medium, who, name) in seen
}

function bound(medium, name, text, value, limit) {
    verdict = value <= limit ? "ok" : "MISSED"
    missed += value > limit
    bounds++
    printf "%-8s %-14s %-40s %12.2f <= %12.2f  %s\n", medium, name, text,
        value, limit, verdict
}

# Drive seconds that writing what UDF must store takes at least.
function least(medium, name,    packets) {
    packets = got("-", "bound", name, "blocks") / blocks[medium]
    return (packets == int(packets) ? packets : int(packets) + 1) * \
        packet_ms[medium] / 1000
}

function seconds(medium, who, name) {
    return got(medium, who, name, "drive_ms") / 1000
}

function against_bound(medium, name, factor) {
    if (has(medium, "udfpkt", name) && has("-", "bound", name)) {
        bound(medium, name, "drive s, " factor " x the least + 2 s",
            seconds(medium, "udfpkt", name), factor * least(medium, name) + 2)
    }
}

function against_kernel(medium, name, share) {
    if (has(medium, "udfpkt", name) && has(medium, "kernel", name)) {
        bound(medium, name, sprintf("drive s, kernel's / %d", share),
            seconds(medium, "udfpkt", name),
            seconds(medium, "kernel", name) / share)
    }
}

# No packet oftener than three times, or a tenth of the commits; where that is
# more than three, no oftener than the kernel's driver.
function hottest(medium, name, commits,    limit) {
    if (!has(medium, "udfpkt", name)) {
        return
    }
    limit = commits / 10 > 3 ? commits / 10 : 3
    if (limit > 3 && has(medium, "kernel", name) &&
        got(medium, "kernel", name, "hottest") < limit) {
        limit = got(medium, "kernel", name, "hottest")
    }
    bound(medium, name, "hottest packet's overwrites",
        got(medium, "udfpkt", name, "hottest"), limit)
}

# One an fsync and three a checkpoint, of which closing is one; opening, what
# was changed after the last fsync, and the last LVID are one each.
function syncs(medium, name, fsyncs) {
    if (has(medium, "udfpkt", name)) {
        bound(medium, name, "SYNCHRONIZE CACHE",
            got(medium, "udfpkt", name, "syncs"), fsyncs + \
            3 * (1 + got(medium, "udfpkt", name, "checkpoints")))
    }
}

# Reading to complete packets: no more than a block layer that reads every
# packet whole of which the kernel's driver writes a part. Where that driver
# cannot write it was measured on a medium with packets as long.
function completed(medium, name,    other) {
    other = medium == "cdrw" ? "bd-re" : medium == "dvd-rw" ? "dvd+rw" : medium
    if (has(medium, "udfpkt", name) && has(other, "kernel", name)) {
        bound(medium, name, "blocks read after writing, parts x packet",
            got(medium, "udfpkt", name, "late"),
            got(other, "kernel", name, "rmws") * blocks[medium])
    }
}

function fresh(medium, name) {
    if (has(medium, "udfpkt", name)) {
        bound(medium, name, "blocks read after writing, all is new",
            got(medium, "udfpkt", name, "late"), 0)
    }
}

function medium_bounds(medium,    written, i, name) {
    against_bound(medium, "large", 1.03)
    against_bound(medium, "tree", 1.15)
    against_bound(medium, "again", 1.4)
    against_kernel(medium, "overwrite", 5)
    against_kernel(medium, "append", 5)
    against_kernel(medium, "unpack", 3)
    against_kernel(medium, "remove", 20)
    against_kernel(medium, "find", 2)
    against_kernel(medium, "large", 1)
    against_kernel(medium, "read", 1)
    against_kernel(medium, "tree", 1)
    against_kernel(medium, "again", 1)
    against_kernel(medium, "idle", 1)
    # What was written over has a bound of its own: it may be in pieces.
    if (has(medium, "udfpkt", "reread")) {
        bound(medium, "reread", "drive s, 3 x the unfragmented file's",
            seconds(medium, "udfpkt", "reread"),
            3 * seconds(medium, "udfpkt", "reread-before"))
        bound(medium, "idle", "packets written by mounting",
            got(medium, "udfpkt", "idle", "packets"), 0)
        for (name in reading) {
            bound(medium, name, "packets written by reading",
                got(medium, "udfpkt", name, "packets"), 0)
        }
    }
    fresh(medium, "large")
    fresh(medium, "tree")
    split("large tree again overwrite append unpack remove", written, " ")
    for (i in written) {
        completed(medium, written[i])
    }
    syncs(medium, "overwrite", int(records / 16))
    syncs(medium, "append", records)
    hottest(medium, "overwrite", records / 16)
    hottest(medium, "append", records)
    hottest(medium, "large", 0)
    hottest(medium, "tree", 0)
    hottest(medium, "again", 0)
    hottest(medium, "unpack", 0)
    hottest(medium, "remove", 0)
}

# The best of the other file systems: the lowest figure.
function best(what,    names, i, value, lowest) {
    split("fuse2fs ntfs-3g exfat-fuse", names, " ")
    for (i in names) {
        value = got("host", names[i], "all", what)
        if (value != "" && (lowest == "" || value < lowest)) {
            lowest = value
        }
    }
    return lowest
}

# `times` as fast as the best peer, or within a quarter of doing nothing.
function host_bound(what, times,    peers, nothing) {
    peers = best(what) / times
    nothing = got("host", "null", "all", what) * 1.25
    bound("host", what, sprintf("ms, best peer / %.1f, or nothing x 1.25",
        times), got("host", "udfpkt", "all", what),
        peers > nothing ? peers : nothing)
}

function host_bounds() {
    host_bound("large-ms", 2)
    host_bound("read-ms", 2)
    host_bound("create-ms", 1.5)
    host_bound("stat-ms", 1.5)
    host_bound("delete-ms", 1.5)
    # The budget for what waits to be written, 64 MiB, and 32 MiB.
    bound("host", "peak-kib", "write-back budget + 32 MiB",
        got("host", "udfpkt", "all", "peak-kib"), 96 * 1024)
}

END {
    print "\n}" > json_file
    split("read find reread-before reread", words, " ")
    for (i in words) {
        reading[words[i]] = 1
    }
    for (i = 1; i <= count; i++) {
        split(order[i], at, SUBSEP)
        line = sprintf("%-8s %-8s %-14s", at[1], at[2], at[3])
        words_count = split("blocks packets read seeks syncs rmws hottest " \
            "drive_ms checkpoints late value large-ms read-ms create-ms stat-ms " \
            "delete-ms cpu-ms peak-kib", words, " ")
        for (j = 1; j <= words_count; j++) {
            if ((order[i], words[j]) in figure) {
                line = line sprintf(" %s %s", words[j],
                    figure[order[i], words[j]])
            }
        }
        print line
    }
    print ""
    for (i = 1; i <= count; i++) {
        split(order[i], at, SUBSEP)
        if ((order[i], "atmost") in figure) {
            bound(at[1], at[3], at[2], figure[order[i], "value"],
                figure[order[i], "atmost"])
        } else if (at[1] in blocks && !(at[1] in done)) {
            done[at[1]] = 1
            medium_bounds(at[1])
        }
    }
    if (has("host", "udfpkt", "all")) {
        host_bounds()
    }
    printf "%d of %d bounds missed\n", missed, bounds
    exit missed > 0
}

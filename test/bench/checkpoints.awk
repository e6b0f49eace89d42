# SPDX-License-Identifier: GPL-3.0-or-later
# test/bench/checkpoints.awk - counts in the trace of a drive
#
# checkpoints  What is written between two SYNCHRONIZE CACHEs is one when a
#              packet of the space bitmap is among it, blocks `first` to `last`:
#              nothing else writes there.
# late         Blocks that are read after the first write: all that was read to
#              complete packets is among them.

function hex(text,    i, value) {
    for (i = 1; i <= length(text); i++) {
        value = value * 16 + \
            index("0123456789ABCDEF", substr(text, i, 1)) - 1
    }
    return value
}

$2 == "28" && written { # READ(10)
    late += hex($9 $10)
}

$2 == "2A" { # WRITE(10)
    written = 1
    lba = hex($4 $5 $6 $7)
    home = home || (lba <= last && lba + hex($9 $10) > first)
}

$2 == "35" {
    count += home
    home = 0
}

END {
    print "checkpoints=" count + home " late=" late + 0
}

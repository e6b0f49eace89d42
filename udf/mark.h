/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/mark.h - what an LVID says of the journal, in the implementation use
 * bytes that UDF 2.60 2.2.6.4 leaves to its writer. Pure.
 *
 * An OPEN LVID with a session names the journal that belongs to it. One
 * without a session, and every CLOSE, says that there is no journal to look
 * at; it keeps where the next one begins, so that the area wears evenly.
 *
 * Bytes, little-endian, behind the fixed part:
 *   0  8 bytes  "UDFPKTM1"
 *   8  u64  session, 0: none
 *  16  u32  first sector of the journal area
 *  20  u32  its packets
 *  24  u32  blocks of a packet
 *  28  u32  packet of the area at which the session begins
 *  32  u64  checksum of the LVID but its tag, with this field as 0: another
 *           writer may change the LVID and keep these bytes
 *  40  u32  last block of the medium when the anchors near its end were known
 *           to be there (udf/anchors.h), 0: not known; earlier marks end before
 *  44  u32  0
 */
#ifndef UDF_MARK_H
#define UDF_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

/* A longer journal is none: a mount looks at the first block of each packet. */
enum { UDF_JOURNAL_PACKETS_MAX = 1024 };

/* Packets that hold runs. */
struct udf_journal_area {
    uint32_t lba;
    uint32_t packets;
    uint32_t packet_blocks;
};

struct udf_mark {
    uint64_t session;
    struct udf_journal_area area;
    uint32_t begin;       /* 0 .. area.packets - 1 */
    uint32_t last_anchor; /* 0: not known */
};

/* Puts the mark into `lvid`, whose other fields are final. */
void udf_mark_encode(const struct udf_mark *mark, struct udf_lvid *lvid);

/* Takes the mark out of `lvid`. Returns 0; -ENOENT when there is none;
 * -EUCLEAN when its numbers cannot be on a device of `blocks` blocks; -ESTALE
 * when the LVID is not as it was when the mark was made (*out_mark is
 * filled). */
int udf_mark_decode(const struct udf_lvid *lvid, uint32_t blocks,
                    struct udf_mark *out_mark);

#endif

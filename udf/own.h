/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/own.h - the project's own implementation use volume descriptor, which
 * names the journal area and the wear ledger of a volume that was formatted
 * here. Pure.
 * ECMA-167 3/10.4; UDF 2.60 2.2.7 leaves such descriptors to implementations,
 * and readers pass over identifiers that they do not know.
 *
 * It stands behind "*UDF LV Info" in both descriptor sequences, because some
 * readers look at the first implementation use descriptor only.
 *
 * Implementation use bytes, little-endian:
 *   0  u16  version of this form, 1
 *   2  u16  flags, 0
 *   4  u32  first block of the journal area (LBA)
 *   8  u32  packets of the journal area
 *  12  u32  blocks of a packet of either area
 *  16  u64  format serial: random, new with every format, so that journal runs
 *           of an earlier volume on the same medium are told apart
 *  24  u32  FNV-1a of bytes 0-23: the descriptor's CRC would be right again
 *           after another writer had changed bytes and sealed it
 *  28  u32  first block of the wear ledger (LBA)
 *  32  u32  its places, of as many blocks as a packet
 *  36  u32  FNV-1a of bytes 0-35
 *  40       zeros
 * A volume without a ledger has zeros from 28 on. Who knows of no ledger reads
 * as far as 27, and uses the journal of a volume that has one. Damage from 28
 * on costs the ledger only.
 */
#ifndef UDF_OWN_H
#define UDF_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

#define UDF_OWN_ID "*udfpkt Journal"

struct udf_own {
    uint32_t journal_lba;
    uint32_t journal_packets;
    uint32_t packet_blocks; /* 16, 32 or 64 */
    uint64_t format_serial;
    uint32_t ledger_lba;
    uint32_t ledger_places; /* 0: no ledger, or nobody can say where */
    bool ledger_damaged;    /* nobody can; never encoded */
};

/* Fills in identifier and implementation use of `out_iuvd`; its number stays
 * the caller's. */
void udf_own_encode(const struct udf_own *own, struct udf_iuvd *out_iuvd);

/* Returns 0, also when what it says of the ledger is damaged; -ENOENT when the
 * descriptor is not ours; -EOPNOTSUPP when a later version wrote it; -EUCLEAN
 * when the rest is damaged. */
int udf_own_decode(const struct udf_iuvd *iuvd, struct udf_own *out_own);

/* Whether the journal's area is 1..UDF_JOURNAL_PACKETS_MAX whole packets,
 * within the device's `blocks` and outside partition `pd`. Returns 0 or
 * -EUCLEAN. */
int udf_own_check(const struct udf_own *own, uint32_t blocks,
                  const struct udf_pd *pd);

/* The same for the ledger's, which has at most two packets for each piece of a
 * ledger (udf/wear.h), and is apart from the journal's, which was found good.
 * Returns 0, also when there is no ledger, or -EUCLEAN. */
int udf_own_check_ledger(const struct udf_own *own, uint32_t blocks,
                         const struct udf_pd *pd);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/run.h - the bytes of one run of the journal. Pure.
 *
 * A run is what one commit adds to the journal: a head, a table of what it is
 * about, and the content of the blocks that are not at home yet. It is whole
 * or it is not there: one checksum covers all of it.
 *
 * Bytes, little-endian. The first block begins with the head:
 *   0  8 bytes  "UDFPKTJ1"
 *   8  u64  checksum of the run, this field taken as 0
 *  16  u64  checksum of the volume set identifier
 *  24  u64  format serial of the volume, 0 where it has none
 *  32  u64  session: random, new with each OPEN LVID
 *  40  u64  checksum of the sector of that LVID
 *  48  u64  sequence number of the run, from 1 on in each session
 *  56  u64  sequence number of the run before it, 0: none
 *  64  u64  sequence number of the first run that is still needed
 *  72  u64  next UniqueID at this commit
 *  80  u32  files, 84 u32 directories at this commit
 *  88  u32  LBA of the run
 *  92  u32  blocks of the run
 *  96  u32  entries of the table
 * 100  u32  blocks of content
 * 104  u32  flags: 1 = images
 * 108  u32  blocks of the packets that the table names
 * 112       zeros
 * 128       the table: entries of 24 bytes, over as many blocks as they need:
 *   0  u32  LBA of the block, or of the packet's first block
 *   4  u8   kind (enum udf_run_kind)
 *   5  u8   flags: 1 = the old checksum is known
 *   6  u16  0
 *   8  u64  checksum of what lay there at the last checkpoint
 *  16  u64  checksum of the new content
 * Then follows the content, a block for each entry of kind BLOCK, in order.
 *
 * Checksums are XXH3 with 64 bits: a CRC-32 lets one in four thousand million
 * torn runs pass, and is slower.
 */
#ifndef UDF_RUN_H
#define UDF_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "udf/desc.h"

/* Packets that one run names with kind PACKET: a mount reads them all. */
enum { UDF_RUN_PACKETS_MAX = 64 };

enum udf_run_kind {
    UDF_RUN_BLOCK = 1,  /* the content of a block is in the run */
    UDF_RUN_PACKET = 2, /* a packet was written home since the synchronisation
                           before this run: the run counts, while it is the
                           last one, only if the packet is there */
    UDF_RUN_HOME = 3    /* a packet is at home for certain */
    /* PACKET and HOME overrule what earlier runs hold of their packet. */
};

struct udf_run_entry {
    uint32_t lba;
    enum udf_run_kind kind;
    bool old_known;
    uint64_t old_sum, sum; /* sum: 0 for HOME */
};

struct udf_run_head {
    uint64_t sum;
    uint64_t volume, serial, session, lvid;
    uint64_t sequence, previous, first;
    uint64_t unique_id;
    uint32_t files, directories;
    uint32_t lba, blocks, entries, contents;
    uint32_t unit; /* 1..64 */
    bool images;   /* of packets about to be overwritten: all its blocks are at
                      home, too, until then */
};

/* A run that is being put together. */
struct udf_run {
    struct udf_run_head head; /* counts are kept by the functions below */
    struct udf_run_entry *entry;
    const uint8_t **content; /* of the BLOCK entries; the caller's memory */
    size_t entry_room, content_room;
};

uint64_t udf_run_sum(const void *data, size_t bytes);

/* Adds a block whose `data` stays valid until the run is encoded; `old` is
 * what lay there, or NULL. Returns 0 or -ENOMEM. */
int udf_run_add_block(struct udf_run *run, uint32_t lba, const uint8_t *data,
                      const uint8_t *old);

/* Adds a packet of kind PACKET or HOME. Returns 0 or -ENOMEM. */
int udf_run_add_packet(struct udf_run *run, uint32_t lba,
                       enum udf_run_kind kind, uint64_t sum);

/* Forgets all entries; frees their memory. */
void udf_run_clear(struct udf_run *run);

/* Blocks that a run of so many entries and blocks of content has. */
uint64_t udf_run_blocks(uint64_t entries, uint64_t contents);

/* Writes the run to `raw` (udf_run_blocks() * 2048 bytes), completing blocks
 * and checksum of the head. */
void udf_run_encode(struct udf_run *run, uint8_t *raw);

/* Decodes the head in the block at `lba`, which belongs to a run of at most
 * `blocks_max` blocks. Returns 0; -ENOENT when there is none; -EUCLEAN when its
 * numbers cannot be. The checksum is not checked. */
int udf_run_decode_head(const uint8_t *block, uint32_t lba, uint32_t blocks_max,
                        struct udf_run_head *out_head);

/* Checks the whole run, `head.blocks` blocks at `raw`, against its checksum,
 * and every entry's form; one with more than UDF_RUN_PACKETS_MAX packets is
 * nobody's. Returns 0 or -EUCLEAN. */
int udf_run_check(const uint8_t *raw, const struct udf_run_head *head);

/* Entry `index` of a run that was checked; *out_content is the block's content
 * for BLOCK, else NULL. Contents are counted by the caller: *io_content begins
 * with 0 and entries are asked for in order. */
void udf_run_entry(const uint8_t *raw, const struct udf_run_head *head,
                   uint32_t index, uint32_t *io_content,
                   struct udf_run_entry *out_entry,
                   const uint8_t **out_content);

#endif

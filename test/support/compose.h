/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/compose.h - UDF images put together descriptor by descriptor,
 * for forms that nothing here writes.
 *
 *     struct compose *c = compose_new(0x0201);
 *     compose_file(c, &c->root, "name", "content");
 *     compose_end(c);
 *
 * makes a plain volume. Whatever shall be different is changed between the
 * two: descriptors are kept in host form until compose_end() encodes them, and
 * file entries, names and lists of extents can be made one by one. What no
 * encoder can say is written into the blocks behind compose_end(), and sealed
 * again. Where nothing else is asked for, the volume is without a fault.
 *
 * The layout: recognition sequence at 16, main and reserve descriptor
 * sequences at 32 and 48, LVIDs at 64, anchors at 256, N-256 and N, and from
 * 288 on the partition, with its space bitmap in block 0.
 */
#ifndef TEST_COMPOSE_H
#define TEST_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "test/support/memdev.h"
#include "udf/desc.h"
#include "udf/extent.h"
#include "udf/fid.h"

enum {
    COMPOSE_BLOCKS = 4096,
    COMPOSE_VRS_LBA = 16,
    COMPOSE_MAIN_LBA = 32,
    COMPOSE_RESERVE_LBA = 48,
    COMPOSE_VDS_BLOCKS = 16,
    COMPOSE_LVID_LBA = 64,
    COMPOSE_LVID_BLOCKS = 4,
    COMPOSE_PARTITION_LBA = 288,
    COMPOSE_PARTITION_BLOCKS = 3520,
    COMPOSE_SHIFT = 2000,
    COMPOSE_STREAM_BYTES = 16384, /* of one directory */
    COMPOSE_RUNS_MAX = 8
};

/* A directory that is being filled. */
struct compose_dir {
    struct udf_fe fe; /* may be changed until compose_dir_end() */
    struct udf_addr icb;
    uint32_t bytes;
    /* Where its FIDs go, in turn; none: into the ICB. */
    uint32_t runs;
    struct {
        struct udf_addr addr;
        uint32_t bytes; /* a multiple of a block, but for the last */
    } run[COMPOSE_RUNS_MAX];
    uint8_t stream[COMPOSE_STREAM_BYTES];
};

/* What records the free space of partition 0. */
enum compose_space { COMPOSE_BITMAP, COMPOSE_TABLE, COMPOSE_NOTHING };

struct compose {
    struct memdev *mem;
    uint16_t revision;
    struct udf_tag_style style;
    enum compose_space space;
    bool anchor_256, anchor_end, anchor_last; /* all true at first */
    struct udf_avdp avdp;
    struct udf_pvd pvd;
    struct udf_iuvd iuvd;
    struct udf_lvd lvd;
    uint32_t pds;
    struct udf_pd pd[4];
    struct udf_usd usd;
    struct udf_lvid lvid;
    struct udf_addr fsd_addr;
    struct udf_fsd fsd;
    struct compose_dir root;
    uint16_t icb_part; /* partition of ICBs and file set: 1 when virtual */
    bool *is_virtual;  /* blocks of a virtual partition; NULL: there is none */
    uint32_t next_lbn; /* first free block of partition 0 */
    uint64_t next_id;
    bool *used;           /* blocks of partition 0 */
    uint32_t used_blocks; /* that `used` is for: as many as there were first */
};

/* Begins a volume of `revision` on COMPOSE_BLOCKS blocks, or on a device of
 * the caller's choice. */
struct compose *compose_new(uint16_t revision);
struct compose *compose_new_on(uint16_t revision, struct memdev *mem);

/* Begins a volume of a medium that can only be appended to: partition 1 is
 * virtual and holds file set and ICBs, each COMPOSE_SHIFT blocks behind where
 * its address would be in partition 0, and the device ends with the table. It
 * has one anchor, and no record of free space. */
struct compose *compose_new_virtual(uint16_t revision);

/* Writes the root directory and every descriptor. */
void compose_end(struct compose *c);

/* Frees all but the device, which is given to the caller. */
struct memdev *compose_free(struct compose *c);

/* Takes `blocks` free blocks of partition 0; one for an ICB. */
struct udf_addr compose_take(struct compose *c, uint32_t blocks);
struct udf_addr compose_take_icb(struct compose *c);

/* The bytes of a block of a partition, and of a sector. */
uint8_t *compose_at(struct compose *c, struct udf_addr addr);
uint8_t *compose_sector(struct compose *c, uint32_t lba);

/* Makes checksum and CRC right for the tag that is there, whose CRC length
 * stays. */
void compose_reseal(uint8_t *desc);

/* Seals a descriptor of `bytes` bytes that was put together by hand. */
void compose_seal(struct compose *c, uint8_t *desc, uint32_t bytes,
                  enum udf_tag_id id, uint32_t location);

/* Fills `bytes` bytes from `addr` on with one letter. */
void compose_fill(struct compose *c, struct udf_addr addr, uint64_t bytes,
                  char letter);

/* ---- file entries ----------------------------------------------------- */

/* A file entry (extended from 2.00 on) of an ordinary file of user 1000 with
 * one name, no content and a UniqueID of its own. */
struct udf_fe compose_fe(struct compose *c, enum udf_file_type type);

/* Lets the content be the bytes of `text`, which must stay. */
void compose_embed(struct udf_fe *fe, const char *text);

/* A list of allocation descriptors. */
struct compose_ads {
    enum udf_ad_form form;
    uint32_t bytes;
    uint64_t info_bytes, recorded; /* bytes and blocks so far */
    uint8_t raw[UDF_BLOCK_BYTES];
};

void compose_ad(struct compose_ads *ads, enum udf_extent_kind kind,
                uint32_t bytes, struct udf_addr addr);

/* Takes blocks for `bytes` bytes, fills them with `letter`, and adds them. */
struct udf_addr compose_data(struct compose *c, struct compose_ads *ads,
                             uint32_t bytes, char letter);

/* Lets the content be what `ads`, which must stay, leads to. */
void compose_use_ads(struct udf_fe *fe, const struct compose_ads *ads);

/* Puts the file entry into the block at `addr`. */
void compose_put_fe(struct compose *c, struct udf_addr addr,
                    const struct udf_fe *fe);

/* An AED at `addr` with these descriptors. */
void compose_put_aed(struct compose *c, struct udf_addr addr,
                     const struct compose_ads *ads);

/* An indirect entry at `addr` that leads to an ICB of `blocks` blocks, and a
 * terminal entry. */
void compose_put_ie(struct compose *c, struct udf_addr addr,
                    struct udf_addr next, uint32_t blocks);
void compose_put_te(struct compose *c, struct udf_addr addr);

/* ---- directories ------------------------------------------------------ */

/* Starts a directory; a name for it in `parent` is made too. */
void compose_dir_begin(struct compose *c, struct compose_dir *dir,
                       struct compose_dir *parent, const char *name);
void compose_dir_end(struct compose *c, struct compose_dir *dir);

/* The FID for `fe` at `icb` with no name yet. */
struct udf_fid compose_fid(struct compose *c, const struct udf_fe *fe,
                           struct udf_addr icb);

/* Adds a FID; the LVID counts it unless it is deleted. */
void compose_add_fid(struct compose *c, struct compose_dir *dir,
                     const struct udf_fid *fid);

/* compose_fid() with the name `text`, added. */
void compose_name(struct compose *c, struct compose_dir *dir, const char *text,
                  const struct udf_fe *fe, struct udf_addr icb);

/* Takes an ICB for `fe`, writes it and names it. Gives the ICB. */
struct udf_addr compose_entry(struct compose *c, struct compose_dir *dir,
                              const char *name, const struct udf_fe *fe);

/* A file with embedded content. */
struct udf_addr compose_file(struct compose *c, struct compose_dir *dir,
                             const char *name, const char *text);

/* ---- streams ---------------------------------------------------------- */

/* Starts the stream directory of `owner`, whose ICB is at `icb`, or the
 * system's (NULL). It is for the caller to let something name dir->icb. */
void compose_streams_begin(struct compose *c, struct compose_dir *dir,
                           const struct udf_fe *owner, struct udf_addr icb);

/* Adds a stream; what `fe` says beside its content is overwritten. Ends with
 * compose_dir_end(). */
struct udf_addr compose_stream(struct compose *c, struct compose_dir *dir,
                               const char *name, struct udf_fe *fe,
                               uint8_t characteristics);

/* A file called `name` with one stream "notes" of `text`, whose stream
 * directory counts as a link where `counted`. Gives the file's ICB. */
struct udf_addr compose_file_with_stream(struct compose *c, const char *name,
                                         const char *text, bool counted);

#endif

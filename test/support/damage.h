/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/damage.h - volumes in memory to be damaged, and what the
 * checker must say of them.
 */
#ifndef TEST_DAMAGE_H
#define TEST_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/blockdev.h"
#include "udf/check.h"
#include "udf/decode.h"

enum { DAMAGE_BLOCKS = 3000 };

/* A device of bytes. */
struct damage {
    struct blockdev dev; /* first: ops cast back */
    uint8_t *bytes;
    uint32_t bad_lba; /* cannot be read; 0 = none */
    bool cold;        /* says -EINPROGRESS once before each read */
    bool warm;
};

/* The fields of an extended file entry that are damaged below. */
enum {
    FE_TYPE = 16 + 11,
    FE_FLAGS = 16 + 18,
    FE_LINKS = 48,
    EFE_INFO = 56,
    EFE_OBJECT = 64,
    EFE_RECORDED = 72,
    EFE_MTIME = 92,
    EFE_STREAM_ICB = 152,
    EFE_UNIQUE_ID = 200,
    EFE_EA_BYTES = 208,
    EFE_ADS = 216,
    FID_VERSION = 16,
    FID_FLAGS = 18,
    FID_ICB = 20,
    FID_ICB_LBN = 24,
    FID_UNIQUE_ID = 32,
    FID_NAME = 38
};

/* Lines of a checker's report. */
struct damage_report {
    char text[1u << 16];
    size_t length;
};

struct damage *damage_new(uint32_t blocks);
void damage_free(struct damage *disc);
struct damage *damage_copy(const struct damage *from);
uint8_t *damage_at(struct damage *disc, uint32_t lba);

/* A volume that mkudffs makes with `options`; `filled` by udf/udf.h with 158
 * files in 4 directories: see fill_volume(). */
struct damage *damage_make(const char *options, bool filled);

struct udf_check_result damage_check(struct damage *disc, bool allow_open,
                                     struct damage_report *report);
void damage_expect_clean(struct damage *disc, uint16_t revision, uint64_t files,
                         uint64_t directories);
/* `text` must be among the faults; `disc` is freed. */
void damage_expect_fault(struct damage *disc, const char *text);

uint16_t damage_get16(const uint8_t *raw);
uint32_t damage_get32(const uint8_t *raw);
void damage_put32(uint8_t *raw, uint32_t value);

/* Makes tag checksum and CRC right again. */
void damage_reseal(uint8_t *desc);
/* The same for a FID, and for the file entry that it is embedded in. */
void damage_reseal_fid(struct damage *disc, uint8_t *fid);

/* The n-th descriptor with this identifier that begins a block. */
uint8_t *damage_find(struct damage *disc, enum udf_tag_id id, int n);
/* The FID of a name made of 8-bit characters, and the file entry it names. */
uint8_t *damage_find_fid(struct damage *disc, const char *name);
uint8_t *damage_find_fe(struct damage *disc, const char *name);
uint8_t *damage_ads_of(uint8_t *fe);
uint32_t damage_partition(struct damage *disc);

/* Sets one byte in the main and in the reserve copy of a descriptor. */
void damage_both(struct damage *disc, enum udf_tag_id id, uint32_t offset,
                 uint8_t value);

#endif

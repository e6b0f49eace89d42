/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/vds.c - see udf/vds.h.
 */
#include "udf/vds.h"

#include <errno.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/decode.h"
#include "udf/io.h"
#include "udf/tag.h"
#include "udf/volume.h"

enum {
    VRS_LBA = 16,
    ANCHOR = 256,  /* block of the first one, and distance of the others */
    VRS_MAX = 64,  /* structures looked at */
    VDS_MAX = 512, /* sectors of a sequence looked at, jumps included */
    VDS_JUMPS = 8, /* volume descriptor pointers followed */
    /* Where udf/layout.c puts structures: blocks from the recognition sequence
       on, and blocks before the first anchor. */
    HEAD_BLOCKS = 48,
    BEFORE_ANCHOR = 64
};

/* ---- recognition ------------------------------------------------------ */

static bool is_structure(const uint8_t *block, const char *id) {
    return memcmp(block + 1, id, 5) == 0;
}

/* ECMA-167 2/9: walks the recognition sequence to NSR02 or NSR03. */
static int recognise(struct udf_volume *volume) {
    static const char *const others[] = {"BEA01", "BOOT2", "CD001", "CDW02",
                                         "TEA01"};
    uint32_t base = volume->dev->geometry.session_start + VRS_LBA;
    uint8_t block[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < VRS_MAX; i++) {
        bool known = false;
        int error = udf_io_load(volume, base + i, 1, block);

        if (error) {
            return udf_io_is_fatal(error) || error == -EIO ? error
                                                           : -EMEDIUMTYPE;
        }
        if (is_structure(block, "NSR02") || is_structure(block, "NSR03")) {
            return 0;
        }
        for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
            known = known || is_structure(block, others[k]);
        }
        if (!known) {
            return -EMEDIUMTYPE;
        }
    }
    return -EMEDIUMTYPE;
}

/* ---- sequences -------------------------------------------------------- */

static void take_pd(struct udf_vds *vds, const struct udf_pd *pd) {
    for (uint32_t i = 0; i < vds->pds; i++) {
        if (vds->pd[i].number == pd->number) {
            if (pd->vdsn >= vds->pd[i].vdsn) {
                vds->pd[i] = *pd;
            }
            return;
        }
    }
    if (vds->pds < UDF_PARTMAPS_MAX) {
        vds->pd[vds->pds++] = *pd;
    }
}

const struct udf_pd *udf_vds_pd(const struct udf_vds *vds, uint16_t number) {
    for (uint32_t i = 0; i < vds->pds; i++) {
        if (vds->pd[i].number == number) {
            return &vds->pd[i];
        }
    }
    return NULL;
}

/* Enters one descriptor. A damaged one makes the whole sequence suspect. */
static int take_descriptor(struct udf_vds *vds, const uint8_t *block,
                           uint32_t lba, uint16_t id) {
    struct udf_pvd pvd;
    struct udf_iuvd iuvd;
    struct udf_lvd lvd;
    struct udf_pd pd;
    int error = 0;

    switch (id) {
    case UDF_TAG_PVD:
        error = udf_decode_pvd(block, lba, &pvd);
        if (!error && (!vds->have_pvd || pvd.vdsn >= vds->pvd.vdsn)) {
            vds->pvd = pvd;
            vds->have_pvd = true;
        }
        break;
    case UDF_TAG_LVD:
        error = udf_decode_lvd(block, lba, &lvd);
        if (!error && (!vds->have_lvd || lvd.vdsn >= vds->lvd.vdsn)) {
            vds->lvd = lvd;
            vds->have_lvd = true;
        }
        break;
    case UDF_TAG_PD:
        error = udf_decode_pd(block, lba, &pd);
        if (!error) {
            take_pd(vds, &pd);
        }
        break;
    case UDF_TAG_IUVD:
        if (udf_decode_iuvd(block, lba, &iuvd) == 0 &&
            udf_own_decode(&iuvd, &vds->own) == 0) {
            vds->have_own = true;
        }
        break;
    default:
        break; /* USD, and what implementations put there */
    }
    return error;
}

/* A volume descriptor pointer leads to the rest of the sequence, ECMA-167
 * 3/10.3: number at byte 16, extent at byte 20. */
static struct udf_extent_ad next_extent(const uint8_t *block) {
    struct udf_short_ad raw = udf_short_ad_decode(block + 20);

    return (struct udf_extent_ad){.bytes = raw.bytes, .lba = raw.lbn};
}

static int read_sequence(struct udf_volume *volume, struct udf_extent_ad at,
                         struct udf_vds *vds) {
    uint8_t block[UDF_BLOCK_BYTES];
    unsigned jumps = 0;

    for (unsigned seen = 0; seen < VDS_MAX && at.bytes >= UDF_BLOCK_BYTES;
         seen++) {
        struct udf_tag tag;
        int error = udf_io_load(volume, at.lba, 1, block);

        if (!error && udf_tag_check(block, UDF_BLOCK_BYTES, &tag)) {
            /* An unrecorded sector ends a sequence too. */
            static const uint8_t zeros[UDF_BLOCK_BYTES];

            return memcmp(block, zeros, sizeof(zeros)) == 0 ? 0 : -EUCLEAN;
        }
        if (!error && tag.id == UDF_TAG_TD) {
            return 0;
        }
        if (!error && tag.id == UDF_TAG_VDP) {
            if (jumps++ >= VDS_JUMPS) {
                return -EUCLEAN;
            }
            at = next_extent(block);
            continue;
        }
        if (!error) {
            error = take_descriptor(vds, block, at.lba, tag.id);
        }
        if (error) {
            return error;
        }
        at.lba++;
        at.bytes -= UDF_BLOCK_BYTES;
    }
    return 0;
}

static bool is_complete(const struct udf_vds *vds) {
    return vds->have_pvd && vds->have_lvd && vds->pds > 0;
}

/* Reads main, and reserve when main is not complete. */
static int read_sequences(struct udf_volume *volume,
                          const struct udf_avdp *avdp, struct udf_vds *vds) {
    int error;

    memset(vds, 0, sizeof(*vds));
    error = read_sequence(volume, avdp->main, vds);
    if ((!error && is_complete(vds)) || udf_io_is_fatal(error)) {
        return error;
    }
    mmc_log(MMC_LOG_WARN, "the main volume descriptor sequence is damaged; "
                          "using the reserve sequence");
    memset(vds, 0, sizeof(*vds));
    error = read_sequence(volume, avdp->reserve, vds);
    if (error) {
        return error;
    }
    return is_complete(vds) ? 0 : -EUCLEAN;
}

int udf_vds_refuse_blocks(uint32_t bytes) {
    mmc_log(MMC_LOG_ERROR,
            "the volume has logical blocks of %u bytes, as on a hard disk; "
            "only blocks of %d bytes can be read, as on every optical disc",
            (unsigned)bytes, UDF_BLOCK_BYTES);
    return -EOPNOTSUPP;
}

/* A volume with blocks of another size has its anchor in block 256 of those,
 * and its recognition sequence may look like none. Returns `error` when there
 * is no such anchor. */
static int refuse_other_blocks(struct udf_volume *volume, int error) {
    static const uint32_t sizes[] = {512, 1024, 4096};
    uint8_t block[UDF_BLOCK_BYTES];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint32_t lba = ANCHOR * sizes[i] / UDF_BLOCK_BYTES;

        if (lba < volume->dev->geometry.blocks &&
            udf_io_load(volume, lba, 1, block) == 0 &&
            udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_AVDP, ANCHOR) == 0) {
            return udf_vds_refuse_blocks(sizes[i]);
        }
    }
    return error;
}

/* Brings in what a volume begins with in two pieces, so that the drive need not
 * go back for the rest of them; what lies between is passed over. What cannot
 * be read is said when it is needed. */
static void fetch_head(struct udf_volume *volume) {
    struct blockdev *dev = volume->dev;
    uint32_t start = dev->geometry.session_start;

    (void)blockdev_fetch_within(dev, start + VRS_LBA, HEAD_BLOCKS, 0);
    (void)blockdev_fetch_within(dev, start + ANCHOR - BEFORE_ANCHOR,
                                BEFORE_ANCHOR + 1, 0);
}

int udf_vds_find(struct udf_volume *volume, struct udf_vds *out_vds) {
    const struct blockdev_geometry *geometry = &volume->dev->geometry;
    uint32_t last = geometry->blocks - 1;
    const uint32_t places[] = {geometry->session_start + ANCHOR, last - ANCHOR,
                               last, geometry->session_start + 2 * ANCHOR};
    uint8_t block[UDF_BLOCK_BYTES];
    int result = -EUCLEAN;
    int error = -EMEDIUMTYPE;

    if (geometry->blocks > ANCHOR) {
        fetch_head(volume);
        error = recognise(volume);
    }
    /* An unreadable recognition sequence proves nothing; anchors decide. */
    if (error && error != -EIO) {
        return error == -EMEDIUMTYPE ? refuse_other_blocks(volume, error)
                                     : error;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct udf_avdp avdp;

        error = udf_io_load(volume, places[i], 1, block);
        if (udf_io_is_fatal(error)) {
            return error;
        }
        if (error == -EIO && i == 0) {
            result = error; /* no reason to say that the volume is broken */
        }
        if (error || udf_decode_avdp(block, places[i], &avdp)) {
            continue;
        }
        result = read_sequences(volume, &avdp, out_vds);
        out_vds->anchor = places[i];
        if (result == 0 || udf_io_is_fatal(result)) {
            return result;
        }
    }
    return refuse_other_blocks(volume, result);
}

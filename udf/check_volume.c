/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_volume.c - what lies in front of the partitions: recognition
 * sequence, anchors, both volume descriptor sequences, and the descriptors
 * that prevail. ECMA-167 2/8.3, 3/8.4; UDF 2.60 2.1.7, 2.2.3.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mmc/blockdev.h"
#include "udf/decode.h"
#include "udf/own.h"
#include "udf/tag.h"

enum {
    VRS_SECTOR = 16,
    VRS_SECTORS_MAX = 64, /* ISO 9660 may bring some of its own */
    ANCHOR_SECTOR = 256,
    ANCHOR_SECOND = 512,
    APART_REVISION = 0x0250,
    APART_BLOCKS = 32,        /* the longest ECC block */
    SEQUENCE_BLOCKS_MIN = 16, /* UDF 2.60 2.2.3.1 */
    TAG_BYTES = 16
};

/* ---- recognition -------------------------------------------------------- */

/* Whether `block` is a volume structure descriptor named `id`. */
static bool is_vsd(const uint8_t *block, const char *id) {
    return memcmp(block + 1, id, 5) == 0;
}

static void check_vsd(struct udf_check *check, const uint8_t *block,
                      uint32_t lba) {
    if (block[0] != 0 || block[6] != 1 || !udf_check_is_zero(block + 7, 2041)) {
        udf_check_fault(check,
                        "recognition sequence, sector %u: type, version or "
                        "reserved bytes are wrong (ECMA-167 2/9)",
                        lba);
    }
}

/* Where a recognition sequence is: what was seen last. */
enum vrs_state { VRS_BEFORE, VRS_BEGUN, VRS_NSR, VRS_ENDED };

/* Takes one sector. Returns whether the sequence goes on. */
static bool vrs_sector(struct udf_check *check, const uint8_t *block,
                       uint32_t lba, enum vrs_state *state) {
    if (is_vsd(block, "BEA01") && *state == VRS_BEFORE) {
        *state = VRS_BEGUN;
    } else if (is_vsd(block, "NSR02") && *state == VRS_BEGUN) {
        check->nsr = 2;
        *state = VRS_NSR;
    } else if (is_vsd(block, "NSR03") && *state == VRS_BEGUN) {
        check->nsr = 3;
        *state = VRS_NSR;
    } else if (is_vsd(block, "TEA01") && *state == VRS_NSR) {
        *state = VRS_ENDED;
    } else if (is_vsd(block, "CD001") && *state == VRS_BEFORE) {
        return true;
    } else {
        return false;
    }
    check_vsd(check, block, lba);
    return true;
}

static int check_vrs(struct udf_check *check) {
    uint32_t start = check->dev->geometry.session_start + VRS_SECTOR;
    enum vrs_state state = VRS_BEFORE;
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t lba = start;
    int error = 0;

    while (lba - start < VRS_SECTORS_MAX && state != VRS_ENDED) {
        error = udf_check_read(check, lba, 1, block);
        if (error || !vrs_sector(check, block, lba, &state)) {
            break;
        }
        lba++;
    }
    if (udf_check_fatal(error)) {
        return error;
    }
    if (state != VRS_ENDED) {
        udf_check_fault(check,
                        "recognition sequence: no BEA01, NSR and TEA01 from "
                        "sector %u on (ECMA-167 2/8.3)",
                        start);
        return 0;
    }
    udf_check_region(check, "recognition sequence", start, lba - start);
    /* Unreadable is as good as zero here: it was never recorded. */
    error = udf_check_read(check, lba, 1, block);
    if (!error && !udf_check_is_zero(block, sizeof(block))) {
        udf_check_fault(check,
                        "recognition sequence: sector %u behind TEA01 is not "
                        "empty (UDF 2.01 2.1.7)",
                        lba);
    }
    return udf_check_fatal(error) ? error : 0;
}

/* ---- anchors ------------------------------------------------------------ */

/* Reads an anchor. Returns 1 when it is good, 0 when there is none. */
static int read_anchor(struct udf_check *check, uint32_t lba,
                       struct udf_avdp *out) {
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_check_read(check, lba, 1, block);

    if (error) {
        return udf_check_fatal(error) ? error : 0;
    }
    return udf_decode_avdp(block, lba, out) == 0;
}

static bool same_extent(const struct udf_extent_ad *a,
                        const struct udf_extent_ad *b) {
    return a->bytes == b->bytes && a->lba == b->lba;
}

/* Whether at[i] is a sector that was not looked at yet. */
static bool is_new(const uint32_t *at, size_t i) {
    for (size_t k = 0; k < i; k++) {
        if (at[k] == at[i]) {
            return false;
        }
    }
    return at[i] > 0;
}

/* At 256, N-256 and N, UDF 2.60 2.2.3; at 512, too, where 256 was lost to the
 * drive's link blocks, UDF 2.60 6.10.1. */
static int check_anchors(struct udf_check *check) {
    const struct blockdev_geometry *geometry = &check->dev->geometry;
    uint32_t last = geometry->blocks - 1;
    const uint32_t at[] = {
        geometry->session_start + ANCHOR_SECTOR,
        geometry->rewritable ? 0 : geometry->session_start + ANCHOR_SECOND,
        last >= ANCHOR_SECTOR ? last - ANCHOR_SECTOR : last,
        last,
    };
    struct udf_avdp avdp;
    uint32_t found = 0;

    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        int good = is_new(at, i) ? read_anchor(check, at[i], &avdp) : 0;

        if (good < 0) {
            return good;
        }
        if (good && found &&
            (!same_extent(&avdp.main, &check->avdp.main) ||
             !same_extent(&avdp.reserve, &check->avdp.reserve))) {
            udf_check_fault(check,
                            "anchor at %u differs from the one before it "
                            "(ECMA-167 3/8.4.2)",
                            at[i]);
        } else if (good && !found) {
            check->avdp = avdp;
        }
        if (good) {
            udf_check_region(check, "anchor", at[i], 1);
        }
        found += (uint32_t)good;
    }
    check->anchors = found;
    return found > 0 ? 0 : -EMEDIUMTYPE;
}

bool udf_check_is_virtual(const struct udf_check *check) {
    for (uint32_t i = 0; i < check->lvd.maps; i++) {
        if (check->lvd.map[i].kind == UDF_MAP_KIND_VIRTUAL) {
            return true;
        }
    }
    return false;
}

/* Two at least. One is enough while the end of the medium is not written:
 * where it is appended to, and where it is not formatted yet. Such a volume of
 * ours has its reserve sequence before the anchor at 256 (udf/layout.h). */
static void check_anchor_count(struct udf_check *check) {
    const struct blockdev_geometry *geometry = &check->dev->geometry;
    bool head_only =
        geometry->rewritable && check->avdp.reserve.lba < ANCHOR_SECTOR;

    if (check->anchors < 2 && !head_only && !udf_check_is_virtual(check)) {
        udf_check_fault(check,
                        "only one anchor at 256, N-256 and N, N = %u "
                        "(UDF 2.60 2.2.3)",
                        geometry->blocks - 1);
    }
}

/* No ECC block has a part of both. UDF 2.60 2.2.3.2 */
static void check_apart(struct udf_check *check) {
    const struct udf_extent_ad *one = &check->avdp.main;
    const struct udf_extent_ad *two = &check->avdp.reserve;
    const struct udf_extent_ad *low = one->lba < two->lba ? one : two;
    const struct udf_extent_ad *high = one->lba < two->lba ? two : one;
    uint32_t packet = check->dev->geometry.packet_blocks;
    uint64_t end = low->lba + (uint64_t)low->bytes / UDF_BLOCK_BYTES;

    if (packet <= 1) {
        packet = APART_BLOCKS;
    }
    if (check->result.revision >= APART_REVISION &&
        (end == 0 || (end - 1) / packet >= high->lba / packet)) {
        udf_check_fault(check,
                        "main and reserve sequence, at %u and %u, are not far "
                        "apart (UDF 2.60 2.2.3.2)",
                        one->lba, two->lba);
    }
}

/* ---- descriptor sequences ----------------------------------------------- */

/* Where the reading of a sequence is. */
struct sequence_reader {
    uint32_t lba, left; /* sectors of this extent */
    uint32_t hops;
    const char *name;
};

/* Follows a volume descriptor pointer. */
static void follow_pointer(struct udf_check *check,
                           struct sequence_reader *reader,
                           const uint8_t *block) {
    reader->left = udf_get32(block + 20) / UDF_BLOCK_BYTES;
    reader->lba = udf_get32(block + 24);
    reader->hops++;
    if (reader->hops > 8) {
        udf_check_fault(check, "%s: pointers without end (ECMA-167 3/8.4.2)",
                        reader->name);
        reader->left = 0;
    }
}

/* Takes one sector of a sequence. Returns whether it goes on. */
static bool sequence_sector(struct udf_check *check, const uint8_t *block,
                            struct sequence_reader *reader,
                            struct check_sequence *sequence) {
    uint16_t id = udf_get16(block);
    uint32_t lba = reader->lba;

    if (udf_check_is_zero(block, TAG_BYTES)) {
        return false; /* as good as a terminator. ECMA-167 3/8.4.2 */
    }
    if (!udf_check_tag(check, block, UDF_BLOCK_BYTES, (enum udf_tag_id)id, lba,
                       reader->name)) {
        return false;
    }
    if (id == UDF_TAG_TD) {
        sequence->terminated = true;
        return false;
    }
    reader->lba++;
    reader->left--;
    if (id == UDF_TAG_VDP) {
        follow_pointer(check, reader, block);
        return true;
    }
    if (sequence->count == CHECK_SEQUENCE_MAX) {
        udf_check_fault(check, "%s: more than %d descriptors", reader->name,
                        CHECK_SEQUENCE_MAX);
        return false;
    }
    sequence->at[sequence->count].id = id;
    sequence->at[sequence->count].lba = lba;
    sequence->count++;
    return true;
}

static int read_sequence(struct udf_check *check,
                         const struct udf_extent_ad *extent, const char *name,
                         struct check_sequence *sequence) {
    struct sequence_reader reader = {
        .lba = extent->lba,
        .left = extent->bytes / UDF_BLOCK_BYTES,
        .name = name,
    };
    uint8_t block[UDF_BLOCK_BYTES];
    bool more = true;

    if (reader.left < SEQUENCE_BLOCKS_MIN) {
        udf_check_fault(check,
                        "%s: %u sectors, 16 are needed (UDF 2.60 "
                        "2.2.3.1)",
                        name, reader.left);
    }
    udf_check_region(check, name, reader.lba, reader.left);
    while (more && reader.left > 0) {
        int error = udf_check_read(check, reader.lba, 1, block);

        if (udf_check_fatal(error)) {
            return error;
        }
        if (error) {
            udf_check_fault(check, "%s: sector %u cannot be read", name,
                            reader.lba);
            return 0;
        }
        more = sequence_sector(check, block, &reader, sequence);
    }
    if (!sequence->terminated) {
        udf_check_fault(check,
                        "%s: no terminating descriptor (UDF 2.60 "
                        "2.2.3)",
                        name);
    }
    return 0;
}

/* Main and reserve say the same: all but tag location and checksum. */
static int compare_sequences(struct udf_check *check,
                             const struct check_sequence *main_seq,
                             const struct check_sequence *reserve) {
    uint8_t a[UDF_BLOCK_BYTES], b[UDF_BLOCK_BYTES];

    if (main_seq->count != reserve->count) {
        udf_check_fault(check,
                        "main sequence has %u descriptors, reserve %u "
                        "(ECMA-167 3/8.4.2.2)",
                        main_seq->count, reserve->count);
        return 0;
    }
    for (uint32_t i = 0; i < main_seq->count; i++) {
        int error = udf_check_read(check, main_seq->at[i].lba, 1, a);

        error = error ? error : udf_check_read(check, reserve->at[i].lba, 1, b);
        if (error) {
            return udf_check_fatal(error) ? error : 0;
        }
        a[4] = b[4] = 0;
        memset(a + 12, 0, 4);
        memset(b + 12, 0, 4);
        if (memcmp(a, b, sizeof(a)) != 0) {
            udf_check_fault(check,
                            "descriptor at %u (id %u) differs from its "
                            "reserve at %u (ECMA-167 3/8.4.2.2)",
                            main_seq->at[i].lba, main_seq->at[i].id,
                            reserve->at[i].lba);
        }
    }
    return 0;
}

/* ---- prevailing descriptors --------------------------------------------- */

/* The keepers decode one descriptor and keep it if it prevails: the highest
 * VDSN of its kind. ECMA-167 3/8.4.3. They return 0 or -EUCLEAN. */
static int keep_pvd(struct udf_check *check, const uint8_t *block,
                    uint32_t lba) {
    struct udf_pvd pvd;
    int error = udf_decode_pvd(block, lba, &pvd);

    if (!error && (!check->has_pvd || pvd.vdsn >= check->pvd.vdsn)) {
        check->pvd = pvd;
        check->has_pvd = true;
    }
    return error;
}

static int keep_iuvd(struct udf_check *check, const uint8_t *block,
                     uint32_t lba) {
    struct udf_iuvd iuvd;
    struct udf_own own;
    int error = udf_decode_iuvd(block, lba, &iuvd);
    int of_ours = error ? -ENOENT : udf_own_decode(&iuvd, &own);

    if (of_ours == 0) {
        check->own = own;
        check->has_own = true;
    } else if (of_ours == -EUCLEAN) {
        udf_check_fault(check, "descriptor at %u: the journal's is damaged",
                        lba);
    }
    /* Others are their implementation's business. */
    if (!error && strcmp(iuvd.implementation.id, "*UDF LV Info") == 0 &&
        (!check->has_iuvd || iuvd.vdsn >= check->iuvd.vdsn)) {
        check->iuvd = iuvd;
        check->has_iuvd = true;
    }
    return error;
}

static int keep_pd(struct udf_check *check, const uint8_t *block,
                   uint32_t lba) {
    struct udf_pd pd;
    int error = udf_decode_pd(block, lba, &pd);
    uint32_t i = 0;

    if (error) {
        return error;
    }
    while (i < check->pds && check->pd[i].number != pd.number) {
        i++;
    }
    if (i == UDF_PARTMAPS_MAX) {
        udf_check_fault(check, "more than %d partitions", UDF_PARTMAPS_MAX);
    } else if (i == check->pds || pd.vdsn >= check->pd[i].vdsn) {
        check->pd[i] = pd;
        check->pds += i == check->pds;
    }
    return 0;
}

static int keep_lvd(struct udf_check *check, const uint8_t *block,
                    uint32_t lba) {
    struct udf_lvd lvd;
    int error = udf_decode_lvd(block, lba, &lvd);

    if (!error && (!check->has_lvd || lvd.vdsn >= check->lvd.vdsn)) {
        check->lvd = lvd;
        check->lvd_lba = lba;
        check->has_lvd = true;
    }
    return error;
}

static int keep_usd(struct udf_check *check, const uint8_t *block,
                    uint32_t lba) {
    struct udf_usd usd;
    int error = udf_decode_usd(block, lba, &usd);

    if (!error && (!check->has_usd || usd.vdsn >= check->usd.vdsn)) {
        check->usd = usd;
        check->has_usd = true;
    }
    return error;
}

static int keep_descriptor(struct udf_check *check, const uint8_t *block,
                           uint16_t id, uint32_t lba) {
    const struct {
        enum udf_tag_id id;
        int (*keep)(struct udf_check *, const uint8_t *, uint32_t);
    } kinds[] = {
        {UDF_TAG_PVD, keep_pvd}, {UDF_TAG_IUVD, keep_iuvd},
        {UDF_TAG_PD, keep_pd},   {UDF_TAG_LVD, keep_lvd},
        {UDF_TAG_USD, keep_usd},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (kinds[i].id == id) {
            return kinds[i].keep(check, block, lba);
        }
    }
    return -EUCLEAN;
}

static int keep_sequence(struct udf_check *check,
                         const struct check_sequence *sequence) {
    uint8_t block[UDF_BLOCK_BYTES];

    for (uint32_t i = 0; i < sequence->count; i++) {
        uint32_t lba = sequence->at[i].lba;
        uint16_t id = sequence->at[i].id;
        int error = udf_check_read(check, lba, 1, block);

        error = error ? error : keep_descriptor(check, block, id, lba);
        if (udf_check_fatal(error)) {
            return error;
        }
        if (error) {
            udf_check_fault(check,
                            "descriptor at %u (id %u) is malformed, or does "
                            "not belong in this sequence (ECMA-167 3/8.4.2)",
                            lba, id);
        }
    }
    return 0;
}

static int check_presence(struct udf_check *check) {
    if (!check->has_iuvd) {
        udf_check_fault(check, "no \"*UDF LV Info\" descriptor (UDF 2.60 "
                               "2.2.7)");
    }
    if (!check->has_usd) {
        udf_check_fault(check, "no unallocated space descriptor (UDF 2.60 "
                               "2.2.5)");
    }
    if (!check->has_pvd) {
        udf_check_fault(check, "no primary volume descriptor (ECMA-167 "
                               "3/10.1)");
    }
    if (!check->has_lvd) {
        udf_check_fault(check, "no logical volume descriptor (ECMA-167 "
                               "3/10.6)");
    }
    if (check->pds == 0) {
        udf_check_fault(check, "no partition descriptor (ECMA-167 3/10.5)");
    }
    return check->has_lvd && check->pds > 0 ? 0 : -EUCLEAN;
}

/* The areas that are ours alone, where our mount takes them from. */
static void check_own(struct udf_check *check) {
    const struct udf_own *own = &check->own;
    uint32_t blocks = check->dev->geometry.blocks;

    if (!check->has_own || check->pds == 0) {
        return;
    }
    udf_check_region(check, "journal", own->journal_lba,
                     (uint64_t)own->journal_packets * own->packet_blocks);
    udf_check_region(check, "wear ledger", own->ledger_lba,
                     (uint64_t)own->ledger_places * own->packet_blocks);
    if (udf_own_check(own, blocks, &check->pd[0])) {
        udf_check_fault(check,
                        "journal: its place, %u packets at sector %u, "
                        "cannot be",
                        own->journal_packets, own->journal_lba);
    } else if (own->ledger_damaged) {
        udf_check_fault(check, "wear ledger: its place is damaged");
    } else if (udf_own_check_ledger(own, blocks, &check->pd[0])) {
        udf_check_fault(check,
                        "wear ledger: its place, %u packets at sector "
                        "%u, cannot be",
                        own->ledger_places, own->ledger_lba);
    }
}

/* Revision and labels must be the same wherever they stand. */
static void check_identity(struct udf_check *check) {
    const struct udf_lvd *lvd = &check->lvd;
    uint16_t revision = udf_entity_revision(&lvd->domain);

    check->result.revision = revision;
    if (strcmp(lvd->domain.id, "*OSTA UDF Compliant") != 0) {
        udf_check_fault(check,
                        "logical volume: domain is \"%s\" (UDF 2.60 "
                        "2.2.4.3)",
                        lvd->domain.id);
    }
    if (revision < 0x0102 || revision > 0x0260) {
        udf_check_fault(check, "logical volume: no UDF revision: %04x",
                        revision);
    }
    if (check->nsr && check->nsr != (revision >= 0x0200 ? 3 : 2)) {
        udf_check_fault(check,
                        "recognition sequence says NSR0%u in a volume of "
                        "revision %04x (UDF 2.60 2.1.7)",
                        check->nsr, revision);
    }
    if (check->tag_version != (revision >= 0x0200 ? 3 : 2)) {
        udf_check_fault(check,
                        "tag version %u in a volume of revision %04x "
                        "(UDF 2.60 2.2.1.1)",
                        check->tag_version, revision);
    }
    if (check->has_iuvd) {
        if (udf_entity_revision(&check->iuvd.implementation) != revision) {
            udf_check_fault(check, "LV Info: revision %04x, volume %04x",
                            udf_entity_revision(&check->iuvd.implementation),
                            revision);
        }
        if (strcmp(check->iuvd.label, lvd->label) != 0) {
            udf_check_fault(check,
                            "LV Info: label \"%s\", volume \"%s\" "
                            "(UDF 2.60 2.2.7.2.2)",
                            check->iuvd.label, lvd->label);
        }
    }
    /* The volume's own field is shorter: as much of the label as fits. */
    if (check->has_pvd && (!check->pvd.volume_id[0] != !lvd->label[0] ||
                           strncmp(check->pvd.volume_id, lvd->label,
                                   strlen(check->pvd.volume_id)) != 0)) {
        udf_check_fault(check,
                        "primary descriptor: volume \"%s\", label "
                        "\"%s\" (UDF 2.60 2.2.2.4)",
                        check->pvd.volume_id, lvd->label);
    }
    if (lvd->block_bytes != UDF_BLOCK_BYTES) {
        udf_check_fault(check,
                        "logical volume: block size %u (UDF 2.60 "
                        "2.2.4.2)",
                        lvd->block_bytes);
    }
}

/* The tag version of the first descriptor is taken for the volume's. */
static int learn_version(struct udf_check *check, uint32_t lba) {
    uint8_t block[UDF_BLOCK_BYTES];
    int error = udf_check_read(check, lba, 1, block);

    if (!error && !udf_check_is_zero(block, TAG_BYTES)) {
        check->tag_version = udf_get16(block + 2);
    }
    return udf_check_fatal(error) ? error : 0;
}

int udf_check_volume(struct udf_check *check) {
    struct check_sequence main_seq = {0}, reserve = {0};
    int error;

    if (check->dev->geometry.blocks == 0) {
        return -EMEDIUMTYPE;
    }
    error = check_vrs(check);
    error = error ? error : check_anchors(check);
    error = error ? error : learn_version(check, check->avdp.main.lba);
    error = error ? error
                  : read_sequence(check, &check->avdp.main, "main sequence",
                                  &main_seq);
    error = error ? error
                  : read_sequence(check, &check->avdp.reserve,
                                  "reserve sequence", &reserve);
    error = error ? error : compare_sequences(check, &main_seq, &reserve);
    /* Either sequence alone gives a volume to walk. */
    error = error ? error
                  : keep_sequence(check, main_seq.count >= reserve.count
                                             ? &main_seq
                                             : &reserve);
    error = error ? error : check_presence(check);
    if (!error) {
        check_identity(check);
        check_own(check);
        check_anchor_count(check);
        check_apart(check);
        error = check->lvd.block_bytes == UDF_BLOCK_BYTES ? 0 : -EOPNOTSUPP;
    }
    return error;
}

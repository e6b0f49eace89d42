/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_node.c - one file entry: its fields and its allocation descriptors,
 * whose blocks it claims. ECMA-167 4/12, 4/14.6, 4/14.9, 4/14.17; UDF 2.60
 * 2.3.5-2.3.7, 2.3.10-2.3.11.
 *
 * The body of a file ends where its extents have filled the information
 * length; what follows is its tail.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "udf/decode.h"

enum {
    NAME_BYTES = 64,
    EFE_REVISION = 0x0200,
    UNIQUE_ID_FIRST = 16,
    COMPONENT_BYTES = 4, /* of a path component before its identifier */
    COMPONENT_NAME = 5
};

/* Flags of an ICB that must be 0: sorted, transformed, multi-version and the
 * reserved ones. UDF 2.60 2.3.5.4 */
#define ICB_FLAGS_FORBIDDEN 0xD808u

/* An allocation descriptor list while it is walked. */
struct ads_walk {
    struct udf_check *check;
    const struct check_node *node;
    enum udf_ad_form form;
    uint64_t info_bytes, bytes; /* of the file; walked so far */
    uint64_t recorded;          /* blocks */
    bool stopped;               /* no more of the data may be kept */
    struct udf_extents *data;   /* where a directory's extents go */
    struct udf_addr next;       /* of the next AED */
    bool more;
    char name[NAME_BYTES];
};

static void node_name(const struct check_node *node, char *out_name) {
    snprintf(out_name, NAME_BYTES, "file entry %u:%u", node->addr.part,
             node->addr.lbn);
}

/* ---- allocation descriptors ---------------------------------------------- */

static uint64_t blocks_of(uint64_t bytes) {
    return (bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;
}

/* Rules for the place of an extent in its list. */
static void check_place(struct ads_walk *walk, const struct udf_long_ad *ad) {
    struct udf_check *check = walk->check;

    if (walk->bytes >= walk->info_bytes) {
        if (ad->kind != UDF_EXTENT_ALLOCATED ||
            ad->bytes % UDF_BLOCK_BYTES != 0) {
            udf_check_fault(check,
                            "%s: extent behind the information length "
                            "is no file tail (ECMA-167 4/12.1)",
                            walk->name);
        }
        return;
    }
    if (walk->bytes % UDF_BLOCK_BYTES != 0) {
        udf_check_fault(check,
                        "%s: extent length before the last is no "
                        "multiple of a block (UDF 2.60 2.3.10)",
                        walk->name);
    }
    walk->bytes += ad->bytes;
    if (walk->bytes > walk->info_bytes) {
        udf_check_fault(check,
                        "%s: extents hold more than the information "
                        "length of %llu (ECMA-167 4/14.9.10)",
                        walk->name, (unsigned long long)walk->info_bytes);
    }
    if (check_is_directory(walk->node) && ad->kind != UDF_EXTENT_RECORDED) {
        udf_check_fault(check,
                        "%s: directory with an extent that is not "
                        "recorded",
                        walk->name);
        walk->stopped = true;
    }
}

/* Keeps an extent of a directory, to be read later. */
static int keep_extent(struct ads_walk *walk, const struct udf_long_ad *ad) {
    struct udf_extent piece = {
        .block = udf_extents_end(walk->data),
        .count = (uint32_t)blocks_of(ad->bytes),
        .kind = UDF_EXTENT_RECORDED,
        .addr = ad->addr,
    };

    return udf_extents_put(walk->data, &piece, NULL, NULL);
}

/* Everything but the data of files is in a metadata partition where there is
 * one. UDF 2.60 2.2.10 */
static void check_part(struct ads_walk *walk, const struct udf_long_ad *ad) {
    uint16_t metadata = check_metadata_part(walk->check);

    if (metadata < UDF_PARTMAPS_MAX && walk->node->role != CHECK_METADATA &&
        check_is_directory(walk->node) != (ad->addr.part == metadata)) {
        udf_check_fault(walk->check,
                        "%s: extent in partition %u (UDF 2.60 2.2.10)",
                        walk->name, ad->addr.part);
    }
}

/* One extent of the body or of the tail. Returns 0 or an error. */
static int take_extent(struct ads_walk *walk, const struct udf_long_ad *ad) {
    struct udf_check *check = walk->check;
    bool body = walk->bytes < walk->info_bytes;

    check_place(walk, ad);
    if (ad->bytes > UDF_EXTENT_BYTES_MAX) {
        udf_check_fault(check, "%s: extent of %u bytes (UDF 2.60 2.3.10)",
                        walk->name, ad->bytes);
    }
    if (ad->kind == UDF_EXTENT_HOLE) {
        if (ad->addr.lbn || (walk->form == UDF_AD_LONG && ad->addr.part)) {
            udf_check_fault(check,
                            "%s: hole with an address (ECMA-167 "
                            "4/14.14.1.2)",
                            walk->name);
        }
        return 0;
    }
    check_part(walk, ad);
    if (ad->kind == UDF_EXTENT_RECORDED) {
        walk->recorded += blocks_of(ad->bytes);
    }
    if (!walk->node->shares &&
        !udf_check_claim(check, ad->addr, blocks_of(ad->bytes), walk->name)) {
        /* Content of blocks that are someone else's, too, is not followed:
         * it could go round. */
        walk->stopped = true;
    }
    return walk->data && body && !walk->stopped ? keep_extent(walk, ad) : 0;
}

static struct udf_long_ad read_ad(const struct ads_walk *walk,
                                  const uint8_t *raw) {
    struct udf_short_ad ad;

    if (walk->form == UDF_AD_LONG) {
        return udf_long_ad_decode(raw);
    }
    ad = udf_short_ad_decode(raw);
    return (struct udf_long_ad){
        .bytes = ad.bytes,
        .kind = ad.kind,
        .addr = {.lbn = ad.lbn, .part = walk->node->addr.part},
    };
}

static void take_next(struct ads_walk *walk, const struct udf_long_ad *ad,
                      const uint8_t *rest, uint32_t rest_bytes) {
    if (ad->bytes != UDF_BLOCK_BYTES ||
        ad->addr.part != walk->node->addr.part) {
        udf_check_fault(walk->check,
                        "%s: continuation of %u bytes in "
                        "partition %u (UDF 2.60 2.3.11)",
                        walk->name, ad->bytes, ad->addr.part);
    }
    if (!udf_check_is_zero(rest, rest_bytes)) {
        udf_check_fault(walk->check,
                        "%s: descriptors behind a continuation "
                        "(ECMA-167 4/12)",
                        walk->name);
    }
    walk->next = ad->addr;
    walk->more = true;
}

/* One area of descriptors: of the file entry or of an AED. */
static int take_area(struct ads_walk *walk, const uint8_t *raw,
                     uint32_t bytes) {
    uint32_t size = udf_ad_size(walk->form);
    int error = 0;

    walk->more = false;
    if (bytes % size != 0) {
        udf_check_fault(walk->check,
                        "%s: %u bytes are no whole number of "
                        "allocation descriptors",
                        walk->name, bytes);
    }
    for (uint32_t at = 0; bytes - at >= size && !error; at += size) {
        struct udf_long_ad ad = read_ad(walk, raw + at);

        if (ad.bytes == 0) {
            break; /* the end of the list. ECMA-167 4/12 */
        }
        if (ad.kind == UDF_EXTENT_NEXT) {
            take_next(walk, &ad, raw + at + size, bytes - at - size);
            break;
        }
        error = take_extent(walk, &ad);
    }
    return error;
}

/* One AED. Returns 0, -EUCLEAN (reported; the list ends) or an error. */
static int take_aed(struct ads_walk *walk, uint32_t previous) {
    struct udf_addr addr = walk->next;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_aed aed;
    int error;

    if (!udf_check_claim(walk->check, addr, 1, walk->name)) {
        return -EUCLEAN; /* or a list could go round */
    }
    error = udf_check_read_block(walk->check, addr,
                                 "allocation extent descriptor", block);
    if (error) {
        return error;
    }
    if (!udf_check_tag(walk->check, block, sizeof(block), UDF_TAG_AED, addr.lbn,
                       "allocation extent descriptor")) {
        return -EUCLEAN;
    }
    if (udf_decode_aed(block, addr.lbn, &aed)) {
        udf_check_fault(walk->check,
                        "%s: allocation extent descriptor at "
                        "%u is malformed (ECMA-167 4/14.5)",
                        walk->name, addr.lbn);
        return -EUCLEAN;
    }
    if (aed.previous_lbn != 0 && aed.previous_lbn != previous) {
        udf_check_fault(walk->check,
                        "%s: allocation extent descriptor at %u "
                        "says that %u is the one before it (ECMA-167 "
                        "4/14.5.2)",
                        walk->name, addr.lbn, aed.previous_lbn);
    }
    return take_area(walk, aed.ads, aed.ads_bytes);
}

static int check_list(struct udf_check *check, struct check_node *node,
                      const struct udf_fe *fe) {
    struct ads_walk walk = {
        .check = check,
        .node = node,
        .form = (enum udf_ad_form)(fe->icb_flags & UDF_ICB_FORM_MASK),
        .info_bytes = fe->info_bytes,
        .data = node->data,
    };
    uint32_t previous = node->addr.lbn; /* or 0: not said */
    int error;

    node_name(node, walk.name);
    error = take_area(&walk, fe->ads, fe->ads_bytes);
    while (!error && walk.more) {
        uint32_t lbn = walk.next.lbn;

        error = take_aed(&walk, previous);
        previous = lbn;
    }
    if (error && error != -EUCLEAN) {
        return error;
    }
    if (walk.bytes < fe->info_bytes) {
        udf_check_fault(check,
                        "%s: extents hold %llu bytes, information "
                        "length is %llu (ECMA-167 4/14.9.10)",
                        walk.name, (unsigned long long)walk.bytes,
                        (unsigned long long)fe->info_bytes);
    }
    if (walk.recorded != fe->blocks_recorded) {
        udf_check_fault(check,
                        "%s: %llu blocks recorded, it says %llu "
                        "(ECMA-167 4/14.9.11)",
                        walk.name, (unsigned long long)walk.recorded,
                        (unsigned long long)fe->blocks_recorded);
    }
    return 0;
}

/* ---- symbolic links ------------------------------------------------------ */

/* One path component. Returns its length, 0 when it is malformed. */
static uint32_t component_bytes(const uint8_t *raw, uint32_t left) {
    bool named;

    if (left < COMPONENT_BYTES || raw[0] < 1 || raw[0] > COMPONENT_NAME ||
        raw[1] > left - COMPONENT_BYTES || udf_get16(raw + 2) != 0) {
        return 0;
    }
    named = raw[0] == COMPONENT_NAME;
    /* Only names, and roots that someone agreed upon, have identifiers. */
    if ((named && (raw[1] < 2 || (raw[4] != 8 && raw[4] != 16))) ||
        (!named && raw[0] > 1 && raw[1] > 0)) {
        return 0;
    }
    return COMPONENT_BYTES + raw[1];
}

/* The path in a symbolic link, ECMA-167 4/14.16, when it is embedded: nobody
 * writes those that are longer than a block. */
static void check_symlink(struct udf_check *check, const struct udf_fe *fe,
                          const char *name) {
    uint32_t at = 0, bytes = 1;

    while (bytes > 0 && at < fe->ads_bytes) {
        bytes = component_bytes(fe->ads + at, fe->ads_bytes - at);
        at += bytes;
    }
    if (at == 0 || at != fe->ads_bytes) {
        udf_check_fault(check,
                        "%s: symbolic link is no path (ECMA-167 "
                        "4/14.16)",
                        name);
    }
}

static int check_data(struct udf_check *check, struct check_node *node,
                      const struct udf_fe *fe) {
    unsigned form = fe->icb_flags & UDF_ICB_FORM_MASK;
    char name[NAME_BYTES];

    node_name(node, name);
    if (form == UDF_AD_EMBEDDED) {
        node->embedded = true;
        if (fe->info_bytes != fe->ads_bytes || fe->blocks_recorded != 0) {
            udf_check_fault(check,
                            "%s: %u bytes embedded, information length "
                            "%llu, %llu blocks recorded (ECMA-167 4/14.6.8)",
                            name, fe->ads_bytes,
                            (unsigned long long)fe->info_bytes,
                            (unsigned long long)fe->blocks_recorded);
        }
        if (fe->file_type == UDF_FILE_SYMLINK) {
            check_symlink(check, fe, name);
        }
        return 0;
    }
    if (form != UDF_AD_SHORT && form != UDF_AD_LONG) {
        udf_check_fault(check,
                        "%s: form %u of allocation descriptors "
                        "(UDF 2.60 2.3.5.4)",
                        name, form);
        return 0;
    }
    if (check_is_directory(node) || node->role == CHECK_METADATA ||
        node->role == CHECK_VAT) {
        node->data = calloc(1, sizeof(*node->data));
        if (!node->data) {
            return -ENOMEM;
        }
    }
    return check_list(check, node, fe);
}

/* ---- fields -------------------------------------------------------------- */

/* A timestamp: type 1, and a date that is one. ECMA-167 1/7.3. */
static void check_time(struct udf_check *check, const uint8_t *raw,
                       const char *name) {
    uint16_t zone = udf_get16(raw);
    int minutes =
        (zone & 0x0FFF) < 0x800 ? zone & 0x0FFF : (zone & 0x0FFF) - 0x1000;
    bool zone_good = (minutes >= -1440 && minutes <= 1440) || minutes == -2047;

    if (zone >> 12 != 1 || !zone_good || raw[4] < 1 || raw[4] > 12 ||
        raw[5] < 1 || raw[5] > 31 || raw[6] > 23 || raw[7] > 59 ||
        raw[8] > 60 || raw[9] > 99 || raw[10] > 99 || raw[11] > 99) {
        udf_check_fault(check, "%s: timestamp is no time (UDF 2.60 2.1.4)",
                        name);
    }
}

/* Fields that have one legal value, and times. */
static void check_fixed(struct udf_check *check, const uint8_t *block,
                        const struct udf_fe *fe, const char *name) {
    static const uint8_t fe_times[] = {72, 84, 96};
    static const uint8_t efe_times[] = {80, 92, 104, 116};
    const uint8_t *times = fe->extended ? efe_times : fe_times;
    size_t count = fe->extended ? sizeof(efe_times) : sizeof(fe_times);

    if (fe->strategy != 4 || !udf_check_is_zero(block + 16, 4) ||
        !udf_check_is_zero(block + 22, 2) || udf_get16(block + 24) != 1 ||
        block[26] != 0) {
        udf_check_fault(check,
                        "%s: strategy %u, or its parameters "
                        "(UDF 2.60 2.3.5.1)",
                        name, fe->strategy);
    }
    if (fe->icb_flags & ICB_FLAGS_FORBIDDEN) {
        udf_check_fault(check, "%s: ICB flags %04x (UDF 2.60 2.3.5.4)", name,
                        fe->icb_flags);
    }
    if (!udf_check_is_zero(block + 50, 6)) {
        udf_check_fault(check,
                        "%s: record format, attributes or length are "
                        "not 0 (UDF 2.60 2.3.6)",
                        name);
    }
    if (fe->extended && !udf_check_is_zero(block + 132, 4)) {
        udf_check_fault(check, "%s: reserved bytes are not 0", name);
    }
    if (fe->extended && check->result.revision < EFE_REVISION) {
        udf_check_fault(check,
                        "%s: extended file entry in a volume of "
                        "revision %04x",
                        name, check->result.revision);
    }
    if (fe->extended || fe->file_type == UDF_FILE_REALTIME) {
        udf_check_needs(check, EFE_REVISION);
    }
    for (size_t i = 0; i < count; i++) {
        check_time(check, block + times[i], name);
    }
}

static bool type_fits(enum check_role role, uint8_t type) {
    switch (role) {
    case CHECK_ROOT:
        return type == UDF_FILE_DIRECTORY;
    case CHECK_SYSTEM_DIR:
    case CHECK_STREAM_DIR:
    case CHECK_LOST_DIR:
        return type == UDF_FILE_STREAM_DIRECTORY;
    case CHECK_EA_FILE:
        return type == UDF_FILE_EA;
    case CHECK_STREAM:
        return type == UDF_FILE_REGULAR;
    case CHECK_METADATA:
        return type >= UDF_FILE_METADATA && type <= UDF_FILE_METADATA_BITMAP;
    case CHECK_VAT: /* whoever found it knows which type it must have */
        return true;
    case CHECK_NORMAL:
        break;
    }
    return (type >= UDF_FILE_DIRECTORY && type <= UDF_FILE_CHAR_DEVICE) ||
           type == UDF_FILE_FIFO || type == UDF_FILE_SOCKET ||
           type == UDF_FILE_SYMLINK || type == UDF_FILE_REALTIME;
}

/* What depends on what the file entry is for. */
static void check_role(struct udf_check *check, const struct check_node *node,
                       const struct udf_fe *fe, const char *name) {
    bool stream = (fe->icb_flags & UDF_ICB_STREAM) != 0;
    uint64_t id = 0;

    if (!type_fits(node->role, fe->file_type)) {
        udf_check_fault(check,
                        "%s: file type %u does not belong here "
                        "(UDF 2.60 2.3.5.2)",
                        name, fe->file_type);
    }
    if (stream != (node->role == CHECK_STREAM)) {
        udf_check_fault(check, "%s: STREAM flag is %d (UDF 2.60 3.3.5)", name,
                        stream);
    }
    if (node->role == CHECK_NORMAL) {
        /* 32 bits of it must do, since FIDs hold no more. */
        if ((uint32_t)fe->unique_id < UNIQUE_ID_FIRST) {
            udf_check_fault(check, "%s: UniqueID %llu (UDF 2.60 3.2.1.1)", name,
                            (unsigned long long)fe->unique_id);
        }
        return;
    }
    if (node->role == CHECK_VAT || node->role == CHECK_LOST_DIR) {
        return; /* the next one to be given; that of an owner who is gone */
    }
    if (node->role == CHECK_STREAM_DIR || node->role == CHECK_STREAM ||
        node->role == CHECK_EA_FILE) {
        id = check->nodes[node->parent].unique_id;
    }
    if (fe->unique_id != id) {
        udf_check_fault(check,
                        "%s: UniqueID %llu, not %llu (UDF 2.60 "
                        "3.2.1.1)",
                        name, (unsigned long long)fe->unique_id,
                        (unsigned long long)id);
    }
}

/* Tells the two tags apart, and checks the one there is. */
static bool check_fe_tag(struct udf_check *check, const uint8_t *block,
                         uint32_t lbn) {
    enum udf_tag_id id =
        udf_get16(block) == UDF_TAG_EFE ? UDF_TAG_EFE : UDF_TAG_FE;

    return udf_check_tag(check, block, UDF_BLOCK_BYTES, id, lbn, "file entry");
}

int udf_check_node(struct udf_check *check, struct check_node *node,
                   struct udf_long_ad *out_streams,
                   struct udf_long_ad *out_ea) {
    uint8_t block[UDF_BLOCK_BYTES];
    char name[NAME_BYTES];
    struct udf_fe fe;
    int error;

    node_name(node, name);
    udf_check_claim(check, node->addr, 1, name);
    error = udf_check_read_block(check, node->addr, "file entry", block);
    if (error) {
        return error == -EUCLEAN ? 0 : error;
    }
    if (!check_fe_tag(check, block, node->addr.lbn)) {
        return 0;
    }
    if (udf_decode_fe(block, node->addr.lbn, &fe)) {
        udf_check_fault(check,
                        "%s: lengths do not fit the block (ECMA-167 "
                        "4/14.9)",
                        name);
        return 0;
    }
    check_fixed(check, block, &fe, name);
    check_role(check, node, &fe, name);
    udf_check_attributes(check, node->addr.lbn, &fe, name);
    node->file_type = fe.file_type;
    node->links = fe.links;
    node->unique_id = fe.unique_id;
    node->info_bytes = fe.info_bytes;
    node->object_bytes = fe.object_bytes;
    node->extended = fe.extended;
    node->has_streams = fe.extended && fe.stream_dir.bytes > 0;
    node->system = (fe.icb_flags & UDF_ICB_SYSTEM) != 0;
    node->recorded = fe.blocks_recorded;
    *out_streams = fe.extended ? fe.stream_dir : (struct udf_long_ad){0};
    *out_ea = fe.ea_icb;
    return check_data(check, node, &fe);
}

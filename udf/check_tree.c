/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/check_tree.c - from the file set descriptor to the last file: which file
 * entries there are, link counts and UniqueIDs.
 * ECMA-167 4/14.1; UDF 2.60 2.3.2, 3.2.1.1, 3.3.5.
 *
 * File entries are read when the first FID names them; directories wait on a
 * stack of their own, so that no tree, however deep, needs more than memory.
 * A file entry is checked once; a directory that is named again is a fault and
 * is not walked again, so that loops end.
 */
#include "udf/check_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "udf/decode.h"

enum { STREAM_REVISION = 0x0200 };

/* ---- nodes --------------------------------------------------------------- */

/* UniqueIDs are compared as far as FIDs hold them. UDF 2.00 2.3.4.3. */
static uint64_t id_key(const struct udf_check *check, uint64_t id) {
    return check->result.revision >= STREAM_REVISION ? (uint32_t)id : id;
}

static int push(struct udf_check *check, uint32_t index) {
    if (udf_check_grow((void **)&check->pending, &check->pending_room,
                       check->pending_count, sizeof(*check->pending))) {
        return -ENOMEM;
    }
    check->pending[check->pending_count++] = index;
    return 0;
}

static int note_id(struct udf_check *check, const struct check_node *node,
                   uint32_t index) {
    int error;

    if (node->role != CHECK_NORMAL || node->file_type == 0) {
        return 0;
    }
    if (node->unique_id > check->highest_id) {
        check->highest_id = node->unique_id;
    }
    error =
        udf_check_table_add(&check->ids, id_key(check, node->unique_id), index);
    if (error == -EEXIST) {
        udf_check_fault(check,
                        "file entry %u:%u: UniqueID %llu is another's, "
                        "too (UDF 2.60 3.2.1.1)",
                        node->addr.part, node->addr.lbn,
                        (unsigned long long)node->unique_id);
        error = 0;
    }
    return error;
}

bool udf_check_icb(struct udf_check *check, const struct udf_long_ad *icb,
                   const char *what) {
    if (icb->bytes != UDF_BLOCK_BYTES || icb->kind != UDF_EXTENT_RECORDED) {
        udf_check_fault(check,
                        "%s: ICB of %u bytes, type %u, is not one "
                        "block (UDF 2.60 2.3.5)",
                        what, icb->bytes, icb->kind);
        return false;
    }
    return true;
}

/* Adds a file entry that was not seen before, and its index if it is a
 * directory to those that wait. */
static int add_one(struct udf_check *check, struct check_node *node,
                   struct udf_long_ad *out_streams, struct udf_long_ad *out_ea,
                   uint32_t *out_index) {
    uint32_t index = check->node_count;
    uint16_t metadata = check_metadata_part(check);
    int error = udf_check_grow((void **)&check->nodes, &check->node_room, index,
                               sizeof(*check->nodes));

    if (metadata < UDF_PARTMAPS_MAX && node->addr.part != metadata) {
        udf_check_fault(check,
                        "file entry %u:%u is not in the metadata partition "
                        "(UDF 2.60 2.2.10)",
                        node->addr.part, node->addr.lbn);
    }

    error = error ? error : udf_check_node(check, node, out_streams, out_ea);
    if (!error) {
        check->nodes[check->node_count++] = *node; /* owns node->data now */
    } else if (node->data) {
        udf_extents_free(node->data);
        free(node->data);
    }
    error = error ? error
                  : udf_check_table_add(&check->node_of,
                                        check_addr_key(node->addr), index);
    error = error ? error : note_id(check, node, index);
    if (!error && check_is_directory(node) && node->role != CHECK_STREAM &&
        node->role != CHECK_EA_FILE) {
        error = push(check, index);
    }
    *out_index = index;
    return error;
}

/* Adds what hangs from node `owner`: its stream directory or EA file, which
 * can have nothing of the kind themselves. */
static int add_attached(struct udf_check *check, uint32_t owner,
                        const struct udf_long_ad *icb, enum check_role role) {
    struct check_node node = {.addr = icb->addr, .role = role, .parent = owner};
    struct udf_long_ad streams = {0}, ea = {0};
    uint32_t index;
    int error;

    if (icb->bytes == 0) {
        return 0;
    }
    if (!udf_check_icb(check, icb, "stream directory or EA file")) {
        return 0;
    }
    if (check->nodes[owner].role != CHECK_NORMAL &&
        check->nodes[owner].role != CHECK_ROOT) {
        udf_check_fault(check,
                        "file entry %u:%u: streams or attributes of a "
                        "stream (UDF 2.60 3.3.5)",
                        check->nodes[owner].addr.part,
                        check->nodes[owner].addr.lbn);
        return 0;
    }
    if (udf_check_table_get(&check->node_of, check_addr_key(icb->addr),
                            &index)) {
        udf_check_fault(check, "file entry %u:%u is used twice", icb->addr.part,
                        icb->addr.lbn);
        return 0;
    }
    error = add_one(check, &node, &streams, &ea, &index);
    if (!error && (streams.bytes || ea.bytes)) {
        udf_check_fault(check,
                        "file entry %u:%u: streams or attributes of a "
                        "stream (UDF 2.60 3.3.5)",
                        icb->addr.part, icb->addr.lbn);
    }
    return error;
}

int udf_check_add_node(struct udf_check *check, struct udf_addr addr,
                       enum check_role role, uint32_t parent,
                       uint32_t *out_index) {
    struct check_node node = {.addr = addr, .role = role, .parent = parent};
    struct udf_long_ad streams = {0}, ea = {0};
    int error = add_one(check, &node, &streams, &ea, out_index);

    error = error ? error
                  : add_attached(check, *out_index, &streams, CHECK_STREAM_DIR);
    return error ? error : add_attached(check, *out_index, &ea, CHECK_EA_FILE);
}

/* ---- the file set -----------------------------------------------------------
 */

static void check_fsd_fields(struct udf_check *check) {
    const struct udf_fsd *fsd = &check->fsd;

    if (strcmp(fsd->domain.id, "*OSTA UDF Compliant") != 0 ||
        udf_entity_revision(&fsd->domain) != check->result.revision) {
        udf_check_fault(check,
                        "file set: domain \"%s\", revision %04x, volume "
                        "%04x (UDF 2.60 2.3.2.6)",
                        fsd->domain.id, udf_entity_revision(&fsd->domain),
                        check->result.revision);
    }
    if (strcmp(fsd->label, check->lvd.label) != 0) {
        udf_check_fault(check,
                        "file set: label \"%s\", volume \"%s\" "
                        "(UDF 2.60 2.3.2.4)",
                        fsd->label, check->lvd.label);
    }
    if (fsd->next.bytes != 0) {
        udf_check_fault(check, "file set: there is a next one (UDF 2.60 "
                               "2.3.2)");
    }
}

/* Reads the FSD and adds what hangs from it. -EUCLEAN: no root (reported). */
static int check_file_set(struct udf_check *check) {
    const struct udf_long_ad *ad = &check->lvd.fsd;
    const struct udf_long_ad *streams = &check->fsd.system_stream_dir;
    uint8_t block[UDF_BLOCK_BYTES];
    uint32_t index;
    int error = udf_check_read_block(check, ad->addr, "file set", block);

    if (error) {
        return error;
    }
    if (ad->bytes < UDF_BLOCK_BYTES) {
        udf_check_fault(check,
                        "file set: extent of %u bytes (UDF 2.60 "
                        "2.2.4.4)",
                        ad->bytes);
    }
    udf_check_claim(check, ad->addr,
                    ((uint64_t)ad->bytes + UDF_BLOCK_BYTES - 1) /
                        UDF_BLOCK_BYTES,
                    "file set");
    if (!udf_check_tag(check, block, sizeof(block), UDF_TAG_FSD, ad->addr.lbn,
                       "file set")) {
        return -EUCLEAN;
    }
    if (udf_decode_fsd(block, ad->addr.lbn, &check->fsd)) {
        udf_check_fault(check, "file set descriptor is malformed (ECMA-167 "
                               "4/14.1)");
        return -EUCLEAN;
    }
    check_fsd_fields(check);
    if (!udf_check_icb(check, &check->fsd.root, "root directory")) {
        return -EUCLEAN;
    }
    error =
        udf_check_add_node(check, check->fsd.root.addr, CHECK_ROOT, 0, &index);
    if (error || streams->bytes == 0) {
        return error;
    }
    udf_check_needs(check, STREAM_REVISION);
    if (check->result.revision < STREAM_REVISION) {
        udf_check_fault(check,
                        "system stream directory in a volume of "
                        "revision %04x",
                        check->result.revision);
    }
    if (!udf_check_icb(check, streams, "system stream directory")) {
        return 0;
    }
    if (udf_check_table_get(&check->node_of, check_addr_key(streams->addr),
                            &index)) {
        udf_check_fault(check, "system stream directory is the root");
        return 0;
    }
    return udf_check_add_node(check, streams->addr, CHECK_SYSTEM_DIR, 0,
                              &index);
}

/* ---- when all is known
 * ------------------------------------------------------- */

static void check_links(struct udf_check *check,
                        const struct check_node *node) {
    uint32_t links = node->names;

    switch (node->role) {
    case CHECK_ROOT: /* its own parent entry stands for the name */
        links = 1 + node->subdirs + node->has_streams;
        break;
    case CHECK_NORMAL:
        links += node->subdirs;
        /* The parent entry of a stream directory counts for directories; for
         * files writers differ. */
        if (node->has_streams &&
            (node->file_type == UDF_FILE_DIRECTORY || node->links > links)) {
            links++;
        }
        break;
    case CHECK_SYSTEM_DIR:
        links = 1;
        break;
    case CHECK_STREAM_DIR:
    case CHECK_EA_FILE:
    case CHECK_METADATA:
        links = 0;
        break;
    case CHECK_STREAM:
    case CHECK_LOST_DIR:
    case CHECK_VAT:
        break;
    }
    if (node->links != links) {
        udf_check_fault(check,
                        "file entry %u:%u: link count %u, counted %u "
                        "(ECMA-167 4/14.9.6)",
                        node->addr.part, node->addr.lbn, node->links, links);
    }
    if (node->extended &&
        node->object_bytes != node->info_bytes + node->stream_bytes) {
        udf_check_fault(check,
                        "file entry %u:%u: object size %llu, counted "
                        "%llu (ECMA-167 4/14.17.11)",
                        node->addr.part, node->addr.lbn,
                        (unsigned long long)node->object_bytes,
                        (unsigned long long)node->info_bytes +
                            node->stream_bytes);
    }
}

/* UniqueIDs of FIDs that are not their file entry's are no one's. */
static int check_extra_ids(struct udf_check *check) {
    for (uint32_t i = 0; i < check->extra_count; i++) {
        const struct check_extra_id *extra = &check->extra[i];
        int error = udf_check_table_add(&check->ids, extra->id, extra->dir);

        if (error == -EEXIST) {
            const struct check_node *dir = &check->nodes[extra->dir];

            udf_check_fault(check,
                            "directory %u:%u: UniqueID %u of a FID is "
                            "another's, too (UDF 2.60 3.2.1.1)",
                            dir->addr.part, dir->addr.lbn, extra->id);
        } else if (error) {
            return error;
        }
        if (extra->id > (uint32_t)check->highest_id) {
            check->highest_id = (check->highest_id >> 32 << 32) | extra->id;
        }
    }
    return 0;
}

/* Walks the directories that wait. */
static int walk_pending(struct udf_check *check) {
    int error = 0;

    while (!error && check->pending_count > 0) {
        error = udf_check_walk_directory(
            check, check->pending[--check->pending_count]);
    }
    return error;
}

int udf_check_lost_streams(struct udf_check *check, struct udf_addr addr) {
    uint32_t index;
    int error;

    if (udf_check_table_get(&check->node_of, check_addr_key(addr), &index)) {
        return 0;
    }
    udf_check_fault(check,
                    "stream directory %u:%u: its owner is gone, but it and "
                    "its streams are not freed (UDF 2.60 3.3.5)",
                    addr.part, addr.lbn);
    error = udf_check_add_node(check, addr, CHECK_LOST_DIR, 0, &index);
    return error ? error : walk_pending(check);
}

int udf_check_tree(struct udf_check *check) {
    int error = check_file_set(check);

    if (error == -EUCLEAN) {
        return 0; /* reported; the bitmap is still worth a look */
    }
    check->result.directories++; /* the root */
    error = error ? error : walk_pending(check);
    error = error ? error : check_extra_ids(check);
    if (error) {
        return error;
    }
    for (uint32_t i = 0; i < check->node_count; i++) {
        if (check->nodes[i].file_type != 0) {
            check_links(check, &check->nodes[i]);
        }
    }
    udf_check_lvid_counts(check);
    return 0;
}

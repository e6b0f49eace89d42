/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/volume.c - mounting and unmounting: from descriptors to a struct
 * udf_volume, and back to a closed disc.
 *
 * Mounting writes nothing. What would make writing unsafe makes the volume
 * read-only, with a reason in words; what makes reading impossible fails.
 */
#include "udf/volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/blockdev.h"
#include "mmc/log.h"
#include "udf/decode.h"
#include "udf/file.h"
#include "udf/io.h"
#include "udf/lost.h"
#include "udf/mount.h"
#include "udf/replay.h"
#include "udf/run.h"
#include "udf/sparing.h"
#include "udf/tag.h"
#include "udf/vds.h"

enum {
    PROTECT_FLAGS = 3, /* hard and soft write protect, UDF 2.60 2.1.5.3 */
    REVISION_MAX = 0x0260
};

int udf_volume_writable(const struct udf_volume *volume) {
    return volume->identity.read_only_reason ||
                   atomic_load(&volume->sync.frozen)
               ? -EROFS
               : 0;
}

void udf_volume_read_only(struct udf_volume *volume, const char *reason) {
    if (!volume->identity.read_only_reason) {
        volume->identity.read_only_reason = reason;
    }
}

/* ---- partition maps --------------------------------------------------- */

/* The partition must lie within the device. One that goes beyond its end (a
 * drive that reports its size too small) can be read as far as it goes. */
static int check_bounds(struct udf_volume *volume, const struct udf_pd *pd) {
    uint32_t blocks = volume->dev->geometry.blocks;

    if (pd->start_lba >= blocks) {
        return -EUCLEAN;
    }
    if (pd->blocks > blocks - pd->start_lba) {
        udf_volume_read_only(volume,
                             "the partition goes beyond the end of the medium");
    }
    return 0;
}

/* The map that has the blocks of partition `number`: what virtual and metadata
 * maps stand on. Returns 0 or -EUCLEAN. */
static int find_physical(const struct udf_volume *volume, uint16_t number,
                         uint16_t *out_part) {
    for (uint16_t i = 0; i < volume->maps.count; i++) {
        const struct udf_partmap *map = &volume->maps.map[i];

        if (map->number == number && map->physical == i &&
            (map->kind == UDF_MAP_KIND_PHYSICAL ||
             map->kind == UDF_MAP_KIND_SPARABLE)) {
            *out_part = i;
            return 0;
        }
    }
    return -EUCLEAN;
}

/* A map with blocks of its own. */
static int make_physical(struct udf_volume *volume, const struct udf_vds *vds,
                         uint16_t part) {
    const struct udf_lvd_map *raw = &vds->lvd.map[part];
    struct udf_partmap *map = &volume->maps.map[part];
    const struct udf_pd *pd = udf_vds_pd(vds, raw->partition_number);
    int error;

    if (!pd) {
        return -EUCLEAN;
    }
    *map = (struct udf_partmap){
        .kind = raw->kind,
        .number = raw->partition_number,
        .start_lba = pd->start_lba,
        .blocks = pd->blocks,
        .physical = part,
        .packet_blocks = raw->packet_blocks,
    };
    error = check_bounds(volume, pd);
    if (error || raw->kind != UDF_MAP_KIND_SPARABLE) {
        return error;
    }
    return udf_sparing_load(volume, part, raw);
}

/* A map that stands on another one. */
static int make_upper(struct udf_volume *volume, const struct udf_vds *vds,
                      uint16_t part) {
    const struct udf_lvd_map *raw = &vds->lvd.map[part];
    uint16_t below;
    int error = find_physical(volume, raw->partition_number, &below);

    if (error) {
        return error;
    }
    volume->maps.map[part] = (struct udf_partmap){
        .kind = raw->kind,
        .number = raw->partition_number,
        .start_lba = volume->maps.map[below].start_lba,
        .physical = below,
    };
    return raw->kind == UDF_MAP_KIND_METADATA
               ? udf_metadata_load(volume, part, raw)
               : udf_vat_load(volume, part);
}

static bool is_physical(enum udf_map_kind kind) {
    return kind == UDF_MAP_KIND_PHYSICAL || kind == UDF_MAP_KIND_SPARABLE;
}

/* One map. A map that is broken, or not known, costs what lies in it, and not
 * the volume; objects there get -EUCLEAN. */
static int make_map(struct udf_volume *volume, const struct udf_vds *vds,
                    uint16_t part) {
    enum udf_map_kind kind = vds->lvd.map[part].kind;
    int error = 0;

    if (is_physical(kind)) {
        error = make_physical(volume, vds, part);
    } else if (kind != UDF_MAP_KIND_UNKNOWN) {
        error = make_upper(volume, vds, part);
    }
    if (udf_io_is_fatal(error)) {
        return error;
    }
    if (error) {
        mmc_log(MMC_LOG_WARN, "partition map %u cannot be followed", part);
        volume->maps.map[part].kind = UDF_MAP_KIND_UNKNOWN;
        volume->maps.unreadable = volume->maps.unreadable || error == -EIO;
    }
    return 0;
}

/* Maps with blocks of their own come first, then those that stand on them:
 * what these say may lie in the journal. */
static int make_maps(struct udf_volume *volume, const struct udf_vds *vds,
                     bool physical) {
    int error = vds->lvd.maps > 0 ? 0 : -EUCLEAN;

    volume->maps.count = vds->lvd.maps;
    for (uint16_t part = 0; part < vds->lvd.maps && physical; part++) {
        volume->maps.map[part].kind = UDF_MAP_KIND_UNKNOWN;
        volume->maps.map[part].physical = part;
    }
    for (uint16_t part = 0; !error && part < vds->lvd.maps; part++) {
        if (is_physical(vds->lvd.map[part].kind) == physical) {
            error = make_map(volume, vds, part);
        }
    }
    return error;
}

/* ---- identity --------------------------------------------------------- */

static int check_revision(uint16_t needed) {
    if (needed > REVISION_MAX) {
        mmc_log(MMC_LOG_ERROR,
                "reading the volume needs UDF %x.%02x; %x.%02x is the last "
                "revision that is known",
                needed >> 8, needed & 0xFFu, REVISION_MAX >> 8,
                REVISION_MAX & 0xFFu);
        return -EOPNOTSUPP;
    }
    return 0;
}

static int check_domain(const struct udf_vds *vds) {
    if (strcmp(vds->lvd.domain.id, "*OSTA UDF Compliant") != 0) {
        return -EMEDIUMTYPE;
    }
    if (vds->lvd.block_bytes != UDF_BLOCK_BYTES) {
        return udf_vds_refuse_blocks(vds->lvd.block_bytes);
    }
    return check_revision(udf_entity_revision(&vds->lvd.domain));
}

static void take_own_areas(struct udf_volume *volume, const struct udf_own *own,
                           const struct udf_pd *pd) {
    uint32_t blocks = volume->dev->geometry.blocks;

    if (udf_own_check(own, blocks, pd)) {
        mmc_log(MMC_LOG_WARN,
                "the place of the journal is damaged; it is not used");
        return;
    }
    volume->journal.reserved =
        (struct udf_journal_area){.lba = own->journal_lba,
                                  .packets = own->journal_packets,
                                  .packet_blocks = own->packet_blocks};
    volume->journal.serial = own->format_serial;
    if (udf_own_check_ledger(own, blocks, pd)) {
        mmc_log(MMC_LOG_WARN,
                "the place of the wear ledger is damaged; it is not used");
        return;
    }
    volume->ledger.area =
        (struct udf_ledger_area){.lba = own->ledger_lba,
                                 .pieces = own->ledger_places / 2,
                                 .unit = own->packet_blocks,
                                 .serial = own->format_serial};
}

static void take_identity(struct udf_volume *volume,
                          const struct udf_vds *vds) {
    struct udf_identity *identity = &volume->identity;

    memcpy(identity->label, vds->lvd.label, sizeof(identity->label));
    memcpy(identity->volume_set_id, vds->pvd.volume_set_id,
           sizeof(identity->volume_set_id));
    identity->revision = udf_entity_revision(&vds->lvd.domain);
    identity->style.version = identity->revision >= 0x0200 ? 3 : 2;
    if (vds->have_own) {
        take_own_areas(volume, &vds->own, &vds->pd[0]);
    }
    volume->journal.volume_sum =
        udf_run_sum(identity->volume_set_id, strlen(identity->volume_set_id));
    if (vds->lvd.domain.suffix[2] & PROTECT_FLAGS) {
        udf_volume_read_only(volume, "the volume is marked write protected");
    }
}

/* The tag serial number of the volume, from its file set descriptor. */
static int load_file_set(struct udf_volume *volume, const struct udf_vds *vds) {
    struct udf_identity *identity = &volume->identity;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_fsd fsd;
    struct udf_tag tag;
    struct udf_addr addr = vds->lvd.fsd.addr;
    int error = udf_io_load_at(volume, addr, block);

    if (!error) {
        error = udf_decode_fsd(block, addr.lbn, &fsd);
    }
    if (error == -EUCLEAN && udf_metadata_doubt(volume, addr)) {
        error = udf_io_load_at(volume, addr, block);
        error = error ? error : udf_decode_fsd(block, addr.lbn, &fsd);
    }
    if (!error) {
        error = udf_tag_check(block, UDF_BLOCK_BYTES, &tag);
    }
    if (error) {
        return error;
    }
    identity->style.serial = tag.serial;
    identity->root_icb = fsd.root.addr;
    identity->fsd = addr;
    identity->streams = fsd.system_stream_dir;
    if (fsd.domain.suffix[2] & PROTECT_FLAGS) {
        udf_volume_read_only(volume, "the file set is marked write protected");
    }
    return 0;
}

/* Where the table of a virtual partition is what a session ends with, the
 * integrity descriptor stays as it was made. UDF 2.60 2.2.11. */
static void trust_vat(struct udf_volume *volume) {
    volume->integrity.lvid.closed = true;
    udf_vat_count(&volume->vat, &volume->integrity.lvid);
}

static int load_integrity(struct udf_volume *volume,
                          const struct udf_vds *vds) {
    struct udf_integrity *integrity = &volume->integrity;
    int error = udf_integrity_load(volume, &vds->lvd.integrity);

    if (error) {
        return error;
    }
    if (!integrity->found) {
        if (integrity->extent_blocks == 0) {
            udf_volume_read_only(volume,
                                 "it has no room for an integrity descriptor");
        }
        udf_integrity_invent(volume);
        return 0;
    }
    if (integrity->lvid.min_write > REVISION_MAX) {
        udf_volume_read_only(volume,
                             "writing it needs a UDF revision above 2.60");
    }
    return check_revision(integrity->lvid.min_read);
}

/* ---- mounting --------------------------------------------------------- */

static int load_volume(struct udf_volume *volume,
                       enum udf_replay_result *out_replay) {
    struct udf_vds *vds = malloc(sizeof(*vds));
    int error = vds ? udf_vds_find(volume, vds) : -ENOMEM;

    if (!error) {
        error = check_domain(vds);
    }
    if (!error) {
        take_identity(volume, vds);
        error = make_maps(volume, vds, true);
    }
    if (!error) {
        error = load_integrity(volume, vds);
    }
    if (!error) {
        error = udf_replay(volume, out_replay);
    }
    if (!error) {
        error = udf_spaces_load(volume, vds);
    }
    if (!error) {
        error = make_maps(volume, vds, false);
    }
    if (!error && volume->vat.present) {
        trust_vat(volume);
    }
    if (!error) {
        error = load_file_set(volume, vds);
    }
    if (!error) {
        error = udf_spaces_load_upper(volume, vds);
    }
    if (!error && udf_replay_keep_area(volume)) {
        udf_volume_read_only(volume,
                             "its journal lies in space that is in use");
    }
    free(vds);
    return error;
}

/* A root that cannot be read is no volume. */
static int load_root(struct udf_volume *volume) {
    struct udf_node *root;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
    do {
        error = udf_node_get(&op, UDF_ROOT_INO, &root);
        if (!error && !udf_node_is_dir(root)) {
            error = -EUCLEAN;
        }
    } while (udf_op_again(&op, &error));
    return error;
}

static void volume_free(struct udf_volume *volume) {
    udf_ledger_free(&volume->ledger);
    udf_nodes_free(&volume->nodes);
    udf_names_free(&volume->names);
    udf_overlay_clear(&volume->overlay);
    udf_pending_free(&volume->pending);
    udf_spaces_free(volume);
    udf_partmaps_free(&volume->maps);
    udf_sync_destroy(&volume->sync);
    pthread_rwlock_destroy(&volume->lock);
    free(volume);
}

static struct udf_volume *volume_new(struct blockdev *dev,
                                     const struct udf_mount_options *options) {
    struct udf_volume *volume = calloc(1, sizeof(*volume));
    pthread_rwlockattr_t attr;

    if (!volume) {
        return NULL;
    }
    volume->dev = dev;
    volume->options = *options;
    volume->identity.root_icb.part = UINT16_MAX; /* not known yet */
    pthread_rwlockattr_init(&attr);
    /* Readers come in crowds; a commit must get its turn. */
    pthread_rwlockattr_setkind_np(&attr,
                                  PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&volume->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    if (udf_sync_init(&volume->sync) || udf_nodes_init(&volume->nodes) ||
        udf_names_init(&volume->names)) {
        volume_free(volume);
        return NULL;
    }
    return volume;
}

/* The volume was not closed. Where the journal does not say what the LVID
 * cannot, it is counted. */
static int recover(struct udf_volume *volume, enum udf_replay_result replay) {
    struct udf_integrity *integrity = &volume->integrity;
    int error = 0;

    if (replay == UDF_REPLAY_DONE) {
        integrity->open_on_disc = true;
    } else {
        mmc_log(MMC_LOG_NOTICE, "\"%s\" %s; counting its files",
                volume->identity.label,
                integrity->found ? "was not unmounted cleanly"
                                 : "has no readable integrity descriptor");
        error = udf_rebuild(volume);
    }
    /* What was found is worth keeping: unmounting closes the volume. */
    integrity->touched = udf_volume_writable(volume) == 0;
    return error;
}

int udf_mount(struct blockdev *dev, const struct udf_mount_options *options,
              struct udf_volume **out_volume) {
    struct udf_volume *volume = volume_new(dev, options);
    enum udf_replay_result replay = UDF_REPLAY_NONE;
    int error;

    if (!volume) {
        return -ENOMEM;
    }
    if (options->read_only) {
        udf_volume_read_only(volume, "it is mounted read-only");
    } else if (!dev->geometry.writable) {
        udf_volume_read_only(volume, "the medium cannot be written");
    }
    error = load_volume(volume, &replay);
    if (!error) {
        error = load_root(volume);
    }
    if (!error) {
        error = udf_nonalloc_load(volume);
    }
    if (!error && !volume->integrity.lvid.closed) {
        error = recover(volume, replay);
    }
    volume->counts = udf_integrity_counts(&volume->integrity);
    if (!error && !options->read_only && volume->identity.read_only_reason) {
        mmc_log(MMC_LOG_NOTICE, "\"%s\" can only be read: %s",
                volume->identity.label, volume->identity.read_only_reason);
    }
    if (error) {
        bool unreadable = error == -EUCLEAN && volume->maps.unreadable;

        volume_free(volume);
        return unreadable ? -EIO : error;
    }
    if (udf_volume_writable(volume) == 0) {
        blockdev_keep(dev); /* bitmap, file set, root: each checkpoint's */
    }
    *out_volume = volume;
    return 0;
}

int udf_read_wear(struct blockdev *dev, struct udf_wear *out_wear) {
    const struct udf_mount_options options = {.read_only = true};
    struct udf_volume *volume = volume_new(dev, &options);
    struct udf_vds vds;
    int error;

    if (!volume) {
        return -ENOMEM;
    }
    error = udf_vds_find(volume, &vds);
    if (!error) {
        take_identity(volume, &vds);
        error = udf_ledger_load(volume);
    }
    if (!error && !volume->ledger.found) {
        error = -ENOENT;
    }
    if (!error) {
        *out_wear = volume->ledger.wear;
        volume->ledger.wear = (struct udf_wear){0};
    }
    volume_free(volume);
    return error;
}

/* ---- unmounting ------------------------------------------------------- */

/* References end with the mount: what has no name any more is freed, and what
 * was allocated behind the end of files. */
static void drop_references(struct udf_volume *volume) {
    struct udf_nodes *nodes = &volume->nodes;

    pthread_rwlock_wrlock(&volume->lock);
    for (size_t i = 0; i < nodes->buckets; i++) {
        struct udf_node *node = nodes->bucket[i];

        while (node) {
            if (node->orphan) {
                /* Its streams go with it: any node may be gone. */
                udf_node_end_orphan(volume, node);
                node = nodes->bucket[i];
            } else {
                udf_file_release_tail(volume, node);
                node = node->hash_next;
            }
        }
    }
    pthread_rwlock_unlock(&volume->lock);
}

int udf_unmount(struct udf_volume *volume) {
    int error;

    if (!volume) {
        return 0;
    }
    drop_references(volume);
    volume->journal.closing = true;
    error = udf_commit(volume);
    if (!error) {
        error = udf_sync_close(volume);
    }
    if (error) {
        udf_lost_log(volume);
    }
    volume_free(volume);
    return error;
}

/* ---- what the volume is ----------------------------------------------- */

static const char *kind_name(enum udf_map_kind kind) {
    switch (kind) {
    case UDF_MAP_KIND_PHYSICAL:
        return "type 1";
    case UDF_MAP_KIND_VIRTUAL:
        return "virtual";
    case UDF_MAP_KIND_SPARABLE:
        return "sparable";
    case UDF_MAP_KIND_METADATA:
        return "metadata";
    case UDF_MAP_KIND_UNKNOWN:
        break;
    }
    return "unknown";
}

/* Blocks that the journal has borrowed; the disc shows them as free. */
static uint32_t borrowed(const struct udf_volume *volume) {
    const struct udf_journal *journal = &volume->journal;

    return journal->session == 0 || udf_journal_is_reserved(journal)
               ? 0
               : journal->area.packets * journal->area.packet_blocks;
}

/* Blocks that can still be given to files. */
static uint32_t available(const struct udf_volume *volume) {
    uint32_t spoken_for;

    if (!volume->space) {
        return volume->integrity.lvid.free_blocks[volume->placement.data_part];
    }
    spoken_for = udf_space_reserved(volume->space) + volume->placement.keep +
                 borrowed(volume);
    return udf_space_free(volume->space) > spoken_for
               ? udf_space_free(volume->space) - spoken_for
               : 0;
}

void udf_get_info(struct udf_volume *volume, struct udf_info *out_info) {
    const struct udf_identity *identity = &volume->identity;
    const struct udf_lvid *lvid = &volume->integrity.lvid;
    uint16_t part = volume->placement.data_part;
    const struct udf_partmap *map = &volume->maps.map[part];
    uint32_t packet = volume->dev->geometry.packet_blocks;

    pthread_rwlock_rdlock(&volume->lock);
    *out_info = (struct udf_info){
        .revision = identity->revision,
        .min_read = lvid->min_read,
        .min_write = lvid->min_write,
        .max_write = lvid->max_write,
        .clean = lvid->closed,
        .writable = identity->read_only_reason == NULL,
        .read_only_reason = identity->read_only_reason,
        .partition_lba = map->start_lba,
        .partition_blocks = map->blocks,
        .free_blocks = volume->space ? udf_space_free(volume->space)
                                     : lvid->free_blocks[part],
        .files = lvid->files,
        .directories = lvid->directories,
        .journal_lba = volume->journal.reserved.lba,
        .journal_packets = volume->journal.reserved.packets,
        .journal_blocks = (uint32_t)volume->overlay.count,
        .ledger_lba = volume->ledger.area.lba,
        .ledger_packets = 2 * volume->ledger.area.pieces,
        .withdrawn_packets = (uint32_t)(udf_nonalloc_blocks(volume) / packet),
    };
    memcpy(out_info->label, identity->label, sizeof(out_info->label));
    memcpy(out_info->volume_set_id, identity->volume_set_id,
           sizeof(out_info->volume_set_id));
    strncpy(out_info->partition_kind, kind_name(map->kind),
            sizeof(out_info->partition_kind) - 1);
    udf_partmap_spares(map, &out_info->spares, &out_info->spares_used,
                       &out_info->spares_bad);
    pthread_rwlock_unlock(&volume->lock);
}

void udf_get_statfs(struct udf_volume *volume, struct udf_statfs *out_statfs) {
    const struct udf_lvid *lvid = &volume->integrity.lvid;

    pthread_rwlock_rdlock(&volume->lock);
    *out_statfs = (struct udf_statfs){
        .blocks = volume->maps.map[volume->placement.data_part].blocks,
        .free_blocks = available(volume),
        .files = (uint64_t)lvid->files + lvid->directories,
        .name_max = 254,
    };
    pthread_rwlock_unlock(&volume->lock);
}

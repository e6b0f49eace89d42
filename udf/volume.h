/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/volume.h - a mounted volume, as the files of udf/ see it.
 *
 * Lock order: sync.committer, then the volume lock, then the device's own.
 * `lock` is never held while the drive works (udf/op.h).
 */
#ifndef UDF_VOLUME_H
#define UDF_VOLUME_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"
#include "udf/integrity.h"
#include "udf/journal.h"
#include "udf/ledger.h"
#include "udf/metadata.h"
#include "udf/names.h"
#include "udf/node.h"
#include "udf/nonalloc.h"
#include "udf/overlay.h"
#include "udf/partmap.h"
#include "udf/pending.h"
#include "udf/space.h"
#include "udf/spaces.h"
#include "udf/sync.h"
#include "udf/udf.h"
#include "udf/vat.h"

/* What the descriptors say; does not change while mounted. */
struct udf_identity {
    char label[UDF_TEXT_BYTES];
    char volume_set_id[UDF_TEXT_BYTES];
    uint16_t revision; /* of the domain identifier, BCD */
    struct udf_tag_style style;
    struct udf_addr root_icb;
    struct udf_addr fsd;          /* the file set descriptor */
    struct udf_long_ad streams;   /* system stream directory; changes once, see
                                     udf/nonalloc.h */
    const char *read_only_reason; /* NULL: may be written */
};

/* Where things are put; see udf/file.c and udf/node.c. Under the lock. */
struct udf_placement {
    uint16_t data_part; /* partition reference of file data */
    uint16_t meta_part; /* ... of file entries and directories */
    uint32_t data_goal; /* behind which the next file goes */
    uint32_t keep;      /* blocks that stay free for metadata */
    uint32_t meta_keep; /* the same in meta_part */
};

struct udf_volume {
    struct blockdev *dev;
    struct udf_mount_options options; /* fixed */
    struct udf_identity identity;     /* fixed */
    udf_wait_note *on_wait; /* fixed while operations run; may be NULL */
    void *on_wait_context;
    pthread_rwlock_t lock;
    struct udf_partmaps maps;       /* lock; changes only at mount, and when
                                       a metadata partition grows */
    struct udf_spaces spaces;       /* lock; owns the two below */
    struct udf_space *space, *meta; /* lock; NULL when read-only */
    struct udf_metadata metadata;   /* lock */
    struct udf_vat vat;             /* fixed */
    struct udf_placement placement; /* lock */
    struct udf_integrity integrity; /* lock; written by the committer */
    struct udf_nodes nodes;         /* lock */
    struct udf_nonalloc nonalloc;   /* lock */
    struct udf_names names;         /* lock */
    struct udf_pending pending;     /* lock; see udf/pending.h */
    struct udf_overlay overlay;     /* lock; committed, but not at home */
    struct udf_journal journal;     /* see udf/journal.h */
    struct udf_ledger ledger;       /* committing thread; see udf/ledger.h */
    struct udf_counts counts;       /* committing thread; of the last commit */
    struct udf_counts snapshot_counts; /* ... of the last snapshot */
    struct udf_sync sync;              /* own mutex; see udf/sync.h */
};

/* Whether changes are accepted: 0 or -EROFS. Lock held. */
int udf_volume_writable(const struct udf_volume *volume);

/* Makes the volume read-only, while it is being mounted; the first reason is
 * kept. */
void udf_volume_read_only(struct udf_volume *volume, const char *reason);

/* Gives `count` blocks at `addr` back to the space they came from. Lock held
 * alone. */
void udf_volume_give(struct udf_volume *volume, struct udf_addr addr,
                     uint32_t count);

/* Whether the block at `addr` belongs to something. True where that is not
 * known: on what cannot be written. Lock held. */
bool udf_volume_is_taken(const struct udf_volume *volume, struct udf_addr addr);

/* Shows them as free on the disc, while memory still uses them. */
void udf_volume_orphan(struct udf_volume *volume, struct udf_addr addr,
                       uint32_t count);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/names.c - see udf/names.h. Files are told apart by their ICBs: a bit a
 * block says which were named before, and only names beyond the first are
 * counted, so that memory is what hard links there are.
 */
#include "udf/names.h"

#include <stdlib.h>
#include <string.h>

#include "mmc/bits.h"
#include "mmc/log.h"
#include "udf/dir.h"
#include "udf/encode.h"
#include "udf/fid.h"
#include "udf/inos.h"
#include "udf/io.h"
#include "udf/node.h"
#include "udf/volume.h"

int udf_names_init(struct udf_names *names) {
    int error = udf_refs_init(&names->more);

    if (!error) {
        pthread_mutex_init(&names->mutex, NULL);
    }
    return error;
}

void udf_names_free(struct udf_names *names) {
    udf_refs_free(&names->more);
    pthread_mutex_destroy(&names->mutex);
}

bool udf_names_doubtful(const struct udf_fe *fe) {
    struct udf_entity own;

    udf_entity_own(&own);
    return fe->extended && fe->stream_dir.bytes > 0 && fe->links > 1 &&
           fe->file_type != UDF_FILE_DIRECTORY &&
           strcmp(fe->implementation.id, own.id) != 0;
}

static void end_doubt(struct udf_node *node, bool one_more) {
    node->attr.links = (uint16_t)(node->attr.links + one_more);
    free(node->kept.maker);
    node->kept.maker = NULL;
}

void udf_names_keep(struct udf_node *node) {
    if (node->kept.maker) {
        end_doubt(node, true);
    }
}

int udf_names_settle(struct udf_volume *volume, struct udf_node *node) {
    const struct udf_names *names = &volume->names;
    uint64_t more;

    if (!node->kept.maker) {
        return 0;
    }
    if (!names->known) {
        return UDF_DOUBT;
    }
    more = udf_refs_count(&volume->names.more, node->ino);
    /* The one that the maker may not have counted. */
    end_doubt(node, names->unsure || more >= node->attr.links);
    return 0;
}

/* ---- counting ---------------------------------------------------------- */

struct walk {
    struct udf_volume *volume;
    uint64_t *seen[UDF_PARTMAPS_MAX];  /* a bit a block: its ICB was named */
    uint32_t blocks[UDF_PARTMAPS_MAX]; /* that there were at first */
    struct udf_inos stack;             /* directories to visit */
};

/* One name. Directories are visited once, whoever names them. */
static int take_name(struct walk *walk, const struct udf_dir_entry *entry) {
    struct udf_addr icb = entry->icb;
    uint64_t ino = udf_node_ino(walk->volume, icb);
    bool is_dir = (entry->characteristics & UDF_FID_DIRECTORY) != 0;

    if (icb.part >= UDF_PARTMAPS_MAX || icb.lbn >= walk->blocks[icb.part]) {
        return 0; /* leads nowhere, or is new */
    }
    if (mmc_bits_test(walk->seen[icb.part], icb.lbn)) {
        return is_dir ? 0 : udf_refs_add(&walk->volume->names.more, ino);
    }
    mmc_bits_set(walk->seen[icb.part], icb.lbn);
    return is_dir ? udf_inos_push(&walk->stack, ino) : 0;
}

static int take_directory(struct udf_op *op, struct walk *walk, uint64_t ino) {
    struct udf_dir_entry entry;
    struct udf_node *dir;
    uint64_t position = 0;
    int error = udf_node_get(op, ino, &dir);

    if (!error) {
        error = udf_dir_load(op, dir);
    }
    while (!error && position < UINT32_MAX &&
           udf_dir_next(dir->dir, (uint32_t)position, &entry) == 0) {
        error = take_name(walk, &entry);
        position = (uint64_t)entry.position + entry.bytes;
    }
    return error;
}

static int walk_directory(struct walk *walk, uint64_t ino) {
    struct udf_op op;
    int error;

    udf_op_start(&op, walk->volume, UDF_OP_EXCLUSIVE);
    do {
        error = take_directory(&op, walk, ino);
    } while (udf_op_again(&op, &error));
    if (error && !udf_io_is_fatal(error)) {
        walk->volume->names.unsure = true;
        error = 0;
    }
    return error;
}

static int make_seen(struct walk *walk) {
    const struct udf_partmaps *maps = &walk->volume->maps;

    for (uint32_t i = 0; i < maps->count; i++) {
        walk->blocks[i] = maps->map[i].blocks;
        walk->seen[i] =
            calloc(mmc_bits_words(walk->blocks[i]) + 1, sizeof(*walk->seen[i]));
        if (!walk->seen[i]) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int count(struct udf_volume *volume) {
    struct walk walk = {.volume = volume};
    int error = make_seen(&walk);

    error = error ? error : udf_inos_push(&walk.stack, UDF_ROOT_INO);
    while (!error && walk.stack.count > 0) {
        error = walk_directory(&walk, walk.stack.ino[--walk.stack.count]);
    }
    for (uint32_t i = 0; i < UDF_PARTMAPS_MAX; i++) {
        free(walk.seen[i]);
    }
    free(walk.stack.ino);
    return error;
}

bool udf_names_count(struct udf_volume *volume, int *error) {
    struct udf_names *names = &volume->names;
    int result = 0;

    if (*error != UDF_DOUBT) {
        return false;
    }
    udf_op_will_wait(volume);
    pthread_mutex_lock(&names->mutex);
    if (!names->known) {
        mmc_log(MMC_LOG_NOTICE,
                "a file has streams, and may have hard links, that another "
                "system made; counting names");
        result = count(volume);
        pthread_rwlock_wrlock(&volume->lock);
        names->known = !result;
        names->unsure |= result != 0; /* what was counted stays */
        pthread_rwlock_unlock(&volume->lock);
    }
    pthread_mutex_unlock(&names->mutex);
    if (result) {
        *error = result;
    }
    return !result;
}

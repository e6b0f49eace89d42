/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/udf.c - the public operations on a volume: each takes the volume lock
 * for one operation (udf/op.h), and goes round again when something had to be
 * fetched. Names are here, data and attributes in udf/udf_data.c.
 */
#include "udf/udf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "udf/attr.h"
#include "udf/dir.h"
#include "udf/symlink.h"
#include "udf/tree.h"
#include "udf/volume.h"

/* ---- looking up and references ---------------------------------------- */

int udf_lookup(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name, struct udf_stat *out_stat) {
    struct udf_node *node;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_SHARED);
    do {
        error = udf_tree_lookup(&op, parent, name, &node);
        if (!error) {
            error = udf_refs_add(&volume->nodes.refs, node->ino);
        }
        if (!error) {
            udf_node_stat(volume, node, out_stat);
        }
    } while (udf_op_again(&op, &error));
    return error;
}

void udf_forget(struct udf_volume *volume, uint64_t ino, uint64_t count) {
    struct udf_op op;
    int error;

    if (udf_refs_drop(&volume->nodes.refs, ino, count) > 0) {
        return;
    }
    udf_op_start(&op, volume, UDF_OP_SHARED);
    do {
        error = udf_node_forgotten(&op, ino);
    } while (udf_op_again(&op, &error));
}

/* ---- changing names --------------------------------------------------- */

int udf_create(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name, const struct udf_make *make,
               const struct udf_cred *cred, struct udf_stat *out_stat) {
    struct udf_node *node;
    struct udf_op op;
    bool tried = false;
    int error = udf_sync_throttle_nodes(volume);

    if (error) {
        return error;
    }
    do {
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = udf_refs_reserve(&volume->nodes.refs);
            if (!error) {
                error = udf_tree_create(&op, parent, name, make, cred, &node);
            }
            if (!error) {
                (void)udf_refs_add(&volume->nodes.refs, node->ino);
                udf_node_stat(volume, node, out_stat);
            }
        } while (udf_op_again(&op, &error));
    } while (udf_sync_make_space(volume, error, &tried));
    return error;
}

int udf_link(struct udf_volume *volume, uint64_t ino, uint64_t parent,
             const struct udf_name *name, struct udf_stat *out_stat) {
    struct udf_node *node;
    struct udf_op op;
    bool tried = false;
    int error = udf_sync_throttle_nodes(volume);

    if (error) {
        return error;
    }
    do {
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = udf_refs_reserve(&volume->nodes.refs);
            if (!error) {
                error = udf_tree_link(&op, ino, parent, name, &node);
            }
            if (!error) {
                (void)udf_refs_add(&volume->nodes.refs, node->ino);
                udf_node_stat(volume, node, out_stat);
            }
        } while (udf_op_again(&op, &error));
    } while (udf_names_count(volume, &error) ||
             udf_sync_make_space(volume, error, &tried));
    return error;
}

static int remove_name(struct udf_volume *volume, uint64_t parent,
                       const struct udf_name *name, bool directory) {
    struct udf_op op;
    int error;

    do {
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = udf_tree_remove(&op, parent, name, directory);
        } while (udf_op_again(&op, &error));
    } while (udf_names_count(volume, &error));
    return error;
}

int udf_unlink(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name) {
    return remove_name(volume, parent, name, false);
}

int udf_rmdir(struct udf_volume *volume, uint64_t parent,
              const struct udf_name *name) {
    return remove_name(volume, parent, name, true);
}

int udf_rename(struct udf_volume *volume, const struct udf_place *from,
               const struct udf_place *to, unsigned flags) {
    struct udf_op op;
    bool tried = false;
    int error = udf_sync_throttle_nodes(volume);

    if (error) {
        return error;
    }
    do {
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = udf_tree_rename(&op, from, to, flags);
        } while (udf_op_again(&op, &error));
    } while (udf_names_count(volume, &error) ||
             udf_sync_make_space(volume, error, &tried));
    return error;
}

/* ---- listing ---------------------------------------------------------- */

enum {
    COOKIE_DOT = 1,
    COOKIE_DOTDOT = 2,
    COOKIE_FIRST = 3, /* plus a position in the stream / 4 */
    FID_ALIGN = 4
};

struct listing {
    struct udf_op *op;
    struct udf_node *dir;
    bool plus;
    udf_dirent_sink *sink;
    void *context;
    uint64_t given; /* entries that the sink took */
};

static bool give_dot(struct listing *listing, const char *text, uint64_t ino,
                     uint64_t cookie) {
    struct udf_dirent entry = {
        .name = {.text = text, .len = (uint32_t)strlen(text)},
        .cookie = cookie,
        .stat = {.ino = ino, .mode = S_IFDIR | 0755},
    };

    if (!listing->sink(listing->context, &entry)) {
        return false;
    }
    listing->given++;
    return true;
}

/* Type of an entry whose node is not loaded. */
static mode_t type_hint(const struct udf_node *node, bool directory) {
    if (node) {
        return udf_type_decode(node->attr.file_type);
    }
    return directory ? S_IFDIR : 0;
}

/* Gives one entry; *out_full when the sink had no room. A file that cannot be
 * loaded is listed all the same: its name is there. */
static int give_entry(struct listing *listing,
                      const struct udf_dir_entry *found, bool *out_full) {
    struct udf_volume *volume = listing->op->volume;
    bool directory = found->characteristics & 2u;
    struct udf_node *node = NULL;
    struct udf_dirent entry = {
        .name = {.text = found->name, .len = (uint32_t)strlen(found->name)},
        .cookie = COOKIE_FIRST +
                  (uint64_t)(found->position + found->bytes) / FID_ALIGN,
        .stat = {.ino = udf_node_ino(volume, found->icb)},
    };

    if (listing->plus) {
        int error = udf_node_load(listing->op, found->icb, &node);

        if (error == UDF_MISS || error == -ENOMEM) {
            return error;
        }
        node = error || !udf_node_is_posix(node) ? NULL : node;
    }
    entry.stat.mode = type_hint(node, directory);
    if (node) {
        udf_node_stat(volume, node, &entry.stat);
    }
    *out_full = !listing->sink(listing->context, &entry);
    if (!*out_full) {
        listing->given++;
    }
    return node && !*out_full
               ? udf_refs_add(&listing->op->volume->nodes.refs, node->ino)
               : 0;
}

static int list_names(struct listing *listing, uint64_t cookie) {
    uint64_t position =
        cookie < COOKIE_FIRST ? 0 : (cookie - COOKIE_FIRST) * FID_ALIGN;
    struct udf_dir_entry entry;
    bool full = false;

    while (!full && position < UINT32_MAX &&
           udf_dir_next(listing->dir->dir, (uint32_t)position, &entry) == 0) {
        int error = give_entry(listing, &entry, &full);

        if (error) {
            return error;
        }
        position = (uint64_t)entry.position + entry.bytes;
    }
    return 0;
}

static int list(struct listing *listing, uint64_t ino, uint64_t cookie) {
    struct udf_volume *volume = listing->op->volume;
    int error = udf_node_get(listing->op, ino, &listing->dir);

    if (!error) {
        error = udf_dir_load(listing->op, listing->dir);
    }
    if (error) {
        return error;
    }
    if (cookie < COOKIE_DOT && !give_dot(listing, ".", ino, COOKIE_DOT)) {
        return 0;
    }
    if (cookie < COOKIE_DOTDOT &&
        !give_dot(listing, "..",
                  udf_node_ino(volume, udf_dir_parent(listing->dir->dir)),
                  COOKIE_DOTDOT)) {
        return 0;
    }
    return list_names(listing, cookie);
}

int udf_readdir(struct udf_volume *volume, uint64_t ino, uint64_t cookie,
                bool plus, udf_dirent_sink *sink, void *context) {
    struct listing listing = {.plus = plus, .sink = sink, .context = context};
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_SHARED);
    listing.op = &op;
    do {
        error = list(&listing, ino, cookie);
        if (error == UDF_MISS && listing.given > 0) {
            /* What was given cannot be taken back: a short list is right. */
            error = 0;
        }
    } while (udf_op_again(&op, &error));
    return error;
}

int udf_readlink(struct udf_volume *volume, uint64_t ino, char *buf,
                 uint32_t buf_bytes) {
    struct udf_node *node;
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_SHARED);
    do {
        error = udf_node_get(&op, ino, &node);
        if (!error) {
            error = udf_symlink_read(&op, node, buf, buf_bytes);
        }
    } while (udf_op_again(&op, &error));
    return error;
}

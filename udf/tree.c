/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/tree.c - looking up, creating, linking and removing; see udf/tree.h.
 * Renaming is in udf/rename.c.
 */
#include "udf/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "udf/attr.h"
#include "udf/cs0.h"
#include "udf/dir.h"
#include "udf/stream.h"
#include "udf/symlink.h"
#include "udf/tree_priv.h"
#include "udf/volume.h"
#include "udf/xattr.h"

static bool name_is(const struct udf_name *name, const char *text,
                    uint32_t length) {
    return name->len == length && memcmp(name->text, text, length) == 0;
}

int udf_tree_dir(struct udf_op *op, uint64_t ino, struct udf_node **out_dir) {
    int error = udf_node_get(op, ino, out_dir);

    return error ? error : udf_dir_load(op, *out_dir);
}

int udf_tree_dir_to_change(struct udf_op *op, uint64_t ino,
                           const struct udf_name *name,
                           struct udf_node **out_dir) {
    int error = name_is(name, ".", 1) || name_is(name, "..", 2)
                    ? -EINVAL
                    : udf_tree_dir(op, ino, out_dir);

    if (!error && (*out_dir)->orphan) {
        error = -ENOENT;
    }
    return error ? error : udf_node_fixed(op->volume, *out_dir);
}

/* The object `ino` itself, of which nobody may have heard since mounting: the
 * kernel asks so for a file handle of its NFS server. An entry that was freed
 * is still on the disc, so the map of free space is asked first. */
static int find_by_number(struct udf_op *op, uint64_t ino,
                          struct udf_node **out_node) {
    struct udf_addr icb;
    int error = udf_node_addr(op->volume, ino, &icb);

    if (!error && !udf_volume_is_taken(op->volume, icb)) {
        error = -ESTALE;
    }
    if (!error) {
        error = udf_node_load(op, icb, out_node);
    }
    if (!error && (!udf_node_is_posix(*out_node) ||
                   (*out_node)->attr.icb_flags & UDF_ICB_STREAM)) {
        error = -ESTALE;
    }
    /* The block has something else now. */
    return error == -EUCLEAN ? -ESTALE : error;
}

/* A name that is not there: it can be too long for any directory. */
static int absent(const struct udf_name *name) {
    uint8_t cs0[UDF_NAME_CS0_MAX];
    uint32_t bytes;
    int error = udf_cs0_encode(name->text, name->len, cs0, sizeof(cs0), &bytes);

    return error == -ENAMETOOLONG ? error : -ENOENT;
}

int udf_tree_lookup(struct udf_op *op, uint64_t parent,
                    const struct udf_name *name, struct udf_node **out_node) {
    struct udf_dir_entry entry;
    struct udf_node *dir;
    int error;

    if (name_is(name, ".", 1)) {
        return find_by_number(op, parent, out_node);
    }
    error = udf_tree_dir(op, parent, &dir);
    if (error) {
        return error;
    }
    if (name_is(name, "..", 2)) {
        return udf_node_load(op, udf_dir_parent(dir->dir), out_node);
    }
    error = udf_dir_find(dir->dir, name, &entry);
    if (error) {
        return error == -ENOENT ? absent(name) : error;
    }
    error = udf_node_load(op, entry.icb, out_node);
    return error || udf_node_is_posix(*out_node) ? error : -EUCLEAN;
}

void udf_tree_count(struct udf_volume *volume, const struct udf_node *node,
                    int change) {
    struct udf_lvid *lvid = &volume->integrity.lvid;

    if (udf_node_is_dir(node)) {
        lvid->directories += (uint32_t)change;
    } else {
        lvid->files += (uint32_t)change;
    }
}

struct udf_dir_target udf_tree_target(const struct udf_node *node,
                                      uint64_t unique_id) {
    return (struct udf_dir_target){
        .icb = node->icb,
        .unique_id = (uint32_t)unique_id,
        .directory = udf_node_is_dir(node),
    };
}

/* ---- creating --------------------------------------------------------- */

/* A name that is to be made: free, and with room for it. */
static int free_name(struct udf_op *op, struct udf_node *dir,
                     const struct udf_name *name) {
    struct udf_dir_entry entry;
    int error = udf_dir_find(dir->dir, name, &entry);

    if (error != -ENOENT) {
        return error ? error : -EEXIST;
    }
    return udf_dir_prepare(op->volume, dir, name);
}

/* Fills what belongs to the type: a directory's first FID, a link's target. */
static int fill_new(struct udf_op *op, struct udf_node *node,
                    const struct udf_node *parent,
                    const struct udf_make *make) {
    if (S_ISDIR(make->mode)) {
        return udf_dir_begin(op->volume, node, parent);
    }
    return S_ISLNK(make->mode) ? udf_symlink_write(op, node, make->target) : 0;
}

/* A directory with the set-group-ID bit hands its group on, and the bit to
 * directories. The umask counts where no default list does. */
static struct udf_node_seed seed_of(const struct udf_node *parent,
                                    const struct udf_make *make,
                                    const struct udf_cred *cred, bool listed) {
    struct udf_node_seed seed = {
        .mode = listed ? make->mode : make->mode & ~make->umask,
        .uid = cred->uid,
        .gid = cred->gid,
        .rdev = make->rdev,
    };

    if (parent->attr.icb_flags & UDF_ICB_SETGID) {
        seed.gid = parent->attr.gid;
        if (S_ISDIR(make->mode)) {
            seed.mode |= S_ISGID;
        }
    }
    return seed;
}

/* Makes the object itself; no name leads to it yet. */
static int make_object(struct udf_op *op, struct udf_node *dir,
                       const struct udf_make *make, const struct udf_cred *cred,
                       struct udf_node **out_node) {
    struct udf_node_seed seed;
    struct udf_acl acl = {0};
    struct udf_node *node;
    int error = 0;

    if (!S_ISLNK(make->mode)) {
        error = udf_xattr_default_acl(op, dir, &acl);
    }
    if (error) {
        return error;
    }
    seed = seed_of(dir, make, cred, acl.bytes > 0);
    error = udf_node_new(op, &seed, &node);
    if (!error) {
        error = fill_new(op, node, dir, make);
        if (!error && acl.bytes > 0) {
            error = udf_xattr_inherit(op, node, seed.mode, &acl);
        }
        if (error) {
            udf_node_abandon(op->volume, node);
        }
    }
    free(acl.raw);
    if (!error) {
        *out_node = node;
    }
    return error;
}

int udf_tree_create(struct udf_op *op, uint64_t parent,
                    const struct udf_name *name, const struct udf_make *make,
                    const struct udf_cred *cred, struct udf_node **out_node) {
    struct udf_dir_target target;
    struct udf_node *dir, *node;
    int error = udf_tree_dir_to_change(op, parent, name, &dir);

    if (!error) {
        error = free_name(op, dir, name);
    }
    if (!error && S_ISDIR(make->mode) && dir->attr.links >= UDF_LINKS_MAX) {
        error = -EMLINK;
    }
    if (!error) {
        error = make_object(op, dir, make, cred, &node);
    }
    if (error) {
        return error;
    }
    target = udf_tree_target(node, node->attr.unique_id);
    udf_dir_add(op->volume, dir, name, &target);
    node->attr.links = 1;
    if (udf_node_is_dir(node)) {
        dir->attr.links++;
    }
    udf_node_changed(op, dir, true);
    udf_tree_count(op->volume, node, 1);
    *out_node = node;
    return 0;
}

int udf_tree_link(struct udf_op *op, uint64_t ino, uint64_t parent,
                  const struct udf_name *name, struct udf_node **out_node) {
    struct udf_dir_target target;
    struct udf_node *dir, *node;
    int error = udf_tree_dir_to_change(op, parent, name, &dir);

    if (!error) {
        error = udf_node_get(op, ino, &node);
    }
    if (!error &&
        (udf_node_is_dir(node) || udf_nonalloc_is(op->volume, node))) {
        error = -EPERM;
    }
    if (!error && node->orphan) {
        error = -ENOENT;
    }
    if (!error) {
        error = udf_node_fixed(op->volume, node);
    }
    if (!error) {
        error = udf_names_settle(op->volume, node);
    }
    if (!error && node->attr.links >= UDF_LINKS_MAX) {
        error = -EMLINK;
    }
    if (!error) {
        error = free_name(op, dir, name);
    }
    if (error) {
        return error;
    }
    /* A second name's FID has a UniqueID of its own. UDF 2.60 3.2.1.1. */
    target =
        udf_tree_target(node, udf_integrity_unique_id(&op->volume->integrity));
    udf_dir_add(op->volume, dir, name, &target);
    node->attr.links++;
    udf_node_changed(op, node, false);
    udf_node_changed(op, dir, true);
    udf_tree_count(op->volume, node, 1);
    *out_node = node;
    return 0;
}

/* ---- removing --------------------------------------------------------- */

int udf_tree_check_removal(struct udf_op *op, struct udf_node *node,
                           bool directory) {
    int error = udf_nonalloc_is(op->volume, node)
                    ? -EPERM
                    : udf_node_fixed(op->volume, node);

    if (!error) {
        error = udf_names_settle(op->volume, node);
    }
    if (error) {
        return error;
    }
    if (!directory && udf_node_is_dir(node)) {
        return -EISDIR;
    }
    if (directory) {
        error = udf_dir_load(op, node); /* -ENOTDIR for anything else */
        if (!error && !udf_dir_is_empty(node->dir)) {
            error = -ENOTEMPTY;
        }
        if (error) {
            return error;
        }
    }
    return directory || node->attr.links <= 1 ? udf_stream_hold(op, node) : 0;
}

void udf_tree_drop_name(struct udf_op *op, struct udf_node *dir,
                        struct udf_node *node) {
    udf_tree_count(op->volume, node, -1);
    if (udf_node_is_dir(node)) {
        dir->attr.links--;
        node->attr.links = 0;
    } else if (node->attr.links > 0) {
        node->attr.links--;
    }
    udf_node_changed(op, node, false);
    if (node->attr.links == 0) {
        udf_node_abandon(op->volume, node);
    }
}

int udf_tree_remove(struct udf_op *op, uint64_t parent,
                    const struct udf_name *name, bool directory) {
    struct udf_dir_entry entry;
    struct udf_node *dir, *node;
    int error = udf_tree_dir_to_change(op, parent, name, &dir);

    if (!error) {
        error = udf_dir_find(dir->dir, name, &entry);
    }
    if (!error) {
        error = udf_node_load(op, entry.icb, &node);
    }
    if (!error) {
        error = udf_tree_check_removal(op, node, directory);
    }
    if (error) {
        return error;
    }
    udf_dir_remove(op->volume, dir, &entry);
    udf_node_changed(op, dir, true);
    udf_tree_drop_name(op, dir, node);
    return 0;
}

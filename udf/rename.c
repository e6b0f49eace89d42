/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/rename.c - renaming and exchanging names. See udf/tree.h.
 *
 * The new name is a FID of its own, or the replaced name's FID led elsewhere;
 * then the old FID is deleted. Both happen in one transaction.
 */
#include <errno.h>
#include <stdio.h>

#include "udf/dir.h"
#include "udf/tree.h"
#include "udf/tree_priv.h"
#include "udf/volume.h"

enum { DEPTH_MAX = 4096 };

/* One end of a rename. */
struct end {
    struct udf_node *dir;
    bool exists;
    struct udf_dir_entry entry;
    struct udf_node *node; /* when it exists */
};

static int load_end(struct udf_op *op, const struct udf_place *place,
                    struct end *end) {
    int error = udf_tree_dir_to_change(op, place->dir, &place->name, &end->dir);

    if (error) {
        return error;
    }
    error = udf_dir_find(end->dir->dir, &place->name, &end->entry);
    if (error == -ENOENT) {
        return 0;
    }
    end->exists = true;
    error = error ? error : udf_node_load(op, end->entry.icb, &end->node);
    if (!error && udf_nonalloc_is(op->volume, end->node)) {
        error = -EPERM;
    }
    if (!error) {
        error = udf_node_fixed(op->volume, end->node);
    }
    return error ? error : udf_names_settle(op->volume, end->node);
}

/* -EINVAL when `node` is `dir` or above it. */
static int check_not_above(struct udf_op *op, const struct udf_node *node,
                           struct udf_node *dir) {
    unsigned depth = 0;

    for (;;) {
        struct udf_addr parent;
        int error;

        if (dir == node) {
            return -EINVAL;
        }
        if (dir->ino == UDF_ROOT_INO) {
            return 0;
        }
        if (depth++ > DEPTH_MAX) {
            return -EUCLEAN; /* a circle of parents */
        }
        error = udf_dir_load(op, dir);
        if (error) {
            return error;
        }
        parent = udf_dir_parent(dir->dir);
        error = udf_node_load(op, parent, &dir);
        if (error) {
            return error;
        }
    }
}

/* A directory that moves to another parent must have its index loaded, must
 * not move below itself, and the parent must be able to count it, unless it
 * comes in the place of another. */
static int check_move(struct udf_op *op, const struct end *from,
                      const struct end *to) {
    int error;

    if (!udf_node_is_dir(from->node) || from->dir == to->dir) {
        return 0;
    }
    if (to->dir->attr.links >= UDF_LINKS_MAX &&
        !(to->exists && udf_node_is_dir(to->node))) {
        return -EMLINK;
    }
    error = udf_dir_load(op, from->node);
    return error ? error : check_not_above(op, from->node, to->dir);
}

static int check_replace(struct udf_op *op, const struct end *from,
                         const struct end *to) {
    return udf_tree_check_removal(op, to->node, udf_node_is_dir(from->node));
}

/* Lets a moved directory know its new parent, and counts the FIDs that name
 * the parents. */
static void moved(struct udf_op *op, struct udf_node *node,
                  struct udf_node *from, struct udf_node *to) {
    if (!udf_node_is_dir(node) || from == to) {
        return;
    }
    udf_dir_reparent(op->volume, node, to);
    from->attr.links--;
    to->attr.links++;
}

static void note_changes(struct udf_op *op, const struct end *from,
                         const struct end *to) {
    udf_node_changed(op, from->dir, true);
    udf_node_changed(op, to->dir, true);
    udf_node_changed(op, from->node, false);
}

static int exchange(struct udf_op *op, struct end *from, struct end *to) {
    struct udf_dir_target at_to, at_from;
    int error = check_move(op, from, to);

    if (!error) {
        error = check_move(op, to, from);
    }
    if (error || from->node == to->node) {
        return error;
    }
    at_to = udf_tree_target(from->node, from->entry.unique_id);
    at_from = udf_tree_target(to->node, to->entry.unique_id);
    udf_dir_retarget(op->volume, to->dir, &to->entry, &at_to);
    udf_dir_retarget(op->volume, from->dir, &from->entry, &at_from);
    moved(op, from->node, from->dir, to->dir);
    moved(op, to->node, to->dir, from->dir);
    note_changes(op, from, to);
    udf_node_changed(op, to->node, false);
    return 0;
}

static int replace(struct udf_op *op, struct end *from, struct end *to) {
    struct udf_dir_target target =
        udf_tree_target(from->node, from->entry.unique_id);
    int error;

    if (from->node == to->node) {
        return 0; /* two names of one file: POSIX wants nothing done */
    }
    error = check_replace(op, from, to);
    if (error) {
        return error;
    }
    udf_dir_retarget(op->volume, to->dir, &to->entry, &target);
    udf_dir_remove(op->volume, from->dir, &from->entry);
    moved(op, from->node, from->dir, to->dir);
    note_changes(op, from, to);
    udf_tree_drop_name(op, to->dir, to->node);
    return 0;
}

static int move(struct udf_op *op, struct end *from, struct end *to,
                const struct udf_name *name) {
    struct udf_dir_target target =
        udf_tree_target(from->node, from->entry.unique_id);
    int error = udf_dir_prepare(op->volume, to->dir, name);

    if (error) {
        return error;
    }
    udf_dir_add(op->volume, to->dir, name, &target);
    udf_dir_remove(op->volume, from->dir, &from->entry);
    moved(op, from->node, from->dir, to->dir);
    note_changes(op, from, to);
    return 0;
}

int udf_tree_rename(struct udf_op *op, const struct udf_place *from,
                    const struct udf_place *to, unsigned flags) {
    struct end source = {0}, target = {0};
    int error;

    if (flags != 0 && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE) {
        return -EINVAL;
    }
    error = load_end(op, from, &source);
    if (!error) {
        error = load_end(op, to, &target);
    }
    if (!error && !source.exists) {
        error = -ENOENT;
    }
    if (error) {
        return error;
    }
    if (flags == RENAME_EXCHANGE) {
        return target.exists ? exchange(op, &source, &target) : -ENOENT;
    }
    if (target.exists && flags == RENAME_NOREPLACE) {
        return -EEXIST;
    }
    error = check_move(op, &source, &target);
    if (error) {
        return error;
    }
    return target.exists ? replace(op, &source, &target)
                         : move(op, &source, &target, &to->name);
}

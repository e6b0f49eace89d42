/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/udf.c - the public operations on names: what each does in one turn;
 * udf/perform.h does the rest. Those on data and attributes are in
 * udf/udf_data.c.
 */
#include "udf/udf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "udf/attr.h"
#include "udf/dir.h"
#include "udf/perform.h"
#include "udf/symlink.h"
#include "udf/tree.h"
#include "udf/tree_priv.h"
#include "udf/volume.h"

/* ---- looking up and references ---------------------------------------- */

struct lookup {
    uint64_t parent;
    const struct udf_name *name;
    struct udf_stat *out_stat;
};

static int look_up(struct udf_op *op, void *context) {
    const struct lookup *lookup = context;
    struct udf_node *node;
    int error = udf_tree_lookup(op, lookup->parent, lookup->name, &node);

    if (!error) {
        error = udf_refs_add(&op->volume->nodes.refs, node->ino);
    }
    if (!error) {
        udf_node_stat(op->volume, node, lookup->out_stat);
    }
    return error;
}

int udf_lookup(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name, struct udf_stat *out_stat) {
    struct lookup lookup = {
        .parent = parent, .name = name, .out_stat = out_stat};

    return udf_perform_read(volume, look_up, &lookup);
}

static int forget(struct udf_op *op, void *context) {
    const uint64_t *ino = context;

    return udf_node_forgotten(op, *ino);
}

void udf_forget(struct udf_volume *volume, uint64_t ino, uint64_t count) {
    if (udf_refs_drop(&volume->nodes.refs, ino, count) == 0) {
        (void)udf_perform_read(volume, forget, &ino);
    }
}

/* ---- changing names --------------------------------------------------- */

/* A new name, of a new object or of one that is there. */
struct naming {
    uint64_t parent;
    const struct udf_name *name;
    const struct udf_make *make; /* what is made, by whom ... */
    const struct udf_cred *cred;
    uint64_t ino; /* ... or what is linked */
    struct udf_stat *out_stat;
};

static int give_name(struct udf_op *op, void *context) {
    const struct naming *naming = context;
    struct udf_refs *refs = &op->volume->nodes.refs;
    struct udf_node *node;
    int error = udf_refs_reserve(refs);

    if (!error && naming->make) {
        error = udf_tree_create(op, naming->parent, naming->name, naming->make,
                                naming->cred, &node);
    } else if (!error) {
        error =
            udf_tree_link(op, naming->ino, naming->parent, naming->name, &node);
    }
    if (!error) {
        (void)udf_refs_add(refs, node->ino); /* reserved */
        udf_node_stat(op->volume, node, naming->out_stat);
    }
    return error;
}

int udf_create(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name, const struct udf_make *make,
               const struct udf_cred *cred, struct udf_stat *out_stat) {
    struct naming naming = {.parent = parent,
                            .name = name,
                            .make = make,
                            .cred = cred,
                            .out_stat = out_stat};

    return udf_perform_change(volume, give_name, &naming);
}

int udf_link(struct udf_volume *volume, uint64_t ino, uint64_t parent,
             const struct udf_name *name, struct udf_stat *out_stat) {
    struct naming naming = {
        .parent = parent, .name = name, .ino = ino, .out_stat = out_stat};

    return udf_perform_change(volume, give_name, &naming);
}

struct removal {
    uint64_t parent;
    const struct udf_name *name;
    bool directory;
};

static int remove_name(struct udf_op *op, void *context) {
    const struct removal *removal = context;

    return udf_tree_remove(op, removal->parent, removal->name,
                           removal->directory);
}

int udf_unlink(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name) {
    struct removal removal = {.parent = parent, .name = name};

    return udf_perform_change(volume, remove_name, &removal);
}

int udf_rmdir(struct udf_volume *volume, uint64_t parent,
              const struct udf_name *name) {
    struct removal removal = {
        .parent = parent, .name = name, .directory = true};

    return udf_perform_change(volume, remove_name, &removal);
}

struct renaming {
    const struct udf_place *from, *to;
    unsigned flags;
};

static int rename_one(struct udf_op *op, void *context) {
    const struct renaming *renaming = context;

    return udf_tree_rename(op, renaming->from, renaming->to, renaming->flags);
}

int udf_rename(struct udf_volume *volume, const struct udf_place *from,
               const struct udf_place *to, unsigned flags) {
    struct renaming renaming = {.from = from, .to = to, .flags = flags};

    return udf_perform_change(volume, rename_one, &renaming);
}

/* ---- listing ---------------------------------------------------------- */

enum {
    COOKIE_DOT = 1,
    COOKIE_DOTDOT = 2,
    COOKIE_FIRST = 3, /* plus a position in the stream / 4 */
    FID_ALIGN = 4
};

struct listing {
    uint64_t ino, cookie; /* of the directory; where to go on */
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
static int give_entry(struct udf_op *op, struct listing *listing,
                      const struct udf_dir_entry *found, bool *out_full) {
    struct udf_volume *volume = op->volume;
    bool directory = found->characteristics & 2u;
    struct udf_node *node = NULL;
    struct udf_dirent entry = {
        .name = {.text = found->name, .len = (uint32_t)strlen(found->name)},
        .cookie = COOKIE_FIRST +
                  (uint64_t)(found->position + found->bytes) / FID_ALIGN,
        .stat = {.ino = udf_node_ino(volume, found->icb)},
    };

    if (listing->plus) {
        int error = udf_node_load(op, found->icb, &node);

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
    return node && !*out_full ? udf_refs_add(&volume->nodes.refs, node->ino)
                              : 0;
}

static int list_names(struct udf_op *op, struct listing *listing,
                      const struct udf_dir *dir) {
    uint64_t position = listing->cookie < COOKIE_FIRST
                            ? 0
                            : (listing->cookie - COOKIE_FIRST) * FID_ALIGN;
    struct udf_dir_entry entry;
    bool full = false;

    while (!full && position < UINT32_MAX &&
           udf_dir_next(dir, (uint32_t)position, &entry) == 0) {
        int error = give_entry(op, listing, &entry, &full);

        if (error) {
            return error;
        }
        position = (uint64_t)entry.position + entry.bytes;
    }
    return 0;
}

static int list(struct udf_op *op, void *context) {
    struct listing *listing = context;
    struct udf_node *dir;
    int error = udf_tree_dir(op, listing->ino, &dir);

    if (error) {
        return error;
    }
    if (listing->cookie < COOKIE_DOT &&
        !give_dot(listing, ".", listing->ino, COOKIE_DOT)) {
        return 0;
    }
    if (listing->cookie < COOKIE_DOTDOT &&
        !give_dot(listing, "..",
                  udf_node_ino(op->volume, udf_dir_parent(dir->dir)),
                  COOKIE_DOTDOT)) {
        return 0;
    }
    error = list_names(op, listing, dir->dir);
    /* What was given cannot be taken back: a short list is right. */
    return error == UDF_MISS && listing->given > 0 ? 0 : error;
}

int udf_readdir(struct udf_volume *volume, uint64_t ino, uint64_t cookie,
                bool plus, udf_dirent_sink *sink, void *context) {
    struct listing listing = {.ino = ino,
                              .cookie = cookie,
                              .plus = plus,
                              .sink = sink,
                              .context = context};

    return udf_perform_read(volume, list, &listing);
}

struct link_text {
    uint64_t ino;
    char *buf;
    uint32_t buf_bytes;
};

static int read_link(struct udf_op *op, void *context) {
    const struct link_text *text = context;
    struct udf_node *node;
    int error = udf_node_get(op, text->ino, &node);

    return error ? error
                 : udf_symlink_read(op, node, text->buf, text->buf_bytes);
}

int udf_readlink(struct udf_volume *volume, uint64_t ino, char *buf,
                 uint32_t buf_bytes) {
    struct link_text text = {.ino = ino, .buf = buf, .buf_bytes = buf_bytes};

    return udf_perform_read(volume, read_link, &text);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/xattr.c - the public operations on extended attributes, which are named
 * streams (udf/stream.h) under other names (udf/xattr_name.h); and the one that
 * is none, the creation time. See udf/perform.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "udf/dir.h"
#include "udf/file.h"
#include "udf/perform.h"
#include "udf/stream.h"
#include "udf/udf.h"
#include "udf/volume.h"
#include "udf/xattr.h"
#include "udf/xattr_name.h"

#define BTIME "user.udf.btime"

enum { BTIME_BYTES = 32 };

/* The attribute that an operation is about. */
struct sought {
    const char *name;
    char stream[UDF_XATTR_STREAM_BYTES];
    bool metadata;
};

static int seek(const char *name, struct sought *out) {
    out->name = name;
    return udf_xattr_to_stream(name, out->stream, &out->metadata);
}

/* ---- finding ----------------------------------------------------------- */

/* Looks through the names that are longer than any attribute's. */
static int find_shortened(const struct udf_dir *dir, const char *name,
                          struct udf_dir_entry *out_entry) {
    char shown[UDF_XATTR_NAME_MAX + 1];
    uint64_t position = 0;

    while (udf_dir_next(dir, (uint32_t)position, out_entry) == 0) {
        udf_xattr_of_stream(out_entry->name, shown);
        if (strcmp(shown, name) == 0) {
            return 0;
        }
        position = (uint64_t)out_entry->position + out_entry->bytes;
    }
    return -ENODATA;
}

/* Finds the entry of an attribute. Returns 0; -ENODATA; or an error. */
static int find(struct udf_op *op, struct udf_node *node,
                const struct sought *sought, struct udf_dir_entry *out_entry) {
    struct udf_name name = {.text = sought->stream,
                            .len = (uint32_t)strlen(sought->stream)};
    struct udf_node *dir;
    int error = udf_stream_dir(op, node, &dir);

    if (!error) {
        error = udf_dir_find(dir->dir, &name, out_entry);
    }
    if (error == -ENOENT && strlen(sought->name) > UDF_XATTR_NAME_MAX - 4) {
        error = find_shortened(dir->dir, sought->name, out_entry);
    }
    return error == -ENOENT ? -ENODATA : error;
}

/* ---- creation time ----------------------------------------------------- */

static uint32_t print_btime(const struct udf_time *time, char *out_text) {
    int64_t seconds = time->sec;
    uint32_t micro = time->nsec / 1000;
    const char *sign = "";

    if (seconds < 0) {
        /* -0.25 s is kept as -1 s and 0.75 s. */
        sign = "-";
        seconds = micro > 0 ? -(seconds + 1) : -seconds;
        micro = micro > 0 ? 1000000 - micro : 0;
    }
    return (uint32_t)snprintf(out_text, BTIME_BYTES, "%s%" PRId64 ".%06" PRIu32,
                              sign, seconds, micro);
}

/* Seconds since 1970, with or without sign and fraction. */
static int read_btime(const char *value, size_t bytes,
                      struct udf_time *out_time) {
    char text[BTIME_BYTES];
    int64_t seconds, micro = 0;
    char *end;
    bool negative;

    if (bytes == 0 || bytes >= sizeof(text)) {
        return -EINVAL;
    }
    memcpy(text, value, bytes);
    text[bytes] = '\0';
    negative = text[0] == '-';
    if (text[negative] < '0' || text[negative] > '9') {
        return -EINVAL;
    }
    errno = 0;
    seconds = strtoll(text + negative, &end, 10);
    if (errno) {
        return -EINVAL;
    }
    if (*end == '.') {
        int64_t unit = 100000;

        for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10) {
            micro += (*end - '0') * unit;
        }
    }
    if (*end != '\0') {
        return -EINVAL;
    }
    if (negative) {
        seconds = micro > 0 ? -seconds - 1 : -seconds;
        micro = micro > 0 ? 1000000 - micro : 0;
    }
    *out_time =
        (struct udf_time){.sec = seconds, .nsec = (uint32_t)micro * 1000};
    return 0;
}

static int set_btime(struct udf_op *op, struct udf_node *node,
                     const struct udf_time *time) {
    struct udf_volume *volume = op->volume;
    struct udf_time before = node->attr.btime;
    int error = 0;

    if (!node->kept.extended && udf_node_is_dir(node)) {
        error = udf_dir_load(op, node);
        error = error ? error
                      : udf_dir_make_room(volume, node, UDF_NODE_BTIME_BYTES);
    } else if (!node->kept.extended) {
        error = udf_file_make_room(volume, node, UDF_NODE_BTIME_BYTES);
    }
    if (error) {
        return error;
    }
    node->attr.btime = *time;
    error = udf_node_keep_btime(volume, node);
    if (error) {
        node->attr.btime = before;
        return error;
    }
    udf_node_changed(op, node, false);
    return 0;
}

/* ---- reading ----------------------------------------------------------- */

int udf_xattr_read(struct udf_op *op, struct udf_node *node, const char *name,
                   void *buf, uint32_t room, uint32_t *out_bytes) {
    struct udf_dir_entry entry;
    struct udf_node *stream;
    struct sought sought;
    char text[BTIME_BYTES];
    int error = seek(name, &sought);

    if (error) {
        return error == -EINVAL ? -ENODATA : error;
    }
    if (strcmp(name, BTIME) == 0) {
        *out_bytes = print_btime(&node->attr.btime, text);
        if (room >= *out_bytes) {
            memcpy(buf, text, *out_bytes);
        }
        return room == 0 || room >= *out_bytes ? 0 : -ERANGE;
    }
    error = find(op, node, &sought, &entry);
    if (!error) {
        error = udf_stream_load(op, &entry, &stream);
    }
    if (!error && stream->body.size > UDF_XATTR_BYTES_MAX) {
        error = -E2BIG;
    }
    if (error) {
        return error;
    }
    *out_bytes = (uint32_t)stream->body.size;
    if (room == 0) {
        return 0;
    }
    return room < *out_bytes
               ? -ERANGE
               : udf_file_read(op, stream, 0, room, buf, out_bytes);
}

struct reading {
    uint64_t ino;
    const char *name;
    void *buf;
    uint32_t room;
    uint32_t *out_bytes;
};

static int get(struct udf_op *op, void *context) {
    const struct reading *wanted = context;
    struct udf_node *node;
    int error = udf_node_get(op, wanted->ino, &node);

    return error ? error
                 : udf_xattr_read(op, node, wanted->name, wanted->buf,
                                  wanted->room, wanted->out_bytes);
}

int udf_getxattr(struct udf_volume *volume, uint64_t ino, const char *name,
                 void *buf, uint32_t room, uint32_t *out_bytes) {
    struct reading wanted = {.ino = ino,
                             .name = name,
                             .buf = buf,
                             .room = room,
                             .out_bytes = out_bytes};

    return udf_perform_read(volume, get, &wanted);
}

struct listing {
    uint64_t ino;
    udf_xattr_sink *sink;
    void *context;
};

static int list(struct udf_op *op, void *context) {
    const struct listing *listing = context;
    char shown[UDF_XATTR_NAME_MAX + 1];
    struct udf_dir_entry entry;
    struct udf_node *node, *dir;
    uint64_t position = 0;
    int error = udf_node_get(op, listing->ino, &node);

    if (!error) {
        error = udf_stream_dir(op, node, &dir);
    }
    if (error) {
        return error == -ENODATA ? 0 : error;
    }
    while (udf_dir_next(dir->dir, (uint32_t)position, &entry) == 0) {
        udf_xattr_of_stream(entry.name, shown);
        listing->sink(listing->context, shown);
        position = (uint64_t)entry.position + entry.bytes;
    }
    return 0;
}

int udf_listxattr(struct udf_volume *volume, uint64_t ino, udf_xattr_sink *sink,
                  void *context) {
    struct listing listing = {.ino = ino, .sink = sink, .context = context};

    return udf_perform_read(volume, list, &listing);
}

/* ---- changing ---------------------------------------------------------- */

int udf_xattr_write(struct udf_op *op, struct udf_node *node, const char *name,
                    const struct udf_xattr *value) {
    struct udf_stream_value made = {.bytes = value->bytes,
                                    .count = value->count};
    struct udf_dir_entry entry;
    struct sought sought;
    int error = seek(name, &sought);

    if (!error) {
        error = find(op, node, &sought, &entry);
    }
    if (error && error != -ENODATA) {
        return error;
    }
    if (error && value->flags & XATTR_REPLACE) {
        return -ENODATA;
    }
    if (!error && value->flags & XATTR_CREATE) {
        return -EEXIST;
    }
    made.name = (struct udf_name){.text = sought.stream,
                                  .len = (uint32_t)strlen(sought.stream)};
    made.metadata = sought.metadata;
    return udf_stream_put(op, node, error ? NULL : &entry, &made);
}

/* An attribute that is set, or, without a value, removed. */
struct change {
    uint64_t ino;
    const char *name;
    const struct udf_xattr *value;
};

static int set(struct udf_op *op, void *context) {
    const struct change *change = context;
    const struct udf_xattr *value = change->value;
    struct udf_node *node;
    struct udf_time time;
    int error = udf_node_get(op, change->ino, &node);

    if (!error) {
        error = udf_node_fixed(op->volume, node);
    }
    if (error) {
        return error;
    }
    if (strcmp(change->name, UDF_XATTR_ACL_ACCESS) == 0) {
        return udf_xattr_set_access(op, node, value);
    }
    if (strcmp(change->name, BTIME) != 0) {
        return udf_xattr_write(op, node, change->name, value);
    }
    error = value->flags & XATTR_CREATE
                ? -EEXIST
                : read_btime(value->bytes, value->count, &time);
    return error ? error : set_btime(op, node, &time);
}

int udf_setxattr(struct udf_volume *volume, uint64_t ino, const char *name,
                 const struct udf_xattr *value) {
    struct change change = {.ino = ino, .name = name, .value = value};

    return value->count > UDF_XATTR_BYTES_MAX
               ? -E2BIG
               : udf_perform_write(volume, set, &change);
}

int udf_xattr_remove(struct udf_op *op, struct udf_node *node,
                     const char *name) {
    struct udf_dir_entry entry;
    struct sought sought;
    int error = seek(name, &sought);

    if (error) {
        return error == -EINVAL ? -ENODATA : error;
    }
    if (strcmp(name, BTIME) == 0) {
        return -EPERM; /* every object has one */
    }
    error = find(op, node, &sought, &entry);
    return error ? error : udf_stream_remove(op, node, &entry);
}

static bool is_list(const char *name) {
    return strcmp(name, UDF_XATTR_ACL_ACCESS) == 0 ||
           strcmp(name, UDF_XATTR_ACL_DEFAULT) == 0;
}

static int remove_one(struct udf_op *op, void *context) {
    const struct change *change = context;
    struct udf_node *node;
    int error = udf_node_get(op, change->ino, &node);

    if (!error) {
        error = udf_node_fixed(op->volume, node);
    }
    if (!error) {
        error = udf_xattr_remove(op, node, change->name);
    }
    /* Without a list the mode is the list, and there is nothing to remove. */
    return error == -ENODATA && is_list(change->name) ? 0 : error;
}

int udf_removexattr(struct udf_volume *volume, uint64_t ino, const char *name) {
    struct change change = {.ino = ino, .name = name};

    return udf_perform_change(volume, remove_one, &change);
}

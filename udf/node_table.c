/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/node_table.c - the nodes that are in memory: found by number, and dropped
 * when there are too many. See udf/node.h.
 *
 * Which nodes go is found by going round (the "clock" of paging): a node that
 * was used since the hand last came by stays for one more round. References
 * from above do not keep a node: its number leads to its file entry again.
 */
#include "udf/node.h"

#include <errno.h>
#include <stdlib.h>

#include "udf/dir.h"
#include "udf/node_load.h"

enum {
    FIRST_BUCKETS = 1024,
    NODES_MAX = 16384,        /* kept in memory */
    DIR_BYTES_MAX = 32 << 20, /* of directories kept in memory */
    TRIM_TRIES = 64           /* nodes looked at in one go */
};

/* ---- the table -------------------------------------------------------- */

int udf_nodes_init(struct udf_nodes *nodes) {
    *nodes = (struct udf_nodes){.buckets = FIRST_BUCKETS};
    nodes->bucket = calloc(nodes->buckets, sizeof(nodes->bucket[0]));
    return udf_refs_init(&nodes->refs) || !nodes->bucket ? -ENOMEM : 0;
}

void udf_node_destroy(struct udf_nodes *nodes, struct udf_node *node) {
    if (!node) {
        return;
    }
    if (node->dir) {
        nodes->dir_bytes -= udf_dir_memory(node->dir);
    }
    udf_dir_free(node->dir);
    udf_extents_free(&node->body.extents);
    udf_dirty_drop(&node->body.dirty, 0, UINT64_MAX);
    free(node->body.inline_data);
    free(node->body.aed);
    free(node->kept.ea);
    free(node->kept.maker);
    free(node->chain.runs);
    free(node);
}

void udf_nodes_drop_loading(struct udf_nodes *nodes) {
    if (nodes->loading) {
        udf_node_destroy(nodes, udf_node_loading_node(nodes->loading));
        udf_node_loading_free(nodes->loading);
        nodes->loading = NULL;
    }
}

void udf_nodes_free(struct udf_nodes *nodes) {
    udf_nodes_drop_loading(nodes);
    for (size_t i = 0; nodes->bucket && i < nodes->buckets; i++) {
        while (nodes->bucket[i]) {
            struct udf_node *node = nodes->bucket[i];

            nodes->bucket[i] = node->hash_next;
            udf_node_destroy(nodes, node);
        }
    }
    udf_refs_free(&nodes->refs);
    free(nodes->bucket);
    *nodes = (struct udf_nodes){0};
}

static struct udf_node **bucket_of(const struct udf_nodes *nodes,
                                   uint64_t ino) {
    uint64_t hash = ino * 0x9E3779B97F4A7C15u;

    return &nodes->bucket[(hash >> 32) & (nodes->buckets - 1)];
}

struct udf_node *udf_node_find(const struct udf_nodes *nodes, uint64_t ino) {
    struct udf_node *node = *bucket_of(nodes, ino);

    while (node && node->ino != ino) {
        node = node->hash_next;
    }
    if (node) {
        atomic_store_explicit(&node->used, true, memory_order_relaxed);
    }
    return node;
}

/* A table that cannot grow is slower, not wrong. */
static void table_grow(struct udf_nodes *nodes) {
    struct udf_nodes bigger = {.buckets = nodes->buckets * 4};

    bigger.bucket = calloc(bigger.buckets, sizeof(bigger.bucket[0]));
    if (!bigger.bucket) {
        return;
    }
    for (size_t i = 0; i < nodes->buckets; i++) {
        while (nodes->bucket[i]) {
            struct udf_node *node = nodes->bucket[i];
            struct udf_node **to = bucket_of(&bigger, node->ino);

            nodes->bucket[i] = node->hash_next;
            node->hash_next = *to;
            *to = node;
        }
    }
    free(nodes->bucket);
    nodes->bucket = bigger.bucket;
    nodes->buckets = bigger.buckets;
}

/* The ring of all nodes; `hand` is the next to be looked at. */
static void ring_add(struct udf_nodes *nodes, struct udf_node *node) {
    if (!nodes->hand) {
        node->ring_next = node;
        node->ring_prev = node;
        nodes->hand = node;
        return;
    }
    node->ring_next = nodes->hand;
    node->ring_prev = nodes->hand->ring_prev;
    node->ring_prev->ring_next = node;
    node->ring_next->ring_prev = node;
}

static void ring_remove(struct udf_nodes *nodes, struct udf_node *node) {
    if (nodes->hand == node) {
        nodes->hand = node->ring_next == node ? NULL : node->ring_next;
    }
    node->ring_prev->ring_next = node->ring_next;
    node->ring_next->ring_prev = node->ring_prev;
}

void udf_nodes_add(struct udf_nodes *nodes, struct udf_node *node) {
    struct udf_node **bucket;

    /* What was read of this place before is old from now on. */
    if (nodes->loading &&
        udf_node_loading_node(nodes->loading)->ino == node->ino) {
        udf_nodes_drop_loading(nodes);
    }
    if (nodes->count >= nodes->buckets * 2) {
        table_grow(nodes);
    }
    bucket = bucket_of(nodes, node->ino);
    node->hash_next = *bucket;
    *bucket = node;
    nodes->count++;
    ring_add(nodes, node);
}

void udf_nodes_remove(struct udf_nodes *nodes, struct udf_node *node) {
    struct udf_node **link = bucket_of(nodes, node->ino);

    while (*link != node) {
        link = &(*link)->hash_next;
    }
    *link = node->hash_next;
    nodes->count--;
    ring_remove(nodes, node);
    udf_node_destroy(nodes, node);
}

static bool may_go(const struct udf_node *node) {
    return !node->dirty && !node->orphan && node->pins == 0 &&
           !node->body.preallocated && node->ino != UDF_ROOT_INO;
}

void udf_nodes_trim(struct udf_nodes *nodes) {
    if (nodes->held) {
        return;
    }
    for (unsigned tries = 0;
         tries < TRIM_TRIES && nodes->hand &&
         (nodes->count > NODES_MAX || nodes->dir_bytes > DIR_BYTES_MAX);
         tries++) {
        struct udf_node *node = nodes->hand;

        nodes->hand = node->ring_next;
        if (!atomic_exchange_explicit(&node->used, false,
                                      memory_order_relaxed) &&
            may_go(node)) {
            udf_nodes_remove(nodes, node);
        }
    }
}

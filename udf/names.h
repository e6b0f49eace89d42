/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/names.h - how many names a file has, where its link count leaves that
 * open. ECMA-167 4/14.9.6.
 *
 * The parent FID of a stream directory is a link to its owner, but some writers
 * do not count it for files. So a file entry of another writer with streams and
 * a link count of n > 1 is a file of n names or of n-1, and who takes it for
 * the latter may lose the content of a file that still has a name.
 *
 *  1. A file in doubt has node->kept.maker. It is taken to have n-1 names, and
 *     its entry keeps count and maker when it is written: the doubt lasts.
 *  2. Before a name of it comes, goes or moves, the doubt is settled. That
 *     takes one walk over all directories, for all files of the volume: an
 *     operation that needs it returns UDF_DOUBT, having changed nothing, and
 *     is started again by udf/perform.c after udf_names_count().
 *  3. Where a directory cannot be read, files keep the name too many: space is
 *     lost then, and not content.
 */
#ifndef UDF_NAMES_H
#define UDF_NAMES_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "udf/refs.h"

struct udf_fe;
struct udf_node;
struct udf_volume;

/* "Count the names first": never leaves udf/. */
#define UDF_DOUBT (-EDEADLK)

struct udf_names {
    pthread_mutex_t mutex; /* of who counts */
    bool known;            /* volume lock */
    bool unsure;           /* some directories could not be read */
    struct udf_refs more;  /* names of a file beyond its first */
};

/* Returns 0 or -ENOMEM. */
int udf_names_init(struct udf_names *names);
void udf_names_free(struct udf_names *names);

/* Whether a file entry leaves its names in doubt. */
bool udf_names_doubtful(const struct udf_fe *fe);

/* Makes sure that the node's link count is right. Lock held alone. Returns 0
 * or UDF_DOUBT. */
int udf_names_settle(struct udf_volume *volume, struct udf_node *node);

/* Ends the doubt without counting, on the safe side: for an owner that loses
 * its last stream. Lock held alone. */
void udf_names_keep(struct udf_node *node);

/* For the end of an operation: counts if *error is UDF_DOUBT. Returns whether
 * the operation is to be started again; *error becomes what counting failed
 * with. */
bool udf_names_count(struct udf_volume *volume, int *error);

#endif

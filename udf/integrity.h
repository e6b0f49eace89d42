/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/integrity.h - the logical volume integrity descriptor (LVID): whether
 * the volume is closed, how many files it has, the next UniqueID.
 * ECMA-167 3/10.10, UDF 2.60 2.2.6.
 *
 * On the disc, LVIDs form a run of sectors of which the last one counts. Where
 * the extent has packets of its own (volumes formatted here), a new LVID is
 * appended behind the last one, so that a packet is rewritten for 31 of 32
 * changes while its older content still tells the truth; the last sector of a
 * packet always gets an OPEN one without a journal. A torn packet is then never
 * read as an old CLOSE, nor leads to an old journal: the packet before it ends
 * with that OPEN. A full extent starts again: first all packets but the first
 * are cleared, then the first is written anew. Elsewhere the LVID is rewritten
 * in its place.
 *
 * States: closed --first change--> open --unmount--> closed. Nothing is written
 * by mounting or reading. An OPEN LVID names the journal (udf/mark.h), and no
 * LVID is written before what it holds is at home.
 */
#ifndef UDF_INTEGRITY_H
#define UDF_INTEGRITY_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/desc.h"

struct udf_volume;

/* What the LVID counts. */
struct udf_counts {
    uint32_t files, directories;
    uint64_t next_unique_id;
};

struct udf_integrity {
    struct udf_lvid lvid; /* counts as they are now; volume lock */
    uint32_t extent_lba;  /* the extent that holds the prevailing LVID */
    uint32_t extent_blocks;
    uint32_t slot; /* its sector in the extent; UINT32_MAX: none */
    bool found;    /* a readable LVID was there at mount */
    bool torn;     /* the sector behind it cannot be read */
    uint64_t sum;  /* checksum of its sector as it was read */
    /* when the last one that is on the medium was made, and the last one that
     * was written: how the disc is known again; committing thread */
    struct udf_time known, sent;
    bool open_on_disc;    /* an OPEN of this session; committing thread */
    bool touched;         /* this mount changed the volume; as before */
    bool append;          /* see the head of this file */
    uint32_t last_anchor; /* udf/mark.h; committing thread */
};

/* Reads the chain of LVIDs that begins at `extent`. Not finding one is no
 * error: `found` says so. Returns 0 or -ENOMEM, -ENODEV, -ENOMEDIUM. */
int udf_integrity_load(struct udf_volume *volume,
                       const struct udf_extent_ad *extent);

/* Makes up an LVID where none was found, with counts that are still to be
 * taken (udf_rebuild()), so that the volume can be closed again. After the
 * partition maps are known. */
void udf_integrity_invent(struct udf_volume *volume);

/* Writes the LVID as it is now and synchronises it. Called by the committing
 * thread, without the volume lock. Errors of blockdev_sync(). */
int udf_integrity_write(struct udf_volume *volume, bool closed);

/* Whether the medium, as it can be read now, ends its LVIDs with one that this
 * mount has read or written. Returns 0; -ENOMEDIUM when it is another's; -EIO,
 * -ENODEV. Committing thread. */
int udf_integrity_recognise(struct udf_volume *volume);

/* The counts as they are now. Volume lock. */
struct udf_counts udf_integrity_counts(const struct udf_integrity *integrity);

/* The next UniqueID. Volume lock alone. UDF 2.60 3.2.1.1. */
uint64_t udf_integrity_unique_id(struct udf_integrity *integrity);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/ledger.h - the wear ledger of a mounted volume: how often each packet of
 * its medium was written, over the medium's life (udf/wear.h).
 *
 *   on the disc --udf_ledger_load()--> in memory --udf_ledger_save()--> on it
 *
 * It is loaded by the first change of a mount, or when somebody asks for it.
 * What was written since then is the device's to count. Saving writes the
 * pieces that have changed, without waiting for them: the next synchronisation
 * takes them along. Nothing depends on when that is. What the device does not
 * take is saved the next time.
 *
 * A ledger that cannot be read counts from 0; one that there is no memory for,
 * or that cannot be written, is left alone for the rest of the mount. None of
 * these is an error of the volume.
 *
 * Locks: the committing thread, without the volume lock.
 */
#ifndef UDF_LEDGER_H
#define UDF_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/wear.h"

struct udf_volume;
struct blockdev_failure;

/* Where it is: outside of the partition, fixed. */
struct udf_ledger_area {
    uint32_t lba;
    uint32_t pieces; /* with two places each; 0: there is no ledger */
    uint32_t unit;   /* blocks of a place */
    uint64_t serial; /* format serial of the volume */
};

struct udf_ledger {
    struct udf_ledger_area area;
    bool loaded;
    bool found;           /* it said something */
    bool lost;            /* it cannot be written */
    struct udf_wear wear; /* in memory when loaded */
    uint16_t *seen;       /* what the device had counted when it was added */
    uint64_t due_from;    /* packets that the device has written: it cannot be
                             due before */
    uint64_t number[UDF_WEAR_PIECES_MAX]; /* of the newest place, 0: none */
    uint8_t newest[UDF_WEAR_PIECES_MAX];  /* which place that is */
};

/* Reads the ledger, once. Returns 0, also when the volume has none, when it
 * says nothing, when the device has other packets than it counts, or when there
 * is no memory for it; -ENODEV; -ENOMEDIUM. */
int udf_ledger_load(struct udf_volume *volume);

/* Lets new files begin where the medium is worn least, and warns when a packet
 * comes near the end of its life. After loading; takes the volume lock. */
void udf_ledger_use(struct udf_volume *volume);

/* Whether a packet was written so often since the ledger was saved that a power
 * cut should not take it. */
bool udf_ledger_is_due(struct udf_volume *volume);

/* Hands what has changed to the device. */
void udf_ledger_save(struct udf_volume *volume);

/* Whether a packet that could not be written is of the ledger: it is given up
 * then. */
bool udf_ledger_give_up(struct udf_volume *volume,
                        const struct blockdev_failure *failure);

/* Gives up all packets of the ledger that could not be written. True when
 * there was one. */
bool udf_ledger_give_up_all(struct udf_volume *volume);

void udf_ledger_free(struct udf_ledger *ledger);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/cut_disc.h - the discs of the power-cut and fault campaigns:
 * small ones of every kind of medium, formatted here and by mkudffs, in a
 * test/support/cut_drive.h; mounted and checked in the test's own process.
 */
#ifndef TEST_CUT_DISC_H
#define TEST_CUT_DISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blockdev;
struct cut_drive;
struct mmc_disc;
struct udf_volume;

/* A disc of a name: "cdrw", "cdrw-mkudffs". */
struct cut_disc {
    const char *name;
    struct cut_drive *drive;
    const uint8_t **empty; /* the medium with an empty, closed volume */
};

/* The name of the i-th kind of disc, NULL past the end. */
const char *cut_disc_name(size_t i);

/* Makes a disc of that name, which must be one of those. */
void cut_disc_make(struct cut_disc *disc, const char *name);
void cut_disc_free(struct cut_disc *disc);

/* A mounted volume. */
struct cut_session {
    struct mmc_disc *disc;
    struct blockdev *dev;
    struct udf_volume *volume;
};

/* Mounts what is in the drive. Nothing is committed by itself. Returns 0 or
 * the error of udf_mount(). */
int cut_session_open(struct cut_session *session, struct cut_drive *drive);

/* Returns 0 or the first error of unmounting and closing. */
int cut_session_close(struct cut_session *session);

/* Adds the file CUT_AFTER_NAME, or writes to the one that an earlier session
 * added. Returns 0, also when the disc is full, or the error. */
int cut_volume_change(struct udf_volume *volume);

/* Whether the checker finds nothing on the disc, which is closed; else what it
 * finds first, in `text` (CUT_TEXT_BYTES). */
bool cut_disc_is_clean(struct cut_drive *drive, char *text);

#endif

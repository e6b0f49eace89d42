/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/replay.h - finding what the journal of a volume that was not closed
 * holds, and putting it into the overlay. Nothing is written: reading finds
 * the last commit there, and the first change, or unmounting, brings it home
 * (udf/checkpoint.h). So a mount for reading, or one on a drive that cannot
 * write, sees the same volume.
 *
 * The newest run that is whole counts, provided that the data packets it names
 * are there; with it all runs before it, back to its `first`. They are proven
 * by having been synchronised before the next was begun.
 *
 * A journal is stale, and is dropped as a whole, when the LVID is not the
 * sector that its runs recorded, or when a block that it would replace is
 * neither what it was at the last checkpoint, nor what some run made of it,
 * nor unreadable. That is looked at for some packets only: reading all of them
 * would take minutes, and whoever writes to a volume writes its LVID.
 */
#ifndef UDF_REPLAY_H
#define UDF_REPLAY_H

#include <stdbool.h>

struct udf_volume;

enum udf_replay_result {
    UDF_REPLAY_NONE, /* the LVID names no journal: counts are not known */
    UDF_REPLAY_DONE, /* the overlay and the counts are those of the last
                        commit; the journal goes on */
    UDF_REPLAY_STALE /* dropped, with a notice: counts are not known */
};

/* Called at mount, also of a closed volume, after the LVID was loaded and
 * before anything that a commit can change is read. Returns 0; -ENOMEM;
 * -ENODEV; -ENOMEDIUM. */
int udf_replay(struct udf_volume *volume, enum udf_replay_result *out_result);

/* Takes a borrowed journal's blocks out of what can be allocated. After the
 * space was loaded. Returns 0 or -EUCLEAN when they are in use. */
int udf_replay_keep_area(struct udf_volume *volume);

#endif

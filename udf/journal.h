/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/journal.h - the journal of a mounted volume: where it is, what is in it,
 * and appending a run (udf/run.h).
 *
 * The area is a ring of packets. A run lies in one piece and begins with a
 * packet; one that does not fit before the end of the area begins at its
 * start. Runs are numbered; `first` is the oldest that is still needed. A run
 * whose `first` is itself and that has no entries empties the journal.
 *
 *   none --udf_journal_begin()--> used --udf_journal_end()--> none
 *                                  ^ udf_replay() at a mount after a crash
 *
 * A session is the time from an OPEN LVID to the next LVID. The LVID names the
 * session and the area (udf/mark.h), and is synchronised before the first run;
 * it is written again only when everything is at home. So a torn LVID never
 * costs what is in the journal.
 *
 * Where it is: on a volume formatted here in the area that formatting set
 * aside (udf/own.h); elsewhere in free packets, which stay free on the disc.
 *
 * Bad packets: a run that cannot be written is written again, and it and those
 * behind it go where there is no packet that is known to be bad.
 *
 * Locks: all by the committing thread; `area` and `session` change under the
 * volume lock alone.
 */
#ifndef UDF_JOURNAL_H
#define UDF_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "udf/mark.h"
#include "udf/run.h"

struct udf_volume;

/* How far the journal reaches. Whoever keeps a copy can go back to it, when
 * what was appended since is not needed any more. */
struct udf_journal_place {
    uint32_t head;     /* packet at which the next run begins */
    uint32_t used;     /* packets from the first run that is needed to head */
    uint64_t previous; /* of the last run that counts */
    uint64_t first;    /* of the first that is needed; 0: empty */
    bool unproven;     /* the last run counts only if its packets are there */
};

struct udf_journal {
    uint64_t volume_sum, serial;      /* of the volume; fixed */
    struct udf_journal_area reserved; /* by formatting; packets 0: none */

    uint64_t session; /* 0: no journal is used */
    struct udf_journal_area area;
    uint64_t lvid;     /* checksum of the OPEN LVID's sector */
    uint64_t sequence; /* highest that was given */
    struct udf_journal_place at;
    /* Packets of the area at bad_lba that could not be written. */
    uint64_t bad[UDF_JOURNAL_PACKETS_MAX / 64];
    uint32_t bad_lba;
    bool replayed; /* the overlay is what a mount found */
    /* The last run that a mount found holds images that are not needed any
     * more when their packets are at home: then that is the place. */
    bool ends_with_images;
    struct udf_journal_place before_images;
    bool checkpoint; /* is under way: what is spare is for now */
    bool closing;    /* the next commit is the last */
    bool suspended; /* this session does without one; see udf_journal_leave() */
};

/* Whether changes are protected by a journal now. */
bool udf_journal_is_used(const struct udf_volume *volume);

/* Chooses area and session for an OPEN LVID that is about to be written, or
 * none when there is no room for a journal, or it is not wanted. What was
 * chosen for one that could not be written stays. Lock alone. */
void udf_journal_begin(struct udf_volume *volume);

/* Forgets the session, before a CLOSE is written; space that was borrowed is
 * held until the next checkpoint. Lock alone. */
void udf_journal_end(struct udf_volume *volume);

/* Makes the journal, which must be empty, long enough for a run of `blocks`,
 * by a new session in free space. Committing thread, without the lock. Returns
 * 0; -ENOSPC when there is no such space; errors of udf_integrity_write(). */
int udf_journal_lengthen(struct udf_volume *volume, uint64_t blocks);

/* Begins a new session, when everything is at home: that empties the journal,
 * too, but costs an LVID. Locks and errors as above. */
int udf_journal_renew(struct udf_volume *volume);

/* Goes on without a journal, which must be empty, until the next commit that
 * begins one. Locks and errors as above. */
int udf_journal_leave(struct udf_volume *volume);

/* What an LVID of now says of the journal. Returns false when it says
 * nothing. */
bool udf_journal_mark(const struct udf_volume *volume, bool closed,
                      struct udf_mark *out_mark);

/* Blocks that the next run may have at most, so that `spare` packets stay. */
uint32_t udf_journal_room(const struct udf_journal *journal, uint32_t spare);

/* Blocks that a run may have when the journal is empty; of the one that the
 * next session begins, if there is none. */
uint32_t udf_journal_capacity(const struct udf_journal *journal);

/* Packets that a commit leaves free: for the images of a checkpoint, and for
 * commits in the middle of one when packets go bad. */
uint32_t udf_journal_spare(const struct udf_journal *journal);

/* Whether it is time for a checkpoint. */
bool udf_journal_is_full(const struct udf_journal *journal);

/* Appends `run` (its head is filled in) and synchronises the device. *io_moved
 * becomes true when other packets proved to be bad (udf/badpacket.h): then the
 * run does not count. Returns 0; -ENOSPC when it does not fit so that `spare`
 * packets stay, also because packets of the area are bad: then it reaches no
 * further than before; -EIO also when nothing can be written there; errors of
 * udf_badpacket_sync(). */
int udf_journal_append(struct udf_volume *volume, struct udf_run *run,
                       uint32_t spare, bool *io_moved);

/* Appends the run that says that everything is at home, and synchronises. As
 * above. */
int udf_journal_empty(struct udf_volume *volume, bool *io_moved);

/* Whether the journal lies where formatting has set space aside for one. */
bool udf_journal_is_reserved(const struct udf_journal *journal);

#endif

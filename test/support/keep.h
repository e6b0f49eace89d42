/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/keep.h - a virtual disc as it was: its image and sidecar are
 * kept in memory, without their holes, and put back as often as a campaign
 * likes. Failures end the test.
 */
#ifndef TEST_KEEP_H
#define TEST_KEEP_H

struct keep;

/* Keeps the disc at `path`, whose drive is off. */
struct keep *keep_files(const char *path);

/* Puts it back; the drive is off. */
void keep_restore(const struct keep *keep);

/* NULL is accepted. */
void keep_free(struct keep *keep);

#endif

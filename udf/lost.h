/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/lost.h - the names of what never reached the disc.
 */
#ifndef UDF_LOST_H
#define UDF_LOST_H

struct udf_volume;

/* Logs the paths of files and directories whose last changes are not on the
 * disc, as far as the directories above them are in memory. For a volume that
 * could not be committed and that nobody uses any more. */
void udf_lost_log(struct udf_volume *volume);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/anchors.h - the anchors near the end of a volume that was made while its
 * medium was still being formatted in the background. ECMA-167 3/8.4.2.1.
 */
#ifndef UDF_ANCHORS_H
#define UDF_ANCHORS_H

struct udf_volume;

/* Writes the anchors at N-256 and N where they are missing, on a volume of our
 * own layout, once the medium is formatted throughout, and synchronises. The
 * next LVID says that they are there, so that they are looked for once: they
 * are two seeks away. Called by the committing thread. Returns 0 or an error of
 * reading or writing; then the volume is whole as it was without them, and
 * nobody waits for them. */
int udf_anchors_complete(struct udf_volume *volume);

#endif

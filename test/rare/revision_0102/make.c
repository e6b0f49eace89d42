/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDF 1.02: file entries, NSR02, tag version 2: a tree with one of each kind
 * of object.
 */
#include "test/rare/rare.h"

RARE_IMAGE(revision_0102) {
    return rare_revision(0x0102);
}

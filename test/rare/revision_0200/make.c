/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDF 2.00: extended file entries, NSR03, tag version 3: a tree with one of
 * each kind of object.
 */
#include "test/rare/rare.h"

RARE_IMAGE(revision_0200) {
    return rare_revision(0x0200);
}

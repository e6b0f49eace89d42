/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDF 1.50: a tree with one of each kind of object.
 */
#include "test/rare/rare.h"

RARE_IMAGE(revision_0150) {
    return rare_revision(0x0150);
}

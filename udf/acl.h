/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/acl.h - POSIX access control lists in the form of the attributes
 * system.posix_acl_access and system.posix_acl_default, acl(5), and what they
 * have to do with modes. Pure.
 *
 * The kernel enforces the lists; the file system keeps mode and access list
 * equal to each other, and hands a directory's default list on to what is made
 * in it. The group bits of a mode are the list's mask, where it has one.
 */
#ifndef UDF_ACL_H
#define UDF_ACL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Checks the form of a list, and gives the permission bits that go with it;
 * *out_minimal: they say all that the list says. Returns 0 or -EINVAL. */
int udf_acl_mode(const uint8_t *acl, uint32_t bytes, mode_t *out_bits,
                 bool *out_minimal);

/* chmod(2): sets the list's entries for owner, mask (or group) and others to
 * the bits of `mode`. A list that is malformed is left alone. */
void udf_acl_chmod(uint8_t *acl, uint32_t bytes, mode_t mode);

/* Makes the access list of a new object of the default list in `acl`: what
 * `mode` does not allow is taken away. Gives the mode with the list's
 * permission bits. Returns 0 or -EINVAL. */
int udf_acl_inherit(uint8_t *acl, uint32_t bytes, mode_t mode,
                    mode_t *out_mode);

#endif

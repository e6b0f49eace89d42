/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/path.h - the target of a symbolic link: a POSIX path to and from path
 * components. ECMA-167 4/8.7 and 4/14.16. Pure.
 */
#ifndef UDF_PATH_H
#define UDF_PATH_H

#include <stdint.h>

/* Encodes `target` into memory that the caller frees. Repeated and trailing
 * slashes have no form in path components and are dropped. Returns 0; -EILSEQ;
 * -ENAMETOOLONG for a component; -ENOENT for an empty target; -ENOMEM. */
int udf_path_encode(const char *target, uint8_t **out_raw, uint32_t *out_bytes);

/* Decodes `bytes` bytes into `room` bytes of NUL-terminated UTF-8. Returns 0;
 * -EUCLEAN; -ENAMETOOLONG. */
int udf_path_decode(const uint8_t *raw, uint32_t bytes, char *out_target,
                    uint32_t room);

#endif

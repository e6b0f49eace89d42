/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/attr.h - timestamps and permissions between disc and host form. Pure.
 * ECMA-167 1/7.3, 4/14.6.8, 4/14.9.5; UDF 2.60 3.1.1, 3.3.3.3.
 */
#ifndef UDF_ATTR_H
#define UDF_ATTR_H

#include <stdint.h>
#include <sys/types.h>

#include "udf/desc.h"

enum { UDF_TIMESTAMP_BYTES = 12, UDF_TZ_UNSET = -2047 };

/* Decodes a 12-byte timestamp. A time zone "not specified" is taken as UTC; a
 * date that is none (month 0) gives the epoch. Years -32768..32767. */
void udf_time_decode(const uint8_t *raw, struct udf_time *out_time);

/* Encodes into 12 bytes, type 1 (local time) with time->tz_minutes; times
 * outside years 1..9999 are clamped. */
void udf_time_encode(const struct udf_time *time, uint8_t *out_raw);

/* Permission bits and ICB flags to and from the 07777 bits of a mode. Bits of
 * UDF that a mode cannot hold (change attributes, delete) follow the rule of
 * the Linux driver: owner may change attributes; who may write may delete. */
mode_t udf_mode_decode(uint32_t permissions, uint16_t icb_flags,
                       uint8_t file_type);
uint32_t udf_permissions_encode(mode_t mode);
uint16_t udf_icb_flags_encode(mode_t mode, uint16_t old_flags);

/* File type of an ICB to S_IFMT bits and back; 0 when there is none. */
mode_t udf_type_decode(uint8_t file_type);
uint8_t udf_type_encode(mode_t mode);

#endif

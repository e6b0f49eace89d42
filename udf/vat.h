/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/vat.h - the virtual allocation table of media that can only be appended
 * to: where each block of a virtual partition was written last. Its file entry
 * is the last block that was written. Read only. UDF 1.50 2.2.10, UDF 2.60
 * 2.2.11.
 */
#ifndef UDF_VAT_H
#define UDF_VAT_H

#include <stdbool.h>
#include <stdint.h>

struct udf_lvid;
struct udf_volume;

/* What a table says beside its entries; UDF 1.50 has none of it there. */
struct udf_vat {
    bool present;
    bool counted; /* the rest is known */
    uint32_t files, directories;
    uint16_t min_read, min_write, max_write;
};

/* A table as it lies in its file. */
struct udf_vat_content {
    struct udf_vat vat;
    uint32_t first;   /* byte of the first entry */
    uint32_t entries; /* of 4 bytes */
};

/* Looks at the `bytes` bytes of a table; `old` is the form of UDF 1.50. Pure.
 * Returns 0 or -EUCLEAN. */
int udf_vat_decode(const uint8_t *raw, uint32_t bytes, bool old,
                   struct udf_vat_content *out);

/* Finds the last table and fills in virtual map `part`, whose partition's own
 * map is known, and volume->vat. Returns 0; -EUCLEAN when there is none;
 * -ENOMEM, -ENODEV, -ENOMEDIUM. Mounting. */
int udf_vat_load(struct udf_volume *volume, uint16_t part);

/* Enters the counts and revisions that the table knows; the integrity
 * descriptor of such a volume stays as it was made. Pure. UDF 2.60 2.2.11 */
void udf_vat_count(const struct udf_vat *vat, struct udf_lvid *lvid);

#endif

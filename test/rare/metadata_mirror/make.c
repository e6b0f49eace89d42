/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A metadata partition (UDF 2.60 2.2.10, 2.2.13) whose main file has a damaged
 * entry: everything is found through the mirror.
 */
#include "test/rare/rare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "udf/decode.h"
#include "udf/format.h"
#include "udf/layout.h"
#include "udf/udf.h"

enum { BLOCKS = 8192 };

static void put_file(struct blockdev *dev) {
    const struct udf_mount_options options = {.uid = 1000, .gid = 1000};
    const struct udf_name name = {.text = "file", .len = 4};
    const struct udf_make make = {.mode = S_IFREG | 0644};
    const struct udf_cred cred = {.uid = 1000, .gid = 1000};
    struct udf_volume *volume = NULL;
    struct udf_stat stat;

    assert_int_equal(udf_mount(dev, &options, &volume), 0);
    assert_int_equal(
        udf_create(volume, UDF_ROOT_INO, &name, &make, &cred, &stat), 0);
    assert_int_equal(udf_write(volume, stat.ino, 0, 7, "content"), 0);
    assert_int_equal(udf_unmount(volume), 0);
}

RARE_IMAGE(metadata_mirror) {
    const struct blockdev_geometry geometry = memdev_image(BLOCKS);
    const struct udf_format_options how = {
        .label = "Rare", .seed = 1, .now = 1577934245, .revision = 0x0250};
    struct memdev *mem = memdev_new(&geometry);
    struct udf_layout plan;
    uint32_t lba;

    assert_int_equal(udf_layout_plan(&geometry, &how, &plan), 0);
    assert_int_equal(udf_format(memdev_device(mem), &how), 0);
    put_file(memdev_device(mem));
    lba = plan.region[UDF_REGION_PARTITION].lba + plan.metadata.main_fe_lbn;
    assert_int_equal(memdev_medium(mem, lba)[27], UDF_FILE_METADATA);
    memdev_medium(mem, lba)[56] ^= 1; /* its CRC is wrong now */
    return mem;
}

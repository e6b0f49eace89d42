/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/mount_cold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/memdev.h"

struct udf_volume *mount_cold(struct memdev *mem,
                              const struct udf_mount_options *options) {
    struct udf_volume *volume = NULL;

    memdev_reboot(mem);
    memdev_set_cold(mem, true);
    assert_int_equal(udf_mount(memdev_device(mem), options, &volume), 0);
    return volume;
}

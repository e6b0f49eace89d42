/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/find.c - lists the optical drives of this machine (mmc/disc.h).
 *
 * libudev walks sysfs; what it finds is judged by sysfs attributes alone. The
 * udev database knows more (ID_CDROM...), but it is empty in containers, in
 * early boot and wherever udevd does not run.
 */
#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/disc.h"
#include "mmc/reply.h"

/* Copies at most `size` - 1 bytes of a sysfs string without the blanks that
 * SCSI pads with. */
static void copy_trimmed(char *out, size_t size, const char *text) {
    size_t len = text ? strlen(text) : 0;

    while (len && text[len - 1] == ' ') {
        len--;
    }
    len = len < size ? len : size - 1;
    if (len) {
        memcpy(out, text, len);
    }
    out[len] = 0;
}

/* Whether the SCSI device below `device` is an MMC one; sysfs says the
 * peripheral device type in decimal. */
static bool is_optical(struct udev_device *device) {
    const char *type = udev_device_get_sysattr_value(device, "device/type");

    return type && strtol(type, NULL, 10) == MMC_DEVICE_TYPE_MMC;
}

/* Describes one drive; false when it has no device node. */
static bool describe(struct udev_device *device, struct mmc_found *out) {
    const char *node = udev_device_get_devnode(device);
    char vendor[16], model[32];

    if (!node || strlen(node) >= sizeof(out->path)) {
        return false;
    }
    copy_trimmed(out->path, sizeof(out->path), node);
    copy_trimmed(vendor, sizeof(vendor),
                 udev_device_get_sysattr_value(device, "device/vendor"));
    copy_trimmed(model, sizeof(model),
                 udev_device_get_sysattr_value(device, "device/model"));
    snprintf(out->model, sizeof(out->model), "%s%s%s", vendor,
             *vendor && *model ? " " : "", model);
    return true;
}

static int add_found(struct udev *udev, const char *syspath,
                     struct mmc_found *out) {
    struct udev_device *device = udev_device_new_from_syspath(udev, syspath);
    int added = 0;

    /* NULL: unplugged since the walk began. */
    if (device) {
        added = is_optical(device) && describe(device, out);
        udev_device_unref(device);
    }
    return added;
}

/* Walks block devices named sr*: the kernel's driver for this device type. */
static int walk(struct udev *udev, struct udev_enumerate *enumerate,
                struct mmc_found *out_found, size_t max, size_t *out_count) {
    struct udev_list_entry *entry;
    size_t count = 0;

    if (udev_enumerate_add_match_subsystem(enumerate, "block") < 0 ||
        udev_enumerate_add_match_sysname(enumerate, "sr[0-9]*") < 0) {
        return -ENOMEM;
    }
    if (udev_enumerate_scan_devices(enumerate) < 0) {
        return -EIO;
    }
    udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate)) {
        if (count == max) {
            break;
        }
        if (add_found(udev, udev_list_entry_get_name(entry),
                      &out_found[count])) {
            count++;
        }
    }
    *out_count = count;
    return 0;
}

int mmc_find_drives(struct mmc_found *out_found, size_t max,
                    size_t *out_count) {
    struct udev *udev = udev_new();
    struct udev_enumerate *enumerate = NULL;
    int error = -ENOMEM;

    if (!udev) {
        return -ENOMEM;
    }
    enumerate = udev_enumerate_new(udev);
    if (enumerate) {
        error = walk(udev, enumerate, out_found, max, out_count);
        udev_enumerate_unref(enumerate);
    }
    udev_unref(udev);
    return error;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/hotplug.c - uevents are matched by the place of the drive's SCSI device
 * in sysfs: /dev/sg0 and /dev/sr0 are two nodes of one drive, and the events
 * are about the second.
 */
#include "mmc/hotplug.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct mmc_hotplug {
    struct udev *udev;
    struct udev_monitor *monitor;
    char *unit; /* sysfs path of the SCSI device */
};

/* The SCSI device behind a device node, as a path in sysfs. */
static int find_unit(struct udev *udev, const char *path, char **out_unit) {
    struct udev_device *device, *unit;
    struct stat status;

    if (stat(path, &status) != 0) {
        return -errno;
    }
    if (!S_ISBLK(status.st_mode) && !S_ISCHR(status.st_mode)) {
        return -ENODEV;
    }
    device = udev_device_new_from_devnum(
        udev, S_ISBLK(status.st_mode) ? 'b' : 'c', status.st_rdev);
    if (!device) {
        return -ENODEV;
    }
    unit = udev_device_get_parent_with_subsystem_devtype(device, "scsi",
                                                         "scsi_device");
    *out_unit = unit ? strdup(udev_device_get_syspath(unit)) : NULL;
    udev_device_unref(device);
    if (!unit) {
        return -ENODEV;
    }
    return *out_unit ? 0 : -ENOMEM;
}

static int listen_to_kernel(struct mmc_hotplug *hotplug) {
    struct udev_monitor *monitor =
        udev_monitor_new_from_netlink(hotplug->udev, "kernel");

    hotplug->monitor = monitor;
    if (!monitor ||
        udev_monitor_filter_add_match_subsystem_devtype(monitor, "block",
                                                        NULL) < 0 ||
        udev_monitor_filter_add_match_subsystem_devtype(monitor, "scsi", NULL) <
            0 ||
        udev_monitor_enable_receiving(monitor) < 0) {
        return -EIO;
    }
    return 0;
}

int mmc_hotplug_open(const char *path, struct mmc_hotplug **out_hotplug) {
    struct mmc_hotplug *hotplug = calloc(1, sizeof(*hotplug));
    int error;

    if (!hotplug) {
        return -ENOMEM;
    }
    hotplug->udev = udev_new();
    error = hotplug->udev ? find_unit(hotplug->udev, path, &hotplug->unit)
                          : -ENOMEM;
    if (!error) {
        error = listen_to_kernel(hotplug);
    }
    if (error) {
        mmc_hotplug_close(hotplug);
        return error;
    }
    *out_hotplug = hotplug;
    return 0;
}

int mmc_hotplug_fd(const struct mmc_hotplug *hotplug) {
    return udev_monitor_get_fd(hotplug->monitor);
}

/* Whether `place` is `unit` itself, or lies below it. */
static bool is_within(const char *place, const char *unit) {
    size_t length = strlen(unit);

    return strncmp(place, unit, length) == 0 &&
           (place[length] == '\0' || place[length] == '/');
}

static unsigned news_of(const struct mmc_hotplug *hotplug,
                        struct udev_device *device) {
    const char *place = udev_device_get_syspath(device);

    if (!place || !is_within(place, hotplug->unit)) {
        return 0;
    }
    return mmc_events_of_uevent(
        udev_device_get_action(device),
        udev_device_get_property_value(device, "DISK_EJECT_REQUEST"),
        udev_device_get_property_value(device, "DISK_MEDIA_CHANGE"));
}

unsigned mmc_hotplug_news(struct mmc_hotplug *hotplug) {
    struct udev_device *device;
    unsigned news = 0;

    /* The monitor's descriptor does not block: NULL when nothing is left. */
    while ((device = udev_monitor_receive_device(hotplug->monitor))) {
        news |= news_of(hotplug, device);
        udev_device_unref(device);
    }
    return news;
}

void mmc_hotplug_close(struct mmc_hotplug *hotplug) {
    if (!hotplug) {
        return;
    }
    udev_monitor_unref(hotplug->monitor);
    udev_unref(hotplug->udev);
    free(hotplug->unit);
    free(hotplug);
}

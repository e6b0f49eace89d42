/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mmc/tcmu_config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/log.h"
#include "mmc/tcmu.h"

#define TARGET "/sys/kernel/config/target"

/* One adapter of target_core_user is enough for all devices. */
#define BACKSTORES TARGET "/core/user_0"

enum {
    /* The size that the kernel is told. Nobody uses it: READ CAPACITY is
     * answered by the drive. */
    NOMINAL_BYTES = 2048,
    /* Data of commands under way: far more than one. */
    DATA_AREA_MB = 8,
    /* Longer than any format: whoever waits for a drive knows better how long
     * to wait than the kernel's target code, which gives 30 s. */
    COMMAND_TIMEOUT_S = 4 * 3600,
    /* How long the drivers of sr and sg may take to show up. */
    NODE_TRIES = 40,
    NODE_WAIT_US = 50000
};

struct path {
    char text[PATH_MAX];
};

__attribute__((format(printf, 1, 2))) static struct path
path_of(const char *format, ...) {
    struct path path;
    va_list arguments;

    va_start(arguments, format);
    /* Names are short and checked: nothing is ever cut off. */
    vsnprintf(path.text, sizeof(path.text), format, arguments);
    va_end(arguments);
    return path;
}

/* ---- Small files -------------------------------------------------------- */

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written;
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    written = write(fd, text, strlen(text));
    if (written < 0) {
        error = -errno;
    }
    close(fd);
    return error;
}

/* The first line of a file of sysfs or configfs. */
static int read_line(const char *path, char *text, size_t text_bytes) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len;
    int error;

    if (fd < 0) {
        return -errno;
    }
    len = read(fd, text, text_bytes - 1);
    error = len < 0 ? -errno : 0;
    close(fd);
    if (!error) {
        text[len] = '\0';
        text[strcspn(text, "\n")] = '\0';
    }
    return error;
}

static bool exists(const char *path) {
    struct stat status;

    return lstat(path, &status) == 0;
}

/* mkdir() that is content with what is there. */
static int need_folder(const char *path) {
    return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* rmdir(), unlink() that are content with what is not there. */
static int drop_folder(const char *path) {
    return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int drop_link(const char *path) {
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* ---- What is there ------------------------------------------------------ */

bool mmc_tcmu_name_valid(const char *name) {
    size_t len = strlen(name);

    if (len == 0 || len > MMC_TCMU_NAME_MAX || name[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isascii(name[i]) ||
            (!isalnum((unsigned char)name[i]) && !strchr(".-_", name[i]))) {
            return false;
        }
    }
    return true;
}

/* Modules that have parameters show in sysfs even when they are built in. */
const char *mmc_tcmu_missing_module(void) {
    static const char *const modules[] = {"target_core_user", "tcm_loop",
                                          "sr_mod", "sg"};

    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        if (!exists(path_of("/sys/module/%s", modules[i]).text)) {
            return modules[i];
        }
    }
    return NULL;
}

bool mmc_tcmu_exists(const char *name) {
    return exists(path_of(BACKSTORES "/%s", name).text);
}

/* ---- The device --------------------------------------------------------- */

static int configure(const char *device) {
    char control[160];
    char seconds[16];
    int error;

    /* nl_reply_supported=-1: nobody listens on netlink for the kernel's news
     * of the device; without it the kernel would wait for an answer. */
    snprintf(control, sizeof(control),
             "dev_config=udfpkt,dev_size=%d,hw_block_size=2048,"
             "max_data_area_mb=%d,nl_reply_supported=-1",
             NOMINAL_BYTES, DATA_AREA_MB);
    snprintf(seconds, sizeof(seconds), "%d", COMMAND_TIMEOUT_S);
    error = write_file(path_of("%s/control", device).text, control);
    if (!error) {
        error =
            write_file(path_of("%s/attrib/cmd_time_out", device).text, seconds);
    }
    return error ? error : write_file(path_of("%s/enable", device).text, "1");
}

/* What a failed mkdir() below target/ means. */
static int missing_or(int error) {
    switch (error) {
    case -EACCES:
    case -EPERM:
    case -ENOMEM:
        return error;
    default:
        return -ENOSYS;
    }
}

int tcmu_config_create(const char *name) {
    struct path device = path_of(BACKSTORES "/%s", name);
    int error;

    if (!exists(TARGET)) {
        return -ENOSYS;
    }
    error = need_folder(BACKSTORES);
    if (error) {
        return missing_or(error);
    }
    if (mkdir(device.text, 0755) < 0) {
        return -errno;
    }
    error = configure(device.text);
    if (error) {
        tcmu_config_destroy(name);
    }
    return error;
}

int tcmu_config_destroy(const char *name) {
    int error = drop_folder(path_of(BACKSTORES "/%s", name).text);

    (void)rmdir(BACKSTORES); /* stays while others use it */
    return error;
}

/* Whether uioN, by its name in sysfs, belongs to the device. */
static bool is_uio_of(const char *uio, const char *name) {
    char text[128];
    char wanted[MMC_TCMU_NAME_MAX + 32];
    size_t len;

    snprintf(wanted, sizeof(wanted), "tcm-user/0/%s/", name);
    len = strlen(wanted);
    return read_line(path_of("/sys/class/uio/%s/name", uio).text, text,
                     sizeof(text)) == 0 &&
           strncmp(text, wanted, len) == 0;
}

int tcmu_config_find_uio(const char *name, unsigned *out_number,
                         size_t *out_map_bytes) {
    DIR *folder = opendir("/sys/class/uio");
    unsigned long long bytes;
    char text[32];
    int number = -1;

    if (!folder) {
        return -errno;
    }
    for (struct dirent *entry = readdir(folder); entry && number < 0;
         entry = readdir(folder)) {
        if (strncmp(entry->d_name, "uio", 3) == 0 &&
            is_uio_of(entry->d_name, name)) {
            number = (int)strtol(entry->d_name + 3, NULL, 10);
        }
    }
    closedir(folder);
    if (number < 0) {
        return -ENOENT;
    }
    if (read_line(path_of("/sys/class/uio/uio%d/maps/map0/size", number).text,
                  text, sizeof(text)) < 0) {
        return -EUCLEAN;
    }
    bytes = strtoull(text, NULL, 0);
    if (bytes == 0 || bytes > SIZE_MAX) {
        return -EUCLEAN;
    }
    *out_number = (unsigned)number;
    *out_map_bytes = (size_t)bytes;
    return 0;
}

/* ---- The bus ------------------------------------------------------------ */

/* The adapter's name: locally assigned (NAA 3), of the device's name. */
static struct path adapter_of(const char *name) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */

    for (const char *at = name; *at; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001B3);
    }
    return path_of(TARGET "/loopback/naa.3%015llx",
                   (unsigned long long)(hash >> 4));
}

/* The folder of the device in sysfs; "" when the kernel knows none. */
static struct path scsi_device_of(const char *name) {
    struct path none = {""}, adapter = adapter_of(name), device;
    char address[32]; /* HOST:CHANNEL:TARGET */

    if (read_line(path_of("%.512s/tpgt_1/address", adapter.text).text, address,
                  sizeof(address)) < 0) {
        return none;
    }
    device = path_of("/sys/class/scsi_device/%s:0/device", address);
    return exists(device.text) ? device : none;
}

/* The name of the first entry below FOLDER/KIND, "" where there is none. */
static void find_node(const char *folder, const char *kind, char *out_name,
                      size_t name_bytes) {
    DIR *entries = opendir(path_of("%.512s/%s", folder, kind).text);

    out_name[0] = '\0';
    if (!entries) {
        return;
    }
    for (struct dirent *entry = readdir(entries); entry && !out_name[0];
         entry = readdir(entries)) {
        if (entry->d_name[0] != '.') {
            snprintf(out_name, name_bytes, "%.31s", entry->d_name);
        }
    }
    closedir(entries);
}

/* Waits a moment for the drivers: they may be loaded only now. */
static void find_nodes(const char *device, struct mmc_tcmu_nodes *out_nodes) {
    for (unsigned i = 0; i < NODE_TRIES; i++) {
        find_node(device, "block", out_nodes->block, sizeof(out_nodes->block));
        find_node(device, "scsi_generic", out_nodes->generic,
                  sizeof(out_nodes->generic));
        if (out_nodes->block[0] && out_nodes->generic[0]) {
            return;
        }
        usleep(NODE_WAIT_US);
    }
}

/* Makes the bus behave like those that real drives are on. It works without,
 * so that failing is worth a line only. */
static void tame(const char *device, uint32_t transfer_bytes,
                 const struct mmc_tcmu_nodes *nodes) {
    char kib[16];
    int error = write_file(path_of("%.512s/queue_depth", device).text, "1");

    snprintf(kib, sizeof(kib), "%u", transfer_bytes >> 10);
    if (!error && nodes->block[0]) {
        error = write_file(
            path_of("/sys/block/%s/queue/max_sectors_kb", nodes->block).text,
            kib);
    }
    if (error) {
        mmc_log(MMC_LOG_WARN, "the kernel did not take the drive's limits: %s",
                strerror(-error));
    }
}

/* The adapter with its one bus; the nexus is who talks on it. */
static int make_adapter(const char *adapter) {
    struct path bus = path_of("%.512s/tpgt_1", adapter);
    int error = need_folder(TARGET "/loopback");

    if (!error) {
        error = need_folder(adapter);
    }
    if (error) {
        return missing_or(error);
    }
    error = need_folder(bus.text);
    if (!error) {
        error = write_file(path_of("%.600s/nexus", bus.text).text,
                           strrchr(adapter, '/') + 1);
    }
    return error ? error
                 : need_folder(path_of("%.600s/lun/lun_0", bus.text).text);
}

int tcmu_config_plug(const char *name, uint32_t transfer_bytes,
                     struct mmc_tcmu_nodes *out_nodes) {
    struct path adapter = adapter_of(name), device;
    struct mmc_tcmu_nodes nodes = {"", ""};
    int error = make_adapter(adapter.text);

    if (!error &&
        symlink(
            path_of(BACKSTORES "/%s", name).text,
            path_of("%.512s/tpgt_1/lun/lun_0/%s", adapter.text, name).text) <
            0) {
        error = -errno;
    }
    if (!error) {
        device = scsi_device_of(name);
        error = device.text[0] ? 0 : -ENXIO;
    }
    if (error) {
        mmc_tcmu_unplug(name);
        return error;
    }
    find_nodes(device.text, &nodes);
    tame(device.text, transfer_bytes, &nodes);
    *out_nodes = nodes;
    return 0;
}

/* Undoes make_adapter() and the link, as far as they are there, backwards. */
int mmc_tcmu_unplug(const char *name) {
    struct path adapter = adapter_of(name);
    struct path bus = path_of("%.512s/tpgt_1", adapter.text);
    int error;

    if (!exists(adapter.text)) {
        return 0;
    }
    error = drop_link(path_of("%.600s/lun/lun_0/%s", bus.text, name).text);
    if (!error) {
        error = drop_folder(path_of("%.600s/lun/lun_0", bus.text).text);
    }
    if (!error) {
        (void)write_file(path_of("%.600s/nexus", bus.text).text, "NULL");
        error = drop_folder(bus.text);
    }
    if (!error) {
        error = drop_folder(adapter.text);
    }
    (void)rmdir(TARGET "/loopback"); /* stays while others use it */
    return error;
}

int mmc_tcmu_remove(const char *name) {
    struct path device = path_of(BACKSTORES "/%s", name);
    int error;

    if (!exists(device.text)) {
        return mmc_tcmu_unplug(name);
    }
    /* New commands wait, those under way fail: 2 is for errors that the host
     * does not try again. */
    error =
        write_file(path_of("%.512s/action/block_dev", device.text).text, "1");
    if (!error) {
        error = write_file(
            path_of("%.512s/action/reset_ring", device.text).text, "2");
    }
    if (!error) {
        error = mmc_tcmu_unplug(name);
    }
    return error ? error : tcmu_config_destroy(name);
}

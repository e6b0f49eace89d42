/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/damage.c - see damage.h.
 */
#include "test/support/damage.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/filedev.h"
#include "udf/check.h"
#include "udf/fid.h"
#include "udf/tag.h"
#include "udf/udf.h"

/* ---- a device of bytes --------------------------------------------------- */

static int ram_read(struct blockdev *dev, uint32_t lba, uint32_t count,
                    void *buf) {
    struct damage *disc = (struct damage *)dev;

    if (lba >= dev->geometry.blocks || count > dev->geometry.blocks - lba) {
        return -ERANGE;
    }
    if (disc->cold && !disc->warm) {
        return -EINPROGRESS;
    }
    disc->warm = false;
    if (disc->bad_lba && lba == disc->bad_lba) {
        return -EINPROGRESS; /* never comes */
    }
    memcpy(buf, disc->bytes + (size_t)lba * UDF_BLOCK_BYTES,
           (size_t)count * UDF_BLOCK_BYTES);
    return 0;
}

static int ram_fetch(struct blockdev *dev, uint32_t lba, uint32_t count,
                     uint32_t ahead) {
    (void)ahead;
    struct damage *disc = (struct damage *)dev;

    (void)count;
    disc->warm = true;
    return disc->bad_lba && lba == disc->bad_lba ? -EIO : 0;
}

static const struct blockdev_ops ram_ops = {
    .read_cached = ram_read,
    .fetch = ram_fetch,
};

struct damage *damage_new(uint32_t blocks) {
    struct damage *disc = calloc(1, sizeof(*disc));

    assert_non_null(disc);
    disc->dev.ops = &ram_ops;
    disc->dev.geometry.blocks = blocks;
    disc->dev.geometry.packet_blocks = 1;
    disc->bytes = calloc(blocks, UDF_BLOCK_BYTES);
    assert_non_null(disc->bytes);
    return disc;
}

void damage_free(struct damage *disc) {
    free(disc->bytes);
    free(disc);
}

struct damage *damage_copy(const struct damage *from) {
    struct damage *disc = damage_new(from->dev.geometry.blocks);

    memcpy(disc->bytes, from->bytes,
           (size_t)disc->dev.geometry.blocks * UDF_BLOCK_BYTES);
    return disc;
}

uint8_t *damage_at(struct damage *disc, uint32_t lba) {
    assert_true(lba < disc->dev.geometry.blocks);
    return disc->bytes + (size_t)lba * UDF_BLOCK_BYTES;
}

/* ---- making volumes -------------------------------------------------------
 */

static void make_image(const char *path, const char *options) {
    char command[400];

    snprintf(command, sizeof(command),
             "PATH=$PATH:/usr/sbin:/sbin mkudffs %s -b 2048 --new-file %s %d "
             ">/dev/null",
             options, path, DAMAGE_BLOCKS);
    assert_int_equal(system(command), 0);
}

static void create(struct udf_volume *volume, uint64_t parent, const char *text,
                   mode_t mode, struct udf_stat *out) {
    struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};
    struct udf_make make = {.mode = mode, .target = "a/../b"};
    struct udf_cred cred = {0};

    assert_int_equal(udf_create(volume, parent, &name, &make, &cred, out), 0);
}

static void write_bytes(struct udf_volume *volume, uint64_t ino,
                        uint64_t offset, uint32_t count) {
    uint8_t *buf = malloc(count);

    assert_non_null(buf);
    memset(buf, 0xA5, count);
    assert_int_equal(udf_write(volume, ino, offset, count, buf), 0);
    free(buf);
}

/* Directories, hard links, an embedded file, one in blocks, one with a hole,
 * one with more holes than fit its file entry, a symbolic link, special files,
 * and names enough for a directory of blocks. */
static void fill_volume(struct udf_volume *volume) {
    struct udf_stat dir, sub, file, other;
    struct udf_name link = {.text = "link", .len = 4};

    create(volume, UDF_ROOT_INO, "dir", S_IFDIR | 0755, &dir);
    create(volume, dir.ino, "sub", S_IFDIR | 0755, &sub);
    create(volume, dir.ino, "big", S_IFREG | 0644, &file);
    write_bytes(volume, file.ino, 0, 100 * 1000);
    assert_int_equal(udf_link(volume, file.ino, sub.ino, &link, &other), 0);
    create(volume, sub.ino, "small", S_IFREG | 0644, &file);
    write_bytes(volume, file.ino, 0, 100);
    create(volume, sub.ino, "sparse", S_IFREG | 0600, &file);
    write_bytes(volume, file.ino, 40000, 5000);
    write_bytes(volume, file.ino, 90000, 5000);
    create(volume, sub.ino, "symlink", S_IFLNK | 0777, &file);
    create(volume, sub.ino, "device", S_IFCHR | 0600, &file);
    create(volume, sub.ino, "pieces", S_IFREG | 0600, &file);
    for (uint64_t i = 0; i < 300; i++) {
        write_bytes(volume, file.ino, 2 * i * UDF_BLOCK_BYTES, UDF_BLOCK_BYTES);
    }
    create(volume, sub.ino, "fifo", S_IFIFO | 0644, &file);
    create(volume, UDF_ROOT_INO, "many", S_IFDIR | 0755, &dir);
    for (int i = 0; i < 150; i++) {
        char name[40];

        snprintf(name, sizeof(name), "a name of some length %d", i);
        create(volume, dir.ino, name, S_IFREG | 0644, &file);
    }
}

static void fill_image(const char *path) {
    struct udf_mount_options options = {0};
    struct udf_volume *volume = NULL;
    struct blockdev *dev = NULL;

    assert_int_equal(mmc_filedev_open(path, true, &dev), 0);
    assert_int_equal(udf_mount(dev, &options, &volume), 0);
    fill_volume(volume);
    assert_int_equal(udf_unmount(volume), 0);
    mmc_filedev_close(dev);
}

/* Makes a volume and takes it into memory. */
struct damage *damage_make(const char *options, bool filled) {
    char dir[] = "/tmp/test_check.XXXXXX";
    char path[64];
    struct damage *disc = damage_new(DAMAGE_BLOCKS);
    int fd;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/image", dir);
    make_image(path, options);
    if (filled) {
        fill_image(path);
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(
        read(fd, disc->bytes, (size_t)DAMAGE_BLOCKS * UDF_BLOCK_BYTES),
        (ssize_t)DAMAGE_BLOCKS * UDF_BLOCK_BYTES);
    close(fd);
    unlink(path);
    rmdir(dir);
    return disc;
}

/* ---- checking --------------------------------------------------------------
 */

static void keep_line(void *context, const char *fault) {
    struct damage_report *report = context;
    size_t room = sizeof(report->text) - report->length;
    int length = snprintf(report->text + report->length, room, "%s\n", fault);

    assert_true(length > 1);
    if ((size_t)length < room) {
        report->length += (size_t)length;
    }
}

struct udf_check_result damage_check(struct damage *disc, bool allow_open,
                                     struct damage_report *report) {
    struct udf_check_options options = {.allow_open = allow_open};
    struct udf_check_result result = {0};

    memset(report, 0, sizeof(*report));
    assert_int_equal(
        udf_check(&disc->dev, &options, keep_line, report, &result), 0);
    return result;
}

void damage_expect_clean(struct damage *disc, uint16_t revision, uint64_t files,
                         uint64_t directories) {
    struct damage_report *report = calloc(1, sizeof(*report));
    struct udf_check_result result;

    assert_non_null(report);
    result = damage_check(disc, false, report);
    assert_string_equal(report->text, "");
    assert_int_equal(result.faults, 0);
    assert_int_equal(result.revision, revision);
    assert_int_equal(result.files, files);
    assert_int_equal(result.directories, directories);
    assert_true(result.blocks_used >= 3);
    free(report);
}

/* Checks, and frees, a damaged volume: `text` must be among the faults. */
void damage_expect_fault(struct damage *disc, const char *text) {
    struct damage_report *report = calloc(1, sizeof(*report));
    struct udf_check_result result;

    assert_non_null(report);
    result = damage_check(disc, false, report);
    if (result.faults == 0 || !strstr(report->text, text)) {
        fail_msg("no fault \"%s\" among:\n%s", text, report->text);
    }
    free(report);
    damage_free(disc);
}

/* ---- finding what to damage -------------------------------------------------
 */

uint16_t damage_get16(const uint8_t *raw) {
    return (uint16_t)(raw[0] | raw[1] << 8);
}

uint32_t damage_get32(const uint8_t *raw) {
    return damage_get16(raw) | (uint32_t)damage_get16(raw + 2) << 16;
}

void damage_put32(uint8_t *raw, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        raw[i] = (uint8_t)(value >> (8 * i));
    }
}

/* Makes tag checksum and CRC right again. */
void damage_reseal(uint8_t *desc) {
    uint16_t crc = udf_crc(0, desc + 16, damage_get16(desc + 10));
    unsigned sum = 0;

    desc[8] = (uint8_t)crc;
    desc[9] = (uint8_t)(crc >> 8);
    for (int i = 0; i < 16; i++) {
        sum += i == 4 ? 0 : desc[i];
    }
    desc[4] = (uint8_t)sum;
}

void damage_reseal_fid(struct damage *disc, uint8_t *fid) {
    size_t block = (size_t)(fid - disc->bytes) / UDF_BLOCK_BYTES;
    uint8_t *home = damage_at(disc, (uint32_t)block);
    uint16_t id = damage_get16(home);

    damage_reseal(fid);
    if (fid != home && (id == UDF_TAG_FE || id == UDF_TAG_EFE)) {
        damage_reseal(home);
    }
}

/* The n-th descriptor with this identifier that begins a block. */
uint8_t *damage_find(struct damage *disc, enum udf_tag_id id, int n) {
    struct udf_tag tag;

    for (uint32_t lba = 32; lba < DAMAGE_BLOCKS; lba++) {
        if (damage_get16(damage_at(disc, lba)) == id &&
            udf_tag_check(damage_at(disc, lba), UDF_BLOCK_BYTES, &tag) == 0 &&
            n-- == 0) {
            return damage_at(disc, lba);
        }
    }
    fail_msg("no descriptor %d", (int)id);
    return NULL;
}

/* The FID of a name made of 8-bit characters; NULL name: the first parent
 * entry at or behind byte *from. */
uint8_t *damage_find_fid(struct damage *disc, const char *name) {
    size_t end = (size_t)DAMAGE_BLOCKS * UDF_BLOCK_BYTES - UDF_BLOCK_BYTES;
    struct udf_fid fid;
    uint32_t size;

    for (size_t i = 32 * (size_t)UDF_BLOCK_BYTES; i < end; i += 4) {
        uint8_t *raw = disc->bytes + i;

        if (damage_get16(raw) == UDF_TAG_FID &&
            udf_fid_decode(raw, UDF_BLOCK_BYTES, &fid, &size) == 0 &&
            fid.name_bytes == strlen(name) + 1 &&
            memcmp(fid.name + 1, name, strlen(name)) == 0) {
            return raw;
        }
    }
    fail_msg("no FID %s", name);
    return NULL;
}

uint32_t damage_partition(struct damage *disc) {
    return damage_get32(damage_find(disc, UDF_TAG_PD, 0) + 188);
}

/* The file entry that the FID of `name` names. */
uint8_t *damage_find_fe(struct damage *disc, const char *name) {
    return damage_at(disc, damage_partition(disc) +
                               damage_get32(damage_find_fid(disc, name) + 24));
}

uint8_t *damage_ads_of(uint8_t *fe) {
    return fe + EFE_ADS + damage_get32(fe + EFE_EA_BYTES);
}

/* One byte in the main and in the reserve copy of a volume descriptor. */
void damage_both(struct damage *disc, enum udf_tag_id id, uint32_t offset,
                 uint8_t value) {
    /* Both are found first: the identifier may be what is damaged. */
    uint8_t *copies[] = {damage_find(disc, id, 0), damage_find(disc, id, 1)};

    for (int i = 0; i < 2; i++) {
        copies[i][offset] = value;
        damage_reseal(copies[i]);
    }
}

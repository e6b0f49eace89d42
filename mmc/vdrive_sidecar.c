/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_sidecar.c - the image and the sidecar: making, opening, checking
 * them, moving blocks. The sidecar may be anybody's file: nothing in it is
 * used before it is checked against the table of media and the file's size.
 *
 * The lock is on the sidecar, because that is what makes a file a drive.
 */
#include "mmc/vdrive_core.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/bits.h"
#include "mmc/disc.h"
#include "mmc/reply.h"

enum { SIDECAR_VERSION = 2, BYTE_ORDER_MARK = 0x01020304 };

static const char sidecar_magic[8] = "udfpktVD";
static const char sidecar_suffix[] = ".udfpkt";

static_assert(sizeof(struct vdrive_head) == 4096, "the head is one page");
static_assert(offsetof(struct vdrive_head, reserved) == 208, "no holes");

char *vdrive_path(const char *image_path, const char *suffix) {
    char *path;

    return asprintf(&path, "%s%s", image_path, suffix) < 0 ? NULL : path;
}

/* Where the counts end and the bitmaps begin. */
static size_t bitmap_offset(uint32_t packets) {
    return sizeof(struct vdrive_head) + ((size_t)packets * 2 + 7) / 8 * 8;
}

static size_t sidecar_bytes(uint32_t packets) {
    return bitmap_offset(packets) + (size_t)mmc_bits_words(packets) * 16;
}

/* ---- Making ------------------------------------------------------------- */

static void fill_head(struct vdrive_head *head,
                      const struct vdrive_medium *medium, uint32_t blocks) {
    memset(head, 0, sizeof(*head));
    memcpy(head->magic, sidecar_magic, sizeof(head->magic));
    head->version = SIDECAR_VERSION;
    head->byte_order = BYTE_ORDER_MARK;
    head->medium = medium->id;
    head->state = VDRIVE_BLANK;
    head->packet_blocks = medium->packet_blocks;
    head->max_blocks = blocks;
    if (medium->traits & VDRIVE_SOLD_FORMATTED) {
        head->state = VDRIVE_FORMATTED;
        head->format_type = medium->format_type;
        head->formatted_blocks =
            vdrive_medium_capacity(medium, blocks, medium->format_type);
    }
}

/* Makes `path` anew with `bytes` bytes, the first of them from `head`. */
static int make_file(const char *path, uint64_t bytes, const void *head,
                     size_t head_bytes) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = 0;

    if (fd < 0) {
        return -errno;
    }
    if (ftruncate(fd, (off_t)bytes) < 0 ||
        pwrite(fd, head, head_bytes, 0) != (ssize_t)head_bytes) {
        error = errno ? -errno : -EIO;
    }
    if (close(fd) < 0 && !error) {
        error = -errno;
    }
    if (error) {
        unlink(path);
    }
    return error;
}

static int make_sidecar(const char *sidecar_path,
                        const struct vdrive_medium *medium,
                        const struct vdrive_head *head) {
    return make_file(sidecar_path,
                     sidecar_bytes(head->max_blocks / medium->packet_blocks),
                     head, sizeof(*head));
}

static int make_files(const char *image_path, const char *sidecar_path,
                      const struct vdrive_medium *medium, uint32_t blocks) {
    struct vdrive_head head;
    int error;

    fill_head(&head, medium, blocks);
    /* The sidecar comes last: with an image alone nobody sees half a drive.
     * Looking for it first keeps a foreign sidecar from costing an image. */
    if (access(sidecar_path, F_OK) == 0) {
        return -EEXIST;
    }
    if (head.formatted_blocks) {
        blocks = head.formatted_blocks;
    }
    error = make_file(image_path, (uint64_t)blocks * VDRIVE_BLOCK_BYTES, "", 0);
    if (error) {
        return error;
    }
    error = make_sidecar(sidecar_path, medium, &head);
    if (error) {
        unlink(image_path);
    }
    return error;
}

/* The row of a word that hosts or users may say. */
static int find_medium(const char *media_word,
                       const struct vdrive_medium **out_medium) {
    const char *canonical;

    *out_medium = vdrive_medium_of_word(media_word);
    if (*out_medium) {
        return 0;
    }
    return mmc_media_word(media_word, &canonical) < 0 ? -EINVAL : -EOPNOTSUPP;
}

int mmc_vdrive_create(const char *image_path, const char *media_word,
                      uint32_t blocks) {
    const struct vdrive_medium *medium;
    char *sidecar_path;
    int error = find_medium(media_word, &medium);

    if (error) {
        return error;
    }
    blocks = blocks ? vdrive_medium_whole(
                          medium, blocks - blocks % medium->packet_blocks)
                    : medium->usual_blocks;
    blocks -= blocks % medium->packet_blocks;
    if (blocks < medium->least_blocks || blocks > medium->most_blocks) {
        return -ERANGE;
    }
    sidecar_path = vdrive_path(image_path, sidecar_suffix);
    if (!sidecar_path) {
        return -ENOMEM;
    }
    error = make_files(image_path, sidecar_path, medium, blocks);
    free(sidecar_path);
    return error;
}

/* Blocks of the image at `path`, whole packets. */
static int image_blocks(const char *path, const struct vdrive_medium *medium,
                        uint32_t *out_blocks) {
    uint64_t packet = (uint64_t)medium->packet_blocks * VDRIVE_BLOCK_BYTES;
    struct stat status;

    if (stat(path, &status) < 0) {
        return -errno;
    }
    if (status.st_size == 0 || (uint64_t)status.st_size % packet ||
        (uint64_t)status.st_size / VDRIVE_BLOCK_BYTES > medium->most_blocks) {
        return -ERANGE;
    }
    *out_blocks = (uint32_t)((uint64_t)status.st_size / VDRIVE_BLOCK_BYTES);
    return 0;
}

int mmc_vdrive_adopt(const char *image_path, const char *media_word) {
    const struct vdrive_medium *medium;
    struct vdrive_head head;
    char *sidecar_path;
    uint32_t blocks = 0;
    int error = find_medium(media_word, &medium);

    if (!error && !(medium->traits & (VDRIVE_IN_ORDER | VDRIVE_WRITE_ONCE))) {
        error = -EOPNOTSUPP;
    }
    if (!error) {
        error = image_blocks(image_path, medium, &blocks);
    }
    if (error) {
        return error;
    }
    sidecar_path = vdrive_path(image_path, sidecar_suffix);
    if (!sidecar_path) {
        return -ENOMEM;
    }
    fill_head(&head, medium,
              blocks > medium->usual_blocks ? blocks : medium->usual_blocks);
    head.state = VDRIVE_CLOSED;
    head.formatted_blocks = blocks;
    error = make_sidecar(sidecar_path, medium, &head);
    free(sidecar_path);
    return error;
}

/* ---- Checking ----------------------------------------------------------- */

static bool identity_valid(const struct vdrive_head *head) {
    return memcmp(head->magic, sidecar_magic, sizeof(head->magic)) == 0 &&
           head->version == SIDECAR_VERSION &&
           head->byte_order == BYTE_ORDER_MARK;
}

static bool medium_valid(const struct vdrive_head *head) {
    const struct vdrive_medium *medium = vdrive_medium_of_id(head->medium);

    return medium && head->packet_blocks == medium->packet_blocks &&
           head->max_blocks >= medium->least_blocks &&
           head->max_blocks <= medium->most_blocks &&
           head->max_blocks % medium->packet_blocks == 0;
}

/* Numbers that only some states have. */
static bool numbers_valid(const struct vdrive_head *head) {
    return head->formatted_blocks <= head->max_blocks &&
           head->formatted_blocks % head->packet_blocks == 0 &&
           head->next_writable <= head->max_blocks &&
           head->next_writable % head->packet_blocks == 0 &&
           head->append_blocks <= head->max_blocks &&
           head->append_blocks % head->packet_blocks == 0 &&
           head->data_block_type <= 0x0F && head->format_type <= 0x3F &&
           head->background <= MMC_BACKGROUND_COMPLETE &&
           head->deiced_packets <= head->formatted_blocks / head->packet_blocks;
}

static bool flags_valid(const struct vdrive_head *head) {
    return head->intermediate <= 1 && head->minimal <= 1 && head->dirty <= 1 &&
           head->overwrites <= 1 &&
           head->protect <= (VDRIVE_PROTECT_CASE | VDRIVE_PROTECT_PERSISTENT);
}

/* What is recorded: a formatted medium has a capacity, a blank one none. */
static bool state_valid(const struct vdrive_head *head) {
    switch (head->state) {
    case VDRIVE_BLANK:
    case VDRIVE_TORN:
        return head->formatted_blocks == 0 && head->next_writable == 0 &&
               !head->intermediate && !head->background;
    case VDRIVE_APPENDABLE:
        return head->formatted_blocks == 0 && head->next_writable > 0 &&
               !head->intermediate && !head->background;
    case VDRIVE_CLOSED:
        return head->formatted_blocks > 0 && head->next_writable == 0 &&
               !head->intermediate && !head->background;
    case VDRIVE_FORMATTED:
        return head->intermediate
                   ? head->next_writable >= head->formatted_blocks
                   : head->formatted_blocks > 0 && head->next_writable == 0;
    default:
        return false;
    }
}

/* Reads the head at `fd` and checks it against itself and the file's size. */
static int check_sidecar(int fd, struct vdrive_head *out_head) {
    struct vdrive_head head;
    struct stat status;
    ssize_t got = pread(fd, &head, sizeof(head), 0);

    if (got < 0 || fstat(fd, &status) < 0) {
        return -errno;
    }
    if (got != sizeof(head) || !identity_valid(&head) || !medium_valid(&head) ||
        !numbers_valid(&head) || !flags_valid(&head) || !state_valid(&head)) {
        return -EINVAL;
    }
    if ((uint64_t)status.st_size !=
        sidecar_bytes(head.max_blocks / head.packet_blocks)) {
        return -EINVAL;
    }
    *out_head = head;
    return 0;
}

/* ---- Opening ------------------------------------------------------------ */

static int open_sidecar(struct vdrive_files *files, const char *image_path,
                        bool writable) {
    char *path = vdrive_path(image_path, sidecar_suffix);

    if (!path) {
        return -ENOMEM;
    }
    files->sidecar_fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    free(path);
    if (files->sidecar_fd < 0) {
        return -errno;
    }
    if (flock(files->sidecar_fd, LOCK_EX | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    }
    return 0;
}

/* Maps the checked sidecar; a drive that changes nothing counts in private. */
static int map_sidecar(struct vdrive_files *files,
                       const struct vdrive_head *head, bool writable) {
    void *map;

    files->packets = head->max_blocks / head->packet_blocks;
    files->mapped_bytes = sidecar_bytes(files->packets);
    map = mmap(NULL, files->mapped_bytes, PROT_READ | PROT_WRITE,
               writable ? MAP_SHARED : MAP_PRIVATE, files->sidecar_fd, 0);
    if (map == MAP_FAILED) {
        return -errno;
    }
    files->head = map;
    files->writes = (void *)((char *)map + sizeof(*head));
    files->unreadable = (void *)((char *)map + bitmap_offset(files->packets));
    files->recorded = files->unreadable + mmc_bits_words(files->packets);
    return 0;
}

static int open_image(struct vdrive_files *files, const char *image_path,
                      const struct vdrive_head *head, bool writable) {
    bool in_order = head->intermediate || head->state == VDRIVE_APPENDABLE;
    uint32_t blocks = in_order ? head->max_blocks : head->formatted_blocks;
    uint64_t bytes = (uint64_t)blocks * VDRIVE_BLOCK_BYTES;
    struct stat status;

    files->image_fd =
        open(image_path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (files->image_fd < 0 || fstat(files->image_fd, &status) < 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size < bytes) {
        return -EINVAL;
    }
    return 0;
}

int vdrive_files_open(struct vdrive_files *files, const char *image_path,
                      bool writable) {
    struct vdrive_head head;
    int error;

    files->image_fd = files->sidecar_fd = -1;
    error = open_sidecar(files, image_path, writable);
    if (!error) {
        error = check_sidecar(files->sidecar_fd, &head);
    }
    if (!error) {
        error = open_image(files, image_path, &head, writable);
    }
    if (!error) {
        error = map_sidecar(files, &head, writable);
    }
    if (error) {
        vdrive_files_close(files);
    }
    return error;
}

void vdrive_files_close(struct vdrive_files *files) {
    if (files->head) {
        munmap(files->head, files->mapped_bytes);
    }
    if (files->image_fd >= 0) {
        close(files->image_fd);
    }
    if (files->sidecar_fd >= 0) {
        close(files->sidecar_fd); /* and with it the lock */
    }
    files->head = NULL;
    files->image_fd = files->sidecar_fd = -1;
}

bool mmc_vdrive_exists(const char *image_path) {
    char *path = vdrive_path(image_path, sidecar_suffix);
    bool exists = path && access(path, F_OK) == 0;

    free(path);
    return exists;
}

/* ---- Blocks ------------------------------------------------------------- */

int vdrive_files_read(const struct vdrive_files *files, uint32_t lba,
                      uint32_t count, void *buf) {
    size_t left = (size_t)count * VDRIVE_BLOCK_BYTES;
    off_t at = (off_t)lba * VDRIVE_BLOCK_BYTES;
    char *to = buf;

    while (left) {
        ssize_t got = pread(files->image_fd, to, left, at);

        if (got <= 0) {
            return got < 0 ? -errno : -EIO;
        }
        to += got;
        at += got;
        left -= (size_t)got;
    }
    return 0;
}

int vdrive_files_write(const struct vdrive_files *files, uint32_t lba,
                       uint32_t count, const void *buf) {
    size_t left = (size_t)count * VDRIVE_BLOCK_BYTES;
    off_t at = (off_t)lba * VDRIVE_BLOCK_BYTES;
    const char *from = buf;

    while (left) {
        ssize_t put = pwrite(files->image_fd, from, left, at);

        if (put < 0) {
            return -errno;
        }
        from += put;
        at += put;
        left -= (size_t)put;
    }
    return 0;
}

int vdrive_files_resize(const struct vdrive_files *files, uint32_t blocks) {
    off_t bytes = (off_t)blocks * VDRIVE_BLOCK_BYTES;

    return ftruncate(files->image_fd, bytes) < 0 ? -errno : 0;
}

int vdrive_files_erase(const struct vdrive_files *files, uint32_t blocks) {
    off_t bytes = (off_t)blocks * VDRIVE_BLOCK_BYTES;

    if (ftruncate(files->image_fd, 0) < 0 ||
        ftruncate(files->image_fd, bytes) < 0) {
        return -errno;
    }
    mmc_bits_clear_range(files->unreadable, 0, files->packets);
    return 0;
}

/* ---- Counters ----------------------------------------------------------- */

static void fill_stats(const struct vdrive_head *head, const uint16_t *writes,
                       uint32_t packets, struct mmc_vdrive_stats *out) {
    *out = (struct mmc_vdrive_stats){
        .packets_written = head->packets_written,
        .partial_units = head->partial_units,
        .drive_rmws = head->drive_rmws,
        .spared = head->spared,
        .write_commands = head->write_commands,
        .blocks_read = head->blocks_read,
        .read_commands = head->read_commands,
        .commands = head->commands,
        .refused = head->refused,
        .seeks = head->seeks,
        .gap_blocks = head->gap_blocks,
        .syncs = head->syncs,
        .formats = head->formats,
        .blanks = head->blanks,
        .busy_us = head->busy_us,
    };
    for (uint32_t pkt = 0; pkt < packets; pkt++) {
        if (writes[pkt] > out->hottest_written) {
            out->hottest_packet = pkt;
            out->hottest_written = writes[pkt];
        }
    }
}

void mmc_vdrive_get_stats(struct mmc_transport *transport,
                          struct mmc_vdrive_stats *out_stats) {
    const struct vdrive_files *files = &vdrive_of(transport)->files;

    fill_stats(files->head, files->writes, files->packets, out_stats);
}

/* Reads counts and fills the stats from the open sidecar `fd`. */
static int read_stats(int fd, struct mmc_vdrive_stats *out_stats) {
    struct vdrive_head head;
    uint16_t *writes;
    uint32_t packets;
    size_t bytes;
    int error = check_sidecar(fd, &head);

    if (error) {
        return error;
    }
    packets = head.max_blocks / head.packet_blocks;
    bytes = (size_t)packets * sizeof(*writes);
    writes = malloc(bytes);
    if (!writes) {
        return -ENOMEM;
    }
    if (pread(fd, writes, bytes, sizeof(head)) == (ssize_t)bytes) {
        fill_stats(&head, writes, packets, out_stats);
    } else {
        error = -EIO;
    }
    free(writes);
    return error;
}

int mmc_vdrive_read_stats(const char *image_path,
                          struct mmc_vdrive_stats *out_stats) {
    char *path = vdrive_path(image_path, sidecar_suffix);
    int fd, error;

    if (!path) {
        return -ENOMEM;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    error = fd < 0 ? -errno : 0;
    free(path);
    if (!error) {
        error = read_stats(fd, out_stats);
        close(fd);
    }
    return error;
}

uint16_t mmc_vdrive_packet_writes(struct mmc_transport *transport,
                                  uint32_t pkt) {
    const struct vdrive_files *files = &vdrive_of(transport)->files;

    return pkt < files->packets ? files->writes[pkt] : 0;
}

bool mmc_vdrive_packet_unreadable(struct mmc_transport *transport,
                                  uint32_t pkt) {
    const struct vdrive_files *files = &vdrive_of(transport)->files;

    return pkt < files->packets && mmc_bits_test(files->unreadable, pkt);
}

int mmc_vdrive_put_packet(struct mmc_transport *transport, uint32_t pkt,
                          const void *data) {
    const struct vdrive *drive = vdrive_of(transport);
    const struct vdrive_files *files = &drive->files;
    uint32_t blocks = drive->medium->packet_blocks;

    if (pkt >= files->head->formatted_blocks / blocks) {
        return -ERANGE;
    }
    if (!data) {
        mmc_bits_set(files->unreadable, pkt);
        return 0;
    }
    mmc_bits_clear(files->unreadable, pkt);
    return vdrive_files_write(files, pkt * blocks, blocks, data);
}

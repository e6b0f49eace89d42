/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/memdev.c - see memdev.h. Two mappings of anonymous memory: the
 * cache (what reads see) and the medium (what survives memdev_reboot()).
 * Every field behind `lock` is guarded by it.
 */
#include "test/support/memdev.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/bits.h"

enum { BYTES = BLOCKDEV_BLOCK_BYTES };

struct memdev {
    struct blockdev dev; /* first: ops cast back */
    pthread_mutex_t lock;
    uint8_t *cache, *medium;
    int medium_fd; /* its memory as a file, which knows where there is none */
    size_t bytes;  /* of each of them */
    uint64_t *present, *dirty, *used; /* a bit a block */
    uint64_t *bad_read, *bad_write;   /* a bit a packet */
    uint64_t *failed;                 /* a bit a packet: not tried again */
    uint64_t *refused;                /* a bit a packet: `refusal` */
    int refusal;
    uint32_t *overwrites; /* a packet */
    uint32_t packets;
    bool cold, cut_armed, cut_tear, unsynced, kept;
    uint64_t cut_left;
    struct blockdev_stats stats;
};

static uint32_t packet_of(const struct memdev *mem, uint32_t lba) {
    return lba / mem->dev.geometry.packet_blocks;
}

static bool in_range(const struct memdev *mem, uint32_t lba, uint32_t count) {
    return lba < mem->dev.geometry.blocks &&
           count <= mem->dev.geometry.blocks - lba;
}

static int read_cached(struct blockdev *dev, uint32_t lba, uint32_t count,
                       void *buf) {
    struct memdev *mem = (struct memdev *)dev;
    if (!in_range(mem, lba, count)) {
        return -ERANGE;
    }
    pthread_mutex_lock(&mem->lock);
    int err = 0;
    for (uint32_t i = 0; i < count && !err; i++) {
        bool bad = mmc_bits_test(mem->bad_read, packet_of(mem, lba + i));
        if (!mmc_bits_test(mem->present, lba + i) && (mem->cold || bad)) {
            err = -EINPROGRESS;
        }
    }
    if (!err) {
        memcpy(buf, mem->cache + (size_t)lba * BYTES, (size_t)count * BYTES);
    }
    pthread_mutex_unlock(&mem->lock);
    return err;
}

static int fetch(struct blockdev *dev, uint32_t lba, uint32_t count,
                 uint32_t ahead) {
    (void)ahead;
    struct memdev *mem = (struct memdev *)dev;
    if (!in_range(mem, lba, count)) {
        return -ERANGE;
    }
    pthread_mutex_lock(&mem->lock);
    int err = 0;
    for (uint32_t i = lba; i < lba + count && !err; i++) {
        if (mmc_bits_test(mem->present, i)) {
            continue;
        }
        if (mmc_bits_test(mem->refused, packet_of(mem, i))) {
            err = mem->refusal;
            continue;
        }
        if (mmc_bits_test(mem->bad_read, packet_of(mem, i))) {
            mem->stats.read_errors++;
            err = -EIO;
            continue;
        }
        mem->stats.blocks_read++;
        mmc_bits_set(mem->present, i);
    }
    pthread_mutex_unlock(&mem->lock);
    return err;
}

static int write_blocks(struct blockdev *dev, uint32_t lba, uint32_t count,
                        const void *buf) {
    struct memdev *mem = (struct memdev *)dev;
    if (!dev->geometry.writable) {
        return -EROFS;
    }
    if (!in_range(mem, lba, count)) {
        return -ERANGE;
    }
    pthread_mutex_lock(&mem->lock);
    bool refused = mmc_bits_test(mem->refused, packet_of(mem, lba));
    for (uint32_t i = lba; i < lba + count && !refused; i++) {
        mmc_bits_set(mem->present, i);
        mmc_bits_set(mem->dirty, i);
        mmc_bits_set(mem->used, i);
        mmc_bits_clear(mem->failed, packet_of(mem, i));
    }
    if (!refused) {
        memcpy(mem->cache + (size_t)lba * BYTES, buf, (size_t)count * BYTES);
    }
    pthread_mutex_unlock(&mem->lock);
    return refused ? mem->refusal : 0;
}

static void mark(struct blockdev *dev, uint32_t lba, uint32_t count,
                 bool in_use) {
    struct memdev *mem = (struct memdev *)dev;
    pthread_mutex_lock(&mem->lock);
    for (uint32_t i = lba; i < dev->geometry.blocks && i - lba < count; i++) {
        mmc_bits_clear(mem->failed, packet_of(mem, i));
        if (in_use) {
            mmc_bits_set(mem->used, i);
        } else {
            mmc_bits_clear(mem->used, i);
        }
    }
    pthread_mutex_unlock(&mem->lock);
}

static int make_room(struct blockdev *dev, uint32_t count) {
    (void)dev;
    (void)count;
    return 0;
}

/* Whether completing the packet takes blocks from the medium. */
static bool needs_gather(const struct memdev *mem, uint32_t first,
                         uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        if (mmc_bits_test(mem->used, i) && !mmc_bits_test(mem->present, i)) {
            return true;
        }
    }
    return false;
}

/* One packet to the medium. Returns 0 or -EIO; dirty bits go on success. */
static int write_packet(struct memdev *mem, uint32_t packet, uint32_t first,
                        uint32_t end) {
    bool tear = mem->cut_armed && mem->cut_left == 0 && mem->cut_tear;
    if (tear) {
        memset(mem->medium + (size_t)first * BYTES, 0xDB,
               (size_t)(end - first) * BYTES);
        mmc_bits_set(mem->bad_read, packet);
        mem->cut_tear = false;
    }
    if (mem->cut_armed && mem->cut_left == 0) {
        mem->stats.write_errors++;
        return -EIO;
    }
    if (mmc_bits_test(mem->bad_read, packet) && needs_gather(mem, first, end)) {
        mmc_bits_set(mem->failed, packet);
        mem->stats.read_errors++;
        return -EIO;
    }
    if (mmc_bits_test(mem->bad_write, packet)) {
        mmc_bits_set_range(mem->present, first, end); /* gathered */
        mmc_bits_set(mem->failed, packet);
        mmc_bits_set(mem->bad_read, packet);
        mem->stats.write_errors++;
        return -EIO;
    }
    for (uint32_t i = first; i < end; i++) {
        uint8_t *home = mem->medium + (size_t)i * BYTES;
        if (mmc_bits_test(mem->dirty, i) || mmc_bits_test(mem->used, i)) {
            bool gather = !mmc_bits_test(mem->present, i);
            mem->stats.blocks_gathered += gather;
            memcpy(home, mem->cache + (size_t)i * BYTES, BYTES);
        } else {
            memset(home, 0, BYTES);
        }
        mmc_bits_clear(mem->dirty, i);
    }
    mmc_bits_clear(mem->bad_read, packet);
    mem->overwrites[packet]++;
    mem->stats.packets_written++;
    mem->stats.write_commands++;
    mem->cut_left -= mem->cut_armed;
    return 0;
}

static bool packet_dirty(const struct memdev *mem, uint32_t first,
                         uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        if (mmc_bits_test(mem->dirty, i)) {
            return true;
        }
    }
    return false;
}

static int write_out(struct blockdev *dev) {
    struct memdev *mem = (struct memdev *)dev;
    uint32_t per = dev->geometry.packet_blocks;
    int err = 0;
    pthread_mutex_lock(&mem->lock);
    for (uint32_t word = 0; word * 64ull < dev->geometry.blocks; word++) {
        if (!mem->dirty[word]) {
            continue; /* a disc has many clean blocks */
        }
        uint32_t end_word = (word + 1) * 64;
        for (uint32_t lba = word * 64 / per * per;
             lba < end_word && lba < dev->geometry.blocks; lba += per) {
            uint32_t end = lba + per < dev->geometry.blocks
                               ? lba + per
                               : dev->geometry.blocks;
            if (mmc_bits_test(mem->failed, lba / per)) {
                err = err ? err : -EIO;
            } else if (packet_dirty(mem, lba, end)) {
                int one = write_packet(mem, lba / per, lba, end);
                err = err ? err : one;
                mem->unsynced = true;
            }
        }
    }
    pthread_mutex_unlock(&mem->lock);
    return err;
}

static int sync_out(struct blockdev *dev) {
    struct memdev *mem = (struct memdev *)dev;
    int err = write_out(dev);
    pthread_mutex_lock(&mem->lock);
    mem->stats.syncs += mem->unsynced;
    mem->unsynced = false;
    pthread_mutex_unlock(&mem->lock);
    return err;
}

static bool next_failed(struct blockdev *dev, uint32_t from,
                        struct blockdev_failure *out) {
    struct memdev *mem = (struct memdev *)dev;
    uint32_t per = dev->geometry.packet_blocks;
    pthread_mutex_lock(&mem->lock);
    uint32_t packet =
        (uint32_t)mmc_bits_next_set(mem->failed, from / per, mem->packets);
    if (packet < mem->packets) {
        uint32_t first = packet * per;
        *out = (struct blockdev_failure){.lba = first, .count = per};
        for (uint32_t i = first; i < first + per; i++) {
            if (i < dev->geometry.blocks && mmc_bits_test(mem->used, i) &&
                !mmc_bits_test(mem->present, i) &&
                mmc_bits_test(mem->bad_read, packet)) {
                out->missing |= UINT64_C(1) << (i - first);
            }
            if (i < dev->geometry.blocks && mmc_bits_test(mem->dirty, i)) {
                out->dirty |= UINT64_C(1) << (i - first);
            }
        }
        if (out->count > dev->geometry.blocks - first) {
            out->count = dev->geometry.blocks - first;
        }
    }
    pthread_mutex_unlock(&mem->lock);
    return packet < mem->packets;
}

static void discard(struct blockdev *dev, uint32_t lba, uint32_t count) {
    struct memdev *mem = (struct memdev *)dev;
    pthread_mutex_lock(&mem->lock);
    for (uint32_t i = lba; i < dev->geometry.blocks && i - lba < count; i++) {
        memcpy(mem->cache + (size_t)i * BYTES, mem->medium + (size_t)i * BYTES,
               BYTES);
        mmc_bits_clear(mem->present, i);
        mmc_bits_clear(mem->dirty, i);
        mmc_bits_clear(mem->used, i);
        mmc_bits_clear(mem->failed, packet_of(mem, i));
    }
    pthread_mutex_unlock(&mem->lock);
}

static int read_back(struct blockdev *dev, uint32_t lba, uint32_t count,
                     void *buf) {
    struct memdev *mem = (struct memdev *)dev;
    int err = 0;
    if (!in_range(mem, lba, count)) {
        return -ERANGE;
    }
    pthread_mutex_lock(&mem->lock);
    memcpy(buf, mem->medium + (size_t)lba * BYTES, (size_t)count * BYTES);
    for (uint32_t i = lba; i < lba + count; i++) {
        if (mmc_bits_test(mem->bad_read, packet_of(mem, i))) {
            err = -EIO;
        }
    }
    pthread_mutex_unlock(&mem->lock);
    return err;
}

static int revive(struct blockdev *dev) {
    struct memdev *mem = (struct memdev *)dev;
    pthread_mutex_lock(&mem->lock);
    int err = mem->cut_armed && mem->cut_left == 0 ? -ENOMEDIUM : 0;
    if (!err) {
        mmc_bits_clear_range(mem->failed, 0, mem->packets);
    }
    pthread_mutex_unlock(&mem->lock);
    return err;
}

/* Since it was made, which no caller can tell from since it was opened. */
static void writings(struct blockdev *dev, uint32_t first, uint32_t count,
                     uint16_t *out) {
    struct memdev *mem = (struct memdev *)dev;
    uint32_t length = dev->geometry.packet_blocks;
    pthread_mutex_lock(&mem->lock);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t sent = 0;
        if (first + i < mem->packets) {
            uint32_t lba = (first + i) * length;
            uint32_t left = dev->geometry.blocks - lba;
            uint32_t end = lba + (length < left ? length : left);
            sent = mem->overwrites[first + i] + packet_dirty(mem, lba, end);
        }
        out[i] = (uint16_t)(sent < UINT16_MAX ? sent : UINT16_MAX);
    }
    pthread_mutex_unlock(&mem->lock);
}

static void keep(struct blockdev *dev) {
    ((struct memdev *)dev)->kept = true;
}

static void get_stats(struct blockdev *dev, struct blockdev_stats *out) {
    struct memdev *mem = (struct memdev *)dev;
    pthread_mutex_lock(&mem->lock);
    *out = mem->stats;
    pthread_mutex_unlock(&mem->lock);
}

static const struct blockdev_ops memdev_ops = {
    .read_cached = read_cached,
    .fetch = fetch,
    .write = write_blocks,
    .mark = mark,
    .make_room = make_room,
    .write_out = write_out,
    .sync = sync_out,
    .next_failed = next_failed,
    .discard = discard,
    .read_back = read_back,
    .revive = revive,
    .writings = writings,
    .keep = keep,
    .stats = get_stats,
};

static void *map_cache(size_t bytes) {
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(map != MAP_FAILED);
    return map;
}

static void map_medium(struct memdev *mem) {
    mem->medium_fd = memfd_create("medium", MFD_CLOEXEC);
    assert_true(mem->medium_fd >= 0);
    assert_int_equal(ftruncate(mem->medium_fd, (off_t)mem->bytes), 0);
    mem->medium = mmap(NULL, mem->bytes, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_NORESERVE, mem->medium_fd, 0);
    assert_true(mem->medium != MAP_FAILED);
}

/* Gives the next piece of the medium, from *from on, that somebody wrote to,
 * however large it is: whole blocks. False when there is none. */
static bool next_written(const struct memdev *mem, off_t *from,
                         off_t *out_end) {
    off_t data = lseek(mem->medium_fd, *from, SEEK_DATA), end;

    if (data < 0) {
        return false;
    }
    end = lseek(mem->medium_fd, data, SEEK_HOLE);
    *from = data / BYTES * BYTES;
    *out_end = end < 0 || (size_t)end > mem->bytes ? (off_t)mem->bytes : end;
    return true;
}

static void *take_memory(size_t count, size_t size) {
    void *memory = calloc(count, size);
    assert_non_null(memory);
    return memory;
}

struct memdev *memdev_new(const struct blockdev_geometry *geometry) {
    assert_true(geometry->blocks > 0 && geometry->packet_blocks > 0);
    struct memdev *mem = take_memory(1, sizeof(*mem));
    mem->dev.ops = &memdev_ops;
    mem->dev.geometry = *geometry;
    mem->packets = (geometry->blocks - 1) / geometry->packet_blocks + 1;
    size_t words = (size_t)mmc_bits_words(geometry->blocks);
    mem->bytes = (size_t)geometry->blocks * BYTES;
    mem->cache = map_cache(mem->bytes);
    map_medium(mem);
    mem->present = take_memory(words, sizeof(uint64_t));
    mem->dirty = take_memory(words, sizeof(uint64_t));
    mem->used = take_memory(words, sizeof(uint64_t));
    mem->bad_read = take_memory(words, sizeof(uint64_t));
    mem->bad_write = take_memory(words, sizeof(uint64_t));
    mem->failed = take_memory(words, sizeof(uint64_t));
    mem->refused = take_memory(words, sizeof(uint64_t));
    mem->overwrites = take_memory(mem->packets, sizeof(uint32_t));
    memset(mem->used, 0xFF, words * sizeof(uint64_t));
    assert_int_equal(pthread_mutex_init(&mem->lock, NULL), 0);
    return mem;
}

static struct blockdev_geometry geometry_of(uint32_t blocks,
                                            uint32_t packet_blocks) {
    return (struct blockdev_geometry){
        .blocks = blocks, .packet_blocks = packet_blocks, .writable = true};
}

struct blockdev_geometry memdev_cdrw(uint32_t blocks) {
    struct blockdev_geometry g = geometry_of(blocks ? blocks : 295264, 32);
    g.rewritable = true;
    g.rated_overwrites = 1000;
    return g;
}

struct blockdev_geometry memdev_dvdrw(uint32_t blocks) {
    struct blockdev_geometry g = geometry_of(blocks ? blocks : 2297888, 16);
    g.rewritable = true;
    g.rated_overwrites = 1000;
    return g;
}

struct blockdev_geometry memdev_bdre(uint32_t blocks) {
    struct blockdev_geometry g = geometry_of(blocks ? blocks : 11826176, 32);
    g.rewritable = true;
    g.drive_manages_defects = true;
    return g;
}

struct blockdev_geometry memdev_image(uint32_t blocks) {
    return geometry_of(blocks ? blocks : 131072, 1);
}

struct blockdev *memdev_device(struct memdev *mem) {
    return &mem->dev;
}

void memdev_free(struct memdev *mem) {
    if (!mem) {
        return;
    }
    munmap(mem->cache, mem->bytes);
    munmap(mem->medium, mem->bytes);
    close(mem->medium_fd);
    free(mem->present);
    free(mem->dirty);
    free(mem->used);
    free(mem->bad_read);
    free(mem->bad_write);
    free(mem->failed);
    free(mem->refused);
    free(mem->overwrites);
    pthread_mutex_destroy(&mem->lock);
    free(mem);
}

void memdev_set_cold(struct memdev *mem, bool cold) {
    size_t words = (size_t)mmc_bits_words(mem->dev.geometry.blocks);
    mem->cold = cold;
    /* what waits to be written cannot leave the memory */
    memcpy(mem->present, mem->dirty, words * sizeof(uint64_t));
}

void memdev_cut_after(struct memdev *mem, uint64_t packets, bool tear) {
    mem->cut_armed = true;
    mem->cut_tear = tear;
    mem->cut_left = packets;
}

void memdev_reboot(struct memdev *mem) {
    size_t words = (size_t)mmc_bits_words(mem->dev.geometry.blocks);
    off_t from = 0, end;

    munmap(mem->cache, mem->bytes);
    mem->cache = map_cache(mem->bytes);
    for (; next_written(mem, &from, &end); from = end) {
        memcpy(mem->cache + from, mem->medium + from, (size_t)(end - from));
    }
    memset(mem->present, 0, words * sizeof(uint64_t));
    memset(mem->dirty, 0, words * sizeof(uint64_t));
    memset(mem->used, 0xFF, words * sizeof(uint64_t));
    memset(mem->failed, 0, words * sizeof(uint64_t));
    mem->cut_armed = false;
    mem->cut_tear = false;
    mem->kept = false;
}

void memdev_fail_read(struct memdev *mem, uint32_t lba) {
    uint32_t per = mem->dev.geometry.packet_blocks;
    mmc_bits_set(mem->bad_read, packet_of(mem, lba));
    for (uint32_t i = lba / per * per; i < (lba / per + 1) * per; i++) {
        if (i < mem->dev.geometry.blocks && !mmc_bits_test(mem->dirty, i)) {
            mmc_bits_clear(mem->present, i);
        }
    }
}

void memdev_fail_write(struct memdev *mem, uint32_t lba) {
    mmc_bits_set(mem->bad_write, packet_of(mem, lba));
}

void memdev_refuse(struct memdev *mem, uint32_t lba, int error) {
    mmc_bits_set(mem->refused, packet_of(mem, lba));
    mem->refusal = error;
}

void memdev_heal(struct memdev *mem) {
    size_t words = (size_t)mmc_bits_words(mem->dev.geometry.blocks);
    memset(mem->bad_read, 0, words * sizeof(uint64_t));
    memset(mem->bad_write, 0, words * sizeof(uint64_t));
    memset(mem->failed, 0, words * sizeof(uint64_t));
    memset(mem->refused, 0, words * sizeof(uint64_t));
}

uint8_t *memdev_medium(struct memdev *mem, uint32_t lba) {
    assert_true(lba < mem->dev.geometry.blocks);
    return mem->medium + (size_t)lba * BYTES;
}

uint32_t memdev_overwrites(const struct memdev *mem, uint32_t lba) {
    return mem->overwrites[packet_of(mem, lba)];
}

bool memdev_in_use(const struct memdev *mem, uint32_t lba) {
    return mmc_bits_test(mem->used, lba);
}

bool memdev_is_kept(const struct memdev *mem) {
    return mem->kept;
}

void memdev_save(const struct memdev *mem, const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    off_t from = 0, end;

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)mem->dev.geometry.blocks * BYTES), 0);
    for (; next_written(mem, &from, &end); from = end) {
        assert_int_equal(
            pwrite(fd, mem->medium + from, (size_t)(end - from), from),
            end - from);
    }
    assert_int_equal(close(fd), 0);
}

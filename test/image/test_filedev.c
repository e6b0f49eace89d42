/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_filedev.c - what of an image is in memory, and what an
 * operation waits for without the volume lock. The kernel's page cache is
 * played: preadv2() below answers as if nothing, or only a part, were in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "mmc/filedev.h"
#include "test/support/prove.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES, BLOCKS = 4000, FILE_BYTES = 1 << 20 };

/* What RWF_NOWAIT finds. */
enum memory { MEMORY_ALL, MEMORY_PART, MEMORY_NONE, MEMORY_UNKNOWN };

static enum memory memory;
static atomic_uint waited; /* reads that may wait */
static atomic_uint told;   /* times that the kernel was told to write */

/* This and the next are instead of the C library's. */
ssize_t preadv2(int fd, const struct iovec *part, int parts, off_t offset,
                int flags) {
    struct iovec first = part[0];

    if (flags == 0) {
        atomic_fetch_add(&waited, 1);
        return preadv(fd, part, parts, offset);
    }
    switch (memory) {
    case MEMORY_ALL:
        return preadv(fd, part, parts, offset);
    case MEMORY_PART:
        if (first.iov_len > BLOCK) {
            first.iov_len = BLOCK;
            return preadv(fd, &first, 1, offset);
        }
        errno = EAGAIN;
        return -1;
    case MEMORY_NONE:
        errno = EAGAIN;
        return -1;
    case MEMORY_UNKNOWN:
        break;
    }
    errno = EOPNOTSUPP;
    return -1;
}

int sync_file_range(int fd, off_t offset, off_t count, unsigned flags) {
    (void)fd;
    assert_int_equal(offset, 0);
    assert_int_equal(count, 0);
    assert_int_equal(flags, SYNC_FILE_RANGE_WRITE);
    atomic_fetch_add(&told, 1);
    return 0;
}

struct fixture {
    char path[64];
    struct blockdev *dev;
    uint8_t buf[64 * BLOCK], wanted[64 * BLOCK];
};

static int setup(void **state) {
    struct fixture *fx = calloc(1, sizeof(*fx));
    int fd;

    memory = MEMORY_ALL;
    strcpy(fx->path, "/tmp/test_filedev_XXXXXX");
    fd = mkstemp(fx->path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)BLOCKS * BLOCK), 0);
    close(fd);
    assert_int_equal(mmc_filedev_open(fx->path, true, &fx->dev), 0);
    for (size_t i = 0; i < sizeof(fx->wanted); i++) {
        fx->wanted[i] = (uint8_t)(i * 7 + i / BLOCK);
    }
    assert_int_equal(blockdev_write(fx->dev, 100, 64, fx->wanted), 0);
    atomic_store(&waited, 0);
    atomic_store(&told, 0);
    *state = fx;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fx = *state;

    mmc_filedev_close(fx->dev);
    unlink(fx->path);
    free(fx);
    return 0;
}

static void assert_read(struct fixture *fx) {
    memset(fx->buf, 0, sizeof(fx->buf));
    assert_int_equal(blockdev_read_cached(fx->dev, 100, 64, fx->buf), 0);
    assert_memory_equal(fx->buf, fx->wanted, sizeof(fx->buf));
}

static void assert_missing(struct fixture *fx) {
    assert_int_equal(blockdev_read_cached(fx->dev, 100, 64, fx->buf),
                     -EINPROGRESS);
}

static void test_what_is_in_memory_is_read_without_waiting(void **state) {
    assert_read(*state);
    assert_int_equal(atomic_load(&waited), 0);
}

static void test_a_read_that_must_wait_is_a_miss(void **state) {
    memory = MEMORY_NONE;
    assert_missing(*state);
    memory = MEMORY_PART;
    assert_missing(*state);
    assert_int_equal(atomic_load(&waited), 0);
}

static void test_one_read_after_a_fetch_waits(void **state) {
    struct fixture *fx = *state;

    memory = MEMORY_NONE;
    assert_int_equal(blockdev_fetch(fx->dev, 100, 64), 0);
    assert_true(atomic_load(&waited) > 0);
    assert_read(fx);
    assert_missing(fx);
}

static void test_where_nobody_knows_reading_waits(void **state) {
    memory = MEMORY_UNKNOWN;
    assert_read(*state);
    assert_int_equal(atomic_load(&waited), 1);
}

static void test_a_file_cut_short_fails_when_fetched(void **state) {
    struct fixture *fx = *state;
    struct blockdev_stats stats;

    assert_int_equal(truncate(fx->path, (off_t)110 * BLOCK), 0);
    assert_missing(fx);
    assert_int_equal(blockdev_fetch(fx->dev, 100, 64), -EIO);
    assert_missing(fx);
    assert_int_equal(blockdev_fetch(fx->dev, 100, 10), 0);
    blockdev_get_stats(fx->dev, &stats);
    assert_int_equal(stats.read_errors, 1);
}

static void test_writing_leaves_it_to_make_room_to_wait(void **state) {
    struct fixture *fx = *state;

    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(blockdev_write(fx->dev, 200, 64, fx->wanted), 0);
    }
    assert_int_equal(atomic_load(&told), 0);
    assert_int_equal(blockdev_make_room(fx->dev, 1), 0);
    assert_int_equal(blockdev_make_room(fx->dev, 1), 0);
    assert_int_equal(atomic_load(&told), 1);
}

/* ---- a volume of which nothing stays in memory ------------------------- */

static void note_wait(void *context) {
    unsigned *waits = context;

    (*waits)++;
}

static struct udf_volume *mount(struct fixture *fx) {
    struct udf_mount_options options = {0};
    struct udf_volume *volume;

    assert_int_equal(udf_mount(fx->dev, &options, &volume), 0);
    return volume;
}

static uint64_t make_file(struct udf_volume *volume, const uint8_t *content) {
    struct udf_make what = {.mode = S_IFREG | 0644};
    struct udf_name name = {.text = "file", .len = 4};
    struct udf_cred owner = {0};
    struct udf_stat stat;

    assert_int_equal(
        udf_create(volume, UDF_ROOT_INO, &name, &what, &owner, &stat), 0);
    assert_int_equal(udf_write(volume, stat.ino, 0, FILE_BYTES, content), 0);
    return stat.ino;
}

static void assert_content(struct udf_volume *volume, const uint8_t *content) {
    struct udf_name name = {.text = "file", .len = 4};
    uint8_t *buf = malloc(FILE_BYTES);
    struct udf_stat stat;
    uint32_t got;

    assert_int_equal(udf_lookup(volume, UDF_ROOT_INO, &name, &stat), 0);
    assert_int_equal(udf_read(volume, stat.ino, 0, FILE_BYTES, buf, &got), 0);
    assert_int_equal(got, FILE_BYTES);
    assert_memory_equal(buf, content, FILE_BYTES);
    free(buf);
}

static void test_operations_wait_and_end(void **state) {
    struct fixture *fx = *state;
    struct udf_format_options options = {.label = "image", .seed = 3};
    uint8_t *content = malloc(FILE_BYTES);
    struct udf_volume *volume;
    unsigned waits = 0;

    for (size_t i = 0; i < FILE_BYTES; i++) {
        content[i] = (uint8_t)(i * 5 + i / 999);
    }
    memory = MEMORY_NONE;
    assert_int_equal(udf_format(fx->dev, &options), 0);
    volume = mount(fx);
    make_file(volume, content);
    assert_int_equal(udf_commit(volume), 0);
    assert_content(volume, content);
    assert_int_equal(udf_unmount(volume), 0);

    volume = mount(fx);
    udf_on_wait(volume, note_wait, &waits);
    assert_content(volume, content);
    assert_true(waits > 0);
    assert_int_equal(udf_unmount(volume), 0);
    prove_device(fx->dev);
    free(content);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_what_is_in_memory_is_read_without_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_read_that_must_wait_is_a_miss,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_read_after_a_fetch_waits,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_where_nobody_knows_reading_waits,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_a_file_cut_short_fails_when_fetched, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_writing_leaves_it_to_make_room_to_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_operations_wait_and_end, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ranges of files, holes, and file handles, as programs see them on a mounted
 * volume: above all what the kernel still has in its page cache, of which we
 * know nothing when it asks.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/mount_rig.h"

#define PATH(name) mount_rig_path(rig, (name))

#define FAILS(call, code)                                                      \
    do {                                                                       \
        errno = 0;                                                             \
        assert_int_equal((call), -1);                                          \
        assert_int_equal(errno, (code));                                       \
    } while (0)

static struct mount_rig *rig_of(void **state) {
    if (!mount_rig_possible()) {
        skip();
    }
    return *state;
}

static int make_file(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);

    assert_true(fd >= 0);
    return fd;
}

static void write_at(int fd, off_t offset, size_t bytes, int byte) {
    char *data = malloc(bytes);

    assert_non_null(data);
    memset(data, byte, bytes);
    assert_int_equal(pwrite(fd, data, bytes, offset), bytes);
    free(data);
}

static void expect_at(int fd, off_t offset, size_t bytes, int byte) {
    char *data = malloc(bytes);

    assert_non_null(data);
    assert_int_equal(pread(fd, data, bytes, offset), bytes);
    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(data[i], byte);
    }
    free(data);
}

static void test_fs_range_finds_data_in_the_page_cache(void **state) {
    struct mount_rig *rig = rig_of(state);
    int fd = make_file(PATH("file"));

    /* Nothing of this has reached us when the kernel asks. */
    write_at(fd, 0, 10000, 'a');
    assert_int_equal(lseek(fd, 0, SEEK_DATA), 0);
    assert_int_equal(lseek(fd, 0, SEEK_HOLE), 10000);
    write_at(fd, 1 << 20, 4096, 'b');
    assert_int_equal(lseek(fd, 0, SEEK_HOLE), 10240);
    assert_int_equal(lseek(fd, 10240, SEEK_DATA), 1 << 20);
    write_at(fd, 1 << 19, 4096, 'c');
    assert_int_equal(lseek(fd, 10240, SEEK_DATA), 1 << 19);
    write_at(fd, 10240, (1 << 19) - 10240, 'd');
    assert_int_equal(lseek(fd, 5, SEEK_HOLE), (1 << 19) + 4096);
    write_at(fd, 3 << 20, 1, 'e');
    assert_int_equal(lseek(fd, 2 << 20, SEEK_HOLE), 2 << 20);
    assert_int_equal(lseek(fd, 2 << 20, SEEK_DATA), 3 << 20);
    assert_int_equal(lseek(fd, 3 << 20, SEEK_HOLE), (3 << 20) + 1);
    FAILS(lseek(fd, (3 << 20) + 1, SEEK_DATA), ENXIO);
    FAILS(lseek(fd, (3 << 20) + 1, SEEK_HOLE), ENXIO);
    close(fd);
}

enum { SEEKERS = 24, HOLES = 40 };

struct seeker {
    struct mount_rig *rig;
    unsigned number;
    bool failed;
    pthread_t thread;
};

/* Writes every other 8 KiB and looks for them while nothing is on its way. */
static void *run_seeker(void *argument) {
    struct seeker *seeker = argument;
    struct mount_rig *rig = seeker->rig;
    char name[16], data[8192];

    snprintf(name, sizeof name, "file%u", seeker->number);
    memset(data, 'x', sizeof data);
    int fd = open(PATH(name), O_RDWR | O_CREAT | O_EXCL, 0644);

    for (off_t i = 0; i < HOLES && !seeker->failed; i++) {
        off_t at = (2 * i + 1) * 8192;

        seeker->failed = pwrite(fd, data, sizeof data, at) != sizeof data ||
                         lseek(fd, at - 8192, SEEK_DATA) != at ||
                         lseek(fd, at, SEEK_HOLE) != at + 8192;
    }
    close(fd);
    return NULL;
}

/* More than there are threads to answer. */
static void test_fs_range_serves_many_seekers(void **state) {
    struct mount_rig *rig = rig_of(state);
    struct seeker seekers[SEEKERS];

    for (unsigned i = 0; i < SEEKERS; i++) {
        seekers[i] = (struct seeker){.rig = rig, .number = i};
        assert_int_equal(
            pthread_create(&seekers[i].thread, NULL, run_seeker, &seekers[i]),
            0);
    }
    for (unsigned i = 0; i < SEEKERS; i++) {
        pthread_join(seekers[i].thread, NULL);
        assert_false(seekers[i].failed);
    }
}

static void test_fs_range_allocates_and_punches(void **state) {
    struct mount_rig *rig = rig_of(state);
    int fd = make_file(PATH("file"));
    struct stat attr;

    write_at(fd, 0, 100000, 'a');
    assert_int_equal(fallocate(fd, 0, 50000, 150000), 0);
    assert_int_equal(
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3000, 9000),
        0);
    write_at(fd, 20000, 50, 'b');
    assert_int_equal(
        fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 20010, 20),
        0);
    assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 400000), 0);
    FAILS(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096), EOPNOTSUPP);
    FAILS(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096), EOPNOTSUPP);
    FAILS(fallocate(fd, 0, 0, (off_t)1 << 55), EFBIG);
    FAILS(fallocate(fd, 0, 0, 1 << 30), ENOSPC);
    assert_int_equal(fstat(fd, &attr), 0);
    assert_int_equal(attr.st_size, 200000);
    close(fd);
    mount_rig_remount(rig);
    fd = open(PATH("file"), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &attr), 0);
    assert_int_equal(attr.st_size, 200000);
    expect_at(fd, 0, 3000, 'a');
    expect_at(fd, 3000, 9000, 0);
    expect_at(fd, 12000, 8000, 'a');
    expect_at(fd, 20000, 10, 'b');
    expect_at(fd, 20010, 20, 0);
    expect_at(fd, 20030, 20, 'b');
    expect_at(fd, 20050, 79950, 'a');
    expect_at(fd, 100000, 100000, 0);
    close(fd);
}

static void test_fs_range_copies_without_the_kernel(void **state) {
    struct mount_rig *rig = rig_of(state);
    int from = make_file(PATH("from"));
    int to = make_file(PATH("to"));
    off_t from_at = 0, to_at = 100;
    ssize_t copied;

    /* Sparse at its beginning, and nothing written back yet. */
    write_at(from, 3000000, 2000000, 'a');
    write_at(to, 0, 200, 'b');
    do {
        copied = copy_file_range(from, &from_at, to, &to_at, 100000000, 0);
        assert_true(copied >= 0);
    } while (copied > 0);
    assert_int_equal(from_at, 5000000);
    assert_int_equal(to_at, 5000100);
    expect_at(to, 0, 100, 'b');
    expect_at(to, 100, 3000000, 0);
    expect_at(to, 3000100, 2000000, 'a');
    /* Within a file. */
    from_at = 0;
    to_at = 6000000;
    assert_int_equal(copy_file_range(to, &from_at, to, &to_at, 50, 0), 50);
    expect_at(to, 6000000, 50, 'b');
    from_at = 0;
    to_at = 10;
    FAILS(copy_file_range(to, &from_at, to, &to_at, 50, 0), EINVAL);
    close(from);
    close(to);
}

struct handle {
    struct file_handle head;
    unsigned char bytes[64];
};

static void take_handle(const char *path, struct handle *handle) {
    int mount_id;

    handle->head.handle_bytes = sizeof handle->bytes;
    assert_int_equal(
        name_to_handle_at(AT_FDCWD, path, &handle->head, &mount_id, 0), 0);
}

static int open_handle(struct mount_rig *rig, struct handle *handle) {
    int mnt = open(rig->mnt, O_RDONLY | O_DIRECTORY);
    int fd;

    assert_true(mnt >= 0);
    fd = open_by_handle_at(mnt, &handle->head, O_RDONLY);
    int err = errno;

    close(mnt);
    errno = err;
    return fd;
}

/* As an NFS server does: handles outlive the mount. */
static void test_fs_range_opens_handles_of_an_earlier_mount(void **state) {
    struct mount_rig *rig = rig_of(state);
    struct handle root, dir, file, gone, reused;
    struct stat attr, again;
    int fd;

    assert_int_equal(mkdir(PATH("dir"), 0755), 0);
    fd = make_file(PATH("dir/file"));
    write_at(fd, 0, 5000, 'a');
    close(fd);
    close(make_file(PATH("dir/gone")));
    close(make_file(PATH("dir/reused")));
    assert_int_equal(stat(PATH("dir/file"), &attr), 0);
    take_handle(rig->mnt, &root);
    take_handle(PATH("dir"), &dir);
    take_handle(PATH("dir/file"), &file);
    take_handle(PATH("dir/gone"), &gone);
    take_handle(PATH("dir/reused"), &reused);
    mount_rig_remount(rig);
    fd = open_handle(rig, &file);
    assert_true(fd >= 0);
    expect_at(fd, 0, 5000, 'a');
    assert_int_equal(fstat(fd, &again), 0);
    assert_int_equal(again.st_ino, attr.st_ino);
    close(fd);
    fd = open_handle(rig, &dir);
    assert_true(fd >= 0);
    assert_int_equal(faccessat(fd, "gone", F_OK, 0), 0);
    assert_int_equal(faccessat(fd, "../dir", F_OK, 0), 0);
    close(fd);
    fd = open_handle(rig, &root);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(unlink(PATH("dir/gone")), 0);
    assert_int_equal(unlink(PATH("dir/reused")), 0);
    FAILS(open_handle(rig, &gone), ESTALE);
    mount_rig_remount(rig);
    FAILS(open_handle(rig, &gone), ESTALE);
    /* Whatever takes the places now. */
    for (char name[] = "dir/0"; name[4] <= '9'; name[4]++) {
        close(make_file(PATH(name)));
    }
    mount_rig_remount(rig);
    FAILS(open_handle(rig, &gone), ESTALE);
    FAILS(open_handle(rig, &reused), ESTALE);
}

#define MOUNTED(test)                                                          \
    cmocka_unit_test_setup_teardown(test, mount_rig_setup, mount_rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        MOUNTED(test_fs_range_finds_data_in_the_page_cache),
        MOUNTED(test_fs_range_serves_many_seekers),
        MOUNTED(test_fs_range_allocates_and_punches),
        MOUNTED(test_fs_range_copies_without_the_kernel),
        MOUNTED(test_fs_range_opens_handles_of_an_earlier_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

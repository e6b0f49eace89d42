/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What programs see of a mounted volume, request by request.
 */
#include <dirent.h>
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
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

static void write_file(const char *path, const void *data, size_t bytes) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), bytes);
    assert_int_equal(close(fd), 0);
}

static void assert_content(const char *path, const void *data, size_t bytes) {
    char *got = malloc(bytes + 1);
    int fd = open(path, O_RDONLY);

    assert_non_null(got);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, bytes + 1), bytes);
    assert_memory_equal(got, data, bytes);
    close(fd);
    free(got);
}

static struct stat stat_of(const char *path) {
    struct stat attr;

    assert_int_equal(lstat(path, &attr), 0);
    return attr;
}

/* Bytes that differ from place to place. */
static char *pattern(size_t bytes, unsigned seed) {
    char *data = malloc(bytes);

    assert_non_null(data);
    for (size_t i = 0; i < bytes; i++) {
        seed = seed * 1103515245u + 12345u;
        data[i] = (char)(seed >> 16);
    }
    return data;
}

static void test_fs_ops_keep_a_file_over_a_remount(void **state) {
    struct mount_rig *rig = rig_of(state);
    char *data = pattern(3000000, 1);

    write_file(PATH("file"), data, 3000000);
    mount_rig_remount(rig);
    assert_content(PATH("file"), data, 3000000);
    assert_int_equal(stat_of(PATH("file")).st_size, 3000000);
    free(data);
}

static void test_fs_ops_remember_what_is_absent(void **state) {
    struct mount_rig *rig = rig_of(state);
    struct stat attr;

    FAILS(stat(PATH("name"), &attr), ENOENT);
    FAILS(stat(PATH("name"), &attr), ENOENT);
    write_file(PATH("name"), "x", 1);
    assert_int_equal(stat_of(PATH("name")).st_size, 1);
    assert_int_equal(unlink(PATH("name")), 0);
    FAILS(stat(PATH("name"), &attr), ENOENT);
    FAILS(unlink(PATH("name")), ENOENT);
    FAILS(stat(PATH("no/dir"), &attr), ENOENT);
}

static unsigned count_entries(const char *path) {
    DIR *dir = opendir(path);
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static void test_fs_ops_list_a_large_directory(void **state) {
    struct mount_rig *rig = rig_of(state);
    char name[64];

    assert_int_equal(mkdir(PATH("dir"), 0755), 0);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "dir/a file with a longer name %u", i);
        int fd = open(PATH(name), O_CREAT | O_EXCL | O_WRONLY, 0644);

        assert_true(fd >= 0);
        close(fd);
    }
    assert_int_equal(count_entries(PATH("dir")), 2002);
    mount_rig_remount(rig);
    assert_int_equal(count_entries(PATH("dir")), 2002);
    FAILS(rmdir(PATH("dir")), ENOTEMPTY);
    for (unsigned i = 0; i < 2000; i += 2) {
        snprintf(name, sizeof name, "dir/a file with a longer name %u", i);
        assert_int_equal(unlink(PATH(name)), 0);
    }
    assert_int_equal(count_entries(PATH("dir")), 1002);
}

/* As "rm -r" does: no entry may be passed over. */
static void test_fs_ops_list_while_names_are_removed(void **state) {
    struct mount_rig *rig = rig_of(state);
    char name[300];
    unsigned removed = 0;

    assert_int_equal(mkdir(PATH("dir"), 0755), 0);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "dir/%u", i);
        write_file(PATH(name), "x", 1);
    }
    DIR *dir = opendir(PATH("dir"));

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        snprintf(name, sizeof name, "dir/%s", entry->d_name);
        if (entry->d_name[0] != '.') {
            assert_int_equal(unlink(PATH(name)), 0);
            removed++;
        }
    }
    closedir(dir);
    assert_int_equal(removed, 1000);
    assert_int_equal(rmdir(PATH("dir")), 0);
}

static void test_fs_ops_rename_in_every_way(void **state) {
    struct mount_rig *rig = rig_of(state);

    write_file(PATH("a"), "a", 1);
    write_file(PATH("b"), "b", 1);
    FAILS(renameat2(AT_FDCWD, PATH("a"), AT_FDCWD, PATH("b"), RENAME_NOREPLACE),
          EEXIST);
    assert_int_equal(
        renameat2(AT_FDCWD, PATH("a"), AT_FDCWD, PATH("b"), RENAME_EXCHANGE),
        0);
    assert_content(PATH("a"), "b", 1);
    assert_content(PATH("b"), "a", 1);
    assert_int_equal(rename(PATH("a"), PATH("b")), 0);
    assert_content(PATH("b"), "b", 1);
    assert_int_equal(mkdir(PATH("dir"), 0755), 0);
    assert_int_equal(mkdir(PATH("dir/sub"), 0755), 0);
    FAILS(rename(PATH("dir"), PATH("dir/sub/dir")), EINVAL);
    FAILS(rename(PATH("b"), PATH("dir")), EISDIR);
    FAILS(rename(PATH("dir/sub"), PATH("b")), ENOTDIR);
    assert_int_equal(rename(PATH("dir/sub"), PATH("sub")), 0);
    assert_int_equal(stat_of(PATH("dir")).st_nlink, 2);
    assert_int_equal(rename(PATH("b"), PATH("sub/moved")), 0);
    mount_rig_remount(rig);
    assert_content(PATH("sub/moved"), "b", 1);
    FAILS(access(PATH("b"), F_OK), ENOENT);
}

static void test_fs_ops_link_files_hard_and_soft(void **state) {
    struct mount_rig *rig = rig_of(state);
    char target[64];

    write_file(PATH("a"), "text", 4);
    assert_int_equal(link(PATH("a"), PATH("b")), 0);
    FAILS(link(PATH("a"), PATH("b")), EEXIST);
    assert_int_equal(stat_of(PATH("a")).st_nlink, 2);
    assert_int_equal(stat_of(PATH("a")).st_ino, stat_of(PATH("b")).st_ino);
    assert_int_equal(symlink("../some/where", PATH("soft")), 0);
    mount_rig_remount(rig);
    assert_int_equal(unlink(PATH("a")), 0);
    assert_int_equal(stat_of(PATH("b")).st_nlink, 1);
    assert_content(PATH("b"), "text", 4);
    assert_int_equal(readlink(PATH("soft"), target, sizeof target), 13);
    assert_memory_equal(target, "../some/where", 13);
    FAILS(readlink(PATH("b"), target, sizeof target), EINVAL);
}

static void test_fs_ops_keep_an_unlinked_file_until_it_is_closed(void **state) {
    struct mount_rig *rig = rig_of(state);
    char *data = pattern(500000, 2);
    char *got = malloc(500000);
    int fd = open(PATH("file"), O_RDWR | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_non_null(got);
    assert_int_equal(unlink(PATH("file")), 0);
    assert_int_equal(write(fd, data, 500000), 500000);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    assert_int_equal(pread(fd, got, 500000, 0), 500000);
    assert_memory_equal(got, data, 500000);
    assert_int_equal(close(fd), 0);
    FAILS(access(PATH("file"), F_OK), ENOENT);
    free(got);
    free(data);
}

static void test_fs_ops_cut_and_stretch(void **state) {
    struct mount_rig *rig = rig_of(state);
    char zeros[100] = {0};
    char got[100];

    write_file(PATH("file"), "0123456789", 10);
    assert_int_equal(truncate(PATH("file"), 4), 0);
    assert_int_equal(truncate(PATH("file"), 100000), 0);
    mount_rig_remount(rig);
    int fd = open(PATH("file"), O_RDONLY);

    assert_int_equal(stat_of(PATH("file")).st_size, 100000);
    assert_int_equal(pread(fd, got, 4, 0), 4);
    assert_memory_equal(got, "0123", 4);
    assert_int_equal(pread(fd, got, 100, 4), 100);
    assert_memory_equal(got, zeros, 100);
    assert_int_equal(pread(fd, got, 100, 99950), 50);
    close(fd);
    /* O_TRUNC comes as a SETATTR, because OPEN is declined. */
    fd = open(PATH("file"), O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(stat_of(PATH("file")).st_size, 0);
    FAILS(truncate(PATH(""), 0), EISDIR);
}

static void test_fs_ops_set_attributes(void **state) {
    struct mount_rig *rig = rig_of(state);
    /* A nanosecond count that UDF cannot keep: it ends at microseconds. */
    struct timespec times[2] = {{981173106, 123456789}, {-1000, 5000}};

    write_file(PATH("file"), "x", 1);
    assert_int_equal(chmod(PATH("file"), 0640), 0);
    assert_int_equal(chown(PATH("file"), 1000, 1001), 0);
    assert_int_equal(utimensat(AT_FDCWD, PATH("file"), times, 0), 0);
    mount_rig_remount(rig);
    struct stat attr = stat_of(PATH("file"));

    assert_int_equal(attr.st_mode, S_IFREG | 0640);
    assert_int_equal(attr.st_uid, 1000);
    assert_int_equal(attr.st_gid, 1001);
    assert_int_equal(attr.st_atim.tv_sec, 981173106);
    assert_int_equal(attr.st_atim.tv_nsec, 123456000);
    assert_int_equal(attr.st_mtim.tv_sec, -1000);
    assert_int_equal(attr.st_mtim.tv_nsec, 5000);
}

static void test_fs_ops_take_mtime_from_the_page_cache(void **state) {
    struct mount_rig *rig = rig_of(state);

    write_file(PATH("file"), "x", 1);
    struct stat before = stat_of(PATH("file"));

    mount_rig_remount(rig);
    struct stat after = stat_of(PATH("file"));

    assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void test_fs_ops_hand_the_group_of_a_directory_down(void **state) {
    struct mount_rig *rig = rig_of(state);

    assert_int_equal(mkdir(PATH("dir"), 0755), 0);
    assert_int_equal(chown(PATH("dir"), 0, 1234), 0);
    assert_int_equal(chmod(PATH("dir"), 02775), 0);
    write_file(PATH("dir/file"), "x", 1);
    assert_int_equal(mkdir(PATH("dir/sub"), 0755), 0);
    assert_int_equal(stat_of(PATH("dir/file")).st_gid, 1234);
    assert_int_equal(stat_of(PATH("dir/file")).st_mode & 07000, 0);
    assert_int_equal(stat_of(PATH("dir/sub")).st_gid, 1234);
    assert_int_equal(stat_of(PATH("dir/sub")).st_mode & 07000, S_ISGID);
}

static void test_fs_ops_clear_set_id_bits_when_written(void **state) {
    struct mount_rig *rig = rig_of(state);

    write_file(PATH("file"), "x", 1);
    assert_int_equal(chmod(PATH("file"), 06755), 0);
    int fd = open(PATH("file"), O_WRONLY);

    assert_true(fd >= 0);
    /* As somebody who has no right to keep them. */
    assert_int_equal(fchown(fd, 65534, 65534), 0);
    assert_int_equal(stat_of(PATH("file")).st_mode & 07000, 0);
    close(fd);
}

static void test_fs_ops_make_special_files(void **state) {
    struct mount_rig *rig = rig_of(state);

    assert_int_equal(mkfifo(PATH("fifo"), 0600), 0);
    assert_int_equal(mknod(PATH("dev"), S_IFCHR | 0600, makedev(5, 77)), 0);
    mount_rig_remount(rig);
    assert_int_equal(stat_of(PATH("fifo")).st_mode, S_IFIFO | 0600);
    assert_int_equal(stat_of(PATH("dev")).st_mode, S_IFCHR | 0600);
    assert_int_equal(stat_of(PATH("dev")).st_rdev, makedev(5, 77));
}

static void test_fs_ops_refuse_what_udf_cannot_hold(void **state) {
    struct mount_rig *rig = rig_of(state);
    char name[600];

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    FAILS(open(PATH(name), O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
    FAILS(mkdir(PATH("\xff\xfe"), 0755), EILSEQ);
    write_file(PATH("file"), "x", 1);
    FAILS(setxattr(PATH("file"), "user.a/b", "b", 1, 0), EINVAL);
    FAILS(rmdir(PATH("file")), ENOTDIR);
    FAILS(mkdir(PATH("file/dir"), 0755), ENOTDIR);
}

static void test_fs_ops_show_free_space(void **state) {
    struct mount_rig *rig = rig_of(state);
    struct statvfs before, after;
    char *data = pattern(5000000, 3);

    assert_int_equal(statvfs(rig->mnt, &before), 0);
    write_file(PATH("file"), data, 5000000);
    assert_int_equal(statvfs(rig->mnt, &after), 0);
    assert_int_equal(before.f_blocks, after.f_blocks);
    assert_true(before.f_bfree - after.f_bfree >= 5000000 / 2048);
    assert_true(before.f_bfree - after.f_bfree < 5000000 / 2048 + 100);
    assert_true(after.f_namemax >= 254);
    free(data);
}

static void test_fs_ops_say_when_the_disc_is_full(void **state) {
    struct mount_rig *rig = rig_of(state);
    char *data = pattern(1 << 20, 4);
    int fd = open(PATH("file"), O_CREAT | O_WRONLY, 0644);
    int failed = 0;

    assert_true(fd >= 0);
    write_file(PATH("before"), data, 100000);
    for (unsigned i = 0; i < 80 && !failed; i++) {
        failed = write(fd, data, 1 << 20) != 1 << 20 ? errno : 0;
    }
    /* The page cache may have taken it all: then fsync or close say so. */
    if (!failed) {
        failed = fsync(fd) != 0 ? errno : 0;
    }
    if (close(fd) != 0 && !failed) {
        failed = errno;
    }
    assert_int_equal(failed, ENOSPC);
    assert_int_equal(unlink(PATH("file")), 0);
    mount_rig_remount(rig);
    assert_content(PATH("before"), data, 100000);
    write_file(PATH("after"), data, 1 << 20);
    mount_rig_remount(rig);
    assert_content(PATH("after"), data, 1 << 20);
    free(data);
}

static void test_fs_ops_write_nothing_for_reading(void **state) {
    struct mount_rig *rig = rig_of(state);
    char *data = pattern(200000, 5);

    assert_int_equal(mkdir(PATH("dir"), 0755), 0);
    write_file(PATH("dir/file"), data, 200000);
    mount_rig_remount(rig);
    uint64_t before = mount_rig_packets(rig);

    assert_content(PATH("dir/file"), data, 200000);
    assert_int_equal(count_entries(PATH("dir")), 3);
    assert_int_equal(count_entries(rig->mnt), 3);
    sync();
    assert_int_equal(mount_rig_packets(rig), before);
    assert_int_equal(stat_of(PATH("dir/file")).st_size, 200000);
    free(data);
}

static void test_fs_ops_move_atime_with_relatime_only(void **state) {
    struct mount_rig *rig = rig_of(state);
    struct timespec times[2] = {{1000000, 0}, {2000000, 0}};

    write_file(PATH("file"), "x", 1);
    assert_int_equal(utimensat(AT_FDCWD, PATH("file"), times, 0), 0);
    mount_rig_remount(rig);
    assert_content(PATH("file"), "x", 1);
    assert_int_equal(stat_of(PATH("file")).st_atim.tv_sec, 1000000);
    rig->atime = FS_RELATIME;
    mount_rig_remount(rig);
    struct stat before = stat_of(PATH("file"));

    assert_content(PATH("file"), "x", 1);
    mount_rig_remount(rig);
    struct stat after = stat_of(PATH("file"));

    assert_true(after.st_atim.tv_sec > 2000000);
    assert_int_equal(after.st_mtim.tv_sec, 2000000);
    assert_int_equal(after.st_ctim.tv_sec, before.st_ctim.tv_sec);
    assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
}

static void test_fs_ops_refuse_changes_when_read_only(void **state) {
    struct mount_rig *rig = rig_of(state);

    write_file(PATH("file"), "x", 1);
    mount_rig_unmount(rig);
    rig->read_only = true;
    mount_rig_mount(rig);
    assert_content(PATH("file"), "x", 1);
    FAILS(open(PATH("new"), O_CREAT | O_WRONLY, 0644), EROFS);
    FAILS(unlink(PATH("file")), EROFS);
    FAILS(chmod(PATH("file"), 0600), EROFS);
}

static void test_fs_ops_write_mapped_pages(void **state) {
    struct mount_rig *rig = rig_of(state);
    char *data = pattern(300000, 6);
    int fd = open(PATH("file"), O_RDWR | O_CREAT, 0644);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 300000), 0);
    char *map = mmap(NULL, 300000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    assert_ptr_not_equal(map, MAP_FAILED);
    memcpy(map, data, 300000);
    close(fd);
    assert_int_equal(munmap(map, 300000), 0);
    mount_rig_remount(rig);
    assert_content(PATH("file"), data, 300000);
    free(data);
}

static void test_fs_ops_keep_page_cache_data_when_leaving(void **state) {
    struct mount_rig *rig = rig_of(state);
    char *data = pattern(4000000, 7);
    char name[16];
    int fds[8];

    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "file%u", i);
        fds[i] = open(PATH(name), O_CREAT | O_WRONLY, 0644);
        assert_true(fds[i] >= 0);
        assert_int_equal(write(fds[i], data + i, 3000000), 3000000);
    }
    mount_rig_leave(rig);
    for (unsigned i = 0; i < 8; i++) {
        close(fds[i]);
    }
    mount_rig_mount(rig);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "file%u", i);
        assert_content(PATH(name), data + i, 3000000);
    }
    free(data);
}

/* One of several threads that work in directories of their own and in a
 * common one. */
struct load {
    struct mount_rig *rig;
    unsigned number;
    bool failed;
    pthread_t thread;
};

enum { LOAD_THREADS = 6, LOAD_ROUNDS = 60, LOAD_BYTES = 40000 };

static bool load_round(struct load *load, unsigned round) {
    struct mount_rig *rig = load->rig;
    char name[64], moved[64], common[64];
    char data[4096];
    bool good = true;

    snprintf(name, sizeof name, "load%u/%u", load->number, round);
    snprintf(moved, sizeof moved, "load%u/moved %u", load->number, round);
    snprintf(common, sizeof common, "common/%u", round % 7);
    memset(data, (int)round, sizeof data);
    int fd = open(PATH(name), O_CREAT | O_RDWR, 0644);

    for (unsigned done = 0; done < LOAD_BYTES; done += sizeof data) {
        good = good && write(fd, data, sizeof data) == sizeof data;
    }
    good = good && (round % 20 != 0 || fsync(fd) == 0);
    good = close(fd) == 0 && good;
    good = good && rename(PATH(name), PATH(moved)) == 0;
    good = good && (round % 3 != 0 || unlink(PATH(moved)) == 0);
    /* These collide with other threads on purpose: any answer is good. */
    (void)!link(PATH(moved), PATH(common));
    (void)!unlink(PATH(common));
    return good && count_entries(PATH("common")) >= 2;
}

static void *run_load(void *argument) {
    struct load *load = argument;

    for (unsigned round = 0; round < LOAD_ROUNDS && !load->failed; round++) {
        load->failed = !load_round(load, round);
    }
    return NULL;
}

static void test_fs_ops_serve_many_at_once(void **state) {
    struct mount_rig *rig = rig_of(state);
    struct load loads[LOAD_THREADS];
    char name[64];

    assert_int_equal(mkdir(PATH("common"), 0755), 0);
    for (unsigned i = 0; i < LOAD_THREADS; i++) {
        loads[i] = (struct load){.rig = rig, .number = i};
        snprintf(name, sizeof name, "load%u", i);
        assert_int_equal(mkdir(PATH(name), 0755), 0);
        assert_int_equal(
            pthread_create(&loads[i].thread, NULL, run_load, &loads[i]), 0);
    }
    for (unsigned i = 0; i < LOAD_THREADS; i++) {
        pthread_join(loads[i].thread, NULL);
        assert_false(loads[i].failed);
    }
    mount_rig_remount(rig);
    for (unsigned i = 0; i < LOAD_THREADS; i++) {
        snprintf(name, sizeof name, "load%u", i);
        assert_int_equal(count_entries(PATH(name)),
                         2 + LOAD_ROUNDS - LOAD_ROUNDS / 3);
        snprintf(name, sizeof name, "load%u/moved 1", i);
        assert_int_equal(stat_of(PATH(name)).st_size,
                         LOAD_BYTES / 4096 * 4096 + 4096);
    }
}

#define MOUNTED(test)                                                          \
    cmocka_unit_test_setup_teardown(test, mount_rig_setup, mount_rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        MOUNTED(test_fs_ops_keep_a_file_over_a_remount),
        MOUNTED(test_fs_ops_remember_what_is_absent),
        MOUNTED(test_fs_ops_list_a_large_directory),
        MOUNTED(test_fs_ops_list_while_names_are_removed),
        MOUNTED(test_fs_ops_rename_in_every_way),
        MOUNTED(test_fs_ops_link_files_hard_and_soft),
        MOUNTED(test_fs_ops_keep_an_unlinked_file_until_it_is_closed),
        MOUNTED(test_fs_ops_cut_and_stretch),
        MOUNTED(test_fs_ops_set_attributes),
        MOUNTED(test_fs_ops_take_mtime_from_the_page_cache),
        MOUNTED(test_fs_ops_hand_the_group_of_a_directory_down),
        MOUNTED(test_fs_ops_clear_set_id_bits_when_written),
        MOUNTED(test_fs_ops_make_special_files),
        MOUNTED(test_fs_ops_refuse_what_udf_cannot_hold),
        MOUNTED(test_fs_ops_show_free_space),
        MOUNTED(test_fs_ops_say_when_the_disc_is_full),
        MOUNTED(test_fs_ops_write_nothing_for_reading),
        MOUNTED(test_fs_ops_move_atime_with_relatime_only),
        MOUNTED(test_fs_ops_refuse_changes_when_read_only),
        MOUNTED(test_fs_ops_write_mapped_pages),
        MOUNTED(test_fs_ops_keep_page_cache_data_when_leaving),
        MOUNTED(test_fs_ops_serve_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The two files of a virtual drive: made, locked, kept, and not believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/vdrive_rig.h"

/* The path of `rig`'s sidecar. */
static const char *sidecar(struct vdrive_rig *rig, char path[128]) {
    snprintf(path, 128, "%s.udfpkt", rig->path);
    return path;
}

static void test_vdrive_sidecar_create_refuses_nonsense(void **state) {
    struct vdrive_rig rig;
    char path[128], other[160];

    (void)state;
    rig_open(&rig);
    assert_true(mmc_vdrive_exists(rig.path));
    assert_int_equal(mmc_vdrive_create(rig.path, "cdrw", 0), -EEXIST);
    snprintf(path, sizeof(path), "%s/other", rig.folder);
    assert_int_equal(mmc_vdrive_create(path, "floppy", 0), -EINVAL);
    assert_int_equal(mmc_vdrive_create(path, "image", 0), -EOPNOTSUPP);
    assert_int_equal(mmc_vdrive_create(path, "cdrw", 31), -ERANGE);
    assert_int_equal(mmc_vdrive_create(path, "cdrw", 332161 + 31), -ERANGE);
    snprintf(other, sizeof(other), "%s/none/other", rig.folder);
    assert_int_equal(mmc_vdrive_create(other, "cdrw", 0), -ENOENT);
    assert_false(mmc_vdrive_exists(path));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(mmc_vdrive_open(path, true, &(struct mmc_transport *){0}),
                     -ENOENT);
    rig_close(&rig);
}

static void test_vdrive_sidecar_create_takes_nothing_over(void **state) {
    struct vdrive_rig rig;
    char path[128];

    (void)state;
    rig_open(&rig);
    mmc_transport_close(rig.transport);
    /* Either file alone is in the way, and stays. */
    assert_int_equal(unlink(rig.path), 0);
    assert_int_equal(mmc_vdrive_create(rig.path, "cdrw", 0), -EEXIST);
    assert_int_equal(access(rig.path, F_OK), -1);
    assert_int_equal(unlink(sidecar(&rig, path)), 0);
    assert_int_equal(mmc_vdrive_create(rig.path, "cdrw", 1000), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mmc_vdrive_create(rig.path, "cdrw", 0), -EEXIST);
    assert_false(mmc_vdrive_exists(rig.path));
    assert_int_equal(unlink(rig.path), 0);
    /* 1000 blocks are 31 packets. */
    assert_int_equal(mmc_vdrive_create(rig.path, "cdrw", 1000), 0);
    rig.transport = NULL;
    rig_reopen(&rig);
    rig_select_packets(&rig);
    assert_int_equal(rig_format(&rig, 1024, false), 0x052600);
    assert_int_equal(rig_format(&rig, 992, false), 0);
    rig_close(&rig);
}

static void test_vdrive_sidecar_drive_is_held_alone(void **state) {
    struct mmc_transport *second;
    struct mmc_vdrive_stats stats;
    struct vdrive_rig rig;

    (void)state;
    rig_open(&rig);
    assert_int_equal(mmc_vdrive_open(rig.path, true, &second), -EBUSY);
    assert_int_equal(mmc_vdrive_open(rig.path, false, &second), -EBUSY);
    assert_int_equal(mmc_vdrive_read_stats(rig.path, &stats), 0);
    rig_reopen(&rig);
    rig_close(&rig);
}

static void test_vdrive_sidecar_read_only_changes_nothing(void **state) {
    struct stat before, after;
    struct mmc_vdrive_stats stats, later;
    struct vdrive_rig rig;
    char path[128];

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 9), 0);
    mmc_transport_close(rig.transport);
    rig.transport = NULL;
    assert_int_equal(stat(sidecar(&rig, path), &before), 0);
    assert_int_equal(mmc_vdrive_read_stats(rig.path, &stats), 0);
    assert_int_equal(mmc_vdrive_open(rig.path, false, &rig.transport), 0);
    assert_int_equal(rig_ready(&rig), 0x062900);
    assert_true(rig_holds(&rig, 0, 9));
    rig_select_packets(&rig);
    assert_int_equal(rig_fill(&rig, 0, 1, 1), 0x072700);
    assert_int_equal(rig_format(&rig, RIG_BLOCKS, false), 0x072700);
    mmc_transport_close(rig.transport);
    rig.transport = NULL;
    assert_int_equal(mmc_vdrive_read_stats(rig.path, &later), 0);
    assert_memory_equal(&stats, &later, sizeof(stats));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    rig_close(&rig);
}

static void test_vdrive_sidecar_image_is_raw(void **state) {
    struct vdrive_rig rig;
    struct stat status;
    uint8_t byte = 0;
    int fd;

    (void)state;
    rig_open_formatted(&rig);
    assert_int_equal(rig_fill(&rig, 3, 1, 0xA5), 0);
    assert_int_equal(stat(rig.path, &status), 0);
    assert_int_equal(status.st_size, RIG_BLOCKS * 2048);
    fd = open(rig.path, O_RDONLY);
    assert_int_equal(pread(fd, &byte, 1, 3 * RIG_PACKET_BYTES), 1);
    assert_int_equal(byte, 0xA5);
    assert_int_equal(pread(fd, &byte, 1, 3 * RIG_PACKET_BYTES - 1), 1);
    assert_int_equal(byte, 0);
    close(fd);
    rig_close(&rig);
}

static void test_vdrive_sidecar_survives_kill(void **state) {
    struct mmc_vdrive_stats stats;
    struct vdrive_rig rig;
    int status;
    pid_t child;

    (void)state;
    rig_open_formatted(&rig);
    mmc_transport_close(rig.transport);
    rig.transport = NULL;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        rig_reopen(&rig);
        rig_select_packets(&rig);
        if (rig_fill(&rig, 6, 1, 0x66) == 0) {
            raise(SIGKILL);
        }
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(mmc_vdrive_read_stats(rig.path, &stats), 0);
    assert_int_equal(stats.packets_written, 1);
    assert_int_equal(stats.hottest_packet, 6);
    rig_reopen(&rig);
    assert_true(rig_holds(&rig, 6, 0x66));
    rig_close(&rig);
}

static void test_vdrive_sidecar_damage_is_noticed(void **state) {
    /* Offsets in struct vdrive_head, by 32-bit words. */
    static const struct {
        off_t at;
        uint32_t value;
    } damages[] = {
        {0, 0x12345678},  /* magic */
        {8, 3},           /* version */
        {12, 0x04030201}, /* byte order */
        {16, 99},         /* medium */
        {20, 0},          /* state */
        {20, 7},          /* state */
        {20, 1},          /* blank, but with a capacity */
        {24, 16},         /* packet length */
        {28, 0},          /* capacity */
        {28, 1024 + 31},  /* capacity */
        {28, 2048},       /* capacity: file too short for it */
        {28, 0xFFFFFFE0}, /* capacity */
        {32, 0},          /* formatted capacity */
        {32, 1025},       /* formatted capacity */
        {32, 2048},       /* formatted capacity */
        {36, 0x10},       /* data block type */
        {40, 4},          /* protection */
    };
    struct mmc_transport *transport;
    struct mmc_vdrive_stats stats;
    struct vdrive_rig rig;
    uint32_t saved;
    char path[128];
    int fd;

    (void)state;
    rig_open_formatted(&rig);
    mmc_transport_close(rig.transport);
    rig.transport = NULL;
    fd = open(sidecar(&rig, path), O_RDWR);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        assert_int_equal(pread(fd, &saved, 4, damages[i].at), 4);
        assert_int_equal(pwrite(fd, &damages[i].value, 4, damages[i].at), 4);
        assert_int_equal(mmc_vdrive_open(rig.path, true, &transport), -EINVAL);
        assert_int_equal(mmc_vdrive_read_stats(rig.path, &stats), -EINVAL);
        assert_int_equal(pwrite(fd, &saved, 4, damages[i].at), 4);
    }
    close(fd);
    rig_reopen(&rig);
    rig_close(&rig);
}

static void test_vdrive_sidecar_files_of_wrong_size(void **state) {
    struct mmc_transport *transport;
    struct vdrive_rig rig;
    struct stat status;
    char path[128];

    (void)state;
    rig_open_formatted(&rig);
    mmc_transport_close(rig.transport);
    rig.transport = NULL;
    assert_int_equal(stat(sidecar(&rig, path), &status), 0);
    assert_int_equal(truncate(path, status.st_size - 1), 0);
    assert_int_equal(mmc_vdrive_open(rig.path, true, &transport), -EINVAL);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(mmc_vdrive_open(rig.path, true, &transport), -EINVAL);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(mmc_vdrive_open(rig.path, true, &transport), -EINVAL);
    rig_close(&rig);
    rig_open_formatted(&rig);
    mmc_transport_close(rig.transport);
    rig.transport = NULL;
    assert_int_equal(truncate(rig.path, RIG_BLOCKS * 2048 - 1), 0);
    assert_int_equal(mmc_vdrive_open(rig.path, true, &transport), -EINVAL);
    assert_int_equal(unlink(rig.path), 0);
    assert_int_equal(mmc_vdrive_open(rig.path, true, &transport), -ENOENT);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vdrive_sidecar_create_refuses_nonsense),
        cmocka_unit_test(test_vdrive_sidecar_create_takes_nothing_over),
        cmocka_unit_test(test_vdrive_sidecar_drive_is_held_alone),
        cmocka_unit_test(test_vdrive_sidecar_read_only_changes_nothing),
        cmocka_unit_test(test_vdrive_sidecar_image_is_raw),
        cmocka_unit_test(test_vdrive_sidecar_survives_kill),
        cmocka_unit_test(test_vdrive_sidecar_damage_is_noticed),
        cmocka_unit_test(test_vdrive_sidecar_files_of_wrong_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

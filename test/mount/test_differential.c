/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random operations on mounted volumes and on a tmpfs, which must not differ
 * (test/support/differ.h). Every revision is there, and every way in which
 * media are written. After every remount the checker proves the volume.
 *
 * A process of its own does the operations: a program that has files mapped
 * can wait for its file system while it holds what that needs to take memory.
 *
 * UDFPKT_DIFFER_OPERATIONS is the number of operations over all volumes,
 * UDFPKT_DIFFER_SEED where the seeds begin. A difference is printed with its
 * VOLUME:SEED; UDFPKT_DIFFER_ONLY=VOLUME:SEED does only that again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/differ.h"
#include "test/support/mount_rig.h"

enum {
    MIB = 1 << 20,
    SEED_OPERATIONS = 4000, /* with one seed, on one new volume */
    REMOUNT_EVERY = 1500,
    COMPARE_EVERY = 700,
    DEFAULT_OPERATIONS = 15000
};

struct volume {
    const char *name;
    struct mount_rig_disc disc;
};

static const struct volume volumes[] = {
    {"cdrw-201", {.media = "cdrw", .bytes = 400 * MIB, .revision = 0x201}},
    {"dvd+rw-250",
     {.media = "dvd+rw",
      .bytes = 500 * MIB,
      .revision = 0x250,
      .dirty_bytes = MIB}},
    {"image-102", {.media = "image", .bytes = 300 * MIB, .revision = 0x102}},
    {"bd-re-260", {.media = "bd-re", .bytes = 500 * MIB, .revision = 0x260}},
    {"dvd-ram-150",
     {.media = "dvd-ram",
      .bytes = 500 * MIB,
      .revision = 0x150,
      .dirty_bytes = MIB / 4,
      .no_journal = true}},
    {"dvd-rw-200",
     {.media = "dvd-rw",
      .bytes = 500 * MIB,
      .revision = 0x200,
      .dirty_bytes = MIB / 4}},
    {"image-250",
     {.media = "image",
      .bytes = 300 * MIB,
      .revision = 0x250,
      .no_journal = true}},
    {"cdrw-150",
     {.media = "cdrw",
      .bytes = 400 * MIB,
      .revision = 0x150,
      .dirty_bytes = MIB / 2}},
};

enum { VOLUMES = sizeof volumes / sizeof volumes[0] };

static uint64_t setting(const char *variable, uint64_t fallback) {
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : fallback;
}

/* What the server tells the client: where the directories are, or that the
 * volume is mounted again. */
struct places {
    char tested[96], reference[96];
};

/* ---- the client --------------------------------------------------------- */

/* Has the volume unmounted, checked and mounted. */
static void remount(struct differ *differ, int server) {
    struct places places;

    differ_leave(differ);
    if (write(server, "", 1) != 1 ||
        read(server, &places, sizeof places) != sizeof places) {
        _exit(2); /* the server failed, and has said so */
    }
    differ_return(differ, places.tested);
}

static bool step(struct differ *differ, int server) {
    bool same = differ_step(differ);

    if (same && differ_draw(differ, REMOUNT_EVERY) == 0) {
        remount(differ, server);
        same = differ_compare(differ);
    } else if (same && differ_draw(differ, COMPARE_EVERY) == 0) {
        same = differ_compare(differ);
    }
    return same;
}

/* Returns the exit code. */
static int run_client(int server, uint64_t seed, uint64_t operations) {
    struct differ *differ = calloc(1, sizeof *differ);
    struct places places;
    bool same = true;

    if (!differ || read(server, &places, sizeof places) != sizeof places) {
        return 2;
    }
    differ_open(differ, places.tested, places.reference, seed);
    for (uint64_t i = 0; same && i < operations; i++) {
        same = step(differ, server);
    }
    if (same) {
        remount(differ, server);
        same = differ_compare(differ);
    }
    differ_close(differ);
    free(differ);
    return same ? 0 : 1;
}

/* ---- the server --------------------------------------------------------- */

/* Serves the mount until the client has ended. */
static void serve(struct mount_rig *rig, int client) {
    struct places places;
    char byte;

    snprintf(places.tested, sizeof places.tested, "%s", rig->mnt);
    snprintf(places.reference, sizeof places.reference, "%s/tmpfs",
             rig->folder);
    assert_int_equal(mkdir(places.reference, 0755), 0);
    assert_int_equal(
        mount("tmpfs", places.reference, "tmpfs", MS_NOATIME, "mode=755"), 0);
    assert_int_equal(write(client, &places, sizeof places), sizeof places);
    while (read(client, &byte, 1) == 1) {
        mount_rig_unmount(rig);
        mount_rig_check(rig);
        mount_rig_mount(rig);
        assert_int_equal(write(client, &places, sizeof places), sizeof places);
    }
    umount2(places.reference, MNT_DETACH);
    rmdir(places.reference);
}

/* One new volume, with one seed. */
static void run_seed(const struct volume *volume, uint64_t seed,
                     uint64_t operations) {
    struct mount_rig *rig;
    int pair[2], status;
    pid_t child;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pair[0]);
        _exit(run_client(pair[1], seed, operations));
    }
    close(pair[1]);
    rig = mount_rig_new(&volume->disc);
    serve(rig, pair[0]);
    close(pair[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    mount_rig_free(rig);
    if (status != 0) {
        print_error("%s differs; again with UDFPKT_DIFFER_ONLY=%s:%llu\n",
                    volume->name, volume->name, (unsigned long long)seed);
    }
    assert_int_equal(status, 0);
}

static void run_only(const char *only) {
    const char *colon = strrchr(only, ':');

    assert_non_null(colon);
    for (unsigned i = 0; i < VOLUMES; i++) {
        size_t length = strlen(volumes[i].name);

        if (length == (size_t)(colon - only) &&
            strncmp(only, volumes[i].name, length) == 0) {
            run_seed(&volumes[i], strtoull(colon + 1, NULL, 10),
                     SEED_OPERATIONS);
            return;
        }
    }
    fail_msg("no volume \"%s\"", only);
}

static void test_differential_never_differs(void **state) {
    uint64_t left = setting("UDFPKT_DIFFER_OPERATIONS", DEFAULT_OPERATIONS);
    uint64_t seed = setting("UDFPKT_DIFFER_SEED", 1);
    uint64_t done = 0, share = left / VOLUMES + 1;
    const char *only = getenv("UDFPKT_DIFFER_ONLY");

    (void)state;
    if (!mount_rig_possible()) {
        skip();
    }
    share = share < SEED_OPERATIONS ? share : SEED_OPERATIONS;
    if (only) {
        run_only(only);
        return;
    }
    for (unsigned i = 0; left > 0; i++, seed++) {
        uint64_t operations = share < left ? share : left;

        run_seed(&volumes[i % VOLUMES], seed, operations);
        left -= operations;
        done += operations;
        if (done % (25 * SEED_OPERATIONS) == 0) {
            print_message("%llu operations\n", (unsigned long long)done);
        }
    }
    print_message("%llu operations, no difference\n", (unsigned long long)done);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differential_never_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

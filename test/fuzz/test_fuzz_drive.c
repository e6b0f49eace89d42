/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/fuzz/test_fuzz_drive.c - a drive that does what it is told and lies
 * about it: between host and virtual drive, one answer in a few is changed,
 * cut short, or becomes a sense of no meaning. A disc is opened, mounted,
 * written and closed through it. Whatever it says, that ends, and touches no
 * memory that is not its own. UDFPKT_FUZZ_DRIVES sets the rounds.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/cdb.h"
#include "mmc/disc.h"
#include "mmc/transport.h"
#include "mmc/vdrive.h"
#include "test/support/mutate.h"
#include "udf/format.h"
#include "udf/udf.h"

enum { ROUNDS = 300, DISC_BYTES = 20 << 20, CHECK_CONDITION = 2 };

/* ---- the liar --------------------------------------------------------- */

struct liar {
    struct mmc_transport head; /* first: ops cast back */
    struct mmc_transport *drive;
    struct mutate mutate;
    uint32_t one_in; /* of so many answers one is changed */
    uint32_t lies;
};

static bool is_content(const struct mmc_request *request) {
    return request->cdb[0] == MMC_OP_READ_10 ||
           request->cdb[0] == MMC_OP_READ_12;
}

static void lie(struct liar *liar, const struct mmc_request *request,
                struct mmc_reply *reply) {
    liar->lies++;
    if (mutate_next(&liar->mutate, 4) == 0) {
        reply->status = CHECK_CONDITION;
        reply->sense_len =
            (uint8_t)mutate_next(&liar->mutate, MMC_SENSE_MAX + 1);
        for (uint32_t i = 0; i < reply->sense_len; i++) {
            reply->sense[i] = (uint8_t)mutate_next(&liar->mutate, 256);
        }
        reply->sense[0] = 0x70 + (uint8_t)mutate_next(&liar->mutate, 4);
    } else if (request->direction == MMC_DIR_IN && reply->data_len > 0) {
        if (mutate_next(&liar->mutate, 3) == 0) {
            reply->data_len = mutate_next(&liar->mutate, reply->data_len);
        } else {
            mutate_bytes(&liar->mutate, request->data, reply->data_len);
        }
    }
}

static int liar_execute(struct mmc_transport *transport,
                        const struct mmc_request *request,
                        struct mmc_reply *reply) {
    struct liar *liar = (struct liar *)transport;
    int error = mmc_transport_execute(liar->drive, request, reply);

    if (!error && reply->status == 0 && !is_content(request) &&
        mutate_next(&liar->mutate, liar->one_in) == 0) {
        lie(liar, request, reply);
    }
    return error;
}

static uint64_t liar_now(struct mmc_transport *transport) {
    return mmc_transport_now(((struct liar *)transport)->drive);
}

static void liar_sleep(struct mmc_transport *transport, uint32_t duration_ms) {
    mmc_transport_sleep(((struct liar *)transport)->drive, duration_ms);
}

static void liar_close(struct mmc_transport *transport) {
    struct liar *liar = (struct liar *)transport;

    mmc_transport_close(liar->drive);
    free(liar);
}

static const struct mmc_transport_ops liar_ops = {
    .execute = liar_execute,
    .now_ms = liar_now,
    .sleep_ms = liar_sleep,
    .close = liar_close,
};

static struct mmc_transport *liar_open(const char *path, uint32_t round) {
    struct liar *liar = calloc(1, sizeof(*liar));

    assert_non_null(liar);
    assert_int_equal(mmc_vdrive_open(path, true, &liar->drive), 0);
    liar->head.ops = &liar_ops;
    liar->head.max_transfer_bytes = liar->drive->max_transfer_bytes;
    liar->mutate.state = (uint64_t)round << 32;
    liar->one_in = 3u << (round % 6);
    return &liar->head;
}

/* ---- the work --------------------------------------------------------- */

struct disc {
    char folder[64], image[96], sidecar[112];
};

static int make_disc(void **state) {
    struct mmc_disc_make make = {.media_name = "cdrw",
                                 .size_bytes = DISC_BYTES};
    struct mmc_disc_options options = {.read_only = false};
    struct mmc_prepare_options prepare = {.quick = true};
    struct udf_format_options format = {.label = "lies", .seed = 1};
    struct disc *disc = calloc(1, sizeof(*disc));
    struct mmc_disc *opened = NULL;
    struct blockdev *dev = NULL;

    assert_non_null(disc);
    strcpy(disc->folder, "/tmp/udfpkt-liar-XXXXXX");
    assert_non_null(mkdtemp(disc->folder));
    snprintf(disc->image, sizeof(disc->image), "%s/disc", disc->folder);
    snprintf(disc->sidecar, sizeof(disc->sidecar), "%s.udfpkt", disc->image);
    assert_int_equal(mmc_disc_create(disc->image, &make), 0);
    assert_int_equal(mmc_disc_open(disc->image, &options, &opened), 0);
    assert_int_equal(mmc_disc_prepare(opened, &prepare, NULL, NULL), 0);
    assert_int_equal(mmc_disc_attach(opened, true, &dev), 0);
    assert_int_equal(udf_format(dev, &format), 0);
    assert_int_equal(mmc_disc_close(opened), 0);
    *state = disc;
    return 0;
}

static int remove_disc(void **state) {
    struct disc *disc = *state;

    unlink(disc->image);
    unlink(disc->sidecar);
    assert_int_equal(rmdir(disc->folder), 0);
    free(disc);
    return 0;
}

static void expect_error(int error) {
    assert_true(error <= 0 && error > -134);
    assert_int_not_equal(error, -EINPROGRESS);
}

static void use_volume(struct udf_volume *volume, uint32_t round) {
    struct udf_make make = {.mode = S_IFREG | 0644};
    struct udf_cred cred = {0};
    struct udf_stat stat;
    char text[32];
    struct udf_name name = {.text = text};

    snprintf(text, sizeof(text), "file %u", round % 8);
    name.len = (uint32_t)strlen(text);
    (void)udf_unlink(volume, UDF_ROOT_INO, &name);
    if (udf_create(volume, UDF_ROOT_INO, &name, &make, &cred, &stat) == 0) {
        static const char content[100000];

        expect_error(udf_write(volume, stat.ino, 0, sizeof(content), content));
        udf_forget(volume, stat.ino, 1);
    }
    expect_error(udf_commit(volume));
}

/* Gives whether it came to mounting. */
static bool use_disc(const struct disc *disc, uint32_t round) {
    struct mmc_disc_options options = {.read_only = false};
    struct udf_mount_options mount = {0};
    struct mmc_disc *opened = NULL;
    struct blockdev *dev = NULL;
    struct udf_volume *volume = NULL;
    int error = mmc_disc_open_transport(liar_open(disc->image, round), &options,
                                        &opened);

    expect_error(error);
    if (error) {
        return false;
    }
    error = mmc_disc_attach(opened, true, &dev);
    expect_error(error);
    if (!error) {
        error = udf_mount(dev, &mount, &volume);
        expect_error(error);
    }
    if (!error) {
        use_volume(volume, round);
        expect_error(udf_unmount(volume));
    }
    expect_error(mmc_disc_close(opened));
    return error == 0;
}

static void test_fuzz_drive(void **state) {
    uint32_t rounds = mutate_rounds("UDFPKT_FUZZ_DRIVES", ROUNDS);
    const char *only = getenv("UDFPKT_FUZZ_ROUND");
    uint32_t mounted = 0;

    for (uint32_t i = 0; i < rounds; i++) {
        if (!only || i == strtoul(only, NULL, 10)) {
            mounted += use_disc(*state, i);
        }
    }
    printf("%u lying drives, mounted with %u of them\n", rounds, mounted);
    assert_true(only || mounted > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fuzz_drive, make_disc,
                                        remove_disc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

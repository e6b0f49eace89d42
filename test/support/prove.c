/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/prove.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test/support/memdev.h"

static void print_fault(void *context, const char *fault) {
    (void)context;
    print_error("%s\n", fault);
}

static struct udf_check_result prove(struct blockdev *dev, bool allow_open) {
    struct udf_check_options options = {.allow_open = allow_open};
    struct udf_check_result result;

    assert_int_equal(udf_check(dev, &options, print_fault, NULL, &result), 0);
    assert_int_equal(result.faults, 0);
    return result;
}

struct udf_check_result prove_device(struct blockdev *dev) {
    return prove(dev, false);
}

struct udf_check_result prove_open_device(struct blockdev *dev) {
    return prove(dev, true);
}

struct udf_check_result prove_medium(struct memdev *mem) {
    memdev_reboot(mem);
    memdev_set_cold(mem, false);
    return prove(memdev_device(mem), false);
}

static void print_fault_of(void *context, const char *fault) {
    print_error("%s: %s\n", (const char *)context, fault);
}

int prove_state(struct blockdev *dev, char *state) {
    struct udf_check_options options = {0};
    struct udf_check_result result = {0};
    int error = udf_check(dev, &options, print_fault_of, state, &result);

    return error ? error : result.faults > 0 ? -EUCLEAN : 0;
}

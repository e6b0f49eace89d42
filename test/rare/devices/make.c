/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Device files with the device specification attribute (ECMA-167 4/14.10.7),
 * one without it, a FIFO and a socket.
 */
#include "test/rare/rare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "udf/ea.h"

RARE_IMAGE(devices) {
    struct compose *c = compose_new(0x0150);
    uint8_t *ea = NULL;
    struct udf_fe fe = compose_fe(c, UDF_FILE_CHAR_DEVICE);
    struct udf_addr icb = compose_take(c, 1);
    struct udf_ea_place place = {
        .revision = c->revision, .lbn = icb.lbn, .style = &c->style};

    assert_int_equal(
        udf_ea_set_device(NULL, 0, makedev(4, 64), &place, &ea, &fe.ea_bytes),
        0);
    fe.ea = ea;
    compose_put_fe(c, icb, &fe);
    compose_name(c, &c->root, "ttyS0", &fe, icb);
    free(ea);
    fe = compose_fe(c, UDF_FILE_BLOCK_DEVICE);
    compose_entry(c, &c->root, "no numbers", &fe);
    fe = compose_fe(c, UDF_FILE_FIFO);
    compose_entry(c, &c->root, "fifo", &fe);
    fe = compose_fe(c, UDF_FILE_SOCKET);
    compose_entry(c, &c->root, "socket", &fe);
    compose_end(c);
    return compose_free(c);
}

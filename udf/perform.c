/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/perform.c - see udf/perform.h.
 */
#include "udf/perform.h"

#include "udf/names.h"
#include "udf/op.h"
#include "udf/sync.h"
#include "udf/volume.h"

int udf_perform_read(struct udf_volume *volume, udf_work *work, void *context) {
    struct udf_op op;
    int error;

    udf_op_start(&op, volume, UDF_OP_SHARED);
    do {
        error = work(&op, context);
    } while (udf_op_again(&op, &error));
    return error;
}

int udf_perform_change(struct udf_volume *volume, udf_work *work,
                       void *context) {
    struct udf_op op;
    bool tried = false;
    int error = udf_sync_throttle_nodes(volume);

    if (error) {
        return error;
    }
    do {
        udf_op_start(&op, volume, UDF_OP_EXCLUSIVE);
        do {
            error = udf_volume_writable(volume);
            error = error ? error : work(&op, context);
        } while (udf_op_again(&op, &error));
    } while (udf_names_count(volume, &error) ||
             udf_sync_make_space(volume, error, &tried));
    return error;
}

int udf_perform_write(struct udf_volume *volume, udf_work *work,
                      void *context) {
    int error = udf_sync_throttle_data(volume);

    return error ? error : udf_perform_change(volume, work, context);
}

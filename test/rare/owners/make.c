/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Owners and permissions of all kinds: not specified (UDF 2.60 2.3.6), of
 * numbers that hardly exist, no permissions, all of them, those to delete and
 * to change attributes without the others, set-ID and sticky bits.
 */
#include "test/rare/rare.h"

RARE_IMAGE(owners) {
    static const struct {
        const char *name;
        uint32_t uid, gid, permissions;
        uint16_t flags;
    } files[] = {
        {"unset", UDF_ID_UNSET, UDF_ID_UNSET, 0x7FFF, 0},
        {"half unset", 0, UDF_ID_UNSET, 0x1884, 0},
        {"large", 0xFFFFFFFE, 0x7FFFFFFF, 0x1884, 0},
        {"nothing", 1000, 1000, 0, 0},
        {"everything", 1000, 1000, 0xFFFFFFFF, 0},
        {"delete only", 1000, 1000, 0x6318, 0},
        {"set-ID", 0, 0, 0x1CA5, UDF_ICB_SETUID | UDF_ICB_SETGID},
        {"sticky", 0, 0, 0x7FFF, UDF_ICB_STICKY},
    };
    struct compose *c = compose_new(0x0201);

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct udf_fe fe = compose_fe(c, UDF_FILE_REGULAR);

        fe.uid = files[i].uid;
        fe.gid = files[i].gid;
        fe.permissions = files[i].permissions;
        compose_embed(&fe, "");
        fe.icb_flags |= files[i].flags;
        compose_entry(c, &c->root, files[i].name, &fe);
    }
    compose_end(c);
    return compose_free(c);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/unit/test_xattr_name.c - attributes' names and streams' names.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "udf/xattr_name.h"

static void test_xattr_name_there_and_back(void **state) {
    static const struct {
        const char *name, *stream;
        bool metadata;
    } pairs[] = {
        {"user.a", "a", false},
        {"user.user.a", "user.a", false},
        {"user.größe", "größe", false},
        {"user.security.capability", "security.capability", false},
        {"security.capability", "*udfpkt security.capability", true},
        {"trusted.overlay.opaque", "*udfpkt trusted.overlay.opaque", true},
        {"system.posix_acl_access", "*udfpkt system.posix_acl_access", true},
    };
    char stream[UDF_XATTR_STREAM_BYTES], name[UDF_XATTR_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        bool metadata;

        assert_int_equal(udf_xattr_to_stream(pairs[i].name, stream, &metadata),
                         0);
        assert_string_equal(stream, pairs[i].stream);
        assert_int_equal(metadata, pairs[i].metadata);
        udf_xattr_of_stream(stream, name);
        assert_string_equal(name, pairs[i].name);
    }
}

static void test_xattr_name_refuses(void **state) {
    static const struct {
        const char *name;
        int error;
    } names[] = {
        {"user.", -EINVAL},
        {"user..", -EINVAL},
        {"user...", -EINVAL},
        {"user.a/b", -EINVAL},
        {"user.*udfpkt trusted.a", -EINVAL},
        {"user", -EOPNOTSUPP},
        {"trusted.", -EOPNOTSUPP},
        {"system.a", -EOPNOTSUPP},
        {"", -EOPNOTSUPP},
    };
    char stream[UDF_XATTR_STREAM_BYTES];
    bool metadata;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        assert_int_equal(udf_xattr_to_stream(names[i].name, stream, &metadata),
                         names[i].error);
    }
}

/* What others call their streams is the user's, whatever it looks like. */
static void test_xattr_name_of_foreign_streams(void **state) {
    char name[UDF_XATTR_NAME_MAX + 1];

    (void)state;
    udf_xattr_of_stream("*UDF Macintosh Resource Fork Stream", name);
    assert_string_equal(name, "user.*UDF Macintosh Resource Fork Stream");
    udf_xattr_of_stream("*udfpkt something", name);
    assert_string_equal(name, "user.*udfpkt something");
}

static void test_xattr_name_long_ones_differ(void **state) {
    char stream[400], one[UDF_XATTR_NAME_MAX + 1], two[UDF_XATTR_NAME_MAX + 1];

    (void)state;
    memset(stream, 'x', sizeof(stream));
    stream[250] = '\0';
    udf_xattr_of_stream(stream, one);
    assert_int_equal(strlen(one), 255);
    assert_string_equal(one + 5, stream);
    /* three bytes each, so that one would be cut in two */
    stream[0] = '\0';
    for (int i = 0; i < 120; i++) {
        memcpy(stream + 3 * i, "語", 4);
    }
    udf_xattr_of_stream(stream, one);
    memcpy(stream + 3 * 119, "言", 4);
    udf_xattr_of_stream(stream, two);
    assert_int_equal(strlen(one), 5 + 81 * 3 + 5);
    assert_memory_equal(one, two, 5 + 81 * 3 + 1);
    assert_string_not_equal(one, two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xattr_name_there_and_back),
        cmocka_unit_test(test_xattr_name_refuses),
        cmocka_unit_test(test_xattr_name_of_foreign_streams),
        cmocka_unit_test(test_xattr_name_long_ones_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

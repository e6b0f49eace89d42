/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/image/test_volume_random.c - random operations on a volume and on a
 * model in memory, side by side. After every remount the checker walks the
 * volume and all content is compared. The disc is small, so that space runs
 * out and is used again.
 *
 * UDFPKT_RANDOM_OPERATIONS sets the number of operations (default 6000),
 * UDFPKT_RANDOM_SEED where the numbers begin.
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

#include <cmocka.h>

#include "test/support/memdev.h"
#include "test/support/mount_cold.h"
#include "test/support/prove.h"
#include "udf/format.h"
#include "udf/udf.h"

enum {
    OBJECTS = 120,
    FILE_BYTES_MAX = 400000,
    WRITE_BYTES_MAX = 90000,
    NAMES = 60,
    DEFAULT_OPERATIONS = 6000
};

/* A name in the model; directories are objects too, object 0 is the root. */
struct object {
    bool used, directory;
    int parent; /* object */
    int name;
    uint64_t ino;
    uint8_t *data;
    uint32_t size;
};

struct world {
    struct memdev *mem;
    struct udf_volume *volume;
    struct object object[OBJECTS];
    uint64_t random;
};

static uint32_t draw(struct world *world, uint32_t below) {
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (uint32_t)(world->random >> 20) % below;
}

/* Names of all lengths and both compressions. */
static struct udf_name name_text(int name, char *text, size_t room) {
    static const char *const stems[] = {"n", "längerer Name ", "短い名前",
                                        "\xF0\x9F\x92\xBF disc "};

    snprintf(text, room, "%s%d%.*s", stems[name % 4], name, name * 3 % 60,
             "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp");
    return (struct udf_name){.text = text, .len = (uint32_t)strlen(text)};
}

static int find_name(struct world *world, int parent, int name) {
    for (int i = 1; i < OBJECTS; i++) {
        const struct object *object = &world->object[i];

        if (object->used && object->parent == parent && object->name == name) {
            return i;
        }
    }
    return -1;
}

static int draw_object(struct world *world, bool directory) {
    for (int tries = 0; tries < 50; tries++) {
        int i = (int)draw(world, OBJECTS);

        if (world->object[i].used && world->object[i].directory == directory) {
            return i;
        }
    }
    return directory ? 0 : -1;
}

static bool has_children(const struct world *world, int dir) {
    for (int i = 1; i < OBJECTS; i++) {
        if (world->object[i].used && world->object[i].parent == dir) {
            return true;
        }
    }
    return false;
}

static bool is_above(const struct world *world, int above, int object) {
    while (object != 0) {
        if (object == above) {
            return true;
        }
        object = world->object[object].parent;
    }
    return above == 0;
}

static void drop_object(struct world *world, int i) {
    free(world->object[i].data);
    world->object[i] = (struct object){0};
}

/* ---- operations ------------------------------------------------------- */

static void do_create(struct world *world, bool directory) {
    int parent = draw_object(world, true);
    int name = (int)draw(world, NAMES);
    struct udf_make make = {.mode =
                                directory ? S_IFDIR | 0755 : S_IFREG | 0644};
    struct udf_cred cred = {0};
    struct udf_stat stat;
    char text[256];
    struct udf_name wire = name_text(name, text, sizeof(text));
    int slot = 1;
    int error;

    while (slot < OBJECTS && world->object[slot].used) {
        slot++;
    }
    if (slot == OBJECTS) {
        return;
    }
    error = udf_create(world->volume, world->object[parent].ino, &wire, &make,
                       &cred, &stat);
    if (find_name(world, parent, name) >= 0) {
        assert_int_equal(error, -EEXIST);
        return;
    }
    if (error == -ENOSPC) {
        return;
    }
    assert_int_equal(error, 0);
    udf_forget(world->volume, stat.ino, 1);
    world->object[slot] = (struct object){.used = true,
                                          .directory = directory,
                                          .parent = parent,
                                          .name = name,
                                          .ino = stat.ino};
}

static void model_resize(struct object *object, uint32_t size) {
    object->data = realloc(object->data, size + 1);
    assert_non_null(object->data);
    if (size > object->size) {
        memset(object->data + object->size, 0, size - object->size);
    }
    object->size = size;
}

static void do_write(struct world *world) {
    int i = draw_object(world, false);
    uint32_t offset = draw(world, FILE_BYTES_MAX);
    uint32_t count = 1 + draw(world, WRITE_BYTES_MAX);
    uint8_t *buf;
    int error;

    if (i < 0) {
        return;
    }
    if (draw(world, 2)) { /* small files, embedded ones among them */
        offset %= 3000;
        count = 1 + count % 3000;
    }
    buf = malloc(count);
    for (uint32_t k = 0; k < count; k++) {
        buf[k] = (uint8_t)draw(world, 256);
    }
    error = udf_write(world->volume, world->object[i].ino, offset, count, buf);
    if (error != -ENOSPC) {
        assert_int_equal(error, 0);
        if (offset + count > world->object[i].size) {
            model_resize(&world->object[i], offset + count);
        }
        memcpy(world->object[i].data + offset, buf, count);
    }
    free(buf);
}

static void do_truncate(struct world *world) {
    int i = draw_object(world, false);
    uint32_t size = draw(world, draw(world, 3) ? 4000 : FILE_BYTES_MAX);
    struct udf_stat stat = {.size = size};
    int error;

    if (i < 0) {
        return;
    }
    error = udf_setattr(world->volume, world->object[i].ino, &stat,
                        UDF_SET_SIZE, &stat);
    if (error != -ENOSPC) {
        assert_int_equal(error, 0);
        model_resize(&world->object[i], size);
    }
}

/* Holes read as zeros, data is what is not a hole. */
static void check_holes(struct world *world, const struct object *object) {
    uint64_t hole, data = 0;

    while (data < object->size) {
        assert_int_equal(
            udf_seek(world->volume, object->ino, data, UDF_SEEK_HOLE, &hole),
            0);
        assert_in_range(hole, data, object->size);
        if (udf_seek(world->volume, object->ino, hole, UDF_SEEK_DATA, &data)) {
            data = object->size;
        }
        assert_in_range(data, hole, object->size);
        for (uint64_t at = hole; at < data; at++) {
            assert_int_equal(object->data[at], 0);
        }
    }
}

static void do_range(struct world *world) {
    int i = draw_object(world, false);
    bool small = draw(world, 2);
    struct udf_range range = {
        .change = (enum udf_range_change)draw(world, 3),
        .keep_size = draw(world, 2),
        .offset = draw(world, small ? 4000 : FILE_BYTES_MAX),
        .count = 1 + draw(world, small ? 4000 : WRITE_BYTES_MAX),
    };
    uint32_t end = (uint32_t)(range.offset + range.count);
    struct object *object = &world->object[i > 0 ? i : 0];
    int error;

    if (i < 0) {
        return;
    }
    error = udf_change_range(world->volume, object->ino, &range);
    if (range.change == UDF_RANGE_PUNCH && !range.keep_size) {
        assert_int_equal(error, -EOPNOTSUPP);
        return;
    }
    if (error == -ENOSPC) {
        return;
    }
    assert_int_equal(error, 0);
    if (!range.keep_size && end > object->size) {
        model_resize(object, end);
    }
    end = end < object->size ? end : object->size;
    if (range.change != UDF_RANGE_ALLOCATE && range.offset < end) {
        memset(object->data + range.offset, 0, (size_t)(end - range.offset));
    }
    check_holes(world, object);
}

static void do_copy(struct world *world) {
    int from = draw_object(world, false);
    int to = draw_object(world, false);
    struct udf_position source, target;
    uint32_t count = 1 + draw(world, WRITE_BYTES_MAX);
    uint32_t expected, copied = 0;
    int error;

    if (from < 0 || to < 0 || from == to) {
        return;
    }
    source = (struct udf_position){world->object[from].ino,
                                   draw(world, FILE_BYTES_MAX / 4)};
    target = (struct udf_position){world->object[to].ino,
                                   draw(world, FILE_BYTES_MAX / 4)};
    error = udf_copy(world->volume, &source, &target, count, &copied);
    if (error == -ENOSPC) {
        return;
    }
    assert_int_equal(error, 0);
    expected = source.offset < world->object[from].size
                   ? world->object[from].size - (uint32_t)source.offset
                   : 0;
    assert_int_equal(copied, count < expected ? count : expected);
    if (target.offset + copied > world->object[to].size && copied > 0) {
        model_resize(&world->object[to], (uint32_t)target.offset + copied);
    }
    if (copied > 0) {
        memcpy(world->object[to].data + target.offset,
               world->object[from].data + source.offset, copied);
    }
}

static void do_remove(struct world *world) {
    bool directory = draw(world, 4) == 0;
    int i = draw_object(world, directory);
    char text[256];
    struct udf_name wire;
    uint64_t parent;
    int error;

    if (i <= 0) {
        return;
    }
    wire = name_text(world->object[i].name, text, sizeof(text));
    parent = world->object[world->object[i].parent].ino;
    error = directory ? udf_rmdir(world->volume, parent, &wire)
                      : udf_unlink(world->volume, parent, &wire);
    if (directory && has_children(world, i)) {
        assert_int_equal(error, -ENOTEMPTY);
        return;
    }
    assert_int_equal(error, 0);
    drop_object(world, i);
}

static int expected_rename(struct world *world, int from, int to_dir,
                           int target) {
    bool directory = world->object[from].directory;

    if (directory && is_above(world, from, to_dir)) {
        return -EINVAL;
    }
    if (target < 0 || target == from) {
        return 0;
    }
    if (directory != world->object[target].directory) {
        return directory ? -ENOTDIR : -EISDIR;
    }
    return directory && has_children(world, target) ? -ENOTEMPTY : 0;
}

static void do_rename(struct world *world) {
    int from = draw_object(world, draw(world, 4) == 0);
    int to_dir = draw_object(world, true);
    int name = (int)draw(world, NAMES);
    char from_text[256], to_text[256];
    struct udf_place a, b;
    int target, error;

    if (from <= 0) {
        return;
    }
    target = find_name(world, to_dir, name);
    a = (struct udf_place){
        world->object[world->object[from].parent].ino,
        name_text(world->object[from].name, from_text, sizeof(from_text))};
    b = (struct udf_place){world->object[to_dir].ino,
                           name_text(name, to_text, sizeof(to_text))};
    error = udf_rename(world->volume, &a, &b, 0);
    if (error == -ENOSPC) {
        return;
    }
    assert_int_equal(error, expected_rename(world, from, to_dir, target));
    if (error) {
        return;
    }
    if (target >= 0 && target != from) {
        drop_object(world, target);
    }
    world->object[from].parent = to_dir;
    world->object[from].name = name;
}

/* ---- comparing -------------------------------------------------------- */

static void compare_file(struct world *world, int i) {
    const struct object *object = &world->object[i];
    uint8_t *buf = malloc(object->size + 1);
    struct udf_stat stat;
    uint32_t got;

    assert_int_equal(udf_getattr(world->volume, object->ino, &stat), 0);
    assert_int_equal(stat.size, object->size);
    assert_int_equal(
        udf_read(world->volume, object->ino, 0, object->size + 1, buf, &got),
        0);
    assert_int_equal(got, object->size);
    if (got > 0) {
        assert_memory_equal(buf, object->data, got);
    }
    check_holes(world, object);
    free(buf);
}

static void compare_all(struct world *world) {
    for (int i = 1; i < OBJECTS; i++) {
        const struct object *object = &world->object[i];
        struct udf_stat stat;
        struct udf_name wire;
        char text[256];

        if (!object->used) {
            continue;
        }
        wire = name_text(object->name, text, sizeof(text));
        assert_int_equal(udf_lookup(world->volume,
                                    world->object[object->parent].ino, &wire,
                                    &stat),
                         0);
        assert_int_equal(stat.ino, object->ino);
        udf_forget(world->volume, stat.ino, 1);
        if (!object->directory) {
            compare_file(world, i);
        }
    }
}

static void mount_world(struct world *world) {
    struct udf_mount_options options = {.dirty_bytes = 256 << 10};

    world->volume = mount_cold(world->mem, &options);
}

static void remount(struct world *world) {
    assert_int_equal(udf_unmount(world->volume), 0);
    prove_medium(world->mem);
    mount_world(world);
    compare_all(world);
}

static void operate(struct world *world) {
    switch (draw(world, 19)) {
    case 0:
    case 1:
    case 2:
        do_create(world, false);
        break;
    case 3:
        do_create(world, true);
        break;
    case 4:
    case 5:
        do_truncate(world);
        break;
    case 6:
    case 7:
        do_remove(world);
        break;
    case 8:
    case 9:
        do_rename(world);
        break;
    case 10:
        if (draw(world, 20) == 0) {
            remount(world);
        } else if (draw(world, 4) == 0) {
            assert_int_equal(udf_commit(world->volume), 0);
        }
        break;
    case 11:
    case 12:
        do_range(world);
        break;
    case 13:
        do_copy(world);
        break;
    default:
        do_write(world);
        break;
    }
}

static uint64_t setting(const char *variable, uint64_t fallback) {
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : fallback;
}

static void run_world(const struct blockdev_geometry *geometry,
                      enum udf_map_choice map, uint64_t seed) {
    struct udf_format_options options = {
        .label = "random", .map = map, .seed = seed};
    uint64_t operations =
        setting("UDFPKT_RANDOM_OPERATIONS", DEFAULT_OPERATIONS);
    struct world *world = calloc(1, sizeof(*world));

    world->random = seed * 0x9E3779B97F4A7C15u + 1;
    world->mem = memdev_new(geometry);
    world->object[0] =
        (struct object){.used = true, .directory = true, .ino = UDF_ROOT_INO};
    assert_int_equal(udf_format(memdev_device(world->mem), &options), 0);
    mount_world(world);
    for (uint64_t i = 0; i < operations; i++) {
        operate(world);
    }
    remount(world);
    assert_int_equal(udf_unmount(world->volume), 0);
    for (int i = 0; i < OBJECTS; i++) {
        drop_object(world, i);
    }
    memdev_free(world->mem);
    free(world);
}

static void test_volume_random_on_cdrw(void **state) {
    struct blockdev_geometry geometry = memdev_cdrw(32 * 500);

    (void)state;
    run_world(&geometry, UDF_MAP_AUTO, setting("UDFPKT_RANDOM_SEED", 1));
}

static void test_volume_random_on_image(void **state) {
    struct blockdev_geometry geometry = memdev_image(9000);

    (void)state;
    run_world(&geometry, UDF_MAP_TYPE1,
              setting("UDFPKT_RANDOM_SEED", 1) + 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_volume_random_on_cdrw),
        cmocka_unit_test(test_volume_random_on_image),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

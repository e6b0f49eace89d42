/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/cut_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "mmc/blockdev.h"
#include "test/support/cut_drive.h"
#include "test/support/cut_tree.h"
#include "udf/udf.h"

enum { BLOCK = BLOCKDEV_BLOCK_BYTES, LINE = 64 };

/* ---- The model ----------------------------------------------------------- */

struct cut_world *cut_world_new(uint64_t seed) {
    struct cut_world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    world->random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    world->objects[CUT_ROOT] = (struct cut_object){
        .mode = S_IFDIR | 0755, .ino = UDF_ROOT_INO, .nlink = 1};
    world->object_count = 1;
    return world;
}

static void free_blocks(struct cut_object *object) {
    for (uint32_t b = 0; b < object->block_count; b++) {
        for (uint32_t v = 0; v < object->blocks[b].count; v++) {
            free(object->blocks[b].versions[v].data);
        }
        free(object->blocks[b].versions);
    }
    free(object->blocks);
}

void cut_world_free(struct cut_world *world) {
    for (uint32_t i = 0; i < world->object_count; i++) {
        free_blocks(&world->objects[i]);
    }
    for (uint32_t op = 0; op < world->ops; op++) {
        free(world->trees[op].entries);
    }
    free(world->trees);
    free(world->now.entries);
    for (uint32_t i = 0; i < world->name_count; i++) {
        free(world->names[i]);
    }
    free(world->names);
    free(world);
}

uint32_t cut_world_draw(struct cut_world *world, uint32_t below) {
    return (uint32_t)(cut_draw(&world->random) % below);
}

const char *cut_name(struct cut_world *world, const char *format, ...) {
    va_list arguments;
    char *name;

    va_start(arguments, format);
    assert_true(vasprintf(&name, format, arguments) >= 0);
    va_end(arguments);
    world->names =
        realloc(world->names, (world->name_count + 1) * sizeof(*world->names));
    assert_non_null(world->names);
    world->names[world->name_count++] = name;
    return name;
}

static size_t time_of(const struct cut_world *world) {
    return world->time ? *world->time : 0;
}

/* The number that the operation under way will have. */
static uint32_t this_op(const struct cut_world *world) {
    return world->ops;
}

static void begin(struct cut_world *world) {
    world->now.begin = time_of(world);
}

static struct cut_entry *entry_of(const struct cut_world *world,
                                  uint32_t parent, const char *name) {
    for (uint32_t i = 0; i < world->now.count; i++) {
        struct cut_entry *entry = &world->now.entries[i];

        if (entry->parent == parent && strcmp(entry->name, name) == 0) {
            return entry;
        }
    }
    return NULL;
}

uint32_t cut_find(const struct cut_world *world, uint32_t parent,
                  const char *name) {
    const struct cut_entry *entry = entry_of(world, parent, name);

    return entry ? entry->object : UINT32_MAX;
}

static void add_entry(struct cut_world *world, uint32_t parent,
                      const char *name, uint32_t object) {
    world->now.entries =
        realloc(world->now.entries,
                (world->now.count + 1) * sizeof(*world->now.entries));
    assert_non_null(world->now.entries);
    world->now.entries[world->now.count++] =
        (struct cut_entry){.parent = parent, .object = object, .name = name};
}

static void drop_entry(struct cut_world *world, uint32_t parent,
                       const char *name) {
    struct cut_entry *entry = entry_of(world, parent, name);

    assert_non_null(entry);
    world->objects[entry->object].nlink--;
    *entry = world->now.entries[--world->now.count];
}

/* Remembers what the tree is after the operation. */
static void end(struct cut_world *world, bool committed) {
    struct cut_tree *tree;
    size_t bytes = (world->now.count + 1) * sizeof(*tree->entries);

    for (uint32_t i = 0; i < world->now.count; i++) {
        struct cut_entry *entry = &world->now.entries[i];
        const struct cut_object *object = &world->objects[entry->object];

        entry->mode = object->mode;
        entry->nlink = S_ISDIR(object->mode) ? 1 : object->nlink;
        entry->size = S_ISREG(object->mode) ? object->size : 0;
        entry->target = object->target;
    }
    if (world->ops == world->room) {
        world->room = world->room ? world->room * 2 : 64;
        world->trees =
            realloc(world->trees, world->room * sizeof(*world->trees));
        assert_non_null(world->trees);
    }
    tree = &world->trees[world->ops++];
    *tree = world->now;
    tree->entries = malloc(bytes);
    assert_non_null(tree->entries);
    if (tree->count > 0) {
        memcpy(tree->entries, world->now.entries,
               tree->count * sizeof(*tree->entries));
    }
    tree->hash = cut_tree_hash(tree);
    tree->end = time_of(world);
    tree->committed = committed;
}

/* ---- Contents ------------------------------------------------------------ */

static struct cut_block *block_at(struct cut_object *object, uint32_t index) {
    if (index >= object->block_count) {
        object->blocks =
            realloc(object->blocks, (index + 1) * sizeof(*object->blocks));
        assert_non_null(object->blocks);
        memset(object->blocks + object->block_count, 0,
               (index + 1 - object->block_count) * sizeof(*object->blocks));
        object->block_count = index + 1;
    }
    return &object->blocks[index];
}

/* A new version of the block, which begins as a copy of the last one. */
static uint8_t *new_version(struct cut_world *world, struct cut_block *block) {
    uint8_t *data = calloc(1, BLOCK);

    assert_non_null(data);
    if (block->count > 0) {
        memcpy(data, block->versions[block->count - 1].data, BLOCK);
    }
    block->versions =
        realloc(block->versions, (block->count + 1) * sizeof(*block->versions));
    assert_non_null(block->versions);
    block->versions[block->count++] =
        (struct cut_version){.op = this_op(world), .data = data};
    return data;
}

static void fill_block(uint8_t *data, uint32_t object, uint32_t block,
                       uint32_t op) {
    for (uint32_t at = 0; at < BLOCK; at += LINE) {
        char line[LINE + 1];

        snprintf(line, sizeof(line), "object %05u block %06u operation %06u ",
                 object, block, op);
        memset(data + at, '.', LINE);
        memcpy(data + at, line, strlen(line));
        data[at + LINE - 1] = '\n';
    }
}

/* The same bytes for the disc and the model. */
static void fill_range(struct cut_world *world, uint32_t object,
                       uint64_t offset, uint32_t count, uint8_t *out) {
    uint8_t data[BLOCK];

    for (uint32_t done = 0; done < count;) {
        uint32_t block = (uint32_t)((offset + done) / BLOCK);
        uint32_t at = (uint32_t)((offset + done) % BLOCK);
        uint32_t part = BLOCK - at < count - done ? BLOCK - at : count - done;

        fill_block(data, object, block, this_op(world));
        memcpy(out + done, data + at, part);
        done += part;
    }
}

static void note_range(struct cut_world *world, struct cut_object *object,
                       uint64_t offset, uint32_t count, const uint8_t *from) {
    for (uint32_t done = 0; done < count;) {
        uint32_t index = (uint32_t)((offset + done) / BLOCK);
        uint32_t at = (uint32_t)((offset + done) % BLOCK);
        uint32_t part = BLOCK - at < count - done ? BLOCK - at : count - done;

        memcpy(new_version(world, block_at(object, index)) + at, from + done,
               part);
        done += part;
    }
    if (offset + count > object->size) {
        object->size = offset + count;
    }
}

/* Zeros from `size` on, where there was something. */
static void note_cut_off(struct cut_world *world, struct cut_object *object,
                         uint64_t size) {
    for (uint32_t b = (uint32_t)(size / BLOCK); b < object->block_count; b++) {
        uint32_t keep =
            (uint64_t)b * BLOCK < size ? (uint32_t)(size % BLOCK) : 0;

        if ((uint64_t)b * BLOCK < object->size && object->blocks[b].count > 0) {
            memset(new_version(world, &object->blocks[b]) + keep, 0,
                   BLOCK - keep);
        }
    }
}

/* ---- Operations ---------------------------------------------------------- */

static struct udf_name wire(const char *name) {
    return (struct udf_name){.text = name, .len = (uint32_t)strlen(name)};
}

/* Whether it worked. A full disc is no failure; another error ends the
 * workload. */
static bool worked(struct cut_world *world, int error) {
    if (error && error != -ENOSPC) {
        world->error = error;
        longjmp(*world->stop, 1);
    }
    return error == 0;
}

int cut_world_run(struct cut_world *world, struct udf_volume *volume,
                  void (*work)(struct cut_world *world)) {
    jmp_buf stop;

    world->volume = volume;
    world->stop = &stop;
    world->error = 0;
    if (setjmp(stop) == 0) {
        work(world);
        cut_commit(world);
    }
    world->volume = NULL;
    world->stop = NULL;
    return world->error;
}

static uint32_t create(struct cut_world *world, uint32_t parent,
                       const char *name, const struct udf_make *make) {
    struct udf_cred cred = {0};
    struct udf_name text = wire(name);
    struct udf_stat stat;
    uint32_t number = world->object_count;

    assert_true(number < CUT_OBJECTS);
    begin(world);
    if (!worked(world, udf_create(world->volume, world->objects[parent].ino,
                                  &text, make, &cred, &stat))) {
        return UINT32_MAX;
    }
    udf_forget(world->volume, stat.ino, 1);
    world->objects[number] = (struct cut_object){.mode = make->mode,
                                                 .ino = stat.ino,
                                                 .nlink = 1,
                                                 .target = make->target};
    world->object_count++;
    add_entry(world, parent, name, number);
    end(world, false);
    return number;
}

uint32_t cut_make(struct cut_world *world, uint32_t parent, const char *name,
                  mode_t mode) {
    struct udf_make make = {.mode = mode};

    return create(world, parent, name, &make);
}

uint32_t cut_symlink(struct cut_world *world, uint32_t parent, const char *name,
                     const char *target) {
    struct udf_make make = {.mode = S_IFLNK | 0777, .target = target};

    return create(world, parent, name, &make);
}

bool cut_link(struct cut_world *world, uint32_t object, uint32_t parent,
              const char *name) {
    struct udf_name text = wire(name);
    struct udf_stat stat;

    begin(world);
    if (!worked(world, udf_link(world->volume, world->objects[object].ino,
                                world->objects[parent].ino, &text, &stat))) {
        return false;
    }
    udf_forget(world->volume, stat.ino, 1);
    world->objects[object].nlink++;
    add_entry(world, parent, name, object);
    end(world, false);
    return true;
}

bool cut_write(struct cut_world *world, uint32_t object, uint64_t offset,
               uint32_t count) {
    struct cut_object *file = &world->objects[object];
    uint8_t *data = malloc(count);
    int error;

    assert_non_null(data);
    fill_range(world, object, offset, count, data);
    begin(world);
    error = udf_write(world->volume, file->ino, offset, count, data);
    if (!error) {
        note_range(world, file, offset, count, data);
        end(world, false);
    }
    free(data);
    return worked(world, error);
}

bool cut_resize(struct cut_world *world, uint32_t object, uint64_t size) {
    struct cut_object *file = &world->objects[object];
    struct udf_stat stat = {.size = size};

    begin(world);
    if (!worked(world, udf_setattr(world->volume, file->ino, &stat,
                                   UDF_SET_SIZE, &stat))) {
        return false;
    }
    note_cut_off(world, file, size);
    file->size = size;
    end(world, false);
    return true;
}

bool cut_chmod(struct cut_world *world, uint32_t object, mode_t permissions) {
    struct cut_object *file = &world->objects[object];
    struct udf_stat stat = {.mode = (file->mode & S_IFMT) | permissions};

    begin(world);
    if (!worked(world, udf_setattr(world->volume, file->ino, &stat,
                                   UDF_SET_MODE, &stat))) {
        return false;
    }
    file->mode = (file->mode & S_IFMT) | permissions;
    end(world, false);
    return true;
}

void cut_remove(struct cut_world *world, uint32_t parent, const char *name) {
    uint32_t object = cut_find(world, parent, name);
    struct udf_name text = wire(name);
    uint64_t dir = world->objects[parent].ino;
    int error;

    assert_true(object < world->object_count);
    begin(world);
    error = S_ISDIR(world->objects[object].mode)
                ? udf_rmdir(world->volume, dir, &text)
                : udf_unlink(world->volume, dir, &text);
    (void)worked(world, error);
    assert_int_equal(error, 0); /* deleting needs no space */
    drop_entry(world, parent, name);
    end(world, false);
}

bool cut_rename(struct cut_world *world, uint32_t from, const char *name,
                uint32_t to, const char *new_name) {
    struct udf_place a = {world->objects[from].ino, wire(name)};
    struct udf_place b = {world->objects[to].ino, wire(new_name)};
    struct cut_entry *entry;

    begin(world);
    if (!worked(world, udf_rename(world->volume, &a, &b, 0))) {
        return false;
    }
    if (entry_of(world, to, new_name)) {
        drop_entry(world, to, new_name);
    }
    entry = entry_of(world, from, name);
    assert_non_null(entry);
    entry->parent = to;
    entry->name = new_name;
    end(world, false);
    return true;
}

/* A commit that fails may be on the disc all the same. */
void cut_commit(struct cut_world *world) {
    int error;

    begin(world);
    error = udf_commit(world->volume);
    end(world, error == 0);
    (void)worked(world, error);
    assert_int_equal(error, 0); /* what was accepted has its space */
}

void cut_background(struct cut_world *world) {
    int error;

    begin(world);
    udf_wake(world->volume);
    error = udf_background(world->volume, 1000);
    end(world, false);
    (void)worked(world, error);
    assert_int_equal(error, 0);
}

struct cut_span cut_world_span(const struct cut_world *world, size_t time) {
    struct cut_span span = {0, 0};

    for (uint32_t op = 0; op < world->ops; op++) {
        const struct cut_tree *tree = &world->trees[op];

        if (tree->committed && tree->end <= time) {
            span.first = op;
        }
        if (tree->begin <= time) {
            span.last = op;
        }
    }
    return span;
}

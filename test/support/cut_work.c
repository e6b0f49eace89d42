/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/cut_work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "test/support/cut_world.h"

enum { FILE_MODE = S_IFREG | 0644, DIR_MODE = S_IFDIR | 0755 };

/* A file with content, in one write. */
static uint32_t file(struct cut_world *world, uint32_t dir, const char *name,
                     uint32_t bytes) {
    uint32_t object = cut_make(world, dir, name, FILE_MODE);

    if (object != UINT32_MAX && bytes > 0) {
        (void)cut_write(world, object, 0, bytes);
    }
    return object;
}

static uint32_t directory(struct cut_world *world, uint32_t dir,
                          const char *name) {
    return cut_make(world, dir, name, DIR_MODE);
}

/* Files that nobody touches, small and large, among those that are changed:
 * whoever tears their packet is found out. */
static void prepare_neighbours(struct cut_world *world) {
    uint32_t dir = directory(world, CUT_ROOT, "neighbours");

    for (uint32_t i = 0; i < 12; i++) {
        file(world, dir, cut_name(world, "neighbour %u", i),
             i % 3 == 0 ? 300 + i : 3000 * i + 1);
    }
}

/* ---- Copying a tree ------------------------------------------------------ */

static void run_copy(struct cut_world *world) {
    uint32_t dir = CUT_ROOT;

    for (uint32_t i = 0; i < 32; i++) {
        if (i % 8 == 0) {
            dir = directory(world, i % 16 ? dir : CUT_ROOT,
                            cut_name(world, "folder %u", i));
        }
        file(world, dir, cut_name(world, "file %u", i),
             cut_world_draw(world, i % 5 ? 8000 : 150000));
        if (i == 20) {
            cut_commit(world);
        }
    }
}

/* ---- Overwriting in place ------------------------------------------------ */

static void prepare_overwrite(struct cut_world *world) {
    prepare_neighbours(world);
    for (uint32_t i = 0; i < 3; i++) {
        file(world, CUT_ROOT, cut_name(world, "target %u", i), 150000 + i);
    }
    file(world, CUT_ROOT, "small target", 1000);
}

static void run_overwrite(struct cut_world *world) {
    uint32_t small = cut_find(world, CUT_ROOT, "small target");

    for (uint32_t i = 0; i < 48; i++) {
        uint32_t target =
            cut_find(world, CUT_ROOT,
                     cut_name(world, "target %u", cut_world_draw(world, 3)));
        uint32_t offset = cut_world_draw(world, 140000);

        cut_write(world, target, offset,
                  1 + cut_world_draw(world, i % 4 ? 3000 : 10000));
        if (i % 7 == 0) {
            cut_write(world, small, cut_world_draw(world, 900), 100);
        }
        if (i % 6 == 5) {
            cut_commit(world);
        }
    }
}

/* ---- A database's log ---------------------------------------------------- */

static void prepare_append(struct cut_world *world) {
    prepare_neighbours(world);
    file(world, CUT_ROOT, "log", 0);
}

static void run_append(struct cut_world *world) {
    uint32_t log = cut_find(world, CUT_ROOT, "log");

    for (uint32_t i = 0; i < 60; i++) {
        cut_write(world, log, world->objects[log].size,
                  i % 3 ? 4096 : 1 + cut_world_draw(world, 6000));
        cut_commit(world);
    }
}

/* ---- Many small files, made and deleted ---------------------------------- */

static void run_churn(struct cut_world *world) {
    uint32_t dir = directory(world, CUT_ROOT, "churn");

    for (uint32_t i = 0; i < 160; i++) {
        const char *old = cut_name(world, "small %u", i / 2);

        if (i % 3 == 2 && cut_find(world, dir, old) != UINT32_MAX) {
            cut_remove(world, dir, old);
        }
        file(world, dir, cut_name(world, "small %u", i),
             cut_world_draw(world, i % 4 ? 1500 : 9000));
        if (i % 20 == 19) {
            cut_commit(world);
        }
    }
}

/* ---- Renaming over ------------------------------------------------------- */

static void prepare_rename(struct cut_world *world) {
    prepare_neighbours(world);
    directory(world, CUT_ROOT, "here");
    directory(world, CUT_ROOT, "there");
    file(world, CUT_ROOT, "settings", 5000);
    file(world, cut_find(world, CUT_ROOT, "there"), "moved", 700);
}

static void run_rename(struct cut_world *world) {
    uint32_t here = cut_find(world, CUT_ROOT, "here");
    uint32_t there = cut_find(world, CUT_ROOT, "there");

    for (uint32_t i = 0; i < 16; i++) {
        file(world, CUT_ROOT, "settings.new", 4000 + i * 500);
        if (i % 2) {
            cut_commit(world); /* as careful programs do */
        }
        cut_rename(world, CUT_ROOT, "settings.new", CUT_ROOT, "settings");
        cut_rename(world, i % 2 ? here : there, "moved", i % 2 ? there : here,
                   "moved");
        if (i % 4 == 3) {
            cut_rename(world, CUT_ROOT, i % 8 == 3 ? "there" : "elsewhere",
                       CUT_ROOT, i % 8 == 3 ? "elsewhere" : "there");
            cut_commit(world);
        }
    }
}

/* ---- A directory over several packets ------------------------------------ */

static void prepare_directory(struct cut_world *world) {
    uint32_t dir = directory(world, CUT_ROOT, "large");

    prepare_neighbours(world);
    for (uint32_t i = 0; i < 360; i++) {
        file(world, dir,
             cut_name(world,
                      "a name as long as it takes to fill the directory "
                      "sooner than its files fill the disc, number %u, "
                      "with a tail that makes it longer by much",
                      i),
             10);
    }
}

static void run_directory(struct cut_world *world) {
    uint32_t dir = cut_find(world, CUT_ROOT, "large");

    for (uint32_t i = 0; i < 90; i++) {
        cut_remove(world, dir,
                   cut_name(world,
                            "a name as long as it takes to fill the directory "
                            "sooner than its files fill the disc, number %u, "
                            "with a tail that makes it longer by much",
                            i * 2 + 1));
        file(world, dir,
             cut_name(world,
                      "another name that is long, for the place of one "
                      "that went or for the directory's end, number %u",
                      i),
             20);
        if (i % 15 == 14) {
            cut_commit(world);
        }
    }
}

/* ---- Truncating and using again ------------------------------------------ */

static void prepare_truncate(struct cut_world *world) {
    prepare_neighbours(world);
    for (uint32_t i = 0; i < 6; i++) {
        file(world, CUT_ROOT, cut_name(world, "cut %u", i), 60000 + i * 7000);
    }
}

static void run_truncate(struct cut_world *world) {
    for (uint32_t i = 0; i < 42; i++) {
        uint32_t number = cut_world_draw(world, 6);
        const char *name = cut_name(world, "cut %u", number);
        uint32_t object = cut_find(world, CUT_ROOT, name);

        if (i % 6 == 5) {
            cut_remove(world, CUT_ROOT, name);
            file(world, CUT_ROOT, name, 30000);
        } else if (i % 2) {
            cut_write(world, object, world->objects[object].size,
                      cut_world_draw(world, 40000) + 1);
        } else {
            cut_resize(world, object, cut_world_draw(world, 50000));
        }
        if (i % 7 == 6) {
            cut_commit(world);
        }
    }
}

/* ---- A disc that is nearly full ------------------------------------------ */

/* Fills the volume to the last few blocks; files of 64 KiB and the rest. */
static void fill(struct cut_world *world, const char *stem) {
    uint32_t bytes = 64 << 10;

    for (uint32_t i = 0; bytes >= 2048; i++) {
        const char *name = cut_name(world, "%s %u", stem, i);
        uint32_t object = cut_make(world, CUT_ROOT, name, FILE_MODE);

        if (object == UINT32_MAX) {
            return;
        }
        if (!cut_write(world, object, 0, bytes)) {
            cut_remove(world, CUT_ROOT, name);
            bytes /= 4;
        }
    }
}

static void prepare_full(struct cut_world *world) {
    prepare_neighbours(world);
    fill(world, "full");
    for (uint32_t i = 0; i < 5; i++) {
        cut_remove(world, CUT_ROOT, cut_name(world, "full %u", i * 3));
    }
}

static void run_full(struct cut_world *world) {
    for (uint32_t round = 0; round < 4; round++) {
        const char *stem = cut_name(world, "round %u", round);

        fill(world, stem);
        cut_commit(world);
        for (uint32_t i = 0; i < 4; i++) {
            const char *name = cut_name(world, "%s %u", stem, i);

            if (cut_find(world, CUT_ROOT, name) != UINT32_MAX) {
                cut_remove(world, CUT_ROOT, name);
            }
        }
    }
}

/* ---- Links and permissions ----------------------------------------------- */

static void prepare_links(struct cut_world *world) {
    prepare_neighbours(world);
    directory(world, CUT_ROOT, "links");
    file(world, CUT_ROOT, "original", 9000);
}

static void run_links(struct cut_world *world) {
    uint32_t dir = cut_find(world, CUT_ROOT, "links");
    uint32_t original = cut_find(world, CUT_ROOT, "original");

    for (uint32_t i = 0; i < 30; i++) {
        cut_link(world, original, i % 2 ? dir : CUT_ROOT,
                 cut_name(world, "link %u", i));
        cut_symlink(world, dir, cut_name(world, "symbolic %u", i),
                    i % 3 ? "../original" : "../neighbours/neighbour 1");
        cut_chmod(world, original, i % 2 ? 0600 : 0644);
        if (i % 3 == 2) {
            cut_remove(world, i % 2 ? CUT_ROOT : dir,
                       cut_name(world, "link %u", i - 1));
        }
        if (i % 6 == 5) {
            cut_commit(world);
        }
    }
}

/* ---- A little of everything, with the background writer ------------------ */

static void mix_step(struct cut_world *world, uint32_t dir, uint32_t i) {
    const char *name = cut_name(world, "mixed %u", cut_world_draw(world, 20));
    uint32_t object = cut_find(world, dir, name);

    if (object == UINT32_MAX) {
        file(world, dir, name, cut_world_draw(world, 30000));
        return;
    }
    switch (cut_world_draw(world, 5)) {
    case 0:
        cut_remove(world, dir, name);
        break;
    case 1:
        cut_resize(world, object, cut_world_draw(world, 20000));
        break;
    case 2:
        cut_rename(world, dir, name, CUT_ROOT, cut_name(world, "kept %u", i));
        break;
    default:
        cut_write(world, object, cut_world_draw(world, 20000),
                  1 + cut_world_draw(world, 9000));
        break;
    }
}

static void run_mix(struct cut_world *world) {
    uint32_t dir = directory(world, CUT_ROOT, "mix");

    for (uint32_t i = 0; i < 120; i++) {
        mix_step(world, dir, i);
        if (i % 17 == 16) {
            cut_commit(world);
        } else if (i % 5 == 4) {
            cut_background(world);
        }
    }
}

static const struct cut_workload workloads[] = {
    {"copy", prepare_neighbours, run_copy},
    {"overwrite", prepare_overwrite, run_overwrite},
    {"append", prepare_append, run_append},
    {"churn", prepare_neighbours, run_churn},
    {"rename", prepare_rename, run_rename},
    {"directory", prepare_directory, run_directory},
    {"truncate", prepare_truncate, run_truncate},
    {"full", prepare_full, run_full},
    {"links", prepare_links, run_links},
    {"mix", prepare_neighbours, run_mix},
};

const struct cut_workload *cut_workload(size_t i) {
    return i < sizeof(workloads) / sizeof(workloads[0]) ? &workloads[i] : NULL;
}

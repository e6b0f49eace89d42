/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/walk.c - see walk.h.
 */
#include "test/support/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>
#include <zlib.h>

#include "test/support/treeline.h"

enum {
    CHUNK = 1 << 20,
    RUN_MIN = 8,     /* a byte so many times is shown as a run */
    PIECES_MAX = 16, /* runs and texts that are shown */
    DEPTH_MAX = 64
};

/* ---- content as text -------------------------------------------------- */

/* Text that is put together byte by byte. */
struct shown {
    FILE *out;
    unsigned pieces;
    bool quoted;
    int last; /* byte of the run that is being counted, or -1 */
    uint64_t run;
};

static void put_byte(FILE *out, int byte) {
    if (byte > ' ' && byte < 0x7F && byte != '\\') {
        fputc(byte, out);
    } else {
        fprintf(out, "\\x%02X", (unsigned)byte);
    }
}

static void end_quotes(struct shown *shown) {
    if (shown->quoted) {
        fputc('"', shown->out);
        shown->quoted = false;
    }
}

/* Ends the run; a short one belongs to a text. */
static void end_run(struct shown *shown) {
    bool is_run = shown->run >= RUN_MIN;

    if (shown->run == 0 || shown->pieces > PIECES_MAX) {
        return;
    }
    if (is_run || !shown->quoted) {
        end_quotes(shown);
        fputc(' ', shown->out);
        shown->pieces++;
    }
    if (is_run) {
        put_byte(shown->out, shown->last);
        fprintf(shown->out, "*%llu", (unsigned long long)shown->run);
    } else {
        if (!shown->quoted) {
            fputc('"', shown->out);
            shown->quoted = true;
        }
        for (uint64_t i = 0; i < shown->run; i++) {
            if (shown->last == ' ') {
                fputc(' ', shown->out);
            } else {
                put_byte(shown->out, shown->last);
            }
        }
    }
    shown->run = 0;
}

static void show_bytes(struct shown *shown, const uint8_t *bytes,
                       uint32_t count) {
    uint32_t i = 0;

    while (i < count && shown->pieces <= PIECES_MAX) {
        if (bytes[i] != shown->last) {
            end_run(shown);
            shown->last = bytes[i];
        }
        /* Runs over whole pages are what large files here are made of. */
        if (count - i > 4096 && memcmp(bytes + i, bytes + i + 1, 4095) == 0) {
            shown->run += 4096;
            i += 4096;
        } else {
            shown->run++;
            i++;
        }
    }
}

static int read_content(struct udf_volume *volume, uint64_t most,
                        struct walk_entry *entry, struct shown *shown) {
    uint64_t end = most && most < entry->stat.size ? most : entry->stat.size;
    uint8_t *buf = malloc(CHUNK);
    uint64_t at = 0;
    int error = 0;

    assert_non_null(buf);
    while (at < end) {
        uint32_t count;

        error = udf_read(volume, entry->stat.ino, at, CHUNK, buf, &count);
        if (error || count == 0) {
            break;
        }
        entry->crc = (uint32_t)crc32(entry->crc, buf, count);
        show_bytes(shown, buf, count);
        at += count;
    }
    free(buf);
    return error;
}

static void add_content(struct udf_volume *volume, uint64_t most,
                        struct walk_entry *entry) {
    struct shown shown = {.last = -1};
    char target[4096];
    size_t bytes;

    shown.out = open_memstream(&entry->content, &bytes);
    assert_non_null(shown.out);
    if (S_ISREG(entry->stat.mode)) {
        entry->content_error = read_content(volume, most, entry, &shown);
        end_run(&shown);
        end_quotes(&shown);
    } else if (S_ISLNK(entry->stat.mode)) {
        entry->content_error =
            udf_readlink(volume, entry->stat.ino, target, sizeof(target));
        if (!entry->content_error) {
            fprintf(shown.out, " -> %s", target);
        }
    } else if (S_ISCHR(entry->stat.mode) || S_ISBLK(entry->stat.mode)) {
        fprintf(shown.out, " %u,%u", major(entry->stat.rdev),
                minor(entry->stat.rdev));
    }
    fclose(shown.out);
    if (shown.pieces > PIECES_MAX) {
        snprintf(entry->content, bytes, " crc %08X", entry->crc);
    }
}

/* ---- walking ---------------------------------------------------------- */

/* The names of one directory, before they are looked up. */
struct names {
    char **name;
    size_t count;
};

static bool take_name(void *context, const struct udf_dirent *entry) {
    struct names *names = context;
    struct udf_name name = entry->name;

    if ((name.len == 1 && name.text[0] == '.') ||
        (name.len == 2 && memcmp(name.text, "..", 2) == 0)) {
        return true;
    }
    names->name =
        realloc(names->name, (names->count + 1) * sizeof(*names->name));
    assert_non_null(names->name);
    names->name[names->count] = strndup(name.text, name.len);
    assert_non_null(names->name[names->count]);
    names->count++;
    return true;
}

static struct walk_entry *add_entry(struct walk *walk, const char *above,
                                    const char *name) {
    struct walk_entry *entry;

    if (walk->count == walk->room) {
        walk->room = walk->room ? walk->room * 2 : 64;
        walk->entry = realloc(walk->entry, walk->room * sizeof(*walk->entry));
        assert_non_null(walk->entry);
    }
    entry = &walk->entry[walk->count++];
    *entry = (struct walk_entry){.name = strdup(name)};
    assert_true(
        asprintf(&entry->path, "%s%s%s", above, *above ? "/" : "", name) >= 0);
    return entry;
}

/* The directories from the root to the one that is walked. */
struct above {
    uint64_t ino[DEPTH_MAX];
    unsigned depth;
};

static bool is_circle(const struct above *above, uint64_t ino) {
    for (unsigned i = 0; i < above->depth; i++) {
        if (above->ino[i] == ino) {
            return true;
        }
    }
    return above->depth >= DEPTH_MAX;
}

static void walk_dir(struct udf_volume *volume, struct walk *walk, size_t index,
                     struct above *above);

/* Enters one name, and what is below it. */
static void add_name(struct udf_volume *volume, struct walk *walk,
                     size_t parent, const char *text, struct above *above) {
    const struct walk_entry *dir = &walk->entry[parent];
    uint64_t dir_ino = dir->stat.ino;
    struct udf_name name = {.text = text, .len = (uint32_t)strlen(text)};
    size_t index = walk->count;
    struct walk_entry *entry =
        add_entry(walk, parent > 0 ? dir->path : "", text);

    entry->parent = dir_ino;
    entry->error = udf_lookup(volume, dir_ino, &name, &entry->stat);
    if (entry->error) {
        return;
    }
    if (!S_ISDIR(entry->stat.mode)) {
        add_content(volume, walk->most, entry);
    } else if (is_circle(above, entry->stat.ino)) {
        entry->circle = true;
    } else {
        above->ino[above->depth++] = entry->stat.ino;
        walk_dir(volume, walk, index, above);
        above->depth--;
    }
    entry = &walk->entry[index];
    udf_forget(volume, entry->stat.ino, 1);
}

static void walk_dir(struct udf_volume *volume, struct walk *walk, size_t index,
                     struct above *above) {
    struct names names = {0};

    walk->entry[index].content_error = udf_readdir(
        volume, walk->entry[index].stat.ino, 0, false, take_name, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (walk->count < WALK_ENTRIES_MAX) {
            add_name(volume, walk, index, names.name[i], above);
        }
        free(names.name[i]);
    }
    free(names.name);
}

void walk_volume(struct udf_volume *volume, uint64_t most,
                 struct walk *out_walk) {
    struct above above = {.ino = {UDF_ROOT_INO}, .depth = 1};
    struct walk walk = {.most = most};
    struct walk_entry *root = add_entry(&walk, "", ".");

    root->error = udf_getattr(volume, UDF_ROOT_INO, &root->stat);
    if (!root->error) {
        walk_dir(volume, &walk, 0, &above);
    }
    *out_walk = walk;
}

void walk_free(struct walk *walk) {
    for (size_t i = 0; i < walk->count; i++) {
        free(walk->entry[i].path);
        free(walk->entry[i].name);
        free(walk->entry[i].content);
    }
    free(walk->entry);
    *walk = (struct walk){0};
}

const struct walk_entry *walk_find(const struct walk *walk, const char *path) {
    for (size_t i = 0; i < walk->count; i++) {
        if (strcmp(walk->entry[i].path, path) == 0) {
            return &walk->entry[i];
        }
    }
    return NULL;
}

/* ---- printing --------------------------------------------------------- */

static void print_time(FILE *out, const char *name, struct timespec time) {
    fprintf(out, " %s=%lld.%06ld", name, (long long)time.tv_sec,
            time.tv_nsec / 1000);
}

void walk_print(const struct walk *walk, bool times, FILE *out) {
    for (size_t i = 0; i < walk->count; i++) {
        const struct walk_entry *entry = &walk->entry[i];
        const struct udf_stat *stat = &entry->stat;

        for (const char *c = entry->path; *c; c++) {
            put_byte(out, (uint8_t)*c);
        }
        if (entry->error) {
            fprintf(out, " %s\n", strerrorname_np(-entry->error));
            continue;
        }
        fprintf(out, " %c %o %u:%u %u", tree_type(stat->mode),
                stat->mode & 07777, stat->uid, stat->gid, stat->nlink);
        if (S_ISREG(stat->mode)) {
            fprintf(out, " %llu", (unsigned long long)stat->size);
        }
        if (entry->content_error) {
            fprintf(out, " %s", strerrorname_np(-entry->content_error));
        } else {
            fputs(entry->content ? entry->content : "", out);
        }
        fputs(entry->circle ? " circle" : "", out);
        if (times) {
            print_time(out, "a", stat->atime);
            print_time(out, "m", stat->mtime);
            print_time(out, "c", stat->ctime);
            print_time(out, "b", stat->btime);
        }
        fputc('\n', out);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/differ.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    NAMES = 6,
    DEPTH_MAX = 4,
    SMALL_BYTES = 4000,
    WRITE_BYTES_MAX = 70000,
    LIST_BYTES = 65536,
    EARLY_SECONDS = 1000000000 /* times that were set are before */
};

/* Both compressions of UDF, and names that differ by little. */
static const char *const names[] = {
    "a",
    "b.txt",
    "längerer Name",
    "短い名前",
    "\xF0\x9F\x92\xBF disc",
    "UPPER",
    "upper",
    " space ",
    ("a name that fills more than one descriptor of an ordinary directory, so "
     "that it is met at the end of a block: ppppppppppppppppppppppppppppppppp"),
    "...",
    "back\\slash",
    "%41",
};

uint64_t differ_digest(uint64_t before, const void *data, size_t bytes) {
    const uint8_t *byte = data;
    uint64_t digest = before ? before : 0xCBF29CE484222325u;

    for (size_t i = 0; i < bytes; i++) {
        digest = (digest ^ byte[i]) * 0x100000001B3u;
    }
    return digest;
}

struct differ_outcome differ_outcome_of(long result) {
    return (struct differ_outcome){.result = result,
                                   .error = result < 0 ? errno : 0};
}

const char *differ_full_path(const struct differ_side *side, const char *path) {
    static char texts[4][DIFFER_PATH_BYTES + 64];
    static unsigned next;
    char *text = texts[next++ % 4];

    snprintf(text, sizeof texts[0], "/proc/self/fd/%d/%s", side->root, path);
    return text;
}

/* A time that nobody set is only known to be late. */
static uint64_t digest_time(uint64_t before, const struct timespec *time) {
    int64_t numbers[2] = {EARLY_SECONDS, 0};

    if (time->tv_sec < EARLY_SECONDS) {
        numbers[0] = time->tv_sec;
        numbers[1] = time->tv_nsec;
    }
    return differ_digest(before, numbers, sizeof numbers);
}

uint64_t differ_digest_stat(const struct stat *attr) {
    uint64_t numbers[] = {
        attr->st_mode,
        attr->st_nlink,
        attr->st_uid,
        attr->st_gid,
        S_ISDIR(attr->st_mode) ? 0 : (uint64_t)attr->st_size,
        attr->st_rdev,
    };
    uint64_t digest = differ_digest(0, numbers, sizeof numbers);

    return digest_time(digest_time(digest, &attr->st_atim), &attr->st_mtim);
}

uint64_t differ_digest_xattrs(const struct differ_side *side,
                              const char *path) {
    static char list[LIST_BYTES], value[LIST_BYTES];
    const char *full = differ_full_path(side, path);
    ssize_t bytes = llistxattr(full, list, sizeof list);
    uint64_t sum = 0;

    for (ssize_t at = 0; at < bytes; at += (ssize_t)strlen(list + at) + 1) {
        ssize_t got = lgetxattr(full, list + at, value, sizeof value);
        uint64_t digest = differ_digest(0, list + at, strlen(list + at));

        sum += differ_digest(digest, value, got > 0 ? (size_t)got : 0);
    }
    return sum; /* whatever the order */
}

/* ---- opening ----------------------------------------------------------- */

static void close_fds(struct differ_side *side) {
    for (unsigned i = 0; i < DIFFER_FDS; i++) {
        if (side->fd[i] >= 0) {
            close(side->fd[i]);
        }
        side->fd[i] = -1;
    }
}

static void open_side(struct differ_side *side, const char *path) {
    side->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (side->root < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        abort();
    }
}

static bool has_xattrs(const struct differ_side *side) {
    const char *root = differ_full_path(side, "");
    bool can = setxattr(root, "user.probe", "", 0, 0) == 0;

    if (can) {
        removexattr(root, "user.probe");
    }
    return can;
}

void differ_open(struct differ *differ, const char *tested,
                 const char *reference, uint64_t seed) {
    *differ = (struct differ){
        .side = {{.name = "tested", .tested = true}, {.name = "reference"}},
        .random = seed * 0x9E3779B97F4A7C15u + 1,
    };
    for (unsigned i = 0; i < 2; i++) {
        memset(differ->side[i].fd, 0xFF, sizeof differ->side[i].fd);
    }
    open_side(&differ->side[0], tested);
    open_side(&differ->side[1], reference);
    differ->xattrs =
        has_xattrs(&differ->side[0]) && has_xattrs(&differ->side[1]);
    differ->names =
        differ_draw(differ, (uint32_t)(sizeof names / sizeof names[0]));
    umask(0);
}

void differ_leave(struct differ *differ) {
    close_fds(&differ->side[0]);
    close_fds(&differ->side[1]);
    close(differ->side[0].root);
}

void differ_return(struct differ *differ, const char *tested) {
    open_side(&differ->side[0], tested);
}

void differ_close(struct differ *differ) {
    differ_leave(differ);
    close(differ->side[1].root);
}

/* ---- one operation ----------------------------------------------------- */

uint32_t differ_draw(struct differ *differ, uint32_t below) {
    differ->random ^= differ->random << 13;
    differ->random ^= differ->random >> 7;
    differ->random ^= differ->random << 17;
    return (uint32_t)(differ->random >> 20) % below;
}

static void draw_path(struct differ *differ, char *path) {
    /* More often near the root, where something is */
    unsigned depth =
        1 + differ_draw(differ, 1 + differ_draw(differ, DEPTH_MAX));
    size_t count = sizeof names / sizeof names[0];
    size_t used = 0;

    for (unsigned i = 0; i < depth; i++) {
        const char *name =
            names[(differ->names + differ_draw(differ, NAMES)) % count];

        used += (size_t)snprintf(path + used, DIFFER_PATH_BYTES - used, "%s%s",
                                 i > 0 ? "/" : "", name);
    }
}

static const struct differ_kind *draw_kind(struct differ *differ) {
    static const struct differ_kind *const lists[] = {differ_name_kinds,
                                                      differ_data_kinds};
    unsigned sum = 0, drawn;

    for (unsigned i = 0; i < 2; i++) {
        for (const struct differ_kind *kind = lists[i]; kind->name; kind++) {
            sum += kind->weight;
        }
    }
    drawn = differ_draw(differ, sum);
    for (const struct differ_kind *kind = lists[0];; kind++) {
        kind = kind->name ? kind : lists[1];
        if (drawn < kind->weight) {
            return kind;
        }
        drawn -= kind->weight;
    }
}

static void draw_op(struct differ *differ, struct differ_op *op) {
    bool small;

    op->kind = draw_kind(differ);
    draw_path(differ, op->path);
    draw_path(differ, op->other);
    small = differ_draw(differ, 2);
    op->offset =
        differ_draw(differ, small ? SMALL_BYTES : DIFFER_FILE_BYTES_MAX);
    op->other_offset = differ_draw(differ, DIFFER_FILE_BYTES_MAX / 4);
    op->count = 1 + differ_draw(differ, small ? SMALL_BYTES : WRITE_BYTES_MAX);
    op->choice = differ_draw(differ, 1 << 30);
    op->seed = differ_draw(differ, 1 << 30);
}

static void note(struct differ *differ, const struct differ_op *op) {
    snprintf(
        differ->log[differ->operations % DIFFER_LOG], sizeof differ->log[0],
        "%s \"%s\" \"%s\" offset %llu, %llu count %u choice %u", op->kind->name,
        op->path, op->other, (unsigned long long)op->offset,
        (unsigned long long)op->other_offset, op->count, op->choice);
}

static void print_log(const struct differ *differ) {
    uint64_t first =
        differ->operations > DIFFER_LOG ? differ->operations - DIFFER_LOG : 0;

    for (uint64_t i = first; i < differ->operations; i++) {
        fprintf(stderr, "%llu: %s\n", (unsigned long long)i,
                differ->log[i % DIFFER_LOG]);
    }
}

static bool same(const struct differ_outcome *a,
                 const struct differ_outcome *b) {
    return a->result == b->result && a->error == b->error &&
           a->digest == b->digest;
}

bool differ_step(struct differ *differ) {
    struct differ_outcome outcome[2];
    struct differ_op op;

    draw_op(differ, &op);
    note(differ, &op);
    differ->operations++;
    if (op.kind->xattr && !differ->xattrs) {
        return true;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct stat attr;

        outcome[i] = op.kind->run(&differ->side[i], &op);
        if (fstatat(differ->side[i].root, op.path, &attr,
                    AT_SYMLINK_NOFOLLOW) == 0) {
            outcome[i].digest += differ_digest_stat(&attr);
        }
    }
    if (same(&outcome[0], &outcome[1])) {
        return true;
    }
    print_log(differ);
    for (unsigned i = 0; i < 2; i++) {
        fprintf(stderr, "%s: %ld, %s, digest %016llx\n", differ->side[i].name,
                outcome[i].result, strerror(outcome[i].error),
                (unsigned long long)outcome[i].digest);
    }
    return false;
}

/* ---- whole trees ------------------------------------------------------- */

static void print_content(FILE *out, int dir, const char *name) {
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint64_t digest = 0;
    static char buf[65536];
    ssize_t got = fd < 0 ? -1 : 0;

    while (fd >= 0 && (got = read(fd, buf, sizeof buf)) > 0) {
        digest = differ_digest(digest, buf, (size_t)got);
    }
    fprintf(out, " content %016llx%s", (unsigned long long)digest,
            got < 0 ? strerror(errno) : "");
    if (fd >= 0) {
        /* The next one shall come from the file system, not from memory. */
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
}

static void print_time(FILE *out, const char *what,
                       const struct timespec *time) {
    if (time->tv_sec < EARLY_SECONDS) {
        fprintf(out, " %s %lld.%09ld", what, (long long)time->tv_sec,
                time->tv_nsec);
    }
}

static void print_object(const struct differ *differ,
                         const struct differ_side *side, FILE *out,
                         const char *path) {
    char target[DIFFER_PATH_BYTES] = "";
    struct stat attr;

    fprintf(out, "%s", path);
    if (fstatat(side->root, path, &attr, AT_SYMLINK_NOFOLLOW) != 0) {
        fprintf(out, " %s\n", strerror(errno));
        return;
    }
    fprintf(out, " %o links %lu owner %u:%u size %lld rdev %lx", attr.st_mode,
            (unsigned long)attr.st_nlink, attr.st_uid, attr.st_gid,
            S_ISDIR(attr.st_mode) ? 0LL : (long long)attr.st_size,
            (unsigned long)attr.st_rdev);
    print_time(out, "atime", &attr.st_atim);
    print_time(out, "mtime", &attr.st_mtim);
    if (S_ISREG(attr.st_mode)) {
        print_content(out, side->root, path);
    }
    if (S_ISLNK(attr.st_mode)) {
        (void)!readlinkat(side->root, path, target, sizeof target - 1);
        fprintf(out, " to \"%s\"", target);
    }
    if (differ->xattrs) {
        fprintf(out, " xattrs %016llx",
                (unsigned long long)differ_digest_xattrs(side, path));
    }
    fprintf(out, "\n");
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void print_tree(const struct differ *differ,
                       const struct differ_side *side, FILE *out,
                       const char *path) {
    struct dirent **entries = NULL;
    int count = scandirat(side->root, path, &entries, no_dots, by_name);

    if (count < 0) {
        fprintf(out, "%s: %s\n", path, strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        size_t room = strlen(path) + strlen(entries[i]->d_name) + 2;
        char *below = malloc(room);
        struct stat attr;

        if (!below) {
            abort();
        }
        snprintf(below, room, "%s/%s", path, entries[i]->d_name);
        print_object(differ, side, out, below);
        if (fstatat(side->root, below, &attr, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(attr.st_mode)) {
            print_tree(differ, side, out, below);
        }
        free(below);
        free(entries[i]);
    }
    free(entries);
}

/* The line in which two texts differ first. */
static void print_difference(const char *a, const char *b) {
    size_t at = 0, line = 0;

    for (; a[at] && a[at] == b[at]; at++) {
        line = a[at] == '\n' ? at + 1 : line;
    }
    fprintf(stderr, "tested:    %.*s\nreference: %.*s\n",
            (int)strcspn(a + line, "\n"), a + line,
            (int)strcspn(b + line, "\n"), b + line);
}

bool differ_compare(struct differ *differ) {
    char *text[2] = {NULL, NULL};
    size_t bytes[2];
    bool equal;

    for (unsigned i = 0; i < 2; i++) {
        FILE *out = open_memstream(&text[i], &bytes[i]);

        if (!out) {
            abort();
        }
        print_tree(differ, &differ->side[i], out, ".");
        fclose(out);
    }
    equal = bytes[0] == bytes[1] && memcmp(text[0], text[1], bytes[0]) == 0;
    if (!equal) {
        print_log(differ);
        print_difference(text[0], text[1]);
    }
    free(text[0]);
    free(text[1]);
    return equal;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/treeline.c - see treeline.h.
 */
#include "test/support/treeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

static const struct {
    const char *word;
    unsigned column;
} columns_by_word[] = {
    {"mode", TREE_MODE},       {"owner", TREE_OWNER},
    {"size", TREE_SIZE},       {"mtime", TREE_MTIME},
    {"dirtime", TREE_DIRTIME}, {"linktime", TREE_LINKTIME},
    {"nlink", TREE_NLINK},     {"group", TREE_GROUP},
    {"target", TREE_TARGET},   {"crc", TREE_CRC},
    {"root", TREE_ROOT},       {"rdev", TREE_RDEV},
    {"seconds", TREE_SECONDS},
};

static void *or_die(void *memory) {
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

struct tree_line *tree_add(struct tree *tree, const char *path, char type) {
    if (tree->count == tree->room) {
        tree->room = tree->room ? tree->room * 2 : 256;
        tree->lines =
            or_die(realloc(tree->lines, tree->room * sizeof(*tree->lines)));
    }
    struct tree_line *line = &tree->lines[tree->count++];
    memset(line, 0, sizeof(*line));
    line->path = or_die(strdup(path));
    line->type = type;
    return line;
}

void tree_free(struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->lines[i].path);
        free(tree->lines[i].target);
    }
    free(tree->lines);
    memset(tree, 0, sizeof(*tree));
}

static int by_path(const void *a, const void *b) {
    const struct tree_line *one = a, *two = b;
    return strcmp(one->path, two->path);
}

/* By file, then by path: puts the names of one file side by side. */
static int by_file(const void *a, const void *b) {
    const struct tree_line *one = *(struct tree_line *const *)a;
    const struct tree_line *two = *(struct tree_line *const *)b;
    if (one->device != two->device) {
        return one->device < two->device ? -1 : 1;
    }
    if (one->inode != two->inode) {
        return one->inode < two->inode ? -1 : 1;
    }
    return strcmp(one->path, two->path);
}

static void print_text(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x21 || *c == '\\' || *c == 0x7F) {
            printf("\\x%02X", *c);
        } else {
            putchar(*c);
        }
    }
}

static void print_times(const struct tree_line *line, unsigned columns) {
    unsigned needed = line->type == 'd'   ? TREE_DIRTIME
                      : line->type == 'l' ? TREE_LINKTIME
                                          : TREE_MTIME;
    if ((line->known & TREE_MTIME) && (columns & needed)) {
        printf("\tmtime=%" PRId64 ".%06" PRIu32, line->mtime_sec,
               columns & TREE_SECONDS ? 0 : line->mtime_usec);
    }
}

static void print_line(const struct tree_line *line, unsigned columns,
                       const char *first) {
    unsigned show = line->known & columns;
    print_text(line->path);
    printf("\t%c", line->type);
    if ((show & TREE_MODE) && line->type != 'l') {
        printf("\tmode=%04o", line->mode);
    }
    if (show & TREE_OWNER) {
        printf("\towner=%" PRIu32 ":%" PRIu32, line->uid, line->gid);
    }
    if ((show & TREE_SIZE) && line->type == 'f') {
        printf("\tsize=%" PRIu64, line->size);
    }
    print_times(line, columns);
    if ((show & TREE_NLINK) && line->type != 'd') {
        printf("\tnlink=%" PRIu64, line->nlink);
    }
    if ((show & TREE_RDEV) && (line->type == 'b' || line->type == 'c')) {
        printf("\trdev=%" PRIu32 ",%" PRIu32, line->rdev_major,
               line->rdev_minor);
    }
    if ((columns & TREE_GROUP) && first && strcmp(first, line->path) != 0) {
        fputs("\tsame-as=", stdout);
        print_text(first);
    }
    if ((show & TREE_TARGET) && line->type == 'l' && line->target) {
        fputs("\ttarget=", stdout);
        print_text(line->target);
    }
    if ((show & TREE_CRC) && line->type == 'f') {
        printf("\tcrc=%08" PRIX32, line->crc);
    }
    putchar('\n');
}

/* first[i]: path of the first name of lines[i]'s file, NULL if that is not
 * known. */
static const char **find_firsts(struct tree *tree) {
    struct tree_line **order = or_die(calloc(tree->count + 1, sizeof(*order)));
    const char **first = or_die(calloc(tree->count + 1, sizeof(*first)));
    size_t count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        if ((tree->lines[i].known & TREE_GROUP) && tree->lines[i].type != 'd') {
            order[count++] = &tree->lines[i];
        }
    }
    qsort(order, count, sizeof(*order), by_file);
    const struct tree_line *head = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!head || head->device != order[i]->device ||
            head->inode != order[i]->inode) {
            head = order[i];
        }
        first[order[i] - tree->lines] = head->path;
    }
    free(order);
    return first;
}

bool tree_print(struct tree *tree, unsigned columns) {
    if (tree->count > 0) {
        qsort(tree->lines, tree->count, sizeof(*tree->lines), by_path);
    }
    const char **first = find_firsts(tree);
    for (size_t i = 0; i < tree->count; i++) {
        bool root = strcmp(tree->lines[i].path, ".") == 0;
        if (!root || (columns & TREE_ROOT)) {
            print_line(&tree->lines[i], columns, first[i]);
        }
    }
    free(first);
    return fflush(stdout) == 0 && !ferror(stdout);
}

static bool read_words(const char *words, unsigned *out_columns) {
    *out_columns = 0;
    while (*words) {
        size_t length = strcspn(words, ",");
        unsigned column = 0;
        for (size_t i = 0;
             i < sizeof(columns_by_word) / sizeof(columns_by_word[0]); i++) {
            if (strncmp(words, columns_by_word[i].word, length) == 0 &&
                columns_by_word[i].word[length] == '\0') {
                column = columns_by_word[i].column;
            }
        }
        if (column == 0) {
            fprintf(stderr, "no such column: %.*s\n", (int)length, words);
            return false;
        }
        *out_columns |= column;
        words += length + (words[length] == ',');
    }
    return true;
}

int tree_options(int argc, char **argv, unsigned *out_columns) {
    unsigned columns = TREE_ALL, named;
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        bool without = strncmp(argv[i], "--without=", 10) == 0;
        bool only = strncmp(argv[i], "--only=", 7) == 0;
        if (!without && !only) {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return -1;
        }
        if (!read_words(argv[i] + (without ? 10 : 7), &named)) {
            return -1;
        }
        columns = without ? columns & ~named : named;
    }
    *out_columns = columns;
    return i;
}

uint32_t tree_crc(uint32_t crc, const void *bytes, size_t count) {
    return (uint32_t)crc32_z(crc, bytes, count);
}

char *tree_join(const char *dir, const char *name) {
    bool root = strcmp(dir, ".") == 0;
    size_t bytes = strlen(dir) + strlen(name) + 2;
    char *path = or_die(malloc(bytes));
    snprintf(path, bytes, "%s%s%s", root ? "" : dir, root ? "" : "/", name);
    return path;
}

char tree_type(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return 'd';
    case S_IFREG:
        return 'f';
    case S_IFLNK:
        return 'l';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    case S_IFBLK:
        return 'b';
    case S_IFCHR:
        return 'c';
    default:
        return '?';
    }
}

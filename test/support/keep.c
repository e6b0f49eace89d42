/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/support/keep.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES = 2, SPANS_MAX = 4096 };

struct span {
    off_t offset;
    size_t bytes;
    uint8_t *data;
};

struct file {
    char path[128];
    off_t bytes;
    size_t spans;
    struct span span[SPANS_MAX];
};

struct keep {
    struct file files[FILES];
};

static void keep_file(struct file *file) {
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    off_t from, to = 0;

    assert_true(fd >= 0);
    file->bytes = lseek(fd, 0, SEEK_END);
    while ((from = lseek(fd, to, SEEK_DATA)) >= 0) {
        struct span *span = &file->span[file->spans++];

        assert_true(file->spans < SPANS_MAX);
        to = lseek(fd, from, SEEK_HOLE);
        assert_true(to > from);
        *span = (struct span){.offset = from, .bytes = (size_t)(to - from)};
        span->data = malloc(span->bytes);
        assert_non_null(span->data);
        assert_int_equal(pread(fd, span->data, span->bytes, from), span->bytes);
    }
    close(fd);
}

struct keep *keep_files(const char *path) {
    static const char *const suffixes[FILES] = {"", ".udfpkt"};
    struct keep *keep = calloc(1, sizeof(*keep));

    assert_non_null(keep);
    for (size_t i = 0; i < FILES; i++) {
        snprintf(keep->files[i].path, sizeof(keep->files[i].path), "%s%s", path,
                 suffixes[i]);
        keep_file(&keep->files[i]);
    }
    return keep;
}

void keep_restore(const struct keep *keep) {
    for (size_t i = 0; i < FILES; i++) {
        const struct file *file = &keep->files[i];
        int fd = open(file->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, file->bytes), 0);
        for (size_t s = 0; s < file->spans; s++) {
            const struct span *span = &file->span[s];

            assert_int_equal(pwrite(fd, span->data, span->bytes, span->offset),
                             span->bytes);
        }
        close(fd);
    }
}

void keep_free(struct keep *keep) {
    if (!keep) {
        return;
    }
    for (size_t i = 0; i < FILES; i++) {
        for (size_t s = 0; s < keep->files[i].spans; s++) {
            free(keep->files[i].span[s].data);
        }
    }
    free(keep);
}

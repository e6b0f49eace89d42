/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fs/seeker.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/reply.h"
#include "udf/udf.h"

/* Holes that are looked at one by one before the rest of the file is written
 * back at once. */
enum { HOLES_MAX = 8 };

struct question {
    struct question *next;
    fuse_req_t req;
    uint64_t ino, offset;
    enum udf_seek what;
};

struct fs_seeker {
    struct udf_volume *volume;
    struct fuse_session *fuse;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct question *first, **last; /* under `lock`, as the rest */
    bool stop;
};

/* Makes the kernel write its dirty pages of [from, to) back and forget them;
 * UINT64_MAX = to the end of the file. An error means that it has none: it
 * does not know the file any more, or there is no kernel left. */
static void fetch_pages(struct fs_seeker *seeker, uint64_t ino, uint64_t from,
                        uint64_t to) {
    off_t count = to == UINT64_MAX ? 0 : (off_t)(to - from);

    (void)fuse_lowlevel_notify_inval_inode(seeker->fuse, ino, (off_t)from,
                                           count);
}

/* Where the hole at `offset` ends; UINT64_MAX behind the last data. */
static uint64_t hole_end(struct fs_seeker *seeker, uint64_t ino,
                         uint64_t offset) {
    uint64_t end;

    if (udf_seek(seeker->volume, ino, offset, UDF_SEEK_DATA, &end) != 0) {
        end = UINT64_MAX;
    }
    return end;
}

/* Data between `offset` and where it begins for us may be in the kernel. */
static int seek_data(struct fs_seeker *seeker, const struct question *question,
                     uint64_t *out_offset) {
    uint64_t end = hole_end(seeker, question->ino, question->offset);

    if (end != question->offset) {
        fetch_pages(seeker, question->ino, question->offset, end);
    }
    return udf_seek(seeker->volume, question->ino, question->offset,
                    UDF_SEEK_DATA, out_offset);
}

static int seek_hole(struct fs_seeker *seeker, const struct question *question,
                     uint64_t *out_offset) {
    uint64_t ino = question->ino;
    uint64_t from = question->offset, found = 0, seen = 0;
    int err = udf_seek(seeker->volume, ino, from, UDF_SEEK_HOLE, &found);

    for (unsigned holes = 0; !err && found >= seen && seen != UINT64_MAX;
         holes++) {
        seen = holes < HOLES_MAX ? hole_end(seeker, ino, found) : UINT64_MAX;
        fetch_pages(seeker, ino, found, seen);
        err = udf_seek(seeker->volume, ino, from, UDF_SEEK_HOLE, &found);
    }
    if (err == -ENXIO) { /* behind the end, for all that we know */
        fetch_pages(seeker, ino, from, UINT64_MAX);
        err = udf_seek(seeker->volume, ino, from, UDF_SEEK_HOLE, &found);
    }
    *out_offset = found;
    return err;
}

static void answer(struct fs_seeker *seeker, struct question *question) {
    uint64_t offset = 0;
    int err = question->what == UDF_SEEK_DATA
                  ? seek_data(seeker, question, &offset)
                  : seek_hole(seeker, question, &offset);

    fs_reply_offset(question->req, err, offset);
    free(question);
}

/* The next question; NULL when it is time to end. */
static struct question *take_question(struct fs_seeker *seeker) {
    pthread_mutex_lock(&seeker->lock);
    while (!seeker->first && !seeker->stop) {
        pthread_cond_wait(&seeker->news, &seeker->lock);
    }
    struct question *question = seeker->first;

    if (question) {
        seeker->first = question->next;
        if (!seeker->first) {
            seeker->last = &seeker->first;
        }
    }
    pthread_mutex_unlock(&seeker->lock);
    return question;
}

static void *run_seeker(void *argument) {
    struct fs_seeker *seeker = argument;

    for (struct question *question = take_question(seeker); question;
         question = take_question(seeker)) {
        answer(seeker, question);
    }
    return NULL;
}

int fs_seeker_start(struct udf_volume *volume, struct fuse_session *fuse,
                    struct fs_seeker **out) {
    struct fs_seeker *seeker = calloc(1, sizeof *seeker);

    if (!seeker) {
        return -ENOMEM;
    }
    seeker->volume = volume;
    seeker->fuse = fuse;
    seeker->last = &seeker->first;
    pthread_mutex_init(&seeker->lock, NULL);
    pthread_cond_init(&seeker->news, NULL);
    int err = pthread_create(&seeker->thread, NULL, run_seeker, seeker);

    if (err) {
        pthread_cond_destroy(&seeker->news);
        pthread_mutex_destroy(&seeker->lock);
        free(seeker);
        return -err;
    }
    *out = seeker;
    return 0;
}

void fs_seeker_ask(struct fs_seeker *seeker, fuse_req_t req, uint64_t ino,
                   uint64_t offset, int whence) {
    struct question *question = malloc(sizeof *question);

    if (!question) {
        fs_reply_error(req, -ENOMEM);
        return;
    }
    *question = (struct question){
        .req = req,
        .ino = ino,
        .offset = offset,
        .what = whence == SEEK_DATA ? UDF_SEEK_DATA : UDF_SEEK_HOLE,
    };
    pthread_mutex_lock(&seeker->lock);
    *seeker->last = question;
    seeker->last = &question->next;
    pthread_cond_signal(&seeker->news);
    pthread_mutex_unlock(&seeker->lock);
}

void fs_seeker_stop(struct fs_seeker *seeker) {
    if (!seeker) {
        return;
    }
    pthread_mutex_lock(&seeker->lock);
    seeker->stop = true;
    pthread_cond_signal(&seeker->news);
    pthread_mutex_unlock(&seeker->lock);
    pthread_join(seeker->thread, NULL);
    pthread_cond_destroy(&seeker->news);
    pthread_mutex_destroy(&seeker->lock);
    free(seeker);
}

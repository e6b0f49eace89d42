/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/workers.c - one thread at a time, who holds `turn`, waits for a request;
 * it takes it, passes the turn on, and carries the request out.
 *
 * Invariants, on which fs_workers_idle() rests:
 *  1. `busy` counts a request from before it is taken from the kernel until
 *     after its reply. Replying may move further requests from the kernel's
 *     background queue to the descriptor; that happens inside the reply.
 *  2. `served` grows after a request's reply, before `busy` falls.
 * So when `busy` is 0 twice, `served` is the same both times, and the
 * descriptor had nothing in between, no request was anywhere.
 */
#include "fs/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* More than BACKGROUND_MAX of fs/ops_attr.c. */
enum { WORKERS = 16 };

struct fs_workers {
    struct fuse_session *session;
    pthread_t thread[WORKERS];
    unsigned started;
    int stop_fd;  /* readable: end */
    int ended_fd; /* readable: all threads have ended by themselves */
    pthread_mutex_t turn;
    atomic_uint busy;
    atomic_uint_least64_t served;
    atomic_uint running;
    atomic_int failure; /* errno of the connection, negative */
};

static void raise_event(int fd) {
    uint64_t one = 1;
    ssize_t written;

    do {
        written = write(fd, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
}

/* Waits for a request and takes it. Returns its size; 0 when it is time to
 * end; -EAGAIN or -EINTR to try again. */
static int take_request(struct fs_workers *workers, struct fuse_buf *buf) {
    struct pollfd fds[2] = {
        {.fd = fuse_session_fd(workers->session), .events = POLLIN},
        {.fd = workers->stop_fd, .events = POLLIN},
    };

    if (fuse_session_exited(workers->session)) {
        return 0;
    }
    if (poll(fds, 2, -1) < 0) {
        return -EINTR;
    }
    if (fds[1].revents) {
        return 0;
    }
    atomic_fetch_add(&workers->busy, 1);
    int size = fuse_session_receive_buf(workers->session, buf);

    if (size <= 0) {
        atomic_fetch_sub(&workers->busy, 1);
    }
    return size;
}

static void *run_worker(void *argument) {
    struct fs_workers *workers = argument;
    struct fuse_buf buf = {.mem = NULL};

    for (;;) {
        pthread_mutex_lock(&workers->turn);
        int size = take_request(workers, &buf);

        pthread_mutex_unlock(&workers->turn);
        if (size == -EINTR || size == -EAGAIN) {
            continue;
        }
        if (size <= 0) {
            if (size < 0) {
                atomic_store(&workers->failure, size);
                fuse_session_exit(workers->session);
            }
            break;
        }
        fuse_session_process_buf(workers->session, &buf);
        atomic_fetch_add(&workers->served, 1);
        atomic_fetch_sub(&workers->busy, 1);
    }
    free(buf.mem);
    if (atomic_fetch_sub(&workers->running, 1) == 1) {
        raise_event(workers->ended_fd);
    }
    return NULL;
}

static void destroy(struct fs_workers *workers) {
    if (workers->stop_fd >= 0) {
        close(workers->stop_fd);
    }
    if (workers->ended_fd >= 0) {
        close(workers->ended_fd);
    }
    pthread_mutex_destroy(&workers->turn);
    free(workers);
}

static int start_threads(struct fs_workers *workers) {
    while (workers->started < WORKERS) {
        atomic_fetch_add(&workers->running, 1);
        int err = pthread_create(&workers->thread[workers->started], NULL,
                                 run_worker, workers);

        if (err) {
            atomic_fetch_sub(&workers->running, 1);
            return -err;
        }
        workers->started++;
    }
    return 0;
}

int fs_workers_start(struct fuse_session *session, struct fs_workers **out) {
    struct fs_workers *workers = calloc(1, sizeof *workers);
    int fd = fuse_session_fd(session);

    if (!workers) {
        return -ENOMEM;
    }
    workers->session = session;
    workers->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    workers->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&workers->turn, NULL);
    /* Non-blocking: a request may be withdrawn (its caller killed) between
     * poll() and read(), and who holds the turn must see stop_fd. */
    if (workers->stop_fd < 0 || workers->ended_fd < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        int err = -errno;

        destroy(workers);
        return err;
    }
    int err = start_threads(workers);

    if (err) {
        fs_workers_stop(workers);
        return err;
    }
    *out = workers;
    return 0;
}

int fs_workers_ended_fd(const struct fs_workers *workers) {
    return workers->ended_fd;
}

bool fs_workers_idle(struct fs_workers *workers) {
    struct pollfd fd = {.fd = fuse_session_fd(workers->session),
                        .events = POLLIN};
    uint_least64_t served = atomic_load(&workers->served);

    return atomic_load(&workers->busy) == 0 && poll(&fd, 1, 0) == 0 &&
           atomic_load(&workers->busy) == 0 &&
           atomic_load(&workers->served) == served;
}

int fs_workers_stop(struct fs_workers *workers) {
    if (!workers) {
        return 0;
    }
    raise_event(workers->stop_fd);
    for (unsigned i = 0; i < workers->started; i++) {
        pthread_join(workers->thread[i], NULL);
    }
    int failure = atomic_load(&workers->failure);

    destroy(workers);
    return failure;
}

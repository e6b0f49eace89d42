/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/workers.c - the threads wait for the connection in an epoll set, where it
 * is armed for one event (EPOLLONESHOT). Who is woken serves one request after
 * the other; the others sleep on, because waking a thread costs more than most
 * requests. For the same reason it looks again for a moment when no request is
 * left: a program that works with files asks for the next thing at once. It
 * arms the connection when nothing came, and before an operation waits for the
 * device: then another thread is woken if there is something to serve.
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
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "udf/udf.h"

enum {
    WORKERS = 16, /* more than BACKGROUND_MAX of fs/ops_attr.c */
    /* Looks for a request before the thread sleeps: together about as long as
     * waking it would take. */
    LOOKS = 20
};

struct fs_workers {
    struct fuse_session *session;
    pthread_t thread[WORKERS];
    unsigned started;
    int stop_fd;  /* readable: end */
    int ended_fd; /* readable: all threads have ended by themselves */
    int epoll_fd; /* of the connection and stop_fd */
    struct udf_volume *volume;
    atomic_bool stopping;
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

/* Lets the next request, or the end of the connection, wake a thread, now if
 * it is there already. Returns 0 or a negative errno. */
static int arm(struct fs_workers *workers, int operation) {
    int fd = fuse_session_fd(workers->session);
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT,
                                .data.fd = fd};

    return epoll_ctl(workers->epoll_fd, operation, fd, &event) ? -errno : 0;
}

/* Called by operations: udf_on_wait(). */
static void let_others_serve(void *context) {
    struct fs_workers *workers = context;

    (void)arm(workers, EPOLL_CTL_MOD);
}

/* Takes a request and carries it out. Returns its size; 0 when it is time to
 * end; -EAGAIN when there is none; -EINTR to try again. */
static int serve(struct fs_workers *workers, struct fuse_buf *buf) {
    int size = 0;

    atomic_fetch_add(&workers->busy, 1);
    if (!atomic_load(&workers->stopping) &&
        !fuse_session_exited(workers->session)) {
        size = fuse_session_receive_buf(workers->session, buf);
    }
    if (size > 0) {
        fuse_session_process_buf(workers->session, buf);
        atomic_fetch_add(&workers->served, 1);
    }
    atomic_fetch_sub(&workers->busy, 1);
    return size;
}

/* serve() until no request comes any more; returns what it returned last. The
 * processor is offered to others between two looks: on a machine that has but
 * one, whoever is going to ask needs it. */
static int serve_on(struct fs_workers *workers, struct fuse_buf *buf) {
    unsigned looks = 0;
    int size;

    do {
        size = serve(workers, buf);
        if (size == -EAGAIN) {
            looks++;
            (void)sched_yield();
        } else {
            looks = 0;
        }
    } while (size > 0 || size == -EINTR || (size == -EAGAIN && looks < LOOKS));
    return size;
}

/* Returns whether there may be a request; false: it is time to end. */
static bool wait_for_request(struct fs_workers *workers) {
    struct epoll_event event = {.data.fd = -1};

    while (epoll_wait(workers->epoll_fd, &event, 1, -1) != 1) {
    }
    return event.data.fd != workers->stop_fd;
}

static void *run_worker(void *argument) {
    struct fs_workers *workers = argument;
    struct fuse_buf buf = {.mem = NULL};
    int size = -EAGAIN;

    while (wait_for_request(workers)) {
        size = serve_on(workers, &buf);
        if (size < 0 && size != -EAGAIN) {
            atomic_store(&workers->failure, size);
            fuse_session_exit(workers->session);
        }
        if (arm(workers, EPOLL_CTL_MOD) != 0 || size != -EAGAIN) {
            raise_event(workers->stop_fd); /* nothing else wakes the others */
        }
        if (size != -EAGAIN) {
            break;
        }
    }
    free(buf.mem);
    if (atomic_fetch_sub(&workers->running, 1) == 1) {
        raise_event(workers->ended_fd);
    }
    return NULL;
}

void fs_workers_free(struct fs_workers *workers) {
    if (!workers) {
        return;
    }
    udf_on_wait(workers->volume, NULL, NULL);
    const int fds[] = {workers->epoll_fd, workers->stop_fd, workers->ended_fd};

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(workers);
}

/* Makes what the threads wait for. Returns 0 or a negative errno. */
static int make_descriptors(struct fs_workers *workers) {
    struct epoll_event stop = {.events = EPOLLIN};

    workers->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    workers->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    workers->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    stop.data.fd = workers->stop_fd;
    /* Non-blocking: a request may be withdrawn (its caller killed) before it
     * is read, and who would wait for the next one does not see stop_fd. */
    if (workers->stop_fd < 0 || workers->ended_fd < 0 ||
        workers->epoll_fd < 0 ||
        fcntl(fuse_session_fd(workers->session), F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(workers->epoll_fd, EPOLL_CTL_ADD, workers->stop_fd, &stop)) {
        return -errno;
    }
    return arm(workers, EPOLL_CTL_ADD);
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

int fs_workers_start(struct fuse_session *session, struct udf_volume *volume,
                     struct fs_workers **out) {
    struct fs_workers *workers = calloc(1, sizeof *workers);

    if (!workers) {
        return -ENOMEM;
    }
    workers->session = session;
    workers->volume = volume;
    int err = make_descriptors(workers);

    if (!err) {
        udf_on_wait(volume, let_others_serve, workers);
        err = start_threads(workers);
    }
    if (err) {
        fs_workers_stop(workers);
        fs_workers_free(workers);
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
    atomic_store(&workers->stopping, true);
    raise_event(workers->stop_fd);
    for (unsigned i = 0; i < workers->started; i++) {
        pthread_join(workers->thread[i], NULL);
    }
    return atomic_load(&workers->failure);
}

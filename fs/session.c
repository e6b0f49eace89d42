/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fs/session.c - the life of a mount:
 *
 *   open --> serving --(unmounted by somebody)-----------------> ended
 *               |                                                  ^
 *               +-(signal, button)-> fetching --> unmounting ------+
 *                                       \--(in use)--> detaching --+
 *
 * Requests are served until `ended`, or until the detaching begins. That is
 * what makes leaving safe: with its write-back cache the kernel holds data
 * that programs think written, and it comes as WRITE requests only while
 * somebody answers. "Fetching" is syncfs(2) on the mount, by the thread in
 * fs_session_run(), while the workers serve, and then waiting until no
 * request is left: the kernel does not wait for the writes of a FUSE file
 * system in syncfs.
 *
 * Programs that write on and on would make that endless, and what they write
 * after an eject button was pressed is not wanted. But write(2) only fills the
 * page cache; the kernel asks nobody. So while the session leaves, the
 * attributes of every file that is being written are taken back from the
 * kernel: the next write(2) to it has to ask for them, and gets EROFS
 * (fs_op_getattr()). What the kernel had taken before still comes, and is kept;
 * requests that change names or sizes get EROFS at once. At the end of
 * fetching the volume is frozen, for who found another way.
 *
 * When somebody else unmounts, there is nothing to fetch: closing a file
 * writes its pages, and a mount with open files is not unmounted.
 */
#include "fs/session.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fs/eject.h"
#include "fs/flusher.h"
#include "fs/ops.h"
#include "fs/seeker.h"
#include "fs/workers.h"
#include "mmc/events.h"
#include "mmc/log.h"
#include "udf/udf.h"

enum {
    IDLE_POLL_MS = 10,
    /* How long a write(2) may take from its last question to us to the page
     * cache. */
    QUIET_MS = 200,
    /* Without one page more coming in. */
    IDLE_WAIT_MS = 60000,
    /* From a successful unmount to the end of the connection. It can fail to
     * come when another mount namespace holds the mount as well. */
    ENDED_WAIT_MS = 5000
};

struct fs_session {
    struct fs_context context;
    struct fuse_session *fuse;
    char *mountpoint;
    dev_t device; /* of the mount */
    sigset_t signals, old_signals;
    int signal_fd;
    int leave_fd;
    struct mmc_disc *disc; /* NULL = not watched */
    char *source;
    atomic_bool wants_eject;
};

static const struct fuse_lowlevel_ops operations = {
    .init = fs_op_init,
    .lookup = fs_op_lookup,
    .forget = fs_op_forget,
    .forget_multi = fs_op_forget_multi,
    .getattr = fs_op_getattr,
    .setattr = fs_op_setattr,
    .readlink = fs_op_readlink,
    .mknod = fs_op_mknod,
    .mkdir = fs_op_mkdir,
    .unlink = fs_op_unlink,
    .rmdir = fs_op_rmdir,
    .symlink = fs_op_symlink,
    .rename = fs_op_rename,
    .link = fs_op_link,
    .open = fs_op_open,
    .create = fs_op_create,
    .read = fs_op_read,
    .write = fs_op_write,
    .release = fs_op_release,
    .fsync = fs_op_fsync,
    .opendir = fs_op_opendir,
    .readdir = fs_op_readdir,
    .readdirplus = fs_op_readdirplus,
    .releasedir = fs_op_release,
    .fsyncdir = fs_op_fsync,
    .fallocate = fs_op_fallocate,
    .lseek = fs_op_lseek,
    .copy_file_range = fs_op_copy_file_range,
    .statfs = fs_op_statfs,
    .getxattr = fs_op_getxattr,
    .setxattr = fs_op_setxattr,
    .listxattr = fs_op_listxattr,
    .removexattr = fs_op_removexattr,
};

static void log_fuse(enum fuse_log_level level, const char *format,
                     va_list arguments) {
    char line[480];

    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    if (level == FUSE_LOG_DEBUG) {
        mmc_log(MMC_LOG_DEBUG, "%s", line);
    } else {
        mmc_log(level <= FUSE_LOG_ERR ? MMC_LOG_ERROR : MMC_LOG_WARN, "%s",
                line);
    }
}

/* Adds "-o NAME=VALUE" with commas and backslashes in `value` escaped. */
static int add_value(struct fuse_args *args, const char *name,
                     const char *value) {
    size_t room = strlen(name) + strlen(value) + 2;
    char *text = malloc(room);
    char *options = NULL;
    int failed = -1;

    if (text) {
        snprintf(text, room, "%s=%s", name, value);
        failed = fuse_opt_add_opt_escaped(&options, text);
    }
    if (!failed) {
        failed =
            fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, options);
    }
    free(options);
    free(text);
    return failed ? -ENOMEM : 0;
}

static int build_arguments(const struct fs_session_options *options,
                           struct fuse_args *args) {
    /* libfuse's default is nosuid,nodev for root too; mount(8) leaves that to
     * root, who says so in `extra`. fusermount3 lets nobody else have it. */
    bool root = geteuid() == 0;
    int failed =
        fuse_opt_add_arg(args, "udfpkt") ||
        fuse_opt_add_arg(args, "-osubtype=udfpkt") ||
        fuse_opt_add_arg(args, "-odefault_permissions") ||
        (root && fuse_opt_add_arg(args, "-osuid,dev")) ||
        (options->atime == FS_NOATIME && fuse_opt_add_arg(args, "-onoatime")) ||
        (options->read_only && fuse_opt_add_arg(args, "-oro")) ||
        (options->allow_other && fuse_opt_add_arg(args, "-oallow_other")) ||
        (options->debug && fuse_opt_add_arg(args, "-odebug")) ||
        (options->extra && (fuse_opt_add_arg(args, "-o") ||
                            fuse_opt_add_arg(args, options->extra)));

    return failed ? -ENOMEM : add_value(args, "fsname", options->source);
}

/* From here on the signals go to fs_session_run(); every thread that is made
 * later inherits the mask. */
static int take_signals(struct fs_session *session) {
    sigemptyset(&session->signals);
    sigaddset(&session->signals, SIGTERM);
    sigaddset(&session->signals, SIGINT);
    sigaddset(&session->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &session->signals, &session->old_signals);
    session->signal_fd =
        signalfd(-1, &session->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    session->leave_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return session->signal_fd < 0 || session->leave_fd < 0 ? -errno : 0;
}

static int mount_session(struct fs_session *session,
                         const struct fs_session_options *options) {
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    int err = build_arguments(options, &args);

    if (!err) {
        session->fuse = fuse_session_new(&args, &operations, sizeof operations,
                                         &session->context);
        err = session->fuse && fuse_session_mount(session->fuse,
                                                  session->mountpoint) == 0
                  ? 0
                  : -EIO;
    }
    fuse_opt_free_args(&args);
    return err;
}

int fs_session_open(struct udf_volume *volume,
                    const struct fs_session_options *options,
                    struct fs_session **out_session) {
    int err = fs_mountpoint_check(options->mountpoint);

    if (!err && options->allow_other && !fs_mountpoint_allow_other_possible()) {
        err = -EPERM;
    }
    if (err) {
        return err;
    }
    struct fs_session *session = calloc(1, sizeof *session);

    if (!session) {
        return -ENOMEM;
    }
    session->context = (struct fs_context){.volume = volume,
                                           .atime = options->atime,
                                           .read_only = options->read_only};
    fuse_set_log_func(log_fuse);
    err = take_signals(session);
    session->disc = options->disc;
    session->source = strdup(options->source);
    session->mountpoint = strdup(options->mountpoint);
    if (!err && (!session->mountpoint || !session->source)) {
        err = -ENOMEM;
    }
    if (!err) {
        err = mount_session(session, options);
    }
    if (!err) {
        err = fs_mountpoint_device(session->mountpoint, &session->device);
    }
    if (session->fuse) {
        session->context.fuse = session->fuse;
    }
    if (err) {
        fs_session_close(session);
        return err;
    }
    *out_session = session;
    return 0;
}

/* Takes pending signals off, so that the next ones can be told from them. */
static void drain(int fd) {
    char bytes[sizeof(struct signalfd_siginfo)];

    while (read(fd, bytes, sizeof bytes) > 0) {
    }
}

/* Waits until the workers have no request left. Returns false when a further
 * signal came, or nothing moved for too long. */
static bool wait_until_idle(struct fs_session *session,
                            struct fs_workers *workers) {
    struct pollfd fd = {.fd = session->signal_fd, .events = POLLIN};
    uint_least64_t writes = atomic_load(&session->context.writes);
    int waited_ms = 0;

    while (!fs_workers_idle(workers)) {
        fs_op_ask_again(&session->context);
        if (waited_ms >= IDLE_WAIT_MS || poll(&fd, 1, IDLE_POLL_MS) > 0) {
            return false;
        }
        waited_ms += IDLE_POLL_MS;
        if (writes != atomic_load(&session->context.writes)) {
            writes = atomic_load(&session->context.writes);
            waited_ms = 0; /* a slow drive takes its time */
        }
    }
    return true;
}

/* Gets the kernel's dirty pages while the workers serve. One syncfs() is not
 * enough: it passes files over while many requests are queued already (their
 * number is the congestion threshold), so it is repeated until it brings
 * nothing more, twice: a write(2) that had its answer just before the session
 * began to leave may still be on its way into the page cache. */
static void fetch_dirty_pages(struct fs_session *session,
                              struct fs_workers *workers) {
    int fd = open(session->mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint_least64_t writes;
    unsigned quiet = 0;
    bool idle;

    do {
        if (quiet > 0) {
            (void)poll(NULL, 0, QUIET_MS);
        }
        fs_op_ask_again(&session->context);
        writes = atomic_load(&session->context.writes);
        if (fd < 0 || syncfs(fd) != 0) {
            mmc_log(MMC_LOG_WARN, "%s: data in the page cache: %s",
                    session->mountpoint, strerror(errno));
        }
        idle = wait_until_idle(session, workers);
        quiet = writes == atomic_load(&session->context.writes) ? quiet + 1 : 0;
    } while (idle && fd >= 0 && quiet < 2);
    if (!idle) {
        mmc_log(MMC_LOG_WARN,
                "%s: programs are still writing; what comes now is lost",
                session->mountpoint);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* The mount is not there any more, but a copy of it in another mount namespace
 * can keep the connection. libfuse would then unmount whatever somebody has
 * mounted at the same place since: it leaves that alone only when the
 * connection has ended, which it asks the descriptor for. So the connection is
 * ended here, by putting a pipe without a reader in its place. */
static void end_connection(struct fs_session *session) {
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) == 0) {
        close(ends[0]);
        (void)dup3(ends[1], fuse_session_fd(session->fuse), O_CLOEXEC);
        close(ends[1]);
    }
}

/* Unmounts on our own account; see the head of this file. Returns whether the
 * mount has gone. */
static bool leave(struct fs_session *session, struct fs_workers *workers) {
    struct pollfd ended = {.fd = fs_workers_ended_fd(workers),
                           .events = POLLIN};

    drain(session->signal_fd);
    atomic_store(&session->context.leaving, true);
    fetch_dirty_pages(session, workers);
    udf_freeze(session->context.volume);
    int err = fs_mountpoint_unmount(session->mountpoint);

    if (err) {
        mmc_log(MMC_LOG_NOTICE, "%s: still in use, detached",
                session->mountpoint);
        return false; /* fs_session_run() stops the workers and detaches it */
    }
    (void)poll(&ended, 1, ENDED_WAIT_MS);
    return true;
}

/* The mount has gone from this namespace. Its connection ends at once, unless
 * another mount namespace (of a service, of a container) has a copy of it:
 * then whoever unmounted would wait for ever for the disc. */
static void leave_copies(struct fs_session *session,
                         struct fs_workers *workers) {
    struct pollfd ended = {.fd = fs_workers_ended_fd(workers),
                           .events = POLLIN};

    if (poll(&ended, 1, ENDED_WAIT_MS) == 0) {
        mmc_log(
            MMC_LOG_NOTICE,
            "%s: unmounted, but another mount namespace still had it; files "
            "that are open there may lack what was written last",
            session->mountpoint);
        atomic_store(&session->context.leaving, true);
        (void)wait_until_idle(session, workers);
    }
}

/* There is a disc in the drive again. */
static void come_back(struct fs_session *session, int lost) {
    if (udf_revive(session->context.volume) == 0 && lost) {
        atomic_store(&session->context.lost, 0);
        mmc_log(MMC_LOG_NOTICE, "%s: the disc is back, and everything written",
                session->source);
    }
}

/* In the watching thread. */
static void take_news(void *context, unsigned news) {
    struct fs_session *session = context;
    int lost = atomic_load(&session->context.lost);

    if ((news & MMC_NEWS_DRIVE_GONE) && lost != -ENODEV) {
        atomic_store(&session->context.lost, -ENODEV);
        mmc_log(MMC_LOG_ERROR,
                "%s: the drive has gone; what was not written is lost. "
                "Unmount %s",
                session->source, session->mountpoint);
    } else if ((news & MMC_NEWS_REMOVED) && !lost) {
        atomic_store(&session->context.lost, -ENOMEDIUM);
        mmc_log(MMC_LOG_ERROR,
                "%s: the disc was taken out; what was not written is kept in "
                "memory until it is back, or until somebody unmounts %s",
                session->source, session->mountpoint);
    } else if ((news & MMC_NEWS_CHANGED) && lost != -ENODEV) {
        come_back(session, lost);
    } else if ((news & MMC_NEWS_EJECT) && !lost &&
               !atomic_exchange(&session->wants_eject, true)) {
        mmc_log(MMC_LOG_NOTICE, "%s: eject button: closing the disc",
                session->source);
        fs_session_leave(session);
    }
}

/* Returns whether the mount has gone. */
static bool wait_for_end(struct fs_session *session,
                         struct fs_workers *workers) {
    struct pollfd fds[4] = {
        {.fd = fs_workers_ended_fd(workers), .events = POLLIN},
        {.fd = session->signal_fd, .events = POLLIN},
        {.fd = session->leave_fd, .events = POLLIN},
        {.fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC),
         .events = POLLPRI}, /* readable so when a mount comes or goes */
    };
    bool gone = false;

    while (!gone && !fds[0].revents && !fds[1].revents && !fds[2].revents) {
        if (poll(fds, 4, -1) < 0) {
            continue; /* interrupted; revents are what they were */
        }
        gone = fds[3].revents && !fs_mountpoint_has(session->device);
    }
    if (fds[3].fd >= 0) {
        close(fds[3].fd);
    }
    if (gone) {
        leave_copies(session, workers);
    } else if (!fds[0].revents) {
        gone = leave(session, workers);
    }
    return gone;
}

int fs_session_run(struct fs_session *session) {
    struct fs_flusher *flusher = NULL;
    struct fs_workers *workers = NULL;
    struct fs_eject *eject = NULL;
    bool gone = false;
    int err = 0;

    if (!session->context.read_only) {
        err = fs_flusher_start(&session->context, &flusher);
    }
    if (!err) {
        err = fs_seeker_start(session->context.volume, session->fuse,
                              &session->context.seeker);
    }
    if (!err) {
        err =
            fs_workers_start(session->fuse, session->context.volume, &workers);
    }
    if (!err && session->disc) {
        err = fs_eject_start(session->disc, session->source, take_news, session,
                             &eject);
    }
    if (!err) {
        gone = wait_for_end(session, workers);
    }
    int failure = fs_workers_stop(workers);

    err = err ? err : failure;
    fs_seeker_stop(session->context.seeker);
    fs_flusher_stop(flusher);
    fs_eject_stop(eject);
    fs_workers_free(workers);
    if (gone) {
        end_connection(session);
    }
    /* Closes the connection; detaches the mount if it is still there. */
    fuse_session_unmount(session->fuse);
    failure = atomic_load(&session->context.lost);
    return failure ? failure : err;
}

bool fs_session_wants_eject(const struct fs_session *session) {
    return atomic_load(&session->wants_eject);
}

void fs_session_leave(struct fs_session *session) {
    uint64_t one = 1;
    ssize_t written;

    do {
        written = write(session->leave_fd, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
}

void fs_session_close(struct fs_session *session) {
    if (!session) {
        return;
    }
    if (session->fuse) {
        fuse_session_unmount(session->fuse);
        fuse_session_destroy(session->fuse);
    }
    if (session->signal_fd >= 0) {
        drain(session->signal_fd);
        close(session->signal_fd);
    }
    if (session->leave_fd >= 0) {
        close(session->leave_fd);
    }
    pthread_sigmask(SIG_SETMASK, &session->old_signals, NULL);
    free(session->mountpoint);
    free(session->source);
    free(session);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/vdrive_server.c - one loop over the kernel's ring, the control socket
 * and signals. Plugging and unplugging need the loop to go on (mmc/tcmu.h,
 * invariant 1), so they run in a thread of their own, the mover:
 *
 *   PLUGGING --------> PLUGGED ----------> UNPLUGGING --------> end
 *       |  mover done     |  SIGTERM, "detach",   mover done     ^
 *       |                 |  the drive is gone                   |
 *       +-- mover failed -+--------------------------------------+
 */
#include "cli/vdrive_server.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/daemon.h"
#include "cli/vdrive_control.h"
#include "mmc/log.h"
#include "mmc/tcmu.h"
#include "mmc/transport.h"
#include "mmc/transport_pace.h"
#include "mmc/transport_trace.h"
#include "mmc/vdrive.h"

enum server_state { PLUGGING, PLUGGED, UNPLUGGING };

struct server {
    const struct cli_vdrive_options *options;
    struct cli_daemon daemon;
    struct mmc_transport *drive; /* the virtual drive itself */
    struct mmc_transport *outer; /* its last wrapper, which owns it */
    struct mmc_tcmu *tcmu;
    enum server_state state;
    int control_fd, signal_fd;
    int waiting_fd; /* who asked for "detach", or -1 */
    bool told;      /* to end */
    bool broken;    /* the ring cannot be served any more */

    /* The mover's: set before it tells `moved_fd`, read after. */
    pthread_t mover;
    bool moving; /* there is a thread to join */
    int moved_fd;
    int move_error;
    struct mmc_tcmu_nodes nodes;
};

/* ---- The mover ---------------------------------------------------------- */

static void tell_moved(struct server *server) {
    static const uint64_t one = 1;
    ssize_t written = write(server->moved_fd, &one, sizeof(one));

    (void)written; /* an eventfd takes a 1 */
}

static void *plug(void *context) {
    struct server *server = context;

    server->move_error = mmc_tcmu_plug(server->tcmu, &server->nodes);
    tell_moved(server);
    return NULL;
}

static void *unplug(void *context) {
    struct server *server = context;

    server->move_error = mmc_tcmu_unplug(server->options->name);
    tell_moved(server);
    return NULL;
}

static int start_mover(struct server *server, void *(*move)(void *),
                       enum server_state state) {
    int error = pthread_create(&server->mover, NULL, move, server);

    if (error) {
        cli_error(NULL, "cannot start a thread: %s", strerror(error));
        return -error;
    }
    server->moving = true;
    server->state = state;
    return 0;
}

static int join_mover(struct server *server) {
    uint64_t count;
    ssize_t got = read(server->moved_fd, &count, sizeof(count));

    (void)got;
    pthread_join(server->mover, NULL);
    server->moving = false;
    return server->move_error;
}

/* ---- What the other commands ask ---------------------------------------- */

static json_t *describe(struct server *server) {
    static const char *const states[] = {"attaching", "attached", "detaching"};
    const struct cli_vdrive_options *options = server->options;
    bool plugged = server->state == PLUGGED;
    struct mmc_vdrive_stats stats;

    mmc_vdrive_get_stats(server->drive, &stats);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:b, s:I, s:I}", "name",
        options->name, "image", options->image, "state", states[server->state],
        "block", plugged ? server->nodes.block : "", "generic",
        plugged ? server->nodes.generic : "", "pid", (int)getpid(), "pace",
        (int)options->pace, "real_time", options->real_time, "tray_open",
        mmc_vdrive_tray_open(server->drive), "commands",
        (json_int_t)stats.commands, "packets_written",
        (json_int_t)stats.packets_written);
}

/* A hand at the drive. The drive's clock must be right before: a disc that is
 * loaded now starts to spin now. */
static bool touch_drive(struct server *server, const char *word) {
    static const struct {
        const char *word;
        void (*touch)(struct mmc_transport *);
    } hands[] = {
        {"press", mmc_vdrive_press_button},
        {"pull", mmc_vdrive_pull},
        {"load", mmc_vdrive_load},
    };

    for (size_t i = 0; i < sizeof(hands) / sizeof(hands[0]); i++) {
        if (strcmp(word, hands[i].word) == 0) {
            mmc_transport_pace_catch_up(server->outer);
            hands[i].touch(server->drive);
            return true;
        }
    }
    return false;
}

static void send_json(int fd, json_t *reply) {
    char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;

    if (text) {
        (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
    }
    free(text);
    json_decref(reply);
}

static void begin_to_end(struct server *server) {
    server->told = true;
    /* PLUGGING: the loop looks again when that is over. */
    if (server->state == PLUGGED) {
        (void)start_mover(server, unplug, UNPLUGGING);
    }
}

static void serve_control(struct server *server) {
    char word[32];
    int fd;

    if (cli_vdrive_accept(server->control_fd, &fd, word, sizeof(word)) != 0) {
        return;
    }
    if (strcmp(word, "detach") == 0) {
        begin_to_end(server);
    }
    if (strcmp(word, "detach") == 0 && server->waiting_fd < 0) {
        server->waiting_fd = fd;
        send_json(fd, describe(server));
        return;
    }
    if (strcmp(word, "status") == 0 || touch_drive(server, word)) {
        send_json(fd, describe(server));
    }
    close(fd);
}

/* ---- The loop. Once it greeted, only the log reaches anybody. ------------ */

static const char *node_of(const struct server *server) {
    return server->nodes.block[0] ? server->nodes.block : server->nodes.generic;
}

/* Reports an attached drive and lets the command end. */
static void greet(struct server *server) {
    if (!server->nodes.block[0]) {
        cli_notice("the kernel has no /dev/srN for it; try: modprobe sr_mod");
    }
    printf("/dev/%s\n", node_of(server));
    fflush(stdout);
    cli_daemon_ready(&server->daemon, server->options->verbose);
}

static enum cli_exit fail_plug(int error) {
    const char *module = mmc_tcmu_missing_module();
    char advice[64];

    snprintf(advice, sizeof(advice), "modprobe -a %s", module ? module : "");
    cli_error(module ? advice : "dmesg tells what the kernel did not like",
              "the kernel did not take the drive: %s", strerror(-error));
    return CLI_EXIT_FAILED;
}

/* The mover has done its work. Returns whether the loop goes on. */
static bool moved(struct server *server, enum cli_exit *out_code) {
    int error = join_mover(server);

    if (server->state == PLUGGING && !error && node_of(server)[0]) {
        server->state = PLUGGED;
        greet(server);
        return true;
    }
    if (server->state == PLUGGING && !error) {
        /* It is on its bus, but no program could reach it. */
        *out_code = fail_plug(-ENXIO);
        return start_mover(server, unplug, UNPLUGGING) == 0;
    }
    if (server->state == PLUGGING) {
        *out_code = fail_plug(error);
    } else if (error) {
        mmc_log(MMC_LOG_ERROR, "the kernel does not let go of the drive: %s",
                strerror(-error));
        *out_code = CLI_EXIT_FAILED;
    }
    return false;
}

/* The kernel rang. A broken ring is left alone: reading it would never end. */
static void serve_kernel(struct server *server, enum cli_exit *out_code) {
    int error = mmc_tcmu_serve(server->tcmu);

    if (error == -ENODEV && server->state == PLUGGED) {
        mmc_log(MMC_LOG_NOTICE, "%s: the drive is gone", server->options->name);
        begin_to_end(server);
    } else if (error && error != -ENODEV) {
        server->broken = true;
        *out_code = CLI_EXIT_FAILED;
        begin_to_end(server);
    }
}

static bool take_signal(int fd) {
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

static enum cli_exit loop(struct server *server) {
    enum { KERNEL, MOVER, CONTROL, SIGNALS, FDS };
    struct pollfd fds[FDS] = {
        [KERNEL] = {.fd = mmc_tcmu_fd(server->tcmu), .events = POLLIN},
        [MOVER] = {.fd = server->moved_fd, .events = POLLIN},
        [CONTROL] = {.fd = server->control_fd, .events = POLLIN},
        [SIGNALS] = {.fd = server->signal_fd, .events = POLLIN},
    };
    enum cli_exit code = CLI_EXIT_OK;
    bool on = true;

    while (on) {
        if (poll(fds, FDS, -1) < 0 && errno != EINTR) {
            return CLI_EXIT_FAILED;
        }
        if (fds[KERNEL].revents) {
            serve_kernel(server, &code);
            fds[KERNEL].fd = server->broken ? -1 : fds[KERNEL].fd;
        }
        if (fds[MOVER].revents) {
            on = moved(server, &code);
        }
        if (on && fds[CONTROL].revents) {
            serve_control(server);
        }
        if (fds[SIGNALS].revents && take_signal(server->signal_fd)) {
            server->told = true;
        }
        if (on && server->told) {
            begin_to_end(server);
        }
    }
    return code;
}

/* ---- Setting up --------------------------------------------------------- */

/* Opens the drive and what is around it. */
static enum cli_exit open_drive(struct server *server) {
    const struct cli_vdrive_options *options = server->options;
    struct mmc_transport *traced;
    int error =
        mmc_vdrive_open(options->image, !options->read_only, &server->drive);

    if (error) {
        return cli_fail(CLI_STAGE_OPEN, options->image, error, NULL);
    }
    server->outer = server->drive;
    if (options->trace_path) {
        error = mmc_transport_trace_open(server->outer, options->trace_path,
                                         &traced);
        if (error) {
            cli_error(NULL, "%s: %s", options->trace_path, strerror(-error));
            return CLI_EXIT_FAILED;
        }
        server->outer = traced;
    }
    error = mmc_transport_pace_open(server->outer, options->pace,
                                    options->real_time, &server->outer);
    return error ? cli_fail(CLI_STAGE_OPEN, options->image, error, NULL)
                 : CLI_EXIT_OK;
}

static enum cli_exit fail_open(const char *name, int error) {
    const char *module = mmc_tcmu_missing_module();
    char advice[64] = "mount -t configfs none /sys/kernel/config";

    if (module) {
        snprintf(advice, sizeof(advice), "modprobe -a %s", module);
    }
    switch (-error) {
    case ENOSYS:
        cli_error(advice,
                  "this kernel cannot attach a drive now: %s%s is missing",
                  module ? "its module " : "",
                  module ? module : "/sys/kernel/config/target");
        return CLI_EXIT_FAILED;
    case EEXIST:
        cli_error("give the drive another --name",
                  "%s: a device of this name exists", name);
        return CLI_EXIT_BUSY;
    case EACCES:
    case EPERM:
        cli_error("become root", "the kernel allows this to root only");
        return CLI_EXIT_PERMISSION;
    default:
        cli_error("dmesg tells what the kernel did not like",
                  "%s: making the device: %s", name, strerror(-error));
        return CLI_EXIT_FAILED;
    }
}

static enum cli_exit open_fds(struct server *server) {
    sigset_t signals;
    int error;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    server->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    server->moved_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->signal_fd < 0 || server->moved_fd < 0) {
        cli_error(NULL, "cannot wait for events: %s", strerror(errno));
        return CLI_EXIT_FAILED;
    }
    error = cli_vdrive_listen(server->options->name, &server->control_fd);
    if (error) {
        cli_error(NULL, "cannot make a socket in /run/udfpkt-vdrive: %s",
                  strerror(-error));
        return CLI_EXIT_FAILED;
    }
    return CLI_EXIT_OK;
}

static enum cli_exit set_up(struct server *server) {
    enum cli_exit code = open_drive(server);
    int error;

    if (code != CLI_EXIT_OK) {
        return code;
    }
    error = mmc_tcmu_open(server->options->name, server->outer, &server->tcmu);
    if (error) {
        return fail_open(server->options->name, error);
    }
    code = open_fds(server);
    if (code == CLI_EXIT_OK && start_mover(server, plug, PLUGGING) != 0) {
        code = CLI_EXIT_FAILED;
    }
    return code;
}

static void close_fd(int fd) {
    if (fd >= 0) {
        close(fd);
    }
}

static void tear_down(struct server *server) {
    mmc_tcmu_close(server->tcmu);
    mmc_transport_close(server->outer);
    if (server->control_fd >= 0) {
        cli_vdrive_unlisten(server->options->name, server->control_fd);
    }
    close_fd(server->signal_fd);
    close_fd(server->moved_fd);
    /* Last: who waits for it may attach the drive again at once. */
    close_fd(server->waiting_fd);
}

enum cli_exit cli_vdrive_serve(const struct cli_vdrive_options *options) {
    struct server server = {.options = options,
                            .daemon = {.report_fd = -1},
                            .control_fd = -1,
                            .signal_fd = -1,
                            .waiting_fd = -1,
                            .moved_fd = -1};
    enum cli_exit code = CLI_EXIT_OK;

    if (!options->foreground) {
        code = cli_daemon_start(&server.daemon);
        if (code != CLI_EXIT_OK || server.daemon.parent) {
            return code;
        }
    }
    code = set_up(&server);
    if (code == CLI_EXIT_OK) {
        code = loop(&server);
    }
    tear_down(&server);
    cli_daemon_failed(&server.daemon, code);
    return code;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "mmc/log.h"

static void log_to_syslog(void *context, enum mmc_log_level level,
                          const char *line) {
    static const int priorities[] = {
        [MMC_LOG_ERROR] = LOG_ERR,     [MMC_LOG_WARN] = LOG_WARNING,
        [MMC_LOG_NOTICE] = LOG_NOTICE, [MMC_LOG_INFO] = LOG_INFO,
        [MMC_LOG_DEBUG] = LOG_DEBUG,
    };

    (void)context;
    syslog(priorities[level], "%s", line);
}

/* The parent: the child's report, or what its end without one means. */
static enum cli_exit wait_for_report(int fd, pid_t child) {
    unsigned char code;
    ssize_t got;
    int status;

    do {
        got = read(fd, &code, 1);
    } while (got < 0 && errno == EINTR);
    close(fd);
    if (got == 1) {
        return (enum cli_exit)code;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    cli_error("repeat the command with -v",
              "the process in the background has ended: %s",
              WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                  : "it gave no reason");
    return CLI_EXIT_FAILED;
}

enum cli_exit cli_daemon_start(struct cli_daemon *daemon) {
    int fds[2];

    *daemon = (struct cli_daemon){.report_fd = -1};
    if (pipe2(fds, O_CLOEXEC) != 0) {
        cli_error(NULL, "cannot make a pipe: %s", strerror(errno));
        return CLI_EXIT_FAILED;
    }
    pid_t child = fork();

    if (child == 0) {
        close(fds[0]);
        daemon->report_fd = fds[1];
        return CLI_EXIT_OK;
    }
    daemon->parent = true;
    close(fds[1]);
    if (child < 0) {
        cli_error(NULL, "cannot start a process: %s", strerror(errno));
        close(fds[0]);
        return CLI_EXIT_FAILED;
    }
    return wait_for_report(fds[0], child);
}

static void report(struct cli_daemon *daemon, enum cli_exit code) {
    unsigned char byte = (unsigned char)code;
    ssize_t written;

    do {
        written = write(daemon->report_fd, &byte, 1);
    } while (written < 0 && errno == EINTR);
    close(daemon->report_fd);
    daemon->report_fd = -1;
}

void cli_daemon_ready(struct cli_daemon *daemon, unsigned verbose) {
    static const enum mmc_log_level levels[] = {MMC_LOG_NOTICE, MMC_LOG_INFO,
                                                MMC_LOG_DEBUG};

    if (daemon->report_fd < 0) {
        return;
    }
    openlog(cli_program(), LOG_PID, LOG_DAEMON);
    mmc_log_set_sink(log_to_syslog, NULL, levels[verbose > 2 ? 2 : verbose]);
    setsid();
    /* A working directory on another file system would keep it busy. */
    int moved = chdir("/");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)moved;
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(null);
    }
    report(daemon, CLI_EXIT_OK);
}

void cli_daemon_failed(struct cli_daemon *daemon, enum cli_exit code) {
    if (daemon->report_fd >= 0) {
        report(daemon, code);
    }
}

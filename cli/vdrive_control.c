/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/vdrive_control.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER "/run/udfpkt-vdrive"

/* A client that says nothing must not keep the drive waiting. */
enum { WORD_WAIT_US = 500000 };

static struct sockaddr_un address_of(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), FOLDER "/%.64s", name);
    return address;
}

static int new_socket(int flags) {
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

    return fd < 0 ? -errno : fd;
}

int cli_vdrive_listen(const char *name, int *out_fd) {
    struct sockaddr_un address = address_of(name);
    int fd;

    if (mkdir(FOLDER, 0700) < 0 && errno != EEXIST) {
        return -errno;
    }
    fd = new_socket(SOCK_NONBLOCK);
    if (fd < 0) {
        return fd;
    }
    (void)unlink(address.sun_path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, 8) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    *out_fd = fd;
    return 0;
}

void cli_vdrive_unlisten(const char *name, int fd) {
    cli_vdrive_forget(name);
    close(fd);
}

void cli_vdrive_forget(const char *name) {
    struct sockaddr_un address = address_of(name);

    (void)unlink(address.sun_path);
    (void)rmdir(FOLDER);
}

int cli_vdrive_accept(int fd, int *out_connection, char *word,
                      size_t word_bytes) {
    struct timeval wait = {.tv_usec = WORD_WAIT_US};
    int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    ssize_t len;

    if (connection < 0) {
        return -EAGAIN;
    }
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    len = recv(connection, word, word_bytes - 1, 0);
    if (len <= 0) {
        close(connection);
        return -EAGAIN;
    }
    word[len] = '\0';
    *out_connection = connection;
    return 0;
}

/* Sends the word and takes the reply. */
static int converse(int fd, const char *name, const char *word, bool to_the_end,
                    char *reply) {
    struct sockaddr_un address = address_of(name);
    ssize_t len;
    char more;

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        send(fd, word, strlen(word), MSG_NOSIGNAL) < 0) {
        return -errno;
    }
    len = recv(fd, reply, CLI_VDRIVE_REPLY_BYTES - 1, 0);
    if (len < 0) {
        return -errno;
    }
    if (len == 0) {
        return -ECONNREFUSED; /* it ended before it could answer */
    }
    reply[len] = '\0';
    while (to_the_end && recv(fd, &more, 1, 0) > 0) {
    }
    return 0;
}

int cli_vdrive_ask(const char *name, const char *word, bool to_the_end,
                   char reply[CLI_VDRIVE_REPLY_BYTES]) {
    int fd = new_socket(0);
    int error;

    if (fd < 0) {
        return fd;
    }
    error = converse(fd, name, word, to_the_end, reply);
    close(fd);
    return error;
}

int cli_vdrive_each(cli_vdrive_visit *visit, void *context) {
    DIR *folder = opendir(FOLDER);
    bool on = true;

    if (!folder) {
        return errno == ENOENT ? 0 : -errno;
    }
    for (struct dirent *entry = readdir(folder); entry && on;
         entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            on = visit(context, entry->d_name);
        }
    }
    closedir(folder);
    return 0;
}

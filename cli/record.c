/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/record.c - records are "NAME=value" texts with a NUL behind each: paths
 * may hold any other byte. state and result come first and have a fixed width:
 * a change rewrites a few bytes in place and readers never see half of it.
 *
 * Directories that other users own are read (by root, to find their mounts)
 * but not believed: no links are followed, only regular files are opened,
 * every length is checked, and their own user's or root's record goes first.
 */
#include "cli/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/mounts.h"

enum {
    TEXT_BYTES = 2 * PATH_MAX + 128,
    NAME_BYTES = 32,
    FOLDER_BYTES = PATH_MAX,
    POLL_MS = 50,
    NOTICE_AFTER_MS = 1000,
    KEEP_SECONDS = 3600 /* results that nobody asked for */
};

static const char suffix[] = ".mount";

struct cli_record {
    int fd;
    struct cli_record_content content;
};

/* Two devices never share a record by accident: 64 bits of FNV-1a. */
static void record_name(const char *device, char name[NAME_BYTES]) {
    uint64_t hash = 0xcbf29ce484222325u;

    for (const char *byte = device; *byte; byte++) {
        hash = (hash ^ (uint8_t)*byte) * 0x100000001b3u;
    }
    snprintf(name, NAME_BYTES, "%016" PRIx64 "%s", hash, suffix);
}

/* The i-th place for this user's records, best first. Returns false when
 * there are no more. */
static bool own_folder(unsigned i, char folder[FOLDER_BYTES]) {
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    unsigned uid = geteuid();

    switch (i) {
    case 0:
        if (uid == 0) {
            snprintf(folder, FOLDER_BYTES, "/run/udfpkt");
        } else {
            snprintf(folder, FOLDER_BYTES, "%s/udfpkt",
                     runtime && runtime[0] == '/' ? runtime : "/nonexistent");
        }
        return true;
    case 1:
        snprintf(folder, FOLDER_BYTES, "/run/user/%u/udfpkt", uid);
        return true;
    case 2:
        snprintf(folder, FOLDER_BYTES, "/tmp/udfpkt-%u", uid);
        return true;
    default:
        return false;
    }
}

/* Opens a directory of records, and makes it first if `make`. It must be this
 * user's, or root's for reading, and nobody else's to write to. */
static int open_folder(const char *folder, bool make, int *out_fd) {
    struct stat stat_buf;

    /* Root's records may be read by all: another user who finds the drive
     * busy is told why. */
    if (make && mkdir(folder, geteuid() == 0 ? 0755 : 0700) != 0 &&
        errno != EEXIST) {
        return -errno;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    bool ours = fstat(fd, &stat_buf) == 0 && (stat_buf.st_mode & 022) == 0 &&
                (stat_buf.st_uid == geteuid() || !make);

    if (!ours) {
        close(fd);
        return -EPERM;
    }
    *out_fd = fd;
    return 0;
}

static size_t write_text(const struct cli_record_content *content,
                         char text[TEXT_BYTES]) {
    int used =
        snprintf(text, TEXT_BYTES,
                 "state=%d%cresult=%-6d%cpid=%ld%cdevice=%s%c"
                 "mountpoint=%s%cend=1",
                 (int)content->state, 0, content->result, 0, (long)content->pid,
                 0, content->device, 0, content->mountpoint, 0);

    return (size_t)used;
}

/* The value of `name` in `text`, NULL when it is not there. `text` ends with
 * a NUL. */
static const char *find_value(const char *text, size_t bytes,
                              const char *name) {
    size_t length = strlen(name);

    for (const char *entry = text; entry < text + bytes;
         entry += strlen(entry) + 1) {
        if (strncmp(entry, name, length) == 0 && entry[length] == '=') {
            return entry + length + 1;
        }
    }
    return NULL;
}

static bool read_number(const char *value, long min, long max, long *out) {
    char *end;

    if (!value) {
        return false;
    }
    errno = 0;
    long number = strtol(value, &end, 10);

    if (end == value || errno || number < min || number > max) {
        return false;
    }
    *out = number;
    return true;
}

static bool read_path(const char *value, char path[PATH_MAX]) {
    return value && value[0] == '/' &&
           snprintf(path, PATH_MAX, "%s", value) < PATH_MAX;
}

static int read_text(int fd, struct cli_record_content *out) {
    char text[TEXT_BYTES + 1];
    ssize_t got = pread(fd, text, TEXT_BYTES, 0);
    size_t bytes = got > 0 ? (size_t)got : 0;
    long state, result, pid;

    text[bytes] = '\0';
    if (!find_value(text, bytes, "end") ||
        !read_number(find_value(text, bytes, "state"), CLI_RECORD_MOUNTED,
                     CLI_RECORD_CLOSED, &state) ||
        !read_number(find_value(text, bytes, "result"), -4095, 0, &result) ||
        !read_number(find_value(text, bytes, "pid"), 1, INT_MAX, &pid) ||
        !read_path(find_value(text, bytes, "device"), out->device) ||
        !read_path(find_value(text, bytes, "mountpoint"), out->mountpoint)) {
        return -EINVAL;
    }
    out->state = (enum cli_record_state)state;
    out->result = (int)result;
    out->pid = (pid_t)pid;
    return 0;
}

/* A reader's lock is refused exactly as long as the daemon lives. */
static bool is_locked(int fd) {
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        flock(fd, LOCK_UN);
        return false;
    }
    return errno == EWOULDBLOCK;
}

static int open_view(int folder, const char *name,
                     struct cli_record_view *out) {
    struct stat stat_buf;
    int fd =
        openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &stat_buf) != 0 || !S_ISREG(stat_buf.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    /* First the lock, then the content: who is dead changes it no more. */
    out->live = is_locked(fd);
    int err = read_text(fd, &out->content);

    if (err) {
        close(fd);
        return err;
    }
    out->fd = fd;
    return 0;
}

static bool is_record(const char *name) {
    size_t length = strlen(name);

    return length > sizeof suffix &&
           strcmp(name + length - (sizeof suffix - 1), suffix) == 0;
}

/* Results are kept for who asks after the daemon's end; nobody asks after an
 * hour for a good one. */
static void sweep(int folder) {
    int copy = dup(folder);
    DIR *files = copy < 0 ? NULL : fdopendir(copy);
    time_t now = time(NULL);

    if (!files) {
        return;
    }
    for (struct dirent *file = readdir(files); file; file = readdir(files)) {
        struct cli_record_view view;
        struct stat stat_buf;

        if (!is_record(file->d_name) ||
            open_view(folder, file->d_name, &view) != 0) {
            continue;
        }
        if (!view.live && view.content.state == CLI_RECORD_CLOSED &&
            view.content.result == 0 && fstat(view.fd, &stat_buf) == 0 &&
            now - stat_buf.st_mtime > KEEP_SECONDS) {
            unlinkat(folder, file->d_name, 0);
        }
        close(view.fd);
    }
    closedir(files);
}

/* Writes a locked file under a name of its own and only then moves it to its
 * place: whoever has the old file open (or a lock on it) keeps that one. */
static int place_record(int folder, struct cli_record *record) {
    char name[NAME_BYTES];
    char fresh[NAME_BYTES + 16];
    char text[TEXT_BYTES];
    size_t bytes = write_text(&record->content, text);

    record_name(record->content.device, name);
    snprintf(fresh, sizeof fresh, "new-%ld", (long)getpid());
    unlinkat(folder, fresh, 0);
    record->fd =
        openat(folder, fresh,
               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (record->fd < 0) {
        return -errno;
    }
    if (flock(record->fd, LOCK_EX | LOCK_NB) != 0 ||
        pwrite(record->fd, text, bytes, 0) != (ssize_t)bytes ||
        renameat(folder, fresh, folder, name) != 0) {
        int err = errno ? -errno : -EIO;

        unlinkat(folder, fresh, 0);
        return err;
    }
    return 0;
}

static int make_in_some_folder(struct cli_record *record) {
    char folder[FOLDER_BYTES];
    int err = -ENOENT;

    for (unsigned i = 0; err && own_folder(i, folder); i++) {
        int fd;

        err = open_folder(folder, true, &fd);
        if (!err) {
            sweep(fd);
            err = place_record(fd, record);
            close(fd);
        }
    }
    return err;
}

int cli_record_create(const struct cli_record_content *content,
                      struct cli_record **out_record) {
    struct cli_record *record = malloc(sizeof *record);

    if (!record) {
        return -ENOMEM;
    }
    record->fd = -1;
    record->content = *content;
    int err = make_in_some_folder(record);

    if (err) {
        cli_record_close(record);
        return err;
    }
    *out_record = record;
    return 0;
}

void cli_record_set(struct cli_record *record, enum cli_record_state state,
                    int result) {
    char text[TEXT_BYTES];

    if (!record) {
        return;
    }
    record->content.state = state;
    record->content.result = result;
    size_t bytes = write_text(&record->content, text);

    if (pwrite(record->fd, text, bytes, 0) != (ssize_t)bytes) {
        cli_notice("%s: the record of the mount cannot be written: %s",
                   record->content.device, strerror(errno));
    }
}

void cli_record_close(struct cli_record *record) {
    if (!record) {
        return;
    }
    if (record->fd >= 0) {
        close(record->fd);
    }
    free(record);
}

/* What cli_record_find() is after, and the best so far. */
struct search {
    const char *path;
    bool found;
    struct timespec changed;
    struct cli_record_view best;
};

static bool is_better(const struct search *search,
                      const struct cli_record_view *view,
                      const struct timespec *changed) {
    if (!search->found || view->live != search->best.live) {
        return !search->found || view->live;
    }
    if (view->live) {
        return false; /* the folder that is looked at first wins */
    }
    return changed->tv_sec > search->changed.tv_sec ||
           (changed->tv_sec == search->changed.tv_sec &&
            changed->tv_nsec > search->changed.tv_nsec);
}

static void consider(struct search *search, int folder, const char *name) {
    struct cli_record_view view;
    struct stat stat_buf;

    if (open_view(folder, name, &view) != 0) {
        return;
    }
    bool matches = strcmp(view.content.device, search->path) == 0 ||
                   strcmp(view.content.mountpoint, search->path) == 0;

    if (!matches || fstat(view.fd, &stat_buf) != 0 ||
        !is_better(search, &view, &stat_buf.st_mtim)) {
        close(view.fd);
        return;
    }
    if (search->found) {
        close(search->best.fd);
    }
    search->found = true;
    search->changed = stat_buf.st_mtim;
    search->best = view;
}

static void search_folder(struct search *search, const char *folder) {
    int fd;

    if (open_folder(folder, false, &fd) != 0) {
        return;
    }
    DIR *files = fdopendir(fd);

    if (!files) {
        close(fd);
        return;
    }
    for (struct dirent *file = readdir(files); file; file = readdir(files)) {
        if (is_record(file->d_name)) {
            consider(search, fd, file->d_name);
        }
    }
    closedir(files);
}

/* Root may ask for the mounts of all users. */
static void search_other_users(struct search *search) {
    static const char *const patterns[] = {"/run/user/*/udfpkt",
                                           "/tmp/udfpkt-*"};

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        glob_t folders;

        if (glob(patterns[i], GLOB_NOSORT, NULL, &folders) != 0) {
            continue;
        }
        for (size_t k = 0; k < folders.gl_pathc; k++) {
            search_folder(search, folders.gl_pathv[k]);
        }
        globfree(&folders);
    }
}

int cli_record_find(const char *path, struct cli_record_view *out_view) {
    char real[PATH_MAX];
    char folder[FOLDER_BYTES];
    struct search search = {.path = real};

    if (cli_real_path(path, real) != 0) {
        return -ENOENT;
    }
    for (unsigned i = 0; own_folder(i, folder); i++) {
        search_folder(&search, folder);
    }
    if (geteuid() != 0) {
        search_folder(&search, "/run/udfpkt");
    } else {
        search_other_users(&search);
    }
    if (!search.found) {
        return -ENOENT;
    }
    *out_view = search.best;
    return 0;
}

void cli_record_refresh(struct cli_record_view *view) {
    view->live = is_locked(view->fd);
    (void)read_text(view->fd, &view->content);
}

bool cli_record_is_closing(struct cli_record_view *view) {
    cli_record_refresh(view);
    if (!view->live || view->content.state != CLI_RECORD_MOUNTED) {
        return view->live;
    }
    /* Between the kernel's unmount and the daemon's notice of it. */
    return cli_is_mounted(view->content.pid, view->content.mountpoint,
                          view->content.device) == 0;
}

static void show_waiting(const struct cli_record_view *view, unsigned ms) {
    bool terminal = isatty(STDERR_FILENO) == 1;

    if (ms == NOTICE_AFTER_MS && !terminal) {
        cli_notice("%s: waiting until everything is written and the disc is "
                   "closed",
                   view->content.device);
    } else if (terminal && ms >= NOTICE_AFTER_MS && ms % 1000 == 0) {
        fprintf(stderr, "\r\033[K%s: %s: writing and closing the disc, %u s",
                cli_program(), view->content.device, ms / 1000);
    }
}

int cli_record_wait(struct cli_record_view *view) {
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    unsigned waited_ms = 0;

    while (is_locked(view->fd) && !cli_interrupted()) {
        show_waiting(view, waited_ms);
        nanosleep(&pause, NULL);
        waited_ms += POLL_MS;
    }
    if (waited_ms > NOTICE_AFTER_MS && isatty(STDERR_FILENO) == 1) {
        fputc('\n', stderr);
    }
    cli_record_refresh(view);
    return view->live ? -EINTR : 0;
}

void cli_record_release(struct cli_record_view *view) {
    close(view->fd);
    view->fd = -1;
}

bool cli_record_wait_closing(const char *device) {
    struct cli_record_view view;
    bool waited = false;

    if (cli_record_find(device, &view) != 0) {
        return false;
    }
    if (cli_record_is_closing(&view)) {
        waited = cli_record_wait(&view) == 0;
    }
    cli_record_release(&view);
    return waited;
}

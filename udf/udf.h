/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * udf/udf.h - the public face of udf/: a volume, opened on a block device,
 * and whole operations on it. FUSE (fs/), the commands (cli/) and the tests
 * use this header and nothing else of the folder, but for udf/format.h and
 * udf/check.h.
 *
 * Objects are named by `ino`, a 64-bit number made of the address of the
 * object's file entry: 1 is the root, and a number stays with its object as
 * long as the object has a name or a reference. Together with `generation`
 * (from the UniqueID) it is unique for the life of the volume.
 *
 * References: udf_lookup(), udf_create() and the like return an object with
 * one reference more; udf_forget() gives references back. An object without
 * names keeps its content until its last reference is gone.
 *
 * Locks: every function takes the volume's lock itself and is safe from any
 * thread. No function holds it while it waits for the drive.
 *
 * Errors are negative errno. Common to all: -EIO (unreadable), -EUCLEAN (the
 * structure on the disc is broken), -EROFS (volume or medium read-only, or
 * frozen after a write error), -ENOSPC, -ENOMEM, -ENODEV, -ENOMEDIUM.
 */
#ifndef UDF_UDF_H
#define UDF_UDF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "udf/wear.h"

struct blockdev;
struct udf_volume;

enum { UDF_ROOT_INO = 1, UDF_NAME_BYTES_MAX = 1024 };

struct udf_mount_options {
    bool read_only;
    bool no_journal;      /* commit without one: what points to something is
                             written after it, and a power cut costs packets */
    uint64_t dirty_bytes; /* data waiting for an address; 0 = 32 MiB */
    uint32_t commit_ms;   /* longest a change waits in memory; 0 = 15 s */
    uid_t uid; /* shown where the disc says "not set", and with uid_all ... */
    gid_t gid;
    bool uid_all, gid_all; /* ... for every object; then nobody may chown */
    bool uid_forget, gid_forget; /* written as "not set", chown is accepted */
    mode_t umask;                /* taken from every mode that is shown */
    /* Shown for every file and directory, with the type bits; 0 = the disc's */
    mode_t file_mode, dir_mode;
};

struct udf_stat {
    uint64_t ino;
    uint64_t generation;
    mode_t mode; /* type and permissions */
    uint32_t nlink;
    uid_t uid;
    gid_t gid;
    dev_t rdev;
    uint64_t size;   /* bytes */
    uint64_t blocks; /* of 512 bytes, taken or reserved */
    struct timespec atime, mtime, ctime, btime;
};

struct udf_statfs {
    uint64_t blocks, free_blocks; /* of 2048 bytes */
    uint64_t files;               /* file and directory names */
    uint32_t name_max;            /* bytes, of UTF-8 */
};

/* What a volume is, for udfpkt-info and messages. */
struct udf_info {
    char label[384];         /* logical volume identifier, UTF-8 */
    char volume_set_id[384]; /* UTF-8 */
    uint16_t revision;       /* BCD: 0201h */
    uint16_t min_read, min_write, max_write;
    bool clean; /* LVID says CLOSE */
    bool writable;
    const char *read_only_reason; /* NULL when writable */
    char partition_kind[16];      /* "type 1", "sparable", ... */
    uint32_t partition_lba, partition_blocks, free_blocks;
    uint32_t files, directories;
    /* packets of the sparing table: in all, in place of bad packets, and
     * bad themselves */
    uint32_t spares, spares_used, spares_bad;
    uint32_t withdrawn_packets; /* bad, and not replaced but left alone */
    uint32_t journal_lba, journal_packets; /* 0 = none reserved */
    uint32_t journal_blocks; /* that the journal holds and are not at home */
    uint32_t ledger_lba, ledger_packets; /* of the wear ledger; 0 = none */
};

struct udf_name { /* not NUL-terminated by need */
    const char *text;
    uint32_t len;
};

/* Who asks: owner of what is created. */
struct udf_cred {
    uid_t uid;
    gid_t gid;
};

/* Mounts the volume on `dev`; writes nothing. A dirty (OPEN) volume is shown as
 * its journal says; without one its counts are rebuilt. Returns 0; -EMEDIUMTYPE
 * when there is no UDF; -EOPNOTSUPP for valid UDF that is not done here; -EROFS
 * when !read_only was asked for and only reading is possible: see
 * udf_get_info() for the reason; -EUCLEAN. */
int udf_mount(struct blockdev *dev, const struct udf_mount_options *options,
              struct udf_volume **out_volume);

/* Commits, closes the LVID and frees the volume, also on error; NULL is
 * accepted. Returns 0 or the first error since the last successful commit. */
int udf_unmount(struct udf_volume *volume);

/* Reads the wear ledger (udf/wear.h) of the volume on `dev`, mounted or not;
 * for udf_wear_free(). Returns 0; -ENOENT when there is none, as on media that
 * do not wear and in images of discs, or none that can be read; errors of
 * udf_mount(). */
int udf_read_wear(struct blockdev *dev, struct udf_wear *out_wear);

void udf_get_info(struct udf_volume *volume, struct udf_info *out_info);
void udf_get_statfs(struct udf_volume *volume, struct udf_statfs *out_statfs);

/* Makes everything that was changed before the call durable. Concurrent
 * callers share one commit. */
int udf_commit(struct udf_volume *volume);

/* One turn of background work: waits until there is something to do (data
 * over half of its budget, changes older than commit_ms, udf_wake()), at most
 * `timeout_ms`, and does it. For one thread of the caller's. */
int udf_background(struct udf_volume *volume, uint32_t timeout_ms);
void udf_wake(struct udf_volume *volume);

/* `note` is called with `context` by a thread that carries out an operation,
 * before it waits for the device or for a commit; it must not wait itself.
 * Often nothing comes of the waiting, and it may be called more than once.
 * NULL: nobody asks. Not while operations are under way. */
typedef void udf_wait_note(void *context);
void udf_on_wait(struct udf_volume *volume, udf_wait_note *note, void *context);

/* From now on every change gets -EROFS; what was accepted is kept. */
void udf_freeze(struct udf_volume *volume);

/* The drive holds a disc again, or answers again. When it is the one with this
 * volume, as this mount left it, everything that was kept in memory is written,
 * and changes are accepted again. Returns 0; -ENOMEDIUM when there is no disc,
 * or another; -ENODEV; -EIO; then everything stays as it is. */
int udf_revive(struct udf_volume *volume);

/* Finds `name` in directory `parent`; "." and ".." too. Adds a reference.
 * Returns 0; -ENOENT; -ENOTDIR; -ENAMETOOLONG. */
int udf_lookup(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name, struct udf_stat *out_stat);

/* Gives back `count` references. */
void udf_forget(struct udf_volume *volume, uint64_t ino, uint64_t count);

int udf_getattr(struct udf_volume *volume, uint64_t ino,
                struct udf_stat *out_stat);

enum {
    UDF_SET_MODE = 1u << 0,
    UDF_SET_UID = 1u << 1,
    UDF_SET_GID = 1u << 2,
    UDF_SET_SIZE = 1u << 3,
    UDF_SET_ATIME = 1u << 4,
    UDF_SET_MTIME = 1u << 5,
    UDF_SET_CTIME = 1u << 6,
    UDF_SET_BTIME = 1u << 7
};

/* Sets what `which` names from `stat`; ctime becomes now unless set. Returns
 * 0; -EFBIG; -EISDIR for the size of a directory; -EPERM for the file of
 * Non-Allocatable Space. */
int udf_setattr(struct udf_volume *volume, uint64_t ino,
                const struct udf_stat *stat, unsigned which,
                struct udf_stat *out_stat);

/* What udf_create() makes. */
struct udf_make {
    mode_t mode;        /* type and permissions */
    mode_t umask;       /* taken from it unless a default list rules */
    dev_t rdev;         /* for devices */
    const char *target; /* for symbolic links, NUL-terminated UTF-8 */
};

/* Creates a file, directory, symbolic link or special file. Adds a
 * reference. Returns 0; -EEXIST; -ENOTDIR; -ENOENT when the parent was
 * removed; -ENAMETOOLONG; -EILSEQ when the name is not UTF-8. */
int udf_create(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name, const struct udf_make *make,
               const struct udf_cred *cred, struct udf_stat *out_stat);

/* Hard link. Adds a reference to `ino`. Returns 0; -EPERM for directories;
 * -EMLINK; and as udf_create(). */
int udf_link(struct udf_volume *volume, uint64_t ino, uint64_t parent,
             const struct udf_name *name, struct udf_stat *out_stat);

int udf_unlink(struct udf_volume *volume, uint64_t parent,
               const struct udf_name *name);

/* Returns 0; -ENOTEMPTY; -ENOTDIR; -ENOENT. */
int udf_rmdir(struct udf_volume *volume, uint64_t parent,
              const struct udf_name *name);

/* One end of a rename. */
struct udf_place {
    uint64_t dir;
    struct udf_name name;
};

/* renameat2(2): `flags` is 0, RENAME_NOREPLACE or RENAME_EXCHANGE. Returns 0;
 * -EINVAL when a directory would move below itself, or for other flags. */
int udf_rename(struct udf_volume *volume, const struct udf_place *from,
               const struct udf_place *to, unsigned flags);

/* Reads the target into `buf`, NUL-terminated. Returns 0; -EINVAL when it is
 * no symbolic link; -ENAMETOOLONG when it does not fit. */
int udf_readlink(struct udf_volume *volume, uint64_t ino, char *buf,
                 uint32_t buf_bytes);

/* Reads at most `count` bytes at `offset`; *out_count is short only at the
 * end of the file. */
int udf_read(struct udf_volume *volume, uint64_t ino, uint64_t offset,
             uint32_t count, void *buf, uint32_t *out_count);

/* Writes `count` bytes at `offset` into memory. Waits while too much waits to
 * be written. Space for it is reserved. Returns 0; -ENOSPC; -EFBIG. */
int udf_write(struct udf_volume *volume, uint64_t ino, uint64_t offset,
              uint32_t count, const void *buf);

enum udf_range_change {
    UDF_RANGE_ALLOCATE, /* what has no place gets one; content stays */
    UDF_RANGE_ZERO,     /* becomes zeros, and has its place */
    UDF_RANGE_PUNCH     /* becomes zeros, and gives its place back */
};

struct udf_range {
    enum udf_range_change change;
    bool keep_size; /* else the file grows to the range's end; not for PUNCH */
    uint64_t offset, count; /* bytes, count >= 1 */
};

/* fallocate(2) for regular files. What was allocated cannot meet -ENOSPC when
 * it is written; behind the end of the file that lasts until the object loses
 * its last reference or the volume is unmounted. Returns 0; -EFBIG; -ENOSPC;
 * -EINVAL for other objects; -EOPNOTSUPP for PUNCH without keep_size. */
int udf_change_range(struct udf_volume *volume, uint64_t ino,
                     const struct udf_range *range);

enum udf_seek { UDF_SEEK_DATA, UDF_SEEK_HOLE };

/* lseek(2): the first offset at or behind `offset` that is, or is not, in a
 * hole; the end of the file is one. What is allocated and not recorded is a
 * hole too. Returns 0; -ENXIO at or behind the end of the file, or when only
 * a hole is left for UDF_SEEK_DATA; -EISDIR. */
int udf_seek(struct udf_volume *volume, uint64_t ino, uint64_t offset,
             enum udf_seek what, uint64_t *out_offset);

/* One end of a copy. */
struct udf_position {
    uint64_t ino;
    uint64_t offset; /* bytes */
};

/* Copies at most `count` bytes; *out_count can be less, as with
 * copy_file_range(2): at the end of the source, and because no caller should
 * wait for too much at once. Ranges of one file must not overlap. Returns 0 or
 * an error of udf_read() and udf_write() when nothing was copied. */
int udf_copy(struct udf_volume *volume, const struct udf_position *from,
             const struct udf_position *to, uint64_t count,
             uint32_t *out_count);

/* One directory entry as udf_readdir() shows it. */
struct udf_dirent {
    struct udf_name name;
    uint64_t cookie;      /* where the next call goes on */
    struct udf_stat stat; /* all of it with `plus`, else ino and type */
};

/* Gets one entry; returns true to go on, false when there was no room for it
 * (it then comes again with the next call). Called under the volume lock: it
 * must call nothing of udf/. */
typedef bool udf_dirent_sink(void *context, const struct udf_dirent *entry);

/* Hands the entries of `ino` behind `cookie` (0 = all) to `sink`, "." and ".."
 * first. Cookies stay valid while the directory changes. With `plus` every
 * entry but "." and ".." that the sink took has one reference more. */
int udf_readdir(struct udf_volume *volume, uint64_t ino, uint64_t cookie,
                bool plus, udf_dirent_sink *sink, void *context);

/* ---- extended attributes, xattr(7) ---------------------------------------
 *
 * user.*, trusted.*, security.* and the POSIX ACLs (system.posix_acl_*) are
 * kept as named streams, in volumes of UDF 2.00 and above; streams that others
 * made are shown as user.*. "user.udf.btime" is the creation time of every
 * object, as seconds since 1970 with a fraction; it is not listed. Who may do
 * what is the caller's to decide. */

enum { UDF_XATTR_BYTES_MAX = 65536 };

/* Gives the value; with room 0 only its length. Returns 0; -ENODATA; -ERANGE
 * when it is longer than `room`; -E2BIG for a stream that is longer than any
 * attribute can be; -EOPNOTSUPP for another namespace. */
int udf_getxattr(struct udf_volume *volume, uint64_t ino, const char *name,
                 void *buf, uint32_t room, uint32_t *out_bytes);

/* Gets one name, NUL-terminated. Called under the volume lock. */
typedef void udf_xattr_sink(void *context, const char *name);

/* Hands the names of all attributes of `ino` to `sink`. */
int udf_listxattr(struct udf_volume *volume, uint64_t ino, udf_xattr_sink *sink,
                  void *context);

struct udf_xattr {
    const void *bytes;
    uint32_t count;
    int flags; /* 0, XATTR_CREATE or XATTR_REPLACE */
};

/* Sets a value. Returns 0; -EEXIST; -ENODATA; -E2BIG; -ERANGE for a name that
 * is too long; -EOPNOTSUPP, also below UDF 2.00; -EINVAL and -EILSEQ for a name
 * that no stream can have. */
int udf_setxattr(struct udf_volume *volume, uint64_t ino, const char *name,
                 const struct udf_xattr *value);

/* Returns 0; -ENODATA; -EPERM for user.udf.btime. */
int udf_removexattr(struct udf_volume *volume, uint64_t ino, const char *name);

#endif

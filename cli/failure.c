/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/failure.c - from an error of a library to words, advice and exit code.
 *
 * An errno alone says little: -EINVAL of a damaged sidecar and of an unknown
 * UDF revision have nothing in common. So there is one table over (stage,
 * errno), and one over errno for what can come anywhere.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/mounts.h"
#include "mmc/disc.h"

enum { ANY_STAGE = -1, ADVICE_BYTES = PATH_MAX + 128 };

struct failure {
    int stage; /* enum cli_stage or ANY_STAGE */
    int err;   /* positive errno */
    enum cli_exit code;
    const char *why;
    const char *advice; /* NULL = none */
    bool names_path;    /* the path stands behind the advice */
};

/* The first row that fits is taken: particular stages come first. */
static const struct failure failures[] = {
    {CLI_STAGE_CREATE, EEXIST, CLI_EXIT_USAGE, "the file exists already",
     "give another name, or format what is there: udfpkt-format ", true},
    {CLI_STAGE_CREATE, EINVAL, CLI_EXIT_USAGE,
     "there is no virtual drive for this medium",
     "udfpkt-format --help lists the media", false},
    {CLI_STAGE_CREATE, ERANGE, CLI_EXIT_USAGE,
     "the medium does not come in this size",
     "leave --size out for the medium's usual size", false},
    {CLI_STAGE_CREATE, ENOENT, CLI_EXIT_NO_DEVICE,
     "the directory for it does not exist", "create the directory first",
     false},
    {CLI_STAGE_OPEN, ENOENT, CLI_EXIT_NO_DEVICE, "no such device or file",
     "ls -l /dev/sr* shows the optical drives of this machine", false},
    {CLI_STAGE_OPEN, ENXIO, CLI_EXIT_NO_DEVICE,
     "this is no optical drive, and no image of a disc",
     "give the drive (/dev/sr0), or the file of a virtual drive", false},
    {CLI_STAGE_OPEN, ENODEV, CLI_EXIT_NO_DEVICE, "the drive does not answer",
     "check its cable and power, and repeat the command", false},
    {CLI_STAGE_OPEN, EINVAL, CLI_EXIT_DAMAGED,
     "the virtual drive is damaged: the image and the file beside it "
     "(.udfpkt) do not make sense",
     "restore both from a copy; without the second it is a plain image", false},
    {CLI_STAGE_OPEN, EISDIR, CLI_EXIT_NO_DEVICE, "this is a directory",
     "give the drive (/dev/sr0), or the file of a virtual drive", false},
    {CLI_STAGE_PREPARE, EMEDIUMTYPE, CLI_EXIT_MEDIUM,
     "this medium cannot be formatted for rewriting",
     "insert a rewritable disc", false},
    {CLI_STAGE_PREPARE, EINVAL, CLI_EXIT_USAGE,
     "the drive cannot do that with this medium",
     "leave --spare, --size and --grow out for what suits the medium", false},
    {CLI_STAGE_GROW, EINVAL, CLI_EXIT_MEDIUM,
     "the volume was made by another program and cannot be made larger",
     "copy its files, and format it anew", false},
    {CLI_STAGE_GROW, EBUSY, CLI_EXIT_DAMAGED,
     "the volume was left open and cannot be closed",
     "-v shows why; what can be read can be copied to another disc", false},
    {CLI_STAGE_GROW, ENOSPC, CLI_EXIT_NO_SPACE,
     "too little would be added to the volume", "give a larger --size", false},
    {CLI_STAGE_PREPARE, EINTR, CLI_EXIT_INTERRUPTED,
     "interrupted while the disc was being formatted; it cannot be used yet",
     "format it again: udfpkt-format ", true},
    {CLI_STAGE_PREPARE, EIO, CLI_EXIT_FAILED,
     "the drive failed to format the disc",
     "clean the disc, or use another one; -v shows what the drive said", false},
    {CLI_STAGE_PREPARE, EPROTO, CLI_EXIT_MEDIUM,
     "the drive formatted the disc, but says that it is not in fixed packets, "
     "so that overwriting them is not safe",
     "use another drive; this one can only read such discs", false},
    {CLI_STAGE_FORMAT, EINVAL, CLI_EXIT_USAGE,
     "this UDF revision, partition map or number of metadata copies is not "
     "possible on this medium",
     "leave --udf, --map and --metadata-copies out for what suits the medium",
     false},
    {CLI_STAGE_FORMAT, EILSEQ, CLI_EXIT_USAGE, "the label is not UTF-8",
     "use another --label", false},
    {CLI_STAGE_FORMAT, ENAMETOOLONG, CLI_EXIT_USAGE, "the label is too long",
     "use at most 126 characters, or 63 outside Latin-1", false},
    {CLI_STAGE_FORMAT, ENOSPC, CLI_EXIT_NO_SPACE,
     "the medium is too small for a UDF volume", "use a larger --size", false},
    {CLI_STAGE_VERIFY, EUCLEAN, CLI_EXIT_DAMAGED,
     "what was written does not read back as it was written",
     "clean the disc and format it again with --full, or use another one",
     false},
    {CLI_STAGE_VOLUME, EMEDIUMTYPE, CLI_EXIT_NOT_UDF,
     "there is no UDF file system on it",
     "make one, which erases it: udfpkt-format --force ", true},
    {CLI_STAGE_VOLUME, EOPNOTSUPP, CLI_EXIT_NOT_UDF,
     "this kind of UDF volume is not supported yet", "-v shows what is missing",
     false},
    {CLI_STAGE_VOLUME, EROFS, CLI_EXIT_READ_ONLY, "the volume can only be read",
     "mount it with -o ro", false},
    {CLI_STAGE_CLOSE, EIO, CLI_EXIT_FAILED,
     "not everything could be written; the volume is not closed",
     "copy what is readable to another disc", false},
    {CLI_STAGE_CLOSE, ENODEV, CLI_EXIT_NO_DEVICE,
     "the drive went away while the disc was mounted; what was not yet "
     "written is lost, and the volume may not be closed",
     "mount the disc again, which repairs what it can", false},
    {CLI_STAGE_CLOSE, ENOMEDIUM, CLI_EXIT_NO_MEDIUM,
     "the disc was taken out while it was mounted; what was not yet written "
     "is lost, and the volume may not be closed",
     "mount the disc again, which repairs what it can", false},
    {ANY_STAGE, EACCES, CLI_EXIT_PERMISSION, "permission denied",
     "ask for read and write access to it (for drives: the group cdrom)",
     false},
    {ANY_STAGE, EPERM, CLI_EXIT_PERMISSION, "operation not permitted",
     "ask for read and write access to it (for drives: the group cdrom)",
     false},
    {ANY_STAGE, EBUSY, CLI_EXIT_BUSY, "in use by another process",
     "unmount it first (udfpkt-umount), or end that process", false},
    {ANY_STAGE, ENOMEDIUM, CLI_EXIT_NO_MEDIUM, "there is no disc in the drive",
     "insert a disc and close the tray", false},
    {ANY_STAGE, EMEDIUMTYPE, CLI_EXIT_MEDIUM, "this disc is not fit for that",
     "udfpkt-info ", true},
    {ANY_STAGE, EROFS, CLI_EXIT_READ_ONLY, "the medium cannot be written",
     "insert a rewritable disc that is not write-protected", false},
    {ANY_STAGE, EUCLEAN, CLI_EXIT_DAMAGED, "the UDF volume on it is damaged",
     "-v shows what is wrong; udfpkt-format makes a new, empty volume", false},
    {ANY_STAGE, ENOSPC, CLI_EXIT_NO_SPACE, "no space left", "delete something",
     false},
    {ANY_STAGE, ENOMEM, CLI_EXIT_NO_SPACE, "out of memory",
     "end other programs", false},
    {ANY_STAGE, EINTR, CLI_EXIT_INTERRUPTED, "interrupted", NULL, false},
    {ANY_STAGE, EIO, CLI_EXIT_FAILED, "input/output error",
     "clean the disc and repeat the command; -v shows what the drive said",
     false},
    {ANY_STAGE, ENODEV, CLI_EXIT_NO_DEVICE, "the drive has gone",
     "check its cable and power, and repeat the command", false},
};

/* What a medium's state means for who wanted to use it; the drive's own
 * reason, where there is one, stands behind `why`. */
struct unfit {
    enum cli_exit code;
    const char *why;
    const char *advice;
    bool names_path;
};

static const struct unfit unfits[] = {
    [MMC_DISC_ABSENT] = {CLI_EXIT_NO_MEDIUM, "there is no disc in the drive",
                         "insert a disc and close the tray", false},
    [MMC_DISC_BLANK] = {CLI_EXIT_MEDIUM, "the disc is blank",
                        "format it first: udfpkt-format ", true},
    [MMC_DISC_UNFORMATTED] = {CLI_EXIT_MEDIUM,
                              "the disc is not formatted for packet writing",
                              "format it, which erases it: "
                              "udfpkt-format --force ",
                              true},
    [MMC_DISC_READY] = {CLI_EXIT_MEDIUM, "the disc cannot be used",
                        "udfpkt-info ", true},
    [MMC_DISC_READ_ONLY] = {CLI_EXIT_READ_ONLY, "the disc can only be read",
                            "insert a rewritable disc that is not "
                            "write-protected",
                            false},
    [MMC_DISC_UNUSABLE] = {CLI_EXIT_MEDIUM, "the drive cannot use this disc",
                           "insert another disc", false},
};

static const struct unfit locked_file = {
    CLI_EXIT_READ_ONLY, "the file can only be read",
    "copy it to where you may write, with the .udfpkt file beside it if there "
    "is one",
    false};

/* `advice`, with `path` behind it if that is asked for. */
static const char *advice_text(const char *advice, const char *path,
                               bool names_path, char *text) {
    if (!advice || !names_path) {
        return advice;
    }
    snprintf(text, ADVICE_BYTES, "%s%s", advice, path);
    return text;
}

/* What is read-only may be the file, and not what it stands for. */
static bool is_locked_file(const char *path) {
    struct stat stat_of;

    return stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode) &&
           access(path, W_OK) != 0;
}

enum cli_exit cli_fail_medium(const char *path,
                              const struct mmc_disc_info *info) {
    const struct unfit *unfit = &unfits[info->state];

    if (info->state == MMC_DISC_READ_ONLY && is_locked_file(path)) {
        unfit = &locked_file;
    }
    bool reason = unfit != &locked_file && info->reason && info->reason[0];
    char text[ADVICE_BYTES];

    cli_error(advice_text(unfit->advice, path, unfit->names_path, text),
              "%s: %s%s%s%s", path, unfit->why, reason ? " (" : "",
              reason ? info->reason : "", reason ? ")" : "");
    return unfit->code;
}

static const struct failure *find_failure(enum cli_stage stage, int err) {
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        bool fits =
            failures[i].stage == ANY_STAGE || failures[i].stage == (int)stage;

        if (fits && failures[i].err == err) {
            return &failures[i];
        }
    }
    return NULL;
}

/* Whether the state of the medium says more than the errno. */
static bool medium_explains(enum cli_stage stage, int err,
                            const struct mmc_disc_info *info) {
    if (!info || (stage != CLI_STAGE_ATTACH && stage != CLI_STAGE_PREPARE)) {
        return false;
    }
    switch (err) {
    case ENOMEDIUM:
        return info->state == MMC_DISC_ABSENT;
    case EROFS:
        return info->state == MMC_DISC_READ_ONLY ||
               info->state == MMC_DISC_UNFORMATTED;
    case EMEDIUMTYPE:
        return stage == CLI_STAGE_ATTACH || info->state == MMC_DISC_UNUSABLE;
    default:
        return false;
    }
}

/* Names the mount, which no process holds, or the process that holds `path`,
 * where /proc shows it. */
static enum cli_exit fail_busy(const struct failure *failure,
                               const char *path) {
    char holder[96];
    char mountpoint[PATH_MAX];
    char advice[PATH_MAX + 16];

    if (cli_find_mount_of(path, mountpoint)) {
        snprintf(advice, sizeof advice, "umount %s", mountpoint);
        cli_error(advice, "%s: mounted at %s", path, mountpoint);
    } else if (cli_find_holder(path, holder, sizeof holder)) {
        cli_error(failure->advice, "%s: in use by %s", path, holder);
    } else {
        cli_error(failure->advice, "%s: %s", path, failure->why);
    }
    return failure->code;
}

/* -EINVAL at opening is a damaged sidecar; where there is none, the file
 * itself is the matter. */
static bool has_sidecar(const char *path) {
    char sidecar[PATH_MAX + 16];

    snprintf(sidecar, sizeof sidecar, "%s.udfpkt", path);
    return access(sidecar, F_OK) == 0;
}

enum cli_exit cli_fail(enum cli_stage stage, const char *path, int err,
                       const struct mmc_disc_info *info) {
    char text[ADVICE_BYTES];
    int number = err < 0 ? -err : err;
    const struct failure *failure = find_failure(stage, number);

    if (medium_explains(stage, number, info)) {
        return cli_fail_medium(path, info);
    }
    if (stage == CLI_STAGE_OPEN && number == EINVAL && !has_sidecar(path)) {
        failure = find_failure(stage, ENXIO);
    }
    if (!failure) {
        cli_error(NULL, "%s: %s", path, strerror(number));
        return CLI_EXIT_FAILED;
    }
    if (number == EBUSY) {
        return fail_busy(failure, path);
    }
    cli_error(advice_text(failure->advice, path, failure->names_path, text),
              "%s: %s", path, failure->why);
    return failure->code;
}

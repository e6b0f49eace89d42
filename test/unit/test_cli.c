/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the commands share: sizes, messages with their exit codes, progress.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/mounts.h"
#include "cli/progress.h"
#include "mmc/disc.h"

/* Catches what is written to stderr between begin and end. */
struct capture {
    int saved;
    FILE *file;
    char text[4096];
};

static void capture_begin(struct capture *capture) {
    fflush(stderr);
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->saved = dup(STDERR_FILENO);
    dup2(fileno(capture->file), STDERR_FILENO);
}

static void capture_end(struct capture *capture) {
    fflush(stderr);
    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    rewind(capture->file);
    size_t count =
        fread(capture->text, 1, sizeof capture->text - 1, capture->file);

    capture->text[count] = '\0';
    fclose(capture->file);
}

static size_t count_lines(const char *text) {
    size_t lines = 0;

    for (; *text; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void test_cli_parse_size_takes_units(void **state) {
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {
        {"0", 0},
        {"1", 1},
        {"4096 bytes", 4096},
        {"700M", 700000000},
        {"700MB", 700000000},
        {"700m", 700000000},
        {"700MiB", 734003200},
        {"4.7G", 4700000000},
        {"1Ti", 1099511627776},
        {"3k", 3000},
        {"2 Ki", 2048},
        {"100b", 204800},
        {"295264blocks", 604700672},
        {"25 blocks", 51200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t bytes = 42;

        assert_int_equal(cli_parse_size(sizes[i].text, &bytes), 0);
        assert_int_equal(bytes, sizes[i].bytes);
    }
}

static void test_cli_parse_size_refuses_nonsense(void **state) {
    static const char *const wrong[] = {
        "",   "M",   "-1",   "+1",     " 1",  "0x10", "inf",      "nan",
        "1Q", "1MM", "1Mi5", "700MBx", "1 2", "1,5G", "12parsecs"};
    uint64_t bytes = 42;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(cli_parse_size(wrong[i], &bytes), -EINVAL);
    }
    assert_int_equal(cli_parse_size("1e30", &bytes), -ERANGE);
    assert_int_equal(cli_parse_size("9999999999T", &bytes), -ERANGE);
    assert_int_equal(bytes, 42);
}

static void test_cli_size_text_rounds_to_units(void **state) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {0, "0 bytes"},
        {999, "999 bytes"},
        {1000, "1.0 kB"},
        {604700672, "604.7 MB"},
        {999949999, "999.9 MB"},
        {999950000, "1.0 GB"},
        {UINT64_MAX, "18446.7 PB"},
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_string_equal(cli_size_text(sizes[i].bytes, text, sizeof text),
                            sizes[i].text);
    }
}

/* The same errno means different things at different steps. */
static void test_cli_fail_gives_code_and_advice(void **state) {
    static const struct {
        enum cli_stage stage;
        int err;
        enum cli_exit code;
        const char *word;
    } cases[] = {
        {CLI_STAGE_CREATE, -EINVAL, CLI_EXIT_USAGE, "virtual drive"},
        {CLI_STAGE_CREATE, -ERANGE, CLI_EXIT_USAGE, "size"},
        {CLI_STAGE_OPEN, -ENOENT, CLI_EXIT_NO_DEVICE, "no such device"},
        {CLI_STAGE_OPEN, -ENXIO, CLI_EXIT_NO_DEVICE, "optical drive"},
        {CLI_STAGE_OPEN, -EACCES, CLI_EXIT_PERMISSION, "permission"},
        {CLI_STAGE_OPEN, -EBUSY, CLI_EXIT_BUSY, "in use"},
        {CLI_STAGE_ATTACH, -ENOMEDIUM, CLI_EXIT_NO_MEDIUM, "no disc"},
        {CLI_STAGE_PREPARE, -EROFS, CLI_EXIT_READ_ONLY, "cannot be written"},
        {CLI_STAGE_PREPARE, -EINTR, CLI_EXIT_INTERRUPTED, "interrupted"},
        {CLI_STAGE_FORMAT, -EINVAL, CLI_EXIT_USAGE, "revision"},
        {CLI_STAGE_FORMAT, -ENOSPC, CLI_EXIT_NO_SPACE, "too small"},
        {CLI_STAGE_VERIFY, -EUCLEAN, CLI_EXIT_DAMAGED, "read back"},
        {CLI_STAGE_VOLUME, -EMEDIUMTYPE, CLI_EXIT_NOT_UDF, "no UDF"},
        {CLI_STAGE_VOLUME, -EUCLEAN, CLI_EXIT_DAMAGED, "damaged"},
        {CLI_STAGE_CLOSE, -EIO, CLI_EXIT_FAILED, "written"},
    };
    struct capture capture;

    (void)state;
    cli_start("prog");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        capture_begin(&capture);
        enum cli_exit code =
            cli_fail(cases[i].stage, "/no/disc", cases[i].err, NULL);

        capture_end(&capture);
        assert_int_equal(code, cases[i].code);
        assert_ptr_equal(strstr(capture.text, "prog: /no/disc: "),
                         capture.text);
        assert_non_null(strstr(capture.text, cases[i].word));
        assert_non_null(strstr(capture.text, "\n  try: "));
        assert_int_equal(count_lines(capture.text), 2);
    }
}

/* An errno that no table knows still ends in a message and a failure. */
static void test_cli_fail_knows_every_errno(void **state) {
    struct capture capture;

    (void)state;
    for (int err = 1; err < 134; err++) {
        capture_begin(&capture);
        enum cli_exit code = cli_fail(CLI_STAGE_CLOSE, "disc", -err, NULL);

        capture_end(&capture);
        assert_int_not_equal(code, CLI_EXIT_OK);
        assert_non_null(strstr(capture.text, "disc: "));
    }
}

static void test_cli_fail_medium_gives_the_reason(void **state) {
    static const enum cli_exit codes[] = {
        [MMC_DISC_ABSENT] = CLI_EXIT_NO_MEDIUM,
        [MMC_DISC_BLANK] = CLI_EXIT_MEDIUM,
        [MMC_DISC_UNFORMATTED] = CLI_EXIT_MEDIUM,
        [MMC_DISC_READY] = CLI_EXIT_MEDIUM,
        [MMC_DISC_READ_ONLY] = CLI_EXIT_READ_ONLY,
        [MMC_DISC_UNUSABLE] = CLI_EXIT_MEDIUM,
    };
    struct capture capture;

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct mmc_disc_info info = {.state = (enum mmc_disc_state)i,
                                     .reason = "the moon is full"};

        capture_begin(&capture);
        enum cli_exit code = cli_fail(CLI_STAGE_ATTACH, "disc",
                                      i == MMC_DISC_ABSENT      ? -ENOMEDIUM
                                      : i == MMC_DISC_READ_ONLY ? -EROFS
                                                                : -EMEDIUMTYPE,
                                      &info);

        capture_end(&capture);
        assert_int_equal(code, codes[i]);
        assert_non_null(strstr(capture.text, "the moon is full"));
    }
}

static void test_cli_find_holder_names_the_process(void **state) {
    char path[] = "/tmp/udfpkt-test.XXXXXX";
    char holder[96] = "nobody";
    int to_parent[2];
    int to_child[2];
    char byte = 'x';
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(pipe(to_parent), 0);
    assert_int_equal(pipe(to_child), 0);
    assert_false(cli_find_holder(path, holder, sizeof holder));
    assert_string_equal(holder, "nobody");

    pid_t child = fork();

    if (child == 0) {
        close(to_child[1]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        _exit(fd < 0 || write(to_parent[1], &byte, 1) != 1 ||
              read(to_child[0], &byte, 1) < 0);
    }
    assert_int_equal(read(to_parent[0], &byte, 1), 1);
    bool found = cli_find_holder(path, holder, sizeof holder);
    char expected[32];

    snprintf(expected, sizeof expected, "process %ld (", (long)child);
    close(to_child[0]);
    close(to_child[1]);
    waitpid(child, NULL, 0);
    close(to_parent[0]);
    close(to_parent[1]);
    unlink(path);
    assert_true(found);
    assert_ptr_equal(strstr(holder, expected), holder);
}

/* The first file system on a block device that this machine has mounted. */
static bool first_mount(char device[PATH_MAX]) {
    FILE *mounts = fopen("/proc/self/mounts", "re");
    struct stat status;
    char line[2 * PATH_MAX];
    bool found = false;

    assert_non_null(mounts);
    while (!found && fgets(line, sizeof line, mounts)) {
        line[strcspn(line, " ")] = '\0';
        found = line[0] == '/' && strlen(line) < PATH_MAX &&
                stat(line, &status) == 0 && S_ISBLK(status.st_mode);
    }
    fclose(mounts);
    if (found) {
        strcpy(device, line);
    }
    return found;
}

static void test_cli_find_mount_of_a_device(void **state) {
    char device[PATH_MAX];
    char mountpoint[PATH_MAX] = "nowhere";
    struct stat of_device, of_mount;

    (void)state;
    assert_false(cli_find_mount_of("/dev/null", mountpoint));
    assert_false(cli_find_mount_of("/proc/self/mounts", mountpoint));
    assert_false(cli_find_mount_of("/nonexistent", mountpoint));
    assert_string_equal(mountpoint, "nowhere");
    if (!first_mount(device)) {
        skip();
    }
    assert_true(cli_find_mount_of(device, mountpoint));
    assert_int_equal(stat(device, &of_device), 0);
    assert_int_equal(stat(mountpoint, &of_mount), 0);
    assert_int_equal(of_mount.st_dev, of_device.st_rdev);
}

/* Not a terminal: a line when a step begins, one when it ends, and not one
 * for each call. */
static void test_progress_lines_are_few(void **state) {
    struct cli_progress progress;
    struct capture capture;

    (void)state;
    capture_begin(&capture);
    cli_progress_init(&progress);
    for (unsigned permille = 0; permille <= 2000; permille++) {
        cli_progress_show(&progress, "formatting", permille);
    }
    cli_progress_show(&progress, "verifying", 0);
    cli_progress_end(&progress, false);
    capture_end(&capture);
    assert_ptr_equal(strstr(capture.text, "formatting: 0%\n"), capture.text);
    assert_non_null(strstr(capture.text, "formatting: done"));
    assert_non_null(strstr(capture.text, "verifying: 0%\n"));
    assert_null(strstr(capture.text, "verifying: done"));
    assert_in_range(count_lines(capture.text), 3, 6);
    assert_null(strchr(capture.text, '\r'));
    assert_null(strchr(capture.text, '\033'));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_parse_size_takes_units),
        cmocka_unit_test(test_cli_parse_size_refuses_nonsense),
        cmocka_unit_test(test_cli_size_text_rounds_to_units),
        cmocka_unit_test(test_cli_fail_gives_code_and_advice),
        cmocka_unit_test(test_cli_fail_knows_every_errno),
        cmocka_unit_test(test_cli_fail_medium_gives_the_reason),
        cmocka_unit_test(test_cli_find_holder_names_the_process),
        cmocka_unit_test(test_cli_find_mount_of_a_device),
        cmocka_unit_test(test_progress_lines_are_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

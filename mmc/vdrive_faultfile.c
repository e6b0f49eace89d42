/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_faultfile.c - the text file PATH.udfpkt-faults: a fault a line,
 * by the grammar in mmc/vdrive.h. Tests of whole programs write it; a mistake
 * in it must not pass for a drive without faults.
 */
#include "mmc/vdrive_core.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/log.h"

enum { LINE_MAX_BYTES = 256 };
static const char separators[] = " \t\r\n";

/* A word and the number it stands for. */
struct word {
    const char *name;
    int value;
};

static const struct word kinds[] = {
    {"sense", MMC_VDRIVE_SENSE},
    {"write-error", MMC_VDRIVE_WRITE_ERROR},
    {"read-error", MMC_VDRIVE_READ_ERROR},
    {"cut", MMC_VDRIVE_CUT},
    {"not-ready", MMC_VDRIVE_NOT_READY},
    {"long-write", MMC_VDRIVE_LONG_WRITE},
    {"pull", MMC_VDRIVE_PULL},
    {"gone", MMC_VDRIVE_GONE},
    {"button", MMC_VDRIVE_BUTTON},
    {"strict-buffer", MMC_VDRIVE_STRICT_BUFFER},
    {NULL, 0},
};

static const struct word tears[] = {
    {"unreadable", MMC_VDRIVE_TEAR_UNREADABLE},
    {"old", MMC_VDRIVE_TEAR_OLD},
    {"new", MMC_VDRIVE_TEAR_NEW},
    {"half", MMC_VDRIVE_TEAR_HALF},
    {NULL, 0},
};

static const struct word losses[] = {
    {"none", MMC_VDRIVE_LOSE_NONE},
    {"all", MMC_VDRIVE_LOSE_ALL},
    {"some", MMC_VDRIVE_LOSE_SOME},
    {NULL, 0},
};

static bool find_word(const struct word *words, const char *name,
                      int *out_value) {
    for (; words->name; words++) {
        if (strcmp(words->name, name) == 0) {
            *out_value = words->value;
            return true;
        }
    }
    return false;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *out) {
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 0);
    if (*text < '0' || *text > '9' || *end || errno || value > most) {
        return false;
    }
    *out = value;
    return true;
}

/* KEY/ASC/ASCQ in hex. */
static bool parse_sense(const char *text, struct mmc_vdrive_fault *fault) {
    uint8_t *const parts[3] = {&fault->key, &fault->asc, &fault->ascq};

    for (size_t i = 0; i < 3; i++) {
        char *end;
        unsigned long value = strtoul(text, &end, 16);

        if (!isxdigit((unsigned char)*text) || value > 0xFF ||
            *end != (i < 2 ? '/' : 0)) {
            return false;
        }
        *parts[i] = (uint8_t)value;
        text = end + 1;
    }
    return true;
}

/* The fields that are 32-bit numbers, by name. */
static uint32_t *number_field(struct mmc_vdrive_fault *fault,
                              const char *name) {
    const struct {
        const char *name;
        uint32_t *field;
    } fields[] = {
        {"lba", &fault->lba},        {"op", &fault->opcode},
        {"after", &fault->after},    {"times", &fault->times},
        {"ms", &fault->duration_ms}, {"back", &fault->back_after},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return fields[i].field;
        }
    }
    return NULL;
}

/* "NAME=VALUE" or "deferred". */
static bool parse_field(char *text, struct mmc_vdrive_fault *fault) {
    char *value = strchr(text, '=');
    uint32_t *field;
    uint64_t number;
    int word;

    if (!value) {
        fault->deferred = true;
        return strcmp(text, "deferred") == 0;
    }
    *value++ = 0;
    if (strcmp(text, "sense") == 0) {
        return parse_sense(value, fault);
    }
    if (strcmp(text, "tear") == 0 && find_word(tears, value, &word)) {
        fault->cut.tear = (enum mmc_vdrive_tear)word;
        return true;
    }
    if (strcmp(text, "lose") == 0 && find_word(losses, value, &word)) {
        fault->cut.loss = (enum mmc_vdrive_loss)word;
        return true;
    }
    if (strcmp(text, "seed") == 0) {
        return parse_number(value, UINT64_MAX, &fault->cut.seed);
    }
    field = number_field(fault, text);
    if (!field || !parse_number(value, UINT32_MAX, &number)) {
        return false;
    }
    *field = (uint32_t)number;
    return true;
}

/* "quirk NAME": what the drive is like. */
static int parse_quirk(struct vdrive_faults *faults, char **rest) {
    const char *name = strtok_r(NULL, separators, rest);
    enum mmc_vdrive_quirk_kind quirk;

    if (!name || !vdrive_quirk_find(name, &quirk) ||
        strtok_r(NULL, separators, rest)) {
        return -EINVAL;
    }
    faults->quirks |= (uint32_t)1 << quirk;
    return 0;
}

/* One line, without its comment. An empty one adds nothing. */
static int parse_line(struct vdrive_faults *faults, char *line) {
    char *rest, *word = strtok_r(line, separators, &rest);
    struct mmc_vdrive_fault fault;
    int kind;

    if (!word) {
        return 0;
    }
    if (strcmp(word, "quirk") == 0) {
        return parse_quirk(faults, &rest);
    }
    if (!find_word(kinds, word, &kind)) {
        return -EINVAL;
    }
    fault = mmc_vdrive_fault_of((enum mmc_vdrive_fault_kind)kind);
    while ((word = strtok_r(NULL, separators, &rest))) {
        if (!parse_field(word, &fault)) {
            return -EINVAL;
        }
    }
    return vdrive_faults_add(faults, &fault);
}

static int parse_file(struct vdrive_faults *faults, FILE *file) {
    char line[LINE_MAX_BYTES];
    unsigned number = 0;

    while (fgets(line, sizeof(line), file)) {
        /* A line that fills the buffer goes on, so it is too long. */
        bool whole = strlen(line) < sizeof(line) - 1;

        number++;
        line[strcspn(line, "#")] = 0;
        if (!whole || parse_line(faults, line) < 0) {
            mmc_log(MMC_LOG_ERROR,
                    "virtual drive: faults file: line %u is not a fault",
                    number);
            return -EINVAL;
        }
    }
    return ferror(file) ? -EIO : 0;
}

int vdrive_faults_load(struct vdrive_faults *faults, const char *image_path) {
    char *path = vdrive_path(image_path, ".udfpkt-faults");
    FILE *file;
    int error;

    if (!path) {
        return -ENOMEM;
    }
    file = fopen(path, "re");
    error = errno;
    free(path);
    if (!file) {
        return error == ENOENT ? 0 : -error;
    }
    error = parse_file(faults, file);
    fclose(file);
    return error;
}

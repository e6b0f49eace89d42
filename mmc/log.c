/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/log.c - formats a line and hands it on. The state below is set once,
 * before threads start, and only read afterwards: it needs no lock.
 */
#include "mmc/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum { LINE_BYTES = 501 };

static struct {
    mmc_log_sink *sink;
    void *context;
    enum mmc_log_level level;
} the_log;

void mmc_log_set_sink(mmc_log_sink *sink, void *context,
                      enum mmc_log_level level) {
    the_log.sink = sink;
    the_log.context = context;
    the_log.level = level;
}

void mmc_log(enum mmc_log_level level, const char *format, ...) {
    char line[LINE_BYTES];
    va_list args;
    int length;

    if (!the_log.sink || level > the_log.level) {
        return;
    }
    va_start(args, format);
    length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    /* A format that libc cannot carry out is our own bug, but a log line is
     * no reason to stop: the format itself says where it came from. */
    the_log.sink(the_log.context, level, length < 0 ? format : line);
}

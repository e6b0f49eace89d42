/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/log.h - levels and one sink. Libraries report here; only the commands
 * (cli/) decide where the lines go. The sink is the project's only mutable
 * global outside cli/.
 */
#ifndef MMC_LOG_H
#define MMC_LOG_H

enum mmc_log_level {
    MMC_LOG_ERROR,  /* data or a promise is at stake */
    MMC_LOG_WARN,   /* works, but not as it should */
    MMC_LOG_NOTICE, /* what the user should know once */
    MMC_LOG_INFO,   /* --verbose */
    MMC_LOG_DEBUG   /* --verbose --verbose */
};

typedef void mmc_log_sink(void *context, enum mmc_log_level level,
                          const char *line);

/* Sets where lines of `level` and graver ones go; NULL silences the log.
 * Call it before threads start. `line` has no newline at its end. */
void mmc_log_set_sink(mmc_log_sink *sink, void *context,
                      enum mmc_log_level level);

/* Formats and hands one line to the sink. Lines longer than 500 bytes are
 * cut. May be called from any thread. */
void mmc_log(enum mmc_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

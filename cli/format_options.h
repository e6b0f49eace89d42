/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/format_options.h - the command line of udfpkt-format.
 */
#ifndef CLI_FORMAT_OPTIONS_H
#define CLI_FORMAT_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "mmc/disc.h"
#include "udf/format.h"

/* What the user asked for. */
struct cli_format_request {
    const char *media; /* canonical word, NULL = whatever is there */
    uint64_t size_bytes;
    struct udf_format_options udf;
    struct udf_wear wear; /* of the disc so far; count is NULL: not known */
    struct mmc_prepare_options prepare;
    uint32_t speed_tenths; /* 0 = the drive's choice */
    bool no_lead_out;
    bool keep; /* finish or enlarge what is there, lose nothing */
    bool force;
    unsigned verbose;
    const char *trace_path;
    const char *given; /* device on the command line */
    char path[PATH_MAX];
    bool created; /* the file is ours: removed when formatting it fails */
};

/* Reads the command line. *out_done is true when there is nothing more to do
 * (--help, --version). */
enum cli_exit cli_format_options_parse(int argc, char **argv,
                                       struct cli_format_request *request,
                                       bool *out_done);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/transport_trace.h - a transport that wraps another one and writes one
 * line a command:
 *
 *   12.345 2A 00 00 00 00 20 00 00 20 00 out 65536 good 52 ms
 *   12.400 00 00 00 00 00 00 none 0 check 2/04/08 long write in progress 1 ms
 *
 * that is: seconds on the drive's clock, the CDB, direction and bytes moved,
 * status with sense, how long it took. The data itself is not written.
 */
#ifndef MMC_TRANSPORT_TRACE_H
#define MMC_TRANSPORT_TRACE_H

struct mmc_transport;

/* Wraps `inner`, which belongs to the trace from then on, and appends to the
 * file `path`. Returns 0; an error of open(2); -ENOMEM. On failure `inner` is
 * still the caller's. */
int mmc_transport_trace_open(struct mmc_transport *inner, const char *path,
                             struct mmc_transport **out_transport);

#endif

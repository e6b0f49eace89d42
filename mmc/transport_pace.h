/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/transport_pace.h - a transport that ties another one's simulated clock
 * to the real one, for hosts that wait in real time.
 *
 *   loose   commands are answered at once; what passes between them counts
 *           `factor` times as long for the drive
 *   strict  the drive's clock runs `factor` times as fast as the real one, all
 *           the time: a command takes as long as the drive model says
 */
#ifndef MMC_TRANSPORT_PACE_H
#define MMC_TRANSPORT_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct mmc_transport;

/* Wraps `inner`, which belongs to the pace from then on. `factor` is 1..10000.
 * Returns 0 or -ENOMEM; on failure `inner` is still the caller's. */
int mmc_transport_pace_open(struct mmc_transport *inner, uint32_t factor,
                            bool strict, struct mmc_transport **out_transport);

/* Lets the drive's clock catch up with the real one, for who is about to do
 * something to the drive behind the transport. */
void mmc_transport_pace_catch_up(struct mmc_transport *transport);

#endif

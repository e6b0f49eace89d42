/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test/support/fakedrive.h - a transport with a formatted CD-RW of a few
 * packets in memory: small enough that a test can say what every single
 * command must be. Everything that a real drive does beyond that is the
 * virtual drive's (mmc/vdrive).
 *
 * It takes whole aligned packets only, and writes sit in its buffer until
 * SYNCHRONIZE CACHE: a reset loses them.
 */
#ifndef TEST_FAKEDRIVE_H
#define TEST_FAKEDRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/transport.h"

enum {
    FAKE_PACKET = 32, /* blocks */
    FAKE_PACKETS = 256,
    FAKE_BLOCKS = FAKE_PACKET * FAKE_PACKETS,
    FAKE_COMMANDS_MAX = 4096
};

/* One command that the drive got; the first FAKE_COMMANDS_MAX are kept. */
struct fake_command {
    uint8_t opcode;
    uint32_t lba, count; /* of READ and WRITE */
};

/* Sense that answers the next `times` commands `opcode` after `after`. */
struct fake_sense {
    uint8_t opcode;
    unsigned after, times;
    uint8_t key, asc, ascq;
    bool deferred;
};

struct fakedrive {
    struct mmc_transport head;
    uint8_t *medium, *buffer; /* FAKE_BLOCKS blocks each */
    struct fake_command commands[FAKE_COMMANDS_MAX];
    unsigned command_count;
    struct fake_sense sense;
    bool bad_read[FAKE_BLOCKS];
    bool weak[FAKE_BLOCKS]; /* the same, and writing does not mend them */
    bool bad_write[FAKE_PACKETS];
    bool buffered[FAKE_PACKETS]; /* in the buffer, not on the medium */
    unsigned overwrites[FAKE_PACKETS];
    bool gone;
    uint64_t now_ms, slept_ms;
    uint8_t device_type;          /* what INQUIRY says */
    unsigned track_packet_blocks; /* what READ TRACK INFORMATION says */
    uint8_t track_flags;          /* and its byte 6 */
    uint8_t disc_status;          /* byte 2 of READ DISC INFORMATION */
    bool writable;                /* feature 0026h is current */
    uint16_t profile;
    uint8_t page05[52]; /* as last selected */
};

/* Fails the test when there is no memory. Closing the transport does not free
 * it, so that tests can look at it afterwards. */
struct fakedrive *fakedrive_new(uint32_t max_transfer_bytes);
void fakedrive_free(struct fakedrive *fake);

/* Forgets the commands so far. */
void fakedrive_clear(struct fakedrive *fake);
/* How many commands `opcode` came since then, and the i-th of them. */
unsigned fakedrive_count(const struct fakedrive *fake, uint8_t opcode);
struct fake_command fakedrive_nth(const struct fakedrive *fake, uint8_t opcode,
                                  unsigned i);

/* What a reset does to the buffer. */
void fakedrive_lose_buffer(struct fakedrive *fake);

#endif

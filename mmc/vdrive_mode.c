/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mmc/vdrive_mode.c - mode pages (SPC-3 7.4, MMC-5 7). Pages 01h, 05h and 08h
 * can be changed, and with CD-MRW the page of the LBA space, 03h (2Ch in
 * prototypes); page 2Ah only tells, and is made when it is asked for.
 *
 * Page 05h as it is after power on is what drives have there: track at once,
 * for a disc that is burnt once. Packets are written only after the host has
 * said so, anew after each reset, format and change of medium.
 */
#include "mmc/vdrive_core.h"

#include <scsi/sg_unaligned.h>
#include <string.h>

#include "mmc/cdb.h"

/* A page that can be changed: its bytes by default, and the bits that MODE
 * SELECT may change. */
struct page {
    uint8_t code;
    uint8_t len; /* all of it */
    uint8_t defaults[VDRIVE_MODE_PAGE_MAX];
    uint8_t changeable[VDRIVE_MODE_PAGE_MAX];
};

/* Page 05h by byte (MMC-5 table 640). */
enum {
    P5_WRITE_TYPE = 2, /* bits 3-0; bit 4 is test write */
    P5_TRACK_MODE = 3, /* bits 3-0; bit 5 is FP, 7-6 multi-session */
    P5_BLOCK_TYPE = 4,
    P5_SESSION_FORMAT = 8,
    P5_PACKET_SIZE = 10
};
enum {
    TRACK_AT_ONCE = 1,
    TEST_WRITE = 0x10,
    FIXED_PACKET = 0x20,
    MODE_1 = 8,
    MODE_2_FORM_1 = 10
};

static const struct page pages[VDRIVE_MODE_PAGES] = {
    {.code = MMC_MODE_ERROR_RECOVERY,
     .len = 12,
     .defaults = {0x01, 0x0A, 0x80, 0x08, 0, 0, 0, 0, 0x03}, /* AWRE */
     .changeable = {0x01, 0x0A, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF}},
    {.code = MMC_MODE_WRITE_PARAMETERS,
     .len = 52,
     /* Write type TAO, multi-session none, track mode 4 (uninterrupted
      * data), mode 1 blocks, packet size 16, audio pause 2 s. */
     .defaults = {0x05, 0x32, 0x01, 0x04, 0x08, 0, 0, 0, 0x00, 0, 0, 0, 0, 16,
                  0, 0x96},
     .changeable = {0x05, 0x32, 0x7F, 0xFF, 0x0F, 0xFF, 0x3F, 0xFF, 0xFF,
                    0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
    {.code = MMC_MODE_CACHING,
     .len = 12,
     .defaults = {0x08, 0x0A, 0x04}, /* WCE */
     .changeable = {0x08, 0x0A, 0x05}},
    {.code = MMC_MODE_MRW,
     .len = 8,
     .defaults = {0x03, 0x06},
     .changeable = {0x03, 0x06, 0x00, 0x01}},
};

enum { PAGE_01 = 0, PAGE_05 = 1, PAGE_MRW = 3 };
enum { P1_AWRE = 0x80, PMRW_SPACE = 3, PROTOTYPE_MRW_PAGE = 0x2C };
enum { ALL_PAGES = 0x3F, CAPABILITIES_MAX = 32 + 4 * 4 };

static uint8_t page_code(const struct vdrive *drive, size_t i) {
    return i == PAGE_MRW && vdrive_quirk(drive, MMC_VDRIVE_QUIRK_MRW_PAGE_2C)
               ? PROTOTYPE_MRW_PAGE
               : pages[i].code;
}

static bool page_present(const struct vdrive *drive, size_t i) {
    if (i == PAGE_MRW) {
        return drive->medium->family == VDRIVE_FAMILY_MRW;
    }
    return i != PAGE_05 || !vdrive_quirk(drive, MMC_VDRIVE_QUIRK_NO_PAGE_05);
}

void vdrive_modes_reset(struct vdrive *drive) {
    for (size_t i = 0; i < VDRIVE_MODE_PAGES; i++) {
        uint8_t *page = drive->modes.pages[i];

        memcpy(page, pages[i].defaults, VDRIVE_MODE_PAGE_MAX);
        page[0] = page_code(drive, i);
    }
    drive->modes.pages[PAGE_MRW][PMRW_SPACE] =
        vdrive_quirk(drive, MMC_VDRIVE_QUIRK_MRW_GAA);
}

bool vdrive_modes_in_gaa(const struct vdrive *drive) {
    return drive->modes.pages[PAGE_MRW][PMRW_SPACE] & 1;
}

bool vdrive_modes_reallocates(const struct vdrive *drive) {
    return drive->modes.pages[PAGE_01][2] & P1_AWRE;
}

uint8_t vdrive_modes_data_block_type(const struct vdrive_modes *modes) {
    return modes->pages[PAGE_05][P5_BLOCK_TYPE] & 0x0F;
}

enum vdrive_sense vdrive_modes_check_packet(const struct vdrive *drive,
                                            uint8_t data_block_type) {
    const uint8_t *page = drive->modes.pages[PAGE_05];
    uint8_t block_type = vdrive_modes_data_block_type(&drive->modes);
    uint8_t session = block_type == MODE_2_FORM_1 ? 0x20 : 0x00;

    if (!page_present(drive, PAGE_05)) {
        return VDRIVE_GOOD;
    }
    if ((page[P5_WRITE_TYPE] & 0x0F) != 0 || page[P5_WRITE_TYPE] & TEST_WRITE ||
        !(page[P5_TRACK_MODE] & FIXED_PACKET) ||
        (page[P5_TRACK_MODE] & 0x0F) != 5) {
        return VDRIVE_WRONG_TRACK_MODE;
    }
    if ((block_type != MODE_1 && block_type != MODE_2_FORM_1) ||
        (data_block_type && block_type != data_block_type) ||
        page[P5_SESSION_FORMAT] != session) {
        return VDRIVE_WRONG_TRACK_MODE;
    }
    if (sg_get_unaligned_be32(page + P5_PACKET_SIZE) !=
        drive->medium->packet_blocks) {
        return VDRIVE_WRONG_PACKET_SIZE;
    }
    return VDRIVE_GOOD;
}

/* Incremental writing: any link size that there is; a CD is written by track,
 * since its packets would have link blocks between them. A disc that was
 * blanked minimally can only be written at once, which takes more than this
 * drive knows. */
enum vdrive_sense vdrive_modes_check_append(const struct vdrive *drive) {
    const uint8_t *page = drive->modes.pages[PAGE_05];
    uint8_t write_type = vdrive_has(drive, VDRIVE_CD) ? TRACK_AT_ONCE : 0;

    if (drive->files.head->minimal) {
        return VDRIVE_WRONG_TRACK_MODE;
    }
    if (!page_present(drive, PAGE_05)) {
        return VDRIVE_GOOD;
    }
    return (page[P5_WRITE_TYPE] & (TEST_WRITE | 0x0F)) == write_type &&
                   vdrive_modes_data_block_type(&drive->modes) == MODE_1
               ? VDRIVE_GOOD
               : VDRIVE_WRONG_TRACK_MODE;
}

/* ---- MODE SENSE --------------------------------------------------------- */

/* Page 2Ah (MMC-3 6.3.11; later editions keep it for old hosts). It tells of
 * CD-R, CD-RW and test writes, drives of DVD of DVD-R and DVD-RAM, too. */
static size_t capabilities_page(const struct vdrive *drive, uint8_t *page) {
    const struct vdrive_medium *medium = drive->medium;
    bool locked = drive->tray.prevented || drive->tray.persistently_prevented;
    uint16_t speeds = 0;

    memset(page, 0, CAPABILITIES_MAX);
    page[0] = MMC_MODE_CAPABILITIES;
    page[2] = vdrive_has(drive, VDRIVE_CD) ? 0x03 : 0x3B; /* reads */
    page[3] = vdrive_has(drive, VDRIVE_CD) ? 0x07 : 0x37; /* writes */
    page[4] = 0xF0;                          /* BUF, multi-session, mode 2 */
    page[6] = (uint8_t)(0x29 | locked << 1); /* tray, eject, lock */
    sg_put_unaligned_be16(medium->read_kbs, page + 8);
    sg_put_unaligned_be16((uint16_t)(medium->buffer_bytes >> 10), page + 12);
    sg_put_unaligned_be16(drive->model.read_kbs, page + 14);
    sg_put_unaligned_be16(medium->write_kbs[0], page + 18);
    sg_put_unaligned_be16(drive->model.write_kbs, page + 20);
    sg_put_unaligned_be16(drive->model.write_kbs, page + 28);
    while (speeds < VDRIVE_SPEEDS_MAX && medium->write_kbs[speeds]) {
        sg_put_unaligned_be16(medium->write_kbs[speeds],
                              page + 34 + 4 * (size_t)speeds);
        speeds++;
    }
    sg_put_unaligned_be16(speeds, page + 30);
    page[1] = (uint8_t)(30 + 4 * speeds);
    return (size_t)page[1] + 2;
}

/* The values that page control asks for: current, changeable or default. */
static const uint8_t *values(const struct vdrive *drive, size_t i,
                             unsigned control) {
    switch (control) {
    case MMC_MODE_CHANGEABLE:
        return pages[i].changeable;
    case MMC_MODE_DEFAULT:
        return pages[i].defaults;
    default:
        return drive->modes.pages[i];
    }
}

/* Puts the pages that `code` asks for at `to`; returns their length. */
static size_t put_pages(const struct vdrive *drive, uint8_t code,
                        unsigned control, uint8_t *to) {
    size_t len = 0;

    for (size_t i = 0; i < VDRIVE_MODE_PAGES; i++) {
        if (page_present(drive, i) &&
            (code == page_code(drive, i) || code == ALL_PAGES)) {
            memcpy(to + len, values(drive, i, control), pages[i].len);
            to[len] = page_code(drive, i);
            len += pages[i].len;
        }
    }
    if (code == MMC_MODE_CAPABILITIES || code == ALL_PAGES) {
        size_t page_len = capabilities_page(drive, to + len);

        if (control == MMC_MODE_CHANGEABLE) {
            memset(to + len + 2, 0, page_len - 2);
        }
        len += page_len;
    }
    return len;
}

/* MODE SENSE(6) and (10): they differ in the header. There are no block
 * descriptors, whatever DBD says. */
enum vdrive_sense vdrive_mode_sense(struct vdrive *drive,
                                    struct vdrive_io *io) {
    bool six = io->cdb[0] == MMC_OP_MODE_SENSE_6;
    size_t header = six ? 4 : 8, len;
    uint8_t reply[8 + VDRIVE_MODE_PAGES * VDRIVE_MODE_PAGE_MAX +
                  CAPABILITIES_MAX] = {0};
    unsigned control = io->cdb[2] >> 6;

    if (control == 3) {
        return VDRIVE_SAVING_NOT_SUPPORTED;
    }
    len = put_pages(drive, io->cdb[2] & 0x3F, control, reply + header);
    if (len == 0 || io->cdb[3] != 0) {
        return VDRIVE_INVALID_FIELD; /* no such page, no sub-pages */
    }
    len += header;
    if (six) {
        reply[0] = (uint8_t)(len - 1);
    } else {
        sg_put_unaligned_be16((uint16_t)(len - 2), reply);
    }
    vdrive_answer(io, reply, len,
                  six ? io->cdb[4] : sg_get_unaligned_be16(io->cdb + 7));
    return VDRIVE_GOOD;
}

/* ---- MODE SELECT -------------------------------------------------------- */

/* Values of page 05h that no write could ever be done with. */
static bool write_parameters_valid(const uint8_t *page) {
    static const uint16_t block_types = 0x3F0F; /* 0-3, 8-13 */
    unsigned session = page[P5_SESSION_FORMAT];
    bool fixed = page[P5_TRACK_MODE] & FIXED_PACKET;

    return (page[P5_WRITE_TYPE] & 0x0F) <= 3 && page[P5_TRACK_MODE] >> 6 != 2 &&
           (block_types >> (page[P5_BLOCK_TYPE] & 0x0F) & 1) &&
           (session == 0x00 || session == 0x10 || session == 0x20) &&
           (!fixed || sg_get_unaligned_be32(page + P5_PACKET_SIZE) > 0);
}

/* Whether the host may set page `i` to these bytes. */
static bool page_valid(const struct vdrive *drive, size_t i,
                       const uint8_t *bytes) {
    for (size_t at = 2; at < pages[i].len; at++) {
        unsigned changed = (unsigned)(bytes[at] ^ drive->modes.pages[i][at]);

        if (changed & ~(unsigned)pages[i].changeable[at]) {
            return false;
        }
    }
    if (i != PAGE_05) {
        return true;
    }
    return write_parameters_valid(bytes) &&
           !(vdrive_state(drive) == VDRIVE_BLANK &&
             vdrive_quirk(drive, MMC_VDRIVE_QUIRK_PAGE_05_NOT_ON_BLANK));
}

/* The page at the head of `len` bytes; VDRIVE_MODE_PAGES when it is none that
 * can be changed. PS is reserved here: a host that sends back what it sensed
 * has to clear it. */
static size_t find_page(const struct vdrive *drive, const uint8_t *bytes) {
    size_t i = 0;

    while (i < VDRIVE_MODE_PAGES &&
           !(page_present(drive, i) && page_code(drive, i) == bytes[0])) {
        i++;
    }
    return i;
}

/* Checks the pages that `bytes` holds, and with `take` makes them current. */
static enum vdrive_sense select_pages(struct vdrive *drive,
                                      const uint8_t *bytes, size_t len,
                                      bool take) {
    while (len) {
        size_t i, page_len = len >= 2 ? 2 + (size_t)bytes[1] : 2;

        if (page_len > len) {
            return VDRIVE_LIST_LENGTH;
        }
        i = find_page(drive, bytes);
        if (i == VDRIVE_MODE_PAGES || page_len != pages[i].len ||
            !page_valid(drive, i, bytes)) {
            return VDRIVE_INVALID_PARAMETER;
        }
        if (take) {
            memcpy(drive->modes.pages[i], bytes, page_len);
        }
        bytes += page_len;
        len -= page_len;
    }
    return VDRIVE_GOOD;
}

enum vdrive_sense vdrive_mode_select(struct vdrive *drive,
                                     struct vdrive_io *io) {
    const uint8_t *list = io->request->data;
    size_t len = sg_get_unaligned_be16(io->cdb + 7);
    enum vdrive_sense sense;

    if ((io->cdb[1] & 0x11) != 0x10) {
        return VDRIVE_INVALID_FIELD; /* PF set, SP not: nothing is saved */
    }
    if (len == 0) {
        return VDRIVE_GOOD;
    }
    if (len < 8 || io->request->data_len != len) {
        return VDRIVE_LIST_LENGTH;
    }
    /* Reserved on the way in: mode data length; block descriptors. */
    if (sg_get_unaligned_be16(list) || sg_get_unaligned_be16(list + 6)) {
        return VDRIVE_INVALID_PARAMETER;
    }
    /* All pages or none: the first pass only looks. */
    sense = select_pages(drive, list + 8, len - 8, false);
    if (!sense) {
        sense = select_pages(drive, list + 8, len - 8, true);
        io->moved = (uint32_t)len;
    }
    return sense;
}

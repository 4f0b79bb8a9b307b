/* SPDX-License-Identifier: Apache-2.0 */
/* Quirks of servers towards requests of every kind. */
#include "foreign_parts.h"

#define VERSION_BITS 0x18
#define OP_BITS      0x07

static bool is_params(const struct foreign_packet *packet)
{
    return foreign_is(packet, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_PARAMS);
}

static bool no_params(struct foreign *foreign, struct foreign_use *use,
                      struct foreign_packet *packet)
{
    (void)use;
    if (!is_params(packet)) {
        return true;
    }
    foreign_reply_rc(foreign, packet, FERRY_RC_NOT_SUPPORTED);
    return false;
}

static bool mute_params(struct foreign *foreign, struct foreign_use *use,
                        struct foreign_packet *packet)
{
    (void)foreign;
    (void)use;
    return !is_params(packet);
}

static bool v1_only(struct foreign *foreign, struct foreign_use *use, struct foreign_packet *packet)
{
    (void)foreign;
    (void)use;
    return (packet->bytes[0] & VERSION_BITS) == 0;
}

static bool too_new(struct foreign *foreign, struct foreign_use *use, struct foreign_packet *packet)
{
    (void)use;
    if ((packet->bytes[0] & VERSION_BITS) == 0) {
        return true;
    }
    packet->bytes[0] &= OP_BITS;
    foreign_reply_rc(foreign, packet, FERRY_RC_TOO_NEW);
    return false;
}

static bool v1_request(struct foreign *foreign, struct foreign_use *use,
                       struct foreign_packet *packet)
{
    foreign_note(foreign, use);
    packet->bytes[0] &= OP_BITS;
    return true;
}

static bool v1_answer(struct foreign *foreign, struct foreign_use *use,
                      struct foreign_packet *packet)
{
    (void)use;
    packet->bytes[0] =
        (uint8_t)((packet->bytes[0] & OP_BITS) | foreign->versions[packet->bytes[6]]);
    return true;
}

/* What MCUboot's recovery knows. */
static bool recovery_only(struct foreign *foreign, struct foreign_use *use,
                          struct foreign_packet *packet)
{
    (void)use;
    if (foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_ECHO) ||
        foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET) ||
        is_params(packet) ||
        foreign_is(packet, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE) ||
        foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_UPLOAD)) {
        return true;
    }
    bool quiet = foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_CONSOLE_ECHO);
    foreign_reply_rc(foreign, packet, quiet ? FERRY_RC_OK : FERRY_RC_NOT_SUPPORTED);
    return false;
}

static bool exact_length(struct foreign *foreign, struct foreign_use *use,
                         struct foreign_packet *packet)
{
    size_t told = FERRY_SMP_HEADER_SIZE + (size_t)(packet->bytes[2] << 8 | packet->bytes[3]);
    uint8_t op = packet->bytes[0] & OP_BITS;

    (void)foreign;
    (void)use;
    return told >= packet->len && (op == FERRY_SMP_READ || op == FERRY_SMP_WRITE);
}

static bool unknown_rc(struct foreign *foreign, struct foreign_use *use,
                       struct foreign_packet *packet)
{
    if (!foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE)) {
        return true;
    }
    foreign_reply_rc(foreign, packet, use->value);
    return false;
}

static bool file_off_wrong(struct foreign *foreign, struct foreign_use *use,
                           struct foreign_packet *packet)
{
    struct foreign_chunk chunk;
    struct ferry_cbor_writer w;
    uint8_t map[48];

    if (!foreign_chunk_read(packet, FERRY_SMP_GROUP_FS, &chunk) || chunk.off == 0 ||
        ++use->count != 3) {
        return true;
    }
    ferry_cbor_writer_init(&w, map, sizeof(map));
    ferry_cbor_open_map(&w);
    ferry_cbor_put_text(&w, "err");
    ferry_cbor_put_map(&w, 2);
    ferry_cbor_pair_uint(&w, "group", FERRY_SMP_GROUP_FS);
    ferry_cbor_pair_uint(&w, "rc", 11);
    ferry_cbor_pair_uint(&w, "len", chunk.off);
    ferry_cbor_close(&w);
    foreign_reply(foreign, packet, (struct ferry_bytes){map, w.len});
    return false;
}

const struct foreign_quirk foreign_request_quirks[] = {
    {.name = "mcuboot",
     .help = "MCUboot's serial recovery, all together",
     .also = "in-recovery,exact-length,recovery-only,v1-body,always-rc,one-buffer,restart-at-0,"
             "no-match,no-flags"},
    {.name = "in-recovery",
     .help = "the quirks are there while the bootloader runs, and not in the firmware",
     .form = FOREIGN_IN_RECOVERY},
    {.name = "exact-length",
     .help = "packets longer than their header says, and ops but 0 and 2, go unanswered (C41)",
     .request = exact_length},
    {.name = "no-params", .help = "os/6 is refused, rc 8 (C40)", .request = no_params},
    {.name = "mute-params", .help = "os/6 goes unanswered (C40)", .request = mute_params},
    {.name = "v1-only", .help = "requests of version 2 go unanswered (C19)", .request = v1_only},
    {.name = "too-new",
     .help = "requests of version 2 are refused, rc 13 (C19)",
     .request = too_new},
    {.name = "v1-body",
     .help = "answers have the request's version, and rc alone (C16, C18)",
     .request = v1_request,
     .answer = v1_answer},
    {.name = "recovery-only",
     .help = "what MCUboot's recovery does not know is refused, rc 8 (C21)",
     .request = recovery_only},
    {.name = "unknown-rc",
     .help = "test and confirm are refused with rc N (C20)",
     .value = 4711,
     .request = unknown_rc},
    {.name = "file-off-wrong",
     .help = "the third chunk of a file is refused once, with the length it has (C23)",
     .request = file_off_wrong},
    {0},
};

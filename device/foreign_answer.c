/* SPDX-License-Identifier: Apache-2.0 */
/* Quirks of answers: forms, losses, order; and of the console's lines. */
#include "foreign_parts.h"

/* How late an answer is that others overtake. */
#define LATE (30 * FOREIGN_MS)

static bool lose_answer(struct foreign *foreign, struct foreign_use *use,
                        struct foreign_packet *packet)
{
    (void)foreign;
    (void)packet;
    return ++use->count % use->value != 0;
}

static bool dup_answer(struct foreign *foreign, struct foreign_use *use,
                       struct foreign_packet *packet)
{
    foreign_note(foreign, use);
    foreign_to_wire(foreign, packet);
    return true;
}

static bool reorder(struct foreign *foreign, struct foreign_use *use, struct foreign_packet *packet)
{
    if (++use->count % use->value != 0) {
        return true;
    }
    foreign_hold(foreign, packet, foreign->now + LATE);
    return false;
}

/* An answer that was given before comes once more. */
static bool stale(struct foreign *foreign, struct foreign_use *use, struct foreign_packet *packet)
{
    const struct foreign_packet *old = foreign->kept[use->count++ % FOREIGN_KEPT];

    if (old != NULL && old->wire == packet->wire) {
        foreign_note(foreign, use);
        foreign_to_wire(foreign, old);
    }
    return true;
}

static bool reset_unanswered(struct foreign *foreign, struct foreign_use *use,
                             struct foreign_packet *packet)
{
    (void)foreign;
    (void)use;
    return !foreign_is(packet, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET);
}

const struct foreign_quirk foreign_answer_quirks[] = {
    {.name = "always-rc", .help = "success has rc 0 (C17)", .form = FOREIGN_ALWAYS_RC},
    {.name = "no-rc-ok", .help = "success has no rc: an empty map (C17)", .form = FOREIGN_NEVER_RC},
    {.name = "definite",
     .help = "maps and lists have their lengths in front",
     .form = FOREIGN_DEFINITE},
    {.name = "unknown-keys",
     .help = "answers have keys that nobody knows (C20)",
     .form = FOREIGN_UNKNOWN_KEYS},
    {.name = "missing-hash",
     .help = "images are listed without hash, and without what is false (C25)",
     .form = FOREIGN_NO_HASH | FOREIGN_NO_FALSE},
    {.name = "no-flags", .help = "images are listed without their flags", .form = FOREIGN_NO_FLAGS},
    {.name = "no-match", .help = "the last answer has no match (C10)", .form = FOREIGN_NO_MATCH},
    {.name = "match-false",
     .help = "the last answer has match false (C10)",
     .form = FOREIGN_MATCH_FALSE},
    {.name = "one-buffer",
     .help = "it has one buffer: what comes meanwhile is lost (C35)",
     .form = FOREIGN_ONE_BUFFER},
    {.name = "shell-rc",
     .help = "a command's own status is rc, not ret (C23)",
     .form = FOREIGN_RET_IS_RC},
    {.name = "lose-answer", .help = "every Nth answer is lost", .value = 5, .answer = lose_answer},
    {.name = "dup-answer", .help = "each answer comes twice (C39)", .answer = dup_answer},
    {.name = "reorder",
     .help = "every Nth answer is overtaken by others",
     .value = 3,
     .answer = reorder},
    {.name = "stale", .help = "old answers come once more in between (C39)", .answer = stale},
    {.name = "reset-unanswered",
     .help = "reset is done, not answered (C27)",
     .answer = reset_unanswered},
    {.name = "echo",
     .help = "requests come back, as from a console's echo (C31)",
     .form = FOREIGN_ECHO},
    {.name = "crlf", .help = "CR before and behind frames (C31)", .form = FOREIGN_CRLF},
    {.name = "len-without-crc",
     .help = "the length of answers does not count the CRC (C30)",
     .form = FOREIGN_SHORT_LENGTH},
    {.name = "text-before",
     .help = "text before frames, on their line (C32)",
     .form = FOREIGN_TEXT_BEFORE},
    {.name = "text-between",
     .help = "lines of text between those of a frame",
     .form = FOREIGN_TEXT_BETWEEN},
    {.name = "text-inside",
     .help = "text inside every Nth line of a frame (C32)",
     .value = 7,
     .form = FOREIGN_TEXT_INSIDE},
    {.name = "two-lines",
     .help = "a third line within N ms is lost (C34)",
     .value = 10,
     .form = FOREIGN_TWO_LINES},
    {.name = "shell-burst",
     .help = "a frame that is not at the beginning of what comes at once is text (C31)",
     .form = FOREIGN_SHELL},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The first stage's decision. [nsib-format.md, "Boot"] It is NSIB's but for one thing: what heals,
 * as a read error does, destroys nothing, and the last bootloader is never given up. */
#include "ferry/first.h"

#include <string.h>

/* How often a slot must fail alike to be given up, and how often it may fail at all. */
#define TRIES 3

/* ---- What is there ----------------------------------------------------------------------------
 */

/* One bit of a provisioned address may have flipped; the board knows its slots. */
static bool is_near(uint32_t a, uint32_t b)
{
    uint32_t bits = a ^ b;

    return (bits & (bits - 1)) == 0;
}

static int read_provision(const struct ferry_first *first, struct ferry_first_provision *provision)
{
    int rc = FERRY_E_FLASH;

    for (int i = 0; i < TRIES && rc != FERRY_OK && rc != FERRY_E_POWER; i++) {
        rc = ferry_first_provision_read(first->provision, first->kind, provision);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    return is_near(provision->addresses[0], first->slots[0].address) &&
                   is_near(provision->addresses[1], first->slots[1].address)
               ? FERRY_OK
               : FERRY_E_CONFIG;
}

/* The slot to look at first: the higher version, S0 of equal ones. A slot without fw_info has none.
 *
 * newest  the higher version; 0 = there is none
 *
 * Returns 0 or 1, or FERRY_E_POWER. */
static int preferred(const struct ferry_first *first, uint32_t *newest)
{
    struct ferry_first_info info[2];
    int rc[2];

    for (uint32_t i = 0; i < 2; i++) {
        rc[i] = ferry_first_info_find(&first->slots[i], first->kind, &info[i]);
        if (rc[i] == FERRY_E_POWER) {
            return rc[i];
        }
        info[i].version = rc[i] == FERRY_OK ? info[i].version : 0;
    }
    *newest = ferry_max32(info[0].version, info[1].version);
    if (rc[1] != FERRY_OK) {
        return 0;
    }
    return rc[0] != FERRY_OK || info[1].version > info[0].version ? 1 : 0;
}

/* A counter that stands once only, and above every bootloader, was not raised by one: a cut or a
 * flipped bit left it so. It would stop the device for ever. */
static void doubt_counter(struct ferry_first_provision *provision, uint32_t newest)
{
    if (provision->copies == 1 && ferry_first_lowest(provision) > newest) {
        provision->value = 0;
        provision->copies = 0;
    }
}

/* ---- Whether it may run -------------------------------------------------------------------------
 */

/* Verify a slot, again when it fails. *steady: it failed alike each time, and was read each time.
 * Returns FERRY_OK or why it may not run. */
static int verify_slot(const struct ferry_first *first,
                       const struct ferry_first_provision *provision, uint32_t slot,
                       struct ferry_first_stage *stage, struct ferry_verdict *verdict, bool *steady)
{
    int reason = FERRY_OK;

    *steady = true;
    for (int i = 0; i < TRIES; i++) {
        int rc = ferry_first_verify(first, provision, &first->slots[slot], stage, verdict);

        if (rc == FERRY_OK || rc == FERRY_E_POWER) {
            return rc;
        }
        *steady = *steady && rc != FERRY_E_FLASH && (i == 0 || rc == reason);
        reason = rc;
    }
    return reason;
}

/* ---- What is done for good
 * ----------------------------------------------------------------------- */

/* Give a slot up: half of its word `valid`. Parts that take no second program refuse, and then it
 * is refused anew at each boot. Returns 1 when it is done, 0 when not, or FERRY_E_POWER. */
static int invalidate(const struct ferry_first *first, uint32_t slot)
{
    const struct ferry_first_place *place = &first->slots[slot];
    struct ferry_first_info info;
    uint8_t unit[FERRY_FLASH_WRITE_MAX + 4];
    int rc = ferry_first_info_find(place, first->kind, &info);

    if (rc != FERRY_OK || info.valid != FERRY_FIRST_VALID) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    uint32_t at = place->offset + info.offset + 32;
    uint32_t begin = at - at % place->flash->write_size;
    uint32_t len = ferry_align_up(at + 4, place->flash->write_size) - begin;
    rc = len <= sizeof(unit) ? ferry_flash_read(place->flash, begin, unit, len) : FERRY_E_RANGE;
    if (rc == FERRY_OK) {
        ferry_store_le32(unit + (at - begin), FERRY_FIRST_INVALID);
        rc = ferry_flash_program(place->flash, begin, unit, len);
    }
    if (rc == FERRY_OK) {
        rc = ferry_first_info_find(place, first->kind, &info);
    }
    return rc == FERRY_E_POWER ? rc : rc == FERRY_OK && info.valid != FERRY_FIRST_VALID;
}

/* The slot that runs has verified: older keys and older versions are over. */
static int settle(struct ferry_first_provision *provision, struct ferry_first_report *report)
{
    report->revoked = ferry_first_revoke_below(provision, report->stage.key);
    if (report->revoked == FERRY_E_POWER) {
        return report->revoked;
    }
    report->raised = ferry_first_raise(provision, report->stage.info.version, report->slot);
    return report->raised == FERRY_E_POWER ? report->raised : FERRY_OK;
}

/* ---- The decision ------------------------------------------------------------------------------
 */

/* Look at both slots in turn. Returns FERRY_OK with report->slot, or FERRY_E_NO_IMAGE. */
static int choose(const struct ferry_first *first, const struct ferry_first_provision *provision,
                  uint32_t slot, struct ferry_first_report *report, struct ferry_verdict *verdict)
{
    bool steady[2] = {false, false};

    for (uint32_t i = 0; i < 2; i++, slot = 1 - slot) {
        int rc = verify_slot(first, provision, slot, &report->stage, verdict, &steady[slot]);

        report->reasons[slot] = rc;
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc == FERRY_OK) {
            report->slot = (uint8_t)slot;
            rc = i == 1 && steady[1 - slot] ? invalidate(first, 1 - slot) : 0;
            report->invalidated[1 - slot] = rc == 1;
            return rc < 0 ? rc : FERRY_OK;
        }
    }
    return FERRY_E_NO_IMAGE;
}

int ferry_first_select(const struct ferry_first *first, struct ferry_first_report *report)
{
    struct ferry_first_provision provision;
    struct ferry_verdict verdict = {0, 0};

    memset(report, 0, sizeof(*report));
    int rc = read_provision(first, &provision);
    uint32_t newest = 0;
    int slot = rc == FERRY_OK ? preferred(first, &newest) : rc;
    if (slot < 0) {
        return slot;
    }
    doubt_counter(&provision, newest);
    rc = choose(first, &provision, (uint32_t)slot, report, &verdict);
    if (rc == FERRY_OK && ferry_verdict_is_valid(&verdict)) {
        rc = settle(&provision, report);
    }
    /* The second look, far from the first. */
    return rc == FERRY_OK && !ferry_verdict_is_valid(&verdict) ? FERRY_E_NO_IMAGE : rc;
}

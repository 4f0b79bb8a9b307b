/* SPDX-License-Identifier: Apache-2.0 */
/* The boot: checks the configuration, lets every image's strategy do its part, and says what may
 * run and why. */
#include "core/boot/swap.h"

#include <string.h>

/* Smallest workspace, bytes. */
#define BUF_MIN 256

/* ---- Configuration -------------------------------------------------------------------- */

/* The write size is a power of two, or the flash is refused for it later. */
static bool buf_suits(const struct ferry_boot_config *config, const struct ferry_flash *flash)
{
    return flash != NULL && (config->buf_size & (flash->write_size - 1U)) == 0;
}

static int check_image(const struct ferry_boot_config *config, const struct ferry_boot_image *image)
{
    const struct ferry_boot_strategy *strategy = image->strategy;

    if (strategy == NULL || strategy->traits == NULL || strategy->traits != image->slots.strategy) {
        return FERRY_E_CONFIG;
    }
    if (!buf_suits(config, image->slots.primary) ||
        (strategy->traits->slot_count > 1 && !buf_suits(config, image->slots.secondary)) ||
        (strategy->traits->scratch && !buf_suits(config, image->slots.scratch))) {
        return FERRY_E_CONFIG;
    }
    /* A store that nobody reads and writes would be a trap. */
    if (image->slots.store != NULL && config->memory == NULL) {
        return FERRY_E_CONFIG;
    }
    /* A policy that nobody asks would be one, too. */
    if (image->slots.policy != NULL && config->admission == NULL) {
        return FERRY_E_CONFIG;
    }
    /* What trailers are to keep of encrypted images somebody must read again. */
    if (image->slots.enc_tlv != 0 && config->encryption == NULL) {
        return FERRY_E_CONFIG;
    }
    return ferry_slots_check(&image->slots);
}

static bool secrets_are_sound(const struct ferry_boot_config *config)
{
    const struct ferry_image_secrets *secrets = config->secrets;

    if (config->encryption == NULL) {
        return secrets == NULL;
    }
    if (secrets == NULL || config->views == NULL) {
        return false;
    }
    return (secrets->secret_count == 0 || secrets->secrets != NULL) &&
           (secrets->unwrapper_count == 0 || secrets->unwrappers != NULL);
}

static bool trust_is_sound(const struct ferry_image_trust *trust)
{
    return (trust->key_count == 0 || trust->keys != NULL) &&
           (trust->verifier_count == 0 || trust->verifiers != NULL) && trust->digest_count > 0 &&
           trust->digests != NULL;
}

/* Images before the bootloader's own, which stand behind the others and are no part of a set. */
static uint32_t count_others(const struct ferry_boot_config *config)
{
    uint32_t count = config->image_count;

    while (count > 0 && config->images[count - 1].first != NULL) {
        count--;
    }
    return count;
}

static int check_others(const struct ferry_boot_config *config)
{
    uint32_t count = count_others(config);

    for (uint32_t i = 0; i < count; i++) {
        if (config->images[i].first != NULL) {
            return FERRY_E_CONFIG;
        }
    }
    return config->set != NULL ? config->set->check(config, count) : FERRY_OK;
}

static int check_config(const struct ferry_boot_config *config)
{
    if (config == NULL || config->images == NULL || config->image_count == 0 ||
        config->image_count > FERRY_BOOT_IMAGES) {
        return FERRY_E_CONFIG;
    }
    if (config->buf == NULL || config->buf_size < BUF_MIN || !trust_is_sound(&config->trust)) {
        return FERRY_E_CONFIG;
    }
    if (!secrets_are_sound(config)) {
        return FERRY_E_CONFIG;
    }
    for (uint32_t i = 0; i < config->image_count; i++) {
        int rc = check_image(config, &config->images[i]);

        if (rc != FERRY_OK) {
            return rc;
        }
    }
    return check_others(config);
}

/* ---- Reports ------------------------------------------------------------------------------- */

static void clear_report(struct ferry_boot_report *report, int reason)
{
    memset(report, 0, sizeof(*report));
    for (uint32_t i = 0; i < FERRY_BOOT_IMAGES; i++) {
        struct ferry_boot_image_report *image = &report->images[i];

        image->action = FERRY_BOOT_STOPPED;
        image->next = FERRY_SWAP_NONE;
        image->reason = reason;
    }
}

static void tell_nothing_runs(const struct ferry_boot_config *config,
                              const struct ferry_boot_report *report)
{
    const struct ferry_boot_hooks *hooks = config->hooks;

    if (hooks != NULL && hooks->nothing_runs != NULL) {
        hooks->nothing_runs(hooks->context, report);
    }
}

int ferry_boot_record_why(const struct ferry_boot_swap *swap,
                          const struct ferry_boot_image_report *report)
{
    return swap->memory != NULL ? swap->memory->record(swap, report) : FERRY_OK;
}

/* ---- All images ----------------------------------------------------------------------------- */

/* The second look at every verdict, far from the first. */
static bool all_valid(const struct ferry_verdict *verdicts, uint32_t count)
{
    uint32_t valid = 0;

    for (uint32_t i = 0; i < count; i++) {
        valid += ferry_verdict_is_valid(&verdicts[i]) ? 1 : 0;
    }
    return count != 0 && valid == count;
}

/* All verdicts as one, without a branch, and each word by itself: what differs in any differs in
 * it. */
static void compose(const struct ferry_verdict *verdicts, uint32_t count, struct ferry_verdict *all)
{
    const volatile struct ferry_verdict *v = verdicts;
    uint32_t valid = 0;
    uint32_t check = 0;

    for (uint32_t i = 0; i < count; i++) {
        valid |= v[i].valid ^ FERRY_VALID;
    }
    all->valid = FERRY_VALID ^ valid;
    for (uint32_t i = count; i > 0; i--) {
        check |= v[i - 1].check ^ ~FERRY_VALID;
    }
    all->check = ~FERRY_VALID ^ check;
}

bool ferry_boot_may_start(const struct ferry_boot_report *report)
{
    return ferry_verdict_is_valid(&report->verdict);
}

int ferry_boot_swap_init(struct ferry_boot_swap *swap, const struct ferry_boot_config *config,
                         uint32_t number, struct ferry_boot_image_report *report)
{
    const struct ferry_boot_image *image = &config->images[number];

    memset(swap, 0, sizeof(*swap));
    swap->config = config;
    swap->image = image;
    swap->strategy = image->strategy;
    swap->slots = &image->slots;
    swap->primary = image->slots.primary;
    swap->secondary = image->slots.secondary;
    swap->memory = image->slots.store != NULL ? config->memory : NULL;
    swap->report = report;
    swap->type = FERRY_SWAP_NONE;
    swap->looks = 1;
    swap->incoming = image->slots.secondary;
    swap->outgoing = image->slots.secondary;
    swap->unpacked = image->slots.primary;
    report->reason = FERRY_OK;
    if (config->encryption != NULL) {
        config->encryption->begin(swap, &config->views[number]);
    }
    return ferry_slots_trailer(swap->slots, &swap->layout);
}

static int boot_image(const struct ferry_boot_config *config, uint32_t number,
                      struct ferry_boot_image_report *report, struct ferry_verdict *verdict)
{
    struct ferry_boot_swap swap;
    int rc = ferry_boot_swap_init(&swap, config, number, report);

    if (rc == FERRY_OK) {
        rc = swap.strategy->boot(&swap, report, verdict);
    }
    if (rc == FERRY_E_POWER) {
        return rc;
    }

    int recorded = ferry_boot_record_why(&swap, report);

    return recorded == FERRY_E_POWER ? recorded : rc;
}

/* Images from .. end - 1, one by one. Returns FERRY_E_POWER at once, FERRY_E_BUSY for a restart,
 * else the first error. */
static int boot_each(const struct ferry_boot_config *config, uint32_t from, uint32_t end,
                     struct ferry_boot_report *report, struct ferry_verdict *verdicts)
{
    int result = FERRY_OK;

    for (uint32_t i = from; i < end; i++) {
        int rc = boot_image(config, i, &report->images[i], &verdicts[i]);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (report->images[i].restart) {
            return FERRY_E_BUSY;
        }
        result = result == FERRY_OK ? rc : result;
    }
    return result;
}

/* All of them, and the bootloader's own first: one that is installed anew shall do the rest.
 * Returns as boot_each(). */
static int boot_all(const struct ferry_boot_config *config, struct ferry_boot_report *report,
                    struct ferry_verdict *verdicts)
{
    uint32_t others = count_others(config);
    int result = boot_each(config, others, config->image_count, report, verdicts);

    if (result == FERRY_E_POWER || result == FERRY_E_BUSY) {
        return result;
    }

    int rc = config->set != NULL ? config->set->run(config, others, report, verdicts)
                                 : boot_each(config, 0, others, report, verdicts);

    return rc == FERRY_E_POWER || result == FERRY_OK ? rc : result;
}

int ferry_boot_run(const struct ferry_boot_config *config, struct ferry_boot_report *report)
{
    struct ferry_verdict verdicts[FERRY_BOOT_IMAGES];
    int result = check_config(config);

    clear_report(report, result);
    memset(verdicts, 0, sizeof(verdicts));
    if (result != FERRY_OK) {
        return result;
    }
    report->image_count = config->image_count;
    result = boot_all(config, report, verdicts);
    /* Before anything else runs. */
    if (config->encryption != NULL) {
        ferry_wipe(config->views, config->image_count * sizeof(*config->views));
    }
    if (result == FERRY_E_POWER || result == FERRY_E_BUSY) {
        return result;
    }
    if (result == FERRY_OK && !all_valid(verdicts, config->image_count)) {
        result = FERRY_E_NO_IMAGE;
    }
    if (result != FERRY_OK) {
        tell_nothing_runs(config, report);
    }
    compose(verdicts, config->image_count, &report->verdict);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a boot and an application have in RAM. */
#include "fault_job.h"
#include "test_policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *memory)
{
    if (memory == NULL) {
        fputs("faults: out of memory\n", stderr);
        abort();
    }
    return memory;
}

static void on_nothing_runs(void *context, const struct ferry_boot_report *report)
{
    struct fault_machine *machine = context;

    (void)report;
    machine->nothing_runs++;
}

static const struct ferry_flash *area(struct fault_chip *chip, enum fault_place place)
{
    return fault_chip_has(chip, place) ? &chip->areas[place].flash : NULL;
}

static void init_image(struct fault_machine *machine, const struct fault_job *job,
                       struct fault_chip *chip, uint8_t number)
{
    const struct fault_layout *layout = &job->layout;
    const struct ferry_boot_strategy *strategy =
        number != 0 && layout->other != NULL ? layout->other : job->strategy;

    machine->images[number] = (struct ferry_boot_image){
        .slots = {.primary = area(chip, number == 0 ? FAULT_PRIMARY : FAULT_PRIMARY_2),
                  .secondary = area(chip, number == 0 ? FAULT_SECONDARY : FAULT_SECONDARY_2),
                  .strategy = strategy->traits,
                  .state = job->state != NULL ? job->state : ferry_slots_state_of(strategy->traits),
                  .max_align = layout->max_align,
                  .max_sectors = layout->max_sectors,
                  .scratch = area(chip, FAULT_SCRATCH),
                  .number = number,
                  .policy = layout->policy ? &test_policy_kept : NULL,
                  .enc_tlv = (uint16_t)fault_enc_tlv(layout)},
        .strategy = strategy,
        .ram = &machine->ram,
    };
}

/* The product trusts both keys of Ed25519. */
static void init_keys(struct fault_machine *machine)
{
    static const enum test_key_id ids[2] = {TEST_KEY_ED25519, TEST_KEY_ED25519_OTHER};

    for (int i = 0; i < 2; i++) {
        machine->product_keys[i] =
            (struct ferry_image_key){test_keys[ids[i]].public_der, test_keys[ids[i]].public_len};
    }
    machine->keys_config = (struct ferry_keys_config){.store = &machine->store,
                                                      .trust = machine->config.trust,
                                                      .keys = &machine->keys,
                                                      .slots = machine->apps,
                                                      .slot_count = 1,
                                                      .buf = machine->buf,
                                                      .buf_size = machine->config.buf_size};
    machine->keys_config.trust.keys = machine->product_keys;
    machine->keys_config.trust.key_count = 2;
}

static void init_boot(struct fault_machine *machine, const struct fault_job *job,
                      struct fault_chip *chip)
{
    const struct fault_layout *layout = &job->layout;
    uint8_t count = layout->set ? FAULT_IMAGES : 1;

    machine->ram = (struct ferry_boot_ram){machine->ram_bytes, FAULT_RAM_ADDRESS,
                                           chip->areas[FAULT_PRIMARY].flash.size};
    for (uint8_t i = 0; i < count; i++) {
        init_image(machine, job, chip, i);
    }
    machine->hooks = (struct ferry_boot_hooks){.context = machine, .nothing_runs = on_nothing_runs};
    machine->config = (struct ferry_boot_config){
        .images = machine->images,
        .image_count = count,
        .trust = layout->key == TEST_KEY_NONE ? test_trust_digest_only : *test_trust(layout->key),
        .memory = &ferry_boot_in_store,
        .admission = &ferry_boot_by_policy,
        .trials = layout->trials,
        .encryption = layout->wrap != TEST_WRAP_NONE ? &ferry_boot_encrypted : NULL,
        .secrets = layout->wrap != TEST_WRAP_NONE ? test_secrets(false) : NULL,
        .views = machine->views,
        .hooks = &machine->hooks,
        .buf = machine->buf,
        .buf_size = layout->buf_size};
    if (layout->keys) {
        init_keys(machine);
    }
    if (layout->set) {
        machine->config.set = job->set != NULL ? job->set : &ferry_boot_as_one;
    }
}

static void init_server(struct fault_machine *machine, const struct fault_job *job)
{
    machine->group_config =
        (struct ferry_image_group_config){.images = machine->apps,
                                          .image_count = job->layout.set ? FAULT_IMAGES : 1,
                                          .set = job->layout.set ? &ferry_set_in_store : NULL,
                                          .check = &ferry_image_check_sha256};
    machine->mount = (struct ferry_server_mount){&ferry_image_group_table, &machine->group};
    machine->server_config = (struct ferry_server_config){
        .groups = &machine->mount, .group_count = 1, .buf_size = 2048, .buf_count = 1};
    machine->recovery_config = (struct ferry_recovery_config){
        .encryption = machine->config.secrets != NULL ? &ferry_recovery_encrypted : NULL,
        .secrets = machine->config.secrets,
        .boot = &machine->config,
        .buf_size = 2048,
        .buf_count = 1,
        .idle_ms = 1000};
}

void fault_machine_init(struct fault_machine *machine, const struct fault_job *job,
                        struct fault_chip *chip)
{
    memset(machine, 0, sizeof(*machine));
    machine->buf = need(malloc(job->layout.buf_size));
    machine->ram_bytes = need(malloc(chip->areas[FAULT_PRIMARY].flash.size));
    init_boot(machine, job, chip);
    init_server(machine, job);
}

void fault_machine_free(struct fault_machine *machine)
{
    free(machine->buf);
    free(machine->ram_bytes);
}

/* As a port does it: without a store that opens the device has none. */
static void open_store(struct fault_machine *machine, struct fault_chip *chip)
{
    const struct ferry_flash *flash = area(chip, FAULT_STORE);
    bool open = flash != NULL && ferry_store_open(&machine->store, flash) == FERRY_OK;

    for (uint32_t i = 0; i < FAULT_IMAGES; i++) {
        machine->images[i].slots.store = open ? &machine->store : NULL;
    }
}

/* The application begins: with the store as the boot left it, opened anew. */
static void start_app(struct fault_machine *machine, struct fault_chip *chip)
{
    open_store(machine, chip);
    for (uint32_t i = 0; i < FAULT_IMAGES; i++) {
        machine->apps[i] = machine->images[i].slots;
        machine->apps[i].active = machine->report.images[i].slot;
    }
    if (ferry_server_init(&machine->server, &machine->server_config) != FERRY_OK) {
        fputs("faults: the server does not start\n", stderr);
        abort();
    }
}

/* As a bootloader does it: what the store says of keys, mended where a bit flipped. Where the store
 * cannot be read nothing is trusted. */
static void load_keys(struct fault_machine *machine)
{
    struct ferry_store *store = machine->images[0].slots.store;
    int rc = store == NULL ? FERRY_E_FLASH
                           : ferry_keys_load(store, &machine->keys_config.trust, &machine->keys);

    machine->config.trust = machine->keys.trust;
    if (rc != FERRY_OK) {
        machine->config.trust.key_count = 0;
        return;
    }
    rc = ferry_keys_mend(store); /* what cannot be mended today may be tomorrow */
    (void)rc;
}

int fault_machine_boot(struct fault_machine *machine, const struct fault_job *job,
                       struct fault_chip *chip, enum ferry_reset_cause cause)
{
    int rc;

    chip->state.steps = 0;
    chip->state.booting = true;
    open_store(machine, chip);
    if (job->layout.keys) {
        load_keys(machine);
    }
    machine->config.cause = cause;
    machine->nothing_runs = 0;
    rc = ferry_boot_run(&machine->config, &machine->report);
    machine->dark = rc != FERRY_OK;
    chip->state.booting = false;
    chip->state.steps = 0;
    if (!chip->state.runaway) {
        start_app(machine, chip);
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dump_boot.h"

#include "layout/layout_boot.h"

#include <stdlib.h>

/* A bootloader for one boot. */
struct board {
    struct ferry_boot_image images[FERRY_VCHIP_IMAGES];
    struct ferry_boot_views views[FERRY_VCHIP_IMAGES];
    struct ferry_boot_ram ram;
    struct ferry_boot_hooks hooks;
    struct ferry_boot_config config;
    struct ferry_boot_report report;
    struct dump_boot *boot;
};

/* ---- Setting up ------------------------------------------------------------------------------ */

static void set_up_images(struct dump *dump, struct board *board)
{
    for (uint32_t i = 0; i < dump->layout.image_count; i++) {
        const struct ferry_vchip_image *image = &dump->layout.images[i];
        const struct ferry_slots *slots = &dump->slots[i].slots;
        bool is_own = slots->strategy == &ferry_traits_first_stage && dump->has_first;
        uint32_t primary = is_own ? dump->layout.first_slots[dump->first.active] : image->primary;
        board->images[i] = (struct ferry_boot_image){
            .slots = *slots,
            .strategy = layout_boot_strategy(slots->strategy),
            .ram = board->ram.size > 0 ? &board->ram : NULL,
            .addresses = {layout_address(&dump->layout, primary),
                          layout_address(&dump->layout, image->secondary)},
            .first = is_own ? &dump->first : NULL,
        };
    }
}

/* The first step that a swap goes on with tells how far it was. */
static void note_progress(void *context, uint32_t image, uint32_t done, uint32_t total)
{
    struct board *board = context;
    struct dump_next *next = &board->boot->images[image];
    if (next->steps == 0) {
        next->step = done > 0 ? done - 1 : 0;
        next->steps = total;
    }
}

static void set_up(struct dump *dump, struct board *board)
{
    set_up_images(dump, board);
    board->hooks = (struct ferry_boot_hooks){.context = board, .progress = note_progress};
    board->config = (struct ferry_boot_config){
        .images = board->images,
        .image_count = dump->layout.image_count,
        .trust = dump->keys.trust,
        .memory = &ferry_boot_in_store,
        .admission = &ferry_boot_by_policy,
        .set = layout_boot_set(&dump->layout, board->images, dump->layout.image_count),
        .trials = (uint8_t)dump->layout.trials,
        .cause = FERRY_CAUSE_POWER,
        .encryption = dump->has_secrets ? &ferry_boot_encrypted : NULL,
        .secrets = dump->has_secrets ? &dump->secrets : NULL,
        .views = board->views,
        .hooks = &board->hooks,
        .buf = dump->work,
        .buf_size = sizeof dump->work,
    };
}

/* ---- What is asked for ----------------------------------------------------------------------- */

static void note_before(const struct ferry_slots *slots, struct dump_next *next)
{
    for (uint32_t slot = 0; slot < 2; slot++) {
        struct ferry_flash_slice view;
        struct ferry_image_header header;
        if (ferry_slots_view(slots, slot, &view, NULL) == FERRY_OK &&
            ferry_image_read_header(&view.flash, &header) == FERRY_OK) {
            next->before[slot] = header.version;
        }
    }
    next->asked_error = ferry_slots_next_boot(slots, &next->asked);
}

/* ---- The boot -------------------------------------------------------------------------------- */

/* The first stage's turn: which slot the bootloader runs from. */
static int select_first(struct dump *dump)
{
    struct ferry_first_report report;
    int result = dump->has_first ? ferry_first_select(&dump->first, &report) : FERRY_OK;
    if (dump->has_first && result == FERRY_OK) {
        dump->first.active = report.slot;
        result = dump_read_slots(dump);
    }
    return result;
}

/* Keep what an image was told, but for the restart's sake: that one stands. */
static void keep_reports(const struct dump *dump, const struct board *board, struct dump_boot *boot)
{
    for (uint32_t i = 0; i < board->report.image_count; i++) {
        if (!boot->images[i].report.restart) {
            boot->images[i].report = board->report.images[i];
            boot->images[i].into = dump->first.active == 0 ? 1 : 0;
        }
    }
}

/* In production nothing runs while nobody knows which keys count. */
static bool is_halted(const struct dump *dump)
{
    return (dump->layout.flags & FERRY_VCHIP_PRODUCTION) != 0 &&
           (dump->keys_error != FERRY_OK ||
            (dump->store_error != FERRY_OK && dump->store_error != FERRY_E_NOT_FOUND));
}

/* Boot, and once more behind each restart for another bootloader: two at most follow. */
static void run(struct dump *dump, struct board *board, struct dump_boot *boot)
{
    for (int i = 0; i < 3 && boot->selection == FERRY_OK; i++) {
        set_up(dump, board);
        boot->result = ferry_boot_run(&board->config, &board->report);
        keep_reports(dump, board, boot);
        if (boot->result != FERRY_E_BUSY) {
            return;
        }
        boot->restarts = true;
        boot->selection = select_first(dump);
    }
}

void dump_boot_select(struct dump *dump, struct dump_boot *boot)
{
    *boot = (struct dump_boot){.selection = select_first(dump)};
}

void dump_boot(struct dump *dump, struct dump_boot *boot)
{
    uint32_t ram = dump->layout.ram_size;
    for (uint32_t i = 0; i < dump->layout.image_count; i++) {
        boot->images[i].report.action = FERRY_BOOT_STOPPED; /* until the engine says otherwise */
        note_before(&dump->slots[i].slots, &boot->images[i]);
    }
    if (is_halted(dump)) {
        boot->result = dump->keys_error != FERRY_OK ? dump->keys_error : dump->store_error;
        return;
    }
    struct board *board = calloc(1, sizeof *board);
    uint8_t *memory = ram > 0 ? calloc(1, ram) : NULL;
    if (board == NULL || (ram > 0 && memory == NULL)) {
        boot->result = FERRY_E_SPACE;
    } else {
        board->boot = boot;
        board->ram = (struct ferry_boot_ram){memory, dump->layout.ram_address, ram};
        run(dump, board, boot);
    }
    free(memory);
    free(board);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader of the virtual device: lets the engine work, says on the serial line what it
 * did, and starts image 0. */
#include "measure.h"
#include "recovery.h"
#include "report.h"
#include "secrets.h"

#define BOOTLOADER_VERSION "0.1.0"

/* Bites when this program hangs, and also a firmware that does not feed it. */
#define WATCHDOG_MS 10000

/* Dots a whole swap takes. */
#define DOTS 32

struct bootloader {
    struct vchip chip;
    struct wires wires;
    struct board board;
    struct ferry_boot_config config;
    struct secrets secrets;
    uint32_t dots; /* on the present line */
    uint8_t buf[16384];
};

static struct bootloader bootloader;

/* ---- Words ---------------------------------------------------------------------------------- */

static void print_line(struct text *line)
{
    if (bootloader.dots > 0) {
        vchip_print(&bootloader.chip, "\n");
        bootloader.dots = 0;
    }
    vchip_print(&bootloader.chip, text_add(line, "\n")->chars);
}

static struct text begin_line(void)
{
    struct text line = {0};

    (void)text_add(&line, "boot: ");
    return line;
}

static void print_words(const char *words)
{
    struct text line = begin_line();

    print_line(text_add(&line, words));
}

static void print_error(const char *words, int error)
{
    struct text line = begin_line();

    text_add(text_add(&line, words), ferry_error_text(error));
    print_line(text_add(text_add(&line, "; "), ferry_error_remedy(error)));
}

static void print_banner(void)
{
    static const char *const causes[FERRY_VCHIP_CAUSES] = {
        "power on", "reset by software", "reset by the watchdog", "reset after a fault",
        "reset by the pin"};
    uint32_t cause = bootloader.chip.start.cause;
    struct text line = begin_line();

    text_add(&line, "Ferry bootloader " BOOTLOADER_VERSION ", ");
    print_line(text_add(&line, cause < FERRY_VCHIP_CAUSES ? causes[cause] : "unknown start"));
}

/* ---- What the engine calls
 * ------------------------------------------------------------------------ */

static void feed(void *context)
{
    (void)context;
    vchip_feed(&bootloader.chip);
}

static void show_progress(void *context, uint32_t image, uint32_t done, uint32_t total)
{
    uint32_t dots = total == 0 ? 0 : (uint32_t)((uint64_t)done * DOTS / total);

    (void)context;
    if (bootloader.dots == 0) {
        struct text line = report_begin(image);
        vchip_print(&bootloader.chip, text_add(&line, "swapping .")->chars);
        bootloader.dots = 1;
    }
    while (bootloader.dots < dots) {
        vchip_print(&bootloader.chip, ".");
        bootloader.dots++;
    }
}

/* ---- The boot
 * ------------------------------------------------------------------------------------ */

static void set_up_engine(void)
{
    static const struct ferry_boot_hooks hooks = {.feed = feed, .progress = show_progress};
    bool decrypts = secrets_read(&bootloader.secrets, &bootloader.chip);

    bootloader.config = (struct ferry_boot_config){
        .images = bootloader.board.boot_images,
        .image_count = bootloader.chip.start.image_count,
        .trust = bootloader.board.keys.all.trust,
        .memory = &ferry_boot_in_store,
        .admission = &ferry_boot_by_policy,
        .set = board_set(&bootloader.board, &bootloader.chip),
        .trials = (uint8_t)bootloader.chip.start.trials,
        .cause = bootloader.chip.start.cause == FERRY_VCHIP_POWER_ON ? FERRY_CAUSE_POWER
                                                                     : FERRY_CAUSE_OTHER,
        .encryption = decrypts ? &ferry_boot_encrypted : NULL,
        .secrets = decrypts ? &bootloader.secrets.all : NULL,
        .views = bootloader.secrets.views,
        .hooks = &hooks,
        .buf = bootloader.buf,
        .buf_size = sizeof(bootloader.buf),
    };
}

/* What a boot did, also one that recovery asked for. */
static void print_report(void *context, int result, const struct ferry_boot_report *report)
{
    (void)context;
    for (uint32_t i = 0; i < report->image_count; i++) {
        struct text line = report_image(&bootloader.board, &bootloader.chip, i, &report->images[i]);
        print_line(&line);
    }
    if (result != FERRY_OK) {
        print_error("", result);
    }
}

/* Nothing can be done here but to wait for a person. */
static _Noreturn void halt(void)
{
    const struct ferry_vchip_start *board = &bootloader.chip.start;
    uint32_t primary = board->images[0].primary;
    struct text line = begin_line();

    text_add(&line, "stopped; program a signed image by debugger: end ferry-device, start it with "
                    "--reflash ");
    text_add(&line, primary < board->area_count ? board->areas[primary].name : "AREA");
    print_line(text_add(&line, "=FILE"));
    for (;;) {
        vchip_feed(&bootloader.chip);
        vchip_wait(&bootloader.chip, WATCHDOG_MS / 4);
    }
}

/* Another bootloader is installed: the first stage's turn. mode: of the start after that. */
static void restart_if_asked(const struct ferry_boot_report *report, uint8_t mode)
{
    for (uint32_t i = 0; i < report->image_count; i++) {
        if (report->images[i].restart) {
            print_words(
                "another bootloader is installed; restarting, for the first stage to choose");
            vchip_retain(&bootloader.chip, mode);
            vchip_reset(&bootloader.chip);
        }
    }
}

/* Recovery had the boot run: the new bootloader goes on with recovery. */
static void report_in_recovery(void *context, int result, const struct ferry_boot_report *report)
{
    restart_if_asked(report, 1);
    print_report(context, result, report);
}

static void recover(enum ferry_recovery_way way, const struct ferry_boot_report *report)
{
    int result =
        recovery_serve(&bootloader.wires, &bootloader.config, way, report, report_in_recovery);

    if (result != FERRY_OK) {
        print_error("no recovery: ", result);
        halt();
    }
}

/* An image of ram-load was copied to where it is linked to, header and all. */
static void find_in_ram(const struct ferry_image_header *header, struct vchip_program *program)
{
    program->memory = FERRY_VCHIP_RAM;
    program->offset =
        header->load_address - bootloader.chip.start.ram_address + header->header_size;
}

static void find_in_slot(const struct ferry_image_header *header, uint32_t slot,
                         struct vchip_program *program)
{
    const struct ferry_vchip_start *board = &bootloader.chip.start;
    const struct ferry_vchip_image *image = &board->images[0];
    const struct ferry_vchip_area *area =
        &board->areas[slot == 0 ? image->primary : image->secondary];

    program->memory = area->device;
    program->offset = area->offset + header->header_size;
}

static _Noreturn void start(const struct ferry_boot_report *report)
{
    const struct ferry_boot_image_report *image = &report->images[0];
    const struct ferry_image_header *header = &image->info.header;
    struct vchip_program program = {.size = header->payload_size};
    struct text line = begin_line();
    bool in_ram = bootloader.board.images.slots[0].strategy->mode == FERRY_MODE_RAM_LOAD;

    if (!ferry_boot_may_start(report)) {
        halt();
    }
    if (in_ram) {
        find_in_ram(header, &program);
    } else {
        find_in_slot(header, image->slot, &program);
    }
    for (uint32_t i = 0; i < report->image_count; i++) {
        program.slots[i] = report->images[i].slot;
    }
    text_version(text_add(&line, "starting "), &header->version);
    print_line(text_add(&line, in_ram ? " from RAM" : ""));
    vchip_feed(&bootloader.chip);
    secrets_wipe(&bootloader.secrets);
    vchip_boot(&bootloader.chip, &program);
}

/* What the keys of the board are worth. In production nothing runs while nobody knows which count.
 */
static void look_at_keys(void)
{
    struct board_keys *keys = &bootloader.board.keys;
    bool production = (bootloader.chip.start.flags & FERRY_VCHIP_PRODUCTION) != 0;
    int store = bootloader.board.images.store_result;

    if (keys->product.key_count == 0) {
        print_words("no key in flash: no image is trusted; provision one");
    }
    if (keys_are_published(keys)) {
        print_words("a key in flash is a development key, which everybody has: in production it "
                    "counts for nothing; provision the product's");
    }
    int mended = store == FERRY_OK ? ferry_keys_mend(&bootloader.board.images.store) : FERRY_OK;
    if (mended != FERRY_OK) {
        print_error("a record of a key has no second copy any more: ", mended);
    }
    if (keys->result != FERRY_OK) {
        print_error("the store does not say which keys were revoked: ", keys->result);
    }
    if (production &&
        (keys->result != FERRY_OK || (store != FERRY_OK && store != FERRY_E_NOT_FOUND))) {
        print_words("in production nothing runs while the revoked keys are not known");
        halt();
    }
}

static void open_board(void)
{
    const char *why = "";
    int result = board_read(&bootloader.board, &bootloader.chip, &why);

    if (result != FERRY_OK) {
        struct text line = begin_line();
        print_line(text_add(text_add(&line, "the layout has "), why));
        halt();
    }
    if (bootloader.board.images.store_result != FERRY_OK &&
        bootloader.board.images.store_result != FERRY_E_NOT_FOUND) {
        print_error("going on without the store, it does not open: ",
                    bootloader.board.images.store_result);
    }
    bootloader.board.first.first.buf = bootloader.buf;
    bootloader.board.first.first.buf_size = sizeof(bootloader.buf);
    bootloader.board.first.first.feed = feed;
    look_at_keys();
}

int main(void)
{
    struct ferry_boot_report report;
    enum ferry_recovery_way way;
    int result = vchip_open(&bootloader.chip, wires_receive, &bootloader.wires);

    if (result != FERRY_OK) {
        return 1;
    }
    wires_init(&bootloader.wires, &bootloader.chip);
    vchip_watchdog(&bootloader.chip, WATCHDOG_MS);
    print_banner();
    open_board();
    set_up_engine();
    if (recovery_is_asked(&bootloader.chip, &way)) {
        recover(way, NULL);
    }
    while ((result = ferry_boot_run(&bootloader.config, &report)) != FERRY_OK) {
        restart_if_asked(&report, 0);
        print_report(NULL, result, &report);
        if (!recovery_is_there(&bootloader.chip) || report.image_count == 0) {
            halt();
        }
        recover(FERRY_RECOVERY_NO_IMAGE, &report);
    }
    measure(&bootloader.chip, &bootloader.config, &report, BOOTLOADER_VERSION,
            recovery_is_there(&bootloader.chip) ? FERRY_BLINFO_SERIAL_RECOVERY
                                                : FERRY_BLINFO_NO_RECOVERY);
    print_report(NULL, result, &report);
    start(&report);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader of the virtual device: lets the engine work, says on the serial line what it
 * did, and starts image 0. */
#include "board.h"
#include "firmware/common/text.h"

#define BOOTLOADER_VERSION "0.1.0"

/* Bites when this program hangs, and also a firmware that does not feed it. */
#define WATCHDOG_MS 10000

/* Dots a whole swap takes. */
#define DOTS 32

struct bootloader {
    struct vchip chip;
    struct board board;
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

/* ---- The report -------------------------------------------------------------------------------
 */

static struct text image_line(uint32_t number)
{
    struct text line = begin_line();

    text_add(text_number(text_add(&line, "image "), number), ": ");
    return line;
}

static void add_reason(struct text *line, int reason)
{
    text_add(line, ferry_error_text(reason));
    text_add(text_add(line, "; "), ferry_error_remedy(reason));
}

static void add_refusal(struct text *line, const struct ferry_boot_image_report *image)
{
    text_add(text_version(line, &image->refused), " in the secondary slot refused: ");
    add_reason(line, image->reason);
    text_add(text_version(text_add(line, "; "), &image->info.header.version), " still runs");
}

/* Why an old image is back: nobody confirmed the new one, or it was damaged. */
static void add_revert(struct text *line, const struct ferry_boot_image_report *image)
{
    text_version(text_add(line, "reverted to "), &image->info.header.version);
    if (image->reason != FERRY_OK) {
        text_add(text_add(line, ", for the primary slot could not run: "),
                 ferry_error_text(image->reason));
    } else if (bootloader.chip.start.cause == FERRY_VCHIP_EXPIRED) {
        text_add(line, ": the new image was not confirmed, and the watchdog bit");
    } else if (bootloader.chip.start.cause == FERRY_VCHIP_FAULT) {
        text_add(line, ": the new image was not confirmed, and crashed");
    } else {
        text_add(line, ": the new image was not confirmed");
    }
}

static void print_image(uint32_t number, const struct ferry_boot_image_report *image)
{
    const struct ferry_version *version = &image->info.header.version;
    struct text line = image_line(number);

    if (image->resumed) {
        text_add(&line, "an interrupted swap was finished; ");
    }
    switch (image->action) {
    case FERRY_BOOT_RAN:
        text_add(text_version(&line, version), " runs");
        break;
    case FERRY_BOOT_UPGRADED:
        text_add(text_version(text_add(&line, "upgraded to "), version), ", for good");
        break;
    case FERRY_BOOT_TESTING:
        text_version(text_add(&line, "upgraded for a test to "), version);
        break;
    case FERRY_BOOT_REVERTED:
        add_revert(&line, image);
        break;
    case FERRY_BOOT_REFUSED:
        add_refusal(&line, image);
        break;
    case FERRY_BOOT_STOPPED:
        text_add(&line, "nothing may run: ");
        add_reason(&line, image->reason);
        break;
    }
    if (image->action != FERRY_BOOT_STOPPED && image->next == FERRY_SWAP_REVERT) {
        text_add(&line, "; unconfirmed: the next reset reverts it");
    }
    print_line(&line);
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
        struct text line = image_line(image);
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

static int run_engine(struct ferry_boot_report *report)
{
    static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ecdsa_p256,
                                                                   &ferry_verify_ed25519};
    static const struct ferry_boot_hooks hooks = {.feed = feed, .progress = show_progress};
    const struct ferry_boot_config config = {
        .images = bootloader.board.images,
        .image_count = bootloader.chip.start.image_count,
        .trust =
            {
                .keys = bootloader.board.keys,
                .key_count = bootloader.board.key_count,
                .verifiers = verifiers,
                .verifier_count = sizeof(verifiers) / sizeof(verifiers[0]),
            },
        .no_downgrade = (bootloader.chip.start.flags & FERRY_VCHIP_NO_DOWNGRADE) != 0,
        .hooks = &hooks,
        .buf = bootloader.buf,
        .buf_size = sizeof(bootloader.buf),
    };

    return ferry_boot_run(&config, report);
}

/* Nothing can be done here but to wait for a person. */
static _Noreturn void halt(void)
{
    print_words("stopped; program a signed image by debugger, then press reset");
    for (;;) {
        vchip_feed(&bootloader.chip);
        vchip_wait(&bootloader.chip, WATCHDOG_MS / 4);
    }
}

static void look_at_boot_mode(void)
{
    struct text line = begin_line();

    if (bootloader.chip.start.boot_mode == 0) {
        return;
    }
    vchip_retain(&bootloader.chip, 0);
    text_number(text_add(&line, "boot mode "), bootloader.chip.start.boot_mode);
    print_line(text_add(&line, " was asked for, but this bootloader has no recovery: starting"));
}

static _Noreturn void start(const struct ferry_image_info *image)
{
    const struct ferry_vchip_start *board = &bootloader.chip.start;
    const struct ferry_vchip_area *slot = &board->areas[board->images[0].primary];
    struct text line = begin_line();

    print_line(text_version(text_add(&line, "starting "), &image->header.version));
    vchip_feed(&bootloader.chip);
    vchip_boot(&bootloader.chip, slot->device, slot->offset + image->header.header_size,
               image->header.payload_size);
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
    if (bootloader.board.key_count == 0) {
        print_words("no key in flash: no image is trusted; provision one");
    }
}

int main(void)
{
    struct ferry_boot_report report;
    int result = vchip_open(&bootloader.chip, NULL, NULL);

    if (result != FERRY_OK) {
        return 1;
    }
    vchip_watchdog(&bootloader.chip, WATCHDOG_MS);
    print_banner();
    look_at_boot_mode();
    open_board();
    result = run_engine(&report);
    for (uint32_t i = 0; i < report.image_count; i++) {
        print_image(i, &report.images[i]);
    }
    if (result != FERRY_OK) {
        print_error("", result);
        halt();
    }
    start(&report.images[0].info);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery of the virtual device. */
#include "recovery.h"

#include "firmware/common/text.h"

/* The watchdog bites after 10 s. */
#define FEED_MS 2500

#define BOOT_MODE_RECOVERY 1

static struct ferry_recovery recovery;
static uint8_t answer[FERRY_VCHIP_SEND_MAX];

/* ---- When ---------------------------------------------------------------------------------------
 */

bool recovery_is_there(const struct vchip *chip)
{
    return (chip->start.flags & FERRY_VCHIP_RECOVERY) != 0;
}

static void print(struct vchip *chip, struct text *line)
{
    vchip_print(chip, text_add(line, "\n")->chars);
}

/* The mode that was kept for this start. */
static uint32_t take_boot_mode(struct vchip *chip)
{
    uint32_t mode = chip->start.boot_mode;
    struct text line = {0};

    if (mode == 0) {
        return 0;
    }
    vchip_retain(chip, 0);
    if (mode == BOOT_MODE_RECOVERY && recovery_is_there(chip)) {
        return mode;
    }
    text_number(text_add(&line, "boot: boot mode "), mode);
    text_add(&line, mode == BOOT_MODE_RECOVERY
                        ? " was asked for, but the layout switches recovery off: starting"
                        : " has no meaning here: starting");
    print(chip, &line);
    return 0;
}

bool recovery_is_asked(struct vchip *chip, enum ferry_recovery_way *way)
{
    const struct ferry_vchip_start *start = &chip->start;
    uint32_t mode = take_boot_mode(chip);

    if (!recovery_is_there(chip)) {
        return false;
    }
    if (mode == BOOT_MODE_RECOVERY) {
        *way = FERRY_RECOVERY_BOOT_MODE;
        return true;
    }
    if (start->button != 0 && (start->flags & FERRY_VCHIP_RECOVERY_BUTTON) != 0) {
        *way = FERRY_RECOVERY_BUTTON;
        return true;
    }
    /* Whoever reset it by software could have asked for the boot mode, and a client that waits for
     * its image to start must not hold it up by asking. */
    *way = FERRY_RECOVERY_WINDOW;
    return start->recovery_wait_ms > 0 && start->cause != FERRY_VCHIP_SOFTWARE;
}

/* ---- Words
 * ---------------------------------------------------------------------------------------
 */

static void add_ways_out(struct text *line, const struct vchip *chip, bool stays)
{
    text_add(line, "serving SMP; to leave: ferry reset");
    if (stays) {
        text_add(line, ", once there is an image: ferry update FILE");
    } else if (chip->start.recovery_idle_ms > 0) {
        text_number(text_add(line, ", or "), chip->start.recovery_idle_ms);
        text_add(line, " ms without a command");
    }
}

static void print_begin(struct vchip *chip, enum ferry_recovery_way way)
{
    struct text line = {0};

    if (way == FERRY_RECOVERY_WINDOW) {
        text_number(text_add(&line, "boot: recovery if an SMP command comes within "),
                    chip->start.recovery_wait_ms);
        text_add(&line, " ms");
    } else {
        text_add(text_add(&line, "boot: recovery ("), ferry_recovery_way_name(way));
        add_ways_out(text_add(&line, "): "), chip, way == FERRY_RECOVERY_NO_IMAGE);
    }
    print(chip, &line);
}

/* The first command came in the window. */
static void print_used(struct vchip *chip)
{
    struct text line = {0};

    add_ways_out(text_add(&line, "boot: recovery (window): "), chip, false);
    print(chip, &line);
}

/* ---- Serving
 * ---------------------------------------------------------------------------------------
 */

static void work(struct wires *wires, const struct queue_packet *packet)
{
    struct ferry_bytes pending = {packet->data, packet->len};

    while (pending.len > 0) {
        size_t len = ferry_recovery_handle(&recovery, &pending, (uint8_t)packet->wire, answer,
                                           wires->chip->start.buf_size);
        if (len > 0) {
            wires_answer(wires, packet, answer, len);
        }
    }
}

/* One packet, if there is one. */
static void work_on_first(struct wires *wires, enum ferry_recovery_way way)
{
    struct queue_packet *packet = queue_first(&wires->queue);
    bool used = ferry_recovery_is_used(&recovery);

    if (packet == NULL) {
        return;
    }
    work(wires, packet);
    queue_drop(&wires->queue);
    if (way == FERRY_RECOVERY_WINDOW && !used && ferry_recovery_is_used(&recovery)) {
        print_used(wires->chip);
    }
}

static void rest(struct wires *wires, uint64_t now, uint64_t deadline)
{
    uint64_t wait = deadline > now ? deadline - now : 0;

    vchip_feed(wires->chip);
    if (queue_first(&wires->queue) == NULL) {
        vchip_wait(wires->chip, wait < FEED_MS ? (uint32_t)wait : FEED_MS);
    }
}

static void leave(struct vchip *chip)
{
    struct text line = {0};

    if (ferry_recovery_is_used(&recovery)) {
        text_number(text_add(&line, "boot: recovery left: no command for "),
                    chip->start.recovery_idle_ms);
        print(chip, text_add(&line, " ms"));
    }
}

int recovery_serve(struct wires *wires, const struct ferry_boot_config *boot,
                   enum ferry_recovery_way way, const struct ferry_boot_report *report,
                   void (*settled)(void *context, int result,
                                   const struct ferry_boot_report *report))
{
    struct vchip *chip = wires->chip;
    const struct ferry_recovery_config config = {
        .boot = boot,
        .buf_size = (uint16_t)chip->start.buf_size,
        .buf_count = (uint16_t)chip->start.buf_count,
        .window_ms = chip->start.recovery_wait_ms,
        .idle_ms = chip->start.recovery_idle_ms,
        .no_downgrade = (chip->start.flags & FERRY_VCHIP_NO_DOWNGRADE) != 0,
        .verbose = true,
        .text = ferry_error_text,
        .encryption = boot->secrets != NULL ? &ferry_recovery_encrypted : NULL,
        .secrets = boot->secrets,
        .settled = settled,
    };
    int result = ferry_recovery_init(&recovery, &config, way, report, vchip_now_ms());

    if (result != FERRY_OK) {
        return result;
    }
    print_begin(chip, way);
    for (;;) {
        work_on_first(wires, way);

        uint64_t now = vchip_now_ms();
        uint64_t deadline = 0;
        enum ferry_recovery_wish wish = ferry_recovery_next(&recovery, now, &deadline);

        if (wish == FERRY_RECOVERY_RESET) {
            vchip_retain(chip, ferry_recovery_boot_mode(&recovery));
            vchip_reset(chip);
        }
        if (wish == FERRY_RECOVERY_LEAVE) {
            leave(chip);
            return FERRY_OK;
        }
        rest(wires, now, deadline);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A chip between a computer and another chip: an SMP server to the one, whose image 1 is the
 * other's firmware, and the client that carries it there when the shell is told to. Both wires are
 * served by one loop. */
#include "firmware/chips/carrier/carrier.h"
#include "firmware/chips/common/console.h"
#include "firmware/chips/common/print.h"

#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "ferry/shared_data.h"
#include "port/chip/chip.h"

#define FEED_MS 1000 /* the bootloader's watchdog bites after 8 s */

#define LINK_BYTES_PER_SECOND 11520

/* ---- The wire to the other chip ---------------------------------------------------------------
 */

static struct carry carry;

static size_t read_link(void *context, uint8_t *data, size_t cap)
{
    (void)context;
    return chip_read(CHIP_WIRE_LINK, data, cap);
}

static void write_link(void *context, const uint8_t *data, size_t len)
{
    (void)context;
    chip_write(CHIP_WIRE_LINK, data, len);
}

static const struct carry_link wire = {.read = read_link,
                                       .write = write_link,
                                       .feed = chip_feed,
                                       .bytes_per_second = LINK_BYTES_PER_SECOND};

/* ---- The server -------------------------------------------------------------------------------
 */

/* What is carried stays as it is, and who would end the carry is told. */
static int refuse_while_carried(struct ferry_server_call *call)
{
    if (carry.report.state != CARRY_BUSY) {
        return FERRY_RC_OK;
    }
    call->reason = "it carries the image to the other chip: carry status, or carry stop";
    return FERRY_RC_BUSY;
}

static int check_chunk(void *context, struct ferry_server_call *call,
                       const struct ferry_image_chunk *chunk)
{
    return chunk->image == CARRIER_STORED ? refuse_while_carried(call)
                                          : ferry_image_refuse_compressed(context, call, chunk);
}

static int check_command(void *context, struct ferry_server_call *call)
{
    bool erases =
        call->header.group == FERRY_SMP_GROUP_IMAGE && call->header.id == FERRY_SMP_IMAGE_ERASE;

    (void)context;
    return erases ? refuse_while_carried(call) : FERRY_RC_OK;
}

static int check_reset(void *context, struct ferry_server_call *call,
                       const struct ferry_os_reset *reset)
{
    (void)context;
    return reset->force ? FERRY_RC_OK : refuse_while_carried(call);
}

static struct ferry_image_group_config image_config = {.image_count = CARRIER_IMAGES,
                                                       .check = &ferry_image_check_sha256,
                                                       .upload = check_chunk,
                                                       .feed = chip_feed};
static const struct ferry_os_group_config os_config = {
    .boot_modes = true, .bootloader_mode = FERRY_MODE_RAM_LOAD, .reset = check_reset};
static char line[128];
static struct ferry_shell_group_config shell_config = {
    .run = carrier_command, .context = &carry, .line = line, .line_size = sizeof(line)};
static struct ferry_image_group image;
static struct ferry_os_group os;

static const struct ferry_server_mount groups[] = {
    {&ferry_os_group_table, &os},
    {&ferry_image_group_table, &image},
    {&ferry_shell_group_table, &shell_config},
};
static const struct ferry_server_config config = {.groups = groups,
                                                  .group_count = 3,
                                                  .buf_size = CONSOLE_PACKET,
                                                  .buf_count = 1,
                                                  .verbose = true,
                                                  .gate = check_command};
static struct ferry_server server;

static int init_server(void)
{
    uint8_t active = 0;
    int rc = ferry_shared_data_u8(chip_shared, CHIP_SHARED_SIZE, FERRY_BLINFO_SLOT, &active);

    image_config.images = carrier_slots(active);
    ferry_os_group_init(&os, &os_config);
    if (rc == FERRY_OK) {
        rc = ferry_image_group_init(&image, &image_config);
    }
    return rc == FERRY_OK ? ferry_server_init(&server, &config) : rc;
}

static size_t handle(struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    return ferry_server_handle(&server, pending, CHIP_WIRE_HOST, out, cap);
}

static void reset_if_asked(void)
{
    struct ferry_os_reset reset;

    if (ferry_os_group_reset_due(&os, &reset)) {
        chip_keep_boot_mode(reset.boot_mode);
        chip_reset(); /* once the answer has left */
    }
}

/* ---- The loop ---------------------------------------------------------------------------------
 */

int main(void)
{
    chip_init();
    print("app: carrier " APP_VERSION "\n");
    carry_init(&carry, &wire);
    console_init();
    if (init_server() != FERRY_OK) {
        return 1; /* the slots do not fit the strategy: a mistake in the tables above */
    }
    for (;;) {
        uint64_t now = chip_now_ms();
        uint64_t due = carry_due(&carry);

        chip_wait(due < now + FEED_MS ? due : now + FEED_MS);
        chip_feed(NULL);
        console_serve(handle);
        carry_turn(&carry, chip_now_ms());
        reset_if_asked();
    }
}

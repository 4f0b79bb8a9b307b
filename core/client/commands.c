/* SPDX-License-Identifier: Apache-2.0 */
/* The common commands: how requests are written. answers.c reads what comes back. */
#include "ferry/commands.h"

#include "ferry/cbor.h"

#include <string.h>

/* A request that is being written into the client's own memory. */
struct draft {
    struct ferry_client_command command;
    struct ferry_cbor_writer writer;
};

/* Returns false when the window is full. */
static bool begin(struct ferry_client *client, struct draft *draft, uint8_t op, uint16_t group,
                  uint8_t id, void *user)
{
    size_t cap;
    uint8_t *room = ferry_client_room(client, &cap);

    memset(draft, 0, sizeof *draft);
    draft->command.op = op;
    draft->command.group = group;
    draft->command.id = id;
    draft->command.user = user;
    ferry_cbor_writer_init(&draft->writer, room, cap);
    return room != NULL;
}

static int32_t finish(struct ferry_client *client, struct draft *draft)
{
    int len = ferry_cbor_writer_result(&draft->writer);

    if (len < 0) {
        return len;
    }
    draft->command.payload.data = draft->writer.buf;
    draft->command.payload.len = (size_t)len;
    return ferry_client_submit(client, &draft->command);
}

/* A command without arguments; an empty map, since some servers refuse an empty payload. */
static int32_t submit_plain(struct ferry_client *client, uint16_t group, uint8_t id, void *user)
{
    struct draft draft;

    if (!begin(client, &draft, FERRY_SMP_READ, group, id, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 0);
    return finish(client, &draft);
}

/* A read whose only argument is a text that may be left out. */
static int32_t submit_text(struct ferry_client *client, uint8_t id, const char *key,
                           const char *text, void *user)
{
    struct draft draft;

    if (!begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, id, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, text != NULL);
    if (text != NULL) {
        ferry_cbor_pair_text(&draft.writer, key, text);
    }
    return finish(client, &draft);
}

int32_t ferry_command_echo(struct ferry_client *client, const char *text, size_t len, void *user)
{
    struct draft draft;

    if (!begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_ECHO, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 1);
    ferry_cbor_put_text(&draft.writer, "d");
    ferry_cbor_put_text_n(&draft.writer, text, len);
    return finish(client, &draft);
}

int32_t ferry_command_reset(struct ferry_client *client, bool force, int boot_mode, void *user)
{
    struct draft draft;

    if (!begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET, user)) {
        return FERRY_E_BUSY;
    }
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, (size_t)force + (boot_mode >= 0));
    if (force) {
        ferry_cbor_pair_bool(&draft.writer, "force", true);
    }
    if (boot_mode >= 0) {
        ferry_cbor_pair_uint(&draft.writer, "boot_mode", (unsigned)boot_mode);
    }
    return finish(client, &draft);
}

int32_t ferry_command_params(struct ferry_client *client, void *user)
{
    return submit_plain(client, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_PARAMS, user);
}

int32_t ferry_command_info(struct ferry_client *client, const char *format, void *user)
{
    return submit_text(client, FERRY_SMP_OS_INFO, "format", format, user);
}

int32_t ferry_command_bootloader(struct ferry_client *client, const char *query, void *user)
{
    return submit_text(client, FERRY_SMP_OS_BOOTLOADER_INFO, "query", query, user);
}

/* A query of the bootloader's information about one image. */
static int32_t submit_query(struct ferry_client *client, const char *query, uint32_t image,
                            void *user)
{
    struct draft draft;

    if (!begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_BOOTLOADER_INFO,
               user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 2);
    ferry_cbor_pair_text(&draft.writer, "query", query);
    ferry_cbor_pair_uint(&draft.writer, "image", image);
    return finish(client, &draft);
}

int32_t ferry_command_why(struct ferry_client *client, uint32_t image, void *user)
{
    return submit_query(client, "why", image, user);
}

int32_t ferry_command_measured(struct ferry_client *client, uint32_t image, void *user)
{
    return submit_query(client, "measured", image, user);
}

int32_t ferry_command_image_list(struct ferry_client *client, void *user)
{
    return submit_plain(client, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE, user);
}

int32_t ferry_command_slot_info(struct ferry_client *client, void *user)
{
    return submit_plain(client, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_SLOT_INFO, user);
}

int32_t ferry_command_image_state(struct ferry_client *client, struct ferry_bytes hash,
                                  bool confirm, void *user)
{
    struct draft draft;

    if (!begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE,
               user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, hash.len > 0 ? 2 : 1);
    if (hash.len > 0) {
        ferry_cbor_pair_bytes(&draft.writer, "hash", hash.data, hash.len);
    }
    ferry_cbor_pair_bool(&draft.writer, "confirm", confirm);
    return finish(client, &draft);
}

int32_t ferry_command_image_erase(struct ferry_client *client, int slot, uint32_t slot_size,
                                  void *user)
{
    struct draft draft;

    if (!begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_ERASE,
               user)) {
        return FERRY_E_BUSY;
    }
    draft.command.timeout_ms = ferry_client_erase_ms(slot_size);
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, slot >= 0);
    if (slot >= 0) {
        ferry_cbor_pair_uint(&draft.writer, "slot", (unsigned)slot);
    }
    return finish(client, &draft);
}

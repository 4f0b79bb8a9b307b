/* SPDX-License-Identifier: Apache-2.0 */
/* The common commands: how requests are written. answers.c reads what comes back. */
#include "draft.h"
#include "ferry/commands.h"

int32_t ferry_command_echo(struct ferry_client *client, const char *text, size_t len, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_ECHO,
                           user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 1);
    ferry_cbor_put_text(&draft.writer, "d");
    ferry_cbor_put_text_n(&draft.writer, text, len);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_reset(struct ferry_client *client, bool force, int boot_mode, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_RESET,
                           user)) {
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
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_params(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_PARAMS, user);
}

int32_t ferry_command_info(struct ferry_client *client, const char *format, void *user)
{
    return ferry_draft_text(client, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_INFO, "format",
                            format, user);
}

int32_t ferry_command_bootloader(struct ferry_client *client, const char *query, void *user)
{
    return ferry_draft_text(client, FERRY_SMP_READ, FERRY_SMP_GROUP_OS,
                            FERRY_SMP_OS_BOOTLOADER_INFO, "query", query, user);
}

/* A query of the bootloader's information about one image. */
static int32_t submit_query(struct ferry_client *client, const char *query, uint32_t image,
                            void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_READ, FERRY_SMP_GROUP_OS,
                           FERRY_SMP_OS_BOOTLOADER_INFO, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 2);
    ferry_cbor_pair_text(&draft.writer, "query", query);
    ferry_cbor_pair_uint(&draft.writer, "image", image);
    return ferry_draft_submit(client, &draft);
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
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_STATE,
                             user);
}

int32_t ferry_command_slot_info(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_IMAGE,
                             FERRY_SMP_IMAGE_SLOT_INFO, user);
}

int32_t ferry_command_image_state(struct ferry_client *client, struct ferry_bytes hash,
                                  bool confirm, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE,
                           FERRY_SMP_IMAGE_STATE, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, hash.len > 0 ? 2 : 1);
    if (hash.len > 0) {
        ferry_cbor_pair_bytes(&draft.writer, "hash", hash.data, hash.len);
    }
    ferry_cbor_pair_bool(&draft.writer, "confirm", confirm);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_image_erase(struct ferry_client *client, int slot, uint32_t slot_size,
                                  void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_IMAGE,
                           FERRY_SMP_IMAGE_ERASE, user)) {
        return FERRY_E_BUSY;
    }
    draft.command.timeout_ms = ferry_client_erase_ms(slot_size);
    draft.command.retries = FERRY_CLIENT_ONCE;
    ferry_cbor_put_map(&draft.writer, slot >= 0);
    if (slot >= 0) {
        ferry_cbor_pair_uint(&draft.writer, "slot", (unsigned)slot);
    }
    return ferry_draft_submit(client, &draft);
}

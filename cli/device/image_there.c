/* SPDX-License-Identifier: Apache-2.0 */
#include "image_there.h"

#include "ferry/slots.h"

#define SLOTS_MAX 16

static bool takes(const struct ferry_slot_info *slot, uint32_t image)
{
    return slot->image == image || (slot->has_upload_id && slot->upload_id == image);
}

/* "0, 1": the images that there are, each once. */
static void list_images(const struct ferry_slot_info *slots, int count, char *out, size_t cap)
{
    size_t len = 0;

    out[0] = '\0';
    for (int i = 0; i < count && len + 12 < cap; i++) {
        if (i == 0 || slots[i].image != slots[i - 1].image) {
            len += (size_t)snprintf(out + len, cap - len, "%s%u", len > 0 ? ", " : "",
                                    (unsigned)slots[i].image);
        }
    }
}

int image_there(struct session *session, uint32_t image)
{
    struct ferry_slot_info slots[SLOTS_MAX];
    struct ferry_client_answer answer;
    char images[64];

    if (image == 0 ||
        session_ask(session, ferry_command_slot_info(session->client, NULL), &answer) != FERRY_OK) {
        return CLI_OK;
    }
    int count = ferry_answer_slot_info(answer.payload, slots, SLOTS_MAX);
    if (count <= 0 || count > SLOTS_MAX) {
        return CLI_OK;
    }
    for (int i = 0; i < count; i++) {
        if (takes(&slots[i], image)) {
            return CLI_OK;
        }
    }
    list_images(slots, count, images, sizeof images);
    return cli_fail(session->cli, CLI_REFUSED, "look which images it has: ferry image slots",
                    "the device has no image %u; it has %s", (unsigned)image, images);
}

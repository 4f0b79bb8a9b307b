/* SPDX-License-Identifier: Apache-2.0 */
/* One blocking call a command. */
#include "failure.h"

#include <string.h>

int ferry_device_open(struct ferry_connection **device, const char *uri,
                      struct ferry_failure *failure)
{
    const struct ferry_connection_config config = {.uri = uri};
    char why[sizeof failure->text] = "";
    int error = ferry_connection_open(device, &config, why, sizeof why);

    if (error != FERRY_OK) {
        return ferry_failure_set(failure, error, why, ferry_error_remedy(error));
    }
    error = ferry_connection_hello(*device);
    if (error != FERRY_OK) {
        ferry_connection_close(*device);
        *device = NULL;
        return ferry_failure_plain(failure, error);
    }
    return FERRY_OK;
}

/* ---- Any command ------------------------------------------------------------------------- */

int ferry_device_wait(struct ferry_connection *device, int32_t ticket,
                      struct ferry_client_answer *answer, struct ferry_failure *failure)
{
    int error = ferry_connection_ask(device, ticket, answer);

    if (error == FERRY_OK) {
        return FERRY_OK;
    }
    return error == FERRY_E_REFUSED ? ferry_failure_refused(failure, &answer->status)
                                    : ferry_failure_plain(failure, error);
}

int ferry_device_ask(struct ferry_connection *device, uint8_t op, uint16_t group, uint8_t id,
                     struct ferry_bytes payload, struct ferry_client_answer *answer,
                     struct ferry_failure *failure)
{
    const struct ferry_client_command command = {
        .op = op, .group = group, .id = id, .payload = payload};

    return ferry_device_wait(device, ferry_client_submit(ferry_connection_client(device), &command),
                             answer, failure);
}

/* ---- The common ones ----------------------------------------------------------------------- */

int ferry_device_echo(struct ferry_connection *device, const char *text, char *out, size_t cap,
                      struct ferry_failure *failure)
{
    struct ferry_client_answer answer;
    struct ferry_client *client = ferry_connection_client(device);
    int error = ferry_device_wait(device, ferry_command_echo(client, text, strlen(text), NULL),
                                  &answer, failure);

    if (error != FERRY_OK) {
        return error;
    }
    error = ferry_answer_text(answer.payload, "r", out, cap);
    return error < 0 ? ferry_failure_plain(failure, error) : FERRY_OK;
}

int ferry_device_images(struct ferry_connection *device, struct ferry_image_state *states,
                        size_t cap, struct ferry_failure *failure)
{
    struct ferry_client_answer answer;
    struct ferry_client *client = ferry_connection_client(device);
    int count = ferry_device_wait(device, ferry_command_image_list(client, NULL), &answer, failure);

    if (count == FERRY_OK) {
        count = ferry_answer_image_list(answer.payload, states, cap);
        return count < 0 ? ferry_failure_plain(failure, count) : count;
    }
    return count;
}

int ferry_device_test(struct ferry_connection *device, struct ferry_bytes hash,
                      struct ferry_failure *failure)
{
    struct ferry_client_answer answer;
    struct ferry_client *client = ferry_connection_client(device);

    return ferry_device_wait(device, ferry_command_image_state(client, hash, false, NULL), &answer,
                             failure);
}

/* What the list says of an image, of equals of the one that runs; zero when it is not there. */
static int find_image(struct ferry_connection *device, struct ferry_bytes hash,
                      struct ferry_image_state *found, struct ferry_failure *failure)
{
    struct ferry_image_state states[FERRY_UPDATE_STATES];
    int count = ferry_device_images(device, states, FERRY_UPDATE_STATES, failure);

    *found = (struct ferry_image_state){0};
    for (int i = 0; i < count && i < FERRY_UPDATE_STATES; i++) {
        bool same =
            states[i].hash_len == hash.len && memcmp(states[i].hash, hash.data, hash.len) == 0;
        if (same && (found->hash_len == 0 || states[i].active)) {
            *found = states[i];
        }
    }
    return count < 0 ? count : FERRY_OK;
}

/* A confirm that names its image is sent once. Should a trial image crash now and the old one
 * answer, a second one would install what crashed for good: so the list is read before it. */
static int confirm_once(struct ferry_connection *device, struct ferry_bytes hash, bool *again,
                        struct ferry_failure *failure)
{
    struct ferry_client *client = ferry_connection_client(device);
    struct ferry_client_answer answer;
    struct ferry_image_state found;
    int32_t ticket = ferry_command_image_state(client, hash, true, NULL);

    ferry_client_last_try(client, ticket);
    int error = ferry_device_wait(device, ticket, &answer, failure);
    *again = false;
    if (error != FERRY_E_TIMEOUT) {
        return error;
    }
    error = find_image(device, hash, &found, failure);
    if (error != FERRY_OK || found.confirmed || (found.pending && found.permanent)) {
        return error;
    }
    *again = found.active;
    return ferry_failure_set(failure, FERRY_E_TIMEOUT,
                             found.active ? "the device does not answer the confirm"
                                          : "no answer to the confirm, and the image does not run: "
                                            "it is not sent twice",
                             "look at the list of images; confirm again if that is still wanted");
}

int ferry_device_confirm(struct ferry_connection *device, struct ferry_bytes hash,
                         struct ferry_failure *failure)
{
    struct ferry_client_answer answer;
    struct ferry_client *client = ferry_connection_client(device);
    bool again = true;
    int error = FERRY_E_TIMEOUT;

    if (hash.len == 0) {
        return ferry_device_wait(device, ferry_command_image_state(client, hash, true, NULL),
                                 &answer, failure);
    }
    for (int tries = 0; again && tries <= FERRY_CLIENT_RETRIES; tries++) {
        error = confirm_once(device, hash, &again, failure);
    }
    return error;
}

int ferry_device_erase(struct ferry_connection *device, int slot, struct ferry_failure *failure)
{
    struct ferry_client_answer answer;
    struct ferry_client *client = ferry_connection_client(device);

    return ferry_device_wait(device, ferry_command_image_erase(client, slot, 0, NULL), &answer,
                             failure);
}

int ferry_device_reset(struct ferry_connection *device, struct ferry_failure *failure)
{
    struct ferry_client_answer answer;
    struct ferry_client *client = ferry_connection_client(device);
    int error = ferry_connection_ask(device, ferry_command_reset(client, false, -1, NULL), &answer);

    if (error == FERRY_E_TIMEOUT || error == FERRY_E_IO) {
        return FERRY_OK;
    }
    if (error == FERRY_E_REFUSED) {
        return ferry_failure_refused(failure, &answer.status);
    }
    return error == FERRY_OK ? FERRY_OK : ferry_failure_plain(failure, error);
}

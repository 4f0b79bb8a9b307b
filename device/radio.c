/* SPDX-License-Identifier: Apache-2.0 */
/* The radio and the modem of the chip: what they tell and bring goes to the program, which says
 * when they are to be heard. */
#include "chip.h"

#include <stdio.h>

static void told(void *context, uint32_t link, const struct ferry_vchip_peer *state)
{
    struct chip *chip = context;

    if (!chip_peer_is(chip, FERRY_VCHIP_BLE, link, state)) {
        chip_say(chip, "a link more than the radio has room for is ignored");
    }
}

static void left(void *context, uint32_t link, uint32_t count)
{
    chip_notified(context, link, count);
}

static void failed(void *context, const char *why)
{
    struct chip *chip = context;

    (void)fprintf(stderr, "ferry-device: %s\n", why);
    chip->exit_code = EXIT_FAILED;
}

int chip_open_radio(struct chip *chip, char *why, size_t cap)
{
    const struct ble_config config = {.name = chip->options->ble,
                                      .permission = chip->options->ble_permission,
                                      .plain = chip->options->ble_plain,
                                      .told = told,
                                      .left = left,
                                      .failed = failed,
                                      .context = chip};

    return config.name != NULL ? ble_open(&chip->ble, &config, why, cap) : FERRY_OK;
}

void chip_advertise(struct chip *chip, bool on)
{
    if (chip->modem != NULL) {
        modem_listen(chip->modem, on);
    }
    if (chip->ble != NULL) {
        ble_advertise(chip->ble, on);
    }
}

void chip_take_values(struct chip *chip)
{
    const struct ble_value *value;

    while (chip->ble != NULL && (value = ble_first(chip->ble)) != NULL) {
        const struct ferry_vchip_message message = {
            .kind = FERRY_VCHIP_RECEIVED, .a = FERRY_VCHIP_BLE, .b = value->link};
        const struct ferry_bytes bytes = {value->bytes, value->len};

        if (!chip_tell_peers(chip) ||
            program_tell(&chip->program, &message, bytes) == FERRY_E_FULL) {
            return;
        }
        ble_drop(chip->ble);
    }
}

/* ---- The modem ------------------------------------------------------------------------------- */

static bool session_told(void *context, uint32_t session, const struct ferry_vchip_peer *state)
{
    return chip_peer_is(context, FERRY_VCHIP_DTLS, session, state);
}

/* Before the program knows the session it gets nothing of it: that is lost, and asked for again. */
static void session_received(void *context, uint32_t session, struct ferry_bytes packet)
{
    struct chip *chip = context;

    if (chip_tell_peers(chip) && packet.len <= FERRY_VCHIP_SEND_MAX) {
        chip_receive(chip, chip_now(), FERRY_VCHIP_DTLS, session, packet);
    }
}

static void say_text(void *context, const char *text)
{
    chip_say(context, "%s", text);
}

int chip_open_modem(struct chip *chip, char *why, size_t cap)
{
    const struct options *options = chip->options;
    const struct modem_config config = {.psk_file = options->dtls_psk,
                                        .cert_file = options->dtls_cert,
                                        .key_file = options->dtls_key,
                                        .ca_file = options->dtls_ca,
                                        .told = session_told,
                                        .received = session_received,
                                        .say = say_text,
                                        .context = chip};
    char cause[384];
    int result = options->dtls >= 0
                     ? modem_open(&chip->modem, &chip->udp, &config, cause, sizeof(cause))
                     : FERRY_OK;

    if (result != FERRY_OK) {
        (void)snprintf(why, cap, "--dtls: %s", cause);
    }
    return result;
}

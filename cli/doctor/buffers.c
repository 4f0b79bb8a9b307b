/* SPDX-License-Identifier: Apache-2.0 */
/* How much may be sent at once, as the device says, and as it takes it? */
#include "doctor.h"
#include "predict.h"

/* The largest that is tried: what a device takes beyond it does not make uploads faster. */
#define TRIED_MAX 4096

/* Header, map, key and the head of the text around an echo's text. */
#define ECHO_OVERHEAD (FERRY_SMP_HEADER_SIZE + 6)

/* ---- Buffers
 * ------------------------------------------------------------------------------------- */

/* A device without os/6: what it takes is found by texts that grow, each sent once. A refusal is an
 * answer. Returns the largest packet that was answered, or 0. */
static size_t grow(struct doctor *doctor)
{
    static const uint16_t packets[] = {64, 128, 256, 512, 1024, 2048};
    struct ferry_client_answer answer;
    size_t taken = 0;

    ferry_client_set_packet_max(doctor->session.client, TRIED_MAX);
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        int error =
            doctor_echo(doctor, packets[i] - ECHO_OVERHEAD - 4u, FERRY_CLIENT_ONCE, &answer, NULL);
        if (error != FERRY_OK) {
            break;
        }
        taken = packets[i] - 4u;
    }
    return taken;
}

static void tell_params(struct doctor *doctor, const struct ferry_connection_facts *facts,
                        struct doctor_finding *finding)
{
    const struct ferry_params *params = &facts->params;

    doctor->packet_max = facts->packet_max;
    cJSON_AddNumberToObject(doctor->facts, "buf_size", params->buf_size);
    cJSON_AddNumberToObject(doctor->facts, "buf_count", params->buf_count);
    doctor_ok(finding, "%u of %u bytes, as it says: packets of up to %zu bytes, %u in flight",
              (unsigned)params->buf_count, (unsigned)params->buf_size, doctor->packet_max,
              (unsigned)facts->window);
}

void doctor_buffers(struct doctor *doctor, struct doctor_finding *finding)
{
    struct ferry_connection_facts facts;

    ferry_connection_facts(doctor->session.connection, &facts);
    doctor->has_params = facts.has_params;
    if (facts.has_params) {
        tell_params(doctor, &facts, finding);
        return;
    }
    if (facts.fragment > 0) {
        doctor->packet_max = facts.packet_max;
        doctor_ok(finding, "it does not tell (no os/6): packets of one fragment, %zu bytes",
                  doctor->packet_max);
        return;
    }
    size_t taken = grow(doctor);
    doctor->packet_max = taken > 0 ? taken : ferry_client_packet_max(facts.link, 0);
    ferry_client_set_packet_max(doctor->session.client, doctor->packet_max);
    if (taken == 0) {
        doctor_ok(finding, "it does not tell, and does not echo: packets of %zu bytes are safe",
                  doctor->packet_max);
    } else {
        doctor_ok(finding,
                  "it does not tell (no os/6); packets of %zu bytes were echoed, one in "
                  "flight",
                  taken);
    }
}

/* ---- Lines
 * --------------------------------------------------------------------------------------- */

static uint32_t lines_of(const struct doctor *doctor, size_t packet)
{
    bool lines = (doctor->wire == DOCTOR_TTY || doctor->wire == DOCTOR_STREAM) && !doctor->raw;
    uint32_t base64 = (uint32_t)(packet + 6) / 3 * 4;
    return lines ? (base64 + 123) / 124 : 1;
}

/* The largest packet below one that got no answer, by halves; 0 = none. */
static size_t halve(struct doctor *doctor, size_t packet)
{
    struct ferry_client_answer answer;
    for (size_t tried = packet / 2; tried > 2 * ECHO_OVERHEAD; tried /= 2) {
        int error = doctor_echo(doctor, tried - ECHO_OVERHEAD, FERRY_CLIENT_ONCE, &answer, NULL);
        if (error == FERRY_OK || error == FERRY_E_REFUSED) {
            return tried;
        }
    }
    return 0;
}

static void tell_lost(struct doctor *doctor, size_t packet, struct doctor_finding *finding)
{
    size_t taken = halve(doctor, packet);
    bool lines = lines_of(doctor, packet) > 1;

    doctor_fail(finding, CLI_NO_ANSWER,
                doctor->wire == DOCTOR_UDP
                    ? "datagrams of this size are lost on the way, or the device's buffer is "
                      "smaller than it says"
                : lines ? "the device loses bytes of long requests (its UART's FIFO, no flow "
                          "control), has too few line buffers, or a smaller buffer than it says"
                        : "the device loses bytes of long requests, or its buffer is smaller than "
                          "it says",
                doctor->wire == DOCTOR_UDP
                    ? "check the MTU on the way and the device's network buffers"
                    : "give the firmware more receive buffers (Zephyr: "
                      "CONFIG_UART_MCUMGR_RX_BUF_COUNT), DMA or a lower rate",
                "a request of %zu bytes gets no answer, one of %zu does", packet, taken);
    doctor->packet_max = taken > 0 ? taken : doctor->packet_max;
}

void doctor_lines(struct doctor *doctor, struct doctor_finding *finding)
{
    struct ferry_client_answer answer;
    uint32_t took_us;
    size_t packet = ferry_min32((uint32_t)doctor->packet_max, TRIED_MAX);
    int error = doctor_echo(doctor, 1, 2, &answer, NULL);

    if (error == FERRY_E_REFUSED) {
        doctor_skip(finding, "the device does not echo");
        return;
    }
    error = doctor_echo(doctor, packet - ECHO_OVERHEAD, 2, &answer, &took_us);
    if (error == FERRY_E_TIMEOUT) {
        tell_lost(doctor, packet, finding);
    } else if (error != FERRY_OK && error != FERRY_E_REFUSED) {
        doctor_fail(finding, CLI_NO_ANSWER, ferry_error_text(error), ferry_error_remedy(error),
                    "a request of %zu bytes fails", packet);
    } else if (answer.tries > 1) {
        doctor_warn(finding, "bytes are lost or changed on the way",
                    "check the line; more receive buffers in the firmware, or a lower rate",
                    "a request of %zu bytes had to be sent %u times", packet,
                    (unsigned)answer.tries);
    } else if (lines_of(doctor, packet) > 1) {
        doctor->long_us = took_us;
        doctor_ok(finding, "a request of %zu bytes, %u lines of at most 127, is answered", packet,
                  (unsigned)lines_of(doctor, packet));
    } else {
        doctor->long_us = took_us;
        doctor_ok(finding, "a request of %zu bytes is answered", packet);
    }
}

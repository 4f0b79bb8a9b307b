/* SPDX-License-Identifier: Apache-2.0 */
/* Does SMP answer: as it was asked, else with the other framing? */
#include "doctor.h"
#include "cli/device/remedy.h"

#include "ferry/cbor.h"

#include <string.h>
#include <time.h>

/* ---- Asking -------------------------------------------------------------------------------------
 */

int doctor_read(struct doctor *doctor, uint16_t group, uint8_t id, const char *key,
                const char *text, struct ferry_client_answer *answer)
{
    uint8_t payload[64];
    struct ferry_cbor_writer w;

    ferry_cbor_writer_init(&w, payload, sizeof payload);
    ferry_cbor_put_map(&w, key != NULL);
    if (key != NULL) {
        ferry_cbor_pair_text(&w, key, text);
    }
    struct ferry_client_command command = {
        .op = FERRY_SMP_READ, .group = group, .id = id, .payload = {payload, w.len}, .retries = 2};
    return session_ask(&doctor->session, ferry_client_submit(doctor->session.client, &command),
                       answer);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int doctor_echo(struct doctor *doctor, size_t len, uint8_t retries,
                struct ferry_client_answer *answer, uint32_t *took_us)
{
    static uint8_t payload[FERRY_CONNECTION_PACKET_MAX];
    static char text[FERRY_CONNECTION_PACKET_MAX];
    struct ferry_cbor_writer w;

    memset(text, 'f', len);
    ferry_cbor_writer_init(&w, payload, sizeof payload);
    ferry_cbor_put_map(&w, 1);
    ferry_cbor_put_text(&w, "d");
    ferry_cbor_put_text_n(&w, text, len);
    int fits = ferry_cbor_writer_result(&w);
    if (fits < 0) {
        return fits;
    }
    struct ferry_client_command command = {.op = FERRY_SMP_WRITE,
                                           .group = FERRY_SMP_GROUP_OS,
                                           .id = FERRY_SMP_OS_ECHO,
                                           .payload = {payload, w.len},
                                           .retries = retries};
    uint64_t begun = now_us();
    int error = session_ask(&doctor->session, ferry_client_submit(doctor->session.client, &command),
                            answer);
    if (took_us != NULL) {
        *took_us = (uint32_t)(now_us() - begun);
    }
    return error;
}

/* ---- The wire as another URI
 * ---------------------------------------------------------------------- */

void doctor_uri(const struct doctor *doctor, bool raw, uint32_t baud, char *uri, size_t cap)
{
    const struct ferry_transport_address *address = &doctor->address;

    char rate[24] = "";
    if (address->medium == FERRY_TRANSPORT_SERIAL) {
        snprintf(uri, cap, "%s:%s?baud=%u", raw ? "raw" : "serial", address->path, (unsigned)baud);
        return;
    }
    if (baud > 0) {
        snprintf(rate, sizeof rate, "&baud=%u", (unsigned)baud);
    }
    if (address->medium == FERRY_TRANSPORT_UNIX) {
        snprintf(uri, cap, "unix:%s?framing=%s%s", address->path, raw ? "raw" : "console", rate);
        return;
    }
    bool ipv6 = strchr(address->path, ':') != NULL;
    snprintf(uri, cap, "tcp:%s%s%s:%s?framing=%s%s", ipv6 ? "[" : "", address->path,
             ipv6 ? "]" : "", address->port, raw ? "raw" : "console", rate);
}

/* ---- Answer -------------------------------------------------------------------------------------
 */

static const char *framing_name(const struct doctor *doctor)
{
    if (doctor->address.medium == FERRY_TRANSPORT_DTLS) {
        return "over DTLS";
    }
    if (doctor->wire == DOCTOR_RADIO) {
        return "over Bluetooth LE";
    }
    if (doctor->wire == DOCTOR_UDP) {
        return "over UDP";
    }
    return doctor->raw ? "by bare packets" : "by the console's frames";
}

/* What was seen of one that does not answer, before the wire is closed. */
static void keep_silence(struct doctor *doctor)
{
    silence_keep(&doctor->silence, doctor->session.connection);
    snprintf(doctor->silence_text, sizeof doctor->silence_text, "%s", doctor->session.last_text);
    doctor->silence.last_text = doctor->silence_text;
    doctor->silence.odd_bytes = doctor->session.odd_bytes;
    doctor->silence.holders = doctor->holders;
}

/* Open the wire at doctor->uri and ask how it speaks. Returns FERRY_OK or an error; the
 * conversation is open after FERRY_OK and FERRY_E_VERSION. */
static int try_hello(struct doctor *doctor, char *why, size_t cap)
{
    struct ferry_client_answer answer;
    int error = doctor_dial(doctor, why, cap);

    if (error != FERRY_OK) {
        return error == FERRY_E_TIMEOUT ? FERRY_E_IO : error;
    }
    error = session_hello(&doctor->session);
    snprintf(why, cap, "%s", ferry_error_text(error));
    if (error == FERRY_OK) {
        (void)doctor_echo(doctor, 5, 2, &answer, NULL);
        doctor->version = (uint8_t)(answer.header.version + 1);
        doctor->has |= DOCTOR_HAS_ANSWER;
    } else if (error == FERRY_E_TIMEOUT) {
        keep_silence(doctor);
        doctor_hang_up(doctor);
    }
    return error;
}

static void tell_silence(const struct doctor *doctor, struct doctor_finding *finding)
{
    struct silence_words words;
    silence_explain(&doctor->silence, &words);
    doctor_fail(finding, CLI_NO_ANSWER, words.why, words.next, "no answer %s: %s",
                framing_name(doctor), words.seen);
}

/* A wire that says why it broke. Returns whether it does. */
static bool tell_why(const struct doctor *doctor, struct doctor_finding *finding)
{
    const char *next;
    const char *broken = ferry_connection_broken(doctor->session.connection, &next);

    if (broken[0] == '\0') {
        return false;
    }
    doctor_fail(finding, CLI_NO_ANSWER, broken, next, "the two ends have no session");
    return true;
}

/* A wire that did not open, or broke. */
static void tell_broken(struct doctor *doctor, int error, char *why, struct doctor_finding *finding)
{
    bool told = doctor->open && tell_why(doctor, finding);

    if (!told && error == FERRY_E_CONFIG && doctor->address.medium == FERRY_TRANSPORT_DTLS) {
        const char *next = remedy_cut(why);

        doctor_fail(finding, CLI_OPEN, why, next[0] != '\0' ? next : dtls_keys_next,
                    "the keys cannot be used");
    } else if (!told) {
        doctor_fail(finding, CLI_NO_ANSWER, "it was unplugged, or has reset",
                    "plug it in again, then try again", "the wire broke: %s", why);
    }
    doctor_hang_up(doctor);
    doctor->has &= ~(unsigned)DOCTOR_HAS_WIRE;
}

void doctor_answer(struct doctor *doctor, struct doctor_finding *finding)
{
    char why[320] = "";
    int error = try_hello(doctor, why, sizeof why);

    if (error == FERRY_OK) {
        doctor_ok(finding, "SMP version %u %s", doctor->version, framing_name(doctor));
        cJSON_AddNumberToObject(doctor->facts, "smp_version", doctor->version);
    } else if (error == FERRY_E_TIMEOUT) {
        tell_silence(doctor, finding);
    } else if (error == FERRY_E_VERSION) {
        doctor_hang_up(doctor);
        doctor_fail(finding, CLI_REFUSED, "it refuses version 1 and version 2",
                    "look for a newer ferry", "the device speaks another SMP");
    } else if (error == FERRY_E_FRAGMENT) {
        doctor_hang_up(doctor);
        doctor_fail(finding, CLI_REFUSED, why, ferry_error_remedy(error),
                    "it answers, but nothing larger than a fragment reaches it");
    } else {
        tell_broken(doctor, error, why, finding);
    }
}

/* ---- The other framing
 * ----------------------------------------------------------------------------- */

/* A line of bare packets takes a frame for the begin of one, and gives it up after this silence. */
static void let_it_forget(void)
{
    struct timespec wait = {.tv_sec = (FERRY_RAW_TIMEOUT_MS + 300) / 1000,
                            .tv_nsec = (FERRY_RAW_TIMEOUT_MS + 300) % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

void doctor_framing(struct doctor *doctor, struct doctor_finding *finding)
{
    char asked[sizeof doctor->uri];
    char next[sizeof finding->next];
    char why[320];

    if ((doctor->has & DOCTOR_HAS_ANSWER) != 0) {
        doctor_skip(finding, "not in question: it answers");
        return;
    }
    if (doctor->silence.facts.echoed > 0) {
        doctor_skip(finding, "not in question: what is sent comes back");
        return;
    }
    memcpy(asked, doctor->uri, sizeof asked);
    if (!doctor->raw) {
        let_it_forget();
    }
    doctor_uri(doctor, !doctor->raw, doctor->address.baud, doctor->uri, sizeof doctor->uri);
    if (try_hello(doctor, why, sizeof why) == FERRY_OK) {
        doctor->raw = !doctor->raw;
        snprintf(next, sizeof next, "-d '%s'", doctor->uri);
        finding->is_cause = true;
        doctor_fail(finding, CLI_NO_ANSWER, "the device frames its packets in the other way", next,
                    "it answers %s, SMP version %u", framing_name(doctor), doctor->version);
        cJSON_AddNumberToObject(doctor->facts, "smp_version", doctor->version);
        return;
    }
    doctor_hang_up(doctor);
    memcpy(doctor->uri, asked, sizeof asked);
    doctor_skip(finding, "not in question: no answer %s either",
                doctor->raw ? "by the console's frames" : "by bare packets");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Do any bytes come, and what are they? */
#include "listen.h"
#include "hearing.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* A device that logs does it more often than this; who is asked by Enter answers at once. */
#define LISTEN_MS 300

void listen_to(struct ferry_transport *transport, uint32_t ms, struct listened *heard)
{
    uint64_t end = ferry_posix_now_ms() + ms;

    for (uint64_t now = ferry_posix_now_ms(); now < end && !heard->gone;
         now = ferry_posix_now_ms()) {
        struct pollfd wait = {.fd = transport->fd, .events = POLLIN};
        if (heard->len == LISTEN_BYTES || poll(&wait, 1, (int)(end - now)) <= 0) {
            return;
        }
        ssize_t got = read(transport->fd, heard->bytes + heard->len, LISTEN_BYTES - heard->len);
        heard->len += got > 0 ? (size_t)got : 0;
        heard->gone = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    }
}

static void tell_noise(const struct listened *heard, bool has_rate, struct doctor_finding *finding)
{
    doctor_warn(finding,
                has_rate ? "the baud rates of both sides differ, or this is another protocol"
                         : "another protocol is spoken on this port",
                has_rate ? "give the device's rate: -d 'serial:PORT?baud=N'"
                         : "give the port that the firmware has SMP on",
                "%zu bytes came that are neither text nor SMP", heard->len);
}

static void tell(struct doctor *doctor, const struct listened *heard,
                 struct doctor_finding *finding)
{
    struct ferry_bytes bytes = {heard->bytes, heard->len};
    char line[80];

    hearing_last_line(bytes, line, sizeof line);
    switch (hearing_of(bytes)) {
    case HEARING_NOTHING:
        doctor_ok(finding, "none come unasked, as of most SMP servers");
        break;
    case HEARING_FRAMES:
        doctor_ok(finding, "SMP frames come unasked");
        break;
    case HEARING_PACKETS:
        doctor_ok(finding, "bare SMP packets come unasked");
        break;
    case HEARING_TEXT:
        doctor_ok(finding, "%zu bytes of text come, last: \"%s\"", heard->len, line);
        break;
    case HEARING_NOISE:
        tell_noise(heard, doctor->has_rate, finding);
        break;
    }
}

void doctor_bytes(struct doctor *doctor, struct doctor_finding *finding)
{
    static struct ferry_transport transport;
    static struct listened heard;
    char why[320];
    int error = ferry_transport_open(&transport, &doctor->address, why, sizeof why);

    if (error != FERRY_OK) {
        doctor_fail(finding, CLI_OPEN, "it could be opened a moment ago",
                    "plug the device out and in, and look at `dmesg`", "%s", why);
        return;
    }
    heard.len = 0;
    listen_to(&transport, LISTEN_MS, &heard);
    /* Enter makes a shell show its prompt. A line of bare packets would take it for a header. */
    if (heard.len == 0 && !doctor->raw && write(transport.fd, "\n", 1) == 1) {
        listen_to(&transport, LISTEN_MS, &heard);
    }
    ferry_transport_close(&transport);
    if (heard.gone) {
        doctor->has &= ~(unsigned)DOCTOR_HAS_WIRE;
        doctor_fail(finding, CLI_OPEN, "the other end hung up: USB unplugged, or the program ended",
                    "plug it in again, then look at `dmesg`", "the port broke");
        return;
    }
    tell(doctor, &heard, finding);
}

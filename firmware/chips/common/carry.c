/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/common/carry.h"

#include <string.h>

const char *carry_state_name(enum carry_state state)
{
    static const char *const names[] = {[CARRY_IDLE] = "idle",
                                        [CARRY_BUSY] = "busy",
                                        [CARRY_DONE] = "done",
                                        [CARRY_FAILED] = "failed"};

    return names[state];
}

static void fail(struct carry *carry, int error, const char *text, const char *remedy)
{
    carry->report.state = CARRY_FAILED;
    carry->report.error = error;
    carry->report.text = text;
    carry->report.remedy = remedy;
}

/* ---- The image --------------------------------------------------------------------------------
 */

static void feed(struct carry *carry)
{
    if (carry->link.feed != NULL) {
        carry->link.feed(carry->link.context);
    }
}

static int digest_file(struct carry *carry)
{
    struct ferry_sha256 sha;
    int rc = FERRY_OK;

    ferry_crypto_sha256_init(&sha);
    for (uint32_t off = 0; off < carry->info.size && rc == FERRY_OK; off += CARRY_PACKET) {
        uint32_t len = ferry_min32(carry->info.size - off, CARRY_PACKET);

        rc = ferry_flash_read(carry->image, off, carry->packets, len);
        ferry_crypto_sha256_update(&sha, carry->packets, len);
        feed(carry);
    }
    ferry_crypto_sha256_final(&sha, carry->sha);
    return rc;
}

/* The digest of an encrypted image is that of what only the other chip can read. */
static int check_digest(struct carry *carry)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    int rc;

    if (carry->info.digest_len != sizeof(digest)) {
        return carry->info.digest_len == 0 ? FERRY_E_DIGEST : FERRY_E_UNSUPPORTED;
    }
    if ((carry->info.header.flags &
         (FERRY_IMAGE_ENCRYPTED_AES128 | FERRY_IMAGE_ENCRYPTED_AES256)) != 0) {
        return FERRY_OK;
    }
    rc = ferry_image_digest(carry->image, &carry->info.header, &ferry_digest_sha256, carry->packets,
                            CARRY_PACKET, carry->link.feed, carry->link.context, digest);
    if (rc == FERRY_OK && memcmp(digest, carry->info.digest, sizeof(digest)) != 0) {
        rc = FERRY_E_DIGEST;
    }
    return rc;
}

static int look(struct carry *carry)
{
    int rc = ferry_image_inspect(carry->image, &carry->info);

    if (rc == FERRY_OK) {
        rc = check_digest(carry);
    }
    return rc == FERRY_OK ? digest_file(carry) : rc;
}

/* ---- Begin ------------------------------------------------------------------------------------
 */

static int read_image(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct carry *carry = context;

    return ferry_flash_read(carry->image, off, buf, len);
}

static int start_client(struct carry *carry, uint64_t now)
{
    const struct ferry_client_config config = {
        .requests = carry->requests,
        .request_count = CARRY_REQUESTS,
        .buffers = carry->packets,
        .buffer_size = CARRY_PACKET,
        .first_seq = (uint8_t)now, /* another one than that of an earlier carry, as a rule */
        .bytes_per_second = carry->link.bytes_per_second};

    ferry_console_decoder_init(&carry->decoder, carry->received, sizeof(carry->received));
    return ferry_client_init(&carry->client, &config);
}

static int start_update(struct carry *carry)
{
    const struct ferry_update_config config = {.client = &carry->client,
                                               .link = FERRY_LINK_CONSOLE,
                                               .read = read_image,
                                               .context = carry,
                                               .size = carry->info.size,
                                               .sha = carry->sha,
                                               .hash = carry->info.digest,
                                               .hash_len = carry->info.digest_len};

    return ferry_update_start(&carry->update, &config);
}

static void begin_report(struct carry *carry)
{
    memset(&carry->report, 0, sizeof(carry->report));
    carry->report.text = "";
    carry->report.remedy = "";
}

void carry_init(struct carry *carry, const struct carry_link *link)
{
    memset(carry, 0, sizeof(*carry));
    carry->link = *link;
    begin_report(carry);
}

void carry_start(struct carry *carry, const struct ferry_flash *image, uint64_t now)
{
    int rc;

    begin_report(carry);
    carry->image = image;
    carry->sending = false;
    carry->due = now;
    rc = look(carry);
    carry->report.total = carry->info.size;
    carry->report.version = carry->info.header.version;
    if (rc == FERRY_OK) {
        rc = start_client(carry, now);
    }
    if (rc == FERRY_OK) {
        rc = start_update(carry);
    }
    if (rc == FERRY_OK) {
        carry->report.state = CARRY_BUSY;
        carry->report.started = true;
    } else {
        fail(carry, rc, ferry_error_text(rc), "store a whole image for the other chip, then again");
    }
}

/* ---- What happens -----------------------------------------------------------------------------
 */

static void tell(struct carry *carry, const struct ferry_update_event *event)
{
    carry->report.text = event->text;
    carry->report.remedy = event->remedy;
}

static void finish(struct carry *carry, const struct ferry_update_event *event)
{
    carry->report.state = CARRY_DONE;
    carry->report.already = event->already;
    carry->report.acked = carry->report.total;
    carry->report.text = "";
    carry->report.remedy = "";
    if (event->proof != NULL) {
        carry->report.proof = *event->proof;
    }
}

/* The update's words are for who sits at a computer: here nobody opens a port. */
static void end_badly(struct carry *carry, const struct ferry_update_event *event)
{
    carry->report.status = event->status;
    if (event->step == FERRY_UPDATE_HELLO && event->error == FERRY_E_TIMEOUT) {
        fail(
            carry, event->error, "the other chip does not answer",
            "check its power, the wires between the chips (TX to RX) and their baud rate; does its "
            "firmware have an SMP server?");
    } else {
        fail(carry, event->error, event->text, event->remedy);
    }
}

/* A wire does not close: bytes of before the reset may be on it, and what began then is lost. */
static void reconnect(struct carry *carry, uint64_t now)
{
    ferry_console_decoder_init(&carry->decoder, carry->received, sizeof(carry->received));
    ferry_update_reconnected(&carry->update, now);
}

static void note(struct carry *carry, const struct ferry_update_event *event, uint64_t now)
{
    carry->report.step = event->step;
    switch (event->kind) {
    case FERRY_UPDATE_STEP:
    case FERRY_UPDATE_WARNING:
        tell(carry, event);
        break;
    case FERRY_UPDATE_PROGRESS:
        carry->report.acked = event->acked;
        break;
    case FERRY_UPDATE_RECONNECT:
        reconnect(carry, now);
        break;
    case FERRY_UPDATE_READY:
    case FERRY_UPDATE_JUDGE_IT: /* who has a test of its own would make it here */
        break;
    case FERRY_UPDATE_DONE:
        finish(carry, event);
        break;
    case FERRY_UPDATE_FAILED:
        end_badly(carry, event);
        break;
    }
}

static void follow(struct carry *carry, uint64_t now)
{
    struct ferry_update_event event;

    while (ferry_update_next(&carry->update, now, &event)) {
        note(carry, &event, now);
    }
}

/* ---- The wire ---------------------------------------------------------------------------------
 */

/* Returns whether there was a line. */
static bool send_line(struct carry *carry)
{
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    size_t len = carry->sending ? ferry_console_next_line(&carry->encoder, line) : 0;

    carry->sending = len > 0;
    if (len > 0) {
        carry->link.write(carry->link.context, line, len);
    }
    return len > 0;
}

static void act(struct carry *carry, const struct ferry_client_answer *answer, uint64_t now)
{
    (void)ferry_update_answer(&carry->update, answer, now);
    follow(carry, now);
}

static void receive(struct carry *carry, uint64_t now)
{
    struct ferry_console_event event;
    struct ferry_client_answer answer;
    uint8_t byte;

    while (carry->report.state == CARRY_BUSY &&
           carry->link.read(carry->link.context, &byte, 1) == 1) {
        (void)ferry_console_feed(&carry->decoder, &byte, 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET &&
            ferry_client_receive(&carry->client, event.bytes, now, &answer) == FERRY_OK) {
            act(carry, &answer, now);
        }
    }
    while (ferry_client_expire(&carry->client, now, &answer)) {
        act(carry, &answer, now);
    }
}

static void begin_packet(struct carry *carry, uint64_t now)
{
    struct ferry_bytes packet;

    if (ferry_client_poll(&carry->client, now, &packet, &carry->due)) {
        carry->sending =
            ferry_console_encode(&carry->encoder, packet, FERRY_CONSOLE_CUT_124) == FERRY_OK;
        carry->due = now;
        return;
    }
    uint64_t other = ferry_update_deadline(&carry->update);

    carry->due = other < carry->due ? other : carry->due;
}

/* Nobody has asked for it: a boot's text, or an answer that came too late. */
static void pass_over(struct carry *carry)
{
    uint8_t bytes[16];

    while (carry->link.read(carry->link.context, bytes, sizeof(bytes)) > 0) {
    }
}

void carry_turn(struct carry *carry, uint64_t now)
{
    if (carry->report.state != CARRY_BUSY) {
        pass_over(carry);
        return;
    }
    if (send_line(carry)) {
        return;
    }
    receive(carry, now);
    follow(carry, now);
    begin_packet(carry, now);
}

void carry_stop(struct carry *carry, uint64_t now)
{
    if (carry->report.state == CARRY_BUSY) {
        ferry_update_stop(&carry->update, FERRY_E_CANCELLED);
        follow(carry, now);
    }
}

uint64_t carry_due(const struct carry *carry)
{
    return carry->report.state == CARRY_BUSY ? carry->due : FERRY_CLIENT_NEVER;
}

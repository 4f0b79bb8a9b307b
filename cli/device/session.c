/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* On a raw line, how much longer than the device this side is silent. */
#define RAW_MARGIN_MS 300

/* ---- Opening -------------------------------------------------------------------------- */

/* Console text is kept for messages, and shown with -v. */
static void take_text(void *context, struct ferry_bytes text)
{
    struct session *session = context;
    session->text_bytes += text.len;
    if (session->cli->verbose > 0) {
        fwrite(text.data, 1, text.len, stderr);
    }
    size_t keep = sizeof session->last_text - 1;
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.data[i];
        if (c == '\n' || c == '\r') {
            session->line_ended = true;
            continue;
        }
        if (session->line_ended || session->text_len == keep) {
            session->text_len = 0;
            session->line_ended = false;
        }
        session->last_text[session->text_len++] = c >= ' ' && c <= '~' ? c : '.';
        session->last_text[session->text_len] = '\0';
    }
}

static int open_wire(struct session *session, char *why, size_t cap)
{
    int error = ferry_transport_open(&session->wire, &session->address, why, cap);
    session->wire.text = take_text;
    session->wire.text_context = session;
    return error;
}

/* A raw line finds its packets again by silence alone: wait longer than the device does. */
static uint32_t least_timeout(const struct session *session)
{
    bool raw = session->address.kind == FERRY_TRANSPORT_RAW;

    return raw && session->cli->timeout_ms == 0 ? FERRY_RAW_TIMEOUT_MS + RAW_MARGIN_MS : 0;
}

static int set_up_client(struct session *session)
{
    struct ferry_client_config config = {
        .requests = session->requests,
        .request_count = SESSION_REQUESTS,
        .buffers = session->buffers,
        .buffer_size = SESSION_PACKET_MAX,
        .timeout_ms = session->cli->timeout_ms,
        .timeout_min_ms = least_timeout(session),
        .bytes_per_second = session->wire.bytes_per_second,
    };
    if (RAND_bytes(&config.first_seq, 1) != 1) {
        config.first_seq = (uint8_t)ferry_posix_now_ms();
    }
    return ferry_client_init(&session->client, &config);
}

static int open_failed(const struct cli *cli, int error, const char *why)
{
    const char *next = "check cable and permissions (group dialout), then try again";
    if (error == FERRY_E_BUSY) {
        next = "close the other program, or wait until it is done";
    } else if (error == FERRY_E_NOT_FOUND) {
        next = "check the name; `ls /dev/tty*` shows the serial ports";
    }
    return cli_fail(cli, CLI_OPEN, next, "cannot open %s: %s", cli->device, why);
}

enum ferry_client_link session_link(const struct session *session)
{
    if (session->address.kind == FERRY_TRANSPORT_SERIAL) {
        return FERRY_LINK_CONSOLE;
    }
    if (session->address.kind == FERRY_TRANSPORT_RAW) {
        return FERRY_LINK_RAW;
    }
    return session->wire.ipv6 ? FERRY_LINK_UDP6 : FERRY_LINK_UDP4;
}

/* Find version and buffers. Returns FERRY_OK; FERRY_E_TIMEOUT, FERRY_E_VERSION; FERRY_E_IO. */
static int hello(struct session *session)
{
    struct ferry_hello hello;
    struct ferry_client_answer answer;

    ferry_hello_start(&hello, &session->client, session_link(session));
    int error = ferry_hello_run(&hello);
    while (error == FERRY_E_BUSY) {
        int got = session_step(session, FERRY_CLIENT_NEVER, &answer);
        if (got < 0) {
            return got;
        }
        if (got == 1 && ferry_hello_answer(&hello, &answer)) {
            error = ferry_hello_run(&hello);
        }
    }
    session->params = hello.params;
    session->window = ferry_min32(hello.window, SESSION_WINDOW);
    return error;
}

int session_silent(const struct session *session)
{
    const struct cli *cli = session->cli;
    const char *next = "check that the device is powered and runs an SMP server on this wire";
    char seen[160] = "nothing at all was received";
    if (session->address.kind == FERRY_TRANSPORT_SERIAL) {
        next = "check cable, port and baud rate; the firmware must have SMP on this UART";
    } else if (session->address.kind == FERRY_TRANSPORT_RAW) {
        next = "check cable, port and baud rate; if the firmware frames its packets, use serial:";
    }
    if (session->wire.frames_dropped > 0) {
        snprintf(seen, sizeof seen, "%zu damaged frames were received",
                 session->wire.frames_dropped);
        next = "check the baud rate and the line's quality";
    } else if (session->text_bytes > 0) {
        snprintf(seen, sizeof seen, "only console text was received, last: \"%s\"",
                 session->last_text);
        next = "the device lives but does not serve SMP here (yet): wait until it has booted, or "
               "use its SMP port";
    }
    return cli_fail(cli, CLI_NO_ANSWER, next, "no answer from %s: %s", cli->device, seen);
}

int session_connect(struct cli *cli, struct session *session)
{
    char why[320] = "";
    *session = (struct session){.cli = cli, .window = 1};
    session->wire.fd = -1;
    if (cli->device == NULL) {
        return cli_fail(cli, CLI_USAGE, "give -d URI, or set FERRY_DEVICE", "which device?");
    }
    if (ferry_transport_parse(cli->device, &session->address, why, sizeof why) != FERRY_OK) {
        return cli_fail(cli, CLI_USAGE, why, "cannot read the URI '%s'", cli->device);
    }
    int error = open_wire(session, why, sizeof why);
    if (error != FERRY_OK) {
        return open_failed(cli, error, why);
    }
    session->buffers = malloc(SESSION_REQUESTS * SESSION_PACKET_MAX);
    if (session->buffers == NULL || set_up_client(session) != FERRY_OK) {
        session_close(session);
        return cli_fail(cli, CLI_FAILED, "free some memory", "out of memory");
    }
    return CLI_OK;
}

int session_open(struct cli *cli, struct session *session)
{
    int code = session_connect(cli, session);
    if (code != CLI_OK) {
        return code;
    }
    int error = hello(session);
    if (error == FERRY_OK) {
        return CLI_OK;
    }
    if (error == FERRY_E_TIMEOUT) {
        code = session_silent(session);
    } else if (error == FERRY_E_IO) {
        code = session_gone(session, "ask the device for its buffers");
    } else {
        code = cli_fail_error(cli, CLI_REFUSED, error, "%s speaks another SMP", cli->device);
    }
    session_close(session);
    return code;
}

int session_reopen(struct session *session)
{
    char why[320];
    ferry_transport_close(&session->wire);
    ferry_client_cancel_all(&session->client);
    return open_wire(session, why, sizeof why);
}

void session_close(struct session *session)
{
    ferry_transport_close(&session->wire);
    free(session->buffers);
    session->buffers = NULL;
}

/* ---- Talking --------------------------------------------------------------------------- */

static void trace(const struct session *session, const char *arrow, struct ferry_bytes packet)
{
    if (session->cli->verbose < 2) {
        return;
    }
    fprintf(stderr, "%s ", arrow);
    for (size_t i = 0; i < packet.len; i++) {
        fprintf(stderr, "%02x", packet.data[i]);
    }
    fputc('\n', stderr);
}

/* Send all that is due. *deadline: when to look again. */
static int send_due(struct session *session, uint64_t *deadline)
{
    struct ferry_bytes packet;
    while (ferry_client_poll(&session->client, ferry_posix_now_ms(), &packet, deadline)) {
        trace(session, "->", packet);
        int error = ferry_transport_send(&session->wire, packet);
        if (error != FERRY_OK) {
            return error;
        }
    }
    return FERRY_OK;
}

int session_step(struct session *session, uint64_t end, struct ferry_client_answer *answer)
{
    for (;;) {
        struct ferry_bytes packet;
        uint64_t deadline = 0;
        int error = send_due(session, &deadline);
        if (error != FERRY_OK) {
            return error;
        }
        uint64_t now = ferry_posix_now_ms();
        if (ferry_client_expire(&session->client, now, answer)) {
            return 1;
        }
        uint64_t until = deadline < end ? deadline : end;
        uint32_t wait = until > now ? (uint32_t)(until - now < 1000 ? until - now : 1000) : 0;
        int got = ferry_transport_receive(&session->wire, wait, &packet);
        if (got < 0) {
            return got;
        }
        now = ferry_posix_now_ms();
        if (got == 1) {
            trace(session, "<-", packet);
            if (ferry_client_receive(&session->client, packet, now, answer) == FERRY_OK) {
                return 1;
            }
        } else if (now >= end) {
            return 0;
        }
    }
}

int session_gone(const struct session *session, const char *what)
{
    return cli_fail(session->cli, CLI_NO_ANSWER, "plug it in again; then look: ferry image list",
                    "cannot %s: the connection to %s broke", what, session->cli->device);
}

int session_ask(struct session *session, int32_t ticket, struct ferry_client_answer *answer)
{
    if (ticket < 0) {
        return ticket;
    }
    for (;;) {
        int got = session_step(session, ferry_posix_now_ms() + 3600000, answer);
        if (got < 0) {
            return got;
        }
        if (got == 1 && answer->ticket == ticket) {
            return answer->error;
        }
    }
}

static int refused(struct session *session, const char *what, const struct ferry_smp_status *status)
{
    struct ferry_smp_words words = status->grouped
                                       ? ferry_smp_group_words(status->group, status->rc)
                                       : ferry_smp_rc_words(status->rc);
    char reason[128] = "";
    if (status->reason.len > 0) {
        int len = (int)(status->reason.len < 100 ? status->reason.len : 100);
        snprintf(reason, sizeof reason, "%.*s", len, (const char *)status->reason.data);
        cli_printable(reason);
    }
    if (!status->grouped && status->rc == FERRY_RC_ACCESS_DENIED &&
        access_tell(session, what, reason)) {
        return CLI_REFUSED;
    }

    bool told = reason[0] != '\0';

    return cli_fail(session->cli, CLI_REFUSED, words.remedy,
                    "cannot %s: the device refused: %s %lld %s: %s%s%s%s", what,
                    status->grouped ? ferry_smp_group_name(status->group) : "rc",
                    (long long)status->rc, words.name, words.cause, told ? " (" : "", reason,
                    told ? ")" : "");
}

int session_fail(struct session *session, const char *what,
                 const struct ferry_client_answer *answer)
{
    if (answer->error == FERRY_E_REFUSED) {
        return refused(session, what, &answer->status);
    }
    if (answer->error == FERRY_E_TIMEOUT) {
        return cli_fail(session->cli, CLI_NO_ANSWER,
                        "look at the device; a larger --timeout may help on slow flash",
                        "cannot %s: no answer after %u tries", what, (unsigned)answer->tries);
    }
    return cli_fail_error(session->cli, CLI_NO_ANSWER, answer->error,
                          "cannot %s: the answer cannot be read", what);
}

int session_wait(struct session *session, int32_t ticket, const char *what,
                 struct ferry_client_answer *answer)
{
    int error = session_ask(session, ticket, answer);

    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot %s", what);
    }
    if (error == FERRY_E_IO) {
        return session_gone(session, what);
    }
    return error == FERRY_OK ? CLI_OK : session_fail(session, what, answer);
}

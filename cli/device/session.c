/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"
#include "pairing.h"
#include "record.h"
#include "remedy.h"
#include "unlock.h"
#include "cli/doctor/holder.h"
#include "cli/doctor/silence.h"
#include "cli/packet/packet_view.h"
#include "port/posix/transport.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A port that went is looked for so long, and so often. */
#define HOLD_ON_MS       30000
#define HOLD_ON_EVERY_MS 100

/* Bytes of a byte string that -vv shows in words. */
#define SHOWN 16

/* A packet of so many bytes at most has its words in the same line. */
#define SHORT 100

/* ---- Opening -------------------------------------------------------------------------- */

/* Frames that were damaged are only counted: the record is told with whatever comes next. */
static void record_losses(struct session *session)
{
    struct ferry_connection_facts facts;

    ferry_connection_facts(session->connection, &facts);
    if (facts.frames_dropped > session->damaged) {
        record_damaged(session->number, facts.frames_dropped - session->damaged);
    }
    session->damaged = facts.frames_dropped;
}

/* Console text is kept for messages, and shown with -v. */
static void take_text(void *context, struct ferry_bytes text)
{
    struct session *session = context;
    record_losses(session);
    record_text(session->number, text);
    if (session->cli->verbose > 0) {
        plain_write(&session->text, text);
    }
    if (session->hear_text != NULL) {
        session->hear_text(session->hear_context, text);
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
        bool plain = (c >= ' ' && c <= '~') || c == '\t' || c == '\x1b';
        session->odd_bytes += !plain;
        session->last_text[session->text_len++] = c >= ' ' && c <= '~' ? c : '.';
        session->last_text[session->text_len] = '\0';
    }
}

/* With -vv every packet is shown: its bytes, and what they say, shortened; of a long one in a line
 * of its own. */
static void show_packet(enum ferry_connection_way way, struct ferry_bytes packet)
{
    struct packet_view view;

    fputs(way == FERRY_CONNECTION_SENT ? "-> " : "<- ", stderr);
    for (size_t i = 0; i < packet.len; i++) {
        fprintf(stderr, "%02x", packet.data[i]);
    }
    packet_look(packet, &view, NULL);
    char *line = packet_line(&view, SHOWN);
    fprintf(stderr, "%s%s\n", packet.len > SHORT ? "\n   " : "  ", line != NULL ? line : "");
    cJSON_free(line);
    packet_view_free(&view);
}

/* Who waits for the first answer is told once that none came to the first try. */
static void tell_waiting(struct session *session, enum ferry_connection_way way)
{
    const struct cli *cli = session->cli;

    session->asked += session->opens && way == FERRY_CONNECTION_SENT;
    if (session->asked == 2 && !cli->json && cli->told == NULL) {
        fprintf(stderr, "ferry: no answer yet from %s; trying again\n", cli->device);
        session->asked++;
    }
}

static void take_packet(void *context, enum ferry_connection_way way, struct ferry_bytes packet)
{
    struct session *session = context;

    record_losses(session);
    record_packet(session->number, way, packet);
    tell_waiting(session, way);
    if (way != FERRY_CONNECTION_SENT) {
        session->asked = 0; /* what is sent now is another question */
        session->heard_ms = ferry_connection_now();
    }
    if (session->cli->verbose > 1) {
        show_packet(way, packet);
    }
    if (session->hear_packet != NULL) {
        session->hear_packet(session->hear_context, way, packet);
    }
}

static const char *open_next(enum ferry_transport_medium medium, int error, const char *why)
{
    if (error == FERRY_E_CONFIG && medium == FERRY_TRANSPORT_DTLS) {
        return dtls_keys_next;
    }
    switch (medium) {
    case FERRY_TRANSPORT_TCP:
        return "check host name and port, and that ser2net or the emulator listens there";
    case FERRY_TRANSPORT_UNIX:
        return "check the path, and that the emulator that makes this socket runs";
    case FERRY_TRANSPORT_UDP:
    case FERRY_TRANSPORT_DTLS:
        return "check the host name, and that this machine's network leads to the device";
    case FERRY_TRANSPORT_BLE:
        return "look which devices there are: ferry scan";
    case FERRY_TRANSPORT_SERIAL:
        break;
    }
    if (error == FERRY_E_BUSY) {
        return holder_explain(why).next;
    }
    return error == FERRY_E_NOT_FOUND
               ? "check the name; ferry doctor lists the serial ports that are there"
               : "check cable and permissions: ferry doctor says what is missing";
}

static int open_failed(const struct cli *cli, int error, char *why)
{
    struct ferry_transport_address address = {.path = ""};
    char unread[8];
    bool read = ferry_transport_parse(cli->device, &address, unread, sizeof unread) == FERRY_OK;
    size_t path = strlen(address.path);
    /* The device is named already. */
    bool named = read && path > 0 && strncmp(why, address.path, path) == 0;
    const char *rest = named ? strstr(why + path, ": ") : NULL;
    bool tells = address.medium == FERRY_TRANSPORT_BLE || address.medium == FERRY_TRANSPORT_DTLS;
    const char *next = tells ? remedy_cut(why) : "";

    return cli_fail(cli, CLI_OPEN, next[0] != '\0' ? next : open_next(address.medium, error, why),
                    "cannot open %s: %s", cli->device, rest != NULL ? rest + 2 : why);
}

/* What was seen of a device that does not answer. */
static void see(const struct session *session, struct silence *silence, struct silence_words *words)
{
    *silence = (struct silence){.last_text = session->last_text,
                                .odd_bytes = session->odd_bytes,
                                .answered_before = session->answered,
                                .holders = ""};

    silence_keep(silence, session->connection);
    silence_explain(silence, words);
}

int session_silent(const struct session *session)
{
    const struct cli *cli = session->cli;
    struct silence silence;
    struct silence_words words;
    char next[480];

    see(session, &silence, &words);
    snprintf(next, sizeof next, "%s; or ask: ferry doctor -d '%s'", words.next, cli->device);
    return cli_fail_why(cli, CLI_NO_ANSWER, words.why, next, "no answer from %s: %s", cli->device,
                        words.seen);
}

static bool answer_pairing(void *context, enum ferry_pairing question, uint32_t *passkey)
{
    const struct session *session = context;

    return pairing_answer(&session->pairing, question, passkey);
}

/* What the kind of the device's URI needs beside it. */
static int read_keys(struct session *session, struct ferry_connection_config *config, char *why,
                     size_t cap)
{
    struct ferry_transport_address address;
    int error = ferry_transport_parse(session->cli->device, &address, why, cap);

    if (error == FERRY_OK && address.medium == FERRY_TRANSPORT_DTLS) {
        config->dtls = &session->keys.keys;
        error = dtls_keys_read(session->cli, &session->keys, why, cap);
    }
    if (error == FERRY_OK && address.medium == FERRY_TRANSPORT_BLE) {
        error = pairing_read(session->cli, &session->pairing, why, cap);
        config->pair_proves = session->pairing.given;
    }
    return error;
}

int session_dial(struct cli *cli, struct session *session, char *why, size_t cap)
{
    *session = (struct session){.cli = cli, .window = 1, .text = plain_for(stderr)};
    struct ferry_connection_config config = {.uri = cli->device,
                                             .timeout_ms = cli->timeout_ms,
                                             .retries = cli->retries,
                                             .root = getenv("FERRY_ROOT"),
                                             .text = take_text,
                                             .packet = take_packet,
                                             .pair = answer_pairing,
                                             .context = session};
    session->number = record_open(cli->device);
    int error = read_keys(session, &config, why, cap);
    if (error != FERRY_OK) {
        dtls_keys_wipe(&session->keys);
        return error;
    }
    error = ferry_connection_open(&session->connection, &config, why, cap);
    if (error == FERRY_OK) {
        session->client = ferry_connection_client(session->connection);
    }
    return error;
}

int session_connect(struct cli *cli, struct session *session)
{
    char why[320] = "";
    if (cli->device == NULL) {
        return cli_fail(cli, CLI_USAGE, "give -d URI, or set FERRY_DEVICE", "which device?");
    }
    int code = record_start(cli);
    if (code != CLI_OK) {
        return code;
    }
    int error = session_dial(cli, session, why, sizeof why);
    if (error == FERRY_E_FORMAT) {
        return cli_fail(cli, CLI_USAGE, why, "cannot read the URI '%s'", cli->device);
    }
    return error == FERRY_OK ? CLI_OK : open_failed(cli, error, why);
}

static int refuse_fragments(const struct session *session)
{
    struct ferry_connection_facts facts;

    ferry_connection_facts(session->connection, &facts);
    return cli_fail_why(
        session->cli, CLI_REFUSED, "it does not put fragments together, and its ATT_MTU is small",
        "raise its ATT_MTU to 65 or more, or build it with reassembly",
        "%s takes packets of %u bytes only", session->cli->device, (unsigned)facts.fragment);
}

static int meet(struct cli *cli, struct session *session)
{
    int code = session_connect(cli, session);
    if (code != CLI_OK) {
        return code;
    }
    session->opens = true;
    int error = session_hello(session);
    session->opens = false;
    if (error == FERRY_OK) {
        return CLI_OK;
    }
    if (error == FERRY_E_TIMEOUT) {
        code = session_silent(session);
    } else if (error == FERRY_E_IO) {
        code = session_gone(session, "ask the device for its buffers");
    } else if (error == FERRY_E_FRAGMENT) {
        code = refuse_fragments(session);
    } else {
        code = cli_fail_error(cli, CLI_REFUSED, error, "%s speaks another SMP", cli->device);
    }
    session_close(session);
    return code;
}

/* A key that does not load is told before the wire is opened. */
static int meet_and_unlock(struct cli *cli, struct session *session)
{
    struct unlock unlock = {.key_path = cli->unlock_path};
    int code = unlock_load(cli, &unlock);

    if (code != CLI_OK) {
        return code;
    }
    code = meet(cli, session);
    if (code == CLI_OK) {
        code = unlock_first(session, &unlock);
        if (code != CLI_OK) {
            session_close(session);
        }
    }
    key_free(&unlock.key);
    return code;
}

int session_open(struct cli *cli, struct session *session)
{
    return cli->unlock_path != NULL ? meet_and_unlock(cli, session) : meet(cli, session);
}

int session_hello(struct session *session)
{
    struct ferry_connection_facts facts;
    int error = ferry_connection_hello(session->connection);

    ferry_connection_facts(session->connection, &facts);
    session->answered = session->answered || error == FERRY_OK;
    session->params = facts.params;
    session->window = facts.window;
    return error;
}

int session_reopen(struct session *session)
{
    record_event(session->number, "reopen");
    int error =
        ferry_connection_reopen(session->connection, session->unopened, sizeof session->unopened);
    if (error == FERRY_OK) {
        session->unopened[0] = '\0';
    }
    return error;
}

bool session_hold_on(struct session *session)
{
    const struct timespec pause = {.tv_nsec = HOLD_ON_EVERY_MS * 1000000};
    uint64_t end = ferry_connection_now() + HOLD_ON_MS;

    fprintf(stderr, "ferry: the connection to %s broke; waiting up to %d s for it to come back\n",
            session->cli->device, HOLD_ON_MS / 1000);
    record_event(session->number, "broken");
    int error;
    while ((error = ferry_connection_resume(session->connection, session->unopened,
                                            sizeof session->unopened)) != FERRY_OK) {
        if (error == FERRY_E_CONFIG || ferry_connection_now() >= end) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    record_event(session->number, "back");
    session->heard_ms = ferry_connection_now(); /* the silence was the wire's */
    fputs("ferry: it is back, going on\n", stderr);
    session->unopened[0] = '\0';
    return true;
}

void session_close(struct session *session)
{
    if (session->connection != NULL) {
        record_losses(session);
        record_event(session->number, "close");
    }
    ferry_connection_close(session->connection);
    session->connection = NULL;
    dtls_keys_wipe(&session->keys);
}

enum ferry_client_link session_link(const struct session *session)
{
    struct ferry_connection_facts facts;

    ferry_connection_facts(session->connection, &facts);
    return facts.link;
}

/* ---- Talking --------------------------------------------------------------------------- */

int session_step(struct session *session, uint64_t end, struct ferry_client_answer *answer)
{
    return ferry_connection_step(session->connection, end, answer);
}

/* What kept it from coming back, pairing say, is the cause. */
static int radio_gone(const struct session *session, const char *what)
{
    char why[sizeof session->unopened];

    snprintf(why, sizeof why, "%s", session->unopened);
    const char *next = remedy_cut(why);
    return cli_fail_why(session->cli, CLI_NO_ANSWER, why,
                        next[0] != '\0' ? next : "come nearer; then look: ferry image list",
                        "cannot %s: the radio link to %s was lost", what, session->cli->device);
}

int session_gone(const struct session *session, const char *what)
{
    const char *next;
    const char *why = ferry_connection_broken(session->connection, &next);

    bool dtls =
        session_link(session) == FERRY_LINK_DTLS4 || session_link(session) == FERRY_LINK_DTLS6;

    if (why[0] != '\0' && dtls && session->heard_ms == 0) {
        return cli_fail_why(session->cli, CLI_NO_ANSWER, why, next, "no DTLS session with %s",
                            session->cli->device);
    }
    if (why[0] != '\0') {
        return cli_fail_why(session->cli, CLI_NO_ANSWER, why, next,
                            "cannot %s: the connection to %s broke", what, session->cli->device);
    }
    if (session_link(session) == FERRY_LINK_BLE) {
        return radio_gone(session, what);
    }
    return cli_fail(session->cli, CLI_NO_ANSWER, "plug it in again; then look: ferry image list",
                    "cannot %s: the connection to %s broke", what, session->cli->device);
}

int session_ask(struct session *session, int32_t ticket, struct ferry_client_answer *answer)
{
    return ferry_connection_ask(session->connection, ticket, answer);
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

    if (!status->grouped && status->rc == FERRY_RC_NOT_SUPPORTED) {
        struct session_bootloader bootloader;
        ferry_client_cancel_all(session->client);
        if (session_is_bootloader(session, &bootloader)) {
            return session_fail_bootloader(session, what);
        }
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
        struct silence silence;
        struct silence_words words;
        see(session, &silence, &words);
        return cli_fail_why(session->cli, CLI_NO_ANSWER, words.why, words.next,
                            "cannot %s: no answer after %u tries: %s", what,
                            (unsigned)answer->tries, words.seen);
    }
    return cli_fail_error(session->cli, CLI_NO_ANSWER, answer->error,
                          "cannot %s: the answer cannot be read", what);
}

int session_judge(struct session *session, int32_t ticket, int error, const char *what,
                  const struct ferry_client_answer *answer)
{
    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot %s", what);
    }
    if (error == FERRY_E_IO) {
        return session_gone(session, what);
    }
    return error == FERRY_OK ? CLI_OK : session_fail(session, what, answer);
}

int session_wait(struct session *session, int32_t ticket, const char *what,
                 struct ferry_client_answer *answer)
{
    int error = session_ask(session, ticket, answer);

    return session_judge(session, ticket, error, what, answer);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation with the device of -d: the wire, the client's window on it, and the messages
 * when it fails. */
#ifndef CLI_DEVICE_SESSION_H
#define CLI_DEVICE_SESSION_H

#include "cli/cli.h"
#include "cli/device/dtls_keys.h"
#include "cli/device/pairing.h"
#include "cli/packet/plain.h"
#include "ferry/connection.h"

#define SESSION_PACKET_MAX FERRY_CONNECTION_PACKET_MAX

struct session {
    const struct cli *cli;
    struct ferry_connection *connection;
    struct ferry_client *client; /* of the connection */
    struct dtls_keys keys;       /* of the connection, if it is one of DTLS */
    struct pairing pairing;      /* … of Bluetooth LE */
    struct ferry_params params;  /* zero where the device did not say */
    uint32_t window;             /* requests in flight the device can take, at least 1 */
    char last_text[80];          /* the end of the console text seen, for messages */
    size_t text_len;
    bool line_ended;   /* the next character begins a new last_text */
    size_t odd_bytes;  /* of the text: what no console prints */
    bool answered;     /* the device said something since this was opened */
    struct plain text; /* where -v shows the text */
    /* Told of all text, and of all packets; each may be NULL. */
    void (*hear_text)(void *context, struct ferry_bytes text);
    void (*hear_packet)(void *context, enum ferry_connection_way way, struct ferry_bytes packet);
    void *hear_context;
    bool opens;         /* the first answer is waited for */
    unsigned asked;     /* requests sent meanwhile */
    uint64_t heard_ms;  /* a packet came last (ferry_connection_now()); 0 = none yet */
    unsigned number;    /* of the connection in the record */
    size_t damaged;     /* frames that the record was told of */
    char unopened[320]; /* why the wire that broke did not come back; "" = it did */
};

/* Open the wire to cli->device; nothing is asked and nothing printed. why: as
 * ferry_connection_open(), whose results this has. session may not be moved afterwards. */
FERRY_MUST_CHECK
int session_dial(struct cli *cli, struct session *session, char *why, size_t cap);

/* Open the wire to the device; nothing is asked.
 * session may not be moved afterwards. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int session_connect(struct cli *cli, struct session *session);

/* Open the device and find out how it speaks: version 2, else 1, and its buffers. With --unlock it
 * is unlocked then.
 * session may not be moved afterwards. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int session_open(struct cli *cli, struct session *session);

/* Ask how the device speaks. Silent: as ferry_connection_hello(). */
FERRY_MUST_CHECK
int session_hello(struct session *session);

/* Close the wire and open it again, as after a reset. Silent: FERRY_OK or an error, which time may
 * mend unless it is FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int session_reopen(struct session *session);

/* The wire broke in the middle of a long command: wait a while for the port to come back, as that
 * of a cable that was pulled does, and go on with what is in flight. Says so on standard error.
 * Returns whether the wire is open again. */
FERRY_MUST_CHECK
bool session_hold_on(struct session *session);

void session_close(struct session *session);

/* Send what is due and wait for the next answer, at most until end (ferry_connection_now()).
 * Returns 1 with an answer (a timeout is one), 0 when the time is up, FERRY_E_IO. */
FERRY_MUST_CHECK
int session_step(struct session *session, uint64_t end, struct ferry_client_answer *answer);

/* Wait for the answer to a ticket of ferry_command_…().
 *
 * what  the command in words, for messages: "list images"
 *
 * The payload is valid until the next call. Every failure is told. Returns an enum cli_exit. */
FERRY_MUST_CHECK
int session_wait(struct session *session, int32_t ticket, const char *what,
                 struct ferry_client_answer *answer);

/* What session_wait() makes of the result of session_ask(): a message after an error. Returns an
 * enum cli_exit. */
int session_judge(struct session *session, int32_t ticket, int error, const char *what,
                  const struct ferry_client_answer *answer);

/* Tell what a refusal, a missing answer or an unreadable one means. What is in flight is given up:
 * where a refusal may be a lock's the device is asked. Returns an enum cli_exit. */
int session_fail(struct session *session, const char *what,
                 const struct ferry_client_answer *answer);

/* Wait for the answer to a ticket without a message; as session_wait() otherwise.
 * Returns answer->error, FERRY_OK among them; FERRY_E_IO; or the error that ticket is. */
FERRY_MUST_CHECK
int session_ask(struct session *session, int32_t ticket, struct ferry_client_answer *answer);

/* Which bootloader answers in place of an application. */
struct session_bootloader {
    bool found;
    bool is_ferry; /* else what is known of MCUboot's fits it */
    int32_t mode;  /* enum ferry_boot_mode; -1 = not said */
    char way[16];  /* how it was entered: "button"; "" = not said */
};

/* Ask whether a bootloader's recovery answers. For a device that lists no active image, or does not
 * know what every application knows. Silent. */
void session_find_bootloader(struct session *session, struct session_bootloader *bootloader);

/* Whether one answers, after a refusal with rc 8: lists no active image, and then as above. Silent.
 */
bool session_is_bootloader(struct session *session, struct session_bootloader *bootloader);

/* Say on standard error that a bootloader answers, and how to leave it; nothing when none does. */
void session_tell_bootloader(const struct session_bootloader *bootloader);

/* Tell that a command failed because one answers. Returns CLI_REFUSED. */
int session_fail_bootloader(const struct session *session, const char *what);

/* "bootloader" and "recovery" of a result, when a bootloader answers. */
void session_add_bootloader(cJSON *object, const struct session_bootloader *bootloader);

/* How large packets may be is decided by this. */
enum ferry_client_link session_link(const struct session *session);

/* Tell that nothing answered, and what was seen instead. Returns CLI_NO_ANSWER. */
int session_silent(const struct session *session);

/* Tell that the wire broke. Returns CLI_NO_ANSWER. */
int session_gone(const struct session *session, const char *what);

#endif

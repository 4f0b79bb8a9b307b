/* SPDX-License-Identifier: Apache-2.0 */
/* The SMP server: takes requests, finds the command, asks the gate, writes the answer.
 *
 * Bytes in, bytes out: it knows no transport, clock or thread. All state is the caller's, so any
 * number of servers work beside each other; one server handles one request at a time and may not
 * be called again from inside a handler or from an interrupt.            [smp.md §1.5, §1.6] */
#ifndef FERRY_SERVER_H
#define FERRY_SERVER_H

#include "ferry/cbor.h"
#include "ferry/smp.h"

/* Bytes any answer needs at least: a header and {"rc": n} with n below 24. */
#define FERRY_SERVER_ANSWER_MIN 14

struct ferry_server;
struct ferry_server_call;

/* ---- Groups: what a server can do -------------------------------------------- */

/* One command of a group. A handler that is NULL makes its operation "not supported".
 *
 * A handler reads call->payload and writes pairs to call->out: the map of the answer is open
 * already and is closed afterwards. It returns an enum ferry_smp_rc: FERRY_RC_OK sends what was
 * written (or the group error, see ferry_server_error()); anything else throws it away and sends
 * {"rc": n}, with call->reason behind it in a verbose server. */
struct ferry_command {
    int (*read)(struct ferry_server_call *call);
    int (*write)(struct ferry_server_call *call);
};

/* A command group: a const table in a file of its own. */
struct ferry_group {
    uint16_t id;                          /* enum ferry_smp_group, or 64 and above */
    const char *name;                     /* for people, as Zephyr's: "os mgmt" */
    const struct ferry_command *commands; /* by command number */
    size_t command_count;
    const uint8_t *v1_rc; /* by group error: the rc a version 1 request gets; may be NULL */
    size_t v1_rc_count;   /* errors from here on become FERRY_RC_UNKNOWN */
};

/* A group in a server, with its state: one table may serve several servers. */
struct ferry_server_mount {
    const struct ferry_group *group;
    void *context; /* handed to the handlers as call->context; may be NULL */
};

/* ---- Who asks ---------------------------------------------------------------- */

/* What is known of a peer's link, weakest first. */
enum ferry_peer_security {
    FERRY_PEER_OPEN,         /* anybody can be it, and hear it */
    FERRY_PEER_ENCRYPTED,    /* nobody else hears it */
    FERRY_PEER_AUTHENTICATED /* … and it has proven who it is: a passkey, a PSK, a certificate */
};

/* Who sent a request. */
struct ferry_server_peer {
    uint32_t id;          /* tells peers of one transport apart; 0 where there is only one */
    uint8_t transport;    /* the caller's number for where it came from */
    uint8_t security;     /* enum ferry_peer_security */
    const char *identity; /* who it proved to be; NULL = not known */
    uint16_t pad; /* its requests of at least so many bytes are answered in full, smaller ones as
                     far as cap goes (ferry/peers.h): os/6 reports it. 0 = there is no such limit */
};

/* ---- One request on its way -------------------------------------------------- */

/* What a handler, the gate, a hook or the observer is given. Lives during one request only. */
struct ferry_server_call {
    const struct ferry_server *server;
    void *context;                        /* of the mount; NULL before the group is found */
    uint8_t transport;                    /* of the peer */
    const struct ferry_server_peer *peer; /* who asks */
    struct ferry_smp_header header;       /* of the request */
    struct ferry_bytes payload;           /* of the request: never beyond its header's length */
    struct ferry_cbor_writer out;         /* inside the answer's map */
    const char *reason;                   /* why it failed, for people; constant text or NULL */
    bool failed;                          /* set by ferry_server_error() */
    uint16_t error_group;                 /* valid when failed */
    uint16_t error;                       /* valid when failed, above 0 */
};

/* Answer with a group error: {"err": {"group", "rc"}} in version 2, translated to an rc in
 * version 1. What was written to call->out before is thrown away; a handler may write more pairs
 * behind it (only version 2 sends them).
 *
 * error   above 0, from the table of group
 *
 * Returns FERRY_RC_OK, for the handler to return: the request counts as handled.
 * ferry_server_fail() is the same with the request's own group and a reason (text or NULL). */
int ferry_server_error(struct ferry_server_call *call, uint16_t group, uint16_t error);
int ferry_server_fail(struct ferry_server_call *call, uint16_t error, const char *reason);

/* The text of an error of ferry/error.h, for call->reason; NULL where the server has no texts. */
const char *ferry_server_text(const struct ferry_server_call *call, int error);

/* Read the request's map into fields, as ferry_cbor_read_map(), and refuse strings of
 * indefinite length, as Zephyr does: the items' bytes are then the content itself.
 * Returns FERRY_RC_OK or FERRY_RC_INVALID (an empty payload too), for the handler to return. */
FERRY_MUST_CHECK
int ferry_server_read(const struct ferry_server_call *call, struct ferry_cbor_field *fields,
                      size_t count);

/* ---- Gate and observer ------------------------------------------------------- */

/* The table in docs/SERVER.md has Zephyr's callbacks beside them. */
enum ferry_server_event_kind {
    FERRY_EVENT_REFUSED,         /* the gate refused; value = the rc, 0 for a group error */
    FERRY_EVENT_RESET_ASKED,     /* os reset was accepted; value = boot mode */
    FERRY_EVENT_UPLOAD_STARTED,  /* the first chunk was taken; value = size of the image file */
    FERRY_EVENT_UPLOAD_FINISHED, /* all bytes are in the slot; value = size of the image file */
    FERRY_EVENT_UPLOAD_STOPPED,  /* an open upload ended early; value = bytes taken */
    FERRY_EVENT_IMAGE_PENDING,   /* a swap was asked for; value = 1 permanent, 0 test */
    FERRY_EVENT_IMAGE_CONFIRMED, /* the running image was confirmed; value = 0 */
    FERRY_EVENT_SLOT_ERASED,     /* value = the slot, 0 or 1 */
    FERRY_EVENT_CLOCK_SET,       /* value = 0 */
    FERRY_EVENT_STORAGE_ERASED,  /* value = 0 */
    FERRY_EVENT_UNLOCKED,        /* the gate was opened; value = enum ferry_access_level */
    FERRY_EVENT_UNLOCK_FAILED,   /* value = enum ferry_access_error */
    FERRY_EVENT_LOCKED,          /* somebody locked it again; value = enum ferry_access_level */
    /* With observe_all only: what comes with every command. */
    FERRY_EVENT_RECEIVED,      /* a command that exists, before the gate is asked; value = 0 */
    FERRY_EVENT_CHUNK_WRITTEN, /* of an upload that goes on; value = bytes taken so far */
    FERRY_EVENT_DONE, /* an answer is written, of whatever request; value = its rc: 0 is good,
                         or a group error when call->failed. Comes last */
    FERRY_EVENT_USER = 0x100 /* from here on: an application's own groups */
};

struct ferry_server_event {
    int kind;       /* enum ferry_server_event_kind, or FERRY_EVENT_USER and above */
    uint32_t image; /* image number; 0 for other groups */
    uint32_t value; /* by kind */
};

/* Tell the server's observer, if it has one. For handlers. */
void ferry_server_notify(const struct ferry_server_call *call, int kind, uint32_t image,
                         uint32_t value);

/* ---- The server -------------------------------------------------------------- */

/* Set up once, before the first request; must outlive the server. */
struct ferry_server_config {
    const struct ferry_server_mount *groups;
    size_t group_count;
    uint16_t buf_size;  /* largest SMP packet a transport takes, header included: os/6 reports it */
    uint16_t buf_count; /* packets that may wait: os/6 reports it */
    bool refuse_v1;     /* answer version 1 requests with FERRY_RC_TOO_OLD */
    bool verbose;       /* add "rsn", a text, to rc answers */
    /* Texts of the errors of ferry/error.h, for "rsn": ferry_error_text(), whose texts take 5 KiB.
     * NULL = none. */
    const char *(*text)(int error);
    /* Asked before every command that exists: who (call->transport), what (call->header).
     * Answers as a handler does: FERRY_RC_OK lets it pass, anything else refuses. May be NULL. */
    int (*gate)(void *context, struct ferry_server_call *call);
    void *gate_context;
    /* Told after something happened. It may not write to the call. May be NULL. */
    void (*observe)(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event);
    void *observe_context;
    bool observe_all; /* … of every command and chunk as well */
};

/* Do not rely on the contents. */
struct ferry_server {
    const struct ferry_server_config *config;
};

/* Check the configuration and make a server of it.
 * Returns FERRY_OK; FERRY_E_CONFIG when a mount has no group or a group no commands, when two
 * groups share an id, or when buf_size is below FERRY_SERVER_ANSWER_MIN or buf_count is 0. */
FERRY_MUST_CHECK
int ferry_server_init(struct ferry_server *server, const struct ferry_server_config *config);

/* Handle the next request at the front of pending, and answer it.
 *
 * pending    one received packet, header first; several requests may stand in it back to back.
 *            What was handled is cut off the front: call until pending->len is 0. What ends the
 *            packet (damage, an rc error) empties it
 * transport  the caller's number for where it came from; the gate sees it
 * out        cap bytes for the answer, apart from pending's; never written beyond cap. An
 *            answer that does not fit becomes FERRY_RC_MESSAGE_SIZE
 *
 * Returns the size of the answer, one SMP packet of its own; 0 when there is nothing to answer
 * (fewer than 8 bytes) or cap is below FERRY_SERVER_ANSWER_MIN (the packet is then dropped).
 *
 *     struct ferry_bytes pending = {packet, packet_len};
 *     while (pending.len > 0) {
 *         size_t len = ferry_server_handle(&server, &pending, 0, out, sizeof(out));
 *         if (len > 0) { send(out, len); }
 *     } */
FERRY_MUST_CHECK
size_t ferry_server_handle(const struct ferry_server *server, struct ferry_bytes *pending,
                           uint8_t transport, uint8_t *out, size_t cap);

/* The same where more is known of the peer than its transport; it must stay during the call. */
FERRY_MUST_CHECK
size_t ferry_server_handle_from(const struct ferry_server *server, struct ferry_bytes *pending,
                                const struct ferry_server_peer *peer, uint8_t *out, size_t cap);

#endif

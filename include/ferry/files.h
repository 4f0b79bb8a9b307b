/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a device (group 8): the commands, and transfers both ways through a client's window.
 * [smp.md §3.6]
 *
 * A transfer is a state machine as ferry/upload.h has it: call _next() until it returns false,
 * first and after each answer; hand each answer to _answer(); come back at _deadline() at the
 * latest.
 *
 * Neither compares contents in the end: ask for the hash afterwards. */
#ifndef FERRY_FILES_H
#define FERRY_FILES_H

#include "ferry/client.h"
#include "ferry/window.h"

/* ---- Commands ------------------------------------------------------------------------------- */

/* Results and errors of both kinds of functions are those of ferry/commands.h. name ends with NUL.
 */

FERRY_MUST_CHECK
int32_t ferry_command_file_status(struct ferry_client *client, const char *name, void *user);

/* Returns also FERRY_E_RANGE for a size beyond 32 bits. */
FERRY_MUST_CHECK
int ferry_answer_file_status(struct ferry_bytes payload, uint32_t *size);

/* Room for the name of a hash, with its NUL; longer ones are cut, and FERRY_E_SPACE above 64 bytes.
 */
#define FERRY_FILE_TYPE_MAX 17

/* The longest hash: SHA-512. */
#define FERRY_FILE_HASH_MAX 64

struct ferry_file_hash_request {
    const char *name;
    const char *type;  /* "sha256", "crc32"; NULL: the device's own choice */
    uint32_t offset;   /* of the first byte; sent unless 0 */
    uint32_t len;      /* bytes; 0 = to the end */
    uint32_t expected; /* bytes the device will read, for its time; 0 = not known */
};

/* The device reads the file before it answers: it is given 20 ms for each KiB expected, on top of
 * an ordinary command's time. */
FERRY_MUST_CHECK
int32_t ferry_command_file_hash(struct ferry_client *client,
                                const struct ferry_file_hash_request *request, void *user);

struct ferry_file_hash {
    char type[FERRY_FILE_TYPE_MAX];
    uint32_t offset; /* 0 where it was not said */
    uint32_t len;    /* bytes covered */
    bool is_bytes;
    uint64_t number;                    /* !is_bytes: a checksum */
    uint8_t bytes[FERRY_FILE_HASH_MAX]; /* is_bytes */
    uint8_t bytes_len;
};

/* Returns also FERRY_E_RANGE for numbers beyond 32 bits in offset or len, FERRY_E_TYPE for an
 * output that is neither a number nor bytes, FERRY_E_SPACE for one above FERRY_FILE_HASH_MAX. */
FERRY_MUST_CHECK
int ferry_answer_file_hash(struct ferry_bytes payload, struct ferry_file_hash *hash);

FERRY_MUST_CHECK
int32_t ferry_command_file_types(struct ferry_client *client, void *user);

/* A kind of hash the device computes. */
struct ferry_file_type {
    char name[FERRY_FILE_TYPE_MAX];
    uint32_t format; /* 0 a number, 1 bytes */
    uint32_t size;   /* bytes */
};

/* Returns the number of kinds, which may be above cap: only cap are filled. */
FERRY_MUST_CHECK
int ferry_answer_file_types(struct ferry_bytes payload, struct ferry_file_type *types, size_t cap);

/* Close what the server has open for a transfer. Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_file_close(struct ferry_client *client, void *user);

/* ---- What both directions share ------------------------------------------------------------- */

/* Chunks in flight at most. */
#define FERRY_FILE_WINDOW_MAX 8

/* So many answers in a row that bring nothing are FERRY_E_STUCK. */
#define FERRY_FILE_REFUSALS_MAX 5

/* An upload may fall back behind what was stored, or begin again, so often. */
#define FERRY_FILE_RESTARTS_MAX 5

/* So many chunks may be lost without any that arrives, beside each request's own retries. */
#define FERRY_FILE_LOSSES_MAX 50

enum ferry_file_event_kind {
    FERRY_FILE_PROGRESS, /* done, total */
    FERRY_FILE_WARNING,  /* text and remedy; each kind of warning comes once */
    FERRY_FILE_DONE,
    FERRY_FILE_FAILED /* error, status, text and remedy */
};

struct ferry_file_event {
    enum ferry_file_event_kind kind;
    uint32_t done;      /* bytes that are there */
    uint32_t total;     /* of the file; 0 while a download does not know it */
    const char *text;   /* what and why */
    const char *remedy; /* what to do next; may be "" */
    int error; /* FERRY_E_REFUSED: status; _TIMEOUT; _STUCK; _SHORT (the file ends before its
                  length); _FORMAT and _RANGE (an answer makes no sense); _SPACE (packets too
                  small for the name); _CANCELLED; the callback's */
    struct ferry_smp_status status; /* its reason is empty */
};

/* A chunk in flight: from off to end. */
struct ferry_file_flight {
    int32_t ticket;
    uint32_t off;
    uint32_t end;
    uint32_t known;  /* upload: what the server had when this was submitted */
    uint32_t passed; /* download: so many that were asked for later have come */
    uint32_t era;    /* losses before it was submitted */
    bool ignored;    /* sent before the upload turned to another offset */
};

/* Do not rely on the contents. */
struct ferry_file_flow {
    struct ferry_client *client;
    struct ferry_file_flight flights[FERRY_FILE_WINDOW_MAX];
    uint32_t flight_count; /* in the order they were submitted */
    struct ferry_window window;
    uint32_t losses; /* since a chunk arrived */
    uint32_t era;    /* losses that made the window smaller */
    uint32_t waits;  /* passing refusals in a row */
    uint32_t refusals;
    uint64_t wait_until;
    uint8_t state;
    uint8_t warned;
    uint8_t warnings; /* due */
    bool moved;       /* a progress event is due */
    const char *text;
    const char *remedy;
    int error;
    struct ferry_smp_status status;
};

/* ---- Download ------------------------------------------------------------------------------- */

/* Parts of the file that came before what stands in front of them. */
#define FERRY_FILE_PIECES_MAX (2 * FERRY_FILE_WINDOW_MAX)

struct ferry_file_piece {
    uint32_t off;
    uint32_t end;
};

struct ferry_file_download_config {
    struct ferry_client *client; /* packet_max and version set; must outlive the download */
    const char *name;            /* on the device, NUL at the end; must outlive it, too */
    /* Keep len bytes of the file, above 0, at off. Offsets come in any order and some bytes twice;
     * none lies beyond total, the length that the device told first.
     * Returns FERRY_OK or a negative error, which ends the download. */
    int (*write)(void *context, uint32_t off, const uint8_t *data, size_t len, uint32_t total);
    void *context;
    uint32_t window; /* ferry_hello.window; 0 = 1; cut to FERRY_FILE_WINDOW_MAX */
};

/* Do not rely on the contents. */
struct ferry_file_download {
    struct ferry_file_download_config config;
    struct ferry_file_flow flow;
    struct ferry_file_piece pieces[FERRY_FILE_PIECES_MAX]; /* in order, apart, behind done */
    uint32_t piece_count;
    uint32_t done; /* all before it is here */
    uint32_t total;
    uint32_t chunk;      /* bytes of the last whole chunk */
    uint32_t chunk_head; /* bytes its offset took in the answer */
    bool sized;          /* total is known */
};

/* Begin a download. config is copied. The device's file is asked for in chunks as large as its
 * answers turn out to be; one request is sent until the first answer tells that.
 * Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_file_download_start(struct ferry_file_download *download,
                              const struct ferry_file_download_config *config);

/* Submit what is due and report.
 *
 * event  filled when true. DONE or FAILED comes once and is the last; nothing is in flight then
 *
 * Returns whether something is to be reported. */
bool ferry_file_download_next(struct ferry_file_download *download, uint64_t now,
                              struct ferry_file_event *event);

/* Take an answer of the client's. Returns whether it was this download's. */
bool ferry_file_download_answer(struct ferry_file_download *download,
                                const struct ferry_client_answer *answer, uint64_t now);

/* When to call next again though nothing was received; FERRY_CLIENT_NEVER = not. The client has a
 * deadline of its own. */
uint64_t ferry_file_download_deadline(const struct ferry_file_download *download);

/* Stop: forget what is in flight. The next event is FAILED with FERRY_E_CANCELLED. */
void ferry_file_download_cancel(struct ferry_file_download *download);

/* ---- Upload --------------------------------------------------------------------------------- */

struct ferry_file_upload_config {
    struct ferry_client *client; /* packet_max and version set; must outlive the upload */
    const char *name;            /* on the device, NUL at the end; must outlive it, too */
    /* Fill buf with len bytes of the file from off. Called again for offsets already read.
     * Returns FERRY_OK or a negative error, which ends the upload. */
    int (*read)(void *context, uint32_t off, uint8_t *buf, size_t len);
    void *context;
    uint32_t size;   /* of the file; 0 makes an empty one */
    uint32_t start;  /* the device has the file up to here, as its hash says; 0 = send all of it */
    uint32_t window; /* ferry_hello.window; 0 = 1; cut to FERRY_FILE_WINDOW_MAX */
};

/* Do not rely on the contents. */
struct ferry_file_upload {
    struct ferry_file_upload_config config;
    struct ferry_file_flow flow;
    uint32_t next;  /* offset of the next chunk */
    uint32_t acked; /* the most the server said it has, since the last restart */
    uint32_t sent;  /* highest end since the last restart */
    uint32_t restarts;
    int32_t ticket; /* of status or close; 0 = none in flight */
    bool started;   /* the first chunk was answered */
    bool tell_len;  /* the next chunk has the file's length */
    bool opened; /* the server may have opened the file in its middle: it does not know its end */
};

/* Begin an upload. config is copied. The first chunk, which begins the file anew, is sent alone.
 * The server closes the file at its end, or is asked to where it may not know it.
 * Returns FERRY_OK or FERRY_E_CONFIG (start beyond size among them). */
FERRY_MUST_CHECK
int ferry_file_upload_start(struct ferry_file_upload *upload,
                            const struct ferry_file_upload_config *config);

/* As those of the download. */
bool ferry_file_upload_next(struct ferry_file_upload *upload, uint64_t now,
                            struct ferry_file_event *event);
bool ferry_file_upload_answer(struct ferry_file_upload *upload,
                              const struct ferry_client_answer *answer, uint64_t now);
uint64_t ferry_file_upload_deadline(const struct ferry_file_upload *upload);
void ferry_file_upload_cancel(struct ferry_file_upload *upload);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Upload of an image through a client's window. The server's offset is the truth: whatever is
 * lost, doubled, cut or forgotten, the upload goes on where the server says. [smp.md §5.2–5.5]
 *
 * The first chunk is sent alone, because it erases. A bootloader that gets it again erases again,
 * so it is never repeated within the erase budget; when its answer is overdue the second chunk is
 * sent as a question, and its answer tells whether the first arrived.
 *
 * A network that delivers a copy of the first chunk after the last one can still undo an upload:
 * read the list of images afterwards, as the update flow does. */
#ifndef FERRY_UPLOAD_H
#define FERRY_UPLOAD_H

#include "ferry/commands.h"
#include "ferry/probe.h"
#include "ferry/window.h"

/* Chunks in flight at most. */
#define FERRY_UPLOAD_WINDOW_MAX 8

/* The same offset asked for so often, with the chunk for it in hand, is FERRY_E_STUCK. */
#define FERRY_UPLOAD_REFUSALS_MAX 5

/* The upload may fall back behind what was stored so often (a device that resets). */
#define FERRY_UPLOAD_RESTARTS_MAX 5

/* So many chunks may be lost in a row at one offset, beside each request's own retries. */
#define FERRY_UPLOAD_LOSSES_MAX 50

struct ferry_upload_config {
    struct ferry_client *client; /* packet_max and version set; must outlive the upload. Should have
                                    a request more than the window, for the question */
    /* Fill buf with len bytes of the file from off. Called again for offsets already read.
     * Returns FERRY_OK or a negative error, which ends the upload. */
    int (*read)(void *context, uint32_t off, uint8_t *buf, size_t len);
    void *context;
    uint32_t size;      /* of the file, bytes, above 0 */
    const uint8_t *sha; /* SHA-256 of the file, 32 bytes, or NULL: no resume, no check at the end */
    const uint8_t *hash; /* the image's own digest, as the list shows it, or NULL. Found there when
                            the last answer was lost, the upload is done. */
    size_t hash_len;
    uint32_t image;  /* number of the image; sent when not 0 */
    bool upgrade;    /* the server refuses a version that is not newer */
    uint32_t window; /* ferry_hello.window; 0 = 1; cut to FERRY_UPLOAD_WINDOW_MAX */
    uint32_t align;  /* chunks but the last are multiples: a power of two; 0 = 8 */
    bool
        probe; /* the device does not tell its buffers (ferry_hello.has_params is false): find out
                  how large packets may be before the first chunk, where the file is large enough */
    enum ferry_client_link link; /* for that, and for what the line carries */
    uint32_t first_timeout_ms;   /* erase budget, and the last chunk's; 0 = ferry_client_erase_ms()
                                    of slot_size or size, whichever is more */
    uint32_t slot_size;          /* 0 = unknown */
};

enum ferry_upload_event_kind {
    FERRY_UPLOAD_PROGRESS, /* sent, acked, total */
    FERRY_UPLOAD_WARNING,  /* text and remedy; each kind of warning comes once */
    FERRY_UPLOAD_DONE,     /* matched tells whether the server compared the SHA */
    FERRY_UPLOAD_FAILED    /* error, status, text and remedy; acked = the offset where it ended */
};

struct ferry_upload_event {
    enum ferry_upload_event_kind kind;
    uint32_t sent;  /* bytes handed to the wire, up to this offset */
    uint32_t acked; /* bytes the server has */
    uint32_t total;
    bool resumed; /* the server held a part, or all, already */
    bool matched;
    const char *text;   /* what and why */
    const char *remedy; /* what to do next; may be "" */
    int error;          /* FERRY_E_REFUSED: status; _TIMEOUT; _STUCK; _MISMATCH; _RANGE (offset
                           beyond the file, or beyond what was sent); _FORMAT (no offset); _SPACE (packets
                           too small for the first chunk); the reader's */
    struct ferry_smp_status status; /* its reason is empty */
};

/* What an upload was limited by. */
enum ferry_upload_limit {
    FERRY_LIMIT_NONE,       /* too short to say */
    FERRY_LIMIT_LINE,       /* the line was full */
    FERRY_LIMIT_BUFFERS,    /* one packet at a time: each was waited for */
    FERRY_LIMIT_TURNAROUND, /* as many packets as the device takes, and still waiting for them */
    FERRY_LIMIT_FLASH, /* the device worked all the time: its flash, or a line behind its port */
    FERRY_LIMIT_LOSS,  /* packets were lost */
    FERRY_LIMIT_DEAF,  /* the device loses what comes while it works: one at a time, and waited for
                        */
    FERRY_LIMIT_RADIO  /* Bluetooth LE: what the connection interval lets through, or the device:
                          which of them cannot be told */
};

/* "line", "buffers", "turnaround", "flash", "loss", "deaf", "radio"; "" for none. */
const char *ferry_upload_limit_name(enum ferry_upload_limit limit);

/* What was measured. Rates and shares are those of the time after the first chunk was answered,
 * which erases. */
struct ferry_upload_figures {
    enum ferry_upload_limit limit;
    uint32_t bytes;                 /* of the file, sent now; less than all when it was resumed */
    uint32_t ms;                    /* from the first chunk to the last answer */
    uint32_t erase_ms;              /* of these until the first chunk was answered */
    uint32_t bytes_per_second;      /* of the file */
    uint32_t line_bytes_per_second; /* what the line carries, framing and all; 0 = not known, or
                                       faster than told */
    uint32_t line_share;            /* per mille of the file's bytes that it can carry */
    uint32_t line_use;              /* per mille of the time it was sending */
    uint32_t
        two_bytes_per_second; /* with BUFFERS: what a second buffer would give; 0 = not known */
    uint32_t wait_ms;         /* for the device, after each chunk that was sent alone; else 0 */
    uint32_t chunk;           /* bytes of the file in a full chunk, and of its packet */
    uint32_t packet;
    uint32_t window;     /* packets in flight at the end, at most */
    uint32_t window_max; /* … that the device has buffers for */
    uint32_t round_trip_ms;
    uint32_t losses; /* seen: packets or answers */
    uint32_t resent; /* packets sent again, the same or anew */
};

/* What is counted for them. */
struct ferry_upload_count {
    uint64_t now; /* of the last call */
    uint64_t begin_at;
    uint64_t first_at;   /* the first chunk was answered */
    uint64_t wire_bytes; /* sent after that */
    uint32_t first_end;  /* what the device had then */
    uint32_t resumed_at;
    uint32_t top;   /* highest end of a chunk so far */
    uint32_t again; /* chunks below it, after that */
    uint32_t chunk; /* the largest: its bytes, its packet */
    uint32_t packet;
    bool answered;
    uint32_t lost_ms; /* waited for answers to packets that were sent again */
    uint32_t losses;
    uint32_t retransmitted; /* by the client, before the upload */
};

/* A chunk in flight. */
struct ferry_upload_flight {
    int32_t ticket;
    uint32_t off;
    uint32_t end;
    uint32_t known; /* what the server had when this was submitted */
    uint32_t epoch; /* losses counted then */
    uint64_t at;    /* when it was submitted */
    bool ignored;   /* sent before the upload turned to another offset */
};

/* Do not rely on the contents. */
struct ferry_upload {
    struct ferry_upload_config config;
    struct ferry_upload_flight flights[FERRY_UPLOAD_WINDOW_MAX];
    uint32_t flight_count; /* in the order they were submitted */
    struct ferry_upload_count count;
    struct ferry_probe probe;
    struct ferry_window window;
    uint32_t epoch; /* losses counted */
    uint32_t align;
    uint32_t next;  /* offset of the next chunk */
    uint32_t acked; /* the most the server said it has, since the last restart */
    uint32_t sent;  /* highest end since the last restart */
    uint32_t refusals;
    uint32_t losses;
    uint32_t restarts;
    uint32_t waits; /* RC_BUSY or RC_NO_MEMORY in a row */
    uint64_t wait_until;
    uint64_t busy_until;  /* when patience with RC_BUSY ends; 0 = not busy */
    uint64_t question_at; /* when the second chunk may follow an unanswered first */
    int32_t list_ticket;
    uint64_t list_until; /* a list that is not answered is asked for again until then */
    uint8_t state;
    bool started; /* the first chunk was answered */
    bool sha_sent;
    bool resumed;
    bool matched;
    bool moved; /* a progress event is due */
    uint16_t warned;
    uint16_t warnings; /* due */
    const char *text;
    const char *remedy;
    int error;
    struct ferry_smp_status status;
};

/* Begin an upload. config is copied; sha, hash and what context points to must outlive it.
 * Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_upload_start(struct ferry_upload *upload, const struct ferry_upload_config *config);

/* Submit what is due and report. Call it until it returns false, first and after each answer.
 *
 * event  filled when true. DONE or FAILED comes once and is the last; nothing is in flight then
 *
 * Returns whether something is to be reported. */
bool ferry_upload_next(struct ferry_upload *upload, uint64_t now, struct ferry_upload_event *event);

/* Take an answer of the client's. Returns whether it was this upload's. */
bool ferry_upload_answer(struct ferry_upload *upload, const struct ferry_client_answer *answer,
                         uint64_t now);

/* When ferry_upload_next() is to be called again though nothing was received: a wait the server
 * asked for, or the question after the first chunk. FERRY_CLIENT_NEVER = not. The client has a
 * deadline of its own. */
uint64_t ferry_upload_deadline(const struct ferry_upload *upload);

/* What was measured; call it once DONE was reported. */
void ferry_upload_figures(const struct ferry_upload *upload, struct ferry_upload_figures *figures);

/* Stop: forget what is in flight. The next event is FAILED with FERRY_E_CANCELLED. */
void ferry_upload_cancel(struct ferry_upload *upload);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What downloads and uploads of files share: what is in flight, losses, waits, ends. */
#ifndef CORE_CLIENT_FILE_FLOW_H
#define CORE_CLIENT_FILE_FLOW_H

#include "ferry/cbor.h"
#include "ferry/files.h"

enum ferry_file_state {
    FERRY_FILE_RUNS,
    FERRY_FILE_ASKS,       /* upload: how much the device has */
    FERRY_FILE_REOPENS,    /* upload: close, then begin anew */
    FERRY_FILE_CLOSES,     /* upload: all is there */
    FERRY_FILE_IS_DONE,    /* DONE is to be reported */
    FERRY_FILE_HAS_FAILED, /* FAILED is to be reported */
    FERRY_FILE_OVER
};

enum ferry_file_warning {
    FERRY_FILE_WARN_LOSS,
    FERRY_FILE_WARN_BUFFERS,
    FERRY_FILE_WARN_BUSY,
    FERRY_FILE_WARN_RESTART,
    FERRY_FILE_WARN_OPEN,
    FERRY_FILE_WARN_FOREIGN
};

/* The fields of a chunk's answer or request. */
enum ferry_file_chunk_field { FERRY_FILE_OFF, FERRY_FILE_DATA, FERRY_FILE_LEN, FERRY_FILE_FIELDS };

void ferry_file_flow_init(struct ferry_file_flow *flow, struct ferry_client *client,
                          uint32_t window);

/* Whether another chunk may be submitted as far as window and waits go. */
bool ferry_file_has_room(const struct ferry_file_flow *flow, uint32_t allowed, uint64_t now);

/* Submit a chunk of the file, from off to end, by a command whose payload is set and, where they
 * are not a chunk's usual ones, its retries; the rest of it is filled. Returns FERRY_OK;
 * FERRY_E_BUSY, with a wait, when the client has no place. */
int ferry_file_submit(struct ferry_file_flow *flow, struct ferry_client_command *command,
                      const struct ferry_file_flight *flight, uint64_t now);

/* Milliseconds for a chunk whose answer has so many bytes, behind what is in flight. */
uint32_t ferry_file_timeout_ms(const struct ferry_file_flow *flow, uint32_t answer_bytes);

/* Take the flight of a ticket out. Returns its index, or -1. */
int ferry_file_take_flight(struct ferry_file_flow *flow, int32_t ticket,
                           struct ferry_file_flight *flight);

/* Forget the flight at an index, or the first ones. */
void ferry_file_drop_one(struct ferry_file_flow *flow, uint32_t index);
void ferry_file_drop(struct ferry_file_flow *flow, uint32_t count);

/* Report a warning, once. */
void ferry_file_warn(struct ferry_file_flow *flow, enum ferry_file_warning warning);

/* A chunk or its answer was lost. Of what was in flight together only the first makes the window
 * smaller. Fails the flow when none ever arrives. */
void ferry_file_lost(struct ferry_file_flow *flow, const struct ferry_file_flight *flight);

/* A chunk arrived. */
void ferry_file_arrived(struct ferry_file_flow *flow);

/* An answer to a chunk with an error that is no timeout: take it as a loss or a wait when it is
 * about the way there, and else fail. Returns whether the flow goes on. */
bool ferry_file_takes_error(struct ferry_file_flow *flow, const struct ferry_file_flight *flight,
                            const struct ferry_client_answer *answer, uint64_t now);

/* End: nothing stays in flight. text and remedy are constant strings. */
void ferry_file_fail(struct ferry_file_flow *flow, int error, const char *text, const char *remedy);
void ferry_file_fail_plain(struct ferry_file_flow *flow, int error); /* in the error's own words */
void ferry_file_fail_silent(struct ferry_file_flow *flow);           /* no answer any more */
void ferry_file_fail_refused(struct ferry_file_flow *flow,
                             const struct ferry_client_answer *answer);
void ferry_file_finish(struct ferry_file_flow *flow);

/* Fill the next event. Returns whether there is one. */
bool ferry_file_report(struct ferry_file_flow *flow, uint32_t done, uint32_t total,
                       struct ferry_file_event *event);

#endif

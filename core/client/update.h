/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the update share. */
#ifndef CORE_CLIENT_UPDATE_H
#define CORE_CLIENT_UPDATE_H

#include "ferry/update.h"

/* Begin a step; its event is due. */
void ferry_update_go(struct ferry_update *update, enum ferry_update_step step);

/* End with proof: found is copied. */
void ferry_update_finish(struct ferry_update *update, const struct ferry_image_state *found);

/* End in failure. text and remedy are constant strings. */
void ferry_update_fail(struct ferry_update *update, int error, const char *text,
                       const char *remedy);

/* Report a warning with the next event. */
void ferry_update_warn(struct ferry_update *update, const char *text, const char *remedy);

/* ---- update_list.c ----------------------------------------------------------------------- */

/* Read the list of an answer: only what is of our image is kept. Returns false when the update
 * failed. */
bool ferry_update_take_list(struct ferry_update *update, const struct ferry_client_answer *answer);

/* The image we want, the running one of equals, and the one that runs; NULL when not listed. */
const struct ferry_image_state *ferry_update_wanted(const struct ferry_update *update);
const struct ferry_image_state *ferry_update_running(const struct ferry_update *update);

/* Whether a firmware loader answers: it runs from slot 1, and slot 0 is free to be written. */
bool ferry_update_is_loader(const struct ferry_update *update);

/* Whether the old image waits in the other slot, to be taken back to. */
bool ferry_update_keeps_old(const struct ferry_update *update);

/* Whether every element has a hash. */
bool ferry_update_lists_hashes(const struct ferry_update *update);

/* End in failure, for the reason an answer gives. */
void ferry_update_fail_answer(struct ferry_update *update,
                              const struct ferry_client_answer *answer);

/* Whether an answer refuses with this rc. */
bool ferry_update_is_rc(const struct ferry_client_answer *answer, int64_t rc);

/* ---- update_answer.c and update_return.c ------------------------------------------------- */

/* The image runs: done, or to be confirmed. */
void ferry_update_on_running(struct ferry_update *update, const struct ferry_image_state *wanted);

/* Another image runs than the wanted one: taken back, or refused. */
void ferry_update_fail_not_running(struct ferry_update *update);

/* The new image, which ran, may have crashed: wait until somebody answers, and see who. */
void ferry_update_look_again(struct ferry_update *update, uint64_t now);

/* The connection broke, and is open again, while the device is waited for. It may break again at
 * once, before anything is answered, for as long as the device is away. */
void ferry_update_broke_away(struct ferry_update *update, uint64_t now);

/* The reset was asked for: what follows is waited for. */
void ferry_update_was_reset(struct ferry_update *update, uint64_t now);

/* How long the device may stay away. */
uint32_t ferry_update_return_ms(const struct ferry_update *update);

/* Answers to the steps after a reset. */
void ferry_update_on_return(struct ferry_update *update, const struct ferry_client_answer *answer,
                            uint64_t now);
void ferry_update_on_confirm(struct ferry_update *update, const struct ferry_client_answer *answer,
                             uint64_t now);
void ferry_update_on_prove(struct ferry_update *update, const struct ferry_client_answer *answer,
                           uint64_t now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the upload share. */
#ifndef CORE_CLIENT_UPLOAD_H
#define CORE_CLIENT_UPLOAD_H

#include "ferry/upload.h"

enum ferry_upload_state {
    FERRY_UPLOAD_PROBES, /* the size of packets is found out */
    FERRY_UPLOAD_RUNS,
    FERRY_UPLOAD_ASKS,     /* the list is asked whether the image is there */
    FERRY_UPLOAD_FINISHED, /* DONE is to be reported */
    FERRY_UPLOAD_BROKEN,   /* FAILED is to be reported */
    FERRY_UPLOAD_OVER
};

enum ferry_upload_warning {
    FERRY_UPLOAD_WARN_NO_SHA,
    FERRY_UPLOAD_WARN_LOSS,
    FERRY_UPLOAD_WARN_BUFFERS,
    FERRY_UPLOAD_WARN_CUT,
    FERRY_UPLOAD_WARN_RESTART,
    FERRY_UPLOAD_WARN_LAST,
    FERRY_UPLOAD_WARN_BUSY
};

/* Report a warning, once. */
void ferry_upload_warn(struct ferry_upload *upload, enum ferry_upload_warning warning);

/* How long the first chunk, or a question about it, may be unanswered before a question is asked.
 */
uint32_t ferry_upload_patience_ms(const struct ferry_upload *upload);

/* End in failure: nothing stays in flight. text and remedy are constant strings. */
void ferry_upload_fail(struct ferry_upload *upload, int error, const char *text,
                       const char *remedy);

#endif

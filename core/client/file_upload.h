/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of a file's upload share. */
#ifndef CORE_CLIENT_FILE_UPLOAD_H
#define CORE_CLIENT_FILE_UPLOAD_H

#include "core/client/file_flow.h"

/* Everything was sent and taken: close the file where the server may not know that. */
void ferry_file_upload_complete(struct ferry_file_upload *upload);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* ferry fs download and fs upload: a file is moved, compared by its hash, and only then called
 * done. */
#ifndef CLI_GROUP_FS_TRANSFER_H
#define CLI_GROUP_FS_TRANSFER_H

#include "cli/device/file_proof.h"
#include "cli/device/progress.h"

int fs_run_download(struct cli *cli, int argc, char **argv);
int fs_run_upload(struct cli *cli, int argc, char **argv);

/* ---- What both directions share ------------------------------------------------------------- */

/* A transfer of either direction. */
struct transfer {
    struct session *session;
    const char *label;  /* "upload" */
    const char *remote; /* name on the device */
    const char *local;  /* path here, "-" among them */
    char what[160];     /* "upload config.json" */
    struct progress progress;
    struct cli_buffer bytes; /* of the file */
    uint32_t total;          /* download: told by the device */
    uint32_t done;
    uint32_t begun_at; /* upload: the device had so much */
    uint64_t begun_ms;
    double seconds;
    union {
        struct ferry_file_upload up;
        struct ferry_file_download down;
    };
};

/* label and what the names point to must outlive it. */
void transfer_begin(struct transfer *t, struct session *session, const char *label,
                    const char *remote, const char *local);

/* Run the flow of `up` or `down` to its end. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int transfer_run(struct transfer *t, bool up);

/* Tell that the connection broke. Returns CLI_NO_ANSWER. */
int transfer_gone(const struct transfer *t);

/* What a comparison says of the file. After a message returns an enum cli_exit; CLI_OK when nothing
 * speaks against it. */
FERRY_MUST_CHECK
int transfer_judge(const struct transfer *t, const struct file_proof_result *proof);

/* Print the result. there: the device had it already. */
void transfer_print(const struct transfer *t, const struct file_proof_result *proof, bool there);

/* What stands behind the last slash of a path. */
const char *transfer_last_part(const char *path);

#endif

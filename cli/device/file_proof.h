/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file on the device is what this side has: compared by its hash, which the device
 * computes. */
#ifndef CLI_DEVICE_FILE_PROOF_H
#define CLI_DEVICE_FILE_PROOF_H

#include "session.h"

#include "ferry/files.h"

enum file_proof {
    FILE_PROOF_SAME,
    FILE_PROOF_DIFFERS, /* hash has what the device said, its len among it */
    FILE_PROOF_NO_HASH, /* the device computes none that is known here; the sizes are equal */
    FILE_PROOF_FAILED   /* answer tells why */
};

struct file_proof_result {
    enum file_proof verdict;
    struct ferry_file_hash hash;       /* what the device said; type "" where it has none */
    struct ferry_client_answer answer; /* of FILE_PROOF_FAILED */
};

/* Compare a file of the device with data: by SHA-256, else CRC-32, else by its size alone.
 *
 * whole  false: its first data.len bytes, which are above 0
 *
 * Silent. */
void file_proof(struct session *session, const char *name, struct ferry_bytes data, bool whole,
                struct file_proof_result *result);

/* The size of a file on the device. Silent: FERRY_OK, or the error in answer. */
FERRY_MUST_CHECK
int file_size(struct session *session, const char *name, uint32_t *size,
              struct ferry_client_answer *answer);

/* A hash in hex digits; room for 2 * FERRY_FILE_HASH_MAX + 1 characters. */
void file_hash_text(const struct ferry_file_hash *hash, char *text);

/* "type", "len" and "output" of a result, as the device said them: a checksum is a number, a hash
 * is in hex digits. */
void file_hash_json(cJSON *object, const struct ferry_file_hash *hash);

#endif

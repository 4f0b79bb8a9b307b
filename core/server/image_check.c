/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing an uploaded file with the client's digest. A file of its own, so that a server
 * without the check carries no digest code. */
#include "core/server/image_group.h"

#include <string.h>

/* Bytes hashed at a time. */
#define PIECE 128

/* Bytes between two feedings of the watchdog. */
#define MEAL 4096

static int matches(const struct ferry_image_group *group, const struct ferry_flash *slot,
                   uint32_t len, const uint8_t sha[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 running;
    uint8_t digest[FERRY_SHA256_SIZE];
    uint8_t buf[PIECE];
    int rc = FERRY_OK;

    ferry_crypto_sha256_init(&running);
    for (uint32_t at = 0; at < len && rc == FERRY_OK; at += PIECE) {
        uint32_t piece = ferry_min32(PIECE, len - at);

        rc = ferry_flash_read(slot, at, buf, piece);
        ferry_crypto_sha256_update(&running, buf, piece);
        if (at % MEAL == 0) {
            ferry_image_feed(group);
        }
    }
    ferry_crypto_sha256_final(&running, digest);
    if (rc != FERRY_OK) {
        return rc;
    }
    return memcmp(digest, sha, sizeof(digest)) == 0;
}

const struct ferry_image_check ferry_image_check_sha256 = {.matches = matches};

/* SPDX-License-Identifier: Apache-2.0 */
/* What a compressed image unpacks to. */
#include "inspect.h"

int inspect_compression(cJSON *object, const struct image_file *file, const struct key *key,
                        char why[COMPRESSED_WRONG_MAX])
{
    struct compressed found;
    int error = compressed_verify(file, key, &found);
    compressed_add(object, &found);
    if (found.scheme != NULL) {
        cJSON_AddStringToObject(object, "uncompressed", error == FERRY_OK ? "good" : found.wrong);
    }
    if (error != FERRY_OK) {
        snprintf(why, COMPRESSED_WRONG_MAX, "%s", found.wrong);
    }
    compressed_free(&found);
    return error == FERRY_OK ? FERRY_OK : FERRY_E_TLV;
}

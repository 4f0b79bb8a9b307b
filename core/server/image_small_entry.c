/* SPDX-License-Identifier: Apache-2.0 */
/* A slot's entry in the list of a small server. [smp.md §3.1] */
#include "core/server/image_small.h"

void ferry_image_small_put(struct ferry_cbor_writer *out, uint32_t slot,
                           const struct ferry_image_info *info, uint32_t flags, uint32_t told)
{
    static const char keys[][10] = {"bootable", "pending", "confirmed", "active", "permanent"};
    char version[FERRY_VERSION_TEXT_MAX];

    (void)ferry_version_text(&info->header.version, version);
    ferry_cbor_open_map(out);
    ferry_cbor_pair_uint(out, "slot", slot);
    ferry_cbor_pair_text(out, "version", version);
    ferry_cbor_pair_bytes(out, "hash", info->digest, info->digest_len);
    for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if ((told >> i & 1) != 0) {
            ferry_cbor_pair_bool(out, keys[i], (flags >> i & 1) != 0);
        }
    }
    ferry_cbor_close(out);
}

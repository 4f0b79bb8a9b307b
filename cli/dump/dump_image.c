/* SPDX-License-Identifier: Apache-2.0 */
/* The image in a slot of a dump, verified as its bootloader would. */
#include "dump.h"

static int verify(struct dump *dump, const struct ferry_flash *image, bool digest_only)
{
    struct ferry_image_trust trust = dump->keys.trust;
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    if (digest_only) {
        trust.digest_only = true;
        trust.compressed = true; /* its digest is of what is stored */
        trust.key_count = 0;
    }
    int error = ferry_image_verify(image, &trust, dump->work, sizeof dump->work, NULL, NULL, &info,
                                   &verdict);
    return error == FERRY_OK && !ferry_verdict_is_valid(&verdict) ? FERRY_E_SIGNATURE : error;
}

static void verify_both(struct dump *dump, const struct ferry_flash *image,
                        struct dump_image *found)
{
    found->digest = verify(dump, image, true);
    found->signature = verify(dump, image, false);
}

/* One whose digest is not that of what is stored is encrypted there, or damaged. */
static void decrypt(struct dump *dump, struct dump_image *found)
{
    const struct ferry_flash *stored = &found->view.flash;
    const struct ferry_image_header *header = &found->info.header;
    struct ferry_content_key key;
    struct ferry_flash_cipher cipher;
    if (ferry_image_content_key(stored, header, &dump->secrets, &key) != FERRY_OK) {
        found->digest = FERRY_E_SECRET;
        found->signature = FERRY_E_SECRET;
        return;
    }
    ferry_flash_cipher_init(&cipher, stored, header->header_size,
                            header->header_size + header->payload_size, &key);
    ferry_wipe(&key, sizeof key);
    verify_both(dump, &cipher.flash, found);
    ferry_flash_cipher_wipe(&cipher);
    found->decrypted = found->digest == FERRY_OK;
}

void dump_look(struct dump *dump, uint32_t image, uint32_t slot, struct dump_image *found)
{
    const struct ferry_slots *slots = &dump->slots[image].slots;
    *found = (struct dump_image){0};
    found->error = ferry_slots_view(slots, slot, &found->view, &found->offset);
    if (found->error == FERRY_OK) {
        found->error = ferry_image_inspect(&found->view.flash, &found->info);
    }
    if (found->error != FERRY_OK) {
        return;
    }
    verify_both(dump, &found->view.flash, found);
    if (found->digest == FERRY_E_DIGEST && ferry_image_encrypted(&found->info.header) != 0) {
        decrypt(dump, found);
    }
}

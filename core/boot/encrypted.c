/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted images: the primary holds them in the clear, everything else as they were uploaded. So
 * data moves through views of the secondary that encrypt and decrypt, and strategies know no more
 * of it. The content keys are here while a boot lasts, and nowhere else.
 * [mcuboot-format.md §2.5] */
#include "core/boot/encrypted.h"

#include <string.h>

/* ---- Views ---------------------------------------------------------------------------------- */

/* Where an image begins in the secondary: one that comes backwards comes from where old images are
 * kept, and the other one goes to where uploads are. */
static uint32_t base_of(const struct ferry_boot_swap *swap, uint32_t image)
{
    bool old = (image == FERRY_BOOT_OUTGOING) != swap->backwards;

    return old ? ferry_slots_old_offset(swap->slots) : ferry_slots_upload_offset(swap->slots);
}

void ferry_boot_set_views(const struct ferry_boot_swap *swap, uint32_t image,
                          const struct ferry_content_key *key)
{
    struct ferry_boot_views *views = swap->views;
    const struct ferry_slots *slots = swap->slots;
    uint32_t begin = views->kept[image].header_size;
    uint32_t end = begin + views->kept[image].payload_size;
    uint32_t base = base_of(swap, image);

    if (image == FERRY_BOOT_OUTGOING) {
        ferry_flash_cipher_init(&views->outgoing, slots->secondary, base + begin, base + end, key);
        return;
    }
    ferry_flash_cipher_init(&views->incoming, slots->secondary, base + begin, base + end, key);
    ferry_flash_cipher_init(&views->unpacked, slots->primary, begin, end, key);
}

/* ---- Content keys -----------------------------------------------------------------------------
 */

/* Whether the trailers can keep the ENC TLV, where the image will be in pieces. */
static bool can_keep(const struct ferry_boot_swap *swap, const struct ferry_wrapped_key *wrapped)
{
    const struct ferry_strategy_traits *traits = swap->slots->strategy;

    return !traits->keeps_old || traits->in_place || wrapped->len <= swap->slots->enc_tlv;
}

/* Fill kept by an image that begins with its header, and find its content key. */
static int find_key(const struct ferry_boot_swap *swap, const struct ferry_flash *image,
                    const struct ferry_image_header *header, struct ferry_boot_kept *kept,
                    struct ferry_content_key *key)
{
    int rc = ferry_image_find_key(image, header, swap->config->secrets, &kept->wrapped, key);

    if (rc == FERRY_OK && !can_keep(swap, &kept->wrapped)) {
        ferry_wipe(key, sizeof(*key));
        rc = FERRY_E_UNSUPPORTED;
    }
    if (rc == FERRY_OK) {
        kept->header_size = header->header_size;
        kept->payload_size = header->payload_size;
    }
    return rc;
}

/* Know an image and set its views; where its key is not found everything passes as it is. */
static int know(const struct ferry_boot_swap *swap, uint32_t image, const struct ferry_flash *flash,
                const struct ferry_image_header *header, uint32_t size)
{
    struct ferry_boot_kept *kept = &swap->views->kept[image];
    struct ferry_content_key key = {.len = 0};
    int rc = FERRY_OK;

    memset(kept, 0, sizeof(*kept));
    if (header != NULL) {
        rc = find_key(swap, flash, header, kept, &key);
    }
    if (rc != FERRY_OK) {
        memset(kept, 0, sizeof(*kept));
    }
    kept->size = size;
    ferry_boot_set_views(swap, image, &key);
    ferry_wipe(&key, sizeof(key));
    return rc;
}

static void know_nothing(const struct ferry_boot_swap *swap, uint32_t image)
{
    const struct ferry_content_key none = {.len = 0};

    memset(&swap->views->kept[image], 0, sizeof(swap->views->kept[image]));
    ferry_boot_set_views(swap, image, &none);
}

static int come(const struct ferry_boot_swap *swap, uint32_t offset)
{
    struct ferry_flash_slice image;
    struct ferry_image_header header;
    int rc = ferry_slots_secondary_at(swap->slots, offset, &image);

    if (rc == FERRY_OK) {
        rc = ferry_image_read_header(&image.flash, &header);
    }
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    know_nothing(swap, FERRY_BOOT_OUTGOING);
    return know(swap, FERRY_BOOT_INCOMING, &image.flash, rc == FERRY_OK ? &header : NULL, 0);
}

/* One whose content key is not to be had cannot be put away: it would be there for everyone to
 * read. (Its ENC TLV is outside of what is signed.) If it verifies a test is refused, for there
 * would be no way back; a permanent request gives it up, for no device may be beyond all updates.
 * What does not verify is nothing to keep; in the clear least of all, for what is left of a swap
 * that somebody has uploaded over has parts of an encrypted image in it. */
static int leave(const struct ferry_boot_swap *swap, struct ferry_image_info *info)
{
    const struct ferry_flash *primary = swap->primary;
    struct ferry_verdict verdict;
    int why = know(swap, FERRY_BOOT_OUTGOING, primary, &info->header, info->size);

    if (why == FERRY_E_POWER || (why == FERRY_OK && ferry_image_encrypted(&info->header) != 0)) {
        return why;
    }

    int rc = ferry_boot_verify(swap, primary, info, &verdict);

    if (rc == FERRY_E_POWER || (rc == FERRY_OK && why == FERRY_OK)) {
        return rc;
    }
    if (rc == FERRY_OK && swap->type != FERRY_SWAP_PERM) {
        return why;
    }
    memset(info, 0, sizeof(*info));
    know_nothing(swap, FERRY_BOOT_OUTGOING);
    return FERRY_OK;
}

/* An image that is not moved: only the view to read it through. */
static int read_slot(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                     const struct ferry_image_header *header, const struct ferry_flash **view)
{
    struct ferry_flash_cipher *cipher = &swap->views->incoming;
    struct ferry_boot_kept *kept = &swap->views->kept[FERRY_BOOT_INCOMING];
    struct ferry_content_key key;
    int rc = find_key(swap, slot, header, kept, &key);

    if (rc == FERRY_OK) {
        ferry_flash_cipher_init(cipher, slot, kept->header_size,
                                kept->header_size + kept->payload_size, &key);
        *view = &cipher->flash;
    }
    ferry_wipe(&key, sizeof(key));
    return rc;
}

/* ---- The boot ---------------------------------------------------------------------------------
 */

/* Whether a strategy has somewhere to decrypt to. */
static bool decrypts(const struct ferry_boot_swap *swap)
{
    const struct ferry_strategy_traits *traits = swap->slots->strategy;

    return traits->slot_count > 1 && (!traits->in_place || traits->mode == FERRY_MODE_RAM_LOAD);
}

static void begin(struct ferry_boot_swap *swap, struct ferry_boot_views *views)
{
    if (!decrypts(swap)) {
        return;
    }
    swap->views = views;
    swap->incoming = &views->incoming.flash;
    swap->outgoing = &views->outgoing.flash;
    swap->unpacked = &views->unpacked.flash;
    know_nothing(swap, FERRY_BOOT_INCOMING);
    know_nothing(swap, FERRY_BOOT_OUTGOING);
}

const struct ferry_boot_encryption ferry_boot_encrypted = {.begin = begin,
                                                           .come = come,
                                                           .leave = leave,
                                                           .read = read_slot,
                                                           .keep = ferry_boot_keep,
                                                           .keep_twice = ferry_boot_keep_twice,
                                                           .resume = ferry_boot_resume_kept,
                                                           .resume_scratch =
                                                               ferry_boot_resume_kept_scratch};

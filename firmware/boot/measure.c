/* SPDX-License-Identifier: Apache-2.0 */
/* Measured boot: what the bootloader leaves in the shared memory for the program it starts. */
#include "measure.h"

/* MCUboot has one number for all keys of a bootloader; the first key's stands for them. */
static enum ferry_blinfo_signature signature_of(const struct ferry_image_trust *trust)
{
    const struct ferry_image_verifier *verifier = NULL;

    for (size_t i = 0; trust->key_count > 0 && i < trust->verifier_count; i++) {
        if (trust->verifiers[i]->fits(&trust->keys[0])) {
            verifier = trust->verifiers[i];
        }
    }
    if (verifier == NULL) {
        return FERRY_BLINFO_UNSIGNED;
    }
    switch (verifier->tlv) {
    case FERRY_TLV_ED25519:
        return FERRY_BLINFO_ED25519;
    case FERRY_TLV_ECDSA_SIG:
        return FERRY_BLINFO_ECDSA_P256;
    default:
        return FERRY_BLINFO_RSA;
    }
}

void measure(const struct vchip *chip, const struct ferry_boot_config *config,
             const struct ferry_boot_report *report, const char *version,
             enum ferry_blinfo_recovery recovery)
{
    struct ferry_boot_facts facts = {.signature = signature_of(&config->trust),
                                     .recovery = recovery};

    int rc = ferry_version_parse(version, &facts.version);

    if (rc == FERRY_OK) {
        rc = ferry_boot_measure(config, report, &facts, chip->shared, chip->start.shared_size);
    }
    (void)rc; /* what was left out is what the firmware does not find */
}

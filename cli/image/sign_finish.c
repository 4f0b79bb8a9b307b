/* SPDX-License-Identifier: Apache-2.0 */
/* What several options of `ferry sign` say together. */
#include "sign_take.h"

static bool take_uuid(const uint8_t *space, const char *text, uint8_t uuid[UUID_SIZE])
{
    return uuid_read(text, uuid) || (space != NULL && uuid_of_name(space, text, uuid));
}

static int finish_uuids(const struct cli *cli, const struct sign_arguments *a,
                        struct image_claims *claims)
{
    claims->has_vendor = a->vendor != NULL;
    claims->has_class = a->class_name != NULL;
    if (claims->has_vendor && !take_uuid(uuid_dns, a->vendor, claims->vendor)) {
        return cli_fail(cli, CLI_USAGE, "give a UUID, or the vendor's domain name",
                        "--vid %s is not possible", a->vendor);
    }
    if (claims->has_class &&
        !take_uuid(claims->has_vendor ? claims->vendor : NULL, a->class_name, claims->class_id)) {
        return cli_fail(cli, CLI_USAGE, "give a UUID, or a name and the vendor with --vid",
                        "--cid %s is not possible", a->class_name);
    }
    return CLI_OK;
}

int sign_finish(const struct cli *cli, struct sign_arguments *a)
{
    struct image_build *b = &a->build;
    a->input.erased_value = b->erased_value;
    a->input.limit = b->slot_size;
    if (a->auto_counter) {
        b->claims.counter = (uint32_t)b->version.major << 24 | (uint32_t)b->version.minor << 16 |
                            b->version.revision;
    }
    if (b->max_align == 0) {
        b->max_align = ferry_max32(b->align, 8);
    }
    if (b->max_align < b->align) {
        return cli_fail(cli, CLI_USAGE, "raise --max-align", "--max-align is below --align");
    }
    if (b->pure && b->digest != NULL) {
        return cli_fail(cli, CLI_USAGE, "leave out --sha",
                        "with --pure the digest is always SHA-512");
    }
    if (a->encrypt_path == NULL &&
        (b->encryption.clear || b->encryption.sha512 || b->encryption.save_enctlv)) {
        return cli_fail(cli, CLI_USAGE, "give the device's public key: -E KEY",
                        "--clear, --hmac-sha and --save-enctlv say how to encrypt");
    }
    if (b->compression != COMPRESSION_NONE && a->key_count > 1) {
        return cli_fail(cli, CLI_USAGE, "give one -k KEY",
                        "a compressed image has room for one signature of the image inside it");
    }
    return finish_uuids(cli, a, &b->claims);
}

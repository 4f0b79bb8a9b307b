/* SPDX-License-Identifier: Apache-2.0 */
/* What several options of `ferry sign` say together. */
#include "sign_take.h"

#include "cli/layout/sign_layout.h"

#include <string.h>

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

/* What is signed, and by whom, when that is not a key at hand. */
static int finish_detached(const struct cli *cli, const struct sign_arguments *a)
{
    const struct image_build *b = &a->build;
    bool vector = b->vector != IMAGE_WHOLE;
    if (a->outside_path != NULL && a->outside_key_path == NULL) {
        return cli_fail(cli, CLI_USAGE, "give its public key: --fix-sig-pubkey KEY",
                        "--fix-sig alone does not say whose signature it is");
    }
    if (a->outside_path != NULL && (a->key_count > 0 || vector)) {
        return cli_fail(cli, CLI_USAGE, "leave one of them out",
                        "--fix-sig excludes %s: the signature is there already",
                        vector ? "--vector-to-sign" : "-k");
    }
    if (a->outside_key_path != NULL && a->outside_path == NULL && !vector) {
        return cli_fail(cli, CLI_USAGE, "give the signature too: --fix-sig FILE",
                        "--fix-sig-pubkey is of no use here: the image would not be signed");
    }
    if (a->outside_key_path != NULL && a->key_count > 0) {
        return cli_fail(cli, CLI_USAGE, "leave one of them out",
                        "-k and --fix-sig-pubkey both name the signer");
    }
    if (a->signature_path != NULL &&
        (vector || a->key_count > 1 || (a->key_count == 0 && a->outside_path == NULL))) {
        return cli_fail(cli, CLI_USAGE, "give one -k KEY and no --vector-to-sign, or no --sig-out",
                        "--sig-out writes the image's one signature");
    }
    if (a->signature_path != NULL && strcmp(a->signature_path, a->rest[1]) == 0) {
        return cli_fail(cli, CLI_USAGE, "give --sig-out another file",
                        "image and signature cannot both go to %s", a->signature_path);
    }
    return CLI_OK;
}

static int finish_pure(const struct cli *cli, const struct sign_arguments *a)
{
    const struct image_build *b = &a->build;
    if (b->digest != NULL) {
        return cli_fail(cli, CLI_USAGE, "leave out --sha",
                        "with --pure the digest is always SHA-512");
    }
    if (b->vector == IMAGE_DIGEST) {
        return cli_fail(cli, CLI_USAGE, "give --vector-to-sign payload",
                        "with --pure it is not the digest that is signed");
    }
    if (a->key_count == 0 && a->outside_path == NULL && b->vector == IMAGE_WHOLE) {
        return cli_fail(cli, CLI_USAGE, "give -k KEY, or leave out --pure",
                        "--pure says how to sign, and nothing signs");
    }
    return CLI_OK;
}

/* The image inside a compressed one has a signature of its own. */
static int finish_compression(const struct cli *cli, const struct sign_arguments *a)
{
    if (a->key_count > 1) {
        return cli_fail(cli, CLI_USAGE, "give one -k KEY",
                        "a compressed image has room for one signature of the image inside it");
    }
    if (a->outside_path != NULL || a->build.vector != IMAGE_WHOLE) {
        return cli_fail(cli, CLI_USAGE, "sign with -k KEY, or leave out --compression",
                        "a compressed image has two signatures: of itself and of the image inside "
                        "it; one made outside is not enough");
    }
    return CLI_OK;
}

static int finish_slot(const struct cli *cli, struct image_build *b)
{
    if (b->max_align == 0) {
        b->max_align = ferry_max32(b->align, 8);
    }
    if (b->max_align < b->align) {
        return cli_fail(cli, CLI_USAGE, "raise --max-align", "--max-align is below --align");
    }
    if (b->pad && b->vector == IMAGE_WHOLE && (b->slot_size == 0 || b->slot_size > CLI_FILE_MAX)) {
        return cli_fail(cli, CLI_USAGE, "give the slot's size with -S",
                        "a slot of %u bytes cannot be filled", (unsigned)b->slot_size);
    }
    return CLI_OK;
}

int sign_finish(const struct cli *cli, struct sign_arguments *a)
{
    struct image_build *b = &a->build;
    const struct encryption *e = &b->encryption;
    int code = sign_layout_apply(cli, a);
    if (code != CLI_OK) {
        return code;
    }
    a->input.erased_value = b->erased_value;
    a->input.limit = ferry_min32(b->slot_size, CLI_FILE_MAX);
    if (a->auto_counter) {
        b->claims.counter = (uint32_t)b->version.major << 24 | (uint32_t)b->version.minor << 16 |
                            b->version.revision;
    }
    if (a->encrypt_path == NULL && (e->clear || e->sha512 || e->save_enctlv)) {
        fputs(
            "ferry: warning: --clear, --hmac-sha and --save-enctlv do nothing without -E KEY: the "
            "image is not encrypted\n",
            stderr);
    }
    code = finish_slot(cli, b);
    if (code == CLI_OK) {
        code = finish_detached(cli, a);
    }
    if (code == CLI_OK && b->pure) {
        code = finish_pure(cli, a);
    }
    if (code == CLI_OK && b->compression != COMPRESSION_NONE) {
        code = finish_compression(cli, a);
    }
    return code == CLI_OK ? finish_uuids(cli, a, &b->claims) : code;
}

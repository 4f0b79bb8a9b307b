/* SPDX-License-Identifier: Apache-2.0 */
/* ferry sign, with imgtool's option names. */
#include "sign_save.h"
#include "signature_file.h"

#include "cli/layout/sign_layout.h"

#include <stdlib.h>
#include <string.h>

/* "ecdsa-p256, ed25519", or "none". */
static void name_keys(const struct image_build *build, char *out, size_t cap)
{
    size_t len = (size_t)snprintf(out, cap, "%s", build->key_count > 0 ? "" : "none");
    for (size_t i = 0; i < build->key_count && len < cap; i++) {
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i > 0 ? ", " : "",
                                build->keys[i].type->name);
    }
}

/* "firmware: ELF, 0x8000-0x9fff": what was taken of a file that has addresses. */
static void print_input(const struct firmware *in, FILE *text)
{
    if (in->has_address) {
        fprintf(text, "firmware: %s, 0x%x-0x%zx\n", in->form == FIRMWARE_HEX ? "Intel HEX" : "ELF",
                (unsigned)in->address, in->address + in->size - 1);
    }
}

/* "compressed with LZMA2: 30000 → 12882 bytes"; where it was. */
static void print_compression(const struct image_made *made, FILE *text)
{
    if (made->compression != 0) {
        fprintf(text, "compressed with %s: %zu → %zu bytes\n", compression_words(made->compression),
                made->firmware_size, made->payload_size);
    }
}

/* What was left to be signed outside. */
static void print_vector(const struct cli *cli, const struct sign_arguments *a,
                         const struct image_made *made, const char *out_path)
{
    const char *what = a->build.vector == IMAGE_DIGEST ? "digest" : "payload";
    FILE *text = cli_text(cli, out_path);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", out_path);
        cJSON_AddStringToObject(object, "vector", what);
        cJSON_AddStringToObject(object, "digest", made->proof.kind->name);
        cJSON_AddNumberToObject(object, "size", (double)made->size);
        cli_print_json_to(text, object);
        return;
    }
    fprintf(text, "%s: the %s to sign, %zu bytes; the image's digest is %s\n", out_path, what,
            made->size, made->proof.kind->name);
}

static void print_signed(const struct cli *cli, const struct sign_arguments *a,
                         const struct firmware *in, const struct image_made *made,
                         const char *out_path)
{
    char version[FERRY_VERSION_TEXT_MAX];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    char type[IMAGE_KEYS * 16];
    const struct encryption *e = &a->build.encryption;
    const char *encryption = e->key != NULL ? encryption_scheme(encryption_tlv(e)) : "none";
    unsigned room = image_build_limit(&a->build);
    FILE *text = cli_text(cli, out_path);

    ferry_version_text(&a->build.version, version);
    cli_hex(made->proof.digest, made->proof.kind->size, hash);
    name_keys(&a->build, type, sizeof type);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", out_path);
        cJSON_AddStringToObject(object, "version", version);
        cJSON_AddStringToObject(object, "hash", hash);
        cJSON_AddStringToObject(object, "signature", type);
        cJSON_AddStringToObject(object, "encryption", encryption);
        if (in->has_address) {
            cJSON_AddNumberToObject(object, "firmware_address", in->address);
        }
        cJSON_AddStringToObject(object, "compression", compression_words(made->compression));
        cJSON_AddNumberToObject(object, "size", (double)made->size);
        cJSON_AddNumberToObject(object, "slot_room", room);
        cli_print_json_to(text, object);
        return;
    }
    fprintf(text, "%s: version %s, %zu bytes", out_path, version, made->size);
    if (a->layout != NULL) {
        fprintf(text, " (image %u of the layout takes %u)", (unsigned)a->layout_image, room);
    } else if (a->build.slot_size != 0) {
        fprintf(text, " (the slot has %u beside its trailer)", room);
    }
    fprintf(text, ", signature %s, encryption %s\nhash: %s\n", type, encryption, hash);
    print_input(in, text);
    print_compression(made, text);
}

/* Write the image, and its signature when that is asked for: both, or none. */
static int write_outputs(const struct cli *cli, const struct sign_arguments *a,
                         const struct firmware *in, const struct image_made *made,
                         const char *out_path)
{
    struct signature_file signature;
    int code = CLI_OK;
    if (a->signature_path != NULL) {
        code = signature_put(cli, a->signature_path, made->proof.signatures[0].bytes,
                             made->proof.signatures[0].len, &signature);
    }
    if (code != CLI_OK) {
        return code;
    }
    code = a->build.vector == IMAGE_WHOLE
               ? sign_save(cli, a, in, &made->bytes, (uint32_t)made->size, out_path)
               : cli_write_file(cli, out_path, made->bytes.data, made->bytes.len, 0644);
    if (a->signature_path != NULL) {
        signature_settle(cli, &signature, code == CLI_OK);
    }
    return code;
}

static int sign_file(const struct cli *cli, struct sign_arguments *a, const char *in_path,
                     const char *out_path)
{
    struct firmware firmware;
    struct image_made made;
    int code = firmware_read(cli, in_path, &a->input, &firmware);
    if (code != CLI_OK) {
        return code;
    }
    code = image_build(cli, &a->build, &firmware.bytes, &made);
    cli_buffer_free(&firmware.bytes);
    if (code != CLI_OK) {
        return code;
    }
    code = sign_layout_check(cli, a, &made, out_path);
    if (code != CLI_OK) {
        cli_buffer_free(&made.bytes);
        return code;
    }
    code = write_outputs(cli, a, &firmware, &made, out_path);
    if (code == CLI_OK && a->build.vector != IMAGE_WHOLE) {
        print_vector(cli, a, &made, out_path);
    } else if (code == CLI_OK) {
        print_signed(cli, a, &firmware, &made, out_path);
    }
    cli_buffer_free(&made.bytes);
    return code;
}

static int tell_published(const struct cli *cli, const struct sign_arguments *a, const char *path)
{
    if (a->production) {
        return cli_fail_why(cli, CLI_VERIFY,
                            "its private half is published, so that everybody can sign with it",
                            "make the product's key: ferry keygen -t TYPE -o KEY",
                            "%s is a known development key", path);
    }
    fprintf(stderr,
            "ferry: warning: %s is a known development key: everybody can sign with it, and a "
            "device in production refuses it\n",
            path);
    return CLI_OK;
}

static int load_keys(const struct cli *cli, struct sign_arguments *a)
{
    struct image_build *build = &a->build;
    for (; build->key_count < a->key_count; build->key_count++) {
        const char *path = a->key_paths[build->key_count];
        struct key *key = &build->keys[build->key_count];
        int code = key_load(cli, path, key);
        if (code != CLI_OK) {
            return code;
        }
        if (!key->is_private) {
            key_free(key);
            return cli_fail(cli, CLI_FAILED, "give the private key", "%s is a public key", path);
        }
        if (key_is_published(key)) {
            code = tell_published(cli, a, path);
        }
        if (code != CLI_OK) {
            key_free(key);
            return code;
        }
    }
    if (a->key_count == 0 && a->outside_key_path == NULL && build->vector == IMAGE_WHOLE) {
        fputs("ferry: warning: no -k KEY: the image is not signed, and a bootloader that checks "
              "signatures refuses it\n",
              stderr);
    }
    return CLI_OK;
}

/* Load the key that a signature made outside is of, and the signature where it is there already. */
static int load_outside(const struct cli *cli, struct sign_arguments *a)
{
    struct image_build *build = &a->build;
    if (a->outside_key_path == NULL) {
        return CLI_OK;
    }
    int code = key_load(cli, a->outside_key_path, &build->keys[0]);
    if (code != CLI_OK) {
        return code;
    }
    build->key_count = 1;
    if (key_is_published(&build->keys[0])) {
        code = tell_published(cli, a, a->outside_key_path);
    }
    return code == CLI_OK && a->outside_path != NULL
               ? signature_read(cli, a->outside_path, &build->outside_signature)
               : code;
}

/* Load the key to encrypt for, where there is one, and check that the options go with it. */
static int load_encryption(const struct cli *cli, struct sign_arguments *a, struct encrypt_key *key)
{
    if (a->encrypt_path == NULL) {
        return CLI_OK;
    }
    int code = encrypt_key_load(cli, a->encrypt_path, key);
    if (code != CLI_OK) {
        return code;
    }
    if (key->tlv == FERRY_TLV_ENC_RSA2048) {
        a->build.encryption.sha512 = false; /* RSA has no HMAC: imgtool does not mind the option */
    }
    if (a->build.encryption.sha512 && key->tlv != FERRY_TLV_ENC_X25519) {
        return cli_fail(cli, CLI_USAGE, "use an x25519 key, or leave --hmac-sha out",
                        "--hmac-sha 512 goes with x25519 keys only");
    }
    a->build.encryption.key = key;
    return CLI_OK;
}

static int run_sign(struct cli *cli, int argc, char **argv)
{
    struct sign_arguments a;
    struct encrypt_key encrypt_key = {0};
    int code = sign_options_read(cli, argc, argv, &a);
    if (code == CLI_OK) {
        cli->piped = cli_is_stream(a.rest[1]) ||
                     (a.signature_path != NULL && cli_is_stream(a.signature_path));
        code = load_keys(cli, &a);
    }
    if (code == CLI_OK) {
        code = load_outside(cli, &a);
    }
    if (code == CLI_OK) {
        code = load_encryption(cli, &a, &encrypt_key);
    }
    if (code == CLI_OK) {
        code = sign_file(cli, &a, a.rest[0], a.rest[1]);
    }
    for (size_t i = 0; i < a.build.key_count; i++) {
        key_free(&a.build.keys[i]);
    }
    encrypt_key_free(&encrypt_key);
    cli_buffer_free(&a.build.outside_signature);
    image_claims_free(&a.build.claims);
    free(a.layout);
    return code;
}

const struct cli_command cli_sign_commands[] = {
    {"sign", "-k KEY -v VERSION -S SIZE IN OUT",
     "make a signed MCUboot image of a firmware (binary, HEX or ELF)", sign_options_help, run_sign},
    {0},
};

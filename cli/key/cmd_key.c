/* SPDX-License-Identifier: Apache-2.0 */
/* ferry keygen, ferry pubkey */
#include "key.h"

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

static int write_key(const struct cli *cli, const struct key *key, bool private_key,
                     const char *path)
{
    struct cli_buffer pem;
    int code = key_to_pem(cli, key, private_key, &pem);
    if (code != CLI_OK) {
        return code;
    }
    if (path == NULL) {
        fwrite(pem.data, 1, pem.len, stdout);
    } else {
        code = cli_write_file(cli, path, pem.data, pem.len, private_key ? 0600 : 0644);
    }
    OPENSSL_cleanse(pem.data, pem.len);
    cli_buffer_free(&pem);
    return code;
}

static void print_key(const struct cli *cli, const struct key *key, const char *path)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    char hex[2 * FERRY_SHA256_SIZE + 1];

    key_hash(key, &ferry_digest_sha256, digest);
    cli_hex(digest, sizeof digest, hex);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", path);
        cJSON_AddStringToObject(object, "type", key->type->name);
        cJSON_AddStringToObject(object, "keyhash", hex);
        cli_print_json(object);
        return;
    }
    printf("%s: new %s key\nkey hash: %s\nKeep it secret: whoever has it can %s.\n", path,
           key->type->name, hex,
           key->type->tlv != 0 ? "sign for your devices" : "read your devices' images");
}

static int run_keygen(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"type", required_argument, NULL, 't'},
                                        {"output", required_argument, NULL, 'o'},
                                        {"key", required_argument, NULL, 'k'},
                                        {"force", no_argument, NULL, 'f'},
                                        {0}};
    const char *type_name = NULL;
    const char *path = NULL;
    bool force = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "t:o:k:f", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        type_name = option == 't' ? optarg : type_name;
        path = option == 'o' || option == 'k' ? optarg : path; /* -k is imgtool's word */
        force = force || option == 'f';
    }
    if (type_name == NULL || path == NULL || optind != argc) {
        return cli_usage(cli, "keygen needs -t TYPE and -o KEY");
    }
    const struct key_type *type = key_type_find(type_name);
    if (type == NULL) {
        return cli_fail(cli, CLI_USAGE, key_type_names,
                        "unknown key type '%s'; there are:", type_name);
    }
    if (!force && access(path, F_OK) == 0) {
        return cli_fail(cli, CLI_FAILED, "choose another name, or --force to lose the old key",
                        "%s exists already", path);
    }
    struct key key;
    int code = key_generate(cli, type, &key);
    if (code != CLI_OK) {
        return code;
    }
    code = write_key(cli, &key, true, path);
    if (code == CLI_OK) {
        print_key(cli, &key, path);
    }
    key_free(&key);
    return code;
}

static int run_pubkey(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"key", required_argument, NULL, 'k'}, {"output", required_argument, NULL, 'o'}, {0}};
    const char *key_path = NULL;
    const char *out_path = NULL;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:o:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        key_path = option == 'k' ? optarg : key_path;
        out_path = option == 'o' ? optarg : out_path;
    }
    if (key_path == NULL || optind != argc) {
        return cli_usage(cli, "pubkey needs -k KEY");
    }
    struct key key;
    int code = key_load_any(cli, key_path, &key);
    if (code != CLI_OK) {
        return code;
    }
    code = write_key(cli, &key, false, out_path);
    key_free(&key);
    return code;
}

const struct cli_command cli_key_commands[] = {
    {"keygen", "-t TYPE -o KEY", "make a key to sign or to encrypt with",
     "  -t, --type TYPE    rsa-2048, rsa-3072, ecdsa-p256, ecdsa-p384, ed25519;\n"
     "                     to encrypt for: x25519, ecdsa-p256, rsa-2048\n"
     "  -o, --output KEY   the private key, PEM; an existing file is kept\n"
     "  -f, --force        overwrite it all the same\n",
     run_keygen},
    {"pubkey", "-k KEY [-o FILE]", "print the public half of a key as PEM",
     "  -k, --key KEY      private or public key, PEM\n"
     "  -o, --output FILE  write it there instead\n",
     run_pubkey},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* ferry keygen */
#include "key_write.h"

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

struct keygen {
    const char *type_name;
    const char *path;
    const char *encoding;
    bool password;
    bool force;
};

static void print_key(const struct cli *cli, const struct keygen *a, const struct key *key)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    char hex[2 * FERRY_SHA256_SIZE + 1];
    FILE *text = cli_text(cli, a->path);

    key_hash(key, &ferry_digest_sha256, digest);
    cli_hex(digest, sizeof digest, hex);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", a->path);
        cJSON_AddStringToObject(object, "type", key->type->name);
        cJSON_AddStringToObject(object, "keyhash", hex);
        cJSON_AddBoolToObject(object, "encrypted", a->password);
        cli_print_json_to(text, object);
        return;
    }
    fprintf(text, "%s: new %s key%s\nkey hash: %s\nKeep it secret: whoever has it%s can %s.\n",
            a->path, key->type->name, a->password ? ", encrypted" : "", hex,
            a->password ? " and its password" : "",
            key->type->tlv != 0 ? "sign for your devices" : "read your devices' images");
}

static int read_options(struct cli *cli, int argc, char **argv, struct keygen *a)
{
    static const struct option own[] = {{"type", required_argument, NULL, 't'},
                                        {"output", required_argument, NULL, 'o'},
                                        {"key", required_argument, NULL, 'k'},
                                        {"force", no_argument, NULL, 'f'},
                                        {"encoding", required_argument, NULL, 'e'},
                                        {"password", no_argument, NULL, 'p'},
                                        {0}};
    int option;

    *a = (struct keygen){.encoding = "pem"};
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "t:o:k:fe:p", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        a->type_name = option == 't' ? optarg : a->type_name;
        a->path = option == 'o' || option == 'k' ? optarg : a->path; /* -k is imgtool's word */
        a->encoding = option == 'e' ? optarg : a->encoding;
        a->force = a->force || option == 'f';
        a->password = a->password || option == 'p';
    }
    if (a->type_name == NULL || a->path == NULL || optind != argc) {
        return cli_usage(cli, "keygen needs -t TYPE and -o KEY");
    }
    if (strcmp(a->encoding, "pem") != 0 && strcmp(a->encoding, "der") != 0) {
        return cli_fail(cli, CLI_USAGE, "pem, der",
                        "unknown encoding '%s'; there are:", a->encoding);
    }
    cli->piped = cli_is_stream(a->path);
    /* Who names a password wants it used. */
    a->password = a->password || cli->password_file != NULL;
    return CLI_OK;
}

/* Make a key and write it. */
static int make(const struct cli *cli, const struct keygen *a, const struct key_type *type,
                const struct password *password)
{
    struct key key;
    struct cli_buffer file;
    int code = key_generate(cli, type, &key);
    if (code != CLI_OK) {
        return code;
    }
    code = key_write_private(cli, &key, password, strcmp(a->encoding, "pem") == 0, &file);
    if (code == CLI_OK) {
        code = cli_write_file(cli, a->path, file.data, file.len, 0600);
        OPENSSL_cleanse(file.data, file.len);
        cli_buffer_free(&file);
    }
    if (code == CLI_OK) {
        print_key(cli, a, &key);
    }
    key_free(&key);
    return code;
}

static int run_keygen(struct cli *cli, int argc, char **argv)
{
    struct keygen a;
    struct password password = {0};
    int code = read_options(cli, argc, argv, &a);
    if (code != CLI_OK) {
        return code;
    }
    const struct key_type *type = key_type_find(a.type_name);
    if (type == NULL) {
        return cli_fail(cli, CLI_USAGE, key_type_names,
                        "unknown key type '%s'; there are:", a.type_name);
    }
    if (!a.force && !cli->piped && access(a.path, F_OK) == 0) {
        return cli_fail(cli, CLI_FAILED, "choose another name, or --force to lose the old key",
                        "%s exists already", a.path);
    }
    if (a.password) {
        code = password_get(cli, a.path, true, &password);
    }
    if (code == CLI_OK) {
        code = make(cli, &a, type, a.password ? &password : NULL);
    }
    password_wipe(&password);
    return code;
}

const struct cli_command cli_keygen_commands[] = {
    {"keygen", "-t TYPE -o KEY", "make a key to sign or to encrypt with",
     "  -t, --type TYPE     rsa-2048, rsa-3072, ecdsa-p256, ecdsa-p384, ed25519;\n"
     "                      to encrypt for: x25519, ecdsa-p256, rsa-2048\n"
     "  -o, --output KEY    the private key, PKCS#8; an existing file is kept (-k: the same)\n"
     "  -e, --encoding E    pem (default), der\n"
     "  -p, --password      encrypt it; the password: --password-file, FERRY_KEY_PASSWORD, or\n"
     "                      asked for twice\n"
     "  -f, --force         overwrite an existing file all the same\n",
     run_keygen},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* ferry pubkey, pubhash, privkey, keyinfo: what is in a key file, in the forms others need. imgtool
 * calls the first three getpub, getpubhash and getpriv, and has its own defaults. */
#include "key_array.h"
#include "key_write.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* What these commands are told. */
struct key_arguments {
    const char *key_path;
    const char *out_path; /* NULL: standard output */
    const char *encoding; /* NULL: the command's default */
    const char *lang;     /* of pubkey: imgtool's older word for it */
    const char *format;   /* of privkey */
    const char *require;  /* of keyinfo */
    const char *suffix;
    bool minimal;
};

enum { OPTION_SUFFIX = 0x200, OPTION_MINIMAL, OPTION_REQUIRE };

/* Read the options that one command has. Returns CLI_OK, or CLI_USAGE after a message. */
static int read_options(struct cli *cli, int argc, char **argv, const char *shorts,
                        const struct option *own, struct key_arguments *a)
{
    int option;
    *a = (struct key_arguments){.suffix = ""};
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, shorts, own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        a->key_path = option == 'k' ? optarg : a->key_path;
        a->out_path = option == 'o' ? optarg : a->out_path;
        a->encoding = option == 'e' ? optarg : a->encoding;
        a->lang = option == 'l' ? optarg : a->lang;
        a->format = option == 'f' ? optarg : a->format;
        a->require = option == OPTION_REQUIRE ? optarg : a->require;
        a->suffix = option == OPTION_SUFFIX ? optarg : a->suffix;
        a->minimal = a->minimal || option == OPTION_MINIMAL;
    }
    cli->piped = a->out_path != NULL && cli_is_stream(a->out_path);
    return a->key_path != NULL && optind == argc ? CLI_OK : cli_usage(cli, "it needs -k KEY");
}

/* Whether a word is one of a list, "a, b, c". */
static bool is_one_of(const char *word, const char *list)
{
    size_t len = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += strspn(at, ", ");
        if (strcspn(at, ",") == len && memcmp(at, word, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Take a word, or the default. Returns CLI_OK, or CLI_USAGE after a message. */
static int choose(const struct cli *cli, const char *what, const char *list, const char *otherwise,
                  const char **word)
{
    if (*word == NULL) {
        *word = otherwise;
        return CLI_OK;
    }
    return is_one_of(*word, list)
               ? CLI_OK
               : cli_fail(cli, CLI_USAGE, list, "unknown %s '%s'; there are:", what, *word);
}

static int check_suffix(const struct cli *cli, const struct key_arguments *a)
{
    if (a->suffix[0] != '\0' && strncmp(a->encoding, "lang-", 5) != 0) {
        return cli_fail(cli, CLI_USAGE, "use -e lang-c, or leave it out",
                        "--name-suffix goes with source text, and %s has no names", a->encoding);
    }
    return key_array_suffix_ok(a->suffix)
               ? CLI_OK
               : cli_fail(cli, CLI_USAGE, "use at most 64 letters, digits and '_'",
                          "--name-suffix '%s' makes no identifier", a->suffix);
}

/* Write a result where it is wanted, past buffers of stdio, then wipe and free it. */
static int deliver(const struct cli *cli, const struct key_arguments *a, unsigned mode,
                   struct cli_buffer *buffer)
{
    const char *path = a->out_path != NULL ? a->out_path : "-";
    int code = cli_write_file(cli, path, buffer->data, buffer->len, mode);
    OPENSSL_cleanse(buffer->data, buffer->len);
    cli_buffer_free(buffer);
    return code;
}

static int copy(const struct cli *cli, const void *bytes, size_t len, struct cli_buffer *buffer)
{
    *buffer = (struct cli_buffer){.data = malloc(len), .len = len};
    if (buffer->data == NULL) {
        return cli_fail(cli, CLI_FAILED, "free some memory", "no memory for %zu bytes", len);
    }
    memcpy(buffer->data, bytes, len);
    return CLI_OK;
}

/* Bytes as a->encoding says: raw, or an array with a key's symbol before its name. */
static int encode(const struct cli *cli, const struct key_arguments *a, const char *symbol,
                  const char *name, const uint8_t *bytes, size_t len, struct cli_buffer *buffer)
{
    char full[64];
    if (strcmp(a->encoding, "raw") == 0) {
        return copy(cli, bytes, len, buffer);
    }
    snprintf(full, sizeof full, "%s%s", symbol, name);
    const struct key_array array = {.name = full,
                                    .suffix = a->suffix,
                                    .rust = strcmp(a->encoding, "lang-rust") == 0,
                                    .bytes = bytes,
                                    .len = len};
    return key_array_write(cli, &array, buffer);
}

static bool called(const struct cli *cli, const char *name)
{
    return strcmp(cli->called, name) == 0;
}

/* ---- ferry pubkey ----------------------------------------------------------------------- */

static int public_half(const struct cli *cli, const struct key_arguments *a, const struct key *key,
                       struct cli_buffer *buffer)
{
    if (strcmp(a->encoding, "pem") == 0 || strcmp(a->encoding, "der") == 0) {
        return key_write_public(cli, key, a->encoding[0] == 'p', buffer);
    }
    return encode(cli, a, key->type->symbol, "_pub_key", key->der, key->der_len, buffer);
}

/* Which encoding it is to be. Returns CLI_OK, or CLI_USAGE after a message. */
static int choose_encoding(const struct cli *cli, struct key_arguments *a)
{
    if (a->lang == NULL) {
        return choose(cli, "encoding", "lang-c, lang-rust, pem, der, raw",
                      called(cli, "getpub") ? "lang-c" : "pem", &a->encoding);
    }
    if (a->encoding != NULL) {
        return cli_usage(cli, "-l is an older word for -e: one of them is enough");
    }
    a->encoding = strcmp(a->lang, "c") == 0 ? "lang-c" : "lang-rust";
    return choose(cli, "language", "c, rust", NULL, &a->lang);
}

static int run_pubkey(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'},
                                        {"output", required_argument, NULL, 'o'},
                                        {"encoding", required_argument, NULL, 'e'},
                                        {"lang", required_argument, NULL, 'l'},
                                        {"name-suffix", required_argument, NULL, OPTION_SUFFIX},
                                        {0}};
    struct key_arguments a;
    struct key key;
    struct cli_buffer buffer;

    int code = read_options(cli, argc, argv, "k:o:e:l:", own, &a);
    if (code == CLI_OK) {
        code = choose_encoding(cli, &a);
    }
    if (code == CLI_OK) {
        code = check_suffix(cli, &a);
    }
    if (code != CLI_OK || (code = key_load_any(cli, a.key_path, &key)) != CLI_OK) {
        return code;
    }
    code = public_half(cli, &a, &key, &buffer);
    key_free(&key);
    return code == CLI_OK ? deliver(cli, &a, 0644, &buffer) : code;
}

/* ---- ferry pubhash ---------------------------------------------------------------------- */

static int hash_of(const struct cli *cli, const struct key_arguments *a, const struct key *key,
                   struct cli_buffer *buffer)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    char hex[2 * FERRY_SHA256_SIZE + 2];

    key_hash(key, &ferry_digest_sha256, digest);
    if (strcmp(a->encoding, "hex") == 0) {
        cli_hex(digest, sizeof digest, hex);
        hex[sizeof hex - 2] = '\n';
        return copy(cli, hex, sizeof hex - 1, buffer);
    }
    return encode(cli, a, key->type->symbol, "_pub_key_hash", digest, sizeof digest, buffer);
}

static int run_pubhash(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'},
                                        {"output", required_argument, NULL, 'o'},
                                        {"encoding", required_argument, NULL, 'e'},
                                        {"name-suffix", required_argument, NULL, OPTION_SUFFIX},
                                        {0}};
    struct key_arguments a;
    struct key key;
    struct cli_buffer buffer;

    int code = read_options(cli, argc, argv, "k:o:e:", own, &a);
    if (code == CLI_OK) {
        code = choose(cli, "encoding", "hex, lang-c, raw",
                      called(cli, "getpubhash") ? "lang-c" : "hex", &a.encoding);
    }
    if (code == CLI_OK) {
        code = check_suffix(cli, &a);
    }
    if (code != CLI_OK || (code = key_load_any(cli, a.key_path, &key)) != CLI_OK) {
        return code;
    }
    code = hash_of(cli, &a, &key, &buffer);
    key_free(&key);
    return code == CLI_OK ? deliver(cli, &a, 0644, &buffer) : code;
}

/* ---- ferry privkey ---------------------------------------------------------------------- */

static int private_half(const struct cli *cli, const struct key_arguments *a, const struct key *key,
                        struct cli_buffer *buffer)
{
    struct cli_buffer bare;
    enum key_bare form = a->format[0] == 'p'   ? KEY_BARE_PKCS8
                         : a->format[0] == 'o' ? KEY_BARE_OPENSSL
                                               : KEY_BARE_DEFAULT;
    if (!key->is_private) {
        return cli_fail(cli, CLI_FAILED, "give the private key", "%s is a public key", a->key_path);
    }
    int code = key_write_bare(cli, key, form, a->minimal, &bare);
    if (code != CLI_OK) {
        return code;
    }
    code = encode(cli, a, "", "enc_priv_key", bare.data, bare.len, buffer);
    OPENSSL_cleanse(bare.data, bare.len);
    cli_buffer_free(&bare);
    return code;
}

static int run_privkey(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"key", required_argument, NULL, 'k'},          {"output", required_argument, NULL, 'o'},
        {"encoding", required_argument, NULL, 'e'},     {"format", required_argument, NULL, 'f'},
        {"minimal", no_argument, NULL, OPTION_MINIMAL}, {0}};
    struct key_arguments a;
    struct key key;
    struct cli_buffer buffer = {0};

    int code = read_options(cli, argc, argv, "k:o:e:f:", own, &a);
    if (code == CLI_OK) {
        code = choose(cli, "encoding", "lang-c, raw", "lang-c", &a.encoding);
    }
    if (code == CLI_OK) {
        code = choose(cli, "format", "openssl, pkcs8", "", &a.format);
    }
    if (code != CLI_OK || (code = key_load_any(cli, a.key_path, &key)) != CLI_OK) {
        return code;
    }
    code = private_half(cli, &a, &key, &buffer);
    key_free(&key);
    return code == CLI_OK ? deliver(cli, &a, 0600, &buffer) : code;
}

/* ---- ferry keyinfo ---------------------------------------------------------------------- */

static void print_info(const struct cli *cli, const struct key_arguments *a, const struct key *key,
                       const char *kind)
{
    uint8_t digest[FERRY_SHA256_SIZE];
    char hex[2 * FERRY_SHA256_SIZE + 1];
    bool published = key_is_published(key);

    key_hash(key, &ferry_digest_sha256, digest);
    cli_hex(digest, sizeof digest, hex);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", a->key_path);
        cJSON_AddStringToObject(object, "kind", kind);
        cJSON_AddStringToObject(object, "type", key->type->name);
        cJSON_AddStringToObject(object, "keyhash", hex);
        cJSON_AddBoolToObject(object, "encrypted", key->encrypted);
        cJSON_AddBoolToObject(object, "development", published);
        cli_print_json(object);
        return;
    }
    puts(kind);
    if (cli->verbose > 0) {
        printf("type: %s\nkey hash: %s\nencrypted: %s\ndevelopment key: %s\n", key->type->name, hex,
               key->encrypted ? "yes" : "no", published ? "yes, everybody can sign with it" : "no");
    }
}

static int run_keyinfo(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'},
                                        {"require", required_argument, NULL, OPTION_REQUIRE},
                                        {0}};
    struct key_arguments a;
    struct key key;

    cli->unattended = true; /* a build asks */
    int code = read_options(cli, argc, argv, "k:", own, &a);
    if (code == CLI_OK) {
        code = choose(cli, "kind", "private, public", NULL, &a.require);
    }
    if (code != CLI_OK || (code = key_load_any(cli, a.key_path, &key)) != CLI_OK) {
        return code;
    }
    const char *kind = key.is_private ? "private" : "public";
    print_info(cli, &a, &key, kind);
    key_free(&key);
    if (a.require != NULL && strcmp(a.require, kind) != 0) {
        return cli_fail(cli, CLI_FAILED, "give the other half of the key",
                        "the key in %s is %s, and a %s one is required", a.key_path, kind,
                        a.require);
    }
    return CLI_OK;
}

const struct cli_command cli_key_commands[] = {
    {"pubkey", "-k KEY [-o FILE]", "print the public half of a key",
     "  -k, --key KEY         private or public key, PEM or DER\n"
     "  -o, --output FILE     write it there instead\n"
     "  -e, --encoding E      pem (pubkey's default), der; lang-c (getpub's default), lang-rust:\n"
     "                        an array for a bootloader; raw: that array's bytes\n"
     "  -l, --lang L          c, rust: older words for -e\n"
     "  --name-suffix SUFFIX  behind the array's name\n",
     run_pubkey},
    {"pubhash", "-k KEY [-o FILE]", "print the SHA-256 of a public key",
     "  -k, --key KEY         private or public key, PEM or DER\n"
     "  -o, --output FILE     write it there instead\n"
     "  -e, --encoding E      hex (pubhash's default), lang-c (getpubhash's default), raw\n"
     "  --name-suffix SUFFIX  behind the array's name\n",
     run_pubhash},
    {"privkey", "-k KEY [-o FILE]", "print a private key for a bootloader that decrypts",
     "  -k, --key KEY         private key, PEM or DER\n"
     "  -o, --output FILE     write it there instead\n"
     "  -e, --encoding E      lang-c (default): the array enc_priv_key; raw: its bytes\n"
     "  -f, --format F        openssl (default of RSA keys), pkcs8 (default of all others)\n"
     "  --minimal             without what can be computed\n",
     run_privkey},
    {"keyinfo", "-k KEY", "print whether a key is private or public",
     "  -k, --key KEY         the key, PEM or DER; nothing is asked on the terminal\n"
     "  --require KIND        fail unless it is private, or public\n"
     "  -v                    print type, hash, whether it is encrypted or published, too\n",
     run_keyinfo},
    {0},
};

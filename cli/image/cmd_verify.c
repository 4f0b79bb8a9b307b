/* SPDX-License-Identifier: Apache-2.0 */
/* ferry verify: whether an image file is whole, and by whom. */
#include "compressed.h"

/* What could be seen of the signature without the plaintext. */
static const char *stated_text(const struct image_file *file, const struct key *key)
{
    if (key == NULL) {
        return "not checked (give -k KEY)";
    }
    switch (image_file_stated(file, key)) {
    case FERRY_OK:
        return "good for the digest it states";
    case FERRY_E_UNSUPPORTED:
        return "not checked: it is of the plaintext itself";
    default:
        return "NOT by this key for the digest it states";
    }
}

/* An encrypted image without the key: what it is, and what could be checked. */
static int refuse_sealed(const struct cli *cli, const char *path, const struct image_file *file,
                         const struct key *key)
{
    char scheme[IMAGE_FILE_SCHEME_MAX];
    char why[256];
    image_file_scheme(file, scheme);
    snprintf(why, sizeof why,
             "its payload is encrypted (%s); header, sizes and TLVs are good, signature %s, the "
             "digest is of the plaintext",
             scheme, stated_text(file, key));
    return cli_fail_why(cli, CLI_VERIFY, why, "decrypt it with the device's private key: -E KEY",
                        "%s cannot be verified as it is", path);
}

static int refuse(const struct cli *cli, const char *path, int error)
{
    return cli_fail_error(cli, CLI_VERIFY, error, "%s does not verify", path);
}

/* What became of the payload, for people; "" where there is nothing to say. */
static const char *payload_text(const struct image_file *file)
{
    switch (file->payload) {
    case IMAGE_CLEAR:
        return ", flagged as encrypted but in the clear";
    case IMAGE_DECRYPTED:
        return ", decrypted";
    case IMAGE_PLAIN:
    case IMAGE_ENCRYPTED:
        break;
    }
    return "";
}

/* What all files are verified by, and with --json the list of several. */
struct verification {
    const struct cli *cli; /* says what is wrong; of several files in words only */
    const char *secret_path;
    const struct key *key;        /* NULL = digests only */
    struct firmware_options part; /* of HEX files */
    cJSON *list;                  /* NULL: one file alone, or no --json */
};

static void print_verified(const struct verification *by, const char *path,
                           const struct image_file *file, const struct compressed *inner)
{
    const struct key *key = by->key;
    const struct ferry_image_info *info = &file->info;
    char version[FERRY_VERSION_TEXT_MAX];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    ferry_version_text(&info->header.version, version);
    cli_hex(info->digest, info->digest_len, hash);
    if (by->cli->json || by->list != NULL) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", path);
        cJSON_AddStringToObject(object, "version", version);
        cJSON_AddStringToObject(object, "hash", hash);
        cJSON_AddStringToObject(object, "signature", key != NULL ? key->type->name : "unchecked");
        cJSON_AddStringToObject(object, "payload", image_file_payload_name(file));
        compressed_add(object, inner);
        if (by->list != NULL) {
            cJSON_AddItemToArray(by->list, object);
        } else {
            cli_print_json(object);
        }
        return;
    }
    printf("%s: version %s%s, digest good, signature %s\nhash: %s\n", path, version,
           payload_text(file), key != NULL ? "good" : "not checked (give -k KEY)", hash);
    compressed_print(stdout, inner);
}

/* What was verified is how it is stored; then what it unpacks to. */
static int verify_inner(const struct verification *by, const char *path,
                        const struct image_file *file)
{
    struct compressed inner;
    int code = compressed_check(by->cli, path, file, by->key, &inner);
    if (code == CLI_OK) {
        print_verified(by, path, file, &inner);
    }
    compressed_free(&inner);
    return code;
}

/* Read FILE, decrypt it where a key is given for that, verify it, and say what was found. */
static int verify_file(const struct verification *by, const char *path)
{
    struct image_file file;
    int code = image_file_read_part(by->cli, path, &by->part, &file);
    if (code != CLI_OK) {
        return code;
    }
    code = by->secret_path != NULL ? image_file_decrypt(by->cli, by->secret_path, &file) : CLI_OK;
    if (code == CLI_OK) {
        int error = image_file_verify(&file, by->key);
        if (error == FERRY_OK) {
            code = verify_inner(by, path, &file);
        } else {
            code = error == FERRY_E_SECRET ? refuse_sealed(by->cli, path, &file, by->key)
                                           : refuse(by->cli, path, error);
        }
    }
    image_file_free(&file);
    return code;
}

/* All of them, whatever is wrong with one. Returns the first code that is not CLI_OK. */
static int verify_files(const struct verification *by, char *const paths[], int count)
{
    struct cli quiet = *by->cli;
    struct verification each = *by;
    int first = CLI_OK;
    if (count == 1) {
        return verify_file(by, paths[0]);
    }
    if (by->cli->json) {
        each.list = cJSON_CreateArray();
        quiet.json = false;
        each.cli = &quiet;
    }
    for (int i = 0; i < count; i++) {
        int code = verify_file(&each, paths[i]);
        first = first == CLI_OK ? code : first;
        if (code != CLI_OK && each.list != NULL) {
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, "file", paths[i]);
            cJSON_AddNumberToObject(row, "exit", code);
            cJSON_AddItemToArray(each.list, row);
        }
    }
    if (each.list != NULL) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToObject(object, "images", each.list);
        cli_print_json(object);
    }
    return first;
}

static int run_verify(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'},
                                        {"encrypt", required_argument, NULL, 'E'},
                                        {"range", required_argument, NULL, 'r'},
                                        {0}};
    struct verification by = {.cli = cli, .part = firmware_image};
    const char *key_path = NULL;
    struct key key = {0};
    int option;

    by.part.can_range = true;
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:E:", own)) != -1) {
        if (option == '?' ||
            (option == 'r' && firmware_take_range(cli, optarg, &by.part) != CLI_OK)) {
            return CLI_USAGE;
        }
        key_path = option == 'k' ? optarg : key_path;
        by.secret_path = option == 'E' ? optarg : by.secret_path;
    }
    if (optind == argc) {
        return cli_usage(cli, "verify needs a FILE");
    }
    int code = key_path != NULL ? key_load(cli, key_path, &key) : CLI_OK;
    if (code == CLI_OK) {
        by.key = key_path != NULL ? &key : NULL;
        code = verify_files(&by, argv + optind, argc - optind);
    }
    key_free(&key);
    return code;
}

const struct cli_command cli_verify_commands[] = {
    {"verify", "[-k KEY] FILE ...", "check image files: structure, digest, signature",
     "  -k, --key KEY      public or private key, PEM or DER; without it the signature is not "
     "checked\n"
     "  -E, --encrypt KEY  the device's private key, which decrypts the payload\n"
     "      --range FIRST-LAST  of a HEX file the data at these addresses alone\n",
     run_verify},
    {0},
};

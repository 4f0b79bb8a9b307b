/* SPDX-License-Identifier: Apache-2.0 */
/* ferry verify, ferry inspect: what an image file is. */
#include "image_file.h"

#include "ferry/slots.h"
#include "tlv_words.h"

#include <string.h>

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

static const char *payload_name(const struct image_file *file)
{
    static const char *const names[] = {[IMAGE_PLAIN] = "plain",
                                        [IMAGE_CLEAR] = "clear",
                                        [IMAGE_DECRYPTED] = "decrypted",
                                        [IMAGE_ENCRYPTED] = "encrypted"};
    return names[file->payload];
}

static void print_verified(const struct cli *cli, const char *path, const struct image_file *file,
                           const struct key *key)
{
    const struct ferry_image_info *info = &file->info;
    char version[FERRY_VERSION_TEXT_MAX];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    ferry_version_text(&info->header.version, version);
    cli_hex(info->digest, info->digest_len, hash);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", path);
        cJSON_AddStringToObject(object, "version", version);
        cJSON_AddStringToObject(object, "hash", hash);
        cJSON_AddStringToObject(object, "signature", key != NULL ? key->type->name : "unchecked");
        cJSON_AddStringToObject(object, "payload", payload_name(file));
        cli_print_json(object);
        return;
    }
    printf("%s: version %s%s, digest good, signature %s\nhash: %s\n", path, version,
           payload_text(file), key != NULL ? "good" : "not checked (give -k KEY)", hash);
}

/* Read FILE, decrypt it where a key is given for that, verify it, and say what was found. */
static int verify_file(const struct cli *cli, const char *path, const char *secret_path,
                       const struct key *key)
{
    struct image_file file;
    int code = image_file_read(cli, path, &file);
    if (code != CLI_OK) {
        return code;
    }
    code = secret_path != NULL ? image_file_decrypt(cli, secret_path, &file) : CLI_OK;
    if (code == CLI_OK) {
        int error = image_file_verify(&file, key);
        if (error == FERRY_OK) {
            print_verified(cli, path, &file, key);
        } else {
            code = error == FERRY_E_SECRET ? refuse_sealed(cli, path, &file, key)
                                           : refuse(cli, path, error);
        }
    }
    image_file_free(&file);
    return code;
}

static int run_verify(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"key", required_argument, NULL, 'k'}, {"encrypt", required_argument, NULL, 'E'}, {0}};
    const char *key_path = NULL;
    const char *secret_path = NULL;
    struct key key = {0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:E:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        key_path = option == 'k' ? optarg : key_path;
        secret_path = option == 'E' ? optarg : secret_path;
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "verify needs one FILE");
    }
    int code = key_path != NULL ? key_load(cli, key_path, &key) : CLI_OK;
    if (code == CLI_OK) {
        code = verify_file(cli, argv[optind], secret_path, key_path != NULL ? &key : NULL);
    }
    key_free(&key);
    return code;
}

/* ---- inspect ------------------------------------------------------------------------ */

static const struct {
    uint32_t flag;
    const char *name;
} flag_names[] = {
    {FERRY_IMAGE_ENCRYPTED_AES128, "ENCRYPTED_AES128"},
    {FERRY_IMAGE_ENCRYPTED_AES256, "ENCRYPTED_AES256"},
    {FERRY_IMAGE_NON_BOOTABLE, "NON_BOOTABLE"},
    {FERRY_IMAGE_RAM_LOAD, "RAM_LOAD"},
    {FERRY_IMAGE_ROM_FIXED, "ROM_FIXED"},
    {FERRY_IMAGE_LZMA1, "COMPRESSED_LZMA1"},
    {FERRY_IMAGE_LZMA2, "COMPRESSED_LZMA2"},
    {FERRY_IMAGE_ARM_THUMB, "ARM_THUMB"},
};

static const char *field_name(enum ferry_trailer_field field)
{
    return field == FERRY_SET ? "set" : field == FERRY_UNSET ? "unset" : "damaged";
}

static void add_header(cJSON *object, const struct ferry_image_info *info)
{
    char version[FERRY_VERSION_TEXT_MAX];
    const struct ferry_image_header *h = &info->header;
    ferry_version_text(&h->version, version);
    cJSON_AddStringToObject(object, "version", version);
    cJSON_AddNumberToObject(object, "header_size", h->header_size);
    cJSON_AddNumberToObject(object, "image_size", h->payload_size);
    cJSON_AddNumberToObject(object, "protected_tlv_size", h->protected_size);
    cJSON_AddNumberToObject(object, "load_addr", h->load_address);
    cJSON *flags = cJSON_AddArrayToObject(object, "flags");
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        if ((h->flags & flag_names[i].flag) != 0) {
            cJSON_AddItemToArray(flags, cJSON_CreateString(flag_names[i].name));
        }
    }
    cJSON_AddNumberToObject(object, "size", info->size);
}

static int add_tlvs(cJSON *object, const struct image_file *file)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    cJSON *list = cJSON_AddArrayToObject(object, "tlvs");
    int more = ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header);
    while (more >= 0 && (more = ferry_tlv_walk_next(&walk, &tlv)) == 1) {
        const uint8_t *data = file->bytes.data + file->offset + tlv.offset;
        char hex[2 * 512 + 1];
        char words[TLV_WORDS_MAX];
        size_t shown = tlv.len > 512 ? 512 : tlv.len;
        cJSON *row = cJSON_CreateObject();
        cli_hex(data, shown, hex);
        tlv_words(&tlv, data, words);
        cJSON_AddStringToObject(row, "name", ferry_tlv_name(tlv.type));
        cJSON_AddNumberToObject(row, "type", tlv.type);
        cJSON_AddStringToObject(row, "area",
                                tlv.area == FERRY_TLV_PROTECTED ? "protected" : "unprotected");
        cJSON_AddNumberToObject(row, "len", tlv.len);
        cJSON_AddStringToObject(row, "data", hex);
        if (words[0] != '\0') {
            cJSON_AddStringToObject(row, "means", words);
        }
        cJSON_AddItemToArray(list, row);
    }
    return more;
}

/* Where in the slot the image is, and what that makes it. */
static void add_place(cJSON *object, const struct image_file *file,
                      const struct ferry_strategy_traits *strategy)
{
    bool up = file->offset > 0;
    const char *place = NULL;
    if (strategy == NULL) {
        place =
            up ? "one sector up: an upload of swap-offset, or the old image of swap-shift" : NULL;
    } else if (up == (strategy->upload_sector > 0)) {
        place = "where uploads are";
    } else if (up == (strategy->old_sector > 0)) {
        place = "where the old image is kept for the way back";
    } else {
        place = "where this strategy keeps no image";
    }
    if (place != NULL) {
        cJSON_AddNumberToObject(object, "image_at", file->offset);
        cJSON_AddStringToObject(object, "place", place);
    }
}

/* What a slot asks of the next boot, by the table everyone uses, the other slot asking for
 * nothing. */
static const char *next_boot(const struct ferry_trailer *primary,
                             const struct ferry_trailer *secondary, bool offset_rows)
{
    switch (ferry_swap_type_of(primary, secondary, offset_rows)) {
    case FERRY_SWAP_TEST:
        return "the next boot installs it for a test";
    case FERRY_SWAP_PERM:
        return "the next boot installs it for good";
    case FERRY_SWAP_REVERT:
        return "the next boot takes the old image back";
    case FERRY_SWAP_NONE:
        break;
    }
    return "the next boot changes nothing";
}

/* Images that run where they are have their own trailer: it speaks for them alone. */
static const char *standing(const struct ferry_trailer *t)
{
    if (t->magic != FERRY_SET) {
        return "nobody asked for it";
    }
    if (t->image_ok == FERRY_SET) {
        return "confirmed, or asked for for good";
    }
    return t->copy_done == FERRY_SET ? "started, not confirmed: the next boot takes the old one"
                                     : "asked for as a test, not started yet";
}

static void add_meaning(cJSON *trailer, const struct ferry_trailer *t,
                        const struct ferry_strategy_traits *strategy, bool kept)
{
    static const struct ferry_trailer unset = {FERRY_UNSET, FERRY_UNSET, FERRY_UNSET,
                                               FERRY_SWAP_NONE, 0};
    bool offset_rows = strategy != NULL && strategy->tlv_sizes;
    bool reverts = strategy == NULL || strategy->reverts;

    if (strategy != NULL && strategy->in_place) {
        cJSON_AddStringToObject(trailer, "next_boot",
                                reverts ? standing(t) : "the trailer does not count");
        return;
    }
    cJSON_AddStringToObject(trailer, "as_secondary",
                            kept && t->magic == FERRY_SET
                                ? "a revert was begun: the next boot takes it back"
                                : next_boot(&unset, t, offset_rows));
    cJSON_AddStringToObject(trailer, "as_primary",
                            reverts ? next_boot(t, &unset, offset_rows)
                                    : "the next boot changes nothing");
}

/* Find the alignment by the magic. Returns false when there is none. */
static bool find_trailer(const struct image_file *file, uint32_t *align, struct ferry_trailer *t)
{
    for (*align = 8; *align <= 32; *align *= 2) {
        if (file->bytes.len >= 512 && ferry_trailer_read(&file->rom.flash, *align, t) == FERRY_OK &&
            t->magic == FERRY_SET) {
            return true;
        }
    }
    return false;
}

/* A file that was padded to its slot, or the dump of one, ends in the trailer. */
static void add_trailer(cJSON *object, const struct image_file *file,
                        const struct ferry_strategy_traits *strategy)
{
    struct ferry_trailer t;
    uint32_t align;
    bool kept = strategy != NULL && strategy->upload_sector != strategy->old_sector &&
                (file->offset > 0) == (strategy->old_sector > 0);

    if (!find_trailer(file, &align, &t)) {
        return;
    }
    cJSON *trailer = cJSON_AddObjectToObject(object, "trailer");
    cJSON_AddNumberToObject(trailer, "max_align", align);
    cJSON_AddStringToObject(trailer, "magic", "good");
    cJSON_AddStringToObject(trailer, "image_ok", field_name(t.image_ok));
    cJSON_AddStringToObject(trailer, "copy_done", field_name(t.copy_done));
    cJSON_AddStringToObject(trailer, "swap_info", ferry_swap_type_name(t.swap_type));
    add_meaning(trailer, &t, strategy, kept);
}

static void print_value(const cJSON *item)
{
    if (cJSON_IsString(item)) {
        printf("%s\n", item->valuestring);
    } else {
        printf("%.0f\n", item->valuedouble);
    }
}

static void print_inspection(const cJSON *object)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        const cJSON *row;
        if (!cJSON_IsArray(item) && !cJSON_IsObject(item)) {
            printf("%-19s ", item->string);
            print_value(item);
            continue;
        }
        printf("%s\n", item->string);
        cJSON_ArrayForEach(row, item)
        {
            if (cJSON_IsString(row) && row->string == NULL) {
                printf("  %s\n", row->valuestring);
            } else if (row->string != NULL) {
                printf("  %-17s ", row->string);
                print_value(row);
            } else {
                const cJSON *means = cJSON_GetObjectItem(row, "means");
                printf("  %-17s %-11s %4.0f bytes  %s\n",
                       cJSON_GetObjectItem(row, "name")->valuestring,
                       cJSON_GetObjectItem(row, "area")->valuestring,
                       cJSON_GetObjectItem(row, "len")->valuedouble,
                       (means != NULL ? means : cJSON_GetObjectItem(row, "data"))->valuestring);
            }
        }
    }
}

/* What a dump is of: how its strategy uses the slot. */
struct inspect_options {
    const struct ferry_strategy_traits *strategy; /* NULL = not told */
    uint32_t sector;                              /* 0 = not told */
    const char *secret_path;                      /* -E; NULL = none */
};

static int unknown_strategy(const struct cli *cli, const char *name)
{
    char known[256] = "";
    size_t len = 0;
    const struct ferry_strategy_traits *traits;
    for (size_t i = 0; (traits = ferry_strategy_traits_at(i)) != NULL; i++) {
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i > 0 ? ", " : "",
                                traits->name);
        if (len >= sizeof known) {
            break;
        }
    }
    return cli_fail_why(cli, CLI_USAGE, known, "give one of these names",
                        "there is no strategy '%s'", name);
}

static int take_inspect_options(struct cli *cli, int argc, char **argv,
                                struct inspect_options *options)
{
    static const struct option own[] = {{"strategy", required_argument, NULL, 's'},
                                        {"sector", required_argument, NULL, 'S'},
                                        {"encrypt", required_argument, NULL, 'E'},
                                        {0}};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "E:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        options->secret_path = option == 'E' ? optarg : options->secret_path;
        if (option == 'S' &&
            (cli_number(optarg, 1U << 24, &options->sector) != FERRY_OK || options->sector == 0)) {
            return cli_usage(cli, "--sector takes the bytes a sector has, such as 4096");
        }
        if (option == 's') {
            options->strategy = ferry_strategy_traits_find(optarg);
            if (options->strategy == NULL) {
                return unknown_strategy(cli, optarg);
            }
        }
    }
    return argc - optind == 1 ? CLI_OK : cli_usage(cli, "inspect needs one FILE");
}

/* How it is encrypted, and whether it is still so in this file. */
static void add_encryption(cJSON *object, const struct image_file *file)
{
    char scheme[IMAGE_FILE_SCHEME_MAX];
    if (file->payload != IMAGE_PLAIN) {
        image_file_scheme(file, scheme);
        cJSON_AddStringToObject(object, "encryption", scheme);
        cJSON_AddStringToObject(object, "payload", payload_name(file));
    }
}

static const char *digest_text(int state)
{
    if (state == FERRY_E_SECRET) {
        return "not checked: the payload is encrypted (-E KEY decrypts it)";
    }
    return state == FERRY_OK ? "good" : ferry_error_text(state);
}

/* All there is to say of an image. Returns FERRY_OK, or what is wrong with it. */
static int inspect(cJSON *object, struct image_file *file, const struct inspect_options *options)
{
    int state = image_file_verify(file, NULL);
    add_place(object, file, options->strategy);
    add_header(object, &file->info);
    add_encryption(object, file);
    int tlvs = add_tlvs(object, file);
    cJSON_AddStringToObject(object, "digest", digest_text(state));
    add_trailer(object, file, options->strategy);
    if (tlvs < 0) {
        return tlvs;
    }
    return state == FERRY_E_SECRET ? FERRY_OK : state;
}

static int run_inspect(struct cli *cli, int argc, char **argv)
{
    struct inspect_options options = {NULL, 0, NULL};
    struct image_file file;

    int code = take_inspect_options(cli, argc, argv, &options);
    if (code == CLI_OK) {
        code = image_file_read_slot(cli, argv[optind], options.sector, &file);
    }
    if (code != CLI_OK) {
        return code;
    }
    if (options.secret_path != NULL) {
        code = image_file_decrypt(cli, options.secret_path, &file);
    }
    if (code != CLI_OK) {
        image_file_free(&file);
        return code;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "file", argv[optind]);
    int error = inspect(object, &file, &options);
    if (cli->json) {
        cli_print_json(object);
    } else {
        print_inspection(object);
        cJSON_Delete(object);
    }
    code = error != FERRY_OK ? refuse(cli, argv[optind], error) : CLI_OK;
    image_file_free(&file);
    return code;
}

const struct cli_command cli_image_file_commands[] = {
    {"verify", "[-k KEY] FILE", "check an image file: structure, digest, signature",
     "  -k, --key KEY      public or private key, PEM; without it the signature is not checked\n"
     "  -E, --encrypt KEY  the device's private key, which decrypts the payload\n",
     run_verify},
    {"inspect", "FILE", "show an image file, or the dump of a slot: header, TLVs, digest, trailer",
     "  -E, --encrypt KEY    the device's private key, which decrypts the payload\n"
     "      --strategy NAME  how the device uses the slot: swap-move, swap-shift, …\n"
     "      --sector N       bytes a sector has, where the image is one sector up\n",
     run_inspect},
    {0},
};

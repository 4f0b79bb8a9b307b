/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_options.h"

#include "sign_values.h"

#include <string.h>

enum {
    OPTION_PAD_HEADER = 0x100,
    OPTION_ALIGN,
    OPTION_MAX_ALIGN,
    OPTION_PAD,
    OPTION_CONFIRM,
    OPTION_OVERWRITE,
    OPTION_NON_BOOTABLE,
    OPTION_SHA,
    OPTION_KEY_FORMAT,
    OPTION_PURE,
    OPTION_BOOT_RECORD,
    OPTION_CUSTOM,
    OPTION_CUSTOM_FILE,
    OPTION_VENDOR,
    OPTION_CLASS,
    OPTION_ENCRYPT_KEYLEN,
    OPTION_HMAC_SHA,
    OPTION_SAVE_ENCTLV,
    OPTION_PRODUCTION
};

static const struct option sign_options[] = {
    {"key", required_argument, NULL, 'k'},
    {"version", required_argument, NULL, 'v'},
    {"production", no_argument, NULL, OPTION_PRODUCTION},
    {"header-size", required_argument, NULL, 'H'},
    {"pad-header", no_argument, NULL, OPTION_PAD_HEADER},
    {"slot-size", required_argument, NULL, 'S'},
    {"align", required_argument, NULL, OPTION_ALIGN},
    {"max-align", required_argument, NULL, OPTION_MAX_ALIGN},
    {"max-sectors", required_argument, NULL, 'M'},
    {"erased-val", required_argument, NULL, 'R'},
    {"pad", no_argument, NULL, OPTION_PAD},
    {"confirm", no_argument, NULL, OPTION_CONFIRM},
    {"overwrite-only", no_argument, NULL, OPTION_OVERWRITE},
    {"load-addr", required_argument, NULL, 'L'},
    {"rom-fixed", required_argument, NULL, 'F'},
    {"non-bootable", no_argument, NULL, OPTION_NON_BOOTABLE},
    {"sha", required_argument, NULL, OPTION_SHA},
    {"public-key-format", required_argument, NULL, OPTION_KEY_FORMAT},
    {"pure", no_argument, NULL, OPTION_PURE},
    {"security-counter", required_argument, NULL, 's'},
    {"dependencies", required_argument, NULL, 'd'},
    {"boot-record", required_argument, NULL, OPTION_BOOT_RECORD},
    {"custom-tlv", required_argument, NULL, OPTION_CUSTOM},
    {"custom-tlv-file", required_argument, NULL, OPTION_CUSTOM_FILE},
    {"vid", required_argument, NULL, OPTION_VENDOR},
    {"cid", required_argument, NULL, OPTION_CLASS},
    {"encrypt", required_argument, NULL, 'E'},
    {"encrypt-keylen", required_argument, NULL, OPTION_ENCRYPT_KEYLEN},
    {"hmac-sha", required_argument, NULL, OPTION_HMAC_SHA},
    {"clear", no_argument, NULL, 'c'},
    {"save-enctlv", no_argument, NULL, OPTION_SAVE_ENCTLV},
    {0},
};

static int bad_value(const struct cli *cli, const char *name, const char *expected)
{
    return cli_fail(cli, CLI_USAGE, expected, "%s %s is not possible", name, optarg);
}

static int take_number(const struct cli *cli, const char *name, uint32_t least, uint32_t most,
                       uint32_t *value)
{
    char expected[64];
    if (cli_number(optarg, most, value) == FERRY_OK && *value >= least) {
        return CLI_OK;
    }
    snprintf(expected, sizeof expected, "give a number from %u to %u", (unsigned)least,
             (unsigned)most);
    return bad_value(cli, name, expected);
}

static int take_align(const struct cli *cli, const char *name, uint32_t least, uint32_t *value)
{
    if (cli_number(optarg, 32, value) == FERRY_OK && *value >= least &&
        (*value & (*value - 1)) == 0) {
        return CLI_OK;
    }
    return bad_value(cli, name, least == 8 ? "give 8, 16 or 32" : "give 1, 2, 4, 8, 16 or 32");
}

static int take_erased(const struct cli *cli, uint8_t *value)
{
    uint32_t number;
    if (cli_number(optarg, 0xff, &number) != FERRY_OK || (number != 0 && number != 0xff)) {
        return bad_value(cli, "--erased-val", "give 0 or 0xff");
    }
    *value = (uint8_t)number;
    return CLI_OK;
}

/* An address the image is linked to; flag says what the bootloader does with it. */
static int take_address(const struct cli *cli, const char *name, uint32_t flag,
                        struct image_build *build)
{
    if (build->address_flag != 0 && build->address_flag != flag) {
        return cli_fail(cli, CLI_USAGE, "give one of them",
                        "--load-addr and --rom-fixed exclude each other");
    }
    build->address_flag = flag;
    return take_number(cli, name, 0, UINT32_MAX, &build->address);
}

static int take_sha(const struct cli *cli, struct image_build *build)
{
    static const struct {
        const char *name;
        const struct ferry_image_digest_kind *digest;
    } shas[] = {{"auto", NULL},
                {"256", &ferry_digest_sha256},
                {"384", &ferry_digest_sha384},
                {"512", &ferry_digest_sha512}};
    for (size_t i = 0; i < sizeof shas / sizeof shas[0]; i++) {
        if (strcmp(optarg, shas[i].name) == 0) {
            build->digest = shas[i].digest;
            return CLI_OK;
        }
    }
    return bad_value(cli, "--sha", "give auto, 256, 384 or 512");
}

static int take_key_format(const struct cli *cli, struct image_build *build)
{
    build->full_keys = strcmp(optarg, "full") == 0;
    return build->full_keys || strcmp(optarg, "hash") == 0
               ? CLI_OK
               : bad_value(cli, "--public-key-format", "give hash or full");
}

static int take_key(const struct cli *cli, struct sign_arguments *a)
{
    if (a->key_count == IMAGE_KEYS) {
        return cli_fail(cli, CLI_USAGE, "sign with fewer keys",
                        "a bootloader looks at no more than %d signatures", IMAGE_KEYS);
    }
    a->key_paths[a->key_count++] = optarg;
    return CLI_OK;
}

static int take_counter(const struct cli *cli, struct sign_arguments *a)
{
    a->build.claims.has_counter = true;
    a->auto_counter = strcmp(optarg, "auto") == 0;
    return a->auto_counter
               ? CLI_OK
               : take_number(cli, "--security-counter", 0, UINT32_MAX, &a->build.claims.counter);
}

static int take_role(const struct cli *cli, struct image_claims *claims)
{
    claims->role = optarg;
    return optarg[0] != '\0' && strlen(optarg) <= IMAGE_ROLE_MAX
               ? CLI_OK
               : bad_value(cli, "--boot-record", "give 1 to 12 characters");
}

static int take_dependencies(const struct cli *cli, struct image_claims *claims)
{
    return sign_dependencies(optarg, claims) == FERRY_OK
               ? CLI_OK
               : bad_value(cli, "--dependencies",
                           "write them as (1,1.2.3+4),(2,1.0.0): at most 16 pairs of an image's "
                           "number and the least version it must have");
}

/* Options of two values, as imgtool has them: the type is optarg, the value stands behind it. */
static int take_custom(const struct cli *cli, bool is_file, int argc, char **argv,
                       struct image_claims *claims)
{
    if (optind >= argc) {
        return cli_usage(cli, "--custom-tlv and --custom-tlv-file need a TAG and a value");
    }
    const char *value = argv[optind++];
    struct cli_buffer bytes;
    int code = is_file ? cli_read_file(cli, value, &bytes) : CLI_OK;
    if (code != CLI_OK) {
        return code;
    }
    int rc = is_file ? sign_custom_bytes(optarg, &bytes, claims)
                     : sign_custom_tlv(optarg, value, claims);
    if (rc == FERRY_E_FORMAT) {
        return cli_fail(cli, CLI_USAGE, "give pairs of hex digits behind 0x, or text without it",
                        "the value %s of --custom-tlv is not possible", value);
    }
    return rc == FERRY_OK ? CLI_OK
                          : bad_value(cli, "--custom-tlv",
                                      "give tags from 0xa0 to 0xfffe, each once and 16 at most");
}

/* What the image says of itself. Returns an enum cli_exit, or -1 for another option. */
static int take_claim(const struct cli *cli, int option, struct sign_arguments *a)
{
    switch (option) {
    case 's':
        return take_counter(cli, a);
    case 'd':
        return take_dependencies(cli, &a->build.claims);
    case OPTION_BOOT_RECORD:
        return take_role(cli, &a->build.claims);
    case OPTION_VENDOR:
        a->vendor = optarg;
        return CLI_OK;
    case OPTION_CLASS:
        a->class_name = optarg;
        return CLI_OK;
    default:
        return -1;
    }
}

/* What has no value. Returns an enum cli_exit, or -1 for another option. */
static int take_switch(int option, struct image_build *b)
{
    switch (option) {
    case OPTION_PAD_HEADER:
        b->pad_header = true;
        return CLI_OK;
    case OPTION_OVERWRITE:
        b->overwrite_only = true;
        return CLI_OK;
    case OPTION_CONFIRM:
        b->confirm = true;
        b->pad = true;
        return CLI_OK;
    case OPTION_PAD:
        b->pad = true;
        return CLI_OK;
    case OPTION_NON_BOOTABLE:
        b->non_bootable = true;
        return CLI_OK;
    case OPTION_PURE:
        b->pure = true;
        return CLI_OK;
    default:
        return -1;
    }
}

/* How it is signed and laid out. Returns an enum cli_exit, or -1 for another option. */
static int take_form(const struct cli *cli, int option, struct sign_arguments *a)
{
    struct image_build *b = &a->build;
    switch (option) {
    case 'k':
        return take_key(cli, a);
    case 'v':
        a->have_version = sign_version(optarg, &b->version);
        return a->have_version ? CLI_OK
                               : bad_value(cli, "--version", "write it as 1.2.3 or 1.2.3+4");
    case OPTION_PRODUCTION:
        a->production = true;
        return CLI_OK;
    case 'H':
        return take_number(cli, "--header-size", FERRY_IMAGE_HEADER_SIZE, 0xffff, &b->header_size);
    case 'S':
        return take_number(cli, "--slot-size", 256, 64u << 20, &b->slot_size);
    case 'M':
        return take_number(cli, "--max-sectors", 1, 65535, &b->max_sectors);
    case 'R':
        return take_erased(cli, &b->erased_value);
    case 'L':
        return take_address(cli, "--load-addr", FERRY_IMAGE_RAM_LOAD, b);
    case 'F':
        return take_address(cli, "--rom-fixed", FERRY_IMAGE_ROM_FIXED, b);
    case OPTION_ALIGN:
        return take_align(cli, "--align", 1, &b->align);
    case OPTION_MAX_ALIGN:
        return take_align(cli, "--max-align", 8, &b->max_align);
    case OPTION_SHA:
        return take_sha(cli, b);
    case OPTION_KEY_FORMAT:
        return take_key_format(cli, b);
    default:
        return -1;
    }
}

/* How it is encrypted. Returns an enum cli_exit, or -1 for another option. */
static int take_encryption(const struct cli *cli, int option, struct sign_arguments *a)
{
    struct encryption *e = &a->build.encryption;
    switch (option) {
    case 'E':
        a->encrypt_path = optarg;
        return CLI_OK;
    case 'c':
        e->clear = true;
        return CLI_OK;
    case OPTION_SAVE_ENCTLV:
        e->save_enctlv = true;
        return CLI_OK;
    case OPTION_ENCRYPT_KEYLEN:
        e->key_len = strcmp(optarg, "256") == 0 ? 32 : 16;
        return e->key_len == 32 || strcmp(optarg, "128") == 0
                   ? CLI_OK
                   : bad_value(cli, "--encrypt-keylen", "give 128 or 256");
    case OPTION_HMAC_SHA:
        e->sha512 = strcmp(optarg, "512") == 0;
        return e->sha512 || strcmp(optarg, "256") == 0 || strcmp(optarg, "auto") == 0
                   ? CLI_OK
                   : bad_value(cli, "--hmac-sha", "give auto, 256 or 512");
    default:
        return -1;
    }
}

static int take_option(const struct cli *cli, int option, int argc, char **argv,
                       struct sign_arguments *a)
{
    if (option == OPTION_CUSTOM || option == OPTION_CUSTOM_FILE) {
        return take_custom(cli, option == OPTION_CUSTOM_FILE, argc, argv, &a->build.claims);
    }
    int code = take_switch(option, &a->build);
    code = code < 0 ? take_form(cli, option, a) : code;
    code = code < 0 ? take_claim(cli, option, a) : code;
    code = code < 0 ? take_encryption(cli, option, a) : code;
    return code < 0 ? CLI_USAGE : code;
}

/* ---- What several options say together -------------------------------------------------- */

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

static int finish(const struct cli *cli, struct sign_arguments *a)
{
    struct image_build *b = &a->build;
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
    return finish_uuids(cli, a, &b->claims);
}

int sign_options_read(struct cli *cli, int argc, char **argv, struct sign_arguments *a)
{
    int option;

    *a = (struct sign_arguments){.build = {.header_size = FERRY_IMAGE_HEADER_SIZE,
                                           .align = 8,
                                           .max_sectors = 128,
                                           .erased_value = 0xff,
                                           .encryption = {.key_len = 16}}};
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:v:H:S:M:R:L:F:s:d:E:c", sign_options)) != -1) {
        int code = option == '?' ? CLI_USAGE : take_option(cli, option, argc, argv, a);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (argc - optind != 2 || !a->have_version || a->build.slot_size == 0) {
        return cli_usage(cli, "sign needs -v VERSION, -S SLOT-SIZE, IN and OUT");
    }
    a->rest = argv + optind;
    return finish(cli, a);
}

const char sign_options_help[] =
    "  -k, --key KEY          private key, PEM; several give several signatures (without: digest "
    "only)\n"
    "      --production       refuse keys that everybody has\n"
    "  -v, --version V        1.2.3 or 1.2.3+4\n"
    "  -H, --header-size N    bytes in front of the firmware (default 32)\n"
    "      --pad-header       insert them (else IN begins with as many zero bytes)\n"
    "  -S, --slot-size N      bytes of the slot it must fit, trailer included\n"
    "      --align N          write size of the flash: 1 .. 32 (default 8)\n"
    "      --max-align N      8, 16 or 32 (default: the larger of 8 and --align)\n"
    "  -M, --max-sectors N    sectors the trailer provides for (default 128)\n"
    "      --pad              fill the slot and ask for a test in its trailer\n"
    "      --confirm          fill the slot and ask for it for good\n"
    "      --overwrite-only   the bootloader overwrites: a smaller trailer\n"
    "  -R, --erased-val V     0xff (default) or 0\n"
    "  -L, --load-addr N      ram-load: where in RAM the image, header first, is to be\n"
    "  -F, --rom-fixed N      direct-xip: the slot's address, when it runs in no other\n"
    "      --non-bootable     data, no program\n"
    "      --sha BITS         digest: auto (default: by the key), 256, 384, 512\n"
    "      --public-key-format F  hash (default) or full: how the image names its key\n"
    "      --pure             sign the image itself, not its digest (ed25519)\n"
    "  -s, --security-counter N  the device's counter may not be above; auto: by the version\n"
    "  -d, --dependencies D   (1,1.2.3+4),…: other images and the least versions it needs\n"
    "      --boot-record TYPE what it is in the measured boot, 12 characters at most\n"
    "      --vid ID           vendor: a UUID or a domain name\n"
    "      --cid ID           class of device: a UUID, or a name of the vendor's\n"
    "      --custom-tlv TAG VALUE  a TLV of your own, protected; TAG from 0xa0, VALUE text or 0x…\n"
    "      --custom-tlv-file TAG FILE  the same with the bytes of a file\n"
    "  -E, --encrypt KEY      encrypt for the device with this key: PEM, or a file with the bytes "
    "of an "
    "AES key\n"
    "      --encrypt-keylen N bits of the AES key of the payload: 128 (default) or 256\n"
    "      --hmac-sha H       how an x25519 key wraps it: auto (default), 256, 512\n"
    "  -c, --clear            leave the payload in the clear, for the primary slot\n"
    "      --save-enctlv      the bootloader's trailers keep the wrapped key, as Ferry's do\n";

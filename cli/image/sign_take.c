/* SPDX-License-Identifier: Apache-2.0 */
/* One option of `ferry sign` at a time. */
#include "sign_take.h"

#include "sign_values.h"

#include <string.h>
#include <strings.h>

static int bad_value(const struct cli *cli, const char *name, const char *expected)
{
    return cli_fail(cli, CLI_USAGE, expected, "%s %s is not possible", name, optarg);
}

static int take_number(const struct cli *cli, const char *name, uint32_t least, uint32_t most,
                       uint32_t *value)
{
    char expected[64];
    if (sign_number(optarg, most, value) == FERRY_OK && *value >= least) {
        return CLI_OK;
    }
    snprintf(expected, sizeof expected, "give a number from %u to %u", (unsigned)least,
             (unsigned)most);
    return bad_value(cli, name, expected);
}

static int take_align(const struct cli *cli, const char *name, uint32_t least, uint32_t *value)
{
    if (sign_number(optarg, 32, value) == FERRY_OK && *value >= least &&
        (*value & (*value - 1)) == 0) {
        return CLI_OK;
    }
    return bad_value(cli, name, least == 8 ? "give 8, 16 or 32" : "give 1, 2, 4, 8, 16 or 32");
}

static int take_erased(const struct cli *cli, uint8_t *value)
{
    uint32_t number;
    if (sign_number(optarg, 0xff, &number) != FERRY_OK || (number != 0 && number != 0xff)) {
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

static int take_endian(const struct cli *cli, struct image_claims *claims)
{
    claims->big_endian = strcmp(optarg, "big") == 0;
    return claims->big_endian || strcmp(optarg, "little") == 0
               ? CLI_OK
               : bad_value(cli, "--endian", "give little or big");
}

static int take_vector(const struct cli *cli, struct image_build *build)
{
    build->vector = strcmp(optarg, "digest") == 0 ? IMAGE_DIGEST : IMAGE_PAYLOAD;
    return build->vector == IMAGE_DIGEST || strcmp(optarg, "payload") == 0
               ? CLI_OK
               : bad_value(cli, "--vector-to-sign", "give payload or digest");
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
    a->auto_counter = strcasecmp(optarg, "auto") == 0;
    return a->auto_counter
               ? CLI_OK
               : take_number(cli, "--security-counter", 0, UINT32_MAX, &a->build.claims.counter);
}

/* UTF-8: bytes that continue a character do not count. */
static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

static int take_role(const struct cli *cli, struct image_claims *claims)
{
    claims->role = optarg;
    return count_characters(optarg) <= IMAGE_ROLE_MAX && strlen(optarg) <= 4 * IMAGE_ROLE_MAX
               ? CLI_OK
               : bad_value(cli, "--boot-record", "give 12 characters at most");
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
    if (is_file) {
        cli_keep_file(value);
    }
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
                                      "give tags from 0xa0 to 0xfffe, each once and 64 at most");
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
    case OPTION_TEST: /* a padded image is a test, so that nothing more is written */
        b->test = true;
        b->pad = true;
        return CLI_OK;
    case OPTION_PAD:
        b->pad = true;
        return CLI_OK;
    case OPTION_PAD_SIG:
        b->pad_signature = true;
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
        return a->have_version
                   ? CLI_OK
                   : bad_value(
                         cli, "--version",
                         "write it as 1.2.3 or 1.2.3+4, of numbers up to 255.255.65535+4294967295");
    case OPTION_PRODUCTION:
        a->production = true;
        return CLI_OK;
    case 'H':
        return take_number(cli, "--header-size", FERRY_IMAGE_HEADER_SIZE, 0xffff, &b->header_size);
    case 'S':
        a->have_slot_size = true;
        return take_number(cli, "--slot-size", 0, UINT32_MAX, &b->slot_size);
    case 'M':
        a->have_max_sectors = true;
        return take_number(cli, "--max-sectors", 1, 65535, &b->max_sectors);
    case 'R':
        a->have_erased = true;
        return take_erased(cli, &b->erased_value);
    case 'L':
        return take_address(cli, "--load-addr", FERRY_IMAGE_RAM_LOAD, b);
    case 'F':
        return take_address(cli, "--rom-fixed", FERRY_IMAGE_ROM_FIXED, b);
    case OPTION_ALIGN:
        a->have_align = true;
        return take_align(cli, "--align", 1, &b->align);
    case OPTION_MAX_ALIGN:
        return take_align(cli, "--max-align", 8, &b->max_align);
    case 'e':
        return take_endian(cli, &b->claims);
    case OPTION_SHA:
        return take_sha(cli, b);
    case OPTION_KEY_FORMAT:
        return take_key_format(cli, b);
    default:
        return -1;
    }
}

static int take_compression(const struct cli *cli, enum compression *compression)
{
    static const char *const names[] = {[COMPRESSION_NONE] = "disabled",
                                        [COMPRESSION_LZMA2] = "lzma2",
                                        [COMPRESSION_LZMA2_ARM_THUMB] = "lzma2armthumb"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(optarg, names[i]) == 0) {
            *compression = (enum compression)i;
            return CLI_OK;
        }
    }
    return bad_value(cli, "--compression", "give disabled, lzma2 or lzma2armthumb");
}

/* Signatures made outside. Returns an enum cli_exit, or -1 for another option. */
static int take_detached(const struct cli *cli, int option, struct sign_arguments *a)
{
    switch (option) {
    case OPTION_VECTOR:
        return take_vector(cli, &a->build);
    case OPTION_FIX_SIG:
        a->outside_path = optarg;
        return CLI_OK;
    case OPTION_FIX_SIG_KEY:
        a->outside_key_path = optarg;
        return CLI_OK;
    case OPTION_SIG_OUT:
        a->signature_path = optarg;
        return CLI_OK;
    default:
        return -1;
    }
}

/* How it is compressed and encrypted. Returns an enum cli_exit, or -1 for another option. */
static int take_encryption(const struct cli *cli, int option, struct sign_arguments *a)
{
    struct encryption *e = &a->build.encryption;
    switch (option) {
    case OPTION_COMPRESSION:
        return take_compression(cli, &a->build.compression);
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

/* What its files are. Returns an enum cli_exit, or -1 for another option. */
static int take_files(const struct cli *cli, int option, struct sign_arguments *a)
{
    switch (option) {
    case 'x':
        a->has_hex_addr = true;
        return take_number(cli, "--hex-addr", 0, UINT32_MAX, &a->hex_addr);
    case OPTION_INPUT_FORMAT:
        return firmware_take_form(cli, "--input-format", optarg, true, &a->input.forms);
    case OPTION_OUTPUT_FORMAT:
        return firmware_take_form(cli, "--output-format", optarg, false, &a->output_form);
    case OPTION_LAYOUT:
        a->layout_path = optarg;
        return CLI_OK;
    case OPTION_IMAGE:
        return take_number(cli, "--image", 0, FERRY_VCHIP_IMAGES - 1, &a->layout_image);
    case OPTION_RANGE:
        return firmware_take_range(cli, optarg, &a->input);
    default:
        return -1;
    }
}

int sign_take(const struct cli *cli, int option, int argc, char **argv, struct sign_arguments *a)
{
    if (option == OPTION_CUSTOM || option == OPTION_CUSTOM_FILE) {
        return take_custom(cli, option == OPTION_CUSTOM_FILE, argc, argv, &a->build.claims);
    }
    int code = take_switch(option, &a->build);
    code = code < 0 ? take_form(cli, option, a) : code;
    code = code < 0 ? take_claim(cli, option, a) : code;
    code = code < 0 ? take_detached(cli, option, a) : code;
    code = code < 0 ? take_encryption(cli, option, a) : code;
    code = code < 0 ? take_files(cli, option, a) : code;
    return code < 0 ? CLI_USAGE : code;
}

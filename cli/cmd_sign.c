/* SPDX-License-Identifier: Apache-2.0 */
/* ferry sign, with imgtool's option names. */
#include "image_build.h"

#include <string.h>

enum {
    OPTION_PAD_HEADER = 0x100,
    OPTION_ALIGN,
    OPTION_MAX_ALIGN,
    OPTION_PAD,
    OPTION_CONFIRM,
    OPTION_OVERWRITE
};

/* "1.2.3+4"; revision and build may be left out, as in imgtool. */
static bool parse_version(const char *text, struct ferry_version *version)
{
    unsigned long part[4] = {0};
    static const unsigned long most[4] = {0xff, 0xff, 0xffff, 0xffffffff};
    int n = 0;

    for (;;) {
        char digits[12];
        size_t len = strspn(text, "0123456789");
        if (len == 0 || len >= sizeof digits) {
            return false;
        }
        memcpy(digits, text, len);
        digits[len] = '\0';
        uint32_t value;
        if (cli_number(digits[0] == '0' && len > 1 ? digits + 1 : digits, UINT32_MAX, &value) !=
                FERRY_OK ||
            value > most[n]) {
            return false;
        }
        part[n] = value;
        text += len;
        if (*text == '\0') {
            break;
        }
        if (*text == '+' && n < 3) {
            n = 3;
        } else if (*text == '.' && n < 2) {
            n++;
        } else {
            return false;
        }
        text++;
    }
    *version = (struct ferry_version){(uint8_t)part[0], (uint8_t)part[1], (uint16_t)part[2],
                                      (uint32_t)part[3]};
    return true;
}

static const struct option sign_options[] = {
    {"key", required_argument, NULL, 'k'},
    {"version", required_argument, NULL, 'v'},
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
    {0},
};

struct sign_arguments {
    struct image_build build;
    const char *key_path;
    bool have_version;
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

static int take_option(const struct cli *cli, int option, struct sign_arguments *a)
{
    struct image_build *b = &a->build;
    switch (option) {
    case 'k':
        a->key_path = optarg;
        return CLI_OK;
    case 'v':
        a->have_version = parse_version(optarg, &b->version);
        return a->have_version ? CLI_OK
                               : bad_value(cli, "--version", "write it as 1.2.3 or 1.2.3+4");
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
    default:
        return CLI_USAGE;
    }
}

static void print_signed(const struct cli *cli, const struct sign_arguments *a,
                         const struct cli_buffer *image, const char *out_path)
{
    struct ferry_flash_ram rom;
    struct ferry_image_info info;
    char version[FERRY_VERSION_TEXT_MAX];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];

    if (ferry_flash_rom_init(&rom, image->data, (uint32_t)image->len) != FERRY_OK ||
        ferry_image_inspect(&rom.flash, &info) != FERRY_OK) {
        return;
    }
    ferry_version_text(&info.header.version, version);
    cli_hex(info.digest, info.digest_len, hash);
    const char *type = a->build.key != NULL ? a->build.key->type->name : "none";
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", out_path);
        cJSON_AddStringToObject(object, "version", version);
        cJSON_AddStringToObject(object, "hash", hash);
        cJSON_AddStringToObject(object, "signature", type);
        cJSON_AddNumberToObject(object, "size", info.size);
        cJSON_AddNumberToObject(object, "slot_room", image_build_limit(&a->build));
        cli_print_json(object);
        return;
    }
    printf(
        "%s: version %s, %u bytes (the slot has %u beside its trailer), signature %s\nhash: %s\n",
        out_path, version, (unsigned)info.size, (unsigned)image_build_limit(&a->build), type, hash);
}

static int sign_file(const struct cli *cli, struct sign_arguments *a, const char *in_path,
                     const char *out_path)
{
    struct cli_buffer firmware;
    struct cli_buffer image;
    int code = cli_read_file(cli, in_path, &firmware);
    if (code != CLI_OK) {
        return code;
    }
    code = image_build(cli, &a->build, &firmware, &image);
    cli_buffer_free(&firmware);
    if (code != CLI_OK) {
        return code;
    }
    code = cli_write_file(cli, out_path, image.data, image.len, 0644);
    if (code == CLI_OK) {
        print_signed(cli, a, &image, out_path);
    }
    cli_buffer_free(&image);
    return code;
}

static int run_sign(struct cli *cli, int argc, char **argv)
{
    struct sign_arguments a = {.build = {.header_size = FERRY_IMAGE_HEADER_SIZE,
                                         .align = 8,
                                         .max_sectors = 128,
                                         .erased_value = 0xff}};
    struct key key = {0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:v:H:S:M:R:L:F:", sign_options)) != -1) {
        int code = option == '?' ? CLI_USAGE : take_option(cli, option, &a);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (argc - optind != 2 || !a.have_version || a.build.slot_size == 0) {
        return cli_usage(cli, "sign needs -v VERSION, -S SLOT-SIZE, IN and OUT");
    }
    if (a.build.max_align == 0) {
        a.build.max_align = ferry_max32(a.build.align, 8);
    }
    if (a.build.max_align < a.build.align) {
        return cli_fail(cli, CLI_USAGE, "raise --max-align", "--max-align is below --align");
    }
    if (a.key_path != NULL) {
        int code = key_load(cli, a.key_path, &key);
        if (code != CLI_OK) {
            return code;
        }
        if (!key.is_private) {
            key_free(&key);
            return cli_fail(cli, CLI_FAILED, "give the private key", "%s is a public key",
                            a.key_path);
        }
        a.build.key = &key;
    } else {
        fputs("ferry: warning: no -k KEY: the image is not signed, and a bootloader that checks "
              "signatures refuses it\n",
              stderr);
    }
    int code = sign_file(cli, &a, argv[optind], argv[optind + 1]);
    key_free(&key);
    return code;
}

const struct cli_command cli_sign_commands[] = {
    {"sign", "-k KEY -v VERSION -S SIZE IN OUT", "make a signed MCUboot image of a binary",
     "  -k, --key KEY          private key, PEM (without: digest only)\n"
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
     "  -F, --rom-fixed N      direct-xip: the slot's address, when it runs in no other\n",
     run_sign},
    {0},
};

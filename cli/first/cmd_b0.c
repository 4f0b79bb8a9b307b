/* SPDX-License-Identifier: Apache-2.0 */
/* ferry b0 sign, inspect, provision: for an immutable first stage. */
#include "b0.h"

#include "cli/image/firmware_file.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 4096

/* ---- sign --------------------------------------------------------------------------------- */

enum { OPTION_PAD = 0x100, OPTION_S0, OPTION_S1, OPTION_SLOTS };

static int bad_number(const struct cli *cli, const char *name)
{
    return cli_fail(cli, CLI_USAGE, "give a number, as 2 or 0x20200", "%s %s is not possible", name,
                    optarg);
}

static int take_number(const struct cli *cli, const char *name, uint32_t most, bool *has,
                       uint32_t *value)
{
    *has = cli_number(optarg, most, value) == FERRY_OK;
    return *has ? CLI_OK : bad_number(cli, name);
}

static int take_kind(const struct cli *cli, const struct ferry_first_kind **kind)
{
    *kind = b0_kind_find(optarg);
    return *kind != NULL ? CLI_OK
                         : cli_fail(cli, CLI_USAGE, b0_kind_names,
                                    "unknown hardware '%s'; there are:", optarg);
}

/* Load a key and see that a first stage takes it. */
static int load_key(const struct cli *cli, const char *path, bool private_key, struct key *key)
{
    int code = key_load(cli, path, key);
    if (code != CLI_OK) {
        return code;
    }
    if (key->der_len != 91 || strcmp(key->type->name, "ecdsa-p256") != 0) {
        code = cli_fail(cli, CLI_FAILED, "give one of type ecdsa-p256",
                        "the first stage does not take the key in %s", path);
    } else if (private_key && !key->is_private) {
        code = cli_fail(cli, CLI_FAILED, "give the private key", "%s is a public key", path);
    }
    if (code != CLI_OK) {
        key_free(key);
    }
    return code;
}

static void add_hash(cJSON *object, const char *name, const uint8_t *hash, size_t len)
{
    char hex[2 * FERRY_SHA256_SIZE + 1];
    cli_hex(hash, len, hex);
    cJSON_AddStringToObject(object, name, hex);
}

static void print_signed(const struct cli *cli, const char *path, size_t len,
                         const struct ferry_first_info *info)
{
    FILE *text = cli_text(cli, path);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", path);
        cJSON_AddNumberToObject(object, "version", info->version);
        cJSON_AddNumberToObject(object, "address", info->address);
        cJSON_AddNumberToObject(object, "boot_address", info->boot_address);
        cJSON_AddNumberToObject(object, "firmware", info->size);
        cJSON_AddNumberToObject(object, "size", (double)len);
        cli_print_json_to(text, object);
        return;
    }
    fprintf(text,
            "%s: version %u for address 0x%x, %u bytes of firmware, %zu signed\n"
            "Next: ferry sign -H 512 --pad-header … makes it an image that can be uploaded\n",
            path, (unsigned)info->version, (unsigned)info->address, (unsigned)info->size, len);
}

/* As Intel HEX it stands where it is for, and where a HEX file had it. */
static int save(const struct cli *cli, const struct firmware *in, const struct b0_build *build,
                const struct cli_buffer *out, const struct ferry_first_info *info,
                const char *out_path)
{
    struct firmware_piece all = {0, (uint32_t)out->len};
    const struct firmware_out file = {.bytes = *out,
                                      .has_address = true,
                                      .address = info->address,
                                      .pieces = &all,
                                      .piece_count = 1};
    if (in->has_address && !build->pad && in->address != info->address) {
        return cli_fail(cli, CLI_VERIFY, "link it for this slot, or correct --address",
                        "the firmware stands at 0x%x, and is to be signed for 0x%x",
                        (unsigned)in->address, (unsigned)info->address);
    }
    int code = firmware_write(cli, out_path, &file);
    if (code == CLI_OK) {
        print_signed(cli, out_path, out->len, info);
    }
    return code;
}

static int sign_file(const struct cli *cli, const struct b0_build *build, const char *in_path,
                     const char *out_path)
{
    struct firmware firmware;
    struct cli_buffer out;
    struct ferry_first_info info;
    int code = firmware_read(cli, in_path, &firmware_image, &firmware);
    if (code != CLI_OK) {
        return code;
    }
    code = b0_build(cli, build, in_path, &firmware.bytes, &out, &info);
    cli_buffer_free(&firmware.bytes);
    if (code != CLI_OK) {
        return code;
    }
    code = save(cli, &firmware, build, &out, &info, out_path);
    cli_buffer_free(&out);
    return code;
}

static const struct option sign_options[] = {
    {"key", required_argument, NULL, 'k'},     {"version", required_argument, NULL, 'v'},
    {"address", required_argument, NULL, 'a'}, {"hardware", required_argument, NULL, 'w'},
    {"pad", no_argument, NULL, OPTION_PAD},    {0},
};

static int take_sign_option(const struct cli *cli, int option, struct b0_build *build,
                            const char **key_path)
{
    switch (option) {
    case 'k':
        *key_path = optarg;
        return CLI_OK;
    case 'v':
        return take_number(cli, "--version", FERRY_FIRST_VERSION_MAX, &build->has_version,
                           &build->version);
    case 'a':
        return take_number(cli, "--address", UINT32_MAX, &build->has_address, &build->address);
    case 'w':
        return take_kind(cli, &build->kind);
    case OPTION_PAD:
        build->pad = true;
        return CLI_OK;
    default:
        return CLI_USAGE;
    }
}

static int run_sign(struct cli *cli, int argc, char **argv)
{
    struct b0_build build = {.kind = &ferry_first_nrf52};
    struct key key;
    const char *key_path = NULL;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:v:a:w:", sign_options)) != -1) {
        int code = take_sign_option(cli, option, &build, &key_path);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (argc - optind != 2 || key_path == NULL) {
        return cli_usage(cli, "b0 sign needs -k KEY, IN and OUT");
    }
    int code = load_key(cli, key_path, true, &key);
    if (code != CLI_OK) {
        return code;
    }
    build.key = &key;
    cli->piped = cli_is_stream(argv[optind + 1]);
    code = sign_file(cli, &build, argv[optind], argv[optind + 1]);
    key_free(&key);
    return code;
}

/* ---- inspect ----------------------------------------------------------------------------------
 */

/* The hash of the key that a firmware brings along: all zero when there is none. */
static void hash_own_key(const struct ferry_first_place *place, const struct ferry_first_kind *kind,
                         const struct ferry_first_info *info, uint8_t hash[FERRY_FIRST_KEY_HASH])
{
    struct ferry_first_validation validation;
    uint8_t digest[FERRY_SHA256_SIZE] = {0};
    struct ferry_sha256 sha;
    if (ferry_first_validation_find(place, kind, info, &validation) == FERRY_OK) {
        ferry_crypto_sha256_init(&sha);
        ferry_crypto_sha256_update(&sha, validation.key, sizeof validation.key);
        ferry_crypto_sha256_final(&sha, digest);
    }
    memcpy(hash, digest, FERRY_FIRST_KEY_HASH);
}

/* Judge the file as a first stage would that has no counter and one key: this one, or, when it is
 * NULL, the file's own. */
static int judge(const struct cli_buffer *file, uint32_t offset,
                 const struct ferry_first_kind *kind, const struct key *key,
                 struct ferry_first_stage *stage)
{
    static uint8_t buf[4096];
    uint8_t point[64];
    struct ferry_flash_ram rom;
    struct ferry_verdict verdict;
    const struct ferry_first first = {.kind = kind, .buf = buf, .buf_size = sizeof buf};
    struct ferry_first_provision provision = {.key_count = 1};
    int error = ferry_flash_rom_init(&rom, file->data, (uint32_t)file->len);
    struct ferry_first_place place = {
        .flash = &rom.flash, .offset = offset, .size = (uint32_t)file->len - offset};
    if (error == FERRY_OK) {
        error = ferry_first_info_find(&place, kind, &stage->info);
    }
    if (error != FERRY_OK) {
        return error;
    }
    if (key != NULL) {
        (void)b0_public_key(key, point, provision.keys[0].hash);
    } else {
        hash_own_key(&place, kind, &stage->info, provision.keys[0].hash);
    }
    place.address = stage->info.address;
    return ferry_first_verify(&first, &provision, &place, stage, &verdict);
}

static void print_stage(const struct cli *cli, const char *path, uint32_t offset,
                        const struct ferry_first_kind *kind, const struct ferry_first_stage *stage,
                        int error, bool with_key)
{
    const struct ferry_first_info *info = &stage->info;
    const char *state = error != FERRY_OK ? ferry_error_text(error)
                        : with_key        ? "good"
                                   : "good by the key it brings along (-k KEY: whose is it?)";
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", path);
        cJSON_AddNumberToObject(object, "offset", offset);
        cJSON_AddNumberToObject(object, "fw_info", info->offset);
        cJSON_AddNumberToObject(object, "version", info->version);
        cJSON_AddNumberToObject(object, "address", info->address);
        cJSON_AddNumberToObject(object, "boot_address", info->boot_address);
        cJSON_AddNumberToObject(object, "firmware", info->size);
        cJSON_AddBoolToObject(object, "valid", info->valid == FERRY_FIRST_VALID);
        cJSON_AddNumberToObject(object, "validation_info", stage->validation.offset);
        add_hash(object, "hash", stage->validation.hash, FERRY_SHA256_SIZE);
        cJSON_AddStringToObject(object, "signature", state);
        cli_print_json(object);
        return;
    }
    printf("%s: firmware at 0x%x, fw_info (%s) at 0x%x behind it\n", path, (unsigned)offset,
           kind->name, (unsigned)info->offset);
    printf("version %u, %u bytes, address 0x%x, boot address 0x%x, %s\n", (unsigned)info->version,
           (unsigned)info->size, (unsigned)info->address, (unsigned)info->boot_address,
           info->valid == FERRY_FIRST_VALID ? "valid" : "GIVEN UP by a first stage");
    if (stage->validation.offset != 0) {
        printf("validation info at 0x%x\n", (unsigned)stage->validation.offset);
    }
    printf("signature: %s\n", state);
}

/* Behind an MCUboot header, or at the beginning. */
static uint32_t firmware_offset(const struct cli_buffer *file)
{
    struct ferry_image_header header;
    return file->len >= FERRY_IMAGE_HEADER_SIZE &&
                   ferry_image_header_parse(file->data, &header) == FERRY_OK &&
                   header.header_size < file->len
               ? header.header_size
               : 0;
}

static int inspect_file(const struct cli *cli, const char *path,
                        const struct ferry_first_kind *kind, const struct key *key)
{
    struct ferry_first_stage stage = {0};
    struct firmware firmware;
    int code = firmware_read(cli, path, &firmware_image, &firmware);
    if (code != CLI_OK) {
        return code;
    }
    struct cli_buffer file = firmware.bytes;
    uint32_t offset = firmware_offset(&file);
    int error = file.len > 0 ? judge(&file, offset, kind, key, &stage) : FERRY_E_SHORT;
    cli_buffer_free(&file);
    if (stage.info.size != 0) {
        print_stage(cli, path, offset, kind, &stage, error, key != NULL);
    }
    if (error == FERRY_OK) {
        return CLI_OK;
    }
    if (error == FERRY_E_MAGIC) {
        return cli_fail(cli, CLI_VERIFY, "sign it: ferry b0 sign (with --pad, if need be)",
                        "%s has no fw_info of %s", path, kind->name);
    }
    return cli_fail_error(cli, CLI_VERIFY, error, "a first stage does not start %s", path);
}

static int run_inspect(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"key", required_argument, NULL, 'k'}, {"hardware", required_argument, NULL, 'w'}, {0}};
    /* Vectors are looked at by the device only: a file may be for any. */
    const struct ferry_first_kind *kind = &ferry_first_vchip;
    const char *key_path = NULL;
    struct key key = {0};
    int code = CLI_OK;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:w:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        key_path = option == 'k' ? optarg : key_path;
        code = option == 'w' ? take_kind(cli, &kind) : code;
        if (code != CLI_OK) {
            return code;
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "b0 inspect needs one FILE");
    }
    if (key_path != NULL) {
        code = load_key(cli, key_path, false, &key);
    }
    if (code == CLI_OK) {
        code = inspect_file(cli, argv[optind], kind, key_path != NULL ? &key : NULL);
    }
    key_free(&key);
    return code;
}

/* ---- provision --------------------------------------------------------------------------------
 */

struct provision_arguments {
    const struct ferry_first_kind *kind;
    const char *keys[FERRY_FIRST_KEYS];
    uint32_t key_count;
    uint32_t addresses[2];
    bool has[2];
    uint32_t slots;
};

static int add_key(const struct cli *cli, struct provision_arguments *a)
{
    if (a->key_count == FERRY_FIRST_KEYS) {
        return cli_fail(cli, CLI_USAGE, "leave one out", "there is room for %d keys",
                        FERRY_FIRST_KEYS);
    }
    a->keys[a->key_count++] = optarg;
    return CLI_OK;
}

static int take_provision_option(const struct cli *cli, int option, struct provision_arguments *a)
{
    bool has;
    switch (option) {
    case 'k':
        return add_key(cli, a);
    case 'w':
        return take_kind(cli, &a->kind);
    case OPTION_S0:
        return take_number(cli, "--s0-addr", UINT32_MAX, &a->has[0], &a->addresses[0]);
    case OPTION_S1:
        return take_number(cli, "--s1-addr", UINT32_MAX, &a->has[1], &a->addresses[1]);
    case OPTION_SLOTS:
        return take_number(cli, "--counter-slots", 1024, &has, &a->slots);
    default:
        return CLI_USAGE;
    }
}

static int hash_keys(const struct cli *cli, const struct provision_arguments *a, uint8_t *hashes)
{
    for (uint32_t i = 0; i < a->key_count; i++) {
        struct key key;
        uint8_t point[64];
        int code = load_key(cli, a->keys[i], false, &key);
        if (code != CLI_OK) {
            return code;
        }
        (void)b0_public_key(&key, point, hashes + (size_t)i * FERRY_FIRST_KEY_HASH);
        key_free(&key);
    }
    return CLI_OK;
}

static int write_page(const struct cli *cli, const struct provision_arguments *a, const char *path)
{
    static uint8_t page[PAGE_MAX];
    uint8_t hashes[FERRY_FIRST_KEYS * FERRY_FIRST_KEY_HASH];
    int code = hash_keys(cli, a, hashes);
    if (code != CLI_OK) {
        return code;
    }
    int len = ferry_first_provision_write(a->kind, a->addresses, hashes, a->key_count,
                                          (uint16_t)a->slots, page, sizeof page);
    if (len == FERRY_E_RANGE) {
        return cli_fail(cli, CLI_USAGE,
                        "give an even number of --counter-slots; if it is even, make another key: "
                        "a hash may not contain ffff",
                        "the provision data cannot be written");
    }
    if (len < 0) {
        return cli_fail_error(cli, CLI_USAGE, len, "the provision data need more than a page");
    }
    code = cli_write_file(cli, path, page, (size_t)len, 0644);
    if (code == CLI_OK && !cli->json) {
        printf("%s: %d bytes for %s: %u key%s, S0 at 0x%x, S1 at 0x%x, %u counter slots (three an "
               "update)\n",
               path, len, a->kind->name, (unsigned)a->key_count, a->key_count == 1 ? "" : "s",
               (unsigned)a->addresses[0], (unsigned)a->addresses[1], (unsigned)a->slots);
    }
    return code;
}

static int run_provision(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"key", required_argument, NULL, 'k'},
                                        {"s0-addr", required_argument, NULL, OPTION_S0},
                                        {"s1-addr", required_argument, NULL, OPTION_S1},
                                        {"counter-slots", required_argument, NULL, OPTION_SLOTS},
                                        {"hardware", required_argument, NULL, 'w'},
                                        {0}};
    struct provision_arguments a = {.kind = &ferry_first_nrf52};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:w:", own)) != -1) {
        int code = take_provision_option(cli, option, &a);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (argc - optind != 1 || a.key_count == 0 || !a.has[0] || !a.has[1]) {
        return cli_usage(cli, "b0 provision needs -k KEY, --s0-addr, --s1-addr and OUT");
    }
    return write_page(cli, &a, argv[optind]);
}

/* ---- slot ---------------------------------------------------------------------------------------
 */

static int print_slot(const struct cli *cli, uint32_t slot)
{
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "active", slot);
        cli_print_json(object);
    } else {
        printf("S%u: the bootloader runs from there; give its update the build for S%u\n",
               (unsigned)slot, 1 - (unsigned)slot);
    }
    return CLI_OK;
}

static int run_slot(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    static struct session session;
    uint32_t slot;

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (optind != argc) {
        return cli_usage(cli, "b0 slot takes no arguments");
    }
    int code = session_connect(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    int error = b0_ask_slot(&session, &slot);
    if (error == FERRY_OK) {
        code = print_slot(cli, slot);
    } else if (error == FERRY_E_TIMEOUT || error == FERRY_E_IO) {
        code = session_silent(&session);
    } else {
        code = cli_fail(cli, CLI_REFUSED, "only a device with an immutable first stage has two",
                        "the device does not say from which slot its bootloader runs");
    }
    session_close(&session);
    return code;
}

const struct cli_command cli_b0_commands[] = {
    {"b0 sign", "-k KEY -v N -a ADDRESS IN OUT", "sign a bootloader for an immutable first stage",
     "  -k, --key KEY        private key, PEM or DER, ecdsa-p256\n"
     "  -v, --version N      1 .. 32767, counted by the first stage (default: fw_info's)\n"
     "  -a, --address A      where the firmware's first byte will be (default: fw_info's)\n"
     "      --pad            IN has no fw_info: put one in front; IN is then at A + 0x400\n"
     "  -w, --hardware W     nrf52 (default), nrf53 or vchip: whose ids the structures carry\n",
     run_sign},
    {"b0 inspect", "[-k KEY] FILE", "what a first stage sees in a bootloader",
     "  -k, --key KEY        check the signature by this key\n"
     "  -w, --hardware W     nrf52, nrf53 or vchip\n",
     run_inspect},
    {"b0 provision", "-k KEY --s0-addr A --s1-addr B OUT", "the provision data of a new device",
     "  -k, --key KEY        a key that may sign bootloaders; again for the next one: a "
     "bootloader\n"
     "                       signed by a later key revokes the earlier ones\n"
     "      --s0-addr A      where the firmware of S0 begins\n"
     "      --s1-addr B      and that of S1\n"
     "      --counter-slots N  room of the version counter, even; three are used an update\n"
     "                       (default 0: no counter)\n"
     "  -w, --hardware W     nrf52 (default), nrf53 or vchip\n",
     run_provision},
    {"b0 slot", "", "from which slot a device's bootloader runs", "", run_slot},
    {0},
};

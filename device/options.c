/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of ferry-device: one table makes the options and the help. */
#include "options.h"

#include "foreign.h"

#include "ferry/vchip.h"
#include "port/posix/pace.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    TEXT,
    FLAG,
    NUMBER,
    SHARE,
    AREA_FILE,
    KEY,
    SECRET,
    CUT_HOW,
    PORT,
    BLE,
    PERMISSION,
    BLE_IO,
    HELP,
    VERSION
};

struct option_line {
    const char *name;
    enum kind kind;
    const char *value; /* as in the help; NULL: it takes none */
    const char *help;
    size_t offset;        /* in struct options */
    uint32_t least, most; /* of a number */
};

/* Of a name that is advertised: an advertisement has 31 bytes, and 2 say what these are. */
#define NAME_MAX_LEN 29

#define AT(field) offsetof(struct options, field)

static const struct option_line lines[] = {
    {"dir", TEXT, "DIR", "folder of the device: flash.bin, its layout (needed; made when absent)",
     AT(dir), 0, 0},
    {"layout", TEXT, "FILE", "describe the device by this layout file", AT(layout), 0, 0},
    {"flash", AREA_FILE, "AREA=FILE", "at manufacture, program FILE into an area (repeatable)",
     AT(flash), 0, 0},
    {"flash-key", KEY, "FILE", "at manufacture, let the bootloader trust this key, PEM or DER",
     AT(keys), 0, 0},
    {"flash-secret", SECRET, "FILE",
     "at manufacture, let the bootloader decrypt with this private key, or raw key", AT(secrets), 0,
     0},
    {"new", FLAG, NULL, "manufacture the device anew: everything in its flash is lost", AT(fresh),
     0, 0},
    {"reflash", AREA_FILE, "AREA=FILE", "as a debugger: program FILE into an area at this start",
     AT(reflash), 0, 0},
    {"program-only", FLAG, NULL, "make and program the device, and do not power it up",
     AT(program_only), 0, 0},
    {"serial", TEXT, "LINK", "open a serial port and make LINK point to it", AT(serial), 0, 0},
    {"raw", TEXT, "LINK", "open a second serial port, for bare SMP packets, and link to it",
     AT(raw), 0, 0},
    {"udp", PORT, "PORT", "open this UDP port on 127.0.0.1 and ::1 (0: any free one)", AT(udp), 0,
     65535},
    {"dtls", PORT, "PORT", "open it for DTLS 1.2 instead, with the keys of these:", AT(dtls), 0,
     65535},
    {"dtls-psk", TEXT, "FILE", "pre-shared keys: lines IDENTITY:HEX", AT(dtls_psk), 0, 0},
    {"dtls-cert", TEXT, "FILE", "the device's certificate, PEM, and those up to its CA",
     AT(dtls_cert), 0, 0},
    {"dtls-key", TEXT, "FILE", "its private key, PEM", AT(dtls_key), 0, 0},
    {"dtls-ca", TEXT, "FILE", "demand certificates of clients, signed by one of these", AT(dtls_ca),
     0, 0},
    {"ble", BLE, "NAME", "advertise SMP's GATT service by this name, through BlueZ", AT(ble), 0, 0},
    {"ble-permission", PERMISSION, "WHAT",
     "what a link needs: open, encrypted, authenticated (authenticated)", AT(ble_permission), 0, 0},
    {"ble-whole", FLAG, NULL, "a value written is a whole packet: no reassembly", AT(ble_whole), 0,
     0},
    {"ble-io", BLE_IO, "HOW", "values by descriptors (acquire) or by calls (plain) (acquire)",
     AT(ble_plain), 0, 0},
    {"baud", NUMBER, "N", "pace all wires as N bits a second, 8N1 (0: no pace)", AT(baud), 0,
     100000000},
    {"latency", NUMBER, "MS", "what arrives takes MS milliseconds more", AT(latency_ms), 0, 60000},
    {"loss", SHARE, "PCT", "share of frames and datagrams that are lost, percent", AT(loss), 0, 0},
    {"corrupt", SHARE, "PCT", "share of them with one byte changed, percent; none on --raw",
     AT(corrupt), 0, 0},
    {"raw-corrupt", SHARE, "PCT", "the same on --raw, where nothing notices it", AT(raw_corrupt), 0,
     0},
    {"seed", NUMBER, "N", "begin of the random numbers for both (1)", AT(seed), 0, UINT32_MAX},
    {"rx-fifo", NUMBER, "N", "serial bytes kept while the CPU stands still (0: all of them)",
     AT(rx_fifo), 0, 65536},
    {"buf-size", NUMBER, "N", "RAM for one request, bytes (2048)", AT(buf_size), 64,
     FERRY_VCHIP_SEND_MAX},
    {"buf-count", NUMBER, "N", "requests that may wait (4)", AT(buf_count), 1, 64},
    {"erase-ms", NUMBER, "N", "the CPU stands still N ms for a sector erased", AT(erase_ms), 0,
     10000},
    {"program-us", NUMBER, "N", "… and N us for a write unit programmed", AT(program_us), 0,
     1000000},
    {"cut", NUMBER, "N", "cut the power at flash operation N from this start on (exit code 3)",
     AT(cut), 1, UINT32_MAX},
    {"cut-how", CUT_HOW, "HOW", "… before, inside or after it (inside)", AT(cut_how), 0, 0},
    {"button", FLAG, NULL, "hold the button down from the start (SIGUSR2: let go, or press)",
     AT(button), 0, 0},
    {"boot-limit", NUMBER, "N", "stop when the chip has started N times (exit code 4)",
     AT(boot_limit), 1, UINT32_MAX},
    {"foreign", TEXT, "QUIRK[=N],…", "behave as other people's servers do; the quirks are below",
     AT(foreign), 0, 0},
    {"quiet", FLAG, NULL, "print errors only, not what the chip does and the device says",
     AT(quiet), 0, 0},
    {"help", HELP, NULL, "this text", 0, 0, 0},
    {"version", VERSION, NULL, "the version", 0, 0, 0},
};

#define LINE_COUNT (sizeof(lines) / sizeof(lines[0]))

static void print_help(void)
{
    (void)printf("ferry-device: a virtual device. Its chip runs the bootloader and firmware that "
                 "are in its flash.\n"
                 "\n"
                 "usage: ferry-device --dir DIR [options]\n"
                 "\n");
    for (size_t i = 0; i < LINE_COUNT; i++) {
        char left[40];
        (void)snprintf(left, sizeof(left), "--%s%s%s", lines[i].name, lines[i].value ? " " : "",
                       lines[i].value ? lines[i].value : "");
        (void)printf("  %-22s %s\n", left, lines[i].help);
    }
    (void)printf("\n"
                 "A new device:\n"
                 "  ferry-device --dir D --flash bootloader=bootloader.elf --flash-key key.pem \\\n"
                 "               --flash primary=signed.bin --serial D/tty --udp 1337\n"
                 "SIGTERM switches it off, SIGUSR1 presses the reset pin. kill -9 is a power "
                 "cut.\n"
                 "Exit codes: 0 switched off, 1 failed, 2 usage, 3 --cut, 4 --boot-limit.\n");
    foreign_help();
}

static bool read_number(const struct option_line *line, const char *text, uint32_t *value)
{
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 0);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < line->least ||
        number > line->most) {
        (void)fprintf(stderr, "ferry-device: --%s %s: give a whole number from %u to %u\n",
                      line->name, text, line->least, line->most);
        return false;
    }
    *value = (uint32_t)number;
    return true;
}

static bool read_share(const struct option_line *line, const char *text, uint32_t *value)
{
    char *end = NULL;
    double percent = strtod(text, &end);

    if (end == text || *end != '\0' || !(percent >= 0 && percent <= 100)) {
        (void)fprintf(stderr, "ferry-device: --%s %s: give a percentage from 0 to 100, as 2.5\n",
                      line->name, text);
        return false;
    }
    *value = (uint32_t)(percent / 100 * FERRY_NOISE_ALL + 0.5);
    return true;
}

static bool read_file(const struct option_line *line, char *text, struct options_file *files,
                      uint32_t *count)
{
    char *equals = strchr(text, '=');

    if (equals == NULL || equals == text || equals[1] == '\0' ||
        (size_t)(equals - text) >= sizeof(files->area)) {
        (void)fprintf(stderr,
                      "ferry-device: --%s %s: give AREA=FILE, as bootloader=bootloader.elf\n",
                      line->name, text);
        return false;
    }
    if (*count == OPTIONS_FILES) {
        (void)fprintf(stderr, "ferry-device: --%s: given more than %d times; give fewer\n",
                      line->name, OPTIONS_FILES);
        return false;
    }
    struct options_file *file = &files[(*count)++];
    memset(file, 0, sizeof(*file));
    memcpy(file->area, text, (size_t)(equals - text));
    file->path = equals + 1;
    return true;
}

static bool read_key(const char *text, struct options *options)
{
    if (options->key_count == OPTIONS_KEYS) {
        (void)fprintf(stderr, "ferry-device: --flash-key: given more than %d times; give fewer\n",
                      OPTIONS_KEYS);
        return false;
    }
    options->keys[options->key_count++] = text;
    return true;
}

static bool read_secret(const char *text, struct options *options)
{
    if (options->secret_count == OPTIONS_SECRETS) {
        (void)fprintf(stderr,
                      "ferry-device: --flash-secret: given more than %d times; give fewer\n",
                      OPTIONS_SECRETS);
        return false;
    }
    options->secrets[options->secret_count++] = text;
    return true;
}

/* The number of a word in a list; -1: it is none of them. */
static int word_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            return (int)i;
        }
    }
    return -1;
}

#define WORD_OF(text, words) word_of(text, words, sizeof(words) / sizeof((words)[0]))

static bool read_cut_how(const char *text, enum ferry_cut *how)
{
    static const char *const names[] = {
        [FERRY_CUT_BEFORE] = "before", [FERRY_CUT_AFTER] = "after", [FERRY_CUT_INSIDE] = "inside"};
    int word = WORD_OF(text, names);

    if (word < 0) {
        (void)fprintf(stderr, "ferry-device: --cut-how %s: give before, inside or after\n", text);
        return false;
    }
    *how = (enum ferry_cut)word;
    return true;
}

static bool read_permission(const char *text, enum ferry_gatt_permission *permission)
{
    static const char *const names[] = {[FERRY_GATT_AUTHENTICATED] = "authenticated",
                                        [FERRY_GATT_ENCRYPTED] = "encrypted",
                                        [FERRY_GATT_OPEN] = "open"};
    int word = WORD_OF(text, names);

    if (word < 0) {
        (void)fprintf(stderr,
                      "ferry-device: --ble-permission %s: give open, encrypted or authenticated\n",
                      text);
        return false;
    }
    *permission = (enum ferry_gatt_permission)word;
    return true;
}

static bool read_ble_io(const char *text, bool *plain)
{
    static const char *const names[] = {"acquire", "plain"};
    int word = WORD_OF(text, names);

    if (word < 0) {
        (void)fprintf(stderr, "ferry-device: --ble-io %s: give acquire or plain\n", text);
        return false;
    }
    *plain = word == 1;
    return true;
}

static bool read_name(const char *text, const char **name)
{
    *name = text;
    if (text[0] != '\0' && strlen(text) <= NAME_MAX_LEN) {
        return true;
    }
    (void)fprintf(stderr, "ferry-device: --ble %s: give a name of 1 to %d bytes\n", text,
                  NAME_MAX_LEN);
    return false;
}

/* Returns -1 to go on, or what to exit with. */
static int read_option(const struct option_line *line, char *text, struct options *options)
{
    void *field = (uint8_t *)options + line->offset;
    uint32_t number = 0;
    bool good = true;

    switch (line->kind) {
    case TEXT:
        *(const char **)field = text;
        break;
    case FLAG:
        *(bool *)field = true;
        break;
    case NUMBER:
        good = read_number(line, text, field);
        break;
    case PORT:
        good = read_number(line, text, &number);
        *(int *)field = (int)number;
        break;
    case BLE:
        good = read_name(text, field);
        break;
    case PERMISSION:
        options->ble_how = true;
        good = read_permission(text, field);
        break;
    case BLE_IO:
        options->ble_how = true;
        good = read_ble_io(text, field);
        break;
    case SHARE:
        good = read_share(line, text, field);
        break;
    case AREA_FILE:
        good = read_file(line, text, field,
                         field == (void *)options->flash ? &options->flash_count
                                                         : &options->reflash_count);
        break;
    case KEY:
        good = read_key(text, options);
        break;
    case SECRET:
        good = read_secret(text, options);
        break;
    case CUT_HOW:
        good = read_cut_how(text, field);
        break;
    case HELP:
        print_help();
        return EXIT_POWERED_OFF;
    case VERSION:
        (void)printf("ferry-device 0.1.0\n");
        return EXIT_POWERED_OFF;
    }
    return good ? -1 : EXIT_USAGE;
}

/* Returns NULL, or what is wrong. */
static const char *check_dtls(const struct options *options)
{
    bool psk = options->dtls_psk != NULL;
    bool cert = options->dtls_cert != NULL;
    bool key = options->dtls_key != NULL;

    if (options->dtls < 0) {
        return psk || cert || key || options->dtls_ca != NULL
                   ? "keys for DTLS without --dtls: give --dtls PORT as well"
                   : NULL;
    }
    if (options->udp >= 0) {
        return "--udp with --dtls: who has no key would go in there; give one of them";
    }
    if (cert != key || (options->dtls_ca != NULL && !cert)) {
        return "--dtls-cert and --dtls-key go together, and --dtls-ca with them: give both";
    }
    return psk || cert ? NULL
                       : "--dtls without keys: give --dtls-psk FILE, or --dtls-cert and --dtls-key";
}

static int check(const struct options *options)
{
    const char *problem = check_dtls(options);

    if (problem != NULL) {
        /* say that one */
    } else if (options->dir == NULL) {
        problem = "--dir is missing: name the folder of the device";
    } else if ((uint64_t)options->buf_size * options->buf_count > FERRY_VCHIP_BUFFERS) {
        problem = "--buf-size times --buf-count is above 131072 bytes of RAM: give less";
    } else if (options->ble == NULL && (options->ble_how || options->ble_whole)) {
        problem = "--ble-permission, --ble-whole or --ble-io without --ble: give --ble NAME as "
                  "well";
    } else if (options->latency_ms > 0 && options->serial == NULL && options->raw == NULL &&
               options->udp < 0 && options->dtls < 0) {
        problem = "--latency without a wire: give --serial, --raw, --udp or --dtls as well";
    }
    if (problem == NULL) {
        return -1;
    }
    (void)fprintf(stderr, "ferry-device: %s\n", problem);
    return EXIT_USAGE;
}

int options_read(int argc, char **argv, struct options *options)
{
    struct option list[LINE_COUNT + 1];
    int index = 0;
    int found;

    *options = (struct options){.udp = -1,
                                .dtls = -1,
                                .seed = 1,
                                .buf_size = 2048,
                                .buf_count = 4,
                                .cut_how = FERRY_CUT_INSIDE};
    memset(list, 0, sizeof(list));
    for (size_t i = 0; i < LINE_COUNT; i++) {
        list[i].name = lines[i].name;
        list[i].has_arg = lines[i].value != NULL ? required_argument : no_argument;
    }
    while ((found = getopt_long(argc, argv, "", list, &index)) != -1) {
        int result = found == 0 ? read_option(&lines[index], optarg, options) : EXIT_USAGE;
        if (result == EXIT_USAGE) {
            (void)fprintf(stderr, "ferry-device: ferry-device --help lists the options\n");
        }
        if (result >= 0) {
            return result;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "ferry-device: \"%s\" is no option; ferry-device --help lists them\n",
                      argv[optind]);
        return EXIT_USAGE;
    }
    return check(options);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ferry station: the same update for many devices at once. */
#include "station.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* At once, unless --jobs says otherwise. */
#define JOBS 256

/* For one device, unless --limit says otherwise. */
#define LIMIT_S 1800

/* For the command of --check, unless --check-timeout says otherwise. */
#define CHECK_S 60

enum {
    OPTION_RETRIES = 0x100,
    OPTION_LIMIT,
    OPTION_NO_DOWNGRADE,
    OPTION_NO_CONFIRM,
    OPTION_FORCE,
    OPTION_RECOVERY,
    OPTION_RECORD,
    OPTION_SERIAL_SETTING,
    OPTION_LIST,
    OPTION_WAIT,
    OPTION_COUNT,
    OPTION_CONFIRM,
    OPTION_CHECK,
    OPTION_CHECK_TIMEOUT,
    OPTION_ERASE_PENDING
};

static const struct option station_options[] = {
    {"device", required_argument, NULL, 'd'},
    {"devices", required_argument, NULL, 'd'},
    {"key", required_argument, NULL, 'k'},
    {"image", required_argument, NULL, 'n'},
    {"jobs", required_argument, NULL, 'j'},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"no-downgrade", no_argument, NULL, OPTION_NO_DOWNGRADE},
    {"upgrade", no_argument, NULL, OPTION_NO_DOWNGRADE},
    {"no-confirm", no_argument, NULL, OPTION_NO_CONFIRM},
    {"confirm", required_argument, NULL, OPTION_CONFIRM},
    {"check", required_argument, NULL, OPTION_CHECK},
    {"check-timeout", required_argument, NULL, OPTION_CHECK_TIMEOUT},
    {"erase-pending", no_argument, NULL, OPTION_ERASE_PENDING},
    {"window", required_argument, NULL, 'w'},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"recovery", no_argument, NULL, OPTION_RECOVERY},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"serial-setting", required_argument, NULL, OPTION_SERIAL_SETTING},
    {"list", no_argument, NULL, OPTION_LIST},
    {"wait", no_argument, NULL, OPTION_WAIT},
    {"count", required_argument, NULL, OPTION_COUNT},
    {0},
};

/* ---- The command line ------------------------------------------------------------------------ */

static int take_number(struct station *station, const char *option, uint32_t max, uint32_t *value)
{
    char why[96];

    if (cli_number(optarg, max, value) == FERRY_OK) {
        return CLI_OK;
    }
    snprintf(why, sizeof why, "%s takes a number up to %u", option, (unsigned)max);
    return cli_usage(station->cli, why);
}

static int take_limit(struct station *station)
{
    uint32_t seconds;
    int code = take_number(station, "--limit", 86400, &seconds);

    station->options.limit_ms = code == CLI_OK ? 1000 * seconds : 0;
    return code;
}

static int take_check_timeout(struct station *station)
{
    uint32_t seconds;
    int code = take_number(station, "--check-timeout", 86400, &seconds);

    station->options.check_ms = code == CLI_OK ? 1000 * seconds : 0;
    return code;
}

static int take_confirm(struct station *station, const char *when)
{
    station->config.permanent = strcmp(when, "always") == 0;
    station->config.no_confirm = strcmp(when, "never") == 0;
    return station->config.permanent || station->config.no_confirm || strcmp(when, "ok") == 0
               ? CLI_OK
               : cli_usage(station->cli, "--confirm takes always, ok or never");
}

static int take_jobs(struct station *station)
{
    int code = take_number(station, "--jobs", TARGETS_MAX, &station->options.jobs);

    return code == CLI_OK && station->options.jobs == 0
               ? cli_usage(station->cli, "--jobs takes a number above 0")
               : code;
}

/* What a flow does. Returns an exit code. */
static int take_flow_option(struct station *station, int option)
{
    switch (option) {
    case OPTION_NO_DOWNGRADE:
    case 'u':
        station->config.no_downgrade = true;
        return CLI_OK;
    case OPTION_NO_CONFIRM:
        return take_confirm(station, "never");
    case OPTION_CONFIRM:
        return take_confirm(station, optarg);
    case OPTION_CHECK:
        station->options.check = optarg;
        return CLI_OK;
    case OPTION_CHECK_TIMEOUT:
        return take_check_timeout(station);
    case OPTION_ERASE_PENDING:
        station->config.erase_pending = true;
        return CLI_OK;
    case OPTION_FORCE:
        station->config.force_reset = true;
        return CLI_OK;
    case OPTION_RECOVERY:
        station->config.recovery = true;
        return CLI_OK;
    case 'w':
        return take_number(station, "--window", 255, &station->config.window);
    default:
        return CLI_USAGE;
    }
}

/* Returns an exit code. */
static int take_option(struct station *station, int option)
{
    switch (option) {
    case 'd':
        return targets_name(station->cli, &station->targets, optarg);
    case 'k':
        station->file.key_path = optarg;
        return CLI_OK;
    case 'n':
        return take_number(station, "--image", 255, &station->file.image);
    case 'j':
        return take_jobs(station);
    case OPTION_RETRIES:
        return take_number(station, "--retries", 1000, &station->options.retries);
    case OPTION_LIMIT:
        return take_limit(station);
    case OPTION_RECORD:
        station->options.record_path = optarg;
        return CLI_OK;
    case OPTION_SERIAL_SETTING:
        station->options.serial_setting = optarg;
        return CLI_OK;
    case OPTION_LIST:
        station->options.list = true;
        return CLI_OK;
    case OPTION_WAIT:
        station->options.wait = station->targets.only_present = true;
        return CLI_OK;
    case OPTION_COUNT:
        return take_number(station, "--count", TARGETS_MAX, &station->options.count);
    default:
        return take_flow_option(station, option);
    }
}

/* The device before the command's name, or of the environment where no other is named. */
static int take_default_device(struct station *station, bool any)
{
    const struct cli *cli = station->cli;
    bool given = cli->device != NULL && cli->device != getenv("FERRY_DEVICE");

    return cli->device != NULL && (given || !any)
               ? targets_name(cli, &station->targets, cli->device)
               : CLI_OK;
}

static int take_options(struct station *station, int argc, char **argv)
{
    bool any = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(station->cli, argc, argv, "d:k:n:j:uw:", station_options)) != -1) {
        int code = take_option(station, option);
        any = any || option == 'd';
        if (code != CLI_OK) {
            return code;
        }
    }
    int code = take_default_device(station, any);
    if (code != CLI_OK) {
        return code;
    }
    if (!any && station->cli->device == NULL) {
        return cli_usage(station->cli, "which devices? give -d LIST, as often as you like");
    }
    if (station->cli->unlock_path != NULL) {
        return cli_usage(station->cli, "station unlocks no device: update a locked one alone, by "
                                       "ferry update --unlock KEY");
    }
    if (station->options.count != 0 && !station->options.wait) {
        return cli_usage(station->cli, "--count goes with --wait");
    }
    if (station->options.check != NULL &&
        (station->config.permanent || station->config.no_confirm)) {
        return cli_usage(station->cli, "--check stands between test and confirm: it goes with "
                                       "neither --confirm always or never nor --no-confirm");
    }
    return targets_look(station->cli, &station->targets);
}

/* ---- Before the first byte ------------------------------------------------------------------- */

static int check_targets(const struct station *station)
{
    if (station->targets.twice > 0) {
        fprintf(stderr, "ferry: %u devices are named twice; each is updated once\n",
                (unsigned)station->targets.twice);
    }
    return station->targets.count > 0 || station->options.wait
               ? CLI_OK
               : cli_fail(
                     station->cli, CLI_OPEN,
                     "plug them in; a pattern is to stand in quotes; see: ferry station --list",
                     "no device is there that fits what -d says");
}

static void print_targets(const struct station *station)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < station->targets.count; i++) {
        const struct target *target = station->targets.items[i];
        cJSON *object = cJSON_CreateObject();
        if (!station->cli->json) {
            printf("%-40s %-20s %s\n", target->uri, target->usb.serial,
                   strcmp(target->name, target->uri) != 0 ? target->name : "");
        }
        cJSON_AddStringToObject(object, "device", target->uri);
        cJSON_AddStringToObject(object, "name", target->name);
        cJSON_AddStringToObject(object, "serial_number", target->usb.serial);
        cJSON_AddItemToArray(list, object);
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "devices", list);
    if (station->cli->json) {
        cli_print_json(object);
    } else {
        cJSON_Delete(object);
    }
}

/* The images, checked once for all. Returns an exit code; what was taken is open. */
static int open_images(struct station *station, int argc, char **argv)
{
    struct update_run *file = &station->file;

    file->cli = station->cli;
    int code = update_take_files(file, argc, argv);
    for (size_t i = 0; i < file->count && code == CLI_OK; i++) {
        if (file->items[i].other_path != NULL || file->items[i].choice != UPDATE_GIVEN) {
            return cli_fail(
                station->cli, CLI_USAGE,
                "give one file for each image, or use ferry update for each device",
                "which file fits is to be asked of each device, and a station does not");
        }
        code = update_check(file, &file->items[i]);
    }
    for (size_t i = 0; i < file->count && code == CLI_OK; i++) {
        update_tell(file, &file->items[i]);
    }
    return code;
}

static int open_record(struct station *station)
{
    const char *path = station->options.record_path;

    station->record = path != NULL ? fopen(path, "a") : NULL;
    return path == NULL || station->record != NULL
               ? CLI_OK
               : cli_fail(station->cli, CLI_FAILED, "name a file that you may write to",
                          "cannot open %s: %s", path, strerror(errno));
}

static int close_record(struct station *station, int code)
{
    if (station->record == NULL) {
        return code;
    }
    bool written = ferror(station->record) == 0;
    bool closed = fclose(station->record) == 0;

    return written && closed
               ? code
               : cli_fail(station->cli, code != CLI_OK ? code : CLI_FAILED, "make room",
                          "cannot write %s", station->options.record_path);
}

static int update_all(struct station *station, int argc, char **argv)
{
    int code = open_images(station, argc, argv);

    code = code == CLI_OK ? open_record(station) : code;
    if (code == CLI_OK) {
        code = close_record(station, station_run(station));
    }
    for (size_t i = 0; i < station->file.count; i++) {
        image_file_free(&station->file.items[i].file);
        image_file_free(&station->file.items[i].build[0]);
        image_file_free(&station->file.items[i].build[1]);
    }
    return code;
}

static int run_station(struct cli *cli, int argc, char **argv)
{
    static struct station station;

    station = (struct station){
        .cli = cli,
        .options = {
            .jobs = JOBS, .retries = 1, .limit_ms = 1000 * LIMIT_S, .check_ms = 1000 * CHECK_S}};
    targets_init(&station.targets);
    int code = take_options(&station, argc, argv);
    if (code == CLI_OK && station.options.list && argc > optind) {
        code = cli_usage(cli, "--list takes no FILE");
    }
    code = code == CLI_OK ? check_targets(&station) : code;
    if (code == CLI_OK && station.options.list) {
        print_targets(&station);
    } else if (code == CLI_OK) {
        code = update_all(&station, argc, argv);
    }
    targets_free(&station.targets);
    return code;
}

const struct cli_command cli_station_commands[] = {
    {"station", "FILE ...", "update many devices at once: a production line, a fleet",
     "  FILE is an image, a bundle (dfu_application.zip), or images as N=FILE ...\n"
     "  -d, --devices LIST   the devices, with commas between them; may be given again:\n"
     "                       a port or '/dev/ttyACM*', usb:VID:PID[:SERIAL], udp:HOST[:PORT],\n"
     "                       udp:10.0.0.10-60, udp:10.0.0.0/24, udp:HOST:20000-20999,\n"
     "                       dtls: with the same, ble:NAME or ble:ADDRESS,\n"
     "                       @FILE with one a line and its name behind it\n"
     "      --list           say which devices these are; update none\n"
     "      --wait           go on with every port that is plugged in, until Ctrl-C\n"
     "      --count N        with --wait: until so many devices are done\n"
     "  -k, --key KEY        check the signature before anything is sent\n"
     "  -n, --image N        number of the image (default 0)\n"
     "  -j, --jobs N         devices at once (default 256)\n"
     "      --retries N      tries after a device that was silent or could not be opened\n"
     "                       (default 1)\n"
     "      --limit S        seconds one device may take in all (default 1800; 0 = no limit)\n"
     "  -u, --no-downgrade   refuse a version that is not newer; also --upgrade\n"
     "      --confirm WHEN   ok: after a test that it passed (default); always: for good at once,\n"
     "                       without a test; never: leave it on trial\n"
     "      --check COMMAND  run it by the shell for each device between test and confirm: unless\n"
     "                       it exits with 0 the device goes back; it has FERRY_DEVICE, _HASH,\n"
     "                       _VERSION, _NAME and _SERIAL_NUMBER\n"
     "      --check-timeout S  end the command after S seconds (default 60)\n"
     "      --erase-pending  erase another image that waits in the slot for a reset\n"
     "      --no-confirm     as --confirm never: the next reset takes it back\n"
     "      --force          reset though the application says it is busy\n"
     "      --recovery       take the way through the bootloader's recovery\n"
     "  -w, --window N       at most N chunks in flight; else what the device's buffers take\n"
     "      --record FILE    add each device's record to FILE, as a JSON line\n"
     "      --serial-setting KEY\n"
     "                       the device's serial number is this setting's text\n",
     run_station},
    {0},
};

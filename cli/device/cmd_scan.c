/* SPDX-License-Identifier: Apache-2.0 */
/* ferry scan: the devices of Bluetooth LE in reach. */
#include "remedy.h"
#include "cli/cli.h"

#include "port/posix/ble_scan.h"

#include <stdlib.h>

/* Devices that save power tell of themselves every second or two. */
#define LISTEN_MS 5000

static void print_one(const struct ferry_ble_found *found)
{
    char name[sizeof found->name];
    char rssi[16] = "    -";

    snprintf(name, sizeof name, "%s", found->name);
    cli_printable(name);
    if (found->heard) {
        snprintf(rssi, sizeof rssi, "%5d", found->rssi);
    }
    printf("%s  %s dBm  %s%s%s%s\n", found->address, rssi, name,
           found->connected ? "  connected" : "", found->paired ? "  paired" : "",
           found->serves ? "" : "  (does not tell of SMP)");
}

static cJSON *json_of(const struct ferry_ble_found *found)
{
    cJSON *object = cJSON_CreateObject();
    char uri[32];

    snprintf(uri, sizeof uri, "ble:%s", found->address);
    cJSON_AddStringToObject(object, "uri", uri);
    cJSON_AddStringToObject(object, "address", found->address);
    cJSON_AddStringToObject(object, "name", found->name);
    if (found->heard) {
        cJSON_AddNumberToObject(object, "rssi", found->rssi);
    }
    cJSON_AddBoolToObject(object, "smp", found->serves);
    cJSON_AddBoolToObject(object, "connected", found->connected);
    cJSON_AddBoolToObject(object, "paired", found->paired);
    return object;
}

static void print_all(const struct cli *cli, const struct ferry_ble_found *list, size_t count)
{
    cJSON *object = cli->json ? cJSON_CreateObject() : NULL;
    cJSON *devices = cli->json ? cJSON_AddArrayToObject(object, "devices") : NULL;

    for (size_t i = 0; i < count; i++) {
        if (cli->json) {
            cJSON_AddItemToArray(devices, json_of(&list[i]));
        } else {
            print_one(&list[i]);
        }
    }
    if (cli->json) {
        cli_print_json(object);
    }
}

static int scan(const struct cli *cli, const char *adapter, bool all)
{
    uint32_t listen_ms = cli->timeout_ms != 0 ? cli->timeout_ms : LISTEN_MS;
    struct ferry_ble_found *list;
    size_t count;
    char why[320];
    int error = ferry_ble_scan(adapter, listen_ms, all, &list, &count, why, sizeof why);

    if (error != FERRY_OK) {
        const char *next = remedy_cut(why);
        return cli_fail(cli, CLI_OPEN, next, "cannot scan: %s", why);
    }
    if (count == 0 && !cli->json) {
        fprintf(stderr,
                "ferry: no device was heard in %.1f s%s\n  next: see that it is on and near; one "
                "that is connected to somebody does not tell of itself\n",
                listen_ms / 1000.0, all ? "" : " that tells of SMP; --all lists the others");
    } else {
        print_all(cli, list, count);
    }
    free(list);
    return CLI_OK;
}

static int run_scan(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"adapter", required_argument, NULL, 'A'}, {"all", no_argument, NULL, 'a'}, {0}};
    const char *adapter = "";
    bool all = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "a", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        adapter = option == 'A' ? optarg : adapter;
        all = all || option == 'a';
    }
    return argc > optind ? cli_usage(cli, "scan takes no arguments") : scan(cli, adapter, all);
}

const struct cli_command cli_scan_commands[] = {
    {"scan", "",
     "the devices of Bluetooth LE in reach that have SMP, the nearest first; -t: how "
     "long to listen (5 s)",
     "  --adapter NAME    listen with this adapter, hci1 say\n"
     "  -a, --all         also those that do not tell whether they have SMP\n",
     run_scan},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* ferry inspect --layout: a whole flash, and the next boot of it. */
#include "dump_report.h"

/* The first image that keeps the device from starting, and why. */
static int find_cause(const struct dump_boot *boot, uint32_t count)
{
    if (boot->selection != FERRY_OK) {
        return boot->selection;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ferry_boot_image_report *report = &boot->images[i].report;
        if (report->action == FERRY_BOOT_STOPPED && report->reason != FERRY_OK) {
            return report->reason;
        }
    }
    return boot->result;
}

/* Print the report; it is freed. */
static int finish(const struct cli *cli, const char *layout, cJSON *object, int cause)
{
    struct cli quiet = *cli;
    char what[512];
    snprintf(what, sizeof what, "a device with this flash starts nothing (layout %s)", layout);
    if (cli->json) {
        /* One document: the error is a part of it. */
        quiet.json = false;
        if (cause != FERRY_OK) {
            cJSON *fault = cJSON_AddObjectToObject(object, "error");
            cJSON_AddStringToObject(fault, "what", what);
            cJSON_AddStringToObject(fault, "why", ferry_error_text(cause));
            cJSON_AddStringToObject(fault, "next", ferry_error_remedy(cause));
            cJSON_AddNumberToObject(fault, "exit", CLI_VERIFY);
        }
        cli_print_json(object);
    } else {
        dump_print(object);
        cJSON_Delete(object);
    }
    return cause == FERRY_OK ? CLI_OK : cli_fail_error(&quiet, CLI_VERIFY, cause, "%s", what);
}

int dump_inspect(const struct cli *cli, const char *layout, char *const files[], int count,
                 const struct key *key)
{
    struct dump *dump;
    struct dump_boot boot;
    int code = dump_open(cli, layout, files, count, key, &dump);
    if (code != CLI_OK) {
        return code;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "layout", layout);
    dump_add_areas(object, dump);
    dump_add_keys(object, dump, key != NULL);
    dump_add_store(object, dump);
    dump_add_first(object, dump);
    dump_boot_select(dump, &boot);
    dump_add_images(object, dump);
    dump_boot(dump, &boot);
    dump_add_next(object, dump, &boot);
    bool starts = boot.selection == FERRY_OK && boot.result == FERRY_OK;
    int cause = starts ? FERRY_OK : find_cause(&boot, dump->layout.image_count);
    code = finish(cli, layout, object, cause);
    dump_close(dump);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ferry inspect --layout: a whole flash, and the next boot of it. */
#include "dump_report.h"

#include "cli/image/inspect.h"

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

static int finish(const struct cli *cli, const char *layout, cJSON *object, int cause)
{
    char what[512];
    struct inspect_fault fault = {NULL, ferry_error_text(cause), ferry_error_remedy(cause)};
    snprintf(what, sizeof what, "a device with this flash starts nothing (layout %s)", layout);
    fault.what = cause != FERRY_OK ? what : NULL;
    return inspect_finish(cli, object, dump_print, &fault);
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

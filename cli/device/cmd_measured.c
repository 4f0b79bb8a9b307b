/* SPDX-License-Identifier: Apache-2.0 */
/* ferry measured: what the bootloader tells of itself, and what it measured of the image it
 * started. */
#include "cli/group/image_list.h"
#include "cli/group/image_option.h"
#include "session.h"

#include "ferry/slots.h"

#include <string.h>

static const char *const signatures[] = {"unsigned images", "RSA", "ECDSA", "Ed25519"};
static const char *const recoveries[] = {"no recovery", "serial recovery", "USB recovery"};

static const char *name_of(int64_t number, const char *const *names, size_t count)
{
    return number >= 0 && (uint64_t)number < count ? names[number] : "unknown";
}

#define NAME(number, names) name_of(number, names, sizeof names / sizeof names[0])

static const char *mode_name(int64_t mode)
{
    const struct ferry_strategy_traits *traits;
    for (size_t i = 0; (traits = ferry_strategy_traits_at(i)) != NULL; i++) {
        if (traits->mode == mode) {
            return traits->name;
        }
    }
    return "unknown";
}

static void add_number(cJSON *object, const char *key, int64_t number)
{
    if (number >= 0) {
        cJSON_AddNumberToObject(object, key, (double)number);
    }
}

static void add_record(cJSON *object, struct ferry_bytes record)
{
    char hex[2 * 512 + 1] = "";
    for (size_t i = 0; i < record.len && 2 * i + 3 < sizeof hex; i++) {
        snprintf(hex + 2 * i, 3, "%02x", record.data[i]);
    }
    if (record.len > 0) {
        cJSON_AddStringToObject(object, "record", hex);
    }
}

static void print_as_json(uint32_t image, const struct ferry_measured *found)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "image", image);
    add_number(object, "mode", found->mode);
    cJSON_AddStringToObject(object, "mode_name", mode_name(found->mode));
    add_number(object, "signature", found->signature);
    add_number(object, "recovery", found->recovery);
    add_number(object, "slot", found->slot);
    cJSON_AddStringToObject(object, "version", found->version);
    add_number(object, "max_image", found->max_image);
    add_number(object, "counter", found->counter);
    add_number(object, "demanded", found->demanded);
    if (found->least[0] != '\0') {
        cJSON_AddStringToObject(object, "least", found->least);
    }
    add_record(object, found->record);
    cli_print_json(object);
}

static void print_human(uint32_t image, const struct ferry_measured *found)
{
    printf("bootloader %s: %s, %s, %s\n", found->version, mode_name(found->mode),
           NAME(found->signature, signatures), NAME(found->recovery, recoveries));
    if (image == 0 && found->slot >= 0) {
        printf("  image 0 runs from slot %d\n", (int)found->slot);
    }
    if (found->max_image >= 0) {
        printf("  largest image: %lld bytes\n", (long long)found->max_image);
    }
    if (found->counter >= 0) {
        printf("  security counter of the image: %lld\n", (long long)found->counter);
    }
    if (found->demanded > 0) {
        printf("  the device demands: counter %lld or more\n", (long long)found->demanded);
    }
    if (found->least[0] != '\0' && strcmp(found->least, "0.0.0") != 0) {
        printf("  the device demands: version %s or newer\n", found->least);
    }
    if (found->record.len > 0) {
        printf("  boot record: ");
        for (size_t i = 0; i < found->record.len; i++) {
            printf("%02x", found->record.data[i]);
        }
        putchar('\n');
    }
}

static int measured(struct cli *cli, uint32_t image)
{
    struct session session;
    struct ferry_client_answer answer;
    struct ferry_measured found;

    int code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = image_list_has(&session, image);
    if (code == CLI_OK) {
        code = session_wait(&session, ferry_command_measured(session.client, image, NULL),
                            "read what was measured", &answer);
    }
    if (code == CLI_OK && ferry_answer_measured(answer.payload, &found) != FERRY_OK) {
        code = cli_fail(cli, CLI_REFUSED, "ask for the mode alone: ferry info",
                        "the device does not say what its bootloader measured");
    }
    if (code == CLI_OK && cli->json) {
        print_as_json(image, &found);
    } else if (code == CLI_OK) {
        print_human(image, &found);
    }
    session_close(&session);
    return code;
}

static int run_measured(struct cli *cli, int argc, char **argv)
{
    uint32_t image;
    int code = image_option_read(cli, argc, argv, &image);

    return code == CLI_OK ? measured(cli, image) : code;
}

const struct cli_command cli_measured_commands[] = {
    {"measured", "", "what the bootloader tells of itself and measured of the image",
     image_option_help, run_measured},
    {0},
};

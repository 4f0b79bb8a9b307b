/* SPDX-License-Identifier: Apache-2.0 */
/* ferry enum count, list, group, details */
#include "ferry/commands_enum.h"
#include "ask.h"
#include "cli/packet/packet_names.h"

#include <inttypes.h>

/* ---- count, list, group -------------------------------------------------------------------- */

static int print_number(const struct cli *cli, struct ferry_bytes payload, const char *key)
{
    uint64_t value;
    int rc = ferry_answer_number(payload, key, &value);
    if (rc != FERRY_OK) {
        return ask_unreadable(cli, rc);
    }
    printf("%" PRIu64, value);
    return CLI_OK;
}

static int print_count(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    int code = print_number(cli, payload, "count");
    if (code == CLI_OK) {
        puts(" groups");
    }
    return code;
}

static int run_count(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "count the groups", .plain = ferry_command_enum_count, .print = print_count};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

/* The name that SMP gives a group: "os". */
static const char *known_name(uint64_t group)
{
    const char *name = group <= UINT16_MAX ? packet_group_name((uint16_t)group) : NULL;
    return name != NULL ? name : group >= FERRY_SMP_GROUP_USER ? "(an application's own)" : "?";
}

static int print_list(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    struct ferry_answer_element element;
    struct ferry_answer_items items;
    int rc = ferry_answer_list(payload, "groups", &items);

    while (rc >= 0 && (rc = ferry_answer_next(&items, &element)) == 1) {
        if (element.item.kind != FERRY_CBOR_UINT) {
            return ask_unreadable(cli, FERRY_E_TYPE);
        }
        printf("%5" PRIu64 " %s\n", element.item.value, known_name(element.item.value));
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "list the groups", .plain = ferry_command_enum_list, .print = print_list};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

static int32_t ask_single(struct ferry_client *client, const void *context)
{
    const uint32_t *index = context;
    return ferry_command_enum_single(client, *index, NULL);
}

static int print_single(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    uint64_t group = 0;
    int code = print_number(cli, payload, "group");
    if (code == CLI_OK && ferry_answer_number(payload, "group", &group) == FERRY_OK) {
        printf(" %s%s\n", known_name(group), ferry_answer_enum_end(payload) ? ", the last" : "");
    }
    return code;
}

static int run_single(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "read the group", .request = ask_single, .print = print_single};
    uint32_t index = 0;
    int code = ask_words(cli, argc, argv, 0, 1);
    if (code != CLI_OK) {
        return code;
    }
    if (optind < argc && cli_number(argv[optind], UINT16_MAX, &index) != FERRY_OK) {
        return cli_usage(cli, "INDEX is a number from 0 to 65535");
    }
    return ask_device(cli, &ask, &index);
}

/* ---- details ------------------------------------------------------------------------------- */

#define WANTED_MAX 64

struct wanted {
    uint16_t groups[WANTED_MAX];
    size_t count;
};

static int32_t ask_details(struct ferry_client *client, const void *context)
{
    const struct wanted *wanted = context;
    return ferry_command_enum_details(client, wanted->groups, wanted->count, NULL);
}

static int print_details(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    struct ferry_group_details group;
    struct ferry_answer_items items;
    int rc = ferry_answer_list(payload, "groups", &items);

    while (rc >= 0 && (rc = ferry_answer_next_group(&items, &group)) == 1) {
        cli_printable(group.name);
        printf("%5" PRIu64 " %s", group.group,
               group.name[0] != '\0' ? group.name : known_name(group.group));
        if (group.has_handlers) {
            printf(", %" PRIu64 " handler%s", group.handlers, group.handlers == 1 ? "" : "s");
        }
        puts("");
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

static int run_details(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "read the details of the groups", .request = ask_details, .print = print_details};
    struct wanted wanted = {.count = 0};
    uint32_t number;
    int code = ask_words(cli, argc, argv, 0, WANTED_MAX);
    if (code != CLI_OK) {
        return code;
    }
    for (int i = optind; i < argc; i++) {
        if (cli_number(argv[i], UINT16_MAX, &number) != FERRY_OK) {
            return cli_usage(cli, "GROUP is a number from 0 to 65535");
        }
        wanted.groups[wanted.count++] = (uint16_t)number;
    }
    return ask_device(cli, &ask, &wanted);
}

const struct cli_command cli_enum_commands[] = {
    {"enum count", "", "how many groups of commands the device has", "", run_count},
    {"enum list", "", "the numbers of the groups", "", run_list},
    {"enum group", "[INDEX]", "the group at a place in that list, from 0", "", run_single},
    {"enum details", "[GROUP ...]", "names and commands of all groups, or of some", "",
     run_details},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* An inspection as text. */
#include "inspect.h"

#include <string.h>

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static void print_value(const cJSON *item)
{
    if (cJSON_IsString(item)) {
        printf("%s\n", item->valuestring);
    } else if (strcmp(item->string, "load_addr") == 0) {
        printf("0x%08x\n", (unsigned)item->valuedouble);
    } else {
        printf("%.0f\n", item->valuedouble);
    }
}

static void print_tlv(const cJSON *row)
{
    const char *means = text_of(row, "means");
    printf("  %-17s %-11s %4.0f bytes  %s\n", text_of(row, "name"), text_of(row, "area"),
           cJSON_GetObjectItem(row, "len")->valuedouble,
           means[0] != '\0' ? means : text_of(row, "data"));
}

static void print_signature(const cJSON *row)
{
    bool published = cJSON_IsTrue(cJSON_GetObjectItem(row, "development_key"));
    const char *hash = text_of(row, "key_hash");
    printf("  %-17s by key %s%s\n", text_of(row, "scheme"), hash[0] != '\0' ? hash : "(not named)",
           published ? ", a development key, which everybody has" : "");
}

/* A row of a list, or a field of an object. */
static void print_row(const cJSON *row)
{
    if (row->string != NULL) {
        printf("  %-17s ", row->string);
        print_value(row);
    } else if (cJSON_IsString(row)) {
        printf("  %s\n", row->valuestring);
    } else if (cJSON_HasObjectItem(row, "scheme")) {
        print_signature(row);
    } else {
        print_tlv(row);
    }
}

void inspect_print(const cJSON *object)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        const cJSON *row;
        if (!cJSON_IsArray(item) && !cJSON_IsObject(item)) {
            printf("%-19s ", item->string);
            print_value(item);
            continue;
        }
        if (item->child == NULL) {
            printf("%-19s none\n", item->string);
            continue;
        }
        printf("%s\n", item->string);
        cJSON_ArrayForEach(row, item)
        {
            print_row(row);
        }
    }
}

int inspect_finish(const struct cli *cli, cJSON *object, void (*print)(const cJSON *object),
                   const struct inspect_fault *fault)
{
    struct cli quiet = *cli;
    bool wrong = fault->what != NULL;
    quiet.json = false; /* one document: the fault is in it */
    if (cli->json && wrong) {
        cJSON *error = cJSON_AddObjectToObject(object, "error");
        cJSON_AddStringToObject(error, "what", fault->what);
        cJSON_AddStringToObject(error, "why", fault->why);
        cJSON_AddStringToObject(error, "next", fault->next);
        cJSON_AddNumberToObject(error, "exit", CLI_VERIFY);
    }
    if (cli->json) {
        cli_print_json(object);
    } else {
        print(object);
        cJSON_Delete(object);
    }
    return wrong ? cli_fail_why(&quiet, CLI_VERIFY, fault->why, fault->next, "%s", fault->what)
                 : CLI_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a dump as text. */
#include "dump_report.h"

#include <string.h>

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static bool is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItem(object, name));
}

static void print_areas(const cJSON *object)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(object, "devices"))
    {
        printf("flash %-13s %s, %.0f bytes\n", text_of(row, "name"), text_of(row, "file"),
               number_of(row, "size"));
    }
    puts("areas");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(object, "areas"))
    {
        printf("  %-17s %s 0x%06x, %.0f bytes, %.0f used%s%s\n", text_of(row, "name"),
               text_of(row, "device"), (unsigned)number_of(row, "offset"), number_of(row, "size"),
               number_of(row, "used"), text_of(row, "use")[0] != '\0' ? ": " : "",
               text_of(row, "use"));
    }
}

static void print_keys(const cJSON *object)
{
    const cJSON *row;
    puts("keys");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(object, "keys"))
    {
        printf("  %-17s %s%s%s%s\n", text_of(row, "type"), text_of(row, "hash"),
               strcmp(text_of(row, "origin"), "store") == 0 ? ", provisioned later" : "",
               is_true(row, "development_key") ? ", a development key, which everybody has" : "",
               is_true(row, "revoked") ? ", revoked" : "");
    }
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(object, "revoked"))
    {
        printf("  %-17s %s\n", "revoked", row->valuestring);
    }
    if (cJSON_HasObjectItem(object, "keys_problem")) {
        printf("  %s\n", text_of(object, "keys_problem"));
    }
    printf("%-19s %s\n", "store", text_of(object, "store"));
}

static void print_first(const cJSON *first)
{
    const cJSON *row;
    if (first == NULL) {
        return;
    }
    puts("first stage");
    if (cJSON_HasObjectItem(first, "problem")) {
        printf("  %s\n", text_of(first, "problem"));
        return;
    }
    printf("  %-17s %s, version %.0f or later, %.0f of %.0f counter slots used\n", "provision",
           text_of(first, "life_cycle"), number_of(first, "lowest_version"),
           number_of(first, "counter_used"), number_of(first, "counter_slots"));
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(first, "keys"))
    {
        printf("  %-17s %s%s\n", "key", text_of(row, "hash"),
               is_true(row, "revoked") ? ", revoked" : "");
    }
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(first, "slots"))
    {
        printf("  %-17s ", text_of(row, "slot"));
        if (cJSON_HasObjectItem(row, "version")) {
            printf("version %.0f, ", number_of(row, "version"));
        }
        puts(text_of(row, "state"));
    }
    if (cJSON_HasObjectItem(first, "starts")) {
        printf("  %-17s %s\n", "starts", text_of(first, "starts"));
    }
}

static void print_slot(const cJSON *slot)
{
    const cJSON *trailer = cJSON_GetObjectItem(slot, "trailer");
    char label[48];
    snprintf(label, sizeof label, "slot %.0f, %s", number_of(slot, "slot"), text_of(slot, "area"));
    printf("  %-17s ", label);
    if (cJSON_HasObjectItem(slot, "version")) {
        printf("version %s, ", text_of(slot, "version"));
    }
    if (cJSON_HasObjectItem(slot, "problem")) {
        puts(text_of(slot, "problem"));
    } else {
        printf("digest %s, signature %s%s%s\n", text_of(slot, "digest"), text_of(slot, "signature"),
               cJSON_HasObjectItem(slot, "payload") ? ", payload " : "", text_of(slot, "payload"));
    }
    if (trailer != NULL) {
        printf("  %-17s magic %s, image_ok %s, copy_done %s, swap_info %s", "  trailer",
               text_of(trailer, "magic"), text_of(trailer, "image_ok"),
               text_of(trailer, "copy_done"), text_of(trailer, "swap_info"));
        if (cJSON_HasObjectItem(trailer, "swap_size")) {
            printf(", swap_size %.0f", number_of(trailer, "swap_size"));
        }
        putchar('\n');
    }
}

static void print_next(const cJSON *next)
{
    printf("  %-17s %s\n", "next boot", text_of(next, "words"));
    if (cJSON_HasObjectItem(next, "steps")) {
        printf("  %-17s %.0f of %.0f steps are done\n", "  unfinished",
               number_of(next, "steps_done"), number_of(next, "steps"));
    }
    if (cJSON_HasObjectItem(next, "next")) {
        printf("  %-17s %s\n", "  what to do", text_of(next, "next"));
    }
}

void dump_print(const cJSON *object)
{
    const cJSON *image;
    print_areas(object);
    print_keys(object);
    print_first(cJSON_GetObjectItem(object, "first_stage"));
    cJSON_ArrayForEach(image, cJSON_GetObjectItem(object, "images"))
    {
        const cJSON *slot;
        const cJSON *report = cJSON_GetObjectItem(image, "report");
        printf("image %.0f, %s\n", number_of(image, "image"), text_of(image, "strategy"));
        cJSON_ArrayForEach(slot, cJSON_GetObjectItem(image, "slots"))
        {
            print_slot(slot);
        }
        if (report != NULL) {
            const char *why = text_of(report, "why");
            printf("  %-17s %s%s%s\n", "last report", text_of(report, "what"),
                   why[0] != '\0' ? ": " : "", why);
        }
        print_next(cJSON_GetObjectItem(image, "next_boot"));
    }
}

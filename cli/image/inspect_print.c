/* SPDX-License-Identifier: Apache-2.0 */
/* An inspection as text. */
#include "inspect.h"

static void print_value(const cJSON *item)
{
    if (cJSON_IsString(item)) {
        printf("%s\n", item->valuestring);
    } else {
        printf("%.0f\n", item->valuedouble);
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
        printf("%s\n", item->string);
        cJSON_ArrayForEach(row, item)
        {
            if (cJSON_IsString(row) && row->string == NULL) {
                printf("  %s\n", row->valuestring);
            } else if (row->string != NULL) {
                printf("  %-17s ", row->string);
                print_value(row);
            } else {
                const cJSON *means = cJSON_GetObjectItem(row, "means");
                printf("  %-17s %-11s %4.0f bytes  %s\n",
                       cJSON_GetObjectItem(row, "name")->valuestring,
                       cJSON_GetObjectItem(row, "area")->valuestring,
                       cJSON_GetObjectItem(row, "len")->valuedouble,
                       (means != NULL ? means : cJSON_GetObjectItem(row, "data"))->valuestring);
            }
        }
    }
}

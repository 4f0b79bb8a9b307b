/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text and back; nothing here knows of options or commands. */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void cli_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if (iscntrl((unsigned char)*text) && *text != '\n' && *text != '\t') {
            *text = '.';
        }
    }
}

void cli_print_json_to(FILE *out, cJSON *object)
{
    char *text = cJSON_Print(object);
    fprintf(out, "%s\n", text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

void cli_print_json(cJSON *object)
{
    cli_print_json_to(stdout, object);
}

void cli_print_json_line(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    printf("%s\n", text != NULL ? text : "{}");
    fflush(stdout);
    cJSON_free(text);
    cJSON_Delete(object);
}

void cli_hex(const uint8_t *data, size_t len, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *hex++ = digits[data[i] >> 4];
        *hex++ = digits[data[i] & 15];
    }
    *hex = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = tolower((unsigned char)c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int cli_unhex(const char *hex, uint8_t *out, size_t cap)
{
    size_t len = strlen(hex);
    if (len % 2 != 0) {
        return FERRY_E_FORMAT;
    }
    if (len / 2 > cap) {
        return FERRY_E_SPACE;
    }
    for (size_t i = 0; i < len / 2; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return FERRY_E_FORMAT;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return (int)(len / 2);
}

int cli_number(const char *text, uint32_t max, uint32_t *value)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || strchr(text, '-') != NULL || n > max) {
        return FERRY_E_RANGE;
    }
    *value = (uint32_t)n;
    return FERRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Image versions: their order and their text. */
#include "ferry/image.h"

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* All but the build number. */
static uint32_t ordered(const struct ferry_version *version)
{
    return (uint32_t)version->major << 24 | (uint32_t)version->minor << 16 | version->revision;
}

int ferry_version_compare(const struct ferry_version *a, const struct ferry_version *b,
                          bool with_build)
{
    int order = compare(ordered(a), ordered(b));

    return order == 0 && with_build ? compare(a->build, b->build) : order;
}

size_t ferry_version_text(const struct ferry_version *version, char *out)
{
    const uint32_t parts[] = {version->major, version->minor, version->revision, version->build};
    size_t count = version->build != 0 ? 4 : 3;
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            out[len++] = '.';
        }
        len += ferry_text_decimal(out + len, parts[i], 1);
    }
    out[len] = '\0';
    return len;
}

/* Digits up to most, and the character behind them. Returns the text behind both, or NULL. */
static const char *parse_part(const char *text, uint32_t most, uint32_t *part, char *end)
{
    uint64_t value = 0;
    const char *p = text;

    while (*p >= '0' && *p <= '9' && value <= most) {
        value = value * 10 + (uint32_t)(*p++ - '0');
    }
    if (p == text || value > most) {
        return NULL;
    }
    *part = (uint32_t)value;
    *end = *p;
    return *p == '\0' ? p : p + 1;
}

int ferry_version_parse(const char *text, struct ferry_version *version)
{
    static const uint32_t most[4] = {UINT8_MAX, UINT8_MAX, UINT16_MAX, UINT32_MAX};
    uint32_t part[4] = {0};
    char end = '.';
    size_t n = 0;

    while (n < 4 && end == '.' && text != NULL) {
        text = parse_part(text, most[n], &part[n], &end);
        n++;
    }
    if (text == NULL || end != '\0' || n < 3) {
        return FERRY_E_FORMAT;
    }
    *version =
        (struct ferry_version){(uint8_t)part[0], (uint8_t)part[1], (uint16_t)part[2], part[3]};
    return FERRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_keys.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

/* The key itself, which no profile has. */
#define PSK_VARIABLE "FERRY_DTLS_PSK"

enum { IDENTITY, PSK_FILE, CA, CERT, KEY, NAME };

const struct dtls_field dtls_fields[DTLS_FIELDS + 1] = {
    [IDENTITY] = {"psk-identity", "FERRY_DTLS_PSK_IDENTITY", false},
    [PSK_FILE] = {"psk-file", "FERRY_DTLS_PSK_FILE", true},
    [CA] = {"ca", "FERRY_DTLS_CA", true},
    [CERT] = {"cert", "FERRY_DTLS_CERT", true},
    [KEY] = {"key", "FERRY_DTLS_KEY", true},
    [NAME] = {"name", "FERRY_DTLS_NAME", false},
    {0},
};

const char dtls_keys_next[] =
    "set FERRY_DTLS_PSK_IDENTITY and FERRY_DTLS_PSK_FILE, or FERRY_DTLS_CA, or give a profile "
    "them: ferry profile add --help";

static int wrong(char *why, size_t cap, const char *what, const char *cause)
{
    snprintf(why, cap, "%s %s", what, cause);
    return FERRY_E_CONFIG;
}

/* An empty text is none. */
static const char *from_environment(const char *variable)
{
    const char *text = getenv(variable);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* ---- The pre-shared key -------------------------------------------------------------- */

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return at != NULL && (c >= 'A' || c <= '9') ? (int)(at - digits) : -1;
}

/* Hexadecimal digits, to the end of the line. what: where they come from. */
static int take_hex(struct dtls_keys *keys, const char *text, const char *what, char *why,
                    size_t cap)
{
    size_t len = strcspn(text, "\r\n");

    if (len % 2 != 0 || len < (size_t)2 * DTLS_PSK_MIN || len > 2 * sizeof keys->psk) {
        return wrong(why, cap, what, "is no key of 32 to 128 hexadecimal digits");
    }
    for (size_t i = 0; i < len / 2; i++) {
        int high = digit_of(text[2 * i]);
        int low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return wrong(why, cap, what, "is no key of 32 to 128 hexadecimal digits");
        }
        keys->psk[i] = (uint8_t)(high << 4 | low);
    }
    keys->keys.psk = (struct ferry_bytes){keys->psk, len / 2};
    return FERRY_OK;
}

static FILE *open_secret(const char *path, char *why, size_t cap)
{
    const char *cause;
    FILE *file = secret_open(path, &cause);

    if (file == NULL) {
        snprintf(why, cap, "%s: %s", path, cause);
    }
    return file;
}

static int check_secret(const char *path, char *why, size_t cap)
{
    FILE *file = open_secret(path, why, cap);

    return file != NULL && fclose(file) == 0 ? FERRY_OK : FERRY_E_CONFIG;
}

static int take_psk_file(struct dtls_keys *keys, const char *path, char *why, size_t cap)
{
    char line[2 * DTLS_PSK_MAX + 4] = "";
    FILE *file = open_secret(path, why, cap);

    if (file == NULL) {
        return FERRY_E_CONFIG;
    }
    if (fgets(line, sizeof line, file) == NULL) {
        line[0] = '\0';
    }
    fclose(file);
    int error = take_hex(keys, line, path, why, cap);
    ferry_wipe(line, sizeof line);
    return error;
}

/* A profile's names are its options, the environment's its variables. */
static int take_psk(struct dtls_keys *keys, bool profile, const char *path, const char *hex,
                    char *why, size_t cap)
{
    const char *identity = keys->keys.psk_identity;

    if (path != NULL && hex != NULL) {
        return wrong(why, cap, PSK_VARIABLE, "and FERRY_DTLS_PSK_FILE are both given: give one");
    }
    if (profile && (identity == NULL) != (path == NULL)) {
        return wrong(why, cap, "the profile's PSK",
                     "needs both; add it again with --psk-identity ID and --psk-file FILE");
    }
    if (identity == NULL && (path != NULL || hex != NULL)) {
        return wrong(why, cap, "a PSK", "needs its identity: FERRY_DTLS_PSK_IDENTITY");
    }
    if (identity != NULL && path == NULL && hex == NULL) {
        return wrong(why, cap, "a PSK identity", "needs its key: FERRY_DTLS_PSK_FILE");
    }
    if (path != NULL) {
        return take_psk_file(keys, path, why, cap);
    }
    return hex != NULL ? take_hex(keys, hex, PSK_VARIABLE, why, cap) : FERRY_OK;
}

/* What belongs together. */
static const struct {
    int first, second;
} pairs[] = {{IDENTITY, PSK_FILE}, {CERT, KEY}};

bool dtls_keys_lack(char *const texts[DTLS_FIELDS], const char **given, const char **missing)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        bool first = texts[pairs[i].first] != NULL;
        if (first != (texts[pairs[i].second] != NULL)) {
            *given = dtls_fields[first ? pairs[i].first : pairs[i].second].name;
            *missing = dtls_fields[first ? pairs[i].second : pairs[i].first].name;
            return true;
        }
    }
    return false;
}

/* ---- All of them --------------------------------------------------------------------- */

int dtls_keys_read(const struct cli *cli, struct dtls_keys *keys, char *why, size_t cap)
{
    const char *texts[DTLS_FIELDS];
    const char *hex = cli->dtls == NULL ? from_environment(PSK_VARIABLE) : NULL;

    for (size_t i = 0; i < DTLS_FIELDS; i++) {
        texts[i] =
            cli->dtls != NULL ? cli->dtls->texts[i] : from_environment(dtls_fields[i].variable);
    }
    *keys = (struct dtls_keys){.keys = {.psk_identity = texts[IDENTITY],
                                        .ca_file = texts[CA],
                                        .cert_file = texts[CERT],
                                        .key_file = texts[KEY],
                                        .name = texts[NAME]}};
    if (texts[IDENTITY] == NULL && texts[PSK_FILE] == NULL && hex == NULL && texts[CA] == NULL) {
        return wrong(why, cap, "DTLS", "needs a PSK, or the CA of the device's certificate");
    }
    int error = take_psk(keys, cli->dtls != NULL, texts[PSK_FILE], hex, why, cap);
    if (error == FERRY_OK && texts[KEY] != NULL) {
        error = check_secret(texts[KEY], why, cap);
    }
    return error;
}

void dtls_keys_wipe(struct dtls_keys *keys)
{
    ferry_wipe(keys->psk, sizeof keys->psk);
}

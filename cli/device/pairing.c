/* SPDX-License-Identifier: Apache-2.0 */
#include "pairing.h"

#include <stdlib.h>
#include <string.h>

#define VARIABLE    "FERRY_BLE_PASSKEY"
#define PASSKEY_MAX 999999

/* Six digits, leading zeros among them; blanks around them do no harm. */
static bool read_passkey(const char *text, uint32_t *passkey)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || value > PASSKEY_MAX || end[strspn(end, " \r\n")] != '\0') {
        return false;
    }
    *passkey = (uint32_t)value;
    return true;
}

/* A line of the terminal; false without one. */
static bool ask(const char *question, char *line, size_t cap)
{
    FILE *terminal = fopen("/dev/tty", "r+e");

    if (terminal == NULL) {
        return false;
    }
    fputs(question, terminal);
    fflush(terminal);
    bool answered = fgets(line, (int)cap, terminal) != NULL;
    fclose(terminal);
    return answered;
}

/* What is known before anybody is asked. Returns whether there is anything; *valid tells whether it
 * is a passkey. */
static bool is_known(const struct cli *cli, uint32_t *passkey, bool *valid)
{
    const char *variable = getenv(VARIABLE);
    char line[32] = "";

    if (cli->passkey_file != NULL) {
        FILE *file = fopen(cli->passkey_file, "re");
        *valid =
            file != NULL && fgets(line, sizeof line, file) != NULL && read_passkey(line, passkey);
        if (file != NULL) {
            fclose(file);
        }
        return true;
    }
    bool known = variable != NULL && variable[0] != '\0';
    *valid = known && read_passkey(variable, passkey);
    return known;
}

static bool enter(const struct cli *cli, uint32_t *passkey)
{
    char line[32];
    bool valid;

    if (is_known(cli, passkey, &valid)) {
        return valid;
    }
    return !cli->unattended && ask("Passkey that the device shows: ", line, sizeof line) &&
           read_passkey(line, passkey);
}

static bool compare(const struct cli *cli, uint32_t passkey)
{
    uint32_t expected;
    char question[80];
    char line[32];
    bool valid;

    if (is_known(cli, &expected, &valid)) {
        return valid && expected == passkey;
    }
    snprintf(question, sizeof question, "Does the device show %06u? [y/N] ", (unsigned)passkey);
    return !cli->unattended && ask(question, line, sizeof line) &&
           (line[0] == 'y' || line[0] == 'Y');
}

bool pairing_answer(const struct cli *cli, enum ferry_pairing question, uint32_t *passkey)
{
    switch (question) {
    case FERRY_PAIRING_ENTER:
        return enter(cli, passkey);
    case FERRY_PAIRING_COMPARE:
        return compare(cli, *passkey);
    case FERRY_PAIRING_SHOW:
        break;
    }
    fprintf(stderr, "ferry: type this passkey in at the device: %06u\n", (unsigned)*passkey);
    return true;
}

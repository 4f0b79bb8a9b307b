/* SPDX-License-Identifier: Apache-2.0 */
#include "pairing.h"
#include "secret.h"
#include "terminal.h"

#include "ferry/connection.h"

#include <stdlib.h>
#include <string.h>

#define VARIABLE    "FERRY_BLE_PASSKEY"
#define PASSKEY_MAX 999999

/* BlueZ gives up then, and many devices do before. */
#define PAIRING_WAIT_MS 60000U

/* So often something else than digits may be typed. */
#define PAIRING_TRIES 3

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

/* ---- What is known before anybody is asked --------------------------------------------------- */

static int wrong(char *why, size_t cap, const char *path, const char *cause)
{
    snprintf(why, cap,
             "the passkey file %s: %s; write the device's six digits into it, for its owner alone",
             path, cause);
    return FERRY_E_CONFIG;
}

static int take_file(const char *path, struct pairing *pairing, char *why, size_t cap)
{
    const char *cause;
    char line[32] = "";
    FILE *file = secret_open(path, &cause);

    if (file == NULL) {
        return wrong(why, cap, path, cause);
    }
    pairing->given =
        fgets(line, sizeof line, file) != NULL && read_passkey(line, &pairing->passkey);
    fclose(file);
    return pairing->given ? FERRY_OK : wrong(why, cap, path, "there is no passkey in it");
}

int pairing_read(const struct cli *cli, struct pairing *pairing, char *why, size_t cap)
{
    const char *variable = getenv(VARIABLE);

    *pairing = (struct pairing){.unattended = cli->unattended};
    if (cli->passkey_file != NULL) {
        return take_file(cli->passkey_file, pairing, why, cap);
    }
    if (variable == NULL || variable[0] == '\0') {
        return FERRY_OK;
    }
    pairing->given = read_passkey(variable, &pairing->passkey);
    if (!pairing->given) {
        snprintf(why, cap, VARIABLE " is no passkey; set it to the device's six digits");
        return FERRY_E_CONFIG;
    }
    return FERRY_OK;
}

/* ---- Questions ------------------------------------------------------------------------------- */

/* A line of the terminal; false without one. */
static bool ask(const char *question, char *line, size_t cap, uint64_t until)
{
    uint64_t now = ferry_connection_now();
    uint32_t left = now < until ? (uint32_t)(until - now) : 0;
    enum terminal_end end = terminal_ask(question, line, cap, left);

    if (end == TERMINAL_LATE) {
        fprintf(stderr,
                "\nferry: no answer on the terminal in %u s, and Bluetooth waits no longer\n",
                PAIRING_WAIT_MS / 1000U);
    }
    return end == TERMINAL_ANSWERED;
}

static bool enter(const struct pairing *pairing, uint32_t *passkey)
{
    uint64_t until = ferry_connection_now() + PAIRING_WAIT_MS;
    char line[32];

    if (pairing->given) {
        *passkey = pairing->passkey;
        return true;
    }
    for (int i = 0; i < PAIRING_TRIES && !pairing->unattended; i++) {
        if (!ask("Passkey that the device shows: ", line, sizeof line, until)) {
            return false;
        }
        if (read_passkey(line, passkey)) {
            return true;
        }
        fputs("ferry: a passkey has six digits\n", stderr);
    }
    return false;
}

static bool compare(const struct pairing *pairing, uint32_t passkey)
{
    char question[80];
    char line[32];

    if (pairing->given) {
        return pairing->passkey == passkey;
    }
    snprintf(question, sizeof question, "Does the device show %06u? [y/N] ", (unsigned)passkey);
    return !pairing->unattended &&
           ask(question, line, sizeof line, ferry_connection_now() + PAIRING_WAIT_MS) &&
           (line[0] == 'y' || line[0] == 'Y');
}

bool pairing_answer(const struct pairing *pairing, enum ferry_pairing question, uint32_t *passkey)
{
    switch (question) {
    case FERRY_PAIRING_ENTER:
        return enter(pairing, passkey);
    case FERRY_PAIRING_COMPARE:
        return compare(pairing, *passkey);
    case FERRY_PAIRING_SHOW:
        break;
    }
    fprintf(stderr, "ferry: type this passkey in at the device: %06u\n", (unsigned)*passkey);
    return true;
}

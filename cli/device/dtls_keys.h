/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a "dtls:" device: a profile names them, or the environment. No command line has one,
 * and nothing prints one. */
#ifndef CLI_DEVICE_DTLS_KEYS_H
#define CLI_DEVICE_DTLS_KEYS_H

#include "cli/cli.h"
#include "ferry/connection.h"

#define DTLS_PSK_MIN 16 /* bytes of a pre-shared key */
#define DTLS_PSK_MAX 64

/* What is given, by name; ends with a row whose name is NULL. */
struct dtls_field {
    const char *name;     /* in a profile, and of `ferry profile add`'s option */
    const char *variable; /* of the environment */
    bool is_file;
};

#define DTLS_FIELDS 6

extern const struct dtls_field dtls_fields[DTLS_FIELDS + 1];

/* The texts for them; NULL = not given. A profile's, of its object "dtls". They live on. */
struct cli_dtls {
    char *texts[DTLS_FIELDS];
};

struct dtls_keys {
    struct ferry_connection_dtls keys; /* for ferry_connection_open() */
    uint8_t psk[DTLS_PSK_MAX];
};

/* Read the keys that the profile of cli names, else those of the environment. Wipe them with
 * dtls_keys_wipe() when the connection is closed; they may not be moved before.
 *
 * why  room for cap characters; on an error it says what is missing or wrong
 *
 * Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int dtls_keys_read(const struct cli *cli, struct dtls_keys *keys, char *why, size_t cap);

/* Whether one of two that belong together is missing, an identity's key say: their names. */
bool dtls_keys_lack(char *const texts[DTLS_FIELDS], const char **given, const char **missing);

void dtls_keys_wipe(struct dtls_keys *keys);

/* What to do when there is no key, or a wrong one. */
extern const char dtls_keys_next[];

#endif

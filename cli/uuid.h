/* SPDX-License-Identifier: Apache-2.0 */
/* The UUIDs of vendor and class, as imgtool makes them of names. [mcuboot-format.md §2.2] */
#ifndef CLI_UUID_H
#define CLI_UUID_H

#include "cli.h"

#define UUID_SIZE 16

/* The namespace of vendors' names, which are domain names. [RFC 9562 §6.6] */
extern const uint8_t uuid_dns[UUID_SIZE];

/* A UUID of a text: 32 hex digits, with or without the usual dashes, are the UUID itself; anything
 * else is a name, whose UUID is of version 5 in a namespace.
 *
 * space  the namespace, or NULL: names are then refused
 *
 * Returns FERRY_OK, FERRY_E_FORMAT for a name that is empty, not printable or has no namespace,
 * FERRY_E_IO when OpenSSL fails. [RFC 9562 §5.5] */
FERRY_MUST_CHECK
int uuid_parse(const uint8_t *space, const char *text, uint8_t uuid[UUID_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs of vendors and classes, as imgtool makes them: given as such, or made of a name (RFC 9562,
 * version 5). */
#ifndef LAYOUT_UUID_H
#define LAYOUT_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_SIZE 16

/* The space of vendors' names. */
extern const uint8_t uuid_dns[UUID_SIZE];

/* Read "6ba7b810-9dad-11d1-80b4-00c04fd430c8", or the same digits without dashes. Returns whether
 * it is one. */
bool uuid_read(const char *text, uint8_t uuid[UUID_SIZE]);

/* The UUID of a name in a space. Returns false for one that is empty or not printable, and when it
 * cannot be computed. */
bool uuid_of_name(const uint8_t space[UUID_SIZE], const char *name, uint8_t uuid[UUID_SIZE]);

#endif

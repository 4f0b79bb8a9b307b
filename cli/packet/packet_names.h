/* SPDX-License-Identifier: Apache-2.0 */
/* Words for the numbers of a header: operations, groups, commands.  [smp.md §3] */
#ifndef CLI_PACKET_PACKET_NAMES_H
#define CLI_PACKET_PACKET_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* "read", "read-rsp", "write", "write-rsp"; "op 4" to "op 7". */
const char *packet_op_name(uint8_t op);

/* "os"; NULL for a group without one. */
const char *packet_group_name(uint16_t group);

/* "echo"; NULL for a command without one. */
const char *packet_command_name(uint16_t group, uint8_t id);

/* From a name or a number, in decimal or with 0x. Return false when it is neither. */
bool packet_group_number(const char *text, uint16_t *group);
bool packet_command_number(uint16_t group, const char *text, uint8_t *id);

/* The names of all groups, "os, image, …", for messages. out has room for cap characters. */
void packet_group_list(char *out, unsigned cap);

#endif

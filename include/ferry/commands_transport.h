/* SPDX-License-Identifier: Apache-2.0 */
/* Group transport, which has a device forward requests to another one; experimental in Zephyr.
 * Conventions are those of ferry/commands.h. [smp.md §3.9] */
#ifndef FERRY_COMMANDS_TRANSPORT_H
#define FERRY_COMMANDS_TRANSPORT_H

#include "ferry/answer.h"
#include "ferry/client.h"

/* What a transport wants to be told, under its own keys: "address". */
struct ferry_transport_parameter {
    const char *key;
    enum ferry_cbor_kind kind; /* FERRY_CBOR_UINT, FERRY_CBOR_BOOL, FERRY_CBOR_TEXT */
    uint64_t number;           /* also of a truth */
    const char *text;
};

/* mode below 0: not sent. Sent once. Answer: nothing; from then on requests of other groups on this
 * transport go to the other device. */
FERRY_MUST_CHECK
int32_t ferry_command_transport_connect(struct ferry_client *client, uint32_t transport,
                                        int32_t mode,
                                        const struct ferry_transport_parameter *parameters,
                                        size_t count, void *user);

/* transport below 0: all. Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_transport_disconnect(struct ferry_client *client, int64_t transport,
                                           void *user);

/* Answer: ferry_answer_map(payload, NULL, …): "supported", "active", "bridged", "transport". */
FERRY_MUST_CHECK
int32_t ferry_command_transport_status(struct ferry_client *client, void *user);

/* Answer: ferry_answer_list(payload, "transports", …), maps of "id" and "name". */
FERRY_MUST_CHECK
int32_t ferry_command_transport_list(struct ferry_client *client, void *user);

/* Answer: ferry_answer_list(payload, "modes", …), maps. */
FERRY_MUST_CHECK
int32_t ferry_command_transport_modes(struct ferry_client *client, uint32_t transport, void *user);

/* The parameters of a mode. Answer: ferry_answer_list(payload, "configs", …), maps. */
FERRY_MUST_CHECK
int32_t ferry_command_transport_config(struct ferry_client *client, uint32_t transport,
                                       uint32_t mode, void *user);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What --trace and --text take down: the packets and the text of all connections of this run, each
 * in the file as soon as it happened. Where neither is given, nothing is done. */
#ifndef CLI_DEVICE_RECORD_H
#define CLI_DEVICE_RECORD_H

#include "cli/cli.h"
#include "ferry/connection.h"

/* Begin the files, once a run. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int record_start(const struct cli *cli);

/* A connection is opened; uri is copied. Returns its number, from 1. */
unsigned record_open(const char *uri);

/* "close", "reopen", or another word for what becomes of it. */
void record_event(unsigned number, const char *what);

void record_packet(unsigned number, enum ferry_connection_way way, struct ferry_bytes packet);
void record_text(unsigned number, struct ferry_bytes text);

/* count frames were received damaged since it was last told. */
void record_damaged(unsigned number, size_t count);

#endif

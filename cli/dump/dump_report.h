/* SPDX-License-Identifier: Apache-2.0 */
/* What `ferry inspect --layout` says of a dump. docs/CLI.md has the keys. */
#ifndef CLI_DUMP_DUMP_REPORT_H
#define CLI_DUMP_DUMP_REPORT_H

#include "dump_boot.h"

/* The parts of the report, each adds its keys, in this order: the first stage before
 * dump_boot_select(), the images between that and dump_boot().
 *
 * areas   what the areas of the layout are for, and how full they are
 * keys    which keys count, and which were revoked
 * store   whether it opens
 * first   the first stage: its keys, its slots and which of them starts
 * images  every slot, and what the bootloader last did
 * next    what the next boot does with each image */
void dump_add_areas(cJSON *object, const struct dump *dump);
void dump_add_keys(cJSON *object, const struct dump *dump, bool given);
void dump_add_store(cJSON *object, const struct dump *dump);
void dump_add_first(cJSON *object, struct dump *dump);
void dump_add_images(cJSON *object, struct dump *dump);
void dump_add_next(cJSON *object, const struct dump *dump, const struct dump_boot *boot);

/* The whole report as text on standard output. */
void dump_print(const cJSON *object);

/* `ferry inspect --layout`: arguments as of dump_open(). Returns an enum cli_exit: CLI_VERIFY when
 * nothing would start. */
FERRY_MUST_CHECK
int dump_inspect(const struct cli *cli, const char *layout, char *const files[], int count,
                 const struct key *key);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* faults: the bootloader under every fault. `make faults`, or in short form a part of `make test`.
 *
 *   faults [--short] [--only TEXT] [--every N] [--report FILE] [--processes N] [--list]
 *
 * FERRY_FAULT=ID in the environment lives one life again and tells of every boot. */
#include "fault_campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct fault_options options = {
        .scope = FAULT_WHOLE, .processes = 2, .id = getenv("FERRY_FAULT")};

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--short") == 0) {
            options.scope = FAULT_SHORT;
        } else if (strcmp(argv[i], "--list") == 0) {
            options.list = true;
        } else if (strcmp(argv[i], "--only") == 0 && value != NULL) {
            options.only = value;
            i++;
        } else if (strcmp(argv[i], "--report") == 0 && value != NULL) {
            options.report = value;
            i++;
        } else if (strcmp(argv[i], "--processes") == 0 && value != NULL) {
            options.processes = (uint32_t)strtoul(value, NULL, 10);
            options.processes = ferry_min32(ferry_max32(options.processes, 1), 16);
            i++;
        } else if (strcmp(argv[i], "--every") == 0 && value != NULL) {
            options.every = (uint32_t)strtoul(value, NULL, 10);
            i++;
        } else {
            fprintf(stderr, "usage: faults [--short] [--only TEXT] [--report FILE] "
                            "[--every N] [--processes N] [--list]\n");
            return 2;
        }
    }
    return fault_campaign(&options);
}

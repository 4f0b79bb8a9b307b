/* SPDX-License-Identifier: Apache-2.0 */
/* Other names of commands: imgtool's, so that `ferry` can stand where a build calls imgtool, and
 * those of other clients of SMP. They are not in `ferry --help`; a command's own help names them.
 */
#include "cli.h"

const struct cli_alias cli_aliases[] = {
    {"create", "sign"},
    {"getpub", "pubkey"},
    {"getpubhash", "pubhash"},
    {"getpriv", "privkey"},
    /* mcumgr */
    {"config save", "settings save"},
    {"conn add", "profile add"},
    {"conn show", "profile list"},
    {"conn delete", "profile remove"},
    /* smpmgr */
    {"file download", "fs download"},
    {"file upload", "fs upload"},
    {"file read-size", "fs stat"},
    {"file get-hash", "fs hash"},
    {"file get-supported-hash-types", "fs types"},
    {"statistics list", "stat list"},
    {"statistics get", "stat"},
    {"statistics fetch-all", "stat all"},
    {"enum get-supported-groups", "enum list"},
    {"enum get-group-details", "enum details"},
    {"shell", "shell exec"},
    /* mcumgrctl */
    {"fs status", "fs stat"},
    {"fs checksum", "fs hash"},
    {"fs supported-checksums", "fs types"},
    {"os task-statistics", "taskstat"},
    {"os memory-pool-statistics", "mpstat"},
    {"stats get", "stat"},
    {"stats list-groups", "stat list"},
    {"enum list-groups", "enum list"},
    {"enum show-group-details", "enum details"},
    {"zephyr erase-storage", "storage erase"},
    /* mcumgr-client */
    {"fs-download", "fs download"},
    {"fs-upload", "fs upload"},
    {"stat-list", "stat list"},
    {"stat-read", "stat"},
    {"settings-read", "settings read"},
    {"settings-write", "settings write"},
    {0},
};

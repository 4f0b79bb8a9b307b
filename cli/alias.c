/* SPDX-License-Identifier: Apache-2.0 */
/* Other names of commands: imgtool's, so that `ferry` can stand where a build calls imgtool. They
 * are not in `ferry --help`; a command's own help names them. */
#include "cli.h"

const struct cli_alias cli_aliases[] = {
    {"create", "sign"},
    {"getpub", "pubkey"},
    {"getpubhash", "pubhash"},
    {"getpriv", "privkey"},
    {0},
};

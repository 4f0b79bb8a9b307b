/* SPDX-License-Identifier: Apache-2.0 */
/* Where a primitive that cannot fail fails. */
#include "die.h"

#include <stdio.h>
#include <stdlib.h>

void ferry_openssl_die(const char *what)
{
    fprintf(stderr,
            "ferry: %s does not work: OpenSSL is out of memory or has no provider of it. "
            "Free memory, or repair the OpenSSL installation and its openssl.cnf.\n",
            what);
    abort();
}

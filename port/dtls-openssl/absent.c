/* SPDX-License-Identifier: Apache-2.0 */
/* In a ferry that is built without DTLS. */
#include "port/posix/medium.h"

#include <stdio.h>

static int open_none(struct ferry_transport *transport,
                     const struct ferry_transport_address *address, char *why, size_t cap)
{
    (void)transport;
    (void)address;
    snprintf(why, cap,
             "this ferry was built without DTLS; build it where libssl is: apt install "
             "libssl-dev, then make");
    return FERRY_E_CONFIG;
}

const struct ferry_medium ferry_medium_dtls = {.open = open_none};

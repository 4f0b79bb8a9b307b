/* SPDX-License-Identifier: Apache-2.0 */
/* As much DER as private keys need. [X.690 §8.1, §10.1] */
#include "core/image/der.h"

#include <string.h>

/* The length of an element: one byte up to 127, else 81 or 82 and one or two bytes; keys have no
 * longer ones. *at moves from the length to the content. */
static bool take_length(const struct ferry_bytes *in, size_t *at, size_t *len)
{
    size_t left = in->len - *at;
    const uint8_t *p = in->data + *at;

    if (left >= 1 && p[0] < 0x80) {
        *len = p[0];
        *at += 1;
        return true;
    }
    if (left >= 2 && p[0] == 0x81) {
        *len = p[1];
        *at += 2;
        return *len >= 0x80;
    }
    if (left >= 3 && p[0] == 0x82) {
        *len = ferry_load_be16(p + 1);
        *at += 3;
        return *len >= 0x100;
    }
    return false;
}

bool ferry_der_take(struct ferry_bytes *in, uint8_t tag, struct ferry_bytes *content)
{
    size_t at = 1;
    size_t len;

    if (in->len < 2 || in->data[0] != tag || !take_length(in, &at, &len) || len > in->len - at) {
        return false;
    }

    const struct ferry_bytes whole = *in;

    *in = (struct ferry_bytes){whole.data + at + len, whole.len - at - len};
    *content = (struct ferry_bytes){whole.data + at, len};
    return true;
}

bool ferry_der_skip(struct ferry_bytes *in, uint8_t tag)
{
    struct ferry_bytes skipped;

    return in->len == 0 || in->data[0] != tag || ferry_der_take(in, tag, &skipped);
}

bool ferry_der_take_number(struct ferry_bytes *in, struct ferry_bytes *number)
{
    struct ferry_bytes rest = *in;
    struct ferry_bytes n;

    if (!ferry_der_take(&rest, FERRY_DER_INTEGER, &n) || n.len == 0 || n.data[0] >= 0x80) {
        return false;
    }
    if (n.data[0] == 0) {
        if (n.len == 1 || n.data[1] < 0x80) {
            return false; /* zero, or a zero in front that is not needed */
        }
        n = (struct ferry_bytes){n.data + 1, n.len - 1};
    }
    *in = rest;
    *number = n;
    return true;
}

bool ferry_der_take_small(struct ferry_bytes *in, uint8_t value)
{
    struct ferry_bytes rest = *in;
    struct ferry_bytes n;

    if (!ferry_der_take(&rest, FERRY_DER_INTEGER, &n) || n.len != 1 || n.data[0] != value) {
        return false;
    }
    *in = rest;
    return true;
}

bool ferry_der_pkcs8(struct ferry_bytes der, struct ferry_bytes algorithm, struct ferry_bytes *key)
{
    struct ferry_bytes info;

    if (!ferry_der_take(&der, FERRY_DER_SEQUENCE, &info) || der.len != 0 ||
        !ferry_der_take_small(&info, 0)) {
        return false;
    }
    if (info.len < algorithm.len || memcmp(info.data, algorithm.data, algorithm.len) != 0) {
        return false;
    }
    info = (struct ferry_bytes){info.data + algorithm.len, info.len - algorithm.len};
    return ferry_der_take(&info, FERRY_DER_OCTET_STRING, key) && info.len == 0;
}

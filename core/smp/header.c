/* SPDX-License-Identifier: Apache-2.0 */
/* The SMP header and packets back to back.  [smp.md §1.1, §1.3, §1.5] */
#include "ferry/smp.h"

/* Byte 0: bits 0-2 operation, bits 3-4 version, bits 5-7 reserved. */
#define OP_MASK       0x07
#define VERSION_SHIFT 3
#define VERSION_MASK  0x03

int ferry_smp_header_read(struct ferry_bytes bytes, struct ferry_smp_header *header)
{
    if (bytes.len < FERRY_SMP_HEADER_SIZE) {
        return FERRY_E_SHORT;
    }
    header->op = bytes.data[0] & OP_MASK;
    header->version = bytes.data[0] >> VERSION_SHIFT & VERSION_MASK;
    header->flags = bytes.data[1];
    header->length = ferry_load_be16(bytes.data + 2);
    header->group = ferry_load_be16(bytes.data + 4);
    header->seq = bytes.data[6];
    header->id = bytes.data[7];
    return FERRY_OK;
}

void ferry_smp_header_write(const struct ferry_smp_header *header,
                            uint8_t out[FERRY_SMP_HEADER_SIZE])
{
    out[0] = (uint8_t)((header->op & OP_MASK) | (header->version & VERSION_MASK) << VERSION_SHIFT);
    out[1] = header->flags;
    ferry_store_be16(out + 2, header->length);
    ferry_store_be16(out + 4, header->group);
    out[6] = header->seq;
    out[7] = header->id;
}

int ferry_smp_packet_read(struct ferry_bytes bytes, struct ferry_smp_header *header,
                          struct ferry_bytes *payload, struct ferry_bytes *rest)
{
    int rc = ferry_smp_header_read(bytes, header);

    if (rc != FERRY_OK) {
        return rc;
    }

    const uint8_t *body = bytes.data + FERRY_SMP_HEADER_SIZE;
    size_t left = bytes.len - FERRY_SMP_HEADER_SIZE;

    if (header->length > left) {
        return FERRY_E_SHORT;
    }
    *payload = (struct ferry_bytes){body, header->length};
    if (rest != NULL) {
        *rest = (struct ferry_bytes){body + header->length, left - header->length};
    }
    return FERRY_OK;
}

bool ferry_smp_answers(const struct ferry_smp_header *rsp, const struct ferry_smp_header *req)
{
    return rsp->op == req->op + 1 && rsp->group == req->group && rsp->id == req->id &&
           rsp->seq == req->seq;
}

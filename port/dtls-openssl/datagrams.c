/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's memory BIO is a stream, which joins datagrams; this one keeps them apart. */
#include "inside.h"

#include <string.h>

/* type, version, epoch, seq, length: RFC 6347 §4.1 */
#define RECORD_HEAD 13
#define EPOCH_AT    3
#define SEQ_AT      5
#define LEN_AT      11

/* OpenSSL's own alerts in the clear are followed by ours at most: see session.c. */
static void note_plain_records(struct ferry_dtls *session, const uint8_t *at, size_t len)
{
    while (len >= RECORD_HEAD) {
        size_t record = RECORD_HEAD + (size_t)ferry_load_be16(at + LEN_AT);

        if (ferry_load_be16(at + EPOCH_AT) == 0) {
            session->plain_seq =
                (uint64_t)ferry_load_be16(at + SEQ_AT) << 32 | ferry_load_be32(at + SEQ_AT + 2);
        }
        record = record < len ? record : len;
        at += record;
        len -= record;
    }
}

static int write_datagram(BIO *bio, const char *data, int len)
{
    struct ferry_dtls *session = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (len <= 0) {
        return 0;
    }
    note_plain_records(session, (const uint8_t *)data, (size_t)len);
    session->out.send(session->out.context,
                      (struct ferry_bytes){(const uint8_t *)data, (size_t)len});
    return len;
}

/* A datagram that is longer than the room is cut, as recv() does. */
static int read_datagram(BIO *bio, char *data, int room)
{
    struct ferry_dtls *session = BIO_get_data(bio);
    size_t len = session->in.len;

    BIO_clear_retry_flags(bio);
    if (len == 0 || room <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    len = len < (size_t)room ? len : (size_t)room;
    memcpy(data, session->in.data, len);
    session->in = (struct ferry_bytes){NULL, 0};
    return (int)len;
}

/* The rest that OpenSSL asks a datagram BIO, MTU and peer and timers among it, is answered by 0: it
 * is not known here. */
static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *dtls_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "ferry's datagrams");

    if (method != NULL) {
        BIO_meth_set_write(method, write_datagram);
        BIO_meth_set_read(method, read_datagram);
        BIO_meth_set_ctrl(method, control);
    }
    return method;
}

BIO *dtls_bio_new(const BIO_METHOD *method, struct ferry_dtls *session)
{
    BIO *bio = BIO_new(method);

    if (bio != NULL) {
        BIO_set_data(bio, session);
        BIO_set_init(bio, 1);
    }
    return bio;
}

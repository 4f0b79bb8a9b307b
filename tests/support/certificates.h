/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests of DTLS, made on the spot: P-256, in PEM files of a folder of their own.
 */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

/* Paths of a certificate and its key. */
struct certificate {
    char cert[96];
    char key[96];
};

struct certificate_wish {
    const char *name;             /* the common name, and the subject's DNS name */
    const struct certificate *by; /* who signs; NULL: it itself */
    int from_days, to_days;       /* from today; both 0 = valid for a day on each side */
    int is_ca;
    int name_len;       /* of name; 0 = up to its NUL */
    const char *second; /* common name; NULL = there is one alone */
};

/* A new folder below /tmp; remove it with certificates_end(). */
void certificates_begin(void);
void certificates_end(void);

void certificate_make(struct certificate *made, const char *file, struct certificate_wish wish);

#endif

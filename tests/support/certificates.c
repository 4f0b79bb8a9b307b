/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY   86400L
#define FILES 64

static char folder[] = "/tmp/ferry-certificates-XXXXXX";
static char files[FILES][96];
static int file_count;

void certificates_begin(void)
{
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (mkdtemp(folder) == NULL) {
        abort();
    }
}

void certificates_end(void)
{
    while (file_count > 0) {
        unlink(files[--file_count]);
    }
    rmdir(folder);
}

static FILE *create(char path[96], const char *file, const char *kind)
{
    snprintf(path, 96, "%s/%s.%s", folder, file, kind);
    if (file_count == FILES) {
        abort();
    }
    strcpy(files[file_count++], path);
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        abort();
    }
    return out;
}

static void extend(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *read_cert(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

    fclose(file);
    return certificate;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

    fclose(file);
    return key;
}

/* As it is: of any length, with whatever is in it. */
static void add_name(X509_NAME *subject, const char *name, int len)
{
    X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                               (const unsigned char *)name, len != 0 ? len : -1, -1, 0);
}

static X509 *fill(EVP_PKEY *key, struct certificate_wish wish)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool usual = wish.from_days == 0 && wish.to_days == 0;
    char dns[128];

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), DAY * (usual ? -1 : wish.from_days));
    X509_gmtime_adj(X509_getm_notAfter(certificate), DAY * (usual ? 1 : wish.to_days));
    add_name(subject, wish.name, wish.name_len);
    if (wish.second != NULL) {
        add_name(subject, wish.second, 0);
    }
    X509_set_pubkey(certificate, key);
    extend(certificate, NID_basic_constraints, wish.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!wish.is_ca && strpbrk(wish.name, " \n") == NULL) {
        snprintf(dns, sizeof dns, "DNS:%s", wish.name);
        extend(certificate, NID_subject_alt_name, dns);
    }
    return certificate;
}

void certificate_make(struct certificate *made, const char *file, struct certificate_wish wish)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = fill(key, wish);
    X509 *issuer = wish.by != NULL ? read_cert(wish.by->cert) : NULL;
    EVP_PKEY *signer = wish.by != NULL ? read_key(wish.by->key) : key;

    X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
    X509_sign(certificate, signer, EVP_sha256());
    FILE *out = create(made->cert, file, "cert.pem");
    PEM_write_X509(out, certificate);
    fclose(out);
    out = create(made->key, file, "key.pem");
    PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    fclose(out);
    if (signer != key) {
        EVP_PKEY_free(signer);
    }
    X509_free(issuer);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include "ferry/keys.h"
#include "key_read.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static const struct key_type key_types[] = {
    {"rsa-2048", "rsa", "RSA", NULL, 2048, FERRY_TLV_RSA2048_PSS, {&ferry_digest_sha256}},
    {"rsa-3072", "rsa", "RSA", NULL, 3072, FERRY_TLV_RSA3072_PSS, {&ferry_digest_sha256}},
    {"ecdsa-p256", "ecdsa", "EC", "prime256v1", 0, FERRY_TLV_ECDSA_SIG, {&ferry_digest_sha256}},
    {"ecdsa-p384", "ecdsap384", "EC", "secp384r1", 0, FERRY_TLV_ECDSA_SIG, {&ferry_digest_sha384}},
    {"ed25519",
     "ed25519",
     "ED25519",
     NULL,
     0,
     FERRY_TLV_ED25519,
     {&ferry_digest_sha256, &ferry_digest_sha512}},
    {"x25519", "x25519", "X25519", NULL, 0, 0, {NULL}},
};

const char key_type_names[] = "rsa-2048, rsa-3072, ecdsa-p256, ecdsa-p384, ed25519, x25519";

#define TYPES (sizeof key_types / sizeof key_types[0])

#define RSA_EXPONENT 65537 /* the one that is verified with */

const struct key_type *key_type_find(const char *name)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(key_types[i].name, name) == 0) {
            return &key_types[i];
        }
    }
    return NULL;
}

bool key_type_takes(const struct key_type *type, const struct ferry_image_digest_kind *digest)
{
    return type->digests[0] == digest || type->digests[1] == digest;
}

static bool has_group(const EVP_PKEY *pkey, const char *wanted)
{
    char group[64] = "";
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          NULL) == 1 &&
           strcmp(group, wanted) == 0;
}

static bool has_exponent(const EVP_PKEY *pkey)
{
    BIGNUM *exponent = NULL;
    bool good = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                BN_is_word(exponent, RSA_EXPONENT) == 1;
    BN_free(exponent);
    return good;
}

static bool has_modulus(const EVP_PKEY *pkey, unsigned bits)
{
    return (unsigned)EVP_PKEY_get_bits(pkey) == bits && has_exponent(pkey);
}

static const struct key_type *type_of(const EVP_PKEY *pkey)
{
    for (size_t i = 0; i < TYPES; i++) {
        const struct key_type *type = &key_types[i];
        if (EVP_PKEY_is_a(pkey, type->openssl) &&
            (type->group == NULL || has_group(pkey, type->group)) &&
            (type->bits == 0 || has_modulus(pkey, type->bits))) {
            return type;
        }
    }
    return NULL;
}

/* A SubjectPublicKeyInfo, put together by its parts: an encoder of OpenSSL does the same, but looks
 * for itself among all there are, which is a tenth of the time that signing takes. */
static int encode_info(const struct key_type *type, const EVP_PKEY *pkey, unsigned char **out)
{
    int curve = type->group != NULL ? OBJ_sn2nid(type->group) : NID_undef;
    int algorithm = curve != NID_undef ? NID_X9_62_id_ecPublicKey : OBJ_sn2nid(type->openssl);
    X509_PUBKEY *info = X509_PUBKEY_new();
    unsigned char *bytes = OPENSSL_malloc(KEY_DER_MAX);
    size_t size = 0;
    int len = -1;

    if (info != NULL && bytes != NULL &&
        EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes, KEY_DER_MAX, &size) ==
            1 &&
        X509_PUBKEY_set0_param(
            info, OBJ_nid2obj(algorithm), curve != NID_undef ? V_ASN1_OBJECT : V_ASN1_UNDEF,
            curve != NID_undef ? OBJ_nid2obj(curve) : NULL, bytes, (int)size) == 1) {
        bytes = NULL;
        len = i2d_X509_PUBKEY(info, out);
    }
    OPENSSL_free(bytes);
    X509_PUBKEY_free(info);
    return len;
}

/* The public key as DER: RSA alone is without the wrapping of a SubjectPublicKeyInfo. */
static int encode(const struct key *key, unsigned char **out)
{
    return key->type->bits != 0 ? i2d_PublicKey(key->pkey, out)
                                : encode_info(key->type, key->pkey, out);
}

/* Fill type and DER of key->pkey. */
static bool describe(struct key *key)
{
    unsigned char *der = NULL;
    key->type = type_of(key->pkey);
    int len = key->type != NULL ? encode(key, &der) : -1;
    bool good = len > 0 && len <= KEY_DER_MAX;
    if (good) {
        memcpy(key->der, der, (size_t)len);
        key->der_len = (size_t)len;
    }
    OPENSSL_free(der);
    return good;
}

/* Add the curve of an EC key, the size of an RSA key; nothing where the name says it all. */
static void add_details(const EVP_PKEY *pkey, char *words, size_t size)
{
    char group[64] = "";
    size_t used = strlen(words);
    if (EVP_PKEY_is_a(pkey, "EC")) {
        EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL);
        snprintf(words + used, size - used, ", curve %s", group[0] != '\0' ? group : "unnamed");
    } else if (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS")) {
        snprintf(words + used, size - used, ", %d bits%s", EVP_PKEY_get_bits(pkey),
                 has_exponent(pkey) ? "" : ", exponent not 65537");
    } else if (EVP_PKEY_is_a(pkey, "DSA")) {
        /* Both are six numbers. */
        snprintf(words + used, size - used, ", or the minimal form of an RSA key");
    }
}

const char *key_words(const EVP_PKEY *pkey, char *words, size_t size)
{
    const struct key_type *type = type_of(pkey);
    const char *name = EVP_PKEY_get0_type_name(pkey);
    snprintf(words, size, "%s", type != NULL ? type->name : name != NULL ? name : "unknown");
    if (type == NULL) {
        add_details(pkey, words, size);
    }
    return words;
}

bool key_is_published(const struct key *key)
{
    const struct ferry_image_key der = {key->der, key->der_len};
    return ferry_development_keys.has(&ferry_development_keys, &der);
}

int key_load(const struct cli *cli, const char *path, struct key *key)
{
    int code = key_load_any(cli, path, key);
    if (code == CLI_OK && key->type->tlv == 0) {
        key_free(key);
        return cli_fail(cli, CLI_FAILED, "encrypt with it (-E), and sign with one of another type",
                        "the key in %s is an %s key, which signs nothing", path, key->type->name);
    }
    return code;
}

int key_load_any(const struct cli *cli, const char *path, struct key *key)
{
    struct key_file file;
    char words[96];
    char next[128];

    *key = (struct key){0};
    int code = key_read(cli, path, &file);
    if (code != CLI_OK) {
        return code;
    }
    key->pkey = file.pkey;
    key->is_private = file.is_private;
    key->encrypted = file.encrypted;
    if (describe(key)) {
        return CLI_OK;
    }
    key_words(key->pkey, words, sizeof words);
    key_free(key);
    snprintf(next, sizeof next, "use one of: %s", key_type_names);
    return cli_fail(cli, CLI_FAILED, next, "the key in %s is of a type Ferry does not use: %s",
                    path, words);
}

static EVP_PKEY *generate(const struct key_type *type)
{
    if (type->bits != 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, type->openssl, (size_t)type->bits);
    }
    return type->group != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type->openssl, type->group)
                               : EVP_PKEY_Q_keygen(NULL, NULL, type->openssl);
}

int key_generate(const struct cli *cli, const struct key_type *type, struct key *key)
{
    *key = (struct key){.is_private = true};
    key->pkey = generate(type);
    if (key->pkey != NULL && describe(key)) {
        return CLI_OK;
    }
    key_free(key);
    return cli_fail(cli, CLI_FAILED, "check the OpenSSL installation",
                    "OpenSSL cannot make a key of type %s", type->name);
}

static bool sign_message(EVP_PKEY *pkey, const uint8_t *message, size_t len, uint8_t *signature,
                         size_t *size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestSign(ctx, signature, size, message, len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

/* Salt and MGF1 as MCUboot has them. */
static bool set_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, FERRY_SHA256_SIZE) == 1;
}

static bool sign_digest(const struct key *key, const uint8_t *digest, size_t len,
                        uint8_t *signature, size_t *size)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                (key->type->bits == 0 || set_pss(ctx)) &&
                EVP_PKEY_sign(ctx, signature, size, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool verify_message(EVP_PKEY *pkey, const uint8_t *message, size_t len,
                           const uint8_t *signature, size_t size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, signature, size, message, len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool verify_digest(const struct key *key, const uint8_t *digest, size_t len,
                          const uint8_t *signature, size_t size)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool good = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
                (key->type->bits == 0 || set_pss(ctx)) &&
                EVP_PKEY_verify(ctx, signature, size, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

bool key_verify(const struct key *key, const uint8_t *data, size_t len, const uint8_t *signature,
                size_t size)
{
    return key->type->tlv == FERRY_TLV_ED25519
               ? verify_message(key->pkey, data, len, signature, size)
               : verify_digest(key, data, len, signature, size);
}

size_t key_sign(const struct key *key, const uint8_t *data, size_t len, uint8_t *signature)
{
    size_t size = FERRY_IMAGE_SIGNATURE_MAX;
    bool good = key->type->tlv == FERRY_TLV_ED25519
                    ? sign_message(key->pkey, data, len, signature, &size)
                    : sign_digest(key, data, len, signature, &size);
    return good && key_verify(key, data, len, signature, size) ? size : 0;
}

void key_hash(const struct key *key, const struct ferry_image_digest_kind *digest, uint8_t *hash)
{
    union ferry_image_digest_state state;
    digest->init(&state);
    digest->update(&state, key->der, key->der_len);
    digest->final(&state, hash);
}

void key_free(struct key *key)
{
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}

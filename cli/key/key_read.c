/* SPDX-License-Identifier: Apache-2.0 */
#include "key_read.h"

#include "password.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* One file being read. */
struct reader {
    const struct cli *cli;
    const char *path;
    const struct cli_buffer *file;
    const char *form;         /* "PEM" or "DER" */
    bool encrypted;           /* a password was needed */
    int code;                 /* what getting it came to */
    struct password password; /* got once */
};

/* Called back by OpenSSL whenever it meets something encrypted. */
static int give_password(char *text, size_t size, size_t *len, const OSSL_PARAM params[],
                         void *argument)
{
    struct reader *r = argument;
    (void)params;
    if (!r->encrypted) {
        r->encrypted = true;
        r->code = password_get(r->cli, r->path, false, &r->password);
    }
    if (r->code != CLI_OK || r->password.len > size) {
        return 0;
    }
    memcpy(text, r->password.text, r->password.len);
    *len = r->password.len;
    return 1;
}

/* Nothing that is encrypted is easy to see; without this OpenSSL would ask on the terminal. */
static int no_password(char *text, int size, int writing, void *argument)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)argument;
    return -1;
}

/* OpenSSL's name of the type of a file's private key, where that is easy to see: looking for one
 * type takes half the time of looking for all. NULL: it may be any. */
static const char *type_seen(const struct reader *r)
{
    const ASN1_OBJECT *algorithm = NULL;
    BIO *bio = BIO_new_mem_buf(r->file->data, (int)r->file->len);
    PKCS8_PRIV_KEY_INFO *info =
        bio != NULL ? PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio, NULL, no_password, NULL) : NULL;
    int nid = info != NULL && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1
                  ? OBJ_obj2nid(algorithm)
                  : NID_undef;
    PKCS8_PRIV_KEY_INFO_free(info);
    BIO_free(bio);
    ERR_clear_error();
    return nid == NID_X9_62_id_ecPublicKey ? "EC"
           : nid == NID_rsaEncryption      ? "RSA"
           : nid == NID_ED25519            ? "ED25519"
           : nid == NID_X25519             ? "X25519"
                                           : NULL;
}

/* The first key with at least what is selected, behind whatever else the file has. */
static EVP_PKEY *find_key(struct reader *r, int selection)
{
    EVP_PKEY *pkey = NULL;
    OSSL_DECODER_CTX *ctx =
        OSSL_DECODER_CTX_new_for_pkey(&pkey, r->form, NULL, type_seen(r), selection, NULL, NULL);
    BIO *bio = BIO_new_mem_buf(r->file->data, (int)r->file->len);
    bool more = ctx != NULL && bio != NULL &&
                OSSL_DECODER_CTX_set_passphrase_cb(ctx, give_password, r) == 1;

    while (more && pkey == NULL) {
        int before = BIO_tell(bio);
        (void)OSSL_DECODER_from_bio(ctx, bio);
        more = !BIO_eof(bio) && BIO_tell(bio) > before && r->code == CLI_OK;
    }
    BIO_free(bio);
    OSSL_DECODER_CTX_free(ctx);
    ERR_clear_error();
    return pkey;
}

static bool normalize(EVP_PKEY *pkey)
{
    return !EVP_PKEY_is_a(pkey, "EC") ||
           (EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, "named_curve") == 1 &&
            EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                           "uncompressed") == 1 &&
            EVP_PKEY_set_int_param(pkey, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 1) == 1);
}

/* Whether the private half of an EC key makes the public one that is beside it. Others have none
 * beside it, but RSA: there it takes primality tests, longer than everything else of a signature,
 * which key_sign() verifies in any case. */
static bool halves_match(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_is_a(pkey, "EC") ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
    bool good = ctx == NULL || EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool has_text(const struct cli_buffer *file, const char *text)
{
    return memmem(file->data, file->len, text, strlen(text)) != NULL;
}

/* What a PEM file of the old form may be encrypted with. It names the cipher, and OpenSSL knows
 * these names when they were added (see start_crypto() in main.c). */
static void add_old_ciphers(void)
{
    static const EVP_CIPHER *(*const ciphers[])(void) = {
        EVP_des_ede3_cbc,     EVP_aes_128_cbc,      EVP_aes_192_cbc,      EVP_aes_256_cbc,
        EVP_camellia_128_cbc, EVP_camellia_192_cbc, EVP_camellia_256_cbc, EVP_aria_128_cbc,
        EVP_aria_192_cbc,     EVP_aria_256_cbc};
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        EVP_add_cipher(ciphers[i]());
    }
}

/* Bring a key that was found into normal form. What it says then is right, or it is dropped. */
static int settle(const struct cli *cli, const char *path, struct key_file *key)
{
    bool damaged = key->is_private && !halves_match(key->pkey);
    if (!damaged && normalize(key->pkey)) {
        return CLI_OK;
    }
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
    ERR_clear_error();
    return damaged ? cli_fail(cli, CLI_FAILED, "take it from a good copy",
                              "the key in %s is damaged: its halves do not belong together", path)
                   : CLI_OK;
}

int key_decode(const struct cli *cli, const char *path, const struct cli_buffer *file,
               struct key_file *key)
{
    struct reader r = {.cli = cli, .path = path, .file = file};

    *key = (struct key_file){.is_pem = has_text(file, "-----BEGIN ")};
    r.form = key->is_pem ? "PEM" : "DER";
    if (has_text(file, "DEK-Info:")) {
        add_old_ciphers();
    }
    key->pkey = find_key(&r, EVP_PKEY_KEYPAIR);
    key->is_private = key->pkey != NULL;
    key->encrypted = r.encrypted;
    password_wipe(&r.password);
    if (r.code != CLI_OK) {
        return r.code;
    }
    if (key->pkey == NULL && r.encrypted) {
        return cli_fail_why(cli, CLI_FAILED, "the password is wrong, or the file is damaged",
                            "give the password that the key was made with",
                            "the password does not open the key in %s", path);
    }
    if (key->pkey == NULL) {
        key->pkey = find_key(&r, EVP_PKEY_PUBLIC_KEY);
    }
    return key->pkey != NULL ? settle(cli, path, key) : CLI_OK;
}

int key_missing(const struct cli *cli, const char *path, const struct key_file *key,
                const char *what, const char *next)
{
    return cli_fail_why(cli, CLI_FAILED,
                        key->is_pem ? "it has a PEM block, but damaged, or of something else"
                                    : "it is neither PEM nor the DER form of a key",
                        next, "there is no %s in %s", what, path);
}

int key_read(const struct cli *cli, const char *path, struct key_file *key)
{
    struct cli_buffer file;
    *key = (struct key_file){0};
    cli_keep_file(path);
    int code = cli_read_file(cli, path, &file);
    if (code != CLI_OK) {
        return code;
    }
    code = key_decode(cli, path, &file, key);
    OPENSSL_cleanse(file.data, file.len);
    cli_buffer_free(&file);
    if (code == CLI_OK && key->pkey == NULL) {
        return key_missing(cli, path, key, "key",
                           "give a file made by `ferry keygen`, imgtool or openssl");
    }
    return code;
}

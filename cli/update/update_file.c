/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an update, before the first byte is sent. */
#include "cli/first/b0.h"
#include "cli/image/compressed.h"
#include "update_run.h"

/* What a compressed image unpacks to, as far as that can be seen here. */
static int check_inner(const struct update_run *run, const struct update_item *item,
                       const struct key *key)
{
    struct compressed inner = {0};
    int code = CLI_OK;
    if (item->file.payload != IMAGE_ENCRYPTED) {
        code = compressed_check(run->cli, item->path, &item->file, key, &inner);
    }
    compressed_free(&inner);
    if (code == CLI_OK) {
        compressed_warn(item->path, &item->file);
    }
    return code;
}

/* Read and check one file. Returns an exit code; the file is open after CLI_OK. */
static int check_file(struct update_run *run, struct update_item *item)
{
    struct key key = {0};
    int code = image_file_read(run->cli, item->path, &item->file);
    if (code != CLI_OK) {
        return code;
    }
    code = run->key_path != NULL ? key_load(run->cli, run->key_path, &key) : CLI_OK;
    if (code == CLI_OK) {
        int error = image_file_verify(&item->file, run->key_path != NULL ? &key : NULL);
        /* An encrypted image only the device can look into; but not one that another key signed. */
        if (error == FERRY_E_SECRET && run->key_path != NULL &&
            image_file_stated(&item->file, &key) == FERRY_E_SIGNATURE) {
            error = FERRY_E_SIGNATURE;
        }
        if (error != FERRY_OK && error != FERRY_E_SECRET) {
            code = cli_fail_error(run->cli, CLI_VERIFY, error, "%s does not verify", item->path);
        } else {
            code = check_inner(run, item, run->key_path != NULL ? &key : NULL);
        }
    }
    key_free(&key);
    if (code != CLI_OK) {
        image_file_free(&item->file);
        return code;
    }
    image_file_sha256(&item->file, item->sha);
    return CLI_OK;
}

/* ---- A bootloader for two slots -------------------------------------------------------- */

/* For which address a file is built. */
static int check_build(struct update_run *run, struct update_item *item, uint32_t *address)
{
    struct ferry_first_info info;
    int code = check_file(run, item);
    if (code != CLI_OK) {
        return code;
    }
    int error = b0_info_of(&item->file, &info);
    *address = info.address;
    image_file_free(&item->file);
    return error == FERRY_OK ? CLI_OK
                             : cli_fail(run->cli, CLI_VERIFY,
                                        "give one FILE, or sign both: ferry b0 sign; images are "
                                        "numbered: 0=FILE 1=FILE",
                                        "%s is no bootloader for a first stage", item->path);
}

/* Two files: the one for S0, the lower address, becomes path, that for S1 other_path. */
static int check_pair(struct update_run *run, struct update_item *item)
{
    const char *given[2] = {item->path, item->other_path};
    uint32_t address[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        item->path = given[i];
        int code = check_build(run, item, &address[i]);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (address[0] == address[1]) {
        return cli_fail(run->cli, CLI_VERIFY, "give the build for S0 and the one for S1",
                        "both files are built for address 0x%x", (unsigned)address[0]);
    }
    item->path = given[address[0] < address[1] ? 0 : 1];
    item->other_path = given[address[0] < address[1] ? 1 : 0];
    return CLI_OK;
}

int update_check(struct update_run *run, struct update_item *item)
{
    if (run->of_bundle) {
        return CLI_OK; /* all of it was checked together */
    }
    return item->other_path != NULL ? check_pair(run, item) : check_file(run, item);
}

int update_ask_b0(struct update_run *run, uint32_t *slot)
{
    int error = b0_ask_slot(&run->session, slot);
    if (error == FERRY_E_TIMEOUT || error == FERRY_E_IO) {
        return session_silent(&run->session);
    }
    return error == FERRY_OK
               ? CLI_OK
               : cli_fail(run->cli, CLI_REFUSED, "give the one FILE for the slot that does not run",
                          "the device does not say from which slot its bootloader runs");
}

int update_choose(struct update_run *run, struct update_item *item)
{
    uint32_t slot;
    if (item->choice != UPDATE_GIVEN) {
        return update_choose_build(run, item);
    }
    if (item->other_path == NULL) {
        return CLI_OK;
    }
    int code = update_ask_b0(run, &slot);
    if (code != CLI_OK) {
        return code;
    }
    item->path = slot == 0 ? item->other_path : item->path;
    if (!run->cli->json) {
        fprintf(stderr, "the bootloader runs from S%u: sending %s, built for S%u\n", (unsigned)slot,
                item->path, 1 - (unsigned)slot);
    }
    return check_file(run, item);
}

/* ---- Words ------------------------------------------------------------------------------ */

void update_name(const struct update_run *run, const struct update_item *item, char out[16])
{
    out[0] = '\0';
    if (run->count > 1) {
        snprintf(out, 16, "image %u: ", (unsigned)item->image);
    }
}

void update_tell(const struct update_run *run, const struct update_item *item)
{
    char name[16];
    char version[FERRY_VERSION_TEXT_MAX];
    char hash[2 * FERRY_IMAGE_DIGEST_MAX + 1];
    if (run->cli->json) {
        return;
    }
    bool encrypted = item->file.payload == IMAGE_ENCRYPTED;
    const char *signature =
        run->key_path != NULL ? "good" : "left to the bootloader (-k KEY checks it here)";
    update_name(run, item, name);
    ferry_version_text(&item->file.info.header.version, version);
    cli_hex(item->file.info.digest, item->file.info.digest_len, hash);
    printf("%s%s: version %s, %zu bytes, digest %s, signature %s\nhash: %s\n", name, item->path,
           version, item->file.bytes.len,
           encrypted ? "of the plaintext, which is encrypted" : "good",
           encrypted ? "left to the bootloader" : signature, hash);
    fflush(stdout);
}

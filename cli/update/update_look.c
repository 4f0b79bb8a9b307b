/* SPDX-License-Identifier: Apache-2.0 */
/* Before anything is changed: what the device tells of itself, beside what the image needs. What a
 * device does not tell is left to its bootloader. */
#include "cli/device/image_there.h"
#include "cli/first/b0.h"
#include "update_run.h"

#include "ferry/commands_trust.h"
#include "ferry/shared_data.h"
#include "ferry/slots.h"

#include <string.h>

#define KEYS_MAX   64
#define STATES_MAX 16

/* A trailer takes so much of a slot at most, where a usual one does. */
#define TRAILER_MAX 4096U

/* Ask without a message, and without trying again for long. Returns FERRY_OK or an error. */
static int ask(struct update_run *run, int32_t ticket, struct ferry_client_answer *answer)
{
    if (ticket > 0) {
        ferry_client_last_try(run->session.client, ticket);
    }
    return session_ask(&run->session, ticket, answer);
}

static const uint8_t *payload_of(const struct image_file *file, const struct ferry_tlv *tlv)
{
    return file->bytes.data + file->offset + tlv->offset;
}

/* ---- Version ------------------------------------------------------------------------------- */

static void tell_version(struct update_run *run, const struct ferry_update_event *event)
{
    struct update_item *item = run->item;
    char name[16];
    char version[FERRY_VERSION_TEXT_MAX];
    struct ferry_version now;
    if (event->running == NULL) {
        return;
    }
    snprintf(item->previous, sizeof item->previous, "%s", event->running->version);
    bool same = event->running->hash_len == item->file.info.digest_len &&
                memcmp(event->running->hash, item->file.info.digest, event->running->hash_len) == 0;
    if (same || run->cli->json || ferry_version_parse(event->running->version, &now) != FERRY_OK) {
        return;
    }
    int order = ferry_version_compare(&item->file.info.header.version, &now, true);
    update_name(run, item, name);
    ferry_version_text(&item->file.info.header.version, version);
    fprintf(stderr, "%s%s runs, %s is %s\n", name, event->running->version, version,
            order > 0   ? "newer"
            : order < 0 ? "OLDER: a downgrade"
                        : "another build of the same version");
}

/* ---- Size ---------------------------------------------------------------------------------- */

/* The engine refuses what is above what the device tells. Of a slot's bare size a trailer takes a
 * part, and how much only the device's layout says. */
static void warn_of_trailer(const struct update_run *run)
{
    const struct ferry_update *flow = &run->flow;
    bool bare = flow->limit != 0 && flow->limit == flow->slot_size;
    bool trailer = flow->mode != FERRY_MODE_SINGLE && flow->mode != FERRY_MODE_RAM_LOAD;
    if (bare && trailer && run->config.size > flow->limit - TRAILER_MAX) {
        fprintf(stderr,
                "ferry: the slot takes %u bytes with its trailer, whose size the device does not "
                "tell; %u may be too many\n  next: ferry layout tells it, where the layout is "
                "known\n",
                (unsigned)flow->limit, (unsigned)run->config.size);
    }
}

/* ---- Keys ---------------------------------------------------------------------------------- */

/* The keys that sign the image, as it names them. */
struct signers {
    uint8_t hashes[FERRY_IMAGE_SIGNATURES_MAX][FERRY_KEY_HASH_SIZE];
    size_t count;
    bool others; /* named in a way that cannot be compared */
    bool is_signed;
};

static void add_signer(struct signers *signers, const struct image_file *file,
                       const struct ferry_tlv *tlv)
{
    switch (tlv->type) {
    case FERRY_TLV_RSA2048_PSS:
    case FERRY_TLV_RSA3072_PSS:
    case FERRY_TLV_ECDSA_SIG:
    case FERRY_TLV_ED25519:
        signers->is_signed = true;
        break;
    case FERRY_TLV_PUBKEY:
        signers->others = true;
        break;
    case FERRY_TLV_KEYHASH:
        if (tlv->len != FERRY_KEY_HASH_SIZE || signers->count == FERRY_IMAGE_SIGNATURES_MAX) {
            signers->others = true;
            break;
        }
        memcpy(signers->hashes[signers->count++], payload_of(file, tlv), FERRY_KEY_HASH_SIZE);
        break;
    default:
        break;
    }
}

static void find_signers(const struct image_file *file, struct signers *signers)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    *signers = (struct signers){0};
    if (ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header) != FERRY_OK) {
        return;
    }
    while (ferry_tlv_walk_next(&walk, &tlv) > 0) {
        add_signer(signers, file, &tlv);
    }
}

static bool is_signer(const struct signers *signers, const struct ferry_key_state *key)
{
    for (size_t i = 0; i < signers->count; i++) {
        if (memcmp(signers->hashes[i], key->hash, sizeof key->hash) == 0) {
            return true;
        }
    }
    return false;
}

static int refuse_key(const struct update_run *run, const struct signers *signers,
                      const struct ferry_key_state *known)
{
    char hex[2 * FERRY_KEY_HASH_SIZE + 1];
    char why[200];
    cli_hex(signers->hashes[0], FERRY_KEY_HASH_SIZE, hex);
    if (known != NULL) {
        snprintf(why, sizeof why, "its key %.16s… is %s on this device", hex,
                 known->revoked ? "revoked" : "a published development key, which does not count");
    } else {
        snprintf(why, sizeof why, "its key %.16s… is none of those that the device lists", hex);
    }
    return cli_fail_why(run->cli, CLI_VERIFY, why,
                        "sign with a key that the device trusts: ferry key list",
                        "the device would refuse %s: no key here matches", run->item->path);
}

/* Ask for the device's keys one by one. Where it does not list them, nothing is compared. */
static int check_keys(struct update_run *run, const struct signers *signers)
{
    struct ferry_client_answer answer;
    struct ferry_key_state key;
    struct ferry_key_state known;
    bool named = false;
    uint32_t count;
    if (signers->count == 0 || signers->others) {
        return CLI_OK;
    }
    for (count = 0; count < KEYS_MAX; count++) {
        if (ask(run, ferry_command_key(run->session.client, count, NULL), &answer) != FERRY_OK ||
            ferry_answer_key(answer.payload, &key) != FERRY_OK) {
            break;
        }
        if (is_signer(signers, &key)) {
            if (!key.revoked && !key.development) {
                return CLI_OK;
            }
            named = true;
            known = key;
        }
    }
    bool ended = answer.error == FERRY_E_REFUSED && answer.status.grouped;
    return count > 0 && ended ? refuse_key(run, signers, named ? &known : NULL) : CLI_OK;
}

/* ---- What the bootloader told ---------------------------------------------------------------- */

static int check_signed(const struct update_run *run, const struct signers *signers,
                        const struct ferry_measured *device)
{
    if (signers->is_signed || device->signature <= FERRY_BLINFO_UNSIGNED) {
        return CLI_OK;
    }
    return cli_fail_why(run->cli, CLI_VERIFY,
                        "the bootloader demands a signature, and the image is not signed",
                        "sign it with the device's key: ferry sign -k KEY",
                        "the device would refuse %s", run->item->path);
}

static int check_counter(const struct update_run *run, const struct ferry_measured *device)
{
    const struct image_file *file = &run->item->file;
    uint8_t value[4] = {0};
    char why[120];
    int error = ferry_image_tlv(&file->rom.flash, &file->info.header, FERRY_TLV_SEC_CNT, value,
                                sizeof value);
    uint32_t counter = error == FERRY_OK ? ferry_load_le32(value) : 0;
    if ((error != FERRY_OK && error != FERRY_E_NOT_FOUND) || device->demanded < 0 ||
        counter >= device->demanded) {
        return CLI_OK;
    }
    snprintf(why, sizeof why, "security counter: the image has %u, the device demands %lld or more",
             (unsigned)counter, (long long)device->demanded);
    return cli_fail_why(run->cli, CLI_VERIFY, why,
                        "sign with a higher counter: ferry sign "
                        "--security-counter",
                        "the device would refuse %s", run->item->path);
}

static int check_least(const struct update_run *run, const struct ferry_measured *device)
{
    struct ferry_version least;
    char version[FERRY_VERSION_TEXT_MAX];
    char why[160];
    if (device->least[0] == '\0' || ferry_version_parse(device->least, &least) != FERRY_OK ||
        ferry_version_compare(&run->item->file.info.header.version, &least, false) >= 0) {
        return CLI_OK;
    }
    ferry_version_text(&run->item->file.info.header.version, version);
    snprintf(why, sizeof why, "version: the image has %s, the device demands %s or more", version,
             device->least);
    return cli_fail_why(run->cli, CLI_VERIFY, why, "sign it with a higher version",
                        "the device would refuse %s", run->item->path);
}

static int check_measured(struct update_run *run, const struct signers *signers)
{
    struct ferry_client_answer answer;
    struct ferry_measured device;
    if (ask(run, ferry_command_measured(run->session.client, run->item->image, NULL), &answer) !=
            FERRY_OK ||
        ferry_answer_measured(answer.payload, &device) != FERRY_OK) {
        return CLI_OK;
    }
    int code = check_signed(run, signers, &device);
    code = code == CLI_OK ? check_counter(run, &device) : code;
    return code == CLI_OK ? check_least(run, &device) : code;
}

/* ---- What it needs of other images ----------------------------------------------------------- */

/* The version of another image once the update is done: out of this update, else what runs. Returns
 * whether it is known. */
static bool version_of(struct update_run *run, uint32_t image, struct ferry_version *version)
{
    struct ferry_client_answer answer;
    struct ferry_image_state states[STATES_MAX];
    for (size_t i = 0; i < run->count; i++) {
        if (run->items[i].image == image) {
            *version = run->items[i].file.info.header.version;
            return true;
        }
    }
    if (ask(run, ferry_command_image_list(run->session.client, NULL), &answer) != FERRY_OK) {
        return false;
    }
    int count = ferry_answer_image_list(answer.payload, states, STATES_MAX);
    for (int i = 0; i < count && i < STATES_MAX; i++) {
        if (states[i].image == image && states[i].active) {
            return ferry_version_parse(states[i].version, version) == FERRY_OK;
        }
    }
    return false;
}

static int check_need(struct update_run *run, uint32_t image, const struct ferry_version *least)
{
    struct ferry_version there;
    char wanted[FERRY_VERSION_TEXT_MAX];
    char has[FERRY_VERSION_TEXT_MAX];
    char why[160];
    ferry_version_text(least, wanted);
    if (!version_of(run, image, &there)) {
        fprintf(
            stderr,
            "ferry: %s needs image %u in version %s, and the device does not tell what it has\n",
            run->item->path, (unsigned)image, wanted);
        return CLI_OK;
    }
    if (ferry_version_compare(&there, least, false) >= 0) {
        return CLI_OK;
    }
    ferry_version_text(&there, has);
    snprintf(why, sizeof why, "it needs image %u in version %s or newer, which is %s",
             (unsigned)image, wanted, has);
    return cli_fail_why(run->cli, CLI_VERIFY, why, "update both at once: N=FILE N=FILE",
                        "the device would refuse %s", run->item->path);
}

static int check_needs(struct update_run *run)
{
    const struct image_file *file = &run->item->file;
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int code = CLI_OK;
    if (ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header) != FERRY_OK) {
        return CLI_OK;
    }
    while (code == CLI_OK && ferry_tlv_walk_next(&walk, &tlv) > 0) {
        if (tlv.type == FERRY_TLV_DEPENDENCY) { /* of 12 bytes: the walk looked at that */
            const uint8_t *at = payload_of(file, &tlv);
            const struct ferry_version least = {at[4], at[5], ferry_load_le16(at + 6),
                                                ferry_load_le32(at + 8)};
            code = check_need(run, at[0], &least);
        }
    }
    return code;
}

/* ---- The gate -------------------------------------------------------------------------------- */

/* Whether the image is started by a reset, and confirmed after it. */
static bool confirms_after_reset(const struct update_run *run, enum ferry_update_step step)
{
    bool at_once = run->config.permanent || run->flow.recovery || run->flow.config.recovery ||
                   run->flow.mode == FERRY_MODE_OVERWRITE;

    return step <= FERRY_UPDATE_RESET && step != FERRY_UPDATE_ENTER && !at_once &&
           !run->test_only && !run->no_confirm;
}

/* A reset locks again: what was unlocked by hand could be started and never be confirmed. */
static int check_gate(struct update_run *run, enum ferry_update_step step)
{
    struct ferry_client_answer answer;
    struct ferry_access_status status;

    if (run->unlock.key_path != NULL) {
        run->unlock.level = step == FERRY_UPDATE_ENTER ? FERRY_ACCESS_SERVICE : FERRY_ACCESS_UPDATE;
        return unlock_try(&run->session, &run->unlock);
    }
    if (!confirms_after_reset(run, step) ||
        ask(run, ferry_command_access_status(run->session.client, NULL, NULL), &answer) !=
            FERRY_OK ||
        ferry_answer_access_status(answer.payload, &status) != FERRY_OK ||
        status.level < FERRY_ACCESS_UPDATE || status.lowest >= FERRY_ACCESS_UPDATE) {
        return CLI_OK; /* one that is locked refuses by itself */
    }
    return cli_fail_why(run->cli, CLI_REFUSED,
                        "the reset that starts the image locks the device again",
                        "ferry update --unlock KEY, and the rest as it was; or leave the image on "
                        "trial: --no-confirm",
                        "the image could not be confirmed; nothing was changed");
}

/* ---- All of it ------------------------------------------------------------------------------- */

int update_look(struct update_run *run, const struct ferry_update_event *event)
{
    struct signers signers;
    struct ferry_first_info bootloader;
    struct update_item *item = run->item;
    if (item->looked) {
        return CLI_OK;
    }
    item->looked = true;
    tell_version(run, event);
    warn_of_trailer(run);
    int code = image_there(&run->session, item->image);
    code = code == CLI_OK ? check_gate(run, event->step) : code;
    if (code != CLI_OK || run->no_checks) {
        return code;
    }
    /* A bootloader for a first stage is that one's to judge, by keys of its own. */
    if (b0_info_of(&item->file, &bootloader) == FERRY_OK) {
        return CLI_OK;
    }
    find_signers(&item->file, &signers);
    code = check_keys(run, &signers);
    code = code == CLI_OK ? check_measured(run, &signers) : code;
    return code == CLI_OK ? check_needs(run) : code;
}

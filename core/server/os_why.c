/* SPDX-License-Identifier: Apache-2.0 */
/* The query "why" of the bootloader's information: an extension of Ferry's, described in
 * docs/SERVER.md. A file of its own, so that a device without a store carries none of it. */
#include "ferry/group_os.h"
#include "ferry/why.h"

/* All zero says that it is not known, or that there is none: then it is left out. */
static void put_version(struct ferry_server_call *call, const char *key,
                        const struct ferry_version *version)
{
    static const struct ferry_version none = {0};
    char text[FERRY_VERSION_TEXT_MAX];

    if (ferry_version_compare(version, &none, true) != 0) {
        ferry_cbor_put_text(&call->out, key);
        ferry_cbor_put_text_n(&call->out, text, ferry_version_text(version, text));
    }
}

/* Everything, at its longest, must go into a packet of 256 bytes: texts are left to the
 * client. */
static void why_answer(struct ferry_server_call *call, const struct ferry_why *why)
{
    ferry_cbor_pair_text(&call->out, "action", ferry_boot_action_name(why->action));
    ferry_cbor_pair_int(&call->out, "reason", why->reason);
    put_version(call, "version", &why->version);
    put_version(call, "running", &why->running);
    ferry_cbor_pair_bool(&call->out, "resumed", why->resumed);
    if (why->failure.area != FERRY_AREA_NONE) {
        ferry_cbor_pair_text(&call->out, "area", ferry_boot_area_name(why->failure.area));
        ferry_cbor_pair_uint(&call->out, "sector", why->failure.sector);
    } else if (why->counters.known) {
        ferry_cbor_pair_uint(&call->out, "counter", why->counters.image);
        ferry_cbor_pair_uint(&call->out, "demanded", why->counters.least);
    } else if (why->need.known) {
        ferry_cbor_pair_uint(&call->out, "needs", why->need.image);
        put_version(call, "least", &why->need.version);
    }
    ferry_cbor_pair_uint(&call->out, "upgrades", why->upgrades);
    ferry_cbor_pair_uint(&call->out, "reverts", why->reverts);
    ferry_cbor_pair_uint(&call->out, "refusals", why->refusals);
    ferry_cbor_pair_uint(&call->out, "resumes", why->resumes);
    ferry_cbor_pair_uint(&call->out, "stops", why->stops);
}

static int answer(struct ferry_server_call *call, const struct ferry_store *store,
                  const struct ferry_cbor_field *image)
{
    struct ferry_why why;
    uint64_t number = image->present ? image->item.value : 0;

    if (image->present && image->item.kind != FERRY_CBOR_UINT) {
        return FERRY_RC_INVALID;
    }

    int rc =
        number > UINT32_MAX ? FERRY_E_NOT_FOUND : ferry_why_read(store, (uint32_t)number, &why);

    if (rc == FERRY_E_NOT_FOUND) {
        ferry_cbor_pair_text(&call->out, "action", "none");
        return FERRY_RC_OK;
    }
    if (rc == FERRY_E_FORMAT) {
        return ferry_server_fail(call, FERRY_OS_ERR_QUERY_RESPONSE_INVALID,
                                 "the report is of another version");
    }
    if (rc != FERRY_OK) {
        return ferry_server_fail(call, FERRY_OS_ERR_UNKNOWN, "the store cannot be read");
    }
    why_answer(call, &why);
    return FERRY_RC_OK;
}

const struct ferry_os_why ferry_os_why_in_store = {.answer = answer};

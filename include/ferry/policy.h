/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: what an image must satisfy beyond its signature, and what the store keeps for it.
 *
 * A policy is a list of rules, each a const table in a file of its own: a product names those it
 * wants and the linker drops the rest. The bootloader asks before it installs an image and before
 * it lets one run; serial recovery asks the same.
 *
 * The store keeps, for each image number, what may run at least: a version and a security counter.
 * Both are raised by the confirm, or by the next boot that finds the image confirmed, and never
 * while an image is on trial: until then the way back must stay open. */
#ifndef FERRY_POLICY_H
#define FERRY_POLICY_H

#include "ferry/image.h"

struct ferry_slots; /* ferry/slots.h */

#define FERRY_POLICY_ID_SIZE 16 /* bytes of a vendor's and of a class's id */

/* What may run at least; all 0 demands nothing. */
struct ferry_policy_least {
    struct ferry_version version;
    uint32_t counter;
};

/* Both sides of a security counter that was too low, for the report. */
struct ferry_policy_counters {
    bool known;     /* the rest counts */
    uint32_t image; /* 0 where the image has none */
    uint32_t least; /* what the device demands */
};

/* An image to be judged. */
struct ferry_policy_case {
    /* The image from its header on, in plaintext, and what ferry_image_verify() said of it: only
     * what was verified is worth judging. */
    const struct ferry_flash *image;
    const struct ferry_image_info *info;
    uint32_t address; /* where it would run, for images linked to an address */
    /* It is to be installed because somebody asks for it. Else it is there already, or an old image
     * that comes back: then it need be no newer than another. */
    bool asked;
    /* With asked: the verified image it would replace; NULL when there is none. */
    const struct ferry_image_info *running;
    /* Demanded beside what the store says: what the confirmed image that it would replace has. */
    struct ferry_policy_least least;
};

struct ferry_image_policy;

struct ferry_policy_rule {
    const char *name;
    /* subject->least has what the store demands, too. Returns FERRY_OK; the rule's own refusal; or
     * a flash error. counters is filled by a refusal for the counter only. */
    int (*judge)(const struct ferry_image_policy *policy, const struct ferry_policy_case *subject,
                 struct ferry_policy_counters *counters);
    /* Raise least to what this image demands of those after it; NULL where there is no such thing.
     * Returns FERRY_OK or a flash error. */
    int (*learn)(const struct ferry_flash *image, const struct ferry_image_info *info,
                 struct ferry_policy_least *least);
};

/* No downgrade: what is asked for must be newer than the verified image it replaces, unless it is
 * that very image; and nothing runs that is older than what was confirmed. FERRY_E_DOWNGRADE. */
extern const struct ferry_policy_rule ferry_policy_version;
/* Security counter, TLV SEC_CNT: not below what was confirmed. An image that has none counts as 0,
 * and is refused when it is asked for. FERRY_E_COUNTER. */
extern const struct ferry_policy_rule ferry_policy_counter;
/* TLV UUID_VID must be there and equal policy->vendor; FERRY_E_VENDOR. UUID_CID the same with
 * policy->class_id; FERRY_E_CLASS. */
extern const struct ferry_policy_rule ferry_policy_vendor;
extern const struct ferry_policy_rule ferry_policy_class;
/* An image with flag ROM_FIXED runs at its load address only. FERRY_E_ADDRESS. */
extern const struct ferry_policy_rule ferry_policy_address;

/* Keeping what may run at least: a const table, so that a device without a store links none of
 * it. */
struct ferry_policy_memory {
    /* What may run at least; all 0 when nothing is recorded. Returns FERRY_OK or a flash error. */
    int (*read)(const struct ferry_slots *slots, struct ferry_policy_least *least);
    /* Demand this much, too. Writes nothing when that much is demanded already.
     * Returns FERRY_OK or an error of the store. */
    int (*raise)(const struct ferry_slots *slots, const struct ferry_policy_least *least);
    /* Remember what the image with a digest, which is on trial, will demand once it is confirmed.
     * Returns as raise. */
    int (*note)(const struct ferry_slots *slots, const uint8_t *digest,
                const struct ferry_policy_least *least);
    /* The image in a slot is confirmed: raise to what was noted of it. Without such a note the next
     * boot raises. Returns as raise. */
    int (*confirmed)(const struct ferry_slots *slots, uint32_t slot);
};

/* In the device's store, twice (keys FERRY_STORE_KEY_COUNTER and _COUNTER_TWIN + number). A device
 * whose slots have no store demands nothing beyond the image it runs. */
extern const struct ferry_policy_memory ferry_policy_in_store;

/* One image's policy: the same in bootloader, application and recovery. Constant after set-up. */
struct ferry_image_policy {
    const struct ferry_policy_rule *const *rules;
    size_t rule_count;
    const struct ferry_policy_memory *memory; /* NULL: nothing outlives the image that runs */
    bool with_build;         /* ferry_policy_version looks at the build number, too */
    const uint8_t *vendor;   /* FERRY_POLICY_ID_SIZE bytes, for ferry_policy_vendor */
    const uint8_t *class_id; /* the same for ferry_policy_class */
};

/* Judge a verified image by the policy of its slots and by what the store demands. A store that
 * cannot be read demands nothing: then the image that runs is the measure (docs/BOOT.md).
 *
 * slots     its policy, store and number are used; without a policy everything passes
 * counters  filled when the refusal is FERRY_E_COUNTER, else cleared
 *
 * Returns FERRY_OK; the first refusal: FERRY_E_DOWNGRADE, _COUNTER, _VENDOR, _CLASS, _ADDRESS,
 * FERRY_E_CONFIG for an id that is to be compared and not given; or a flash error. */
FERRY_MUST_CHECK
int ferry_policy_judge(const struct ferry_slots *slots, const struct ferry_policy_case *subject,
                       struct ferry_policy_counters *counters);

/* Raise least to what an image demands, under a policy (NULL: nothing), of those that come after
 * it. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_policy_learn(const struct ferry_image_policy *policy, const struct ferry_flash *image,
                       const struct ferry_image_info *info, struct ferry_policy_least *least);

/* Make least at least as much as other. */
void ferry_policy_raise(struct ferry_policy_least *least, const struct ferry_policy_least *other);

#endif

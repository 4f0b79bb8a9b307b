/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a job. */
#include "fault_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTER_SIZE 4

void fault_job_fail(const struct fault_job *job, const char *why)
{
    fprintf(stderr, "faults: %s: %s\n", job->name, why);
    abort();
}

/* A picture of image 0, or 1. In flows about dependencies each needs the other's in its own version
 * at least. */
static void build_of(struct fault_job *job, uint8_t image, enum fault_picture_id id, uint32_t size,
                     const uint8_t *payload)
{
    const struct fault_layout *layout = &job->layout;
    bool ram = strncmp(job->strategy->traits->name, "ram-load", 8) == 0;
    bool depends = (job->flow->needs & FAULT_NEEDS_DEPENDENCY) != 0;
    const uint8_t counter[COUNTER_SIZE] = {id == FAULT_OLD || id == FAULT_LOW ? 4 : 5};
    const uint8_t dependency[12] = {(uint8_t)(1 - image), 0, 0, 0, (uint8_t)(id + 1)};
    const struct test_tlv tlv =
        depends ? (struct test_tlv){FERRY_TLV_DEPENDENCY, sizeof(dependency), dependency}
                : (struct test_tlv){FERRY_TLV_SEC_CNT, COUNTER_SIZE, counter};
    uint32_t more = (layout->key == TEST_KEY_NONE ? 72U : 72U + 36U + 68U) +
                    (depends || layout->policy ? 4U + 4U + tlv.len : 0U);
    struct test_image_spec spec = {.version = {.major = (uint8_t)(id + 1)},
                                   .key = layout->key,
                                   .payload_size = size - more,
                                   .payload = payload,
                                   .header_size = 32,
                                   .flags = ram ? FERRY_IMAGE_RAM_LOAD : 0,
                                   .load_address = ram ? FAULT_RAM_ADDRESS : 0,
                                   .seed = (uint8_t)(id * 7 + 1 + 100 * image),
                                   .protected_tlvs = &tlv,
                                   .protected_count = depends || layout->policy ? 1 : 0};
    struct fault_picture *picture = image == 0 ? &job->pictures[id] : &job->others[id];

    picture->bytes = malloc(size + 1);
    if (picture->bytes == NULL || size <= more) {
        fault_job_fail(job, "no image of that size");
    }
    picture->size = (uint32_t)test_image_build(&spec, picture->bytes, size + 1);
    if (picture->size != size) {
        fault_job_fail(job, "the image has another size than it should");
    }
}

static void build(struct fault_job *job, enum fault_picture_id id, uint32_t size,
                  const uint8_t *payload)
{
    build_of(job, 0, id, size, payload);
}

/* A later image that has the payload of the first one, but for a byte in its middle. */
static void build_alike(struct fault_job *job, enum fault_picture_id id)
{
    const struct fault_picture *old = &job->pictures[FAULT_OLD];
    uint8_t *payload = malloc(old->size);

    if (payload == NULL) {
        fault_job_fail(job, "out of memory");
    }
    memcpy(payload, old->bytes + 32, old->size - 32);
    payload[old->size / 2 - 32] ^= (uint8_t)id;
    build(job, id, old->size, payload);
    free(payload);
}

/* BAD is NEW with a bit changed. */
static void spoil(const struct fault_job *job, struct fault_picture *pictures)
{
    struct fault_picture *bad = &pictures[FAULT_BAD];

    *bad = pictures[FAULT_NEW];
    bad->bytes = malloc(bad->size);
    if (bad->bytes == NULL) {
        fault_job_fail(job, "out of memory");
    }
    memcpy(bad->bytes, pictures[FAULT_NEW].bytes, bad->size);
    bad->bytes[bad->size - 60] ^= 0x01;
}

/* BAD is a good image, of the key that is to be revoked. */
static void sign_by_other(struct fault_job *job)
{
    uint32_t size = job->pictures[FAULT_BAD].size;
    enum test_key_id key = job->layout.key;

    free(job->pictures[FAULT_BAD].bytes);
    job->layout.key = TEST_KEY_ED25519_OTHER;
    build(job, FAULT_BAD, size, NULL);
    job->layout.key = key;
}

void fault_pictures_make(struct fault_job *job, uint32_t max)
{
    const struct fault_layout *layout = &job->layout;
    uint32_t old_size = layout->old_size != 0 ? layout->old_size : max;
    uint32_t new_size = layout->new_size != 0 ? layout->new_size : max;

    if (old_size > max || new_size > max) {
        fault_job_fail(job, "the images do not fit");
    }
    build(job, FAULT_OLD, old_size, NULL);
    if (layout->likeness == FAULT_ONE_SECTOR) {
        build_alike(job, FAULT_NEW);
        build_alike(job, FAULT_NEXT);
    } else {
        build(job, FAULT_NEW, new_size, NULL);
        build(job, FAULT_NEXT, old_size, NULL);
    }
    if (layout->likeness == FAULT_SAME) {
        memcpy(job->pictures[FAULT_NEW].bytes, job->pictures[FAULT_OLD].bytes, old_size);
        job->pictures[FAULT_NEW].size = old_size;
    }
    if (layout->policy) {
        build(job, FAULT_LOW, new_size, NULL);
    }
    spoil(job, job->pictures);
    if (layout->keys) {
        sign_by_other(job);
    }
    if (layout->set) {
        build_of(job, 1, FAULT_OLD, new_size, NULL);
        build_of(job, 1, FAULT_NEW, old_size, NULL);
        build_of(job, 1, FAULT_NEXT, new_size, NULL);
        spoil(job, job->others);
    }
}

void fault_pictures_free(struct fault_job *job)
{
    for (int i = 0; i < FAULT_PICTURES; i++) {
        free(job->pictures[i].bytes);
        free(job->others[i].bytes);
        job->pictures[i] = (struct fault_picture){NULL, 0};
        job->others[i] = (struct fault_picture){NULL, 0};
    }
}

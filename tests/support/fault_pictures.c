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

uint32_t fault_enc_tlv(const struct fault_layout *layout)
{
    static const uint32_t sizes[TEST_WRAP_COUNT] = {[TEST_WRAP_RSA2048] = 256,
                                                    [TEST_WRAP_KW] = 24,
                                                    [TEST_WRAP_EC256] = 113,
                                                    [TEST_WRAP_X25519] = 80,
                                                    [TEST_WRAP_X25519_SHA512] = 112};

    return sizes[layout->wrap];
}

static uint8_t *need(const struct fault_job *job, size_t size)
{
    uint8_t *bytes = malloc(size);

    if (bytes == NULL) {
        fault_job_fail(job, "out of memory");
    }
    return bytes;
}

/* What of an image must never be seen. */
static void add_secrets(struct fault_job *job, const struct fault_picture *picture,
                        const struct test_image_spec *spec)
{
    uint8_t key[32];

    test_content_key(spec, key);
    fault_secrets_add(&job->secrets, FAULT_KEY, key, 16);
    fault_secrets_add(&job->secrets, FAULT_KEY, test_wraps[spec->wrap].secret.bytes,
                      test_wraps[spec->wrap].secret.len);
    fault_secrets_add(&job->secrets, FAULT_TEXT, picture->bytes + spec->header_size,
                      spec->payload_size);
}

/* Of one that is encrypted the payload is whole blocks: it may be up to 15 bytes smaller than it
 * should. The ephemeral key of an ENC TLV is another one each time, so that it is built once.
 *
 * A picture of image 0, or 1. In flows about dependencies each needs the other's in its own version
 * at least. */
static void build_of(struct fault_job *job, uint8_t image, enum fault_picture_id id, uint32_t size,
                     const uint8_t *payload)
{
    const struct fault_layout *layout = &job->layout;
    bool ram = strncmp(job->strategy->traits->name, "ram-load", 8) == 0;
    bool plain = layout->wrap == TEST_WRAP_NONE || (id == FAULT_OLD && layout->old_plain);
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
                                   .payload = payload,
                                   .header_size = 32,
                                   .flags = ram ? FERRY_IMAGE_RAM_LOAD : 0,
                                   .load_address = ram ? FAULT_RAM_ADDRESS : 0,
                                   .seed = (uint8_t)(id * 7 + 1 + 100 * image),
                                   .protected_tlvs = &tlv,
                                   .protected_count = depends || layout->policy ? 1 : 0,
                                   .wrap = plain ? TEST_WRAP_NONE : layout->wrap};
    struct fault_picture *picture = image == 0 ? &job->pictures[id] : &job->others[id];

    more += plain ? 0 : 4 + fault_enc_tlv(layout);
    if (size <= more + 16) {
        fault_job_fail(job, "no image of that size");
    }
    spec.payload_size = plain ? size - more : (size - more) / 16 * 16;
    picture->bytes = need(job, size + 1);
    picture->stored = need(job, size + 1);
    picture->size = (uint32_t)test_image_build(&spec, picture->stored, size + 1);
    if (picture->size != more + spec.payload_size) {
        fault_job_fail(job, "the image has another size than it should");
    }
    picture->vouched = picture->size;
    memcpy(picture->bytes, picture->stored, picture->size);
    if (!plain) {
        uint8_t key[32];

        picture->vouched -= 4 + fault_enc_tlv(layout);

        test_content_key(&spec, key);
        test_encrypt_payload(key, 16, picture->bytes + 32, spec.payload_size);
        add_secrets(job, picture, &spec);
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

/* Both have the room. */
static void copy_picture(struct fault_picture *to, const struct fault_picture *from)
{
    memcpy(to->bytes, from->bytes, from->size);
    memcpy(to->stored, from->stored, from->size);
    to->size = from->size;
    to->vouched = from->vouched;
}

/* BAD is NEW with a bit changed. */
static void spoil(const struct fault_job *job, struct fault_picture *pictures)
{
    struct fault_picture *bad = &pictures[FAULT_BAD];

    bad->bytes = need(job, pictures[FAULT_NEW].size);
    bad->stored = need(job, pictures[FAULT_NEW].size);
    copy_picture(bad, &pictures[FAULT_NEW]);
    bad->bytes[bad->size - 60] ^= 0x01;
    bad->stored[bad->size - 60] ^= 0x01;
}

/* BAD is a good image, of the key that is to be revoked. */
static void sign_by_other(struct fault_job *job)
{
    uint32_t size = job->pictures[FAULT_BAD].size;
    enum test_key_id key = job->layout.key;

    free(job->pictures[FAULT_BAD].bytes);
    free(job->pictures[FAULT_BAD].stored);
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
        copy_picture(&job->pictures[FAULT_NEW], &job->pictures[FAULT_OLD]);
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
        free(job->pictures[i].stored);
        free(job->others[i].bytes);
        free(job->others[i].stored);
        job->pictures[i] = (struct fault_picture){NULL, NULL, 0, 0};
        job->others[i] = (struct fault_picture){NULL, NULL, 0, 0};
    }
    fault_secrets_free(&job->secrets);
}

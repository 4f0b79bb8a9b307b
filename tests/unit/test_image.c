/* SPDX-License-Identifier: Apache-2.0 */
/* The image format: version, header, TLV areas, inspection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/image.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

static uint8_t image[0x12000];

static size_t build(const struct test_image_spec *spec)
{
    size_t size = test_image_build(spec, image, sizeof image);
    assert_true(size > 0);
    return size;
}

static int build_and_verify(const struct test_image_spec *spec,
                            const struct ferry_image_trust *trust)
{
    return test_verify(image, build(spec), trust);
}

/* ---- Version ---------------------------------------------------------------------------- */

static void version_order(void **state)
{
    (void)state;
    static const struct ferry_version ascending[] = {
        {0, 0, 0, 0},   {0, 0, 0, 1},        {0, 0, 1, 0},   {0, 0, 0xffff, 0xffffffff},
        {0, 1, 0, 0},   {0, 255, 0xffff, 9}, {1, 0, 0, 0},   {1, 0, 0, 0xffffffff},
        {1, 0, 256, 0}, {1, 2, 3, 4},        {255, 0, 0, 0}, {255, 255, 0xffff, 0xffffffff},
    };
    int count = (int)(sizeof ascending / sizeof ascending[0]);
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            int order = ferry_version_compare(&ascending[i], &ascending[j], true);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    assert_int_equal(ferry_version_compare(&ascending[0], &ascending[1], false), 0);
    assert_int_equal(ferry_version_compare(&ascending[6], &ascending[7], false), 0);
    assert_true(ferry_version_compare(&ascending[7], &ascending[8], false) < 0);
}

static void version_text(void **state)
{
    (void)state;
    static const struct {
        struct ferry_version version;
        const char *text;
    } cases[] = {
        {{1, 2, 3, 0}, "1.2.3"},
        {{1, 2, 3, 4}, "1.2.3.4"},
        {{0, 0, 0, 0}, "0.0.0"},
        {{10, 100, 1000, 10000}, "10.100.1000.10000"},
        {{255, 255, 65535, 4294967295U}, "255.255.65535.4294967295"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[FERRY_VERSION_TEXT_MAX];
        memset(text, 'x', sizeof text);
        size_t len = ferry_version_text(&cases[i].version, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(len, strlen(cases[i].text));
        struct ferry_version again;
        assert_int_equal(ferry_version_parse(text, &again), FERRY_OK);
        assert_int_equal(ferry_version_compare(&again, &cases[i].version, true), 0);
    }
}

static void version_parse_refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          "1",       "1.2",     "1.2.",      "1.2.3.",           "1.2.3.4.",
        "1.2.3.4.5", "256.0.0", "0.256.0", "0.0.65536", "0.0.0.4294967296", "1.2.x",
        "-1.2.3",    "1.2.3+4", " 1.2.3"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ferry_version version = {9, 9, 9, 9};
        assert_int_equal(ferry_version_parse(texts[i], &version), FERRY_E_FORMAT);
        assert_int_equal(version.build, 9);
    }
}

/* ---- Header ----------------------------------------------------------------------------- */

/* 5000 bytes of payload, -v 1.2.3+4 -H 0x200: the golden bytes of mcuboot-format.md §2.7. */
static const uint8_t golden_header[32] = {0x3d, 0xb8, 0xf3, 0x96, 0, 0, 0, 0, 0x00, 0x02, 0,
                                          0,    0x88, 0x13, 0,    0, 0, 0, 0, 0,    1,    2,
                                          3,    0,    4,    0,    0, 0, 0, 0, 0,    0};

static void header_golden(void **state)
{
    (void)state;
    struct ferry_image_header header;
    assert_int_equal(ferry_image_header_parse(golden_header, &header), FERRY_OK);
    assert_int_equal(header.header_size, 0x200);
    assert_int_equal(header.payload_size, 5000);
    assert_int_equal(header.protected_size, 0);
    assert_int_equal(header.load_address, 0);
    assert_int_equal(header.flags, 0);
    assert_int_equal(header.version.major, 1);
    assert_int_equal(header.version.minor, 2);
    assert_int_equal(header.version.revision, 3);
    assert_int_equal(header.version.build, 4);
    uint8_t raw[32];
    memset(raw, 0xa5, sizeof raw);
    ferry_image_header_write(&header, raw);
    assert_memory_equal(raw, golden_header, sizeof raw);
}

/* Each field from its own bytes and from no others. */
static void header_round_trip(void **state)
{
    (void)state;
    const struct ferry_image_header in = {.load_address = 0x11223344,
                                          .header_size = 0x5566,
                                          .protected_size = 0x7788,
                                          .payload_size = 0x99aabbcc,
                                          .flags = 0x2d0,
                                          .version = {0xd1, 0xd2, 0xd3d4, 0xe1e2e3e4}};
    uint8_t raw[32];
    ferry_image_header_write(&in, raw);
    static const uint8_t expected[32] = {0x3d, 0xb8, 0xf3, 0x96, 0x44, 0x33, 0x22, 0x11,
                                         0x66, 0x55, 0x88, 0x77, 0xcc, 0xbb, 0xaa, 0x99,
                                         0xd0, 0x02, 0x00, 0x00, 0xd1, 0xd2, 0xd4, 0xd3,
                                         0xe4, 0xe3, 0xe2, 0xe1, 0,    0,    0,    0};
    assert_memory_equal(raw, expected, sizeof raw);
    struct ferry_image_header out;
    assert_int_equal(ferry_image_header_parse(raw, &out), FERRY_OK);
    uint8_t again[32];
    ferry_image_header_write(&out, again);
    assert_memory_equal(again, raw, sizeof raw);
}

static void header_refusals(void **state)
{
    (void)state;
    struct ferry_image_header header;
    uint8_t raw[32];
    for (unsigned bit = 0; bit < 32; bit++) {
        memcpy(raw, golden_header, sizeof raw);
        raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(ferry_image_header_parse(raw, &header), FERRY_E_MAGIC);
    }
    for (unsigned size = 0; size <= 32; size++) {
        memcpy(raw, golden_header, sizeof raw);
        raw[8] = (uint8_t)size;
        raw[9] = 0;
        assert_int_equal(ferry_image_header_parse(raw, &header),
                         size < 32 ? FERRY_E_IMAGE_SIZE : FERRY_OK);
    }
    /* The sum fits 32 bits by one byte, and then does not. */
    struct ferry_image_header edge = {.header_size = 0x200, .protected_size = 0x100};
    edge.payload_size = UINT32_MAX - 0x300;
    ferry_image_header_write(&edge, raw);
    assert_int_equal(ferry_image_header_parse(raw, &header), FERRY_OK);
    edge.payload_size++;
    ferry_image_header_write(&edge, raw);
    assert_int_equal(ferry_image_header_parse(raw, &header), FERRY_E_IMAGE_SIZE);

    static const uint32_t pairs[] = {0x4, 0x8, 0xc, 0x200, 0x400, 0x600, 0x604, 0xa04};
    static const bool excluded[] = {false, false, true, false, false, true, true, false};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        memcpy(raw, golden_header, sizeof raw);
        raw[16] = (uint8_t)pairs[i];
        raw[17] = (uint8_t)(pairs[i] >> 8);
        assert_int_equal(ferry_image_header_parse(raw, &header),
                         excluded[i] ? FERRY_E_UNSUPPORTED : FERRY_OK);
    }
}

static void header_must_lie_inside(void **state)
{
    (void)state;
    struct ferry_image_header header;
    for (size_t size = 1; size < 64; size++) {
        memset(image, 0, 64);
        const struct ferry_image_header in = {
            .header_size = 40, .protected_size = 8, .payload_size = 12};
        ferry_image_header_write(&in, image);
        TEST_ROM(rom, image, size);
        assert_int_equal(ferry_image_read_header(&rom.flash, &header),
                         size < 60 ? FERRY_E_IMAGE_SIZE : FERRY_OK);
    }
    memset(image, 0xff, 64);
    TEST_ROM(rom, image, 64);
    assert_int_equal(ferry_image_read_header(&rom.flash, &header), FERRY_E_MAGIC);
}

/* ---- TLVs ------------------------------------------------------------------------------- */

/* Walk a whole image. Returns the number of entries or the error. */
static int walk_all(const uint8_t *bytes, size_t size)
{
    TEST_ROM(rom, bytes, size);
    struct ferry_image_header header;
    int rc = ferry_image_read_header(&rom.flash, &header);
    struct ferry_tlv_walk walk;
    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_begin(&walk, &rom.flash, &header);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    assert_int_equal(walk.end, size);
    struct ferry_tlv tlv;
    int count = 0;
    while ((rc = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        count++;
    }
    return rc < 0 ? rc : count;
}

/* An image of header, payload and the given areas, unsigned. Returns what a walk says. */
static int walk_with(enum ferry_tlv_area area, uint16_t type, size_t len)
{
    static uint8_t content[0x10000];
    const struct test_tlv tlv = {type, (uint16_t)len, content};
    struct test_image_spec spec = {.key = TEST_KEY_NONE, .header_size = 32, .payload_size = 8};
    spec.no_digest = true;
    if (area == FERRY_TLV_PROTECTED) {
        spec.protected_tlvs = &tlv;
        spec.protected_count = 1;
    } else {
        spec.unprotected_tlvs = &tlv;
        spec.unprotected_count = 1;
    }
    return walk_all(image, build(&spec));
}

static const struct {
    const char *name;
    uint16_t type;
    enum ferry_tlv_area area;
    size_t shortest, longest;
} known[] = {
#define KNOWN(name, type, area, shortest, longest)                                                 \
    {#name, type, FERRY_TLV_##area, shortest, longest},
    FERRY_TLVS(KNOWN)
#undef KNOWN
};
#define KNOWN_COUNT (sizeof known / sizeof known[0])

/* The areas once more, from the format's description and not from the list under test. */
static bool must_be_protected(uint16_t type)
{
    return type == 0x40 || type == 0x50 || type == 0x60 || (type >= 0x70 && type <= 0x75) ||
           (type >= 0xa0 && type != 0xffff);
}

static void tlv_known_types(void **state)
{
    (void)state;
    int checked = 0;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        uint16_t type = known[i].type;
        enum ferry_tlv_area right = known[i].area;
        assert_int_equal(right == FERRY_TLV_PROTECTED, must_be_protected(type));
        enum ferry_tlv_area wrong =
            right == FERRY_TLV_PROTECTED ? FERRY_TLV_UNPROTECTED : FERRY_TLV_PROTECTED;
        assert_int_equal(walk_with(right, type, known[i].shortest), 1);
        assert_int_equal(walk_with(wrong, type, known[i].shortest), FERRY_E_TLV_AREA);
        if (known[i].shortest > 0) {
            assert_int_equal(walk_with(right, type, known[i].shortest - 1), FERRY_E_TLV);
            assert_int_equal(walk_with(right, type, 0), FERRY_E_TLV);
        }
        if (known[i].longest < 0xffff) {
            assert_int_equal(walk_with(right, type, known[i].longest), 1);
            assert_int_equal(walk_with(right, type, known[i].longest + 1), FERRY_E_TLV);
        }
        assert_string_equal(ferry_tlv_name(type), known[i].name);
        checked++;
    }
    printf("%d known types\n", checked);
    assert_int_equal(checked, 25);
}

/* Every one of the 65536 types in either area. */
static void tlv_every_type(void **state)
{
    (void)state;
    int vendors = 0;
    int unknown = 0;
    for (uint32_t type = 0; type <= 0xffff; type++) {
        bool listed = false;
        for (size_t i = 0; i < KNOWN_COUNT; i++) {
            listed = listed || known[i].type == type;
        }
        if (listed) {
            continue;
        }
        int protected_rc = walk_with(FERRY_TLV_PROTECTED, (uint16_t)type, 4);
        int unprotected_rc = walk_with(FERRY_TLV_UNPROTECTED, (uint16_t)type, 4);
        const char *name = ferry_tlv_name((uint16_t)type);
        if (must_be_protected((uint16_t)type)) {
            assert_int_equal(protected_rc, 1);
            assert_int_equal(unprotected_rc, FERRY_E_TLV_AREA);
            assert_string_equal(name, "VENDOR");
            vendors++;
        } else {
            assert_int_equal(protected_rc, FERRY_E_TLV_UNKNOWN);
            assert_int_equal(unprotected_rc, 1);
            assert_string_equal(name, "UNKNOWN");
            unknown++;
        }
    }
    printf("%d vendor types, %d unknown ones\n", vendors, unknown);
    assert_int_equal(vendors, 0xffff - 0xa0);
    assert_int_equal(vendors + unknown + (int)KNOWN_COUNT, 0x10000);
}

/* Protected first, then unprotected, each entry where it was put. */
static void tlv_walk_order(void **state)
{
    (void)state;
    const struct test_tlv inner[] = {{FERRY_TLV_SEC_CNT, 4, "\1\0\0\0"}, {0x00a5, 3, "abc"}};
    const struct test_tlv outer[] = {{0x0099, 5, "hello"}, {0x0098, 0, ""}};
    struct test_image_spec spec = {.key = TEST_KEY_ED25519,
                                   .payload_size = 100,
                                   .protected_tlvs = inner,
                                   .protected_count = 2,
                                   .unprotected_tlvs = outer,
                                   .unprotected_count = 2};
    size_t size = build(&spec);
    static const uint16_t types[] = {FERRY_TLV_SEC_CNT,
                                     0x00a5,
                                     FERRY_TLV_SHA256,
                                     FERRY_TLV_KEYHASH,
                                     FERRY_TLV_ED25519,
                                     0x0099,
                                     0x0098};
    static const uint16_t lens[] = {4, 3, 32, 32, 64, 5, 0};
    TEST_ROM(rom, image, size);
    struct ferry_image_header header;
    assert_int_equal(ferry_image_read_header(&rom.flash, &header), FERRY_OK);
    struct ferry_tlv_walk walk;
    assert_int_equal(ferry_tlv_walk_begin(&walk, &rom.flash, &header), FERRY_OK);
    assert_int_equal(walk.end, size);
    struct ferry_tlv tlv;
    uint32_t at = 512 + 100 + 4;
    for (int i = 0; i < 7; i++) {
        at += i == 2 ? 8 : 4; /* the info of the second area */
        assert_int_equal(ferry_tlv_walk_next(&walk, &tlv), 1);
        assert_int_equal(tlv.type, types[i]);
        assert_int_equal(tlv.len, lens[i]);
        assert_int_equal(tlv.area, i < 2 ? FERRY_TLV_PROTECTED : FERRY_TLV_UNPROTECTED);
        assert_int_equal(tlv.offset, at);
        at += lens[i];
    }
    assert_int_equal(ferry_tlv_walk_next(&walk, &tlv), 0);
    assert_int_equal(ferry_tlv_walk_next(&walk, &tlv), 0);
}

/* Build a small image with a protected area of one SEC_CNT: areas at 40 and 52. */
#define AT_PROTECTED   40
#define AT_UNPROTECTED 52
static size_t build_two_areas(void)
{
    static const struct test_tlv counter = {FERRY_TLV_SEC_CNT, 4, "\1\0\0\0"};
    const struct test_image_spec spec = {.key = TEST_KEY_NONE,
                                         .header_size = 32,
                                         .payload_size = 8,
                                         .protected_tlvs = &counter,
                                         .protected_count = 1};
    return build(&spec);
}

static void tlv_damaged_areas(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint8_t value;
    } damages[] = {
        {AT_PROTECTED, 0x07},     /* the magic of the other area */
        {AT_PROTECTED + 1, 0x00}, /* no magic */
        {AT_PROTECTED + 2, 11},   /* total below, */
        {AT_PROTECTED + 2, 13},   /* above protected_size */
        {AT_PROTECTED + 2, 0},    /* nothing, not even itself */
        {AT_PROTECTED + 6, 3},    /* an entry that leaves a byte: too short to be one */
        {AT_PROTECTED + 6, 5},    /* an entry that reaches into the next area */
        {AT_PROTECTED + 7, 1},    /* an entry longer than everything */
        {10, 0},                  /* protected_size 0 though there is such an area */
        {10, 11},                 /* protected_size below the area, */
        {10, 13},                 /* and above */
        {AT_UNPROTECTED, 0x08},   /* a second protected area */
        {AT_UNPROTECTED + 2, 3},  /* total below its own four bytes */
        {AT_UNPROTECTED + 2, 7},  /* three bytes are no entry */
        {AT_UNPROTECTED + 2, 39}, /* the entry reaches over the end by one */
        {AT_UNPROTECTED + 2, 41}, /* the area over the end of the image */
        {AT_UNPROTECTED + 3, 1},  /* the same, further */
        {AT_UNPROTECTED + 6, 33}, /* the entry's own length */
    };
    size_t size = build_two_areas();
    assert_int_equal(walk_all(image, size), 2);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        size = build_two_areas();
        assert_int_equal(size, AT_UNPROTECTED + 4 + 36);
        assert_true(image[damages[i].offset] != damages[i].value);
        image[damages[i].offset] = damages[i].value;
        TEST_ROM(rom, image, size);
        struct ferry_image_info info;
        assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_E_TLV);
        assert_int_equal(test_verify(image, size, &test_trust_digest_only), FERRY_E_TLV);
    }
}

/* Areas without an entry are areas; no unprotected area at all is none. */
static void tlv_empty_areas(void **state)
{
    (void)state;
    struct test_image_spec spec = {
        .key = TEST_KEY_NONE, .header_size = 32, .payload_size = 8, .no_digest = true};
    size_t size = build(&spec);
    assert_int_equal(size, 44);
    assert_int_equal(walk_all(image, size), 0);
    assert_int_equal(walk_all(image, size - 1), FERRY_E_TLV);
    assert_int_equal(walk_all(image, size - 4), FERRY_E_TLV);
}

/* ---- Inspection ------------------------------------------------------------------------- */

static void inspect_tells_header_size_digest(void **state)
{
    (void)state;
    const struct test_image_spec spec = {.version = {1, 2, 3, 4}, .payload_size = 1000};
    size_t size = build(&spec);
    memset(image + size, 0xff, 4096); /* the rest of the slot */
    TEST_ROM(rom, image, size + 4096);
    struct ferry_image_info info;
    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    assert_int_equal(info.size, size);
    assert_int_equal(info.header.version.build, 4);
    assert_int_equal(info.digest_len, 32);
    uint8_t digest[32];
    test_sha256(image, 512 + 1000, digest);
    assert_memory_equal(info.digest, digest, 32);
}

static void inspect_other_digests(void **state)
{
    (void)state;
    uint8_t content[64];
    memset(content, 0x77, sizeof content);
    struct test_tlv digests[] = {{FERRY_TLV_SHA512, 64, content}, {FERRY_TLV_SHA384, 48, content}};
    struct test_image_spec spec = {.key = TEST_KEY_NONE,
                                   .no_digest = true,
                                   .unprotected_tlvs = digests,
                                   .unprotected_count = 1};
    size_t size = build(&spec);
    TEST_ROM(rom, image, size);
    struct ferry_image_info info;
    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    assert_int_equal(info.digest_len, 64);
    assert_memory_equal(info.digest, content, 64);
    assert_int_equal(test_verify(image, size, &test_trust_digest_only), FERRY_E_DIGEST);

    /* Two digests: which would be the image's name? */
    spec.unprotected_count = 2;
    assert_int_equal(build_and_verify(&spec, &test_trust_digest_only), FERRY_E_TLV);

    /* None. */
    spec.unprotected_count = 0;
    size = build(&spec);
    TEST_ROM(none, image, size);
    assert_int_equal(ferry_image_inspect(&none.flash, &info), FERRY_OK);
    assert_int_equal(info.digest_len, 0);
    assert_int_equal(test_verify(image, size, &test_trust_digest_only), FERRY_E_DIGEST);
    assert_int_equal(test_verify(image, size, test_trust(TEST_KEY_P256)), FERRY_E_DIGEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_order),
        cmocka_unit_test(version_text),
        cmocka_unit_test(version_parse_refuses),
        cmocka_unit_test(header_golden),
        cmocka_unit_test(header_round_trip),
        cmocka_unit_test(header_refusals),
        cmocka_unit_test(header_must_lie_inside),
        cmocka_unit_test(tlv_known_types),
        cmocka_unit_test(tlv_every_type),
        cmocka_unit_test(tlv_walk_order),
        cmocka_unit_test(tlv_damaged_areas),
        cmocka_unit_test(tlv_empty_areas),
        cmocka_unit_test(inspect_tells_header_size_digest),
        cmocka_unit_test(inspect_other_digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Group fs over files in memory: results, order of checks, one open file. [smp.md §3.6, §8] */
#include "ferry/crc.h"
#include "ferry/group_fs.h"
#include "test_files.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum {
    FILE_ = FERRY_SMP_FS_FILE,
    STATUS = FERRY_SMP_FS_STATUS,
    HASH = FERRY_SMP_FS_HASH,
    TYPES = FERRY_SMP_FS_TYPES,
    CLOSE = FERRY_SMP_FS_CLOSE
};

#define ERR(n)       "{\"err\":{\"group\":8,\"rc\":" #n "}}"
#define RC(n)        "{\"rc\":" #n "}"
#define OFF(n)       "{\"off\":" #n "}"
#define NOT_VALID(n) "{\"err\":{\"group\":8,\"rc\":11},\"len\":" #n "}"
#define NAME_64      "0123456789012345678901234567890123456789012345678901234567890123"

struct bench {
    struct test_files files;
    struct ferry_fs_group group;
    struct ferry_fs_group_config config;
    const struct ferry_fs_hash *hashes[2];
    char names[2 * (64 + 1)];
    struct ferry_server_mount mount;
    struct ferry_server_config server_config;
    struct ferry_server server;
    int access_rc;
    uint16_t access_error;
    int asked[4]; /* by enum ferry_fs_access */
    char asked_name[65];
    int fed;
};

static struct bench bench;

static int ask_access(void *context, struct ferry_server_call *call, enum ferry_fs_access access,
                      const char *name)
{
    assert_ptr_equal(context, &bench);
    bench.asked[access]++;
    (void)snprintf(bench.asked_name, sizeof(bench.asked_name), "%s", name);
    return bench.access_error != 0 ? ferry_server_error(call, 64, bench.access_error)
                                   : bench.access_rc;
}

static void feed(void *context)
{
    assert_ptr_equal(context, &bench);
    bench.fed++;
}

static void set_up(void)
{
    memset(&bench, 0, sizeof(bench));
    test_files_init(&bench.files);
    bench.hashes[0] = &ferry_fs_hash_crc32;
    bench.hashes[1] = &ferry_fs_hash_sha256;
    bench.config = (struct ferry_fs_group_config){.provider = &test_files_provider,
                                                  .provider_context = &bench.files,
                                                  .hashes = bench.hashes,
                                                  .hash_count = 2,
                                                  .names = bench.names,
                                                  .name_max = 64,
                                                  .access = ask_access,
                                                  .feed = feed,
                                                  .context = &bench};
    assert_int_equal(ferry_fs_group_init(&bench.group, &bench.config), FERRY_OK);
    bench.mount = (struct ferry_server_mount){&ferry_fs_group_table, &bench.group};
    bench.server_config = (struct ferry_server_config){
        .groups = &bench.mount, .group_count = 1, .buf_size = 384, .buf_count = 1};
    assert_int_equal(ferry_server_init(&bench.server, &bench.server_config), FERRY_OK);
}

static void expect(uint8_t op, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask(&bench.server, op, FERRY_SMP_GROUP_FS, id, request, &answer);
    assert_string_equal(answer.json, json);
}

static void expect_v1(uint8_t op, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask_v1(&bench.server, op, FERRY_SMP_GROUP_FS, id, request, &answer);
    assert_string_equal(answer.json, json);
}

/* Ask with an answer of at most cap bytes, from a transport. Returns the answer's payload. */
static struct ferry_bytes ask_small(const char *request, uint8_t op, uint8_t transport, size_t cap)
{
    static uint8_t out[RIG_MAX];
    uint8_t bytes[RIG_MAX];
    struct ferry_bytes packet = {bytes, rig_request(op, FERRY_SMP_VERSION_2, FERRY_SMP_GROUP_FS,
                                                    FILE_, request, bytes, sizeof(bytes))};
    size_t size = ferry_server_handle(&bench.server, &packet, transport, out, cap);

    assert_in_range(size, FERRY_SERVER_ANSWER_MIN, cap);
    return (struct ferry_bytes){out + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE};
}

static void expect_file(const char *name, const char *content)
{
    int found = test_files_find(&bench.files, name);

    assert_true(found >= 0);
    assert_int_equal(bench.files.files[found].size, strlen(content));
    assert_memory_equal(bench.files.files[found].bytes, content, strlen(content));
}

static void put(const char *name, const char *content)
{
    test_files_put(&bench.files, name, content, strlen(content));
}

/* ---- Recorded packets ---------------------------------------------------------- */

static void answers_are_the_recorded_ones(void **state)
{
    const char *data = FERRY_TEST_DATA;

    (void)state;
    set_up();
    put("/lfs1/boot.txt", "0123456789abcd");
    put("/lfs1/up.txt", "0123456789abcd");
    bench.config.chunk_max = 10;
    rig_expect_vector(&bench.server, data, "fs_download_first_req", "fs_download_first_rsp");
    rig_expect_vector(&bench.server, data, "fs_download_next_req", "fs_download_next_rsp");
    rig_expect_vector(&bench.server, data, "fs_status_req", "fs_status_rsp");
    rig_expect_vector(&bench.server, data, "fs_hash_req", "fs_hash_rsp_crc32");
    rig_expect_vector(&bench.server, data, "fs_upload_first_req", "fs_upload_first_rsp");
}

/* ---- Requests that are wrong ---------------------------------------------------- */

static void names_are_checked_first(void **state)
{
    static const char *const texts[] = {"{\"off\":0,\"len\":0,\"type\":\"md5\"}",
                                        "{\"off\":0,\"len\":1,\"type\":\"md5\",\"name\":\"\"}",
                                        "{\"off\":0,\"len\":1,\"name\":\"h'61'\"}",
                                        "{\"off\":0,\"len\":1,\"name\":\"" NAME_64 "x\"}"};

    (void)state;
    set_up();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect(READ, FILE_, texts[i], RC(3));
        expect(WRITE, FILE_, texts[i], RC(3));
        expect(READ, STATUS, texts[i], RC(3));
        expect(READ, HASH, texts[i], RC(3));
    }
    expect(READ, FILE_, NULL, RC(3));
    expect(WRITE, FILE_, NULL, RC(3));
    expect(READ, STATUS, NULL, RC(3));
    expect(READ, HASH, NULL, RC(3));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bench.asked[i], 0);
    }
    expect(READ, STATUS, "{\"name\":\"" NAME_64 "\"}", ERR(3));
    assert_string_equal(bench.asked_name, NAME_64);
}

static void a_name_with_a_nul_is_not_valid(void **state)
{
    uint8_t request[] = {0x08, 0,   0,   0x0a, 0,   8,    0,   STATUS, 0xa1,
                         0x64, 'n', 'a', 'm',  'e', 0x63, 'a', 0,      'b'};
    struct rig_answer answer;

    (void)state;
    set_up();
    put("a", "x");
    assert_int_equal(
        rig_send(&bench.server, (struct ferry_bytes){request, sizeof(request)}, &answer).len, 0);
    assert_string_equal(answer.json, ERR(2));
    request[0] = 0x00;
    assert_int_equal(
        rig_send(&bench.server, (struct ferry_bytes){request, sizeof(request)}, &answer).len, 0);
    assert_string_equal(answer.json, RC(3));
    assert_int_equal(bench.asked[FERRY_FS_STATUS], 0);
}

static void numbers_are_checked_before_the_file(void **state)
{
    (void)state;
    set_up();
    expect(READ, FILE_, "{\"name\":\"a\"}", RC(3));
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":-1}", RC(3));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"len\":1}", RC(3));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0}", RC(3));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":1,\"data\":\"h'6162'\"}", RC(3));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":1,\"data\":\"text\"}", RC(3));
    expect(READ, HASH, "{\"name\":\"a\",\"len\":0}", RC(3));
    expect(READ, HASH, "{\"name\":\"a\",\"type\":\"123456789\"}", RC(3));
    expect(READ, HASH, "{\"name\":\"a\",\"type\":\"12345678\"}", ERR(13));
    expect(WRITE, STATUS, "{}", RC(8));
    expect(WRITE, HASH, "{}", RC(8));
    expect(WRITE, TYPES, "{}", RC(8));
    expect(READ, CLOSE, "{}", RC(8));
    expect(READ, 5, "{}", RC(8));
    for (int i = 0; i < TEST_FILES_OPS; i++) {
        assert_int_equal(bench.files.count[i], 0);
    }
}

/* ---- The access hook ------------------------------------------------------------ */

static void the_hook_is_asked_about_every_file(void **state)
{
    (void)state;
    set_up();
    put("a", "123");
    bench.access_rc = FERRY_RC_ACCESS_DENIED;
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":0}", RC(11));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":1}", RC(11));
    expect(READ, STATUS, "{\"name\":\"a\"}", RC(11));
    expect(READ, HASH, "{\"name\":\"a\"}", RC(11));
    expect(READ, HASH, "{\"name\":\"a\",\"type\":\"md5\"}", ERR(13)); /* before the hook */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bench.asked[i], 1);
    }
    bench.access_error = 7;
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":0}", "{\"err\":{\"group\":64,\"rc\":7}}");
    expect(READ, HASH, "{\"name\":\"a\"}", "{\"err\":{\"group\":64,\"rc\":7}}");
    expect_v1(READ, STATUS, "{\"name\":\"a\"}", RC(1));
    for (int i = 0; i < TEST_FILES_OPS; i++) {
        assert_int_equal(bench.files.count[i], 0);
    }
    /* … and about every chunk: what was allowed once may be forbidden meanwhile. */
    bench.access_error = 0;
    bench.access_rc = FERRY_RC_OK;
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}", OFF(1));
    bench.access_rc = FERRY_RC_ACCESS_DENIED;
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'62'\"}", RC(11));
    expect_file("a", "a");
    expect(WRITE, CLOSE, "{}", "{}"); /* is about no file */
}

/* ---- Download ------------------------------------------------------------------- */

static void a_file_comes_in_chunks(void **state)
{
    (void)state;
    set_up();
    bench.config.chunk_max = 4;
    put("a", "0123456789");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":0}",
           "{\"off\":0,\"data\":\"h'30313233'\",\"len\":10}");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":4}", "{\"off\":4,\"data\":\"h'34353637'\"}");
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 1);
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":8}", "{\"off\":8,\"data\":\"h'3839'\"}");
    assert_int_equal(bench.files.open, -1); /* the end closes it */
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":2}", "{\"off\":2,\"data\":\"h'32333435'\"}");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":10}", "{\"off\":10,\"data\":\"h''\"}");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":4294967296}",
           "{\"off\":4294967296,\"data\":\"h''\"}");
    put("empty", "");
    expect(READ, FILE_, "{\"name\":\"empty\",\"off\":0}", "{\"off\":0,\"data\":\"h''\",\"len\":0}");
    assert_int_equal(bench.files.open, -1);
}

/* Every size of answer is used but for what the head of the data may take, and none is passed. */
static void a_chunk_fills_the_answer(void **state)
{
    static uint8_t content[TEST_FILES_MAX];

    (void)state;
    set_up();
    test_files_put(&bench.files, "a", content, sizeof(content));
    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap < 700; cap++) {
        for (int off = 0; off <= 1; off++) {
            struct ferry_cbor_field fields[] = {{.key = "data", .kind = FERRY_CBOR_BYTES},
                                                {.key = "rc", .kind = FERRY_CBOR_UINT}};
            const char *request =
                off == 0 ? "{\"name\":\"a\",\"off\":0}" : "{\"name\":\"a\",\"off\":1}";
            struct ferry_bytes payload = ask_small(request, READ, 3, cap);

            assert_int_equal(ferry_cbor_read_map(payload, fields, 2), FERRY_OK);
            if (fields[1].present) {
                assert_int_equal(fields[1].item.value, FERRY_RC_MESSAGE_SIZE);
                assert_true(cap < 40);
            } else {
                assert_true(fields[0].item.bytes.len > 0);
                assert_in_range(payload.len + FERRY_SMP_HEADER_SIZE, cap - 2, cap);
            }
        }
    }
}

static void a_file_that_grew_is_seen_whole(void **state)
{
    (void)state;
    set_up();
    bench.config.chunk_max = 4;
    put("a", "01234567");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":0}",
           "{\"off\":0,\"data\":\"h'30313233'\",\"len\":8}");
    put("a", "0123456789");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":8}", "{\"off\":8,\"data\":\"h'3839'\"}");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":4}", "{\"off\":4,\"data\":\"h'34353637'\"}");
    put("a", "0123456789ab");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":0}",
           "{\"off\":0,\"data\":\"h'30313233'\",\"len\":12}");
    put("a", "0123");
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":4}", ERR(7)); /* shorter meanwhile */
    assert_int_equal(bench.files.open, -1);
    expect(READ, FILE_, "{\"name\":\"a\",\"off\":4}", "{\"off\":4,\"data\":\"h''\"}");
}

/* ---- Upload --------------------------------------------------------------------- */

static void a_file_grows_and_is_closed(void **state)
{
    (void)state;
    set_up();
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":5,\"data\":\"h'616263'\"}", OFF(3));
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":3}");
    assert_int_equal(bench.files.count[TEST_FILES_SIZE], 0); /* the file system need not know yet */
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":3,\"data\":\"h'6465'\"}", OFF(5));
    assert_int_equal(bench.files.open, -1);
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 1);
    expect_file("a", "abcde");
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":5}");
}

static void an_upload_replaces_the_file(void **state)
{
    (void)state;
    set_up();
    put("a", "old content");
    /* No data yet: nothing is lost. */
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2}", OFF(0));
    expect_file("a", "old content");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}", OFF(1));
    expect_file("a", "a");
    /* The first chunk again, its answer was lost: the file begins anew. */
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":3,\"data\":\"h'62'\"}", OFF(1));
    expect_file("a", "b");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'6263'\"}", OFF(3));
    expect_file("a", "bbc");
    assert_int_equal(bench.files.open, -1);
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 1);
}

/* A chunk without data at offset 0 changes nothing: what is there can be asked for, and gone on
 * with. */
static void a_question_leaves_file_and_upload_as_they_are(void **state)
{
    const char *question = "{\"name\":\"a\",\"off\":0,\"len\":14,\"data\":\"h''\"}";

    (void)state;
    set_up();
    put("a", "0123456789");
    expect(WRITE, FILE_, question, OFF(0)); /* an upload would begin there */
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":10}");
    expect(READ, HASH, "{\"name\":\"a\"}", "{\"type\":\"crc32\",\"len\":10,\"output\":2793719750}");
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":10}");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":9,\"data\":\"h'61'\"}", NOT_VALID(10));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":10,\"data\":\"h'6162'\"}", OFF(12));
    /* In the middle of an upload as well. */
    expect(WRITE, FILE_, question, OFF(0));
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":12}");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":12,\"data\":\"h'6364'\"}", OFF(14));
    assert_int_equal(bench.files.open, -1); /* the question said how long it is to be */
    expect_file("a", "0123456789abcd");
    assert_int_equal(bench.files.count[TEST_FILES_TRUNCATE], 0);
    /* One that something else has written to meanwhile. */
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":9,\"data\":\"h'61'\"}", OFF(1));
    expect(READ, HASH, "{\"name\":\"a\",\"len\":1}",
           "{\"type\":\"crc32\",\"len\":1,\"output\":3904355907}");
    put("a", "abc");
    expect(WRITE, FILE_, question, OFF(0));
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":3}");
    /* The answer to a question is followed by an upload from 0. */
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":1,\"data\":\"h'62'\"}", OFF(1));
    expect_file("a", "b");
    /* Nothing is left of the last file's offset. */
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":0,\"len\":1}", OFF(0));
    expect(READ, STATUS, "{\"name\":\"b\"}", "{\"len\":0}");
}

static void an_empty_file_is_made_and_closed(void **state)
{
    (void)state;
    set_up();
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":0}", OFF(0));
    assert_int_equal(bench.files.open, -1);
    expect_file("a", "");
    put("b", "old");
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":0,\"len\":0,\"data\":\"h''\"}", OFF(0));
    expect_file("b", "");
}

static void a_wrong_offset_tells_the_right_one(void **state)
{
    (void)state;
    set_up();
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":4,\"data\":\"h'61'\"}", NOT_VALID(0));
    assert_int_equal(test_files_find(&bench.files, "a"), -1); /* and makes no file */
    put("a", "abc");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":4,\"data\":\"h'61'\"}", NOT_VALID(3));
    expect_v1(WRITE, FILE_, "{\"name\":\"a\",\"off\":4,\"data\":\"h'61'\"}", RC(1));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":4294967299,\"data\":\"h'61'\"}", NOT_VALID(3));
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 0);

    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":0,\"len\":4,\"data\":\"h'6162'\"}", OFF(2));
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":2,\"data\":\"h'63'\"}", OFF(3));
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":2,\"data\":\"h'65'\"}", NOT_VALID(3));
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":3,\"data\":\"h'64'\"}", OFF(4));
    expect_file("b", "abcd");
    assert_int_equal(bench.files.open, -1); /* its length was not forgotten */
}

/* Its answer was lost: it is there, and nothing is written. What only looks like it is not. */
static void the_last_chunk_may_come_again(void **state)
{
    const char *last = "{\"name\":\"a\",\"off\":2,\"data\":\"h'6364'\"}";

    (void)state;
    set_up();
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":4,\"data\":\"h'6162'\"}", OFF(2));
    expect(WRITE, FILE_, last, OFF(4));
    assert_int_equal(bench.files.open, -1);
    expect(WRITE, FILE_, last, OFF(4)); /* also when the file is closed */
    expect_v1(WRITE, FILE_, last, OFF(4));
    assert_int_equal(bench.files.count[TEST_FILES_WRITE], 2);
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 1);
    expect_file("a", "abcd");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":2,\"data\":\"h'6365'\"}", NOT_VALID(4));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":2,\"data\":\"h'63'\"}", NOT_VALID(4));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":2}", NOT_VALID(4));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'6364'\"}", NOT_VALID(4));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":4294967298,\"data\":\"h'6364'\"}", NOT_VALID(4));
    expect(WRITE, FILE_, last, OFF(4));

    struct ferry_bytes other = ask_small(last, WRITE, 4, 100); /* another transport's */
    char json[64];

    rig_json(other, json, sizeof(json));
    assert_string_equal(json, NOT_VALID(4));
    put("a", "abcde"); /* it is not the last of the file any more */
    expect(WRITE, FILE_, last, NOT_VALID(5));
    put("a", "abcd");
    put("b", "ab");
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":2,\"data\":\"h'6364'\"}", OFF(4));
    expect(WRITE, FILE_, last, NOT_VALID(4)); /* nor of the last transfer */
    expect(READ, FILE_, "{\"name\":\"b\",\"off\":3}", "{\"off\":3,\"data\":\"h'64'\"}");
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":2,\"data\":\"h'6364'\"}", NOT_VALID(4));
}

static void an_upload_goes_on_where_the_file_ends(void **state)
{
    (void)state;
    set_up();
    put("a", "abc");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":3,\"data\":\"h'64'\"}", OFF(4));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":4,\"data\":\"h'65'\"}", OFF(5));
    assert_true(bench.files.open >= 0); /* nobody told how long it is to be */
    expect(WRITE, CLOSE, "{}", "{}");
    expect_file("a", "abcde");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":5,\"len\":6,\"data\":\"h'66'\"}", OFF(6));
    assert_int_equal(bench.files.open, -1); /* now somebody did */
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":6,\"len\":6}", OFF(6));
    assert_int_equal(bench.files.open, -1);
    expect_file("a", "abcdef");
}

static void data_beyond_the_length_are_refused(void **state)
{
    (void)state;
    set_up();
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}", OFF(1));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'6263'\"}", RC(3));
    expect_file("a", "a");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'62'\"}", OFF(2));
    put("b", "abcd");
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":4,\"len\":3,\"data\":\"h'65'\"}", RC(3));
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":4,\"len\":5,\"data\":\"h'65'\"}", OFF(5));
    expect_file("b", "abcde");
}

static void an_upload_of_more_than_32_bits_fails_at_the_end(void **state)
{
    (void)state;
    set_up();
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":1099511627776,\"data\":\"h'61'\"}",
           OFF(1));
    bench.group.offset = UINT32_MAX;
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":4294967295,\"data\":\"h'6162'\"}", ERR(10));
    assert_int_equal(bench.files.open, -1);
}

/* ---- One open file --------------------------------------------------------------- */

static void another_transfer_closes_the_file(void **state)
{
    const char *first = "{\"name\":\"a\",\"off\":0,\"len\":9,\"data\":\"h'61'\"}";

    (void)state;
    set_up();
    bench.config.chunk_max = 1;
    put("b", "12");
    expect(WRITE, FILE_, first, OFF(1));
    expect(READ, FILE_, "{\"name\":\"b\",\"off\":0}", "{\"off\":0,\"data\":\"h'31'\",\"len\":2}");
    assert_int_equal(bench.files.count[TEST_FILES_CLOSE], 1); /* another name */
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":0,\"len\":2,\"data\":\"h'33'\"}", OFF(1));
    assert_int_equal(bench.files.count[TEST_FILES_CLOSE], 2); /* another direction */
    (void)ask_small("{\"name\":\"b\",\"off\":1,\"data\":\"h'34'\"}", WRITE, 3, 100);
    expect_file("b", "34");
    expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":0,\"len\":3,\"data\":\"h'35'\"}", OFF(1));
    assert_int_equal(bench.files.count[TEST_FILES_CLOSE], 3);
    (void)ask_small("{\"name\":\"b\",\"off\":1,\"data\":\"h'36'\"}", WRITE, 4, 100);
    assert_int_equal(bench.files.count[TEST_FILES_CLOSE], 4); /* another transport */
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 5);
    expect_file("b", "56"); /* and goes on there */
}

static void status_leaves_a_transfer_alone(void **state)
{
    (void)state;
    set_up();
    put("b", "12");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":9,\"data\":\"h'61'\"}", OFF(1));
    expect(READ, STATUS, "{\"name\":\"b\"}", "{\"len\":2}");
    expect(READ, STATUS, "{\"name\":\"aa\"}", ERR(3));
    expect(READ, STATUS, "{\"name\":\"\"}", RC(3));
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'62'\"}", OFF(2));
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 1);
}

static void a_hash_lets_an_upload_go_on(void **state)
{
    (void)state;
    set_up();
    put("b", "12");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":3,\"data\":\"h'61'\"}", OFF(1));
    expect(READ, HASH, "{\"name\":\"b\"}", "{\"type\":\"crc32\",\"len\":2,\"output\":1330857165}");
    expect(READ, HASH, "{\"name\":\"a\"}", "{\"type\":\"crc32\",\"len\":1,\"output\":3904355907}");
    assert_int_equal(bench.files.open, -1);
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":1}");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'62'\"}", OFF(2));
    expect(READ, HASH, "{\"name\":\"b\"}", "{\"type\":\"crc32\",\"len\":2,\"output\":1330857165}");
    put("a", "abcd"); /* the product wrote to it */
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":2,\"data\":\"h'62'\"}", NOT_VALID(4));
    put("a", "ab");
    expect(WRITE, CLOSE, "{}", "{}");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":2,\"len\":3,\"data\":\"h'63'\"}", OFF(3));
    assert_int_equal(bench.files.open, -1);
    /* A download is not kept: it begins anew wherever it is asked to. */
    bench.config.chunk_max = 1;
    expect(READ, FILE_, "{\"name\":\"b\",\"off\":0}", "{\"off\":0,\"data\":\"h'31'\",\"len\":2}");
    expect(READ, HASH, "{\"name\":\"b\"}", "{\"type\":\"crc32\",\"len\":2,\"output\":1330857165}");
    expect(READ, FILE_, "{\"name\":\"b\",\"off\":1}", "{\"off\":1,\"data\":\"h'32'\"}");
}

static void an_idle_file_is_closed(void **state)
{
    (void)state;
    set_up();
    bench.config.idle_ms = 500;
    put("b", "1");
    assert_true(ferry_fs_group_poll(&bench.group, 1000) == UINT64_MAX);
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":3,\"data\":\"h'61'\"}", OFF(1));
    assert_true(ferry_fs_group_poll(&bench.group, 1000) == 1500);
    assert_true(ferry_fs_group_poll(&bench.group, 1499) == 1500);
    expect(READ, STATUS, "{\"name\":\"a\"}", "{\"len\":1}"); /* is about it: it counts anew */
    assert_true(ferry_fs_group_poll(&bench.group, 1500) == 2000);
    expect(READ, STATUS, "{\"name\":\"b\"}", "{\"len\":1}");
    assert_true(ferry_fs_group_poll(&bench.group, 1999) == 2000);
    assert_true(bench.files.open >= 0);
    assert_true(ferry_fs_group_poll(&bench.group, 2000) == UINT64_MAX);
    assert_int_equal(bench.files.open, -1);
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":1,\"data\":\"h'62'\"}", OFF(2)); /* goes on */
    bench.config.idle_ms = 0;
    assert_true(ferry_fs_group_poll(&bench.group, 100000) == UINT64_MAX);
    assert_true(bench.files.open >= 0);
    assert_int_equal(ferry_fs_group_close(&bench.group), FERRY_FS_OK);
    assert_int_equal(bench.files.open, -1);
    assert_int_equal(ferry_fs_group_close(&bench.group), FERRY_FS_OK);
    /* Near the end of time. */
    bench.config.idle_ms = 500;
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":3,\"data\":\"h'61'\"}", OFF(1));
    assert_true(ferry_fs_group_poll(&bench.group, UINT64_MAX - 1) == UINT64_MAX);
    assert_true(bench.files.open >= 0);
}

/* ---- Hashes ---------------------------------------------------------------------- */

static void hashes_cover_files_and_parts(void **state)
{
    (void)state;
    set_up();
    put("a", "123456789");
    put("empty", "");
    expect(READ, HASH, "{\"name\":\"a\"}", "{\"type\":\"crc32\",\"len\":9,\"output\":3421780262}");
    expect(READ, HASH, "{\"name\":\"a\",\"type\":\"\"}",
           "{\"type\":\"crc32\",\"len\":9,\"output\":3421780262}");
    expect(READ, HASH, "{\"name\":\"a\",\"off\":7,\"len\":100}",
           "{\"type\":\"crc32\",\"off\":7,\"len\":2,\"output\":155395596}");
    expect(READ, HASH, "{\"name\":\"a\",\"type\":\"sha256\",\"len\":3}",
           "{\"type\":\"sha256\",\"len\":3,\"output\":"
           "\"h'a665a45920422f9d417e4867efdc4fb8a04a1f3fff1fa07e998e86f7f7a27ae3'\"}");
    expect(READ, HASH, "{\"name\":\"a\",\"off\":9}", ERR(12));
    expect(READ, HASH, "{\"name\":\"a\",\"off\":4294967296}", ERR(12));
    expect(READ, HASH, "{\"name\":\"empty\"}", ERR(16));
    expect(READ, HASH, "{\"name\":\"empty\",\"off\":1}", ERR(16));
    expect(READ, HASH, "{\"name\":\"none\"}", ERR(3));
    expect(READ, HASH, "{\"name\":\"none\",\"type\":\"md5\"}", ERR(13));
    assert_int_equal(bench.files.open, -1);
    expect(
        READ, TYPES, "{}",
        "{\"types\":{\"crc32\":{\"format\":0,\"size\":4},\"sha256\":{\"format\":1,\"size\":32}}}");
}

/* The answer's buffer is what a file is read by: whatever its size, the hash is the same. */
static void a_long_hash_feeds_the_watchdog(void **state)
{
    static uint8_t content[TEST_FILES_MAX];
    uint8_t bytes[RIG_MAX];
    uint8_t out[64];

    (void)state;
    set_up();
    for (size_t i = 0; i < sizeof(content); i++) {
        content[i] = (uint8_t)(i * 7);
    }
    test_files_put(&bench.files, "a", content, sizeof(content));
    for (size_t cap = 48; cap <= sizeof(out); cap++) {
        struct ferry_bytes packet = {bytes,
                                     rig_request(READ, FERRY_SMP_VERSION_2, FERRY_SMP_GROUP_FS,
                                                 HASH, "{\"name\":\"a\"}", bytes, sizeof(bytes))};
        struct ferry_cbor_field field = {.key = "output", .kind = FERRY_CBOR_UINT};

        bench.fed = 0;
        size_t size = ferry_server_handle(&bench.server, &packet, 0, out, cap);
        const struct ferry_bytes payload = {out + FERRY_SMP_HEADER_SIZE,
                                            size - FERRY_SMP_HEADER_SIZE};

        assert_int_equal(ferry_cbor_read_map(payload, &field, 1), FERRY_OK);
        assert_true(field.present);
        assert_int_equal(field.item.value, ferry_crc32(0, content, sizeof(content)));
        assert_true((size_t)bench.fed >= sizeof(content) / cap);
    }
}

static void what_is_not_listed_is_not_there(void **state)
{
    (void)state;
    set_up();
    put("a", "abc");
    bench.hashes[0] = &ferry_fs_hash_sha256;
    bench.config.hash_count = 1;
    expect(READ, HASH, "{\"name\":\"a\",\"len\":1}",
           "{\"type\":\"sha256\",\"len\":1,\"output\":"
           "\"h'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'\"}");
    expect(READ, HASH, "{\"name\":\"a\",\"type\":\"crc32\"}", ERR(13));
    bench.config.hash_count = 0;
    expect(READ, HASH, "{\"name\":\"a\"}", RC(8));
    expect(READ, TYPES, "{}", RC(8));
}

/* ---- Errors of the file system ------------------------------------------------------ */

struct failure {
    enum test_files_op op;
    uint8_t write; /* the operation of the request */
    uint8_t id;
    const char *request;
};

/* Every operation that a request leads to, failing with every error: it is the answer, in version
 * 1 by the table, and no file stays open. */
static void every_error_of_the_file_system_is_told(void **state)
{
    static const struct failure failures[] = {
        {TEST_FILES_SIZE, READ, STATUS, "{\"name\":\"a\"}"},
        {TEST_FILES_OPEN, READ, FILE_, "{\"name\":\"a\",\"off\":0}"},
        {TEST_FILES_READ, READ, FILE_, "{\"name\":\"a\",\"off\":0}"},
        {TEST_FILES_OPEN, READ, HASH, "{\"name\":\"a\"}"},
        {TEST_FILES_READ, READ, HASH, "{\"name\":\"a\"}"},
        {TEST_FILES_OPEN, WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}"},
        {TEST_FILES_TRUNCATE, WRITE, FILE_,
         "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}"},
        {TEST_FILES_WRITE, WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}"},
        {TEST_FILES_CLOSE, WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":1,\"data\":\"h'61'\"}"},
        {TEST_FILES_OPEN, WRITE, FILE_, "{\"name\":\"a\",\"off\":3,\"data\":\"h'61'\"}"},
        {TEST_FILES_WRITE, WRITE, FILE_, "{\"name\":\"a\",\"off\":3,\"data\":\"h'61'\"}"},
    };
    static const uint8_t v1[FERRY_FS_ERRORS] = {0, 1, 3, 5, 1, 1, 1, 1, 1,
                                                1, 1, 0, 1, 3, 5, 1, 1, 1};
    char json[64];

    (void)state;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        for (int error = 1; error < FERRY_FS_ERRORS; error++) {
            if (error == FERRY_FS_ERR_INVALID_OFFSET) { /* the core's own */
                continue;
            }
            set_up();
            put("a", "abc");
            bench.files.fail[failures[i].op] = error;
            (void)snprintf(json, sizeof(json), "{\"err\":{\"group\":8,\"rc\":%d}}", error);
            expect(failures[i].write, failures[i].id, failures[i].request, json);
            assert_int_equal(bench.files.open, -1);
            put("a", "abc");
            (void)snprintf(json, sizeof(json), "{\"rc\":%d}", v1[error]);
            expect_v1(failures[i].write, failures[i].id, failures[i].request, json);
            assert_int_equal(bench.files.open, -1);
        }
    }
}

static void a_number_that_is_no_error_is_unknown(void **state)
{
    static const int numbers[] = {-24, 18, 1000000};

    (void)state;
    set_up();
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        bench.files.fail[TEST_FILES_SIZE] = numbers[i];
        expect(READ, STATUS, "{\"name\":\"a\"}", ERR(1));
    }
}

/* Where a file is opened for writing at an offset, its size is asked before. */
static void going_on_needs_the_size(void **state)
{
    (void)state;
    set_up();
    bench.files.fail[TEST_FILES_SIZE] = FERRY_FS_ERR_IS_DIRECTORY;
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":3,\"data\":\"h'61'\"}", ERR(4));
    assert_int_equal(bench.files.count[TEST_FILES_OPEN], 0);
}

static void closing_tells_of_what_was_written_only(void **state)
{
    (void)state;
    set_up();
    bench.config.chunk_max = 1;
    put("b", "12");
    bench.files.fail[TEST_FILES_CLOSE] = FERRY_FS_ERR_CLOSE_FAILED;
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}", OFF(1));
    expect(WRITE, CLOSE, "{}", ERR(17));
    expect(WRITE, CLOSE, "{}", "{}");
    expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}", OFF(1));
    expect_v1(WRITE, CLOSE, "{}", RC(1));
    expect(READ, FILE_, "{\"name\":\"b\",\"off\":0}", "{\"off\":0,\"data\":\"h'31'\",\"len\":2}");
    expect(WRITE, CLOSE, "{}", "{}");
    expect(READ, HASH, "{\"name\":\"b\"}", "{\"type\":\"crc32\",\"len\":2,\"output\":1330857165}");
}

/* A hash closes the file of an upload: when that fails, bytes may be lost whatever size the file
 * system tells. Neither the hash nor a chunk says otherwise, until the file begins anew. */
static void a_hash_that_cannot_close_an_upload_says_so(void **state)
{
    const char *first = "{\"name\":\"a\",\"off\":0,\"len\":3,\"data\":\"h'61'\"}";
    const char *next = "{\"name\":\"a\",\"off\":1,\"len\":3,\"data\":\"h'62'\"}";
    static const char *const names[] = {"{\"name\":\"a\"}", "{\"name\":\"b\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        set_up();
        put("b", "12");
        expect(WRITE, FILE_, first, OFF(1));
        bench.files.fail[TEST_FILES_CLOSE] = FERRY_FS_ERR_CLOSE_FAILED;
        expect(READ, HASH, names[i], ERR(17));
        assert_int_equal(bench.files.open, -1);
        bench.files.fail[TEST_FILES_CLOSE] = FERRY_FS_OK;
        expect(READ, HASH, "{\"name\":\"b\"}",
               "{\"type\":\"crc32\",\"len\":2,\"output\":1330857165}");
        expect(WRITE, FILE_, next, ERR(17));
        expect_v1(WRITE, FILE_, next, RC(1));
        expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":0,\"len\":3}", OFF(0)); /* a question */
        expect(WRITE, FILE_, next, ERR(17));
        assert_int_equal(bench.files.open, -1);
        expect(WRITE, FILE_, "{\"name\":\"b\",\"off\":2,\"len\":3,\"data\":\"h'33'\"}", OFF(3));
        assert_int_equal(bench.files.count[TEST_FILES_WRITE], 2);
        expect(WRITE, FILE_, first, OFF(1));
        expect(WRITE, FILE_, next, OFF(2));
        expect(WRITE, FILE_, "{\"name\":\"a\",\"off\":2,\"data\":\"h'63'\"}", OFF(3));
        expect_file("a", "abc");
    }
}

/* … and so for whatever else closed it, the last chunk sent again included. */
static void an_upload_does_not_go_on_after_a_failed_close(void **state)
{
    const char *first = "{\"name\":\"a\",\"off\":0,\"len\":2,\"data\":\"h'61'\"}";
    const char *last = "{\"name\":\"a\",\"off\":1,\"data\":\"h'62'\"}";

    (void)state;
    set_up();
    bench.config.idle_ms = 500;
    expect(WRITE, FILE_, first, OFF(1));
    bench.files.fail[TEST_FILES_CLOSE] = FERRY_FS_ERR_CLOSE_FAILED;
    expect(WRITE, FILE_, last, ERR(17));
    expect(WRITE, FILE_, last, ERR(17)); /* its answer was lost: it is not claimed to be there */
    expect(WRITE, FILE_, first, OFF(1));
    (void)ferry_fs_group_poll(&bench.group, 1000);
    (void)ferry_fs_group_poll(&bench.group, 1500);
    assert_int_equal(bench.files.open, -1);
    expect(WRITE, FILE_, last, ERR(17));
    bench.files.fail[TEST_FILES_TRUNCATE] = FERRY_FS_ERR_TRUNCATE_FAILED;
    expect(WRITE, FILE_, first, ERR(8)); /* it did not begin anew */
    expect(WRITE, FILE_, last, ERR(17));
    bench.files.fail[TEST_FILES_TRUNCATE] = FERRY_FS_OK;
    bench.files.fail[TEST_FILES_CLOSE] = FERRY_FS_OK;
    expect(WRITE, FILE_, first, OFF(1));
    expect(WRITE, FILE_, last, OFF(2));
    expect_file("a", "ab");
}

/* ---- Configuration ------------------------------------------------------------------ */

static void a_wrong_configuration_is_refused(void **state)
{
    static const struct ferry_fs_hash too_long = {.name = "long", .size = 33};
    struct ferry_fs_group group;

    (void)state;
    set_up();
    bench.config.provider = NULL;
    assert_int_equal(ferry_fs_group_init(&group, &bench.config), FERRY_E_CONFIG);
    set_up();
    bench.config.names = NULL;
    assert_int_equal(ferry_fs_group_init(&group, &bench.config), FERRY_E_CONFIG);
    set_up();
    bench.config.name_max = 0;
    assert_int_equal(ferry_fs_group_init(&group, &bench.config), FERRY_E_CONFIG);
    set_up();
    bench.hashes[1] = &too_long;
    assert_int_equal(ferry_fs_group_init(&group, &bench.config), FERRY_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_recorded_ones),
        cmocka_unit_test(names_are_checked_first),
        cmocka_unit_test(a_name_with_a_nul_is_not_valid),
        cmocka_unit_test(numbers_are_checked_before_the_file),
        cmocka_unit_test(the_hook_is_asked_about_every_file),
        cmocka_unit_test(a_file_comes_in_chunks),
        cmocka_unit_test(a_chunk_fills_the_answer),
        cmocka_unit_test(a_file_that_grew_is_seen_whole),
        cmocka_unit_test(a_file_grows_and_is_closed),
        cmocka_unit_test(an_upload_replaces_the_file),
        cmocka_unit_test(a_question_leaves_file_and_upload_as_they_are),
        cmocka_unit_test(an_empty_file_is_made_and_closed),
        cmocka_unit_test(a_wrong_offset_tells_the_right_one),
        cmocka_unit_test(the_last_chunk_may_come_again),
        cmocka_unit_test(an_upload_goes_on_where_the_file_ends),
        cmocka_unit_test(data_beyond_the_length_are_refused),
        cmocka_unit_test(an_upload_of_more_than_32_bits_fails_at_the_end),
        cmocka_unit_test(another_transfer_closes_the_file),
        cmocka_unit_test(status_leaves_a_transfer_alone),
        cmocka_unit_test(a_hash_lets_an_upload_go_on),
        cmocka_unit_test(an_idle_file_is_closed),
        cmocka_unit_test(hashes_cover_files_and_parts),
        cmocka_unit_test(a_long_hash_feeds_the_watchdog),
        cmocka_unit_test(what_is_not_listed_is_not_there),
        cmocka_unit_test(every_error_of_the_file_system_is_told),
        cmocka_unit_test(a_number_that_is_no_error_is_unknown),
        cmocka_unit_test(going_on_needs_the_size),
        cmocka_unit_test(closing_tells_of_what_was_written_only),
        cmocka_unit_test(a_hash_that_cannot_close_an_upload_says_so),
        cmocka_unit_test(an_upload_does_not_go_on_after_a_failed_close),
        cmocka_unit_test(a_wrong_configuration_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A device's folder: made whole or not at all, kept afterwards; and the command line. Every
 * message says what is wrong and what to do. */
#include "device/board.h"
#include "test_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char p256_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ9sfaJnrGfdrk7VVlLxacfrSzMLG\n"
                               "xv4q5EovrXuI0a2WrW1c9VWpLHHAEAH8lGJhVkvgpEvumJ3cVeZd40bDpA==\n"
                               "-----END PUBLIC KEY-----\n";
static const char ed25519_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                  "MCowBQYDK2VwAyEAZqK3wjUCdhufkRaD6ObhTp+8KY7N7+tpwdp+4v2DVPE=\n"
                                  "-----END PUBLIC KEY-----\n";

static const char with_secrets[] =
    "{\"flash\": [{\"name\": \"in\", \"sectors\": [{\"count\": 64, \"size\": 4096}], "
    "\"write_size\": 8, \"erased_value\": 255}], \"areas\": ["
    "{\"name\": \"bootloader\", \"device\": \"in\", \"offset\": 0, \"size\": \"32K\"},"
    "{\"name\": \"keys\", \"device\": \"in\", \"offset\": \"32K\", \"size\": \"4K\"},"
    "{\"name\": \"secrets\", \"device\": \"in\", \"offset\": \"36K\", \"size\": \"4K\"},"
    "{\"name\": \"primary\", \"device\": \"in\", \"offset\": \"64K\", \"size\": \"64K\"},"
    "{\"name\": \"secondary\", \"device\": \"in\", \"offset\": \"128K\", \"size\": \"64K\"}],"
    "\"images\": [{\"primary\": \"primary\", \"secondary\": \"secondary\", \"strategy\": "
    "\"swap-move\"}], \"max_align\": 8, \"max_sectors\": 16, \"no_downgrade\": false, "
    "\"keys\": [], \"enc_tlv\": 113}";

static char folder[64]; /* of this test */
static struct options options;
static struct board board;
static char why[BOARD_WHY_MAX];

/* ---- Help ------------------------------------------------------------------------------------ */

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/ferry-board-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    static char dir[96];
    (void)snprintf(dir, sizeof(dir), "%s/d", folder);
    options = (struct options){.dir = dir, .udp = -1};
    return 0;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* A file in the folder; the name stays valid until the third call after. */
static const char *write_file(const char *name, const void *bytes, size_t len)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void add_flash(const char *area, const char *path)
{
    struct options_file *file = &options.flash[options.flash_count++];

    (void)snprintf(file->area, sizeof(file->area), "%s", area);
    file->path = path;
}

static bool device_exists(void)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/d/flash.bin", folder);
    return access(path, F_OK) == 0;
}

/* ---- Making ------------------------------------------------------------------------------------
 */

static void a_new_device_is_erased_and_keeps_its_layout(void **state)
{
    (void)state;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_true(board.made);
    assert_int_equal(ferry_flash_is_erased(&board.nor[0].flash, 0, board.nor[0].flash.size), 1);
    board_close(&board);
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_false(board.made);
    board_close(&board);
}

static void files_are_programmed_once(void **state)
{
    static const uint8_t code[] = "\177ELF and so on";
    static const uint8_t other[] = "something else";

    (void)state;
    add_flash("bootloader", write_file("boot.elf", code, sizeof(code)));
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_memory_equal(board.nor[0].memory, code, sizeof(code));
    assert_int_equal(board.nor[0].memory[sizeof(code)], 0xff);
    board_close(&board);
    /* A second start programs nothing, a debugger does. */
    options.flash[0].path = write_file("other", other, sizeof(other));
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_memory_equal(board.nor[0].memory, code, sizeof(code));
    board_close(&board);
    options.reflash[0] = options.flash[0];
    options.reflash_count = 1;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_memory_equal(board.nor[0].memory, other, sizeof(other));
    board_close(&board);
    options.reflash_count = 0;
    options.flash_count = 0;
    options.fresh = true;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_int_equal(board.nor[0].memory[0], 0xff);
    board_close(&board);
}

static void keys_stand_one_behind_the_other(void **state)
{
    const uint8_t *area;

    (void)state;
    options.keys[0] = write_file("a.pem", p256_pem, strlen(p256_pem));
    options.keys[1] = write_file("b.pem", ed25519_pem, strlen(ed25519_pem));
    options.key_count = 2;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    area = board.nor[0].memory + layout_area(&board.layout, "keys")->offset;
    assert_memory_equal(area, "FKEY", 4);
    assert_int_equal(ferry_load_le32(area + 4), 91);
    assert_int_equal(area[8], 0x30);
    area += ferry_align_up(FERRY_VCHIP_KEY_HEAD + 91, FERRY_VCHIP_KEY_ALIGN);
    assert_memory_equal(area, "FKEY", 4);
    assert_int_equal(ferry_load_le32(area + 4), 44);
    area += ferry_align_up(FERRY_VCHIP_KEY_HEAD + 44, FERRY_VCHIP_KEY_ALIGN);
    assert_int_equal(area[0], 0xff);
    board_close(&board);
}

/* Every type of key that signs images, as the bootloader compares it. */
static void keys_of_every_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_KEY_COUNT; i++) {
        const struct test_key *key = &test_keys[i];
        options.keys[0] = write_file("key.pem", key->private_pem, strlen(key->private_pem));
        options.key_count = 1;
        options.fresh = true;
        assert_int_equal(board_open(&board, &options, why), FERRY_OK);
        const uint8_t *area = board.nor[0].memory + layout_area(&board.layout, "keys")->offset;
        assert_memory_equal(area, "FKEY", 4);
        assert_int_equal(ferry_load_le32(area + 4), key->public_len);
        assert_memory_equal(area + FERRY_VCHIP_KEY_HEAD, key->public_der, key->public_len);
        board_close(&board);
    }
}

/* The device's secrets: a private key of either kind, and a raw one. */
static void secrets_stand_one_behind_the_other(void **state)
{
    static const uint8_t kek[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const char x25519[] =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6Uduiwq\n"
        "-----END PRIVATE KEY-----\n";
    const uint8_t *area;

    (void)state;
    options.layout = write_file("layout.json", with_secrets, strlen(with_secrets));
    options.secrets[0] = write_file("x.pem", x25519, strlen(x25519));
    options.secrets[1] = write_file("kek", kek, sizeof(kek));
    options.secret_count = 2;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    area = board.nor[0].memory + layout_area(&board.layout, "secrets")->offset;
    assert_memory_equal(area, "FSEC", 4);
    assert_int_equal(ferry_load_le32(area + 4), 48);
    assert_memory_equal(area + 8 + 14, "\x04\x20\x77\x07\x6d\x0a", 6); /* PKCS#8 */
    area += ferry_align_up(FERRY_VCHIP_KEY_HEAD + 48, FERRY_VCHIP_KEY_ALIGN);
    assert_memory_equal(area, "FSEC", 4);
    assert_int_equal(ferry_load_le32(area + 4), 16);
    assert_memory_equal(area + 8, kek, sizeof(kek));
    area += FERRY_VCHIP_KEY_ALIGN;
    assert_int_equal(area[0], 0xff);
    board_close(&board);
}

static void a_folder_belongs_to_one_device(void **state)
{
    static struct board other;

    (void)state;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_true(board_open(&other, &options, why) < 0);
    assert_non_null(strstr(why, "is running there; end it"));
    board_close(&board);
}

/* ---- Mistakes
 * ------------------------------------------------------------------------------------- */

/* Opening fails, says both, and leaves no device behind. */
static void refused(const char *what, const char *remedy)
{
    why[0] = '\0';
    assert_true(board_open(&board, &options, why) < 0);
    if (strstr(why, what) == NULL || strstr(why, remedy) == NULL) {
        print_message("said \"%s\"\nwanted \"%s\" and \"%s\"\n", why, what, remedy);
        fail();
    }
    assert_false(device_exists());
}

static void wrong_files_make_no_device(void **state)
{
    static const uint8_t large[5000];

    (void)state;
    add_flash("loader", write_file("x", "x", 1));
    refused("no area \"loader\"", "name one of its areas");
    options.flash_count = 0;
    add_flash("keys", write_file("large", large, sizeof(large)));
    refused("too large for the area", "enlarge the area");
    options.flash_count = 0;
    add_flash("primary", "/tmp/ferry-no-such-file");
    refused("cannot read the file", "No such file");
    options.flash_count = 0;
    options.key_count = 1;
    options.keys[0] = write_file("no.pem", "no key", 6);
    refused("this is no key", "give an RSA (2048, 3072), ECDSA (P-256, P-384) or Ed25519 key");
    options.keys[0] = "/tmp/ferry-no-such-key";
    refused("cannot read the file", "No such file");
    options.key_count = 0;
    options.secret_count = 1;
    options.secrets[0] = write_file("no.kek", "seventeen bytes.", 17);
    refused("no area \"secrets\"", "add one");
    options.layout = write_file("layout.json", with_secrets, strlen(with_secrets));
    refused("secret", "this is no key");
    options.secrets[0] = write_file("pub.pem", p256_pem, strlen(p256_pem));
    refused("this is no key", "a private key (RSA-2048, P-256, X25519)");
    options.secret_count = 0;
    options.layout = NULL;
    options.layout = write_file("layout.json", "{", 1);
    refused("line 1", "comma");
    options.layout = "/tmp/ferry-no-such-layout";
    refused("cannot read the layout", "name a JSON file");
    options.layout = NULL;
    options.dir = "/tmp/ferry-no-such-folder/d";
    refused("cannot make this folder", "name one");
}

static void a_device_keeps_to_its_layout(void **state)
{
    char *text = strdup(layout_default_text);

    (void)state;
    assert_non_null(text);
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    board_close(&board);
    options.layout = write_file("same.json", text, strlen(text));
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    board_close(&board);
    memcpy(strstr(text, "swap-move\""), "overwrite\"", 10);
    options.layout = write_file("other.json", text, strlen(text));
    assert_true(board_open(&board, &options, why) < 0);
    assert_non_null(strstr(why, "made with another layout"));
    assert_non_null(strstr(why, "--new"));
    options.fresh = true;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    assert_string_equal(board.layout.images[0].strategy, "overwrite");
    board_close(&board);
    free(text);
}

static void a_flash_file_of_the_wrong_size_is_refused(void **state)
{
    (void)state;
    assert_int_equal(board_open(&board, &options, why), FERRY_OK);
    board_close(&board);
    (void)write_file("d/flash.bin", "short", 5);
    assert_true(board_open(&board, &options, why) < 0);
    assert_non_null(strstr(why, "its size is not the layout's"));
}

/* ---- The command line
 * ------------------------------------------------------------------------------- */

static int read_line(const char *first, const char *second)
{
    static char words[5][64];
    char *argv[6] = {words[0], words[1], words[2], NULL, NULL, NULL};
    int argc = 3;

    (void)snprintf(words[0], 64, "ferry-device");
    (void)snprintf(words[1], 64, "--dir");
    (void)snprintf(words[2], 64, "D");
    (void)snprintf(words[3], 64, "%s", first);
    argv[argc++] = words[3];
    if (second != NULL) {
        (void)snprintf(words[4], 64, "%s", second);
        argv[argc++] = words[4];
    }
    optind = 0; /* glibc: begin again */
    return options_read(argc, argv, &options);
}

static void options_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_line("--baud", "115200"), -1);
    assert_int_equal(options.baud, 115200);
    assert_int_equal(options.buf_size, 2048);
    assert_int_equal(options.buf_count, 4);
    assert_int_equal(options.udp, -1);
    assert_int_equal(read_line("--loss", "2.5"), -1);
    assert_int_equal(options.loss, 25000);
    assert_int_equal(read_line("--udp", "0"), -1);
    assert_int_equal(options.udp, 0);
    assert_int_equal(read_line("--flash", "bootloader=a=b"), -1);
    assert_string_equal(options.flash[0].area, "bootloader");
    assert_string_equal(options.flash[0].path, "a=b");
    assert_int_equal(read_line("--cut-how", "after"), -1);
    assert_int_equal(options.cut_how, FERRY_CUT_AFTER);
    assert_int_equal(read_line("--help", NULL), EXIT_POWERED_OFF);
}

static void wrong_options_are_usage(void **state)
{
    static const char *const wrong[][2] = {
        {"--baud", "fast"},
        {"--baud", "-1"},
        {"--baud", ""},
        {"--baud", "99999999999999999999"},
        {"--loss", "101"},
        {"--loss", "x"},
        {"--loss", "nan"},
        {"--flash", "bootloader"},
        {"--flash", "=x"},
        {"--flash", "x="},
        {"--flash", "a-name-too-long-for-it=x"},
        {"--udp", "65536"},
        {"--cut", "0"},
        {"--cut-how", "never"},
        {"--buf-size", "63"},
        {"--buf-count", "0"},
        {"--latency", "5"},
        {"--no-such", NULL},
        {"stray", NULL},
        {"--serial", NULL},
    };
    const size_t count = sizeof(wrong) / sizeof(wrong[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (read_line(wrong[i][0], wrong[i][1]) != EXIT_USAGE) {
            print_message("%s %s was taken\n", wrong[i][0], wrong[i][1]);
            fail();
        }
    }
    print_message("%zu wrong command lines\n", count);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_device_is_erased_and_keeps_its_layout),
        CASE(files_are_programmed_once),
        CASE(keys_stand_one_behind_the_other),
        CASE(keys_of_every_type),
        CASE(secrets_stand_one_behind_the_other),
        CASE(a_folder_belongs_to_one_device),
        CASE(wrong_files_make_no_device),
        CASE(a_device_keeps_to_its_layout),
        CASE(a_flash_file_of_the_wrong_size_is_refused),
        CASE(options_are_read),
        CASE(wrong_options_are_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

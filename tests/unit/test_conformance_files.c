/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance test of file systems: ours pass it, and each rule fails for one that breaks it.
 */
#include "ferry/conformance.h"
#include "port/posix/fs_posix.h"
#include "test_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES 9

static char failures[600]; /* rules that failed, each with a line feed */
static int rules;

static void report(void *context, const char *rule, const char *why)
{
    (void)context;
    rules++;
    if (why != NULL) {
        assert_true(strlen(failures) + strlen(rule) + 2 < sizeof(failures));
        (void)strcat(strcat(failures, rule), "\n");
        assert_true(strlen(why) > 10);
    }
}

static void run(const struct ferry_conformance_files *files, int wanted)
{
    struct ferry_conformance conformance = {.report = report};

    failures[0] = '\0';
    rules = 0;
    ferry_conformance_files(&conformance, files);
    assert_int_equal(rules, wanted);
    assert_int_equal(conformance.passed + conformance.failed, wanted);
}

/* ---- Files in memory, with one rule broken ------------------------------------------------ */

enum defect {
    NONE,
    MISSING_IS_EMPTY,   /* size of what is not there is 0 */
    FOLDER_IS_A_FILE,   /* size and open of a folder work */
    LEADS_OUT,          /* ".." is the folder's own name */
    IS_NOT_MADE,        /* open for writing wants a file that is there */
    IGNORES_THE_OFFSET, /* of read */
    OPENS_TRUNCATED,    /* open for writing empties */
    READS_SHORT,        /* beyond the end is a success */
    CUTS_NOTHING,       /* truncate */
    FORGETS_THE_END,    /* the last byte of every write */
    DEFECTS
};

struct broken {
    struct test_files files;
    enum defect defect;
};

static const char *real_name(const struct broken *broken, const char *name)
{
    return broken->defect == LEADS_OUT && strcmp(name, "../outside") == 0 ? "outside" : name;
}

static int broken_size(void *context, const char *name, uint32_t *size)
{
    struct broken *broken = context;
    int error = test_files_provider.size(&broken->files, real_name(broken, name), size);

    if ((broken->defect == MISSING_IS_EMPTY && error == FERRY_FS_ERR_NOT_FOUND) ||
        (broken->defect == FOLDER_IS_A_FILE && error == FERRY_FS_ERR_IS_DIRECTORY)) {
        *size = 0;
        return FERRY_FS_OK;
    }
    return error;
}

static int broken_open(void *context, const char *name, bool writing, uint32_t *size)
{
    struct broken *broken = context;
    int found = test_files_find(&broken->files, real_name(broken, name));

    if (broken->defect == IS_NOT_MADE && writing && found < 0) {
        return FERRY_FS_ERR_NOT_FOUND;
    }
    if (broken->defect != LEADS_OUT && strncmp(name, "..", 2) == 0) {
        return FERRY_FS_ERR_INVALID_NAME;
    }

    int error = test_files_provider.open(&broken->files, real_name(broken, name), writing, size);

    if (broken->defect == OPENS_TRUNCATED && writing && error == FERRY_FS_OK) {
        broken->files.files[broken->files.open].size = 0;
        *size = 0;
    }
    return error;
}

static int broken_read(void *context, uint32_t offset, uint8_t *data, size_t len)
{
    struct broken *broken = context;
    int error = test_files_provider.read(
        &broken->files, broken->defect == IGNORES_THE_OFFSET ? 0 : offset, data, len);

    return broken->defect == READS_SHORT ? FERRY_FS_OK : error;
}

static int broken_write(void *context, uint32_t offset, const uint8_t *data, size_t len)
{
    struct broken *broken = context;
    int error =
        broken->defect == CUTS_NOTHING && offset < broken->files.files[broken->files.open].size
            ? FERRY_FS_OK
            : test_files_provider.write(&broken->files, offset, data, len);

    broken->files.files[broken->files.open].bytes[offset + len - 1] ^=
        broken->defect == FORGETS_THE_END;
    return error;
}

static int broken_truncate(void *context)
{
    struct broken *broken = context;

    return broken->defect == CUTS_NOTHING ? FERRY_FS_OK
                                          : test_files_provider.truncate(&broken->files);
}

static int broken_close(void *context)
{
    return test_files_provider.close(&((struct broken *)context)->files);
}

static const struct ferry_fs_provider broken_provider = {
    .size = broken_size,
    .open = broken_open,
    .read = broken_read,
    .write = broken_write,
    .truncate = broken_truncate,
    .close = broken_close,
};

static void run_broken(enum defect defect)
{
    static struct broken broken;
    const struct ferry_conformance_files files = {.provider = &broken_provider,
                                                  .context = &broken,
                                                  .name = "tried",
                                                  .missing = "missing",
                                                  .folder = "folder",
                                                  .outside = "../outside"};

    test_files_init(&broken.files);
    test_files_put(&broken.files, "folder", "", 0);
    broken.files.files[test_files_find(&broken.files, "folder")].folder = true;
    test_files_put(&broken.files, "outside", "secret", 6);
    broken.defect = defect;
    run(&files, RULES);
    assert_int_equal(broken.files.open, -1);
    if (defect != LEADS_OUT) {
        assert_int_equal(broken.files.files[test_files_find(&broken.files, "outside")].size, 6);
    }
}

static void files_in_memory_pass(void **state)
{
    (void)state;
    run_broken(NONE);
    assert_string_equal(failures, "");
}

static void each_rule_fails(void **state)
{
    static const char *const rules_broken[DEFECTS] = {
        [MISSING_IS_EMPTY] = "files: a name of nothing is err 3\n",
        [FOLDER_IS_A_FILE] = "files: a folder is err 4\n",
        [LEADS_OUT] = "files: a name that leads out is refused\n",
        [IS_NOT_MADE] = "files: what is opened for writing is made, and can be emptied\n",
        [IGNORES_THE_OFFSET] = "files: what was written is read, at any offset\n",
        [OPENS_TRUNCATED] = "files: opening for writing keeps what is there, and tells its size\n",
        [READS_SHORT] = "files: reading beyond the end fails\n",
        [CUTS_NOTHING] = "files: emptying leaves nothing\n",
        [FORGETS_THE_END] = "files: what was written is read, at any offset\n",
    };

    (void)state;
    for (enum defect defect = NONE + 1; defect < DEFECTS; defect++) {
        run_broken(defect);
        if (strstr(failures, rules_broken[defect]) == NULL) {
            fail_msg("defect %d fails only:\n%s", (int)defect, failures);
        }
    }
    run_broken(LEADS_OUT); /* and nothing else does */
    assert_string_equal(failures, rules_broken[LEADS_OUT]);
    run_broken(READS_SHORT);
    assert_string_equal(failures, rules_broken[READS_SHORT]);
}

/* ---- A folder of this machine --------------------------------------------------------------- */

static void files_of_a_folder_pass(void **state)
{
    char folder[] = "/tmp/ferry-conformance-XXXXXX";
    char command[64];
    struct ferry_fs_posix fs;
    struct ferry_conformance_files files = {.provider = &ferry_fs_posix_provider,
                                            .context = &fs,
                                            .name = "/inner/tried",
                                            .missing = "/inner/missing",
                                            .folder = "/inner",
                                            .outside = "/inner/../../outside"};

    (void)state;
    assert_non_null(mkdtemp(folder));

    int root = open(folder, O_RDONLY | O_DIRECTORY);

    assert_int_equal(mkdirat(root, "inner", 0755), 0);
    ferry_fs_posix_init(&fs, root, 4096);
    run(&files, RULES);
    assert_string_equal(failures, "");
    files.folder = NULL;
    files.outside = NULL;
    run(&files, RULES - 2);
    assert_string_equal(failures, "");
    ferry_fs_posix_init(&fs, root, 500); /* too small for it: that is told, and nothing hangs */
    run(&files, RULES - 2);
    assert_non_null(strstr(failures, "files: what was written is read, at any offset\n"));
    assert_int_equal(fs.file, -1);
    assert_int_equal(close(root), 0);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0); /* a name that mkdtemp() made */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_in_memory_pass),
        cmocka_unit_test(each_rule_fails),
        cmocka_unit_test(files_of_a_folder_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_check.h"

#include "needs.h"
#include "cli/image/compressed.h"
#include "cli/image/sign_values.h"

#include <string.h>

/* ---- Images ------------------------------------------------------------------------- */

void bundle_images_open(struct bundle *bundle, struct bundle_images *images)
{
    for (size_t i = 0; i < bundle->count; i++) {
        struct archive_file *stored = bundle->items[i].stored;
        images->is_image[i] = false;
        images->files[i] = (struct image_file){0};
        if (stored != NULL && !stored->damaged && stored->data != NULL) {
            struct cli_buffer bytes = {stored->data, stored->len};
            stored->data = NULL; /* of a file that is named twice the first item has the bytes */
            images->is_image[i] = image_file_take(&bytes, &images->files[i]) == FERRY_OK;
        }
    }
}

void bundle_images_free(struct bundle_images *images)
{
    for (size_t i = 0; i < MANIFEST_FILES; i++) {
        if (images->is_image[i]) {
            image_file_free(&images->files[i]);
            images->is_image[i] = false;
        }
    }
}

/* As it is stored, and then what it unpacks to. */
static int verify_both(struct image_file *file, const struct key *key, char why[BUNDLE_TEXT_MAX])
{
    struct compressed inner;
    int error = image_file_verify(file, key);
    if (error != FERRY_OK) {
        return error;
    }
    error = compressed_verify(file, key, &inner);
    if (error != FERRY_OK) {
        snprintf(why, BUNDLE_TEXT_MAX, "%s", inner.wrong);
    }
    compressed_free(&inner);
    return error;
}

int bundle_verify_image(struct image_file *file, const struct key *key, char why[BUNDLE_TEXT_MAX])
{
    why[0] = '\0';
    int error = verify_both(file, key, why);
    if (error == FERRY_E_SECRET && key != NULL &&
        image_file_stated(file, key) == FERRY_E_SIGNATURE) {
        error = FERRY_E_SIGNATURE;
    }
    if (error != FERRY_OK && why[0] == '\0') {
        snprintf(why, BUNDLE_TEXT_MAX, "%s", ferry_error_text(error));
    }
    return error;
}

/* ---- One file ----------------------------------------------------------------------- */

/* "1.2.3+4" as imgtool writes it, or "1.2.3.4" as SMP does. */
static bool parse_version(const char *text, struct ferry_version *version)
{
    return sign_version(text, version) || ferry_version_parse(text, version) == FERRY_OK;
}

static void check_version(const struct manifest_file *what, const struct image_file *file,
                          struct findings *findings)
{
    struct ferry_version said;
    char version[FERRY_VERSION_TEXT_MAX];
    if (what->version_mcuboot[0] == '\0') {
        return;
    }
    ferry_version_text(&file->info.header.version, version);
    if (!parse_version(what->version_mcuboot, &said)) {
        bool is_long = strlen(what->version_mcuboot) > 40;
        findings_problem(findings, "%s: the manifest's version '%s' is none", what->file,
                         is_long ? "..." : what->version_mcuboot);
    } else if (ferry_version_compare(&said, &file->info.header.version, true) != 0) {
        findings_problem(findings, "%s is version %s, and the manifest says %s", what->file,
                         version, what->version_mcuboot);
    }
}

static void check_signature(const struct cli *cli, const struct bundle_trust *trust,
                            const char *name, struct image_file *file, struct findings *findings)
{
    if (trust->secret_path != NULL && image_file_decrypt(cli, trust->secret_path, file) != CLI_OK) {
        findings_problem(findings, "%s is not decrypted by %s", name, trust->secret_path);
        return;
    }
    char why[BUNDLE_TEXT_MAX];
    int error = bundle_verify_image(file, trust->key, why);
    if (error == FERRY_E_SECRET && trust->sealed) {
        return;
    }
    if (error == FERRY_E_SECRET) {
        findings_problem(findings, "%s is encrypted, and no key is given that decrypts it: -E",
                         name);
    } else if (error != FERRY_OK) {
        findings_problem(findings, "%s does not verify: %s", name, why);
    }
}

static void check_item(const struct cli *cli, const struct bundle_item *item,
                       struct image_file *file, const struct bundle_trust *trust,
                       struct findings *findings)
{
    char text[BUNDLE_TEXT_MAX];
    const char *fault = bundle_item_fault(item, text);
    if (fault != NULL) {
        findings_problem(findings, "%s", fault);
    }
    if (file != NULL) {
        check_version(item->what, file, findings);
        check_signature(cli, trust, item->what->file, file, findings);
    } else if (item->stored != NULL && !item->stored->damaged) {
        findings_problem(findings, "%s is no image that MCUboot knows", item->what->file);
    }
}

/* ---- All together ------------------------------------------------------------------- */

static void check_twice(const struct bundle *bundle, size_t i, struct findings *findings)
{
    const struct manifest_file *what = bundle->items[i].what;
    for (size_t other = 0; other < i; other++) {
        const struct manifest_file *before = bundle->items[other].what;
        if (strcmp(before->file, what->file) == 0) {
            findings_problem(findings, "%s is named twice by the manifest", what->file);
            return;
        }
        if (before->image == what->image && !manifest_is_pair(before, what)) {
            findings_problem(findings, "%s and %s are both for image %u", before->file, what->file,
                             what->image);
            return;
        }
    }
}

static void note_unnamed(const struct bundle *bundle, struct findings *findings)
{
    for (size_t i = 0; i < bundle->archive.count; i++) {
        const char *name = bundle->archive.files[i].name;
        bool named = strcmp(name, MANIFEST_NAME) == 0;
        for (size_t j = 0; j < bundle->count && !named; j++) {
            named = strcmp(name, bundle->items[j].what->file) == 0;
        }
        if (!named) {
            findings_note(findings, "%s is there and not named by the manifest", name);
        }
    }
}

static void check_needs(const struct bundle *bundle, const struct bundle_images *images,
                        struct findings *findings)
{
    struct needs_image list[MANIFEST_FILES];
    for (size_t i = 0; i < bundle->count; i++) {
        const struct manifest_file *what = bundle->items[i].what;
        list[i] = (struct needs_image){what->file, what->image,
                                       images->is_image[i] ? &images->files[i] : NULL};
    }
    needs_check(list, bundle->count, findings);
}

void bundle_check(const struct cli *cli, const struct bundle *bundle, struct bundle_images *images,
                  const struct bundle_trust *trust, struct findings *findings)
{
    if (bundle->manifest.has_format && bundle->manifest.format > 1) {
        findings_note(findings, "the manifest's format-version is %llu, and known are 0 and 1",
                      (unsigned long long)bundle->manifest.format);
    }
    for (size_t i = 0; i < bundle->count; i++) {
        struct image_file *file = images->is_image[i] ? &images->files[i] : NULL;
        size_t problems = findings->problems;
        check_twice(bundle, i, findings);
        /* Of a file that is named twice it was said, and its bytes are the other item's. */
        if (file != NULL || findings->problems == problems) {
            check_item(cli, &bundle->items[i], file, trust, findings);
        }
    }
    check_needs(bundle, images, findings);
    note_unnamed(bundle, findings);
}

/* ---- In words ----------------------------------------------------------------------- */

const char bundle_next[] = "get the bundle again, or make it anew: ferry bundle create";

static void join_problems(const struct findings *findings, const char *between, char *out,
                          size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < findings->count && len < cap; i++) {
        if (!findings->list[i].is_note) {
            len += (size_t)snprintf(out + len, cap - len, "%s%s", len > 0 ? between : "",
                                    findings->list[i].text);
        }
    }
}

int bundle_refuse(const struct cli *cli, const char *path, const struct findings *findings)
{
    static char why[FINDINGS_MAX * (FINDING_TEXT_MAX + 16)];
    join_problems(findings, cli->json ? "; " : "\n  why:  ", why, sizeof why);
    return cli_fail_why(cli, CLI_VERIFY, why, bundle_next, "%s does not verify: %zu thing%s wrong",
                        path, findings->problems, findings->problems == 1 ? " is" : "s are");
}

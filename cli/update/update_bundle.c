/* SPDX-License-Identifier: Apache-2.0 */
/* An update by a bundle: its images become those of the run. Where it has an image once for each
 * slot, the device is asked which slot is free. */
#include "cli/bundle/bundle_check.h"
#include "cli/first/b0.h"
#include "cli/image/compressed.h"
#include "cli/group/image_list.h"
#include "update_run.h"

#include <string.h>
#include <sys/stat.h>

bool update_is_bundle(const char *path)
{
    uint8_t head[4];
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false; /* what can be read once is left to who reads it */
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t n = fread(head, 1, sizeof head, file);
    fclose(file);
    return bundle_looks_like(head, n);
}

/* ---- From the bundle to the run ----------------------------------------------------- */

/* The files of one image. */
struct files {
    size_t at[2]; /* in the bundle */
    size_t count;
};

/* Move the bytes of an image to another, which stays where it is, and verify them there. */
static int move_image(const struct cli *cli, struct image_file *from, struct image_file *to,
                      const char *name)
{
    struct cli_buffer bytes = from->bytes;
    from->bytes = (struct cli_buffer){0};
    int error = image_file_take(&bytes, to);
    error = error == FERRY_OK ? image_file_verify(to, NULL) : error;
    return error == FERRY_OK || error == FERRY_E_SECRET
               ? CLI_OK
               : cli_fail_error(cli, CLI_VERIFY, error, "%s does not verify", name);
}

static int find_files(const struct cli *cli, const struct bundle *bundle, uint32_t image,
                      struct files *files)
{
    files->count = 0;
    for (size_t i = 0; i < bundle->count; i++) {
        if (bundle->items[i].what->image != image) {
            continue;
        }
        if (files->count == 2) {
            return cli_fail(cli, CLI_VERIFY, "make it with one file for an image and slot",
                            "the bundle has more than two files for image %u", (unsigned)image);
        }
        files->at[files->count++] = i;
    }
    return CLI_OK;
}

/* Which of two builds of a bootloader is for S0: the one for the lower address.
 * Returns 0 or 1, or below 0 after a message. */
static int find_s0(const struct cli *cli, const struct bundle_images *images,
                   const struct files *files)
{
    struct ferry_first_info info[2];
    for (size_t i = 0; i < 2; i++) {
        if (b0_info_of(&images->files[files->at[i]], &info[i]) != FERRY_OK) {
            (void)cli_fail(cli, CLI_VERIFY, "number the images, or give each its slot",
                           "the bundle has two files for one image, and they are no bootloader's "
                           "builds for S0 and S1");
            return -1;
        }
    }
    if (info[0].address == info[1].address) {
        (void)cli_fail(cli, CLI_VERIFY, "give the build for S0 and the one for S1",
                       "both builds of the bootloader are for address 0x%x",
                       (unsigned)info[0].address);
        return -1;
    }
    return info[0].address < info[1].address ? 0 : 1;
}

/* Put the files of an image into its item: an only one without a slot is the image, of the others
 * one is chosen when the device was asked. */
static int add_image(struct update_run *run, const struct bundle *bundle,
                     struct bundle_images *images, const struct files *files)
{
    struct update_item *item = &run->items[run->count++];
    const struct manifest_file *first = bundle->items[files->at[0]].what;
    *item = (struct update_item){.image = first->image, .choice = UPDATE_BY_SLOT};
    int s0 = 0;
    if (!first->has_slot) {
        item->choice = files->count == 2 ? UPDATE_BY_B0 : UPDATE_GIVEN;
        s0 = files->count == 2 ? find_s0(run->cli, images, files) : 0;
    }
    int code = s0 < 0 ? CLI_VERIFY : CLI_OK;
    for (size_t i = 0; i < files->count && code == CLI_OK; i++) {
        const struct manifest_file *what = bundle->items[files->at[i]].what;
        size_t slot = what->has_slot ? what->slot : (size_t)s0 ^ i;
        compressed_warn(what->file, &images->files[files->at[i]]);
        struct image_file *to = item->choice == UPDATE_GIVEN ? &item->file : &item->build[slot];
        snprintf(item->names[slot], sizeof item->names[slot], "%s", what->file);
        code = move_image(run->cli, &images->files[files->at[i]], to, what->file);
    }
    item->path = item->names[0];
    if (item->choice == UPDATE_GIVEN) {
        image_file_sha256(&item->file, item->sha);
    }
    return code;
}

static int add_images(struct update_run *run, const struct bundle *bundle,
                      struct bundle_images *images)
{
    struct files files;
    int code = CLI_OK;
    for (uint32_t image = 0; image < 256 && code == CLI_OK; image++) {
        code = find_files(run->cli, bundle, image, &files);
        if (code == CLI_OK && files.count > 0 && run->count == ITEMS_MAX) {
            code = cli_fail(run->cli, CLI_VERIFY, "update in several steps, by N=FILE",
                            "the bundle has more than %u images", ITEMS_MAX);
        }
        if (code == CLI_OK && files.count > 0) {
            code = add_image(run, bundle, images, &files);
        }
    }
    return code;
}

int update_take_bundle(struct update_run *run, const char *path)
{
    static struct bundle bundle;
    static struct bundle_images images;
    static struct findings findings;
    struct key key = {0};
    if (run->image != 0) {
        return cli_usage(run->cli, "a bundle says which images it has: leave -n out");
    }
    int code = run->key_path != NULL ? key_load(run->cli, run->key_path, &key) : CLI_OK;
    code = code == CLI_OK ? bundle_open(run->cli, path, &bundle) : code;
    if (code == CLI_OK) {
        const struct bundle_trust trust = {.key = run->key_path != NULL ? &key : NULL,
                                           .sealed = true};
        bundle_images_open(&bundle, &images);
        bundle_check(run->cli, &bundle, &images, &trust, &findings);
        findings_tell_notes(&findings);
        code = findings.problems > 0 ? bundle_refuse(run->cli, path, &findings)
                                     : add_images(run, &bundle, &images);
        bundle_images_free(&images);
        bundle_free(&bundle);
    }
    key_free(&key);
    return code;
}

/* ---- What the device has free
 * -------------------------------------------------------------------- */

static bool has_hash(const struct image_file *build, const struct ferry_image_state *state)
{
    return build->info.digest_len > 0 && build->info.digest_len == state->hash_len &&
           memcmp(build->info.digest, state->hash, state->hash_len) == 0;
}

/* The slot to update: the one that does not run, unless what runs is a file of the bundle already;
 * the first where nothing runs, as in recovery. */
static size_t free_slot(const struct update_item *item, const struct image_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct ferry_image_state *state = &list->states[i];
        if (state->image != item->image || !state->active) {
            continue;
        }
        for (size_t slot = 0; slot < 2; slot++) {
            if (has_hash(&item->build[slot], state)) {
                return slot;
            }
        }
        return state->slot == 0 ? 1 : 0;
    }
    return 0;
}

static int ask_slot(struct update_run *run, const struct update_item *item, size_t *slot)
{
    struct image_list list;
    if (item->choice == UPDATE_BY_B0) {
        uint32_t runs;
        int code = update_ask_b0(run, &runs);
        *slot = runs == 0 ? 1 : 0;
        return code;
    }
    int code = image_list_read(&run->session, &list);
    if (code == CLI_OK) {
        *slot = free_slot(item, &list);
    }
    return code;
}

int update_choose_build(struct update_run *run, struct update_item *item)
{
    size_t slot = 0;
    int code = ask_slot(run, item, &slot);
    if (code != CLI_OK) {
        return code;
    }
    if (item->names[slot][0] == '\0') {
        return cli_fail(run->cli, CLI_VERIFY, "make the bundle with a file for each slot",
                        "the bundle has no file for slot %zu of image %u, which is the free one",
                        slot, (unsigned)item->image);
    }
    item->path = item->names[slot];
    if (!run->cli->json) {
        fprintf(stderr, "image %u: %s is for slot %zu\n", (unsigned)item->image, item->path, slot);
    }
    code = move_image(run->cli, &item->build[slot], &item->file, item->path);
    image_file_sha256(&item->file, item->sha);
    return code;
}

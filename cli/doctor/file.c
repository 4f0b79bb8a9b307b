/* SPDX-License-Identifier: Apache-2.0 */
/* Would the file be taken? Nothing of it is sent. */
#include "doctor.h"
#include "cli/image/image_file.h"
#include "cli/update/update_run.h"

#include <string.h>

/* The largest image that a slot of image 0 takes; 0 = not told. */
static uint32_t room(const struct doctor *doctor)
{
    uint32_t most = 0;
    for (size_t i = 0; i < doctor->slot_count; i++) {
        const struct ferry_slot_info *slot = &doctor->slots[i];
        uint32_t size = slot->max_image_size > 0 ? slot->max_image_size : slot->size;
        most = slot->image == 0 && size > most ? size : most;
    }
    return most;
}

static const struct ferry_image_state *find(const struct doctor *doctor,
                                            const struct image_file *file)
{
    for (size_t i = 0; i < doctor->image_count; i++) {
        const struct ferry_image_state *state = &doctor->images[i];
        if (state->hash_len == file->info.digest_len &&
            memcmp(state->hash, file->info.digest, state->hash_len) == 0) {
            return state;
        }
    }
    return NULL;
}

static void compare(const struct doctor *doctor, const struct image_file *file,
                    struct doctor_finding *finding)
{
    char version[FERRY_VERSION_TEXT_MAX];
    uint32_t most = room(doctor);
    const struct ferry_image_state *there = find(doctor, file);

    ferry_version_text(&file->info.header.version, version);
    if (most > 0 && file->bytes.len > most) {
        doctor_fail(finding, CLI_VERIFY, "slot and trailer leave less room than the image takes",
                    "shrink the image, or enlarge the slot",
                    "version %s has %zu bytes, the device takes %u", version, file->bytes.len,
                    (unsigned)most);
    } else if (there != NULL && there->active) {
        doctor_ok(finding, "version %s, %zu bytes, digest good; it runs on the device already",
                  version, file->bytes.len);
    } else {
        doctor_ok(finding, "version %s, %zu bytes, digest good%s%s", version, file->bytes.len,
                  there != NULL ? "; it is on the device already" : "",
                  most > 0 ? "; it fits" : "");
    }
}

/* What the reader of files has to say goes into the finding. */
static void take_failure(void *context, const struct cli_failure *failure)
{
    doctor_fail(context, failure->exit_code, failure->why, failure->next, "%s", failure->what);
}

void doctor_file(struct doctor *doctor, struct doctor_finding *finding)
{
    struct cli told = *doctor->cli;
    struct image_file file;

    if (doctor->file == NULL) {
        doctor_skip(finding, "none was given");
        return;
    }
    if (update_is_bundle(doctor->file)) {
        doctor_skip(finding, "a bundle: ferry bundle verify %s", doctor->file);
        return;
    }
    told.told = take_failure;
    told.told_context = finding;
    if (image_file_read(&told, doctor->file, &file) != CLI_OK) {
        return;
    }
    int error = image_file_verify(&file, NULL);
    if (error != FERRY_OK && error != FERRY_E_SECRET) {
        doctor_fail(finding, CLI_VERIFY, ferry_error_text(error), ferry_error_remedy(error),
                    "%s does not verify", doctor->file);
    } else {
        compare(doctor, &file, finding);
    }
    image_file_free(&file);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Is there anything in the slots that an update would stumble over? */
#include "doctor.h"

#include <string.h>

/* One trouble, by the state of an image. */
struct trouble {
    const char *fact;
    const char *why;
    const char *next;
};

static const struct trouble unconfirmed = {
    "runs unconfirmed", "it is on trial: the next reset takes the old image back",
    "keep it: ferry image confirm; or go back: ferry reset"};
static const struct trouble pending = {
    "waits for a reset", "it was put to test or confirmed: an upload is refused until then",
    "install it: ferry reset; or drop it: ferry image erase"};
static const struct trouble not_bootable = {"is not bootable",
                                            "it does not verify, or its flags say so",
                                            "upload it again: ferry update FILE"};

static const struct trouble *trouble_of(const struct ferry_image_state *state)
{
    if (state->active && !state->confirmed) {
        return &unconfirmed;
    }
    if (state->pending && !state->active) {
        return &pending;
    }
    return state->active && !state->bootable ? &not_bootable : NULL;
}

static void ask_slots(struct doctor *doctor)
{
    struct ferry_client_answer answer;

    if (doctor_read(doctor, FERRY_SMP_GROUP_IMAGE, FERRY_SMP_IMAGE_SLOT_INFO, NULL, NULL,
                    &answer) != FERRY_OK) {
        return;
    }
    int count = ferry_answer_slot_info(answer.payload, doctor->slots, DOCTOR_IMAGES_MAX);
    doctor->slot_count = count > 0 ? ferry_min32((uint32_t)count, DOCTOR_IMAGES_MAX) : 0;
}

/* "image 0 slot 0: 1.0.0, active, confirmed; …" */
static void describe(const struct doctor *doctor, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < doctor->image_count && len < cap; i++) {
        const struct ferry_image_state *state = &doctor->images[i];
        len += (size_t)snprintf(out + len, cap - len, "%simage %u slot %u: %s%s%s%s",
                                i > 0 ? "; " : "", (unsigned)state->image, (unsigned)state->slot,
                                state->version, state->active ? " active" : "",
                                state->confirmed ? " confirmed" : "",
                                state->pending ? " pending" : "");
    }
    uint32_t largest = 0;
    for (size_t i = 0; i < doctor->slot_count; i++) {
        if (doctor->slots[i].max_image_size > largest) {
            largest = doctor->slots[i].max_image_size;
        }
    }
    if (largest > 0 && len < cap) {
        snprintf(out + len, cap - len, "; takes images of up to %u bytes", (unsigned)largest);
    }
}

void doctor_slots(struct doctor *doctor, struct doctor_finding *finding)
{
    char text[300];

    if (!doctor->has_images) {
        doctor_skip(finding, "the device does not list images: its server has no image group");
        return;
    }
    ask_slots(doctor);
    describe(doctor, text, sizeof text);
    for (size_t i = 0; i < doctor->image_count; i++) {
        const struct trouble *trouble = trouble_of(&doctor->images[i]);
        if (trouble != NULL) {
            doctor_warn(finding, trouble->why, trouble->next, "image %u, slot %u %s (%s)",
                        (unsigned)doctor->images[i].image, (unsigned)doctor->images[i].slot,
                        trouble->fact, text);
            return;
        }
    }
    doctor_ok(finding, "%s", text[0] != '\0' ? text : "no image is listed");
}

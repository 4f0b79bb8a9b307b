/* SPDX-License-Identifier: Apache-2.0 */
/* What a program asks of a device, one blocking call each, on a connection of ferry/connection.h.
 * Part of libferry-client.
 *
 *   struct ferry_failure failure;
 *   struct ferry_connection *device;
 *   if (ferry_device_open(&device, "serial:/dev/ttyACM0", &failure) != FERRY_OK ||
 *       ferry_device_update(device, file, NULL, &proof, &failure) != FERRY_OK) {
 *       fprintf(stderr, "%s\n  next: %s\n", failure.text, failure.remedy);
 *   }
 *
 * Every call returns FERRY_OK, or a count, or a negative error; failure, which may be NULL, then
 * says it in words. FERRY_E_REFUSED: the device said no, failure->status has its code.
 * FERRY_E_TIMEOUT: no answer. FERRY_E_IO: the wire broke; ferry_connection_reopen() may mend it.
 * After FERRY_OK failure is left as it was. */
#ifndef FERRY_DEVICE_H
#define FERRY_DEVICE_H

#include "ferry/connection.h"
#include "ferry/update.h"

struct ferry_failure {
    int error;
    struct ferry_smp_status status; /* of FERRY_E_REFUSED; its reason is empty */
    char text[320];                 /* what, and why */
    char remedy[320];               /* what to do next; may be "" */
};

/* Open the wire of a URI and ask how the device speaks.
 * device is closed with ferry_connection_close(); NULL after an error. */
FERRY_MUST_CHECK
int ferry_device_open(struct ferry_connection **device, const char *uri,
                      struct ferry_failure *failure);

/* ---- Any command ------------------------------------------------------------------------- */

/* Send one command and wait for its answer.
 *
 * op      FERRY_SMP_READ or FERRY_SMP_WRITE
 * payload one CBOR map
 * answer  its payload is valid until the next call with this device; read it with ferry/cbor.h or a
 *         ferry_answer_…() */
FERRY_MUST_CHECK
int ferry_device_ask(struct ferry_connection *device, uint8_t op, uint16_t group, uint8_t id,
                     struct ferry_bytes payload, struct ferry_client_answer *answer,
                     struct ferry_failure *failure);

/* Wait for the answer to a ticket of a ferry_command_…(); as above. */
FERRY_MUST_CHECK
int ferry_device_wait(struct ferry_connection *device, int32_t ticket,
                      struct ferry_client_answer *answer, struct ferry_failure *failure);

/* ---- The common ones ----------------------------------------------------------------------- */

/* Have text come back. out gets at most cap - 1 bytes of it and a NUL. */
FERRY_MUST_CHECK
int ferry_device_echo(struct ferry_connection *device, const char *text, char *out, size_t cap,
                      struct ferry_failure *failure);

/* The images on the device. Returns how many there are, which may be above cap. */
FERRY_MUST_CHECK
int ferry_device_images(struct ferry_connection *device, struct ferry_image_state *states,
                        size_t cap, struct ferry_failure *failure);

/* Have the image with this hash started at the next reset, for a test; it is taken back at the
 * reset after it unless it is confirmed. */
FERRY_MUST_CHECK
int ferry_device_test(struct ferry_connection *device, struct ferry_bytes hash,
                      struct ferry_failure *failure);

/* Keep an image for good; hash.len 0: the one that runs. With a hash it is sent again only when the
 * list says that the image runs: else, after a crash that brought the old image back, it would
 * install for good what crashed. FERRY_E_TIMEOUT then, and nothing is known: read the list. */
FERRY_MUST_CHECK
int ferry_device_confirm(struct ferry_connection *device, struct ferry_bytes hash,
                         struct ferry_failure *failure);

/* Erase a slot; below 0: the one that is not running. */
FERRY_MUST_CHECK
int ferry_device_erase(struct ferry_connection *device, int slot, struct ferry_failure *failure);

/* Reset the device. A device that goes without an answer, as some do, has done it. */
FERRY_MUST_CHECK
int ferry_device_reset(struct ferry_connection *device, struct ferry_failure *failure);

/* ---- Firmware -------------------------------------------------------------------------------- */

struct ferry_device_firmware {
    uint32_t image;    /* number of the image on the device */
    bool no_downgrade; /* a version that is not newer is refused */
    bool test_only;    /* update: end when the image is pending; no reset */
    bool no_confirm;   /* update: leave it on trial; the next reset takes it back */

    /* Told of what happens, may be NULL; the text of an event is valid during the call. To give up
     * return false: the call ends with FERRY_E_CANCELLED. While an update waits for a wire that is
     * away, it is told of FERRY_UPDATE_RECONNECT several times a second. */
    bool (*upload_event)(void *context, const struct ferry_upload_event *event);
    bool (*update_event)(void *context, const struct ferry_update_event *event);
    void *context;
};

/* Send a signed MCUboot image to the slot that is not running; start it with ferry_device_test()
 * and ferry_device_reset(). It goes on where an earlier upload of the same file ended.
 *
 * file      the image's bytes, as `ferry sign` and imgtool write them
 * firmware  NULL: image 0, and no switches
 *
 * Returns also FERRY_E_MAGIC, FERRY_E_TLV and others of ferry_image_inspect(), and FERRY_E_DIGEST,
 * before anything is sent: the file is no whole image. */
FERRY_MUST_CHECK
int ferry_device_upload(struct ferry_connection *device, struct ferry_bytes file,
                        const struct ferry_device_firmware *firmware,
                        struct ferry_failure *failure);

/* The whole update with proof, as ferry/update.h has it: upload, test, reset, wait, compare,
 * confirm, read back. A wire that breaks once something was to be changed may stay away for 30 s,
 * at a reset for as long as the device: it goes on then. At the end the facts of the connection are
 * those of the firmware that runs.
 *
 * proof  what the device listed of the image at the end; may be NULL
 *
 * Returns as ferry_device_upload(), and the errors of struct ferry_update_event: FERRY_E_REVERTED,
 * FERRY_E_NO_IMAGE, FERRY_E_DOWNGRADE and others. */
FERRY_MUST_CHECK
int ferry_device_update(struct ferry_connection *device, struct ferry_bytes file,
                        const struct ferry_device_firmware *firmware,
                        struct ferry_image_state *proof, struct ferry_failure *failure);

#endif

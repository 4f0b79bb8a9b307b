/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `ferry sign`: imgtool's names. */
#ifndef CLI_IMAGE_SIGN_OPTIONS_H
#define CLI_IMAGE_SIGN_OPTIONS_H

#include "firmware_file.h"
#include "image_build.h"
#include "cli/layout/room.h"

struct sign_arguments {
    struct image_build build;
    const char *key_paths[IMAGE_KEYS];
    size_t key_count;
    bool have_version;
    bool have_slot_size, have_align, have_max_sectors, have_erased;
    bool production;              /* no key that everybody has */
    bool auto_counter;            /* the counter is the version's */
    const char *encrypt_path;     /* NULL: not encrypted */
    const char *outside_path;     /* a signature made outside, in base64; NULL: none */
    const char *outside_key_path; /* the public key it is of */
    const char *signature_path;   /* where the signature is to go too, in base64; NULL: nowhere */
    const char *vendor;
    const char *class_name;
    const char *layout_path;       /* NULL: no layout */
    uint32_t layout_image;         /* of the layout */
    struct layout *layout;         /* read; on the heap, NULL: none */
    struct room room;              /* of its image: what build.room refers to */
    struct firmware_options input; /* how IN is read */
    unsigned output_form;          /* FIRMWARE_BIN or FIRMWARE_HEX; 0: by the name of OUT */
    bool has_hex_addr;
    uint32_t hex_addr; /* where a HEX file has the image */
    char **rest;       /* IN and OUT */
};

/* What `ferry sign --help` prints of them. */
extern const char sign_options_help[];

/* Read the command line. After a message returns an enum cli_exit; free the claims in any case. */
FERRY_MUST_CHECK
int sign_options_read(struct cli *cli, int argc, char **argv, struct sign_arguments *a);

#endif

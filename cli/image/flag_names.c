/* SPDX-License-Identifier: Apache-2.0 */
#include "flag_names.h"

#include "ferry/image.h"

const struct flag_name flag_names[] = {
    {1, "PIC"},
    {FERRY_IMAGE_ENCRYPTED_AES128, "ENCRYPTED_AES128"},
    {FERRY_IMAGE_ENCRYPTED_AES256, "ENCRYPTED_AES256"},
    {FERRY_IMAGE_NON_BOOTABLE, "NON_BOOTABLE"},
    {FERRY_IMAGE_RAM_LOAD, "RAM_LOAD"},
    {FERRY_IMAGE_ROM_FIXED, "ROM_FIXED"},
    {FERRY_IMAGE_LZMA1, "COMPRESSED_LZMA1"},
    {FERRY_IMAGE_LZMA2, "COMPRESSED_LZMA2"},
    {FERRY_IMAGE_ARM_THUMB, "COMPRESSED_ARM_THUMB"},
    {0, NULL},
};

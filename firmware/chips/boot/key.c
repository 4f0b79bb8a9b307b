/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/boot/key.h"

/* Made by the build: `ferry getpub` of the key that FERRY_CHIP_KEY names. */
#include "key_bytes.h"

const struct ferry_image_key product_key = {ecdsa_pub_key, sizeof(ecdsa_pub_key)};

/* SPDX-License-Identifier: Apache-2.0 */
/* The layout a device has when none is given: the text of device/layout.json. */
#include "layout.h"

/* clang-format off */
const char layout_default_text[] =
    "{\n"
    "  \"flash\": [\n"
    "    {\n"
    "      \"name\": \"internal\",\n"
    "      \"sectors\": [{ \"count\": 256, \"size\": \"4K\" }],\n"
    "      \"write_size\": 8,\n"
    "      \"erased_value\": 255,\n"
    "      \"no_second_write\": true\n"
    "    }\n"
    "  ],\n"
    "  \"areas\": [\n"
    "    { \"name\": \"bootloader\", \"device\": \"internal\", \"offset\": \"0x00000\", \"size\": \"176K\" },\n"
    "    { \"name\": \"keys\",       \"device\": \"internal\", \"offset\": \"0x2c000\", \"size\": \"4K\" },\n"
    "    { \"name\": \"store\",      \"device\": \"internal\", \"offset\": \"0x2e000\", \"size\": \"8K\" },\n"
    "    { \"name\": \"primary\",    \"device\": \"internal\", \"offset\": \"0x30000\", \"size\": \"256K\" },\n"
    "    { \"name\": \"secondary\",  \"device\": \"internal\", \"offset\": \"0x70000\", \"size\": \"256K\" }\n"
    "  ],\n"
    "  \"images\": [\n"
    "    { \"primary\": \"primary\", \"secondary\": \"secondary\", \"strategy\": \"swap-move\" }\n"
    "  ],\n"
    "  \"max_align\": 8,\n"
    "  \"max_sectors\": 128,\n"
    "  \"no_downgrade\": false,\n"
    "  \"keys\": []\n"
    "}\n";
/* clang-format on */

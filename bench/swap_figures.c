/* SPDX-License-Identifier: Apache-2.0 */
/* MCUboot's figures, as data. "overwrite" is its OVERWRITE_ONLY_FAST, which copies what is used. */
#include "bench/swap_figures.h"

#include <stddef.h>
#include <string.h>

static const struct swap_figures table[] = {
    {"swap-scratch",
     1,
     SWAP_EQUAL,
     0,
     {153, 51, 51, 51, 615672, 757, 1024425, 51},
     {.erases = 153, .written = 615680, .read = 1024251, .hottest = 51}},
    {"swap-scratch",
     4,
     SWAP_EQUAL,
     0,
     {158, 51, 51, 56, 614784, 646, 1024425, 14},
     {.erases = 158, .written = 614792, .read = 1024251, .hottest = 14}},
    {"swap-move",
     0,
     SWAP_EQUAL,
     0,
     {152, 101, 51, 0, 615640, 754, 1024213, 2},
     {.erases = 153,
      .primary = 101,
      .secondary = 52,
      .written = 615680,
      .read = 1024251,
      .hottest = 2}},
    {"swap-offset",
     0,
     SWAP_EQUAL,
     0,
     {102, 51, 51, 0, 410448, 505, 819639, 1},
     {.erases = 105,
      .primary = 51,
      .secondary = 54,
      .written = 410504,
      .read = 819626,
      .hottest = 3}},
    {"overwrite", 0, SWAP_EQUAL, 0, {53, 51, 2, 0, 204776, 201, 614448, 1}, {.erases = 0}},
    {"swap-scratch", 1, SWAP_FULL, 260462, {.erases = 193, .written = 783304}, {.erases = 0}},
    {"swap-scratch", 4, SWAP_FULL, 260462, {.erases = 196, .written = 782152}, {.erases = 0}},
    {"swap-move", 0, SWAP_FULL, 253862, {.erases = 188, .written = 763384}, {.erases = 189}},
    {"swap-offset", 0, SWAP_FULL, 253862, {.erases = 126, .written = 508944}, {.erases = 129}},
    {"swap-scratch", 1, SWAP_GROW, 0, {.erases = 153}, {.erases = 0}},
    {"swap-scratch", 1, SWAP_SHRINK, 0, {.erases = 153}, {.erases = 0}},
    {"swap-move", 0, SWAP_GROW, 0, {.erases = 152}, {.erases = 0}},
    {"swap-move", 0, SWAP_SHRINK, 0, {.erases = 152}, {.erases = 0}},
    {"swap-offset", 0, SWAP_GROW, 0, {.erases = 78, .written = 312144}, {.erases = 0}},
    {"swap-offset", 0, SWAP_SHRINK, 0, {.erases = 78, .written = 312144}, {.erases = 0}},
    {"overwrite", 0, SWAP_GROW, 0, {.erases = 53}, {.erases = 0}},
    {"overwrite", 0, SWAP_SHRINK, 0, {.erases = 28}, {.erases = 0}},
};

const struct swap_figures *swap_figures_find(const char *strategy, uint32_t scratch,
                                             enum swap_scene scene)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].strategy, strategy) == 0 && table[i].scratch == scratch &&
            table[i].scene == scene) {
            return &table[i];
        }
    }
    return NULL;
}

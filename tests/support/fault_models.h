/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong, as a table: each row one way in which an operation ends that was cut short or
 * failed, a bit that flips at rest, a reset at the wrong moment. */
#ifndef FAULT_MODELS_H
#define FAULT_MODELS_H

#include "fault_chip.h"

enum fault_kind {
    FAULT_CUT,   /* the power fails at an erase or program */
    FAULT_ERROR, /* an erase or program answers FERRY_E_FLASH, and the code goes on */
    FAULT_FLIP,  /* a bit of a trailer flips while the power is off */
    FAULT_RESET  /* the power fails between the last operation of a boot and the application */
};

struct fault_model {
    const char *name;
    char letter; /* in ids */
    enum fault_kind kind;
    bool for_ever; /* of FAULT_ERROR: again and again at that place */
    /* What still happens of the operation. NULL for flip and reset. */
    void (*happen)(const struct fault_op *op);
};

extern const struct fault_model fault_models[];
extern const size_t fault_model_count;

/* The model of a letter, or NULL. */
const struct fault_model *fault_model_find(char letter);

/* An operation as it should be. */
void fault_model_complete(const struct fault_op *op);

#endif

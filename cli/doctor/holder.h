/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are known to take serial ports. */
#ifndef CLI_DOCTOR_HOLDER_H
#define CLI_DOCTOR_HOLDER_H

struct holder_words {
    const char *why;
    const char *next;
};

/* What to do about the programs in a text of ferry_serial_holders(), "" among them: then whoever
 * has the port is not to be seen. */
struct holder_words holder_explain(const char *holders);

#endif

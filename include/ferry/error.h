/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the library: one list makes the enum, the names, the texts and
 * the remedies. Numbers on the wire are another type (ferry/smp.h). */
#ifndef FERRY_ERROR_H
#define FERRY_ERROR_H

/* The result of such a function may not be dropped. */
#define FERRY_MUST_CHECK __attribute__((warn_unused_result))

/* X(name, number, what happened, what to do next) */
#define FERRY_ERRORS(X)                                                                            \
    X(SHORT, -1, "the input ends too early", "send or read the whole of it")                       \
    X(SPACE, -2, "the result does not fit the buffer", "give a larger buffer")                     \
    X(FORMAT, -3, "the bytes are not of this format", "check where the data come from")            \
    X(TYPE, -4, "a value has another type than the format asks for", "check the sender")           \
    X(DEPTH, -5, "nested too deeply", "send a flatter map")                                        \
    X(RANGE, -6, "a number is out of its range", "use a value inside the documented range")        \
    X(NOT_FOUND, -7, "there is no such thing", "list what there is")                               \
    X(CRC, -8, "the checksum does not match", "send it again; if it stays, check the line")        \
    X(BOUNDS, -9, "the access lies outside the flash area", "check offsets and the layout file")   \
    X(ALIGN, -10, "the access is not aligned to the flash", "align to write size and sectors")     \
    X(FLASH, -11, "the flash device failed", "power-cycle; if it stays, the part is worn out")     \
    X(NOT_ERASED, -12, "program of flash that is not erased", "erase the sector first")            \
    X(POWER, -13, "the power is off", "start again")                                               \
    X(MAGIC, -14, "no image: the header magic is wrong", "give a signed MCUboot image")            \
    X(IMAGE_SIZE, -15, "the sizes in the image header do not fit", "sign the image again")         \
    X(TLV, -16, "the TLV area is damaged", "sign the image again")                                 \
    X(TLV_AREA, -17, "a TLV stands in the wrong area", "sign with a tool that protects it")        \
    X(TLV_UNKNOWN, -18, "a protected TLV is unknown here", "update the bootloader first")          \
    X(DIGEST, -19, "the digest does not match: the image is damaged", "transfer it again")         \
    X(NO_SIGNATURE, -20, "the image is not signed", "sign it with the product's key")              \
    X(NO_KEY, -21, "no key here matches the signer's", "sign with a key this product knows")       \
    X(SIGNATURE, -22, "the signature does not verify", "sign again with the right key")            \
    X(UNSUPPORTED, -23, "not supported in this build", "use a build that has it")                  \
    X(CONFIG, -24, "the configuration is wrong", "correct the named field")                        \
    X(LAYOUT, -25, "the slots do not fit the strategy", "correct the layout file")                 \
    X(TOO_LARGE, -26, "the image is too large for its slot", "shrink it or enlarge the slot")      \
    X(STATE, -27, "not possible in the present state", "look at the state first: image list")      \
    X(DOWNGRADE, -28, "the version is not newer", "raise the version or allow downgrades")         \
    X(BUSY, -29, "busy", "try again a little later")                                               \
    X(TIMEOUT, -30, "no answer in time", "check cable, port and baud rate; is it powered?")        \
    X(REFUSED, -31, "the device refused", "see the group and code it gave")                        \
    X(REVERTED, -32, "the device went back to the old image", "see the boot log for the reason")   \
    X(IO, -33, "the connection failed", "check that the port is there and free")                   \
    X(FULL, -34, "no room left", "erase what is not needed")                                       \
    X(STUCK, -35, "the device asks for the same offset again and again", "erase the slot, retry")  \
    X(MISMATCH, -36, "the device holds something else than was sent", "upload again")              \
    X(NO_IMAGE, -37, "no image that may run", "recover over serial, or program by debugger")       \
    X(VERSION, -38, "the protocol version is not supported", "use SMP version 1 or 2")             \
    X(CANCELLED, -39, "cancelled", "start it again when wanted")                                   \
    X(ADDRESS, -40, "the image is linked for another address", "give the one built for this slot") \
    X(COUNTER, -41, "the security counter is below the device's", "sign with a higher counter")    \
    X(DEPENDENCY, -42, "it needs another image that is not there", "install both in one go")       \
    X(VENDOR, -43, "the image is another vendor's", "give the image of this product")              \
    X(CLASS, -44, "the image is for another class of device", "give the image of this product")    \
    X(REVOKED, -45, "the signer's key was revoked", "sign with the product's present key")         \
    X(DEVELOPMENT_KEY, -46, "signed with a known development key", "sign with the product's key")  \
    X(SECRET, -47, "no key here decrypts the image", "encrypt it for this product's public key")   \
    X(SET, -48, "another image of the set may not run", "see the reasons of the other images")     \
    X(IN_USE, -49, "the running or the fallback image needs it", "install another image first")    \
    X(INVALIDATED, -50, "the first stage gave this bootloader up", "install a newer one")          \
    X(NOT_CHOSEN, -51, "the first stage did not start it",                                         \
      "sign it with a key of the first stage")                                                     \
    X(OLD_STAGE, -52, "the first stage wants a newer bootloader", "b0 sign with a higher version") \
    X(USED_UP, -53, "the first stage's counter is used up", "no later bootloader can be counted")  \
    X(FRAGMENT, -54, "the device takes packets that are too small for SMP",                        \
      "raise its ATT_MTU to 65, or build it with reassembly")                                      \
    X(COMPRESSED, -85, "the image is compressed, and this bootloader has no decompressor",         \
      "sign it without --compression")                                                             \
    X(UNLOCK_TIME, -86, "the key may not unlock for so long", "ask for less time")                 \
    X(NO_OWNER, -93, "nothing here has names that begin so", "check it up to the first slash")

enum ferry_error {
    FERRY_OK = 0,
#define FERRY_ERROR_ENUM(name, number, text, remedy) FERRY_E_##name = number,
    FERRY_ERRORS(FERRY_ERROR_ENUM)
#undef FERRY_ERROR_ENUM
};

/* Name ("FERRY_E_CRC"), text and remedy of an error number.
 *
 * error  any number; sizes (0 and above) count as FERRY_OK
 *
 * Returns a constant string, never NULL; for a number outside the list
 * "FERRY_E_?", "unknown error" and "". */
const char *ferry_error_name(int error);
const char *ferry_error_text(int error);
const char *ferry_error_remedy(int error);

#endif

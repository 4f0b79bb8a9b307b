/* SPDX-License-Identifier: Apache-2.0 */
/* Words for the codes on the wire: what each means and what to do next. Names are those of
 * MCUmgr, so that they can be searched for.  [smp.md §1.6, §1.8, §3] */
#include "ferry/access.h"
#include "ferry/smp.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- Codes that mean the same everywhere ---------------------------------------- */

static const struct ferry_smp_words unknown_code = {
    "UNKNOWN_CODE", "a code that is not in the protocol's tables",
    "look it up in the sources of the device's firmware"};

static const struct ferry_smp_words user_code = {
    "EPERUSER", "a code of the application's own",
    "look it up in the sources of the device's firmware"};

/* Codes 0 and 1 of every group; the tables of the groups begin at 2. */
static const struct ferry_smp_words common_table[] = {
    [0] = {"OK", "done", ""},
    [1] = {"UNKNOWN", "the command failed and the device does not say why",
           "look at the device's log"},
};

/* ---- SMP-level codes, the "rc" of an answer -------------------------------------- */

static const struct ferry_smp_words rc_table[] = {
    [FERRY_RC_OK] = {"EOK", "done", ""},
    [FERRY_RC_UNKNOWN] = {"EUNKNOWN", "the command failed and the device does not say why",
                          "use SMP version 2 for a precise code, or look at the device's log"},
    [FERRY_RC_NO_MEMORY] = {"ENOMEM", "the device has no free buffer or memory",
                            "send fewer requests at once, or give the server more buffers"},
    [FERRY_RC_INVALID] = {"EINVAL", "an argument is missing, wrong or could not be decoded",
                          "check the arguments; the device may know an older form of the command"},
    [FERRY_RC_TIMEOUT] = {"ETIMEOUT", "the device waited too long for something",
                          "try again; if it stays, look at the device's log"},
    [FERRY_RC_NO_ENTRY] = {"ENOENT", "the device has no such thing", "list what it has first"},
    [FERRY_RC_BAD_STATE] = {"EBADSTATE", "not possible in the device's present state",
                            "look at the state (image list), then confirm, erase or reset"},
    [FERRY_RC_MESSAGE_SIZE] = {"EMSGSIZE", "the answer does not fit the device's buffer",
                               "ask for less at once, or give the server larger buffers"},
    [FERRY_RC_NOT_SUPPORTED] = {"ENOTSUP", "the device does not know this command",
                                "build its firmware with this command, or use another"},
    [FERRY_RC_CORRUPT] = {"ECORRUPT", "the request is shorter than its header says",
                          "send it again; if it stays, check line and packet size"},
    [FERRY_RC_BUSY] = {"EBUSY", "the device is busy",
                       "try again a little later; a refused reset can be forced"},
    [FERRY_RC_ACCESS_DENIED] = {"EACCESSDENIED", "the application does not allow this command",
                                "unlock the device (ferry unlock -k KEY), or use a connection that "
                                "may do this"},
    [FERRY_RC_TOO_OLD] = {"UNSUPPORTED_TOO_OLD", "the device no longer speaks this SMP version",
                          "use SMP version 2"},
    [FERRY_RC_TOO_NEW] = {"UNSUPPORTED_TOO_NEW", "the device does not speak this SMP version yet",
                          "use SMP version 1, or version 2 if this was above it"},
};

/* ---- Group os -------------------------------------------------------------------- */

static const struct ferry_smp_words os_table[] = {
    [2] = {"INVALID_FORMAT", "the format text has a letter the device does not know",
           "use the letters s n r v b m p i o, or a for all"},
    [3] = {"QUERY_YIELDS_NO_ANSWER", "the bootloader information has no such entry",
           "ask without a query for the bootloader's name, or for \"mode\""},
    [4] = {"RTC_NOT_SET", "the device's clock was never set", "set the date and time first"},
    [5] = {"RTC_COMMAND_FAILED", "the device's clock did not take or give the time",
           "check the clock's driver and its battery"},
    [6] = {"QUERY_RESPONSE_VALUE_NOT_VALID", "the bootloader left a value that makes no sense",
           "check that bootloader and firmware share the same boot data"},
    [7] = {"HEAP_STATS_FETCH_FAILED", "the device could not read its heap's statistics",
           "build its firmware with heap statistics"},
};

/* ---- Group image ------------------------------------------------------------------ */

static const struct ferry_smp_words image_table[] = {
    [2] = {"FLASH_CONFIG_QUERY_FAIL", "the device could not read its flash layout",
           "check the partitions in the firmware's device tree"},
    [3] = {"NO_IMAGE", "the slot holds no image", "upload an image first"},
    [4] = {"NO_TLVS", "the image in the slot has no TLV area",
           "upload an image that was signed (the signed file, not the plain binary)"},
    [5] = {"INVALID_TLV", "the TLV area of the image is damaged", "sign it again and upload it"},
    [6] = {"TLV_MULTIPLE_HASHES_FOUND", "the image carries more than one hash",
           "sign it again, once, from the plain binary"},
    [7] = {"TLV_INVALID_SIZE", "a TLV of the image has a wrong size",
           "sign it with the hash the device's firmware is built for"},
    [8] = {"HASH_NOT_FOUND", "no slot holds an image of this hash",
           "take the hash that image list shows, not the digest of the file"},
    [9] =
        {"NO_FREE_SLOT", "no slot may be overwritten or erased now",
         "confirm the running image, or reset; with one slot only, use the bootloader's recovery"},
    [10] = {"FLASH_OPEN_FAILED", "the device has no such slot or could not open its flash",
            "check the slot or image number against image list"},
    [11] = {"FLASH_READ_FAILED", "the flash could not be read",
            "power-cycle; if it stays, check the flash driver and the part"},
    [12] = {"FLASH_WRITE_FAILED", "the flash could not be written",
            "erase the slot and upload again; if it stays, the part is worn out"},
    [13] = {"FLASH_ERASE_FAILED", "the flash could not be erased",
            "power-cycle and try again; if it stays, the part is worn out"},
    [14] = {"INVALID_SLOT", "there is no slot of this number",
            "take a number from image list (image 1 has the slots 2 and 3)"},
    [15] = {"NO_FREE_MEMORY", "the device ran out of memory", "give its firmware a larger heap"},
    [16] = {"FLASH_CONTEXT_ALREADY_SET", "the device is writing another image already",
            "wait for that upload to end, or reset the device"},
    [17] = {"FLASH_CONTEXT_NOT_SET", "the device has no upload open",
            "begin the upload again at offset 0"},
    [18] = {"FLASH_AREA_DEVICE_NULL", "the slot's flash device does not exist",
            "check the flash driver and the partitions in the firmware"},
    [19] = {"INVALID_PAGE_OFFSET", "the device found no flash page at this offset",
            "check the partitions in the firmware against the flash part"},
    [20] = {"INVALID_OFFSET", "the upload request has no offset",
            "use a client that sends \"off\" with every chunk"},
    [21] = {"INVALID_LENGTH", "the first upload request does not tell the image's length",
            "use a client that sends \"len\" with the first chunk"},
    [22] =
        {"INVALID_IMAGE_HEADER", "the image header is cut short, or of an image it cannot take",
         "is it compressed? ferry inspect FILE tells; raise the packet size to 32 bytes or more"},
    [23] = {"INVALID_IMAGE_HEADER_MAGIC", "the file is not a MCUboot image",
            "upload the signed image, not a hex, ELF or plain binary file"},
    [24] = {"INVALID_HASH",
            "the hash is missing or of a wrong length, or the image does not verify",
            "give the whole hash that image list shows; sign with the product's key"},
    [25] = {"INVALID_FLASH_ADDRESS", "the image is linked for another slot's address",
            "upload the build made for the slot that does not run now"},
    [26] = {"VERSION_GET_FAILED", "the version of the running image could not be read",
            "upload without asking for an upgrade"},
    [27] = {"CURRENT_VERSION_IS_NEWER", "the running version is newer, or the same",
            "raise the version when signing, or allow the downgrade (no --no-downgrade)"},
    [28] = {"IMAGE_ALREADY_PENDING", "another image waits for the next boot already",
            "reset to let it be installed, or erase its slot, then try again"},
    [29] = {"INVALID_IMAGE_VECTOR_TABLE", "the image's vector table makes no sense",
            "check that header size and link address fit the slot, and sign again"},
    [30] = {"INVALID_IMAGE_TOO_LARGE", "the image does not fit the slot",
            "shrink the image or enlarge the slot; slot info tells the largest size"},
    [31] = {"INVALID_IMAGE_DATA_OVERRUN", "a chunk reaches beyond the image's length",
            "begin the upload again with the right file"},
    [32] = {"IMAGE_CONFIRMATION_DENIED", "this image may not be confirmed now",
            "test it first: boot it, then confirm it while it runs"},
    [33] = {"IMAGE_SETTING_TEST_TO_ACTIVE_DENIED", "the running image cannot be put to test",
            "name the image in the other slot, or confirm this one"},
    [34] = {"ACTIVE_SLOT_NOT_KNOWN", "the device cannot tell which slot it runs from",
            "check that bootloader and firmware share the same boot data"},
};

/* ---- Group stat ------------------------------------------------------------------- */

static const struct ferry_smp_words stat_table[] = {
    [2] = {"INVALID_GROUP", "the statistics group is damaged on the device",
           "check how the firmware registers it"},
    [3] = {"INVALID_STAT_NAME", "the device has no statistics of this name",
           "list the names first (stat list)"},
    [4] = {"INVALID_STAT_SIZE", "a counter has a width the device cannot send",
           "use counters of 16, 32 or 64 bits in the firmware"},
    [5] = {"WALK_ABORTED", "the device stopped in the middle of the counters",
           "ask again; if it stays, give the server larger buffers"},
};

/* ---- Group settings --------------------------------------------------------------- */

static const struct ferry_smp_words settings_table[] = {
    [2] = {"KEY_TOO_LONG", "the key is longer than the device takes",
           "use a shorter key, or raise the name length in the firmware"},
    [3] = {"KEY_NOT_FOUND", "the device has no setting of this key",
           "check the spelling; a setting may have to be written first"},
    [4] = {"READ_NOT_SUPPORTED", "this setting cannot be read",
           "give the firmware's handler a function to get it"},
    [5] = {"ROOT_KEY_NOT_FOUND", "no part of the firmware owns the first part of this key",
           "check the spelling up to the first slash"},
    [6] = {"WRITE_NOT_SUPPORTED", "this setting cannot be written",
           "give the firmware's handler a function to set it"},
    [7] = {"DELETE_NOT_SUPPORTED", "this setting cannot be deleted",
           "use a settings backend that can delete"},
    [8] = {"SAVE_NOT_SUPPORTED", "the device cannot save this, or not a part of the tree",
           "save everything: leave out the name"},
};

/* ---- Group fs --------------------------------------------------------------------- */

static const struct ferry_smp_words fs_table[] = {
    [2] = {"FILE_INVALID_NAME", "the path is not valid on the device",
           "give an absolute path that begins with a mount point"},
    [3] = {"FILE_NOT_FOUND", "there is no such file on the device",
           "check path, mount point and case"},
    [4] = {"FILE_IS_DIRECTORY", "the path names a directory", "give the path of a file"},
    [5] = {"FILE_OPEN_FAILED", "the file could not be opened",
           "check that its directory exists and few files are open"},
    [6] = {"FILE_SEEK_FAILED", "the offset could not be reached in the file",
           "ask for the file's length first; it may have shrunk"},
    [7] = {"FILE_READ_FAILED", "the file could not be read",
           "try again; if it stays, check the file system"},
    [8] = {"FILE_TRUNCATE_FAILED", "the old content could not be cut off",
           "delete the file first, or use another name"},
    [9] = {"FILE_DELETE_FAILED", "the old file could not be deleted",
           "close the file on the device, or use another name"},
    [10] = {"FILE_WRITE_FAILED", "the file could not be written",
            "make room on the device's file system"},
    [11] = {"FILE_OFFSET_NOT_VALID", "the device expects another offset",
            "go on at the length the answer gives, or begin again at 0"},
    [12] = {"FILE_OFFSET_LARGER_THAN_FILE", "the offset lies beyond the end of the file",
            "ask for the file's length first"},
    [13] = {"CHECKSUM_HASH_NOT_FOUND", "the device cannot compute this kind of hash",
            "ask for the kinds it has; crc32 is the usual one"},
    [14] = {"MOUNT_POINT_NOT_FOUND", "no file system is mounted at this path",
            "check the first part of the path, and that the file system was mounted"},
    [15] = {"READ_ONLY_FILESYSTEM", "the file system is read-only",
            "mount it writable in the firmware, or use another one"},
    [16] = {"FILE_EMPTY", "the file is empty", "write something to it first"},
    [17] = {"FILE_CLOSE_FAILED", "the file could not be closed: its end may not be stored",
            "compare its hash, and write it again if that differs"},
};

/* ---- Group shell ------------------------------------------------------------------ */

static const struct ferry_smp_words shell_table[] = {
    [2] = {"COMMAND_TOO_LONG", "the command line is longer than the device's shell takes",
           "send a shorter line, or enlarge the shell's command buffer"},
    [3] = {"EMPTY_COMMAND", "the command line is empty", "give a command"},
};

/* ---- Group enum ------------------------------------------------------------------- */

static const struct ferry_smp_words enum_table[] = {
    [2] = {"TOO_MANY_GROUP_ENTRIES", "more groups were asked for than the device takes",
           "ask for fewer groups at once"},
    [3] = {"INSUFFICIENT_HEAP_FOR_ENTRIES", "the device has too little heap for the list",
           "ask for fewer groups at once, or give the firmware a larger heap"},
    [4] = {"INDEX_TOO_LARGE", "there are fewer groups than this index",
           "ask for the count first; indexes begin at 0"},
};

/* ---- Group transport -------------------------------------------------------------- */

static const struct ferry_smp_words transport_table[] = {
    [2] = {"MISSING_REQUIRED_FUNCTIONS", "the transport lacks functions that bridging needs",
           "use another transport, or complete it in the firmware"},
    [3] = {"MISSING_INFO_FUNCTIONS", "the transport cannot describe itself",
           "connect without asking for its modes"},
    [4] = {"INVALID_TRANSPORT", "the device has no transport of this number",
           "list the transports first"},
    [5] = {"INVALID_MODE", "the transport has no mode of this number", "list its modes first"},
    [6] = {"ALL_CONTEXTS_USED", "all bridges of the device are in use", "disconnect one first"},
    [7] = {"BOTH_TRANSPORT_AND_ALL", "one transport and all of them were named",
           "name one transport, or all"},
    [8] = {"NOT_BRIDGED", "this transport is not bridged", "look at the bridge's status first"},
    [9] = {"SAME_DEVICE", "a transport cannot be bridged to itself", "name another transport"},
    [10] = {"INGOING_NOT_SUPPORTED", "the transport cannot take requests for a bridge",
            "send from another transport"},
    [11] = {"OUTGOING_NOT_SUPPORTED", "the transport cannot pass requests on",
            "bridge to another transport"},
    [12] = {"INCOMING_ALREADY_BRIDGED", "this side is bridged already", "disconnect it first"},
    [13] = {"OUTGOING_ALREADY_BRIDGED", "the other side is bridged already", "disconnect it first"},
    [14] = {"CONNECT_PARAMETER_MISSING", "a parameter of the connection is missing",
            "ask for the transport's configuration and give what it requires"},
    [15] = {"CONNECT_PARAMETER_INVALID", "a parameter of the connection is wrong",
            "check its type and range in the transport's configuration"},
    [16] = {"CONNECT_PARAMETER_NOT_SUPPORTED", "a parameter of the connection is not supported",
            "leave it out"},
    [17] = {"CONNECT_FAILED", "the other device could not be reached",
            "check that it is on, in reach and not connected elsewhere"},
};

/* ---- Group basic ------------------------------------------------------------------ */

static const struct ferry_smp_words basic_table[] = {
    [2] = {"FLASH_OPEN_FAILED", "the storage partition could not be opened",
           "check that the firmware has a storage partition"},
    [3] = {"FLASH_CONFIG_QUERY_FAIL", "the layout of the storage partition could not be read",
           "check the partitions in the firmware's device tree"},
    [4] = {"FLASH_ERASE_FAILED", "the storage partition could not be erased",
           "power-cycle and try again; if it stays, the part is worn out"},
};

/* ---- Groups ----------------------------------------------------------------------- */

struct group {
    uint16_t id;
    const char *name;
    const struct ferry_smp_words *words; /* NULL: its errors are all SMP-level */
    size_t count;
};

/* ---- Group access, Ferry's own [docs/SERVER.md, "Unlocking"] ----------------------- */

static const struct ferry_smp_words access_table[] = {
    [FERRY_ACCESS_ERR_NO_KEY] = {"NO_KEY", "the device does not know this key",
                                 "use the key whose public half it was made with"},
    [FERRY_ACCESS_ERR_LEVEL] = {"LEVEL", "the key or this connection may not have that level",
                                "ask for less, or use another key or connection"},
    [FERRY_ACCESS_ERR_TIME] = {"TIME", "the key may not unlock for so long", "ask for less time"},
    [FERRY_ACCESS_ERR_NO_CHALLENGE] = {"NO_CHALLENGE", "the challenge was used or has expired",
                                       "ask for a new one and sign it at once"},
    [FERRY_ACCESS_ERR_SIGNATURE] = {"SIGNATURE", "the signature does not verify",
                                    "sign the device's id and nonce with the private half of the "
                                    "key that is named"},
    [FERRY_ACCESS_ERR_WAIT] =
        {"WAIT", "too many unlocks failed here, or too many others are unlocked",
         "try again in a second; if it stays, somebody else tries, too, or lock the others"},
    [FERRY_ACCESS_ERR_UNAVAILABLE] = {"UNAVAILABLE", "this connection cannot be unlocked further",
                                      "use another connection; ferry access shows what this one "
                                      "may"},
    [FERRY_ACCESS_ERR_NO_TRANSPORT] = {"NO_TRANSPORT", "the device has no transport of this number",
                                       "ask for a lower number"},
};

#define GROUP(id, name, table)                                                                     \
    {                                                                                              \
        FERRY_SMP_GROUP_##id, name, table, COUNT(table)                                            \
    }

static const struct group groups[] = {
    GROUP(OS, "os", os_table),
    GROUP(IMAGE, "image", image_table),
    GROUP(STAT, "stat", stat_table),
    GROUP(SETTINGS, "settings", settings_table),
    {FERRY_SMP_GROUP_LOG, "log", NULL, 0},
    {FERRY_SMP_GROUP_CRASH, "crash", NULL, 0},
    {FERRY_SMP_GROUP_SPLIT, "split", NULL, 0},
    {FERRY_SMP_GROUP_RUN, "run", NULL, 0},
    GROUP(FS, "fs", fs_table),
    GROUP(SHELL, "shell", shell_table),
    GROUP(ENUM, "enum", enum_table),
    GROUP(TRANSPORT, "transport", transport_table),
    GROUP(BASIC, "basic", basic_table),
    {FERRY_SMP_GROUP_TRUST, "trust", NULL, 0},
    GROUP(ACCESS, "access", access_table),
};

static const struct group *find_group(uint16_t id)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        if (groups[i].id == id) {
            return &groups[i];
        }
    }
    return NULL;
}

struct ferry_smp_words ferry_smp_rc_words(int64_t rc)
{
    enum { FIRST_USER_CODE = 256 };

    if (rc >= FIRST_USER_CODE) {
        return user_code;
    }
    return rc >= 0 && rc < (int64_t)COUNT(rc_table) ? rc_table[rc] : unknown_code;
}

struct ferry_smp_words ferry_smp_group_words(uint16_t group, int64_t rc)
{
    const struct group *found = find_group(group);

    if (rc >= 0 && rc < (int64_t)COUNT(common_table)) {
        return common_table[rc];
    }
    if (found == NULL || rc < 0 || rc >= (int64_t)found->count) {
        return unknown_code;
    }
    return found->words[rc];
}

const char *ferry_smp_group_name(uint16_t group)
{
    const struct group *found = find_group(group);

    if (found != NULL) {
        return found->name;
    }
    return group >= FERRY_SMP_GROUP_USER ? "user" : "group";
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_take.h"

static const struct option sign_options[] = {
    {"key", required_argument, NULL, 'k'},
    {"version", required_argument, NULL, 'v'},
    {"production", no_argument, NULL, OPTION_PRODUCTION},
    {"header-size", required_argument, NULL, 'H'},
    {"pad-header", no_argument, NULL, OPTION_PAD_HEADER},
    {"slot-size", required_argument, NULL, 'S'},
    {"layout", required_argument, NULL, OPTION_LAYOUT},
    {"image", required_argument, NULL, OPTION_IMAGE},
    {"align", required_argument, NULL, OPTION_ALIGN},
    {"max-align", required_argument, NULL, OPTION_MAX_ALIGN},
    {"max-sectors", required_argument, NULL, 'M'},
    {"erased-val", required_argument, NULL, 'R'},
    {"pad", no_argument, NULL, OPTION_PAD},
    {"test", no_argument, NULL, OPTION_TEST},
    {"confirm", no_argument, NULL, OPTION_CONFIRM},
    {"overwrite-only", no_argument, NULL, OPTION_OVERWRITE},
    {"endian", required_argument, NULL, 'e'},
    {"load-addr", required_argument, NULL, 'L'},
    {"rom-fixed", required_argument, NULL, 'F'},
    {"non-bootable", no_argument, NULL, OPTION_NON_BOOTABLE},
    {"sha", required_argument, NULL, OPTION_SHA},
    {"public-key-format", required_argument, NULL, OPTION_KEY_FORMAT},
    {"pure", no_argument, NULL, OPTION_PURE},
    {"pad-sig", no_argument, NULL, OPTION_PAD_SIG},
    {"vector-to-sign", required_argument, NULL, OPTION_VECTOR},
    {"fix-sig", required_argument, NULL, OPTION_FIX_SIG},
    {"fix-sig-pubkey", required_argument, NULL, OPTION_FIX_SIG_KEY},
    {"sig-out", required_argument, NULL, OPTION_SIG_OUT},
    {"security-counter", required_argument, NULL, 's'},
    {"dependencies", required_argument, NULL, 'd'},
    {"boot-record", required_argument, NULL, OPTION_BOOT_RECORD},
    {"custom-tlv", required_argument, NULL, OPTION_CUSTOM},
    {"custom-tlv-file", required_argument, NULL, OPTION_CUSTOM_FILE},
    {"vid", required_argument, NULL, OPTION_VENDOR},
    {"cid", required_argument, NULL, OPTION_CLASS},
    {"encrypt", required_argument, NULL, 'E'},
    {"encrypt-keylen", required_argument, NULL, OPTION_ENCRYPT_KEYLEN},
    {"hmac-sha", required_argument, NULL, OPTION_HMAC_SHA},
    {"clear", no_argument, NULL, 'c'},
    {"save-enctlv", no_argument, NULL, OPTION_SAVE_ENCTLV},
    {"hex-addr", required_argument, NULL, 'x'},
    {"input-format", required_argument, NULL, OPTION_INPUT_FORMAT},
    {"output-format", required_argument, NULL, OPTION_OUTPUT_FORMAT},
    {"range", required_argument, NULL, OPTION_RANGE},
    {"compression", required_argument, NULL, OPTION_COMPRESSION},
    {0},
};

int sign_options_read(struct cli *cli, int argc, char **argv, struct sign_arguments *a)
{
    int option;

    *a = (struct sign_arguments){.build = {.header_size = FERRY_IMAGE_HEADER_SIZE,
                                           .align = 1,
                                           .max_sectors = 128,
                                           .erased_value = 0xff,
                                           .encryption = {.key_len = 16}},
                                 .input = {.can_range = true}};
    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "k:v:H:S:M:R:L:F:s:d:E:ce:x:", sign_options)) !=
           -1) {
        int code = option == '?' ? CLI_USAGE : sign_take(cli, option, argc, argv, a);
        if (code != CLI_OK) {
            return code;
        }
    }
    if (argc - optind != 2 || !a->have_version || (!a->have_slot_size && a->layout_path == NULL)) {
        return cli_usage(cli, "sign needs -v VERSION, -S SLOT-SIZE or --layout FILE, IN and OUT");
    }
    a->rest = argv + optind;
    return sign_finish(cli, a);
}

const char sign_options_help[] =
    "  -k, --key KEY          private key, PEM or DER; several give several signatures "
    "(without: digest only)\n"
    "      --production       refuse keys that everybody has\n"
    "  -v, --version V        1.2.3 or 1.2.3+4\n"
    "  -H, --header-size N    bytes in front of the firmware (default 32)\n"
    "      --pad-header       insert them (else IN begins with as many zero bytes)\n"
    "  -S, --slot-size N      bytes of the slot it must fit, trailer included; 0: not checked\n"
    "      --layout FILE      the device's layout: what it says need not be given, and an image "
    "that\n"
    "                         its strategy cannot install is refused\n"
    "      --image N          which image of the layout it is (default 0)\n"
    "      --align N          write size of the flash: 1 (default) .. 32\n"
    "      --max-align N      8, 16 or 32 (default: the larger of 8 and --align)\n"
    "  -M, --max-sectors N    sectors the trailer provides for (default 128)\n"
    "      --pad              fill the slot and ask for a test in its trailer\n"
    "      --test             the same\n"
    "      --confirm          fill the slot and ask for it for good\n"
    "      --overwrite-only   the bootloader overwrites: a smaller trailer\n"
    "  -R, --erased-val V     0xff (default) or 0\n"
    "  -e, --endian E         order of the header's and TLVs' numbers: little (default) or big\n"
    "  -L, --load-addr N      ram-load: where in RAM the image, header first, is to be\n"
    "  -F, --rom-fixed N      direct-xip: the slot's address, when it runs in no other\n"
    "      --non-bootable     data, no program\n"
    "      --sha BITS         digest: auto (default: by the key), 256, 384, 512\n"
    "      --public-key-format F  hash (default) or full: how the image names its key\n"
    "      --pure             sign the image itself, not its digest (ed25519)\n"
    "      --pad-sig          ECDSA: zeros behind the signature, as MCUboot before 1.5 wants it;\n"
    "                         Ferry's bootloader refuses them\n"
    "      --vector-to-sign W write to OUT only what is to be signed: digest, or payload\n"
    "      --fix-sig FILE     a signature that was made outside, in base64, in place of -k\n"
    "      --fix-sig-pubkey KEY  the public key it is of\n"
    "      --sig-out FILE     write the signature there too, in base64\n"
    "  -s, --security-counter N  the device's counter may not be above; auto: by the version\n"
    "  -d, --dependencies D   (1,1.2.3+4),…: other images and the least versions it needs\n"
    "      --boot-record TYPE what it is in the measured boot, 12 characters at most\n"
    "      --vid ID           vendor: a UUID or a domain name\n"
    "      --cid ID           class of device: a UUID, or a name of the vendor's\n"
    "      --custom-tlv TAG VALUE  a TLV of your own, protected; TAG from 0xa0, VALUE text or 0x…\n"
    "      --custom-tlv-file TAG FILE  the same with the bytes of a file\n"
    "  -E, --encrypt KEY      encrypt for the device with this key: PEM or DER, or a file with "
    "the bytes of an AES key\n"
    "      --encrypt-keylen N bits of the AES key of the payload: 128 (default) or 256\n"
    "      --hmac-sha H       how an x25519 key wraps it: auto (default), 256, 512\n"
    "  -c, --clear            leave the payload in the clear, for the primary slot\n"
    "      --save-enctlv      the bootloader's trailers keep the wrapped key, as Ferry's do\n"
    "  -x, --hex-addr N       HEX output: address of the image (default: that of a HEX or ELF IN)\n"
    "      --output-format F  bin or hex (default: hex when OUT ends in .hex)\n"
    "      --input-format F   auto (default: by the content of IN), bin, hex, elf\n"
    "      --range FIRST-LAST of a HEX or ELF IN the data at these addresses alone\n"
    "      --compression C    disabled (default), lzma2, lzma2armthumb: for a bootloader that\n"
    "                         unpacks it; Ferry's does not\n";

# SPDX-License-Identifier: Apache-2.0
# The crypto port for chips, from exactly the third-party files it needs. It is built for the host
# too, where its tests run:
#
#   include(cmake/chip-crypto.cmake)
#   ferry_add_chip_crypto()                          # makes ferry_crypto_chip
#   target_link_libraries(bootloader PRIVATE ferry_core ferry_crypto_chip)   # in this order
#
# Installed it is share/ferry/cmake/chip-crypto.cmake, and share/ferry/scripts/fetch-deps brings the
# third-party files to share/ferry/third_party, or to any folder: FERRY_CHIP_THIRD_PARTY then.
#
# Set before the call what it is to be made of, on a Cortex-M:
#
#   FERRY_CHIP_P256    fast (9 to 12 KB), small (5 KB, the code of P-384) or tiny (3.7 KB, and
#                      less stack; ECDH takes what small has, too)
#   FERRY_CHIP_SHA256  fast (1.9 KB; HMAC has it in any case) or small (1.1 KB, a quarter slower)
set(FERRY_CHIP_ROOT ${CMAKE_CURRENT_LIST_DIR}/..)
set(FERRY_CHIP_INCLUDE ${FERRY_CHIP_ROOT}/include)
if(NOT IS_DIRECTORY ${FERRY_CHIP_INCLUDE}) # installed
    set(FERRY_CHIP_INCLUDE ${FERRY_CHIP_ROOT}/../../include)
endif()
if(NOT FERRY_CHIP_THIRD_PARTY)
    set(FERRY_CHIP_THIRD_PARTY ${FERRY_CHIP_ROOT}/third_party)
endif()

set(FERRY_CHIP_BEARSSL
    codec/ccopy.c codec/dec32be.c codec/dec64be.c codec/enc32be.c codec/enc64be.c
    ec/ec_c25519_m31.c ec/ec_p256_m31.c ec/ec_prime_i31.c ec/ec_secp256r1.c ec/ec_secp384r1.c
    ec/ec_secp521r1.c
    ec/ecdsa_i31_bits.c ec/ecdsa_i31_vrfy_raw.c
    hash/sha2big.c hash/sha2small.c
    int/i31_add.c int/i31_bitlen.c int/i31_decmod.c int/i31_decode.c int/i31_encode.c
    int/i31_fmont.c int/i31_iszero.c int/i31_modpow.c int/i31_montmul.c int/i31_muladd.c
    int/i31_ninv31.c int/i31_rshift.c int/i31_sub.c int/i31_tmont.c int/i32_div32.c
    mac/hmac.c symcipher/aes_common.c symcipher/aes_ct.c symcipher/aes_ct_ctr.c
    symcipher/aes_ct_enc.c)
list(TRANSFORM FERRY_CHIP_BEARSSL PREPEND ${FERRY_CHIP_THIRD_PARTY}/bearssl/src/)
set(FERRY_CHIP_MONOCYPHER ${FERRY_CHIP_THIRD_PARTY}/monocypher/monocypher.c)
set(FERRY_CHIP_MBEDTLS
    aes.c bignum.c cipher.c cipher_wrap.c constant_time.c md.c nist_kw.c platform_util.c rsa.c
    rsa_internal.c sha256.c)
list(TRANSFORM FERRY_CHIP_MBEDTLS PREPEND ${FERRY_CHIP_THIRD_PARTY}/mbedtls/library/)
set(FERRY_CHIP_MICROECC ${FERRY_CHIP_THIRD_PARTY}/microecc/uECC.c)
set(FERRY_CHIP_THIRDPARTY
    ${FERRY_CHIP_BEARSSL} ${FERRY_CHIP_MONOCYPHER} ${FERRY_CHIP_MBEDTLS} ${FERRY_CHIP_MICROECC})
file(GLOB FERRY_CHIP_PORT CONFIGURE_DEPENDS ${FERRY_CHIP_ROOT}/port/crypto-chip/*.c)
if(NOT FERRY_CHIP_P256)
    set(FERRY_CHIP_P256 fast)
endif()
if(NOT FERRY_CHIP_SHA256)
    set(FERRY_CHIP_SHA256 fast)
endif()

function(ferry_add_chip_crypto)
    foreach(file ${FERRY_CHIP_THIRDPARTY})
        if(NOT EXISTS ${file})
            message(FATAL_ERROR
                "Third-party source is missing: ${file}\n"
                "The chips' crypto (BearSSL, Monocypher, Mbed TLS, micro-ecc) is fetched, not kept in the repository. "
                "Run scripts/fetch-deps (make does), and configure again; or name their folder in FERRY_CHIP_THIRD_PARTY.")
        endif()
    endforeach()

    # Third-party code: none of our warnings, each function in a section of its own, so that a
    # program pays only for what it calls (with -Wl,--gc-sections).
    add_library(ferry_chip_thirdparty OBJECT ${FERRY_CHIP_THIRDPARTY})
    target_include_directories(ferry_chip_thirdparty PRIVATE
        ${FERRY_CHIP_THIRD_PARTY}/bearssl/inc ${FERRY_CHIP_THIRD_PARTY}/bearssl/src
        ${FERRY_CHIP_THIRD_PARTY}/mbedtls/include
        ${FERRY_CHIP_THIRD_PARTY}/mbedtls/library ${FERRY_CHIP_ROOT}/port/crypto-chip)
    target_compile_options(ferry_chip_thirdparty PRIVATE -w -ffunction-sections -fdata-sections)
    target_compile_definitions(ferry_chip_thirdparty PRIVATE
        BR_USE_URANDOM=0 BR_USE_UNIX_TIME=0 BLAKE2_NO_UNROLLING
        MBEDTLS_CONFIG_FILE="mbedtls_config.h"
        # One curve; 1 is the least that reduces modulo p by the curve's own way (0 is 36 times as
        # slow for 400 bytes less).
        uECC_OPTIMIZATION_LEVEL=1 uECC_SQUARE_FUNC=0 uECC_SUPPORT_COMPRESSED_POINT=0
        uECC_SUPPORTS_secp160r1=0 uECC_SUPPORTS_secp192r1=0 uECC_SUPPORTS_secp224r1=0
        uECC_SUPPORTS_secp256k1=0)

    add_library(ferry_crypto_chip STATIC
        ${FERRY_CHIP_PORT} ${FERRY_CHIP_ROOT}/port/crypto-chip/p256/${FERRY_CHIP_P256}.c
        ${FERRY_CHIP_ROOT}/port/crypto-chip/sha256/${FERRY_CHIP_SHA256}.c
        $<TARGET_OBJECTS:ferry_chip_thirdparty>)
    target_include_directories(ferry_crypto_chip SYSTEM PRIVATE
        ${FERRY_CHIP_THIRD_PARTY}/bearssl/inc ${FERRY_CHIP_THIRD_PARTY}/monocypher
        ${FERRY_CHIP_THIRD_PARTY}/mbedtls/include ${FERRY_CHIP_THIRD_PARTY}/microecc)
    target_include_directories(ferry_crypto_chip PRIVATE ${FERRY_CHIP_ROOT}/port/crypto-chip)
    target_compile_definitions(ferry_crypto_chip PRIVATE MBEDTLS_CONFIG_FILE="mbedtls_config.h")
    target_compile_options(ferry_crypto_chip PRIVATE -ffunction-sections -fdata-sections)
    target_include_directories(ferry_crypto_chip PUBLIC ${FERRY_CHIP_INCLUDE})
    if(COMMAND ferry_warnings)
        ferry_warnings(ferry_crypto_chip)
    endif()
endfunction()

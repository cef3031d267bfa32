/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp32_block - one signature block of secure boot v2: its fields, and the rules
 * that need no arithmetic with keys.
 * A sector of 4096 bytes holds up to three blocks of 1216, erased flash behind
 * them. RSA: E7 02 00 00, SHA-256, modulus, exponent, the modulus' two helper
 * numbers, signature. ECDSA: E7 03, 0 for SHA-256 or 1 for SHA-384, 00, digest,
 * curve, x and y, r and s, zeros. Numbers are little-endian. Both end in a CRC-32
 * of the first 1196 bytes and sixteen zeros (ESP-IDF, "Signature Block Format").
 */
#ifndef FG_IMAGES_ESP32_BLOCK_H
#define FG_IMAGES_ESP32_BLOCK_H

#include "crypto/digest.h"
#include "crypto/trust.h"

#define ESP32_BLOCK_LEN 1216
#define ESP32_BLOCKS_MAX 3
#define ESP32_BLOCK_MAGIC 0xe7
#define ESP32_BLOCK_SIG_MAX 384 /* RSA-3072 */

struct esp32_block {
	const char *bad;      /* NULL: sound; else why not, one sentence's part */
	const char *scheme;   /* for the report */
	bool weak;            /* P-192: no arithmetic is done for it */
	enum trust_scheme as;
	struct view digest;   /* of the image, as the block says; borrowed like all that follows */
	enum digest_alg alg;
	bool rsa;
	struct view modulus, rr; /* RSA */
	uint32_t exponent, m_prime;
	struct view x, y;        /* ECDSA */
	struct view named;       /* what the fuses hold the SHA-256 of */
	uint8_t signature[ESP32_BLOCK_SIG_MAX]; /* big-endian, as everybody else writes it */
	size_t signature_n;
	bool hidden; /* bytes that should be zero are not */
};

/* True for a place where no block was written. */
bool esp32_block_is_erased(const uint8_t bytes[ESP32_BLOCK_LEN]);
/* Borrows from bytes. */
void esp32_block_read(const uint8_t bytes[ESP32_BLOCK_LEN], struct esp32_block *ret);

#endif

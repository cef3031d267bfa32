/* SPDX-License-Identifier: Apache-2.0 */
#include "images/esp32_block.h"

#include <zlib.h>

#include "crypto/reader.h"

#define CRC_OVER 1196
#define RSA_LEN 384

bool
esp32_block_is_erased(const uint8_t bytes[ESP32_BLOCK_LEN])
{
	for (size_t i = 0; i < ESP32_BLOCK_LEN; i++)
		if (bytes[i] != 0xff)
			return false;
	return true;
}

static bool
all_zero(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != 0)
			return false;
	return true;
}

/* Appends a little-endian number as a big-endian one. */
static void
add_number(struct esp32_block *b, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		b->signature[b->signature_n++] = v.p[v.n - 1 - i];
}

static void
read_rsa(struct reader *r, const uint8_t *bytes, struct esp32_block *b)
{
	b->rsa = true;
	b->scheme = "esp32/secure-boot-v2-rsa-3072-pss-sha256";
	b->as = TRUST_RSA_PSS_SHA256;
	b->alg = DIGEST_SHA256;
	b->hidden = !all_zero(reader_take(r, 2));
	b->digest = reader_take(r, DIGEST_SHA256_LEN);
	size_t key = r->off;
	b->modulus = reader_take(r, RSA_LEN);
	b->exponent = reader_u32le(r);
	b->rr = reader_take(r, RSA_LEN);
	b->m_prime = reader_u32le(r);
	b->named = view_of(bytes + key, r->off - key);
	add_number(b, reader_take(r, RSA_LEN));
}

/* The curve's number and its point follow the digest; the shorter curves leave the end of their places zero. */
static void
read_ecdsa(struct reader *r, const uint8_t *bytes, struct esp32_block *b)
{
	uint8_t sha = reader_u8(r);
	b->hidden = !all_zero(reader_take(r, 1));
	b->scheme = "esp32/secure-boot-v2-ecdsa";
	b->as = TRUST_ECDSA_FIXED;
	b->alg = sha == 1 ? DIGEST_SHA384 : DIGEST_SHA256;
	b->digest = reader_take(r, digest_len(b->alg));
	size_t key = r->off;
	uint8_t curve = reader_u8(r);
	size_t place = sha == 1 ? 48 : 32, n = curve == 1 ? 24 : place;
	b->x = reader_take(r, n);
	b->y = reader_take(r, n);
	b->hidden = !all_zero(reader_take(r, 2 * (place - n))) || b->hidden;
	b->named = view_of(bytes + key, r->off - key);
	add_number(b, reader_take(r, n));
	add_number(b, reader_take(r, n));
	b->weak = curve == 1;
	if (curve == 1 && sha == 0)
		b->scheme = "esp32/secure-boot-v2-ecdsa-p192-sha256";
	else if (curve == 2 && sha == 0)
		b->scheme = "esp32/secure-boot-v2-ecdsa-p256-sha256";
	else if (curve == 3 && sha == 1)
		b->scheme = "esp32/secure-boot-v2-ecdsa-p384-sha384";
	else
		b->bad = "a curve and a digest that do not go together";
}

void
esp32_block_read(const uint8_t bytes[ESP32_BLOCK_LEN], struct esp32_block *ret)
{
	struct reader r;
	*ret = (struct esp32_block){ .scheme = "esp32/secure-boot-v2" };
	reader_init(&r, view_of(bytes, ESP32_BLOCK_LEN));
	uint8_t magic = reader_u8(&r), version = reader_u8(&r);
	if (magic == ESP32_BLOCK_MAGIC && version == 2)
		read_rsa(&r, bytes, ret);
	else if (magic == ESP32_BLOCK_MAGIC && version == 3)
		read_ecdsa(&r, bytes, ret);
	else
		ret->bad = "no block of version 2 or 3";
	if (ret->bad)
		return;
	ret->hidden = !all_zero(reader_take(&r, CRC_OVER - r.off)) || ret->hidden;
	if (reader_u32le(&r) != (uint32_t)crc32(0, bytes, CRC_OVER))
		ret->bad = "its checksum does not fit";
	ret->hidden = !all_zero(reader_take(&r, reader_left(&r))) || ret->hidden;
}

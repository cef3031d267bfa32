/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "crypto/base32.h"
#include "crypto/err.h"
#include "crypto/wipe.h"

#define SHA1_LEN 20
#define NAME_MAX_SHOWN 64

int
totp_value(struct view secret, uint64_t step, unsigned digits, uint32_t *ret)
{
	static const uint32_t below[] = { 1000000, 10000000, 100000000 };
	uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (digits < 6 || digits > 8 || secret.n == 0 || secret.n > 64)
		return FG_ECRYPTO;
	for (unsigned i = 0; i < sizeof counter; i++)
		counter[i] = (uint8_t)(step >> (56 - 8 * i));
	if (!HMAC(EVP_sha1(), secret.p, (int)secret.n, counter, sizeof counter, mac, &n) || n != SHA1_LEN)
		return FG_ECRYPTO;
	/* RFC 4226 section 5.3: the last nibble says where 31 bits are taken from. */
	const uint8_t *at = mac + (mac[SHA1_LEN - 1] & 15);
	uint32_t bits = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	wipe(mac, sizeof mac);
	*ret = bits % below[digits - 6];
	return FG_OK;
}

int
totp_check(struct view secret, struct view text, int64_t now, uint64_t last, uint64_t *ret_step)
{
	char want[TOTP_DIGITS + 2];
	uint64_t found = 0;
	bool any = false;
	if (now < (TOTP_SKEW + 1) * TOTP_STEP_S || text.n != TOTP_DIGITS)
		return FG_ENOTFOUND;
	uint64_t first = (uint64_t)now / TOTP_STEP_S - TOTP_SKEW;
	/* All of them, whichever it is: time says nothing of how near it was. */
	for (uint64_t step = first; step <= first + (uint64_t)2 * TOTP_SKEW; step++) {
		uint32_t value;
		int err = totp_value(secret, step, TOTP_DIGITS, &value);
		if (err)
			return err;
		snprintf(want, sizeof want, "%0*u", TOTP_DIGITS, (unsigned)(value % 1000000));
		if (wipe_equal(want, text.p, TOTP_DIGITS) && step > last) {
			found = step;
			any = true;
		}
	}
	wipe(want, sizeof want);
	if (!any)
		return FG_ENOTFOUND;
	*ret_step = found;
	return FG_OK;
}

static void
plain(const char *s, char dst[NAME_MAX_SHOWN])
{
	size_t n = 0;
	for (; *s && n < NAME_MAX_SHOWN - 1; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '.' ||
		    *s == '_' || *s == '-')
			dst[n++] = *s;
	}
	dst[n] = '\0';
}

bool
totp_uri(const char *issuer, const char *account, struct view secret, char *dst, size_t cap)
{
	char who[NAME_MAX_SHOWN], name[NAME_MAX_SHOWN], text[BASE32_CAP(64)];
	if (secret.n > 64)
		return false;
	plain(issuer, who);
	plain(account, name);
	base32_encode(secret, text);
	int n = snprintf(dst, cap, "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d", who, name, text,
	    who, TOTP_DIGITS, TOTP_STEP_S);
	wipe(text, sizeof text);
	return n > 0 && (size_t)n < cap;
}

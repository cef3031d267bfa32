/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "crypto/base64.h"
#include "crypto/decimal.h"
#include "crypto/err.h"
#include "crypto/utf8.h"
#include "crypto/wipe.h"

#define R 8 /* block size; RFC 7914 section 2 */
#define P_MAX 4

/* ---- scrypt ---- */

struct params {
	unsigned cost, p;
	uint8_t salt[PASSWORD_SALT_MAX];
	size_t salt_n;
};

static int
derive(struct view password, const struct params *m, uint8_t out[PASSWORD_HASH_LEN])
{
	uint64_t n = UINT64_C(1) << m->cost;
	/* OpenSSL's own limit, 32 MiB, is less than what a good cost takes: what this one needs, and no more. */
	uint64_t memory = 128 * R * (n + 2) + (uint64_t)128 * R * m->p + 4096;
	static const char nothing[] = "";
	return EVP_PBE_scrypt(password.n ? (const char *)password.p : nothing, password.n, m->salt, m->salt_n, n, R, m->p,
	    memory, out, PASSWORD_HASH_LEN) == 1 ? FG_OK : FG_ECRYPTO;
}

/* ---- the text ---- */

static void
put_base64(struct writer *w, struct view v)
{
	base64_encode(v, w);
	while (w->n && !writer_err(w) && w->p[w->n - 1] == '=')
		w->n--;
}

static bool
get_base64(struct view text, uint8_t *dst, size_t min, size_t max, size_t *ret_n)
{
	uint8_t padded[64];
	struct writer w;
	size_t n = text.n;
	if (n < 2 || n > sizeof padded - 4 || n % 4 == 1 || memchr(text.p, '=', n))
		return false; /* padding would be a second spelling */
	memcpy(padded, text.p, n);
	while (n % 4)
		padded[n++] = '=';
	writer_init(&w, max);
	bool good = base64_decode(view_of(padded, n), &w) == 0 && !writer_err(&w) && w.n >= min && w.n <= max;
	if (good) {
		memcpy(dst, w.p, w.n);
		*ret_n = w.n;
	}
	writer_free(&w);
	wipe(padded, sizeof padded);
	return good;
}

static int
put(const struct params *m, const uint8_t hash[PASSWORD_HASH_LEN], char ret[PASSWORD_PHC_CAP])
{
	struct writer w;
	writer_init(&w, PASSWORD_PHC_CAP - 1);
	writer_textf(&w, "$scrypt$ln=%u,r=%d,p=%u$", m->cost, R, m->p);
	put_base64(&w, view_of(m->salt, m->salt_n));
	writer_u8(&w, '$');
	put_base64(&w, view_of(hash, PASSWORD_HASH_LEN));
	int err = writer_err(&w);
	if (!err) {
		memcpy(ret, w.p, w.n);
		ret[w.n] = '\0';
	}
	writer_free(&w);
	return err;
}

int
password_hash(struct view password, unsigned cost, const uint8_t salt[PASSWORD_SALT_LEN], char ret[PASSWORD_PHC_CAP])
{
	struct params m = { .cost = cost, .p = 1, .salt_n = PASSWORD_SALT_LEN };
	uint8_t hash[PASSWORD_HASH_LEN];
	if (cost < 1 || cost > PASSWORD_COST_MAX || password.n == 0 || password.n > PASSWORD_BYTES_MAX)
		return FG_EINVAL;
	memcpy(m.salt, salt, PASSWORD_SALT_LEN);
	int err = derive(password, &m, hash);
	if (!err)
		err = put(&m, hash, ret);
	wipe(hash, sizeof hash);
	return err;
}

int
password_nobody(unsigned cost, const uint8_t random[PASSWORD_SALT_LEN + PASSWORD_HASH_LEN], char ret[PASSWORD_PHC_CAP])
{
	struct params m = { .cost = cost, .p = 1, .salt_n = PASSWORD_SALT_LEN };
	if (cost < 1 || cost > PASSWORD_COST_MAX)
		return FG_EINVAL;
	memcpy(m.salt, random, PASSWORD_SALT_LEN);
	return put(&m, random + PASSWORD_SALT_LEN, ret);
}

/* What stands before the next c, which is passed; false: there is none. */
static bool
upto(struct view *rest, char c, struct view *ret)
{
	const uint8_t *end = rest->n ? memchr(rest->p, c, rest->n) : NULL;
	if (!end)
		return false;
	*ret = view_of(rest->p, (size_t)(end - rest->p));
	*rest = view_of(end + 1, rest->n - ret->n - 1);
	return true;
}

static bool
number(struct view v, const char *key, uint64_t max, unsigned *ret)
{
	size_t n = strlen(key);
	uint64_t got;
	if (v.n <= n || memcmp(v.p, key, n) != 0 || !decimal_parse(view_of(v.p + n, v.n - n), max, &got) || got == 0)
		return false;
	*ret = (unsigned)got;
	return true;
}

static bool
parse(const char *phc, struct params *m, uint8_t hash[PASSWORD_HASH_LEN])
{
	struct view rest = view_str(phc), empty, name, ln, r, p, salt;
	size_t hash_n = 0;
	unsigned block = 0;
	return upto(&rest, '$', &empty) && empty.n == 0 && upto(&rest, '$', &name) && view_is(name, "scrypt") &&
	    upto(&rest, ',', &ln) && upto(&rest, ',', &r) && upto(&rest, '$', &p) && upto(&rest, '$', &salt) &&
	    number(ln, "ln=", PASSWORD_COST_MAX, &m->cost) && number(r, "r=", R, &block) && block == R &&
	    number(p, "p=", P_MAX, &m->p) && get_base64(salt, m->salt, 8, PASSWORD_SALT_MAX, &m->salt_n) &&
	    get_base64(rest, hash, PASSWORD_HASH_LEN, PASSWORD_HASH_LEN, &hash_n);
}

int
password_check(struct view password, const char *phc, bool *ret_is)
{
	struct params m = { .cost = 0 };
	uint8_t want[PASSWORD_HASH_LEN], got[PASSWORD_HASH_LEN];
	if (password.n > PASSWORD_BYTES_MAX || !parse(phc, &m, want))
		return FG_EFORMAT;
	int err = derive(password, &m, got);
	if (!err)
		*ret_is = wipe_equal(want, got, sizeof want);
	wipe(got, sizeof got);
	wipe(want, sizeof want);
	return err;
}

/* ---- which ones nobody may have ---- */

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* 0 for what is no text. */
static size_t
characters(struct view v)
{
	size_t n = 0;
	uint32_t code;
	for (size_t off = 0; off < v.n; n++) {
		size_t one = utf8_next(view_of(v.p + off, v.n - off), &code);
		if (!one || code == 0)
			return 0;
		off += one;
	}
	return n;
}

/* The first things anybody tries, as they stand once decoration is off. */
static bool
is_common(struct view s)
{
	static const char *const words[] = { "abc", "admin", "administrator", "changeit", "changeme", "company", "correcthorse",
		"correcthorsebatterystaple", "default", "dragon", "fotagate", "football", "gateway", "hello", "iloveyou",
		"letmein", "login", "manager", "master", "monday", "monkey", "operator", "pass", "password", "passwort",
		"princess", "qazwsx", "qwe", "qwerty", "qwertyuiop", "qwertz", "root", "secret", "service", "spring", "summer",
		"autumn", "winter", "sunshine", "superuser", "system", "test", "user", "welcome", "zaqwsx" };
	size_t off = 0;
	bool any = true;
	/* One of them, or several in a row. */
	while (any && off < s.n) {
		size_t best = 0;
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
			size_t n = strlen(words[i]);
			if (n > best && n <= s.n - off && memcmp(s.p + off, words[i], n) == 0)
				best = n;
		}
		off += best;
		any = best > 0;
	}
	return any && s.n;
}

/* Lower case, what is no letter left out; or only at both ends, and the usual figures for letters read as those. */
static size_t
letters_of(struct view v, uint8_t dst[PASSWORD_BYTES_MAX], bool figures)
{
	size_t n = 0;
	while (figures && v.n && !is_letter(lower(v.p[v.n - 1])))
		v.n--;
	while (figures && v.n && !is_letter(lower(v.p[0])))
		v = view_of(v.p + 1, v.n - 1);
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = lower(v.p[i]);
		if (figures)
			c = c == '0' ? 'o' : c == '1' || c == '!' ? 'i' : c == '3' ? 'e' : c == '4' || c == '@' ? 'a' :
			    c == '5' || c == '$' ? 's' : c;
		if (is_letter(c))
			dst[n++] = c;
	}
	return n;
}

/* Each character is the one before it, or its neighbour, or the same three again and again. */
static bool
is_sequence(struct view v)
{
	size_t near = 0, again = 0;
	for (size_t i = 1; i < v.n; i++) {
		int step = (int)lower(v.p[i]) - (int)lower(v.p[i - 1]);
		near += step >= -1 && step <= 1;
		near += (v.p[i] == '0' && v.p[i - 1] == '9') || (v.p[i] == '9' && v.p[i - 1] == '0');
	}
	for (size_t period = 2; !again && period <= 4; period++) {
		size_t same = 0;
		for (size_t i = period; i < v.n; i++)
			same += v.p[i] == v.p[i - period];
		again = same == v.n - period;
	}
	return again || near + 3 >= v.n;
}

static bool
is_own_name(struct view v, const char *account)
{
	size_t n = strlen(account);
	if (n < 3 || n > v.n || v.n - n >= 8)
		return false;
	for (size_t off = 0; off + n <= v.n; off++) {
		size_t same = 0;
		while (same < n && lower(v.p[off + same]) == lower((uint8_t)account[same]))
			same++;
		if (same == n)
			return true;
	}
	return false;
}

const char *
password_refusal(struct view v, const char *account)
{
	uint8_t letters[PASSWORD_BYTES_MAX];
	size_t n = v.n <= PASSWORD_BYTES_MAX ? characters(v) : PASSWORD_MAX + 1;
	if (n == 0 && v.n)
		return "is no text";
	if (n < PASSWORD_MIN)
		return "has fewer than 12 characters";
	if (n > PASSWORD_MAX)
		return "has more than 128 characters";
	if (is_sequence(v))
		return "is a sequence that is among the first to be tried";
	if (is_own_name(v, account))
		return "is little more than the account's own name";
	bool common = is_common(view_of(letters, letters_of(v, letters, false))) ||
	    is_common(view_of(letters, letters_of(v, letters, true)));
	wipe(letters, sizeof letters);
	return common ? "is a common word with decoration, and among the first to be tried" : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/refusal.h"

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/visible.h"

static const char *const names[REFUSAL_KINDS] = {
	[REFUSAL_NONE] = "none",
	[REFUSAL_DIGEST] = "digest",
	[REFUSAL_VERSION] = "version",
	[REFUSAL_SIGNER] = "signer",
	[REFUSAL_PATTERN] = "pattern",
};

const char *
refusal_kind_name(enum refusal_kind kind)
{
	return (unsigned)kind < REFUSAL_KINDS ? names[kind] : names[REFUSAL_NONE];
}

enum refusal_kind
refusal_kind_parse(struct view word)
{
	for (unsigned k = REFUSAL_NONE + 1; k < REFUSAL_KINDS; k++)
		if (view_is(word, names[k]))
			return (enum refusal_kind)k;
	return REFUSAL_NONE;
}

/* ---- one spelling ---- */

static bool
is_digest(struct view value)
{
	static const char digits[] = "0123456789abcdef";
	if (value.n != DIGEST_HEX_LEN)
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (!memchr(digits, value.p[i], sizeof digits - 1))
			return false;
	return true;
}

/* Where the version begins: behind the last slash, for products may have one. */
static size_t
version_at(struct view value)
{
	size_t i = value.n;
	while (i && value.p[i - 1] != '/')
		i--;
	return i;
}

static size_t
literals(struct view value)
{
	size_t n = 0;
	for (size_t i = 0; i < value.n; i++)
		n += value.p[i] != '*';
	return n;
}

bool
refusal_check(enum refusal_kind kind, struct view value, const char **ret_why)
{
	const char *why = NULL;
	if (!value.n || value.n > REFUSAL_VALUE_MAX || !visible_is_plain(value))
		why = "must be 1 to 512 printable ASCII characters";
	else if ((kind == REFUSAL_DIGEST || kind == REFUSAL_SIGNER) && !is_digest(value))
		why = "must be 64 lower-case hex digits";
	else if (kind == REFUSAL_VERSION && (version_at(value) < 2 || version_at(value) == value.n))
		why = "must be PRODUCT/VERSION";
	else if (kind == REFUSAL_PATTERN && literals(value) < REFUSAL_LITERAL_MIN)
		why = "must have at least 4 characters besides *: what stops everything is fotagate halt";
	else if (kind == REFUSAL_NONE || (unsigned)kind >= REFUSAL_KINDS)
		why = "is of no kind: digest, version, signer or pattern";
	*ret_why = why;
	return !why;
}

/* ---- matching ---- */

static bool
equal_digest(struct view value, const uint8_t digest[DIGEST_SHA256_LEN])
{
	uint8_t wanted[DIGEST_SHA256_LEN];
	return !hex_decode(value, wanted, sizeof wanted) || !memcmp(wanted, digest, sizeof wanted);
}

static bool
is_signed(struct view value, const struct refusal_facts *f)
{
	for (size_t i = 0; i < f->signers_n; i++)
		if (equal_digest(value, f->signer[i]))
			return true;
	return false;
}

/* Both may have slashes of their own: the value is what a review's two names make together, not taken apart again. */
static bool
is_version(struct view value, const struct refusal_facts *f)
{
	size_t at = f->product.n;
	if (!version_at(value))
		return true;
	return value.n == at + 1 + f->target.n && value.p[at] == '/' && view_equal(view_of(value.p, at), f->product) &&
	    view_equal(view_of(value.p + at + 1, f->target.n), f->target);
}

/* Linear in both but for the last "*" tried again: at most value.n times subject.n steps. */
static bool
is_like(struct view pattern, struct view text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool
refusal_is_everything(enum refusal_kind kind, struct view value)
{
	return kind == REFUSAL_PATTERN && is_like(value, view_str("//->/"));
}

bool
refusal_matches(enum refusal_kind kind, struct view value, const struct refusal_facts *f)
{
	switch (kind) {
	case REFUSAL_DIGEST:
		return (f->image && equal_digest(value, f->image)) || (f->made && equal_digest(value, f->made));
	case REFUSAL_VERSION:
		return f->target.n && is_version(value, f);
	case REFUSAL_SIGNER:
		return is_signed(value, f);
	case REFUSAL_PATTERN:
		return f->subject.n && is_like(value, f->subject);
	case REFUSAL_NONE:
	case REFUSAL_KINDS:
		break;
	}
	return true;
}

int
refusal_id(enum refusal_kind kind, struct view value, uint8_t out[REFUSAL_ID])
{
	uint8_t all[REFUSAL_VALUE_MAX + 16], sum[DIGEST_SHA256_LEN];
	int n = snprintf((char *)all, 16, "%s", refusal_kind_name(kind)) + 1;
	size_t take = value.n < REFUSAL_VALUE_MAX ? value.n : REFUSAL_VALUE_MAX;
	if (take)
		memcpy(all + n, value.p, take);
	int err = digest_sha256(view_of(all, (size_t)n + take), sum);
	if (!err)
		memcpy(out, sum, REFUSAL_ID);
	return err;
}

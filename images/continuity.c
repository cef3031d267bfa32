/* SPDX-License-Identifier: Apache-2.0 */
#include "images/continuity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "images/rauc_version.h"
#include "images/report.h"

static unsigned
key_bits(const char *type)
{
	if (strncmp(type, "rsa-", 4) == 0) {
		unsigned long bits = strtoul(type + 4, NULL, 10);
		if (bits >= 7680)
			return 192;
		if (bits >= 3072)
			return 128;
		return bits >= 2048 ? 112 : 80;
	}
	if (strcmp(type, "ec-p384") == 0)
		return 192;
	if (strcmp(type, "ec-p256") == 0 || strcmp(type, "ed25519") == 0)
		return 128;
	return 0;
}

unsigned
continuity_strength(const char *key_type, enum digest_alg digest)
{
	unsigned of_key = key_bits(key_type), of_digest = 0;
	switch (digest) {
	case DIGEST_SHA256:
		of_digest = 128;
		break;
	case DIGEST_SHA384:
		of_digest = 192;
		break;
	case DIGEST_SHA512:
		of_digest = 256;
		break;
	case DIGEST_NONE: /* part of the scheme: Ed25519 */
		of_digest = of_key;
		break;
	default:
		break;
	}
	return of_key < of_digest ? of_key : of_digest;
}

static bool
counts(const struct sig_result *s)
{
	return s->outcome == SIG_VERIFIED && !s->where[0];
}

/* A decimal without sign, blanks or leading zeros. */
static bool
decimal(const char *text, uint64_t *ret)
{
	uint64_t n = 0;
	if (!text[0] || (text[0] == '0' && text[1]))
		return false;
	for (const char *p = text; *p; p++)
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	*ret = n;
	return true;
}

/* Modules keep it: the date only where the updater compares it. */
static bool
is_kept(const struct report *r, const struct contents_fact *f)
{
	return f->id == CONTENTS_FACT_SECURITY_COUNTER || f->id == CONTENTS_FACT_ROLLBACK_INDEX ||
	    (f->id == CONTENTS_FACT_TIMESTAMP && r->format == FORMAT_ANDROID_OTA);
}

/* The highest of that kind and container; false: it says none. */
static bool
highest(const struct report *r, const struct contents_fact *of, uint64_t *ret)
{
	bool any = false;
	for (unsigned i = 0; i < r->contents.facts_n; i++) {
		const struct contents_fact *f = &r->contents.fact[i];
		uint64_t n;
		if (f->id != of->id || strcmp(f->path, of->path) != 0 || !is_kept(r, f) || !decimal(f->value, &n))
			continue;
		if (!any || n > *ret)
			*ret = n;
		any = true;
	}
	return any;
}

/* ---- RAUC's least version ---- */

/* Of the bundle itself. */
static const struct contents_fact *
of_bundle(const struct report *r, enum contents_fact_id id)
{
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		if (r->contents.fact[i].id == id && !r->contents.fact[i].path[0])
			return &r->contents.fact[i];
	return NULL;
}

/*
 * The settings in what it has ask for a least version; a bundle without a version, or with one that RAUC cannot compare, is
 * refused as well. Whose manifest could not be read is not known: every one of them says what it is for.
 */
static bool
below_least(const struct report *has, const struct report *older, char *ret_why, size_t cap)
{
	const struct contents_fact *version = of_bundle(older, CONTENTS_FACT_VERSION);
	if (has->format != FORMAT_RAUC_BUNDLE || older->format != FORMAT_RAUC_BUNDLE ||
	    !of_bundle(older, CONTENTS_FACT_COMPATIBLE))
		return false;
	for (unsigned i = 0; i < has->contents.facts_n; i++) {
		const struct contents_fact *f = &has->contents.fact[i];
		struct view least = view_str(f->value);
		if (f->id != CONTENTS_FACT_LEAST_VERSION || !rauc_version_is(least) ||
		    (version && rauc_version_is(view_str(version->value)) && !rauc_version_less(view_str(version->value), least)))
			continue;
		snprintf(ret_why, cap, "%s%.60s, and least-version of %s is %.60s", version ? "version " : "no version",
		    version ? version->value : "", f->path, f->value);
		return true;
	}
	return false;
}

bool
continuity_refuses(const struct report *has, const struct report *older, char *ret_why, size_t cap)
{
	for (unsigned i = 0; i < has->contents.facts_n; i++) {
		const struct contents_fact *f = &has->contents.fact[i];
		uint64_t now, then;
		if (!is_kept(has, f) || !highest(has, f, &now) || !highest(older, f, &then) || then >= now)
			continue;
		snprintf(ret_why, cap, "%s%s%s %llu after %llu", contents_fact_name(f->id), f->path[0] ? " of " : "", f->path,
		    (unsigned long long)then, (unsigned long long)now);
		return true;
	}
	return below_least(has, older, ret_why, cap);
}

void
continuity_mark(const struct report *r, const uint8_t digest[DIGEST_SHA256_LEN],
    struct continuity_mark *ret)
{
	*ret = (struct continuity_mark){ .keys_n = 0 };
	memcpy(ret->report, digest, DIGEST_SHA256_LEN);
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		if (!counts(s))
			continue;
		memcpy(ret->key[ret->keys_n++], s->signer.spki_sha256, DIGEST_SHA256_LEN);
		unsigned bits = continuity_strength(s->signer.key_type, s->digest);
		if (bits > ret->strength) {
			ret->strength = bits;
			memcpy(ret->scheme, s->scheme, sizeof ret->scheme);
		}
	}
	for (unsigned i = 0; i < r->contents.facts_n; i++) {
		const struct contents_fact *f = &r->contents.fact[i];
		struct continuity_number n = { .id = f->id };
		if ((f->id != CONTENTS_FACT_SECURITY_COUNTER && f->id != CONTENTS_FACT_TIMESTAMP &&
		        f->id != CONTENTS_FACT_ROLLBACK_INDEX) ||
		    !f->sure || ret->numbers_n == CONTINUITY_NUMBERS_MAX ||
		    !decimal(f->value, &n.value))
			continue;
		memcpy(n.path, f->path, sizeof n.path);
		ret->number[ret->numbers_n++] = n;
	}
}

static bool
has_key(const struct continuity_mark *m, const uint8_t key[DIGEST_SHA256_LEN])
{
	for (unsigned i = 0; i < m->keys_n; i++)
		if (memcmp(m->key[i], key, DIGEST_SHA256_LEN) == 0)
			return true;
	return false;
}

/* At least one key that signed this one signed an earlier one as well. */
static bool
signer_is_known(const struct continuity_mark *is, const struct continuity_mark *past, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < is->keys_n; k++)
			if (has_key(&past[i], is->key[k]))
				return true;
	return false;
}

static void
signers(struct report *r, const struct continuity_mark *is, const struct continuity_mark *past,
    unsigned n)
{
	unsigned signed_n = 0;
	for (unsigned i = 0; i < n; i++)
		signed_n += past[i].keys_n > 0;
	if (signed_n == 0)
		return;
	if (is->keys_n == 0)
		report_raise(r, FINDING_CONT_SIGNATURE_LOST, FINDING_NONE, NULL,
		    "%u of the last %u releases had a verified signature, this one has none", signed_n,
		    n);
	else if (!signer_is_known(is, past, n))
		report_raise(r, FINDING_CONT_NEW_SIGNER, FINDING_NONE, NULL,
		    "no key that signed it signed one of the last %u releases", n);
	if (is->keys_n > 0 && past[0].strength > is->strength)
		report_raise(r, FINDING_CONT_WEAKER, FINDING_NONE, NULL,
		    "%s gives %u bits, the release before had %s with %u", is->scheme, is->strength,
		    past[0].scheme, past[0].strength);
}

static const struct continuity_number *
same_number(const struct continuity_mark *m, enum contents_fact_id id, const char *path)
{
	for (unsigned i = 0; i < m->numbers_n; i++)
		if (m->number[i].id == id && strcmp(m->number[i].path, path) == 0)
			return &m->number[i];
	return NULL;
}

static bool
has_any(const struct continuity_mark *m, enum contents_fact_id id)
{
	for (unsigned i = 0; i < m->numbers_n; i++)
		if (m->number[i].id == id)
			return true;
	return false;
}

/*
 * Against the highest that any of them had: an approved rollback must not lower
 * the bar. One that is not there any more is how an image from before there was
 * one looks; inner containers change their names, so for them it is enough that
 * some number of the kind is left. A rollback index goes with its partition, which
 * a package need not carry.
 */
static void
number(struct report *r, enum contents_fact_id id, const struct continuity_mark *is,
    const struct continuity_mark *past, unsigned n)
{
	enum finding_id finding =
	    id == CONTENTS_FACT_TIMESTAMP ? FINDING_CONT_DATE_BACK : FINDING_CONT_COUNTER_BACK;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < past[i].numbers_n; k++) {
			const struct continuity_number *was = &past[i].number[k];
			const struct continuity_number *now = same_number(is, id, was->path);
			const char *gap = was->path[0] ? ": " : "";
			if (was->id != id)
				continue;
			if (now && now->value < was->value)
				report_raise(r, finding, FINDING_NONE, NULL,
				    "%s%s%s is %" PRIu64 ", a release before had %" PRIu64, was->path, gap,
				    contents_fact_name(id), now->value, was->value);
			else if (!now && id != CONTENTS_FACT_ROLLBACK_INDEX && (!was->path[0] || !has_any(is, id)))
				report_raise(r, finding, FINDING_NONE, NULL,
				    "%s%s%s is not there, a release before had %" PRIu64, was->path, gap,
				    contents_fact_name(id), was->value);
			else
				continue;
			return; /* one sentence is enough */
		}
}

/* Where it is over already, the signature itself says so. */
static void
certificates(struct report *r)
{
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		char day[REPORT_TIME_LEN];
		if (counts(s) && s->signer.not_after > r->inputs.at &&
		    s->signer.not_after - r->inputs.at < CONTINUITY_ENDS_SOON &&
		    report_time_format(s->signer.not_after, day))
			report_raise(r, FINDING_CONT_CERT_ENDS, FINDING_NONE, NULL,
			    "signature %u: the signer's certificate ends at %s", i + 1, day);
	}
}

void
continuity_raise(struct report *r, const struct continuity_mark *past, unsigned n)
{
	struct continuity_mark is;
	if (n > CONTINUITY_PAST_MAX)
		abort();
	r->inputs.have_history = true;
	r->inputs.history_n = n;
	for (unsigned i = 0; i < n; i++)
		memcpy(r->inputs.history[i], past[i].report, DIGEST_SHA256_LEN);
	if (!r->have_image)
		return;
	continuity_mark(r, past ? past[0].report : r->sha256, &is);
	certificates(r);
	if (n == 0) {
		report_raise(r, FINDING_CONT_FIRST, FINDING_NONE, NULL,
		    "no release of this product was approved before");
		return;
	}
	signers(r, &is, past, n);
	number(r, CONTENTS_FACT_SECURITY_COUNTER, &is, past, n);
	number(r, CONTENTS_FACT_ROLLBACK_INDEX, &is, past, n);
	number(r, CONTENTS_FACT_TIMESTAMP, &is, past, n);
}

/* ---- a delta's target and its base ---- */

#define VERSION_PARTS 6 /* 1.2.3.4 and two numbers of a build */

/* Decimals between dots, with a build number behind a plus: the forms whose order is beyond doubt. Their count; 0 for others. */
static unsigned
version_parts(const char *text, uint64_t ret[VERSION_PARTS])
{
	unsigned n = 0;
	for (const char *p = text;;) {
		uint64_t v = 0;
		if (*p < '0' || *p > '9' || n == VERSION_PARTS)
			return 0;
		for (; *p >= '0' && *p <= '9'; p++)
			if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
				return 0;
		ret[n++] = v;
		if (*p == '\0')
			return n;
		if (*p != '.' && *p != '+')
			return 0;
		p++;
	}
}

static bool
older(const char *now, const char *was)
{
	uint64_t a[VERSION_PARTS], b[VERSION_PARTS];
	unsigned n = version_parts(now, a);
	if (n == 0 || n != version_parts(was, b))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

/* Whether signed or not: a word of caution that is unfounded costs a look, and one that is missing an old weakness. */
static void
versions(struct report *r, const struct report *base)
{
	for (unsigned i = 0; i < r->contents.facts_n; i++) {
		const struct contents_fact *is = &r->contents.fact[i];
		for (unsigned k = 0; k < base->contents.facts_n; k++) {
			const struct contents_fact *was = &base->contents.fact[k];
			if (is->id != CONTENTS_FACT_VERSION || was->id != is->id || strcmp(is->path, was->path) != 0 ||
			    !older(is->value, was->value))
				continue;
			report_raise(r, FINDING_META_DOWNGRADE, FINDING_NONE, NULL, "%s%sversion %s, the base has %s",
			    is->path, is->path[0] ? ": " : "", is->value, was->value);
			return;
		}
	}
}

void
continuity_base(struct report *r, const struct report *base)
{
	struct continuity_mark is, was;
	if (!r->have_image || !base->have_image)
		return;
	continuity_mark(r, r->sha256, &is);
	continuity_mark(base, base->sha256, &was);
	number(r, CONTENTS_FACT_SECURITY_COUNTER, &is, &was, 1);
	number(r, CONTENTS_FACT_ROLLBACK_INDEX, &is, &was, 1);
	number(r, CONTENTS_FACT_TIMESTAMP, &is, &was, 1);
	versions(r, base);
}

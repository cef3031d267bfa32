/* SPDX-License-Identifier: Apache-2.0 */
/* walk_keys - signatures inside a container, by bare keys and as CMS. */
#include "images/walk.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/pubkey.h"
#include "crypto/published.h"
#include "crypto/rawsig.h"
#include "images/walk_internal.h"

#define ALGS DIGEST_LIMIT

/* One claim being judged; what it is over is read once an algorithm. */
struct judging {
	struct walk *w;
	const struct walk_claim *claim;
	bool have_sum[ALGS];
	uint8_t sum[ALGS][DIGEST_LEN_MAX];
	uint8_t *message; /* the span, for Ed25519 */
	bool too_long;    /* for one-shot Ed25519 (T18) */
	bool certified;   /* the best answer is about a certificate's key */
};

static int
sum_of(struct judging *j, enum digest_alg alg)
{
	int err = 0;
	if (j->have_sum[alg])
		return 0;
	if (j->claim->have_message)
		err = digest_bytes(alg, j->claim->message, j->sum[alg]);
	else
		err = walk_digest(j->w, &j->claim->span, alg, j->sum[alg]);
	j->have_sum[alg] = !err;
	return err;
}

/* The span in one piece: *ret, until the judging is over. */
static int
message_of(struct judging *j, struct view *ret)
{
	uint64_t n = 0;
	*ret = j->claim->message;
	if (j->claim->have_message)
		return 0;
	for (unsigned i = 0; i < j->claim->span.n; i++)
		n += j->claim->span.range[i].length;
	j->too_long = n > RAWSIG_ED25519_MESSAGE_MAX;
	*ret = view_of(j->message, (size_t)n);
	if (j->message || j->too_long)
		return 0;
	j->message = malloc(n ? (size_t)n : 1);
	if (!j->message)
		return FG_ENOMEM;
	size_t at = 0;
	int err = 0;
	for (unsigned i = 0; i < j->claim->span.n && !err; i++) {
		struct sig_range r = j->claim->span.range[i];
		err = source_read(j->w->image, r.offset, j->message + at, (size_t)r.length);
		at += (size_t)r.length;
	}
	*ret = view_of(j->message, (size_t)n);
	return err;
}

static int
try_key(struct judging *j, const struct trust_key *key, struct sig_result *ret)
{
	unsigned bits_min = j->w->room->policy->rsa_bits_min;
	enum digest_alg alg = rawsig_digest(key);
	struct view message;
	int err;
	*ret = (struct sig_result){ .outcome = SIG_UNKNOWN };
	if (alg != DIGEST_NONE) {
		err = sum_of(j, alg);
		if (!err)
			err = rawsig_judge_digest(key, view_of(j->sum[alg], digest_len(alg)),
			    j->claim->signature, ret);
	} else {
		err = message_of(j, &message);
		if (!err && j->too_long)
			sig_worsen(ret, SIG_OPAQUE,
			    "Ed25519 needs all it signs at once: up to 256 MiB are checked");
		else if (!err)
			err = rawsig_judge_message(key, message, j->claim->signature, ret);
	}
	if (!err && ret->outcome == SIG_VERIFIED && strncmp(key->key_type, "rsa-", 4) == 0 &&
	    strtoul(key->key_type + 4, NULL, 10) < bits_min) {
		sig_worsen(ret, SIG_WEAK, "the key is shorter than the profile demands");
		ret->reasons |= SIG_REASON_SHORT_RSA;
	}
	return err;
}

/* A sound signature by a key that does not count, or one nobody could check, says more than "not this key". */
static unsigned
telling(const struct sig_result *s)
{
	if (s->outcome == SIG_VERIFIED)
		return 3;
	if (s->outcome == SIG_WEAK || s->outcome == SIG_EXPIRED || s->outcome == SIG_REVOKED ||
	    s->outcome == SIG_UNTRUSTED)
		return 2;
	return s->outcome == SIG_OPAQUE || s->reasons;
}

/* The keys of the set, each as the format prescribes it; the best answer of all. */
static int
try_set(struct judging *j, unsigned *ret_tried, struct sig_result *best)
{
	const struct trust *t = j->w->room->trust;
	int err = 0;
	for (size_t i = 0; i < trust_keys(t) && !err && best->outcome != SIG_VERIFIED; i++) {
		struct trust_key key = *trust_key_at(t, i);
		struct sig_result one;
		if (!trust_key_for(&key, j->claim->tool))
			continue;
		if (j->claim->as != TRUST_SCHEME_NONE) {
			if (!rawsig_key_can(&key, j->claim->as))
				continue;
			key.scheme = j->claim->as;
		}
		if (j->claim->candidate && !j->claim->candidate(&key, j->claim->arg))
			continue;
		++*ret_tried;
		err = try_key(j, &key, &one);
		if (!err && telling(&one) > telling(best))
			*best = one;
	}
	return err;
}

/* The keys in the set's certificates; one that fits is judged as the certificate it came in. */
static int
try_certificates(struct judging *j, unsigned *ret_tried, struct sig_result *best)
{
	const struct walk_room *room = j->w->room;
	int err = 0;
	for (size_t i = 0; i < trust_certs(room->trust) && !err && best->outcome != SIG_VERIFIED; i++) {
		X509 *cert = trust_cert_at(room->trust, i);
		struct trust_key key = { .name = "of a certificate",
			.pkey = X509_get0_pubkey(cert),
			.scheme = j->claim->as };
		struct sig_result one;
		if (!key.pkey)
			continue;
		err = pubkey_spki_sha256(key.pkey, key.spki_sha256);
		pubkey_type(key.pkey, key.key_type);
		key.published = published_find(key.spki_sha256) != NULL;
		if (err || !rawsig_key_can(&key, key.scheme) ||
		    (j->claim->candidate && !j->claim->candidate(&key, j->claim->arg)))
			continue;
		++*ret_tried;
		err = try_key(j, &key, &one);
		if (!err && one.outcome == SIG_VERIFIED)
			err = trust_judge_cert(room->trust, room->policy, cert, NULL, room->at, &one);
		if (!err && telling(&one) > telling(best)) {
			*best = one;
			j->certified = true;
		}
	}
	return err;
}

/* The key that the file brought along: sound means untrusted, never verified. */
static int
try_embedded(struct judging *j, struct sig_result *ret)
{
	struct trust_key key = { .name = "in the file",
		.pkey = j->claim->embedded,
		.scheme = j->claim->as };
	char why[SIG_TEXT_MAX];
	int err = pubkey_spki_sha256(key.pkey, key.spki_sha256);
	if (err)
		return err;
	pubkey_type(key.pkey, key.key_type);
	key.published = published_find(key.spki_sha256) != NULL;
	if (!rawsig_key_can(&key, key.scheme)) {
		sig_worsen(ret, SIG_INVALID, "the key in the file is of another kind than its signature");
		return 0;
	}
	err = try_key(j, &key, ret);
	ret->reasons |= pubkey_reasons(key.pkey, j->w->room->policy->rsa_bits_min);
	ret->signer.anchor[0] = '\0';
	if (err || ret->outcome == SIG_WEAK || ret->outcome == SIG_OPAQUE)
		return err;
	if (ret->outcome != SIG_VERIFIED) {
		sig_worsen(ret, SIG_INVALID, "it does not fit the key in the file");
		return 0;
	}
	ret->outcome = SIG_UNTRUSTED;
	snprintf(ret->detail, sizeof ret->detail,
	    "sound under the key in the file, which the trust set does not hold");
	if (!pubkey_is_fit(key.pkey, 0, why, sizeof why))
		sig_worsen(ret, SIG_WEAK, why);
	return 0;
}

static int
judge(struct judging *j, struct sig_result *ret)
{
	struct sig_result best = { .outcome = SIG_INVALID };
	unsigned tried = 0;
	/* A signature over all of this container is there: this one may well be the device maker's own affair. */
	bool another = j->claim->several || walk_verified(j->w, j->w->under);
	int err = try_set(j, &tried, &best);
	if (!err && j->claim->certificates)
		err = try_certificates(j, &tried, &best);
	if (!err && best.outcome != SIG_VERIFIED && j->claim->embedded) {
		best = (struct sig_result){ .outcome = SIG_UNKNOWN };
		err = try_embedded(j, &best);
	} else if (best.outcome == SIG_INVALID && best.reasons) {
		best.covers_n = 0; /* it says itself what is wrong with it */
	} else if (best.outcome == SIG_INVALID && tried == 0) {
		best = (struct sig_result){ .outcome = SIG_UNTRUSTED };
		snprintf(best.detail, sizeof best.detail,
		    "the trust set holds no %s that could have made it",
		    j->claim->certificates ? "key" : "bare key");
	} else if (best.outcome == SIG_INVALID) {
		best = (struct sig_result){ .outcome = another ? SIG_UNTRUSTED : SIG_INVALID };
		snprintf(best.detail, sizeof best.detail,
		    "no %s of the trust set made it over these bytes%s",
		    j->claim->certificates ? "key" : "bare key",
		    another ? ": another key's, or broken" : "");
	}
	*ret = best;
	return err;
}

/* What verifies over nothing vouches for nothing. */
static void
over_something(const struct walk *w, struct sig_result *s)
{
	if (s->outcome == SIG_VERIFIED && s->covers_n == 0 && w->placed)
		sig_worsen(s, SIG_INVALID, "it covers no byte");
}

int
walk_keys(struct walk *w, const struct walk_claim *claim, struct walk_signed *ret)
{
	struct judging j = { .w = w, .claim = claim };
	struct walk_signed by;
	struct sig_result best;
	if ((claim->embedded || claim->certificates) && claim->as == TRUST_SCHEME_NONE)
		return FG_EINVAL;
	int err = judge(&j, &best);
	free(j.message);
	struct sig_result *s = err ? NULL : walk_place(w, &by);
	if (s) {
		char scheme[sizeof best.scheme];
		snprintf(scheme, sizeof scheme, "%s/%s", format_name(w->format),
		    best.scheme[0] ? best.scheme : "raw");
		memcpy(best.where, s->where, sizeof best.where);
		if (!j.certified)
			best.revocation = SIG_REVOCATION_NOT_APPLICABLE;
		snprintf(best.scheme, sizeof best.scheme, "%s",
		    claim->scheme ? claim->scheme : scheme);
		walk_place_covers(w, &claim->span, &best);
		over_something(w, &best);
		*s = best;
	}
	if (!err && ret)
		*ret = by;
	return err;
}

/* ---- CMS ---- */

static int
open_cms(struct walk *w, const char *scheme, struct view der, bool detached, struct cms **ret)
{
	char why[SIG_TEXT_MAX] = "not a CMS signature";
	int err = cms_open(der, detached, ret, why, sizeof why);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		*ret = NULL;
		walk_settle(w, scheme, SIG_INVALID, "%s", why);
		struct sig_set *set = &w->room->r->signatures;
		if (strcmp(why, CMS_WHY_TRAILING) == 0 && set->n && !set->overflow)
			set->result[set->n - 1].reasons |= SIG_REASON_TRAILING;
		return 0;
	}
	return err;
}

/* Judges into a set of its own, then moves in what there is room for; *ret_whole: that was all. */
static int
judge_cms(struct walk *w, const char *scheme, struct cms *c,
    const uint8_t (*sums)[DIGEST_LEN_MAX], const struct walk_span *span, struct walk_signed *ret,
    bool *ret_whole)
{
	struct sig_set *set = calloc(1, sizeof *set);
	struct sig_result covers = { .covers_n = 0 };
	if (!set)
		return FG_ENOMEM;
	walk_place_covers(w, span, &covers);
	int err = cms_judge(c, w->room->trust, w->room->policy, w->room->at, sums, covers.covers,
	    covers.covers_n, set);
	ret->first = w->room->r->signatures.n;
	for (unsigned i = 0; i < set->n && !err; i++) {
		struct walk_signed one;
		struct sig_result *s = walk_place(w, &one), *is = &set->result[i];
		if (!s)
			break;
		memcpy(is->where, s->where, sizeof is->where);
		snprintf(is->scheme, sizeof is->scheme, "%s", scheme);
		if (is->outcome == SIG_UNKNOWN)
			sig_worsen(is, SIG_INVALID, "nobody judged it");
		over_something(w, is);
		*s = *is;
		ret->n++;
	}
	*ret_whole = !err && !set->overflow && ret->n == set->n;
	/* Of a signature that nobody answers for, nobody answers for the certificates either: that is said already. */
	if (!err && !cms_is_lean(c, *ret_whole && walk_all_verified(w, *ret) ? w->room->trust : NULL))
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, NULL,
		    "%s: the signature carries attributes, revocation lists or certificates that it has no need of",
		    scheme);
	if (set->overflow)
		w->room->r->signatures.overflow = true;
	free(set);
	return err;
}

static int
detached(struct walk *w, const char *scheme, struct view der, const struct walk_span *span,
    bool lone, struct walk_signed *ret, bool *ret_lean)
{
	enum digest_alg algs[CMS_DIGESTS_MAX];
	uint8_t sums[CMS_DIGESTS_MAX][DIGEST_LEN_MAX], head[CMS_HEAD_LEN];
	struct walk_signed by = { .first = w->room->r->signatures.n };
	struct cms *c = NULL;
	bool whole = false;
	int err = open_cms(w, scheme, der, true, &c);
	unsigned n = c ? cms_digests(c, algs) : 0;
	for (unsigned i = 0; i < n && !err; i++)
		err = walk_digest(w, span, algs[i], sums[i]);
	if (!err && c) {
		size_t got = 0;
		for (unsigned i = 0; i < span->n && got < sizeof head && !err; i++) {
			size_t want = sizeof head - got;
			if (want > span->range[i].length)
				want = (size_t)span->range[i].length;
			err = source_read(w->image, span->range[i].offset, head + got, want);
			got += want;
		}
		if (!err)
			cms_content_head(c, view_of(head, got));
	}
	if (c && lone)
		cms_lone_signer(c);
	if (!err && c)
		err = judge_cms(w, scheme, c, sums, span, &by, &whole);
	if (ret_lean)
		*ret_lean = !err && c && whole && cms_is_lean(c, w->room->trust) && walk_all_verified(w, by);
	cms_free(c);
	if (!err && ret)
		*ret = by;
	return err;
}

int
walk_cms(struct walk *w, const char *scheme, struct view der, const struct walk_span *span,
    struct walk_signed *ret, bool *ret_lean)
{
	return detached(w, scheme, der, span, false, ret, ret_lean);
}

int
walk_cms_lone(struct walk *w, const char *scheme, struct view der, const struct walk_span *span,
    struct walk_signed *ret, bool *ret_lean)
{
	return detached(w, scheme, der, span, true, ret, ret_lean);
}

int
walk_cms_attached(struct walk *w, const char *scheme, struct sig_range at, struct cms **ret_cms,
    struct walk_signed *ret, bool *ret_lean)
{
	enum digest_alg algs[CMS_DIGESTS_MAX];
	uint8_t sums[CMS_DIGESTS_MAX][DIGEST_LEN_MAX], *der = NULL;
	struct walk_signed by = { .first = w->room->r->signatures.n };
	struct cms *c = NULL;
	bool whole = false;
	*ret_cms = NULL;
	if (ret_lean)
		*ret_lean = false;
	int err = walk_load(w, at, CMS_ATTACHED_MAX, &der);
	if (err == FG_EFORMAT) {
		walk_settle(w, scheme, SIG_INVALID, "an attached signature of more than 16 MiB");
		return 0;
	}
	if (!err)
		err = open_cms(w, scheme, view_of(der, (size_t)at.length), false, &c);
	free(der);
	unsigned n = c ? cms_digests(c, algs) : 0;
	for (unsigned i = 0; i < n && !err; i++)
		err = digest_bytes(algs[i], cms_content(c), sums[i]);
	if (!err && c) {
		struct walk_span span = { .range = { cms_content_range(c) }, .n = 1 };
		span.range[0].offset += at.offset;
		err = judge_cms(w, scheme, c, sums, &span, &by, &whole);
	}
	if (err) {
		cms_free(c);
		return err;
	}
	if (ret_lean)
		*ret_lean = c && whole && cms_is_lean(c, w->room->trust) && walk_all_verified(w, by);
	*ret_cms = c;
	if (ret)
		*ret = by;
	return 0;
}

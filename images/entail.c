/* SPDX-License-Identifier: Apache-2.0 */
#include "images/entail.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "images/story.h"

static enum finding_id
of_outcome(enum sig_outcome outcome)
{
	switch (outcome) {
	case SIG_REVOKED:
		return FINDING_SIG_REVOKED;
	case SIG_WEAK:
		return FINDING_SIG_WEAK;
	case SIG_EXPIRED:
		return FINDING_SIG_EXPIRED;
	case SIG_UNTRUSTED:
		return FINDING_SIG_UNTRUSTED;
	case SIG_OPAQUE: /* what is checked today has no other way to be opaque */
		return FINDING_SIG_UNSUPPORTED_SCHEME;
	case SIG_ABSENT:
		return FINDING_SIG_ABSENT;
	case SIG_VERIFIED:
		return FINDING_LIMIT;
	case SIG_UNKNOWN:
	case SIG_INVALID:
		break;
	}
	return FINDING_SIG_INVALID;
}

/* Two signatures of a container can be about two parts of it, and then one key may make both. */
static bool
over_the_same(const struct sig_result *a, const struct sig_result *b)
{
	return a->covers_n == b->covers_n &&
	       memcmp(a->covers, b->covers, a->covers_n * sizeof a->covers[0]) == 0;
}

/* One signature; better says that another one of the image is verified. */
static void
signature(struct report *r, unsigned i, bool better)
{
	const struct sig_result *s = &r->signatures.result[i];
	enum finding_id id = of_outcome(s->outcome);
	if (id != FINDING_LIMIT) {
		const struct finding_info *info = finding_get(id);
		report_raise(r, id, better ? info->least : info->severity, NULL,
		    "signature %u (%s%s%s): %s", i + 1, s->scheme, s->where[0] ? " in " : "",
		    s->where, s->detail);
		return;
	}
	if (s->revocation == SIG_REVOCATION_NOT_CHECKED)
		report_raise(r, FINDING_SIG_REVOCATION_NOT_CHECKED, FINDING_NONE, NULL,
		    "signature %u (%s): no revocation list was given", i + 1, s->scheme);
	if (s->revocation == SIG_REVOCATION_STALE)
		report_raise(r, FINDING_SIG_REVOCATION_STALE, FINDING_NONE, NULL,
		    "signature %u (%s): a revocation list is missing or past its next update",
		    i + 1, s->scheme);
	for (unsigned k = 0; k < i; k++) {
		const struct sig_result *other = &r->signatures.result[k];
		/* Another scheme is another thing that the format wants signed: Android's metadata and payload. */
		if (other->outcome == SIG_VERIFIED && strcmp(other->where, s->where) == 0 &&
		    strcmp(other->scheme, s->scheme) == 0 && over_the_same(other, s) &&
		    memcmp(other->signer.spki_sha256, s->signer.spki_sha256, DIGEST_SHA256_LEN) ==
		        0)
			report_raise(r, FINDING_SIG_DUPLICATE_SIGNER, FINDING_NONE, NULL,
			    "signatures %u and %u are by the same key", k + 1, i + 1);
	}
}

/* Unsigned bytes that are nothing but the container's structure are told more mildly. */
static int
coverage(struct report *r)
{
	struct coverage c, known;
	struct sig_range gap = { 0 };
	int err = report_coverage(r, &c);
	if (err || coverage_unsigned(&c) == 0)
		return err;
	known = c;
	for (unsigned i = 0; i < r->contents.structure_n; i++) {
		err = coverage_add(&known, r->contents.structure[i]);
		if (err == FG_EFORMAT) /* without room it stays unsigned, see report_unsigned() */
			return err;
	}
	uint64_t unknown = coverage_unsigned(&known);
	if (unknown) {
		unsigned gaps = coverage_gaps(&known, &gap, 1);
		report_raise(r, FINDING_COV_UNSIGNED_BYTES, FINDING_NONE, &gap.offset,
		    "%" PRIu64 " of %" PRIu64 " bytes in %u range%s", unknown, r->size, gaps,
		    gaps == 1 ? "" : "s");
	}
	uint64_t envelope = coverage_unsigned(&c) - unknown;
	if (envelope && report_verified(r)) {
		(void)coverage_gaps(&c, &gap, 1);
		report_raise(r, FINDING_COV_ENVELOPE, FINDING_NONE, &gap.offset,
		    "%" PRIu64 " of %" PRIu64 " bytes", envelope, r->size);
	}
	return 0;
}

static uint64_t
random_permille(const struct entropy_profile *p)
{
	return p->total ? p->windows[ENTROPY_RANDOM] * 1000 / p->total : 0;
}

static void
changes(struct report *r)
{
	const struct changes *c = &r->changes;
	const struct changes_image *old = &c->old, *new = &c->new;
	/* Taken apart by itself (a delta that nobody sees through): of the words of a comparison none is true. */
	bool alone = old->size == 0;
	bool identical = memcmp(old->sha256, new->sha256, DIGEST_SHA256_LEN) == 0;
	uint64_t found = c->same_offset + c->blocks_moved * c->block_size;
	if (identical)
		report_raise(r, FINDING_CHG_IDENTICAL, FINDING_NONE, NULL,
		    "both have %" PRIu64 " bytes and one SHA-256", new->size);
	if (!alone && old->format != new->format)
		report_raise(r, FINDING_CHG_FORMAT, FINDING_NONE, NULL, "%s became %s",
		    format_name(old->format), format_name(new->format));
	if (new->size < old->size / 2)
		report_raise(r, FINDING_CHG_SHRUNK, FINDING_NONE, NULL,
		    "%" PRIu64 " bytes instead of %" PRIu64, new->size, old->size);
	if (!alone && !identical && new->size > 0 && found < new->size / 100)
		report_raise(r, FINDING_CHG_NEARLY_ALL, FINDING_NONE, NULL,
		    "%" PRIu64 " of %" PRIu64 " bytes were found in the old image", found,
		    new->size);
	uint64_t was = random_permille(&old->entropy), is = random_permille(&new->entropy);
	if (is > 500)
		report_raise(r, FINDING_ENT_OPAQUE, FINDING_NONE, NULL,
		    "%" PRIu64 " of %" PRIu64 " windows of 64 KiB look random",
		    new->entropy.windows[ENTROPY_RANDOM], new->entropy.total);
	if (!alone && is >= was + 100)
		report_raise(r, FINDING_ENT_CLASS_SHIFT, FINDING_NONE, NULL,
		    "%" PRIu64 " of 1000 windows look random, %" PRIu64 " did before", is, was);
}

/* Why there is nothing to look at, or what is missing for a proof. */
static void
delta(struct report *r)
{
	const struct delta_result *d = &r->delta.result;
	switch (d->outcome) {
	case DELTA_MALFORMED:
		report_raise(r, FINDING_DELTA_MALFORMED, FINDING_NONE, NULL, "%s", d->detail);
		return;
	case DELTA_WRONG_BASE:
		report_raise(r, FINDING_DELTA_WRONG_BASE, FINDING_NONE, NULL, "%s%s%s", d->detail,
		    d->wants[0] ? "; it wants " : "", d->wants);
		return;
	case DELTA_UNSUPPORTED:
	case DELTA_OPAQUE:
		report_raise(r, FINDING_DELTA_UNSUPPORTED, FINDING_NONE, NULL, "%s", d->detail);
		return;
	case DELTA_LIMIT:
		report_raise(r, FINDING_DELTA_NOT_APPLIED, FINDING_NONE, NULL, "a limit: %s", d->detail);
		return;
	case DELTA_APPLIED:
		break;
	}
	if (r->kind != REPORT_WHOLE)
		return;
	if (r->delta.have_full && memcmp(r->delta.full_sha256, d->target_sha256, DIGEST_SHA256_LEN) != 0)
		report_raise(r, FINDING_DELTA_OTHER_TARGET, FINDING_NONE, NULL,
		    "the target has %" PRIu64 " bytes and another SHA-256 than the image given", d->target_size);
	if (!report_delta_proved(r))
		report_raise(r, FINDING_DELTA_NOT_PROVED, FINDING_NONE, NULL,
		    "reconstructed, target not independently signed");
}

static bool
was_applied(const struct report *r)
{
	return r->have_delta && r->delta.result.outcome == DELTA_APPLIED && r->delta.have_target;
}

static void
format(struct report *r)
{
	switch (format_kind(r->format)) {
	case FORMAT_KIND_CONTAINER:
		if (r->contents.walked)
			break;
		report_raise(r, FINDING_FMT_NOT_WALKED, FINDING_NONE, NULL, "format %s",
		    format_name(r->format));
		break;
	case FORMAT_KIND_DELTA:
		/* What it makes of its base was seen, and is told in full: that alone is no reason to look once more. */
		report_raise(r, FINDING_FMT_DELTA, was_applied(r) ? FINDING_NOTICE : FINDING_WARNING, NULL,
		    "format %s", format_name(r->format));
		break;
	case FORMAT_KIND_PLAIN:
	case FORMAT_KIND_NONE:
		break;
	}
	if (r->format == FORMAT_RAW && r->size > 0)
		report_raise(r, FINDING_FMT_RAW, FINDING_NONE, NULL, "no known format fits");
}

/* Each weakness under its own name, beside the outcome that it led to. */
static void
reasons(struct report *r, unsigned i)
{
	static const struct {
		enum sig_reason reason;
		enum finding_id id;
	} of[SIG_REASONS] = {
		{ SIG_REASON_WEAK_DIGEST, FINDING_SIG_WEAK_DIGEST },
		{ SIG_REASON_SHORT_RSA, FINDING_SIG_WEAK_RSA },
		{ SIG_REASON_SMALL_EXPONENT, FINDING_SIG_WEAK_EXPONENT },
		{ SIG_REASON_WEAK_CURVE, FINDING_SIG_WEAK_CURVE },
		{ SIG_REASON_LOW_ORDER, FINDING_SIG_LOW_ORDER },
		{ SIG_REASON_PSS_SALT, FINDING_SIG_PSS_SALT },
		{ SIG_REASON_PURPOSE, FINDING_SIG_PURPOSE },
		{ SIG_REASON_TRAILING, FINDING_SIG_TRAILING },
	};
	const struct sig_result *s = &r->signatures.result[i];
	for (unsigned k = 0; k < SIG_REASONS; k++)
		if (s->reasons & of[k].reason)
			report_raise(r, of[k].id, FINDING_NONE, NULL, "signature %u (%s)", i + 1,
			    s->scheme);
}

/* Signatures of the image itself: one of something inside it is none of the image. */
static unsigned
own_signatures(const struct report *r)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->signatures.n; i++)
		n += !r->signatures.result[i].where[0];
	return n;
}

static void
contents(struct report *r)
{
	for (unsigned i = 0; i < r->contents.members_n; i++)
		if (r->contents.member[i].vouch == CONTENTS_VOUCH_MISMATCH)
			report_raise(r, FINDING_MEMBER_DIGEST, FINDING_NONE, NULL, "%s",
			    r->contents.member[i].path);
}

static int
image(struct report *r, bool require_signature)
{
	unsigned verified = report_verified(r);
	format(r);
	if (r->size == 0)
		report_raise(r, FINDING_IMG_EMPTY, FINDING_NONE, NULL, "the file is empty");
	if (own_signatures(r) == 0)
		report_raise(r, FINDING_SIG_ABSENT,
		    require_signature ? FINDING_BLOCK : FINDING_WARNING, NULL,
		    require_signature ? "the profile demands a signature"
		                      : "no signature was given or found");
	if (verified == 0 && format_has_opaque_signature(r->format))
		report_raise(r, FINDING_SIG_OPAQUE,
		    require_signature ? FINDING_BLOCK : FINDING_WARNING, NULL,
		    "format %s carries a signature of its own that only the module checks",
		    format_name(r->format));
	if (r->signatures.overflow)
		report_raise(r, FINDING_SIG_MANY, FINDING_NONE, NULL,
		    "only the first %u were looked at", SIG_SIGNERS_MAX);
	for (unsigned i = 0; i < r->signatures.n; i++) {
		const struct sig_result *s = &r->signatures.result[i];
		signature(r, i, verified > 0);
		reasons(r, i);
		if (s->signer.published_key)
			report_raise(r, FINDING_SIG_KEY_PUBLISHED, FINDING_NONE, NULL,
			    "signature %u (%s): the private half of its key is public", i + 1,
			    s->scheme);
	}
	if (!report_has(r, FINDING_MEMBER_DIGEST))
		contents(r);
	return coverage(r);
}

void
entail_delta(struct report *r)
{
	if (r->have_delta)
		delta(r);
}

/* Each line of the page, so that policy, which reads findings, knows of them all. */
static void
page(struct report *r)
{
	const struct page *p = r->story->page;
	for (size_t i = 0; i < page_count(p); i++) {
		const struct page_line *l = page_at(p, i);
		report_raise(r, l->id, l->severity, NULL, "%s%s%s%s%s", l->path, l->path[0] ? ": " : "", l->text,
		    l->evidence[0] ? ": " : "", l->evidence);
		r->findings[l->id].count += l->times - 1;
	}
	if (page_cut(p))
		report_raise(r, FINDING_REPORT_CUT, FINDING_NONE, NULL,
		    "lines of the page that are never left out did not fit");
}

int
entail_raise(struct report *r, bool require_signature)
{
	if (r->have_changes)
		changes(r);
	entail_delta(r);
	if (r->story)
		page(r);
	return r->have_image ? image(r, require_signature) : 0;
}

int
entail_missing(const struct report *r, bool require_signature, enum finding_id *ret)
{
	struct report *facts = report_new(r->kind);
	if (!facts)
		return FG_ENOMEM;
	facts->have_image = r->have_image;
	facts->format = r->format;
	facts->size = r->size;
	facts->signatures = r->signatures;
	facts->contents = r->contents;
	facts->have_changes = r->have_changes;
	facts->changes = r->changes;
	facts->have_delta = r->have_delta;
	facts->delta = r->delta;
	facts->story = r->story; /* lent */
	int err = entail_raise(facts, require_signature);
	enum finding_id missing = FINDING_LIMIT;
	for (unsigned i = 0; i < FINDING_LIMIT && !err; i++) {
		const struct report_finding *due = &facts->findings[i], *is = &r->findings[i];
		bool spared = due->severity < FINDING_WARNING && report_has(r, FINDING_REPORT_CUT);
		if (due->count && !spared && (!is->count || is->severity < due->severity))
			missing = (enum finding_id)i;
	}
	facts->story = NULL;
	report_free(facts);
	if (!err)
		*ret = missing;
	return err;
}

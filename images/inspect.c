/* SPDX-License-Identifier: Apache-2.0 */
#include "images/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/cms.h"
#include "crypto/err.h"
#include "crypto/openpgp.h"
#include "crypto/rawsig.h"
#include "images/detached.h"
#include "images/entail.h"
#include "images/explain.h"
#include "images/jcatproof.h"
#include "images/trustset.h"
#include "images/tufproof.h"
#include "images/walk.h"
#include "images/whole.h"

#define ALGS DIGEST_LIMIT

/* Everything the verify stage holds while it works. */
struct verify {
	const struct inspect_job *job;
	struct report *r;
	struct trust *trust;
	enum inspect_scheme scheme; /* settled: never AUTO; NONE when nothing is left to judge */
	uint8_t sig[CMS_SIG_MAX]; /* the detached signature */
	size_t sig_n;
	struct cms *cms;
	struct detached *detached;
	struct openpgp *openpgp;
	struct digest *digest[ALGS]; /* over the image; those that somebody needs */
	bool keep; /* the pass also keeps the image's bytes */
	uint8_t *image;
};

/* A result that needs no arithmetic. */
static void
settle(struct verify *v, const char *scheme, enum sig_outcome outcome, const char *detail)
{
	struct sig_result *s = &v->r->signatures.result[0];
	*s = (struct sig_result){ .outcome = outcome, .revocation = SIG_REVOCATION_NOT_APPLICABLE };
	snprintf(s->scheme, sizeof s->scheme, "%s", scheme);
	snprintf(s->detail, sizeof s->detail, "%s", detail);
	v->r->signatures.n = 1;
	v->scheme = INSPECT_SCHEME_NONE;
}

static int
need(struct verify *v, enum digest_alg alg)
{
	if (!v->digest[alg])
		v->digest[alg] = digest_new(alg);
	return v->digest[alg] ? 0 : FG_ECRYPTO;
}

static int
load_trust(struct verify *v)
{
	struct report_inputs *in = &v->r->inputs;
	char why[SIG_TEXT_MAX];
	int err = v->job->have_trust ? trustset_load(v->job->trust, &v->trust, why, sizeof why) : 0;
	if (err == FG_EFORMAT) {
		report_raise(v->r, FINDING_TRUST_REFUSED, FINDING_NONE, NULL, "%s", why);
		err = 0;
	} else if (!err && v->trust) {
		in->have_trust = true;
		err = trust_digest(v->trust, in->trust);
	}
	if (err)
		return err;
	if (!v->trust) /* nobody is trusted */
		v->trust = trust_new();
	if (!v->trust)
		return FG_ENOMEM;
	if (!report_has(v->r, FINDING_TRUST_REFUSED) &&
	    trust_certs(v->trust) + trust_keys(v->trust) + trust_roots(v->trust) == 0)
		report_raise(v->r, FINDING_TRUST_EMPTY, FINDING_NONE, NULL,
		    "no certificate and no key was given");
	return 0;
}

/* Hashes the signature file and keeps what is not over the cap. */
static int
load_signature(struct verify *v)
{
	const struct source *s = v->job->signature;
	struct digest *d = digest_new(DIGEST_SHA256);
	uint8_t *buf = malloc(CMS_SIG_MAX);
	int err = d && buf ? 0 : FG_ENOMEM;
	for (uint64_t at = 0; !err && at < s->size;) {
		long n = source_read_some(s, at, buf, CMS_SIG_MAX);
		err = n < 0 ? (int)n : digest_update(d, view_of(buf, (size_t)n));
		if (!err && at == 0) {
			memcpy(v->sig, buf, (size_t)n);
			v->sig_n = (size_t)n;
		}
		at += n > 0 ? (uint64_t)n : 0;
	}
	if (!err)
		err = digest_final(d, v->r->inputs.signature);
	v->r->inputs.have_signature = !err;
	digest_free(d);
	free(buf);
	return err;
}

static bool
starts(const struct verify *v, const char *text)
{
	size_t n = strlen(text);
	return v->sig_n >= n && memcmp(v->sig, text, n) == 0;
}

/*
 * A tar is TUF metadata; whoever pinned a director has said that both repositories
 * must agree. FG_ENOMEM.
 */
static int
recognise(struct view sig, const struct trust *t)
{
	if (tufproof_recognise(sig))
		return tufproof_has_director(t) ? INSPECT_UPTANE : INSPECT_TUF;
	switch (detached_recognise(sig)) {
	case DETACHED_MINISIGN:
	case DETACHED_SIGNIFY:
		return INSPECT_MINISIGN;
	case DETACHED_SSHSIG:
		return INSPECT_SSHSIG;
	case DETACHED_NONE:
		break;
	}
	if (openpgp_recognise(sig))
		return INSPECT_OPENPGP;
	int jcat = jcatproof_recognise(sig);
	if (jcat)
		return jcat < 0 ? jcat : INSPECT_JCAT;
	return format_is_signed_data(sig) ? INSPECT_CMS_DETACHED : INSPECT_RAW;
}

/* The kind of signature file that a scheme means; DETACHED_NONE: another file takes care of it. */
static enum detached_kind
kind_of(enum inspect_scheme scheme)
{
	switch (scheme) {
	case INSPECT_MINISIGN:
		return DETACHED_MINISIGN;
	case INSPECT_SIGNIFY:
		return DETACHED_SIGNIFY;
	case INSPECT_SSHSIG:
		return DETACHED_SSHSIG;
	default:
		return DETACHED_NONE;
	}
}

/* A file with many words of its own, which bounds itself, and names the image by its digests. */
static bool
is_evidence(enum inspect_scheme scheme)
{
	return scheme == INSPECT_JCAT || scheme == INSPECT_TUF || scheme == INSPECT_UPTANE;
}

/* What kind of signature there is, from the job and, without a profile, from its first bytes. */
static int
choose(struct verify *v)
{
	const struct inspect_job *job = v->job;
	int found = job->scheme != INSPECT_AUTO ? (int)job->scheme
	            : job->signature            ? recognise(view_of(v->sig, v->sig_n), v->trust)
	                                        : INSPECT_SCHEME_NONE;
	if (found < 0)
		return found;
	v->scheme = (enum inspect_scheme)found;

	if (v->scheme == INSPECT_CMS_ATTACHED && job->signature)
		settle(v, "cms-attached", SIG_INVALID,
		    "a detached signature beside an attached one (T8)");
	else if (v->scheme == INSPECT_CMS_ATTACHED && v->r->format != FORMAT_CMS)
		settle(v, "cms-attached", SIG_INVALID, "the image is no CMS object");
	else if (v->scheme == INSPECT_CMS_ATTACHED)
		v->scheme = INSPECT_SCHEME_NONE; /* its walker judges it */
	else if (v->scheme == INSPECT_EMBEDDED && job->signature)
		settle(v, "embedded", SIG_INVALID, "a detached signature beside one that the format carries (T8)");
	else if (!job->signature)
		v->scheme = INSPECT_SCHEME_NONE;
	else if (is_evidence(v->scheme))
		return 0;
	else if (job->signature->size > CMS_SIG_MAX)
		settle(v, inspect_scheme_name(v->scheme), SIG_INVALID,
		    "the signature file is longer than 64 KiB");
	else if (v->sig_n == 0)
		settle(v, inspect_scheme_name(v->scheme), SIG_INVALID,
		    "the signature file is empty");
	else if (kind_of(v->scheme) == DETACHED_NONE && v->scheme != INSPECT_OPENPGP && starts(v, "-----BEGIN "))
		settle(v, "armoured", SIG_OPAQUE,
		    "an armoured signature: only the binary form is checked");
	return 0;
}

/* Opens what must be open before the pass, so that it knows what to hash. */
static int
prepare_cms(struct verify *v)
{
	enum digest_alg algs[CMS_DIGESTS_MAX];
	char why[SIG_TEXT_MAX] = "not a CMS signature";
	int err = cms_open(view_of(v->sig, v->sig_n), true, &v->cms, why, sizeof why);
	if (err == FG_EFORMAT || err == FG_ELIMIT) {
		settle(v, "cms-detached", SIG_INVALID, why);
		if (strcmp(why, CMS_WHY_TRAILING) == 0)
			v->r->signatures.result[0].reasons |= SIG_REASON_TRAILING;
		return 0;
	}
	unsigned n = err ? 0 : cms_digests(v->cms, algs);
	for (unsigned i = 0; i < n && !err; i++)
		err = need(v, algs[i]);
	return err;
}

static int
prepare_detached(struct verify *v)
{
	char why[SIG_TEXT_MAX];
	int err = detached_open(kind_of(v->scheme), view_of(v->sig, v->sig_n), &v->detached, why,
	    sizeof why);
	if (err == FG_EFORMAT)
		settle(v, inspect_scheme_name(v->scheme), SIG_INVALID, why);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	enum digest_alg alg = detached_digest(v->detached);
	if (alg != DIGEST_NONE)
		return need(v, alg);
	if (v->job->image->size > RAWSIG_ED25519_MESSAGE_MAX)
		settle(v, detached_scheme(v->detached), SIG_OPAQUE,
		    "Ed25519 needs the whole image at once: up to 256 MiB are checked");
	else
		v->keep = true;
	return 0;
}

static int
prepare_openpgp(struct verify *v)
{
	enum digest_alg algs[DIGEST_LIMIT];
	char why[SIG_TEXT_MAX];
	int err = openpgp_open(view_of(v->sig, v->sig_n), &v->openpgp, why, sizeof why);
	if (err == FG_EFORMAT) {
		settle(v, "openpgp", SIG_INVALID, why);
		return 0;
	}
	unsigned n = err ? 0 : openpgp_digests(v->openpgp, algs);
	for (unsigned i = 0; i < n && !err; i++)
		err = need(v, algs[i]);
	return err;
}

static int
prepare_raw(struct verify *v)
{
	int err = 0;
	if (trust_keys(v->trust) == 0) {
		settle(v, "raw", SIG_UNTRUSTED,
		    "the trust set holds no bare key that could have made it");
		return 0;
	}
	for (size_t i = 0; i < trust_keys(v->trust) && !err; i++) {
		enum digest_alg alg = rawsig_digest(trust_key_at(v->trust, i));
		if (alg != DIGEST_NONE)
			err = need(v, alg);
		else /* Ed25519 wants the message in one piece (T18) */
			v->keep = v->keep || (v->sig_n == 64 &&
			                         v->job->image->size <= RAWSIG_ED25519_MESSAGE_MAX);
	}
	return err;
}

/* The one pass over the image: every digest that is needed, and the bytes where they are. */
static int
pass(struct verify *v)
{
	const struct source *s = v->job->image;
	size_t chunk_n = source_chunk(s->size);
	uint8_t *chunk = malloc(chunk_n);
	int err = chunk ? 0 : FG_ENOMEM;
	if (v->keep && !err) {
		v->image = malloc(s->size ? (size_t)s->size : 1);
		err = v->image ? 0 : FG_ENOMEM;
	}
	source_sequential(s);
	for (uint64_t at = 0; !err && at < s->size;) {
		long n = source_read_some(s, at, chunk, chunk_n);
		if (n < 0)
			err = (int)n;
		for (unsigned i = 0; i < ALGS && !err; i++)
			if (v->digest[i])
				err = digest_update(v->digest[i], view_of(chunk, (size_t)n));
		if (v->keep && !err)
			memcpy(v->image + at, chunk, (size_t)n);
		at += n > 0 ? (uint64_t)n : 0;
	}
	free(chunk);
	return err ? err : digest_peek(v->digest[DIGEST_SHA256], v->r->sha256);
}

/* ---- judging ---- */

static int
judge_cms_detached(struct verify *v)
{
	enum digest_alg algs[CMS_DIGESTS_MAX];
	uint8_t sums[CMS_DIGESTS_MAX][DIGEST_LEN_MAX];
	struct sig_range all = { 0, v->job->image->size };
	unsigned n = cms_digests(v->cms, algs);
	int err = 0;
	for (unsigned i = 0; i < n && !err; i++)
		err = digest_peek(v->digest[algs[i]], sums[i]);
	if (err)
		return err;
	return cms_judge(v->cms, v->trust, &v->job->policy, v->job->at, sums, &all, 1,
	    &v->r->signatures);
}

static int
judge_detached(struct verify *v)
{
	struct sig_set *set = &v->r->signatures;
	uint8_t sum[DIGEST_LEN_MAX];
	enum digest_alg alg = detached_digest(v->detached);
	int err = alg == DIGEST_NONE ? 0 : digest_peek(v->digest[alg], sum);
	if (err)
		return err;
	struct view signed_ = alg == DIGEST_NONE ? view_of(v->image, (size_t)v->job->image->size)
	                                         : view_of(sum, digest_len(alg));
	err = detached_judge(v->detached, v->trust, signed_, &set->result[0]);
	if (err)
		return err;
	set->result[0].covers[0] = (struct sig_range){ 0, v->job->image->size };
	set->result[0].covers_n = 1;
	set->n = 1;
	return 0;
}

/* Metadata of one repository or two that lists the image. */
static int
judge_evidence(struct verify *v)
{
	struct tufproof_job job = { .bundle = v->job->signature,
		.uptane = v->scheme == INSPECT_UPTANE,
		.trust = v->trust,
		.policy = &v->job->policy,
		.at = v->job->at,
		.size = v->job->image->size };
	int err = digest_peek(v->digest[DIGEST_SHA256], job.sha256);
	if (!err)
		err = digest_peek(v->digest[DIGEST_SHA512], job.sha512);
	return err ? err : tufproof_judge(&job, v->r);
}

static int
judge_jcat(struct verify *v)
{
	struct jcatproof_job job = { .file = v->job->signature,
		.image = v->job->image,
		.trust = v->trust,
		.policy = &v->job->policy,
		.at = v->job->at };
	int err = digest_peek(v->digest[DIGEST_SHA256], job.sha256);
	if (!err)
		err = digest_peek(v->digest[DIGEST_SHA512], job.sha512);
	return err ? err : jcatproof_judge(&job, v->r);
}

static int
judge_openpgp(struct verify *v)
{
	struct sig_set *set = &v->r->signatures;
	int err = openpgp_judge(v->openpgp, v->trust, v->job->policy.rsa_bits_min, v->job->at, v->digest, set);
	for (unsigned i = 0; i < set->n && !err; i++) {
		set->result[i].covers[0] = (struct sig_range){ 0, v->job->image->size };
		set->result[i].covers_n = 1;
	}
	return err;
}

/* The signature under one key of the set. */
static int
try_key(struct verify *v, const struct trust_key *key, struct sig_result *ret)
{
	uint8_t sum[DIGEST_LEN_MAX];
	struct view sig = view_of(v->sig, v->sig_n);
	enum digest_alg alg = rawsig_digest(key);
	unsigned bits_min =
	    v->job->policy.rsa_bits_min ? v->job->policy.rsa_bits_min : TRUST_RSA_BITS_MIN;
	*ret = (struct sig_result){ .outcome = SIG_VERIFIED,
		.digest = alg,
		.revocation = SIG_REVOCATION_NOT_APPLICABLE,
		.covers = { { 0, v->job->image->size } },
		.covers_n = 1 };
	snprintf(ret->scheme, sizeof ret->scheme, "%s", trust_scheme_name(key->scheme));
	ret->signer.have_spki = true;
	memcpy(ret->signer.spki_sha256, key->spki_sha256, DIGEST_SHA256_LEN);
	snprintf(ret->signer.key_type, sizeof ret->signer.key_type, "%s", key->key_type);
	snprintf(ret->signer.anchor, sizeof ret->signer.anchor, "%s", key->name);
	snprintf(ret->detail, sizeof ret->detail, "signed by key %s of the trust set", key->name);
	ret->signer.published_key = key->published;
	if (strncmp(key->key_type, "rsa-", 4) == 0 &&
	    strtoul(key->key_type + 4, NULL, 10) < bits_min) {
		sig_worsen(ret, SIG_WEAK, "the key is shorter than the profile demands");
		ret->reasons |= SIG_REASON_SHORT_RSA;
	}
	if (alg != DIGEST_NONE) {
		int err = digest_peek(v->digest[alg], sum);
		return err ? err
		           : rawsig_judge_digest(key, view_of(sum, digest_len(alg)), sig, ret);
	}
	if (v->image)
		return rawsig_judge_message(key, view_of(v->image, (size_t)v->job->image->size),
		    sig, ret);
	if (v->sig_n == 64)
		sig_worsen(ret, SIG_OPAQUE,
		    "Ed25519 needs the whole image at once: up to 256 MiB are checked");
	else
		sig_worsen(ret, SIG_INVALID, "not the length of an Ed25519 signature");
	return 0;
}

/* A sound signature by a weak key, or one nobody could check, says more than "not this key". */
static unsigned
telling(const struct sig_result *s)
{
	if (s->outcome == SIG_VERIFIED)
		return 3;
	return s->outcome == SIG_WEAK ? 2 : s->outcome == SIG_OPAQUE || s->reasons;
}

/* Whichever key made it; the file says nothing about that, so all are tried. */
static int
judge_raw(struct verify *v)
{
	struct sig_result best = { .outcome = SIG_INVALID }, one;
	struct sig_set *set = &v->r->signatures;
	for (size_t i = 0; i < trust_keys(v->trust) && best.outcome != SIG_VERIFIED; i++) {
		if (!trust_key_for(trust_key_at(v->trust, i), TRUST_TOOL_ANY))
			continue;
		int err = try_key(v, trust_key_at(v->trust, i), &one);
		if (err)
			return err;
		if (telling(&one) > telling(&best))
			best = one;
	}
	if (best.outcome == SIG_INVALID && !best.reasons) {
		settle(v, "raw", SIG_INVALID,
		    "no bare key of the trust set made it over these bytes");
		return 0;
	}
	set->result[0] = best;
	set->n = 1;
	return 0;
}

static int
judge(struct verify *v)
{
	struct sig_set *set = &v->r->signatures;
	int err = 0;
	if (v->scheme == INSPECT_CMS_DETACHED)
		err = judge_cms_detached(v);
	else if (v->scheme == INSPECT_OPENPGP)
		err = judge_openpgp(v);
	else if (v->scheme == INSPECT_RAW)
		err = judge_raw(v);
	else if (kind_of(v->scheme) != DETACHED_NONE)
		err = judge_detached(v);
	else if (v->scheme == INSPECT_JCAT)
		err = judge_jcat(v);
	else if (is_evidence(v->scheme))
		err = judge_evidence(v);
	for (unsigned i = 0; i < set->n && !err; i++) {
		struct sig_result *s = &set->result[i];
		if (s->outcome == SIG_UNKNOWN)
			sig_worsen(s, SIG_INVALID, "nobody judged it");
	}
	return err;
}

static int
prepare(struct verify *v)
{
	struct format_result f;
	int err = need(v, DIGEST_SHA256);
	if (!err)
		err = format_recognise(v->job->image, &f);
	if (err)
		return err;
	v->r->format = f.format;
	for (unsigned i = 0; i < f.also_n; i++)
		report_raise(v->r, FINDING_FMT_AMBIGUOUS, FINDING_NONE, NULL,
		    "taken as %s, but %s fits as well", format_name(f.format),
		    format_name(f.also[i]));
	err = load_trust(v);
	if (!err && v->job->signature)
		err = load_signature(v);
	if (err)
		return err;
	err = choose(v);
	if (err)
		return err;
	if (v->scheme == INSPECT_CMS_DETACHED)
		return prepare_cms(v);
	if (v->scheme == INSPECT_OPENPGP)
		return prepare_openpgp(v);
	if (kind_of(v->scheme) != DETACHED_NONE)
		return prepare_detached(v);
	if (is_evidence(v->scheme))
		return need(v, DIGEST_SHA512);
	return v->scheme == INSPECT_RAW ? prepare_raw(v) : 0;
}

/* Nothing beside the image waits for its digests: it gets its name while it is walked. */
static int
walk_alone(struct verify *v)
{
	struct whole whole;
	int err = whole_open(&whole, v->job->image);
	if (!err)
		err = walk_whole(&whole, v->r->format, v->trust, &v->job->policy, v->job->at, v->r);
	if (!err)
		err = whole_upto(&whole, v->job->image->size, v->r->sha256);
	whole_close(&whole);
	return err;
}

static int
walk_judged(struct verify *v)
{
	int err = pass(v);
	if (!err)
		err = judge(v);
	return err ? err : walk_image(v->job->image, v->r->format, v->trust, &v->job->policy,
	                       v->job->at, v->r);
}

static int
verify(struct verify *v)
{
	int err = prepare(v);
	v->r->have_image = !err;
	v->r->size = v->job->image->size;
	if (!err)
		err = v->scheme == INSPECT_SCHEME_NONE ? walk_alone(v) : walk_judged(v);
	return err ? err : entail_raise(v->r, v->job->require_signature);
}

int
inspect_verify(const struct inspect_job *job, struct report *ret)
{
	if (job->scheme == INSPECT_SCHEME_NONE || job->scheme >= INSPECT_SCHEME_LIMIT ||
	    job->policy.purpose == TRUST_PURPOSE_NONE)
		return FG_EINVAL;
	struct verify *v = calloc(1, sizeof *v);
	if (!v)
		return FG_ENOMEM;
	v->job = job;
	v->r = report_new(REPORT_VERIFY);
	int err = v->r ? 0 : FG_ENOMEM;
	if (!err) {
		struct report_inputs *in = &v->r->inputs;
		in->at = job->at;
		in->have_profile = job->profile[0] != '\0';
		memcpy(in->profile, job->profile, sizeof in->profile);
		memcpy(in->profile_sha256, job->profile_sha256, sizeof in->profile_sha256);
		snprintf(in->inspector, sizeof in->inspector, "%s", REPORT_INSPECTOR);
		err = verify(v);
	}
	if (!err)
		report_move(ret, v->r);
	for (unsigned i = 0; i < ALGS; i++)
		digest_free(v->digest[i]);
	cms_free(v->cms);
	detached_free(v->detached);
	openpgp_free(v->openpgp);
	trust_free(v->trust);
	report_free(v->r);
	free(v->image);
	free(v);
	return err;
}

int
inspect_explain(const struct explain_job *job, struct report *ret)
{
	struct report *r = report_new(REPORT_EXPLAIN);
	if (!r)
		return FG_ENOMEM;
	int err = changes_compare(job->old, job->new, &r->changes);
	r->have_changes = !err;
	if (!err && job->scratch >= 0)
		err = explain_run(job, &r->story);
	if (!err)
		err = entail_raise(r, false);
	if (!err)
		report_move(ret, r);
	report_free(r);
	return err;
}

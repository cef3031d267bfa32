/* SPDX-License-Identifier: Apache-2.0 */
/* report_write - the canonical text of a report. */
#include "images/report.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/jsonw.h"
#include "crypto/visible.h"
#include "images/story.h"

/* What is left out when the text would be too long; each step leaves out more. */
enum cut { CUT_NOTHING, CUT_MILD_DETAILS, CUT_MILD, CUT_LISTS, CUT_EVIDENCE, CUT_LIMIT };

/* Our own texts are plain already; what is not, is a scheme's slip and gets escaped. */
static void
text(struct jsonw *j, const char *key, const char *s)
{
	for (const char *p = s; *p; p++) {
		if (*p >= 0x20 && *p <= 0x7e)
			continue;
		char safe[SIG_TEXT_MAX];
		visible_cstr(view_str(s), safe, sizeof safe);
		jsonw_kcstr(j, key, safe);
		return;
	}
	jsonw_kcstr(j, key, s);
}

static void
instant(struct jsonw *j, const char *key, bool known, int64_t t)
{
	char s[REPORT_TIME_LEN];
	if (known && report_time_format(t, s))
		jsonw_kcstr(j, key, s);
	else
		jsonw_knull(j, key);
}

static void
hash(struct jsonw *j, const char *key, bool known, const uint8_t sum[DIGEST_SHA256_LEN])
{
	if (known)
		jsonw_khex(j, key, sum, DIGEST_SHA256_LEN);
	else
		jsonw_knull(j, key);
}

static void
ranges(struct jsonw *j, const char *key, const struct sig_range *range, unsigned n)
{
	jsonw_key(j, key);
	jsonw_array(j);
	for (unsigned i = 0; i < n; i++) {
		jsonw_array(j);
		jsonw_uint(j, range[i].offset);
		jsonw_uint(j, range[i].length);
		jsonw_array_end(j);
	}
	jsonw_array_end(j);
}

static void
changes_image(struct jsonw *j, const char *key, const struct changes_image *i)
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_key(j, "entropy");
	jsonw_object(j);
	jsonw_kuint(j, "compressed", i->entropy.windows[ENTROPY_COMPRESSED]);
	jsonw_kuint(j, "low", i->entropy.windows[ENTROPY_LOW]);
	jsonw_kuint(j, "millibits_sum", i->entropy.sum);
	jsonw_kuint(j, "random", i->entropy.windows[ENTROPY_RANDOM]);
	jsonw_kuint(j, "text_code", i->entropy.windows[ENTROPY_TEXT_CODE]);
	jsonw_kuint(j, "window", ENTROPY_WINDOW);
	jsonw_object_end(j);
	jsonw_kcstr(j, "format", format_name(i->format));
	jsonw_khex(j, "sha256", i->sha256, DIGEST_SHA256_LEN);
	jsonw_kuint(j, "size", i->size);
	jsonw_object_end(j);
}

static void
changes(struct jsonw *j, const struct report *r, enum cut cut)
{
	const struct changes *c = &r->changes;
	if (!r->have_changes) {
		jsonw_knull(j, "changes");
		return;
	}
	jsonw_key(j, "changes");
	jsonw_object(j);
	jsonw_key(j, "blocks");
	jsonw_object(j);
	jsonw_kuint(j, "changed", c->blocks_changed);
	jsonw_kuint(j, "moved", c->blocks_moved);
	jsonw_kuint(j, "same", c->blocks_same);
	jsonw_kuint(j, "size", c->block_size);
	jsonw_object_end(j);
	changes_image(j, "new", &c->new);
	changes_image(j, "old", &c->old);
	if (r->story) {
		jsonw_key(j, "page");
		story_write(j, r->story, cut >= CUT_MILD, cut >= CUT_EVIDENCE);
	}
	jsonw_kuint(j, "prefix", c->prefix);
	ranges(j, "ranges", c->ranges, cut >= CUT_LISTS ? 0 : c->ranges_n);
	jsonw_kuint(j, "ranges_total", c->ranges_total);
	jsonw_kuint(j, "same_offset", c->same_offset);
	jsonw_kuint(j, "suffix", c->suffix);
	jsonw_object_end(j);
}

static void
named(struct jsonw *j, const char *key, const uint8_t sum[DIGEST_SHA256_LEN], uint64_t size)
{
	jsonw_key(j, key);
	jsonw_object(j);
	jsonw_khex(j, "sha256", sum, DIGEST_SHA256_LEN);
	jsonw_kuint(j, "size", size);
	jsonw_object_end(j);
}

static void
target(struct jsonw *j, const struct report_delta *d)
{
	if (d->result.outcome != DELTA_APPLIED) {
		jsonw_knull(j, "target");
		return;
	}
	jsonw_key(j, "target");
	jsonw_object(j);
	hash(j, "full", d->have_full, d->full_sha256);
	hash(j, "report", d->have_target, d->target_report);
	jsonw_khex(j, "sha256", d->result.target_sha256, DIGEST_SHA256_LEN);
	jsonw_kbool(j, "signed", d->target_signed);
	jsonw_kuint(j, "size", d->result.target_size);
	if (d->have_target)
		jsonw_kcstr(j, "verdict", report_verdict_name(d->target_verdict));
	else
		jsonw_knull(j, "verdict");
	jsonw_object_end(j);
}

static void
delta(struct jsonw *j, const struct report *r)
{
	const struct report_delta *d = &r->delta;
	if (!r->have_delta) {
		jsonw_knull(j, "delta");
		return;
	}
	jsonw_key(j, "delta");
	jsonw_object(j);
	text(j, "applier", d->result.applier);
	named(j, "base", d->base_sha256, d->base_size);
	jsonw_kbool(j, "checked", d->result.checked);
	text(j, "detail", d->result.detail);
	jsonw_kuint(j, "from_base", d->result.from_base);
	jsonw_kuint(j, "from_patch", d->result.from_patch);
	/* Most formats have no such words, and their reports none of it. */
	if (d->result.named)
		jsonw_kbool(j, "named", true);
	jsonw_kcstr(j, "outcome", report_delta_word(r));
	named(j, "patch", d->patch_sha256, d->patch_size);
	target(j, d);
	text(j, "wants", d->result.wants);
	jsonw_object_end(j);
}

static void
coverage(struct jsonw *j, const struct report *r)
{
	struct coverage c;
	struct sig_range gap[REPORT_GAPS_MAX];
	if (!r->have_image) {
		jsonw_knull(j, "coverage");
		return;
	}
	if (report_coverage(r, &c))
		abort(); /* whoever made or read this model checked the ranges */
	unsigned gaps = coverage_gaps(&c, gap, REPORT_GAPS_MAX);
	jsonw_key(j, "coverage");
	jsonw_object(j);
	ranges(j, "gaps", gap, gaps < REPORT_GAPS_MAX ? gaps : REPORT_GAPS_MAX);
	jsonw_kuint(j, "gaps_total", gaps);
	jsonw_kuint(j, "signed", coverage_signed(&c));
	jsonw_kuint(j, "unsigned", coverage_unsigned(&c));
	jsonw_object_end(j);
}

static void
detail(struct jsonw *j, const struct report_detail *d)
{
	jsonw_object(j);
	text(j, "detail", d->text);
	if (d->have_offset)
		jsonw_kuint(j, "offset", d->offset);
	jsonw_object_end(j);
}

static void
finding(struct jsonw *j, enum finding_id id, const struct report_finding *f, enum cut cut)
{
	bool mild = f->severity < FINDING_WARNING;
	bool brief = cut >= CUT_LISTS || (cut >= CUT_MILD_DETAILS && mild);
	if (f->details_n == 0)
		abort();
	jsonw_object(j);
	jsonw_kuint(j, "count", f->count);
	text(j, "detail", f->details[0].text);
	jsonw_kcstr(j, "id", finding_get(id)->id);
	jsonw_key(j, "more");
	jsonw_array(j);
	for (unsigned i = 1; i < f->details_n && !brief; i++)
		detail(j, &f->details[i]);
	jsonw_array_end(j);
	if (f->details[0].have_offset)
		jsonw_kuint(j, "offset", f->details[0].offset);
	jsonw_kcstr(j, "severity", finding_severity_name(f->severity));
	jsonw_object_end(j);
}

/* Worst first, then by id. */
static void
findings(struct jsonw *j, const struct report *r, enum cut cut)
{
	jsonw_key(j, "findings");
	jsonw_array(j);
	for (unsigned severity = FINDING_BLOCK; severity > FINDING_NONE; severity--) {
		if (cut >= CUT_MILD && severity < FINDING_WARNING)
			break;
		for (unsigned i = 0; i < FINDING_LIMIT; i++)
			if (r->findings[i].count && r->findings[i].severity == severity)
				finding(j, (enum finding_id)i, &r->findings[i], cut);
	}
	jsonw_array_end(j);
}

static void
image(struct jsonw *j, const struct report *r)
{
	if (!r->have_image) {
		jsonw_knull(j, "image");
		return;
	}
	jsonw_key(j, "image");
	jsonw_object(j);
	jsonw_kcstr(j, "format", format_name(r->format));
	jsonw_khex(j, "sha256", r->sha256, DIGEST_SHA256_LEN);
	jsonw_kuint(j, "size", r->size);
	jsonw_kbool(j, "walked", r->contents.walked);
	jsonw_object_end(j);
}

static void
fact(struct jsonw *j, const struct contents_fact *f)
{
	jsonw_object(j);
	jsonw_kcstr(j, "fact", contents_fact_name(f->id));
	jsonw_kbool(j, "sure", f->sure);
	text(j, "value", f->value);
	text(j, "where", f->path);
	jsonw_object_end(j);
}

static void
member(struct jsonw *j, const struct contents_member *m)
{
	jsonw_object(j);
	jsonw_kcstr(j, "format", format_name(m->format));
	if (m->have_offset)
		jsonw_kuint(j, "offset", m->offset);
	text(j, "path", m->path);
	jsonw_kbool(j, "runs", m->runs);
	jsonw_khex(j, "sha256", m->sha256, DIGEST_SHA256_LEN);
	jsonw_kuint(j, "size", m->size);
	jsonw_kcstr(j, "vouched", contents_vouch_name(m->vouch));
	jsonw_kbool(j, "walked", m->walked);
	jsonw_object_end(j);
}

/* Facts stay as long as they can: policy compares them from release to release. */
static void
contents(struct jsonw *j, const struct report *r, enum cut cut)
{
	const struct contents *c = &r->contents;
	if (!c->walked && c->facts_n == 0) {
		jsonw_knull(j, "contents");
		return;
	}
	jsonw_key(j, "contents");
	jsonw_object(j);
	jsonw_key(j, "facts");
	jsonw_array(j);
	for (unsigned i = 0; i < c->facts_n; i++)
		fact(j, &c->fact[i]);
	jsonw_array_end(j);
	jsonw_key(j, "members");
	jsonw_array(j);
	for (unsigned i = 0; i < c->members_n && cut < CUT_LISTS; i++)
		member(j, &c->member[i]);
	jsonw_array_end(j);
	jsonw_kuint(j, "members_total", c->members_total);
	ranges(j, "structure", c->structure, c->structure_n);
	jsonw_object_end(j);
}

static void
inputs(struct jsonw *j, const struct report *r)
{
	const struct report_inputs *in = &r->inputs;
	if (r->kind == REPORT_EXPLAIN || r->kind == REPORT_DELTA) {
		jsonw_knull(j, "inputs");
		return;
	}
	jsonw_key(j, "inputs");
	jsonw_object(j);
	instant(j, "at", true, in->at);
	hash(j, "base", in->have_base, in->base);
	if (in->have_history) {
		jsonw_key(j, "history");
		jsonw_array(j);
		for (unsigned i = 0; i < in->history_n; i++)
			jsonw_hex(j, in->history[i], DIGEST_SHA256_LEN);
		jsonw_array_end(j);
	} else {
		jsonw_knull(j, "history");
	}
	text(j, "inspector", in->inspector);
	/* What is rarely given is not spoken of where it was not. */
	if (in->have_own)
		jsonw_khex(j, "own", in->own, DIGEST_SHA256_LEN);
	if (in->have_profile) {
		jsonw_key(j, "profile");
		jsonw_object(j);
		text(j, "name", in->profile);
		jsonw_khex(j, "sha256", in->profile_sha256, DIGEST_SHA256_LEN);
		jsonw_object_end(j);
	} else {
		jsonw_knull(j, "profile");
	}
	if (in->have_rules)
		jsonw_khex(j, "rules", in->rules, DIGEST_SHA256_LEN);
	hash(j, "signature", in->have_signature, in->signature);
	hash(j, "trust", in->have_trust, in->trust);
	jsonw_object_end(j);
}

/* The vendor's words about it; not a member where nobody gave any. */
static void
notes(struct jsonw *j, const struct notes *n, enum cut cut)
{
	size_t at = 0;
	if (!n->have)
		return;
	jsonw_key(j, "notes");
	jsonw_object(j);
	jsonw_key(j, "lines");
	jsonw_array(j);
	for (unsigned i = 0; i < n->lines_n && cut < CUT_LISTS; i++)
		jsonw_cstr(j, notes_next(n, &at));
	jsonw_array_end(j);
	jsonw_kuint(j, "lines_total", n->lines_total);
	jsonw_khex(j, "sha256", n->sha256, DIGEST_SHA256_LEN);
	jsonw_kuint(j, "size", n->size);
	jsonw_object_end(j);
}

static void
signer(struct jsonw *j, const struct sig_signer *s)
{
	bool dated = s->not_before != 0 || s->not_after != 0;
	jsonw_key(j, "signer");
	jsonw_object(j);
	text(j, "anchor", s->anchor);
	text(j, "issuer", s->issuer);
	text(j, "key_type", s->key_type);
	instant(j, "not_after", dated, s->not_after);
	instant(j, "not_before", dated, s->not_before);
	jsonw_kbool(j, "published_key", s->published_key);
	text(j, "serial", s->serial);
	hash(j, "spki_sha256", s->have_spki, s->spki_sha256);
	text(j, "subject", s->subject);
	jsonw_object_end(j);
}

static void
signature(struct jsonw *j, const struct sig_result *s)
{
	jsonw_object(j);
	instant(j, "claimed_time", s->have_claimed_time, s->claimed_time);
	ranges(j, "covers", s->covers, s->covers_n);
	text(j, "detail", s->detail);
	if (s->digest == DIGEST_NONE)
		jsonw_knull(j, "digest");
	else
		jsonw_kcstr(j, "digest", digest_name(s->digest));
	jsonw_kcstr(j, "outcome", sig_outcome_name(s->outcome));
	jsonw_key(j, "reasons");
	jsonw_array(j);
	for (unsigned i = 0; i < SIG_REASONS; i++)
		if (s->reasons & 1u << i)
			jsonw_cstr(j, sig_reason_name((enum sig_reason)(1u << i)));
	jsonw_array_end(j);
	jsonw_kcstr(j, "revocation", sig_revocation_name(s->revocation));
	text(j, "scheme", s->scheme);
	signer(j, &s->signer);
	text(j, "where", s->where);
	jsonw_object_end(j);
}

static void
whole(struct jsonw *j, const struct report *r, enum cut cut)
{
	bool fragment = r->kind != REPORT_WHOLE;
	jsonw_object(j);
	changes(j, r, cut);
	contents(j, r, cut);
	coverage(j, r);
	delta(j, r);
	findings(j, r, cut);
	image(j, r);
	inputs(j, r);
	notes(j, &r->notes, cut);
	jsonw_kcstr(j, "schema", fragment ? "fotagate-report-stage/1" : "fotagate-report/1");
	jsonw_key(j, "signatures");
	jsonw_array(j);
	for (unsigned i = 0; i < r->signatures.n; i++)
		signature(j, &r->signatures.result[i]);
	jsonw_array_end(j);
	if (fragment)
		jsonw_kcstr(j, "stage", report_stage_name(r->kind));
	else
		jsonw_kcstr(j, "verdict", report_verdict_name(report_verdict(r)));
	jsonw_object_end(j);
}

int
report_encode(const struct report *r, size_t max, struct writer *w)
{
	struct report *said = NULL;
	int err = FG_ELIMIT;
	if (r->kind == REPORT_KIND_NONE)
		abort();
	for (unsigned cut = CUT_NOTHING; cut < CUT_LIMIT && err == FG_ELIMIT; cut++) {
		struct writer out;
		struct jsonw j;
		if (cut == CUT_MILD_DETAILS) { /* the first that is a cut: say so */
			said = malloc(sizeof *said);
			if (!said)
				return FG_ENOMEM;
			*said = *r;
			if (!report_has(said, FINDING_REPORT_CUT))
				report_raise(said, FINDING_REPORT_CUT, FINDING_NONE, NULL,
				    "the report would be longer than %zu bytes", max);
			r = said;
		}
		writer_init(&out, max);
		jsonw_init(&j, &out);
		whole(&j, r, (enum cut)cut);
		err = writer_err(&out);
		if (!err)
			writer_bytes(w, writer_view(&out));
		writer_free(&out);
	}
	free(said);
	return err ? err : writer_err(w);
}

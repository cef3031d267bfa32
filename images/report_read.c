/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_read - the strict reader of a report. It takes the independent fields
 * into the model; what follows from them (coverage, verdict, order, form) is
 * checked in one go: the model must write exactly the text that was read.
 */
#include "images/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json.h"
#include "images/entail.h"
#include "images/story.h"

struct parse {
	struct report *r;
	struct report_refusal *why;
	int err; /* FG_ENOMEM: the text is not to blame */
};

static bool refuse(struct parse *p, enum finding_id id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
refuse(struct parse *p, enum finding_id id, const char *fmt, ...)
{
	va_list ap;
	p->why->finding = id;
	va_start(ap, fmt);
	vsnprintf(p->why->text, sizeof p->why->text, fmt, ap);
	va_end(ap);
	return false;
}

static bool
malformed(struct parse *p, const char *where)
{
	return refuse(p, FINDING_INSPECT_MALFORMED, "%s is missing or not what it should be",
	    where);
}

/*
 * v is an object with the named members (space-separated; those after '|' may
 * be missing) and no others.
 */
static bool
members(struct parse *p, const struct json_value *v, const char *where, const char *names)
{
	size_t due = 0;
	bool optional = false;
	if (json_type(v) != JSON_OBJECT)
		return malformed(p, where);
	for (const char *at = names; *at;) {
		size_t n = strcspn(at, " ");
		char name[32];
		snprintf(name, sizeof name, "%.*s", (int)n, at);
		at += n + (at[n] == ' ');
		if (strcmp(name, "|") == 0) {
			optional = true;
			continue;
		}
		if (json_get(v, name))
			due++;
		else if (!optional)
			return refuse(p, FINDING_INSPECT_MALFORMED, "%s has no %s", where, name);
	}
	if (json_count(v) != due)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD,
		    "%s has a member that does not belong there", where);
	return true;
}

static bool
plain(const struct json_value *v, char *dst, size_t cap)
{
	if (!json_cstr(v, dst, cap))
		return false;
	for (const char *s = dst; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

static bool
uint_at(const struct json_value *v, const char *key, uint64_t *ret)
{
	return json_uint(json_get(v, key), ret);
}

static bool
hash(const struct json_value *v, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct view text;
	return json_string(v, &text) && hex_decode(text, ret, DIGEST_SHA256_LEN);
}

static bool
hash_or_null(const struct json_value *v, bool *ret_known, uint8_t ret[DIGEST_SHA256_LEN])
{
	*ret_known = json_type(v) != JSON_NULL;
	return !*ret_known || hash(v, ret);
}

static bool
instant_or_null(const struct json_value *v, bool *ret_known, int64_t *ret)
{
	struct view text;
	*ret_known = json_type(v) != JSON_NULL;
	return !*ret_known || (json_string(v, &text) && report_time_parse(text, ret));
}

/* Ascending, disjoint ranges within size. */
static bool
ranges(const struct json_value *v, uint64_t size, struct sig_range *ret, unsigned cap,
    unsigned *ret_n)
{
	uint64_t from = 0;
	if (json_type(v) != JSON_ARRAY || json_count(v) > cap)
		return false;
	for (size_t i = 0; i < json_count(v); i++) {
		const struct json_value *pair = json_at(v, i);
		if (json_type(pair) != JSON_ARRAY || json_count(pair) != 2 ||
		    !json_uint(json_at(pair, 0), &ret[i].offset) ||
		    !json_uint(json_at(pair, 1), &ret[i].length))
			return false;
		/* Both are below 2^53: the sum cannot wrap. */
		if (ret[i].offset < from || ret[i].offset + ret[i].length > size)
			return false;
		from = ret[i].offset + ret[i].length;
	}
	*ret_n = (unsigned)json_count(v);
	return true;
}

/* ---- changes ---- */

static uint64_t
parts(uint64_t size, uint64_t part)
{
	return size / part + (size % part != 0);
}

static bool
changes_image(struct parse *p, const struct json_value *v, struct changes_image *ret)
{
	const struct json_value *e = json_get(v, "entropy");
	struct entropy_profile *prof = &ret->entropy;
	struct view format;
	if (!members(p, v, "changes image", "entropy format sha256 size") ||
	    !members(p, e, "entropy", "compressed low millibits_sum random text_code window"))
		return false;
	for (unsigned i = 0; i < ENTROPY_CLASSES; i++) {
		if (!uint_at(e, entropy_class_name((enum entropy_class)i), &prof->windows[i]))
			return malformed(p, "entropy");
		if (__builtin_add_overflow(prof->total, prof->windows[i], &prof->total))
			return malformed(p, "entropy");
	}
	if (!json_string(json_get(v, "format"), &format) ||
	    (ret->format = format_find(format)) == FORMAT_NONE ||
	    !hash(json_get(v, "sha256"), ret->sha256) || !uint_at(v, "size", &ret->size))
		return malformed(p, "changes image");
	if (ret->size > SOURCE_SIZE_MAX || prof->total != parts(ret->size, ENTROPY_WINDOW) ||
	    !uint_at(e, "millibits_sum", &prof->sum) || prof->sum > prof->total * 8000)
		return refuse(p, FINDING_INSPECT_MALFORMED, "entropy windows do not fit the size");
	return true;
}

static bool
changes_add_up(const struct changes *c)
{
	uint64_t both = c->old.size < c->new.size ? c->old.size : c->new.size,
	         block = CHANGES_BLOCK_MIN;
	while (parts(c->old.size, block) > CHANGES_BLOCKS_MAX)
		block *= 2;
	return c->block_size == block &&
	       c->blocks_same + c->blocks_moved + c->blocks_changed == parts(c->new.size, block) &&
	       c->prefix + c->suffix <= both && c->prefix <= c->same_offset &&
	       c->same_offset <= both && c->ranges_n <= c->ranges_total &&
	       c->ranges_total <= c->new.size;
}

/* What was seen of images that were taken apart; earlier versions did not. */
static bool
page(struct parse *p, const struct json_value *v)
{
	const struct changes *c = &p->r->changes;
	if (!v)
		return true;
	p->r->story = story_read(v, c->old.size, c->new.size, &p->err);
	if (p->r->story)
		return true;
	return p->err == FG_ENOMEM ? false : malformed(p, "page");
}

static bool
changes(struct parse *p, const struct json_value *v)
{
	struct changes *c = &p->r->changes;
	const struct json_value *b = json_get(v, "blocks");
	if (json_type(v) == JSON_NULL)
		return true;
	if (p->r->kind != REPORT_EXPLAIN && p->r->kind != REPORT_WHOLE)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the %s stage filled changes",
		    report_stage_name(p->r->kind));
	if (!members(p, v, "changes",
	        "blocks new old prefix ranges ranges_total same_offset suffix | page") ||
	    !members(p, b, "blocks", "changed moved same size") ||
	    !changes_image(p, json_get(v, "new"), &c->new) ||
	    !changes_image(p, json_get(v, "old"), &c->old))
		return false;
	if (!uint_at(b, "changed", &c->blocks_changed) || !uint_at(b, "moved", &c->blocks_moved) ||
	    !uint_at(b, "same", &c->blocks_same) || !uint_at(b, "size", &c->block_size) ||
	    !uint_at(v, "prefix", &c->prefix) || !uint_at(v, "suffix", &c->suffix) ||
	    !uint_at(v, "same_offset", &c->same_offset) ||
	    !uint_at(v, "ranges_total", &c->ranges_total) ||
	    !ranges(json_get(v, "ranges"), c->new.size, c->ranges, CHANGES_RANGES_MAX,
	        &c->ranges_n))
		return malformed(p, "changes");
	if (!changes_add_up(c))
		return refuse(p, FINDING_INSPECT_MALFORMED, "the numbers of changes do not add up");
	p->r->have_changes = true;
	return page(p, json_get(v, "page"));
}

/* ---- delta ---- */

static bool
named(struct parse *p, const struct json_value *v, uint8_t sum[DIGEST_SHA256_LEN], uint64_t *ret_size)
{
	if (!members(p, v, "base or patch", "sha256 size"))
		return false;
	return (hash(json_get(v, "sha256"), sum) && uint_at(v, "size", ret_size) && *ret_size <= SOURCE_SIZE_MAX) ||
	       malformed(p, "base or patch");
}

/* The word of a kind of report; what makes "proved" of "applied" is checked by writing it again. */
static bool
delta_word(const struct report *r, struct view word, enum delta_outcome *ret)
{
	for (unsigned i = 0; i < DELTA_APPLIED; i++)
		if (view_is(word, delta_outcome_name((enum delta_outcome)i))) {
			*ret = (enum delta_outcome)i;
			return true;
		}
	*ret = DELTA_APPLIED;
	return r->kind == REPORT_WHOLE ? view_is(word, "proved") || view_is(word, "reconstructed")
	                               : view_is(word, "applied");
}

static bool
verdict_or_null(const struct json_value *v, bool known, enum report_verdict *ret)
{
	struct view word;
	if (!known)
		return json_type(v) == JSON_NULL;
	for (unsigned i = REPORT_BLOCKED; i <= REPORT_ACCEPTABLE && json_string(v, &word); i++)
		if (view_is(word, report_verdict_name((enum report_verdict)i))) {
			*ret = (enum report_verdict)i;
			return true;
		}
	return false;
}

static bool
target(struct parse *p, const struct json_value *v, struct report_delta *d)
{
	bool made = d->result.outcome == DELTA_APPLIED;
	if ((json_type(v) == JSON_NULL) != !made)
		return refuse(p, FINDING_INSPECT_MALFORMED, "a target, and the outcome do not agree");
	if (!made)
		return d->result.from_base + d->result.from_patch == 0 || malformed(p, "delta");
	if (!members(p, v, "target", "full report sha256 signed size verdict"))
		return false;
	if (!hash_or_null(json_get(v, "full"), &d->have_full, d->full_sha256) ||
	    !hash_or_null(json_get(v, "report"), &d->have_target, d->target_report) ||
	    !hash(json_get(v, "sha256"), d->result.target_sha256) ||
	    !json_bool(json_get(v, "signed"), &d->target_signed) || !uint_at(v, "size", &d->result.target_size) ||
	    !verdict_or_null(json_get(v, "verdict"), d->have_target, &d->target_verdict))
		return malformed(p, "target");
	if (p->r->kind == REPORT_DELTA && (d->have_target || d->have_full || d->target_signed))
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the delta stage judged its target");
	/* Each is below 2^53: the sum cannot wrap. */
	return (d->result.target_size <= DELTA_TARGET_MAX && (d->have_target || !d->target_signed) &&
	           d->result.from_base + d->result.from_patch == d->result.target_size) ||
	       malformed(p, "target");
}

static bool
delta(struct parse *p, const struct json_value *v)
{
	struct report_delta *d = &p->r->delta;
	struct view word;
	if (json_type(v) == JSON_NULL)
		return true;
	if (p->r->kind != REPORT_DELTA && p->r->kind != REPORT_WHOLE)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the %s stage filled delta",
		    report_stage_name(p->r->kind));
	if (!members(p, v, "delta", "applier base checked detail from_base from_patch outcome patch target wants | named") ||
	    !named(p, json_get(v, "base"), d->base_sha256, &d->base_size) ||
	    !named(p, json_get(v, "patch"), d->patch_sha256, &d->patch_size))
		return false;
	if (!plain(json_get(v, "applier"), d->result.applier, sizeof d->result.applier) ||
	    !json_bool(json_get(v, "checked"), &d->result.checked) ||
	    !plain(json_get(v, "detail"), d->result.detail, sizeof d->result.detail) ||
	    !uint_at(v, "from_base", &d->result.from_base) || !uint_at(v, "from_patch", &d->result.from_patch) ||
	    !json_string(json_get(v, "outcome"), &word) || !delta_word(p->r, word, &d->result.outcome) ||
	    !plain(json_get(v, "wants"), d->result.wants, sizeof d->result.wants) ||
	    (json_get(v, "named") && (!json_bool(json_get(v, "named"), &d->result.named) || !d->result.named ||
	        !d->result.checked || d->result.outcome != DELTA_APPLIED)) ||
	    (d->result.outcome == DELTA_APPLIED) != !d->result.detail[0] ||
	    (d->result.outcome == DELTA_APPLIED && !d->result.applier[0]))
		return malformed(p, "delta");
	p->r->have_delta = true;
	return target(p, json_get(v, "target"), d);
}

/* ---- findings ---- */

static bool
detail(const struct json_value *v, struct report_detail *ret)
{
	const struct json_value *offset = json_get(v, "offset");
	ret->have_offset = offset != NULL;
	return (!offset || json_uint(offset, &ret->offset)) &&
	       plain(json_get(v, "detail"), ret->text, sizeof ret->text);
}

static bool
allowed(const struct parse *p, const struct finding_info *info)
{
	switch (p->r->kind) {
	case REPORT_WHOLE:
		return true;
	case REPORT_VERIFY:
		return (info->by & FINDING_BY_VERIFY) != 0;
	case REPORT_EXPLAIN:
		return (info->by & FINDING_BY_EXPLAIN) != 0;
	case REPORT_DELTA:
		return (info->by & FINDING_BY_DELTA) != 0;
	case REPORT_KIND_NONE:
		break;
	}
	return false;
}

static bool
finding(struct parse *p, const struct json_value *v)
{
	const struct json_value *more = json_get(v, "more");
	struct view word;
	if (!members(p, v, "finding", "count detail id more severity | offset"))
		return false;
	if (!json_string(json_get(v, "id"), &word))
		return malformed(p, "finding");
	enum finding_id id = finding_find(word);
	if (id == FINDING_LIMIT)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "a finding has an unknown id");
	const struct finding_info *info = finding_get(id);
	if (!allowed(p, info))
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "%s is not for this stage to say",
		    info->id);
	struct report_finding *f = &p->r->findings[id];
	if (f->count)
		return refuse(p, FINDING_INSPECT_MALFORMED, "%s stands there twice", info->id);
	if (!json_string(json_get(v, "severity"), &word))
		return malformed(p, "finding");
	f->severity = finding_severity_parse(word);
	if (f->severity < info->least || f->severity > info->severity)
		return refuse(p, FINDING_INSPECT_MALFORMED, "%s cannot have that severity",
		    info->id);
	size_t n = json_count(more);
	if (!uint_at(v, "count", &f->count) || json_type(more) != JSON_ARRAY ||
	    n >= REPORT_DETAILS_MAX || f->count < 1 + n || !detail(v, &f->details[0]))
		return malformed(p, "finding");
	for (size_t i = 0; i < n; i++)
		if (!members(p, json_at(more, i), "detail", "detail | offset") ||
		    !detail(json_at(more, i), &f->details[i + 1]))
			return malformed(p, "detail");
	f->details_n = (unsigned)n + 1;
	return true;
}

static bool
findings(struct parse *p, const struct json_value *v)
{
	if (json_type(v) != JSON_ARRAY)
		return malformed(p, "findings");
	for (size_t i = 0; i < json_count(v); i++)
		if (!finding(p, json_at(v, i)))
			return false;
	p->r->signatures.overflow = report_has(p->r, FINDING_SIG_MANY);
	return true;
}

/* ---- what the verify stage fills ---- */

static bool
image(struct parse *p, const struct json_value *v)
{
	struct report *r = p->r;
	struct view format;
	if (json_type(v) == JSON_NULL)
		return true;
	if (r->kind == REPORT_EXPLAIN || r->kind == REPORT_DELTA)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the %s stage filled image", report_stage_name(r->kind));
	if (!members(p, v, "image", "format sha256 size walked"))
		return false;
	if (!json_string(json_get(v, "format"), &format) ||
	    (r->format = format_find(format)) == FORMAT_NONE ||
	    !hash(json_get(v, "sha256"), r->sha256) || !uint_at(v, "size", &r->size) ||
	    r->size > SOURCE_SIZE_MAX ||
	    !json_bool(json_get(v, "walked"), &r->contents.walked))
		return malformed(p, "image");
	r->have_image = true;
	return true;
}

static bool
fact(struct parse *p, const struct json_value *v, struct contents_fact *f)
{
	struct view word;
	if (!members(p, v, "fact", "fact sure value where"))
		return false;
	return (json_string(json_get(v, "fact"), &word) &&
	           (f->id = contents_fact_parse(word)) != CONTENTS_FACT_NONE &&
	           json_bool(json_get(v, "sure"), &f->sure) &&
	           plain(json_get(v, "value"), f->value, sizeof f->value) &&
	           plain(json_get(v, "where"), f->path, sizeof f->path)) ||
	       malformed(p, "fact");
}

static bool
member(struct parse *p, const struct json_value *v, struct contents_member *m)
{
	const struct json_value *offset = json_get(v, "offset");
	struct view format, vouched;
	if (!members(p, v, "member", "format path runs sha256 size vouched walked | offset"))
		return false;
	m->have_offset = offset != NULL;
	if (!json_string(json_get(v, "format"), &format) ||
	    (m->format = format_find(format)) == FORMAT_NONE ||
	    !plain(json_get(v, "path"), m->path, sizeof m->path) ||
	    !json_bool(json_get(v, "runs"), &m->runs) || !hash(json_get(v, "sha256"), m->sha256) ||
	    !uint_at(v, "size", &m->size) || !json_string(json_get(v, "vouched"), &vouched) ||
	    (m->vouch = contents_vouch_parse(vouched)) == CONTENTS_VOUCH_LIMIT ||
	    !json_bool(json_get(v, "walked"), &m->walked))
		return malformed(p, "member");
	/* Both are below 2^53: the sum cannot wrap. */
	if (offset && (!json_uint(offset, &m->offset) || m->offset + m->size > p->r->size))
		return malformed(p, "member");
	return true;
}

static bool
contents(struct parse *p, const struct json_value *v)
{
	struct contents *c = &p->r->contents;
	const struct json_value *list = json_get(v, "members"), *said = json_get(v, "facts");
	bool claims = json_count(said) > 0; /* of evidence beside the image */
	if ((json_type(v) == JSON_NULL) != (!c->walked && !claims))
		return refuse(p, FINDING_INSPECT_MALFORMED,
		    "contents and whether there are any do not agree");
	if (!c->walked && !claims)
		return true;
	if (!members(p, v, "contents", "facts members members_total structure"))
		return false;
	if (json_type(list) != JSON_ARRAY || json_count(list) > CONTENTS_MEMBERS_MAX ||
	    json_type(said) != JSON_ARRAY || json_count(said) > CONTENTS_FACTS_MAX ||
	    !uint_at(v, "members_total", &c->members_total) ||
	    c->members_total < json_count(list) ||
	    !ranges(json_get(v, "structure"), p->r->size, c->structure, CONTENTS_STRUCTURE_MAX,
	        &c->structure_n) ||
	    (!c->walked && (c->members_total > 0 || c->structure_n > 0)))
		return malformed(p, "contents");
	for (size_t i = 0; i < json_count(said); i++)
		if (!fact(p, json_at(said, i), &c->fact[c->facts_n++]))
			return false;
	for (size_t i = 0; i < json_count(list); i++)
		if (!member(p, json_at(list, i), &c->member[c->members_n++]))
			return false;
	return true;
}

static bool
history(struct parse *p, const struct json_value *v)
{
	struct report_inputs *in = &p->r->inputs;
	in->have_history = json_type(v) != JSON_NULL;
	if (!in->have_history)
		return true;
	if (p->r->kind != REPORT_WHOLE)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "a stage filled history");
	if (json_type(v) != JSON_ARRAY || json_count(v) > CONTINUITY_PAST_MAX)
		return malformed(p, "history");
	for (size_t i = 0; i < json_count(v); i++)
		if (!hash(json_at(v, i), in->history[in->history_n++]))
			return malformed(p, "history");
	return true;
}

/* A digest that is there, or not even its name. */
static bool
given(const struct json_value *v, bool *ret_have, uint8_t ret[DIGEST_SHA256_LEN])
{
	*ret_have = v != NULL;
	return !v || hash(v, ret);
}

static bool
inputs(struct parse *p, const struct json_value *v)
{
	struct report_inputs *in = &p->r->inputs;
	const struct json_value *profile = json_get(v, "profile");
	bool known;
	if (p->r->kind == REPORT_EXPLAIN || p->r->kind == REPORT_DELTA)
		return json_type(v) == JSON_NULL ||
		       refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the %s stage filled inputs",
		           report_stage_name(p->r->kind));
	if (!members(p, v, "inputs", "at base history inspector profile signature trust | own rules"))
		return false;
	if (!instant_or_null(json_get(v, "at"), &known, &in->at) || !known ||
	    !hash_or_null(json_get(v, "base"), &in->have_base, in->base) ||
	    !plain(json_get(v, "inspector"), in->inspector, sizeof in->inspector) ||
	    !hash_or_null(json_get(v, "signature"), &in->have_signature, in->signature) ||
	    !hash_or_null(json_get(v, "trust"), &in->have_trust, in->trust) ||
	    !given(json_get(v, "own"), &in->have_own, in->own) || !given(json_get(v, "rules"), &in->have_rules, in->rules))
		return malformed(p, "inputs");
	if (p->r->kind == REPORT_VERIFY && (in->have_own || in->have_rules))
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the verify stage filled what only a comparison is given");
	if (!history(p, json_get(v, "history")))
		return false;
	if (p->r->kind == REPORT_VERIFY && in->have_base)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the verify stage filled base");
	in->have_profile = json_type(profile) != JSON_NULL;
	if (!in->have_profile)
		return true;
	if (!members(p, profile, "profile", "name sha256"))
		return false;
	return (plain(json_get(profile, "name"), in->profile, sizeof in->profile) &&
	           in->profile[0] && hash(json_get(profile, "sha256"), in->profile_sha256)) ||
	       malformed(p, "profile");
}

static bool
notes(struct parse *p, const struct json_value *v)
{
	struct notes *n = &p->r->notes;
	const struct json_value *lines = json_get(v, "lines");
	char line[NOTES_LINE_MAX + 1];
	if (!v)
		return true;
	if (!members(p, v, "notes", "lines lines_total sha256 size"))
		return false;
	n->have = true;
	if (json_type(lines) != JSON_ARRAY || !uint_at(v, "lines_total", &n->lines_total) ||
	    json_count(lines) > n->lines_total || !hash(json_get(v, "sha256"), n->sha256) || !uint_at(v, "size", &n->size) ||
	    n->size == 0 || n->size > NOTES_FILE_MAX)
		return malformed(p, "notes");
	for (size_t i = 0; i < json_count(lines); i++)
		if (!plain(json_at(lines, i), line, sizeof line) || !notes_put(n, line))
			return malformed(p, "notes");
	return true;
}

static bool
signer(struct parse *p, const struct json_value *v, struct sig_signer *s)
{
	bool before, after;
	if (!members(p, v, "signer",
	        "anchor issuer key_type not_after not_before published_key serial spki_sha256 subject"))
		return false;
	return (plain(json_get(v, "anchor"), s->anchor, sizeof s->anchor) &&
	           plain(json_get(v, "issuer"), s->issuer, sizeof s->issuer) &&
	           plain(json_get(v, "key_type"), s->key_type, sizeof s->key_type) &&
	           plain(json_get(v, "serial"), s->serial, sizeof s->serial) &&
	           plain(json_get(v, "subject"), s->subject, sizeof s->subject) &&
	           instant_or_null(json_get(v, "not_after"), &after, &s->not_after) &&
	           instant_or_null(json_get(v, "not_before"), &before, &s->not_before) &&
	           json_bool(json_get(v, "published_key"), &s->published_key) &&
	           hash_or_null(json_get(v, "spki_sha256"), &s->have_spki, s->spki_sha256)) ||
	       malformed(p, "signer");
}

static bool
digest_alg(const struct json_value *v, enum digest_alg *ret)
{
	struct view word;
	if (json_type(v) == JSON_NULL) {
		*ret = DIGEST_NONE;
		return true;
	}
	for (unsigned i = DIGEST_NONE + 1; i < DIGEST_LIMIT && json_string(v, &word); i++)
		if (view_is(word, digest_name((enum digest_alg)i))) {
			*ret = (enum digest_alg)i;
			return true;
		}
	return false;
}

static bool
revocation(const struct json_value *v, enum sig_revocation *ret)
{
	struct view word;
	for (unsigned i = 0; i <= SIG_REVOCATION_NOT_APPLICABLE && json_string(v, &word); i++)
		if (view_is(word, sig_revocation_name((enum sig_revocation)i))) {
			*ret = (enum sig_revocation)i;
			return true;
		}
	return false;
}

static bool
reasons(const struct json_value *v, unsigned *ret)
{
	struct view word;
	*ret = 0;
	for (size_t i = 0; i < json_count(v); i++) {
		unsigned bit = json_string(json_at(v, i), &word) ? sig_reason_parse(word) : 0;
		if (!bit)
			return false;
		*ret |= bit;
	}
	return json_type(v) == JSON_ARRAY;
}

static bool
signature(struct parse *p, const struct json_value *v, struct sig_result *s)
{
	struct view word;
	if (!members(p, v, "signature",
	        "claimed_time covers detail digest outcome reasons revocation scheme signer where"))
		return false;
	if (!instant_or_null(json_get(v, "claimed_time"), &s->have_claimed_time,
	        &s->claimed_time) ||
	    !ranges(json_get(v, "covers"), p->r->size, s->covers, SIG_COVERS_MAX, &s->covers_n) ||
	    !plain(json_get(v, "detail"), s->detail, sizeof s->detail) ||
	    !digest_alg(json_get(v, "digest"), &s->digest) ||
	    !json_string(json_get(v, "outcome"), &word) ||
	    (s->outcome = sig_outcome_parse(word)) == SIG_UNKNOWN ||
	    !reasons(json_get(v, "reasons"), &s->reasons) ||
	    !revocation(json_get(v, "revocation"), &s->revocation) ||
	    !plain(json_get(v, "scheme"), s->scheme, sizeof s->scheme) || !s->scheme[0] ||
	    !plain(json_get(v, "where"), s->where, sizeof s->where))
		return malformed(p, "signature");
	if (!signer(p, json_get(v, "signer"), &s->signer))
		return false;
	if (s->outcome == SIG_VERIFIED &&
	    (!s->signer.have_spki || !s->signer.anchor[0] || (!s->covers_n && !s->where[0])))
		return refuse(p, FINDING_INSPECT_MALFORMED,
		    "a verified signature names no key, anchor or bytes");
	return true;
}

static bool
signatures(struct parse *p, const struct json_value *v)
{
	struct sig_set *set = &p->r->signatures;
	if (json_type(v) != JSON_ARRAY || json_count(v) > SIG_SIGNERS_MAX)
		return malformed(p, "signatures");
	if (json_count(v) && !p->r->have_image)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "signatures without an image");
	for (size_t i = 0; i < json_count(v); i++) {
		if (!signature(p, json_at(v, i), &set->result[i]))
			return false;
		set->n++;
	}
	return true;
}

/* ---- the whole ---- */

static bool
is_inspect_failure(const struct report *r)
{
	for (unsigned i = FINDING_INSPECT_CRASHED; i <= FINDING_INSPECT_TRAILING; i++)
		if (report_has(r, (enum finding_id)i))
			return true;
	return false;
}

/*
 * A proof is about these very bytes, this base, and a target whose verdict is
 * not milder than what is said of the delta.
 */
static bool
delta_fits(struct parse *p, bool died)
{
	const struct report *r = p->r;
	const struct report_delta *d = &r->delta;
	if (r->kind == REPORT_WHOLE && r->inputs.have_base && !r->have_delta &&
	    !report_has(r, FINDING_DELTA_NOT_APPLIED))
		return refuse(p, FINDING_INSPECT_MALFORMED, "a base, and not a word about it");
	if (r->kind == REPORT_DELTA && !r->have_delta)
		return refuse(p, FINDING_INSPECT_MALFORMED, "the delta stage says nothing of a delta");
	if (r->kind != REPORT_WHOLE || !r->have_delta)
		return true;
	if (!r->inputs.have_base || memcmp(r->inputs.base, d->base_sha256, DIGEST_SHA256_LEN) != 0)
		return refuse(p, FINDING_INSPECT_MALFORMED, "a delta of another base than was given");
	if (r->have_image && (r->size != d->patch_size || memcmp(r->sha256, d->patch_sha256, DIGEST_SHA256_LEN) != 0))
		return refuse(p, FINDING_INSPECT_MALFORMED, "image and delta are about different bytes");
	if (d->result.outcome == DELTA_APPLIED && !d->have_target && !died)
		return refuse(p, FINDING_INSPECT_MALFORMED, "a target that nobody inspected, and no reason for it");
	if (d->have_target && report_verdict(r) > d->target_verdict)
		return refuse(p, FINDING_INSPECT_MALFORMED, "a verdict milder than that of the delta's target");
	return true;
}

/* Facts of one kind must be there, or the reason why they are not. */
static bool
complete(struct parse *p)
{
	const struct report *r = p->r;
	bool died = r->kind == REPORT_WHOLE && is_inspect_failure(r);
	if (!r->have_image && r->kind != REPORT_EXPLAIN && r->kind != REPORT_DELTA && !died)
		return refuse(p, FINDING_INSPECT_MALFORMED, "no image, and no reason for it");
	if (r->kind == REPORT_EXPLAIN && !r->have_changes)
		return refuse(p, FINDING_INSPECT_MALFORMED, "the explain stage explained nothing");
	if (r->kind == REPORT_WHOLE && !r->have_changes && !died && !r->delta.have_target &&
	    !report_has(r, FINDING_CHG_NO_OLD) && !report_has(r, FINDING_REPORT_CUT))
		return refuse(p, FINDING_INSPECT_MALFORMED, "no changes, and no reason for it");
	if (r->have_image && r->have_changes &&
	    (r->size != r->changes.new.size ||
	        memcmp(r->sha256, r->changes.new.sha256, DIGEST_SHA256_LEN) != 0))
		return refuse(p, FINDING_INSPECT_MALFORMED,
		    "image and changes are about different bytes");
	if (r->have_image && r->inputs.have_history &&
	    (r->inputs.history_n == 0) != report_has(r, FINDING_CONT_FIRST) &&
	    !report_has(r, FINDING_REPORT_CUT))
		return refuse(p, FINDING_INSPECT_MALFORMED,
		    "history and what is said of it do not agree");
	return delta_fits(p, died);
}

static bool
root(struct parse *p, const struct json_value *v)
{
	bool whole = p->r->kind == REPORT_WHOLE;
	struct view word;
	if (!members(p, v, "the report",
	        whole
	            ? "changes contents coverage delta findings image inputs schema signatures verdict | notes"
	            : "changes contents coverage delta findings image inputs schema signatures stage"))
		return false;
	if (!json_string(json_get(v, "schema"), &word) ||
	    !view_is(word, whole ? "fotagate-report/1" : "fotagate-report-stage/1"))
		return malformed(p, "schema");
	if (!whole && (!json_string(json_get(v, "stage"), &word) || !view_is(word, report_stage_name(p->r->kind))))
		return malformed(p, "stage");
	bool verifies = whole || p->r->kind == REPORT_VERIFY;
	if (!verifies && json_type(json_get(v, "coverage")) != JSON_NULL)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the %s stage filled coverage",
		    report_stage_name(p->r->kind));
	if (!verifies && json_type(json_get(v, "contents")) != JSON_NULL)
		return refuse(p, FINDING_INSPECT_FOREIGN_FIELD, "the %s stage filled contents",
		    report_stage_name(p->r->kind));
	return image(p, json_get(v, "image")) && contents(p, json_get(v, "contents")) &&
	       signatures(p, json_get(v, "signatures")) &&
	       inputs(p, json_get(v, "inputs")) && changes(p, json_get(v, "changes")) &&
	       delta(p, json_get(v, "delta")) && notes(p, json_get(v, "notes")) &&
	       findings(p, json_get(v, "findings")) && complete(p);
}

/* The model must say what it entails and write what was read. */
static int
confirm(struct parse *p, struct view text)
{
	enum finding_id missing;
	struct writer again;
	int err = entail_missing(p->r, false, &missing);
	if (err == FG_ENOMEM)
		return err;
	if (err || missing != FINDING_LIMIT) {
		refuse(p, FINDING_INSPECT_MALFORMED,
		    "%s follows from the rest and is not said as it should be",
		    err ? "something" : finding_get(missing)->id);
		return FG_EFORMAT;
	}
	writer_init(&again, REPORT_MAX);
	err = report_encode(p->r, REPORT_MAX, &again);
	if (!err && !view_equal(writer_view(&again), text)) {
		refuse(p, FINDING_INSPECT_MALFORMED,
		    "form, order, coverage or verdict is not what the rest makes it");
		err = FG_EFORMAT;
	}
	writer_free(&again);
	return err;
}

int
report_parse(struct view text, enum report_kind kind, struct report *ret,
    struct report_refusal *ret_why)
{
	struct json_error at = { 0 };
	struct json *doc = NULL;
	struct parse p = { .why = ret_why };
	*ret_why = (struct report_refusal){ .finding = FINDING_INSPECT_MALFORMED };
	if (text.n > REPORT_MAX) {
		refuse(&p, FINDING_INSPECT_OVERLONG, "%zu bytes, %u are allowed", text.n,
		    REPORT_MAX);
		return FG_EFORMAT;
	}
	int err = json_parse(text, &doc, &at);
	if (err == FG_ENOMEM)
		return err;
	if (err) {
		bool trailing = at.what && strcmp(at.what, "trailing bytes") == 0;
		refuse(&p, trailing ? FINDING_INSPECT_TRAILING : FINDING_INSPECT_MALFORMED,
		    "byte %zu: %s", at.offset, at.what ? at.what : "not JSON");
		return FG_EFORMAT;
	}
	p.r = report_new(kind);
	if (!p.r)
		err = FG_ENOMEM;
	else
		err = root(&p, json_root(doc)) ? confirm(&p, text) : p.err == FG_ENOMEM ? FG_ENOMEM : FG_EFORMAT;
	if (!err)
		report_move(ret, p.r);
	report_free(p.r);
	json_free(doc);
	return err;
}
